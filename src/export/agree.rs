//! The cross-check: what stands in the written files is read back and compared with the draft.
//!
//! Owns: reading the facts of each format anew, apart from the writers. Absent on purpose: schema validation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::view::View;
use super::{Exported, text};
use crate::domain::advisory::{AdvisoryDraft, AffectedRange, Fault, Format, Scored, score};
use crate::domain::cvss::Words;

pub(in crate::export) mod facts;

use facts::{Facts, Span};

/// Longest description in GitHub's request.
const GHSA_DESCRIPTION_MAX: usize = 65_535;
/// Longest texts of a CVE record: title and description (schema 5.1).
const CVE_MAX: (usize, usize) = (256, 4096);

/// Compares each file with the draft: ids, title, ranges, vectors, scores and bands, weaknesses, credits,
/// dates, then every other member with a fresh export. Empty means that all agree.
pub fn agree(files: &[Exported], draft: &AdvisoryDraft) -> Vec<Fault> {
    let view = View::of(draft);
    let mut found = Vec::new();
    for file in files {
        let add = &mut |field: &str, fault: String| {
            found.push(Fault { format: Some(file.format), field: field.to_owned(), fault });
        };
        let Ok(written) = std::str::from_utf8(&file.bytes) else {
            add("file", "is not UTF-8; export again".into());
            continue;
        };
        plain(written, add);
        if matches!(file.format, Format::Markdown | Format::Post) {
            let fresh = super::write(draft, file.format).bytes;
            prose(written, &String::from_utf8_lossy(&fresh), file.format, &view, add);
            continue;
        }
        let Ok(document) = serde_json::from_str::<Value>(written) else {
            add("file", "is no JSON; export again".into());
            continue;
        };
        compare(&Facts::read(file.format, &document), file.format, &view, add);
        limits(file.format, &document, add);
        let fresh = super::write(draft, file.format).bytes;
        if let Ok(fresh) = serde_json::from_slice::<Value>(&fresh) {
            differences("", &document, &fresh, add);
        }
    }
    found
}

type Add<'f> = dyn FnMut(&str, String) + 'f;

/// What holds for every file.
fn plain(written: &str, add: &mut Add<'_>) {
    if !written.ends_with('\n') || written.contains('\r') {
        add("file", "does not end its lines with LF; export again".into());
    }
    let bad = written.chars().find(|c| crate::domain::text::is_hidden(*c) && *c != '\t');
    if let Some(bad) = bad {
        add("file", format!("holds the hidden character U+{:04X}", u32::from(bad)));
    }
}

/// Markdown: the facts must stand in it, and every line must be the one that a fresh export has.
fn prose(written: &str, fresh: &str, format: Format, view: &View<'_>, add: &mut Add<'_>) {
    let mut need = |field: &str, text: &str| {
        if !text.is_empty() && !written.contains(text) {
            add(field, format!("{text:?} does not stand in the file; export again"));
        }
    };
    need("title", &text::markdown_line(&view.title, &[]));
    let whole = format == Format::Markdown;
    for (vector, scored) in view.vectors.iter().take(if whole { usize::MAX } else { 1 }) {
        need("severity.rating", scored.severity().word(Words::Policy));
        need("severity.score", &format!("{:.1}", scored.base()));
        need("severity", if whole { vector } else { "" });
    }
    for range in view.ranges.iter().filter(|_| whole) {
        need("affected", &super::ghsa::range_text(range));
    }
    for version in view.fixed() {
        need("affected", version);
    }
    for weakness in view.draft.weaknesses.iter().filter(|_| whole) {
        need("weakness", &weakness.id);
    }
    for (name, _) in view.credits.iter().filter(|_| !whole) {
        need("credit", &text::markdown_line(name, &[]).replace('\\', "\\\\").replace('"', "\\\""));
    }
    for id in view.draft.ghsa_id.iter().chain(&view.draft.cve_id) {
        need("ids", id);
    }
    if written != fresh {
        let same = written.lines().zip(fresh.lines()).take_while(|(one, two)| one == two).count();
        let number = same + 1;
        let fault = format!("differs from the draft in line {number}; export again");
        add(&place(fresh, same), fault);
    }
}

/// What the line with this number, from 0, tells: the fact that it names, else the heading that it stands under.
fn place(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().take(line + 1).collect();
    let plain = |line: &str| line.trim_start_matches(['>', ' ']).to_owned();
    let last = plain(lines.last().copied().unwrap_or_default());
    let fact = last.strip_prefix("- **").and_then(|rest| rest.split_once(":**"));
    if let Some((fact, _)) = fact {
        return fact.to_lowercase();
    }
    if last.starts_with("# ") {
        return "title".into();
    }
    let mut above = lines.iter().rev().map(|line| plain(line));
    let heading = above.find_map(|line| Some(line.strip_prefix("### ")?.trim().to_owned()));
    heading.map_or_else(|| "file".into(), |heading| format!("section {heading}"))
}

fn compare(facts: &Facts, format: Format, view: &View<'_>, add: &mut Add<'_>) {
    let mut same =
        |field: &str, have: &dyn std::fmt::Debug, want: &dyn std::fmt::Debug, ok: bool| {
            if !ok {
                add(field, format!("the file says {have:?}, the draft {want:?}; export again"));
            }
        };
    let title = view.title.clone();
    if format == Format::OpenVex {
        let id = &view.draft.cve_id;
        same("title", &facts.title, &title, facts.title == title);
        same("cve_id", &facts.cve, id, id.is_none() || facts.cve == *id);
        return;
    }
    same("title", &facts.title, &title, facts.title == title);
    let spans: BTreeSet<Span> = view.ranges.iter().map(Span::of).collect();
    same("affected", &facts.spans, &spans, facts.spans == spans);
    let vectors = expected_vectors(format, view);
    same("severity", &facts.vectors, &vectors, facts.vectors == vectors);
    for (vector, base, band) in &facts.scores {
        let right = score(vector).is_ok_and(|scored| fits(&scored, *base, band));
        same("severity.score", &(base, band), vector, right);
    }
    let weaknesses: BTreeSet<String> = view
        .draft
        .weaknesses
        .iter()
        .take(if format == Format::Csaf { 1 } else { usize::MAX })
        .map(|weakness| weakness.id.clone())
        .collect();
    same("weakness", &facts.weaknesses, &weaknesses, facts.weaknesses == weaknesses);
    let credits: BTreeSet<String> = match format {
        Format::Ghsa => view.logins().into_iter().map(str::to_owned).collect(),
        _ => view.credits.iter().map(|(name, _)| name.clone()).collect(),
    };
    same("credit", &facts.credits, &credits, facts.credits == credits);
    let cve = &view.draft.cve_id;
    if format != Format::Cve || view.draft.is_public() {
        same("cve_id", &facts.cve, cve, facts.cve == *cve);
    }
    if let Some(published) = &facts.published {
        let want = view.published().map(|date| date.rfc3339());
        same("dates.published", published, &want, Some(published) == want.as_ref());
    }
}

fn fits(scored: &Scored, base: f64, band: &str) -> bool {
    (scored.base() - base).abs() < 1e-9 && band == scored.band()
}

/// GitHub has room for one vector, CSAF 2.0 for those of CVSS 3.
fn expected_vectors(format: Format, view: &View<'_>) -> BTreeSet<String> {
    let vectors = view.vectors.iter();
    match format {
        Format::Ghsa => vectors.take(1).map(|(vector, _)| vector.clone()).collect(),
        Format::Csaf => {
            vectors.filter(|(_, s)| !s.is_4_0()).map(|(vector, _)| vector.clone()).collect()
        }
        _ => vectors.map(|(vector, _)| vector.clone()).collect(),
    }
}

/// Neutralised text can be longer than what was typed, so lengths are counted in the file.
fn limits(format: Format, document: &Value, add: &mut Add<'_>) {
    let mut check = |field: &str, value: Option<&Value>, most: usize| {
        let length = value.and_then(Value::as_str).map_or(0, |text| text.chars().count());
        if length > most {
            add(
                field,
                format!("has {length} characters in this format, which takes {most}; shorten it"),
            );
        }
    };
    match format {
        Format::Ghsa => check("section", document.get("description"), GHSA_DESCRIPTION_MAX),
        Format::Cve => {
            let container = facts::container(document);
            check("title", container.get("title"), CVE_MAX.0);
            check("cve_description", container.pointer("/descriptions/0/value"), CVE_MAX.1);
            check("section Patches", container.pointer("/solutions/0/value"), CVE_MAX.1);
            check("section Workaround", container.pointer("/workarounds/0/value"), CVE_MAX.1);
        }
        _ => {}
    }
}

/// Every member in which two documents differ.
fn differences(at: &str, have: &Value, want: &Value, add: &mut Add<'_>) {
    match (have, want) {
        (Value::Object(one), Value::Object(two)) => {
            let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
            for key in keys {
                let (left, right) = (one.get(key), two.get(key));
                let (null, at) = (Value::Null, format!("{at}/{key}"));
                if left.is_none() != right.is_none() {
                    let word = if left.is_none() { "missing" } else { "too much" };
                    add(&at, format!("is {word} in the file; export again"));
                } else {
                    differences(&at, left.unwrap_or(&null), right.unwrap_or(&null), add);
                }
            }
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            for (number, (left, right)) in one.iter().zip(two).enumerate() {
                differences(&format!("{at}/{number}"), left, right, add);
            }
        }
        _ if have != want => add(at, "differs from the draft; export again".into()),
        _ => {}
    }
}

impl Span {
    fn of(range: &AffectedRange) -> Self {
        Self {
            introduced: range.introduced.clone(),
            fixed: range.fixed.clone(),
            last_affected: range.last_affected.clone().filter(|_| range.fixed.is_none()),
        }
    }
}
