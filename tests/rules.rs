//! The rules on the repository's own labelled mails.
#![allow(missing_docs, clippy::print_stdout, reason = "a test prints what it measures")]

mod measure;

use jiff::Timestamp;
use measure::{Label, Table, own};

fn measured(title: &str, mails: Vec<(Label, Vec<u8>, Timestamp)>) -> Table {
    let policy = measure::policy();
    let mails = measure::read(&policy, mails);
    let table = measure::measure(&policy, &mails);
    table.print(title);
    table
}

#[test]
fn mails_of_the_first_set() {
    let table = measured("first set", own::set("first.toml"));
    assert!(table.harmful.is_empty(), "{:?}", table.harmful);
}

#[test]
fn mails_of_the_sample_inbox() {
    let table = measured("sample inbox", own::samples());
    assert!(table.harmful.is_empty(), "{:?}", table.harmful);
}
