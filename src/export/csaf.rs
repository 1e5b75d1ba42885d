//! CSAF 2.0, profile `csaf_security_advisory`. Members stand in alphabetical order (test 6.2.13).
//!
//! Drafts are `draft`, version 0.1.0, TLP:AMBER; CVSS 4.0 has no place in 2.0.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cvss_words;
use super::text::clean_line;
use super::view::{View, purl};
use crate::domain::advisory::{AffectedRange, ReferenceKind};
use crate::domain::cvss::Words;

/// The document.
#[derive(Serialize)]
pub struct Csaf {
    document: Document,
    product_tree: Branches,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregate_severity: Option<Aggregate>,
    category: &'static str,
    csaf_version: &'static str,
    distribution: Distribution,
    lang: &'static str,
    publisher: Publisher,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Link>,
    title: String,
    tracking: Tracking,
}

#[derive(Serialize)]
struct Aggregate {
    text: &'static str,
}

#[derive(Serialize)]
struct Distribution {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'static str>,
    tlp: Tlp,
}

#[derive(Serialize)]
struct Tlp {
    label: &'static str,
}

#[derive(Serialize)]
struct Publisher {
    category: &'static str,
    name: String,
    namespace: String,
}

#[derive(Serialize)]
struct Link {
    category: &'static str,
    summary: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Tracking {
    current_release_date: String,
    id: String,
    initial_release_date: String,
    revision_history: Vec<Revision>,
    status: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Revision {
    date: String,
    number: &'static str,
    summary: &'static str,
}

#[derive(Serialize)]
struct Branches {
    branches: Vec<Branch>,
}

#[derive(Serialize)]
struct Branch {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    branches: Vec<Branch>,
    category: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<Product>,
}

#[derive(Serialize)]
struct Product {
    name: String,
    product_id: String,
    product_identification_helper: Helper,
}

#[derive(Serialize)]
struct Helper {
    purl: String,
}

#[derive(Serialize)]
struct Vulnerability {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acknowledgments: Vec<Thanks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cve: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwe: Option<Cwe>,
    ids: Vec<Id>,
    notes: Vec<Note>,
    product_status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_date: Option<String>,
    remediations: Vec<Remediation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scores: Vec<Scores>,
    title: String,
}

#[derive(Serialize)]
struct Thanks {
    names: Vec<String>,
    summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    urls: Vec<String>,
}

#[derive(Serialize)]
struct Cwe {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Id {
    system_name: String,
    text: String,
}

#[derive(Serialize)]
struct Note {
    category: &'static str,
    text: String,
    title: String,
}

#[derive(Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixed: Vec<String>,
    known_affected: Vec<String>,
}

#[derive(Serialize)]
struct Remediation {
    category: &'static str,
    details: String,
    product_ids: Vec<String>,
}

#[derive(Serialize)]
struct Scores {
    cvss_v3: BTreeMap<&'static str, Value>,
    products: Vec<String>,
}

pub(super) fn document(view: &View<'_>) -> Csaf {
    let draft = view.draft;
    Csaf {
        document: Document {
            aggregate_severity: view
                .main()
                .map(|(_, scored)| Aggregate { text: scored.severity().word(Words::Policy) }),
            category: "csaf_security_advisory",
            csaf_version: "2.0",
            distribution: distribution(view),
            lang: "en",
            publisher: Publisher {
                category: "vendor",
                name: view.vendor.clone(),
                namespace: draft.product.repo.clone(),
            },
            references: own_page(view),
            title: view.title.clone(),
            tracking: tracking(view),
        },
        product_tree: product_tree(view),
        vulnerabilities: vec![vulnerability(view)],
    }
}

fn own_page(view: &View<'_>) -> Vec<Link> {
    let summary = "The advisory on GitHub";
    let link = |url: &str| Link { category: "self", summary, url: url.to_owned() };
    view.advisory_url().map(link).into_iter().collect()
}

/// TLP 1 labels; a draft is never WHITE.
fn distribution(view: &View<'_>) -> Distribution {
    if view.draft.is_public() {
        Distribution { text: None, tlp: Tlp { label: "WHITE" } }
    } else {
        let text = Some("Draft under embargo: share only with those who fix it.");
        Distribution { text, tlp: Tlp { label: "AMBER" } }
    }
}

/// Versions and history by tests 6.1.14 to 6.1.22: ascending, without gap, last equal to the version.
fn tracking(view: &View<'_>) -> Tracking {
    let changed = view.modified();
    let id = clean_line(&view.draft.id);
    let (status, initial, history) = match view.published() {
        None => ("draft", changed, vec![("0.1.0", changed, "Draft")]),
        Some(published) => {
            let mut history = vec![("1.0.0", published, "Published")];
            if view.is_withdrawn() {
                history.push(("2.0.0", changed, "Withdrawn"));
            } else if changed.instant() > published.instant() {
                history.push(("1.0.1", changed, "Changed"));
            }
            ("final", published, history)
        }
    };
    Tracking {
        current_release_date: changed.rfc3339(),
        id,
        initial_release_date: initial.rfc3339(),
        version: history.last().map_or("0.1.0", |(number, ..)| number),
        revision_history: history
            .into_iter()
            .map(|(number, date, summary)| Revision { date: date.rfc3339(), number, summary })
            .collect(),
        status,
    }
}

/// `vers:pypi/…` of a range (vers has no word for "from the beginning").
pub(super) fn vers(range: &AffectedRange) -> String {
    let from = (range.introduced != "0").then(|| format!(">={}", escape(&range.introduced)));
    let to = match (&range.fixed, &range.last_affected) {
        (Some(fixed), _) => Some(format!("<{}", escape(fixed))),
        (None, Some(last)) if *last == range.introduced => {
            return format!("vers:pypi/{}", escape(last));
        }
        (None, Some(last)) => Some(format!("<={}", escape(last))),
        (None, None) => None,
    };
    let parts: Vec<String> = from.into_iter().chain(to).collect();
    if parts.is_empty() { "vers:pypi/*".into() } else { format!("vers:pypi/{}", parts.join("|")) }
}

/// Epochs and local parts hold `!` and `+`, which package URLs and vers escape.
fn escape(version: &str) -> String {
    version.replace('%', "%25").replace('!', "%21").replace('+', "%2B")
}

/// Ids come from product and version, so that they stay the same from one revision to the next.
fn affected_id(view: &View<'_>, range: &AffectedRange) -> String {
    let range = vers(range);
    format!("{}-{}", view.package, range.trim_start_matches("vers:pypi/"))
}

fn fixed_id(view: &View<'_>, version: &str) -> String {
    format!("{}-{version}", view.package)
}

fn affected_ids(view: &View<'_>) -> Vec<String> {
    view.ranges.iter().map(|range| affected_id(view, range)).collect()
}

fn product_tree(view: &View<'_>) -> Branches {
    let leaf = |category, name: String, shown: String, product_id, purl| Branch {
        branches: Vec::new(),
        category,
        product: Some(Product {
            name: format!("{} {shown}", view.product),
            product_id,
            product_identification_helper: Helper { purl },
        }),
        name,
    };
    let mut leaves = Vec::new();
    for range in &view.ranges {
        let id = affected_id(view, range);
        let shown = super::ghsa::range_text(range);
        leaves.push(leaf("product_version_range", vers(range), shown, id, purl(&view.package)));
        if let Some(fixed) = &range.fixed {
            let purl = format!("{}@{}", purl(&view.package), escape(fixed));
            let id = fixed_id(view, fixed);
            leaves.push(leaf("product_version", fixed.clone(), fixed.clone(), id, purl));
        }
    }
    let node = |category, name: &str, branches| Branch {
        branches,
        category,
        name: name.to_owned(),
        product: None,
    };
    let product = node("product_name", &view.product, leaves);
    Branches { branches: vec![node("vendor", &view.vendor, vec![product])] }
}

fn vulnerability(view: &View<'_>) -> Vulnerability {
    let draft = view.draft;
    Vulnerability {
        acknowledgments: view
            .credits
            .iter()
            .map(|(name, credit)| Thanks {
                names: vec![name.clone()],
                summary: credit.role.as_str().replace('_', " "),
                urls: credit.github.iter().map(|l| format!("https://github.com/{l}")).collect(),
            })
            .collect(),
        cve: draft.cve_id.clone(),
        cwe: draft
            .weaknesses
            .first()
            .map(|weakness| Cwe { id: weakness.id.clone(), name: clean_line(&weakness.name) }),
        ids: ids(view),
        notes: notes(view),
        product_status: Status {
            fixed: view.fixed().into_iter().map(|version| fixed_id(view, version)).collect(),
            known_affected: affected_ids(view),
        },
        references: links(view),
        release_date: view.published().map(|date| date.rfc3339()),
        remediations: remediations(view),
        scores: scores(view),
        title: view.title.clone(),
    }
}

fn ids(view: &View<'_>) -> Vec<Id> {
    let system = match &view.draft.ghsa_id {
        Some(_) => "GitHub Security Advisory".to_owned(),
        None => format!("{} draft", view.vendor),
    };
    let own = view.draft.ghsa_id.clone().unwrap_or_else(|| clean_line(&view.draft.id));
    let mut ids = vec![Id { system_name: system, text: own }];
    for alias in &view.draft.aliases {
        ids.push(Id { system_name: "Alias".into(), text: alias.clone() });
    }
    ids
}

/// A CVSS 4.0 score as text, since 2.0 has no other place for it.
fn score_notes(view: &View<'_>) -> Vec<Note> {
    let vectors = view.vectors.iter().filter(|(_, scored)| scored.is_4_0());
    vectors
        .map(|(vector, scored)| Note {
            category: "other",
            text: format!(
                "{vector} ({:.1} {})",
                scored.base(),
                scored.severity().word(Words::Cvss)
            ),
            title: "CVSS 4.0".into(),
        })
        .collect()
}

/// The description as summary, then every section that the acknowledgments do not already say.
fn notes(view: &View<'_>) -> Vec<Note> {
    let summary = Note { category: "summary", text: view.description(), title: "Summary".into() };
    let rest = view
        .sections
        .iter()
        .filter(|(heading, body)| !heading.eq_ignore_ascii_case("Credits") && !body.is_empty());
    std::iter::once(summary)
        .filter(|note| !note.text.is_empty())
        .chain(rest.map(|(heading, body)| Note {
            category: if heading.eq_ignore_ascii_case("Details") { "details" } else { "general" },
            text: body.clone(),
            title: heading.clone(),
        }))
        .chain(score_notes(view))
        .collect()
}

fn links(view: &View<'_>) -> Vec<Link> {
    let summary = |kind| match kind {
        ReferenceKind::Advisory => "Advisory",
        ReferenceKind::Fix => "Fix",
        ReferenceKind::Release => "Release",
        ReferenceKind::Announcement => "Announcement",
        ReferenceKind::Article => "Article",
        ReferenceKind::Report => "Report",
        ReferenceKind::Evidence => "Evidence",
        ReferenceKind::Web => "Link",
    };
    let named = view.references.iter().map(|(kind, url)| (summary(*kind), url.clone()));
    let related = view.related_urls().into_iter().map(|url| ("Related advisory", url));
    named.chain(related).map(|(summary, url)| Link { category: "external", summary, url }).collect()
}

/// A remediation for every affected range (test 6.2.2), and the workaround for all.
fn remediations(view: &View<'_>) -> Vec<Remediation> {
    let mut remediations: Vec<Remediation> = view
        .ranges
        .iter()
        .map(|range| {
            let (category, details) = match (&range.fixed, range.unsupported) {
                (Some(fixed), _) => ("vendor_fix", format!("Update to {fixed} or later.")),
                (None, true) => ("no_fix_planned", "This branch is no longer supported.".into()),
                (None, false) => ("none_available", "There is no fixed version yet.".into()),
            };
            Remediation { category, details, product_ids: vec![affected_id(view, range)] }
        })
        .collect();
    if let Some(text) = view.workaround() {
        remediations.push(Remediation {
            category: "workaround",
            details: text.to_owned(),
            product_ids: affected_ids(view),
        });
    }
    remediations
}

fn scores(view: &View<'_>) -> Vec<Scores> {
    view.vectors
        .iter()
        .filter(|(_, scored)| !scored.is_4_0())
        .filter_map(|(vector, scored)| {
            let mut content: BTreeMap<&'static str, Value> = cvss_words::words(scored)?
                .into_iter()
                .map(|(name, word)| (name, word.into()))
                .collect();
            content.insert("baseScore", scored.base().into());
            content.insert("baseSeverity", scored.band().into());
            content.insert("vectorString", vector.as_str().into());
            content.insert("version", scored.version().into());
            Some(Scores { cvss_v3: content, products: affected_ids(view) })
        })
        .collect()
}
