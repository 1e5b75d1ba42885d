//! Pairing the sentences of two versions.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::policy_text::plain_heading;

/// A sentence on one side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unit {
    /// Its name.
    pub hash: String,
    /// Where it stands.
    pub heading: String,
    /// Its words, where they are known.
    pub text: Option<String>,
}

/// One sentence before and after.
pub(super) type Pair<'u> = (Option<&'u Unit>, Option<&'u Unit>);

/// Share of common words, in hundredths, from which two sentences count as one that was changed.
const ALIKE: usize = 50;

/// Most sentences without a partner on each side that are compared by their words; a text with more was replaced.
const MOST_COMPARED: usize = 400;

/// Pairs by name first, wherever a sentence stands; then by words; then by place. In the order of `new`, a sentence
/// without a partner there after the one that it followed.
pub(super) fn align<'u>(old: &'u [Unit], new: &'u [Unit]) -> Vec<Pair<'u>> {
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut waiting: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
    for (at, unit) in old.iter().enumerate() {
        waiting.entry(&unit.hash).or_default().push_back(at);
    }
    for (unit, slot) in new.iter().zip(&mut partner) {
        *slot = waiting.get_mut(unit.hash.as_str()).and_then(VecDeque::pop_front);
    }
    // A sentence that stands twice in one version and once in the other has not changed.
    let names = |units: &'u [Unit]| units.iter().map(|u| u.hash.as_str()).collect::<Vec<_>>();
    let (old_names, new_names) = (names(old), names(new));
    let mut free: Vec<usize> = waiting.into_values().flatten().collect();
    free.retain(|at| old.get(*at).is_some_and(|unit| !new_names.contains(&unit.hash.as_str())));
    free.sort_unstable();
    let mut open: Vec<usize> = (0..new.len())
        .filter(|at| partner.get(*at).is_some_and(Option::is_none))
        .filter(|at| new.get(*at).is_some_and(|unit| !old_names.contains(&unit.hash.as_str())))
        .collect();
    by_words(old, new, &mut free, &mut open, &mut partner);
    by_place(old, new, &mut free, &mut open, &mut partner);
    assemble(old, new, &partner, &free)
}

fn take(list: &mut Vec<usize>, value: usize) {
    list.retain(|at| *at != value);
}

/// The pairs that have most words in common, best first.
fn by_words(
    old: &[Unit],
    new: &[Unit],
    free: &mut Vec<usize>,
    open: &mut Vec<usize>,
    partner: &mut [Option<usize>],
) {
    let words = |units: &[Unit], at: &usize| {
        units.get(*at).and_then(|unit| unit.text.as_deref()).map(word_counts)
    };
    let few = |list: &[usize]| list.iter().take(MOST_COMPARED).copied().collect::<Vec<_>>();
    let before: Vec<_> = few(free).into_iter().map(|at| (at, words(old, &at))).collect();
    let after: Vec<_> = few(open).into_iter().map(|at| (at, words(new, &at))).collect();
    let mut alike: Vec<(usize, usize, usize)> = Vec::new();
    for (from, one) in &before {
        for (to, other) in &after {
            let share = one.as_ref().zip(other.as_ref()).map_or(0, |(a, b)| likeness(a, b));
            if share >= ALIKE {
                alike.push((share, *from, *to));
            }
        }
    }
    alike.sort_by_key(|(share, from, to)| (std::cmp::Reverse(*share), *from, *to));
    for (_, from, to) in alike {
        if free.contains(&from) && open.contains(&to) {
            pair(partner, from, to, free, open);
        }
    }
}

/// Those whose former words are not known: the first of a heading with the first that is open below it and behind
/// the partner of its predecessor.
fn by_place(
    old: &[Unit],
    new: &[Unit],
    free: &mut Vec<usize>,
    open: &mut Vec<usize>,
    partner: &mut [Option<usize>],
) {
    for from in free.clone() {
        let Some(unit) = old.get(from).filter(|unit| unit.text.is_none()) else { continue };
        let place_of = |at: usize| partner.iter().position(|known| *known == Some(at));
        let first = (0..from).rev().find_map(place_of).map_or(0, |at| at + 1);
        let last = (from + 1..old.len()).find_map(place_of).unwrap_or(new.len());
        let under = |at: &usize| {
            let same = |unit: &Unit, other: &Unit| {
                plain_heading(&unit.heading) == plain_heading(&other.heading)
            };
            new.get(*at).is_some_and(|other| same(unit, other))
        };
        let between = open.iter().copied().find(|at| (first..last).contains(at) && under(at));
        if let Some(to) = between {
            pair(partner, from, to, free, open);
        }
    }
}

fn pair(
    partner: &mut [Option<usize>],
    from: usize,
    to: usize,
    free: &mut Vec<usize>,
    open: &mut Vec<usize>,
) {
    if let Some(slot) = partner.get_mut(to) {
        *slot = Some(from);
        take(free, from);
        take(open, to);
    }
}

fn assemble<'u>(
    old: &'u [Unit],
    new: &'u [Unit],
    partner: &[Option<usize>],
    free: &[usize],
) -> Vec<Pair<'u>> {
    // Where a vanished sentence is told: behind its nearest predecessor that has a partner.
    let place_of = |at: usize| partner.iter().position(|known| *known == Some(at));
    let mut behind: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for at in free {
        behind.entry((0..*at).rev().find_map(place_of)).or_default().push(*at);
    }
    let vanished = |place: Option<usize>| {
        let there = behind.get(&place).into_iter().flatten();
        there.filter_map(|at| old.get(*at)).map(|unit| (Some(unit), None)).collect::<Vec<_>>()
    };
    let mut pairs = vanished(None);
    for (at, (unit, from)) in new.iter().zip(partner).enumerate() {
        // A repetition has no partner of its own, yet its name is known.
        let known = || old.iter().find(|known| known.hash == unit.hash);
        pairs.push((from.and_then(|from| old.get(from)).or_else(known), Some(unit)));
        pairs.extend(vanished(Some(at)));
    }
    pairs
}

fn word_counts(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words.take(2_000) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

/// Common words in hundredths of the mean number of words (Dice).
fn likeness(one: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>) -> usize {
    let common: usize =
        one.iter().map(|(word, count)| other.get(word).map_or(0, |more| *count.min(more))).sum();
    let all: usize = one.values().chain(other.values()).sum();
    (200 * common).checked_div(all).unwrap_or(0)
}
