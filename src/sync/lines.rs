//! The shape of single lines a server sends: what kind, how it ends, what can be saved from it.

use super::text::printable;

/// Why the guard let nothing more through. Reaches the caller inside an [`io::Error`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Over a bound.
    #[error("{0}")]
    TooLarge(String),
    /// The server said BYE, with this text.
    #[error("{0}")]
    Bye(String),
    /// Not IMAP.
    #[error("{0}")]
    Broken(String),
}

/// What kind of response is being put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `* OK`, a tagged line, or a continuation request: text to the line end.
    Text,
    /// `* NO` or `* BAD`: a warning, on which the library panics or gives up.
    Warning,
    /// The server hangs up.
    Bye,
    /// Data of a message; literals are taken aside.
    Fetch,
    /// Other data that the library knows.
    Data,
    /// Data of an extension nobody asked for.
    Unknown,
}

/// Reads from the first line what kind of response begins.
pub(crate) fn classify(line: &[u8]) -> Result<Kind, Fault> {
    if line.starts_with(b"+") {
        return Ok(Kind::Text);
    }
    let broken = || Fault::Broken(format!("not an IMAP line: {}", printable(line)));
    let mut words = line.split(|&b| b == b' ').map(<[u8]>::to_ascii_uppercase);
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    if first.as_slice() != b"*" {
        let tag = !first.is_empty() && first.iter().all(u8::is_ascii_alphanumeric);
        let status = matches!(second.as_slice(), b"OK" | b"NO" | b"BAD");
        return if tag && status { Ok(Kind::Text) } else { Err(broken()) };
    }
    if !second.is_empty() && second.iter().all(u8::is_ascii_digit) {
        let number =
            std::str::from_utf8(&second).ok().and_then(|digits| digits.parse::<u32>().ok());
        return match (number, words.next().unwrap_or_default().as_slice()) {
            (None, _) => Err(Fault::Broken("a number above 4294967295".to_owned())),
            (_, b"FETCH") => Ok(Kind::Fetch),
            (_, b"EXISTS" | b"RECENT" | b"EXPUNGE") => Ok(Kind::Data),
            _ => Ok(Kind::Unknown),
        };
    }
    Ok(match second.as_slice() {
        b"OK" => Kind::Text,
        b"NO" | b"BAD" => Kind::Warning,
        b"BYE" => Kind::Bye,
        b"CAPABILITY" | b"FLAGS" | b"SEARCH" | b"LIST" | b"LSUB" | b"STATUS" | b"ENABLED"
        | b"VANISHED" => Kind::Data,
        b"" => return Err(broken()),
        _ => Kind::Unknown,
    })
}

/// Tag and status of an answer whose response code the library cannot read.
pub(crate) fn plain_answer(line: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut words = line.split(|&b| b == b' ' || b == b'\r');
    match (words.next(), words.next()) {
        (Some(tag), Some(status)) => {
            let mut plain = tag.to_vec();
            plain.push(b' ');
            plain.extend(status.to_ascii_uppercase());
            plain.extend_from_slice(b" done\r\n");
            Ok(plain)
        }
        _ => Err(Fault::Broken("an answer without a status".to_owned())),
    }
}

/// Where a literal is announced at the end of the line, and its size in bytes.
pub(crate) fn literal_at_end(line: &[u8]) -> Result<Option<(usize, u64)>, Fault> {
    let Some(inner) = line.strip_suffix(b"}") else { return Ok(None) };
    let Some(marker) = inner.iter().rposition(|&b| b == b'{') else { return Ok(None) };
    let digits = inner.get(marker + 1..).unwrap_or_default();
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    match std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()) {
        Some(size) => Ok(Some((marker, size))),
        None => Err(Fault::TooLarge("a literal of over 2^64 bytes".to_owned())),
    }
}

/// The words of a `[CAPABILITY …]` response code, in upper case.
pub(crate) fn capabilities_in(line: &str) -> Option<Vec<String>> {
    let upper = line.to_ascii_uppercase();
    let (_, rest) = upper.split_once("[CAPABILITY ")?;
    let (words, _) = rest.split_once(']')?;
    Some(words.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The number after `UID` in a response that could not be read as a whole.
pub(crate) fn uid_in(response: &[u8]) -> Option<u32> {
    let at = find(response, b"UID ")?;
    let digits: Vec<u8> =
        response.iter().skip(at + 4).copied().take_while(u8::is_ascii_digit).take(10).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok().filter(|uid| *uid > 0)
}

/// Position of an ASCII word, without regard to case.
pub(crate) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word))
}
