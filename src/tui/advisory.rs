//! The advisory: what is missing, and how it would read.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::theme::Theme;
use super::{cell, put, row, title, word};
use crate::app::Model;
use crate::app::layout::FOOT;

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let Some(advisory) = &model.advisory else { return };
    let size = frame.area();
    let width = usize::from(size.width);
    let saved = if advisory.saved { "saved" } else { "made from the case, not saved" };
    let first = format!(" Advisory of {} ({saved})", advisory.case);
    put(frame, row(frame, 0), Line::from(word(&first, width, theme.strong())));
    put(frame, row(frame, 1), Line::from(cell(&advisory.gate, width, theme.notice())));
    let faults = advisory.faults.len();
    let words = if faults == 0 {
        "nothing is missing: it can be written".to_owned()
    } else {
        format!("{faults} missing or wrong")
    };
    let active = |is: bool| if is { theme.strong() } else { theme.faint() };
    title(frame, row(frame, 2), &words, active(!advisory.in_preview));
    let height = usize::from(size.height.saturating_sub(4 + FOOT) / 2).min(faults);
    let mut y = 3;
    for fault in advisory.faults.iter().skip(advisory.fault_top).take(height) {
        let format = fault.format.as_deref().map_or_else(String::new, |f| format!(" ({f})"));
        let line = Line::from(vec![
            word(&format!(" {}{format}", fault.field), 26.min(width), theme.alarm()),
            cell(&fault.fault, width.saturating_sub(26), theme.plain()),
        ]);
        put(frame, row(frame, y), line);
        y += 1;
    }
    title(frame, row(frame, y), "how it reads", active(advisory.in_preview));
    let bottom = size.height.saturating_sub(FOOT);
    let area = Rect {
        x: 1,
        y: y + 1,
        width: size.width.saturating_sub(2),
        height: bottom.saturating_sub(y + 1),
    };
    let wrapped =
        advisory.preview.iter().flat_map(|line| line.wrap(usize::from(area.width).max(10)));
    let window = wrapped.skip(advisory.top).take(usize::from(area.height));
    for (y, line) in (area.y..bottom).zip(window) {
        let at = Rect { y, height: 1, ..area };
        put(frame, at, Line::from(cell(&line, usize::from(area.width), theme.plain())));
    }
}
