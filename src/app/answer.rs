//! Answering the checklist: answers, what they rest on, suggestions.

use std::collections::BTreeSet;

use super::case::{Pane, Row};
use super::decide::after_answers;
use super::prompt::Asking;
use super::run::{case_id, key};
use super::{Model, Screen, Tone, acts, form};
use crate::command::Command;
use crate::domain::journal::{Act, AnswerValue};
use crate::domain::{ClauseId, Evidence};

/// The question under the cursor, if the checklist has the keys.
pub(super) fn question(model: &mut Model) -> Option<Row> {
    let case = model.case.as_mut()?;
    if case.pane == Pane::Thread && case.marked.is_none() {
        case.pane = Pane::Checklist;
        model.say(
            Tone::Note,
            "the checklist has the keys now; the same key answers the question under the cursor",
        );
        return None;
    }
    case.current_item().cloned()
}

pub(super) fn answer(model: &mut Model, value: AnswerValue) {
    if model.screen == Screen::Advisory {
        return form::actions::answer(model, value);
    }
    let Some(row) = question(model) else { return };
    if row.question.is_empty() {
        let id = &row.id;
        return model.say(Tone::Note, format!("{id} is context; it asks nothing"));
    }
    match evidence_for(model, &row, value) {
        Some(evidence) => record_answer(model, &row.id, value, Some(evidence), None),
        None => {
            model.ask(Asking::Reason { clause: row.id, value }, "");
            model.say(Tone::Note, "an empty line means: judged by reading the mail");
        }
    }
}

/// Marked lines first, then the words of a proposal that says the same.
pub(super) fn evidence_for(model: &Model, row: &Row, value: AnswerValue) -> Option<Evidence> {
    let marked = model.case.as_ref().and_then(|case| case.marked_evidence());
    marked.or_else(|| {
        let hint = row.proposal.as_ref().filter(|hint| hint.answer == value)?;
        hint.evidence.clone()
    })
}

pub(super) fn record_answer(
    model: &mut Model,
    clause: &ClauseId,
    value: AnswerValue,
    evidence: Option<Evidence>,
    reason: Option<String>,
) {
    let Some(id) = case_id(model) else { return };
    match acts::answer(&model.policy, clause.as_str(), value, evidence, reason) {
        Ok(act) => {
            if let Some(case) = &mut model.case {
                case.marked = None;
                case.step(isize::from(case.pane == Pane::Checklist));
            }
            model.record(id, vec![act], format!("{clause}: {}", value.as_str()));
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

pub(super) fn clear(model: &mut Model) {
    if let Some(calculator) = &mut model.calculator {
        return calculator.clear();
    }
    if model.screen == Screen::Advisory {
        return form::actions::clear(model);
    }
    let Some(row) = question(model) else { return };
    let Some(id) = case_id(model) else { return };
    if row.answer.is_none() {
        return model.say(Tone::Note, format!("{} has no answer", row.id));
    }
    let act = Act::Answered { clause: row.id.clone(), answer: None, evidence: None, reason: None };
    model.record(id, vec![act], format!("{}: answer taken back", row.id));
}

/// Sets aside whatever the rules suggest for the question under the cursor. The journal keeps which rules.
pub(super) fn reject_hint(model: &mut Model) {
    let Some(row) = question(model) else { return };
    let (Some(case), Some(id)) = (&model.case, case_id(model)) else { return };
    let readings = case.view.readings();
    let hints = readings.iter().flat_map(|reading| &reading.hints);
    let rules: BTreeSet<String> =
        hints.filter(|hint| hint.clause == row.id).map(|hint| hint.rule.clone()).collect();
    if rules.is_empty() {
        return model.say(Tone::Note, format!("nothing is suggested for {}", row.id));
    }
    let names = rules.iter().cloned().collect::<Vec<_>>().join(", ");
    let aside = |rule| Act::HintRejected { clause: row.id.clone(), rule };
    let acts = rules.into_iter().map(aside).collect();
    model.record(id, acts, format!("{}: suggestion set aside ({names})", row.id));
}

pub(super) fn accept_suggestions(model: &mut Model) {
    let (Some(case), Some(id)) = (&model.case, case_id(model)) else { return };
    let proposed = case.checklist.iter().filter(|row| row.answer.is_none());
    let acts: Vec<Act> = proposed
        .filter_map(|row| row.proposal.as_ref())
        .filter(|hint| hint.answer != AnswerValue::Unclear)
        .map(|hint| Act::Answered {
            clause: hint.clause.clone(),
            answer: Some(hint.answer),
            evidence: hint.evidence.clone(),
            reason: hint.evidence.is_none().then(|| format!("suggested: {}", hint.why)),
        })
        .collect();
    match acts.len() {
        0 => model.say(Tone::Note, "no suggested answer is open"),
        count => {
            let next = after_answers(model);
            model.record(id, acts, format!("{count} suggested answers taken{next}"));
        }
    }
}

pub(super) fn evidence(model: &mut Model) {
    let Some(case) = &mut model.case else { return };
    if !case.jump() {
        let mark = key(model, Command::Mark);
        model.say(
            Tone::Note,
            format!("no line shows this yet; {mark} on a line of the mail marks one"),
        );
    }
}

pub(super) fn mark(model: &mut Model) {
    let Some(case) = &mut model.case else { return };
    if case.pane != Pane::Thread || !case.mark() {
        model.say(Tone::Note, "only lines of a mail's text can be marked");
        return;
    }
    if case.marked.is_none() {
        return model.say(Tone::Note, "mark taken back");
    }
    let question =
        case.current_item().map_or_else(String::new, |row| format!("{} {}", row.id, row.title));
    let keys = [Command::Yes, Command::No, Command::Unclear].map(|answer| key(model, answer));
    let pane = key(model, Command::NextPane);
    let keys = keys.join(" ");
    model.say(
        Tone::Note,
        format!("marked: {keys} answers “{question}” by it; {pane} chooses another question"),
    );
}
