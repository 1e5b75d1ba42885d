//! Targets of links, in text and HTML: what they claim and what they are.

use crate::mail::Warning;

use super::Report;

/// Longest target looked at, in bytes.
const TARGET_BYTES_MAX: usize = 2_000;
/// Schemes that run something or show content made by the link itself.
const RUNNING: [&str; 4] = ["javascript:", "vbscript:", "data:text/html", "data:application"];
/// Links looked at in one text.
const LINKS_MAX: usize = 5_000;

/// Marks a link target in HTML that runs something, reads as an option or hides its host.
pub(super) fn inspect_target(target: &str, report: &mut Report) {
    let target: String = crate::mail::display::head(target, TARGET_BYTES_MAX)
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect();
    let lower = target.to_ascii_lowercase();
    if target.starts_with('-')
        || RUNNING.iter().any(|scheme| lower.starts_with(scheme))
        || lower.starts_with("file:")
    {
        report.warn(Warning::Active);
    }
    if let Some((_, after)) = lower.split_once("://")
        && has_misleading_user(after)
    {
        report.warn(Warning::LinkMismatch);
    }
    if lower.starts_with("mailto:") {
        inspect_mailto(&lower, report);
    }
}

/// Looks through a plain text for links that mislead or act, and for terminal hyperlinks (OSC 8).
pub(super) fn inspect_text(text: &str, report: &mut Report) {
    for (at, _) in text.match_indices("://").take(LINKS_MAX) {
        if has_misleading_user(window(text, at + 3)) {
            report.warn(Warning::LinkMismatch);
        }
    }
    for (at, _) in text.match_indices(':').take(20 * LINKS_MAX) {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        let runs = ends_with_word(before, b"javascript")
            || ends_with_word(before, b"vbscript")
            || (ends_with_word(before, b"data") && starts_with(text, at + 1, "text/html"));
        if runs {
            report.warn(Warning::Active);
        } else if ends_with_word(before, b"mailto") {
            let target = window(text, at + 1);
            let end = target
                .find(|c: char| c.is_whitespace() || matches!(c, '>' | '"'))
                .unwrap_or(target.len());
            inspect_mailto(&target.get(..end).unwrap_or_default().to_ascii_lowercase(), report);
        }
    }
    inspect_terminal_links(text, report);
}

fn window(text: &str, from: usize) -> &str {
    crate::mail::display::head(text.get(from..).unwrap_or_default(), TARGET_BYTES_MAX)
}

fn starts_with(text: &str, from: usize, word: &str) -> bool {
    text.get(from..from + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

fn ends_with_word(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .len()
        .checked_sub(word.len())
        .and_then(|from| bytes.get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// `octoprint.org@evil.example`: user information that reads as a host, or is encoded.
fn has_misleading_user(after_scheme: &str) -> bool {
    let end = after_scheme
        .find(|c: char| {
            c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | ')' | ']')
        })
        .unwrap_or(after_scheme.len());
    let authority = after_scheme.get(..end).unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, host)| {
        let name = user.split(':').next().unwrap_or_default();
        !host.is_empty() && (name.contains(['.', '%']) || name.len() > 64)
    })
}

/// mailto links may set recipients and text, never attachments or hidden recipients.
fn inspect_mailto(lower: &str, report: &mut Report) {
    let Some((_, query)) = lower.split_once('?') else { return };
    let fields = || query.split('&').filter_map(|field| field.split('=').next());
    if fields().any(|name| matches!(name, "attach" | "attachment" | "bcc"))
        || query.contains("%0d")
        || query.contains("%0a")
    {
        report.warn(Warning::HeaderInjection);
    }
}

fn inspect_terminal_links(text: &str, report: &mut Report) {
    for (at, start) in text.match_indices("\u{1b}]8;").take(LINKS_MAX) {
        let rest = window(text, at + start.len());
        let Some((_, rest)) = rest.split_once(';') else { continue };
        let Some(end) = rest.find(['\u{7}', '\u{1b}']) else { continue };
        let (target, shown) = rest.split_at(end);
        let shown = shown.trim_start_matches(['\u{7}', '\u{1b}', '\\']);
        let shown = shown.split('\u{1b}').next().unwrap_or_default();
        if contradicts(shown, target) {
            report.warn(Warning::LinkMismatch);
        }
    }
}

/// Whether a link's text names one host and its target another.
pub(super) fn contradicts(text: &str, target: &str) -> bool {
    let text = text.trim();
    if text.len() > TARGET_BYTES_MAX || text.contains(char::is_whitespace) {
        return false;
    }
    let lower = text.to_lowercase();
    let claims =
        lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("www.");
    let Some(claimed) = host(&lower).filter(|_| claims) else { return false };
    match host(&target.trim().to_lowercase()) {
        Some(real) => registrable(&claimed) != registrable(&real),
        None => target.contains("://"),
    }
}

/// The host of a target, lower case, without port.
fn host(target: &str) -> Option<String> {
    let rest =
        target.split_once("://").map_or_else(|| target.trim_start_matches("//"), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    (host.contains('.')).then(|| host.trim_start_matches("www.").to_owned())
}

/// The part of a domain that one registers: its last two labels, three below `co.uk` and the like.
pub(super) fn registrable(domain: &str) -> String {
    let labels: Vec<&str> = domain.trim_end_matches('.').rsplit('.').take(3).collect();
    let long = matches!(labels.as_slice(), [top, second, _]
        if top.len() == 2 && matches!(*second, "co" | "com" | "org" | "net" | "ac" | "gov" | "edu" | "or" | "ne" | "go"));
    let count = if long { 3 } else { 2 };
    labels.into_iter().take(count).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<Warning> {
        let mut report = Report::default();
        inspect_text(text, &mut report);
        report.warnings.into_iter().collect()
    }

    #[test]
    fn reads_links_in_text() {
        for (text, expected) in [
            ("see https://octoprint.org/x?a=b@c and git@github.com:x", vec![]),
            ("https://user:pw@host.example/ is a test login", vec![]),
            ("https://octoprint.org@evil.example/", vec![Warning::LinkMismatch]),
            ("http://github.com%2f@evil.example", vec![Warning::LinkMismatch]),
            ("JavaScript:alert(1)", vec![Warning::Active]),
            ("mailto:a@x.example?subject=hi", vec![]),
            (
                "mailto:a@x.example?attach=/etc/passwd&bcc=x@y.example",
                vec![Warning::HeaderInjection],
            ),
            (
                "\u{1b}]8;;http://evil.example/\u{7}https://good.example\u{1b}]8;;\u{7}",
                vec![Warning::LinkMismatch],
            ),
        ] {
            assert_eq!(warnings(text), expected, "{text}");
        }
    }

    #[test]
    fn compares_hosts() {
        assert!(contradicts("https://rspamd.example", "https://example.org/"));
        assert!(!contradicts("https://www.example.org/a", "http://example.org"));
        assert!(!contradicts("https://docs.example.org/a", "http://example.org/"));
        assert!(!contradicts("click here", "http://example.org"));
        assert_eq!(registrable("a.b.co.uk"), registrable("c.b.co.uk"));
        assert_ne!(registrable("a.co.uk"), registrable("b.co.uk"));
    }
}
