//! Reading a TOML table key by key while collecting every fault.
//!
//! Owns: types, ranges and unknown keys. Absent on purpose: what the keys mean. Read next: [`super::policy`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Faults, did_you_mean, in_order};

/// One table, read key by key.
pub(super) struct Fields<'a, 't> {
    faults: &'a Faults,
    table: &'a DeTable<'t>,
    /// Where the table stands.
    span: Range<usize>,
    /// How faults call it, such as "item NQ1".
    pub(super) name: String,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a, 't> Fields<'a, 't> {
    pub(super) fn new(
        faults: &'a Faults,
        table: &'a DeTable<'t>,
        span: Range<usize>,
        name: impl Into<String>,
    ) -> Self {
        Self { faults, table, span, name: name.into(), asked: RefCell::default() }
    }

    /// The value under `key`, if there is one.
    pub(super) fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// Records a fault of the value under `key`.
    pub(super) fn fault(&self, key: &str, what: &str) {
        let at = self.table.get(key).map_or(self.span.clone(), Spanned::span);
        self.faults.add_at(&at, format!("{}: `{key}` {what}", self.name));
    }

    /// Records a fault of the table itself.
    pub(super) fn fault_of_all(&self, what: &str) {
        self.faults.add_at(&self.span, format!("{}: {what}", self.name));
    }

    fn missing(&self, key: &str) {
        self.fault_of_all(&format!("`{key}` is missing"));
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
            let near = did_you_mean(text, &names);
            let all = names.join(", ");
            self.fault(key, &format!("is one of {all}, not \"{text}\"{near}"));
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
                Some(table) => tables.push(Fields::new(self.faults, table, value.span(), key)),
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
        Some(Fields::new(self.faults, table?, value.span(), format!("[{key}]")))
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
        for (key, _) in in_order(self.table) {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let near = did_you_mean(name, &known);
                self.faults
                    .add_at(&key.span(), format!("{}: unknown key \"{name}\"{near}", self.name));
            }
        }
    }
}
