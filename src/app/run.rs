//! What each command does.

use std::path::PathBuf;

use super::case::{Pane, Row};
use super::editor::{Editor, Purpose};
use super::layer::{Choice, Help, Layer, Reading};
use super::prompt::Asking;
use super::{Effect, Model, Screen, SyncState, Tone, acts, calculator, form, layout, material};
use crate::command::{Argument, Command, Context};
use crate::domain::journal::{Act, AnswerValue};
use crate::domain::{CaseState, ClauseId, Disposition, Evidence};

/// Runs a command with the words behind its name.
pub(super) fn command(model: &mut Model, command: Command, args: &str) {
    if !command.applies_in(model.context()) && !command.applies_in(model.screen_context()) {
        let name = command.name();
        model.say(Tone::Note, format!("“{name}” does nothing on this screen"));
        return;
    }
    match command {
        Command::Down => step(model, 1),
        Command::Up => step(model, -1),
        Command::PageDown => step(model, page(model)),
        Command::PageUp => step(model, -page(model)),
        Command::Top => step(model, -FAR),
        Command::Bottom => step(model, FAR),
        Command::Open => open(model),
        Command::Back => back(model),
        Command::NextPane | Command::PreviousPane => next_pane(model),
        Command::NextCase => neighbour(model, 1),
        Command::PreviousCase => neighbour(model, -1),
        Command::Search => text_or_ask(model, Asking::Search, args),
        Command::SearchNext => find(model, 1),
        Command::SearchPrevious => find(model, -1),
        Command::Filter => text_or_ask(model, Asking::Filter, args),
        Command::CycleFilter | Command::Sort | Command::Deadlines => order(model, command),
        Command::Sync => sync(model),
        Command::CancelSync => model.push(Effect::CancelSync),
        Command::Yes => answer(model, AnswerValue::Yes),
        Command::No => answer(model, AnswerValue::No),
        Command::Unclear => answer(model, AnswerValue::Unclear),
        Command::Clear => clear(model),
        Command::AcceptSuggestions => accept_suggestions(model),
        Command::Evidence => evidence(model),
        Command::Mark => mark(model),
        Command::Score => score(model, args),
        Command::Decide => decide(model, args),
        Command::AcceptCase => decide(model, Disposition::Accept.as_str()),
        Command::Decline => decline(model),
        Command::NeedInfo => reply(model, Disposition::NeedsInfo.as_str()),
        Command::Reply => reply(model, args),
        Command::SetState => set_state(model, args),
        Command::Note => text_or_ask(model, Asking::Note, args),
        Command::Advisory => form::actions::open(model),
        Command::EditAdvisory => edit_advisory(model),
        Command::EditField => form::actions::edit_field(model),
        Command::NextMissing => form::actions::go_on(model),
        Command::NextFormat => step_format(model, 1),
        Command::PreviousFormat => step_format(model, -1),
        Command::SwitchVersion => switch_version(model),
        Command::Export => form::actions::export(model),
        Command::Save => save(model),
        Command::WriteEml => write_eml(model),
        Command::Raw => raw(model),
        Command::Headers => headers(model),
        Command::NextMessage => step_message(model, 1),
        Command::PreviousMessage => step_message(model, -1),
        Command::Journal => journal(model),
        Command::Undo => undo(model),
        Command::Accept => accept(model),
        Command::Complete => complete(model, args),
        Command::CommandLine => model.ask(Asking::Command, args),
        Command::Palette => model.ask(Asking::Palette, ""),
        Command::Help => help(model),
        Command::Redraw => model.push(Effect::Redraw),
        Command::Suspend => model.push(Effect::Suspend),
        Command::Quit => quit(model),
    }
}

/// More lines than any list has.
const FAR: isize = isize::MAX / 4;

fn page(model: &Model) -> isize {
    let rows = layout::queue_height(model.size).saturating_sub(1).max(1);
    isize::try_from(rows).unwrap_or(1)
}

fn step(model: &mut Model, lines: isize) {
    let height = layout::queue_height(model.size);
    if let Some(prompt) = &mut model.prompt {
        return prompt.complete(lines);
    }
    if let Some(layer) = &mut model.layer {
        layer.step(lines, height.saturating_sub(2));
        return;
    }
    if let Some(calculator) = &mut model.calculator {
        return calculator.step(lines);
    }
    match model.screen {
        Screen::Queue => model.queue.step(lines),
        Screen::Case => {
            if let Some(case) = &mut model.case {
                case.step(lines);
            }
        }
        Screen::Advisory => {
            if let Some(advisory) = &mut model.advisory {
                match &mut advisory.dialog {
                    Some(dialog) => dialog.step(lines),
                    None => advisory.step(lines, height),
                }
            }
        }
        Screen::Editor => {}
    }
}

fn open(model: &mut Model) {
    if model.layer.is_some() {
        return accept(model);
    }
    match model.screen {
        Screen::Queue => match model.queue.current().map(|row| row.id.clone()) {
            Some(case) => open_case(model, case),
            None => model.say(Tone::Note, "no case here"),
        },
        Screen::Case => evidence(model),
        Screen::Editor | Screen::Advisory => {}
    }
}

fn open_case(model: &mut Model, case: crate::domain::CaseId) {
    model.request += 1;
    let request = model.request;
    model.push(Effect::OpenCase { request, case });
}

fn neighbour(model: &mut Model, lines: isize) {
    let Some(number) = model.case.as_ref().map(|case| case.view.row.number) else { return };
    match model.queue.neighbour(number, lines).map(|row| row.id.clone()) {
        Some(case) => open_case(model, case),
        None => model.say(Tone::Note, "no more cases in this direction"),
    }
}

fn back(model: &mut Model) {
    if model.prompt.take().is_some()
        || model.layer.take().is_some()
        || model.calculator.take().is_some()
        || model.advisory.as_mut().is_some_and(|advisory| advisory.dialog.take().is_some())
    {
        return;
    }
    match model.screen {
        Screen::Queue => {
            model.queue.filter.clear();
            let policy = std::sync::Arc::clone(&model.policy);
            model.queue.refresh(&policy.periods, model.now);
        }
        Screen::Case => {
            model.screen = Screen::Queue;
            model.case = None;
        }
        Screen::Advisory => {
            model.screen = Screen::Case;
            model.advisory = None;
        }
        Screen::Editor => leave_editor(model),
    }
}

fn leave_editor(model: &mut Model) {
    if let Some(editor) = &mut model.editor
        && editor.is_changed()
        && !editor.warned
    {
        editor.warned = true;
        let save = key(model, Command::Save);
        model.say(Tone::Note, format!("not saved: {save} saves, the same key again leaves"));
        return;
    }
    model.screen = match model.editor.take().map(|editor| editor.purpose) {
        Some(Purpose::Advisory | Purpose::Section { .. }) => Screen::Advisory,
        _ => Screen::Case,
    };
}

fn quit(model: &mut Model) {
    let unsaved = model.editor.as_ref().is_some_and(|editor| editor.is_changed() && !editor.warned);
    if unsaved && model.screen == Screen::Editor {
        return leave_editor(model);
    }
    model.push(Effect::Quit);
}

/// The first key of a command in the present context, for hints.
fn key(model: &Model, command: Command) -> String {
    let keys = model.keymap.keys_of(model.context(), command);
    keys.into_iter().next().unwrap_or_else(|| format!(":{}", command.name()))
}

fn next_pane(model: &mut Model) {
    if let (Screen::Case, Some(case)) = (model.screen, &mut model.case) {
        case.pane = match case.pane {
            Pane::Thread => Pane::Checklist,
            Pane::Checklist => Pane::Thread,
        };
    }
    if let (Screen::Advisory, Some(advisory)) = (model.screen, &mut model.advisory) {
        advisory.in_preview = !advisory.in_preview;
    }
}

fn order(model: &mut Model, command: Command) {
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

fn find(model: &mut Model, step: isize) {
    let found = match (model.screen, &mut model.case) {
        (Screen::Case, Some(case)) => case.find(step),
        _ => model.queue.find(step),
    };
    if !found {
        model.say(Tone::Note, "not found");
    }
}

fn text_or_ask(model: &mut Model, asking: Asking, args: &str) {
    if args.is_empty() {
        let begin = match asking {
            Asking::Filter => model.queue.filter.clone(),
            _ => String::new(),
        };
        model.ask(asking, &begin);
    } else {
        take(model, asking, args);
    }
}

fn sync(model: &mut Model) {
    match model.sync {
        SyncState::Off => model.say(
            Tone::Note,
            "no account is configured; everything here works offline, `casebook init` sets one up",
        ),
        SyncState::Running { .. } => {
            let cancel = key(model, Command::CancelSync);
            model.say(Tone::Note, format!("a pull is running; {cancel} stops it"));
        }
        SyncState::Idle(_) => model.push(Effect::StartSync),
    }
}

/// The question under the cursor, if the checklist has the keys.
fn question(model: &mut Model) -> Option<Row> {
    let case = model.case.as_mut()?;
    if case.pane == Pane::Thread && case.marked.is_none() {
        case.pane = Pane::Checklist;
        model.say(
            Tone::Note,
            "the checklist has the keys now; answer the question under the cursor",
        );
        return None;
    }
    case.current_item().cloned()
}

fn answer(model: &mut Model, value: AnswerValue) {
    if model.screen == Screen::Advisory {
        return form::actions::answer(model, value);
    }
    let Some(row) = question(model) else { return };
    if row.question.is_empty() {
        let id = &row.id;
        return model.say(Tone::Note, format!("{id} is context; it asks nothing"));
    }
    match evidence_for(model, &row, value) {
        Some(evidence) => record_answer(model, &row.id, value, Some(evidence), None),
        None => model.ask(Asking::Reason { clause: row.id, value }, ""),
    }
}

/// Marked lines first, then the words of a proposal that says the same.
fn evidence_for(model: &Model, row: &Row, value: AnswerValue) -> Option<Evidence> {
    let marked = model.case.as_ref().and_then(|case| case.marked_evidence());
    marked.or_else(|| {
        let hint = row.proposal.as_ref().filter(|hint| hint.answer == value)?;
        hint.evidence.clone()
    })
}

fn record_answer(
    model: &mut Model,
    clause: &ClauseId,
    value: AnswerValue,
    evidence: Option<Evidence>,
    reason: Option<String>,
) {
    let Some(id) = case_id(model) else { return };
    match acts::answer(&model.policy, clause.as_str(), value, evidence, reason) {
        Ok(act) => {
            if let Some(case) = &mut model.case {
                case.marked = None;
                case.step(isize::from(case.pane == Pane::Checklist));
            }
            model.record(id, vec![act], format!("{clause}: {}", value.as_str()));
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

fn case_id(model: &Model) -> Option<crate::domain::CaseId> {
    match (model.screen, &model.case) {
        (Screen::Queue, _) | (_, None) => model.queue.current().map(|row| row.id.clone()),
        (_, Some(case)) => Some(case.view.row.id.clone()),
    }
}

fn clear(model: &mut Model) {
    if let Some(calculator) = &mut model.calculator {
        return calculator.clear();
    }
    if model.screen == Screen::Advisory {
        return form::actions::clear(model);
    }
    let Some(row) = question(model) else { return };
    let Some(id) = case_id(model) else { return };
    if row.answer.is_none() {
        return model.say(Tone::Note, format!("{} has no answer", row.id));
    }
    let act = Act::Answered { clause: row.id.clone(), answer: None, evidence: None, reason: None };
    model.record(id, vec![act], format!("{}: answer taken back", row.id));
}

fn accept_suggestions(model: &mut Model) {
    let (Some(case), Some(id)) = (&model.case, case_id(model)) else { return };
    let proposed = case.checklist.iter().filter(|row| row.answer.is_none());
    let acts: Vec<Act> = proposed
        .filter_map(|row| row.proposal.as_ref())
        .filter(|hint| hint.answer != AnswerValue::Unclear)
        .map(|hint| Act::Answered {
            clause: hint.clause.clone(),
            answer: Some(hint.answer),
            evidence: hint.evidence.clone(),
            reason: hint.evidence.is_none().then(|| format!("suggested: {}", hint.why)),
        })
        .collect();
    match acts.len() {
        0 => model.say(Tone::Note, "no suggested answer is open"),
        count => model.record(id, acts, format!("{count} suggested answers taken; u takes back")),
    }
}

fn evidence(model: &mut Model) {
    let Some(case) = &mut model.case else { return };
    if !case.jump() {
        model.say(Tone::Note, "no line is shown for this question");
    }
}

fn mark(model: &mut Model) {
    let Some(case) = &mut model.case else { return };
    if case.pane != Pane::Thread || !case.mark() {
        model.say(Tone::Note, "only lines of a mail's text can be marked");
        return;
    }
    let marked = case.marked.is_some();
    let words = if marked { "marked as evidence for the next answer" } else { "mark taken back" };
    model.say(Tone::Note, words);
}

fn score(model: &mut Model, args: &str) {
    if args.is_empty() {
        return calculator::open(model, calculator::Use::Case);
    }
    let Some(id) = case_id(model) else { return };
    match acts::score(args) {
        Ok(act) => {
            let said = material::score_line(args, &model.policy);
            model.record(id, vec![act], said);
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

fn decide(model: &mut Model, args: &str) {
    let mut words = args.split_whitespace();
    let Some(word) = words.next() else {
        return choose_disposition(model);
    };
    let Some(disposition) = Disposition::parse(word) else {
        return model.say(Tone::Error, format!("“{word}” is no decision; Tab completes"));
    };
    let named: Vec<String> = words.map(str::to_owned).collect();
    let clauses = if named.is_empty() { proven_clauses(model, disposition) } else { named };
    record_decision(model, disposition, &clauses, None);
}

fn record_decision(
    model: &mut Model,
    disposition: Disposition,
    clauses: &[String],
    reason: Option<String>,
) {
    let Some(id) = case_id(model) else { return };
    let asked = reason.is_some();
    match acts::decide(&model.policy, disposition, clauses, reason) {
        Ok(act) => model.record(id, vec![act], format!("decided: {disposition}")),
        Err(_) if !asked => model.ask(Asking::DecisionReason(disposition), ""),
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

/// Clauses that the checklist proves for this decision; none where it says something else.
fn proven_clauses(model: &Model, disposition: Disposition) -> Vec<String> {
    let Some(case) = &model.case else { return Vec::new() };
    let verdict = &case.view.verdict;
    let same = verdict.disposition == disposition;
    let clauses = verdict.clauses.iter().filter(|_| same);
    clauses.map(ToString::to_string).collect()
}

fn choose_disposition(model: &mut Model) {
    let suggested = model.case.as_ref().map(|case| case.view.verdict.disposition);
    let option = |disposition: &Disposition| {
        let mark = if Some(*disposition) == suggested { "suggested" } else { "" };
        (disposition.to_string(), mark.to_owned())
    };
    let cursor = Disposition::ALL.iter().position(|d| Some(*d) == suggested).unwrap_or(0);
    model.layer = Some(Layer::Choice(Choice {
        title: "Decide the case".into(),
        command: Command::Decide,
        options: Disposition::ALL.iter().map(option).collect(),
        cursor,
    }));
}

fn set_state(model: &mut Model, args: &str) {
    if args.is_empty() {
        let options = CaseState::ALL.iter().map(|s| (s.to_string(), String::new())).collect();
        model.layer = Some(Layer::Choice(Choice {
            title: "Move the case to".into(),
            command: Command::SetState,
            options,
            cursor: 0,
        }));
        return;
    }
    match (CaseState::parse(args), case_id(model)) {
        (Some(state), Some(id)) => {
            model.record(id, vec![Act::StateSet { state }], format!("now {state}"));
        }
        (None, _) => model.say(Tone::Error, format!("“{args}” is no state; Tab completes")),
        _ => {}
    }
}

/// Opens the reply that fits what the checklist proves.
fn decline(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let decided = case.view.case.decision.as_ref().map(|decision| decision.disposition);
    let disposition = decided.unwrap_or(case.view.verdict.disposition);
    let template = match disposition {
        Disposition::Accept | Disposition::NeedsInfo => Disposition::Reject,
        other => other,
    };
    reply(model, template.as_str());
}

fn reply(model: &mut Model, template: &str) {
    let Some(case) = &model.case else { return };
    if let (true, Some(draft)) = (template.is_empty(), &case.view.case.reply) {
        let purpose = Purpose::Reply {
            template: draft.template.clone(),
            to: draft.to.clone(),
            subject: draft.subject.clone(),
        };
        let text = draft.text.clone();
        return open_editor(model, Editor::open(purpose, &text, true));
    }
    if template.is_empty() {
        let options = crate::reply::names().into_iter().map(|t| (t.to_owned(), String::new()));
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
            open_editor(model, Editor::open(purpose, &draft.text, false));
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

pub(super) fn open_editor(model: &mut Model, editor: Editor) {
    model.editor = Some(editor);
    model.screen = Screen::Editor;
    let (save, back) = (key(model, Command::Save), key(model, Command::Back));
    model.say(Tone::Note, format!("{save} saves the draft, {back} leaves; nothing is sent"));
}

fn save(model: &mut Model) {
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
            "reply draft saved; nothing is sent",
        ),
        Purpose::Advisory => (Act::AdvisoryDrafted { toml: text }, "advisory draft saved"),
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

fn write_eml(model: &mut Model) {
    let saved = model.case.as_ref().is_some_and(|case| case.view.case.reply.is_some());
    let changed = model.editor.as_ref().is_some_and(Editor::is_changed);
    if !saved || changed {
        return model.say(Tone::Note, "save the reply draft first, then write it");
    }
    let Some(id) = case_id(model) else { return };
    let begin = format!("reply-{id}.eml");
    model.ask(Asking::EmlTo, &begin);
}

pub(super) fn edit_advisory(model: &mut Model) {
    let Some(advisory) = &model.advisory else { return };
    let editor = Editor::open(Purpose::Advisory, &advisory.toml, advisory.saved);
    open_editor(model, editor);
}

fn step_format(model: &mut Model, step: isize) {
    if let Some(advisory) = &mut model.advisory {
        advisory.step_format(step);
    }
}

fn switch_version(model: &mut Model) {
    if let Some(calculator) = &mut model.calculator {
        calculator.switch_version();
    }
}

fn raw(model: &mut Model) {
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

fn headers(model: &mut Model) {
    if let Some(case) = &mut model.case {
        case.headers = !case.headers;
        model.lay_out();
    }
}

fn step_message(model: &mut Model, step: isize) {
    if let Some(case) = &mut model.case {
        case.pane = Pane::Thread;
        case.step_message(step);
    }
}

fn journal(model: &mut Model) {
    let Some(case) = &model.case else { return };
    let lines = case.view.entries.iter().map(material::history_line).collect();
    let title = format!("History of {}", case.view.row.id);
    model.layer = Some(Layer::Text(Reading { title, lines, top: 0 }));
}

fn undo(model: &mut Model) {
    if model.read_only {
        return model.say(Tone::Error, "opened read-only: nothing is saved");
    }
    match case_id(model) {
        Some(case) => model.push(Effect::Undo { case }),
        None => model.say(Tone::Note, "no case here"),
    }
}

fn help(model: &mut Model) {
    let context = model.screen_context();
    model.layer = Some(Layer::Help(Help {
        title: format!("Keys: {}", context.as_str()),
        rows: model.keymap.help(context),
        top: 0,
    }));
}

fn complete(model: &mut Model, args: &str) {
    if let Some(prompt) = &mut model.prompt {
        prompt.complete(if args == "back" { -1 } else { 1 });
    }
}

fn accept(model: &mut Model) {
    if let Some(prompt) = model.prompt.take() {
        let line = prompt.taken();
        return take(model, prompt.asking, &line);
    }
    if model.layer.is_none() {
        return match &model.calculator {
            Some(_) => calculator::accept(model),
            None => form::actions::accept(model),
        };
    }
    if let Some(Layer::Choice(choice)) = model.layer.take()
        && let Some((word, _)) = choice.options.get(choice.cursor)
    {
        command(model, choice.command, &word.clone());
    }
}

/// Takes an entered line.
fn take(model: &mut Model, asking: Asking, line: &str) {
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
        Asking::ExportTo => form::actions::export_to(model, line),
        Asking::EmlTo => {
            if let Some(case) = case_id(model) {
                model.push(Effect::WriteEml { case, path: PathBuf::from(line) });
            }
        }
    }
}

fn search(model: &mut Model, line: &str) {
    match (model.screen, &mut model.case) {
        (Screen::Case, Some(case)) => line.clone_into(&mut case.search),
        _ => line.clone_into(&mut model.queue.search),
    }
    if !line.is_empty() {
        find(model, 1);
    }
}

fn command_line(model: &mut Model, line: &str) {
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
