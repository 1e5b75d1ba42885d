//! The list of cases.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{cell, put, row, word};
use crate::app::layout::{QUEUE_HEAD, queue_height};
use crate::app::material;
use crate::app::row::CaseRow;
use crate::app::{Model, SyncState};
use crate::command::Command;
use crate::domain::deadline::{self, Deadline, DeadlineKind as Kind, DeadlineStatus as Status};

/// Widths of the columns on a screen so many columns wide; each holds a blank at its end.
struct Columns {
    clock: usize,
    reporter: usize,
    subject: usize,
    state: usize,
    suggestion: usize,
}

const MARKS: usize = 2;
const CASE: usize = 9;
const AGE: usize = 5;

impl Columns {
    fn of(width: usize) -> Self {
        let (clock, reporter, state, suggestion) = match width {
            0..70 => (7, 0, 0, 13),
            70..100 => (7, 19, 0, 16),
            100..130 => (13, 22, 0, 19),
            130..160 => (13, 30, 13, 19),
            _ => (13, width / 4, 13, 26),
        };
        let taken = MARKS + CASE + AGE + clock + reporter + state + suggestion;
        Self { clock, reporter, subject: width.saturating_sub(taken), state, suggestion }
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
    if queue.fresh_count() > 0 {
        left = format!("{left}, +{} new", queue.fresh_count());
    }
    if queue.loading {
        left.push_str(", reading…");
    }
    if model.read_only {
        left.push_str(", READ-ONLY");
    }
    let right = model.sync.words();
    let area = row(frame, 0);
    let width = usize::from(area.width);
    let right_width = (crate::mail::DisplayText::line(&right).width() + 1).min(width / 2);
    let spans = vec![
        word(&left, width.saturating_sub(right_width + 1), theme.strong()),
        word("", 1, theme.strong()),
        word(&right, right_width, theme.notice()),
    ];
    put(frame, area, Line::from(spans));
}

fn heads(frame: &mut Frame, columns: &Columns, theme: Theme) {
    let style = theme.faint();
    let spans = vec![
        word("", MARKS, style),
        word("CASE", CASE, style),
        word("AGE", AGE, style),
        word("CLOCK", columns.clock, style),
        word("REPORTER", columns.reporter, style),
        word("SUBJECT", columns.subject.saturating_sub(1), style),
        word("", 1, style),
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
    let (clock, clock_style) = clock(case, columns.clock, model, theme);
    let fresh = match (model.queue.is_marked(case.number), model.queue.is_fresh(case.number)) {
        (true, _) => "▌",
        (false, true) => "+",
        (false, false) => "",
    };
    // A rescued mail is more than its warnings: nobody who reads the server's inbox has seen it.
    let (mark, mark_style) = match (case.rescued, case.warned) {
        (true, _) => ("J", theme.notice()),
        (false, true) => ("!", theme.alarm()),
        (false, false) => ("", theme.plain()),
    };
    let reporter = columns.reporter.saturating_sub(1);
    Line::from(vec![
        word(fresh, 1, styled(theme.good())),
        word(mark, 1, styled(mark_style)),
        Span::styled(lit.to_owned(), styled(theme.key())),
        word(rest, CASE.saturating_sub(lit.len()), styled(theme.faint())),
        word(&age(case.last, model.now), AGE, base),
        word(&clock, columns.clock, styled(clock_style)),
        cell(&case.reporter_in(reporter), reporter, base),
        word("", usize::from(columns.reporter > 0), base),
        cell(&case.subject_shown, columns.subject.saturating_sub(1), base),
        word("", 1, base),
        word(case.state.as_str(), columns.state, styled(theme.faint())),
        word(
            &outcome(case, columns.suggestion),
            columns.suggestion,
            styled(outcome_style(case, theme)),
        ),
    ])
}

/// The decision, or the suggestion with a mark that it is one; the clause only where it fits whole.
fn outcome(case: &CaseRow, columns: usize) -> String {
    let words = material::outcome_words(case);
    match words.split_once(' ') {
        Some((first, _)) if words.len() > columns => first.to_owned(),
        _ => words,
    }
}

fn outcome_style(case: &CaseRow, theme: Theme) -> Style {
    if case.disposition.is_some() { theme.good() } else { theme.notice() }
}

/// The clock that runs out next, and how much is left of it: `answer 6d`, overdue `answer -2d`. In a narrow
/// column `A` stands for the answer and `P` for publishing.
fn clock(case: &CaseRow, columns: usize, model: &Model, theme: Theme) -> (String, Style) {
    if case.queued.is_some() {
        return ("outbox".into(), theme.good());
    }
    let deadlines = case.deadlines(&model.policy.periods, model.now);
    let running = |d: &&Deadline| {
        matches!(d.status, Status::Running | Status::DueSoon | Status::Overdue | Status::Paused)
            && d.kind != Kind::Update
    };
    let Some(next) = deadlines.iter().filter(running).min_by_key(|d| d.due) else {
        return (String::new(), theme.faint());
    };
    let word = match (next.kind, columns < 12) {
        (Kind::Acknowledge, true) => "A",
        (Kind::Acknowledge, false) => "answer",
        (_, true) => "P",
        (_, false) => "publish",
    };
    let left =
        next.due.map_or_else(|| next.status.as_str().to_owned(), |due| short(due, model.now));
    (format!("{word} {left}"), clock_style(next.status, theme))
}

/// Time left, such as `6d`; time over with a minus; from 100 days on in weeks, so that it stays in its column.
fn short(due: Timestamp, now: Timestamp) -> String {
    let (sign, from, to) = if due < now { ("-", due, now) } else { ("", now, due) };
    match to.duration_since(from).as_hours() / 24 {
        0..100 => format!("{sign}{}", deadline::age(from, to)),
        days @ 100..700 => format!("{sign}{}w", days / 7),
        days => format!("{sign}{}y", days / 365),
    }
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
    let key =
        |command: Command| model.key_of(command).unwrap_or_else(|| format!(":{}", command.name()));
    let words = match (model.queue.loading, all) {
        (true, _) => "reading the store…".to_owned(),
        (false, 0) if model.sync == SyncState::Off => {
            "no mail yet: `casebook import FILE` takes mails in, `casebook init` sets an account up"
                .into()
        }
        (false, 0) => format!("no mail yet: {} pulls it", key(Command::Sync)),
        (false, _) if !model.queue.filter.is_empty() => {
            format!("no case fits; {} drops the filter", key(Command::Back))
        }
        (false, _) => {
            let view = model.queue.view.as_str();
            format!("no {view} case: all done; {} shows the others", key(Command::CycleFilter))
        }
    };
    let area = row(frame, QUEUE_HEAD + 1);
    let area = Rect { x: 2, width: area.width.saturating_sub(2), ..area };
    put(frame, area, Line::styled(words, theme.faint()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_never_gets_much_less_from_a_wider_screen() {
        for width in 80..250 {
            let (narrow, wide) = (Columns::of(width), Columns::of(width + 1));
            assert!(wide.subject + 12 >= narrow.subject, "{width}");
            assert!(wide.subject >= 20, "{width}");
        }
    }

    #[test]
    fn time_left_stays_in_its_column() {
        let now = Timestamp::from_second(2_000_000_000).unwrap_or_default();
        for days in -3_000..3_000_i64 {
            let due = Timestamp::from_second(2_000_000_000 + days * 86_400).unwrap_or_default();
            let words = short(due, now);
            // "A " before it and a space behind it, in seven columns.
            assert!(words.len() <= 4, "{words}");
        }
        let at =
            |days: i64| Timestamp::from_second(2_000_000_000 + days * 86_400).unwrap_or_default();
        assert_eq!(
            ["6d", "-2d", "-14w", "-1y"],
            [6, -2, -100, -720].map(|d| short(at(d), now)).each_ref().map(String::as_str)
        );
    }
}
