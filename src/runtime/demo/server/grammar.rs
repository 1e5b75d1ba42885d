//! The words of commands and of answers to FETCH.

use super::inbox::Held;

/// Whether a command would change the mailbox.
pub(super) fn is_modifying(command: &str) -> bool {
    let upper = command.to_ascii_uppercase();
    let verb = upper.strip_prefix("UID ").unwrap_or(&upper);
    let mut words = verb.split(' ');
    match words.next().unwrap_or_default() {
        "STORE" | "COPY" | "MOVE" | "EXPUNGE" | "APPEND" | "CREATE" | "DELETE" | "RENAME"
        | "SUBSCRIBE" | "UNSUBSCRIBE" | "SELECT" | "CLOSE" | "SETACL" | "SETMETADATA" => true,
        // Reading without PEEK sets \Seen.
        "FETCH" => {
            verb.contains("BODY[") || words.any(|word| word.trim_matches(['(', ')']) == "RFC822")
        }
        _ => false,
    }
}

/// The arguments of a command: atoms and quoted strings.
pub(super) fn astrings(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let mut word = String::new();
        match first {
            ' ' => continue,
            '"' => {
                while let Some(c) = rest.next() {
                    match c {
                        '"' => break,
                        '\\' => word.extend(rest.next()),
                        c => word.push(c),
                    }
                }
            }
            c => {
                word.push(c);
                while let Some(c) = rest.next_if(|c| *c != ' ') {
                    word.push(c);
                }
            }
        }
        words.push(word);
    }
    words
}

/// Reads a sequence set (RFC 3501 section 9); `*` is `last`.
pub(super) fn ranges(set: &str, last: u32) -> Option<Vec<(u32, u32)>> {
    let number = |text: &str| if text == "*" { Some(last) } else { text.parse::<u32>().ok() };
    set.split(',')
        .map(|range| {
            let (a, b) = range.split_once(':').unwrap_or((range, range));
            let (a, b) = (number(a)?, number(b)?);
            Some((a.min(b), a.max(b)))
        })
        .collect()
}

/// What a client that comes back knows.
pub(super) struct Known {
    pub validity: u32,
    /// Number of the last change.
    pub since: u64,
    pub uids: Vec<(u32, u32)>,
}

/// Reads `INBOX (QRESYNC (1 20 1:5))`.
pub(super) fn known_of(arguments: &str) -> Option<Known> {
    let (_, known) = arguments.split_once("(QRESYNC (")?;
    let mut words = known.trim_end_matches(')').split(' ');
    let (validity, since) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let uids = ranges(words.next().unwrap_or("1:*"), u32::MAX)?;
    Some(Known { validity, since, uids })
}

/// Splits off what RFC 7162 section 3.1.4.1 allows behind the items, `(CHANGEDSINCE 12)`, and reads its number.
pub(super) fn changed_since(items: &str) -> Option<(&str, Option<u64>)> {
    match items.split_once(" (CHANGEDSINCE ") {
        None => Some((items, None)),
        Some((items, since)) => Some((items, Some(since.strip_suffix(')')?.parse().ok()?))),
    }
}

pub(super) fn within(ranges: &[(u32, u32)], uid: u32) -> bool {
    ranges.iter().any(|&(first, last)| first <= uid && uid <= last)
}

/// What may be fetched.
pub(super) enum Item {
    Uid,
    Size,
    Date,
    Flags,
    /// Number of the last change.
    ModSeq,
    /// The whole message, or a slice of it: offset and length.
    Body(Option<(usize, usize)>),
}

pub(super) fn items_of(text: &str) -> Option<Vec<Item>> {
    let upper = text.to_ascii_uppercase();
    let list = upper.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&upper);
    list.split(' ')
        .map(|item| match item {
            "UID" => Some(Item::Uid),
            "RFC822.SIZE" => Some(Item::Size),
            "INTERNALDATE" => Some(Item::Date),
            "FLAGS" => Some(Item::Flags),
            "MODSEQ" => Some(Item::ModSeq),
            "BODY.PEEK[]" => Some(Item::Body(None)),
            _ => {
                let slice = item.strip_prefix("BODY.PEEK[]<")?.strip_suffix('>')?;
                let (offset, length) = slice.split_once('.')?;
                Some(Item::Body(Some((offset.parse().ok()?, length.parse().ok()?))))
            }
        })
        .collect()
}

pub(super) fn describe(number: u32, held: &Held, items: &[Item]) -> Vec<u8> {
    let Held { uid, mail, changed } = held;
    let mut answer = format!("* {number} FETCH (").into_bytes();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            answer.push(b' ');
        }
        match item {
            Item::Uid => answer.extend_from_slice(format!("UID {uid}").as_bytes()),
            Item::Size => {
                answer.extend_from_slice(format!("RFC822.SIZE {}", mail.raw.len()).as_bytes());
            }
            Item::Date => {
                let date = mail.internal_date.strftime("%d-%b-%Y %H:%M:%S +0000");
                answer.extend_from_slice(format!("INTERNALDATE \"{date}\"").as_bytes());
            }
            Item::Flags => {
                answer.extend_from_slice(format!("FLAGS ({})", mail.flags.join(" ")).as_bytes());
            }
            Item::ModSeq => answer.extend_from_slice(format!("MODSEQ ({changed})").as_bytes()),
            Item::Body(slice) => {
                let (offset, length) = slice.unwrap_or((0, mail.raw.len()));
                let rest = mail.raw.get(offset..).unwrap_or_default();
                let piece = rest.get(..length).unwrap_or(rest);
                let origin = slice.map(|_| format!("<{offset}>")).unwrap_or_default();
                let head = format!("BODY[]{origin} {{{}}}\r\n", piece.len());
                answer.extend_from_slice(head.as_bytes());
                answer.extend_from_slice(piece);
            }
        }
    }
    answer.extend_from_slice(b")\r\n");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_arguments_and_sets() {
        assert_eq!(astrings(r#"bob "a \"b\" c""#), ["bob", "a \"b\" c"]);
        assert_eq!(ranges("3:1,7,*", 9), Some(vec![(1, 3), (7, 7), (9, 9)]));
        assert_eq!(ranges("x", 9), None);
    }

    #[test]
    fn knows_what_would_change_the_mailbox() {
        for command in
            ["UID STORE 1 +FLAGS (\\Seen)", "UID FETCH 1 BODY[]", "select INBOX", "EXPUNGE"]
        {
            assert!(is_modifying(command), "{command}");
        }
        for command in ["UID FETCH 1 (UID BODY.PEEK[])", "EXAMINE INBOX", "UID FETCH 1 RFC822.SIZE"]
        {
            assert!(!is_modifying(command), "{command}");
        }
        assert!(items_of("BODY[]").is_none());
    }
}
