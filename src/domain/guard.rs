//! The embargo guard's rule: what of an open case must not stand in public text, and where it does.
//!
//! Owns: the secrets of a case, which lines of a report are telling, and the search. Absent on purpose: where the
//! text comes from; see `runtime::guard` for repositories. Read next: [`Watch::find`].

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use super::CaseId;

/// What kind of secret it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SecretKind {
    /// The case's own id.
    CaseId,
    /// A GHSA or CVE id that is not public yet.
    AdvisoryId,
    /// A line of a proof of concept.
    Proof,
    /// The reporter's address.
    Reporter,
}

impl SecretKind {
    /// The data word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CaseId => "case-id",
            Self::AdvisoryId => "advisory-id",
            Self::Proof => "proof",
            Self::Reporter => "reporter",
        }
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that must not become public.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret {
    /// Whose.
    pub case: CaseId,
    /// What it is.
    pub kind: SecretKind,
    /// The text itself.
    pub text: String,
}

/// A secret found in a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hit {
    /// Whose.
    pub case: CaseId,
    /// What.
    pub kind: SecretKind,
    /// The secret, white space folded, in lower case.
    pub text: String,
}

/// Bytes that every secret has at least; shorter ones would be found everywhere.
const WINDOW: usize = 6;
/// Shortest line of a proof of concept that counts, in characters after folding.
const PROOF_MIN: usize = 20;
/// Longest part of a line that is compared, in bytes.
const PROOF_MAX: usize = 160;
/// Most lines of one text that are watched for.
const PROOF_LINES: usize = 400;
/// Size of the first, rough filter.
const FILTER: usize = 1 << 16;

/// The secrets of all open cases, ready to be looked for.
#[derive(Clone, Debug)]
pub struct Watch {
    secrets: Vec<Secret>,
    /// First bytes of a secret to the secrets that begin so.
    starts: HashMap<[u8; WINDOW], Vec<usize>>,
    filter: Vec<bool>,
}

impl Watch {
    /// Takes the secrets, folded; those shorter than six bytes are left out.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut watch =
            Self { secrets: Vec::new(), starts: HashMap::new(), filter: vec![false; FILTER] };
        let mut seen = BTreeSet::new();
        for secret in secrets {
            let text = fold(&secret.text);
            let Some(start) = text.as_bytes().first_chunk::<WINDOW>().copied() else { continue };
            if !seen.insert((secret.case.clone(), secret.kind, text.clone())) {
                continue;
            }
            if let Some(slot) = watch.filter.get_mut(slot(start)) {
                *slot = true;
            }
            watch.starts.entry(start).or_default().push(watch.secrets.len());
            watch.secrets.push(Secret { text, ..secret });
        }
        watch
    }

    /// How many secrets are watched for.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there is nothing to watch for.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Every secret in a text, each once. White space and case do not matter; ids and addresses must stand alone.
    /// Lines are looked at one by one.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        let mut found = BTreeSet::new();
        if !self.is_empty() {
            for line in text.lines() {
                self.find_in_line(&fold(line), &mut found);
            }
        }
        found.into_iter().collect()
    }

    fn find_in_line(&self, line: &str, found: &mut BTreeSet<Hit>) {
        let bytes = line.as_bytes();
        for (at, window) in bytes.windows(WINDOW).enumerate() {
            let Some(start) = window.first_chunk::<WINDOW>() else { continue };
            if self.filter.get(slot(*start)) != Some(&true) {
                continue;
            }
            for secret in self.starts.get(start).into_iter().flatten() {
                let Some(secret) = self.secrets.get(*secret) else { continue };
                let end = at + secret.text.len();
                if bytes.get(at..end) == Some(secret.text.as_bytes())
                    && (secret.kind == SecretKind::Proof
                        || stands_alone(secret.kind, bytes, at, end))
                {
                    let (case, kind) = (secret.case.clone(), secret.kind);
                    found.insert(Hit { case, kind, text: secret.text.clone() });
                }
            }
        }
    }
}

/// Where the beginning of a secret is noted in the rough filter.
fn slot(start: [u8; WINDOW]) -> usize {
    let number = start.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    // Fibonacci hashing: the upper bits of the product are spread best.
    usize::try_from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48).unwrap_or_default()
}

fn stands_alone(kind: SecretKind, line: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| line.get(at)).copied().unwrap_or(b' ');
    let after = line.get(end).copied().unwrap_or(b' ');
    let more: &[u8] = if kind == SecretKind::Reporter { b"._+-" } else { b"" };
    !before.is_ascii_alphanumeric() && !more.contains(&before) && !after.is_ascii_alphanumeric()
}

/// White space folded to single spaces, lower case.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

/// The telling lines of a report: those of its code blocks, fenced or indented.
pub fn proof_lines(report: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fence = None;
    for line in report.lines() {
        let unquoted = line.trim_start_matches(['>', ' ']);
        let mark = ["```", "~~~"].into_iter().find(|mark| unquoted.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => lines.extend(telling(line)),
            (None, None) if line.starts_with("    ") || line.starts_with('\t') => {
                lines.extend(telling(line));
            }
            _ => {}
        }
        if lines.len() >= PROOF_LINES {
            break;
        }
    }
    lines
}

/// The telling lines of an attached file.
pub fn file_lines(text: &str) -> Vec<String> {
    text.lines().filter_map(telling).take(PROOF_LINES).collect()
}

/// The line, folded and cut, if it would hardly be written by chance: long enough, varied, with signs in it, and
/// none of the lines that every script or request has.
fn telling(line: &str) -> Option<String> {
    let mut folded = fold(line.trim_start_matches(['>', '$', '#', ' ', '\t']));
    let mut cut = PROOF_MAX.min(folded.len());
    while !folded.is_char_boundary(cut) {
        cut -= 1;
    }
    folded.truncate(cut);
    let folded = folded.trim_end().to_owned();
    let distinct: BTreeSet<char> = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    let signs = folded.chars().filter(|c| !c.is_alphanumeric() && *c != ' ').count();
    let telling = folded.chars().count() >= PROOF_MIN
        && distinct.len() >= 8
        && signs >= 2
        && !COMMON.iter().any(|start| folded.starts_with(start));
    telling.then_some(folded)
}

/// Beginnings of lines that say nothing about a flaw, folded.
const COMMON: [&str; 26] = [
    "import ",
    "from ",
    "#!/",
    "!/",
    "/usr/bin/env",
    "if __name__ ==",
    "-*- coding",
    "<!doctype",
    "<html",
    "<meta",
    "user-agent:",
    "accept:",
    "accept-encoding:",
    "accept-language:",
    "content-type:",
    "content-length:",
    "connection:",
    "cache-control:",
    "upgrade-insecure-requests:",
    "sec-",
    "date:",
    "server:",
    "pip install",
    "git clone",
    "apt install",
    "traceback (most recent call last",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageRef;

    fn case() -> CaseId {
        CaseId::derive(Some("a@b"), &MessageRef::of(b""))
    }

    fn watch(secrets: &[(SecretKind, &str)]) -> Watch {
        let secret = |(kind, text): &(SecretKind, &str)| Secret {
            case: case(),
            kind: *kind,
            text: (*text).into(),
        };
        Watch::new(secrets.iter().map(secret))
    }

    fn kinds(watch: &Watch, text: &str) -> Vec<SecretKind> {
        watch.find(text).into_iter().map(|hit| hit.kind).collect()
    }

    #[test]
    fn ids_and_addresses_must_stand_alone() {
        use SecretKind::*;
        let watch = watch(&[
            (CaseId, "bcdfghjk"),
            (AdvisoryId, "GHSA-2345-6789-cfgh"),
            (AdvisoryId, "CVE-2026-1234"),
            (Reporter, "Bob@example.org"),
        ]);
        for (text, wanted) in [
            ("Fix upload (bcdfghjk)", vec![CaseId]),
            ("refs/heads/fix-BCDFGHJK_2", vec![CaseId]),
            ("xbcdfghjk bcdfghjk1", vec![]),
            ("see ghsa-2345-6789-CFGH.", vec![AdvisoryId]),
            ("CVE-2026-12345", vec![]),
            ("CVE-2026-1234", vec![AdvisoryId]),
            ("Reported-by: Bob <bob@example.org>", vec![Reporter]),
            ("jim.bob@example.org", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(kinds(&watch, text), wanted, "{text}");
        }
    }

    #[test]
    fn proof_lines_are_found_inside_other_lines_however_they_are_spaced() {
        let report = "Hello,\n\n```sh\ncurl -s  'http://printer/api?path=../../etc/passwd'\nls\n```\nThanks\n\
                      \n    import requests, os, sys, json\n    payload = {'a': '__class__.__mro__'}\n";
        let lines = proof_lines(report);
        assert_eq!(
            lines,
            [
                "curl -s 'http://printer/api?path=../../etc/passwd'",
                "payload = {'a': '__class__.__mro__'}"
            ]
        );
        let watch = Watch::new(lines.into_iter().map(|text| Secret {
            case: case(),
            kind: SecretKind::Proof,
            text,
        }));
        let added = "    # test: CURL -s\t'http://printer/api?path=../../etc/passwd' | head";
        assert_eq!(kinds(&watch, added), [SecretKind::Proof]);
        assert_eq!(kinds(&watch, "curl -s 'http://printer/api'"), []);
    }

    #[test]
    fn common_and_dull_lines_are_no_secrets() {
        for line in [
            "#!/usr/bin/env python3 -u",
            "if __name__ == \"__main__\":",
            "Content-Type: application/json; charset=utf-8",
            "--------------------------------------------",
            "a plain sentence without any signs in it",
            "x = 1",
        ] {
            assert_eq!(telling(line), None, "{line}");
        }
        let long = format!("<img src=x onerror=\"fetch('/é{}')\">", "é".repeat(400));
        assert!(telling(&long).is_some_and(|line| line.len() <= PROOF_MAX));
    }

    #[test]
    fn short_and_empty_secrets_find_nothing() {
        let watch = watch(&[(SecretKind::Reporter, "a@b"), (SecretKind::CaseId, "")]);
        assert!(watch.is_empty() && watch.find("a@b").is_empty());
    }
}
