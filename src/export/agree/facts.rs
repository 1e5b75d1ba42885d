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
            Format::Csaf | Format::Csaf21 => csaf(document),
            Format::OpenVex => openvex(document),
            Format::Markdown | Format::Post => Self::default(),
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

/// The ranges that the events of one OSV range tell.
pub fn osv_spans(range: &Value) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut open: Option<Span> = None;
    for turn in list(range, "/events") {
        if let Some(introduced) = text(turn, "/introduced") {
            spans.extend(open.replace(Span { introduced, ..Span::default() }));
        } else if let Some(span) = open.take() {
            let (fixed, last_affected) = (text(turn, "/fixed"), text(turn, "/last_affected"));
            spans.push(Span { fixed, last_affected, ..span });
        }
    }
    spans.extend(open);
    spans
}

fn osv(document: &Value) -> Facts {
    let ranges = list(document, "/affected").flat_map(|affected| list(affected, "/ranges"));
    let spans = ranges.flat_map(osv_spans).collect();
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

/// A range in GitHub's grammar; `None` where it is none that a draft can hold.
pub fn range(text: &str) -> Option<Span> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let sound = |part: &&str| {
        let version = part.trim_start_matches(['<', '>', '=']);
        let mark = part.get(..part.len() - version.len()).unwrap_or_default();
        let word = version.trim();
        matches!(mark, "<" | "<=" | ">=" | "=")
            && !word.is_empty()
            && !word.contains(char::is_whitespace)
    };
    let ends = parts.iter().filter(|part| part.starts_with('<')).count();
    let starts = parts.iter().filter(|part| part.starts_with('>')).count();
    let single = parts.iter().any(|part| part.starts_with('='));
    let whole = ends <= 1 && starts <= 1 && (!single || parts.len() == 1);
    (whole && parts.iter().all(sound)).then(|| span(text, ','))
}

/// A version of a CVE record that may be an expression (`< 1.2.3`) or no version at all.
///
/// # Errors
/// The text, where it names no version.
pub fn expression(span: &Span) -> Result<Span, String> {
    let start = span.introduced.trim();
    let single = span.fixed.is_none() && span.last_affected.as_deref() == Some(start);
    if single && start.starts_with(['<', '>', '=']) {
        return range(start).ok_or_else(|| start.to_owned());
    }
    match start {
        "n/a" | "unspecified" | "*" | "" if single || span.fixed.is_none() => Err(start.to_owned()),
        "n/a" | "unspecified" | "*" | "" => Ok(Span { introduced: "0".into(), ..span.clone() }),
        _ => Ok(span.clone()),
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
pub fn cve_spans(affected: &Value) -> Vec<Span> {
    let versions = || list(affected, "/versions");
    let start = |entry: &Value| text(entry, "/version").unwrap_or_default();
    if text(affected, "/defaultStatus").as_deref() != Some("affected") {
        return versions()
            .filter(|entry| text(entry, "/status").is_none_or(|status| status == "affected"))
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
        facts.weaknesses.extend(texts(vulnerability, "/cwes", "/id"));
        facts.cve = text(vulnerability, "/cve");
        facts.published = text(vulnerability, "/release_date")
            .or_else(|| text(vulnerability, "/disclosure_date"));
        for thanks in list(vulnerability, "/acknowledgments") {
            facts.credits.extend(texts(thanks, "/names", ""));
        }
        for content in list(vulnerability, "/scores").filter_map(|score| score.get("cvss_v3")) {
            scored(content, &mut facts);
        }
        for content in list(vulnerability, "/metrics").filter_map(|metric| metric.get("content")) {
            for one in content.as_object().into_iter().flat_map(|content| content.values()) {
                scored(one, &mut facts);
            }
        }
    }
    // The tree has three levels: vendor, product, version.
    for leaf in list(document, "/product_tree/branches")
        .flat_map(|vendor| list(vendor, "/branches"))
        .flat_map(|product| list(product, "/branches"))
    {
        let id = text(leaf, "/product/product_id").unwrap_or_default();
        let name = text(leaf, "/name").unwrap_or_default();
        if !affected.contains(&id) {
            continue;
        }
        let range = name.strip_prefix("vers:").and_then(|rest| rest.split_once('/'));
        let range = range.map_or(name.as_str(), |(_, range)| range);
        let range = range.replace("%2B", "+").replace("%21", "!").replace("%25", "%");
        facts.spans.insert(span(&range, '|'));
    }
    facts
}

/// Whose flaw it is; the rest is compared with a fresh export.
fn openvex(document: &Value) -> Facts {
    let statement = document.pointer("/statements/0").unwrap_or(document);
    let aliases = list(statement, "/vulnerability/aliases").filter_map(Value::as_str);
    let name = text(statement, "/vulnerability/name");
    let ids = name.into_iter().chain(aliases.map(str::to_owned));
    Facts {
        title: text(statement, "/vulnerability/description").unwrap_or_default(),
        cve: ids.into_iter().find(|id| id.starts_with("CVE-")),
        ..Facts::default()
    }
}
