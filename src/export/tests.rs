use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::advisory::{
    AdvisoryStatus, AffectedRange, DraftDate, Justification, NotAffected, Product, Reference,
    ReferenceKind, Section, SeverityDraft, TimelineLine, Weakness,
};
use crate::domain::credit::{Credit, CreditRole};

fn weakness(id: &str) -> Weakness {
    Weakness { id: id.into(), name: crate::domain::cwe::find(id).expect("listed").name.into() }
}

fn day(text: &str) -> Option<DraftDate> {
    Some(DraftDate::parse(text).expect("a date"))
}

fn range(introduced: &str, fixed: Option<&str>, last: Option<&str>) -> AffectedRange {
    AffectedRange {
        introduced: introduced.into(),
        fixed: fixed.map(str::to_owned),
        last_affected: last.map(str::to_owned),
        unsupported: false,
    }
}

/// A published advisory with something in every field.
fn published() -> AdvisoryDraft {
    let mut draft = AdvisoryDraft {
        id: "GHSA-2345-6789-cfgh".into(),
        title: "Printer serves files outside its folder".into(),
        ghsa_id: Some("GHSA-2345-6789-cfgh".into()),
        cve_id: Some("CVE-2026-10001".into()),
        aliases: vec!["PYSEC-2026-9".into()],
        cve_title: None,
        cve_description: Some("Printer before 1.4.2 serves files outside its folder.".into()),
        status: AdvisoryStatus::Published,
        already_public: false,
        not_affected: None,
        product: Product {
            vendor: "Example Project".into(),
            name: "Print_Server".into(),
            ecosystem: "PyPI".into(),
            package: "Print_Server".into(),
            repo: "https://github.com/example/print-server".into(),
        },
        severity: SeverityDraft {
            cvss_v3_1: Some("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N".into()),
            cvss_v4_0: Some(
                "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N".into(),
            ),
            score_tenths: Some(57),
            rating: Some("Moderate".into()),
        },
        weaknesses: vec![weakness("CWE-73"), weakness("CWE-79")],
        affected: vec![range("2.0.0rc1", Some("2.0.0rc3"), None), range("0", Some("1.4.2"), None)],
        sections: Vec::new(),
        credits: vec![
            Credit {
                name: "Zoë Example".into(),
                role: CreditRole::Reporter,
                github: Some("zoe".into()),
                consent: Some(true),
            },
            Credit {
                name: "Secret Person".into(),
                role: CreditRole::Finder,
                github: Some("secret".into()),
                consent: Some(false),
            },
        ],
        references: vec![Reference {
            kind: ReferenceKind::Fix,
            url: "https://github.com/example/print-server/commit/1".into(),
        }],
        related: vec!["GHSA-cfgh-2345-6789".into()],
        timeline: vec![TimelineLine {
            date: day("2026-06-04").expect("a date"),
            text: "Report received".into(),
        }],
        dates: Default::default(),
    };
    for (heading, body) in [("Impact", "Thanks to @zoe and @other."), ("Workaround", "None.")] {
        draft.sections.push(Section { heading: heading.into(), body: body.into() });
    }
    draft.dates.reported = day("2026-06-04");
    draft.dates.published = day("2026-06-23");
    draft.dates.modified = day("2026-06-24T10:00:00Z");
    draft
}

fn file(draft: &AdvisoryDraft, format: Format) -> Exported {
    export(draft, &[format]).expect("exported").remove(0)
}

fn parsed(draft: &AdvisoryDraft, format: Format) -> Value {
    serde_json::from_slice(&file(draft, format).bytes).expect("JSON")
}

#[test]
fn formats_are_named_singly_in_lists_and_all_at_once() {
    let wanted = |formats: &[Format], all| Ok(Wanted { formats: formats.to_vec(), all });
    assert_eq!(parse_formats("osv, ghsa,osv"), wanted(&[Format::Ghsa, Format::Osv], false));
    assert_eq!(parse_formats("all"), wanted(&[], true));
    assert_eq!(
        parse_formats("csaf-2.1,openvex"),
        wanted(&[Format::Csaf21, Format::OpenVex], false)
    );
    assert!(parse_formats("osv,pdf").expect_err("unknown").contains("\"pdf\""));
    assert!(parse_formats(" , ").is_err());
}

#[test]
fn nothing_is_written_while_a_fault_stands() {
    let mut draft = published();
    draft.affected[1].fixed = Some("next".into());
    let found = export(&draft, &Format::ALL).expect_err("faulty");
    assert_eq!(found[0].field, "affected[2].fixed");
    // A fault of one format does not keep the others back.
    let mut draft = published();
    draft.title = "x".repeat(300);
    assert!(export(&draft, &[Format::Osv]).is_ok());
    assert_eq!(export(&draft, &Format::ALL).expect_err("faulty")[0].format, Some(Format::Cve));
}

#[test]
fn osv_joins_branches_and_names_the_package_normalised() {
    let osv = parsed(&published(), Format::Osv);
    let affected = &osv["affected"][0];
    assert_eq!(affected["package"]["name"], "print-server");
    assert_eq!(affected["package"]["purl"], "pkg:pypi/print-server");
    let events = serde_json::json!([
        {"introduced": "0"}, {"fixed": "1.4.2"},
        {"introduced": "2.0.0rc1"}, {"fixed": "2.0.0rc3"}
    ]);
    assert_eq!(affected["ranges"][0]["events"], events);
    assert_eq!(osv["aliases"], serde_json::json!(["CVE-2026-10001", "PYSEC-2026-9"]));
    assert_eq!(osv["modified"], "2026-06-24T10:00:00Z");
    assert_eq!(osv["references"][0]["type"], "ADVISORY", "worked out from the id");
}

#[test]
fn a_draft_is_marked_and_carries_no_unknown_id() {
    let mut draft = published();
    draft.id = "print-server-bcdfghjk".into();
    (draft.ghsa_id, draft.cve_id, draft.status) = (None, None, AdvisoryStatus::Draft);
    (draft.aliases, draft.dates.published) = (Vec::new(), None);
    let osv = parsed(&draft, Format::Osv);
    assert_eq!(osv["id"], "x_print-server-bcdfghjk");
    assert!(osv.get("published").is_none() && osv.get("aliases").is_none());
    let csaf = parsed(&draft, Format::Csaf);
    assert_eq!(csaf["document"]["tracking"]["status"], "draft");
    assert_eq!(csaf["document"]["tracking"]["version"], "0.1.0");
    assert_eq!(csaf["document"]["distribution"]["tlp"]["label"], "AMBER");
    assert!(csaf["vulnerabilities"][0].get("cve").is_none());
    assert!(parsed(&draft, Format::Cve).get("cveMetadata").is_none());
    assert_eq!(parsed(&draft, Format::Ghsa)["cve_id"], Value::Null);
    let markdown = String::from_utf8(file(&draft, Format::Markdown).bytes).expect("UTF-8");
    assert!(markdown.contains("TLP:AMBER"));
}

#[test]
fn who_did_not_agree_stands_nowhere() {
    for file in export(&published(), &Format::ALL).expect("exported") {
        let text = String::from_utf8(file.bytes).expect("UTF-8");
        assert!(!text.contains("Secret") && !text.contains("secret"), "{}", file.file_name);
    }
    let mut draft = published();
    draft.sections[0].body = "Found by Secret Person.".into();
    assert_eq!(faults(&draft)[0].field, "credit[2].consent");
}

#[test]
fn only_credited_people_are_mentioned() {
    let description = parsed(&published(), Format::Ghsa)["description"].to_string();
    assert!(description.contains("Thanks to @zoe and `@other`."), "{description}");
}

#[test]
fn ranges_without_end_are_said_in_each_format() {
    let mut draft = published();
    draft.affected = vec![range("0", Some("1.4.2"), None), range("2.0.0rc1", None, None)];
    let cve = parsed(&draft, Format::Cve);
    let affected = &cve["containers"]["cna"]["affected"][0];
    assert_eq!(affected["defaultStatus"], "affected");
    assert_eq!(affected["versions"][0]["version"], "1.4.2");
    assert_eq!(affected["versions"][0]["lessThan"], "2.0.0rc1");
    assert_eq!(affected["versions"][0]["status"], "unaffected");
    let ghsa = parsed(&draft, Format::Ghsa);
    assert_eq!(ghsa["vulnerabilities"][1]["vulnerable_version_range"], ">= 2.0.0rc1");
    let csaf = parsed(&draft, Format::Csaf).to_string();
    assert!(csaf.contains("vers:pypi/>=2.0.0rc1") && csaf.contains("none_available"));
}

#[test]
fn files_are_the_same_each_time_and_well_named() {
    let (one, two) = (export(&published(), &Format::ALL), export(&published(), &Format::ALL));
    assert_eq!(one, two);
    let names: Vec<String> = one.expect("files").into_iter().map(|file| file.file_name).collect();
    let stem = "ghsa-2345-6789-cfgh";
    let endings = ["ghsa.json", "osv.json", "json", "csaf-2.1", "cve.json", "md", "post.md"];
    let wanted = endings.map(|ending| match ending {
        "csaf-2.1" => format!("csaf-2.1/{stem}.json"),
        ending => format!("{stem}.{ending}"),
    });
    assert_eq!(names, wanted);
}

/// Paths of all leaves.
fn leaves(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| leaves(&format!("{at}/{key}"), value, found));
        }
        Value::Array(entries) => (entries.iter().enumerate())
            .for_each(|(number, value)| leaves(&format!("{at}/{number}"), value, found)),
        _ => found.push(at.to_owned()),
    }
}

/// A statement that the product is not affected.
fn not_affected() -> AdvisoryDraft {
    let mut draft = published();
    draft.affected.clear();
    draft.severity = SeverityDraft::default();
    draft.not_affected = Some(NotAffected {
        justification: Some(Justification::VulnerableCodeNotInExecutePath),
        statement: "The parser that has the flaw is never called.".into(),
        component: Some("pkg:pypi/parser".into()),
        versions: vec!["1.4.1".into(), "1.4.2".into()],
    });
    draft
}

/// Files of both drafts, every format among them.
fn every_file() -> Vec<(AdvisoryDraft, Exported)> {
    let statement = not_affected();
    let vex = file(&statement, Format::OpenVex);
    let mut files = vec![(statement, vex)];
    for draft in [published(), embargoed()] {
        let exported = export(&draft, &Format::ALL).expect("exported");
        files.extend(exported.into_iter().map(|file| (draft.clone(), file)));
    }
    files
}

/// The same advisory before it is public.
fn embargoed() -> AdvisoryDraft {
    let mut draft = published();
    (draft.status, draft.dates.published) = (AdvisoryStatus::Draft, None);
    draft.dates.embargo_until = day("2026-09-02T11:15:00+02:00");
    draft
}

fn is_json(file: &Exported) -> bool {
    file.file_name.ends_with(".json")
}

/// Whether the change is named, by its member or by a field of the draft.
fn named(draft: &AdvisoryDraft, file: &Exported, document: &Value) -> Vec<String> {
    let bytes = (serde_json::to_string_pretty(document).expect("JSON") + "\n").into_bytes();
    let changed = Exported { bytes, ..file.clone() };
    agree(&[changed], draft).into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_change_anywhere_in_a_file_is_named() {
    let mut changes = 0;
    for (draft, file) in every_file().iter().filter(|(_, file)| is_json(file)) {
        let document: Value = serde_json::from_slice(&file.bytes).expect("JSON");
        let format = file.format;
        let mut paths = Vec::new();
        leaves("", &document, &mut paths);
        for path in paths {
            let mut changed = document.clone();
            let leaf = changed.pointer_mut(&path).expect("leaf");
            *leaf = match leaf.as_str() {
                Some(text) => format!("{text}1").into(),
                None => 3.into(),
            };
            let found = named(draft, file, &changed);
            assert!(found.contains(&path), "{format} {path}: {found:?}");
            // Left out, the member or entry is named too, or the list that is now shorter.
            let mut shorter = document.clone();
            let (parent, key) = path.rsplit_once('/').expect("a path");
            match shorter.pointer_mut(parent).expect("parent") {
                Value::Object(members) => drop(members.remove(key)),
                Value::Array(entries) => drop(entries.remove(key.parse().expect("a number"))),
                _ => panic!("{path}"),
            }
            let found = named(draft, file, &shorter);
            let said = |field: &String| *field == path || field == parent;
            assert!(found.iter().any(said), "{format} {path} left out: {found:?}");
            changes += 2;
        }
    }
    assert!(changes > 800, "{changes}");
}

#[test]
fn a_change_of_any_line_of_prose_is_named_with_its_place() {
    let mut fields = std::collections::BTreeSet::new();
    for (draft, file) in every_file().iter().filter(|(_, file)| !is_json(file)) {
        let text = String::from_utf8(file.bytes.clone()).expect("UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let change = |line: &str| -> Vec<String> {
                let mut changed: Vec<String> =
                    lines.iter().map(|line| (*line).to_owned()).collect();
                changed[at] = line.to_owned();
                let bytes = (changed.join("\n") + "\n").into_bytes();
                let changed = Exported { bytes, ..file.clone() };
                agree(&[changed], draft).into_iter().map(|fault| fault.field).collect()
            };
            for changed in [format!("{}1", lines[at]), String::from("other")] {
                let found = change(&changed);
                assert!(!found.is_empty(), "{} line {at}", file.format);
                fields.extend(found);
            }
        }
    }
    for field in [
        "title",
        "severity",
        "affected versions",
        "fixed versions",
        "weakness",
        "cve",
        "published",
        "credit",
        "section Impact",
        "section Workaround",
        "section Credits",
        "section Timeline",
        "section References",
        "section Security fixes",
    ] {
        assert!(fields.contains(field), "{field}: {fields:?}");
    }
}

#[test]
fn json_reads_back_and_prints_the_same() {
    for (_, file) in every_file().iter().filter(|(_, file)| is_json(file)) {
        let text = std::str::from_utf8(&file.bytes).expect("UTF-8");
        let document: Value = serde_json::from_str(text).expect("JSON");
        let again: Value =
            serde_json::from_str(&serde_json::to_string_pretty(&document).expect("JSON"))
                .expect("JSON");
        assert_eq!(again, document);
        // CSAF has its members in alphabetical order, so there the bytes are the same too.
        if matches!(file.format, Format::Csaf | Format::Csaf21) {
            assert_eq!(serde_json::to_string_pretty(&document).expect("JSON") + "\n", text);
        }
    }
}

#[test]
fn a_draft_carries_its_label_and_the_date_with_its_zone() {
    let draft = embargoed();
    let said = "until 2026-09-02 09:15 UTC";
    let csaf = parsed(&draft, Format::Csaf21);
    let distribution = &csaf["document"]["distribution"];
    assert_eq!(distribution["tlp"]["label"], "AMBER");
    assert!(distribution["text"].as_str().is_some_and(|text| text.contains(said)));
    for format in [Format::Markdown, Format::Post] {
        let text = String::from_utf8(file(&draft, format).bytes).expect("UTF-8");
        assert!(text.contains("TLP:AMBER") && text.contains(said), "{text}");
    }
    let osv = parsed(&draft, Format::Osv);
    assert_eq!(osv["database_specific"]["embargo_until"], "2026-09-02T09:15:00Z");
    assert_eq!(parsed(&draft, Format::Cve)["x_tlp"], "AMBER");
    for file in export(&published(), &Format::ALL).expect("exported") {
        let text = String::from_utf8(file.bytes).expect("UTF-8");
        assert!(!text.contains("AMBER") && !text.contains("embargo"), "{}", file.file_name);
    }
}

#[test]
fn csaf_2_1_takes_what_2_0_has_no_place_for() {
    let csaf = parsed(&published(), Format::Csaf21);
    let flaw = &csaf["vulnerabilities"][0];
    assert_eq!(csaf["document"]["distribution"]["tlp"]["label"], "CLEAR");
    assert_eq!(flaw["cwes"].as_array().map(Vec::len), Some(2));
    assert_eq!(flaw["cwes"][1]["version"], "4.17");
    let content = &flaw["metrics"][0]["content"];
    assert_eq!(content["cvss_v4"]["attackVector"], "ADJACENT");
    assert_eq!(content["cvss_v3"]["attackVector"], "ADJACENT_NETWORK");
    assert!(flaw.get("scores").is_none() && flaw.get("cwe").is_none());
}

#[test]
fn openvex_says_not_affected_and_the_other_formats_do_not() {
    let draft = not_affected();
    let vex = parsed(&draft, Format::OpenVex);
    let statement = &vex["statements"][0];
    assert_eq!(statement["status"], "not_affected");
    assert_eq!(statement["vulnerability"]["name"], "CVE-2026-10001");
    assert_eq!(statement["products"][1]["@id"], "pkg:pypi/print-server@1.4.2");
    let found = export(&draft, &[Format::Osv]).expect_err("says something else");
    assert_eq!(found[0].field, "not_affected");
    let found = export(&published(), &[Format::OpenVex]).expect_err("affected");
    assert_eq!(found[0].format, Some(Format::OpenVex));
    let wanted = Wanted { formats: vec![Format::Osv], all: false };
    assert_eq!(choose(&draft, &wanted, 40).expect_err("refused")[0].field, "format");
    let all = Wanted { formats: Vec::new(), all: true };
    assert_eq!(choose(&draft, &all, 40).expect("chosen").formats, [Format::OpenVex]);
}

#[test]
fn several_advisories_share_one_post() {
    let (one, mut two) = (published(), published());
    two.title = "Second \"flaw\"".into();
    two.credits[0].name = "A \"B\" C".into();
    two.credits[0].github = None;
    let post = post::release_post(&[&one, &two]);
    assert_eq!(post.matches("> **").count(), 2);
    assert!(
        post.contains("- \"[Zoë Example](https://github.com/zoe)\"\n- \"A \\\"B\\\" C\"\n---"),
        "{post}"
    );
    assert!(post.contains("> Severity Moderate (5.7)"), "{post}");
}

#[test]
fn other_ecosystems_are_called_by_each_formats_word() {
    let mut draft = published();
    draft.product.ecosystem = "npm".into();
    draft.product.package = "@example/print".into();
    draft.affected =
        vec![range("2.0.0-rc.1", Some("2.0.0-rc.3"), None), range("0", Some("1.4.2"), None)];
    let osv = parsed(&draft, Format::Osv);
    assert_eq!(osv["affected"][0]["ranges"][0]["type"], "SEMVER");
    assert_eq!(osv["affected"][0]["package"]["purl"], "pkg:npm/%40example/print");
    assert_eq!(parsed(&draft, Format::Ghsa)["vulnerabilities"][0]["package"]["ecosystem"], "npm");
    let cve = &parsed(&draft, Format::Cve)["containers"]["cna"]["affected"][0];
    assert_eq!(cve["versions"][0]["versionType"], "semver");
    assert!(parsed(&draft, Format::Csaf).to_string().contains("vers:npm/>=2.0.0-rc.1|<2.0.0-rc.3"));
    assert_eq!(export(&draft, &Format::ALL).map(|files| files.len()), Ok(7));
}

#[test]
fn facts_are_read_back_and_named_in_the_drafts_words() {
    let draft = published();
    for (format, path, wrong, field) in [
        (Format::Osv, "/affected/0/ranges/0/events/1/fixed", "1.4.3", "affected"),
        (Format::Ghsa, "/vulnerabilities/0/vulnerable_version_range", "<= 1.4.2", "affected"),
        (Format::Cve, "/containers/cna/affected/0/versions/0/lessThan", "1.4", "affected"),
        (Format::Cve, "/containers/cna/metrics/0/cvssV3_1/baseSeverity", "LOW", "severity.score"),
        (
            Format::Csaf,
            "/product_tree/branches/0/branches/0/branches/0/name",
            "vers:pypi/<1",
            "affected",
        ),
        (Format::Csaf, "/vulnerabilities/0/cwe/id", "CWE-23", "weakness"),
        (Format::Ghsa, "/credits/0/login", "other", "credit"),
    ] {
        let mut document = parsed(&draft, format);
        *document.pointer_mut(path).expect("member") = wrong.into();
        let bytes = (document.to_string() + "\n").into_bytes();
        let found = agree(&[Exported { format, file_name: String::new(), bytes }], &draft);
        assert!(found.iter().any(|fault| fault.field == field), "{path}: {found:?}");
    }
    let mut markdown = file(&draft, Format::Markdown);
    markdown.bytes.extend(b"more\n");
    assert_eq!(agree(&[markdown], &draft)[0].format, Some(Format::Markdown));
}

#[test]
fn text_that_grows_when_neutralised_is_measured_in_the_file() {
    let mut draft = published();
    draft.cve_description = Some("\u{202e}".repeat(1000));
    let found = export(&draft, &[Format::Cve]).expect_err("too long");
    assert_eq!(found[0].field, "cve_description");
    assert!(export(&draft, &[Format::Osv]).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Hostile bodies: exported whole or refused with a reason, and never with hidden characters.
    #[test]
    fn any_body_gives_files_that_agree_or_faults(
        body in "([#`~<>@!\\[\\]()=*+ \n\r\t1a:/-]|\\PC|\u{202e}|\u{0}|\u{1b}|```|~~~\n){1,200}",
        description in any::<String>(),
    ) {
        let mut draft = published();
        draft.sections[0].body = body;
        draft.cve_description = Some(description);
        match export(&draft, &Format::ALL) {
            Ok(files) => for file in files {
                let text = String::from_utf8(file.bytes).expect("UTF-8");
                prop_assert!(!text.chars().any(|c| crate::domain::text::is_hidden(c) && c != '\t'));
            },
            Err(found) => prop_assert!(
                found.iter().all(|fault| fault.field.starts_with("section") || fault.field == "cve_description"),
                "{:?}", found
            ),
        }
    }
}
