//! Faults made on purpose, so that tests can see what a real one would do to the terminal and to the rest of the
//! program (RELIABILITY R-33). Only the sample inbox can be started with one.

use std::sync::atomic::{AtomicBool, Ordering};

/// Where the program is to fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// In the thread of the screen, at the first key.
    Screen,
    /// In the store's worker, at the first request.
    Store,
    /// In the pull, at its begin.
    Pull,
}

impl Fault {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::Screen, Self::Store, Self::Pull];

    /// Its word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Store => "store",
            Self::Pull => "pull",
        }
    }
}

/// Fails once, at the place that was asked for.
#[derive(Debug, Default)]
pub struct Trap {
    at: Option<Fault>,
    sprung: AtomicBool,
}

impl Trap {
    /// What the message of the fault holds: a real one may quote a mail, so it must never be seen.
    pub const SECRET: &str = "words that nobody may see";

    /// A trap at this place, or none.
    pub const fn new(at: Option<Fault>) -> Self {
        Self { at, sprung: AtomicBool::new(false) }
    }

    /// Fails if the trap is here and has not failed yet.
    #[expect(clippy::panic, reason = "failing is its one purpose")]
    pub fn pass(&self, here: Fault) {
        if self.at == Some(here) && !self.sprung.swap(true, Ordering::SeqCst) {
            std::panic::panic_any(Self::SECRET);
        }
    }
}
