//! One input to the model: keys through the keymap, text to what is being edited, answers to where they belong.

use std::sync::Arc;

use jiff::Timestamp;

use super::case::CaseScreen;
use super::{
    Effect, Input, Model, Outcome, Screen, SyncState, Tone, calculator, claims, clocks, draft,
    form, layout, merge, queue, run, triage,
};
use crate::command::{Command, Context};
use crate::keymap::{Key, Match};

/// Changes the model by one input at the time `now`; returns what is to be done outside.
pub fn update(model: &mut Model, input: Input, now: Timestamp) -> Vec<Effect> {
    model.now = now;
    match input {
        Input::Key(key) => press(model, key),
        Input::Paste(text) => paste(model, &text),
        Input::Resize(columns, rows) => {
            model.size = (columns, rows);
            model.lay_out();
        }
        Input::Outcome(outcome) => arrive(model, outcome),
        Input::Tick => {
            let policy = Arc::clone(&model.policy);
            if model.queue.sort == queue::Sort::Deadline {
                model.queue.refresh(&policy.periods, now);
            }
            clocks::refresh(model);
        }
        Input::Stop => model.push(Effect::Quit),
    }
    model.settle();
    std::mem::take(&mut model.effects)
}

fn press(model: &mut Model, key: Key) {
    if let Some(session) = &mut model.session {
        session.keys += 1;
    }
    if !model.awaits_case() {
        return take(model, key);
    }
    let context = model.context();
    let leaves = |command| matches!(command, Command::Back | Command::Quit);
    match Arc::clone(&model.keymap).lookup(context, &[key]) {
        Match::Bound(binding) if leaves(binding.command) => {
            model.await_no_case();
            take(model, key);
        }
        // More than anybody types ahead is a key held down.
        _ if model.ahead.len() < MAX_AHEAD => model.ahead.push(key),
        _ => {}
    }
}

/// Keys kept while a case is being opened. They are meant for that case, never for the one still shown.
const MAX_AHEAD: usize = 64;

/// Presses what was typed ahead, as far as no other case is to be waited for.
fn type_ahead(model: &mut Model) {
    while !model.awaits_case() && !model.ahead.is_empty() {
        let key = model.ahead.remove(0);
        take(model, key);
    }
}

fn take(model: &mut Model, key: Key) {
    let context = model.context();
    model.pending.push(key);
    model.choices.clear();
    let keymap = Arc::clone(&model.keymap);
    match keymap.lookup(context, &model.pending) {
        Match::Bound(binding) => {
            model.pending.clear();
            model.toast = None;
            run::command(model, binding.command, &binding.args);
        }
        Match::Pending(choices) => model.choices = choices,
        Match::Unbound => {
            let keys = std::mem::take(&mut model.pending);
            type_in(model, &keys);
        }
    }
}

/// Gives keys without a binding to the text being edited, or says that they do nothing.
fn type_in(model: &mut Model, keys: &[Key]) {
    if let Some(prompt) = &mut model.prompt {
        keys.iter().for_each(|key| prompt.key(*key));
        refresh_prompt(model);
        return;
    }
    match model.context() {
        Context::Calculator => return keys.iter().for_each(|key| calculator::key(model, *key)),
        Context::Form => return keys.iter().for_each(|key| form::actions::key(model, *key)),
        _ => {}
    }
    match (&model.layer, model.screen, &mut model.editor) {
        (None, Screen::Editor, Some(editor)) => keys.iter().for_each(|key| editor.key(*key)),
        _ => {
            let typed: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let help = run::key(model, Command::Help);
            model.say(
                Tone::Note,
                format!("{} does nothing here; {help} shows what does", typed.join(" ")),
            );
        }
    }
}

fn refresh_prompt(model: &mut Model) {
    if let Some(mut prompt) = model.prompt.take() {
        prompt.refresh(&model.words());
        model.prompt = Some(prompt);
    }
}

fn paste(model: &mut Model, text: &str) {
    if let Some(prompt) = &mut model.prompt {
        prompt.paste(text);
        refresh_prompt(model);
    } else if model.context() == Context::Form {
        form::actions::paste(model, text);
    } else if let (None, Screen::Editor, Some(editor)) =
        (&model.layer, model.screen, &mut model.editor)
    {
        if !editor.paste(text) {
            model.say(Tone::Error, "the paste was longer than 1 MB; the rest was left out");
        }
    } else {
        model.say(Tone::Note, "there is no text here to paste into");
    }
}

fn arrive(model: &mut Model, outcome: Outcome) {
    take_in(model, outcome);
    type_ahead(model);
}

fn take_in(model: &mut Model, outcome: Outcome) {
    let policy = Arc::clone(&model.policy);
    match outcome {
        Outcome::Rows { rows, gone, done } => {
            model.queue.merge(rows, &gone, &policy.periods, model.now);
            if done {
                model.queue.loading = false;
            }
            clocks::refresh(model);
        }
        Outcome::Opened { request, case } if request == model.request => {
            let width = usize::from(layout::case(model.size, false).thread.width);
            model.queue.merge(vec![case.row.clone()], &[], &policy.periods, model.now);
            model.queue.select(case.row.number);
            model.queue.looked_at(case.row.number);
            model.case = Some(CaseScreen::open(*case, &policy, width));
            model.screen = Screen::Case;
            model.opening = false;
            triage::arrived(model);
            claims::ask(model);
            model.deadlines = None;
            if let Some((of, template)) = model.after_open.take()
                && of == request
            {
                draft::propose(model, template);
            }
        }
        Outcome::Opened { .. } => {}
        Outcome::Saved { said, case } => {
            let id = case.row.id.clone();
            model.queue.merge(vec![case.row.clone()], &[], &policy.periods, model.now);
            if let Some(open) = &mut model.case
                && open.view.row.id == case.row.id
            {
                open.replace(*case, &policy);
            }
            let elsewhere = model.case.as_ref().is_none_or(|open| open.view.row.id != id);
            draft::after_save(model);
            // An act on many has said at once what it does.
            if !said.is_empty() {
                model.say(Tone::Done, if elsewhere { format!("{id}: {said}") } else { said });
            }
            if !elsewhere {
                triage::saved(model);
            }
        }
        Outcome::Regrouped { said, merged, case, rows, gone } => {
            model.queue.merge(rows, &gone, &policy.periods, model.now);
            let id = case.row.id.clone();
            let open = model.case.as_ref().map(|open| &open.view.row);
            let shown = open.is_some_and(|row| row.id == id || gone.contains(&row.number));
            if shown {
                let width = usize::from(layout::case(model.size, false).thread.width);
                model.queue.select(case.row.number);
                model.case = Some(CaseScreen::open(*case, &policy, width));
                model.screen = Screen::Case;
                model.lay_out();
            }
            model.acted_on(id);
            let next = merge::after(model, merged);
            model.say(Tone::Done, format!("{said}{next}"));
        }
        Outcome::Raw { message, lines } => {
            if let Some(case) = &mut model.case {
                if let Some(message) = case.view.messages.get_mut(message) {
                    message.raw = Some(lines);
                }
                case.raw = true;
                model.lay_out();
            }
        }
        Outcome::Claims { case, looked } => claims::arrive(model, &case, looked),
        Outcome::Written { said } => model.say(Tone::Done, said),
        Outcome::Failed(problem) => {
            if let Some(advisory) = &mut model.advisory {
                advisory.not_saved();
            }
            triage::not_saved(model);
            model.opening = false;
            model.ahead.clear();
            model.fail(&problem);
        }
        Outcome::Sync(state) => model.sync = state,
        Outcome::SyncFailed(problem) => {
            model.fail(&problem);
            model.sync = SyncState::Idle("last pull failed".into());
        }
        Outcome::PasswordRefused(of) => model.ask_password = Some(of),
        Outcome::Upkeep(text) => model.upkeep = (!text.is_empty()).then_some(text),
    }
}
