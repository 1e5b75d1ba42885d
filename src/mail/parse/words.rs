//! Encoded words in header fields (RFC 2047), in linear time.
//!
//! mailparse decodes them one by one in quadratic time, splits multi-byte characters that mailers cut between
//! two words, and leaves unknown charsets raw: hence this file.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::charset;

/// Openers (`=?`) looked at in one field; the rest of the field stays as it is.
pub(super) const WORDS_MAX: usize = 256;
/// Longest charset name and longest encoded text looked at; RFC 2047 allows 75 for both together.
const CHARSET_BYTES_MAX: usize = 60;
const TEXT_BYTES_MAX: usize = 8_192;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A decoded field value.
#[derive(Default)]
pub(super) struct Words {
    pub text: String,
    pub bad_charset: bool,
    /// More words than [`WORDS_MAX`].
    pub too_many: bool,
}

/// One run of adjacent words in the same charset, not yet decoded.
struct Run {
    charset: String,
    bytes: Vec<u8>,
}

/// Decodes the encoded words of an unfolded value.
pub(super) fn decode(value: &str) -> Words {
    let mut out = Words::default();
    let mut run: Option<Run> = None;
    let mut rest = value;
    let mut seen = 0;
    while let Some(at) = rest.find("=?") {
        seen += 1;
        if seen > WORDS_MAX {
            out.too_many = true;
            break;
        }
        let (before, from) = rest.split_at(at);
        let Some((charset, bytes, after)) = word(from) else {
            flush(&mut run, &mut out);
            let (opener, after) = from.split_at(2);
            out.text.push_str(before);
            out.text.push_str(opener);
            rest = after;
            continue;
        };
        let adjacent = run.is_some() && before.trim().is_empty();
        match &mut run {
            Some(open) if adjacent && open.charset == charset && !is_stateful(&charset) => {
                open.bytes.extend_from_slice(&bytes)
            }
            _ => {
                flush(&mut run, &mut out);
                if !adjacent {
                    out.text.push_str(before);
                }
                run = Some(Run { charset, bytes });
            }
        }
        rest = after;
    }
    flush(&mut run, &mut out);
    out.text.push_str(rest);
    out
}

/// Words in these charsets begin and end in ASCII by escape sequences that must not meet.
fn is_stateful(charset: &str) -> bool {
    charset.starts_with("iso-2022")
}

fn flush(run: &mut Option<Run>, out: &mut Words) {
    if let Some(Run { charset, bytes }) = run.take() {
        let decoded = charset::decode(&bytes, Some(&charset));
        out.bad_charset |= decoded.bad;
        out.text.push_str(&decoded.text);
    }
}

/// Splits `=?charset?q?text?=rest`; the text is decoded to bytes.
fn word(from: &str) -> Option<(String, Vec<u8>, &str)> {
    let rest = from.strip_prefix("=?")?;
    let end = rest.bytes().take(CHARSET_BYTES_MAX).position(|b| b == b'?' || b == b' ')?;
    let (charset, rest) = rest.split_at(end);
    let mut chars = rest.strip_prefix('?')?.chars();
    let encoding = chars.next()?.to_ascii_lowercase();
    let rest = chars.as_str().strip_prefix('?')?;
    // A text may itself start with `=`, as in `=?utf-8?q?=41?=`.
    let window = crate::mail::display::head(rest, TEXT_BYTES_MAX);
    let end = window.find("?=")?;
    let (text, after) = (rest.get(..end)?, rest.get(end + 2..)?);
    if charset.is_empty() || text.contains("=?") {
        return None;
    }
    let bytes = match encoding {
        'b' => base64_bytes(text),
        'q' => q_bytes(text.as_bytes()),
        _ => return None,
    };
    Some((charset.to_ascii_lowercase(), bytes, after))
}

fn base64_bytes(text: &str) -> Vec<u8> {
    let kept: Vec<u8> =
        text.bytes().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).collect();
    let usable = if kept.len() % 4 == 1 { kept.len() - 1 } else { kept.len() };
    LENIENT
        .decode(kept.get(..usable).unwrap_or_default())
        .unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn q_bytes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    rest = tail;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

/// The value of a hexadecimal digit.
pub(super) const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_words() {
        for (given, text) in [
            ("=?utf-8?B?R3LDvMOfZQ==?= du", "Grüße du"),
            ("=?iso-8859-1*de?q?Gr=FC=DFe_an?=", "Grüße an"),
            ("a =?utf-8?q?b?= =?utf-8?q?c?= d", "a bc d"),
            ("=?utf-8?b?w7w?= x", "ü x"),
            ("=?utf-8?x?abc?= =?", "=?utf-8?x?abc?= =?"),
            ("=?utf-8?q?=41?=", "A"),
            ("plain", "plain"),
        ] {
            assert_eq!(decode(given).text, text, "{given}");
        }
    }

    #[test]
    fn joins_characters_split_between_words() {
        assert_eq!(decode("=?utf-8?B?w7w=?= =?utf-8?Q?=C3?= =?UTF-8?Q?=BC?=").text, "üü");
    }

    #[test]
    fn marks_unknown_charsets_and_stops_at_the_limit() {
        let japanese = decode("=?iso-2022-jp?B?GyRCRnwbKEI=?= =?iso-2022-jp?B?GyRCRnwbKEI=?=");
        assert_eq!((japanese.text.as_str(), japanese.bad_charset), ("日日", false));
        assert!(decode("=?x-unk?q?a?=").bad_charset);
        let many = decode(&"=?utf-8?q?a?= ".repeat(20_000));
        assert!(many.too_many);
        assert!(many.text.starts_with("aaa"));
        assert!(decode(&"=?".repeat(20_000)).too_many);
    }
}
