//! What the maintainer decided about a case, or what the rules propose.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The end that a report comes to. Proposed by the rules, decided by the maintainer only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// A valid vulnerability of this project.
    Accept,
    /// Declined by a clause of the policy.
    Reject,
    /// Known to us from an earlier report.
    Duplicate,
    /// Points are missing that only the reporter can give.
    NeedsInfo,
    /// Known to the public before it was reported.
    AlreadyPublic,
    /// The cause is in a library; its maintainers are to be told.
    ForwardUpstream,
    /// Not about this project, or not about security.
    WrongProject,
    /// Junk.
    Spam,
    /// Asks for money and reports nothing that can be judged.
    NoBounty,
    /// A coordinator, publisher or CVE matter rather than a report.
    Coordination,
    /// Made up; the sender is to be banned.
    RejectBan,
    /// Encrypted to a key that is not at hand.
    UndecidableEncrypted,
}

impl Disposition {
    /// Every disposition, in the order in which screens offer them.
    pub const ALL: [Self; 12] = [
        Self::Accept,
        Self::Reject,
        Self::Duplicate,
        Self::NeedsInfo,
        Self::AlreadyPublic,
        Self::ForwardUpstream,
        Self::WrongProject,
        Self::Spam,
        Self::NoBounty,
        Self::Coordination,
        Self::RejectBan,
        Self::UndecidableEncrypted,
    ];

    /// The word used in data and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Duplicate => "duplicate",
            Self::NeedsInfo => "needs-info",
            Self::AlreadyPublic => "already-public",
            Self::ForwardUpstream => "forward-upstream",
            Self::WrongProject => "wrong-project",
            Self::Spam => "spam",
            Self::NoBounty => "no-bounty",
            Self::Coordination => "coordination",
            Self::RejectBan => "reject-ban",
            Self::UndecidableEncrypted => "undecidable-encrypted",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|disposition| disposition.as_str() == text)
    }

    /// Whether a case decided so needs nothing more than its answer.
    pub const fn closes(self) -> bool {
        !matches!(
            self,
            Self::Accept | Self::NeedsInfo | Self::Coordination | Self::UndecidableEncrypted
        )
    }

    /// Whether the reporter is turned away, so that the decision must name a clause or a reason
    /// (capability M4).
    pub const fn declines(self) -> bool {
        matches!(self, Self::Reject | Self::ForwardUpstream | Self::NoBounty | Self::RejectBan)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
