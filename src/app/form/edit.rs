//! What editing a field does to the draft.

use super::Field;
use super::dialog::Dialog;
use crate::domain::advisory::{
    AdvisoryDraft, AdvisoryStatus, AffectedRange, Dates, DraftDate, Product, Reference,
    ReferenceKind, Section, Weakness,
};
use crate::domain::credit::{Credit, CreditRole};
use crate::domain::cvss::{Vector, Version, Words};

/// Puts what the entries of a dialog hold into the draft.
///
/// # Errors
/// What cannot be taken, and what to write instead. What is only incomplete is taken and listed as a fault.
pub fn apply(draft: &mut AdvisoryDraft, dialog: &Dialog) -> Result<(), String> {
    let first = dialog.entries.first().map_or("", |entry| entry.value().trim());
    let optional = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    match &dialog.field {
        Field::Title => first.clone_into(&mut draft.title),
        Field::Product(part) => first.clone_into(product_part_mut(&mut draft.product, part)),
        Field::Status => draft.status = AdvisoryStatus::parse(first).unwrap_or_default(),
        Field::Id("ghsa_id") => draft.ghsa_id = optional(first),
        Field::Id("cve_id") => draft.cve_id = optional(first),
        Field::Id(_) => first.clone_into(&mut draft.id),
        Field::Date(name) => {
            let date = (!first.is_empty()).then(|| DraftDate::parse(first));
            if date == Some(None) {
                return Err("is no day such as 2026-06-23, and no instant".into());
            }
            set_date(&mut draft.dates, name, date.flatten());
        }
        Field::Range(at) => put(&mut draft.affected, *at, range_of(dialog)?),
        Field::Weakness(at) => put(&mut draft.weaknesses, *at, weakness_of(dialog)?),
        Field::Credit(at) => put(&mut draft.credits, *at, credit_of(dialog)?),
        Field::Reference(at) => put(&mut draft.references, *at, reference_of(dialog)?),
        Field::Criterion(_) | Field::Section(_) | Field::Vector(_) | Field::Other(_) => {}
    }
    Ok(())
}

fn put<T>(list: &mut Vec<T>, at: usize, entry: T) {
    match list.get_mut(at) {
        Some(place) => *place = entry,
        None => list.push(entry),
    }
}

fn range_of(dialog: &Dialog) -> Result<AffectedRange, String> {
    let end = |label: &str| Some(dialog.value(label).to_owned()).filter(|text| !text.is_empty());
    let range = AffectedRange {
        introduced: dialog.value("introduced").to_owned(),
        fixed: end("fixed"),
        last_affected: end("last affected"),
        unsupported: dialog.value("unsupported") == "yes",
    };
    if range.introduced.is_empty() {
        return Err("give the first affected version, or 0 for every one before".into());
    }
    Ok(range)
}

/// The chosen weakness; one that the list does not hold may be typed as `CWE-79 Its exact name`.
fn weakness_of(dialog: &Dialog) -> Result<Weakness, String> {
    if let Some(found) = dialog.weakness() {
        return Ok(found.clone());
    }
    let typed = dialog.value("search");
    let typed = typed.split_once(' ').filter(|(id, _)| id.to_uppercase().starts_with("CWE-"));
    let Some((id, name)) = typed else {
        return Err("nothing found; type other words, or CWE-number and the exact name".into());
    };
    Ok(Weakness { id: id.to_uppercase(), name: name.trim().to_owned() })
}

fn credit_of(dialog: &Dialog) -> Result<Credit, String> {
    let name = dialog.value("name").to_owned();
    if name.is_empty() {
        return Err("give the name as they want it written".into());
    }
    let login = dialog.value("github").trim_start_matches('@').to_owned();
    Ok(Credit {
        name,
        role: CreditRole::parse(dialog.value("type")).unwrap_or_default(),
        github: Some(login).filter(|login| !login.is_empty()),
        consent: match dialog.value("consent") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    })
}

fn reference_of(dialog: &Dialog) -> Result<Reference, String> {
    let url = dialog.value("url").to_owned();
    if url.is_empty() {
        return Err("give the address in full".into());
    }
    let kind = ReferenceKind::parse(dialog.value("kind")).unwrap_or(ReferenceKind::Web);
    Ok(Reference { kind, url })
}

/// Takes a list entry out, or empties a field that may be empty. Returns whether something changed.
pub fn clear(draft: &mut AdvisoryDraft, field: &Field) -> bool {
    let before = draft.clone();
    match field {
        Field::Range(at) => remove(&mut draft.affected, *at),
        Field::Weakness(at) => remove(&mut draft.weaknesses, *at),
        Field::Credit(at) => remove(&mut draft.credits, *at),
        Field::Reference(at) => remove(&mut draft.references, *at),
        Field::Date(name) => set_date(&mut draft.dates, name, None),
        Field::Id("ghsa_id") => draft.ghsa_id = None,
        Field::Id("cve_id") => draft.cve_id = None,
        Field::Section(heading) => set_section(draft, heading, ""),
        Field::Vector(version) => set_vector(draft, *version, None),
        _ => {}
    }
    *draft != before
}

fn remove<T>(list: &mut Vec<T>, at: usize) {
    if at < list.len() {
        list.remove(at);
    }
}

/// Writes a section, adds it behind the others, or takes it out where the text is empty.
pub fn set_section(draft: &mut AdvisoryDraft, heading: &str, body: &str) {
    let same = |section: &Section| section.heading.trim().eq_ignore_ascii_case(heading.trim());
    let body = body.trim_end();
    match draft.sections.iter().position(same) {
        Some(at) if body.trim().is_empty() => remove(&mut draft.sections, at),
        Some(at) => {
            if let Some(section) = draft.sections.get_mut(at) {
                body.clone_into(&mut section.body);
            }
        }
        None if body.trim().is_empty() => {}
        None => {
            let section = Section { heading: heading.to_owned(), body: body.to_owned() };
            draft.sections.push(section);
        }
    }
}

/// Sets or removes a vector; noted score and severity word follow the one that stands for the advisory.
pub fn set_vector(draft: &mut AdvisoryDraft, version: Version, vector: Option<&Vector>) {
    let text = vector.map(ToString::to_string);
    let severity = &mut draft.severity;
    match version {
        Version::V31 => severity.cvss_v3_1 = text,
        Version::V40 => severity.cvss_v4_0 = text,
    }
    let main = severity.main().and_then(|text| Vector::parse(text).ok());
    severity.score_tenths = main.as_ref().map(|vector| vector.base().tenths());
    severity.rating = main.map(|vector| vector.severity().word(Words::Cvss).to_owned());
}

fn set_date(dates: &mut Dates, name: &str, date: Option<DraftDate>) {
    let place = match name {
        "reported" => &mut dates.reported,
        "acknowledged" => &mut dates.acknowledged,
        "fixed" => &mut dates.fixed,
        "published" => &mut dates.published,
        "modified" => &mut dates.modified,
        "withdrawn" => &mut dates.withdrawn,
        "cve_reserved" => &mut dates.cve_reserved,
        "cve_published" => &mut dates.cve_published,
        "embargo_until" => &mut dates.embargo_until,
        _ => return,
    };
    *place = date;
}

/// A part of the product by its name.
pub fn product_part<'a>(product: &'a Product, part: &str) -> &'a str {
    match part {
        "vendor" => &product.vendor,
        "name" => &product.name,
        "ecosystem" => &product.ecosystem,
        "package" => &product.package,
        _ => &product.repo,
    }
}

fn product_part_mut<'a>(product: &'a mut Product, part: &str) -> &'a mut String {
    match part {
        "vendor" => &mut product.vendor,
        "name" => &mut product.name,
        "ecosystem" => &mut product.ecosystem,
        "package" => &mut product.package,
        _ => &mut product.repo,
    }
}

/// An id by its name; empty while there is none.
pub fn id<'a>(draft: &'a AdvisoryDraft, name: &str) -> &'a str {
    match name {
        "ghsa_id" => draft.ghsa_id.as_deref().unwrap_or_default(),
        "cve_id" => draft.cve_id.as_deref().unwrap_or_default(),
        _ => &draft.id,
    }
}
