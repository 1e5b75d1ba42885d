//! What git tells about the checkout: its versions, its trees, its history.
//!
//! Only ids that git itself gave are arguments, besides words that were read out of the checkout before. The work
//! tree, its attributes and its filters are not looked at.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Watcher;
use crate::claims::index::Index;
use crate::claims::index::build::{Builder, MAX_FILE};
use crate::claims::past::{self, Past, Spell};
use crate::claims::resolve;
use crate::runtime::git::{Git, GitError};

/// Longest time that one question to git may take.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Releases and branches that the past is made of.
const RELEASES_MAX: usize = 400;

/// Bytes of source that are read for one index.
const BYTES_MAX: u64 = 512 << 20;

/// Bytes of a commit that are read.
const COMMIT_MAX: u64 = 1 << 20;

/// A tag or branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reference {
    /// Its short name.
    pub name: String,
    pub branch: bool,
    pub commit: String,
    pub tree: String,
    /// When it was made, in seconds since 1970.
    at: i64,
}

/// A checkout.
pub(super) struct Checkout {
    git: Git,
    product: String,
    /// Tags and branches, oldest first.
    references: Vec<Reference>,
}

/// A file of a tree.
struct Blob {
    path: String,
    id: String,
    size: u64,
}

impl Blob {
    /// Whether its content is worth reading.
    fn is_read(&self) -> bool {
        const BINARY: [&str; 24] = [
            "png", "jpg", "jpeg", "gif", "ico", "webp", "ttf", "otf", "woff", "woff2", "eot", "mo",
            "zip", "gz", "bz2", "xz", "whl", "pdf", "mp4", "mpg", "mp3", "jar", "so", "exe",
        ];
        let ending = self.path.rsplit_once('.').map_or("", |(_, ending)| ending);
        self.size <= MAX_FILE as u64 && !BINARY.contains(&ending)
    }
}

impl Checkout {
    pub fn open(path: &Path, product: &str) -> Result<Self, GitError> {
        let git = Git::at(path, TIME_MAX)?;
        let mut references = references(&git)?;
        references.sort_by(|a, b| {
            (a.branch, a.at)
                .cmp(&(b.branch, b.at))
                .then_with(|| numbers(&a.name).cmp(&numbers(&b.name)))
        });
        let excess = references.len().saturating_sub(RELEASES_MAX);
        references.drain(..excess);
        Ok(Self { git, product: product.to_lowercase(), references })
    }

    /// The tag or branch that a version or branch is claimed by.
    pub fn version(&self, claimed: &str) -> Option<&Reference> {
        self.tag_of(claimed).or_else(|| self.branch_of(claimed))
    }

    fn tag_of(&self, claimed: &str) -> Option<&Reference> {
        let wanted = self.plain(claimed);
        let of = |wanted: &str| {
            self.references.iter().find(|tag| !tag.branch && self.plain(&tag.name) == wanted)
        };
        // `1.11` and `1.11.0` are one release (PEP 440, zero padding).
        let padded = || of(&format!("{wanted}.0"));
        let cut = || of(wanted.strip_suffix(".0")?);
        let found = of(&wanted).or_else(padded).or_else(cut);
        found.filter(|_| wanted.contains(|c: char| c.is_ascii_digit()))
    }

    fn branch_of(&self, claimed: &str) -> Option<&Reference> {
        let mut branches = self.references.iter().filter(|reference| reference.branch);
        let remote = format!("/{claimed}");
        branches.find(|branch| branch.name == claimed || branch.name.ends_with(&remote))
    }

    /// A tag's or version's name without what is put before and between: `release-1.11.0-rc.5` as `1.11.0rc5`.
    fn plain(&self, name: &str) -> String {
        let lower = name.trim().to_lowercase();
        let starts = [self.product.as_str(), "release", "version", "rel", "v"];
        let mut bare = lower.as_str();
        for start in starts {
            let rest = bare
                .strip_prefix(start)
                .map(|rest| rest.trim_start_matches(['-', '_', '/', '.', ' ']));
            let numbered = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_digit() || c == 'v');
            bare = rest.filter(numbered).unwrap_or(bare);
        }
        bare.replace(['-', '_'], "").replace(".rc", "rc").replace("rc.", "rc")
    }

    /// The newest release by its tag, else the newest branch.
    pub fn newest(&self) -> Option<&Reference> {
        let released = |name: &str| {
            let plain = self.plain(name);
            plain.contains('.') && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        };
        let tags = self.references.iter().filter(|tag| !tag.branch && released(&tag.name));
        let newest = tags.max_by(|a, b| numbers(&a.name).cmp(&numbers(&b.name)));
        newest.or_else(|| self.references.last())
    }

    /// A name for the state of all tags and branches.
    pub fn key(&self) -> String {
        let mut digest = Sha256::new();
        for reference in &self.references {
            digest.update(format!("{}\0{}\0", reference.name, reference.tree));
        }
        let sum = digest.finalize();
        format!("past-{}", crate::domain::ids::hex(sum.get(..20).unwrap_or_default()))
    }

    /// Makes the index of a tree.
    pub fn index(&self, of: &Reference, watcher: &mut Watcher<'_>) -> Result<Index, GitError> {
        let files = self.files(&of.tree)?;
        let mut builder = Builder::default();
        let (read, named): (Vec<&Blob>, Vec<&Blob>) = files.iter().partition(|file| file.is_read());
        for file in named {
            builder.file(&file.path, &[0]);
        }
        let ids = read.iter().map(|file| file.id.as_str());
        let (what, mut done) = (format!("reading {}", of.name), 0);
        self.contents(ids, &mut |bytes| {
            if !(watcher.go_on)() {
                return Err(GitError::Stopped);
            }
            if let Some(file) = read.get(done) {
                builder.file(&file.path, bytes);
            }
            done += 1;
            (watcher.progress)(&what, done, read.len());
            Ok(())
        })?;
        Ok(builder.finish())
    }

    /// Makes the past of all releases and branches.
    pub fn past(&self, watcher: &mut Watcher<'_>) -> Result<Past, GitError> {
        let mut builder = past::Builder::default();
        let mut readable: HashSet<String> = HashSet::new();
        for reference in &self.references {
            if !(watcher.go_on)() {
                return Err(GitError::Stopped);
            }
            builder.release(&reference.name);
            for file in self.files(&reference.tree)? {
                builder.file(&file.path, &file.id);
                if file.is_read() {
                    readable.insert(file.id);
                }
            }
        }
        let mut ids = builder.contents();
        ids.retain(|id| readable.contains(id));
        let mut done = 0;
        self.contents(ids.iter().map(String::as_str), &mut |bytes| {
            if !(watcher.go_on)() {
                return Err(GitError::Stopped);
            }
            if let Some(id) = ids.get(done) {
                builder.content(id, bytes);
            }
            done += 1;
            (watcher.progress)("reading the releases before", done, ids.len());
            Ok(())
        })?;
        Ok(builder.finish())
    }

    /// The plain files of a tree.
    fn files(&self, tree: &str) -> Result<Vec<Blob>, GitError> {
        let mut listing = Vec::new();
        self.git.read(&["ls-tree", "-r", "-z", "--long", tree], None, &mut |output| {
            output.take(BYTES_MAX).read_to_end(&mut listing)?;
            Ok(())
        })?;
        let text = String::from_utf8_lossy(&listing);
        Ok(text.split('\0').filter_map(blob).collect())
    }

    /// Hands over the contents of objects in their order; an object that is not there is empty.
    fn contents<'i>(
        &self,
        ids: impl Iterator<Item = &'i str>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let mut input = String::new();
        for id in ids {
            input.push_str(id);
            input.push('\n');
        }
        self.git.read(
            &["cat-file", "--batch", "--buffer"],
            Some(input.into_bytes()),
            &mut |output| {
                let mut reader = BufReader::with_capacity(1 << 17, output);
                let (mut head, mut body, mut total) = (String::new(), Vec::new(), 0);
                while next_object(&mut reader, &mut head, &mut body)? {
                    total += body.len() as u64;
                    // Beyond the bound files keep their names and lose their words.
                    each(if total <= BYTES_MAX { &body } else { &[0] })?;
                }
                Ok(())
            },
        )
    }

    /// The short id and the day of a commit that changed how often `word` stands in a range of commits: the first
    /// such commit, or the last.
    fn changed(&self, word: &str, from: Option<&str>, to: &str, first: bool) -> Option<String> {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
        if !word.bytes().all(letters) {
            return None;
        }
        let range = from.map_or_else(|| to.to_owned(), |from| format!("{from}..{to}"));
        let wanted = format!("-S{word}");
        let arguments = [
            "log",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--format=%h on %cs",
            &wanted,
            &range,
            "--",
        ];
        let text = self.git.answer(&arguments).ok()?;
        if first { text.lines().last() } else { text.lines().next() }.map(str::to_owned)
    }
}

/// Reads one object of `cat-file --batch`; false at the end.
fn next_object(
    reader: &mut BufReader<&mut dyn Read>,
    head: &mut String,
    body: &mut Vec<u8>,
) -> Result<bool, GitError> {
    head.clear();
    body.clear();
    if reader.read_line(head)? == 0 {
        return Ok(false);
    }
    // `<id> missing`, or `<id> <kind> <size>` and as many bytes and a line end.
    if let Some(size) = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok())
    {
        reader.by_ref().take(size).read_to_end(body)?;
        reader.read_line(head)?;
    }
    Ok(true)
}

/// `100644 blob <id> <size>\t<path>`; links and modules are left out.
fn blob(entry: &str) -> Option<Blob> {
    let (head, path) = entry.split_once('\t')?;
    let mut words = head.split_whitespace();
    let (mode, kind, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let plain = kind == "blob" && mode.starts_with("100");
    plain.then(|| Blob {
        path: path.to_owned(),
        id: id.to_owned(),
        size: size.parse().unwrap_or(u64::MAX),
    })
}

/// Tags, branches, and what is checked out.
fn references(git: &Git) -> Result<Vec<Reference>, GitError> {
    let form = "--format=%(refname)%00%(objectname)%00%(*objectname)%00%(tree)%00%(*tree)%00%(creatordate:unix)%00";
    let text = git.answer(&["for-each-ref", form, "refs/tags", "refs/heads", "refs/remotes"])?;
    let fields: Vec<&str> = text.split('\0').map(|field| field.trim_start_matches('\n')).collect();
    let mut found: Vec<Reference> = fields.chunks_exact(6).filter_map(reference).collect();
    let head =
        git.answer(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).unwrap_or_default();
    let tree = git.answer(&["rev-parse", "--verify", "--quiet", "HEAD^{tree}"]).unwrap_or_default();
    let (commit, tree) = (head.trim().to_owned(), tree.trim().to_owned());
    if !commit.is_empty() && !found.iter().any(|known| known.commit == commit) {
        found.push(Reference { name: "HEAD".into(), branch: true, commit, tree, at: i64::MAX });
    }
    Ok(found)
}

fn reference(fields: &[&str]) -> Option<Reference> {
    let [full, own, peeled, tree, peeled_tree, at] = fields else { return None };
    let other = |peeled: &str, own: &str| {
        if peeled.is_empty() { own.to_owned() } else { peeled.to_owned() }
    };
    let (commit, tree) = (other(peeled, own), other(peeled_tree, tree));
    let short = |start: &str| full.strip_prefix(start);
    let branch = short("refs/tags/").is_none();
    let name =
        short("refs/tags/").or_else(|| short("refs/heads/")).or_else(|| short("refs/remotes/"))?;
    let points = name.ends_with("/HEAD") || tree.is_empty();
    (!points).then(|| Reference {
        name: name.to_owned(),
        branch,
        commit,
        tree,
        at: at.parse().unwrap_or(0),
    })
}

/// The numbers of a name, for an order in which 1.10 comes after 1.9; a candidate before its release.
fn numbers(name: &str) -> (Vec<u64>, bool, u64) {
    let lower = name.to_lowercase();
    let (release, candidate) = match lower.find(|c: char| c.is_ascii_digit()) {
        Some(start) => {
            let rest = lower.get(start..).unwrap_or_default();
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            rest.split_at(end)
        }
        None => ("", lower.as_str()),
    };
    let digits = |text: &str| {
        text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
    };
    let parts = release.split('.').filter_map(|part| part.parse().ok()).collect();
    (parts, candidate.is_empty(), digits(candidate))
}

impl resolve::Checkout for Checkout {
    fn tag(&self, version: &str) -> Option<String> {
        self.version(version).map(|found| format!("{} {}", kind(found), found.name))
    }

    fn branch(&self, name: &str) -> Option<String> {
        self.version(name).map(|found| format!("{} {}", kind(found), found.name))
    }

    fn commit(&self, id: &str) -> Option<String> {
        let plain = (7..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !plain {
            return None;
        }
        let mut found = None;
        let mut text = String::new();
        let input = format!("{id}\n").into_bytes();
        let read = self.git.read(&["cat-file", "--batch"], Some(input), &mut |output| {
            output.take(COMMIT_MAX).read_to_string(&mut text)?;
            Ok(())
        });
        if read.is_ok() && text.lines().next().is_some_and(|head| head.contains(" commit ")) {
            let subject = text.split("\n\n").nth(1).and_then(|message| message.lines().next());
            found = Some(format!("“{}”", subject.unwrap_or_default()));
        }
        found
    }

    fn releases(&self) -> Vec<String> {
        self.references.iter().map(|reference| reference.name.clone()).collect()
    }

    fn word_history(&self, word: &str, spell: &Spell) -> String {
        let commit = |at: usize| self.references.get(at).map(|reference| reference.commit.as_str());
        let came = commit(spell.first_at).and_then(|to| {
            let from = spell.first_at.checked_sub(1).and_then(commit);
            self.changed(word, from, to, true)
        });
        let went = commit(spell.last_at + 1)
            .and_then(|to| self.changed(word, commit(spell.last_at), to, false));
        let came = came.map(|came| format!("; came with {came}")).unwrap_or_default();
        let went = went.map(|went| format!("; went with {went}")).unwrap_or_default();
        format!("{came}{went}")
    }

    fn path_history(&self, path: &str, spell: &Spell) -> String {
        let commit = |at: usize| self.references.get(at).map(|reference| reference.commit.as_str());
        let (Some(from), Some(to)) = (commit(spell.last_at), commit(spell.last_at + 1)) else {
            return String::new();
        };
        let range = format!("{from}..{to}");
        let arguments = [
            "log",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "-z",
            "-M",
            "--diff-filter=DR",
            "--name-status",
            "--format=%h on %cs",
            &range,
            "--",
        ];
        let text = self.git.answer(&arguments).unwrap_or_default();
        fate(&text, path).unwrap_or_default()
    }
}

const fn kind(reference: &Reference) -> &'static str {
    if reference.branch { "branch" } else { "tag" }
}

/// What became of a path in a `--name-status -z` log: commits `<id> on <day>`, then `D`, path or `R<n>`, old, new.
fn fate(log: &str, path: &str) -> Option<String> {
    let mut fields = log.split('\0').map(|field| field.trim_matches('\n'));
    let mut commit = String::new();
    while let Some(field) = fields.next() {
        // The first change of a commit stands in one field with it, after a line end.
        let (head, change) = field.split_once('\n').unwrap_or(("", field));
        if !head.is_empty() {
            head.clone_into(&mut commit);
        }
        if change.contains(" on ") {
            change.clone_into(&mut commit);
        } else if change == "D" {
            if fields.next() == Some(path) {
                return Some(format!("; deleted with {commit}"));
            }
        } else if change.starts_with('R') && change.len() <= 4 {
            let (old, new) = (fields.next()?, fields.next()?);
            if old == path {
                return Some(format!("; renamed to {new} with {commit}"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let sorted = ["v1.9.0", "1.10.0rc1", "1.10.0rc2", "release-1.10.0", "1.10.1"];
        for pair in sorted.windows(2) {
            assert!(numbers(pair[0]) < numbers(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn the_fate_of_a_file_is_read_from_the_log() {
        let log = "aaa on 2024-01-01\0\nD\0gone.py\0R090\0old.py\0new.py\0\0bbb on 2023-01-01\0\nD\0other.py\0";
        assert_eq!(fate(log, "gone.py").as_deref(), Some("; deleted with aaa on 2024-01-01"));
        assert_eq!(
            fate(log, "old.py").as_deref(),
            Some("; renamed to new.py with aaa on 2024-01-01")
        );
        assert_eq!(fate(log, "other.py").as_deref(), Some("; deleted with bbb on 2023-01-01"));
        assert_eq!(fate(log, "kept.py"), None);
    }
}
