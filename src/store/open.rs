//! Opening a store: lock, permission bits, and the comparison of index and files.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use super::archive::{self, Archive};
use super::error::{IoContext as _, StoreError};
use super::index::{self, Index, Trouble};
use super::journal::{self, Journal, JournalPosition};
use super::scan::{self, ArchivePosition};
use super::{Store, files, seal};
use crate::domain::journal::Entry;

/// How a store is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode<'a> {
    /// For one process at a time; makes what is missing.
    ReadWrite,
    /// Changes nothing in the store's folder and takes no lock, so it works beside a writer, on a read-only
    /// file system and on a full disk. sled needs files that it may write: a copy of the index is made in
    /// `scratch`, an existing private folder elsewhere, which the caller removes afterwards.
    ReadOnly {
        /// Folder for the copy.
        scratch: &'a Path,
    },
}

/// What opening found, and so what the caller has to do first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// An empty store.
    Fresh,
    /// Index and files agree.
    Sound,
    /// The files hold more than the index, as after a crash: index what comes after these points.
    Behind {
        /// [`Store::archive_records`] from here.
        archive: ArchivePosition,
        /// [`Store::journal_entries`] from here.
        journal: JournalPosition,
    },
    /// The index was missing or unfit, for this reason; it is empty now. Index everything, from the default
    /// positions, then call [`Store::finish_rebuild`].
    Rebuild(String),
}

impl Store {
    /// Opens the store in `dir`. `replica` is the id that a new store gets (a ULID); an existing one keeps its
    /// own.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process writes to it, [`StoreError::Newer`] if a later version wrote it,
    /// otherwise whatever the file system refused. Damage is no error: see [`Health`] and [`Store::damages`].
    pub fn open(dir: &Path, mode: Mode, replica: &str) -> Result<(Self, Health), StoreError> {
        let write = mode == Mode::ReadWrite;
        let lock = if write { Some(prepare(dir)?) } else { None };
        let replica = find_replica(dir, replica, write)?;
        let index_dir = match mode {
            Mode::ReadWrite => dir.join("index"),
            Mode::ReadOnly { scratch } => copy_index(dir, scratch)?,
        };
        let had_index = index_dir.exists();
        let mut moved = Vec::new();
        let (mut index, mut reason) = open_index(&index_dir, &seal_path(dir), &mut moved)?;
        if write {
            seal::remove(&seal_path(dir));
        }
        let (archive, archived) = open_archive(dir, &replica, &index, write)?;
        let (mut journal, journaled) =
            Journal::open(&dir.join("journal.jsonl"), Some(&index.meta_now().journal), write)?;
        if reason.is_none() {
            reason = disagreement(&index, &archive, &archived, &journaled);
            if reason.is_some() {
                archive.expect_all()?;
                journal.expect_all()?;
                index = replace(index, &index_dir, &mut moved)?;
            }
        }
        let waiting = archive.pending().len() > 0 || journal.pending_len() > 0;
        if waiting && !had_index {
            reason.get_or_insert_with(|| "the index is missing".to_owned());
        }
        let health = judge(reason, waiting, &index);
        moved.extend(archived.moved);
        moved.extend(journaled.moved);
        let store = Self {
            dir: dir.to_owned(),
            index_dir,
            replica,
            writable: write,
            archive,
            journal: Mutex::new(journal),
            index: RwLock::new(Some(index)),
            committing: Mutex::new(()),
            damages: Mutex::new([archived.damages, journaled.damages].concat()),
            moved,
            _lock: lock,
        };
        Ok((store, health))
    }
}

fn judge(reason: Option<String>, waiting: bool, index: &Index) -> Health {
    let meta = index.meta_now();
    match reason {
        Some(reason) => Health::Rebuild(reason),
        None if waiting => Health::Behind { archive: meta.archive, journal: meta.journal },
        None if meta.archive.seq == 0 && meta.journal.seq == 0 => Health::Fresh,
        None => Health::Sound,
    }
}

/// Why the index cannot belong to these files.
fn disagreement(
    index: &Index,
    archive: &Archive,
    archived: &archive::Found,
    journaled: &journal::Found,
) -> Option<String> {
    let meta = index.meta_now();
    if meta.archive.seq > 0 && !archived.position_stands {
        return Some("the archive does not hold what the index was made from".into());
    }
    if meta.sealed_bytes != archive.sealed_bytes(meta.archive.segment) {
        return Some("an earlier file of the archive has changed its length".into());
    }
    if !journaled.position_stands {
        return Some("the journal does not hold what the index was made from".into());
    }
    None
}

/// Makes folders and takes the lock.
fn prepare(dir: &Path) -> Result<File, StoreError> {
    let doing = "open the store";
    files::make_dir(dir).context(doing, dir)?;
    let lock = take_lock(&dir.join("lock"))?;
    let archive = dir.join("archive");
    files::make_dir(&archive).context(doing, &archive)?;
    Ok(lock)
}

/// Takes the lock and leaves our process id in it. The system lets go of it when the process ends, however it
/// ends, so a stale lock cannot be.
fn take_lock(path: &Path) -> Result<File, StoreError> {
    let doing = "lock the store";
    let mut file = files::open(path).context(doing, path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.take(32).read_to_string(&mut text);
            let pid = read.ok().and_then(|_| text.trim().parse().ok());
            return Err(StoreError::Busy { pid });
        }
        // A file system without locks (some network mounts) is refused: two writers would destroy the store.
        Err(TryLockError::Error(error)) => return Err(StoreError::io(doing, path, error)),
    }
    file.set_len(0).context(doing, path)?;
    file.seek(SeekFrom::Start(0)).context(doing, path)?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes()).context(doing, path)?;
    Ok(file)
}

/// The store's id: from its file, else from what it has written, else the given one.
fn find_replica(dir: &Path, given: &str, write: bool) -> Result<String, StoreError> {
    let path = dir.join("replica");
    let doing = "read the store's id";
    match fs::read_to_string(&path) {
        Ok(text) if is_id(text.trim()) => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData
            ) => {}
        Err(error) => return Err(StoreError::io(doing, &path, error)),
    }
    let replica = written_replica(dir).unwrap_or_else(|| given.to_owned());
    if write {
        files::write_whole(&path, replica.as_bytes()).context("write the store's id", &path)?;
    }
    Ok(replica)
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn written_replica(dir: &Path) -> Option<String> {
    let from_journal = || {
        let file = File::open(dir.join("journal.jsonl")).ok()?;
        let lines = BufReader::new(file).lines().take(16).map_while(Result::ok);
        lines.filter_map(|line| Entry::parse(&line).ok()).map(|entry| entry.replica).next()
    };
    scan::written_by(&dir.join("archive")).or_else(from_journal).filter(|id| is_id(id))
}

/// Note of a clean close.
pub fn seal_path(dir: &Path) -> PathBuf {
    dir.join("index.seal")
}

/// Copies the index for reading; without one, an empty one is made there.
fn copy_index(dir: &Path, scratch: &Path) -> Result<PathBuf, StoreError> {
    let doing = "copy the index for reading";
    if !dir.is_dir() {
        return Err(StoreError::NotFound { what: format!("store at {}", dir.display()) });
    }
    let (from, to) = (dir.join("index"), scratch.join("index"));
    if to.exists() {
        fs::remove_dir_all(&to).context(doing, &to)?;
    }
    // sled changes its files while they are copied; a bad copy is replaced like a bad index.
    if from.exists() && files::copy_tree(&from, &to).is_err() && to.exists() {
        fs::remove_dir_all(&to).context(doing, &to)?;
    }
    Ok(to)
}

/// Opens the index; an unfit one is moved aside and replaced by an empty one, with the reason.
fn open_index(
    dir: &Path,
    note: &Path,
    moved: &mut Vec<PathBuf>,
) -> Result<(Index, Option<String>), StoreError> {
    let untouched = seal::holds(dir, note);
    let reason = match Index::open(dir) {
        Ok(index) if untouched => return Ok((index, None)),
        Ok(index) => match index.check() {
            Ok(()) => return Ok((index, None)),
            Err(reason) => reason,
        },
        Err(Trouble::Damaged(reason)) => reason,
        Err(Trouble::Refused(error)) => return Err(error),
    };
    moved.extend(index::set_aside(dir, "damaged")?);
    Ok((open_empty(dir)?, Some(reason)))
}

fn open_empty(dir: &Path) -> Result<Index, StoreError> {
    Index::open(dir).map_err(|trouble| match trouble {
        Trouble::Refused(error) => error,
        Trouble::Damaged(what) => {
            StoreError::Index { doing: "make a new index", source: what.into() }
        }
    })
}

fn replace(index: Index, dir: &Path, moved: &mut Vec<PathBuf>) -> Result<Index, StoreError> {
    // It is thrown away; that it cannot be saved does not matter.
    let _ = index.close();
    moved.extend(index::set_aside(dir, "damaged")?);
    open_empty(dir)
}

fn open_archive(
    dir: &Path,
    replica: &str,
    index: &Index,
    write: bool,
) -> Result<(Archive, archive::Found), StoreError> {
    let position = index.meta_now().archive;
    let known = (position.seq > 0).then_some(&position);
    Archive::open(&dir.join("archive"), replica, known, write)
}
