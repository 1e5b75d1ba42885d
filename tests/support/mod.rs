//! What several test programs share.

#![allow(
    dead_code,
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test program uses a part, and tests may fail loudly"
)]

#[cfg(unix)]
pub mod bench;
pub mod console;
#[cfg(unix)]
pub mod delay;
#[cfg(unix)]
pub mod dovecot;
pub mod product;
pub mod proxy;
pub mod stage;
#[cfg(unix)]
pub mod stamped;
