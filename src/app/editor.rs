//! Text being edited. The one place below `tui` that names the text-area crate, so that the state of an editor
//! sits in the model and `update` stays the only place where it changes.

use tui_textarea::{CursorMove, Input, Key as AreaKey, TextArea, WrapMode};

use crate::keymap::{Key, KeyCode};
use crate::mail::DisplayText;

/// What the text of an editor is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A reply draft, begun with this template.
    Reply {
        /// Name of the template.
        template: String,
        /// Recipients.
        to: Vec<String>,
        /// Subject.
        subject: String,
    },
    /// The advisory draft as TOML.
    Advisory,
}

/// A text editor over the whole screen.
#[derive(Debug)]
pub struct Editor {
    /// What it edits.
    pub purpose: Purpose,
    /// The text.
    pub area: TextArea<'static>,
    /// Text as last saved.
    saved: String,
    /// What to look at before anything is sent, such as an odd recipient.
    pub warnings: Vec<DisplayText>,
    /// Whether one warning about unsaved text was given.
    pub warned: bool,
}

/// Longest paste taken, in bytes; more is cut and said.
pub const MAX_PASTE: usize = 1_000_000;

impl Editor {
    /// Opens `text`. `saved` tells whether the journal holds this text already.
    pub fn open(purpose: Purpose, text: &str, saved: bool) -> Self {
        let lines = text.lines().map(visible).collect();
        let mut area = TextArea::new(lines);
        area.set_wrap_mode(WrapMode::Word);
        area.set_cursor_line_style(Default::default());
        area.set_max_histories(1_000);
        let mut editor =
            Self { purpose, area, saved: String::new(), warnings: Vec::new(), warned: false };
        if saved {
            editor.saved = editor.text();
        }
        editor
    }

    /// The same with what to look at before anything is sent.
    pub fn with_warnings(mut self, warnings: &[String]) -> Self {
        self.warnings = warnings.iter().map(|text| DisplayText::line(text)).collect();
        self
    }

    /// The text, ending in a line end unless it is empty.
    pub fn text(&self) -> String {
        let mut text = self.area.lines().join("\n");
        while text.ends_with('\n') {
            text.pop();
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    /// Whether the text differs from what was saved.
    pub fn is_changed(&self) -> bool {
        self.text() != self.saved
    }

    /// Remembers the text as saved.
    pub fn mark_saved(&mut self) {
        self.saved = self.text();
        self.warned = false;
    }

    /// Takes a key that no binding wanted.
    pub fn key(&mut self, key: Key) {
        self.warned = false;
        self.area.input(area_input(key));
    }

    /// Inserts pasted text. Returns whether all of it was taken.
    pub fn paste(&mut self, text: &str) -> bool {
        self.warned = false;
        let (taken, whole) = bounded(text);
        let lines: Vec<String> = taken.split('\n').map(visible).collect();
        self.area.insert_str(lines.join("\n"));
        whole
    }
}

/// A one-line input.
#[derive(Debug)]
pub struct Line {
    area: TextArea<'static>,
}

impl Line {
    /// Begins with `text`, the cursor behind it.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![visible(&text.replace('\n', " "))]);
        area.set_cursor_line_style(Default::default());
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// The editor state, for drawing.
    pub const fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    /// Takes a key that no binding wanted.
    pub fn key(&mut self, key: Key) {
        if key.code != KeyCode::Enter && !(key.ctrl && key.code == KeyCode::Char('m')) {
            self.area.input(area_input(key));
        }
    }

    /// Inserts pasted text, its line ends as spaces.
    pub fn paste(&mut self, text: &str) {
        let (taken, _) = bounded(text);
        self.area.insert_str(visible(&taken.replace(['\n', '\r'], " ")));
    }
}

/// At most [`MAX_PASTE`] bytes, cut at a character, and whether that is all.
fn bounded(text: &str) -> (&str, bool) {
    let mut end = text.len().min(MAX_PASTE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (text.get(..end).unwrap_or_default(), end == text.len())
}

/// A line without anything that a terminal would obey.
fn visible(line: &str) -> String {
    DisplayText::line(line.trim_end_matches('\r')).as_str().to_owned()
}

fn area_input(key: Key) -> Input {
    let code = match key.code {
        KeyCode::Char(c) => AreaKey::Char(c),
        KeyCode::Enter => AreaKey::Enter,
        KeyCode::Tab => AreaKey::Tab,
        KeyCode::Backspace => AreaKey::Backspace,
        KeyCode::Delete => AreaKey::Delete,
        KeyCode::Up => AreaKey::Up,
        KeyCode::Down => AreaKey::Down,
        KeyCode::Left => AreaKey::Left,
        KeyCode::Right => AreaKey::Right,
        KeyCode::Home => AreaKey::Home,
        KeyCode::End => AreaKey::End,
        KeyCode::PageUp => AreaKey::PageUp,
        KeyCode::PageDown => AreaKey::PageDown,
        _ => AreaKey::Null,
    };
    Input { key: code, ctrl: key.ctrl, alt: key.alt, shift: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_controls_become_visible_and_lines_stay_lines() {
        let mut editor = Editor::open(Purpose::Advisory, "a\n", true);
        editor.paste("x\u{1b}[31m\ny");
        let text = editor.text();
        assert!(!text.contains('\u{1b}') && text.contains("\ny"), "{text:?}");
        assert!(editor.is_changed());
    }

    #[test]
    fn a_line_never_gets_a_second_one() {
        let mut line = Line::new("a\nb");
        line.paste("c\nd");
        line.key(Key { code: KeyCode::Enter, ctrl: false, alt: false });
        assert_eq!(line.text(), "a bc d");
    }
}
