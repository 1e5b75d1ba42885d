//! Characters and phrases that are dangerous wherever they stand.

use crate::mail::Warning;
use crate::mail::display::is_bidi;

use super::Report;

/// Kinds of dangerous characters found in a text.
#[derive(Default)]
struct Found {
    nul: bool,
    control: bool,
    bidi: bool,
    invisible: bool,
}

/// Marks NUL, controls, bidirectional controls and invisible characters in a body or a file name.
pub(super) fn characters(text: &str, report: &mut Report) {
    mark(&look(text), report);
}

/// As [`characters`] for one line of text; a line break in it is an attempt to add a header field.
pub(super) fn field(text: &str, report: &mut Report) {
    let found = look(text);
    mark(&found, report);
    if text.contains(['\r', '\n']) {
        report.warn(Warning::HeaderInjection);
    }
}

/// Text in a subject or a name that acts in a template, a log or a Markdown export when put there unescaped.
pub(super) fn injection(text: &str, report: &mut Report) {
    let lower = crate::mail::display::head(text, 4_096).to_ascii_lowercase();
    let acts = ["%0d", "%0a", "${", "{{", "%n%", "%s%s", "```", "\\r\\n", "\\n"]
        .iter()
        .any(|part| lower.contains(part));
    if acts {
        report.warn(Warning::HeaderInjection);
    }
}

/// Encoded line breaks in an id.
pub(super) fn id(text: &str, report: &mut Report) {
    let lower = crate::mail::display::head(text, 4_096).to_ascii_lowercase();
    if lower.contains("%0d") || lower.contains("%0a") {
        report.warn(Warning::HeaderInjection);
    }
}

fn mark(found: &Found, report: &mut Report) {
    for (there, warning) in [
        (found.nul, Warning::Nul),
        (found.control, Warning::ControlChars),
        (found.bidi, Warning::Bidi),
        (found.invisible, Warning::Homoglyph),
    ] {
        if there {
            report.warn(warning);
        }
    }
}

/// Bytes looked at in one go.
const PLAIN_STEP: usize = 64;

/// Printable ASCII and line breaks. Without a way out of the loop the processor looks at many bytes at a time.
fn is_plain(bytes: &[u8]) -> bool {
    let odd = |b: u8| b.wrapping_sub(b' ') > b'~' - b' ' && !matches!(b, b'\n' | b'\t' | b'\r');
    !bytes.iter().fold(false, |found, &b| found | odd(b))
}

fn look(text: &str) -> Found {
    let mut found = Found::default();
    if text.as_bytes().chunks(PLAIN_STEP).all(is_plain) {
        found.control =
            text.contains('\r') && text.split('\r').skip(1).any(|after| !after.starts_with('\n'));
        return found;
    }
    let mut before = '\n';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or('\n');
        match c {
            ' '..='~' | '\n' | '\t' => {}
            '\0' => found.nul = true,
            '\r' => found.control |= next != '\n',
            _ if c.is_control() => found.control = true,
            // Marks for the direction of one neutral character are ordinary in Hebrew and Arabic text.
            '\u{200e}' | '\u{200f}' => {
                found.invisible |= before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric()
            }
            _ if is_bidi(c) => found.bidi = true,
            _ => found.invisible |= is_smuggled(c, before, next),
        }
        before = c;
    }
    found
}

/// Invisible characters where no script needs them: tag characters, zero-width ones inside of Latin words.
fn is_smuggled(c: char, before: char, next: char) -> bool {
    let latin = before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric();
    match u32::from(c) {
        // Regional flags are a black flag followed by tag characters.
        0xe0001..=0xe007f => {
            before != '\u{1f3f4}' && !(0xe0001..=0xe007f).contains(&u32::from(before))
        }
        0xe0100..=0xe01ef => before.is_ascii(),
        0x200b..=0x200d | 0x2060..=0x2064 | 0x034f | 0x115f | 0x1160 | 0x3164 | 0xfeff => latin,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<Warning> {
        let mut report = Report::default();
        field(text, &mut report);
        report.warnings.into_iter().collect()
    }

    #[test]
    fn marks_characters() {
        for (text, expected) in [
            ("plain\ttext", vec![]),
            ("a\u{1b}[2J", vec![Warning::ControlChars]),
            ("a\rb", vec![Warning::ControlChars, Warning::HeaderInjection]),
            ("c1 \u{9b}1m", vec![Warning::ControlChars]),
            ("a\0b", vec![Warning::Nul]),
            ("x\u{202e}y", vec![Warning::Bidi]),
            ("גרסה 1.11.8", vec![]),
            ("he\u{200b}llo", vec![Warning::Homoglyph]),
            ("hello\u{e0020}\u{e0069}", vec![Warning::Homoglyph]),
            ("👨\u{200d}👩\u{200d}👧 नमस्\u{200d}ते", vec![]),
            ("🏴\u{e0067}\u{e0062}\u{e007f}", vec![]),
        ] {
            assert_eq!(warnings(text), expected, "{text:?}");
        }
    }
}
