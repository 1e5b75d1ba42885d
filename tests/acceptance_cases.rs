//! The shared mails through the program itself: the labelled reports become the labelled cases with their clocks,
//! and every odd mail is listed once, byte for byte.
//!
//! Needs the shared material (`CASEBOOK_SHARED`, or `../shared` beside the checkout).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest, Sha256};
use support::console::{Console, NOW, forbidden};
#[cfg(unix)]
use support::dovecot::{Dovecot, PASSWORD, USER};

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("CASEBOOK_SHARED").map_or(beside, PathBuf::from);
    let found = folder.join("corpus/reports/labels.toml").is_file();
    if !found {
        println!("skipped: no shared material");
    }
    found.then_some(folder)
}

fn digest(raw: &[u8]) -> String {
    Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(document: &'a Value, field: &str) -> &'a str {
    document[field].as_str().unwrap_or_else(|| panic!("no text {field} in {document}"))
}

fn list<'a>(document: &'a Value, field: &str) -> &'a [Value] {
    document[field].as_array().unwrap_or_else(|| panic!("no list {field} in {document}"))
}

struct Label(toml::Table);

impl Label {
    fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(toml::Value::as_str).unwrap_or_default()
    }

    fn date(&self, key: &str) -> Option<String> {
        let date = self.0.get(key).and_then(toml::Value::as_datetime);
        date.map(ToString::to_string)
    }

    fn is(&self, key: &str) -> bool {
        self.0.get(key).and_then(toml::Value::as_bool).unwrap_or_default()
    }

    fn score(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(toml::Value::as_float)
    }
}

/// The labels by the digest of their mail.
fn labels(shared: &Path) -> BTreeMap<String, Label> {
    let folder = shared.join("corpus/reports");
    let table = fs::read_to_string(folder.join("labels.toml")).expect("labels");
    let table: toml::Table = table.parse().expect("TOML");
    let mails = table["mail"].as_array().expect("mails").iter();
    mails
        .map(|mail| {
            let label = Label(mail.as_table().expect("a table").clone());
            let raw = fs::read(folder.join(label.text("file"))).expect("a mail");
            (digest(&raw), label)
        })
        .collect()
}

/// A case as `list` and `show` tell it.
struct Shown {
    listed: Value,
    shown: Value,
    hints: Value,
}

fn imported(console: &Console, shared: &Path) -> Vec<Shown> {
    let folder = shared.join("corpus/reports");
    let folder = folder.to_str().expect("UTF-8");
    let first = console.json(&["import", folder]);
    assert_eq!((&first["seen"], &first["new"]), (&60.into(), &60.into()), "{first}");
    let again = console.json(&["import", folder]);
    assert_eq!((&again["new"], &again["duplicates"]), (&0.into(), &60.into()), "{again}");
    all_cases(console)
}

fn all_cases(console: &Console) -> Vec<Shown> {
    let cases = console.json(&["list"]);
    let cases = cases.as_array().expect("cases").iter();
    cases
        .map(|listed| {
            let id = text(listed, "case");
            Shown {
                shown: console.json(&["show", id]),
                hints: console.json(&["hints", id]),
                listed: listed.clone(),
            }
        })
        .collect()
}

/// Members of a case in order, by label.
fn members<'a>(case: &Shown, labels: &'a BTreeMap<String, Label>) -> Vec<&'a Label> {
    list(&case.shown, "messages")
        .iter()
        .map(|message| &labels[text(message, "source_sha256")])
        .collect()
}

#[test]
fn the_labelled_reports_become_their_cases() {
    let Some(shared) = shared() else { return };
    let labels = labels(&shared);
    let console = Console::new();
    are_as_labelled(&imported(&console, &shared), &labels);
}

/// Cases, directions and clocks against the labels.
fn are_as_labelled(cases: &[Shown], labels: &BTreeMap<String, Label>) {
    let mut wrong = Vec::new();
    let mut parts: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for case in cases {
        let members = members(case, labels);
        let ids: Vec<&str> = members.iter().map(|label| label.text("id")).collect();
        let names: BTreeSet<&str> = members.iter().map(|label| label.text("case")).collect();
        if names.len() != 1 {
            wrong.push(format!("{ids:?} in one case"));
        }
        for name in names {
            parts.entry(name).or_default().push(ids.clone());
        }
        for (message, label) in list(&case.shown, "messages").iter().zip(&members) {
            if text(message, "direction") != label.text("direction") {
                wrong.push(format!("{}: {}", label.text("id"), text(message, "direction")));
            }
        }
        clocks(&case.listed, &members, &mut wrong);
        for field in ["case", "deadlines", "suggested", "received", "state"] {
            assert_eq!(case.listed[field], case.shown[field], "{field}");
        }
    }
    for (name, parts) in parts.iter().filter(|(_, parts)| parts.len() > 1) {
        wrong.push(format!("{name} in parts {parts:?}"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(cases.iter().map(|case| list(&case.shown, "messages").len()).sum::<usize>(), 60);
}

/// In an order of its own, in two halves, and with a mailbox made anew between: what comes of it is the same.
#[cfg(unix)]
#[test]
fn the_labelled_reports_pulled_in_any_order_become_the_same_cases() {
    let Some(shared) = shared() else { return };
    let labels = labels(&shared);
    let Some(dovecot) = Dovecot::start() else { return };
    let mut seed = 0x5eed_0060_u64;
    println!("seed {seed:#x}");
    let folder = shared.join("corpus/reports");
    let mut mails: Vec<(u64, Vec<u8>, SystemTime)> = labels
        .values()
        .map(|label| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let received: jiff::Timestamp =
                label.date("received").expect("a time").parse().expect("a time");
            let raw = fs::read(folder.join(label.text("file"))).expect("a mail");
            let seconds = u64::try_from(received.as_second()).expect("after 1970");
            (seed, raw, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        })
        .collect();
    mails.sort();
    let console = Console::new();
    console.write("secret", PASSWORD);
    let (port, secret) = (dovecot.port, console.path("secret"));
    console.write(
        "config.toml",
        &format!(
            "[account]\naddress = \"security@octoprint.org\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             security = \"plain\"\nuser = \"{USER}\"\npassword_command = [\"cat\", {secret:?}]\n"
        ),
    );
    let sync = || console.json(&["--config", "config.toml", "sync"]);
    let (first, second) = mails.split_at(30);
    for (half, new) in [(first, 30), (second, 30)] {
        for (order, raw, received) in half {
            // Names of one length, so that their order is that of the numbers.
            let name = format!("{:010}.M{}.test:2,", order >> 32, order & 0xffff_ffff);
            dovecot.put(None, &name, raw, *received);
        }
        let pulled = sync();
        assert_eq!(pulled["new"], new, "{pulled}");
        dovecot.begin_anew();
    }
    let anew = sync();
    assert_eq!((&anew["new"], &anew["duplicates"]), (&0.into(), &60.into()), "{anew}");
    are_as_labelled(&all_cases(&console), &labels);
}

/// `acknowledge` and `publish` of a case against the labels of its first mail.
fn clocks(listed: &Value, members: &[&Label], wrong: &mut Vec<String>) {
    let Some(label) = members.first().filter(|label| label.text("direction") == "in") else {
        return;
    };
    let id = label.text("id");
    let clock = |kind: &str| {
        let mut clocks = list(listed, "deadlines").iter();
        clocks.find(|clock| clock["kind"] == kind).unwrap_or_else(|| panic!("{id}: no {kind}"))
    };
    let mut check = |kind: &str, due: Option<String>, allowed: &[&str]| {
        let clock = clock(kind);
        let status = text(clock, "status");
        if !allowed.contains(&status) {
            wrong.push(format!("{id}: {kind} is {status}, not one of {allowed:?}"));
        }
        if status != "none" && due.as_deref() != clock["due"].as_str() {
            wrong.push(format!("{id}: {kind} due {}, not {due:?}", clock["due"]));
        }
        if status == "none" && clock["why"].as_str().is_none_or(str::is_empty) {
            wrong.push(format!("{id}: {kind} is none without a reason"));
        }
    };
    let open = ["running", "due-soon"];
    match label.text("response_state") {
        "overdue" => check("acknowledge", label.date("response_due"), &["overdue"]),
        "open" => check("acknowledge", label.date("response_due"), &open),
        "in-time" => check("acknowledge", label.date("response_due"), &["met"]),
        _ => {}
    }
    match (label.text("embargo_state"), label.date("embargo_ends")) {
        // The end is this very instant: a deadline is over when now is later than it.
        ("over", due) if due.as_deref() == Some(NOW) => check("publish", due, &["due-soon"]),
        ("over", due) => check("publish", due, &["overdue"]),
        ("running", due) => check("publish", due, &open),
        ("void-public", _) => check("publish", None, &["none"]),
        _ => {}
    }
}

#[test]
fn vectors_are_read_and_capped_and_flags_counted() {
    let Some(shared) = shared() else { return };
    let labels = labels(&shared);
    let console = Console::new();
    let cases = imported(&console, &shared);
    let (mut wrong, mut flags) = (Vec::new(), BTreeMap::<&str, (u32, u32)>::new());
    let (mut vectors, mut suggested) = (0, 0);
    for case in &cases {
        let members = members(case, &labels);
        let incoming = members.iter().filter(|label| label.text("direction") == "in");
        let wanted: BTreeMap<&str, &Label> = incoming
            .clone()
            .flat_map(|label| {
                let list = label.0.get("cvss_vectors").and_then(toml::Value::as_array);
                let words = list.into_iter().flatten().filter_map(toml::Value::as_str);
                words.map(|vector| (vector, *label))
            })
            .collect();
        let found = list(&case.hints, "vectors");
        for vector in wanted.keys() {
            if !found.iter().any(|one| text(one, "text") == *vector) {
                wrong.push(format!("{vector} was not found"));
            }
        }
        for one in found {
            let Some(label) = wanted.get(text(one, "text")) else {
                wrong.push(format!("{} is in no label", text(one, "text")));
                continue;
            };
            vectors += 1;
            let id = label.text("id");
            if one["valid"] != label.is("cvss_valid") {
                wrong.push(format!("{id}: valid {}", one["valid"]));
            }
            if label.is("cvss_valid") && one["over_cap"] != label.is("cvss_over_cap") {
                wrong.push(format!("{id}: over_cap {}", one["over_cap"]));
            }
            for (field, key) in [("base", "cvss_base"), ("base_capped", "cvss_base_capped")] {
                if label.score(key).is_some() && one[field].as_f64() != label.score(key) {
                    wrong.push(format!("{id}: {field} {} not {:?}", one[field], label.score(key)));
                }
            }
            let severity = one["severity_capped"].as_str().unwrap_or_default();
            if !severity.eq_ignore_ascii_case(label.text("severity_capped")) {
                wrong.push(format!("{id}: severity {severity}"));
            }
        }
        for flag in ["scanner", "bounty_request", "has_poc", "credit_wanted"] {
            let wanted = incoming.clone().any(|label| label.is(flag));
            let count = flags.entry(flag).or_default();
            count.0 += u32::from(case.hints["flags"][flag] == wanted);
            count.1 += 1;
        }
        let first = members.first().expect("a mail");
        suggested +=
            u32::from(case.hints["suggested"]["disposition"] == first.text("expected_disposition"));
    }
    for (flag, (right, of)) in &flags {
        println!("{flag}: {right} of {of} cases as labelled");
    }
    println!("suggested end: {suggested} of {} cases as labelled; {vectors} vectors", cases.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(flags.values().all(|(right, of)| right * 100 >= of * 95), "{flags:?}");
}

/// Every document of the store, machine-readable and for people.
fn everything(console: &Console) -> Vec<String> {
    let listed = console.ok(&["--now", NOW, "--json", "list"]);
    let cases: Value = serde_json::from_str(&listed).expect("JSON");
    let mut all = vec![listed, console.ok(&["--now", NOW, "list"])];
    for (number, case) in cases.as_array().expect("cases").iter().enumerate() {
        all.push(console.ok(&["--now", NOW, "--json", "show", text(case, "case")]));
        if number % 5 == 0 {
            all.push(console.ok(&["--now", NOW, "show", text(case, "case")]));
        }
    }
    all
}

#[test]
fn a_rebuilt_index_gives_the_same_bytes() {
    let Some(shared) = shared() else { return };
    let console = Console::new();
    let folder = shared.join("corpus/reports");
    console.ok(&["import", folder.to_str().expect("UTF-8")]);
    let case = text(&console.json(&["list"])[0], "case").to_owned();
    console.ok(&["note", &case, "looked at"]);
    console.ok(&["decide", &case, "accept"]);
    console.ok(&["verify"]);
    let before = everything(&console);
    fs::remove_dir_all(console.store().join("index")).expect("removed");
    assert!(everything(&console) == before, "after the index was lost");
    console.ok(&["verify", "--rebuild"]);
    assert!(everything(&console) == before, "after a rebuild that was asked for");
}

#[test]
fn every_odd_mail_is_listed_once_and_kept_byte_for_byte() {
    let Some(shared) = shared() else { return };
    let corpus = shared.join("corpus");
    let table = fs::read_to_string(corpus.join("expect.toml")).expect("readable");
    let table: toml::Table = table.parse().expect("TOML");
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut copies: BTreeSet<String> = BTreeSet::new();
    let mut paths = Vec::new();
    for file in table["file"].as_array().expect("files") {
        let path = file["path"].as_str().expect("a path");
        if path.ends_with(".tsv") {
            continue;
        }
        let digest = file["sha256"].as_str().expect("a digest").to_owned();
        paths.push(corpus.join(path).to_str().expect("UTF-8").to_owned());
        if let Some(other) = wanted.insert(digest.clone(), path.to_owned()) {
            println!("{path} is {other} again");
            copies.insert(digest);
        }
    }
    let console = Console::new();
    let mut args = vec!["import"];
    args.extend(paths.iter().map(String::as_str));
    let done = console.json(&args);
    assert_eq!(done["seen"], paths.len(), "one mail in each file: {done}");
    assert_eq!(done["quarantined"], serde_json::json!([]));
    let cases = console.json(&["list"]);
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for (number, case) in cases.as_array().expect("cases").iter().enumerate() {
        let id = text(case, "case");
        for message in list(&console.json(&["show", id]), "messages") {
            *found.entry(text(message, "source_sha256").to_owned()).or_default() += 1;
        }
        for args in [["show", id], ["hints", id]].iter().take(if number % 5 == 0 { 2 } else { 1 }) {
            let plain = console.ok(args);
            let bytes = forbidden(plain.as_bytes());
            assert!(bytes.is_empty() && !plain.contains('\u{1b}'), "{args:?}: {bytes:?}");
        }
    }
    let plain = console.ok(&["list"]);
    assert_eq!(forbidden(plain.as_bytes()), Vec::<String>::new());
    let missing: Vec<&String> =
        wanted.iter().filter(|(digest, _)| !found.contains_key(*digest)).map(|(_, p)| p).collect();
    assert!(missing.is_empty(), "not byte for byte: {missing:?}");
    assert_eq!(found.len(), wanted.len(), "nothing else");
    assert!(found.values().all(|count| *count == 1), "each once");
    console.ok(&["verify"]);
}
