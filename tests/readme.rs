//! The README tells the truth: its keys, its commands, its options, its smallest config.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use casebook::command::{Command, Context};
use casebook::keymap::{Keymap, Shipped};
use support::console::Console;

const README: &str = include_str!("../README.md");

/// The rows of the table of keys: where, and which commands together.
const ROWS: &[(Context, &[Command])] = &[
    (Context::Queue, &[Command::Down, Command::Up, Command::Top, Command::Bottom]),
    (Context::Queue, &[Command::Search, Command::Filter, Command::CycleFilter]),
    (Context::Queue, &[Command::Open, Command::Back, Command::Sort, Command::Deadlines]),
    (Context::Queue, &[Command::Sync, Command::CancelSync, Command::Triage, Command::Mark]),
    (Context::Case, &[Command::NextPane, Command::NextCase, Command::PreviousCase]),
    (Context::Case, &[Command::Yes, Command::No, Command::Unclear, Command::Clear]),
    (
        Context::Case,
        &[Command::AcceptSuggestions, Command::Evidence, Command::Mark, Command::Claims],
    ),
    (Context::Case, &[Command::Score, Command::Decide, Command::AcceptCase]),
    (Context::Case, &[Command::Decline, Command::NeedInfo, Command::Reply, Command::WriteEml]),
    (Context::Case, &[Command::Advisory, Command::Export]),
    (Context::Case, &[Command::Raw, Command::Headers, Command::Journal, Command::Copy]),
    (Context::Case, &[Command::Merge, Command::Twin, Command::Split]),
    (Context::Case, &[Command::Undo, Command::Note, Command::SetState, Command::QueueReply]),
    (Context::Global, &[Command::CommandLine, Command::Palette, Command::Help]),
];

/// The table as the live keymap has it.
fn key_table() -> String {
    let keymap = Keymap::shipped(Shipped::Default);
    let mut table = String::from("| where | keys | commands |\n|---|---|---|\n");
    for (context, commands) in ROWS {
        let keys: Vec<String> = commands
            .iter()
            .map(|command| {
                let keys = keymap.keys_of(*context, *command);
                // The arrows need no table: of equal length the letter is the one to learn.
                let key = keys.iter().min_by_key(|key| key.len()).expect("a key");
                format!("`{key}`")
            })
            .collect();
        let names: Vec<String> =
            commands.iter().map(|command| format!("`{}`", command.name())).collect();
        let row = format!("| {} | {} | {} |\n", context.as_str(), keys.join(" "), names.join(" "));
        table.push_str(&row);
    }
    table
}

/// What stands between the two markers of a name.
fn between(name: &str) -> &str {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let rest = README.split_once(&begin).expect("a first marker").1;
    rest.split_once(&end).expect("a last marker").0
}

/// Every word that stands right after this one, up to what cannot belong to a name.
fn words_after(mark: &str) -> impl Iterator<Item = &str> {
    README.match_indices(mark).map(move |(at, _)| {
        let rest = README.get(at + mark.len()..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    })
}

#[test]
fn the_keys_are_those_of_the_live_keymap() {
    let table = key_table();
    assert!(between("keys") == table, "the table of keys in README.md should be:\n\n{table}");
}

#[test]
fn every_command_and_option_exists() {
    let console = Console::new();
    let mut help = console.ok(&["--help"]);
    let commands: BTreeSet<&str> = words_after("`casebook ").filter(|w| !w.is_empty()).collect();
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        help.push_str(&console.ok(&[command, "--help"]));
    }
    for option in words_after(" --").chain(words_after("`--")) {
        // Of the tools that the README names beside the program.
        let ours = !["release", "path"].contains(&option);
        assert!(!ours || help.contains(&format!("--{option}")), "--{option}");
    }
}

#[test]
fn the_smallest_config_is_sound() {
    let rest = README.split_once("```toml\n").expect("a config").1;
    let text = rest.split_once("```").expect("its end").0;
    let config = casebook::config::parse(text, Path::new("."), None).expect("no fault");
    assert!(config.account.is_some());
}

#[test]
fn it_is_short_and_its_picture_fits_80_columns() {
    assert!(README.lines().count() < 150, "{} lines", README.lines().count());
    let columns = |line: &str| unicode_width::UnicodeWidthStr::width(line);
    assert!(between("screen").lines().all(|line| columns(line) <= 80));
}
