//! From bytes to a message, whatever the bytes are.
//!
//! Owns: the order of reading and the collection of defects and warnings. mailparse does single fields,
//! parameters, dates, ids and transfer decoding on the regular path; what it refuses, takes too long over or reads
//! differently from other programs is read here. Nothing returns an error: what cannot be read is shown raw and
//! recorded. Read next: `fields.rs` (header block), `entity.rs` (MIME tree), `scan.rs` (dangerous characters).
//!
//! Bounds: header block 1 MiB, 2,000 fields, 64 KiB and 256 encoded words a field, 1,000 mailboxes and ids a field,
//! 64 levels, 2,000 parts, HTML of 1 MiB and 200 levels. A bound that was reached gives [`Warning::DepthLimit`].

mod address;
mod attach;
mod automatic;
mod boundary;
mod charset;
mod date;
mod entity;
mod fields;
mod html;
mod ids;
mod links;
mod plain;
mod scan;
mod sender;
mod shown;
mod transfer;
mod words;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::mail::{Address, Defect, Message, Part, Warning};

use entity::Walker;
use fields::Block;

/// Defects kept per mail.
const DEFECTS_MAX: usize = 64;
/// How far the sender's date may be from the delivery before it is marked.
const DATE_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);
/// Fields that may stand only once (RFC 5322 section 3.6, RFC 2045).
const SINGLE: [&str; 13] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// What was found wrong so far.
#[derive(Default)]
struct Report {
    defects: Vec<Defect>,
    warnings: BTreeSet<Warning>,
}

impl Report {
    fn warn(&mut self, warning: Warning) {
        self.warnings.insert(warning);
    }

    fn defect(&mut self, what: &str) {
        if self.defects.len() < DEFECTS_MAX && self.defects.iter().all(|known| known.what != what) {
            self.defects.push(Defect { what: what.to_owned() });
        }
    }

    /// A bound was reached.
    fn bounded(&mut self, what: &str) {
        self.warn(Warning::DepthLimit);
        self.defect(what);
    }
}

/// Reads a raw mail. See [`crate::mail::parse`].
pub(super) fn message(raw: &[u8]) -> Message {
    let mut report = Report::default();
    let block = fields::read(raw);
    let mut message = Message::default();
    let comments = addresses(&block, &mut message, &mut report);
    times(&block, &mut message, &mut report);
    identity(&block, &mut message, &mut report);
    header(&block, &mut report);
    sender::inspect(&block, &message, &comments, &mut report);

    let mut walker = Walker::new(&mut report);
    let pieces = walker.entity(&block, raw.get(block.body_at..).unwrap_or_default(), "text/plain");
    message.parts = std::mem::take(&mut walker.parts);
    message.text_part = pieces.first().map_or(0, |piece| piece.part);
    message.text = shown::join(pieces, &mut report);

    let report_type = block
        .field("Content-Type")
        .filter(|field| field.raw.to_ascii_lowercase().starts_with("multipart/report"));
    let report_type = report_type.and_then(|field| {
        mailparse::parse_content_type(&field.raw).params.get("report-type").cloned()
    });
    message.automatic = automatic::detect(&block, &message, report_type.as_deref());
    message.headers = block.fields.into_iter().map(|field| (field.name, field.value)).collect();
    message.defects = report.defects;
    message.warnings = report.warnings.into_iter().collect();
    message
}

/// A mail that could not be read at all: one text part, everything as it stands.
pub(super) fn unread(raw: &[u8]) -> Message {
    let part = Part {
        content_type: "text/plain".to_owned(),
        safe_name: "mail.txt".to_owned(),
        size: raw.len() as u64,
        bytes: raw.to_vec(),
        index: 0,
        charset: None,
        name: None,
        attachment: false,
    };
    let text = String::from_utf8_lossy(raw).replace("\r\n", "\n").trim_end().to_owned();
    let defects = vec![Defect { what: "the parser failed; the mail is shown raw".to_owned() }];
    let warnings = vec![Warning::BadEncoding];
    Message { text, parts: vec![part], defects, warnings, ..Message::default() }
}

/// Reads the address fields; gives back the comments of From.
fn addresses(block: &Block, message: &mut Message, report: &mut Report) -> String {
    let mut comments = String::new();
    let mut read = |name: &str| -> Vec<Address> {
        let mut found = Vec::new();
        for field in block.all(name).take(20) {
            let list = address::read(&field.raw);
            if list.bounded {
                report.bounded(
                    "an address field with too many mailboxes or levels; the rest was not read",
                );
            }
            if list.bad_charset {
                report.warn(Warning::BadCharset);
            }
            if name == "From" {
                comments.push_str(&list.comments);
            }
            found.extend(list.addresses);
        }
        found.truncate(address::ADDRESSES_MAX);
        found
    };
    message.from = read("From");
    message.reply_to = read("Reply-To");
    message.to = read("To");
    message.cc = read("Cc");
    comments
}

/// Reads the delivery time alone. See [`crate::mail::received`].
pub(super) fn received(raw: &[u8]) -> Option<Timestamp> {
    delivered(&fields::read(raw))
}

fn delivered(block: &Block) -> Option<Timestamp> {
    let (_, date) = block.value("Received")?.rsplit_once(';')?;
    date::read(date).at
}

fn times(block: &Block, message: &mut Message, report: &mut Report) {
    message.received = delivered(block);
    let Some(value) = block.value("Date") else {
        if !block.fields.is_empty() {
            report.warn(Warning::BadDate);
        }
        return;
    };
    let found = date::read(value);
    message.date = found.at;
    let far = |at: Timestamp, from: Timestamp| at.duration_since(from).abs() > DATE_TOLERANCE;
    let off = matches!((found.at, message.received), (Some(at), Some(from)) if far(at, from));
    if found.odd || off {
        report.warn(Warning::BadDate);
    }
    if found.at.is_none() {
        report.defect("date that cannot be read");
    }
}

fn identity(block: &Block, message: &mut Message, report: &mut Report) {
    message.subject = block.value("Subject").unwrap_or_default().to_owned();
    message.message_id = block.value("Message-ID").and_then(ids::single);
    for (name, into) in
        [("In-Reply-To", &mut message.in_reply_to), ("References", &mut message.references)]
    {
        let found = block.value(name).map(ids::list).unwrap_or_default();
        if found.bounded {
            report.bounded("too many message ids in one field; the rest was not read");
        }
        *into = found.ids;
    }
    scan::injection(&message.subject, report);
    message.from.iter().chain(&message.reply_to).take(50).for_each(|from| {
        scan::injection(&from.name, report);
        scan::field(&from.name, report);
        scan::field(&from.address, report);
    });
}

/// What concerns the header as a whole.
fn header(block: &Block, report: &mut Report) {
    block.defects.iter().for_each(|defect| report.defect(defect));
    if block.bounded {
        report.warn(Warning::DepthLimit);
    }
    if block.bad_charset {
        report.warn(Warning::BadCharset);
    }
    if block.escaped_break {
        report.warn(Warning::HeaderInjection);
    }
    for name in SINGLE {
        if block.all(name).count() > 1 {
            report.defect(&format!("more than one {name} field"));
        }
    }
    for field in &block.fields {
        scan::field(&field.value, report);
        let name = field.name.to_ascii_lowercase();
        match name.as_str() {
            "message-id" | "in-reply-to" | "references" => scan::id(&field.value, report),
            "disposition-notification-to" | "return-receipt-to" | "x-confirm-reading-to" => {
                report.warn(Warning::Active)
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
