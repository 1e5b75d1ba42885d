//! The published advisories through `casebook export`, and a case on its way from mail to a valid OSV file.
//!
//! The first needs the shared material (`CASEBOOK_SHARED`, or `../shared` beside the checkout); validation also
//! needs Python with jsonschema and its companions (`CASEBOOK_PYTHON`, or `python3`).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::console::Console;

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("CASEBOOK_SHARED").map_or(beside, PathBuf::from);
    let found = folder.join("advisories").is_dir();
    if !found {
        println!("skipped: no shared material");
    }
    found.then_some(folder)
}

/// Runs the shared validator over a folder; skipped where Python or its packages are missing.
fn validate(shared: &Path, folder: &Path) {
    let python = std::env::var("CASEBOOK_PYTHON").unwrap_or_else(|_| "python3".into());
    let modules = "import jsonschema, referencing, packaging, cvss, rfc3339_validator";
    let ready = Command::new(&python).args(["-c", modules]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        println!("skipped: no Python with the validator's packages");
        return;
    }
    let checked = Command::new(python)
        .arg(shared.join("tools/validate_exports.py"))
        .arg("--schemas")
        .arg(shared.join("schemas"))
        .args(["--require", "osv,markdown"])
        .arg(folder)
        .output()
        .expect("it runs");
    let said = [checked.stdout, checked.stderr].concat();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn drafts(shared: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(shared.join("advisories")).expect("advisories").flatten();
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let drafts = entries.map(|entry| (name(&entry), entry.path().join("input.toml")));
    drafts.filter(|(_, path)| path.is_file()).collect()
}

#[test]
fn published_drafts_are_exported_and_broken_ones_are_not() {
    let Some(shared) = shared() else { return };
    let console = Console::new();
    let all = drafts(&shared);
    assert_eq!(all.len(), 9);
    for (name, draft) in &all {
        let (draft, out) = (draft.to_str().expect("UTF-8"), format!("out/{name}"));
        let args = ["export", "--draft", draft, "--format", "osv,markdown", "--out", &out];
        let done = console.json(&args);
        assert_eq!(done["written"].as_array().map(Vec::len), Some(2), "{done}");
        assert_eq!(done["faults"], serde_json::json!([]));
        let again = console.fails(2, &args);
        assert!(again.contains("exists already"), "{again}");
    }
    validate(&shared, &console.path("out"));
    for (from, to) in [("CVSS:3.1/AV:", "CVSS:3.1/XX:"), ("schema = 1", "schema = 9")] {
        let text = fs::read_to_string(&all[0].1).expect("read");
        assert!(text.contains(from), "{from}");
        console.write("broken.toml", &text.replacen(from, to, 1));
        let args =
            ["export", "--draft", "broken.toml", "--format", "osv,markdown", "--out", "none"];
        let mut with_json = vec!["--json"];
        with_json.extend(args);
        let done = console.run(&with_json);
        assert_eq!(done.status.code(), Some(1));
        let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("one document");
        assert!(!report["faults"].as_array().expect("faults").is_empty(), "{report}");
        assert!(console.fails(1, &args).contains("broken.toml"), "the next step names the file");
        assert!(!console.path("none").exists(), "nothing is written");
    }
    assert!(!console.store().exists(), "a draft needs no store");
}

/// Fills what only a person knows, as a person would in an editor.
fn filled(draft: &str) -> String {
    let mut text = String::new();
    for line in draft.lines() {
        let line = match line {
            "# [[weakness]]" => "[[weakness]]",
            "# id = \"CWE-…\"" => "id = \"CWE-613\"",
            "# name = \"exact name\"" => "name = \"Insufficient Session Expiration\"",
            "# [[reference]]" => "[[reference]]",
            "# kind = \"fix\"" => "kind = \"fix\"",
            "# url = \"https://…\"" => {
                "url = \"https://github.com/OctoPrint/OctoPrint/commit/0123456789abcdef0123456789abcdef01234567\""
            }
            line if line.starts_with("body = \"\"") => {
                "body = \"Somebody can do what they should not.\""
            }
            line => line,
        };
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[test]
fn a_case_becomes_an_advisory() {
    let console = Console::new();
    console.import_samples();
    let case = console.case("Operators may start prints");
    console.ok(&["score", &case, "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:L"]);
    console.ok(&["decide", &case, "accept"]);
    console.ok(&["advisory", &case, "--out", "draft.toml"]);
    let draft = fs::read_to_string(console.path("draft.toml")).expect("written");
    console.write("draft.toml", &filled(&draft));
    let done = console.json(&[
        "export",
        "--draft",
        "draft.toml",
        "--format",
        "osv,markdown",
        "--out",
        "out",
    ]);
    for file in done["written"].as_array().expect("files") {
        assert!(console.path(file["path"].as_str().expect("a path")).is_file(), "{file}");
    }
    let osv = done["written"].as_array().expect("files").iter();
    let osv = osv.clone().find(|file| file["format"] == "osv").expect("an OSV file");
    let osv = fs::read(console.path(osv["path"].as_str().expect("a path"))).expect("read");
    let osv: serde_json::Value = serde_json::from_slice(&osv).expect("JSON");
    for field in ["schema_version", "id", "modified", "affected", "severity", "details"] {
        assert!(osv.get(field).is_some(), "{field} in {osv}");
    }
    if let Some(shared) = shared() {
        validate(&shared, &console.path("out"));
    }
}

/// What Python's own mail reader makes of a draft: no defects, one header of each, the thread kept.
const READ: &str = r#"
import email, email.policy, json, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
body = mail.get_body(("plain",))
print(json.dumps({
    "defects": [str(d) for part in mail.walk() for d in part.defects],
    "header_defects": [str(d) for v in mail.values() for d in getattr(v, "defects", ())],
    "headers": [(k, str(v)) for k, v in mail.items()],
    "text": body.get_content(),
}))
"#;

#[test]
fn a_reply_is_a_mail_that_others_read() {
    let python = std::env::var("CASEBOOK_PYTHON").unwrap_or_else(|_| "python3".into());
    if !Command::new(&python).arg("--version").output().is_ok_and(|done| done.status.success()) {
        println!("skipped: no Python");
        return;
    }
    let console = Console::new();
    console.import_samples();
    let cases = console.json(&["list"]);
    let mut written = 0;
    for (number, case) in cases.as_array().expect("cases").iter().enumerate() {
        let id = case["case"].as_str().expect("an id");
        let file = format!("reply-{number}.eml");
        let told = console.run(&["reply", id, "--template", "reject", "--out", &file]);
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        let path = console.path(&file);
        if !path.is_file() {
            // A case that nobody can be answered on says so.
            assert!(told.contains("casebook: ") && told.contains(". "), "{told}");
            println!("no draft for {}: {}", case["subject"], told.trim());
            continue;
        }
        written += 1;
        let read = Command::new(&python).args(["-c", READ]).arg(&path).output().expect("it runs");
        let failed = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{failed}");
        let read: serde_json::Value = serde_json::from_slice(&read.stdout).expect("JSON");
        assert_eq!(read["defects"], serde_json::json!([]), "{read}");
        assert_eq!(read["header_defects"], serde_json::json!([]), "{read}");
        let mut names: Vec<String> = read["headers"]
            .as_array()
            .expect("headers")
            .iter()
            .map(|header| header[0].as_str().expect("a name").to_lowercase())
            .collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "each header once: {read}");
        for name in ["from", "to", "subject", "date", "message-id", "mime-version", "content-type"]
        {
            assert!(names.iter().any(|one| one == name), "{name} in {names:?}");
        }
        let known = ["in-reply-to", "references", "content-transfer-encoding", "auto-submitted"];
        assert!(all <= 7 + known.len(), "{names:?}");
        let header = |name: &str| {
            let mut headers = read["headers"].as_array().expect("headers").iter();
            let found =
                headers.find(|h| h[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)));
            found.map(|header| header[1].as_str().expect("text").to_owned()).unwrap_or_default()
        };
        assert!(read["text"].as_str().expect("text").contains(id), "the case is named");
        let to_github = header("to").contains("@reply.github.com");
        assert_eq!(to_github, told.contains("note: GitHub"), "{told}");
        if to_github {
            println!("to GitHub: {}", header("to"));
        }
    }
    assert!(written * 2 > cases.as_array().expect("cases").len(), "{written} drafts");
}
