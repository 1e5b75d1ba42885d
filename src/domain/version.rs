//! What a claimed version is by the policy: latest stable, in development, older, a fork's (SV1, SV2, SV4).
//!
//! Versions are ordered by PEP 440, as the product's releases are; never as strings. Absent on purpose:
//! finding versions in a text, and asking the product's checkout for its tags.

use jiff::ToSpan;
use jiff::civil::Date;
use pep440_rs::Version;

use super::hint::{Hint, Reading, VersionStatus};
use super::journal::AnswerValue;
use super::policy::{Policy, Release};

/// Days after a release in which the one before it still counts as the latest: a report takes time to write.
pub const GRACE_DAYS: i32 = 3;

/// Longest claim that is read, in bytes.
const MAX_BYTES: usize = 128;

/// What `claimed`, a version or branch as written, was on the day `on`.
///
/// A version beyond the newest release known is taken as one in development, since a local list of releases
/// may be behind. A version that is none by PEP 440 but begins as one has a vendor's suffix: a fork's.
pub fn status(policy: &Policy, claimed: &str, on: Date) -> VersionStatus {
    let claim = claimed.trim().to_lowercase();
    if claim.is_empty() || claim.len() > MAX_BYTES {
        return VersionStatus::Unstated;
    }
    if policy.forks.iter().any(|fork| claim.contains(fork.as_str())) {
        return VersionStatus::Fork;
    }
    let claim = without_product(&claim, &policy.product.to_lowercase());
    if policy.branches.iter().any(|branch| matches_branch(&branch.to_lowercase(), claim)) {
        return VersionStatus::DevBranch;
    }
    let number = claim.strip_prefix('v').unwrap_or(claim);
    if let Ok(version) = number.parse::<Version>() {
        return of_version(policy, &version, on);
    }
    if let Some(series) = number.strip_suffix(".x").or_else(|| number.strip_suffix(".*")) {
        return of_series(policy, series, on);
    }
    if number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.') {
        VersionStatus::Fork
    } else if is_commit(claim) {
        VersionStatus::DevBranch
    } else if claim.contains(|c: char| c.is_ascii_digit()) {
        VersionStatus::OtherProduct
    } else {
        VersionStatus::Unstated
    }
}

/// The newest stable release on a day.
pub fn latest_stable(policy: &Policy, on: Date) -> Option<&Release> {
    let stable =
        policy.releases.iter().filter(|release| release.date <= on).filter_map(|release| {
            let version: Version = release.version.parse().ok()?;
            version.is_stable().then_some((version, release))
        });
    stable.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, release)| release)
}

/// What the versions named in a case come to: one within the policy if there is any, else the first. In the
/// order of the messages. The latest release counts before a version in development if the flaw is said to be
/// in it (SV1), and only then.
pub fn of_readings(readings: &[&Reading]) -> VersionStatus {
    let in_latest = |hint: &Hint| hint.clause.as_str() == "SV1" && hint.answer == AnswerValue::Yes;
    if readings.iter().flat_map(|reading| &reading.hints).any(in_latest) {
        return VersionStatus::LatestStable;
    }
    let in_development =
        |hint: &Hint| hint.clause.as_str() == "SV2" && hint.answer == AnswerValue::Yes;
    if readings.iter().flat_map(|reading| &reading.hints).any(in_development) {
        return VersionStatus::DevBranch;
    }
    let all = || readings.iter().flat_map(|reading| &reading.versions).map(|found| found.status);
    let within = |status: &VersionStatus| {
        matches!(status, VersionStatus::LatestStable | VersionStatus::DevBranch)
    };
    all().find(within).or_else(|| all().next()).unwrap_or_default()
}

/// Whether `claimed` is older than the release `fixed`, which was out on the day `on`. A release that the policy
/// does not list is taken as out: its list begins somewhere.
pub fn fixed_since(policy: &Policy, claimed: &str, fixed: &str, on: Date) -> bool {
    let out = policy.releases.iter().find(|release| release.version == fixed);
    let number = claimed.trim().trim_start_matches('v');
    let older = match (number.parse::<Version>(), fixed.parse::<Version>()) {
        (Ok(claimed), Ok(fixed)) => claimed < fixed,
        _ => false,
    };
    older && out.is_none_or(|release| release.date <= on)
}

/// Releases that count as the latest on a day: the latest, and in the days after it the one before.
fn current(policy: &Policy, on: Date) -> Vec<Version> {
    let before = on.checked_sub(GRACE_DAYS.days()).unwrap_or(on);
    [on, before]
        .into_iter()
        .filter_map(|day| latest_stable(policy, day)?.version.parse().ok())
        .collect()
}

fn of_version(policy: &Policy, version: &Version, on: Date) -> VersionStatus {
    let current = current(policy, on);
    // A local suffix such as `+deb1` names a build, not another version.
    let version = version.clone().without_local();
    if current.contains(&version) {
        VersionStatus::LatestStable
    } else if current.iter().all(|latest| version > *latest) {
        VersionStatus::DevBranch
    } else {
        VersionStatus::Outdated
    }
}

/// `1.11.x`: the whole of a series.
fn of_series(policy: &Policy, series: &str, on: Date) -> VersionStatus {
    let Ok(series) = series.parse::<Version>() else { return VersionStatus::Unstated };
    let of_it = |version: &Version| version.release().starts_with(series.release());
    if current(policy, on).iter().any(of_it) {
        VersionStatus::LatestStable
    } else {
        of_version(policy, &series, on)
    }
}

fn without_product<'a>(claim: &'a str, product: &str) -> &'a str {
    let rest = claim.strip_prefix(product).unwrap_or(claim);
    let rest = rest.trim_start_matches([' ', '-', '_', '/', ':', '=', '@']);
    rest.strip_prefix("version ").unwrap_or(rest).trim()
}

/// Whether a branch name fits a pattern; `*` at its end stands for anything but nothing.
fn matches_branch(pattern: &str, name: &str) -> bool {
    let name =
        name.strip_suffix(" branch").or_else(|| name.strip_prefix("branch ")).unwrap_or(name);
    let name = name.strip_prefix("origin/").unwrap_or(name);
    match pattern.strip_suffix('*') {
        Some(start) => name.len() > start.len() && name.starts_with(start),
        None => name == pattern,
    }
}

/// A commit id: 7 to 40 hexadecimal digits with a letter and a number among them.
fn is_commit(text: &str) -> bool {
    (7..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support::policy;

    #[test]
    fn versions_are_ordered_as_versions() {
        use VersionStatus::*;
        for (claimed, on, wanted) in [
            ("1.9.0", "2026-01-20", LatestStable),
            ("Widget 1.9.0", "2026-01-20", LatestStable),
            ("v1.9.0", "2026-01-20", LatestStable),
            ("1.9.0+deb1", "2026-01-20", LatestStable),
            ("1.9.x", "2026-01-20", LatestStable),
            ("1.10.0", "2026-01-20", DevBranch),
            ("1.10.0rc1", "2026-01-20", DevBranch),
            ("1.10.0.dev4+gabc1234", "2026-01-20", DevBranch),
            ("1.9.0rc2", "2026-01-20", Outdated),
            ("1.10.0", "2026-02-01", LatestStable),
            ("1.9.0", "2026-02-01", LatestStable),
            ("1.9.0", "2026-02-03", LatestStable),
            ("1.9.0", "2026-02-04", Outdated),
            ("1.8.x", "2026-02-04", Outdated),
            ("1.9.0", "2025-01-01", DevBranch),
            ("devel", "2026-02-04", DevBranch),
            ("rc/1.11.0", "2026-02-04", DevBranch),
            ("rc/", "2026-02-04", Unstated),
            ("devel branch", "2026-02-04", DevBranch),
            ("3f2a9c1", "2026-02-04", DevBranch),
            ("1.9.2-k1.7", "2026-02-04", Fork),
            ("forkwidget 1.10.0", "2026-02-04", Fork),
            ("marlin 2.1", "2026-02-04", OtherProduct),
            ("newest", "2026-02-04", Unstated),
            ("", "2026-02-04", Unstated),
        ] {
            let on: Date = on.parse().expect("a day");
            assert_eq!(status(&policy(), claimed, on), wanted, "{claimed} on {on}");
        }
    }

    #[test]
    fn a_fix_counts_from_its_release_on() {
        let on = |day: &str| day.parse::<Date>().expect("a day");
        let fixed = |claimed, day| fixed_since(&policy(), claimed, "1.10.0", on(day));
        assert!(fixed("1.9.0", "2026-02-01") && fixed("v1.9.0", "2026-03-01"));
        assert!(!fixed("1.9.0", "2026-01-20"), "not out yet");
        assert!(!fixed("1.10.0", "2026-03-01") && !fixed("devel", "2026-03-01"));
        assert!(fixed_since(&policy(), "0.3", "0.4", on("2020-01-01")));
    }

    #[test]
    fn hostile_claims_are_read() {
        let on: Date = "2026-02-04".parse().expect("a day");
        for claimed in
            ["9".repeat(100), "1.".repeat(60), "\u{0}".into(), "1.99999999999999999999".into()]
        {
            let _ = status(&policy(), &claimed, on);
        }
        assert_eq!(status(&policy(), &"1".repeat(10_000), on), VersionStatus::Unstated);
    }
}
