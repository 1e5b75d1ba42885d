//! The mails of the sample inbox, and their rendering for a given instant.
//!
//! Owns: the embedded templates, how old each mail is, the placeholders. Absent on purpose: the clock
//! (`now` is an argument), the server that hands the mails out, chance (same instant, same bytes).
//! All people, ids and vulnerabilities in them are invented. Read next: `demo/mails/*.eml`.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `@DATE@`, `@DATE+0200@` | the Date of the mail (RFC 5322 section 3.3), in UTC or at that offset |
//! | `@RECEIVED@` | when the server took it: the internal date, in the same form |
//! | `@DAY+30@`, `@DAY-1@` | a day so far from the internal date, as `YYYY-MM-DD` |
//!
//! Anything else between two at signs stays as it is.

use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// One mail of the sample inbox before rendering.
#[derive(Clone, Copy, Debug)]
pub struct SampleMail {
    /// Unique name, the stem of its file.
    pub name: &'static str,
    /// Age at the instant of rendering, in minutes.
    pub age_minutes: u32,
    /// The mail with placeholders, LF line ends.
    pub template: &'static [u8],
    /// Whether the mailbox shows it as read.
    pub seen: bool,
}

/// One mail of the sample inbox, ready to be served.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// Name of the [`SampleMail`].
    pub name: &'static str,
    /// The raw mail, CRLF line ends.
    pub raw: Vec<u8>,
    /// When the server took it, whole seconds.
    pub internal_date: Timestamp,
    /// Whether the mailbox shows it as read.
    pub seen: bool,
}

impl std::fmt::Debug for RenderedMail {
    /// Sizes only, as for every mail.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RenderedMail({}, {} bytes)", self.name, self.raw.len())
    }
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

/// Seconds between a mail's Date and its arrival.
const TRANSIT_SECONDS: i64 = 4;

/// Longest placeholder name looked for, in bytes between the at signs.
const PLACEHOLDER_MAX: usize = 12;

macro_rules! sample {
    ($name:literal, $age:expr, $seen:literal) => {
        SampleMail {
            name: $name,
            age_minutes: $age,
            template: include_bytes!(concat!("mails/", $name, ".eml")),
            seen: $seen,
        }
    };
}

/// Every mail of the sample inbox, oldest first.
///
/// Ages are chosen so that every clock state is on show: response running, due soon, overdue and met;
/// embargo running, near its end and over.
pub const SAMPLES: &[SampleMail] = &[
    sample!("ai-disclosed", 100 * DAY, true),
    sample!("ai-disclosed-our-reply", 98 * DAY, true),
    sample!("ai-disclosed-bounce", 98 * DAY - 2, true),
    sample!("cancel-german", 85 * DAY, true),
    sample!("cancel-german-our-reply", 83 * DAY, true),
    sample!("cancel-german-auto-reply", 83 * DAY - 1, true),
    sample!("third-party-html", 29 * DAY, true),
    sample!("malicious-plugin", 17 * DAY + 3 * HOUR, true),
    sample!("old-version", 14 * DAY, true),
    sample!("old-version-our-reply", 13 * DAY, true),
    sample!("permission-print", 12 * DAY + 7 * HOUR, true),
    sample!("permission-print-our-reply", 11 * DAY, true),
    sample!("beg-bounty", 9 * DAY + 11 * HOUR, true),
    sample!("admin-ffmpeg", 8 * DAY + 5 * HOUR, true),
    sample!("self-xss", 6 * DAY + 4 * HOUR, true),
    sample!("permission-print-follow-up", 6 * DAY, true),
    sample!("timelapse-range", 5 * DAY + 13 * HOUR, true),
    sample!("cert", 4 * DAY + 9 * HOUR, true),
    sample!("made-up", 4 * DAY + 40, true),
    sample!("langpack", 3 * DAY + 6 * HOUR, true),
    sample!("permission-print-hijack", 3 * DAY, true),
    sample!("hostile-spam", 2 * DAY + 3 * HOUR, false),
    sample!("permission-print-duplicate", 2 * DAY, false),
    sample!("scanner", DAY + 20 * HOUR, false),
    sample!("mitm-japanese", DAY + 12 * HOUR, false),
    sample!("ghsa-1", DAY + 6 * HOUR, false),
    sample!("internet-exposed", DAY + 2 * HOUR, false),
    sample!("fork", 20 * HOUR, false),
    sample!("encrypted", 6 * HOUR + 15, false),
    sample!("old-version-outlook", 5 * HOUR, false),
    sample!("ghsa-2", 4 * HOUR + 10, false),
    sample!("app-keys-screenshot", 95, false),
    sample!("damaged-support", 50, false),
    sample!("spam-seo", 12, false),
];

/// Renders the sample inbox as it is at `now`, in the order of [`SAMPLES`].
pub fn render(now: Timestamp) -> Vec<RenderedMail> {
    SAMPLES.iter().map(|sample| render_one(sample, now)).collect()
}

fn render_one(sample: &SampleMail, now: Timestamp) -> RenderedMail {
    // IMAP's INTERNALDATE and RFC 5322 know whole seconds only.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let internal_date = before(now, i64::from(sample.age_minutes) * 60);
    RenderedMail {
        name: sample.name,
        raw: with_crlf(&fill(sample.template, internal_date)),
        internal_date,
        seen: sample.seen,
    }
}

fn before(instant: Timestamp, seconds: i64) -> Timestamp {
    instant.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}

/// Replaces every placeholder.
fn fill(template: &[u8], received: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(template.len() + 128);
    let mut rest = template;
    while let Some(start) = rest.iter().position(|&byte| byte == b'@') {
        let (head, tail) = rest.split_at(start);
        out.extend_from_slice(head);
        let after = tail.get(1..).unwrap_or_default();
        match placeholder(after, received) {
            Some((value, length)) => {
                out.extend_from_slice(value.as_bytes());
                rest = after.get(length + 1..).unwrap_or_default();
            }
            None => {
                out.push(b'@');
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Value of the placeholder that `text` begins with, and the length of its name without at signs.
fn placeholder(text: &[u8], received: Timestamp) -> Option<(String, usize)> {
    let length = text.iter().take(PLACEHOLDER_MAX + 1).position(|&byte| byte == b'@')?;
    let name = std::str::from_utf8(text.get(..length)?).ok()?;
    let value = if name == "RECEIVED" {
        rfc5322(received, Offset::UTC)?
    } else if let Some(offset) = name.strip_prefix("DATE") {
        rfc5322(before(received, TRANSIT_SECONDS), zone_offset(offset)?)?
    } else {
        day(name.strip_prefix("DAY")?, received)?
    };
    Some((value, length))
}

/// Reads `+0530`; the empty text is UTC.
fn zone_offset(text: &str) -> Option<Offset> {
    if text.is_empty() {
        return Some(Offset::UTC);
    }
    let number = signed(text).filter(|_| text.len() == 5)?;
    let seconds = number / 100 * 3600 + number % 100 * 60;
    Offset::from_seconds(seconds).ok()
}

/// Reads a number that has a sign.
fn signed(text: &str) -> Option<i32> {
    text.starts_with(['+', '-']).then(|| text.parse().ok())?
}

/// The day that lies `distance` (such as `+30`) days from `received`, in UTC.
fn day(distance: &str, received: Timestamp) -> Option<String> {
    let days = signed(distance)?;
    let shifted = before(received, -i64::from(days) * 86_400);
    Some(shifted.to_zoned_datetime(TimeZone::UTC).date().to_string())
}

fn rfc5322(instant: Timestamp, offset: Offset) -> Option<String> {
    rfc2822::to_string(&instant.to_zoned_datetime(offset.to_time_zone())).ok()
}

/// Makes every line end CRLF, whichever it was: a checkout may have changed them.
fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    let mut last = 0;
    for &byte in text {
        if byte == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        last = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: &str = "2026-11-24T09:30:15.250Z";

    fn rendered() -> Vec<RenderedMail> {
        render(NOW.parse().unwrap())
    }

    fn field<'a>(raw: &'a [u8], name: &str) -> &'a str {
        let head = raw.split(|&byte| byte == b'\n').take_while(|line| *line != b"\r");
        let prefix = format!("{name}: ");
        let line = head.filter_map(|line| line.strip_prefix(prefix.as_bytes())).next().unwrap();
        std::str::from_utf8(line).unwrap().trim_end()
    }

    #[test]
    fn names_are_unique_and_ages_fall() {
        let names: HashSet<_> = SAMPLES.iter().map(|sample| sample.name).collect();
        assert_eq!(names.len(), SAMPLES.len());
        assert!(SAMPLES.len() >= 24);
        assert!(SAMPLES.windows(2).all(|pair| pair[0].age_minutes > pair[1].age_minutes));
    }

    #[test]
    fn every_template_file_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/runtime/demo/mails");
        let files: HashSet<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let named = SAMPLES.iter().map(|sample| format!("{}.eml", sample.name)).collect();
        assert_eq!(files, named);
    }

    #[test]
    fn every_sample_is_labelled() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/labels.toml"));
        let table: toml::Table = text.parse().unwrap();
        let labelled: Vec<_> = table["mail"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mail| mail["file"].as_str().unwrap().trim_end_matches(".eml"))
            .collect();
        let named: Vec<_> = SAMPLES.iter().map(|sample| sample.name).collect();
        assert_eq!(labelled, named);
    }

    #[test]
    fn message_ids_are_unique() {
        let mails = rendered();
        let ids: HashSet<_> = mails.iter().map(|mail| field(&mail.raw, "Message-ID")).collect();
        assert_eq!(ids.len(), mails.len());
    }

    #[test]
    fn no_placeholder_is_left() {
        for mail in rendered() {
            for name in ["@DATE", "@DAY", "@RECEIVED"] {
                let found = mail.raw.windows(name.len()).any(|part| part == name.as_bytes());
                assert!(!found, "{name} in {}", mail.name);
            }
        }
    }

    #[test]
    fn line_ends_are_crlf_only() {
        for mail in rendered() {
            let mut before = 0;
            for &byte in &mail.raw {
                assert_eq!(byte == b'\n', before == b'\r', "bare CR or LF in {}", mail.name);
                assert_ne!(byte, 0, "an IMAP literal has no NUL: {}", mail.name);
                before = byte;
            }
            assert_ne!(before, b'\r', "{}", mail.name);
        }
        assert_eq!(with_crlf(b"a\r\nb\nc"), b"a\r\nb\r\nc");
    }

    #[test]
    fn dates_are_valid_and_precede_arrival() {
        let parser = rfc2822::DateTimeParser::new();
        let now: Timestamp = NOW.parse().unwrap();
        for (mail, sample) in rendered().iter().zip(SAMPLES) {
            let date = parser.parse_timestamp(field(&mail.raw, "Date")).unwrap();
            let text = String::from_utf8_lossy(&mail.raw).into_owned();
            let stamp = text.split_once("; ").unwrap().1.lines().next().unwrap();
            let received = parser.parse_timestamp(stamp).unwrap();
            assert_eq!(received, mail.internal_date, "{}", mail.name);
            assert_eq!(received.as_second() - date.as_second(), TRANSIT_SECONDS, "{}", mail.name);
            let age = now.as_second() - received.as_second();
            assert_eq!(age, i64::from(sample.age_minutes) * 60, "{}", mail.name);
        }
    }

    #[test]
    fn rendering_is_the_same_every_time() {
        assert_eq!(rendered(), rendered());
    }

    #[test]
    fn placeholders_fill_and_all_else_stays() {
        let received = "2026-03-01T00:00:02Z".parse().unwrap();
        let filled = |text: &str| String::from_utf8(fill(text.as_bytes(), received)).unwrap();
        assert_eq!(filled("@RECEIVED@"), "Sun, 1 Mar 2026 00:00:02 +0000");
        assert_eq!(filled("@DATE@"), "Sat, 28 Feb 2026 23:59:58 +0000");
        assert_eq!(filled("@DATE+0530@."), "Sun, 1 Mar 2026 05:29:58 +0530.");
        assert_eq!(filled("@DATE-0330@"), "Sat, 28 Feb 2026 20:29:58 -0330");
        assert_eq!(filled("a@DAY-1@b @DAY+30@"), "a2026-02-28b 2026-03-31");
        for same in ["a@b.example", "@", "@@", "@DATE", "@DATE+1@", "@DAY@", "@DAY1@", "x@DAYS@y"] {
            assert_eq!(filled(same), same);
        }
    }
}
