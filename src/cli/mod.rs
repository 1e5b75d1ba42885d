//! The command line: arguments, headless commands, exit status.
//!
//! Owns: what is printed outside the screen. Results go to standard output, everything else to standard error;
//! `--json` prints one document. Read next: [`args`], then the command's file.

#![expect(clippy::print_stderr, reason = "this is the part that prints")]

mod act;
mod args;
mod deadlines;
mod draft;
mod guard;
mod house;
mod init;
mod intake;
mod json;
mod outbox;
mod policy;
mod precedent;
mod progress;
mod read;
mod screen;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use crate::app::Problem;
use crate::domain::policy::Policy;
use crate::mail::DisplayText;
use crate::runtime::clock::Clock;
use crate::runtime::desk::{Desk, DeskError};
use crate::runtime::setup::{self, Options, Setup};
use crate::store::{CaseRecord, ErrorKind};
use args::{Cli, Command, Global, PolicyAction};
pub(crate) use progress::Progress;

/// Why a command ended without its result, with its exit status (README, Install and configure).
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    problem: Problem,
}

impl Failure {
    /// Usage or config: exit 2.
    pub(crate) fn usage(problem: Problem) -> Self {
        Self { code: 2, problem }
    }

    /// Network or login: exit 4.
    pub(crate) fn network(problem: Problem) -> Self {
        Self { code: 4, problem }
    }

    /// Refused for the embargo or a lint error: exit 5.
    pub(crate) fn refused(problem: Problem) -> Self {
        Self { code: 5, problem }
    }

    /// The store is damaged: exit 3.
    pub(crate) fn damaged(problem: Problem) -> Self {
        Self { code: 3, problem }
    }

    /// A signal stopped it: 128 and the signal's number.
    pub(crate) fn interrupted(code: u8, problem: Problem) -> Self {
        Self { code, problem }
    }

    /// The check found faults, which are printed already: exit 1.
    pub(crate) fn faults(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: 1, problem: Problem { what: what.into(), next: next.into() } }
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        let code = match &error {
            DeskError::Store(store) => match store.kind() {
                ErrorKind::NotFound => 2,
                _ => 3,
            },
            _ => 2,
        };
        Self { code, problem: error.problem() }
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<crate::app::acts::Refusal> for Failure {
    fn from(refusal: crate::app::acts::Refusal) -> Self {
        Self::usage(Problem { what: refusal.what, next: refusal.instead })
    }
}

/// What every command works with.
pub(crate) struct Context {
    global: Global,
    clock: Clock,
}

/// Damaged places that are named when a store is opened.
const DAMAGES_SHOWN: usize = 5;

impl Context {
    /// Reads config, policy and keymap.
    pub(crate) fn setup(&self) -> Result<Setup, Failure> {
        let options = Options {
            config: self.global.config.clone(),
            store: self.global.store.clone(),
            clock: self.clock,
            read_only: self.global.read_only,
        };
        Setup::read(options).map_err(Failure::usage)
    }

    /// The policy, for commands that need no store. A broken config must not stand in their way, so the shipped
    /// policy stands in.
    pub(crate) fn policy(&self) -> Result<Arc<Policy>, Failure> {
        match self.setup() {
            Ok(setup) => Ok(setup.policy),
            Err(_) => Ok(Arc::new(setup::embedded("octoprint").map_err(Failure::usage)?)),
        }
    }

    /// Opens the store with every mail judged, of a long backlog the next portion.
    pub(crate) fn desk(&self) -> Result<Desk, Failure> {
        let desk = self.open(&self.setup()?)?;
        judge(&desk, PORTION)?;
        Ok(desk)
    }

    /// Opens the store for reading only, whatever the options say.
    pub(crate) fn reading_desk(&self) -> Result<Desk, Failure> {
        let global = Global { read_only: true, ..self.global.clone() };
        Self { global, clock: self.clock }.desk()
    }

    /// Opens the store of a setup; long work on it is shown.
    pub(crate) fn open(&self, setup: &Setup) -> Result<Desk, Failure> {
        let opening = setup.opening();
        let mut progress = Progress::new();
        let mut opening_line = Some(progress.soon("opening the store…"));
        let desk = Desk::open(opening, &mut |what, done, total| {
            opening_line = None;
            progress.show(&format!("{what}: {done} of {total}"));
        });
        drop(opening_line);
        progress.end();
        let desk = desk?;
        for path in desk.store.moved_aside() {
            eprintln!("casebook: kept aside after damage: {}", shown(&path.display().to_string()));
        }
        let damages = desk.store.damages();
        for damage in damages.iter().take(DAMAGES_SHOWN) {
            eprintln!("casebook: damaged: {}", shown(&damage.to_string()));
        }
        if damages.len() > DAMAGES_SHOWN {
            eprintln!(
                "casebook: and {} more, named by `casebook verify`",
                damages.len() - DAMAGES_SHOWN
            );
        }
        Ok(desk)
    }

    /// Whether one JSON document is wanted.
    pub(crate) const fn json(&self) -> bool {
        self.global.json
    }
}

/// Mails that a command waits for the rules to read. A day's mail is far below; the backlog of a first pull is not.
pub(crate) const PORTION: u64 = 500;

/// Lets the rules read what they have not read yet, about `most` mails of it; long work is shown, and so is what is
/// left.
pub(crate) fn judge(desk: &Desk, most: u64) -> Result<(), Failure> {
    let mut progress = Progress::new();
    let left = desk.judge_up_to(most, &mut |what, done, total| {
        progress.show(&format!("{what}: {done} of {total}"));
    })?;
    progress.end();
    if left > 0 {
        eprintln!(
            "note: {left} mails are listed without a suggestion; the rules read them while the screen is open, and \
             {most} with each command"
        );
    }
    Ok(())
}

/// The case that a name means; where it is the id of a merged one, that is said.
pub(crate) fn find(desk: &Desk, name: &str) -> Result<CaseRecord, Failure> {
    let record = desk.find(name)?;
    if !record.id.as_str().starts_with(&name.to_lowercase()) {
        eprintln!("{} is merged into {}", shown(name), record.id);
    }
    Ok(record)
}

/// Text of unknown origin on a terminal or in a pipe: nothing in it is obeyed.
pub(crate) fn shown(text: &str) -> String {
    DisplayText::line(text).as_str().to_owned()
}

/// Prints a JSON document.
pub(crate) fn print_json<T: serde::Serialize>(document: &T) {
    match serde_json::to_string_pretty(document) {
        Ok(text) => print(&format!("{text}\n")),
        Err(error) => eprintln!("casebook: could not make the JSON document: {error}"),
    }
}

/// Prints to standard output; a closed pipe is no error.
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Runs the program.
pub fn main() -> ExitCode {
    crate::runtime::cores::none();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if !error.use_stderr() {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            // It quotes what was typed, which may hold anything.
            for line in error.render().to_string().lines() {
                eprintln!("{}", shown(line));
            }
            return ExitCode::from(2);
        }
    };
    let json = cli.global.json;
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            let Problem { what, next } = failure.problem;
            eprintln!("casebook: {}. {}.", shown(&what), shown(&next));
            if json && !matches!(failure.code, 1 | 5) {
                print_json(&serde_json::json!({ "error": what, "next": next }));
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let clock = cli.global.now.map_or_else(Clock::system, Clock::fixed);
    let context = Context { global: cli.global, clock };
    let Some(command) = cli.command else {
        return screen::open(&context);
    };
    match command {
        Command::Demo { plain, fault } => return screen::demo(&context, plain, fault),
        Command::Init => init::init(&context)?,
        Command::Sync { watch } => intake::sync(&context, watch)?,
        Command::Import { paths } => intake::import(&context, &paths)?,
        Command::List { state, query } => read::list(&context, state, &query)?,
        Command::Show { case } => read::show(&context, &case)?,
        Command::Hints { case } => read::hints(&context, &case)?,
        Command::Answer { case, clause, answer, evidence, reason } => {
            act::answer(&context, &case, &clause, answer, evidence.as_deref(), reason)?;
        }
        Command::Score { case, vector } => act::score(&context, &case, &vector)?,
        Command::Decide { case, disposition, clauses, reason } => {
            act::decide(&context, &case, disposition, clauses, reason)?;
        }
        Command::Note { case, text } => act::note(&context, &case, text)?,
        Command::Pause { case, until, reason } => act::pause(&context, &case, until, reason)?,
        Command::Resume { case } => act::resume(&context, &case)?,
        Command::Deadlines { ics } => deadlines::list(&context, ics.as_deref())?,
        Command::Merge { case, into } => act::merge(&context, &case, &into)?,
        Command::Split { case, messages } => act::split(&context, &case, &messages)?,
        Command::Precedent { action } => return precedent::run(&context, action),
        Command::Undo { case } => act::undo(&context, &case)?,
        Command::Reply { case, template, out, queue } => {
            draft::reply(&context, &case, template, out.as_deref(), queue)?;
        }
        Command::Outbox { out } => outbox::list(&context, out.as_deref())?,
        Command::Advisory { case, from, out } => {
            draft::advisory(&context, case.as_deref(), from.as_deref(), out.as_deref())?;
        }
        Command::Export { case, draft, format, out } => {
            draft::export(&context, case.as_deref(), draft.as_deref(), &format, &out)?;
        }
        Command::Guard { repo, range, hook, remote } => {
            // The arguments that git gives a hook: the remote's name, which is its address where it has none.
            let _ = remote;
            guard::guard(&context, &repo, range.as_deref(), hook)?;
        }
        Command::Cvss { vectors } => house::cvss(&context, &vectors)?,
        Command::Policy { action: PolicyAction::Show } => policy::show(&context)?,
        Command::Policy { action: PolicyAction::Check { file, since } } => {
            policy::check(&context, file.as_deref(), since.as_deref())?;
        }
        Command::Verify { rebuild } => house::verify(&context, rebuild)?,
        Command::Keys => house::keys(&context)?,
        Command::Doctor => house::doctor(&context)?,
        Command::Completions { shell } => house::completions(shell),
        Command::Man => house::man()?,
    }
    Ok(ExitCode::SUCCESS)
}
