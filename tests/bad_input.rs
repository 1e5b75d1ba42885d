//! Bad input is normal: a sentence with the next step, the right exit status, nothing lost.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use support::console::Console;

const ACCOUNT: &str = r#"
[account]
address = "security@example.org"
host = "127.0.0.1"
port = PORT
security = "plain"
user = "security"
password_command = ["echo", "secret"]
"#;

/// A console whose config names this port.
fn with_account(port: u16, change: impl Fn(String) -> String) -> Console {
    let console = Console::new();
    let config = change(ACCOUNT.replace("PORT", &port.to_string()));
    console.write("config.toml", &config);
    console
}

/// A server that says one thing and then nothing more.
fn says(greeting: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(greeting.as_bytes());
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
        }
    });
    port
}

fn refused_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_dead_or_odd_server() {
    let told = |port: u16| with_account(port, |c| c).fails(4, &["--config", "config.toml", "sync"]);
    assert!(told(refused_port()).contains("refused the connection"));
    assert!(told(says("HTTP/1.1 400 Bad Request\r\n\r\n")).contains("does not speak IMAP"));
    assert!(told(says("* BYE \x1b]0;go away\x07\r\n")).contains("turned the connection away"));
    assert!(told(says("* PREAUTH hello\r\n")).contains("logged in already"));
}

#[test]
fn an_unknown_host_and_a_plain_connection_abroad() {
    let console =
        with_account(993, |c| c.replace("127.0.0.1", "imap.invalid").replace("plain", "tls"));
    let told = console.fails(4, &["--config", "config.toml", "sync"]);
    assert!(told.contains("imap.invalid"), "{told}");
    let console = with_account(143, |c| c.replace("127.0.0.1", "192.0.2.1"));
    let told = console.fails(2, &["--config", "config.toml", "sync"]);
    assert!(told.contains("plain"), "{told}");
}

#[test]
fn a_password_command_that_fails() {
    for command in [r#"["false"]"#, r#"["/nonexistent/pass"]"#] {
        let port =
            says("* OK [CAPABILITY IMAP4rev1] ready\r\n* CAPABILITY IMAP4rev1\r\na1 OK done\r\n");
        let console = with_account(port, |c| c.replace(r#"["echo", "secret"]"#, command));
        let told = console.fails(4, &["--config", "config.toml", "sync"]);
        assert!(told.contains("password"), "{told}");
    }
}

#[test]
fn broken_files() {
    let console = Console::new();
    console.write(
        "config.toml",
        "[me]\nnaem = \"x\"\npassword = \"hunter2\"\n[ui]\nkeymap = \"vi\"\n",
    );
    let told = console.fails(2, &["--config", "config.toml", "list"]);
    for words in ["line 2", "name", "line 5", "default"] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(!told.contains("hunter2"));
    console.write("config.toml", "[ui]\nkeymap_file = \"keys.toml\"\n");
    console.write("keys.toml", "[queue]\n\"j\" = \"dwon\"\n");
    let told = console.fails(2, &["--config", "config.toml", "keys"]);
    assert!(told.contains("line 2") && told.contains("down"), "{told}");
    console.write("config.toml", "[policy]\nfile = \"policy.toml\"\n");
    console.write("policy.toml", "name = 1\n[[item]]\n");
    let told = console.fails(2, &["--config", "config.toml", "list"]);
    assert!(told.contains("policy.toml"), "{told}");
    console.write("config.toml", "[policy]\nfile = \"none.toml\"\n");
    let told = console.fails(2, &["--config", "config.toml", "list"]);
    assert!(told.contains("none.toml"), "{told}");
    console.write("config.toml", "not toml at all");
    console.fails(2, &["--config", "config.toml", "list"]);
    console.fails(2, &["--config", "nowhere.toml", "list"]);
}

#[test]
fn a_second_instance_is_told_of_the_first() {
    let console = Console::new();
    console.import_samples();
    let screen = console.screen(80, 24, &[]);
    screen.wait_for("CASE");
    let told = console.fails(3, &["list"]);
    assert!(told.contains(&screen.pid().to_string()), "{told}");
    assert!(!console.ok(&["--read-only", "list"]).is_empty(), "reading is possible beside it");
}

#[test]
fn a_damaged_index_is_made_anew_by_itself() {
    let console = Console::new();
    console.import_samples();
    let before = console.json(&["list"]);
    let database = console.store().join("index/db");
    let bytes = fs::read(&database).expect("read");
    fs::write(&database, &bytes[..bytes.len() / 3]).expect("written");
    assert_eq!(console.json(&["list"]), before);
}

#[test]
fn a_damaged_archive_frame_costs_one_mail_and_is_named() {
    let console = Console::new();
    console.import_samples();
    let count = console.json(&["list"]).as_array().expect("a list").len();
    let segment = console.store().join("archive/000001.mbox.zst");
    let mut bytes = fs::read(&segment).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&segment, bytes).expect("written");
    let told = console.fails(3, &["verify"]);
    assert!(told.contains("damaged"), "{told}");
    assert_eq!(
        console.json(&["list"]).as_array().expect("a list").len(),
        count,
        "all are still listed"
    );
}

#[test]
fn a_folder_that_cannot_be_written() {
    let console = Console::new();
    console.write("file", "");
    let told = console.fails(3, &["--store", "file/store", "list"]);
    assert!(told.contains("file/store"), "{told}");
}

#[test]
fn paths_that_bring_nothing() {
    let console = Console::new();
    let told = console.fails(2, &["import", "nowhere.eml"]);
    assert!(told.contains("nothing was imported"), "{told}");
}

#[test]
fn no_terminal_no_screen() {
    let console = Console::new();
    let done = console.command(&[]).stdin(Stdio::null()).output().expect("it starts");
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("terminal"));
}

#[test]
fn a_mail_that_the_parser_refuses_is_listed_and_marked() {
    let console = Console::new();
    fs::write(console.path("odd.eml"), b" folded first line\r\nSubject: odd\r\n\r\nbody text\r\n")
        .expect("written");
    console.ok(&["import", "odd.eml"]);
    let cases = console.json(&["list"]);
    let shown = console.json(&["show", cases[0]["case"].as_str().expect("an id")]);
    let message = &shown["messages"][0];
    assert!(!message["defects"].as_array().expect("defects").is_empty());
    assert!(message["text"].as_str().expect("text").contains("body text"));
}

#[test]
fn words_that_are_no_command_and_values_that_are_none() {
    let console = Console::new();
    for (args, words) in [
        (&["lst"][..], "'list'"),
        (&["list", "--now", "yesterday"], "2026-11-01T12:00:00Z"),
        (&["list", "--state", "opne"], "acknowledged"),
        (&["decide", "x", "rejct"], "reject"),
        (&["list", "--jsn"], "--json"),
        (&["export", "--format", "osv"], "--out"),
    ] {
        let done = console.run(args);
        let err = String::from_utf8(done.stderr).expect("UTF-8");
        assert_eq!(done.status.code(), Some(2), "{err}");
        assert!(err.contains(words) && done.stdout.is_empty(), "{words} in {err}");
    }
    assert!(!console.store().exists(), "nothing is made before the words are understood");
}

#[test]
fn global_options_stand_on_either_side() {
    let console = Console::new();
    console.import_samples();
    let before = console.ok(&["--now", "2026-11-01T12:00:00Z", "--json", "list"]);
    let after = console.ok(&["list", "--json", "--now", "2026-11-01T12:00:00Z"]);
    assert_eq!(before, after);
    let done = console.run(&["show", "zzzzzzzz", "--json"]);
    let error: serde_json::Value = serde_json::from_slice(&done.stdout).expect("one document");
    assert!(error["error"].is_string() && error["next"].is_string(), "{error}");
    assert!(console.run(&["show", "zzzzzzzz"]).stdout.is_empty());
}

#[test]
fn a_store_that_is_a_file() {
    let console = Console::new();
    console.write("file", "mine");
    let told = console.fails(3, &["--store", "file", "list"]);
    assert!(told.contains("file"), "{told}");
    assert_eq!(fs::read(console.path("file")).expect("read"), b"mine");
}

#[test]
fn a_reader_that_goes_away() {
    let console = Console::new();
    console.import_samples();
    for args in [&["list"][..], &["--json", "list"], &["man"], &["keys"]] {
        let mut child = console
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("ended");
        assert_eq!(done.status.code(), Some(0), "{args:?}");
        assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn files_that_are_hardly_mail() {
    let console = Console::new();
    let folder = console.path("odd");
    fs::create_dir_all(folder.join("none")).expect("made");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("written");
    let noise: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    write("empty.eml", b"");
    write("noise.eml", &noise);
    let mut mbox = b"From a@b Thu Oct  1 10:00:00 2026\nSubject: one\n\nbody\n\nFrom x\n".to_vec();
    mbox.extend_from_slice(&noise);
    write("noise.mbox", &mbox);
    write("ignored.png", &noise);
    let mut huge = b"From: a@example.net\r\nSubject: thirty megabytes\r\n\r\n".to_vec();
    huge.extend(b"0123456789abcdef0123456789abcdef0123456789abcdef\r\n".repeat(600_000));
    write("huge.eml", &huge);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&folder, folder.join("loop")).expect("linked");
        std::os::unix::fs::symlink("itself.eml", folder.join("itself.eml")).expect("linked");
    }
    let done = console.json(&["import", "odd"]);
    assert!(done["seen"].as_u64().expect("a number") >= 4, "{done}");
    let left = done["quarantined"].as_array().expect("a list");
    assert!(
        left.iter().all(|one| one["what"].as_str().is_some_and(|w| w.contains("itself"))),
        "{done}"
    );
    let cases = console.json(&["list"]);
    let mut sizes = 0;
    for case in cases.as_array().expect("a list") {
        let shown = console.ok(&["show", case["case"].as_str().expect("an id")]);
        assert_eq!(support::console::forbidden(shown.as_bytes()), Vec::<String>::new());
        sizes += usize::from(shown.contains("thirty megabytes"));
    }
    assert_eq!(sizes, 1, "the huge one is listed");
    console.ok(&["verify"]);
    assert_eq!(console.json(&["import", "odd"])["new"], 0);
    let told = console.run(&["import", "odd/none"]);
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }

    fn is_root() -> bool {
        let done = Command::new("id").arg("-u").output().expect("id runs");
        done.stdout.starts_with(b"0\n")
    }

    #[test]
    fn arguments_that_are_no_text() {
        let console = Console::new();
        let odd = OsStr::from_bytes(b"a\xff\x1b[2Jb");
        let mut show = console.command(&["show"]);
        let done = show.arg(odd).output().expect("it starts");
        assert_eq!(done.status.code(), Some(2));
        assert_eq!(support::console::forbidden(&done.stderr), Vec::<String>::new());
        let done = console.command(&["import"]).arg(odd).output().expect("it starts");
        assert_eq!(done.status.code(), Some(2));
        assert_eq!(support::console::forbidden(&done.stderr), Vec::<String>::new());
        for args in [["show", "\u{1b}[2J\u{202e}"], ["\u{1b}]0;x\u{7}", "x"]] {
            let done = console.run(&args);
            assert_eq!(done.status.code(), Some(2));
            let found = support::console::forbidden(&done.stderr);
            assert!(found.is_empty(), "{args:?}: {found:?}");
        }
    }

    #[test]
    fn terminals_of_any_name() {
        let console = Console::new();
        console.import_samples();
        for term in ["", "dumb", "\u{1b}[2J", "../../../etc/passwd", &"x".repeat(5_000)] {
            let done = console.command(&["list"]).env("TERM", term).output().expect("it starts");
            assert!(done.status.success(), "{term}");
            assert_eq!(support::console::forbidden(&done.stdout), Vec::<String>::new());
        }
    }

    #[test]
    fn a_config_that_others_can_change_and_texts_that_cannot_be_read() {
        let console = Console::new();
        let config = console.write("config.toml", "[policy]\ntext = \"SECURITY.md\"\n");
        let told = console.fails(2, &["--config", "config.toml", "list"]);
        assert!(told.contains("SECURITY.md"), "{told}");
        fs::create_dir(console.path("SECURITY.md")).expect("made");
        let told = console.fails(2, &["--config", "config.toml", "list"]);
        assert!(told.contains("SECURITY.md"), "{told}");
        console.write("config.toml", "");
        mode(&config, 0o666);
        let told = console.fails(2, &["--config", "config.toml", "list"]);
        assert!(told.contains("chmod go-w"), "{told}");
        mode(&config, 0o644);
        console.ok(&["--config", "config.toml", "list"]);
    }

    /// As somebody whom permissions hold back.
    fn as_nobody(console: &Console, args: &[&str]) -> Option<std::process::Output> {
        if !is_root() {
            return Some(console.run(args));
        }
        let folder = console.path("");
        let program = folder.join("casebook");
        if !program.exists() {
            fs::copy(env!("CARGO_BIN_EXE_casebook"), &program).expect("copied");
        }
        mode(&folder, 0o755);
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .args(args)
            .env("HOME", &folder)
            .env("CASEBOOK_STORE", console.store())
            .current_dir(&folder);
        command.output().ok()
    }

    #[test]
    fn a_store_that_may_not_be_written() {
        let console = Console::new();
        console.import_samples();
        let store = console.store();
        if is_root() {
            let owned = Command::new("chown").args(["-R", "65534:65534"]).arg(&store).status();
            assert!(owned.expect("chown runs").success());
        }
        let folders = [store.clone(), store.join("archive"), store.join("index")];
        for folder in &folders {
            mode(folder, 0o500);
        }
        let (write, read) = (
            as_nobody(&console, &["note", "x", "y"]),
            as_nobody(&console, &["--read-only", "list"]),
        );
        let export =
            as_nobody(&console, &["--read-only", "advisory", "x", "--out", "store/a.toml"]);
        for folder in &folders {
            mode(folder, 0o700);
        }
        let (Some(write), Some(read), Some(export)) = (write, read, export) else {
            println!("skipped: no setpriv");
            return;
        };
        let err = String::from_utf8_lossy(&write.stderr).into_owned();
        assert!(matches!(write.status.code(), Some(2 | 3)), "{err}");
        assert_eq!(err.lines().filter(|line| line.starts_with("casebook: ")).count(), 1, "{err}");
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        assert!(!read.stdout.is_empty(), "reading works in a folder that may not be written");
        assert_eq!(export.status.code(), Some(2));
        console.ok(&["verify"]);
    }

    /// A file system of this many kilobytes, taken away with the test.
    struct Small(std::path::PathBuf);

    impl Small {
        fn mount(path: &Path, kilobytes: u32) -> Option<Self> {
            fs::create_dir_all(path).expect("made");
            let size = format!("size={kilobytes}k,mode=0700");
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path);
            let done = mount.output().ok().filter(|done| done.status.success());
            done.map(|_| Self(path.to_owned()))
        }
    }

    impl Drop for Small {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(&self.0).status();
        }
    }

    #[test]
    fn a_full_disk_loses_nothing_that_was_acknowledged() {
        let console = Console::new();
        let Some(_disk) = Small::mount(&console.path("disk"), 16_000) else {
            println!("skipped: no file system could be mounted");
            return;
        };
        let store = console.path("disk/store");
        let store = store.to_str().expect("UTF-8");
        let folder = console.path("mails");
        support::console::write_samples(&folder);
        console.ok(&["--store", store, "import", "mails"]);
        let before = console.json(&["--store", store, "list"]);
        // What cannot be packed, and more of it than there is room for.
        let mut seed = 0x9e37_79b9_u32;
        for number in 0..60 {
            let noise: String = (0..400_000)
                .map(|at| {
                    seed ^= seed << 13;
                    seed ^= seed >> 17;
                    seed ^= seed << 5;
                    if at % 76 == 75 { '\n' } else { char::from(b'0' + (seed >> 11) as u8 % 75) }
                })
                .collect();
            console.write(
                &format!("mails/big{number}.eml"),
                &format!("From: b{number}@example.net\nSubject: big {number}\nMessage-ID: <big{number}@example.net>\n\n{noise}\n"),
            );
        }
        let told = console.fails(3, &["--store", store, "import", "mails"]);
        assert!(told.contains("space") || told.contains("full"), "{told}");
        let shown = console.json(&["--read-only", "--store", store, "list"]);
        let ids = |list: &serde_json::Value| -> Vec<String> {
            let cases = list.as_array().expect("a list").iter();
            cases.map(|case| case["case"].as_str().expect("an id").to_owned()).collect()
        };
        let after = ids(&shown);
        assert!(ids(&before).iter().all(|id| after.contains(id)), "all are still there");
    }
}
