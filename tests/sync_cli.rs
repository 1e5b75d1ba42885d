//! `casebook sync` against a real Dovecot: what arrives, what stays as it was, and what a failure says.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};
use support::console::{Console, forbidden};
use support::dovecot::{Dovecot, PASSWORD, USER, authority};
use support::proxy::{Fault, Proxy};

/// A part of [`PASSWORD`] that stands nowhere else.
const CANARY: &str = "horse";

fn raw(n: u64) -> Vec<u8> {
    let parent = n / 20 * 20;
    format!(
        "From: Reporter {n} <r{n}@example.net>\r\nTo: security@example.org\r\nSubject: report {parent}\r\n\
         Message-ID: <{n}@example.net>\r\nReferences: <{parent}@example.net>\r\n\
         Date: Thu, 1 Jan 2015 00:00:00 +0000\r\n\r\nOctoPrint 1.11.8, report {n}\r\n{}",
        "some words of it\r\n".repeat(n as usize % 50)
    )
    .into_bytes()
}

fn received(n: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + n * 60)
}

fn filled(count: u64) -> Option<Dovecot> {
    let dovecot = Dovecot::start()?;
    for n in 0..count {
        dovecot.add_mail(&raw(n), received(n), if n % 3 == 0 { "S" } else { "" });
    }
    Some(dovecot)
}

fn digest(raw: &[u8]) -> String {
    Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a config says; everything that is not named is right.
struct Account<'a> {
    security: &'a str,
    host: &'a str,
    port: u16,
    ca: &'a [u8],
    password: &'a str,
}

impl<'a> Account<'a> {
    fn of(dovecot: &'a Dovecot, security: &'a str) -> Self {
        let port = if security == "tls" { dovecot.tls_port } else { dovecot.port };
        Self { security, host: "localhost", port, ca: &dovecot.ca_pem, password: PASSWORD }
    }

    /// Writes config and authority; `secret` is the line that names the way to the password.
    fn write_with(&self, console: &Console, secret: &str) {
        fs::write(console.path("ca.pem"), self.ca).expect("written");
        let Self { security, host, port, .. } = self;
        console.write(
            "config.toml",
            &format!(
                "[account]\naddress = \"security@example.org\"\nhost = \"{host}\"\nport = {port}\n\
                 security = \"{security}\"\nuser = \"{USER}\"\nca_file = \"ca.pem\"\n{secret}\n"
            ),
        );
    }

    /// Writes config, authority and the file that the password command prints.
    fn write(&self, console: &Console) {
        console.write("secret", &format!("{}\nnot this\n", self.password));
        let secret = console.path("secret");
        self.write_with(console, &format!("password_command = [\"cat\", {secret:?}]"));
    }
}

const SYNC: [&str; 3] = ["--config", "config.toml", "sync"];

fn sync(console: &Console) -> serde_json::Value {
    console.json(&SYNC)
}

/// SHA-256 of every mail that `show` knows, one for each time it is listed.
fn stored(console: &Console) -> Vec<String> {
    let cases = console.json(&["list"]);
    let mut found = Vec::new();
    for case in cases.as_array().expect("a list") {
        let shown = console.json(&["show", case["case"].as_str().expect("an id")]);
        for message in shown["messages"].as_array().expect("messages") {
            found.push(message["source_sha256"].as_str().expect("a digest").to_owned());
        }
    }
    found
}

/// Whether these bytes stand in any file below, packed ones unpacked.
fn holds(folder: &Path, needle: &[u8]) -> bool {
    let Ok(items) = fs::read_dir(folder) else { return false };
    items.flatten().any(|item| {
        let path = item.path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let unpacked = zstd::decode_all(bytes.as_slice()).unwrap_or_default();
        [bytes, unpacked].iter().any(|b| b.windows(needle.len()).any(|part| part == needle))
    })
}

#[test]
fn mail_arrives_once_over_every_transport_and_the_mailbox_stays_as_it_was() {
    let Some(dovecot) = filled(40) else { return };
    let (state, files) = (dovecot.state(), dovecot.files());
    for security in ["tls", "starttls", "plain"] {
        let console = Console::new();
        Account::of(&dovecot, security).write(&console);
        let config = fs::read(console.path("config.toml")).expect("read");
        let first = sync(&console);
        assert_eq!((&first["seen"], &first["new"]), (&40.into(), &40.into()), "{security}");
        assert_eq!(first["quarantined"], serde_json::json!([]));
        let again = sync(&console);
        assert_eq!((&again["new"], &again["bytes"]), (&0.into(), &0.into()), "{security}");
        let all: BTreeSet<String> = (0..40).map(|n| digest(&raw(n))).collect();
        let found = stored(&console);
        assert_eq!(found.len(), 40, "each once");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all);
        let shown = console.json(&["show", &console.case("report 20")]);
        // 20 * 60 s after 2026-09-21T14:13:20Z; the Date header says 2015.
        assert_eq!(shown["messages"][0]["received"], "2026-09-21T14:33:20Z");
        assert_eq!(shown["messages"].as_array().map(Vec::len), Some(20));
        assert_eq!(shown["received"], "2026-09-21T14:33:20Z");
        assert!(!holds(&console.store(), CANARY.as_bytes()), "the password is in the store");
        assert_eq!(fs::read(console.path("config.toml")).expect("read"), config);
        assert_eq!(dovecot.state(), state, "{security} changed flags or UIDs");
        assert_eq!(dovecot.files(), files, "{security} changed files");
    }
}

#[test]
fn mail_that_goes_and_mailboxes_that_begin_anew() {
    let Some(dovecot) = filled(12) else { return };
    let console = Console::new();
    Account::of(&dovecot, "tls").write(&console);
    assert_eq!(sync(&console)["new"], 12);
    let gone = dovecot.files()[4].clone();
    fs::remove_file(dovecot.maildir().join("cur").join(gone)).expect("removed");
    dovecot.add_mail(&raw(100), received(100), "");
    let next = sync(&console);
    assert_eq!((&next["seen"], &next["new"]), (&12.into(), &1.into()));
    assert_eq!(stored(&console).len(), 13, "what left the server stays here");
    dovecot.begin_anew();
    let anew = sync(&console);
    assert_eq!(anew["new"], 0, "{anew}");
    assert_eq!(stored(&console).len(), 13);
    assert_eq!(sync(&console)["bytes"], 0, "the new cursor holds");
    console.ok(&["verify"]);
}

#[test]
fn refusals_are_sentences_with_a_next_step_and_tell_no_password() {
    let Some(dovecot) = filled(1) else { return };
    let console = Console::new();
    let other = authority("somebody else").0;
    let right = |security| Account::of(&dovecot, security);
    let attempts = [
        (Account { password: "wrong-horse-93", ..right("tls") }, "check user name and password"),
        (
            Account { password: "wrong-horse-93", ..right("starttls") },
            "check user name and password",
        ),
        (Account { password: "wrong-horse-93", ..right("plain") }, "check user name and password"),
        (Account { ca: &other, ..right("tls") }, "ca_file"),
        (Account { ca: &other, ..right("starttls") }, "ca_file"),
        (Account { host: "127.0.0.1", ..right("tls") }, "host name"),
        (Account { port: dovecot.port, ..right("tls") }, "993 is tls"),
        (Account { password: "", ..right("tls") }, "password command"),
    ];
    for (account, words) in attempts {
        account.write(&console);
        for args in [&SYNC[..], &["--json", "--config", "config.toml", "sync"]] {
            let done = console.run(args);
            let (out, err) =
                (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
            assert_eq!(done.status.code(), Some(4), "{words}: {err}");
            assert!(err.contains(words), "{words} in {err}");
            assert_eq!(err.lines().count(), 1, "one sentence: {err}");
            assert!(!format!("{out}{err}").contains(CANARY), "a password in {out}{err}");
            assert_eq!(forbidden(&done.stderr), Vec::<String>::new());
            assert_eq!(args.len() == 4, !out.is_empty(), "a document only where one is asked for");
        }
    }
    assert!(!holds(&console.store(), CANARY.as_bytes()));
    right("tls").write(&console);
    let told = console.fails(2, &["--read-only", "--config", "config.toml", "sync"]);
    assert!(told.contains("read-only"), "{told}");
    let port = dovecot.tls_port;
    drop(dovecot);
    let told = console.fails(4, &SYNC);
    assert!(told.contains(&port.to_string()) && told.contains("refused"), "{told}");
    assert_eq!(stored(&console).len(), 0, "the store is usable");
}

#[test]
fn an_interrupt_stops_the_pull_and_the_next_one_goes_on() {
    let Some(dovecot) = filled(60) else { return };
    let proxy = Proxy::start(dovecot.port, Fault::Stall { after: 12_000 });
    let console = Console::new();
    Account { port: proxy.port(), ..Account::of(&dovecot, "plain") }.write(&console);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let child = console
            .command(&SYNC)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(1200));
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status()
            .expect("sent");
        assert!(sent.success());
        let asked = Instant::now();
        let done = child.wait_with_output().expect("ended");
        assert!(asked.elapsed() < Duration::from_secs(3), "it ends soon");
        let err = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{err}");
        assert!(err.contains("goes on where it stopped"), "{err}");
    }
    console.ok(&["verify"]);
    let kept = stored(&console).len();
    Account::of(&dovecot, "plain").write(&console);
    assert_eq!(sync(&console)["new"], 60 - kept as u64, "{kept} were kept");
    assert_eq!(stored(&console).len(), 60);
}

#[test]
fn a_pull_that_is_killed_loses_and_doubles_nothing() {
    let Some(dovecot) = filled(200) else { return };
    let console = Console::new();
    Account::of(&dovecot, "tls").write(&console);
    let mut seed = 0x5eed_0003_u64;
    println!("seed {seed:#x}");
    for run in 0..15 {
        let mut child = console
            .command(&SYNC)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        thread::sleep(Duration::from_millis(seed % 700));
        child.kill().expect("killed");
        child.wait().expect("gone");
        if run % 5 == 4 {
            console.ok(&["verify"]);
            if run < 10 {
                fs::remove_dir_all(console.store()).expect("removed");
            }
        }
    }
    let last = sync(&console);
    assert_eq!(last["seen"], 200);
    let found = stored(&console);
    assert_eq!(found.len(), 200, "each once");
    let all: BTreeSet<String> = (0..200).map(|n| digest(&raw(n))).collect();
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all, "every one");
    console.ok(&["verify"]);
    assert_eq!(dovecot.files().len(), 200);
}

#[test]
fn the_screen_asks_for_the_password_once_it_is_needed() {
    let Some(dovecot) = filled(3) else { return };
    let console = Console::new();
    Account::of(&dovecot, "tls").write_with(&console, "");
    let mut screen = console.screen(120, 24, &["--config", "config.toml"]);
    screen.wait_for("no mail yet");
    screen.send("S");
    screen.wait_for("password of");
    screen.send("wrong one\r");
    screen.wait_for("refused the login");
    screen.send("S");
    screen.wait_for("password of");
    screen.send(&format!("x\u{15}{PASSWORD}"));
    screen.settle();
    screen.send("\r");
    screen.wait_for("3 new");
    screen.send("S");
    screen.wait_for("0 new");
    screen.send("q");
    assert_eq!(screen.wait_end(), 0);
    let shown = screen.bytes();
    assert!(!String::from_utf8_lossy(&shown).contains(CANARY), "the password was on the screen");
    assert!(!holds(&console.store(), CANARY.as_bytes()), "the password is in the store");
}

/// A program that crashes where core files may be of any size, and whether it left one.
#[cfg(target_os = "linux")]
fn leaves_a_core(console: &Console, program: &[&str], ready: impl FnOnce()) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let script = "ulimit -c unlimited; exec \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script, "sh"])
        .args(program)
        .current_dir(console.path("."))
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    ready();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-SEGV", &pid]).status().expect("kill").success());
    child.wait().expect("its end").core_dumped()
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_memory_image() {
    let console = Console::new();
    let pause = || thread::sleep(Duration::from_millis(300));
    if !leaves_a_core(&console, &["sleep", "60"], pause) {
        eprintln!("skipped: this system writes no core files at all");
        return;
    }
    // A server that never greets holds the program where it would next send the password.
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("its address").port();
    console.write(
        "config.toml",
        &format!(
            "[account]\naddress = \"security@example.org\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             security = \"plain\"\nuser = \"u\"\npassword_command = [\"echo\", \"{PASSWORD}\"]\n"
        ),
    );
    let program = env!("CARGO_BIN_EXE_casebook");
    let pull = [program, "--config", "config.toml", "--store", "store", "sync"];
    let mut held = None;
    assert!(!leaves_a_core(&console, &pull, || held = server.accept().ok()), "a core file");
    assert!(held.is_some(), "it never connected");
}

#[cfg(target_os = "linux")]
#[test]
fn the_password_comes_from_the_keyring() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(dovecot) = filled(2) else { return };
    let console = Console::new();
    Account::of(&dovecot, "tls").write_with(&console, "keyring = true");
    let missing = console.fails(4, &SYNC);
    assert!(
        missing
            .contains("`secret-tool store --label=casebook service casebook host localhost user"),
        "{missing}"
    );
    // It answers to the entry's name only.
    let entry = format!("lookup service casebook host localhost user {USER}");
    let script = format!("#!/bin/sh\n[ \"$*\" = '{entry}' ] && echo '{PASSWORD}'\n");
    let tool = console.write("secret-tool", &script);
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o700)).expect("set");
    let told = console.command(&SYNC).env("PATH", tool.parent().expect("a folder")).output();
    let told = String::from_utf8(told.expect("run").stdout).expect("text");
    assert!(told.contains("2"), "{told}");
    assert_eq!(stored(&console).len(), 2);
}
