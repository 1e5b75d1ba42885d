//! The suggested end of a case: hints under confirmed answers, handed to the policy's outcome algebra.

use crate::domain::cvss::Vector;
use crate::domain::hint::Reading;
use crate::domain::policy::Policy;
use crate::domain::verdict::{
    Answers, CaseFacts, Claims, Verdict, merge, merge_flags, propose, raised,
};
use crate::domain::{CaseId, version};

/// What is known about a case beside its mails.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Our own vector, never the reporter's.
    pub score: Option<Vector>,
    /// The case that it repeats, where one was found.
    pub repeats: Option<CaseId>,
    /// What looking up the claims came to; `None` where nobody has looked.
    pub claims: Option<Claims>,
}

/// What the rules propose for a case, from the readings of the mails to us in the order of receipt. Nothing is
/// applied by itself.
pub fn suggest(
    policy: &Policy,
    confirmed: &Answers,
    readings: &[&Reading],
    known: Known,
) -> Verdict {
    let flags = merge_flags(readings);
    let ours = known
        .score
        .map(|vector| vector.capped(&policy.scoring.max_attack_vector).unwrap_or(vector).base());
    let facts = CaseFacts {
        flags,
        score_tenths: ours.map(|score| score.tenths()),
        has_vector: readings.iter().any(|reading| !reading.vectors.is_empty()),
        duplicate_of: known.repeats,
        version: version::of_readings(readings),
        all_encrypted: !readings.is_empty() && readings.iter().all(|r| r.flags.encrypted),
        confirmed: confirmed.keys().cloned().collect(),
        raised: raised(readings),
        claims: known.claims,
    };
    propose(policy, &merge(confirmed, readings), &facts)
}
