//! `policy check`: text, checklist, former texts and the product's checkout brought together. Reads only; git is asked
//! with argument lists, nothing is fetched.

use std::path::Path;
use std::time::Duration;

use super::git::{Git, GitError};
use crate::domain::policy::Policy;
use crate::domain::policy_drift::{self, Drift};
use crate::domain::policy_names::{self, Checkout, Named};
use crate::domain::policy_text::PolicyText;

/// Longest time that git may take for one answer.
const TIME_MAX: Duration = Duration::from_secs(20);

/// What was found.
#[derive(Debug)]
pub struct Checked {
    /// Text against checklist.
    pub drift: Drift,
    /// What the policy names, and whether it is there.
    pub names: Vec<Named>,
    /// Why the checkout says nothing, if it does not.
    pub no_checkout: Option<String>,
}

/// Checks a policy's text. `former` are texts of before, in which the words of vanished sentences are looked up.
pub fn check(
    policy: &Policy,
    text: &PolicyText,
    former: &[PolicyText],
    checkout: Option<&Path>,
) -> Checked {
    let words =
        |hash: &str| former.iter().find_map(|text| text.sentence_named(hash)).map(str::to_owned);
    let drift = policy_drift::check(policy, text, &words);
    let asked =
        checkout.map(|path| Git::at(path, TIME_MAX).and_then(|git| Ok((names(&git)?, git))));
    let (git, no_checkout) = match asked {
        Some(Ok(found)) => (Some(found), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, Some("no product.checkout in the config".to_owned())),
    };
    let known = git.as_ref().map(|(checkout, _)| checkout);
    let has_path = |at: &str, path: &str| {
        let (checkout, git) = git.as_ref()?;
        let known = at == "HEAD" || checkout.branches.iter().chain(&checkout.tags).any(|n| n == at);
        known.then(|| git.has_path(at, path))
    };
    let names = policy_names::named(policy, Some(text), known, &has_path);
    Checked { drift, names, no_checkout }
}

/// Branches and tags of the checkout at `path`.
///
/// # Errors
/// If there is no repository, or git cannot tell.
pub fn checkout(path: &Path) -> Result<Checkout, GitError> {
    names(&Git::at(path, TIME_MAX)?)
}

/// Branches and tags of a checkout.
fn names(git: &Git) -> Result<Checkout, GitError> {
    let mut checkout = Checkout::default();
    for name in git.names()? {
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            checkout.branches.push(branch.to_owned());
        } else if let Some(branch) = name.strip_prefix("refs/remotes/") {
            checkout.branches.extend(branch.split_once('/').map(|(_, branch)| branch.to_owned()));
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            checkout.tags.push(tag.to_owned());
        }
    }
    checkout.branches.sort();
    checkout.branches.dedup();
    Ok(checkout)
}

impl Git {
    /// Full names of all branches, remote branches and tags.
    fn names(&self) -> Result<Vec<String>, GitError> {
        let kinds = ["refs/heads", "refs/remotes", "refs/tags"];
        let text = self.answer(&[&["for-each-ref", "--format=%(refname)"], &kinds[..]].concat())?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Whether a path is there at a branch, tag or `HEAD` that [`Git::names`] has given.
    fn has_path(&self, at: &str, path: &str) -> bool {
        let object = format!("{at}:{path}");
        self.answer(&["rev-parse", "--verify", "--quiet", "--end-of-options", &object]).is_ok()
    }
}
