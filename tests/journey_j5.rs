//! From an open report to every draft on disk: accepted, scored, the criteria answered, the advisory completed,
//! its files written, in at most 22 keys beside the text that only a human can write.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may fail loudly"
)]

mod support;

use support::console::{Console, NOW, Terminal, forbidden};

/// Most keys, typed text apart.
const MOST: usize = 22;

/// A person at the terminal: keys are counted, text is counted apart.
struct Typist<'a> {
    screen: &'a mut Terminal,
    keys: usize,
    typed: usize,
}

impl Typist<'_> {
    /// Presses single keys, each once the screen shows what came of the one before.
    fn press(&mut self, key: &str, until: &str) {
        self.screen.send(key);
        self.keys += 1;
        self.screen.wait_for(until);
    }

    fn write(&mut self, text: &str, until: &str) {
        self.screen.send(text);
        self.typed += text.chars().count();
        self.screen.wait_for(until);
    }
}

const ENTER: &str = "\r";
const SAVE: &str = "\x13";

fn opened(console: &Console, subject: &str, columns: u16, rows: u16) -> Terminal {
    let mut screen = console.screen(columns, rows, &["--now", NOW]);
    screen.wait_until("the list", |s| s.contains("CASE") && s.contains('~'));
    screen.send(&format!("/{subject}\r"));
    screen.wait_until("the case under the cursor", |s| s.contains(&subject[..12]));
    screen.send("\r");
    screen.wait_for("suggested: accept");
    screen
}

#[test]
fn a_report_becomes_every_draft_in_few_keys() {
    let console = Console::new();
    console.import_samples();
    for (columns, rows) in [(80, 24), (200, 50)] {
        journey(&console, columns, rows);
    }
}

fn journey(console: &Console, columns: u16, rows: u16) {
    // The first journey takes the older report, the second the one that came later.
    let subject =
        if columns == 80 { "Account without PRINT" } else { "Operators may start prints" };
    let case = console.case(subject);
    let mut screen = opened(console, subject, columns, rows);
    let mut hands = Typist { screen: &mut screen, keys: 0, typed: 0 };

    hands.press("A", "decided: accept");
    hands.press("v", "what each value would give");
    // Every metric anew, as if nothing of the reporter's vector were to be trusted.
    for (key, next) in [
        ("a", "Attack Complexity: what"),
        ("l", "Privileges Required: what"),
        ("l", "User Interaction: what"),
        ("n", "Scope: what"),
        ("u", "Confidentiality: what"),
        ("n", "Integrity: what"),
        ("l", "Availability: what"),
        ("l", "4.6 Moderate, CVE yes"),
    ] {
        hands.press(key, next);
    }
    hands.press(ENTER, "A:L: 4.6 medium");
    // Checking the advisory from the case opens its form where something is missing.
    hands.press("w", "nothing written: 1 fault");
    hands.press("y", "PD3 ✓");
    hands.press("y", "PD4 ✓");
    hands.press("y", "PD5 ✓");
    hands.press(ENTER, "section Impact");
    hands.write("An account without the permission can start a print.", "can start a print.");
    hands.press(SAVE, "nothing is missing");
    hands.press("m", "weakness");
    hands.press(ENTER, "search");
    hands.write("missing authoriz", "CWE-862   Missing Authorization");
    hands.press(ENTER, "weakness saved");
    hands.press("w", "export into folder:");
    hands.press(ENTER, "files in");

    println!("{columns}x{rows}: {} keys and {} typed characters", hands.keys, hands.typed);
    assert!(hands.keys <= MOST, "{} keys", hands.keys);
    assert_eq!(forbidden(&screen.bytes()), Vec::<String>::new());
    written(console, &case);
    screen.send("q");
    screen.wait_for("decided: accept");
    screen.send("L");
    screen.wait_for("advisory written: ghsa, osv, csaf");
}

/// Every format is on disk, holds what was typed, and agrees about the score.
fn written(console: &Console, case: &str) {
    let folder = console.path("advisories").join(case);
    let files = files_below(&folder);
    let stem = format!("octoprint-{case}");
    for end in [".ghsa.json", ".osv.json", ".json", ".cve.json", ".md"] {
        let name = format!("{stem}{end}");
        let path = files.iter().find(|path| path.file_name().is_some_and(|found| *found == *name));
        let path = path.unwrap_or_else(|| panic!("no {name} in {files:?}"));
        let text = std::fs::read_to_string(path).expect("text");
        assert!(text.contains("can start a print"), "{name}");
        assert!(text.contains("CWE-862") || name.ends_with(".osv.json"), "{name}");
        assert!(text.contains("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:L"), "{name}");
    }
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
