//! Running git: arguments as a list, never a shell; bounded in bytes and time; nothing of the user's settings that
//! changes what is printed, and nothing that runs a program or asks the network.
//!
//! What is asked stands with those who ask: [`super::guard`] and [`super::claims`]. Names that are not ours go to
//! git's standard input, never among its arguments.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Most commits of one look.
pub const COMMITS_MAX: usize = 20_000;
/// Most bytes of history of one look.
pub const BYTES_MAX: u64 = 512 << 20;
/// Longest short answer of git, in bytes.
const ANSWER_MAX: u64 = 32 << 20;
/// Longest line that is looked at as one, in bytes; a longer one is looked at in pieces.
const LINE_MAX: u64 = 1 << 20;

/// Why the guard can say nothing about a repository.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// git is not there, or cannot be started.
    #[error("could not run git: {0}")]
    Run(#[from] std::io::Error),
    /// git refused.
    #[error("git could not read the repository: {0}")]
    Refused(String),
    /// git took too long.
    #[error("git took longer than {} seconds", .0.as_secs())]
    Slow(Duration),
    /// More commits or bytes than can be looked at.
    #[error("there is more to look at than {} commits or {} MiB", COMMITS_MAX, BYTES_MAX >> 20)]
    TooMuch,
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
    /// The range names no commits.
    #[error("{0:?} is no range of commits")]
    Range(String),
    /// Standard input is not what git gives its pre-push hook.
    #[error("standard input is not what git gives a pre-push hook")]
    Hook,
}

impl GitError {
    /// What to do now.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Run(_) => "install git, or check that it is on the PATH",
            Self::Refused(_) => "name the folder of a git repository that you own",
            Self::Slow(_) | Self::TooMuch => {
                "fetch the remotes so that less counts as new, or name a part with --range A..B"
            }
            Self::Range(_) => "write it like main..HEAD",
            Self::Stopped => "ask again",
            Self::Hook => "let git run it: .git/hooks/pre-push with `exec casebook guard . --hook`",
        }
    }
}

/// A repository.
pub struct Git {
    repo: OsString,
    limit: Duration,
}

impl Git {
    /// The repository at this path.
    pub fn at(repo: &Path, limit: Duration) -> Result<Self, GitError> {
        let git = Self { repo: repo.as_os_str().to_owned(), limit };
        git.answer(&["rev-parse", "--git-dir"])?;
        Ok(git)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.repo)
            // Settings that would change what is printed, or run a program of the repository's choice.
            .args(["-c", "core.quotePath=true", "-c", "core.fsmonitor=false"])
            .args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"])
            .args(["-c", "log.showSignature=false", "-c", "log.showRoot=true"])
            .args(["-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false"])
            .args(["-c", "i18n.logOutputEncoding=UTF-8", "-c", "diff.suppressBlankEmpty=false"])
            .arg("--no-pager")
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            // A clone in part would fetch what it lacks.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env_remove("GIT_EXTERNAL_DIFF")
            .env_remove("GIT_DIFF_OPTS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A short answer as text; bytes that are no UTF-8 are replaced.
    pub(super) fn answer(&self, arguments: &[&str]) -> Result<String, GitError> {
        let mut text = Vec::new();
        self.run(arguments, ANSWER_MAX, &mut |line| {
            text.extend_from_slice(line);
            Ok(())
        })?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs git and hands its output over line by line, line ends included.
    pub(super) fn run(
        &self,
        arguments: &[&str],
        most: u64,
        line: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        self.read(arguments, None, &mut |output| pieces(output, most, line))
    }

    /// Runs git with `input` on its standard input and hands its output over as a stream. If `read` fails, git is
    /// killed.
    pub(super) fn read(
        &self,
        arguments: &[&str],
        input: Option<Vec<u8>>,
        read: &mut dyn FnMut(&mut dyn Read) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let mut command = self.command(arguments);
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn()?;
        let (output, complaint) = (child.stdout.take(), child.stderr.take());
        let feed = child.stdin.take().zip(input).map(|(mut stdin, input)| {
            // It ends early where git does; git says why.
            std::thread::spawn(move || stdin.write_all(&input).is_ok())
        });
        let complaint = std::thread::spawn(move || complaint.map_or_else(String::new, first_words));
        let watched = Watched::new(child, self.limit);
        let done = output.map_or(Ok(()), |mut output| read(&mut output));
        if done.is_err() {
            watched.kill();
        }
        let (status, slow) = watched.wait()?;
        let complaint = complaint.join().unwrap_or_default();
        if let Some(feed) = feed {
            let _ = feed.join();
        }
        if slow {
            return Err(GitError::Slow(self.limit));
        }
        done?;
        if status.success() {
            return Ok(());
        }
        let first = complaint.lines().next().unwrap_or("it gave no reason");
        let first = first.trim_start_matches("fatal: ").trim_end_matches('.');
        Err(GitError::Refused(first.chars().take(200).collect()))
    }
}

/// The beginning of what git complains of; the rest is read away, so that git is never held up by it.
fn first_words(mut complaint: impl Read) -> String {
    let mut text = Vec::new();
    let _ = complaint.by_ref().take(4096).read_to_end(&mut text);
    let _ = std::io::copy(&mut complaint, &mut std::io::sink());
    String::from_utf8_lossy(&text).into_owned()
}

/// Lines of a stream, at most `most` bytes of it.
fn pieces(
    output: impl std::io::Read,
    most: u64,
    line: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
) -> Result<(), GitError> {
    let mut reader = BufReader::with_capacity(1 << 16, output);
    let (mut buffer, mut total) = (Vec::new(), 0);
    loop {
        buffer.clear();
        let count = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        total += count as u64;
        if total > most {
            return Err(GitError::TooMuch);
        }
        line(&buffer)?;
    }
}

/// A child that is killed when its time is over.
struct Watched {
    child: Arc<Mutex<Child>>,
    slow: Arc<AtomicBool>,
    done: Sender<()>,
    watch: std::thread::JoinHandle<()>,
}

impl Watched {
    fn new(child: Child, limit: Duration) -> Self {
        let child = Arc::new(Mutex::new(child));
        let slow = Arc::new(AtomicBool::new(false));
        let (done, over) = channel();
        let (theirs, late) = (Arc::clone(&child), Arc::clone(&slow));
        let watch = std::thread::spawn(move || {
            if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                late.store(true, Ordering::Relaxed);
                kill(&theirs);
            }
        });
        Self { child, slow, done, watch }
    }

    fn kill(&self) {
        kill(&self.child);
    }

    /// Waits for the end; whether it was killed for its slowness.
    fn wait(self) -> Result<(std::process::ExitStatus, bool), GitError> {
        // Its output is closed, so the end is near; the watch must be able to kill it until then.
        let status = loop {
            let mut child = self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(status) = child.try_wait()? {
                break status;
            }
            drop(child);
            std::thread::sleep(Duration::from_millis(2));
        };
        let _ = self.done.send(());
        let _ = self.watch.join();
        Ok((status, self.slow.load(Ordering::Relaxed)))
    }
}

fn kill(child: &Mutex<Child>) {
    let _ = child.lock().unwrap_or_else(std::sync::PoisonError::into_inner).kill();
}
