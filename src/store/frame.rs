//! The archive's format: segments of records, each a zstd skippable frame with a header and then a zstd frame.
//!
//! Version 3, which is written. One message a record, packed by itself as one mboxrd item: damage costs the messages
//! that it hits and no other. The header is binary ([`Wire`] in postcard), since text would take three times as much
//! and there is one for each message; its last 16 bytes are the beginning of the SHA-256 of the rest. So a header that
//! was changed in any byte is known as damaged. They are the record's chain value too: the next header repeats them as
//! `prev`. Every segment begins with a head in text ([`text`]), which names the store, and by which a program that
//! knows only the earlier versions sees that the file is not for it.
//!
//! Measured on 10,001 typical mails (142 MB): 0.648 of the raw bytes, headers being 0.008 of that. Version 2 took
//! 0.626 with up to 16 messages in one zstd frame, all of which one bad byte could cost. A dictionary would take less
//! than either, but `zstd -dc` alone could not read it.
//!
//! Owns: bytes of records. Absent on purpose: files. Versions 1 and 2 are read ([`text`]). Read next: [`super::scan`].

mod text;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::records::millis;
use super::{MAX_MESSAGE, mboxrd};
use crate::domain::MessageRef;
use crate::domain::ids::hex;
pub use text::{MARKER, segment_head};

/// First bytes of a header in text: magic number of a skippable frame (RFC 8878 §3.1.2), little endian.
pub const MAGIC: [u8; 4] = [0x50, 0x2A, 0x4D, 0x18];
/// First bytes of a record: another such number.
pub const RECORD_MAGIC: [u8; 4] = [0x53, 0x2A, 0x4D, 0x18];
/// Format version written.
pub const VERSION: u32 = 3;
/// What [`read_header`] says of a header with a later version.
pub const NEWER: &str = "written by a newer version";
/// Longest header read or written, in bytes.
pub const MAX_HEADER: usize = 64 << 10;
/// Bytes of mailbox name and flags above which the flags are left out, so that a header stays short.
pub const MAX_FLAGS: usize = 16 << 10;
/// Bytes of a check, which is a chain value as well: as many as no chance and no search can meet.
const CHECK: usize = 16;
/// The fastest that is worth it. With matches from 4 bytes on it wins 0.008 of typical mail at 15 µs for each; the
/// next levels win 0.004 more and cost twice as much.
const LEVEL: i32 = 1;
const MIN_MATCH: u32 = 4;

/// Where the time of receipt came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceivedFrom {
    // The order is part of the format.
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

/// Beginning of the SHA-256 of a store's id. A scan after damage accepts only its own store's records, so that a mail
/// cannot hold a record made up by its sender, who does not know it.
pub type Tag = [u8; 8];

/// The tag of a store.
pub fn tag_of(store: &str) -> Tag {
    first_of(&Sha256::digest(store))
}

/// Who wrote a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WrittenBy {
    /// The store with this id; versions 1 and 2 tell it in every record.
    Store(String),
    /// The store with this tag.
    Tag(Tag),
}

impl WrittenBy {
    /// The store's id, where it was told.
    pub fn id(self) -> Option<String> {
        match self {
            Self::Store(id) => Some(id),
            Self::Tag(_) => None,
        }
    }

    /// Whether it was this store.
    pub fn is(&self, store: &str) -> bool {
        match self {
            Self::Store(id) => id == store,
            Self::Tag(tag) => *tag == tag_of(store),
        }
    }
}

/// What a header tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Header {
    /// The head of a segment, written by the store with this id.
    Segment(String),
    /// That of a record.
    Record(ArchiveHeader),
}

/// Header of one archive record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchiveHeader {
    /// Who wrote it.
    pub by: WrittenBy,
    /// Number of its first message, from 1.
    pub seq: u64,
    /// Its messages: one, and in version 2 several.
    pub mails: Vec<MailHead>,
    /// Bytes of the zstd frame that follows.
    pub packed: u64,
    /// What it says is the chain value of the record before.
    pub prev: String,
    /// Its own chain value, in hexadecimal.
    pub chain: String,
}

impl ArchiveHeader {
    /// Number of its last message.
    pub fn last(&self) -> u64 {
        self.seq.saturating_add((self.mails.len() as u64).saturating_sub(1))
    }

    /// Whether it was written after the record with this chain value; of an older one it may repeat only the beginning.
    pub fn follows(&self, chain: &str) -> bool {
        chain.starts_with(&self.prev)
    }

    fn is_possible(&self) -> bool {
        let possible = |mail: &MailHead| mail.size <= MAX_MESSAGE && mail.item <= 2 * MAX_MESSAGE;
        let all = self.mails.iter().all(possible) && !self.mails.is_empty();
        all && self.packed <= 2 * MAX_MESSAGE && self.seq > 0
    }
}

/// What a header says about one message.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct MailHead {
    /// SHA-256 of the raw message.
    pub sha256: MessageRef,
    /// Size of the raw message in bytes.
    pub size: u64,
    /// Time of receipt: what clocks run from.
    #[serde(deserialize_with = "text::time")]
    pub received: Timestamp,
    /// Where that time came from.
    pub received_from: ReceivedFrom,
    /// Where the message lay; none for an import.
    #[serde(default)]
    pub source: Option<MailSource>,
    /// Whether the raw message ends in a line feed.
    final_newline: bool,
    /// Bytes of its mboxrd item, told in version 2 only, where others follow.
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

/// A header as it is written, followed by its check. Numbers are varints.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    /// First, so that a search can look at it before all else.
    by: Tag,
    prev: [u8; CHECK],
    seq: u64,
    packed: u64,
    sha256: MessageRef,
    size: u64,
    #[serde(with = "millis")]
    received: Timestamp,
    received_from: ReceivedFrom,
    final_newline: bool,
    source: Option<Cow<'a, MailSource>>,
}

/// Packs messages; keeps its zstd context.
pub struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    /// A packer.
    pub fn new() -> std::io::Result<Self> {
        use zstd::zstd_safe::CParameter;
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        compressor.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
        Ok(Self(compressor))
    }

    /// Appends the record of `mail` with number `seq` to `out` and returns its chain value.
    pub fn pack(
        &mut self,
        (mail, sha256): (&NewMail, MessageRef),
        seq: u64,
        by: Tag,
        prev: &str,
        out: &mut Vec<u8>,
    ) -> std::io::Result<String> {
        let size = mail.raw.len();
        let mut item = Vec::with_capacity(size + size / 64 + 80);
        mboxrd::quote(&mail.raw, mail.received, &mut item);
        let packed = self.0.compress(&item)?;
        let wire = Wire {
            by,
            prev: link(prev),
            seq,
            packed: packed.len() as u64,
            sha256,
            size: size as u64,
            received: mail.received,
            received_from: mail.received_from,
            final_newline: mboxrd::ends_in_newline(&mail.raw),
            source: mail.source.as_ref().map(bounded),
        };
        let header = postcard::to_extend(&wire, Vec::new()).map_err(std::io::Error::other)?;
        let check: [u8; CHECK] = first_of(&Sha256::digest(&header));
        let length = header.len() + CHECK;
        if length > MAX_HEADER {
            return Err(std::io::Error::other("the name of the mailbox is too long"));
        }
        out.extend_from_slice(&RECORD_MAGIC);
        out.extend_from_slice(&(length as u32).to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&check);
        out.extend_from_slice(&packed);
        Ok(hex(&check))
    }
}

/// Without its flags, where they are more than any server should give.
fn bounded(source: &MailSource) -> Cow<'_, MailSource> {
    let bytes =
        source.mailbox.len() + source.flags.iter().map(|flag| flag.len() + 3).sum::<usize>();
    if bytes <= MAX_FLAGS {
        return Cow::Borrowed(source);
    }
    Cow::Owned(MailSource { flags: Vec::new(), ..source.clone() })
}

/// The beginning of a digest.
fn first_of<const N: usize>(digest: &[u8]) -> [u8; N] {
    digest.first_chunk().copied().unwrap_or([0; N])
}

/// A chain value as the next header repeats it: what its first digits say. Before the first record they are zeros.
fn link(chain: &str) -> [u8; CHECK] {
    let mut link = [0; CHECK];
    for (byte, pair) in link.iter_mut().zip(chain.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(pair).ok();
        *byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    }
    link
}

/// Whether a header of the store with this tag may begin here: a cheap look, for a search through damage.
pub fn may_begin(bytes: &[u8], tag: &Tag) -> bool {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let Some(header) = rest.get(4..) else { return false };
    match *magic {
        RECORD_MAGIC => header.starts_with(tag),
        MAGIC => header.starts_with(MARKER),
        _ => false,
    }
}

/// Bytes that [`may_begin`] looks at.
pub const BEGINNING: usize = 8 + MARKER.len();

/// Reads and checks a header that stood behind `magic`.
pub fn read_header(magic: [u8; 4], header: &[u8]) -> Result<Header, &'static str> {
    let header = match magic {
        MAGIC => text::read(header)?,
        RECORD_MAGIC => Header::Record(read_wire(header)?),
        _ => return Err("not the beginning of a record"),
    };
    match &header {
        Header::Record(record) if !record.is_possible() => Err("header names an impossible size"),
        _ => Ok(header),
    }
}

fn read_wire(header: &[u8]) -> Result<ArchiveHeader, &'static str> {
    let (wire, check) = header.split_last_chunk::<CHECK>().ok_or("header is too short")?;
    if first_of::<CHECK>(&Sha256::digest(wire)) != *check {
        return Err("header is not as written");
    }
    let wire: Wire = postcard::from_bytes(wire).map_err(|_| "header cannot be read")?;
    let Wire {
        by, prev, seq, packed, sha256, size, received, received_from, final_newline, ..
    } = wire;
    let source = wire.source.map(Cow::into_owned);
    let mail = MailHead { sha256, size, received, received_from, source, final_newline, item: 0 };
    Ok(ArchiveHeader {
        by: WrittenBy::Tag(by),
        seq,
        mails: vec![mail],
        packed,
        prev: hex(&prev),
        chain: hex(check),
    })
}

/// A raw message, or why it is not as it was written.
pub type Unpacked = Result<Vec<u8>, &'static str>;

/// What came out of a zstd frame.
pub struct Content {
    /// Each of its messages.
    pub raws: Vec<Unpacked>,
    /// Whether the frame itself is as zstd wrote it: its check sum may be damaged where no message is.
    pub whole: bool,
}

/// Takes the raw messages out of the zstd frame and checks their SHA-256. Of a damaged frame those before the
/// damage are given.
pub fn unpack(header: &ArchiveHeader, packed: &[u8]) -> Content {
    // Quoting adds at most one byte to the six of a quoted line, and the frame around it some 60.
    let item = |mail: &MailHead| match mail.item {
        0 => mail.size + mail.size / 5 + 256,
        told => told,
    };
    let most: u64 = header.mails.iter().map(item).fold(0, u64::saturating_add);
    let (items, whole) = usize::try_from(most).map(|most| items(packed, most)).unwrap_or_default();
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
    Content { raws: header.mails.iter().map(of).collect(), whole }
}

/// The content of a zstd frame, at most so many bytes; what can be read of a damaged one, and false.
fn items(packed: &[u8], most: usize) -> (Vec<u8>, bool) {
    use std::io::Read as _;
    if let Ok(items) = zstd::bulk::decompress(packed, most) {
        return (items, true);
    }
    let mut items = Vec::new();
    if let Ok(decoder) = zstd::stream::read::Decoder::new(packed) {
        // It ends where the damage is; what is kept is checked by its hash.
        let _ = decoder.single_frame().take(most as u64).read_to_end(&mut items);
    }
    (items, false)
}

#[cfg(test)]
mod tests;
