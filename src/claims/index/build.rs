//! Making the index of a tree, one file after the other.
//!
//! Words are letters, digits, `_` and `$`, as in most languages. A route is a quoted text that begins with `/`;
//! its parts in brackets stand for values ([`super::ANY_VALUE`]), for one of a few words ([`super::ONE_OF`]) or
//! for all that follows ([`super::ANY_REST`]).

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{ANY_REST, ANY_VALUE, File, Index, ONE_OF, Place, Route, Word, hash, normal_line};

/// Largest file whose words are read, in bytes; of a larger one only the name is known.
pub const MAX_FILE: usize = 4 << 20;

/// Most files of one tree.
pub const MAX_FILES: usize = 100_000;

/// Longest word, in bytes.
const MAX_WORD: usize = 80;

/// Longest route, in bytes.
const MAX_ROUTE: usize = 150;

/// Places kept for the definitions of one word.
const MAX_DEFINED: usize = 16;

/// Makes an index.
#[derive(Debug, Default)]
pub struct Builder {
    files: Vec<File>,
    words: HashMap<String, Entry>,
    routes: HashMap<Vec<String>, Place>,
    imports: HashSet<String>,
    required: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Entry {
    defined: Vec<Place>,
    called: bool,
    places: Vec<Place>,
}

impl Builder {
    /// Takes a file. Beyond [`MAX_FILES`] nothing more is taken.
    pub fn file(&mut self, path: &str, bytes: &[u8]) {
        if self.files.len() >= MAX_FILES {
            return;
        }
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let mut file =
            File { path: path.to_owned(), vendored: is_vendored(path), ..File::default() };
        if is_text(bytes) && bytes.len() <= MAX_FILE {
            let text = String::from_utf8_lossy(bytes);
            self.text(path, number, &text, &mut file);
        }
        self.files.push(file);
    }

    fn text(&mut self, path: &str, number: u32, text: &str, file: &mut File) {
        let code = is_code(path);
        let requirements = is_requirements(path);
        for (line, at) in text.lines().zip(1u32..) {
            file.lines = at;
            let place = Place { file: number, line: at };
            file.hashes.push(normal_line(line).map_or(0, |line| hash(&line)));
            self.words(line, place);
            if code && !file.vendored {
                self.literals(line, place);
            }
            if requirements {
                self.requirement(line, path);
            } else if path.ends_with(".py") {
                self.import(line);
            }
        }
    }

    fn words(&mut self, line: &str, place: Place) {
        let mut defines = false;
        for (word, end) in words_of(line) {
            let called = line.as_bytes().get(end) == Some(&b'(');
            if word.len() <= MAX_WORD {
                self.word(word, place, defines, called);
            }
            defines = matches!(word, "def" | "class" | "function" | "fn" | "func");
        }
    }

    fn word(&mut self, word: &str, place: Place, defines: bool, called: bool) {
        // A look before, as most words are known and an owned key costs.
        if !self.words.contains_key(word) {
            self.words.insert(word.to_owned(), Entry::default());
        }
        let Some(entry) = self.words.get_mut(word) else { return };
        entry.called |= called;
        if entry.places.last().is_none_or(|last| last.file != place.file) {
            entry.places.push(place);
        }
        if defines && entry.defined.len() < MAX_DEFINED {
            entry.defined.push(place);
        }
    }

    /// Routes among the quoted texts of a line.
    fn literals(&mut self, line: &str, place: Place) {
        if !line.contains('/') {
            return;
        }
        for quote in ['"', '\'', '`'] {
            for text in line.split(quote).skip(1).step_by(2) {
                if let Some(parts) = route_parts(text) {
                    self.routes.entry(parts).or_insert(place);
                }
            }
        }
    }

    fn import(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if matches!(words.next(), Some("import" | "from"))
            && let Some(module) = words.next()
        {
            let root = module.split(['.', ',', ';']).next().unwrap_or_default();
            if !root.is_empty() && root.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                self.imports.insert(root.to_lowercase());
            }
        }
    }

    /// A line that names a package: `name>=1`, quoted in a setup file, or a key of `package.json`.
    fn requirement(&mut self, line: &str, path: &str) {
        let bare = path.ends_with(".txt");
        let quoted = line.split(['"', '\'']).skip(1).step_by(2);
        let texts: Vec<&str> = if bare { vec![line.trim()] } else { quoted.collect() };
        for text in texts {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let (name, rest) = text.split_at(end.unwrap_or(text.len()));
            let versioned = rest.trim_start().starts_with(['<', '>', '=', '!', '~', '[', ';', '@']);
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
            if starts && name.len() <= MAX_WORD && (versioned || (bare && rest.is_empty())) {
                self.required.insert(name.to_lowercase().replace('-', "_"));
            }
        }
    }

    /// The index of what was taken.
    pub fn finish(self) -> Index {
        let mut words: Vec<Word> = self
            .words
            .into_iter()
            .map(|(text, Entry { defined, called, places })| Word { text, defined, called, places })
            .collect();
        words.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        let mut routes: Vec<Route> =
            self.routes.into_iter().map(|(parts, place)| Route { parts, place }).collect();
        routes.sort_unstable_by(|a, b| (&a.parts, a.place).cmp(&(&b.parts, b.place)));
        let own: HashSet<String> = self
            .files
            .iter()
            .filter(|file| !file.vendored)
            .flat_map(|file| modules(&file.path))
            .collect();
        let mut foreign: Vec<String> = self
            .imports
            .into_iter()
            .chain(self.required)
            .filter(|name| !own.contains(name))
            .collect();
        foreign.sort_unstable();
        foreign.dedup();
        let plugins: BTreeSet<String> = self.files.iter().filter_map(|f| plugin(&f.path)).collect();
        let plugins = plugins.into_iter().collect();
        Index { files: self.files, words, routes, foreign, plugins }
    }
}

/// The words of a line, each with the byte after it.
pub fn words_of(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let bytes = line.as_bytes();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let from = at + bytes.get(at..)?.iter().position(|byte| letter(*byte))?;
            let rest = bytes.get(from..)?;
            let length = rest.iter().position(|byte| !letter(*byte)).unwrap_or(rest.len());
            at = from + length;
            let word = line.get(from..at)?;
            if length >= 2 && !word.starts_with(|c: char| c.is_ascii_digit()) {
                return Some((word, at));
            }
        }
    })
}

/// Whether bytes are text: no NUL near their beginning.
pub fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(8_000).any(|byte| *byte == 0)
}

/// Whether a file is code by its name.
pub fn is_code(path: &str) -> bool {
    const CODE: [&str; 22] = [
        "py", "pyx", "js", "mjs", "jsx", "ts", "tsx", "vue", "jinja2", "html", "c", "cc", "cpp",
        "h", "rs", "go", "rb", "php", "java", "kt", "cs", "lua",
    ];
    path.rsplit_once('.').is_some_and(|(_, ending)| CODE.contains(&ending))
}

fn is_requirements(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    (name.starts_with("require") && name.ends_with(".txt"))
        || matches!(name, "setup.py" | "setup.cfg" | "pyproject.toml" | "Pipfile")
}

/// Whether a file is a copy of somebody else's work.
pub fn is_vendored(path: &str) -> bool {
    const FOLDERS: [&str; 8] = [
        "vendor",
        "vendored",
        "third_party",
        "thirdparty",
        "node_modules",
        "site-packages",
        "external",
        "_vendor",
    ];
    let minified = path.contains(".min.") || path.contains(".bundle.");
    let library = path.contains("/js/lib/") || path.contains("/css/lib/");
    minified || library || path.split('/').any(|part| FOLDERS.contains(&part))
}

/// Names by which code may import a file: its stem and its folders.
fn modules(path: &str) -> impl Iterator<Item = String> {
    path.split('/').map(|part| part.split('.').next().unwrap_or(part).to_lowercase())
}

/// The plugin that a file belongs to: `…/plugins/NAME/…` or `…/plugins/NAME.py`.
fn plugin(path: &str) -> Option<String> {
    let (before, rest) = path.split_once("plugins/")?;
    if !before.is_empty() && !before.ends_with('/') {
        return None;
    }
    let (name, inside) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
    let name = if inside { name } else { name.strip_suffix(".py")? };
    (!name.starts_with('_') && !name.contains('.')).then(|| name.to_owned())
}

/// The parts of a quoted text that is a route.
fn route_parts(text: &str) -> Option<Vec<String>> {
    let text = text.trim_start_matches('^').trim_end_matches('$').trim_end_matches("/?");
    let fits = |byte: u8| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b';' | b',' | b'#')
    };
    let rooted = text.len() >= 2 && text.len() <= MAX_ROUTE && text.starts_with('/');
    if !rooted || text.starts_with("//") || text.contains("..") || !text.bytes().all(fits) {
        return None;
    }
    let path = text.split('?').next().filter(|_| !text.contains("(?")).unwrap_or(text);
    let parts: Vec<String> = parts_of(path)
        .filter(|part| !part.is_empty())
        .map(|part| sign_of(part).to_owned())
        .collect();
    (!parts.is_empty() && parts.iter().any(|part| !part.contains(['*', '+']))).then_some(parts)
}

/// The parts between slashes; one within brackets parts nothing.
fn parts_of(path: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    path.split(move |c: char| {
        match c {
            '(' | '[' | '<' | '{' => depth += 1,
            ')' | ']' | '>' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '/' && depth == 0
    })
}

/// A part of a route, or the sign of what it stands for.
fn sign_of(part: &str) -> &str {
    const FEW: [&str; 10] = [
        "target",
        "command",
        "action",
        "origin",
        "source",
        "location",
        "type",
        "operation",
        "method",
        "kind",
    ];
    let open = part.contains(['<', '(', '{', '%', '$', '*', '[']) || part.starts_with(':');
    if !open {
        return part.trim_end_matches(')');
    }
    if part.contains("path:") || part.contains(".*") || part.contains(".+") {
        return ANY_REST;
    }
    let mut words = part.split(|c: char| !c.is_ascii_alphanumeric());
    if words.any(|word| FEW.contains(&word)) { ONE_OF } else { ANY_VALUE }
}
