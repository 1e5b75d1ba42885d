//! Claims held against a tree, against the newest supported one, and against the releases before.
//!
//! What is not found where it was claimed is looked for elsewhere; a miss names what comes nearest. Read next:
//! [`names`] for the rules of names, then [`paths`], [`routes`].

mod names;
mod paths;
mod routes;

use super::index::Index;
use super::past::{Past, Spell};
use super::{Claim, Found, Kind, Nearest, Row, Strength, Table};

/// A tree with the name that its version has in the checkout.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// Name of the tag or branch.
    pub name: &'a str,
    /// What it has.
    pub index: &'a Index,
}

/// What the checkout knows beside its trees. Answers name what was found.
pub trait Checkout {
    /// The tag of a version.
    fn tag(&self, version: &str) -> Option<String>;
    /// A branch.
    fn branch(&self, name: &str) -> Option<String>;
    /// A commit, by its id or the beginning of it.
    fn commit(&self, id: &str) -> Option<String>;
    /// Names that a version or branch could have had, for the nearest one.
    fn releases(&self) -> Vec<String>;
    /// Which commits brought a word and took it away; empty if that cannot be told.
    fn word_history(&self, word: &str, spell: &Spell) -> String;
    /// What became of a file.
    fn path_history(&self, path: &str, spell: &Spell) -> String;
}

/// Resolves claims.
pub struct Resolver<'a> {
    /// The tree of the claimed version.
    pub tree: Tree<'a>,
    /// The tree of the newest supported version, where it is another.
    pub newest: Option<Tree<'a>>,
    /// What the checkout knows beside.
    pub checkout: &'a dyn Checkout,
    /// What other releases had; asked for only if something is missing.
    pub past: &'a mut dyn FnMut() -> Option<&'a Past>,
}

/// What looking into one tree brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Answer {
    found: Found,
    place: String,
    nearest: Option<Nearest>,
    /// Set where the tree tells more about the claim than its words did.
    strength: Option<Strength>,
    /// The word that is missing, to be looked for in other releases.
    missing: Option<String>,
}

impl Answer {
    fn yes(place: impl Into<String>) -> Self {
        Self { found: Found::Yes, place: place.into(), ..Self::default() }
    }

    fn elsewhere(place: impl Into<String>) -> Self {
        Self { found: Found::Elsewhere, place: place.into(), ..Self::default() }
    }

    fn no(place: impl Into<String>) -> Self {
        Self { found: Found::No, place: place.into(), ..Self::default() }
    }

    fn foreign(place: impl Into<String>) -> Self {
        let strength = Some(Strength::ThirdParty);
        Self { found: Found::Unknown, place: place.into(), strength, ..Self::default() }
    }
}

impl<'a> Resolver<'a> {
    /// The table of these claims. `go_on` is asked before each claim; where it says no, the table is `None`.
    pub fn table(&mut self, claims: Vec<Claim>, go_on: &dyn Fn() -> bool) -> Option<Table> {
        let mut rows = Vec::with_capacity(claims.len());
        for claim in claims {
            if !go_on() {
                return None;
            }
            rows.push(self.row(claim));
        }
        rows.sort_by_key(|row| (!row.fails(), !row.counts()));
        Some(Table {
            rows,
            version: Some(self.tree.name.to_owned()),
            newest: self.newest.map(|tree| tree.name.to_owned()),
            note: None,
            tried: true,
        })
    }

    fn row(&mut self, mut claim: Claim) -> Row {
        if matches!(claim.kind, Kind::Version | Kind::Branch | Kind::Commit) {
            let answer = self.reference(&claim);
            if answer.found == Found::Yes && claim.kind != Kind::Commit {
                // That a release exists says nothing about the report.
                claim.strength = Strength::Weak;
            }
            return row_of(claim, answer, None);
        }
        let mut answer = look(self.tree.index, &claim);
        let newest = self.newest.map(|tree| (tree, look(tree.index, &claim)));
        let newest_found = newest.as_ref().map(|(_, answer)| answer.found);
        if let Some(strength) = answer.strength {
            claim.strength = strength;
        }
        // In another version is elsewhere, and no claim about this one.
        let mut resolves = None;
        if answer.found == Found::No {
            if let Some((tree, other)) = newest.filter(|(_, other)| other.found == Found::Yes) {
                answer = Answer::elsewhere(format!(
                    "not in {}; in {} at {}",
                    self.tree.name, tree.name, other.place
                ));
                resolves = Some(false);
            } else if let Some(place) = self.before(&claim, &answer) {
                answer = Answer { found: Found::Elsewhere, place, ..answer };
                resolves = Some(false);
            }
        }
        let row = row_of(claim, answer, newest_found);
        Row { resolves: resolves.unwrap_or(row.resolves), ..row }
    }

    /// When other releases had what is missing.
    fn before(&mut self, claim: &Claim, answer: &Answer) -> Option<String> {
        if claim.strength != Strength::Strong {
            return None;
        }
        match claim.kind {
            Kind::Path | Kind::Line => {
                // A file that is there, but shorter than claimed, is no lost file.
                answer.missing.as_ref()?;
                let (path, spell, _) = (self.past)()?.path(&claim.name)?;
                let history = self.checkout.path_history(path, &spell);
                Some(format!("{path} was in {}{history}", span(&spell)))
            }
            _ => {
                let word = answer.missing.as_ref()?;
                let spell = (self.past)()?.word(word)?;
                let history = self.checkout.word_history(word, &spell);
                Some(format!("{word} was in {}{history}", span(&spell)))
            }
        }
    }

    fn reference(&self, claim: &Claim) -> Answer {
        let name = claim.name.as_str();
        let (found, missing) = match claim.kind {
            Kind::Version => (
                self.checkout.tag(name),
                "no tag of this version; fetch the tags if it is newer than the checkout",
            ),
            Kind::Branch => (self.checkout.branch(name), "no branch of this name"),
            _ => (self.checkout.commit(name), "no commit of this id"),
        };
        let Some(found) = found else {
            let releases = self.checkout.releases();
            let nearest = super::index::nearest(name, releases.iter().map(String::as_str))
                .filter(|_| claim.kind != Kind::Commit);
            return Answer { nearest, ..Answer::no(missing) };
        };
        Answer::yes(found)
    }
}

fn span(spell: &Spell) -> String {
    if spell.first_at == spell.last_at {
        spell.first.clone()
    } else {
        format!("{} to {}", spell.first, spell.last)
    }
}

fn row_of(claim: Claim, answer: Answer, newest: Option<Found>) -> Row {
    Row {
        found: answer.found,
        resolves: matches!(answer.found, Found::Yes | Found::Elsewhere),
        place: answer.place,
        nearest: answer.nearest,
        newest,
        claim,
    }
}

/// Looks for a claim in one tree.
fn look(index: &Index, claim: &Claim) -> Answer {
    match claim.kind {
        Kind::Path | Kind::Line => paths::look(index, claim),
        Kind::Route => routes::look(index, &claim.name),
        Kind::Code => code(index, claim),
        Kind::Plugin => names::plugin(index, &claim.name),
        Kind::Permission => names::permission(index, &claim.name),
        _ => names::look(index, claim),
    }
}

/// Quoted lines: found if most of them stand in one file.
fn code(index: &Index, claim: &Claim) -> Answer {
    let lines: Vec<String> = claim.code.iter().filter_map(|line| telling(line)).take(200).collect();
    if lines.is_empty() {
        return Answer::default();
    }
    let count = lines.len();
    match index.lines_at(&lines) {
        Some((found, place)) if found * 2 >= count => {
            let share =
                if found == count { String::new() } else { format!(", {found} of {count} lines") };
            Answer::yes(format!("{}{share}", index.place(place)))
        }
        Some((found, place)) => {
            Answer::no(format!("only {found} of {count} lines are in {}", index.place(place)))
        }
        None => Answer::no(if count == 1 {
            "no file has this line".to_owned()
        } else {
            format!("no file has any of these {count} lines")
        }),
    }
}

/// A quoted line without the number or the sign of a difference before it.
fn telling(line: &str) -> Option<String> {
    let line = line.trim_start();
    let bare = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = bare.len() < line.len() && bare.starts_with([':', '|', ' ', '\t']);
    let line = if numbered { bare.trim_start_matches([':', '|']) } else { line };
    let signed = line.starts_with(['+', '-']) && !line.starts_with("--") && !line.starts_with("++");
    super::index::normal_line(if signed { line.get(1..).unwrap_or_default() } else { line })
}

#[cfg(test)]
mod tests;
