//! The gates to publication: valid, then the criteria for an advisory, then the CVE.

use crate::app::calculator::score_words;
use crate::app::case::{self, CaseView};
use crate::domain::Disposition;
use crate::domain::advisory::{AdvisoryDraft, Format, applicable, cve_due};
use crate::domain::cvss::Vector;
use crate::domain::journal::AnswerValue;
use crate::domain::policy::{ItemKind, Policy};

/// How a gate stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GateState {
    /// It holds.
    Yes,
    /// Nobody has said yet.
    Open,
    /// It does not hold.
    No,
}

/// One gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gate {
    /// Its name: a clause, or a word.
    pub name: String,
    /// How it stands.
    pub state: GateState,
    /// A few words more; mostly empty.
    pub words: String,
}

/// All gates of a case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gates {
    /// Decided as valid, then each criterion, in the policy's order.
    pub before: Vec<Gate>,
    /// The score under the policy, once the draft has a vector.
    pub score: Option<String>,
    /// Whether our severity asks for a CVE; `None` without a vector.
    pub severe: Option<bool>,
    /// The formats that apply to the draft: no CVE record below the threshold, OpenVEX alone for "not affected".
    pub formats: Vec<Format>,
    /// Whether the draft says that the product is not affected: a statement that no gate holds back.
    pub not_affected: bool,
}

impl Gates {
    /// The gates of a case as decided and answered, with the severity of its draft.
    pub fn of(
        view: &CaseView,
        checklist: &[case::Row],
        policy: &Policy,
        draft: Option<&AdvisoryDraft>,
    ) -> Self {
        let valid = match view.case.decision.as_ref().map(|decision| decision.disposition) {
            Some(Disposition::Accept) => (GateState::Yes, String::new()),
            Some(other) => (GateState::No, format!("decided {other}")),
            None => (GateState::Open, String::new()),
        };
        let mut before = vec![Gate { name: "valid".into(), state: valid.0, words: valid.1 }];
        let criteria = policy.items.iter().filter(|i| i.kind == ItemKind::AdvisoryCriterion);
        before.extend(criteria.map(|item| {
            let row = checklist.iter().find(|row| row.id == item.id);
            let answer = row.and_then(|row| row.answer.as_ref()).map(|answer| answer.value);
            let state = match answer {
                Some(AnswerValue::Yes) => GateState::Yes,
                Some(AnswerValue::No) => GateState::No,
                Some(AnswerValue::Unclear) | None => GateState::Open,
            };
            Gate { name: item.id.to_string(), state, words: String::new() }
        }));
        let vector = draft.and_then(|draft| draft.severity.main());
        let vector = vector.and_then(|text| Vector::parse(text).ok());
        let threshold = policy.scoring.cve_threshold_tenths;
        Self {
            before,
            score: vector.as_ref().map(score_words),
            severe: draft.and_then(|draft| cve_due(draft, threshold)),
            formats: draft.map_or_else(Vec::new, |draft| applicable(draft, threshold).formats),
            not_affected: draft.is_some_and(|draft| draft.not_affected.is_some()),
        }
    }

    /// Whether there is to be an advisory.
    pub fn advisory(&self) -> GateState {
        if self.before.iter().any(|gate| gate.state == GateState::No) {
            GateState::No
        } else if self.before.iter().any(|gate| gate.state == GateState::Open) {
            GateState::Open
        } else {
            GateState::Yes
        }
    }

    /// Criteria that nobody has answered.
    pub fn open_criteria(&self) -> usize {
        let criteria = self.before.iter().skip(1);
        criteria.filter(|gate| gate.state == GateState::Open).count()
    }

    /// Whether there is to be a CVE.
    pub fn cve(&self) -> GateState {
        match (self.advisory(), self.severe) {
            (GateState::No, _) | (_, Some(false)) => GateState::No,
            (GateState::Yes, Some(true)) => GateState::Yes,
            _ => GateState::Open,
        }
    }

    /// The gates that are shut, in words; `None` where an advisory may be written.
    pub fn shut(&self) -> Option<String> {
        let mut before = self.before.iter().filter(|_| !self.not_affected);
        let gate = before.find(|gate| gate.state == GateState::No)?;
        Some(match gate.words.as_str() {
            "" => format!("{} is answered no", gate.name),
            words => format!("the case is {words}"),
        })
    }

    /// The line on the screen.
    pub fn words(&self) -> String {
        let word = |state: GateState| match state {
            GateState::Yes => "yes",
            GateState::Open => "open",
            GateState::No => "no",
        };
        let sign = |state: GateState| match state {
            GateState::Yes => '✓',
            GateState::Open => '?',
            GateState::No => '✗',
        };
        let mut words: Vec<String> = Vec::new();
        for gate in &self.before {
            let more =
                if gate.words.is_empty() { String::new() } else { format!(" ({})", gate.words) };
            words.push(format!("{} {}{more}", gate.name, sign(gate.state)));
        }
        let score = self
            .score
            .as_ref()
            .map_or_else(|| " (no vector yet)".to_owned(), |score| format!(" ({score})"));
        format!(
            "{} → advisory {} → CVE {}{score}",
            words.join("  "),
            word(self.advisory()),
            word(self.cve())
        )
    }
}
