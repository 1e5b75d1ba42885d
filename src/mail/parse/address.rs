//! Address lists, in one pass whatever their nesting.
//!
//! mailparse refuses a whole list for one bad entry and reads neither nested groups nor routes; so lists are read
//! here. RFC 5322 section 3.4 with the obsolete forms of section 4.4.

use crate::mail::Address;

use super::words;

/// Mailboxes kept per field.
pub(super) const ADDRESSES_MAX: usize = 1_000;
/// Nesting of comments that is ordinary; deeper is still read, but marked.
const COMMENTS_MAX: usize = 64;

/// What a field holds.
#[derive(Default)]
pub(super) struct List {
    pub addresses: Vec<Address>,
    /// Text of all comments, separated by spaces.
    pub comments: String,
    /// A bound was reached: too many mailboxes, groups within groups, deep comments.
    pub bounded: bool,
    pub bad_charset: bool,
}

/// Reads an unfolded, not yet decoded field value.
pub(super) fn read(value: &str) -> List {
    let mut reader = Reader::default();
    for c in value.chars() {
        reader.take(c);
        if reader.list.addresses.len() >= ADDRESSES_MAX {
            reader.list.bounded = true;
            return reader.list;
        }
    }
    reader.flush();
    reader.list
}

#[derive(Default)]
struct Reader {
    list: List,
    /// Words outside of angle brackets, quotes removed.
    phrase: String,
    /// The same with quotes, for an address without angle brackets.
    bare: String,
    angle: Option<String>,
    in_angle: bool,
    comment: String,
    depth: usize,
    quoted: bool,
    escaped: bool,
    in_group: bool,
}

impl Reader {
    fn take(&mut self, c: char) {
        if self.depth > 0 {
            self.in_comment(c);
        } else if self.quoted {
            self.in_quotes(c);
        } else if self.in_angle {
            self.within_angle(c);
        } else {
            self.outside(c);
        }
    }

    fn in_comment(&mut self, c: char) {
        match c {
            _ if std::mem::take(&mut self.escaped) => self.comment.push(c),
            '\\' => self.escaped = true,
            '(' => {
                self.depth += 1;
                self.list.bounded |= self.depth > COMMENTS_MAX;
            }
            ')' => {
                self.depth -= 1;
                self.comment.push(' ');
            }
            _ => self.comment.push(c),
        }
    }

    fn in_quotes(&mut self, c: char) {
        if std::mem::take(&mut self.escaped) {
            self.push_quoted(c);
        } else if c == '\\' {
            self.escaped = true;
            self.push_bare('\\');
        } else if c == '"' {
            self.quoted = false;
            self.push_bare('"');
        } else {
            self.push_quoted(c);
        }
    }

    fn push_quoted(&mut self, c: char) {
        if !self.in_angle {
            self.phrase.push(c);
        }
        self.push_bare(c);
    }

    fn push_bare(&mut self, c: char) {
        match (&mut self.angle, self.in_angle) {
            (Some(angle), true) => angle.push(c),
            _ => self.bare.push(c),
        }
    }

    fn within_angle(&mut self, c: char) {
        match c {
            '>' => self.in_angle = false,
            '"' => {
                self.quoted = true;
                self.push_bare(c);
            }
            _ => self.push_bare(c),
        }
    }

    fn outside(&mut self, c: char) {
        match c {
            '(' => self.depth = 1,
            '"' => {
                self.quoted = true;
                self.bare.push(c);
            }
            '<' if self.angle.is_none() => {
                self.angle = Some(String::new());
                self.in_angle = true;
            }
            ',' => self.flush(),
            ';' => {
                self.flush();
                self.in_group = false;
            }
            ':' if self.angle.is_none() && !self.bare.contains('@') => {
                self.list.bounded |= self.in_group;
                self.in_group = true;
                self.clear();
            }
            _ => {
                self.phrase.push(c);
                self.bare.push(c);
            }
        }
    }

    fn clear(&mut self) {
        self.phrase.clear();
        self.bare.clear();
        self.comment.clear();
        self.angle = None;
        self.in_angle = false;
    }

    fn flush(&mut self) {
        let comment = self.decoded(&self.comment.clone());
        if !comment.is_empty() {
            self.list.comments.push_str(&comment);
            self.list.comments.push(' ');
        }
        let found = match self.angle.take() {
            Some(angle) => {
                let phrase = std::mem::take(&mut self.phrase);
                let name = self.decoded(&phrase);
                let name = if name.is_empty() { comment } else { name };
                Address { name, address: without_route(&angle).to_owned() }
            }
            None => {
                let bare = std::mem::take(&mut self.bare);
                let address =
                    if bare.contains("=?") { self.decoded(&bare) } else { bare.trim().to_owned() };
                Address { name: comment, address }
            }
        };
        if !(found.address.is_empty() && found.name.is_empty()) {
            self.list.addresses.push(found);
        }
        self.clear();
    }

    fn decoded(&mut self, text: &str) -> String {
        let words = words::decode(text.trim());
        self.list.bad_charset |= words.bad_charset;
        self.list.bounded |= words.too_many;
        if words.text.contains("  ") && !words.text.contains(['\r', '\n']) {
            return words
                .text
                .split(' ')
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ");
        }
        words.text
    }
}

/// `@a,@b:user@host` to `user@host` (obsolete source route).
fn without_route(angle: &str) -> &str {
    let angle = angle.trim();
    if angle.starts_with('@') { angle.rsplit(':').next().unwrap_or(angle).trim() } else { angle }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(value: &str) -> Vec<(String, String)> {
        read(value).addresses.into_iter().map(|a| (a.name, a.address)).collect()
    }

    fn pair(name: &str, address: &str) -> (String, String) {
        (name.to_owned(), address.to_owned())
    }

    #[test]
    fn reads_every_form() {
        for (value, expected) in [
            ("a@x.example", vec![pair("", "a@x.example")]),
            (
                "A B <a@x.example>, c@y.example",
                vec![pair("A B", "a@x.example"), pair("", "c@y.example")],
            ),
            ("\"B, A\" <a@x.example> (note)", vec![pair("B, A", "a@x.example")]),
            ("a@x.example (Ann)", vec![pair("Ann", "a@x.example")]),
            ("First\" M. \"Last <u@x.example>", vec![pair("First M. Last", "u@x.example")]),
            (
                "team: a@x.example, b@x.example;",
                vec![pair("", "a@x.example"), pair("", "b@x.example")],
            ),
            ("undisclosed-recipients:;", vec![]),
            ("<@t.example, @u.example:a@x.example>", vec![pair("", "a@x.example")]),
            ("=?utf-8?q?J=C3=B6rg?= <j@x.example>", vec![pair("Jörg", "j@x.example")]),
            ("\"a b\"@x.example", vec![pair("", "\"a b\"@x.example")]),
            ("", vec![]),
        ] {
            assert_eq!(pairs(value), expected, "{value}");
        }
    }

    #[test]
    fn keeps_comments() {
        let list = read("(((a(b)c)))x@x.example (s@y.example)");
        assert_eq!(list.addresses[0].address, "x@x.example");
        assert!(list.comments.contains("s@y.example"));
    }

    #[test]
    fn stays_linear_and_bounded() {
        assert!(read(&"a:".repeat(20_000)).bounded);
        assert!(read(&"(".repeat(60_000)).bounded);
        let many = read(&"u@x.example,".repeat(5_000));
        assert!(many.bounded);
        assert_eq!(many.addresses.len(), ADDRESSES_MAX);
    }
}
