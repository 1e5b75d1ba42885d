//! casebook: a keyboard-driven terminal console for an open-source project's security inbox.
//!
//! A pure middle (`domain`, `mail`, `intake`, `claims`, `reply`, `export`, `config`, `keymap`, `app`), three edges that each
//! own one outside thing (`store`: the database, `sync`: the mailbox, `tui`: the terminal), one `runtime` that
//! joins them, and `cli` on top. Arrows point inwards; `tests/architecture.rs` checks them.
//!
//! A mail enters through [`runtime::ingest`] and an advisory leaves through [`runtime::export`].

pub mod app;
pub mod claims;
pub mod cli;
pub mod command;
pub mod config;
pub mod domain;
pub mod export;
pub mod intake;
pub mod keymap;
pub mod mail;
pub mod reply;
pub mod runtime;
pub mod store;
pub mod sync;
pub mod tui;
