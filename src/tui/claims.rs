//! The table of claims: the sum, the claims, and all about the one under the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::theme::Theme;
use super::{cell, put, word};
use crate::app::claims::{ClaimsTable, DETAIL, ShownClaim, Sight};
use crate::mail::DisplayText;

/// Columns of what was found and of the kind.
const WORD: usize = 11;

/// From this width on, the place stands beside the claim.
const WIDE: usize = 100;

pub(super) fn draw(frame: &mut Frame, table: &ClaimsTable, area: Rect, theme: Theme) {
    let width = usize::from(area.width);
    let room = table.room(usize::from(area.height));
    let mut lines: Vec<Line<'_>> = Vec::new();
    lines.extend(table.head.iter().map(|line| Line::from(cell(line, width, theme.strong()))));
    if !table.rows.is_empty() {
        lines.push(Line::default());
        let window = table.rows.iter().enumerate().skip(table.top).take(room);
        lines.extend(window.map(|(at, row)| claim(row, at == table.cursor, width, theme)));
        lines.push(Line::default());
        lines.extend(detail(table, width, theme));
    }
    for (y, line) in (area.y..area.y + area.height).zip(lines) {
        put(frame, Rect { y, height: 1, ..area }, line);
    }
}

const fn style(sight: Sight, theme: Theme) -> Style {
    match sight {
        Sight::Good => theme.good(),
        Sight::Notice => theme.notice(),
        Sight::Alarm => theme.alarm(),
        Sight::Faint => theme.faint(),
    }
}

fn claim(row: &ShownClaim, under_cursor: bool, width: usize, theme: Theme) -> Line<'static> {
    let base = if under_cursor { theme.cursor() } else { theme.plain() };
    let styled = |style: Style| if under_cursor { base } else { style };
    let left = width.saturating_sub(2 * WORD + 1);
    let name_width = if width >= WIDE { left * 2 / 5 } else { left };
    let place_width = left - name_width;
    let mut name = vec![
        word(" ", 1, base),
        word(row.word, WORD, styled(style(row.sight, theme))),
        word(row.kind, WORD, styled(theme.faint())),
        cell(&row.name, name_width.saturating_sub(1), base),
        word("", 1, base),
    ];
    if place_width > 0 {
        name.push(cell(&row.place, place_width, styled(theme.plain())));
    }
    Line::from(name)
}

/// Where the claim is or why not, and the words that make it.
fn detail(table: &ClaimsTable, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let Some(row) = table.current() else { return Vec::new() };
    let room = width.saturating_sub(2).max(10);
    let quoted = row.evidence.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted = format!("line {}: “{quoted}”", row.evidence.line);
    let place = row.place.wrap(room).into_iter().take(DETAIL - 1);
    let mut lines: Vec<(DisplayText, Style)> = place.map(|line| (line, theme.plain())).collect();
    lines.push((DisplayText::line(&quoted).fit(room), theme.lit()));
    let line = |(text, style): &(DisplayText, Style)| {
        Line::from(vec![word(" ", 1, theme.plain()), cell(text, room, *style)])
    };
    lines.iter().map(line).collect()
}
