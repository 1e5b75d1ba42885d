//! Claims of reports against a product of our own: what is real is found, what is invented is named, and nothing
//! of a mail reaches git or a shell.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly"
)]

mod support;

use serde_json::Value;

use support::console::Console;
use support::product::Product;

/// A store, a product and a config that names it.
struct House {
    console: Console,
    product: Product,
    config: String,
}

impl House {
    fn new() -> Self {
        let console = Console::new();
        let product = Product::new(&console.path(""));
        let config = format!("[product]\ncheckout = {:?}\n", product.path);
        let config = console.write("config.toml", &config);
        Self { config: config.to_str().expect("UTF-8").to_owned(), console, product }
    }

    /// Imports a report; its case.
    fn report(&self, subject: &str, text: &str) -> String {
        self.mail(subject, "Content-Type: text/plain; charset=utf-8\r\n\r\n", text)
    }

    fn mail(&self, subject: &str, head: &str, body: &str) -> String {
        let name: String = subject.chars().filter(char::is_ascii_alphanumeric).collect();
        let mail = format!(
            "From: Robin Finder <robin@finder.example>\r\nTo: security@octoprint.org\r\nSubject: {subject}\r\n\
             Message-ID: <{name}@finder.example>\r\nDate: Fri, 30 Oct 2026 10:00:00 +0000\r\n\
             MIME-Version: 1.0\r\n{head}{body}"
        );
        let path = self.console.write(&format!("{name}.eml"), &mail);
        self.console.ok(&["import", path.to_str().expect("UTF-8")]);
        self.console.case(subject)
    }

    fn hints(&self, case: &str) -> Value {
        self.console.json(&["--config", &self.config, "hints", case])
    }

    /// `text found` of the claims that are not weak.
    fn found(&self, case: &str) -> Vec<String> {
        let hints = self.hints(case);
        let claims = hints["claims"].as_array().expect("claims").iter();
        let text = |claim: &Value, key: &str| claim[key].as_str().expect("text").to_owned();
        let strong = claims.filter(|claim| claim["strength"] == "strong");
        strong.map(|claim| format!("{} {}", text(claim, "text"), text(claim, "found"))).collect()
    }
}

fn claim<'v>(hints: &'v Value, text: &str) -> &'v Value {
    let claims = hints["claims"].as_array().expect("claims");
    claims.iter().find(|claim| claim["text"] == text).unwrap_or_else(|| panic!("{text}: {hints:#}"))
}

const REAL: &str = "Hello,

I looked at OctoPrint 1.0.0. `switch_lamp()` in src/lantern/web/api.py, line 15, lets a user with the
LAMP_SWITCH permission reach files outside, since is_below_folder follows links. The route is
POST /api/lamps/local/x.bin, and `lantern.util.paths.is_below_folder` is what it calls:

    full = os.path.realpath(os.path.join(folder, path))

SessionTokenStore.revoke_token and the setting server.reverseProxy.prefixHeader play no part; the bundled
`dimmer` plugin checks PLUGIN_DIMMER_DIM.

Robin
";

#[test]
fn what_is_real_is_found_where_it_is() {
    let house = House::new();
    let case = house.report("Real names", REAL);
    let hints = house.hints(&case);
    let claims = hints["claims"].as_array().expect("claims");
    let missed: Vec<_> = claims.iter().filter(|claim| claim["found"] != "yes").collect();
    assert!(missed.is_empty(), "{missed:#?}");
    for (text, kind, place) in [
        ("src/lantern/web/api.py:15", "line", "src/lantern/web/api.py has"),
        ("switch_lamp", "function", "src/lantern/web/api.py:"),
        ("LAMP_SWITCH", "permission", "src/lantern/access.py:2"),
        ("/api/lamps/local/x.bin", "route", "/lamps/<…>/… at src/lantern/web/api.py:"),
        ("lantern.util.paths.is_below_folder", "dotted", "src/lantern/util/paths.py:4"),
        ("server.reverseProxy.prefixHeader", "setting", "src/lantern/settings.py:2"),
        ("SessionTokenStore.revoke_token", "dotted", "src/lantern/access.py:7"),
        ("dimmer", "plugin", "src/lantern/plugins/dimmer"),
        ("PLUGIN_DIMMER_DIM", "permission", "src/lantern/plugins/dimmer/__init__.py:3"),
    ] {
        let claim = claim(&hints, text);
        assert_eq!(claim["kind"], kind, "{claim:#}");
        assert!(claim["where"].as_str().is_some_and(|at| at.starts_with(place)), "{claim:#}");
    }
    assert!(claims.iter().any(|claim| claim["kind"] == "code"), "{hints:#}");
    let verdict = hints["claims_verdict"].as_str().expect("a verdict");
    assert!(verdict.ends_with("claims resolve at 1.0.0"), "{verdict}");
    let evidence = &claim(&hints, "switch_lamp")["evidence"];
    assert_eq!(
        (evidence["line"].as_u64(), evidence["text"].as_str()),
        (Some(3), Some("switch_lamp"))
    );
}

const INVENTED: [(&str, &str); 11] = [
    ("switch_lamp()", "toggle_lantern()"),
    ("src/lantern/web/api.py, line 15", "src/lantern/web/apis.py, line 15"),
    ("LAMP_SWITCH", "LAMP_TOGGLE"),
    ("is_below_folder follows", "is_inside_folder follows"),
    ("/api/lamps/local/x.bin", "/api/lanterns/local"),
    ("lantern.util.paths.is_below_folder", "lantern.util.sandbox.is_safe"),
    (
        "full = os.path.realpath(os.path.join(folder, path))",
        "target = sanitize(base, path, strict=True)",
    ),
    ("SessionTokenStore.revoke_token", "SessionTokenVault.revoke_token"),
    ("server.reverseProxy.prefixHeader", "server.reverseProxy.stripHeader"),
    ("`dimmer`", "`blinker`"),
    ("PLUGIN_DIMMER_DIM", "PLUGIN_DIMMER_FLASH"),
];

#[test]
fn what_is_invented_is_named_and_the_rest_still_found() {
    let house = House::new();
    let mut text = REAL.to_owned();
    for (real, invented) in INVENTED {
        assert!(text.contains(real), "{real}");
        text = text.replace(real, invented);
    }
    let case = house.report("Invented names", &text);
    let found = house.found(&case);
    let resolved: Vec<_> = found.iter().filter(|claim| !claim.ends_with(" no")).collect();
    assert!(resolved.is_empty(), "{resolved:#?}");
    assert_eq!(found.len(), INVENTED.len(), "{found:#?}");
    let hints = house.hints(&case);
    let verdict = hints["claims_verdict"].as_str().expect("a verdict");
    assert!(verdict.starts_with("0 of 11 claims resolve at 1.0.0; these 11 do not: "), "{verdict}");
    assert!(!verdict.contains("fake"));
    let nearest = &claim(&hints, "src/lantern/web/apis.py:15")["nearest"];
    assert_eq!(
        (nearest["name"].as_str(), nearest["distance"].as_u64()),
        (Some("src/lantern/web/api.py"), Some(1))
    );
    // Mixed, one at a time: exactly the invented one fails.
    for (number, (real, invented)) in INVENTED.iter().enumerate() {
        let case = house.report(&format!("Mixed {number}"), &REAL.replace(real, invented));
        let failed: Vec<_> =
            house.found(&case).into_iter().filter(|c| c.ends_with(" no")).collect();
        assert_eq!(failed.len(), 1, "{invented}: {failed:#?}");
    }
}

#[test]
fn what_is_in_another_version_is_elsewhere() {
    let house = House::new();
    let case = house.report(
        "Moved names",
        "In OctoPrint 1.1.0 `old_login_check()` of src/lantern/web/legacy.py and src/lantern/util/paths.py\n\
         and the LAMP_TIMER permission are wrong.\n",
    );
    let hints = house.hints(&case);
    let says = |text: &str| {
        let claim = claim(&hints, text);
        assert_eq!(claim["found"], "elsewhere", "{claim:#}");
        claim["where"].as_str().expect("where").to_owned()
    };
    let tidy = house.product.git(&["log", "-1", "--format=%h", "v1.1.0"]);
    let first = house.product.git(&["log", "-1", "--format=%h", "1.0.0"]);
    assert_eq!(
        says("old_login_check"),
        format!(
            "old_login_check was in 1.0.0; came with {first} on 2024-01-01; went with {tidy} on 2024-06-01"
        )
    );
    assert_eq!(
        says("src/lantern/web/legacy.py"),
        format!("src/lantern/web/legacy.py was in 1.0.0; deleted with {tidy} on 2024-06-01")
    );
    assert_eq!(
        says("src/lantern/util/paths.py"),
        format!(
            "src/lantern/util/paths.py was in 1.0.0; renamed to src/lantern/util/files.py with {tidy} on 2024-06-01"
        )
    );
    assert_eq!(says("LAMP_TIMER"), "not in v1.1.0; in release-1.2.0 at src/lantern/access.py:3");
    assert_eq!(
        hints["claims_verdict"].as_str().expect("a verdict").split(';').next(),
        Some("0 of 4 claims resolve at v1.1.0")
    );
    // LAMP_LIST is in the version claimed, and not in the newest.
    let case =
        house.report("Older", "OctoPrint 1.1.0: the LAMP_LIST permission is not asked for.\n");
    let hints = house.hints(&case);
    let claim = claim(&hints, "LAMP_LIST");
    assert_eq!((claim["found"].as_str(), claim["newest"].as_str()), (Some("yes"), Some("no")));
}

#[test]
fn versions_lines_commits_and_libraries_are_told_apart() {
    let house = House::new();
    let commit = house.product.git(&["rev-parse", "1.0.0"]);
    let case = house.report(
        "Versions",
        &format!(
            "Tested on OctoPrint 1.9.9. src/lantern/access.py:4000 is wrong since commit {commit}, not since\n\
             commit deadbeef42. It calls `flask.jsonify()`.\n"
        ),
    );
    let hints = house.hints(&case);
    let of = |text: &str| {
        let claim = claim(&hints, text);
        (claim["found"].as_str().expect("found"), claim["strength"].as_str().expect("strength"))
    };
    assert_eq!(of("1.9.9"), ("no", "strong"));
    assert_eq!(of("src/lantern/access.py:4000"), ("no", "strong"));
    assert_eq!(of(&commit), ("yes", "strong"));
    assert_eq!(of("deadbeef42"), ("no", "strong"));
    assert_eq!(of("flask.jsonify"), ("unknown", "third-party"));
    let long = claim(&hints, "src/lantern/access.py:4000");
    assert!(long["where"].as_str().is_some_and(|w| w.contains("lines only")), "{long:#}");
}

#[test]
fn a_branch_is_found_by_its_whole_name_also_on_a_remote() {
    let house = House::new();
    let main = house.product.git(&["rev-parse", "main"]);
    house.product.git(&["update-ref", "refs/heads/old/maintenance", &main]);
    house.product.git(&["update-ref", "refs/remotes/origin/devel", "1.0.0"]);
    let case = house
        .report("Branches", "OctoPrint devel and maintenance branch: LAMP_LIST is asked for.\n");
    let hints = house.hints(&case);
    assert_eq!(claim(&hints, "devel")["where"], "branch origin/devel");
    assert_eq!(claim(&hints, "maintenance")["found"], "no");
    assert_eq!(hints["claims_verdict"], "1 claim resolves at origin/devel");
}

#[test]
fn quotations_signatures_and_own_code_claim_nothing() {
    let house = House::new();
    let case = house.report(
        "Own words",
        "OctoPrint 1.0.0 has the flaw of old_login_check.\n\nPoC:\n\n```python\ndef build_payload(size):\n    \
         return size\nbuild_payload(3)\n```\n`build_payload()` is mine.\n\n> quoted_function_name() is theirs\n\n\
         -- \nsignature_function_name()\n",
    );
    assert_eq!(house.found(&case), ["old_login_check yes"]);
}

#[test]
fn attached_text_claims_and_attached_scripts_only_what_is_the_products() {
    let house = House::new();
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let body = "--b\r\nContent-Type: text/plain\r\n\r\nOctoPrint 1.0.0, see details.txt and run_it.py.\r\n\
        --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=details.txt\r\n\r\n\
        first line\r\nswitch_lamp and dim_all_lamps are called\r\n\
        --b\r\nContent-Type: text/x-python\r\nContent-Disposition: attachment; filename=run_it.py\r\n\r\n\
        from lantern.web.api import list_lamps\r\nimport octoprint.hidden_module\r\n\
        def my_own_helper():\r\n    return requests.get(BASE + \"/api/lamps/local\")\r\n--b--\r\n";
    let case = house.mail("Attached", head, body);
    let mut found = house.found(&case);
    found.sort();
    assert_eq!(
        found,
        [
            "/api/lamps/local yes",
            "dim_all_lamps no",
            "octoprint.hidden_module no",
            "switch_lamp yes"
        ]
    );
    let hints = house.hints(&case);
    let evidence = &claim(&hints, "dim_all_lamps")["evidence"];
    assert_eq!((evidence["line"].as_u64(), evidence["part"].as_u64()), (Some(2), Some(1)));
}

#[test]
fn a_hostile_report_is_text_and_nothing_else() {
    let house = House::new();
    let text = "OctoPrint 1.0.0\n\
        `--output=pwned` `--upload-pack=touch pwned` `-Sfoo` commit --help0123456789abcdef\n\
        $(touch pwned) ; touch pwned | touch pwned `touch pwned` && touch pwned\n\
        src/lantern/$(touch pwned).py:3 src/lantern/`touch pwned`.py ../../../../etc/passwd.py\n\
        switch_lamp\u{0}(); switch_lamp\n--all\n commit 0123abc^{/pwned} commit :/pwned1234567\n\
        https://github.com/x/y/blob/--help/src/-oProxyCommand=x.py#L1 \u{1b}]0;x\u{7} \u{202e}evil_function()\n\
        OctoPrint --upload-pack=x 1.0.0; OctoPrint version -1.0.0 refs/heads/main:refs/heads/x\n";
    let case = house.report("Hostile", text);
    let hints = house.hints(&case);
    assert_eq!(claim(&hints, "switch_lamp")["found"], "yes");
    let shown = house.console.ok(&["--config", &house.config, "hints", &case]);
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{0}', '\u{202e}']), "{shown:?}");
    for folder in
        [house.product.path.clone(), house.console.path(""), std::env::current_dir().expect("here")]
    {
        assert!(!folder.join("pwned").exists(), "{}", folder.display());
    }
    assert_eq!(house.product.git(&["status", "--porcelain"]), "", "the checkout is as it was");
}

#[test]
fn a_checkout_cannot_make_git_run_a_program() {
    let house = House::new();
    let mark = house.console.path("ran");
    let run = format!("touch {}", mark.display());
    for (key, value) in [
        ("core.fsmonitor", run.as_str()),
        ("core.sshCommand", &run),
        ("diff.external", &run),
        ("core.pager", &run),
        ("filter.x.smudge", &run),
        ("filter.x.clean", &run),
        ("diff.x.textconv", &run),
        ("gpg.program", &run),
        ("log.showSignature", "true"),
        ("core.hooksPath", "hooks"),
    ] {
        house.product.git(&["config", key, value]);
    }
    house.product.write(".gitattributes", "* filter=x diff=x\n");
    let case = house
        .report("Config", "OctoPrint 1.1.0: `old_login_check()` in src/lantern/util/paths.py\n");
    assert_eq!(claim(&house.hints(&case), "old_login_check")["found"], "elsewhere");
    assert!(!mark.exists());
}

#[test]
fn a_damaged_index_is_made_again() {
    let house = House::new();
    let case = house.report("Real names", REAL);
    let before = house.hints(&case);
    let folder = house.console.store().join("claims");
    let files = || -> Vec<_> {
        let mut all: Vec<_> = std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|f| f.expect("a file").path())
            .collect();
        all.sort();
        all
    };
    let kept = files();
    assert!(!kept.is_empty());
    #[cfg(unix)]
    for file in &kept {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    }
    let good = std::fs::read(&kept[0]).expect("read");
    for damage in [&b""[..], b"x", &good[..good.len() / 2], &[good.as_slice(), b"x"].concat()] {
        for file in &kept {
            std::fs::write(file, damage).expect("written");
        }
        assert_eq!(house.hints(&case), before);
        assert_eq!(std::fs::read(&kept[0]).expect("read"), good, "it is written anew");
    }
    assert_eq!(files(), kept);
}

#[test]
fn without_a_checkout_or_git_the_claims_are_listed_and_the_reason_told() {
    let house = House::new();
    let case = house.report("Real names", REAL);
    let unknown = |hints: &Value, why: &str| {
        let claims = hints["claims"].as_array().expect("claims");
        assert!(
            claims.len() > 5 && claims.iter().all(|claim| claim["found"] == "unknown"),
            "{hints:#}"
        );
        let verdict = hints["claims_verdict"].as_str().expect("a verdict");
        assert!(verdict.contains(why), "{verdict}");
    };
    unknown(&house.console.json(&["hints", &case]), "[product] checkout");
    let wrong = house.console.write("wrong.toml", "[product]\ncheckout = \"/nowhere\"\n");
    unknown(
        &house.console.json(&["--config", wrong.to_str().expect("UTF-8"), "hints", &case]),
        "the checkout could not be read",
    );
    let mut command = house.console.command(&["--config", &house.config, "--json", "hints", &case]);
    let done = command.env("PATH", house.console.path("empty")).output().expect("starts");
    unknown(&serde_json::from_slice(&done.stdout).expect("JSON"), "install git");
    let shown = house.console.json(&["--config", &house.config, "show", &case]);
    assert_eq!(claim(&shown, "switch_lamp")["found"], "yes");
}

#[test]
fn the_doctor_looks_at_the_checkout() {
    let house = House::new();
    let doctor = |extra: &[&str]| {
        let args = [&["--config", &house.config, "--now", "2026-11-01T12:00:00Z", "doctor"], extra]
            .concat();
        house.console.command(&args).output().expect("run")
    };
    let told = String::from_utf8(doctor(&[]).stdout).expect("text");
    assert!(told.contains("FAULT checkout") && told.contains("no tag 1.11.8"), "{told}");
    house.product.git(&["tag", "v1.11.8"]);
    let done = doctor(&[]);
    let told = String::from_utf8(done.stdout).expect("text");
    assert!(told.contains("ok    checkout") && told.contains("4 tags"), "{told}");
    assert!(done.status.success());
}
