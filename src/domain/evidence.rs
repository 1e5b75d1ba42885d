//! The words of a mail that show why an answer is as it is.

use serde::{Deserialize, Serialize};

use super::MessageRef;

/// A place in the shown text of one message. The text is the one that `show` prints: decoded, with LF line
/// ends. The quoted words are kept too, so that an anchor which no longer fits its message can be named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The message.
    pub message: MessageRef,
    /// Index of the part that the text came from, in the order of the message's part table.
    pub part: u16,
    /// First byte of the quoted words in the shown text.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Line of the last byte, from 1; not below `line`.
    pub last_line: u32,
    /// The quoted words.
    pub text: String,
}

impl Evidence {
    /// Longest quotation kept, in bytes; a longer one is cut at a character.
    pub const MAX_TEXT: usize = 2_000;

    /// Anchors the bytes `start..end` of `shown`; `None` if they are not a range of it.
    pub fn at(
        message: MessageRef,
        part: u16,
        shown: &str,
        range: std::ops::Range<usize>,
    ) -> Option<Self> {
        let quoted = shown.get(range.clone())?;
        let line_of = |byte: usize| {
            let before = shown.get(..byte).unwrap_or_default();
            u32::try_from(before.bytes().filter(|b| *b == b'\n').count() + 1).ok()
        };
        let mut cut = quoted.len().min(Self::MAX_TEXT);
        while !quoted.is_char_boundary(cut) {
            cut -= 1;
        }
        let quoted = quoted.get(..cut)?;
        let end = range.start + cut;
        Some(Self {
            message,
            part,
            start: u32::try_from(range.start).ok()?,
            end: u32::try_from(end).ok()?,
            line: line_of(range.start)?,
            last_line: line_of(end.saturating_sub(usize::from(cut > 0)))?,
            text: quoted.to_owned(),
        })
    }

    /// Anchors whole lines, from 1, last included; `None` where `shown` has no such lines.
    pub fn at_lines(
        message: MessageRef,
        part: u16,
        shown: &str,
        lines: std::ops::RangeInclusive<u32>,
    ) -> Option<Self> {
        let (first, last) = (*lines.start(), *lines.end());
        let (mut start, mut end, mut offset) = (None, None, 0);
        for (number, line) in (1u32..).zip(shown.split_inclusive('\n')) {
            if number == first {
                start = Some(offset);
            }
            offset += line.len();
            if number == last {
                end = Some(offset - usize::from(line.ends_with('\n')));
            }
        }
        Self::at(message, part, shown, start?..end?)
    }

    /// Whether the quoted words still stand at this place of `shown`.
    pub fn fits(&self, shown: &str) -> bool {
        shown.get(self.start as usize..self.end as usize) == Some(self.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "one\ntwo\nthree";

    #[test]
    fn lines_and_bytes_name_the_same_place() {
        let message = MessageRef::of(b"");
        let by_lines = Evidence::at_lines(message, 0, SHOWN, 2..=2).expect("line 2 exists");
        assert_eq!(Some(by_lines.clone()), Evidence::at(message, 0, SHOWN, 4..7));
        assert_eq!((by_lines.line, by_lines.last_line, by_lines.text.as_str()), (2, 2, "two"));
        assert!(by_lines.fits(SHOWN) && !by_lines.fits("one\ntwx\nthree"));
        assert_eq!(Evidence::at_lines(message, 0, SHOWN, 3..=4), None);
    }
}
