//! Which case a mail belongs to.
//!
//! Works on a set of facts in the order of receipt, so that the order of the input does not matter. Every
//! decision looks only at mails that are connected through [`super::asked_keys`]; therefore the result over such a
//! closed set equals its part of the result over everything.
//!
//! 1. *Same Message-ID*: copies of one mail (same subject and people) stay together; a different mail under
//!    the same id stays on its own.
//! 2. *GitHub notifications* of one advisory come together.
//! 3. *References*: a mail joins the thread that it refers to if they share the subject or a person, or if it
//!    is our own or automatic. Else it is a suspect: its own case and a suggestion.
//! 4. *Subject*: threads without a first mail (answers by programs that send no references) join by subject
//!    and shared person.
//! 5. *Speaking of an earlier report*: a new mail that does, and brings no finding of its own, joins the one
//!    case of its sender in the year before. Of several it is a suspect: which one only a reader can tell.
//!
//! Groups with journal entries are never joined with each other.

mod thread;

use std::collections::{BTreeMap, HashMap};

use super::facts::{Facts, MAX_REPORTS, reports};
use crate::domain::case::Direction;
use crate::domain::{CaseId, MessageRef};
use thread::Threads;

/// The mails of one case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The case.
    pub id: CaseId,
    /// Its first mail: the pinned one, else the earliest that no machine wrote.
    pub root: MessageRef,
    /// All mails by receipt, then reference.
    pub members: Vec<MessageRef>,
    /// A mail of this group and one that it refers to in another group, which it was not allowed to join.
    pub suspects: Vec<(MessageRef, MessageRef)>,
}

/// How long before a mail the report lies that it speaks of, in hours: a year and a month.
const MAX_BACK: i64 = 24 * 396;

/// Rounds in which refused references are tried again. Each needs a chain of unknown people one longer.
const MAX_ROUNDS: usize = 8;

/// Sorts mails into cases. `pins` names the first mails of cases that have journal entries; several mails may
/// be pinned to one case, which then belong together whatever they say (the caller must pass all of them).
///
/// Repeated facts of one mail count once. Groups come in the order of their first members.
pub fn assign(facts: &[Facts], pins: &BTreeMap<MessageRef, CaseId>) -> Vec<Group> {
    let mut ordered: Vec<&Facts> = facts.iter().collect();
    ordered.sort_by_key(|facts| (facts.received, facts.message));
    let mut seen = std::collections::HashSet::new();
    ordered.retain(|facts| seen.insert(facts.message));

    let mut threads = Threads::new(&ordered, pins);
    let owners = join_copies(&ordered, &mut threads);
    join_advisories(&ordered, &mut threads);
    let mut suspects = join_references(&ordered, &owners, &mut threads);
    join_subjects(&ordered, &mut threads);
    suspects.extend(join_spoken_of(&ordered, &mut threads));
    groups(&ordered, &owners, &suspects, &mut threads, pins)
}

/// Which mails carry an id, for looking up what a reference means.
struct Owners<'a> {
    /// Earliest mail with the id.
    first: HashMap<&'a str, usize>,
    /// Ids that more than one mail carries.
    shared: HashMap<&'a str, usize>,
    /// Earliest mail with id and subject.
    by_subject: HashMap<(&'a str, &'a str), usize>,
    /// Earliest mail with id and person.
    by_person: HashMap<(&'a str, &'a str), usize>,
}

impl<'a> Owners<'a> {
    /// The mail that `from` means by `id`: where several carry it, the one nearest to `from`.
    fn find(&self, id: &'a str, from: &'a Facts) -> Option<usize> {
        let first = self.first.get(id).copied()?;
        if !self.shared.contains_key(id) {
            return Some(first);
        }
        let by_person = from.participants.iter().filter_map(|p| self.by_person.get(&(id, p)));
        let near = by_person.min().or_else(|| self.by_subject.get(&(id, &from.base_subject)));
        Some(near.copied().unwrap_or(first))
    }

    fn unique(&self, id: &str) -> bool {
        !self.shared.contains_key(id)
    }
}

fn join_copies<'a>(ordered: &[&'a Facts], threads: &mut Threads<'a>) -> Owners<'a> {
    let mut owners = Owners {
        first: HashMap::new(),
        shared: HashMap::new(),
        by_subject: HashMap::new(),
        by_person: HashMap::new(),
    };
    let mut copies: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for (node, facts) in ordered.iter().enumerate() {
        let Some(id) = facts.message_id.as_deref() else { continue };
        if owners.first.contains_key(id) {
            *owners.shared.entry(id).or_default() += 1;
        } else {
            owners.first.insert(id, node);
        }
        owners.by_subject.entry((id, &facts.base_subject)).or_insert(node);
        for person in &facts.participants {
            owners.by_person.entry((id, person)).or_insert(node);
            let original = *copies.entry((id, &facts.base_subject, person)).or_insert(node);
            threads.join(original, node);
        }
    }
    owners
}

fn join_advisories<'a>(ordered: &[&'a Facts], threads: &mut Threads<'a>) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (node, facts) in ordered.iter().enumerate() {
        if let Some(ghsa) = &facts.ghsa {
            threads.join(*first.entry(ghsa).or_insert(node), node);
        }
    }
}

/// Joins by references and returns the mails whose references were refused, each with the mail or, for an
/// unknown id, the earliest other mail that refers to it too.
fn join_references<'a>(
    ordered: &[&'a Facts],
    owners: &Owners<'a>,
    threads: &mut Threads<'a>,
) -> Vec<(usize, usize)> {
    let mut earliest: HashMap<&str, usize> = HashMap::new();
    let mut targets: Vec<Vec<usize>> = Vec::with_capacity(ordered.len());
    for (node, facts) in ordered.iter().enumerate() {
        let mut of_node: Vec<usize> = Vec::new();
        // The answered mail comes last in the chain and says most.
        for id in facts.references.iter().rev() {
            // Mails that refer to one missing mail belong together through the earliest of them.
            let target = owners
                .find(id, facts)
                .unwrap_or_else(|| *earliest.entry(id.as_str()).or_insert(node));
            if target != node && !of_node.contains(&target) {
                of_node.push(target);
            }
        }
        targets.push(of_node);
    }
    for _ in 0..MAX_ROUNDS {
        let mut joined = false;
        for (node, of_node) in targets.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
            joined |= join_one(node, ordered, of_node, threads);
        }
        if !joined {
            break;
        }
    }
    refused(&targets, threads)
}

/// Joins one mail with the thread that it answers, and other threads of its chain with that one where they
/// carry the same subject: one mail must not tie two strangers' cases together.
fn join_one<'a>(
    node: usize,
    ordered: &[&'a Facts],
    targets: &[usize],
    threads: &mut Threads<'a>,
) -> bool {
    let trusted = ordered.get(node).is_some_and(|f| f.direction != Direction::In);
    let mut rest: Vec<usize> =
        targets.iter().copied().filter(|target| !threads.same(node, *target)).collect();
    let already = rest.len() < targets.len();
    let mut joined = false;
    if !already {
        let by_subject = rest.iter().copied().find(|t| threads.share_subject(node, *t));
        let by_person = || rest.iter().copied().find(|t| threads.share_person(node, *t));
        let by_trust = || rest.first().copied().filter(|_| trusted);
        let Some(target) = by_subject.or_else(by_person).or_else(by_trust) else { return false };
        // Compared before the join, or the mail itself would vouch for both sides.
        rest.retain(|other| *other != target && threads.share_subject(target, *other));
        joined = threads.join(target, node);
        if !joined {
            return false;
        }
    } else {
        rest.retain(|other| threads.share_subject(node, *other));
    }
    for other in rest {
        joined |= threads.join(node, other);
    }
    joined
}

/// A mail none of whose references was followed, and the thread that it wanted.
fn refused(targets: &[Vec<usize>], threads: &mut Threads<'_>) -> Vec<(usize, usize)> {
    let mut refused = Vec::new();
    for (node, of_node) in targets.iter().enumerate() {
        if let Some(first) = of_node.first()
            && !of_node.iter().any(|target| threads.same(node, *target))
        {
            refused.push((node, *first));
        }
    }
    refused
}

/// Joins answers without a usable reference to the thread of the same subject and person.
fn join_subjects<'a>(ordered: &[&'a Facts], threads: &mut Threads<'a>) {
    // Mails that begin a thread, by subject and person, in the order of receipt.
    let mut begun: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    let mut answers: Vec<usize> = Vec::new();
    for (node, facts) in ordered.iter().enumerate() {
        if facts.base_subject.is_empty() {
            continue;
        }
        if threads.is_begun(node) {
            for person in &facts.participants {
                begun.entry((&facts.base_subject, person)).or_default().push(node);
            }
        } else {
            answers.push(node);
        }
    }
    for node in &answers {
        let Some(facts) = ordered.get(*node) else { continue };
        if !threads.is_begun(*node)
            && let Some(target) = nearest(&begun, facts, *node)
        {
            threads.join(target, *node);
        }
    }
    let mut first: HashMap<(&str, &str), usize> = HashMap::new();
    for node in answers {
        let Some(facts) = ordered.get(node) else { continue };
        if threads.is_begun(node) {
            continue;
        }
        for person in &facts.participants {
            threads.join(*first.entry((&facts.base_subject, person)).or_insert(node), node);
        }
    }
}

/// Joins mails that speak of an earlier report to the only one there is, and returns those of which there are
/// several, each with the newest.
fn join_spoken_of<'a>(ordered: &[&'a Facts], threads: &mut Threads<'a>) -> Vec<(usize, usize)> {
    let mut by_person: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut unsure = Vec::new();
    if !ordered.iter().any(|facts| facts.refers_back) {
        return unsure;
    }
    for (node, facts) in ordered.iter().enumerate().filter(|(_, facts)| reports(facts)) {
        for person in &facts.participants {
            by_person.entry(person).or_default().push(node);
        }
    }
    for (node, facts) in ordered.iter().enumerate().filter(|(_, facts)| facts.refers_back) {
        let recent = |other: &usize| {
            let before =
                ordered.get(*other).map(|other| facts.received.duration_since(other.received));
            *other < node && before.is_some_and(|before| before.as_hours() <= MAX_BACK)
        };
        let reports = facts.participants.iter().filter_map(|who| by_person.get(who.as_str()));
        let reports = reports.filter(|reports| reports.len() < MAX_REPORTS).flatten();
        let mut cases: Vec<usize> = Vec::new();
        for report in reports.copied().filter(recent) {
            let known = cases.iter().any(|case| threads.same(*case, report));
            if !known && !threads.same(report, node) {
                cases.push(report);
            }
        }
        match cases.as_slice() {
            [only] => {
                threads.join(*only, node);
            }
            [.., newest] => unsure.push((node, *newest)),
            [] => {}
        }
    }
    unsure
}

/// The newest begun thread before this mail, else the oldest after it.
fn nearest(begun: &HashMap<(&str, &str), Vec<usize>>, facts: &Facts, node: usize) -> Option<usize> {
    let (mut before, mut after): (Option<usize>, Option<usize>) = (None, None);
    for person in &facts.participants {
        let Some(nodes) = begun.get(&(facts.base_subject.as_str(), person.as_str())) else {
            continue;
        };
        let split = nodes.partition_point(|other| *other < node);
        before = before.max(split.checked_sub(1).and_then(|at| nodes.get(at).copied()));
        after = [after, nodes.get(split).copied()].into_iter().flatten().min();
    }
    before.or(after)
}

fn groups(
    ordered: &[&Facts],
    owners: &Owners<'_>,
    suspects: &[(usize, usize)],
    threads: &mut Threads<'_>,
    pins: &BTreeMap<MessageRef, CaseId>,
) -> Vec<Group> {
    let mut number: HashMap<usize, usize> = HashMap::new();
    let mut members: Vec<Vec<&Facts>> = Vec::new();
    for (node, facts) in ordered.iter().enumerate() {
        let at = *number.entry(threads.find(node)).or_insert(members.len());
        match members.get_mut(at) {
            Some(group) => group.push(facts),
            None => members.push(vec![facts]),
        }
    }
    let mut groups: Vec<Group> =
        members.iter().filter_map(|group| named(group, owners, pins)).collect();
    for (node, target) in suspects {
        // A join by subject may have brought them together after all.
        let apart = !threads.same(*node, *target);
        if let (true, Some(at)) = (apart, number.get(&threads.find(*node)))
            && let Some(group) = groups.get_mut(*at)
            && let (Some(mail), Some(other)) = (ordered.get(*node), ordered.get(*target))
        {
            group.suspects.push((mail.message, other.message));
        }
    }
    groups
}

fn named(
    group: &[&Facts],
    owners: &Owners<'_>,
    pins: &BTreeMap<MessageRef, CaseId>,
) -> Option<Group> {
    let members: Vec<MessageRef> = group.iter().map(|facts| facts.message).collect();
    let pinned = members.iter().find_map(|message| Some((*message, pins.get(message)?.clone())));
    let (root, id) = pinned.or_else(|| {
        let by_hand = group.iter().find(|facts| facts.direction != Direction::Automatic);
        let first = by_hand.or_else(|| group.first())?;
        let message_id = first.message_id.as_deref().filter(|id| owners.unique(id));
        Some((first.message, CaseId::derive(message_id, &first.message)))
    })?;
    Some(Group { id, root, members, suspects: Vec::new() })
}

#[cfg(test)]
mod tests;
