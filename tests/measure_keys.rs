//! Time from a key to the changed screen, at 200x50 on a large store, once at rest and once while a pull runs.
//!
//! Not part of the tests, as it needs a release build and mailboxes of some size (Maildir folders of one's own):
//!
//! ```text
//! cargo build --release
//! MEASURE_BIN=target/release/casebook MEASURE_FIRST=big/Maildir MEASURE_SECOND=other/Maildir \
//!     cargo test --test measure_keys -- --ignored --nocapture
//! ```
//!
//! A key counts as answered when the bytes have arrived after which the terminal shows its effect: another case under
//! the cursor, the case opened, the list again. A progress line that happens to be drawn does not count. The time is
//! taken by the thread that reads the terminal; the same with `cat` in place of the program is the floor.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they measured"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use casebook::runtime::demo::server::{ServedMail, Server};
use portable_pty::CommandBuilder;
use support::bench::load;
use support::stamped::{KEYS, PAUSE, Terminal, in_queue, press, report, row, says, under_cursor};

/// The same path through kernel and this harness with a program that only echoes.
fn floor() -> Vec<Duration> {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", "stty raw -echo; printf ready; exec cat"]);
    let mut terminal = Terminal::start(command);
    terminal.wait(|screen| says(screen, "ready"));
    let mut times = Vec::new();
    for count in 0..KEYS {
        let before = terminal.parser.screen().cursor_position();
        let keys = if count % 100 == 99 { "\r" } else { "x" };
        let took = terminal.answer(keys, |screen| screen.cursor_position() != before);
        times.push(took.expect("echoed"));
        std::thread::sleep(PAUSE);
    }
    times
}

fn served(maildir: &Path) -> Vec<ServedMail> {
    let mut files: Vec<PathBuf> = ["cur", "new"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(maildir.join(folder)).expect("a Maildir"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let now = casebook::runtime::clock::Clock::wall();
    let mail = |path: PathBuf| {
        let raw = std::fs::read(path).expect("read");
        let internal_date = casebook::runtime::import::received(&raw, Some(now)).0;
        ServedMail { raw, internal_date, flags: Vec::new() }
    };
    files.into_iter().map(mail).collect()
}

fn given(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

#[test]
#[ignore = "needs a release build and large mailboxes: see the head of the file"]
fn keys_are_answered_within_a_frame() {
    let binary = given("MEASURE_BIN").expect("MEASURE_BIN names the program");
    let binary = std::fs::canonicalize(binary).expect("the program is there");
    let folder = tempfile::tempdir().expect("a folder");
    let store = given("MEASURE_STORE").unwrap_or_else(|| folder.path().join("store"));
    if let Some(first) = given("MEASURE_FIRST") {
        let begun = Instant::now();
        let mut import = Command::new(&binary);
        import.arg("--store").arg(&store).arg("import").arg(first);
        assert!(import.status().expect("runs").success());
        eprintln!("imported in {:.1} s", begun.elapsed().as_secs_f64());
    }
    eprintln!("load {}", load());
    report("cat (floor)", &BTreeMap::from([("x", floor())]));

    let second = given("MEASURE_SECOND").map(|maildir| served(&maildir));
    let count = second.as_ref().map_or(0, Vec::len);
    let server = Server::start(second.unwrap_or_default(), "security", "sample").expect("serves");
    let config = folder.path().join("config.toml");
    let text = format!(
        "[account]\naddress = \"security@example.org\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\n\
         user = \"security\"\npassword_command = [\"echo\", \"sample\"]\n",
        server.port()
    );
    std::fs::write(&config, text).expect("written");
    let mut command = CommandBuilder::new(&binary);
    command.arg("--store");
    command.arg(&store);
    command.arg("--config");
    command.arg(&config);
    command.env("TERM", "xterm-256color");
    let begun = Instant::now();
    let mut terminal = Terminal::start(command);
    terminal.wait(|screen| under_cursor(screen).is_some());
    eprintln!("first rows after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    terminal.wait(|screen| in_queue(screen) && !row(screen, 0).contains("reading"));
    eprintln!("{}", row(terminal.parser.screen(), 0).trim());
    report("at rest", &press(&mut terminal, |_| true));
    eprintln!("load {}", load());
    if count > 0 {
        let begun = Instant::now();
        terminal.answer("gg", in_queue);
        terminal.answer("S", |screen| row(screen, 0).contains("pulling")).expect("it pulls");
        let times = press(&mut terminal, |screen| !says(screen, "pulled "));
        report("while pulling", &times);
        let still = !says(terminal.parser.screen(), "pulled ");
        if still {
            terminal.answer("", |screen| says(screen, "pulled "));
        }
        eprintln!(
            "the pull of {count} took {:.1} s; load {}",
            begun.elapsed().as_secs_f64(),
            load()
        );
        eprintln!("{}", row(terminal.parser.screen(), 0).trim());
    }
}
