//! One logged-in connection, kept in a thread of its own.
//!
//! Owns: the thread, waiting for it, and the questions that can be asked. Absent on purpose: how they are put and
//! the answers checked, see [`super::wire`]; which messages to ask for and what to do after a failure, see
//! [`super::engine`].
//!
//! The thread has a large stack, since the library recurses over what a server nests, and every call is
//! fenced, since the library can panic. The asking side never waits longer than one tick without looking at the
//! cancel token, so a dead server or a slow name lookup holds nobody up. A command that would change the
//! mailbox does not exist here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use super::Meta;
use super::account::Account;
use super::cancel::Cancel;
use super::cursor::UidSet;
use super::error::SyncError;
use super::secret::Secret;
use super::transport::Greeted;
use super::tray::Tray;
use super::wire::{Job, Slot, Wire};

/// Stack of the connection's thread, in bytes. Only touched pages cost memory.
const STACK: usize = 64 << 20;
/// How often the asking side looks up from waiting.
const TICK: Duration = Duration::from_millis(25);
/// How often it does while waiting for news: cancelling wakes it at once all the same.
const SLOW_TICK: Duration = Duration::from_millis(500);
/// Bytes that must arrive within [`super::Timeouts::crawl`].
const CRAWL: u64 = 1024;

/// The mailbox as the server opened it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct View {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT, if told.
    pub uid_next: Option<u32>,
    /// Number of messages.
    pub exists: u32,
    /// HIGHESTMODSEQ, if told.
    pub highest_mod_seq: Option<u64>,
}

/// What is known of a mailbox before it is opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// HIGHESTMODSEQ.
    pub mod_seq: u64,
    /// UIDs that are known; none when they would make a long line.
    pub uids: Option<UidSet>,
}

/// An opened mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Opened {
    /// As it is.
    pub view: View,
    /// What has changed since what was known, if the server was asked and tells (QRESYNC).
    pub told: Option<Told>,
}

/// What has changed in a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Told {
    /// UIDs without a message any more.
    pub vanished: UidSet,
    /// UIDs whose message has vanished and that have one again, which no server should do.
    pub reused: UidSet,
    /// Messages that are new or have other flags.
    pub changed: Vec<Meta>,
}

/// How a wait for news ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waited {
    /// The server had news, or the time has come.
    Look,
    /// The server cannot tell.
    NoIdle,
}

/// A message whose bytes came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Body {
    /// The UID, one of those asked for.
    pub uid: u32,
    /// The message, or what came of it; `None` when the server sent NIL.
    pub raw: Option<Vec<u8>>,
}

/// An answer to a fetch, and what was wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer<T> {
    /// What could be read and was asked for.
    pub items: Vec<T>,
    /// UIDs, where known, of answers that could not be read.
    pub unreadable: Vec<Option<u32>>,
    /// Number of answers about messages that were not asked for.
    pub stray: usize,
}

/// The asking side of one connection.
pub(crate) struct Link {
    jobs: Sender<Job>,
    tray: Arc<Tray>,
    lease: Slot,
    received: Arc<AtomicU64>,
    cancel: Cancel,
    crawl: Duration,
}

/// Reaches a server up to its greeting: the network, or a simulation.
pub(crate) type Dial = dyn Fn(&Account, &Cancel) -> Result<Greeted, SyncError> + Send + Sync;

/// A question that was asked and not yet answered.
pub(crate) struct Pending<T> {
    during: &'static str,
    answer: Receiver<Result<T, SyncError>>,
}

/// Called while waiting, with the number of bytes received so far.
pub(crate) type Tick<'a> = &'a mut dyn FnMut(u64);

impl Link {
    /// Connects up to the greeting.
    pub fn open(
        dial: &Arc<Dial>,
        account: &Account,
        cancel: &Cancel,
        received: Arc<AtomicU64>,
        tick: Tick<'_>,
    ) -> Result<Self, SyncError> {
        let tray = Arc::new(Tray::counting(Arc::clone(&received)));
        let (jobs, inbox) = mpsc::channel::<Job>();
        let lease = Slot::default();
        let mut wire = Wire::new(Arc::clone(&tray), Arc::clone(&lease));
        thread::Builder::new()
            .name("mailbox".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                while let Ok(job) = inbox.recv() {
                    job(&mut wire);
                }
            })
            .map_err(|source| SyncError::Thread { source })?;
        // Connecting has its own time limits and receives next to nothing, so it may crawl.
        let crawl = Duration::MAX;
        let mut link = Self { jobs, tray, lease, received, cancel: cancel.clone(), crawl };
        let (dial, account_, cancel_) = (Arc::clone(dial), account.clone(), cancel.clone());
        link.call("connecting", tick, move |wire| wire.connect(&*dial, &account_, &cancel_))?;
        link.crawl = account.timeouts.crawl;
        Ok(link)
    }

    /// Logs in.
    pub fn login(
        &self,
        account: &Account,
        secret: Secret,
        tick: Tick<'_>,
    ) -> Result<(), SyncError> {
        let (user, auth) = (account.user.clone(), account.auth);
        self.call("logging in", tick, move |wire| wire.login(&user, &secret, auth))
    }

    /// Opens a mailbox read-only, in one round trip. Where something is known of it and the server has QRESYNC,
    /// it is also asked for what has changed.
    pub fn examine(
        &self,
        name: &str,
        known: Option<Known>,
        tick: Tick<'_>,
    ) -> Result<Opened, SyncError> {
        let name = name.to_owned();
        self.call("opening the mailbox", tick, move |wire| wire.examine(&name, known.as_ref()))
    }

    /// Asks which of these UIDs there are.
    pub fn search(&self, uids: UidSet, tick: Tick<'_>) -> Result<UidSet, SyncError> {
        self.call("looking for removed messages", tick, move |wire| wire.search(&uids))
    }

    /// Waits until the server has news of the open mailbox, or this long.
    pub fn idle(&self, time: Duration, tick: Tick<'_>) -> Result<Waited, SyncError> {
        let pending = self.start("waiting for mail", move |wire| wire.idle(time))?;
        self.wait(&pending, SLOW_TICK, Duration::MAX, tick)
    }

    /// Asks for size, date and flags of messages. UIDs without a message are left out by the server.
    pub fn list(&self, uids: UidSet, tick: Tick<'_>) -> Result<Answer<Meta>, SyncError> {
        self.call("listing messages", tick, move |wire| wire.list(&uids))
    }

    /// Asks which messages up to UID `last` changed after this HIGHESTMODSEQ. Nothing where the server has no
    /// CONDSTORE.
    pub fn changed(
        &self,
        last: u32,
        since: u64,
        tick: Tick<'_>,
    ) -> Result<Answer<Meta>, SyncError> {
        self.call("asking what has changed", tick, move |wire| wire.changed(last, since))
    }

    /// Asks for whole messages, without waiting for them. No literal may be larger than `largest`, the whole
    /// answer not larger than `budget` bytes.
    pub fn start_bodies(
        &self,
        uids: UidSet,
        largest: u64,
        budget: u64,
    ) -> Result<Pending<Answer<Body>>, SyncError> {
        self.start("fetching messages", move |wire| {
            wire.bodies(&uids, "(UID BODY.PEEK[])", largest, budget)
        })
    }

    /// The messages asked for by [`Link::start_bodies`].
    pub fn bodies(
        &self,
        pending: &Pending<Answer<Body>>,
        tick: Tick<'_>,
    ) -> Result<Answer<Body>, SyncError> {
        self.wait(pending, TICK, self.crawl, tick)
    }

    /// Asks for one slice of a message. `None` when the server does not have it.
    pub fn slice(
        &self,
        uid: u32,
        offset: u32,
        length: u32,
        tick: Tick<'_>,
    ) -> Result<Option<Vec<u8>>, SyncError> {
        self.call("fetching a large message", tick, move |wire| wire.slice(uid, offset, length))
    }

    /// Says goodbye and does not wait for the answer: everything asked for has arrived.
    pub fn logout(self, tick: Tick<'_>) {
        let _ignored = self.call("logging out", tick, |wire| {
            wire.logout();
            Ok(())
        });
    }

    /// Sentences of the server that the user should see, each once.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.tray.lock().notes)
    }

    /// Runs one call in the connection's thread and waits for its end.
    fn call<T: Send + 'static>(
        &self,
        during: &'static str,
        tick: Tick<'_>,
        work: impl FnOnce(&mut Wire) -> Result<T, SyncError> + Send + 'static,
    ) -> Result<T, SyncError> {
        let pending = self.start(during, work)?;
        self.wait(&pending, TICK, self.crawl, tick)
    }

    /// Hands a call to the connection's thread, which works through them in order.
    fn start<T: Send + 'static>(
        &self,
        during: &'static str,
        work: impl FnOnce(&mut Wire) -> Result<T, SyncError> + Send + 'static,
    ) -> Result<Pending<T>, SyncError> {
        let (answer, answers) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |wire| {
            let result = catch_unwind(AssertUnwindSafe(|| work(wire))).unwrap_or_else(|_| {
                let what = "the answer brought the IMAP library down".to_owned();
                Err(SyncError::Protocol { during, what })
            });
            if result.as_ref().is_err_and(SyncError::breaks_link) {
                wire.close();
            }
            // The asking side may have left; then nobody needs the answer.
            let _left = answer.send(result);
        });
        self.jobs.send(job).map_err(|_| SyncError::Closed { during })?;
        Ok(Pending { during, answer: answers })
    }

    /// Waits for the end of a call, the cancel token, or a server that only crawls.
    fn wait<T>(
        &self,
        pending: &Pending<T>,
        step: Duration,
        crawl: Duration,
        tick: Tick<'_>,
    ) -> Result<T, SyncError> {
        let during = pending.during;
        let mut waited = Duration::ZERO;
        let mut before = self.received.load(Ordering::Relaxed);
        loop {
            match pending.answer.recv_timeout(step) {
                Ok(_) | Err(RecvTimeoutError::Timeout) if self.cancel.is_cancelled() => {
                    return Err(SyncError::Cancelled);
                }
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(SyncError::Closed { during }),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let received = self.received.load(Ordering::Relaxed);
            tick(received);
            waited += step;
            if received.saturating_sub(before) >= CRAWL {
                (waited, before) = (Duration::ZERO, received);
            } else if waited > crawl {
                return Err(SyncError::TimedOut { during });
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
