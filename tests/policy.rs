//! A policy of another project as nothing but data: checked against its text and its checkout, used, and changed under
//! the cases that were judged by it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::fs;
use std::process::Command;

use serde_json::Value;
use support::console::Console;

const DATA: &str = include_str!("fixtures/policy/lumen.toml");
const TEXT: &str = include_str!("fixtures/policy/lumen.md");

const REPORT: &str = "From: Ina <ina@lights.example>\r\nTo: crew@lumen.example\r\nSubject: Mains on the frame\r\n\
    Message-ID: <1@lights.example>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\
    Received: from a by b; Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nHello crew,\r\n\r\nafter opening the lamp with a \
    screwdriver the frame of Lumen 3.2 is live.\r\nCVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N\r\n\r\nIna\r\n";

/// A console under the policy of the invented project.
fn console() -> Console {
    let console = Console::new();
    console.write("lumen.toml", DATA);
    console.write("lumen.md", TEXT);
    configure(&console, "");
    console
}

fn configure(console: &Console, more: &str) {
    let folder = console.path(".config/casebook");
    fs::create_dir_all(&folder).expect("a folder");
    let file = |name: &str| console.path(name).display().to_string();
    let text = format!(
        "[me]\nname = \"Bo\"\naddresses = [\"crew@lumen.example\"]\n\n[policy]\nfile = {:?}\ntext = {:?}\n{more}",
        file("lumen.toml"),
        file("lumen.md")
    );
    fs::write(folder.join("config.toml"), text).expect("written");
}

/// A console with the report in its store, and the id of its case.
fn with_report() -> (Console, String) {
    let console = console();
    let path = console.write("report.eml", REPORT);
    console.ok(&["import", path.to_str().expect("UTF-8")]);
    let case = console.case("Mains");
    (console, case)
}

fn outcomes(document: &Value, outcome: &str) -> Vec<String> {
    let sentences = document["sentences"].as_array().expect("a list");
    let of = sentences.iter().filter(|sentence| sentence["outcome"] == outcome);
    of.map(|s| s["text"].as_str().or(s["former"].as_str()).unwrap_or("?").to_owned()).collect()
}

/// The document of a check that finds faults.
fn faulty(console: &Console, args: &[&str]) -> Value {
    let all = [&["--json", "policy", "check"], args].concat();
    let done = console.run(&all);
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("one document")
}

#[test]
fn text_and_checklist_of_the_other_project_belong_together() {
    let console = console();
    let checked = console.json(&["policy", "check"]);
    assert_eq!(checked["clean"], true, "{checked:#}");
    assert_eq!(checked["date"], "2026-03-01");
    assert_eq!(outcomes(&checked, "covered").len(), 10);
    assert_eq!(outcomes(&checked, "rationale").len(), 5);
    let told = console.ok(&["policy", "check"]);
    assert!(told.contains("10 covered, 5 rationale, 0 new, 0 changed, 0 vanished"), "{told}");
    assert!(told.contains("not looked up: no product.checkout"), "{told}");
}

#[test]
fn form_makes_no_difference_and_every_fault_is_listed() {
    let console = console();
    let (head, tail) = TEXT.split_at(TEXT.find("## 2.").expect("there"));
    let form = format!(
        "{}\n{}",
        tail.replace("## 3.", "## 7."),
        head.split_once("---\n\n").expect("front").1
    );
    let path =
        console.write("form.md", &form.replace("2026-03-01", "2027-09-09").replace('\n', "\r\n"));
    let checked = console.json(&["policy", "check", path.to_str().expect("UTF-8")]);
    assert_eq!(checked["clean"], true, "{checked:#}");

    let drifted = TEXT
        .replace("within 3 days", "within 4 days")
        .replace("2. Lamps that were opened with a screwdriver\n", "")
        .replace("We score", "Threats go to our lawyers first. We score");
    let path = console.write("drifted.md", &drifted);
    let checked = faulty(&console, &[path.to_str().expect("UTF-8")]);
    assert_eq!(outcomes(&checked, "changed"), ["The crew answers **within 4 days**."]);
    assert_eq!(outcomes(&checked, "new"), ["Threats go to our lawyers first."]);
    assert_eq!(outcomes(&checked, "vanished"), ["Lamps that were opened with a screwdriver"]);
    let told = console.fails(1, &["policy", "check", "drifted.md"]);
    assert!(told.contains("3 faults"), "{told}");
    let since = console.ok(&["policy", "check", "drifted.md", "--since", "lumen.md"]);
    assert!(since.contains("rules: 1 changed, 1 new, 1 vanished; 0 changes of layout"), "{since}");

    console.write("lumen.toml", &l1_without_sentence());
    let checked = faulty(&console, &[]);
    assert_eq!(checked["items_without_sentence"], serde_json::json!(["L1"]));
}

/// The data with a point that names no sentence.
fn l1_without_sentence() -> String {
    let at = DATA.find("id = \"L1\"").expect("there");
    let (head, tail) = DATA.split_at(at);
    format!("{head}{}", tail.replacen("sentences = [", "sentences = [] # ", 1))
}

#[test]
fn what_the_checkout_does_not_have_is_named() {
    let console = console();
    let repo = console.path("repo");
    configure(&console, &format!("\n[product]\ncheckout = {:?}\n", repo.display().to_string()));
    let told = console.ok(&["policy", "check"]);
    assert!(told.contains("not looked up: git could not read"), "{told}");
    fs::create_dir(&repo).expect("a folder");
    fs::write(repo.join("README.md"), "lamp\n").expect("written");
    for args in [
        &["init", "-q", "-b", "trunk"][..],
        &["add", "README.md"],
        &["commit", "-q", "-m", "first"],
        &["tag", "v3.2"],
        &["tag", "v3.4.1"],
    ] {
        let mut git = Command::new("git");
        git.args(args)
            .current_dir(&repo)
            .env("HOME", console.path(""))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Dev")
                .env(format!("GIT_{who}_EMAIL"), "d@e.example");
        }
        assert!(git.status().expect("git").success(), "{args:?}");
    }
    let checked = console.json(&["policy", "check"]);
    let named = |name: &str| {
        let names = checked["names"].as_array().expect("a list");
        let found = names.iter().find(|named| named["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {checked:#}"))["found"].as_str().expect("a word")
    };
    for (name, found) in [
        ("trunk", "yes"),
        ("next/*", "no"),
        ("3.2", "yes"),
        ("2.x", "no"),
        ("2.9", "no"),
        // A tag beyond the newest release of the checklist.
        ("3.4.1", "no"),
        ("#1-what-we-look-at", "yes"),
        ("mailto:crew@lumen.example", "yes"),
        ("https://git.lumen.example/lumen/blob/trunk/README.md", "yes"),
    ] {
        assert_eq!(named(name), found, "{name}");
    }
    assert!(
        console
            .ok(&["policy", "check"])
            .contains("missing    branch next/* (1. What we look at, checklist)")
    );
}

#[test]
fn another_project_needs_no_code() {
    let (console, case) = with_report();
    let hints = console.json(&["hints", &case]);
    let ids: Vec<&str> = hints["answers"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|a| a["clause"].as_str())
        .collect();
    assert!(ids.contains(&"W3") && ids.contains(&"H1"), "{ids:?}");
    let known = ["L1", "L2", "L3", "W1", "W2", "W3", "H1", "H2", "T1", "T2"];
    assert!(ids.iter().all(|id| known.contains(id)), "{ids:?}");
    assert_eq!(hints["suggested"]["disposition"], "reject");
    assert_eq!(hints["suggested"]["clauses"], serde_json::json!(["W3"]));
    assert_eq!(hints["vectors"][0]["over_cap"], true, "capped to Local");

    let shown = console.json(&["show", &case]);
    let due = |kind: &str| {
        let clocks = shown["deadlines"].as_array().expect("a list");
        clocks.iter().find(|clock| clock["kind"] == kind).expect("a clock")["due"].clone()
    };
    assert_eq!(due("acknowledge"), "2026-11-05T10:00:00Z");
    assert_eq!(due("publish"), "2026-12-17T10:00:00Z");

    console.ok(&["decide", &case, "reject", "--clause", "W3"]);
    let reply = console.ok(&["reply", &case]);
    assert!(reply.contains("> Lamps that were opened with a screwdriver\n"), "{reply}");
    assert!(
        reply.contains("Policy: https://lumen.example/flaws (version of 2026-03-01, sha256 "),
        "{reply}"
    );
}

#[test]
fn a_case_stays_with_the_policy_it_was_judged_under() {
    let (console, case) = with_report();
    let open = console.json(&["show", &case]);
    assert_eq!(open["policy"]["pinned"], false);
    console.ok(&["decide", &case, "reject", "--clause", "L3"]);
    let pinned = console.json(&["show", &case]);
    assert_eq!(pinned["policy"]["pinned"], true);
    assert_eq!(pinned["policy"]["changed"], serde_json::json!([]));
    assert!(console.ok(&["show", &case]).contains("of 2026-03-01, unchanged since"));

    // The sentence changes, and its name in the checklist with it.
    let sentence = "Please keep a flaw to yourself for 45 days after you\ntold us.";
    let now = "Please keep a flaw to yourself for 60 days after you told us.";
    let text = TEXT.replace(sentence, now).replace("2026-03-01", "2026-10-10");
    let (old, new) = (sentence_hash(sentence), sentence_hash(now));
    console.write("lumen.md", &text);
    console.write(
        "lumen.toml",
        &DATA.replace(&old, &new).replace("embargo_days = 45", "embargo_days = 60"),
    );
    assert_eq!(console.json(&["policy", "check"])["clean"], true);

    let shown = console.json(&["show", &case]);
    assert_eq!(shown["policy"]["hash"], pinned["policy"]["hash"]);
    assert_eq!(shown["policy"]["date"], "2026-03-01");
    let changed: Vec<&str> = shown["policy"]["changed"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        changed,
        ["points changed: L3", "changed: the clocks", "sentences of the text: 1 changed"]
    );
    assert!(
        console.ok(&["show", &case]).contains("of 2026-03-01, changed since: points changed: L3;")
    );
    // Byte for byte, its line end included.
    let reply = console.ok(&["reply", &case]);
    assert!(reply.contains(&format!("> {}\n", sentence.replace('\n', "\n> "))), "{reply}");
    assert!(reply.contains("(version of 2026-03-01, sha256 "), "{reply}");

    // What a kept policy says is checked with everything else.
    console.ok(&["verify"]);
    let kept: Vec<_> = fs::read_dir(console.store().join("policies"))
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    assert_eq!(kept.len(), 2);
    let data =
        kept.iter().find(|path| path.extension().is_some_and(|e| e == "toml")).expect("data");
    fs::write(data, "name = \"forged\"").expect("written");
    assert!(console.ok(&["show", &case]).contains("not kept here"));
    console.fails(3, &["verify"]);
}

fn sentence_hash(sentence: &str) -> String {
    casebook::domain::policy_text::sentence_hash(sentence)
}

#[cfg(unix)]
#[test]
fn kept_policies_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (console, case) = with_report();
    console.ok(&["note", &case, "seen"]);
    for entry in fs::read_dir(console.store().join("policies")).expect("a folder") {
        let mode = entry.expect("an entry").metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
