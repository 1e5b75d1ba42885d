//! A note of what the index files looked like when the store was closed.
//!
//! Reading all records at every start would make starting slower as the mailbox grows. Files that hash to what
//! the note says were not touched since a clean close, so the records need not be read. Anything else (no
//! note after a crash, other bytes) only means that they are read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::files;
use crate::domain::ids::hex;

/// Hash over names and bytes of all files of the folder.
fn fingerprint(dir: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    add(dir, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

fn add(dir: &Path, hash: &mut Sha256) -> io::Result<()> {
    let mut items = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    items.sort_by_key(fs::DirEntry::file_name);
    let mut buffer = vec![0; 256 << 10];
    for item in items {
        hash.update(item.file_name().as_encoded_bytes());
        if item.file_type()?.is_dir() {
            add(&item.path(), hash)?;
            continue;
        }
        let mut file = File::open(item.path())?;
        hash.update(file.metadata()?.len().to_be_bytes());
        loop {
            let read = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            hash.update(bytes);
        }
    }
    Ok(())
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
