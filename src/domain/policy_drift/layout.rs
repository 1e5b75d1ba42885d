//! Changes of a text that touch no rule: sections renamed or moved, sentences moved.

use std::collections::BTreeMap;

use crate::domain::policy_text::{PolicyText, Sentence, plain_heading};

/// Names of headings that were renamed, from the old to the new.
type Renamed<'t> = BTreeMap<&'t str, &'t str>;

/// What was renamed and moved, each in a few words.
pub(super) fn changes(old: &PolicyText, new: &PolicyText) -> Vec<String> {
    let (before, after) = (sections(old), sections(new));
    let renamed = renamed(old, new, &before, &after);
    let mut told: Vec<String> =
        renamed.iter().map(|(old, new)| format!("heading \"{old}\" is now \"{new}\"")).collect();
    let name = |heading: &&'_ str| renamed.get(heading).copied().unwrap_or(heading).to_owned();
    let kept: Vec<String> = before.iter().map(name).collect();
    let order: Vec<usize> =
        after.iter().filter_map(|heading| kept.iter().position(|known| known == heading)).collect();
    for at in out_of_order(&order) {
        let heading = kept.get(at).map_or("", String::as_str);
        told.push(format!("section \"{heading}\" was moved"));
    }
    told.extend(moved_sentences(old, new, &renamed));
    told
}

/// The rules of a text: everything but date stamps.
fn rules(text: &PolicyText) -> impl Iterator<Item = &Sentence> {
    text.sentences().iter().filter(|sentence| !sentence.stamp)
}

/// Headings in their order, without numbers and repetitions.
fn sections(text: &PolicyText) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for sentence in rules(text) {
        let heading = plain_heading(&sentence.heading);
        if !found.contains(&heading) {
            found.push(heading);
        }
    }
    found
}

/// A heading that is gone, with the new one under which most of its sentences stand.
fn renamed<'t>(
    old: &'t PolicyText,
    new: &'t PolicyText,
    before: &[&'t str],
    after: &[&'t str],
) -> Renamed<'t> {
    let mut found = Renamed::new();
    for gone in before.iter().filter(|heading| !after.contains(heading)) {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for sentence in rules(old).filter(|s| plain_heading(&s.heading) == *gone) {
            let there = rules(new).find(|other| other.hash == sentence.hash);
            if let Some(heading) = there.map(|other| plain_heading(&other.heading)) {
                *votes.entry(heading).or_default() += 1;
            }
        }
        votes.retain(|heading, _| {
            !before.contains(heading) && !found.values().any(|n| n == heading)
        });
        if let Some((heading, _)) = votes.into_iter().max_by_key(|(_, votes)| *votes) {
            found.insert(gone, heading);
        }
    }
    found
}

/// Sentences that went to another section, or to another place within their own.
fn moved_sentences(old: &PolicyText, new: &PolicyText, renamed: &Renamed<'_>) -> Vec<String> {
    let mut told = Vec::new();
    let mut order: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for sentence in rules(new) {
        let Some(at) = old.sentences().iter().position(|other| other.hash == sentence.hash) else {
            continue;
        };
        let from = old.sentences().get(at).map_or("", |other| plain_heading(&other.heading));
        let from = renamed.get(from).copied().unwrap_or(from);
        let to = plain_heading(&sentence.heading);
        if from == to {
            order.entry(to).or_default().push(at);
        } else {
            told.push(format!("moved to \"{to}\": {}", start_of(new.text_of(sentence))));
        }
    }
    for (heading, order) in order {
        for at in out_of_order(&order) {
            let words = old.sentences().get(at).map_or("", |sentence| old.text_of(sentence));
            told.push(format!("moved within \"{heading}\": {}", start_of(words)));
        }
    }
    told
}

fn start_of(words: &str) -> String {
    let line: Vec<&str> = words.split_whitespace().collect();
    let line = line.join(" ");
    let start: String = line.chars().take(60).collect();
    if start.len() < line.len() { format!("{start}\u{2026}") } else { start }
}

/// Those that must move so that the rest stands in ascending order: what lies outside of a longest ascending run.
fn out_of_order(order: &[usize]) -> Vec<usize> {
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(order.len());
    for (at, value) in order.iter().enumerate() {
        let before = (0..at).filter(|earlier| order.get(*earlier).is_some_and(|e| e < value));
        let previous = before.max_by_key(|earlier| best.get(*earlier).map_or(0, |(len, _)| *len));
        let length = previous.and_then(|p| best.get(p)).map_or(1, |(len, _)| len + 1);
        best.push((length, previous));
    }
    let mut run = Vec::new();
    let mut next = (0..best.len()).max_by_key(|at| best.get(*at).map_or(0, |(len, _)| *len));
    while let Some(at) = next {
        run.extend(order.get(at));
        next = best.get(at).and_then(|(_, previous)| *previous);
    }
    order.iter().copied().filter(|value| !run.contains(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_are_moved() {
        assert!(out_of_order(&[0, 1, 2]).is_empty() && out_of_order(&[]).is_empty());
        assert_eq!(out_of_order(&[0, 3, 1, 2]), [3]);
        assert_eq!(out_of_order(&[2, 1, 0]).len(), 2);
    }
}
