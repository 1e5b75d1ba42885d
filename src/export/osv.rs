//! OSV 1.7 (ossf/osv-schema). Drafts carry the private id and `modified` alone.

use serde::Serialize;

use super::text::clean_line;
use super::view::View;
use crate::domain::advisory::{AffectedRange, ReferenceKind};
use crate::domain::cvss::Words;

/// A record.
#[derive(Serialize)]
pub struct Record {
    schema_version: &'static str,
    id: String,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<String>,
    summary: String,
    details: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    severity: Vec<Severity>,
    affected: Vec<Affected>,
    references: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<Thanks>,
    database_specific: Specific,
}

#[derive(Serialize)]
struct Severity {
    r#type: &'static str,
    score: String,
}

#[derive(Serialize)]
struct Affected {
    package: Package,
    ranges: Vec<Range>,
}

#[derive(Serialize)]
struct Package {
    ecosystem: String,
    name: String,
    purl: String,
}

#[derive(Serialize)]
struct Range {
    r#type: &'static str,
    events: Vec<Turn>,
}

/// One end of a range; each object carries exactly one.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Turn {
    Introduced(String),
    Fixed(String),
    LastAffected(String),
}

#[derive(Serialize)]
struct Link {
    r#type: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Thanks {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contact: Vec<String>,
    r#type: String,
}

#[derive(Serialize)]
struct Specific {
    cwe_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tlp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embargo_until: Option<String>,
}

pub(super) fn document(view: &View<'_>) -> Record {
    let draft = view.draft;
    let id = draft.ghsa_id.clone().unwrap_or_else(|| view.private_id());
    let mut aliases: Vec<String> = draft.cve_id.iter().chain(&draft.aliases).cloned().collect();
    aliases.retain(|alias| *alias != id);
    Record {
        schema_version: "1.7.5",
        id,
        modified: view.modified().rfc3339(),
        published: view.published().map(|date| date.rfc3339()),
        withdrawn: draft.dates.withdrawn.filter(|_| view.is_withdrawn()).map(|d| d.rfc3339()),
        aliases,
        related: draft.related.clone(),
        summary: view.title.clone(),
        details: view.body(),
        severity: view
            .vectors
            .iter()
            .map(|(vector, scored)| Severity {
                r#type: if scored.is_4_0() { "CVSS_V4" } else { "CVSS_V3" },
                score: vector.clone(),
            })
            .collect(),
        affected: affected(view),
        references: references(view),
        credits: credits(view),
        database_specific: Specific {
            cwe_ids: draft.weaknesses.iter().map(|weakness| weakness.id.clone()).collect(),
            severity: view.main().map(|(_, s)| s.severity().word(Words::GithubDatabase).to_owned()),
            tlp: view.is_draft().then_some("AMBER"),
            embargo_until: view.embargo_until().map(|until| until.rfc3339()),
        },
    }
}

/// One entry for the package. Several branches share one list of events, unless one ends with
/// `last_affected`, which must not stand beside `fixed` in a list.
fn affected(view: &View<'_>) -> Vec<Affected> {
    let package = || Package {
        ecosystem: clean_line(&view.draft.product.ecosystem),
        name: view.package.clone(),
        purl: view.purl(),
    };
    let (last, other): (Vec<_>, Vec<_>) = view
        .ranges
        .iter()
        .partition(|range| range.fixed.is_none() && range.last_affected.is_some());
    let ranges: Vec<Range> = [other, last]
        .into_iter()
        .filter(|ranges| !ranges.is_empty())
        .map(|ranges| Range { r#type: view.ecosystem.osv_range, events: turns(&ranges) })
        .collect();
    vec![Affected { package: package(), ranges }]
}

fn turns(ranges: &[&AffectedRange]) -> Vec<Turn> {
    let mut turns = Vec::new();
    for range in ranges {
        turns.push(Turn::Introduced(range.introduced.clone()));
        if let Some(version) = &range.fixed {
            turns.push(Turn::Fixed(version.clone()));
        } else if let Some(version) = &range.last_affected {
            turns.push(Turn::LastAffected(version.clone()));
        }
    }
    turns
}

fn references(view: &View<'_>) -> Vec<Link> {
    let mut links: Vec<Link> = view
        .references
        .iter()
        .map(|(kind, url)| Link { r#type: link_type(*kind), url: url.clone() })
        .collect();
    let repo = &view.draft.product.repo;
    if !repo.is_empty() && !links.iter().any(|link| link.url == *repo) {
        links.push(Link { r#type: "PACKAGE", url: repo.clone() });
    }
    links
}

const fn link_type(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Advisory => "ADVISORY",
        ReferenceKind::Fix => "FIX",
        ReferenceKind::Announcement | ReferenceKind::Article => "ARTICLE",
        ReferenceKind::Report => "REPORT",
        ReferenceKind::Evidence => "EVIDENCE",
        ReferenceKind::Release | ReferenceKind::Web => "WEB",
    }
}

fn credits(view: &View<'_>) -> Vec<Thanks> {
    view.credits
        .iter()
        .map(|(name, credit)| Thanks {
            name: name.clone(),
            contact: credit
                .github
                .iter()
                .map(|login| format!("https://github.com/{login}"))
                .collect(),
            r#type: credit.role.as_str().to_ascii_uppercase(),
        })
        .collect()
}
