//! Help, choices and texts above a screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use super::theme::Theme;
use super::{cell, claims, put, word};
use crate::app::layer::{KEYS_WIDTH, Layer, help_names};
use crate::app::layout::FOOT;
use crate::mail::DisplayText;

pub(super) fn draw(frame: &mut Frame, layer: &Layer, theme: Theme) {
    let size = frame.area();
    let room = Rect { height: size.height.saturating_sub(FOOT), ..size };
    let lines = match layer {
        Layer::Help(help) => help.lines.len(),
        Layer::Choice(choice) => choice.options.len(),
        Layer::Text(text) => text.lines.len().max(1),
        Layer::Reply(reply) => reply.lines.len(),
        Layer::Claims(table) => table.lines(),
    };
    let width = layer.width((room.width, room.height));
    let height = room.height.min(u16::try_from(lines + 2).unwrap_or(u16::MAX));
    let area = Rect { x: (room.width - width) / 2, y: (room.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let heading =
        format!(" {}{} ", layer.title(), place(layer, usize::from(height.saturating_sub(2))));
    let heading = Span::styled(heading, theme.strong());
    let block = Block::bordered().title(Line::from(heading));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inside(frame, layer, inner, theme);
}

/// Which lines are shown, where not all are.
fn place(layer: &Layer, height: usize) -> String {
    let height = if let Layer::Claims(table) = layer { table.room(height) } else { height };
    let (top, count) = match layer {
        Layer::Help(help) => (help.top, help.lines.len()),
        Layer::Text(text) => (text.top, text.lines.len()),
        Layer::Reply(reply) => (reply.top, reply.lines.len()),
        Layer::Claims(table) => (table.top, table.rows.len()),
        Layer::Choice(_) => (0, 0),
    };
    if count <= height {
        return String::new();
    }
    format!(", lines {}–{} of {count}", top + 1, (top + height).min(count))
}

fn inside(frame: &mut Frame, layer: &Layer, area: Rect, theme: Theme) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let lines: Vec<Line<'_>> = match layer {
        Layer::Claims(table) => return claims::draw(frame, table, area, theme),
        Layer::Help(help) => {
            let names = help_names(width);
            let rows = help.lines.iter().skip(help.top).take(height);
            rows.map(|line| {
                Line::from(vec![
                    word("", 1, theme.plain()),
                    cell(&line.keys, KEYS_WIDTH - 1, theme.key()),
                    word(line.name, names, theme.plain()),
                    cell(&line.text, width.saturating_sub(KEYS_WIDTH + names), theme.plain()),
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
        Layer::Text(text) => page(&text.lines, text.top, (width, height), theme),
        Layer::Reply(reply) => page(&reply.lines, reply.top, (width, height), theme),
    };
    for (y, line) in (area.y..area.y + area.height).zip(lines) {
        put(frame, Rect { y, height: 1, ..area }, line);
    }
}

/// The lines from `top` on that an area of `size` has room for.
fn page(
    lines: &[DisplayText],
    top: usize,
    size: (usize, usize),
    theme: Theme,
) -> Vec<Line<'static>> {
    let shown = lines.iter().skip(top).take(size.1);
    shown.map(|line| Line::from(cell(line, size.0, theme.plain()))).collect()
}
