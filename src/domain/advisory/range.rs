//! Version order per ecosystem, and which versions a range contains.
//!
//! PyPI orders by PEP 440, never by SemVer or as text: `1.10.0rc1 < 1.10.0`, `1.8` equals `1.8.0`. npm and
//! crates.io order by SemVer 2.0: `1.0.0-rc.2 < 1.0.0-rc.10`.

use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;

use super::AffectedRange;

/// How an ecosystem orders its versions.
pub trait VersionScheme: Sync + std::fmt::Debug {
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

/// Semantic versioning 2.0.0 (section 11 for the order). Build parts do not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SemVer;

impl VersionScheme for SemVer {
    fn is_version(&self, version: &str) -> bool {
        parts(version).is_some()
    }

    fn compare(&self, left: &str, right: &str) -> Option<Ordering> {
        let ((left, left_pre), (right, right_pre)) = (parts(left)?, parts(right)?);
        let numbers = left.iter().zip(right).map(|(one, two)| number_order(one, two));
        let numbers = numbers.fold(Ordering::Equal, Ordering::then);
        Some(numbers.then_with(|| match (left_pre, right_pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(two)) => pre_release_order(one, two),
        }))
    }
}

/// The three numbers and the pre-release part; `None` where it is no version.
fn parts(version: &str) -> Option<([&str; 3], Option<&str>)> {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let number =
        |text: &str| is_number(text) && text.len() <= 19 && (text == "0" || !text.starts_with('0'));
    let (rest, build) = version.split_once('+').map_or((version, None), |(a, b)| (a, Some(b)));
    if build.is_some_and(|build| !build.split('.').all(word)) {
        return None;
    }
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(a, b)| (a, Some(b)));
    let identifier =
        |text: &str| word(text) && (!is_number(text) || text == "0" || !text.starts_with('0'));
    if pre.is_some_and(|pre| !pre.split('.').all(identifier)) {
        return None;
    }
    let mut numbers = core.split('.').filter(|text| number(text));
    let three = [numbers.next()?, numbers.next()?, numbers.next()?];
    (core.split('.').count() == 3).then_some((three, pre))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Order of numbers without leading zeros, of any length.
fn number_order(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn pre_release_order(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(two)) => match (is_number(one), is_number(two)) {
                (true, true) => number_order(one, two),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => one.cmp(two),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The order that an ecosystem (in OSV's spelling) uses; `None` where it is not known yet.
pub fn scheme_for(name: &str) -> Option<&'static dyn VersionScheme> {
    super::ecosystem::ecosystem(name).map(|ecosystem| ecosystem.scheme)
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
    fn semantic_versions_follow_section_11() {
        let ascending = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(SemVer.compare(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
            assert_eq!(SemVer.compare(pair[1], pair[0]), Some(Ordering::Greater), "{pair:?}");
        }
        assert_eq!(SemVer.compare("1.0.0+a", "1.0.0+b.2"), Some(Ordering::Equal));
        let none = ["1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0+", "1.0.0 "];
        for text in none {
            assert!(!SemVer.is_version(text), "{text}");
        }
        assert!(scheme_for("npm").is_some_and(|scheme| scheme.is_version("1.2.3-x.7.z.92")));
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
