//! The outbox: replies that are ready to leave. Nothing is sent from here.

use super::draft;
use super::editor::Purpose;
use super::layer::Layer;
use super::run::{case_id, key};
use super::{Model, Screen, Tone, acts, triage};
use crate::command::{Command, Context};
use crate::domain::journal::Act;
use crate::domain::{CaseId, Disposition};
use crate::reply::lint::{LintContext, lint};

/// A reply on its way into the outbox.
struct Leaving {
    template: String,
    to: Vec<String>,
    subject: String,
    text: String,
    /// Whether its remarks were shown before.
    warned: bool,
}

/// Puts the shown, edited or saved reply into the outbox, and decides the case as its template says.
pub(super) fn queue(model: &mut Model) {
    let Some(id) = case_id(model) else { return };
    let Some(reply) = leaving(model) else {
        let (decline, reply) = (key(model, Command::Decline), key(model, Command::Reply));
        let words = format!("there is no reply here; {decline} or {reply} drafts one");
        return model.say(Tone::Note, words);
    };
    if reply.to.is_empty() {
        return model.say(Tone::Error, "not queued: the mail names nobody to answer to");
    }
    let remarks = remarks(model, &id, &reply);
    if let (Some(first), false) = (remarks.first(), reply.warned) {
        let again = key(model, Command::QueueReply);
        warn(model);
        return model
            .say(Tone::Error, format!("not queued: {first}; {again} again queues it as it is"));
    }
    let mut steps = Vec::new();
    let decided = match decision(model, &reply) {
        Ok(decided) => decided,
        Err(refusal) => return model.say(Tone::Error, refusal.to_string()),
    };
    let disposition = Disposition::parse(&reply.template);
    let words =
        decided.as_ref().and(disposition).map_or_else(String::new, |d| format!("decided: {d}; "));
    steps.extend(decided);
    let Leaving { template, to, subject, text, .. } = reply;
    steps.push(Act::ReplyDrafted { template, to, subject, text });
    steps.push(Act::ReplyQueued {});
    model.layer = None;
    if model.screen == Screen::Editor {
        model.editor = None;
        model.screen = Screen::Case;
    }
    triage::queued(model);
    let undo = key(model, Command::Undo);
    model.record(id, steps, format!("{words}reply in the outbox, not sent; {undo} takes back"));
}

/// The reply that is meant: shown, being edited, or saved.
fn leaving(model: &Model) -> Option<Leaving> {
    if let Some(Layer::Reply(shown)) = &model.layer {
        let draft = &shown.draft;
        return Some(Leaving {
            template: shown.template.clone(),
            to: draft.to.clone(),
            subject: draft.subject.clone(),
            text: draft.text.clone(),
            warned: shown.warned,
        });
    }
    if model.layer.is_some() {
        return None;
    }
    if let (Screen::Editor, Some(editor)) = (model.screen, &model.editor) {
        let Purpose::Reply { template, to, subject } = &editor.purpose else { return None };
        return Some(Leaving {
            template: template.clone(),
            to: to.clone(),
            subject: subject.clone(),
            text: editor.text(),
            warned: editor.warned,
        });
    }
    let saved = model.case.as_ref()?.view.case.reply.clone()?;
    let (template, to, subject, text) = (saved.template, saved.to, saved.subject, saved.text);
    Some(Leaving { template, to, subject, text, warned: false })
}

/// Remembers that the remarks were shown.
fn warn(model: &mut Model) {
    match (&mut model.layer, &mut model.editor) {
        (Some(Layer::Reply(shown)), _) => shown.warned = true,
        (None, Some(editor)) => editor.warned = true,
        // A saved draft is opened, so that the remark can be mended.
        _ => draft::reply(model, ""),
    }
}

fn remarks(model: &Model, id: &CaseId, reply: &Leaving) -> Vec<String> {
    let others: Vec<CaseId> = model.queue.all().map(|row| row.id.clone()).collect();
    let clauses = model.case.as_ref().map(|case| &case.view.verdict.clauses);
    let bounty = |id: &crate::domain::ClauseId| {
        let mut items = model.policy.items_of(id).into_iter();
        items.any(|item| item.title.to_lowercase().contains("bount"))
    };
    let bounty_clause = reply.template == Disposition::NoBounty.as_str()
        || clauses.is_some_and(|clauses| clauses.iter().any(bounty));
    let context = LintContext { case: id, others: &others, bounty_clause };
    let line = |remark: crate::reply::lint::Remark| match remark.line {
        0 => format!("the subject {}", remark.remark),
        line => format!("line {line} {}", remark.remark),
    };
    lint(&reply.subject, &reply.text, &context).into_iter().map(line).collect()
}

/// The decision that a reply tells its reader, unless it stands already.
fn decision(model: &Model, reply: &Leaving) -> Result<Option<Act>, acts::Refusal> {
    let disposition = Disposition::parse(&reply.template);
    let (Some(disposition), Some(case)) = (disposition, &model.case) else { return Ok(None) };
    // A later report that was merged into this case is told so; the case itself is the earlier one.
    if disposition == Disposition::Duplicate && !case.view.case.merged.is_empty() {
        return Ok(None);
    }
    let standing = case.view.case.decision.as_ref().map(|decision| decision.disposition);
    if standing == Some(disposition) {
        return Ok(None);
    }
    let clauses: Vec<String> = case.view.verdict.clauses.iter().map(ToString::to_string).collect();
    acts::decide(&model.policy, disposition, &clauses, None).map(Some)
}

/// Shows the cases whose reply waits.
pub(super) fn list(model: &mut Model) {
    "is:queued".clone_into(&mut model.queue.filter);
    let policy = std::sync::Arc::clone(&model.policy);
    model.queue.refresh(&policy.periods, model.now);
    model.screen = Screen::Queue;
    model.case = None;
    let (count, ..) = model.queue.counts();
    let replies =
        if count == 1 { "1 reply waits".to_owned() } else { format!("{count} replies wait") };
    let write = model.keymap.keys_of(Context::Case, Command::WriteEml).into_iter().next();
    let write = write.unwrap_or_else(|| ":write-eml".into());
    let back = key(model, Command::Back);
    let words = format!("{replies}; in a case {write} writes a mail file; {back} shows all cases");
    model.say(Tone::Note, words);
}
