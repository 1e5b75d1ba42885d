//! The embargo guard on real repositories: by itself, on a range, and as git's pre-push hook.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::console::Console;

const PROOF: &str =
    "curl -H 'X-Api-Key: 0' 'http://printer.example/api/files/..%2f..%2fconfig.yaml'";

/// A console with one report in its store, and a repository with a remote that has its first commit.
struct House {
    console: Console,
    case: String,
    repo: PathBuf,
}

impl House {
    fn new() -> Self {
        let console = Console::new();
        let mail = format!(
            "From: Robin Finder <robin@finder.example>\r\nTo: security@octoprint.org\r\n\
             Subject: Files outside the folder are served\r\nMessage-ID: <1@finder.example>\r\n\
             Date: Fri, 30 Oct 2026 10:00:00 +0000\r\n\r\nHello,\r\n\r\n```\r\n{PROOF}\r\n```\r\n\r\nRobin\r\n"
        );
        let path = console.write("report.eml", &mail);
        console.ok(&["import", path.to_str().expect("UTF-8")]);
        let case = console.case("Files outside");
        let house = Self { repo: console.path("repo"), console, case };
        let remote = house.console.path("remote.git");
        house.run("git", &["init", "-q", "--bare", remote.to_str().expect("UTF-8")], None);
        house.run("git", &["init", "-q", "-b", "main", house.repo.to_str().expect("UTF-8")], None);
        house.git(&["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
        house.commit("readme", b"hello\n", "First");
        house.git(&["push", "-q", "origin", "main"]);
        house
    }

    fn run(&self, program: &str, args: &[&str], folder: Option<&Path>) -> Output {
        let mut command = Command::new(program);
        command.args(args).env("HOME", self.console.path("")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Dev")
                .env(format!("GIT_{who}_EMAIL"), "dev@e.example");
        }
        command.env("CASEBOOK_STORE", self.console.store());
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        command.output().expect("starts")
    }

    fn git(&self, args: &[&str]) -> String {
        let done = self.run("git", args, Some(&self.repo));
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    fn commit(&self, name: &str, bytes: &[u8], message: &str) {
        fs::write(self.repo.join(name), bytes).expect("written");
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// Findings as `where kind`, sorted; the exit status fits them.
    fn findings(&self, more: &[&str]) -> Vec<String> {
        let mut args = vec!["--json", "guard", self.repo.to_str().expect("UTF-8")];
        args.extend(more);
        let done = self.console.run(&args);
        let report: serde_json::Value = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
        let findings = report["findings"].as_array().expect("findings");
        assert_eq!(done.status.code(), Some(if findings.is_empty() { 0 } else { 5 }), "{report}");
        let text = |finding: &serde_json::Value, key: &str| {
            finding[key].as_str().expect("text").to_owned()
        };
        let words = |f: &serde_json::Value| format!("{} {}", text(f, "where"), text(f, "kind"));
        assert!(findings.iter().all(|f| f["case"] == self.case.as_str()));
        findings.iter().map(words).collect()
    }
}

#[test]
fn planted_leaks_are_found_and_clean_work_passes() {
    let house = House::new();
    assert_eq!(house.findings(&[]), [] as [&str; 0]);
    house.commit("fix.py", b"def serve(path):\n    check(path)\n", "Check the path before serving");
    assert_eq!(house.findings(&[]), [] as [&str; 0]);
    house.commit("a", b"1\n", &format!("Fix case {}", house.case));
    assert_eq!(house.findings(&[]), ["message case-id"]);
    assert_eq!(house.findings(&["--range", "main~2..main~1"]), [] as [&str; 0]);
    assert_eq!(house.findings(&["--range", "main~1..main"]), ["message case-id"]);
    house.git(&["reset", "-q", "--hard", "origin/main"]);
    house.commit("b", b"1\n", "Fix it\n\nReported-by: Robin <Robin@Finder.example>");
    assert_eq!(house.findings(&[]), ["message reporter"]);
    house.git(&["reset", "-q", "--hard", "origin/main"]);
    house.commit(
        "test.sh",
        format!("x\n  {}  | head\n", PROOF.to_uppercase()).as_bytes(),
        "Add a test",
    );
    assert_eq!(house.findings(&[]), ["file proof"]);
    house.git(&["reset", "-q", "--hard", "origin/main"]);
    house.git(&["branch", &format!("fix/{}", house.case)]);
    assert_eq!(house.findings(&[]), ["name case-id"]);
}

#[test]
fn what_a_remote_has_and_what_is_only_moved_is_no_leak() {
    let house = House::new();
    house.commit("old.sh", format!("{PROOF}\n").as_bytes(), "Known already");
    house.git(&["push", "-q", "origin", "main"]);
    assert_eq!(house.findings(&[]), [] as [&str; 0]);
    fs::remove_file(house.repo.join("old.sh")).expect("removed");
    house.commit("new.sh", format!("\t{PROOF}\n").as_bytes(), "Move it");
    assert_eq!(house.findings(&[]), [] as [&str; 0]);
}

#[cfg(unix)]
#[test]
fn odd_paths_merges_and_bytes_are_looked_at() {
    use std::os::unix::ffi::OsStrExt as _;
    let house = House::new();
    let odd = house.repo.join(std::ffi::OsStr::from_bytes(b"we\xffird\n\"name"));
    fs::write(odd, format!("\0\u{ff} binary\n{PROOF}\n")).expect("written");
    house.commit(&format!("{}.txt", house.case), b"\xff\xfe\n", "Add");
    assert_eq!(house.findings(&[]), ["path case-id", "file proof"]);
    house.git(&["reset", "-q", "--hard", "origin/main"]);
    house.git(&["checkout", "-q", "-b", "side"]);
    house.commit("side", b"1\n", "Side");
    house.git(&["checkout", "-q", "main"]);
    house.commit("main", b"1\n", "Main");
    house.git(&["merge", "-q", "--no-commit", "side"]);
    house.commit("evil", format!("{}\n", house.case).as_bytes(), "Merge side");
    assert_eq!(house.findings(&[]), ["file case-id"]);
}

#[test]
fn the_hook_stops_a_push_and_lets_a_clean_one_through() {
    let house = House::new();
    let hook = house.repo.join(".git/hooks/pre-push");
    let program = env!("CARGO_BIN_EXE_casebook");
    fs::create_dir_all(hook.parent().expect("a folder")).expect("made");
    fs::write(&hook, format!("#!/bin/sh\nexec '{program}' guard . --hook -- \"$@\"\n"))
        .expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("set");
    }
    let push = |what: &str| house.run("git", &["push", "-q", "origin", what], Some(&house.repo));
    house.commit("a", b"1\n", "Clean work");
    assert!(push("main").status.success());
    let branch = format!("fix-{}", house.case);
    house.git(&["branch", &branch]);
    assert!(!push(&branch).status.success(), "a branch name tells the case");
    house.commit("b", b"1\n", &format!("Fix {}", house.case));
    let done = push("main");
    assert!(!done.status.success());
    assert!(String::from_utf8_lossy(&done.stderr).contains("found"), "{done:?}");
    house.git(&["reset", "-q", "--hard", "origin/main"]);
    house.commit("c", format!("# {PROOF}\n").as_bytes(), "Harmless words");
    assert!(!push("main").status.success());
    house.git(&["reset", "-q", "--hard", "origin/main"]);
    house.git(&["tag", "-a", "v1", "-m", &format!("for {}", house.case)]);
    assert!(!push("v1").status.success(), "an annotated tag tells the case");
    house.commit("d", b"1\n", "More clean work");
    assert!(push("main").status.success());
    assert!(push(":gone").status.code().is_some());
}

#[test]
fn what_is_no_repository_range_or_hook_is_refused() {
    let house = House::new();
    let repo = house.repo.to_str().expect("UTF-8");
    let nothing = house.console.path("nothing");
    fs::create_dir_all(&nothing).expect("made");
    house.console.fails(2, &["guard", house.console.path("absent").to_str().expect("UTF-8")]);
    for range in ["--all..x", "main", "no..where", "--output=x..y"] {
        house.console.fails(2, &["guard", repo, &format!("--range={range}")]);
    }
    let mut hook = house.console.command(&["guard", repo, "--hook"]);
    let mut child = hook.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    child.stdin.take().expect("stdin").write_all(b"refs/heads/x --all y z\n").expect("written");
    assert_eq!(child.wait().expect("ends").code(), Some(2));
}
