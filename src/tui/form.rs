//! The lines of the advisory form, and the dialog that edits one of them.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use super::theme::Theme;
use super::{cell, put, word};
use crate::app::Model;
use crate::app::form::dialog::{Content, Dialog, Entry};
use crate::app::form::{Form, Row, Standing};
use crate::app::layout::FOOT;
use crate::mail::DisplayText;

/// Columns of the labels.
const LABEL: usize = 16;

/// A line of the form as it is drawn: the row it belongs to, and its text.
struct Drawn {
    row: usize,
    line: Line<'static>,
}

/// Draws the form; faults stand below their field.
pub(super) fn draw(frame: &mut Frame, form: &Form, area: Rect, active: bool, theme: Theme) {
    let width = usize::from(area.width);
    let mut drawn: Vec<Drawn> = Vec::new();
    for (at, row) in form.rows.iter().enumerate() {
        let under = active && at == form.cursor;
        drawn.push(Drawn { row: at, line: field(row, under, width, theme) });
        for fault in &row.faults {
            let text = DisplayText::line(&format!("↳ {}", fault.as_str()));
            // A fault in full where the cursor is, in one line elsewhere.
            let lines = if at == form.cursor {
                text.wrap(width.saturating_sub(4).max(10))
            } else {
                vec![text]
            };
            for text in lines {
                let words = cell(&text, width.saturating_sub(3), theme.faint());
                drawn.push(Drawn { row: at, line: Line::from(vec![Span::raw("   "), words]) });
            }
        }
    }
    let height = usize::from(area.height);
    let last = drawn.iter().rposition(|line| line.row == form.cursor).unwrap_or(0);
    // The cursor's row with its faults stays in sight, with a few lines below it.
    let top = (last + 4).min(drawn.len()).saturating_sub(height);
    for (y, line) in (area.y..area.y + area.height).zip(drawn.into_iter().skip(top)) {
        put(frame, Rect { y, height: 1, ..area }, line.line);
    }
}

fn field(row: &Row, under: bool, width: usize, theme: Theme) -> Line<'static> {
    let (mark, style) = match row.standing {
        Standing::Faulty => ("!", theme.alarm()),
        Standing::Wanted => ("?", theme.notice()),
        Standing::Optional => (" ", theme.faint()),
        Standing::Filled => ("✓", theme.good()),
    };
    let base = if under { theme.cursor() } else { theme.plain() };
    let styled = |style| if under { base } else { style };
    let value = match (row.value.as_str(), row.standing) {
        ("", Standing::Faulty) => DisplayText::line("«missing»"),
        ("", Standing::Wanted) => DisplayText::line("«missing, not required»"),
        ("", _) => DisplayText::line("–"),
        _ => row.value.clone(),
    };
    let value_style = if row.value.as_str().is_empty() { style } else { theme.plain() };
    Line::from(vec![
        word(&format!(" {mark} "), 3, styled(style)),
        word(&row.label, LABEL.min(width / 3), styled(theme.key())),
        cell(&value, width.saturating_sub(3 + LABEL.min(width / 3)), styled(value_style)),
    ])
}

/// Draws the dialog over the screen and puts the terminal's cursor into its entry.
pub(super) fn dialog(frame: &mut Frame, model: &Model, dialog: &Dialog, theme: Theme) {
    let size = frame.area();
    let room = Rect { height: size.height.saturating_sub(FOOT), ..size };
    let width = room.width.min(100);
    let wanted = dialog.entries.len() + 1 + dialog.list.len().min(12) + 2;
    let height = room.height.min(u16::try_from(wanted).unwrap_or(u16::MAX));
    let area = Rect { x: (room.width - width) / 2, y: (room.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let heading = word(&dialog.title, dialog.title.len().min(usize::from(width)), theme.strong());
    let block = Block::bordered().title(Line::from(heading));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let bottom = inner.y + inner.height;
    let mut y = inner.y;
    for (at, entry) in dialog.entries.iter().enumerate() {
        if y < bottom {
            let line = Rect { y, height: 1, ..inner };
            draw_entry(frame, entry, line, at == dialog.at && shows_cursor(model), theme);
        }
        y += 1;
    }
    if y < bottom {
        let fault = dialog.fault.as_ref().map_or("", |fault| fault.as_str());
        let line = word(&format!(" {fault}"), usize::from(inner.width), theme.notice());
        put(frame, Rect { y, height: 1, ..inner }, Line::from(line));
        y += 1;
    }
    let height = usize::from(bottom.saturating_sub(y));
    let first = dialog.chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(height));
    for (y, (at, line)) in (y..bottom).zip(dialog.list.iter().enumerate().skip(first)) {
        let style = if dialog.chosen == Some(at) { theme.cursor() } else { theme.plain() };
        let text = DisplayText::line(&format!(" {}", line.as_str()));
        put(
            frame,
            Rect { y, height: 1, ..inner },
            Line::from(cell(&text, usize::from(inner.width), style)),
        );
    }
}

fn shows_cursor(model: &Model) -> bool {
    model.prompt.is_none() && model.layer.is_none()
}

fn draw_entry(frame: &mut Frame, entry: &Entry, area: Rect, active: bool, theme: Theme) {
    let label = LABEL.min(usize::from(area.width) / 3);
    let left = u16::try_from(label).unwrap_or(0);
    let style = if active { theme.key() } else { theme.plain() };
    put(
        frame,
        Rect { width: left, ..area },
        Line::from(word(&format!(" {}", entry.label), label, style)),
    );
    let place = Rect { x: area.x + left, width: area.width - left, ..area };
    match &entry.content {
        Content::Text(line) if line.text().is_empty() && !active => {
            put(frame, place, Line::styled(entry.hint, theme.faint()));
        }
        Content::Text(line) => {
            frame.render_widget(line.area(), place);
            if line.text().is_empty() {
                let behind = Rect { x: place.x + 1, width: place.width.saturating_sub(1), ..place };
                put(frame, behind, Line::styled(entry.hint, theme.faint()));
            }
            if active {
                let column = u16::try_from(line.area().screen_cursor().col).unwrap_or(0);
                let x = place.x + column.min(place.width.saturating_sub(1));
                frame.set_cursor_position(Position { x, y: place.y });
            }
        }
        Content::Choice { words, at } => {
            let mut spans = Vec::new();
            let whole: usize = words.iter().map(|word| word.len() + 2).sum();
            if whole > usize::from(place.width) {
                // Not all of them fit: the chosen one, and where it is among them.
                let style = if active { theme.cursor() } else { theme.good() };
                spans.push(Span::styled(format!(" {} ", entry.value()), style));
                let of = format!("  {} of {}, ← →", at + 1, words.len());
                spans.push(Span::styled(of, theme.faint()));
                return put(frame, place, Line::from(spans));
            }
            for (position, word) in words.iter().enumerate() {
                let chosen = position == *at;
                let style = match (chosen, active) {
                    (true, true) => theme.cursor(),
                    (true, false) => theme.good(),
                    _ => theme.faint(),
                };
                spans.push(Span::styled(format!(" {word} "), style));
            }
            put(frame, place, Line::from(spans));
        }
    }
}
