//! `list`, `show`, `hints`: reading, nothing changes.

use super::json::{Hints, ListedCase, ShownCase};
use super::{Context, Failure, print, print_json, shown};
use crate::app::case::CaseView;
use crate::app::material;
use crate::app::queue::{View, Words};
use crate::app::row::CaseRow;
use crate::app::thread::shown_address;
use crate::domain::CaseState;
use crate::domain::deadline::{DeadlineStatus, time_left};
use crate::mail::DisplayText;

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
    let mut text = String::new();
    for row in &rows {
        let clock = row
            .deadlines(&policy.periods, now)
            .into_iter()
            .filter(|d| {
                matches!(
                    d.status,
                    DeadlineStatus::Running | DeadlineStatus::DueSoon | DeadlineStatus::Overdue
                )
            })
            .filter_map(|d| {
                d.due.map(|due| (due, format!("{} {}", d.kind.as_str(), time_left(due, now))))
            })
            .min()
            .map_or_else(String::new, |(_, words)| words);
        let outcome = material::outcome_words(row);
        text.push_str(&format!(
            "{}  {:<12} {:<22} {}  {}  {}\n",
            row.id,
            row.state,
            clock,
            pad(&outcome, 24),
            pad(row.reporter_shown.as_str(), 36),
            row.subject_shown.as_str(),
        ));
    }
    if rows.is_empty() {
        eprintln!("no case fits; `casebook import FILE` or `casebook sync` brings mail");
    }
    print(&text);
    Ok(())
}

fn pad(text: &str, columns: usize) -> String {
    let fitted = DisplayText::line(text).fit(columns);
    format!("{}{}", fitted.as_str(), " ".repeat(columns.saturating_sub(fitted.width())))
}

/// One case with its mails.
pub(crate) fn show(context: &Context, case: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    let (policy, now) = (&desk.rules.policy, desk.clock.now());
    if context.json() {
        print_json(&ShownCase::of(&view, policy, now));
        return Ok(());
    }
    let mut text = head(&view);
    for deadline in view.row.deadlines(&policy.periods, now) {
        let due = deadline.due.map_or_else(String::new, |due| {
            format!(" by {} ({})", due.strftime("%Y-%m-%d %H:%M UTC"), time_left(due, now))
        });
        let why = deadline.why.as_deref().map_or_else(String::new, |why| format!(", {why}"));
        text.push_str(&format!(
            "{}: {}{due}{why}\n",
            deadline.kind.as_str(),
            deadline.status.as_str()
        ));
    }
    let scores = material::scores(&view, policy);
    if !scores.is_empty() {
        text.push_str(&format!("{}\n", shown(&scores)));
    }
    for (clause, answer) in &view.case.answers {
        let reason = answer.reason.as_deref().unwrap_or_default();
        let line =
            answer.evidence.as_ref().map_or_else(String::new, |e| format!("line {}", e.line));
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
    let view = desk.view(desk.find(case)?)?;
    if context.json() {
        print_json(&Hints::of(&view, &desk.rules.policy));
        return Ok(());
    }
    let mut text = format!("{}\n", shown(&material::verdict_words(&view.verdict)));
    for reading in view.readings() {
        for hint in &reading.hints {
            let place = hint.evidence.as_ref().map_or_else(String::new, |evidence| {
                format!(
                    "\n        {}:{}  {}",
                    evidence.message.short(),
                    evidence.line,
                    shown(&evidence.text)
                )
            });
            let (clause, answer) = (&hint.clause, hint.answer.as_str());
            text.push_str(&format!("{clause:<6}{answer:<8} {}{place}\n", shown(&hint.why)));
        }
        for vector in &reading.vectors {
            text.push_str(&format!(
                "vector  {}\n",
                shown(&material::score_line(&vector.text, &desk.rules.policy))
            ));
        }
        for version in &reading.versions {
            text.push_str(&format!("version {} ({:?})\n", shown(&version.claimed), version.status));
        }
    }
    print(&text);
    Ok(())
}
