//! The triage session: the queue walked case by case, with the count of keys and the time it takes (capability M14).
//!
//! It only moves the view. What is decided on the way is decided by the keys that work everywhere.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::layer::{Layer, Reading};
use super::run::open_case;
use super::{Model, Screen, Tone};
use crate::domain::Disposition;
use crate::mail::DisplayText;

/// A walk through the queue.
#[derive(Debug)]
pub struct Session {
    /// When it began.
    pub started: Timestamp,
    /// Keys pressed since.
    pub keys: u32,
    /// The cases, as they stood in the list.
    order: Vec<u64>,
    /// Position of the case shown.
    at: usize,
    /// What was done, with how often.
    done: BTreeMap<&'static str, usize>,
    /// What to count, and to go on after, once it is saved.
    acting: Option<&'static str>,
    /// Whether the newest act has moved the session on.
    gone_on: bool,
}

impl Session {
    /// The session in a few words: case of cases, keys, time.
    pub fn words(&self, now: Timestamp) -> String {
        let spent = spent(now.duration_since(self.started));
        format!("triage {}/{}, {} keys, {spent}", self.at + 1, self.order.len(), self.keys)
    }
}

fn spent(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    format!("{}m{:02}s", seconds / 60, seconds % 60)
}

/// Begins with the first shown case on which somebody has to act.
pub(super) fn start(model: &mut Model) {
    let waits = |row: &&super::row::CaseRow| row.is_open() && row.queued.is_none();
    let order: Vec<u64> = model.queue.shown().filter(waits).map(|row| row.number).collect();
    let Some(first) = order.first().copied() else {
        return model.say(Tone::Note, "no case in this list waits for anything");
    };
    let session = Session {
        started: model.now,
        keys: 1,
        order,
        at: 0,
        done: BTreeMap::new(),
        acting: None,
        gone_on: false,
    };
    model.session = Some(session);
    open(model, first);
}

fn open(model: &mut Model, number: u64) {
    if let Some(case) = model.queue.row(number).map(|row| row.id.clone()) {
        open_case(model, case);
    }
}

/// Notes that a decision is being saved. One that owes the reporter a reply keeps the case on the screen.
pub(super) fn acted(model: &mut Model, decided: Option<Disposition>) {
    let queued = model.case.as_ref().is_some_and(|case| case.view.row.queued.is_some());
    let done = decided.filter(|d| matches!(d, Disposition::Accept | Disposition::Spam) || queued);
    if let (Some(session), Some(disposition)) = (&mut model.session, done) {
        session.acting = Some(disposition.as_str());
    }
}

/// Notes that a reply is on its way into the outbox.
pub(super) fn queued(model: &mut Model) {
    if let Some(session) = &mut model.session {
        session.acting = Some("answered");
    }
}

/// Goes on once what was done is saved.
pub(super) fn saved(model: &mut Model) {
    let Some(session) = &mut model.session else { return };
    let Some(what) = session.acting.take() else { return };
    *session.done.entry(what).or_insert(0) += 1;
    step(model, 1);
    if let Some(session) = &mut model.session {
        session.gone_on = true;
    }
}

/// Whether the case shown is only the one after what was done last.
pub(super) fn has_gone_on(model: &Model) -> bool {
    model.session.as_ref().is_some_and(|session| session.gone_on) && !model.last_act.is_empty()
}

/// Stays where it is: what was to be saved was not.
pub(super) fn not_saved(model: &mut Model) {
    if let Some(session) = &mut model.session {
        session.acting = None;
    }
}

/// Goes to the case after (`1`) or before (`-1`) this one; past the last one, the session is over.
pub(super) fn step(model: &mut Model, step: isize) {
    let Some(session) = &mut model.session else { return };
    let mut next = session.at.checked_add_signed(step);
    // A case that was merged into another is gone.
    let gone = |at: usize| session.order.get(at).is_some_and(|n| model.queue.row(*n).is_none());
    while let Some(at) = next.filter(|at| gone(*at)) {
        next = at.checked_add_signed(step);
    }
    let Some(next) = next else {
        return model.say(Tone::Note, "this is the first case of the session");
    };
    match session.order.get(next).copied() {
        Some(number) => {
            session.at = next;
            session.gone_on = false;
            open(model, number);
        }
        None => {
            model.screen = Screen::Queue;
            model.case = None;
            end(model);
        }
    }
}

/// Ends the session and says what came of it.
pub(super) fn end(model: &mut Model) {
    let Some(session) = model.session.take() else { return };
    let total = session.order.len();
    let seen = (session.at + 1).min(total);
    let mut lines = vec![format!(
        "{seen} of {total} cases seen, {} keys, {}",
        session.keys,
        spent(model.now.duration_since(session.started))
    )];
    lines.extend(session.done.iter().map(|(what, count)| format!("{count:>4} {what}")));
    let waiting = model.queue.all().filter(|row| row.queued.is_some()).count();
    lines.push(String::new());
    let replies = if waiting == 1 { "reply waits" } else { "replies wait" };
    lines.push(format!("{waiting} {replies} in the outbox; nothing is sent"));
    let source = lines.iter().map(|line| DisplayText::line(line)).collect();
    let title = "Triage".to_owned();
    let mut layer = Layer::Text(Reading { title, source, lines: Vec::new(), top: 0, then: None });
    layer.lay_out(model.size);
    model.layer = Some(layer);
}
