//! Bytes to message and defects; text fit for a terminal; bytes of a reply.
//!
//! Owns: everything that knows RFC 5322 and MIME. Absent on purpose: cases, policies, the store, the
//! terminal. Parsing never fails and never panics: the answer is a message and a list of defects. Read next:
//! `parse/mod.rs` for the way in, `display.rs` for the way to the screen, `compose.rs` for the way out.

pub mod compose;
pub mod display;
pub mod mbox;
pub mod parse;
pub mod quote;
pub mod safe_name;
pub mod subject;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use compose::{Outgoing, reply_subject};
pub use display::DisplayText;
pub use quote::LineKind;
pub use subject::base_subject;

/// A mailbox as a header gives it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    /// Decoded display name, possibly empty.
    pub name: String,
    /// `local@domain`, as written; possibly malformed.
    pub address: String,
}

/// What is odd or dangerous about a message (meaning of each: the class of that name in the mail corpus).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the documentation; as_str gives the data words")]
pub enum Warning {
    ControlChars,
    Bidi,
    Homoglyph,
    FromSpoof,
    HeaderInjection,
    PathTraversal,
    DangerousType,
    TypeMismatch,
    ZipBomb,
    DepthLimit,
    Nul,
    BadCharset,
    BadEncoding,
    BadDate,
    LinkMismatch,
    RemoteContent,
    Active,
    Encrypted,
    Partial,
}

impl Warning {
    /// The data word, as in JSON and in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlChars => "control-chars",
            Self::Bidi => "bidi",
            Self::Homoglyph => "homoglyph",
            Self::FromSpoof => "from-spoof",
            Self::HeaderInjection => "header-injection",
            Self::PathTraversal => "path-traversal",
            Self::DangerousType => "dangerous-type",
            Self::TypeMismatch => "type-mismatch",
            Self::ZipBomb => "zip-bomb",
            Self::DepthLimit => "depth-limit",
            Self::Nul => "nul",
            Self::BadCharset => "bad-charset",
            Self::BadEncoding => "bad-encoding",
            Self::BadDate => "bad-date",
            Self::LinkMismatch => "link-mismatch",
            Self::RemoteContent => "remote-content",
            Self::Active => "active",
            Self::Encrypted => "encrypted",
            Self::Partial => "partial",
        }
    }
}

/// Something that could not be read as the standards ask, and what was done instead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Defect {
    /// One sentence part, lower case: `boundary never found; shown as plain text`.
    pub what: String,
}

/// Why a message counts as written by a machine (RFC 3834, RFC 3464, RFC 2919).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Automatic {
    /// `Auto-Submitted: auto-replied` and its older relatives.
    Reply,
    /// Delivery report.
    Bounce,
    /// `Auto-Submitted: auto-generated` and the like.
    Generated,
}

/// One leaf of the MIME tree.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// Index in [`Message::parts`].
    pub index: u16,
    /// `type/subtype`, lower case.
    pub content_type: String,
    /// Charset as declared.
    pub charset: Option<String>,
    /// Decoded file name as the mail gives it: hostile, see [`Part::safe_name`].
    pub name: Option<String>,
    /// Base name fit for a directory listing and for saving, never empty for an attachment.
    pub safe_name: String,
    /// Whether it is shown as an attachment rather than as text.
    pub attachment: bool,
    /// Size decoded, in bytes.
    pub size: u64,
    /// Decoded bytes.
    pub bytes: Vec<u8>,
}

impl Part {
    /// SHA-256 of the decoded bytes, in hexadecimal. Worked out when asked for: most parts are never looked at.
    pub fn sha256(&self) -> String {
        use sha2::Digest as _;
        sha2::Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// One parsed mail.
#[derive(Clone, PartialEq, Default)]
pub struct Message {
    /// Decoded subject, with whatever the sender put there.
    pub subject: String,
    /// Mailboxes of From (all, if there are several).
    pub from: Vec<Address>,
    /// Mailboxes of Reply-To.
    pub reply_to: Vec<Address>,
    /// Mailboxes of To.
    pub to: Vec<Address>,
    /// Mailboxes of Cc.
    pub cc: Vec<Address>,
    /// The Date header: the sender's claim, never used for clocks.
    pub date: Option<Timestamp>,
    /// Time stamp of the top Received header.
    pub received: Option<Timestamp>,
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// Ids of References, oldest first.
    pub references: Vec<String>,
    /// Set for messages written by a machine.
    pub automatic: Option<Automatic>,
    /// The text to show: chosen alternative, HTML as text, decoded, LF line ends, no trailing blank lines.
    /// Not yet fit for a terminal.
    pub text: String,
    /// Index of the part that `text` came from.
    pub text_part: u16,
    /// Leaves of the MIME tree.
    pub parts: Vec<Part>,
    /// Header fields in order, names as written, values unfolded and decoded.
    pub headers: Vec<(String, String)>,
    /// What could not be read as it should.
    pub defects: Vec<Defect>,
    /// What is odd or dangerous, each once, sorted.
    pub warnings: Vec<Warning>,
}

impl fmt::Debug for Message {
    /// Sizes only: a message must not reach a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} headers, {} parts)", self.headers.len(), self.parts.len())
    }
}

impl Message {
    /// First value of a header field, by name without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads a raw mail. Whatever the bytes, the answer is a message: what could not be read is in its defects.
///
/// Work is bounded by the limits in [`parse`](mod@parse); call it off the screen's thread for large mails.
pub fn parse(raw: &[u8]) -> Message {
    // The second wall: no panic is known, but three foreign crates work on hostile bytes here, and a mail must
    // never be missing from the list for that.
    std::panic::catch_unwind(|| parse::message(raw)).unwrap_or_else(|_| parse::unread(raw))
}

/// The delivery time of a raw mail's top Received field, as [`parse()`] gives it, without reading the rest.
pub fn received(raw: &[u8]) -> Option<Timestamp> {
    std::panic::catch_unwind(|| parse::received(raw)).ok().flatten()
}
