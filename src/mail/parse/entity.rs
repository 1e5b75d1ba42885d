//! The MIME tree: descent, and leaves decoded.
//!
//! Owns: descent with its bounds, what is an attachment. A part that cannot be read as
//! it should becomes a leaf of plain text: nothing is dropped. Read next: `shown.rs` for what is made of the texts.

use mailparse::{DispositionType, ParsedContentType};

use crate::mail::safe_name::Names;
use crate::mail::{Part, Warning};

use super::fields::{self, Block};
use super::shown::{Piece, choose, summary};
use super::{Report, attach, boundary, charset, html, links, plain, scan, transfer, words};

/// Levels of multiparts and attached mails; what lies deeper is shown raw.
const DEPTH_MAX: usize = 64;
/// Leaves of one mail; what follows is one raw leaf.
const PARTS_MAX: usize = 2_000;
/// Bytes and parameters of a Content-Type or Content-Disposition field that are read.
const PARAMETERS_BYTES_MAX: usize = 16 << 10;
const PARAMETERS_MAX: usize = 200;

/// Leaves found so far.
pub(super) struct Walker<'r> {
    pub report: &'r mut Report,
    pub parts: Vec<Part>,
    names: Names,
    /// Boundaries of the multiparts around.
    around: Vec<String>,
    depth: usize,
}

/// The type fields of an entity.
struct Kind {
    ctype: ParsedContentType,
    attachment: Option<bool>,
    name: Option<String>,
}

impl<'r> Walker<'r> {
    pub(super) fn new(report: &'r mut Report) -> Self {
        Self { report, parts: Vec::new(), names: Names::default(), around: Vec::new(), depth: 0 }
    }

    /// Reads one entity: its leaves go to `parts`, the texts to show come back.
    pub(super) fn entity(&mut self, block: &Block, body: &[u8], default: &str) -> Vec<Piece> {
        let kind = self.kind(block, default);
        let encoding = block.value("Content-Transfer-Encoding");
        let main = kind.ctype.mimetype.split('/').next().unwrap_or_default();
        if main == "multipart" {
            return self.multipart(&kind, body, encoding);
        }
        self.mark_kind(&kind);
        if matches!(
            kind.ctype.mimetype.as_str(),
            "message/rfc822" | "message/global" | "message/news"
        ) {
            return self.attached_mail(&kind, body, encoding);
        }
        self.leaf(kind, body, encoding)
    }

    fn mark_kind(&mut self, kind: &Kind) {
        match kind.ctype.mimetype.as_str() {
            "message/partial" => self.report.warn(Warning::Partial),
            "message/external-body" => self.report.warn(Warning::RemoteContent),
            "application/pgp-encrypted" => self.report.warn(Warning::Encrypted),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" if !is_signed_only(kind) => {
                self.report.warn(Warning::Encrypted);
            }
            _ => {}
        }
    }

    fn multipart(&mut self, kind: &Kind, body: &[u8], encoding: Option<&str>) -> Vec<Piece> {
        if is_encoded(encoding) {
            self.report.warn(Warning::BadEncoding);
            self.report.defect("transfer encoding on a multipart; ignored");
        }
        if kind.ctype.mimetype == "multipart/encrypted" {
            self.report.warn(Warning::Encrypted);
        }
        let limit =
            kind.ctype.params.get("boundary").map(|b| b.trim_end().to_owned()).unwrap_or_default();
        if limit.is_empty() {
            self.report.defect("multipart without a boundary; shown as plain text");
            return self.raw_leaf(body);
        }
        if self.depth >= DEPTH_MAX {
            self.report.bounded("parts nested deeper than 64 levels; the rest is shown raw");
            return self.raw_leaf(body);
        }
        if self.around.contains(&limit) {
            self.report
                .bounded("a multipart with the boundary of the one around it; not descended");
            return self.raw_leaf(body);
        }
        let pieces =
            boundary::split(body, &limit, PARTS_MAX.saturating_sub(self.parts.len()).max(1));
        if pieces.parts.is_empty() {
            self.report.defect("boundary never found; shown as plain text");
            return self.raw_leaf(body);
        }
        self.note_structure(&pieces);
        let shown = self.children(kind, &pieces, limit);
        if kind.ctype.mimetype == "multipart/alternative" {
            choose(shown)
        } else {
            shown.into_iter().flatten().collect()
        }
    }

    fn note_structure(&mut self, pieces: &boundary::Pieces<'_>) {
        if !pieces.closed {
            self.report.defect("closing boundary missing");
        }
        if pieces.resumed {
            self.report.defect("parts after the closing boundary; shown with the others");
        }
        if !pieces.epilogue.trim_ascii().is_empty() {
            self.report.defect("text after the last boundary; only in the raw mail");
        }
        if pieces.bounded {
            self.report.bounded("more than 2,000 parts; the rest is shown raw");
        }
    }

    fn children(
        &mut self,
        kind: &Kind,
        pieces: &boundary::Pieces<'_>,
        limit: String,
    ) -> Vec<Vec<Piece>> {
        let default =
            if kind.ctype.mimetype == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        self.around.push(limit);
        self.depth += 1;
        let mut shown = Vec::with_capacity(pieces.parts.len());
        let last = pieces.parts.len().saturating_sub(1);
        for (at, part) in pieces.parts.iter().enumerate() {
            if pieces.bounded && at == last {
                shown.push(self.raw_leaf(part));
            } else if self.parts.len() >= PARTS_MAX {
                self.report.bounded("more than 2,000 parts; the rest is only in the raw mail");
                break;
            } else {
                let block = part_block(part);
                self.note_block(&block);
                shown.push(self.entity(
                    &block,
                    part.get(block.body_at..).unwrap_or_default(),
                    default,
                ));
            }
        }
        self.depth -= 1;
        self.around.pop();
        shown
    }

    fn note_block(&mut self, block: &Block) {
        block.defects.iter().for_each(|defect| self.report.defect(defect));
        if block.bounded {
            self.report.warn(Warning::DepthLimit);
        }
        if block.bad_charset {
            self.report.warn(Warning::BadCharset);
        }
    }

    /// A mail in the mail: its parts join ours, its text is shown below its main fields.
    fn attached_mail(&mut self, kind: &Kind, body: &[u8], encoding: Option<&str>) -> Vec<Piece> {
        if self.depth >= DEPTH_MAX {
            self.report
                .bounded("mails attached in mails deeper than 64 levels; the rest is shown raw");
            return self.raw_leaf(body);
        }
        // Not copied unless it must be: 64 levels would be 64 copies.
        let decoded = is_encoded(encoding).then(|| transfer::decode(body, encoding));
        let inner = decoded.as_ref().map_or(body, |decoded| decoded.bytes.as_slice());
        let block = fields::read(inner);
        self.note_block(&block);
        let first = self.parts.len();
        let around = std::mem::take(&mut self.around);
        self.depth += 1;
        let mut shown =
            self.entity(&block, inner.get(block.body_at..).unwrap_or_default(), "text/plain");
        self.depth -= 1;
        self.around = around;
        let summary = summary(&block);
        match shown.first_mut() {
            Some(piece) if !piece.html => piece.text.insert_str(0, &summary),
            _ => shown.insert(
                0,
                Piece {
                    part: u16::try_from(first).unwrap_or(u16::MAX),
                    html: false,
                    extra: true,
                    text: summary,
                },
            ),
        }
        scan::characters(
            shown.first().map(|piece| piece.text.as_str()).unwrap_or_default(),
            self.report,
        );
        if kind.attachment == Some(true) { Vec::new() } else { shown }
    }

    fn leaf(&mut self, kind: Kind, body: &[u8], encoding: Option<&str>) -> Vec<Piece> {
        let Kind { ctype, attachment, name } = kind;
        let decoded = transfer::decode(body, encoding);
        if let Some(defect) = decoded.defect {
            self.report.warn(Warning::BadEncoding);
            self.report.defect(defect);
        }
        let textual = is_text(&ctype.mimetype);
        let attachment = attachment.unwrap_or(!textual || name.is_some());
        let label = ctype.params.get("charset").cloned();
        let mut bytes = decoded.bytes;
        let text = (textual && !attachment).then(|| {
            let mut text = self.text_of(&bytes, label.as_deref());
            if !decoded.tail.is_empty() {
                text.push('\n');
                text.push_str(&self.text_of(&decoded.tail, label.as_deref()));
            }
            text
        });
        bytes.extend_from_slice(&decoded.tail);
        if text.is_none() && has_encrypted_block(head_bytes(&bytes)) {
            self.report.warn(Warning::Encrypted);
        }
        let is_html = matches!(ctype.mimetype.as_str(), "text/html" | "application/xhtml+xml");
        let extra = !matches!(
            ctype.mimetype.as_str(),
            "text/plain" | "text/html" | "application/xhtml+xml"
        );
        let flowed = ctype.params.get("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
        let delsp = ctype.params.get("delsp").is_some_and(|d| d.eq_ignore_ascii_case("yes"));
        let part = self.add(ctype.mimetype, label, name, attachment, bytes);
        let Some(mut text) = text else { return Vec::new() };
        self.inspect_text(&text, is_html);
        if !is_html && let Some((rest, files)) = plain::take_uuencoded(&text) {
            self.report.warn(Warning::BadEncoding);
            self.report.defect("uuencoded file inside of a text; shown as an attachment");
            for file in files {
                self.add(
                    "application/octet-stream".to_owned(),
                    None,
                    Some(file.name),
                    true,
                    file.bytes,
                );
            }
            text = rest;
        }
        if flowed && !is_html {
            text = plain::unflow(&text, delsp);
        }
        vec![Piece { part, html: is_html, extra, text }]
    }

    fn inspect_text(&mut self, text: &str, is_html: bool) {
        scan::characters(text, self.report);
        if is_html {
            html::inspect(text, self.report);
        } else {
            links::inspect_text(text, self.report);
        }
        if text.lines().any(|line| line.starts_with("-----BEGIN PGP MESSAGE-----")) {
            self.report.warn(Warning::Encrypted);
        }
        if has_run(text, b'>', DEPTH_MAX + 1) {
            self.report.bounded("quoted deeper than 64 levels");
        }
    }

    fn text_of(&mut self, bytes: &[u8], label: Option<&str>) -> String {
        let decoded = charset::decode(bytes, label);
        if decoded.bad {
            self.report.warn(Warning::BadCharset);
            self.report
                .defect("text that does not fit its declared charset; shown as well as possible");
            if charset::is_overlong(bytes) {
                self.report.warn(Warning::BadEncoding);
            }
        }
        decoded.text
    }

    /// A leaf shown as it stands, for what could not be taken apart.
    fn raw_leaf(&mut self, body: &[u8]) -> Vec<Piece> {
        let text = charset::decode(body, None).text;
        self.inspect_text(&text, false);
        let part = self.add("text/plain".to_owned(), None, None, false, body.to_vec());
        vec![Piece { part, html: false, extra: false, text }]
    }

    fn add(
        &mut self,
        content_type: String,
        charset: Option<String>,
        name: Option<String>,
        attachment: bool,
        bytes: Vec<u8>,
    ) -> u16 {
        let index = u16::try_from(self.parts.len()).unwrap_or(u16::MAX);
        let fallback = format!("part-{}.{}", index.saturating_add(1), usual_ending(&content_type));
        let safe_name = self.names.distinct(name.as_deref().unwrap_or_default(), &fallback);
        let part = Part {
            index,
            content_type,
            charset,
            name,
            safe_name,
            attachment,
            size: bytes.len() as u64,
            bytes,
        };
        attach::inspect(&part, self.report);
        self.parts.push(part);
        index
    }

    fn kind(&mut self, block: &Block, default: &str) -> Kind {
        let raw_type = block.field("Content-Type").map(|field| field.raw.as_str());
        let ctype = self.content_type(raw_type, default);
        let raw_disposition =
            block.field("Content-Disposition").map(|field| field.raw.as_str()).unwrap_or_default();
        let disposition = mailparse::parse_content_disposition(&self.parameters(raw_disposition));
        let attachment = match disposition.disposition {
            DispositionType::Attachment => Some(true),
            DispositionType::Inline if raw_disposition.trim().is_empty() => None,
            DispositionType::Inline => is_text(&ctype.mimetype).then_some(false),
            _ => None,
        };
        let given = disposition.params.get("filename").or_else(|| ctype.params.get("name"));
        let name = given.map(|name| {
            let words = words::decode(name);
            if words.bad_charset {
                self.report.warn(Warning::BadCharset);
            }
            words.text
        });
        Kind { ctype, attachment, name }
    }

    fn content_type(&mut self, raw: Option<&str>, default: &str) -> ParsedContentType {
        let Some(raw) = raw.filter(|raw| !raw.trim().is_empty()) else {
            return mailparse::parse_content_type(default);
        };
        let written = raw.split(';').next().unwrap_or_default();
        if written.contains("$(") || written.contains(['`', '|', '&']) {
            self.report.warn(Warning::Active);
            self.report.defect("content type with characters that a shell would act on");
        }
        let mut ctype = mailparse::parse_content_type(&self.parameters(raw));
        let valid = ctype
            .mimetype
            .split_once('/')
            .is_some_and(|(main, sub)| is_token(main) && is_token(sub));
        if !valid {
            self.report.defect("content type that is not one; read as the default");
            ctype.mimetype = default.to_owned();
        }
        ctype
    }

    /// A field value without comments and within bounds, fit for mailparse.
    fn parameters(&mut self, raw: &str) -> String {
        let short = crate::mail::display::head(raw, PARAMETERS_BYTES_MAX);
        let count = short.match_indices(';').nth(PARAMETERS_MAX).map(|(at, _)| at);
        let short = count.and_then(|at| short.get(..at)).unwrap_or(short);
        if short.len() < raw.len() {
            self.report.bounded("more than 200 parameters in one field; the rest was not read");
        }
        without_comments(short)
    }
}

/// Whether an S/MIME part says that it is signed and not encrypted.
fn is_signed_only(kind: &Kind) -> bool {
    kind.ctype.params.get("smime-type").is_some_and(|kind| kind.eq_ignore_ascii_case("signed-data"))
}

/// Whether a transfer encoding changes the bytes; it must not on multiparts and attached mails.
fn is_encoded(encoding: Option<&str>) -> bool {
    encoding.is_some_and(|e| {
        matches!(e.trim().to_ascii_lowercase().as_str(), "base64" | "quoted-printable")
    })
}

/// A part that begins without any header is all body; its first line may look like one.
fn part_block(part: &[u8]) -> Block {
    let mut block = match part {
        [b'\n', ..] => Block { body_at: 1, ..Block::default() },
        [b'\r', b'\n', ..] => Block { body_at: 2, ..Block::default() },
        _ => fields::read(part),
    };
    if block.fields.is_empty() && block.body_at == 0 && !part.is_empty() {
        block.defects.push("part without a header; shown as plain text");
    }
    block
}

/// Removes comments outside of quoted strings (RFC 2045 section 5.1).
fn without_comments(value: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if (quoted || depth > 0) && !was_escaped => escaped = true,
            '"' if depth == 0 && !was_escaped => quoted = !quoted,
            '(' if !quoted && !was_escaped => depth += 1,
            ')' if depth > 0 && !quoted && !was_escaped => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(c);
        }
    }
    out
}

fn is_token(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
}

/// Types whose content is shown as text.
fn is_text(mimetype: &str) -> bool {
    mimetype.starts_with("text/")
        || matches!(
            mimetype,
            "message/delivery-status"
                | "message/disposition-notification"
                | "message/feedback-report"
                | "message/partial"
                | "message/external-body"
                | "message/rfc822-headers"
                | "application/xhtml+xml"
        )
}

fn usual_ending(content_type: &str) -> &'static str {
    match content_type {
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        _ if content_type.starts_with("text/") || content_type.starts_with("message/") => "txt",
        _ => "bin",
    }
}

/// Whether one byte stands so often in a row. Such a run holds one of the places that are looked at first.
fn has_run(text: &str, byte: u8, length: usize) -> bool {
    let bytes = text.as_bytes();
    let may = bytes.iter().skip(length - 1).step_by(length).any(|&b| b == byte);
    may && bytes
        .chunk_by(|a, b| a == b)
        .any(|run| run.first() == Some(&byte) && run.len() >= length)
}

fn has_encrypted_block(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"-----BEGIN PGP MESSAGE-----";
    bytes.windows(MARK.len()).any(|window| window.first() == MARK.first() && window == MARK)
}

fn head_bytes(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len().min(64 << 10)).unwrap_or_default()
}
