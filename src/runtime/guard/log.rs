//! Reading `git log --patch -c --unified=0`: commits, paths, added and removed lines.
//!
//! The form of a commit's head puts NUL around its message, which no message can hold, and every line of content
//! carries a mark in front: nothing that a commit says can pass for something else.

use std::collections::BTreeSet;

use crate::domain::guard::Hit;

/// How git prints the head of a commit.
pub const FORMAT: &str = "--format=format:%x00%H%x00%B%x00";

/// Longest message that is kept, in bytes.
const MESSAGE_MAX: usize = 1 << 20;

/// What a line of the output tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A commit begins; everything after belongs to it.
    Commit {
        /// Its id.
        id: String,
        /// Its message.
        message: String,
    },
    /// A file that it adds or changes.
    Path(String),
    /// A line that it adds.
    Added {
        /// The line.
        text: String,
        /// Its number, from 1.
        line: u64,
    },
    /// A line that it removes.
    Removed {
        /// The line.
        text: String,
    },
    /// Nothing of interest.
    Nothing,
}

/// What is gathered of the commit being read.
#[derive(Default)]
pub struct Commit {
    pub id: String,
    pub path: String,
    /// Path, line number, folded line, what was found in it.
    pub added: Vec<(String, u64, String, Hit)>,
    /// Folded lines that it removes.
    pub removed: BTreeSet<String>,
}

/// Where in the output the next line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum At {
    /// Between commits, or in the head of a file's part.
    #[default]
    Outside,
    /// In the head of a commit, whose end has not been seen.
    Head,
    /// In changed lines; each begins with this many marks.
    Lines(usize),
}

/// Reads the output line by line.
#[derive(Default)]
pub struct Reader {
    at: At,
    head: Vec<u8>,
    line: u64,
    /// A line so long that it comes in pieces: the mark of its first one.
    rest_of: Option<Mark>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Added,
    Removed,
    Other,
}

impl Reader {
    /// What the next line, or piece of a long one, tells.
    pub fn line(&mut self, bytes: &[u8]) -> Event {
        let whole = bytes.ends_with(b"\n");
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if self.at == At::Head {
            return self.head(bytes);
        }
        if let Some(mark) = self.rest_of {
            self.rest_of = Some(mark).filter(|_| !whole);
            return self.content(mark, text, 0);
        }
        if text.starts_with(b"\0") {
            self.head.clear();
            self.at = At::Head;
            return self.head(bytes);
        }
        if let At::Lines(marks) = self.at
            && text.first().is_some_and(|byte| b"+- \\".contains(byte))
        {
            let front = text.get(..marks).unwrap_or(text);
            let mark = if front.contains(&b'-') {
                Mark::Removed
            } else if !front.is_empty() && front.iter().all(|byte| *byte == b'+') {
                Mark::Added
            } else {
                Mark::Other
            };
            self.rest_of = Some(mark).filter(|_| !whole);
            let counted = !front.contains(&b'-') && !text.starts_with(b"\\");
            return self.content(mark, text.get(marks..).unwrap_or_default(), u64::from(counted));
        }
        self.structure(text)
    }

    /// Lines of a commit's head, up to its third NUL.
    fn head(&mut self, bytes: &[u8]) -> Event {
        if self.head.len() < MESSAGE_MAX {
            self.head.extend_from_slice(bytes);
        }
        // The line that ends the head is kept even when what is before it was cut.
        let ends = bytes.strip_suffix(b"\n").unwrap_or(bytes).ends_with(b"\0");
        let fields: Vec<&[u8]> = self.head.split(|byte| *byte == 0).collect();
        let closed = fields.len() >= 4 || (ends && self.head.len() >= MESSAGE_MAX);
        if !closed {
            return Event::Nothing;
        }
        let text = |at: usize| {
            String::from_utf8_lossy(fields.get(at).copied().unwrap_or_default()).into_owned()
        };
        let event = Event::Commit { id: text(1), message: text(2) };
        self.at = At::Outside;
        event
    }

    fn content(&mut self, mark: Mark, text: &[u8], step: u64) -> Event {
        self.line += step;
        let text = || String::from_utf8_lossy(text).into_owned();
        match mark {
            Mark::Added => Event::Added { text: text(), line: self.line },
            Mark::Removed => Event::Removed { text: text() },
            Mark::Other => Event::Nothing,
        }
    }

    /// `diff …`, `@@ -a,b +c,d @@` and the rest of a file's head.
    fn structure(&mut self, text: &[u8]) -> Event {
        if let Some(names) = text.strip_prefix(b"diff --") {
            self.at = At::Outside;
            return Event::Path(path(names));
        }
        if text.starts_with(b"@@") {
            let ats = text.iter().take_while(|byte| **byte == b'@').count();
            self.at = At::Lines(ats.saturating_sub(1).max(1));
            self.line = start(text).saturating_sub(1);
        }
        Event::Nothing
    }
}

/// The path in `git a/PATH b/PATH` or `combined PATH`, as git prints it. Renames are off, so the two are the same.
fn path(names: &[u8]) -> String {
    let names = String::from_utf8_lossy(names);
    let one = match names.strip_prefix("git ") {
        Some(two) => two.get(two.len() / 2 + 1..).unwrap_or(two),
        None => names.split_once(' ').map_or(names.as_ref(), |(_, path)| path),
    };
    let bare = one.trim_matches('"');
    bare.strip_prefix("b/").unwrap_or(bare).to_owned()
}

/// The first line of the new side: the number behind `+`.
fn start(head: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(head);
    let after = text.split(" +").nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(output: &[u8]) -> Vec<Event> {
        let mut reader = Reader::default();
        let lines = output.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| reader.line(line)).filter(|event| *event != Event::Nothing).collect()
    }

    fn added(text: &str, line: u64) -> Event {
        Event::Added { text: text.into(), line }
    }

    #[test]
    fn commits_paths_and_lines_are_told_apart() {
        let output = b"\0aaaa\0subject\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n+not a line\n\0\n\
            diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -3,2 +5,2 @@ fn x\n-old\n+new\n+++ more\n\
            \\ No newline at end of file\n\0bbbb\0second\0\n";
        let message = "subject\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n+not a line\n";
        let path = |text: &str| Event::Path(text.into());
        assert_eq!(
            events(output),
            [
                Event::Commit { id: "aaaa".into(), message: message.into() },
                path("f"),
                Event::Removed { text: "old".into() },
                added("new", 5),
                added("++ more", 6),
                Event::Commit { id: "bbbb".into(), message: "second".into() },
            ]
        );
    }

    #[test]
    fn a_merge_adds_only_what_no_parent_has() {
        let output = b"\0aaaa\0merge\0\ndiff --combined f\n--- a/f\n+++ b/f\n@@@ -1,1 -1,1 +1,3 @@@\n+ theirs\n\
             +ours\n++neither\n--gone\n";
        let lines: Vec<Event> = events(output)
            .into_iter()
            .filter(|event| matches!(event, Event::Added { .. }))
            .collect();
        assert_eq!(lines, [added("neither", 3)]);
    }

    #[test]
    fn odd_paths_and_long_lines_are_taken_in_pieces() {
        assert_eq!(path(b"git \"a/we\\303\\251rd\" \"b/we\\303\\251rd\""), "we\\303\\251rd");
        assert_eq!(path(b"git a/with b/in b/with b/in"), "with b/in");
        assert_eq!(path(b"combined dir/f"), "dir/f");
        let mut reader = Reader::default();
        reader.line(b"@@ -0,0 +1 @@\n");
        assert_eq!(reader.line(b"+first piece"), added("first piece", 1));
        assert_eq!(reader.line(b"-second piece\n"), added("-second piece", 1));
        assert_eq!(reader.line(b"+next\n"), added("next", 2));
    }

    #[test]
    fn any_bytes_are_read() {
        for byte in 0..=255u8 {
            let mut reader = Reader::default();
            for piece in
                [&[byte][..], &[byte, b'\n'], b"@@@", &[b'+', byte, 0, b'\n'], b"\0\0\0\0\n"]
            {
                reader.line(piece);
            }
        }
    }
}
