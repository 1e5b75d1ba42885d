//! Choosing a weakness by typing, from the CWE list with its exact names.

use crate::domain::advisory::Weakness;
use crate::domain::cwe::{self, Usage};

/// Most entries listed.
const MOST: usize = 60;

/// An entry that fits what was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// As the draft holds it.
    pub weakness: Weakness,
    /// What the list says about its use; mostly empty.
    pub advice: &'static str,
}

/// Entries that fit what was typed: a number, or words of the name; those used most often first.
pub fn search(typed: &str) -> Vec<Found> {
    let found = cwe::search(typed, MOST).into_iter();
    found
        .map(|entry| Found {
            weakness: Weakness { id: entry.id(), name: entry.name.to_owned() },
            advice: match entry.usage {
                Usage::Allowed => "",
                Usage::Review => "a lower entry may fit better",
                Usage::Discouraged => "too abstract; another entry fits better",
                Usage::Prohibited => "never used for a vulnerability",
            },
        })
        .collect()
}
