//! The one suggested next key of a case (capability M14).

use super::case::CaseScreen;
use crate::command::Command;
use crate::domain::Disposition;

/// What most people would do next with this case. A proposal: every other key works as well.
pub fn step(case: &CaseScreen) -> Command {
    let view = &case.view;
    let drafted = view.case.reply.is_some();
    let open = case.checklist.iter().any(|row| row.answer.is_none() && row.proposal.is_some());
    if view.row.queued.is_some() {
        return Command::NextCase;
    }
    match view.case.decision.as_ref().map(|decision| decision.disposition) {
        Some(Disposition::Accept) if view.case.vector.is_none() => Command::Score,
        Some(Disposition::Accept) => Command::Advisory,
        Some(Disposition::Spam) => Command::NextCase,
        _ if drafted => Command::QueueReply,
        Some(Disposition::NeedsInfo) => Command::NeedInfo,
        Some(_) => Command::Decline,
        None if view.twins.iter().any(|twin| twin.earlier && twin.case().is_some()) => {
            Command::Merge
        }
        None => match view.verdict.disposition {
            Disposition::Accept => Command::AcceptCase,
            Disposition::NeedsInfo => Command::NeedInfo,
            Disposition::Spam => Command::Decide,
            _ if open => Command::AcceptSuggestions,
            _ => Command::Decline,
        },
    }
}
