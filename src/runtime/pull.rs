//! A pull: from the configured account through `sync` into the store. Fetching and storing run side by side.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;

use super::desk::Desk;
use super::ingest::Changed;
use super::secret;
use crate::app::{Problem, SyncState};
use crate::config;
use crate::store::{MailSource, NewMail, ReceivedFrom, StoreError};
use crate::sync::{
    self, Account, Cancel, Cursor, Fetched, Phase, Progress, Secret, SecretError, Sink, SinkError,
};

/// Where the password comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// A command's first line.
    Command(Vec<String>),
    /// Asked for at the terminal.
    Prompt,
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
            config::Secret::Keyring => {
                return Err(Problem {
                    what: "this build has no access to the desktop keyring".into(),
                    next: "use password_command, such as [\"secret-tool\", \"lookup\", …]".into(),
                });
            }
        };
        Ok(Self { account: to, secret })
    }

    /// Asks for the password now if it would have to be asked for later, when the screen has the terminal.
    /// `None` if nothing was typed: then there is no pulling.
    pub fn ask_now(mut self) -> Option<Self> {
        if matches!(self.secret, SecretSource::Prompt) {
            let typed = secret::from_prompt(&self.account.user, &self.account.host).ok()?;
            self.secret = SecretSource::Known(typed);
        }
        Some(self)
    }

    fn secret(&self) -> Result<Secret, SecretError> {
        match &self.secret {
            SecretSource::Command(argv) => secret::from_command(argv),
            SecretSource::Known(secret) => Ok(secret.clone()),
            SecretSource::Prompt => secret::from_prompt(&self.account.user, &self.account.host),
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

/// Pulls until the mailbox is read or `cancel` is called. `heard` is told of every stored batch.
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
    let name = mailbox.account.mailbox.clone();
    let kept = desk.store.cursor(&name).ok().flatten();
    // A cursor that cannot be read costs a refetch; the store knows what it has.
    let cursor = kept.and_then(|bytes| Cursor::decode(&bytes).ok());
    let mut report = |now: Progress| progress(state_of(now));
    thread::scope(|scope| {
        // One batch is stored and one waits while the next is fetched.
        let (batches, queue) = mpsc::sync_channel(1);
        let (answers, stored) = mpsc::channel();
        scope.spawn(move || keep(desk, &queue, &answers));
        let mut sink =
            StoreSink { batches: Some(batches), stored, changed: Changed::default(), heard };
        let summary = sync::run(
            &mailbox.account,
            &mut || mailbox.secret(),
            cursor,
            &mut sink,
            cancel,
            &mut report,
        );
        let rest = sink.finish().map_err(|source| sync::SyncError::Sink { source });
        let summary = summary?;
        rest?;
        Ok(Pulled { changed: sink.changed, summary })
    })
}

/// Stores batches in their order, up to the first that fails.
fn keep(desk: &Desk, queue: &Receiver<Handed>, answers: &Sender<Result<Changed, StoreError>>) {
    while let Ok(Handed { mails, mailbox, cursor }) = queue.recv() {
        let stored = desk.add(mails, Some((mailbox.as_str(), cursor)));
        let failed = stored.is_err();
        if answers.send(stored).is_err() || failed {
            return;
        }
    }
}

fn state_of(now: Progress) -> SyncState {
    let phase = match now.phase {
        Phase::Connecting => "connecting",
        Phase::Listing => "listing",
        Phase::Fetching | Phase::Storing => "pulling",
        Phase::Waiting => "waiting to reconnect",
    };
    SyncState::Running {
        phase: phase.into(),
        done: now.messages_done,
        total: (now.messages_total > 0).then_some(now.messages_total),
        bytes: now.bytes,
    }
}

/// A batch on its way into the store, with the cursor that is true once it is there.
struct Handed {
    mails: Vec<NewMail>,
    mailbox: String,
    cursor: Vec<u8>,
}

/// Hands batches to the thread that stores them.
struct StoreSink<'a> {
    /// Taken when nothing more comes.
    batches: Option<SyncSender<Handed>>,
    stored: Receiver<Result<Changed, StoreError>>,
    changed: Changed,
    heard: &'a mut dyn FnMut(&Changed),
}

impl StoreSink<'_> {
    fn take(&mut self, stored: Result<Changed, StoreError>) -> Result<(), SinkError> {
        let changed = stored.map_err(|error| SinkError(error.into()))?;
        (self.heard)(&changed);
        self.changed.extend(changed);
        Ok(())
    }

    /// Waits until everything handed over is stored.
    fn finish(&mut self) -> Result<(), SinkError> {
        self.batches = None;
        while let Ok(stored) = self.stored.recv() {
            self.take(stored)?;
        }
        Ok(())
    }
}

impl Sink for StoreSink<'_> {
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError> {
        while let Ok(stored) = self.stored.try_recv() {
            self.take(stored)?;
        }
        let bytes = cursor.encode().map_err(|error| SinkError(error.into()))?;
        let mails = batch.into_iter().map(new_mail).collect();
        let handed = Handed { mails, mailbox: cursor.mailbox.clone(), cursor: bytes };
        match self.batches.as_ref().map(|batches| batches.send(handed)) {
            Some(Ok(())) => Ok(()),
            // The storing thread has ended, and why is the last thing it said.
            _ => self.finish().and(Err(SinkError("the store took no more".into()))),
        }
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
