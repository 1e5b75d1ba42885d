//! The Common Weakness Enumeration: exact names, and which entries may classify a vulnerability.
//!
//! Owns: look-up by id and search by words, offline. The list and its terms: `cwe/list.txt`, `cwe/NOTICE.md`
//! (© The MITRE Corporation). Absent on purpose: the tree of weaknesses and their descriptions.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Version of the list that drafts are checked against.
pub const VERSION: &str = "4.20";

/// The newest version that CSAF validators of today know; documents name it wherever it holds the entry.
const COMMON_VERSION: &str = "4.17";

/// What MITRE says about mapping a vulnerability to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// Meant for it.
    Allowed,
    /// Allowed; a lower entry may fit better.
    Review,
    /// Too abstract; another entry almost always fits better.
    Discouraged,
    /// A category, view or withdrawn entry: never.
    Prohibited,
}

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weakness {
    /// The number in `CWE-79`.
    pub number: u32,
    /// Its exact name.
    pub name: &'static str,
    /// Whether it may be used.
    pub usage: Usage,
}

impl Weakness {
    /// `CWE-79`.
    pub fn id(&self) -> String {
        format!("CWE-{}", self.number)
    }

    /// Name and list version that a CSAF document states: of the oldest common list that holds the entry, since
    /// validators carry lists of their own (tests 6.1.11 of CSAF 2.0 and 2.1).
    pub fn in_documents(&self) -> (&'static str, &'static str) {
        match self.number {
            598 => ("Use of GET Request Method With Sensitive Query Strings", COMMON_VERSION),
            942 => ("Permissive Cross-domain Policy with Untrusted Domains", COMMON_VERSION),
            1116 => ("Inaccurate Comments", COMMON_VERSION),
            1434 => (self.name, "4.18"),
            _ => (self.name, COMMON_VERSION),
        }
    }
}

/// Entries used most by the advisories of web applications of this kind; a search shows them first.
const FAVOURITES: [u32; 16] =
    [73, 79, 78, 22, 306, 862, 863, 352, 287, 290, 208, 620, 835, 1336, 140, 436];

static LIST: LazyLock<BTreeMap<u32, Weakness>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (number, rest) = line.split_once(' ')?;
        let (usage, name) = rest.split_once(' ')?;
        let number = number.parse().ok()?;
        let usage = match usage {
            "A" => Usage::Allowed,
            "R" => Usage::Review,
            "D" => Usage::Discouraged,
            _ => Usage::Prohibited,
        };
        Some((number, Weakness { number, name, usage }))
    };
    include_str!("cwe/list.txt").lines().filter_map(line).collect()
});

/// The entry `CWE-79`; `None` for ids that are not in the list or not spelled so.
pub fn find(id: &str) -> Option<Weakness> {
    let digits = id.strip_prefix("CWE-")?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    LIST.get(&digits.parse().ok().filter(|_| plain)?).copied()
}

/// Entries whose number or name holds every one of the words, in any case: favourites first, then those that may
/// be used freely, then by number. Without words, the favourites. Prohibited entries are never offered.
pub fn search(words: &str, most: usize) -> Vec<Weakness> {
    let words: Vec<String> =
        words.split_whitespace().take(8).map(|word| word.to_lowercase()).collect();
    let rank = |weakness: &Weakness| {
        let favourite = FAVOURITES.iter().position(|number| *number == weakness.number);
        let id = weakness.id().to_lowercase();
        let exact = words.iter().any(|w| *w == id || id.strip_prefix("cwe-") == Some(w));
        (!exact, favourite.unwrap_or(FAVOURITES.len()), weakness.usage != Usage::Allowed)
    };
    let fits = |weakness: &Weakness| {
        if words.is_empty() {
            return FAVOURITES.contains(&weakness.number);
        }
        let text = format!("{} {}", weakness.id(), weakness.name).to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    };
    let usable = |weakness: &&Weakness| weakness.usage != Usage::Prohibited;
    let mut found: Vec<Weakness> =
        LIST.values().filter(usable).filter(|weakness| fits(weakness)).copied().collect();
    found.sort_by_key(|weakness| (rank(weakness), weakness.number));
    found.truncate(most);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        assert_eq!(LIST.len(), 969);
        let count = |usage| LIST.values().filter(|weakness| weakness.usage == usage).count();
        assert_eq!(count(Usage::Allowed), 749);
        assert_eq!(count(Usage::Review), 93);
        assert_eq!(count(Usage::Discouraged), 44);
        assert_eq!(count(Usage::Prohibited), 83);
        assert!(LIST.values().all(|weakness| weakness.name.trim() == weakness.name));
        assert!(FAVOURITES.iter().all(|number| LIST.contains_key(number)));
    }

    #[test]
    fn ids_are_found_as_they_are_spelled() {
        let path = find("CWE-22").expect("listed");
        assert!(path.name.contains("Path Traversal"));
        assert_eq!((path.id().as_str(), path.in_documents().1), ("CWE-22", "4.17"));
        for id in ["CWE-022", "cwe-22", "CWE-", "22", "CWE-+22", "CWE-4294967297", "CWE-4"] {
            assert_eq!(find(id), None, "{id}");
        }
        assert_ne!(
            find("CWE-598").expect("listed").in_documents().0,
            find("CWE-598").unwrap().name
        );
    }

    #[test]
    fn favourites_come_first() {
        let ids = |words: &str| -> Vec<u32> {
            search(words, 5).into_iter().map(|weakness| weakness.number).collect()
        };
        assert_eq!(ids("cross-site scripting").first(), Some(&79));
        assert_eq!(ids("").len(), 5);
        assert_eq!(ids("cwe-79").first(), Some(&79));
        assert_eq!(ids("7").first(), Some(&7), "a whole number wins");
        assert_eq!(ids("no such weakness at all"), Vec::<u32>::new());
        let offered = search("e", 2000);
        assert!(offered.iter().all(|weakness| weakness.usage != Usage::Prohibited));
    }
}
