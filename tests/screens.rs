//! Every screen as a person sees it: whole, as text, at three sizes, reached by keys.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use casebook::app::{Input, Outcome, Problem, Screen, SyncState};
use casebook::keymap::Shipped;
use support::console::forbidden;
use support::stage::{Mails, Stage};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Snapshots of one screen at every size.
fn at_every_size(name: &str, reach: impl Fn(&mut Stage)) {
    let mut stage = Stage::new(80, 24);
    reach(&mut stage);
    for (columns, rows) in SIZES {
        stage.input(Input::Resize(columns, rows));
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), plain(&stage.screen()));
    }
}

/// A screen without the hash of the policy, which changes with every rule in it.
fn plain(screen: &str) -> String {
    let (before, after) = screen.split_once("(sha256 ").unwrap_or((screen, ""));
    let after: String = after.char_indices().map(|(at, c)| if at < 12 { '.' } else { c }).collect();
    if after.is_empty() { before.to_owned() } else { format!("{before}(sha256 {after}") }
}

#[test]
fn queue() {
    at_every_size("queue", |_| ());
}

#[test]
fn case_thread() {
    at_every_size("thread", |stage| {
        stage.open("Path of ffmpeg");
    });
}

#[test]
fn case_checklist() {
    at_every_size("checklist", |stage| {
        stage.open("Path of ffmpeg").keys("Tab a");
    });
}

#[test]
fn case_with_odd_sender() {
    at_every_size("hostile", |stage| {
        stage.open("Overdue").keys("h");
    });
}

#[test]
fn reply_editor() {
    at_every_size("reply", |stage| {
        stage.open("Path of ffmpeg").keys("a d Enter");
    });
}

#[test]
fn reply_proposed() {
    at_every_size("reply_proposed", |stage| {
        stage.open("Path of ffmpeg").keys("a d");
    });
}

#[test]
fn triage_session() {
    at_every_size("triage", |stage| {
        stage.keys("Space T J");
    });
}

#[test]
fn advisory() {
    at_every_size("advisory", |stage| {
        stage.open("Application Keys").keys("g a");
    });
}

#[test]
fn deadlines() {
    at_every_size("deadlines", |stage| {
        stage.keys("! j j");
    });
}

#[test]
fn help() {
    at_every_size("help", |stage| {
        stage.open("Path of ffmpeg").keys("?");
    });
}

#[test]
fn command_line_with_completions() {
    at_every_size("command_line", |stage| {
        stage.open("Path of ffmpeg").keys(":").text("de").keys("Tab");
    });
}

#[test]
fn choice() {
    at_every_size("choice", |stage| {
        stage.open("Path of ffmpeg").keys("D");
    });
}

#[test]
fn an_empty_store_says_what_to_do() {
    let stage = Stage::with(80, 24, Shipped::Default, Mails::None);
    let screen = stage.screen();
    assert!(screen.contains("casebook import") && screen.contains("casebook init"), "{screen}");
}

/// Help and the way back stand at the end of the hints on every screen wide enough to be used.
#[test]
fn hints_end_with_help_and_back() {
    for keymap in [Shipped::Default, Shipped::Emacs, Shipped::Mutt] {
        for columns in [40, 60, 80, 200] {
            let mut stage = Stage::with(columns, 24, keymap, Mails::Samples);
            for screen in ["queue", "case", "advisory", "editor"] {
                match screen {
                    "case" => stage.keys("Enter"),
                    "advisory" => stage.keys(":").text("advisory").keys("Enter"),
                    "editor" => stage.keys("e"),
                    _ => &mut stage,
                };
                let shown = stage.screen();
                let hints = shown.lines().nth(22).unwrap_or_default();
                let leave = if screen == "queue" { " quit" } else { " back" };
                assert!(hints.contains(" help "), "{keymap:?} {columns} {screen}: {hints}");
                assert!(hints.ends_with(leave), "{keymap:?} {columns} {screen}: {hints}");
            }
        }
    }
}

/// From 1x1 to 300x100, every sample, every view: drawn without a panic and without a character that hides.
#[test]
fn every_case_at_every_size() {
    let mut stage = Stage::new(80, 24);
    stage.keys("Tab Tab g g");
    let (cases, ..) = stage.model.queue.counts();
    let sizes = [(1, 1), (40, 8), (80, 24), (110, 30)];
    let look = |stage: &mut Stage| {
        for (columns, rows) in sizes {
            stage.input(Input::Resize(columns, rows));
            let shown = stage.screen();
            assert_eq!(forbidden(shown.as_bytes()), Vec::<String>::new(), "{columns}x{rows}");
        }
        stage.input(Input::Resize(80, 24));
    };
    look(&mut stage);
    stage.keys("Enter");
    for at in 0..cases {
        for keys in ["", "h G", "R", "Tab G", "L", "Esc g a", "e", "Esc Esc", "?", "Esc D", "Esc :"]
        {
            stage.keys(keys);
            look(&mut stage);
        }
        stage.keys("Esc");
        assert_eq!(stage.model.screen, Screen::Case);
        stage.input(Input::Resize(300, 100));
        assert_eq!(forbidden(stage.screen().as_bytes()), Vec::<String>::new());
        stage.input(Input::Resize(80, 24));
        // Raw and headers off again.
        stage.keys("g g J");
        assert!(at + 1 == cases || !stage.said().contains("no more"), "case {at} is the last");
    }
}

#[test]
fn sizes_between_are_drawn_too() {
    let mut stage = Stage::new(80, 24);
    stage.open("Overdue");
    for columns in (1..300).step_by(7) {
        for rows in [1, 2, 7, 8, 9, 13, 24, 100] {
            stage.input(Input::Resize(columns, rows));
            stage.screen();
        }
    }
    for (columns, rows) in [(39, 24), (80, 7)] {
        stage.input(Input::Resize(columns, rows));
        assert!(stage.screen().contains("casebook needs 40x8"));
    }
}

/// What a mail says never stands in the columns that the frame writes its signs in (SEC-18).
#[test]
fn no_mail_writes_into_the_frame() {
    let mut stage = Stage::new(80, 24);
    stage.open("Overdue").keys("Down Down Down Down");
    let case = stage.model.case.as_ref().expect("a case");
    let (top, cursor) = (case.top, case.cursor);
    let doc: Vec<bool> = case.doc.iter().skip(top).map(|line| line.line > 0).collect();
    for (row, (at, is_text)) in stage.screen().lines().skip(5).take(17).zip(doc.iter().enumerate())
    {
        let begin: String = row.chars().take(2).collect();
        if *is_text {
            assert!(begin.trim().is_empty() || top + at == cursor, "{row}");
        }
    }
}

#[test]
fn the_text_cursor_is_where_one_types() {
    let mut stage = Stage::new(80, 24);
    assert_eq!(stage.drawn().1, None);
    stage.open("Path of ffmpeg").keys("N").text("ab");
    assert_eq!(stage.drawn().1, Some((8, 23)));
    stage.keys("Esc d Enter").text("xyz");
    assert_eq!(stage.drawn().1, Some((4, 3)));
}

#[test]
fn a_long_message_is_shown_to_its_end() {
    let mut stage = Stage::new(80, 24);
    let what = "localhost port 993 refused the connection: Connection refused (os error 111)";
    let next = "check the port and whether the server runs";
    let problem = Problem { what: what.into(), next: next.into() };
    stage.input(Input::Outcome(Outcome::SyncFailed(problem)));
    let screen = stage.screen();
    assert!(screen.contains(next) && screen.contains("Enter open"), "{screen}");
    stage.keys("j");
    assert!(!stage.screen().contains(next));
}

#[test]
fn a_running_pull_shows_how_far_it_is() {
    let mut stage = Stage::new(80, 24);
    let running = SyncState::Running {
        phase: "fetching".into(),
        done: 3,
        total: Some(34),
        bytes: 20_000,
        pace: None,
    };
    stage.input(Input::Outcome(Outcome::Sync(running)));
    let screen = stage.screen();
    assert!(
        screen.contains("fetching 3/34, 20 kB") && screen.contains("stop the pull"),
        "{screen}"
    );
}
