//! Files that hold what can be made anew at any time, one value each: `DIR/KIND/NAME`.
//!
//! Nothing here is an error: what cannot be read is made anew by those who ask, what cannot be written is made
//! anew next time.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, files, value};

/// Most files of one kind; beyond it the oldest go.
const MAX_FILES: usize = 32;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;

impl Store {
    /// A value kept before; `None` if there is none, or if its file is damaged or of another version.
    pub fn cached<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Option<T> {
        let path = self.cache_file(kind, name)?;
        if fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        value::decode(name.as_bytes(), &fs::read(path).ok()?).ok()
    }

    /// Keeps a value, for its owner only; a store opened for reading keeps nothing.
    pub fn keep<T: Serialize>(&self, kind: &str, name: &str, kept: &T) {
        let Some(path) = self.cache_file(kind, name).filter(|_| self.is_writable()) else { return };
        let Ok(bytes) = value::encode(name.as_bytes(), kept) else { return };
        let made = path.parent().map(files::make_dir);
        if !matches!(made, Some(Ok(()))) || files::write_whole(&path, &bytes).is_err() {
            return;
        }
        self.drop_oldest(kind);
    }

    /// The file of a value; `None` for a name that is more than letters, digits and dashes.
    fn cache_file(&self, kind: &str, name: &str) -> Option<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (!name.is_empty() && name.chars().all(plain)).then(|| self.dir().join(kind).join(name))
    }

    fn drop_oldest(&self, kind: &str) {
        let Ok(items) = fs::read_dir(self.dir().join(kind)) else { return };
        let mut all: Vec<_> = items
            .flatten()
            .filter_map(|item| Some((item.metadata().ok()?.modified().ok()?, item.path())))
            .collect();
        all.sort();
        for (_, path) in all.iter().take(all.len().saturating_sub(MAX_FILES)) {
            let _ = fs::remove_file(path);
        }
    }
}
