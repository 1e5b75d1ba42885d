//! Which lines of a text a pattern can match at all, for all patterns in one pass.
//!
//! Running every pattern over every mail is most of the work of judging it, and nearly all of them match nothing.
//! But most patterns name words: of these one automaton is made, and a pattern is only run on the lines that hold
//! what it asks for. Some patterns can be matched in several ways, and a way may ask for several words. Absent on purpose: the patterns themselves ([`super::pattern`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use regex_syntax::hir::Look;

use super::letters::{Letters, Text};
use super::tree::{Named, Tree};

/// Stands in a word for a word boundary (`\b`).
const BOUNDARY: char = '\0';

/// Words of which one must be there.
type Words = BTreeSet<String>;
/// Groups of words of which each must be there.
type Way = Vec<Words>;

/// Words of one group; a larger one is left out.
const MOST_WORDS: usize = 512;
/// Words that are put together from alternatives in a row.
const MOST_JOINED: usize = 64;
/// Ways kept apart; more are made one.
const MOST_WAYS: usize = 64;
/// Groups of one way; of more the best are taken.
const MOST_GROUPS: usize = 4;
/// Shorter words stand in almost every line.
const SHORTEST: usize = 2;
/// A longer word is not rarer by much.
const LONG_ENOUGH: usize = 6;
/// Letters of a class that are taken as alternatives.
const MOST_LETTERS: u32 = 40;

/// The words of a set of patterns, numbered in the order given.
pub(super) struct Sieve {
    words: Option<AhoCorasick>,
    /// For each word of the automaton where it belongs.
    places: Vec<Vec<Asked>>,
    /// For each way its pattern, and the bits of all its groups.
    ways: Vec<(usize, u8)>,
    /// Patterns that any line can match.
    always: Vec<usize>,
    patterns: usize,
}

/// What the letters of a pattern are in a text.
#[derive(Clone, Copy)]
pub(super) struct Alphabet<'a> {
    pub(super) letters: &'a Letters,
    pub(super) named: &'a Named,
}

/// Where a word belongs.
struct Asked {
    way: usize,
    /// Its group there.
    bit: u8,
    /// Whether no letter may stand right before it, and right after it.
    apart: (bool, bool),
}

/// The lines that each pattern has to be run on.
pub(super) struct Lines(Vec<Vec<usize>>);

impl Lines {
    /// The numbers of the lines for a pattern, in the order of the text.
    pub(super) fn of(&self, pattern: usize) -> &[usize] {
        self.0.get(pattern).map_or(&[][..], Vec::as_slice)
    }

    fn add(&mut self, pattern: usize, line: usize) {
        if let Some(lines) = self.0.get_mut(pattern)
            && lines.last() != Some(&line)
        {
            lines.push(line);
        }
    }
}

impl Sieve {
    /// Looks for the words of patterns that are searched without regard to case, in this alphabet.
    pub(super) fn of<'p>(patterns: impl Iterator<Item = &'p Tree>, alphabet: Alphabet<'_>) -> Self {
        let mut sieve = Self {
            words: None,
            places: Vec::new(),
            ways: Vec::new(),
            always: Vec::new(),
            patterns: 0,
        };
        let mut words: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
        for pattern in patterns {
            sieve.take(ways(pattern, alphabet), &mut words);
        }
        sieve.words = AhoCorasick::new(words.keys()).ok();
        if sieve.words.is_none() {
            sieve.always = (0..sieve.patterns).collect();
        }
        sieve.places = words.into_values().collect();
        sieve
    }

    fn take(&mut self, ways: Vec<Way>, words: &mut BTreeMap<String, Vec<Asked>>) {
        if ways.is_empty() || ways.iter().any(Vec::is_empty) {
            self.always.push(self.patterns);
        } else {
            for way in ways {
                let mut all = 0;
                for (group, bit) in way.into_iter().zip((0..u8::BITS).map(|at| 1 << at)) {
                    all |= bit;
                    for word in group {
                        let bare = word.replace(BOUNDARY, "");
                        // Beside a letter; beside anything else a boundary asks for a letter.
                        let of = |end: Option<u8>| end.is_some_and(is_letter);
                        let apart = (
                            word.starts_with(BOUNDARY) && of(bare.bytes().next()),
                            word.ends_with(BOUNDARY) && of(bare.bytes().next_back()),
                        );
                        let asked = Asked { way: self.ways.len(), bit, apart };
                        words.entry(bare).or_default().push(asked);
                    }
                }
                self.ways.push((self.patterns, all));
            }
        }
        self.patterns += 1;
    }

    /// The lines of a text that each pattern may match.
    pub(super) fn lines(&self, text: &Text<'_>, letters: &Letters) -> Lines {
        let folded = text.folded(letters);
        let bytes = folded.as_bytes();
        let mut ends = folded.match_indices('\n').map(|(at, _)| at).chain([bytes.len()]);
        let mut found = Lines(vec![Vec::new(); self.patterns]);
        for line in 0..text.count() {
            self.always.iter().for_each(|pattern| found.add(*pattern, line));
        }
        let Some(words) = &self.words else { return found };
        let (mut line, mut line_end) = (0, ends.next().unwrap_or_default());
        // For each way the line that it was last seen on, and which of its groups were.
        let mut seen = vec![(usize::MAX, 0); self.ways.len()];
        for word in words.find_overlapping_iter(bytes) {
            while line_end < word.start() {
                let Some(end) = ends.next() else { break };
                (line, line_end) = (line + 1, end);
            }
            let before = word.start().checked_sub(1).and_then(|at| bytes.get(at));
            let beside = |byte: Option<&u8>| byte.is_some_and(|byte| is_letter(*byte));
            let inside = (beside(before), beside(bytes.get(word.end())));
            let places = self.places.get(word.pattern().as_usize());
            for Asked { way, bit, apart } in places.into_iter().flatten() {
                if apart.0 && inside.0 || apart.1 && inside.1 {
                    continue;
                }
                let (Some(state), Some((pattern, all))) = (seen.get_mut(*way), self.ways.get(*way))
                else {
                    continue;
                };
                let before = if state.0 == line { state.1 } else { 0 };
                *state = (line, before | bit);
                if state.1 == *all {
                    found.add(*pattern, line);
                }
            }
        }
        found
    }
}

/// Whether this byte of a text in the alphabet is a letter for sure; of rare ones it is not known.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Ways of which every match goes one; empty, or with an empty one, if the pattern names no words.
fn ways(pattern: &Tree, alphabet: Alphabet<'_>) -> Vec<Way> {
    let mut ways = needs(pattern, alphabet).ways;
    for group in ways.iter_mut().flatten() {
        // Where a word is found, a longer one that holds it says nothing new.
        let all = group.clone();
        group.retain(|word| {
            !all.iter().any(|other| other.len() < word.len() && word.contains(other.as_str()))
        });
    }
    ways
}

/// What one part of a pattern asks for.
struct Needs {
    /// All that it can match, if that is little.
    exact: Option<Words>,
    /// Ways of which every match goes one.
    ways: Vec<Way>,
}

impl Needs {
    fn nothing() -> Self {
        Self { exact: None, ways: vec![Way::new()] }
    }

    fn exactly(texts: Words) -> Self {
        let way = rarity(&texts).map(|_| texts.clone()).into_iter().collect();
        Self { ways: vec![way], exact: Some(texts) }
    }
}

/// How well words single out lines: the length of the shortest, rare letters doubled, then how few they are. `None` if they do not.
fn rarity(words: &Words) -> Option<(usize, Reverse<usize>)> {
    let says = |letter: char| match letter {
        BOUNDARY => 0,
        seldom if is_seldom(seldom) => 2,
        _ => 1,
    };
    let weight = words.iter().map(|word| word.chars().map(says).sum::<usize>()).min()?;
    (weight >= SHORTEST && words.len() <= MOST_WORDS)
        .then_some((weight.min(LONG_ENOUGH), Reverse(words.len())))
}

/// Whether a letter of the alphabet is so rare in prose that one says as much as two others: of a script with
/// thousands, or a sign.
fn is_seldom(letter: char) -> bool {
    let sign = letter.is_ascii_punctuation() && !"!\"'()*,-./:_".contains(letter);
    let stands = letter.is_ascii_uppercase() || letter.is_ascii_control() || !letter.is_ascii();
    letter != BOUNDARY && letter != '\t' && (sign || stands)
}

fn needs(part: &Tree, alphabet: Alphabet<'_>) -> Needs {
    match part {
        Tree::Look(Look::WordUnicode) => Needs::exactly(Words::from([BOUNDARY.into()])),
        Tree::Empty | Tree::Look(_) => Needs::exactly(Words::from([String::new()])),
        Tree::Text(text) if !text.contains(['\n', BOUNDARY]) => {
            let text = text.chars().map(|letter| alphabet.letters.fold(letter)).collect();
            Needs::exactly(Words::from([text]))
        }
        Tree::Text(_) | Tree::Foreign => Needs::nothing(),
        Tree::Class(number) => one_of_class(alphabet.named.ranges(*number), alphabet.letters),
        Tree::Repeated(repeated) => {
            let sub = needs(&repeated.sub, alphabet);
            match (repeated.min, repeated.max, sub.exact) {
                (0, Some(1), Some(mut exact)) => {
                    exact.insert(String::new());
                    Needs::exactly(exact)
                }
                (0, ..) => Needs::nothing(),
                (1, Some(1), exact) => Needs { exact, ways: sub.ways },
                _ => Needs { exact: None, ways: sub.ways },
            }
        }
        Tree::Row(parts) => row(parts, alphabet),
        Tree::Choice(parts) => choice(parts, alphabet),
    }
}

fn one_of_class(ranges: &[(u32, u32)], letters: &Letters) -> Needs {
    let count: u32 = ranges.iter().map(|(start, end)| (end - start).saturating_add(1)).sum();
    let line_end = u32::from('\n');
    let has_line_end = ranges.iter().any(|(start, end)| *start <= line_end && line_end <= *end);
    let has_mark = ranges.first().is_some_and(|(start, _)| *start == u32::from(BOUNDARY));
    if count > MOST_LETTERS || has_line_end || has_mark {
        return Needs::nothing();
    }
    let all = ranges.iter().flat_map(|(start, end)| *start..=*end).filter_map(char::from_u32);
    Needs::exactly(all.map(|letter| letters.fold(letter).to_string()).collect())
}

/// Parts of which one matches: what is exact is one way, everything else a way of its own.
fn choice(parts: &[Tree], alphabet: Alphabet<'_>) -> Needs {
    let (mut exact, mut ways, mut whole) = (Words::new(), Vec::new(), true);
    for part in parts {
        let sub = needs(part, alphabet);
        match sub.exact {
            Some(texts) => exact.extend(texts),
            None => {
                whole = false;
                ways.extend(sub.ways);
            }
        }
    }
    if whole && exact.len() <= MOST_JOINED {
        return Needs::exactly(exact);
    }
    if !exact.is_empty() {
        ways.extend(Needs::exactly(exact).ways);
    }
    if ways.len() > MOST_WAYS {
        ways = vec![one_of(&ways).into_iter().collect()];
    }
    Needs { exact: None, ways }
}

/// The best group of each way, as one.
fn one_of(ways: &[Way]) -> Option<Words> {
    let best = |way: &Way| way.iter().max_by_key(|group| rarity(group)).cloned();
    let all: Option<Vec<Words>> = ways.iter().map(best).collect();
    Some(all?.into_iter().flatten().collect()).filter(|words| rarity(words).is_some())
}

/// Parts one after another: the words of each, and of neighbours put together.
fn row(parts: &[Tree], alphabet: Alphabet<'_>) -> Needs {
    let empty = || Words::from([String::new()]);
    let (mut run, mut groups, mut ways) = (empty(), Way::new(), vec![Way::new()]);
    let mut whole = true;
    for part in parts {
        let sub = needs(part, alphabet);
        let exact = sub.exact.filter(|exact| exact.len() * run.len() <= MOST_JOINED);
        if let Some(exact) = exact {
            let join = |start: &String| {
                let start = start.clone();
                exact.iter().map(move |end| format!("{start}{end}"))
            };
            run = run.iter().flat_map(join).collect();
            continue;
        }
        whole = false;
        groups.push(std::mem::replace(&mut run, empty()));
        if sub.ways.len() * ways.len() <= MOST_WAYS {
            let with = |way: &Way| {
                let way = way.clone();
                sub.ways.iter().map(move |more| [way.as_slice(), more.as_slice()].concat())
            };
            ways = ways.iter().flat_map(with).collect();
        } else {
            groups.extend(one_of(&sub.ways));
        }
    }
    if whole {
        return Needs::exactly(run);
    }
    groups.push(run);
    groups.retain(|group| rarity(group).is_some());
    for way in &mut ways {
        way.extend_from_slice(&groups);
        way.sort_by_key(|group| Reverse(rarity(group)));
        way.dedup();
        way.truncate(MOST_GROUPS);
    }
    Needs { exact: None, ways }
}

#[cfg(test)]
mod tests {
    use regex_syntax::ParserBuilder;

    use super::*;

    /// Trees and alphabet of some patterns.
    fn parsed(patterns: &[&str]) -> (Vec<Tree>, Named, Letters) {
        let mut named = Named::new();
        let mut parse = |pattern: &&str| {
            let mut builder = ParserBuilder::new();
            builder.case_insensitive(true).multi_line(true);
            named.tree(&builder.build().parse(pattern).expect("a pattern"))
        };
        let trees: Vec<Tree> = patterns.iter().map(&mut parse).collect();
        let letters = Letters::of(&named).0;
        (trees, named, letters)
    }

    fn sieve(patterns: &[&str]) -> (Sieve, Letters) {
        let (trees, named, letters) = parsed(patterns);
        (Sieve::of(trees.iter(), Alphabet { letters: &letters, named: &named }), letters)
    }

    /// What a pattern asks for, and some text in its alphabet.
    fn asked(pattern: &str, text: &str) -> (String, String) {
        let words = |group: &Words| {
            group.iter().cloned().collect::<Vec<_>>().join("/").replace(BOUNDARY, "'")
        };
        let way = |way: &Way| way.iter().map(words).collect::<Vec<_>>().join(" + ");
        let (trees, named, letters) = parsed(&[pattern]);
        let alphabet = Alphabet { letters: &letters, named: &named };
        let asked = ways(&trees[0], alphabet).iter().map(way).collect::<Vec<_>>().join(" | ");
        (asked, text.chars().map(|letter| letters.fold(letter)).collect())
    }

    #[test]
    fn words_are_asked_for_and_nothing_that_need_not_be_there() {
        for (pattern, expected) in [
            (
                r"proof(?:[- ]of[- ]concept)?\b",
                "proof'/proof of concept'/proof of-concept'/proof-of concept'/proof-of-concept'",
            ),
            (r"\b(?:poc|exploit)\b.{0,40}\battach\w*", "'attach + 'exploit'/'poc'"),
            (r"(?:i|we) (?:can|could) read", "i can read/i could read/we can read/we could read"),
            (r"[a-z]+@example\.org", "@example.org"),
            (r"\bone\b|\btwo\s+three|four\d", "three + 'two | four | 'one'"),
            (r"(?:abc)?x*", ""),
            (r"\d+\.\d+", ""),
            ("(?:poc|)", ""),
            ("第三方(?:库|组件)", "第三方库/第三方组件"),
        ] {
            let (found, expected) = asked(pattern, expected);
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn letters_that_a_search_takes_as_equal_are_found() {
        let (sieve, letters) = sieve(&[r"\bklasse", "στιγμή", r"x\w+"]);
        let text = letters.text("nothing\nder \u{212a}LA\u{17f}SE nach\nΣΤΙΓΜΉ\nςτιγμη");
        let lines = sieve.lines(&text, &letters);
        let of = |pattern| lines.of(pattern).len();
        assert_eq!((of(0), of(1), of(2)), (1, 1, 4));
    }

    proptest::proptest! {
        /// Whatever a pattern matches lies in a line that is looked at.
        #[test]
        fn no_match_is_missed(text in "(?i)[a-ckpos\u{17f}\u{212a}\u{1c82} \n.]{0,60}") {
            let patterns = [
                r"\b(?:poc|a[bc]+)\b", r"k(?:a|b)?s", r"(?:co|ko)p?s\b", r"^\s*a", r"c.{0,3}o",
                r"(?:a|b|c){2}", r"(?:so|po)\W+(?:ca|ok)?", r"\bo?p+c?", "",
                r"po.{0,9}c[ao]|ks?\W|\bs+o|a.*k.*p",
            ];
            let (sieve, letters) = sieve(&patterns);
            let lines = sieve.lines(&letters.text(&text), &letters);
            for (number, pattern) in patterns.iter().enumerate() {
                let plain = regex::RegexBuilder::new(pattern)
                    .case_insensitive(true).multi_line(true).build().expect("compiles");
                for (at, line) in text.split('\n').enumerate() {
                    if plain.is_match(line) {
                        proptest::prop_assert!(
                            lines.of(number).contains(&at), "{} in {:?}", pattern, line
                        );
                    }
                }
            }
        }
    }
}
