//! How far two names are from each other.

/// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment), without regard to
/// case; `None` if it is more than `most`.
pub(crate) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let a: Vec<u8> = a.bytes().map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<u8> = b.bytes().map(|c| c.to_ascii_lowercase()).collect();
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut older: Vec<usize> = Vec::new();
    let mut old: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut new = Vec::with_capacity(b.len() + 1);
        new.push(row + 1);
        for (column, y) in b.iter().enumerate() {
            let at =
                |list: &[usize], index: usize| list.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&old, column) + usize::from(x != y);
            let mut best = replaced.min(at(&old, column + 1) + 1).min(at(&new, column) + 1);
            let swapped =
                row > 0 && column > 0 && a.get(row - 1) == Some(y) && b.get(column - 1) == Some(x);
            if swapped {
                best = best.min(at(&older, column - 1) + 1);
            }
            new.push(best);
        }
        if new.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        older = std::mem::replace(&mut old, new);
    }
    old.last().copied().filter(|distance| *distance <= most)
}

/// The letters of a name as bits: two names that differ in many cannot be near.
pub(crate) fn letters(name: &str) -> u64 {
    name.bytes().fold(0, |bits, byte| bits | 1 << (byte.to_ascii_lowercase() & 63))
}

/// How many letters apart two names may be to be worth naming: a third of the name, at least one, at most four.
pub(crate) fn reach(name: &str) -> usize {
    (name.len() / 3).clamp(1, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, want) in [
            ("kitten", "sitting", Some(3)),
            ("form", "from", Some(1)),
            ("same", "SAME", Some(0)),
            ("", "ab", Some(2)),
            ("abcdef", "uvwxyz", None),
        ] {
            assert_eq!(distance(a, b, 4), want, "{a} {b}");
            assert_eq!(distance(b, a, 4), want, "{b} {a}");
        }
        assert_eq!(distance("kitten", "sitting", 2), None);
    }
}
