//! What became of the messages that were here before a pass: other flags, other messages under their UIDs, none.
//!
//! How much of it is heard depends on the server. With QRESYNC (RFC 7162) the opened mailbox says what changed. With
//! CONDSTORE alone it is asked for what changed, if its number of changes has moved. With neither, flags are not
//! followed: only a list of every message would tell, at each pull. What vanished is then seen by the count.
//!
//! A UID never stands for a second message under one UIDVALIDITY (RFC 3501 section 2.3.1.1). Servers that were restored from
//! a backup break this. It is noticed where the UIDs go back, where more messages are there than should be, and where
//! a message that changed has another size or date than the one that is here. The copies stay in any case.

use super::pass::{Listed, MOST_RANGES, next_window};
use super::{Engine, Stop};
use crate::sync::cursor::UidSet;
use crate::sync::error::SyncError;
use crate::sync::session::View;
use crate::sync::text::printable;
use crate::sync::{Meta, Phase};

/// UIDs asked for at once when looking for removed ones; the number adapts afterwards.
const SEARCH_WINDOW: u32 = 1 << 16;
/// Messages handed over at once to be compared.
const COMPARED: u32 = 4096;
/// Most ranges of UIDs named to the user.
const MOST_TOLD: usize = 5;

/// What was known when a pass began.
#[derive(Default)]
pub(super) struct Before {
    pub done: UidSet,
    /// How many of these the server had.
    pub present: Option<u32>,
}

impl Engine<'_> {
    /// Takes over what changed, and makes sure that what stands under a known UID is what is here.
    pub(super) fn follow(&mut self, view: View) -> Result<(), Stop> {
        self.followed = true;
        let before = self.before();
        let Some(last) = before.done.last() else {
            // Whatever changes from here on is to be heard, also if this pass does not come to its end.
            if let Some(cursor) = self.cursors.get_mut(&self.name) {
                cursor.highest_mod_seq = view.highest_mod_seq;
            }
            return Ok(());
        };
        let strange = match view.uid_next {
            Some(next) if next <= last => self.look_at_all(view, &before.done, next)?,
            _ if view.exists == 0 => return Ok(()),
            _ => {
                let reused = self.told.as_ref().map(|told| told.reused.clone());
                let mut changed = self.changed(view, last)?;
                // What is new is listed with its flags.
                changed.retain(|meta| before.done.contains(meta.uid));
                let mut strange = self.compare(view.uid_validity, &changed)?;
                strange.extend(&reused.unwrap_or_default());
                strange
            }
        };
        if strange.is_empty() {
            return Ok(());
        }
        self.read_anew(view.uid_validity, &strange, view.uid_next.filter(|next| *next <= last))
    }

    /// Messages that have changed since the last pass, as far as the server can tell.
    fn changed(&mut self, view: View, last: u32) -> Result<Vec<Meta>, Stop> {
        if let Some(told) = &mut self.told {
            return Ok(std::mem::take(&mut told.changed));
        }
        let since = self.cursors.get(&self.name).and_then(|cursor| cursor.highest_mod_seq);
        let (Some(since), Some(now)) = (since, view.highest_mod_seq) else { return Ok(Vec::new()) };
        if now <= since {
            return Ok(Vec::new());
        }
        if self.plain {
            self.followed = self.gave_up;
            return Ok(Vec::new());
        }
        let asked = self.patiently(Phase::Listing, view.uid_validity, |link, tick| {
            match link.changed(last, since, tick) {
                Err(error @ SyncError::TooLarge { .. }) => Ok(Err(error)),
                other => other.map(Ok),
            }
        })?;
        Ok(asked.map(|answer| answer.items).unwrap_or_else(|error| {
            self.link = None;
            self.ask_no_more(&error);
            Vec::new()
        }))
    }

    /// What has changed is not asked for again, since the answer broke the connection. Where it was too long, what it
    /// would have said is left out; else the next round asks for it.
    pub(super) fn ask_no_more(&mut self, error: &SyncError) {
        self.plain = true;
        self.gave_up |= matches!(error, SyncError::TooLarge { .. });
        if self.gave_up {
            let name = printable(self.name.as_bytes());
            self.note(format!(
                "so much has changed in {name} that flags are not followed this time"
            ));
        }
    }

    /// A pass is over: what it gave up no longer matters.
    pub(super) fn start_following(&mut self) {
        if std::mem::take(&mut self.gave_up) {
            self.plain = false;
        }
    }

    /// Looks at every message, as the server counts its UIDs from `next` again: which are not what is here.
    fn look_at_all(&mut self, view: View, done: &UidSet, next: u32) -> Result<UidSet, Stop> {
        if view.exists == 0 {
            return Ok(done.clone());
        }
        let mut beyond = UidSet::new();
        beyond.insert_range(next, u32::MAX);
        let mut left = done.minus(&beyond);
        let mut strange = done.minus(&left);
        let mut window = self.account.limits.window;
        while !left.is_empty() {
            let asked = left.take_newest(window, MOST_RANGES);
            let answer = self.list(&asked, view.uid_validity)?;
            window = next_window(window, answer.items.len());
            strange.extend(&self.compare(view.uid_validity, &answer.items)?);
        }
        Ok(strange)
    }

    fn compare(&mut self, validity: u32, now: &[Meta]) -> Result<UidSet, SyncError> {
        if now.is_empty() {
            return Ok(UidSet::new());
        }
        let compared = self.sink.compare(&self.name, validity, now);
        compared.map_err(|source| SyncError::Sink { source })
    }

    /// Forgets that these UIDs were read, as they stand for other messages now, or for none.
    fn read_anew(
        &mut self,
        validity: u32,
        strange: &UidSet,
        back_to: Option<u32>,
    ) -> Result<(), Stop> {
        let name = printable(self.name.as_bytes());
        let what = match back_to {
            Some(next) => format!("the UIDs of {name} went back to {next}"),
            None => {
                let some = strange.clone().take_newest(u32::MAX, MOST_TOLD).to_imap();
                format!("the server gave UIDs of {name} a second time, such as {some}")
            }
        };
        self.note(format!(
            "{what}: what it has there is fetched anew, and the earlier copies stay"
        ));
        let gone = self.sink.vanished(&self.name, validity, strange);
        gone.map_err(|source| SyncError::Sink { source })?;
        if let Some(cursor) = self.cursors.get_mut(&self.name) {
            cursor.done = cursor.done.minus(strange);
            cursor.present = None;
        }
        // Before anything is fetched under these UIDs: whoever goes on from the cursor must not take it for known.
        Ok(self.store(Vec::new())?)
    }

    /// Which of the messages that were here before are not on the server any more: as the server tells where
    /// that agrees with its count, else by looking.
    pub(super) fn vanished(
        &mut self,
        view: View,
        before: &Before,
        listed: &mut Listed,
        doubt: bool,
    ) -> Result<UidSet, Stop> {
        let told = self.told.take().map(|told| told.vanished).unwrap_or_default();
        let here = u64::from(view.exists).saturating_sub(listed.there.count());
        // Some servers name UIDs that never had a message too (RFC 7162 section 3.2.5.1).
        let fits = before.present.map(u64::from).is_some_and(|present| {
            (present.saturating_sub(told.count())..=present).contains(&here)
        });
        if doubt || before.done.is_empty() || fits {
            return Ok(told);
        }
        let more = before.present.is_some_and(|present| here > u64::from(present));
        let (vanished, strange) = self.look_for(view, before.done.clone(), more)?;
        if !strange.is_empty() {
            self.read_anew(view.uid_validity, &strange, None)?;
            let again = self.fetch_new(view, &self.before().done)?;
            listed.there.extend(&again.there);
            listed.gone.extend(&again.gone);
        }
        Ok(vanished)
    }

    /// Asks which of these UIDs are there: those that are not, and, where there are more than should be, those that no
    /// message is here for.
    fn look_for(
        &mut self,
        view: View,
        mut left: UidSet,
        more: bool,
    ) -> Result<(UidSet, UidSet), Stop> {
        let (mut vanished, mut strange) = (UidSet::new(), UidSet::new());
        let mut window = SEARCH_WINDOW;
        while !left.is_empty() {
            let asked = left.take_newest(window, MOST_RANGES);
            let found = self.patiently(Phase::Listing, view.uid_validity, |link, tick| {
                link.search(asked.clone(), tick)
            })?;
            if found.count() < u64::from(window / 4) {
                window = window.saturating_mul(4);
            }
            vanished.extend(&asked.minus(&found));
            let mut found = if more { found } else { UidSet::new() };
            while !found.is_empty() {
                let some = found.take_newest(COMPARED, MOST_RANGES);
                strange.extend(&self.compare(view.uid_validity, &named(&some))?);
            }
        }
        Ok((vanished, strange))
    }

    /// Tells the sink what is not on the server any more, once also that a former UIDVALIDITY is over.
    pub(super) fn tell_vanished(
        &mut self,
        validity: u32,
        vanished: &UidSet,
        whole: bool,
    ) -> Result<(), SyncError> {
        let fault = |source| SyncError::Sink { source };
        if !vanished.is_empty() {
            self.sink.vanished(&self.name, validity, vanished).map_err(fault)?;
        }
        let settled = self.cursors.get(&self.name).is_some_and(|cursor| cursor.settled);
        if whole && !settled {
            self.sink.settled(&self.name, validity).map_err(fault)?;
        }
        Ok(())
    }

    /// What the cursor says at this moment.
    pub(super) fn before(&self) -> Before {
        let cursor = self.cursors.get(&self.name);
        cursor.map_or_else(Before::default, |cursor| Before {
            done: cursor.done.clone(),
            present: cursor.present,
        })
    }
}

/// Messages of which nothing is known but that they are there.
fn named(uids: &UidSet) -> Vec<Meta> {
    let each = uids.ranges().iter().flat_map(|&(first, last)| first..=last);
    each.map(|uid| Meta { uid, ..Meta::default() }).collect()
}
