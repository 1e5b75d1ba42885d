//! Finding the policy that a case is judged under.

use std::sync::Arc;

use super::desk::Desk;
use crate::app::pin::{KeptPolicy, PolicyPin, Standing};
use crate::config;
use crate::domain::Case;
use crate::domain::policy_drift::{self, Standing as Sentence};
use crate::domain::policy_text::PolicyText;
use crate::store::{PolicyPart, StoreError};

/// The policy of a case, and how it stands to the present one.
///
/// # Errors
/// If a kept policy is there and cannot be read.
pub fn of(desk: &Desk, case: &Case) -> Result<PolicyPin, StoreError> {
    let present = &desk.rules.policy;
    let text = desk.policy_text.as_ref();
    let text_hash = text.map(|text| text.hash().to_owned());
    let Some(hash) = case.policy.clone() else {
        let date = text.and_then(|text| text.date()).map(str::to_owned);
        let (hash, standing) = (present.hash.clone(), Standing::Open);
        return Ok(PolicyPin { hash, text_hash, date, standing, kept: None });
    };
    let same_text = case.policy_text.is_none() || case.policy_text == text_hash;
    if hash == present.hash && same_text {
        let date = text.filter(|_| case.policy_text.is_some()).and_then(|text| text.date());
        let (text_hash, date) = (case.policy_text.clone(), date.map(str::to_owned));
        return Ok(PolicyPin { hash, text_hash, date, standing: Standing::Same, kept: None });
    }
    let kept = kept(desk, &hash, case.policy_text.as_deref())?;
    let text = kept.as_ref().and_then(|kept| kept.text.as_ref());
    Ok(PolicyPin {
        hash,
        text_hash: case.policy_text.clone(),
        date: text.and_then(|text| text.date()).map(str::to_owned),
        standing: kept.as_ref().map_or(Standing::NotKept, |kept| standing(desk, kept)),
        kept,
    })
}

/// A policy of before. A text that is not kept is left out: sentences are found by their hashes all the same.
fn kept(desk: &Desk, hash: &str, text: Option<&str>) -> Result<Option<KeptPolicy>, StoreError> {
    let Some(data) = desk.store.kept_policy(PolicyPart::Data, hash)? else { return Ok(None) };
    // Its hint rules are not run, so that their patterns need no check.
    let Ok(policy) = config::policy::parse_embedded(&data) else { return Ok(None) };
    let text = text.map(|hash| desk.store.kept_policy(PolicyPart::Text, hash)).transpose()?;
    let text = text.flatten().map(|text| Arc::new(PolicyText::read(&text)));
    Ok(Some(KeptPolicy { policy: Arc::new(policy), text }))
}

fn standing(desk: &Desk, kept: &KeptPolicy) -> Standing {
    let mut told = policy_drift::rule_changes(&kept.policy, &desk.rules.policy);
    if let (Some(old), Some(new)) = (&kept.text, &desk.policy_text) {
        let drift = policy_drift::compare(old, new, &desk.rules.policy);
        let counts = [Sentence::Changed, Sentence::New, Sentence::Vanished];
        let counts = counts.map(|standing| (drift.count(standing), standing.as_str()));
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        if !words.is_empty() {
            told.push(format!("sentences of the text: {}", words.join(", ")));
        }
    }
    if told.is_empty() { Standing::Same } else { Standing::Changed(told) }
}

/// Finds the words of a sentence by its hash in the texts that are kept here.
///
/// # Errors
/// If a kept text is there and cannot be read.
pub fn former_texts(desk: &Desk) -> Result<Vec<PolicyText>, StoreError> {
    let mut texts = Vec::new();
    for hash in desk.store.kept_texts()? {
        texts
            .extend(desk.store.kept_policy(PolicyPart::Text, &hash)?.map(|t| PolicyText::read(&t)));
    }
    Ok(texts)
}
