//! Which mails a maintainer has put together or apart: the fold of the entries that merge and split cases.
//!
//! Absent on purpose: how mails come together by themselves; that is worked out from the mail, and what stands
//! here counts more. Undoing an entry leaves no trace in the result.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{in_order, undone_ids};
use super::journal::{Act, Entry};
use super::{CaseId, MessageRef};

/// Longest chain of merged cases that is followed.
pub const CHAIN_MAX: usize = 64;

/// What merging and splitting come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grouping {
    /// Mails with the case that they were put into.
    pub pins: BTreeMap<MessageRef, CaseId>,
    /// Cases that are no longer of their own, with the case that has their mails.
    pub aliases: BTreeMap<CaseId, CaseId>,
}

impl Grouping {
    /// Folds all entries of the cases that have a merge or a split; order and repetition do not matter.
    /// `has_entries` tells whether anything was decided on a case.
    ///
    /// Of several entries on one mail the last counts. A merge that would lead a case into itself, as two stores
    /// may make it between them, is passed over.
    pub fn fold(entries: &[Entry], has_entries: impl Fn(&CaseId) -> bool) -> Self {
        let mut ordered: Vec<&Entry> = entries.iter().collect();
        in_order(&mut ordered);
        let undone = undone_ids(&ordered);
        let mut grouping = Self::default();
        for entry in ordered {
            let stands = !undone.contains(entry.id.as_str());
            match entry.act() {
                Some(Act::Merged { from, messages }) if stands => {
                    grouping.merge(&from, &entry.case, messages);
                }
                Some(Act::Split { into, messages, stay }) if stands => {
                    grouping.aliases.remove(&into);
                    grouping.pin(messages, &into);
                    grouping.pin(stay, &entry.case);
                }
                // What was decided on it in the meantime must not keep it apart.
                Some(Act::Split { into, messages, .. }) if has_entries(&into) => {
                    grouping.merge(&into, &entry.case, messages);
                }
                _ => {}
            }
        }
        let ends = grouping.pins.values().map(|case| grouping.resolve(case).clone());
        let ends: Vec<CaseId> = ends.collect();
        grouping.pins.values_mut().zip(ends).for_each(|(case, end)| *case = end);
        grouping
    }

    fn pin(&mut self, messages: Vec<MessageRef>, case: &CaseId) {
        self.pins.extend(messages.into_iter().map(|message| (message, case.clone())));
    }

    fn merge(&mut self, from: &CaseId, into: &CaseId, messages: Vec<MessageRef>) {
        if self.resolve(into) == from {
            return;
        }
        self.aliases.insert(from.clone(), into.clone());
        self.pin(messages, into);
    }

    /// The case that has the mails of `case` now: itself, unless it was merged.
    pub fn resolve<'a>(&'a self, case: &'a CaseId) -> &'a CaseId {
        let mut at = case;
        for _ in 0..CHAIN_MAX {
            match self.aliases.get(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }
}

/// Everything that the merges and splits among `entries` name: cases and mails, effective or not.
pub fn touched(entries: &[Entry]) -> (BTreeSet<CaseId>, BTreeSet<MessageRef>) {
    let (mut cases, mut mails) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        let (case, messages) = match entry.act() {
            Some(Act::Merged { from, messages }) => (from, messages),
            Some(Act::Split { into, mut messages, stay }) => {
                messages.extend(stay);
                (into, messages)
            }
            _ => continue,
        };
        cases.extend([case, entry.case.clone()]);
        mails.extend(messages);
    }
    (cases, mails)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Case;
    use crate::domain::journal::{AnswerValue, Clock, NewEntry};

    fn case(name: u8) -> CaseId {
        CaseId::derive(Some(&format!("{name}@x")), &MessageRef::of(b""))
    }

    fn mail(name: u8) -> MessageRef {
        MessageRef::of(&[name])
    }

    /// A journal of acts on cases, one after the other.
    fn journal(acts: Vec<(CaseId, Act)>) -> Vec<Entry> {
        let mut clock = Clock::default();
        let entry = |((case, act), seq): ((CaseId, Act), u64)| {
            let at = Timestamp::UNIX_EPOCH;
            clock = clock.tick(at);
            let id = format!("e{seq}");
            let new = NewEntry { id, at, actor: "m".into(), case, act };
            Entry::place(&new, seq, String::new(), clock, "r")
        };
        acts.into_iter().zip(1u64..).map(entry).collect()
    }

    fn fold(acts: Vec<(CaseId, Act)>) -> Grouping {
        let entries = journal(acts);
        Grouping::fold(&entries, |id| entries.iter().any(|entry| entry.case == *id))
    }

    fn merged(from: u8, into: u8, mails: &[u8]) -> (CaseId, Act) {
        let messages = mails.iter().copied().map(mail).collect();
        (case(into), Act::Merged { from: case(from), messages })
    }

    fn split(from: u8, into: u8, mails: &[u8]) -> (CaseId, Act) {
        let messages = mails.iter().copied().map(mail).collect();
        (case(from), Act::Split { into: case(into), messages, stay: vec![] })
    }

    fn undo(of: u8, entry: &str) -> (CaseId, Act) {
        (case(of), Act::Undone { entry: entry.into() })
    }

    #[test]
    fn a_chain_of_merges_ends_in_the_last_case() {
        let grouping = fold(vec![merged(1, 2, &[10]), merged(2, 3, &[10, 20])]);
        assert_eq!(grouping.resolve(&case(1)), &case(3));
        assert_eq!(grouping.pins[&mail(10)], case(3));
        let back = fold(vec![merged(1, 2, &[10]), merged(2, 3, &[10, 20]), undo(3, "e2")]);
        assert_eq!(back, fold(vec![merged(1, 2, &[10])]));
    }

    #[test]
    fn two_cases_are_never_led_into_each_other() {
        let grouping = fold(vec![merged(1, 2, &[10]), merged(2, 1, &[20])]);
        assert_eq!(grouping.resolve(&case(1)), &case(2));
        assert_eq!(grouping.resolve(&case(2)), &case(2));
    }

    #[test]
    fn an_undone_split_brings_back_what_was_decided_on() {
        let noted = (case(9), Act::Noted { text: String::new() });
        let grouping = fold(vec![split(1, 9, &[10]), noted, undo(1, "e1")]);
        assert_eq!(grouping.pins[&mail(10)], case(1));
        assert_eq!(grouping.resolve(&case(9)), &case(1));
    }

    fn any_act() -> impl Strategy<Value = (CaseId, Act)> {
        let answer = |of| {
            let answer = Some(AnswerValue::Yes);
            let (evidence, reason) = (None, Some("r".to_owned()));
            (case(of), Act::Answered { clause: "NQ1".into(), answer, evidence, reason })
        };
        prop_oneof![
            (0u8..4, 0u8..4, 0u8..8).prop_map(|(a, b, m)| merged(a, b, &[m])),
            (0u8..4, 4u8..8, 0u8..8).prop_map(|(a, b, m)| split(a, b, &[m])),
            (0u8..4).prop_map(answer),
        ]
    }

    proptest! {
        #[test]
        fn merge_and_undo_restore_every_case_and_the_grouping(
            before in prop::collection::vec(any_act(), 0..12),
            (from, into, mails) in (0u8..4, 0u8..4, prop::collection::vec(0u8..8, 0..4)),
        ) {
            let mut after = before.clone();
            after.push(merged(from, into, &mails));
            after.push(undo(into, &format!("e{}", after.len())));
            prop_assert_eq!(fold(before.clone()), fold(after.clone()));
            for id in (0u8..8).map(case) {
                let state = |acts: &Vec<(CaseId, Act)>| {
                    let mut case = Case::fold(id.clone(), &journal(acts.clone()));
                    case.forget_entries();
                    format!("{case:?}")
                };
                prop_assert_eq!(state(&before), state(&after));
            }
        }
    }
}
