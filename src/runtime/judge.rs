//! Mail is stored and listed first; what the rules say about it is worked out here, afterwards.
//!
//! Which mails wait is kept in the index, in the same step in which they enter it, so a crash loses none. Headless
//! commands judge what waits before they show or end, of a long backlog a portion ([`Desk::judge_up_to`]), so that
//! nobody waits for years of mail; the screen has a thread for it. Until a
//! mail is judged, its case has no suggestion; a case that is opened before is judged as it is shown.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, Upkeep};
use super::ingest::{self, Changed};
use super::parallel;
use crate::domain::case::Direction;
use crate::domain::hint::Reading;
use crate::intake;
use crate::intake::near::{self, Sketch};
use crate::mail::{self, Message};
use crate::store::{Batch, MailRecord, NearRecord, StoreError};

/// Mails judged in one step.
const STEP: usize = 256;

/// Raw bytes read for one step, beside the one mail that goes over.
const STEP_BYTES: u64 = 4 << 20;

/// What one step did.
pub struct Judged {
    /// Mails judged.
    pub mails: u64,
    /// Cases that show it.
    pub changed: Changed,
}

impl Desk {
    /// Judges some of the mails that wait; `None` if none does. The lock on changes is held only for writing.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn judge_some(&self) -> Result<Option<Judged>, StoreError> {
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
        // Each is read when its turn comes: many large ones at a time leave holes in the memory.
        let judgements = parallel::each(&mails, |record| {
            match self.store.raw_of(std::slice::from_ref(record)).pop() {
                Some(Ok(raw)) => judgement(self, &mail::parse(&raw), record),
                // The damage is told by `verify` and wherever the mail is shown.
                Some(Err(_)) | None => Judgement::default(),
            }
        });
        self.rules.hints.rest_after(mails.len());
        let judgements = mails.iter().map(|mail| mail.seq).zip(judgements).collect();
        let changed = self.keep(judgements)?;
        Ok(Some(Judged { mails: mails.len() as u64, changed }))
    }

    /// Judges everything that waits.
    ///
    /// # Errors
    /// If the store cannot be read or written; what was judged before stays.
    pub fn judge_all(&self, upkeep: Upkeep<'_>) -> Result<(), StoreError> {
        self.judge_up_to(u64::MAX, upkeep).map(|_| ())
    }

    /// Judges at least `most` of the mails that wait, if there are so many; how many wait still.
    ///
    /// # Errors
    /// If the store cannot be read or written; what was judged before stays.
    pub fn judge_up_to(&self, most: u64, upkeep: Upkeep<'_>) -> Result<u64, StoreError> {
        let total = self.store.unjudged(usize::MAX)?.len() as u64;
        let mut done = 0;
        while done < most
            && let Some(judged) = self.judge_some()?
        {
            done += judged.mails;
            upkeep("judging mail by the rules", done, total.min(most));
        }
        if total > 0 {
            self.store.flush()?;
        }
        Ok(total.saturating_sub(done))
    }

    /// Writes what was read, and the cases as they are with it.
    fn keep(&self, judgements: BTreeMap<u64, Judgement>) -> Result<Changed, StoreError> {
        let _one = self.changing();
        let mut batch = Batch::new();
        let mut judged: BTreeMap<u64, MailRecord> = BTreeMap::new();
        for (seq, Judgement { reading, sketch }) in judgements {
            // As it is now: it may have moved to another case meanwhile.
            let Some(record) = self.store.mail(seq)? else { continue };
            if let Some(sketch) = sketch {
                let sketch = sketch.into_bytes();
                batch.put_near(seq, NearRecord { case: record.case, sketch });
            }
            judged.insert(seq, MailRecord { reading, judged: true, ..record });
        }
        let cases: BTreeSet<u64> = judged.values().map(|mail| mail.case).collect();
        let mut changed = Changed::default();
        let touched = cases.clone();
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
            let (rules, claims) = (&self.rules, self.claims.known(&known.id));
            let record =
                ingest::case_record(rules, number, known.root, known.pinned, &mails, &case, claims);
            if record != known {
                changed.cases.insert(number);
                batch.put_case(record);
            }
        }
        judged.into_values().for_each(|mail| {
            batch.put_mail(mail);
        });
        self.store.commit(batch)?;
        self.twins_changed(&Changed { cases: touched, ..Changed::default() })?;
        Ok(changed)
    }
}

/// What is worked out about a mail after it was stored.
#[derive(Default)]
struct Judgement {
    reading: Reading,
    /// What it is compared by with others.
    sketch: Option<Sketch>,
}

fn judgement(desk: &Desk, message: &Message, record: &MailRecord) -> Judgement {
    let product = &desk.rules.policy.product;
    let sketch = || near::sketch(&message.subject, &message.text, product);
    let sketch = (record.direction == Direction::In).then(sketch);
    Judgement { reading: read(desk, message, record), sketch }
}

/// What the rules read out of a mail.
pub fn read(desk: &Desk, message: &Message, record: &MailRecord) -> Reading {
    let rules = &desk.rules;
    let (at, direction) = (record.received, record.direction);
    let Some(hints) = rules.hints.get() else { return Reading::default() };
    intake::hints::read(&hints, &rules.policy, message, record.message, at, direction)
}
