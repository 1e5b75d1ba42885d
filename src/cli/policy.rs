//! `policy show`, `policy check`.

use std::path::Path;

use serde::Serialize;

use super::{Context, Failure, print, print_json, shown};
use crate::app::Problem;
use crate::domain::policy::Policy;
use crate::domain::policy_drift::{self, Drift, Finding, Standing};
use crate::domain::policy_names::{Found, Named};
use crate::domain::policy_text::PolicyText;
use crate::runtime::policy_check::{self, Checked};
use crate::runtime::{pin, setup};

/// Prints the decision points.
pub(crate) fn show(context: &Context) -> Result<(), Failure> {
    let setup = context.setup()?;
    let policy: &Policy = &setup.policy;
    if context.json() {
        let points: Vec<Point<'_>> = policy.items.iter().map(point).collect();
        print_json(&serde_json::json!({
            "policy": policy.name,
            "hash": policy.hash,
            "text": setup.policy_text.as_ref().map(|text| text.hash()),
            "date": setup.policy_text.as_ref().and_then(|text| text.date()),
            "items": points,
        }));
        return Ok(());
    }
    let mut text = format!(
        "{} ({} decision points, {})\n",
        policy.product,
        policy.items.len(),
        policy.contact
    );
    let mut section = "";
    for item in &policy.items {
        if item.section != section {
            section = &item.section;
            text.push_str(&format!("\n{section}\n"));
        }
        let asked = if item.question.is_empty() { &item.title } else { &item.question };
        text.push_str(&format!("  {:<6}{asked}\n", item.id.as_str()));
    }
    print(&text);
    Ok(())
}

#[derive(Serialize)]
struct Point<'p> {
    id: &'p str,
    section: &'p str,
    title: &'p str,
    question: &'p str,
    sentences: &'p [String],
}

fn point(item: &crate::domain::policy::Item) -> Point<'_> {
    Point {
        id: item.id.as_str(),
        section: &item.section,
        title: &item.title,
        question: &item.question,
        sentences: &item.sentences,
    }
}

/// Checks a text against the checklist, or against a former version of itself. Exit 1 if text and checklist have
/// drifted apart.
pub(crate) fn check(
    context: &Context,
    file: Option<&Path>,
    since: Option<&Path>,
) -> Result<(), Failure> {
    let setup = context.setup()?;
    let read = |path: &Path| setup::read_policy_text(path).map_err(Failure::usage);
    let text = match (file, &setup.policy_text) {
        (Some(path), _) => read(path)?,
        (None, Some(text)) => text.as_ref().clone(),
        (None, None) => return Err(no_text()),
    };
    if let Some(path) = since {
        let drift = policy_drift::compare(&read(path)?, &text, &setup.policy);
        return compared(context, &text, &drift);
    }
    let mut former = Vec::new();
    if setup.store_dir.exists() {
        former = pin::former_texts(&context.reading_desk()?)?;
    }
    former.extend(setup.policy_text.as_deref().filter(|_| file.is_some()).cloned());
    let checkout = setup.config.product.checkout.as_deref();
    let checked = policy_check::check(&setup.policy, &text, &former, checkout);
    report(context, &setup.policy, &text, &checked);
    verdict(&checked.drift)
}

fn no_text() -> Failure {
    Failure::usage(Problem {
        what: "there is no policy text to check".into(),
        next: "name a file, or set policy.text in the config".into(),
    })
}

/// Exit 1 where a rule has no point or a point no rule.
fn verdict(drift: &Drift) -> Result<(), Failure> {
    if drift.is_clean() {
        return Ok(());
    }
    let faults = drift.findings.iter().filter(|finding| finding.standing.is_fault()).count();
    let faults = faults + drift.bare.len();
    let what = if faults == 1 { "1 fault".to_owned() } else { format!("{faults} faults") };
    Err(Failure::faults(
        format!("text and checklist have drifted apart: {what}"),
        "read each, then change the policy file: its questions, outcomes and hashes",
    ))
}

#[derive(Serialize)]
struct SentenceRow<'f> {
    outcome: &'static str,
    section: &'f str,
    text: Option<&'f str>,
    former: Option<&'f str>,
    hash: Option<String>,
    items: Vec<&'f str>,
}

#[derive(Serialize)]
struct NameRow<'n> {
    kind: &'static str,
    name: &'n str,
    place: &'n str,
    found: &'static str,
    note: &'n str,
}

#[derive(Serialize)]
struct Document<'d> {
    policy: &'d str,
    hash: &'d str,
    text: &'d str,
    date: Option<&'d str>,
    clean: bool,
    sentences: Vec<SentenceRow<'d>>,
    items_without_sentence: Vec<&'d str>,
    layout: &'d [String],
    names: Vec<NameRow<'d>>,
    checkout: Option<&'d str>,
}

fn sentence_row(finding: &Finding) -> SentenceRow<'_> {
    SentenceRow {
        outcome: finding.standing.as_str(),
        section: &finding.heading,
        text: finding.text.as_deref(),
        former: finding.former.as_deref(),
        hash: finding.text.as_deref().map(PolicyText::name_of),
        items: finding.items.iter().map(|id| id.as_str()).collect(),
    }
}

fn name_row(named: &Named) -> NameRow<'_> {
    NameRow {
        kind: named.kind.as_str(),
        name: &named.name,
        place: &named.place,
        found: named.found.as_str(),
        note: &named.note,
    }
}

fn report(context: &Context, policy: &Policy, text: &PolicyText, checked: &Checked) {
    let drift = &checked.drift;
    if context.json() {
        print_json(&Document {
            policy: &policy.name,
            hash: &policy.hash,
            text: text.hash(),
            date: text.date(),
            clean: drift.is_clean(),
            sentences: drift.findings.iter().map(sentence_row).collect(),
            items_without_sentence: drift.bare.iter().map(|id| id.as_str()).collect(),
            layout: &drift.layout,
            names: checked.names.iter().map(name_row).collect(),
            checkout: checked.no_checkout.as_deref(),
        });
        return;
    }
    let mut out = String::new();
    for finding in &drift.findings {
        out.push_str(&lines(finding));
    }
    for id in &drift.bare {
        out.push_str(&format!("{:<10} {id} names no sentence of the text\n", "no rule"));
    }
    for line in &drift.layout {
        out.push_str(&format!("{:<10} {}\n", "layout", shown(line)));
    }
    out.push_str(&names(checked));
    out.push_str(&summary(drift, text));
    print(&out);
}

/// A sentence with its outcome and its points; a change with what was.
fn lines(finding: &Finding) -> String {
    let ids: Vec<&str> = finding.items.iter().map(|id| id.as_str()).collect();
    let place = format!("{:<10} {:<12}", finding.standing.as_str(), ids.join(" "));
    let one_line = |text: &str| shown(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match (&finding.text, &finding.former) {
        (Some(now), None) => format!("{place} {}\n", one_line(now)),
        (Some(now), Some(was)) => {
            format!("{place} {}\n{:<24}was: {}\n", one_line(now), "", one_line(was))
        }
        (None, Some(was)) => format!("{place} was: {}\n", one_line(was)),
        (None, None) => {
            format!(
                "{place} a sentence under \"{}\"; its words are not kept\n",
                shown(&finding.heading)
            )
        }
    }
}

/// What is named and not there, or cannot be told; what is there is only counted.
fn names(checked: &Checked) -> String {
    let mut out = String::new();
    for named in &checked.names {
        let mark = match (named.found, named.kind) {
            (Found::Yes, _) => continue,
            (Found::No, _) => "missing",
            // One line for all of them stands below.
            (Found::Unknown, _) if checked.no_checkout.is_some() => continue,
            (Found::Unknown, _) => "unknown",
        };
        let note = if named.note.is_empty() { String::new() } else { format!(": {}", named.note) };
        out.push_str(&format!(
            "{mark:<10} {} {} ({}){}\n",
            named.kind.as_str(),
            shown(&named.name),
            shown(&named.place),
            shown(&note)
        ));
    }
    let there = checked.names.iter().filter(|named| named.found == Found::Yes).count();
    match &checked.no_checkout {
        Some(why) => out.push_str(&format!(
            "{:<10} branches, versions and most links were not looked up: {}\n",
            "unknown",
            shown(why)
        )),
        None => out.push_str(&format!(
            "{:<10} {there} of {} branches, versions and links\n",
            "there",
            checked.names.len()
        )),
    }
    out
}

fn summary(drift: &Drift, text: &PolicyText) -> String {
    let counts = Standing::ALL.map(|s| format!("{} {}", drift.count(s), s.as_str()));
    let date = text.date().map_or_else(String::new, |date| format!(", dated {date}"));
    let hash = text.hash().get(..12).unwrap_or_default();
    format!("{:<10} {} (text {hash}{date})\n", "sentences", counts.join(", "))
}

/// What changed between two versions; a change is no fault by itself.
fn compared(context: &Context, text: &PolicyText, drift: &Drift) -> Result<(), Failure> {
    if context.json() {
        print_json(&serde_json::json!({
            "text": text.hash(),
            "date": text.date(),
            "sentences": drift.findings.iter().map(sentence_row).collect::<Vec<_>>(),
            "layout": drift.layout,
        }));
        return Ok(());
    }
    let mut out: String = drift.findings.iter().map(lines).collect();
    for line in &drift.layout {
        out.push_str(&format!("{:<10} {}\n", "layout", shown(line)));
    }
    let count = |standing| drift.count(standing);
    out.push_str(&format!(
        "rules: {} changed, {} new, {} vanished; {} changes of layout\n",
        count(Standing::Changed),
        count(Standing::New),
        count(Standing::Vanished),
        drift.layout.len()
    ));
    print(&out);
    Ok(())
}
