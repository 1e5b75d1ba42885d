//! The thread's side of a connection.
//!
//! Owns: every call of the IMAP library, the login, the wording of the questions and the check of the answers. A
//! command that would change the mailbox does not exist here. Read next: [`super::session`], [`super::guard`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use imap::types::{Fetch, Fetches};
use imap_proto::parser::parse_response;
use imap_proto::types::{AttributeValue, MailboxDatum, Response, ResponseCode};
use jiff::Timestamp;

use super::Meta;
use super::account::{Account, Auth};
use super::cancel::{Cancel, Lease};
use super::cursor::UidSet;
use super::duplex::Duplex;
use super::error::SyncError;
use super::guard::{Fault, Guard};
use super::login;
use super::mailbox::{encode_name, quoted_name};
use super::secret::Secret;
use super::session::{Answer, Body, Dial, Known, Opened, Told, View, Waited};
use super::text::printable;
use super::transport::{Greeted, io_fault};
use super::tray::Tray;

/// Bytes allowed for the answer to a command without message data.
const SMALL_ANSWER: u64 = 256 << 10;
/// Bytes allowed for a list of messages, per message asked for.
const LIST_LINE: u64 = 2048;
/// Bytes allowed for the answer that names everything changed since last time.
const RESYNC_ANSWER: u64 = 16 << 20;

/// The library's connection before the login.
pub(crate) type Client = imap::Client<Guard<Box<dyn Duplex>>>;
/// The library's connection after it.
pub(crate) type Session = imap::Session<Guard<Box<dyn Duplex>>>;

/// A call for the connection's thread.
pub(crate) type Job = Box<dyn FnOnce(&mut Wire) + Send>;

/// Holds the socket's lease for both sides: the thread fills it, the asking side empties it when it goes, which
/// ends a read the thread may still be in.
pub(crate) type Slot = Arc<Mutex<Option<Lease>>>;

/// What the connection's thread keeps.
pub(crate) struct Wire {
    tray: Arc<Tray>,
    stage: Stage,
    lease: Slot,
    /// What the server said after the login that it can do.
    offers: Vec<String>,
    /// It was told that QRESYNC is understood here.
    enabled: bool,
}

enum Stage {
    Closed,
    Greeted(Box<Client>, Option<Vec<String>>),
    In(Box<Session>),
}

impl Wire {
    /// Nothing yet.
    pub fn new(tray: Arc<Tray>, lease: Slot) -> Self {
        Self { tray, stage: Stage::Closed, lease, offers: Vec::new(), enabled: false }
    }

    /// Reaches the server.
    pub fn connect(
        &mut self,
        dial: &Dial,
        account: &Account,
        cancel: &Cancel,
    ) -> Result<(), SyncError> {
        let Greeted { stream, capabilities, lease } = dial(account, cancel)?;
        let limits = &account.limits;
        let guard = Guard::new(
            stream,
            Arc::clone(&self.tray),
            limits.response_bytes,
            limits.nesting,
            account.timeouts.read,
        );
        let mut client = imap::Client::new(guard);
        client.greeting_read = true;
        self.stage = Stage::Greeted(Box::new(client), capabilities);
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
        Ok(())
    }

    /// Drops the connection.
    pub fn close(&mut self) {
        self.stage = Stage::Closed;
    }

    /// Says goodbye.
    pub fn logout(&mut self) {
        if let Stage::In(session) = &mut self.stage {
            // How the server takes it changes nothing.
            let _ignored = session.run_command("LOGOUT");
        }
        self.close();
    }

    /// Logs in, and learns what the server can do.
    pub fn login(&mut self, user: &str, secret: &Secret, auth: Auth) -> Result<(), SyncError> {
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
        // What was told before the login need not hold after it.
        self.tray.lock().capabilities = None;
        let result = login::attempt(*client, &self.tray, &offers, user, secret, auth)?;
        match result {
            Ok(session) => {
                self.stage = Stage::In(Box::new(session));
                self.learn_offers()
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

    /// Most servers tell with their answer to the login (RFC 9051 section 7.1); the others are asked.
    fn learn_offers(&mut self) -> Result<(), SyncError> {
        let during = "asking what the server can do";
        if self.tray.lock().capabilities.is_none() {
            self.tray.begin(0, SMALL_ANSWER);
            match self.session(during)?.run("CAPABILITY") {
                Ok(_) | Err(imap::Error::No(_) | imap::Error::Bad(_)) => {}
                Err(error) => return Err(self.fault(error, during)),
            }
        }
        self.offers = self.tray.lock().capabilities.take().unwrap_or_default();
        Ok(())
    }

    fn offers(&self, word: &str) -> bool {
        self.offers.iter().any(|offer| offer == word)
    }

    /// Opens a mailbox read-only; asks in the same breath what changed, if that is possible.
    pub fn examine(&mut self, name: &str, known: Option<&Known>) -> Result<Opened, SyncError> {
        let during = "opening the mailbox";
        let wire_name =
            encode_name(name).map_err(|error| SyncError::Account { why: error.to_string() })?;
        let mut command = format!("EXAMINE {}", quoted_name(&wire_name));
        let resync = self.offers("QRESYNC");
        let known = known.filter(|_| resync);
        let numbered = !resync && self.offers("CONDSTORE");
        self.tray.begin(0, if known.is_some() { RESYNC_ANSWER } else { SMALL_ANSWER });
        if let Some(known) = known {
            let uids = known.uids.as_ref().map(|uids| format!(" {}", uids.to_imap()));
            let Known { uid_validity, mod_seq, .. } = known;
            command +=
                &format!(" (QRESYNC ({uid_validity} {mod_seq}{}))", uids.unwrap_or_default());
        }
        if numbered {
            command += " (CONDSTORE)";
        }
        if resync && !self.enabled {
            // Also where nothing is known yet: without it, some servers do not number changes.
            self.tray.lock().send_ahead("ENABLE QRESYNC");
            self.enabled = true;
        }
        match self.session(during)?.run(&command) {
            Ok((answer, _)) => read_view(&answer, known),
            Err(imap::Error::No(_) | imap::Error::Bad(_)) if known.is_some() => {
                // It does not keep what it promised.
                self.offers.retain(|offer| offer != "QRESYNC");
                self.examine(name, None)
            }
            Err(imap::Error::Bad(_)) if numbered => {
                self.offers.retain(|offer| offer != "CONDSTORE");
                self.examine(name, None)
            }
            Err(imap::Error::No(_) | imap::Error::Bad(_)) => {
                let text = self.tray.lock().last_text.clone();
                Err(SyncError::Mailbox { name: printable(name.as_bytes()), text })
            }
            Err(error) => Err(self.fault(error, during)),
        }
    }

    /// Which of these UIDs there are.
    pub fn search(&mut self, uids: &UidSet) -> Result<UidSet, SyncError> {
        let during = "looking for removed messages";
        self.tray.begin(0, RESYNC_ANSWER);
        let command = format!("UID SEARCH UID {}", uids.to_imap());
        let result = self.session(during)?.run(&command);
        let (answer, _) = result.map_err(|error| self.fault(error, during))?;
        let mut found = UidSet::new();
        for_each_response(&answer, |response| {
            if let Response::MailboxData(MailboxDatum::Search(ids)) = response {
                ids.into_iter().filter(|uid| uids.contains(*uid)).for_each(|uid| found.insert(uid));
            }
        });
        Ok(found)
    }

    /// Waits for news of the open mailbox; see [`super::tray::Aside::idle_until`].
    pub fn idle(&mut self, time: Duration) -> Result<Waited, SyncError> {
        let during = "waiting for mail";
        if !self.offers("IDLE") {
            return Ok(Waited::NoIdle);
        }
        self.tray.begin(0, SMALL_ANSWER);
        self.tray.lock().idle_until(Instant::now() + time);
        let result = self.session(during)?.run("IDLE");
        self.tray.lock().idle = None;
        match result {
            Ok(_) => Ok(Waited::Look),
            Err(imap::Error::No(_) | imap::Error::Bad(_)) => {
                self.offers.retain(|offer| offer != "IDLE");
                Ok(Waited::NoIdle)
            }
            Err(error) => Err(self.fault(error, during)),
        }
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

    /// Size, date and flags of messages.
    pub fn list(&mut self, uids: &UidSet) -> Result<Answer<Meta>, SyncError> {
        let room = uids.count().min(1 << 14) * LIST_LINE + (1 << 20);
        // A literal is no part of a list, but a server that sends a body unasked harms nobody.
        self.tray.begin(room.min(1 << 20), room);
        let query = "(UID RFC822.SIZE INTERNALDATE FLAGS)";
        let fetches = self.fetch(uids, query, "listing messages")?;
        Ok(self.answer(&fetches, uids, read_meta))
    }

    /// The same of the messages up to a UID that changed after this HIGHESTMODSEQ (RFC 7162 section 3.1.4.1).
    pub fn changed(&mut self, last: u32, since: u64) -> Result<Answer<Meta>, SyncError> {
        let nothing = Answer { items: Vec::new(), unreadable: Vec::new(), stray: 0 };
        if !self.offers("CONDSTORE") {
            return Ok(nothing);
        }
        self.tray.begin(1 << 20, RESYNC_ANSWER);
        let mut uids = UidSet::new();
        uids.insert_range(1, last);
        let query = format!("(UID RFC822.SIZE INTERNALDATE FLAGS) (CHANGEDSINCE {since})");
        match self.fetch(&uids, &query, "asking what has changed") {
            Ok(fetches) => Ok(self.answer(&fetches, &uids, read_meta)),
            Err(SyncError::Command { .. }) => {
                // It does not keep what it promised.
                self.offers.retain(|offer| offer != "CONDSTORE");
                Ok(nothing)
            }
            Err(error) => Err(error),
        }
    }

    /// Whole messages, or parts of them.
    pub fn bodies(
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

    /// One slice of a message; `None` when the server does not have it.
    pub fn slice(
        &mut self,
        uid: u32,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, SyncError> {
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

/// Calls `read` with every response in an answer.
fn for_each_response(answer: &[u8], mut read: impl FnMut(Response<'_>)) {
    let mut rest = answer;
    while let Ok((after, response)) = parse_response(rest) {
        read(response);
        if after.len() >= rest.len() {
            break;
        }
        rest = after;
    }
}

/// What an answer to EXAMINE says.
fn read_view(answer: &[u8], known: Option<&Known>) -> Result<Opened, SyncError> {
    let (mut validity, mut uid_next, mut exists, mut highest_mod_seq) = (None, None, 0, None);
    let mut told = Told::default();
    for_each_response(answer, |response| match response {
        Response::Data { code: Some(ResponseCode::UidValidity(n)), .. } => validity = Some(n),
        Response::Data { code: Some(ResponseCode::UidNext(n)), .. } => uid_next = Some(n),
        Response::Data { code: Some(ResponseCode::HighestModSeq(n)), .. } => {
            highest_mod_seq = Some(n);
        }
        Response::MailboxData(MailboxDatum::Exists(n)) => exists = n,
        Response::Vanished { uids, .. } => {
            uids.iter().for_each(|uids| told.vanished.insert_range(*uids.start(), *uids.end()));
        }
        Response::Fetch(_, attributes) => told.changed.extend(changed_flags(&attributes)),
        _ => {}
    });
    let Some(uid_validity) = validity.filter(|validity| *validity > 0) else {
        let what = "the mailbox has no UIDVALIDITY".to_owned();
        return Err(SyncError::Protocol { during: "opening the mailbox", what });
    };
    let uid_next = uid_next.filter(|next| *next > 0);
    let view = View { uid_validity, uid_next, exists, highest_mod_seq };
    let asked = known.is_some_and(|known| known.uid_validity == uid_validity);
    let there: UidSet = told.changed.iter().map(|meta| meta.uid).collect();
    let gone = told.vanished.minus(&there);
    told.reused = std::mem::replace(&mut told.vanished, gone).minus(&told.vanished);
    Ok(Opened { view, told: Some(told).filter(|_| asked && highest_mod_seq.is_some()) })
}

/// UID and flags, as QRESYNC tells them.
fn changed_flags(attributes: &[AttributeValue<'_>]) -> Option<Meta> {
    let mut meta = Meta::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => meta.uid = *uid,
            AttributeValue::Flags(flags) => {
                meta.flags = Some(flags.iter().map(ToString::to_string).collect());
            }
            _ => {}
        }
    }
    (meta.uid > 0).then_some(meta)
}

fn read_meta(fetch: &Fetch<'_>, uid: u32) -> Meta {
    let date = fetch.internal_date();
    Meta {
        uid,
        size: fetch.size,
        internal_date: date.and_then(|date| Timestamp::from_second(date.timestamp()).ok()),
        flags: Some(fetch.flags().iter().map(ToString::to_string).collect()),
    }
}

fn guard_fault(error: &std::io::Error) -> Option<&Fault> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
