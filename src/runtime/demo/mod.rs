//! `casebook demo`: a sample inbox without an account.

pub mod mails;
