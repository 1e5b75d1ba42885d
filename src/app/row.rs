//! One line of the queue: what the list needs and nothing that needs a mail body.

use jiff::Timestamp;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::case::Reporter;
use crate::domain::deadline::{ClockFacts, Deadline, Pause, deadlines, proposals};
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
    /// When an answer that has not left yet was put into the outbox.
    pub queued: Option<Timestamp>,
    /// When our clocks rest.
    pub pauses: Vec<Pause>,
    /// Since when a question of ours waits for the reporter.
    pub waiting_since: Option<Timestamp>,
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
    /// Whether the server had a message of it among the junk.
    pub rescued: bool,
    /// Whether a message carries an attachment.
    pub attachments: bool,
}

impl CaseRow {
    /// The case's clocks at `now`.
    pub fn deadlines(&self, periods: &Periods, now: Timestamp) -> Vec<Deadline> {
        deadlines(periods, &self.clock_facts(), now)
    }

    /// Every clock with an end still to come or passed, and what is proposed while the reporter is silent.
    pub fn open_clocks(&self, periods: &Periods, now: Timestamp) -> Vec<Deadline> {
        let facts = self.clock_facts();
        let mut all = deadlines(periods, &facts, now);
        all.extend(proposals(periods, &facts, now));
        all.retain(|deadline| deadline.status.is_open());
        all
    }

    /// What the clocks are worked out from.
    pub fn clock_facts(&self) -> ClockFacts {
        ClockFacts {
            received: self.received,
            first_answer: self.first_answer,
            last_answer: self.last_answer,
            queued: self.queued,
            already_public: self.public,
            state: self.state,
            disposition: self.disposition,
            pauses: self.pauses.clone(),
            waiting_since: self.waiting_since,
        }
    }

    /// Name and address in so many columns. Where room is short, the name yields first, then the middle of the
    /// address: a name is whatever its sender likes, and a look-alike shows in an address only.
    pub fn reporter_in(&self, columns: usize) -> DisplayText {
        if self.reporter_shown.width() <= columns {
            return self.reporter_shown.clone();
        }
        let address = DisplayText::line(&self.reporter.address);
        let beside = columns.saturating_sub(address.width() + 3);
        if beside >= 4 && !self.reporter.name.is_empty() {
            let name = DisplayText::line(&self.reporter.name).fit(beside);
            return DisplayText::line(&format!("{name} <{address}>"));
        }
        middle_out(&address, columns)
    }

    /// Whether somebody still has to do something about the case.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, CaseState::Closed | CaseState::Published)
    }
}

/// Both ends of a text that is longer than `columns`.
fn middle_out(text: &DisplayText, columns: usize) -> DisplayText {
    if text.width() <= columns {
        return text.clone();
    }
    // The end weighs more: it is the domain.
    let tail_columns = columns.saturating_sub(1) * 2 / 3;
    let letters = text.as_str();
    let fits = |at: &usize| letters.get(*at..).is_some_and(|tail| tail.width() <= tail_columns);
    let tail = letters.grapheme_indices(true).map(|(at, _)| at).find(fits);
    let tail = tail.and_then(|at| letters.get(at..)).unwrap_or_default();
    let head = text.fit(columns.saturating_sub(tail.width()));
    DisplayText::line(&format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_an_address_stay() {
        let text = DisplayText::line("security@paypal.com.evil.example");
        let cut = middle_out(&text, 20);
        assert_eq!(cut.as_str(), "securit…evil.example");
        assert_eq!(middle_out(&DisplayText::line("日本語日本語"), 6).as_str(), "日…語");
    }
}
