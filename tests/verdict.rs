//! The outcome algebra under the policy of OctoPrint, as a table: every row that the rules name.
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::LazyLock;

use casebook::config::policy::{embedded, parse};
use casebook::domain::hint::{AiUse, Flags, VersionStatus};
use casebook::domain::journal::AnswerValue::{self, No, Unclear, Yes};
use casebook::domain::policy::Policy;
use casebook::domain::verdict::{Answers, CaseFacts, Verdict, propose};
use casebook::domain::{CaseId, ClauseId, Disposition, MessageRef};

/// Read once: its patterns take a while to check.
fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        parse(embedded("octoprint").expect("it is embedded")).expect("it is valid")
    });
    &POLICY
}

fn answers(given: &[(&str, AnswerValue)]) -> Answers {
    given.iter().map(|(clause, answer)| (ClauseId::from(*clause), *answer)).collect()
}

/// A report against the latest release with a proof of concept and a vector.
fn sound() -> CaseFacts {
    CaseFacts {
        flags: Flags { has_poc: true, ..Flags::default() },
        has_vector: true,
        version: VersionStatus::LatestStable,
        ..CaseFacts::default()
    }
}

fn flagged(change: fn(&mut Flags)) -> CaseFacts {
    let mut facts = CaseFacts::default();
    change(&mut facts.flags);
    facts
}

fn scored(tenths: u16) -> CaseFacts {
    CaseFacts { score_tenths: Some(tenths), ..sound() }
}

fn judge(given: &[(&str, AnswerValue)], facts: &CaseFacts) -> Verdict {
    propose(policy(), &answers(given), facts)
}

struct Case {
    row: &'static str,
    given: &'static [(&'static str, AnswerValue)],
    facts: CaseFacts,
    wanted: Disposition,
    clauses: &'static str,
    missing: &'static str,
    advisory: bool,
    cve: bool,
}

fn case(
    row: &'static str,
    given: &'static [(&'static str, AnswerValue)],
    facts: CaseFacts,
) -> Case {
    let wanted = Disposition::Accept;
    Case { row, given, facts, wanted, clauses: "SV1", missing: "", advisory: false, cve: false }
}

impl Case {
    fn becomes(self, wanted: Disposition, clauses: &'static str) -> Self {
        Self { wanted, clauses, ..self }
    }

    fn asks(self, missing: &'static str) -> Self {
        Self { missing, clauses: missing, wanted: Disposition::NeedsInfo, ..self }
    }

    fn with(self, advisory: bool, cve: bool) -> Self {
        Self { advisory, cve, ..self }
    }
}

fn check(cases: Vec<Case>) {
    let words = |ids: &[ClauseId]| ids.iter().map(ClauseId::as_str).collect::<Vec<_>>().join(" ");
    for case in cases {
        let got = judge(case.given, &case.facts);
        let row = case.row;
        assert_eq!(got.disposition, case.wanted, "{row}: {got:?}");
        assert_eq!(words(&got.clauses), case.clauses, "{row}: {got:?}");
        assert_eq!(words(&got.missing), case.missing, "{row}: {got:?}");
        assert_eq!((got.advisory, got.cve), (case.advisory, case.cve), "{row}: {got:?}");
        assert!(!got.why.is_empty() && !got.why.contains('\n'), "{row}: {got:?}");
    }
}

#[test]
fn valid_reports() {
    const HELD: &[(&str, AnswerValue)] = &[("PD3", Yes), ("PD4", Yes), ("PD5", Yes)];
    let dev = CaseFacts { version: VersionStatus::DevBranch, ..scored(75) };
    check(vec![
        case("valid, criteria hold, Moderate", HELD, scored(40)).with(true, true),
        case("valid, criteria hold, Low", HELD, scored(39)).with(true, false),
        case("valid, criteria hold, not scored", HELD, sound()).with(true, false),
        case("severity by answer", &[("PD6", Yes)], sound()).with(true, true),
        case("severity answered as low", &[("PD6", No)], scored(90)).with(true, false),
        case("valid, already public", &[("PD5", No)], scored(75))
            .becomes(Disposition::Accept, "SV1 PD5"),
        case("valid, leaked", &[("DI1", No)], scored(75)).becomes(Disposition::Accept, "SV1 PD5"),
        case("reported in public", &[("CH1", No)], scored(75))
            .becomes(Disposition::Accept, "SV1 PD5"),
        case("disqualified, though a good idea", &[("NQ11", Yes), ("CH3", Yes)], scored(75))
            .becomes(Disposition::Reject, "NQ11"),
        case("valid, in a library after all", &[("PD3", No)], scored(75))
            .becomes(Disposition::Accept, "SV1 PD3"),
        case("valid in a development branch only", HELD, dev).becomes(Disposition::Accept, "SV2"),
        case("no vector, unable to score", &[("SC1", No), ("SC3", Yes)], sound()).with(true, false),
        case("AV above the cap is no fault", &[("SC6", No)], scored(88)).with(true, true),
    ]);
    // A missing vector is asked for, but does not hold up a report that stands without it.
    let soft = judge(&[("SC1", No)], &sound());
    assert_eq!((soft.disposition, soft.missing), (Disposition::Accept, vec!["SC1".into()]));
}

#[test]
fn known_reports() {
    let earlier = CaseId::derive(Some("first@x"), &MessageRef::of(b""));
    let repeated = CaseFacts { duplicate_of: Some(earlier), ..sound() };
    let old = CaseFacts { version: VersionStatus::Outdated, ..sound() };
    check(vec![
        case("known to us", &[("PD4", No)], sound()).becomes(Disposition::Duplicate, "PD4"),
        case("like an earlier case", &[], repeated.clone()).becomes(Disposition::Duplicate, "PD4"),
        case("like one, but a human says new", &[("PD4", Yes)], repeated.clone()).with(true, false),
        case("like one, nobody knows", &[("PD4", Unclear)], repeated).with(true, false),
        case("public and known to us", &[("PD4", No), ("PD5", No)], sound())
            .becomes(Disposition::AlreadyPublic, "PD5 PD4"),
        case("public and fixed long ago", &[("PD5", No), ("SV1", No)], old)
            .becomes(Disposition::AlreadyPublic, "PD5 SV1"),
    ]);
}

#[test]
fn junk_and_routing() {
    check(vec![
        case("junk", &[], flagged(|f| f.spam = true)).becomes(Disposition::Spam, ""),
        case(
            "junk by form, but about us",
            &[("CH2", Yes), ("CH4", No)],
            flagged(|f| f.spam = true),
        )
        .asks("CH4 NQ2"),
        case("support request", &[("CH2", No)], sound()).becomes(Disposition::WrongProject, "CH1"),
        case("another product", &[], flagged(|f| f.other_product = true))
            .becomes(Disposition::WrongProject, "PD3"),
        case("coordinator", &[], flagged(|f| f.coordination = true))
            .becomes(Disposition::Coordination, ""),
        case("encrypted", &[], CaseFacts { all_encrypted: true, ..CaseFacts::default() })
            .becomes(Disposition::UndecidableEncrypted, "CH1"),
        case("money only", &[], flagged(|f| f.bounty_request = true))
            .becomes(Disposition::NoBounty, "BO1 CH4"),
    ]);
    let with_flaw = CaseFacts { flags: Flags { bounty_request: true, ..sound().flags }, ..sound() };
    assert_eq!(
        judge(&[], &with_flaw).disposition,
        Disposition::Accept,
        "money does not lower a flaw"
    );
}

#[test]
fn scope() {
    let of = |version| CaseFacts { version, ..CaseFacts::default() };
    let proven_old = CaseFacts { version: VersionStatus::Outdated, ..sound() };
    let settled = CaseFacts { confirmed: [ClauseId::from("SV1")].into(), ..proven_old.clone() };
    check(vec![
        case("fork", &[("SV4", Yes)], sound()).becomes(Disposition::Reject, "SV4"),
        case("fork's version", &[], of(VersionStatus::Fork)).becomes(Disposition::Reject, "SV4"),
        case(
            "fork's version, but the flaw is ours",
            &[("SV4", No)],
            CaseFacts { version: VersionStatus::Fork, ..sound() },
        )
        .with(true, false),
        case("old version, no proof", &[("SV1", No)], of(VersionStatus::Outdated))
            .becomes(Disposition::Reject, "SV1"),
        case("old version with a proof", &[("SV1", No)], proven_old.clone()).asks("SV1"),
        case("old version by its number only", &[], proven_old).asks("SV1"),
        case("old version, settled", &[("SV1", No)], settled).becomes(Disposition::Reject, "SV1"),
        case(
            "in development, latest unclear",
            &[("SV1", Unclear), ("SV2", Yes)],
            CaseFacts { version: VersionStatus::DevBranch, ..sound() },
        )
        .becomes(Disposition::Accept, "SV2"),
        case("old and in development", &[("SV1", No), ("SV2", Yes)], sound()).with(true, false),
    ]);
}

#[test]
fn disqualifiers_decline_strongest_first() {
    check(vec![
        case("library", &[("NQ3", Yes)], sound()).becomes(Disposition::ForwardUpstream, "NQ3"),
        case("scanner on a library", &[("NQ1", Yes), ("NQ3", Yes)], sound())
            .becomes(Disposition::Reject, "NQ3 NQ1"),
        case("several", &[("NQ10", Yes), ("NQ8", Yes), ("NQ2", Yes)], sound())
            .becomes(Disposition::Reject, "NQ8 NQ10 NQ2"),
        case("both halves of NQ5", &[("NQ5b", Yes), ("NQ5a", Yes)], sound())
            .becomes(Disposition::Reject, "NQ5a NQ5b"),
        case("disqualified and incomplete", &[("NQ6", Yes), ("CH4", No), ("SC1", No)], sound())
            .becomes(Disposition::Reject, "NQ6"),
        case(
            "disqualified and asking for money",
            &[("NQ4", Yes), ("BO1", Yes)],
            CaseFacts::default(),
        )
        .becomes(Disposition::Reject, "NQ4"),
        case("theory only", &[("NQ2", Yes)], CaseFacts::default())
            .becomes(Disposition::Reject, "NQ2"),
    ]);
    for id in "NQ1 NQ2 NQ4 NQ5a NQ5b NQ6 NQ7 NQ8 NQ9 NQ10 NQ11".split(' ') {
        let got = propose(policy(), &[(id.into(), Yes)].into(), &sound());
        assert_eq!((got.disposition, got.clauses), (Disposition::Reject, vec![id.into()]));
    }
}

#[test]
fn everything_missing_is_asked_for_in_one_mail() {
    let suspected = |facts: CaseFacts| CaseFacts {
        flags: Flags { ai: AiUse::Suspected, ..facts.flags },
        ..facts
    };
    check(vec![
        case("nothing known", &[], CaseFacts::default()).asks("NQ2"),
        case("no impact, no vector", &[("CH4", No), ("SC1", No)], sound()).asks("CH4 SC1"),
        case("proof unclear", &[("NQ2", Unclear)], sound()).asks("NQ2"),
        case("vector faulty only: one round of correction", &[("SC5", Yes)], sound()).asks("SC5"),
        case("AI suspected", &[], suspected(sound())).asks("AI1"),
        case("AI suspected, no proof", &[], suspected(CaseFacts::default())).asks("NQ2 AI1 AI2"),
        case(
            "AI used, not checked, not own words",
            &[("AI1", Yes), ("AI2", No), ("AI6", No)],
            sound(),
        )
        .asks("AI2 AI6"),
        case("AI used, told and checked", &[("AI1", Yes), ("AI2", Yes)], sound()).with(true, false),
        case("a score of nothing", &[], scored(0)).asks("CH4"),
        case(
            "everything at once",
            &[
                ("CH4", Unclear),
                ("SV1", Unclear),
                ("NQ2", Unclear),
                ("SC1", No),
                ("SC5", Yes),
                ("AI1", No),
                ("AI4", Yes),
            ],
            CaseFacts::default(),
        )
        .asks("CH4 SV1 NQ2 SC1 SC5 AI1 AI4"),
    ]);
}

#[test]
fn a_ban_needs_the_answer_of_a_human_and_claims_that_fail() {
    use casebook::domain::verdict::Claims;
    let mut facts = sound();
    assert_ne!(judge(&[("AI10", Yes)], &facts).disposition, Disposition::RejectBan);
    facts.confirmed.insert("AI10".into());
    assert_eq!(judge(&[("AI10", Yes)], &facts).disposition, Disposition::Reject);
    facts.claims = Some(Claims { held: 2, failed: 0 });
    assert_eq!(judge(&[("AI10", Yes)], &facts).disposition, Disposition::Reject);
    facts.claims = Some(Claims { held: 2, failed: 1 });
    assert_eq!(judge(&[("AI10", Yes)], &facts).disposition, Disposition::RejectBan);
    for answer in [No, Unclear] {
        assert_ne!(judge(&[("AI10", answer)], &facts).disposition, Disposition::RejectBan);
    }
}

#[test]
fn claims_that_do_not_resolve_make_a_ban_a_proposal_only_beside_a_tools_marks() {
    use casebook::domain::verdict::Claims;
    let pasted = |held, failed| {
        let flags = Flags { ai: AiUse::Suspected, ..Flags::default() };
        CaseFacts { flags, claims: Some(Claims { held, failed }), ..CaseFacts::default() }
    };
    let ends = |facts: &CaseFacts| judge(&[], facts).disposition;
    assert_eq!(ends(&pasted(0, 2)), Disposition::RejectBan);
    assert!(judge(&[], &pasted(0, 2)).why.contains("none of 2 claims resolves"));
    assert_eq!(ends(&pasted(3, 2)), Disposition::NeedsInfo, "some of it is true");
    assert_eq!(ends(&pasted(0, 0)), Disposition::NeedsInfo, "nothing was claimed");
    assert_eq!(ends(&CaseFacts { claims: None, ..pasted(0, 2) }), Disposition::NeedsInfo);
    let plain = CaseFacts { claims: Some(Claims { held: 0, failed: 2 }), ..sound() };
    assert_ne!(ends(&plain), Disposition::RejectBan, "a slip of the pen");
    let kept = CaseFacts { confirmed: [ClauseId::from("AI10")].into(), ..pasted(0, 2) };
    assert_ne!(judge(&[("AI10", No)], &kept).disposition, Disposition::RejectBan, "you said no");
}

/// Whatever single point is unclear, nobody is turned away for it.
#[test]
fn unclear_never_declines() {
    let policy = policy();
    let kind = [Disposition::Accept, Disposition::NeedsInfo];
    for item in &policy.items {
        for facts in [CaseFacts::default(), sound(), scored(75)] {
            let facts = CaseFacts { confirmed: [item.id.clone()].into(), ..facts };
            let got = propose(policy, &[(item.id.clone(), Unclear)].into(), &facts);
            assert!(kind.contains(&got.disposition), "{}: {got:?}", item.id);
        }
    }
}

mod whatever_the_answers {
    use super::*;
    use proptest::prelude::*;

    fn any_answers() -> impl Strategy<Value = Answers> {
        let ids: Vec<ClauseId> = policy().items.iter().map(|item| item.id.clone()).collect();
        let answer = prop_oneof![Just(Yes), Just(No), Just(Unclear)];
        proptest::collection::btree_map(proptest::sample::select(ids), answer, 0..8)
    }

    fn any_facts() -> impl Strategy<Value = CaseFacts> {
        let version = prop_oneof![
            Just(VersionStatus::LatestStable),
            Just(VersionStatus::DevBranch),
            Just(VersionStatus::Outdated),
            Just(VersionStatus::Unstated),
        ];
        let score = proptest::option::of(0u16..=100);
        (any::<[bool; 6]>(), version, score).prop_map(|(bits, version, score_tenths)| {
            let [has_poc, bounty_request, public, has_vector, suspected, all_encrypted] = bits;
            let ai = if suspected { AiUse::Suspected } else { AiUse::None };
            let flags = Flags { ai, has_poc, bounty_request, public, ..Flags::default() };
            CaseFacts {
                flags,
                version,
                score_tenths,
                has_vector,
                all_encrypted,
                ..CaseFacts::default()
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200, failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn a_verdict_keeps_its_promises(answers in any_answers(), facts in any_facts()) {
            let policy = policy();
            let got = propose(policy, &answers, &facts);
            prop_assert!(got.disposition != Disposition::RejectBan, "a ban from hints alone");
            prop_assert!(!got.cve || got.advisory);
            prop_assert!(!got.advisory || got.disposition == Disposition::Accept);
            prop_assert_eq!(got.disposition == Disposition::NeedsInfo && got.missing.is_empty(), false);
            let known = |id: &ClauseId| policy.item(id).is_some();
            prop_assert!(got.clauses.iter().chain(&got.missing).all(known));
            if got.disposition.declines() {
                prop_assert!(!got.clauses.is_empty(), "declined without a clause");
            }
        }
    }
}
