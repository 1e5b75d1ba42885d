//! How near the rules come to labelled mails, as a table.

#![allow(
    dead_code,
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "each test program uses a part, and tests may fail loudly"
)]

pub mod own;
pub mod shared;

use std::collections::{BTreeMap, BTreeSet};

use casebook::config::policy::{embedded, parse};
use casebook::domain::case::Direction;
use casebook::domain::hint::{AiUse, Reading, VersionStatus};
use casebook::domain::policy::Policy;
use casebook::domain::verdict::Verdict;
use casebook::domain::version::of_readings;
use casebook::domain::{CaseId, ClauseId, Disposition, MessageRef};
use casebook::intake::{Facts, Ours, Rules, assign, facts, hints, suggest};
use casebook::mail::{self, Message};
use jiff::Timestamp;

pub fn policy() -> Policy {
    let text = embedded("octoprint").expect("it is embedded");
    parse(text).unwrap_or_else(|faults| panic!("the policy with its hints is valid: {faults:?}"))
}

/// What a person sees in a mail.
#[derive(Clone, Debug, Default)]
pub struct Label {
    pub id: String,
    pub category: String,
    pub case: String,
    /// Whether it opens that case.
    pub case_opener: bool,
    pub direction: String,
    pub disposition: String,
    pub clauses: BTreeSet<String>,
    pub versions: BTreeSet<String>,
    pub status: String,
    pub vectors: BTreeSet<String>,
    /// Of [`FLAGS`].
    pub flags: BTreeSet<String>,
    /// Case that it repeats, or nothing.
    pub duplicate_of: String,
}

/// Flags that are measured, named as in the labels of the repository's own mails.
pub const FLAGS: [&str; 6] = ["ai-disclosed", "ai-suspected", "scanner", "bounty", "poc", "credit"];

/// A labelled mail with what the rules read.
pub struct Mail {
    pub label: Label,
    pub message: Message,
    pub facts: Facts,
    pub reading: Reading,
}

/// Reads labelled mails by the rules of a policy, without those rules that `off` names.
pub fn read(policy: &Policy, mails: Vec<(Label, Vec<u8>, Timestamp)>) -> Vec<Mail> {
    let rules = Rules::compile(policy).expect("the rules compile");
    let ours = Ours::new([policy.contact.as_str()]);
    let read = |(label, raw, received): (Label, Vec<u8>, Timestamp)| {
        let message = mail::parse(&raw);
        let message_ref = MessageRef::of(&raw);
        let facts = facts(&message, message_ref, received, &ours);
        let reading = hints::read(&rules, policy, &message, message_ref, received, facts.direction);
        Mail { label, message, facts, reading }
    };
    mails.into_iter().map(read).collect()
}

/// Hits and misses of one question.
#[derive(Default)]
pub struct Score {
    pub hit: usize,
    pub of: usize,
    pub missed: Vec<String>,
    pub wrong: Vec<String>,
}

fn ratio(n: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { n as f64 / of as f64 }
}

impl Score {
    pub fn count(&mut self, id: &str, wanted: bool, found: bool) {
        self.of += 1;
        match (wanted, found) {
            (true, true) => self.hit += 1,
            (true, false) => self.missed.push(id.to_owned()),
            (false, true) => self.wrong.push(id.to_owned()),
            (false, false) => {}
        }
    }

    fn compare(&mut self, id: &str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) {
        for word in wanted.union(found) {
            self.count(&format!("{id}:{word}"), wanted.contains(word), found.contains(word));
        }
    }

    /// Share of right answers, yes or no.
    pub fn right(&self) -> f64 {
        1.0 - ratio(self.missed.len() + self.wrong.len(), self.of.max(1))
    }

    pub fn precision(&self) -> f64 {
        ratio(self.hit, self.hit + self.wrong.len())
    }

    pub fn recall(&self) -> f64 {
        ratio(self.hit, self.hit + self.missed.len())
    }

    fn print(&self, name: &str) {
        println!(
            "{name:<22} right {:>5.1} %  precision {:>5.1} %  recall {:>5.1} %",
            100.0 * self.right(),
            100.0 * self.precision(),
            100.0 * self.recall()
        );
        for (what, list) in [("missed", &self.missed), ("wrong", &self.wrong)] {
            if !list.is_empty() {
                println!("    {what}: {}", list.join(" "));
            }
        }
    }
}

/// Everything measured over one set.
#[derive(Default)]
pub struct Table {
    pub flags: BTreeMap<&'static str, Score>,
    pub versions: Score,
    pub status: Score,
    pub vectors: Score,
    /// Clauses of each mail read alone.
    pub clauses: Score,
    /// Clauses of each case against those of all its mails.
    pub case_clauses: Score,
    pub declining: Score,
    /// Cases whose suggestion is the labelled one, where the search for duplicates is as good as the label.
    pub ends: Score,
    /// The same without any search for duplicates.
    pub ends_unaided: Score,
    pub cases: Score,
    pub directions: Score,
    /// Labelled as accepted and yet proposed to be turned away.
    pub harmful: Vec<String>,
}

impl Table {
    pub fn print(&self, title: &str) {
        println!("\n== {title}");
        for (name, score) in &self.flags {
            score.print(&format!("flag {name}"));
        }
        for (name, score) in [
            ("versions", &self.versions),
            ("version status", &self.status),
            ("vectors", &self.vectors),
            ("clauses of mails", &self.clauses),
            ("clauses of cases", &self.case_clauses),
            ("non-qualifying", &self.declining),
            ("suggested end", &self.ends),
            ("  without duplicates", &self.ends_unaided),
            ("case assignment", &self.cases),
            ("direction", &self.directions),
        ] {
            score.print(name);
        }
        println!("accepted ones turned away: {:?}", self.harmful);
    }
}

/// `NQ5` stands for its two halves.
fn clause(id: &ClauseId) -> String {
    let text = id.as_str();
    if text.starts_with("NQ5") { "NQ5".to_owned() } else { text.to_owned() }
}

/// What the JSON of a case lists as `suggested.clauses`.
fn listed(verdict: &Verdict) -> BTreeSet<String> {
    verdict.all_clauses().map(clause).collect()
}

fn declining(clauses: &BTreeSet<String>) -> BTreeSet<String> {
    clauses.iter().filter(|clause| clause.starts_with("NQ")).cloned().collect()
}

fn flags(reading: &Reading) -> BTreeSet<String> {
    let flags = reading.flags;
    let raised = [
        ("ai-disclosed", flags.ai == AiUse::Disclosed),
        ("ai-suspected", flags.ai == AiUse::Suspected),
        ("scanner", flags.scanner),
        ("bounty", flags.bounty_request),
        ("poc", flags.has_poc),
        ("credit", flags.credit_wanted),
    ];
    raised.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()).collect()
}

fn status_word(status: VersionStatus) -> &'static str {
    match status {
        VersionStatus::LatestStable => "latest-stable",
        VersionStatus::DevBranch => "dev-branch",
        VersionStatus::Outdated => "outdated",
        VersionStatus::Fork => "fork",
        VersionStatus::OtherProduct => "other-product",
        VersionStatus::Unstated => "unstated",
    }
}

fn texts<'a>(words: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    words.cloned().collect()
}

/// Measures a set of mails as a maintainer would get them: all in one inbox.
pub fn measure(policy: &Policy, mails: &[Mail]) -> Table {
    let mut table = Table::default();
    for mail in mails {
        let wanted = &mail.label;
        let right = mail.facts.direction.as_str() == wanted.direction;
        table.directions.count(&wanted.id, true, right);
        if wanted.direction == "in" {
            read_of_mail(policy, mail, &mut table);
        }
    }
    let facts: Vec<Facts> = mails.iter().map(|mail| mail.facts.clone()).collect();
    let by_ref: BTreeMap<MessageRef, &Mail> =
        mails.iter().map(|mail| (mail.facts.message, mail)).collect();
    let groups: Vec<Vec<&Mail>> = assign(&facts, &BTreeMap::new())
        .iter()
        .map(|group| group.members.iter().map(|member| by_ref[member]).collect())
        .collect();
    assignment(mails, &groups, &mut table);
    for group in &groups {
        of_case(policy, group, &mut table);
    }
    table
}

fn read_of_mail(policy: &Policy, mail: &Mail, table: &mut Table) {
    let (wanted, reading) = (&mail.label, &mail.reading);
    let id = wanted.id.as_str();
    let raised = flags(reading);
    for flag in FLAGS {
        let score = table.flags.entry(flag).or_default();
        score.count(id, wanted.flags.contains(flag), raised.contains(flag));
    }
    let versions = texts(reading.versions.iter().map(|found| &found.claimed));
    table.versions.compare(id, &wanted.versions, &versions);
    let vectors = texts(reading.vectors.iter().map(|found| &found.text));
    table.vectors.compare(id, &wanted.vectors, &vectors);
    let word = status_word(of_readings(&[reading]));
    let other = wanted.status == "other-product" && word == "unstated";
    table.status.count(&format!("{id}:{word}"), true, other || word == wanted.status);
    let verdict = suggest(policy, &BTreeMap::new(), &[reading], None, repeated(wanted));
    // Of a mail that joins a case the end is not the question, only what it adds.
    let opens = wanted.case_opener;
    let found = if opens { listed(&verdict) } else { verdict.noted.iter().map(clause).collect() };
    table.clauses.compare(id, &wanted.clauses, &found);
    table.declining.compare(id, &declining(&wanted.clauses), &declining(&found));
    for evidence in reading.hints.iter().filter_map(|hint| hint.evidence.as_ref()) {
        assert!(evidence.fits(&mail.message.text), "{id}: {evidence:?}");
    }
}

/// A case is right if it holds exactly the mails that its label names.
fn assignment(mails: &[Mail], groups: &[Vec<&Mail>], table: &mut Table) {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mail in mails {
        wanted.entry(&mail.label.case).or_default().insert(&mail.label.id);
    }
    for group in groups {
        let ids: BTreeSet<&str> = group.iter().map(|mail| mail.label.id.as_str()).collect();
        for mail in group {
            table.cases.count(&mail.label.id, true, wanted[mail.label.case.as_str()] == ids);
        }
    }
}

/// Stands for the case that the label names: what is measured here is not the search for it.
fn repeated(label: &Label) -> Option<CaseId> {
    let other = CaseId::derive(Some("another case"), &MessageRef::of(b""));
    (!label.duplicate_of.is_empty()).then_some(other)
}

fn of_case(policy: &Policy, group: &[&Mail], table: &mut Table) {
    let incoming: Vec<&Mail> =
        group.iter().filter(|mail| mail.facts.direction == Direction::In).copied().collect();
    let Some(first) = incoming.first() else { return };
    let readings: Vec<&Reading> = incoming.iter().map(|mail| &mail.reading).collect();
    let (id, wanted) = (&first.label.id, first.label.disposition.as_str());
    let verdict = suggest(policy, &BTreeMap::new(), &readings, None, repeated(&first.label));
    let clauses = incoming.iter().flat_map(|mail| mail.label.clauses.clone()).collect();
    table.case_clauses.compare(id, &clauses, &listed(&verdict));
    let unaided = suggest(policy, &BTreeMap::new(), &readings, None, None);
    for (score, verdict) in [(&mut table.ends, &verdict), (&mut table.ends_unaided, &unaided)] {
        let got = verdict.disposition.as_str();
        score.count(&format!("{id}:{wanted}->{got}"), true, got == wanted);
    }
    let turned_away = matches!(
        verdict.disposition,
        Disposition::Reject | Disposition::RejectBan | Disposition::Spam
    );
    if wanted == "accept" && turned_away {
        table.harmful.push(id.clone());
    }
}
