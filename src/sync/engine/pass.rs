//! Reading the mailbox at work once, from its cursor on.
//!
//! Newest first. A message counts as done when the sink has it; a UID that the server leaves out of an otherwise
//! clean list does not exist and never will (RFC 3501 section 2.3.1.1), so it is done as well, once the
//! whole list agrees with the server's own count. After a broken
//! connection the batch in work is halved until the message that breaks it stands alone; that one is
//! reported and left for the next run. While one batch is being stored, the next one is on its way.

use std::collections::BTreeMap;

use super::kept::Before;
use super::{Engine, Stop};
use crate::sync::account::Account;
use crate::sync::cursor::UidSet;
use crate::sync::error::SyncError;
use crate::sync::plan::{Batch, batches};
use crate::sync::session::{Answer, Body, Link, Pending, Tick, View};
use crate::sync::{Fetched, Meta, Phase, Quarantined};

/// Most ranges in one command, to keep its line short.
pub(super) const MOST_RANGES: usize = 200;
/// Largest window of UIDs listed at once in a mailbox without large gaps.
const DENSE_WINDOW: u32 = 4096;
/// Broken connections in a row, without one stored message between, after which the run ends. Enough to halve a
/// batch of some hundred messages down to the guilty one.
const MOST_BREAKS: u32 = 24;
/// The same for a list, which cannot be halved to a purpose.
pub(super) const MOST_LIST_BREAKS: u32 = 3;
/// Messages that broke a connection, after which the server is at fault rather than the messages.
const MOST_POISONED: u32 = 32;

/// What the lists of a pass said.
#[derive(Default)]
pub(super) struct Listed {
    /// UIDs with a message.
    pub there: UidSet,
    /// UIDs without one.
    pub gone: UidSet,
}

/// A batch that was asked for.
struct Flight {
    batch: Batch,
    /// Nothing yet for a message in slices: those are asked for one after the other.
    answer: Option<Pending<Answer<Body>>>,
}

impl Engine<'_> {
    /// Works through the mailbox once.
    pub(super) fn pass(&mut self) -> Result<(), Stop> {
        let view = self.ready()?;
        self.planned = Some(view);
        self.summary.seen += u64::from(view.exists);
        self.follow(view)?;
        if view.exists == 0 && self.told.as_ref().is_none_or(|told| told.vanished.is_empty()) {
            // Nothing is there now. What was there before is not marked as gone on this word alone.
            return Ok(());
        }
        let before = self.before();
        let listed =
            if view.exists > 0 { self.fetch_new(view, &before.done)? } else { Listed::default() };
        self.settle(view, &before, listed)
    }

    /// Lists and fetches what is not done yet.
    pub(super) fn fetch_new(&mut self, view: View, before: &UidSet) -> Result<Listed, Stop> {
        let validity = view.uid_validity;
        let last = view.uid_next.map_or(u32::MAX, |next| next - 1);
        let mut todo = before.missing_up_to(last);
        let mut window = match view.uid_next {
            Some(_) => self.account.limits.window,
            None => u32::MAX,
        };
        let expected = todo.count().min(u64::from(view.exists));
        self.reporter.now.messages_total = self.reporter.now.messages_done + expected;
        let mut listed = Listed::default();
        while !todo.is_empty() {
            let asked = todo.take_newest(window, MOST_RANGES);
            let answer = self.list(&asked, validity)?;
            window = next_window(window, answer.items.len());
            let metas = self.take_list(answer, &asked, view.uid_next.is_some(), &mut listed.gone);
            metas.iter().for_each(|meta| listed.there.insert(meta.uid));
            let work = batches(metas, &self.account.limits);
            self.fetch_all(work, validity)?;
        }
        Ok(listed)
    }

    /// Ends a pass: UIDs without a message are done too, and what has vanished is told, if the server's own
    /// count leaves no doubt.
    fn settle(&mut self, view: View, before: &Before, mut listed: Listed) -> Result<(), Stop> {
        let doubt = before.done.count() + listed.there.count() < u64::from(view.exists);
        if doubt {
            self.note("the server lists fewer messages than it says it has".to_owned());
        }
        let mut vanished = self.vanished(view, before, &mut listed, doubt)?;
        let Listed { there, gone } = listed;
        vanished.extend(&gone);
        if let Some(next) = view.uid_next {
            // What a crash kept out of the cursor may have been there.
            vanished.insert_range(next, u32::MAX);
        }
        let left = u32::try_from(there.minus(&self.before().done).count()).unwrap_or(u32::MAX);
        let whole = !doubt && left == 0;
        if !doubt {
            self.tell_vanished(view.uid_validity, &vanished, whole)?;
        }
        let Some(cursor) = self.cursors.get_mut(&self.name) else { return Ok(()) };
        let mut after = cursor.clone();
        if doubt {
            after.present = None;
        } else {
            after.done.extend(&gone);
            after.present = Some(view.exists.saturating_sub(left));
            if self.followed {
                after.highest_mod_seq = view.highest_mod_seq;
            }
            after.settled |= whole;
        }
        self.dirty |= after != *cursor;
        *cursor = after;
        self.start_following();
        if self.dirty {
            self.store(Vec::new())?;
        }
        Ok(())
    }

    pub(super) fn list(&mut self, asked: &UidSet, validity: u32) -> Result<Answer<Meta>, Stop> {
        self.patiently(Phase::Listing, validity, |link, tick| link.list(asked.clone(), tick))
    }

    /// Asks a question, again when the connection breaks over it, up to a point.
    pub(super) fn patiently<T>(
        &mut self,
        phase: Phase,
        validity: u32,
        ask: impl Fn(&Link, Tick<'_>) -> Result<T, SyncError>,
    ) -> Result<T, Stop> {
        self.breaks = 0;
        loop {
            self.link(validity)?;
            self.reporter.enter(phase);
            let Some(link) = &self.link else { continue };
            let reporter = &mut self.reporter;
            match ask(link, &mut |received| reporter.tick(received)) {
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

    pub(super) fn take_oddities(&mut self, unreadable: &[Option<u32>], stray: usize) {
        for uid in unreadable {
            self.quarantine(*uid, "the server's answer about it cannot be read".to_owned());
        }
        if stray > 0 {
            let what = "the server answered about messages that were not asked for; ignored";
            self.note(what.to_owned());
        }
    }

    fn quarantine(&mut self, uid: Option<u32>, why: String) {
        let (known, mailbox) = (&mut self.summary.quarantined, &self.name);
        let same = |other: &Quarantined| {
            other.mailbox == *mailbox && other.uid == uid && (uid.is_some() || other.why == why)
        };
        if !known.iter().any(same) {
            known.push(Quarantined { mailbox: mailbox.clone(), uid, why });
        }
    }

    /// Fetches batch after batch. When one has come, the next is asked for before it is stored.
    fn fetch_all(&mut self, work: Vec<Batch>, validity: u32) -> Result<(), Stop> {
        let mut stack = work;
        stack.reverse();
        let mut flight = None;
        while flight.is_some() || !stack.is_empty() {
            let Some(now) = flight
                .take()
                .map_or_else(|| self.launch(&mut stack, validity), |now| Ok(Some(now)))?
            else {
                continue;
            };
            self.reporter.enter(Phase::Fetching);
            match self.land(&now) {
                Ok(answer) => {
                    flight = self.launch(&mut stack, validity)?;
                    self.take_bodies(now.batch, answer, validity, &mut stack)?;
                }
                Err(error) if error.breaks_link() => {
                    let error = self.broken(error, MOST_BREAKS)?;
                    self.narrow(now.batch, &error, &mut stack)?;
                }
                Err(error @ SyncError::Command { .. }) => {
                    self.narrow(now.batch, &error, &mut stack)?;
                }
                Err(error) => return Err(Stop::Fault(error)),
            }
        }
        Ok(())
    }

    /// Asks for the next batch and does not wait for it.
    fn launch(&mut self, stack: &mut Vec<Batch>, validity: u32) -> Result<Option<Flight>, Stop> {
        let Some(batch) = stack.pop() else { return Ok(None) };
        let limits = &self.account.limits;
        let link = self.link(validity)?;
        if batch.sliced {
            return Ok(Some(Flight { batch, answer: None }));
        }
        // Sizes lie: room for each to be half as large again and for one to be as large as may be.
        let budget = batch.bytes() + batch.bytes() / 2 + limits.whole_bytes + (1 << 20);
        let uids = batch.metas.iter().map(|meta| meta.uid).collect();
        let answer = link.start_bodies(uids, limits.whole_bytes, budget)?;
        Ok(Some(Flight { batch, answer: Some(answer) }))
    }

    /// Waits for what was asked for.
    fn land(&mut self, flight: &Flight) -> Result<Answer<Body>, SyncError> {
        let closed = SyncError::Closed { during: "fetching messages" };
        let Some(link) = &self.link else { return Err(closed) };
        let reporter = &mut self.reporter;
        let tick = &mut |received| reporter.tick(received);
        match (&flight.answer, flight.batch.metas.first()) {
            (Some(answer), _) => link.bodies(answer, tick),
            (None, Some(meta)) => fetch_sliced(link, meta, self.account, tick),
            (None, None) => Err(closed),
        }
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
            mailbox: self.name.clone(),
            uid_validity,
            uid: meta.uid,
            internal_date: meta.internal_date,
            flags: meta.flags.unwrap_or_default(),
            raw,
        }
    }

    pub(super) fn store(&mut self, batch: Vec<Fetched>) -> Result<(), SyncError> {
        let Some(cursor) = self.cursors.get_mut(&self.name) else { return Ok(()) };
        self.reporter.enter(Phase::Storing);
        let count = batch.len() as u64;
        let bytes: u64 = batch.iter().map(|message| message.raw.len() as u64).sum();
        for message in &batch {
            if !cursor.done.contains(message.uid) {
                // Right at every moment: the run may be over before the pass is.
                cursor.present = cursor.present.map(|present| present.saturating_add(1));
            }
            cursor.done.insert(message.uid);
            // It may have failed at first, or stood in an answer that could not be read.
            let name = &self.name;
            self.summary
                .quarantined
                .retain(|other| other.mailbox != *name || other.uid != Some(message.uid));
        }
        self.sink.store(batch, cursor).map_err(|source| SyncError::Sink { source })?;
        self.dirty = false;
        self.summary.new += count;
        self.summary.bytes += bytes;
        self.reporter.now.messages_done += count;
        if count > 0 {
            (self.breaks, self.timeouts, self.pause) = (0, 0, std::time::Duration::ZERO);
        }
        Ok(())
    }
}

/// Size of the next window: a few hundred messages at first, so that the list fills at once, then more; larger
/// where the UIDs have gaps.
pub(super) fn next_window(window: u32, listed: usize) -> u32 {
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
