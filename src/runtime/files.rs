//! Writing files for people: whole or not at all, for the owner's eyes only, never over another file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Something of that name is there.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The system refused.
    #[error("could not write {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl WriteError {
    /// What to do now.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Exists(_) => "name another file, or move that one away",
            Self::Io { .. } => "check the folder, its permissions and the free space",
        }
    }
}

/// Writes a new file: to a temporary file beside it, synced, then given its name. An existing file of that name
/// stays as it is.
///
/// # Errors
/// If the name is taken or the system refuses; then nothing is left behind.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::Io { path: path.to_owned(), source };
    if path.symlink_metadata().is_ok() {
        return Err(WriteError::Exists(path.to_owned()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    make_private_folder(folder).map_err(failed)?;
    // `tempfile` opens with O_EXCL and 0600.
    let mut file =
        tempfile::Builder::new().prefix(".casebook-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
        _ => failed(error.error),
    })?;
    Ok(())
}

/// Writes a file anew that is written again and again. Another file of that name stays as it is: `ours` tells them apart.
///
/// # Errors
/// If a file of that name is not ours, or the system refuses; then that file is as it was.
pub fn write_again(
    path: &Path,
    bytes: &[u8],
    limit: u64,
    ours: fn(&str) -> bool,
) -> Result<(), WriteError> {
    let failed = |source| WriteError::Io { path: path.to_owned(), source };
    match path.symlink_metadata() {
        Err(_) => return write_new(path, bytes),
        Ok(found) if found.is_file() && read_text(path, limit).is_ok_and(|text| ours(&text)) => {}
        Ok(_) => return Err(WriteError::Exists(path.to_owned())),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file =
        tempfile::Builder::new().prefix(".casebook-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes several new files, all or none: if one name is taken, nothing is written.
///
/// # Errors
/// As [`write_new`].
pub fn write_all_new(files: &[(PathBuf, &[u8])]) -> Result<(), WriteError> {
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(WriteError::Exists(path.clone()));
    }
    for (done, (path, bytes)) in files.iter().enumerate() {
        if let Err(error) = write_new(path, bytes) {
            for (written, _) in files.iter().take(done) {
                let _ = fs::remove_file(written);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Makes a folder that only its owner can look into, if it is not there.
///
/// # Errors
/// If the system refuses.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// If it cannot be read, is longer, or is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    use std::io::Read as _;
    let file = OpenOptions::new().read(true).open(path)?;
    let mut text = String::new();
    file.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("longer than {limit} bytes"),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        write_new(&second, b"mine").expect("written");
        let files = [(first.clone(), b"x".as_slice()), (second.clone(), b"y".as_slice())];
        assert!(matches!(write_all_new(&files), Err(WriteError::Exists(_))));
        assert!(!first.exists(), "all or none");
        assert_eq!(fs::read(&second).expect("still there"), b"mine");
    }

    #[test]
    fn only_a_file_of_ours_is_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.ics");
        let again = |bytes: &[u8]| write_again(&path, bytes, 100, |text| text.starts_with("ours"));
        again(b"ours 1").expect("new");
        again(b"ours 2").expect("written again");
        assert_eq!(fs::read(&path).expect("there"), b"ours 2");
        fs::write(&path, b"theirs").expect("written");
        assert!(matches!(again(b"ours 3"), Err(WriteError::Exists(_))));
        assert_eq!(fs::read(&path).expect("there"), b"theirs");
        fs::write(&path, [b"ours ".as_slice(), &[b'x'; 200]].concat()).expect("written");
        assert!(again(b"ours 4").is_err(), "longer than any of ours");
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/er/a.eml");
        write_new(&path, b"x").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("deep")), 0o700);
    }
}
