//! kill -9 at random moments of an import: what was acknowledged is there, once.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use support::console::Console;

/// Mails imported in each run.
const MAILS: usize = 300;

/// Runs that are killed.
const KILLS: u64 = 50;

/// A small generator, so that a failing run can be repeated from its seed.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn write_mails(console: &Console) -> BTreeSet<String> {
    let folder = console.path("mails");
    fs::create_dir_all(&folder).expect("made");
    (0..MAILS)
        .map(|number| {
            let day = 1 + number % 28;
            let parent = number / 3 * 3;
            let raw = format!(
                "Received: from a by b; Thu, {day} Oct 2026 10:00:00 +0000\r\nFrom: R{number} <r{number}@example.net>\r\n\
                 To: security@octoprint.org\r\nSubject: report {parent}\r\nMessage-ID: <{number}@example.net>\r\n\
                 References: <{parent}@example.net>\r\n\r\nOctoPrint 1.11.8, report {number}\r\n{}\r\n",
                "word ".repeat(number * 3)
            );
            fs::write(folder.join(format!("{number:04}.eml")), &raw).expect("written");
            let digest = Sha256::digest(raw.as_bytes());
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        })
        .collect()
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

#[test]
fn an_import_that_is_killed_loses_and_doubles_nothing() {
    let console = Console::new();
    let all = write_mails(&console);
    let mut seed = 0x5eed_0001_u64;
    println!("seed {seed:#x}");
    for run in 0..KILLS {
        let mut child = console
            .command(&["import", "mails"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(next(&mut seed) % 120));
        child.kill().expect("killed");
        child.wait().expect("gone");
        // Now and then the store begins anew, so that early moments are hit too.
        if run % 10 == 9 {
            let listed: u64 = console
                .json(&["list"])
                .as_array()
                .expect("a list")
                .iter()
                .map(|case| case["messages"].as_u64().expect("a number"))
                .sum();
            assert!(listed <= all.len() as u64, "run {run}: {listed} listed");
            console.ok(&["verify"]);
            if run < KILLS - 10 {
                fs::remove_dir_all(console.store()).expect("removed");
            }
        }
    }
    console.ok(&["import", "mails"]);
    console.ok(&["verify"]);
    let found = stored(&console);
    assert_eq!(found.len(), all.len(), "each once");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all, "every one");
}

#[test]
fn acts_that_were_acknowledged_survive_a_kill() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("ffmpeg");
    let mut seed = 0x5eed_0002_u64;
    println!("seed {seed:#x}");
    let mut acknowledged = Vec::new();
    for number in 0..30 {
        let text = format!("note {number}");
        let mut child = console
            .command(&["note", &case, &text])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(next(&mut seed) % 60));
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
