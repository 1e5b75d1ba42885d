//! What the guard and the session tell each other.
//!
//! Owns: the bytes of messages that the library does not get, what is sent in place of what it writes, and what
//! the guard overheard. Read next: [`super::guard`].

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zeroize::Zeroizing;

/// Most notes kept per connection.
const MOST_NOTES: usize = 50;
/// Length of a token: NUL and eight hexadecimal digits.
pub(super) const TOKEN: usize = 9;

/// What the guard puts aside while an answer is read.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    pub(super) literals: Vec<Vec<u8>>,
    /// Sentences of the server that the user should see.
    pub notes: Vec<String>,
    /// UIDs, where known, of FETCH answers that could not be read.
    pub unreadable: Vec<Option<u32>>,
    /// Text of the last tagged answer, sanitised, with its non-ASCII characters.
    pub last_text: String,
    /// Offset given with the last body section, if any (RFC 3501 section 7.4.2).
    pub origin: Option<u32>,
    /// What the server last said it can do, in upper case.
    pub capabilities: Option<Vec<String>>,
    pub(super) literal_limit: u64,
    pub(super) budget: u64,
    pub(super) swap: Option<Swap>,
    pub(super) ahead: Vec<u8>,
    /// Whether the command sent ahead of the last one was granted; `None` without an answer.
    pub granted: Option<bool>,
    pub(super) idle: Option<Idle>,
}

/// A wait for news.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// When it ends without any.
    pub until: Instant,
    /// The server has agreed to it.
    pub on: bool,
    /// There is news.
    pub news: bool,
}

/// Tag of a command that is sent ahead; the library's begin with another letter.
pub(super) const AHEAD: &str = "e1";

/// What to send in place of what the library writes.
pub(super) struct Swap {
    pub stand_in: Vec<u8>,
    pub real: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Swap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The guard's side table and counter, shared with the session that uses the guarded stream.
#[derive(Debug, Default)]
pub(crate) struct Tray {
    aside: Mutex<Aside>,
    pub(super) received: Arc<AtomicU64>,
}

impl Tray {
    /// A tray that counts received bytes into `received`.
    pub fn counting(received: Arc<AtomicU64>) -> Self {
        Self { aside: Mutex::default(), received }
    }

    /// Starts a command: forgets what the last one left and sets the bounds for its whole answer.
    pub fn begin(&self, literal_limit: u64, budget: u64) {
        let mut aside = self.lock();
        aside.literals.clear();
        aside.unreadable.clear();
        aside.last_text.clear();
        aside.origin = None;
        (aside.literal_limit, aside.budget) = (literal_limit, budget);
    }

    /// The side table. Hold it only for a moment: the guard needs it to read.
    pub fn lock(&self) -> MutexGuard<'_, Aside> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside {
    /// The bytes behind what the library takes for a string: the literal a token stands for, taken out of the
    /// table, or the string itself.
    pub fn resolve(&mut self, text: &[u8]) -> Vec<u8> {
        let index = match text.strip_prefix(&[0]) {
            Some(digits) if text.len() == TOKEN => std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| usize::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        match index.and_then(|index| self.literals.get_mut(index)) {
            Some(literal) => std::mem::take(literal),
            None => text.to_vec(),
        }
    }

    /// Once, in place of `stand_in`, `real` goes over the wire: so the library never sees the secret, of which
    /// it would leave copies in memory.
    pub fn swap(&mut self, stand_in: &[u8], real: Zeroizing<Vec<u8>>) {
        self.swap = Some(Swap { stand_in: stand_in.to_vec(), real });
    }

    /// Sends this command in front of the next one, in the same write; its answer does not reach the library,
    /// see `granted`. So two commands cost one round trip.
    pub fn send_ahead(&mut self, command: &str) {
        self.ahead = format!("{AHEAD} {command}\r\n").into_bytes();
        self.granted = None;
    }

    /// Makes the next command, which must be IDLE (RFC 2177), end as soon as there is news or the time has come.
    pub fn idle_until(&mut self, until: Instant) {
        self.idle = Some(Idle { until, on: false, news: false });
    }

    /// Wipes what was to be sent.
    pub fn forget_swap(&mut self) {
        self.swap = None;
    }

    /// Keeps a sentence for the user, as long as there are not too many.
    pub fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
