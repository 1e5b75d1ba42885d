//! Reads archive records one after another, and finds the next good one after damage.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::frame::{self, ArchiveHeader, Content, Header, NewMail, Unpacked};
use crate::domain::MessageRef;
use crate::domain::journal::NO_PREVIOUS;

/// Where the record of a message lies; in the earlier format others may share it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
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
    /// Number of its last message; 0 at the start.
    pub seq: u64,
    /// Its chain value.
    pub chain: String,
}

impl Default for ArchivePosition {
    fn default() -> Self {
        Self { segment: 0, last: 0, offset: 0, seq: 0, chain: NO_PREVIOUS.into() }
    }
}

/// One good message.
#[derive(Clone, PartialEq, Eq)]
pub struct ArchiveRecord {
    /// Its number.
    pub seq: u64,
    /// Its SHA-256.
    pub message: MessageRef,
    /// The message; its bytes are empty if only headers were asked for.
    pub mail: NewMail,
    /// Where it lies.
    pub place: ArchivePlace,
    /// The point after its record.
    pub after: ArchivePosition,
}

/// A record whose header is good.
pub struct Record {
    /// The header.
    pub header: ArchiveHeader,
    /// The messages as they came out; none if only the header was read.
    pub raws: Vec<Unpacked>,
    /// Whether the frame around them is as it was written, as far as it was read.
    whole: bool,
    /// Where it lies.
    pub place: ArchivePlace,
    /// The point after it.
    pub after: ArchivePosition,
}

impl Record {
    /// The message with this number.
    pub fn take(&mut self, seq: u64) -> Unpacked {
        let at = seq.checked_sub(self.header.seq).and_then(|at| usize::try_from(at).ok());
        let raw = at
            .and_then(|at| self.raws.get_mut(at))
            .map(|raw| std::mem::replace(raw, Err("content was taken before")));
        raw.unwrap_or(Err("the record does not hold it"))
    }
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

/// Iterator over the messages after a position; see [`super::Store::archive_records`].
pub struct Scan {
    dir: PathBuf,
    store: String,
    content: bool,
    segments: VecDeque<u32>,
    current: Option<Segment>,
    offset: u64,
    /// Segment and byte to stop at.
    limit: Option<(u32, u64)>,
    position: ArchivePosition,
    /// Whether damage was reported since the last good record.
    gap: bool,
    /// A record that follows the damage just reported.
    held: Option<Record>,
    /// What the record before the current offset held.
    ready: VecDeque<Result<ArchiveRecord, Damage>>,
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
            store: store.to_owned(),
            content,
            segments,
            current: None,
            offset: from.offset,
            limit,
            position: from,
            gap: false,
            held: None,
            ready: VecDeque::new(),
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
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if let Some(record) = self.held.take() {
                self.accept(record);
                continue;
            }
            if let Err(damage) = self.enter()? {
                return Some(Err(damage));
            }
            let (offset, content) = (self.offset, self.content);
            let segment = self.current.as_mut()?;
            let number = segment.number;
            match read_record(segment, offset, content) {
                Ok(Found::Record(record)) => {
                    if let Some(damage) = self.judge(number, record) {
                        return Some(Err(damage));
                    }
                }
                Ok(Found::Head { end, .. }) => self.offset = end,
                Err(what) => return Some(Err(self.resync(number, what))),
            }
        }
    }

    /// Takes a good record, and tells if it does not follow the one before.
    fn judge(&mut self, number: u32, record: Record) -> Option<Damage> {
        let (seq, expected) = (record.header.seq, self.position.seq.saturating_add(1));
        if seq < expected {
            let damage = self.damage(number, record.place.len, Some(seq), "record is a repetition");
            self.offset = record.after.offset;
            return Some(damage);
        }
        let missing = seq > expected;
        if !self.gap && (missing || !record.header.follows(&self.position.chain)) {
            let what = if missing {
                format!("records {expected} to {} are missing", seq - 1)
            } else {
                "record does not follow the one before".to_owned()
            };
            let damage = self.damage(number, 0, missing.then_some(expected), what);
            self.held = Some(record);
            self.gap = true;
            return Some(damage);
        }
        self.accept(record);
        None
    }

    fn accept(&mut self, record: Record) {
        let Record { header, mut raws, whole, place, after } = record;
        self.gap = false;
        if !whole && raws.iter().all(Result::is_ok) {
            let what = "the message is whole, but the check sum behind it is not as written";
            let damage = self.damage(place.segment, place.len, Some(header.seq), what);
            self.ready.push_back(Err(damage));
        }
        for (seq, head) in (header.seq..).zip(header.mails) {
            let raw = if self.content { raws.remove(0) } else { Ok(Vec::new()) };
            self.ready.push_back(match raw {
                Ok(raw) => Ok(ArchiveRecord {
                    seq,
                    message: head.sha256,
                    mail: head.with(raw),
                    place,
                    after: after.clone(),
                }),
                Err(what) => Err(self.damage(place.segment, place.len, Some(seq), what)),
            });
        }
        self.offset = after.offset;
        self.position = after;
    }

    /// Goes to the next record after a place where there is none.
    fn resync(&mut self, number: u32, what: &'static str) -> Damage {
        self.gap = true;
        let offset = self.offset;
        let expected = self.position.seq.saturating_add(1);
        let Some(segment) = self.current.as_mut() else {
            return self.damage(number, 0, None, what);
        };
        let (next, seq) = match find_next(segment, offset + 1, &self.store, expected) {
            Some((next, seq)) => (next, (seq == expected + 1).then_some(expected)),
            None => (segment.len, None),
        };
        let next = next.min(segment.len);
        let damage = self.damage(number, next - offset, seq, what);
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

/// What begins at some byte.
enum Found {
    /// A segment's head, with the store's id.
    Head {
        store: String,
        end: u64,
    },
    Record(Record),
}

/// Reads what is at `offset`.
fn read_record(segment: &mut Segment, offset: u64, content: bool) -> Result<Found, &'static str> {
    let (header, start) = read_head(segment, offset)?;
    let header = match header {
        Header::Segment(store) => return Ok(Found::Head { store, end: start }),
        Header::Record(header) => header,
    };
    let end = start.saturating_add(header.packed);
    if end > segment.len {
        return Err("record is cut off");
    }
    let (mut raws, mut whole) = (Vec::new(), true);
    if content {
        let packed =
            read_exactly(&mut segment.file, header.packed).ok_or("record cannot be read")?;
        Content { raws, whole } = frame::unpack(&header, &packed);
    }
    let place = ArchivePlace { segment: segment.number, offset, len: end - offset };
    let after = ArchivePosition {
        segment: segment.number,
        last: offset,
        offset: end,
        seq: header.last(),
        chain: header.chain.clone(),
    };
    Ok(Found::Record(Record { header, raws, whole, place, after }))
}

/// Reads the header at `offset`; gives it with the first byte of what follows it.
fn read_head(segment: &mut Segment, offset: u64) -> Result<(Header, u64), &'static str> {
    seek(&mut segment.file, offset).map_err(|_| "record cannot be read")?;
    let mut fixed = [0; 8];
    segment.file.read_exact(&mut fixed).map_err(|_| "record is cut off")?;
    let [a, b, c, d, length @ ..] = fixed;
    let (magic, length) = ([a, b, c, d], u32::from_le_bytes(length));
    let ours = [frame::MAGIC, frame::RECORD_MAGIC].contains(&magic);
    if !ours || length as usize > frame::MAX_HEADER {
        return Err("not the beginning of a record");
    }
    let text = read_exactly(&mut segment.file, u64::from(length)).ok_or("record is cut off")?;
    Ok((frame::read_header(magic, &text)?, offset + 8 + u64::from(length)))
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

/// Finds a whole record of `store` with a number from `expected` on at or after `from`; gives its offset and number.
fn find_next(segment: &mut Segment, from: u64, store: &str, expected: u64) -> Option<(u64, u64)> {
    const CHUNK: u64 = 1 << 20;
    let tag = frame::tag_of(store);
    let mut start = from;
    while start < segment.len {
        seek(&mut segment.file, start).ok()?;
        let bytes = read_exactly(&mut segment.file, CHUNK.min(segment.len - start))?;
        for (at, window) in (start..).zip(bytes.windows(frame::BEGINNING)) {
            if frame::may_begin(window, &tag)
                && let Ok((Header::Record(header), content)) = read_head(segment, at)
                && header.by.is(store)
                && header.seq >= expected
                && content.saturating_add(header.packed) <= segment.len
            {
                return Some((at, header.seq));
            }
        }
        // A beginning may straddle two chunks.
        let overlap = frame::BEGINNING as u64 - 1;
        if bytes.len() as u64 <= overlap || start + bytes.len() as u64 >= segment.len {
            return None;
        }
        start += bytes.len() as u64 - overlap;
    }
    None
}

/// Reads what a segment begins with.
fn beginning(dir: &Path, number: u32) -> Option<Found> {
    let file = File::open(dir.join(segment_name(number))).ok()?;
    let len = file.metadata().ok()?.len();
    let file = BufReader::with_capacity(4096, file);
    read_record(&mut Segment { number, file, len }, 0, false).ok()
}

/// Id of the store that wrote the first segment with a good beginning.
pub fn written_by(dir: &Path) -> Option<String> {
    let id = |number| match beginning(dir, number)? {
        Found::Head { store, .. } => Some(store),
        Found::Record(record) => record.header.by.id(),
    };
    segments(dir).ok()?.into_iter().find_map(id)
}

/// Whether records of the version that is written now may be added to a segment.
pub fn is_current(dir: &Path, number: u32) -> bool {
    matches!(beginning(dir, number), Some(Found::Head { .. }))
}

/// Reads single records; keeps the segment open, since the next one is likely to be near.
pub struct Reader<'a> {
    dir: &'a Path,
    segment: Option<Segment>,
}

impl<'a> Reader<'a> {
    /// Bytes read at once: most records are shorter.
    const AHEAD: usize = 16 << 10;

    /// A reader of the archive in `dir`.
    pub fn new(dir: &'a Path) -> Self {
        Self { dir, segment: None }
    }

    /// Reads the record at `place`, content checked.
    pub fn read(&mut self, place: ArchivePlace) -> Result<Record, &'static str> {
        let mut segment = match self.segment.take() {
            Some(segment) if segment.number == place.segment => segment,
            _ => {
                let file = File::open(self.dir.join(segment_name(place.segment)))
                    .map_err(|_| "the file cannot be opened")?;
                let file = BufReader::with_capacity(Self::AHEAD, file);
                Segment { number: place.segment, file, len: 0 }
            }
        };
        segment.len = place.offset.saturating_add(place.len);
        let found = read_record(&mut segment, place.offset, true);
        self.segment = Some(segment);
        match found? {
            Found::Record(record) => Ok(record),
            Found::Head { .. } => Err("not the beginning of a record"),
        }
    }
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
    matches!(
        read_record(&mut segment, position.last, false),
        Ok(Found::Record(record)) if &record.after == position && position.offset <= len
    )
}
