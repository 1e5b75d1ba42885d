//! A pull: from the configured account through `sync` into the store. Fetching, archiving and listing run side by
//! side.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::desk::Desk;
use super::ingest::{Archived, Changed};
use super::secret;
use crate::app::{Pace, Problem, SyncState};
use crate::config;
use crate::store::{MailSource, NewMail, ReceivedFrom, StoreError};
use crate::sync::{
    self, Account, Cancel, Cursor, Fetched, Meta, Phase, Progress, Round, Secret, SecretError,
    Sink, SinkError, UidSet,
};

/// Where the password comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// A command's first line.
    Command(Vec<String>),
    /// The desktop's keyring.
    Keyring,
    /// Asked for at the terminal, or by the screen when a pull starts.
    Prompt,
    /// Typed at the screen.
    Typed(Secret),
    /// Known to this process: the sample inbox.
    Known(Secret),
}

/// An account with the way to its password.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// The account.
    pub account: Account,
    /// The way to the password.
    pub secret: SecretSource,
    /// A pull from the screen goes on until it is stopped.
    pub watch: bool,
}

impl Mailbox {
    /// The mailbox that the config names.
    ///
    /// # Errors
    /// If the file of certificates cannot be read.
    pub fn of(account: &config::Account) -> Result<Self, Problem> {
        let security = match account.security {
            config::Security::Tls => sync::Security::Tls,
            config::Security::StartTls => sync::Security::StartTls,
            config::Security::Plain => sync::Security::Plain,
        };
        let mut to = Account::new(&account.host, account.port, security, &account.user);
        account.mailbox.clone_into(&mut to.mailbox);
        to.also = account.sent.iter().chain(&account.junk).cloned().collect();
        to.also.retain(|name| *name != account.mailbox);
        to.also.dedup();
        to.pin = account.pin;
        to.auth = match account.auth {
            config::Auth::Auto => sync::Auth::Auto,
            config::Auth::Login => sync::Auth::Login,
            config::Auth::Plain => sync::Auth::Plain,
            config::Auth::XOAuth2 => sync::Auth::XOAuth2,
            config::Auth::OAuthBearer => sync::Auth::OAuthBearer,
        };
        if let Some(path) = &account.ca_file {
            let pem = std::fs::read(path).map_err(|error| Problem {
                what: format!("could not read the certificates in {}: {error}", path.display()),
                next: "correct ca_file in the account section".into(),
            })?;
            to.ca_pem = Some(pem);
        }
        let secret = match &account.secret {
            config::Secret::Command(argv) => SecretSource::Command(argv.clone()),
            config::Secret::Ask => SecretSource::Prompt,
            config::Secret::Keyring => SecretSource::Keyring,
        };
        Ok(Self { account: to, secret, watch: account.watch })
    }

    /// Whose password it is, such as `me at mail.example`.
    pub fn whose(&self) -> String {
        format!("{} at {}", self.account.user, self.account.host)
    }

    /// Whether the password has to be asked for.
    pub fn asks(&self) -> bool {
        matches!(self.secret, SecretSource::Prompt)
    }

    fn secret(&self) -> Result<Secret, SecretError> {
        match &self.secret {
            SecretSource::Command(argv) => secret::from_command(argv),
            SecretSource::Keyring => secret::from_keyring(&self.account.user, &self.account.host),
            SecretSource::Known(secret) | SecretSource::Typed(secret) => Ok(secret.clone()),
            SecretSource::Prompt => secret::from_prompt(&self.whose()),
        }
    }
}

/// What a pull did.
#[derive(Debug, Default)]
pub struct Pulled {
    /// What the store took.
    pub changed: Changed,
    /// What the connection did.
    pub summary: sync::Summary,
}

/// Pulls until the mailboxes are read or `cancel` is called. `heard` is told of every stored batch.
///
/// # Errors
/// If the connection, the login or the store fails; what was stored before stays.
pub fn run(
    desk: &Desk,
    mailbox: &Mailbox,
    cancel: &Cancel,
    progress: &mut dyn FnMut(SyncState),
    heard: &mut dyn FnMut(&Changed),
) -> Result<Pulled, sync::SyncError> {
    let mut meter = Meter::default();
    beside(desk, heard, |storing| {
        let summary = sync::run(
            &mailbox.account,
            &mut || mailbox.secret(),
            cursors(desk, &mailbox.account),
            &mut StoreSink(storing),
            cancel,
            &mut |now| progress(meter.state_of(now)),
        );
        let rest = storing.drain().map_err(|source| sync::SyncError::Sink { source });
        let summary = summary?;
        rest?;
        Ok(Pulled { changed: storing.changed.take(), summary })
    })
}

/// What a watch tells.
#[derive(Debug)]
pub enum News {
    /// Everything is read, and the server tells when something comes.
    Pulled(Pulled),
    /// The server cannot be reached; it is tried again by itself.
    Offline(Problem),
}

/// Pulls, waits for new mail and pulls it, until `cancel` is called. `progress` hears of the pulling only.
///
/// # Errors
/// Always: that it was cancelled, or why it cannot go on, such as a refused login.
pub fn watch(
    desk: &Desk,
    mailbox: &Mailbox,
    cancel: &Cancel,
    progress: &mut dyn FnMut(SyncState),
    heard: &mut dyn FnMut(&Changed),
    told: &mut dyn FnMut(News),
) -> sync::SyncError {
    let mut meter = Meter::default();
    beside(desk, heard, |storing| {
        let mut failed = None;
        let ended = sync::watch(
            &mailbox.account,
            &mut || mailbox.secret(),
            cursors(desk, &mailbox.account),
            &mut StoreSink(storing),
            cancel,
            &mut |now| {
                if !matches!(now.phase, Phase::Watching | Phase::Waiting) {
                    progress(meter.state_of(now));
                }
            },
            &mut |round| match (storing.drain(), round) {
                // Nothing more can be kept, so waiting for more makes no sense.
                (Err(error), _) => {
                    failed = Some(error);
                    cancel.cancel();
                }
                (Ok(()), Round::Done(summary)) => {
                    told(News::Pulled(Pulled { changed: storing.changed.take(), summary }));
                }
                (Ok(()), Round::Offline(error)) => told(News::Offline(problem(error))),
            },
        );
        match (failed.map_or_else(|| storing.drain(), Err), ended) {
            (Err(source), _) => sync::SyncError::Sink { source },
            (Ok(()), Err(error)) => error,
            (Ok(()), Ok(never)) => match never {},
        }
    })
}

/// Where the last pull stopped. A cursor that cannot be read costs a refetch; the store knows what it has.
fn cursors(desk: &Desk, account: &Account) -> Vec<Cursor> {
    let names = std::iter::once(&account.mailbox).chain(&account.also);
    names
        .filter_map(|name| desk.store.cursor(name).ok().flatten())
        .filter_map(|bytes| Cursor::decode(&bytes).ok())
        .collect()
}

/// Tells how fast a pull is from what it says of itself.
#[derive(Default)]
struct Meter {
    /// When fetching began, and how far things were then.
    began: Option<(Instant, Progress)>,
}

impl Meter {
    fn state_of(&mut self, now: Progress) -> SyncState {
        let phase = match now.phase {
            Phase::Connecting => "connecting",
            Phase::Listing => "listing",
            Phase::Fetching | Phase::Storing => "pulling",
            Phase::Waiting => "waiting to reconnect",
            Phase::Watching => "watching",
        };
        let pace = if matches!(now.phase, Phase::Fetching | Phase::Storing) {
            let (at, first) = *self.began.get_or_insert((Instant::now(), now));
            pace(first, now, at.elapsed())
        } else {
            self.began = None;
            None
        };
        SyncState::Running {
            phase: phase.into(),
            done: now.messages_done,
            total: (now.messages_total > 0).then_some(now.messages_total),
            bytes: now.bytes,
            pace,
        }
    }
}

/// How fast it went from `first` to `now`, and how long the rest takes at that; `None` while nobody can tell.
fn pace(first: Progress, now: Progress, took: Duration) -> Option<Pace> {
    let seconds = took.as_secs_f64();
    let done = now.messages_done.saturating_sub(first.messages_done);
    if seconds < 1.0 || done == 0 {
        return None;
    }
    let rest = now.messages_total.saturating_sub(now.messages_done);
    // Both are far below where a float loses a whole number.
    let (bytes, rest, done) =
        (now.bytes.saturating_sub(first.bytes) as f64, rest as f64, done as f64);
    Some(Pace {
        bytes_per_second: (bytes / seconds) as u64,
        seconds_left: (rest * seconds / done).ceil() as u64,
    })
}

/// Runs `work` with two threads beside it: one archives what is handed over, one lists what is archived.
fn beside<T>(
    desk: &Desk,
    heard: &mut dyn FnMut(&Changed),
    work: impl FnOnce(&Storing<'_>) -> T,
) -> T {
    thread::scope(|scope| {
        // One batch is listed, one archived, and one waits while the next is fetched.
        let (batches, queue) = mpsc::sync_channel(1);
        let (archived, waiting) = mpsc::sync_channel(0);
        let (answers, stored) = mpsc::channel();
        scope.spawn(move || archive(desk, &queue, &archived));
        scope.spawn(move || list(desk, &waiting, &answers));
        work(&Storing {
            desk,
            batches,
            stored,
            waiting: Cell::new(0),
            changed: RefCell::default(),
            heard: RefCell::new(heard),
        })
    })
}

/// A batch on its way into the store, with the cursor that is true once it is there.
struct Handed {
    mails: Vec<NewMail>,
    mailbox: String,
    cursor: Vec<u8>,
}

/// A batch that is in the archive, or why it is not.
type Kept = Result<(Archived, String, Vec<u8>), StoreError>;

/// Archives batches in their order, up to the first that fails.
fn archive(desk: &Desk, queue: &Receiver<Handed>, archived: &SyncSender<Kept>) {
    while let Ok(Handed { mails, mailbox, cursor }) = queue.recv() {
        let kept = desk.archive(mails).map(|archived| (archived, mailbox, cursor));
        let failed = kept.is_err();
        if archived.send(kept).is_err() || failed {
            return;
        }
    }
}

/// Lists batches in their order, up to the first that fails.
fn list(desk: &Desk, archived: &Receiver<Kept>, answers: &Sender<Result<Changed, StoreError>>) {
    while let Ok(kept) = archived.recv() {
        let stored = kept.and_then(|(archived, mailbox, cursor)| {
            desk.list(archived, Some((mailbox.as_str(), cursor)))
        });
        let failed = stored.is_err();
        if answers.send(stored).is_err() || failed {
            return;
        }
    }
}

/// The side that hands over.
struct Storing<'a> {
    desk: &'a Desk,
    batches: SyncSender<Handed>,
    stored: Receiver<Result<Changed, StoreError>>,
    /// Batches whose answer has not been heard.
    waiting: Cell<usize>,
    changed: RefCell<Changed>,
    heard: RefCell<&'a mut dyn FnMut(&Changed)>,
}

impl Storing<'_> {
    fn take(&self, changed: Changed) {
        (self.heard.borrow_mut())(&changed);
        self.changed.borrow_mut().extend(changed);
    }

    fn answer(&self, stored: Result<Changed, StoreError>) -> Result<(), SinkError> {
        self.waiting.set(self.waiting.get().saturating_sub(1));
        self.take(stored.map_err(|error| SinkError(error.into()))?);
        Ok(())
    }

    fn hand_over(&self, batch: Handed) -> Result<(), SinkError> {
        while let Ok(stored) = self.stored.try_recv() {
            self.answer(stored)?;
        }
        if self.batches.send(batch).is_err() {
            // The storing thread has ended, and why is the last thing it said.
            self.drain()?;
            return Err(SinkError("the store takes no more".into()));
        }
        self.waiting.set(self.waiting.get() + 1);
        Ok(())
    }

    /// Waits until everything handed over is stored.
    fn drain(&self) -> Result<(), SinkError> {
        while self.waiting.get() > 0 {
            match self.stored.recv() {
                Ok(stored) => self.answer(stored)?,
                Err(_) => return Err(SinkError("the store takes no more".into())),
            }
        }
        Ok(())
    }
}

struct StoreSink<'s, 'a>(&'s Storing<'a>);

impl Sink for StoreSink<'_, '_> {
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError> {
        let bytes = cursor.encode().map_err(|error| SinkError(error.into()))?;
        let mails = batch.into_iter().map(new_mail).collect();
        self.0.hand_over(Handed { mails, mailbox: cursor.mailbox.clone(), cursor: bytes })
    }

    fn vanished(
        &mut self,
        mailbox: &str,
        uid_validity: u32,
        uids: &UidSet,
    ) -> Result<(), SinkError> {
        self.0.drain()?;
        let marked = self.0.desk.vanished(mailbox, uid_validity, uids.ranges());
        self.0.take(marked.map_err(|error| SinkError(error.into()))?);
        Ok(())
    }

    fn compare(
        &mut self,
        mailbox: &str,
        uid_validity: u32,
        now: &[Meta],
    ) -> Result<UidSet, SinkError> {
        self.0.drain()?;
        let strange = self.0.desk.compare(mailbox, uid_validity, now);
        strange.map_err(|error| SinkError(error.into()))
    }

    fn settled(&mut self, mailbox: &str, uid_validity: u32) -> Result<(), SinkError> {
        self.0.drain()?;
        let marked = self.0.desk.settled(mailbox, uid_validity);
        self.0.take(marked.map_err(|error| SinkError(error.into()))?);
        Ok(())
    }
}

fn new_mail(fetched: Fetched) -> NewMail {
    // A server without INTERNALDATE breaks the protocol; the top Received header is the next best.
    let (received, received_from) = match fetched.internal_date {
        Some(at) => (at, ReceivedFrom::Internaldate),
        None => super::import::received(&fetched.raw, None),
    };
    NewMail {
        received,
        received_from,
        source: Some(MailSource {
            mailbox: fetched.mailbox,
            uid_validity: fetched.uid_validity,
            uid: fetched.uid,
            flags: fetched.flags,
        }),
        raw: fetched.raw,
    }
}

/// The error of a pull as a person reads it.
pub fn problem(error: &sync::SyncError) -> Problem {
    let mut what = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        what = format!("{what}: {inner}");
        cause = inner.source();
    }
    Problem { what: super::view::printable(&what), next: error.advice().to_owned() }
}
