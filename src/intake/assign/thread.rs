//! Growing sets of mails, with what a thread is known by.

use std::collections::{BTreeMap, HashSet};

use crate::domain::{CaseId, MessageRef};
use crate::intake::facts::Facts;

/// Disjoint sets over mails by their position in the order of receipt.
pub(super) struct Threads<'a> {
    parent: Vec<usize>,
    known: Vec<Known<'a>>,
}

/// What a thread is known by; kept at its representative.
#[derive(Default)]
struct Known<'a> {
    size: usize,
    subjects: HashSet<&'a str>,
    people: HashSet<&'a str>,
    /// Case that a member is pinned to.
    pin: Option<&'a CaseId>,
    /// Whether a member is neither answer nor forward.
    begun: bool,
}

impl<'a> Threads<'a> {
    /// Every mail on its own, except those pinned to one case.
    pub(super) fn new(ordered: &[&'a Facts], pins: &'a BTreeMap<MessageRef, CaseId>) -> Self {
        let known = |facts: &&'a Facts| Known {
            size: 1,
            // An empty subject is shared by strangers.
            subjects: Some(facts.base_subject.as_str())
                .filter(|s| !s.is_empty())
                .into_iter()
                .collect(),
            people: facts.participants.iter().map(String::as_str).collect(),
            pin: pins.get(&facts.message),
            begun: !facts.is_reply,
        };
        let mut threads = Self {
            parent: (0..ordered.len()).collect(),
            known: ordered.iter().map(known).collect(),
        };
        let mut first: BTreeMap<&CaseId, usize> = BTreeMap::new();
        for (node, facts) in ordered.iter().enumerate() {
            if let Some(case) = pins.get(&facts.message) {
                threads.join(*first.entry(case).or_insert(node), node);
            }
        }
        threads
    }

    /// Representative of a thread.
    pub(super) fn find(&mut self, mut node: usize) -> usize {
        while let Some(parent) = self.parent.get(node).copied().filter(|parent| *parent != node) {
            let grand = self.parent.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parent.get_mut(node) {
                *slot = grand;
            }
            node = grand;
        }
        node
    }

    /// Whether both are in one thread.
    pub(super) fn same(&mut self, a: usize, b: usize) -> bool {
        self.find(a) == self.find(b)
    }

    /// Joins two threads and says whether they were apart and now are one. Threads of two pinned cases stay
    /// apart.
    pub(super) fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        let (Some(known_a), Some(known_b)) = (self.known.get(a), self.known.get(b)) else {
            return false;
        };
        let two_cases = matches!((known_a.pin, known_b.pin), (Some(x), Some(y)) if x != y);
        if a == b || two_cases {
            return false;
        }
        // The smaller set moves, so that all moves together stay near linear.
        let (large, small) = if known_a.size >= known_b.size { (a, b) } else { (b, a) };
        if let Some(slot) = self.parent.get_mut(small) {
            *slot = large;
        }
        let moved = self.known.get_mut(small).map(std::mem::take).unwrap_or_default();
        if let Some(known) = self.known.get_mut(large) {
            known.absorb(moved);
        }
        true
    }

    /// Whether the threads have a subject in common.
    pub(super) fn share_subject(&mut self, a: usize, b: usize) -> bool {
        self.share(a, b, |known| &known.subjects)
    }

    /// Whether the threads have a person in common.
    pub(super) fn share_person(&mut self, a: usize, b: usize) -> bool {
        self.share(a, b, |known| &known.people)
    }

    fn share(
        &mut self,
        a: usize,
        b: usize,
        set: for<'k> fn(&'k Known<'a>) -> &'k HashSet<&'a str>,
    ) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        let (Some(a), Some(b)) = (self.known.get(a).map(set), self.known.get(b).map(set)) else {
            return false;
        };
        let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        few.iter().any(|word| many.contains(word))
    }

    /// Whether the thread has a mail that is neither answer nor forward.
    pub(super) fn is_begun(&mut self, node: usize) -> bool {
        let root = self.find(node);
        self.known.get(root).is_some_and(|known| known.begun)
    }
}

impl<'a> Known<'a> {
    fn absorb(&mut self, other: Known<'a>) {
        self.size += other.size;
        self.subjects.extend(other.subjects);
        self.people.extend(other.people);
        self.pin = self.pin.or(other.pin);
        self.begun |= other.begun;
    }
}
