//! Dates of header fields.
//!
//! Regular ones (RFC 5322 section 3.3) go through mailparse; outdated and broken forms are read here as far as
//! they make sense, and marked.

use jiff::civil;
use jiff::{Timestamp, tz::Offset};

/// A date as found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Found {
    pub at: Option<Timestamp>,
    /// Not in the form of RFC 5322: outdated form, impossible value, wrong weekday.
    pub odd: bool,
}

/// Longest date looked at, in bytes.
const BYTES_MAX: usize = 200;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads a date.
pub(super) fn read(value: &str) -> Found {
    let text = without_comments(crate::mail::display::head(value, BYTES_MAX));
    let text = text.trim();
    if let Some(weekday_fits) = is_regular(text) {
        // mailparse takes the zone for the seconds where these are left out.
        let has_seconds = text.matches(':').count() == 2;
        let second = has_seconds.then(|| mailparse::dateparse(text).ok()).flatten();
        let at = second.map_or_else(|| lenient(text), |second| Timestamp::from_second(second).ok());
        let odd =
            !weekday_fits || at.is_none() || value.len() > BYTES_MAX || has_inner_comment(value);
        return Found { at, odd };
    }
    Found { at: lenient(text), odd: true }
}

/// Whether a comment stands anywhere but at the end, where RFC 5322 allows it.
fn has_inner_comment(value: &str) -> bool {
    value.find('(').is_some_and(|open| {
        let tail = value.get(open..).unwrap_or_default();
        tail.rfind(')')
            .is_some_and(|close| !tail.get(close + 1..).unwrap_or_default().trim().is_empty())
            || !without_comments(tail).trim().is_empty()
    })
}

/// The text without (nested) comments; an open one swallows the rest.
pub(super) fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => {
                depth -= 1;
                out.push(' ');
            }
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// `Some(weekday fits)` for `[Thu, ]15 Oct 2026 10:00[:00] +0000` with values in range.
fn is_regular(text: &str) -> Option<bool> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (weekday, words) = match words.split_first()? {
        (first, rest) if first.ends_with(',') => (Some(first.trim_end_matches(',')), rest),
        _ => (None, words.as_slice()),
    };
    let [day, month, year, time, zone] = words else { return None };
    if year.len() != 4 || day.len() > 2 || !is_zone(zone) {
        return None;
    }
    let date = civil_date(day, month, year)?;
    let (hour, minute, second) = clock(time)?;
    // A leap second is in the grammar.
    civil::Time::new(hour, minute, second.min(59), 0).ok().filter(|_| second <= 60)?;
    let fits = weekday.is_none_or(|name| weekday_of(date).eq_ignore_ascii_case(name));
    Some(fits)
}

fn weekday_of(date: civil::Date) -> &'static str {
    let index = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
    DAYS.get(index).copied().unwrap_or_default()
}

/// `+hhmm` within the range that exists, or the zone names that are still common.
fn is_zone(zone: &str) -> bool {
    matches!(zone, "GMT" | "UT" | "UTC") || offset(zone).is_some_and(|_| zone.len() == 5)
}

fn offset(zone: &str) -> Option<Offset> {
    let seconds = match zone.to_ascii_uppercase().as_str() {
        "GMT" | "UT" | "UTC" | "Z" => 0,
        "EST" | "CDT" => -5 * 3600,
        "EDT" => -4 * 3600,
        "CST" | "MDT" => -6 * 3600,
        "MST" | "PDT" => -7 * 3600,
        "PST" => -8 * 3600,
        "CET" => 3600,
        "CEST" => 2 * 3600,
        _ => {
            let (sign, digits) = match zone.split_at_checked(1)? {
                ("+", digits) => (1, digits),
                ("-", digits) => (-1, digits),
                _ => return None,
            };
            let digits = digits.replace(':', "");
            if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let number: i32 = digits.parse().ok()?;
            if number > 1_400 || number % 100 > 59 {
                return None;
            }
            sign * (number / 100 * 3600 + number % 100 * 60)
        }
    };
    Offset::from_seconds(seconds).ok()
}

fn civil_date(day: &str, month: &str, year: &str) -> Option<civil::Date> {
    let month = month.get(..3)?.to_ascii_lowercase();
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let mut number: i16 = year.parse().ok()?;
    // RFC 5322 section 4.3.
    number = match year.len() {
        2 if number < 50 => number + 2000,
        2 | 3 => number + 1900,
        4 if number >= 1970 => number,
        _ => return None,
    };
    civil::Date::new(number, i8::try_from(month).ok()?, day.parse().ok()?).ok()
}

fn clock(time: &str) -> Option<(i8, i8, i8)> {
    let mut numbers = time.split([':', '.']).map(|n| n.parse::<i8>().ok().filter(|n| *n >= 0));
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().unwrap_or(Some(0))?;
    Some((hour, minute, second))
}

/// Outdated forms: two-digit years, no zone or a named one, the order of `asctime`, ISO 8601.
fn lenient(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let spaced = text.replace(',', " ").replace('-', " -").replace('+', " +");
    let words: Vec<&str> = spaced.split_ascii_whitespace().take(12).collect();
    let time_at = words.iter().position(|word| word.contains(':') && clock(word).is_some());
    let (hour, minute, second) =
        time_at.and_then(|at| words.get(at)).map_or(Some((0, 0, 0)), |word| clock(word))?;
    let rest: Vec<&str> = words
        .iter()
        .copied()
        .enumerate()
        .filter(|(at, _)| Some(*at) != time_at)
        .map(|(_, w)| w)
        .collect();
    let month_at = rest.iter().position(|word| {
        word.get(..3).is_some_and(|start| MONTHS.contains(&start.to_ascii_lowercase().as_str()))
    })?;
    let number = |word: &&&str| word.bytes().all(|b| b.is_ascii_digit());
    let month = rest.get(month_at)?;
    let before = month_at.checked_sub(1).and_then(|at| rest.get(at)).filter(number);
    let mut after = rest.get(month_at + 1..)?.iter().filter(number);
    let day = before.or_else(|| after.next())?;
    let date = civil_date(day, month, after.next()?)?;
    let time = civil::Time::new(hour, minute, second.min(59), 0).ok()?;
    let zone = rest.last().and_then(|word| offset(word)).unwrap_or(Offset::UTC);
    zone.to_timestamp(date.to_datetime(time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_regular_dates() {
        let at = "2026-10-15T08:00:00Z".parse::<Timestamp>().unwrap();
        for text in [
            "Thu, 15 Oct 2026 10:00:00 +0200",
            "15 Oct 2026 10:00 +0200",
            "Thu, 15 Oct 2026 10:00:00 +0200 (CEST)",
        ] {
            assert_eq!(read(text), Found { at: Some(at), odd: false }, "{text}");
        }
    }

    #[test]
    fn reads_odd_dates_and_says_so() {
        for (text, at) in [
            ("Thu, 15 Oct 26 10:00 GMT", Some("2026-10-15T10:00:00Z")),
            ("Thu, 15 Oct 2026 10:00:00", Some("2026-10-15T10:00:00Z")),
            ("Thu Oct 15 10:00:00 2026", Some("2026-10-15T10:00:00Z")),
            ("Thu, 15 Oct 2026 10:00:00 (a (b)) +0200 (x)", Some("2026-10-15T08:00:00Z")),
            ("2026-10-15T10:00:00Z", Some("2026-10-15T10:00:00Z")),
            ("Fri, 15 Oct 2026 10:00:00 +0000", Some("2026-10-15T10:00:00Z")),
            ("Thu, 15 Oct 2026 10:00:00 +2400", Some("2026-10-15T10:00:00Z")),
            ("Thu, 32 Oct 2026 10:00:00 +0000", None),
            ("Thu, 1 Jan 0000 00:00:00 +0000", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let found = read(text);
            assert!(found.odd, "{text}");
            assert_eq!(found.at.map(|at| at.to_string()).as_deref(), at, "{text}");
        }
    }
}
