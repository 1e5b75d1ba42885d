//! The sketches of all cases, and the search for those nearest to one.

use std::collections::BTreeMap;

use super::sketch::{Kind, Sketch, kind_of};

/// From this score on, two reports are shown as telling of the same flaw.
pub const THRESHOLD: f32 = 0.15;

/// From this score on, the later of them is proposed as a duplicate.
pub const SURE: f32 = 0.22;

/// Reports that are taken to be there besides, so that rarity means something in a small store.
const PRIOR: f32 = 40.0;

/// Least weight that must be shared beside class and common words, in that of a rare word: two short texts are
/// not alike by one word.
const LEAST_TOLD: f32 = 3.5;

/// What names of code in common add to the score at most: they show the same place in whatever language.
const STRONG_BONUS: f32 = 0.25;

/// Weight of shared names from which the whole of it is added.
const STRONG_FULL: f32 = 10.0;

/// Slots for counting in how many texts a feature stands; a power of two. Features that meet in one slot make each
/// other a little less rare.
const SLOTS: usize = 1 << 18;

/// A text near to another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Near<K> {
    /// Whose text.
    pub key: K,
    /// From 0 to 1.
    pub score: f32,
}

/// Sketches by key. Grows and shrinks with what changes; a search reads all of them.
#[derive(Debug)]
pub struct Table<K> {
    rows: BTreeMap<K, Sketch>,
    counts: Vec<u16>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), counts: Vec::new() }
    }
}

impl<K: Ord + Copy> Table<K> {
    /// Sets the sketch of a key; an empty one takes it away.
    pub fn set(&mut self, key: K, sketch: Sketch) {
        if self.counts.is_empty() {
            self.counts = vec![0; SLOTS];
        }
        if let Some(old) = self.rows.remove(&key) {
            self.count(&old, |count| count.saturating_sub(1));
        }
        if !sketch.is_empty() {
            self.count(&sketch, |count| count.saturating_add(1));
            self.rows.insert(key, sketch);
        }
    }

    /// The sketch of a key.
    pub fn get(&self, key: K) -> Option<&Sketch> {
        self.rows.get(&key)
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn count(&mut self, sketch: &Sketch, change: impl Fn(u16) -> u16) {
        for hash in sketch.hashes() {
            if let Some(count) = self.counts.get_mut(slot(hash)) {
                *count = change(*count);
            }
        }
    }

    /// Weight of a feature: by its kind, and the rarer the more.
    fn weight(&self, hash: u32) -> f32 {
        let seen = self.counts.get(slot(hash)).map_or(0.0, |count| f32::from(*count));
        let all = self.len() as f32 + PRIOR;
        let rarity = (all / (seen + 1.0)).ln().max(0.05) / (all / 2.0).ln();
        kind_of(hash).weight() * rarity
    }

    /// At most `limit` texts nearest to `sketch`, nearest first, from [`THRESHOLD`] on; `skip` is left out.
    pub fn nearest(&self, sketch: &Sketch, skip: Option<K>, limit: usize) -> Vec<Near<K>> {
        let mut found = self.ranked(sketch, skip);
        found.retain(|near| near.score >= THRESHOLD);
        found.truncate(limit);
        found
    }

    /// Everything that shares enough to be scored at all, nearest first.
    pub fn ranked(&self, sketch: &Sketch, skip: Option<K>) -> Vec<Near<K>> {
        let asked: Vec<(u32, f32)> =
            sketch.hashes().map(|hash| (hash, self.weight(hash))).collect();
        let filter = Filter::of(asked.iter().map(|(hash, _)| *hash));
        let own: f32 = asked.iter().map(|(_, weight)| weight).sum();
        let mut found: Vec<Near<K>> = self
            .rows
            .iter()
            .filter(|(key, _)| Some(**key) != skip)
            .filter_map(|(key, row)| {
                let score = self.score(&asked, own, &filter, row)?;
                Some(Near { key: *key, score })
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
        found
    }

    fn score(&self, asked: &[(u32, f32)], own: f32, filter: &Filter, row: &Sketch) -> Option<f32> {
        let (mut shared, mut strong, mut told) = (0.0, 0.0, 0.0);
        for hash in row.hashes().filter(|hash| filter.may_hold(*hash)) {
            if let Ok(at) = asked.binary_search_by_key(&hash, |(hash, _)| *hash) {
                let weight = asked.get(at).map_or(0.0, |(_, weight)| *weight);
                shared += weight;
                strong += match kind_of(hash) {
                    Kind::Id | Kind::Code | Kind::Route => weight,
                    Kind::File | Kind::Name => weight / 2.0,
                    _ => 0.0,
                };
                if !matches!(kind_of(hash), Kind::Class | Kind::Common) {
                    told += weight;
                }
            }
        }
        if told < LEAST_TOLD {
            return None;
        }
        let other: f32 = row.hashes().map(|hash| self.weight(hash)).sum();
        let bonus = STRONG_BONUS * (strong / STRONG_FULL).min(1.0);
        Some((nearness(shared, own, other) + bonus).min(1.0))
    }
}

/// Share of the smaller text that is in the larger one, held down a little by how much larger that is.
fn nearness(shared: f32, own: f32, other: f32) -> f32 {
    let (small, large) = if own < other { (own, other) } else { (other, own) };
    if small <= 0.0 { 0.0 } else { (shared / (small.powf(0.65) * large.powf(0.35))).min(1.0) }
}

fn slot(hash: u32) -> usize {
    usize::try_from(hash.wrapping_mul(0x9e37_79b1) >> 14).unwrap_or_default() % SLOTS
}

/// Which hashes a search asks for, one bit a hash: most of a row is passed over without a search.
struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    const BITS: usize = 1 << 14;

    fn of(hashes: impl Iterator<Item = u32>) -> Self {
        let mut bits = vec![0; Self::BITS / 64];
        for hash in hashes {
            let at = Self::at(hash);
            if let Some(word) = bits.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
        Self { bits }
    }

    fn may_hold(&self, hash: u32) -> bool {
        let at = Self::at(hash);
        self.bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn at(hash: u32) -> usize {
        usize::try_from(hash.wrapping_mul(0x9e37_79b1) >> 18).unwrap_or_default() % Self::BITS
    }
}
