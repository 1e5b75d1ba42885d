//! Joins the edges: threads, channels, the clock, files.
//! Threads, channels, the clock and files: what joins the parts.
//!
//! Owns: everything that waits or happens by itself. Absent on purpose: rules and screens.

pub mod demo;
