//! One run: from a cursor to everything stored that the mailbox holds.
//!
//! Owns: what is asked for in which order, what happens after a failure, when to give up. Absent on purpose:
//! how to ask, see [`super::session`]; how much at once, see [`super::plan`].
//!
//! Newest first. A message counts as done when the sink has it; a UID that the server leaves out of an otherwise
//! clean list does not exist and never will (RFC 3501 section 2.3.1.1), so it is done as well, once the
//! whole list agrees with the server's own count. After a broken
//! connection the batch in work is halved until the message that breaks it stands alone; that one is
//! reported and left for the next run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::account::Account;
use super::cancel::Cancel;
use super::cursor::{Cursor, UidSet};
use super::error::SyncError;
use super::plan::{Batch, batches};
use super::secret::{Secret, SecretError};
use super::session::{Answer, Body, Link, Meta, View};
use super::{Fetched, Phase, Progress, Quarantined, Sink, Summary};

/// Most ranges in one command, to keep its line short.
const MOST_RANGES: usize = 200;
/// Largest window of UIDs listed at once in a mailbox without large gaps.
const DENSE_WINDOW: u32 = 4096;
/// Longest pause before a reconnect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Broken connections in a row, without one stored message between, after which the run ends. Enough to halve a
/// batch of some hundred messages down to the guilty one.
const MOST_BREAKS: u32 = 24;
/// The same for a list, which cannot be halved to a purpose.
const MOST_LIST_BREAKS: u32 = 3;
/// Messages that broke a connection, after which the server is at fault rather than the messages.
const MOST_POISONED: u32 = 32;
/// Time-outs in a row after which the run ends: each costs the user a minute.
const MOST_TIMEOUTS: u32 = 2;
/// How often the mailbox may be made anew during one run.
const MOST_RESTARTS: u32 = 3;
/// Most notes in a summary.
const MOST_NOTES: usize = 50;

/// Why a step did not end as planned.
enum Stop {
    /// The mailbox was made anew: begin again.
    Restart,
    /// The run is over.
    Fault(SyncError),
}

impl From<SyncError> for Stop {
    fn from(error: SyncError) -> Self {
        Self::Fault(error)
    }
}

/// Brings everything the mailbox holds past the cursor to the sink.
///
/// `secret` is asked once, after the server proved to be one a password may go to; `cursor` is the last one
/// that the sink stored. The mailbox is opened read-only and nothing on the server changes. Blocks until
/// done; `cancel` ends it within 100 ms, whatever the server does. `progress` is called some 40 times a second
/// while waiting.
pub fn run(
    account: &Account,
    secret: &mut dyn FnMut() -> Result<Secret, SecretError>,
    cursor: Option<Cursor>,
    sink: &mut dyn Sink,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, SyncError> {
    account.check()?;
    let mut engine = Engine {
        account,
        cancel,
        secret,
        kept: None,
        sink,
        reporter: Reporter { progress, now: Progress::default() },
        received: Arc::new(AtomicU64::new(0)),
        cursor,
        dirty: false,
        link: None,
        summary: Summary::default(),
        pause: Duration::ZERO,
        breaks: 0,
        timeouts: 0,
        poisoned: 0,
    };
    for _ in 0..=MOST_RESTARTS {
        match engine.pass() {
            Ok(()) => return engine.finish(),
            Err(Stop::Restart) => {}
            Err(Stop::Fault(error)) => return Err(error),
        }
    }
    let what = "the mailbox was made anew again and again".to_owned();
    Err(SyncError::Protocol { during: "opening the mailbox", what })
}

struct Reporter<'a> {
    progress: &'a mut dyn FnMut(Progress),
    now: Progress,
}

impl Reporter<'_> {
    fn tick(&mut self, received: u64) {
        self.now.bytes = received;
        (self.progress)(self.now);
    }

    fn enter(&mut self, phase: Phase) {
        self.now.phase = phase;
        (self.progress)(self.now);
    }
}

struct Engine<'a> {
    account: &'a Account,
    cancel: &'a Cancel,
    secret: &'a mut dyn FnMut() -> Result<Secret, SecretError>,
    /// Needed again after a broken connection.
    kept: Option<Secret>,
    sink: &'a mut dyn Sink,
    reporter: Reporter<'a>,
    received: Arc<AtomicU64>,
    cursor: Option<Cursor>,
    /// The cursor moved since the sink saw it.
    dirty: bool,
    link: Option<(Link, View)>,
    summary: Summary,
    pause: Duration,
    breaks: u32,
    timeouts: u32,
    poisoned: u32,
}

impl Engine<'_> {
    /// Works through the mailbox once.
    fn pass(&mut self) -> Result<(), Stop> {
        let view = self.ready()?;
        let validity = view.uid_validity;
        self.summary.seen = u64::from(view.exists);
        if view.exists == 0 {
            // Nothing is there now. What was there before is not marked as gone on this word alone.
            return Ok(());
        }
        let last = view.uid_next.map_or(u32::MAX, |next| next - 1);
        let mut todo = self.done().missing_up_to(last);
        let mut window = match view.uid_next {
            Some(_) => self.account.limits.window,
            None => u32::MAX,
        };
        let expected = todo.count().min(u64::from(view.exists));
        self.reporter.now.messages_total = self.reporter.now.messages_done + expected;
        let (mut accounted, mut gone) = (self.done().count(), UidSet::new());
        while !todo.is_empty() {
            let asked = todo.take_newest(window, MOST_RANGES);
            let listed = self.list(&asked, validity)?;
            window = next_window(window, listed.items.len());
            let metas = self.take_list(listed, &asked, view.uid_next.is_some(), &mut gone);
            accounted += metas.len() as u64;
            let work = batches(metas, &self.account.limits);
            self.fetch_all(work, validity)?;
        }
        self.settle(view, accounted, &gone);
        Ok(())
    }

    /// Ends a pass: UIDs without a message are done too, if the server's own count leaves no doubt.
    fn settle(&mut self, view: View, accounted: u64, gone: &UidSet) {
        let doubt = accounted < u64::from(view.exists);
        if doubt {
            self.note("the server lists fewer messages than it says it has".to_owned());
        }
        if let (false, false, Some(cursor)) = (doubt, gone.is_empty(), &mut self.cursor) {
            gone.ranges().iter().for_each(|&(first, last)| cursor.done.insert_range(first, last));
            self.dirty = true;
        }
        if self.summary.quarantined.is_empty()
            && let Some(cursor) = &mut self.cursor
            && cursor.highest_mod_seq != view.highest_mod_seq
        {
            cursor.highest_mod_seq = view.highest_mod_seq;
            self.dirty = true;
        }
    }

    fn finish(mut self) -> Result<Summary, SyncError> {
        if self.dirty {
            self.store(Vec::new())?;
        }
        if let Some((link, _)) = self.link.take() {
            self.take_notes(&link);
            link.logout(&mut |received| self.reporter.tick(received));
        }
        self.summary.received = self.received.load(Ordering::Relaxed);
        Ok(self.summary)
    }

    fn done(&self) -> UidSet {
        self.cursor.as_ref().map(|cursor| cursor.done.clone()).unwrap_or_default()
    }

    /// A connection with the mailbox open, a new one if need be.
    fn ready(&mut self) -> Result<View, Stop> {
        if let Some((_, view)) = &self.link {
            return Ok(*view);
        }
        if !self.pause.is_zero() {
            self.reporter.enter(Phase::Waiting);
            self.cancel.pause(self.pause);
        }
        let first = self.account.timeouts.retry;
        self.pause = (self.pause * 2).max(first).min(LONGEST_PAUSE);
        if self.cancel.is_cancelled() {
            return Err(Stop::Fault(SyncError::Cancelled));
        }
        self.reporter.enter(Phase::Connecting);
        let (account, reporter) = (self.account, &mut self.reporter);
        let tick = &mut |received| reporter.tick(received);
        let link = Link::open(account, self.cancel, Arc::clone(&self.received), tick)?;
        let secret = match &self.kept {
            Some(secret) => secret.clone(),
            None => (self.secret)().map_err(|source| SyncError::Secret { source })?,
        };
        self.kept = Some(secret.clone());
        let opened =
            link.login(account, secret, tick).and_then(|()| link.examine(&account.mailbox, tick));
        self.take_notes(&link);
        let view = opened?;
        self.link = Some((link, view));
        self.fit_cursor(view.uid_validity)?;
        Ok(view)
    }

    /// Starts the cursor anew where it does not speak of this mailbox.
    fn fit_cursor(&mut self, uid_validity: u32) -> Result<(), Stop> {
        let name = &self.account.mailbox;
        match &self.cursor {
            Some(cursor) if cursor.mailbox == *name && cursor.uid_validity == uid_validity => {
                return Ok(());
            }
            Some(cursor) if cursor.mailbox == *name => {
                self.summary.uid_validity_changed = true;
                let running = self.reporter.now.messages_total > 0;
                self.cursor = Some(Cursor::start(name, uid_validity));
                // In the middle of a pass, everything planned speaks of UIDs that are gone.
                return if running { Err(Stop::Restart) } else { Ok(()) };
            }
            _ => self.cursor = Some(Cursor::start(name, uid_validity)),
        }
        Ok(())
    }

    /// The open connection, if the mailbox is still the one that was planned for.
    fn link(&mut self, validity: u32) -> Result<(), Stop> {
        let view = self.ready()?;
        if view.uid_validity == validity { Ok(()) } else { Err(Stop::Restart) }
    }

    fn take_notes(&mut self, link: &Link) {
        for note in link.take_notes() {
            self.note(note);
        }
    }

    fn note(&mut self, note: String) {
        let notes = &mut self.summary.notes;
        if notes.len() < MOST_NOTES && !notes.contains(&note) {
            self.sink.note(&note);
            notes.push(note);
        }
    }

    /// Drops the connection after a fault; an error when it is time to give up.
    fn broken(&mut self, error: SyncError, most: u32) -> Result<SyncError, Stop> {
        if let Some((link, _)) = self.link.take() {
            self.take_notes(&link);
        }
        self.breaks += 1;
        if matches!(error, SyncError::TimedOut { .. }) {
            self.timeouts += 1;
        }
        if self.breaks >= most || self.timeouts >= MOST_TIMEOUTS {
            return Err(Stop::Fault(error));
        }
        Ok(error)
    }

    fn list(&mut self, asked: &UidSet, validity: u32) -> Result<Answer<Meta>, Stop> {
        self.breaks = 0;
        loop {
            self.link(validity)?;
            self.reporter.enter(Phase::Listing);
            let Some((link, _)) = &self.link else { continue };
            let reporter = &mut self.reporter;
            match link.list(asked.clone(), &mut |received| reporter.tick(received)) {
                Ok(answer) => return Ok(answer),
                Err(error) if error.breaks_link() => {
                    self.broken(error, MOST_LIST_BREAKS)?;
                }
                Err(error) => return Err(Stop::Fault(error)),
            }
        }
    }

    /// Takes a list in: newest first, each UID once. UIDs that a clean list leaves out are gone, except
    /// above the last one listed where the server does not say how far its UIDs go.
    fn take_list(
        &mut self,
        listed: Answer<Meta>,
        asked: &UidSet,
        bounded: bool,
        gone: &mut UidSet,
    ) -> Vec<Meta> {
        let clean = listed.stray == 0 && listed.unreadable.is_empty();
        self.take_oddities(&listed.unreadable, listed.stray);
        let mut metas: BTreeMap<u32, Meta> = BTreeMap::new();
        for meta in listed.items {
            metas.insert(meta.uid, meta);
        }
        if clean {
            let present: UidSet = metas.keys().copied().collect();
            let top = if bounded { u32::MAX } else { metas.keys().last().copied().unwrap_or(0) };
            for &(first, last) in asked.minus(&present).ranges() {
                gone.insert_range(first, last.min(top));
            }
        }
        metas.into_values().rev().collect()
    }

    fn take_oddities(&mut self, unreadable: &[Option<u32>], stray: usize) {
        for uid in unreadable {
            self.quarantine(*uid, "the server's answer about it cannot be read".to_owned());
        }
        if stray > 0 {
            let what = "the server answered about messages that were not asked for; ignored";
            self.note(what.to_owned());
        }
    }

    fn quarantine(&mut self, uid: Option<u32>, why: String) {
        let known = &mut self.summary.quarantined;
        if !known.iter().any(|other| other.uid == uid && (uid.is_some() || other.why == why)) {
            known.push(Quarantined { uid, why });
        }
    }

    fn fetch_all(&mut self, work: Vec<Batch>, validity: u32) -> Result<(), Stop> {
        let mut stack = work;
        stack.reverse();
        while let Some(batch) = stack.pop() {
            self.link(validity)?;
            self.reporter.enter(Phase::Fetching);
            match self.fetch(&batch) {
                Ok(answer) => self.take_bodies(batch, answer, validity, &mut stack)?,
                Err(error) if error.breaks_link() => {
                    let error = self.broken(error, MOST_BREAKS)?;
                    self.narrow(batch, &error, &mut stack)?;
                }
                Err(error @ SyncError::Command { .. }) => {
                    self.narrow(batch, &error, &mut stack)?;
                }
                Err(error) => return Err(Stop::Fault(error)),
            }
        }
        Ok(())
    }

    fn fetch(&mut self, batch: &Batch) -> Result<Answer<Body>, SyncError> {
        let Some((link, _)) = &self.link else {
            return Err(SyncError::Closed { during: "fetching messages" });
        };
        let limits = &self.account.limits;
        let reporter = &mut self.reporter;
        let tick = &mut |received| reporter.tick(received);
        if let (true, Some(meta)) = (batch.sliced, batch.metas.first()) {
            return fetch_sliced(link, meta, self.account, tick);
        }
        // Sizes lie: room for each to be half as large again and for one to be as large as may be.
        let budget = batch.bytes() + batch.bytes() / 2 + limits.whole_bytes + (1 << 20);
        let uids = batch.metas.iter().map(|meta| meta.uid).collect();
        link.bodies(uids, limits.whole_bytes, budget, tick)
    }

    /// After a failed fetch: halves, or a second try, or quarantine.
    fn narrow(
        &mut self,
        mut batch: Batch,
        error: &SyncError,
        stack: &mut Vec<Batch>,
    ) -> Result<(), Stop> {
        if batch.metas.len() > 1 {
            let [newer, older] = batch.halves();
            stack.extend([older, newer]);
            return Ok(());
        }
        batch.tries += 1;
        let refused = matches!(error, SyncError::Command { .. });
        if batch.tries < 2 && !refused {
            batch.sliced |= matches!(error, SyncError::TooLarge { .. });
            stack.push(batch);
            return Ok(());
        }
        if !refused {
            self.poisoned += 1;
        }
        if let Some(meta) = batch.metas.first() {
            self.quarantine(Some(meta.uid), error.to_string());
        }
        if self.poisoned >= MOST_POISONED {
            let what = "too many messages break the connection".to_owned();
            return Err(SyncError::Protocol { during: "fetching messages", what }.into());
        }
        Ok(())
    }

    /// Hands what came to the sink; asks again, one by one, for what could not be read.
    fn take_bodies(
        &mut self,
        batch: Batch,
        answer: Answer<Body>,
        validity: u32,
        stack: &mut Vec<Batch>,
    ) -> Result<(), Stop> {
        let alone = match batch.metas.as_slice() {
            [meta] if !answer.items.iter().any(|body| body.uid == meta.uid) => Some(meta.uid),
            _ => None,
        };
        let known: Vec<Option<u32>> =
            answer.unreadable.iter().map(|uid| uid.or(alone)).filter(Option::is_some).collect();
        self.take_oddities(&known, answer.stray);
        let guess = batch.metas.len() > 1 && known.len() < answer.unreadable.len();
        let mut bodies: BTreeMap<u32, Option<Vec<u8>>> = BTreeMap::new();
        for body in answer.items {
            let place = bodies.entry(body.uid).or_default();
            if place.is_none() {
                *place = body.raw;
            }
        }
        let mut got = Vec::with_capacity(bodies.len());
        for meta in batch.metas {
            match bodies.remove(&meta.uid) {
                Some(Some(raw)) => got.push(self.fetched(meta, raw, validity)),
                Some(None) => {
                    self.quarantine(Some(meta.uid), "the server sent no body for it".to_owned());
                }
                None if guess && !known.contains(&Some(meta.uid)) => {
                    stack.push(Batch { metas: vec![meta], ..Batch::default() });
                }
                // Removed on the server since it was listed: the next list will not have it.
                None => {}
            }
        }
        if got.is_empty() { Ok(()) } else { Ok(self.store(got)?) }
    }

    fn fetched(&mut self, meta: Meta, raw: Vec<u8>, uid_validity: u32) -> Fetched {
        if let Some(size) = meta.size
            && size as usize != raw.len()
        {
            let (uid, came) = (meta.uid, raw.len());
            self.note(format!(
                "message {uid}: {size} bytes announced, {came} came; kept as it came"
            ));
        }
        Fetched {
            mailbox: self.account.mailbox.clone(),
            uid_validity,
            uid: meta.uid,
            internal_date: meta.internal_date,
            flags: meta.flags,
            raw,
        }
    }

    fn store(&mut self, batch: Vec<Fetched>) -> Result<(), SyncError> {
        let Some(cursor) = &mut self.cursor else { return Ok(()) };
        self.reporter.enter(Phase::Storing);
        let count = batch.len() as u64;
        let bytes: u64 = batch.iter().map(|message| message.raw.len() as u64).sum();
        for message in &batch {
            cursor.done.insert(message.uid);
            // It may have failed at first, or stood in an answer that could not be read.
            self.summary.quarantined.retain(|other| other.uid != Some(message.uid));
        }
        self.sink.store(batch, cursor).map_err(|source| SyncError::Sink { source })?;
        self.dirty = false;
        self.summary.new += count;
        self.summary.bytes += bytes;
        self.reporter.now.messages_done += count;
        if count > 0 {
            (self.breaks, self.timeouts, self.pause) = (0, 0, Duration::ZERO);
        }
        Ok(())
    }
}

/// Size of the next window: a few hundred messages at first, so that the list fills at once, then more; larger
/// where the UIDs have gaps.
fn next_window(window: u32, listed: usize) -> u32 {
    let listed = u32::try_from(listed).unwrap_or(u32::MAX);
    if listed < window / 4 {
        window.saturating_mul(4)
    } else if window < DENSE_WINDOW {
        window.saturating_mul(2)
    } else {
        DENSE_WINDOW.max(window.min(DENSE_WINDOW * 2))
    }
}

/// Fetches one large message piece by piece; a piece shorter than asked for is the last one.
fn fetch_sliced(
    link: &Link,
    meta: &Meta,
    account: &Account,
    tick: &mut dyn FnMut(u64),
) -> Result<Answer<Body>, SyncError> {
    let (uid, step, most) = (meta.uid, account.limits.slice_bytes, account.limits.message_bytes);
    let too_large =
        |bytes: u64| SyncError::TooLarge { what: format!("a message of {bytes} bytes") };
    if meta.size.is_some_and(|size| u64::from(size) > most) {
        return Err(too_large(meta.size.unwrap_or(0).into()));
    }
    let mut raw: Vec<u8> = Vec::new();
    let whole = loop {
        let offset = u32::try_from(raw.len()).map_err(|_| too_large(raw.len() as u64))?;
        let Some(slice) = link.slice(uid, offset, step, tick)? else { break None };
        raw.extend_from_slice(&slice);
        if raw.len() as u64 > most {
            return Err(too_large(raw.len() as u64));
        }
        if slice.len() < step as usize {
            break Some(raw);
        }
    };
    let items = vec![Body { uid, raw: whole }];
    Ok(Answer { items, unreadable: Vec::new(), stray: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_over_gaps_and_stay_bounded_without() {
        assert_eq!(next_window(512, 512), 1024);
        assert_eq!(next_window(4096, 4096), 4096);
        assert_eq!(next_window(4096, 3), 16_384);
        assert_eq!(next_window(1 << 30, 900_000_000), 8192);
        assert_eq!(next_window(u32::MAX, 0), u32::MAX);
    }
}
