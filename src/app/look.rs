//! Looking: order and search of the list, views of a mail, history, help.

use super::case::Pane;
use super::layer::{Help, Layer, Reading};
use super::{Effect, Model, Screen, Tone, material};
use crate::command::Command;

pub(super) fn raw(model: &mut Model) {
    let Some(case) = &mut model.case else { return };
    let message = case.current_message();
    let known = case.view.messages.get(message).is_some_and(|m| m.raw.is_some());
    if case.raw || known {
        case.raw = !case.raw;
        model.lay_out();
    } else {
        let case = case.view.row.id.clone();
        model.push(Effect::LoadRaw { case, message });
    }
}

pub(super) fn headers(model: &mut Model) {
    if let Some(case) = &mut model.case {
        case.headers = !case.headers;
        model.lay_out();
    }
}

pub(super) fn step_message(model: &mut Model, step: isize) {
    if let Some(case) = &mut model.case {
        case.pane = Pane::Thread;
        case.step_message(step);
    }
}

pub(super) fn journal(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let lines = case.view.entries.iter().map(material::history_line).collect();
    let title = format!("History of {}", case.view.row.id);
    model.layer = Some(Layer::Text(Reading { title, lines, top: 0 }));
}

pub(super) fn help(model: &mut Model) {
    let context = model.screen_context();
    model.layer = Some(Layer::Help(Help {
        title: format!("Keys: {}", context.as_str()),
        rows: model.keymap.help(context),
        top: 0,
    }));
}

pub(super) fn order(model: &mut Model, command: Command) {
    let (policy, now) = (std::sync::Arc::clone(&model.policy), model.now);
    match command {
        Command::CycleFilter => model.queue.cycle_view(&policy.periods, now),
        Command::Sort => model.queue.cycle_sort(&policy.periods, now),
        _ => {
            model.queue.sort = super::queue::Sort::Deadline;
            model.queue.refresh(&policy.periods, now);
            model.queue.go_to(0);
            model.screen = Screen::Queue;
            model.case = None;
        }
    }
    let words = format!("{} cases, by {}", model.queue.view.as_str(), model.queue.sort.as_str());
    model.say(Tone::Note, words);
}

pub(super) fn find(model: &mut Model, step: isize) {
    let found = match (model.screen, &mut model.case) {
        (Screen::Case, Some(case)) => case.find(step),
        _ => model.queue.find(step),
    };
    if !found {
        model.say(Tone::Note, "not found");
    }
}
