//! The command line as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use jiff::Timestamp;

use crate::domain::journal::AnswerValue;
use crate::domain::{CaseState, Disposition};
use crate::runtime::fault::Fault;

/// A console for an open-source project's security inbox. Without a command it opens the screen.
#[derive(Debug, Parser)]
#[command(name = "casebook", version, about, max_term_width = 100)]
pub struct Cli {
    /// Options that may stand before or after the command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Config file [env: CASEBOOK_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the store [env: CASEBOOK_STORE]
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Evaluate clocks as of this time
    #[arg(long, global = true, value_name = "RFC3339", value_parser = instant)]
    pub now: Option<Timestamp>,
    /// Write nothing
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Use no colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a sample inbox: no account, no network, nothing left behind
    Demo {
        /// Print what was done instead of opening the screen
        #[arg(long)]
        plain: bool,
        /// Fail on purpose, for tests of what a fault does to the terminal
        #[arg(long, hide = true, value_parser = fault)]
        fault: Option<Fault>,
    },
    /// Ask for account and policy, and write the config
    Init,
    /// Pull new mail; the mailbox is never changed
    Sync {
        /// Go on until stopped: the server tells when something comes
        #[arg(long)]
        watch: bool,
    },
    /// Take in .eml files, mbox files and Maildir folders
    Import {
        /// Files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// List the cases
    List {
        /// Only cases in this state
        #[arg(long, value_parser = state)]
        state: Option<CaseState>,
        /// Words that the case holds; state:WORD, suggested:WORD, is:open and is:unanswered narrow
        query: Vec<String>,
    },
    /// Show a case with its mails
    Show {
        /// Its id, or the first letters of it
        case: String,
    },
    /// Show what the rules read out of a case; changes nothing
    Hints {
        /// Its id, or the first letters of it
        case: String,
    },
    /// Answer a question of the checklist
    Answer {
        /// The case
        case: String,
        /// The decision point, such as NQ11
        clause: String,
        /// yes, no or unclear
        #[arg(value_parser = answer)]
        answer: AnswerValue,
        /// The lines that show it: MESSAGE:LINE or MESSAGE:FIRST-LAST
        #[arg(long, value_name = "MSG:LINE[-LINE]")]
        evidence: Option<String>,
        /// Or the reason
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Set our CVSS vector
    Score {
        /// The case
        case: String,
        /// A complete vector
        vector: String,
    },
    /// Decide a case
    Decide {
        /// The case
        case: String,
        /// accept, reject, duplicate, needs-info, …
        #[arg(value_parser = disposition)]
        disposition: Disposition,
        /// By which clause; may be given several times, strongest first
        #[arg(long = "clause", value_name = "ID")]
        clauses: Vec<String>,
        /// Reason, where no clause is named
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Keep a note on a case
    Note {
        /// The case
        case: String,
        /// The note
        text: String,
    },
    /// Put the mails of a case into another one that tells of the same flaw
    Merge {
        /// The case, usually the later report
        case: String,
        /// The case that stays
        into: String,
    },
    /// Make a case of its own of some mails of a case
    Split {
        /// The case
        case: String,
        /// Its mails: numbers as `show` counts them, or ids
        #[arg(required = true, value_name = "MSG")]
        messages: Vec<String>,
    },
    /// Keep published advisories, so that reports of what they tell are recognised
    Precedent {
        /// What to do
        #[command(subcommand)]
        action: PrecedentAction,
    },
    /// Take the last act on a case back
    Undo {
        /// The case
        case: String,
    },
    /// Draft a reply; nothing is sent
    Reply {
        /// The case
        case: String,
        /// Template; by default the one of the decision, else of the suggestion
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
        /// Write the draft as a mail file instead of printing its text
        #[arg(long, value_name = "FILE.eml")]
        out: Option<PathBuf>,
        /// Put the draft into the outbox, which stops the clock of the first answer
        #[arg(long)]
        queue: bool,
    },
    /// List the replies that wait to be sent; nothing is sent
    Outbox {
        /// Write each as a mail file into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print the advisory draft of a case as TOML, or of a published record
    Advisory {
        /// The case
        #[arg(required_unless_present = "from", conflicts_with = "from")]
        case: Option<String>,
        /// An OSV record, CVE record or GitHub advisory instead of a case
        #[arg(long, value_name = "FILE.json")]
        from: Option<PathBuf>,
        /// Write it to a file
        #[arg(long, value_name = "FILE.toml")]
        out: Option<PathBuf>,
    },
    /// Check an advisory and write it in the formats asked for
    Export {
        /// The case
        #[arg(required_unless_present = "draft", conflicts_with = "draft")]
        case: Option<String>,
        /// A draft as TOML instead of a case
        #[arg(long, value_name = "FILE.toml")]
        draft: Option<PathBuf>,
        /// ghsa, osv, csaf, csaf-2.1, cve, openvex, markdown, post or all, separated by commas
        #[arg(long, value_delimiter = ',', required = true)]
        format: Vec<String>,
        /// Folder to write into
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Look for secrets of open cases in a repository: in what is not on a remote yet, or in what is pushed
    #[command(
        after_help = "As a hook, .git/hooks/pre-push: exec casebook guard . --hook -- \"$@\""
    )]
    Guard {
        /// The repository
        repo: PathBuf,
        /// Only these commits, such as main..HEAD
        #[arg(long, value_name = "A..B", conflicts_with = "hook")]
        range: Option<String>,
        /// Run as git's pre-push hook: read what is pushed from standard input
        #[arg(long)]
        hook: bool,
        /// What git tells the hook of the remote
        #[arg(last = true, hide = true, num_args = 0..)]
        remote: Vec<String>,
    },
    /// Explain and score CVSS vectors; needs no store
    Cvss {
        /// Vectors
        #[arg(required = true)]
        vectors: Vec<String>,
    },
    /// Show the policy's checklist, or check the policy's text against it
    Policy {
        /// What to do
        #[command(subcommand)]
        action: PolicyAction,
    },
    /// Check the whole store: archive, journal, index
    Verify {
        /// Build the index anew from archive and journal
        #[arg(long)]
        rebuild: bool,
    },
    /// Print the keys of every screen
    Keys,
    /// Check config, policy, keymap, secret and store
    Doctor,
    /// Print a completion script
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// What to do with the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyAction {
    /// Print every decision point
    Show,
    /// Tell what drifted apart: text and checklist, and what they name that the checkout does not have
    Check {
        /// The policy's text; by default the one of the config
        #[arg(value_name = "FILE.md")]
        file: Option<PathBuf>,
        /// Tell what changed since this former version of the text instead
        #[arg(long, value_name = "OLD.md")]
        since: Option<PathBuf>,
    },
}

/// What to do with published advisories.
#[derive(Debug, Subcommand)]
pub enum PrecedentAction {
    /// Keep OSV records, CVE records or GitHub advisories
    Add {
        /// Files
        #[arg(required = true, value_name = "FILE.json")]
        files: Vec<PathBuf>,
    },
    /// List what is kept
    List,
    /// Take one out
    Remove {
        /// Its name or any id of it
        name: String,
    },
    /// Take the last act on one back
    Undo {
        /// Its name
        name: String,
    },
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "give date, time and offset, such as 2026-11-01T12:00:00Z".to_owned())
}

fn state(text: &str) -> Result<CaseState, String> {
    CaseState::parse(text).ok_or_else(|| one_of(CaseState::ALL.map(CaseState::as_str)))
}

fn fault(text: &str) -> Result<Fault, String> {
    let known = Fault::ALL.into_iter().find(|fault| fault.as_str() == text);
    known.ok_or_else(|| one_of(Fault::ALL.map(Fault::as_str)))
}

fn answer(text: &str) -> Result<AnswerValue, String> {
    AnswerValue::parse(text).ok_or_else(|| one_of(["yes", "no", "unclear"]))
}

fn disposition(text: &str) -> Result<Disposition, String> {
    Disposition::parse(text).ok_or_else(|| one_of(Disposition::ALL.map(Disposition::as_str)))
}

fn one_of<const N: usize>(words: [&str; N]) -> String {
    format!("one of: {}", words.join(", "))
}
