//! The nine published advisories through every format, checked against what was published, and the draft forms.
//!
//! Needs the shared material (`CASEBOOK_SHARED`, or `../shared` beside the checkout); the outside validators also
//! need Python with jsonschema, referencing, packaging, cvss and rfc3339-validator (`CASEBOOK_PYTHON`, or `python3`)
//! and, for the CSAF tests, `CASEBOOK_CSAF_LIB`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests stand outside test functions"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use casebook::domain::advisory::{
    AdvisoryDraft, AdvisoryStatus, AffectedRange, DraftDate, Pep440, Reference, ReferenceKind,
    Section, TimelineLine, VersionScheme, faults,
};
use casebook::domain::credit::{Credit, CreditRole};
use casebook::export::{Format, draft_toml, export};

fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("CASEBOOK_SHARED").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let found = folder.join("advisories").is_dir();
    if !found {
        println!("skipped: no shared material");
    }
    found.then_some(folder)
}

/// Reads the nine drafts, in order.
fn real_drafts(shared: &Path) -> Vec<AdvisoryDraft> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(shared.join("advisories"))
        .expect("advisories")
        .map(|entry| entry.expect("entry").path().join("input.toml"))
        .filter(|path| path.is_file())
        .collect();
    folders.sort();
    folders
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("draft");
            draft_toml::read(&text).unwrap_or_else(|faults| panic!("{path:?}: {faults:?}"))
        })
        .collect()
}

/// Writes every format of a draft into `root/name`.
fn write_all(root: &Path, name: &str, draft: &AdvisoryDraft) {
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).expect("folder");
    let files = export(draft, &Format::ALL).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
    for file in files {
        std::fs::write(folder.join(file.file_name), file.bytes).expect("written");
    }
}

/// Runs a checker; `None` where Python or its packages are not there.
fn python(script: &Path, arguments: &[&Path]) -> Option<(bool, String)> {
    let python = std::env::var("CASEBOOK_PYTHON").unwrap_or_else(|_| "python3".into());
    let modules = "import jsonschema, referencing, packaging, cvss, rfc3339_validator";
    let ready = Command::new(&python).args(["-c", modules]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        println!("skipped: no Python with the validator's packages");
        return None;
    }
    let output = Command::new(python).arg(script).args(arguments).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    Some((output.status.success(), said))
}

fn validate(shared: &Path, root: &Path) {
    let schemas = shared.join("schemas");
    let flags =
        ["--schemas", "--require", "osv,ghsa,cve,csaf,markdown", "--csaf-lib"].map(Path::new);
    let mut arguments: Vec<&Path> = vec![flags[0], &schemas, flags[1], flags[2]];
    let library = std::env::var_os("CASEBOOK_CSAF_LIB").map(PathBuf::from);
    if let Some(library) = &library {
        arguments.extend([flags[3], library]);
    }
    arguments.push(root);
    if let Some((fine, said)) = python(&shared.join("tools/validate_exports.py"), &arguments) {
        assert!(fine, "{said}");
    }
}

#[test]
fn the_published_advisories_come_out_as_published() {
    let Some(shared) = shared() else { return };
    let root = tempfile::tempdir().expect("folder");
    let drafts = real_drafts(&shared);
    assert_eq!(drafts.len(), 9);
    for draft in &drafts {
        write_all(root.path(), &draft.id, draft);
    }
    let facts = shared.join("advisories");
    if let Some((equal, said)) =
        python(&shared.join("tools/compare_published.py"), &[root.path(), &facts])
    {
        assert!(equal, "{said}");
    }
    validate(&shared, root.path());
}

#[test]
fn real_drafts_survive_their_toml_and_give_the_same_bytes() {
    let Some(shared) = shared() else { return };
    for draft in real_drafts(&shared) {
        let again = draft_toml::read(&draft_toml::write(&draft));
        assert_eq!(again, Ok(draft.clone()));
        let (one, two) = (export(&draft, &Format::ALL), export(&draft, &Format::ALL));
        assert_eq!(one, two);
    }
}

/// The draft forms: what is unknown, unfinished or unusual must be valid in every format too.
fn matrix(base: &AdvisoryDraft) -> Vec<(&'static str, AdvisoryDraft)> {
    let mut plain = base.clone();
    plain.id = "octoprint-bcdfghjk".into();
    (plain.ghsa_id, plain.cve_id, plain.cve_title) = (None, None, None);
    plain.status = AdvisoryStatus::Draft;
    plain.dates = Default::default();
    plain.dates.reported = DraftDate::parse("2026-06-04T09:15:00Z");
    plain.references.clear();
    let with = |change: &dyn Fn(&mut AdvisoryDraft)| {
        let mut draft = plain.clone();
        change(&mut draft);
        draft
    };
    let range = |introduced: &str, fixed: Option<&str>, last: Option<&str>| AffectedRange {
        introduced: introduced.into(),
        fixed: fixed.map(Into::into),
        last_affected: last.map(Into::into),
        unsupported: false,
    };
    vec![
        ("ids-unknown", plain.clone()),
        ("ghsa-only", with(&|d| d.ghsa_id = Some("GHSA-2345-6789-cfgh".into()))),
        ("cve-only", with(&|d| d.cve_id = Some("CVE-2026-12345".into()))),
        ("no-fix", with(&|d| d.affected = vec![range("0", None, Some("1.11.7"))])),
        ("no-end", with(&|d| d.affected = vec![range("0", None, None)])),
        ("no-end-later", with(&|d| d.affected = vec![range("1.5.0", None, None)])),
        (
            "branches",
            with(&|d| {
                d.affected = vec![
                    range("2.0.0rc1", None, None),
                    range("0", Some("1.11.8"), None),
                    range("1.12.0", Some("1.12.1"), None),
                ]
            }),
        ),
        (
            "branches-mixed",
            with(&|d| {
                d.affected = vec![
                    range("2.0.0rc1", Some("2.0.0rc3"), None),
                    range("0", None, Some("1.11.7")),
                ]
            }),
        ),
        ("single", with(&|d| d.affected = vec![range("1.9.1", None, Some("1.9.1"))])),
        (
            "unsupported",
            with(&|d| {
                d.affected =
                    vec![range("0", None, Some("1.8.3")), range("1.9.0", Some("1.11.8"), None)];
                d.affected[0].unsupported = true;
            }),
        ),
        ("odd-versions", with(&|d| d.affected = vec![range("1!1.0", Some("1!2.0+local.1"), None)])),
        (
            "score-4.0",
            with(&|d| {
                d.severity = Default::default();
                let vector = "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N";
                d.severity.cvss_v4_0 = Some(vector.into());
            }),
        ),
        (
            "score-both",
            with(&|d| {
                let vector = "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N";
                d.severity.cvss_v4_0 = Some(vector.into());
            }),
        ),
        (
            "score-temporal",
            with(&|d| {
                d.severity = Default::default();
                let vector = "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:C/C:L/I:N/A:L/E:P/RL:O/RC:C";
                d.severity.cvss_v3_1 = Some(vector.into());
            }),
        ),
        ("no-weakness", with(&|d| d.weaknesses.clear())),
        (
            "credits",
            with(&|d| {
                d.sections.retain(|section| section.heading != "Credits");
                d.credits = CreditRole::ALL
                    .into_iter()
                    .map(|role| Credit {
                        name: format!("Zoë \"{role}\" 山田"),
                        role,
                        github: None,
                        consent: Some(role != CreditRole::Tool),
                    })
                    .collect();
            }),
        ),
        (
            "withdrawn",
            with(&|d| {
                d.status = AdvisoryStatus::Withdrawn;
                d.dates.published = DraftDate::parse("2026-06-23");
                d.dates.withdrawn = DraftDate::parse("2026-06-30");
                d.ghsa_id = Some("GHSA-2345-6789-cfgh".into());
            }),
        ),
        (
            "changed",
            with(&|d| {
                d.status = AdvisoryStatus::Published;
                d.dates.published = DraftDate::parse("2026-06-23T10:00:00Z");
                d.dates.modified = DraftDate::parse("2026-07-01");
                d.cve_id = Some("CVE-2026-12345".into());
                d.aliases = vec!["PYSEC-2026-1".into()];
                d.related = vec!["GHSA-m9jh-jf9h-x3h2".into()];
            }),
        ),
        ("hostile", with(&hostile)),
    ]
}

fn hostile(draft: &mut AdvisoryDraft) {
    let text = "# Top\r\n## Impact\r\nx\n===\n<script>alert(1)</script> @someone #12 \u{202e}abc\u{0}\u{1b}[31m\
                \u{200b}\n```\nunclosed <b> `` ` ```x\n~~~\n![i](http://e.example/x.png) [j](javascript:1)\n";
    draft.sections[0].body = text.repeat(3);
    draft.cve_description = Some(text.into());
    draft.title = "Ünïcode <b> @all #1 `x 漢字 \"quoted\" \\ *stars*".into();
    draft.sections.push(Section { heading: "Noté <i> #3".into(), body: "\n\n- ```".into() });
    draft.references.push(Reference {
        kind: ReferenceKind::Web,
        url: "https://example.org/a?b=%22&c=(d)#e".into(),
    });
    let line = TimelineLine {
        date: DraftDate::parse("2026-06-04").expect("day"),
        text: "Report <received> | @x".into(),
    };
    draft.timeline = vec![line.clone(), line];
}

#[test]
fn every_draft_form_is_valid_in_every_format() {
    let Some(shared) = shared() else { return };
    let root = tempfile::tempdir().expect("folder");
    let base = &real_drafts(&shared)[6];
    assert!(base.severity.cvss_v3_1.is_some());
    for (name, draft) in matrix(base) {
        assert_eq!(faults(&draft), [], "{name}");
        write_all(root.path(), name, &draft);
    }
    validate(&shared, root.path());
}

#[test]
fn enumerated_versions_lie_in_their_ranges() {
    let Some(shared) = shared() else { return };
    let mut counted = 0;
    for entry in std::fs::read_dir(shared.join("advisories/pysec")).expect("records") {
        let text = std::fs::read_to_string(entry.expect("entry").path()).expect("record");
        let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for affected in record["affected"].as_array().expect("affected") {
            let ranges = affected["ranges"].as_array().expect("ranges");
            let range = ranges.iter().find(|range| range["type"] == "ECOSYSTEM").expect("range");
            let range = AffectedRange {
                introduced: range["events"][0]["introduced"].as_str().expect("introduced").into(),
                fixed: range["events"][1]["fixed"].as_str().map(str::to_owned),
                ..AffectedRange::default()
            };
            assert_eq!(
                Pep440.contains(&range, range.fixed.as_deref().expect("fixed")),
                Some(false)
            );
            for version in affected["versions"].as_array().into_iter().flatten() {
                let version = version.as_str().expect("version");
                assert_eq!(Pep440.contains(&range, version), Some(true), "{version} in {range:?}");
                counted += 1;
            }
        }
    }
    assert_eq!(counted, 255);
}

#[test]
fn one_advisory_in_all_formats_is_quick() {
    let Some(shared) = shared() else { return };
    let drafts = real_drafts(&shared);
    // The best of some rounds: other tests share the machine.
    let round = |_| {
        let start = std::time::Instant::now();
        assert!(drafts.iter().all(|draft| export(draft, &Format::ALL).is_ok()));
        start.elapsed() / 9
    };
    let each = (0..5).map(round).min().expect("rounds");
    println!("one advisory in all formats: {each:?}");
    assert!(each.as_millis() < 50, "{each:?}");
}
