//! The thread of a case as one document of screen lines.

use super::case::{CaseScreen, MessageView};
use crate::domain::case::Direction;
use crate::mail::{Address, DisplayText, quote};

/// What a line of the thread document is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// First line of a message: who and when.
    Title,
    /// A header field.
    Header,
    /// A warning or defect.
    Warning,
    /// Text the sender wrote.
    Text,
    /// A line quoted from an earlier mail.
    Quoted,
    /// An attachment.
    Attachment,
    /// Between two messages.
    Gap,
}

/// A screen line of the thread document.
#[derive(Clone, Debug)]
pub struct DocLine {
    /// What it is.
    pub kind: LineKind,
    /// Position of its message in the thread.
    pub message: usize,
    /// Line of the message's text, from 1; 0 where it is none.
    pub line: u32,
    /// The text, fit for the screen.
    pub text: DisplayText,
}

/// A line of a message before it is wrapped.
#[derive(Clone, Debug)]
pub struct ReadLine {
    /// Whether the sender wrote it or quotes it.
    pub kind: LineKind,
    /// The text, fit for the screen.
    pub text: DisplayText,
}

/// Lines and bytes of one mail that are kept for the screen; `casebook show` has the rest.
const MAX_READ: (usize, usize) = (50_000, 4_000_000);

/// Screen lines laid out of one thread.
const MAX_LINES: usize = 60_000;

/// The lines of a mail's text. Costs time in proportion to the mail, so the worker that reads it does this.
pub fn read_text(text: &str) -> Vec<ReadLine> {
    let kinds = quote::classify(text);
    let lines = raw_lines(text).into_iter().enumerate();
    let kind = |at| match kinds.get(at) {
        None | Some(quote::LineKind::Own) => LineKind::Text,
        Some(_) => LineKind::Quoted,
    };
    lines.map(|(at, text)| ReadLine { kind: kind(at), text }).collect()
}

/// The lines of a raw mail, fit for the screen; the worker that reads it does this.
pub fn raw_lines(text: &str) -> Vec<DisplayText> {
    let mut end = text.len().min(MAX_READ.1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut lines = DisplayText::block(text.get(..end).unwrap_or_default());
    lines.truncate(MAX_READ.0);
    lines
}

/// The thread as screen lines of `width` columns.
pub fn document(screen: &CaseScreen, width: usize) -> Vec<DocLine> {
    let mut document = Document { lines: Vec::new(), message: 0, width: width.max(10) };
    let count = screen.view.messages.len();
    for (at, message) in screen.view.messages.iter().enumerate() {
        document.message = at;
        document.message(message, screen, count);
    }
    document.lines
}

struct Document {
    lines: Vec<DocLine>,
    message: usize,
    width: usize,
}

impl Document {
    fn message(&mut self, message: &MessageView, screen: &CaseScreen, count: usize) {
        self.add(LineKind::Title, 0, &title(message, self.message, count));
        if screen.headers {
            for (name, value) in &message.headers {
                self.add(LineKind::Header, 0, &DisplayText::line(&format!("{name}: {value}")));
            }
        }
        for warning in warning_lines(message) {
            self.add(LineKind::Warning, 0, &warning);
        }
        match (&message.raw, screen.raw) {
            (Some(raw), true) => self.all(raw.iter().map(|line| (LineKind::Header, 0, line))),
            _ => {
                let lines = message.lines.iter().zip(1u32..);
                self.all(lines.map(|(line, number)| (line.kind, number, &line.text)));
            }
        }
        for part in &message.attachments {
            let text =
                format!("attachment: {} ({}, {} bytes)", part.name, part.content_type, part.size);
            self.add(LineKind::Attachment, 0, &DisplayText::line(&text));
        }
        self.add(LineKind::Gap, 0, &DisplayText::default());
    }

    fn all<'a>(&mut self, lines: impl Iterator<Item = (LineKind, u32, &'a DisplayText)>) {
        for (kind, number, text) in lines {
            if self.lines.len() >= MAX_LINES {
                let words = "too long for the screen: `casebook show` prints the rest";
                self.add(LineKind::Warning, 0, &DisplayText::line(words));
                return;
            }
            self.add(kind, number, text);
        }
    }

    fn add(&mut self, kind: LineKind, line: u32, text: &DisplayText) {
        for text in text.wrap(self.width) {
            self.lines.push(DocLine { kind, message: self.message, line, text });
        }
    }
}

fn title(message: &MessageView, at: usize, count: usize) -> DisplayText {
    let who = message.from.first().map_or_else(|| "(no sender)".to_owned(), shown_address);
    let way = match message.direction {
        Direction::In => "from",
        Direction::Out => "our answer, from",
        Direction::Automatic => "automatic, from",
    };
    let when = message.received.strftime("%Y-%m-%d %H:%M UTC");
    let text = format!("{}/{count} {way} {who} · {when} · {}", at + 1, message.subject);
    DisplayText::line(&text)
}

/// Name and address; the address is always shown in full.
pub fn shown_address(address: &Address) -> String {
    if address.name.is_empty() {
        address.address.clone()
    } else {
        format!("{} <{}>", address.name, address.address)
    }
}

fn warning_lines(message: &MessageView) -> Vec<DisplayText> {
    let mut lines = Vec::new();
    if !message.warnings.is_empty() {
        let names: Vec<_> = message.warnings.iter().map(|warning| warning.as_str()).collect();
        lines.push(DisplayText::line(&format!("careful: {}", names.join(", "))));
    }
    for defect in message.defects.iter().take(10) {
        lines.push(DisplayText::line(&format!("damaged: {defect}")));
    }
    if message.rescued {
        lines.push(DisplayText::line("rescued: the server had it among the junk"));
    }
    if message.gone {
        lines.push(DisplayText::line("no longer on the server; this copy stays"));
    }
    lines
}
