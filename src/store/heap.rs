//! Larger values of the index: a file beside the tree that only grows.
//!
//! sled writes what it holds several times over before it rests, and its file stays two and a half times as large
//! (measured). So the tree holds a pointer and the value lies here, written once. What is replaced stays behind as
//! waste; once that is most of the file, the values in use move to the next one ([`super::index::Index::open`]).
//!
//! A value carries its own check sum, and the pointer names it. Written before the pointer, so that after the end of
//! the process no pointer leads nowhere; after the end of power one may, which opening notices as any damage.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::files;

/// Values from this size on lie here, in bytes.
pub const FROM: usize = 200;
/// Waste that is not worth the moving, in bytes.
const WASTE_BYTES: u64 = 16 << 20;
/// More than any value.
const MAX_BYTES: u32 = 64 << 20;
const NAME: &str = "heap-";

/// Where a value lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pointer {
    /// Offset in the file.
    pub offset: u64,
    /// Its bytes.
    pub len: u32,
    /// Its check sum.
    pub sum: [u8; 8],
}

impl Pointer {
    /// Whether it leads to such a value, wherever that lies.
    pub fn is_of(&self, value: &[u8]) -> bool {
        self.len as usize == value.len() && value.ends_with(&self.sum)
    }
}

/// An open heap.
pub struct Heap {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    end: u64,
}

impl Heap {
    /// Opens the heap with this number in `dir`, made if missing.
    pub fn open(dir: &Path, number: u32) -> io::Result<Self> {
        let path = dir.join(format!("{NAME}{number}"));
        let file = files::open(&path)?;
        let end = file.metadata()?.len();
        Ok(Self { path, inner: Mutex::new(Inner { file, end }) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next value will lie, as long as one thread writes.
    pub fn end(&self) -> u64 {
        self.inner().end
    }

    /// Whether it is mostly waste beside so many bytes in use.
    pub fn is_wasteful(&self, used: u64) -> bool {
        self.end() > used.saturating_mul(2).saturating_add(WASTE_BYTES)
    }

    /// Writes values at the end. What a failed write left there is written over by the next.
    pub fn append(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner();
        let end = inner.end;
        inner.file.seek(SeekFrom::Start(end))?;
        inner.file.write_all(bytes)?;
        inner.end = end + bytes.len() as u64;
        Ok(())
    }

    /// The value that a pointer leads to; not checked yet.
    pub fn read(&self, pointer: Pointer) -> io::Result<Vec<u8>> {
        let mut inner = self.inner();
        let fits = pointer.offset.checked_add(pointer.len.into()).is_some_and(|to| to <= inner.end);
        if !fits || pointer.len > MAX_BYTES {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut value = vec![0; pointer.len as usize];
        inner.file.seek(SeekFrom::Start(pointer.offset))?;
        inner.file.read_exact(&mut value)?;
        Ok(value)
    }

    /// Makes everything written lasting.
    pub fn sync(&self) -> io::Result<()> {
        self.inner().file.sync_data()
    }

    /// Removes the others, which a move left behind.
    pub fn remove_others(&self, dir: &Path) -> io::Result<()> {
        for item in fs::read_dir(dir)? {
            let item = item?;
            let is_heap = item.file_name().as_encoded_bytes().starts_with(NAME.as_bytes());
            if is_heap && item.path() != self.path {
                fs::remove_file(item.path())?;
            }
        }
        Ok(())
    }
}
