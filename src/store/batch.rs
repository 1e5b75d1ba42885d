//! A set of changes to the index that happen together or not at all.

use std::collections::BTreeSet;

use super::error::StoreError;
use super::frame::MAX_FLAGS;
use super::index::{Meta, Transaction};
use super::journal::{JournalPosition, LinePlace, StoredEntry};
use super::keys;
use super::records::{CaseRecord, Counts, MailRecord, NearRecord, PrecedentRecord};
use super::scan::ArchivePosition;
use crate::domain::case::Direction;
use crate::domain::journal::REGROUPING;
use crate::domain::{CaseId, CaseState, MessageRef};

/// Changes for [`super::Store::commit`].
#[derive(Default)]
pub struct Batch {
    ops: Vec<Op>,
    pub(super) archive: Option<ArchivePosition>,
    pub(super) journal: Option<JournalPosition>,
}

enum Op {
    Mail(Box<MailRecord>),
    Joins(u64, Vec<u64>),
    Case(Box<CaseRecord>),
    RemoveCase(u64),
    Uid(String, u32, u32, u64),
    NoUid(String, u32, u32),
    Flags(String, u32, u32, Vec<String>),
    Cursor(String, Vec<u8>),
    Entry(CaseId, u64, LinePlace),
    Regrouped(CaseId),
    Near(u64, NearRecord),
    Pin(MessageRef, Option<CaseId>),
    Alias(CaseId, Option<CaseId>),
    Precedent(CaseId, Option<Box<PrecedentRecord>>),
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a mail, and finds it by its SHA-256 from now on; among those to be judged until it is.
    pub fn put_mail(&mut self, mail: MailRecord) -> &mut Self {
        self.push(Op::Mail(Box::new(mail)))
    }

    /// Lets the mail `seq` be found under these keys (hashes of what joins mails into cases).
    pub fn put_join_keys(&mut self, seq: u64, keys: &[u64]) -> &mut Self {
        self.push(Op::Joins(seq, keys.to_vec()))
    }

    /// Sets a case, in its place in the queue.
    pub fn put_case(&mut self, case: CaseRecord) -> &mut Self {
        self.push(Op::Case(Box::new(case)))
    }

    /// Takes a case away, as when two are found to be one.
    pub fn remove_case(&mut self, number: u64) -> &mut Self {
        self.push(Op::RemoveCase(number))
    }

    /// Notes that this message of the server is the mail `seq`.
    pub fn map_uid(&mut self, mailbox: &str, uid_validity: u32, uid: u32, seq: u64) -> &mut Self {
        self.push(Op::Uid(mailbox.to_owned(), uid_validity, uid, seq))
    }

    /// Sets the flags of a message of the server that is, or is to be, mapped to a mail. Where they are more than any
    /// server should give, none are kept.
    pub fn put_flags(
        &mut self,
        mailbox: &str,
        uid_validity: u32,
        uid: u32,
        flags: &[String],
    ) -> &mut Self {
        let few = flags.iter().map(|flag| flag.len() + 3).sum::<usize>() <= MAX_FLAGS;
        let flags = if few { flags.to_vec() } else { Vec::new() };
        self.push(Op::Flags(mailbox.to_owned(), uid_validity, uid, flags))
    }

    /// Notes that this message of the server is there no more.
    pub fn unmap_uid(&mut self, mailbox: &str, uid_validity: u32, uid: u32) -> &mut Self {
        self.push(Op::NoUid(mailbox.to_owned(), uid_validity, uid))
    }

    /// Keeps where a synchronisation of `mailbox` goes on; what the bytes mean is its own matter.
    pub fn put_cursor(&mut self, mailbox: &str, cursor: Vec<u8>) -> &mut Self {
        self.push(Op::Cursor(mailbox.to_owned(), cursor))
    }

    /// Lists a journal entry with its case.
    pub fn put_entry(&mut self, stored: &StoredEntry) -> &mut Self {
        let entry = &stored.entry;
        if REGROUPING.contains(&entry.kind.as_str()) {
            self.push(Op::Regrouped(entry.case.clone()));
        }
        self.push(Op::Entry(entry.case.clone(), entry.seq, stored.place))
    }

    /// Sets what the mail `seq` is compared by.
    pub fn put_near(&mut self, seq: u64, near: NearRecord) -> &mut Self {
        self.push(Op::Near(seq, near))
    }

    /// Puts a mail into a case by hand, or gives it free again.
    pub fn pin(&mut self, message: MessageRef, case: Option<CaseId>) -> &mut Self {
        self.push(Op::Pin(message, case))
    }

    /// Lets the id of a merged case lead to the one that has its mails, or to none.
    pub fn alias(&mut self, case: CaseId, to: Option<CaseId>) -> &mut Self {
        self.push(Op::Alias(case, to))
    }

    /// Sets a published record under its key in the journal, or takes it away.
    pub fn precedent(&mut self, key: CaseId, record: Option<PrecedentRecord>) -> &mut Self {
        self.push(Op::Precedent(key, record.map(Box::new)))
    }

    /// Says up to where the archive is indexed. Held back by the store as long as a record before that point
    /// has no mail.
    pub fn advance_archive(&mut self, to: ArchivePosition) -> &mut Self {
        self.archive = Some(to);
        self
    }

    /// Says up to where the journal is indexed. Held back as long as an entry before that point is not listed.
    pub fn advance_journal(&mut self, to: JournalPosition) -> &mut Self {
        self.journal = Some(to);
        self
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.archive.is_none() && self.journal.is_none()
    }

    fn push(&mut self, op: Op) -> &mut Self {
        self.ops.push(op);
        self
    }

    /// Numbers of the archive records that get a mail.
    pub(super) fn mail_seqs(&self) -> BTreeSet<u64> {
        let seq = |op: &Op| if let Op::Mail(mail) = op { Some(mail.seq) } else { None };
        self.ops.iter().filter_map(seq).collect()
    }

    /// Numbers of the journal entries that get listed.
    pub(super) fn entry_seqs(&self) -> BTreeSet<u64> {
        let seq = |op: &Op| if let Op::Entry(_, seq, _) = op { Some(*seq) } else { None };
        self.ops.iter().filter_map(seq).collect()
    }

    /// Turns the changes into keys and values, and keeps the counts right.
    pub(super) fn apply(self, to: &mut Transaction, meta: &mut Meta) -> Result<(), StoreError> {
        self.ops.into_iter().try_for_each(|op| op.apply(to, &mut meta.counts))
    }
}

impl Op {
    fn apply(self, to: &mut Transaction, counts: &mut Counts) -> Result<(), StoreError> {
        match self {
            Self::Mail(mail) => {
                let key = keys::mail(mail.seq);
                let known = to.has(&key)?;
                counts.mails += u64::from(!known);
                judge(&mail, known, to)?;
                to.put(keys::message(&mail.message), &mail.seq)?;
                to.put(key, &*mail)
            }
            Self::Joins(seq, joins) => {
                joins.into_iter().try_for_each(|key| to.put(keys::join_entry(key, seq), &()))
            }
            Self::Case(case) => {
                drop_case(case.number, to, counts)?;
                count(&case, counts, u64::wrapping_add);
                to.put(keys::case_id(case.id.as_str()), &case.number)?;
                to.put(keys::queue(case.last, case.number), &case.number)?;
                to.put(keys::case(case.number), &*case)
            }
            Self::RemoveCase(number) => drop_case(number, to, counts),
            Self::Uid(mailbox, uid_validity, uid, seq) => {
                forget_place(&mailbox, uid_validity, uid, to)?;
                to.put(keys::place(seq, &mailbox, uid_validity, uid), &())?;
                to.put(keys::uid(&mailbox, uid_validity, uid), &seq)
            }
            Self::NoUid(mailbox, uid_validity, uid) => {
                forget_place(&mailbox, uid_validity, uid, to)?;
                to.remove(keys::uid(&mailbox, uid_validity, uid));
                to.remove(keys::flags(&mailbox, uid_validity, uid));
                Ok(())
            }
            Self::Flags(mailbox, uid_validity, uid, flags) => {
                // Most mails have none, and need no record that says so.
                let some = (!flags.is_empty()).then_some(&flags);
                set(to, keys::flags(&mailbox, uid_validity, uid), some)
            }
            Self::Cursor(mailbox, cursor) => to.put(keys::cursor(&mailbox), &cursor),
            Self::Entry(case, seq, place) => {
                let key = keys::entry(&case, seq);
                counts.entries += u64::from(!to.has(&key)?);
                to.put(key, &place)
            }
            Self::Regrouped(case) => to.put(keys::regrouped(&case), &()),
            Self::Near(seq, near) => to.put(keys::near(seq), &near),
            Self::Pin(message, case) => set(to, keys::pin(&message), case.as_ref()),
            Self::Alias(case, other) => set(to, keys::alias(case.as_str()), other.as_ref()),
            Self::Precedent(key, record) => set(to, keys::precedent(&key), record.as_deref()),
        }
    }
}

/// Keeps what the rules have read in a mail that came to us, or that they still have to.
fn judge(mail: &MailRecord, known: bool, to: &mut Transaction) -> Result<(), StoreError> {
    let (unjudged, reading) = (keys::unjudged(mail.seq), keys::reading(mail.seq));
    match (mail.direction, mail.judged) {
        (Direction::In, true) => {
            to.remove(unjudged);
            to.put(reading, &mail.reading)
        }
        (Direction::In, false) => {
            if known {
                to.remove(reading);
            }
            to.put(unjudged, &())
        }
        (Direction::Out | Direction::Automatic, _) => Ok(()),
    }
}

fn set<T: serde::Serialize>(
    to: &mut Transaction,
    key: Vec<u8>,
    value: Option<&T>,
) -> Result<(), StoreError> {
    match value {
        Some(value) => to.put(key, value),
        None => {
            to.remove(key);
            Ok(())
        }
    }
}

/// What a UID stood for is not there any more: the server took it away, or gave the UID to another message.
fn forget_place(
    mailbox: &str,
    uid_validity: u32,
    uid: u32,
    to: &mut Transaction,
) -> Result<(), StoreError> {
    if let Some(seq) = to.get::<u64>(&keys::uid(mailbox, uid_validity, uid))? {
        to.remove(keys::place(seq, mailbox, uid_validity, uid));
    }
    Ok(())
}

/// Removes a case with its queue place and its id.
fn drop_case(number: u64, to: &mut Transaction, counts: &mut Counts) -> Result<(), StoreError> {
    let key = keys::case(number);
    let Some(old) = to.get::<CaseRecord>(&key)? else { return Ok(()) };
    count(&old, counts, u64::wrapping_sub);
    to.remove(keys::queue(old.last, number));
    let id = keys::case_id(old.id.as_str());
    // Another case may have taken the id over in this very batch.
    if to.get::<u64>(&id)? == Some(number) {
        to.remove(id);
    }
    to.remove(key);
    Ok(())
}

fn count(case: &CaseRecord, counts: &mut Counts, change: fn(u64, u64) -> u64) {
    counts.cases = change(counts.cases, 1);
    counts.unanswered = change(counts.unanswered, u64::from(case.unanswered));
    for (state, slot) in CaseState::ALL.iter().zip(&mut counts.by_state) {
        *slot = change(*slot, u64::from(*state == case.state));
    }
}
