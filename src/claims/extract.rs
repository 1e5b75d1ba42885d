//! Claims out of the texts of a report.
//!
//! A claim is read from words that the sender wrote for this mail; quotations and signatures hold none. Code is
//! treated apart from prose: a proof of concept has names of its own, which say nothing about the product, while
//! a block that is shown as the product's code is one claim as a whole. Work is bounded by [`MAX_TEXT`] and
//! [`MAX_CLAIMS`]. Read next: [`prose`], then [`block`].

mod block;
mod patterns;
mod prose;
mod words;

use std::collections::HashSet;
use std::ops::Range;

use crate::claims::{Claim, Kind, Strength};
use crate::domain::hint::{FoundVersion, VersionStatus};
use crate::domain::{Evidence, MessageRef};
use block::{Block, Form};
use patterns::Patterns;

/// Text read from one source, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;

/// Claims of one case.
pub const MAX_CLAIMS: usize = 200;

/// Longest name, in bytes.
const MAX_NAME: usize = 200;

/// A text that claims are read from.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// The message.
    pub message: MessageRef,
    /// The part that the text came from.
    pub part: u16,
    /// The text.
    pub text: &'a str,
    /// For each line whether the sender wrote it for this mail; lines beyond count as written.
    pub own: Vec<bool>,
    /// Whether all of it is code, such as an attached script.
    pub code: bool,
}

/// Reads claims.
#[derive(Debug)]
pub struct Extractor {
    patterns: Patterns,
    product: String,
}

impl Extractor {
    /// Prepares the patterns. `product` is the name of the product, whose addresses are read as routes.
    ///
    /// # Errors
    /// If a pattern cannot be compiled: a fault of this program.
    pub fn new(product: &str) -> Result<Self, regex::Error> {
        Ok(Self { patterns: Patterns::compile()?, product: product.to_lowercase() })
    }

    /// The claims of all sources, each name once, in the order of the texts. `files` are the names of attached
    /// files, which claim nothing.
    pub fn read(&self, sources: &[Source<'_>], files: &[&str]) -> Vec<Claim> {
        let mut found = Claims::default();
        let mut defined: HashSet<String> = HashSet::new();
        for source in sources {
            let mut reader = Reader {
                patterns: &self.patterns,
                product: &self.product,
                source,
                files,
                claims: &mut found,
                defined: &mut defined,
            };
            reader.read();
        }
        for claim in &mut found.list {
            let names = matches!(claim.kind, Kind::Function | Kind::Name | Kind::Class);
            if names && defined.contains(&claim.name) {
                claim.strength = Strength::Weak;
            }
        }
        found.list
    }
}

/// The versions and branches that a report names, as claims.
pub fn versions(found: &[&FoundVersion]) -> Vec<Claim> {
    let claim = |version: &&FoundVersion| Claim {
        kind: match version.status {
            VersionStatus::DevBranch
                if !version.claimed.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                Kind::Branch
            }
            _ => Kind::Version,
        },
        name: version.claimed.clone(),
        lines: None,
        code: Vec::new(),
        strength: Strength::Strong,
        evidence: version.evidence.clone(),
    };
    let mut seen = HashSet::new();
    let counts = |v: &&&FoundVersion| {
        !matches!(v.status, VersionStatus::OtherProduct | VersionStatus::Unstated)
    };
    found.iter().filter(counts).filter(|v| seen.insert(v.claimed.clone())).map(claim).collect()
}

/// What makes two claims the same.
type Key = (Kind, String, Option<(u32, u32)>);

#[derive(Default)]
struct Claims {
    list: Vec<Claim>,
    seen: HashSet<Key>,
}

/// One source being read.
struct Reader<'a> {
    patterns: &'a Patterns,
    product: &'a str,
    source: &'a Source<'a>,
    files: &'a [&'a str],
    claims: &'a mut Claims,
    /// Names that code of the mail defines itself.
    defined: &'a mut HashSet<String>,
}

/// What is claimed, before it is anchored.
struct Found {
    kind: Kind,
    name: String,
    lines: Option<(u32, u32)>,
    code: Vec<String>,
    strength: Strength,
    range: Range<usize>,
}

impl Found {
    fn new(kind: Kind, name: impl Into<String>, strength: Strength, range: Range<usize>) -> Self {
        Self { kind, name: name.into(), lines: None, code: Vec::new(), strength, range }
    }
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut end = self.source.text.len().min(MAX_TEXT);
        while !self.source.text.is_char_boundary(end) {
            end -= 1;
        }
        let text = self.source.text.get(..end).unwrap_or_default();
        for block in block::blocks(text, &self.source.own, self.source.code) {
            if self.claims.list.len() >= MAX_CLAIMS {
                return;
            }
            match block.form {
                Form::Prose => self.prose(&block),
                Form::Quotation => self.quotation(&block),
                Form::Code => {}
            }
            if block.form != Form::Prose {
                for (line, at) in block.lines(text) {
                    self.code_line(line, at, block.form == Form::Code);
                }
            }
        }
    }

    /// A paragraph, line by line; what a line says is helped by the words of its neighbours.
    fn prose(&mut self, block: &Block) {
        let lines: Vec<(&str, usize)> = block.lines(self.source.text).collect();
        for (number, (line, at)) in lines.iter().enumerate() {
            // Mails are wrapped: `FILES_UPLOAD` may end a line and `permission` begin the next.
            let next = lines.get(number + 1).map_or("", |(next, _)| next);
            prose::line(self, line, next, *at);
        }
    }

    /// A block that is shown as the product's code: one claim.
    fn quotation(&mut self, block: &Block) {
        let lines = block.lines(self.source.text);
        let code: Vec<String> = lines.map(|(line, _)| line.to_owned()).collect();
        let telling = code.iter().find_map(|line| crate::claims::index::normal_line(line));
        let Some(name) = telling else { return };
        let found = Found::new(Kind::Code, clipped(&name), Strength::Strong, block.range.clone());
        self.add(Found { code, ..found });
    }

    /// A line of code: what it defines is its own, what it calls by address or imports is the product's.
    fn code_line(&mut self, line: &str, at: usize, defines: bool) {
        if defines {
            for name in self.patterns.definition.captures_iter(line) {
                let name = name.iter().skip(1).flatten().next();
                self.defined.extend(name.map(|name| name.as_str().to_owned()));
            }
        }
        prose::code(self, line, at);
    }

    /// Keeps a claim, anchored to its words.
    fn add(&mut self, found: Found) {
        let name = found.name.trim();
        if name.is_empty() || name.len() > MAX_NAME || self.claims.list.len() >= MAX_CLAIMS {
            return;
        }
        if self.files.iter().any(|file| file.eq_ignore_ascii_case(name)) {
            return;
        }
        let key = (found.kind, name.to_owned(), found.lines);
        if self.claims.seen.contains(&key) {
            // The same said again, but better.
            let same = |claim: &&mut Claim| {
                (claim.kind, claim.name.as_str(), claim.lines) == (key.0, name, key.2)
            };
            if let Some(claim) = self.claims.list.iter_mut().find(same) {
                claim.strength = claim.strength.max(found.strength);
            }
            return;
        }
        let source = self.source;
        let evidence = Evidence::at(source.message, source.part, source.text, found.range);
        let Some(evidence) = evidence else { return };
        let claim = Claim {
            kind: found.kind,
            name: name.to_owned(),
            lines: found.lines,
            code: found.code,
            strength: found.strength,
            evidence,
        };
        self.claims.seen.insert(key);
        self.claims.list.push(claim);
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_NAME / 4).collect()
}

#[cfg(test)]
mod tests;
