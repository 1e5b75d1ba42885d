//! A text as paragraphs and blocks of code, and what each block of code is there for.

use std::ops::Range;

use super::words;

/// What a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Sentences.
    Prose,
    /// Code of the sender's: a proof of concept, a request, output.
    Code,
    /// Code that is shown as the product's.
    Quotation,
}

/// Lines of one form.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub form: Form,
    /// Bytes of the text, without a fence.
    pub range: Range<usize>,
}

impl Block {
    /// Its lines with the byte that each begins at.
    pub fn lines<'t>(&self, text: &'t str) -> impl Iterator<Item = (&'t str, usize)> + use<'t> {
        let mut at = self.range.start;
        let own = text.get(self.range.clone()).unwrap_or_default();
        own.split_inclusive('\n').map(move |line| {
            let here = at;
            at += line.len();
            (line.trim_end_matches(['\n', '\r']), here)
        })
    }
}

/// Lines before a block of code that tell what it is.
const INTRO_LINES: usize = 3;

/// Splits a text; lines that are not the sender's own are left out.
pub(super) fn blocks(text: &str, own: &[bool], code: bool) -> Vec<Block> {
    let mut split = Split { blocks: Vec::new(), intro: Vec::new(), fence: None, blank: true };
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let range = at..at + line.len();
        at = range.end;
        if !own.get(number).copied().unwrap_or(true) {
            split.blank = true;
        } else if code {
            split.push(Form::Code, range);
        } else {
            split.line(line.trim_end_matches(['\n', '\r']), range);
        }
    }
    split.blocks
}

struct Split<'t> {
    blocks: Vec<Block>,
    /// The last lines of prose.
    intro: Vec<&'t str>,
    /// The fence that ends the block under way, and the form of the block.
    fence: Option<(&'static str, Form)>,
    /// Whether the line before was empty.
    blank: bool,
}

impl<'t> Split<'t> {
    fn line(&mut self, line: &'t str, range: Range<usize>) {
        let bare = line.trim();
        let fence = ["```", "~~~"].into_iter().find(|fence| bare.starts_with(fence));
        match (self.fence, fence) {
            (Some((open, _)), Some(found)) if open == found && bare == found => {
                self.fence = None;
                self.blank = true;
            }
            (Some((_, form)), _) => self.push(form, range),
            // `` ```x``` `` on one line is no fence.
            (None, Some(found)) if !bare.trim_start_matches(found).contains(found) => {
                let language = bare.trim_start_matches(found).trim();
                self.fence = Some((found, self.form_of(language)));
            }
            (None, _) => self.unfenced(line, range),
        }
    }

    fn unfenced(&mut self, line: &'t str, range: Range<usize>) {
        let bare = line.trim();
        if bare.is_empty() {
            self.blank = true;
            return;
        }
        let indented = line.starts_with("    ") || line.starts_with('\t');
        let goes_on = self.blocks.last().is_some_and(|block| block.form != Form::Prose);
        if indented && (self.blank || goes_on) && (goes_on || looks_like_code(bare)) {
            let form = match self.blocks.last() {
                Some(block) if goes_on && self.between(block, &range) => block.form,
                _ => self.form_of(""),
            };
            self.push(form, range);
            return;
        }
        if self.intro.len() == INTRO_LINES {
            self.intro.remove(0);
        }
        self.intro.push(bare);
        self.push(Form::Prose, range);
    }

    /// Whether a line follows a block with nothing or an empty line between.
    fn between(&self, block: &Block, range: &Range<usize>) -> bool {
        range.start.saturating_sub(block.range.end) <= 2
    }

    fn push(&mut self, form: Form, range: Range<usize>) {
        self.blank = false;
        match self.blocks.last_mut() {
            Some(block) if block.form == form && block.range.end == range.start => {
                block.range.end = range.end;
            }
            _ => self.blocks.push(Block { form, range }),
        }
    }

    /// What a block of code is there for, by the words before it.
    fn form_of(&self, language: &str) -> Form {
        let shell = ["sh", "bash", "shell", "console", "http", "text", "html", "diff", "patch"];
        if shell.contains(&language.to_lowercase().as_str()) {
            return Form::Code;
        }
        let intro = self.intro.join(" ").to_lowercase();
        let words = intro.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '_');
        let words: Vec<&str> = words.map(|word| word.trim_matches('.')).collect();
        let says = |list: &[&str]| words.iter().any(|word| list.contains(word));
        let file = words.iter().any(|word| words::source_file(word));
        if says(&words::OWN_CODE) {
            Form::Code
        } else if file || says(&words::THEIR_CODE) {
            Form::Quotation
        } else {
            Form::Code
        }
    }
}

fn looks_like_code(line: &str) -> bool {
    let starts = ["import ", "from ", "def ", "class ", "return ", "function ", "@", "curl ", "$ "];
    line.contains(['(', '{', '}', ';', '=']) || starts.iter().any(|start| line.starts_with(start))
}
