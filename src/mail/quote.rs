//! Which lines of a shown text the sender wrote, and which are quoted, signature or attribution.
//!
//! Owns: the habits of mail programs when they quote. Used so that claims are read from own lines only.

/// What a line of a shown text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// Written by the sender for this mail.
    Own,
    /// Copied from an earlier mail.
    Quoted,
    /// Below the `-- ` line.
    Signature,
    /// Introduces a quotation: `On … wrote:`, `-----Original Message-----`, a block of copied header fields.
    Attribution,
}

/// Lines that an attribution may be wrapped over.
const ATTRIBUTION_LINES_MAX: usize = 3;
/// Longest line looked at for an attribution, in bytes.
const LINE_BYTES_MAX: usize = 400;

/// Last words of an attribution line in the languages seen most.
const WROTE: [&str; 12] = [
    "wrote:",
    "schrieb:",
    "a écrit :",
    "a écrit:",
    "escribió:",
    "ha scritto:",
    "escreveu:",
    "schreef:",
    "skrev:",
    "написал:",
    "написал(а):",
    "のメール:",
];
/// First words of an attribution line that ends in a colon but not in one of [`WROTE`].
const ON: [&str; 6] = ["on ", "am ", "le ", "el ", "il ", "op "];
/// Field names at the start of a copied header block.
const FIELDS: [&str; 14] = [
    "from:",
    "von:",
    "de:",
    "da:",
    "发件人:",
    "sent:",
    "gesendet:",
    "date:",
    "datum:",
    "to:",
    "an:",
    "cc:",
    "subject:",
    "betreff:",
];

/// One kind for each line of `text` (as split at LF). What follows a copied header block or an
/// "original message" rule counts as quoted to the end, what follows `-- ` as signature up to the next quotation.
pub fn classify(text: &str) -> Vec<LineKind> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut kinds = Vec::with_capacity(lines.len());
    let mut state = LineKind::Own;
    while kinds.len() < lines.len() {
        let here = kinds.len();
        let rest = lines.get(here..).unwrap_or_default();
        let line = rest.first().copied().unwrap_or_default();
        if state == LineKind::Quoted || is_quoted(line) {
            kinds.push(LineKind::Quoted);
        } else if is_rule(line) {
            kinds.push(LineKind::Attribution);
            state = LineKind::Quoted;
        } else if let Some(count) = header_block(rest) {
            kinds.extend(std::iter::repeat_n(LineKind::Attribution, count));
            state = LineKind::Quoted;
        } else if let Some(count) = attribution(rest) {
            kinds.extend(std::iter::repeat_n(LineKind::Attribution, count));
            state = LineKind::Own;
        } else {
            if line.trim_end_matches('\r') == "-- " || line.trim() == "--" {
                state = LineKind::Signature;
            }
            kinds.push(state);
        }
    }
    kinds
}

/// For each line of `text` whether the sender wrote it for this mail. In a mail that passes on another's words,
/// as its subject says, the quoted ones are what it is about.
pub fn own_lines(text: &str, subject: &str) -> Vec<bool> {
    let forward = is_forward(subject);
    let counts = |kind| match kind {
        LineKind::Own => true,
        LineKind::Quoted => forward,
        LineKind::Signature | LineKind::Attribution => false,
    };
    classify(text).into_iter().map(counts).collect()
}

fn is_forward(subject: &str) -> bool {
    let mark = subject.trim_start().split([':', '\u{ff1a}']).next().unwrap_or_default();
    ["fwd", "fw", "wg", "tr", "rv", "enc", "转发", "轉寄", "転送"]
        .contains(&mark.to_lowercase().as_str())
}

fn is_quoted(line: &str) -> bool {
    let start = line.trim_start();
    // `>>> import os` is a Python prompt, not a quotation of the third level.
    start.starts_with('>') && !start.starts_with(">>> ")
}

/// `-----Original Message-----`, `________________________________`, `---------- Forwarded message ---------`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    if line.len() > LINE_BYTES_MAX {
        return false;
    }
    if line.len() >= 20 && line.bytes().all(|b| b == b'_') {
        return true;
    }
    let inner = line.trim_matches('-').trim();
    let dashes = line.bytes().take_while(|&b| b == b'-').count();
    if dashes < 3 {
        return false;
    }
    let lower = inner.to_lowercase();
    [
        "original message",
        "ursprüngliche nachricht",
        "message d'origine",
        "original-nachricht",
        "mensaje original",
    ]
    .iter()
    .any(|word| lower == *word)
}

/// Lines of a copied header block: at least three field lines in a row, the first of them a sender.
fn header_block(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    if !starts_with_field(first, &FIELDS[..5]) {
        return None;
    }
    let count = lines.iter().take(8).take_while(|line| starts_with_field(line, &FIELDS)).count();
    (count >= 3).then_some(count)
}

fn starts_with_field(line: &str, names: &[&str]) -> bool {
    let line = line.trim_start().trim_start_matches('*');
    if line.len() > 2_000 {
        return false;
    }
    names.iter().any(|name| starts_with(line, name))
}

/// Whether a text starts with a word in whatever case. No letter beyond ASCII has a small form among those of the
/// words that are asked for.
fn starts_with(text: &str, word: &str) -> bool {
    text.as_bytes()
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// Lines of an `On … wrote:` at the start of `lines`; it may be wrapped, and a quotation must follow.
fn attribution(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim();
    if first.is_empty() || first.len() > LINE_BYTES_MAX {
        return None;
    }
    let starts = ON.iter().any(|word| starts_with(first, word));
    // All of `WROTE` end so.
    if !starts && !first.ends_with(':') {
        return None;
    }
    for count in 1..=ATTRIBUTION_LINES_MAX.min(lines.len()) {
        let last = lines.get(count - 1)?.trim().to_lowercase();
        if last.is_empty() || last.len() > LINE_BYTES_MAX || is_quoted(&last) {
            return None;
        }
        let ends = WROTE.iter().any(|word| last.ends_with(word));
        if ends && (starts || count == 1) && quotation_follows(lines.get(count..)?) {
            return Some(count);
        }
        if !starts {
            return None;
        }
    }
    None
}

fn quotation_follows(lines: &[&str]) -> bool {
    lines.iter().take(3).find(|line| !line.trim().is_empty()).is_some_and(|line| is_quoted(line))
}

#[cfg(test)]
mod tests {
    use super::LineKind::{Attribution as A, Own as O, Quoted as Q, Signature as S};
    use super::*;

    #[test]
    fn tells_own_from_quoted() {
        let text =
            "hi\n\nOn Thu, Alice\n<a@x.example> wrote:\n> old\n> lines\nmine\n-- \nBob\nphone";
        assert_eq!(classify(text), [O, O, A, A, Q, Q, O, S, S, S]);
    }

    #[test]
    fn knows_outlook_and_rules() {
        let text = "see below\nFrom: A\nSent: today\nTo: B\nSubject: x\n\nold text";
        assert_eq!(classify(text), [O, A, A, A, A, Q, Q]);
        assert_eq!(classify("a\n-----Original Message-----\nb"), [O, A, Q]);
        assert_eq!(classify("Am 3. Mai schrieb Bob:\nno"), [O, O]);
    }

    #[test]
    fn leaves_code_alone() {
        assert_eq!(classify(">>> import os\nfrom: me"), [O, O]);
        assert_eq!(classify("he wrote:\nsomething"), [O, O]);
        assert_eq!(classify(""), [O]);
    }
}
