//! Threads, files, the clock: what joins the pure middle to terminal, store and mailbox.
//!
//! Owns: everything that waits. Read next: [`desk`] (work on an open store), [`screen_loop`], [`workers`].

pub mod claims;
pub mod clock;
pub mod cores;
pub mod demo;
pub mod desk;
pub mod export;
pub mod fault;
pub mod files;
pub mod git;
pub mod guard;
pub mod import;
pub mod ingest;
pub mod judge;
pub mod later;
pub mod parallel;
pub mod pin;
pub mod policy_check;
mod presence;
pub mod pull;
mod random;
pub mod regroup;
pub mod returned;
pub mod screen_loop;
pub mod secret;
pub mod setup;
pub mod signals;
pub mod twins;
pub mod view;
pub mod workers;
