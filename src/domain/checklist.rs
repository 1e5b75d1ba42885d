//! The checklist of a case: every decision point with its answer, what the rules propose and what follows.
//!
//! Owns: order, grouping and words. Absent on purpose: how it is drawn, and changing an answer. Read next:
//! [`super::verdict`].

use super::case::{Answer, Case};
use super::hint::{Hint, Reading};
use super::journal::AnswerValue;
use super::policy::{Item, ItemKind, Outcome, Policy, Support};
use super::verdict::Answers;

/// The items under one heading of the policy.
#[derive(Clone, PartialEq, Debug)]
pub struct Section<'a> {
    /// The heading.
    pub heading: &'a str,
    /// Its items in order.
    pub rows: Vec<Row<'a>>,
}

/// One decision point of a case.
#[derive(Clone, PartialEq, Debug)]
pub struct Row<'a> {
    /// The point.
    pub item: &'a Item,
    /// The maintainer's answer.
    pub answer: Option<&'a Answer>,
    /// The strongest hint of the messages, the newest among equals; shown beside an answer too, so that a
    /// difference can be seen.
    pub proposal: Option<&'a Hint>,
    /// What follows from the answer, or else from the proposal, in words; empty where nothing does.
    pub outcome: String,
}

impl Row<'_> {
    /// Whether the point waits for a human: it asks something and has no answer.
    pub fn is_open(&self) -> bool {
        self.answer.is_none() && asks(self.item)
    }

    /// Whether the maintainer answered otherwise than the rules propose.
    pub fn differs(&self) -> bool {
        matches!((self.answer, self.proposal), (Some(a), Some(p)) if a.value != p.answer)
    }
}

/// Whether there is something to answer.
pub fn asks(item: &Item) -> bool {
    item.kind != ItemKind::Context && item.support != Support::None && !item.question.is_empty()
}

/// The checklist in the policy's order. A heading that returns after another begins a section of its own.
pub fn sections<'a>(
    policy: &'a Policy,
    case: &'a Case,
    readings: &[&'a Reading],
) -> Vec<Section<'a>> {
    let mut sections: Vec<Section<'a>> = Vec::new();
    for item in &policy.items {
        let answer = case.answers.get(&item.id);
        let proposal = strongest(item, readings);
        let value = answer.map(|answer| answer.value).or(proposal.map(|hint| hint.answer));
        let outcome = value.map(|value| outcome_words(item, value)).unwrap_or_default();
        let row = Row { item, answer, proposal, outcome };
        match sections.last_mut() {
            Some(section) if section.heading == item.section => section.rows.push(row),
            _ => sections.push(Section { heading: &item.section, rows: vec![row] }),
        }
    }
    sections
}

/// The confirmed answers of a case, as the verdict takes them.
pub fn confirmed(case: &Case) -> Answers {
    case.answers.iter().map(|(clause, answer)| (clause.clone(), answer.value)).collect()
}

/// The strongest hint for an item; of equally strong ones, the newest message's first.
fn strongest<'a>(item: &Item, readings: &[&'a Reading]) -> Option<&'a Hint> {
    let mut best: Option<&'a Hint> = None;
    for reading in readings.iter().rev() {
        for hint in reading.hints.iter().filter(|hint| hint.clause == item.id) {
            if best.is_none_or(|best| best.strength < hint.strength) {
                best = Some(hint);
            }
        }
    }
    best
}

/// What follows from an answer, in a few words; empty where nothing does by itself.
pub fn outcome_words(item: &Item, answer: AnswerValue) -> String {
    let outcome = match answer {
        AnswerValue::Yes => item.outcomes.yes,
        AnswerValue::No => item.outcomes.no,
        AnswerValue::Unclear => item.outcomes.unclear,
    };
    match outcome {
        Outcome::Go => String::new(),
        Outcome::Ask => "ask the reporter".to_owned(),
        Outcome::NoAdvisory => "no advisory under the rule".to_owned(),
        Outcome::NoCve => "no CVE id".to_owned(),
        Outcome::Propose(disposition) => format!("proposes {disposition}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CaseId, MessageRef};

    fn hint(strength: u8, answer: AnswerValue) -> Hint {
        let (rule, why) = (String::new(), String::new());
        Hint { clause: "Q1".into(), answer, strength, rule, why, evidence: None }
    }

    #[test]
    fn rows_hold_answer_proposal_and_outcome() {
        let policy = crate::domain::test_support::policy();
        let mut case = Case::new(CaseId::derive(None, &MessageRef::of(b"")));
        let reading = Reading {
            hints: vec![hint(1, AnswerValue::Yes), hint(2, AnswerValue::No)],
            ..Reading::default()
        };
        let open = sections(&policy, &case, &[&reading]);
        let row = &open[0].rows[0];
        assert_eq!((open[0].heading, open.len()), ("Rules", 1));
        assert_eq!(row.proposal.map(|hint| hint.answer), Some(AnswerValue::No));
        assert_eq!(row.outcome, "ask the reporter");
        assert!(row.is_open() && !row.differs());

        let answer = Answer {
            value: AnswerValue::Yes,
            evidence: None,
            reason: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            actor: "m".into(),
        };
        case.answers.insert("Q1".into(), answer);
        let closed = sections(&policy, &case, &[&reading]);
        let row = &closed[0].rows[0];
        assert!(!row.is_open() && row.differs() && row.outcome.is_empty());
        assert_eq!(confirmed(&case).len(), 1);
    }
}
