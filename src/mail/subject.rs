//! Subjects without their reply and forward marks, for threading.

use crate::mail::display::head;

/// Marks that mail programs put before a subject, in the languages seen most (lower case).
const MARKS: [&str; 32] = [
    "re", "fwd", "fw", "aw", "wg", "antw", "antwort", "sv", "vs", "vl", "vb", "rv", "tr", "rif",
    "ref", "r", "i", "res", "enc", "odp", "pd", "ynt", "ilt", "bls", "trs", "回复", "回覆", "答复",
    "转发", "轉寄", "返信", "転送",
];
/// Those of [`MARKS`] that mean an answer.
const REPLIES: [&str; 11] =
    ["re", "aw", "antw", "antwort", "sv", "odp", "ynt", "回复", "回覆", "答复", "返信"];
/// Subjects longer than this are compared by their start.
const BYTES_MAX: usize = 2_000;
/// Marks removed at most, so that a subject made of nothing else stays cheap.
const ROUNDS_MAX: usize = 50;

/// The subject without reply marks, forward marks and `[list]` tags, white space and case folded; and whether a
/// reply or forward mark was there (RFC 5256 section 2.1, widened by the marks of other languages).
pub fn base_subject(subject: &str) -> (String, bool) {
    let folded =
        head(subject, BYTES_MAX).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut rest = folded.as_str();
    let mut marked = false;
    for _ in 0..ROUNDS_MAX {
        if let Some(after) = without_mark(rest, &MARKS) {
            rest = after;
            marked = true;
        } else if let Some(after) = without_tag(rest) {
            rest = after;
        } else if let Some(before) = rest.strip_suffix("(fwd)") {
            rest = before.trim_end();
            marked = true;
        } else {
            break;
        }
    }
    (rest.to_owned(), marked)
}

/// Whether a subject starts with a mark that means an answer.
pub(crate) fn is_reply(subject: &str) -> bool {
    without_mark(&head(subject.trim_start(), BYTES_MAX).to_lowercase(), &REPLIES).is_some()
}

/// `re: x`, `re[2]: x`, `re (3): x`, `回复：x`.
fn without_mark<'a>(text: &'a str, marks: &[&str]) -> Option<&'a str> {
    marks.iter().find_map(|mark| {
        let after = text.strip_prefix(mark)?.trim_start();
        let after = after.strip_prefix(['[', '(']).map_or(Some(after), |inner| {
            let digits = inner.trim_start_matches(|c: char| c.is_ascii_digit());
            (digits.len() < inner.len()).then(|| digits.strip_prefix([']', ')'])).flatten()
        })?;
        let after = after.trim_start_matches(|c: char| c == '^' || c.is_ascii_digit()).trim_start();
        Some(after.strip_prefix([':', '：'])?.trim_start())
    })
}

/// `[list] x`, unless nothing would be left.
fn without_tag(text: &str) -> Option<&str> {
    let (tag, after) = text.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    (!after.is_empty() && !tag.contains('[') && tag.len() <= 40).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_marks_and_tags() {
        for (given, base, marked) in [
            ("Re: XSS in  tab", "xss in tab", true),
            ("AW: WG: Fwd: Re[2]: [sec] XSS", "xss", true),
            ("回复：漏洞", "漏洞", true),
            ("Re : x", "x", true),
            ("[sec] XSS", "xss", false),
            ("[draft]", "[draft]", false),
            ("Report: x", "report: x", false),
            ("Re: ", "", true),
            ("re", "re", false),
            ("x (fwd)", "x", true),
            ("Re (3): x", "x", true),
        ] {
            assert_eq!(base_subject(given), (base.to_owned(), marked), "{given}");
        }
    }
}
