//! The shared reports and advisories: labelled duplicates are named first, unrelated reports of one class are not.
//!
//! Needs the shared material (`CASEBOOK_SHARED`, or `../shared` beside the checkout).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use casebook::intake::near::{self, Features, Table};
use casebook::mail;

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("CASEBOOK_SHARED").map_or(beside, PathBuf::from);
    let found = folder.join("corpus/reports/labels.toml").is_file();
    if !found {
        println!("skipped: no shared material");
    }
    found.then_some(folder)
}

const PRODUCT: &str = "OctoPrint";

struct Report {
    id: String,
    duplicate_of: String,
    features: Features,
}

/// One text a case, from the mails to us; answers join their case.
fn reports(shared: &Path) -> Vec<Report> {
    let folder = shared.join("corpus/reports");
    let table: toml::Table =
        fs::read_to_string(folder.join("labels.toml")).expect("labels").parse().expect("TOML");
    let mut cases: BTreeMap<String, Report> = BTreeMap::new();
    for label in table["mail"].as_array().expect("mails") {
        let text = |key: &str| label.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        if text("direction") != "in" {
            continue;
        }
        let message = mail::parse(&fs::read(folder.join(text("file"))).expect("a mail"));
        let features = near::features(&message.subject, &message.text, PRODUCT);
        match cases.get_mut(text("case")) {
            Some(case) => case.features.extend(features),
            None => {
                let report = Report {
                    id: text("id").to_owned(),
                    duplicate_of: text("duplicate_of").to_owned(),
                    features,
                };
                cases.insert(text("case").to_owned(), report);
            }
        }
    }
    cases.into_values().collect()
}

#[test]
fn labelled_duplicates_are_named_first() {
    let Some(shared) = shared() else { return };
    let reports = reports(&shared);
    let mut table = Table::default();
    for (at, report) in reports.iter().enumerate() {
        table.set(at, report.features.sketch());
    }
    for (at, report) in reports.iter().enumerate() {
        let found = table.ranked(&report.features.sketch(), Some(at));
        let words: Vec<String> = found
            .iter()
            .take(3)
            .map(|near| format!("{} {:.2}", reports[near.key].id, near.score))
            .collect();
        println!("{} [{}] {}", report.id, report.duplicate_of, words.join(", "));
        if std::env::var_os("TELL").is_some() {
            for near in found.iter().take(2) {
                println!(
                    "        {}: {:?}",
                    reports[near.key].id,
                    near::shared(&report.features, &reports[near.key].features)
                );
            }
        }
    }
}

/// A published record and what a reporter who never saw it might write.
const PARAPHRASES: [(&str, &str, &str); 9] = [
    (
        "GHSA-2vjq-hg5w-5gm7",
        "Login not needed with a forged proxy header",
        "If autologinLocal is switched on, I only have to send X-Forwarded-For: 127.0.0.1 along with my request\n\
         and I am logged in, from any network. The address check believes the header.",
    ),
    (
        "GHSA-49mj-x8jp-qvfc",
        "shell commands through the name of a gcode file",
        "Hello,\n\nI upload a file whose name holds shell characters. When an event handler of type system runs a\n\
         command with {__filename} in it, what is in the name is executed. An account is needed.",
    ),
    (
        "GHSA-9wj4-8h85-pgrw",
        "one broken upload hangs the whole server",
        "Send a multipart/form-data body without the closing boundary to any upload url. Tornado then loops for\n\
         ever and the web interface is unresponsive for everybody. No login is needed.",
    ),
    (
        "GHSA-cc6x-8cc7-9953",
        "global API key shown without asking for the password again",
        "Somebody who sits down at an unlocked session can open the settings and read, renew or delete the API\n\
         key. There is no re-authentication, the password is never asked for.",
    ),
    (
        "GHSA-fwfg-vprh-97ph",
        "template injection in gcode scripts",
        "GCODE scripts are rendered as Jinja templates without a sandbox. An admin can put a crafted script into\n\
         the settings and gets code execution with the rights of the server process when it is rendered.",
    ),
    (
        "GHSA-j4h9-pm27-4rfw",
        "file theft by upload parameters, fix incomplete",
        "The upload endpoints still take the internal fields when they come as query parameters. With FILE_UPLOAD\n\
         I move any file the server may read into the uploads folder and download it. So the fix of\n\
         CVE-2025-48067 is not complete.",
    ),
    (
        "GHSA-m9jh-jf9h-x3h2",
        "upload form fields let a user pull files off the host",
        "With the FILE_UPLOAD permission one can add form inputs that are meant for internal use only. The server\n\
         then moves an arbitrary host file into the upload folder, from where it can be downloaded: secrets of\n\
         the config get out.",
    ),
    (
        "GHSA-x7mf-wrh9-r76c",
        "javascript runs on webcam snapshot test",
        "In the classic webcam plugin settings put a crafted URL as snapshot URL and press Test. The image is\n\
         rendered in the browser and the script inside is executed as the admin.",
    ),
    (
        "GHSA-xg4x-w2j3-57h6",
        "API key check is not constant time",
        "The key is compared with == character by character and stops at the first mismatch. By measuring response\n\
         times over the network a key can be guessed one character after the other.",
    ),
];

#[test]
fn paraphrases_of_published_records_find_them() {
    let Some(shared) = shared() else { return };
    let reports = reports(&shared);
    let product = casebook::domain::advisory::Product::default();
    let mut table: Table<usize> = Table::default();
    for (at, report) in reports.iter().enumerate() {
        table.set(at, report.features.sketch());
    }
    let mut names = Vec::new();
    for (at, (id, ..)) in PARAPHRASES.iter().enumerate() {
        let path = shared.join(format!("advisories/{id}/published.osv.json"));
        let text = fs::read_to_string(path).expect("a record");
        let draft = casebook::export::import::read(&text, &product).expect("a record").draft;
        let features = near::features_of_advisory(&draft, PRODUCT);
        table.set(1000 + at, features.sketch());
        names.push((id, features));
    }
    let name = |key: usize| {
        key.checked_sub(1000).map_or_else(|| reports[key].id.as_str(), |at| names[at].0)
    };
    for (id, subject, text) in PARAPHRASES {
        let features = near::features(subject, text, PRODUCT);
        let found = table.ranked(&features.sketch(), None);
        let words: Vec<String> = found
            .iter()
            .take(4)
            .map(|near| format!("{} {:.2}", name(near.key), near.score))
            .collect();
        println!("{id}: {}", words.join(", "));
        if let Some(near) = found.first()
            && near.key >= 1000
        {
            println!("      {:?}", near::shared(&features, &names[near.key - 1000].1));
        }
    }
    println!("published records to each other and to the reports");
    for (at, (id, features)) in names.iter().enumerate() {
        let found = table.ranked(&features.sketch(), Some(1000 + at));
        let words: Vec<String> = found
            .iter()
            .take(4)
            .map(|near| format!("{} {:.2}", name(near.key), near.score))
            .collect();
        println!("{id}: {}", words.join(", "));
    }
}
