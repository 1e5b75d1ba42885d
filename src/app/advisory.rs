//! The advisory of a case: its draft, what is missing, and what would be written.

use super::editor::{Editor, Purpose};
use super::prompt::Asking;
use super::run::key;
use super::{Model, Screen, Tone, draft, material};
use crate::command::Command;
use crate::domain::CaseId;
use crate::mail::DisplayText;

/// One fault of a draft.
#[derive(Clone, Debug)]
pub struct FaultLine {
    /// Format concerned, if only one is.
    pub format: Option<String>,
    /// Field, as the TOML names it.
    pub field: String,
    /// What is wrong and what to do.
    pub fault: DisplayText,
}

/// The advisory screen.
#[derive(Debug)]
pub struct AdvisoryScreen {
    /// The case.
    pub case: CaseId,
    /// The draft as TOML.
    pub toml: String,
    /// Whether the journal holds this draft.
    pub saved: bool,
    /// Everything missing or wrong, at once.
    pub faults: Vec<FaultLine>,
    /// The Markdown form, as far as it can be made.
    pub preview: Vec<DisplayText>,
    /// One line on severity and CVE.
    pub gate: DisplayText,
    /// Whether keys go to the preview instead of the faults.
    pub in_preview: bool,
    /// First fault shown.
    pub fault_top: usize,
    /// First preview line shown.
    pub top: usize,
}

impl AdvisoryScreen {
    /// The screen of a draft: its faults, its preview, its gate line.
    pub fn of(case: CaseId, toml: String, saved: bool) -> Self {
        let (faults, preview, gate) = material::advisory_state(&toml);
        let preview = DisplayText::block(&preview);
        Self { case, toml, saved, faults, preview, gate, in_preview: false, fault_top: 0, top: 0 }
    }

    pub(super) fn step(&mut self, lines: isize, height: usize) {
        if self.in_preview {
            super::layer::scroll(&mut self.top, lines, self.preview.len(), height / 2);
        } else {
            super::layer::scroll(&mut self.fault_top, lines, self.faults.len(), 4);
        }
    }
}

pub(super) fn advisory(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let (toml, saved) = match &case.view.case.advisory {
        Some(toml) => (toml.clone(), true),
        None => (material::advisory_toml(&case.view, &model.policy), false),
    };
    model.advisory = Some(AdvisoryScreen::of(case.view.row.id.clone(), toml, saved));
    model.screen = Screen::Advisory;
}

pub(super) fn edit_advisory(model: &mut Model) {
    let Some(advisory) = &model.advisory else { return };
    let editor = Editor::open(Purpose::Advisory, &advisory.toml, advisory.saved);
    draft::open_editor(model, editor);
}

pub(super) fn export(model: &mut Model) {
    if model.screen == Screen::Case {
        advisory(model);
    }
    let Some(advisory) = &model.advisory else { return };
    if advisory.faults.is_empty() {
        let begin = model.export_folder.join(advisory.case.as_str()).display().to_string();
        model.ask(Asking::ExportTo, &begin);
    } else {
        let (count, edit) = (advisory.faults.len(), key(model, Command::EditAdvisory));
        model.say(
            Tone::Error,
            format!("nothing written: {count} faults, listed here; {edit} edits the draft"),
        );
    }
}
