//! The mailbox: connection, cursor, fetching.
//!
//! Owns: everything that knows IMAP and TLS. Absent on purpose: cases, parsing of mail, the store (messages go to
//! a [`Sink`]), the clock, and every command that would change the mailbox. Read next: [`account`], then
//! `engine`, then `guard`.

pub mod account;
mod cancel;
mod cursor;
mod duplex;
mod engine;
mod error;
mod guard;
mod lines;
mod login;
mod mailbox;
mod plan;
mod secret;
mod session;
mod text;
mod transport;
mod tray;
mod trust;
mod wire;

use jiff::Timestamp;

pub use account::{Account, Auth, Limits, Security, Timeouts};
pub use cancel::Cancel;
pub use cursor::{Cursor, CursorError, UidSet};
pub use engine::{Round, run, watch};
pub use error::{SinkError, SyncError};
pub use mailbox::{NameError, encode_name};
pub use secret::{Secret, SecretError};
pub use text::printable;

/// A message as the server has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Name of the mailbox, as configured.
    pub mailbox: String,
    /// UIDVALIDITY of the mailbox.
    pub uid_validity: u32,
    /// UID in the mailbox, never 0.
    pub uid: u32,
    /// When the server received it; the clocks run from here.
    pub internal_date: Option<Timestamp>,
    /// Flags and keywords, as the server writes them; non-ASCII ones with `?` in place of such bytes.
    pub flags: Vec<String>,
    /// The message, byte for byte.
    pub raw: Vec<u8>,
}

impl std::fmt::Debug for Fetched {
    /// Sizes only: a message must not reach a log by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fetched(uid {}, {} bytes)", self.uid, self.raw.len())
    }
}

/// What the server says of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meta {
    /// Its UID, never 0.
    pub uid: u32,
    /// RFC822.SIZE in bytes, which is a hint only; `None` if not told, as with the two below.
    pub size: Option<u32>,
    /// When the server received it.
    pub internal_date: Option<Timestamp>,
    /// Flags and keywords, as in [`Fetched`].
    pub flags: Option<Vec<String>>,
}

/// Takes messages in. Equal bytes may come again (after a UIDVALIDITY change, or under two UIDs), and a UID may
/// come again with other bytes if the server is broken: keep both.
pub trait Sink {
    /// Takes over a batch, newest first, and the cursor that says so. It may return before they are stored, but
    /// stores in the order of the calls, and a cursor never before its batch: messages before a stored cursor are not
    /// fetched again. A failure may be told by a later call. The batch is empty when only the cursor moved.
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError>;

    /// Hears that messages are not on the server any more: some under these UIDs, if it ever had such. They are
    /// kept and marked. May come again for the same ones. The cursor that will not ask for them again is stored
    /// after this has returned.
    fn vanished(
        &mut self,
        _mailbox: &str,
        _uid_validity: u32,
        _uids: &UidSet,
    ) -> Result<(), SinkError> {
        Ok(())
    }

    /// Hears what the server says now of messages that it gave before: flags that changed, and sizes and dates as far
    /// as they were asked for. Returns those that are not what is here under their UIDs; they are then called
    /// [vanished](Sink::vanished) and are fetched anew.
    fn compare(
        &mut self,
        _mailbox: &str,
        _uid_validity: u32,
        _now: &[Meta],
    ) -> Result<UidSet, SinkError> {
        Ok(UidSet::new())
    }

    /// Hears that the mailbox was read whole under this UIDVALIDITY: what it had under another one, and not under
    /// this one, is not there any more.
    fn settled(&mut self, _mailbox: &str, _uid_validity: u32) -> Result<(), SinkError> {
        Ok(())
    }

    /// Hears, as it comes, what the server wants the user to know: a sanitised sentence part. The same stands in
    /// [`Summary::notes`], which a run that fails does not return.
    fn note(&mut self, _note: &str) {}
}

/// What the synchronisation is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// Reaching the server and logging in.
    #[default]
    Connecting,
    /// Finding out which messages there are.
    Listing,
    /// Fetching messages.
    Fetching,
    /// Handing messages to the store.
    Storing,
    /// Waiting before the next attempt to connect.
    Waiting,
    /// Everything is read; the server tells when something comes.
    Watching,
}

/// How far the synchronisation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Messages stored so far.
    pub messages_done: u64,
    /// Messages expected to be fetched; an upper bound until all are listed.
    pub messages_total: u64,
    /// Bytes received so far, everything counted.
    pub bytes: u64,
}

/// A message that could not be fetched. It is tried again by the next run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantined {
    /// Name of its mailbox, as configured.
    pub mailbox: String,
    /// Its UID, where known.
    pub uid: Option<u32>,
    /// One sentence part, sanitised.
    pub why: String,
}

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Messages in the mailbox.
    pub seen: u64,
    /// Messages handed to the sink.
    pub new: u64,
    /// Bytes of these messages.
    pub bytes: u64,
    /// Bytes received from the server, everything counted.
    pub received: u64,
    /// Messages that could not be fetched.
    pub quarantined: Vec<Quarantined>,
    /// The mailbox was made anew on the server: everything was fetched again.
    pub uid_validity_changed: bool,
    /// What the server said to the user, and oddities worth knowing: sanitised sentence parts.
    pub notes: Vec<String>,
}
