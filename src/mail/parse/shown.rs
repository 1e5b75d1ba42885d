//! The text to show: which alternative, and how the texts of several parts become one.

use super::fields::Block;
use super::{Report, html, scan};

/// A text that may be shown.
pub(super) struct Piece {
    pub part: u16,
    pub html: bool,
    /// Not an alternative to other texts: calendar entries, reports.
    pub extra: bool,
    pub text: String,
}

impl Piece {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The main fields of an attached mail, as text.
pub(super) fn summary(block: &Block) -> String {
    let mut out = String::new();
    for name in ["From", "To", "Date", "Subject"] {
        if let Some(value) = block.value(name) {
            out.push_str(&format!("{name}: {}\n", value.replace(['\r', '\n'], " ")));
        }
    }
    out.push('\n');
    out
}

/// Of several alternatives the first plain text that says something, else the last HTML, else anything.
pub(super) fn choose(mut shown: Vec<Vec<Piece>>) -> Vec<Piece> {
    let is_plain = |pieces: &Vec<Piece>| {
        pieces.iter().any(|piece| !piece.html && !piece.extra && !piece.is_blank())
    };
    let is_html = |pieces: &Vec<Piece>| pieces.iter().any(|piece| piece.html && !piece.is_blank());
    let best = shown.iter().position(is_plain).or_else(|| shown.iter().rposition(is_html));
    let best =
        best.or_else(|| shown.iter().position(|pieces| !pieces.is_empty())).unwrap_or_default();
    if best >= shown.len() {
        return Vec::new();
    }
    let mut chosen = shown.swap_remove(best);
    chosen.extend(shown.into_iter().flatten().filter(|piece| piece.extra));
    chosen
}

/// The text of a mail from its pieces: HTML turned to text, CRLF to LF, no trailing blank lines.
pub(super) fn join(pieces: Vec<Piece>, report: &mut Report) -> String {
    let mut out = String::new();
    for piece in pieces {
        let text = if piece.html {
            let text = html::to_text(&piece.text, report);
            scan::characters(&text, report);
            text
        } else {
            piece.text
        };
        if !out.is_empty() {
            out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
        }
        out.push_str(&if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text });
    }
    let end = out.trim_end_matches(['\n', '\r', ' ', '\t']).len();
    // Spaces at the end of the last line are the sender's.
    let end =
        out.get(end..).and_then(|rest| rest.find(['\n', '\r'])).map_or(out.len(), |at| end + at);
    out.truncate(end);
    out
}
