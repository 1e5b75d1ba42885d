//! The pull as the screen knows it: its state in words, starting, watching and stopping it, and the password that
//! it may have to ask for.

use std::fmt;

use zeroize::Zeroizing;

use super::prompt::Asking;
use super::run::key;
use super::{Effect, Model, Tone};
use crate::command::Command;

/// What a pull is doing.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum SyncState {
    /// No account is configured.
    #[default]
    Off,
    /// Nothing is running; the words say when and how the last pull ended.
    Idle(String),
    /// The server tells when something comes; the words say how things are.
    Watching(String),
    /// Running.
    Running {
        /// What it does at present.
        phase: String,
        /// Messages fetched.
        done: u64,
        /// Messages to fetch, once known.
        total: Option<u64>,
        /// Bytes fetched.
        bytes: u64,
        /// How fast, once that can be told.
        pace: Option<Pace>,
    },
}

/// How fast a pull is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Bytes in a second, on average since fetching began.
    pub bytes_per_second: u64,
    /// Seconds until all known messages are here, if it goes on like that.
    pub seconds_left: u64,
}

impl SyncState {
    /// In a few words, such as `pulling 300/10000, 4 MB, 12 MB/s, 11s left`.
    pub fn words(&self) -> String {
        match self {
            Self::Off => "offline".into(),
            Self::Idle(words) | Self::Watching(words) => words.clone(),
            Self::Running { phase, done, total, bytes, pace } => {
                let of = total.map_or_else(String::new, |total| format!("/{total}"));
                let pace = pace.map_or_else(String::new, |pace| {
                    let rate = size_words(pace.bytes_per_second);
                    format!(", {rate}/s, {} left", time_words(pace.seconds_left))
                });
                format!("{phase} {done}{of}, {}{pace}", size_words(*bytes))
            }
        }
    }
}

/// A number of bytes, short.
pub fn size_words(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// A time in the largest unit that is not too rough, rounded up.
fn time_words(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds}s"),
        100..6_000 => format!("{}m", seconds.div_ceil(60)),
        _ => format!("{}h", seconds.div_ceil(3_600)),
    }
}

/// Longest password in bytes; room for it is taken at once, so that growing leaves no copy behind.
const MAX_PASSWORD: usize = 4_096;

/// A password as it is typed. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Default for Password {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(MAX_PASSWORD)))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Password {
    /// Takes what was typed or pasted; line ends and what goes beyond the longest password are left out.
    pub fn push(&mut self, text: &str) {
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            if self.0.len() + letter.len_utf8() <= MAX_PASSWORD {
                self.0.push(letter);
            }
        }
    }

    /// Takes the last letter back.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Takes everything back.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The password itself, for whoever logs in with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Starts a pull, or says why there is none to start. With `watch` it goes on by waiting for new mail.
pub(super) fn start(model: &mut Model, watch: bool) {
    let cancel = key(model, Command::CancelSync);
    match model.sync {
        SyncState::Off => model.say(
            Tone::Note,
            "no account is configured; everything here works offline, `casebook init` sets one up",
        ),
        _ if model.read_only => {
            model.say(Tone::Note, "a pull writes to the store, which was opened read-only");
        }
        SyncState::Watching(_) => {
            model.say(Tone::Note, format!("new mail comes by itself; {cancel} stops that"));
        }
        SyncState::Running { .. } => {
            model.say(Tone::Note, format!("a pull is running; {cancel} stops it"));
        }
        SyncState::Idle(_) => match model.ask_password.clone() {
            Some(of) => model.ask(Asking::Password { of, watch }, ""),
            None => model.push(Effect::StartSync { watch, password: None }),
        },
    }
}

/// Starts the pull that asked for the password.
pub(super) fn with_password(model: &mut Model, password: Password, watch: bool) {
    if password.is_empty() {
        return model.say(Tone::Note, "no password was typed; local mail stays usable");
    }
    model.ask_password = None;
    model.push(Effect::StartSync { watch, password: Some(password) });
}

/// Stops the pull or the watch.
pub(super) fn cancel(model: &mut Model) {
    if matches!(model.sync, SyncState::Running { .. } | SyncState::Watching(_)) {
        model.push(Effect::CancelSync);
    } else {
        let sync = key(model, Command::Sync);
        model.say(Tone::Note, format!("no pull is running; {sync} starts one"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_in_words() {
        let mut state = SyncState::Running {
            phase: "pulling".into(),
            done: 300,
            total: Some(10_000),
            bytes: 4_200_000,
            pace: None,
        };
        assert_eq!(state.words(), "pulling 300/10000, 4200 kB");
        if let SyncState::Running { pace, .. } = &mut state {
            *pace = Some(Pace { bytes_per_second: 12_300_000, seconds_left: 130 });
        }
        assert_eq!(state.words(), "pulling 300/10000, 4200 kB, 12 MB/s, 3m left");
    }

    #[test]
    fn a_password_is_bounded_and_never_printed() {
        let mut password = Password::default();
        password.push("hunter2\r\n");
        assert_eq!((password.expose(), format!("{password:?}").as_str()), ("hunter2", "***"));
        let room = password.0.capacity();
        password.push(&"x".repeat(10_000));
        assert_eq!((password.expose().len(), password.0.capacity()), (MAX_PASSWORD, room));
        password.clear();
        assert!(password.is_empty());
    }
}
