//! One pattern of a rule, searched fast in every script.
//!
//! A line of plain ASCII, as most are, is searched by the pattern without all that only other scripts can match: its
//! automaton has a hundredth of the states. The whole pattern is compiled when the first other line comes. There, a
//! word boundary (`\b`) asks what Unicode calls a letter. The automaton that finds patterns in one pass cannot ask
//! that of text beyond ASCII and hands over to an engine some hundred times slower. So such text is first searched
//! without the boundaries, which finds too much and never too little; only what is found is looked at closely.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use super::RulesError;

/// Memory for one compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;
/// Memory for the automaton that a thread builds of it while it searches, in bytes. There are some hundred patterns.
const SEARCH_LIMIT: usize = 1 << 18;

/// A compiled pattern: without regard to case, `^` and `$` at sentence ends, bounded in memory. A match does not
/// reach over a line end.
pub(super) struct Pattern {
    /// What ASCII text can match of it.
    ascii: Regex,
    source: String,
    whole: OnceLock<Option<Whole>>,
}

/// The pattern for text beyond ASCII.
struct Whole {
    exact: Regex,
    /// The pattern without word boundaries, if it has any.
    loose: Option<Regex>,
}

impl Pattern {
    /// Compiles a pattern of the rule `rule`.
    ///
    /// # Errors
    /// If it is no regular expression or too large.
    pub(super) fn compile(rule: &str, pattern: &str) -> Result<Self, RulesError> {
        let failed = |source| RulesError { rule: rule.to_owned(), source: Box::new(source) };
        let parser =
            ParserBuilder::new().case_insensitive(true).multi_line(true).build().parse(pattern);
        let parsed = parser.map_err(|error| failed(regex::Error::Syntax(error.to_string())))?;
        // Printed, letter cases and lines are no flags any more.
        let ascii = RegexBuilder::new(&in_ascii(&parsed).to_string())
            .size_limit(PATTERN_LIMIT)
            .dfa_size_limit(SEARCH_LIMIT)
            .build()
            .map_err(failed)?;
        Ok(Self { ascii, source: pattern.to_owned(), whole: OnceLock::new() })
    }

    /// Whether the text holds the pattern.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.find_iter(text).next().is_some()
    }

    /// The matches, from left to right.
    pub(super) fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Found<'t>> {
        let mut start = 0;
        text.split('\n').flat_map(move |line| {
            let at = start;
            start += line.len() + 1;
            let (mut from, mut last) = (Some(0), None);
            std::iter::from_fn(move || {
                let mut found = self.find_from(line, from?)?;
                if found.is_empty() && last == Some(found.end) {
                    found = self.find_from(line, after_char(line, found.end)?)?;
                }
                last = Some(found.end);
                from = if found.is_empty() { after_char(line, found.end) } else { last };
                Some(Found { text, range: at + found.start..at + found.end })
            })
        })
    }

    fn find_from(&self, line: &str, from: usize) -> Option<Range<usize>> {
        if line.is_ascii() {
            return self.ascii.find_at(line, from).map(|found| found.range());
        }
        let compile = || {
            let exact = build(&self.source).ok()?;
            let loose = without_boundaries(&self.source).and_then(|loose| build(&loose).ok());
            Some(Whole { exact, loose })
        };
        let whole = self.whole.get_or_init(compile).as_ref()?;
        let from = match &whole.loose {
            Some(loose) => loose.find_at(line, from)?.start(),
            None => from,
        };
        whole.exact.find_at(line, from).map(|found| found.range())
    }
}

/// A match.
pub(super) struct Found<'t> {
    text: &'t str,
    range: Range<usize>,
}

impl<'t> Found<'t> {
    /// The words.
    pub(super) fn as_str(&self) -> &'t str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// Its bytes in the text.
    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Its first byte.
    pub(super) fn start(&self) -> usize {
        self.range.start
    }

    /// One past its last byte.
    pub(super) fn end(&self) -> usize {
        self.range.end
    }
}

/// What is left of a pattern where the text is ASCII.
fn in_ascii(part: &Hir) -> Hir {
    match part.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Literal(literal) if !literal.0.is_ascii() => Hir::fail(),
        // Among ASCII the letters are the same.
        HirKind::Look(Look::WordUnicode) => Hir::look(Look::WordAscii),
        HirKind::Look(Look::WordUnicodeNegate) => Hir::look(Look::WordAsciiNegate),
        HirKind::Repetition(repeated) => Hir::repetition(repeated.with(in_ascii(&repeated.sub))),
        HirKind::Capture(group) => in_ascii(&group.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(in_ascii).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(in_ascii).collect()),
        _ => part.clone(),
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
        .dfa_size_limit(SEARCH_LIMIT)
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
        for pattern in [
            r"\bpoc\b",
            r"(?:prämien?|hypo\w+|\x{2013})\b",
            r"\bpoc",
            r"\b",
            r"\B",
            r"^\s*$",
            r"[^a]poc\b.*$",
            "prämie",
        ] {
            let ours = Pattern::compile("rule", pattern).expect("compiles");
            let plain = build(pattern).expect("compiles");
            for text in texts {
                let found: Vec<_> = ours.find_iter(text).map(|m| m.range()).collect();
                let mut expected: Vec<Range<usize>> = Vec::new();
                let mut at = 0;
                for line in text.split('\n') {
                    let shift = |m: regex::Match<'_>| at + m.start()..at + m.end();
                    expected.extend(plain.find_iter(line).map(shift));
                    at += line.len() + 1;
                }
                assert_eq!(found, expected, "{pattern} in {text:?}");
                assert_eq!(ours.is_match(text), !expected.is_empty());
            }
        }
    }
}
