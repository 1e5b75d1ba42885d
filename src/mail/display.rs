//! The only form in which text from a mail may reach a terminal.
//!
//! Owns: which characters are harmless, what stands in for the others, cell widths, cutting, wrapping. Absent on
//! purpose: colours and widgets. Every constructor goes through `clean`; there is no other way to a value.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that may follow one base character; the rest is counted, not drawn. Hindi and Vietnamese need three.
const MARKS_MAX: usize = 4;
/// Columns between tab stops in [`DisplayText::block`].
const TAB_COLUMNS: usize = 8;

/// One line of text without control, bidirectional or invisible characters: each is replaced by a visible sign
/// (`␛`, `<U+202E>`). Safe to print as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DisplayText(String);

impl DisplayText {
    /// A single line: line breaks and tabs become signs too.
    pub fn line(text: &str) -> Self {
        Self(clean(text, false))
    }

    /// As [`Self::line`], reading no more than `bytes` of the text; `…` marks the cut.
    pub fn bounded(text: &str, bytes: usize) -> Self {
        if text.len() <= bytes {
            return Self::line(text);
        }
        let mut out = clean(head(text, bytes), false);
        out.push('…');
        Self(out)
    }

    /// One value for each line of a text, tabs expanded to 8 columns.
    pub fn block(text: &str) -> Vec<Self> {
        text.split('\n')
            .map(|line| Self(clean(line.strip_suffix('\r').unwrap_or(line), true)))
            .collect()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Terminal columns, counted by grapheme as the screen does.
    pub fn width(&self) -> usize {
        if self.0.is_ascii() {
            self.0.len()
        } else {
            self.0.graphemes(true).map(UnicodeWidthStr::width).sum()
        }
    }

    /// At most `columns` wide; a cut is marked by `…` and never splits a grapheme.
    pub fn fit(&self, columns: usize) -> Self {
        if self.0.len() <= columns && self.0.is_ascii() {
            return self.clone();
        }
        let mut used = 0;
        let mut cut = 0;
        for (at, grapheme) in self.0.grapheme_indices(true) {
            let width = grapheme.width();
            if used + width < columns {
                cut = at + grapheme.len();
            }
            used += width;
            if used > columns {
                return Self(if columns == 0 {
                    String::new()
                } else {
                    format!("{}…", head(&self.0, cut))
                });
            }
        }
        self.clone()
    }

    /// Lines of at most `columns` (at least 1), broken at spaces where possible.
    pub fn wrap(&self, columns: usize) -> Vec<Self> {
        let columns = columns.max(1);
        if self.0.len() <= columns && self.0.is_ascii() {
            return vec![self.clone()];
        }
        let mut folder = Folder::new(&self.0, columns);
        if self.0.is_ascii() {
            for (at, byte) in self.0.bytes().enumerate() {
                folder.take(at, 1, 1, byte == b' ');
            }
        } else {
            for (at, grapheme) in self.0.grapheme_indices(true) {
                folder.take(at, grapheme.len(), grapheme.width(), grapheme == " ");
            }
        }
        folder.finish()
    }
}

impl fmt::Display for DisplayText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for DisplayText {
    /// Size only: mail text must not reach a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DisplayText({} bytes)", self.0.len())
    }
}

/// Greedy line breaking over one line, in one pass.
struct Folder<'a> {
    text: &'a str,
    columns: usize,
    out: Vec<DisplayText>,
    start: usize,
    used: usize,
    /// End of the last space and the columns used up to there.
    space: Option<(usize, usize)>,
}

impl<'a> Folder<'a> {
    fn new(text: &'a str, columns: usize) -> Self {
        Self { text, columns, out: Vec::new(), start: 0, used: 0, space: None }
    }

    fn take(&mut self, at: usize, bytes: usize, width: usize, space: bool) {
        if self.used + width > self.columns && !space {
            self.break_before(at, width);
        }
        if width > self.columns {
            // Wider than the whole pane: a sign in its place keeps the frame intact.
            self.out.push(DisplayText("…".to_owned()));
            self.start = at + bytes;
            self.used = 0;
            self.space = None;
            return;
        }
        self.used += width;
        if space {
            self.space = Some((at + bytes, self.used));
        }
    }

    fn break_before(&mut self, at: usize, width: usize) {
        match self.space {
            Some((end, used)) if end > self.start => {
                self.push(end);
                self.start = end;
                self.used = self.used.saturating_sub(used);
            }
            _ => {}
        }
        self.space = None;
        if self.used + width > self.columns && self.used > 0 {
            self.push(at);
            self.start = at;
            self.used = 0;
        }
    }

    fn push(&mut self, end: usize) {
        let piece = self.text.get(self.start..end).unwrap_or_default();
        if !piece.is_empty() {
            self.out.push(DisplayText(piece.trim_end_matches(' ').to_owned()));
        }
    }

    fn finish(mut self) -> Vec<DisplayText> {
        self.push(self.text.len());
        if self.out.is_empty() {
            self.out.push(DisplayText::default());
        }
        self.out
    }
}

/// The longest start of `text` that has at most `bytes` bytes and ends between characters.
pub(crate) fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Replaces everything that could steer a terminal or hide from a reader.
fn clean(text: &str, tabs: bool) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.to_owned();
    }
    let mut out = Cleaner {
        out: String::with_capacity(text.len() + 16),
        column: 0,
        marks: 0,
        dropped: 0,
        last: None,
    };
    for c in text.chars() {
        out.take(c, tabs);
    }
    out.close_marks();
    out.out
}

struct Cleaner {
    out: String,
    column: usize,
    marks: usize,
    dropped: usize,
    /// The character before, if it was drawn as itself.
    last: Option<char>,
}

impl Cleaner {
    fn take(&mut self, c: char, tabs: bool) {
        if is_presentation_selector(c) && self.last.is_some_and(takes_selector) {
            self.last = None;
            return;
        }
        if is_hidden(c) {
            self.close_marks();
            self.replace(c, tabs);
            self.last = None;
        } else if c.width().unwrap_or(0) == 0 {
            self.mark(c);
        } else {
            self.close_marks();
            self.marks = 0;
            self.column += c.width().unwrap_or(0);
            self.out.push(c);
            self.last = Some(c);
        }
    }

    fn mark(&mut self, c: char) {
        if self.marks == 0 && self.last.is_none() {
            // Nothing to sit on: a mark at the start would change the cell before the text.
            self.out.push('◌');
            self.column += 1;
        }
        self.last = Some(c);
        self.marks += 1;
        if self.marks > MARKS_MAX {
            self.dropped += 1;
        } else {
            self.out.push(c);
        }
    }

    fn close_marks(&mut self) {
        if self.dropped > 0 {
            let sign = format!("<+{} marks>", self.dropped);
            self.column += sign.len();
            self.out.push_str(&sign);
            self.dropped = 0;
        }
    }

    fn replace(&mut self, c: char, tabs: bool) {
        self.marks = 0;
        if c == '\t' && tabs {
            let spaces = TAB_COLUMNS - self.column % TAB_COLUMNS;
            self.column += spaces;
            self.out.extend(std::iter::repeat_n(' ', spaces));
            return;
        }
        let code = u32::from(c);
        let picture = match code {
            0..=0x1f => char::from_u32(0x2400 + code),
            0x7f => Some('␡'),
            _ => None,
        };
        if let Some(picture) = picture {
            self.column += 1;
            self.out.push(picture);
        } else {
            let sign = format!("<U+{code:04X}>");
            self.column += sign.len();
            self.out.push_str(&sign);
        }
    }
}

const fn is_presentation_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Whether a presentation selector after `c` is the ordinary text/emoji switch (Unicode TR 51) and not a
/// carrier of hidden data.
fn takes_selector(c: char) -> bool {
    matches!(u32::from(c), 0x23 | 0x2a | 0x30..=0x39 | 0xa9 | 0xae | 0x203c..=0x3299 | 0x1f000..=0x1faff)
}

/// Whether a character is bidirectional control (UAX 9).
pub(crate) const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character must not be drawn as itself: controls, bidirectional controls, other format and invisible
/// characters, private use, noncharacters, planes without characters.
pub(crate) fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    if code < 0x300 {
        return code < 0x20 || (0x7f..=0x9f).contains(&code) || code == 0xad;
    }
    is_bidi(c)
        || matches!(
            code,
            0x034f | 0x0600..=0x0605 | 0x06dd | 0x070f | 0x0890..=0x0891 | 0x08e2 | 0x115f | 0x1160 | 0x17b4 | 0x17b5
                | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164
                | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x110bd | 0x110cd
                | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
                | 0x40000..
        )
        || code & 0xfffe == 0xfffe
        || (0xfdd0..=0xfdef).contains(&code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(lines: &[DisplayText]) -> Vec<&str> {
        lines.iter().map(DisplayText::as_str).collect()
    }

    #[test]
    fn shows_what_would_steer_the_terminal() {
        assert_eq!(DisplayText::line("a\u{1b}[2Jb\0\u{7f}").as_str(), "a␛[2Jb␀␡");
        assert_eq!(DisplayText::line("a\u{9b}1m").as_str(), "a<U+009B>1m");
        assert_eq!(DisplayText::line("poc_\u{202e}fdp.sh").as_str(), "poc_<U+202E>fdp.sh");
        assert_eq!(DisplayText::line("a\tb\nc\r").as_str(), "a␉b␊c␍");
        assert_eq!(DisplayText::line("x\u{e0041}").as_str(), "x<U+E0041>");
    }

    #[test]
    fn blocks_expand_tabs_by_column() {
        assert_eq!(texts(&DisplayText::block("a\tb\r\n\tc")), ["a       b", "        c"]);
    }

    #[test]
    fn bounds_marks_and_keeps_emoji_switches() {
        let zalgo = format!("a{}b", "\u{0301}".repeat(40));
        assert_eq!(
            DisplayText::line(&zalgo).as_str(),
            format!("a{}<+36 marks>b", "\u{0301}".repeat(4))
        );
        assert_eq!(DisplayText::line("\u{0301}x").as_str(), "◌\u{0301}x");
        assert_eq!(DisplayText::line("⚠\u{fe0f} x").as_str(), "⚠ x");
        assert_eq!(DisplayText::line("x\u{fe0f}").as_str(), "x<U+FE0F>");
    }

    #[test]
    fn fits_between_graphemes() {
        assert_eq!(DisplayText::line("hello").fit(4).as_str(), "hel…");
        assert_eq!(DisplayText::line("hello").fit(5).as_str(), "hello");
        assert_eq!(DisplayText::line("日本語").fit(4).as_str(), "日…");
        assert_eq!(DisplayText::line("日本語").fit(6).as_str(), "日本語");
        assert_eq!(DisplayText::line("日本語").fit(0).as_str(), "");
    }

    #[test]
    fn wraps_greedily() {
        let text = DisplayText::line("the quick brown fox");
        assert_eq!(texts(&text.wrap(10)), ["the quick", "brown fox"]);
        assert_eq!(
            texts(&DisplayText::line("abcdefghij kl").wrap(4)),
            ["abcd", "efgh", "ij", "kl"]
        );
        assert_eq!(texts(&DisplayText::line("日本").wrap(1)), ["…", "…"]);
        assert_eq!(texts(&DisplayText::line("").wrap(5)), [""]);
    }

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", DisplayText::line("secret")), "DisplayText(6 bytes)");
    }

    proptest! {
        #[test]
        fn output_is_harmless(text in any::<String>(), columns in 0usize..40) {
            let line = DisplayText::line(&text);
            let mut all = DisplayText::block(&text);
            all.extend(line.wrap(columns));
            all.push(line.fit(columns));
            all.push(DisplayText::bounded(&text, columns));
            all.push(line);
            for piece in &all {
                prop_assert!(!piece.as_str().chars().any(is_hidden), "{}", piece.as_str().escape_unicode());
            }
        }

        #[test]
        fn widths_hold(text in "[a-z \u{0301}\u{65e5}\u{1f468}\u{200d}\t\u{e9}]{0,80}", columns in 1usize..30) {
            let line = DisplayText::line(&text);
            prop_assert!(line.fit(columns).width() <= columns);
            for piece in line.wrap(columns) {
                prop_assert!(piece.width() <= columns, "{:?} > {}", piece.as_str(), columns);
            }
            let wrapped: String = line.wrap(columns).iter().map(|piece| piece.as_str().replace(' ', "")).collect();
            if columns > 1 {
                prop_assert_eq!(wrapped, line.as_str().replace(' ', ""));
            }
        }
    }
}
