//! The header block: where it ends, its fields, their values unfolded and decoded, all within bounds.
//!
//! A single field goes through mailparse; the block does not, because mailparse refuses a whole mail for one bad
//! line. What is no field is skipped and recorded.

use super::{charset, words};

/// Bounds on one header block (a header block beyond them is an attack or a dump).
const BLOCK_BYTES_MAX: usize = 1 << 20;
const FIELDS_MAX: usize = 2_000;
const FIELD_BYTES_MAX: usize = 64 << 10;
/// Lines of one folded field.
const FOLDS_MAX: usize = 1_000;

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    /// Unfolded, encoded words left as they are.
    pub raw: String,
    /// Unfolded and decoded.
    pub value: String,
}

/// A header block as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub fields: Vec<Field>,
    /// Offset of the body in the bytes given.
    pub body_at: usize,
    pub defects: Vec<&'static str>,
    /// A bound was reached; what lies beyond it was not read.
    pub bounded: bool,
    pub bad_charset: bool,
    /// A backslash before a line break: the break would be part of a quoted string.
    pub escaped_break: bool,
}

impl Block {
    /// The first field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The decoded value of the first field of that name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.field(name).map(|field| field.value.as_str())
    }

    /// All fields of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    fn note(&mut self, defect: &'static str) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }
}

/// Reads the header block at the start of `raw`. If there is no field at all, everything is body.
pub(super) fn read(raw: &[u8]) -> Block {
    let mut block = Block::default();
    let mut at = skip_start(raw, &mut block);
    let start = at;
    let mut pending: Option<(usize, usize, usize)> = None;
    let mut ended = false;
    while let Some(line) = next_line(raw, at) {
        let content = trim_end(line);
        if content.is_empty() {
            at += line.len();
            ended = true;
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        match (&mut pending, folded) {
            (Some((_, end, lines)), true) => {
                *end = at + line.len();
                *lines += 1;
            }
            (_, true) => block.note("the first header line is a continuation; skipped"),
            (open, false) => {
                if let Some(span) = open.take() {
                    push(raw, span, &mut block);
                }
                pending = Some((at, at + line.len(), 1));
            }
        }
        at += line.len();
        if at - start > BLOCK_BYTES_MAX && !block.bounded {
            block.bounded = true;
            block.note("header block over 1 MiB; the rest of it was not read");
        }
    }
    if let Some(span) = pending.take() {
        push(raw, span, &mut block);
    }
    if block.fields.is_empty() {
        let empty = ended
            && raw.get(start..at).is_some_and(|head| head.iter().all(u8::is_ascii_whitespace));
        return Block {
            body_at: if empty { at } else { 0 },
            defects: block.defects,
            ..Block::default()
        };
    }
    block.body_at = at;
    block
}

/// Blank lines and an mbox separator before the first field.
fn skip_start(raw: &[u8], block: &mut Block) -> usize {
    let mut at = 0;
    while let Some(line) = next_line(raw, at) {
        if trim_end(line).is_empty() && has_field(raw, at + line.len()) {
            block.note("empty line before the header; skipped");
        } else if at == 0
            && (line.starts_with(b"From ") || line.starts_with(b">From "))
            && !is_field_line(line)
        {
            block.note("mbox separator before the header; skipped");
        } else {
            break;
        }
        at += line.len();
    }
    at
}

/// Whether a field stands on one of the next few lines: only then leading blank lines are skipped.
fn has_field(raw: &[u8], from: usize) -> bool {
    let mut at = from;
    for _ in 0..8 {
        let Some(line) = next_line(raw, at) else { return false };
        if !trim_end(line).is_empty() {
            return is_field_line(line) || line.starts_with(b"From ");
        }
        at += line.len();
    }
    false
}

fn is_field_line(line: &[u8]) -> bool {
    let colon = line.iter().take(200).position(|&b| b == b':');
    colon.is_some_and(|colon| colon > 0 && line.iter().take(colon).all(|b| b.is_ascii_graphic()))
}

/// The line at `at` with its end. A block without any LF is split at CR (old Macintosh files).
fn next_line(raw: &[u8], at: usize) -> Option<&[u8]> {
    let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
    let end = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |lf| lf + 1);
    rest.get(..end)
}

fn trim_end(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let [rest @ .., b'\r' | b'\n'] = line {
        line = rest;
    }
    line
}

fn push(raw: &[u8], (start, end, lines): (usize, usize, usize), block: &mut Block) {
    if block.fields.len() >= FIELDS_MAX {
        block.note("more than 2,000 header fields; the rest was not read");
        block.bounded = true;
        return;
    }
    if start > BLOCK_BYTES_MAX {
        block.bounded = true;
        return;
    }
    let mut bytes = raw.get(start..end).unwrap_or_default();
    if bytes.len() > FIELD_BYTES_MAX {
        block.note("header field over 64 KiB; the rest of it was not read");
        block.bounded = true;
        bytes = bytes.get(..FIELD_BYTES_MAX).unwrap_or_default();
    }
    if lines > FOLDS_MAX {
        block.note("header field folded over more than 1,000 lines");
        block.bounded = true;
    }
    block.escaped_break |=
        bytes.windows(3).any(|w| matches!(w, [b'\\', b'\r', b'\n'] | [b'\\', b'\n', b' ' | b'\t']));
    match field(bytes, block) {
        Some(field) => block.fields.push(field),
        None => block.note("header line without a field name; skipped"),
    }
}

fn field(bytes: &[u8], block: &mut Block) -> Option<Field> {
    let text = unfold(bytes, block);
    let (name, raw) = text.split_once(':')?;
    let name = name.trim_matches([' ', '\t']);
    if name.is_empty() || name.len() > 200 || name.contains([' ', '\t']) {
        return None;
    }
    if !name.bytes().all(|b| b.is_ascii_graphic()) {
        block.note("header field name with characters that are not allowed");
    }
    let raw = raw.trim_matches([' ', '\t']);
    let value = if raw.contains("=?") {
        let words = words::decode(raw);
        block.bad_charset |= words.bad_charset;
        if words.too_many {
            block.bounded = true;
            block.note("more than 256 encoded words in a header field; the rest was left encoded");
        }
        words.text
    } else {
        regular(bytes, name).unwrap_or_else(|| raw.to_owned())
    };
    Some(Field { name: name.to_owned(), raw: raw.to_owned(), value })
}

/// The value of an ordinary ASCII field, by mailparse.
fn regular(bytes: &[u8], name: &str) -> Option<String> {
    let ordinary = bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\r' | b'\n'));
    let (header, _) = mailparse::parse_header(bytes).ok().filter(|_| ordinary)?;
    (bytes.get(name.len()) == Some(&b':')).then(|| header.get_value().trim().to_owned())
}

/// Joins folded lines (a fold is one space) and decodes 8-bit bytes: UTF-8, else windows-1252.
fn unfold(bytes: &[u8], block: &mut Block) -> String {
    let mut joined = Vec::with_capacity(bytes.len());
    for line in bytes.split(|&b| b == b'\n') {
        let line = trim_end(line);
        let inner = if joined.is_empty() { line } else { line.trim_ascii_start() };
        if !joined.is_empty() && !inner.is_empty() {
            joined.push(b' ');
        }
        joined.extend_from_slice(inner);
    }
    let decoded = charset::decode(&joined, None);
    block.bad_charset |= decoded.bad;
    decoded.text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(raw: &[u8]) -> Vec<(String, String)> {
        read(raw).fields.into_iter().map(|f| (f.name, f.value)).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn reads_fields_and_finds_the_body() {
        let raw = b"Subject: a\r\n b\r\nX : =?utf-8?q?=C3=BC?=\r\n\r\nbody";
        assert_eq!(pairs(raw), [pair("Subject", "a b"), pair("X", "ü")]);
        assert_eq!(&raw[read(raw).body_at..], b"body");
    }

    #[test]
    fn salvages_damaged_blocks() {
        assert_eq!(pairs(b"\n\nA: 1\n\nx"), [pair("A", "1")]);
        assert_eq!(pairs(b"From x Thu 10:00\nA: 1\n\nx"), [pair("A", "1")]);
        assert_eq!(
            pairs(b" fold\nA: 1\nno colon here\nB: 2\n\nx"),
            [pair("A", "1"), pair("B", "2")]
        );
        assert_eq!(pairs(b"A: 1\r\r\n\r\r\nx"), [pair("A", "1")]);
        assert_eq!(pairs(b"S: end\r\n \r\n\t\r\n ings\r\n\r\nx"), [pair("S", "end ings")]);
        assert_eq!(pairs(b"From\n : <a@x>\n\n"), [pair("From", "<a@x>")]);
        assert_eq!(pairs(b"A: J\xf6rg\n\n"), [pair("A", "Jörg")]);
        assert_eq!(read(b"just text\nmore\n\nand more").body_at, 0);
        assert_eq!(read(b"").fields.len(), 0);
        assert_eq!(pairs(b"A: 1"), [pair("A", "1")]);
    }

    #[test]
    fn stays_within_bounds() {
        let long = [b"S: ".as_slice(), &b"x".repeat(200_000), b"\n\nbody"].concat();
        let block = read(&long);
        assert!(block.bounded);
        assert_eq!(&long[block.body_at..], b"body");
        assert!(read(&b"A: 1\n".repeat(3_000)).bounded);
        assert!(read(&[b"A: 1\n".as_slice(), &b" 2\n".repeat(3_000)].concat()).bounded);
    }
}
