//! From a case to the first draft of its advisory: everything known filled in, nothing invented.
//!
//! Absent on purpose: the reporter's address, message ids and mail text; only the subject gives the title,
//! and the maintainer sees and edits it (export rule: credit is the only personal data).

use std::cmp::Ordering;

use jiff::Timestamp;

use super::range::{VersionScheme, scheme_for};
use super::{
    AdvisoryDraft, AffectedRange, Dates, DraftDate, Product, Reference, ReferenceKind, Section,
    SeverityDraft, Weakness, score,
};
use crate::domain::CaseId;
use crate::domain::credit::{Credit, CreditRole};
use crate::domain::cvss::Words;
use crate::domain::cwe;
use crate::domain::text::is_hidden;

/// What the policy or config says about the product.
pub type ProductDefaults = Product;

/// What a case knows that an advisory may use.
#[derive(Clone, PartialEq, Debug)]
pub struct CaseMaterial {
    /// The case.
    pub case: CaseId,
    /// Subject of the first message; becomes the title.
    pub subject: String,
    /// The reporter's name as they wrote it; an address in its place is not used.
    pub reporter_name: String,
    /// When the report came in.
    pub received: Timestamp,
    /// When a human of ours first answered.
    pub acknowledged: Option<Timestamp>,
    /// The maintainer's vector, 3.1 or 4.0.
    pub vector: Option<String>,
    /// Versions that were found to be affected, in any order.
    pub affected_versions: Vec<String>,
    /// Versions with the fix, one per branch, in any order.
    pub fixed_versions: Vec<String>,
    /// Weaknesses, the main one first.
    pub weaknesses: Vec<Weakness>,
    /// Whether the reporter wants to be named; `None` while they have not been asked.
    pub credit_wanted: Option<bool>,
    /// What the maintainer wrote about the impact; empty while unwritten.
    pub summary: String,
    /// What the maintainer wrote about workarounds; empty while unwritten.
    pub workaround: String,
    /// Links to fixes, as given by the maintainer.
    pub fix_urls: Vec<String>,
    /// End of the embargo, if there is one.
    pub embargo_until: Option<Timestamp>,
    /// The product.
    pub product: ProductDefaults,
}

impl CaseMaterial {
    /// The least that a case always knows.
    pub fn new(
        case: CaseId,
        subject: impl Into<String>,
        received: Timestamp,
        product: Product,
    ) -> Self {
        Self {
            case,
            subject: subject.into(),
            reporter_name: String::new(),
            received,
            acknowledged: None,
            vector: None,
            affected_versions: Vec::new(),
            fixed_versions: Vec::new(),
            weaknesses: Vec::new(),
            credit_wanted: None,
            summary: String::new(),
            workaround: String::new(),
            fix_urls: Vec::new(),
            embargo_until: None,
            product,
        }
    }
}

/// Longest title taken from a subject, in characters (aim of the OSV linter).
const TITLE_MAX: usize = 120;

/// Makes the draft. What the case does not know stays empty, so that [`super::faults()`] lists it.
pub fn from_case(material: &CaseMaterial) -> AdvisoryDraft {
    let package = material.product.package.to_ascii_lowercase();
    let prefix = if package.is_empty() { "advisory" } else { package.as_str() };
    let mut sections =
        vec![Section { heading: "Impact".into(), body: material.summary.trim().to_owned() }];
    if !material.workaround.trim().is_empty() {
        let body = material.workaround.trim().to_owned();
        sections.push(Section { heading: "Workaround".into(), body });
    }
    let references = material
        .fix_urls
        .iter()
        .map(|url| Reference { kind: ReferenceKind::Fix, url: url.trim().to_owned() })
        .collect();
    AdvisoryDraft {
        id: format!("{prefix}-{}", material.case),
        title: title_of(&material.subject),
        product: material.product.clone(),
        severity: severity_of(material.vector.as_deref()),
        weaknesses: material.weaknesses.iter().map(with_name).collect(),
        affected: ranges_of(material),
        sections,
        credits: credits_of(material),
        references,
        dates: Dates {
            reported: Some(DraftDate::Instant(material.received)),
            acknowledged: material.acknowledged.map(DraftDate::Instant),
            embargo_until: material.embargo_until.map(DraftDate::Instant),
            ..Dates::default()
        },
        ..AdvisoryDraft::default()
    }
}

/// A subject without reply marks, list tags and hidden characters, cut at a word.
fn title_of(subject: &str) -> String {
    let visible: String =
        subject.chars().map(|c| if c.is_whitespace() || is_hidden(c) { ' ' } else { c }).collect();
    let folded = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = folded.as_str();
    loop {
        let lower = rest.to_ascii_lowercase();
        let mark = ["re:", "aw:", "fwd:", "fw:", "wg:", "antwort:"]
            .into_iter()
            .find(|mark| lower.starts_with(mark))
            .map(str::len);
        let tag = rest.starts_with('[').then(|| rest.find(']').map(|end| end + 1)).flatten();
        let Some(cut) = mark.or(tag) else { break };
        rest = rest.get(cut..).unwrap_or("").trim_start();
    }
    if rest.chars().count() <= TITLE_MAX {
        return rest.to_owned();
    }
    let head: String = rest.chars().take(TITLE_MAX).collect();
    head.rsplit_once(' ').map_or(head.as_str(), |(words, _)| words).to_owned()
}

fn severity_of(vector: Option<&str>) -> SeverityDraft {
    let Some(vector) = vector.map(str::trim) else { return SeverityDraft::default() };
    let scored = score(vector).ok();
    let is_4_0 = vector.starts_with("CVSS:4");
    SeverityDraft {
        cvss_v3_1: (!is_4_0).then(|| vector.to_owned()),
        cvss_v4_0: is_4_0.then(|| vector.to_owned()),
        score_tenths: scored.as_ref().map(|scored| scored.tenths()),
        rating: scored.map(|scored| scored.severity().word(Words::Cvss).to_owned()),
    }
}

/// A weakness of which only the id is known gets its name from the list.
fn with_name(weakness: &Weakness) -> Weakness {
    let mut named = weakness.clone();
    if let Some(known) = cwe::find(&weakness.id)
        && named.name.trim().is_empty()
    {
        known.name.clone_into(&mut named.name);
    }
    named
}

/// One range per fixed branch; without a fix one range up to the newest version found to be affected. The
/// first begins at `0`, which is the project's habit and errs on the safe side.
fn ranges_of(material: &CaseMaterial) -> Vec<AffectedRange> {
    let Some(scheme) = scheme_for(&material.product.ecosystem) else { return Vec::new() };
    let sorted = |versions: &[String]| {
        let mut known: Vec<String> =
            versions.iter().filter(|version| scheme.is_version(version)).cloned().collect();
        known.sort_by(|a, b| scheme.compare(a, b).unwrap_or(Ordering::Equal));
        known.dedup_by(|a, b| scheme.compare(a, b) == Some(Ordering::Equal));
        known
    };
    let (affected, fixed) = (sorted(&material.affected_versions), sorted(&material.fixed_versions));
    let mut ranges = Vec::new();
    let mut introduced = Some("0".to_owned());
    for version in &fixed {
        ranges.push(AffectedRange {
            // Later branches begin at the first version found there; where none was, it stays to be filled.
            introduced: introduced
                .take()
                .unwrap_or_else(|| first_between(scheme, &ranges, version, &affected)),
            fixed: Some(version.clone()),
            ..AffectedRange::default()
        });
    }
    if fixed.is_empty()
        && let Some(last) = affected.last()
    {
        ranges.push(AffectedRange {
            introduced: "0".into(),
            last_affected: Some(last.clone()),
            ..AffectedRange::default()
        });
    }
    ranges
}

fn first_between(
    scheme: &dyn VersionScheme,
    ranges: &[AffectedRange],
    fixed: &str,
    affected: &[String],
) -> String {
    let after = ranges.last().and_then(|range| range.fixed.as_deref()).unwrap_or("0");
    affected
        .iter()
        .find(|version| {
            scheme.compare(version, after) == Some(Ordering::Greater)
                && scheme.compare(version, fixed) == Some(Ordering::Less)
        })
        .cloned()
        .unwrap_or_default()
}

fn credits_of(material: &CaseMaterial) -> Vec<Credit> {
    let name: String = material
        .reporter_name
        .chars()
        .map(|c| if c.is_whitespace() || is_hidden(c) { ' ' } else { c })
        .collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if material.credit_wanted == Some(false) || name.is_empty() || name.contains('@') {
        return Vec::new();
    }
    vec![Credit {
        name,
        role: CreditRole::Reporter,
        github: None,
        consent: Some(material.credit_wanted == Some(true)),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageRef;
    use crate::domain::advisory::faults;

    fn material(subject: &str) -> CaseMaterial {
        let product = Product {
            vendor: "Example".into(),
            name: "Printer".into(),
            ecosystem: "PyPI".into(),
            package: "printer".into(),
            repo: "https://example.org/printer".into(),
        };
        let case = CaseId::derive(Some("a@b"), &MessageRef::of(b""));
        CaseMaterial::new(case, subject, Timestamp::UNIX_EPOCH, product)
    }

    #[test]
    fn what_is_missing_is_listed_at_once() {
        let fields: Vec<String> =
            faults(&from_case(&material("Re: "))).into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["title", "severity", "affected", "section Impact"]);
    }

    #[test]
    fn what_is_known_is_filled_in_and_passes() {
        let mut material = material("Re: [security] Fwd: Files can\u{202e} be read");
        material.vector = Some("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N".into());
        material.affected_versions = vec!["1.9".into(), "1.10.0rc1".into(), "newest".into()];
        material.summary = "An attacker can read files.".into();
        material.reporter_name = "A. Nonymous".into();
        let draft = from_case(&material);
        assert_eq!(draft.title, "Files can be read");
        assert_eq!(draft.affected[0].last_affected.as_deref(), Some("1.10.0rc1"));
        assert_eq!(draft.severity.rating.as_deref(), Some("Medium"));
        assert_eq!(draft.credits[0].consent, Some(false), "not asked is not agreed");
        assert_eq!(faults(&draft), []);
    }

    #[test]
    fn each_fixed_branch_gets_its_range() {
        let mut material = material("x");
        material.affected_versions = vec!["1.11.7".into(), "2.0.0rc1".into(), "2.0.0rc2".into()];
        material.fixed_versions = vec!["2.0.0rc3".into(), "1.11.8".into()];
        let ranges: Vec<(String, Option<String>)> = from_case(&material)
            .affected
            .into_iter()
            .map(|range| (range.introduced, range.fixed))
            .collect();
        let expected = [("0", "1.11.8"), ("2.0.0rc1", "2.0.0rc3")];
        assert_eq!(ranges, expected.map(|(a, b)| (a.to_owned(), Some(b.to_owned()))));
    }

    #[test]
    fn an_address_never_becomes_a_credit() {
        let mut material = material("x");
        material.reporter_name = "someone@example.org".into();
        material.credit_wanted = Some(true);
        assert_eq!(from_case(&material).credits, []);
    }
}
