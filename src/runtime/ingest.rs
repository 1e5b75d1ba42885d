//! One mail's way from raw bytes into the index, and the index's way back from the files.
//!
//! New mail, catch-up after a crash and rebuild all go through [`index_mails`], so that an index made anew equals
//! the one that grew. Write order: archive and journal first, index second.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::desk::Rules;
use super::parallel;
use super::presence::{self, Places};
use crate::domain::case::{Case, Direction, Reporter};
use crate::domain::checklist;
use crate::domain::cvss::Vector;
use crate::domain::deadline::Pause;
use crate::domain::hint::Reading;
use crate::domain::verdict::{self, Claims, Verdict};
use crate::domain::{CaseId, CaseState, Disposition, MessageRef};
use crate::intake::{self, Facts, Group, Known};
use crate::mail;
use crate::store::{
    ArchivePlace, ArchivePosition, ArchiveRecord, Batch, CaseRecord, MailRecord, MailSource,
    NearRecord, NewMail, Store, StoreError,
};

/// Mails indexed in one step: bounds the memory that a catch-up or rebuild takes.
pub const STEP: usize = 256;

/// Raw bytes of mails indexed in one step, beside the one that goes over.
pub const STEP_BYTES: usize = 16 << 20;

/// Addresses kept of a header field.
const MAX_ADDRESSES: usize = 50;

/// A mail that was read and lies in the archive.
struct Indexable {
    record: MailRecord,
    facts: Facts,
    source: Option<MailSource>,
    /// The point after it.
    after: ArchivePosition,
}

/// What an ingest changed.
#[derive(Debug, Default)]
pub struct Changed {
    /// Cases new or changed.
    pub cases: BTreeSet<u64>,
    /// Cases that were joined into others.
    pub gone: BTreeSet<u64>,
    /// Messages that were not there before.
    pub new: u64,
    /// Messages that were.
    pub duplicates: u64,
    /// Raw bytes of the new ones.
    pub bytes: u64,
}

impl Changed {
    /// Takes over what a further step changed.
    pub fn extend(&mut self, other: Self) {
        self.cases.extend(&other.cases);
        self.gone.extend(&other.gone);
        self.cases.retain(|number| !other.gone.contains(number));
        self.new += other.new;
        self.duplicates += other.duplicates;
        self.bytes += other.bytes;
    }
}

/// Mail that lies in the archive and was read, but is not in the index yet.
#[derive(Default)]
pub struct Archived {
    new: Vec<Indexable>,
    /// Numbers of those that were there before, and where they are on the server too.
    again: Vec<(u64, Option<MailSource>)>,
    changed: Changed,
}

/// Stores new mail in the archive. It is safe on disk afterwards, and is to be [`list`]ed, in the order of the calls.
///
/// # Errors
/// If the archive cannot be written; then none of it was stored.
pub fn archive(store: &Store, rules: &Rules, mails: Vec<NewMail>) -> Result<Archived, StoreError> {
    let names = parallel::each(&mails, |mail| MessageRef::of(&mail.raw));
    let named: Vec<_> = mails.iter().zip(names.iter().copied()).collect();
    // Reading is pure, so it need not wait for the disk.
    let read = || parallel::each(&named, |(mail, name)| summarise(rules, mail, *name));
    let (appended, read) = parallel::both(|| store.append_named(&mails, &names), read);
    let mut archived = Archived::default();
    for ((mail, placed), (record, facts)) in mails.into_iter().zip(appended?).zip(read) {
        if placed.duplicate {
            archived.changed.duplicates += 1;
            archived.again.push((placed.seq, mail.source));
            continue;
        }
        archived.changed.new += 1;
        archived.changed.bytes += mail.raw.len() as u64;
        let record = MailRecord { seq: placed.seq, place: placed.place, ..record };
        archived.new.push(Indexable { record, facts, source: mail.source, after: placed.after });
    }
    Ok(archived)
}

/// Indexes mail that was archived; `cursor` is kept in the same step.
///
/// # Errors
/// If the index cannot be written; the mail is then indexed at the next start.
pub fn list(
    store: &Store,
    rules: &Rules,
    archived: Archived,
    cursor: Option<(&str, Vec<u8>)>,
) -> Result<Changed, StoreError> {
    let Archived { new, again, mut changed } = archived;
    let (mut batch, mut places) = (Batch::new(), Places::default());
    for (seq, source) in &again {
        places.take(store, *seq, source.as_ref(), &mut batch)?;
    }
    if let Some((mailbox, bytes)) = cursor {
        batch.put_cursor(mailbox, bytes);
    }
    changed.extend(index(store, rules, new, &BTreeMap::new(), (batch, places))?);
    changed.extend(presence::back_again(store, again.iter().map(|(seq, _)| *seq))?);
    Ok(changed)
}

/// Indexes mails that lie in the archive, in one step.
///
/// `pins` names cases whose journal entries are not listed in the index yet.
///
/// # Errors
/// If the index cannot be read or written; then nothing has changed.
pub fn index_mails(
    store: &Store,
    rules: &Rules,
    mails: Vec<ArchiveRecord>,
    pins: &BTreeMap<MessageRef, CaseId>,
) -> Result<Changed, StoreError> {
    let mut batch = Batch::new();
    let mut unknown = Vec::with_capacity(mails.len());
    for mail in mails {
        if let Some(known) = store.mail(mail.seq)? {
            // Indexed already: a crash has only kept the position from following.
            batch.put_mail(known);
            batch.advance_archive(mail.after);
            continue;
        }
        unknown.push(mail);
    }
    let read = parallel::each(&unknown, |mail| summarise(rules, &mail.mail, mail.message));
    let mails = unknown.into_iter().zip(read).map(|(mail, (record, facts))| Indexable {
        record: MailRecord { seq: mail.seq, place: mail.place, ..record },
        facts,
        source: mail.mail.source,
        after: mail.after,
    });
    index(store, rules, mails.collect(), pins, (batch, Places::default()))
}

/// Works out the cases of new mails and writes everything in one step.
fn index(
    store: &Store,
    rules: &Rules,
    mails: Vec<Indexable>,
    pins: &BTreeMap<MessageRef, CaseId>,
    (mut batch, mut places): (Batch, Places),
) -> Result<Changed, StoreError> {
    let mut gathered = Gathered::default();
    let mut new = Vec::new();
    for mail in mails {
        let seq = mail.record.seq;
        batch.put_join_keys(seq, &intake::held_keys(&mail.facts));
        places.take(store, seq, mail.source.as_ref(), &mut batch)?;
        batch.advance_archive(mail.after);
        new.push(seq);
        gathered.insert(store, mail.record, mail.facts)?;
    }
    gathered.close(store, new)?;
    let mut changed = gathered.into_cases(store, rules, pins, &mut batch)?;
    if !batch.is_empty() {
        store.commit(batch)?;
    }
    changed.extend(places.mark_displaced(store)?);
    Ok(changed)
}

/// Sorts stored mails into cases again, after a maintainer has put some together or apart.
///
/// `pins` names the first mails of cases with journal entries that may come back.
///
/// # Errors
/// If the index cannot be read or written; then nothing has changed.
pub fn regroup(
    store: &Store,
    rules: &Rules,
    mails: impl IntoIterator<Item = MessageRef>,
    pins: &BTreeMap<MessageRef, CaseId>,
    mut batch: Batch,
) -> Result<Changed, StoreError> {
    let mut gathered = Gathered::default();
    let mut waiting = Vec::new();
    for message in mails {
        if let Some(seq) = store.seq_of(&message)? {
            gathered.add_case_of(store, seq, &mut waiting)?;
        }
    }
    gathered.close(store, waiting)?;
    let changed = gathered.into_cases(store, rules, pins, &mut batch)?;
    if !batch.is_empty() {
        store.commit(batch)?;
    }
    Ok(changed)
}

/// Mails whose cases may change together: closed under everything that joins mails.
#[derive(Default)]
struct Gathered {
    records: BTreeMap<u64, MailRecord>,
    facts: BTreeMap<u64, Facts>,
    cases: BTreeMap<u64, CaseRecord>,
    /// Mails that were in the index before, with their cases: written again only if those change.
    known: BTreeMap<u64, u64>,
    /// Mails that were put into a case by hand.
    pins: BTreeMap<MessageRef, CaseId>,
}

impl Gathered {
    fn insert(
        &mut self,
        store: &Store,
        record: MailRecord,
        facts: Facts,
    ) -> Result<(), StoreError> {
        if let Some(case) = store.pin(&record.message)? {
            self.pins.insert(record.message, case);
        }
        self.facts.insert(record.seq, facts);
        self.records.insert(record.seq, record);
        Ok(())
    }

    /// Adds every stored mail that shares a key with one that is here, and the whole case of each.
    fn close(&mut self, store: &Store, new: Vec<u64>) -> Result<(), StoreError> {
        let mut waiting = new;
        let (mut asked, mut asked_cases) = (BTreeSet::new(), BTreeSet::new());
        while let Some(seq) = waiting.pop() {
            let message = self.records.get(&seq).map(|record| record.message);
            if let Some(case) = message.and_then(|message| self.pins.get(&message)).cloned()
                && asked_cases.insert(case.clone())
                && let Some(record) = store.case_by_id(&case)?
            {
                self.add_case(store, record, &mut waiting)?;
            }
            let keys = self.facts.get(&seq).map(intake::asked_keys).unwrap_or_default();
            for (key, enough) in keys {
                if !asked.insert(key) {
                    continue;
                }
                for found in store.seqs_by_join_key(key)?.into_iter().take(enough) {
                    self.add_case_of(store, found, &mut waiting)?;
                }
            }
        }
        Ok(())
    }

    fn add_case_of(
        &mut self,
        store: &Store,
        seq: u64,
        waiting: &mut Vec<u64>,
    ) -> Result<(), StoreError> {
        if self.records.contains_key(&seq) {
            return Ok(());
        }
        let Some(mail) = store.mail(seq)? else { return Ok(()) };
        match store.case(mail.case)? {
            Some(case) => self.add_case(store, case, waiting),
            None => self.add_known(store, seq, waiting),
        }
    }

    fn add_case(
        &mut self,
        store: &Store,
        case: CaseRecord,
        waiting: &mut Vec<u64>,
    ) -> Result<(), StoreError> {
        let members = case.members.clone();
        self.cases.insert(case.number, case);
        members.into_iter().try_for_each(|member| self.add_known(store, member, waiting))
    }

    fn add_known(
        &mut self,
        store: &Store,
        seq: u64,
        waiting: &mut Vec<u64>,
    ) -> Result<(), StoreError> {
        if self.records.contains_key(&seq) {
            return Ok(());
        }
        let Some(record) = store.mail(seq)? else { return Ok(()) };
        let facts = facts_of(&record);
        waiting.push(seq);
        self.known.insert(seq, record.case);
        self.insert(store, record, facts)
    }

    /// Whether a case outside of this set has the id of a group: two Message-IDs can give one id, as a hundred
    /// thousand of them do once in five times.
    fn is_taken(&self, store: &Store, group: &Group) -> Result<bool, StoreError> {
        let other = store.case_by_id(&group.id)?;
        Ok(other.is_some_and(|case| !self.cases.contains_key(&case.number)))
    }

    /// Works out which mails belong together and writes their cases.
    fn into_cases(
        mut self,
        store: &Store,
        rules: &Rules,
        journal_pins: &BTreeMap<MessageRef, CaseId>,
        batch: &mut Batch,
    ) -> Result<Changed, StoreError> {
        let facts: Vec<Facts> = self.facts.values().cloned().collect();
        let mut pins: BTreeMap<MessageRef, CaseId> = self
            .cases
            .values()
            .filter(|case| case.pinned)
            .map(|case| (case.root, case.id.clone()))
            .collect();
        for one in &facts {
            if let Some(id) = journal_pins.get(&one.message) {
                pins.insert(one.message, id.clone());
            }
        }
        // What a maintainer has put together or apart counts more than where a case began.
        pins.extend(std::mem::take(&mut self.pins));
        let seq_of: BTreeMap<MessageRef, u64> =
            self.records.values().map(|record| (record.message, record.seq)).collect();
        let mut numbers = Numbers::new(store, &self.cases);
        let mut changed = Changed::default();
        let mut ids = BTreeSet::new();
        for mut group in intake::assign(&facts, &pins) {
            if !ids.insert(group.id.clone()) || self.is_taken(store, &group)? {
                group.id = CaseId::derive(None, &group.root);
                ids.insert(group.id.clone());
            }
            let members: Vec<u64> =
                group.members.iter().filter_map(|message| seq_of.get(message).copied()).collect();
            let number = numbers.take(&group, &members, &self.records)?;
            let case = fold(store, &group.id, pins.contains_key(&group.root))?;
            let pinned = case.entry_count() > 0;
            let root = case.root.filter(|_| pinned).unwrap_or(group.root);
            for seq in &members {
                if let Some(record) = self.records.get_mut(seq) {
                    record.case = number;
                }
            }
            let mails: Vec<&MailRecord> =
                members.iter().filter_map(|seq| self.records.get(seq)).collect();
            let record = case_record(rules, number, root, pinned, &mails, &case, None);
            if self.cases.get(&number) != Some(&record) {
                changed.cases.insert(number);
                batch.put_case(record);
            }
        }
        for (seq, record) in self.records {
            let known = self.known.get(&seq);
            if known == Some(&record.case) {
                continue;
            }
            // What it is compared by goes with it; a new mail gets that when it is judged.
            if known.is_some()
                && let Some(NearRecord { sketch, .. }) = store.near(seq)?
            {
                batch.put_near(seq, NearRecord { case: record.case, sketch });
            }
            batch.put_mail(record);
        }
        for number in numbers.unused() {
            batch.remove_case(number);
            changed.gone.insert(number);
        }
        Ok(changed)
    }
}

/// Numbers of cases: an old case keeps its number, a new one gets the next.
struct Numbers<'a> {
    store: &'a Store,
    old: BTreeSet<u64>,
    by_id: BTreeMap<CaseId, u64>,
    given: u64,
}

impl<'a> Numbers<'a> {
    fn new(store: &'a Store, cases: &BTreeMap<u64, CaseRecord>) -> Self {
        let by_id = cases.values().map(|case| (case.id.clone(), case.number)).collect();
        Self { store, old: cases.keys().copied().collect(), by_id, given: 0 }
    }

    fn take(
        &mut self,
        group: &Group,
        members: &[u64],
        records: &BTreeMap<u64, MailRecord>,
    ) -> Result<u64, StoreError> {
        let same_id = self.by_id.get(&group.id).copied();
        let earlier = members.iter().filter_map(|seq| records.get(seq)).map(|record| record.case);
        for number in same_id.into_iter().chain(earlier) {
            if self.old.remove(&number) {
                return Ok(number);
            }
        }
        self.given += 1;
        Ok(self.store.last_case_number()? + self.given)
    }

    fn unused(self) -> BTreeSet<u64> {
        self.old
    }
}

/// The decisions on a case.
///
/// # Errors
/// If index or journal cannot be read.
pub fn fold(store: &Store, id: &CaseId, pinned: bool) -> Result<Case, StoreError> {
    if !pinned {
        return Ok(Case::new(id.clone()));
    }
    Ok(Case::fold(id.clone(), &store.entries(id)?))
}

/// Reads one mail; its number and place are filled in by the caller.
fn summarise(rules: &Rules, mail: &NewMail, id: MessageRef) -> (MailRecord, Facts) {
    let message = mail::parse(&mail.raw);
    let folder = mail.source.as_ref().map(|source| &source.mailbox);
    let read = if folder.is_some() && folder == rules.sent.as_ref() {
        intake::facts_of_sent
    } else {
        intake::facts
    };
    let facts = read(&message, id, mail.received, &rules.ours);
    let record = MailRecord {
        seq: 0,
        message: id,
        place: ArchivePlace::default(),
        size: mail.raw.len() as u64,
        received: mail.received,
        received_from: mail.received_from,
        date: message.date,
        from: addresses(&message.from),
        to: addresses(&message.to),
        subject: message.subject.clone(),
        message_id: facts.message_id.clone(),
        references: facts.references.clone(),
        base_subject: facts.base_subject.clone(),
        is_reply: facts.is_reply,
        participants: facts.participants.clone(),
        ghsa: facts.ghsa.clone(),
        refers_back: facts.refers_back,
        direction: facts.direction,
        attachments: message.parts.iter().any(|part| part.attachment),
        warned: !message.warnings.is_empty(),
        reading: Reading::default(),
        // By what the rules do not read nothing has to be waited for.
        judged: facts.direction != Direction::In,
        gone: false,
        rescued: folder.is_some() && folder == rules.junk.as_ref(),
        case: 0,
    };
    (record, facts)
}

/// What the rules propose for a case, which may repeat another, and whose claims were looked up or not.
pub fn verdict(
    rules: &Rules,
    case: &Case,
    readings: &[&Reading],
    repeats: Option<CaseId>,
    claims: Option<Claims>,
) -> Verdict {
    let score = case.vector.as_deref().and_then(|text| Vector::parse(text).ok());
    let confirmed = checklist::confirmed(case);
    let mut kept: Vec<Reading> = Vec::new();
    if !case.rejected_hints.is_empty() {
        kept = readings.iter().map(|reading| (*reading).clone()).collect();
        kept.iter_mut().for_each(|reading| reading.set_aside(&case.rejected_hints));
    }
    let left: Vec<&Reading> = kept.iter().collect();
    let readings = if kept.is_empty() { readings } else { &left };
    intake::suggest(&rules.policy, &confirmed, readings, Known { score, repeats, claims })
}

fn addresses(list: &[mail::Address]) -> Vec<(String, String)> {
    list.iter().take(MAX_ADDRESSES).map(|a| (a.name.clone(), a.address.clone())).collect()
}

/// What threading needs to know of a stored mail.
fn facts_of(record: &MailRecord) -> Facts {
    Facts {
        message: record.message,
        message_id: record.message_id.clone(),
        references: record.references.clone(),
        base_subject: record.base_subject.clone(),
        is_reply: record.is_reply,
        participants: record.participants.clone(),
        received: record.received,
        direction: record.direction,
        ghsa: record.ghsa.clone(),
        refers_back: record.refers_back,
    }
}

/// The line of a case in the queue.
pub fn case_record(
    rules: &Rules,
    number: u64,
    root: MessageRef,
    pinned: bool,
    mails: &[&MailRecord],
    case: &Case,
    claims: Option<Claims>,
) -> CaseRecord {
    let incoming = || mails.iter().filter(|mail| mail.direction == Direction::In);
    let first = incoming().next().or_else(|| mails.first());
    let answers = || mails.iter().filter(|mail| mail.direction == Direction::Out);
    let first_in = incoming().next().map(|mail| mail.received);
    let answered_after = |mail: &&&MailRecord| first_in.is_none_or(|first| mail.received >= first);
    let first_answer = answers().find(answered_after).map(|mail| mail.received);
    let last_answer = answers().next_back().map(|mail| mail.received);
    let last_word = mails.iter().rfind(|mail| mail.direction != Direction::Automatic);
    let readings: Vec<&Reading> = incoming().map(|mail| &mail.reading).collect();
    let judged = incoming().all(|mail| mail.judged);
    // Whether it repeats another is found out when it is looked at: it depends on all the others.
    let proposed = verdict(rules, case, &readings, None, claims);
    let sender = first.and_then(|mail| mail.from.first()).cloned().unwrap_or_default();
    CaseRecord {
        number,
        id: case.id.clone(),
        root,
        pinned,
        members: mails.iter().map(|mail| mail.seq).collect(),
        subject: first.map(|mail| mail.subject.clone()).unwrap_or_default(),
        reporter: Reporter { name: sender.0, address: sender.1 },
        received: first.map(|mail| mail.received).unwrap_or_default(),
        last: mails.iter().map(|mail| mail.received).max().unwrap_or_default(),
        first_answer,
        last_answer,
        // Once a newer mail of ours has come in, the answer has left.
        queued: case.queued.filter(|at| last_answer.is_none_or(|last| last < *at)),
        pauses: pauses(case, mails),
        waiting_since: waiting_since(case, mails),
        messages: u32::try_from(mails.len()).unwrap_or(u32::MAX),
        unanswered: last_word.is_some_and(|mail| mail.direction == Direction::In),
        state: case.state(first_answer.is_some()),
        disposition: case.decision.as_ref().map(|decision| decision.disposition),
        decided_clauses: case.decision.as_ref().map(|d| d.clauses.clone()).unwrap_or_default(),
        suggested: (judged && !readings.is_empty()).then_some(proposed.disposition),
        suggested_clauses: match judged {
            true => proposed.all_clauses().cloned().collect(),
            false => Vec::new(),
        },
        public: verdict::is_public(&checklist::confirmed(case), &verdict::merge_flags(&readings)),
        warnings: mails.iter().any(|mail| mail.warned),
        rescued: mails.iter().any(|mail| mail.rescued),
        journal_entries: u32::try_from(case.entry_count()).unwrap_or(u32::MAX),
        attachments: mails.iter().any(|mail| mail.attachments),
    }
}

/// When our clocks rest: as the maintainer said, each pause until the next mail from outside at most.
fn pauses(case: &Case, mails: &[&MailRecord]) -> Vec<(i64, Option<i64>)> {
    let end = |pause: &Pause| {
        let after =
            |mail: &&&MailRecord| mail.direction == Direction::In && mail.received > pause.from;
        let mut pause = *pause;
        if let Some(mail) = mails.iter().find(after) {
            pause.end_at(mail.received);
        }
        (pause.from.as_millisecond(), pause.until.map(Timestamp::as_millisecond))
    };
    case.pauses.iter().map(end).collect()
}

/// Since when the case waits for the reporter: it was decided that points are missing, and the newest word of a human is
/// ours. An answer that is drafted and has not left yet is still our turn.
fn waiting_since(case: &Case, mails: &[&MailRecord]) -> Option<Timestamp> {
    let decision = case.decision.as_ref()?;
    let asked = decision.disposition == Disposition::NeedsInfo;
    let asks = asked && case.state(true) == CaseState::Triage;
    let human = || mails.iter().filter(|mail| mail.direction != Direction::Automatic);
    let since = human().rev().take_while(|mail| mail.direction == Direction::Out).last()?.received;
    let newest = human().next_back()?.received;
    let drafted = case.reply.as_ref().is_some_and(|draft| draft.at > newest);
    (asks && !drafted).then(|| since.max(decision.at))
}
