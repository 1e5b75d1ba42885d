//! Files and folders that only their owner may read, whatever the umask says.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Makes a folder and its parents; the folder itself 0700, also if it was there before.
pub fn make_dir(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
        && !parent.exists()
    {
        make_dir(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => restrict(path, 0o700),
        Ok(()) => path.parent().map_or(Ok(()), sync_dir),
    }
}

/// Opens a file for reading and writing, made 0600 where missing.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a small file at once: beside its place, synced, renamed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let beside = path.with_extension("new");
    let mut file = open(&beside)?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes a rename or a new file in `dir` lasting.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) && !dir.as_os_str().is_empty() { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Sets the permission bits, where the system has such.
pub fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path)?.permissions().mode() & 0o777 != mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Folder 0700 and everything in it 0600, one level of folders deeper likewise. For what sled creates by
/// itself (measured: 0644 in 0755).
pub fn restrict_tree(dir: &Path) -> io::Result<()> {
    restrict(dir, 0o700)?;
    for item in fs::read_dir(dir)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            restrict_tree(&item.path())?;
        } else {
            // sled removes old snapshots while we look.
            match restrict(&item.path(), 0o600) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// First unused name `<path>.<tag>-N`.
pub fn aside(path: &Path, tag: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (1u32..)
        .map(|n| path.with_file_name(format!("{name}.{tag}-{n}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.with_file_name(format!("{name}.{tag}")))
}

/// Bytes that may still be written to the file system of `path`; `None` where it cannot be told.
pub fn free_space(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let stat = rustix::fs::statvfs(path).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Copies a folder of plain files and folders into a new private one.
pub fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    make_dir(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy_tree(&item.path(), &target)?;
        } else {
            let mut out = open(&target)?;
            io::copy(&mut File::open(item.path())?, &mut out)?;
        }
    }
    Ok(())
}
