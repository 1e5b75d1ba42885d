//! A few words on each thing that can be chosen, for people who do not know them yet.

use crate::domain::{CaseState, Disposition};

/// What a decision means.
pub const fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Accept => "a valid flaw of this project",
        Disposition::Reject => "declined by a clause of the policy",
        Disposition::Duplicate => "known to us from an earlier report",
        Disposition::NeedsInfo => "only the reporter can give what is missing",
        Disposition::AlreadyPublic => "known to the public before it was reported",
        Disposition::ForwardUpstream => "the cause is in a library",
        Disposition::WrongProject => "not about this project, or not about security",
        Disposition::Spam => "junk; gets no answer",
        Disposition::NoBounty => "asks for money, reports nothing to judge",
        Disposition::Coordination => "from a coordinator, not a report",
        Disposition::RejectBan => "made up; the sender is to be banned",
        Disposition::UndecidableEncrypted => "encrypted to a key we do not have",
    }
}

/// What a state means.
pub const fn state(state: CaseState) -> &'static str {
    match state {
        CaseState::New => "nobody has answered or judged it",
        CaseState::Acknowledged => "the reporter has an answer",
        CaseState::Triage => "being judged",
        CaseState::Accepted => "decided to be valid",
        CaseState::Fixing => "a fix is in work",
        CaseState::Fixed => "a fixed version is released",
        CaseState::Published => "our advisory is public",
        CaseState::Closed => "nothing left to do",
    }
}

/// What a reply template says.
pub fn template(name: &str) -> &'static str {
    match name {
        crate::reply::HOLDING => "we are still at work on it",
        crate::reply::EXTENSION => "asks for more time before it is published",
        crate::reply::NUDGE => "reminds of a question that waits for an answer",
        crate::reply::CLOSE => "closes it for want of an answer",
        _ => match Disposition::parse(name) {
            Some(known) => disposition(known),
            None => "we have it and will look",
        },
    }
}
