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

/// Text lines laid out of one message; the raw view and `show` have the rest.
const MAX_LINES: usize = 50_000;

/// The lines of a message, wrapped to `width` columns.
pub fn message_lines(screen: &CaseScreen, at: usize) -> Vec<DocLine> {
    let Some(message) = screen.view.messages.get(at) else { return Vec::new() };
    let mut lines = Vec::new();
    let mut add = |kind, line: u32, text: DisplayText| {
        for text in text.wrap(screen.width().max(10)) {
            lines.push(DocLine { kind, message: at, line, text });
        }
    };
    add(LineKind::Title, 0, title(message, at, screen.view.messages.len()));
    if screen.headers {
        for (name, value) in &message.headers {
            add(LineKind::Header, 0, DisplayText::line(&format!("{name}: {value}")));
        }
    }
    for warning in warning_lines(message) {
        add(LineKind::Warning, 0, warning);
    }
    match (&message.raw, screen.raw) {
        (Some(raw), true) => {
            for line in DisplayText::block(raw).into_iter().take(MAX_LINES) {
                add(LineKind::Header, 0, line);
            }
        }
        _ => {
            let kinds = quote::classify(&message.text);
            let shown = DisplayText::block(&message.text).into_iter().take(MAX_LINES);
            for (at, (line, number)) in shown.zip(1u32..).enumerate() {
                let own = kinds.get(at).is_none_or(|kind| *kind == quote::LineKind::Own);
                add(if own { LineKind::Text } else { LineKind::Quoted }, number, line);
            }
        }
    }
    for part in &message.attachments {
        let text =
            format!("attachment: {} ({}, {} bytes)", part.name, part.content_type, part.size);
        add(LineKind::Attachment, 0, DisplayText::line(&text));
    }
    add(LineKind::Gap, 0, DisplayText::line(""));
    lines
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

/// Name and address; the address is always shown in full (SEC-07).
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
        lines.push(DisplayText::line(&format!("! {}", names.join(", "))));
    }
    for defect in message.defects.iter().take(10) {
        lines.push(DisplayText::line(&format!("damaged: {defect}")));
    }
    if message.gone {
        lines.push(DisplayText::line("no longer on the server; this copy stays"));
    }
    lines
}
