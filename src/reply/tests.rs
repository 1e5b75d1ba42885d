use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::case::Reporter;
use crate::domain::{CaseId, MessageRef};

fn material() -> ReplyMaterial {
    ReplyMaterial {
        case: CaseId::derive(Some("a@b"), &MessageRef::of(b"")),
        reporter: Reporter { name: "Ada Example".into(), address: "ada@example.org".into() },
        subject: "Re: AW: Files can be read".into(),
        product: "Printer".into(),
        received: "2026-06-02T09:15:00Z".parse::<Timestamp>().expect("instant"),
        zone: jiff::tz::TimeZone::UTC,
        embargo_until: None,
        clauses: Vec::new(),
        reason: None,
        evidence: Vec::new(),
        missing: Vec::new(),
        score: None,
        cve_planned: None,
        known_since: None,
        public_link: None,
        upstream: None,
        credit: None,
        policy: PolicyStamp {
            url: "https://example.org/security".into(),
            date: "2025-05-21".into(),
            hash: "0123456789abcdef".into(),
        },
        signature: "Max".into(),
    }
}

fn quote(sentence: &str) -> Quote {
    Quote {
        clause: "NQ11".into(),
        section: "What we do not accept".into(),
        sentences: vec![sentence.to_owned()].into_iter().filter(|text| !text.is_empty()).collect(),
        link: "https://example.org/security".into(),
    }
}

fn ready() -> ReplyMaterial {
    ReplyMaterial {
        clauses: vec![quote("Not this.")],
        missing: vec!["the version".into()],
        ..material()
    }
}

#[test]
fn a_decline_without_ground_is_refused() {
    for name in ["reject", "forward-upstream", "no-bounty", "reject-ban"] {
        assert_eq!(draft(name, &material()), Err(ReplyError::NoGround(name)));
        let reason = Some("The route does not exist.".to_owned());
        assert!(draft(name, &ReplyMaterial { reason, ..material() }).is_ok());
        let blank = Some("  ".to_owned());
        assert!(draft(name, &ReplyMaterial { reason: blank, ..material() }).is_err());
    }
    assert_eq!(draft("needs-info", &material()), Err(ReplyError::NothingMissing));
    assert_eq!(draft("spam", &ready()), Err(ReplyError::Unanswered));
    let unknown = draft("maybe", &ready()).expect_err("unknown").to_string();
    assert!(unknown.contains("use one of acknowledge, accept"), "{unknown}");
}

#[test]
fn every_template_names_case_policy_and_reporter() {
    let material = ready();
    for name in names() {
        let Drafted { subject, text } = draft(name, &material).expect("drafted");
        assert_eq!(subject, "Re: Files can be read");
        assert!(text.starts_with("Hello Ada Example,\n\n"), "{text}");
        let ending = format!(
            "Kind regards\nMax\n\nCase: {}\nPolicy: https://example.org/security (version of \
             2025-05-21, sha256 0123456789ab)\n",
            material.case
        );
        assert!(text.ends_with(&ending), "{text}");
        assert!(text.contains("2026-06-02 09:15 UTC"), "{name}: {text}");
        assert!(!text.contains("ada@example.org"));
        let context = lint::LintContext { case: &material.case, others: &[], bounty_clause: false };
        assert_eq!(lint::lint(&subject, &text, &context), [], "{name}");
    }
}

#[test]
fn clause_and_evidence_are_quoted_word_for_word() {
    let sentence = "Attacks that require  admin access\nto the instance, however long the sentence may be, \
                    keeps its bytes";
    let material = ReplyMaterial {
        clauses: vec![quote(sentence), quote("")],
        evidence: vec!["log in as\u{202e} admin\r\n\u{1b}[31mthen".into()],
        ..material()
    };
    let text = draft("reject", &material).expect("drafted").text;
    let quoted = sentence.replace('\n', "\n> ");
    assert!(text.contains(&format!("What we do not accept:\n> {quoted}\n")), "{text}");
    assert!(text.contains("- \"What we do not accept\", https://example.org/security"), "{text}");
    assert!(text.contains("In your mail:\n> log in as admin\n> [31mthen\n"), "{text}");
}

#[test]
fn an_acceptance_scores_and_asks_for_credit() {
    let material = ReplyMaterial {
        score: Some(ScoreNote {
            vector: "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
            tenths: 88,
            severity: "High".into(),
            cap: Some("Adjacent".into()),
        }),
        cve_planned: Some(true),
        embargo_until: Some("2026-08-31T09:15:00Z".parse().expect("instant")),
        ..material()
    };
    let text = draft("accept", &material).expect("drafted").text;
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "We score it 8.8 (High): CVSS:3.1/AV:A",
        "takes Adjacent as the highest",
        "CVE id through the GitHub advisory",
        "Would you like to be credited",
        "time until 2026-08-31 09:15 UTC",
    ] {
        assert!(folded.contains(part), "{part} in {text}");
    }
    let named = ReplyMaterial { credit: Some("A. E.".into()), ..material };
    assert!(draft("accept", &named).expect("drafted").text.contains("as \"A. E.\""));
}

#[test]
fn a_name_that_is_no_name_is_not_greeted() {
    for name in ["", "ada@example.org", "see https://example.org", "{name}", "<b>"] {
        let reporter = Reporter { name: name.into(), address: String::new() };
        let text =
            draft("acknowledge", &ReplyMaterial { reporter, ..material() }).expect("drafted").text;
        assert!(text.starts_with("Hello,\n"), "{name}: {text}");
    }
}

proptest! {
    #[test]
    fn hostile_material_stays_in_its_line(
        name in any::<String>(),
        subject in any::<String>(),
        evidence in any::<String>(),
        point in any::<String>(),
    ) {
        let material = ReplyMaterial {
            reporter: Reporter { name, address: String::new() },
            subject,
            evidence: vec![evidence],
            missing: vec![point],
            ..ready()
        };
        for template in names() {
            let drafted = draft(template, &material).expect("drafted");
            prop_assert!(!drafted.subject.chars().any(char::is_control));
            prop_assert!(!drafted.text.chars().any(crate::domain::text::is_hidden));
            prop_assert!(drafted.text.lines().next().is_some_and(|line| line.starts_with("Hello")));
        }
    }
}
