//! What can go wrong in the store, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not do something. One line, lower case; names what the user can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open for writing.
    #[error("the store is in use by another casebook{}: close that one, or open with --read-only", show_pid(*.pid))]
    Busy {
        /// Process id of the holder, where it could be read.
        pid: Option<u32>,
    },
    /// No space on the disk. Nothing that was acknowledged is lost.
    #[error("could not {doing}: the disk of {} is full: free some space and repeat; saved work is safe", .path.display())]
    Full {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The file system refuses writes.
    #[error("could not {doing}: {} is on a read-only file system: open with --read-only", .path.display())]
    ReadOnly {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The user has no permission.
    #[error("could not {doing}: no permission for {}: make it yours, or name another store with --store", .path.display())]
    Denied {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// Any other failure of the file system.
    #[error("could not {doing}: {} cannot be used", .path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The index cannot be read. The files beside it are the truth.
    #[error("could not {doing}: the index is damaged: run `casebook verify --rebuild`")]
    Index {
        /// What was attempted.
        doing: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored message or entry is not what was written.
    #[error(
        "could not read {what}: its copy in the archive is damaged: run `casebook verify` for the list"
    )]
    Damaged {
        /// Which.
        what: String,
    },
    /// Written by a later version of this program.
    #[error(
        "the store was written by a newer casebook (format {found}): use that version; nothing was changed"
    )]
    Newer {
        /// Format found.
        found: u32,
    },
    /// There is no such thing in the store.
    #[error("there is no {what} in the store")]
    NotFound {
        /// Which.
        what: String,
    },
    /// A message beyond [`super::MAX_MESSAGE`].
    #[error("could not store a message of {size} bytes: the most is {}", super::MAX_MESSAGE)]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// A prefix that several cases share.
    #[error("{prefix} could be any of {}: type more letters", .matches.join(" "))]
    Ambiguous {
        /// What was typed.
        prefix: String,
        /// Some of the case ids that begin so.
        matches: Vec<String>,
    },
}

/// What a caller does about an error; the exit status follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Another process holds the store (exit 3).
    Busy,
    /// Something stored is not as written, or of a newer version (exit 3).
    Damaged,
    /// No space; goes on after space is back.
    Full,
    /// Not writable; reading works.
    ReadOnly,
    /// Not there, or not named clearly (exit 2).
    NotFound,
    /// Anything else.
    Other,
}

impl StoreError {
    /// What kind of trouble it is.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Index { .. } | Self::Damaged { .. } | Self::Newer { .. } => ErrorKind::Damaged,
            Self::Full { .. } => ErrorKind::Full,
            Self::ReadOnly { .. } | Self::Denied { .. } => ErrorKind::ReadOnly,
            Self::NotFound { .. } | Self::Ambiguous { .. } => ErrorKind::NotFound,
            Self::Io { .. } | Self::TooLarge { .. } => ErrorKind::Other,
        }
    }

    /// Sorts an error of the file system.
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.to_owned();
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full { doing, path },
            Kind::ReadOnlyFilesystem => Self::ReadOnly { doing, path },
            Kind::PermissionDenied => Self::Denied { doing, path },
            _ => Self::Io { doing, path, source },
        }
    }
}

fn show_pid(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Sugar for mapping `io::Result`.
pub(super) trait IoContext<T> {
    /// Says what was attempted, and where.
    fn context(self, doing: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, doing: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::io(doing, path, source))
    }
}
