//! CVE record format 5.1: the CNA container, or the full record once the id is known and public.
//!
//! A draft stays a container even with a reserved id: a full record would claim to be published.

use serde::Serialize;
use serde_json::{Map, Value};

use super::cvss_words;
use super::text::clean_line;
use super::view::View;
use crate::domain::advisory::{AffectedRange, DraftDate, ReferenceKind, Scored};
use crate::domain::credit::CreditRole;

/// Organisation id of GitHub as CVE numbering authority, through which the project requests its ids (PD2).
const GITHUB_ORG_ID: &str = "a0819718-46f1-4df5-94e2-005712e83aaa";
const GITHUB_SHORT_NAME: &str = "GitHub_M";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    data_type: &'static str,
    data_version: &'static str,
    cve_metadata: Metadata,
    containers: Containers,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    cve_id: String,
    assigner_org_id: &'static str,
    assigner_short_name: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_reserved: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_published: Option<String>,
}

#[derive(Serialize)]
struct Containers {
    cna: Container,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    provider_metadata: Provider,
    title: String,
    descriptions: Vec<Text>,
    affected: Vec<Affected>,
    problem_types: Vec<ProblemType>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Map<String, Value>>,
    references: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<Thanks>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timeline: Vec<Moment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    workarounds: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    solutions: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_public: Option<String>,
    source: Source,
    #[serde(rename = "x_tlp", skip_serializing_if = "Option::is_none")]
    tlp: Option<&'static str>,
    #[serde(rename = "x_embargoUntil", skip_serializing_if = "Option::is_none")]
    embargo_until: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    org_id: &'static str,
    short_name: &'static str,
}

#[derive(Serialize)]
struct Text {
    lang: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Affected {
    vendor: String,
    product: String,
    #[serde(rename = "collectionURL")]
    collection_url: &'static str,
    package_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
    default_status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<Version>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    less_than: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    less_than_or_equal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_type: Option<&'static str>,
}

#[derive(Serialize)]
struct ProblemType {
    descriptions: Vec<Problem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    lang: &'static str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwe_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
}

#[derive(Serialize)]
struct Link {
    url: String,
    tags: Vec<&'static str>,
}

#[derive(Serialize)]
struct Thanks {
    lang: &'static str,
    r#type: String,
    value: String,
}

#[derive(Serialize, PartialEq)]
struct Moment {
    lang: &'static str,
    time: String,
    value: String,
}

#[derive(Serialize)]
struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    advisory: Option<String>,
    discovery: &'static str,
}

pub(super) fn text(view: &View<'_>) -> String {
    let cna = container(view);
    match &view.draft.cve_id {
        Some(id) if view.draft.is_public() => super::json(&Record {
            data_type: "CVE_RECORD",
            data_version: "5.1",
            cve_metadata: Metadata {
                cve_id: id.clone(),
                assigner_org_id: GITHUB_ORG_ID,
                assigner_short_name: GITHUB_SHORT_NAME,
                state: "PUBLISHED",
                date_reserved: view.draft.dates.cve_reserved.map(|date| date.rfc3339()),
                date_published: view.draft.dates.cve_published.map(|date| date.rfc3339()),
            },
            containers: Containers { cna },
        }),
        _ => super::json(&cna),
    }
}

fn english(value: String) -> Text {
    Text { lang: "en", value }
}

fn container(view: &View<'_>) -> Container {
    let optional = |text: Option<&str>| -> Vec<Text> {
        text.filter(|text| !text.is_empty()).map(|text| english(text.into())).into_iter().collect()
    };
    Container {
        provider_metadata: Provider { org_id: GITHUB_ORG_ID, short_name: GITHUB_SHORT_NAME },
        title: view.title.clone(),
        descriptions: vec![english(view.description())],
        affected: vec![affected(view)],
        problem_types: problem_types(view),
        metrics: view.vectors.iter().filter_map(|(text, scored)| metric(text, scored)).collect(),
        references: references(view),
        credits: view
            .credits
            .iter()
            .map(|(name, credit)| Thanks {
                lang: "en",
                r#type: credit.role.as_str().replace('_', " "),
                value: name.clone(),
            })
            .collect(),
        timeline: timeline(view),
        workarounds: optional(view.workaround()),
        solutions: optional(view.section("Patches")),
        date_public: view.published().map(|date| date.rfc3339()),
        source: Source { advisory: view.draft.ghsa_id.clone(), discovery: discovery(view) },
        tlp: view.is_draft().then_some("AMBER"),
        embargo_until: view.embargo_until().map(|until| until.rfc3339()),
    }
}

fn discovery(view: &View<'_>) -> &'static str {
    let outside = |role| matches!(role, CreditRole::Reporter | CreditRole::Finder);
    let found_outside = view.credits.iter().any(|(_, credit)| outside(credit.role));
    if found_outside { "EXTERNAL" } else { "UNKNOWN" }
}

fn affected(view: &View<'_>) -> Affected {
    let repo = Some(view.draft.product.repo.clone()).filter(|repo| !repo.is_empty());
    let (default_status, mut versions) = versions(&view.ranges);
    for version in versions.iter_mut().filter(|version| version.version_type.is_some()) {
        version.version_type = Some(view.ecosystem.version_type);
    }
    Affected {
        vendor: view.vendor.clone(),
        product: view.product.clone(),
        collection_url: view.ecosystem.registry,
        package_name: view.package.clone(),
        repo,
        default_status,
        versions,
    }
}

/// The ranges. A range without end has no word that version comparators understand, so then everything is
/// affected by default and the gaps between the ranges are listed as unaffected.
fn versions(ranges: &[AffectedRange]) -> (&'static str, Vec<Version>) {
    let is_open = |range: &AffectedRange| range.fixed.is_none() && range.last_affected.is_none();
    let gaps_have_starts = ranges.iter().all(|range| range.last_affected.is_none());
    if !ranges.iter().any(is_open) || !gaps_have_starts {
        return ("unaffected", ranges.iter().map(affected_version).collect());
    }
    let mut gaps = Vec::new();
    let mut start = Some("0".to_owned());
    for range in ranges {
        if let Some(start) = start.filter(|_| range.introduced != "0") {
            gaps.push(span(&start, "unaffected", Some(range.introduced.clone()), None));
        }
        start = range.fixed.clone();
    }
    ("affected", gaps)
}

fn affected_version(range: &AffectedRange) -> Version {
    match (&range.fixed, &range.last_affected) {
        (Some(fixed), _) => span(&range.introduced, "affected", Some(fixed.clone()), None),
        (None, Some(last)) if *last == range.introduced => Version {
            version: last.clone(),
            status: "affected",
            less_than: None,
            less_than_or_equal: None,
            version_type: None,
        },
        (None, Some(last)) => span(&range.introduced, "affected", None, Some(last.clone())),
        (None, None) => span(&range.introduced, "affected", None, Some("*".into())),
    }
}

fn span(
    from: &str,
    status: &'static str,
    less_than: Option<String>,
    less_than_or_equal: Option<String>,
) -> Version {
    let version_type = Some("python");
    Version { version: from.to_owned(), status, less_than, less_than_or_equal, version_type }
}

/// One problem type per weakness; CNA rules want at least one.
fn problem_types(view: &View<'_>) -> Vec<ProblemType> {
    let one = |problem| ProblemType { descriptions: vec![problem] };
    let weaknesses = &view.draft.weaknesses;
    if weaknesses.is_empty() {
        let description = "Weakness not classified".to_owned();
        return vec![one(Problem { lang: "en", description, cwe_id: None, r#type: None })];
    }
    weaknesses
        .iter()
        .map(|weakness| {
            one(Problem {
                lang: "en",
                description: format!("{}: {}", weakness.id, clean_line(&weakness.name)),
                cwe_id: Some(weakness.id.clone()),
                r#type: Some("CWE"),
            })
        })
        .collect()
}

fn metric(vector: &str, scored: &Scored) -> Option<Map<String, Value>> {
    let mut content = Map::new();
    content.insert("version".into(), scored.version().into());
    for (name, word) in cvss_words::words(scored)? {
        content.insert(name.into(), word.into());
    }
    content.insert("baseScore".into(), scored.base().into());
    content.insert("baseSeverity".into(), scored.band().into());
    content.insert("vectorString".into(), vector.into());
    let key = if scored.is_4_0() { "cvssV4_0" } else { "cvssV3_1" };
    Some(Map::from_iter([(key.to_owned(), Value::Object(content))]))
}

/// Links with tags; the repository where there is none, since a record needs one.
fn references(view: &View<'_>) -> Vec<Link> {
    let mut links: Vec<Link> = view
        .references
        .iter()
        .map(|(kind, url)| Link { url: url.clone(), tags: vec![tag(*kind)] })
        .collect();
    links.extend(view.related_urls().into_iter().map(|url| Link { url, tags: vec!["related"] }));
    if links.is_empty() {
        links.push(Link { url: view.draft.product.repo.clone(), tags: vec!["product"] });
    }
    links
}

const fn tag(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Advisory => "vendor-advisory",
        ReferenceKind::Fix => "patch",
        ReferenceKind::Release | ReferenceKind::Announcement => "release-notes",
        ReferenceKind::Article => "technical-description",
        ReferenceKind::Report => "issue-tracking",
        ReferenceKind::Evidence => "exploit",
        ReferenceKind::Web => "related",
    }
}

/// The public timeline; the schema wants its entries to differ.
fn timeline(view: &View<'_>) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for line in &view.draft.timeline {
        let time = DraftDate::rfc3339(&line.date);
        let moment = Moment { lang: "en", time, value: clean_line(&line.text) };
        if !moments.contains(&moment) {
            moments.push(moment);
        }
    }
    moments
}
