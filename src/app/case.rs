//! One case on the screen: its thread as one document, its checklist, its clocks.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::claims::Looked;
use super::material;
use super::pin::PolicyPin;
use super::row::CaseRow;
use super::thread::{self, DocLine, ReadLine};
use super::twin::Twin;
use crate::domain::case::{Answer, Direction};
use crate::domain::checklist;
use crate::domain::hint::{Hint, Reading};
use crate::domain::journal::Entry;
use crate::domain::policy::Policy;
use crate::domain::verdict::Verdict;
use crate::domain::{Case, ClauseId, Evidence, MessageRef};
use crate::mail::{Address, DisplayText, Warning};

/// Everything the case screen and `show` need to know of a case.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// Its line in the queue.
    pub row: CaseRow,
    /// The decisions.
    pub case: Case,
    /// The thread, oldest first.
    pub messages: Vec<MessageView>,
    /// The journal entries of the case, oldest first.
    pub entries: Vec<Entry>,
    /// What the rules propose.
    pub verdict: Verdict,
    /// The policy that it is judged under.
    pub policy: PolicyPin,
    /// What the reporter's answer has settled, where we had asked for missing points and it has come.
    pub returned: Option<Returned>,
    /// Cases and published records like it, nearest first.
    pub twins: Vec<Twin>,
}

/// An answer to our question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Returned {
    /// When it came.
    pub at: Timestamp,
    /// Points that it gives an answer to.
    pub answered: Vec<ClauseId>,
    /// Points that are still missing.
    pub open: Vec<ClauseId>,
}

/// A part of a message as a list shows it.
#[derive(Clone, Debug)]
pub struct PartView {
    /// Name fit for a listing and for saving.
    pub name: String,
    /// `type/subtype`.
    pub content_type: String,
    /// Decoded size in bytes.
    pub size: u64,
    /// SHA-256 of the decoded bytes.
    pub sha256: String,
}

/// A message of the thread.
#[derive(Clone)]
pub struct MessageView {
    /// Its id.
    pub id: MessageRef,
    /// Which way it went.
    pub direction: Direction,
    /// Senders.
    pub from: Vec<Address>,
    /// Addresses that an answer goes to: Reply-To, else From.
    pub answer_to: Vec<Address>,
    /// Recipients.
    pub to: Vec<Address>,
    /// Subject as sent.
    pub subject: String,
    /// Message-ID.
    pub message_id: Option<String>,
    /// References, oldest first.
    pub references: Vec<String>,
    /// The Date header: a claim.
    pub date: Option<Timestamp>,
    /// When the server received it.
    pub received: Timestamp,
    /// Text as `show` prints it.
    pub text: String,
    /// Index of the part that the text came from.
    pub text_part: u16,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// Attachments.
    pub attachments: Vec<PartView>,
    /// What could not be read as it should.
    pub defects: Vec<String>,
    /// What is odd or dangerous.
    pub warnings: Vec<Warning>,
    /// What rules read out of it.
    pub reading: Reading,
    /// Whether the server no longer has it.
    pub gone: bool,
    /// Flags and keywords that it has on the server.
    pub flags: Vec<String>,
    /// Whether it lay among the junk when it came.
    pub rescued: bool,
    /// The text's lines, fit for the screen.
    pub lines: Vec<ReadLine>,
    /// The raw mail's lines, once they were asked for.
    pub raw: Option<Vec<DisplayText>>,
}

impl std::fmt::Debug for MessageView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageView({:?}, {} bytes of text)", self.id, self.text.len())
    }
}

impl CaseView {
    /// The readings of the messages from outside.
    pub fn readings(&self) -> Vec<&Reading> {
        let incoming = self.messages.iter().filter(|m| m.direction == Direction::In);
        incoming.map(|message| &message.reading).collect()
    }

    /// The message that an answer is given to: the newest from outside, else the newest.
    pub fn answered_message(&self) -> Option<&MessageView> {
        let mut newest_first = self.messages.iter().rev();
        newest_first.find(|m| m.direction == Direction::In).or_else(|| self.messages.last())
    }

    /// A message by its number from 1, or by the first digits of its id.
    pub fn message(&self, name: &str) -> Option<&MessageView> {
        if let Ok(number) = name.parse::<usize>()
            && let Some(message) = number.checked_sub(1).and_then(|at| self.messages.get(at))
        {
            return Some(message);
        }
        let mut found = self.messages.iter().filter(|m| m.id.to_string().starts_with(name));
        match (found.next(), found.next()) {
            (Some(message), None) if !name.is_empty() => Some(message),
            _ => None,
        }
    }

    /// Anchors whole lines of a message.
    pub fn evidence(&self, message: &str, lines: RangeInclusive<u32>) -> Option<Evidence> {
        let message = self.message(message)?;
        Evidence::at_lines(message.id, message.text_part, &message.text, lines)
    }
}

/// The part of the screen that keys go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// The mails.
    #[default]
    Thread,
    /// The questions.
    Checklist,
}

/// A question of the checklist with what is known about it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: ClauseId,
    /// Heading of the policy section it stands under.
    pub section: String,
    /// A few words.
    pub title: String,
    /// The question; empty for context that asks nothing.
    pub question: String,
    /// What follows from the answer, given or proposed.
    pub outcome: String,
    /// The maintainer's answer.
    pub answer: Option<Answer>,
    /// What a rule proposes.
    pub proposal: Option<Hint>,
    /// Whether the answer's evidence no longer stands in the stored mail.
    pub broken: bool,
    /// Whether the reporter's answer to our question tells something of it.
    pub returned: bool,
}

fn rows(policy: &Policy, case: &Case, readings: &[&Reading]) -> Vec<Row> {
    let sections = checklist::sections(policy, case, readings);
    let of = |row: checklist::Row<'_>| Row {
        id: row.item.id.clone(),
        section: row.item.section.clone(),
        title: row.item.title.clone(),
        question: if checklist::asks(row.item) { row.item.question.clone() } else { String::new() },
        outcome: row.outcome,
        answer: row.answer.cloned(),
        proposal: row.proposal.cloned(),
        broken: false,
        returned: false,
    };
    sections.into_iter().flat_map(|section| section.rows).map(of).collect()
}

/// The case screen.
#[derive(Debug)]
pub struct CaseScreen {
    /// The case.
    pub view: CaseView,
    /// The questions with answers and proposals.
    pub checklist: Vec<Row>,
    /// The reporter's score and ours, in words.
    pub scores: String,
    /// Where keys go.
    pub pane: Pane,
    /// The thread laid out for the current width.
    pub doc: Vec<DocLine>,
    /// Line under the cursor in the document.
    pub cursor: usize,
    /// First line shown.
    pub top: usize,
    /// Question under the cursor.
    pub item: usize,
    /// First checklist line shown.
    pub item_top: usize,
    /// Lines marked as evidence for the next answer: message and lines of its text.
    pub marked: Option<(usize, RangeInclusive<u32>)>,
    /// Lines that the last jump went to.
    pub lit: Option<(usize, RangeInclusive<u32>)>,
    /// Where the jump came from, to go back.
    came_from: Option<Pane>,
    /// Whether all headers are shown.
    pub headers: bool,
    /// Whether the raw mail is shown instead of the text.
    pub raw: bool,
    /// Words looked for in the thread.
    pub search: String,
    /// What is known of the claims about the source.
    pub claims: Looked,
    /// The claim that the table was left at.
    pub claim: usize,
    width: usize,
}

impl CaseScreen {
    /// Opens a case on a thread pane of `width` columns.
    pub fn open(view: CaseView, policy: &Policy, width: usize) -> Self {
        let mut screen = Self {
            checklist: Vec::new(),
            scores: String::new(),
            view,
            pane: Pane::Thread,
            doc: Vec::new(),
            cursor: 0,
            top: 0,
            item: 0,
            item_top: 0,
            marked: None,
            lit: None,
            came_from: None,
            headers: false,
            raw: false,
            search: String::new(),
            claims: Looked::Waiting,
            claim: 0,
            width,
        };
        screen.refresh(policy);
        screen.item = screen.first_open_item();
        screen.go_to_message(screen.first_unread());
        screen
    }

    /// Takes the case anew after something about it has changed; cursor and marks stay.
    pub fn replace(&mut self, view: CaseView, policy: &Policy) {
        let raw: Vec<_> = self.view.messages.iter_mut().map(|m| (m.id, m.raw.take())).collect();
        self.view = view;
        for message in &mut self.view.messages {
            let known = raw.iter().find(|(id, _)| *id == message.id);
            message.raw = known.and_then(|(_, text)| text.clone());
        }
        self.refresh(policy);
    }

    fn refresh(&mut self, policy: &Policy) {
        self.checklist = rows(policy, &self.view.case, &self.view.readings());
        for row in &mut self.checklist {
            let evidence = row.answer.as_ref().and_then(|answer| answer.evidence.as_ref());
            let returned = self.view.returned.as_ref();
            row.returned = returned.is_some_and(|returned| returned.answered.contains(&row.id));
            row.broken = evidence.is_some_and(|evidence| anchor_is_broken(&self.view, evidence));
        }
        self.scores = material::scores(&self.view, policy);
        self.item = self.item.min(self.checklist.len().saturating_sub(1));
        self.lay_out(self.width);
    }

    /// Lays the thread out for a pane of `width` columns. The line under the cursor stays under it and on its
    /// row of the screen; where it is gone, the first line of its message takes its place.
    pub fn lay_out(&mut self, width: usize) {
        let place = self.doc.get(self.cursor).map(|line| (line.message, line.line, line.kind));
        let row = self.cursor.saturating_sub(self.top);
        self.width = width;
        self.doc = thread::document(self, width);
        if let Some((message, number, kind)) = place {
            let same = |l: &DocLine| (l.message, l.line, l.kind) == (message, number, kind);
            let at = self.doc.iter().position(same);
            let first = || self.doc.iter().position(|line| line.message == message);
            self.cursor = at.or_else(first).unwrap_or_default();
            self.top = self.cursor.saturating_sub(row);
        }
        self.cursor = self.cursor.min(self.doc.len().saturating_sub(1));
    }

    /// The oldest message from outside that nobody has answered, else the first.
    fn first_unread(&self) -> usize {
        let last_out = self
            .view
            .messages
            .iter()
            .rposition(|m| m.direction == Direction::Out)
            .map_or(0, |at| at + 1);
        if last_out < self.view.messages.len() { last_out } else { 0 }
    }

    fn first_open_item(&self) -> usize {
        let open = |row: &Row| row.proposal.is_some() && row.answer.is_none();
        self.checklist.iter().position(open).unwrap_or(0)
    }

    /// The question under the cursor.
    pub fn current_item(&self) -> Option<&Row> {
        self.checklist.get(self.item)
    }

    /// Position of the message under the cursor.
    pub fn current_message(&self) -> usize {
        self.doc.get(self.cursor).map_or(0, |line| line.message)
    }

    /// Moves the cursor of the pane.
    pub fn step(&mut self, lines: isize) {
        match self.pane {
            Pane::Thread => {
                let last = self.doc.len().saturating_sub(1);
                self.cursor = self.cursor.saturating_add_signed(lines).min(last);
            }
            Pane::Checklist => {
                let last = self.checklist.len().saturating_sub(1);
                self.item = self.item.saturating_add_signed(lines).min(last);
            }
        }
    }

    /// Moves to another message of the thread.
    pub fn go_to_message(&mut self, message: usize) {
        if let Some(at) = self.doc.iter().position(|line| line.message == message) {
            self.cursor = at;
            self.top = at;
        }
    }

    /// Moves to the message after (`1`) or before (`-1`) this one.
    pub fn step_message(&mut self, step: isize) {
        let last = self.view.messages.len().saturating_sub(1);
        let next = self.current_message().saturating_add_signed(step).min(last);
        self.go_to_message(next);
    }

    /// Scrolls both panes so that their cursors are on the screen.
    pub fn keep_in_sight(&mut self, thread_height: usize, list_height: usize) {
        keep(&mut self.top, self.cursor, thread_height, self.doc.len());
        keep(&mut self.item_top, self.item, list_height, self.checklist.len());
    }

    /// Marks the line under the cursor as evidence, extends the mark to it, or takes the mark back.
    pub fn mark(&mut self) -> bool {
        let Some(line) = self.doc.get(self.cursor).filter(|line| line.line > 0) else {
            return false;
        };
        let (message, number) = (line.message, line.line);
        self.marked = match self.marked.take() {
            Some((at, lines)) if at == message && lines == (number..=number) => None,
            Some((at, lines)) if at == message && !lines.contains(&number) => {
                Some((at, number.min(*lines.start())..=number.max(*lines.end())))
            }
            _ => Some((message, number..=number)),
        };
        true
    }

    /// The marked lines as evidence.
    pub fn marked_evidence(&self) -> Option<Evidence> {
        let (at, lines) = self.marked.clone()?;
        let message = self.view.messages.get(at)?;
        Evidence::at_lines(message.id, message.text_part, &message.text, lines)
    }

    /// Goes from the question under the cursor to the line that shows its answer, or back. Returns whether
    /// there was somewhere to go.
    pub fn jump(&mut self) -> bool {
        if self.pane == Pane::Thread
            && let Some(pane) = self.came_from.take()
        {
            self.pane = pane;
            return true;
        }
        let Some(evidence) = self.current_item().and_then(evidence_of).cloned() else {
            return false;
        };
        self.show_evidence(&evidence)
    }

    fn show_evidence(&mut self, evidence: &Evidence) -> bool {
        let at = |m: &MessageView| m.id == evidence.message;
        let Some(message) = self.view.messages.iter().position(at) else { return false };
        let here = |line: &DocLine| line.message == message && line.line == evidence.line;
        let Some(line) = self.doc.iter().position(here) else { return false };
        self.cursor = line;
        self.top = line.saturating_sub(5);
        self.lit = Some((message, evidence.line..=evidence.last_line));
        self.came_from = Some(Pane::Checklist);
        self.pane = Pane::Thread;
        true
    }

    /// Goes to the words of a text or attachment; false if they are not among the lines shown.
    pub fn show_words(&mut self, evidence: &Evidence) -> bool {
        let attached = |m: &MessageView| m.id == evidence.message && m.text_part != evidence.part;
        let Some(message) = self.view.messages.iter().position(attached) else {
            let shown = self.show_evidence(evidence);
            self.came_from = None;
            return shown;
        };
        let is = |l: &DocLine| l.message == message && l.kind == thread::LineKind::Attachment;
        let Some(line) = self.doc.iter().position(is) else { return false };
        (self.cursor, self.top, self.pane) = (line, line.saturating_sub(5), Pane::Thread);
        true
    }

    /// Moves to the next (`1`) or previous (`-1`) line that holds the searched words.
    pub fn find(&mut self, step: isize) -> bool {
        let wanted = self.search.to_lowercase();
        let count = self.doc.len();
        for distance in 1..=count {
            let moved = if step < 0 { count - distance } else { distance };
            let at = (self.cursor + moved) % count;
            let holds = |line: &DocLine| line.text.as_str().to_lowercase().contains(&wanted);
            if self.doc.get(at).is_some_and(holds) {
                self.cursor = at;
                self.pane = Pane::Thread;
                return true;
            }
        }
        false
    }
}

/// Whether the anchor of an answer no longer fits the stored mail.
fn anchor_is_broken(view: &CaseView, evidence: &Evidence) -> bool {
    let message = view.messages.iter().find(|message| message.id == evidence.message);
    !message.is_some_and(|message| evidence.fits(&message.text))
}

/// The words that show an answer, or else a proposal.
pub fn evidence_of(row: &Row) -> Option<&Evidence> {
    let answered = row.answer.as_ref().and_then(|answer| answer.evidence.as_ref());
    answered.or_else(|| row.proposal.as_ref().and_then(|hint| hint.evidence.as_ref()))
}

/// Scrolls `top` just so far that `cursor` is on a page of `height` lines.
fn keep(top: &mut usize, cursor: usize, height: usize, count: usize) {
    let height = height.max(1);
    *top = (*top).clamp((cursor + 1).saturating_sub(height), cursor);
    *top = (*top).min(count.saturating_sub(height));
}
