//! The suggested end of a case: hints under confirmed answers, handed to the policy's outcome algebra.

use crate::domain::cvss::Vector;
use crate::domain::hint::Reading;
use crate::domain::policy::Policy;
use crate::domain::verdict::{
    Answers, CaseFacts, Claims, Verdict, merge, merge_flags, propose, raised,
};
use crate::domain::{CaseId, version};

/// What the rules propose for a case, from the readings of the mails to us in the order of receipt. `score`
/// is our own vector, never the reporter's. Nothing is applied by itself.
pub fn suggest(
    policy: &Policy,
    confirmed: &Answers,
    readings: &[&Reading],
    score: Option<&Vector>,
    duplicate: Option<CaseId>,
) -> Verdict {
    suggest_checked(policy, confirmed, readings, score, duplicate, None)
}

/// As [`suggest`], with what looking up the claims about the source came to. They weigh in one thing only: whether
/// a ban is proposed (AI10).
pub fn suggest_checked(
    policy: &Policy,
    confirmed: &Answers,
    readings: &[&Reading],
    score: Option<&Vector>,
    duplicate: Option<CaseId>,
    claims: Option<Claims>,
) -> Verdict {
    let flags = merge_flags(readings);
    let ours = score.map(|vector| {
        vector.capped(&policy.scoring.max_attack_vector).unwrap_or_else(|| vector.clone()).base()
    });
    let facts = CaseFacts {
        flags,
        score_tenths: ours.map(|score| score.tenths()),
        has_vector: readings.iter().any(|reading| !reading.vectors.is_empty()),
        duplicate_of: duplicate,
        version: version::of_readings(readings),
        all_encrypted: !readings.is_empty() && readings.iter().all(|r| r.flags.encrypted),
        confirmed: confirmed.keys().cloned().collect(),
        raised: raised(readings),
        claims,
    };
    propose(policy, &merge(confirmed, readings), &facts)
}
