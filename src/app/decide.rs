//! Deciding a case: score, decision, state, and taking acts back.

use super::layer::{Choice, Layer};
use super::prompt::Asking;
use super::run::{case_id, key};
use super::{Effect, Model, Screen, Tone, acts, calculator, many, material, triage, words};
use crate::command::Command;
use crate::domain::journal::Act;
use crate::domain::{CaseState, Disposition};

pub(super) fn score(model: &mut Model, args: &str) {
    if args.is_empty() {
        return calculator::open(model, calculator::Use::Case);
    }
    let Some(id) = case_id(model) else { return };
    match acts::score(args) {
        Ok(act) => {
            let said = material::score_line(args, &model.policy);
            model.record(id, vec![act], said);
        }
        Err(refusal) => {
            model.say(Tone::Error, refusal.to_string());
            model.ask(Asking::Command, &format!("score {args}"));
        }
    }
}

pub(super) fn decide(model: &mut Model, args: &str) {
    let mut words = args.split_whitespace();
    let Some(word) = words.next() else {
        return choose_disposition(model);
    };
    if model.screen == Screen::Queue && model.queue.marked_count() > 0 || word == many::SUGGESTED {
        return many::decide(model, word);
    }
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
        Ok(act) => {
            let next = after_decision(model, disposition);
            triage::acted(model, Some(disposition));
            model.record(id, vec![act], format!("decided: {disposition}{next}"));
        }
        Err(refusal) => {
            let tone = if asked { Tone::Error } else { Tone::Note };
            model.say(tone, refusal.to_string());
            model.ask(Asking::DecisionReason(disposition), "");
        }
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

/// What comes next once the suggested answers are taken.
pub(super) fn after_answers(model: &Model) -> String {
    let Some(case) = &model.case else { return String::new() };
    let suggested = case.view.verdict.disposition;
    let (command, does) = match suggested {
        Disposition::Accept => (Command::AcceptCase, "accepts the case"),
        Disposition::NeedsInfo => (Command::NeedInfo, "asks for what is missing"),
        other if other.declines() => (Command::Decline, "drafts the reply that declines"),
        _ => (Command::Decide, "decides"),
    };
    format!("; {} {does}, {} takes back", key(model, command), key(model, Command::Undo))
}

/// What comes next once a case is decided.
fn after_decision(model: &Model, disposition: Disposition) -> String {
    if model.screen != Screen::Case {
        return format!("; {} takes it back", key(model, Command::Undo));
    }
    let drafted = model.case.as_ref().is_some_and(|case| case.view.case.reply.is_some());
    match disposition {
        Disposition::Accept => format!(
            "; {} scores it, {} drafts the advisory",
            key(model, Command::Score),
            key(model, Command::Advisory)
        ),
        Disposition::Spam => format!("; {} opens the next case", key(model, Command::NextCase)),
        _ if drafted => format!(
            "; {} writes the reply as a mail file, {} opens the next case",
            key(model, Command::WriteEml),
            key(model, Command::NextCase)
        ),
        _ => format!(
            "; {} drafts the reply, {} opens the next case",
            key(model, Command::Reply),
            key(model, Command::NextCase)
        ),
    }
}

pub(super) fn choose_disposition(model: &mut Model) {
    let of_case = model.case.as_ref().map(|case| case.view.verdict.disposition);
    let suggested = of_case.or_else(|| model.queue.current().and_then(|row| row.suggested));
    let option = |disposition: &Disposition| {
        let mark = if Some(*disposition) == suggested { "suggested: " } else { "" };
        (disposition.to_string(), format!("{mark}{}", words::disposition(*disposition)))
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
        let now = model.case.as_ref().map(|case| case.view.row.state);
        let option = |state: &CaseState| {
            let mark = if Some(*state) == now { "now: " } else { "" };
            (state.to_string(), format!("{mark}{}", words::state(*state)))
        };
        let options = CaseState::ALL.iter().map(option).collect();
        let cursor = CaseState::ALL.iter().position(|state| Some(*state) == now).unwrap_or(0);
        model.layer = Some(Layer::Choice(Choice {
            title: "Move the case to".into(),
            command: Command::SetState,
            options,
            cursor,
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
    // In the list, an act on many is one act, and a case that its last act has taken out of sight is meant.
    let gone = |case: &crate::domain::CaseId| !model.queue.shows(case);
    let act = model.last_act.len() > 1 || model.last_act.iter().any(gone);
    let meant = match model.screen {
        Screen::Queue if act => std::mem::take(&mut model.last_act),
        // A session has gone on since: what it has just done is meant, and is shown again.
        Screen::Case if triage::has_gone_on(model) => {
            triage::step(model, -1);
            std::mem::take(&mut model.last_act)
        }
        _ => case_id(model).into_iter().collect(),
    };
    if meant.is_empty() {
        return model.say(Tone::Note, "no case is shown");
    }
    for case in meant {
        model.push(Effect::Undo { case });
    }
}
