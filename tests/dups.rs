//! Duplicates through the program: named with what is shared, merged, split, taken back, and found again after
//! the index was made anew; published records take part.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::console::Console;

/// A mail to us, received at 08:00 on a day of October 2026.
fn mail(day: u8, id: &str, from: &str, subject: &str, more: &str, text: &str) -> String {
    format!(
        "Received: from mx.test.example (mx [192.0.2.1])\r\n\tby mail.octoprint.example with ESMTPS; \
         {day:02} Oct 2026 08:00:00 +0000\r\nFrom: {from}\r\nTo: security@octoprint.org\r\nSubject: {subject}\r\n\
         Date: {day:02} Oct 2026 08:00:00 +0000\r\nMessage-ID: <{id}@test.example>\r\n{more}\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
        text.replace('\n', "\r\n")
    )
}

const FIRST: &str = "On 1.11.8 GET /plugin/spoolmate/label?text=<img src=x onerror=alert(1)> comes back unescaped in\n\
                     the label preview of the spool dialog. Any logged in user can send such a link.\n";

const SECOND: &str = "Hello,\nthe spool dialog has a label preview. /plugin/spoolmate/label?text=<img src=y\n\
                      onerror=alert(document.domain)> is put into the page unescaped.\n";

const OTHER: &str = "A crafted gcode comment is written into the job title as HTML, so <svg onload=alert(1)> runs when\n\
                     the job list is opened.\n";

/// Three reports: the second tells of the same flaw as the first.
fn stocked() -> Console {
    let console = Console::new();
    let mails = [
        mail(3, "one", "Ada <ada@one.example>", "XSS in spool labels", "", FIRST),
        mail(5, "two", "Bo <bo@two.example>", "html injection in the spool dialog", "", SECOND),
        mail(6, "three", "Cy <cy@three.example>", "XSS by job title", "", OTHER),
    ];
    for (name, text) in ["1.eml", "2.eml", "3.eml"].iter().zip(mails) {
        let path = console.write(name, &text);
        console.ok(&["import", path.to_str().expect("UTF-8")]);
    }
    console
}

fn bring(console: &Console, name: &str, text: &str) {
    let path = console.write(name, text);
    console.ok(&["import", path.to_str().expect("UTF-8")]);
}

/// Every case with its mails, without what differs from store to store.
fn cases(console: &Console) -> Value {
    let list = console.json(&["list"]);
    let shown = list.as_array().expect("a list").iter().map(|case| {
        let mut case = console.json(&["show", case["case"].as_str().expect("an id")]);
        if let Some(fields) = case.as_object_mut() {
            fields.remove("timeline");
            fields.remove("policy");
        }
        case
    });
    shown.collect()
}

fn count(console: &Console) -> usize {
    console.json(&["list"]).as_array().expect("a list").len()
}

fn sound(console: &Console) {
    console.ok(&["verify"]);
    let before = cases(console);
    console.ok(&["verify", "--rebuild"]);
    assert_eq!(cases(console), before, "the index made anew says something else");
    console.ok(&["verify"]);
}

#[test]
fn the_twin_is_named_with_what_is_shared_and_proposed_as_a_duplicate() {
    let console = stocked();
    let (one, two) = (console.case("spool labels"), console.case("spool dialog"));
    let hints = console.json(&["hints", &two]);
    let twin = &hints["duplicates"][0];
    assert_eq!(twin["case"], one.as_str());
    assert_eq!(twin["first"], true);
    let shared = twin["shared"].to_string();
    assert!(
        shared.contains("/plugin/spoolmate/label") && shared.contains("label preview"),
        "{shared}"
    );
    assert_eq!(hints["suggested"]["disposition"], "duplicate");
    let answers = hints["answers"].as_array().expect("answers");
    let known = answers.iter().find(|hint| hint["rule"] == "near-duplicate").expect("a hint");
    assert_eq!((known["clause"].as_str(), known["answer"].as_str()), (Some("PD4"), Some("no")));
    assert!(known["evidence"]["text"].to_string().contains("/plugin/spoolmate/label"), "{known}");
    // The first report is nobody's duplicate, and a third of the same class is like neither.
    let first = console.json(&["hints", &one]);
    assert_eq!(first["duplicates"][0]["case"], two.as_str());
    assert_eq!(first["duplicates"][0]["first"], false);
    assert_ne!(first["suggested"]["disposition"], "duplicate");
    let third = console.json(&["hints", &console.case("job title")]);
    assert_eq!(third["duplicates"], serde_json::json!([]));
    let text = console.ok(&["hints", &two]);
    assert!(text.contains(&format!("like {one} (first, 3 Oct 2026), shared: ")), "{text}");
}

#[test]
fn declined_before_is_told_with_the_clause() {
    let console = stocked();
    let (one, two) = (console.case("spool labels"), console.case("spool dialog"));
    console.ok(&["decide", &one, "reject", "--clause", "NQ11"]);
    let text = console.ok(&["hints", &two]);
    assert!(text.contains("declined before (reject NQ11)"), "{text}");
}

#[test]
fn a_merge_keeps_the_first_finder_and_comes_apart_again() {
    let console = stocked();
    let (one, two) = (console.case("spool labels"), console.case("spool dialog"));
    console.ok(&["note", &one, "seen"]);
    console.ok(&["note", &two, "seen too"]);
    let before = cases(&console);
    // The earlier report is merged into the later one: credit goes by time all the same.
    console.ok(&["merge", &one, &two]);
    assert_eq!(count(&console), 2);
    let merged = console.json(&["show", &two]);
    assert_eq!(merged["reporter"]["address"], "ada@one.example");
    assert_eq!(merged["received"], "2026-10-03T08:00:00Z");
    assert_eq!(merged["messages"].as_array().map(Vec::len), Some(2));
    let led = console.run(&["show", &one]);
    assert!(led.status.success());
    let said = String::from_utf8_lossy(&led.stderr).into_owned();
    assert!(said.contains(&format!("{one} is merged into {two}")), "{said}");
    sound(&console);
    console.ok(&["undo", &one]);
    assert_eq!(cases(&console), before);
    sound(&console);
}

#[test]
fn later_mail_of_a_merged_thread_lands_in_the_case_that_stays() {
    let console = stocked();
    let (one, two) = (console.case("spool labels"), console.case("spool dialog"));
    console.ok(&["merge", &two, &one]);
    let answer = mail(
        9,
        "more",
        "Bo <bo@two.example>",
        "Re: html injection in the spool dialog",
        "In-Reply-To: <two@test.example>\r\nReferences: <two@test.example>\r\n",
        "One thing more: the same happens with the title.\n",
    );
    bring(&console, "4.eml", &answer);
    assert_eq!(count(&console), 2);
    assert_eq!(console.json(&["show", &one])["messages"].as_array().map(Vec::len), Some(3));
    sound(&console);
    // Taken back, the answer goes with its thread.
    console.ok(&["undo", &one]);
    assert_eq!(count(&console), 3);
    assert_eq!(console.json(&["show", &two])["messages"].as_array().map(Vec::len), Some(2));
    sound(&console);
}

#[test]
fn merges_in_a_row_are_taken_back_in_a_row() {
    let console = stocked();
    let ids = ["spool labels", "spool dialog", "job title"].map(|words| console.case(words));
    let [one, two, three] = &ids;
    console.ok(&["merge", two, one]);
    console.ok(&["merge", one, three]);
    assert_eq!(count(&console), 1);
    for id in &ids {
        assert_eq!(console.json(&["show", id])["case"], three.as_str());
    }
    sound(&console);
    console.ok(&["undo", two]);
    assert_eq!(console.json(&["show", two])["case"], one.as_str());
    console.ok(&["undo", two]);
    for id in &ids {
        assert_eq!(console.json(&["show", id])["case"], id.as_str());
    }
    sound(&console);
}

#[test]
fn a_split_makes_a_case_that_can_be_taken_back() {
    let console = stocked();
    let one = console.case("spool labels");
    let more = |id: &str, day, text: &str| {
        mail(
            day,
            id,
            "Ada <ada@one.example>",
            "Re: XSS in spool labels",
            "In-Reply-To: <one@test.example>\r\nReferences: <one@test.example>\r\n",
            text,
        )
    };
    bring(&console, "5.eml", &more("five", 8, "By the way, the backup zip is world readable.\n"));
    bring(&console, "6.eml", &more("six", 9, "Any news on the labels?\n"));
    let before = cases(&console);
    console.ok(&["split", &one, "2"]);
    assert_eq!(count(&console), 4);
    assert_eq!(console.json(&["show", &one])["messages"].as_array().map(Vec::len), Some(2));
    let list = console.json(&["list"]);
    let new = list
        .as_array()
        .expect("a list")
        .iter()
        .find(|case| case["subject"] == "Re: XSS in spool labels");
    let new = new.expect("a new case")["case"].as_str().expect("an id").to_owned();
    sound(&console);
    // What answers the mail that was split off follows it.
    let answer = mail(
        10,
        "seven",
        "Ada <ada@one.example>",
        "Re: XSS in spool labels",
        "In-Reply-To: <five@test.example>\r\nReferences: <five@test.example>\r\n",
        "I mean the zip in /downloads.\n",
    );
    bring(&console, "7.eml", &answer);
    assert_eq!(console.json(&["show", &new])["messages"].as_array().map(Vec::len), Some(2));
    sound(&console);
    // Even where something was decided on it, it comes back.
    console.ok(&["note", &new, "another matter"]);
    console.ok(&["undo", &one]);
    assert_eq!(console.json(&["show", &new])["case"], one.as_str());
    assert_eq!(console.json(&["show", &one])["messages"].as_array().map(Vec::len), Some(4));
    assert_eq!(count(&console), 3);
    sound(&console);
    drop(before);
    let refusal = console.fails(2, &["split", &one, "1"]);
    assert!(refusal.contains("first mail"), "{refusal}");
    console.fails(2, &["split", &one, "99"]);
    console.fails(2, &["merge", &one, &new]);
}

#[test]
fn merge_and_undo_leave_the_split_untouched() {
    let console = stocked();
    let one = console.case("spool labels");
    let answer = mail(
        8,
        "five",
        "Ada <ada@one.example>",
        "Re: XSS in spool labels",
        "In-Reply-To: <one@test.example>\r\n",
        "The backup zip is world readable.\n",
    );
    bring(&console, "5.eml", &answer);
    let before = cases(&console);
    console.ok(&["split", &one, "2"]);
    console.ok(&["undo", &one]);
    assert_eq!(cases(&console), before);
    sound(&console);
}

const RECORD: &str = r####"{
  "schema_version": "1.7.0",
  "id": "GHSA-2222-3333-4444",
  "modified": "2026-02-01T10:00:00Z",
  "published": "2026-02-01T10:00:00Z",
  "aliases": ["CVE-2026-11111"],
  "summary": "XSS in the label preview of spools",
  "details": "### Impact\n\nThe `text` parameter of `/plugin/spoolmate/label` is put into the label preview unescaped.\n\n### Patches\n\nFixed in 1.11.2.",
  "affected": [{"package": {"ecosystem": "PyPI", "name": "OctoPrint"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.11.2"}]}]}],
  "references": [{"type": "ADVISORY", "url": "https://github.com/o/r/security/advisories/GHSA-2222-3333-4444"}],
  "database_specific": {"cwe_ids": ["CWE-79"]}
}
"####;

fn file(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn a_published_record_is_known_until_it_is_removed() {
    let console = stocked();
    let record = console.write("record.json", RECORD);
    console.ok(&["precedent", "add", file(&record)]);
    let two = console.case("spool dialog");
    let known = |console: &Console| console.ok(&["hints", &two]);
    let words = "already published as GHSA-2222-3333-4444, fixed in 1.11.2";
    assert!(known(&console).contains(words), "{}", known(&console));
    let listed = console.json(&["precedent", "list"]);
    assert_eq!(listed[0]["name"], "GHSA-2222-3333-4444");
    sound(&console);
    assert!(known(&console).contains(words));
    // The same bytes again are no new entry; another version of the record is.
    console.ok(&["precedent", "add", file(&record)]);
    console.ok(&["precedent", "remove", "cve-2026-11111"]);
    assert!(!known(&console).contains("already published"));
    console.ok(&["precedent", "undo", "GHSA-2222-3333-4444"]);
    assert!(known(&console).contains(words));
    console.fails(2, &["precedent", "remove", "GHSA-9999-9999-9999"]);
    let bad = console.write("bad.json", "{}");
    console.fails(1, &["precedent", "add", file(&bad)]);
    sound(&console);
}

#[test]
fn a_report_that_names_a_record_finds_it_though_its_words_are_others() {
    let console = stocked();
    let record = console.write("record.json", RECORD);
    console.ok(&["precedent", "add", file(&record)]);
    let text = "Is CVE-2026-11111 really gone? My scanner still lists it.\n";
    bring(&console, "8.eml", &mail(11, "eight", "Di <di@four.example>", "question", "", text));
    let hints = console.json(&["hints", &console.case("question")]);
    assert_eq!(hints["duplicates"][0]["published"]["name"], "GHSA-2222-3333-4444");
    assert_eq!(hints["duplicates"][0]["case"], Value::Null);
}
