//! Every open clock by time left.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::queue::clock_style;
use super::theme::Theme;
use super::{cell, put, row, word};
use crate::app::Model;
use crate::app::deadlines::{ClockLine, meaning};
use crate::app::layout::{QUEUE_HEAD, deadlines_height};
use crate::app::when;
use crate::domain::deadline::time_left;

const CASE: usize = 9;
const KIND: usize = 12;
const LEFT: usize = 10;
const STATUS: usize = 10;

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let Some(screen) = &model.deadlines else { return };
    let width = usize::from(frame.area().width);
    let at = if screen.lines.is_empty() { 0 } else { screen.cursor + 1 };
    let head = format!(" deadlines  {at}/{}, least time left first", screen.lines.len());
    put(frame, row(frame, 0), Line::from(word(&head, width, theme.strong())));
    let faint = theme.faint();
    let subject = width.saturating_sub(1 + CASE + KIND + LEFT + STATUS);
    let heads = vec![
        word("", 1, faint),
        word("CASE", CASE, faint),
        word("CLOCK", KIND, faint),
        word("LEFT", LEFT, faint),
        word("STATUS", STATUS, faint),
        word("SUBJECT", subject, faint),
    ];
    put(frame, row(frame, 1), Line::from(heads));
    let height = deadlines_height(model.size);
    let window = screen.lines.iter().enumerate().skip(screen.top).take(height);
    for (y, (at, line)) in (QUEUE_HEAD..).zip(window) {
        let line = clock_line(line, at == screen.cursor, subject, model, theme);
        put(frame, row(frame, y), line);
    }
    let y = QUEUE_HEAD + u16::try_from(height).unwrap_or(0);
    let below = Rect { y, height: 1, ..frame.area() }.intersection(frame.area());
    let words =
        screen.current().map_or_else(|| " no clock is open".to_owned(), |line| detail(line, model));
    put(frame, below, Line::from(word(&words, width, theme.notice())));
}

fn clock_line(
    line: &ClockLine,
    under_cursor: bool,
    subject: usize,
    model: &Model,
    theme: Theme,
) -> Line<'static> {
    let base = if under_cursor { theme.cursor() } else { theme.plain() };
    let deadline = &line.deadline;
    let colour = if under_cursor { base } else { clock_style(deadline.status, theme) };
    let key = if under_cursor { base } else { theme.key() };
    let (lit, rest) =
        line.case.as_str().split_at_checked(line.unique.max(1)).unwrap_or((line.case.as_str(), ""));
    let left = deadline.due.map_or_else(|| "-".to_owned(), |due| time_left(due, model.now));
    Line::from(vec![
        word("", 1, base),
        Span::styled(lit.to_owned(), key),
        word(rest, CASE.saturating_sub(lit.len()), base),
        word(deadline.kind.as_str(), KIND, base),
        word(&left, LEFT, colour),
        word(deadline.status.as_str(), STATUS, colour),
        cell(&line.subject, subject, base),
    ])
}

/// When the clock under the cursor ends, in UTC and here, and what it waits for.
fn detail(line: &ClockLine, model: &Model) -> String {
    let deadline = &line.deadline;
    let due = deadline.due.map(|due| when::both(due, &model.zone));
    let parts = [Some(meaning(deadline.kind).to_owned()), due, deadline.why.clone()];
    format!(" {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
