//! The deadlines screen's acts: open a case, draft the note that fits a clock, write the calendar, let clocks rest.

use std::path::PathBuf;
use std::sync::Arc;

use super::deadlines::{self, DeadlinesScreen};
use super::run::key;
use super::{Effect, Model, Screen, Tone, acts, draft, material, run, triage};
use crate::command::Command;

/// Shows every open clock.
pub(super) fn open(model: &mut Model) {
    triage::end(model);
    model.deadlines = Some(DeadlinesScreen::default());
    model.screen = Screen::Deadlines;
    refresh(model);
    if model.queue.loading {
        model.say(Tone::Note, "the list is still being read");
    }
}

/// Works the clocks out anew; called when time has passed or a case has changed.
pub(super) fn refresh(model: &mut Model) {
    let policy = Arc::clone(&model.policy);
    if let Some(screen) = &mut model.deadlines {
        let rows = model.queue.all_rows();
        screen.refresh(deadlines::lines(rows, &policy.periods, model.now));
    }
}

/// Opens the case of the clock under the cursor.
pub(super) fn open_case(model: &mut Model) {
    match model.deadlines.as_ref().and_then(DeadlinesScreen::current) {
        Some(line) => {
            let case = line.case.clone();
            run::open_case(model, case);
        }
        None => model.say(Tone::Note, "no clock is open"),
    }
}

/// Drafts the note that fits the clock under the cursor, or the one of the open case that presses most.
pub(super) fn note(model: &mut Model) {
    if model.screen != Screen::Deadlines {
        let Some(case) = &model.case else { return };
        let periods = &model.policy.periods;
        let template = deadlines::pressing(&case.view.row, periods, model.now);
        return draft::propose(model, template);
    }
    let Some(line) = model.deadlines.as_ref().and_then(DeadlinesScreen::current) else {
        return model.say(Tone::Note, "no clock is open");
    };
    let (case, template) = (line.case.clone(), deadlines::template(line.deadline.kind));
    run::open_case(model, case);
    model.after_open = Some((model.request, template));
}

/// Writes the clocks as a calendar.
pub(super) fn calendar(model: &mut Model, line: &str) {
    if line.is_empty() {
        return model.say(Tone::Note, "no file was named, nothing is written");
    }
    let lines = model.deadlines.as_ref().map(|screen| screen.lines.as_slice());
    let calendar = deadlines::calendar(lines.unwrap_or_default(), model.now);
    model.push(Effect::WriteCalendar { path: PathBuf::from(line), calendar });
}

/// Lets our clocks on the open case rest, or run again.
pub(super) fn pause(model: &mut Model, reason: &str) {
    let Some(case) = &model.case else { return };
    let (row, now) = (&case.view.row, model.now);
    let act = if acts::is_paused(row, now) {
        acts::resume(row, now)
    } else {
        acts::pause(row, None, Some(reason.to_owned()), now)
    };
    match act {
        Ok(act) => {
            let undo = key(model, Command::Undo);
            let said = format!("{}; {undo} takes it back", material::act_words(&act));
            if let Some(id) = run::case_id(model) {
                model.record(id, vec![act], said);
            }
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}
