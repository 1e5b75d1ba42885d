//! Everything on disk: archive (raw mail), journal (decisions), index (what lists are read from).
//!
//! Archive and journal are the truth; the index (sled) can be made from them at any time. Write order: append
//! and sync to the file, then commit to the index, then acknowledge. Opening compares the three and says what
//! is to be done ([`Health`]); the doing is the caller's, because only it can read mail.
//!
//! Owns: file formats, positions, checks, locks, permission bits. Absent on purpose: what a mail says, the
//! clock, the network. Read next: [`frame`], [`scan`], [`index`].

mod archive;
mod batch;
mod cache;
mod error;
mod files;
mod frame;
mod heap;
mod index;
mod journal;
mod keys;
mod mboxrd;
mod open;
mod policies;
mod read;
mod records;
mod scan;
mod seal;
mod value;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

pub use archive::Appended;
pub use batch::Batch;
pub use error::{ErrorKind, StoreError};
pub use frame::{MailSource, NewMail, ReceivedFrom};
pub use journal::{JournalPosition, LinePlace, StoredEntry};
pub use open::{Health, Mode};
pub use policies::PolicyPart;
pub use records::{CaseRecord, Counts, MailRecord, NearRecord, PrecedentRecord, QueueKey};
pub use scan::{ArchivePlace, ArchivePosition, ArchiveRecord, Damage, Scan};
pub use verify::Report;

use crate::domain::MessageRef;
use crate::domain::journal::NewEntry;
use archive::Archive;
use error::IoContext as _;
use index::Index;
use journal::Journal;

/// Largest raw message that is stored, in bytes.
pub const MAX_MESSAGE: u64 = 1 << 30;

/// An open store. Many threads may read; writes are taken one at a time.
pub struct Store {
    dir: PathBuf,
    index_dir: PathBuf,
    replica: String,
    writable: bool,
    archive: Archive,
    journal: Mutex<Journal>,
    index: RwLock<Option<Index>>,
    /// Held by the one commit or rebuild that is under way.
    committing: Mutex<()>,
    damages: Mutex<Vec<Damage>>,
    moved: Vec<PathBuf>,
    /// Held until the store is closed.
    _lock: Option<File>,
}

impl Store {
    /// The store's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Id of this store, in every journal entry that it writes.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Whether mail and entries can be added.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// What opening and indexing found damaged in archive and journal; [`Store::verify`] looks at everything.
    pub fn damages(&self) -> Vec<Damage> {
        self.damages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on past a damaged record that [`Store::archive_records`] gave: it waits no more to be indexed, so its message
    /// is stored anew when it comes again.
    pub fn pass_over(&self, damage: Damage) {
        if let Some(seq) = damage.seq {
            self.archive.pending().remove(&[seq].into());
        }
        let mut damages = self.damages.lock().unwrap_or_else(PoisonError::into_inner);
        if !damages.contains(&damage) {
            damages.push(damage);
        }
    }

    /// Files to which opening moved torn ends or a damaged index.
    pub fn moved_aside(&self) -> &[PathBuf] {
        &self.moved
    }

    /// Bytes free where the store lies, if that can be told.
    pub fn free_space(&self) -> Option<u64> {
        files::free_space(&self.dir)
    }

    /// Appends messages to the archive and syncs once. A message that is there already (same SHA-256) is not
    /// written again. What is returned is safe on disk, but is not in the index before [`Store::commit`].
    ///
    /// # Errors
    /// If the store is read-only, the disk is full or a write fails; then none of `mails` was stored.
    pub fn append_mail(&self, mails: &[NewMail]) -> Result<Vec<Appended>, StoreError> {
        let names: Vec<MessageRef> = mails.iter().map(|mail| MessageRef::of(&mail.raw)).collect();
        self.append_named(mails, &names)
    }

    /// As [`Store::append_mail`] for messages whose names, one for each, were worked out before.
    ///
    /// # Errors
    /// As there.
    pub fn append_named(
        &self,
        mails: &[NewMail],
        names: &[MessageRef],
    ) -> Result<Vec<Appended>, StoreError> {
        self.refuse_read_only("store messages")?;
        self.archive.append(mails, names, |message| {
            let Some(seq) = self.seq_of(message)? else { return Ok(None) };
            Ok(self.mail(seq)?.map(|mail| (seq, mail.place)))
        })
    }

    /// Appends decisions to the journal and syncs once; sets number, chain, logical clock and replica.
    ///
    /// # Errors
    /// If the store is read-only, the disk is full or a write fails; then no entry was written.
    pub fn append(&self, new: &[NewEntry]) -> Result<Vec<StoredEntry>, StoreError> {
        self.refuse_read_only("write to the journal")?;
        if new.is_empty() {
            return Ok(Vec::new());
        }
        self.journal().append(new, &self.replica)
    }

    fn refuse_read_only(&self, doing: &'static str) -> Result<(), StoreError> {
        if self.writable {
            return Ok(());
        }
        Err(StoreError::ReadOnly { doing, path: self.dir.clone() })
    }

    /// Changes the index in one step. Not synced: after a crash the index may be behind, which opening
    /// notices and a catch-up mends.
    ///
    /// # Errors
    /// If the index cannot be read or written; then nothing was changed.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let _one = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        self.with_index(|index| {
            let mut meta = index.meta_now();
            let (mails, entries) = (batch.mail_seqs(), batch.entry_seqs());
            if let Some(to) = &batch.archive
                && to.seq > meta.archive.seq
                && self.archive.pending().first_without(&mails).is_none_or(|seq| seq > to.seq)
            {
                if to.segment != meta.archive.segment {
                    meta.sealed_bytes = self.archive.sealed_bytes(to.segment);
                }
                meta.archive = to.clone();
            }
            if let Some(to) = &batch.journal
                && to.offset > meta.journal.offset
                && self.journal().first_without(&entries).is_none_or(|seq| seq > to.seq)
            {
                meta.journal = to.clone();
            }
            let mut transaction = index.transaction();
            batch.apply(&mut transaction, &mut meta)?;
            transaction.commit(&meta)?;
            self.archive.pending().remove(&mails);
            self.journal().indexed(&entries);
            Ok(())
        })
    }

    /// Makes all commits so far lasting. Nothing depends on it but the time that the next start takes.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.with_index(Index::flush)
    }

    /// Begins a rebuild: the index is empty from here on, and everything in archive and journal waits to be
    /// indexed from the start. The old index is kept beside it until [`Store::finish_rebuild`].
    ///
    /// # Errors
    /// If the old index cannot be moved or a new one cannot be made.
    pub fn reset_index(&self) -> Result<(), StoreError> {
        let _one = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the index is taken: an append holds the archive while it asks the index.
        self.archive.expect_all()?;
        self.journal().expect_all()?;
        let mut slot = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = slot.take() {
            // It is thrown away; that it cannot be saved does not matter.
            let _ = index.close();
        }
        index::set_aside(&self.index_dir, "old")?;
        *slot = Some(Index::open(&self.index_dir).map_err(|trouble| match trouble {
            index::Trouble::Refused(error) => error,
            index::Trouble::Damaged(what) => {
                StoreError::Index { doing: "make a new index", source: what.into() }
            }
        })?);
        Ok(())
    }

    /// Ends a rebuild: the new index is saved, and old and damaged ones beside it are removed. They stay as
    /// long as anything waits to be indexed.
    ///
    /// # Errors
    /// If the new index cannot be saved or an old one cannot be removed.
    pub fn finish_rebuild(&self) -> Result<(), StoreError> {
        self.flush()?;
        if self.archive.pending().len() + self.journal().pending_len() > 0 {
            return Ok(());
        }
        let doing = "remove the old index";
        let Some(parent) = self.index_dir.parent() else { return Ok(()) };
        for item in std::fs::read_dir(parent).context(doing, parent)? {
            let item = item.context(doing, parent)?;
            let name = item.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("index.old-") || name.starts_with("index.damaged-") {
                std::fs::remove_dir_all(item.path()).context(doing, &item.path())?;
            }
        }
        Ok(())
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_index<T>(
        &self,
        call: impl FnOnce(&Index) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let slot = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let closed =
            || StoreError::Index { doing: "use the index", source: "it is not open".into() };
        call(slot.as_ref().ok_or_else(closed)?)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let index = self.index.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody is left to tell: an index that was not saved is caught up at the next start.
        if let Some(index) = index
            && index.close().is_ok()
            && self.writable
        {
            let _ = seal::write(&self.index_dir, &open::seal_path(&self.dir));
        }
    }
}
