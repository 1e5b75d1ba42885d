use super::*;
use crate::domain::advisory::{
    Dates, DraftDate, Product, Reference, ReferenceKind, Section, SeverityDraft, TimelineLine,
    Weakness,
};
use crate::domain::credit::Credit;

pub fn sound() -> AdvisoryDraft {
    AdvisoryDraft {
        id: "printer-bcdfghjk".into(),
        title: "Files can be read".into(),
        product: Product {
            vendor: "Example".into(),
            name: "Printer".into(),
            ecosystem: "PyPI".into(),
            package: "printer".into(),
            repo: "https://example.org/printer".into(),
        },
        severity: SeverityDraft {
            cvss_v3_1: Some("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N".into()),
            ..SeverityDraft::default()
        },
        affected: vec![AffectedRange {
            introduced: "0".into(),
            fixed: Some("1.4.2".into()),
            ..AffectedRange::default()
        }],
        sections: vec![Section { heading: "Impact".into(), body: "Files.".into() }],
        dates: Dates { reported: DraftDate::parse("2026-06-04"), ..Dates::default() },
        ..AdvisoryDraft::default()
    }
}

/// Fields named after one change to the sound draft.
fn after(change: impl FnOnce(&mut AdvisoryDraft)) -> Vec<String> {
    let mut draft = sound();
    change(&mut draft);
    faults(&draft).into_iter().map(|fault| fault.field).collect()
}

fn range(introduced: &str, fixed: Option<&str>, last: Option<&str>) -> AffectedRange {
    AffectedRange {
        introduced: introduced.into(),
        fixed: fixed.map(str::to_owned),
        last_affected: last.map(str::to_owned),
        unsupported: false,
    }
}

#[test]
fn an_empty_draft_lists_everything_at_once() {
    let fields: Vec<String> =
        faults(&AdvisoryDraft::default()).into_iter().map(|fault| fault.field).collect();
    assert_eq!(
        fields,
        [
            "id",
            "title",
            "product.vendor",
            "product.name",
            "product.package",
            "product.ecosystem",
            "product.repo",
            "severity",
            "affected",
            "section Impact",
            "dates"
        ]
    );
    assert_eq!(faults(&sound()), []);
}

#[test]
fn ids_have_their_forms() {
    assert_eq!(after(|d| d.ghsa_id = Some("GHSA-xxxx-xxxx-xxxx".into())), ["ghsa_id"]);
    assert_eq!(after(|d| d.ghsa_id = Some("GHSA-2345-6789-abcd".into())), ["ghsa_id"]);
    assert_eq!(after(|d| d.cve_id = Some("CVE-2026-XXXXX".into())), ["cve_id"]);
    assert_eq!(after(|d| d.id = "../x".into()), ["id"]);
    assert_eq!(after(|d| d.related = vec!["A-1".into(), "A-1".into()]), ["related[2]"]);
}

#[test]
fn one_line_fields_hold_one_visible_line_without_placeholders() {
    for title in ["a\u{202e}b", "a\u{0}", "a\nb", "TODO write", "see CVE-2026-XXXX"] {
        assert_eq!(after(|d| d.title = title.into()), ["title"], "{title:?}");
    }
    assert_eq!(after(|d| d.title = "x".repeat(300)), ["title"], "CVE takes 256");
    for body in ["TBD", "fixed in {{version}}"] {
        assert_eq!(after(|d| d.sections[0].body = body.into()), ["section Impact"], "{body}");
    }
    let code = "send `{{7*7}}` or\n```\n{{x}}\n```";
    assert_eq!(after(|d| d.sections[0].body = code.into()), [] as [&str; 0]);
}

#[test]
fn score_and_word_must_fit_the_vector() {
    assert_eq!(after(|d| d.severity.score_tenths = Some(58)), ["severity.score"]);
    assert_eq!(after(|d| d.severity.score_tenths = Some(57)), [] as [&str; 0]);
    assert_eq!(after(|d| d.severity.rating = Some("High".into())), ["severity.rating"]);
    assert_eq!(after(|d| d.severity.rating = Some("moderate".into())), [] as [&str; 0]);
    assert_eq!(after(|d| d.severity.cvss_v3_1 = Some("AV:N".into())), ["severity.cvss_v3_1"]);
    let moved = |d: &mut AdvisoryDraft| d.severity.cvss_v4_0 = d.severity.cvss_v3_1.take();
    assert_eq!(after(moved), ["severity.cvss_v4_0"]);
}

#[test]
fn ranges_are_versions_in_order_that_do_not_overlap() {
    let with = |ranges: Vec<AffectedRange>| after(|d| d.affected = ranges);
    assert_eq!(with(vec![range("", None, None)]), ["affected[1].introduced"]);
    assert_eq!(with(vec![range("0", Some("next"), None)]), ["affected[1].fixed"]);
    assert_eq!(with(vec![range("1.2", Some("1.2.0"), None)]), ["affected[1].fixed"]);
    assert_eq!(with(vec![range("1.2", None, Some("1.1"))]), ["affected[1].last_affected"]);
    assert_eq!(with(vec![range("1.2", None, Some("1.2"))]), [] as [&str; 0]);
    assert_eq!(with(vec![range("0", Some("2"), Some("1"))]), ["affected[1].last_affected"]);
    let two = |one, two| with(vec![one, two]);
    assert_eq!(two(range("2", Some("3"), None), range("0", None, Some("2"))), ["affected[2]"]);
    assert_eq!(two(range("0", None, None), range("1", Some("2"), None)), ["affected[2]"]);
    assert_eq!(
        two(range("2.0.0rc1", Some("2.0.0rc3"), None), range("0", Some("1.11.8"), None)),
        [] as [&str; 0]
    );
}

#[test]
fn weaknesses_credits_and_links_are_whole() {
    let weakness = |id: &str, name: &str| Weakness { id: id.into(), name: name.into() };
    for id in ["79", "CWE-", "CWE-079", "cwe-79", "CWE-7x"] {
        assert_eq!(after(|d| d.weaknesses = vec![weakness(id, "n")]), ["weakness[1].id"], "{id}");
    }
    assert_eq!(after(|d| d.weaknesses = vec![weakness("CWE-79", "")]), ["weakness[1].name"]);
    assert_eq!(after(|d| d.credits = vec![Credit::default()]), ["credit[1].name"]);
    let address = Credit { name: "x <x@example.org>".into(), ..Credit::default() };
    assert_eq!(after(|d| d.credits = vec![address]), ["credit[1].name"]);
    for url in
        ["ftp://x", "javascript:1", "https://", "https://x/ y", "https://a@b/", "http://x/%g"]
    {
        let reference = Reference { kind: ReferenceKind::Web, url: url.into() };
        assert_eq!(after(|d| d.references = vec![reference]), ["reference[1].url"], "{url}");
    }
}

#[test]
fn dates_follow_each_other_and_the_status() {
    let day = DraftDate::parse;
    assert_eq!(after(|d| d.status = AdvisoryStatus::Published), ["dates.published"]);
    assert_eq!(after(|d| d.dates.published = day("2026-07-01")), ["dates.published"]);
    assert_eq!(after(|d| d.dates.acknowledged = day("2026-06-03")), ["dates.acknowledged"]);
    assert_eq!(after(|d| d.dates.withdrawn = day("2026-07-01")), ["dates.withdrawn"]);
    assert_eq!(
        after(|d| {
            d.status = AdvisoryStatus::Published;
            d.dates.published = day("2026-06-04");
            d.dates.reported = day("2026-06-04T23:00:00Z");
        }),
        [] as [&str; 0],
        "a day is not before an instant of that day"
    );
    let line = TimelineLine { date: day("2026-06-04").expect("day"), text: String::new() };
    assert_eq!(after(|d| d.timeline = vec![line]), ["timeline[1].text"]);
}

#[test]
fn long_lists_are_refused_and_not_compared_pair_by_pair() {
    let fields = after(|d| d.affected = vec![range("0", None, None); 5000]);
    assert!(fields.contains(&"affected".to_owned()) && fields.len() <= 200);
}
