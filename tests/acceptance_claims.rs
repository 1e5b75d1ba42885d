//! Claims about OctoPrint itself, held against its own source.
//!
//! Needs a git repository of it with the tags 1.10.3, 1.11.1, 1.11.2 and 1.11.8, named by `CASEBOOK_PRODUCT_REPO`:
//! a clone, or the source packages of these releases committed one after the other. Nothing is downloaded here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use support::console::Console;

fn product() -> Option<PathBuf> {
    let path = std::env::var_os("CASEBOOK_PRODUCT_REPO").map(PathBuf::from);
    if path.is_none() {
        println!("skipped: CASEBOOK_PRODUCT_REPO names no repository of the product");
    }
    path
}

struct House {
    console: Console,
    config: String,
}

impl House {
    fn new(product: &PathBuf) -> Self {
        let console = Console::new();
        let config = format!("[product]\ncheckout = {product:?}\n");
        let config = console.write("config.toml", &config).to_str().expect("UTF-8").to_owned();
        Self { console, config }
    }

    fn hints(&self, subject: &str, text: &str) -> Value {
        let name: String = subject.chars().filter(char::is_ascii_alphanumeric).collect();
        let mail = format!(
            "Received: from mx.finder.example by mail.e.example; Fri, 30 Oct 2026 10:00:05 +0000\r\n\
             From: Robin Finder <{name}@finder.example>\r\nTo: security@octoprint.org\r\nSubject: {subject}\r\n\
             Message-ID: <{name}@finder.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
        );
        let path = self.console.write(&format!("{name}.eml"), &mail);
        self.console.ok(&["import", path.to_str().expect("UTF-8")]);
        let case = self.console.case(subject);
        self.console.json(&["--config", &self.config, "hints", &case])
    }
}

/// `text: found` of the claims that are as wanted.
fn list(hints: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    let claims = hints["claims"].as_array().expect("claims").iter();
    let words = |claim: &Value| format!("{}: {} {}", claim["text"], claim["found"], claim["where"]);
    claims.filter(|claim| wanted(claim)).map(words).collect()
}

fn missed(hints: &Value) -> Vec<String> {
    list(hints, |claim| claim["strength"] == "strong" && claim["found"] != "yes")
}

/// A report on real things, and pairs of a real and an invented name.
struct Report {
    version: &'static str,
    text: &'static str,
    swaps: &'static [(&'static str, &'static str)],
}

const REPORTS: &[Report] = &[
    Report {
        version: "1.11.1",
        text: "Hello,\n\n\
            OctoPrint 1.11.1 lets a user with the FILES_UPLOAD permission name a file of the server in the\n\
            form fields of an upload. `UploadStorageFallbackHandler` in src/octoprint/server/util/tornado.py\n\
            passes the fields on, and `uploadGcodeFile()` in octoprint/server/api/files.py reads\n\
            `upload_name` from them. The suffixes are the settings server.uploads.nameSuffix and\n\
            server.uploads.pathSuffix. The route is POST /api/files/local, and\n\
            `octoprint.filemanager.FileManager.add_file` stores it at the end; `sanitize_name` of\n\
            LocalFileStorage is asked too late.\n\n\
            Robin\n",
        swaps: &[
            ("FILES_UPLOAD", "FILES_INGEST"),
            ("UploadStorageFallbackHandler", "UploadStorageStreamingHandler"),
            ("src/octoprint/server/util/tornado.py", "src/octoprint/server/util/uploads.py"),
            ("uploadGcodeFile()", "acceptGcodeUpload()"),
            ("octoprint/server/api/files.py", "octoprint/server/api/upload.py"),
            ("upload_name", "upload_alias_field"),
            ("server.uploads.nameSuffix", "server.uploads.aliasSuffix"),
            ("POST /api/files/local", "POST /api/files/ingest_all/local"),
            (
                "octoprint.filemanager.FileManager.add_file",
                "octoprint.filemanager.FileManager.ingest_file",
            ),
            ("sanitize_name", "sanitise_alias"),
        ],
    },
    Report {
        version: "1.11.2",
        text: "Hi,\n\n\
            on 1.11.2 the page of the bundled `backup` plugin is open to more people than\n\
            PLUGIN_BACKUP_CREATE says: GET /plugin/backup/download/<name> asks for it, but\n\
            `BackupPlugin.route_hook` does not. See src/octoprint/plugins/backup/__init__.py, line 100.\n\
            Users come from octoprint.access.users.FilebasedUserManager, and LoginManager trusts\n\
            `credentials_seen`. The code is\n\n\
            \x20   def route_hook(self, *args, **kwargs):\n\n\
            With accessControl.autologinLocal set, `passive_login()` of octoprint.server.util.flask is enough.\n\
            DELETE /api/access/users/<username>/apikey is fine. A timelapse is served by\n\
            /downloads/timelapse/x.mpg.\n",
        swaps: &[
            ("`backup` plugin", "`snapshotter` plugin"),
            ("PLUGIN_BACKUP_CREATE", "PLUGIN_BACKUP_RETRIEVE"),
            ("/plugin/backup/download/<name>", "/plugin/backup/retrieve/<name>"),
            ("BackupPlugin.route_hook", "BackupPlugin.guard_hook"),
            (
                "src/octoprint/plugins/backup/__init__.py, line 100",
                "src/octoprint/plugins/backup/__init__.py, line 98765",
            ),
            (
                "octoprint.access.users.FilebasedUserManager",
                "octoprint.access.users.VaultedUserManager",
            ),
            ("credentials_seen", "credentials_replayed"),
            ("def route_hook(self, *args, **kwargs):", "def guard_route(self, request, session):"),
            ("accessControl.autologinLocal", "accessControl.autologinSubnets"),
            ("passive_login()", "passive_session()"),
            ("/api/access/users/<username>/apikey", "/api/access/users/<username>/appsecret"),
            ("/downloads/timelapse/x.mpg", "/downloads/recordings/x.mpg"),
        ],
    },
    Report {
        version: "1.10.3",
        text: "Good day,\n\n\
            OctoPrint 1.10.3: in the class SendQueue and in MachineCom (src/octoprint/util/comm.py:1200)\n\
            a line from the printer is handed to `process_gcode_line`, then `_handle_errors` is called.\n\
            TIMELAPSE_DELETE is not needed for POST /api/timelapse/unrendered/<name>, which ends in\n\
            `octoprint.timelapse.delete_unrendered_timelapse`. In JavaScript, `FilesViewModel` and\n\
            `loginStateViewModel` take it as it is. templates/dialogs/files.jinja2 is no help here.\n",
        swaps: &[
            ("SendQueue", "GuardedQueue"),
            ("MachineCom ", "MachineBridgeHandler "),
            ("src/octoprint/util/comm.py:1200", "src/octoprint/util/serialcomm.py:1200"),
            ("process_gcode_line", "process_printer_reply_line"),
            ("_handle_errors", "_swallow_errors"),
            ("TIMELAPSE_DELETE", "TIMELAPSE_PURGE"),
            ("/api/timelapse/unrendered/<name>", "/api/timelapse/leftover/<name>"),
            (
                "octoprint.timelapse.delete_unrendered_timelapse",
                "octoprint.timelapse.purge_leftover_frames",
            ),
            ("`FilesViewModel`", "`CabinetViewModel`"),
            ("loginStateViewModel", "loginVaultViewModel"),
            ("templates/dialogs/files.jinja2", "templates/dialogs/cabinet.jinja2"),
        ],
    },
];

#[test]
fn real_names_are_found_and_invented_ones_named() {
    let Some(product) = product() else { return };
    let house = House::new(&product);
    let begun = Instant::now();
    let (mut real, mut invented) = (0, 0);
    for report in REPORTS {
        let hints = house.hints(&format!("Real {}", report.version), report.text);
        assert_eq!(missed(&hints), [] as [&str; 0], "at {}", report.version);
        real += list(&hints, |claim| claim["strength"] == "strong").len();
        let verdict = hints["claims_verdict"].as_str().expect("a verdict");
        assert!(verdict.ends_with(&format!("resolve at {}", report.version)), "{verdict}");
        let swap = |text: String, (a, b): &(&str, &str)| {
            assert!(text.contains(a), "{a}");
            text.replace(a, b)
        };
        let text = report.swaps.iter().fold(report.text.to_owned(), swap);
        let hints = house.hints(&format!("Invented {}", report.version), &text);
        let failed = list(&hints, |claim| claim["strength"] == "strong" && claim["found"] == "no");
        assert_eq!(failed.len(), report.swaps.len(), "{failed:#?}\n{hints:#}");
        invented += failed.len();
    }
    println!("{real} real names found, {invented} invented names named, in {:?}", begun.elapsed());
}

/// Names drawn from the source itself, whatever they are, and the same names bent.
#[test]
fn drawn_names_are_found_and_bent_ones_are_not() {
    let Some(product) = product() else { return };
    let house = House::new(&product);
    let git = |args: &[&str]| {
        let done = Command::new("git").arg("-C").arg(&product).args(args).output().expect("git");
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let tag = "1.11.2";
    let source =
        git(&["grep", "-hoE", r"(def|class) [A-Za-z_0-9]{6,}", tag, "--", "src/octoprint/*.py"]);
    let mut names: Vec<&str> = source.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    names.sort_unstable();
    names.dedup();
    let files = git(&[
        "ls-tree",
        "-r",
        "--name-only",
        tag,
        "src/octoprint/server",
        "src/octoprint/plugins",
    ]);
    let files: Vec<&str> = files.lines().filter(|path| path.ends_with(".py")).collect();
    let routes =
        git(&["grep", "-hoE", r#"api.route\("[^"]+""#, tag, "--", "src/octoprint/server/api/*.py"]);
    let routes: Vec<&str> = routes.lines().filter_map(|line| line.split('"').nth(1)).collect();
    let (mut found, mut bent) = (0, 0);
    for (number, chunk) in names.chunks(60).enumerate().take(12) {
        let functions: String =
            chunk.iter().map(|name| format!("`{name}()` is called\n")).collect();
        let paths = files.iter().skip(number * 4).take(4).map(|path| format!("see {path}\n"));
        let called =
            routes.iter().skip(number * 5).take(5).map(|route| format!("GET /api{route}\n"));
        let text: String = paths.chain(called).chain([functions]).collect();
        let text = format!("OctoPrint {tag}\n\n{text}");
        let hints = house.hints(&format!("Drawn {number} end"), &text);
        assert_eq!(missed(&hints), [] as [&str; 0]);
        found += list(&hints, |claim| claim["found"] == "yes").len();
        let bend = |name: &str| format!("{}zq{}", &name[..4], &name[4..]);
        let text: String =
            chunk.iter().map(|name| format!("`{}()` is called\n", bend(name))).collect();
        let text = format!("OctoPrint {tag}\n\n{text}");
        let hints = house.hints(&format!("Bent {number} end"), &text);
        let failed = list(&hints, |claim| claim["found"] == "no");
        assert_eq!(failed.len(), chunk.len(), "{hints:#}");
        bent += failed.len();
    }
    println!("{found} drawn names found, {bent} bent names named");
}
