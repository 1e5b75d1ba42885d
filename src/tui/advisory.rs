//! The advisory: its form with what is missing, and how it would read in each format.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::form;
use super::theme::Theme;
use super::{cell, put, rect, row, title, word};
use crate::app::Model;
use crate::app::advisory::{AdvisoryScreen, FIELD_WIDTH};
use crate::app::form::gates::GateState;
use crate::app::layout::{self, ADVISORY_HEAD};

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let Some(advisory) = &model.advisory else { return };
    let width = usize::from(frame.area().width);
    let saved = if advisory.saved { "saved" } else { "made from the case, not saved" };
    let first = format!(" Advisory of {} ({saved})", advisory.case);
    put(frame, row(frame, 0), Line::from(word(&first, width, theme.strong())));
    let style = match advisory.gates.advisory() {
        GateState::Yes => theme.good(),
        GateState::Open => theme.notice(),
        GateState::No => theme.alarm(),
    };
    let gates = format!(" {}", advisory.gates.words());
    put(frame, row(frame, 1), Line::from(word(&gates, width, style)));
    let layout = layout::advisory(model.size);
    let (left, right) = (rect(frame, layout.form), rect(frame, layout.preview));
    if layout.wide || !advisory.in_preview {
        let active = !advisory.in_preview;
        title(
            frame,
            Rect { y: ADVISORY_HEAD, height: 1, ..left },
            &missing(advisory),
            pane(active, theme),
        );
        if advisory.form.rows.is_empty() {
            faults(frame, advisory, left, theme);
        } else {
            form::draw(frame, &advisory.form, left, active, theme);
        }
    }
    if layout.wide || advisory.in_preview {
        let faults = advisory.faults_of_format();
        let words = match faults {
            0 => format!("how it reads: {}", advisory.format),
            count => format!("how it reads: {} ({count} missing or wrong)", advisory.format),
        };
        let head = Rect { y: ADVISORY_HEAD, height: 1, ..right };
        title(frame, head, &words, pane(advisory.in_preview, theme));
        preview(frame, advisory, right, theme);
    }
    if let Some(dialog) = &advisory.dialog {
        form::dialog(frame, model, dialog, theme);
    }
}

fn pane(active: bool, theme: Theme) -> ratatui::style::Style {
    if active { theme.strong() } else { theme.faint() }
}

fn missing(advisory: &AdvisoryScreen) -> String {
    let open = advisory.gates.open_criteria();
    match (advisory.faults.len(), open) {
        (0, 0) => "nothing is missing: it can be written".to_owned(),
        (0, open) => format!("it can be written; questions open: {open}"),
        (count, 0) => format!("{count} missing or wrong"),
        (count, open) => format!("{count} missing or wrong, questions open: {open}"),
    }
}

/// The faults of a draft whose TOML cannot be read.
fn faults(frame: &mut Frame, advisory: &AdvisoryScreen, area: Rect, theme: Theme) {
    let width = usize::from(area.width);
    let field = FIELD_WIDTH.min(width);
    let shown = advisory.fault_rows.iter().skip(advisory.fault_top);
    for (y, fault) in (area.y..area.y + area.height).zip(shown) {
        let line = Line::from(vec![
            word("", 1, theme.plain()),
            cell(&fault.field, field.saturating_sub(1), theme.alarm()),
            cell(&fault.text, width.saturating_sub(field), theme.plain()),
        ]);
        put(frame, Rect { y, height: 1, ..area }, line);
    }
}

fn preview(frame: &mut Frame, advisory: &AdvisoryScreen, area: Rect, theme: Theme) {
    let shown = advisory.preview.iter().skip(advisory.top);
    for (y, line) in (area.y..area.y + area.height).zip(shown) {
        let text = cell(line, usize::from(area.width), theme.plain());
        put(frame, Rect { y, height: 1, ..area }, Line::from(text));
    }
}
