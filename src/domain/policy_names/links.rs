//! The links of a policy text, and what can be said of them without the network.

use super::{Checkout, Found, HasPath};
use crate::domain::policy::Policy;
use crate::domain::policy_text::{PolicyText, plain_heading};

/// Most links of a text that are looked at.
const MOST: usize = 500;

/// Where a link leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// To a heading of the same text: `#name`.
    Heading(String),
    /// To a mailbox.
    Mail(String),
    /// To a web address.
    Web(String),
    /// To a file beside the text.
    File(String),
}

impl Target {
    fn read(written: &str) -> Self {
        let lower = written.to_lowercase();
        let own = written.to_owned();
        if written.starts_with('#') {
            Self::Heading(own)
        } else if lower.starts_with("mailto:") {
            Self::Mail(own)
        } else if lower.contains("://") || lower.starts_with("//") {
            Self::Web(own)
        } else {
            Self::File(own)
        }
    }

    /// As it stands in the text.
    pub(super) fn written(&self) -> &str {
        match self {
            Self::Heading(text) | Self::Mail(text) | Self::Web(text) | Self::File(text) => text,
        }
    }
}

/// The links of a text with the headings that they stand under, each target once.
pub(super) fn of(text: &PolicyText) -> Vec<(Target, String)> {
    let mut found: Vec<(Target, String)> = Vec::new();
    for sentence in text.sentences() {
        for written in targets(text.text_of(sentence)) {
            let target = Target::read(written);
            if found.len() < MOST && !found.iter().any(|(known, _)| *known == target) {
                found.push((target, sentence.heading.clone()));
            }
        }
    }
    found
}

/// Targets of `[words](target "title")`, `<https://…>` and bare addresses, in their order.
fn targets(words: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some((at, mark)) = next_mark(rest) {
        rest = rest.get(at..).unwrap_or_default();
        let (begin, end): (usize, &[char]) = match mark {
            "](" => (2, &[')', ' ', '\n', '\r']),
            "<" => (1, &['>', ' ', '\n', '\r']),
            _ => (0, &[')', '>', ']', ' ', '\n', '\r', '"', '\'', '|', '`']),
        };
        let inner = rest.get(begin..).unwrap_or_default();
        let stop = inner.find(end).unwrap_or(inner.len());
        let target = inner.get(..stop).unwrap_or_default();
        let target = target.trim_end_matches(['.', ',', ';', ':', '!', '?', '*']);
        let link = mark != "<" || target.contains("://") || target.starts_with("mailto:");
        if link && !target.is_empty() {
            found.push(target);
        }
        let next = if link { begin + stop } else { begin };
        rest = rest.get(next.max(1)..).unwrap_or_default();
    }
    found
}

/// The next place at which a link may begin.
fn next_mark(text: &str) -> Option<(usize, &'static str)> {
    let marks = ["](", "<", "https://", "http://"];
    marks.iter().filter_map(|mark| text.find(mark).map(|at| (at, *mark))).min()
}

/// The words without the targets of their links.
pub(super) fn without_targets(words: &str) -> String {
    targets(words).iter().fold(words.to_owned(), |text, target| text.replace(target, " "))
}

/// What can be said of a link offline, with a word on why.
pub(super) fn answer(
    target: &Target,
    policy: &Policy,
    text: &PolicyText,
    checkout: Option<&Checkout>,
    has_path: HasPath<'_>,
) -> (Found, String) {
    let told = |found: Option<bool>, missing: &str| match found {
        Some(true) => (Found::Yes, String::new()),
        Some(false) => (Found::No, missing.to_owned()),
        None => (Found::Unknown, "not fetched".to_owned()),
    };
    match target {
        Target::Heading(name) => {
            let wanted = name.trim_start_matches('#').to_lowercase();
            let headings = text.sentences().iter().map(|sentence| sentence.heading.as_str());
            let mut slugs = headings.flat_map(|h| [slug(h), slug(plain_heading(h))]);
            told(Some(slugs.any(|known| known == wanted)), "no heading of the text")
        }
        Target::Mail(address) => {
            let address = address.get("mailto:".len()..).unwrap_or_default();
            let address = address.split('?').next().unwrap_or_default();
            let same = address.eq_ignore_ascii_case(&policy.contact);
            told(Some(same), &format!("the checklist's contact is {}", policy.contact))
        }
        Target::File(path) => {
            let path = path.split(['#', '?']).next().unwrap_or_default();
            let path = path.trim_start_matches("./").trim_start_matches('/');
            let found = checkout.and_then(|_| has_path("HEAD", path));
            told(found, "the checkout has no such file")
        }
        Target::Web(address) => match in_repository(address, policy) {
            Some(place) => {
                told(checkout.and_then(|c| there(&place, c, has_path)), "not in the checkout")
            }
            None => told(None, ""),
        },
    }
}

/// The part of a web address below the product's repository.
fn in_repository(address: &str, policy: &Policy) -> Option<String> {
    let bare = |text: &str| text.split_once("://").map_or("", |(_, rest)| rest).to_lowercase();
    let repository = bare(&policy.package.repository);
    let repository = repository.trim_end_matches('/').trim_end_matches(".git");
    let lower = bare(address);
    let inside = !repository.is_empty() && lower.starts_with(&format!("{repository}/"));
    let begin = address.find("://")? + "://".len() + repository.len();
    inside.then(|| address.get(begin..).unwrap_or_default().trim_matches('/').to_owned())
}

/// Whether the checkout has what a page of the repository shows: a tag, or a file or folder at a branch or tag.
fn there(place: &str, checkout: &Checkout, has_path: HasPath<'_>) -> Option<bool> {
    let place = place.split(['#', '?']).next().unwrap_or_default();
    if let Some(tag) = place.strip_prefix("releases/tag/") {
        return Some(checkout.tags.iter().any(|known| known == tag));
    }
    let rest = place.strip_prefix("blob/").or_else(|| place.strip_prefix("tree/"))?;
    let names = checkout.branches.iter().chain(&checkout.tags);
    let under = |name: &&String| {
        rest.strip_prefix(name.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    // The longest name wins, as a branch may hold a slash.
    let Some(name) = names.filter(under).max_by_key(|name| name.len()) else { return Some(false) };
    let path = rest.get(name.len()..).unwrap_or_default().trim_start_matches('/');
    if path.is_empty() { Some(true) } else { has_path(name, path) }
}

/// The fragment that Markdown renderers give a heading.
fn slug(heading: &str) -> String {
    let kept =
        heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
