//! Joins the edges: threads, channels, the clock, files.

pub mod demo;
