//! Multipart bodies: exact boundary lines (RFC 2046 section 5.1.1).
//!
//! mailparse takes a boundary that is a prefix of another for that other one and would show other parts than the
//! sender's own program does.

/// A multipart body in pieces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    pub parts: Vec<&'a [u8]>,
    /// A closing line was there.
    pub closed: bool,
    /// Parts went on after a closing line.
    pub resumed: bool,
    /// Text after the last closing line.
    pub epilogue: &'a [u8],
    /// More parts than asked for; the last one holds the rest, undivided.
    pub bounded: bool,
}

/// Splits `body` at the lines `--boundary`, into at most `parts_max` parts. No part if there is no such line.
pub(super) fn split<'a>(body: &'a [u8], boundary: &str, parts_max: usize) -> Pieces<'a> {
    let mut out = Pieces::default();
    let mut open: Option<usize> = None;
    let mut after_close = None;
    let mut at = 0;
    for line in body.split_inclusive(|&b| b == b'\n') {
        let start = at;
        at += line.len();
        let Some(closing) = delimiter(line, boundary.as_bytes()) else { continue };
        if let Some(from) = open.take() {
            if out.parts.len() + 1 >= parts_max {
                out.parts.push(body.get(from..).unwrap_or_default());
                out.bounded = true;
                return out;
            }
            out.parts.push(without_line_end(body.get(from..start).unwrap_or_default()));
        }
        if closing {
            out.closed = true;
            after_close = Some(at);
        } else {
            out.resumed |= after_close.take().is_some();
            open = Some(at);
        }
    }
    if let Some(from) = open {
        out.parts.push(body.get(from..).unwrap_or_default());
        out.closed = false;
    }
    out.epilogue = after_close.and_then(|from| body.get(from..)).unwrap_or_default();
    out
}

/// `Some(closing)` for a boundary line.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let rest = rest.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line end before a boundary line belongs to it.
fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_exact_lines_only() {
        let body = b"pre\r\n--ab\r\none\r\n--abc\r\nstill\r\n--ab  \r\ntwo\r\n--ab--\r\nfooter";
        let pieces = split(body, "ab", 10);
        assert_eq!(pieces.parts, [b"one\r\n--abc\r\nstill".as_slice(), b"two"]);
        assert!(pieces.closed && !pieces.resumed);
        assert_eq!(pieces.epilogue, b"footer");
    }

    #[test]
    fn keeps_open_and_resumed_parts() {
        assert_eq!(split(b"--a\nx\ny", "a", 9).parts, [b"x\ny".as_slice()]);
        let resumed = split(b"--a\nx\n--a--\n--a\ny\n--a--\n", "a", 9);
        assert_eq!(resumed.parts, [b"x".as_slice(), b"y"]);
        assert!(resumed.resumed);
        assert_eq!(split(b"nothing", "a", 9).parts.len(), 0);
        let body = b"--a\nx\n".repeat(50);
        let many = split(&body, "a", 9);
        assert!(many.bounded);
        assert_eq!(many.parts.len(), 9);
    }
}
