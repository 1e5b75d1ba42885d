//! One logged-in connection, kept in a thread of its own.
//!
//! Owns: every call of the IMAP library, the login, the questions asked and the check of the answers. Absent on
//! purpose: which messages to ask for and what to do after a failure, see [`super::engine`].
//!
//! The thread has a large stack, since the library recurses over what a server nests, and every call is
//! fenced, since the library can panic. The asking side never waits longer than one tick without looking at the
//! cancel token, so a dead server or a slow name lookup holds nobody up. A command that would change the
//! mailbox does not exist here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use imap::types::{Fetch, Fetches};
use jiff::Timestamp;

use super::account::{Account, Auth};
use super::cancel::{Cancel, Lease};
use super::cursor::UidSet;
use super::error::SyncError;
use super::guard::{Fault, Guard, Tray};
use super::login;
use super::mailbox::encode_name;
use super::secret::Secret;
use super::text::printable;
use super::transport::{self, Greeted, Stream, io_fault};

/// Stack of the connection's thread, in bytes. Only touched pages cost memory.
const STACK: usize = 64 << 20;
/// How often the asking side looks up from waiting.
const TICK: Duration = Duration::from_millis(25);
/// Bytes allowed for the answer to a command without message data.
const SMALL_ANSWER: u64 = 256 << 10;
/// Bytes allowed for a list of messages, per message asked for.
const LIST_LINE: u64 = 2048;
/// Bytes that must arrive within [`super::Timeouts::crawl`].
const CRAWL: u64 = 1024;

/// The library's connection before the login.
pub(crate) type Client = imap::Client<Guard<Stream>>;
/// The library's connection after it.
pub(crate) type Session = imap::Session<Guard<Stream>>;

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

/// What a list says about one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Meta {
    /// The UID, one of those asked for.
    pub uid: u32,
    /// RFC822.SIZE, which is a hint only.
    pub size: Option<u32>,
    /// INTERNALDATE.
    pub internal_date: Option<Timestamp>,
    /// Flags and keywords.
    pub flags: Vec<String>,
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

/// What the connection's thread keeps.
struct Wire {
    tray: Arc<Tray>,
    stage: Stage,
    lease: Slot,
}

/// Holds the socket's lease for both sides: the thread fills it, the asking side empties it when it goes, which
/// ends a read the thread may still be in.
type Slot = Arc<Mutex<Option<Lease>>>;

enum Stage {
    Closed,
    Greeted(Box<Client>, Option<Vec<String>>),
    In(Box<Session>),
}

type Job = Box<dyn FnOnce(&mut Wire) + Send>;

/// The asking side of one connection.
pub(crate) struct Link {
    jobs: Sender<Job>,
    tray: Arc<Tray>,
    lease: Slot,
    received: Arc<AtomicU64>,
    cancel: Cancel,
    crawl: Duration,
}

/// Called while waiting, with the number of bytes received so far.
pub(crate) type Tick<'a> = &'a mut dyn FnMut(u64);

impl Link {
    /// Connects up to the greeting.
    pub fn open(
        account: &Account,
        cancel: &Cancel,
        received: Arc<AtomicU64>,
        tick: Tick<'_>,
    ) -> Result<Self, SyncError> {
        let tray = Arc::new(Tray::counting(Arc::clone(&received)));
        let (jobs, inbox) = mpsc::channel::<Job>();
        let lease = Slot::default();
        let wire =
            Wire { tray: Arc::clone(&tray), stage: Stage::Closed, lease: Arc::clone(&lease) };
        thread::Builder::new()
            .name("mailbox".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(wire, &inbox))
            .map_err(|source| SyncError::Thread { source })?;
        // Connecting has its own time limits and receives next to nothing, so it may crawl.
        let crawl = Duration::MAX;
        let mut link = Self { jobs, tray, lease, received, cancel: cancel.clone(), crawl };
        let (account_, cancel_) = (account.clone(), cancel.clone());
        link.call("connecting", tick, move |wire| wire.connect(&account_, &cancel_))?;
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

    /// Opens a mailbox read-only.
    pub fn examine(&self, name: &str, tick: Tick<'_>) -> Result<View, SyncError> {
        let name = name.to_owned();
        self.call("opening the mailbox", tick, move |wire| wire.examine(&name))
    }

    /// Asks for size, date and flags of messages. UIDs without a message are left out by the server.
    pub fn list(&self, uids: UidSet, tick: Tick<'_>) -> Result<Answer<Meta>, SyncError> {
        self.call("listing messages", tick, move |wire| wire.list(&uids))
    }

    /// Asks for whole messages. No literal may be larger than `largest`, the whole answer not larger than
    /// `budget` bytes.
    pub fn bodies(
        &self,
        uids: UidSet,
        largest: u64,
        budget: u64,
        tick: Tick<'_>,
    ) -> Result<Answer<Body>, SyncError> {
        self.call("fetching messages", tick, move |wire| {
            wire.bodies(&uids, "(UID BODY.PEEK[])", largest, budget)
        })
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

    /// Says goodbye without waiting for more than a moment.
    pub fn logout(self, tick: Tick<'_>) {
        // Everything asked for has arrived: how the server takes the goodbye changes nothing.
        let _ignored = self.call("logging out", tick, |wire| {
            wire.tray.begin(0, SMALL_ANSWER);
            if let Stage::In(session) = &mut wire.stage {
                let _ignored = session.logout();
            }
            wire.stage = Stage::Closed;
            Ok(())
        });
    }

    /// Sentences of the server that the user should see, each once.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.tray.lock().notes)
    }

    /// Runs one call in the connection's thread and waits for its end, the cancel token, or a server that
    /// only crawls.
    fn call<T: Send + 'static>(
        &self,
        during: &'static str,
        tick: Tick<'_>,
        work: impl FnOnce(&mut Wire) -> Result<T, SyncError> + Send + 'static,
    ) -> Result<T, SyncError> {
        let (answer, answers) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |wire| {
            let result = catch_unwind(AssertUnwindSafe(|| work(wire))).unwrap_or_else(|_| {
                let what = "the answer brought the IMAP library down".to_owned();
                Err(SyncError::Protocol { during, what })
            });
            if result.as_ref().is_err_and(SyncError::breaks_link) {
                wire.stage = Stage::Closed;
            }
            // The asking side may have left; then nobody needs the answer.
            let _left = answer.send(result);
        });
        self.jobs.send(job).map_err(|_| SyncError::Closed { during })?;
        let mut waited = Duration::ZERO;
        let mut before = self.received.load(Ordering::Relaxed);
        loop {
            match answers.recv_timeout(TICK) {
                Ok(_) | Err(RecvTimeoutError::Timeout) if self.cancel.is_cancelled() => {
                    return Err(SyncError::Cancelled);
                }
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(SyncError::Closed { during }),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let received = self.received.load(Ordering::Relaxed);
            tick(received);
            waited += TICK;
            if received.saturating_sub(before) >= CRAWL {
                (waited, before) = (Duration::ZERO, received);
            } else if waited > self.crawl {
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

fn serve(mut wire: Wire, inbox: &Receiver<Job>) {
    while let Ok(job) = inbox.recv() {
        job(&mut wire);
    }
}

impl Wire {
    fn connect(&mut self, account: &Account, cancel: &Cancel) -> Result<(), SyncError> {
        let Greeted { stream, capabilities, lease } = transport::open(account, cancel)?;
        let limits = &account.limits;
        let guard =
            Guard::new(stream, Arc::clone(&self.tray), limits.response_bytes, limits.nesting);
        let mut client = imap::Client::new(guard);
        client.greeting_read = true;
        self.stage = Stage::Greeted(Box::new(client), capabilities);
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
        Ok(())
    }

    fn login(&mut self, user: &str, secret: &Secret, auth: Auth) -> Result<(), SyncError> {
        let during = "logging in";
        let Stage::Greeted(mut client, told) = std::mem::replace(&mut self.stage, Stage::Closed)
        else {
            return Err(SyncError::Closed { during });
        };
        self.tray.begin(0, SMALL_ANSWER);
        let offers = match told {
            Some(words) => words,
            None => login::offers(&mut client).or_else(|error| match error {
                // A server that does not answer CAPABILITY may still know LOGIN.
                imap::Error::No(_) | imap::Error::Bad(_) => Ok(Vec::new()),
                error => Err(self.fault(error, during)),
            })?,
        };
        self.tray.begin(0, SMALL_ANSWER);
        let result = login::attempt(*client, &self.tray, &offers, user, secret, auth)?;
        match result {
            Ok(session) => {
                self.stage = Stage::In(Box::new(session));
                Ok(())
            }
            Err((imap::Error::No(_) | imap::Error::Bad(_), _)) => {
                let text = self.tray.lock().last_text.clone();
                Err(SyncError::LoginRefused { user: user.to_owned(), text })
            }
            Err((error, _)) => Err(self.fault(error, during)),
        }
    }

    fn session(&mut self, during: &'static str) -> Result<&mut Session, SyncError> {
        match &mut self.stage {
            Stage::In(session) => Ok(session),
            _ => Err(SyncError::Closed { during }),
        }
    }

    fn examine(&mut self, name: &str) -> Result<View, SyncError> {
        let during = "opening the mailbox";
        let wire_name =
            encode_name(name).map_err(|error| SyncError::Account { why: error.to_string() })?;
        self.tray.begin(0, SMALL_ANSWER);
        let mailbox = match self.session(during)?.examine(wire_name) {
            Ok(mailbox) => mailbox,
            Err(imap::Error::No(_) | imap::Error::Bad(_)) => {
                let text = self.tray.lock().last_text.clone();
                return Err(SyncError::Mailbox { name: printable(name.as_bytes()), text });
            }
            Err(error) => return Err(self.fault(error, during)),
        };
        let Some(uid_validity) = mailbox.uid_validity.filter(|validity| *validity > 0) else {
            let what = "the mailbox has no UIDVALIDITY".to_owned();
            return Err(SyncError::Protocol { during, what });
        };
        Ok(View {
            uid_validity,
            uid_next: mailbox.uid_next.filter(|next| *next > 0),
            exists: mailbox.exists,
            highest_mod_seq: mailbox.highest_mod_seq,
        })
    }

    fn fetch(
        &mut self,
        uids: &UidSet,
        items: &str,
        during: &'static str,
    ) -> Result<Fetches, SyncError> {
        let session = self.session(during)?;
        let result = session.uid_fetch(uids.to_imap(), items);
        // Nothing reads these; they would pile up.
        drop(session.take_all_unsolicited());
        result.map_err(|error| self.fault(error, during))
    }

    fn list(&mut self, uids: &UidSet) -> Result<Answer<Meta>, SyncError> {
        let room = uids.count().min(1 << 14) * LIST_LINE + (1 << 20);
        // A literal is no part of a list, but a server that sends a body unasked harms nobody.
        self.tray.begin(room.min(1 << 20), room);
        let query = "(UID RFC822.SIZE INTERNALDATE FLAGS)";
        let fetches = self.fetch(uids, query, "listing messages")?;
        Ok(self.answer(&fetches, uids, |fetch, uid| Meta {
            uid,
            size: fetch.size,
            internal_date: fetch
                .internal_date()
                .and_then(|date| Timestamp::from_second(date.timestamp()).ok()),
            flags: fetch.flags().iter().map(ToString::to_string).collect(),
        }))
    }

    fn bodies(
        &mut self,
        uids: &UidSet,
        items: &str,
        largest: u64,
        budget: u64,
    ) -> Result<Answer<Body>, SyncError> {
        self.tray.begin(largest, budget);
        let fetches = self.fetch(uids, items, "fetching messages")?;
        let tray = Arc::clone(&self.tray);
        Ok(self.answer(&fetches, uids, |fetch, uid| Body {
            uid,
            raw: fetch.body().map(|text| tray.lock().resolve(text)),
        }))
    }

    fn slice(&mut self, uid: u32, offset: u32, length: u32) -> Result<Option<Vec<u8>>, SyncError> {
        let (uids, items) =
            (UidSet::from_iter([uid]), format!("(UID BODY.PEEK[]<{offset}.{length}>)"));
        let room = u64::from(length);
        let answer = self.bodies(&uids, &items, room, room + SMALL_ANSWER)?;
        let origin = self.tray.lock().origin;
        let slice = answer.items.into_iter().find_map(|body| body.raw);
        if slice.is_some() && origin.unwrap_or(0) != offset {
            let what = format!("asked for bytes from {offset}, got bytes from {origin:?}");
            return Err(SyncError::Protocol { during: "fetching a large message", what });
        }
        Ok(slice)
    }

    /// Sorts an answer into what was asked for and what was not. An answer without a UID is news about flags
    /// that any server may send at any time.
    fn answer<T>(
        &self,
        fetches: &Fetches,
        asked: &UidSet,
        mut read: impl FnMut(&Fetch<'_>, u32) -> T,
    ) -> Answer<T> {
        let mut stray = 0;
        let mut items = Vec::with_capacity(fetches.len());
        for fetch in fetches.iter() {
            match fetch.uid {
                Some(uid) if asked.contains(uid) => items.push(read(fetch, uid)),
                Some(_) => stray += 1,
                None if fetch.size.is_some() || fetch.body().is_some() => stray += 1,
                None => {}
            }
        }
        let open_end = asked.ranges().last().is_some_and(|&(_, last)| last == u32::MAX);
        if open_end && stray == 1 {
            // `n:*` always names the last message, even one below n (RFC 3501 section 6.4.8).
            stray = 0;
        }
        let unreadable = std::mem::take(&mut self.tray.lock().unreadable);
        Answer { items, unreadable, stray }
    }

    /// The sentence for an error of the library.
    fn fault(&self, error: imap::Error, during: &'static str) -> SyncError {
        match error {
            imap::Error::Io(error) => match guard_fault(&error) {
                Some(Fault::Bye(text)) => SyncError::Bye { text: text.clone() },
                Some(Fault::TooLarge(what)) => SyncError::TooLarge { what: what.clone() },
                Some(Fault::Broken(what)) => SyncError::Protocol { during, what: what.clone() },
                None => io_fault(&error, during),
            },
            imap::Error::No(_) | imap::Error::Bad(_) => {
                SyncError::Command { text: self.tray.lock().last_text.clone() }
            }
            imap::Error::ConnectionLost => SyncError::Closed { during },
            imap::Error::TagMismatch(_) => SyncError::Protocol {
                during,
                what: "the answer belongs to another command".to_owned(),
            },
            imap::Error::Validate(_) => {
                SyncError::Account { why: "a name or the password contains a line end".to_owned() }
            }
            other => SyncError::Protocol { during, what: printable(other.to_string().as_bytes()) },
        }
    }
}

fn guard_fault(error: &std::io::Error) -> Option<&Fault> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
