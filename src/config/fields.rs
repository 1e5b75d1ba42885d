//! Reading a TOML table key by key while collecting every fault.
//!
//! Owns: types, ranges and unknown keys. Absent on purpose: what the keys mean. Read next: [`super::policy`].

use std::cell::RefCell;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, nearest};

/// Most faults that are kept: a file of another kind should not fill the screen.
const MOST: usize = 100;

/// The text being read and the faults found so far.
pub(super) struct Report<'t> {
    text: &'t str,
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, faults: RefCell::default() }
    }

    /// Records a fault at a byte of the text.
    pub(super) fn fault(&self, byte: Option<usize>, what: impl Into<String>) {
        if self.faults.borrow().len() >= MOST {
            return;
        }
        let line = byte.map(|byte| {
            let before = self.text.as_bytes().get(..byte).unwrap_or(self.text.as_bytes());
            before.iter().filter(|b| **b == b'\n').count() + 1
        });
        self.faults.borrow_mut().push(Fault { line, what: what.into() });
    }

    /// The faults in the order of their lines.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
        faults
    }
}

/// One table, read key by key.
pub(super) struct Fields<'a, 't> {
    report: &'a Report<'t>,
    table: &'a DeTable<'t>,
    /// Where the table begins.
    pub(super) start: usize,
    /// How faults call it, such as "item NQ1".
    pub(super) name: String,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a, 't> Fields<'a, 't> {
    pub(super) fn new(
        report: &'a Report<'t>,
        table: &'a DeTable<'t>,
        start: usize,
        name: impl Into<String>,
    ) -> Self {
        Self { report, table, start, name: name.into(), asked: RefCell::default() }
    }

    /// The value under `key`, if there is one.
    pub(super) fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// Records a fault of the value under `key`.
    pub(super) fn fault(&self, key: &str, what: &str) {
        let at = self.table.get(key).map_or(self.start, |value| value.span().start);
        self.report.fault(Some(at), format!("{}: `{key}` {what}", self.name));
    }

    fn missing(&self, key: &str) {
        self.report.fault(Some(self.start), format!("{}: `{key}` is missing", self.name));
    }

    /// Text, if given.
    pub(super) fn optional_text(&self, key: &'static str) -> Option<&'a str> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.fault(key, "must be text in quotes");
        }
        text
    }

    /// Text that must be given and not be empty.
    pub(super) fn text(&self, key: &'static str) -> &'a str {
        match self.optional_text(key) {
            Some("") => self.fault(key, "is empty"),
            Some(text) => return text,
            None if self.table.get(key).is_none() => self.missing(key),
            None => {}
        }
        ""
    }

    /// A whole number within `range`; its least where it is faulty.
    pub(super) fn number(&self, key: &'static str, range: std::ops::RangeInclusive<u16>) -> u16 {
        let Some(value) = self.get(key) else {
            self.missing(key);
            return *range.start();
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| u16::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| range.contains(number));
        number.unwrap_or_else(|| {
            let (least, most) = (range.start(), range.end());
            self.fault(key, &format!("must be a whole number from {least} to {most}"));
            *range.start()
        })
    }

    /// One of the words of a list.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.optional_text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = match nearest(text, &names) {
                Some(near) => format!("is `{text}`; did you mean `{near}`?"),
                None => format!("is `{text}`; it must be one of {}", names.join(", ")),
            };
            self.fault(key, &hint);
        }
        found
    }

    /// One of the words of a list, which must be given.
    pub(super) fn required_word<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        if self.table.get(key).is_none() {
            self.asked.borrow_mut().insert(key);
            self.missing(key);
        }
        self.word(key, words)
    }

    /// A list of texts; empty where it is not given.
    pub(super) fn texts(&self, key: &'static str) -> Vec<&'a str> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let texts: Option<Vec<&str>> = value
            .get_ref()
            .as_array()
            .and_then(|values| values.iter().map(|value| value.get_ref().as_str()).collect());
        texts.unwrap_or_else(|| {
            self.fault(key, "must be a list of texts in quotes");
            Vec::new()
        })
    }

    /// The tables of a `[[key]]` or of a list of inline tables; empty where there is none.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Fields<'a, 't>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(values) = value.get_ref().as_array() else {
            self.fault(key, "must be a list of tables");
            return Vec::new();
        };
        let mut tables = Vec::new();
        for value in values.iter() {
            match value.get_ref().as_table() {
                Some(table) => {
                    tables.push(Fields::new(self.report, table, value.span().start, key));
                }
                None => self.fault(key, "must be a list of tables"),
            }
        }
        tables
    }

    /// The table under `key`, which must be given.
    pub(super) fn table(&self, key: &'static str) -> Option<Fields<'a, 't>> {
        let Some(value) = self.get(key) else {
            self.missing(key);
            return None;
        };
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.fault(key, "must be a table");
        }
        Some(Fields::new(self.report, table?, value.span().start, format!("[{key}]")))
    }

    /// A table that may be missing.
    pub(super) fn optional_table(&self, key: &'static str) -> Option<Fields<'a, 't>> {
        self.get(key)?;
        self.table(key)
    }

    /// Records every key that was never asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        let known: Vec<&str> = asked.iter().copied().collect();
        for key in self.table.keys() {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            if known.contains(&name) {
                continue;
            }
            let what = match nearest(name, &known) {
                Some(near) => format!("unknown key `{name}`; did you mean `{near}`?"),
                None => format!("unknown key `{name}`; known are {}", known.join(", ")),
            };
            self.report.fault(Some(at), format!("{}: {what}", self.name));
        }
    }
}
