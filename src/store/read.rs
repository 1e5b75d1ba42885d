//! Reading: mails, cases, queue, raw bytes, journal entries. Every call fails only if index or file cannot be
//! read.

use std::collections::BTreeSet;

use super::error::StoreError;
use super::journal::{JournalPosition, LinePlace, StoredEntry};
use super::records::{CaseRecord, Counts, MailRecord, NearRecord, PrecedentRecord, QueueKey};
use super::scan::{ArchivePosition, Scan};
use super::{Damage, Store, keys};
use crate::domain::case::Direction;
use crate::domain::grouping::{CHAIN_MAX, Grouping};
use crate::domain::journal::Entry;
use crate::domain::{CaseId, MessageRef};

/// Case ids named where a prefix is not clear.
const AMBIGUOUS_SHOWN: usize = 8;
/// No list is longer than this; only those of one case or one thread are read whole.
const LIST_LIMIT: usize = 1 << 20;

impl Store {
    /// The mail with this number.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn mail(&self, seq: u64) -> Result<Option<MailRecord>, StoreError> {
        let Some(mail) = self.with_index(|index| index.get(&keys::mail(seq)))? else {
            return Ok(None);
        };
        self.with_reading(mail).map(Some)
    }

    /// A mail together with what the rules read out of it, if they have.
    fn with_reading(&self, mail: MailRecord) -> Result<MailRecord, StoreError> {
        if mail.direction != Direction::In {
            return Ok(MailRecord { judged: true, ..mail });
        }
        let reading = self.with_index(|index| index.get(&keys::reading(mail.seq)))?;
        Ok(MailRecord { judged: reading.is_some(), reading: reading.unwrap_or_default(), ..mail })
    }

    /// Number of the mail with these bytes.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn seq_of(&self, message: &MessageRef) -> Result<Option<u64>, StoreError> {
        let found: Option<u64> = self.with_index(|index| index.get(&keys::message(message)))?;
        let Some(seq) = found else { return Ok(None) };
        // The key holds half of the name.
        let mail: Option<MailRecord> = self.with_index(|index| index.get(&keys::mail(seq)))?;
        Ok(mail.filter(|mail| mail.message == *message).map(|mail| mail.seq))
    }

    /// The mail with these bytes.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn mail_by_ref(&self, message: &MessageRef) -> Result<Option<MailRecord>, StoreError> {
        match self.seq_of(message)? {
            Some(seq) => self.mail(seq),
            None => Ok(None),
        }
    }

    /// At most `limit` mails with numbers above `after`, ascending.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn mails_after(&self, after: u64, limit: usize) -> Result<Vec<MailRecord>, StoreError> {
        let start = keys::mail(after);
        let mails: Vec<MailRecord> =
            values(self.with_index(|index| index.list(&[keys::MAIL], Some(&start), limit))?);
        mails.into_iter().map(|mail| self.with_reading(mail)).collect()
    }

    /// Numbers of at most `limit` mails that the rules have not read, ascending. A crash in between leaves them here.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn unjudged(&self, limit: usize) -> Result<Vec<u64>, StoreError> {
        let found: Vec<(Vec<u8>, ())> =
            self.with_index(|index| index.list(&[keys::UNJUDGED], None, limit))?;
        Ok(found.iter().filter_map(|(key, ())| keys::last_number(key)).collect())
    }

    /// Numbers of the mails under a join key, ascending.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn seqs_by_join_key(&self, key: u64) -> Result<Vec<u64>, StoreError> {
        let found: Vec<(Vec<u8>, ())> =
            self.with_index(|index| index.list(&keys::join_prefix(key), None, LIST_LIMIT))?;
        Ok(found.iter().filter_map(|(key, ())| keys::joined(key)).collect())
    }

    /// The case with this number.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn case(&self, number: u64) -> Result<Option<CaseRecord>, StoreError> {
        self.with_index(|index| index.get(&keys::case(number)))
    }

    /// The case with this id.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn case_by_id(&self, id: &CaseId) -> Result<Option<CaseRecord>, StoreError> {
        match self.with_index(|index| index.get(&keys::case_id(id.as_str())))? {
            Some(number) => self.case(number),
            None => Ok(None),
        }
    }

    /// The one case whose id begins with `prefix`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Ambiguous`]; or if the index cannot be read.
    pub fn case_by_prefix(&self, prefix: &str) -> Result<CaseRecord, StoreError> {
        let not_found = || StoreError::NotFound { what: format!("case {prefix}") };
        if prefix.is_empty() || prefix.len() > CaseId::LENGTH {
            return Err(not_found());
        }
        let found = self.ids_with_prefix(prefix)?;
        match found.as_slice() {
            [] => Err(not_found()),
            [id] => {
                self.case_by_id(self.merged_into(id)?.as_ref().unwrap_or(id))?.ok_or_else(not_found)
            }
            several => Err(StoreError::Ambiguous {
                prefix: prefix.to_owned(),
                matches: several.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    /// Ids that begin with `prefix`, those of merged cases too, the first few in their order.
    fn ids_with_prefix(&self, prefix: &str) -> Result<Vec<CaseId>, StoreError> {
        let cases: Vec<(Vec<u8>, u64)> =
            self.with_index(|index| index.list(&keys::case_id(prefix), None, AMBIGUOUS_SHOWN))?;
        let merged: Vec<(Vec<u8>, CaseId)> =
            self.with_index(|index| index.list(&keys::alias(prefix), None, AMBIGUOUS_SHOWN))?;
        let keys = cases.iter().map(|(key, _)| key).chain(merged.iter().map(|(key, _)| key));
        let mut ids: Vec<CaseId> = keys.filter_map(|key| keys::case_of(key)).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// The case that has the mails of a merged one; `None` if that is no merged one.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn merged_into(&self, case: &CaseId) -> Result<Option<CaseId>, StoreError> {
        let mut at = None;
        for _ in 0..CHAIN_MAX {
            let key = keys::alias(at.as_ref().unwrap_or(case).as_str());
            match self.with_index(|index| index.get::<CaseId>(&key))? {
                Some(next) => at = Some(next),
                None => break,
            }
        }
        Ok(at)
    }

    /// Cases that have entries which merge or split.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn regrouped_cases(&self) -> Result<Vec<CaseId>, StoreError> {
        let found: Vec<(Vec<u8>, ())> =
            self.with_index(|index| index.list(&[keys::REGROUPED], None, LIST_LIMIT))?;
        Ok(found.iter().filter_map(|(key, ())| keys::case_of(key)).collect())
    }

    /// The case that a mail was put into by hand.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn pin(&self, message: &MessageRef) -> Result<Option<CaseId>, StoreError> {
        self.with_index(|index| index.get(&keys::pin(message)))
    }

    /// What merges and splits came to when the index last heard of them.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn grouping(&self) -> Result<Grouping, StoreError> {
        let pins: Vec<(Vec<u8>, CaseId)> =
            self.with_index(|index| index.list(&[keys::PIN], None, LIST_LIMIT))?;
        let aliases: Vec<(Vec<u8>, CaseId)> =
            self.with_index(|index| index.list(&[keys::ALIAS], None, LIST_LIMIT))?;
        let message = |key: &[u8]| {
            let digest: Option<[u8; 32]> = key.get(1..).and_then(|bytes| bytes.try_into().ok());
            digest.map(MessageRef::from_digest)
        };
        let pins = pins.into_iter().filter_map(|(key, case)| Some((message(&key)?, case)));
        let aliases = aliases.into_iter().filter_map(|(key, to)| Some((keys::case_of(&key)?, to)));
        Ok(Grouping { pins: pins.collect(), aliases: aliases.collect() })
    }

    /// What the mail `seq` is compared by; `None` for one that did not come to us.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn near(&self, seq: u64) -> Result<Option<NearRecord>, StoreError> {
        self.with_index(|index| index.get(&keys::near(seq)))
    }

    /// At most `limit` of these for mails with numbers above `after`, with the numbers, ascending.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn nears_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, NearRecord)>, StoreError> {
        let start = keys::near(after);
        let found: Vec<(Vec<u8>, NearRecord)> =
            self.with_index(|index| index.list(&[keys::NEAR], Some(&start), limit))?;
        let number = |(key, near): (Vec<u8>, NearRecord)| Some((keys::last_number(&key)?, near));
        Ok(found.into_iter().filter_map(number).collect())
    }

    /// Every published record, by its key in the journal.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn precedents(&self) -> Result<Vec<(CaseId, PrecedentRecord)>, StoreError> {
        let found: Vec<(Vec<u8>, PrecedentRecord)> =
            self.with_index(|index| index.list(&[keys::PRECEDENT], None, LIST_LIMIT))?;
        let case = |(key, record): (Vec<u8>, _)| Some((keys::case_of(&key)?, record));
        Ok(found.into_iter().filter_map(case).collect())
    }

    /// How many letters of the id tell it from all others in the store, at least 1.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn unique_prefix_len(&self, id: &CaseId) -> Result<usize, StoreError> {
        let mut longest = 1;
        // Ids of merged cases can still be given, so they count as others.
        for (kind, key) in
            [(keys::CASE_ID, keys::case_id(id.as_str())), (keys::ALIAS, keys::alias(id.as_str()))]
        {
            let near = self.with_index(|index| index.neighbours(&[kind], &key))?;
            let common =
                |other: &Vec<u8>| key.iter().zip(other).take_while(|(a, b)| a == b).count();
            // The prefix byte of the key is in the count; the first letter that differs takes its place.
            longest = near.iter().flatten().map(common).fold(longest, usize::max);
        }
        Ok(longest.min(CaseId::LENGTH))
    }

    /// At most `limit` cases after `after`, newest activity first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn cases_newest_first(
        &self,
        after: Option<QueueKey>,
        limit: usize,
    ) -> Result<Vec<CaseRecord>, StoreError> {
        let start = after.map(|key| keys::queue(key.last, key.number));
        self.with_index(|index| {
            let found: Vec<(Vec<u8>, u64)> = index.list(&[keys::QUEUE], start.as_deref(), limit)?;
            let case = |(_, number)| index.get(&keys::case(number)).transpose();
            found.into_iter().filter_map(case).collect()
        })
    }

    /// At most `limit` cases with numbers above `after`, ascending.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn cases_after(&self, after: u64, limit: usize) -> Result<Vec<CaseRecord>, StoreError> {
        let start = keys::case(after);
        self.with_index(|index| Ok(values(index.list(&[keys::CASE], Some(&start), limit)?)))
    }

    /// Highest number of a case so far in the index; 0 for none.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn last_case_number(&self) -> Result<u64, StoreError> {
        let beyond = [keys::CASE + 1];
        let [before, _] = self.with_index(|index| index.neighbours(&[keys::CASE], &beyond))?;
        Ok(before.and_then(|key| keys::last_number(&key)).unwrap_or(0))
    }

    /// Number of the mail that this message of the server is.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn uid_known(
        &self,
        mailbox: &str,
        uid_validity: u32,
        uid: u32,
    ) -> Result<Option<u64>, StoreError> {
        self.with_index(|index| index.get(&keys::uid(mailbox, uid_validity, uid)))
    }

    /// At most `limit` messages of the server from UID `first` to `last`, ascending: UID and number of the mail.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn uids_within(
        &self,
        mailbox: &str,
        uid_validity: u32,
        (first, last): (u32, u32),
        limit: usize,
    ) -> Result<Vec<(u32, u64)>, StoreError> {
        let before = first.checked_sub(1).map(|uid| keys::uid(mailbox, uid_validity, uid));
        let prefix = keys::uids(mailbox, uid_validity);
        let found: Vec<(Vec<u8>, u64)> =
            self.with_index(|index| index.list(&prefix, before.as_deref(), limit))?;
        let uids = found.into_iter().filter_map(|(key, seq)| Some((keys::uid_of(&key)?, seq)));
        Ok(uids.take_while(|(uid, _)| *uid <= last).collect())
    }

    /// The UIDVALIDITYs under which messages of a mailbox are known.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn uid_validities(&self, mailbox: &str) -> Result<Vec<u32>, StoreError> {
        let prefix = keys::mailbox_uids(mailbox);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let next: Vec<(Vec<u8>, u64)> =
                self.with_index(|index| index.list(&prefix, after.as_deref(), 1))?;
            let key = next.first().map(|(key, _)| key.as_slice());
            let Some(validity) = key.and_then(keys::uid_validity_of) else { return Ok(found) };
            found.push(validity);
            after = Some(keys::uid(mailbox, validity, u32::MAX));
        }
    }

    /// How often the mail with this number is on the server, as far as is known.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn places_on_server(&self, seq: u64) -> Result<usize, StoreError> {
        let found: Vec<(Vec<u8>, ())> =
            self.with_index(|index| index.list(&keys::places(seq), None, LIST_LIMIT))?;
        Ok(found.len())
    }

    /// The flags and keywords that the mail with this number has on the server, in all its places together; sorted.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn flags_of(&self, seq: u64) -> Result<Vec<String>, StoreError> {
        self.with_index(|index| {
            let places: Vec<(Vec<u8>, ())> = index.list(&keys::places(seq), None, LIST_LIMIT)?;
            let mut all = BTreeSet::new();
            for (place, ()) in places {
                all.extend(index.get::<Vec<String>>(&keys::flags_at(&place))?.unwrap_or_default());
            }
            Ok(all.into_iter().collect())
        })
    }

    /// The flags and keywords of this message of the server.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn flags(
        &self,
        mailbox: &str,
        uid_validity: u32,
        uid: u32,
    ) -> Result<Vec<String>, StoreError> {
        let key = keys::flags(mailbox, uid_validity, uid);
        Ok(self.with_index(|index| index.get(&key))?.unwrap_or_default())
    }

    /// Where a synchronisation of `mailbox` goes on.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn cursor(&self, mailbox: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_index(|index| index.get(&keys::cursor(mailbox)))
    }

    /// Numbers of mails, cases and entries: kept, not counted.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        self.with_index(|index| Ok(index.meta_now().counts))
    }

    /// The raw bytes of the mail with this number, checked against its SHA-256.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Damaged`] if the copy is not as it was written.
    pub fn raw(&self, seq: u64) -> Result<Vec<u8>, StoreError> {
        // Its own statement, so that the lock is not held while the index is read.
        let waiting = self.archive.pending().place(seq);
        let place = match waiting {
            Some(place) => Some(place),
            None => self.mail(seq)?.map(|mail| mail.place),
        };
        let place = place.ok_or_else(|| StoreError::NotFound { what: format!("message {seq}") })?;
        self.archive.raw(place, seq)
    }

    /// The raw bytes of several mails, in their order; each fails as [`Store::raw`] does. Neighbours are read at once.
    pub fn raw_of(&self, mails: &[MailRecord]) -> Vec<Result<Vec<u8>, StoreError>> {
        let places: Vec<_> = mails.iter().map(|mail| (mail.seq, mail.place)).collect();
        self.archive.raws(&places)
    }

    /// The raw bytes of this message.
    ///
    /// # Errors
    /// As [`Store::raw`].
    pub fn raw_by_ref(&self, message: &MessageRef) -> Result<Vec<u8>, StoreError> {
        let waiting = self.archive.pending().find(message);
        let seq = match waiting {
            Some((seq, _)) => Some(seq),
            None => self.seq_of(message)?,
        };
        let not_found = || StoreError::NotFound { what: format!("message {}", message.short()) };
        self.raw(seq.ok_or_else(not_found)?)
    }

    /// The entries of a case, in the order of the journal. A line that is no entry any more is left out; see
    /// [`Store::damages`].
    ///
    /// # Errors
    /// If index or journal cannot be read.
    pub fn entries(&self, case: &CaseId) -> Result<Vec<Entry>, StoreError> {
        let places: Vec<(Vec<u8>, LinePlace)> =
            self.with_index(|index| index.list(&keys::entries(case), None, LIST_LIMIT))?;
        self.journal().at(&values(places))
    }

    /// Messages of the archive after `from`, up to what is written at this moment. Damage is
    /// an item of its own, and the records after it follow.
    ///
    /// # Errors
    /// If the archive folder cannot be read.
    pub fn archive_records(&self, from: &ArchivePosition) -> Result<Scan, StoreError> {
        self.archive.records(from.clone(), true)
    }

    /// Readable journal entries after `from`, and every damage in the whole journal.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn journal_entries(
        &self,
        from: &JournalPosition,
    ) -> Result<(Vec<StoredEntry>, Vec<Damage>), StoreError> {
        let (mut entries, damages) = self.journal().entries()?;
        entries.retain(|stored| stored.place.offset >= from.offset);
        Ok((entries, damages))
    }

    /// The point after the last archive record.
    pub fn archive_end(&self) -> ArchivePosition {
        self.archive.end()
    }

    /// The point after the last journal line.
    pub fn journal_end(&self) -> JournalPosition {
        self.journal().end().clone()
    }
}

fn values<T>(found: Vec<(Vec<u8>, T)>) -> Vec<T> {
    found.into_iter().map(|(_, value)| value).collect()
}
