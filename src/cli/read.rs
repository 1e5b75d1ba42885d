//! `list`, `show`, `hints`: reading, nothing changes.

use std::io::IsTerminal as _;

use jiff::Timestamp;

use super::json::{Hints, ListedCase, ShownCase};
use super::{Context, Failure, Progress, print, print_json, shown};
use crate::app::case::CaseView;
use crate::app::material;
use crate::app::queue::{View, Words};
use crate::app::row::CaseRow;
use crate::app::thread::shown_address;
use crate::claims::Table;
use crate::domain::deadline::{DeadlineStatus, time_left};
use crate::domain::hint::{AiUse, Flags, VersionStatus};
use crate::domain::policy::Policy;
use crate::domain::{CaseState, Evidence};
use crate::mail::DisplayText;
use crate::runtime;
use crate::runtime::claims::Watcher;
use crate::runtime::desk::Desk;
use crate::tui::terminal;

/// Cases, those that wait longest last, so that the newest stand at the top as on the screen.
pub(crate) fn list(
    context: &Context,
    state: Option<CaseState>,
    query: &[String],
) -> Result<(), Failure> {
    let desk = context.desk()?;
    let words = Words::parse(&query.join(" "));
    let mut rows: Vec<CaseRow> = Vec::new();
    for record in desk.all_cases() {
        let row = desk.row(record?)?;
        if state.is_none_or(|state| row.state == state) && words.fit(&row, View::All) {
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| (b.last, &a.id).cmp(&(a.last, &b.id)));
    let (policy, now) = (&desk.rules.policy, desk.clock.now());
    if context.json() {
        let cases: Vec<_> = rows.iter().map(|row| ListedCase::of(row, policy, now)).collect();
        print_json(&cases);
        return Ok(());
    }
    let width = if std::io::stdout().is_terminal() { terminal::columns() } else { None };
    let text: String = rows.iter().map(|row| line(row, policy, now, width)).collect();
    if rows.is_empty() {
        eprintln!("no case fits; `casebook import FILE` or `casebook sync` brings mail");
    }
    print(&text);
    Ok(())
}

/// Narrowest terminal that shows state and reporter too, in columns.
const WIDE: usize = 120;

/// One line of the list: whole where it goes into a pipe, cut to the terminal otherwise.
fn line(row: &CaseRow, policy: &Policy, now: Timestamp, width: Option<usize>) -> String {
    let waits = |status| {
        matches!(
            status,
            DeadlineStatus::Running | DeadlineStatus::DueSoon | DeadlineStatus::Overdue
        )
    };
    let deadlines = row.deadlines(&policy.periods, now).into_iter();
    let clock = deadlines
        .filter(|d| waits(d.status))
        .filter_map(|d| d.due.map(|due| (due, d.kind)))
        .min_by_key(|(due, _)| *due)
        .map_or_else(String::new, |(due, kind)| {
            format!("{} {}", kind.as_str(), time_left(due, now))
        });
    let wide = width.is_none_or(|width| width >= WIDE);
    let outcome = material::outcome_words(row);
    let text = if wide {
        format!(
            "{}  {:<12} {}  {}  {}  {}",
            row.id,
            row.state,
            pad(&clock, 20),
            pad(&outcome, 24),
            pad(row.reporter_shown.as_str(), 36),
            row.subject_shown.as_str(),
        )
    } else {
        let (clock, outcome) = (pad(&clock, 20), pad(&outcome, 16));
        format!("{}  {clock}  {outcome}  {}", row.id, row.subject_shown.as_str())
    };
    let text = match width {
        Some(width) => DisplayText::line(&text).fit(width).as_str().to_owned(),
        None => text,
    };
    format!("{}\n", text.trim_end())
}

fn pad(text: &str, columns: usize) -> String {
    let fitted = DisplayText::line(text).fit(columns);
    format!("{}{}", fitted.as_str(), " ".repeat(columns.saturating_sub(fitted.width())))
}

/// One case with its mails.
pub(crate) fn show(context: &Context, case: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(super::find(&desk, case)?)?;
    let (policy, now) = (&desk.rules.policy, desk.clock.now());
    let claims = claims(&desk, &view);
    if context.json() {
        print_json(&ShownCase::of(&view, policy, now, &claims));
        return Ok(());
    }
    let mut text = head(&view);
    text.push_str(&format!("{}\n", shown(&view.policy.words())));
    for deadline in view.row.deadlines(&policy.periods, now) {
        let settled = matches!(deadline.status, DeadlineStatus::Met | DeadlineStatus::None);
        let due = deadline.due.map_or_else(String::new, |due| {
            let left = if settled { String::new() } else { format!(" ({})", time_left(due, now)) };
            format!(", due {}{left}", due.strftime("%Y-%m-%d %H:%M UTC"))
        });
        let why = deadline.why.as_deref().map_or_else(String::new, |why| format!(", {why}"));
        text.push_str(&format!(
            "{}: {}{due}{why}\n",
            deadline.kind.as_str(),
            deadline.status.as_str()
        ));
    }
    if !claims.rows.is_empty() {
        text.push_str(&format!("claims: {}\n", shown(&claims.sentence())));
    }
    let scores = material::scores(&view, policy);
    if !scores.is_empty() {
        text.push_str(&format!("{}\n", shown(&scores)));
    }
    for (clause, answer) in &view.case.answers {
        let reason = answer.reason.as_deref().unwrap_or_default();
        let line = answer.evidence.as_ref().map_or_else(String::new, |e| {
            format!("line {}: {}", place(&view, e), one_line(&e.text))
        });
        text.push_str(&format!("{clause}: {} {line}{}\n", answer.value.as_str(), shown(reason)));
    }
    for (number, message) in view.messages.iter().enumerate() {
        let from = message.from.first().map(shown_address).unwrap_or_default();
        text.push_str(&format!(
            "\n── {}. {} {} · {} · {}\n",
            number + 1,
            message.direction.as_str(),
            shown(&from),
            message.received.strftime("%Y-%m-%d %H:%M UTC"),
            shown(&message.subject)
        ));
        if message.rescued {
            text.push_str("rescued: the server had it among the junk\n");
        }
        if message.gone {
            text.push_str("no longer on the server; this copy stays\n");
        }
        for warning in &message.warnings {
            text.push_str(&format!("! {}\n", warning.as_str()));
        }
        for defect in &message.defects {
            text.push_str(&format!("damaged: {}\n", shown(defect)));
        }
        for (line, number) in DisplayText::block(&message.text).iter().zip(1..) {
            text.push_str(&format!("{number:>4}  {}\n", line.as_str()));
        }
        for part in &message.attachments {
            text.push_str(&format!(
                "attachment: {} ({}, {} bytes)\n",
                shown(&part.name),
                shown(&part.content_type),
                part.size
            ));
        }
    }
    print(&text);
    Ok(())
}

fn head(view: &CaseView) -> String {
    let row = &view.row;
    format!(
        "{} {}\nreporter: {}\nreceived: {}\nstate: {}\n{}\n",
        row.id,
        row.subject_shown.as_str(),
        row.reporter_shown.as_str(),
        row.received.strftime("%Y-%m-%d %H:%M UTC"),
        row.state,
        shown(&material::outcome_line(view)),
    )
}

/// What the rules read out of a case.
pub(crate) fn hints(context: &Context, case: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let record = super::find(&desk, case)?;
    // First, as what has failed counts in the proposal.
    let claims = claims(&desk, &runtime::view::alone(&desk, record.clone())?);
    let view = desk.view(record)?;
    if context.json() {
        print_json(&Hints::of(&view, &desk.rules.policy, &claims));
        return Ok(());
    }
    let text = hints_text(&view, &desk.rules.policy);
    print(&format!("{text}{}", claims_text(&view, &claims)));
    Ok(())
}

/// The claims of a case, looked up; the first look at a version is shown as it goes.
pub(super) fn claims(desk: &Desk, view: &CaseView) -> Table {
    let mut progress = Progress::new();
    let mut show = |what: &str, done: usize, total: usize| {
        if done.is_multiple_of(200) {
            progress.show(&format!("{what}: {done} of {total}"));
        }
    };
    let mut watcher = Watcher { progress: &mut show, go_on: &|| true };
    let table = runtime::claims::check(desk, view, &mut watcher).unwrap_or_default();
    progress.end();
    table
}

/// The sum, then every claim with what was found and the line that makes it.
fn claims_text(view: &CaseView, table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\nclaims    {}\n", shown(&table.sentence()));
    if let Some(note) = table.note.as_ref().filter(|_| table.version.is_some()) {
        text.push_str(&format!("          {}\n", shown(note)));
    }
    for row in &table.rows {
        let (place, kind) = (place(view, &row.claim.evidence), row.claim.kind.as_str());
        let said = material::claim_words(row);
        let name = shown(&row.claim.text());
        text.push_str(&format!("  {:<10}{kind:<11}{place:<7}{name}\n", material::found_word(row)));
        if !said.is_empty() {
            text.push_str(&format!("                              {}\n", shown(&said)));
        }
    }
    text
}

/// `MESSAGE:LINE` as `answer --evidence` takes it.
fn place(view: &CaseView, evidence: &Evidence) -> String {
    let number = view.messages.iter().position(|message| message.id == evidence.message);
    let number = number.map_or_else(|| evidence.message.short(), |at| (at + 1).to_string());
    format!("{number}:{}", evidence.line)
}

/// Quoted words on one line, not too long.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    DisplayText::line(&words.join(" ")).fit(160).as_str().to_owned()
}

/// Every hint below its question, in the order of the policy.
fn hints_text(view: &CaseView, policy: &Policy) -> String {
    let mut text = format!("{}\n", shown(&material::verdict_words(&view.verdict)));
    let readings = view.readings();
    for item in &policy.items {
        let of_item = readings.iter().flat_map(|reading| &reading.hints);
        let mut of_item = of_item.filter(|hint| hint.clause == item.id).peekable();
        if of_item.peek().is_some() {
            let asked = if item.question.is_empty() { &item.title } else { &item.question };
            text.push_str(&format!("\n{:<6}{}\n", item.id.as_str(), shown(asked)));
        }
        for hint in of_item {
            text.push_str(&format!("      {:<8}{}\n", hint.answer.as_str(), shown(&hint.why)));
            if let Some(evidence) = &hint.evidence {
                let quoted = one_line(&evidence.text);
                text.push_str(&format!("              {}  {}\n", place(view, evidence), quoted));
            }
        }
    }
    text.push('\n');
    for vector in readings.iter().flat_map(|reading| &reading.vectors) {
        let line = material::score_line(&vector.text, policy);
        text.push_str(&format!("vector    {}\n", shown(&line)));
    }
    for version in readings.iter().flat_map(|reading| &reading.versions) {
        let status = match version.status {
            VersionStatus::LatestStable => "the latest stable release then",
            VersionStatus::DevBranch => "a development branch or candidate",
            VersionStatus::Outdated => "outdated then",
            VersionStatus::Fork => "a fork",
            VersionStatus::OtherProduct => "another product",
            VersionStatus::Unstated => "not named",
        };
        text.push_str(&format!("version   {}, {status}\n", shown(&version.claimed)));
    }
    for twin in &view.twins {
        text.push_str(&format!("twin      {:.2}  {}\n", twin.score, shown(&twin.line())));
    }
    text.push_str(&flags_line(&crate::domain::verdict::merge_flags(&readings)));
    text
}

fn flags_line(flags: &Flags) -> String {
    let ai = match flags.ai {
        AiUse::None => "",
        AiUse::Disclosed => "AI use told",
        AiUse::Suspected => "AI use suspected",
    };
    let told = [
        (flags.has_poc, "proof of concept"),
        (flags.scanner, "scanner output"),
        (flags.bounty_request, "asks for money"),
        (flags.credit_wanted, "wants credit"),
        (flags.public, "says that it is public"),
        (!ai.is_empty(), ai),
    ];
    let words: Vec<&str> = told.iter().filter(|(set, _)| *set).map(|(_, words)| *words).collect();
    if words.is_empty() { String::new() } else { format!("flags     {}\n", words.join(", ")) }
}
