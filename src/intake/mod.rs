//! From a parsed mail to a case and to proposed answers.
//!
//! Owns: whose mail counts as ours, which way a mail went, which case it belongs to, and what the hint
//! rules read out of it. Absent on purpose: the store, the clock, decisions; nothing here is applied by
//! itself. Read next: [`assign()`], then [`hints`].

pub mod assign;
pub mod direction;
pub mod facts;
pub mod hints;
pub mod near;
pub mod ours;
mod refers;
pub mod subject;
pub mod suggest;

pub use assign::{Group, assign};
pub use direction::direction;
pub use facts::{Facts, asked_keys, facts, facts_of_sent, held_keys};
pub use hints::{Rules, RulesError};
pub use ours::Ours;
pub use suggest::suggest;
