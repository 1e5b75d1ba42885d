//! One pattern of a rule, searched fast in every script.
//!
//! What is searched is the text in the alphabet of the patterns ([`super::letters`]): there, every pattern is one of
//! ASCII. It is compiled when the first text comes that it may match; most patterns wait for long. Only a line with a
//! letter that has no place in the alphabet, and that the pattern names, is searched as it was written. There, a word
//! boundary (`\b`) asks what Unicode calls a letter. The automaton that finds patterns in one pass cannot ask that of
//! text beyond ASCII and hands over to an engine some hundred times slower. So such text is first searched without
//! the boundaries, which finds too much and never too little; only what is found is looked at closely.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::RulesError;
use super::letters::{Classes, Letters, Rare, Words};
use super::tree::{Named, Tree};

/// Memory for one compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;
/// Memory for the automaton that a thread builds of it while it searches, in bytes. Few of the some hundred patterns
/// come near to it; where it is too little for one, that is searched a hundred times slower.
const SEARCH_LIMIT: usize = 1 << 18;

/// A pattern: without regard to case, `^` and `$` at sentence ends, bounded in memory. A match does not reach over a
/// line end.
pub(super) struct Pattern {
    source: String,
    /// As read, until it is written in the alphabet.
    tree: Tree,
    /// In the alphabet, with the rare letters that it tells apart.
    plain: Option<(String, Rare)>,
    compiled: OnceLock<Option<Regex>>,
    alone: OnceLock<Option<Alone>>,
    whole: OnceLock<Option<Whole>>,
}

/// The pattern in an alphabet of its own, in which more of its letters have a place.
struct Alone {
    letters: Letters,
    plain: Regex,
    rare: Rare,
}

/// The pattern for text as it was written.
struct Whole {
    exact: Regex,
    /// The pattern without word boundaries, if it has any.
    loose: Option<Regex>,
}

impl Pattern {
    /// Reads a pattern of the rule `rule`. It matches nothing before [`Pattern::settle`].
    ///
    /// # Errors
    /// If it is no regular expression.
    pub(super) fn parse(rule: &str, pattern: &str, named: &mut Named) -> Result<Self, RulesError> {
        let failed = |error: Box<regex_syntax::Error>| RulesError {
            rule: rule.to_owned(),
            source: Box::new(regex::Error::Syntax(error.to_string())),
        };
        Ok(Self {
            source: pattern.to_owned(),
            tree: named.tree(&parse(pattern).map_err(failed)?),
            plain: None,
            compiled: OnceLock::new(),
            alone: OnceLock::new(),
            whole: OnceLock::new(),
        })
    }

    /// As read; empty once it is settled.
    pub(super) const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Writes it in the alphabet.
    pub(super) fn settle(&mut self, classes: &Classes<'_>) {
        // Printed, letter cases and lines are no flags any more.
        let tree = std::mem::replace(&mut self.tree, Tree::Empty);
        self.plain = classes.pattern(&tree).map(|(tree, rare)| (tree.to_string(), rare));
    }

    /// Lets go of what searches have built up for each thread; what is compiled stays.
    pub(super) fn rest(&mut self) {
        let (compiled, alone) = (self.compiled.get_mut(), self.alone.get_mut());
        let plain = alone.into_iter().flatten().map(|alone| &mut alone.plain);
        let whole = self.whole.get_mut().into_iter().flatten();
        let whole = whole.flat_map(|whole| whole.loose.iter_mut().chain([&mut whole.exact]));
        for regex in compiled.into_iter().flatten().chain(plain).chain(whole) {
            // A copy shares what is compiled and nothing else.
            *regex = regex.clone();
        }
    }

    /// What finds it in a text in the alphabet; `None` if these words have to be searched as written.
    fn plain(&self, words: &Words<'_>) -> Option<&Regex> {
        let (pattern, _) = self.plain.as_ref().filter(|(_, rare)| !rare.meets(words.rare))?;
        self.compiled.get_or_init(|| build_plain(pattern).ok()).as_ref()
    }

    /// Whether the text holds the pattern.
    pub(super) fn is_match(&self, words: Words<'_>) -> bool {
        match self.plain(&words) {
            Some(plain) => plain.is_match(words.plain),
            None => words.shown.split('\n').any(|line| self.is_in_line(line)),
        }
    }

    fn is_in_line(&self, line: &str) -> bool {
        let compile = || {
            let mut named = Named::new();
            let tree = named.tree(&parse(&self.source).ok()?);
            let (letters, classes) = Letters::of(&named);
            let (plain, rare) = classes.pattern(&tree)?;
            Some(Alone { letters, plain: build_plain(&plain.to_string()).ok()?, rare })
        };
        let alone = self.alone.get_or_init(compile).as_ref();
        let found = alone.and_then(|alone| {
            let text = alone.letters.text(line);
            let words = text.whole();
            (!alone.rare.meets(words.rare)).then(|| alone.plain.is_match(words.plain))
        });
        found.unwrap_or_else(|| self.find_from(line, 0).is_some())
    }

    /// The same of a short text that is not in the alphabet yet.
    pub(super) fn is_in(&self, letters: &Letters, text: &str) -> bool {
        self.is_match(letters.text(text).whole())
    }

    /// At most `limit` matches, from left to right, as bytes of the text as written.
    pub(super) fn find(&self, words: Words<'_>, limit: usize) -> Vec<Range<usize>> {
        let Some(plain) = self.plain(&words) else {
            return self.find_slowly(words.shown).take(limit).collect();
        };
        let found = plain.find_iter(words.plain).take(limit).map(|found| found.range());
        let mut place = words.places();
        found.map(|found| place(found.start)..place(found.end)).collect()
    }

    fn find_slowly(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
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
                Some(at + found.start..at + found.end)
            })
        })
    }

    fn find_from(&self, line: &str, from: usize) -> Option<Range<usize>> {
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

/// The place after the character at `at`.
fn after_char(text: &str, at: usize) -> Option<usize> {
    text.get(at..)?.chars().next().map(|c| at + c.len_utf8())
}

fn parse(pattern: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    let mut builder = ParserBuilder::new();
    builder.case_insensitive(true).multi_line(true);
    builder.build().parse(pattern).map_err(Box::new)
}

fn build_plain(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(PATTERN_LIMIT).dfa_size_limit(SEARCH_LIMIT).build()
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
            let mut named = Named::new();
            let mut ours = Pattern::parse("rule", pattern, &mut named).expect("compiles");
            let (letters, classes) = Letters::of(&named);
            ours.settle(&classes);
            let plain = build(pattern).expect("compiles");
            for text in texts {
                let found = ours.find(letters.text(text).whole(), usize::MAX);
                let mut expected: Vec<Range<usize>> = Vec::new();
                let mut at = 0;
                for line in text.split('\n') {
                    let shift = |m: regex::Match<'_>| at + m.start()..at + m.end();
                    expected.extend(plain.find_iter(line).map(shift));
                    at += line.len() + 1;
                }
                assert_eq!(found, expected, "{pattern} in {text:?}");
                assert_eq!(ours.is_in(&letters, text), !expected.is_empty());
            }
        }
    }
}
