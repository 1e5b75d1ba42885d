//! What one source tree has: files with their lines, every word with its places, routes, foreign packages.
//!
//! A tree never changes, so its index does not either: made once ([`build::Builder`]), kept, read. It knows names
//! by their letters and where they stand, not what a language makes of them, so that a name that is there is
//! never told to be missing, whatever the language. Read next: [`build`].

pub mod build;

use serde::{Deserialize, Serialize};

use super::{Nearest, near};

/// Shortest line of code that is looked up by itself, in letters without blanks.
const MIN_LINE: usize = 8;

/// A file of the tree.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct File {
    /// Its path from the root.
    pub path: String,
    /// Number of lines.
    pub lines: u32,
    /// Whether it is a copy of somebody else's work, by its folder or name.
    pub vendored: bool,
    /// A hash for each line; 0 for one that says nothing by itself; empty for a file that is no text.
    hashes: Vec<u32>,
}

/// A place in the tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Number of the file in the index.
    pub file: u32,
    /// Line, from 1.
    pub line: u32,
}

/// A word of the tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it is defined as function or class.
    pub defined: Vec<Place>,
    /// Whether it is called anywhere.
    pub called: bool,
    /// Its first place in each file that has it.
    pub places: Vec<Place>,
}

/// A path that the server answers to, with its parts; see [`build`] for the signs of parts that stand for others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// The parts.
    pub parts: Vec<String>,
    /// Where it is declared.
    pub place: Place,
}

/// A part of a route that any value may take.
pub(super) const ANY_VALUE: &str = "*";
/// A part of a route that one of a few words takes.
pub(super) const ONE_OF: &str = "+";
/// The rest of a route, of any length.
pub(super) const ANY_REST: &str = "**";

/// The index of one tree.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Index {
    files: Vec<File>,
    /// Sorted.
    words: Vec<Word>,
    routes: Vec<Route>,
    /// Packages that the tree depends on or imports and does not hold; lower case, sorted.
    foreign: Vec<String>,
    /// Plugins that the tree holds; sorted.
    plugins: Vec<String>,
}

impl Index {
    /// The files.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// A word, exactly as written.
    pub fn word(&self, text: &str) -> Option<&Word> {
        let at = self.words.binary_search_by(|word| word.text.as_str().cmp(text)).ok()?;
        self.words.get(at)
    }

    /// How many words there are.
    pub fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The routes.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The plugins.
    pub fn plugins(&self) -> &[String] {
        &self.plugins
    }

    /// Whether a package is somebody else's: named as a dependency or imported, and not in the tree.
    pub fn is_foreign(&self, package: &str) -> bool {
        let name = package.to_lowercase().replace('-', "_");
        self.foreign.binary_search(&name).is_ok()
    }

    /// A place as a person reads it.
    pub fn place(&self, place: Place) -> String {
        let path = self.files.get(place.file as usize).map_or("", |file| file.path.as_str());
        format!("{path}:{}", place.line)
    }

    /// Whether a file is a copy of somebody else's.
    pub fn is_vendored(&self, file: u32) -> bool {
        self.files.get(file as usize).is_some_and(|file| file.vendored)
    }

    /// The most telling place of a word: its definition, else a place in the project's own code, else any.
    pub fn best_place(&self, word: &Word) -> Option<Place> {
        let own = |list: &[Place]| {
            let mut own = list.iter().filter(|place| !self.is_vendored(place.file));
            own.find(|place| self.is_code(place.file))
                .or_else(|| list.iter().find(|place| !self.is_vendored(place.file)))
                .copied()
        };
        own(&word.defined).or_else(|| own(&word.places)).or_else(|| word.places.first().copied())
    }

    /// Whether a file is code of the product rather than its tests or documents.
    fn is_code(&self, file: u32) -> bool {
        let path = self.files.get(file as usize).map_or("", |file| file.path.as_str());
        build::is_code(path) && !path.starts_with("tests/") && !path.contains("/tests/")
    }

    /// Files whose path ends with these parts, shortest path first.
    pub fn files_at(&self, path: &str) -> Vec<u32> {
        let path = path.trim_matches('/');
        let fits = |file: &File| {
            file.path.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let mut found: Vec<u32> =
            (0..).zip(&self.files).filter(|(_, file)| fits(file)).map(|(at, _)| at).collect();
        found.sort_by_key(|at| self.files.get(*at as usize).map_or(0, |file| file.path.len()));
        found
    }

    /// A folder whose path ends with these parts.
    pub fn folder_at(&self, path: &str) -> Option<String> {
        let wanted = format!("/{}/", path.trim_matches('/'));
        self.files.iter().find_map(|file| {
            let full = format!("/{}", file.path);
            let at = full.find(&wanted)?;
            full.get(1..at + wanted.len() - 1).map(str::to_owned)
        })
    }

    /// Where these lines stand, in their order of the index: the file that holds most of them, how many it
    /// holds, and its first place.
    pub fn lines_at(&self, lines: &[String]) -> Option<(usize, Place)> {
        let wanted: Vec<u32> = lines.iter().map(|line| hash(line)).collect();
        let mut best: Option<(usize, Place)> = None;
        for (at, file) in (0..).zip(&self.files) {
            let first = wanted.iter().find_map(|hash| file.hashes.iter().position(|h| h == hash));
            let Some(first) = first else { continue };
            let count = wanted.iter().filter(|hash| file.hashes.contains(hash)).count();
            if best.is_none_or(|(most, _)| count > most) {
                let line = u32::try_from(first + 1).unwrap_or(u32::MAX);
                best = Some((count, Place { file: at, line }));
            }
        }
        best
    }

    /// The word nearest to one that is not there.
    pub fn nearest_word(&self, text: &str) -> Option<Nearest> {
        let words = self.words.iter().filter(|word| {
            let own = word.places.iter().any(|place| !self.is_vendored(place.file));
            own && (!word.defined.is_empty() || word.text.len() > 5)
        });
        nearest(text, words.map(|word| word.text.as_str()))
    }

    /// The path nearest to one that is not there: a file of that name, else of almost that name; of several the
    /// one whose whole path is nearest.
    pub fn nearest_path(&self, path: &str) -> Option<Nearest> {
        let name = file_name(path);
        let mut files = self.files_at(name);
        if files.is_empty() {
            let near = nearest(name, self.files.iter().map(|file| file_name(&file.path)))?;
            files = self.files_at(&near.name);
        }
        let paths = files.iter().filter_map(|at| self.files.get(*at as usize));
        let far = paths.filter_map(|file| Some((near::distance(path, &file.path, FAR)?, file)));
        let (distance, file) = far.min_by_key(|(distance, _)| *distance)?;
        Some(Nearest { name: file.path.clone(), distance })
    }
}

/// Letters that two paths to files of one name may differ in.
const FAR: usize = 60;

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The nearest of some names; of equally near ones the first.
pub(super) fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<Nearest> {
    let reach = near::reach(text);
    let letters = near::letters(text);
    let mut best: Option<Nearest> = None;
    for name in names {
        let most = best.as_ref().map_or(reach, |best| best.distance.saturating_sub(1));
        let far = name.len().abs_diff(text.len()) > most
            || (near::letters(name) ^ letters).count_ones() as usize > 2 * most;
        if far || name == text {
            continue;
        }
        if let Some(distance) = near::distance(text, name, most) {
            best = Some(Nearest { name: name.to_owned(), distance });
            if distance == 0 {
                break;
            }
        }
    }
    best
}

/// A line of code as it is compared: without indentation, doubled blanks and a comment at its end; `None` if it
/// says nothing by itself.
pub fn normal_line(line: &str) -> Option<String> {
    let mut normal = line.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in [" # ", " // "] {
        if let Some(at) = normal.find(mark) {
            normal.truncate(at);
        }
    }
    let comment = ["#", "//", "/*", "*", "--"].iter().any(|mark| normal.starts_with(mark));
    let letters = normal.chars().filter(|c| !c.is_whitespace()).count();
    let words = normal.chars().any(char::is_alphanumeric);
    (letters >= MIN_LINE && words && !comment).then_some(normal)
}

/// FNV-1a, folded to 32 bits; never 0. With a quarter of a million lines, one made-up line in seventeen thousand
/// is taken for one of them.
fn hash(line: &str) -> u32 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let full = line
        .bytes()
        .fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let folded = (full ^ (full >> 32)) & u64::from(u32::MAX);
    u32::try_from(folded).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests;
