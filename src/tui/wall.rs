//! The second wall: a writer under the terminal backend that lets through only what this program itself has
//! reason to send. The first wall is `mail::DisplayText`; this one holds should a string ever slip past it.
//!
//! Let through: printable text, and the control sequences of the list in [`allowed`]. Everything else becomes
//! `?`.

use std::io::{self, Write};

/// Filters the byte stream to the terminal.
#[derive(Debug)]
pub struct Wall<W: Write> {
    inner: W,
    state: State,
    /// Bytes of an unfinished sequence or character.
    held: Vec<u8>,
    clean: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Text,
    Escape,
    Sequence,
    Character(usize),
}

/// Longest control sequence that this program sends.
const MAX_SEQUENCE: usize = 40;

impl<W: Write> Wall<W> {
    /// Puts the wall before `inner`.
    pub const fn new(inner: W) -> Self {
        Self { inner, state: State::Text, held: Vec::new(), clean: Vec::new() }
    }

    fn take(&mut self, byte: u8) {
        match self.state {
            State::Text => self.text(byte),
            State::Escape if byte == b'[' => {
                self.held.push(byte);
                self.state = State::Sequence;
            }
            State::Escape => self.refuse(byte),
            State::Sequence => self.sequence(byte),
            State::Character(missing) => self.character(byte, missing),
        }
    }

    fn text(&mut self, byte: u8) {
        match byte {
            0x1b => {
                self.held.push(byte);
                self.state = State::Escape;
            }
            // Line ends come from this program only: restoring the terminal writes them.
            b'\n' | b'\r' | 0x20..=0x7e => self.clean.push(byte),
            0xc2..=0xf4 => {
                self.held.push(byte);
                let missing = if byte < 0xe0 {
                    1
                } else if byte < 0xf0 {
                    2
                } else {
                    3
                };
                self.state = State::Character(missing);
            }
            _ => self.clean.push(b'?'),
        }
    }

    fn sequence(&mut self, byte: u8) {
        self.held.push(byte);
        match byte {
            b'0'..=b'9' | b';' | b'?' if self.held.len() < MAX_SEQUENCE => {}
            _ => {
                if allowed(&self.held) {
                    self.clean.append(&mut self.held);
                } else {
                    self.clean.push(b'?');
                }
                self.held.clear();
                self.state = State::Text;
            }
        }
    }

    fn character(&mut self, byte: u8, missing: usize) {
        if !(0x80..=0xbf).contains(&byte) {
            return self.refuse(byte);
        }
        self.held.push(byte);
        if missing > 1 {
            self.state = State::Character(missing - 1);
            return;
        }
        match std::str::from_utf8(&self.held) {
            Ok(text) if !text.chars().any(is_hidden) => self.clean.append(&mut self.held),
            _ => self.clean.push(b'?'),
        }
        self.held.clear();
        self.state = State::Text;
    }

    /// Drops what is held; the byte that broke it is looked at anew.
    fn refuse(&mut self, byte: u8) {
        self.held.clear();
        self.clean.push(b'?');
        self.state = State::Text;
        self.text(byte);
    }
}

/// Sequences of `ESC [` that crossterm sends for ratatui: colours, cursor moves, erasing, scrolling regions,
/// and the private modes of [`MODES`].
fn allowed(sequence: &[u8]) -> bool {
    let Some((last, rest)) = sequence.split_last() else { return false };
    let parameters = rest.get(2..).unwrap_or_default();
    match last {
        b'm' | b'H' | b'A' | b'B' | b'C' | b'D' | b'G' | b'J' | b'K' | b'r' | b'S' | b'T' => {
            !parameters.contains(&b'?')
        }
        b'h' | b'l' => MODES.iter().any(|mode| mode.as_bytes() == parameters),
        _ => false,
    }
}

/// Cursor shown, alternate screen, bracketed paste, synchronised update.
const MODES: [&str; 4] = ["?25", "?1049", "?2004", "?2026"];

/// Characters that change what is seen without being seen.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

impl<W: Write> Write for Wall<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        bytes.iter().for_each(|byte| self.take(*byte));
        let clean = std::mem::take(&mut self.clean);
        self.inner.write_all(&clean)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut wall = Wall::new(&mut out);
        // One byte at a time: a sequence may arrive in pieces.
        for byte in bytes {
            wall.write_all(&[*byte]).expect("a vector takes everything");
        }
        out
    }

    #[test]
    fn our_own_sequences_and_text_pass() {
        for ours in
            ["\u{1b}[38;5;3mplain\u{1b}[0m", "\u{1b}[?1049h\u{1b}[2J\u{1b}[1;1H", "Grüße 日本 ␛"]
        {
            assert_eq!(through(ours.as_bytes()), ours.as_bytes());
        }
    }

    #[test]
    fn nothing_else_passes() {
        for hostile in [
            "\u{1b}]52;c;YQ==\u{7}",
            "\u{1b}]0;title\u{1b}\\",
            "\u{1b}P$qm\u{1b}\\",
            "\u{1b}[6n",
            "\u{1b}[?1000h",
            "\u{1b}c",
            "\u{9b}31m",
            "a\u{202e}b",
            "\u{200b}",
            "\u{8}\u{7}",
        ] {
            let passed = String::from_utf8(through(hostile.as_bytes())).expect("stays UTF-8");
            assert!(
                !passed.chars().any(|c| c.is_control() || is_hidden(c)),
                "{hostile:?} gave {passed:?}"
            );
        }
    }

    #[test]
    fn invalid_bytes_become_question_marks() {
        assert_eq!(through(b"a\xffb\xc3(c\x1b"), b"a?b?(c");
    }
}
