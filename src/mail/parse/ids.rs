//! Message-IDs out of whatever stands in their fields.

/// Ids kept per field, and the longest kept, in bytes.
const IDS_MAX: usize = 1_000;
const ID_BYTES_MAX: usize = 4_096;
/// Opening brackets looked at.
const OPENERS_MAX: usize = 2_000;

/// Ids in order, each once.
#[derive(Default)]
pub(super) struct Ids {
    pub ids: Vec<String>,
    pub bounded: bool,
}

/// The ids of a References or In-Reply-To field: what stands in angle brackets and looks like an id; without any
/// bracket, words with an `@` (RFC 5322 section 4.5.4 allows phrases around them).
pub(super) fn list(value: &str) -> Ids {
    let mut found = Ids::default();
    if let Ok(regular) = mailparse::msgidparse(value)
        && !regular.iter().any(|id| id.contains('<'))
    {
        regular.iter().for_each(|id| found.push(id));
        return found;
    }
    for (count, piece) in value.split('<').skip(1).enumerate() {
        if count >= OPENERS_MAX {
            found.bounded = true;
            break;
        }
        if let Some((id, _)) = piece.split_once('>') {
            found.push(id);
        }
    }
    if found.ids.is_empty() && !value.contains('<') {
        value
            .split([' ', '\t', ',', ';'])
            .filter(|word| word.contains('@'))
            .take(OPENERS_MAX)
            .for_each(|id| found.push(id));
    }
    found
}

/// The id of a Message-ID field: the first in brackets, else the whole value.
pub(super) fn single(value: &str) -> Option<String> {
    let mut found = list(value);
    if found.ids.is_empty() {
        found.push(value.trim_matches(['<', '>', ' ', '\t']));
    }
    found.ids.into_iter().next()
}

impl Ids {
    fn push(&mut self, given: &str) {
        let id: String = given.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
        let id = crate::mail::display::head(&id, ID_BYTES_MAX);
        if id.is_empty() {
            return;
        }
        if self.ids.len() >= IDS_MAX {
            self.bounded = true;
        } else if self.ids.last().is_none_or(|last| last != id) {
            self.ids.push(id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_ids_among_garbage() {
        for (value, ids) in [
            ("<a@x> <b@y>", vec!["a@x", "b@y"]),
            ("Your message of Monday <a@x> \"hi\"", vec!["a@x"]),
            ("a@x, b@y", vec!["a@x", "b@y"]),
            ("yesterday's mail", vec![]),
            ("<a\u{1b}[31m@x>", vec!["a[31m@x"]),
            ("<<<a@x>", vec!["a@x"]),
        ] {
            assert_eq!(list(value).ids, ids, "{value}");
        }
        assert!(list(&"<".repeat(20_000)).bounded);
        assert_eq!(single("no-brackets@x").as_deref(), Some("no-brackets@x"));
        assert_eq!(single(""), None);
    }
}
