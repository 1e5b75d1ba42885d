//! The rules on the repository's own labelled mails.
#![allow(missing_docs, clippy::print_stdout, reason = "a test prints what it measures")]

mod measure;

use measure::{Table, own};

fn measured(file: &str) -> Table {
    let policy = measure::policy();
    let mails = measure::read(&policy, own::set(file));
    let table = measure::measure(&policy, &mails);
    table.print(file);
    table
}

#[test]
fn mails_of_the_first_set() {
    let table = measured("first.toml");
    assert!(table.harmful.is_empty(), "{:?}", table.harmful);
}
