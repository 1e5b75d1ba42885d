//! Text the maintainer writes or points to → one value, with every fault at once.
//!
//! Owns: the forms of the policy file. Absent on purpose: reading files. Read next: [`policy`].

pub mod fault;
mod fields;
pub mod policy;
