//! The one place that asks the time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time, or a fixed "as of" for evaluating clocks (`--now`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    fixed: Option<Timestamp>,
}

impl Clock {
    /// The system's time.
    pub const fn system() -> Self {
        Self { fixed: None }
    }

    /// Stands still at `at`.
    pub const fn fixed(at: Timestamp) -> Self {
        Self { fixed: Some(at) }
    }

    /// The time that clocks are evaluated at.
    pub fn now(&self) -> Timestamp {
        self.fixed.unwrap_or_else(Self::wall)
    }

    /// The zone of who reads: `TZ`, else the system's.
    pub fn zone() -> TimeZone {
        TimeZone::system()
    }

    /// The time that is written into the journal: always the system's, whatever `--now` says.
    #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
    pub fn wall() -> Timestamp {
        Timestamp::now()
    }
}
