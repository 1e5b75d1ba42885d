//! `deadlines`: every open clock by time left, as a list or as a calendar.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Context, Failure, print, print_json, shown};
use crate::app::deadlines::{self, ClockLine};
use crate::app::row::CaseRow;
use crate::app::when;
use crate::domain::deadline::time_left;
use crate::runtime::clock::Clock;
use crate::runtime::export;

/// A clock in the JSON of `deadlines`.
#[derive(Serialize)]
struct Row<'l> {
    case: &'l str,
    subject: &'l str,
    kind: &'static str,
    due: Option<String>,
    due_local: Option<String>,
    status: &'static str,
    left_seconds: Option<i64>,
    why: Option<&'l str>,
}

fn row<'l>(line: &'l ClockLine, now: Timestamp, zone: &TimeZone) -> Row<'l> {
    let deadline = &line.deadline;
    Row {
        case: line.case.as_str(),
        subject: line.subject.as_str(),
        kind: deadline.kind.as_str(),
        due: deadline.due.map(|due| due.to_string()),
        due_local: deadline.due.map(|due| when::local(due, zone)),
        status: deadline.status.as_str(),
        left_seconds: deadline.due.map(|due| due.duration_since(now).as_secs()),
        why: deadline.why.as_deref(),
    }
}

pub(crate) fn list(context: &Context, ics: Option<&Path>) -> Result<(), Failure> {
    let desk = context.reading_desk()?;
    let (now, zone) = (desk.clock.now(), Clock::zone());
    let mut rows: Vec<CaseRow> = Vec::new();
    for record in desk.all_cases() {
        rows.push(desk.row(record?)?);
    }
    let lines = deadlines::lines(rows.iter(), &desk.rules.policy.periods, now);
    if let Some(path) = ics {
        let calendar = deadlines::calendar(&lines, now);
        export::write_calendar(path, &calendar).map_err(Failure::usage)?;
        let count = lines.iter().filter(|line| line.deadline.due.is_some()).count();
        eprintln!("{count} clocks written: {}", shown(&path.display().to_string()));
    }
    if context.json() {
        print_json(&lines.iter().map(|line| row(line, now, &zone)).collect::<Vec<_>>());
    } else if ics.is_none() {
        let text: String = lines.iter().map(|line| words(line, now, &zone)).collect();
        print(&text);
        if lines.is_empty() {
            eprintln!("no clock is open");
        }
    }
    Ok(())
}

/// One line of the list.
fn words(line: &ClockLine, now: Timestamp, zone: &TimeZone) -> String {
    let deadline = &line.deadline;
    let (left, due) = match deadline.due {
        Some(due) => (time_left(due, now), when::both(due, zone)),
        None => ("-".to_owned(), deadline.why.clone().unwrap_or_default()),
    };
    let (kind, status) = (deadline.kind.as_str(), deadline.status.as_str());
    format!("{}  {kind:<11} {status:<9} {left:<9} {due}  {}\n", line.case, line.subject.as_str())
}
