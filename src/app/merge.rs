//! Putting cases together and apart on the screen: compare, ask, merge; open the twin; split a mail off.

use super::layer::{Layer, Reading};
use super::prompt::Asking;
use super::run::{key, open_case};
use super::{Effect, Model, Screen, Tone, draft, look, twin};
use crate::command::Command;
use crate::domain::Disposition;

/// Without words: shows what the case has in common with others, to be merged by the accepting key. With one: merges
/// the open case into that one; with two: the first into the second.
pub(super) fn merge(model: &mut Model, args: &str) {
    let Some(case) = &model.case else { return };
    let own = case.view.row.id.to_string();
    let mut words = args.split_whitespace().map(str::to_owned);
    match (words.next(), words.next()) {
        (None, _) => compare(model),
        (Some(into), None) => ask_for(model, own, into),
        (Some(from), Some(into)) => ask_for(model, from, into),
    }
}

fn ask_for(model: &mut Model, case: String, into: String) {
    if model.read_only {
        return model.say(Tone::Error, "opened read-only: nothing is saved");
    }
    model.push(Effect::Merge { case, into });
}

fn compare(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let twins = &case.view.twins;
    if twins.is_empty() {
        model.say(Tone::Note, "nothing is like this case; name the one that it belongs to");
        return model.ask(Asking::Command, "merge ");
    }
    let own = case.view.row.id.to_string();
    // The earlier report keeps its id; the first finder is told by receive time whatever is merged into what.
    let pair = twins.iter().find_map(|twin| {
        let other = twin.case()?.id.to_string();
        Some(if twin.earlier { (own.clone(), other) } else { (other, own.clone()) })
    });
    let source = twin::comparison(twins);
    let (title, then) = match pair {
        Some((from, into)) => {
            let title = format!("Merge {from} into {into}? Enter merges, Esc leaves both");
            (title, Some((Command::Merge, format!("{from} {into}"))))
        }
        None => (format!("Like {own}"), None),
    };
    look::show(model, Layer::Text(Reading { title, source, then, ..Reading::default() }));
}

/// Opens the case most like the open one.
pub(super) fn twin(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let other = case.view.twins.iter().find_map(|twin| Some(twin.case()?.id.clone()));
    match other {
        Some(other) => open_case(model, other),
        None => model.say(Tone::Note, "no other case is like this one"),
    }
}

/// Makes the mail under the cursor a case of its own.
pub(super) fn split(model: &mut Model) {
    if model.read_only {
        return model.say(Tone::Error, "opened read-only: nothing is saved");
    }
    let Some(case) = &model.case else { return };
    let Some(message) = case.view.messages.get(case.current_message()) else { return };
    let (case, message) = (case.view.row.id.clone(), message.id);
    model.push(Effect::Split { case, message });
}

/// What to do after a merge or split. After a merge the answer to the later reporter is shown, to be read and queued.
pub(super) fn after(model: &mut Model, merged: bool) -> String {
    let undo = key(model, Command::Undo);
    if merged && model.screen == Screen::Case {
        draft::propose(model, Disposition::Duplicate.as_str());
        if matches!(model.layer, Some(Layer::Reply(_))) {
            return format!("; {undo} takes it back; this answers the later reporter");
        }
    }
    format!("; {undo} takes it back")
}
