//! A case: our file on one or more reports, with state and journal.
//!
//! [`Case`] is the fold of the case's journal entries in the order (clock, replica, seq); it holds decisions
//! only. Which messages belong to it is worked out from the mail itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{Act, AnswerValue, Entry};
use super::{CaseId, ClauseId, Disposition, Evidence, MessageRef};

/// Where a case stands.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum CaseState {
    /// Nobody has answered or judged it.
    #[default]
    New,
    /// A human answered the reporter.
    Acknowledged,
    /// Being judged.
    Triage,
    /// Decided to be valid.
    Accepted,
    /// A fix is in work.
    Fixing,
    /// A fixed version is released.
    Fixed,
    /// Our advisory is public.
    Published,
    /// Nothing left to do.
    Closed,
}

impl CaseState {
    /// Every state, in order.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Acknowledged,
        Self::Triage,
        Self::Accepted,
        Self::Fixing,
        Self::Fixed,
        Self::Published,
        Self::Closed,
    ];

    /// The word used in data and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Triage => "triage",
            Self::Accepted => "accepted",
            Self::Fixing => "fixing",
            Self::Fixed => "fixed",
            Self::Published => "published",
            Self::Closed => "closed",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who a report came from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Reporter {
    /// Display name, possibly empty; the sender's claim and nothing more.
    pub name: String,
    /// Address.
    pub address: String,
}

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To us.
    In,
    /// From us, written by a human.
    Out,
    /// Written by a machine: auto-reply, bounce, delivery report. Starts and stops no clock.
    Automatic,
}

impl Direction {
    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Automatic => "automatic",
        }
    }
}

/// An answered checklist question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The answer.
    pub value: AnswerValue,
    /// The words that show it.
    pub evidence: Option<Evidence>,
    /// The maintainer's reason.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
}

/// The maintainer's decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What.
    pub disposition: Disposition,
    /// By which clauses, strongest first.
    pub clauses: Vec<ClauseId>,
    /// Reason, where no clause is named.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
}

/// An unsent answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplyDraft {
    /// Name of the template it began with.
    pub template: String,
    /// Recipients, as addresses.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
    /// When it was saved.
    pub at: Timestamp,
}

/// A published record that reports are compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Precedent {
    /// Its name.
    pub name: String,
    /// The record as it was given.
    pub record: String,
    /// When it was added.
    pub at: Timestamp,
}

/// The decisions of one case.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The message its id is pinned to, once there is an entry.
    pub root: Option<MessageRef>,
    /// Hash of the policy that it is judged under.
    pub policy: Option<String>,
    /// Hash of that policy's text, where there was one.
    pub policy_text: Option<String>,
    /// Answers by decision point.
    pub answers: BTreeMap<ClauseId, Answer>,
    /// The maintainer's CVSS vector.
    pub vector: Option<String>,
    /// The decision.
    pub decision: Option<Decision>,
    /// Notes in the order of writing.
    pub notes: Vec<(Timestamp, String, String)>,
    /// Saved reply draft.
    pub reply: Option<ReplyDraft>,
    /// When that draft was put into the outbox; saving another draft takes it out.
    pub queued: Option<Timestamp>,
    /// Saved advisory draft, as TOML.
    pub advisory: Option<String>,
    /// Cases whose mails were taken over, with the time.
    pub merged: Vec<(CaseId, Timestamp)>,
    /// Cases that mails were given to, with the time.
    pub split_off: Vec<(CaseId, Timestamp)>,
    /// The published record, where the id is the key of one.
    pub precedent: Option<Precedent>,
    /// State set by hand since the last decision.
    state_by_hand: Option<CaseState>,
    /// The acts that `u` would undo, oldest first.
    undoable: Vec<Undoable>,
    /// Entries folded, undone ones included.
    entries: usize,
}

impl Case {
    /// A case without entries.
    pub fn new(id: CaseId) -> Self {
        Self {
            id,
            root: None,
            policy: None,
            policy_text: None,
            answers: BTreeMap::new(),
            vector: None,
            decision: None,
            notes: Vec::new(),
            reply: None,
            queued: None,
            advisory: None,
            merged: Vec::new(),
            split_off: Vec::new(),
            precedent: None,
            state_by_hand: None,
            undoable: Vec::new(),
            entries: 0,
        }
    }

    /// Folds the entries of one case. Entries of other cases and of unknown kinds are passed over; order and
    /// repetition in the slice do not matter.
    pub fn fold(id: CaseId, entries: &[Entry]) -> Self {
        let mut ordered: Vec<&Entry> = entries.iter().filter(|entry| entry.case == id).collect();
        in_order(&mut ordered);
        let undone = undone_ids(&ordered);
        let mut case = Self::new(id);
        case.entries = ordered.len();
        for entry in ordered.iter().filter(|entry| !undone.contains(entry.id.as_str())) {
            if let Some(act) = entry.act() {
                case.apply(entry, act);
            }
        }
        case
    }

    fn apply(&mut self, entry: &Entry, act: Act) {
        let undoable = !matches!(act, Act::Opened { .. } | Act::Undone { .. });
        if undoable {
            let (id, at, actor) = (entry.id.clone(), entry.at, entry.actor.clone());
            self.undoable.push(Undoable { id, at, actor, seq: entry.seq });
        }
        let (at, actor) = (entry.at, entry.actor.clone());
        match act {
            Act::Opened { root, policy, text } => {
                self.root.get_or_insert(root);
                if self.policy.is_none() {
                    (self.policy, self.policy_text) = (Some(policy), text);
                }
            }
            Act::Answered { clause, answer: Some(value), evidence, reason } => {
                self.answers.insert(clause, Answer { value, evidence, reason, at, actor });
            }
            Act::Answered { clause, answer: None, .. } => {
                self.answers.remove(&clause);
            }
            Act::Scored { vector } => self.vector = Some(vector),
            Act::Decided { disposition, clauses, reason } => {
                self.decision = Some(Decision { disposition, clauses, reason, at, actor });
                self.state_by_hand = None;
            }
            Act::StateSet { state } => self.state_by_hand = Some(state),
            Act::Noted { text } => self.notes.push((at, actor, text)),
            Act::ReplyDrafted { template, to, subject, text } => {
                self.reply = Some(ReplyDraft { template, to, subject, text, at });
                self.queued = None;
            }
            Act::ReplyQueued {} => self.queued = self.reply.is_some().then_some(at),
            Act::AdvisoryDrafted { toml } => self.advisory = Some(toml),
            Act::Merged { from, .. } => self.merged.push((from, at)),
            Act::Split { into, .. } => self.split_off.push((into, at)),
            Act::PrecedentAdded { name, record } => {
                self.precedent = Some(Precedent { name, record, at });
            }
            Act::PrecedentRemoved { .. } => self.precedent = None,
            Act::Exported { .. } | Act::Undone { .. } => {}
        }
    }

    /// Where the case stands, given whether a human of ours has answered.
    pub fn state(&self, answered: bool) -> CaseState {
        if let Some(state) = self.state_by_hand {
            return state;
        }
        match &self.decision {
            Some(decision) if decision.disposition == Disposition::Accept => CaseState::Accepted,
            Some(decision) if decision.disposition.closes() => CaseState::Closed,
            Some(_) => CaseState::Triage,
            None if !self.answers.is_empty() || self.vector.is_some() => CaseState::Triage,
            None if answered => CaseState::Acknowledged,
            None => CaseState::New,
        }
    }

    /// Number of journal entries, undone ones included.
    pub const fn entry_count(&self) -> usize {
        self.entries
    }

    /// Leaves what the entries came to, without their number: that alone tells an undone act from none.
    #[cfg(test)]
    pub(crate) fn forget_entries(&mut self) {
        self.entries = 0;
    }

    /// Ids of the entries that undo would compensate, newest first: those of the newest operation that still
    /// counts. What one key did was written at once, by one person, line after line.
    pub fn last_undoable(&self) -> Vec<&str> {
        let mut newest_first = self.undoable.iter().rev();
        let Some(last) = newest_first.next() else { return Vec::new() };
        let mut seq = last.seq;
        let before = newest_first.take_while(|entry| {
            let together = entry.at == last.at
                && entry.actor == last.actor
                && entry.seq.checked_add(1) == Some(seq);
            seq = entry.seq;
            together
        });
        std::iter::once(last).chain(before).map(|entry| entry.id.as_str()).collect()
    }
}

/// An entry that can be taken back.
#[derive(Clone, PartialEq, Debug)]
struct Undoable {
    id: String,
    at: Timestamp,
    actor: String,
    seq: u64,
}

/// Sorts entries into the order in which they count (clock, replica, seq), each once.
pub(super) fn in_order(entries: &mut Vec<&Entry>) {
    entries.sort_by(|a, b| (a.clock, &a.replica, a.seq).cmp(&(b.clock, &b.replica, b.seq)));
    entries.dedup_by(|a, b| a.id == b.id);
}

/// Ids that an effective `undone` entry names. An `undone` entry may itself be undone, hence newest first.
pub(super) fn undone_ids<'a>(ordered: &[&'a Entry]) -> BTreeSet<&'a str> {
    let mut undone = BTreeSet::new();
    for entry in ordered.iter().rev() {
        if entry.kind == "undone"
            && !undone.contains(entry.id.as_str())
            && let Some(target) = entry.body.get("entry").and_then(serde_json::Value::as_str)
        {
            undone.insert(target);
        }
    }
    undone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::journal::{Clock, NewEntry};

    fn journal(acts: Vec<Act>) -> Vec<Entry> {
        let case = CaseId::derive(Some("x@y"), &MessageRef::of(b""));
        let mut clock = Clock::default();
        acts.into_iter()
            .zip(1u64..)
            .map(|(act, seq)| {
                let at = Timestamp::UNIX_EPOCH;
                clock = clock.tick(at);
                let new = NewEntry {
                    id: format!("e{seq}"),
                    at,
                    actor: "m".into(),
                    case: case.clone(),
                    act,
                };
                Entry::place(&new, seq, String::new(), clock, "r")
            })
            .collect()
    }

    fn fold(acts: Vec<Act>) -> Case {
        let entries = journal(acts);
        Case::fold(entries[0].case.clone(), &entries)
    }

    fn answered(clause: &str, value: AnswerValue) -> Act {
        Act::Answered {
            clause: clause.into(),
            answer: Some(value),
            evidence: None,
            reason: Some("r".into()),
        }
    }

    #[test]
    fn undo_takes_back_and_undo_of_undo_restores() {
        let decided = Act::Decided {
            disposition: Disposition::Reject,
            clauses: vec!["NQ1".into()],
            reason: None,
        };
        let undo = |entry: &str| Act::Undone { entry: entry.into() };
        assert_eq!(fold(vec![decided.clone()]).state(false), CaseState::Closed);
        assert_eq!(fold(vec![decided.clone(), undo("e1")]).state(false), CaseState::New);
        assert_eq!(fold(vec![decided, undo("e1"), undo("e2")]).state(false), CaseState::Closed);
    }

    #[test]
    fn undo_brings_the_earlier_answer_back() {
        let case = fold(vec![
            answered("NQ1", AnswerValue::Yes),
            answered("NQ1", AnswerValue::No),
            Act::Undone { entry: "e2".into() },
        ]);
        assert_eq!(case.answers[&"NQ1".into()].value, AnswerValue::Yes);
        assert_eq!(case.last_undoable(), ["e1"]);
    }

    #[test]
    fn what_one_key_did_is_taken_back_at_once() {
        let answers = || vec![answered("NQ1", AnswerValue::Yes), answered("NQ2", AnswerValue::No)];
        assert_eq!(fold(answers()).last_undoable(), ["e2", "e1"]);
        // A later moment, another person, or an entry between them, is another operation.
        let split = |change: fn(&mut Entry)| {
            let mut entries = journal(answers());
            change(&mut entries[1]);
            Case::fold(entries[0].case.clone(), &entries).last_undoable().len()
        };
        assert_eq!(split(|_| ()), 2);
        assert_eq!(split(|entry| entry.at = Timestamp::from_second(1).expect("a time")), 1);
        assert_eq!(split(|entry| entry.actor = "n".into()), 1);
        assert_eq!(split(|entry| entry.seq = 7), 1);
    }

    #[test]
    fn a_queued_reply_leaves_the_outbox_when_it_is_changed() {
        let drafted = || Act::ReplyDrafted {
            template: "reject".into(),
            to: vec![],
            subject: String::new(),
            text: String::new(),
        };
        assert_eq!(fold(vec![Act::ReplyQueued {}]).queued, None);
        assert!(fold(vec![drafted(), Act::ReplyQueued {}]).queued.is_some());
        assert_eq!(fold(vec![drafted(), Act::ReplyQueued {}, drafted()]).queued, None);
        let undone = Act::Undone { entry: "e2".into() };
        assert_eq!(fold(vec![drafted(), Act::ReplyQueued {}, undone]).queued, None);
    }

    #[test]
    fn order_and_repetition_of_entries_do_not_matter() {
        let mut entries =
            journal(vec![answered("NQ1", AnswerValue::Yes), answered("NQ1", AnswerValue::No)]);
        let id = entries[0].case.clone();
        let straight = Case::fold(id.clone(), &entries);
        entries.reverse();
        entries.push(entries[0].clone());
        assert_eq!(Case::fold(id, &entries), straight);
    }

    #[test]
    fn a_human_answer_acknowledges_and_a_decision_moves_on() {
        assert_eq!(
            fold(vec![Act::Noted { text: String::new() }]).state(true),
            CaseState::Acknowledged
        );
        assert_eq!(fold(vec![answered("SV1", AnswerValue::Yes)]).state(true), CaseState::Triage);
        let by_hand = fold(vec![
            Act::Decided { disposition: Disposition::Accept, clauses: vec![], reason: None },
            Act::StateSet { state: CaseState::Fixing },
        ]);
        assert_eq!(by_hand.state(true), CaseState::Fixing);
    }
}
