//! Nouns and rules of handling a security report: case, checklist, policy, verdict, score, deadline,
//! journal, advisory.
//!
//! Owns: every rule that decides something. Absent on purpose: mail, IMAP, the database, the terminal,
//! files, threads and the clock (`now` is always an argument). Read next: [`case`], then [`journal`].

pub mod advisory;
pub mod case;
pub mod credit;
pub mod disposition;
pub mod evidence;
pub mod hint;
pub mod ids;
pub mod journal;
pub mod policy;
pub mod text;

pub use advisory::AdvisoryDraft;
pub use case::{Case, CaseState};
pub use credit::{Credit, CreditRole};
pub use disposition::Disposition;
pub use evidence::Evidence;
pub use ids::{CaseId, ClauseId, MessageRef};
