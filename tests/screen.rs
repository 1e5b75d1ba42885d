//! The program in a real terminal: what it shows, what it sends, and that it gives the terminal back.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use support::console::{Console, NOW, Terminal, forbidden};

fn opened(console: &Console, columns: u16, rows: u16) -> Terminal {
    let screen = console.screen(columns, rows, &["--now", NOW]);
    screen.wait_until("the list", |s| s.contains("CASE") && s.contains('~'));
    screen
}

fn signal(screen: &Terminal, number: i32) {
    let pid = screen.pid().to_string();
    let done = std::process::Command::new("kill").args([format!("-{number}"), pid]).status();
    assert!(done.expect("kill runs").success());
}

/// The alternate screen left, the cursor shown, paste mode off.
fn given_back(screen: &Terminal) {
    let parsed = screen.parsed();
    assert!(!parsed.screen().alternate_screen(), "the alternate screen is left");
    assert!(!parsed.screen().hide_cursor(), "the cursor is shown");
    assert!(!parsed.screen().bracketed_paste(), "paste mode is off");
}

#[test]
fn every_key_of_the_main_job_leads_somewhere() {
    let console = Console::new();
    console.import_samples();
    let mut screen = opened(&console, 120, 40);
    screen.send("/ffmpeg\r");
    screen.wait_until("the case under the cursor", |s| s.contains("ffmpeg"));
    screen.send("\r");
    screen.wait_for("checklist,");
    screen.send("a");
    screen.wait_for("suggested answers taken");
    screen.send("d");
    screen.wait_for("Reply “reject”, not sent");
    screen.send("\r");
    screen.wait_for("Reply draft (reject)");
    screen.send("\x13");
    screen.wait_for("reply draft saved");
    screen.send("\x1b");
    screen.wait_for("checklist,");
    screen.send("D");
    screen.wait_for("Decide the case");
    screen.send("\r");
    screen.wait_for("decided:");
    screen.send("u");
    screen.wait_for("taken back");
    screen.send("ga");
    screen.wait_for("Advisory of");
    screen.send("e");
    screen.wait_for("Advisory draft, as TOML");
    screen.send("\x13");
    screen.wait_for("advisory draft saved");
    screen.send("\x1b");
    screen.wait_for("how it reads");
    screen.send("q");
    screen.send("?");
    screen.wait_for("Keys: case");
    screen.send("q");
    screen.send("L");
    screen.wait_for("History of");
    screen.send("qq");
    screen.wait_for("SUGGESTION");
    screen.send(":list\r");
    screen.wait_for("no command");
    screen.send("q");
    assert_eq!(screen.wait_end(), 0);
    given_back(&screen);
    assert_eq!(screen.settings(), screen.fresh, "line settings as before");
    assert_eq!(forbidden(&screen.bytes()), Vec::<String>::new());
}

#[test]
fn every_sample_is_read_without_a_forbidden_byte() {
    let console = Console::new();
    let folder = console.import_samples();
    let count = std::fs::read_dir(folder).expect("a folder").count();
    for (columns, rows) in [(80, 24), (200, 50), (40, 8)] {
        let mut screen = opened(&console, columns, rows);
        screen.send("\t\t");
        screen.send("\r");
        screen.wait_for("mail 1/");
        for _ in 0..count {
            screen.send("h\x04\x04GRgg");
            screen.send("J");
        }
        screen.send("qq");
        assert_eq!(screen.wait_end(), 0);
        assert_eq!(forbidden(&screen.bytes()), Vec::<String>::new(), "{columns}x{rows}");
    }
}

#[test]
fn signals_give_the_terminal_back() {
    let console = Console::new();
    console.import_samples();
    for number in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
        let mut screen = opened(&console, 80, 24);
        signal(&screen, number);
        let code = screen.wait_end();
        assert_eq!(code, 128 + number.unsigned_abs(), "signal {number}");
        given_back(&screen);
        assert_eq!(screen.settings(), screen.fresh, "signal {number}");
    }
}

#[test]
fn suspend_gives_the_terminal_back_and_takes_it_again() {
    let console = Console::new();
    console.import_samples();
    for by_key in [true, false] {
        let mut screen = opened(&console, 80, 24);
        if by_key {
            screen.send("\x1a");
        } else {
            signal(&screen, SIGTSTP);
        }
        wait(|| !screen.parsed().screen().alternate_screen(), "the terminal is given back");
        screen.resize(100, 30);
        signal(&screen, SIGCONT);
        wait(|| screen.parsed().screen().alternate_screen(), "it is taken again");
        screen.wait_for("SUGGESTION");
        screen.send("q");
        assert_eq!(screen.wait_end(), 0);
        given_back(&screen);
    }
}

fn wait(is: impl Fn() -> bool, what: &str) {
    let begun = std::time::Instant::now();
    while !is() {
        assert!(begun.elapsed().as_secs() < 15, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(15));
    }
}

#[test]
fn sizes_from_tiny_to_huge_are_drawn() {
    let console = Console::new();
    console.import_samples();
    let mut screen = opened(&console, 80, 24);
    screen.send("\r");
    screen.wait_for("mail 1/");
    for (columns, rows) in [(1, 1), (20, 5), (40, 8), (500, 200), (79, 23), (110, 24), (109, 60)] {
        screen.resize(columns, rows);
        screen.send("j");
    }
    screen.resize(80, 24);
    screen.send("q");
    screen.wait_for("SUGGESTION");
    screen.send("q");
    assert_eq!(screen.wait_end(), 0);
}

#[test]
fn a_paste_is_text_and_never_keys() {
    let console = Console::new();
    console.import_samples();
    let mut screen = opened(&console, 80, 24);
    screen.send("\x1b[200~qqq\x1b[201~");
    screen.wait_for("no text here");
    screen.send("\r");
    screen.wait_for("mail 1/");
    screen.send("N");
    screen.wait_for("note:");
    screen.send("\x1b[200~first\nsecond \x1b[201~");
    screen.wait_for("first second");
    screen.send("\r");
    screen.wait_for("note kept");
    screen.send("qq");
    assert_eq!(screen.wait_end(), 0);
}

#[test]
fn the_demo_pulls_and_opens() {
    let console = Console::new();
    let mut screen = console.screen(100, 30, &["demo"]);
    screen.wait_until("the pull to end", |s| s.contains("34 new"));
    screen.send("\r");
    screen.wait_for("mail 1/");
    screen.send("qq");
    assert_eq!(screen.wait_end(), 0);
    assert!(!console.store().exists());
}

/// A sample inbox that fails on purpose at this place (RELIABILITY R-33).
fn faulty(console: &Console, place: &str) -> Terminal {
    console.screen(100, 30, &["demo", "--fault", place])
}

const SECRET: &str = casebook::runtime::fault::Trap::SECRET;

#[test]
fn a_fault_of_the_screen_gives_the_terminal_back_and_tells_the_place_only() {
    let console = Console::new();
    let mut screen = faulty(&console, "screen");
    screen.wait_for("SUGGESTION");
    screen.send("j");
    assert_eq!(screen.wait_end(), 101);
    given_back(&screen);
    assert_eq!(screen.settings(), screen.fresh, "line settings as before");
    let shown = screen.shown();
    let told = "casebook: a fault of this program at src/runtime/fault.rs";
    assert!(shown.contains(told), "{shown}");
    let bytes = screen.bytes();
    assert!(!String::from_utf8_lossy(&bytes).contains(SECRET));
    assert_eq!(forbidden(&bytes), Vec::<String>::new());
}

#[test]
fn a_fault_of_a_worker_is_told_and_ends_nothing_else() {
    let console = Console::new();
    for (place, told) in [("store", "stopped that request"), ("pull", "stopped the pull")] {
        let mut screen = faulty(&console, place);
        screen.wait_for(told);
        // The queue is there or is filled by what comes: nothing is waited for without end.
        screen.wait_until("the list to be read", |s| !s.contains("reading"));
        if place == "store" {
            screen.wait_until("the pull to end", |s| s.contains("34 new"));
            screen.send("\r");
            screen.wait_for("mail 1/");
            screen.send("q");
        }
        screen.wait_for("SUGGESTION");
        screen.send("q");
        assert_eq!(screen.wait_end(), 0, "{place}");
        given_back(&screen);
        assert_eq!(screen.settings(), screen.fresh, "{place}");
        let bytes = screen.bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET) && !text.contains("panicked"), "{place}");
        assert_eq!(forbidden(&bytes), Vec::<String>::new(), "{place}");
    }
}

/// A key in the very moment of a resize is read at once, not with the next key.
#[test]
fn a_key_beside_a_resize_is_not_left_lying() {
    let console = Console::new();
    console.import_samples();
    let mut screen = opened(&console, 100, 30);
    for round in 0..60_u16 {
        screen.resize(100, 30 + round % 3);
        screen.send(if round % 2 == 0 { "j" } else { "k" });
        let place = format!(" casebook  {}/", 2 - round % 2);
        screen.wait_until("the key counted", |s| s.contains(&place));
    }
}
