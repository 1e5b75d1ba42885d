//! The embedded policy against its project's text, and the text against its own former versions.
//!
//! The text is looked for below the shared material, its versions in the folder that `CASEBOOK_POLICY_HISTORY` names or
//! beside the text in `history`: Markdown files whose names order them, oldest first, one for each commit of the project's
//! site that changed the policy.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may say and fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};

use casebook::config;
use casebook::domain::policy::Policy;
use casebook::domain::policy_drift::{Drift, Standing, check, compare};
use casebook::domain::policy_text::PolicyText;

fn policy() -> Policy {
    let text = config::policy::embedded("octoprint").expect("embedded");
    config::policy::parse_embedded(text).expect("no fault")
}

fn shared() -> PathBuf {
    let root = std::env::var_os("CASEBOOK_SHARED");
    root.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
}

fn shared_text() -> Option<String> {
    let text = fs::read_to_string(shared().join("policy/octoprint-security-policy.md")).ok();
    if text.is_none() {
        println!("skipped: no shared material");
    }
    text
}

fn against(text: &str) -> Drift {
    check(&policy(), &PolicyText::read(text), &|_| None)
}

fn faults(drift: &Drift) -> Vec<String> {
    let faults = drift.findings.iter().filter(|finding| finding.standing.is_fault());
    let words = |finding: &casebook::domain::policy_drift::Finding| {
        let text = finding.text.as_deref().or(finding.former.as_deref()).unwrap_or("?");
        format!("{}: {text}", finding.standing.as_str())
    };
    faults.map(words).collect()
}

#[test]
fn text_and_checklist_belong_together() {
    let Some(text) = shared_text() else { return };
    let drift = against(&text);
    assert!(drift.is_clean(), "{:#?}", faults(&drift));
    assert_eq!(drift.layout, [""; 0]);
    let count = |standing| drift.count(standing);
    println!("{} covered, {} rationale", count(Standing::Covered), count(Standing::Rationale));
    assert_eq!(count(Standing::Covered) + count(Standing::Rationale), 48);
    assert_eq!(PolicyText::read(&text).date(), Some("2025-05-21"));
}

#[test]
fn every_changed_word_is_seen_and_no_change_of_form() {
    let Some(text) = shared_text() else { return };
    let read = PolicyText::read(&text);
    let former = |hash: &str| read.sentence_named(hash).map(str::to_owned);
    for sentence in read.sentences() {
        let words = read.text_of(sentence);
        let last = words.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        let at = sentence.range.start + words.rfind(last.expect("a word")).expect("it is there");
        let mut changed = text.clone();
        changed.insert_str(at, "un");
        for known in [true, false] {
            let kept = |hash: &str| former(hash).filter(|_| known);
            let drift = check(&policy(), &PolicyText::read(&changed), &kept);
            assert_eq!(drift.count(Standing::Changed), 1, "{words}: {:#?}", faults(&drift));
            assert_eq!(faults(&drift).len(), 1, "{words}");
        }
    }
    let mut sections: Vec<&str> = text.split("\n## ").collect();
    sections[1..].reverse();
    for form in [
        text.replace('\n', "\r\n"),
        text.replace("2025-05-21", "2031-01-01"),
        text.replace("## ", "## 4.2 "),
        sections.join("\n## "),
    ] {
        let drift = against(&form);
        assert!(drift.is_clean(), "{:#?}", faults(&drift));
    }
}

/// The versions, oldest first.
fn versions() -> Option<Vec<PolicyText>> {
    let named = std::env::var_os("CASEBOOK_POLICY_HISTORY").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| shared().join("policy/history"));
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: there are no former versions in {}", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "md"));
    paths.sort();
    let read = |path: &PathBuf| PolicyText::read(&fs::read_to_string(path).expect("UTF-8"));
    Some(paths.iter().map(read).collect())
}

/// What is known to have changed from each version to the next: words that must occur among the changes, how many
/// sentences are changed, new and vanished, and how many changes of layout there are.
const KNOWN: [(&[&str], [usize; 3], usize); 7] = [
    // Deploying became releasing; a score is asked for and no longer demanded.
    (&["release a fixed version", "If you are not sure how or unable to score"], [4, 0, 1], 0),
    // The threshold moved from the advisory to the CVE id.
    (&["CVEs will only be requested"], [0, 1, 1], 0),
    (&["GitHub Security Advisory"], [1, 0, 0], 0),
    (&["seriously misconfigured", "severity of Moderate"], [1, 1, 0], 0),
    (&["compromised SSH access", "admin access"], [1, 1, 0], 0),
    // The section on AI.
    (&["If you asked an AI tool", "We will ban users"], [0, 11, 0], 0),
    // Only its place and its heading.
    (&[], [0, 0, 0], 2),
];

#[test]
fn each_pair_of_versions_differs_by_the_known_changes() {
    let Some(versions) = versions() else { return };
    assert_eq!(versions.len(), KNOWN.len() + 1);
    for (pair, (words, counts, layout)) in versions.windows(2).zip(KNOWN) {
        let drift = compare(&pair[0], &pair[1], &policy());
        println!("--- {:?} to {:?}", pair[0].date(), pair[1].date());
        println!("{:#?}\n{:#?}", faults(&drift), drift.layout);
        let found = [Standing::Changed, Standing::New, Standing::Vanished].map(|s| drift.count(s));
        let all = faults(&drift).join("\n");
        assert!(words.iter().all(|word| all.contains(word)), "{all}");
        assert_eq!(found, counts, "changed, new, vanished");
        assert_eq!(drift.layout.len(), layout, "{:?}", drift.layout);
    }
}

#[test]
fn any_two_versions_differ_by_the_changes_between_them() {
    let Some(versions) = versions() else { return };
    for (from, old) in versions.iter().enumerate() {
        for (to, new) in versions.iter().enumerate() {
            let known =
                old.sentences().iter().map(|s| &s.hash).collect::<std::collections::BTreeSet<_>>();
            let drift = compare(old, new, &policy());
            let rules_changed = !(from.min(to)..from.max(to)).all(|step| KNOWN[step].1 == [0; 3]);
            assert_eq!(!drift.findings.is_empty(), rules_changed, "{from} to {to}");
            let fresh =
                new.sentences().iter().filter(|s| !s.stamp && !known.contains(&s.hash)).count();
            let told = drift.count(Standing::New) + drift.count(Standing::Changed);
            assert_eq!(told, fresh, "{from} to {to}: no change is told twice or kept silent");
        }
    }
}

#[test]
fn the_present_text_and_the_newest_version_differ_in_layout_only() {
    let (Some(versions), Some(text)) = (versions(), shared_text()) else { return };
    let newest = versions.last().expect("one");
    let drift = compare(newest, &PolicyText::read(&text), &policy());
    assert_eq!(faults(&drift), [""; 0]);
    println!("{:#?}", drift.layout);
    assert_eq!(drift.layout.len(), 2);
}
