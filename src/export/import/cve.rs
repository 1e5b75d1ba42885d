//! CVE records of format 5, or their CNA container alone. Older records write ranges as expressions into
//! `version`; both forms are read.

use serde_json::Value;

use super::{ImportError, Record, date, kind_of, line, list, some_line};
use crate::domain::advisory::ecosystem::ECOSYSTEMS;
use crate::domain::advisory::{
    AdvisoryStatus, DraftDate, ReferenceKind, Section, TimelineLine, ecosystem,
};
use crate::domain::credit::{Credit, CreditRole};
use crate::export::agree::facts;
use crate::export::text::clean;

pub(super) fn read(record: &mut Record<'_>) -> Result<(), ImportError> {
    let document = record.document;
    if line(document, "/cveMetadata/state") == "REJECTED" {
        return Err(ImportError::Rejected);
    }
    let cna = facts::container(document);
    record.id(line(document, "/cveMetadata/cveId"));
    record.id(line(cna, "/source/advisory"));
    let english = |pointer: &str| {
        let mut texts = list(cna, pointer).filter(|text| line(text, "/lang").starts_with("en"));
        let value = texts.next().and_then(|text| text.get("value")).and_then(Value::as_str);
        value.map(clean).filter(|text| !text.is_empty())
    };
    record.draft.title = line(cna, "/title");
    record.draft.cve_description = english("/descriptions");
    if record.draft.title.is_empty()
        && let Some(text) = &record.draft.cve_description
    {
        let first = text.split(". ").next().unwrap_or_default();
        record.draft.title = crate::domain::text::one_line(first, 119);
    }
    let more = [("Patches", "/solutions"), ("Workaround", "/workarounds"), ("PoC", "/exploits")];
    for (heading, pointer) in more {
        if let Some(body) = english(pointer) {
            record.draft.sections.push(Section { heading: heading.into(), body });
        }
    }
    if !record.draft.sections.is_empty() {
        let body = record.draft.cve_description.clone().unwrap_or_default();
        record.draft.sections.insert(0, Section { heading: "Impact".into(), body });
    }
    affected(record, cna);
    metrics(record, cna);
    for problem in list(cna, "/problemTypes").flat_map(|kind| list(kind, "/descriptions")) {
        let text = line(problem, "/description");
        let named = text.split_once([':', ' ']).map(|(id, name)| (id.to_owned(), name.to_owned()));
        let (id, name) = named.unwrap_or_else(|| (text.clone(), String::new()));
        let id = some_line(problem, "/cweId").unwrap_or(id);
        if id.starts_with("CWE-") {
            record.weakness(&id, &name);
        } else if text != "Weakness not classified" {
            record.lose("problem type", &text);
        }
    }
    references(record, cna);
    people(record, cna);
    dates(record, cna);
    Ok(())
}

fn affected(record: &mut Record<'_>, cna: &Value) {
    let mut first: Option<(String, String)> = None;
    for entry in list(cna, "/affected") {
        let key = (line(entry, "/product"), line(entry, "/packageName"));
        if first.as_ref().is_some_and(|first| *first != key) {
            record.lose("second product", &key.0);
            continue;
        }
        let registry = line(entry, "/collectionURL");
        let known = ECOSYSTEMS.iter().find(|known| registry.starts_with(known.registry));
        let product = &mut record.draft.product;
        product.vendor = line(entry, "/vendor");
        product.name.clone_from(&key.0);
        product.repo = line(entry, "/repo");
        if !key.1.is_empty() {
            record.package(known, "", key.1.clone());
        }
        first = Some(key);
        for span in facts::cve_spans(entry) {
            match facts::expression(&span) {
                Ok(span) => record.range(span),
                Err(text) => record.lose("versions", &text),
            }
        }
    }
    if record.draft.product.vendor == "n/a" {
        record.draft.product.vendor.clear();
    }
}

fn metrics(record: &mut Record<'_>, cna: &Value) {
    for (key, content) in list(cna, "/metrics").filter_map(Value::as_object).flatten() {
        match some_line(content, "/vectorString") {
            Some(vector) => record.vector(vector),
            None if matches!(key.as_str(), "format" | "scenarios") => {}
            None => record.lose("metric", key),
        }
    }
}

fn references(record: &mut Record<'_>, cna: &Value) {
    for entry in list(cna, "/references") {
        let url = line(entry, "/url");
        let tag = |name: &str| list(entry, "/tags").any(|tag| tag.as_str() == Some(name));
        let kinds = [
            ("vendor-advisory", ReferenceKind::Advisory),
            ("patch", ReferenceKind::Fix),
            ("release-notes", ReferenceKind::Release),
            ("technical-description", ReferenceKind::Article),
            ("issue-tracking", ReferenceKind::Report),
            ("exploit", ReferenceKind::Evidence),
        ];
        let tagged = kinds.into_iter().find(|(name, _)| tag(name));
        let kind = tagged.map_or_else(|| kind_of(&url), |(_, kind)| kind);
        // A record of ours without any other link names the repository.
        if tag("product") && url == record.draft.product.repo {
            continue;
        }
        record.reference(kind, url);
    }
}

fn people(record: &mut Record<'_>, cna: &Value) {
    for entry in list(cna, "/credits") {
        let word = line(entry, "/type").replace(' ', "_");
        let role = CreditRole::parse(&word).unwrap_or(CreditRole::Other);
        let name = line(entry, "/value");
        record.draft.credits.push(Credit { name, role, github: None, consent: None });
    }
    for entry in list(cna, "/timeline") {
        if let Some(date) = date(entry, "/time") {
            let text = line(entry, "/value");
            record.draft.timeline.push(TimelineLine { date, text });
        }
    }
}

fn dates(record: &mut Record<'_>, cna: &Value) {
    let document = record.document;
    let dates = &mut record.draft.dates;
    dates.cve_reserved = date(document, "/cveMetadata/dateReserved");
    dates.cve_published = date(document, "/cveMetadata/datePublished");
    dates.published = date(cna, "/datePublic").or(dates.cve_published);
    dates.embargo_until = date(cna, "/x_embargoUntil");
    if dates.published.is_some() {
        record.draft.status = AdvisoryStatus::Published;
    } else {
        let updated = [date(cna, "/providerMetadata/dateUpdated"), dates.cve_reserved];
        dates.modified = updated.into_iter().flatten().max_by_key(DraftDate::instant);
    }
    // A bare product name in an ecosystem of the record's own says which package it is.
    if ecosystem(&record.draft.product.ecosystem).is_none() {
        record.draft.product.ecosystem.clear();
    }
}
