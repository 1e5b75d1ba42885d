//! Threads and proposed answers over shared mails that carry no labels, and over published advisories. The
//! labelled reports are measured in `acceptance_judgement`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use casebook::config::policy::{embedded, parse};
use casebook::domain::case::Direction;
use casebook::domain::policy::Policy;
use casebook::domain::{Disposition, MessageRef};
use casebook::intake::{Ours, Rules, assign, facts, held_keys, hints, suggest};
use casebook::mail::{self, Message};
use jiff::Timestamp;

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("CASEBOOK_SHARED").map_or(beside, PathBuf::from);
    let found = folder.join("corpus/reports/labels.toml").is_file();
    if !found {
        println!("skipped: no shared material");
    }
    found.then_some(folder)
}

fn policy() -> Policy {
    let text = embedded("octoprint").expect("it is embedded");
    parse(text).unwrap_or_else(|faults| panic!("the policy with its hints is valid: {faults:?}"))
}

#[test]
fn threading_sets_keep_every_mail() {
    let Some(shared) = shared() else { return };
    let ours = Ours::new(["security@octoprint.org"]);
    let mut all = Vec::new();
    let mut names = BTreeMap::new();
    let folder = shared.join("corpus/handmade/threading");
    for entry in std::fs::read_dir(&folder).expect("readable") {
        let path = entry.expect("an entry").path();
        let raw = std::fs::read(&path).expect("readable");
        let message_ref = MessageRef::of(&raw);
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        names.insert(message_ref, name);
        all.push(facts(&mail::parse(&raw), message_ref, Timestamp::UNIX_EPOCH, &ours));
    }
    let groups = assign(&all, &BTreeMap::new());
    let members: Vec<Vec<&str>> = groups
        .iter()
        .map(|group| group.members.iter().map(|m| names[m].as_str()).collect())
        .collect();
    println!("{members:?}");
    assert_eq!(members.iter().map(Vec::len).sum::<usize>(), all.len());
    let alone = |name: &str| members.iter().any(|group| group == &[name]);
    assert!(alone("hijack") && alone("no-mid") && alone("self-ref"));
    let ids: BTreeSet<String> = groups.iter().map(|group| group.id.to_string()).collect();
    assert_eq!(ids.len(), groups.len(), "every case has its own id");
    assert!(all.iter().all(|facts| !held_keys(facts).is_empty()));
}

/// Published advisories of the product, sent in as if they were reports: all of them were accepted once.
#[test]
fn published_advisories_are_never_turned_away() {
    let Some(shared) = shared() else { return };
    let policy = policy();
    let rules = Rules::compile(&policy).expect("rules compile");
    let mut turned_away = Vec::new();
    for entry in std::fs::read_dir(shared.join("advisories")).expect("readable") {
        let path = entry.expect("an entry").path().join("input.toml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let draft: toml::Table = text.parse().expect("TOML");
        let words = |value: &toml::Value| value.as_str().map(str::to_owned);
        let long = draft.values().filter_map(words).max_by_key(String::len).unwrap_or_default();
        let message = Message { text: long, ..Message::default() };
        let message_ref = MessageRef::of(text.as_bytes());
        let now = "2026-11-01T12:00:00Z".parse().expect("a time");
        let mut reading = hints::read(&rules, &policy, &message, message_ref, now, Direction::In);
        // Their versions were the latest in their days.
        reading.versions.clear();
        reading.hints.retain(|hint| !hint.clause.as_str().starts_with("SV"));
        let verdict = suggest(&policy, &BTreeMap::new(), &[&reading], None, None);
        let name =
            path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        println!("{name:?}: {:?} {:?}", verdict.disposition, verdict.clauses);
        if matches!(
            verdict.disposition,
            Disposition::Reject
                | Disposition::RejectBan
                | Disposition::Spam
                | Disposition::WrongProject
        ) {
            for hint in reading.hints.iter().filter(|hint| verdict.clauses.contains(&hint.clause)) {
                println!("    {} {:?}", hint.rule, hint.evidence.as_ref().map(|e| &e.text));
            }
            turned_away.push(name);
        }
    }
    assert!(turned_away.is_empty(), "{turned_away:?}");
}
