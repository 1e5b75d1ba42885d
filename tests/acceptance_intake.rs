//! Cases, directions and proposed answers over the shared set of labelled reports.

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
use casebook::domain::hint::{AiUse, Reading, VersionStatus};
use casebook::domain::journal::AnswerValue;
use casebook::domain::policy::Policy;
use casebook::domain::{Disposition, MessageRef};
use casebook::intake::{Facts, Ours, Rules, assign, facts, hints, keys, suggest};
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
    let hints = include_str!("../src/policies/octoprint.hints.toml");
    let whole = if text.contains("[[hint]]\nname = \"proof-request\"") {
        text.to_owned()
    } else {
        format!("{text}\n{hints}")
    };
    parse(&whole).unwrap_or_else(|faults| panic!("the policy with its hints is valid: {faults:?}"))
}

struct Mail {
    label: toml::Table,
    message: Message,
    facts: Facts,
    reading: Reading,
}

impl Mail {
    fn text(&self, key: &str) -> &str {
        self.label.get(key).and_then(toml::Value::as_str).unwrap_or_default()
    }

    fn is(&self, key: &str) -> bool {
        self.label.get(key).and_then(toml::Value::as_bool).unwrap_or_default()
    }

    fn list(&self, key: &str) -> BTreeSet<String> {
        let list = self.label.get(key).and_then(toml::Value::as_array);
        let words = list.into_iter().flatten().filter_map(toml::Value::as_str);
        words.map(str::to_owned).collect()
    }
}

fn mails(shared: &Path, policy: &Policy) -> Vec<Mail> {
    let folder = shared.join("corpus/reports");
    let labels = std::fs::read_to_string(folder.join("labels.toml")).expect("readable");
    let labels: toml::Table = labels.parse().expect("labels are TOML");
    let rules = Rules::compile(policy).expect("rules compile");
    let ours = Ours::new(["security@octoprint.org"]);
    let list = labels["mail"].as_array().expect("a list").iter();
    let tables = list.map(|label| label.as_table().expect("a table").clone());
    let read = |label: toml::Table| {
        let file = label["file"].as_str().expect("a name");
        let raw = std::fs::read(folder.join(file)).expect("readable");
        let message = mail::parse(&raw);
        let received = label["received"].as_datetime().expect("a time").to_string();
        let received: Timestamp = received.parse().expect("a time");
        let message_ref = MessageRef::of(&raw);
        let facts = facts(&message, message_ref, received, &ours);
        let reading = hints::read(&rules, policy, &message, message_ref, received, facts.direction);
        Mail { label, message, facts, reading }
    };
    tables.map(read).collect()
}

#[test]
fn cases_and_directions_are_those_of_the_labels() {
    let Some(shared) = shared() else { return };
    let mails = mails(&shared, &policy());
    let mut wrong = Vec::new();
    for mail in &mails {
        let direction = mail.facts.direction.as_str();
        if direction != mail.text("direction") {
            wrong.push(format!("{}: direction {direction}", mail.text("id")));
        }
    }
    let facts: Vec<Facts> = mails.iter().map(|mail| mail.facts.clone()).collect();
    let by_ref: BTreeMap<MessageRef, &Mail> =
        mails.iter().map(|mail| (mail.facts.message, mail)).collect();
    let mut case_of: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for group in assign(&facts, &BTreeMap::new()) {
        let members: Vec<&Mail> = group.members.iter().map(|m| by_ref[m]).collect();
        let cases: BTreeSet<&str> = members.iter().map(|m| m.text("case")).collect();
        let ids: Vec<&str> = members.iter().map(|m| m.text("id")).collect();
        if cases.len() > 1 {
            wrong.push(format!("{ids:?} in one case"));
        }
        for case in cases {
            case_of.entry(case).or_default().push(ids.clone());
        }
        if !group.suspects.is_empty() {
            println!("suspect: {ids:?}");
        }
    }
    for (case, parts) in case_of.iter().filter(|(_, parts)| parts.len() > 1) {
        // Neither reference nor subject leads there; only a reader sees it.
        if parts.iter().any(|part| part == &["d34"]) && parts.len() == 2 {
            println!("missed, as expected: d34 of {case}");
        } else {
            wrong.push(format!("{case} in parts {parts:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[derive(Default)]
struct Score {
    hit: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
    of: usize,
}

impl Score {
    fn count(&mut self, id: &str, wanted: bool, found: bool) {
        self.of += 1;
        match (wanted, found) {
            (true, true) => self.hit += 1,
            (true, false) => self.missed.push(id.to_owned()),
            (false, true) => self.wrong.push(id.to_owned()),
            (false, false) => {}
        }
    }

    fn right(&self) -> f64 {
        1.0 - (self.missed.len() + self.wrong.len()) as f64 / self.of.max(1) as f64
    }

    fn print(&self, name: &str) {
        let ratio = |n: usize, of: usize| if of == 0 { 1.0 } else { n as f64 / of as f64 };
        println!(
            "{name:<16} right {:>5.1} %  precision {:>5.1} %  recall {:>5.1} %  missed {:?} wrong {:?}",
            100.0 * self.right(),
            100.0 * ratio(self.hit, self.hit + self.wrong.len()),
            100.0 * ratio(self.hit, self.hit + self.missed.len()),
            self.missed,
            self.wrong
        );
    }
}

#[test]
fn flags_versions_and_vectors_are_those_of_the_labels() {
    let Some(shared) = shared() else { return };
    let mails = mails(&shared, &policy());
    let mut flags: BTreeMap<&str, Score> = BTreeMap::new();
    let (mut versions, mut vectors, mut status) =
        (Score::default(), Score::default(), Score::default());
    for mail in mails.iter().filter(|mail| mail.facts.direction == Direction::In) {
        let (id, found) = (mail.text("id"), mail.reading.flags);
        let ai = mail.text("ai");
        let encrypted = mail.text("category") == "pgp-encrypted";
        for (name, wanted, found) in [
            ("scanner", mail.is("scanner"), found.scanner),
            ("bounty_request", mail.is("bounty_request"), found.bounty_request),
            ("has_poc", mail.is("has_poc"), found.has_poc),
            ("credit_wanted", mail.is("credit_wanted"), found.credit_wanted),
            ("publicly_known", mail.is("publicly_known"), found.public),
            ("ai disclosed", ai == "disclosed", found.ai == AiUse::Disclosed),
            ("ai suspected", ai == "suspected-undisclosed", found.ai == AiUse::Suspected),
            ("encrypted", encrypted, found.encrypted),
        ] {
            flags.entry(name).or_default().count(id, wanted, found);
        }
        let claimed: BTreeSet<String> =
            mail.reading.versions.iter().map(|version| version.claimed.clone()).collect();
        let wanted = mail.list("claimed_versions");
        for version in claimed.union(&wanted) {
            let name = format!("{id}:{version}");
            versions.count(&name, wanted.contains(version), claimed.contains(version));
        }
        let texts: BTreeSet<String> =
            mail.reading.vectors.iter().map(|vector| vector.text.clone()).collect();
        let wanted = mail.list("cvss_vectors");
        for vector in texts.union(&wanted) {
            let name = format!("{id}:{vector}");
            vectors.count(&name, wanted.contains(vector), texts.contains(vector));
        }
        let word = match casebook::domain::version::of_readings(&[&mail.reading]) {
            VersionStatus::LatestStable => "latest-stable",
            VersionStatus::DevBranch => "dev-branch",
            VersionStatus::Outdated => "outdated",
            VersionStatus::Fork => "fork",
            VersionStatus::OtherProduct => "other-product",
            VersionStatus::Unstated => "unstated",
        };
        let other = mail.text("version_status") == "other-product" && word == "unstated";
        status.count(&format!("{id}:{word}"), true, other || word == mail.text("version_status"));
        for evidence in mail.reading.hints.iter().filter_map(|hint| hint.evidence.as_ref()) {
            assert!(evidence.fits(&mail.message.text), "{id}: {evidence:?}");
        }
    }
    for (name, score) in &flags {
        score.print(name);
    }
    versions.print("versions");
    vectors.print("vectors");
    status.print("version status");
    for (name, score) in flags.iter().filter(|(name, _)| !name.starts_with("publicly")) {
        assert!(score.right() >= 0.9, "{name}");
    }
}

/// What is asked of a clause by the labels is that it matters, not which answer it has.
#[test]
fn clauses_and_ends_are_near_the_labels() {
    let Some(shared) = shared() else { return };
    let policy = policy();
    let mails = mails(&shared, &policy);
    let (mut clauses, mut types) = (Score::default(), Score::default());
    let (mut equal, mut of, mut harmful) = (0, 0, Vec::new());
    let facts: Vec<Facts> = mails.iter().map(|mail| mail.facts.clone()).collect();
    let by_ref: BTreeMap<MessageRef, &Mail> =
        mails.iter().map(|mail| (mail.facts.message, mail)).collect();
    for mail in mails.iter().filter(|mail| mail.facts.direction == Direction::In) {
        let id = mail.text("id");
        let proposed = |hint: &&casebook::domain::hint::Hint| {
            let nq = hint.clause.as_str().starts_with("NQ");
            !nq || hint.answer == AnswerValue::Yes
        };
        let found: BTreeSet<String> = mail
            .reading
            .hints
            .iter()
            .filter(proposed)
            .map(|hint| hint.clause.as_str().trim_end_matches(['a', 'b']).to_owned())
            .collect();
        let wanted = mail.list("clauses");
        for clause in found.union(&wanted) {
            let name = format!("{id}:{clause}");
            clauses.count(&name, wanted.contains(clause), found.contains(clause));
        }
        let declining = |set: &BTreeSet<String>| -> BTreeSet<String> {
            set.iter().filter(|clause| clause.starts_with("NQ")).cloned().collect()
        };
        let (found, wanted) = (declining(&found), mail.list("non_qualifying"));
        for clause in found.union(&wanted) {
            let name = format!("{id}:{clause}");
            types.count(&name, wanted.contains(clause), found.contains(clause));
        }
    }
    for group in assign(&facts, &BTreeMap::new()) {
        let members: Vec<&Mail> = group.members.iter().map(|m| by_ref[m]).collect();
        let incoming: Vec<&Reading> = members
            .iter()
            .filter(|mail| mail.facts.direction == Direction::In)
            .map(|mail| &mail.reading)
            .collect();
        let verdict = suggest(&policy, &BTreeMap::new(), &incoming, None, None);
        let (first, wanted) = (members[0], members[0].text("expected_disposition"));
        of += 1;
        equal += usize::from(verdict.disposition.as_str() == wanted);
        if verdict.disposition.as_str() != wanted {
            println!(
                "{:<4} wanted {wanted:<22} suggested {:<22} {:?}",
                first.text("id"),
                verdict.disposition.as_str(),
                verdict.clauses.iter().map(|clause| clause.as_str()).collect::<Vec<_>>()
            );
            if std::env::var_os("VERBOSE").is_some() {
                println!("{:#?}", members.iter().map(|mail| &mail.reading).collect::<Vec<_>>());
            }
        }
        let turned_away = matches!(
            verdict.disposition,
            Disposition::Reject | Disposition::RejectBan | Disposition::Spam
        );
        if wanted == "accept" && turned_away {
            harmful.push(first.text("id").to_owned());
        }
    }
    clauses.print("clauses");
    types.print("non-qualifying");
    println!("suggested end    {equal} of {of} cases as labelled (duplicates need a search)");
    assert!(harmful.is_empty(), "{harmful:?}");
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
    assert!(all.iter().all(|facts| !keys(facts).is_empty()));
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
