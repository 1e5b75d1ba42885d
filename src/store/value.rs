//! Bytes of one index value: version, form, content, check sum.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Version of all values, counted up with any change of a stored type.
pub const VERSION: u8 = 5;
/// Content from this size on is compressed, if that helps.
const COMPRESS_FROM: usize = 512;
/// More than any record; a mail's header block is bounded long before.
const MAX_CONTENT: usize = 64 << 20;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const SUM: usize = 8;

/// Writes a value for `key`: a value read back under another key is noticed.
pub fn encode<T: Serialize>(key: &[u8], value: &T) -> Result<Vec<u8>, String> {
    let content = postcard::to_extend(value, Vec::new()).map_err(|error| error.to_string())?;
    let mut out = vec![VERSION, PLAIN];
    let packed = (content.len() >= COMPRESS_FROM)
        .then(|| zstd::bulk::compress(&content, 1).ok())
        .flatten()
        .filter(|packed| packed.len() + packed.len() / 16 < content.len());
    match packed {
        Some(packed) => {
            out = vec![VERSION, ZSTD];
            out.extend_from_slice(&packed);
        }
        None => out.extend_from_slice(&content),
    }
    let sum = sum_of(key, &out);
    out.extend_from_slice(&sum.to_be_bytes()[..SUM]);
    Ok(out)
}

/// Reads a value.
pub fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, String> {
    check(key, bytes).ok_or("a value is not as it was written")?;
    let body = &bytes[..bytes.len() - SUM];
    let [version, form, content @ ..] = body else {
        return Err("a value is too short".into());
    };
    if *version != VERSION {
        return Err(format!("a value has version {version}"));
    }
    let value = if *form == ZSTD {
        let content =
            zstd::bulk::decompress(content, MAX_CONTENT).map_err(|error| error.to_string())?;
        postcard::from_bytes(&content)
    } else {
        postcard::from_bytes(content)
    };
    value.map_err(|error| error.to_string())
}

/// The 128-bit hash of a good record, which goes into the digest of all; `None` for a damaged one.
pub fn check(key: &[u8], bytes: &[u8]) -> Option<u128> {
    let split = bytes.len().checked_sub(SUM)?;
    let (body, sum) = bytes.split_at(split);
    let full = sum_of(key, body);
    (full.to_be_bytes()[..SUM] == *sum).then_some(full)
}

fn sum_of(key: &[u8], body: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_be_bytes());
    hash.update(key);
    hash.update(body);
    let digest: [u8; 32] = hash.finalize().into();
    digest[..16].iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_belong_to_their_key() {
        for value in [String::new(), "x".repeat(5000), "short".into()] {
            let bytes = encode(b"k", &value).expect("encodes");
            assert_eq!(decode::<String>(b"k", &bytes), Ok(value));
            assert!(decode::<String>(b"other", &bytes).is_err());
        }
    }

    #[test]
    fn no_damaged_value_is_read() {
        let bytes = encode(b"k", &vec![7u64; 300]).expect("encodes");
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(decode::<Vec<u64>>(b"k", &bad).is_err());
            assert!(decode::<Vec<u64>>(b"k", &bytes[..at]).is_err());
        }
    }
}
