//! What another report or a published record has in common with the open case, and what that means in words.
//!
//! A twin is a proposal: nothing is merged by itself.

use jiff::Timestamp;

use super::case::CaseView;
use crate::domain::hint::Hint;
use crate::domain::journal::AnswerValue;
use crate::domain::policy::Policy;
use crate::domain::{CaseId, ClauseId, Disposition, Evidence};
use crate::intake::near;
use crate::mail::DisplayText;

/// The decision point that asks whether a flaw is new to us.
const NEW_TO_US: &str = "PD4";

/// Something like the open case.
#[derive(Clone, Debug)]
pub struct Twin {
    /// What it is.
    pub of: TwinOf,
    /// Its subject or title.
    pub title: DisplayText,
    /// How near, from 0 to 1; see [`near::THRESHOLD`].
    pub score: f32,
    /// Names and phrases that both hold, plainest first.
    pub shared: Vec<String>,
    /// When it was received (server time), or published.
    pub received: Option<Timestamp>,
    /// Whether that was before the open case.
    pub earlier: bool,
}

/// What a twin is.
#[derive(Clone, Debug)]
pub enum TwinOf {
    /// Another case of ours.
    Case(Box<CaseTwin>),
    /// A published record.
    Published(Box<Published>),
}

/// Another case.
#[derive(Clone, Debug)]
pub struct CaseTwin {
    /// Its id.
    pub id: CaseId,
    /// Who reported it.
    pub reporter: DisplayText,
    /// What was decided.
    pub disposition: Option<Disposition>,
    /// By which clauses.
    pub clauses: Vec<ClauseId>,
    /// Our last answer, or the draft of one.
    pub reply: Option<String>,
}

/// A published record.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its name.
    pub name: String,
    /// Every id that names it.
    pub ids: Vec<String>,
    /// The versions that fix it, in words; empty where none is known.
    pub fixed: String,
    /// Where it can be read.
    pub url: String,
}

impl Twin {
    /// The other case, where it is one.
    pub fn case(&self) -> Option<&CaseTwin> {
        match &self.of {
            TwinOf::Case(case) => Some(case),
            TwinOf::Published(_) => None,
        }
    }

    /// The id of the case, or the name of the record.
    pub fn name(&self) -> &str {
        match &self.of {
            TwinOf::Case(case) => case.id.as_str(),
            TwinOf::Published(published) => &published.name,
        }
    }

    /// `like bcdfghjk (first, 3 May), declined before (reject NQ11)`.
    pub fn words(&self) -> String {
        match &self.of {
            TwinOf::Case(case) => {
                let when = self.received.map_or_else(String::new, day);
                let order = if self.earlier { "first" } else { "later" };
                let decided = case.disposition.map_or_else(String::new, |disposition| {
                    let by = case.clauses.first().map_or_else(String::new, |id| format!(" {id}"));
                    let word = if disposition.declines() { "declined before" } else { "decided" };
                    format!(", {word} ({disposition}{by})")
                });
                format!("like {} ({order}, {when}){decided}", case.id)
            }
            TwinOf::Published(published) => {
                let fixed = match published.fixed.as_str() {
                    "" => String::new(),
                    fixed => format!(", fixed in {fixed}"),
                };
                format!("already published as {}{fixed}", published.name)
            }
        }
    }

    /// The same with what is shared.
    pub fn line(&self) -> String {
        match self.shared.as_slice() {
            [] => self.words(),
            shared => format!("{}, shared: {}", self.words(), shared.join(", ")),
        }
    }
}

/// `3 May 2026`.
fn day(at: Timestamp) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// The earlier case that this one repeats, where that is sure enough to be proposed.
pub fn repeats(twins: &[Twin]) -> Option<&Twin> {
    let sure = |twin: &&Twin| twin.earlier && twin.score >= near::SURE;
    twins.iter().filter(|twin| twin.case().is_some()).find(sure)
}

/// The proposed answer that the flaw is known to us, with the line of this report that shows it.
pub fn hint(twin: &Twin, view: &CaseView, policy: &Policy) -> Option<Hint> {
    let clause = ClauseId::from(NEW_TO_US);
    policy.item(&clause)?;
    Some(Hint {
        clause,
        answer: AnswerValue::No,
        strength: 2,
        rule: "near-duplicate".to_owned(),
        why: twin.line(),
        evidence: shown_by(twin, view),
    })
}

/// The first line of the case's mails that holds something shared.
fn shown_by(twin: &Twin, view: &CaseView) -> Option<Evidence> {
    let wanted: Vec<String> = twin.shared.iter().map(|text| text.to_lowercase()).collect();
    for words in &wanted {
        for message in &view.messages {
            if message.direction != crate::domain::case::Direction::In {
                continue;
            }
            let holds = |line: &str| line.to_lowercase().contains(words.as_str());
            if let Some(at) = message.text.split('\n').position(holds)
                && let Ok(line) = u32::try_from(at + 1)
            {
                let part = message.text_part;
                return Evidence::at_lines(message.id, part, &message.text, line..=line);
            }
        }
    }
    None
}

/// Everything about the twins of a case, to be read before two are merged.
pub fn comparison(twins: &[Twin]) -> Vec<DisplayText> {
    let mut lines = Vec::new();
    let mut add = |text: &str| lines.extend(DisplayText::block(text));
    for twin in twins {
        add(&format!("{} ({:.0} %)", twin.words(), twin.score * 100.0));
        add(&format!("    {}", twin.title.as_str()));
        match &twin.of {
            TwinOf::Case(case) => add(&format!("    reported by {}", case.reporter.as_str())),
            TwinOf::Published(published) => add(&format!("    {}", published.url)),
        }
        for shared in &twin.shared {
            add(&format!("    both: {shared}"));
        }
        if let Some(reply) = twin.case().and_then(|case| case.reply.as_deref()) {
            add("    our answer then:");
            for line in reply.lines().take(40) {
                add(&format!("      {line}"));
            }
        }
        add("");
    }
    lines
}
