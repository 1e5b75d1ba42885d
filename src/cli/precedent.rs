//! `precedent`: published advisories that reports are compared with.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::args::PrecedentAction;
use super::{Context, Failure, print, print_json, shown};
use crate::runtime::desk::Desk;
use crate::runtime::{files, twins};

pub(crate) fn run(context: &Context, action: PrecedentAction) -> Result<ExitCode, Failure> {
    let desk = context.desk()?;
    match action {
        PrecedentAction::Add { files } => return add(&desk, &files),
        PrecedentAction::List => list(context, &desk)?,
        PrecedentAction::Remove { name } => {
            let name = desk.remove_precedent(&name)?;
            let again = format!("`casebook precedent undo {}` brings it back", shown(&name));
            eprintln!("{} is not compared with any more; {again}", shown(&name));
        }
        PrecedentAction::Undo { name } => {
            let what = desk.undo_precedent(&name)?;
            eprintln!("taken back: {}", shown(&what));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds every file that can be read; the others are named, and the status is 1.
fn add(desk: &Desk, paths: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut faults = 0;
    for path in paths {
        let file = shown(&path.display().to_string());
        let text = match files::read_text(path, twins::RECORD_MAX as u64) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{file}: {error}");
                faults += 1;
                continue;
            }
        };
        match desk.add_precedent(&text) {
            Ok((name, true)) => eprintln!("{}: kept from {file}", shown(&name)),
            Ok((name, false)) => eprintln!("{}: was kept already", shown(&name)),
            Err(error @ crate::runtime::desk::DeskError::Record(_)) => {
                eprintln!("{file}: {error}");
                faults += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if faults == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let what = format!("{faults} of {} files are no published record", paths.len());
    Err(Failure::faults(what, "the others are kept"))
}

#[derive(Serialize)]
struct Listed {
    name: String,
    ids: Vec<String>,
    title: String,
    fixed: String,
    published: Option<String>,
    url: String,
}

fn list(context: &Context, desk: &Desk) -> Result<(), Failure> {
    let records = desk.store.precedents()?.into_iter().map(|(_, record)| Listed {
        name: record.name,
        ids: record.ids,
        title: record.title,
        fixed: record.fixed,
        published: record.published.map(|at| at.to_string()),
        url: record.url,
    });
    let mut records: Vec<Listed> = records.collect();
    records.sort_by(|a, b| (&b.published, &a.name).cmp(&(&a.published, &b.name)));
    if context.json() {
        print_json(&records);
        return Ok(());
    }
    if records.is_empty() {
        eprintln!("none is kept; `casebook precedent add FILE.json` keeps one");
    }
    let line = |one: &Listed| {
        let day = one.published.as_deref().and_then(|at| at.get(..10)).unwrap_or("no date");
        let fixed = if one.fixed.is_empty() {
            "no fix named".to_owned()
        } else {
            format!("fixed in {}", one.fixed)
        };
        format!("{:<20} {day:<10}  {}, {}\n", shown(&one.name), shown(&one.title), shown(&fixed))
    };
    print(&records.iter().map(line).collect::<String>());
    Ok(())
}
