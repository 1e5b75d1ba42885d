//! A small policy of an invented product for the tests of the rules.

use jiff::civil::date;

use super::policy::{
    Item, ItemKind, Outcome, Outcomes, Periods, Policy, Release, Scoring, Support,
};

/// A policy with one item, two releases and one fork.
pub fn policy() -> Policy {
    let release = |version: &str, date| Release { version: version.into(), date };
    Policy {
        name: "widget".into(),
        product: "Widget".into(),
        package: Default::default(),
        contact: "security@widget.example".into(),
        url: "https://widget.example/security".into(),
        hash: String::new(),
        periods: Periods {
            acknowledge_days: 7,
            acknowledge_warn_days: 2,
            update_days: 30,
            embargo_days: 90,
            embargo_warn_days: 7,
            nudge_days: 14,
            close_days: 30,
            pauses: Vec::new(),
        },
        scoring: Scoring {
            version: "CVSS:3.1".into(),
            max_attack_vector: "A".into(),
            cve_threshold_tenths: 40,
        },
        releases: vec![release("1.9.0", date(2026, 1, 15)), release("1.10.0", date(2026, 2, 1))],
        branches: vec!["devel".into(), "rc/*".into()],
        forks: vec!["forkwidget".into()],
        vocabulary: Vec::new(),
        items: vec![item("Q1"), item("Q2a"), item("Q2b")],
        rationale: Vec::new(),
        hints: Vec::new(),
    }
}

fn item(id: &str) -> Item {
    Item {
        id: id.into(),
        kind: ItemKind::Gate,
        section: "Rules".into(),
        title: "Impact".into(),
        question: "Is there an impact?".into(),
        outcomes: Outcomes { no: Outcome::Ask, ..Outcomes::default() },
        sentences: Vec::new(),
        support: Support::Aid,
        traps: Vec::new(),
        rank: 0,
    }
}
