//! The security part of the project's release post: credits as front matter, then a quoted block with one entry
//! per advisory. A release often fixes several flaws, so the entries of several drafts can stand in one post.
//!
//! Absent on purpose: the rest of the post; title, date and release notes are the maintainer's.

use std::fmt::Write as _;

use super::text::{clean_line, markdown, markdown_line};
use super::view::View;
use crate::domain::advisory::{AdvisoryDraft, embargo_notice};
use crate::domain::cvss::Words;

/// Writes the part for several advisories, in the order given.
pub fn release_post(drafts: &[&AdvisoryDraft]) -> String {
    let views: Vec<View<'_>> = drafts.iter().map(|draft| View::of(draft)).collect();
    text(&views)
}

pub(super) fn text(views: &[View<'_>]) -> String {
    let mut out = String::from("---\n");
    for notice in views.iter().filter_map(|view| embargo_notice(view.draft)).take(1) {
        // The site generator leaves unpublished posts out.
        let _ = writeln!(out, "# TLP:AMBER. {notice}\npublished: false");
    }
    out.push_str(&credits(views));
    out.push_str("---\n\n> ### Security fixes\n");
    for view in views {
        let _ = writeln!(out, ">\n{}", quoted(&entry(view)));
    }
    out
}

/// The credited people as a list of Markdown links, each once.
fn credits(views: &[View<'_>]) -> String {
    let mut people: Vec<String> = Vec::new();
    for (name, credit) in views.iter().flat_map(|view| &view.credits) {
        let person = match &credit.github {
            Some(login) => format!("[{}](https://github.com/{login})", markdown_line(name, &[])),
            None => markdown_line(name, &[]),
        };
        if !people.contains(&person) {
            people.push(person);
        }
    }
    if people.is_empty() {
        return "security: []\n".into();
    }
    let lines: Vec<String> = people.iter().map(|person| format!("- {}\n", yaml(person))).collect();
    format!("security:\n{}", lines.concat())
}

/// A double-quoted YAML scalar.
fn yaml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn entry(view: &View<'_>) -> String {
    let mut parts = vec![format!("**{}**", markdown_line(&view.title, &[]))];
    for (_, scored) in view.vectors.iter().take(1) {
        let word = scored.severity().word(Words::Policy);
        parts.push(format!("Severity {word} ({:.1})", scored.base()));
    }
    if let Some(impact) = view.section("Impact") {
        parts.push(markdown(impact, &view.logins()));
    }
    let fixed = view.fixed();
    if !fixed.is_empty() {
        parts.push(format!("Fixed in {}.", super::view::enumerate(&fixed)));
    }
    let draft = view.draft;
    let mut links: Vec<String> = Vec::new();
    match (&draft.ghsa_id, view.advisory_url()) {
        (Some(id), Some(url)) => links.push(format!("[{id}](<{}>)", clean_line(url))),
        (Some(id), None) => links.push(id.clone()),
        (None, _) => {}
    }
    if let Some(id) = &draft.cve_id {
        links.push(format!("[{id}](https://www.cve.org/CVERecord?id={id})"));
    }
    if !links.is_empty() {
        parts.push(links.join(", "));
    }
    parts.join("\n\n")
}

/// Every line as a quotation.
fn quoted(text: &str) -> String {
    let quote = |line: &str| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
    text.lines().map(quote).collect::<Vec<_>>().join("\n")
}
