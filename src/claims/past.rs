//! Which words and files each release had: what is missing in one may have been in another.
//!
//! Made from the files of all releases and branches, each different file read once, so that it costs little more
//! than one tree. Absent on purpose: where in a file a word stood. Read next: [`Past::word`].

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::index::build::{MAX_FILE, is_text, words_of};

/// First and last release, as numbers in [`Past::names`].
type Span = (u16, u16);

/// Words and files with the first and last release that had them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Past {
    /// Names of the releases and branches, oldest first.
    names: Vec<String>,
    /// Hashes of words, sorted.
    words: Vec<(u64, Span)>,
    /// Paths, sorted, with their release and the name of their content in the last.
    paths: Vec<(String, Span, String)>,
}

/// Where something was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spell {
    /// The first release that had it.
    pub first: String,
    /// The last.
    pub last: String,
    /// Number of the first.
    pub first_at: usize,
    /// Number of the last.
    pub last_at: usize,
}

impl Past {
    /// The releases and branches, oldest first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn spell(&self, span: Span) -> Option<Spell> {
        let (first_at, last_at) = (usize::from(span.0), usize::from(span.1));
        let (first, last) = (self.names.get(first_at)?.clone(), self.names.get(last_at)?.clone());
        Some(Spell { first, last, first_at, last_at })
    }

    /// When a word was there.
    pub fn word(&self, word: &str) -> Option<Spell> {
        let hash = hash(word);
        let at = self.words.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        self.spell(self.words.get(at)?.1)
    }

    /// When a file was there: its full path, when, and the name of its content.
    pub fn path(&self, path: &str) -> Option<(&str, Spell, &str)> {
        let path = path.trim_matches('/');
        let fits = |full: &str| {
            full.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let newest =
            self.paths.iter().filter(|(full, ..)| fits(full)).max_by_key(|(_, span, _)| span.1)?;
        Some((&newest.0, self.spell(newest.1)?, &newest.2))
    }
}

/// Makes the past of a product.
#[derive(Debug, Default)]
pub struct Builder {
    names: Vec<String>,
    files: HashMap<String, (Span, String)>,
    contents: HashMap<String, Span>,
    words: HashMap<u64, Span>,
}

impl Builder {
    /// Begins the next release; the oldest comes first.
    pub fn release(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    /// Takes a file of the release begun last; `content` is the name of what is in it.
    pub fn file(&mut self, path: &str, content: &str) {
        let at = u16::try_from(self.names.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let file = self.files.entry(path.to_owned()).or_insert_with(|| ((at, at), String::new()));
        file.0.1 = at;
        content.clone_into(&mut file.1);
        self.contents.entry(content.to_owned()).or_insert((at, at)).1 = at;
    }

    /// The names of all contents, sorted: each is to be read once.
    pub fn contents(&self) -> Vec<String> {
        let mut names: Vec<String> = self.contents.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Takes what is in a content.
    pub fn content(&mut self, name: &str, bytes: &[u8]) {
        let Some(span) = self.contents.get(name).copied() else { return };
        if bytes.len() > MAX_FILE || !is_text(bytes) {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        for (word, _) in text.lines().flat_map(words_of) {
            let known = self.words.entry(hash(word)).or_insert(span);
            *known = (known.0.min(span.0), known.1.max(span.1));
        }
    }

    /// The past of what was taken.
    pub fn finish(self) -> Past {
        let mut words: Vec<(u64, Span)> = self.words.into_iter().collect();
        words.sort_unstable();
        let files = self.files.into_iter();
        let mut paths: Vec<(String, Span, String)> =
            files.map(|(path, (span, content))| (path, span, content)).collect();
        paths.sort_unstable();
        Past { names: self.names, words, paths }
    }
}

/// FNV-1a with 64 bits: two words of a product never share one by chance.
fn hash(word: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    word.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
