//! Drafts to files: the advisory in its formats, the reply as a mail file.

use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::files;
use crate::app::{Problem, material};
use crate::domain::CaseId;
use crate::domain::advisory::Format;
use crate::export::{self, draft_toml};

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
            Self::Files(error) => Problem { what: error.to_string(), next: error.advice().into() },
        }
    }
}

/// Every format.
pub fn every_format() -> Vec<Format> {
    Format::ALL.to_vec()
}

/// Checks a draft, then writes it in these formats into `folder`; nothing is written if a fault is found.
///
/// # Errors
/// All faults, or why the files could not be written.
pub fn write(
    toml: &str,
    formats: &[Format],
    folder: &Path,
) -> Result<Vec<WrittenFile>, NotWritten> {
    let draft = draft_toml::read(toml).map_err(|faults| {
        let fault = |f: draft_toml::TomlFault| FoundFault {
            format: None,
            field: format!("line {} {}", f.line, f.field).trim_end().to_owned(),
            fault: f.fault,
        };
        NotWritten::Faults(faults.into_iter().map(fault).collect())
    })?;
    let exported = export::export(&draft, formats).map_err(|faults| {
        let fault = |f: crate::domain::advisory::Fault| FoundFault {
            format: f.format.map(|format| format.as_str().to_owned()),
            field: f.field,
            fault: f.fault,
        };
        NotWritten::Faults(faults.into_iter().map(fault).collect())
    })?;
    let files: Vec<(PathBuf, &[u8])> =
        exported.iter().map(|file| (folder.join(&file.file_name), file.bytes.as_slice())).collect();
    files::write_all_new(&files).map_err(NotWritten::Files)?;
    Ok(exported
        .iter()
        .map(|file| WrittenFile {
            format: file.format.as_str().to_owned(),
            path: folder.join(&file.file_name),
        })
        .collect())
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
