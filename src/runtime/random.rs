//! Random bits from the system.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 128 fresh random bits, for names that must not collide; not for secrets.
///
/// The standard library seeds every `RandomState` from the system's generator.
pub fn bits() -> u128 {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    half() << 64 | half()
}
