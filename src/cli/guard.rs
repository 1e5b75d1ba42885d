//! `guard`: secrets of open cases in a repository. Exit 5 on a finding.

use std::io::Read as _;
use std::path::Path;

use serde::Serialize;

use super::{Context, Failure, print, print_json, shown};
use crate::app::Problem;
use crate::runtime::git::GitError;
use crate::runtime::guard::{FINDINGS_MAX, Finding, Guard, Looked, Place, Scope};

/// Longest standard input of the hook, in bytes.
const INPUT_MAX: u64 = 16 << 20;

#[derive(Serialize)]
struct Found<'f> {
    r#where: &'static str,
    commit: Option<&'f str>,
    name: Option<&'f str>,
    path: Option<&'f str>,
    line: Option<u64>,
    case: &'f str,
    kind: &'static str,
    text: String,
}

pub(crate) fn guard(
    context: &Context,
    repo: &Path,
    range: Option<&str>,
    hook: bool,
) -> Result<(), Failure> {
    let scope = match range {
        _ if hook => Scope::Push(input()?),
        Some(range) => Scope::Range(range.to_owned()),
        None => Scope::Unpublished,
    };
    // Reading only: the screen may be open on the same store.
    let desk = context.reading_desk()?;
    let looked = Guard::of(&desk)?.look(repo, &scope).map_err(|error| refused(&error))?;
    report(context, &looked);
    if looked.findings.is_empty() {
        return Ok(());
    }
    let count = match looked.findings.len() {
        FINDINGS_MAX => format!("{FINDINGS_MAX} or more secrets"),
        1 => "a secret".to_owned(),
        count => format!("{count} secrets"),
    };
    Err(Failure::refused(Problem {
        what: format!("{count} of open cases found in {}", repo.display()),
        next: "rewrite those commits or names before they are pushed".into(),
    }))
}

fn input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(INPUT_MAX).read_to_string(&mut text);
    read.map_err(|error| {
        let next = "let git run it as its pre-push hook".into();
        Failure::usage(Problem { what: format!("could not read standard input: {error}"), next })
    })?;
    Ok(text)
}

fn refused(error: &GitError) -> Failure {
    Failure::usage(Problem { what: error.to_string(), next: error.advice().into() })
}

fn report(context: &Context, looked: &Looked) {
    if context.json() {
        let findings: Vec<Found<'_>> = looked.findings.iter().map(found).collect();
        print_json(&serde_json::json!({
            "findings": findings,
            "commits": looked.commits,
            "secrets": looked.secrets,
        }));
        return;
    }
    for finding in &looked.findings {
        let hit = &finding.hit;
        let place = match &finding.place {
            Place::Name(name) => name.clone(),
            Place::Tag(name) => format!("message of {name}"),
            Place::Message { commit } => format!("{} message", short(commit)),
            Place::Path { commit, path } => format!("{} path {path}", short(commit)),
            Place::Line { commit, path, line } => format!("{} {path}:{line}", short(commit)),
        };
        let text: String = hit.text.chars().take(60).collect();
        print(&format!("{}  case {}  {}  {}\n", shown(&place), hit.case, hit.kind, shown(&text)));
    }
    if looked.findings.is_empty() {
        eprintln!("clean: {} commits, {} secrets looked for", looked.commits, looked.secrets);
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn found(finding: &Finding) -> Found<'_> {
    let hit = &finding.hit;
    let (place, commit, name, path, line) = match &finding.place {
        Place::Name(name) => ("name", None, Some(name), None, None),
        Place::Tag(name) => ("tag", None, Some(name), None, None),
        Place::Message { commit } => ("message", Some(commit), None, None, None),
        Place::Path { commit, path } => ("path", Some(commit), None, Some(path), None),
        Place::Line { commit, path, line } => ("file", Some(commit), None, Some(path), Some(*line)),
    };
    Found {
        r#where: place,
        commit: commit.map(String::as_str),
        name: name.map(String::as_str),
        path: path.map(String::as_str),
        line,
        case: hit.case.as_str(),
        kind: hit.kind.as_str(),
        text: hit.text.chars().take(160).collect(),
    }
}
