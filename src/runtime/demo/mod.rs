//! `casebook demo`: a sample inbox without an account.

pub mod mails;
//! A sample inbox without an account.
//!
//! Owns: what it takes to show the program at work without a network. Read next: [`server`].
pub mod server;
