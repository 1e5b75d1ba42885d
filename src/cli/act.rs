//! `answer`, `score`, `decide`, `note`, `merge`, `split`, `undo`: each appends to the journal.

use std::ops::RangeInclusive;

use super::json::ShownCase;
use super::{Context, Failure, print_json, shown};
use crate::app::case::CaseView;
use crate::app::{Problem, acts, material};
use crate::domain::journal::{Act, AnswerValue};
use crate::domain::{Disposition, Evidence};
use crate::runtime::desk::Desk;
use crate::runtime::regroup::message_of;

pub(crate) fn answer(
    context: &Context,
    case: &str,
    clause: &str,
    value: AnswerValue,
    evidence: Option<&str>,
    reason: Option<String>,
) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(super::find(&desk, case)?)?;
    let evidence = evidence.map(|place| resolve(&view, place)).transpose()?;
    let act = acts::answer(&desk.rules.policy, clause, value, evidence, reason)?;
    let said = format!("{}: {} is {}", view.row.id, shown(clause), value.as_str());
    done(context, &desk, &view, act, &said)
}

pub(crate) fn score(context: &Context, case: &str, vector: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(super::find(&desk, case)?)?;
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
    let view = desk.view(super::find(&desk, case)?)?;
    if clauses.is_empty() && view.verdict.disposition == disposition {
        clauses = view.verdict.clauses.iter().map(ToString::to_string).collect();
    }
    let act = acts::decide(&desk.rules.policy, disposition, &clauses, reason)?;
    let said = format!("{}: decided {disposition} {}", view.row.id, clauses.join(" "));
    done(context, &desk, &view, act, &said)
}

pub(crate) fn note(context: &Context, case: &str, text: String) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(super::find(&desk, case)?)?;
    let said = format!("{}: note kept", view.row.id);
    done(context, &desk, &view, Act::Noted { text }, &said)
}

pub(crate) fn undo(context: &Context, case: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let record = super::find(&desk, case)?;
    let (undone, what) = desk.undo(&record.id)?;
    eprintln!("{}: taken back: {}", undone.case.id, shown(&what));
    tell(context, &desk, &desk.view(undone.case)?);
    Ok(())
}

pub(crate) fn merge(context: &Context, case: &str, into: &str) -> Result<(), Failure> {
    let desk = context.desk()?;
    let (case, into) = (super::find(&desk, case)?, super::find(&desk, into)?);
    let merged = desk.merge(&case.id, &into.id)?;
    let first = &merged.case;
    eprintln!(
        "{} is merged into {}: {} mails, first reported by {}; `casebook undo {}` takes it back",
        case.id,
        first.id,
        first.messages,
        shown(&first.reporter.address),
        first.id
    );
    tell(context, &desk, &desk.view(merged.case)?);
    Ok(())
}

pub(crate) fn split(context: &Context, case: &str, names: &[String]) -> Result<(), Failure> {
    let desk = context.desk()?;
    let known = super::find(&desk, case)?;
    let mails = desk.mails_of(&known)?;
    let mut messages = Vec::new();
    for name in names {
        messages.push(message_of(&mails, name).ok_or_else(|| {
            Failure::usage(Problem {
                what: format!("the case has no mail “{}”", shown(name)),
                next: "`casebook show` numbers the mails".into(),
            })
        })?);
    }
    let split = desk.split(&known.id, &messages)?;
    let new = desk.rows(split.changed.cases.iter().copied())?;
    let new = new.iter().find(|row| row.id != split.case.id);
    let id = new.map_or_else(String::new, |row| row.id.to_string());
    eprintln!("{} mails of {} are case {id} now", messages.len(), split.case.id);
    tell(context, &desk, &desk.view(split.case)?);
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
        let claims = super::read::claims(desk, view);
        print_json(&ShownCase::of(view, &desk.rules.policy, desk.clock.now(), &claims));
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
