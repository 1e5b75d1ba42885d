//! casebook: a keyboard-driven terminal console for an open-source project's security inbox.

pub mod command;
pub mod domain;
pub mod mail;
pub mod runtime;
pub mod sync;
