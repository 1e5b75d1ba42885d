//! `outbox`: the replies that wait to be sent. Nothing is sent from here.

use std::path::Path;

use serde::Serialize;

use super::{Context, Failure, print, print_json, shown};
use crate::app::case::CaseView;
use crate::runtime::{desk::Desk, export, files};

/// A waiting reply in the JSON of `outbox`.
#[derive(Serialize)]
struct Waiting {
    case: String,
    to: Vec<String>,
    subject: String,
    template: String,
    queued: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

pub(crate) fn list(context: &Context, out: Option<&Path>) -> Result<(), Failure> {
    let desk = context.desk()?;
    let mut waiting = Vec::new();
    for record in desk.all_cases() {
        let record = record?;
        if record.queued.is_some() {
            waiting.extend(reply(&desk, &desk.view(record)?, out)?);
        }
    }
    if context.json() {
        print_json(&waiting);
        return Ok(());
    }
    for reply in &waiting {
        let (to, subject) = (shown(&reply.to.join(", ")), shown(&reply.subject));
        print(&format!("{}  {}  {to}  {subject}\n", reply.case, reply.queued));
    }
    let written = out.map_or_else(String::new, |out| format!(", written into {}", out.display()));
    eprintln!("{} waiting{written}; nothing was sent", waiting.len());
    Ok(())
}

/// The reply of a case, written into the folder if there is one.
fn reply(desk: &Desk, view: &CaseView, out: Option<&Path>) -> Result<Option<Waiting>, Failure> {
    let (Some(draft), Some(queued)) = (&view.case.reply, view.row.queued) else { return Ok(None) };
    let path = out.map(|folder| folder.join(format!("reply-{}.eml", view.row.id)));
    if let (Some(folder), Some(path)) = (out, &path) {
        files::make_private_folder(folder).map_err(|error| {
            Failure::usage(crate::app::Problem {
                what: format!("could not make the folder {}: {error}", folder.display()),
                next: "name another one".into(),
            })
        })?;
        export::write_eml(desk, &view.row.id, path).map_err(Failure::usage)?;
    }
    Ok(Some(Waiting {
        case: view.row.id.to_string(),
        to: draft.to.clone(),
        subject: draft.subject.clone(),
        template: draft.template.clone(),
        queued: queued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        out: path.map(|path| path.display().to_string()),
    }))
}
