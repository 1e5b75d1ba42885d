//! The journal file: one entry a line, append-only, each naming the one before by its SHA-256.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::{IoContext as _, StoreError};
use super::{Damage, files};
use crate::domain::ids::hex;
use crate::domain::journal::{Clock, Entry, NO_PREVIOUS, NewEntry, line_hash};

/// Space left for the index beside each append.
const RESERVE_BYTES: u64 = 1 << 20;

/// Where one line lies, its line end left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinePlace {
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub len: u32,
}

/// A point between two lines: everything before it is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JournalPosition {
    /// First byte of the next line.
    pub offset: u64,
    /// Number of the entry before; 0 at the start.
    pub seq: u64,
    /// Hash of the line before.
    pub hash: String,
}

impl Default for JournalPosition {
    fn default() -> Self {
        Self { offset: 0, seq: 0, hash: NO_PREVIOUS.into() }
    }
}

/// An entry with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEntry {
    /// The entry.
    pub entry: Entry,
    /// Where it lies.
    pub place: LinePlace,
    /// The point to hand to [`super::Batch::advance_journal`] once the entry has its effect on the index.
    pub after: JournalPosition,
}

/// The journal file.
pub struct Journal {
    path: PathBuf,
    /// The point after the last line.
    end: JournalPosition,
    /// What the index said the last line is, if it was so when the journal was opened.
    witness: Option<JournalPosition>,
    clock: Clock,
    /// Numbers of entries that the index does not know.
    pending: BTreeSet<u64>,
    broken: bool,
}

/// What opening found.
#[derive(Default)]
pub struct Found {
    /// Whether the point that the index knows is there.
    pub position_stands: bool,
    /// Damaged lines.
    pub damages: Vec<Damage>,
    /// File to which a torn line was moved.
    pub moved: Option<PathBuf>,
    /// The store that wrote the newest own entry.
    pub replica: Option<String>,
}

/// A journal as read.
#[derive(Default)]
struct Contents {
    entries: Vec<StoredEntry>,
    damages: Vec<Damage>,
    end: JournalPosition,
    /// What follows the last line end.
    rest: Vec<u8>,
}

impl Journal {
    /// Reads the whole file and checks its chain. `known` is the point that the index stands at.
    pub fn open(
        path: &Path,
        known: Option<&JournalPosition>,
        write: bool,
    ) -> Result<(Self, Found), StoreError> {
        let doing = "open the journal";
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(StoreError::io(doing, path, error)),
        };
        let start = JournalPosition::default();
        let known = known.unwrap_or(&start);
        let mut contents = read(&bytes, Some(known));
        let mut found = Found::default();
        if let Some(damage) = disown_last(&bytes, known, &mut contents) {
            if write {
                found.moved = Some(cut_tail(path, &contents, 0)?);
            }
            contents.damages.push(damage);
        } else if !contents.rest.is_empty() && write {
            found.moved = mend_tail(path, &mut contents)?;
        }
        if let Some(entry) =
            contents.entries.iter().find(|stored| stored.entry.v > crate::domain::journal::VERSION)
        {
            return Err(StoreError::Newer { found: entry.entry.v });
        }
        found.position_stands = known == &start
            || known == &contents.end
            || contents.entries.iter().any(|stored| &stored.after == known);
        let pending = contents
            .entries
            .iter()
            .filter(|stored| !found.position_stands || stored.place.offset >= known.offset)
            .map(|stored| stored.entry.seq)
            .collect();
        let last = contents.entries.last().map(|stored| &stored.entry);
        found.replica = last.map(|entry| entry.replica.clone());
        let clock = contents.entries.iter().map(|stored| stored.entry.clock).max();
        found.damages = contents.damages;
        let journal = Self {
            path: path.to_owned(),
            witness: Some(known.clone()).filter(|known| *known == contents.end),
            end: contents.end,
            clock: clock.unwrap_or_default(),
            pending,
            broken: false,
        };
        Ok((journal, found))
    }

    /// The point after the last line.
    pub fn end(&self) -> &JournalPosition {
        &self.end
    }

    /// Lowest number that is not indexed once `done` are.
    pub fn first_without(&self, done: &BTreeSet<u64>) -> Option<u64> {
        self.pending.difference(done).next().copied()
    }

    /// The index knows these now.
    pub fn indexed(&mut self, done: &BTreeSet<u64>) {
        self.pending.retain(|seq| !done.contains(seq));
    }

    /// Forgets what the index knows.
    pub fn expect_all(&mut self) -> Result<(), StoreError> {
        let entries = self.entries()?.0;
        self.pending = entries.iter().map(|stored| stored.entry.seq).collect();
        Ok(())
    }

    /// How many entries are not indexed.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Everything readable, and what is damaged.
    pub fn entries(&self) -> Result<(Vec<StoredEntry>, Vec<Damage>), StoreError> {
        match File::open(&self.path) {
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(self.end.offset)
                    .read_to_end(&mut bytes)
                    .context("read the journal", &self.path)?;
                let contents = read(&bytes, self.witness.as_ref());
                Ok((contents.entries, contents.damages))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Default::default()),
            Err(error) => Err(StoreError::io("read the journal", &self.path, error)),
        }
    }

    /// Reads single lines; those that are no entries any more are left out.
    pub fn at(&self, places: &[LinePlace]) -> Result<Vec<Entry>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "read the journal";
        let mut file = File::open(&self.path).context(doing, &self.path)?;
        let mut entries = Vec::with_capacity(places.len());
        for place in places {
            file.seek(SeekFrom::Start(place.offset)).context(doing, &self.path)?;
            let mut line = Vec::new();
            (&mut file)
                .take(u64::from(place.len))
                .read_to_end(&mut line)
                .context(doing, &self.path)?;
            if let Ok(text) = std::str::from_utf8(&line)
                && let Ok(entry) = Entry::parse(text)
            {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Appends entries in one write, synced.
    pub fn append(
        &mut self,
        new: &[NewEntry],
        replica: &str,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let doing = "write to the journal";
        if self.broken {
            return Err(StoreError::Damaged { what: "the end of the journal".into() });
        }
        let (mut end, mut clock) = (self.end.clone(), self.clock);
        let (mut text, mut out) = (String::new(), Vec::with_capacity(new.len()));
        for new in new {
            clock = clock.tick(new.at);
            let entry = Entry::place(new, end.seq + 1, end.hash, clock, replica);
            let line = entry.to_line();
            let place = LinePlace {
                offset: end.offset,
                len: u32::try_from(line.len())
                    .map_err(|_| StoreError::TooLarge { size: line.len() as u64 })?,
            };
            end = JournalPosition {
                offset: end.offset + line.len() as u64 + 1,
                seq: entry.seq,
                hash: line_hash(&line),
            };
            text.push_str(&line);
            text.push('\n');
            // As a reader will see it: the time of day has milliseconds on disk.
            let entry = Entry::parse(&line).unwrap_or(entry);
            out.push(StoredEntry { entry, place, after: end.clone() });
        }
        let dir = self.path.parent().unwrap_or(&self.path);
        if files::free_space(dir).is_some_and(|free| free < text.len() as u64 + RESERVE_BYTES) {
            return Err(StoreError::Full { doing, path: dir.to_owned() });
        }
        self.write(text.as_bytes()).context(doing, &self.path)?;
        (self.end, self.clock) = (end, clock);
        self.pending.extend(out.iter().map(|stored| stored.entry.seq));
        Ok(out)
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let fresh = !self.path.exists();
        let mut file = files::open(&self.path)?;
        let outcome = file
            .seek(SeekFrom::Start(self.end.offset))
            .and_then(|_| file.write_all(bytes))
            .and_then(|()| file.sync_data());
        if outcome.is_err() {
            self.broken = file.set_len(self.end.offset).and_then(|()| file.sync_all()).is_err();
        } else if fresh && let Some(dir) = self.path.parent() {
            files::sync_dir(dir)?;
        }
        outcome
    }
}

/// One line on the way through the check.
struct Line<'a> {
    bytes: &'a [u8],
    offset: u64,
    /// First byte of what follows it.
    next: u64,
    hash: String,
    entry: Option<Entry>,
}

impl<'a> Line<'a> {
    fn new(bytes: &'a [u8], offset: u64, next: u64) -> Self {
        let parsed = std::str::from_utf8(bytes).ok();
        let entry = parsed.and_then(|text| Entry::parse(text).ok());
        Self { bytes, offset, next, hash: hex(&Sha256::digest(bytes)), entry }
    }
}

/// Beginning of every entry, since its keys are in order. Within a text the quotes would be escaped.
const BEGINNING: &[u8] = br#"{"actor":""#;

/// Damaged lines after which an entry's number is still looked for.
const NEARBY: usize = 16;

/// Takes the entries out of a line that is none: where a line end was damaged, whole ones stand in one line.
fn salvage<'a>(line: &Line<'a>, out: &mut Vec<Line<'a>>) {
    let mut gap = 0;
    let piece = |from: usize, to: usize, next: u64| {
        let bytes = line.bytes.get(from..to).unwrap_or_default();
        Line::new(bytes, line.offset + from as u64, next)
    };
    let offset = |at: usize| line.offset + at as u64;
    let mut at = 0;
    while let Some(rest) = line.bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match leading_entry(rest).filter(|_| rest.starts_with(BEGINNING)) {
            Some((_, len)) => {
                if gap < at {
                    out.push(piece(gap, at, offset(at)));
                }
                out.push(piece(at, at + len, offset(at + len + 1)));
                at += len;
                gap = at;
            }
            None => {
                let next = rest.windows(BEGINNING.len()).skip(1).position(|w| w == BEGINNING);
                at += next.map_or(rest.len(), |next| next + 1);
            }
        }
    }
    if gap < line.bytes.len() {
        out.push(piece(gap, line.bytes.len(), line.next));
    }
}

/// The entry that some bytes begin with, and its length.
fn leading_entry(bytes: &[u8]) -> Option<(Entry, usize)> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter();
    let entry = values.next()?.ok()?;
    Some((entry, values.byte_offset()))
}

/// Splits and checks a journal. `witness` may know the hash of the last line.
fn read(bytes: &[u8], witness: Option<&JournalPosition>) -> Contents {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (text, rest) = bytes.split_at(whole);
    let (mut offset, mut lines) = (0, Vec::new());
    for full in text.split_inclusive(|byte| *byte == b'\n') {
        let next = offset + full.len() as u64;
        let line = Line::new(full.strip_suffix(b"\n").unwrap_or(full), offset, next);
        match &line.entry {
            Some(_) => lines.push(line),
            None => salvage(&line, &mut lines),
        }
        offset = next;
    }
    let mut contents = Contents { rest: rest.to_owned(), ..Contents::default() };
    for number in 0..lines.len() {
        judge(&lines, number, witness, &mut contents);
    }
    contents
}

/// Decides whether a line is as it was written. Its hash stands in the line after it; where that does not
/// fit, the damaged one of the two is the one that its own neighbour does not vouch for.
fn judge(
    lines: &[Line],
    number: usize,
    witness: Option<&JournalPosition>,
    contents: &mut Contents,
) {
    let Some(line) = lines.get(number) else { return };
    let vouched = |index: usize| -> Option<bool> {
        let line = lines.get(index)?;
        let told = match lines.get(index + 1) {
            Some(next) => &next.entry.as_ref()?.prev,
            None => &witness.filter(|witness| witness.offset == line.next)?.hash,
        };
        Some(told == &line.hash)
    };
    let expected = contents.end.seq.saturating_add(1);
    let mut damage = |seq: Option<u64>, what: &str| {
        contents.damages.push(Damage {
            file: "journal.jsonl".into(),
            offset: line.offset,
            len: line.bytes.len() as u64,
            line: Some(number as u64 + 1),
            seq,
            what: what.to_owned(),
        });
    };
    let (mut usable, mut seq) = (true, expected);
    match (&line.entry, vouched(number)) {
        (None, _) => {
            // An entry is gone with it unless the next one's number says otherwise.
            let following = lines.iter().skip(number + 1).take(NEARBY);
            let next = following.filter_map(|next| next.entry.as_ref()).next();
            if next.is_some_and(|next| next.seq <= expected) {
                damage(None, "the end of a line is not as it was written");
                seq = contents.end.seq;
            } else {
                damage(Some(expected), "the line is no entry");
            }
            usable = false;
        }
        (Some(entry), Some(false)) if vouched(number + 1) == Some(true) => {
            damage(Some(entry.seq), "the line is not as it was written");
            usable = false;
        }
        // Nobody vouches for the accuser either: both may be right, so both are kept.
        (Some(entry), Some(false)) => {
            damage(Some(entry.seq), "this line or the next is not as it was written");
        }
        (Some(entry), _) if number == 0 && entry.prev != NO_PREVIOUS => {
            damage(Some(entry.seq), "lines before it are missing");
            seq = entry.seq.max(1);
        }
        (Some(entry), _) if entry.seq != expected => {
            damage(Some(entry.seq), "the number does not follow the one before");
            seq = entry.seq.max(expected);
        }
        (Some(_), _) => {}
    }
    let end = JournalPosition { offset: line.next, seq, hash: line.hash.clone() };
    contents.end = end;
    if usable && let Some(entry) = &line.entry {
        let place = LinePlace {
            offset: line.offset,
            len: u32::try_from(line.bytes.len()).unwrap_or(u32::MAX),
        };
        contents.entries.push(StoredEntry {
            entry: entry.clone(),
            place,
            after: contents.end.clone(),
        });
    }
}

/// Takes the last line for damaged if the index knows that it was another one: no line after it can tell.
fn disown_last(bytes: &[u8], known: &JournalPosition, contents: &mut Contents) -> Option<Damage> {
    let last = contents.entries.last().filter(|last| last.after == contents.end)?;
    if known.offset != last.after.offset || known.hash == last.after.hash {
        return None;
    }
    let place = last.place;
    let (before, line) = bytes.split_at_checked(usize::try_from(place.offset).ok()?)?;
    *contents = Contents { rest: line.to_owned(), ..read(before, None) };
    Some(Damage {
        file: "journal.jsonl".into(),
        offset: place.offset,
        len: u64::from(place.len),
        line: Some(before.split_inclusive(|byte| *byte == b'\n').count() as u64 + 1),
        seq: Some(known.seq),
        what: "the last line is not as it was written".to_owned(),
    })
}

/// Deals with what follows the last line end: an entry that lacks only its line end is completed, anything
/// else was never acknowledged and is moved aside.
fn mend_tail(path: &Path, contents: &mut Contents) -> Result<Option<PathBuf>, StoreError> {
    let doing = "mend the end of the journal";
    let whole = leading_entry(&contents.rest)
        .filter(|(entry, _)| entry.prev == contents.end.hash)
        .map_or(0, |(_, len)| len);
    let moved =
        if whole == contents.rest.len() { None } else { Some(cut_tail(path, contents, whole)?) };
    if whole > 0 {
        let mut file = files::open(path).context(doing, path)?;
        file.seek(SeekFrom::End(0)).context(doing, path)?;
        file.write_all(b"\n").context(doing, path)?;
        file.sync_all().context(doing, path)?;
        *contents = read(&fs::read(path).context(doing, path)?, None);
    }
    Ok(moved)
}

/// Moves aside what follows the last line end, but for its first `keep` bytes.
fn cut_tail(path: &Path, contents: &Contents, keep: usize) -> Result<PathBuf, StoreError> {
    let doing = "mend the end of the journal";
    let aside = files::aside(path, "torn");
    let mut copy = files::open(&aside).context(doing, &aside)?;
    copy.write_all(contents.rest.get(keep..).unwrap_or_default()).context(doing, &aside)?;
    copy.sync_all().context(doing, &aside)?;
    if let Some(dir) = path.parent() {
        files::sync_dir(dir).context(doing, dir)?;
    }
    let file = files::open(path).context(doing, path)?;
    file.set_len(contents.end.offset + keep as u64).context(doing, path)?;
    file.sync_all().context(doing, path)?;
    Ok(aside)
}
