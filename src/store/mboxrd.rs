//! One message as an mboxrd item, and back byte by byte.
//!
//! mboxrd: a `From ` line, the message with one `>` added before every line that is `>`s followed by `From `,
//! and an empty line. A message that does not end in a line feed gets one; whether it did is kept elsewhere.

use std::io::BufRead as _;

use jiff::Timestamp;

const FROM: &[u8] = b"From ";

/// Appends `raw`, received at `received`, to `out` as one mboxrd item.
pub fn quote(raw: &[u8], received: Timestamp, out: &mut Vec<u8>) {
    let date = received.strftime("%a %b %e %H:%M:%S %Y");
    out.extend_from_slice(format!("From casebook@localhost {date}\n").as_bytes());
    let (mut from, mut at) = (0, 0);
    for line in lines(raw) {
        if quotes(line).is_some() {
            out.extend_from_slice(raw.get(from..at).unwrap_or_default());
            out.push(b'>');
            from = at;
        }
        at += line.len();
    }
    out.extend_from_slice(raw.get(from..).unwrap_or_default());
    if !ends_in_newline(raw) {
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// Whether `raw` ends in a line feed; an empty message does not.
pub fn ends_in_newline(raw: &[u8]) -> bool {
    raw.last() == Some(&b'\n')
}

/// Takes the message out of an item that [`quote`] wrote; `None` if it is not one.
pub fn unquote(item: &[u8], final_newline: bool) -> Option<Vec<u8>> {
    let rest = item.strip_prefix(FROM)?;
    let start = rest.iter().position(|byte| *byte == b'\n')? + 1;
    let mut body = rest.get(start..)?.strip_suffix(b"\n")?;
    if !final_newline {
        body = body.strip_suffix(b"\n")?;
    }
    let mut out = Vec::with_capacity(body.len());
    let (mut from, mut at) = (0, 0);
    for line in lines(body) {
        if quotes(line).is_some_and(|count| count > 0) {
            out.extend_from_slice(body.get(from..at)?);
            from = at + 1;
        }
        at += line.len();
    }
    out.extend_from_slice(body.get(from..)?);
    Some(out)
}

/// The lines of `bytes`, each with its line feed. Searched as `read_until` does, several times as fast as by byte.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let mut after = rest;
        // Reading from memory cannot fail.
        let len = after.skip_until(b'\n').unwrap_or(0);
        let line = rest.get(..len).filter(|line| !line.is_empty());
        rest = after;
        line
    })
}

/// Number of `>` before `From `, if the line begins so.
fn quotes(line: &[u8]) -> Option<usize> {
    let count = line.iter().take_while(|byte| **byte == b'>').count();
    line.get(count..)?.starts_with(FROM).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(raw: &[u8]) -> Vec<u8> {
        let mut item = Vec::new();
        quote(raw, Timestamp::UNIX_EPOCH, &mut item);
        unquote(&item, ends_in_newline(raw)).expect("an item of our own")
    }

    #[test]
    fn nasty_messages_come_back() {
        for raw in [
            &b""[..],
            b"\n",
            b"\n\n",
            b"\r\n",
            b"From me\n>From you\n>>From us",
            b"From \r\nX",
            b"a\0b\xff\xfe",
            b">",
            b">>>>From",
            b"From ",
        ] {
            assert_eq!(back(raw), raw);
        }
    }

    #[test]
    fn only_the_first_line_looks_like_a_separator() {
        let mut item = Vec::new();
        quote(b"From a\n\nFrom b\n>From c\n", Timestamp::UNIX_EPOCH, &mut item);
        let text = String::from_utf8(item).expect("ASCII");
        assert!(text.starts_with("From casebook@localhost Thu Jan  1 00:00:00 1970\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("From ")).count(), 1);
        assert!(text.contains("\n>>From c\n\n"), "{text}");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(pieces in proptest::collection::vec(prop_oneof![
            Just(b"From ".to_vec()), Just(b">".to_vec()), Just(b"\n".to_vec()), Just(b"\r".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6)], 0..40)) {
            let raw = pieces.concat();
            prop_assert_eq!(back(&raw), raw);
        }
    }
}
