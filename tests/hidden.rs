//! Modules that may not know each other each decide which characters a reader does not see. They must agree: what
//! the domain calls hidden, no edge lets through. (The mailbox has its own test beside `sync::text`.)

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

use std::io::Write as _;

use casebook::domain::text::is_hidden;
use casebook::mail::DisplayText;
use casebook::tui::wall::Wall;

fn hidden() -> impl Iterator<Item = char> {
    (char::MIN..=char::MAX).filter(|character| is_hidden(*character))
}

/// What the terminal gets for a text.
fn sent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut wall = Wall::new(&mut bytes);
    wall.write_all(text.as_bytes()).and_then(|()| wall.flush()).expect("a vector takes all");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_shown_mail_has_nothing_hidden() {
    for character in hidden() {
        let text = format!("a{character}b");
        assert!(!DisplayText::line(&text).as_str().contains(character), "{character:?}");
        let block = DisplayText::block(&text);
        assert!(block.iter().all(|line| !line.as_str().contains(character)), "{character:?}");
    }
}

#[test]
fn the_terminal_gets_nothing_hidden() {
    // Line ends are the program's own; see the header of the wall.
    for character in hidden().filter(|character| *character != '\r') {
        assert!(!sent(&format!("a{character}b")).contains(character), "{character:?}");
    }
}

#[test]
fn what_is_drawn_for_a_mail_passes_the_wall_unchanged() {
    for character in (char::MIN..=char::MAX).filter(|character| *character != '\n') {
        let shown = DisplayText::line(&format!("a{character}b"));
        assert_eq!(sent(shown.as_str()), shown.as_str(), "{character:?}");
    }
}
