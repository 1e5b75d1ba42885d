//! The advisory of a case: its draft as a guided form, what is missing, and what would be written.

use super::case::{self, CaseView};
use super::form::dialog::Dialog;
use super::form::gates::Gates;
use super::form::{Form, rows};
use super::{layer, layout, material};
use crate::domain::CaseId;
use crate::domain::advisory::{AdvisoryDraft, Format};
use crate::domain::policy::Policy;
use crate::export::{self, draft_toml};
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
    /// Field; empty where the line continues the one above.
    pub field: DisplayText,
    /// What is wrong and what to do.
    pub text: DisplayText,
}

/// Columns of the name of a field in that list, with the blank behind it.
pub const FIELD_WIDTH: usize = 25;

/// The order in which the preview goes through the formats.
const PREVIEWS: [Format; 8] = [
    Format::Markdown,
    Format::Osv,
    Format::Ghsa,
    Format::Csaf,
    Format::Csaf21,
    Format::Cve,
    Format::Post,
    Format::OpenVex,
];

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
    /// The form; empty while the TOML cannot be read.
    pub form: Form,
    /// The dialog over the form.
    pub dialog: Option<Dialog>,
    /// What must hold before publication.
    pub gates: Gates,
    /// The format that the preview shows.
    pub format: Format,
    /// How the draft would read in it, as far as it can be made.
    source: Vec<DisplayText>,
    /// The same, laid out for the current width.
    pub preview: Vec<DisplayText>,
    /// Whether keys go to the preview instead of the form.
    pub in_preview: bool,
    /// The faults laid out for the current width; shown while there is no form.
    pub fault_rows: Vec<FaultRow>,
    /// First of them shown.
    pub fault_top: usize,
    /// First preview line shown.
    pub top: usize,
    size: (u16, u16),
    draft: Option<AdvisoryDraft>,
    /// Drafts on their way to the journal, oldest first.
    sent: Vec<String>,
}

impl AdvisoryScreen {
    /// The screen of a draft.
    pub fn of(
        view: &CaseView,
        checklist: &[case::Row],
        policy: &Policy,
        toml: String,
        saved: bool,
        size: (u16, u16),
    ) -> Self {
        let mut screen = Self {
            case: view.row.id.clone(),
            toml,
            saved,
            faults: Vec::new(),
            form: Form::default(),
            dialog: None,
            gates: Gates::default(),
            format: Format::Markdown,
            source: Vec::new(),
            preview: Vec::new(),
            in_preview: false,
            fault_rows: Vec::new(),
            fault_top: 0,
            top: 0,
            size,
            draft: None,
            sent: Vec::new(),
        };
        screen.refresh(view, checklist, policy);
        screen.form.go_to_first();
        screen
    }

    /// The draft, as far as its text can be read.
    pub const fn draft(&self) -> Option<&AdvisoryDraft> {
        self.draft.as_ref()
    }

    /// The vector that stands for the advisory.
    pub fn vector(&self) -> Option<String> {
        self.draft.as_ref()?.severity.main().map(str::to_owned)
    }

    /// Works everything out again after the draft or the case has changed.
    pub fn refresh(&mut self, view: &CaseView, checklist: &[case::Row], policy: &Policy) {
        self.draft = draft_toml::read(&self.toml).ok();
        self.gates = Gates::of(view, checklist, policy, self.draft.as_ref());
        let formats: Vec<&str> = self.gates.formats.iter().map(|format| format.as_str()).collect();
        let mut faults = material::advisory_faults(&self.toml);
        faults.retain(|fault| fault.format.as_deref().is_none_or(|f| formats.contains(&f)));
        self.faults = faults;
        let rows = match &self.draft {
            Some(draft) => rows::build(draft, &self.faults, checklist, policy),
            None => Vec::new(),
        };
        self.form.replace(rows);
        self.show_preview();
    }

    fn show_preview(&mut self) {
        let shown = self.previews();
        if let Some(first) = shown.first().filter(|_| !shown.contains(&self.format)) {
            self.format = *first;
        }
        self.source = self.draft.as_ref().map_or_else(Vec::new, |draft| {
            let bytes = export::write(draft, self.format).bytes;
            DisplayText::block(&String::from_utf8_lossy(&bytes))
        });
        self.lay_out(self.size);
    }

    /// The preview, whole and not laid out.
    pub fn preview_text(&self) -> String {
        let lines: Vec<&str> = self.source.iter().map(DisplayText::as_str).collect();
        lines.join("\n")
    }

    /// Lays preview and faults out for so many columns and rows.
    pub fn lay_out(&mut self, size: (u16, u16)) {
        self.size = size;
        let areas = layout::advisory(size);
        let width = usize::from(areas.preview.width).max(10);
        self.preview = self.source.iter().flat_map(|line| line.wrap(width)).collect();
        let text_width = usize::from(areas.form.width).saturating_sub(FIELD_WIDTH + 1).max(10);
        let row = |fault: &FaultLine| {
            let mut field = DisplayText::line(&fault.field);
            let rows = fault.fault.wrap(text_width).into_iter();
            rows.map(|text| FaultRow { field: std::mem::take(&mut field), text })
                .collect::<Vec<_>>()
        };
        self.fault_rows = self.faults.iter().flat_map(row).collect();
        let height = usize::from(areas.form.height);
        layer::scroll(&mut self.top, 0, self.preview.len(), height);
        layer::scroll(&mut self.fault_top, 0, self.fault_rows.len(), height);
    }

    /// The formats that apply, in the order of the preview.
    fn previews(&self) -> Vec<Format> {
        let applies = |format: &Format| self.gates.formats.contains(format);
        PREVIEWS.into_iter().filter(applies).collect()
    }

    /// Goes on to the next or previous format of the preview.
    pub fn step_format(&mut self, step: isize) {
        let shown = self.previews();
        let count = shown.len().max(1);
        let at = shown.iter().position(|format| *format == self.format).unwrap_or(0);
        let next = (at + count).saturating_add_signed(step) % count;
        self.format = shown.get(next).copied().unwrap_or(Format::Markdown);
        self.top = 0;
        self.show_preview();
    }

    /// Faults that keep the shown format from being written.
    pub fn faults_of_format(&self) -> usize {
        let name = self.format.as_str();
        let concerns = |fault: &&FaultLine| fault.format.as_deref().is_none_or(|f| f == name);
        self.faults.iter().filter(concerns).count()
    }

    /// Takes a changed draft and remembers that it is being saved; the text to save.
    pub fn change(&mut self, draft: &AdvisoryDraft) -> String {
        self.toml = draft_toml::write(draft);
        self.saved = false;
        self.sent.push(self.toml.clone());
        self.toml.clone()
    }

    /// After the journal was written: `saved` is the draft it holds now. Returns whether the screen must be
    /// worked out again from the draft that it keeps; an older draft that comes back while newer ones are still
    /// on their way changes nothing.
    pub fn arrived(&mut self, saved: Option<&str>) -> Option<String> {
        if let Some(at) = self.sent.iter().position(|sent| Some(sent.as_str()) == saved) {
            self.sent.drain(..=at);
        } else if !self.sent.is_empty() {
            return None;
        }
        if !self.sent.is_empty() {
            return None;
        }
        let was_saved = std::mem::replace(&mut self.saved, saved.is_some());
        match saved {
            Some(text) if text != self.toml => Some(text.to_owned()),
            // The first draft was taken back.
            None if was_saved => Some(String::new()),
            _ => None,
        }
    }

    /// Something was not saved: nothing is on its way any more.
    pub fn not_saved(&mut self) {
        self.sent.clear();
    }

    /// Moves by lines in the pane that has the keys.
    pub fn step(&mut self, lines: isize, size: (u16, u16)) {
        let height = usize::from(layout::advisory(size).form.height);
        if self.in_preview {
            layer::scroll(&mut self.top, lines, self.preview.len(), height);
        } else if self.form.rows.is_empty() {
            layer::scroll(&mut self.fault_top, lines, self.fault_rows.len(), height);
        } else {
            self.form.step(lines);
        }
    }
}
