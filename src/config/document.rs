//! A TOML text with the line of everything in it, and the faults found so far.
//!
//! Owns: reading TOML so that one pass finds all faults: syntax faults do not hide the others. Absent on
//! purpose: what the keys mean. Read next: [`super::parse`], [`super::policy`], `keymap::parse`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, nearest};
use crate::domain::text::is_hidden;

/// Longest text that is read, in bytes; more is no hand-written file.
pub const LONGEST_TEXT: usize = 1 << 20;

/// Characters of a fault that are shown at most.
const LONGEST_FAULT: usize = 300;

/// Faults listed at most; the rest is counted.
const MOST_FAULTS: usize = 100;

/// Collects faults of one text and knows its lines. Several tables of the text report to it at once.
#[derive(Debug)]
pub struct Faults {
    /// Offset of every line's end.
    ends: Vec<usize>,
    found: RefCell<Vec<Fault>>,
    /// Lines that TOML itself refused: what else looks wrong there is only a consequence.
    refused: BTreeSet<usize>,
}

impl Faults {
    /// Reads the text as TOML; what could not be read is left out of the table and listed as a fault.
    pub fn read(text: &str) -> (DeTable<'_>, Self) {
        let mut faults =
            Self { ends: Vec::new(), found: RefCell::default(), refused: BTreeSet::new() };
        if text.len() > LONGEST_TEXT {
            faults.add_to_all(format!("longer than {LONGEST_TEXT} bytes"));
            return (DeTable::new(), faults);
        }
        faults.ends.extend(text.match_indices('\n').map(|(offset, _)| offset));
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map(|span| faults.line(&span));
            faults.refused.extend(line);
            faults.found.get_mut().push(Fault { line, what: plain(error.message()) });
        }
        (table.into_inner(), faults)
    }

    /// The line, from 1, on which a span starts.
    pub fn line(&self, span: &Range<usize>) -> usize {
        self.ends.partition_point(|end| *end < span.start) + 1
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Adds a fault on a line.
    pub fn add(&self, line: usize, what: impl Into<String>) {
        if !self.refused.contains(&line) {
            self.found.borrow_mut().push(Fault { line: Some(line), what: plain(&what.into()) });
        }
    }

    /// Adds a fault at a span.
    pub fn add_at(&self, span: &Range<usize>, what: impl Into<String>) {
        self.add(self.line(span), what);
    }

    /// Adds a fault of the whole text.
    pub fn add_to_all(&self, what: impl Into<String>) {
        self.found.borrow_mut().push(Fault { line: None, what: plain(&what.into()) });
    }

    /// All faults in the order of the text, each once, those without a line last.
    pub fn into_sorted(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
        found.dedup();
        let more = found.len().saturating_sub(MOST_FAULTS);
        if more > 0 {
            found.truncate(MOST_FAULTS);
            found.push(Fault { line: None, what: format!("and {more} more") });
        }
        found
    }
}

/// The entries of a table in the order of the text.
pub fn in_order<'a, 't>(
    table: &'a DeTable<'t>,
) -> Vec<(&'a Spanned<std::borrow::Cow<'t, str>>, &'a Spanned<DeValue<'t>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// What a value is, in the words of a person.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// `; did you mean "…"?` where a candidate is near, else nothing.
pub fn did_you_mean(name: &str, candidates: &[&str]) -> String {
    nearest(name, candidates).map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
}

/// One line that a terminal can show: names in a fault come from the text and may hold anything.
fn plain(message: &str) -> String {
    let mut line = String::new();
    for (count, char) in message.chars().enumerate() {
        match char {
            _ if count == LONGEST_FAULT => {
                line.push('…');
                break;
            }
            '\n' => line.push(' '),
            _ if is_hidden(char) => line.extend(char.escape_unicode()),
            _ => line.push(char),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_faults_do_not_hide_the_rest() {
        let (table, faults) = Faults::read("a = 1\nb = \nc = 'x'\na = 2\n");
        let (key, _) = table.get_key_value("c").expect("read on");
        faults.add_at(&key.span(), "no c here");
        faults.add(2, "a consequence");
        let lines: Vec<_> = faults.into_sorted().into_iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [Some(2), Some(3), Some(4)]);
    }

    #[test]
    fn a_fault_shows_no_control_characters() {
        assert_eq!(plain("a \u{1b}[2J\n\u{202e}b"), r"a \u{1b}[2J \u{202e}b");
        assert_eq!(plain(&"x".repeat(1_000)).chars().count(), LONGEST_FAULT + 1);
    }

    #[test]
    fn a_huge_text_is_refused_and_many_faults_are_cut() {
        let long = "#".repeat(LONGEST_TEXT + 1);
        assert_eq!(Faults::read(&long).1.into_sorted().len(), 1);
        let (_, faults) = Faults::read("");
        (1..500).for_each(|line| faults.add(line, format!("fault {line}")));
        assert_eq!(faults.into_sorted().len(), MOST_FAULTS + 1);
    }
}
