//! Running git: arguments as a list, never a shell; bounded in bytes and time; nothing of the user's settings that
//! changes what is printed.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    #[error("there is more to look at than {} commits or {} MiB", super::COMMITS_MAX, super::BYTES_MAX >> 20)]
    TooMuch,
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
            .args(["-c", "log.showSignature=false", "-c", "log.showRoot=true"])
            .args(["-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false"])
            .args(["-c", "i18n.logOutputEncoding=UTF-8", "-c", "diff.suppressBlankEmpty=false"])
            .arg("--no-pager")
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env_remove("GIT_EXTERNAL_DIFF")
            .env_remove("GIT_DIFF_OPTS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A short answer as text; bytes that are no UTF-8 are replaced.
    fn answer(&self, arguments: &[&str]) -> Result<String, GitError> {
        let mut text = Vec::new();
        self.run(arguments, ANSWER_MAX, &mut |line| {
            text.extend_from_slice(line);
            Ok(())
        })?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Whether there is a commit at all.
    pub fn has_commits(&self) -> bool {
        self.answer(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).is_ok()
    }

    /// Whether this repository has the object.
    pub fn has(&self, id: &str) -> bool {
        self.answer(&["cat-file", "-e", id]).is_ok()
    }

    /// A range of the user's as arguments that can be no options.
    pub fn commits_of(&self, range: &str) -> Result<Vec<String>, GitError> {
        let wrong = || GitError::Range(range.to_owned());
        if range.starts_with('-') || !range.contains("..") {
            return Err(wrong());
        }
        let commits = self.answer(&["rev-parse", "--revs-only", "--end-of-options", range]);
        let commits: Vec<String> =
            commits.map_err(|_| wrong())?.lines().map(str::to_owned).collect();
        let plain = |id: &String| {
            let id = id.trim_start_matches('^');
            id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if commits.is_empty() || !commits.iter().all(plain) { Err(wrong()) } else { Ok(commits) }
    }

    /// Branches and tags with the messages of annotated tags.
    pub fn references(&self) -> Result<Vec<(String, String)>, GitError> {
        let form = "--format=%(refname)%00%(if)%(object)%(then)%(contents)%(end)%00";
        let text = self.answer(&["for-each-ref", form, "refs/heads", "refs/tags"])?;
        let mut fields = text.split('\0').map(|field| field.trim_start_matches('\n').to_owned());
        let mut found = Vec::new();
        while let (Some(name), Some(message)) = (fields.next(), fields.next()) {
            if !name.is_empty() {
                found.push((name, message));
            }
        }
        Ok(found)
    }

    /// Full names of all branches, remote branches and tags.
    pub fn names(&self) -> Result<Vec<String>, GitError> {
        let kinds = ["refs/heads", "refs/remotes", "refs/tags"];
        let text = self.answer(&[&["for-each-ref", "--format=%(refname)"], &kinds[..]].concat())?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Whether a path is there at a branch, tag or `HEAD` that [`Git::names`] has given.
    pub fn has_path(&self, at: &str, path: &str) -> bool {
        let object = format!("{at}:{path}");
        self.answer(&["rev-parse", "--verify", "--quiet", "--end-of-options", &object]).is_ok()
    }

    /// The text of a tag object; empty for any other object.
    pub fn tag_message(&self, id: &str) -> Result<String, GitError> {
        if self.answer(&["cat-file", "-t", id])?.trim() == "tag" {
            self.answer(&["cat-file", "tag", id])
        } else {
            Ok(String::new())
        }
    }

    /// The history of some commits with what each adds and removes, line by line (see [`super::log`]).
    pub fn log(
        &self,
        commits: &[String],
        most: u64,
        line: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let mut arguments = vec![
            "log",
            "--no-color",
            "--no-notes",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--text",
            "--unified=0",
            "--patch",
            "-c",
            super::log::FORMAT,
        ];
        arguments.extend(commits.iter().map(String::as_str));
        arguments.push("--");
        self.run(&arguments, most, line)
    }

    /// Runs git and hands its output over line by line, line ends included.
    fn run(
        &self,
        arguments: &[&str],
        most: u64,
        line: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let mut child = self.command(arguments).spawn()?;
        let (output, complaint) = (child.stdout.take(), child.stderr.take());
        let complaint = std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(complaint) = complaint {
                // What is beyond this is read away, so that git is never held up by it.
                let mut complaint = complaint.take(u64::MAX);
                let _ = complaint.by_ref().take(4096).read_to_end(&mut text);
                let _ = std::io::copy(&mut complaint, &mut std::io::sink());
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let watched = Watched::new(child, self.limit);
        let mut read = Ok(());
        if let Some(output) = output {
            read = pieces(output, most, line);
        }
        if read.is_err() {
            watched.kill();
        }
        let (status, slow) = watched.wait()?;
        let complaint = complaint.join().unwrap_or_default();
        if slow {
            return Err(GitError::Slow(self.limit));
        }
        read?;
        if status.success() {
            return Ok(());
        }
        let first = complaint.lines().next().unwrap_or("it gave no reason");
        let first = first.trim_start_matches("fatal: ").trim_end_matches('.');
        Err(GitError::Refused(first.chars().take(200).collect()))
    }
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
