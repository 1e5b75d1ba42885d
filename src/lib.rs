//! casebook: a keyboard-driven terminal console for an open-source project's security inbox.

pub mod command;
pub mod config;
pub mod domain;
pub mod intake;
pub mod mail;
