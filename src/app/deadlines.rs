//! Every open clock of every case by time left: the deadlines screen and `casebook deadlines`.

use jiff::Timestamp;

use super::row::CaseRow;
use crate::domain::CaseId;
use crate::domain::deadline::{Deadline, DeadlineKind as Kind, DeadlineStatus as Status};
use crate::domain::policy::Periods;
use crate::export::ics;
use crate::mail::DisplayText;

/// One clock with its case.
#[derive(Clone, Debug)]
pub struct ClockLine {
    /// The store's number of the case.
    pub number: u64,
    /// The case.
    pub case: CaseId,
    /// How many letters of the id tell it from all others.
    pub unique: usize,
    /// Its subject, fit for the screen.
    pub subject: DisplayText,
    /// The clock.
    pub deadline: Deadline,
}

/// All open clocks, least time left first; those without an end that can be told stand last.
pub fn lines<'r>(
    rows: impl Iterator<Item = &'r CaseRow>,
    periods: &Periods,
    now: Timestamp,
) -> Vec<ClockLine> {
    let of_row = |row: &'r CaseRow| {
        row.open_clocks(periods, now).into_iter().map(move |deadline| ClockLine {
            number: row.number,
            case: row.id.clone(),
            unique: row.unique,
            subject: row.subject_shown.clone(),
            deadline,
        })
    };
    let mut all: Vec<ClockLine> = rows.flat_map(of_row).collect();
    all.sort_by(|a, b| {
        let key = |line: &ClockLine| (line.deadline.due.is_none(), line.deadline.due, line.number);
        (key(a), a.deadline.kind).cmp(&(key(b), b.deadline.kind))
    });
    all
}

/// The clocks whose ends are known as a calendar.
pub fn calendar(lines: &[ClockLine], now: Timestamp) -> String {
    let entry = |line: &ClockLine| {
        Some(ics::Entry {
            case: line.case.to_string(),
            kind: line.deadline.kind.as_str().to_owned(),
            due: line.deadline.due?,
        })
    };
    ics::write(&lines.iter().filter_map(entry).collect::<Vec<_>>(), now)
}

/// What a clock waits for, in a few words.
pub const fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Acknowledge => "first answer",
        Kind::Update => "update to the reporter",
        Kind::Publish => "fixed release, end of the embargo",
        Kind::Nudge => "reminder to the reporter",
        Kind::Close => "closing for want of an answer",
    }
}

/// The reply template that fits a clock.
pub const fn template(kind: Kind) -> &'static str {
    match kind {
        Kind::Acknowledge => crate::reply::ACKNOWLEDGE,
        Kind::Update => crate::reply::HOLDING,
        Kind::Publish => crate::reply::EXTENSION,
        Kind::Nudge => crate::reply::NUDGE,
        Kind::Close => crate::reply::CLOSE,
    }
}

/// The template for the clock of a case that presses most; a holding note where none does.
pub fn pressing(row: &CaseRow, periods: &Periods, now: Timestamp) -> &'static str {
    let clocks = row.open_clocks(periods, now).into_iter();
    let presses = clocks.filter(|clock| matches!(clock.status, Status::Overdue | Status::DueSoon));
    // Of a reminder and closing that are both due, the later step says more.
    let first = presses.min_by_key(|clock| (clock.kind == Kind::Nudge, clock.due));
    match (first, row.first_answer) {
        (Some(clock), _) => template(clock.kind),
        (None, None) => crate::reply::ACKNOWLEDGE,
        (None, Some(_)) => crate::reply::HOLDING,
    }
}

/// The deadlines screen.
#[derive(Debug, Default)]
pub struct DeadlinesScreen {
    /// The clocks in their order.
    pub lines: Vec<ClockLine>,
    /// The line under the cursor.
    pub cursor: usize,
    /// First line shown.
    pub top: usize,
}

impl DeadlinesScreen {
    /// Takes the clocks anew; the cursor stays on its clock.
    pub fn refresh(&mut self, lines: Vec<ClockLine>) {
        let at = self.current().map(|line| (line.number, line.deadline.kind));
        self.lines = lines;
        let same = |line: &ClockLine| Some((line.number, line.deadline.kind)) == at;
        let last = self.lines.len().saturating_sub(1);
        self.cursor = self.lines.iter().position(same).unwrap_or(self.cursor.min(last));
    }

    /// The clock under the cursor.
    pub fn current(&self) -> Option<&ClockLine> {
        self.lines.get(self.cursor)
    }

    /// Moves the cursor by lines.
    pub fn step(&mut self, lines: isize) {
        let last = self.lines.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }

    /// Scrolls so that the cursor is on a screen of `height` lines.
    pub fn keep_in_sight(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height), self.cursor);
        self.top = self.top.min(self.lines.len().saturating_sub(height));
    }
}
