//! Mail from files: `.eml`, mbox and Maildir, by the same path as mail from a server.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::clock::Clock;
use super::desk::Desk;
use super::ingest::Changed;
use crate::mail;
use crate::store::{NewMail, ReceivedFrom, StoreError};

/// Messages stored in one step.
const BATCH: usize = 256;

/// Bytes of a mail in which its top Received header is looked for.
const HEAD_BYTES: usize = 16 << 10;

/// Bytes stored in one step at most, beside the one message that goes over.
const BATCH_BYTES: usize = 8 << 20;

/// A file that could not be taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// Messages read.
    pub seen: u64,
    /// What the store took.
    pub changed: Changed,
    /// What could not be taken in.
    pub skipped: Vec<Skipped>,
}

/// Takes in files and folders. `heard` is told of the number of messages read so far.
///
/// # Errors
/// If the store cannot be written; what was stored before stays. A file that cannot be read is skipped and named.
pub fn run(
    desk: &Desk,
    paths: &[PathBuf],
    heard: &mut dyn FnMut(u64),
) -> Result<Imported, StoreError> {
    let mut import = Import { desk, done: Imported::default(), batch: Vec::new(), bytes: 0 };
    for path in paths {
        import.path(path, heard)?;
    }
    import.store()?;
    desk.store.flush()?;
    Ok(import.done)
}

struct Import<'a> {
    desk: &'a Desk,
    done: Imported,
    batch: Vec<NewMail>,
    bytes: usize,
}

impl Import<'_> {
    fn path(&mut self, path: &Path, heard: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.folder(path, heard),
            Ok(_) => self.file(path, heard),
            Err(error) => {
                self.skip(path, &error);
                Ok(())
            }
        }
    }

    /// A Maildir (its `cur` and `new`), or else every mail file below.
    fn folder(&mut self, path: &Path, heard: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let maildir = path.join("cur").is_dir() && path.join("new").is_dir();
        let folders =
            if maildir { vec![path.join("cur"), path.join("new")] } else { vec![path.to_owned()] };
        for folder in folders {
            let items = match fs::read_dir(&folder) {
                Ok(items) => items,
                Err(error) => {
                    self.skip(&folder, &error);
                    continue;
                }
            };
            let mut items: Vec<PathBuf> = items.flatten().map(|item| item.path()).collect();
            items.sort();
            for item in items {
                let is_folder = item.is_dir();
                if maildir && !is_folder {
                    self.message_file(&item, heard)?;
                } else if is_folder && !item.is_symlink() {
                    self.folder(&item, heard)?;
                } else if is_mail_name(&item) {
                    self.file(&item, heard)?;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, heard: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        match is_mbox(path) {
            Ok(true) => self.mbox(path, heard),
            Ok(false) => self.message_file(path, heard),
            Err(error) => {
                self.skip(path, &error);
                Ok(())
            }
        }
    }

    fn mbox(&mut self, path: &Path, heard: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let (file, changed) = match File::open(path) {
            Ok(file) => {
                let changed = modified(&file);
                (file, changed)
            }
            Err(error) => {
                self.skip(path, &error);
                return Ok(());
            }
        };
        for raw in mail::mbox::Split::new(BufReader::new(file)) {
            match raw {
                Ok(raw) => self.message(raw, changed, heard)?,
                Err(error) => {
                    self.skip(path, &error);
                    break;
                }
            }
        }
        Ok(())
    }

    fn message_file(&mut self, path: &Path, heard: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let read = File::open(path).and_then(|mut file| {
            let mut raw = Vec::new();
            file.read_to_end(&mut raw)?;
            Ok((raw, modified(&file)))
        });
        match read {
            Ok((raw, changed)) => self.message(raw, changed, heard),
            Err(error) => {
                self.skip(path, &error);
                Ok(())
            }
        }
    }

    fn message(
        &mut self,
        raw: Vec<u8>,
        file_date: Option<Timestamp>,
        heard: &mut dyn FnMut(u64),
    ) -> Result<(), StoreError> {
        let (received, received_from) = received(&raw, file_date);
        self.bytes += raw.len();
        self.batch.push(NewMail { raw, received, received_from, source: None });
        self.done.seen += 1;
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
            self.store()?;
            heard(self.done.seen);
        }
        Ok(())
    }

    fn store(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        let mails = std::mem::take(&mut self.batch);
        if !mails.is_empty() {
            self.done.changed.extend(self.desk.add(mails, None)?);
        }
        Ok(())
    }

    fn skip(&mut self, path: &Path, error: &io::Error) {
        self.done.skipped.push(Skipped { path: path.to_owned(), why: error.to_string() });
    }
}

/// Files in a folder that count as mail by their name.
fn is_mail_name(path: &Path) -> bool {
    let endings = ["eml", "mbox", "mbx", "msg", "txt"];
    path.extension()
        .is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// An mbox begins with a `From ` line (RFC 4155). A file that is named as one mail is one mail: many programs leave
/// that line in, and a line of its text may look the same.
fn is_mbox(path: &Path) -> io::Result<bool> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("eml")) {
        // Opened all the same: what cannot be read is named.
        return File::open(path).map(|_| false);
    }
    let mut begin = BufReader::with_capacity(64, File::open(path)?);
    Ok(begin.fill_buf()?.starts_with(b"From "))
}

fn modified(file: &File) -> Option<Timestamp> {
    file.metadata().ok()?.modified().ok()?.try_into().ok()
}

/// When an imported mail was received: its top Received header, else the file's date, else now. Never the Date
/// header, which is the sender's claim.
pub fn received(raw: &[u8], file_date: Option<Timestamp>) -> (Timestamp, ReceivedFrom) {
    let head = raw.get(..raw.len().min(HEAD_BYTES)).unwrap_or_default();
    if let Some(at) = mail::received(head) {
        return (at, ReceivedFrom::Header);
    }
    (file_date.unwrap_or_else(Clock::wall), ReceivedFrom::File)
}
