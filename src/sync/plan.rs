//! Which messages go into one command.

use super::Meta;
use super::account::Limits;

/// Messages to ask for by one command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Batch {
    /// The messages, newest first.
    pub metas: Vec<Meta>,
    /// How often it failed.
    pub tries: u8,
    /// One message, fetched piece by piece.
    pub sliced: bool,
}

impl Batch {
    /// Announced bytes; a message of unknown size counts as nothing.
    pub fn bytes(&self) -> u64 {
        self.metas.iter().map(|meta| u64::from(meta.size.unwrap_or(0))).sum()
    }

    /// Two halves; the first is the newer one.
    pub fn halves(mut self) -> [Self; 2] {
        let older = self.metas.split_off(self.metas.len().div_ceil(2));
        let older = Self { metas: older, tries: self.tries, sliced: false };
        [self, older]
    }
}

/// Cuts a list, newest first, into batches bounded by bytes and number. A message above the limit for whole
/// fetching or of unknown size goes alone.
pub(crate) fn batches(metas: Vec<Meta>, limits: &Limits) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut open = Batch::default();
    for meta in metas {
        let size = meta.size.map(u64::from);
        let sliced = size.is_some_and(|size| size > limits.whole_bytes);
        let alone = sliced || size.is_none();
        let full = open.metas.len() >= limits.batch_messages
            || open.bytes() + size.unwrap_or(0) > limits.batch_bytes;
        if (alone || full) && !open.metas.is_empty() {
            batches.push(std::mem::take(&mut open));
        }
        if alone {
            batches.push(Batch { metas: vec![meta], tries: 0, sliced });
        } else {
            open.metas.push(meta);
        }
    }
    if !open.metas.is_empty() {
        batches.push(open);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meta(uid: u32, size: Option<u32>) -> Meta {
        Meta { uid, size, internal_date: None, flags: None }
    }

    proptest! {
        #[test]
        fn keeps_order_and_bounds(sizes in prop::collection::vec(prop::option::of(0_u32..3000), 0..60)) {
            let limits = Limits { batch_bytes: 2000, batch_messages: 5, whole_bytes: 2500, ..Limits::default() };
            let metas: Vec<Meta> = (0..).zip(&sizes).map(|(uid, size)| meta(uid, *size)).collect();
            let cut = batches(metas.clone(), &limits);
            let joined: Vec<Meta> = cut.iter().flat_map(|batch| batch.metas.clone()).collect();
            prop_assert_eq!(joined, metas);
            for batch in &cut {
                prop_assert!(!batch.metas.is_empty() && batch.metas.len() <= 5);
                prop_assert!(batch.bytes() <= 2000 || batch.metas.len() == 1);
                prop_assert_eq!(batch.sliced, batch.bytes() > 2500);
            }
        }
    }

    #[test]
    fn halves_lose_nothing() {
        let batch =
            Batch { metas: (1..=5).map(|uid| meta(uid, None)).collect(), ..Batch::default() };
        let [a, b] = batch.clone().halves();
        assert_eq!((a.metas.len(), b.metas.len()), (3, 2));
        assert_eq!([a.metas, b.metas].concat(), batch.metas);
    }
}
