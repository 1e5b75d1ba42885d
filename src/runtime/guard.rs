//! The embargo guard on a repository: secrets of open cases in branch names, commit messages, paths and added lines.
//!
//! Owns: what counts as secret of an open case, and which commits are looked at. Absent on purpose: the search
//! itself ([`crate::domain::guard`]) and any change to the repository. Read next: [`Guard::look`].

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::desk::{Desk, DeskError};
use crate::app::case::CaseView;
use crate::domain::CaseState;
use crate::domain::case::Direction;
use crate::domain::guard::{Hit, Secret, SecretKind, Watch, file_lines, fold, proof_lines};
use crate::export::draft_toml;
use crate::mail;

mod history;
mod log;

use super::git::{BYTES_MAX, COMMITS_MAX, Git, GitError};
use log::{Commit, Event};

/// Longest attachment that is read for lines, in bytes.
const ATTACHMENT_MAX: usize = 1 << 20;
/// Most telling lines of one case.
const CASE_LINES: usize = 2000;
/// Most findings that are told one by one.
pub const FINDINGS_MAX: usize = 500;
/// Longest time that git may take.
const TIME_MAX: Duration = Duration::from_secs(120);

/// Where a secret was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// The name of a branch or tag.
    Name(String),
    /// The message of a tag.
    Tag(String),
    /// The message of a commit.
    Message {
        /// The commit.
        commit: String,
    },
    /// A path that a commit adds or changes, as git writes it.
    Path {
        /// The commit.
        commit: String,
        /// The path.
        path: String,
    },
    /// A line that a commit adds.
    Line {
        /// The commit.
        commit: String,
        /// The path, as git writes it.
        path: String,
        /// Number of the line in the file, from 1.
        line: u64,
    },
}

/// A secret and where it was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub hit: Hit,
}

/// What a look brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Looked {
    /// Everything found, sorted, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// Commits looked at.
    pub commits: usize,
    /// Secrets looked for.
    pub secrets: usize,
}

/// Which commits are looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// What no remote has, of every branch and tag.
    Unpublished,
    /// A range such as `main..HEAD`.
    Range(String),
    /// What git's pre-push hook says is pushed: its standard input.
    Push(String),
}

/// Secrets of the open cases, ready to be looked for.
pub struct Guard {
    watch: Watch,
}

impl Guard {
    /// Gathers the secrets of every case that is neither published nor closed.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(desk: &Desk) -> Result<Self, DeskError> {
        let mut secrets = Vec::new();
        for record in desk.all_cases() {
            let record = record?;
            if !matches!(record.state, CaseState::Published | CaseState::Closed) {
                let view = desk.view_alone(record)?;
                secrets.extend(secrets_of(desk, &view));
            }
        }
        Ok(Self { watch: Watch::new(secrets) })
    }

    /// Looks through a repository.
    ///
    /// # Errors
    /// If git cannot be run or refuses, or if there is more than can be looked at: then nothing can be said.
    pub fn look(&self, repo: &Path, scope: &Scope) -> Result<Looked, GitError> {
        let git = Git::at(repo, TIME_MAX)?;
        let mut look = Look { watch: &self.watch, found: BTreeSet::new(), commits: 0 };
        let arguments = match scope {
            Scope::Range(range) => {
                look.names(&git)?;
                git.commits_of(range)?
            }
            Scope::Unpublished => {
                look.names(&git)?;
                let all = ["--branches", "--tags", "HEAD", "--not", "--remotes"];
                let all = all.into_iter().filter(|word| *word != "HEAD" || git.has_commits());
                all.map(str::to_owned).collect()
            }
            Scope::Push(input) => look.pushed(&git, input)?,
        };
        if !arguments.is_empty() {
            look.history(&git, &arguments)?;
        }
        Ok(Looked {
            findings: look.found.into_iter().take(FINDINGS_MAX).collect(),
            commits: look.commits,
            secrets: self.watch.len(),
        })
    }
}

/// A look under way.
struct Look<'w> {
    watch: &'w Watch,
    found: BTreeSet<Finding>,
    commits: usize,
}

impl Look<'_> {
    fn search(&mut self, text: &str, place: impl Fn() -> Place) {
        for hit in self.watch.find(text) {
            // One more than is told shows that there are more.
            if self.found.len() <= FINDINGS_MAX {
                self.found.insert(Finding { place: place(), hit });
            }
        }
    }

    /// Names of branches and tags, and what annotated tags say.
    fn names(&mut self, git: &Git) -> Result<(), GitError> {
        for (name, message) in git.references()? {
            self.search(&name, || Place::Name(name.clone()));
            self.search(&message, || Place::Tag(name.clone()));
        }
        Ok(())
    }

    /// Reads `<local ref> <local id> <remote ref> <remote id>` lines; the commits to look at.
    fn pushed(&mut self, git: &Git, input: &str) -> Result<Vec<String>, GitError> {
        let mut arguments = Vec::new();
        let mut known = Vec::new();
        for line in input.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let &[local, id, remote, remote_id] = words.as_slice() else {
                return Err(GitError::Hook);
            };
            let deleted = is_zero(id)?;
            if deleted {
                continue;
            }
            for name in [local, remote] {
                self.search(name, || Place::Name(name.to_owned()));
            }
            let message = git.tag_message(id)?;
            self.search(&message, || Place::Tag(local.to_owned()));
            arguments.push(id.to_owned());
            if !is_zero(remote_id)? && git.has(remote_id) {
                known.push(remote_id.to_owned());
            }
        }
        if !arguments.is_empty() {
            arguments.push("--not".into());
            arguments.push("--remotes".into());
            arguments.extend(known);
        }
        Ok(arguments)
    }

    fn history(&mut self, git: &Git, arguments: &[String]) -> Result<(), GitError> {
        let mut reader = log::Reader::default();
        let mut commit = Commit::default();
        git.log(arguments, BYTES_MAX, &mut |bytes| {
            let event = reader.line(bytes);
            self.event(event, &mut commit)
        })?;
        self.whole(&mut commit);
        Ok(())
    }

    fn event(&mut self, event: Event, commit: &mut Commit) -> Result<(), GitError> {
        match event {
            Event::Commit { id, message } => {
                self.whole(commit);
                self.commits += 1;
                if self.commits > COMMITS_MAX {
                    return Err(GitError::TooMuch);
                }
                self.search(&message, || Place::Message { commit: id.clone() });
                *commit = Commit { id, ..Commit::default() };
            }
            Event::Path(path) => {
                let place = || Place::Path { commit: commit.id.clone(), path: path.clone() };
                self.search(&path, place);
                commit.path = path;
            }
            Event::Added { text, line } => {
                for hit in self.watch.find(&text) {
                    if commit.added.len() <= FINDINGS_MAX {
                        commit.added.push((commit.path.clone(), line, fold(&text), hit));
                    }
                }
            }
            Event::Removed { text } => {
                if self.watch.find(&text).iter().any(|hit| hit.kind == SecretKind::Proof) {
                    commit.removed.insert(fold(&text));
                }
            }
            Event::Nothing => {}
        }
        Ok(())
    }

    /// At the end of a commit: a line that it only moves or indents was there before, and is no leak of its own.
    fn whole(&mut self, commit: &mut Commit) {
        for (path, line, text, hit) in std::mem::take(&mut commit.added) {
            let moved = hit.kind == SecretKind::Proof && commit.removed.contains(&text);
            if !moved && self.found.len() <= FINDINGS_MAX {
                let place = Place::Line { commit: commit.id.clone(), path, line };
                self.found.insert(Finding { place, hit });
            }
        }
    }
}

/// Whether an object id of the hook stands for "none".
fn is_zero(id: &str) -> Result<bool, GitError> {
    let plain = (40..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { Ok(id.bytes().all(|byte| byte == b'0')) } else { Err(GitError::Hook) }
}

/// What of a case must not stand in a public repository. Of a flaw that is public already, only who reported it
/// and our own id.
fn secrets_of(desk: &Desk, view: &CaseView) -> Vec<Secret> {
    let id = &view.row.id;
    let secret = |kind, text: String| Secret { case: id.clone(), kind, text };
    let mut secrets = vec![secret(SecretKind::CaseId, id.as_str().to_owned())];
    let machine = |address: &str| address.to_ascii_lowercase().ends_with("@github.com");
    let people = view.messages.iter().filter(|message| message.direction == Direction::In);
    for address in people.flat_map(|message| message.from.iter().chain(&message.answer_to)) {
        if !desk.rules.ours.is(&address.address) && !machine(&address.address) {
            secrets.push(secret(SecretKind::Reporter, address.address.clone()));
        }
    }
    let draft = view.case.advisory.as_deref().and_then(|toml| draft_toml::read(toml).ok());
    let public = draft.as_ref().is_some_and(|draft| draft.is_public() || draft.already_public);
    if view.row.public || public {
        return secrets;
    }
    let noted = view.readings().into_iter().filter_map(|reading| reading.ghsa.clone());
    let drafted = draft
        .into_iter()
        .flat_map(|draft| [draft.ghsa_id, draft.cve_id].into_iter().flatten().chain(draft.aliases));
    secrets.extend(noted.chain(drafted).map(|text| secret(SecretKind::AdvisoryId, text)));
    let lines = proof(desk, view).into_iter().take(CASE_LINES);
    secrets.extend(lines.map(|line| secret(SecretKind::Proof, line)));
    secrets
}

/// The telling lines of what came from outside: code blocks and attached text.
fn proof(desk: &Desk, view: &CaseView) -> Vec<String> {
    let mut lines = Vec::new();
    for message in view.messages.iter().filter(|message| message.direction == Direction::In) {
        lines.extend(proof_lines(&message.text));
        if message.attachments.is_empty() {
            continue;
        }
        let Ok(raw) = desk.raw(&message.id) else { continue };
        for part in mail::parse(&raw).parts.iter().filter(|part| part.attachment) {
            let Some(bytes) = part.bytes.get(..part.bytes.len().min(ATTACHMENT_MAX)) else {
                continue;
            };
            if let Ok(text) = std::str::from_utf8(bytes) {
                lines.extend(file_lines(text));
            }
        }
    }
    lines
}
