//! A project's published rules as data: decision points, periods, supported versions, hint rules.
//!
//! Parsed from one TOML file per policy by `config::policy`; OctoPrint's is embedded. The sentences
//! themselves are not here: they are read from the policy text that the maintainer points to.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{ClauseId, Disposition};

/// A policy.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// Short name, as in `policy.name` of the config.
    pub name: String,
    /// The product that reports are about.
    pub product: String,
    /// How package registries and advisories name it.
    pub package: Package,
    /// Address that reports are sent to.
    pub contact: String,
    /// Where the policy is published, for replies without a policy text.
    pub url: String,
    /// SHA-256 of the policy file, in hexadecimal: what a case is pinned to.
    pub hash: String,
    /// The clocks.
    pub periods: Periods,
    /// The scoring rule.
    pub scoring: Scoring,
    /// Releases with their dates, oldest first: what "latest stable" meant on a day.
    pub releases: Vec<Release>,
    /// Branches in development; a trailing `*` stands for anything.
    pub branches: Vec<String>,
    /// Names of forks and other distributions of the product, lower case.
    pub forks: Vec<String>,
    /// Words of what the product deals with, lower case: a mail without any is about something else.
    pub vocabulary: Vec<String>,
    /// Decision points in the order of the checklist.
    pub items: Vec<Item>,
    /// Sentences that ask nothing and have no point of their own, such as the words before a list.
    pub rationale: Vec<Rationale>,
    /// Rules that propose answers.
    pub hints: Vec<HintRule>,
}

/// Sentences of one section that only explain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rationale {
    /// Heading of the section.
    pub section: String,
    /// SHA-256 of each, as in [`Item::sentences`].
    pub sentences: Vec<String>,
}

/// The product in a package registry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Package {
    /// Who makes it.
    pub vendor: String,
    /// Ecosystem as OSV names it, such as `PyPI`.
    pub ecosystem: String,
    /// Name within the ecosystem.
    pub name: String,
    /// Web address of the repository.
    pub repository: String,
}

/// Periods of the policy, all in days of 24 hours.
#[derive(Clone, PartialEq, Debug)]
pub struct Periods {
    /// To the first answer (PR1).
    pub acknowledge_days: u16,
    /// Days before that end from which it is due soon.
    pub acknowledge_warn_days: u16,
    /// Between two updates to the reporter (PR2; the policy names none, so this is a setting).
    pub update_days: u16,
    /// Of the embargo (DI2).
    pub embargo_days: u16,
    /// Days before its end from which it is due soon.
    pub embargo_warn_days: u16,
    /// Days of silence after a question to the reporter from which a reminder is proposed.
    pub nudge_days: u16,
    /// Days of silence from which closing is proposed.
    pub close_days: u16,
    /// Intervals in which the acknowledge clock rests, such as an announced vacation.
    pub pauses: Vec<(Timestamp, Timestamp)>,
}

/// How severity is scored.
#[derive(Clone, PartialEq, Debug)]
pub struct Scoring {
    /// Prefix that a reporter's vector must have, such as `CVSS:3.1`.
    pub version: String,
    /// Highest attack vector accepted, such as `A` (SC6).
    pub max_attack_vector: String,
    /// Lowest base score, in tenths, for which a CVE is requested (PD6).
    pub cve_threshold_tenths: u16,
}

/// One stable release or release candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// Version as published.
    pub version: String,
    /// Day of publication.
    pub date: Date,
}

/// What kind of question a decision point is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemKind {
    /// G: must hold to go on.
    Gate,
    /// D: a `yes` turns the report away.
    Disqualifier,
    /// S: rule for scoring.
    Scoring,
    /// P: binds the project.
    Promise,
    /// A: criterion for an advisory.
    AdvisoryCriterion,
    /// C: criterion for a CVE id.
    CveCriterion,
    /// K: conduct.
    Conduct,
    /// X: context that asks nothing.
    Context,
}

/// How far a rule can go by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// A rule can propose the answer.
    Auto,
    /// A rule can find the place; a human judges.
    Aid,
    /// Only a human can tell.
    Human,
    /// Nothing to answer.
    None,
}

/// One decision point.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Its id.
    pub id: ClauseId,
    /// Kind of question.
    pub kind: ItemKind,
    /// Heading of the policy section that its sentence stands under.
    pub section: String,
    /// Short title for lists, a few words.
    pub title: String,
    /// The question in plain words; empty for context.
    pub question: String,
    /// What follows from `yes`, `no` and `unclear`.
    pub outcomes: Outcomes,
    /// SHA-256 of the sentence with white space folded; more than one where a point spans sentences.
    pub sentences: Vec<String>,
    /// How far rules help.
    pub support: Support,
    /// What it is easily mistaken for.
    pub traps: Vec<String>,
    /// Position among disqualifiers, strongest first, from 1; 0 where it is none.
    pub rank: u8,
}

/// What an answer leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcomes {
    /// On `yes`.
    pub yes: Outcome,
    /// On `no`.
    pub no: Outcome,
    /// On `unclear`.
    pub unclear: Outcome,
}

/// What follows from one answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Outcome {
    /// Nothing by itself.
    #[default]
    Go,
    /// The point is listed in a need-info answer.
    Ask,
    /// The rules propose this disposition.
    Propose(Disposition),
    /// No advisory under the rules.
    NoAdvisory,
    /// No CVE id.
    NoCve,
}

/// A rule that proposes an answer where its pattern is found.
#[derive(Clone, PartialEq, Debug)]
pub struct HintRule {
    /// Name, by which it can be switched off.
    pub name: String,
    /// The decision point; none for a rule that only raises a flag.
    pub clause: Option<ClauseId>,
    /// The proposed answer.
    pub answer: super::journal::AnswerValue,
    /// How much it says, 1 (weak) to 3 (strong).
    pub strength: u8,
    /// Where the pattern is looked for.
    pub place: Place,
    /// Regular expression of the `regex` crate, case-insensitive, applied line by line.
    pub pattern: String,
    /// If this matches the same line, the rule does not fire.
    pub unless: Option<String>,
    /// Why, in plain words for the maintainer.
    pub why: String,
    /// For a flaw that was published and fixed: the release that fixed it. Such a rule counts only where every
    /// version that the mail names is older than that, and the release was out.
    pub before: Option<String>,
    /// Flag raised, such as `scanner`, `bounty`, `ai-disclosed`, `public`; see `intake::hints`.
    pub flag: Option<String>,
}

/// Where a hint rule looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the text the sender wrote, quotations and signature left out.
    Text,
    /// In the subject.
    Subject,
    /// In subject and text.
    Both,
    /// In names of attachments.
    Attachment,
    /// In the From header.
    Sender,
}

impl Policy {
    /// The decision point with this id.
    pub fn item(&self, id: &ClauseId) -> Option<&Item> {
        self.items.iter().find(|item| &item.id == id)
    }

    /// The decision points that an id stands for: itself, or its parts where it names a point that is split
    /// by small letters, as `NQ5` stands for `NQ5a` and `NQ5b`. Empty for an unknown id.
    pub fn items_of(&self, id: &ClauseId) -> Vec<&Item> {
        match self.item(id) {
            Some(item) => vec![item],
            None => {
                self.items.iter().filter(|item| is_part(item.id.as_str(), id.as_str())).collect()
            }
        }
    }
}

/// Whether `id` is `whole` and one small letter.
fn is_part(id: &str, whole: &str) -> bool {
    let rest = id.strip_prefix(whole).filter(|_| whole.ends_with(|c: char| c.is_ascii_digit()));
    rest.is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use crate::domain::test_support::policy;

    #[test]
    fn an_id_stands_for_itself_or_for_its_parts() {
        let policy = policy();
        let of = |id: &str| -> Vec<String> {
            policy.items_of(&id.into()).iter().map(|item| item.id.to_string()).collect()
        };
        assert_eq!(of("Q1"), ["Q1"]);
        assert_eq!(of("Q2"), ["Q2a", "Q2b"]);
        assert_eq!(of("Q2a"), ["Q2a"]);
        assert!(of("Q").is_empty() && of("").is_empty() && of("Q3").is_empty());
    }
}
