//! One table of the config: typed values, each fault with its line.
//!
//! Owns: unknown keys, wrong kinds, misplaced secrets. Absent on purpose: what a value means. Read
//! next: [`super::parse()`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::document::{Faults, did_you_mean, in_order, kind};

/// Where relative paths and `~` lead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<'a> {
    pub base: &'a Path,
    pub home: Option<&'a Path>,
}

/// A value and the line it stands on.
#[derive(Debug)]
pub(super) struct Located<T> {
    pub value: T,
    pub line: usize,
}

/// A table being read. Keys that nobody asked for by the end are unknown.
pub(super) struct Section<'a, 't> {
    name: &'static str,
    /// Line of the header; none where the table is absent.
    line: Option<usize>,
    table: Option<&'a DeTable<'t>>,
    known: BTreeSet<&'static str>,
    faults: &'a mut Faults,
}

impl<'a, 't> Section<'a, 't> {
    pub fn open(document: &'a DeTable<'t>, name: &'static str, faults: &'a mut Faults) -> Self {
        let entry = document.get_key_value(name);
        let line = entry.map(|(key, _)| faults.line(&key.span()));
        let mut table = None;
        if let (Some((_, value)), Some(line)) = (entry, line) {
            match value.get_ref() {
                DeValue::Table(found) => table = Some(found),
                other => {
                    faults.add(line, format!("[{name}] must be a table, not {}", kind(other)));
                }
            }
        }
        Self { name, line, table, known: BTreeSet::new(), faults }
    }

    pub fn fault(&mut self, line: usize, what: impl Into<String>) {
        self.faults.add(line, what);
    }

    /// A text; empty counts as a fault, for an empty setting is a forgotten one.
    pub fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let (line, value) = self.value(key)?;
        let DeValue::String(text) = value else {
            self.wrong(line, key, "a text in quotes", value);
            return None;
        };
        let text = text.trim();
        if text.is_empty() || text.chars().any(char::is_control) {
            self.fault(line, format!("{key} must be one line and not empty; else leave it out"));
            return None;
        }
        Some(Located { value: text.to_owned(), line })
    }

    /// A text without its line.
    pub fn plain_text(&mut self, key: &'static str) -> Option<String> {
        self.text(key).map(|text| text.value)
    }

    /// A text that must be there if the table is.
    pub fn required(&mut self, key: &'static str) -> Option<Located<String>> {
        let absent = self.table.is_some_and(|table| !table.contains_key(key));
        if let (true, Some(line)) = (absent, self.line) {
            self.fault(line, format!("[{}] needs {key}", self.name));
        }
        self.text(key)
    }

    /// One of some words.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let near = did_you_mean(&text.value, &names);
            let all = names.join(", ");
            let what = format!("{key} is one of {all}, not \"{}\"{near}", text.value);
            self.fault(text.line, what);
        }
        found.map(|(_, value)| *value)
    }

    /// A port, 1 to 65535.
    pub fn port(&mut self) -> Option<u16> {
        let (line, value) = self.value("port")?;
        let DeValue::Integer(number) = value else {
            self.wrong(line, "port", "a number", value);
            return None;
        };
        let port = u16::from_str_radix(number.as_str(), number.radix()).ok();
        let port = port.filter(|port| *port > 0);
        if port.is_none() {
            self.fault(line, "port must be a number from 1 to 65535");
        }
        port
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str) -> Option<Located<bool>> {
        let (line, value) = self.value(key)?;
        let DeValue::Boolean(value) = value else {
            self.wrong(line, key, "true or false", value);
            return None;
        };
        Some(Located { value: *value, line })
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str) -> Option<Located<Vec<String>>> {
        let (line, value) = self.value(key)?;
        let DeValue::Array(items) = value else {
            self.wrong(line, key, "a list of texts, as in [\"one\", \"two\"]", value);
            return None;
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push(text.to_string()),
                other => {
                    let line = self.faults.line(&item.span());
                    self.wrong(line, key, "a list of texts", other);
                    return None;
                }
            }
        }
        Some(Located { value: texts, line })
    }

    /// A path: `~` is the home folder, a relative one starts at the config's own folder.
    pub fn path(&mut self, key: &'static str, places: Places<'_>) -> Option<PathBuf> {
        let text = self.text(key)?;
        let rest = text.value.strip_prefix('~');
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
        else {
            return Some(places.base.join(&text.value));
        };
        let Some(home) = places.home else {
            self.fault(text.line, format!("{key}: no home folder is known for ~; write it out"));
            return None;
        };
        let rest = rest.trim_start_matches(['/', '\\']);
        Some(if rest.is_empty() { home.to_owned() } else { home.join(rest) })
    }

    /// Ends the reading: what was not asked for is unknown.
    pub fn close(self) {
        for (key, _) in self.table.into_iter().flat_map(in_order) {
            let name = key.get_ref();
            if self.known.contains(name.as_ref()) {
                continue;
            }
            let what = if looks_secret(name) {
                format!(
                    "\"{name}\": a secret does not belong in this file; use \
                     password_command = [\"program\", \"argument\"] or keyring = true"
                )
            } else {
                let known: Vec<&str> = self.known.iter().copied().collect();
                let near = did_you_mean(name, &known);
                format!("unknown key \"{name}\" in [{}]{near}", self.name)
            };
            self.faults.add_at(&key.span(), what);
        }
    }

    fn value(&mut self, key: &'static str) -> Option<(usize, &'a DeValue<'t>)> {
        self.known.insert(key);
        let (name, value) = self.table?.get_key_value(key)?;
        Some((self.faults.line(&name.span()), value.get_ref()))
    }

    fn wrong(&mut self, line: usize, key: &str, wanted: &str, found: &DeValue<'_>) {
        self.fault(line, format!("{key} must be {wanted}, not {}", kind(found)));
    }
}

/// Whether a key's name promises a secret.
pub(super) fn looks_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let parts = ["password", "passwd", "passphrase", "secret", "token", "credential"];
    parts.iter().any(|part| key.contains(part)) || ["pass", "pw", "pwd"].contains(&key.as_str())
}
