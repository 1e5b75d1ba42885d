//! Merging and splitting cases, and taking that back: each is one entry, whose effect on the index is worked out
//! from the journal.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, DeskError};
use super::ingest::{self, Changed};
use crate::domain::grouping::{self, Grouping};
use crate::domain::journal::{Act, Entry, REGROUPING};
use crate::domain::{CaseId, MessageRef};
use crate::store::{Batch, CaseRecord, MailRecord, Store, StoreError};

/// A case after its mails were put together or apart, and what else changed.
#[derive(Debug)]
pub struct Regrouped {
    /// The case.
    pub case: CaseRecord,
    /// Cases that appeared, changed or went.
    pub changed: Changed,
}

impl Desk {
    /// Puts the mails of `case` into `into`. Its own journal is kept as it is; its id leads to `into` from then on.
    ///
    /// # Errors
    /// If both are one, the store is read-only or a write fails.
    pub fn merge(&self, case: &CaseId, into: &CaseId) -> Result<Regrouped, DeskError> {
        let _one = self.changing();
        let (from, into) = (self.find(case.as_str())?, self.find(into.as_str())?);
        if from.number == into.number {
            return Err(DeskError::OneCase(into.id));
        }
        let messages = self.mails_of(&from)?.iter().map(|mail| mail.message).collect();
        // Both ids are fixed, so that each can be given for ever.
        let mut acts: Vec<(CaseId, Act)> = Vec::new();
        acts.extend(self.opening(&from)?);
        acts.extend(self.opening(&into)?);
        acts.push((into.id.clone(), Act::Merged { from: from.id, messages }));
        self.write_regrouping(&into.id, acts)
    }

    /// Makes a case of its own of some mails of `case`.
    ///
    /// # Errors
    /// If a mail is not of the case, is its first, or all are named; or if a write fails.
    pub fn split(&self, case: &CaseId, mails: &[MessageRef]) -> Result<Regrouped, DeskError> {
        let _one = self.changing();
        let known = self.find(case.as_str())?;
        let (messages, stay): (Vec<MessageRef>, Vec<MessageRef>) = self
            .mails_of(&known)?
            .iter()
            .map(|mail| mail.message)
            .partition(|message| mails.contains(message));
        let Some(first) = messages.first() else { return Err(DeskError::NothingToSplit) };
        if messages.contains(&known.root) || stay.is_empty() {
            return Err(DeskError::SplitsRoot);
        }
        let into = CaseId::derive(None, first);
        let mut acts: Vec<(CaseId, Act)> = Vec::new();
        acts.extend(self.opening(&known)?);
        acts.push((known.id.clone(), Act::Split { into, messages, stay }));
        self.write_regrouping(&known.id, acts)
    }

    fn write_regrouping(
        &self,
        case: &CaseId,
        acts: Vec<(CaseId, Act)>,
    ) -> Result<Regrouped, DeskError> {
        let mut batch = self.append(acts)?;
        let changed = self.regroup(std::slice::from_ref(case), &mut batch)?;
        self.store.commit(batch)?;
        let refreshed = self.refresh_case(case)?;
        self.store.flush()?;
        self.twins_changed(&changed)?;
        let case = match refreshed {
            Some(case) => case,
            None => self.find(case.as_str())?,
        };
        Ok(Regrouped { case, changed })
    }

    /// Brings the index to what the merges and splits of the journal come to, where `cases` have new ones. The
    /// entries must be listed; `last` says that they have had their effect, and is left to the caller to commit, so
    /// that a crash before that point is made good by the next start.
    pub(super) fn regroup(
        &self,
        cases: &[CaseId],
        last: &mut Batch,
    ) -> Result<Changed, StoreError> {
        let mut entries = Vec::new();
        for case in self.store.regrouped_cases()? {
            entries.extend(self.store.entries(&case)?);
        }
        let before = self.store.grouping()?;
        let after = Grouping::fold(&entries, |case| has_entries(&self.store, case));
        let mut batch = Batch::new();
        let moved = differences(&before, &after, &mut batch);
        if !batch.is_empty() {
            self.store.commit(batch)?;
        }
        let own: Vec<Entry> =
            entries.into_iter().filter(|entry| cases.contains(&entry.case)).collect();
        let (touched, mut mails) = grouping::touched(&own);
        mails.extend(moved);
        let mut pins = BTreeMap::new();
        for case in touched {
            let case = ingest::fold(&self.store, &case, true)?;
            pins.extend(case.root.map(|root| (root, case.id)));
        }
        ingest::regroup(&self.store, &self.rules, mails, &pins, std::mem::take(last))
    }
}

fn has_entries(store: &Store, case: &CaseId) -> bool {
    store.entries(case).is_ok_and(|entries| !entries.is_empty())
}

/// Writes what is new in `after`; gives the mails that it moves.
fn differences(before: &Grouping, after: &Grouping, batch: &mut Batch) -> BTreeSet<MessageRef> {
    let mut moved = BTreeSet::new();
    for message in before.pins.keys().chain(after.pins.keys()) {
        let case = after.pins.get(message);
        if before.pins.get(message) != case && moved.insert(*message) {
            batch.pin(*message, case.cloned());
        }
    }
    for case in before.aliases.keys().chain(after.aliases.keys()) {
        let to = after.aliases.get(case);
        if before.aliases.get(case) != to {
            batch.alias(case.clone(), to.cloned());
        }
    }
    moved
}

/// Whether an entry, or the one that it undoes, puts mails together or apart.
pub(super) fn regroups(entry: &Entry, others: &[Entry]) -> bool {
    let mut at = entry;
    // An undone entry may undo an undone one.
    for _ in 0..=others.len() {
        if REGROUPING.contains(&at.kind.as_str()) {
            return true;
        }
        let Some(Act::Undone { entry }) = at.act() else { return false };
        let Some(next) = others.iter().find(|other| other.id == entry) else { return false };
        at = next;
    }
    false
}

/// The message that a number from 1 or the first digits of an id name among the mails of a case.
pub fn message_of(mails: &[MailRecord], name: &str) -> Option<MessageRef> {
    if let Ok(number) = name.parse::<usize>()
        && let Some(mail) = number.checked_sub(1).and_then(|at| mails.get(at))
    {
        return Some(mail.message);
    }
    let mut found = mails.iter().filter(|mail| mail.message.to_string().starts_with(name));
    match (found.next(), found.next()) {
        (Some(mail), None) if !name.is_empty() => Some(mail.message),
        _ => None,
    }
}
