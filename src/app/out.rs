//! What leaves the store by hand: lines to the clipboard, attachments to files.
//!
//! Both say so while the case is under embargo (DI2, capability M11): a clipboard is read by other programs, and a
//! saved file is no longer looked after here. Absent on purpose: opening an attachment.

use std::path::PathBuf;

use super::case::{CaseScreen, Pane, evidence_of};
use super::layer::{Choice, Layer};
use super::prompt::Asking;
use super::run::{case_id, key};
use super::{Effect, Model, Screen, Tone, material};
use crate::command::Command;

/// Most bytes handed to the clipboard; terminals drop longer sequences.
const MAX_COPIED: usize = 64 * 1024;

pub(super) fn copy(model: &mut Model) {
    let (text, what) = match (model.screen, &model.advisory, &model.case) {
        (Screen::Advisory, Some(advisory), _) => (advisory.preview_text(), "the preview"),
        (Screen::Case, _, Some(case)) => case_text(case),
        _ => return,
    };
    if text.trim().is_empty() {
        return model.say(Tone::Note, "there is no text here to copy");
    }
    if text.len() > MAX_COPIED {
        let export = key(model, Command::Export);
        let words = format!("{what} is too long for a clipboard; {export} writes files");
        return model.say(Tone::Error, words);
    }
    let notice = notice(model);
    model.push(Effect::Copy(text));
    model.say(Tone::Done, format!("copied {what} to the clipboard of the terminal{notice}"));
}

/// The marked lines, the line under the cursor, or what the question under the cursor rests on. As shown: what a
/// mail hides stays visible when it is pasted into a shell.
fn case_text(case: &CaseScreen) -> (String, &'static str) {
    if case.pane == Pane::Checklist {
        let evidence = case.current_item().and_then(evidence_of);
        let text = evidence.map_or("", |evidence| evidence.text.as_str());
        return (crate::mail::DisplayText::line(text).as_str().to_owned(), "the evidence");
    }
    let lines = match &case.marked {
        Some((message, lines)) => {
            let of = case.view.messages.get(*message).map_or(&[][..], |m| m.lines.as_slice());
            let (first, last) = (*lines.start() as usize, *lines.end() as usize);
            let lines = of.iter().skip(first.saturating_sub(1)).take(last + 1 - first.min(last));
            lines.map(|line| line.text.as_str()).collect::<Vec<_>>()
        }
        None => case.doc.get(case.cursor).map(|line| line.text.as_str()).into_iter().collect(),
    };
    (lines.join("\n"), if lines.len() > 1 { "the marked lines" } else { "the line" })
}

/// Saves the attachment `args` says by its number from 1; asks which, then where to.
pub(super) fn save_attachment(model: &mut Model, args: &str) {
    let Some(case) = &model.case else { return };
    let message = case.current_message();
    let parts = case.view.messages.get(message).map_or(&[][..], |m| m.attachments.as_slice());
    let chosen = match (args.parse::<usize>().ok(), parts.len()) {
        (_, 0) => return model.say(Tone::Note, "this mail has no attachment"),
        (Some(number), _) => number.checked_sub(1),
        (None, 1) => Some(0),
        (None, _) => {
            let option = |(at, part): (usize, &super::case::PartView)| {
                let words = format!("{} ({}, {} bytes)", part.name, part.content_type, part.size);
                ((at + 1).to_string(), words)
            };
            model.layer = Some(Layer::Choice(Choice {
                title: "Save which attachment".into(),
                command: Command::SaveAttachment,
                options: parts.iter().enumerate().map(option).collect(),
                cursor: 0,
            }));
            return;
        }
    };
    let part = chosen.and_then(|at| Some((at, parts.get(at)?)));
    match part.map(|(at, part)| (at, part.name.clone())) {
        Some((attachment, name)) => model.ask(Asking::AttachmentTo { message, attachment }, &name),
        None => {
            let words = format!("this mail has {} attachments", parts.len());
            model.say(Tone::Error, words);
        }
    }
}

pub(super) fn save_to(model: &mut Model, message: usize, attachment: usize, line: &str) {
    let Some(case) = case_id(model) else { return };
    if line.is_empty() {
        return model.say(Tone::Note, "not saved: no file was named");
    }
    let (path, notice) = (PathBuf::from(line), notice(model));
    model.push(Effect::SaveAttachment { case, message, attachment, path, notice });
}

fn notice(model: &Model) -> String {
    let row = model.case.as_ref().map(|case| &case.view.row);
    let words = row.and_then(|row| material::embargo_words(row, &model.policy, model.now));
    words.map_or_else(String::new, |words| format!("; {words}"))
}
