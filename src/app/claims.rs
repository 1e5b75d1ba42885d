//! The table of claims: what the report says about the source and what the checkout has of it.

use super::case::CaseScreen;
use super::layer::Layer;
use super::{Effect, Model, Tone, material};
use crate::claims::{Found, Row, Strength, Table};
use crate::domain::{CaseId, Evidence};
use crate::mail::DisplayText;

/// How far the look into the checkout is.
#[derive(Clone, Debug, Default)]
pub enum Looked {
    /// It has not begun.
    #[default]
    Waiting,
    /// It runs; the words say what it does.
    Running(String),
    /// What it brought.
    Done(Box<Table>),
}

impl Looked {
    /// A few words for the head of the case; empty where there is nothing to say.
    pub fn words(&self) -> String {
        match self {
            Self::Waiting => String::new(),
            Self::Running(words) => format!("claims: {words}"),
            Self::Done(table) => table.words(),
        }
    }

    /// Whether a claim that counts does not resolve.
    pub fn fails(&self) -> bool {
        matches!(self, Self::Done(table) if table.sum().is_some_and(|sum| sum.failed > 0))
    }
}

/// Rows below the table for the claim under the cursor.
pub const DETAIL: usize = 4;

/// Rows above the table at most.
const HEAD_MAX: usize = 3;

/// How a claim is to be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// It is there.
    Good,
    /// It is somewhere else.
    Notice,
    /// It counts and is not there.
    Alarm,
    /// It does not count.
    Faint,
}

/// A claim as the table shows it.
#[derive(Debug)]
pub struct ShownClaim {
    /// What was found, in a word.
    pub word: &'static str,
    /// How it is to be seen.
    pub sight: Sight,
    /// What kind of thing it names.
    pub kind: &'static str,
    /// The claim.
    pub name: DisplayText,
    /// Where it is or why not.
    pub place: DisplayText,
    /// The words that make it.
    pub evidence: Evidence,
}

impl ShownClaim {
    fn of(row: &Row) -> Self {
        let sight = match (row.claim.strength, row.found) {
            (Strength::Strong, Found::Yes) => Sight::Good,
            _ if row.fails() && row.found == Found::No => Sight::Alarm,
            (Strength::Strong, Found::Elsewhere) => Sight::Notice,
            _ => Sight::Faint,
        };
        Self {
            word: material::found_word(row),
            sight,
            kind: row.claim.kind.as_str(),
            name: DisplayText::line(&row.claim.text()),
            place: DisplayText::line(&material::claim_words(row)),
            evidence: row.claim.evidence.clone(),
        }
    }
}

/// The table as a layer.
#[derive(Debug)]
pub struct ClaimsTable {
    /// Heading.
    pub title: String,
    /// The sum.
    source: Vec<DisplayText>,
    /// The same, laid out for the current width.
    pub head: Vec<DisplayText>,
    /// The claims.
    pub rows: Vec<ShownClaim>,
    /// The claim under the cursor.
    pub cursor: usize,
    /// First claim shown.
    pub top: usize,
}

impl ClaimsTable {
    fn of(case: &CaseScreen) -> Self {
        let (mut source, mut rows) = (Vec::new(), Vec::new());
        match &case.claims {
            Looked::Done(table) => {
                source.push(DisplayText::line(&table.sentence()));
                let note = table.note.as_ref().filter(|_| table.version.is_some());
                source.extend(note.map(|note| DisplayText::line(note)));
                rows = table.rows.iter().map(ShownClaim::of).collect();
            }
            other => {
                let words = other.words();
                let words = if words.is_empty() { "claims are not read yet" } else { &words };
                source.push(DisplayText::line(words));
            }
        }
        let title = format!("Claims of {}", case.view.row.id);
        let cursor = case.claim.min(rows.len().saturating_sub(1));
        Self { title, source, head: Vec::new(), rows, cursor, top: 0 }
    }

    /// Lays the sum out.
    pub fn lay_out(&mut self, width: usize) {
        let lines = self.source.iter().flat_map(|line| line.wrap(width.max(10)));
        self.head = lines.take(HEAD_MAX).collect();
    }

    /// Claims that an area of `height` lines shows.
    pub fn room(&self, height: usize) -> usize {
        height.saturating_sub(self.head.len() + 2 + DETAIL).max(1)
    }

    /// Lines that show all of it.
    pub fn lines(&self) -> usize {
        self.head.len() + if self.rows.is_empty() { 0 } else { self.rows.len() + 2 + DETAIL }
    }

    /// Moves the cursor.
    pub fn step(&mut self, lines: isize, height: usize) {
        let room = self.room(height);
        let last = self.rows.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(room), self.cursor);
    }

    /// The claim under the cursor.
    pub fn current(&self) -> Option<&ShownClaim> {
        self.rows.get(self.cursor)
    }
}

/// Asks for the claims of the case that was just opened.
pub(super) fn ask(model: &mut Model) {
    if let Some(case) = &model.case {
        let case = case.view.row.id.clone();
        model.push(Effect::CheckClaims { case });
    }
}

/// Shows the table.
pub(super) fn open(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let mut layer = Layer::Claims(ClaimsTable::of(case));
    layer.lay_out(model.size);
    model.layer = Some(layer);
}

/// Takes what the look has brought, if its case is still open.
pub(super) fn arrive(model: &mut Model, case: &CaseId, looked: Looked) {
    let Some(open_case) = model.case.as_mut().filter(|open| open.view.row.id == *case) else {
        return;
    };
    open_case.claims = looked;
    if matches!(model.layer, Some(Layer::Claims(_))) {
        open(model);
    }
}

/// Goes from the claim under the cursor to the words that make it.
pub(super) fn jump(model: &mut Model, table: &ClaimsTable) {
    let Some(case) = &mut model.case else { return };
    case.claim = table.cursor;
    let Some(claim) = table.current() else { return };
    if !case.show_words(&claim.evidence) {
        model.say(Tone::Note, "the line of this claim is not shown; it is in the mail's file");
    }
}
