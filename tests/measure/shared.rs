//! The shared set of labelled reports, where it is at hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Label;

/// The folder of shared material; says so where there is none.
pub fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("CASEBOOK_SHARED").map_or(beside, PathBuf::from);
    let found = folder.join("corpus/reports/labels.toml").is_file();
    if !found {
        println!("skipped: no shared material");
    }
    found.then_some(folder)
}

fn text<'a>(mail: &'a toml::Table, key: &str) -> &'a str {
    mail.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

fn list(mail: &toml::Table, key: &str) -> BTreeSet<String> {
    let list = mail.get(key).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

fn flags(mail: &toml::Table) -> BTreeSet<String> {
    let is = |key: &str| mail.get(key).and_then(toml::Value::as_bool).unwrap_or_default();
    let raised = [
        ("ai-disclosed", text(mail, "ai") == "disclosed"),
        ("ai-suspected", text(mail, "ai") == "suspected-undisclosed"),
        ("scanner", is("scanner")),
        ("bounty", is("bounty_request")),
        ("poc", is("has_poc")),
        ("credit", is("credit_wanted")),
    ];
    raised.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()).collect()
}

/// The labelled reports.
pub fn reports(folder: &Path) -> Vec<(Label, Vec<u8>, Timestamp)> {
    let folder = folder.join("corpus/reports");
    let labels = std::fs::read_to_string(folder.join("labels.toml")).expect("readable");
    let labels: toml::Table = labels.parse().expect("labels are TOML");
    let list_of = labels["mail"].as_array().expect("a list").iter();
    let read = |mail: &toml::Table| {
        let raw = std::fs::read(folder.join(text(mail, "file"))).expect("readable");
        let received = mail["received"].as_datetime().expect("a time").to_string();
        let disposition = text(mail, "expected_disposition").to_owned();
        let label = Label {
            id: text(mail, "id").to_owned(),
            category: text(mail, "category").to_owned(),
            case: text(mail, "case").to_owned(),
            case_opener: !matches!(disposition.as_str(), "attach-to-case" | "own-reply"),
            direction: text(mail, "direction").to_owned(),
            disposition,
            clauses: list(mail, "clauses"),
            versions: list(mail, "claimed_versions"),
            status: text(mail, "version_status").to_owned(),
            vectors: list(mail, "cvss_vectors"),
            flags: flags(mail),
            duplicate_of: text(mail, "duplicate_of").to_owned(),
        };
        (label, raw, received.parse().expect("a time"))
    };
    list_of.map(|mail| read(mail.as_table().expect("a table"))).collect()
}
