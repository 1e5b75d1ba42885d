//! Reads Rust text just far enough: comments, literals and test items blanked, then paths collected.

use std::collections::BTreeSet;

/// Where a file stands in the module tree.
pub struct Place {
    modules: Vec<String>,
}

impl Place {
    /// From the path below `src`, with `/`.
    pub fn of(file: &str) -> Self {
        let path = file.strip_suffix(".rs").unwrap_or(file);
        let path = path.strip_suffix("/mod").unwrap_or(path);
        Self { modules: path.split('/').map(str::to_owned).collect() }
    }

    /// The module at the top of `src` that the file belongs to.
    pub fn module(&self) -> &str {
        self.modules.first().map_or("", String::as_str)
    }

    /// The path from the crate's root, if it leads there by `crate`, `casebook` or enough `super`s.
    pub fn own(&self, path: &[String]) -> Option<Vec<String>> {
        let supers = path.iter().take_while(|segment| *segment == "super").count();
        let skipped = match path.first()?.as_str() {
            "crate" | "casebook" => 1,
            "super" if supers >= self.modules.len() => supers,
            _ => return None,
        };
        Some(path[skipped..].to_vec()).filter(|own| !own.is_empty())
    }
}

/// Source text without comments, literals and test items; line breaks stay where they were.
pub struct Code {
    chars: Vec<char>,
}

impl Code {
    pub fn read(text: &str) -> Self {
        let mut code = Self { chars: blank_text(&text.chars().collect::<Vec<_>>()) };
        code.blank_tests();
        code
    }

    /// Lines, from 1, that hold the word.
    pub fn lines_with<'a>(&self, word: &'a str) -> impl Iterator<Item = usize> + use<'a> {
        let text: String = self.chars.iter().collect();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let lines = lines.into_iter().enumerate();
        lines.filter(move |(_, line)| line.contains(word)).map(|(line, _)| line + 1)
    }

    /// Names that stand for something of our own in this file: imported from us or declared as a module.
    pub fn locals(&self) -> BTreeSet<String> {
        let paths = self.paths();
        let ours = |root: &String| ["crate", "super", "self"].contains(&root.as_str());
        let ours = paths.iter().filter(|(_, path)| path.first().is_some_and(ours));
        let mut locals: BTreeSet<String> =
            ours.filter_map(|(_, path)| path.last().cloned()).collect();
        for at in 0..self.chars.len() {
            if self.word_at(at).as_deref() == Some("mod") {
                locals.extend(self.word_at(self.skip_space(at + 3)));
            }
        }
        locals
    }

    /// Every path of more than one segment, groups written out, with its line; and what `use` names alone.
    pub fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let mut paths = Vec::new();
        let (mut at, mut line, mut in_use) = (0, 1, false);
        while let Some(char) = self.chars.get(at) {
            line += usize::from(*char == '\n');
            let Some(word) = self.word_at(at) else {
                at += 1;
                continue;
            };
            let length = word.chars().count();
            if word == "use" {
                in_use = true;
            } else if !self.continues(at) {
                let mut found = Vec::new();
                let end = self.path_at(at, &mut Vec::new(), &mut found);
                paths
                    .extend(found.into_iter().filter(|p| p.len() > 1 || in_use).map(|p| (line, p)));
                let passed = self.chars.get(at..end).unwrap_or_default();
                line += passed.iter().filter(|char| **char == '\n').count();
                at = end;
                in_use = false;
                continue;
            }
            at += length;
        }
        paths
    }

    /// Reads one path, writes its branches to `found` and returns where it ends.
    fn path_at(&self, at: usize, head: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
        let Some(word) = self.word_at(at) else {
            found.push(head.clone());
            return at;
        };
        let end = at + word.chars().count();
        head.push(word);
        let next = self.skip_space(end);
        let end = if self.starts(next, "::") {
            let tail = self.skip_space(next + 2);
            if self.starts(tail, "{") {
                self.group_at(tail, head, found)
            } else {
                self.path_at(tail, head, found)
            }
        } else {
            found.push(head.clone());
            end
        };
        head.pop();
        end
    }

    fn group_at(&self, open: usize, head: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
        let mut at = open + 1;
        let mut fresh = true;
        while let Some(char) = self.chars.get(at) {
            match char {
                '}' => return at + 1,
                ',' => fresh = true,
                _ if fresh && !char.is_whitespace() => {
                    fresh = false;
                    at = self.path_at(at, head, found).max(at + 1);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The word that starts here.
    fn word_at(&self, at: usize) -> Option<String> {
        let in_word = |char: &char| char.is_alphanumeric() || *char == '_';
        let before = at.checked_sub(1).and_then(|before| self.chars.get(before));
        if before.is_some_and(in_word) || self.chars.get(at)?.is_numeric() {
            return None;
        }
        let rest = self.chars.get(at..)?;
        let word: String = rest.iter().take_while(|char| in_word(char)).collect();
        (!word.is_empty()).then_some(word)
    }

    /// Whether the word goes on from something before it: a field, or a later segment of a path.
    fn continues(&self, at: usize) -> bool {
        let back = |steps: usize| at.checked_sub(steps).and_then(|at| self.chars.get(at)).copied();
        match (back(1), back(2)) {
            (Some('.'), before) => before != Some('.'),
            (Some(':'), Some(':')) => {
                back(3).is_some_and(|char| char.is_alphanumeric() || "_>)]".contains(char))
            }
            _ => false,
        }
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while self.chars.get(at).is_some_and(|char| char.is_whitespace()) {
            at += 1;
        }
        at
    }

    fn starts(&self, at: usize, text: &str) -> bool {
        text.chars().enumerate().all(|(i, char)| self.chars.get(at + i) == Some(&char))
    }

    /// Blanks the item after every `#[cfg(test)]`.
    fn blank_tests(&mut self) {
        for at in 0..self.chars.len() {
            if self.starts(at, "#[cfg(test)]") || self.starts(at, "#[cfg(all(test,") {
                let end = self.item_end(at);
                blank(&mut self.chars, at, end);
            }
        }
    }

    /// The end of the item that starts here: its first `;` or the brace that closes its first one.
    fn item_end(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        for at in start..self.chars.len() {
            match self.chars[at] {
                ';' if depth == 0 => return at + 1,
                '{' => depth += 1,
                '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.chars.len()
    }
}

fn blank(chars: &mut [char], from: usize, to: usize) {
    for char in &mut chars[from..to] {
        if *char != '\n' {
            *char = ' ';
        }
    }
}

/// Blanks comments and literals.
fn blank_text(text: &[char]) -> Vec<char> {
    let mut out = text.to_vec();
    let mut at = 0;
    while at < text.len() {
        let end = skip_at(text, at);
        if end > at {
            blank(&mut out, at, end.min(text.len()));
        }
        at = end.max(at + 1);
    }
    out
}

/// Where the comment or literal that starts here ends; `at` itself where none does.
fn skip_at(text: &[char], at: usize) -> usize {
    let get = |offset: usize| text.get(at + offset).copied().unwrap_or('\0');
    let in_word = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    match (get(0), get(1)) {
        ('/', '/') => (at..text.len()).find(|i| text[*i] == '\n').unwrap_or(text.len()),
        ('/', '*') => comment_end(text, at),
        ('"', _) => string_end(text, at + 1),
        ('\'', '\\') => {
            (at + 3..text.len()).find(|i| text[*i] == '\'').map_or(text.len(), |i| i + 1)
        }
        ('\'', _) if get(2) == '\'' => at + 3,
        ('r', '"' | '#') if !in_word || text[at - 1] == 'b' => raw_end(text, at),
        _ => at,
    }
}

fn comment_end(text: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn string_end(text: &[char], start: usize) -> usize {
    let mut at = start;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The end of a raw string; `start` where `r#` begins a raw word instead.
fn raw_end(text: &[char], start: usize) -> usize {
    let hashes = text[start + 1..].iter().take_while(|char| **char == '#').count();
    let open = start + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return start;
    }
    let closes = |at: &usize| {
        text[*at] == '"' && (1..=hashes).all(|offset| text.get(at + offset) == Some(&'#'))
    };
    (open + 1..text.len()).find(closes).map_or(text.len(), |at| at + 1 + hashes)
}
