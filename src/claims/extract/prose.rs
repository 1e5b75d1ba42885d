//! Claims of one line.
//!
//! The line is gone through from the most to the least telling form; bytes that a claim was read from are taken,
//! so that `a.b.py:12` is one claim and not four. Every range is one of the whole text.

use std::ops::Range;

use super::words::{self, Shape};
use super::{Found, Reader};
use crate::claims::{Kind, Strength};

/// One line being read.
struct Line<'r, 'a> {
    reader: &'r mut Reader<'a>,
    text: &'r str,
    /// Where the line begins in the whole text.
    at: usize,
    taken: Vec<Range<usize>>,
    /// The words of the line and the next in lower case, for what is meant by a name.
    lower: String,
}

/// Reads a line of sentences; what its names mean is told by the words of the next line too.
pub(super) fn line(reader: &mut Reader<'_>, text: &str, next: &str, at: usize) {
    let lower = format!("{text} {next}").to_ascii_lowercase();
    let mut line = Line { reader, text, at, taken: Vec::new(), lower };
    line.addresses();
    line.frames();
    line.paths();
    line.routes(false);
    line.commits();
    line.dotted();
    line.names();
}

/// Reads a line of code: addresses, frames, what is imported from the product, quoted routes.
pub(super) fn code(reader: &mut Reader<'_>, text: &str, at: usize) {
    let mut line = Line { reader, text, at, taken: Vec::new(), lower: text.to_ascii_lowercase() };
    line.addresses();
    line.frames();
    line.diff_heads();
    line.routes(true);
    line.imports();
    line.dotted_of_product();
}

impl Line<'_, '_> {
    fn add(&mut self, kind: Kind, name: &str, strength: Strength, range: Range<usize>) {
        let at = self.at;
        let range = at + range.start..at + range.end;
        self.reader.add(Found::new(kind, name, strength, range));
    }

    fn take(&mut self, range: Range<usize>) {
        self.taken.push(range);
    }

    fn is_taken(&self, range: &Range<usize>) -> bool {
        self.taken.iter().any(|taken| taken.start < range.end && range.start < taken.end)
    }

    fn before(&self, at: usize) -> &str {
        self.text.get(..at).unwrap_or_default()
    }

    fn after(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Whether the bytes stand between backticks.
    fn is_ticked(&self, range: &Range<usize>) -> bool {
        self.reader
            .patterns
            .ticked
            .find_iter(self.text)
            .any(|ticked| ticked.start() < range.start && range.end < ticked.end())
    }

    fn says(&self, words: &[&str]) -> bool {
        let mut all = self.lower.split(|c: char| !c.is_alphanumeric());
        all.any(|word| words.contains(&word))
    }

    /// Addresses of the web: those of the product's own server are routes, those of a repository name files.
    fn addresses(&mut self) {
        let patterns = self.reader.patterns;
        for url in patterns.url.find_iter(self.text) {
            self.take(url.range());
            let url_text = url.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?']);
            let rest = url_text.split_once("://").map_or("", |(_, rest)| rest);
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let range = url.start()..url.start() + url_text.len();
            if path.contains("/blob/") || path.contains("/tree/") || path.contains("/commit/") {
                self.repository(path, range);
            } else if self.is_own_server(host) {
                self.route(path, true, range);
            }
        }
        for other in patterns.other.find_iter(self.text) {
            self.take(other.range());
        }
    }

    /// Whether an address is of a server that the product runs on at somebody's place.
    fn is_own_server(&self, host: &str) -> bool {
        let host = host.rsplit('@').next().unwrap_or_default().to_lowercase();
        let bare = host.split(':').next().unwrap_or_default();
        let number = bare.starts_with('[') || bare.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let near = ["local", "lan", "home", "internal", "test", "localdomain", "localhost"];
        let end = bare.rsplit('.').next().unwrap_or_default();
        // The product's own pages are no instance of it.
        let named = bare.contains(self.reader.product) && bare.ends_with(".example");
        !bare.is_empty() && (number || !bare.contains('.') || near.contains(&end) || named)
    }

    /// `/owner/name/blob/REF/path#L1-L2` and `/owner/name/commit/ID`.
    fn repository(&mut self, path: &str, range: Range<usize>) {
        let (path, anchor) = path.split_once('#').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let Some([kind, reference, file @ ..]) = parts.get(2..) else { return };
        let hex = reference.len() >= 7 && reference.bytes().all(|b| b.is_ascii_hexdigit());
        if hex {
            self.add(Kind::Commit, reference, Strength::Strong, range.clone());
        }
        if *kind == "commit" || file.is_empty() {
            return;
        }
        let mut numbers = anchor.split('-').map(|n| n.trim_start_matches('L').parse::<u32>().ok());
        let first = numbers.next().flatten();
        let last = numbers.next().flatten().or(first);
        self.file(&file.join("/"), first.zip(last), Strength::Strong, range);
    }

    fn frames(&mut self) {
        let patterns = self.reader.patterns;
        for frame in patterns.frame.captures_iter(self.text) {
            let (Some(all), Some(file), Some(line)) = (frame.get(0), frame.get(1), frame.get(2))
            else {
                continue;
            };
            self.take(all.range());
            let number = line.as_str().parse().ok();
            let (path, strength) = placed(file.as_str());
            self.file(&path, number.zip(number), strength, all.range());
        }
    }

    /// `--- a/src/x.py` and `+++ b/src/x.py`.
    fn diff_heads(&mut self) {
        let head = ["--- a/", "+++ b/"].into_iter().find(|head| self.text.starts_with(head));
        let Some(head) = head else { return };
        let path = self.after(head.len()).split('\t').next().unwrap_or_default().trim().to_owned();
        let range = head.len()..head.len() + path.len();
        self.take(0..self.text.len());
        self.file(&path, None, Strength::Strong, range);
    }

    fn paths(&mut self) {
        let patterns = self.reader.patterns;
        for found in patterns.path.captures_iter(self.text) {
            let (Some(all), Some(path)) = (found.get(0), found.name("path")) else { continue };
            if self.is_taken(&path.range()) {
                continue;
            }
            let number = |names: [&str; 3]| {
                let found = names.into_iter().find_map(|name| found.name(name));
                found.and_then(|n| n.as_str().parse::<u32>().ok())
            };
            let before = patterns.lines_of.captures(self.before(path.start()));
            let named = |at| before.as_ref().and_then(|b| b.get(at)?.as_str().parse::<u32>().ok());
            let first = number(["a", "c", "e"]).or_else(|| named(1));
            let last = number(["b", "d", "f"]).or_else(|| named(2)).or(first);
            let name = path.as_str();
            if self.is_route_like(name) || name.contains("..") {
                continue;
            }
            let start = before.as_ref().and_then(|b| b.get(0)).map_or(path.start(), |b| b.start());
            self.take(start..all.end());
            let ticked = self.is_ticked(&path.range());
            let (name, strength) = placed(name);
            if strength == Strength::Weak && words::is_own(&name) {
                continue;
            }
            let strength = match strength {
                _ if first.is_some() && !name.starts_with('/') => Strength::Strong,
                Strength::Weak if ticked && name.contains('/') && !name.starts_with(['/', '~']) => {
                    Strength::Strong
                }
                other => other,
            };
            self.file(&name, first.zip(last), strength, start..all.end());
        }
    }

    /// Whether a path is one of the server rather than of a tree: from the root, and no folder of a machine.
    fn is_route_like(&self, path: &str) -> bool {
        let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
        first.is_some_and(|first| !words::SYSTEM.contains(&first.to_lowercase().as_str()))
            && !path.contains("site-packages")
            && !path.contains("/src/")
    }

    fn file(
        &mut self,
        path: &str,
        lines: Option<(u32, u32)>,
        strength: Strength,
        range: Range<usize>,
    ) {
        let lines = lines.map(|(a, b)| (a.min(b), a.max(b))).filter(|(first, _)| *first > 0);
        let kind = if lines.is_some() { Kind::Line } else { Kind::Path };
        let range = self.at + range.start..self.at + range.end;
        let found = Found::new(kind, path.replace('\\', "/"), strength, range);
        self.reader.add(Found { lines, ..found });
    }

    fn routes(&mut self, code: bool) {
        let patterns = self.reader.patterns;
        for found in patterns.route.captures_iter(self.text) {
            let Some(path) = found.get(3) else { continue };
            if self.is_taken(&path.range()) || self.before(path.start()).ends_with('<') {
                continue;
            }
            let method = found.get(2).is_some();
            let sure = method
                || self.says(&[
                    "route",
                    "endpoint",
                    "endpoints",
                    "routes",
                    "api",
                    "request",
                    "url",
                    "uri",
                ]);
            // In code, only what is quoted or follows a method.
            if code && !method && !self.before(path.start()).ends_with(['"', '\'', '`']) {
                continue;
            }
            let ticked = self.is_ticked(&path.range());
            self.take(path.range());
            let trimmed = path.as_str().trim_end_matches(['.', ',', ';', ':', '-', '*']);
            let range = path.start()..path.start() + trimmed.len();
            self.route(trimmed, sure || ticked, range);
        }
    }

    fn route(&mut self, path: &str, sure: bool, range: Range<usize>) {
        let path = path.split(['?', '#', ';', '&']).next().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let Some(first) = segments.first() else { return };
        let system = words::SYSTEM.contains(&first.to_lowercase().as_str());
        if path.len() < 3 || path.contains("..") || (system && !sure) {
            return;
        }
        let many = segments.len() >= 2;
        // What is escaped probes the server, and names nothing.
        let strength =
            if (sure || many) && !path.contains('%') { Strength::Strong } else { Strength::Weak };
        self.add(Kind::Route, path.trim_end_matches('/'), strength, range);
    }

    fn commits(&mut self) {
        let patterns = self.reader.patterns;
        if !self.says(&["commit", "commits", "revision", "rev", "changeset", "git", "sha", "sha1"])
        {
            return;
        }
        for id in patterns.commit.find_iter(self.text) {
            let text = id.as_str();
            let digit = text.bytes().any(|b| b.is_ascii_digit());
            let letter = text.bytes().any(|b| b.is_ascii_alphabetic());
            if digit && letter && !self.is_taken(&id.range()) {
                self.take(id.range());
                self.add(Kind::Commit, text, Strength::Strong, id.range());
            }
        }
    }

    fn imports(&mut self) {
        let patterns = self.reader.patterns;
        for import in patterns.import.captures_iter(self.text) {
            let (Some(all), Some(module), Some(names)) =
                (import.get(0), import.get(1), import.get(2))
            else {
                continue;
            };
            self.take(all.range());
            if !self.is_of_product(module.as_str()) {
                continue;
            }
            for name in names.as_str().split(',').filter_map(|name| name.split_whitespace().next())
            {
                let full = format!("{}.{name}", module.as_str());
                self.add(Kind::Dotted, &full, Strength::Strong, all.range());
            }
        }
    }

    /// Whether a dotted name begins with the product's own package.
    fn is_of_product(&self, name: &str) -> bool {
        let root = name.split('.').next().unwrap_or_default();
        root.eq_ignore_ascii_case(self.reader.product)
    }

    fn dotted_of_product(&mut self) {
        let patterns = self.reader.patterns;
        for found in patterns.dotted.captures_iter(self.text) {
            let Some(name) = found.get(1) else { continue };
            if self.is_of_product(name.as_str()) && !self.is_taken(&name.range()) {
                let kind = if found.get(2).is_some() { Kind::Function } else { Kind::Dotted };
                self.add(kind, name.as_str(), Strength::Strong, name.range());
            }
        }
    }

    fn dotted(&mut self) {
        let patterns = self.reader.patterns;
        for found in patterns.dotted.captures_iter(self.text) {
            let Some(name) = found.get(1) else { continue };
            if self.is_taken(&name.range()) || self.reader.files.contains(&name.as_str()) {
                continue;
            }
            self.take(name.range());
            let called = found.get(2).is_some();
            let ticked = self.is_ticked(&name.range());
            if words::is_data_file(name.as_str()) && !called {
                continue;
            }
            if words::is_no_name(name.as_str()) && !called && !ticked {
                continue;
            }
            self.dotted_name(name.as_str(), called, ticked, name.range());
        }
    }

    fn dotted_name(&mut self, name: &str, called: bool, ticked: bool, range: Range<usize>) {
        let parts: Vec<&str> = name.split('.').collect();
        let root = parts.first().copied().unwrap_or_default();
        let plain = parts.iter().all(|part| words::shape(part) == Shape::Plain);
        let bare = name.trim_start_matches("self.").trim_start_matches("this.");
        let strength = if words::is_foreign_root(root) {
            Strength::ThirdParty
        } else if self.is_of_product(name) || ticked || called || !plain {
            if parts.iter().any(|part| words::is_own(part)) {
                Strength::Weak
            } else {
                Strength::Strong
            }
        } else {
            Strength::Weak
        };
        let setting =
            self.says(&["setting", "settings", "config", "configuration", "option", "key"])
                || self.lower.contains("config.yaml");
        let kind = match () {
            () if parts.iter().rev().nth(1).is_some_and(|part| *part == "Permissions") => {
                Kind::Permission
            }
            () if called => Kind::Function,
            () if setting && words::shape(root) != Shape::Pascal && !self.is_of_product(name) => {
                Kind::Setting
            }
            () => Kind::Dotted,
        };
        self.add(kind, bare, strength, range);
    }

    fn names(&mut self) {
        let patterns = self.reader.patterns;
        // Each match takes the byte before the name, so the search goes on from the end of the name itself.
        let mut from = 0;
        while let Some(found) = patterns.name.captures_at(self.text, from) {
            let Some(name) = found.get(1) else { break };
            from = name.end();
            let called = found.get(2).map_or("", |call| call.as_str());
            let glued = self.after(name.end()).starts_with(['/', '@', '-', '\\'])
                || self.after(name.end()).starts_with("://");
            if !self.is_taken(&name.range()) && name.len() >= 3 && !glued {
                self.name(name.as_str(), called, name.range());
            }
        }
    }

    /// The words right before and after, without signs, in lower case.
    fn neighbours(&self, range: &Range<usize>) -> (String, String) {
        let sign = |c: char| !c.is_alphanumeric() && c != '_';
        let before =
            self.before(range.start).trim_end_matches(['`', '"', '\'', '(', '*', '“']).trim_end();
        let before = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let after = self
            .after(range.end)
            .trim_start_matches(['`', '"', '\'', '(', ')', '*', '”'])
            .trim_start();
        let after = after.split(char::is_whitespace).next().unwrap_or_default();
        // A stop between keeps words apart.
        let before = if before.ends_with(['.', ',', ';', '!', '?']) { "" } else { before };
        (before.trim_matches(sign).to_lowercase(), after.trim_matches(sign).to_lowercase())
    }

    fn name(&mut self, name: &str, called: &str, range: Range<usize>) {
        let ticked = self.is_ticked(&range);
        let quoted = ticked || self.before(range.start).ends_with(['"', '\'', '“']);
        let shape = words::shape(name);
        if name.eq_ignore_ascii_case(self.reader.product) {
            return;
        }
        let (before, after) = self.neighbours(&range);
        let beside =
            |list: &[&str]| list.contains(&before.as_str()) || list.contains(&after.as_str());
        let telling = shape != Shape::Plain;
        let strong = |sure: bool| {
            if sure && !words::is_weak(name) { Strength::Strong } else { Strength::Weak }
        };
        let permission = beside(&["permission", "permissions", "right", "rights"]);
        let found = match () {
            () if shape == Shape::Upper && permission => Some((Kind::Permission, strong(true))),
            () if shape == Shape::Upper && name.contains('_') && name.len() >= 5 => {
                let kind = if self.lower.contains("permission") || name.starts_with("PLUGIN_") {
                    Kind::Permission
                } else {
                    Kind::Name
                };
                Some((
                    kind,
                    strong(ticked || kind == Kind::Permission || !name.starts_with("HTTP_")),
                ))
            }
            () if shape == Shape::Upper => None,
            () if beside(&["plugin", "plugins"]) && self.is_plugin(name, quoted, &before) => {
                let sure =
                    quoted || self.lower.contains("bundled") || self.lower.contains("built-in");
                Some((Kind::Plugin, strong(sure && before != "the")))
            }
            () if called == "()" || (called == "(" && (telling || ticked)) => {
                Some((Kind::Function, strong(true)))
            }
            () if beside(&["function", "method", "hook", "decorator", "helper", "routine"])
                && (telling || ticked) =>
            {
                Some((Kind::Function, strong(true)))
            }
            () if beside(&["setting", "settings", "option", "config"]) && (telling || ticked) => {
                Some((Kind::Setting, strong(true)))
            }
            () if beside(&["class", "mixin", "exception"])
                && (shape == Shape::Pascal || ticked) =>
            {
                Some((Kind::Class, strong(true)))
            }
            () if shape == Shape::Pascal => {
                Some((Kind::Class, strong(ticked || words::is_class_like(name))))
            }
            () if shape == Shape::Camel && name.len() >= 5 => Some((Kind::Name, strong(true))),
            () if shape == Shape::Snake && name.len() >= 5 => {
                Some((Kind::Name, strong(ticked || name.len() >= 8)))
            }
            () if ticked && name.len() >= 4 => Some((Kind::Name, Strength::Weak)),
            () => None,
        };
        if let Some((kind, strength)) = found {
            self.add(kind, name, strength, range);
        }
    }

    /// Whether a word beside `plugin` can be the name of one.
    fn is_plugin(&self, name: &str, quoted: bool, before: &str) -> bool {
        let small = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        const NONE: [&str; 44] = [
            "the",
            "this",
            "that",
            "any",
            "own",
            "other",
            "third",
            "malicious",
            "bundled",
            "party",
            "with",
            "for",
            "and",
            "manager",
            "installed",
            "every",
            "each",
            "your",
            "new",
            "my",
            "from",
            "can",
            "system",
            "api",
            "code",
            "author",
            "authors",
            "install",
            "installation",
            "repository",
            "has",
            "was",
            "hooks",
            "settings",
            "page",
            "url",
            "are",
            "may",
            "which",
            "core",
            "built",
            "custom",
            "itself",
            "when",
        ];
        let named = ["plugin", "plugins"].contains(&before) && !quoted;
        small && !NONE.contains(&name) && !(named && words::shape(name) == Shape::Plain)
    }
}

/// A path without the folders of the machine that it was seen on, and how much it says.
fn placed(path: &str) -> (String, Strength) {
    let path = path.replace('\\', "/");
    for mark in ["site-packages/", "dist-packages/"] {
        if let Some((_, rest)) = path.split_once(mark) {
            return (rest.to_owned(), Strength::Strong);
        }
    }
    let absolute = path.starts_with(['/', '~']) || path.get(1..3) == Some(":/");
    if absolute {
        return match path.find("/src/") {
            Some(at) => (path.get(at + 1..).unwrap_or_default().to_owned(), Strength::Strong),
            None => (path, Strength::Weak),
        };
    }
    let bare = path.trim_start_matches("./").to_owned();
    let file = bare.rsplit('/').next().unwrap_or_default();
    let telling = if bare.contains('/') {
        words::source_file(file) || words::source_file(&bare) || file.ends_with(".py")
    } else {
        words::is_telling_file(file)
    };
    (bare.clone(), if telling { Strength::Strong } else { Strength::Weak })
}
