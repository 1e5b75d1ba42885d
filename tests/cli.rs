//! The headless commands, end to end: exit status, JSON, and that nothing is lost or changed by itself.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::fs;

use casebook::runtime::desk::Desk;
use casebook::runtime::setup::{Options, Setup};
use casebook::store::{NewMail, ReceivedFrom};
use support::console::{Console, NOW, forbidden, write_samples};

#[test]
fn the_demo_does_the_main_job_without_a_terminal() {
    let console = Console::new();
    let told = console.ok(&["demo"]);
    for step in ["pulled", "cases", "suggests", "reply", "advisory"] {
        assert!(told.lines().any(|line| line.starts_with(step)), "no {step} in\n{told}");
    }
    assert_eq!(forbidden(told.as_bytes()), Vec::<String>::new());
    let files: Vec<&str> =
        told.lines().filter_map(|line| line.rsplit_once(' ').map(|(_, path)| path)).collect();
    for format in ["ghsa", "osv", "csaf", "cve", "markdown"] {
        let line = told.lines().find(|line| line.trim_start().starts_with(format));
        let path = line.and_then(|line| line.split_whitespace().last()).expect("a path");
        assert!(fs::metadata(path).is_ok_and(|file| file.len() > 100), "{path} of {files:?}");
        fs::remove_file(path).expect("removed");
    }
    assert!(!console.store().exists(), "the user's store is not touched");
}

/// What a first pull of years brings is listed at once; the rules read it a portion at a time.
#[test]
fn a_long_backlog_is_listed_before_the_rules_have_read_it() {
    let console = Console::new();
    let options = Options { config: None, store: Some(console.store()), ..Options::default() };
    let opening = Setup::read(options).expect("a setup").opening();
    let desk = Desk::open(opening, &mut |_, _, _| {}).expect("a desk");
    let mail = |n: u32| NewMail {
        raw: format!("From: r{n}@x.example\r\nSubject: a hole {n}\r\n\r\nOctoPrint 1.11.8\r\n")
            .into(),
        received: jiff::Timestamp::from_second(1_790_000_000 + i64::from(n)).expect("a time"),
        received_from: ReceivedFrom::Header,
        source: None,
    };
    desk.add((0..600).map(mail).collect(), None).expect("stored");
    drop(desk);
    let list = || {
        let done = console.command(&["list", "--json"]).output().expect("run");
        let rows: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let rows = rows.as_array().expect("a list").clone();
        let waiting = rows.iter().filter(|row| row["suggested"]["disposition"].is_null()).count();
        (rows.len(), waiting, String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (rows, waiting, told) = list();
    assert_eq!(rows, 600);
    assert!((1..=100).contains(&waiting), "{waiting}");
    assert!(told.contains(&format!("{waiting} mails are listed without a suggestion")), "{told}");
    let (rows, waiting, told) = list();
    assert_eq!((rows, waiting), (600, 0));
    assert!(!told.contains("without a suggestion"), "{told}");
}

#[test]
fn a_second_import_adds_nothing() {
    let console = Console::new();
    let folder = console.import_samples();
    let again = console.json(&["import", folder.to_str().expect("UTF-8")]);
    let count = fs::read_dir(&folder).expect("a folder").count() as u64;
    assert_eq!(again["seen"], count);
    assert_eq!(again["new"], 0);
    assert_eq!(again["duplicates"], count);
}

#[test]
fn mbox_and_maildir_bring_the_same_mails() {
    let console = Console::new();
    console.import_samples();
    let before = console.json(&["list"]);
    let archive = fs::read_dir(console.store().join("archive")).expect("an archive");
    let mut mbox = Vec::new();
    for segment in archive {
        let packed = fs::read(segment.expect("an item").path()).expect("read");
        mbox.extend(zstd::decode_all(packed.as_slice()).expect("zstd frames"));
    }
    let path = console.path("all.mbox");
    fs::write(&path, mbox).expect("written");
    let maildir = console.path("Maildir");
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(folder)).expect("made");
    }
    write_samples(&maildir.join("cur"));
    for source in [path.as_path(), maildir.as_path()] {
        let done = console.json(&["import", source.to_str().expect("UTF-8")]);
        assert_eq!(done["new"], 0, "{} brings other bytes: {done}", source.display());
    }
    assert_eq!(console.json(&["list"]), before);
}

#[test]
fn list_and_show_have_the_fields_of_the_contract() {
    let console = Console::new();
    console.import_samples();
    let cases = console.json(&["list"]);
    for case in cases.as_array().expect("a list") {
        for field in [
            "case",
            "subject",
            "reporter",
            "received",
            "state",
            "disposition",
            "messages",
            "unanswered",
            "deadlines",
            "suggested",
        ] {
            assert!(case.get(field).is_some(), "{field} is missing in {case}");
        }
        let shown = console.json(&["show", case["case"].as_str().expect("an id")]);
        for field in ["messages", "answers", "score", "claims", "timeline"] {
            assert!(shown.get(field).is_some(), "{field} is missing in {shown}");
        }
        let message = &shown["messages"][0];
        for field in [
            "id",
            "from",
            "to",
            "date",
            "received",
            "direction",
            "subject",
            "text",
            "attachments",
            "defects",
            "warnings",
            "source_sha256",
        ] {
            assert!(message.get(field).is_some(), "{field} is missing in {message}");
        }
    }
}

#[test]
fn acts_are_kept_and_taken_back() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("ffmpeg");
    let prefix = &case[..7];
    console.ok(&["answer", prefix, "NQ11", "yes", "--evidence", "1:3"]);
    console.ok(&["score", &case, "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"]);
    console.ok(&["decide", &case, "reject", "--clause", "NQ11"]);
    let shown = console.json(&["show", &case]);
    assert_eq!(shown["answers"][0]["clause"], "NQ11");
    assert_eq!(shown["answers"][0]["evidence"]["line"], 3);
    assert_eq!(shown["state"], "closed");
    assert_eq!(shown["disposition"], "reject");
    assert_eq!(shown["score"]["cap_applied"], true);
    assert!(shown["score"]["ours"]["vector"].as_str().expect("ours").contains("/AV:A/"));
    console.ok(&["undo", &case]);
    assert_eq!(console.json(&["show", &case])["disposition"], serde_json::Value::Null);
    console.ok(&["undo", &case]);
    console.ok(&["undo", &case]);
    assert_eq!(console.json(&["show", &case])["state"], "new");
    let message = console.fails(2, &["undo", &case]);
    assert!(message.contains("no act"), "{message}");
}

#[test]
fn refusals_say_what_to_do() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("ffmpeg");
    let told = |args: &[&str]| console.fails(2, args);
    assert!(told(&["answer", &case, "NQ111", "yes", "--reason", "x"]).contains("NQ11"));
    assert!(told(&["answer", &case, "NQ11", "yes"]).contains("reason"));
    assert!(told(&["answer", &case, "NQ11", "yes", "--evidence", "1:9999"]).contains("lines"));
    assert!(told(&["score", &case, "CVSS:3.1/AV:N"]).contains("missing"));
    assert!(told(&["decide", &case, "reject-ban", "--clause", "AI10"]).contains("reason"));
    assert!(told(&["show", "zzzzzzzz"]).contains("casebook list"));
    assert!(told(&["show", ""]).contains("casebook list"));
}

#[test]
fn a_rebuilt_index_gives_the_same_bytes() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("ffmpeg");
    console.ok(&["answer", &case, "NQ11", "yes", "--evidence", "1:3"]);
    console.ok(&["decide", &case, "reject"]);
    console.ok(&["note", &case, "looked at it twice"]);
    let documents = |console: &Console| {
        let list = console.ok(&["--now", NOW, "--json", "list"]);
        let cases: Vec<String> = serde_json::from_str::<serde_json::Value>(&list)
            .expect("JSON")
            .as_array()
            .expect("a list")
            .iter()
            .map(|case| {
                console.ok(&["--now", NOW, "--json", "show", case["case"].as_str().expect("an id")])
            })
            .collect();
        (list, cases)
    };
    let before = documents(&console);
    fs::remove_dir_all(console.store().join("index")).expect("removed");
    assert_eq!(documents(&console), before, "after the index was lost");
    console.ok(&["verify", "--rebuild"]);
    assert_eq!(documents(&console), before, "after a rebuild that was asked for");
}

#[test]
fn a_reply_draft_becomes_a_mail_with_its_thread() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("ffmpeg");
    console.ok(&["reply", &case, "--template", "reject", "--out", "reply.eml"]);
    let raw = fs::read(console.path("reply.eml")).expect("written");
    let reply = casebook::mail::parse(&raw);
    let shown = console.json(&["show", &case]);
    let reporter = shown["reporter"]["address"].as_str().expect("an address");
    assert_eq!(reply.to.first().map(|to| to.address.as_str()), Some(reporter));
    assert!(reply.subject.starts_with("Re: "));
    assert_eq!(reply.in_reply_to.len(), 1);
    assert_eq!(reply.references.last(), reply.in_reply_to.first());
    assert!(reply.defects.is_empty() && reply.warnings.is_empty());
    let message = console.fails(2, &["reply", &case, "--template", "reject", "--out", "reply.eml"]);
    assert!(message.contains("exists"), "{message}");
}

#[test]
fn an_advisory_is_written_whole_or_not_at_all() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("Operators may start prints");
    let out = console.path("out");
    let done =
        console.run(&["--json", "export", &case, "--format", "osv,markdown", "--out", "out"]);
    assert_eq!(done.status.code(), Some(1), "a first draft lacks what only a human knows");
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert!(!report["faults"].as_array().expect("faults").is_empty());
    assert!(!out.exists(), "nothing is written");
    let draft = casebook::export::draft_toml::read(COMPLETE).map(|_| ());
    assert_eq!(draft.map_err(|faults| faults.len()), Ok(()));
    console.write("draft.toml", COMPLETE);
    let written =
        console.json(&["export", "--draft", "draft.toml", "--format", "all", "--out", "out"]);
    assert_eq!(written["written"].as_array().map(Vec::len), Some(7), "{written}");
    let folder = out.join("octoprint-sample");
    assert!(folder.join("csaf-2.1/octoprint-sample.json").is_file(), "a folder for each draft");
}

#[test]
fn a_low_score_gives_no_cve_record_and_says_so() {
    let console = Console::new();
    console.write("low.toml", &COMPLETE.replace("UI:R/S:U/C:L/I:L", "UI:R/S:U/C:L/I:N"));
    let args = ["export", "--draft", "low.toml", "--out", "out", "--format"];
    let written = console.json(&[&args[..], &["all"]].concat());
    assert_eq!(written["left_out"][0]["format"], "cve", "{written}");
    assert_eq!(written["written"].as_array().map(Vec::len), Some(6), "{written}");
    console.fails(1, &[&args[..], &["cve"]].concat());
}

#[test]
fn the_published_form_is_refused_before_its_time() {
    let console = Console::new();
    let published = COMPLETE.replace("status = \"draft\"", "status = \"published\"")
        + "published = 2026-10-01T12:00:00Z\n";
    let embargoed = published.clone() + "embargo_until = \"2026-11-01T14:00:00+01:00\"\n";
    console.write("public.toml", &embargoed);
    let args =
        |now| ["--now", now, "export", "--draft", "public.toml", "--format", "osv", "--out", "out"];
    let said = console.fails(5, &args("2026-11-01T12:59:59Z"));
    assert!(said.contains("2026-11-01 13:00 UTC"), "{said}");
    assert!(!console.path("out").exists());
    console.ok(&args("2026-11-01T13:00:00Z"));
    console.write(
        "public.toml",
        &published.replace("fixed = \"1.11.9\"", "last_affected = \"1.11.8\""),
    );
    assert!(console.fails(5, &args(NOW)).contains("fixed version"));
}

#[test]
fn the_same_draft_gives_the_same_bytes_in_every_zone_and_language() {
    let console = Console::new();
    console.write("draft.toml", COMPLETE);
    let mut seen = std::collections::BTreeSet::new();
    let settings = [
        ("UTC", "C", "2026-11-01T12:00:00Z"),
        ("Pacific/Kiritimati", "tr_TR.UTF-8", "2026-12-31T23:59:59Z"),
        ("America/St_Johns", "ja_JP.eucJP", "2027-03-14T06:30:00Z"),
        ("Europe/Berlin", "de_DE", "2026-10-25T00:30:00Z"),
    ];
    for (number, (zone, language, now)) in settings.iter().cycle().take(12).enumerate() {
        let out = format!("out{number}");
        let args =
            ["--now", now, "export", "--draft", "draft.toml", "--format", "all", "--out", &out];
        let mut command = console.command(&args);
        command.env("TZ", zone).env("LANG", language).env("LC_ALL", language);
        assert!(command.status().expect("the program starts").success());
        let folder = console.path(&out).join("octoprint-sample");
        let mut bytes = Vec::new();
        for name in ["json", "csaf-2.1", "ghsa.json", "osv.json", "cve.json", "md", "post.md"] {
            let path = match name {
                "csaf-2.1" => folder.join("csaf-2.1/octoprint-sample.json"),
                name => folder.join(format!("octoprint-sample.{name}")),
            };
            bytes.extend(fs::read(path).expect("written"));
        }
        seen.insert(bytes);
    }
    assert_eq!(seen.len(), 1);
    let draft = casebook::export::draft_toml::read(COMPLETE).expect("a draft");
    let formats = casebook::export::Format::ALL;
    let first = casebook::export::export(&draft, &formats);
    assert!((0..100).all(|_| casebook::export::export(&draft, &formats) == first));
}

#[test]
fn a_published_record_becomes_a_draft() {
    let console = Console::new();
    console.write("draft.toml", COMPLETE);
    console.ok(&["export", "--draft", "draft.toml", "--format", "osv", "--out", "out"]);
    let record = console.path("out/octoprint-sample/octoprint-sample.osv.json");
    let toml = console.ok(&["advisory", "--from", record.to_str().expect("UTF-8")]);
    let draft = casebook::export::draft_toml::read(&toml).expect("a draft");
    assert_eq!(draft.id, "octoprint-sample");
    assert_eq!(draft.affected[0].fixed.as_deref(), Some("1.11.9"));
    console.write("other.json", "{}");
    console.fails(2, &["advisory", "--from", "other.json"]);
}

const COMPLETE: &str = r#"
schema = 1
id = "octoprint-sample"
title = "Sample flaw in the sample tab"
status = "draft"

[product]
vendor = "OctoPrint"
name = "OctoPrint"
ecosystem = "PyPI"
package = "octoprint"
repo = "https://github.com/OctoPrint/OctoPrint"

[severity]
cvss_v3_1 = "CVSS:3.1/AV:A/AC:L/PR:L/UI:R/S:U/C:L/I:L/A:N"

[[weakness]]
id = "CWE-79"
name = "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')"

[[affected]]
introduced = "0"
fixed = "1.11.9"

[[section]]
heading = "Impact"
body = "An operator can act as another user."

[[credit]]
name = "Sample Finder"
type = "reporter"

[[reference]]
kind = "fix"
url = "https://github.com/OctoPrint/OctoPrint/commit/0123456789abcdef0123456789abcdef01234567"

[dates]
reported = 2026-10-01T00:00:00Z
modified = 2026-10-02T00:00:00Z
"#;

#[test]
fn vectors_are_explained_without_a_store() {
    let console = Console::new();
    let scored = console.json(&["cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]);
    assert_eq!(scored[0]["base"], 9.8);
    assert_eq!(scored[0]["over_cap"], true);
    assert_eq!(scored[0]["capped"]["base"], 8.8);
    let done = console.run(&["--json", "cvss", "CVSS:3.1/AV:N"]);
    assert_eq!(done.status.code(), Some(1));
    let scored: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(scored[0]["valid"], false);
    assert!(!console.store().exists());
}

#[test]
fn the_house_commands_print() {
    let console = Console::new();
    assert!(console.ok(&["keys"]).contains("accept-suggestions"));
    assert!(console.ok(&["completions", "bash"]).contains("casebook"));
    assert!(console.ok(&["man"]).contains(".TH casebook"));
    assert!(console.ok(&["policy", "show"]).contains("NQ11"));
    assert!(console.ok(&["doctor"]).contains("policy"));
}

/// A queued reply rests the clock of the first answer, is listed, and leaves as a mail file; nothing is sent.
#[test]
fn the_outbox_lists_what_waits() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("Hard-coded API key");
    let clock = || {
        let list = console.json(&["list", "--json", "--now", NOW]);
        let row = list.as_array().expect("a list").iter().find(|row| row["case"] == *case);
        row.expect("the case")["deadlines"][0]["status"].clone()
    };
    assert_ne!(clock(), "paused");
    assert_eq!(console.json(&["outbox", "--json"]), serde_json::json!([]));
    console.ok(&["reply", &case, "--template", "reject", "--queue"]);
    assert_eq!(clock(), "paused");
    let out = console.path("outbox");
    let waiting = console.json(&["outbox", "--out", out.to_str().expect("a path"), "--json"]);
    assert_eq!(
        (waiting[0]["case"].clone(), waiting[0]["template"].clone()),
        (case.as_str().into(), "reject".into())
    );
    let mail = std::fs::read_to_string(out.join(format!("reply-{case}.eml"))).expect("written");
    assert!(mail.contains("To: ") && mail.contains("Subject: Re: "), "{mail}");
    console.ok(&["undo", &case]);
    assert_eq!(console.json(&["outbox", "--json"]), serde_json::json!([]));
    assert_ne!(clock(), "paused");
}
