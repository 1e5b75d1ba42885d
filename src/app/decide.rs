//! Deciding a case: score, decision, state, and taking acts back.

use super::layer::{Choice, Layer};
use super::prompt::Asking;
use super::run::case_id;
use super::{Effect, Model, Tone, acts, material};
use crate::command::Command;
use crate::domain::journal::Act;
use crate::domain::{CaseState, Disposition};

pub(super) fn score(model: &mut Model, args: &str) {
    let Some(case) = &model.case else { return };
    if args.is_empty() {
        let begin = material::vector_to_begin_with(&case.view, &model.policy);
        return model.ask(Asking::Vector, &begin);
    }
    let Some(id) = case_id(model) else { return };
    match acts::score(args) {
        Ok(act) => {
            let said = material::score_line(args, &model.policy);
            model.record(id, vec![act], said);
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

pub(super) fn decide(model: &mut Model, args: &str) {
    let mut words = args.split_whitespace();
    let Some(word) = words.next() else {
        return choose_disposition(model);
    };
    let Some(disposition) = Disposition::parse(word) else {
        return model.say(Tone::Error, format!("“{word}” is no decision; Tab completes"));
    };
    let named: Vec<String> = words.map(str::to_owned).collect();
    let clauses = if named.is_empty() { proven_clauses(model, disposition) } else { named };
    record_decision(model, disposition, &clauses, None);
}

pub(super) fn record_decision(
    model: &mut Model,
    disposition: Disposition,
    clauses: &[String],
    reason: Option<String>,
) {
    let Some(id) = case_id(model) else { return };
    let asked = reason.is_some();
    match acts::decide(&model.policy, disposition, clauses, reason) {
        Ok(act) => model.record(id, vec![act], format!("decided: {disposition}")),
        Err(_) if !asked => model.ask(Asking::DecisionReason(disposition), ""),
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

/// Clauses that the checklist proves for this decision; none where it says something else.
pub(super) fn proven_clauses(model: &Model, disposition: Disposition) -> Vec<String> {
    let Some(case) = &model.case else { return Vec::new() };
    let verdict = &case.view.verdict;
    let same = verdict.disposition == disposition;
    let clauses = verdict.clauses.iter().filter(|_| same);
    clauses.map(ToString::to_string).collect()
}

pub(super) fn choose_disposition(model: &mut Model) {
    let suggested = model.case.as_ref().map(|case| case.view.verdict.disposition);
    let option = |disposition: &Disposition| {
        let mark = if Some(*disposition) == suggested { "suggested" } else { "" };
        (disposition.to_string(), mark.to_owned())
    };
    let cursor = Disposition::ALL.iter().position(|d| Some(*d) == suggested).unwrap_or(0);
    model.layer = Some(Layer::Choice(Choice {
        title: "Decide the case".into(),
        command: Command::Decide,
        options: Disposition::ALL.iter().map(option).collect(),
        cursor,
    }));
}

pub(super) fn set_state(model: &mut Model, args: &str) {
    if args.is_empty() {
        let options = CaseState::ALL.iter().map(|s| (s.to_string(), String::new())).collect();
        model.layer = Some(Layer::Choice(Choice {
            title: "Move the case to".into(),
            command: Command::SetState,
            options,
            cursor: 0,
        }));
        return;
    }
    match (CaseState::parse(args), case_id(model)) {
        (Some(state), Some(id)) => {
            model.record(id, vec![Act::StateSet { state }], format!("now {state}"));
        }
        (None, _) => model.say(Tone::Error, format!("“{args}” is no state; Tab completes")),
        _ => {}
    }
}

pub(super) fn undo(model: &mut Model) {
    if model.read_only {
        return model.say(Tone::Error, "opened read-only: nothing is saved");
    }
    match case_id(model) {
        Some(case) => model.push(Effect::Undo { case }),
        None => model.say(Tone::Note, "no case here"),
    }
}
