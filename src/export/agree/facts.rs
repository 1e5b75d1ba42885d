//! The facts that a written file states, read without the writers' help.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::advisory::Format;

/// A range as a file states it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    pub introduced: String,
    pub fixed: Option<String>,
    pub last_affected: Option<String>,
}

/// What a file says.
#[derive(Default, Debug)]
pub struct Facts {
    pub title: String,
    pub spans: BTreeSet<Span>,
    pub vectors: BTreeSet<String>,
    /// Vector, base score, band.
    pub scores: Vec<(String, f64, String)>,
    pub weaknesses: BTreeSet<String>,
    pub credits: BTreeSet<String>,
    pub cve: Option<String>,
    pub published: Option<String>,
}

impl Facts {
    pub fn read(format: Format, document: &Value) -> Self {
        match format {
            Format::Osv => osv(document),
            Format::Ghsa => ghsa(document),
            Format::Cve => cve(document),
            Format::Csaf => csaf(document),
            Format::Markdown => Self::default(),
        }
    }
}

/// The CNA container of a CVE file.
pub fn container(document: &Value) -> &Value {
    document.pointer("/containers/cna").unwrap_or(document)
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn texts(value: &Value, pointer: &str, inner: &str) -> BTreeSet<String> {
    list(value, pointer).filter_map(|entry| text(entry, inner)).collect()
}

fn osv(document: &Value) -> Facts {
    let mut spans = BTreeSet::new();
    for range in list(document, "/affected").flat_map(|affected| list(affected, "/ranges")) {
        let mut open: Option<Span> = None;
        for turn in list(range, "/events") {
            if let Some(introduced) = text(turn, "/introduced") {
                spans.extend(open.replace(Span { introduced, ..Span::default() }));
            } else if let Some(span) = open.take() {
                let (fixed, last_affected) = (text(turn, "/fixed"), text(turn, "/last_affected"));
                spans.insert(Span { fixed, last_affected, ..span });
            }
        }
        spans.extend(open);
    }
    Facts {
        title: text(document, "/summary").unwrap_or_default(),
        spans,
        vectors: texts(document, "/severity", "/score"),
        weaknesses: texts(document, "/database_specific/cwe_ids", ""),
        credits: texts(document, "/credits", "/name"),
        cve: list(document, "/aliases")
            .filter_map(Value::as_str)
            .find(|alias| alias.starts_with("CVE-"))
            .map(str::to_owned),
        published: text(document, "/published"),
        ..Facts::default()
    }
}

/// Reads `>= a`, `< b`, `<= b` and `= b`, taken apart at `separator`.
fn span(range: &str, separator: char) -> Span {
    let mut span = Span { introduced: "0".into(), ..Span::default() };
    for part in range.split(separator).map(str::trim) {
        if let Some(version) = part.strip_prefix(">=") {
            span.introduced = version.trim().to_owned();
        } else if let Some(version) = part.strip_prefix("<=") {
            span.last_affected = Some(version.trim().to_owned());
        } else if let Some(version) = part.strip_prefix('<') {
            span.fixed = Some(version.trim().to_owned());
        } else if part != "*" {
            let version = part.trim_start_matches('=').trim();
            span.introduced = version.to_owned();
            span.last_affected = Some(version.to_owned());
        }
    }
    span
}

fn ghsa(document: &Value) -> Facts {
    Facts {
        title: text(document, "/summary").unwrap_or_default(),
        spans: list(document, "/vulnerabilities")
            .filter_map(|entry| text(entry, "/vulnerable_version_range"))
            .map(|range| span(&range, ','))
            .collect(),
        vectors: text(document, "/cvss_vector_string").into_iter().collect(),
        weaknesses: texts(document, "/cwe_ids", ""),
        credits: texts(document, "/credits", "/login"),
        cve: text(document, "/cve_id"),
        ..Facts::default()
    }
}

fn cve(document: &Value) -> Facts {
    let cna = container(document);
    let mut facts = Facts {
        title: text(cna, "/title").unwrap_or_default(),
        weaknesses: list(cna, "/problemTypes")
            .flat_map(|kind| list(kind, "/descriptions"))
            .filter_map(|problem| text(problem, "/cweId"))
            .collect(),
        credits: texts(cna, "/credits", "/value"),
        cve: text(document, "/cveMetadata/cveId"),
        published: text(cna, "/datePublic"),
        ..Facts::default()
    };
    for content in list(cna, "/metrics").filter_map(Value::as_object).flat_map(|m| m.values()) {
        scored(content, &mut facts);
    }
    for affected in list(cna, "/affected") {
        facts.spans.extend(cve_spans(affected));
    }
    facts
}

fn scored(content: &Value, facts: &mut Facts) {
    let Some(vector) = text(content, "/vectorString") else { return };
    facts.vectors.insert(vector.clone());
    let base = content.get("baseScore").and_then(Value::as_f64).unwrap_or(-1.0);
    facts.scores.push((vector, base, text(content, "/baseSeverity").unwrap_or_default()));
}

/// Ranges stated as affected, or what the unaffected ones leave over.
fn cve_spans(affected: &Value) -> Vec<Span> {
    let versions = || list(affected, "/versions");
    let start = |entry: &Value| text(entry, "/version").unwrap_or_default();
    if text(affected, "/defaultStatus").as_deref() != Some("affected") {
        return versions()
            .map(|entry| {
                let fixed = text(entry, "/lessThan");
                let single = fixed.is_none().then(|| start(entry));
                Span {
                    introduced: start(entry),
                    fixed,
                    last_affected: text(entry, "/lessThanOrEqual")
                        .or(single)
                        .filter(|version| version != "*"),
                }
            })
            .collect();
    }
    let mut spans = Vec::new();
    let mut from = Some("0".to_owned());
    for gap in versions() {
        if let Some(introduced) = from.filter(|from| *from != start(gap)) {
            spans.push(Span { introduced, fixed: Some(start(gap)), last_affected: None });
        }
        from = text(gap, "/lessThan");
    }
    spans.extend(from.map(|introduced| Span { introduced, ..Span::default() }));
    spans
}

fn csaf(document: &Value) -> Facts {
    let mut facts =
        Facts { title: text(document, "/document/title").unwrap_or_default(), ..Facts::default() };
    let mut affected = BTreeSet::new();
    for vulnerability in list(document, "/vulnerabilities") {
        affected.extend(texts(vulnerability, "/product_status/known_affected", ""));
        facts.weaknesses.extend(text(vulnerability, "/cwe/id"));
        facts.cve = text(vulnerability, "/cve");
        facts.published = text(vulnerability, "/release_date");
        for thanks in list(vulnerability, "/acknowledgments") {
            facts.credits.extend(texts(thanks, "/names", ""));
        }
        for content in list(vulnerability, "/scores").filter_map(|score| score.get("cvss_v3")) {
            scored(content, &mut facts);
        }
    }
    // The tree has three levels: vendor, product, version.
    for leaf in list(document, "/product_tree/branches")
        .flat_map(|vendor| list(vendor, "/branches"))
        .flat_map(|product| list(product, "/branches"))
    {
        let id = text(leaf, "/product/product_id").unwrap_or_default();
        let name = text(leaf, "/name").unwrap_or_default();
        if affected.contains(&id)
            && let Some(range) = name.strip_prefix("vers:pypi/")
        {
            let range = range.replace("%2B", "+").replace("%21", "!").replace("%25", "%");
            facts.spans.insert(span(&range, '|'));
        }
    }
    facts
}
