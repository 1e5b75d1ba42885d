use proptest::prelude::*;

use super::*;
use crate::intake::{asked_keys, held_keys};
use jiff::Timestamp;

fn mail(n: u8, id: &str, references: &[&str], subject: &str, who: &str) -> Facts {
    let (base_subject, is_reply) = crate::intake::subject::base(subject);
    Facts {
        message: MessageRef::of(&[n]),
        message_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        references: references.iter().map(|id| (*id).to_owned()).collect(),
        base_subject,
        is_reply,
        participants: Some(who.to_owned()).filter(|who| !who.is_empty()).into_iter().collect(),
        received: Timestamp::from_second(i64::from(n) * 60).expect("in range"),
        direction: Direction::In,
        ghsa: None,
        refers_back: false,
    }
}

fn back(facts: Facts) -> Facts {
    Facts { refers_back: facts.begins(), ..facts }
}

fn of(direction: Direction, facts: Facts) -> Facts {
    Facts { direction, ..facts }
}

/// Groups as lists of the numbers given to [`mail`].
fn sorted(facts: &[Facts]) -> Vec<Vec<u8>> {
    let numbers: BTreeMap<MessageRef, u8> = (0..=255).map(|n| (MessageRef::of(&[n]), n)).collect();
    let groups = assign(facts, &BTreeMap::new());
    groups.iter().map(|group| group.members.iter().map(|m| numbers[m]).collect()).collect()
}

#[test]
fn references_join_also_through_a_missing_mail() {
    assert_eq!(
        sorted(&[
            mail(1, "a", &[], "hole", "r@x"),
            mail(2, "b", &["a"], "Re: hole", "r@x"),
            mail(3, "c", &["a", "missing"], "Re: hole", "r@x"),
            mail(4, "d", &["missing"], "Re: hole", "s@x"),
            mail(5, "e", &[], "other", "r@x"),
        ]),
        [vec![1, 2, 3, 4], vec![5]]
    );
}

#[test]
fn an_answer_received_before_its_question_joins() {
    assert_eq!(
        sorted(&[mail(1, "b", &["a"], "Re: hole", "r@x"), mail(2, "a", &[], "hole", "r@x")]),
        [vec![1, 2]]
    );
}

#[test]
fn a_bare_answer_joins_by_subject_and_person_only() {
    assert_eq!(
        sorted(&[
            mail(1, "a", &[], "hole", "r@x"),
            mail(2, "b", &[], "AW: Hole", "r@x"),
            mail(3, "c", &[], "AW: hole", "other@x"),
            mail(4, "d", &[], "hole", "r@x"),
            mail(5, "e", &["never-seen"], "Re: hole", "r@x"),
        ]),
        [vec![1, 2], vec![3], vec![4, 5]],
        "the newest thread before the answer is meant; a new report is no answer"
    );
}

#[test]
fn answers_without_a_first_mail_belong_together() {
    assert_eq!(
        sorted(&[mail(1, "a", &[], "Re: hole", "r@x"), mail(2, "b", &[], "Re: hole", "r@x")]),
        [vec![1, 2]]
    );
    assert_eq!(
        sorted(&[mail(1, "a", &[], "Re:", "r@x"), mail(2, "b", &[], "Re:", "r@x")]),
        [vec![1], vec![2]],
        "an empty subject says nothing"
    );
}

#[test]
fn a_stranger_with_another_subject_is_a_suspect() {
    let facts = [mail(1, "a", &[], "hole", "r@x"), mail(2, "b", &["a"], "Re: prize", "m@evil")];
    let groups = assign(&facts, &BTreeMap::new());
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[1].suspects, [(facts[1].message, facts[0].message)]);
    assert!(groups[0].suspects.is_empty());
}

#[test]
fn a_known_person_may_change_the_subject() {
    assert_eq!(
        sorted(&[mail(1, "a", &[], "hole", "r@x"), mail(2, "b", &["a"], "details", "r@x")]),
        [vec![1, 2]]
    );
}

#[test]
fn our_own_and_automatic_mails_join_by_reference() {
    assert_eq!(
        sorted(&[
            mail(1, "a", &[], "hole", "r@x"),
            of(Direction::Out, mail(2, "b", &["a"], "your report", "boss@x")),
            of(Direction::Automatic, mail(3, "c", &["b"], "Undelivered mail", "mailer-daemon@x")),
        ]),
        [vec![1, 2, 3]]
    );
}

#[test]
fn a_mail_that_speaks_of_the_one_report_joins_it() {
    let report = || mail(1, "a", &[], "hole", "r@x");
    let back_to = |n| back(mail(n, "z", &[], "an article", "r@x"));
    assert_eq!(sorted(&[report(), back_to(5)]), [vec![1, 5]]);
    assert_eq!(sorted(&[report(), mail(2, "b", &["a"], "Re: hole", "r@x"), back_to(5)]).len(), 1);
    assert_eq!(sorted(&[back_to(0), report()]).len(), 2, "nothing was told before");
    assert_eq!(sorted(&[mail(1, "a", &[], "hole", "other@x"), back_to(5)]).len(), 2);
    assert_eq!(sorted(&[report(), mail(5, "z", &[], "an article", "r@x")]).len(), 2);
    let old =
        Facts { received: Timestamp::from_second(-40_000_000).expect("in range"), ..report() };
    assert_eq!(sorted(&[old, back_to(5)]).len(), 2, "more than a year ago");
}

#[test]
fn of_two_reports_only_a_reader_can_tell_which_is_meant() {
    let facts = [
        mail(1, "a", &[], "hole", "r@x"),
        mail(2, "b", &[], "leak", "r@x"),
        back(mail(3, "c", &[], "an article", "r@x")),
    ];
    let groups = assign(&facts, &BTreeMap::new());
    assert_eq!(groups.len(), 3);
    assert_eq!(groups[2].suspects, [(facts[2].message, facts[1].message)]);
}

#[test]
fn one_mail_does_not_tie_two_cases_together() {
    assert_eq!(
        sorted(&[
            mail(1, "a", &[], "hole", "r@x"),
            mail(2, "b", &[], "leak", "s@x"),
            mail(3, "c", &["a", "b"], "Re: leak", "r@x"),
        ]),
        [vec![1], vec![2, 3]]
    );
}

#[test]
fn a_different_mail_under_a_used_id_stays_alone() {
    let facts = [mail(1, "a", &[], "prize", "m@evil"), mail(2, "a", &[], "hole", "r@x")];
    let groups = assign(&facts, &BTreeMap::new());
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[1].id, CaseId::derive(None, &facts[1].message), "named by its bytes");
    assert_eq!(
        sorted(&[
            facts[0].clone(),
            facts[1].clone(),
            mail(3, "c", &["a"], "Re: hole", "r@x"),
            mail(4, "a", &[], "hole", "r@x")
        ]),
        [vec![1], vec![2, 3, 4]],
        "an answer finds the one it means, a second copy joins"
    );
}

#[test]
fn cycles_and_self_reference_end() {
    assert_eq!(
        sorted(&[
            mail(1, "a", &["b"], "x", "r@x"),
            mail(2, "b", &["a"], "x", "r@x"),
            mail(3, "s", &["s"], "y", "r@x"),
        ]),
        [vec![1, 2], vec![3]]
    );
}

#[test]
fn advisory_notifications_come_together() {
    let about = |ghsa: &str, facts| Facts { ghsa: Some(ghsa.to_owned()), ..facts };
    assert_eq!(
        sorted(&[
            about("GHSA-1", mail(1, "a", &[], "one", "n@github.com")),
            about("GHSA-2", mail(2, "b", &[], "two", "n@github.com")),
            about("GHSA-1", mail(3, "c", &[], "renamed", "n@github.com")),
        ]),
        [vec![1, 3], vec![2]]
    );
}

#[test]
fn pinned_cases_keep_id_and_distance() {
    let facts = [
        mail(1, "b", &["a"], "Re: hole", "r@x"),
        mail(2, "a", &[], "hole", "r@x"),
        mail(3, "c", &["b"], "Re: hole", "r@x"),
    ];
    let id = |n: usize| CaseId::derive(Some("pinned"), &facts[n].message);
    let pins: BTreeMap<_, _> = [(facts[1].message, id(1))].into();
    let groups = assign(&facts, &pins);
    assert_eq!((groups.len(), &groups[0].id, groups[0].root), (1, &id(1), facts[1].message));

    let other = CaseId::derive(Some("other"), &facts[0].message);
    let pins: BTreeMap<_, _> = [(facts[1].message, id(1)), (facts[0].message, other)].into();
    let groups = assign(&facts, &pins);
    assert_eq!(groups.len(), 2, "two files with decisions stay two");

    let pins: BTreeMap<_, _> = [(facts[0].message, id(1)), (facts[2].message, id(1))].into();
    assert_eq!(assign(&facts, &pins).len(), 1);
}

#[test]
fn a_bounce_is_not_the_first_mail() {
    let facts = [
        of(Direction::Automatic, mail(1, "z", &["a"], "Undelivered", "d@x")),
        mail(2, "a", &[], "hole", "r@x"),
    ];
    assert_eq!(assign(&facts, &BTreeMap::new())[0].root, facts[1].message);
}

fn any_mail() -> impl Strategy<Value = Facts> {
    let word = prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "g", "h"]);
    let subject = prop::sample::select(vec!["x", "Re: x", "y", "Re: y", "Re: z", "z", "Re:"]);
    let direction = prop::sample::select(vec![Direction::In, Direction::Out, Direction::Automatic]);
    let ghsa = prop::option::weighted(0.1, prop::sample::select(vec!["G1", "G2"]));
    (
        (0u8..120, prop::option::weighted(0.8, word.clone())),
        prop::collection::vec(word.clone(), 0..3),
        (subject, prop::sample::select(vec!["p", "q", "r", "s"])),
        (direction, ghsa, any::<bool>()),
    )
        .prop_map(|((n, id), references, (subject, who), (direction, ghsa, back))| {
            let references: Vec<&str> = references.into_iter().filter(|r| Some(*r) != id).collect();
            let facts = mail(n, id.unwrap_or(""), &references, subject, who);
            let begins = facts.begins() && direction == Direction::In && ghsa.is_none();
            Facts { direction, ghsa: ghsa.map(str::to_owned), refers_back: back && begins, ..facts }
        })
}

fn any_mails() -> impl Strategy<Value = Vec<Facts>> {
    prop::collection::vec(any_mail(), 0..40).prop_map(|mut mails| {
        let mut seen = std::collections::HashSet::new();
        mails.retain(|facts| seen.insert(facts.message));
        mails
    })
}

/// All facts that are connected with `start` through keys.
fn closure(all: &[Facts], start: &Facts) -> Vec<Facts> {
    let asked = |facts: &Facts| asked_keys(facts).into_iter().map(|(key, _)| key);
    let mut known: std::collections::HashSet<u64> = asked(start).collect();
    let mut inside = vec![start.clone()];
    loop {
        let before = inside.len();
        for facts in all {
            let touches = held_keys(facts).iter().any(|key| known.contains(key));
            if touches && !inside.iter().any(|other| other.message == facts.message) {
                known.extend(asked(facts));
                inside.push(facts.clone());
            }
        }
        if inside.len() == before {
            return inside;
        }
    }
}

fn some_pins(all: &[Facts], every: usize) -> BTreeMap<MessageRef, CaseId> {
    let pinned = all.iter().step_by(every.max(1));
    pinned.map(|facts| (facts.message, CaseId::derive(None, &facts.message))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter(
        (mails, shuffled) in any_mails().prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        every in 3usize..9,
    ) {
        let pins = some_pins(&mails, every);
        prop_assert_eq!(assign(&mails, &pins), assign(&shuffled, &pins));
    }

    #[test]
    fn every_mail_is_in_exactly_one_group(mails in any_mails()) {
        let groups = assign(&mails, &BTreeMap::new());
        let mut members: Vec<_> = groups.iter().flat_map(|group| group.members.clone()).collect();
        members.sort();
        let mut all: Vec<_> = mails.iter().map(|facts| facts.message).collect();
        all.sort();
        prop_assert_eq!(members, all);
        for group in &groups {
            prop_assert!(group.members.contains(&group.root));
        }
    }

    #[test]
    fn a_closed_part_gives_its_part_of_the_whole(mails in any_mails(), every in 3usize..9) {
        let pins = some_pins(&mails, every);
        let whole = assign(&mails, &pins);
        for start in &mails {
            let part = assign(&closure(&mails, start), &pins);
            for group in &part {
                prop_assert!(whole.contains(group), "{:?} not in the whole", group);
            }
        }
    }

    #[test]
    fn two_halves_one_after_the_other_give_the_whole(mails in any_mails(), cut in 0usize..40) {
        // The store's way: the groups touched by each new half are worked out again over their closure.
        let cut = cut.min(mails.len());
        let pins = BTreeMap::new();
        let mut by_root: BTreeMap<MessageRef, Group> = BTreeMap::new();
        for (known, new) in [(&mails[..cut], &mails[..cut]), (&mails[..], &mails[cut..])] {
            for start in new {
                let inside = closure(known, start);
                let touched: Vec<_> = inside.iter().map(|facts| facts.message).collect();
                by_root.retain(|_, group| !group.members.iter().any(|m| touched.contains(m)));
                by_root.extend(assign(&inside, &pins).into_iter().map(|group| (group.root, group)));
            }
        }
        let whole: BTreeMap<_, _> =
            assign(&mails, &pins).into_iter().map(|group| (group.root, group)).collect();
        prop_assert_eq!(by_root, whole);
    }

    #[test]
    fn pinned_cases_stay_apart_and_keep_their_ids(mails in any_mails(), every in 2usize..6) {
        let pins = some_pins(&mails, every);
        for group in assign(&mails, &pins) {
            let inside: Vec<_> = group.members.iter().filter_map(|m| pins.get(m)).collect();
            prop_assert!(inside.len() <= 1);
            if let Some(id) = inside.first() {
                prop_assert_eq!(*id, &group.id);
            }
        }
    }
}

#[test]
fn a_hundred_thousand_mails_are_quick() {
    let facts: Vec<Facts> = (0..100_000u32)
        .map(|n| {
            let thread = n / 5;
            let parent = format!("{}@x", thread * 5);
            let references: &[&str] = if n % 5 == 0 { &[] } else { &[&parent] };
            let subject =
                if n % 5 == 0 { "report".to_owned() } else { format!("Re: report {thread}") };
            let mut facts = mail(0, &format!("{n}@x"), references, &subject, "bot@x");
            facts.message = MessageRef::of(&n.to_be_bytes());
            facts.received = Timestamp::from_second(i64::from(n)).expect("in range");
            facts
        })
        .collect();
    let started = std::time::Instant::now();
    assert_eq!(assign(&facts, &BTreeMap::new()).len(), 20_000);
    println!("100,000 mails assigned in {:?}", started.elapsed());
    assert!(started.elapsed().as_secs() < 30, "even unoptimised");
}
