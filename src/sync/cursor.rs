//! How far a mailbox has been read.

use serde::{Deserialize, Serialize};

/// A set of UIDs as sorted, disjoint, non-adjacent ranges. UID 0 does not exist (RFC 3501 section 2.3.1.1).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct UidSet(Vec<(u32, u32)>);

impl UidSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds all UIDs from `first` to `last`, both included; nothing when `first` is greater. 0 is left out.
    pub fn insert_range(&mut self, first: u32, last: u32) {
        let (mut first, mut last) = (first.max(1), last);
        if first > last {
            return;
        }
        let from = self.0.partition_point(|&(_, end)| end.saturating_add(1) < first);
        let to = self.0.partition_point(|&(start, _)| start <= last.saturating_add(1));
        if let (true, Some(&(start, _))) = (from < to, self.0.get(from)) {
            first = first.min(start);
        }
        if let (true, Some(&(_, end))) = (from < to, self.0.get(to.wrapping_sub(1))) {
            last = last.max(end);
        }
        self.0.splice(from..to, [(first, last)]);
    }

    /// Adds all that is in the other set.
    pub fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|&(first, last)| self.insert_range(first, last));
    }

    /// Adds one UID.
    pub fn insert(&mut self, uid: u32) {
        self.insert_range(uid, uid);
    }

    /// Whether the UID is in the set.
    pub fn contains(&self, uid: u32) -> bool {
        let at = self.0.partition_point(|&(_, end)| end < uid);
        self.0.get(at).is_some_and(|&(start, _)| start <= uid)
    }

    /// The ranges, ascending, both ends included.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// The highest UID in the set.
    pub fn last(&self) -> Option<u32> {
        self.0.last().map(|&(_, last)| last)
    }

    /// How many UIDs are in the set.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|&(start, end)| u64::from(end) - u64::from(start) + 1).sum()
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What lies between 1 and `last` and is not in the set.
    #[must_use]
    pub fn missing_up_to(&self, last: u32) -> Self {
        let mut missing = Self::new();
        let mut next = 1_u32;
        for &(start, end) in &self.0 {
            if start > last {
                break;
            }
            missing.insert_range(next, start - 1);
            let Some(after) = end.checked_add(1) else { return missing };
            next = after;
        }
        missing.insert_range(next, last);
        missing
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = Self::new();
        for &(start, end) in &self.0 {
            let mut next = start;
            let from = other.0.partition_point(|&(_, theirs)| theirs < start);
            for &(first, last) in other.0.iter().skip(from).take_while(|range| range.0 <= end) {
                if first > next {
                    left.insert_range(next, first - 1);
                }
                next = last.saturating_add(1);
            }
            // The last UID of all has no successor: then `next` stays on it and it is taken already.
            if !other.contains(next) {
                left.insert_range(next, end);
            }
        }
        left
    }

    /// Splits off the highest UIDs: whole or cut ranges until `span` UIDs or `ranges` ranges are taken.
    pub fn take_newest(&mut self, span: u32, ranges: usize) -> Self {
        let (mut taken, mut left) = (Self::new(), span.max(1));
        while left > 0 && taken.0.len() < ranges.max(1) {
            let Some((start, end)) = self.0.pop() else { break };
            let cut = start.max(end.saturating_sub(left - 1));
            taken.0.insert(0, (cut, end));
            left = left.saturating_sub(end - cut + 1);
            if cut > start {
                self.0.push((start, cut - 1));
            }
        }
        taken
    }

    /// The set in the notation of IMAP commands: `1:3,7`.
    pub fn to_imap(&self) -> String {
        let mut text = String::new();
        for &(start, end) in &self.0 {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&start.to_string());
            if end == u32::MAX && start != end {
                text.push_str(":*");
            } else if end != start {
                text.push(':');
                text.push_str(&end.to_string());
            }
        }
        text
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        let mut set = Self::new();
        uids.into_iter().for_each(|uid| set.insert(uid));
        set
    }
}

/// How far one mailbox has been read. Stored with the messages it speaks of; worth keeping only as long as
/// the server's UIDVALIDITY stays the same.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Name of the mailbox, as configured.
    pub mailbox: String,
    /// UIDVALIDITY under which the UIDs hold.
    pub uid_validity: u32,
    /// UIDs that need no more asking: stored, or known not to exist.
    pub done: UidSet,
    /// HIGHESTMODSEQ of the last complete run, where the server has one (RFC 7162).
    pub highest_mod_seq: Option<u64>,
    /// How many of the done ones the server still had when it was last looked at; `None` if that is not known.
    pub present: Option<u32>,
    /// The mailbox has been read whole under this UIDVALIDITY, and the sink knows.
    pub settled: bool,
}

/// Format 1.
#[derive(Deserialize)]
struct First {
    mailbox: String,
    uid_validity: u32,
    done: UidSet,
    highest_mod_seq: Option<u64>,
}

/// A stored cursor that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CursorError {
    /// Written by a newer program.
    #[error("the sync cursor has format {0}, this program knows format 2")]
    Newer(u8),
    /// Not a cursor, or damaged.
    #[error("the sync cursor is damaged")]
    Damaged,
}

impl Cursor {
    /// Version of the byte format.
    const FORMAT: u8 = 2;

    /// A cursor that has seen nothing yet.
    pub fn start(mailbox: &str, uid_validity: u32) -> Self {
        Self { mailbox: mailbox.to_owned(), uid_validity, ..Self::default() }
    }

    /// Writes the cursor: a format byte, then postcard.
    pub fn encode(&self) -> Result<Vec<u8>, CursorError> {
        postcard::to_extend(self, vec![Self::FORMAT]).map_err(|_| CursorError::Damaged)
    }

    /// Reads what [`Cursor::encode`] wrote, now or in an earlier format. A cursor that cannot be read may be left
    /// out: everything is then fetched again.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let damaged = |_| CursorError::Damaged;
        let cursor = match bytes.split_first() {
            Some((&Self::FORMAT, rest)) => postcard::from_bytes::<Self>(rest).map_err(damaged)?,
            Some((1, rest)) => {
                let First { mailbox, uid_validity, done, highest_mod_seq } =
                    postcard::from_bytes(rest).map_err(damaged)?;
                Self { done, highest_mod_seq, ..Self::start(&mailbox, uid_validity) }
            }
            Some((&format, _)) if format > Self::FORMAT => return Err(CursorError::Newer(format)),
            _ => return Err(CursorError::Damaged),
        };
        let ranges = cursor.done.ranges();
        let sorted = ranges.iter().all(|&(start, end)| start > 0 && start <= end)
            && ranges.iter().zip(ranges.iter().skip(1)).all(|(a, b)| a.1 < b.0);
        if sorted { Ok(cursor) } else { Err(CursorError::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(ranges: &[(u32, u32)]) -> UidSet {
        let mut set = UidSet::new();
        ranges.iter().for_each(|&(a, b)| set.insert_range(a, b));
        set
    }

    #[test]
    fn merges_neighbours() {
        assert_eq!(set(&[(1, 3), (5, 7), (4, 4)]).ranges(), [(1, 7)]);
        assert_eq!(set(&[(5, 7), (1, 3)]).to_imap(), "1:3,5:7");
        assert_eq!(set(&[(u32::MAX, u32::MAX), (u32::MAX - 1, u32::MAX)]).count(), 2);
        assert_eq!(set(&[(0, 2)]).ranges(), [(1, 2)]);
        let all = set(&[(1, u32::MAX)]);
        assert!(all.minus(&all).is_empty());
        assert!(all.missing_up_to(u32::MAX).is_empty());
        assert_eq!(all.minus(&set(&[(2, u32::MAX - 1)])).ranges(), [(1, 1), (u32::MAX, u32::MAX)]);
    }

    #[test]
    fn takes_the_newest_first() {
        let mut todo = set(&[(1, 10), (20, 22)]);
        assert_eq!(todo.take_newest(5, 9).ranges(), [(9, 10), (20, 22)]);
        assert_eq!(todo.ranges(), [(1, 8)]);
        assert_eq!(set(&[(5, u32::MAX)]).to_imap(), "5:*");
    }

    #[test]
    fn cursor_survives_and_refuses_damage() {
        let mut cursor = Cursor::start("INBOX", 7);
        cursor.done.insert_range(1, 900);
        cursor.highest_mod_seq = Some(12);
        let bytes = cursor.encode().unwrap();
        assert_eq!(Cursor::decode(&bytes).unwrap(), cursor);
        assert_eq!(Cursor::decode(&[]), Err(CursorError::Damaged));
        assert_eq!(Cursor::decode(&[9, 1]), Err(CursorError::Newer(9)));
        assert_eq!(Cursor::decode(&bytes[..bytes.len() - 1]), Err(CursorError::Damaged));
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(ranges in prop::collection::vec((0_u32..60, 0_u32..60), 0..20), last in 0_u32..70) {
            let mut model = BTreeSet::new();
            for &(a, b) in &ranges { model.extend((a..=b).filter(|&uid| uid > 0)); }
            let made = set(&ranges);
            prop_assert_eq!(made.count(), model.len() as u64);
            prop_assert!((0..70).all(|uid| made.contains(uid) == model.contains(&uid)));
            prop_assert!(made.ranges().windows(2).all(|w| w[0].1 + 1 < w[1].0));
            let mut missing = made.missing_up_to(last);
            prop_assert!((1..70).all(|uid| missing.contains(uid) == (uid <= last && !model.contains(&uid))));
            let whole = set(&[(1, last)]);
            prop_assert_eq!(&whole.minus(&made), &missing);
            let all = missing.count();
            let taken = missing.take_newest(7, 3);
            prop_assert_eq!(taken.count() + missing.count(), all);
            prop_assert!(taken.count() <= 7);
        }
    }
}
