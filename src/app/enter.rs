//! What is done with an entered line or a chosen word.

use std::path::PathBuf;

use super::answer::record_answer;
use super::decide::record_decision;
use super::layer::{Layer, Reading};
use super::look::find;
use super::prompt::Asking;
use super::run::{case_id, command};
use super::{Effect, Model, Screen, Tone, calculator, claims, clocks, draft, form, out, sync};
use crate::command::{Argument, Command, Context};
use crate::domain::journal::Act;

pub(super) fn text_or_ask(model: &mut Model, asking: Asking, args: &str) {
    if args.is_empty() {
        let begin = match asking {
            Asking::Filter => model.queue.filter.clone(),
            Asking::CalendarTo => "deadlines.ics".to_owned(),
            _ => String::new(),
        };
        model.ask(asking, &begin);
    } else {
        take(model, asking, args);
    }
}

pub(super) fn complete(model: &mut Model, args: &str) {
    if let Some(prompt) = &mut model.prompt {
        prompt.complete(if args == "back" { -1 } else { 1 });
    }
}

pub(super) fn accept(model: &mut Model) {
    if let Some(mut prompt) = model.prompt.take() {
        if let Asking::Password { watch, .. } = prompt.asking {
            return sync::with_password(model, std::mem::take(&mut prompt.password), watch);
        }
        let line = prompt.taken();
        return take(model, prompt.asking, &line);
    }
    if model.layer.is_none() {
        return match &model.calculator {
            Some(_) => calculator::accept(model),
            None => form::actions::accept(model),
        };
    }
    match model.layer.take() {
        Some(Layer::Choice(choice)) => {
            if let Some((word, _)) = choice.options.get(choice.cursor) {
                command(model, choice.command, word);
            }
        }
        Some(Layer::Reply(reply)) => draft::edit(model, reply),
        Some(Layer::Text(Reading { then: Some((asked, args)), .. })) => {
            command(model, asked, &args);
        }
        Some(Layer::Claims(table)) => claims::jump(model, &table),
        _ => {}
    }
}

/// Takes an entered line.
pub(super) fn take(model: &mut Model, asking: Asking, line: &str) {
    let line = line.trim();
    match asking {
        Asking::Command | Asking::Palette => command_line(model, line),
        Asking::Search => search(model, line),
        Asking::Filter => {
            line.clone_into(&mut model.queue.filter);
            let policy = std::sync::Arc::clone(&model.policy);
            model.queue.refresh(&policy.periods, model.now);
        }
        Asking::Reason { clause, value } => {
            let reason = if line.is_empty() { "judged by reading the mail" } else { line };
            record_answer(model, &clause, value, None, Some(reason.to_owned()));
        }
        Asking::DecisionReason(disposition) => {
            record_decision(model, disposition, &[], Some(line.to_owned()));
        }
        Asking::Note if line.is_empty() => model.say(Tone::Note, "an empty note is not kept"),
        Asking::Note => {
            if let Some(id) = case_id(model) {
                model.record(id, vec![Act::Noted { text: line.to_owned() }], "note kept");
            }
        }
        Asking::AttachmentTo { message, attachment } => {
            out::save_to(model, message, attachment, line)
        }
        Asking::ExportTo => form::actions::export_to(model, line),
        Asking::CalendarTo => clocks::calendar(model, line),
        // Taken before, as it never becomes a line.
        Asking::Password { .. } => {}
        Asking::EmlTo => {
            if let Some(case) = case_id(model) {
                model.push(Effect::WriteEml { case, path: PathBuf::from(line) });
            }
        }
    }
}

pub(super) fn search(model: &mut Model, line: &str) {
    match (model.screen, &mut model.case) {
        (Screen::Case, Some(case)) => line.clone_into(&mut case.search),
        _ => line.clone_into(&mut model.queue.search),
    }
    if !line.is_empty() {
        find(model, 1);
    }
}

pub(super) fn command_line(model: &mut Model, line: &str) {
    let (name, args) = line.split_once(' ').unwrap_or((line, ""));
    match Command::parse(name) {
        _ if name.is_empty() => {}
        Some(Command::Accept | Command::Complete) | None => {
            let context: Context = model.screen_context();
            let names = crate::command::TABLE.iter().filter(|row| row.id.applies_in(context));
            let names: Vec<&str> = names.map(|row| row.name).collect();
            let near = crate::config::fault::nearest(name, &names);
            let hint =
                near.map_or("Tab completes".to_owned(), |near| format!("did you mean “{near}”?"));
            model.say(Tone::Error, format!("no command “{name}”; {hint}"));
        }
        Some(found) if found.row().argument == Argument::None && !args.trim().is_empty() => {
            model.say(Tone::Error, format!("“{name}” takes no words behind it"));
        }
        Some(found) => command(model, found, args.trim()),
    }
}
