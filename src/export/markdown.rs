//! The advisory as Markdown: facts as a list, then the sections, then the links.

use std::fmt::Write as _;

use super::text::{clean_line, markdown_line};
use super::view::View;
use crate::domain::advisory::{AffectedRange, ReferenceKind, embargo_notice};
use crate::domain::cvss::Words;

/// Writes the file.
pub fn text(view: &View<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# {}\n", markdown_line(&view.title, &[]));
    if let Some(notice) = embargo_notice(view.draft) {
        let _ = writeln!(out, "> TLP:AMBER. {notice}\n");
    }
    if view.is_withdrawn() {
        out.push_str("> This advisory has been withdrawn.\n\n");
    }
    facts(view, &mut out);
    let _ = writeln!(out, "\n{}", view.body());
    links(view, &mut out);
    out
}

fn fact(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "- **{name}:** {value}");
}

fn facts(view: &View<'_>, out: &mut String) {
    let draft = view.draft;
    for (vector, scored) in &view.vectors {
        let word = scored.severity().word(Words::Policy);
        fact(out, "Severity", &format!("{word} ({:.1}, `{vector}`)", scored.base()));
    }
    match (&draft.ghsa_id, view.advisory_url()) {
        (Some(id), Some(url)) => fact(out, "Advisory", &format!("[{id}](<{url}>)")),
        (Some(id), None) => fact(out, "Advisory", id),
        (None, _) => fact(out, "Draft", &format!("`{}`", clean_line(&draft.id))),
    }
    if let Some(id) = &draft.cve_id {
        fact(out, "CVE", id);
    }
    if !draft.aliases.is_empty() {
        fact(out, "Also known as", &draft.aliases.join(", "));
    }
    fact(out, "Package", &format!("`{}` ({})", view.package, clean_line(&draft.product.ecosystem)));
    let ranges: Vec<String> =
        view.ranges.iter().map(|range| format!("`{}`", words(range))).collect();
    fact(out, "Affected versions", &ranges.join(", "));
    let fixed: Vec<String> = view.fixed().iter().map(|version| format!("`{version}`")).collect();
    fact(
        out,
        "Fixed versions",
        if fixed.is_empty() { "none yet".into() } else { fixed.join(", ") }.as_str(),
    );
    for weakness in &draft.weaknesses {
        let name = markdown_line(&weakness.name, &[]);
        fact(out, "Weakness", &format!("{}: {name}", clean_line(&weakness.id)));
    }
    if let Some(published) = view.published() {
        fact(out, "Published", &published.day().to_string());
    }
    if !draft.related.is_empty() {
        fact(out, "Related", &draft.related.join(", "));
    }
}

/// The range in GitHub's grammar, which people read too.
fn words(range: &AffectedRange) -> String {
    super::ghsa::range_text(range)
}

fn links(view: &View<'_>, out: &mut String) {
    if view.references.is_empty() {
        return;
    }
    out.push_str("\n### References\n\n");
    for (kind, url) in &view.references {
        let name = match kind {
            ReferenceKind::Advisory => "Advisory",
            ReferenceKind::Fix => "Fix",
            ReferenceKind::Release => "Release",
            ReferenceKind::Announcement => "Announcement",
            ReferenceKind::Article => "Article",
            ReferenceKind::Report => "Report",
            ReferenceKind::Evidence => "Evidence",
            ReferenceKind::Web => "Link",
        };
        let _ = writeln!(out, "- {name}: <{}>", clean_line(url));
    }
}
