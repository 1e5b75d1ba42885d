//! Looking: order and search of the list, views of a mail, history, help.

use super::case::Pane;
use super::layer::{Help, Layer, Reading};
use super::{Effect, Model, Screen, Tone, material};
use crate::command::{Command, Context};
use crate::mail::DisplayText;

pub(super) fn raw(model: &mut Model) {
    let Some(case) = &mut model.case else { return };
    let message = case.current_message();
    let known = case.view.messages.get(message).is_some_and(|m| m.raw.is_some());
    if case.raw || known {
        case.raw = !case.raw;
        model.lay_out();
    } else {
        let case = case.view.row.id.clone();
        model.push(Effect::LoadRaw { case, message });
    }
}

pub(super) fn headers(model: &mut Model) {
    if let Some(case) = &mut model.case {
        case.headers = !case.headers;
        model.lay_out();
    }
}

pub(super) fn step_message(model: &mut Model, step: isize) {
    if let Some(case) = &mut model.case {
        case.pane = Pane::Thread;
        case.step_message(step);
    }
}

pub(super) fn journal(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let mut source = vec![DisplayText::line(&case.view.policy.words())];
    source.extend(case.view.entries.iter().map(material::history_line));
    if case.view.entries.is_empty() {
        source.push(DisplayText::line("nothing was decided yet"));
    }
    let title = format!("History of {}", case.view.row.id);
    show(model, Layer::Text(Reading { title, source, ..Reading::default() }));
}

pub(super) fn help(model: &mut Model) {
    let context = model.screen_context();
    let help = Help {
        title: format!("Keys: {}", context.as_str()),
        rows: model.keymap.help(context),
        signs: signs(context),
        lines: Vec::new(),
        top: 0,
    };
    show(model, Layer::Help(help));
}

pub(super) fn show(model: &mut Model, mut layer: Layer) {
    layer.lay_out(model.size);
    model.layer = Some(layer);
}

/// The signs of a screen that no key explains.
const fn signs(context: Context) -> &'static [(&'static str, &'static str)] {
    match context {
        Context::Queue => &[
            ("CLOCK answer, A", "time left until the first answer is due; -2d: two days over"),
            ("CLOCK publish, P", "time left until the embargo ends"),
            ("AGE", "time since the newest mail"),
            ("▌", "marked for one act on many"),
            ("+", "mail that came in while this list was open and that nobody has looked at"),
            ("!", "a mail that is damaged, hides something or pretends to be what it is not"),
            ("~accept", "suggested by the rules; without ~ decided"),
            ("bold", "the newest mail is not ours"),
        ],
        Context::Case => &[
            ("▶", "the line under the cursor"),
            ("▌", "marked as evidence for the next answer"),
            ("•", "the line that an answer rests on"),
            ("~yes", "suggested by the rules; without ~ answered"),
            ("¶", "there is a line that shows it"),
            (
                "3 of 5 claims",
                "names in the report that the checkout has in the claimed version; words that any \
              report could hold and names of libraries are not counted",
            ),
            ("BROKEN", "the line no longer stands in the stored mail"),
            (
                "━ ! + ┆",
                "beside the mails: head, warning, attachment, header or raw line; only \
              this program writes there",
            ),
        ],
        _ => &[],
    }
}

pub(super) fn order(model: &mut Model, command: Command) {
    let (policy, now) = (std::sync::Arc::clone(&model.policy), model.now);
    match command {
        Command::CycleFilter => model.queue.cycle_view(&policy.periods, now),
        Command::Sort => model.queue.cycle_sort(&policy.periods, now),
        _ => {
            model.queue.sort = super::queue::Sort::Deadline;
            model.queue.refresh(&policy.periods, now);
            model.queue.go_to(0);
            model.screen = Screen::Queue;
            model.case = None;
        }
    }
    let words = format!("{} cases, by {}", model.queue.view.as_str(), model.queue.sort.as_str());
    model.say(Tone::Note, words);
}

pub(super) fn find(model: &mut Model, step: isize) {
    let found = match (model.screen, &mut model.case) {
        (Screen::Case, Some(case)) => case.find(step),
        _ => model.queue.find(step),
    };
    if !found {
        let search = super::run::key(model, Command::Search);
        model.say(Tone::Note, format!("not found; {search} looks for other words"));
    }
}
