//! What lies above a screen: help, choices, history. One at a time.

use super::claims::ClaimsTable;
use super::material::ReplyText;
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
    /// A reply as a template makes it.
    Reply(Proposed),
    /// The claims about the source.
    Claims(ClaimsTable),
}

/// A reply that is shown before anything is done with it.
#[derive(Debug)]
pub struct Proposed {
    /// Heading.
    pub title: String,
    /// Name of the template.
    pub template: String,
    /// The reply.
    pub draft: ReplyText,
    /// What is odd about its recipients.
    pub odd: Vec<String>,
    /// Whether what the check remarks was shown, so that the next wish holds.
    pub warned: bool,
    /// What to look at and the text, laid out for the current width.
    pub lines: Vec<DisplayText>,
    /// First line shown.
    pub top: usize,
}

impl Proposed {
    /// Shows a reply.
    pub fn new(template: &str, draft: ReplyText, odd: &[String]) -> Self {
        let (template, odd) = (template.to_owned(), odd.to_vec());
        let title = format!("Reply “{template}”, not sent");
        Self { title, template, draft, odd, warned: false, lines: Vec::new(), top: 0 }
    }

    fn lay_out(&mut self, width: usize) {
        let odd = self.odd.iter().map(|odd| format!("! {odd}"));
        let head = [
            format!("To: {}", self.draft.to.join(", ")),
            format!("Subject: {}", self.draft.subject),
        ];
        let head = head.into_iter().chain(odd).chain([String::new()]);
        let source =
            head.map(|line| DisplayText::line(&line)).chain(DisplayText::block(&self.draft.text));
        self.lines = source.flat_map(|line| line.wrap(width.max(10))).collect();
    }
}

/// A line of help.
#[derive(Clone, Debug, Default)]
pub struct HelpLine {
    /// Keys, or a sign of the screen; empty where the line continues the one above.
    pub keys: DisplayText,
    /// The command's name; empty for a sign, and where there is no room.
    pub name: &'static str,
    /// What it does or means.
    pub text: DisplayText,
}

/// The help of a screen, made from the live keymap.
#[derive(Debug)]
pub struct Help {
    /// Name of the screen.
    pub title: String,
    /// Keys and what they do.
    pub rows: Vec<HelpRow>,
    /// Signs of the screen and what they mean.
    pub signs: &'static [(&'static str, &'static str)],
    /// Both laid out for the current width.
    pub lines: Vec<HelpLine>,
    /// First line shown.
    pub top: usize,
}

impl Help {
    fn lay_out(&mut self, width: usize) {
        let names = help_names(width);
        let text_width = width.saturating_sub(KEYS_WIDTH + names + 1).max(10);
        let line = |keys: &str, name: &'static str, text: &str| {
            let mut keys = DisplayText::line(keys);
            let mut name = if names > 0 { name } else { "" };
            let text = DisplayText::line(text).wrap(text_width).into_iter();
            text.map(|text| HelpLine {
                keys: std::mem::take(&mut keys),
                name: std::mem::take(&mut name),
                text,
            })
            .collect::<Vec<_>>()
        };
        let keys = self.rows.iter().flat_map(|row| {
            let args = if row.args.is_empty() { String::new() } else { format!(" ({})", row.args) };
            line(&row.keys.join(", "), row.name, &format!("{}{args}", row.doc))
        });
        let mut lines: Vec<HelpLine> = keys.collect();
        if !self.signs.is_empty() {
            lines.push(HelpLine::default());
        }
        lines.extend(self.signs.iter().flat_map(|(sign, text)| line(sign, "", text)));
        self.lines = lines;
    }
}

/// Columns of the keys in help.
pub const KEYS_WIDTH: usize = 22;

/// Columns of the commands' names in help: none where there is no room for them.
pub const fn help_names(width: usize) -> usize {
    if width < 90 { 0 } else { 20 }
}

/// Lines to read, such as the history of a case.
#[derive(Debug, Default)]
pub struct Reading {
    /// Heading.
    pub title: String,
    /// The text.
    pub source: Vec<DisplayText>,
    /// The same, laid out for the current width.
    pub lines: Vec<DisplayText>,
    /// First line shown.
    pub top: usize,
    /// What accepting does, where something is asked.
    pub then: Option<(Command, String)>,
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
    /// Columns wanted, its frame with them.
    const fn wanted(&self) -> u16 {
        match self {
            Self::Help(_) => 110,
            Self::Choice(_) => 74,
            Self::Reply(_) => 84,
            Self::Text(_) => 120,
            Self::Claims(_) => 150,
        }
    }

    /// Columns of the layer on a screen of this size, its frame with them.
    pub fn width(&self, size: (u16, u16)) -> u16 {
        self.wanted().min(size.0)
    }

    /// Lays the layer out for a screen of this size.
    pub fn lay_out(&mut self, size: (u16, u16)) {
        let width = usize::from(self.width(size).saturating_sub(2));
        match self {
            Self::Help(help) => help.lay_out(width),
            Self::Text(text) => {
                let lines = text.source.iter().flat_map(|line| line.wrap(width.max(10)));
                text.lines = lines.collect();
            }
            Self::Reply(reply) => reply.lay_out(width),
            Self::Claims(table) => table.lay_out(width),
            Self::Choice(_) => {}
        }
        self.step(0, super::layout::layer_height(size));
    }

    /// Moves the cursor or scrolls by lines.
    pub fn step(&mut self, lines: isize, height: usize) {
        match self {
            Self::Help(help) => scroll(&mut help.top, lines, help.lines.len(), height),
            Self::Text(text) => scroll(&mut text.top, lines, text.lines.len(), height),
            Self::Claims(table) => table.step(lines, height),
            Self::Reply(reply) => scroll(&mut reply.top, lines, reply.lines.len(), height),
            Self::Choice(choice) => {
                let last = choice.options.len().saturating_sub(1);
                choice.cursor = choice.cursor.saturating_add_signed(lines).min(last);
            }
        }
    }

    /// The context in which its keys are looked up is always `overlay`; this is its title.
    pub fn title(&self) -> &str {
        match self {
            Self::Reply(reply) => &reply.title,
            Self::Claims(table) => &table.title,
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
