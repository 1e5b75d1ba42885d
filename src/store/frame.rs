//! One archive record: a zstd skippable frame with a JSON header, then a zstd frame with one or more mboxrd items.
//!
//! The header names its own content (sizes, SHA-256) and the record before it (`prev`); its last field,
//! `chain`, is the SHA-256 of everything before it in the header. A header that was changed in any byte is
//! thereby known as damaged, and records form a chain. Messages that come together share a record: what they have
//! in common is written once. A record is bounded ([`FRAME_BYTES`]), since it is unpacked as a whole, and since
//! damage costs what lies behind it in the record. Version 1, which is still read, had one message in each.

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
pub const VERSION: u32 = 2;
/// What [`read_header`] says of a header with a later version.
pub const NEWER: &str = "written by a newer version";
/// Longest header read or written, in bytes.
pub const MAX_HEADER: usize = 64 << 10;
/// Bytes of the flag list above which it is left out, so that a header always fits.
const MAX_FLAGS: usize = 16 << 10;
/// `,"chain":"` + 64 digits + `"}`.
const CHAIN_SUFFIX: usize = 76;
/// Messages share a record up to this many raw bytes; a larger one has its own. Damage can cost all of them, and
/// four times as much would save only 0.02 more of typical mail.
pub const FRAME_BYTES: usize = 64 << 10;
/// Messages in one record, for the same reason.
pub const FRAME_MAILS: usize = 16;
/// Bytes of flag lists in one record, so that its header stays short.
pub const FRAME_FLAGS: usize = 32 << 10;
/// With records of that size the lowest level takes 0.61 of typical mail; the next ones win 0.01 and cost half as
/// much time again.
const LEVEL: i32 = 1;

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
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ArchiveHeader {
    /// Always `cbk1`.
    mark: &'static str,
    /// Format version.
    v: u32,
    /// Id of the store that wrote it; a scan after damage accepts only its own store's records, so that a
    /// mail cannot hold a record made up by its sender.
    pub store: String,
    /// Number of its first message, from 1.
    pub seq: u64,
    /// Its messages.
    pub mails: Vec<MailHead>,
    /// Bytes of the zstd frame that follows.
    pub packed: u64,
    /// `chain` of the record before.
    pub prev: String,
}

impl ArchiveHeader {
    /// Number of its last message.
    pub fn last(&self) -> u64 {
        self.seq.saturating_add((self.mails.len() as u64).saturating_sub(1))
    }
}

/// What a header says about one message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailHead {
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
    /// Bytes of its mboxrd item; not told in version 1.
    #[serde(default)]
    item: u64,
}

impl MailHead {
    /// The message with its bytes.
    pub fn with(self, raw: Vec<u8>) -> NewMail {
        let Self { received, received_from, source, .. } = self;
        NewMail { raw, received, received_from, source }
    }
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

    /// Appends one record with `mails` to `out` and returns its chain value. `seq` is the number of the first.
    pub fn pack(
        &mut self,
        mails: &[(&NewMail, MessageRef)],
        seq: u64,
        store: &str,
        prev: &str,
        out: &mut Vec<u8>,
    ) -> std::io::Result<String> {
        let size: usize = mails.iter().map(|(mail, _)| mail.raw.len()).sum();
        let mut items = Vec::with_capacity(size + size / 64 + 80 * mails.len());
        let mut heads = Vec::with_capacity(mails.len());
        for (mail, sha256) in mails {
            let start = items.len();
            mboxrd::quote(&mail.raw, mail.received, &mut items);
            heads.push(head(mail, *sha256, (items.len() - start) as u64));
        }
        let packed = self.0.compress(&items)?;
        let header = ArchiveHeader {
            mark: "cbk1",
            v: VERSION,
            store: store.to_owned(),
            seq,
            mails: heads,
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

fn head(mail: &NewMail, sha256: MessageRef, item: u64) -> MailHead {
    let mut source = mail.source.clone();
    if let Some(source) = &mut source
        && flag_bytes(mail) > MAX_FLAGS
    {
        source.flags.clear();
    }
    MailHead {
        sha256,
        size: mail.raw.len() as u64,
        received: mail.received,
        received_from: mail.received_from,
        source,
        final_newline: mboxrd::ends_in_newline(&mail.raw),
        item,
    }
}

/// Bytes that mailbox name and flags of a message take in a header.
pub fn flag_bytes(mail: &NewMail) -> usize {
    let of = |source: &MailSource| {
        source.mailbox.len() + source.flags.iter().map(|flag| flag.len() + 3).sum::<usize>()
    };
    mail.source.as_ref().map_or(0, of)
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
    let unread = "header cannot be read";
    let Version { v } = serde_json::from_slice(text).map_err(|_| unread)?;
    let header = match v {
        1 => serde_json::from_slice::<First>(text).map(ArchiveHeader::from),
        VERSION => serde_json::from_slice::<Second>(text).map(ArchiveHeader::from),
        _ => return Err(NEWER),
    };
    let header = header.map_err(|_| unread)?;
    let possible = |mail: &MailHead| mail.size <= MAX_MESSAGE && mail.item <= 2 * MAX_MESSAGE;
    let all = header.mails.iter().all(possible) && !header.mails.is_empty();
    if !all || header.packed > 2 * MAX_MESSAGE || header.seq == 0 {
        return Err("header names an impossible size");
    }
    Ok((header, chain.to_owned()))
}

/// A header of version 1.
#[derive(Deserialize)]
struct First {
    store: String,
    seq: u64,
    #[serde(flatten)]
    mail: MailHead,
    packed: u64,
    prev: String,
}

impl From<First> for ArchiveHeader {
    fn from(first: First) -> Self {
        let First { store, seq, mail, packed, prev } = first;
        Self { mark: "cbk1", v: 1, store, seq, mails: vec![mail], packed, prev }
    }
}

/// A header of version 2.
#[derive(Deserialize)]
struct Second {
    store: String,
    seq: u64,
    mails: Vec<MailHead>,
    packed: u64,
    prev: String,
}

impl From<Second> for ArchiveHeader {
    fn from(second: Second) -> Self {
        let Second { store, seq, mails, packed, prev } = second;
        Self { mark: "cbk1", v: VERSION, store, seq, mails, packed, prev }
    }
}

/// A raw message, or why it is not as it was written.
pub type Unpacked = Result<Vec<u8>, &'static str>;

/// Takes the raw messages out of the zstd frame and checks their SHA-256. Of a damaged frame those before the
/// damage are given.
pub fn unpack(header: &ArchiveHeader, packed: &[u8]) -> Vec<Unpacked> {
    // Quoting adds at most one byte to the six of a quoted line, and the frame around it some 60.
    let item = |mail: &MailHead| match mail.item {
        0 => mail.size + mail.size / 5 + 256,
        told => told,
    };
    let most: u64 = header.mails.iter().map(item).fold(0, u64::saturating_add);
    let items = usize::try_from(most).map(|most| items(packed, most)).unwrap_or_default();
    let mut rest = items.as_slice();
    let of = |mail: &MailHead| {
        let len = if mail.item == 0 { rest.len() } else { usize::try_from(mail.item).unwrap_or(0) };
        let (item, after) = rest.split_at_checked(len).unwrap_or_default();
        rest = after;
        if item.is_empty() {
            return Err("content cannot be unpacked");
        }
        let raw =
            mboxrd::unquote(item, mail.final_newline).ok_or("content is not a mailbox item")?;
        if MessageRef::of(&raw) != mail.sha256 {
            return Err("content is not as written");
        }
        Ok(raw)
    };
    header.mails.iter().map(of).collect()
}

/// The content of a zstd frame, at most so many bytes; what can be read of a damaged one.
fn items(packed: &[u8], most: usize) -> Vec<u8> {
    use std::io::Read as _;
    if let Ok(items) = zstd::bulk::decompress(packed, most) {
        return items;
    }
    let mut items = Vec::new();
    if let Ok(decoder) = zstd::stream::read::Decoder::new(packed) {
        // It ends where the damage is; what is kept is checked by its hash.
        let _ = decoder.single_frame().take(most as u64).read_to_end(&mut items);
    }
    items
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
        pack(&[mail(raw)])
    }

    fn pack(mails: &[NewMail]) -> Vec<u8> {
        let mails: Vec<_> = mails.iter().map(|mail| (mail, MessageRef::of(&mail.raw))).collect();
        let mut out = Vec::new();
        Packer::new().expect("zstd").pack(&mails, 1, "S", "p", &mut out).expect("packs");
        out
    }

    fn read(record: &[u8]) -> Result<Vec<Unpacked>, &'static str> {
        let length = u32::from_le_bytes([record[4], record[5], record[6], record[7]]) as usize;
        let (header, _) = read_header(&record[8..8 + length])?;
        Ok(unpack(&header, &record[8 + length..]))
    }

    #[test]
    fn messages_before_a_damage_are_given() {
        // Blocks of a frame hold 128 KB, and unlike messages cannot lean on each other.
        let body = |n: u32| -> Vec<u8> {
            (0..50_000u32).map(|i| (i.wrapping_mul(i ^ n) >> 7) as u8 | 0x40).collect()
        };
        let mails: Vec<NewMail> = (1..=9).map(|n| mail(&body(n))).collect();
        let whole = pack(&mails);
        let raws: Vec<Unpacked> = mails.iter().map(|mail| Ok(mail.raw.clone())).collect();
        assert!(read(&whole) == Ok(raws));
        let mut bad = whole.clone();
        let at = whole.len() - 20_000;
        bad[at] ^= 0x10;
        let some = read(&bad).expect("the header is good");
        assert_eq!(some.len(), 9);
        assert!(some[0] == Ok(mails[0].raw.clone()) && some[8].is_err());
    }

    #[test]
    fn a_record_of_the_first_version_is_read() {
        let raw = b"Subject: x\n\nFrom here";
        let mut item = Vec::new();
        mboxrd::quote(raw, Timestamp::UNIX_EPOCH, &mut item);
        let packed = zstd::bulk::compress(&item, 3).expect("packs");
        let sha = hex(MessageRef::of(raw).digest());
        let mut text = format!(
            r#"{{"mark":"cbk1","v":1,"store":"S","seq":7,"sha256":"{sha}","size":{},"received":"1970-01-01T00:00:00Z","received_from":"file","final_newline":false,"packed":{},"prev":"p""#,
            raw.len(),
            packed.len()
        );
        let chain = chain_of(text.as_bytes());
        text.push_str(&format!(",\"chain\":\"{chain}\"}}"));
        let (header, known) = read_header(text.as_bytes()).expect("reads");
        assert_eq!((header.seq, header.last(), known), (7, 7, chain));
        assert_eq!(unpack(&header, &packed), [Ok(raw.to_vec())]);
    }

    #[test]
    fn every_changed_byte_of_a_record_is_noticed() {
        let whole = record(b"Subject: x\n\nFrom here\n");
        for at in 8..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 0x04;
            let read = read(&bad).and_then(|mut raws| raws.remove(0));
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
        assert!(pack(&[mail]).len() < MAX_HEADER);
    }
}
