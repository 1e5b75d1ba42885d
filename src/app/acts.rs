//! From a wish to an act that may be written to the journal, or to the reason why not.
//!
//! Screens and command line build every act here, so that a rule holds for both.

use jiff::Timestamp;

use super::row::CaseRow;
use crate::domain::cvss::Vector;
use crate::domain::journal::{Act, AnswerValue};
use crate::domain::policy::Policy;
use crate::domain::{ClauseId, Disposition, Evidence};

/// Why an act is refused, and what to do instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}; {instead}")]
pub struct Refusal {
    /// What does not hold.
    pub what: String,
    /// What to do.
    pub instead: String,
}

impl Refusal {
    fn new(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), instead: instead.into() }
    }
}

/// Resolves a clause name against the policy: exact, without regard to case.
///
/// # Errors
/// If the policy has no such decision point; the nearest name is given.
pub fn clause(policy: &Policy, name: &str) -> Result<ClauseId, Refusal> {
    let wanted = ClauseId::new(name.to_ascii_uppercase());
    let known = |id: &ClauseId| id.as_str().eq_ignore_ascii_case(name);
    if let Some(item) = policy.items.iter().find(|item| known(&item.id)) {
        return Ok(item.id.clone());
    }
    if !policy.items_of(&wanted).is_empty() {
        return Ok(wanted);
    }
    let names: Vec<&str> = policy.items.iter().map(|item| item.id.as_str()).collect();
    let near = crate::config::fault::nearest(wanted.as_str(), &names);
    let hint = near.map_or_else(
        || "`casebook policy show` lists them".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    Err(Refusal::new(format!("the policy has no clause “{}”", printable(name)), hint))
}

/// An answer to a checklist question.
///
/// # Errors
/// If it has neither evidence nor a reason (capability M2).
pub fn answer(
    policy: &Policy,
    name: &str,
    value: AnswerValue,
    evidence: Option<Evidence>,
    reason: Option<String>,
) -> Result<Act, Refusal> {
    let clause = clause(policy, name)?;
    let reason = reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if evidence.is_none() && reason.is_none() {
        return Err(Refusal::new(
            "an answer needs the line that shows it, or a reason",
            "mark a line, or type a reason",
        ));
    }
    Ok(Act::Answered { clause, answer: Some(value), evidence, reason })
}

/// Our CVSS vector.
///
/// # Errors
/// If it is no complete vector, with the fault in words.
pub fn score(text: &str) -> Result<Act, Refusal> {
    match Vector::parse(text.trim()) {
        Ok(vector) => Ok(Act::Scored { vector: vector.to_string() }),
        Err(fault) => Err(Refusal::new(
            format!("“{}” is not a CVSS vector: {fault}", printable(text)),
            "give all base metrics, such as CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N",
        )),
    }
}

/// A decision.
///
/// # Errors
/// If the reporter is turned away without a clause or a reason (capability M4), or banned without a reason
/// (AI10).
pub fn decide(
    policy: &Policy,
    disposition: Disposition,
    clauses: &[String],
    reason: Option<String>,
) -> Result<Act, Refusal> {
    let clauses: Vec<ClauseId> =
        clauses.iter().map(|name| clause(policy, name)).collect::<Result<_, _>>()?;
    let reason = reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if disposition == Disposition::RejectBan && reason.is_none() {
        return Err(Refusal::new(
            "a ban needs a typed reason (AI10)",
            "give one, such as which claims were found to be made up",
        ));
    }
    if disposition.declines() && clauses.is_empty() && reason.is_none() {
        return Err(Refusal::new(
            format!("“{disposition}” turns the reporter away without a clause"),
            "answer the checklist question that shows why, name a clause, or give a reason",
        ));
    }
    Ok(Act::Decided { disposition, clauses, reason })
}

/// A pause of our clocks on a case from `now` on.
///
/// # Errors
/// If they rest already, or would run again at once.
pub fn pause(
    row: &CaseRow,
    until: Option<Timestamp>,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Act, Refusal> {
    if is_paused(row, now) {
        return Err(Refusal::new(
            "the clocks of this case rest already",
            "let them run again first",
        ));
    }
    if until.is_some_and(|until| until <= now) {
        return Err(Refusal::new("the pause would be over already", "name a later end, or none"));
    }
    let reason = reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(Act::Paused { until, reason })
}

/// The end of a pause.
///
/// # Errors
/// If the clocks do not rest.
pub fn resume(row: &CaseRow, now: Timestamp) -> Result<Act, Refusal> {
    if is_paused(row, now) {
        return Ok(Act::Resumed {});
    }
    Err(Refusal::new("the clocks of this case do not rest", "there is nothing to end"))
}

/// Whether our clocks on a case rest by an act of ours.
pub fn is_paused(row: &CaseRow, now: Timestamp) -> bool {
    row.pauses.iter().any(|pause| pause.holds(now))
}

fn printable(text: &str) -> String {
    crate::mail::DisplayText::line(text).as_str().chars().take(80).collect()
}
