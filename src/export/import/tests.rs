use serde_json::json;

use super::*;
use crate::domain::advisory::{AdvisoryStatus, Format, faults};

fn policy() -> Product {
    Product {
        vendor: "Example Project".into(),
        name: "Print Server".into(),
        ecosystem: "PyPI".into(),
        package: "print-server".into(),
        repo: "https://github.com/example/print-server".into(),
    }
}

fn imported(document: &Value) -> Imported {
    read(&document.to_string(), &policy()).expect("readable")
}

fn exported(draft: &AdvisoryDraft, format: Format) -> Value {
    let files = crate::export::export(draft, &[format]).expect("exported");
    serde_json::from_slice(&files[0].bytes).expect("JSON")
}

#[test]
fn an_osv_record_keeps_its_facts() {
    let record = json!({
        "schema_version": "1.7.5", "id": "GHSA-2345-6789-cfgh", "modified": "2026-06-24T10:00:00Z",
        "published": "2026-06-23T00:00:00Z", "aliases": ["CVE-2026-10001", "PYSEC-2026-9"],
        "summary": "Files can be read",
        "details": "Anyone can read files.\n\n```\n# no heading\n```\n\n## Patches\n\nIn 1.4.2.\n",
        "severity": [
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"},
            {"type": "CVSS_V3", "score": "CVSS:3.0/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}
        ],
        "affected": [
            {"package": {"ecosystem": "PyPI", "name": "Print_Server"}, "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4.2"}]},
                {"type": "GIT", "repo": "https://example.org/r", "events": [{"introduced": "0"}]}
            ]},
            {"package": {"ecosystem": "PyPI", "name": "print-server"}, "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "2.0rc1"}, {"last_affected": "2.0rc2"}]}
            ]},
            {"package": {"ecosystem": "npm", "name": "other"}}
        ],
        "references": [
            {"type": "WEB", "url": "https://nvd.example/CVE-2026-10001"},
            {"type": "WEB", "url": "https://github.com/example/print-server/security/advisories/GHSA-2345-6789-cfgh"},
            {"type": "PACKAGE", "url": "https://github.com/example/print-server"}
        ],
        "credits": [{"name": "Zoë", "contact": ["https://github.com/zoe", "mailto:z@example.org"], "type": "FINDER"}],
        "database_specific": {"cwe_ids": ["CWE-73"]}
    });
    let Imported { source, draft, lost } = imported(&record);
    assert_eq!((source, draft.status), (Source::Osv, AdvisoryStatus::Published));
    assert_eq!(faults(&draft), []);
    assert_eq!(
        lost,
        [
            "vector: CVSS:3.0/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
            "range of commits: https://example.org/r",
            "second package: other",
            "contact of a credit: mailto:z@example.org",
        ]
    );
    let headings: Vec<&str> = draft.sections.iter().map(|s| s.heading.as_str()).collect();
    assert_eq!(headings, ["Impact", "Patches"]);
    assert_eq!(draft.references[0].kind, ReferenceKind::Advisory);
    let again = exported(&draft, Format::Osv);
    for pointer in
        ["/id", "/aliases", "/summary", "/published", "/modified", "/database_specific/cwe_ids"]
    {
        assert_eq!(again.pointer(pointer), record.pointer(pointer), "{pointer}");
    }
    assert_eq!(again["severity"][0], record["severity"][0]);
    assert_eq!(again["credits"][0]["type"], "FINDER");
}

#[test]
fn a_cve_record_is_read_in_both_ways_of_writing_ranges() {
    let record = |versions: Value| {
        json!({
            "dataType": "CVE_RECORD", "dataVersion": "5.1",
            "cveMetadata": {"cveId": "CVE-2026-10001", "state": "PUBLISHED",
                "dateReserved": "2026-06-11T21:15:33.870Z", "datePublished": "2026-06-23T18:00:00Z"},
            "containers": {"cna": {
                "title": "Files can be read", "descriptions": [{"lang": "en", "value": "Files can be read."}],
                "affected": [{"vendor": "Example Project", "product": "Print Server", "versions": versions}],
                "problemTypes": [{"descriptions": [{"lang": "en", "description": "CWE-79: whatever"}]}],
                "metrics": [{"cvssV3_1": {"vectorString": "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}}],
                "references": [{"url": "https://example.org/fix", "tags": ["patch"]}],
                "workarounds": [{"lang": "en", "value": "None."}]
            }}
        })
    };
    for versions in [
        json!([{"version": "< 1.4.2", "status": "affected"},
            {"version": ">= 2.0rc1, < 2.0rc3", "status": "affected"},
            {"version": "1.4.2", "status": "unaffected"}]),
        json!([{"version": "unspecified", "lessThan": "1.4.2", "status": "affected", "versionType": "custom"},
            {"version": "2.0rc1", "lessThan": "2.0rc3", "status": "affected", "versionType": "python"}]),
    ] {
        let Imported { draft, lost, .. } = imported(&record(versions));
        assert_eq!(lost, [] as [&str; 0]);
        assert_eq!(faults(&draft), [], "the policy fills in what the record leaves out");
        assert_eq!(draft.weaknesses[0].id, "CWE-79");
        let again = exported(&draft, Format::Cve);
        let affected = &again["containers"]["cna"]["affected"][0]["versions"];
        assert_eq!(affected[0]["lessThan"], "1.4.2");
        assert_eq!(affected[1]["version"], "2.0rc1");
        assert_eq!(again["cveMetadata"]["dateReserved"], "2026-06-11T21:15:33.87Z");
    }
    let odd = imported(&record(
        json!([{"version": "n/a", "status": "affected"}, {"version": "> 1", "status": "affected"}]),
    ));
    assert_eq!(odd.lost, ["versions: n/a", "versions: > 1"]);
    let mut rejected = record(json!([]));
    rejected["cveMetadata"]["state"] = "REJECTED".into();
    assert_eq!(read(&rejected.to_string(), &policy()), Err(ImportError::Rejected));
}

#[test]
fn a_github_advisory_is_read_as_github_gives_it() {
    let record = json!({
        "ghsa_id": "GHSA-2345-6789-cfgh", "cve_id": null, "summary": "Files can be read",
        "description": "### Impact\r\n\r\nFiles.\r\n", "html_url": "https://github.com/example/print-server/security/advisories/GHSA-2345-6789-cfgh",
        "published_at": "2026-06-23T00:00:00Z", "created_at": "2026-06-04T00:00:00Z", "withdrawn_at": null,
        "vulnerabilities": [{"package": {"ecosystem": "pip", "name": "print-server"},
            "vulnerable_version_range": "<= 1.4.1", "patched_versions": "1.4.2"}],
        "cvss_severities": {"cvss_v3": {"vector_string": "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", "score": 5.7}, "cvss_v4": null},
        "cwes": [{"cwe_id": "CWE-73", "name": "x"}],
        "credits": [{"login": "zoe", "type": "reporter"}]
    });
    let Imported { source, draft, lost } = imported(&record);
    assert_eq!(source, Source::Ghsa);
    assert_eq!(faults(&draft), []);
    assert_eq!(draft.affected[0].last_affected.as_deref(), Some("1.4.1"));
    assert_eq!(lost, ["patched version beside the range: 1.4.2"]);
    assert_eq!(draft.product.ecosystem, "PyPI");
    // What this program writes comes back.
    let request = exported(&draft, Format::Ghsa);
    let again = imported(&request);
    assert_eq!(again.draft.affected, draft.affected);
    assert_eq!(again.draft.severity.cvss_v3_1, draft.severity.cvss_v3_1);
}

#[test]
fn what_is_no_record_is_refused_with_its_reason() {
    for (text, wanted) in [
        ("{", ImportError::NotJson { line: 1, column: 1 }),
        ("[]", ImportError::Unknown),
        ("{\"id\": 1}", ImportError::Unknown),
    ] {
        assert_eq!(read(text, &policy()), Err(wanted), "{text}");
    }
    assert_eq!(read(&" ".repeat(MAX_BYTES + 1), &policy()), Err(ImportError::TooLong));
}

#[test]
fn members_of_other_types_do_no_harm() {
    let wrong = [json!(null), json!(1), json!("x"), json!([1, null, {}]), json!({"a": []})];
    for value in wrong {
        let osv = json!({"id": value, "modified": value, "details": value, "affected": value, "aliases": value,
            "severity": value, "references": value, "credits": value, "database_specific": value});
        let cna = json!({"title": value, "affected": value, "metrics": value, "credits": value,
            "problemTypes": value, "references": value, "descriptions": value, "timeline": value});
        let cve =
            json!({"dataType": "CVE_RECORD", "cveMetadata": value, "containers": {"cna": cna}});
        let ghsa =
            json!({"summary": value, "vulnerabilities": value, "cwes": value, "credits": value});
        for document in [osv, cve, ghsa, json!({"providerMetadata": value, "affected": [value]})] {
            let _ = read(&document.to_string(), &policy());
        }
    }
}
