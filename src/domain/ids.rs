//! Identifiers: of a stored message, of a case, of a policy clause.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A stored raw mail, named by the SHA-256 of its bytes. Equal bytes are the same message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef([u8; 32]);

impl MessageRef {
    /// Names the message with these raw bytes.
    pub fn of(raw: &[u8]) -> Self {
        Self(Sha256::digest(raw).into())
    }

    /// Takes a digest computed elsewhere.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes of the digest.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 16 hexadecimal digits: what screens and JSON call the message's id.
    pub fn short(&self) -> String {
        hex(&self.0[..8])
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(digest))
    }
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageRef({})", self.short())
    }
}

impl Serialize for MessageRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for MessageRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Self::parse(&text)
                .ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hexadecimal"))
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Twenty consonants: no vowels, so that an id never spells a word.
const ALPHABET: [char; 20] = [
    'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x',
    'z',
];

/// A case, named by eight letters derived from its first message, so that the stores of two maintainers
/// of one inbox agree without talking to each other. Commands accept any unique prefix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(String);

impl CaseId {
    /// Letters in an id.
    pub const LENGTH: usize = 8;

    /// Derives the id from the first message's Message-ID, or from its bytes where it has none or shares
    /// it with another message.
    pub fn derive(message_id: Option<&str>, first: &MessageRef) -> Self {
        let digest: [u8; 32] = match message_id {
            Some(id) => Sha256::digest(id.as_bytes()).into(),
            None => *first.digest(),
        };
        // 20^8 < 2^35: eight bytes give every letter with a bias below 2^-28.
        let mut number = digest[..8].iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        let mut letters = String::with_capacity(Self::LENGTH);
        for _ in 0..Self::LENGTH {
            letters.push(ALPHABET[(number % 20) as usize]);
            number /= 20;
        }
        Self(letters)
    }

    /// The key under which the journal keeps what was decided on a published record. It names no case.
    pub fn of_precedent(name: &str) -> Self {
        let key = format!("precedent {}", name.to_ascii_uppercase());
        Self::derive(Some(&key), &MessageRef::of(b""))
    }

    /// Reads a complete id; `None` unless it is eight letters of the alphabet.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed =
            text.len() == Self::LENGTH && text.chars().all(|letter| ALPHABET.contains(&letter));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The eight letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A decision point of the policy, such as `NQ11` or `SV1`. Which ids exist is the policy's matter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClauseId(String);

impl ClauseId {
    /// Takes an id as the policy file writes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ClauseId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_id_depends_on_the_message_id_alone_where_there_is_one() {
        let (a, b) = (MessageRef::of(b"a"), MessageRef::of(b"b"));
        assert_eq!(CaseId::derive(Some("x@y"), &a), CaseId::derive(Some("x@y"), &b));
        assert_ne!(CaseId::derive(None, &a), CaseId::derive(None, &b));
    }

    #[test]
    fn case_id_survives_its_own_text() {
        let id = CaseId::derive(Some("x@y"), &MessageRef::of(b""));
        assert_eq!(CaseId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(CaseId::parse("aaaaaaaa"), None, "vowels are not in the alphabet");
    }

    #[test]
    fn message_ref_survives_its_own_text() {
        let message = MessageRef::of(b"mail");
        assert_eq!(MessageRef::parse(&message.to_string()), Some(message));
        assert_eq!(MessageRef::parse("zz"), None);
    }
}
