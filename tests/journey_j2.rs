//! A morning with 30 new mails: noise is decided at once, follow-ups have joined their cases, duplicates are merged,
//! clear declines and requests for what is missing are read and put into the outbox, real ones are accepted.
//!
//! At most 70 keys and 12 changes of the full screen; afterwards every mail stands in a case with a state, and the
//! clock of the first answer rests where an answer is queued.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may fail loudly"
)]

mod support;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use support::console::{Console, NOW, Terminal, forbidden};

const MOST_KEYS: usize = 70;
const MOST_SCREENS: usize = 12;

/// Writes the mails of the fixture; gives what a maintainer sees in each subject.
fn write_mails(console: &Console) -> BTreeMap<String, String> {
    let table: toml::Table = include_str!("fixtures/morning.toml").parse().expect("TOML");
    let folder = console.path("morning");
    std::fs::create_dir_all(&folder).expect("a folder");
    let now: Timestamp = NOW.parse().expect("a time");
    let mut kinds = BTreeMap::new();
    for mail in table["mail"].as_array().expect("a list") {
        let text = |key: &str| mail.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let hours = mail["hours"].as_integer().expect("hours");
        let at = now.saturating_add(SignedDuration::from_hours(-hours)).expect("in range");
        let at = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
        let answers = match text("answers") {
            "" => String::new(),
            id => format!("In-Reply-To: <{id}@morning.example>\r\n"),
        };
        let raw = format!(
            "Received: from mx.example by mail.example; {at}\r\nFrom: {}\r\nTo: security@octoprint.org\r\nSubject: {}\r\n\
             Date: {at}\r\nMessage-ID: <{}@morning.example>\r\n{answers}Content-Type: text/plain; charset=utf-8\r\n\r\n{}",
            text("from"),
            text("subject"),
            text("id"),
            text("text").replace('\n', "\r\n")
        );
        std::fs::write(folder.join(format!("{}.eml", text("id"))), raw).expect("written");
        kinds.entry(text("subject").to_owned()).or_insert_with(|| text("kind").to_owned());
    }
    kinds
}

/// A person at the terminal, whose keys and full screens are counted.
struct Person<'a> {
    screen: &'a mut Terminal,
    kinds: &'a BTreeMap<String, String>,
    keys: usize,
    screens: usize,
    view: &'static str,
}

impl Person<'_> {
    /// Presses a key and waits for what comes of it.
    fn press(&mut self, key: &str, what: &str, came: impl Fn(&str) -> bool) -> String {
        self.screen.send(key);
        self.keys += 1;
        let shown = self.screen.wait_until(&format!("{what} after {key:?}"), came);
        let view = if shown.contains("CASE     AGE") { "queue" } else { "case" };
        if view != self.view {
            (self.view, self.screens) = (view, self.screens + 1);
        }
        shown
    }

    /// What the mail is, by its subject in this line of the screen, which may be cut.
    fn kind(&self, line: &str) -> Option<&str> {
        let holds = |subject: &str| {
            let head: String = subject.chars().take(12).collect();
            line.contains(&head)
        };
        self.kinds.iter().find(|(subject, _)| holds(subject)).map(|(_, kind)| kind.as_str())
    }

    /// The line of the list that the cursor is on, by the count in the head.
    fn line_under_cursor(&self) -> String {
        let shown = self.screen.shown();
        let at = shown.split("casebook  ").nth(1).and_then(|rest| rest.split('/').next());
        let at: usize = at.and_then(|at| at.parse().ok()).unwrap_or(1);
        shown.lines().nth(at + 1).unwrap_or_default().to_owned()
    }

    fn noise(&mut self) {
        self.press("O", "the order", |s| s.contains("by suggestion"));
        let mut marked = 0;
        while self.kind(&self.line_under_cursor()) == Some("noise") {
            marked += 1;
            self.press(" ", "the mark", |s| s.contains(&format!(" {marked} marked: ")));
        }
        assert_eq!(marked, 9, "the noise stands first\n{}", self.screen.shown());
        self.press("z", "the decision", |s| s.contains("/21 open") && s.contains("takes all back"));
    }

    /// Walks the rest; returns how many of each kind were met.
    fn session(&mut self) -> BTreeMap<String, usize> {
        let mut met = BTreeMap::new();
        let mut shown = self.press("T", "the session", |s| s.contains("triage 1/"));
        while let Some(place) = place(&shown) {
            let subject = shown.lines().next().unwrap_or_default().to_owned();
            let kind =
                self.kind(&subject).unwrap_or_else(|| panic!("no mail is {subject}")).to_owned();
            *met.entry(kind.clone()).or_insert(0) += 1;
            let gone_on = |s: &str| {
                self::place(s) != Some(place) && (s.contains("triage ") || s.contains("cases seen"))
            };
            match kind.as_str() {
                "real" => {
                    shown = self.press("A", "the next case", gone_on);
                }
                "need-info" => {
                    self.press("i", "the questions", |s| s.contains("“needs-info”, not sent"));
                    shown = self.press("s", "the next case", gone_on);
                }
                "decline" => {
                    self.press("a", "the answers", |s| s.contains("suggested answers taken"));
                    self.press("d", "the reply", |s| s.contains("“reject”, not sent"));
                    shown = self.press("s", "the next case", gone_on);
                }
                "duplicate" => {
                    self.press("m", "the comparison", |s| s.contains("Enter merges"));
                    self.press("\r", "the answer", |s| s.contains("“duplicate”, not sent"));
                    shown = self.press("s", "the next case", gone_on);
                }
                _ => {
                    shown = self.press("J", "the next case", gone_on);
                }
            }
        }
        met
    }
}

/// The place of the case in the session.
fn place(shown: &str) -> Option<usize> {
    // “triage” is a state of cases too.
    shown.split("triage ").skip(1).find_map(|rest| rest.split('/').next()?.parse().ok())
}

#[test]
fn thirty_mails_are_triaged_in_seventy_keys() {
    for (columns, rows) in [(80, 24), (200, 50)] {
        morning(columns, rows);
    }
}

fn morning(columns: u16, rows: u16) {
    let console = Console::new();
    let kinds = write_mails(&console);
    console.ok(&["import", console.path("morning").to_str().expect("UTF-8")]);
    for (subject, kind) in &kinds {
        if kind == "before" {
            console.ok(&["decide", &console.case(subject), "accept"]);
        }
    }
    let mut screen = console.screen(columns, rows, &["--now", NOW]);
    screen.wait_until("the list", |s| {
        s.contains("CASE") && s.contains('~') && !s.contains("reading")
    });
    let mut person =
        Person { screen: &mut screen, kinds: &kinds, keys: 0, screens: 1, view: "queue" };
    person.noise();
    let mut met = person.session();
    println!("{columns}x{rows}: {} keys, {} screens, {met:?}", person.keys, person.screens);
    // A case that was answered when its duplicate was merged does not come up once more.
    assert!(met.remove("before").is_some_and(|count| (5..=6).contains(&count)));
    let want = [("decline", 7), ("duplicate", 4), ("need-info", 2), ("real", 2)];
    assert_eq!(met, want.map(|(kind, count)| (kind.to_owned(), count)).into());
    assert!(person.keys <= MOST_KEYS, "{} keys", person.keys);
    assert!(person.screens <= MOST_SCREENS, "{} screens", person.screens);
    assert_eq!(forbidden(&screen.bytes()), Vec::<String>::new());
    screen.send("qq");
    screen.wait_end();
    stands(&console);
}

/// Every mail is in a case with a state, and answers wait where they should.
fn stands(console: &Console) {
    let cases = console.json(&["list"]);
    let cases = cases.as_array().expect("a list");
    let mails: u64 = cases.iter().map(|case| case["messages"].as_u64().expect("a number")).sum();
    assert_eq!(mails, 36);
    assert!(cases.iter().all(|case| case["state"] != "new"), "{cases:?}");
    let waiting = console.json(&["outbox"]);
    let waiting = waiting.as_array().expect("a list");
    // Duplicates are answered in the case that they were merged into.
    assert_eq!(waiting.len(), 13);
    for reply in waiting {
        let case = cases.iter().find(|case| case["case"] == reply["case"]).expect("its case");
        assert_eq!(case["deadlines"][0]["status"], "paused", "{case}");
    }
}
