//! The rules of judging against shared material: scores, vectors, clocks, versions, the policy text.
//! Skipped where that material is absent.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may fail loudly"
)]

use std::path::PathBuf;

use casebook::config::policy::{embedded, parse};
use casebook::domain::cvss::{Vector, Words, find_vectors, repaired};
use casebook::domain::deadline::{ClockFacts, Deadline, DeadlineKind, DeadlineStatus, deadlines};
use casebook::domain::policy::Policy;
use casebook::domain::policy_text::PolicyText;
use casebook::domain::version;
use casebook::domain::{CaseState, Disposition};
use jiff::Timestamp;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("CASEBOOK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let text = std::fs::read_to_string(root.join(path)).ok();
    if text.is_none() {
        println!("skipped: no shared material");
    }
    text
}

fn policy() -> Policy {
    parse(embedded("octoprint").expect("it is embedded")).expect("it is valid")
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

fn vector(text: &str) -> Vector {
    Vector::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

#[test]
fn base_scores_of_both_versions() {
    for (path, count) in [("cvss/base-3.1.tsv", 2_592), ("cvss/base-4.0-sample.tsv", 4_000)] {
        let Some(text) = shared(path) else { return };
        let mut seen = 0;
        for row in rows(&text) {
            let vector = vector(row[0]);
            assert_eq!(vector.to_string(), row[0]);
            assert_eq!(vector.base().to_string(), row[1], "{}", row[0]);
            assert_eq!(vector.severity().word(Words::Cvss), row[2], "{}", row[0]);
            let found = find_vectors(row[0]).pop();
            assert_eq!(found, Some(0..row[0].len()));
            seen += 1;
        }
        assert_eq!(seen, count, "{path}");
    }
}

#[test]
fn vectors_with_optional_metrics() {
    let Some(text) = shared("cvss/full-3.1-sample.tsv") else { return };
    for row in rows(&text) {
        assert_eq!(vector(row[0]).base().to_string(), row[1], "{}", row[0]);
    }
    let Some(text) = shared("cvss/full-4.0-sample.tsv") else { return };
    for row in rows(&text) {
        vector(row[0]);
    }
}

#[test]
fn faulty_vectors_are_refused_with_words() {
    let Some(text) = shared("cvss/invalid.tsv") else { return };
    for row in rows(&text) {
        let text: String = serde_json::from_str(row[0]).expect("a JSON string");
        let fault = Vector::parse(&text).expect_err(&text).to_string();
        println!("{:40} {fault}", row[1]);
    }
    let Some(text) = shared("cvss/lenient.json") else { return };
    let all: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    for entry in all {
        let input = entry["input"].as_str().expect("text");
        let read = Vector::parse(input).ok().or_else(|| repaired(input));
        assert_eq!(read.map(|v| v.to_string()).as_deref(), entry["canonical"].as_str(), "{input}");
    }
}

#[test]
fn the_cap_and_the_floor_of_the_policy() {
    let policy = policy();
    let Some(text) = shared("cvss/policy.json") else { return };
    let all: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    for entry in all {
        let vector = vector(entry["vector"].as_str().expect("text"));
        let capped = vector.capped(&policy.scoring.max_attack_vector);
        assert_eq!(Some(vector.base().as_f64()), entry["score"].as_f64());
        assert_eq!(Some(capped.is_none()), entry["av_ok"].as_bool());
        let ours = capped.unwrap_or(vector);
        assert_eq!(Some(ours.to_string().as_str()), entry["capped_vector"].as_str());
        assert_eq!(Some(ours.base().as_f64()), entry["capped_score"].as_f64());
        let enough = ours.base().tenths() >= policy.scoring.cve_threshold_tenths;
        assert_eq!(Some(enough), entry["cve_allowed_by_severity"].as_bool());
    }
}

#[test]
fn vectors_of_the_report_corpus() {
    let policy = policy();
    let Some(text) = shared("corpus/cvss/vectors.tsv") else { return };
    for row in rows(&text) {
        let read = Vector::parse(row[0]).ok();
        let wanted = policy.scoring.version.as_str();
        let valid = read.filter(|vector| vector.version().prefix() == wanted);
        assert_eq!(valid.is_some().to_string(), row[1], "{}", row[0]);
        let Some(vector) = valid else { continue };
        assert_eq!(vector.base().to_string(), row[2], "{}", row[0]);
        assert_eq!(vector.severity().word(Words::Policy).to_lowercase(), row[3], "{}", row[0]);
        let capped = vector.capped("A");
        assert_eq!(capped.is_some().to_string(), row[4], "{}", row[0]);
        let score = capped.map(|capped| capped.base().to_string()).unwrap_or_default();
        assert_eq!(score, row.get(5).copied().unwrap_or_default(), "{}", row[0]);
    }
}

#[test]
fn every_decision_point_finds_its_sentence() {
    let Some(text) = shared("policy/octoprint-security-policy.md") else { return };
    let read = PolicyText::read(&text);
    assert_eq!(read.sentences().len(), 48);
    for item in policy().items {
        let found = read.sentences_of(&item);
        assert_eq!(found.len(), item.sentences.len(), "{}", item.id);
        assert!(found.iter().all(|sentence| text.contains(sentence)));
        let first = read.sentence_of(&item).expect("found above");
        let at = read.sentences().iter().find(|s| read.text_of(s) == first).expect("it is one");
        assert_eq!(at.heading, item.section, "{}", item.id);
    }
    // None of the sentences is in the repository.
    let data = embedded("octoprint").expect("it is embedded");
    let copied = read.sentences().iter().map(|s| read.text_of(s)).filter(|s| s.len() > 40);
    assert_eq!(copied.filter(|sentence| data.contains(sentence)).count(), 0);
    let Some(points) = shared("policy/DECISION-POINTS.md") else { return };
    for item in policy().items {
        assert!(points.contains(&format!("| {} |", item.id)), "{} is no decision point", item.id);
    }
}

/// One labelled mail.
struct Label(toml::Table);

impl Label {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(toml::Value::as_str)
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(toml::Value::as_bool).unwrap_or_default()
    }

    fn at(&self, key: &str) -> Option<Timestamp> {
        self.0.get(key).and_then(toml::Value::as_datetime)?.to_string().parse().ok()
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        let list = self.0.get(key).and_then(toml::Value::as_array);
        list.into_iter().flatten().filter_map(toml::Value::as_str).collect()
    }

    fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }
}

fn labels() -> Option<(Timestamp, Vec<Label>)> {
    let table: toml::Table = shared("corpus/reports/labels.toml")?.parse().expect("TOML");
    let now = table["meta"]["now"].as_datetime().expect("a time").to_string();
    let mails = table["mail"].as_array().expect("mails").iter();
    let mails = mails.map(|mail| Label(mail.as_table().expect("a table").clone())).collect();
    Some((now.parse().expect("a time"), mails))
}

fn clocks(policy: &Policy, mail: &Label, now: Timestamp) -> Vec<Deadline> {
    let answered = mail.at("first_response");
    let spam = mail.text("expected_disposition") == Some("spam");
    let facts = ClockFacts {
        received: mail.at("received").expect("every mail has it"),
        first_answer: answered,
        last_answer: answered,
        queued: None,
        already_public: mail.flag("publicly_known"),
        state: CaseState::New,
        disposition: spam.then_some(Disposition::Spam),
    };
    deadlines(&policy.periods, &facts, now)
}

#[test]
fn clocks_of_every_labelled_mail() {
    let Some((now, mails)) = labels() else { return };
    let (policy, mut response, mut embargo) = (policy(), 0, 0);
    for mail in &mails {
        let all = clocks(&policy, mail, now);
        let of = |kind| all.iter().find(|deadline| deadline.kind == kind).expect("it is there");
        if let Some(due) = mail.at("response_due") {
            let clock = of(DeadlineKind::Acknowledge);
            assert_eq!(clock.due, Some(due), "{}", mail.id());
            let word = match clock.status {
                DeadlineStatus::Met if !clock.late => "in-time",
                DeadlineStatus::Running | DeadlineStatus::DueSoon => "open",
                DeadlineStatus::Overdue => "overdue",
                other => other.as_str(),
            };
            assert_eq!(Some(word), mail.text("response_state"), "{}", mail.id());
            response += 1;
        }
        if let Some(ends) = mail.at("embargo_ends") {
            let clock = of(DeadlineKind::Publish);
            let word = match clock.status {
                DeadlineStatus::None => "void-public",
                DeadlineStatus::Overdue => "over",
                _ => "running",
            };
            assert_eq!(clock.due.unwrap_or(ends), ends, "{}", mail.id());
            // d04 ends exactly at the reference time, which its label counts as over. A deadline is over
            // when now is later than it, so this one is due soon.
            let wanted =
                if mail.id() == "d04" { Some("running") } else { mail.text("embargo_state") };
            assert_eq!(Some(word), wanted, "{}", mail.id());
            embargo += 1;
        }
    }
    println!("{response} response clocks and {embargo} embargo clocks agree; d04 is explained");
    assert!(response > 40 && embargo > 15);
}

#[test]
fn version_status_of_every_labelled_mail() {
    let Some((_, mails)) = labels() else { return };
    let (policy, mut agreed, mut total) = (policy(), 0, 0);
    for mail in &mails {
        let received = mail.at("received").expect("every mail has it");
        let on = jiff::tz::Offset::UTC.to_datetime(received).date();
        let Some(claimed) = mail.texts("claimed_versions").first().copied() else { continue };
        let status = serde_json::to_value(version::status(&policy, claimed, on)).expect("a word");
        total += 1;
        if status.as_str() == mail.text("version_status") {
            agreed += 1;
        } else {
            println!(
                "{}: {claimed} is {status}, labelled {:?}",
                mail.id(),
                mail.text("version_status")
            );
        }
    }
    println!("version status: {agreed} of {total}");
    assert_eq!(agreed, total);
}

#[test]
fn vectors_of_every_labelled_mail() {
    let Some((_, mails)) = labels() else { return };
    let policy = policy();
    for mail in &mails {
        for text in mail.texts("cvss_vectors") {
            let read = Vector::parse(text).ok();
            let valid = read.filter(|v| v.version().prefix() == policy.scoring.version);
            assert_eq!(valid.is_some(), mail.flag("cvss_valid"), "{}", mail.id());
            let Some(vector) = valid else { continue };
            let capped = vector.capped(&policy.scoring.max_attack_vector);
            assert_eq!(capped.is_some(), mail.flag("cvss_over_cap"), "{}", mail.id());
            let number = |key: &str| mail.0.get(key).and_then(toml::Value::as_float);
            assert_eq!(Some(vector.base().as_f64()), number("cvss_base"), "{}", mail.id());
            let ours = capped.unwrap_or(vector);
            assert_eq!(Some(ours.base().as_f64()), number("cvss_base_capped"), "{}", mail.id());
            let word = ours.severity().word(Words::Policy).to_lowercase();
            assert_eq!(Some(word.as_str()), mail.text("severity_capped"), "{}", mail.id());
        }
    }
}
