//! Published records back to a draft: OSV, CVE (record or CNA container), GitHub advisory (as GitHub gives or takes it).
//!
//! Owns: keeping every fact that the draft has a place for, and naming the others. Records are foreign text: any
//! of it may be missing, of another type, or hostile; what cannot be used is listed, never guessed. Absent on
//! purpose: rules ([`crate::domain::advisory::faults()`]) and fetching. Read next: [`read`], then one format.

use serde_json::Value;

use super::agree::facts::Span;
use super::text::{clean, clean_line};
use crate::domain::advisory::faults::{is_cve_id, is_ghsa_id};
use crate::domain::advisory::{
    AdvisoryDraft, AffectedRange, DraftDate, Ecosystem, Product, Reference, ReferenceKind, Section,
    Weakness, ecosystem,
};
use crate::domain::cwe;

mod cve;
mod ghsa;
mod osv;

/// Longest record that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Most entries taken from one list.
const LIST_MAX: usize = 200;

/// What kind of record it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// OSV.
    Osv,
    /// CVE record or CNA container.
    Cve,
    /// GitHub advisory.
    Ghsa,
}

impl Source {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Osv => "OSV record",
            Self::Cve => "CVE record",
            Self::Ghsa => "GitHub advisory",
        }
    }
}

/// A record read.
#[derive(Clone, PartialEq, Debug)]
pub struct Imported {
    /// What it was.
    pub source: Source,
    /// The draft.
    pub draft: AdvisoryDraft,
    /// Facts that the draft has no place for, each in one line.
    pub lost: Vec<String>,
}

/// Why a record could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ImportError {
    /// Longer than [`MAX_BYTES`].
    #[error("could not read the record: it is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// No JSON.
    #[error("could not read the record as JSON: line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON of another kind.
    #[error(
        "could not tell what the record is: it is no OSV record, CVE record or GitHub advisory"
    )]
    Unknown,
    /// A CVE id that was rejected: nothing to import.
    #[error("could not import the CVE record: it was rejected")]
    Rejected,
}

/// Reads a published record. `product` is what the policy says of the product; it fills gaps where the record is
/// about that product.
///
/// # Errors
/// If it is too long, no JSON, or none of the three kinds.
pub fn read(text: &str, product: &Product) -> Result<Imported, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLong);
    }
    let document: Value = serde_json::from_str(text)
        .map_err(|error| ImportError::NotJson { line: error.line(), column: error.column() })?;
    let has = |key: &str| document.get(key).is_some();
    let mut record =
        Record { document: &document, draft: AdvisoryDraft::default(), lost: Vec::new() };
    let source = if has("dataType") || has("cveMetadata") || has("providerMetadata") {
        cve::read(&mut record)?;
        Source::Cve
    } else if has("id") && has("modified") {
        osv::read(&mut record);
        Source::Osv
    } else if has("summary") && has("vulnerabilities") {
        ghsa::read(&mut record);
        Source::Ghsa
    } else {
        return Err(ImportError::Unknown);
    };
    record.finish(product);
    Ok(Imported { source, draft: record.draft, lost: record.lost })
}

/// A record while it is read.
struct Record<'d> {
    document: &'d Value,
    draft: AdvisoryDraft,
    lost: Vec<String>,
}

/// A member as text on one line; empty where it is none.
fn line(value: &Value, pointer: &str) -> String {
    clean_line(value.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
}

/// The same, `None` where it is empty.
fn some_line(value: &Value, pointer: &str) -> Option<String> {
    Some(line(value, pointer)).filter(|text| !text.is_empty())
}

/// A list; empty where it is none.
fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().take(LIST_MAX)
}

fn date(value: &Value, pointer: &str) -> Option<DraftDate> {
    DraftDate::parse(value.pointer(pointer).and_then(Value::as_str)?)
}

impl Record<'_> {
    fn lose(&mut self, what: &str, value: &str) {
        if self.lost.len() < LIST_MAX {
            let value: String = clean_line(value).chars().take(120).collect();
            self.lost.push(format!("{what}: {value}"));
        }
    }

    /// Sorts an id to its place.
    fn id(&mut self, id: String) {
        let draft = &mut self.draft;
        let known = [&draft.ghsa_id, &draft.cve_id].into_iter().flatten().any(|known| *known == id);
        if id.is_empty() || known || draft.aliases.contains(&id) {
            return;
        }
        if draft.ghsa_id.is_none() && is_ghsa_id(&id) {
            draft.ghsa_id = Some(id);
        } else if draft.cve_id.is_none() && is_cve_id(&id) {
            draft.cve_id = Some(id);
        } else {
            draft.aliases.push(id);
        }
    }

    /// Takes a vector of CVSS 3.1 or 4.0; the first of each.
    fn vector(&mut self, vector: String) {
        let severity = &mut self.draft.severity;
        let place = match vector.get(..9) {
            Some("CVSS:3.1/") => &mut severity.cvss_v3_1,
            Some("CVSS:4.0/") => &mut severity.cvss_v4_0,
            _ => return self.lose("vector", &vector),
        };
        match place {
            None => *place = Some(vector),
            Some(known) if *known == vector => {}
            Some(_) => self.lose("second vector", &vector),
        }
    }

    /// Takes a weakness; its name comes from the list, or from the record where the list does not hold it.
    fn weakness(&mut self, id: &str, name: &str) {
        if id.is_empty() || self.draft.weaknesses.iter().any(|weakness| weakness.id == id) {
            return;
        }
        let name = cwe::find(id).map_or_else(|| clean_line(name), |known| known.name.to_owned());
        self.draft.weaknesses.push(Weakness { id: id.to_owned(), name });
    }

    fn range(&mut self, span: Span) {
        let Span { introduced, fixed, last_affected } = span;
        let range = AffectedRange { introduced, fixed, last_affected, unsupported: false };
        if !self.draft.affected.contains(&range) {
            self.draft.affected.push(range);
        }
    }

    fn reference(&mut self, kind: ReferenceKind, url: String) {
        if !url.is_empty() && !self.draft.references.iter().any(|known| known.url == url) {
            self.draft.references.push(Reference { kind, url });
        }
    }

    /// Markdown with headings to sections. What stands before the first heading is the impact.
    fn sections(&mut self, body: &str) {
        let mut fenced = false;
        let mut open = Section { heading: "Impact".into(), body: String::new() };
        let mut made: Vec<Section> = Vec::new();
        for text in clean(body).lines() {
            let mark = text.trim_start();
            fenced ^= mark.starts_with("```") || mark.starts_with("~~~");
            match heading(text).filter(|_| !fenced) {
                Some(heading) => {
                    let next = Section { heading: clean_line(heading), body: String::new() };
                    made.push(std::mem::replace(&mut open, next));
                }
                None => {
                    open.body.push_str(text);
                    open.body.push('\n');
                }
            }
        }
        made.push(open);
        for mut section in made {
            section.body = section.body.trim().to_owned();
            let twin = |known: &&mut Section| known.heading.eq_ignore_ascii_case(&section.heading);
            if section.body.is_empty() {
                continue;
            }
            let full = self.draft.sections.len() >= LIST_MAX;
            match self.draft.sections.iter_mut().find(twin) {
                Some(known) => known.body = format!("{}\n\n{}", known.body, section.body),
                None if full => {}
                None => self.draft.sections.push(section),
            }
        }
    }

    /// The package, by the name of its ecosystem.
    fn package(&mut self, ecosystem: Option<&Ecosystem>, named: &str, package: String) {
        let product = &mut self.draft.product;
        product.ecosystem = ecosystem.map_or(named, |ecosystem| ecosystem.name).to_owned();
        if product.name.is_empty() {
            product.name.clone_from(&package);
        }
        product.package = package;
    }

    /// Fills gaps from what else is known, and from the policy where the record is about its product.
    fn finish(&mut self, policy: &Product) {
        let draft = &mut self.draft;
        if draft.id.is_empty() {
            let own = draft.ghsa_id.as_ref().or(draft.cve_id.as_ref());
            draft.id = own.cloned().unwrap_or_default();
        }
        draft.aliases.retain(|alias| *alias != draft.id);
        let (known, mut seen) = (draft.aliases.clone(), Vec::new());
        draft.related.retain(|id| {
            let new = !known.contains(id) && !seen.contains(id);
            seen.push(id.clone());
            new
        });
        let product = &mut draft.product;
        if product.repo.is_empty() {
            let urls = draft.references.iter().map(|reference| reference.url.as_str());
            product.repo = urls.filter_map(repository).next().unwrap_or_default();
        }
        let python = ecosystem("PyPI");
        let plain = |name: &str| python.map(|pypi| pypi.normalised(name)).unwrap_or_default();
        let names = [&product.name, &product.package];
        let same = names.iter().any(|name| {
            !name.is_empty()
                && (plain(name) == plain(&policy.package) || plain(name) == plain(&policy.name))
        });
        let fill = |place: &mut String, known: &str| {
            if place.is_empty() && same {
                known.clone_into(place);
            }
        };
        fill(&mut product.ecosystem, &policy.ecosystem);
        fill(&mut product.package, &policy.package);
        fill(&mut product.repo, &policy.repo);
        fill(&mut product.vendor, &policy.vendor);
        if let Some(ecosystem) = ecosystem(&product.ecosystem) {
            product.package = ecosystem.normalised(&product.package);
        }
        if product.vendor.is_empty()
            && let Some(owner) = product.repo.strip_prefix("https://github.com/")
        {
            product.vendor = owner.split('/').next().unwrap_or_default().to_owned();
        }
        // The advisory's own page stands for it, so it comes first.
        let page = draft.ghsa_id.as_ref().map(|id| format!("/security/advisories/{id}"));
        if let Some(page) = page {
            draft.references.sort_by_key(|reference| !reference.url.ends_with(&page));
        }
    }
}

/// A heading of level 1 to 3.
fn heading(line: &str) -> Option<&str> {
    let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = line.get(hashes..).filter(|rest| rest.starts_with(' '))?;
    ((1..=3).contains(&hashes) && !rest.trim().is_empty()).then(|| rest.trim())
}

/// What an address is by its form, where the record does not say.
fn kind_of(url: &str) -> ReferenceKind {
    if url.contains("/security/advisories/") {
        ReferenceKind::Advisory
    } else if url.contains("/commit/") || url.contains("/pull/") {
        ReferenceKind::Fix
    } else if url.contains("/releases/tag/") {
        ReferenceKind::Release
    } else {
        ReferenceKind::Web
    }
}

/// The repository that an address on GitHub belongs to.
fn repository(url: &str) -> Option<String> {
    let mut parts = url.strip_prefix("https://github.com/")?.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let repository = parts
        .next()
        .is_some_and(|word| matches!(word, "security" | "commit" | "pull" | "releases" | "issues"));
    repository.then(|| format!("https://github.com/{owner}/{name}"))
}

#[cfg(test)]
mod tests;
