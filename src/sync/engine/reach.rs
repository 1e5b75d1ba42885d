//! Reaching the mailbox at work, and reaching it again.

use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Stop};
use crate::sync::Phase;
use crate::sync::account::Auth;
use crate::sync::cursor::{Cursor, UidSet};
use crate::sync::error::SyncError;
use crate::sync::session::{Known, Link, Tick, View};

/// Longest pause before a reconnect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Time-outs in a row after which the run ends: each costs the user a minute.
const MOST_TIMEOUTS: u32 = 2;
/// Most ranges of known UIDs named to the server.
const MOST_KNOWN: usize = 64;

impl Engine<'_> {
    /// The mailbox at work, open; over a new connection if need be.
    pub(super) fn ready(&mut self) -> Result<View, Stop> {
        if let (Some(_), Some(view)) = (&self.link, self.view) {
            return Ok(view);
        }
        self.view = None;
        if self.link.is_none() {
            self.connect()?;
        }
        let known = self.known();
        let asked = known.is_some();
        let Some(link) = &self.link else { return Err(closed().into()) };
        let reporter = &mut self.reporter;
        let opened = link.examine(&self.name, known, &mut |received| reporter.tick(received));
        if let Some(link) = self.link.take() {
            self.take_notes(&link);
            self.link = Some(link);
        }
        match opened {
            Ok(opened) => {
                (self.view, self.told) = (Some(opened.view), opened.told);
                self.fit_cursor(opened.view.uid_validity)?;
                if self.goes_back(opened.view) {
                    return Err(Stop::Restart);
                }
                Ok(opened.view)
            }
            Err(error) if asked && error.breaks_link() => {
                // Perhaps too much has changed for one answer. Without the question it is a mailbox like others.
                self.ask_no_more(&error);
                self.link = None;
                self.ready()
            }
            Err(error) => Err(error.into()),
        }
    }

    fn connect(&mut self) -> Result<(), Stop> {
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
        match self.log_in() {
            // A token may have expired since it was first used. A password does not.
            Err(SyncError::LoginRefused { .. })
                if self.kept.take().is_some()
                    && matches!(self.account.auth, Auth::XOAuth2 | Auth::OAuthBearer) =>
            {
                Ok(self.log_in()?)
            }
            other => Ok(other?),
        }
    }

    fn log_in(&mut self) -> Result<(), SyncError> {
        let (account, reporter) = (self.account, &mut self.reporter);
        let tick: Tick<'_> = &mut |received| reporter.tick(received);
        let link = Link::open(&self.dial, account, self.cancel, Arc::clone(&self.received), tick)?;
        let secret = match &self.kept {
            Some(secret) => secret.clone(),
            None => (self.secret)().map_err(|source| SyncError::Secret { source })?,
        };
        let result = link.login(account, secret.clone(), tick);
        self.take_notes(&link);
        if !matches!(result, Err(SyncError::LoginRefused { .. })) {
            self.kept = Some(secret);
        }
        result?;
        self.link = Some(link);
        Ok(())
    }

    /// What the server may be told that it need not tell again.
    fn known(&self) -> Option<Known> {
        let cursor = self.cursors.get(&self.name).filter(|_| !self.plain)?;
        let mod_seq = cursor.highest_mod_seq.filter(|mod_seq| *mod_seq > 0)?;
        let short = |uids: &&UidSet| !uids.is_empty() && uids.ranges().len() <= MOST_KNOWN;
        let uids = Some(&cursor.done).filter(short).cloned();
        Some(Known { uid_validity: cursor.uid_validity, mod_seq, uids })
    }

    /// Starts the cursor anew where it does not speak of this mailbox.
    fn fit_cursor(&mut self, uid_validity: u32) -> Result<(), Stop> {
        let name = &self.name;
        if let Some(cursor) = self.cursors.get(name) {
            if cursor.uid_validity == uid_validity {
                return Ok(());
            }
            self.summary.uid_validity_changed = true;
        }
        self.cursors.insert(name.clone(), Cursor::start(name, uid_validity));
        self.told = None;
        // In the middle of a pass, everything planned speaks of UIDs that are gone.
        if self.planned.is_some() { Err(Stop::Restart) } else { Ok(()) }
    }

    /// Whether UIDs of which a plan speaks may stand for other messages by now.
    fn goes_back(&self, view: View) -> bool {
        let planned = self.planned.and_then(|planned| planned.uid_next);
        planned.zip(view.uid_next).is_some_and(|(planned, now)| now < planned)
    }

    /// The open connection, if the mailbox is still the one that was planned for.
    pub(super) fn link(&mut self, validity: u32) -> Result<&Link, Stop> {
        if self.ready()?.uid_validity != validity {
            return Err(Stop::Restart);
        }
        self.link.as_ref().ok_or_else(|| closed().into())
    }

    pub(super) fn take_notes(&mut self, link: &Link) {
        for note in link.take_notes() {
            self.note(note);
        }
    }

    /// Drops the connection after a fault; an error when it is time to give up.
    pub(super) fn broken(&mut self, error: SyncError, most: u32) -> Result<SyncError, Stop> {
        if let Some(link) = self.link.take() {
            self.take_notes(&link);
        }
        self.view = None;
        self.breaks += 1;
        if matches!(error, SyncError::TimedOut { .. }) {
            self.timeouts += 1;
        }
        if self.breaks >= most || self.timeouts >= MOST_TIMEOUTS {
            return Err(Stop::Fault(error));
        }
        Ok(error)
    }
}

fn closed() -> SyncError {
    SyncError::Closed { during: "opening the mailbox" }
}
