//! What becomes of mail that is here: `casebook sync` against a server in this process, whose flags change and whose
//! UIDs are given twice.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use casebook::runtime::demo::server::{ServedMail, Server};
use serde_json::Value;
use support::console::Console;

const SYNC: [&str; 3] = ["--config", "config.toml", "sync"];
const REBUILD: [&str; 4] = ["--config", "config.toml", "verify", "--rebuild"];

fn mail(n: u32) -> ServedMail {
    ServedMail {
        raw: format!(
            "From: r{n}@x.example\r\nTo: security@example.org\r\nSubject: hole-{n}\r\n\
             Message-ID: <{n}@x.example>\r\n\r\nOctoPrint 1.11.8\r\n"
        )
        .into_bytes(),
        internal_date: format!("2026-10-01T10:{n:02}:00Z").parse().expect("a time"),
        flags: if n == 1 { vec!["\\Seen".to_owned()] } else { Vec::new() },
    }
}

/// A server with mails 1 to `count`, and a console that is configured to pull from it.
fn pulled(count: u32, set_up: impl FnOnce(&Server)) -> (Server, Console) {
    let server = Server::start((1..=count).map(mail).collect(), "u", "secret").expect("a server");
    set_up(&server);
    let console = Console::new();
    console.write("password", "secret");
    let (port, password) = (server.port(), console.path("password"));
    console.write(
        "config.toml",
        &format!(
            "[account]\naddress = \"security@example.org\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             security = \"plain\"\nuser = \"u\"\npassword_command = [\"cat\", {password:?}]\n"
        ),
    );
    assert_eq!(console.json(&SYNC)["new"], count);
    (server, console)
}

/// What is told under this name of these mails.
fn told<const N: usize>(console: &Console, name: &str, mails: [u32; N]) -> [Value; N] {
    let cases = console.json(&["list"]);
    let cases = cases.as_array().expect("cases");
    mails.map(|n| {
        let case = cases.iter().find(|case| case["subject"] == format!("hole-{n}")).expect("it");
        let shown = console.json(&["show", case["case"].as_str().expect("an id")]);
        shown["messages"][0][name].clone()
    })
}

/// A pull that ends well: how many were new, and what else it said.
fn sync(console: &Console) -> (Value, String) {
    let done = console.run(&["--config", "config.toml", "sync", "--json"]);
    let said = String::from_utf8(done.stderr).expect("UTF-8");
    assert!(done.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    (told["new"].clone(), said)
}

#[test]
fn flags_follow_the_server() {
    for set_up in [Server::number_changes, Server::tell_changes] {
        let (server, console) = pulled(3, set_up);
        let flags = || told(&console, "flags", [1, 2]);
        assert_eq!(flags(), [vec!["\\Seen"].into(), Value::Array(Vec::new())]);
        server.flag(1, &[]);
        server.flag(2, &["\\Seen", "\\Answered", "$Later"]);
        assert_eq!(sync(&console).0, 0);
        let now = [Value::Array(Vec::new()), vec!["$Later", "\\Answered", "\\Seen"].into()];
        assert_eq!(flags(), now);
        // Of an index made anew the next pull mends the flags.
        console.ok(&REBUILD);
        assert_eq!(sync(&console).0, 0);
        assert_eq!(flags(), now);
        console.ok(&["verify"]);
    }
}

#[test]
fn of_a_uid_given_twice_both_mails_are_kept() {
    for set_up in [|_: &Server| (), Server::tell_changes] {
        let (server, console) = pulled(4, set_up);
        server.set_back(3);
        server.deliver(mail(9));
        let (new, said) = sync(&console);
        assert_eq!(new, 1);
        assert!(said.contains("the UIDs of INBOX went back to 4:"), "{said}");
        let there = |mails| told(&console, "on_server", mails).map(|it| it == true);
        assert_eq!(there([2, 3, 4, 9]), [true, false, false, true]);
        assert_eq!(sync(&console), (0.into(), String::new()));
        // The index was lost, and with it the place up to which was read, and then a UID is given again.
        server.give_again(2, mail(8));
        console.ok(&REBUILD);
        assert_eq!(sync(&console).0, 1);
        assert_eq!(there([2, 3, 8, 9]), [false, false, true, true]);
        console.ok(&["verify"]);
    }
}

#[test]
fn a_watch_takes_in_what_comes_while_it_waits() {
    let (server, console) = pulled(2, |_| ());
    let mut child = console
        .command(&["--config", "config.toml", "sync", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("UTF-8");
    assert!(next().contains("2 messages seen, 0 new"));
    server.deliver(mail(3));
    assert!(next().contains("3 messages seen, 1 new"));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("sent").success());
    let done = child.wait_with_output().expect("ended");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(console.json(&["list"]).as_array().map(Vec::len), Some(3));
    assert!(server.modifying().is_empty());
}
