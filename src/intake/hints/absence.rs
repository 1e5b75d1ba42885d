//! What a first report lacks. An absence has no words to point to, so these hints carry no evidence.

use super::own::Own;
use super::says;
use crate::domain::hint::{AiUse, Hint, Reading};
use crate::domain::journal::AnswerValue;
use crate::domain::policy::Policy;
use crate::intake::subject;
use crate::mail::Message;

/// Own words from which a mail is long enough to be a report, in characters without blanks.
const REPORT: usize = 160;

/// Own words below which a mail without attachment says nothing at all.
const NOTHING: usize = 12;

/// Whether a mail answers another.
pub(super) fn follows(message: &Message) -> bool {
    !message.references.is_empty()
        || !message.in_reply_to.is_empty()
        || subject::base(&message.subject).1
}

/// Whether a mail is no report to us: of something else where neither the product nor anything it deals with is
/// named, and a question of use where it speaks of nothing that a report speaks of.
fn no_report(policy: &Policy, message: &Message, own: &Own<'_>, reading: &mut Reading) -> bool {
    let ours = !reading.versions.is_empty() || names_ours(policy, message, own);
    let about_security = says(&reading.hints, "CH2", AnswerValue::Yes);
    let report = |hint: &Hint| {
        !matches!(hint.clause.as_str(), "CH1" | "CH2" | "CH4" | "DI1" | "SV1" | "SV2")
    };
    if reading.flags.has_poc || !reading.vectors.is_empty() {
        return false;
    }
    let (rule, why) = match (ours, about_security) {
        (false, true)
            if own.length() >= REPORT
                && !reading.flags.bounty_request
                && !reading.hints.iter().any(|hint| is_type(hint)) =>
        {
            reading.flags.other_product = true;
            ("nothing-of-ours", "Neither the product nor anything that it deals with is named.")
        }
        _ if about_security || reading.hints.iter().any(report) => return false,
        (false, _) => {
            reading.flags.spam = true;
            return true;
        }
        (true, _) => ("nothing-of-security", "Not a word of rights, secrets or an attack."),
    };
    let mut answer = |clause: &str| {
        reading.hints.retain(|hint| hint.clause.as_str() != clause);
        reading.hints.push(Hint {
            clause: clause.into(),
            answer: AnswerValue::No,
            strength: 1,
            rule: rule.to_owned(),
            why: why.to_owned(),
            evidence: None,
        });
    };
    answer("CH2");
    if !ours {
        answer("PD3");
    }
    true
}

/// Whether a hint proves a type that does not qualify.
fn is_type(hint: &Hint) -> bool {
    hint.clause.as_str().starts_with("NQ") && hint.answer == AnswerValue::Yes
}

/// Whether a mail names the product or what only it and its like deal with. A domain's name is no word of it.
fn names_ours(policy: &Policy, message: &Message, own: &Own<'_>) -> bool {
    let product = policy.product.to_lowercase();
    let named = |text: &str| {
        let text = text.to_lowercase();
        let whole = text.match_indices(&product).any(|(at, _)| {
            let after = text.get(at + product.len()..).unwrap_or_default();
            !text.get(..at).unwrap_or_default().ends_with('@') && !after.starts_with(['.', '-'])
        });
        whole || policy.vocabulary.iter().any(|word| text.contains(word.as_str()))
    };
    named(own.folded()) || named(&message.subject)
}

/// Adds what is not there. Follow-ups are left alone: what they lack the first mail may have.
pub(super) fn read(policy: &Policy, message: &Message, own: &Own<'_>, reading: &mut Reading) {
    let flags = &mut reading.flags;
    if follows(message) || flags.encrypted {
        return;
    }
    let attached = message.parts.iter().any(|part| part.attachment);
    let (subject, _) = subject::base(&message.subject);
    if own.length() < NOTHING && !attached && subject.len() < 2 * NOTHING {
        // Shown quoted text or an embedded picture may be the message.
        flags.spam |= message.text.len() < 4 * NOTHING;
    }
    if flags.spam || flags.coordination || flags.other_product {
        return;
    }
    if !attached && no_report(policy, message, own, reading) {
        return;
    }
    let money = reading.flags.bounty_request;
    // Short as it may be, a mail that announces a flaw owes what a report owes.
    let reports = own.length() >= REPORT || says(&reading.hints, "CH2", AnswerValue::Yes);
    let mut lacks = |clause: &str, answer, rule: &str, why: &str| {
        let answered = reading.hints.iter().any(|hint| hint.clause.as_str() == clause);
        if !answered && policy.item(&clause.into()).is_some() {
            reading.hints.push(Hint {
                clause: clause.into(),
                answer,
                strength: 1,
                rule: rule.to_owned(),
                why: why.to_owned(),
                evidence: None,
            });
        }
    };
    // A vector is no proof where a tool may have written it.
    let judged = reading.flags.ai != AiUse::Suspected && !reading.vectors.is_empty();
    let shown = reading.flags.has_poc || judged;
    if money && !shown {
        lacks(
            "CH4",
            AnswerValue::No,
            "money-without-impact",
            "Asks for money and tells no impact.",
        );
    }
    if !reports {
        return;
    }
    if !shown {
        let why = "No steps, request, script or recording was found that shows it.";
        lacks("NQ2", AnswerValue::Unclear, "no-proof-found", why);
    }
    // Of a text that a tool may have written the first question is whether anybody has tried it at all.
    let suspected = reading.flags.ai == AiUse::Suspected;
    if reading.versions.is_empty() && !suspected {
        let why = "No version or branch is named.";
        lacks("SV1", AnswerValue::Unclear, "no-version-named", why);
    }
    if reading.flags.ai == AiUse::Suspected {
        let why =
            "Several turns of phrase are those of AI-written text, and no AI use is stated: ask.";
        lacks("AI1", AnswerValue::Unclear, "ai-not-stated", why);
    }
    if reading.vectors.is_empty() && !suspected {
        let stated = says(&reading.hints, "SC3", AnswerValue::Yes);
        let why = "Neither a vector nor a word that the reporter cannot score it.";
        if !stated && !reading.hints.iter().any(|hint| hint.clause.as_str() == "SC1") {
            reading.hints.push(Hint {
                clause: "SC1".into(),
                answer: AnswerValue::No,
                strength: 1,
                rule: "no-vector-given".to_owned(),
                why: why.to_owned(),
                evidence: None,
            });
        }
    }
}
