//! What the rules make of the shared set of labelled reports, as one table:
//! `cargo test --test acceptance_judgement -- --nocapture`. Scores, clocks and the gate for a CVE id are in
//! `acceptance_rules`, the same set through the program itself in `acceptance_cases`.
#![allow(missing_docs, clippy::print_stdout, reason = "a test prints what it measures")]

mod measure;

use measure::{Table, shared};

fn table() -> Option<Table> {
    let folder = shared::folder()?;
    let policy = measure::policy();
    let mails = measure::read(&policy, shared::reports(&folder));
    Some(measure::measure(&policy, &mails))
}

#[test]
fn the_labelled_reports_are_judged_as_labelled() {
    let Some(table) = table() else { return };
    table.print("labelled reports");
    for (flag, score) in &table.flags {
        assert!(score.right() >= 0.95 && score.recall() >= 0.75, "flag {flag}");
    }
    assert!(table.versions.right() >= 0.95 && table.status.right() >= 0.95, "versions");
    assert!(table.vectors.right() >= 1.0, "vectors");
    for clauses in [&table.clauses, &table.case_clauses] {
        assert!(clauses.recall() >= 0.9 && clauses.precision() >= 0.8, "clauses");
    }
    assert!(table.ends.right() >= 0.8, "suggested ends");
    assert!(table.harmful.is_empty(), "{:?}", table.harmful);
    assert!(table.cases.right() >= 1.0 && table.directions.right() >= 1.0, "cases, directions");
}
