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
