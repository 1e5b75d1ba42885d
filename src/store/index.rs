//! The sled side: one tree, atomic batches, and the means to notice that sled lost something. Larger values lie in a
//! file beside it, see [`super::heap`].
//!
//! Measured: a damaged sled file may open without an error and miss records, or panic. Hence every value has
//! a check sum, the meta record holds the number and a running digest of all records, and every call into
//! sled is fenced against panics. A record of the digest is the 128-bit hash of key and value; their wrapping
//! sum does not depend on order and is brought up to date in the batch that changes the records.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{IoContext as _, StoreError};
use super::heap::{self, Heap, Pointer};
use super::journal::JournalPosition;
use super::records::Counts;
use super::scan::ArchivePosition;
use super::{files, keys, value};

/// Format of the index as a whole: set of key kinds.
const FORMAT: u32 = 3;
/// More does not make reading faster, and sled takes up to six times of it on a scan.
const CACHE_BYTES: u64 = 16 << 20;
/// sled's file grows by so much at a time. Of 10,000 mails 18 MB came with half of it, 10 MB with this, 21 MB with four
/// times as much.
const SEGMENT_BYTES: usize = 1 << 20;

/// What the index knows about itself and about the files it was made from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Meta {
    format: u32,
    /// Up to where the archive is indexed.
    pub archive: ArchivePosition,
    /// Bytes of all segments before that one.
    pub sealed_bytes: u64,
    /// Up to where the journal is.
    pub journal: JournalPosition,
    /// Number of records.
    pub records: u64,
    /// Sum of their hashes.
    digest: u128,
    /// Counts by kind.
    pub counts: Counts,
    /// Which heap is in use.
    heap: u32,
    /// Bytes in it that records point to.
    heap_used: u64,
}

/// Why an index could not be opened.
pub enum Trouble {
    /// It has to be made anew.
    Damaged(String),
    /// Nothing can be made here now.
    Refused(StoreError),
}

/// An open index.
pub struct Index {
    db: sled::Db,
    heap: Heap,
    meta: Mutex<Meta>,
}

impl Index {
    /// Opens the index in `dir`, which is made if missing.
    pub fn open(dir: &Path) -> Result<Self, Trouble> {
        let existed = dir.join("db").exists();
        let make =
            || -> Result<(), StoreError> { files::make_dir(dir).context("open the index", dir) };
        make().map_err(Trouble::Refused)?;
        let config =
            sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).segment_size(SEGMENT_BYTES);
        let db = match open_patiently(&config) {
            Ok(Ok(db)) => db,
            Ok(Err(error)) => return Err(sort_trouble(error, dir)),
            Err(_) => return Err(Trouble::Damaged("the index cannot be opened".into())),
        };
        files::restrict_tree(dir).context("restrict the index", dir).map_err(Trouble::Refused)?;
        let meta = match read_meta(&db)? {
            Some(meta) if meta.format == FORMAT => meta,
            Some(meta) => {
                return Err(Trouble::Damaged(format!("the index has format {}", meta.format)));
            }
            None if !existed => Meta { format: FORMAT, ..Meta::default() },
            None => return Err(Trouble::Damaged("the index is empty".into())),
        };
        let heap = Heap::open(dir, meta.heap).context("open the index", dir);
        let heap = heap.map_err(Trouble::Refused)?;
        let wasteful = heap.is_wasteful(meta.heap_used);
        let mut index = Self { db, heap, meta: Mutex::new(meta) };
        if !existed {
            index.transaction().commit(&index.meta_now()).map_err(Trouble::Refused)?;
        }
        match wasteful.then(|| index.move_heap(dir)) {
            Some(Err(error @ StoreError::Index { .. })) => Err(Trouble::Damaged(error.to_string())),
            // Such as a full disk: the waste stays until next time.
            _ => Ok(index),
        }
    }

    /// Copies the values in use into a new heap, and leads all pointers there in one step.
    fn move_heap(&mut self, dir: &Path) -> Result<(), StoreError> {
        let doing = "tidy the index";
        let mut meta = self.meta_now();
        meta.heap += 1;
        let next = Heap::open(dir, meta.heap).context(doing, dir)?;
        let mut batch = sled::Batch::default();
        for item in self.db.iter() {
            let (key, bytes) = fenced(doing, || item)?;
            let Some(pointer) = value::pointer(&bytes) else { continue };
            let content = self.pointed(&key, pointer)?;
            let moved = Pointer { offset: next.end(), ..pointer };
            let moved = value::encode_pointer(&key, moved).map_err(unreadable)?;
            next.append(&content).context(doing, dir)?;
            let hash = |bytes: &[u8]| value::check(&key, bytes).unwrap_or_default();
            meta.digest = meta.digest.wrapping_sub(hash(&bytes)).wrapping_add(hash(&moved));
            batch.insert(key, moved);
        }
        next.sync().context(doing, dir)?;
        batch.insert(keys::META, value::encode(keys::META, &meta).map_err(unreadable)?);
        fenced(doing, || self.db.apply_batch(batch))?;
        *self.meta() = meta;
        self.heap = next;
        fenced(doing, || self.db.flush())?;
        self.heap.remove_others(dir).context(doing, dir)
    }

    /// The value that a pointer under `key` leads to.
    fn pointed(&self, key: &[u8], pointer: Pointer) -> Result<Vec<u8>, StoreError> {
        let content = self.heap.read(pointer).map_err(|error| unreadable(error.to_string()))?;
        if pointer.is_of(&content) && value::check(key, &content).is_some() {
            return Ok(content);
        }
        Err(unreadable("a value is not as it was written".to_owned()))
    }

    /// Reads what stands under `key` in the tree.
    fn decode<T: DeserializeOwned>(&self, key: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
        value::check(key, bytes)
            .ok_or_else(|| unreadable("a value is not as it was written".to_owned()))?;
        match value::pointer(bytes) {
            Some(pointer) => value::decode(key, &self.pointed(key, pointer)?),
            None => value::decode(key, bytes),
        }
        .map_err(unreadable)
    }

    fn meta(&self) -> MutexGuard<'_, Meta> {
        self.meta.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The meta record.
    pub fn meta_now(&self) -> Meta {
        self.meta().clone()
    }

    /// Makes everything committed so far lasting.
    pub fn flush(&self) -> Result<(), StoreError> {
        let doing = "save the index";
        self.heap.sync().context(doing, self.heap.path())?;
        fenced(doing, || self.db.flush()).map(|_| ())
    }

    /// The value of `key`.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match fenced("read the index", || self.db.get(key))? {
            Some(bytes) => self.decode(key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Keys and values that begin with `prefix` and come after `after`, at most `limit`.
    pub fn list<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        let start = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let found: Vec<(sled::IVec, sled::IVec)> = fenced("read the index", || {
            self.db
                .range::<&[u8], _>((start, Bound::Unbounded))
                .take_while(|item| item.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
                .take(limit)
                .collect()
        })?;
        found
            .into_iter()
            .map(|(key, bytes)| {
                let decoded = self.decode(&key, &bytes)?;
                Ok((key.to_vec(), decoded))
            })
            .collect()
    }

    /// The keys just before and after `key` among those with `prefix`.
    pub fn neighbours(
        &self,
        prefix: &[u8],
        key: &[u8],
    ) -> Result<[Option<Vec<u8>>; 2], StoreError> {
        let of_kind = |found: Option<(sled::IVec, sled::IVec)>| {
            found.map(|(key, _)| key.to_vec()).filter(|key| key.starts_with(prefix))
        };
        let doing = "read the index";
        Ok([
            of_kind(fenced(doing, || self.db.get_lt(key))?),
            of_kind(fenced(doing, || self.db.get_gt(key))?),
        ])
    }

    /// Reads every record and compares number and digest with the meta record.
    pub fn check(&self) -> Result<(), String> {
        // No commit may come between.
        let meta = self.meta();
        let scan = || -> Result<(u64, u128), String> {
            let (mut records, mut digest) = (0u64, 0u128);
            for item in self.db.iter() {
                let (key, bytes) = item.map_err(|error| error.to_string())?;
                let hash = value::check(&key, &bytes).ok_or("a record is not as it was written")?;
                if let Some(pointer) = value::pointer(&bytes) {
                    self.pointed(&key, pointer).map_err(|error| error.to_string())?;
                }
                if *key != *keys::META {
                    records += 1;
                    digest = digest.wrapping_add(hash);
                }
            }
            Ok((records, digest))
        };
        let (records, digest) = catch_unwind(AssertUnwindSafe(scan))
            .map_err(|_| "the index cannot be read".to_owned())??;
        if (records, digest) != (meta.records, meta.digest) {
            return Err(format!("the index has {records} of {} records", meta.records));
        }
        Ok(())
    }

    /// Collects changes for one atomic batch. One at a time: the caller holds the writer's lock.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction { index: self, changes: BTreeMap::new(), packer: value::Packer::default() }
    }

    /// Closes the database and waits until its files are at rest.
    pub fn close(self) -> Result<(), StoreError> {
        self.flush()
    }
}

/// Changes on their way into the index.
pub struct Transaction<'a> {
    index: &'a Index,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    packer: value::Packer,
}

impl Transaction<'_> {
    /// The value as it will be.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.changes.get(key) {
            Some(Some(bytes)) => value::decode(key, bytes).map(Some).map_err(unreadable),
            Some(None) => Ok(None),
            None => self.index.get(key),
        }
    }

    /// Sets a value.
    pub fn put<T: Serialize>(&mut self, key: Vec<u8>, content: &T) -> Result<(), StoreError> {
        let bytes = self.packer.encode(&key, content).map_err(unreadable)?;
        self.changes.insert(key, Some(bytes));
        Ok(())
    }

    /// Takes a value away.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.changes.insert(key, None);
    }

    /// Whether there will be such a key.
    pub fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.is_some()),
            None => fenced("read the index", || self.index.db.contains_key(key)),
        }
    }

    /// Writes everything, the meta record included, or nothing.
    pub fn commit(self, meta: &Meta) -> Result<(), StoreError> {
        let mut now = self.index.meta();
        let mut next =
            Meta { records: now.records, digest: now.digest, format: FORMAT, ..meta.clone() };
        (next.heap, next.heap_used) = (now.heap, now.heap_used);
        let (mut batch, mut heaped) = (sled::Batch::default(), Vec::new());
        // Nobody else writes there as long as this transaction has the meta record.
        let end = self.index.heap.end();
        for (key, change) in self.changes {
            let old = fenced("read the index", || self.index.db.get(&key))?;
            let pointer = old.as_deref().and_then(value::pointer);
            // What is there already would cost room once more.
            if let (Some(old), Some(new)) = (&old, &change)
                && (**old == **new || pointer.is_some_and(|pointer| pointer.is_of(new)))
            {
                continue;
            }
            if let Some(old) = &old {
                let hash = value::check(&key, old)
                    .ok_or_else(|| unreadable("a record is not as it was written".to_owned()))?;
                next.records -= 1;
                next.digest = next.digest.wrapping_sub(hash);
                let freed = pointer.map_or(0, |pointer| u64::from(pointer.len));
                next.heap_used = next.heap_used.saturating_sub(freed);
            }
            match change {
                Some(content) => {
                    let bytes = match value::pointer_to(&content, end + heaped.len() as u64) {
                        Some(to) if content.len() >= heap::FROM => {
                            heaped.extend_from_slice(&content);
                            next.heap_used += u64::from(to.len);
                            value::encode_pointer(&key, to).map_err(unreadable)?
                        }
                        _ => content,
                    };
                    next.records += 1;
                    let hash = value::check(&key, &bytes).unwrap_or_default();
                    next.digest = next.digest.wrapping_add(hash);
                    batch.insert(key, bytes);
                }
                None if old.is_some() => batch.remove(key),
                None => {}
            }
        }
        self.index.heap.append(&heaped).context("write to the index", self.index.heap.path())?;
        batch.insert(keys::META, value::encode(keys::META, &next).map_err(unreadable)?);
        fenced("write to the index", || self.index.db.apply_batch(batch))?;
        *now = next;
        Ok(())
    }
}

fn read_meta(db: &sled::Db) -> Result<Option<Meta>, Trouble> {
    let found = fenced("read the index", || db.get(keys::META));
    let found = found.map_err(|_| Trouble::Damaged("the index cannot be read".into()))?;
    let decoded = found.map(|bytes| value::decode(keys::META, &bytes)).transpose();
    decoded.map_err(|_| Trouble::Damaged("the index cannot be read".into()))
}

/// Opens the database. Threads of a database that this process just closed may hold its lock a moment longer;
/// no other process can, because it would need the store's own lock first.
fn open_patiently(config: &sled::Config) -> std::thread::Result<sled::Result<sled::Db>> {
    const TRIES: u32 = 40;
    const PAUSE: Duration = Duration::from_millis(25);
    for _ in 1..TRIES {
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Err(sled::Error::Io(error))) if is_locked(&error) => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    catch_unwind(AssertUnwindSafe(|| config.open()))
}

fn is_locked(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Calls sled; a panic or an error of it is an error of ours.
fn fenced<T>(
    doing: &'static str,
    call: impl FnOnce() -> Result<T, sled::Error>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) => match StoreError::io(doing, Path::new("index"), error) {
            StoreError::Io { doing, source, .. } => {
                Err(StoreError::Index { doing, source: source.into() })
            }
            clear => Err(clear),
        },
        Ok(Err(error)) => Err(StoreError::Index { doing, source: error.into() }),
        Err(_) => Err(StoreError::Index { doing, source: "the database gave up".into() }),
    }
}

fn unreadable(what: String) -> StoreError {
    StoreError::Index { doing: "read the index", source: what.into() }
}

fn sort_trouble(error: sled::Error, dir: &Path) -> Trouble {
    match error {
        sled::Error::Io(error) if is_locked(&error) => {
            Trouble::Refused(StoreError::Busy { pid: None })
        }
        sled::Error::Io(error) => match StoreError::io("open the index", dir, error) {
            StoreError::Io { source, .. } => Trouble::Damaged(source.to_string()),
            clear => Trouble::Refused(clear),
        },
        error => Trouble::Damaged(error.to_string()),
    }
}

/// Moves an index folder out of the way; gives its new name.
pub fn set_aside(dir: &Path, tag: &str) -> Result<Option<PathBuf>, StoreError> {
    if !dir.exists() {
        return Ok(None);
    }
    let aside = files::aside(dir, tag);
    fs::rename(dir, &aside).context("set the index aside", dir)?;
    Ok(Some(aside))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn noise(seed: u64) -> Vec<u64> {
        (0..200_000u64)
            .map(|n| (n ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31))
            .collect()
    }

    fn open(dir: &Path) -> Index {
        Index::open(dir).unwrap_or_else(|_| panic!("opens"))
    }

    fn put(index: &Index, key: &[u8], value: &Vec<u64>) {
        let mut transaction = index.transaction();
        transaction.put(key.to_vec(), value).unwrap();
        transaction.commit(&index.meta_now()).unwrap();
    }

    #[test]
    fn waste_goes_and_values_stay() {
        let dir = tempfile::tempdir().unwrap();
        let index = open(dir.path());
        put(&index, b"stays", &noise(1));
        put(&index, b"goes", &noise(2));
        put(&index, b"small", &vec![7]);
        for seed in 3..20 {
            put(&index, b"changes", &noise(seed));
        }
        let mut transaction = index.transaction();
        transaction.remove(b"goes".to_vec());
        transaction.commit(&index.meta_now()).unwrap();
        let before = index.heap.end();
        put(&index, b"changes", &noise(19));
        assert_eq!(index.heap.end(), before, "what is there already is not written again");
        index.close().unwrap();
        let index = open(dir.path());
        assert!(index.heap.end() < before / 5 && index.heap.end() == index.meta_now().heap_used);
        index.check().unwrap();
        for (key, value) in
            [(&b"stays"[..], noise(1)), (b"changes", noise(19)), (b"small", vec![7])]
        {
            assert_eq!(index.get::<Vec<u64>>(key).unwrap(), Some(value));
        }
        assert_eq!(index.get::<Vec<u64>>(b"goes").unwrap(), None);
        assert!(!dir.path().join("heap-0").exists());
        index.close().unwrap();
        let index = open(dir.path());
        index.check().unwrap();
        // A value that is not there any more is noticed.
        let heap = dir.path().join("heap-1");
        File::options().write(true).open(heap).unwrap().set_len(1_000_000).unwrap();
        assert!(index.check().is_err());
    }
}
