//! Credit: who is named for a vulnerability, in which role, and whether they agreed to it.

use std::fmt;

/// What somebody did for an advisory. The ten roles that GitHub, OSV and CVE share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum CreditRole {
    /// Discovered it.
    Finder,
    /// Told the project.
    #[default]
    Reporter,
    /// Validated it or judged its severity.
    Analyst,
    /// Coordinated the response.
    Coordinator,
    /// Wrote the fix.
    RemediationDeveloper,
    /// Reviewed the fix.
    RemediationReviewer,
    /// Tested the fix.
    RemediationVerifier,
    /// A program that found it.
    Tool,
    /// Paid for the work.
    Sponsor,
    /// Anything else.
    Other,
}

impl CreditRole {
    /// Every role.
    pub const ALL: [Self; 10] = [
        Self::Finder,
        Self::Reporter,
        Self::Analyst,
        Self::Coordinator,
        Self::RemediationDeveloper,
        Self::RemediationReviewer,
        Self::RemediationVerifier,
        Self::Tool,
        Self::Sponsor,
        Self::Other,
    ];

    /// The word used in the draft, which is also GitHub's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finder => "finder",
            Self::Reporter => "reporter",
            Self::Analyst => "analyst",
            Self::Coordinator => "coordinator",
            Self::RemediationDeveloper => "remediation_developer",
            Self::RemediationReviewer => "remediation_reviewer",
            Self::RemediationVerifier => "remediation_verifier",
            Self::Tool => "tool",
            Self::Sponsor => "sponsor",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for CreditRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One credited person or program. The only personal data that an export carries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Credit {
    /// Name as they want it written.
    pub name: String,
    /// What they did.
    pub role: CreditRole,
    /// GitHub login without `@`.
    pub github: Option<String>,
    /// Whether they agreed to be named. `None` means that the maintainer wrote the line and vouches for it;
    /// `Some(false)` keeps the person out of every export.
    pub consent: Option<bool>,
}

impl Credit {
    /// Whether an export may name them.
    pub fn may_be_named(&self) -> bool {
        self.consent != Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_their_own_words() {
        for role in CreditRole::ALL {
            assert_eq!(CreditRole::parse(role.as_str()), Some(role));
        }
        assert_eq!(CreditRole::parse("Reporter"), None);
    }

    #[test]
    fn only_a_refusal_keeps_a_name_out() {
        assert!(Credit::default().may_be_named());
        assert!(!Credit { consent: Some(false), ..Credit::default() }.may_be_named());
    }
}
