//! Near-duplicates: which reports tell of the same flaw, and by which words and names that shows.
//!
//! A text becomes [`Features`]: names of code (routes, parameters, files, functions, ids, weakness classes), folded
//! lines of code, content words and pairs of neighbouring words. Their hashes, bounded, are its [`Sketch`]; a
//! [`Table`] of sketches finds the nearest ones and weighs rare features more than common ones. What two texts
//! share is then told in their own words by [`shared()`].
//!
//! Owns: what makes two reports alike. Absent on purpose: where sketches are kept, who was first, and what
//! follows. Deterministic; no dictionary of one project. Read next: [`words`], [`names`], then [`Table`].

mod explain;
mod names;
mod sketch;
mod table;
mod words;

pub use explain::shared;
pub use sketch::{Features, Kind, Sketch, features, features_of_advisory, sketch};
pub use table::{Near, SURE, THRESHOLD, Table};

#[cfg(test)]
mod tests;
