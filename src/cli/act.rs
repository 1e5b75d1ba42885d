//! `answer`, `score`, `decide`, `note`, `undo`: each appends to the journal.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::json::ShownCase;
use super::{Context, Failure, print_json, shown};
use crate::app::case::CaseView;
use crate::app::{Problem, acts, material};
use crate::domain::journal::{Act, AnswerValue};
use crate::domain::{Disposition, Evidence};
use crate::runtime::clock::Clock;
use crate::runtime::desk::Desk;

pub(crate) fn answer(
    context: &Context,
    case: &str,
    clause: &str,
    value: AnswerValue,
    evidence: Option<&str>,
    reason: Option<String>,
) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    let evidence = evidence.map(|place| resolve(&view, place)).transpose()?;
    let act = acts::answer(&desk.rules.policy, clause, value, evidence, reason)?;
    let said = format!("{}: {} is {}", view.row.id, shown(clause), value.as_str());
    done(context, &desk, &view, act, &said)
}

pub(crate) fn score(context: &Context, case: &str, vector: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    let act = acts::score(vector)?;
    let said = material::score_line(vector.trim(), &desk.rules.policy);
    done(context, &desk, &view, act, &said)
}

pub(crate) fn decide(
    context: &Context,
    case: &str,
    disposition: Disposition,
    mut clauses: Vec<String>,
    reason: Option<String>,
) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    if clauses.is_empty() && view.verdict.disposition == disposition {
        clauses = view.verdict.clauses.iter().map(ToString::to_string).collect();
    }
    let act = acts::decide(&desk.rules.policy, disposition, &clauses, reason)?;
    let said = format!("{}: decided {disposition} {}", view.row.id, clauses.join(" "));
    done(context, &desk, &view, act, &said)
}

pub(crate) fn note(context: &Context, case: &str, text: String) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    let said = format!("{}: note kept", view.row.id);
    done(context, &desk, &view, Act::Noted { text }, &said)
}

pub(crate) fn pause(
    context: &Context,
    case: &str,
    until: Option<Timestamp>,
    reason: Option<String>,
) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    let act = acts::pause(&view.row, until, reason, Clock::wall())?;
    let said = format!("{}: {}", view.row.id, material::act_words(&act));
    done(context, &desk, &view, act, &said)
}

pub(crate) fn resume(context: &Context, case: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(desk.find(case)?)?;
    let act = acts::resume(&view.row, Clock::wall())?;
    let said = format!("{}: {}", view.row.id, material::act_words(&act));
    done(context, &desk, &view, act, &said)
}

pub(crate) fn undo(context: &Context, case: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let record = desk.find(case)?;
    let (record, what) = desk.undo(&record.id)?;
    eprintln!("{}: taken back: {}", record.id, shown(&what));
    tell(context, &desk, &desk.view(record)?);
    Ok(())
}

/// Writes the act; what is said afterwards is true.
fn done(
    context: &Context,
    desk: &Desk,
    view: &CaseView,
    act: Act,
    said: &str,
) -> Result<(), Failure> {
    let record = desk.record(&view.row.id, vec![act])?;
    eprintln!("{}", shown(said.trim_end()));
    tell(context, desk, &desk.view(record)?);
    Ok(())
}

fn tell(context: &Context, desk: &Desk, view: &CaseView) {
    if context.json() {
        print_json(&ShownCase::of(view, &desk.rules.policy, desk.clock.now()));
    }
}

/// `MESSAGE:LINE` or `MESSAGE:FIRST-LAST` as evidence.
fn resolve(view: &CaseView, place: &str) -> Result<Evidence, Failure> {
    let fault = |what: String| {
        let next =
            "give MESSAGE:LINE or MESSAGE:FIRST-LAST; `casebook show` numbers messages and lines";
        Failure::usage(Problem { what, next: next.into() })
    };
    let (message, lines) =
        place.rsplit_once(':').ok_or_else(|| fault(format!("“{place}” names no line")))?;
    let lines =
        lines_of(lines).ok_or_else(|| fault(format!("“{lines}” is no line or range of lines")))?;
    if view.message(message).is_none() {
        return Err(fault(format!("the case has no message “{message}”")));
    }
    let (first, last) = (*lines.start(), *lines.end());
    view.evidence(message, lines)
        .ok_or_else(|| fault(format!("message {message} has no lines {first} to {last}")))
}

fn lines_of(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && first <= last).then_some(first..=last)
}
