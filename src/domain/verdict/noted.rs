//! Clauses to heed beside those that carry a proposal.
//!
//! Owns: which of the points that a reporter speaks of matter for which end. A refusal need not speak of
//! credit or of the embargo; money and the capped vector are answered always. Absent on purpose: what decides.

use super::{AiUse, AnswerValue, ClauseId, Disposition, Verdict, View, point};

impl View<'_> {
    /// Clauses to heed for this end, in the order of the checklist.
    pub(super) fn noted(&self, verdict: &Verdict) -> Vec<ClauseId> {
        let points: Vec<&str> = match verdict.disposition {
            Disposition::Spam => Vec::new(),
            Disposition::WrongProject | Disposition::NoBounty => self.always(),
            Disposition::Reject => {
                let elsewhere = self.facts.flags.other_product.then_some(point::OURS);
                // An instance on the internet is a misconfigured one, by the policy's own words (SC8).
                let exposed = self.yes(&[point::EXPOSED]);
                let misconfigured = exposed.first().map(|_| point::MISCONFIGURED);
                let more = elsewhere.into_iter().chain(misconfigured).collect();
                [self.always(), self.of_score(), more].concat()
            }
            Disposition::ForwardUpstream => {
                [self.always(), self.of_score(), vec![point::OURS]].concat()
            }
            Disposition::RejectBan => {
                let unproven = self.yes(&[point::NO_PROOF]);
                let ai = vec![point::AI_DISCLOSED, point::AI_CHECKED];
                [self.always(), self.of_score(), ai, unproven].concat()
            }
            Disposition::Coordination => [self.always(), self.of_time(), self.of_cve()].concat(),
            Disposition::Accept => {
                let scored = self.answered(point::VECTOR_GIVEN, AnswerValue::Yes)
                    || self.answered(point::UNABLE_TO_SCORE, AnswerValue::Yes);
                // An advisory has a field for the score, so nobody was asked for one.
                // What a tool found is answered by whether it was checked.
                let asked = !self.raises(point::CHANNEL) && self.facts.flags.ai != AiUse::Disclosed;
                let scored = (scored && asked).then_some(point::VECTOR_GIVEN);
                let also = self.yes(&[point::IN_DEVELOPMENT]);
                let of_report = [self.always(), self.of_score(), self.of_time(), self.of_report()];
                of_report.into_iter().flatten().chain(scored).chain(also).collect()
            }
            _ => [self.always(), self.of_score(), self.of_time(), self.of_report()].concat(),
        };
        let order = self.policy.items.iter().map(|item| &item.id);
        let wanted = order.filter(|id| points.contains(&id.as_str()));
        wanted.filter(|id| !verdict.clauses.contains(id)).cloned().collect()
    }

    fn raises(&self, point: &str) -> bool {
        self.facts.raised.contains(&ClauseId::from(point))
    }

    /// Raised by the reporter and, all in all, answered so.
    fn answered(&self, point: &str, value: AnswerValue) -> bool {
        self.raises(point) && self.is(point, value)
    }

    fn yes(&self, points: &[&'static str]) -> Vec<&'static str> {
        points.iter().copied().filter(|point| self.answered(point, AnswerValue::Yes)).collect()
    }

    /// Money, a publication, the way it came, and that we are late, whatever the end.
    fn always(&self) -> Vec<&'static str> {
        let mut points = self.yes(&[point::BOUNTY, point::WRITE_UP]);
        points.extend(Some(point::CHANNEL).filter(|point| self.raises(point)));
        points.extend(
            Some(point::FIRST_ANSWER).filter(|point| self.answered(point, AnswerValue::No)),
        );
        points
    }

    /// An attack vector above the policy's maximum.
    fn of_score(&self) -> Vec<&'static str> {
        let over = self.answered(point::UNDER_CAP, AnswerValue::No);
        Some(point::UNDER_CAP).filter(|_| over).into_iter().collect()
    }

    fn of_time(&self) -> Vec<&'static str> {
        Some(point::TIME_GIVEN).filter(|point| self.raises(point)).into_iter().collect()
    }

    /// Credit, AI use, failed claims, what the public knows.
    fn of_report(&self) -> Vec<&'static str> {
        let ai = self.facts.flags.ai;
        let checked =
            ai == AiUse::Suspected || ai == AiUse::Disclosed && self.raises(point::AI_CHECKED);
        let failed = self.facts.claims.is_some_and(|claims| claims.failed > 0);
        [
            (point::CREDIT, self.raises(point::CREDIT)),
            (point::AI_DISCLOSED, ai != AiUse::None),
            (point::AI_CHECKED, checked),
            (point::MADE_UP, ai == AiUse::Suspected && (failed || self.raises(point::MADE_UP))),
            (point::NEW_TO_PUBLIC, self.public()),
        ]
        .into_iter()
        .filter_map(|(point, is)| is.then_some(point))
        .collect()
    }

    /// Asked for a CVE id by who assigns them: every criterion for one is a question.
    fn of_cve(&self) -> Vec<&'static str> {
        let criteria = [point::OURS, point::NEW_TO_US, point::NEW_TO_PUBLIC, point::MODERATE];
        if self.raises(point::MODERATE) { criteria.to_vec() } else { Vec::new() }
    }
}
