//! Bytes of one index value: version, form, content, check sum.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::heap::Pointer;

/// Version of all values, counted up with any change of a stored type.
pub const VERSION: u8 = 6;
/// Content from this size on is compressed, if that helps.
const COMPRESS_FROM: usize = 512;
/// More than any record; a mail's header block is bounded long before.
const MAX_CONTENT: usize = 64 << 20;
/// Compression level.
const LEVEL: i32 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// The content is a pointer to the value, which lies in the heap.
const POINTER: u8 = 2;
const SUM: usize = 8;

/// Writes values; keeps its zstd context, which takes longer to make than a value to compress.
#[derive(Default)]
pub struct Packer(Option<zstd::bulk::Compressor<'static>>);

impl Packer {
    /// Writes a value for `key`: a value read back under another key is noticed.
    pub fn encode<T: Serialize>(&mut self, key: &[u8], value: &T) -> Result<Vec<u8>, String> {
        let content = postcard::to_extend(value, Vec::new()).map_err(|error| error.to_string())?;
        if content.is_empty() {
            // The key says it all, of which there are many; number and digest of all records tell of a lost one.
            return Ok(content);
        }
        let packed = (content.len() >= COMPRESS_FROM)
            .then(|| self.compress(&content))
            .flatten()
            .filter(|packed| packed.len() + packed.len() / 16 < content.len());
        let (form, body) = packed.as_ref().map_or((PLAIN, &content), |packed| (ZSTD, packed));
        let mut out = Vec::with_capacity(2 + body.len() + SUM);
        out.extend_from_slice(&[VERSION, form]);
        out.extend_from_slice(body);
        let sum = sum_of(key, &out);
        out.extend_from_slice(&sum.to_be_bytes()[..SUM]);
        Ok(out)
    }

    fn compress(&mut self, content: &[u8]) -> Option<Vec<u8>> {
        if self.0.is_none() {
            self.0 = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        self.0.as_mut()?.compress(content).ok()
    }
}

/// Writes, in place of a value for `key`, where that lies.
pub fn encode_pointer(key: &[u8], pointer: Pointer) -> Result<Vec<u8>, String> {
    let out = vec![VERSION, POINTER];
    let mut out = postcard::to_extend(&pointer, out).map_err(|error| error.to_string())?;
    let sum = sum_of(key, &out);
    out.extend_from_slice(&sum.to_be_bytes()[..SUM]);
    Ok(out)
}

/// Where a value lies, of what [`encode_pointer`] has written.
pub fn pointer(bytes: &[u8]) -> Option<Pointer> {
    match bytes {
        [VERSION, POINTER, rest @ ..] => {
            postcard::from_bytes(rest.get(..rest.len().checked_sub(SUM)?)?).ok()
        }
        _ => None,
    }
}

/// A pointer to an encoded value.
pub fn pointer_to(value: &[u8], offset: u64) -> Option<Pointer> {
    let (_, sum) = value.split_last_chunk::<SUM>()?;
    Some(Pointer { offset, len: u32::try_from(value.len()).ok()?, sum: *sum })
}

/// Writes one value, as [`Packer::encode`].
pub fn encode<T: Serialize>(key: &[u8], value: &T) -> Result<Vec<u8>, String> {
    Packer::default().encode(key, value)
}

/// Reads a value.
pub fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, String> {
    check(key, bytes).ok_or("a value is not as it was written")?;
    if bytes.is_empty() {
        return postcard::from_bytes(bytes).map_err(|error| error.to_string());
    }
    let body = &bytes[..bytes.len() - SUM];
    let [version, form, content @ ..] = body else {
        return Err("a value is too short".into());
    };
    if *version != VERSION {
        return Err(format!("a value has version {version}"));
    }
    let value = if *form == ZSTD {
        let content =
            zstd::bulk::decompress(content, size_of(content)).map_err(|error| error.to_string())?;
        postcard::from_bytes(&content)
    } else {
        postcard::from_bytes(content)
    };
    value.map_err(|error| error.to_string())
}

/// Bytes of a compressed content, as it says of itself: room for the largest would be asked of the system each time.
fn size_of(content: &[u8]) -> usize {
    let told = zstd::zstd_safe::get_frame_content_size(content).ok().flatten();
    told.and_then(|told| usize::try_from(told).ok()).unwrap_or(MAX_CONTENT).min(MAX_CONTENT)
}

/// The 128-bit hash of a good record, which goes into the digest of all; `None` for a damaged one.
pub fn check(key: &[u8], bytes: &[u8]) -> Option<u128> {
    if bytes.is_empty() {
        return Some(sum_of(key, bytes));
    }
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
        let nothing = encode(b"k", &()).expect("encodes");
        assert!(nothing.is_empty() && decode::<()>(b"k", &nothing).is_ok());
        assert!(decode::<u64>(b"k", &nothing).is_err());
    }

    #[test]
    fn a_pointer_leads_to_one_value() {
        let value = encode(b"k", &vec![7u64; 300]).expect("encodes");
        let there = pointer_to(&value, 1 << 40).expect("fits");
        let bytes = encode_pointer(b"k", there).expect("encodes");
        assert!(check(b"k", &bytes).is_some());
        assert_eq!((pointer(&bytes), pointer(&value)), (Some(there), None));
        assert!(
            there.is_of(&value) && !there.is_of(&encode(b"k", &vec![8u64; 300]).expect("encodes"))
        );
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
