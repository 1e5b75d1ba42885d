//! The advisory of a case: its draft, what is missing, and what would be written.

use super::editor::{Editor, Purpose};
use super::prompt::Asking;
use super::run::key;
use super::{Model, Screen, Tone, draft, layout, material};
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

/// A screen line of the list of faults.
#[derive(Clone, Debug)]
pub struct FaultRow {
    /// Field and format; empty where the line continues the one above.
    pub field: DisplayText,
    /// What is wrong and what to do.
    pub text: DisplayText,
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
    /// The faults laid out for the current width.
    pub fault_rows: Vec<FaultRow>,
    /// The Markdown form, as far as it can be made.
    source: Vec<DisplayText>,
    /// The same, laid out for the current width.
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
    /// The screen of a draft, laid out for so many columns and rows: its faults, its preview, its gate line.
    pub fn of(case: CaseId, toml: String, saved: bool, size: (u16, u16)) -> Self {
        let (faults, preview, gate) = material::advisory_state(&toml);
        let mut screen = Self {
            case,
            toml,
            saved,
            faults,
            fault_rows: Vec::new(),
            source: DisplayText::block(&preview),
            preview: Vec::new(),
            gate,
            in_preview: false,
            fault_top: 0,
            top: 0,
        };
        screen.in_preview = screen.faults.is_empty();
        screen.lay_out(size);
        screen
    }

    /// Lays faults and preview out for so many columns and rows.
    pub fn lay_out(&mut self, size: (u16, u16)) {
        let width = usize::from(size.0);
        let text_width = width.saturating_sub(FIELD_WIDTH + 1).max(10);
        let row = |fault: &FaultLine| {
            let format = fault.format.as_deref().map_or_else(String::new, |f| format!(" ({f})"));
            let mut field = DisplayText::line(&format!("{}{format}", fault.field));
            let rows = fault.fault.wrap(text_width).into_iter();
            rows.map(|text| FaultRow { field: std::mem::take(&mut field), text })
                .collect::<Vec<_>>()
        };
        self.fault_rows = self.faults.iter().flat_map(row).collect();
        let preview =
            self.source.iter().flat_map(|line| line.wrap(width.saturating_sub(2).max(10)));
        self.preview = preview.collect();
        self.step(0, size);
    }

    pub(super) fn step(&mut self, lines: isize, size: (u16, u16)) {
        let areas = layout::advisory(size, self.fault_rows.len());
        let (faults, preview) =
            (usize::from(areas.faults.height), usize::from(areas.preview.height));
        if self.in_preview {
            super::layer::scroll(&mut self.top, lines, self.preview.len(), preview);
        } else {
            super::layer::scroll(&mut self.fault_top, lines, self.fault_rows.len(), faults);
        }
    }
}

/// Columns of the name of a field, with the blank behind it.
pub const FIELD_WIDTH: usize = 25;

pub(super) fn advisory(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let (toml, saved) = match &case.view.case.advisory {
        Some(toml) => (toml.clone(), true),
        None => (material::advisory_toml(&case.view, &model.policy), false),
    };
    model.advisory = Some(AdvisoryScreen::of(case.view.row.id.clone(), toml, saved, model.size));
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
