//! The sender's own words, as sentences.

use std::ops::Range;

use super::letters::{Letters, Text, Words};
use super::sieve::{Lines, Sieve};
use crate::domain::{Evidence, MessageRef};
use crate::mail::Message;
use crate::mail::quote;

/// Text that is read, in bytes: a report is shorter, an attachment pasted into a mail need not be read.
const MAX_READ: usize = 256 * 1024;

/// The sender's own words. [`Own::folded`] has the bytes of the shown text in their places, except that line
/// ends inside a paragraph became spaces, sentence ends became line ends, and foreign lines became blank.
/// So a pattern may run over a wrapped line but not over a sentence, and every range is one of the text.
pub(super) struct Own<'a> {
    message: MessageRef,
    part: u16,
    shown: &'a str,
    letters: &'a Letters,
    folded: Text<'a>,
    lines: Lines,
    subject: Text<'a>,
    subject_lines: Lines,
}

impl<'a> Own<'a> {
    pub(super) fn of(
        message: &'a Message,
        message_ref: MessageRef,
        sieve: &Sieve,
        letters: &'a Letters,
    ) -> Self {
        let shown = message.text.as_str();
        let folded = letters.text(fold(shown, &quote::own_lines(shown, &message.subject)));
        let subject = letters.text(&message.subject);
        Self {
            message: message_ref,
            part: message.text_part,
            shown,
            letters,
            lines: sieve.lines(&folded, letters),
            subject_lines: sieve.lines(&subject, letters),
            folded,
            subject,
        }
    }

    /// The lines of [`Own::folded`] that a pattern may match, and their bytes there.
    pub(super) fn lines(&self, pattern: usize) -> impl Iterator<Item = (Words<'_>, Range<usize>)> {
        self.lines.of(pattern).iter().filter_map(|line| self.folded.line(*line))
    }

    /// The same for the subject.
    pub(super) fn subject_lines(&self, pattern: usize) -> impl Iterator<Item = Words<'_>> {
        let lines = self.subject_lines.of(pattern).iter();
        lines.filter_map(|line| self.subject.line(*line)).map(|(words, _)| words)
    }

    /// The own words in the alphabet of the patterns.
    pub(super) const fn text(&self) -> &Text<'a> {
        &self.folded
    }

    /// The subject likewise.
    pub(super) const fn subject(&self) -> &Text<'a> {
        &self.subject
    }

    /// The alphabet of the patterns.
    pub(super) const fn letters(&self) -> &'a Letters {
        self.letters
    }

    pub(super) fn folded(&self) -> &str {
        self.folded.shown()
    }

    /// Own words without blanks, in characters; a Han or Kana character counts as two.
    pub(super) fn length(&self) -> usize {
        let weight = |c: char| if c >= '\u{2e80}' { 2 } else { 1 };
        self.folded().chars().filter(|c| !c.is_whitespace()).map(weight).sum()
    }

    /// The sentence around a match, without blanks at its ends.
    pub(super) fn sentence(&self, words: Range<usize>) -> Range<usize> {
        let before = self.folded().get(..words.start).unwrap_or_default();
        let after = self.folded().get(words.end..).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = words.end + after.find('\n').unwrap_or(after.len());
        let sentence = self.folded().get(start..end).unwrap_or_default();
        let start = start + sentence.len() - sentence.trim_start().len();
        start..start + sentence.trim().len()
    }

    pub(super) fn evidence(&self, range: Range<usize>) -> Option<Evidence> {
        Evidence::at(self.message, self.part, self.shown, range)
    }

    /// Stands for the subject, which is no part of the shown text: line 0, nothing quoted.
    pub(super) fn subject_evidence(&self) -> Evidence {
        Evidence {
            message: self.message,
            part: self.part,
            start: 0,
            end: 0,
            line: 0,
            last_line: 0,
            text: String::new(),
        }
    }
}

fn fold(shown: &str, own: &[bool]) -> String {
    let lines: Vec<&str> = shown.split_inclusive('\n').collect();
    let mut folded = String::with_capacity(shown.len().min(MAX_READ));
    for (at, line) in lines.iter().enumerate() {
        if folded.len() + line.len() > MAX_READ {
            break;
        }
        let body = line.trim_end_matches('\n');
        if own.get(at).copied().unwrap_or(true) {
            push_sentences(&mut folded, body);
        } else {
            folded.extend(std::iter::repeat_n(' ', body.len()));
        }
        if body.len() < line.len() {
            let next = lines.get(at + 1).map_or("", |next| next.trim_end_matches('\n'));
            let next_own = own.get(at + 1).copied().unwrap_or(true);
            folded.push(if next_own && continues(body, next) { ' ' } else { '\n' });
        }
    }
    folded
}

/// Whether a line goes on in the next: both are prose, and the next begins no list item, heading or table.
fn continues(line: &str, next: &str) -> bool {
    let starts = next.trim_start();
    let indented = next.len() - starts.len() >= 4 || next.starts_with('\t');
    let item = starts
        .starts_with(['-', '*', '#', '|', '\u{2022}', '\u{b7}', '`', '<', '$', '+', '='])
        || starts.split_once(['.', ')']).is_some_and(|(number, rest)| {
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            digits && number.len() <= 3 && rest.starts_with([' ', '\t'])
        });
    let heading = line.trim_start().starts_with('#');
    let ended = line.trim_end().ends_with(['.', '!', '?', ':', '\u{3002}', '|']);
    let table = is_row(line) || is_row(next);
    !table
        && !starts.is_empty()
        && !line.trim().is_empty()
        && !indented
        && !item
        && !heading
        && !ended
}

/// Whether a line has columns: words with wide gaps between them, twice.
fn is_row(line: &str) -> bool {
    line.trim().split("  ").filter(|column| !column.trim().is_empty()).count() > 2
}

/// Copies a line; a blank after a sentence end becomes a line end.
fn push_sentences(folded: &mut String, line: &str) {
    let mut letters = line.chars().peekable();
    let (mut last, mut before) = (' ', ' ');
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        // `e.g. this` goes on in a small letter.
        let mark = matches!(last, '.' | '!' | '?') && before != '.';
        let ends = mark && letter == ' ' && !next.is_lowercase();
        folded.push(if ends { '\n' } else { letter });
        (before, last) = (last, letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_are_one_sentence_and_bytes_keep_their_places() {
        let shown = "A flaw that is\nwrapped. Another\n\n> quoted\n - item\n-- \nname";
        let folded = fold(shown, &quote::own_lines(shown, ""));
        assert_eq!(folded.len(), shown.len());
        let lines: Vec<&str> =
            folded.split('\n').map(str::trim).filter(|l| !l.is_empty()).collect();
        assert_eq!(lines, ["A flaw that is wrapped.", "Another", "- item"]);
    }

    #[test]
    fn other_scripts_keep_their_places() {
        let shown = "\u{8106}\u{5f31}\u{6027}\n> \u{8106}\n\u{e9}t\u{e9}";
        assert_eq!(fold(shown, &quote::own_lines(shown, "")).len(), shown.len());
    }

    #[test]
    fn a_huge_text_is_read_in_part() {
        assert!(fold(&"words and words\n".repeat(100_000), &[]).len() <= MAX_READ);
    }
}
