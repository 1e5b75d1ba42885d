//! A draft being edited.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::theme::Theme;
use super::{put, row, title, word};
use crate::app::Model;
use crate::app::editor::Purpose;
use crate::app::layout::FOOT;

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let Some(editor) = &model.editor else { return };
    let size = frame.area();
    let width = usize::from(size.width);
    let (first, second) = match &editor.purpose {
        Purpose::Reply { to, subject, template } => (
            format!(" Reply draft ({template}) to {}", to.join(", ")),
            format!(" Subject: {subject}"),
        ),
        Purpose::Advisory => (
            " Advisory draft, as TOML".to_owned(),
            " saving checks it; leaving shows every fault with its line".to_owned(),
        ),
    };
    put(frame, row(frame, 0), Line::from(word(&first, width, theme.strong())));
    put(frame, row(frame, 1), Line::from(word(&second, width, theme.plain())));
    let state = if editor.is_changed() { "not saved" } else { "saved" };
    let mut y = 2;
    let room = size.height.saturating_sub(FOOT + 4).min(6);
    let warnings = editor.warnings.iter().flat_map(|text| text.wrap(width.saturating_sub(3)));
    for line in warnings.take(usize::from(room)) {
        let words = format!(" ! {}", line.as_str());
        put(frame, row(frame, y), Line::from(word(&words, width, theme.alarm())));
        y += 1;
    }
    title(frame, row(frame, y), state, theme.faint());
    y += 1;
    let area = Rect {
        x: 1,
        y,
        width: size.width.saturating_sub(2),
        height: size.height.saturating_sub(y + FOOT),
    };
    frame.render_widget(&editor.area, area);
    if model.prompt.is_none() && model.layer.is_none() {
        let cursor = editor.area.screen_cursor();
        let (top, left) = editor.area.scroll_offset();
        let x = u16::try_from(cursor.col).unwrap_or(u16::MAX).saturating_sub(left);
        let y = u16::try_from(cursor.row).unwrap_or(u16::MAX).saturating_sub(top);
        let x = (area.x + x.min(area.width.saturating_sub(1))).min(size.width.saturating_sub(1));
        let y = (area.y + y.min(area.height.saturating_sub(1))).min(size.height.saturating_sub(1));
        frame.set_cursor_position(Position { x, y });
    }
}
