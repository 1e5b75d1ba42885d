//! The state machine: what the screens show and what a key, a worker's answer or the clock changes.
//!
//! Owns: [`Model`], [`Input`], [`update`], [`Effect`], [`Outcome`]. Absent on purpose: terminal, store, network,
//! threads and the clock. `update` never waits: it returns effects as plain values, and their outcomes come back
//! as inputs. One file per screen. Read next: `update`, then `run` for what
//! each command does.

pub mod acts;
pub mod advisory;
mod answer;
pub mod calculator;
pub mod case;
pub mod claims;
mod clocks;
pub mod deadlines;
mod decide;
mod draft;
pub mod editor;
mod enter;
pub mod form;
pub mod layer;
pub mod layout;
mod look;
mod many;
pub mod material;
mod merge;
pub mod next;
mod out;
mod outbox;
pub mod pin;
pub mod prompt;
pub mod queue;
pub mod row;
mod run;
pub mod sync;
pub mod thread;
pub mod triage;
pub mod twin;
mod update;
pub mod when;
pub mod words;

pub use sync::{Pace, Password, SyncState};
pub use update::update;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::command::{Command, Context};
use crate::domain::journal::Act;
use crate::domain::policy::Policy;
use crate::domain::{CaseId, MessageRef};
use crate::keymap::{Choice as KeyChoice, Key, Keymap};
use crate::mail::DisplayText;

use advisory::AdvisoryScreen;
use calculator::Calculator;
use case::{CaseScreen, CaseView};
use deadlines::DeadlinesScreen;
use editor::Editor;
use layer::Layer;
use prompt::{Prompt, Words};
use queue::Queue;
use row::CaseRow;

/// Which screen is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Screen {
    /// The list of cases.
    #[default]
    Queue,
    /// One case.
    Case,
    /// A draft being edited.
    Editor,
    /// The advisory of a case.
    Advisory,
    /// Every open clock.
    Deadlines,
}

/// How a status line is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something to know.
    Note,
    /// Something did not work.
    Error,
}

/// The status line.
#[derive(Clone, Debug)]
pub struct Toast {
    /// How it is meant.
    pub tone: Tone,
    /// Words.
    pub text: DisplayText,
}

/// An error as a person reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What was tried and why it failed, one sentence without its stop.
    pub what: String,
    /// What to do now.
    pub next: String,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// A key press.
    Key(Key),
    /// Pasted text, whole.
    Paste(String),
    /// The terminal's size in columns and rows.
    Resize(u16, u16),
    /// A worker's answer.
    Outcome(Outcome),
    /// A minute has passed: clocks move.
    Tick,
    /// The system asks the program to end.
    Stop,
}

/// What a worker answers.
#[derive(Debug)]
pub enum Outcome {
    /// Rows of the queue, in batches; `done` with the last one.
    Rows {
        /// Rows new or changed.
        rows: Vec<CaseRow>,
        /// Cases that no longer exist.
        gone: Vec<u64>,
        /// Whether this was the last batch of the first load.
        done: bool,
    },
    /// A case was read.
    Opened {
        /// Number of the request.
        request: u64,
        /// The case.
        case: Box<CaseView>,
    },
    /// An act was written to the journal: it is saved.
    Saved {
        /// What was done, for the status line.
        said: String,
        /// The case as it is now.
        case: Box<CaseView>,
    },
    /// Mails were put together or apart, or that was taken back.
    Regrouped {
        /// What was done, for the status line.
        said: String,
        /// Whether cases were merged just now.
        merged: bool,
        /// The case that it was done to, as it is now.
        case: Box<CaseView>,
        /// Rows new or changed.
        rows: Vec<CaseRow>,
        /// Cases that no longer exist.
        gone: Vec<u64>,
    },
    /// The raw mail of a message of the open case.
    Raw {
        /// Position in the thread.
        message: usize,
        /// Its lines, fit for the screen.
        lines: Vec<DisplayText>,
    },
    /// How far the look at a case's claims is.
    Claims {
        /// The case.
        case: CaseId,
        /// What is known.
        looked: claims::Looked,
    },
    /// Files were written.
    Written {
        /// What was written, for the status line.
        said: String,
    },
    /// Something did not work.
    Failed(Problem),
    /// State of the pull.
    Sync(SyncState),
    /// The pull has ended with an error.
    SyncFailed(Problem),
    /// The server refused the password: the next pull asks for that of this account.
    PasswordRefused(String),
    /// The store is being rebuilt or checked; shown until the next.
    Upkeep(String),
}

/// What is to be done outside.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Read the rows of the queue.
    LoadQueue,
    /// Read a case.
    OpenCase {
        /// Number of the request; the newest counts.
        request: u64,
        /// The case.
        case: CaseId,
    },
    /// Look up the claims of a case; an older look that still runs is stopped.
    CheckClaims {
        /// The case.
        case: CaseId,
    },
    /// Stop the look that runs.
    StopClaims,
    /// Write acts to the journal.
    Record {
        /// The case.
        case: CaseId,
        /// What is done, in order.
        acts: Vec<Act>,
        /// Words for the status line once it is saved.
        said: String,
    },
    /// Compensate the case's newest act.
    Undo {
        /// The case.
        case: CaseId,
    },
    /// Put the mails of a case into another.
    Merge {
        /// The case, or a unique beginning of its id.
        case: String,
        /// The one that stays.
        into: String,
    },
    /// Make a case of its own of a mail.
    Split {
        /// The case.
        case: CaseId,
        /// The mail.
        message: MessageRef,
    },
    /// Read the raw mail of a message.
    LoadRaw {
        /// The case.
        case: CaseId,
        /// Position in the thread.
        message: usize,
    },
    /// Write an attachment of a case to a file.
    SaveAttachment {
        /// The case.
        case: CaseId,
        /// Position of the message in the thread.
        message: usize,
        /// Position among its attachments.
        attachment: usize,
        /// The file; never overwritten.
        path: PathBuf,
        /// What is said behind the name of the file.
        notice: String,
    },
    /// Hand text to the terminal's clipboard.
    Copy(String),
    /// Write a calendar file; an older one of ours in its place is replaced.
    WriteCalendar {
        /// The file.
        path: PathBuf,
        /// Its content.
        calendar: String,
    },
    /// Write the reply draft of a case as a mail file.
    WriteEml {
        /// The case.
        case: CaseId,
        /// The file; never overwritten.
        path: PathBuf,
    },
    /// Check and write the advisory of a case.
    Export {
        /// The case.
        case: CaseId,
        /// The draft.
        toml: String,
        /// The formats to write.
        formats: Vec<crate::domain::advisory::Format>,
        /// The folder.
        folder: PathBuf,
    },
    /// Start a pull.
    StartSync {
        /// Go on by waiting for new mail.
        watch: bool,
        /// The password, if it was asked for.
        password: Option<Password>,
    },
    /// Stop it.
    CancelSync,
    /// Draw everything again.
    Redraw,
    /// Sleep until the shell wakes the program.
    Suspend,
    /// End.
    Quit,
}

/// All state of the program on the screen.
#[derive(Debug)]
pub struct Model {
    /// The screen shown.
    pub screen: Screen,
    /// The list of cases.
    pub queue: Queue,
    /// The open case.
    pub case: Option<CaseScreen>,
    /// The open editor.
    pub editor: Option<Editor>,
    /// The open advisory.
    pub advisory: Option<AdvisoryScreen>,
    /// The list of clocks.
    pub deadlines: Option<DeadlinesScreen>,
    /// The CVSS calculator over the case or its advisory.
    pub calculator: Option<Calculator>,
    /// What lies above the screen.
    pub layer: Option<Layer>,
    /// The one-line input.
    pub prompt: Option<Prompt>,
    /// The status line.
    pub toast: Option<Toast>,
    /// State of the pull.
    pub sync: SyncState,
    /// Whose password a pull has to ask for, such as `me at mail.example`; `None` where none is asked for or it is
    /// known.
    pub ask_password: Option<String>,
    /// What the store is busy with besides.
    pub upkeep: Option<String>,
    /// Keys of an unfinished sequence.
    pub pending: Vec<Key>,
    /// What may follow them.
    pub choices: Vec<KeyChoice>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The rules.
    pub policy: Arc<Policy>,
    /// The keys.
    pub keymap: Arc<Keymap>,
    /// Sentences of the policy text, if the maintainer points to one.
    pub policy_text: Option<Arc<crate::domain::policy_text::PolicyText>>,
    /// Who writes replies: `me` of the config.
    pub me: material::Me,
    /// The time that clocks are evaluated at.
    pub now: Timestamp,
    /// The zone of who reads; times are shown in UTC beside it.
    pub zone: TimeZone,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// Whether colours are used.
    pub colour: bool,
    /// Folder that exports are offered to go to.
    pub export_folder: PathBuf,
    request: u64,
    /// Whether the newest of them is still to come.
    opening: bool,
    /// Keys typed meanwhile.
    ahead: Vec<Key>,
    /// The template to propose once the case of this request is open.
    after_open: Option<(u64, &'static str)>,
    /// The walk through the queue, while one goes on.
    pub session: Option<triage::Session>,
    /// The cases of the newest act.
    last_act: Vec<CaseId>,
    /// The effects of the update that runs.
    effects: Vec<Effect>,
}

/// What a model begins with.
#[derive(Debug)]
pub struct Setup {
    /// The rules.
    pub policy: Arc<Policy>,
    /// The keys.
    pub keymap: Arc<Keymap>,
    /// Sentences of the policy text.
    pub policy_text: Option<Arc<crate::domain::policy_text::PolicyText>>,
    /// Who writes replies.
    pub me: material::Me,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The time.
    pub now: Timestamp,
    /// The zone of who reads.
    pub zone: TimeZone,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// Whether an account is configured.
    pub online: bool,
    /// Whose password a pull has to ask for.
    pub ask_password: Option<String>,
    /// Whether a pull starts at once.
    pub pull: bool,
    /// Whether colours are used.
    pub colour: bool,
    /// Folder that exports are offered to go to.
    pub export_folder: PathBuf,
}

impl Model {
    /// The model at the start, and what to do first.
    pub fn start(setup: Setup) -> (Self, Vec<Effect>) {
        let sync =
            if setup.online { SyncState::Idle("not pulled yet".into()) } else { SyncState::Off };
        let mut model = Self {
            screen: Screen::Queue,
            queue: Queue::loading(),
            case: None,
            editor: None,
            advisory: None,
            deadlines: None,
            calculator: None,
            layer: None,
            prompt: None,
            toast: None,
            sync,
            ask_password: setup.ask_password,
            upkeep: None,
            pending: Vec::new(),
            choices: Vec::new(),
            size: setup.size,
            policy: setup.policy,
            keymap: setup.keymap,
            policy_text: setup.policy_text,
            me: setup.me,
            now: setup.now,
            zone: setup.zone,
            read_only: setup.read_only,
            colour: setup.colour,
            export_folder: setup.export_folder,
            request: 0,
            opening: false,
            ahead: Vec::new(),
            after_open: None,
            session: None,
            last_act: Vec::new(),
            effects: vec![Effect::LoadQueue],
        };
        if setup.pull {
            sync::start(&mut model, false);
        }
        let first = std::mem::take(&mut model.effects);
        (model, first)
    }

    /// The context that keys are looked up in.
    pub fn context(&self) -> Context {
        if self.prompt.is_some() {
            return Context::Prompt;
        }
        if self.layer.is_some() {
            return Context::Overlay;
        }
        self.screen_context()
    }

    /// The context of the screen, calculator or dialog below prompt and layers.
    pub fn screen_context(&self) -> Context {
        if self.calculator.is_some() {
            return Context::Calculator;
        }
        match self.screen {
            Screen::Advisory if self.dialog().is_some() => Context::Form,
            Screen::Queue => Context::Queue,
            Screen::Case => Context::Case,
            Screen::Editor => Context::Editor,
            Screen::Advisory => Context::Advisory,
            Screen::Deadlines => Context::Deadlines,
        }
    }

    /// The dialog over the advisory form.
    pub fn dialog(&self) -> Option<&form::dialog::Dialog> {
        self.advisory.as_ref()?.dialog.as_ref()
    }

    /// The key of a command to be named in hints; `Esc` goes before its equals.
    pub fn key_of(&self, command: Command) -> Option<String> {
        let keys = self.keymap.keys_of(self.context(), command);
        let escape = keys.iter().position(|key| key == "Esc").filter(|_| self.typing());
        keys.into_iter().nth(escape.unwrap_or(0))
    }

    /// Whether letters go into a text.
    fn typing(&self) -> bool {
        matches!(self.context(), Context::Prompt | Context::Editor)
    }

    /// Whether another case than the one shown is about to be, so that keys are not meant for what is shown.
    fn awaits_case(&self) -> bool {
        self.opening || self.session.as_ref().is_some_and(triage::Session::is_acting)
    }

    /// Forgets the case that is being opened, and the keys typed for it.
    fn await_no_case(&mut self) {
        self.request += 1;
        self.opening = false;
        self.ahead.clear();
        triage::not_saved(self);
    }

    /// Says something in the status line.
    fn say(&mut self, tone: Tone, text: impl AsRef<str>) {
        self.toast = Some(Toast { tone, text: DisplayText::line(text.as_ref()) });
    }

    fn fail(&mut self, problem: &Problem) {
        self.say(Tone::Error, format!("{}. {}", problem.what, problem.next));
    }

    fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Writes acts to the journal, unless nothing can be written.
    fn record(&mut self, case: CaseId, acts: Vec<Act>, said: impl Into<String>) {
        if self.read_only {
            triage::not_saved(self);
            self.say(Tone::Error, "opened read-only: nothing is saved");
            return;
        }
        self.last_act = vec![case.clone()];
        self.push(Effect::Record { case, acts, said: said.into() });
    }

    /// Remembers the case that undo in the list means.
    fn acted_on(&mut self, case: CaseId) {
        self.last_act = vec![case];
    }

    fn words(&self) -> Words<'_> {
        Words {
            context: self.screen_context(),
            policy: &self.policy,
            templates: crate::reply::names(),
            keymap: &self.keymap,
        }
    }

    /// Opens the one-line input.
    fn ask(&mut self, asking: prompt::Asking, text: &str) {
        self.prompt = Some(Prompt::new(asking, text, &self.words()));
    }

    /// Where things stand on the case screen.
    pub fn case_layout(&self) -> layout::CaseLayout {
        let banner = self.case.as_ref().is_some_and(|case| !case.view.twins.is_empty());
        layout::case(self.size, banner)
    }

    /// Lays everything out for the current size.
    fn lay_out(&mut self) {
        let layout = self.case_layout();
        if let Some(case) = &mut self.case {
            case.lay_out(usize::from(layout.thread.width));
        }
        if let Some(advisory) = &mut self.advisory {
            advisory.lay_out(self.size);
        }
        if let Some(layer) = &mut self.layer {
            layer.lay_out(self.size);
        }
        self.settle();
    }

    /// Scrolls every list so that its cursor is on the screen.
    fn settle(&mut self) {
        self.queue.keep_in_sight(layout::queue_height(self.size));
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.keep_in_sight(layout::deadlines_height(self.size));
        }
        let layout = self.case_layout();
        if let Some(case) = &mut self.case {
            case.keep_in_sight(
                usize::from(layout.thread.height),
                usize::from(layout.checklist.height),
            );
        }
    }
}
