//! The store from outside: round trips, crashes, damage.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly too"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use casebook::domain::case::{Direction, Reporter};
use casebook::domain::journal::{Act, NewEntry};
use casebook::domain::{CaseId, CaseState, MessageRef};
use casebook::store::{
    ArchivePosition, Batch, CaseRecord, ErrorKind, Health, JournalPosition, MailRecord, MailSource,
    Mode, NewMail, ReceivedFrom, Store,
};
use jiff::Timestamp;

const REPLICA: &str = "01JCASEBKTESTSTXRE0000000A";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn open(dir: &Path) -> (Store, Health) {
    Store::open(dir, Mode::ReadWrite, REPLICA).unwrap()
}

fn mail(raw: &[u8], uid: u32) -> NewMail {
    NewMail {
        raw: raw.to_vec(),
        received: at(i64::from(uid)),
        received_from: ReceivedFrom::Internaldate,
        source: Some(MailSource {
            mailbox: "INBOX".into(),
            uid_validity: 7,
            uid,
            flags: vec!["\\Seen".into()],
        }),
    }
}

fn body(n: u32) -> Vec<u8> {
    format!(
        "Message-ID: <m{n}@x>\r\nSubject: report {n}\r\n\r\nFrom here on {n}\r\n{}",
        "x".repeat(n as usize * 7)
    )
    .into_bytes()
}

fn record(seq: u64, message: MessageRef, place: casebook::store::ArchivePlace) -> MailRecord {
    MailRecord {
        seq,
        message,
        place,
        size: 1,
        received: at(seq as i64),
        received_from: ReceivedFrom::Internaldate,
        date: None,
        from: vec![("A".into(), "a@x".into())],
        to: vec![],
        // Longer for some: these lie in the heap.
        subject: format!("report {seq} {}", random_words(seq)),
        message_id: None,
        references: vec![],
        base_subject: String::new(),
        is_reply: false,
        participants: vec![],
        ghsa: None,
        refers_back: false,
        direction: Direction::In,
        attachments: false,
        warned: false,
        reading: Default::default(),
        judged: false,
        gone: false,
        rescued: false,
        case: seq,
    }
}

fn random_words(seq: u64) -> String {
    let state = AtomicU64::new(seq);
    (0..seq % 40).map(|_| format!("{:x} ", random(&state))).collect()
}

fn case(number: u64) -> CaseRecord {
    CaseRecord {
        number,
        id: CaseId::derive(Some(&format!("m{number}@x")), &MessageRef::of(b"")),
        root: MessageRef::of(b""),
        pinned: false,
        members: vec![number],
        subject: format!("report {number}"),
        reporter: Reporter::default(),
        received: at(number as i64),
        last: at(number as i64),
        first_answer: None,
        last_answer: Some(at(3)),
        queued: None,
        pauses: Vec::new(),
        waiting_since: None,
        messages: 1,
        unanswered: true,
        state: CaseState::New,
        disposition: None,
        decided_clauses: vec![],
        suggested: None,
        suggested_clauses: vec![],
        public: false,
        rescued: false,
        warnings: false,
        journal_entries: 0,
        attachments: false,
    }
}

/// What a caller does: index everything after these points.
fn catch_up(store: &Store, archive: &ArchivePosition, journal: &JournalPosition) {
    let mut batch = Batch::new();
    for item in store.archive_records(archive).unwrap() {
        let Ok(item) = item else { continue };
        let (seq, message) = (item.seq, item.message);
        batch.put_mail(record(seq, message, item.place)).put_case(case(seq));
        batch.put_join_keys(seq, &[seq / 10, 1 << 40]);
        if let Some(source) = &item.mail.source {
            batch.map_uid(&source.mailbox, source.uid_validity, source.uid, seq);
        }
        batch.advance_archive(item.after);
    }
    for stored in store.journal_entries(journal).unwrap().0 {
        batch.put_entry(&stored).advance_journal(stored.after.clone());
    }
    store.commit(batch).unwrap();
}

fn heal(store: &Store, health: &Health) {
    match health {
        Health::Fresh | Health::Sound => {}
        Health::Behind { archive, journal } => catch_up(store, archive, journal),
        Health::Rebuild(_) => {
            catch_up(store, &ArchivePosition::default(), &JournalPosition::default());
            store.finish_rebuild().unwrap();
        }
    }
}

fn note(n: u32) -> NewEntry {
    NewEntry {
        id: format!("e{n}"),
        at: at(i64::from(n)),
        actor: "M <m@x>".into(),
        case: case(u64::from(n % 3 + 1)).id,
        act: Act::Noted { text: format!("note {n} \u{e9}\n") },
    }
}

/// A store with `count` mails and notes, indexed and closed.
fn filled(dir: &Path, count: u32) {
    let (store, health) = open(dir);
    heal(&store, &health);
    let mails: Vec<_> = (1..=count).map(|n| mail(&body(n), n)).collect();
    for some in mails.chunks(3) {
        store.append_mail(some).unwrap();
    }
    store.append(&(1..=count).map(note).collect::<Vec<_>>()).unwrap();
    catch_up(&store, &ArchivePosition::default(), &JournalPosition::default());
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

fn segment(dir: &Path) -> PathBuf {
    dir.join("archive/000001.mbox.zst")
}

/// Everything that a list would show.
fn listing(store: &Store) -> (Vec<MailRecord>, Vec<CaseRecord>, Vec<usize>) {
    let entries = (1..=3).map(|n| store.entries(&case(n).id).unwrap().len()).collect();
    (store.mails_after(0, 1000).unwrap(), store.cases_newest_first(None, 1000).unwrap(), entries)
}

/// splitmix64: damage is drawn from it, so that a seed names a run.
fn random(state: &AtomicU64) -> u64 {
    let mut z = state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn nasty_mails_come_back_byte_by_byte_and_zstd_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let nasty: [&[u8]; 9] = [
        b"",
        b"\n",
        b"no final line end",
        b"a\r\nb\r\n",
        b"From x\n>From y\n>>From z",
        b"\0\x01\xff\xfe\n",
        b"Subject: s\n\nbody\n\n\n",
        b"{\"mark\":\"cbk1\",\"v\":1}",
        &[0x50, 0x2A, 0x4D, 0x18, 5, 0, 0, 0, 1],
    ];
    let (store, health) = open(dir.path());
    assert_eq!(health, Health::Fresh);
    let mails: Vec<_> = nasty.iter().zip(1..).map(|(raw, uid)| mail(raw, uid)).collect();
    let done = store.append_mail(&mails).unwrap();
    for (raw, done) in nasty.iter().zip(&done) {
        assert_eq!(&store.raw(done.seq).unwrap(), raw);
        assert_eq!(&store.raw_by_ref(&done.message).unwrap(), raw);
    }
    catch_up(&store, &ArchivePosition::default(), &JournalPosition::default());
    for (raw, done) in nasty.iter().zip(&done) {
        assert_eq!(&store.raw(done.seq).unwrap(), raw);
    }
    assert!(store.verify(|_, _| true).unwrap().is_sound());
    let script = "import mailbox,sys; print(len(mailbox.mbox(sys.argv[1])))";
    let mbox = dir.path().join("all.mbox");
    let unpacked = std::process::Command::new("zstd").arg("-dc").arg(segment(dir.path())).output();
    let Ok(unpacked) = unpacked else { return };
    assert!(unpacked.status.success());
    fs::write(&mbox, unpacked.stdout).unwrap();
    let python = std::process::Command::new("python3").args(["-c", script]).arg(&mbox).output();
    if let Ok(python) = python {
        assert_eq!(String::from_utf8_lossy(&python.stdout).trim(), "9");
    }
}

/// The archive of a store whose program packed several messages into one record: the first five of [`body`].
const VERSION_2: &[u8] = include_bytes!("fixtures/archive-version-2.mbox.zst");

#[test]
fn an_archive_of_the_version_before_is_read_and_goes_on_in_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("archive")).unwrap();
    fs::write(segment(dir.path()), VERSION_2).unwrap();
    let (store, health) = open(dir.path());
    heal(&store, &health);
    assert_eq!(store.counts().unwrap().mails, 5, "{health:?}");
    let again: Vec<_> = (1..=7).map(|n| mail(&body(n), n)).collect();
    let done = store.append_mail(&again).unwrap();
    assert_eq!(done.iter().filter(|done| done.duplicate).count(), 5);
    assert!(done.iter().zip(1..).all(|(done, seq)| done.seq == seq), "{done:?}");
    drop(store);
    for index in [true, false] {
        if !index {
            fs::remove_dir_all(dir.path().join("index")).unwrap();
        }
        let (store, health) = open(dir.path());
        heal(&store, &health);
        assert!(store.damages().is_empty(), "{:?}", store.damages());
        assert!(store.verify(|_, _| true).unwrap().is_sound());
        let mails = store.mails_after(0, 100).unwrap();
        let raws = store.raw_of(&mails);
        assert!(raws.into_iter().map(Result::unwrap).eq((1..=7).map(body)));
    }
    assert_eq!(fs::read(segment(dir.path())).unwrap(), VERSION_2);
    assert!(fs::metadata(dir.path().join("archive/000002.mbox.zst")).unwrap().len() > 0);
}

#[test]
fn equal_messages_are_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let twice = [mail(b"a", 1), mail(b"b", 2), mail(b"a", 3)];
    let first = store.append_mail(&twice).unwrap();
    assert_eq!(first.iter().map(|done| done.seq).collect::<Vec<_>>(), [1, 2, 1]);
    // Not indexed yet, indexed, and after opening again: known each time.
    assert!(store.append_mail(&twice).unwrap().iter().all(|done| done.duplicate));
    catch_up(&store, &ArchivePosition::default(), &JournalPosition::default());
    assert!(store.append_mail(&twice).unwrap().iter().all(|done| done.duplicate));
    drop(store);
    let (store, health) = open(dir.path());
    assert_eq!(health, Health::Sound);
    assert!(store.append_mail(&twice).unwrap().iter().all(|done| done.duplicate));
    assert_eq!(store.uid_known("INBOX", 7, 2).unwrap(), Some(2));
    assert_eq!(store.uid_known("INBOX", 8, 2).unwrap(), None);
    assert_eq!(store.counts().unwrap().mails, 2);
}

#[test]
fn cases_are_found_by_prefix_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut batch = Batch::new();
    (1..=200).for_each(|number| {
        batch.put_case(case(number));
    });
    batch.put_cursor("INBOX", b"here".to_vec());
    store.commit(batch).unwrap();
    for number in 1..=200 {
        let id = case(number).id;
        let len = store.unique_prefix_len(&id).unwrap();
        assert_eq!(store.case_by_prefix(&id.as_str()[..len]).unwrap().number, number);
        if len > 1 {
            let shorter = store.case_by_prefix(&id.as_str()[..len - 1]).unwrap_err();
            assert_eq!(shorter.kind(), ErrorKind::NotFound, "{shorter}");
        }
    }
    assert_eq!(store.case_by_prefix("aaa").unwrap_err().kind(), ErrorKind::NotFound);
    let first = store.cases_newest_first(None, 50).unwrap();
    assert_eq!(first[0].number, 200);
    let next = store.cases_newest_first(Some(first[49].queue_key()), 50).unwrap();
    assert_eq!(next[0].number, 150);
    let mut moved = case(7);
    (moved.last, moved.unanswered, moved.state) = (at(9999), false, CaseState::Closed);
    let mut batch = Batch::new();
    batch.put_case(moved).remove_case(9);
    store.commit(batch).unwrap();
    assert_eq!(store.cases_newest_first(None, 500).unwrap().len(), 199);
    assert_eq!(store.cases_newest_first(None, 1).unwrap()[0].number, 7);
    let counts = store.counts().unwrap();
    assert_eq!((counts.cases, counts.unanswered, counts.by_state[7]), (199, 198, 1));
    assert_eq!(store.cursor("INBOX").unwrap().as_deref(), Some(&b"here"[..]));
    assert_eq!(store.last_case_number().unwrap(), 200);
}

#[test]
fn a_mail_waits_for_the_rules_until_they_have_read_it() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 60);
    let (store, _) = open(dir.path());
    let mut waiting: Vec<u64> = (1..=60).collect();
    // However many are judged before, those that wait are found by asking for a few.
    while !waiting.is_empty() {
        assert_eq!(store.unjudged(usize::MAX).unwrap(), waiting);
        let some = store.unjudged(7).unwrap();
        assert_eq!(some, waiting[..waiting.len().min(7)]);
        let mut batch = Batch::new();
        for seq in &some {
            let mut mail = store.mail(*seq).unwrap().unwrap();
            assert!(!mail.judged);
            mail.judged = true;
            mail.reading.flags.scanner = seq.is_multiple_of(2);
            batch.put_mail(mail);
        }
        store.commit(batch).unwrap();
        waiting.drain(..some.len());
    }
    let mails = store.mails_after(0, 100).unwrap();
    assert!(
        mails.iter().all(|mail| mail.judged && mail.reading.flags.scanner == (mail.seq % 2 == 0))
    );
    // To be judged again.
    let again = MailRecord { judged: false, ..mails[4].clone() };
    let mut batch = Batch::new();
    batch.put_mail(again);
    store.commit(batch).unwrap();
    assert_eq!(store.unjudged(7).unwrap(), [5]);
    assert_eq!(store.mail(5).unwrap().unwrap().reading, Default::default());
}

#[test]
fn a_second_writer_is_told_who_is_there_and_a_reader_reads() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 5);
    let (store, _) = open(dir.path());
    let busy = Store::open(dir.path(), Mode::ReadWrite, REPLICA).err().unwrap();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    assert!(busy.to_string().contains(&std::process::id().to_string()), "{busy}");
    let scratch = tempfile::tempdir().unwrap();
    let mode = Mode::ReadOnly { scratch: scratch.path() };
    let (reader, health) = Store::open(dir.path(), mode, REPLICA).unwrap();
    heal(&reader, &health);
    assert_eq!(listing(&reader), listing(&store));
    assert_eq!(reader.append_mail(&[mail(b"x", 1)]).unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    fn walk(path: &Path) {
        let metadata = fs::metadata(path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o077, 0, "{}", path.display());
        if metadata.is_dir() {
            fs::read_dir(path).unwrap().for_each(|item| walk(&item.unwrap().path()));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("a/store");
    filled(&dir, 3);
    walk(&dir);
}

#[test]
fn a_write_cut_at_any_byte_loses_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    filled(&whole, 3);
    let mails = fs::read(segment(&whole)).unwrap();
    let lines = fs::read(whole.join("journal.jsonl")).unwrap();
    let (store, _) = open(&whole);
    let done = store.append_mail(&[mail(b"Subject: last\n\nFrom x\n", 9)]).unwrap();
    store.append(&[note(9)]).unwrap();
    drop(store);
    let more_mails = fs::read(segment(&whole)).unwrap();
    let more_lines = fs::read(whole.join("journal.jsonl")).unwrap();
    assert!(more_mails.starts_with(&mails) && more_lines.starts_with(&lines));
    let cuts = (more_mails.len() - mails.len()).max(more_lines.len() - lines.len());
    for cut in 0..=cuts {
        // With and without an index, which take different ways.
        let torn = dir.path().join("torn");
        copy(&whole, &torn);
        if cut % 2 == 0 {
            fs::remove_dir_all(torn.join("index")).unwrap();
        }
        let keep = (mails.len() + cut).min(more_mails.len());
        fs::write(segment(&torn), &more_mails[..keep]).unwrap();
        let keep_lines = (lines.len() + cut).min(more_lines.len());
        fs::write(torn.join("journal.jsonl"), &more_lines[..keep_lines]).unwrap();
        let (store, health) = open(&torn);
        heal(&store, &health);
        let complete = keep == more_mails.len();
        assert_eq!(store.counts().unwrap().mails, 3 + u64::from(complete), "cut {cut}");
        let complete = keep_lines + 1 >= more_lines.len();
        assert_eq!(store.counts().unwrap().entries, 3 + u64::from(complete), "cut {cut}");
        let again = store.append_mail(&[mail(b"Subject: last\n\nFrom x\n", 9)]).unwrap();
        assert_eq!(again[0].seq, done[0].seq);
        assert_eq!(store.raw(4).unwrap(), b"Subject: last\n\nFrom x\n");
        store.append(&[note(10)]).unwrap();
        let report = store.verify(|_, _| true).unwrap();
        assert!(report.is_sound(), "cut {cut}: {report:?}");
        drop(store);
        fs::remove_dir_all(&torn).unwrap();
    }
}

#[test]
fn any_damage_of_the_index_is_noticed_and_mended() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (seed, runs) =
        (number("CASEBOOK_SEED").unwrap_or(1), number("CASEBOOK_RUNS").unwrap_or(60));
    println!("seed {seed}");
    let state = AtomicU64::new(seed);
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    filled(&whole, 60);
    let (store, health) = open(&whole);
    assert_eq!(health, Health::Sound);
    let expected = listing(&store);
    drop(store);
    let mut rebuilt = 0;
    for run in 0..runs {
        let bad = dir.path().join("bad");
        copy(&whole, &bad);
        // Mostly the tree or the heap; now and then settings, a snapshot or nothing left at all.
        let mut files: Vec<_> = fs::read_dir(bad.join("index"))
            .unwrap()
            .map(|item| item.unwrap().path())
            .filter(|path| path.is_file() && fs::metadata(path).unwrap().len() > 0)
            .collect();
        files.sort();
        let other = files[random(&state) as usize % files.len()].clone();
        let db = match run % 5 {
            4 => other,
            3 => bad.join("index/heap-0"),
            _ => bad.join("index/db"),
        };
        let mut bytes = fs::read(&db).unwrap();
        let place = random(&state) as usize % bytes.len();
        match run % 4 {
            0 => bytes[place] ^= 1 << (random(&state) % 8),
            1 => bytes.truncate(place),
            2 => {
                let end = (place + 512).min(bytes.len());
                bytes[place..end].fill(0);
            }
            _ => {
                for _ in 0..50 {
                    let place = random(&state) as usize % bytes.len();
                    bytes[place] ^= 1 << (random(&state) % 8);
                }
            }
        }
        fs::write(&db, bytes).unwrap();
        let (store, health) = open(&bad);
        rebuilt += u32::from(matches!(health, Health::Rebuild(_)));
        heal(&store, &health);
        assert_eq!(listing(&store), expected, "seed {seed}, run {run}, {health:?}");
        assert!(store.verify(|_, _| true).unwrap().is_sound(), "seed {seed}, run {run}");
        drop(store);
        fs::remove_dir_all(&bad).unwrap();
    }
    println!("{rebuilt} of {runs} rebuilt, the others unharmed");
    assert!(rebuilt > 0);
}

#[test]
fn a_missing_an_older_and_a_reset_index_are_made_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store_dir = dir.path().join("store");
    filled(&store_dir, 5);
    copy(&store_dir.join("index"), &dir.path().join("older"));
    let (store, _) = open(&store_dir);
    store.append_mail(&[mail(b"new", 40)]).unwrap();
    store.append(&[note(40)]).unwrap();
    catch_up(&store, &ArchivePosition::default(), &JournalPosition::default());
    let expected = listing(&store);
    store.reset_index().unwrap();
    assert_eq!(store.counts().unwrap().mails, 0);
    heal(&store, &Health::Rebuild(String::new()));
    assert_eq!(listing(&store), expected);
    drop(store);
    fs::remove_dir_all(store_dir.join("index")).unwrap();
    copy(&dir.path().join("older"), &store_dir.join("index"));
    let (store, health) = open(&store_dir);
    assert!(matches!(health, Health::Behind { .. }), "{health:?}");
    heal(&store, &health);
    assert_eq!(listing(&store), expected);
    drop(store);
    fs::remove_dir_all(store_dir.join("index")).unwrap();
    let (store, health) = open(&store_dir);
    assert!(matches!(health, Health::Rebuild(_)), "{health:?}");
    heal(&store, &health);
    assert_eq!(listing(&store), expected);
    assert!(
        !fs::read_dir(&store_dir)
            .unwrap()
            .any(|item| { item.unwrap().file_name().to_string_lossy().starts_with("index.") })
    );
}

#[test]
fn damage_in_the_archive_is_named_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let state = AtomicU64::new(3);
    let whole = dir.path().join("whole");
    filled(&whole, 30);
    let good = fs::read(segment(&whole)).unwrap();
    for run in 0..40 {
        let mut bytes = good.clone();
        // Not in the last record: that counts as a torn write.
        let place = random(&state) as usize % (bytes.len() - 2_000);
        let len = [1, 40, 600][run % 3];
        bytes[place..place + len].iter_mut().for_each(|byte| *byte = !*byte);
        fs::write(segment(&whole), bytes).unwrap();
        let (store, health) = open(&whole);
        let report = store.verify(|_, _| true).unwrap();
        assert!(!report.archive_damages.is_empty(), "run {run}");
        // So many bytes lie in four records at most.
        assert!(report.archive_records >= 26, "run {run}: {report:?}");
        let named = report.archive_damages.iter().any(|damage| {
            damage.offset <= place as u64 && (place as u64) < damage.offset + damage.len
        });
        assert!(named, "run {run} at {place}: {health:?} {report:?}");
        drop(store);
        fs::write(segment(&whole), &good).unwrap();
    }
}

#[test]
fn damage_in_the_journal_is_named_by_line_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 12);
    let path = dir.path().join("journal.jsonl");
    let good = fs::read_to_string(&path).unwrap();
    let count = good.lines().count();
    for line in 0..count - 1 {
        for bad in ["note", "\"prev\":\"", "{"] {
            let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
            lines[line] = match bad {
                "note" => lines[line].replace("note ", "nope "),
                "{" => lines[line].replacen('{', "[", 1),
                _ => {
                    let at = lines[line].find(bad).unwrap() + bad.len();
                    let digit = if lines[line].as_bytes()[at] == b'0' { "1" } else { "0" };
                    let mut text = lines[line].clone();
                    text.replace_range(at..=at, digit);
                    text
                }
            };
            fs::write(&path, lines.join("\n") + "\n").unwrap();
            fs::remove_dir_all(dir.path().join("index")).unwrap();
            let (store, health) = open(dir.path());
            heal(&store, &health);
            let named: Vec<_> = store.damages().iter().filter_map(|damage| damage.line).collect();
            assert!(!named.is_empty(), "line {line} {bad}");
            let about = [line as u64, line as u64 + 1];
            assert!(named.iter().all(|line| about.contains(line)), "line {line} {bad}: {named:?}");
            assert!(store.counts().unwrap().entries >= count as u64 - 1);
            store.append(&[note(50)]).unwrap();
            drop(store);
        }
    }
}

#[test]
fn an_entry_belongs_to_the_chain_and_the_clock_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 2);
    let (store, _) = open(dir.path());
    let mut early = note(1);
    early.at = at(-100);
    let stored = store.append(&[early, note(3)]).unwrap();
    assert_eq!((stored[0].entry.seq, stored[1].entry.seq), (3, 4));
    let (all, damages) = store.journal_entries(&JournalPosition::default()).unwrap();
    assert!(
        damages.is_empty() && all.windows(2).all(|two| two[0].entry.clock < two[1].entry.clock)
    );
    assert_eq!(all[3], stored[1]);
    assert_eq!(store.replica(), REPLICA);
}

/// On a small file system: `CASEBOOK_SMALL=<an empty mounted folder of some 40 MB>`.
#[test]
#[ignore = "needs a small file system"]
fn a_full_disk_is_told_and_goes_on_after_space_is_back() {
    let Some(small) = std::env::var_os("CASEBOOK_SMALL").map(PathBuf::from) else { return };
    let dir = small.join("store");
    let (store, _) = open(&dir);
    let state = AtomicU64::new(11);
    let mut stored = 0u64;
    let error = loop {
        let noise: Vec<u8> = (0..250_000).flat_map(|_| random(&state).to_be_bytes()).collect();
        match store.append_mail(&[mail(&noise, stored as u32 + 1)]) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    println!("{stored} stored, then: {error}");
    catch_up(&store, &ArchivePosition::default(), &JournalPosition::default());
    let filler = small.join("filler");
    let _ = fs::write(&filler, vec![1; 64 << 20]);
    let error = store.append(&[note(1)]).unwrap_err();
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Full);
    drop(store);
    if let Err(error) = Store::open(&dir, Mode::ReadWrite, REPLICA) {
        println!("open: {error}");
        assert_eq!(error.kind(), ErrorKind::Full);
    }
    let scratch = tempfile::tempdir().unwrap();
    let mode = Mode::ReadOnly { scratch: scratch.path() };
    let (reader, health) = Store::open(&dir, mode, REPLICA).unwrap();
    heal(&reader, &health);
    assert_eq!(reader.mails_after(0, 100).unwrap().len() as u64, stored);
    fs::remove_file(filler).unwrap();
    let (store, health) = open(&dir);
    heal(&store, &health);
    store.append(&[note(1)]).unwrap();
    assert!(store.verify(|_, _| true).unwrap().is_sound());
}

/// On a read-only file system: `CASEBOOK_READ_ONLY=<a folder there with a store that holds mail>`.
#[test]
#[ignore = "needs a read-only file system"]
fn a_store_on_a_read_only_file_system_can_be_read() {
    let Some(dir) = std::env::var_os("CASEBOOK_READ_ONLY").map(PathBuf::from) else { return };
    let error = Store::open(&dir, Mode::ReadWrite, REPLICA).err().unwrap();
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    let scratch = tempfile::tempdir().unwrap();
    let mode = Mode::ReadOnly { scratch: scratch.path() };
    let (store, health) = Store::open(&dir, mode, REPLICA).unwrap();
    println!("{health:?}");
    heal(&store, &health);
    assert!(!store.mails_after(0, 100).unwrap().is_empty());
    assert!(store.verify(|_, _| true).unwrap().is_sound());
}

/// Figures for the closing note; `cargo test --release --test store -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn figures() {
    use std::time::Instant;
    let dir = tempfile::tempdir().unwrap();
    let state = AtomicU64::new(5);
    let words: Vec<String> = (0..4000).map(|_| format!("{:x}", random(&state) >> 40)).collect();
    let (store, _) = open(dir.path());
    let (mut raw_bytes, mut spent) = (0, std::time::Duration::ZERO);
    for chunk in 0..40u32 {
        let mails: Vec<_> = (0..250u32)
            .map(|n| {
                let mut text = format!("Message-ID: <{chunk}.{n}@x>\r\n\r\n");
                while text.len() < 14_000 {
                    text += &words[(random(&state) % 4000) as usize];
                    text.push(if random(&state).is_multiple_of(12) { '\n' } else { ' ' });
                }
                raw_bytes += text.len();
                mail(text.as_bytes(), chunk * 250 + n + 1)
            })
            .collect();
        let start = Instant::now();
        let done = store.append_mail(&mails).unwrap();
        let mut batch = Batch::new();
        for (mail, done) in mails.iter().zip(&done) {
            batch.put_mail(record(done.seq, done.message, done.place)).put_case(case(done.seq));
            batch.put_join_keys(done.seq, &[done.seq / 4, done.seq]);
            let source = mail.source.as_ref().unwrap();
            batch.map_uid("INBOX", 7, source.uid, done.seq).advance_archive(done.after.clone());
        }
        store.commit(batch).unwrap();
        spent += start.elapsed();
    }
    println!("append + commit: {:.0} mails/s", 10_000.0 / spent.as_secs_f64());
    let start = Instant::now();
    drop(store);
    println!("close with seal: {:?}", start.elapsed());
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    println!(
        "raw {raw_bytes}, archive {}, index/db {}",
        size(&segment(dir.path())),
        size(&dir.path().join("index/db"))
    );
    for sealed in [true, false, true] {
        if !sealed {
            let _ = fs::remove_file(dir.path().join("index.seal"));
        }
        let start = Instant::now();
        let (store, health) = open(dir.path());
        println!("open, sealed {sealed}: {:?} {health:?}", start.elapsed());
        let start = Instant::now();
        assert_eq!(store.cases_newest_first(None, 50).unwrap().len(), 50);
        println!("first 50 cases: {:?}", start.elapsed());
        let start = Instant::now();
        store.raw(5000).unwrap();
        println!("one message: {:?}", start.elapsed());
    }
    let (store, _) = open(dir.path());
    let start = Instant::now();
    assert!(store.verify(|_, _| true).unwrap().is_sound());
    println!("verify: {:?}", start.elapsed());
}
