//! A date in an advisory: a day, or an instant.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// A day as published, or an instant where the time of day is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DraftDate {
    /// A day; formats that want an instant get its midnight in UTC.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

impl DraftDate {
    /// Reads `2026-06-23` or an RFC 3339 instant; `None` for anything else or for years outside 1900 to 2999,
    /// which the CVE schema refuses.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let date = if text.len() == 10 {
            Self::Day(text.parse().ok()?)
        } else {
            Self::Instant(text.parse().ok()?)
        };
        (1900..=2999).contains(&date.day().year()).then_some(date)
    }

    /// The instant that it is sorted by and that formats with a time get.
    pub fn instant(&self) -> Timestamp {
        match self {
            // Every day of the years that `parse` lets in is a timestamp in UTC.
            Self::Day(day) => TimeZone::UTC
                .to_timestamp(day.to_datetime(Time::midnight()))
                .unwrap_or(Timestamp::UNIX_EPOCH),
            Self::Instant(at) => *at,
        }
    }

    /// The day in UTC.
    pub fn day(&self) -> Date {
        match self {
            Self::Day(day) => *day,
            Self::Instant(at) => TimeZone::UTC.to_datetime(*at).date(),
        }
    }

    /// For people, with its zone: `2026-06-23 18:00 UTC`. Seconds stand there only where they are not zero.
    pub fn with_zone(&self) -> String {
        let at = self.instant();
        let whole = at.as_second().rem_euclid(60) == 0;
        at.strftime(if whole { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d %H:%M:%S UTC" }).to_string()
    }

    /// RFC 3339 in UTC with `Z`.
    pub fn rfc3339(&self) -> String {
        self.instant().to_string()
    }
}

impl fmt::Display for DraftDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Instant(at) => at.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_survive_their_own_text() {
        for text in ["2026-06-23", "2024-04-22T15:14:59.166Z"] {
            assert_eq!(DraftDate::parse(text).expect("readable").to_string(), text);
        }
        assert_eq!(DraftDate::parse("2024-05-14").expect("day").rfc3339(), "2024-05-14T00:00:00Z");
        for text in ["", "yesterday", "2024-13-01", "2024-05-14T00:00:00"] {
            assert_eq!(DraftDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_folded_to_utc() {
        let date = DraftDate::parse("2024-05-14T01:00:00+02:00").expect("instant");
        assert_eq!(date.rfc3339(), "2024-05-13T23:00:00Z");
    }
}
