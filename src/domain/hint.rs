//! What rules read out of a message: proposed answers, vectors, versions, flags. Never applied by itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::journal::AnswerValue;
use super::{ClauseId, Evidence};

/// A proposed answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hint {
    /// The decision point.
    pub clause: ClauseId,
    /// The proposed answer.
    pub answer: AnswerValue,
    /// 1 (weak) to 3 (strong).
    pub strength: u8,
    /// Name of the rule.
    pub rule: String,
    /// Why, in plain words.
    pub why: String,
    /// The words that show it; `None` for an absence, such as "no vector given".
    pub evidence: Option<Evidence>,
}

/// A CVSS vector found in a text, valid or not.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FoundVector {
    /// As written.
    pub text: String,
    /// Where.
    pub evidence: Evidence,
}

/// A version or branch that the reporter names as tested.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FoundVersion {
    /// As written.
    pub claimed: String,
    /// What it is, on the day the mail was received.
    pub status: VersionStatus,
    /// Where.
    pub evidence: Evidence,
}

/// What a claimed version is by the policy (SV1, SV2, SV4).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum VersionStatus {
    /// The latest stable release of the day.
    LatestStable,
    /// A branch or pre-release beyond it.
    DevBranch,
    /// An older release.
    Outdated,
    /// A fork's version.
    Fork,
    /// Of another product.
    OtherProduct,
    /// None named.
    #[default]
    Unstated,
}

/// What is said about AI use (AI1).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AiUse {
    /// Nothing.
    #[default]
    None,
    /// The reporter says so.
    Disclosed,
    /// Tell-tales only: a ground to ask, never a verdict.
    Suspected,
}

/// Yes-or-no facts about a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flags {
    /// AI use.
    pub ai: AiUse,
    /// Output of a scanner.
    pub scanner: bool,
    /// Asks for money.
    pub bounty_request: bool,
    /// Holds or brings a proof of concept.
    pub has_poc: bool,
    /// Wants to be credited.
    pub credit_wanted: bool,
    /// Says that the flaw is already public (DI1, PD5).
    pub public: bool,
    /// Junk by its form.
    pub spam: bool,
    /// About another product, or not about security.
    pub other_product: bool,
    /// From a coordinator, publisher or CVE authority, about process rather than a flaw.
    pub coordination: bool,
    /// Encrypted, so nothing else can be read.
    pub encrypted: bool,
}

impl Reading {
    /// Takes those hints away that the case has set aside, given as decision point and name of the rule.
    pub fn set_aside(&mut self, rejected: &BTreeSet<(ClauseId, String)>) {
        if !rejected.is_empty() {
            self.hints.retain(|hint| !rejected.contains(&(hint.clause.clone(), hint.rule.clone())));
        }
    }
}

/// Everything read out of one message.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Proposed answers.
    pub hints: Vec<Hint>,
    /// Vectors, in the order of the text.
    pub vectors: Vec<FoundVector>,
    /// Versions, in the order of the text.
    pub versions: Vec<FoundVersion>,
    /// Flags.
    pub flags: Flags,
    /// GHSA id that the mail is about, from a GitHub notification or the text.
    pub ghsa: Option<String>,
}
