//! What the rules propose for a case: the outcome algebra, as a pure function.
//!
//! A verdict is a proposal and nothing more: the maintainer decides the disposition. What each answer leads
//! to stands in the policy; the order in which that counts stands here. Junk and routing
//! come first, since a leak cannot wait; then scope, disqualifiers, duplicates; then all that is missing, in
//! one mail; then accept. Read next: [`noted`], [`super::policy`].

mod noted;

use std::collections::{BTreeMap, BTreeSet};

use super::hint::{AiUse, Flags, Reading, VersionStatus};
use super::journal::AnswerValue;
use super::policy::{Item, ItemKind, Outcome, Policy};
use super::{CaseId, ClauseId, Disposition};

/// Strength from which a hint without words to point to speaks of its point.
const RAISES: u8 = 2;

/// Answers by decision point.
pub type Answers = BTreeMap<ClauseId, AnswerValue>;

/// Decision points that the algebra itself refers to. A policy that lacks one never meets its rule.
mod point {
    pub const CHANNEL: &str = "CH1";
    pub const TIME_GIVEN: &str = "DI2";
    pub const WRITE_UP: &str = "DI3";
    pub const FIRST_ANSWER: &str = "PR1";
    pub const ABOUT_US: &str = "CH2";
    pub const IMPACT: &str = "CH4";
    pub const KEPT_PRIVATE: &str = "DI1";
    pub const LATEST: &str = "SV1";
    pub const IN_DEVELOPMENT: &str = "SV2";
    pub const FORK: &str = "SV4";
    pub const NO_PROOF: &str = "NQ2";
    pub const EXPOSED: &str = "NQ8";
    pub const MISCONFIGURED: &str = "NQ10";
    pub const BY_TALK: &str = "NQ4";
    pub const VECTOR_GIVEN: &str = "SC1";
    pub const UNABLE_TO_SCORE: &str = "SC3";
    pub const UNDER_CAP: &str = "SC6";
    pub const OURS: &str = "PD3";
    pub const NEW_TO_US: &str = "PD4";
    pub const NEW_TO_PUBLIC: &str = "PD5";
    pub const MODERATE: &str = "PD6";
    pub const BOUNTY: &str = "BO1";
    pub const CREDIT: &str = "BO2";
    pub const AI_DISCLOSED: &str = "AI1";
    pub const AI_CHECKED: &str = "AI2";
    pub const MADE_UP: &str = "AI10";
}

/// What is known about a case beside its answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CaseFacts {
    /// Flags over all messages to us; see [`merge_flags`].
    pub flags: Flags,
    /// Our base score in tenths, under the cap; never the reporter's.
    pub score_tenths: Option<u16>,
    /// Whether the reporter gave a vector, valid or not.
    pub has_vector: bool,
    /// The case that this one repeats, where one was found.
    pub duplicate_of: Option<CaseId>,
    /// What the claimed version is; see [`super::version::of_readings`].
    pub version: VersionStatus,
    /// Whether no message of the reporter can be read, all being encrypted.
    pub all_encrypted: bool,
    /// Points that a human answered.
    pub confirmed: BTreeSet<ClauseId>,
    /// Points that the reporter's own words speak of; see [`raised`].
    pub raised: BTreeSet<ClauseId>,
    /// What looking up the report's claims in the source came to; `None` where nobody has looked.
    pub claims: Option<Claims>,
}

/// Claims about the source that are strong enough to count: names of our own, not of libraries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Claims {
    /// Those that were found, also elsewhere.
    pub held: u32,
    /// Those that do not resolve.
    pub failed: u32,
}

/// A proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The proposed end.
    pub disposition: Disposition,
    /// The clauses that carry it, strongest first.
    pub clauses: Vec<ClauseId>,
    /// Further clauses to heed in the answer, in the order of the checklist: what the reporter says of money,
    /// credit, time, publication, AI use and score. None is among `clauses`.
    pub noted: Vec<ClauseId>,
    /// Every point to ask the reporter for, in the order of the checklist, for one mail.
    pub missing: Vec<ClauseId>,
    /// Whether an advisory is due: valid, and every criterion holds as far as known.
    pub advisory: bool,
    /// Whether a CVE id is due: an advisory is, and our severity is known to reach the threshold.
    pub cve: bool,
    /// Why, in one plain sentence for the maintainer.
    pub why: String,
}

/// Lays hints under the confirmed answers. A confirmed answer always wins; among hints the strongest, then
/// the one of the later message. Two equally strong hints of one message that differ come to `unclear`.
pub fn merge(confirmed: &Answers, readings: &[&Reading]) -> Answers {
    let mut best: BTreeMap<&ClauseId, (u8, usize, AnswerValue)> = BTreeMap::new();
    for (message, reading) in readings.iter().enumerate() {
        for hint in &reading.hints {
            let new = (hint.strength, message, hint.answer);
            best.entry(&hint.clause)
                .and_modify(|old| {
                    if (old.0, old.1) < (new.0, new.1) {
                        *old = new;
                    } else if (old.0, old.1) == (new.0, new.1) && old.2 != new.2 {
                        old.2 = AnswerValue::Unclear;
                    }
                })
                .or_insert(new);
        }
    }
    let hinted = best.into_iter().map(|(clause, (_, _, answer))| (clause.clone(), answer));
    hinted.chain(confirmed.iter().map(|(clause, answer)| (clause.clone(), *answer))).collect()
}

/// Flags over the messages of a case. Any message may raise most of them; junk and another product only if
/// every message is that. AI use that is disclosed anywhere is disclosed.
pub fn merge_flags(readings: &[&Reading]) -> Flags {
    let any = |flag: fn(&Flags) -> bool| readings.iter().any(|reading| flag(&reading.flags));
    let all = |flag: fn(&Flags) -> bool| {
        !readings.is_empty() && readings.iter().all(|reading| flag(&reading.flags))
    };
    let ai = match (any(|f| f.ai == AiUse::Disclosed), any(|f| f.ai == AiUse::Suspected)) {
        (true, _) => AiUse::Disclosed,
        (false, true) => AiUse::Suspected,
        (false, false) => AiUse::None,
    };
    Flags {
        ai,
        scanner: any(|f| f.scanner),
        bounty_request: any(|f| f.bounty_request),
        has_poc: any(|f| f.has_poc),
        credit_wanted: any(|f| f.credit_wanted),
        public: any(|f| f.public),
        spam: all(|f| f.spam),
        other_product: all(|f| f.other_product),
        coordination: any(|f| f.coordination),
        encrypted: any(|f| f.encrypted),
    }
}

/// Whether the public knew before us, so that there is no embargo: a maintainer's answer counts more than a flag.
pub fn is_public(answers: &Answers, flags: &Flags) -> bool {
    let answer = |point: &str| answers.get(&ClauseId::from(point)).copied();
    match (answer(point::NEW_TO_PUBLIC), answer(point::KEPT_PRIVATE)) {
        (Some(AnswerValue::Yes), _) => false,
        (Some(AnswerValue::No), _) | (_, Some(AnswerValue::No)) => true,
        // A report in a public place is a leak (CH1).
        _ => flags.public || answer(point::CHANNEL) == Some(AnswerValue::No),
    }
}

/// Points that the words of the messages speak of: a hint with evidence, or a strong one.
pub fn raised(readings: &[&Reading]) -> BTreeSet<ClauseId> {
    let hints = readings.iter().flat_map(|reading| &reading.hints);
    let speaks = hints.filter(|hint| hint.evidence.is_some() || hint.strength >= RAISES);
    speaks.map(|hint| hint.clause.clone()).collect()
}

impl Verdict {
    /// Every clause that the proposal names: those that carry it, then those to heed.
    pub fn all_clauses(&self) -> impl Iterator<Item = &ClauseId> {
        self.clauses.iter().chain(&self.noted)
    }
}

/// What the rules propose.
///
/// Safe by construction: `unclear` never turns anyone away, and a ban needs claims that do not resolve.
pub fn propose(policy: &Policy, answers: &Answers, facts: &CaseFacts) -> Verdict {
    let view = View { policy, answers, facts };
    let steps = [
        View::ban,
        View::junk,
        View::unreadable,
        View::elsewhere,
        View::coordination,
        View::public_and_old,
        View::out_of_scope,
        View::disqualified,
        View::duplicate,
        View::money_only,
        View::incomplete,
    ];
    let first = steps.iter().find_map(|step| step(&view));
    let verdict = first.unwrap_or_else(|| view.accept());
    Verdict { noted: view.noted(&verdict), ..verdict }
}

/// One case under one policy.
#[derive(Clone, Copy)]
struct View<'a> {
    policy: &'a Policy,
    answers: &'a Answers,
    facts: &'a CaseFacts,
}

impl View<'_> {
    fn answer(&self, point: &str) -> Option<AnswerValue> {
        self.answers.get(&ClauseId::from(point)).copied()
    }

    fn is(&self, point: &str, value: AnswerValue) -> bool {
        self.answer(point) == Some(value)
    }

    /// What follows from the answer to an item. `unclear` never declines, whatever a policy says.
    fn outcome(&self, item: &Item) -> Outcome {
        match self.answers.get(&item.id) {
            None => Outcome::Go,
            Some(AnswerValue::Yes) => item.outcomes.yes,
            Some(AnswerValue::No) => item.outcomes.no,
            Some(AnswerValue::Unclear) if item.outcomes.unclear == Outcome::Ask => Outcome::Ask,
            Some(AnswerValue::Unclear) => Outcome::Go,
        }
    }

    fn verdict(&self, disposition: Disposition, clauses: Vec<ClauseId>, why: &str) -> Verdict {
        Verdict {
            disposition,
            clauses,
            noted: Vec::new(),
            missing: Vec::new(),
            advisory: false,
            cve: false,
            why: why.to_owned(),
        }
    }

    /// The ids of those points that the policy has.
    fn known(&self, points: &[&str]) -> Vec<ClauseId> {
        let ids = points.iter().map(|point| ClauseId::from(*point));
        ids.filter(|id| self.policy.item(id).is_some()).collect()
    }

    /// A made-up report: from a human's own answer, or from claims none of which resolves in a report that has the
    /// marks of a tool; never from style alone (AI10). No ban is proposed without claims that fail.
    fn ban(&self) -> Option<Verdict> {
        let banned = self.policy.items.iter().find(|item| {
            self.outcome(item) == Outcome::Propose(Disposition::RejectBan)
                && self.facts.confirmed.contains(&item.id)
        });
        if let Some(item) = banned {
            // Whoever judges so may be right; a ban is proposed only where the source says the same.
            let (end, why) = match self.facts.claims {
                Some(claims) if claims.failed > 0 => {
                    (Disposition::RejectBan, "you answered that the report is made up")
                }
                _ => (
                    Disposition::Reject,
                    "you answered that the report is made up; no claim was found to fail",
                ),
            };
            return Some(self.verdict(end, vec![item.id.clone()], why));
        }
        let made_up = self.policy.item(&point::MADE_UP.into())?;
        let claims = self.facts.claims?;
        let failed = claims.failed > 0 && claims.held == 0;
        let open = !self.facts.confirmed.contains(&made_up.id);
        let pasted = self.facts.flags.ai == AiUse::Suspected;
        let why = format!("none of {} claims resolves; asking first is kinder", claims.failed);
        (failed && open && pasted).then(|| {
            let clauses = self.known(&[point::MADE_UP]);
            self.verdict(Disposition::RejectBan, clauses, &why)
        })
    }

    fn junk(&self) -> Option<Verdict> {
        let junk = self.facts.flags.spam && !self.is(point::ABOUT_US, AnswerValue::Yes);
        junk.then(|| self.verdict(Disposition::Spam, Vec::new(), "junk by its form"))
    }

    /// Nothing can be told of what cannot be read, unless a human has read it elsewhere and answered.
    fn unreadable(&self) -> Option<Verdict> {
        let sealed = self.facts.all_encrypted && self.facts.confirmed.is_empty();
        let why = "encrypted to a key that is not at hand";
        let clauses = || self.known(&[point::CHANNEL]);
        sealed.then(|| self.verdict(Disposition::UndecidableEncrypted, clauses(), why))
    }

    /// Not about this product (then PD3 says so), or not about security (then the channel is the wrong one).
    fn elsewhere(&self) -> Option<Verdict> {
        let by_answer = self.is(point::ABOUT_US, AnswerValue::No);
        let unasked = self.answer(point::ABOUT_US).is_none();
        let by_flag = unasked && self.facts.flags.other_product;
        let other = by_flag || self.is(point::OURS, AnswerValue::No);
        let clauses = || self.known(&[if other { point::OURS } else { point::CHANNEL }]);
        // Mail in our name and the like are about us, and no software: the type of attack decides.
        let declined = self.is(point::BY_TALK, AnswerValue::Yes);
        let why = "not about a vulnerability of this project";
        (!declined).then_some(())?;
        (by_answer || by_flag).then(|| self.verdict(Disposition::WrongProject, clauses(), why))
    }

    /// Process rather than a flaw. With a proof of concept it is a report after all.
    fn coordination(&self) -> Option<Verdict> {
        let flags = self.facts.flags;
        let process = flags.coordination && !flags.has_poc;
        let why = "from a coordinator or publisher, about process rather than a flaw";
        process.then(|| self.verdict(Disposition::Coordination, Vec::new(), why))
    }

    /// Whether the public knew before us.
    fn public(&self) -> bool {
        is_public(self.answers, &self.facts.flags)
    }

    fn outdated(&self) -> bool {
        self.is(point::LATEST, AnswerValue::No) || self.facts.version == VersionStatus::Outdated
    }

    fn in_development(&self) -> bool {
        match self.answer(point::IN_DEVELOPMENT) {
            Some(answer) => answer == AnswerValue::Yes,
            None => self.facts.version == VersionStatus::DevBranch,
        }
    }

    /// Known to everyone, and known to us or against an old version: nothing new. Known to the public but
    /// real in the latest version goes on: it must be fixed.
    fn public_and_old(&self) -> Option<Verdict> {
        let known = self.is(point::NEW_TO_US, AnswerValue::No);
        let old = self.public() && (known || self.outdated() && !self.in_development());
        let clauses = || {
            let mut points = vec![point::NEW_TO_PUBLIC];
            points.extend(known.then_some(point::NEW_TO_US));
            points.extend(self.outdated().then_some(point::LATEST));
            self.known(&points)
        };
        let why = "known to the public before it was reported, and nothing new in it";
        old.then(|| self.verdict(Disposition::AlreadyPublic, clauses(), why))
    }

    fn out_of_scope(&self) -> Option<Verdict> {
        let fork = match self.answer(point::FORK) {
            Some(answer) => answer == AnswerValue::Yes,
            None => self.facts.version == VersionStatus::Fork,
        };
        let fork_clause = self.known(&[point::FORK]);
        if fork && !fork_clause.is_empty() {
            let why = "the target is a fork; refer the reporter to its maintainers";
            return Some(self.verdict(Disposition::Reject, fork_clause, why));
        }
        // A proof against an old version is worth the question whether it still works on the latest.
        let settled = self.facts.confirmed.contains(&ClauseId::from(point::LATEST));
        let old = self.is(point::LATEST, AnswerValue::No) && !self.in_development();
        let why = "shown on an older version only; asking about the latest first is kinder";
        (old && (settled || !self.facts.flags.has_poc))
            .then(|| self.verdict(Disposition::Reject, self.known(&[point::LATEST]), why))
    }

    /// Any disqualifier that holds declines; several stand strongest first. Forwarded only where nothing else
    /// speaks against the report.
    fn disqualified(&self) -> Option<Verdict> {
        let mut proven: Vec<(&Item, Disposition)> = self
            .policy
            .items
            .iter()
            .filter(|item| item.kind == ItemKind::Disqualifier)
            .filter_map(|item| match self.outcome(item) {
                Outcome::Propose(disposition) => Some((item, disposition)),
                _ => None,
            })
            .collect();
        proven.sort_by_key(|(item, _)| if item.rank == 0 { u8::MAX } else { item.rank });
        let (strongest, disposition) = *proven.first()?;
        let agreed = proven.iter().all(|(_, other)| *other == disposition);
        let disposition = if agreed { disposition } else { Disposition::Reject };
        let clauses = proven.iter().map(|(item, _)| item.id.clone()).collect();
        let why = match strongest.id.as_str() {
            point::NO_PROOF => {
                "not qualifying: no proof that it can be exploited; asking for one first is kinder"
                    .to_owned()
            }
            _ => format!("not qualifying: {}", strongest.title.to_lowercase()),
        };
        Some(self.verdict(disposition, clauses, &why))
    }

    fn duplicate(&self) -> Option<Verdict> {
        let (repeats, answer) = (&self.facts.duplicate_of, self.answer(point::NEW_TO_US));
        let known = answer == Some(AnswerValue::No) || answer.is_none() && repeats.is_some();
        let why = match repeats {
            Some(case) => format!("the same as case {case}"),
            None => "known to us from before".to_owned(),
        };
        known.then(|| self.verdict(Disposition::Duplicate, self.known(&[point::NEW_TO_US]), &why))
    }

    /// Asks for money and holds nothing that could be judged (BO1).
    fn money_only(&self) -> Option<Verdict> {
        let flags = self.facts.flags;
        let empty = !flags.has_poc
            && !self.facts.has_vector
            && self.facts.version == VersionStatus::Unstated
            && !self.is(point::IMPACT, AnswerValue::Yes);
        let asks = flags.bounty_request || self.is(point::BOUNTY, AnswerValue::Yes);
        let clauses = || self.known(&[point::BOUNTY, point::IMPACT]);
        let why = "asks for money and tells nothing that can be judged";
        (asks && empty).then(|| self.verdict(Disposition::NoBounty, clauses(), why))
    }

    /// Everything to ask for, and whether the case cannot go on without it.
    fn missing(&self) -> (Vec<ClauseId>, bool) {
        let (mut asked, mut blocking) = (BTreeSet::new(), false);
        for item in self.policy.items.iter().filter(|item| self.outcome(item) == Outcome::Ask) {
            let settled = match item.id.as_str() {
                point::VECTOR_GIVEN => self.is(point::UNABLE_TO_SCORE, AnswerValue::Yes),
                point::LATEST => self.in_development(),
                _ => false,
            };
            if !settled {
                asked.insert(item.id.clone());
                blocking |= matches!(item.kind, ItemKind::Gate | ItemKind::Disqualifier);
            }
        }
        for point in self.gaps() {
            blocking |= self.policy.item(&point).is_some();
            asked.insert(point);
        }
        let order = self.policy.items.iter().map(|item| &item.id);
        (order.filter(|id| asked.contains(*id)).cloned().collect(), blocking)
    }

    /// Points without an answer that the facts leave open.
    fn gaps(&self) -> Vec<ClauseId> {
        let (flags, facts) = (self.facts.flags, self.facts);
        let open = |point: &str| self.answer(point).is_none();
        let proof = flags.has_poc || facts.has_vector || !open(point::NO_PROOF);
        let unscoped = facts.version == VersionStatus::Outdated && !self.in_development();
        let asked_before = self.is(point::LATEST, AnswerValue::No);
        let gaps = [
            (point::NO_PROOF, !proof && !self.is(point::IMPACT, AnswerValue::Yes)),
            (
                point::LATEST,
                (unscoped && open(point::LATEST)) || asked_before && !self.in_development(),
            ),
            (point::AI_DISCLOSED, flags.ai == AiUse::Suspected && open(point::AI_DISCLOSED)),
            (
                point::AI_CHECKED,
                flags.ai != AiUse::None && !flags.has_poc && open(point::AI_CHECKED),
            ),
            // A score of nothing means that nothing is gained (CVSS 3.1 §5).
            (point::IMPACT, facts.score_tenths == Some(0)),
        ];
        gaps.into_iter().filter(|(_, gap)| *gap).map(|(point, _)| ClauseId::from(point)).collect()
    }

    fn incomplete(&self) -> Option<Verdict> {
        let (missing, blocking) = self.missing();
        let titles: Vec<String> = missing
            .iter()
            .filter_map(|id| self.policy.item(id))
            .map(|item| item.title.to_lowercase())
            .collect();
        let why = format!("to be asked for: {}", titles.join(", "));
        blocking.then(|| Verdict {
            missing: missing.clone(),
            ..self.verdict(Disposition::NeedsInfo, missing, &why)
        })
    }

    fn accept(&self) -> Verdict {
        let (missing, _) = self.missing();
        let development = self.in_development()
            && !self.is(point::LATEST, AnswerValue::Yes)
            && self.facts.version != VersionStatus::LatestStable;
        let failed: Vec<ClauseId> = self
            .policy
            .items
            .iter()
            .filter(|item| item.kind == ItemKind::AdvisoryCriterion)
            .filter(|item| self.is(item.id.as_str(), AnswerValue::No))
            .map(|item| item.id.clone())
            .collect();
        let public = self.public();
        let advisory = failed.is_empty() && !public && !development;
        let grave = match (self.answer(point::MODERATE), self.facts.score_tenths) {
            (Some(answer), _) => answer == AnswerValue::Yes,
            (None, Some(tenths)) => tenths >= self.policy.scoring.cve_threshold_tenths,
            (None, None) => false,
        };
        let mut clauses =
            self.known(&[if development { point::IN_DEVELOPMENT } else { point::LATEST }]);
        clauses.extend(failed.iter().cloned());
        if public && failed.is_empty() {
            clauses.extend(self.known(&[point::NEW_TO_PUBLIC]));
        }
        let why = if public {
            "valid but public: fix it urgently and inform users; no advisory under the rule"
        } else if !failed.is_empty() {
            "valid, but a criterion for an advisory does not hold"
        } else if development {
            "valid in a version in development only: whether an advisory makes sense is yours to say"
        } else if grave {
            "valid: advisory, with a CVE id"
        } else if self.facts.score_tenths.is_some() || self.answer(point::MODERATE).is_some() {
            "valid but below the threshold: advisory without a CVE id"
        } else {
            "valid as far as it can be told; score it to see whether a CVE id is due"
        };
        let accepted = self.verdict(Disposition::Accept, clauses, why);
        Verdict { missing, advisory, cve: advisory && grave, ..accepted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hint::Hint;

    fn reading(hints: &[(&str, AnswerValue, u8)]) -> Reading {
        let hint = |(clause, answer, strength): &(&str, AnswerValue, u8)| Hint {
            clause: ClauseId::from(*clause),
            answer: *answer,
            strength: *strength,
            rule: String::new(),
            why: String::new(),
            evidence: None,
        };
        Reading { hints: hints.iter().map(hint).collect(), ..Reading::default() }
    }

    #[test]
    fn hints_lie_under_the_confirmed_answers() {
        use AnswerValue::{No, Unclear, Yes};
        let first =
            reading(&[("A", Yes, 1), ("A", No, 2), ("B", Yes, 3), ("C", Yes, 2), ("D", Yes, 1)]);
        let second = reading(&[("B", No, 2), ("C", No, 2), ("E", Yes, 1), ("E", No, 1)]);
        let confirmed = Answers::from([("D".into(), Unclear)]);
        let merged = merge(&confirmed, &[&first, &second]);
        let of = |clause: &str| merged[&ClauseId::from(clause)];
        assert_eq!((of("A"), of("B"), of("C"), of("D")), (No, Yes, No, Unclear));
        assert_eq!(of("E"), Unclear, "equally strong and at odds");
    }

    #[test]
    fn flags_of_several_messages_come_to_one() {
        let with = |flags: Flags| Reading { flags, ..Reading::default() };
        let report = with(Flags { has_poc: true, ai: AiUse::Suspected, ..Flags::default() });
        let answer = with(Flags { spam: true, ai: AiUse::Disclosed, ..Flags::default() });
        let merged = merge_flags(&[&report, &answer]);
        assert!(merged.has_poc && !merged.spam);
        assert_eq!(merged.ai, AiUse::Disclosed);
        assert!(merge_flags(&[&answer]).spam);
        assert_eq!(merge_flags(&[]), Flags::default());
    }
}
