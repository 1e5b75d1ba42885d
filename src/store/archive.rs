//! The evidence copy: every raw message, append-only, in segments of about 256 MB.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::{IoContext as _, StoreError};
use super::frame::{self, NewMail, Packer, Tag};
use super::scan::{
    ArchivePlace, ArchivePosition, Damage, Reader, Scan, is_current, segment_name, segments, stands,
};
use super::{MAX_MESSAGE, files};
use crate::domain::MessageRef;

/// Size at which a new segment is begun.
const SEGMENT_BYTES: u64 = 256 << 20;
/// Space left for the index beside each append.
const RESERVE_BYTES: u64 = 8 << 20;

/// Records that the index does not know yet: just appended, or written before a crash.
#[derive(Default)]
pub struct Pending {
    by_sha: HashMap<MessageRef, (u64, ArchivePlace)>,
    by_seq: BTreeMap<u64, (MessageRef, ArchivePlace)>,
}

impl Pending {
    fn add(&mut self, message: MessageRef, seq: u64, place: ArchivePlace) {
        self.by_sha.entry(message).or_insert((seq, place));
        self.by_seq.insert(seq, (message, place));
    }

    /// Lowest number that is not indexed once `done` are.
    pub fn first_without(&self, done: &BTreeSet<u64>) -> Option<u64> {
        self.by_seq.keys().copied().find(|seq| !done.contains(seq))
    }

    /// The index knows these now.
    pub fn remove(&mut self, done: &BTreeSet<u64>) {
        for seq in done {
            if let Some((message, _)) = self.by_seq.remove(seq)
                && self.by_sha.get(&message).is_some_and(|(first, _)| first == seq)
            {
                self.by_sha.remove(&message);
            }
        }
    }

    /// Where the message lies, if it is here.
    pub fn find(&self, message: &MessageRef) -> Option<(u64, ArchivePlace)> {
        self.by_sha.get(message).copied()
    }

    /// Where the record lies, if it is here.
    pub fn place(&self, seq: u64) -> Option<ArchivePlace> {
        self.by_seq.get(&seq).map(|(_, place)| *place)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.by_seq.len()
    }
}

struct Writer {
    packer: Packer,
    /// Segment that is written to, and its length.
    segment: u32,
    offset: u64,
    /// The point after the last record.
    end: ArchivePosition,
    /// The segment was begun by an earlier version: the next record goes to a new one.
    full: bool,
    /// A failed append could not be taken back.
    broken: bool,
}

/// The archive folder.
pub struct Archive {
    dir: PathBuf,
    store: String,
    segment_bytes: u64,
    writer: Mutex<Writer>,
    pending: Mutex<Pending>,
}

/// What opening found.
#[derive(Default)]
pub struct Found {
    /// Whether the point that the index knows is there.
    pub position_stands: bool,
    /// What is damaged, as far as opening looked.
    pub damages: Vec<Damage>,
    /// Files to which torn tails were moved.
    pub moved: Vec<PathBuf>,
}

/// One message that an append has stored or found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Number of its record.
    pub seq: u64,
    /// The message.
    pub message: MessageRef,
    /// Where it lies.
    pub place: ArchivePlace,
    /// Whether it was there before.
    pub duplicate: bool,
    /// The point to hand to [`super::Batch::advance_archive`] together with its mail record.
    pub after: ArchivePosition,
}

impl Archive {
    /// Opens the folder, reading only what lies after `known` if that point stands.
    pub fn open(
        dir: &Path,
        store: &str,
        known: Option<&ArchivePosition>,
        write: bool,
    ) -> Result<(Self, Found), StoreError> {
        let doing = "open the archive";
        let numbers = segments(dir).context(doing, dir)?;
        let known_given = known.is_some();
        let known = known.filter(|position| stands(dir, position));
        let mut found = Found { position_stands: known.is_some(), ..Found::default() };
        let from = known.cloned().unwrap_or_default();
        let (mut end, mut before, mut pending) = (from.clone(), from.clone(), Pending::default());
        if !numbers.is_empty() {
            let mut scan =
                Scan::new(dir, store, from, None, known.is_some()).context(doing, dir)?;
            for item in scan.by_ref() {
                match item {
                    Ok(record) => {
                        pending.add(record.message, record.seq, record.place);
                        if record.after != end {
                            before = std::mem::replace(&mut end, record.after);
                        }
                    }
                    Err(damage) if damage.what == frame::NEWER => {
                        return Err(StoreError::Newer { found: frame::VERSION + 1 });
                    }
                    Err(damage) => found.damages.push(damage),
                }
            }
        }
        // A scan of headers has not seen the content; the last record may be a torn write.
        let last = ArchivePlace {
            segment: end.segment,
            offset: end.last,
            len: end.offset.saturating_sub(end.last),
        };
        if known.is_none() && end.seq > 0 && end != before && !is_whole(dir, last) {
            pending.remove(&(before.seq + 1..=end.seq).collect());
            found.damages.push(Damage {
                file: format!("archive/{}", segment_name(last.segment)),
                offset: last.offset,
                len: last.len,
                line: None,
                seq: Some(end.seq),
                what: "the last record is not as it was written".into(),
            });
            end = before;
        }
        let segment = numbers.last().copied().unwrap_or(0);
        let good = if segment == end.segment { end.offset } else { 0 };
        let packer = Packer::new().context(doing, dir)?;
        let full = good > 0 && !is_current(dir, segment);
        let writer = Writer { packer, segment, offset: good, end, full, broken: false };
        let archive = Self {
            dir: dir.to_owned(),
            store: store.to_owned(),
            segment_bytes: SEGMENT_BYTES,
            writer: Mutex::new(writer),
            pending: Mutex::new(pending),
        };
        if write && segment > 0 {
            archive.cut_tail(segment, good, known_given, &mut found)?;
        }
        Ok((archive, found))
    }

    /// Moves what follows the last good record out of the way, so that the next record can be found.
    fn cut_tail(
        &self,
        segment: u32,
        good: u64,
        known: bool,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let doing = "set a torn archive record aside";
        let path = self.dir.join(segment_name(segment));
        let mut file = files::open(&path).context(doing, &path)?;
        if file.metadata().context(doing, &path)?.len() <= good {
            return Ok(());
        }
        let aside = files::aside(&path, "torn");
        let mut copy = files::open(&aside).context(doing, &aside)?;
        file.seek(SeekFrom::Start(good)).context(doing, &path)?;
        std::io::copy(&mut file, &mut copy).context(doing, &aside)?;
        copy.sync_all().context(doing, &aside)?;
        files::sync_dir(&self.dir).context(doing, &self.dir)?;
        file.set_len(good).context(doing, &path)?;
        file.sync_all().context(doing, &path)?;
        found.moved.push(aside);
        if found.position_stands || !known {
            // Never acknowledged, so no loss.
            let name = format!("archive/{}", segment_name(segment));
            found.damages.retain(|damage| damage.file != name || damage.offset < good);
        }
        Ok(())
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that are not indexed.
    pub fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The point after the last record.
    pub fn end(&self) -> ArchivePosition {
        self.writer().end.clone()
    }

    /// Bytes of all segments before `segment`; tells whether an earlier one was cut.
    pub fn sealed_bytes(&self, segment: u32) -> u64 {
        let numbers = segments(&self.dir).unwrap_or_default();
        numbers
            .into_iter()
            .filter(|number| *number < segment)
            .filter_map(|number| fs::metadata(self.dir.join(segment_name(number))).ok())
            .map(|metadata| metadata.len())
            .sum()
    }

    /// Records after `from`, up to what is written now.
    pub fn records(&self, from: ArchivePosition, content: bool) -> Result<Scan, StoreError> {
        let writer = self.writer();
        let limit = Some((writer.segment, writer.offset));
        drop(writer);
        Scan::new(&self.dir, &self.store, from, limit, content)
            .context("read the archive", &self.dir)
    }

    /// Forgets what the index knows: all records wait to be indexed. Call it before the index is emptied, so
    /// that an append at the same time finds every message in one or the other.
    pub fn expect_all(&self) -> Result<(), StoreError> {
        for record in self.records(ArchivePosition::default(), false)?.flatten() {
            self.pending().add(record.message, record.seq, record.place);
        }
        Ok(())
    }

    /// The raw message at `place`.
    pub fn raw(&self, place: ArchivePlace, seq: u64) -> Result<Vec<u8>, StoreError> {
        let raw = Reader::new(&self.dir).read(place).and_then(|mut record| record.take(seq));
        raw.map_err(|_| damaged(seq))
    }

    /// Several raw messages; a record of the earlier format that neighbours share is read once.
    pub fn raws(&self, places: &[(u64, ArchivePlace)]) -> Vec<Result<Vec<u8>, StoreError>> {
        let (mut known, mut reader) = (None, Reader::new(&self.dir));
        let read = |(seq, place): &(u64, ArchivePlace)| {
            if known.as_ref().is_none_or(|(other, _)| other != place) {
                known = Some((*place, reader.read(*place)));
            }
            match &mut known {
                Some((_, Ok(record))) => record.take(*seq).map_err(|_| damaged(*seq)),
                _ => Err(damaged(*seq)),
            }
        };
        places.iter().map(read).collect()
    }

    /// Appends those of `mails`, named by `names`, that `known` does not find, syncs once, then says where all lie.
    pub fn append(
        &self,
        mails: &[NewMail],
        names: &[MessageRef],
        mut known: impl FnMut(&MessageRef) -> Result<Option<(u64, ArchivePlace)>, StoreError>,
    ) -> Result<Vec<Appended>, StoreError> {
        let mut writer = self.writer();
        self.refuse_hopeless(&writer, mails)?;
        // What is here already, then what is new: those are numbered.
        let mut new: Vec<(&NewMail, MessageRef)> = Vec::new();
        let mut numbers: HashMap<MessageRef, usize> = HashMap::new();
        let mut found = Vec::with_capacity(mails.len());
        for (mail, message) in mails.iter().zip(names.iter().copied()) {
            let before = self.pending().find(&message);
            let before = before.map_or_else(|| known(&message), |place| Ok(Some(place)))?;
            let number = numbers.get(&message).copied();
            if before.is_none() && number.is_none() {
                numbers.insert(message, new.len());
                new.push((mail, message));
            }
            found.push((message, before, number));
        }
        let mut run = Run::new(&self.dir, &writer);
        let outcome = run.add_all(self, &mut writer.packer, &new).and_then(|()| run.finish());
        if let Err(error) = outcome {
            writer.broken = run.take_back().is_err();
            return Err(error);
        }
        (writer.segment, writer.offset, writer.end) = (run.segment, run.offset, run.end.clone());
        writer.full = run.full;
        let mut pending = self.pending();
        for ((_, message), (seq, place, _)) in new.iter().zip(&run.placed) {
            pending.add(*message, *seq, *place);
        }
        let appended = |(message, before, number): (MessageRef, Option<_>, Option<usize>)| {
            if let Some((seq, place)) = before {
                let after = run.end.clone();
                return Some(Appended { seq, message, place, duplicate: true, after });
            }
            let at = number.or_else(|| numbers.get(&message).copied())?;
            let (seq, place, after) = run.placed.get(at)?.clone();
            Some(Appended { seq, message, place, duplicate: number.is_some(), after })
        };
        Ok(found.into_iter().filter_map(appended).collect())
    }

    fn refuse_hopeless(&self, writer: &Writer, mails: &[NewMail]) -> Result<(), StoreError> {
        if writer.broken {
            return Err(StoreError::Damaged { what: "the end of the archive".into() });
        }
        if let Some(mail) = mails.iter().find(|mail| mail.raw.len() as u64 > MAX_MESSAGE) {
            return Err(StoreError::TooLarge { size: mail.raw.len() as u64 });
        }
        let bytes: u64 = mails.iter().map(|mail| mail.raw.len() as u64).sum();
        if files::free_space(&self.dir).is_some_and(|free| free < bytes + RESERVE_BYTES) {
            return Err(StoreError::Full { doing: "store messages", path: self.dir.clone() });
        }
        Ok(())
    }

    /// For tests of the change from one segment to the next.
    #[cfg(test)]
    pub fn set_segment_bytes(&mut self, bytes: u64) {
        self.segment_bytes = bytes;
    }
}

fn damaged(seq: u64) -> StoreError {
    StoreError::Damaged { what: format!("message {seq}") }
}

/// Whether a record and all its messages are as they were written.
fn is_whole(dir: &Path, place: ArchivePlace) -> bool {
    Reader::new(dir).read(place).is_ok_and(|record| record.raws.iter().all(Result::is_ok))
}

/// One append, until it is synced.
struct Run<'a> {
    dir: &'a Path,
    segment: u32,
    offset: u64,
    end: ArchivePosition,
    full: bool,
    buffer: Vec<u8>,
    /// Number, record and the point after it of each message added.
    placed: Vec<(u64, ArchivePlace, ArchivePosition)>,
    /// Segment and length to go back to.
    start: (u32, u64),
}

impl<'a> Run<'a> {
    fn new(dir: &'a Path, writer: &Writer) -> Self {
        Self {
            dir,
            segment: writer.segment,
            offset: writer.offset,
            end: writer.end.clone(),
            full: writer.full,
            buffer: Vec::new(),
            placed: Vec::new(),
            start: (writer.segment, writer.offset),
        }
    }

    /// Adds messages, each in its record.
    fn add_all(
        &mut self,
        archive: &Archive,
        packer: &mut Packer,
        mails: &[(&NewMail, MessageRef)],
    ) -> Result<(), StoreError> {
        let by = frame::tag_of(&archive.store);
        mails.iter().try_for_each(|mail| self.add(archive, packer, by, *mail))
    }

    fn add(
        &mut self,
        archive: &Archive,
        packer: &mut Packer,
        by: Tag,
        mail: (&NewMail, MessageRef),
    ) -> Result<(), StoreError> {
        if self.segment == 0 || self.full || self.offset >= archive.segment_bytes {
            self.finish()?;
            self.segment += 1;
            (self.offset, self.full) = (0, false);
        }
        if self.offset == 0 {
            self.buffer = frame::segment_head(&archive.store);
            self.offset = self.buffer.len() as u64;
        }
        let (seq, from) = (self.end.seq + 1, self.buffer.len());
        let chain = packer
            .pack(mail, seq, by, &self.end.chain, &mut self.buffer)
            .context("pack a message", self.dir)?;
        let len = (self.buffer.len() - from) as u64;
        let place = ArchivePlace { segment: self.segment, offset: self.offset, len };
        let (last, offset) = (self.offset, self.offset + len);
        self.offset = offset;
        self.end = ArchivePosition { segment: self.segment, last, offset, seq, chain };
        self.placed.push((seq, place, self.end.clone()));
        Ok(())
    }

    /// Writes and syncs what is buffered.
    fn finish(&mut self) -> Result<(), StoreError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let doing = "store messages";
        let path = self.dir.join(segment_name(self.segment));
        let from = self.offset - self.buffer.len() as u64;
        let mut file = files::open(&path).context(doing, &path)?;
        file.seek(SeekFrom::Start(from)).context(doing, &path)?;
        file.write_all(&self.buffer).context(doing, &path)?;
        file.sync_data().context(doing, &path)?;
        if from == 0 {
            files::sync_dir(self.dir).context(doing, self.dir)?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// After an error: brings the files back to where they were.
    fn take_back(&self) -> std::io::Result<()> {
        let (first, len) = self.start;
        for number in segments(self.dir)?.into_iter().filter(|number| *number > first) {
            fs::remove_file(self.dir.join(segment_name(number)))?;
        }
        if first > 0 {
            let file: File = files::open(&self.dir.join(segment_name(first)))?;
            file.set_len(len)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::ReceivedFrom;
    use super::*;

    fn mail(n: u32) -> NewMail {
        NewMail {
            raw: format!("Subject: {n}\n\n{}", n.wrapping_mul(2_654_435_761)).into_bytes(),
            received: jiff::Timestamp::UNIX_EPOCH,
            received_from: ReceivedFrom::File,
            source: None,
        }
    }

    fn open(dir: &Path, known: Option<&ArchivePosition>) -> (Archive, Found) {
        let (mut archive, found) = Archive::open(dir, "S", known, true).unwrap();
        archive.set_segment_bytes(2_000);
        (archive, found)
    }

    /// Three at a time.
    fn append_all(archive: &Archive, mails: &[NewMail]) -> Vec<Appended> {
        mails.chunks(3).flat_map(|some| append(archive, some)).collect()
    }

    fn names(mails: &[NewMail]) -> Vec<MessageRef> {
        mails.iter().map(|mail| MessageRef::of(&mail.raw)).collect()
    }

    fn append(archive: &Archive, mails: &[NewMail]) -> Vec<Appended> {
        archive.append(mails, &names(mails), |_| Ok(None)).unwrap()
    }

    #[test]
    fn records_go_on_in_the_next_file() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, _) = open(dir.path(), None);
        let mails: Vec<_> = (0..40).map(mail).collect();
        let done = append_all(&archive, &mails);
        assert!(segments(dir.path()).unwrap().len() > 3);
        for (mail, done) in mails.iter().zip(&done) {
            assert_eq!(archive.raw(done.place, done.seq).unwrap(), mail.raw);
        }
        // From any point on, the rest is read.
        for start in &done {
            let rest = archive.records(start.after.clone(), true).unwrap();
            let seqs: Vec<_> = rest.map(|item| item.unwrap().seq).collect();
            assert_eq!(seqs, (start.after.seq + 1..=40).collect::<Vec<_>>());
        }
        let end = archive.end();
        drop(archive);
        let (archive, found) = open(dir.path(), Some(&end));
        assert!(found.position_stands && found.damages.is_empty());
        assert_eq!(archive.end(), end);
    }

    #[test]
    fn a_missing_file_is_named_and_the_others_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, _) = open(dir.path(), None);
        append_all(&archive, &(0..40).map(mail).collect::<Vec<_>>());
        drop(archive);
        fs::remove_file(dir.path().join(segment_name(2))).unwrap();
        let (archive, found) = open(dir.path(), None);
        assert_eq!(found.damages.len(), 1);
        assert!(found.damages[0].what.contains("are missing"), "{}", found.damages[0]);
        assert!(archive.pending().len() > 20);
    }

    #[test]
    fn a_failed_batch_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, _) = open(dir.path(), None);
        append(&archive, &[mail(1)]);
        let end = archive.end();
        let mails = [mail(2), mail(3)];
        let fails = archive.append(&mails, &names(&mails), |message| {
            if *message == MessageRef::of(&mail(3).raw) {
                return Err(StoreError::NotFound { what: "test".into() });
            }
            Ok(None)
        });
        assert!(fails.is_err());
        assert_eq!(archive.end(), end);
        let done = append(&archive, &[mail(2)]);
        assert_eq!((done[0].seq, done[0].duplicate), (2, false));
        assert_eq!(archive.raw(done[0].place, 2).unwrap(), mail(2).raw);
    }
}
