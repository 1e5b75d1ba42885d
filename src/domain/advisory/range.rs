//! Version order per ecosystem, and which versions a range contains.
//!
//! PyPI orders by PEP 440, never by SemVer or as text: `1.10.0rc1 < 1.10.0`, `1.8` equals `1.8.0`.

use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;

use super::AffectedRange;

/// How an ecosystem orders its versions.
pub trait VersionScheme: Sync {
    /// Whether `version` is one.
    fn is_version(&self, version: &str) -> bool;

    /// Order of two versions; `None` where one of them is not a version.
    fn compare(&self, left: &str, right: &str) -> Option<Ordering>;

    /// Whether the range contains the version; `None` where something is not a version. `introduced = "0"`
    /// lies before everything (OSV).
    fn contains(&self, range: &AffectedRange, version: &str) -> Option<bool> {
        let from = match range.introduced.as_str() {
            "0" => self.is_version(version).then_some(Ordering::Less)?,
            introduced => self.compare(introduced, version)?,
        };
        let below = match (&range.fixed, &range.last_affected) {
            (Some(fixed), _) => self.compare(version, fixed)? == Ordering::Less,
            (None, Some(last)) => self.compare(version, last)? != Ordering::Greater,
            (None, None) => true,
        };
        Some(from != Ordering::Greater && below)
    }
}

/// Python's version order (PEP 440).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pep440;

impl VersionScheme for Pep440 {
    fn is_version(&self, version: &str) -> bool {
        // Exports write the version as it stands, so white space around it is not forgiven.
        version.trim() == version && Version::from_str(version).is_ok()
    }

    fn compare(&self, left: &str, right: &str) -> Option<Ordering> {
        Some(Version::from_str(left).ok()?.cmp(&Version::from_str(right).ok()?))
    }
}

/// The order that an ecosystem (in OSV's spelling) uses; `None` where it is not known yet.
pub fn scheme_for(ecosystem: &str) -> Option<&'static dyn VersionScheme> {
    match ecosystem {
        "PyPI" => Some(&Pep440),
        _ => None,
    }
}

/// Compares two lower bounds, `0` being before everything.
pub fn compare_starts(scheme: &dyn VersionScheme, left: &str, right: &str) -> Option<Ordering> {
    match (left, right) {
        ("0", "0") => Some(Ordering::Equal),
        ("0", _) => scheme.is_version(right).then_some(Ordering::Less),
        (_, "0") => scheme.is_version(left).then_some(Ordering::Greater),
        _ => scheme.compare(left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pep_440_orders_releases_candidates_and_posts() {
        let ascending = [
            "1.8.0.dev1",
            "1.8.0rc1",
            "1.8",
            "1.8.0.post1",
            "1.10.0rc1.dev1",
            "1.10.0rc1",
            "1.10.0",
            "1.11.9.dev0",
            "1.11.9rc1",
            "2.0.0rc1",
            "1!0.1",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(Pep440.compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
        }
        assert_eq!(Pep440.compare("1.8", "1.8.0"), Some(Ordering::Equal));
        assert_eq!(Pep440.compare("1.8", "latest"), None);
    }

    #[test]
    fn ranges_contain_what_lies_between_their_ends() {
        let range = |introduced: &str, fixed: Option<&str>, last: Option<&str>| AffectedRange {
            introduced: introduced.into(),
            fixed: fixed.map(str::to_owned),
            last_affected: last.map(str::to_owned),
            unsupported: false,
        };
        let cases = [
            (range("0", Some("1.11.8"), None), "0.dev0", true),
            (range("0", Some("1.11.8"), None), "1.11.8rc1", true),
            (range("0", Some("1.11.8"), None), "1.11.8", false),
            (range("2.0.0rc1", Some("2.0.0rc3"), None), "2.0.0.dev5", false),
            (range("2.0.0rc1", Some("2.0.0rc3"), None), "2.0.0rc2", true),
            (range("0", None, Some("1.9.3")), "1.9.3", true),
            (range("0", None, Some("1.9.3")), "1.9.4", false),
            (range("1.0", None, None), "99", true),
        ];
        for (range, version, expected) in cases {
            assert_eq!(Pep440.contains(&range, version), Some(expected), "{range:?} {version}");
        }
        assert_eq!(Pep440.contains(&range("0", None, None), "x"), None);
    }
}
