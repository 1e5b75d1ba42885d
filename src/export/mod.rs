//! Advisory drafts to bytes: one file and one set of wire structs per format, and the draft's own TOML.
//!
//! Owns: writing, the check that what was written agrees ([`agree`](agree::agree)), neutralising of hostile text.
//! Absent on purpose: the rules of a draft (`domain::advisory`), files, the clock: a file holds the record's own
//! dates only, so the same draft always gives the same bytes. Read next: [`export()`], then one format.

use crate::domain::advisory::{AdvisoryDraft, Fault, faults};

pub use crate::domain::advisory::Format;

pub mod agree;
pub mod csaf;
pub mod cve;
mod cvss_words;
pub mod draft_toml;
pub mod ghsa;
pub mod markdown;
pub mod osv;
pub mod text;
mod view;

pub use agree::agree;

/// A written format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Which.
    pub format: Format,
    /// Suggested name without folder: letters, digits, `-`, `_`, `+` and `.`.
    pub file_name: String,
    /// Contents: UTF-8, LF, one line feed at the end.
    pub bytes: Vec<u8>,
}

/// Formats named on the command line: a list with commas, or `all`.
///
/// # Errors
/// The word that is no format.
pub fn parse_formats(text: &str) -> Result<Vec<Format>, String> {
    let mut formats = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let named = parse_format(word).ok_or_else(|| {
            format!("{word:?} is no format; use ghsa, osv, csaf, cve, markdown or all")
        })?;
        formats.extend(named);
    }
    if formats.is_empty() {
        return Err("no format named; use ghsa, osv, csaf, cve, markdown or all".into());
    }
    formats.sort_unstable();
    formats.dedup();
    Ok(formats)
}

/// The formats that one word names.
fn parse_format(word: &str) -> Option<Vec<Format>> {
    if word == "all" {
        return Some(Format::ALL.to_vec());
    }
    Format::ALL.into_iter().find(|format| format.as_str() == word).map(|format| vec![format])
}

/// Writes the draft in these formats, or nothing at all.
///
/// # Errors
/// Every fault of the draft that concerns one of the formats, and every disagreement between what was written
/// and the draft.
pub fn export(draft: &AdvisoryDraft, formats: &[Format]) -> Result<Vec<Exported>, Vec<Fault>> {
    let concerns = |fault: &Fault| fault.format.is_none_or(|format| formats.contains(&format));
    let found: Vec<Fault> = faults(draft).into_iter().filter(concerns).collect();
    if !found.is_empty() {
        return Err(found);
    }
    let written: Vec<Exported> = formats.iter().map(|format| write(draft, *format)).collect();
    let disagreements = agree(&written, draft);
    if disagreements.is_empty() { Ok(written) } else { Err(disagreements) }
}

/// Writes one format without any check: for previews of unfinished drafts.
pub fn write(draft: &AdvisoryDraft, format: Format) -> Exported {
    let view = view::View::of(draft);
    let text = match format {
        Format::Ghsa => json(&ghsa::document(&view)),
        Format::Osv => json(&osv::document(&view)),
        Format::Csaf => json(&csaf::document(&view)),
        Format::Cve => cve::text(&view),
        Format::Markdown => markdown::text(&view),
    };
    // CSAF 2.0 section 5.1 prescribes its file name; the others stand beside it.
    let stem = text::file_stem(&draft.id);
    let file_name = match format {
        Format::Csaf => format!("{stem}.json"),
        Format::Markdown => format!("{stem}.md"),
        other => format!("{stem}.{other}.json"),
    };
    Exported { format, file_name, bytes: text.into_bytes() }
}

/// Two-space JSON in the field order of the wire structs, with one line feed at the end.
fn json<T: serde::Serialize>(document: &T) -> String {
    // Wire structs hold strings, numbers and lists, which always serialise.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
