//! Mail is stored and listed first; what the rules say about it is worked out here, afterwards.
//!
//! Which mails wait is kept in the index, in the same step in which they enter it, so a crash loses none. Headless
//! commands judge what waits before they show or end ([`Desk::judge_all`]); the screen has a thread for it. Until a
//! mail is judged, its case has no suggestion; a case that is opened before is judged as it is shown.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, Upkeep};
use super::ingest::{self, Changed};
use super::parallel;
use crate::domain::hint::Reading;
use crate::intake;
use crate::mail::{self, Message};
use crate::store::{Batch, MailRecord, StoreError};

/// Mails judged in one step.
const STEP: usize = 256;

/// Raw bytes read for one step, beside the one mail that goes over.
const STEP_BYTES: u64 = 16 << 20;

impl Desk {
    /// Judges some of the mails that wait; `None` if none does. The lock on changes is held only for writing.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn judge_some(&self) -> Result<Option<Changed>, StoreError> {
        let mut bytes = 0;
        let mut mails: Vec<MailRecord> = Vec::new();
        for seq in self.store.unjudged(STEP)? {
            let Some(mail) = self.store.mail(seq)? else { continue };
            bytes += mail.size;
            mails.push(mail);
            if bytes >= STEP_BYTES {
                break;
            }
        }
        if mails.is_empty() {
            return Ok(None);
        }
        let raws = self.store.raw_of(&mails);
        let pairs: Vec<_> = mails.iter().zip(raws).collect();
        let readings = parallel::each(&pairs, |(record, raw)| match raw {
            Ok(raw) => read(self, &mail::parse(raw), record),
            // The damage is told by `verify` and wherever the mail is shown.
            Err(_) => Reading::default(),
        });
        let readings = mails.iter().map(|mail| mail.seq).zip(readings).collect();
        self.keep(readings).map(Some)
    }

    /// Judges everything that waits.
    ///
    /// # Errors
    /// If the store cannot be read or written; what was judged before stays.
    pub fn judge_all(&self, upkeep: Upkeep<'_>) -> Result<(), StoreError> {
        let total = self.store.unjudged(usize::MAX)?.len() as u64;
        while self.judge_some()?.is_some() {
            let left = self.store.unjudged(usize::MAX)?.len() as u64;
            upkeep("judging mail by the rules", total.saturating_sub(left), total);
        }
        if total > 0 {
            self.store.flush()?;
        }
        Ok(())
    }

    /// Writes what was read, and the cases as they are with it.
    fn keep(&self, readings: BTreeMap<u64, Reading>) -> Result<Changed, StoreError> {
        let _one = self.changing();
        let mut batch = Batch::new();
        let mut judged: BTreeMap<u64, MailRecord> = BTreeMap::new();
        for (seq, reading) in readings {
            // As it is now: it may have moved to another case meanwhile.
            let Some(record) = self.store.mail(seq)? else { continue };
            judged.insert(seq, MailRecord { reading, judged: true, ..record });
        }
        let cases: BTreeSet<u64> = judged.values().map(|mail| mail.case).collect();
        let mut changed = Changed::default();
        for number in cases {
            let Some(known) = self.store.case(number)? else { continue };
            let mut mails = self.mails_of(&known)?;
            for mail in &mut mails {
                if let Some(record) = judged.get(&mail.seq) {
                    record.clone_into(mail);
                }
            }
            let mails: Vec<&MailRecord> = mails.iter().collect();
            let case = ingest::fold(&self.store, &known.id, known.pinned)?;
            let rules = &self.rules;
            let record =
                ingest::case_record(rules, number, known.root, known.pinned, &mails, &case);
            if record != known {
                changed.cases.insert(number);
                batch.put_case(record);
            }
        }
        judged.into_values().for_each(|mail| {
            batch.put_mail(mail);
        });
        self.store.commit(batch)?;
        Ok(changed)
    }
}

/// What the rules read out of a mail.
pub fn read(desk: &Desk, message: &Message, record: &MailRecord) -> Reading {
    let rules = &desk.rules;
    let (at, direction) = (record.received, record.direction);
    let read =
        |hints| intake::hints::read(hints, &rules.policy, message, record.message, at, direction);
    rules.hints.get().map(read).unwrap_or_default()
}
