//! One act on many cases of the list. It is one operation: one key takes it back.

use std::collections::BTreeMap;

use super::run::key;
use super::{Effect, Model, Tone, acts};
use crate::command::Command;
use crate::domain::Disposition;

/// The word that stands for each case's own suggestion.
pub(super) const SUGGESTED: &str = "suggested";

pub(super) fn mark(model: &mut Model) {
    if !model.queue.toggle_mark() {
        return model.say(Tone::Note, "no case is shown");
    }
    let count = model.queue.marked_count();
    let (decide, choose) = (suggested_key(model), key(model, Command::Decide));
    let words = format!("{count} marked: {decide} decides each as suggested, {choose} all alike");
    model.say(Tone::Note, words);
}

/// The key that decides as suggested.
fn suggested_key(model: &Model) -> String {
    let found = model.keymap.help(model.context());
    let row = found.into_iter().find(|row| row.name == "decide" && row.args == SUGGESTED);
    let key = row.and_then(|row| row.keys.into_iter().next());
    key.unwrap_or_else(|| format!(":decide {SUGGESTED}"))
}

/// Decides the marked cases: all alike, or each as the rules suggest. What needs more than a key is left out.
pub(super) fn decide(model: &mut Model, word: &str) {
    let alike = Disposition::parse(word);
    if alike.is_none() && word != SUGGESTED {
        return model.say(Tone::Error, format!("“{word}” is no decision; Tab completes"));
    }
    if model.read_only {
        return model.say(Tone::Error, "opened read-only: nothing is saved");
    }
    if model.queue.marked_count() == 0 {
        let mark = key(model, Command::Mark);
        return model
            .say(Tone::Note, format!("no case is marked; {mark} marks the one under the cursor"));
    }
    let rows = model.queue.take_marked();
    let (count, mut done, mut decided) = (rows.len(), BTreeMap::new(), Vec::new());
    for row in rows {
        let Some(disposition) = alike.or(row.suggested) else { continue };
        let same = row.suggested == Some(disposition);
        let clauses = row.suggested_clauses.iter().filter(|_| same);
        let clauses: Vec<String> = clauses.map(ToString::to_string).collect();
        // A ban and a decline without a clause want a reason, which is typed case by case.
        let Ok(act) = acts::decide(&model.policy, disposition, &clauses, None) else { continue };
        *done.entry(disposition.as_str()).or_insert(0_usize) += 1;
        decided.push(row.id.clone());
        model.push(Effect::Record { case: row.id, acts: vec![act], said: String::new() });
    }
    let words: Vec<String> = done.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let left = count - decided.len();
    let undo = key(model, Command::Undo);
    let rest =
        if left > 0 { format!("; {left} want a reason of their own") } else { String::new() };
    let said = match decided.len() {
        0 => format!("nothing decided{rest}"),
        _ => format!("decided: {}; {undo} takes all back{rest}", words.join(", ")),
    };
    model.last_act = decided;
    model.say(Tone::Done, said);
}
