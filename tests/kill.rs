//! kill -9 at random moments of imports and pulls: every mail is there afterwards, once, and so is what was
//! acknowledged.
//!
//! `CASEBOOK_KILLS=1000 cargo test --test kill -- --nocapture` plays so many (50 otherwise), `CASEBOOK_SEED` others.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may fail loudly"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use casebook::runtime::demo::server::{ServedMail, Server};
use sha2::{Digest, Sha256};
use support::console::Console;

/// Mails of the world: the first lie in a folder, the last on a server, and those between in both.
const MAILS: usize = 40;
const IN_FOLDER: usize = 24;
const NOT_ON_SERVER: usize = 16;

/// At most so many runs are killed before a whole one shows what is left. Then the store begins anew, so that early
/// moments are hit as often as late ones.
const MOST_IN_A_ROW: u64 = 4;

const IMPORT: [&str; 2] = ["import", "mails"];
const PULL: [&str; 3] = ["--config", "config.toml", "sync"];

/// A small generator, so that a failing run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    /// From `CASEBOOK_SEED`, or this one.
    fn new(seed: u64) -> Self {
        let seed = setting("CASEBOOK_SEED").unwrap_or(seed).max(1);
        println!("CASEBOOK_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn kills() -> u64 {
    setting("CASEBOOK_KILLS").unwrap_or(50)
}

fn raw(number: usize) -> Vec<u8> {
    let day = 1 + number % 28;
    let parent = number / 8 * 8;
    format!(
        "Received: from a by b; Thu, {day} Oct 2026 10:00:00 +0000\r\nFrom: R{number} <r{number}@example.net>\r\n\
         To: security@octoprint.org\r\nSubject: report {parent}\r\nMessage-ID: <{number}@example.net>\r\n\
         References: <{parent}@example.net>\r\n\r\nOctoPrint 1.11.8, report {number}\r\n{}\r\n",
        "word ".repeat(number * 9)
    )
    .into_bytes()
}

/// Folder, server and config; the SHA-256 of every mail of the world.
fn world(console: &Console) -> (Server, BTreeSet<String>) {
    let folder = console.path("mails");
    fs::create_dir_all(&folder).expect("made");
    let mails: Vec<Vec<u8>> = (0..MAILS).map(raw).collect();
    for (number, raw) in mails.iter().enumerate().take(IN_FOLDER) {
        fs::write(folder.join(format!("{number:04}.eml")), raw).expect("written");
    }
    let served = mails.iter().skip(NOT_ON_SERVER).map(|raw| ServedMail {
        raw: raw.clone(),
        internal_date: "2026-10-20T10:00:00Z".parse().expect("a time"),
        flags: Vec::new(),
    });
    let server = Server::start(served.collect(), "user", "secret").expect("a server");
    let secret = console.write("secret", "secret\n");
    console.write(
        "config.toml",
        &format!(
            "[account]\naddress = \"security@octoprint.org\"\nhost = \"127.0.0.1\"\nport = {}\n\
             security = \"plain\"\nuser = \"user\"\npassword_command = [\"cat\", {secret:?}]\n",
            server.port()
        ),
    );
    let digest = |raw: &Vec<u8>| Sha256::digest(raw).iter().map(|b| format!("{b:02x}")).collect();
    (server, mails.iter().map(digest).collect())
}

/// SHA-256 of every mail that `show` knows, with how often each is listed.
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

/// Starts the program and kills it after `moment`; whether it was still running.
fn killed(console: &Console, args: &[&str], moment: Duration) -> bool {
    let mut command = console.command(args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    thread::sleep(moment);
    child.kill().expect("killed");
    child.wait().expect("gone").code().is_none()
}

#[test]
fn imports_and_pulls_that_are_killed_lose_and_double_nothing() {
    let console = Console::new();
    let (server, all) = world(&console);
    // Moments are drawn over the time that a whole run takes here.
    let whole = [&IMPORT[..], &PULL].map(|args| {
        let begun = Instant::now();
        console.ok(args);
        fs::remove_dir_all(console.store()).expect("removed");
        begun.elapsed().as_micros() as u64
    });
    let mut dice = Dice::new(0x5eed_0001);
    let (kills, mut in_work, mut left) = (kills(), 0, 0);
    for run in 1..=kills {
        let which = dice.below(2) as usize;
        let moment = Duration::from_micros(dice.below(whole[which]));
        in_work += u64::from(killed(&console, [&IMPORT[..], &PULL][which], moment));
        if left > 0 && run < kills {
            left -= 1;
            continue;
        }
        left = dice.below(MOST_IN_A_ROW);
        if console.store().exists() {
            console.ok(&["verify"]);
            let before = stored(&console);
            let once: BTreeSet<&String> = before.iter().collect();
            assert!(before.len() == once.len(), "run {run}: doubled");
            assert!(once.iter().all(|sha| all.contains(*sha)), "run {run}: forged");
        }
        console.ok(&IMPORT);
        console.ok(&PULL);
        console.ok(&["verify"]);
        let found = stored(&console);
        assert_eq!(found.len(), all.len(), "run {run}: each once");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all, "run {run}: every one");
        fs::remove_dir_all(console.store()).expect("removed");
    }
    println!("{kills} runs, {in_work} of them killed in work; nothing lost, nothing doubled");
    assert!(in_work > 0 && server.modifying().is_empty());
}

#[test]
fn acts_that_were_acknowledged_survive_a_kill() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("ffmpeg");
    let mut dice = Dice::new(0x5eed_0002);
    let mut acknowledged = Vec::new();
    for number in 0..kills() * 3 / 5 {
        let text = format!("note {number}");
        let mut child = console
            .command(&["note", &case, &text])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(dice.below(60)));
        let _ = child.kill();
        let done = child.wait_with_output().expect("gone");
        if String::from_utf8_lossy(&done.stderr).contains("note kept") {
            acknowledged.push(text);
        }
    }
    let shown = console.json(&["show", &case]);
    let notes = shown["notes"].as_array().expect("notes");
    for text in &acknowledged {
        let count = notes.iter().filter(|note| note.as_str() == Some(text)).count();
        assert_eq!(count, 1, "{text} of {acknowledged:?}");
    }
    console.ok(&["verify"]);
}
