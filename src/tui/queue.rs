//! The list of cases.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{cell, put, row, word};
use crate::app::layout::{QUEUE_HEAD, queue_height};
use crate::app::row::CaseRow;
use crate::app::{Model, SyncState};
use crate::domain::deadline::{
    Deadline, DeadlineKind as Kind, DeadlineStatus as Status, time_left,
};

/// Widths of the columns on a screen so many columns wide.
struct Columns {
    reporter: usize,
    subject: usize,
    state: usize,
    suggestion: usize,
}

const CASE: usize = 9;
const AGE: usize = 5;
const CLOCK: usize = 11;

impl Columns {
    fn of(width: usize) -> Self {
        let (reporter, state, suggestion) = match width {
            0..70 => (0, 0, 12),
            70..100 => (15, 0, 16),
            100..150 => (24, 13, 20),
            _ => (40, 13, 26),
        };
        let taken = 1 + CASE + AGE + CLOCK + reporter + state + suggestion;
        Self { reporter, subject: width.saturating_sub(taken), state, suggestion }
    }
}

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let width = usize::from(frame.area().width);
    head(frame, model, theme);
    let columns = Columns::of(width);
    heads(frame, &columns, theme);
    let height = queue_height(model.size);
    let mut y = QUEUE_HEAD;
    for (case, under_cursor) in model.queue.lines(height) {
        let line = case_line(case, under_cursor, &columns, model, theme);
        put(frame, row(frame, y), line);
        y += 1;
    }
    if y == QUEUE_HEAD {
        empty(frame, model, theme);
    }
}

fn head(frame: &mut Frame, model: &Model, theme: Theme) {
    let (shown, all, at) = model.queue.counts();
    let queue = &model.queue;
    let mut left = format!(
        " casebook  {at}/{shown} {} of {all}, by {}",
        queue.view.as_str(),
        queue.sort.as_str()
    );
    if !queue.filter.is_empty() {
        left = format!("{left}, filter “{}”", queue.filter);
    }
    if queue.loading {
        left.push_str(", reading…");
    }
    if model.read_only {
        left.push_str(", READ-ONLY");
    }
    let right = sync_words(&model.sync);
    let area = row(frame, 0);
    let width = usize::from(area.width);
    let right_width = (crate::mail::DisplayText::line(&right).width() + 1).min(width / 2);
    let spans = vec![
        word(&left, width - right_width, theme.strong()),
        word(&right, right_width, theme.notice()),
    ];
    put(frame, area, Line::from(spans));
}

/// The state of the pull in a few words.
pub(super) fn sync_words(sync: &SyncState) -> String {
    match sync {
        SyncState::Off => "offline".into(),
        SyncState::Idle(words) => words.clone(),
        SyncState::Running { phase, done, total, bytes } => {
            let of = total.map_or_else(String::new, |total| format!("/{total}"));
            format!("{phase} {done}{of}, {}", size_words(*bytes))
        }
    }
}

/// A number of bytes, short.
pub(super) fn size_words(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn heads(frame: &mut Frame, columns: &Columns, theme: Theme) {
    let style = theme.faint();
    let spans = vec![
        word("", 1, style),
        word("CASE", CASE, style),
        word("AGE", AGE, style),
        word("CLOCK", CLOCK, style),
        word("REPORTER", columns.reporter, style),
        word("SUBJECT", columns.subject, style),
        word("STATE", columns.state, style),
        word("SUGGESTION", columns.suggestion, style),
    ];
    put(frame, row(frame, 1), Line::from(spans));
}

fn case_line(
    case: &CaseRow,
    under_cursor: bool,
    columns: &Columns,
    model: &Model,
    theme: Theme,
) -> Line<'static> {
    let base = if under_cursor {
        theme.cursor()
    } else if case.unanswered && case.is_open() {
        theme.strong()
    } else {
        theme.plain()
    };
    let styled = |style: Style| if under_cursor { base } else { style };
    let id = case.id.as_str();
    let (lit, rest) = id.split_at_checked(case.unique.max(1)).unwrap_or((id, ""));
    let (clock, clock_style) = clock(case, model, theme);
    let mark = if case.warned { "!" } else { " " };
    Line::from(vec![
        word(mark, 1, styled(theme.alarm())),
        Span::styled(lit.to_owned(), styled(theme.key())),
        word(rest, CASE.saturating_sub(lit.len()), styled(theme.faint())),
        word(&age(case.last, model.now), AGE, base),
        word(&clock, CLOCK, styled(clock_style)),
        cell(&case.reporter_shown, columns.reporter.saturating_sub(1), base),
        word("", usize::from(columns.reporter > 0), base),
        cell(&case.subject_shown, columns.subject.saturating_sub(1), base),
        word("", 1, base),
        word(case.state.as_str(), columns.state, styled(theme.faint())),
        word(&outcome(case), columns.suggestion, styled(outcome_style(case, theme))),
    ])
}

/// The decision, or the suggestion with a mark that it is one.
fn outcome(case: &CaseRow) -> String {
    if let Some(decided) = case.disposition {
        return decided.to_string();
    }
    let clause = case.suggested_clauses.first().map_or_else(String::new, |id| format!(" {id}"));
    case.suggested.map_or_else(String::new, |suggested| format!("~{suggested}{clause}"))
}

fn outcome_style(case: &CaseRow, theme: Theme) -> Style {
    if case.disposition.is_some() { theme.good() } else { theme.notice() }
}

/// The clock that runs out next: `A` to answer, `P` to publish.
fn clock(case: &CaseRow, model: &Model, theme: Theme) -> (String, Style) {
    let deadlines = case.deadlines(&model.policy.periods, model.now);
    let running = |d: &&Deadline| {
        matches!(d.status, Status::Running | Status::DueSoon | Status::Overdue | Status::Paused)
            && d.kind != Kind::Update
    };
    let Some(next) = deadlines.iter().filter(running).min_by_key(|d| d.due) else {
        return (String::new(), theme.faint());
    };
    let letter = if next.kind == Kind::Acknowledge { 'A' } else { 'P' };
    let left = next.due.map_or_else(String::new, |due| time_left(due, model.now));
    (format!("{letter} {left}"), clock_style(next.status, theme))
}

/// How a clock of this status is shown.
pub(super) fn clock_style(status: Status, theme: Theme) -> Style {
    match status {
        Status::Overdue => theme.alarm(),
        Status::DueSoon => theme.notice(),
        Status::Met => theme.good(),
        Status::Running | Status::Paused | Status::None => theme.plain(),
    }
}

/// How long ago, in the largest unit that fits.
fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        86_400..31_536_000 => format!("{}d", seconds / 86_400),
        _ => format!("{}y", seconds / 31_536_000),
    }
}

fn empty(frame: &mut Frame, model: &Model, theme: Theme) {
    let (_, all, _) = model.queue.counts();
    let words = match (model.queue.loading, all) {
        (true, _) => "reading the store…",
        (false, 0) => "no mail yet: pull it, or `casebook import FILE`",
        (false, _) => "no case fits the view and the filter",
    };
    let area = row(frame, QUEUE_HEAD + 1);
    let area = Rect { x: 2, width: area.width.saturating_sub(2), ..area };
    put(frame, area, Line::styled(words, theme.faint()));
}
