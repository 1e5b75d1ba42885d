//! Families of words that the patterns of rules are put together of.
//!
//! A policy names a family once, `[[words]]` with `name` and `any`, and a pattern refers to it as `{name}`. A regular
//! expression has no other use for braces around a word, except after `\x`, `\p` and a backslash.

use std::collections::BTreeMap;

use crate::config::fields::Fields;

/// Longest pattern with its families written out, in bytes.
const LONGEST_PATTERN: usize = 64 * 1024;

/// Families by name, each written out and in a group of its own.
#[derive(Default)]
pub(super) struct Words(BTreeMap<String, String>);

impl Words {
    /// Reads the families in the order of the file; one may refer to those before it.
    pub(super) fn read(root: &Fields<'_, '_>) -> Self {
        let mut words = Self::default();
        for mut table in root.tables("words") {
            let name = table.text("name").to_owned();
            table.name = format!("words {name}");
            let any = words.written_out(&table, "any", table.text("any"));
            if !name.is_empty() && !is_name(&name) {
                table.fault("name", "may hold small letters and `-` only");
            } else if words.0.insert(name, format!("(?:{any})")).is_some() {
                table.fault("name", "stands there twice");
            }
            table.finish();
        }
        words
    }

    /// The pattern under `key` with every family in it written out.
    pub(super) fn written_out(
        &self,
        table: &Fields<'_, '_>,
        key: &'static str,
        pattern: &str,
    ) -> String {
        let (mut whole, mut rest) = (String::with_capacity(pattern.len()), pattern);
        while let Some((before, after)) = rest.split_once('{') {
            whole.push_str(before);
            let name = after.split_once('}').map(|(name, _)| name);
            let name = name.filter(|name| is_name(name) && !is_escape(before));
            let Some(name) = name else {
                whole.push('{');
                rest = after;
                continue;
            };
            match self.0.get(name) {
                Some(words) => whole.push_str(words),
                None => table.fault(key, &format!("refers to the words `{name}`: no such family")),
            }
            rest = after.get(name.len() + 1..).unwrap_or_default();
            if whole.len() > LONGEST_PATTERN {
                table.fault(key, &format!("written out is longer than {LONGEST_PATTERN} bytes"));
                return String::new();
            }
        }
        whole.push_str(rest);
        whole
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// Whether a brace after this text belongs to an escape, such as `\x{ff1a}`, `\p{alpha}` or `\{`.
fn is_escape(before: &str) -> bool {
    before.ends_with(['\\']) || ["\\x", "\\u", "\\p", "\\P"].iter().any(|e| before.ends_with(e))
}
