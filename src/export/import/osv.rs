//! OSV records. The events of all ranges of one package become ranges of the draft.

use serde_json::Value;

use super::{Record, date, kind_of, line, list, some_line};
use crate::domain::advisory::{AdvisoryStatus, ReferenceKind, ecosystem};
use crate::domain::credit::{Credit, CreditRole};
use crate::export::agree::facts;

pub(super) fn read(record: &mut Record<'_>) {
    let document = record.document;
    let own = line(document, "/id");
    // Our own private ids come back as what they were.
    record.draft.id = own.strip_prefix("x_").unwrap_or(&own).to_owned();
    if !own.starts_with("x_") {
        record.id(own);
    }
    for alias in list(document, "/aliases").filter_map(Value::as_str) {
        record.id(alias.to_owned());
    }
    for related in list(document, "/related").chain(list(document, "/upstream")) {
        record.draft.related.extend(related.as_str().map(str::to_owned));
    }
    record.draft.title = line(document, "/summary");
    record.sections(document.get("details").and_then(Value::as_str).unwrap_or_default());
    for entry in list(document, "/severity") {
        record.vector(line(entry, "/score"));
    }
    affected(record);
    references(record);
    credits(record);
    for id in list(document, "/database_specific/cwe_ids").filter_map(Value::as_str) {
        record.weakness(id, "");
    }
    let dates = &mut record.draft.dates;
    dates.modified = date(document, "/modified");
    dates.published = date(document, "/published");
    dates.withdrawn = date(document, "/withdrawn");
    record.draft.status = match (dates.published, dates.withdrawn) {
        (Some(_), Some(_)) => AdvisoryStatus::Withdrawn,
        (Some(_), None) => AdvisoryStatus::Published,
        _ => AdvisoryStatus::Draft,
    };
    let specific = some_line(document, "/database_specific/embargo_until");
    dates.embargo_until = specific.as_deref().and_then(crate::domain::advisory::DraftDate::parse);
}

fn affected(record: &mut Record<'_>) {
    let mut first: Option<String> = None;
    for entry in list(record.document, "/affected") {
        let named = line(entry, "/package/ecosystem");
        let known = ecosystem(&named);
        let package = line(entry, "/package/name");
        let name = known.map_or_else(|| package.clone(), |known| known.normalised(&package));
        if first.as_ref().is_some_and(|first| *first != name) {
            record.lose("second package", &package);
            continue;
        }
        first = Some(name);
        record.package(known, &named, package);
        for score in list(entry, "/severity") {
            record.vector(line(score, "/score"));
        }
        let mut any = false;
        for range in list(entry, "/ranges") {
            let kind = line(range, "/type");
            if kind == "GIT" {
                record.lose("range of commits", &line(range, "/repo"));
                continue;
            }
            for span in facts::osv_spans(range) {
                any = true;
                record.range(span);
            }
        }
        let versions: Vec<String> =
            list(entry, "/versions").filter_map(Value::as_str).map(str::to_owned).collect();
        if !any && !versions.is_empty() {
            record.lose("versions without a range", &versions.join(", "));
        }
    }
}

fn references(record: &mut Record<'_>) {
    for entry in list(record.document, "/references") {
        let url = line(entry, "/url");
        let kind = match line(entry, "/type").as_str() {
            "PACKAGE" | "GIT" if record.draft.product.repo.is_empty() => {
                record.draft.product.repo = url;
                continue;
            }
            "ADVISORY" => ReferenceKind::Advisory,
            "FIX" => ReferenceKind::Fix,
            "ARTICLE" => ReferenceKind::Article,
            "REPORT" => ReferenceKind::Report,
            "EVIDENCE" => ReferenceKind::Evidence,
            _ => kind_of(&url),
        };
        record.reference(kind, url);
    }
}

fn credits(record: &mut Record<'_>) {
    for entry in list(record.document, "/credits") {
        let mut github = None;
        for contact in list(entry, "/contact").filter_map(Value::as_str) {
            match contact.strip_prefix("https://github.com/") {
                Some(login) if github.is_none() => github = Some(login.to_owned()),
                _ => record.lose("contact of a credit", contact),
            }
        }
        let word = line(entry, "/type").to_ascii_lowercase();
        let role = CreditRole::parse(&word).unwrap_or(CreditRole::Other);
        record.draft.credits.push(Credit {
            name: line(entry, "/name"),
            role,
            github,
            consent: None,
        });
    }
}
