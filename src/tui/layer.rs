//! Help, choices and texts above a screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use super::theme::Theme;
use super::{cell, put, word};
use crate::app::layer::Layer;
use crate::app::layout::FOOT;

pub(super) fn draw(frame: &mut Frame, layer: &Layer, theme: Theme) {
    let size = frame.area();
    let room = Rect { height: size.height.saturating_sub(FOOT), ..size };
    let (width, lines) = match layer {
        Layer::Help(help) => (100, help.rows.len()),
        Layer::Choice(choice) => (60, choice.options.len()),
        Layer::Text(text) => (120, text.lines.len().max(3)),
    };
    let width = room.width.min(width);
    let height = room.height.min(u16::try_from(lines + 2).unwrap_or(u16::MAX));
    let area = Rect { x: (room.width - width) / 2, y: (room.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let heading = word(layer.title(), layer.title().len().min(usize::from(width)), theme.strong());
    let block = Block::bordered().title(Line::from(heading));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inside(frame, layer, inner, theme);
}

fn inside(frame: &mut Frame, layer: &Layer, area: Rect, theme: Theme) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let lines: Vec<Line<'_>> = match layer {
        Layer::Help(help) => {
            let rows = help.rows.iter().skip(help.top).take(height);
            rows.map(|row| {
                let what = if row.args.is_empty() {
                    row.doc.to_owned()
                } else {
                    format!("{} ({})", row.doc, row.args)
                };
                Line::from(vec![
                    word(&format!(" {}", row.keys.join(", ")), 22, theme.key()),
                    word(row.name, 20, theme.plain()),
                    Span::styled(what, theme.faint()),
                ])
            })
            .collect()
        }
        Layer::Choice(choice) => {
            let first = (choice.cursor + 1).saturating_sub(height);
            let options = choice.options.iter().enumerate().skip(first).take(height);
            options
                .map(|(at, (name, what))| {
                    let style = if at == choice.cursor { theme.cursor() } else { theme.plain() };
                    Line::from(word(&format!(" {name:<24}{what}"), width, style))
                })
                .collect()
        }
        Layer::Text(text) => {
            let shown = text.lines.iter().skip(text.top).take(height);
            shown.map(|line| Line::from(cell(line, width, theme.plain()))).collect()
        }
    };
    for (y, line) in (area.y..area.y + area.height).zip(lines) {
        put(frame, Rect { y, height: 1, ..area }, line);
    }
}
