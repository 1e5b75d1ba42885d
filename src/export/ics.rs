//! Clocks as an iCalendar file (RFC 5545), for the calendar of one's own.
//!
//! An entry says case id and clock and nothing else of a case: calendars are shared. Times are in UTC, so that no rule of
//! summer time can move them; the same clock keeps its UID, so that a calendar moves its entry instead of adding one.

use jiff::Timestamp;

/// Who made the file (RFC 5545 §3.7.3).
pub const PRODUCT: &str = "-//casebook//deadlines//EN";

/// Most bytes of a line without its end (RFC 5545 §3.1).
const LINE: usize = 75;

/// One clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The case.
    pub case: String,
    /// Which clock.
    pub kind: String,
    /// When it ends.
    pub due: Timestamp,
}

/// The calendar. `now` is the time stamp of every entry.
pub fn write(entries: &[Entry], now: Timestamp) -> String {
    let mut out = String::new();
    let mut line = |text: &str| fold(text, &mut out);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line(&format!("PRODID:{}", text(PRODUCT)));
    line("CALSCALE:GREGORIAN");
    line("METHOD:PUBLISH");
    for entry in entries {
        line("BEGIN:VEVENT");
        line(&format!("UID:{}", text(&format!("{}-{}@casebook", entry.case, entry.kind))));
        line(&format!("DTSTAMP:{}", utc(now)));
        line(&format!("DTSTART:{}", utc(entry.due)));
        line(&format!("SUMMARY:{}", text(&format!("{}: {}", entry.case, entry.kind))));
        line("CLASS:PRIVATE");
        // It takes none of anybody's time.
        line("TRANSP:TRANSPARENT");
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    out
}

/// Whether a file is one that [`write()`] has made, which may be written anew.
pub fn is_ours(file: &str) -> bool {
    file.starts_with("BEGIN:VCALENDAR\r\n") && file.contains(&format!("\r\nPRODID:{PRODUCT}\r\n"))
}

/// A time in UTC (RFC 5545 §3.3.5, form 2); a part of a second is dropped.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A value of type TEXT (RFC 5545 §3.3.11); control characters are no part of one.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' | ';' | ',' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            _ if letter.is_control() => {}
            _ => out.push(letter),
        }
    }
    out
}

/// Adds a content line, folded so that no line has more than 75 bytes and no letter is cut (RFC 5545 §3.1).
fn fold(line: &str, out: &mut String) {
    let mut room = LINE;
    for letter in line.chars() {
        if letter.len_utf8() > room {
            out.push_str("\r\n ");
            room = LINE - 1;
        }
        out.push(letter);
        room -= letter.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn entry(case: &str, kind: &str) -> Entry {
        Entry { case: case.into(), kind: kind.into(), due: at("2026-03-29T01:30:00.5+01:00") }
    }

    /// Lines after unfolding.
    fn lines(file: &str) -> Vec<String> {
        file.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn an_entry_has_what_calendars_ask_for() {
        let file = write(&[entry("xkcdqrst", "acknowledge")], at("2026-03-01T00:00:00Z"));
        assert_eq!(
            lines(&file),
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//casebook//deadlines//EN",
                "CALSCALE:GREGORIAN",
                "METHOD:PUBLISH",
                "BEGIN:VEVENT",
                "UID:xkcdqrst-acknowledge@casebook",
                "DTSTAMP:20260301T000000Z",
                "DTSTART:20260329T003000Z",
                "SUMMARY:xkcdqrst: acknowledge",
                "CLASS:PRIVATE",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
                "END:VCALENDAR"
            ]
        );
        assert!(is_ours(&file) && is_ours(&write(&[], at("2026-03-01T00:00:00Z"))));
        assert!(!is_ours("") && !is_ours("BEGIN:VCALENDAR\r\nPRODID:other\r\n"));
    }

    #[test]
    fn a_clock_that_moved_keeps_its_name() {
        let uid = |file: String| lines(&file).into_iter().find(|line| line.starts_with("UID:"));
        let moved = Entry { due: at("2027-01-01T00:00:00Z"), ..entry("a", "b") };
        let (one, other) = (at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
        assert_eq!(uid(write(&[entry("a", "b")], one)), uid(write(&[moved], other)));
    }

    proptest! {
        #[test]
        fn lines_stay_short_and_whole(case in any::<String>(), kind in "[a-z\u{e0}-\u{ff}\u{1f600}]{0,200}") {
            let file = write(&[entry(&case, &kind)], Timestamp::UNIX_EPOCH);
            prop_assert!(file.ends_with("\r\n"));
            let bare = file.replace("\r\n", "");
            prop_assert!(!bare.chars().any(char::is_control));
            prop_assert!(file.split("\r\n").all(|line| line.len() <= LINE));
            let unfolded = lines(&file);
            prop_assert_eq!(unfolded.len(), 14);
            let shown = text(&format!("{case}: {kind}"));
            prop_assert_eq!(unfolded[9].strip_prefix("SUMMARY:"), Some(&*shown));
        }
    }
}
