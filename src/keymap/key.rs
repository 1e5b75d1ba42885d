//! Keys and their notation.
//!
//! Owns: one chord as a value, reading and printing it. Absent on purpose: the terminal's own key type
//! (translated in `tui`). Read next: [`super::Keymap`].

use std::fmt;

use crate::config::document::did_you_mean;

/// Which key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KeyCode {
    /// A character as typed: Shift is folded into it; the space bar is `Char(' ')`.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, 1 to 24.
    F(u8),
}

/// Keys that have a name; the first name of a code is the printed one.
const NAMES: &[(&str, KeyCode)] = &[
    ("Space", KeyCode::Char(' ')),
    ("SPC", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Return", KeyCode::Enter),
    ("CR", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Escape", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("BackTab", KeyCode::BackTab),
    ("S-Tab", KeyCode::BackTab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("BS", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Del", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Ins", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PgUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("PgDn", KeyCode::PageDown),
];

/// Highest function key.
const LAST_F: u8 = 24;

/// One chord.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// With Control.
    pub ctrl: bool,
    /// With Alt (Meta).
    pub alt: bool,
}

impl Key {
    /// A key without Control and Alt.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character without Control and Alt.
    pub const fn char(char: char) -> Self {
        Self::plain(KeyCode::Char(char))
    }

    /// The character that the key types in a text field, if it types one.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(char) if !self.ctrl && !self.alt => Some(char),
            _ => None,
        }
    }

    /// Reads one chord: `j`, `C-p`, `M-x`, `Enter`, `<Enter>`, `Space`, `F1`.
    ///
    /// # Errors
    /// What is wrong with the notation and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let mut rest = inner.filter(|inner| !inner.is_empty()).unwrap_or(text);
        let (mut ctrl, mut alt) = (false, false);
        while let Some((modifier, tail)) = split_modifier(rest) {
            let already = match modifier {
                Modifier::Ctrl => std::mem::replace(&mut ctrl, true),
                Modifier::Alt => std::mem::replace(&mut alt, true),
            };
            if already {
                return Err(format!("\"{text}\" names a modifier twice"));
            }
            rest = tail;
        }
        let code = parse_code(rest).map_err(|why| format!("\"{text}\" is no key: {why}"))?;
        check_control(text, code, ctrl)?;
        Ok(Self { code, ctrl, alt })
    }
}

/// Reads keys separated by white space.
///
/// # Errors
/// What is wrong with the first key that cannot be read, or that there is none.
pub fn parse_sequence(text: &str) -> Result<Vec<Key>, String> {
    let keys = text.split_whitespace().map(Key::parse).collect::<Result<Vec<_>, _>>()?;
    match keys.len() {
        0 => Err("no key named; the space bar is written Space".to_owned()),
        1..=super::LONGEST_SEQUENCE => Ok(keys),
        more => Err(format!("{more} keys in a row; {} are the most", super::LONGEST_SEQUENCE)),
    }
}

/// Prints keys as [`parse_sequence`] reads them.
pub fn print_sequence(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[derive(Clone, Copy)]
enum Modifier {
    Ctrl,
    Alt,
}

fn split_modifier(text: &str) -> Option<(Modifier, &str)> {
    const WORDS: [(&str, Modifier); 5] = [
        ("C-", Modifier::Ctrl),
        ("Ctrl-", Modifier::Ctrl),
        ("M-", Modifier::Alt),
        ("A-", Modifier::Alt),
        ("Alt-", Modifier::Alt),
    ];
    WORDS.iter().find_map(|(word, modifier)| {
        let head = text.get(..word.len())?;
        let tail = text.get(word.len()..).filter(|tail| !tail.is_empty())?;
        head.eq_ignore_ascii_case(word).then_some((*modifier, tail))
    })
}

fn parse_code(text: &str) -> Result<KeyCode, String> {
    let mut chars = text.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return if only.is_control() || only.is_whitespace() {
            Err("write its name, such as Space or Tab".to_owned())
        } else {
            Ok(KeyCode::Char(only))
        };
    }
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(*code);
    }
    let number = text.strip_prefix(['F', 'f']).and_then(|digits| digits.parse::<u8>().ok());
    match number {
        Some(number) if (1..=LAST_F).contains(&number) => Ok(KeyCode::F(number)),
        Some(_) => Err(format!("function keys go from F1 to F{LAST_F}")),
        None => Err(unknown_name(text)),
    }
}

fn unknown_name(text: &str) -> String {
    if text.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("S-")) {
        return "write the character that Shift makes, such as X; only S-Tab is a key".to_owned();
    }
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    let near = did_you_mean(text, &names);
    if near.is_empty() && text.chars().count() <= super::LONGEST_SEQUENCE {
        let apart: Vec<String> = text.chars().map(String::from).collect();
        return format!("keys of a sequence stand apart, as in \"{}\"", apart.join(" "));
    }
    format!("unknown name{near}")
}

/// Refuses chords that terminals send as another key.
fn check_control(text: &str, code: KeyCode, ctrl: bool) -> Result<(), String> {
    let KeyCode::Char(char) = code else { return Ok(()) };
    let instead = match char {
        _ if !ctrl => return Ok(()),
        'i' => "Tab".to_owned(),
        'm' => "Enter".to_owned(),
        '[' => "Esc".to_owned(),
        'A'..='Z' => format!("C-{}", char.to_ascii_lowercase()),
        _ => return Ok(()),
    };
    Err(format!("terminals cannot tell \"{text}\" from {instead}; write {instead}"))
}

impl fmt::Display for KeyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| code == self) {
            return f.write_str(name);
        }
        match self {
            Self::Char(char) => write!(f, "{char}"),
            Self::F(number) => write!(f, "F{number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("C-")?;
        }
        if self.alt {
            f.write_str("M-")?;
        }
        self.code.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ctrl(char: char) -> Key {
        Key { code: KeyCode::Char(char), ctrl: true, alt: false }
    }

    #[test]
    fn every_notation_is_read() {
        for (text, key) in [
            ("j", Key::char('j')),
            ("<", Key::char('<')),
            (">", Key::char('>')),
            ("-", Key::char('-')),
            ("ö", Key::char('ö')),
            ("C-p", ctrl('p')),
            ("<c-p>", ctrl('p')),
            ("Ctrl-p", ctrl('p')),
            ("C--", ctrl('-')),
            ("C-Space", ctrl(' ')),
            ("M-X", Key { alt: true, ..Key::char('X') }),
            ("C-M-x", Key { alt: true, ..ctrl('x') }),
            ("<Enter>", Key::plain(KeyCode::Enter)),
            ("return", Key::plain(KeyCode::Enter)),
            ("S-Tab", Key::plain(KeyCode::BackTab)),
            ("space", Key::char(' ')),
            ("pgdn", Key::plain(KeyCode::PageDown)),
            ("F12", Key::plain(KeyCode::F(12))),
            ("M-<", Key { alt: true, ..Key::char('<') }),
        ] {
            assert_eq!(Key::parse(text), Ok(key), "{text}");
        }
    }

    #[test]
    fn every_key_is_printed_as_it_is_read() {
        let codes = NAMES.iter().map(|(_, code)| *code);
        let chars = ('!'..='~').chain(['é', '日']).map(KeyCode::Char);
        for code in codes.chain(chars).chain((1..=LAST_F).map(KeyCode::F)) {
            for (ctrl, alt) in [(false, false), (true, false), (false, true), (true, true)] {
                let key = Key { code, ctrl, alt };
                if check_control("", code, ctrl).is_ok() {
                    assert_eq!(Key::parse(&key.to_string()), Ok(key), "{key}");
                }
            }
        }
    }

    #[test]
    fn bad_notation_says_how_to_write_it() {
        for (text, hint) in [
            ("gg", "as in \"g g\""),
            ("Entr", "did you mean \"Enter\"?"),
            ("C-P", "write C-p"),
            ("C-i", "write Tab"),
            ("C-C-x", "twice"),
            ("S-x", "Shift"),
            ("F25", "F24"),
            ("<>x", "stand apart"),
            ("somethingelse", "unknown name"),
        ] {
            let fault = Key::parse(text).expect_err(text);
            assert!(fault.contains(hint), "{text}: {fault}");
        }
        assert!(parse_sequence(" ").expect_err("empty").contains("Space"));
        assert!(parse_sequence(&"a ".repeat(50)).expect_err("long").contains("50 keys"));
    }

    #[test]
    fn only_plain_characters_type() {
        assert_eq!(Key::char(' ').typed(), Some(' '));
        assert_eq!(ctrl('a').typed(), None);
        assert_eq!(Key::plain(KeyCode::Enter).typed(), None);
    }
}
