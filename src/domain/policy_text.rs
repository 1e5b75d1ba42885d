//! A project's policy text in Markdown, cut into the sentences that decision points stand for.
//!
//! Owns: how a text is cut and how a sentence is named by its hash. Absent on purpose: reading the file, and
//! any rule for what a sentence means. Read next: [`super::policy_drift`], then [`super::policy`].

mod stamp;

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::ids::hex;
use super::policy::Item;

/// A policy text with its sentences.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyText {
    text: String,
    hash: String,
    date: Option<String>,
    sentences: Vec<Sentence>,
}

/// One sentence, one list item, one row of a table or one block of code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentence {
    /// Heading that it stands under; the title of the front matter above the first heading.
    pub heading: String,
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// SHA-256 over it with white space folded, and without the date where it is a date stamp.
    pub hash: String,
    /// Whether it only says when the text was last changed.
    pub stamp: bool,
}

impl PolicyText {
    /// Largest text that is read, in bytes; what lies beyond is kept but not cut into sentences.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Most sentences that are told apart; the rest of a longer text is kept but not cut.
    pub const MAX_SENTENCES: usize = 5_000;

    /// Reads a Markdown text. Front matter between lines of `---` at the start is left out, and so are comments.
    pub fn read(text: &str) -> Self {
        let mut cutter = Cutter::new(text);
        cutter.run();
        let hash = hex(&Sha256::digest(text.as_bytes()));
        Self { text: text.to_owned(), hash, date: cutter.date, sentences: cutter.sentences }
    }

    /// SHA-256 of the whole text, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The day that the text claims to be of, such as `2026-06-02`: a claim, since stamps are forgotten. The hash
    /// alone tells versions apart.
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// All sentences in the order of the text.
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// The sentence byte for byte.
    pub fn text_of(&self, sentence: &Sentence) -> &str {
        self.text.get(sentence.range.clone()).unwrap_or_default()
    }

    /// The name of a sentence that stands alone, as [`Sentence::hash`] has it.
    pub fn name_of(sentence: &str) -> String {
        let undated = stamp::without_date(sentence.trim());
        sentence_hash(undated.as_ref().map_or(sentence, |(words, _)| words))
    }

    /// The first sentence of this name, byte for byte.
    pub fn sentence_named(&self, hash: &str) -> Option<&str> {
        let found = self.sentences.iter().find(|sentence| sentence.hash == hash);
        found.map(|sentence| self.text_of(sentence))
    }

    /// The first sentence of a decision point, byte for byte; `None` where the text has none of this hash,
    /// which means that the policy and its data have drifted apart.
    pub fn sentence_of(&self, item: &Item) -> Option<&str> {
        self.sentences_of(item).into_iter().next()
    }

    /// All sentences of a decision point that the text has.
    pub fn sentences_of(&self, item: &Item) -> Vec<&str> {
        item.sentences.iter().filter_map(|hash| self.sentence_named(hash)).collect()
    }
}

/// The name of a sentence: SHA-256 over it, trimmed, with every run of white space as one space.
pub fn sentence_hash(sentence: &str) -> String {
    let folded: Vec<&str> = sentence.split_whitespace().collect();
    hex(&Sha256::digest(folded.join(" ").as_bytes()))
}

/// A heading without the number before it, so that a section inserted above changes no other.
pub fn plain_heading(heading: &str) -> &str {
    let rest = heading.trim_start_matches('\u{a7}').trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ')')).unwrap_or(0);
    let (number, words) = rest.split_at_checked(end).unwrap_or(("", rest));
    let counts = number.starts_with(|c: char| c.is_ascii_digit()) && words.starts_with(' ');
    if counts { words.trim_start() } else { heading }
}

/// What a block is, which decides how it is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Cut at its sentence ends.
    Paragraph,
    /// Kept whole: a list item, a row of a table.
    Whole,
    /// Kept whole up to the line that ends it, which begins with this many of this letter.
    Code(char, usize),
    /// Left out up to the end mark; without one it is kept, so that nothing hides a rule.
    Comment,
}

/// Walks the lines and gathers blocks.
struct Cutter<'t> {
    text: &'t str,
    heading: String,
    date: Option<String>,
    block: Option<(Range<usize>, Block)>,
    sentences: Vec<Sentence>,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, heading: String::new(), date: None, block: None, sentences: Vec::new() }
    }

    fn run(&mut self) {
        let mut offset = self.skip_front_matter();
        let rest = self.text.get(offset..).unwrap_or_default();
        for line in rest.split_inclusive('\n') {
            let range = offset..offset + line.trim_end().len();
            offset += line.len();
            let full = self.sentences.len() >= PolicyText::MAX_SENTENCES;
            if full || offset > PolicyText::MAX_BYTES {
                break;
            }
            self.line(line.trim(), range);
        }
        self.close();
    }

    fn line(&mut self, trimmed: &str, range: Range<usize>) {
        match self.block {
            Some((_, Block::Code(fence, count))) => {
                self.extend(range.end);
                let end = trimmed.trim_start_matches(fence);
                if end.is_empty() && trimmed.chars().count() >= count {
                    self.close();
                }
            }
            Some((_, Block::Comment)) => match trimmed.split_once("-->") {
                Some((_, rest)) => {
                    self.block = None;
                    self.open_line(rest.trim_start(), range);
                }
                None => self.extend(range.end),
            },
            _ => self.open_line(trimmed, range),
        }
    }

    /// A line outside of code and comments.
    fn open_line(&mut self, line: &str, range: Range<usize>) {
        let mut trimmed = line;
        while let Some(comment) = trimmed.strip_prefix("<!--") {
            self.close();
            let Some((_, rest)) = comment.split_once("-->") else {
                self.block = Some((range.end - trimmed.len()..range.end, Block::Comment));
                return;
            };
            trimmed = rest.trim_start();
        }
        let start = range.end - trimmed.len();
        let paragraph = matches!(self.block, Some((_, Block::Paragraph)));
        if paragraph && is_underline(trimmed) {
            self.title_from_block();
        } else if trimmed.is_empty() || is_rule(trimmed) {
            self.close();
        } else if trimmed.starts_with('#') {
            self.close();
            trimmed.trim_matches('#').trim().clone_into(&mut self.heading);
        } else if let Some((fence, count)) = fence(trimmed) {
            self.close();
            self.block = Some((start..range.end, Block::Code(fence, count)));
        } else if trimmed.starts_with('|') {
            self.close();
            if !trimmed.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' ')) {
                self.block = Some((start..range.end, Block::Whole));
            }
        } else if let Some(item) = list_item(trimmed) {
            self.close();
            self.block = Some((range.end - item.len()..range.end, Block::Whole));
        } else if self.block.is_some() {
            self.extend(range.end);
        } else {
            self.block = Some((start..range.end, Block::Paragraph));
        }
    }

    fn extend(&mut self, end: usize) {
        if let Some((open, _)) = &mut self.block {
            open.end = end;
        }
    }

    /// Takes the gathered lines as a heading, as a line of `=` or `-` below them asks.
    fn title_from_block(&mut self) {
        if let Some((range, _)) = self.block.take() {
            let title = self.text.get(range).unwrap_or_default();
            self.heading = title.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }

    /// Takes title and date from the front matter and answers where the text proper begins.
    fn skip_front_matter(&mut self) -> usize {
        let mark = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut lines = self.text.get(mark..).unwrap_or_default().split_inclusive('\n');
        let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return mark };
        let (mut offset, mut title, mut date) = (mark + first.len(), String::new(), None);
        for line in lines {
            offset += line.len();
            if line.trim_end() == "---" {
                (self.heading, self.date) = (title, date);
                return offset;
            }
            if let Some(value) = line.strip_prefix("title:") {
                value.trim().trim_matches('"').clone_into(&mut title);
            }
            date = date.or_else(|| stamp::front_matter_date(line));
        }
        mark
    }

    fn close(&mut self) {
        let Some((range, kind)) = self.block.take() else { return };
        let block = self.text.get(range.clone()).unwrap_or_default();
        let ends = match kind {
            Block::Paragraph => sentence_ends(block),
            _ => vec![block.len()],
        };
        let mut start = 0;
        for end in ends {
            let sentence = block.get(start..end).unwrap_or_default();
            let lead = sentence.len() - sentence.trim_start().len();
            let from = range.start + start + lead;
            self.add(sentence.trim(), from);
            start = end;
        }
    }

    fn add(&mut self, sentence: &str, from: usize) {
        if sentence.is_empty() {
            return;
        }
        let undated = stamp::without_date(sentence);
        if let Some((_, date)) = &undated {
            self.date = self.date.take().or_else(|| date.clone());
        }
        self.sentences.push(Sentence {
            heading: self.heading.clone(),
            range: from..from + sentence.len(),
            hash: sentence_hash(undated.as_ref().map_or(sentence, |(words, _)| words)),
            stamp: undated.is_some(),
        });
    }
}

/// A line of `=` or `-` that makes the paragraph above it a heading.
fn is_underline(line: &str) -> bool {
    let one = |letter: u8| line.len() >= 2 && line.bytes().all(|b| b == letter);
    one(b'=') || one(b'-')
}

/// A line across the page.
fn is_rule(line: &str) -> bool {
    let one = |letter: u8| line.len() >= 3 && line.bytes().all(|b| b == letter);
    one(b'-') || one(b'*') || one(b'_')
}

/// The letter and number of a line that begins a block of code.
fn fence(line: &str) -> Option<(char, usize)> {
    let letter = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let count = line.chars().take_while(|c| *c == letter).count();
    (count >= 3).then_some((letter, count))
}

/// The text of a list item: after `-`, `*`, `+` or a number with `.` or `)`.
fn list_item(line: &str) -> Option<&str> {
    if matches!(line, "-" | "*" | "+") {
        return Some("");
    }
    let marks = ["- ", "* ", "+ "];
    if let Some(item) = marks.iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some(item.trim_start());
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "))?;
    (rest.len() < line.len()).then(|| item.trim_start())
}

/// Byte offsets at which sentences of a paragraph end; the last is its length. A sentence ends at `.`, `!` or
/// `?`, with closing marks behind it, before white space and a capital letter or digit, with opening marks
/// before it. So "eg x, ..." within a sentence does not end it.
fn sentence_ends(paragraph: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at_end = false;
    for (index, letter) in paragraph.char_indices() {
        if letter.is_whitespace() && at_end {
            let rest = paragraph.get(index..).unwrap_or_default().trim_start();
            let word = rest.trim_start_matches(['*', '_', '`', '[', '(', '"', '\'', '\u{201c}']);
            if word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) {
                ends.push(index);
            }
        }
        at_end = match letter {
            '.' | '!' | '?' => true,
            '*' | '_' | '`' | ')' | ']' | '"' | '\'' | '\u{201d}' => at_end,
            _ => false,
        };
    }
    ends.push(paragraph.len());
    ends
}

#[cfg(test)]
mod tests;
