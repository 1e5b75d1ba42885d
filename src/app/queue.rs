//! The list of cases: which are shown, in which order, and where the cursor is.
//!
//! The cursor belongs to a case, not to a line: rows that come or go while a pull runs never move it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::row::CaseRow;
use crate::domain::deadline::{DeadlineKind as Kind, DeadlineStatus as Status};
use crate::domain::policy::Periods;
use crate::domain::{CaseId, Disposition};

/// Which cases are shown, beside the words of the filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum View {
    /// Cases on which somebody has to act.
    #[default]
    Open,
    /// Cases whose newest human message is not ours.
    Unanswered,
    /// Every case.
    All,
}

impl View {
    /// Its word on the screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unanswered => "unanswered",
            Self::All => "all",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Open => Self::Unanswered,
            Self::Unanswered => Self::All,
            Self::All => Self::Open,
        }
    }
}

/// The order of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// Newest message first.
    #[default]
    Newest,
    /// By decision or suggestion: junk first, then what is turned away, then what wants reading.
    Suggestion,
    /// Least time left first; cases without a running clock last.
    Deadline,
    /// By the reporter's address.
    Reporter,
}

impl Sort {
    /// Its word on the screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Suggestion => "suggestion",
            Self::Deadline => "deadline",
            Self::Reporter => "reporter",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Newest => Self::Suggestion,
            Self::Suggestion => Self::Deadline,
            Self::Deadline => Self::Reporter,
            Self::Reporter => Self::Newest,
        }
    }
}

/// The queue screen.
#[derive(Debug, Default)]
pub struct Queue {
    rows: Vec<CaseRow>,
    by_number: HashMap<u64, usize>,
    /// Positions in `rows` of the cases shown, in the order shown.
    shown: Vec<usize>,
    /// The case under the cursor.
    selected: Option<u64>,
    cursor: usize,
    top: usize,
    /// Cases with mail that came in while the screen was open and that nobody has looked at since.
    fresh: HashSet<u64>,
    /// Cases marked for one act on many.
    marked: HashSet<u64>,
    /// Whether rows are still being read from the store.
    pub loading: bool,
    /// Which cases are shown.
    pub view: View,
    /// In which order.
    pub sort: Sort,
    /// Words that every shown case holds.
    pub filter: String,
    /// Words that the search looks for.
    pub search: String,
}

impl Queue {
    /// A queue whose rows are still to come.
    pub fn loading() -> Self {
        Self { loading: true, ..Self::default() }
    }

    /// Adds rows or replaces those of the same case, and drops the cases in `gone`.
    pub fn merge(&mut self, rows: Vec<CaseRow>, gone: &[u64], periods: &Periods, now: Timestamp) {
        for number in gone {
            if let Some(at) = self.by_number.remove(number) {
                self.rows.swap_remove(at);
                self.fresh.remove(number);
                self.marked.remove(number);
                if let Some(moved) = self.rows.get(at) {
                    self.by_number.insert(moved.number, at);
                }
            }
        }
        for row in rows {
            let known = self.row(row.number).map(|known| known.last);
            if !self.loading && row.unanswered && known.is_none_or(|last| last < row.last) {
                self.fresh.insert(row.number);
            }
            match self.by_number.get(&row.number).and_then(|at| self.rows.get_mut(*at)) {
                Some(known) => *known = row,
                None => {
                    self.by_number.insert(row.number, self.rows.len());
                    self.rows.push(row);
                }
            }
        }
        self.refresh(periods, now);
    }

    /// Works out again what is shown, keeping the cursor on its case and the case on its line.
    pub fn refresh(&mut self, periods: &Periods, now: Timestamp) {
        let line = self.cursor.saturating_sub(self.top);
        let words = Words::parse(&self.filter);
        let fits = |row: &CaseRow| words.fit(row, self.view);
        let mut shown: Vec<usize> =
            self.rows.iter().enumerate().filter(|(_, row)| fits(row)).map(|(at, _)| at).collect();
        let row = |at: &usize| self.rows.get(*at);
        match self.sort {
            Sort::Newest => {
                shown.sort_by_key(|at| Reverse(row(at).map(|row| (row.last, Reverse(row.number)))))
            }
            Sort::Suggestion => shown
                .sort_by_key(|at| row(at).map(|row| (weight(row), Reverse(row.last), row.number))),
            Sort::Deadline => shown.sort_by_cached_key(|at| {
                row(at).map(|row| (next_due(row, periods, now), row.number))
            }),
            Sort::Reporter => shown.sort_by_cached_key(|at| {
                row(at)
                    .map(|row| (row.reporter.address.to_lowercase(), Reverse(row.last), row.number))
            }),
        }
        self.shown = shown;
        let same = self.selected.and_then(|number| self.position_of(number));
        self.cursor = same.unwrap_or_else(|| self.cursor.min(self.shown.len().saturating_sub(1)));
        self.top = if self.selected.is_some() { self.cursor.saturating_sub(line) } else { 0 };
        if self.selected.is_none() {
            self.cursor = 0;
        }
        if same.is_none() && self.selected.is_some() {
            self.selected = self.current().map(|row| row.number);
        }
    }

    fn position_of(&self, number: u64) -> Option<usize> {
        let at = self.by_number.get(&number)?;
        self.shown.iter().position(|shown| shown == at)
    }

    /// Moves the cursor by lines.
    pub fn step(&mut self, lines: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
        self.selected = self.current().map(|row| row.number);
    }

    /// Moves the cursor to a line from the first.
    pub fn go_to(&mut self, line: usize) {
        self.cursor = 0;
        self.step(isize::try_from(line).unwrap_or(isize::MAX));
    }

    /// Moves the cursor to a case, if it is shown.
    pub fn select(&mut self, number: u64) {
        if let Some(at) = self.position_of(number) {
            self.go_to(at);
        }
    }

    /// Scrolls so that the cursor is on the screen of `height` lines.
    pub fn keep_in_sight(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height), self.cursor);
        self.top = self.top.min(self.shown.len().saturating_sub(height));
    }

    /// The case under the cursor.
    pub fn current(&self) -> Option<&CaseRow> {
        self.shown.get(self.cursor).and_then(|at| self.rows.get(*at))
    }

    /// The case shown so many lines below this case. Where the case has just left the view, the one that took
    /// its line comes next.
    pub fn neighbour(&self, number: u64, lines: isize) -> Option<&CaseRow> {
        let at = match self.position_of(number) {
            Some(at) => at.checked_add_signed(lines)?,
            None => self.cursor.checked_add_signed(lines.min(0) + isize::from(lines > 1))?,
        };
        self.shown.get(at).and_then(|at| self.rows.get(*at))
    }

    /// Whether a case has mail that nobody has looked at since it came in.
    pub fn is_fresh(&self, number: u64) -> bool {
        self.fresh.contains(&number)
    }

    /// How many cases have such mail.
    pub fn fresh_count(&self) -> usize {
        self.fresh.len()
    }

    /// Notes that a case was looked at.
    pub fn looked_at(&mut self, number: u64) {
        self.fresh.remove(&number);
    }

    /// Marks the case under the cursor or takes its mark back, and moves on. Returns whether there is one.
    pub fn toggle_mark(&mut self) -> bool {
        let Some(number) = self.current().map(|row| row.number) else { return false };
        if !self.marked.remove(&number) {
            self.marked.insert(number);
        }
        self.step(1);
        true
    }

    /// Whether a case is marked.
    pub fn is_marked(&self, number: u64) -> bool {
        self.marked.contains(&number)
    }

    /// How many cases are marked.
    pub fn marked_count(&self) -> usize {
        self.marked.len()
    }

    /// Takes the marks off and gives the marked cases that still exist, in the order of their numbers.
    pub fn take_marked(&mut self) -> Vec<CaseRow> {
        let mut numbers: Vec<u64> = self.marked.drain().collect();
        numbers.sort_unstable();
        numbers.iter().filter_map(|number| self.row(*number).cloned()).collect()
    }

    /// The shown cases, in their order.
    pub fn shown(&self) -> impl Iterator<Item = &CaseRow> {
        self.shown.iter().filter_map(|at| self.rows.get(*at))
    }

    /// Whether a case is in the present selection.
    pub fn shows(&self, case: &CaseId) -> bool {
        self.shown().any(|row| &row.id == case)
    }

    /// The lines on a screen of `height`, each with whether the cursor is on it.
    pub fn lines(&self, height: usize) -> impl Iterator<Item = (&CaseRow, bool)> {
        let cursor = self.cursor;
        let window = self.shown.iter().enumerate().skip(self.top).take(height);
        window.filter_map(move |(line, at)| Some((self.rows.get(*at)?, line == cursor)))
    }

    /// Cases shown, cases known, and the cursor's line from 1.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.shown.len(), self.rows.len(), if self.shown.is_empty() { 0 } else { self.cursor + 1 })
    }

    /// Every known case.
    pub fn all(&self) -> impl Iterator<Item = &CaseRow> {
        self.rows.iter()
    }

    /// Every case that is known, shown or not.
    pub fn all_rows(&self) -> impl Iterator<Item = &CaseRow> {
        self.rows.iter()
    }

    /// The row of a case.
    pub fn row(&self, number: u64) -> Option<&CaseRow> {
        self.by_number.get(&number).and_then(|at| self.rows.get(*at))
    }

    /// Shows the next selection of cases.
    pub fn cycle_view(&mut self, periods: &Periods, now: Timestamp) {
        self.view = self.view.next();
        self.refresh(periods, now);
    }

    /// Takes the next order.
    pub fn cycle_sort(&mut self, periods: &Periods, now: Timestamp) {
        self.sort = self.sort.next();
        self.refresh(periods, now);
    }

    /// Moves to the next (`1`) or previous (`-1`) case that holds the searched words. Returns whether there
    /// is one.
    pub fn find(&mut self, step: isize) -> bool {
        let words = Words::parse(&self.search);
        let count = self.shown.len();
        for distance in 1..=count {
            let moved = if step < 0 { count - distance } else { distance };
            let line = (self.cursor + moved) % count;
            let row = self.shown.get(line).and_then(|at| self.rows.get(*at));
            if row.is_some_and(|row| words.fit(row, View::All)) {
                self.go_to(line);
                return true;
            }
        }
        false
    }
}

/// Where a case stands among the others by what is decided or suggested: the less reading, the earlier.
fn weight(row: &CaseRow) -> u8 {
    match row.disposition.or(row.suggested) {
        Some(Disposition::Spam) => 0,
        Some(Disposition::WrongProject) => 1,
        Some(Disposition::NoBounty) => 2,
        Some(Disposition::UndecidableEncrypted) => 3,
        Some(Disposition::RejectBan) => 4,
        Some(Disposition::Reject) => 5,
        Some(Disposition::ForwardUpstream) => 6,
        Some(Disposition::AlreadyPublic) => 7,
        Some(Disposition::Duplicate) => 8,
        Some(Disposition::NeedsInfo) => 9,
        None => 10,
        Some(Disposition::Coordination) => 11,
        Some(Disposition::Accept) => 12,
    }
}

/// When the case's next clock runs out; `None` sorts last.
fn next_due(row: &CaseRow, periods: &Periods, now: Timestamp) -> (bool, Option<Timestamp>) {
    let running = |status| matches!(status, Status::Running | Status::DueSoon | Status::Overdue);
    let deadlines = row.deadlines(periods, now);
    let due = deadlines
        .iter()
        .filter(|deadline| running(deadline.status) && deadline.kind != Kind::Update)
        .filter_map(|deadline| deadline.due)
        .min();
    (due.is_none(), due)
}

/// A filter: plain words, `state:WORD`, `is:unanswered`, `is:open`, `is:queued`, `is:waiting`,
/// `is:rescued`, `suggested:WORD`.
pub struct Words {
    plain: Vec<String>,
    state: Option<String>,
    unanswered: bool,
    open: bool,
    queued: bool,
    waiting: bool,
    rescued: bool,
    suggested: Option<String>,
}

impl Words {
    /// Reads a filter. Every text is one; unknown `key:` words are plain.
    pub fn parse(text: &str) -> Self {
        let mut words = Self {
            plain: vec![],
            state: None,
            unanswered: false,
            open: false,
            queued: false,
            waiting: false,
            rescued: false,
            suggested: None,
        };
        for word in text.split_whitespace() {
            match word.split_once(':') {
                Some(("state", state)) => words.state = Some(state.to_owned()),
                Some(("suggested", word)) => words.suggested = Some(word.to_owned()),
                Some(("is", "unanswered")) => words.unanswered = true,
                Some(("is", "open")) => words.open = true,
                Some(("is", "queued")) => words.queued = true,
                Some(("is", "waiting")) => words.waiting = true,
                Some(("is", "rescued")) => words.rescued = true,
                _ => words.plain.push(word.to_lowercase()),
            }
        }
        words
    }

    /// Whether a case is to be shown.
    pub fn fit(&self, row: &CaseRow, view: View) -> bool {
        let in_view = match view {
            // What waits in the outbox is asked for wherever the case stands.
            _ if self.queued => row.queued.is_some(),
            View::Open => row.is_open(),
            View::Unanswered => row.unanswered && row.is_open(),
            View::All => true,
        };
        in_view
            && (!self.unanswered || row.unanswered)
            && (!self.open || row.is_open())
            && (!self.rescued || row.rescued)
            && (!self.waiting || row.waiting_since.is_some())
            && self.state.as_deref().is_none_or(|state| row.state.as_str() == state)
            && self
                .suggested
                .as_deref()
                .is_none_or(|word| row.suggested.is_some_and(|d| d.as_str() == word))
            && self.plain.iter().all(|word| holds(row, word))
    }
}

fn holds(row: &CaseRow, word: &str) -> bool {
    row.subject.to_lowercase().contains(word)
        || row.reporter.address.to_lowercase().contains(word)
        || row.reporter.name.to_lowercase().contains(word)
        || row.id.as_str().starts_with(word)
}
