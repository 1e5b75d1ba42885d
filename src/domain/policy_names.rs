//! What a policy names outside of itself: branches, versions, links; and whether the product's checkout has them.
//!
//! Pure: what the checkout has is an argument, and no link is ever fetched. Read next: [`super::policy_drift`].

mod links;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pep440_rs::Version;
use regex::Regex;

use super::policy::Policy;
use super::policy_text::PolicyText;

/// What the product's checkout has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkout {
    /// Branches, those of remotes without the remote's name.
    pub branches: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// Whether a path is there at a branch, tag or commit (`HEAD` for what the checkout is on); `None` if that cannot be
/// told.
pub type HasPath<'a> = &'a dyn Fn(&str, &str) -> Option<bool>;

/// What kind of thing is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A branch or a pattern of branches.
    Branch,
    /// A released version.
    Version,
    /// A link of the text.
    Link,
}

impl Kind {
    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Version => "version",
            Self::Link => "link",
        }
    }
}

/// Whether it is there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Found {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It cannot be told offline.
    Unknown,
}

impl Found {
    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that the policy names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// What kind of thing.
    pub kind: Kind,
    /// As written.
    pub name: String,
    /// Where: headings of the text, and "checklist" for the policy's data.
    pub place: String,
    /// Whether it is there.
    pub found: Found,
    /// Why that cannot be told, or what is meant; empty where it is plain.
    pub note: String,
}

/// Where the policy's data names something.
const DATA: &str = "checklist";

/// Everything that text and checklist name, in this order: branches, versions, links. Without a checkout nothing is
/// known of branches and versions.
pub fn named(
    policy: &Policy,
    text: Option<&PolicyText>,
    checkout: Option<&Checkout>,
    has_path: HasPath<'_>,
) -> Vec<Named> {
    let mut all = branches(policy, text, checkout);
    all.extend(versions(policy, text, checkout));
    all.extend(checkout.and_then(|checkout| newer_tag(policy, checkout)));
    if let Some(text) = text {
        all.extend(links::of(text).into_iter().map(|(target, heading)| {
            let (found, note) = links::answer(&target, policy, text, checkout, has_path);
            let name = target.written().to_owned();
            Named { kind: Kind::Link, name, place: heading, found, note }
        }));
    }
    all
}

/// Adds a name with its place; one that is named again gets that place too.
fn add(list: &mut Vec<(String, String)>, name: &str, place: &str) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some((_, places)) if places.split(", ").any(|known| known == place) => {}
        Some((_, places)) => *places = format!("{places}, {place}"),
        None => list.push((name.to_owned(), place.to_owned())),
    }
}

fn answered(
    kind: Kind,
    names: Vec<(String, String)>,
    checkout: Option<&Checkout>,
    has: impl Fn(&Checkout, &str) -> bool,
) -> Vec<Named> {
    let one = |(name, place): (String, String)| {
        let found = match checkout {
            None => Found::Unknown,
            Some(checkout) if has(checkout, &name) => Found::Yes,
            Some(_) => Found::No,
        };
        Named { kind, name, place, found, note: String::new() }
    };
    names.into_iter().map(one).collect()
}

/// Code in a sentence that speaks of branches.
fn branches(policy: &Policy, text: Option<&PolicyText>, checkout: Option<&Checkout>) -> Vec<Named> {
    let mut names = Vec::new();
    for (text, sentence) in
        text.iter().flat_map(|text| text.sentences().iter().map(move |s| (text, s)))
    {
        let words = text.text_of(sentence);
        if words.to_lowercase().contains("branch") {
            let code = words.split('`').skip(1).step_by(2);
            code.filter(|name| is_branch(name)).for_each(|n| add(&mut names, n, &sentence.heading));
        }
    }
    policy.branches.iter().for_each(|name| add(&mut names, name, DATA));
    answered(Kind::Branch, names, checkout, |checkout, name| {
        checkout.branches.iter().any(|branch| fits(name, branch))
    })
}

/// Whether a piece of code can be the name of a branch or a pattern of such.
fn is_branch(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '*');
    let ends = |c: char| matches!(c, '/' | '-' | '.');
    !name.is_empty()
        && name.len() <= 100
        && name.chars().all(letter)
        && !name.starts_with(ends)
        && name.chars().any(|c| c.is_ascii_alphabetic())
}

/// Whether a branch is the one named; `*` stands for anything.
fn fits(pattern: &str, branch: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| branch.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for piece in pieces {
        open = true;
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    let last = pattern.rsplit('*').next().unwrap_or_default();
    rest.is_empty() || open && (last.is_empty() || branch.ends_with(last))
}

/// Versions in running text: two or three numbers, the last possibly an `x`, not part of a longer word or an address.
static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s(\[`|<>=\u{2264}\u{2265}*])v?(\d{1,4}(?:\.\d{1,4}){0,2}\.(?:\d{1,4}|x))(?:[\s,;:)\]`|*+]|\.?$|\.\s)").ok()
});

fn versions(policy: &Policy, text: Option<&PolicyText>, checkout: Option<&Checkout>) -> Vec<Named> {
    let mut names = Vec::new();
    let sections = text.map(about_versions).unwrap_or_default();
    let sentences = text.iter().flat_map(|text| text.sentences().iter().map(move |s| (text, s)));
    for (text, sentence) in sentences {
        let words = links::without_targets(text.text_of(sentence));
        let about = sections.contains(sentence.heading.as_str());
        if let (true, Some(pattern)) = (about, VERSION.as_ref()) {
            let found = pattern.captures_iter(&words).filter_map(|found| found.get(1));
            found.for_each(|found| add(&mut names, found.as_str(), &sentence.heading));
        }
    }
    policy.releases.iter().for_each(|release| add(&mut names, &release.version, DATA));
    answered(Kind::Version, names, checkout, |checkout, version| {
        checkout.tags.iter().any(|tag| is_tag_of(version, tag))
    })
}

/// Headings of the sections that speak of versions: other numbers of the text are none.
fn about_versions(text: &PolicyText) -> BTreeSet<&str> {
    let speaks = |words: &str| {
        let words = words.to_lowercase();
        ["version", "release", "support"].iter().any(|word| words.contains(word))
    };
    let sentences = text.sentences().iter();
    let about = sentences.filter(|s| speaks(text.text_of(s)) || speaks(&s.heading));
    about.map(|sentence| sentence.heading.as_str()).collect()
}

/// Whether a tag is that of a version: `1.2.0`, `v1.2.0`, `name-1.2.0`; `1.x` is any that begins so.
fn is_tag_of(version: &str, tag: &str) -> bool {
    let version = version.to_lowercase();
    let tag = tag.to_lowercase();
    let number = tag_number(&tag);
    match version.strip_suffix('x') {
        Some(begin) => number.starts_with(begin),
        None => {
            number == version
                || number.parse::<Version>().ok().is_some_and(|tag| {
                    version.parse::<Version>().is_ok_and(|version| version == tag)
                })
        }
    }
}

/// A tag from its first digit that begins a word, such as `1.2.0` of `v1.2.0` and `release/1.2.0`.
fn tag_number(tag: &str) -> &str {
    let mut before = '/';
    for (at, letter) in tag.char_indices() {
        if letter.is_ascii_digit() && (!before.is_alphanumeric() || before == 'v') {
            return tag.get(at..).unwrap_or_default();
        }
        before = letter;
    }
    ""
}

/// A stable tag beyond the newest release that the checklist knows: what "latest" means is out of date (SV3).
fn newer_tag(policy: &Policy, checkout: &Checkout) -> Option<Named> {
    let known = policy.releases.iter().filter_map(|r| r.version.parse::<Version>().ok()).max()?;
    let numbers = checkout.tags.iter().filter_map(|tag| tag_number(tag).parse::<Version>().ok());
    let newest = numbers.filter(|tag| tag.is_stable()).max().filter(|tag| *tag > known)?;
    Some(Named {
        kind: Kind::Version,
        name: newest.to_string(),
        place: DATA.to_owned(),
        found: Found::No,
        note: format!(
            "the checkout has this tag; the newest release the checklist knows is {known}"
        ),
    })
}

#[cfg(test)]
mod tests;
