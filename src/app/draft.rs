//! Reply drafts: begun from a template, edited, saved, written as a mail file.

use super::editor::{Editor, Purpose};
use super::layer::{Choice, Layer, Proposed};
use super::prompt::Asking;
use super::run::{case_id, key};
use super::{Model, Screen, Tone, form, material};
use crate::command::Command;
use crate::domain::Disposition;
use crate::domain::journal::Act;

/// Opens the reply that fits what the checklist proves.
pub(super) fn decline(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let decided = case.view.case.decision.as_ref().map(|decision| decision.disposition);
    let disposition = decided.unwrap_or(case.view.verdict.disposition);
    let template = match disposition {
        Disposition::Accept | Disposition::NeedsInfo => Disposition::Reject,
        other => other,
    };
    propose(model, template.as_str());
}

/// Shows the reply that a template makes, to be put into the outbox, edited or dropped.
pub(super) fn propose(model: &mut Model, template: &str) {
    let Some(case) = &model.case else { return };
    match material::reply_draft(&material::Office::of(model), &case.view, template) {
        Ok(draft) => {
            let odd = material::recipient_warnings(&case.view, &draft.to);
            let mut layer = Layer::Reply(Proposed::new(template, draft, &odd));
            layer.lay_out(model.size);
            model.layer = Some(layer);
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

/// Opens the editor on a proposed reply.
pub(super) fn edit(model: &mut Model, reply: Proposed) {
    let Proposed { template, draft, odd, .. } = reply;
    let purpose = Purpose::Reply { template, to: draft.to, subject: draft.subject };
    open_editor(model, Editor::open(purpose, &draft.text, false).with_warnings(&odd));
}

pub(super) fn reply(model: &mut Model, template: &str) {
    let Some(case) = &model.case else { return };
    if let (true, Some(draft)) = (template.is_empty(), &case.view.case.reply) {
        let purpose = Purpose::Reply {
            template: draft.template.clone(),
            to: draft.to.clone(),
            subject: draft.subject.clone(),
        };
        let odd = material::recipient_warnings(&case.view, &draft.to);
        let editor = Editor::open(purpose, &draft.text, true).with_warnings(&odd);
        return open_editor(model, editor);
    }
    if template.is_empty() {
        let meaning = super::words::template;
        let options =
            crate::reply::names().into_iter().map(|t| (t.to_owned(), meaning(t).to_owned()));
        model.layer = Some(Layer::Choice(Choice {
            title: "Begin the reply with".into(),
            command: Command::Reply,
            options: options.collect(),
            cursor: 0,
        }));
        return;
    }
    match material::reply_draft(&material::Office::of(model), &case.view, template) {
        Ok(draft) => {
            let purpose = Purpose::Reply {
                template: template.to_owned(),
                to: draft.to.clone(),
                subject: draft.subject.clone(),
            };
            let odd = material::recipient_warnings(&case.view, &draft.to);
            let editor = Editor::open(purpose, &draft.text, false).with_warnings(&odd);
            open_editor(model, editor);
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

pub(super) fn open_editor(model: &mut Model, editor: Editor) {
    let sent = if editor.purpose == Purpose::Advisory { "" } else { "; nothing is sent" };
    model.editor = Some(editor);
    model.screen = Screen::Editor;
    let (save, back) = (key(model, Command::Save), key(model, Command::Back));
    model.say(Tone::Note, format!("{save} saves the draft, {back} leaves{sent}"));
}

pub(super) fn save(model: &mut Model) {
    let (Some(editor), Some(id)) = (&model.editor, case_id(model)) else { return };
    let text = editor.text();
    let (act, said) = match &editor.purpose {
        Purpose::Reply { template, to, subject } => (
            Act::ReplyDrafted {
                template: template.clone(),
                to: to.clone(),
                subject: subject.clone(),
                text,
            },
            format!(
                "reply draft saved; nothing is sent: {} writes it as a mail file",
                key(model, Command::WriteEml)
            ),
        ),
        Purpose::Advisory => {
            let (faults, ..) = material::advisory_state(&text);
            let said = faults.first().map_or_else(
                || "advisory draft saved; nothing is missing".to_owned(),
                |first| {
                    let count = faults.len();
                    format!(
                        "advisory draft saved; {count} faults: {}: {}",
                        first.field, first.fault
                    )
                },
            );
            (Act::AdvisoryDrafted { toml: text }, said)
        }
        Purpose::Section { .. } => return form::actions::save_section(model),
    };
    model.record(id, vec![act], said);
}

/// After the worker has said that something is saved.
pub(super) fn after_save(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let saved = &case.view.case;
    if let Some(editor) = &mut model.editor {
        let text = editor.text();
        let same = match editor.purpose {
            Purpose::Reply { .. } => saved.reply.as_ref().is_some_and(|reply| reply.text == text),
            Purpose::Advisory => saved.advisory.as_deref() == Some(&text),
            Purpose::Section { .. } => false,
        };
        if same {
            editor.mark_saved();
        }
    }
    form::actions::after_save(model);
}

pub(super) fn write_eml(model: &mut Model) {
    if model.editor.as_ref().is_some_and(|editor| editor.purpose == Purpose::Advisory) {
        return model
            .say(Tone::Note, "this is the advisory; only replies are written as mail files");
    }
    let Some(case) = &model.case else { return };
    let Some(draft) = &case.view.case.reply else {
        let words = match model.screen {
            Screen::Editor => {
                format!("{} saves the draft; then write it", key(model, Command::Save))
            }
            _ => format!("there is no reply draft; {} begins one", key(model, Command::Reply)),
        };
        return model.say(Tone::Note, words);
    };
    let odd = material::recipient_warnings(&case.view, &draft.to);
    let begin = format!("reply-{}.eml", case.view.row.id);
    if model.editor.as_ref().is_some_and(Editor::is_changed) {
        let save = key(model, Command::Save);
        return model
            .say(Tone::Note, format!("not saved yet: {save} saves the draft; then write it"));
    }
    if let Some(first) = odd.first() {
        model.say(Tone::Error, format!("look at the recipient: {first}"));
    }
    model.ask(Asking::EmlTo, &begin);
}

pub(super) fn leave_editor(model: &mut Model) {
    if let Some(editor) = &mut model.editor
        && editor.is_changed()
        && !editor.warned
    {
        editor.warned = true;
        let save = key(model, Command::Save);
        let back = key(model, Command::Back);
        model.say(Tone::Note, format!("not saved: {save} saves, {back} again leaves without it"));
        return;
    }
    model.screen = match model.editor.take().map(|editor| editor.purpose) {
        Some(Purpose::Advisory | Purpose::Section { .. }) => Screen::Advisory,
        _ => Screen::Case,
    };
}
