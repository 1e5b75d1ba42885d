//! Reads archive records one after another, and finds the next good one after damage.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::frame::{self, ArchiveHeader};
use crate::domain::journal::NO_PREVIOUS;

/// Where one record lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArchivePlace {
    /// Number of the segment file.
    pub segment: u32,
    /// Its first byte there.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// A point between two records: everything before it is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArchivePosition {
    /// Segment of the record before; 0 at the start.
    pub segment: u32,
    /// First byte of the record before.
    pub last: u64,
    /// One past its last byte.
    pub offset: u64,
    /// Its number; 0 at the start.
    pub seq: u64,
    /// Its chain value.
    pub chain: String,
}

impl Default for ArchivePosition {
    fn default() -> Self {
        Self { segment: 0, last: 0, offset: 0, seq: 0, chain: NO_PREVIOUS.into() }
    }
}

/// One good record.
#[derive(Clone, PartialEq, Eq)]
pub struct ArchiveRecord {
    /// Its header.
    pub header: ArchiveHeader,
    /// The raw message; empty if only headers were asked for.
    pub raw: Vec<u8>,
    /// Where it lies.
    pub place: ArchivePlace,
    /// The point after it.
    pub after: ArchivePosition,
}

/// Something in a file that is not as it was written. Everything beside it is still used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Damage {
    /// Name of the file within the store.
    pub file: String,
    /// First damaged byte.
    pub offset: u64,
    /// Number of bytes; 0 where something is missing.
    pub len: u64,
    /// Line of the journal, from 1.
    pub line: Option<u64>,
    /// Number of the record or entry, where known.
    pub seq: Option<u64>,
    /// What is wrong, in a few words.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ", byte {}", self.offset)?;
        if let Some(seq) = self.seq {
            write!(f, ", record {seq}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// File name of a segment.
pub fn segment_name(number: u32) -> String {
    format!("{number:06}.mbox.zst")
}

/// Numbers of the segments in `dir`, ascending; none where there is no such folder yet.
pub fn segments(dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    let items = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        items => items?,
    };
    for item in items {
        let name = item?.file_name();
        if let Some(number) = name
            .to_str()
            .and_then(|name| name.strip_suffix(".mbox.zst"))
            .and_then(|digits| digits.parse().ok())
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

struct Segment {
    number: u32,
    file: BufReader<File>,
    len: u64,
}

/// Why there is no record at an offset.
struct Bad {
    what: &'static str,
    /// The header, if that much was readable, and where its record ends.
    header: Option<Box<(ArchiveHeader, u64)>>,
}

impl From<&'static str> for Bad {
    fn from(what: &'static str) -> Self {
        Self { what, header: None }
    }
}

/// Iterator over the records after a position; see [`super::Store::archive_records`].
pub struct Scan {
    dir: PathBuf,
    needle: Vec<u8>,
    content: bool,
    segments: VecDeque<u32>,
    current: Option<Segment>,
    offset: u64,
    /// Segment and byte to stop at.
    limit: Option<(u32, u64)>,
    position: ArchivePosition,
    /// Whether damage was reported since the last good record.
    gap: bool,
    queued: Option<ArchiveRecord>,
}

impl Scan {
    /// Reads the records of `store` in `dir` after `from`; without their content if `content` is false.
    pub fn new(
        dir: &Path,
        store: &str,
        from: ArchivePosition,
        limit: Option<(u32, u64)>,
        content: bool,
    ) -> io::Result<Self> {
        let segments =
            segments(dir)?.into_iter().filter(|number| *number >= from.segment).collect();
        Ok(Self {
            dir: dir.to_owned(),
            needle: format!(r#"{{"mark":"cbk1","v":{},"store":"{store}""#, frame::VERSION)
                .into_bytes(),
            content,
            segments,
            current: None,
            offset: from.offset,
            limit,
            position: from,
            gap: false,
            queued: None,
        })
    }

    /// The point after the last good record.
    pub fn position(&self) -> &ArchivePosition {
        &self.position
    }

    fn damage(&self, number: u32, len: u64, seq: Option<u64>, what: impl Into<String>) -> Damage {
        Damage {
            file: format!("archive/{}", segment_name(number)),
            offset: self.offset,
            len,
            line: None,
            seq,
            what: what.into(),
        }
    }

    /// Makes sure that a segment is open; `None` at the end of all.
    fn enter(&mut self) -> Option<Result<(), Damage>> {
        if let Some(current) = &self.current {
            if self.offset < current.len {
                return Some(Ok(()));
            }
            self.current = None;
            self.offset = 0;
        }
        let number = self.segments.pop_front()?;
        if self.limit.is_some_and(|(last, _)| number > last) {
            return None;
        }
        if number != self.position.segment {
            self.offset = 0;
        }
        let path = self.dir.join(segment_name(number));
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let Ok((mut len, file)) = opened else {
            self.gap = true;
            return Some(Err(self.damage(number, 0, None, "the file cannot be read")));
        };
        if let Some((last, end)) = self.limit
            && last == number
        {
            len = len.min(end);
        }
        self.current =
            Some(Segment { number, file: BufReader::with_capacity(64 << 10, file), len });
        self.enter()
    }

    fn step(&mut self) -> Option<Result<ArchiveRecord, Damage>> {
        if let Some(record) = self.queued.take() {
            self.accept(&record);
            return Some(Ok(record));
        }
        if let Err(damage) = self.enter()? {
            return Some(Err(damage));
        }
        let (offset, content) = (self.offset, self.content);
        let segment = self.current.as_mut()?;
        let number = segment.number;
        match read_record(segment, offset, content) {
            Ok(record) => Some(self.judge(number, record)),
            Err(bad) => Some(Err(self.resync(number, bad))),
        }
    }

    /// Checks that a good record follows the one before.
    fn judge(&mut self, number: u32, record: ArchiveRecord) -> Result<ArchiveRecord, Damage> {
        let (seq, expected) = (record.header.seq, self.position.seq.saturating_add(1));
        if seq < expected {
            let damage = self.damage(number, record.place.len, Some(seq), "record is a repetition");
            self.offset = record.after.offset;
            return Err(damage);
        }
        let missing = seq > expected;
        if !self.gap && (missing || record.header.prev != self.position.chain) {
            let what = if missing {
                format!("records {expected} to {} are missing", seq - 1)
            } else {
                "record does not follow the one before".to_owned()
            };
            let damage = self.damage(number, 0, missing.then_some(expected), what);
            self.queued = Some(record);
            self.gap = true;
            return Err(damage);
        }
        self.accept(&record);
        Ok(record)
    }

    fn accept(&mut self, record: &ArchiveRecord) {
        self.gap = false;
        self.offset = record.after.offset;
        self.position = record.after.clone();
    }

    /// Goes to the next record after a bad one.
    fn resync(&mut self, number: u32, bad: Bad) -> Damage {
        self.gap = true;
        let offset = self.offset;
        let expected = self.position.seq.saturating_add(1);
        let Some(segment) = self.current.as_mut() else {
            return self.damage(number, 0, None, bad.what);
        };
        let (next, seq) = match bad.header {
            Some(read) => (read.1, Some(read.0.seq)),
            None => match find_next(segment, offset + 1, &self.needle, expected) {
                Some((next, seq)) => (next, (seq == expected + 1).then_some(expected)),
                None => (segment.len, None),
            },
        };
        let next = next.min(segment.len);
        let damage = self.damage(number, next - offset, seq, bad.what);
        self.offset = next;
        damage
    }
}

impl Iterator for Scan {
    type Item = Result<ArchiveRecord, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step()
    }
}

/// Reads the record at `offset`.
fn read_record(segment: &mut Segment, offset: u64, content: bool) -> Result<ArchiveRecord, Bad> {
    let (header, chain, start) = read_head(segment, offset)?;
    let end = start.saturating_add(header.packed);
    if end > segment.len {
        return Err("record is cut off".into());
    }
    let mut raw = Vec::new();
    if content {
        let outcome = read_exactly(&mut segment.file, header.packed)
            .ok_or("record cannot be read")
            .and_then(|packed| frame::unpack(&header, &packed));
        match outcome {
            Ok(bytes) => raw = bytes,
            Err(what) => return Err(Bad { what, header: Some(Box::new((header, end))) }),
        }
    }
    let place = ArchivePlace { segment: segment.number, offset, len: end - offset };
    let after = ArchivePosition {
        segment: segment.number,
        last: offset,
        offset: end,
        seq: header.seq,
        chain,
    };
    Ok(ArchiveRecord { header, raw, place, after })
}

/// Reads the header at `offset`; gives it with chain value and the first byte of the content.
fn read_head(segment: &mut Segment, offset: u64) -> Result<(ArchiveHeader, String, u64), Bad> {
    seek(&mut segment.file, offset).map_err(|_| "record cannot be read")?;
    let mut fixed = [0; 8];
    segment.file.read_exact(&mut fixed).map_err(|_| "record is cut off")?;
    let [a, b, c, d, length @ ..] = fixed;
    let length = u32::from_le_bytes(length);
    if [a, b, c, d] != frame::MAGIC || length as usize > frame::MAX_HEADER {
        return Err("not the beginning of a record".into());
    }
    let text = read_exactly(&mut segment.file, u64::from(length)).ok_or("record is cut off")?;
    let (header, chain) = frame::read_header(&text)?;
    Ok((header, chain, offset + 8 + u64::from(length)))
}

/// Keeps what is buffered where the target is near.
fn seek(file: &mut BufReader<File>, offset: u64) -> io::Result<()> {
    let here = file.stream_position()?;
    match i64::try_from(i128::from(offset) - i128::from(here)) {
        Ok(by) => file.seek_relative(by),
        Err(_) => file.seek(SeekFrom::Start(offset)).map(|_| ()),
    }
}

fn read_exactly(file: &mut BufReader<File>, len: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(len.min(1 << 20)).ok()?);
    let read = file.take(len).read_to_end(&mut bytes).ok()?;
    (read as u64 == len).then_some(bytes)
}

/// Finds a whole header with a number above `expected` at or after `from`; gives its offset and number.
fn find_next(segment: &mut Segment, from: u64, needle: &[u8], expected: u64) -> Option<(u64, u64)> {
    const CHUNK: u64 = 1 << 20;
    let mut start = from;
    while start < segment.len {
        seek(&mut segment.file, start).ok()?;
        let bytes = read_exactly(&mut segment.file, CHUNK.min(segment.len - start))?;
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'{') {
            if !bytes.get(at..).is_some_and(|rest| rest.starts_with(needle)) {
                continue;
            }
            let Some(offset) = (start + at as u64).checked_sub(8).filter(|o| *o >= from) else {
                continue;
            };
            if let Ok((header, _, content)) = read_head(segment, offset)
                && header.seq >= expected
                && content.saturating_add(header.packed) <= segment.len
            {
                return Some((offset, header.seq));
            }
        }
        // The needle may straddle two chunks; the eight bytes before it may too.
        let overlap = needle.len() as u64 + 8;
        if bytes.len() as u64 <= overlap || start + bytes.len() as u64 >= segment.len {
            return None;
        }
        start += bytes.len() as u64 - overlap;
    }
    None
}

/// Reads the one record at `place`, content checked.
pub fn read_at(dir: &Path, place: ArchivePlace) -> Result<ArchiveRecord, &'static str> {
    let path = dir.join(segment_name(place.segment));
    let file = File::open(path).map_err(|_| "the file cannot be opened")?;
    let len = place.offset.saturating_add(place.len);
    let capacity = usize::try_from(place.len.min(64 << 10)).unwrap_or(4096);
    let file = BufReader::with_capacity(capacity, file);
    let mut segment = Segment { number: place.segment, file, len };
    read_record(&mut segment, place.offset, true).map_err(|bad| bad.what)
}

/// Reads the header of the record that ends at `position` and tells whether it is the one it names.
pub fn stands(dir: &Path, position: &ArchivePosition) -> bool {
    if position.seq == 0 {
        return true;
    }
    let path = dir.join(segment_name(position.segment));
    let Ok((len, file)) = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)))
    else {
        return false;
    };
    let file = BufReader::with_capacity(4096, file);
    let mut segment = Segment { number: position.segment, file, len };
    read_record(&mut segment, position.last, false)
        .is_ok_and(|record| &record.after == position && position.offset <= len)
}
