//! What commands do on the form.

use std::path::PathBuf;
use std::sync::Arc;

use super::dialog::Dialog;
use super::{Field, edit};
use crate::app::advisory::AdvisoryScreen;
use crate::app::editor::{Editor, Purpose};
use crate::app::prompt::Asking;
use crate::app::run::key as key_for;
use crate::app::{Effect, Model, Screen, Tone, acts, calculator, draft, material};
use crate::command::Command;
use crate::domain::ClauseId;
use crate::domain::advisory::AdvisoryDraft;
use crate::domain::cvss::Vector;
use crate::domain::journal::{Act, AnswerValue};
use crate::keymap::Key;

/// Opens the advisory of the case: the saved draft, else one made of what is known.
pub(in crate::app) fn open(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let (toml, saved) = match &case.view.case.advisory {
        Some(toml) => (toml.clone(), true),
        None => (material::advisory_toml(&case.view, &model.policy), false),
    };
    let screen =
        AdvisoryScreen::of(&case.view, &case.checklist, &model.policy, toml, saved, model.size);
    model.advisory = Some(screen);
    model.screen = Screen::Advisory;
}

/// After the journal was written: shows the draft it holds now, and the answers.
pub(in crate::app) fn after_save(model: &mut Model) {
    let (Some(case), Some(advisory)) = (&model.case, &mut model.advisory) else { return };
    if let Some(text) = advisory.arrived(case.view.case.advisory.as_deref()) {
        advisory.toml =
            if text.is_empty() { material::advisory_toml(&case.view, &model.policy) } else { text };
    }
    advisory.refresh(&case.view, &case.checklist, &model.policy);
}

/// Changes the draft and has it saved.
fn change(model: &mut Model, what: &str, edit: impl FnOnce(&mut AdvisoryDraft)) -> bool {
    if model.read_only {
        model.say(Tone::Error, "opened read-only: nothing is saved");
        return false;
    }
    let (Some(case), Some(advisory)) = (&model.case, &mut model.advisory) else { return false };
    let Some(mut draft) = advisory.draft().cloned() else { return false };
    edit(&mut draft);
    let toml = advisory.change(&draft);
    advisory.refresh(&case.view, &case.checklist, &model.policy);
    let case = advisory.case.clone();
    model.record(case, vec![Act::AdvisoryDrafted { toml }], format!("{what} saved; u takes back"));
    true
}

/// Edits the field under the cursor, each in its own way.
pub(in crate::app) fn edit_field(model: &mut Model) {
    let Some(advisory) = &mut model.advisory else { return };
    let Some(field) = advisory.form.current().cloned() else {
        return edit_advisory(model);
    };
    advisory.in_preview = false;
    match &field {
        Field::Criterion(_) => {
            model.say(Tone::Note, "a question: answer it with yes, no or unclear");
        }
        Field::Section(heading) => {
            let heading = heading.clone();
            let body = advisory.draft().and_then(|draft| draft.section(&heading));
            let body = body.map_or_else(String::new, |section| section.body.clone());
            let editor = Editor::open(Purpose::Section { heading }, &body, true);
            draft::open_editor(model, editor);
        }
        Field::Vector(_) => calculator::open(model, calculator::Use::Draft),
        Field::Other(_) => edit_advisory(model),
        _ => {
            let policy = Arc::clone(&model.policy);
            let draft = advisory.draft();
            advisory.dialog = draft.and_then(|draft| Dialog::of(&field, draft, &policy));
        }
    }
}

/// Edits the whole draft as TOML.
pub(in crate::app) fn edit_advisory(model: &mut Model) {
    let Some(advisory) = &model.advisory else { return };
    let editor = Editor::open(Purpose::Advisory, &advisory.toml, advisory.saved);
    draft::open_editor(model, editor);
}

/// Goes through the formats of the preview.
pub(in crate::app) fn step_format(model: &mut Model, step: isize) {
    if let Some(advisory) = &mut model.advisory {
        advisory.step_format(step);
    }
}

/// Keeps the text of a section and goes back to the form.
pub(in crate::app) fn save_section(model: &mut Model) {
    let Some(editor) = &model.editor else { return };
    let Purpose::Section { heading } = &editor.purpose else { return };
    let (heading, text) = (heading.clone(), editor.text());
    let what = heading.to_lowercase();
    if change(model, &what, |draft| edit::set_section(draft, &heading, &text)) {
        model.editor = None;
        model.screen = Screen::Advisory;
        go_on(model);
    }
}

/// Takes a vector from the calculator into the draft.
pub(in crate::app) fn take_vector(model: &mut Model, vector: &Vector) {
    let version = vector.version();
    if change(model, "vector", |draft| edit::set_vector(draft, version, Some(vector))) {
        go_on(model);
    }
}

/// Gives a key that no binding wanted to the dialog.
pub(in crate::app) fn key(model: &mut Model, key: Key) {
    with_dialog(model, |dialog, draft, policy| dialog.key(key, draft, policy));
}

/// Gives pasted text to the dialog.
pub(in crate::app) fn paste(model: &mut Model, text: &str) {
    with_dialog(model, |dialog, draft, policy| dialog.paste(text, draft, policy));
}

fn with_dialog(
    model: &mut Model,
    act: impl FnOnce(&mut Dialog, &AdvisoryDraft, &crate::domain::policy::Policy),
) {
    let policy = Arc::clone(&model.policy);
    let Some(advisory) = &mut model.advisory else { return };
    let Some(draft) = advisory.draft().cloned() else { return };
    if let Some(dialog) = &mut advisory.dialog {
        act(dialog, &draft, &policy);
    }
}

/// Takes what the dialog holds.
pub(in crate::app) fn accept(model: &mut Model) {
    let Some(dialog) = model.advisory.as_mut().and_then(|advisory| advisory.dialog.take()) else {
        return;
    };
    if let Some(fault) = dialog.fault.clone() {
        model.say(Tone::Error, fault.as_str());
        if let Some(advisory) = &mut model.advisory {
            advisory.dialog = Some(dialog);
        }
        return;
    }
    let what = dialog.title.to_lowercase();
    let changed = change(model, &what, |draft| {
        // The dialog has no fault, so that it can be applied.
        let _ = edit::apply(draft, &dialog);
    });
    if changed {
        go_on(model);
    }
}

/// Moves on to the next field that is missing or wrong, else to the next that is wanted.
pub(in crate::app) fn go_on(model: &mut Model) {
    if let Some(advisory) = &mut model.advisory {
        advisory.form.go_to_next();
    }
}

/// Empties the field under the cursor, takes the list entry out, or takes the answer back.
pub(in crate::app) fn clear(model: &mut Model) {
    let Some(advisory) = &model.advisory else { return };
    let Some(field) = advisory.form.current().cloned() else { return };
    if let Field::Criterion(clause) = field {
        let act =
            Act::Answered { clause: clause.clone(), answer: None, evidence: None, reason: None };
        let case = advisory.case.clone();
        return model.record(case, vec![act], format!("{clause}: answer taken back"));
    }
    let mut draft = advisory.draft().cloned().unwrap_or_default();
    if edit::clear(&mut draft, &field) {
        let what = format!("without {}:", field.path());
        change(model, &what, |own| *own = draft);
    } else {
        model.say(Tone::Note, "there is nothing here to take out");
    }
}

/// Answers the criterion under the cursor. A yes without a line that shows it rests on the reading of the case;
/// what keeps the advisory from being published needs a reason in words.
pub(in crate::app) fn answer(model: &mut Model, value: AnswerValue) {
    let Some(advisory) = &mut model.advisory else { return };
    let Some(Field::Criterion(clause)) = advisory.form.current().cloned() else {
        return model
            .say(Tone::Note, "no question here: yes and no answer the criteria at the top");
    };
    let case = advisory.case.clone();
    let evidence = model.case.as_ref().and_then(|case| {
        let row = case.checklist.iter().find(|row| row.id == clause)?;
        let hint = row.proposal.as_ref().filter(|hint| hint.answer == value)?;
        hint.evidence.clone()
    });
    if evidence.is_none() && value != AnswerValue::Yes {
        return model.ask(Asking::Reason { clause, value }, "");
    }
    let reason = evidence.is_none().then(|| READ.to_owned());
    record(model, case, &clause, value, evidence, reason);
}

/// The reason of a yes that is given on the form.
const READ: &str = "judged when the advisory was written";

fn record(
    model: &mut Model,
    case: crate::domain::CaseId,
    clause: &ClauseId,
    value: AnswerValue,
    evidence: Option<crate::domain::Evidence>,
    reason: Option<String>,
) {
    match acts::answer(&model.policy, clause.as_str(), value, evidence, reason) {
        Ok(act) => {
            model.record(case, vec![act], format!("{clause}: {}", value.as_str()));
            go_on(model);
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

/// Asks for the folder if every format that fits can be written, and says what is in the way if not.
pub(in crate::app) fn export(model: &mut Model) {
    if model.screen == Screen::Case {
        open(model);
    }
    let Some(advisory) = &model.advisory else { return };
    if let Some(shut) = advisory.gates.shut() {
        return model
            .say(Tone::Error, format!("nothing written: {shut}, so that no advisory is due"));
    }
    let count = advisory.faults.len();
    if count > 0 {
        let edit = key_for(model, Command::EditField);
        let faults = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
        let words = format!("nothing written: {faults}, shown here; {edit} edits a field");
        return model.say(Tone::Error, words);
    }
    let begin = model.export_folder.join(advisory.case.as_str()).display().to_string();
    model.ask(Asking::ExportTo, &begin);
}

/// Has the draft saved, if it is not, and its files written.
pub(in crate::app) fn export_to(model: &mut Model, folder: &str) {
    let Some(advisory) = &mut model.advisory else { return };
    let (case, toml) = (advisory.case.clone(), advisory.toml.clone());
    let formats = advisory.gates.formats.clone();
    if !model.read_only
        && !advisory.saved
        && let Some(draft) = advisory.draft().cloned()
    {
        let toml = advisory.change(&draft);
        let act = Act::AdvisoryDrafted { toml };
        model.record(case.clone(), vec![act], "advisory draft saved");
    }
    model.push(Effect::Export { case, toml, formats, folder: PathBuf::from(folder) });
}
