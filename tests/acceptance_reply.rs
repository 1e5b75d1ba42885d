//! Replies quote the real policy word for word (capability M4).
//!
//! Needs the shared material (`CASEBOOK_SHARED`, or `../shared` beside the checkout).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests stand outside test functions"
)]

use std::path::{Path, PathBuf};

use casebook::config::policy;
use casebook::domain::case::Reporter;
use casebook::domain::policy_text::PolicyText;
use casebook::domain::{CaseId, MessageRef};
use casebook::reply::{ReplyMaterial, Source, draft, names};

#[test]
fn every_clause_is_quoted_byte_for_byte() {
    let named = std::env::var_os("CASEBOOK_SHARED").map(PathBuf::from);
    let shared = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let Ok(source) = std::fs::read_to_string(shared.join("policy/octoprint-security-policy.md"))
    else {
        println!("skipped: no shared material");
        return;
    };
    let text = PolicyText::read(&source);
    let rules = policy::embedded("octoprint").expect("embedded");
    let policy = policy::parse(rules).expect("valid");
    let mut quoted = 0;
    for item in &policy.items {
        let case = CaseId::derive(Some("a@b"), &MessageRef::of(b""));
        let received = "2026-06-02T09:15:00Z".parse().expect("instant");
        let material = ReplyMaterial::new(case, Reporter::default(), "Report", received, &policy)
            .with_clauses(
                std::slice::from_ref(&item.id),
                &[Source { policy: &policy, text: Some(&text) }],
            );
        for template in names().into_iter().filter(|name| *name != "needs-info") {
            draft(template, &material).expect("drafted");
        }
        let letter = draft("reject", &material).expect("drafted").text;
        for line in letter.lines().filter_map(|line| line.strip_prefix("> ")) {
            assert!(source.contains(line), "{}: {line}", item.id);
            quoted += 1;
        }
        assert!(letter.contains(&text.hash()[..12]));
    }
    println!("{quoted} sentences quoted for {} decision points", policy.items.len());
    assert!(quoted >= policy.items.len());
}
