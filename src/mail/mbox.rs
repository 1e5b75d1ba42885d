//! Mail folders in one file: splitting foreign ones, and the quoting of our own archive.
//!
//! Owns: the `From ` line and its `>` quoting (mboxrd: every line `>*From ` gets one more `>`, so that it can be
//! undone exactly). Absent on purpose: files, compression and lengths, which belong to the store.

use std::io::{self, BufRead};

/// Largest message that [`Split`] hands out, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Appends `raw` to `out` in mboxrd quoting. [`unquote`] of exactly these bytes gives `raw` back.
pub fn quote(raw: &[u8], out: &mut Vec<u8>) {
    out.reserve(raw.len());
    for line in raw.split_inclusive(|&b| b == b'\n') {
        if is_quotable(line) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
    }
}

/// Undoes [`quote`].
pub fn unquote(quoted: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(quoted.len());
    for line in quoted.split_inclusive(|&b| b == b'\n') {
        out.extend_from_slice(unquoted_line(line));
    }
    out
}

fn unquoted_line(line: &[u8]) -> &[u8] {
    match line {
        [b'>', rest @ ..] if is_quotable(rest) => rest,
        _ => line,
    }
}

fn is_quotable(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|&&b| b == b'>').count();
    line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "))
}

/// Raw messages of an mbox file (mboxo or mboxrd; LF or CRLF), unquoted, one at a time.
///
/// A separator is a line `From …` at the start of the file, or one after an empty line that ends in something
/// like a date: bodies with an unquoted "From " survive. A message over [`MESSAGE_BYTES_MAX`] is an error item and
/// is skipped.
#[derive(Debug)]
pub struct Split<R> {
    reader: R,
    limit: usize,
    line: Vec<u8>,
    /// Whether a separator has been read and its message is due.
    inside: bool,
    done: bool,
}

impl<R: BufRead> Split<R> {
    /// Reads from the start of an mbox file.
    pub fn new(reader: R) -> Self {
        Self::with_limit(reader, MESSAGE_BYTES_MAX)
    }

    /// As [`Self::new`], with a limit of its own on a message, in bytes.
    pub fn with_limit(reader: R, limit: usize) -> Self {
        Self { reader, limit, line: Vec::new(), inside: false, done: false }
    }

    /// Reads one line, or a piece of a very long one, into `self.line`; false at the end.
    fn next_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let limit = self.limit.max(4_096).saturating_add(1) as u64;
        let read = io::Read::take(&mut self.reader, limit).read_until(b'\n', &mut self.line)?;
        Ok(read > 0)
    }

    fn next_message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut empty_before = true;
        let mut too_large = false;
        loop {
            if !self.next_line()? {
                self.done = true;
                break;
            }
            let blank = matches!(self.line.as_slice(), b"\n" | b"\r\n");
            let first = !self.inside && message.is_empty();
            if first && blank {
                continue;
            }
            if self.line.starts_with(b"From ")
                && (first || (empty_before && is_separator(&self.line)))
            {
                if self.inside {
                    break;
                }
                self.inside = true;
                continue;
            }
            self.inside = true;
            empty_before = blank;
            let line = unquoted_line(&self.line);
            too_large |= message.len() + line.len() > self.limit;
            if !too_large {
                message.extend_from_slice(line);
            }
        }
        if too_large {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "read mbox: a message is too large; it was skipped",
            ));
        }
        let due = self.inside;
        self.inside = !self.done;
        drop_separating_line(&mut message);
        Ok((due && !(self.done && message.is_empty())).then_some(message))
    }
}

impl<R: BufRead> Iterator for Split<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let message = self.next_message();
        if let Err(error) = &message {
            if error.kind() == io::ErrorKind::InvalidData {
                self.inside = true;
            } else {
                self.done = true;
            }
        }
        message.transpose()
    }
}

/// The empty line before the next separator belongs to the folder, not to the message.
fn drop_separating_line(message: &mut Vec<u8>) {
    for end in [b"\r\n\r\n".as_slice(), b"\n\n"] {
        if message.ends_with(end) {
            message.truncate(message.len() - end.len() / 2);
            return;
        }
    }
}

/// `From sender Thu Oct 15 10:00:00 2026`: a clock time and a year.
fn is_separator(line: &[u8]) -> bool {
    let words = || line.split(u8::is_ascii_whitespace).skip(1);
    let time = words().any(|w| {
        matches!(w, [_, _, b':', ..] | [_, b':', ..])
            && w.iter().all(|b| b.is_ascii_digit() || *b == b':')
    });
    let year = words().any(|w| w.len() == 4 && w.iter().all(u8::is_ascii_digit));
    time && year
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
        Split::new(bytes).map(|message| message.unwrap()).collect()
    }

    #[test]
    fn splits_and_unquotes() {
        let file = b"From a@x Thu Oct 15 10:00:00 2026\nSubject: 1\n\n>From here\n>>From there\n\nFrom here on it is text\n\n\
            From b@x Thu Oct 15 10:00:00 2026\nSubject: 2\n\nx\n";
        let mails = split(file);
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0], b"Subject: 1\n\nFrom here\n>From there\n\nFrom here on it is text\n");
        assert_eq!(mails[1], b"Subject: 2\n\nx\n");
    }

    #[test]
    fn reads_crlf_and_files_without_a_first_line() {
        let mails = split(b"From a@x Thu Oct 15 10:00:00 2026\r\nA: 1\r\n\r\nx\r\n\r\nFrom a@x Thu Oct 15 10:00:00 2026\r\nA: 2\r\n\r\n");
        assert_eq!(mails, [b"A: 1\r\n\r\nx\r\n".to_vec(), b"A: 2\r\n".to_vec()]);
        assert_eq!(split(b"A: 1\n\nx"), [b"A: 1\n\nx".to_vec()]);
        assert!(split(b"").is_empty());
        assert!(split(b"\n\n").is_empty());
    }

    #[test]
    fn skips_a_message_over_the_limit() {
        let file = b"From a Thu 10:00:00 2026\nA: 1\n\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n\nFrom b Thu 10:00:00 2026\nB: 2\n\ny\n";
        let got: Vec<_> = Split::with_limit(file.as_slice(), 20).collect();
        assert_eq!(got.len(), 2);
        assert!(got[0].is_err());
        assert_eq!(got[1].as_ref().unwrap(), b"B: 2\n\ny\n");
    }

    proptest! {
        #[test]
        fn quoting_is_undone_exactly(raw in prop::collection::vec(prop::sample::select(vec![
            b"From ".as_slice(), b">", b"\n", b"\r\n", b"x", b"\0", b"From", b" "]), 0..60)) {
            let raw = raw.concat();
            let mut quoted = Vec::new();
            quote(&raw, &mut quoted);
            prop_assert!(!quoted.starts_with(b"From "));
            prop_assert!(!quoted.windows(6).any(|w| w == b"\nFrom "));
            prop_assert_eq!(unquote(&quoted), raw);
        }

        #[test]
        fn splitting_never_fails(bytes in any::<Vec<u8>>()) {
            let _ = Split::new(bytes.as_slice()).count();
        }
    }
}
