//! The texts of a case that claims are read from: mails from outside and the text files attached to them.

use crate::app::case::CaseView;
use crate::claims::extract::{MAX_TEXT, Source};
use crate::domain::MessageRef;
use crate::domain::case::Direction;
use crate::mail::{self, Part, quote};
use crate::runtime::desk::Desk;

/// Mails of one case that are read.
const MAX_MAILS: usize = 32;

/// Attached files of one mail that are read.
const MAX_FILES: usize = 8;

/// The texts, and the names of all attached files.
pub(super) struct Texts {
    texts: Vec<Text>,
    pub names: Vec<String>,
}

struct Text {
    message: MessageRef,
    part: u16,
    text: String,
    own: Vec<bool>,
    code: bool,
}

impl Texts {
    pub fn sources(&self) -> Vec<Source<'_>> {
        self.texts.iter().map(Text::source).collect()
    }
}

impl Text {
    fn source(&self) -> Source<'_> {
        Source {
            message: self.message,
            part: self.part,
            text: &self.text,
            own: self.own.clone(),
            code: self.code,
        }
    }
}

pub(super) fn of(desk: &Desk, view: &CaseView) -> Texts {
    let mut texts = Texts { texts: Vec::new(), names: Vec::new() };
    let incoming = view.messages.iter().filter(|message| message.direction == Direction::In);
    for message in incoming.take(MAX_MAILS) {
        texts.texts.push(Text {
            message: message.id,
            part: message.text_part,
            own: quote::own_lines(&message.text, &message.subject),
            text: message.text.clone(),
            code: false,
        });
        texts.names.extend(message.attachments.iter().map(|part| part.name.clone()));
        if message.attachments.is_empty() {
            continue;
        }
        let Ok(raw) = desk.raw(&message.id) else { continue };
        let parsed = mail::parse(&raw);
        let attached = parsed.parts.iter().filter(|part| part.attachment);
        let files = attached.filter_map(|part| file(message.id, part)).take(MAX_FILES);
        texts.texts.extend(files);
    }
    texts
}

/// An attached file, if it is text that says something about the source.
fn file(message: MessageRef, part: &Part) -> Option<Text> {
    const PROSE: [&str; 3] = ["txt", "md", "rst"];
    const CODE: [&str; 14] = [
        "py", "sh", "js", "ts", "c", "cpp", "go", "rb", "pl", "php", "java", "log", "patch", "diff",
    ];
    let ending = part.safe_name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    let code = CODE.contains(&ending.as_str());
    let text = code || PROSE.contains(&ending.as_str()) || part.content_type == "text/plain";
    if !text || part.bytes.len() > MAX_TEXT {
        return None;
    }
    let text = std::str::from_utf8(&part.bytes).ok()?.to_owned();
    Some(Text { message, part: part.index, text, own: Vec::new(), code })
}
