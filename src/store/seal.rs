//! A note of what the index files looked like when the store was closed.
//!
//! Reading all records at every start would make starting slower as the mailbox grows, and so would reading all bytes.
//! Files with the names, sizes and times of change that the note says were not touched since a clean close: no
//! program can set the time at which the system saw the last change (ctime). Anything else (no note after a crash, a
//! copy, other times) only means that the records are read. What a disk loses by itself is found where it is read:
//! every value carries a check sum.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::files;
use crate::domain::ids::hex;

/// Hash over names, sizes and times of all files of the folder.
fn fingerprint(dir: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    add(dir, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

fn add(dir: &Path, hash: &mut Sha256) -> io::Result<()> {
    let mut items = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    items.sort_by_key(fs::DirEntry::file_name);
    for item in items {
        hash.update(item.file_name().as_encoded_bytes());
        if item.file_type()?.is_dir() {
            add(&item.path(), hash)?;
            continue;
        }
        let found = item.metadata()?;
        hash.update(found.len().to_be_bytes());
        for time in times(&found)? {
            hash.update(time.to_be_bytes());
        }
    }
    Ok(())
}

/// What the system says of the last change, in nanoseconds.
#[cfg(unix)]
fn times(found: &fs::Metadata) -> io::Result<[i128; 2]> {
    use std::os::unix::fs::MetadataExt as _;
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let changed = nanoseconds(found.ctime(), found.ctime_nsec());
    Ok([nanoseconds(found.mtime(), found.mtime_nsec()), changed])
}

#[cfg(not(unix))]
fn times(found: &fs::Metadata) -> io::Result<[i128; 2]> {
    let since = found.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok([i128::try_from(since.as_nanos()).unwrap_or(i128::MAX), 0])
}

/// Whether the folder is as it was when the note was written.
pub fn holds(dir: &Path, note: &Path) -> bool {
    fs::read_to_string(note)
        .is_ok_and(|seal| fingerprint(dir).is_ok_and(|found| !seal.is_empty() && seal == found))
}

/// Writes the note.
pub fn write(dir: &Path, note: &Path) -> io::Result<()> {
    files::write_whole(note, fingerprint(dir)?.as_bytes())
}

/// Takes the note away, before the first change.
pub fn remove(note: &Path) {
    // A note left behind no longer fits and so says nothing.
    let _ = fs::remove_file(note);
}
