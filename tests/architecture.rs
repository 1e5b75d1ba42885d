//! The arrows between modules: who may import whom, who may name which crate, who may touch the outside.
//!
//! The rules are data, in `architecture/table.rs`; a new module needs a row there. Text is checked, not
//! types: enough to catch an honest slip. Tests inside `src` are free.

#![allow(clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source::{Code, Place};
use table::{CRATE_ONLY_IN, OUTSIDE_OF_STD, Row, TABLE, WORDS};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The crates that Cargo.toml names, as code writes them.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml");
    let tables = |of: &toml::Table| {
        let names = ["dependencies", "dev-dependencies", "build-dependencies"];
        let tables = names.into_iter().filter_map(|name| of.get(name)?.as_table().cloned());
        tables.flat_map(|table| table.into_iter().map(|(name, _)| name)).collect::<Vec<_>>()
    };
    let targets = manifest.get("target").and_then(|targets| targets.as_table());
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let targets = targets.filter_map(|target| target.as_table()).flat_map(tables);
    tables(&manifest).into_iter().chain(targets).map(|name| name.replace('-', "_")).collect()
}

/// Every source file below a folder, tests left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if stem == "tests" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a file does against the table, one line each.
fn faults(file: &str, text: &str, crates: &BTreeSet<String>) -> Vec<String> {
    let place = Place::of(file);
    let Some(row) = TABLE.iter().find(|row| row.module == place.module()) else {
        return vec![format!("{file}: module `{}` has no row in the table", place.module())];
    };
    let code = Code::read(text);
    let locals = code.locals();
    let mut faults = Vec::new();
    for (line, path) in code.paths() {
        let fault = match path.first().map(String::as_str) {
            Some("std" | "core" | "alloc") => std_fault(row, &path[1..]),
            Some(name) if crates.contains(name) && !locals.contains(name) => {
                crate_fault(row, name, file)
            }
            _ => place.own(&path).and_then(|own| own_fault(row, &own)),
        };
        faults.extend(fault.map(|fault| format!("{file}:{line}: {fault}")));
    }
    for word in WORDS.iter().filter(|word| !word.allowed.contains(&row.module)) {
        let lines = code.lines_with(word.word);
        faults.extend(lines.map(|line| format!("{file}:{line}: `{}`: {}", word.word, word.why)));
    }
    faults
}

fn std_fault(row: &Row, path: &[String]) -> Option<String> {
    let path = path.join("::");
    let begins = |name: &&&str| path == **name || path.starts_with(&format!("{name}::"));
    let outside = OUTSIDE_OF_STD.iter().find(begins)?;
    let allowed = row.std.iter().any(|name| begins(&name));
    (!allowed)
        .then(|| format!("`{}` may not name `std::{outside}` (here `std::{path}`)", row.module))
}

fn crate_fault(row: &Row, name: &str, file: &str) -> Option<String> {
    if !row.crates.contains(&name) {
        return Some(format!("`{}` may not name the crate `{name}`", row.module));
    }
    let only =
        CRATE_ONLY_IN.iter().find(|(module, only, _)| *module == row.module && *only == name);
    let (_, _, part) = only.filter(|(_, _, part)| !file.contains(part))?;
    Some(format!("`{}` may name the crate `{name}` in `{part}` only", row.module))
}

fn own_fault(row: &Row, own: &[String]) -> Option<String> {
    let path = own.join("::");
    let top = own.first()?;
    let allows =
        |name: &&str| *name == "*" || path == *name || path.starts_with(&format!("{name}::"));
    let allowed = top == row.module || row.own.iter().any(allows);
    (!allowed).then(|| format!("`{}` may not import `crate::{path}`", row.module))
}

#[test]
fn every_module_keeps_to_its_row() {
    let crates = dependencies(include_str!("../Cargo.toml"));
    let src = root().join("src");
    let files = files(&src);
    assert!(files.len() > 5, "the sources were not found");
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("source");
        let name = file.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
        all.extend(faults(&name, &text, &crates));
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

#[test]
fn every_crate_of_the_table_is_a_dependency() {
    let known = dependencies(include_str!("../Cargo.toml"));
    for row in TABLE {
        for name in row.crates {
            assert!(known.contains(*name), "{}: {name} is no dependency", row.module);
        }
    }
}

#[test]
fn there_is_one_ratatui_and_one_crossterm() {
    let lock: toml::Table = include_str!("../Cargo.lock").parse().expect("Cargo.lock");
    let packages = lock["package"].as_array().expect("packages");
    for wanted in ["ratatui", "ratatui-core", "crossterm"] {
        let count = packages.iter().filter(|p| p["name"].as_str() == Some(wanted)).count();
        assert_eq!(count, 1, "{wanted}");
    }
}

#[test]
fn the_check_finds_every_kind_of_fault() {
    let crates = ["sled", "regex", "cvss", "tui_textarea"].map(str::to_owned).into();
    for (file, text, wanted) in [
        ("domain/case.rs", "use std::fs;", "std::fs"),
        ("domain/case.rs", "use std::{fmt, net::{TcpStream}};", "std::net"),
        ("domain/case.rs", "fn f() { std::thread::spawn(g); }", "std::thread"),
        ("domain/case.rs", "let now = Timestamp::now();", "Timestamp::now"),
        ("domain/case.rs", "use sled::Db;", "crate `sled`"),
        ("domain/case.rs", "fn f(_: &sled::Db) {}", "crate `sled`"),
        ("domain/case.rs", "use sled as database;", "crate `sled`"),
        ("intake/claims.rs", "use crate::{domain, store::Store};", "crate::store::Store"),
        ("domain/case.rs", "use ::sled::Db;", "crate `sled`"),
        ("domain/case.rs", "let all = 0..::std::env::args().count();", "std::env"),
        ("domain/case.rs", "let all = 0..std::env::args().count();", "std::env"),
        ("domain/a/b.rs", "use super::super::super::store::Store;", "crate::store::Store"),
        ("domain/mod.rs", "use super::mail;", "crate::mail"),
        ("keymap/key.rs", "use crate::config::parse;", "crate::config::parse"),
        ("keymap/key.rs", "use crate::{\n  app\n};", "crate::app"),
        ("app/queue.rs", "use tui_textarea::TextArea;", "in `editor` only"),
        ("tui/cell.rs", "cell.set_symbol(text);", "set_symbol"),
        ("sync/session.rs", "client.debug = true;", "debug"),
        ("manager/mod.rs", "", "no row"),
    ] {
        let found = faults(file, text, &crates);
        assert_eq!(found.len(), 1, "{file} {text}: {found:?}");
        assert!(found[0].contains(wanted), "{}", found[0]);
    }
}

#[test]
fn the_check_lets_pass_what_is_fine() {
    let crates = ["sled", "regex", "cvss", "tui_textarea"].map(str::to_owned).into();
    for (file, text) in [
        ("domain/case.rs", "// use std::fs;\n/* sled::Db /* nested */ std::net */ use std::fmt;"),
        (
            "domain/case.rs",
            r##"const A: &str = "use std::fs; \" sled::"; const B: &str = r#"""std::fs"#;"##,
        ),
        ("domain/case.rs", "const Q: char = '\"'; const L: char = '\\''; fn f<'a>(_: &'a str) {}"),
        (
            "domain/case.rs",
            "#[cfg(test)]\nmod tests {\n use std::fs; fn f() { if x { sled::y() } }\n}",
        ),
        (
            "domain/case.rs",
            "#[cfg(test)]\nuse crate::{mail, store};\nuse super::case;\nfn f() { self.sled.fs::<u8>() }",
        ),
        ("domain/case.rs", "use crate::domain::ids; use super::super::domain::ids as other;"),
        ("app/score.rs", "use crate::domain::{cvss, Case}; fn f() { cvss::parse(x) }"),
        ("config/parse.rs", "use std::net::IpAddr;"),
        ("keymap/key.rs", "use crate::config::{document, fault::Fault};"),
        ("app/editor/mod.rs", "use tui_textarea::TextArea;"),
        ("runtime/clock.rs", "fn now() -> Timestamp { Timestamp::now() }"),
    ] {
        assert_eq!(faults(file, text, &crates), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn every_dependency_has_its_reason_and_its_use() {
    let mut above = "";
    let mut inside = false;
    for line in include_str!("../Cargo.toml").lines() {
        inside = if line.starts_with('[') { line.contains("dependencies]") } else { inside };
        let named = line.split_once(" = ").map(|(name, _)| name);
        if let Some(name) = named.filter(|name| inside && !name.starts_with(' ')) {
            assert!(above.starts_with("# ") && above.ends_with('.'), "no reason above `{name}`");
        }
        above = line;
    }
    let mut code = String::new();
    for folder in ["src", "tests"] {
        for file in files(&root().join(folder)) {
            code.push_str(&std::fs::read_to_string(file).expect("source"));
        }
    }
    for name in dependencies(include_str!("../Cargo.toml")) {
        let used = [format!("{name}::"), format!("use {name}")];
        assert!(used.iter().any(|use_of| code.contains(use_of)), "`{name}` is not used");
    }
}
