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

/// What the decision points name as traps: none of it turns a report away.
#[test]
fn traps_are_heeded() {
    let reader = Reader::new();
    for (clause, trap) in [
        ("NQ1", "Nuclei pointed me there; this is what I did by hand:\ncurl -i http://pi/api/job"),
        (
            "NQ3",
            "Jinja is used with autoescape off in your template, so a guest's name runs as script.",
        ),
        (
            "NQ4",
            "The admin only has to click a link; that is user interaction, no social engineering.",
        ),
        ("NQ4", "It is not phishing: the CSRF works by a hidden form."),
        ("NQ5a", "No physical access needed: the SD card is written over the network."),
        ("NQ5b", "Any neighbour on the same local network can do it, no man-in-the-middle needed."),
        (
            "NQ6",
            "The plugin manager fetches the list without checking; nothing has to be installed.",
        ),
        ("NQ6", "An admin installs a plugin later and the group already holds its permission."),
        ("NQ7", "The language selector reflects a header; no language pack has to be installed."),
        ("NQ8", "AV:N would be the textbook value, but the instance was only on my LAN."),
        ("NQ8", "It need not be exposed to the internet."),
        ("NQ9", "I store it in my own profile and every other user who opens the list runs it."),
        ("NQ10", "With default settings on a clean install the route is open."),
        ("NQ11", "The script runs when an admin opens the tab; I only had FILES_UPLOAD."),
        ("NQ11", "The attacker does not need to be admin."),
        ("SV4", "This is not a fork, it is the official package."),
        ("BO1", "I do not ask for a bounty."),
    ] {
        assert!(!is(&reader.text(trap), clause, AnswerValue::Yes), "{clause}: {trap}");
    }
}

#[test]
fn talk_of_the_policy_is_no_evidence() {
    let reader = Reader::new();
    for text in [
        "Your policy excludes social engineering and physical access; this is neither.",
        "I know that malicious plugins are out of scope.",
        "Laut Ihrer Richtlinie zählt ein Man-in-the-middle nicht.",
        "On 1 May someone wrote:\n> The owner has to install a malicious plugin.\n\nThat is wrong.",
        "The route is open.\n-- \nJo, social engineering trainer, man-in-the-middle fan",
    ] {
        let reading = reader.text(text);
        for clause in ["NQ4", "NQ5a", "NQ5b", "NQ6"] {
            assert!(!is(&reading, clause, AnswerValue::Yes), "{clause}: {text}");
        }
    }
    // A sentence of the policy, quoted word by word, is known by its hash.
    let mut policy = policy();
    let sentence = "Attacks by a man-in-the-middle on the cable";
    policy.items[0].sentences.push(crate::domain::policy_text::sentence_hash(sentence));
    let rules = Rules::compile(&policy).expect("the rules compile");
    let read_by = |text: &str| {
        let message = mail("report", text);
        let message_ref = MessageRef::of(text.as_bytes());
        read(&rules, &policy, &message, message_ref, Timestamp::UNIX_EPOCH, Direction::In)
    };
    assert!(!is(
        &read_by(&format!("- {sentence}\n\nThat is not what I do.")),
        "NQ5b",
        AnswerValue::Yes
    ));
    assert!(is(&read_by("It takes a man-in-the-middle on the cable."), "NQ5b", AnswerValue::Yes));
}

#[test]
fn a_version_free_of_the_flaw_is_no_claim() {
    let reader = Reader::new();
    for text in [
        "2.0.0rc3 leaks it. 1.11.8 is not affected.",
        "Only the devel branch has it, on 1.11.8 I get nothing.",
        "1.11.8 ist nicht betroffen, nur 2.0.0rc3.",
        "The devel branch drops the lock. 1.11.8 keeps the lock until the upload ends.",
        "On 1.11.8 the upload waits, so this came with devel.",
    ] {
        let reading = reader.text(text);
        assert!(
            is(&reading, "SV2", AnswerValue::Yes) && answers(&reading, "SV1").is_empty(),
            "{text}"
        );
        assert_eq!(crate::domain::version::of_readings(&[&reading]), VersionStatus::DevBranch);
    }
    for both in
        ["Seen on 2.0.0rc3 and on 1.11.8.", "It is in devel. I checked on a clean 1.11.8 too."]
    {
        let reading = reader.text(both);
        assert!(is(&reading, "SV1", AnswerValue::Yes) && is(&reading, "SV2", AnswerValue::Yes));
    }
}

#[test]
fn a_published_flaw_is_known_by_its_words_in_older_versions_only() {
    let reader = Reader::new();
    let words = "a form field named file.path in an upload lets me read any file";
    let of = |version: &str| reader.text(&format!("OctoPrint {version}: {words}."));
    assert!(is(&of("1.11.1"), "PD5", AnswerValue::No) && is(&of("1.11.1"), "PD4", AnswerValue::No));
    assert!(of("1.11.1").flags.public);
    assert!(answers(&of("1.11.8"), "PD5").is_empty(), "a new hole, or the old one again");
    assert!(answers(&reader.text(words), "PD5").is_empty(), "no version, no claim");
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
fn a_name_is_wanted_or_refused_in_many_words() {
    let reader = Reader::new();
    for wanted in [
        "One line in the changelog would be nice.",
        "If you thank anybody: Ottilie Brandt.",
        "Wenn Sie es im Changelog erwähnen, dann bitte als \"Otti\".",
        "Si vous me citez, mettez Odile Brun.",
        "Citadme como Olga Prieto.",
        "Podem me mencionar como Otávio.",
        "致谢中请写我的名字为“欧文”。",
        "クレジットは「オト」でお願いします。",
    ] {
        assert!(reader.text(wanted).flags.credit_wanted, "{wanted}");
    }
    for refused in [
        "I'd prefer to stay unmentioned in the advisory.",
        "My name does not need to appear.",
        "Meinen Namen bitte nirgends nennen, eine Erwähnung brauche ich nicht.",
        "Pas besoin de me citer.",
        "No hace falta mencionarme.",
        "Não precisam me citar.",
        "不需要署名。",
        "名前は載せないでください。",
    ] {
        let reading = reader.text(refused);
        assert!(!reading.flags.credit_wanted && is(&reading, "BO2", AnswerValue::No), "{refused}");
    }
    let request = reader.text("GET /api/users?me=1 lists every name if you put one in the list.");
    assert!(answers(&request, "BO2").is_empty());
}

#[test]
fn a_question_of_use_is_no_proof_and_a_proof_no_junk() {
    let reader = Reader::new();
    let use_of = "How do I get my printer to connect? On 1.11.8 I tried another cable.";
    assert!(is(&reader.text(use_of), "CH2", AnswerValue::No));
    let sold = "Our company can improve your search results with its services.";
    assert!(reader.text(sold).flags.spam);
    let request = format!("{sold}\n\nOn devel:\n\nGET /api/search?q=a HTTP/1.1\n");
    assert!(!reader.text(&request).flags.spam);
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
    let long = "There is a hole in OctoPrint and it is a bad one, since it makes things go wrong in many ways, \
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

/// Reports as good reporters write them, full of words that the rules know.
const GOOD: [&str; 10] = [
    "Hi Gina,\n\nOctoPrint 1.11.8 on a fresh OctoPi image, default settings.\n\nThe file manager lets any logged in \
     user with only the STATUS permission move files, because the move command checks the wrong permission. \
     I logged in as guest, an admin account is not needed, and sent\n\nPOST /api/files/local/a.gcode\n{\"command\": \"move\"}\n\n\
     and got a 201. I have not tested older versions and I could not reproduce it on 1.10.3.\n\n\
     CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:N\n\nRegards",
    "Hello, with OctoPrint 1.11.8 a web page that the admin opens in another tab can send a request to the \
     printer, there is no CSRF check on /api/system/commands when the content type is text/plain. The attached \
     poc page shuts the Pi down. The victim only has to click a link. I can't score this, sorry.",
    "We found a stored XSS in the file list (1.11.8). Any user with upload permission can store a name such as \
     <img src=x onerror=alert(1)>.gcode and the script runs in the session of every other user, including the \
     administrator. Steps:\n1. upload the file as normal user\n2. log in as admin\n3. open the list\n\n\
     We would like to publish a blog post after your fix, 90 days are fine. We do not expect a bounty.",
    "The rate limit that 2.0.0rc3 introduced is bypassed by adding a port to X-Forwarded-For. Tested on the rc/2.0.0 \
     branch, script attached (brute.py). A burp scan gave me the idea but I verified it by hand: 5000 tries in a minute. \
     CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    "Guten Tag, in OctoPrint 1.11.8 kann ein normaler Benutzer ohne Administratorrechte fremde Timelapses l\u{f6}schen. \
     Nachweis:\ncurl -X DELETE -H 'X-Api-Key: ...' http://octopi.local/api/timelapse/x.mp4\nliefert 200. \
     CVSS kenne ich nicht, bitte selbst bewerten. Mit einem Scanner habe ich nicht gearbeitet.",
    "Bonjour, la version 1.11.8 permet \u{e0} un utilisateur non authentifi\u{e9} de lire la liste des fichiers par \
     /sockjs. Preuve :\nwscat -c ws://octopi.local/sockjs\nJe n'ai rien publi\u{e9}. \
     CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    "OctoPrint uses flask-login's remember token wrongly: after logout the cookie stays valid. This is not a bug of \
     the library, other projects pass the fresh flag. On 1.11.8:\nGET /api/currentuser HTTP/1.1\nCookie: remember_token=...\n\n\
     HTTP/1.1 200 OK\n\nSomebody who borrows the laptop keeps access. I did not score it.",
    "A plugin is not needed for this. The plugin manager's upload route in 1.11.8 unpacks archives before it checks \
     the permission. To reproduce:\n- log in as a guest\n- curl -F file=@x.zip http://pi/api/plugin/pluginmanager\n\
     The file is written. Please credit me as K. Lund.",
    "OctoPrint 1.11.8 \u{4e2d}\u{666e}\u{901a}\u{7528}\u{6237}\u{53ef}\u{4ee5}\u{8bfb}\u{53d6}\u{4ed6}\u{4eba}\u{7684} API key\u{3002}\u{590d}\u{73b0}\u{6b65}\u{9aa4}\u{ff1a}\n1. \u{767b}\u{5f55}\n2. curl http://pi/api/access/users\n\
     CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
    "I asked an LLM to review the access module on devel, then checked each finding myself. One is real: \
     requests.get(url + '/api/access/groups') answers 200 without any login on a clean install of 1.11.8. \
     CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
];

#[test]
fn good_reports_are_never_turned_away() {
    let reader = Reader::new();
    let mut wrong = Vec::new();
    for text in GOOD {
        let reading = reader.text(text);
        let verdict = crate::intake::suggest(
            &reader.policy,
            &BTreeMap::new(),
            &[&reading],
            crate::intake::Known::default(),
        );
        if verdict.disposition != crate::domain::Disposition::Accept {
            let rules: Vec<_> = reading.hints.iter().map(|h| (&h.rule, h.answer)).collect();
            wrong.push(format!("{:?} {:?} {rules:?} {text}", verdict.disposition, verdict.clauses));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn poor_reports_get_the_end_that_the_policy_names() {
    let reader = Reader::new();
    let mut wrong = Vec::new();
    use crate::domain::Disposition::*;
    for (subject, text, wanted) in [
        (
            "Acunetix results",
            "Automated scan report\nTarget: http://octopi\n12 findings\nHIGH   X-Frame-Options missing",
            Reject,
        ),
        (
            "issue",
            "If someone steals the SD card from the Pi they can read config.yaml. 1.11.8",
            Reject,
        ),
        (
            "rce",
            "The owner installs my malicious plugin from its URL and it runs code. OctoPrint 1.11.8",
            Reject,
        ),
        ("ssh", "An attacker with SSH access can read users.yaml on 1.11.8.", Reject),
        (
            "settings",
            "On 1.11.8 this requires admin rights: the events manager runs shell commands.",
            Reject,
        ),
        ("old", "OctoPrint 1.7.3 has a broken login. I have no newer one.", Reject),
        (
            "jquery",
            "pip-audit says that Werkzeug 3.0.1, which OctoPrint 1.11.8 ships, has CVE-2024-49766.",
            ForwardUpstream,
        ),
        (
            "hello",
            "Dear sir, do you have a bug bounty? I will tell you the bug after you confirm the reward.",
            NoBounty,
        ),
        ("SEO offer", "We bring your site on the first page of Google. Free website audit!", Spam),
        (
            "webcam",
            "My webcam does not show up since the update, can you help? OctoPrint 1.11.8",
            WrongProject,
        ),
        (
            "VU#123456",
            "Please give us a vendor contact and your vendor statement by 2026-12-01. TLP:AMBER",
            Coordination,
        ),
    ] {
        let reading = reader.read(&mail(subject, text));
        let verdict = crate::intake::suggest(
            &reader.policy,
            &BTreeMap::new(),
            &[&reading],
            crate::intake::Known::default(),
        );
        let rules: Vec<_> = reading.hints.iter().map(|h| (&h.rule, h.answer)).collect();
        if verdict.disposition != wanted {
            wrong.push(format!("{:?} {:?} {rules:?} {text}", verdict.disposition, verdict.clauses));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A loose word is a question where the rest of the mail says otherwise, and none where it says the same.
#[test]
fn the_whole_mail_decides_what_a_loose_word_is() {
    let reader = Reader::new();
    let package =
        "An extension package runs with all rights, no sandbox: the owner adds my package.\n";
    let proof = "curl -X POST http://pi/api/plugin/pluginmanager\n";
    let by_owner = "CVSS:3.1/AV:A/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H";
    let alone = "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    for (rest, holds) in [
        (String::new(), true),
        (format!("{proof}{by_owner}"), true),
        (format!("{proof}{alone}"), false),
        ("As administrator I go to the settings.".to_owned(), false),
    ] {
        let reading = reader.text(&format!("{package}{rest}"));
        assert_eq!(is(&reading, "NQ6", AnswerValue::Yes), holds, "{rest}");
    }
    let answer = reader.read(&mail("Re: report", package));
    assert!(!is(&answer, "NQ6", AnswerValue::Yes), "what is new in an answer seldom is the type");
}

/// Words that say nothing alone come to a type together, but never against a proof.
#[test]
fn topics_are_taken_up_last() {
    let reader = Reader::new();
    let topic = "OctoPrint 1.11.8. The cupboard with the Pi was unlocked.\nOur trainee unscrewed the lid and read all in a \
                 card reader.";
    assert!(is(&reader.text(topic), "NQ5a", AnswerValue::Yes));
    let vector = "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";
    let proven = format!("{topic}\ncurl -i http://pi/api/settings\n{vector}");
    assert!(!is(&reader.text(&proven), "NQ5a", AnswerValue::Yes));
}

/// Who neither names the product nor anything that it deals with writes about something else, or nothing.
#[test]
fn mails_about_something_else_are_told_apart() {
    let reader = Reader::new();
    let shop = "Dear team, in your web store an attacker can count up the order number in the address and sees the \
                bills of other customers with their names and homes. Please tell the people who run the checkout of it.";
    let flags = reader.read(&mail("Hole in the store", shop)).flags;
    assert!(flags.other_product && !flags.spam, "{flags:?}");
    let flags = reader.read(&mail("hello", "does this go through\n\nSent from my tablet")).flags;
    assert!(flags.spam && !flags.other_product, "{flags:?}");
    let cakes = "Thank you for OctoPrint, my grandson set it up and now I make flower pots for the whole street.";
    let reading = reader.read(&mail("thank you", cakes));
    assert!(is(&reading, "CH2", AnswerValue::No) && !reading.flags.spam);
}

#[test]
fn a_flaw_that_was_mended_is_not_turned_away_for_a_word() {
    let reader = Reader::new();
    let told = "OctoPrint 1.11.8 lets rogue admins run commands through a crafted snippet.";
    assert!(is(&reader.text(told), "NQ11", AnswerValue::Yes));
    let mended = format!("{told} The flaw has been patched in 1.11.9.");
    assert!(!is(&reader.text(&mended), "NQ11", AnswerValue::Yes));
}

#[test]
fn what_an_attack_does_not_need_counts_for_no_type() {
    let reader = Reader::new();
    let types = ["NQ4", "NQ5a", "NQ5b", "NQ6", "NQ7", "NQ8", "NQ10", "NQ11"];
    for denied in [
        "No port forwarding, the attacker sits in the same wifi.",
        "My printer is not exposed to the internet, by the way.",
        "You do not need to be an admin for that.",
        "It works without physical access to the Pi.",
        "There is no need to install a malicious plugin.",
        "A malicious plugin is not needed for it.",
        "Nobody needs a malicious language pack here.",
        "A man in the middle is not required, nor is a port forward.",
        "Port forwarding plays no part in it.",
        "Es ist kein physischer Zugriff auf den Pi nötig.",
        "Man braucht keine Adminrechte dafür.",
        "Ohne Portfreigabe, nur im eigenen WLAN.",
        "Ein bösartiges Plugin wird nicht gebraucht.",
        "Il ne faut pas d'accès physique.",
        "Sans être exposé sur internet.",
        "Pas besoin d'installer un plugin malveillant.",
        "No hace falta acceso físico ni ser administrador.",
        "La instancia no está expuesta a internet.",
        "Não é preciso acesso físico.",
        "Sem acesso físico e sem abrir a porta do roteador.",
        "Non serve essere amministratore, e nessun accesso fisico.",
        "不需要物理接触设备。",
        "无需管理员权限。",
        "物理アクセスは不要です。",
        "管理者権限は必要ありません。",
    ] {
        let reading = reader.text(denied);
        for clause in types {
            assert!(!is(&reading, clause, AnswerValue::Yes), "{denied}: {clause}");
        }
    }
    for (clause, told) in [
        ("NQ5a", "Nothing in it stops somebody with physical access to the Pi."),
        ("NQ8", "Nothing warns the owner of an instance that is exposed to the internet."),
        ("NQ8", "Set up a port forward on the router, no password is asked for then."),
        ("NQ6", "The user installs a malicious plugin, and nothing warns of it."),
        ("NQ5a", "Hay que tener acceso físico a la Raspberry."),
        ("NQ5a", "Mit physischem Zugriff auf das Gerät geht es."),
    ] {
        assert!(is(&reader.text(told), clause, AnswerValue::Yes), "{told}");
    }
}

#[test]
fn a_word_of_the_admin_loses_against_steps_with_a_lesser_right() {
    let reader = Reader::new();
    let steps = "On OctoPrint 1.11.8 a guest without any permission can do it as well.\n\n\
         curl -H 'X-Api-Key: GUEST' http://octopi.local/api/settings\n-> 200\n";
    let button = "Only an administrator sees that button.";
    assert!(!is(&reader.text(&format!("{button}\n\n{steps}")), "NQ11", AnswerValue::Yes));
    let needed = "It requires admin rights, a guest is refused.\n\n\
         curl -H 'X-Api-Key: ADMIN' http://octopi.local/api/settings\n-> 200\n";
    let needed = reader.text(&format!("OctoPrint 1.11.8\n{needed}"));
    assert!(is(&needed, "NQ11", AnswerValue::Yes));
}

#[test]
fn steps_in_plain_words_are_a_proof_and_a_claim_is_none() {
    let reader = Reader::new();
    for shown in [
        "On 1.11.8 it is so.\n\nTo see it: log in as a guest, open the page, look at the source.",
        "On 1.11.8 it is so.\n\nNachstellen: abmelden, zurück, neu laden.",
        "On 1.11.8 it is so.\n\nCome riprodurre:\n - entrare come ospite",
        "Konnte das mit zwei Rechnern nachstellen, OctoPrint 1.11.8.",
        "When I log out and reload I am in again, 1.11.8. Did it in Firefox and Chrome.",
    ] {
        assert!(reader.text(shown).flags.has_poc, "{shown}");
    }
    for claimed in [
        "On 1.11.8 a guest can read all files of others.",
        "DELETE /api/files/x skips the check. I looked at the code only so far.",
        "PUT /api/users/x skips the check in 1.11.8. Happy to send you the exploit once you reply.",
        "It was PUT /api/groups/x with 200. I was not able to do it again.",
    ] {
        assert!(!reader.text(claimed).flags.has_poc, "{claimed}");
    }
}

#[test]
fn what_is_still_to_be_tried_is_asked_for() {
    let reader = Reader::new();
    for open in [
        "I guess a guest can read it. I can test it next weekend.",
        "I suppose it is so. I had no time to try it.",
        "I put a tag into the name and it came out bold, I guess a script would run too.",
    ] {
        assert!(!is(&reader.text(open), "NQ2", AnswerValue::Yes), "{open}");
    }
    let musing = "I guess one could guess the number. I did not try and would not know how.";
    assert!(is(&reader.text(musing), "NQ2", AnswerValue::Yes));
    let unsure = "Version 1.11.2 or so, I think, is what I have.";
    assert!(is(&reader.text(unsure), "SV1", AnswerValue::Unclear));
}

#[test]
fn access_by_the_wrong_person_is_about_security() {
    let reader = Reader::new();
    let text = "In OctoPrint 1.11.8 I am logged in again after I logged out and went back.";
    assert!(!is(&reader.text(text), "CH2", AnswerValue::No));
}
