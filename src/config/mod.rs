//! Text that a person wrote → one [`Config`] value, all faults at once.
//!
//! Owns: the configuration and its faults. Absent on purpose: files, environment, secrets (a password never
//! stands here), defaults that need the machine. Read next: [`value`], [`parse()`], [`fault`].

pub mod document;
pub mod fault;
mod fields;
mod parse;
pub mod policy;
mod section;
pub mod value;

pub use fault::Fault;
pub use parse::parse;
pub use value::{Account, Auth, Config, Me, PolicySource, Product, Secret, Security, Smtp, Ui};
