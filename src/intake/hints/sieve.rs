//! Which lines of a text a pattern can match at all, for all patterns in one pass.
//!
//! Running every pattern over every mail is most of the work of judging it, and nearly all of them match nothing.
//! But most patterns name words: of these one automaton is made, and a pattern is only run on the lines that hold
//! what it asks for. Some patterns can be matched in several ways, and a way may ask for several words. Absent on purpose: the patterns themselves ([`super::pattern`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

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
    folding: Folding,
    patterns: usize,
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
pub(super) struct Lines {
    lines: Vec<Range<usize>>,
    of_pattern: Vec<Vec<usize>>,
}

impl Lines {
    /// The lines for a pattern, in the order of the text, without their ends.
    pub(super) fn of(&self, pattern: usize) -> impl Iterator<Item = Range<usize>> {
        let known = self.of_pattern.get(pattern).map_or(&[][..], Vec::as_slice);
        known.iter().filter_map(|line| self.lines.get(*line).cloned())
    }

    fn add(&mut self, pattern: usize, line: usize) {
        if let Some(lines) = self.of_pattern.get_mut(pattern)
            && lines.last() != Some(&line)
        {
            lines.push(line);
        }
    }
}

impl Sieve {
    /// Looks for the words of patterns that are searched without regard to case.
    pub(super) fn of<'p>(patterns: impl Iterator<Item = &'p str>) -> Self {
        let mut sieve = Self {
            words: None,
            places: Vec::new(),
            ways: Vec::new(),
            always: Vec::new(),
            folding: Folding::default(),
            patterns: 0,
        };
        let mut words: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
        for pattern in patterns {
            sieve.take(pattern, &mut words);
        }
        sieve.words = AhoCorasick::new(words.keys()).ok();
        if sieve.words.is_none() {
            sieve.always = (0..sieve.patterns).collect();
        }
        sieve.places = words.into_values().collect();
        sieve
    }

    fn take(&mut self, pattern: &str, words: &mut BTreeMap<String, Vec<Asked>>) {
        let ways = ways(pattern, &mut self.folding);
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
                        let of = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
                        let apart = (
                            word.starts_with(BOUNDARY) && of(bare.chars().next()),
                            word.ends_with(BOUNDARY) && of(bare.chars().next_back()),
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

    /// The lines of `text` that each pattern may match.
    pub(super) fn lines(&self, text: &str) -> Lines {
        let mut found = Lines { lines: Vec::new(), of_pattern: vec![Vec::new(); self.patterns] };
        let (mut start, mut folded) = (0, String::new());
        // For each way the line that it was last seen on, and which of its groups were.
        let mut seen = vec![(usize::MAX, 0); self.ways.len()];
        for line in text.split('\n') {
            let number = found.lines.len();
            found.lines.push(start..start + line.len());
            start += line.len() + 1;
            self.always.iter().for_each(|pattern| found.add(*pattern, number));
            let Some(words) = &self.words else { continue };
            folded.clear();
            folded.extend(line.chars().map(|letter| self.folding.fold(letter)));
            for word in words.find_overlapping_iter(&folded) {
                let before = folded.get(..word.start()).and_then(|text| text.chars().next_back());
                let after = folded.get(word.end()..).and_then(|text| text.chars().next());
                let inside = (before.is_some_and(is_letter), after.is_some_and(is_letter));
                let places = self.places.get(word.pattern().as_usize());
                for Asked { way, bit, apart } in places.into_iter().flatten() {
                    let (Some(state), Some((pattern, all))) =
                        (seen.get_mut(*way), self.ways.get(*way))
                    else {
                        continue;
                    };
                    if apart.0 && inside.0 || apart.1 && inside.1 {
                        continue;
                    }
                    let before = if state.0 == number { state.1 } else { 0 };
                    *state = (number, before | bit);
                    if state.1 == *all {
                        found.add(*pattern, number);
                    }
                }
            }
        }
        found
    }
}

/// Whether this is a part of a word for sure.
fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() || letter.is_ascii_digit() || letter == '_'
}

/// One letter for all that a search without regard to case takes as equal: the first of them in Unicode.
#[derive(Default)]
struct Folding(BTreeMap<char, char>);

impl Folding {
    fn fold(&self, letter: char) -> char {
        if letter.is_ascii() {
            return letter.to_ascii_uppercase();
        }
        self.0.get(&letter).copied().unwrap_or(letter)
    }

    /// Takes note of a letter of a pattern.
    fn learn(&mut self, letter: char) -> char {
        let mut equal = ClassUnicode::new([ClassUnicodeRange::new(letter, letter)]);
        if equal.try_case_fold_simple().is_err() {
            return letter;
        }
        let first = equal.ranges().first().map_or(letter, ClassUnicodeRange::start);
        let others = equal.ranges().iter().flat_map(|range| range.start()..=range.end());
        self.0.extend(others.filter(|other| !other.is_ascii()).map(|other| (other, first)));
        first
    }
}

/// Ways of which every match goes one; empty, or with an empty one, if the pattern names no words.
fn ways(pattern: &str, folding: &mut Folding) -> Vec<Way> {
    let parser =
        ParserBuilder::new().case_insensitive(true).multi_line(true).build().parse(pattern);
    let Ok(parsed) = parser else { return Vec::new() };
    let mut ways = needs(&parsed, folding).ways;
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

/// How well words single out lines: the length of the shortest, then how few they are. `None` if they do not.
fn rarity(words: &Words) -> Option<(usize, Reverse<usize>)> {
    let length = |word: &String| word.chars().filter(|letter| *letter != BOUNDARY).count();
    let shortest = words.iter().map(length).min()?;
    // Two letters of a script with thousands are a word.
    let wide = |word: &String| word.chars().all(|letter| letter >= '\u{2e80}');
    let weight = if words.iter().all(wide) { 2 * shortest } else { shortest };
    (weight >= SHORTEST && words.len() <= MOST_WORDS)
        .then_some((weight.min(LONG_ENOUGH), Reverse(words.len())))
}

fn needs(part: &Hir, folding: &mut Folding) -> Needs {
    match part.kind() {
        HirKind::Look(Look::WordUnicode) => Needs::exactly(Words::from([BOUNDARY.into()])),
        HirKind::Empty | HirKind::Look(_) => Needs::exactly(Words::from([String::new()])),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) if !text.contains(['\n', BOUNDARY]) => {
                let text = text.chars().map(|letter| folding.learn(letter)).collect();
                Needs::exactly(Words::from([text]))
            }
            _ => Needs::nothing(),
        },
        HirKind::Class(Class::Unicode(class)) => letters(class, folding),
        HirKind::Class(Class::Bytes(_)) => Needs::nothing(),
        HirKind::Capture(group) => needs(&group.sub, folding),
        HirKind::Repetition(repeated) => {
            let sub = needs(&repeated.sub, folding);
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
        HirKind::Concat(parts) => row(parts, folding),
        HirKind::Alternation(parts) => choice(parts, folding),
    }
}

fn letters(class: &ClassUnicode, folding: &mut Folding) -> Needs {
    let span = |range: &ClassUnicodeRange| u32::from(range.end()) - u32::from(range.start());
    let count: u32 = class.ranges().iter().map(|range| span(range).saturating_add(1)).sum();
    let has_line_end =
        class.ranges().iter().any(|range| range.start() <= '\n' && '\n' <= range.end());
    if count > MOST_LETTERS || has_line_end {
        return Needs::nothing();
    }
    let all = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    Needs::exactly(all.map(|letter| folding.learn(letter).to_string()).collect())
}

/// Parts of which one matches: what is exact is one way, everything else a way of its own.
fn choice(parts: &[Hir], folding: &mut Folding) -> Needs {
    let (mut exact, mut ways, mut whole) = (Words::new(), Vec::new(), true);
    for part in parts {
        let sub = needs(part, folding);
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
fn row(parts: &[Hir], folding: &mut Folding) -> Needs {
    let empty = || Words::from([String::new()]);
    let (mut run, mut groups, mut ways) = (empty(), Way::new(), vec![Way::new()]);
    let mut whole = true;
    for part in parts {
        let sub = needs(part, folding);
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
    use super::*;

    fn asked(pattern: &str) -> String {
        let words = |group: &Words| {
            group.iter().cloned().collect::<Vec<_>>().join("/").replace(BOUNDARY, "'")
        };
        let way = |way: &Way| way.iter().map(words).collect::<Vec<_>>().join(" + ");
        ways(pattern, &mut Folding::default()).iter().map(way).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn words_are_asked_for_and_nothing_that_need_not_be_there() {
        for (pattern, expected) in [
            (
                r"proof(?:[- ]of[- ]concept)?\b",
                "PROOF'/PROOF OF CONCEPT'/PROOF OF-CONCEPT'/PROOF-OF CONCEPT'/PROOF-OF-CONCEPT'",
            ),
            (r"\b(?:poc|exploit)\b.{0,40}\battach\w*", "'ATTACH + 'EXPLOIT'/'POC'"),
            (r"(?:i|we) (?:can|could) read", "I CAN READ/I COULD READ/WE CAN READ/WE COULD READ"),
            (r"[a-z]+@example\.org", "@EXAMPLE.ORG"),
            (r"\bone\b|\btwo\s+three|four\d", "THREE + 'TWO | FOUR | 'ONE'"),
            (r"(?:abc)?x*", ""),
            (r"\d+\.\d+", ""),
            ("(?:poc|)", ""),
            ("第三方(?:库|组件)", "第三方库/第三方组件"),
        ] {
            assert_eq!(asked(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn letters_that_a_search_takes_as_equal_are_found() {
        let sieve = Sieve::of([r"\bklasse", "στιγμή", r"x\w+"].into_iter());
        let lines = sieve.lines("nothing\nder \u{212a}LA\u{17f}SE nach\nΣΤΙΓΜΉ\nςτιγμη");
        let of = |pattern| lines.of(pattern).count();
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
            let sieve = Sieve::of(patterns.into_iter());
            let lines = sieve.lines(&text);
            for (number, pattern) in patterns.iter().enumerate() {
                let plain = regex::RegexBuilder::new(pattern)
                    .case_insensitive(true).multi_line(true).build().expect("compiles");
                let mut start = 0;
                for line in text.split('\n') {
                    let range = start..start + line.len();
                    start = range.end + 1;
                    if plain.is_match(line) && !range.is_empty() {
                        proptest::prop_assert!(
                            lines.of(number).any(|known| known == range), "{} in {:?}", pattern, line
                        );
                    }
                }
            }
        }
    }
}
