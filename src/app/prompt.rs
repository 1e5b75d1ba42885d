//! The one-line input at the bottom: command line, palette, search, reason, and what completes it.

use super::editor::Line;
use super::sync::Password;
use crate::command::{Argument, Command, Context, TABLE};
use crate::domain::journal::AnswerValue;
use crate::domain::policy::Policy;
use crate::domain::{CaseState, ClauseId, Disposition};
use crate::keymap::{Key, KeyCode, Keymap};

/// What the line is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asking {
    /// A command by name.
    Command,
    /// A command from the list of all that apply.
    Palette,
    /// Words to find.
    Search,
    /// Words to narrow the queue by.
    Filter,
    /// Why a question is answered so.
    Reason {
        /// The question.
        clause: ClauseId,
        /// The answer.
        value: AnswerValue,
    },
    /// Why a case is decided so without a clause.
    DecisionReason(Disposition),
    /// A note.
    Note,
    /// Folder for the exported files.
    ExportTo,
    /// File for the calendar.
    CalendarTo,
    /// File for the reply draft.
    EmlTo,
    /// File for an attachment.
    AttachmentTo {
        /// Position of the message in the thread.
        message: usize,
        /// Position among its attachments.
        attachment: usize,
    },
    /// The password for a pull.
    Password {
        /// Whose, such as `me at mail.example`.
        of: String,
        /// Whether the pull goes on by waiting for new mail.
        watch: bool,
    },
}

impl Asking {
    /// What stands before the line.
    pub fn label(&self) -> String {
        match self {
            Self::Command | Self::Palette => ":".to_owned(),
            Self::Search => "/".to_owned(),
            Self::Filter => "filter: ".to_owned(),
            Self::Reason { clause, value } => format!("{clause} {}, because: ", value.as_str()),
            Self::DecisionReason(disposition) => format!("{disposition}, because: "),
            Self::Note => "note: ".to_owned(),
            Self::ExportTo => "export into folder: ".to_owned(),
            Self::CalendarTo => "write calendar to file: ".to_owned(),
            Self::EmlTo => "write reply to file: ".to_owned(),
            Self::AttachmentTo { .. } => "save attachment as: ".to_owned(),
            Self::Password { of, .. } => format!("password of {of} (not shown): "),
        }
    }
}

/// One way to complete the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The whole line it makes.
    pub line: String,
    /// What it means.
    pub doc: String,
}

/// The input with its completions.
#[derive(Debug)]
pub struct Prompt {
    /// What is asked for.
    pub asking: Asking,
    /// What was typed.
    pub line: Line,
    /// What was typed where it is a password; then the line stays empty.
    pub password: Password,
    /// Completions of what was typed.
    pub candidates: Vec<Candidate>,
    /// The candidate under the cursor, once one was chosen.
    pub chosen: Option<usize>,
}

impl Prompt {
    /// Asks, beginning with `text`.
    pub fn new(asking: Asking, text: &str, words: &Words<'_>) -> Self {
        let mut prompt = Self {
            asking,
            line: Line::new(text),
            password: Password::default(),
            candidates: Vec::new(),
            chosen: None,
        };
        prompt.refresh(words);
        prompt
    }

    /// Takes a key that no binding wanted.
    pub fn key(&mut self, key: Key) {
        if !matches!(self.asking, Asking::Password { .. }) {
            return self.line.key(key);
        }
        match key.code {
            KeyCode::Char('u' | 'w') if key.ctrl => self.password.clear(),
            KeyCode::Char(letter) if !key.ctrl && !key.alt => {
                self.password.push(letter.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace => self.password.pop(),
            _ => {}
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        match self.asking {
            Asking::Password { .. } => self.password.push(text),
            _ => self.line.paste(text),
        }
    }

    /// Works the completions out again after the line has changed.
    pub fn refresh(&mut self, words: &Words<'_>) {
        self.chosen = None;
        self.candidates = match self.asking {
            Asking::Command | Asking::Palette => words.candidates(self.line.text()),
            _ => Vec::new(),
        };
    }

    /// Moves to the next or previous completion and takes it into the line.
    pub fn complete(&mut self, step: isize) {
        let count = self.candidates.len();
        if count == 0 {
            return;
        }
        let next = match self.chosen {
            None if step < 0 => count - 1,
            None => 0,
            Some(at) => (at + count).saturating_add_signed(step) % count,
        };
        self.chosen = Some(next);
        if let Some(candidate) = self.candidates.get(next) {
            self.line = Line::new(&candidate.line);
        }
    }

    /// The line as it is to be taken: in the palette, the first completion stands for a fragment.
    pub fn taken(&self) -> String {
        let typed = self.line.text();
        let complete = self.candidates.iter().any(|candidate| candidate.line == typed)
            || Command::parse(typed.split_whitespace().next().unwrap_or_default()).is_some();
        match (&self.asking, self.candidates.first()) {
            (Asking::Palette, Some(first)) if !complete => first.line.clone(),
            _ => typed.to_owned(),
        }
    }
}

/// The words that can complete a command line here.
#[derive(Debug)]
pub struct Words<'a> {
    /// The screen below.
    pub context: Context,
    /// Clause ids.
    pub policy: &'a Policy,
    /// Names of reply templates.
    pub templates: Vec<&'static str>,
    /// The keys, to name those of each command.
    pub keymap: &'a Keymap,
}

/// Completions listed at most.
const MAX_CANDIDATES: usize = 200;

impl Words<'_> {
    fn candidates(&self, line: &str) -> Vec<Candidate> {
        match line.split_once(' ') {
            None => self.commands(line),
            Some((name, typed)) => Command::parse(name)
                .map(|command| self.arguments(command, typed.trim_start()))
                .unwrap_or_default(),
        }
    }

    /// Commands of this screen: those that begin with the word first, then those that hold it.
    fn commands(&self, typed: &str) -> Vec<Candidate> {
        let typed = typed.to_lowercase();
        let here = TABLE.iter().filter(|row| row.id.applies_in(self.context));
        let mut found: Vec<_> = here
            .filter_map(|row| {
                let rank = match row.name.find(&typed) {
                    Some(0) => 0,
                    Some(_) => 1,
                    None if row.doc.to_lowercase().contains(&typed) => 2,
                    None => return None,
                };
                let keys = self.keymap.keys_of(self.context, row.id);
                let doc = match keys.first() {
                    Some(key) => format!("{key:<8} {}", row.doc),
                    None => format!("{:<8} {}", "", row.doc),
                };
                Some((rank, Candidate { line: row.name.to_owned(), doc }))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, candidate)| candidate).take(MAX_CANDIDATES).collect()
    }

    fn arguments(&self, command: Command, typed: &str) -> Vec<Candidate> {
        let row = command.row();
        let words: Vec<(String, String)> = match row.argument {
            Argument::Disposition => {
                let meaning = super::words::disposition;
                Disposition::ALL.iter().map(|d| (d.to_string(), meaning(*d).to_owned())).collect()
            }
            Argument::State => {
                let meaning = super::words::state;
                CaseState::ALL.iter().map(|s| (s.to_string(), meaning(*s).to_owned())).collect()
            }
            Argument::Clause => {
                let items = self.policy.items.iter();
                items.map(|item| (item.id.to_string(), item.title.clone())).collect()
            }
            Argument::Template => {
                let meaning = super::words::template;
                let names = self.templates.iter();
                names.map(|name| ((*name).to_owned(), meaning(name).to_owned())).collect()
            }
            Argument::None | Argument::Vector | Argument::Text => Vec::new(),
        };
        words
            .into_iter()
            .filter(|(word, _)| word.to_lowercase().starts_with(&typed.to_lowercase()))
            .map(|(word, doc)| Candidate { line: format!("{} {word}", row.name), doc })
            .take(MAX_CANDIDATES)
            .collect()
    }
}
