//! One archive record: a zstd skippable frame with a JSON header, then a zstd frame with the mboxrd item.
//!
//! The header names its own content (sizes, SHA-256) and the record before it (`prev`); its last field,
//! `chain`, is the SHA-256 of everything before it in the header. A header that was changed in any byte is
//! thereby known as damaged, and records form a chain.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{MAX_MESSAGE, mboxrd};
use crate::domain::MessageRef;
use crate::domain::ids::hex;

/// First bytes of a record: magic number of a skippable frame (RFC 8878 §3.1.2), little endian.
pub const MAGIC: [u8; 4] = [0x50, 0x2A, 0x4D, 0x18];
/// Beginning of every header: what a scan looks for after damage.
pub const MARKER: &[u8] = br#"{"mark":"cbk1","#;
/// Format version written.
pub const VERSION: u32 = 1;
/// What [`read_header`] says of a header with a later version.
pub const NEWER: &str = "written by a newer version";
/// Longest header read or written, in bytes.
pub const MAX_HEADER: usize = 64 << 10;
/// Bytes of the flag list above which it is left out, so that a header always fits.
const MAX_FLAGS: usize = 16 << 10;
/// `,"chain":"` + 64 digits + `"}`.
const CHAIN_SUFFIX: usize = 76;
/// Level at which real mail takes about 0.62 of its size; higher ones cost more time than they save.
const LEVEL: i32 = 3;

/// Where the time of receipt came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceivedFrom {
    /// The server's INTERNALDATE.
    Internaldate,
    /// The top Received header.
    Header,
    /// The date of the imported file.
    File,
}

/// Where a message lay on a server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailSource {
    /// Name of the mailbox.
    pub mailbox: String,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UID.
    pub uid: u32,
    /// Flags and keywords at the time of the fetch.
    pub flags: Vec<String>,
}

/// Header of one archive record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArchiveHeader {
    /// Always `cbk1`.
    mark: String,
    /// Format version.
    pub v: u32,
    /// Id of the store that wrote it; a scan after damage accepts only its own store's records, so that a
    /// mail cannot hold a record made up by its sender.
    pub store: String,
    /// Number of the record, from 1.
    pub seq: u64,
    /// SHA-256 of the raw message.
    pub sha256: MessageRef,
    /// Size of the raw message in bytes.
    pub size: u64,
    /// Time of receipt: what clocks run from.
    #[serde(with = "rfc3339")]
    pub received: Timestamp,
    /// Where that time came from.
    pub received_from: ReceivedFrom,
    /// Where the message lay; none for an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<MailSource>,
    /// Whether the raw message ends in a line feed.
    final_newline: bool,
    /// Bytes of the zstd frame that follows.
    pub packed: u64,
    /// `chain` of the record before.
    pub prev: String,
}

/// A message to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Its bytes, as fetched.
    pub raw: Vec<u8>,
    /// Time of receipt.
    pub received: Timestamp,
    /// Where that time came from.
    pub received_from: ReceivedFrom,
    /// Where it lay.
    pub source: Option<MailSource>,
}

/// Packs messages; keeps its zstd context.
pub struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    /// A packer.
    pub fn new() -> std::io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
        Ok(Self(compressor))
    }

    /// Appends the record of `mail` to `out` and returns its chain value.
    pub fn pack(
        &mut self,
        mail: &NewMail,
        sha256: MessageRef,
        seq: u64,
        store: &str,
        prev: &str,
        out: &mut Vec<u8>,
    ) -> std::io::Result<String> {
        let packed = self.0.compress(&mboxrd::quote(&mail.raw, mail.received))?;
        let mut source = mail.source.clone();
        if let Some(source) = &mut source
            && source.flags.iter().map(|flag| flag.len() + 3).sum::<usize>() > MAX_FLAGS
        {
            source.flags.clear();
        }
        let header = ArchiveHeader {
            mark: "cbk1".into(),
            v: VERSION,
            store: store.to_owned(),
            seq,
            sha256,
            size: mail.raw.len() as u64,
            received: mail.received,
            received_from: mail.received_from,
            source,
            final_newline: mboxrd::ends_in_newline(&mail.raw),
            packed: packed.len() as u64,
            prev: prev.to_owned(),
        };
        let mut text = serde_json::to_string(&header)?;
        text.pop();
        let chain = chain_of(text.as_bytes());
        text.push_str(&format!(",\"chain\":\"{chain}\"}}"));
        let length = u32::try_from(text.len()).ok().filter(|n| *n as usize <= MAX_HEADER);
        let length = length.ok_or_else(|| std::io::Error::other("header too long"))?;
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&packed);
        Ok(chain)
    }
}

fn chain_of(head: &[u8]) -> String {
    hex(&Sha256::digest(head))
}

/// Reads and checks a header; gives it with its chain value.
pub fn read_header(text: &[u8]) -> Result<(ArchiveHeader, String), &'static str> {
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
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    if serde_json::from_slice(text).is_ok_and(|Version { v }| v > VERSION) {
        return Err(NEWER);
    }
    let header: ArchiveHeader =
        serde_json::from_slice(text).map_err(|_| "header cannot be read")?;
    if header.size > MAX_MESSAGE || header.packed > 2 * MAX_MESSAGE {
        return Err("header names an impossible size");
    }
    Ok((header, chain.to_owned()))
}

/// Takes the raw message out of the zstd frame and checks its SHA-256.
pub fn unpack(header: &ArchiveHeader, packed: &[u8]) -> Result<Vec<u8>, &'static str> {
    // Quoting adds at most one byte to the six of a quoted line, and the frame around it some 60.
    let most = header.size + header.size / 5 + 256;
    let most = usize::try_from(most).map_err(|_| "message is too large for this machine")?;
    let item = zstd::bulk::decompress(packed, most).map_err(|_| "content cannot be unpacked")?;
    let raw =
        mboxrd::unquote(&item, header.final_newline).ok_or("content is not a mailbox item")?;
    if MessageRef::of(&raw) != header.sha256 {
        return Err("content is not as written");
    }
    Ok(raw)
}

/// Time stamps as text.
mod rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(raw: &[u8]) -> NewMail {
        NewMail {
            raw: raw.to_vec(),
            received: Timestamp::UNIX_EPOCH,
            received_from: ReceivedFrom::File,
            source: None,
        }
    }

    fn record(raw: &[u8]) -> Vec<u8> {
        let (mail, mut out) = (mail(raw), Vec::new());
        let sha = MessageRef::of(raw);
        Packer::new().expect("zstd").pack(&mail, sha, 1, "S", "p", &mut out).expect("packs");
        out
    }

    #[test]
    fn every_changed_byte_of_a_record_is_noticed() {
        let whole = record(b"Subject: x\n\nFrom here\n");
        for at in 8..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 0x04;
            let length = u32::from_le_bytes([bad[4], bad[5], bad[6], bad[7]]) as usize;
            let read = read_header(&bad[8..8 + length])
                .and_then(|(header, _)| unpack(&header, &bad[8 + length..]));
            // Bits that zstd ignores leave the message as it was.
            assert!(read.is_err() || read == Ok(b"Subject: x\n\nFrom here\n".to_vec()), "{at}");
        }
    }

    #[test]
    fn a_header_with_endless_flags_still_fits() {
        let mut mail = mail(b"x");
        mail.source = Some(MailSource {
            mailbox: "INBOX".into(),
            uid_validity: 1,
            uid: 1,
            flags: vec!["a".repeat(1000); 100],
        });
        let mut out = Vec::new();
        let sha = MessageRef::of(b"x");
        Packer::new().expect("zstd").pack(&mail, sha, 1, "S", "p", &mut out).expect("packs");
        assert!(out.len() < MAX_HEADER);
    }
}
