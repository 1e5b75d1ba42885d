//! From cursors to everything stored that the mailboxes hold: once, or for as long as is wished.
//!
//! Owns: the order of things, when to give up, when to look again. Absent on purpose: reaching the server, see
//! `reach`; reading one mailbox, see `pass` and `kept`; how to ask, see [`super::session`]; how much at once, see
//! [`super::plan`].
//!
//! Time, network and disk come in from outside (`Account::timeouts`, a [`Dial`], a [`Sink`]), so the tests play
//! them all from a seed.

mod kept;
mod pass;
mod reach;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::account::Account;
use super::cancel::Cancel;
use super::cursor::Cursor;
use super::error::SyncError;
use super::secret::{Secret, SecretError};
use super::session::{Dial, Link, Told, View, Waited};
use super::transport;
use super::{Phase, Progress, Sink, Summary};

/// Longest pause while watching a server that cannot be reached.
const LONGEST_AWAY: Duration = Duration::from_secs(300);
/// How often a mailbox may be made anew during one run.
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

/// Asks for the secret.
type Ask<'a> = &'a mut dyn FnMut() -> Result<Secret, SecretError>;

/// What [`watch`] tells as it goes.
#[derive(Debug)]
pub enum Round<'a> {
    /// The mailboxes were read; now it waits for news.
    Done(Summary),
    /// The server cannot be reached or broke off; it is tried again by itself.
    Offline(&'a SyncError),
}

/// Brings everything the mailboxes hold past the cursors to the sink.
///
/// `secret` is asked once, after the server proved to be one a password may go to; `cursors` are the last ones
/// that the sink stored, in any order. The mailboxes are opened read-only and nothing on the server changes.
/// Blocks until done; `cancel` ends it within 100 ms, whatever the server does. `progress` is called some 40
/// times a second while waiting.
///
/// # Errors
/// When it ended early; what was stored stays stored. A refused login is not tried again.
pub fn run(
    account: &Account,
    secret: Ask<'_>,
    cursors: impl IntoIterator<Item = Cursor>,
    sink: &mut dyn Sink,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, SyncError> {
    account.check()?;
    let dial: Arc<Dial> = Arc::new(transport::open);
    let mut engine = Engine::new(account, dial, secret, cursors, sink, cancel, progress);
    engine.round()?;
    engine.goodbye();
    Ok(engine.take_summary())
}

/// Does as [`run`], then waits for news (RFC 2177, or asking now and then) and does it again, until `cancel` is
/// called. A server that cannot be reached is tried again and again, at growing intervals; a refused login, a
/// wrong certificate or a full disk ends the watch.
///
/// # Errors
/// Always: [`SyncError::Cancelled`], or why it cannot go on.
pub fn watch(
    account: &Account,
    secret: Ask<'_>,
    cursors: impl IntoIterator<Item = Cursor>,
    sink: &mut dyn Sink,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
    told: &mut dyn FnMut(Round<'_>),
) -> Result<std::convert::Infallible, SyncError> {
    account.check()?;
    let dial: Arc<Dial> = Arc::new(transport::open);
    let engine = Engine::new(account, dial, secret, cursors, sink, cancel, progress);
    engine.watch(told)
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
    dial: Arc<Dial>,
    secret: Ask<'a>,
    /// Needed again after a broken connection.
    kept: Option<Secret>,
    sink: &'a mut dyn Sink,
    reporter: Reporter<'a>,
    received: Arc<AtomicU64>,
    /// By name of the mailbox.
    cursors: BTreeMap<String, Cursor>,
    /// The cursor of the mailbox at work moved since the sink saw it.
    dirty: bool,
    link: Option<Link>,
    /// Name of the mailbox at work.
    name: String,
    /// The same as the server opened it, if it is open.
    view: Option<View>,
    /// What the server said has changed in it, if it was asked and can tell.
    told: Option<Told>,
    /// As it was when a pass over it began, whose plan speaks of its UIDs.
    planned: Option<View>,
    /// To ask what has changed broke a connection: it is not asked again in this round.
    plain: bool,
    /// More had changed than is read at once: what it was is given up.
    gave_up: bool,
    /// What changed in the mailbox at work was heard.
    followed: bool,
    summary: Summary,
    pause: Duration,
    breaks: u32,
    timeouts: u32,
    poisoned: u32,
}

impl<'a> Engine<'a> {
    fn new(
        account: &'a Account,
        dial: Arc<Dial>,
        secret: Ask<'a>,
        cursors: impl IntoIterator<Item = Cursor>,
        sink: &'a mut dyn Sink,
        cancel: &'a Cancel,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self {
            account,
            cancel,
            dial,
            secret,
            kept: None,
            sink,
            reporter: Reporter { progress, now: Progress::default() },
            received: Arc::new(AtomicU64::new(0)),
            cursors: cursors.into_iter().map(|cursor| (cursor.mailbox.clone(), cursor)).collect(),
            dirty: false,
            link: None,
            name: account.mailbox.clone(),
            view: None,
            told: None,
            planned: None,
            plain: false,
            gave_up: false,
            followed: true,
            summary: Summary::default(),
            pause: Duration::ZERO,
            breaks: 0,
            timeouts: 0,
            poisoned: 0,
        }
    }

    /// Reads everything again and again.
    fn watch(
        mut self,
        told: &mut dyn FnMut(Round<'_>),
    ) -> Result<std::convert::Infallible, SyncError> {
        let mut away = Duration::ZERO;
        loop {
            let error = match self.round() {
                Ok(()) => {
                    away = Duration::ZERO;
                    told(Round::Done(self.take_summary()));
                    match self.wait() {
                        Ok(()) => continue,
                        // The line went dead over the waiting: to connect anew tells whether the server is there.
                        Err(error) if error.passes() => {
                            self.link = None;
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            if !error.passes() {
                return Err(error);
            }
            told(Round::Offline(&error));
            self.link = None;
            away = (away * 2).max(self.account.timeouts.offline).min(LONGEST_AWAY);
            self.reporter.enter(Phase::Waiting);
            self.cancel.pause(away);
            if self.cancel.is_cancelled() {
                return Err(SyncError::Cancelled);
            }
        }
    }

    /// Reads every mailbox once.
    fn round(&mut self) -> Result<(), SyncError> {
        self.reporter.now = Progress::default();
        (self.breaks, self.timeouts, self.poisoned) = (0, 0, 0);
        self.plain = false;
        let account = self.account;
        self.read(&account.mailbox)?;
        for name in &account.also {
            match self.read(name) {
                Err(error @ SyncError::Mailbox { .. }) => self.note(error.to_string()),
                other => other?,
            }
        }
        Ok(())
    }

    /// Reads one mailbox.
    fn read(&mut self, name: &str) -> Result<(), SyncError> {
        for _ in 0..=MOST_RESTARTS {
            name.clone_into(&mut self.name);
            (self.view, self.told, self.planned, self.dirty) = (None, None, None, false);
            match self.pass() {
                Ok(()) => return Ok(()),
                Err(Stop::Restart) => {}
                Err(Stop::Fault(error)) => return Err(error),
            }
        }
        let what = "the mailbox was made anew again and again".to_owned();
        Err(SyncError::Protocol { during: "opening the mailbox", what })
    }

    /// Waits until there may be news.
    fn wait(&mut self) -> Result<(), SyncError> {
        let account = self.account;
        if self.name != account.mailbox {
            // News are told of the open mailbox only.
            self.read(&account.mailbox)?;
        }
        self.reporter.enter(Phase::Watching);
        let Some(link) = &self.link else { return Ok(()) };
        let reporter = &mut self.reporter;
        let waited = link.idle(account.timeouts.idle, &mut |received| reporter.tick(received));
        if waited? == Waited::NoIdle {
            self.cancel.pause(account.timeouts.poll);
        }
        if self.cancel.is_cancelled() { Err(SyncError::Cancelled) } else { Ok(()) }
    }

    fn goodbye(&mut self) {
        if let Some(link) = self.link.take() {
            self.take_notes(&link);
            link.logout(&mut |received| self.reporter.tick(received));
        }
    }

    fn take_summary(&mut self) -> Summary {
        self.summary.received = self.received.load(Ordering::Relaxed);
        std::mem::take(&mut self.summary)
    }

    fn note(&mut self, note: String) {
        let notes = &mut self.summary.notes;
        if notes.len() < MOST_NOTES && !notes.contains(&note) {
            self.sink.note(&note);
            notes.push(note);
        }
    }
}
