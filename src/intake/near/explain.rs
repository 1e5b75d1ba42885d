//! What two texts share, in words: names first, then the longest common phrases.

use std::collections::{BTreeMap, BTreeSet};

use super::sketch::{Features, Kind};

/// Most phrases and names told.
const TOLD_MAX: usize = 6;
/// Places of a pair of words that are tried.
const PLACES_MAX: usize = 8;

/// What both texts say, plainest first: names as folded, phrases as the first text writes them.
pub fn shared(of: &Features, other: &Features) -> Vec<String> {
    let common = of.by_hash.iter().filter(|(hash, _)| other.by_hash.contains_key(hash));
    let mut names: Vec<&(Kind, String)> = common
        .map(|(_, feature)| feature)
        .filter(|(kind, _)| *kind < Kind::Pair && *kind != Kind::RouteStart)
        .collect();
    names.sort();
    let names = names.into_iter().map(|(kind, text)| told(*kind, text));
    let mut out: Vec<String> = names.take(TOLD_MAX).collect();
    for phrase in phrases(of, other) {
        if out.len() >= TOLD_MAX + 2 {
            break;
        }
        out.push(phrase);
    }
    if out.len() < 3 {
        out.extend(single_words(of, other, 5 - out.len()));
    }
    out
}

fn told(kind: Kind, text: &str) -> String {
    let known = crate::domain::cwe::find(text).filter(|_| kind == Kind::Class);
    let Some(known) = known else { return text.to_owned() };
    // `Improper Neutralization of … ('Cross-site Scripting')`: the word in brackets is the one in use.
    let short = known.name.split_once("('").and_then(|(_, rest)| rest.split_once("')"));
    format!("{text} {}", short.map_or(known.name, |(short, _)| short))
}

/// The longest runs of words that stand in both texts, at least two words each, longest first.
fn phrases(of: &Features, other: &Features) -> Vec<String> {
    let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, pair) in other.words.windows(2).enumerate() {
        if let [first, second] = pair {
            let known = places.entry((&first.stem, &second.stem)).or_default();
            if known.len() < PLACES_MAX {
                known.push(at);
            }
        }
    }
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some([first, second]) = of.words.get(at..at + 2) {
        let starts = places.get(&(first.stem.as_str(), second.stem.as_str()));
        let longest = starts.into_iter().flatten().map(|start| run(of, other, at, *start)).max();
        match longest {
            Some(length) => {
                runs.push((at, length));
                at += length;
            }
            None => at += 1,
        }
    }
    runs.sort_by_key(|(at, length)| (std::cmp::Reverse(*length), *at));
    let mut seen = BTreeSet::new();
    let phrase = |(at, length): (usize, usize)| {
        let words = of.words.get(at..at + length.min(12)).unwrap_or_default();
        let shown: Vec<&str> = words.iter().map(|word| word.shown.as_str()).collect();
        shown.join(" ")
    };
    runs.into_iter().map(phrase).filter(|text| seen.insert(text.to_lowercase())).take(4).collect()
}

/// How many words from here on are the same.
fn run(of: &Features, other: &Features, at: usize, start: usize) -> usize {
    let own = of.words.iter().skip(at);
    own.zip(other.words.iter().skip(start)).take_while(|(a, b)| a.stem == b.stem).count()
}

fn single_words(of: &Features, other: &Features, count: usize) -> Vec<String> {
    let theirs: BTreeSet<&str> = other.words.iter().map(|word| word.stem.as_str()).collect();
    let mut seen = BTreeSet::new();
    let own = of.words.iter().filter(|word| theirs.contains(word.stem.as_str()));
    let rare = own.filter(|word| !super::words::is_common(&word.stem));
    rare.filter(|word| seen.insert(&word.stem)).take(count).map(|word| word.shown.clone()).collect()
}
