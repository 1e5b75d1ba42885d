//! Which mails the server still has. The copies here stay whatever happens there; they are only marked.

use std::collections::BTreeMap;

use super::ingest::Changed;
use crate::store::{Batch, MailRecord, Store, StoreError};

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

/// Takes the mark from mails that came again.
///
/// # Errors
/// If the index cannot be read or written; then no mark was taken.
pub(super) fn back_again(store: &Store, seqs: &[u64]) -> Result<Changed, StoreError> {
    let (mut batch, mut changed) = (Batch::new(), Changed::default());
    for seq in seqs {
        mark(store, *seq, false, &mut batch, &mut changed)?;
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
