//! Headers in JSON: the head of a segment, and the record headers of versions 1 and 2, which are read only.
//!
//! All begin with the same mark and end in `chain`, the SHA-256 of everything before it. A version 1 record holds one
//! message; in version 2 messages that came together share a record.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::{Digest as _, Sha256};

use super::{ArchiveHeader, Header, MAGIC, MailHead, NEWER, VERSION, WrittenBy};
use crate::domain::ids::hex;

/// Beginning of every header in text.
pub const MARKER: &[u8] = br#"{"mark":"cbk1","#;
/// `,"chain":"` + 64 digits + `"}`.
const CHAIN_SUFFIX: usize = 76;

/// The bytes that a segment of the store with this id begins with.
pub fn segment_head(store: &str) -> Vec<u8> {
    framed(format!(r#"{{"mark":"cbk1","v":{VERSION},"store":"{store}""#))
}

/// Closes a JSON object with its chain value and puts it into a skippable frame.
pub fn framed(mut text: String) -> Vec<u8> {
    text.push_str(&format!(r#","chain":"{}"}}"#, chain_of(text.as_bytes())));
    [&MAGIC[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn chain_of(head: &[u8]) -> String {
    hex(&Sha256::digest(head))
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
struct Head {
    store: String,
}

#[derive(Deserialize)]
struct First {
    store: String,
    seq: u64,
    #[serde(flatten)]
    mail: MailHead,
    packed: u64,
    prev: String,
}

#[derive(Deserialize)]
struct Second {
    store: String,
    seq: u64,
    mails: Vec<MailHead>,
    packed: u64,
    prev: String,
}

/// Reads a header and checks its chain value.
pub fn read(text: &[u8]) -> Result<Header, &'static str> {
    if !text.starts_with(MARKER) {
        return Err("header has no marker");
    }
    let split = text.len().checked_sub(CHAIN_SUFFIX).ok_or("header is too short")?;
    let (head, tail) = text.split_at(split);
    let chain = tail
        .strip_prefix(b",\"chain\":\"")
        .and_then(|rest| rest.strip_suffix(b"\"}"))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .ok_or("header has no chain value")?;
    if chain_of(head) != chain {
        return Err("header is not as written");
    }
    let chain = chain.to_owned();
    let unread = |_| "header cannot be read";
    let Version { v } = serde_json::from_slice(text).map_err(unread)?;
    let (store, seq, mails, packed, prev) = match v {
        1 => {
            let First { store, seq, mail, packed, prev } =
                serde_json::from_slice(text).map_err(unread)?;
            (store, seq, vec![mail], packed, prev)
        }
        2 => {
            let Second { store, seq, mails, packed, prev } =
                serde_json::from_slice(text).map_err(unread)?;
            (store, seq, mails, packed, prev)
        }
        VERSION => {
            let Head { store } = serde_json::from_slice(text).map_err(unread)?;
            return Ok(Header::Segment(store));
        }
        _ => return Err(NEWER),
    };
    let by = WrittenBy::Store(store);
    Ok(Header::Record(ArchiveHeader { by, seq, mails, packed, prev, chain }))
}

/// A time stamp as RFC 3339 has it.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}
