//! One pattern of a rule, searched fast in every script.
//!
//! A word boundary (`\b`) asks what Unicode calls a letter. The automaton that finds patterns in one pass cannot ask
//! that of text beyond ASCII and hands over to an engine some hundred times slower. So such text is first searched
//! without the boundaries, which finds too much and never too little; only the sentences found are looked at closely.

use std::sync::OnceLock;

use regex::{Match, Regex, RegexBuilder};

use super::RulesError;

/// Memory for one compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

/// A compiled pattern: without regard to case, `^` and `$` at sentence ends, bounded in memory.
pub(super) struct Pattern {
    exact: Regex,
    /// The pattern without word boundaries, if it has any.
    loose: Option<String>,
    searcher: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Compiles a pattern of the rule `rule`.
    ///
    /// # Errors
    /// If it is no regular expression or too large.
    pub(super) fn compile(rule: &str, pattern: &str) -> Result<Self, RulesError> {
        let exact = build(pattern)
            .map_err(|source| RulesError { rule: rule.to_owned(), source: Box::new(source) })?;
        Ok(Self { exact, loose: without_boundaries(pattern), searcher: OnceLock::new() })
    }

    /// Whether the text holds the pattern.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.find_from(text, 0).is_some()
    }

    /// The matches, from left to right. Beyond ASCII none reaches over a line end.
    pub(super) fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        let (mut from, mut last) = (Some(0), None);
        std::iter::from_fn(move || {
            let mut found = self.find_from(text, from?)?;
            if found.is_empty() && last == Some(found.end()) {
                found = self.find_from(text, after_char(text, found.end())?)?;
            }
            last = Some(found.end());
            from = if found.is_empty() { after_char(text, found.end()) } else { last };
            Some(found)
        })
    }

    fn find_from<'t>(&self, text: &'t str, from: usize) -> Option<Match<'t>> {
        let searcher = match &self.loose {
            Some(loose) if !text.is_ascii() => self.searcher.get_or_init(|| build(loose).ok()),
            _ => &None,
        };
        let Some(searcher) = searcher else { return self.exact.find_at(text, from) };
        let mut from = from;
        loop {
            let near = searcher.find_at(text, from)?;
            let rest = text.get(near.end()..)?;
            let end = near.end() + rest.find('\n').unwrap_or(rest.len());
            if let Some(found) = self.exact.find_at(text.get(..end)?, near.start()) {
                return Some(found);
            }
            // A match that is empty at the line's end must not be found for ever.
            from = if end > from { end } else { after_char(text, end)? };
        }
    }
}

/// The place after the character at `at`.
fn after_char(text: &str, at: usize) -> Option<usize> {
    text.get(at..)?.chars().next().map(|c| at + c.len_utf8())
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(PATTERN_LIMIT)
        .dfa_size_limit(PATTERN_LIMIT)
        .build()
}

/// A pattern without its word boundaries; `None` if it has none, or is written in a way not followed here.
fn without_boundaries(pattern: &str) -> Option<String> {
    if pattern.contains("(?x") || pattern.contains(r"\b{") {
        return None;
    }
    let mut out = String::with_capacity(pattern.len());
    let (mut class, mut dropped) = (0_usize, false);
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('b' | 'B') if class == 0 => dropped = true,
                Some(escaped) => out.extend(['\\', escaped]),
                None => return None,
            },
            '[' => {
                class += 1;
                out.push('[');
                out.extend(letters.next_if_eq(&'^'));
                out.extend(letters.next_if_eq(&']'));
            }
            ']' => {
                class = class.saturating_sub(1);
                out.push(']');
            }
            other => out.push(other),
        }
    }
    dropped.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_taken_out_and_nothing_else() {
        for (pattern, loose) in [
            (r"\bpoc\b", Some("poc")),
            (r"a\\b", None),
            (r"[\\b\]]\B", Some(r"[\\b\]]")),
            (r"[]\d]\b", Some(r"[]\d]")),
            (r"\b{start}x", None),
            ("plain", None),
        ] {
            assert_eq!(without_boundaries(pattern).as_deref(), loose, "{pattern}");
        }
    }

    #[test]
    fn every_script_is_searched_as_the_plain_engine_does() {
        let texts = [
            "A PoC is attached. hypocrisy",
            "é hypocrisy and époc\nthen a PoC – here, PoC",
            "日本語poc 日本語 poc\n\n“poc”",
            "Prämie, prämien-poc\nprämie",
            "ä\n\n",
            "",
        ];
        for pattern in [r"\bpoc\b", r"prämien?\b", r"\bpoc", r"\b", r"^\s*$", r"poc\b.*$"] {
            let ours = Pattern::compile("rule", pattern).expect("compiles");
            let plain = build(pattern).expect("compiles");
            for text in texts {
                let found: Vec<_> = ours.find_iter(text).map(|m| m.range()).collect();
                let expected: Vec<_> = plain.find_iter(text).map(|m| m.range()).collect();
                assert_eq!(found, expected, "{pattern} in {text:?}");
                assert_eq!(ours.is_match(text), plain.is_match(text));
            }
        }
    }
}
