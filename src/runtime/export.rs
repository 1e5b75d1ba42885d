//! Drafts to files: the advisory in its formats, the reply as a mail file.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::desk::Desk;
use super::files;
use crate::app::{Problem, material};
use crate::domain::CaseId;
use crate::domain::advisory::{Fault, embargo_notice, refusals};
use crate::export::{self, Wanted, draft_toml, text::file_stem};

/// A written file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrittenFile {
    /// Name of the format.
    pub format: String,
    /// The file.
    pub path: PathBuf,
}

/// One fault of a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundFault {
    /// Format concerned, if only one is.
    pub format: Option<String>,
    /// Field, as the TOML names it, or its line.
    pub field: String,
    /// What is wrong and what to do.
    pub fault: String,
}

/// Why nothing was written.
#[derive(Debug)]
pub enum NotWritten {
    /// The draft has faults: all of them.
    Faults(Vec<FoundFault>),
    /// The draft says that it is public, which it must not be yet: every reason.
    Refused(Vec<FoundFault>),
    /// The files could not be written.
    Files(files::WriteError),
}

impl NotWritten {
    /// As one sentence with its next step.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Faults(faults) => {
                let first = faults
                    .first()
                    .map_or_else(String::new, |f| format!("; first {}: {}", f.field, f.fault));
                Problem {
                    what: format!("nothing written: the draft has {} faults{first}", faults.len()),
                    next: "edit the draft; the advisory screen lists all of them".into(),
                }
            }
            Self::Refused(reasons) => {
                let first = reasons.first();
                let first =
                    first.map_or_else(String::new, |f| format!(": {}: {}", f.field, f.fault));
                Problem {
                    what: format!("nothing written: the published form is refused{first}"),
                    next: "write status = \"draft\"; the draft form says that it is under embargo"
                        .into(),
                }
            }
            Self::Files(error) => Problem { what: error.to_string(), next: error.advice().into() },
        }
    }
}

/// What is to be written, and what the rules need to know for it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The formats.
    pub wanted: Wanted,
    /// Lowest score, in tenths, for which a CVE id is requested (PD6).
    pub cve_from_tenths: u16,
    /// The time that the embargo is measured against.
    pub now: Timestamp,
}

impl Order {
    /// Every format that applies.
    pub const fn everything(cve_from_tenths: u16, now: Timestamp) -> Self {
        Self { wanted: Wanted { formats: Vec::new(), all: true }, cve_from_tenths, now }
    }
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// Where the files lie: drafts in a folder of their own.
    pub folder: PathBuf,
    /// The files.
    pub files: Vec<WrittenFile>,
    /// Formats left out, each with its reason.
    pub left_out: Vec<(String, String)>,
    /// That the files are drafts under embargo and until when; `None` once they are public.
    pub notice: Option<String>,
}

/// Checks a draft, then writes it into `folder`; nothing is written if a fault is found. A draft that is not public
/// goes into a folder of its own there, which only its owner can look into.
///
/// # Errors
/// All faults, or the refusal of the published form, or why the files could not be written.
pub fn write(toml: &str, order: &Order, folder: &Path) -> Result<Done, NotWritten> {
    let draft = draft_toml::read(toml).map_err(|faults| {
        let fault = |f: draft_toml::TomlFault| FoundFault {
            format: None,
            field: format!("line {} {}", f.line, f.field).trim_end().to_owned(),
            fault: f.fault,
        };
        NotWritten::Faults(faults.into_iter().map(fault).collect())
    })?;
    let faulty = |faults: Vec<Fault>| NotWritten::Faults(found(faults));
    let chosen = export::choose(&draft, &order.wanted, order.cve_from_tenths).map_err(faulty)?;
    let exported = export::export(&draft, &chosen.formats).map_err(faulty)?;
    let refused = refusals(&draft, order.now);
    if !refused.is_empty() {
        return Err(NotWritten::Refused(found(refused)));
    }
    let folder =
        if draft.is_public() { folder.to_owned() } else { folder.join(file_stem(&draft.id)) };
    let path = |file: &export::Exported| folder.join(&file.file_name);
    let files: Vec<(PathBuf, &[u8])> =
        exported.iter().map(|file| (path(file), file.bytes.as_slice())).collect();
    files::write_all_new(&files).map_err(NotWritten::Files)?;
    let written = |file: &export::Exported| WrittenFile {
        format: file.format.as_str().to_owned(),
        path: path(file),
    };
    Ok(Done {
        files: exported.iter().map(written).collect(),
        left_out: chosen
            .left_out
            .into_iter()
            .map(|(format, why)| (format.as_str().to_owned(), why))
            .collect(),
        folder,
        notice: embargo_notice(&draft),
    })
}

fn found(faults: Vec<Fault>) -> Vec<FoundFault> {
    let fault = |f: Fault| FoundFault {
        format: f.format.map(|format| format.as_str().to_owned()),
        field: f.field,
        fault: f.fault,
    };
    faults.into_iter().map(fault).collect()
}

/// Writes the saved reply draft of a case as a mail file. Nothing is sent.
///
/// # Errors
/// If there is no draft, or the file exists or cannot be written.
pub fn write_eml(desk: &Desk, case: &CaseId, path: &Path) -> Result<(), Problem> {
    let view = desk.find(case.as_str()).and_then(|record| desk.view(record));
    let view = view.map_err(|error| error.problem())?;
    let Some(draft) = &view.case.reply else {
        return Err(Problem {
            what: format!("case {case} has no saved reply draft"),
            next: "save one first".into(),
        });
    };
    let id = format!("{}.{}", super::desk::new_ulid().to_lowercase(), view.row.id);
    let bytes = material::reply_bytes(&desk.me, &view, draft, desk.clock.now(), &id);
    files::write_new(path, &bytes)
        .map_err(|error| Problem { what: error.to_string(), next: error.advice().into() })
}

/// Largest calendar that is taken for one of ours, in bytes.
const CALENDAR_MAX: u64 = 64 << 20;

/// Writes a calendar, over an older one of ours if there is one.
///
/// # Errors
/// If another file of that name is there, or it cannot be written.
pub fn write_calendar(path: &Path, calendar: &str) -> Result<(), Problem> {
    files::write_again(path, calendar.as_bytes(), CALENDAR_MAX, crate::export::ics::is_ours)
        .map_err(|error| Problem { what: error.to_string(), next: error.advice().into() })
}

/// Writes an attachment of a case to a new file that only its owner can read. Nothing is opened or run. `at` is the
/// position of the message in the thread and of the attachment among its attachments.
///
/// # Errors
/// If there is no such attachment, or the file exists or cannot be written.
pub fn write_attachment(
    desk: &Desk,
    case: &CaseId,
    at: (usize, usize),
    path: &Path,
) -> Result<(), Problem> {
    let raw = desk.find(case.as_str()).and_then(|record| {
        let mails = desk.mails_of(&record)?;
        Ok(mails.get(at.0).map(|mail| desk.raw(&mail.message)).transpose()?)
    });
    let raw = raw.map_err(|error| error.problem())?;
    let parsed = raw.as_deref().map(crate::mail::parse);
    let mut parts = parsed.iter().flat_map(|mail| &mail.parts).filter(|part| part.attachment);
    let Some(part) = parts.nth(at.1) else {
        return Err(Problem {
            what: format!("case {case} no longer has this attachment"),
            next: "open the case again".into(),
        });
    };
    files::write_new(path, &part.bytes)
        .map_err(|error| Problem { what: error.to_string(), next: error.advice().into() })
}
