//! What the reporter's answer to our question has settled.

use std::collections::BTreeSet;

use super::desk::Rules;
use super::ingest;
use crate::app::case::{MessageView, Returned};
use crate::domain::case::Direction;
use crate::domain::hint::Reading;
use crate::domain::journal::AnswerValue;
use crate::domain::verdict::Verdict;
use crate::domain::{Case, ClauseId, Disposition};

/// The points that were open when we last wrote, held against what the mails since then say. `None` unless we asked for
/// missing points and an answer has come.
pub fn of(
    rules: &Rules,
    case: &Case,
    messages: &[MessageView],
    verdict: &Verdict,
) -> Option<Returned> {
    let asked = case.decision.as_ref()?.disposition == Disposition::NeedsInfo;
    let last_out = messages.iter().rposition(|message| message.direction == Direction::Out)?;
    let incoming = |message: &&MessageView| message.direction == Direction::In;
    let (before, since) = messages.split_at(last_out + 1);
    let at = since.iter().find(incoming).filter(|_| asked)?.received;
    let readings = |part: &'_ [MessageView]| -> Vec<Reading> {
        part.iter().filter(incoming).map(|message| message.reading.clone()).collect()
    };
    let (earlier, newer) = (readings(before), readings(since));
    let mut open: BTreeSet<ClauseId> = verdict.missing.iter().cloned().collect();
    let was = ingest::verdict(rules, case, &earlier.iter().collect::<Vec<_>>(), None, None);
    let mut answered: BTreeSet<ClauseId> = was.missing.into_iter().collect();
    answered.retain(|clause| !open.contains(clause));
    // An answer of ours that it was unclear hides what the new mail says of it.
    for hint in newer.iter().flat_map(|reading| &reading.hints) {
        let given = case.answers.get(&hint.clause).map(|answer| answer.value);
        if given == Some(AnswerValue::Unclear) && hint.answer != AnswerValue::Unclear {
            answered.insert(hint.clause.clone());
            open.remove(&hint.clause);
        }
    }
    let in_order = |clauses: BTreeSet<ClauseId>| {
        let order = rules.policy.items.iter().map(|item| &item.id);
        order.filter(|id| clauses.contains(*id)).cloned().collect()
    };
    Some(Returned { at, answered: in_order(answered), open: in_order(open) })
}
