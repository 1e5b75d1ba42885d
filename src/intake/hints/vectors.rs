//! CVSS vectors in a report, and what is wrong with them (SC1, SC5, SC6).

use super::RulesError;
use super::own::Own;
use super::pattern::Pattern;
use super::tree::Named;
use crate::domain::cvss::{Vector, find_vectors};
use crate::domain::hint::{FoundVector, Hint, Reading};
use crate::domain::journal::AnswerValue;
use crate::domain::policy::Policy;

/// Vectors that are reported from one mail.
const MAX_VECTORS: usize = 16;

/// A score as reporters write it: after a word for it, or before its band.
const SCORE: &str = r"(?:score[ds]?|rating|base|severity|punktzahl|note|nota|puntuaci\p{L}*)(?: (?:is|of|ist|de))?\s*[:=(]?\s*(?:10(?:\.0)?|\d\.\d)\b|\b(?:10\.0|\d\.\d)\s*[,(/]?\s*(?:critical|high|medium|moderate|low)\b";

pub(super) struct Patterns {
    score: Pattern,
}

impl Patterns {
    pub(super) fn parse(named: &mut Named) -> Result<Self, RulesError> {
        Ok(Self { score: Pattern::parse("stated score (built in)", SCORE, named)? })
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Pattern> {
        [&mut self.score].into_iter()
    }
}

pub(super) fn read(
    patterns: &Patterns,
    policy: &Policy,
    own: &Own<'_>,
    reading: &mut Reading,
    hints: &mut Vec<Hint>,
) {
    for range in find_vectors(own.folded()).into_iter().take(MAX_VECTORS) {
        let Some(evidence) = own.evidence(range) else { continue };
        let found = FoundVector { text: evidence.text.clone(), evidence };
        hints.extend(judge(policy, &found));
        if !reading.vectors.iter().any(|other| other.text == found.text) {
            reading.vectors.push(found);
        }
    }
    if let [only] = reading.vectors.as_slice() {
        hints.extend(score_mismatch(patterns, own, only));
    }
}

fn judge(policy: &Policy, found: &FoundVector) -> Vec<Hint> {
    let hint = |clause: &str, answer, strength, rule: &str, why: String| Hint {
        clause: clause.into(),
        answer,
        strength,
        rule: rule.to_owned(),
        why,
        evidence: Some(found.evidence.clone()),
    };
    let wanted = policy.scoring.version.as_str();
    let faulty = |why: String| vec![hint("SC5", AnswerValue::Yes, 3, "vector-faulty", why)];
    match Vector::parse(&found.text) {
        Err(fault) => faulty(format!("The vector cannot be used: {fault}.")),
        Ok(vector) if vector.version().prefix() != wanted => faulty(format!(
            "It is a {} vector; the policy asks for {wanted}.",
            vector.version().prefix()
        )),
        Ok(vector) => {
            let given = "A vector in the form that the policy asks for.".to_owned();
            let mut hints = vec![hint("SC1", AnswerValue::Yes, 3, "vector-given", given)];
            if let Some(capped) = vector.capped(&policy.scoring.max_attack_vector) {
                let why = format!(
                    "Attack vector above the policy's maximum. Capped to {} the base score is {} instead of {}.",
                    policy.scoring.max_attack_vector,
                    capped.base(),
                    vector.base()
                );
                hints.push(hint("SC6", AnswerValue::No, 3, "vector-over-cap", why));
            }
            hints
        }
    }
}

/// A score that the vector does not have. Only a question: which of the two was meant?
fn score_mismatch(patterns: &Patterns, own: &Own<'_>, found: &FoundVector) -> Option<Hint> {
    let base = Vector::parse(&found.text).ok()?.base();
    let scores = patterns.score.find(own.text().whole(), usize::MAX).into_iter();
    let mut stated = scores.filter_map(|range| {
        // Nothing else in the pattern holds digits or dots.
        let words = own.folded().get(range.clone())?;
        let number: String = words.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
        let value: f64 = number.parse().ok()?;
        Some((value, range))
    });
    let (value, range) = stated.next()?;
    // Two different scores: one is another metric group's or another finding's.
    let unlike = (value - base.as_f64()).abs() > 0.05 && stated.all(|(other, _)| other == value);
    unlike.then(|| Hint {
        clause: "SC5".into(),
        answer: AnswerValue::Unclear,
        strength: 2,
        rule: "score-unlike-vector".to_owned(),
        why: format!("The mail says {value:.1}, the vector gives {base}."),
        evidence: own.evidence(range),
    })
}
