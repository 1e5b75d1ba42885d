//! What each command does.

use super::case::Pane;
use super::prompt::Asking;
use super::{
    Effect, Model, Screen, Tone, answer, calculator, claims, clocks, decide, draft, enter, form,
    layout, look, many, merge, out, outbox, sync, triage,
};
use crate::command::Command;
use crate::domain::Disposition;
use crate::domain::journal::AnswerValue;

/// Runs a command with the words behind its name.
pub(super) fn command(model: &mut Model, command: Command, args: &str) {
    if !command.applies_in(model.context()) && !command.applies_in(model.screen_context()) {
        let name = command.name();
        model.say(Tone::Note, format!("“{name}” does nothing on this screen"));
        return;
    }
    match command {
        Command::Down => step(model, 1),
        Command::Up => step(model, -1),
        Command::PageDown => step(model, page(model)),
        Command::PageUp => step(model, -page(model)),
        Command::Top => step(model, -FAR),
        Command::Bottom => step(model, FAR),
        Command::Open => open(model),
        Command::Back => back(model),
        Command::NextPane | Command::PreviousPane => next_pane(model),
        Command::NextCase => neighbour(model, 1),
        Command::PreviousCase => neighbour(model, -1),
        Command::Search => enter::text_or_ask(model, Asking::Search, args),
        Command::SearchNext => look::find(model, 1),
        Command::SearchPrevious => look::find(model, -1),
        Command::Filter => enter::text_or_ask(model, Asking::Filter, args),
        Command::CycleFilter | Command::Sort => look::order(model, command),
        Command::Deadlines => clocks::open(model),
        Command::HoldingNote => clocks::note(model),
        Command::Calendar => enter::text_or_ask(model, Asking::CalendarTo, args),
        Command::Pause => clocks::pause(model, args),
        Command::Triage => triage::start(model),
        Command::Sync => sync::start(model, false),
        Command::Watch => sync::start(model, true),
        Command::CancelSync => sync::cancel(model),
        Command::Yes => answer::answer(model, AnswerValue::Yes),
        Command::No => answer::answer(model, AnswerValue::No),
        Command::Unclear => answer::answer(model, AnswerValue::Unclear),
        Command::Clear => answer::clear(model),
        Command::RejectHint => answer::reject_hint(model),
        Command::AcceptSuggestions => answer::accept_suggestions(model),
        Command::Evidence => answer::evidence(model),
        Command::Mark if model.screen == Screen::Queue => many::mark(model),
        Command::Mark => answer::mark(model),
        Command::Claims => claims::open(model),
        Command::Score => decide::score(model, args),
        Command::Decide => decide::decide(model, args),
        Command::AcceptCase => decide::decide(model, Disposition::Accept.as_str()),
        Command::Decline => draft::decline(model),
        Command::NeedInfo => draft::propose(model, Disposition::NeedsInfo.as_str()),
        Command::Reply => draft::reply(model, args),
        Command::QueueReply => outbox::queue(model),
        Command::Outbox => outbox::list(model),
        Command::Merge => merge::merge(model, args),
        Command::Split => merge::split(model),
        Command::Twin => merge::twin(model),
        Command::SetState => decide::set_state(model, args),
        Command::Note => enter::text_or_ask(model, Asking::Note, args),
        Command::Advisory => form::actions::open(model),
        Command::EditAdvisory => form::actions::edit_advisory(model),
        Command::EditField => form::actions::edit_field(model),
        Command::NextMissing => form::actions::go_on(model),
        Command::NextFormat => form::actions::step_format(model, 1),
        Command::PreviousFormat => form::actions::step_format(model, -1),
        Command::SwitchVersion => calculator::switch_version(model),
        Command::Export => form::actions::export(model),
        Command::Save => draft::save(model),
        Command::WriteEml => draft::write_eml(model),
        Command::Raw => look::raw(model),
        Command::Headers => look::headers(model),
        Command::NextMessage => look::step_message(model, 1),
        Command::PreviousMessage => look::step_message(model, -1),
        Command::Copy => out::copy(model),
        Command::SaveAttachment => out::save_attachment(model, args),
        Command::Journal => look::journal(model),
        Command::Undo => decide::undo(model),
        Command::Accept => enter::accept(model),
        Command::Complete => enter::complete(model, args),
        Command::CommandLine => model.ask(Asking::Command, args),
        Command::Palette => model.ask(Asking::Palette, ""),
        Command::Help => look::help(model),
        Command::Redraw => model.push(Effect::Redraw),
        Command::Suspend => model.push(Effect::Suspend),
        Command::Quit => quit(model),
    }
}

/// More lines than any list has.
const FAR: isize = isize::MAX / 4;

fn page(model: &Model) -> isize {
    let rows = layout::queue_height(model.size).saturating_sub(1).max(1);
    isize::try_from(rows).unwrap_or(1)
}

fn step(model: &mut Model, lines: isize) {
    if let Some(prompt) = &mut model.prompt {
        return prompt.complete(lines);
    }
    if let Some(layer) = &mut model.layer {
        layer.step(lines, layout::layer_height(model.size));
        return;
    }
    if let Some(calculator) = &mut model.calculator {
        return calculator.step(lines);
    }
    match model.screen {
        Screen::Queue => model.queue.step(lines),
        Screen::Case => {
            if let Some(case) = &mut model.case {
                case.step(lines);
            }
        }
        Screen::Advisory => {
            if let Some(advisory) = &mut model.advisory {
                match &mut advisory.dialog {
                    Some(dialog) => dialog.step(lines),
                    None => advisory.step(lines, model.size),
                }
            }
        }
        Screen::Deadlines => {
            if let Some(deadlines) = &mut model.deadlines {
                deadlines.step(lines);
            }
        }
        Screen::Editor => {}
    }
}

fn open(model: &mut Model) {
    if model.layer.is_some() {
        return enter::accept(model);
    }
    match model.screen {
        Screen::Queue => match model.queue.current().map(|row| row.id.clone()) {
            Some(case) => open_case(model, case),
            None if model.queue.loading => model.say(Tone::Note, "the list is still being read"),
            None => model.say(Tone::Note, "no case is shown"),
        },
        Screen::Case => answer::evidence(model),
        Screen::Deadlines => clocks::open_case(model),
        Screen::Editor | Screen::Advisory => {}
    }
}

pub(super) fn open_case(model: &mut Model, case: crate::domain::CaseId) {
    model.request += 1;
    model.opening = true;
    let request = model.request;
    model.push(Effect::OpenCase { request, case });
}

pub(super) fn neighbour(model: &mut Model, lines: isize) {
    if model.session.is_some() {
        return triage::step(model, lines);
    }
    let Some(number) = model.case.as_ref().map(|case| case.view.row.number) else { return };
    match model.queue.neighbour(number, lines).map(|row| row.id.clone()) {
        Some(case) => open_case(model, case),
        None => {
            let back = key(model, Command::Back);
            model
                .say(Tone::Note, format!("no more cases in this direction; {back} shows the list"));
        }
    }
}

fn back(model: &mut Model) {
    if model.prompt.take().is_some()
        || model.layer.take().is_some()
        || model.calculator.take().is_some()
        || model.advisory.as_mut().is_some_and(|advisory| advisory.dialog.take().is_some())
    {
        return;
    }
    match model.screen {
        Screen::Queue => {
            model.queue.filter.clear();
            let policy = std::sync::Arc::clone(&model.policy);
            model.queue.refresh(&policy.periods, model.now);
        }
        Screen::Case => {
            model.push(Effect::StopClaims);
            model.screen = Screen::Queue;
            model.case = None;
            triage::end(model);
        }
        Screen::Advisory => {
            model.screen = Screen::Case;
            model.advisory = None;
        }
        Screen::Deadlines => {
            model.deadlines = None;
            model.screen = if model.case.is_some() { Screen::Case } else { Screen::Queue };
        }
        Screen::Editor => draft::leave_editor(model),
    }
}

fn quit(model: &mut Model) {
    let unsaved = model.editor.as_ref().is_some_and(|editor| editor.is_changed() && !editor.warned);
    if unsaved && model.screen == Screen::Editor {
        return draft::leave_editor(model);
    }
    model.push(Effect::Quit);
}

/// The first key of a command in the present context, for hints.
pub(super) fn key(model: &Model, command: Command) -> String {
    model.key_of(command).unwrap_or_else(|| format!(":{}", command.name()))
}

fn next_pane(model: &mut Model) {
    if let (Screen::Case, Some(case)) = (model.screen, &mut model.case) {
        case.pane = match case.pane {
            Pane::Thread => Pane::Checklist,
            Pane::Checklist => Pane::Thread,
        };
    }
    if let (Screen::Advisory, Some(advisory)) = (model.screen, &mut model.advisory) {
        advisory.in_preview = !advisory.in_preview;
    }
}

pub(super) fn case_id(model: &Model) -> Option<crate::domain::CaseId> {
    match (model.screen, &model.case) {
        (Screen::Queue, _) | (_, None) => model.queue.current().map(|row| row.id.clone()),
        (_, Some(case)) => Some(case.view.row.id.clone()),
    }
}
