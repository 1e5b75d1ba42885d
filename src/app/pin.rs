//! The policy that a case is judged under: which version, whether it has changed since, and the words to quote.

use std::sync::Arc;

use crate::domain::policy::Policy;
use crate::domain::policy_text::PolicyText;

/// A policy with its text.
#[derive(Clone, PartialEq, Debug)]
pub struct KeptPolicy {
    /// Its data.
    pub policy: Arc<Policy>,
    /// Its text, where there is one.
    pub text: Option<Arc<PolicyText>>,
}

/// How the policy of a case stands to the present one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nothing was decided yet: the case is judged under the present policy.
    Open,
    /// The present policy asks the same.
    Same,
    /// It has changed since, in these points.
    Changed(Vec<String>),
    /// It is another one that is not kept in this store.
    NotKept,
}

/// The policy of a case.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyPin {
    /// Hash of the data.
    pub hash: String,
    /// Hash of the text, where there was one.
    pub text_hash: Option<String>,
    /// The day that the text claims to be of.
    pub date: Option<String>,
    /// How it stands to the present one.
    pub standing: Standing,
    /// The policy as it was, where it is not the present one and is kept.
    pub kept: Option<KeptPolicy>,
}

/// Digits of a hash that are shown.
const SHOWN: usize = 8;

fn short(hash: &str) -> &str {
    hash.get(..SHOWN).unwrap_or(hash)
}

impl PolicyPin {
    /// Version and date, such as `4f1c09aa of 2026-06-02`: of the text where there is one, else of the data.
    pub fn version(&self) -> String {
        let hash = short(self.text_hash.as_deref().unwrap_or(&self.hash));
        match &self.date {
            Some(date) => format!("{hash} of {date}"),
            None => hash.to_owned(),
        }
    }

    /// A sentence for `show` and the history of the case.
    pub fn words(&self) -> String {
        let version = self.version();
        match &self.standing {
            Standing::Open => format!("policy {version}, the present one"),
            Standing::Same => format!("judged under policy {version}, unchanged since"),
            Standing::Changed(what) => {
                format!("judged under policy {version}, changed since: {}", what.join("; "))
            }
            Standing::NotKept => {
                format!(
                    "judged under policy {version}, another than the present one, not kept here"
                )
            }
        }
    }

    /// A few words for the head of a screen, with the day where there is room for it; empty while nothing was decided.
    pub fn mark(&self, wide: bool) -> String {
        let version = match wide {
            true => self.version(),
            false => short(self.text_hash.as_deref().unwrap_or(&self.hash)).to_owned(),
        };
        match (&self.standing, wide) {
            (Standing::Open, _) => String::new(),
            (Standing::Same, _) => format!("policy {version}"),
            (_, true) => format!("POLICY CHANGED since {version}"),
            (_, false) => "POLICY CHANGED".to_owned(),
        }
    }

    /// Whether the present policy is another.
    pub const fn is_changed(&self) -> bool {
        matches!(self.standing, Standing::Changed(_) | Standing::NotKept)
    }
}
