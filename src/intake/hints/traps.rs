//! When a word for a type that does not qualify is a question and no ground to decline.
//!
//! The decision points name a trap for each type. What stands here is that part of them which no single sentence shows:
//! whether the mail brings a proof, what its vector says of the attack, and whether another type is plainer.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ClauseId;
use crate::domain::hint::{Hint, Reading};
use crate::domain::journal::AnswerValue;

/// What a mail as a whole says about the hints in it.
pub(super) struct Whole<'a> {
    reading: &'a Reading,
    /// A mail that answers another, or tells of a flaw that was mended: what a word in it points to seldom is the type.
    retold: bool,
    /// A tool's output.
    listed: bool,
    /// A tool is named in prose, for one finding.
    told: bool,
    /// The types that stand there in plain words.
    plain: BTreeSet<String>,
    /// A proof was worked out against a version of ours, by somebody with a lesser right or none.
    worked: bool,
    /// A lesser right, or none, is plainly said to be enough.
    lesser: bool,
    /// Types for which no more than one weak rule speaks.
    thin: BTreeSet<String>,
}

impl<'a> Whole<'a> {
    pub(super) fn of(hints: &[Hint], reading: &'a Reading, retold: bool) -> Self {
        let proven = |clause: &'static str| {
            let yes = move |hint: &&Hint| {
                hint.clause.as_str() == clause && hint.answer == AnswerValue::Yes
            };
            hints.iter().filter(yes)
        };
        let listed = proven("NQ1");
        let plain = hints.iter().filter(|hint| {
            let type_of = is_type(hint) && hint.clause.as_str() != "NQ2";
            type_of && hint.answer == AnswerValue::Yes && hint.strength > 1
        });
        let plain = plain.map(|hint| hint.clause.to_string());
        let no = |clause: &str, least: u8| {
            let is = |hint: &Hint| hint.clause.as_str() == clause && hint.strength >= least;
            hints.iter().any(|hint| is(hint) && hint.answer == AnswerValue::No)
        };
        let mut weak: BTreeMap<&str, (usize, u8)> = BTreeMap::new();
        for hint in hints.iter().filter(|h| is_type(h) && h.answer == AnswerValue::Yes) {
            let (count, most) = weak.entry(hint.clause.as_str()).or_default();
            (*count, *most) = (*count + 1, hint.strength.max(*most));
        }
        let thin = weak.iter().filter(|(_, told)| matches!(told, (1, 1)));
        let worked = reading.flags.has_poc && !reading.versions.is_empty() && no("NQ2", 3);
        Self {
            worked: worked && (no("NQ11", 2) || no("NQ9", 2)),
            lesser: no("NQ11", 2),
            thin: thin.map(|(clause, _)| (*clause).to_owned()).collect(),
            reading,
            retold,
            listed: listed.clone().any(|hint| hint.strength > 2) || listed.clone().count() > 1,
            told: listed.count() > 0,
            plain: plain.collect(),
        }
    }

    /// Whether a hint for a type is no more than a question here.
    pub(super) fn asks_only(&self, hint: &Hint) -> bool {
        let (proof, strength) = (self.reading.flags.has_poc, hint.strength);
        match hint.clause.as_str() {
            // A tool that tells of one library has found that library's flaw.
            "NQ1" => proof || self.told && !self.listed && self.plain.contains("NQ3"),
            // Whatever else the type is, a proof is not what it lacks.
            "NQ2" => !self.plain.is_empty(),
            "NQ3" => strength < 3 && (proof || self.listed),
            _ if !is_type(hint) => false,
            clause if strength < 2 && (self.retold || self.plainer(clause)) => true,
            clause if strength < 2 && self.worked && self.vector_agrees(clause) != Some(true) => {
                true
            }
            // Own steps weigh more than one weak word; with a lesser right, that a person has to act does not say
            // that they install something.
            clause if self.thin.contains(clause) && proof => {
                let ours = self.lesser && !self.reading.versions.is_empty();
                matches!(clause, "NQ6" | "NQ7") && ours || self.vector_agrees(clause) != Some(true)
            }
            // Where a lesser right was enough, a word of the admin tells who is meant to, or who is hit.
            "NQ11" if self.worked && self.lesser => self.vector_agrees("NQ11") != Some(true),
            clause => match self.vector_agrees(clause) {
                Some(true) => false,
                Some(false) => strength < if proof { 3 } else { 2 },
                None => proof && !self.reading.vectors.is_empty() && strength < least(clause),
            },
        }
    }

    /// Whether another type is plainer. An instance on the internet is a misconfigured one (SC8).
    fn plainer(&self, clause: &str) -> bool {
        let beside = |other: &str| {
            matches!((clause, other), ("NQ8", "NQ10") | ("NQ10", "NQ8")) || clause == other
        };
        self.plain.iter().any(|other| !beside(other))
    }

    /// What the vector says of a type; `None` where it says nothing.
    pub(super) fn vector_agrees(&self, clause: &str) -> Option<bool> {
        let says =
            |metric: &str| self.reading.vectors.iter().any(|found| found.text.contains(metric));
        match clause {
            "NQ11" if says("/PR:H") => Some(true),
            "NQ5a" if says("/AV:P") => Some(true),
            "NQ4" | "NQ6" | "NQ7" if says("/UI:N") => Some(false),
            "NQ6" | "NQ7" if says("/UI:R") => Some(true),
            "NQ8" if says("/AV:N") => Some(true),
            "NQ8" if says("/AV:A") || says("/AV:L") => Some(false),
            _ => None,
        }
    }
}

/// Strength from which a type stands against a proof and a vector that do not speak of it.
fn least(clause: &str) -> u8 {
    match clause {
        "NQ4" | "NQ5a" | "NQ8" | "NQ10" => 3,
        _ => 2,
    }
}

/// Whether a text tells of a flaw that the project has mended, as its advisories do. What was mended did qualify.
pub(super) fn tells_of_fix(text: &str) -> bool {
    let text = text.to_lowercase();
    ["been patched", "patched in version", "fixed in version"]
        .iter()
        .any(|words| text.contains(words))
}

/// Whether a type is one of what an attack needs: a person, a place, a state, a right.
pub(super) fn is_precondition(clause: Option<&ClauseId>) -> bool {
    let type_of = |clause: &ClauseId| {
        let clause = clause.as_str();
        clause.starts_with("NQ") && !matches!(clause, "NQ1" | "NQ2" | "NQ3" | "NQ9")
    };
    clause.is_some_and(type_of)
}

fn is_type(hint: &Hint) -> bool {
    hint.clause.as_str().starts_with("NQ")
}
