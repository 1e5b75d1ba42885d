//! One line of the queue: what the list needs and nothing that needs a mail body.

use jiff::Timestamp;

use crate::domain::case::Reporter;
use crate::domain::deadline::{ClockFacts, Deadline, deadlines};
use crate::domain::policy::Periods;
use crate::domain::{CaseId, CaseState, ClauseId, Disposition};
use crate::mail::DisplayText;

/// A case as the list shows it.
#[derive(Clone, Debug)]
pub struct CaseRow {
    /// The store's number of the case: stable while the store is open.
    pub number: u64,
    /// Its id.
    pub id: CaseId,
    /// How many letters of the id tell it from all others.
    pub unique: usize,
    /// Subject of the first message, as the sender wrote it.
    pub subject: String,
    /// The same, fit for the screen.
    pub subject_shown: DisplayText,
    /// Who sent the first message.
    pub reporter: Reporter,
    /// Name and address, fit for the screen.
    pub reporter_shown: DisplayText,
    /// When the first message from outside came in.
    pub received: Timestamp,
    /// When the newest message came in.
    pub last: Timestamp,
    /// When a human of ours first answered.
    pub first_answer: Option<Timestamp>,
    /// When a human of ours last answered.
    pub last_answer: Option<Timestamp>,
    /// Messages in the thread.
    pub messages: u32,
    /// Whether the newest human message is not ours.
    pub unanswered: bool,
    /// State.
    pub state: CaseState,
    /// Decision, if there is one.
    pub disposition: Option<Disposition>,
    /// What the rules propose.
    pub suggested: Option<Disposition>,
    /// By which clauses, strongest first.
    pub suggested_clauses: Vec<ClauseId>,
    /// Whether the report says that the flaw is public already.
    pub public: bool,
    /// Whether a message carries a warning.
    pub warned: bool,
    /// Whether a message carries an attachment.
    pub attachments: bool,
}

impl CaseRow {
    /// The case's clocks at `now`.
    pub fn deadlines(&self, periods: &Periods, now: Timestamp) -> Vec<Deadline> {
        deadlines(periods, &self.clock_facts(), now)
    }

    /// What the clocks are worked out from.
    pub fn clock_facts(&self) -> ClockFacts {
        ClockFacts {
            received: self.received,
            first_answer: self.first_answer,
            last_answer: self.last_answer,
            already_public: self.public,
            state: self.state,
            disposition: self.disposition,
        }
    }

    /// Whether somebody still has to do something about the case.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, CaseState::Closed | CaseState::Published)
    }
}
