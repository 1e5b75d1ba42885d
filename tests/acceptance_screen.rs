//! Every mail of the shared corpus in a real terminal, at two sizes: text, headers and raw bytes. The terminal gets
//! no byte that it would obey beside those of the program itself, and nothing panics.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they did"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::console::{Console, NOW, Terminal, forbidden};

/// Silence after which a screen counts as drawn.
const QUIET: Duration = Duration::from_millis(8);
/// Longest wait for a key that changes nothing on the screen.
const PATIENCE: Duration = Duration::from_millis(120);
/// Longest wait for a mail to be opened.
const OPENED: Duration = Duration::from_secs(20);

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("CASEBOOK_SHARED").map_or(beside, PathBuf::from);
    let corpus = shared.join("corpus");
    corpus.is_dir().then_some(corpus)
}

/// A terminal that is read along.
struct Watched {
    screen: Terminal,
    parser: vt100::Parser,
    read: usize,
}

impl Watched {
    fn new(screen: Terminal) -> Self {
        let size = |n: u16| std::num::NonZero::new(n).expect("not zero");
        let (columns, rows) = screen.size();
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        Self { screen, parser, read: 0 }
    }

    /// Takes in what came; whether there was anything.
    fn read(&mut self) -> bool {
        let new = self.screen.bytes_after(self.read);
        self.parser.process(&new);
        self.read += new.len();
        !new.is_empty()
    }

    /// Types and waits until the screen is drawn.
    fn press(&mut self, keys: &str) {
        self.screen.send(keys);
        let (begun, mut last) = (Instant::now(), None::<Instant>);
        while last.map_or(begun.elapsed() < PATIENCE, |last| last.elapsed() < QUIET) {
            if self.read() {
                last = Some(Instant::now());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The id in the first line.
    fn case(&self) -> Option<String> {
        let (columns, _) = self.screen.size();
        let first = self.parser.screen().rows(0, columns).next()?;
        first.split_whitespace().next().map(str::to_owned)
    }

    fn shows(&mut self, words: &str) {
        let begun = Instant::now();
        while !self.parser.screen().contents().contains(words) {
            let shown = || self.parser.screen().contents();
            assert!(begun.elapsed() < OPENED, "never saw {words}; the screen is\n{}", shown());
            std::thread::sleep(Duration::from_millis(2));
            self.read();
        }
    }
}

/// Shows every mail of every case, from the first case of the queue on. The order of cases of the same instant is
/// the screen's own, so the case is read off its first line.
fn read_through(screen: &mut Watched, cases: &BTreeMap<String, u64>) -> u64 {
    let (mut shown, mut seen) = (0, BTreeSet::new());
    while seen.len() < cases.len() {
        screen.press(if seen.is_empty() { "\r" } else { "J" });
        let begun = Instant::now();
        let id = loop {
            let id = screen.case().filter(|id| cases.contains_key(id) && !seen.contains(id));
            if let Some(id) = id {
                break id;
            }
            assert!(begun.elapsed() < OPENED, "no further case; {} were shown", seen.len());
            std::thread::sleep(Duration::from_millis(2));
            screen.read();
        };
        let mails = cases[&id];
        seen.insert(id);
        for mail in 1..=mails {
            let position = format!("gg{}", "]".repeat(usize::try_from(mail - 1).expect("few")));
            screen.press(&position);
            screen.shows(&format!("mail {mail}/{mails}"));
            shown += 1;
            for keys in ["h", "\x1b[6~", "h", &position, "R", "\x1b[6~", "G", "R"] {
                screen.press(keys);
            }
        }
    }
    shown
}

fn every_mail(columns: u16, rows: u16) {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: no shared material");
        return;
    };
    let console = Console::new();
    let folders = ["handmade", "public", "reports"].map(|name| corpus.join(name));
    let mut import = vec!["import"];
    import.extend(folders.iter().map(|folder| folder.to_str().expect("UTF-8")));
    let taken = console.json(&import)["new"].as_u64().expect("a number");
    assert!(taken > 300, "{taken}");
    let cases: BTreeMap<String, u64> = console
        .json(&["list"])
        .as_array()
        .expect("a list")
        .iter()
        .map(|case| {
            let id = case["case"].as_str().expect("an id").to_owned();
            (id, case["messages"].as_u64().expect("a number"))
        })
        .collect();
    let begun = Instant::now();
    let mut screen = Watched::new(console.screen(columns, rows, &["--now", NOW]));
    screen.shows("CASE");
    // Every case, and the cursor on the first.
    screen.press("\t\tgg");
    screen.shows(&format!("1/{} all", cases.len()));
    let shown = read_through(&mut screen, &cases);
    screen.press("q");
    screen.press("q");
    assert_eq!(screen.screen.wait_end(), 0, "no panic");
    screen.read();
    assert!(!screen.parser.screen().alternate_screen(), "the terminal is given back");
    let bytes = screen.screen.bytes();
    let found = forbidden(&bytes);
    eprintln!(
        "{columns}x{rows}: {shown} mails in {} cases, {} bytes to the terminal, {} forbidden, 0 panics, {:.1} s",
        cases.len(),
        bytes.len(),
        found.len(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(found, Vec::<String>::new(), "{columns}x{rows}");
    assert_eq!(shown, taken, "every mail was shown");
}

#[test]
fn no_corpus_mail_reaches_a_small_terminal_with_a_forbidden_byte() {
    every_mail(80, 24);
}

#[test]
fn no_corpus_mail_reaches_a_large_terminal_with_a_forbidden_byte() {
    every_mail(200, 50);
}
