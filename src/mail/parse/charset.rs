//! Bytes to text: the declared charset, else a guess.
//!
//! Labels are only looked up in the table of the Encoding Standard, never used as a name of anything else.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decoded text, and whether the declaration was missing, unknown, unfit or contradicted by the bytes.
pub(super) struct Decoded {
    pub text: String,
    pub bad: bool,
}

/// Decodes by the declared label; without one, as UTF-8 if it is valid, else as windows-1252. UTF-7 is left as
/// it is: decoding it turns harmless text into markup.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> Decoded {
    let label = label.map(normal).filter(|l| !l.is_empty() && !is_ascii_label(l));
    let Some(label) = label else {
        return guess(bytes);
    };
    let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes()) else {
        return Decoded { text: guess(bytes).text, bad: true };
    };
    let wide = encoding == UTF_16BE || encoding == UTF_16LE;
    let (text, _, broken) = encoding.decode(bytes);
    if broken && encoding == encoding_rs::UTF_8 && !has_multibyte(bytes) {
        return Decoded { text: latin(bytes), bad: true };
    }
    let contradicted =
        encoding == WINDOWS_1252 && !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok();
    Decoded { text: text.into_owned(), bad: broken || wide || contradicted }
}

fn guess(bytes: &[u8]) -> Decoded {
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded { text: text.to_owned(), bad: false },
        Err(_) => Decoded { text: latin(bytes), bad: true },
    }
}

fn latin(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

/// `"UTF-8*en"` to `utf-8` (language suffix: RFC 2231 section 5).
fn normal(label: &str) -> String {
    let label = label.split('*').next().unwrap_or_default();
    label
        .trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ';'))
        .to_ascii_lowercase()
}

/// ASCII declarations say nothing about bytes over 127; the usual table for them would claim Latin text.
fn is_ascii_label(label: &str) -> bool {
    matches!(
        label,
        "us-ascii"
            | "ascii"
            | "ansi_x3.4-1968"
            | "7bit"
            | "8bit"
            | "default"
            | "unknown"
            | "unknown-8bit"
    )
}

/// Whether there is a valid multi-byte sequence, so that the text is damaged UTF-8 and not something else.
fn has_multibyte(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => return !valid.is_ascii(),
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to().min(rest.len()));
                if !valid.is_ascii() {
                    return true;
                }
                rest = after
                    .get(error.error_len().unwrap_or(after.len()).max(1)..)
                    .unwrap_or_default();
            }
        }
    }
}

/// Whether invalid UTF-8 contains overlong forms: they spell ASCII, so someone hides it (RFC 3629 section 10).
pub(super) fn is_overlong(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|w| {
        matches!(w, [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f])
    }) && std::str::from_utf8(bytes).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], label: &str) -> (String, bool) {
        let decoded = decode(bytes, Some(label));
        (decoded.text, decoded.bad)
    }

    #[test]
    fn decodes_by_label_or_guess() {
        assert_eq!(of(b"\xf0\xd2", "KOI8-R"), ("Пр".to_owned(), false));
        assert_eq!(of("ü".as_bytes(), "utf-8*en"), ("ü".to_owned(), false));
        assert_eq!(of("ü".as_bytes(), "us-ascii"), ("ü".to_owned(), false));
        assert_eq!(of(b"na\xefve", "x-unknown"), ("naïve".to_owned(), true));
        assert_eq!(of(b"Gr\xfc\xdfe", "utf-8"), ("Grüße".to_owned(), true));
        assert_eq!(of("ü".as_bytes(), "iso-8859-1"), ("Ã¼".to_owned(), true));
        assert_eq!(of(b"+ADw-", "utf-7"), ("+ADw-".to_owned(), true));
        assert_eq!(of(b"x", "../../etc/passwd"), ("x".to_owned(), true));
        assert_eq!(of(b"h\0i\0", "utf-16"), ("hi".to_owned(), true));
        assert!(is_overlong(b"\xc0\x9b[31m") && !is_overlong("ü".as_bytes()));
    }
}
