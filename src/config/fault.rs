//! A fault in a file that a human wrote, and the name that was probably meant.
//!
//! Owns: the words for a place in a file, edit distance. Absent on purpose: collecting faults. Read next:
//! [`super::document`].

use std::fmt;

/// One fault, with the line to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Line, from 1; `None` where the fault is about the whole file.
    pub line: Option<usize>,
    /// What is wrong and what would be right, lower case, without a trailing stop.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for Fault {}

/// Longest name that is compared; longer ones have no near name.
const LONGEST: usize = 64;

/// The candidate that `name` was probably meant to be: the nearest by edit distance, if no more than a third
/// of the name differs (one letter in short ones). The first of equally near ones.
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if name.chars().count() > LONGEST {
        return None;
    }
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete, replace or swap with their neighbour, letter case aside.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().take(LONGEST * 2).collect();
    // The row for one letter fewer of `a`, and the one before it for swaps.
    let (mut above, mut above_that) = ((0..=b.len()).collect::<Vec<usize>>(), Vec::new());
    let mut last = None;
    for (i, letter) in a.to_lowercase().chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&above, j) + usize::from(letter != *other);
            let mut best = changed.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let before = j.checked_sub(1).and_then(|before| Some((before, b.get(before)?)));
            if let Some((before, neighbour)) = before
                && *neighbour == letter
                && last == Some(*other)
            {
                best = best.min(at(&above_that, before) + 1);
            }
            row.push(best);
        }
        above_that = std::mem::replace(&mut above, row);
        last = Some(letter);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["acknowledge_days", "update_days", "embargo_days"];
        assert_eq!(nearest("embargo_day", &names), Some("embargo_days"));
        assert_eq!(nearest("Update-Days", &names), Some("update_days"));
        assert_eq!(nearest("colour", &names), None);
        assert_eq!(nearest(&"x".repeat(10_000), &names), None);
        assert_eq!(nearest("hots", &["port", "host"]), Some("host"));
        for (a, b, far) in
            [("kitten", "sitting", 3), ("", "abc", 3), ("ab", "ba", 1), ("Port", "port", 0)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (far, far), "{a} {b}");
        }
    }

    #[test]
    fn a_fault_names_its_line() {
        let fault = Fault { line: Some(3), what: "unknown key `x`".into() };
        assert_eq!(fault.to_string(), "line 3: unknown key `x`");
    }
}
