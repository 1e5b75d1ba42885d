//! Content-Transfer-Encoding: strict decoding by mailparse, lenient decoding where that gives up.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mailparse::{ParsedContentType, body::Body};

use super::words::hex;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A decoded body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub bytes: Vec<u8>,
    /// What was wrong, if anything.
    pub defect: Option<&'static str>,
    /// Bytes after the end of the encoded text, as they stand in the mail.
    pub tail: Vec<u8>,
}

/// Decodes a body by the value of its Content-Transfer-Encoding field.
pub(super) fn decode(body: &[u8], encoding: Option<&str>) -> Content {
    let name = encoding.map(normal).unwrap_or_default();
    match name.as_str() {
        "base64" => base64(body),
        "quoted-printable" => quoted_printable(body),
        "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" => plain(body, None),
        _ => plain(body, Some("unknown transfer encoding; shown as it is")),
    }
}

fn plain(body: &[u8], defect: Option<&'static str>) -> Content {
    Content { bytes: body.to_vec(), defect, tail: Vec::new() }
}

/// `" Base64 ; x"` to `base64`.
fn normal(value: &str) -> String {
    let value = super::date::without_comments(value);
    let word = value.split([';', ',']).next().unwrap_or_default();
    word.trim_matches(|c: char| c.is_whitespace() || c == '"').to_ascii_lowercase()
}

fn strict(body: &[u8], encoding: &str) -> Option<Vec<u8>> {
    let ctype = ParsedContentType::default();
    match Body::new(body, &ctype, &Some(encoding.to_owned())) {
        Body::Base64(body) | Body::QuotedPrintable(body) => body.get_decoded().ok(),
        _ => None,
    }
}

fn base64(body: &[u8]) -> Content {
    if let Some(bytes) = strict(body, "base64") {
        return Content { bytes, ..Content::default() };
    }
    let (mut kept, mut at) = (Vec::with_capacity(body.len()), 0);
    let mut ended = false;
    for line in body.split_inclusive(|&b| b == b'\n') {
        let content = line.trim_ascii();
        if !content.is_empty() && (ended || !is_base64_line(content)) {
            break;
        }
        for &byte in content {
            match byte {
                b'-' => kept.push(b'+'),
                b'_' => kept.push(b'/'),
                b'=' => ended = true,
                _ if is_base64(byte) => kept.push(byte),
                _ => {}
            }
        }
        at += line.len();
    }
    let tail = body.get(at..).unwrap_or_default();
    let usable = if kept.len() % 4 == 1 { kept.len() - 1 } else { kept.len() };
    let bytes = LENIENT.decode(kept.get(..usable).unwrap_or_default()).unwrap_or_default();
    let tail = if tail.trim_ascii().is_empty() { Vec::new() } else { tail.to_vec() };
    let defect = if tail.is_empty() {
        "damaged base64; decoded as far as possible"
    } else {
        "text after the base64 data; shown as it is"
    };
    Content { bytes, defect: Some(defect), tail }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// A line of encoded data: no white space inside, and at most a quarter of strays.
fn is_base64_line(line: &[u8]) -> bool {
    let strays =
        line.iter().filter(|&&b| !is_base64(b) && !matches!(b, b'=' | b'-' | b'_')).count();
    strays * 4 <= line.len() && !line.contains(&b' ')
}

fn quoted_printable(body: &[u8]) -> Content {
    if is_regular_qp(body)
        && let Some(bytes) = strict(body, "quoted-printable")
    {
        return Content { bytes, ..Content::default() };
    }
    let mut bytes = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&b| b == b'\n') {
        lenient_qp_line(line, &mut bytes);
    }
    Content {
        bytes,
        defect: Some("damaged quoted-printable; decoded as far as possible"),
        tail: Vec::new(),
    }
}

/// Only printable ASCII, and `=` only before two hexadecimal digits or a line end.
fn is_regular_qp(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(at) = rest.iter().position(|&b| b == b'=' || b >= 0x80) {
        rest = match rest.get(at..) {
            Some([b'=', a, b, tail @ ..]) if hex(*a).is_some() && hex(*b).is_some() => tail,
            Some([b'=', b'\r', b'\n', tail @ ..] | [b'=', b'\n', tail @ ..]) => tail,
            Some([b'=']) => return true,
            _ => return false,
        };
    }
    true
}

fn lenient_qp_line(line: &[u8], out: &mut Vec<u8>) {
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        match after {
            [a, b, tail @ ..] if hex(*a).is_some() && hex(*b).is_some() => {
                out.push(hex(*a).unwrap_or(0) * 16 + hex(*b).unwrap_or(0));
                rest = tail;
            }
            _ if after.trim_ascii().is_empty() => return,
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8], encoding: &str) -> (String, bool) {
        let decoded = decode(body, Some(encoding));
        (String::from_utf8_lossy(&decoded.bytes).into_owned(), decoded.defect.is_some())
    }

    #[test]
    fn decodes_regular_bodies() {
        assert_eq!(text(b"aGVsbG8=\r\n", "BASE64"), ("hello".to_owned(), false));
        assert_eq!(text(b"a=3Db=\r\nc", "quoted-printable; x"), ("a=bc".to_owned(), false));
        assert_eq!(text(b"x", ""), ("x".to_owned(), false));
    }

    #[test]
    fn decodes_damaged_bodies_as_far_as_possible() {
        assert_eq!(text(b"aGVsbG8gd29ybGQ", "base64"), ("hello world".to_owned(), true));
        assert_eq!(text(b"aGV*sbG8=", "base64"), ("hello".to_owned(), true));
        assert_eq!(text(b"a=XYb=3 =\r\nc=", "quoted-printable"), ("a=XYb=3 c".to_owned(), true));
        assert_eq!(text(b"x", "x-zstd"), ("x".to_owned(), true));
        let listed = decode(b"aGVsbG8=\r\n\r\n-- \r\nlist footer", Some("base64"));
        assert_eq!(
            (listed.bytes.as_slice(), listed.tail.as_slice()),
            (b"hello".as_slice(), b"-- \r\nlist footer".as_slice())
        );
    }
}
