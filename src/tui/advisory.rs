//! The advisory: what is missing, and how it would read.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::theme::Theme;
use super::{cell, put, rect, row, title, word};
use crate::app::Model;
use crate::app::advisory::FIELD_WIDTH;
use crate::app::layout::{self, ADVISORY_HEAD};

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let Some(advisory) = &model.advisory else { return };
    let width = usize::from(frame.area().width);
    let areas = layout::advisory(model.size, advisory.fault_rows.len());
    let saved = if advisory.saved { "saved" } else { "made from the case, not saved" };
    let first = format!(" Advisory of {} ({saved})", advisory.case);
    put(frame, row(frame, 0), Line::from(word(&first, width, theme.strong())));
    put(frame, row(frame, 1), Line::from(cell(&advisory.gate, width, theme.notice())));
    let words = match advisory.faults.len() {
        0 => "nothing is missing: it can be written".to_owned(),
        faults => format!("{faults} missing or wrong"),
    };
    let active = |is: bool| if is { theme.strong() } else { theme.faint() };
    title(frame, row(frame, ADVISORY_HEAD), &words, active(!advisory.in_preview));
    let area = rect(frame, areas.faults);
    let shown = advisory.fault_rows.iter().skip(advisory.fault_top);
    for (y, fault) in (area.y..area.y + area.height).zip(shown) {
        let field = FIELD_WIDTH.min(width).saturating_sub(1);
        let line = Line::from(vec![
            word("", 1, theme.plain()),
            cell(&fault.field, field.saturating_sub(1), theme.alarm()),
            word("", 1, theme.plain()),
            cell(&fault.text, width.saturating_sub(field + 1), theme.plain()),
        ]);
        put(frame, Rect { y, height: 1, ..area }, line);
    }
    let area = rect(frame, areas.preview);
    let above = row(frame, areas.preview.y.saturating_sub(1));
    title(frame, above, "how it reads", active(advisory.in_preview));
    let shown = advisory.preview.iter().skip(advisory.top);
    for (y, line) in (area.y..area.y + area.height).zip(shown) {
        let text = cell(line, usize::from(area.width), theme.plain());
        put(frame, Rect { y, height: 1, ..area }, Line::from(text));
    }
}
