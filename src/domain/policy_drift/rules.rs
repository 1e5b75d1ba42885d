//! What two versions of a policy's data ask differently. Hint rules and new releases are no change of the rules.

use crate::domain::ClauseId;
use crate::domain::policy::{Item, Policy};

/// What has changed, each in a few words; empty where both ask the same.
pub fn rule_changes(old: &Policy, new: &Policy) -> Vec<String> {
    let mut told = Vec::new();
    let ids = |of: &dyn Fn(&Item) -> bool, items: &[Item]| -> Vec<ClauseId> {
        items.iter().filter(|item| of(item)).map(|item| item.id.clone()).collect()
    };
    let mut add = |ids: Vec<ClauseId>, what: &str| {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            told.push(format!("{what}: {}", ids.join(" ")));
        }
    };
    add(ids(&|item| old.item(&item.id).is_none(), &new.items), "new points");
    add(ids(&|item| new.item(&item.id).is_none(), &old.items), "points taken away");
    let differs = |item: &Item| old.item(&item.id).is_some_and(|was| asks(was) != asks(item));
    add(ids(&differs, &new.items), "points changed");
    let parts = [
        ("the clocks", old.periods != new.periods),
        ("the scoring rule", old.scoring != new.scoring),
        ("the contact", (&old.contact, &old.url) != (&new.contact, &new.url)),
        ("the branches in development", old.branches != new.branches),
    ];
    told.extend(
        parts.iter().filter(|(_, changed)| *changed).map(|(what, _)| format!("changed: {what}")),
    );
    told
}

/// What a point asks and what follows, without its helps.
fn asks(item: &Item) -> impl PartialEq {
    (
        item.kind,
        item.question.clone(),
        item.outcomes,
        item.sentences.clone(),
        item.rank,
        item.section.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support::policy;

    #[test]
    fn only_what_a_policy_asks_counts() {
        let old = policy();
        let mut new = old.clone();
        new.hash = "other".into();
        new.releases.clear();
        new.items[0].traps.push("beware".into());
        assert_eq!(rule_changes(&old, &new), [""; 0]);
        new.items[0].question.push('?');
        new.items[1].id = "Q9".into();
        new.periods.embargo_days += 1;
        assert_eq!(
            rule_changes(&old, &new),
            [
                "new points: Q9",
                "points taken away: Q2a",
                "points changed: Q1",
                "changed: the clocks"
            ]
        );
    }
}
