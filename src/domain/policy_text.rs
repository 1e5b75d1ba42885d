//! A project's policy text in Markdown, cut into the sentences that decision points stand for.
//!
//! Owns: how a text is cut and how a sentence is named by its hash. Absent on purpose: reading the file, and
//! any rule for what a sentence means. Read next: [`super::policy`].

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::ids::hex;
use super::policy::Item;

/// A policy text with its sentences.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyText {
    text: String,
    hash: String,
    sentences: Vec<Sentence>,
}

/// One sentence, or one list item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentence {
    /// Heading that it stands under; the title of the front matter above the first heading.
    pub heading: String,
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// SHA-256 over it with white space folded.
    pub hash: String,
}

impl PolicyText {
    /// Largest text that is read, in bytes; what lies beyond is kept but not cut into sentences.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Reads a Markdown text. Front matter between lines of `---` at the start is left out.
    pub fn read(text: &str) -> Self {
        let mut cutter = Cutter::new(text);
        cutter.run();
        let hash = hex(&Sha256::digest(text.as_bytes()));
        Self { text: text.to_owned(), hash, sentences: cutter.sentences }
    }

    /// SHA-256 of the whole text, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// All sentences in the order of the text.
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// The sentence byte for byte.
    pub fn text_of(&self, sentence: &Sentence) -> &str {
        self.text.get(sentence.range.clone()).unwrap_or_default()
    }

    /// The first sentence of a decision point, byte for byte; `None` where the text has none of this hash,
    /// which means that the policy and its data have drifted apart.
    pub fn sentence_of(&self, item: &Item) -> Option<&str> {
        self.sentences_of(item).into_iter().next()
    }

    /// All sentences of a decision point that the text has.
    pub fn sentences_of(&self, item: &Item) -> Vec<&str> {
        let find = |hash: &String| self.sentences.iter().find(|sentence| &sentence.hash == hash);
        item.sentences.iter().filter_map(find).map(|sentence| self.text_of(sentence)).collect()
    }
}

/// The name of a sentence: SHA-256 over it, trimmed, with every run of white space as one space.
pub fn sentence_hash(sentence: &str) -> String {
    let mut folded = String::with_capacity(sentence.len());
    for word in sentence.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    hex(&Sha256::digest(folded.as_bytes()))
}

/// Walks the lines and gathers blocks: a paragraph is cut at its sentence ends, a list item is kept whole.
struct Cutter<'t> {
    text: &'t str,
    heading: String,
    block: Option<(Range<usize>, bool)>,
    sentences: Vec<Sentence>,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, heading: String::new(), block: None, sentences: Vec::new() }
    }

    fn run(&mut self) {
        let mut offset = self.skip_front_matter();
        let rest = self.text.get(offset..).unwrap_or_default();
        for line in rest.split_inclusive('\n') {
            let range = offset..offset + line.trim_end().len();
            offset += line.len();
            if offset > PolicyText::MAX_BYTES {
                break;
            }
            self.line(line.trim(), range);
        }
        self.close();
    }

    fn line(&mut self, trimmed: &str, range: Range<usize>) {
        let rule = trimmed.len() >= 3 && trimmed.bytes().all(|b| matches!(b, b'-' | b'*' | b'_'));
        if trimmed.is_empty() || rule {
            self.close();
        } else if trimmed.starts_with('#') {
            self.close();
            trimmed.trim_matches('#').trim().clone_into(&mut self.heading);
        } else if let Some(item) = list_item(trimmed) {
            self.close();
            self.block = Some((range.end - item.len()..range.end, true));
        } else if let Some((open, _)) = &mut self.block {
            open.end = range.end;
        } else {
            self.block = Some((range.end - trimmed.len()..range.end, false));
        }
    }

    /// Takes the title as first heading and answers where the text proper begins.
    fn skip_front_matter(&mut self) -> usize {
        let mut lines = self.text.split_inclusive('\n');
        let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return 0 };
        let (mut offset, mut title) = (first.len(), String::new());
        for line in lines {
            offset += line.len();
            if line.trim_end() == "---" {
                self.heading = title;
                return offset;
            }
            if let Some(value) = line.strip_prefix("title:") {
                value.trim().trim_matches('"').clone_into(&mut title);
            }
        }
        0
    }

    fn close(&mut self) {
        let Some((range, whole)) = self.block.take() else { return };
        let block = self.text.get(range.clone()).unwrap_or_default();
        let ends = if whole { vec![block.len()] } else { sentence_ends(block) };
        let mut start = 0;
        for end in ends {
            let sentence = block.get(start..end).unwrap_or_default();
            let lead = sentence.len() - sentence.trim_start().len();
            let trimmed = sentence.trim();
            if !trimmed.is_empty() {
                let from = range.start + start + lead;
                self.sentences.push(Sentence {
                    heading: self.heading.clone(),
                    range: from..from + trimmed.len(),
                    hash: sentence_hash(trimmed),
                });
            }
            start = end;
        }
    }
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
mod tests {
    use super::*;

    const TEXT: &str = "---\ntitle: Rules\n---\n\n**Write to us, or call\nus.** We answer (eg by mail, \
                        ...) soon. `x` is fine. [Here](u) too.\n\n## Not\n\nNone of:\n\n- A thing. And more\n- \
                        Another\n\n---\nEnd";

    fn cut(text: &str) -> Vec<(String, String)> {
        let read = PolicyText::read(text);
        let both = |s: &Sentence| (s.heading.clone(), read.text_of(s).to_owned());
        read.sentences().iter().map(both).collect()
    }

    #[test]
    fn paragraphs_are_cut_and_list_items_are_whole() {
        let all = cut(TEXT);
        let texts: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "**Write to us, or call\nus.**",
                "We answer (eg by mail, ...) soon. `x` is fine.",
                "[Here](u) too.",
                "None of:",
                "A thing. And more",
                "Another",
                "End"
            ]
        );
        assert_eq!(all.first().map(|(heading, _)| heading.as_str()), Some("Rules"));
        assert_eq!(all.last().map(|(heading, _)| heading.as_str()), Some("Not"));
    }

    #[test]
    fn a_sentence_keeps_its_name_when_it_is_wrapped_anew() {
        assert_eq!(sentence_hash(" a\n  b "), sentence_hash("a b"));
        let one = PolicyText::read("One sentence\nhere.");
        let other = PolicyText::read("One   sentence here.\r\n");
        assert_eq!(one.sentences()[0].hash, other.sentences()[0].hash);
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn odd_texts_are_read() {
        assert_eq!(cut(""), []);
        assert_eq!(cut("---\ntitle: never closed"), cut("---\ntitle: never closed"));
        assert_eq!(cut("#\n\u{a0}\n- \n"), []);
        assert_eq!(cut(&"- x\n".repeat(1_000)).len(), 1_000);
    }
}
