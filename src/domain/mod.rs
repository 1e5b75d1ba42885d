//! Nouns and rules of handling a security report: case, checklist, policy, verdict, score, deadline,
//! journal, advisory.
//!
//! Owns: every rule that decides something. Absent on purpose: mail, IMAP, the database, the terminal,
//! files, threads and the clock (`now` is always an argument). Read next: [`case`], then [`journal`].

pub mod advisory;
pub mod case;
pub mod checklist;
pub mod credit;
pub mod cvss;
pub mod cwe;
pub mod deadline;
pub mod disposition;
pub mod evidence;
pub mod grouping;
pub mod guard;
pub mod hint;
pub mod ids;
pub mod journal;
pub mod policy;
pub mod policy_drift;
pub mod policy_names;
pub mod policy_text;
#[cfg(test)]
pub(crate) mod test_support;
pub mod text;
pub mod verdict;
pub mod version;

pub use advisory::AdvisoryDraft;
pub use case::{Case, CaseState};
pub use credit::{Credit, CreditRole};
pub use disposition::Disposition;
pub use evidence::Evidence;
pub use ids::{CaseId, ClauseId, MessageRef};
