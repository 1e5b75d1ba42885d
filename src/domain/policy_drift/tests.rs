use super::*;
use crate::domain::policy::{Item, Rationale};
use crate::domain::policy_text::sentence_hash;
use crate::domain::test_support;

const TEXT: &str = "---\ntitle: Reports\nlastupdate: 2026-01-01\n---\n\nWrite to the crew. We answer within 10 days.\n\n## \
                    1. Scope\n\nWe take:\n\n- flaws in the loader\n- flaws in the \
                    bridge\n\nForks are not ours.\n\n## 2. Money\n\nWe pay nothing.\n\nLast updated: \
                    2026-01-01\n";

fn item(id: &str, kind: ItemKind, section: &str, sentence: &str) -> Item {
    let base = test_support::policy().items.remove(0);
    let sentences = vec![sentence_hash(sentence)];
    Item { id: id.into(), kind, section: section.into(), sentences, ..base }
}

fn policy() -> Policy {
    use ItemKind::{Conduct, Context, Disqualifier, Gate, Promise};
    let items = vec![
        item("A1", Gate, "Reports", "Write to the crew."),
        item("A2", Promise, "Reports", "We answer within 10 days."),
        item("B1", Gate, "Scope", "flaws in the loader"),
        item("B2", Gate, "Scope", "flaws in the bridge"),
        item("B3", Disqualifier, "Scope", "Forks are not ours."),
        item("C1", Conduct, "Money", "We pay nothing."),
        item("C2", Context, "Money", "Last updated: #"),
    ];
    let rationale =
        vec![Rationale { section: "Scope".into(), sentences: vec![sentence_hash("We take:")] }];
    Policy { items, rationale, ..test_support::policy() }
}

fn against(text: &str) -> Drift {
    check(&policy(), &PolicyText::read(text), &|_| None)
}

/// Every fault: how it stands, the words as they are, the points.
fn faults(drift: &Drift) -> Vec<(Standing, String, String)> {
    let fault = |f: &&Finding| f.standing.is_fault();
    let row = |f: &Finding| {
        let ids: Vec<_> = f.items.iter().map(ToString::to_string).collect();
        (f.standing, f.text.clone().unwrap_or_default(), ids.join(" "))
    };
    drift.findings.iter().filter(fault).map(row).collect()
}

#[test]
fn a_text_that_belongs_to_its_checklist_is_clean() {
    let drift = against(TEXT);
    assert!(drift.is_clean(), "{:?}", faults(&drift));
    assert_eq!((drift.count(Standing::Covered), drift.count(Standing::Rationale)), (6, 2));
    assert_eq!(drift.layout, [""; 0]);
}

#[test]
fn form_makes_no_difference() {
    let (scope, money) = TEXT.split_at(TEXT.find("## 2.").expect("there"));
    let (money, stamp) = money.split_at(money.find("Last").expect("there"));
    let (head, scope) = scope.split_at(scope.find("## 1.").expect("there"));
    let reordered = format!("{head}{money}\n{scope}\n{stamp}");
    for text in [
        TEXT.replace('\n', "\r\n"),
        TEXT.replace("## 1.", "## 3.").replace("## 2.", "## 4)"),
        TEXT.replace("2026-01-01", "2026-07-31"),
        TEXT.replace("crew. We", "crew.\n  We").replace("- flaws", "1. flaws"),
        reordered,
    ] {
        let drift = against(&text);
        assert!(drift.is_clean(), "{text}: {:?}", faults(&drift));
        let versions = compare(&PolicyText::read(TEXT), &PolicyText::read(&text), &policy());
        assert!(versions.findings.is_empty(), "{text}: {:?}", versions.findings);
    }
}

#[test]
fn one_changed_word_in_any_rule_is_seen() {
    let read = PolicyText::read(TEXT);
    for sentence in read.sentences().iter().filter(|sentence| !sentence.stamp) {
        let words = read.text_of(sentence);
        let word = words.split(' ').next_back().expect("a word");
        let changed = words.replacen(word, &format!("not {word}"), 1);
        let text = TEXT.replacen(words, &changed, 1);
        for known in [true, false] {
            let former =
                |hash: &str| read.sentence_named(hash).filter(|_| known).map(str::to_owned);
            let drift = check(&policy(), &PolicyText::read(&text), &former);
            let found = faults(&drift);
            let [(Standing::Changed, now, ids)] = found.as_slice() else {
                panic!("{words}, {known}: {found:?}")
            };
            assert_eq!(*now, changed);
            assert_eq!(ids.is_empty(), words == "We take:");
            let told = drift.findings.iter().find(|f| f.standing.is_fault()).expect("one");
            assert_eq!(told.former.as_deref(), known.then_some(words));
        }
        let drift = compare(&read, &PolicyText::read(&text), &policy());
        assert_eq!(faults(&drift).len(), 1, "{words}");
        assert_eq!(drift.findings[0].former.as_deref(), Some(words));
    }
}

#[test]
fn rules_without_a_point_and_points_without_a_rule_are_faults() {
    let drift = against(&TEXT.replace("- flaws in the bridge", "").replace(
        "We pay nothing.",
        "We pay nothing. Threats are answered by our lawyers and by nobody else.",
    ));
    let new = "Threats are answered by our lawyers and by nobody else.";
    let wanted = [
        (Standing::Vanished, String::new(), "B2".to_owned()),
        (Standing::New, new.to_owned(), String::new()),
    ];
    assert_eq!(faults(&drift), wanted);
    let vanished = drift.findings.iter().find(|f| f.standing == Standing::Vanished).expect("one");
    assert_eq!(vanished.heading, "Scope");

    let mut policy = policy();
    policy.items[0].sentences.clear();
    let drift = check(&policy, &PolicyText::read(TEXT), &|_| None);
    assert_eq!(drift.bare, [ClauseId::from("A1")]);
    assert_eq!(faults(&drift), [(Standing::New, "Write to the crew.".to_owned(), String::new())]);
}

#[test]
fn an_empty_text_has_lost_everything() {
    let drift = against("");
    assert_eq!(drift.count(Standing::Vanished), 8);
    assert!(check(&test_support::policy(), &PolicyText::read(""), &|_| None).bare.len() == 3);
}

#[test]
fn moved_and_renamed_sections_are_layout() {
    let text = "## A\n\nOne rule. Two rule.\n\n## B\n\nThree rule.\n\n## C\n\nFour rule.\n";
    let other = "## A\n\nTwo rule. One rule.\n\n## 7. D\n\nFour rule.\n\n## B\n\nThree rule.\n";
    let drift = compare(&PolicyText::read(text), &PolicyText::read(other), &policy());
    assert_eq!(drift.findings, []);
    let [renamed, section, sentence] = drift.layout.as_slice() else { panic!("{drift:?}") };
    assert_eq!(renamed, "heading \"C\" is now \"D\"");
    assert!(section.starts_with("section \"") && section.ends_with("was moved"), "{section}");
    assert!(sentence.starts_with("moved within \"A\""), "{sentence}");
    let drift = against(&TEXT.replace("## 2. Money", "## 2. Bounties"));
    assert!(drift.is_clean());
    assert_eq!(drift.layout, ["C1: under \"2. Bounties\", the checklist says \"Money\""]);
}

#[test]
fn repeated_sentences_are_no_drift() {
    let text = "## A\n\nSame. Same.\n";
    let once = "## A\n\nSame.\n";
    let (text, once) = (PolicyText::read(text), PolicyText::read(once));
    assert_eq!(compare(&text, &once, &policy()).findings, []);
    assert_eq!(compare(&once, &text, &policy()).findings, []);
}
