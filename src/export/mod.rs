//! Advisory drafts to bytes: one file and one set of wire structs per format, and the draft's own TOML.
//!
//! Owns: writing, the check that what was written agrees ([`agree`](agree::agree)), neutralising of hostile text.
//! Absent on purpose: the rules of a draft (`domain::advisory`), files, the clock: a file holds the record's own
//! dates only, so the same draft always gives the same bytes. Read next: [`export()`], then one format.

use crate::domain::advisory::{AdvisoryDraft, Applicable, Fault, applicable, faults};

pub use crate::domain::advisory::Format;

pub mod agree;
pub mod csaf;
pub mod cve;
mod cvss_words;
pub mod draft_toml;
pub mod ghsa;
pub mod ics;
pub mod import;
pub mod markdown;
pub mod openvex;
pub mod osv;
pub mod post;
pub mod text;
mod view;

pub use agree::agree;

/// A written format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Which.
    pub format: Format,
    /// Suggested name: letters, digits, `-`, `_`, `+` and `.`; only CSAF 2.1 lies in a folder, `csaf-2.1/`.
    pub file_name: String,
    /// Contents: UTF-8, LF, one line feed at the end.
    pub bytes: Vec<u8>,
}

/// The words of the command line.
const WORDS: &str = "ghsa, osv, csaf, csaf-2.1, cve, openvex, markdown, post or all";

/// What was asked for on the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Formats named by their words, sorted.
    pub formats: Vec<Format>,
    /// `all`: whatever applies to the draft.
    pub all: bool,
}

/// Formats named on the command line: a list with commas, or `all`.
///
/// # Errors
/// The word that is no format.
pub fn parse_formats(text: &str) -> Result<Wanted, String> {
    let mut wanted = Wanted { formats: Vec::new(), all: false };
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match Format::parse(word) {
            Some(format) => wanted.formats.push(format),
            None if word == "all" => wanted.all = true,
            None => return Err(format!("{word:?} is no format; use {WORDS}")),
        }
    }
    if wanted.formats.is_empty() && !wanted.all {
        return Err(format!("no format named; use {WORDS}"));
    }
    wanted.formats.sort_unstable();
    wanted.formats.dedup();
    Ok(wanted)
}

/// The formats to write, and those left out with the reason.
///
/// # Errors
/// A format named by its word that does not apply to the draft ([`applicable()`]).
pub fn choose(
    draft: &AdvisoryDraft,
    wanted: &Wanted,
    cve_from_tenths: u16,
) -> Result<Applicable, Vec<Fault>> {
    let apply = applicable(draft, cve_from_tenths);
    let refused = |format: &Format| {
        let left_out = apply.left_out.iter().find(|(left, _)| left == format);
        let why =
            left_out.map_or("the draft has no [not_affected] statement", |(_, why)| why.as_str());
        let fault = format!("does not apply: {why}");
        Fault { format: Some(*format), field: "format".into(), fault }
    };
    let outside = wanted.formats.iter().filter(|format| !apply.formats.contains(format));
    let faults: Vec<Fault> = outside.map(refused).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    if wanted.all {
        return Ok(apply);
    }
    Ok(Applicable { formats: wanted.formats.clone(), left_out: Vec::new() })
}

/// Writes the draft in these formats, or nothing at all.
///
/// # Errors
/// Every fault of the draft that concerns one of the formats, and every disagreement between what was written
/// and the draft.
pub fn export(draft: &AdvisoryDraft, formats: &[Format]) -> Result<Vec<Exported>, Vec<Fault>> {
    let concerns = |fault: &Fault| fault.format.is_none_or(|format| formats.contains(&format));
    let mut found: Vec<Fault> = faults(draft).into_iter().filter(concerns).collect();
    let stated = draft.not_affected.is_some();
    for format in formats.iter().filter(|format| (**format == Format::OpenVex) != stated) {
        let fault = "goes with a [not_affected] statement and nothing else; name other formats";
        let field = "not_affected".to_owned();
        found.push(Fault { format: Some(*format), field, fault: fault.into() });
    }
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
        Format::Csaf => json(&csaf::document(&view, csaf::Edition::V20)),
        Format::Csaf21 => json(&csaf::document(&view, csaf::Edition::V21)),
        Format::Cve => cve::text(&view),
        Format::OpenVex => json(&openvex::document(&view)),
        Format::Markdown => markdown::text(&view),
        Format::Post => post::text(&[view]),
    };
    // CSAF prescribes its file name (section 5.1) without the edition, so 2.1 has a folder of its own.
    let stem = text::file_stem(&draft.id);
    let file_name = match format {
        Format::Csaf => format!("{stem}.json"),
        Format::Csaf21 => format!("csaf-2.1/{stem}.json"),
        Format::Markdown => format!("{stem}.md"),
        Format::Post => format!("{stem}.post.md"),
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
