use proptest::prelude::*;

use super::*;
use crate::config::policy::{embedded, parse};
use crate::domain::hint::VersionStatus;
use crate::mail::Address;

fn policy() -> Policy {
    let text = embedded("octoprint").expect("it is embedded");
    parse(text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn mail(subject: &str, text: &str) -> Message {
    Message {
        subject: subject.to_owned(),
        text: text.to_owned(),
        from: vec![Address { name: "R".into(), address: "r@reporter.example".into() }],
        ..Message::default()
    }
}

struct Reader {
    policy: Policy,
    rules: Rules,
}

impl Reader {
    fn new() -> Self {
        let policy = policy();
        let rules = Rules::compile(&policy).expect("the rules compile");
        Self { policy, rules }
    }

    fn read(&self, message: &Message) -> Reading {
        let received = "2026-07-01T12:00:00Z".parse().expect("a time");
        let message_ref = MessageRef::of(message.text.as_bytes());
        read(&self.rules, &self.policy, message, message_ref, received, Direction::In)
    }

    fn text(&self, text: &str) -> Reading {
        self.read(&mail("report", text))
    }
}

fn answers(reading: &Reading, clause: &str) -> Vec<AnswerValue> {
    let of = reading.hints.iter().filter(|hint| hint.clause.as_str() == clause);
    of.map(|hint| hint.answer).collect()
}

fn is(reading: &Reading, clause: &str, answer: AnswerValue) -> bool {
    answers(reading, clause).contains(&answer)
}

#[test]
fn each_type_is_found_and_its_trap_is_not() {
    let reader = Reader::new();
    let cases: [(&str, &str, &str); 16] = [
        (
            "NQ3",
            "Werkzeug 3.0 has a published CVE-2024-00001, you ship it.",
            "Your wrong use of jinja lets a guest read files.",
        ),
        (
            "NQ4",
            "An attacker calls the owner and poses as support staff.",
            "The victim opens a link on another page; the CSRF changes the profile.",
        ),
        (
            "NQ5a",
            "With physical access to the Pi one takes the SD card.",
            "No physical access is needed, upload the file to the SD card over the network.",
        ),
        (
            "NQ5b",
            "A man-in-the-middle on the wifi reads the cookie.",
            "The server does MIME sniffing of content types.",
        ),
        ("NQ5b", "It needs SSH access to the machine.", "The upload leads to shell access."),
        (
            "NQ6",
            "The owner has to install a malicious plugin.",
            "The plugin manager's upload route checks nothing, no plugin is installed.",
        ),
        (
            "NQ7",
            "A crafted language pack, once installed, runs script.",
            "The language selector reflects the header.",
        ),
        (
            "NQ8",
            "Thousands of instances are open to the internet, see Shodan.",
            "The vector is CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N as I see it.",
        ),
        (
            "NQ9",
            "This is self-XSS in my own profile settings.",
            "A guest stores it in his own profile and another user sees it.",
        ),
        (
            "NQ10",
            "Somebody who has misconfigured trusted proxies to * is open.",
            "It happens with default settings on a clean install.",
        ),
        (
            "NQ11",
            "This requires administrator privileges.",
            "A normal user, not an admin, can do it.",
        ),
        (
            "NQ11",
            "As admin I add a shell character to the command.",
            "The payload runs when the admin opens the tab.",
        ),
        (
            "NQ1",
            "Automated scan report\nTarget: http://pi\nHIGH   Missing header",
            "No scanner was used.",
        ),
        (
            "NQ2",
            "In theory this might leak, but I have no PoC.",
            "curl -H 'X-Key: 1' http://pi/api/files",
        ),
        (
            "SV4",
            "The vendor fork of OctoPrint has a hole.",
            "I run unmodified OctoPrint 1.11.8, not a fork.",
        ),
        ("BO1", "Do you pay a bounty for it?", "I do not want any bounty."),
    ];
    for (clause, holds, trap) in cases {
        assert!(is(&reader.text(holds), clause, AnswerValue::Yes), "{clause}: {holds}");
        assert!(!is(&reader.text(trap), clause, AnswerValue::Yes), "{clause}: {trap}");
    }
}

#[test]
fn flags_are_raised_and_taken_back() {
    let reader = Reader::new();
    let flags = |text: &str| reader.text(text).flags;
    assert!(flags("Please credit me as Jo Doe.").credit_wanted);
    assert!(!flags("Please do not credit me, I want to stay anonymous.").credit_wanted);
    assert!(flags("Is there any reward for this?").bounty_request);
    assert!(!flags("I'm not asking for a reward.").bounty_request);
    assert!(flags("It was already posted on reddit last week.").public);
    assert!(!flags("I have not published this anywhere.").public);
    assert!(flags("Rank on page 1 of Google, free SEO audit!").spam);
    assert!(flags("Send 2 bitcoin or else. Your server has been hacked.").spam);
    assert_eq!(flags("I found this with ChatGPT and checked it by hand.").ai, AiUse::Disclosed);
    assert_eq!(flags("No AI was used for this report.").ai, AiUse::None);
    assert!(flags("-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----").encrypted);
    assert!(flags("VU#123456: we ask for a vendor statement.").coordination);
    assert!(flags("Your WordPress login is weak.").other_product);
    assert!(flags("GET /api/version HTTP/1.1").has_poc);
}

#[test]
fn quotations_and_signatures_are_not_the_senders_words() {
    let reader = Reader::new();
    let reading = reader.text("Thanks.\n\n> Do you pay a bounty?\n> 1.8.0\n-- \nbug bounty hunter");
    assert!(!reading.flags.bounty_request && reading.versions.is_empty());
    let forward = mail("Fwd: seen", "FYI\n\n> curl -s http://pi/api on OctoPrint 1.11.8");
    assert!(reader.read(&forward).flags.has_poc, "of a forward the quotation is the matter");
}

#[test]
fn versions_of_other_things_are_not_claims() {
    let reader = Reader::new();
    let claimed = |text: &str| -> Vec<(String, VersionStatus)> {
        let versions = reader.text(text).versions;
        versions.into_iter().map(|found| (found.claimed, found.status)).collect()
    };
    use VersionStatus::*;
    for (text, wanted) in [
        (
            "OctoPrint 1.11.8 with Python 3.11.2, Chrome 120.0.1 and OctoPi 1.0.0",
            vec![("1.11.8", LatestStable)],
        ),
        ("Version: 1.8.6", vec![("1.8.6", Outdated)]),
        ("seen on the devel branch", vec![("devel", DevBranch)]),
        ("rc/2.0.0 (2.0.0rc3)", vec![("2.0.0rc3", DevBranch)]),
        ("http://192.168.1.20/ answers, CVSS 3.1, 2026.11.01, was fixed in 1.11.9", vec![]),
        ("Engine ........ 9.4.1\n| urllib3 | 2.0.7 |", vec![]),
        ("firmware with OctoPrint 1.9.2-k1.7", vec![("1.9.2-k1.7", Fork)]),
        ("\u{5728} OctoPrint 1.11.8 \u{4e2d}", vec![("1.11.8", LatestStable)]),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(|(v, s)| (v.to_owned(), s)).collect();
        assert_eq!(claimed(text), wanted, "{text}");
    }
}

#[test]
fn a_version_in_the_subject_counts_once_per_case() {
    let reader = Reader::new();
    let first = reader.read(&mail("hole in 1.11.8", "It is there."));
    assert_eq!((first.versions.len(), first.versions[0].evidence.line), (1, 0));
    assert!(first.versions[0].evidence.fits("It is there."));
    assert!(reader.read(&mail("Re: hole in 1.8.0", "More.")).versions.is_empty());
}

#[test]
fn vectors_are_judged_by_the_policy() {
    let reader = Reader::new();
    let reading = reader.text("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N");
    assert!(is(&reading, "SC1", AnswerValue::Yes) && answers(&reading, "SC5").is_empty());
    let reading = reader.text("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    assert!(is(&reading, "SC6", AnswerValue::No), "over the cap, and said in numbers");
    for faulty in [
        "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:X",
        "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
    ] {
        assert!(is(&reader.text(faulty), "SC5", AnswerValue::Yes), "{faulty}");
    }
    let unlike = "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N\nBase score: 8.8";
    assert!(is(&reader.text(unlike), "SC5", AnswerValue::Unclear));
}

#[test]
fn what_is_missing_is_asked_of_a_first_report_only() {
    let reader = Reader::new();
    let long = "There is a hole in the product and it is a bad one, since it makes things go wrong in many ways, \
                and I would be glad to see that you look into it as soon as you find the time for that. All the best to you and your team.";
    let reading = reader.text(long);
    for clause in ["NQ2", "SV1", "SC1"] {
        assert_eq!(answers(&reading, clause).len(), 1, "{clause}");
    }
    assert!(reading.hints.iter().all(|hint| hint.answer != AnswerValue::Yes
        || hint.strength > 1
        || hint.evidence.is_some()));
    assert!(answers(&reader.read(&mail("Re: report", long)), "NQ2").is_empty());
    assert!(answers(&reader.text("Short."), "NQ2").is_empty());
}

#[test]
fn a_proof_beside_a_tools_name_does_not_decline() {
    let reader = Reader::new();
    let reading = reader
        .text("The weekly scan report hinted at it, I wrote a PoC:\ncurl -X POST http://pi/api");
    assert!(!is(&reading, "NQ1", AnswerValue::Yes));
}

#[test]
fn our_own_and_automatic_mails_are_not_read() {
    let reader = Reader::new();
    let message = mail("x", "Do you pay a bounty?");
    for direction in [Direction::Out, Direction::Automatic] {
        let received = Timestamp::UNIX_EPOCH;
        let message_ref = MessageRef::of(b"");
        let reading =
            read(&reader.rules, &reader.policy, &message, message_ref, received, direction);
        assert_eq!(reading, Reading::default());
    }
}

#[test]
fn a_bad_pattern_is_named() {
    let mut policy = policy();
    policy.hints[0].pattern = "(".into();
    let error = Rules::compile(&policy).expect_err("no regular expression");
    assert!(error.to_string().contains(&policy.hints[0].name), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn hostile_texts_are_read_in_bounded_time() {
    let reader = Reader::new();
    let started = std::time::Instant::now();
    for text in [
        "A".repeat(1 << 20),
        "1.1.1 ".repeat(100_000),
        "CVSS:3.1/".repeat(50_000),
        "> ".repeat(100_000),
    ] {
        let _ = reader.text(&text);
    }
    println!("four hostile texts in {:?}", started.elapsed());
    assert!(started.elapsed().as_secs() < 60);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_every_anchor_fits(subject in ".{0,40}", text in "(?s).{0,400}") {
        thread_local!(static READER: Reader = Reader::new());
        READER.with(|reader| {
            let message = mail(&subject, &text);
            let reading = reader.read(&message);
            for evidence in reading.hints.iter().filter_map(|hint| hint.evidence.as_ref()) {
                prop_assert!(evidence.fits(&text));
            }
            Ok(())
        })?;
    }
}
