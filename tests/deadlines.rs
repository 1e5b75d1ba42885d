//! Clocks from the outside: paused, waiting for the reporter, listed, written as a calendar.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::fs;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use support::console::Console;

/// A mail of a thread, received at noon of a day far ahead of any clock that runs the tests.
fn mail(number: u32, ours: bool, day: &str, text: &str) -> String {
    let (from, to) = ("ina@lights.example", "security@octoprint.org");
    let (from, to) = if ours { (to, from) } else { (from, to) };
    let thread =
        if number > 1 { "In-Reply-To: <1@t.example>\r\nReferences: <1@t.example>\r\n" } else { "" };
    let re = if number > 1 { "Re: " } else { "" };
    format!(
        "Received: from a by b; {day} 12:00:00 +0000\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: {re}Lamp API without key\r\n\
         Message-ID: <{number}@t.example>\r\n{thread}Date: {day} 12:00:00 +0000\r\n\r\n{text}\r\n"
    )
}

const REPORT: &str =
    "Hello,\r\n\r\nthe REST API of OctoPrint answers without a key.\r\n\r\nRegards\r\nIna";

fn import(console: &Console, name: &str, mail: &str) {
    let path = console.write(name, mail);
    console.ok(&["import", path.to_str().expect("UTF-8")]);
}

/// A case that was decided as lacking points and asked about on 5 January 2100.
fn asked() -> (Console, String) {
    let console = Console::new();
    import(&console, "1.eml", &mail(1, false, "Mon, 04 Jan 2100", REPORT));
    let case = console.case("Lamp API");
    console.ok(&["decide", &case, "needs-info"]);
    import(&console, "2.eml", &mail(2, true, "Tue, 05 Jan 2100", "Which version is it?"));
    (console, case)
}

fn at(console: &Console, now: &str, args: &[&str]) -> Value {
    let all = [&["--now", now, "--json"], args].concat();
    serde_json::from_str(&console.ok(&all)).expect("one document")
}

fn kinds(clocks: &Value) -> Vec<(String, String)> {
    let word = |clock: &Value, key: &str| clock[key].as_str().unwrap_or("-").to_owned();
    let clocks = clocks.as_array().expect("a list").iter();
    clocks.map(|clock| (word(clock, "kind"), word(clock, "status"))).collect()
}

fn words(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(kind, status)| ((*kind).to_owned(), (*status).to_owned())).collect()
}

#[test]
fn a_silent_reporter_leads_to_drafts_and_never_to_acts() {
    let (console, case) = asked();
    let journal = console.store().join("journal.jsonl");
    let before = fs::read(&journal).expect("a journal");
    let open = at(&console, "2100-01-10T00:00:00Z", &["deadlines"]);
    let running =
        [("nudge", "running"), ("close", "running"), ("publish", "running"), ("update", "paused")];
    assert_eq!(kinds(&open), words(&running));
    assert_eq!(open[0]["due"], "2100-01-19T12:00:00Z");
    assert_eq!(open[1]["due"], "2100-02-04T12:00:00Z");
    let late = at(&console, "2100-03-01T00:00:00Z", &["deadlines"]);
    assert_eq!(kinds(&late)[..2], words(&[("nudge", "due-soon"), ("close", "due-soon")]));
    let waiting = at(&console, "2100-03-01T00:00:00Z", &["list", "is:waiting"]);
    assert_eq!(waiting[0]["waiting"]["since"], "2100-01-05T12:00:00Z");
    let nudge =
        console.ok(&["--now", "2100-01-20T00:00:00Z", "reply", &case, "--template", "nudge"]);
    assert!(nudge.contains("2100-01-05"), "{nudge}");
    console.ok(&["--now", "2100-03-01T00:00:00Z", "reply", &case, "--template", "close"]);
    let shown = console.json(&["show", &case]);
    assert_eq!((&shown["state"], &shown["disposition"]), (&"triage".into(), &"needs-info".into()));
    let acts = String::from_utf8(fs::read(&journal).expect("a journal")).expect("UTF-8");
    let new = acts[before.len()..].to_owned();
    assert!(!new.contains("\"decided\"") && !new.contains("\"state-set\""), "{new}");
}

#[test]
fn a_reminder_is_proposed_once() {
    let (console, _) = asked();
    import(&console, "3.eml", &mail(3, true, "Wed, 20 Jan 2100", "Any news?"));
    let open = at(&console, "2100-01-21T00:00:00Z", &["deadlines"]);
    let left = [("close", "running"), ("publish", "running"), ("update", "paused")];
    assert_eq!(kinds(&open), words(&left));
    assert_eq!(open[0]["due"], "2100-02-04T12:00:00Z", "counted from the question");
}

#[test]
fn an_answer_brings_the_case_back_with_its_points_looked_at_anew() {
    let (console, case) = asked();
    let waiting = at(&console, "2100-01-10T00:00:00Z", &["show", &case]);
    let missing: Vec<&str> =
        waiting["missing"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(missing.contains(&"NQ2"), "{missing:?}");
    assert_eq!(waiting["returned"], Value::Null);
    let text = "It is OctoPrint 1.11.8.\r\n\r\nSteps to reproduce:\r\n\r\ncurl -X POST http://octopi.local/api/job";
    import(&console, "3.eml", &mail(3, false, "Wed, 06 Jan 2100", text));
    let shown = at(&console, "2100-01-10T00:00:00Z", &["show", &case]);
    assert_eq!(shown["waiting"], Value::Null);
    assert_eq!(shown["unanswered"], true);
    let answered = shown["returned"]["answered"].as_array().expect("a list");
    assert!(answered.contains(&"NQ2".into()), "{shown:#}");
    let open = shown["returned"]["open"].as_array().expect("a list");
    assert!(open.iter().all(|clause| !answered.contains(clause)), "{shown:#}");
    let told = console.ok(&["show", &case]);
    assert!(told.contains("the reporter has answered: tells "), "{told}");
    assert_eq!(
        at(&console, "2100-01-10T00:00:00Z", &["list", "is:waiting"]),
        serde_json::json!([])
    );
}

#[test]
fn a_drafted_question_that_has_not_left_keeps_the_turn_with_us() {
    let console = Console::new();
    import(&console, "1.eml", &mail(1, false, "Mon, 04 Jan 2010", REPORT));
    import(&console, "2.eml", &mail(2, true, "Tue, 05 Jan 2010", "Thanks, we look at it."));
    let case = console.case("Lamp API");
    console.ok(&["decide", &case, "needs-info"]);
    assert_ne!(console.json(&["show", &case])["waiting"], Value::Null);
    console.ok(&["reply", &case, "--out", "reply.eml"]);
    assert_eq!(console.json(&["show", &case])["waiting"], Value::Null);
}

#[test]
fn a_pause_rests_our_clocks_until_it_ends_or_the_reporter_writes() {
    let console = Console::new();
    // Acts carry the time of the system, so that the mails must lie around it.
    let file = console.write("now", "");
    let modified = fs::metadata(file).and_then(|file| file.modified()).expect("a time");
    let now = Timestamp::try_from(modified).expect("in range");
    let day = |days: i64| now + SignedDuration::from_hours(24 * days);
    let date = |at: Timestamp| at.strftime("%a, %d %b %Y").to_string();
    import(&console, "1.eml", &mail(1, false, &date(day(-2)), REPORT));
    let case = console.case("Lamp API");
    let clock = |days: i64, kind: &str| {
        let shown = at(&console, &day(days).to_string(), &["show", &case]);
        let clocks = shown["deadlines"].as_array().expect("a list").clone();
        let clock = clocks.into_iter().find(|clock| clock["kind"] == kind).expect("a clock");
        (
            clock["status"].as_str().expect("a word").to_owned(),
            clock["due"].clone(),
            clock["why"].clone(),
        )
    };
    let (_, free, _) = clock(0, "acknowledge");
    console.ok(&["pause", &case, "--until", &day(30).to_string(), "--reason", "fair"]);
    console.fails(2, &["pause", &case]);
    let (status, due, why) = clock(20, "acknowledge");
    assert_eq!(status, "paused");
    assert_eq!(why, format!("rests until {}", day(30).strftime("%Y-%m-%d")));
    let time =
        |value: &Value| value.as_str().expect("a time").parse::<Timestamp>().expect("a time");
    let shift = time(&due).duration_since(time(&free)).as_hours();
    assert!((24 * 30 - 1..=24 * 30).contains(&shift), "{shift} hours later");
    assert_eq!(clock(20, "publish").0, "running");
    assert_eq!(clock(31, "acknowledge").0, "running");
    // The reporter writes again: from then on they run.
    import(&console, "2.eml", &mail(2, false, &date(day(10)), "One more thing."));
    assert_ne!(clock(12, "acknowledge").0, "paused");
    assert!(time(&clock(12, "acknowledge").1) < time(&due));
}

#[test]
fn a_pause_is_an_act_like_any_other() {
    let console = Console::new();
    import(&console, "1.eml", &mail(1, false, "Mon, 04 Jan 2010", REPORT));
    let case = console.case("Lamp API");
    console.fails(2, &["pause", &case, "--until", "2001-01-01T00:00:00Z"]);
    console.fails(2, &["resume", &case]);
    console.ok(&["pause", &case]);
    console.fails(2, &["pause", &case]);
    console.ok(&["resume", &case]);
    console.fails(2, &["resume", &case]);
    console.ok(&["pause", &case]);
    console.ok(&["undo", &case]);
    console.fails(2, &["resume", &case]);
    let shown = console.json(&["show", &case]);
    let acts = shown["timeline"].as_array().expect("a list").iter();
    let kinds: Vec<&str> = acts.filter_map(|act| act["kind"].as_str()).collect();
    assert_eq!(kinds, ["opened", "paused", "resumed", "paused", "undone"]);
}

#[test]
fn both_zones_are_shown_and_the_calendar_is_in_utc() {
    let (console, case) = asked();
    let run = |args: &[&str]| {
        let mut command = console.command(args);
        let done = command.env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3").output().expect("it runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8")
    };
    let told = run(&["--now", "2100-01-10T00:00:00Z", "deadlines"]);
    assert!(told.contains("2100-01-19 12:00 UTC (13:00 CET)"), "{told}");
    assert!(told.contains("2100-04-04 12:00 UTC (14:00 CEST)"), "{told}");
    assert!(run(&["--now", "2100-01-10T00:00:00Z", "show", &case]).contains("UTC (14:00 CEST)"));

    let path = console.path("clocks.ics");
    let file = path.to_str().expect("UTF-8");
    run(&["--now", "2100-01-10T00:00:00Z", "deadlines", "--ics", file]);
    let calendar = fs::read_to_string(&path).expect("written");
    assert!(calendar.contains(&format!("UID:{case}-publish@casebook\r\n")), "{calendar}");
    assert!(calendar.contains("DTSTART:21000404T120000Z\r\n"), "{calendar}");
    assert!(calendar.contains(&format!("SUMMARY:{case}: nudge\r\n")), "{calendar}");
    for secret in ["Lamp", "ina@", "lights", "octoprint", "Ina"] {
        assert!(!calendar.contains(secret), "{calendar}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // It is written again; another file is not written over.
    run(&["--now", "2100-01-11T00:00:00Z", "deadlines", "--ics", file]);
    assert!(fs::read_to_string(&path).expect("written").contains("DTSTAMP:21000111T000000Z"));
    console.write("other.ics", "BEGIN:VCALENDAR\r\nPRODID:theirs\r\n");
    console.fails(2, &["deadlines", "--ics", "other.ics"]);
}
