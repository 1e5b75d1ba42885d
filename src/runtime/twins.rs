//! Which cases and published records are like a case: sketches of all of them in memory, read from the index when
//! the first are compared and kept up with what changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

use super::desk::{Desk, DeskError};
use super::ingest::{self, Changed};
use crate::app::case::MessageView;
use crate::app::material;
use crate::app::twin::{CaseTwin, Published, Twin, TwinOf};
use crate::domain::case::Direction;
use crate::domain::journal::Act;
use crate::domain::{AdvisoryDraft, CaseId};
use crate::export::import;
use crate::intake::near::{self, Features, Near, Sketch, Table};
use crate::mail::{self, Address, DisplayText};
use crate::store::{Batch, CaseRecord, MailRecord, PrecedentRecord, Store, StoreError};

/// Most twins that are told.
const TOLD_MAX: usize = 3;

/// Mails of a case that are read again to tell what is shared; the first ones tell the flaw.
const READ_MAX: usize = 4;

/// Sketches read from the index in one step.
const PAGE: usize = 1_000;

/// Largest published record that is kept, in bytes.
pub const RECORD_MAX: usize = 1 << 20;

/// Score of a report that names an id of a published record.
const NAMED: f32 = 0.95;

/// Whose sketch it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    /// A case, by its number.
    Case(u64),
    /// A published record, by its place in the list.
    Record(usize),
}

/// The sketches of all cases and published records.
#[derive(Debug, Default)]
pub struct Known {
    table: Table<Key>,
    records: Vec<PrecedentRecord>,
}

impl Known {
    fn read(store: &Store) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let mut cases: BTreeMap<u64, Sketch> = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = store.nears_after(after, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (_, near) in page {
                let sketch = Sketch::from_bytes(near.sketch);
                cases
                    .entry(near.case)
                    .and_modify(|known| *known = known.joined(&sketch))
                    .or_insert(sketch);
            }
        }
        for (case, sketch) in cases {
            known.table.set(Key::Case(case), sketch);
        }
        known.read_records(store)?;
        Ok(known)
    }

    fn read_records(&mut self, store: &Store) -> Result<(), StoreError> {
        for at in 0..self.records.len() {
            self.table.set(Key::Record(at), Sketch::default());
        }
        self.records = store.precedents()?.into_iter().map(|(_, record)| record).collect();
        for (at, record) in self.records.iter().enumerate() {
            self.table.set(Key::Record(at), Sketch::from_bytes(record.sketch.clone()));
        }
        Ok(())
    }

    fn update(&mut self, store: &Store, number: u64) -> Result<(), StoreError> {
        let mut sketch = Sketch::default();
        for seq in store.case(number)?.map(|case| case.members).unwrap_or_default() {
            if let Some(near) = store.near(seq)? {
                sketch = sketch.joined(&Sketch::from_bytes(near.sketch));
            }
        }
        self.table.set(Key::Case(number), sketch);
        Ok(())
    }

    /// What is near to a case, nearest first; a published record that the report names comes before all.
    fn near(&self, number: u64, features: &Features) -> Vec<Near<Key>> {
        let key = Key::Case(number);
        let Some(sketch) = self.table.get(key) else { return Vec::new() };
        let mut found = self.table.nearest(sketch, Some(key), TOLD_MAX * 2);
        let named = features.ids();
        for (at, record) in self.records.iter().enumerate() {
            if record.ids.iter().any(|id| named.contains(id.as_str())) {
                let key = Key::Record(at);
                found.retain(|near| near.key != key);
                found.push(Near { key, score: NAMED });
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
        found
    }
}

impl Desk {
    fn known(&self) -> Result<MutexGuard<'_, Option<Known>>, StoreError> {
        let mut slot = self.twins.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(Known::read(&self.store)?);
        }
        Ok(slot)
    }

    /// Takes over what an ingest, a merge or a split has changed.
    pub(super) fn twins_changed(&self, changed: &Changed) -> Result<(), StoreError> {
        let mut slot = self.twins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.as_mut() {
            for number in changed.cases.iter().chain(&changed.gone) {
                known.update(&self.store, *number)?;
            }
        }
        Ok(())
    }

    /// The cases and published records most like a case, at most three, nearest first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn twins(
        &self,
        record: &CaseRecord,
        messages: &[MessageView],
    ) -> Result<Vec<Twin>, StoreError> {
        let incoming = messages.iter().filter(|message| message.direction == Direction::In);
        let own = joined(incoming.take(READ_MAX).map(|message| {
            near::features(&message.subject, &message.text, &self.rules.policy.product)
        }));
        let (near, records) = {
            let slot = self.known()?;
            let Some(known) = slot.as_ref() else { return Ok(Vec::new()) };
            let near = known.near(record.number, &own);
            let of = |near: &Near<Key>| match near.key {
                Key::Record(at) => known.records.get(at).cloned(),
                Key::Case(_) => None,
            };
            let records: Vec<Option<PrecedentRecord>> = near.iter().map(of).collect();
            (near, records)
        };
        let mut twins = Vec::new();
        for (near, published) in near.iter().zip(records) {
            let twin = match (near.key, published) {
                (Key::Record(_), Some(published)) => Some(self.published(published, &own)?),
                (Key::Case(number), _) => self.case_twin(number, record, &own)?,
                (Key::Record(_), None) => None,
            };
            twins.extend(twin.map(|twin| Twin { score: near.score, ..twin }));
            if twins.len() == TOLD_MAX {
                break;
            }
        }
        Ok(twins)
    }

    fn case_twin(
        &self,
        number: u64,
        of: &CaseRecord,
        own: &Features,
    ) -> Result<Option<Twin>, StoreError> {
        let Some(record) = self.store.case(number)? else { return Ok(None) };
        let mails = self.mails_of(&record)?;
        let incoming = mails.iter().filter(|mail| mail.direction == Direction::In);
        let product = &self.rules.policy.product;
        let read = incoming.take(READ_MAX).filter_map(|mail| {
            let message = mail::parse(&self.raw(&mail.message).ok()?);
            Some(near::features(&message.subject, &message.text, product))
        });
        let theirs = joined(read);
        let reporter = Address {
            name: record.reporter.name.clone(),
            address: record.reporter.address.clone(),
        };
        let twin = CaseTwin {
            reply: self.answer_of(&record, &mails)?,
            id: record.id,
            reporter: DisplayText::line(&crate::app::thread::shown_address(&reporter)),
            disposition: record.disposition,
            clauses: record.decided_clauses,
        };
        Ok(Some(Twin {
            of: TwinOf::Case(Box::new(twin)),
            title: DisplayText::line(&record.subject),
            score: 0.0,
            shared: near::shared(own, &theirs),
            received: Some(record.received),
            earlier: (record.received, record.number) < (of.received, of.number),
        }))
    }

    /// Our last answer in a thread, or else the draft of one.
    fn answer_of(
        &self,
        record: &CaseRecord,
        mails: &[MailRecord],
    ) -> Result<Option<String>, StoreError> {
        if let Some(sent) = mails.iter().rfind(|mail| mail.direction == Direction::Out)
            && let Ok(raw) = self.raw(&sent.message)
        {
            return Ok(Some(mail::parse(&raw).text));
        }
        let case = ingest::fold(&self.store, &record.id, record.pinned)?;
        Ok(case.reply.map(|reply| reply.text))
    }

    fn published(&self, record: PrecedentRecord, own: &Features) -> Result<Twin, StoreError> {
        let case = ingest::fold(&self.store, &CaseId::of_precedent(&record.name), true)?;
        let product = material::product(&self.rules.policy);
        let text = case.precedent.map(|precedent| precedent.record).unwrap_or_default();
        let theirs = import::read(&text, &product)
            .map(|imported| near::features_of_advisory(&imported.draft, &self.rules.policy.product))
            .unwrap_or_default();
        Ok(Twin {
            title: DisplayText::line(&record.title),
            score: 0.0,
            shared: near::shared(own, &theirs),
            received: record.published,
            earlier: true,
            of: TwinOf::Published(Box::new(Published {
                name: record.name,
                ids: record.ids,
                fixed: record.fixed,
                url: record.url,
            })),
        })
    }

    /// Keeps a published record, so that reports are compared with it. Gives its name; `None` where it is kept
    /// already, byte for byte.
    ///
    /// # Errors
    /// If it is no record, too long, or a write fails.
    pub fn add_precedent(&self, text: &str) -> Result<(String, bool), DeskError> {
        if text.len() > RECORD_MAX {
            return Err(import::ImportError::TooLong.into());
        }
        let product = material::product(&self.rules.policy);
        let name = name_of(&import::read(text, &product)?.draft);
        let _one = self.changing();
        let key = CaseId::of_precedent(&name);
        let known = ingest::fold(&self.store, &key, true)?.precedent;
        if known.is_some_and(|known| known.record == text) {
            return Ok((name, false));
        }
        let act = Act::PrecedentAdded { name: name.clone(), record: text.to_owned() };
        self.write_precedent(&key, act)?;
        Ok((name, true))
    }

    /// Takes a published record out again.
    ///
    /// # Errors
    /// If none of that name is kept, or a write fails.
    pub fn remove_precedent(&self, name: &str) -> Result<String, DeskError> {
        let _one = self.changing();
        let key = self.precedent_key(name)?;
        let known = ingest::fold(&self.store, &key, true)?.precedent;
        let name = known.ok_or_else(|| DeskError::NoPrecedent(name.to_owned()))?.name;
        self.write_precedent(&key, Act::PrecedentRemoved { name: name.clone() })?;
        Ok(name)
    }

    /// Takes the newest act on a published record back; says what that was.
    ///
    /// # Errors
    /// If there is none, or a write fails.
    pub fn undo_precedent(&self, name: &str) -> Result<String, DeskError> {
        let _one = self.changing();
        let key = self.precedent_key(name).unwrap_or_else(|_| CaseId::of_precedent(name));
        let entries = self.store.entries(&key)?;
        let folded = crate::domain::Case::fold(key.clone(), &entries);
        let last =
            folded.last_undoable().first().copied().ok_or(DeskError::NothingToUndo)?.to_owned();
        let undone = entries.iter().find(|entry| entry.id == last);
        let what = undone.map_or_else(String::new, material::history_words);
        self.write_precedent(&key, Act::Undone { entry: last })?;
        Ok(what)
    }

    /// The key of a record by its name or any id of it.
    fn precedent_key(&self, name: &str) -> Result<CaseId, DeskError> {
        let named = |id: &String| id.eq_ignore_ascii_case(name);
        let records = self.store.precedents()?;
        let found = records
            .into_iter()
            .find(|(_, record)| named(&record.name) || record.ids.iter().any(named));
        found.map(|(key, _)| key).ok_or_else(|| DeskError::NoPrecedent(name.to_owned()))
    }

    fn write_precedent(&self, key: &CaseId, act: Act) -> Result<(), StoreError> {
        let mut batch = self.append(vec![(key.clone(), act)])?;
        self.refresh_precedent(key, &mut batch)?;
        self.store.commit(batch)?;
        self.store.flush()?;
        let mut slot = self.twins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.as_mut() {
            known.read_records(&self.store)?;
        }
        Ok(())
    }

    /// Sets the record of a key as its entries have it; nothing where the key is that of a case.
    pub(super) fn refresh_precedent(
        &self,
        key: &CaseId,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let entries = self.store.entries(key)?;
        if !entries.iter().any(|entry| entry.kind == "precedent-added") {
            return Ok(());
        }
        let precedent = crate::domain::Case::fold(key.clone(), &entries).precedent;
        let product = material::product(&self.rules.policy);
        let record = precedent.and_then(|precedent| {
            let draft = import::read(&precedent.record, &product).ok()?.draft;
            Some(precedent_record(precedent.name, &draft, &self.rules.policy.product))
        });
        batch.precedent(key.clone(), record);
        Ok(())
    }
}

fn joined(each: impl Iterator<Item = Features>) -> Features {
    each.fold(Features::default(), |mut all, one| {
        all.extend(one);
        all
    })
}

/// The name of a record: its GHSA id, else its CVE id, else its own.
fn name_of(draft: &AdvisoryDraft) -> String {
    let ids = draft.ghsa_id.as_ref().or(draft.cve_id.as_ref());
    ids.unwrap_or(&draft.id).clone()
}

fn precedent_record(name: String, draft: &AdvisoryDraft, product: &str) -> PrecedentRecord {
    let ids = draft.ghsa_id.iter().chain(&draft.cve_id).chain(&draft.aliases);
    let ids: BTreeSet<String> = ids.chain([&draft.id]).map(|id| id.to_ascii_uppercase()).collect();
    let fixed: BTreeSet<String> =
        draft.affected.iter().filter_map(|range| range.fixed.clone()).collect();
    PrecedentRecord {
        name,
        ids: ids.into_iter().filter(|id| !id.is_empty()).collect(),
        title: draft.title.clone(),
        fixed: fixed.into_iter().collect::<Vec<_>>().join(", "),
        published: draft.dates.published.map(|date| date.instant()),
        url: draft.references.first().map(|first| first.url.clone()).unwrap_or_default(),
        sketch: near::features_of_advisory(draft, product).sketch().into_bytes(),
    }
}
