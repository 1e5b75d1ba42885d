//! Date stamps: lines that say only when a text was last changed. They are no rule, and a new date changes none.

use std::sync::LazyLock;

use regex::Regex;

/// A date as people and site generators write it.
const DATE: &str = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}|(?:\d{1,2}(?:st|nd|rd|th)?\.? )?(?:january|february|march|april|may|june|july|august|september|october|november|december)(?: \d{1,2}(?:st|nd|rd|th)?)?,? \d{4}|\{\{[^{}]*\}\})";

/// A stamp: who, a verb of changing, a date, and nothing else but marks and a time of day.
static STAMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let marks = r"(?:<[^<>]*>|[*_()\[\]\s])*";
    let what =
        "(?:this |the )?(?:(?:document|page|policy|text|file|version) )?(?:(?:was|is|has been) )?";
    let verb =
        "(?:last[ -])?(?:updated?|modified|changed|revised|revision|reviewed|edited|version|date)";
    let rest =
        r"[\s,]*(?:at )?(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*(?:z|utc|gmt|[+-]\d{2}:?\d{2})?[.!\s]*";
    let pattern =
        format!("(?i)^{marks}{what}{verb}[*_]*:?(?: on| at| of)?[*_]*:?\\s*({DATE}){rest}{marks}$");
    Regex::new(&pattern).ok()
});

/// Longest stamp, in bytes.
const MAX_BYTES: usize = 200;

/// The words of a stamp without its date, and the date as `2026-06-02` where it is written so. `None` for anything
/// else: a rule that holds a date is a rule.
pub(super) fn without_date(sentence: &str) -> Option<(String, Option<String>)> {
    let pattern = STAMP.as_ref().filter(|_| sentence.len() <= MAX_BYTES)?;
    let date = pattern.captures(sentence)?.get(1)?;
    if date.as_str().starts_with('{') {
        // What a site generator fills in is the same in every version.
        return Some((sentence.to_owned(), None));
    }
    let mut words = sentence.get(..date.start())?.to_owned();
    words.push('#');
    Some((words, iso(date.as_str())))
}

/// The date of a line of the front matter, such as `lastupdate: 2025-05-21 11:30:00 +0200`.
pub(super) fn front_matter_date(line: &str) -> Option<String> {
    let (key, value) = line.split_once(':')?;
    let key: String = key.chars().filter(char::is_ascii_alphabetic).collect();
    let keys = ["lastupdate", "lastupdated", "lastmodified", "lastmod", "updated", "date"];
    let named = keys.contains(&key.to_ascii_lowercase().as_str());
    named.then(|| iso(value.trim().trim_matches(['"', '\'']))).flatten()
}

/// The day at the start of a text, if it is one of the calendar.
fn iso(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    day.parse::<jiff::civil::Date>().ok().map(|_| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_told_from_rules() {
        for (stamp, date) in [
            ("Last updated: 2026-06-02", Some("2026-06-02")),
            ("**Last updated:** 2026-06-02 11:30:00 +0200.", Some("2026-06-02")),
            ("_This policy was last revised on June 2nd, 2026._", None),
            ("(Version of 2 June 2026)", None),
            ("<em>This page was last updated on {{ page.date | date: \"%Y\" }}.</em>", None),
            ("Last modified 02.06.2026 at 9:15 UTC", None),
        ] {
            let (words, found) = without_date(stamp).expect(stamp);
            assert_eq!(found.as_deref(), date, "{stamp}");
            assert!(!words.contains("2026"), "{words}");
        }
        for rule in [
            "Reports against versions last updated on 2026-06-02 or earlier are not accepted.",
            "Updated versions are released within 7 days.",
            "Date: any day",
            "Since 2026-06-02 we answer within 14 days.",
            "Last updated on 2026-06-02 we only accept reports by mail",
        ] {
            assert_eq!(without_date(rule), None, "{rule}");
        }
    }

    #[test]
    fn the_front_matter_may_name_the_day() {
        let date = |line| front_matter_date(line);
        assert_eq!(date("lastupdate: 2025-05-21 11:30:00 +0200").as_deref(), Some("2025-05-21"));
        assert_eq!(date("last_updated: \"2025-05-21\"").as_deref(), Some("2025-05-21"));
        assert_eq!(date("lastupdate: soon"), None);
        assert_eq!(date("title: 2025-05-21"), None);
        assert_eq!(date("date: 2025-13-41"), None);
    }
}
