//! What has changed between a policy text and its checklist, or between two versions of the text.
//!
//! A sentence is known by its hash, wherever it stands: reordering, new line ends, renumbered headings and date
//! stamps are no changes, one changed word in a rule is. Sentences that have no partner by hash are paired by their
//! words, else by their place. Absent on purpose: where texts come from. Read next: [`super::policy_text`].

mod align;
mod layout;
mod rules;

use super::ClauseId;
use super::policy::{ItemKind, Policy};
use super::policy_text::PolicyText;
use align::{Unit, align};
pub use rules::rule_changes;

/// How a sentence stands to the checklist.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// A decision point asks for it.
    Covered,
    /// It is known, and asks nothing.
    Rationale,
    /// Nothing knows it.
    New,
    /// It stands where a known sentence stood, in other words.
    Changed,
    /// The text no longer has it.
    Vanished,
}

impl Standing {
    /// Every standing, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::Covered, Self::Rationale, Self::New, Self::Changed, Self::Vanished];

    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Rationale => "rationale",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Vanished => "vanished",
        }
    }

    /// Whether text and checklist have drifted apart here.
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::New | Self::Changed | Self::Vanished)
    }
}

/// One sentence and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How it stands.
    pub standing: Standing,
    /// Heading that it stands under, or stood under where it has vanished.
    pub heading: String,
    /// As it is, byte for byte; `None` where it has vanished.
    pub text: Option<String>,
    /// As it was, where that is known.
    pub former: Option<String>,
    /// Decision points that rest on it; for a changed or vanished one, on what it was.
    pub items: Vec<ClauseId>,
}

/// What has changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drift {
    /// In the order of the text, a vanished sentence after the one that it followed.
    pub findings: Vec<Finding>,
    /// Changes that touch no rule: headings that were renamed, sections and sentences that were moved.
    pub layout: Vec<String>,
    /// Decision points that name no sentence at all.
    pub bare: Vec<ClauseId>,
}

impl Drift {
    /// How many sentences stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.findings.iter().filter(|finding| finding.standing == standing).count()
    }

    /// Whether text and checklist belong together: every rule has its point, and every point its rule.
    pub fn is_clean(&self) -> bool {
        self.bare.is_empty() && !self.findings.iter().any(|finding| finding.standing.is_fault())
    }
}

/// Holds a text against a checklist. `former` gives the words of a sentence of an earlier text by its hash.
pub fn check(policy: &Policy, text: &PolicyText, former: &dyn Fn(&str) -> Option<String>) -> Drift {
    let (known, now) = (known_units(policy, former), units(text));
    let standing = |hash: &str| {
        let mut of = policy.items.iter().filter(|item| item.sentences.iter().any(|h| h == hash));
        if of.any(|item| item.kind != ItemKind::Context) {
            Standing::Covered
        } else {
            Standing::Rationale
        }
    };
    let findings = align(&known, &now).into_iter().map(|pair| match pair {
        (Some(old), Some(new)) if old.hash == new.hash => {
            finding(standing(&new.hash), Some(old), Some(new), policy)
        }
        (Some(old), Some(new)) => finding(Standing::Changed, Some(old), Some(new), policy),
        (None, new) => finding(Standing::New, None, new, policy),
        (old, None) => finding(Standing::Vanished, old, None, policy),
    });
    let named = |item: &&super::policy::Item| item.sentences.is_empty();
    let bare = policy.items.iter().filter(named).map(|item| item.id.clone()).collect();
    Drift { findings: findings.collect(), layout: misplaced(policy, text), bare }
}

/// Every sentence that the checklist names, once, in its order; what only explains stands at the head of its section.
fn known_units(policy: &Policy, former: &dyn Fn(&str) -> Option<String>) -> Vec<Unit> {
    let mut known: Vec<Unit> = Vec::new();
    let unit = |hash: &String, section: &str| Unit {
        hash: hash.clone(),
        heading: section.to_owned(),
        text: former(hash),
    };
    for item in &policy.items {
        for hash in &item.sentences {
            if !known.iter().any(|unit| &unit.hash == hash) {
                known.push(unit(hash, &item.section));
            }
        }
    }
    for rationale in &policy.rationale {
        let head = known.iter().position(|unit| unit.heading == rationale.section);
        let head = head.unwrap_or(known.len());
        let new: Vec<Unit> = rationale
            .sentences
            .iter()
            .filter(|hash| !known.iter().any(|unit| &unit.hash == *hash))
            .map(|hash| unit(hash, &rationale.section))
            .collect();
        known.splice(head..head, new);
    }
    known
}

/// Holds two versions of a text against each other: what became new, changed or vanished. The points are those that
/// rest on the sentence by the hashes of `policy`, as far as it knows them.
pub fn compare(old: &PolicyText, new: &PolicyText, policy: &Policy) -> Drift {
    let (before, after) = (units(old), units(new));
    let mut findings = Vec::new();
    for pair in align(&before, &after) {
        let standing = match pair {
            (Some(old), Some(new)) if old.hash == new.hash => continue,
            (Some(_), Some(_)) => Standing::Changed,
            (None, _) => Standing::New,
            (_, None) => Standing::Vanished,
        };
        findings.push(finding(standing, pair.0, pair.1, policy));
    }
    Drift { findings, layout: layout::changes(old, new), bare: Vec::new() }
}

fn units(text: &PolicyText) -> Vec<Unit> {
    let unit = |sentence: &super::policy_text::Sentence| Unit {
        hash: sentence.hash.clone(),
        heading: sentence.heading.clone(),
        text: Some(text.text_of(sentence).to_owned()),
    };
    text.sentences().iter().map(unit).collect()
}

fn finding(standing: Standing, old: Option<&Unit>, new: Option<&Unit>, policy: &Policy) -> Finding {
    let either: Vec<&String> = old.iter().chain(&new).map(|unit| &unit.hash).collect();
    let rests = |item: &&super::policy::Item| item.sentences.iter().any(|h| either.contains(&h));
    let items = policy.items.iter().filter(rests).map(|item| item.id.clone()).collect();
    Finding {
        standing,
        heading: new.or(old).map(|unit| unit.heading.clone()).unwrap_or_default(),
        text: new.and_then(|unit| unit.text.clone()),
        former: old.filter(|_| standing.is_fault()).and_then(|unit| unit.text.clone()),
        items,
    }
}

/// Points whose sentence stands under another heading than the checklist says.
fn misplaced(policy: &Policy, text: &PolicyText) -> Vec<String> {
    use super::policy_text::plain_heading;
    let mut found: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for item in &policy.items {
        let known = |hash: &String| text.sentences().iter().find(|s| &s.hash == hash && !s.stamp);
        let Some(sentence) = item.sentences.iter().find_map(known) else { continue };
        let (old, new) = (item.section.as_str(), sentence.heading.as_str());
        if plain_heading(old) == plain_heading(new) {
            continue;
        }
        match found.iter_mut().find(|(from, to, _)| (*from, *to) == (old, new)) {
            Some((_, _, ids)) => ids.push(item.id.as_str()),
            None => found.push((old, new, vec![item.id.as_str()])),
        }
    }
    let words = |(old, new, ids): (&str, &str, Vec<&str>)| {
        format!("{}: under \"{new}\", the checklist says \"{old}\"", ids.join(" "))
    };
    found.into_iter().map(words).collect()
}

#[cfg(test)]
mod tests;
