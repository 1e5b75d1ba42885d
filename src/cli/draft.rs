//! `reply`, `advisory`, `export`: drafts. Nothing is sent.

use std::path::Path;

use serde::Serialize;

use super::{Context, Failure, print, print_json, shown};
use crate::app::Problem;
use crate::app::case::CaseView;
use crate::app::material::{self, Office};
use crate::domain::journal::Act;
use crate::runtime::desk::Desk;
use crate::runtime::export::{self, Done, FoundFault, NotWritten, Order, WrittenFile};
use crate::runtime::files;

pub(crate) fn reply(
    context: &Context,
    case: &str,
    template: Option<String>,
    out: Option<&Path>,
    queue: bool,
) -> Result<(), Failure> {
    let desk = context.desk()?;
    let view = desk.view(super::find(&desk, case)?)?;
    let template = template.unwrap_or_else(|| default_template(&view));
    let office = Office {
        policy: &desk.rules.policy,
        policy_text: desk.policy_text.as_deref(),
        me: &desk.me,
        now: desk.clock.now(),
    };
    let draft = material::reply_draft(&office, &view, &template)?;
    let act = Act::ReplyDrafted {
        template,
        to: draft.to.clone(),
        subject: draft.subject.clone(),
        text: draft.text.clone(),
    };
    let mut view = view;
    if !desk.read_only {
        let queued = queue.then_some(Act::ReplyQueued {});
        view =
            desk.view(desk.record(&view.row.id, std::iter::once(act).chain(queued).collect())?)?;
    }
    if view.row.queued.is_some() {
        eprintln!("{}: in the outbox; nothing was sent", view.row.id);
    }
    if let Some(path) = out {
        write_eml(&desk, &view, path)?;
        eprintln!("written: {}; nothing was sent", path.display());
    }
    if context.json() {
        print_json(&serde_json::json!({
            "case": view.row.id.as_str(),
            "to": draft.to,
            "subject": draft.subject,
            "text": draft.text,
            "out": out.map(|path| path.display().to_string()),
        }));
    } else if out.is_none() {
        print(&format!(
            "To: {}\nSubject: {}\n\n{}\n",
            shown(&draft.to.join(", ")),
            shown(&draft.subject),
            draft.text.trim_end()
        ));
    }
    if draft.to.iter().any(|to| to.ends_with("@reply.github.com")) {
        eprintln!(
            "note: GitHub posts an answer to this address as a comment on the advisory; all who can see the advisory read it"
        );
    }
    Ok(())
}

fn write_eml(desk: &Desk, view: &CaseView, path: &Path) -> Result<(), Failure> {
    export::write_eml(desk, &view.row.id, path).map_err(Failure::usage)
}

fn default_template(view: &CaseView) -> String {
    let decided = view.case.decision.as_ref().map(|decision| decision.disposition);
    decided.unwrap_or(view.verdict.disposition).as_str().to_owned()
}

/// The saved draft of a case, or a new one made from what is known.
fn draft_of(desk: &Desk, view: &CaseView) -> String {
    view.case.advisory.clone().unwrap_or_else(|| material::advisory_toml(view, &desk.rules.policy))
}

pub(crate) fn advisory(
    context: &Context,
    case: Option<&str>,
    from: Option<&Path>,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let (name, toml) = match (case, from) {
        (_, Some(path)) => ("from", import(context, path)?),
        (case, None) => {
            let desk = context.desk()?;
            let view = desk.view(super::find(&desk, case.unwrap_or_default())?)?;
            ("case", draft_of(&desk, &view))
        }
    };
    let (faults, _, gate) = material::advisory_state(&toml);
    eprintln!("{}; {} missing or wrong", gate.as_str().trim_start(), faults.len());
    match out {
        Some(path) => {
            files::write_new(path, toml.as_bytes()).map_err(|error| {
                Failure::usage(Problem { what: error.to_string(), next: error.advice().into() })
            })?;
            eprintln!("written: {}", path.display());
        }
        None if context.json() => {
            let of = from.map(|path| path.display().to_string());
            print_json(&serde_json::json!({ name: of.as_deref().or(case), "toml": toml }));
        }
        None => print(&toml),
    }
    Ok(())
}

/// The draft that a published record makes; what it has no place for is said on standard error.
fn import(context: &Context, path: &Path) -> Result<String, Failure> {
    let text =
        files::read_text(path, crate::export::import::MAX_BYTES as u64).map_err(|error| {
            Failure::usage(Problem {
                what: format!("could not read the record {}: {error}", path.display()),
                next: "check the path".into(),
            })
        })?;
    let policy = context.policy()?;
    let product = material::product(&policy);
    let imported = crate::export::import::read(&text, &product).map_err(|error| {
        let next = "name an OSV record, a CVE record or a GitHub advisory as JSON".into();
        Failure::usage(Problem { what: error.to_string(), next })
    })?;
    eprintln!("read: {}", imported.source.as_str());
    for lost in &imported.lost {
        eprintln!("no place for {}", shown(lost));
    }
    Ok(crate::export::draft_toml::write(&imported.draft))
}

#[derive(Serialize)]
struct Written {
    format: String,
    path: String,
}

#[derive(Serialize)]
struct Faulty {
    format: Option<String>,
    field: String,
    fault: String,
}

pub(crate) fn export(
    context: &Context,
    case: Option<&str>,
    draft: Option<&Path>,
    formats: &[String],
    out: &Path,
) -> Result<(), Failure> {
    let wanted = crate::export::parse_formats(&formats.join(",")).map_err(|what| {
        Failure::usage(Problem { what, next: "name the formats with --format".into() })
    })?;
    let desk = case.map(|_| context.desk()).transpose()?;
    let view = match (&desk, case) {
        (Some(desk), Some(case)) => Some(desk.view(super::find(desk, case)?)?),
        _ => None,
    };
    let toml = match (&desk, &view, draft) {
        (Some(desk), Some(view), _) => draft_of(desk, view),
        (_, _, Some(path)) => files::read_text(path, 4 << 20).map_err(|error| {
            Failure::usage(Problem {
                what: format!("could not read the draft {}: {error}", path.display()),
                next: "check the path".into(),
            })
        })?,
        _ => String::new(),
    };
    let (cve_from_tenths, now) = match &desk {
        Some(desk) => (desk.rules.policy.scoring.cve_threshold_tenths, desk.clock.now()),
        None => (context.policy()?.scoring.cve_threshold_tenths, context.clock.now()),
    };
    let order = Order { wanted, cve_from_tenths, now };
    match export::write(&toml, &order, out) {
        Ok(Done { files: written, left_out, notice, .. }) => {
            if let (Some(desk), Some(view)) = (&desk, &view)
                && !desk.read_only
            {
                let formats = written.iter().map(|file| file.format.clone()).collect();
                desk.record(&view.row.id, vec![Act::Exported { formats }])?;
            }
            if let Some(notice) = notice {
                eprintln!("{notice}");
            }
            for (format, why) in &left_out {
                eprintln!("left out: {format}: {}", shown(why));
            }
            let path = |f: &WrittenFile| (f.format.clone(), f.path.display().to_string());
            report(context, &written.iter().map(path).collect::<Vec<_>>(), &left_out, &[]);
            Ok(())
        }
        Err(NotWritten::Faults(faults)) => {
            report(context, &[], &[], &faults);
            let plural = if faults.len() == 1 { "fault" } else { "faults" };
            let what = format!("nothing written: {} {plural}, named above", faults.len());
            let next = match draft {
                Some(path) => format!("correct {} and export it again", path.display()),
                None => "`casebook advisory CASE --out FILE.toml` gives the draft to edit, `casebook export --draft FILE.toml` writes it".to_owned(),
            };
            Err(Failure::faults(what, next))
        }
        Err(NotWritten::Refused(reasons)) => {
            report(context, &[], &[], &reasons);
            Err(Failure::refused(NotWritten::Refused(reasons).problem()))
        }
        Err(NotWritten::Files(error)) => {
            Err(Failure::usage(Problem { what: error.to_string(), next: error.advice().into() }))
        }
    }
}

fn report(
    context: &Context,
    written: &[(String, String)],
    left_out: &[(String, String)],
    faults: &[FoundFault],
) {
    if context.json() {
        let written: Vec<Written> = written
            .iter()
            .map(|(format, path)| Written { format: format.clone(), path: path.clone() })
            .collect();
        let faults: Vec<Faulty> = faults
            .iter()
            .map(|fault| Faulty {
                format: fault.format.clone(),
                field: fault.field.clone(),
                fault: fault.fault.clone(),
            })
            .collect();
        let left_out: Vec<_> = left_out
            .iter()
            .map(|(format, why)| serde_json::json!({ "format": format, "why": why }))
            .collect();
        print_json(
            &serde_json::json!({ "written": written, "left_out": left_out, "faults": faults }),
        );
        return;
    }
    for (format, path) in written {
        print(&format!("{format:<9} {}\n", shown(path)));
    }
    for fault in faults {
        let format = fault.format.as_deref().map_or_else(String::new, |f| format!(" ({f})"));
        print(&format!("{}{format}: {}\n", shown(&fault.field), shown(&fault.fault)));
    }
}
