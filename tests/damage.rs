//! Stores with a damaged index, archive or journal: a flipped bit, a file cut short, a zeroed block. Opening never
//! fails or panics; what is damaged is named or changes nothing; everything that the damage did not hit is still
//! there, byte by byte; and mail that comes again heals the rest.
//!
//! Ten stores of each of the nine kinds; `CASEBOOK_DAMAGES=200 cargo test --test damage -- --nocapture` makes it 200 and
//! prints the table, `CASEBOOK_SEED` other ones.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests may fail loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use casebook::domain::MessageRef;
use casebook::domain::journal::{Act, Entry};
use casebook::runtime::desk::Desk;
use casebook::runtime::setup::{Options, Setup};
use casebook::store::{
    CaseRecord, Health, JournalPosition, MailRecord, MailSource, Mode, NewMail, ReceivedFrom, Store,
};
use jiff::Timestamp;

const MAILS: u32 = 30;
const SEGMENT: &str = "archive/000001.mbox.zst";
const JOURNAL: &str = "journal.jsonl";

/// splitmix64: damage is drawn from it, so that a seed names a run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Flip,
    Truncate,
    Zero,
}

const KINDS: [Kind; 3] = [Kind::Flip, Kind::Truncate, Kind::Zero];

/// Damages a file; the bytes that are not as they were. None where there were zeros before.
fn damage(path: &Path, kind: Kind, dice: &mut Dice) -> Range<u64> {
    let good = fs::read(path).unwrap();
    let mut bytes = good.clone();
    let place = dice.below(bytes.len());
    match kind {
        Kind::Flip => bytes[place] ^= 1 << dice.below(8),
        Kind::Truncate => bytes.truncate(place),
        Kind::Zero => {
            let end = (place + 512).min(bytes.len());
            bytes[place..end].fill(0);
        }
    }
    let differs = |at: &usize| bytes.get(*at) != good.get(*at);
    let first = (0..good.len()).find(differs).unwrap_or(0) as u64;
    let end = (0..good.len()).rev().find(differs).map_or(first, |at| at as u64 + 1);
    fs::write(path, bytes).unwrap();
    first..end
}

fn touches(hit: &Range<u64>, start: u64, end: u64) -> bool {
    hit.start < end && start < hit.end
}

fn mail(n: u32) -> NewMail {
    let words: String =
        (0..n * 13 % 400).map(|i| format!("{:x} ", i.wrapping_mul(n + 7))).collect();
    let parent = n / 3 * 3;
    let raw = format!(
        "From: R{n} <r{n}@example.net>\r\nTo: security@example.org\r\nSubject: report {parent}\r\nMessage-ID: <{n}@x>\r\n\
         References: <{parent}@x>\r\n\r\nFrom here on {n}\r\n{words}\r\n"
    );
    NewMail {
        raw: raw.into_bytes(),
        received: Timestamp::from_second(1_760_000_000 + i64::from(n)).unwrap(),
        received_from: ReceivedFrom::Internaldate,
        source: Some(MailSource {
            mailbox: "INBOX".into(),
            uid_validity: 7,
            uid: n,
            flags: vec!["\\Seen".into()],
        }),
    }
}

fn mails() -> Vec<NewMail> {
    (1..=MAILS).map(mail).collect()
}

fn open(dir: &Path) -> Desk {
    let options = Options { config: None, store: Some(dir.to_owned()), ..Options::default() };
    let opening = Setup::read(options).unwrap().opening();
    Desk::open(opening, &mut |_, _, _| {}).unwrap()
}

/// A store with mails and decisions, closed.
fn filled(dir: &Path) {
    let desk = open(dir);
    for some in mails().chunks(7) {
        desk.add(some.to_vec(), None).unwrap();
    }
    let cases: Vec<_> = desk.all_cases().map(|case| case.unwrap().id).collect();
    for n in 0..24 {
        let text = format!("note {n} \u{e9}\n{}", "more ".repeat(n));
        desk.record(&cases[n % cases.len()], vec![Act::Noted { text }]).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}

/// Everything that lists are made of.
#[derive(PartialEq, Debug)]
struct Shown {
    mails: Vec<MailRecord>,
    cases: Vec<CaseRecord>,
    entries: Vec<Vec<Entry>>,
}

fn shown(store: &Store) -> Shown {
    let cases = store.cases_newest_first(None, 1000).unwrap();
    let entries = cases.iter().map(|case| store.entries(&case.id).unwrap()).collect();
    Shown { mails: store.mails_after(0, 1000).unwrap(), cases, entries }
}

/// A whole store, and what is in it.
struct Whole {
    folder: tempfile::TempDir,
    shown: Shown,
    /// Each entry with the bytes of its line, line end left out.
    lines: Vec<(Entry, Range<u64>)>,
}

impl Whole {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("whole");
        filled(&dir);
        let desk = open(&dir);
        // As it is after a rebuild, which numbers everything in the archive's order.
        desk.rebuild(&mut |_, _, _| {}).unwrap();
        let shown = shown(&desk.store);
        assert_eq!(shown.mails.len(), MAILS as usize);
        let (stored, damages) = desk.store.journal_entries(&JournalPosition::default()).unwrap();
        assert!(damages.is_empty() && stored.len() > 24);
        let range = |at: u64, len: u32| at..at + u64::from(len);
        let lines =
            stored.into_iter().map(|one| (one.entry, range(one.place.offset, one.place.len)));
        Self { shown, lines: lines.collect(), folder }
    }

    fn spoiled(&self) -> PathBuf {
        let bad = self.folder.path().join("bad");
        if bad.exists() {
            fs::remove_dir_all(&bad).unwrap();
        }
        copy(&self.folder.path().join("whole"), &bad);
        bad
    }
}

/// Whether the desk or a whole check says that something is wrong.
fn noticed(desk: &Desk) -> bool {
    let report = desk.store.verify(|_, _| true).unwrap();
    !report.is_sound() || !desk.store.damages().is_empty() || !desk.store.moved_aside().is_empty()
}

/// Every mail that was not hit is there once and as it was; what is there of the others is as it was, too.
fn mails_are_kept(whole: &Whole, store: &Store, hit: &Range<u64>, run: &str) {
    let listed = store.mails_after(0, 1000).unwrap();
    let mut times: BTreeMap<MessageRef, usize> = BTreeMap::new();
    listed.iter().for_each(|mail| *times.entry(mail.message).or_default() += 1);
    for (known, sent) in whole.shown.mails.iter().zip(mails()) {
        let place = known.place;
        let raw = store.raw_by_ref(&known.message);
        if touches(hit, place.offset, place.offset + place.len) {
            assert!(raw.is_err() || raw.unwrap() == sent.raw, "{run}: forged");
        } else {
            let same = raw.is_ok_and(|raw| raw == sent.raw);
            assert!(same, "{run}: {hit:?} did not hit mail {} at {place:?}", known.seq);
            assert_eq!(times.get(&known.message), Some(&1), "{run}: mail {}", known.seq);
        }
    }
    assert!(times.values().all(|times| *times == 1), "{run}");
}

/// Every entry that was not hit is there, and nothing that was never written.
fn entries_are_kept(whole: &Whole, store: &Store, hit: &Range<u64>, run: &str) -> usize {
    let (found, _) = store.journal_entries(&JournalPosition::default()).unwrap();
    let of_cases: Vec<Entry> =
        whole.shown.cases.iter().flat_map(|case| store.entries(&case.id).unwrap()).collect();
    let mut altered = 0;
    for (entry, range) in &whole.lines {
        let same = found.iter().filter(|stored| stored.entry == *entry).count();
        if touches(hit, range.start, range.end) {
            altered += found.iter().filter(|s| s.entry.id == entry.id && s.entry != *entry).count();
        } else {
            assert_eq!(same, 1, "{run}: entry {}", entry.seq);
            let listed = of_cases.iter().filter(|other| *other == entry).count();
            assert_eq!(listed, 1, "{run}: entry {} in its case", entry.seq);
        }
    }
    altered
}

#[derive(Default)]
struct Row {
    stores: u64,
    noticed: u64,
    /// Records that the damage hit, and those beside them, all of which were there.
    hit: usize,
    kept: usize,
}

fn each_kind(what: &'static str, mut one: impl FnMut(Kind, &mut Dice, &str, &mut Row)) {
    let seed = setting("CASEBOOK_SEED").unwrap_or(1);
    let count = setting("CASEBOOK_DAMAGES").unwrap_or(10);
    let mut dice = Dice(seed);
    for kind in KINDS {
        let mut row = Row::default();
        for run in 0..count {
            let name = format!("CASEBOOK_SEED={seed}, {what}, {kind:?}, store {run}");
            row.stores += 1;
            one(kind, &mut dice, &name, &mut row);
        }
        println!(
            "{what:8} {:9} {} stores, {} noticed, {} changed nothing; records hit {}, not hit {}: all there",
            format!("{kind:?}"),
            row.stores,
            row.noticed,
            row.stores - row.noticed,
            row.hit,
            row.kept
        );
    }
}

#[test]
fn a_damaged_index_is_made_anew_by_itself() {
    let whole = Whole::new();
    each_kind("index", |kind, dice, run, row| {
        let (bad, looked) = (whole.spoiled(), whole.folder.path().join("looked"));
        let mut files: Vec<PathBuf> = fs::read_dir(bad.join("index"))
            .unwrap()
            .map(|item| item.unwrap().path())
            .filter(|path| path.is_file() && fs::metadata(path).unwrap().len() > 0)
            .collect();
        files.sort();
        // Mostly the data file; now and then its settings or a snapshot.
        let other = files[dice.below(files.len())].clone();
        let file = if dice.below(5) == 0 { other } else { bad.join("index/db") };
        damage(&file, kind, dice);
        copy(&bad, &looked);
        let (store, health) = Store::open(&looked, Mode::ReadWrite, "S").unwrap();
        let seen = health != Health::Sound;
        drop(store);
        fs::remove_dir_all(&looked).unwrap();
        let desk = open(&bad);
        assert_eq!(shown(&desk.store), whole.shown, "{run}");
        mails_are_kept(&whole, &desk.store, &(0..0), run);
        entries_are_kept(&whole, &desk.store, &(0..0), run);
        assert!(desk.store.verify(|_, _| true).unwrap().is_sound(), "{run}");
        row.noticed += u64::from(seen);
        row.kept += whole.shown.mails.len() + whole.lines.len();
    });
}

#[test]
fn a_damaged_archive_loses_only_what_was_hit() {
    let whole = Whole::new();
    each_kind("archive", |kind, dice, run, row| {
        let bad = whole.spoiled();
        let hit = damage(&bad.join(SEGMENT), kind, dice);
        let desk = open(&bad);
        mails_are_kept(&whole, &desk.store, &hit, run);
        let seen = noticed(&desk);
        if !seen {
            mails_are_kept(&whole, &desk.store, &(0..0), run);
        }
        drop(desk);
        // Without the index, which knew where everything lay.
        fs::remove_dir_all(bad.join("index")).unwrap();
        let desk = open(&bad);
        mails_are_kept(&whole, &desk.store, &hit, run);
        // The server still has them.
        desk.add(mails(), None).unwrap();
        mails_are_kept(&whole, &desk.store, &(0..0), run);
        let touched = |mail: &&MailRecord| {
            touches(&hit, mail.place.offset, mail.place.offset + mail.place.len)
        };
        let touched = whole.shown.mails.iter().filter(touched).count();
        row.noticed += u64::from(seen);
        row.hit += touched;
        row.kept += whole.shown.mails.len() - touched;
    });
}

#[test]
fn a_damaged_journal_loses_only_what_was_hit() {
    let whole = Whole::new();
    each_kind("journal", |kind, dice, run, row| {
        let bad = whole.spoiled();
        let hit = damage(&bad.join(JOURNAL), kind, dice);
        let desk = open(&bad);
        assert_eq!(entries_are_kept(&whole, &desk.store, &hit, run), 0, "{run}: forged");
        mails_are_kept(&whole, &desk.store, &(0..0), run);
        let seen = noticed(&desk);
        if !seen {
            entries_are_kept(&whole, &desk.store, &(0..0), run);
        }
        // It goes on.
        let case = &whole.shown.cases[0].id;
        desk.record(case, vec![Act::Noted { text: "after".into() }]).unwrap();
        drop(desk);
        fs::remove_dir_all(bad.join("index")).unwrap();
        let desk = open(&bad);
        entries_are_kept(&whole, &desk.store, &hit, run);
        let entries = desk.store.entries(case).unwrap();
        let after =
            |entry: &&Entry| matches!(entry.act(), Some(Act::Noted { text }) if text == "after");
        assert_eq!(entries.iter().filter(after).count(), 1, "{run}");
        let touched =
            whole.lines.iter().filter(|(_, line)| touches(&hit, line.start, line.end)).count();
        row.noticed += u64::from(seen);
        row.hit += touched;
        row.kept += whole.lines.len() - touched;
    });
}

/// Where a line end is damaged, the entries around it stand in one line, or one in two.
#[test]
fn a_damaged_line_end_costs_no_entry() {
    let whole = Whole::new();
    let good = fs::read(whole.folder.path().join("whole").join(JOURNAL)).unwrap();
    for (number, (_, line)) in whole.lines.iter().enumerate() {
        let end = line.end as usize;
        let run = format!("the end of line {number}");
        for more in [1, 3] {
            let bad = whole.spoiled();
            let mut bytes = good.clone();
            let to = (end + more).min(good.len());
            bytes[end..to].fill(0);
            fs::write(bad.join(JOURNAL), bytes).unwrap();
            let desk = open(&bad);
            assert!(noticed(&desk), "{run}");
            let hit = line.end..to as u64;
            assert_eq!(entries_are_kept(&whole, &desk.store, &hit, &run), 0);
            let named = desk.store.damages().len() + desk.store.moved_aside().len();
            assert!((1..=4).contains(&named), "{run}: {:?}", desk.store.damages());
        }
        let bad = whole.spoiled();
        let mut bytes = good.clone();
        let place = (line.start as usize + end) / 2;
        bytes[place] = b'\n';
        fs::write(bad.join(JOURNAL), bytes).unwrap();
        let desk = open(&bad);
        let hit = place as u64..place as u64 + 1;
        assert_eq!(entries_are_kept(&whole, &desk.store, &hit, &run), 0);
        let named = desk.store.damages().len() + desk.store.moved_aside().len();
        assert!((1..=4).contains(&named), "{run}: {:?}", desk.store.damages());
    }
}
