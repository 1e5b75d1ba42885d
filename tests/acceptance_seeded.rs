//! Seeded faults: whatever the outside validator reports, ours reports before anything is written.
//!
//! Needs the shared material and Python as `acceptance_export.rs` does; the CSAF tests need `CASEBOOK_CSAF_LIB`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests stand outside test functions"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use casebook::domain::advisory::{AdvisoryDraft, Format, faults};
use casebook::export::{Exported, agree, draft_toml, write};
use serde_json::{Value, json};

/// Formats of the checked set: one CSAF edition, since both have one name.
const FORMATS: [Format; 5] =
    [Format::Ghsa, Format::Osv, Format::Csaf, Format::Cve, Format::Markdown];

type Change = fn(&mut AdvisoryDraft);

fn draft_seeds() -> Vec<(&'static str, Change)> {
    vec![
        ("version", |d| d.affected[0].fixed = Some("next".into())),
        ("empty-range", |d| d.affected[1].fixed = Some("1.9".into())),
        ("overlap", |d| d.affected[0].fixed = Some("2.0.0rc2".into())),
        ("placeholder-title", |d| d.title = "TODO title".into()),
        ("placeholder-id", |d| d.sections[0].body += " CVE-2026-XXXXX"),
        ("placeholder-ghsa", |d| d.sections[0].body += " GHSA-xxxx-xxxx-xxxx"),
        ("placeholder-gap", |d| d.sections[0].body += " {{version}}"),
        ("cve-id", |d| d.cve_id = Some("CVE-26-1".into())),
        ("cwe-unknown", |d| d.weaknesses[0].id = "CWE-99999".into()),
        ("cwe-name", |d| d.weaknesses[0].name = "Path things".into()),
        ("cwe-prohibited", |d| {
            (d.weaknesses[0].id, d.weaknesses[0].name) = ("CWE-16".into(), "Configuration".into());
        }),
        ("title-long", |d| d.title = "long ".repeat(60)),
        ("empty-section", |d| d.sections[0].body.clear()),
        ("alias-twice", |d| d.aliases = vec!["PYSEC-2026-1".into(); 2]),
        ("alias-related", |d| d.related = vec!["CVE-2026-54134".into()]),
        ("description-long", |d| d.cve_description = Some("x".repeat(5000))),
        ("url", |d| d.references[1].url = "not an address".into()),
        ("repo", |d| d.product.repo = "no address".into()),
        ("title-missing", |d| d.title.clear()),
        ("range-missing", |d| d.affected.clear()),
    ]
}

/// A change of one written file: format, and what to set where (null removes).
fn file_seeds() -> Vec<(&'static str, Format, &'static str, Value)> {
    let cna = |rest: &str| -> &'static str { format!("/containers/cna{rest}").leak() };
    vec![
        ("osv-schema", Format::Osv, "/schema_version", Value::Null),
        ("osv-time", Format::Osv, "/modified", json!("2026-06-23T00:00:00+02:00")),
        ("osv-purl", Format::Osv, "/affected/0/package/purl", json!("pkg:pypi/octoprint@1")),
        ("osv-name", Format::Osv, "/affected/0/package/name", json!("OctoPrint")),
        ("osv-type", Format::Osv, "/affected/0/ranges/0/type", json!("SEMVER")),
        ("osv-vector", Format::Osv, "/severity/0/score", json!("CVSS:4.0/AC:L/AV:A")),
        ("osv-severity", Format::Osv, "/severity/0/type", json!("CVSS_V3")),
        ("osv-event", Format::Osv, "/affected/0/ranges/0/events/1/fixed", json!("0")),
        ("osv-alias", Format::Osv, "/aliases/0", json!("GHSA-j4h9-pm27-4rfw")),
        ("ghsa-word", Format::Ghsa, "/severity", json!("moderate")),
        (
            "ghsa-range",
            Format::Ghsa,
            "/vulnerabilities/0/vulnerable_version_range",
            json!("1.11.7-"),
        ),
        ("ghsa-ecosystem", Format::Ghsa, "/vulnerabilities/0/package/ecosystem", json!("PyPI")),
        ("ghsa-patched", Format::Ghsa, "/vulnerabilities/0/patched_versions", json!("1.11.7")),
        ("ghsa-vector", Format::Ghsa, "/cvss_vector_string", Value::Null),
        ("ghsa-cwe", Format::Ghsa, "/cwe_ids/0", json!("CWE-79")),
        ("cve-score", Format::Cve, cna("/metrics/0/cvssV4_0/baseScore"), json!(7.1)),
        ("cve-band", Format::Cve, cna("/metrics/0/cvssV4_0/baseSeverity"), json!("LOW")),
        ("cve-type", Format::Cve, cna("/affected/0/versions/0/versionType"), Value::Null),
        ("cve-links", Format::Cve, cna("/references"), json!([])),
        ("cve-tag", Format::Cve, cna("/references/0/tags/0"), json!("advisory")),
        ("cve-problem", Format::Cve, cna("/problemTypes"), json!([])),
        ("cve-range", Format::Cve, cna("/affected/0/versions/0/lessThan"), json!("1.11.9")),
        ("cve-title", Format::Cve, cna("/title"), json!("Another title")),
        ("cve-language", Format::Cve, cna("/descriptions/0/lang"), json!("de")),
        ("csaf-label", Format::Csaf, "/document/distribution", Value::Null),
        ("csaf-version", Format::Csaf, "/document/tracking/version", json!("9.0.0")),
        ("csaf-product", Format::Csaf, "/vulnerabilities/0/product_status/fixed/0", json!("none")),
        ("csaf-time", Format::Csaf, "/document/tracking/current_release_date", json!("2026-06-23")),
        ("csaf-status", Format::Csaf, "/document/tracking/status", json!("draft")),
        ("csaf-cwe", Format::Csaf, "/vulnerabilities/0/cwe/name", json!("Path things")),
        ("csaf-title", Format::Csaf, "/document/title", json!("Another title")),
        ("csaf-control", Format::Csaf, "/document/title", json!("a\u{202e}b")),
    ]
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a path");
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}")) {
        Value::Object(members) if value.is_null() => drop(members.remove(key).expect("there")),
        Value::Object(members) => drop(members.insert(key.into(), value)),
        Value::Array(entries) => entries[key.parse::<usize>().expect("a number")] = value,
        _ => panic!("{pointer}"),
    }
}

fn put(root: &Path, name: &str, files: &[Exported]) {
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).expect("folder");
    for file in files {
        std::fs::write(folder.join(&file.file_name), &file.bytes).expect("written");
    }
}

#[test]
fn every_fault_that_the_validator_reports_is_reported_first() {
    let named = std::env::var_os("CASEBOOK_SHARED").map(PathBuf::from);
    let shared = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let input = shared.join("advisories/GHSA-j4h9-pm27-4rfw/input.toml");
    let Ok(toml) = std::fs::read_to_string(input) else {
        println!("skipped: no shared material");
        return;
    };
    let draft = draft_toml::read(&toml).expect("a draft");
    let whole = |draft: &AdvisoryDraft| FORMATS.map(|format| write(draft, format)).to_vec();
    let root = tempfile::tempdir().expect("folder");
    let mut names = Vec::new();
    for (name, change) in draft_seeds() {
        let mut changed = draft.clone();
        change(&mut changed);
        assert!(!faults(&changed).is_empty(), "{name}: not found in the draft");
        // A version that is none makes the outside validator give up on the whole tree.
        if name != "version" {
            put(root.path(), name, &whole(&changed));
            names.push(name);
        }
    }
    for (name, format, pointer, value) in file_seeds() {
        let mut files = whole(&draft);
        let file = files.iter_mut().find(|file| file.format == format).expect("written");
        let mut document: Value = serde_json::from_slice(&file.bytes).expect("JSON");
        set(&mut document, pointer, value);
        file.bytes = (serde_json::to_string_pretty(&document).expect("JSON") + "\n").into_bytes();
        assert!(!agree(&files, &draft).is_empty(), "{name}: not found in the file");
        put(root.path(), name, &files);
        names.push(name);
    }
    type Text = fn(String) -> String;
    let prose: [(&str, Text); 5] = [
        ("md-section", |text| text.replace("### Patches", "Patches")),
        ("md-fence", |text| text + "```\n"),
        ("md-crlf", |text| text.replace('\n', "\r\n")),
        ("md-bidi", |text| text + "\u{202e}\n"),
        ("md-control", |text| text + "\u{7}\n"),
    ];
    for (name, change) in prose {
        let mut files = whole(&draft);
        let file = files.last_mut().expect("Markdown");
        file.bytes = change(String::from_utf8(file.bytes.clone()).expect("UTF-8")).into_bytes();
        assert!(!agree(&files, &draft).is_empty(), "{name}: not found in the file");
        put(root.path(), name, &files);
        names.push(name);
    }
    validator(&shared, root.path(), &names);
}

/// The outside validator must see each seed too: else it would prove nothing.
fn validator(shared: &Path, root: &Path, names: &[&str]) {
    let python = std::env::var("CASEBOOK_PYTHON").unwrap_or_else(|_| "python3".into());
    let modules = "import jsonschema, referencing, packaging, cvss, rfc3339_validator";
    let ready = Command::new(&python).args(["-c", modules]).output();
    let library = std::env::var_os("CASEBOOK_CSAF_LIB");
    let (Some(library), true) = (library, ready.is_ok_and(|output| output.status.success())) else {
        println!("skipped: no Python with the validator's packages, or no CSAF tests");
        return;
    };
    let output = Command::new(python)
        .arg(shared.join("tools/validate_exports.py"))
        .arg("--schemas")
        .arg(shared.join("schemas"))
        .arg("--csaf-lib")
        .arg(library)
        .arg("--cwe")
        .arg(shared.join("cwe/cwe-4.20.tsv"))
        .arg("--json")
        .arg(root)
        .output()
        .expect("runs");
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let errors: Vec<&str> = said["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["level"] == "error")
        .filter_map(|finding| finding["file"].as_str()?.split('/').next())
        .collect();
    let unseen: Vec<&&str> = names.iter().filter(|name| !errors.contains(name)).collect();
    println!("seeded {}, seen by the validator {}", names.len(), names.len() - unseen.len());
    println!("seen by ours alone: {unseen:?}");
    assert!(names.len() - unseen.len() >= 29);
}
