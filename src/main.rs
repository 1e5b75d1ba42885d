//! Starts casebook.

fn main() {}
