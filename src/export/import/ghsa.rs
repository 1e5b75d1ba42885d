//! GitHub advisories: as GitHub's repository or global interface gives them, and as its requests take them.

use serde_json::Value;

use super::{Record, date, line, list, some_line};
use crate::domain::advisory::{AdvisoryStatus, Ecosystem, ReferenceKind};
use crate::domain::credit::{Credit, CreditRole};
use crate::export::agree::facts;

pub(super) fn read(record: &mut Record<'_>) {
    let document = record.document;
    record.id(line(document, "/ghsa_id"));
    record.id(line(document, "/cve_id"));
    for id in list(document, "/identifiers") {
        record.id(line(id, "/value"));
    }
    record.draft.title = line(document, "/summary");
    record.sections(document.get("description").and_then(Value::as_str).unwrap_or_default());
    for pointer in [
        "/cvss_severities/cvss_v3/vector_string",
        "/cvss_severities/cvss_v4/vector_string",
        "/cvss/vector_string",
        "/cvss_vector_string",
    ] {
        if let Some(vector) = some_line(document, pointer) {
            record.vector(vector);
        }
    }
    for weakness in list(document, "/cwes") {
        record.weakness(&line(weakness, "/cwe_id"), &line(weakness, "/name"));
    }
    for id in list(document, "/cwe_ids").filter_map(Value::as_str) {
        record.weakness(id, "");
    }
    affected(record);
    credits(record);
    for url in list(document, "/references") {
        let url = url.as_str().map_or_else(|| line(url, "/url"), str::to_owned);
        record.reference(super::kind_of(&url), url);
    }
    if let Some(page) = some_line(document, "/html_url") {
        record.reference(ReferenceKind::Advisory, page);
    }
    if let Some(code) = some_line(document, "/source_code_location") {
        record.draft.product.repo = code;
    }
    let dates = &mut record.draft.dates;
    dates.reported = date(document, "/created_at");
    dates.modified = date(document, "/updated_at");
    dates.published = date(document, "/published_at");
    dates.withdrawn = date(document, "/withdrawn_at");
    record.draft.status = match (dates.published, dates.withdrawn) {
        (Some(_), Some(_)) => AdvisoryStatus::Withdrawn,
        (Some(_), None) => AdvisoryStatus::Published,
        _ => AdvisoryStatus::Draft,
    };
}

fn affected(record: &mut Record<'_>) {
    let mut first: Option<String> = None;
    for entry in list(record.document, "/vulnerabilities") {
        let package = line(entry, "/package/name");
        let named = line(entry, "/package/ecosystem");
        let known = Ecosystem::of_github(&named);
        if first.as_ref().is_some_and(|first| !first.eq_ignore_ascii_case(&package)) {
            record.lose("second package", &package);
            continue;
        }
        record.package(known, &named, package.clone());
        first = Some(package);
        let range = line(entry, "/vulnerable_version_range");
        match facts::range(&range) {
            Some(span) => {
                let patched = some_line(entry, "/patched_versions")
                    .or_else(|| some_line(entry, "/first_patched_version/identifier"))
                    .or_else(|| some_line(entry, "/first_patched_version"));
                if let Some(patched) =
                    patched.filter(|patched| span.fixed.as_ref() != Some(patched))
                {
                    record.lose("patched version beside the range", &patched);
                }
                record.range(span);
            }
            None => record.lose("range", &range),
        }
    }
}

fn credits(record: &mut Record<'_>) {
    // The detailed list repeats the plain one.
    let detailed: Vec<&Value> = list(record.document, "/credits_detailed").collect();
    let plain: Vec<&Value> = list(record.document, "/credits").collect();
    for entry in if detailed.is_empty() { plain } else { detailed } {
        let login = some_line(entry, "/login").or_else(|| some_line(entry, "/user/login"));
        let Some(login) = login else { continue };
        let role = CreditRole::parse(&line(entry, "/type")).unwrap_or(CreditRole::Other);
        // Only who accepted is shown by GitHub itself.
        let consent = some_line(entry, "/state").map(|state| state == "accepted");
        record.draft.credits.push(Credit {
            name: login.clone(),
            role,
            github: Some(login),
            consent,
        });
    }
}
