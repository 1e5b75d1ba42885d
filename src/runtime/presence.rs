//! Which mails the server still has, where, and with which flags. The copies here stay whatever happens there; they are
//! only marked.
//!
//! Kept in the index alone, as the cursors are. When it is made anew, flags are as they were when the mail came, and
//! the next pull, which then reads everything, tells how they are.

use std::collections::{BTreeMap, BTreeSet};

use super::ingest::Changed;
use crate::store::{Batch, MailRecord, MailSource, ReceivedFrom, Store, StoreError};
use crate::sync::{Meta, UidSet};

/// Messages marked in one step.
const STEP: usize = 1_000;

/// Marks the mails that these UIDs stood for, unless the server has them in another place too.
///
/// # Errors
/// If the index cannot be read or written; what was marked before stays marked.
pub fn vanished(
    store: &Store,
    mailbox: &str,
    uid_validity: u32,
    uids: &[(u32, u32)],
) -> Result<Changed, StoreError> {
    let mut changed = Changed::default();
    for range in uids {
        loop {
            let found = store.uids_within(mailbox, uid_validity, *range, STEP)?;
            if found.is_empty() {
                break;
            }
            let (mut batch, mut lost) = (Batch::new(), BTreeMap::<u64, usize>::new());
            for (uid, seq) in found {
                batch.unmap_uid(mailbox, uid_validity, uid);
                *lost.entry(seq).or_default() += 1;
            }
            for (seq, count) in lost {
                if store.places_on_server(seq)? <= count {
                    mark(store, seq, true, &mut batch, &mut changed)?;
                }
            }
            // What is unmapped is not found again: the loop ends.
            store.commit(batch)?;
        }
    }
    Ok(changed)
}

/// Takes over the flags that messages of the server have now. Returns the UIDs whose message, by size or date, is not
/// the mail that is here, or that no mail is here for.
///
/// # Errors
/// If the index cannot be read or written; what was taken over before stays so.
pub fn compare(
    store: &Store,
    mailbox: &str,
    uid_validity: u32,
    now: &[Meta],
) -> Result<UidSet, StoreError> {
    let mut strange = UidSet::new();
    for step in now.chunks(STEP) {
        let mut batch = Batch::new();
        for meta in step {
            let uid = meta.uid;
            if !is_same(store, store.uid_known(mailbox, uid_validity, uid)?, meta)? {
                strange.insert(uid);
            } else if let Some(flags) = &meta.flags
                && *flags != store.flags(mailbox, uid_validity, uid)?
            {
                batch.put_flags(mailbox, uid_validity, uid, flags);
            }
        }
        if !batch.is_empty() {
            store.commit(batch)?;
        }
    }
    Ok(strange)
}

/// Whether size and date, as far as they are told, are those of the mail with this number.
fn is_same(store: &Store, seq: Option<u64>, meta: &Meta) -> Result<bool, StoreError> {
    let Some(seq) = seq else { return Ok(false) };
    if meta.size.is_none() && meta.internal_date.is_none() {
        return Ok(true);
    }
    let Some(mail) = store.mail(seq)? else { return Ok(false) };
    if meta.size.is_some_and(|size| u64::from(size) != mail.size) {
        return Ok(false);
    }
    let Some(date) = meta.internal_date else { return Ok(true) };
    // Of a mail with two places only one date is kept.
    Ok(mail.received_from != ReceivedFrom::Internaldate
        || mail.received.as_second() == date.as_second()
        || store.places_on_server(seq)? > 1)
}

/// Where mails that are about to be indexed are on the server.
#[derive(Default)]
pub(super) struct Places {
    taken: BTreeMap<(String, u32, u32), u64>,
    /// Mails whose places others take: a UID was given twice.
    displaced: BTreeSet<u64>,
}

impl Places {
    /// Notes where a mail is, and with which flags.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn take(
        &mut self,
        store: &Store,
        seq: u64,
        source: Option<&MailSource>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let Some(MailSource { mailbox, uid_validity, uid, flags }) = source else { return Ok(()) };
        batch.map_uid(mailbox, *uid_validity, *uid, seq);
        let before = match self.taken.insert((mailbox.clone(), *uid_validity, *uid), seq) {
            Some(before) => Some(before),
            None => store.uid_known(mailbox, *uid_validity, *uid)?,
        };
        if before.is_some() || !flags.is_empty() {
            batch.put_flags(mailbox, *uid_validity, *uid, flags);
        }
        self.displaced.extend(before.filter(|before| *before != seq));
        Ok(())
    }

    /// Marks, once the places are in the index, the mails that lost their last one to others.
    ///
    /// # Errors
    /// If the index cannot be read or written; then nothing was marked.
    pub fn mark_displaced(self, store: &Store) -> Result<Changed, StoreError> {
        let (mut batch, mut changed) = (Batch::new(), Changed::default());
        for seq in self.displaced {
            if store.places_on_server(seq)? == 0 {
                mark(store, seq, true, &mut batch, &mut changed)?;
            }
        }
        if !batch.is_empty() {
            store.commit(batch)?;
        }
        Ok(changed)
    }
}

/// Takes the mark from mails that came again.
///
/// # Errors
/// If the index cannot be read or written; then no mark was taken.
pub(super) fn back_again(
    store: &Store,
    seqs: impl Iterator<Item = u64>,
) -> Result<Changed, StoreError> {
    let (mut batch, mut changed) = (Batch::new(), Changed::default());
    for seq in seqs {
        mark(store, seq, false, &mut batch, &mut changed)?;
    }
    if !batch.is_empty() {
        store.commit(batch)?;
    }
    Ok(changed)
}

fn mark(
    store: &Store,
    seq: u64,
    gone: bool,
    batch: &mut Batch,
    changed: &mut Changed,
) -> Result<(), StoreError> {
    if let Some(mail) = store.mail(seq)?.filter(|mail| mail.gone != gone) {
        changed.cases.insert(mail.case);
        batch.put_mail(MailRecord { gone, ..mail });
    }
    Ok(())
}
