//! What the guard asks git.

use super::log;
use crate::runtime::git::{Git, GitError};

impl Git {
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
            log::FORMAT,
        ];
        arguments.extend(commits.iter().map(String::as_str));
        arguments.push("--");
        self.run(&arguments, most, line)
    }
}
