//! What lies above a screen: help, choices, history. One at a time.

use crate::command::Command;
use crate::keymap::HelpRow;
use crate::mail::DisplayText;

/// A layer.
#[derive(Debug)]
pub enum Layer {
    /// The keys that work here.
    Help(Help),
    /// One of a few.
    Choice(Choice),
    /// Lines to read.
    Text(Reading),
}

/// The help of a screen, made from the live keymap.
#[derive(Debug)]
pub struct Help {
    /// Name of the screen.
    pub title: String,
    /// Keys and what they do.
    pub rows: Vec<HelpRow>,
    /// First line shown.
    pub top: usize,
}

/// Lines to read, such as the history of a case or the faults of a draft.
#[derive(Debug)]
pub struct Reading {
    /// Heading.
    pub title: String,
    /// Lines.
    pub lines: Vec<DisplayText>,
    /// First line shown.
    pub top: usize,
}

/// A choice of one.
#[derive(Debug)]
pub struct Choice {
    /// What is asked.
    pub title: String,
    /// The command that takes the chosen word.
    pub command: Command,
    /// Words with what each means.
    pub options: Vec<(String, String)>,
    /// The option under the cursor.
    pub cursor: usize,
}

impl Layer {
    /// Moves the cursor or scrolls by lines.
    pub fn step(&mut self, lines: isize, height: usize) {
        match self {
            Self::Help(help) => scroll(&mut help.top, lines, help.rows.len(), height),
            Self::Text(text) => scroll(&mut text.top, lines, text.lines.len(), height),
            Self::Choice(choice) => {
                let last = choice.options.len().saturating_sub(1);
                choice.cursor = choice.cursor.saturating_add_signed(lines).min(last);
            }
        }
    }

    /// The context in which its keys are looked up is always `overlay`; this is its title.
    pub fn title(&self) -> &str {
        match self {
            Self::Help(help) => &help.title,
            Self::Choice(choice) => &choice.title,
            Self::Text(text) => &text.title,
        }
    }
}

/// Scrolls `top` by lines so that the last page stays full.
pub fn scroll(top: &mut usize, lines: isize, count: usize, height: usize) {
    *top = top.saturating_add_signed(lines).min(count.saturating_sub(height));
}
