//! The synchronisation against the demonstration server, on a good day and on bad ones.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests may fail loudly"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use casebook::runtime::demo::server::{ServedMail, Server};
use casebook::sync::{
    Account, Cancel, Cursor, Fetched, Limits, Meta, Progress, Round, Secret, Security, Sink,
    SinkError, Summary, SyncError, Timeouts, UidSet, run, watch,
};
use support::proxy::{Fault, Proxy};

/// Keeps everything, and the cursor as bytes, as a store would.
#[derive(Clone, Default)]
struct Kept {
    mails: BTreeMap<(u32, u32), Vec<u8>>,
    /// Copies under whose UIDs others came, after they were told to have vanished.
    former: Vec<Vec<u8>>,
    flags: BTreeMap<u32, Vec<String>>,
    order: Vec<u32>,
    cursor: Option<Vec<u8>>,
    /// UIDs that were told to have vanished and were known.
    gone: Vec<u32>,
    fail: bool,
}

impl Sink for Kept {
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError> {
        if self.fail {
            return Err(SinkError("disk full".into()));
        }
        for mail in batch {
            self.order.push(mail.uid);
            self.flags.insert(mail.uid, mail.flags);
            let twice = self.mails.insert((mail.uid_validity, mail.uid), mail.raw);
            if twice.is_some() {
                assert!(self.gone.contains(&mail.uid), "fetched twice");
                self.gone.retain(|uid| *uid != mail.uid);
                self.former.extend(twice);
            }
        }
        self.cursor = Some(cursor.encode().unwrap());
        Ok(())
    }

    fn vanished(&mut self, _: &str, validity: u32, uids: &UidSet) -> Result<(), SinkError> {
        let known = self.mails.keys().filter(|(v, uid)| *v == validity && uids.contains(*uid));
        let known: Vec<u32> = known.map(|(_, uid)| *uid).collect();
        self.gone.extend(known);
        self.gone.sort_unstable();
        self.gone.dedup();
        Ok(())
    }

    fn compare(&mut self, _: &str, validity: u32, now: &[Meta]) -> Result<UidSet, SinkError> {
        let mut strange = UidSet::new();
        for meta in now {
            let here = self.mails.get(&(validity, meta.uid));
            let here = here.filter(|_| !self.gone.contains(&meta.uid));
            if here.is_none_or(|raw| meta.size.is_some_and(|size| size as usize != raw.len())) {
                strange.insert(meta.uid);
            } else if let Some(flags) = &meta.flags {
                self.flags.insert(meta.uid, flags.clone());
            }
        }
        Ok(strange)
    }
}

impl Kept {
    fn cursor(&self) -> Option<Cursor> {
        self.cursor.as_deref().map(|bytes| Cursor::decode(bytes).unwrap())
    }
}

fn mails(count: usize) -> Vec<ServedMail> {
    (0..count)
        .map(|n| {
            let mut raw = format!("From: r{n}@x.example\r\nSubject: {n}\r\n\r\n").into_bytes();
            raw.extend((0..n * 7 % 3000).map(|i| [b'a', b'\n', b'(', b'"', 0xff, 0][(i * n) % 6]));
            ServedMail {
                raw,
                internal_date: format!("2026-10-{:02}T10:00:00Z", n % 28 + 1).parse().unwrap(),
                flags: if n % 2 == 0 { vec!["\\Seen".to_owned()] } else { Vec::new() },
            }
        })
        .collect()
}

fn account(port: u16) -> Account {
    let mut account = Account::new("127.0.0.1", port, Security::Plain, "demo");
    account.timeouts = Timeouts {
        connect: Duration::from_secs(2),
        read: Duration::from_secs(2),
        write: Duration::from_secs(2),
        crawl: Duration::from_secs(5),
        retry: Duration::from_millis(1),
        ..Timeouts::default()
    };
    account
}

fn pull(account: &Account, kept: &mut Kept) -> Result<Summary, SyncError> {
    let cursor = kept.cursor();
    run(
        account,
        &mut || Ok(Secret::new("p\"w\\".to_owned())),
        cursor,
        kept,
        &Cancel::new(),
        &mut |_| {},
    )
}

fn serve(count: usize) -> Server {
    Server::start(mails(count), "demo", "p\"w\\").unwrap()
}

fn assert_complete(kept: &Kept, count: usize) {
    assert_eq!(kept.mails.len(), count);
    for ((_, uid), (raw, mail)) in kept.mails.keys().zip(kept.mails.values().zip(mails(count))) {
        assert!(*raw == mail.raw, "uid {uid} differs");
    }
}

#[test]
fn everything_arrives_byte_exact_newest_first_and_only_once() {
    let server = serve(700);
    let mut kept = Kept::default();
    let summary = pull(&account(server.port()), &mut kept).unwrap();
    assert_eq!((summary.seen, summary.new), (700, 700));
    assert!(summary.quarantined.is_empty() && summary.notes.is_empty(), "{summary:?}");
    assert_complete(&kept, 700);
    assert!(kept.order.is_sorted_by(|a, b| a > b));
    let before = server.commands().len();
    let again = pull(&account(server.port()), &mut kept).unwrap();
    assert_eq!((again.seen, again.new), (700, 0));
    assert!(again.received < 1000, "{again:?}");
    let commands = server.commands().split_off(before);
    assert!(commands.iter().all(|c| !c.contains("FETCH")), "{commands:?}");
    assert!(server.modifying().is_empty());
}

#[test]
fn dates_and_flags_come_along() {
    struct Look(Vec<Fetched>);
    impl Sink for Look {
        fn store(&mut self, batch: Vec<Fetched>, _: &Cursor) -> Result<(), SinkError> {
            self.0.extend(batch);
            Ok(())
        }
    }
    let server = serve(9);
    let mut look = Look(Vec::new());
    let secret = &mut || Ok(Secret::new("p\"w\\".to_owned()));
    run(&account(server.port()), secret, None, &mut look, &Cancel::new(), &mut |_| {}).unwrap();
    for (got, sent) in look.0.iter().rev().zip(mails(9)) {
        assert_eq!(got.internal_date, Some(sent.internal_date));
        assert_eq!(got.flags, sent.flags);
        assert_eq!((got.mailbox.as_str(), got.uid_validity), ("INBOX", 1));
    }
}

#[test]
fn new_mail_and_holes_are_fetched_and_the_rest_is_not() {
    let server = serve(30);
    server.expunge(7);
    let mut kept = Kept::default();
    pull(&account(server.port()), &mut kept).unwrap();
    let mut cursor = kept.cursor().unwrap();
    assert_eq!(cursor.done.ranges(), [(1, 30)]);
    // Pretend that 5 and 6 never came.
    cursor.done = cursor.done.minus(&UidSet::from_iter([5, 6]));
    kept.cursor = Some(cursor.encode().unwrap());
    kept.mails.retain(|(_, uid), _| !matches!(uid, 5 | 6));
    server.deliver(mails(31).pop().unwrap());
    assert_eq!(pull(&account(server.port()), &mut kept).unwrap().new, 3);
    assert_eq!(kept.mails.len(), 30);
}

#[test]
fn a_mailbox_made_anew_is_fetched_anew() {
    let server = serve(5);
    let mut kept = Kept::default();
    pull(&account(server.port()), &mut kept).unwrap();
    server.renew(9);
    let summary = pull(&account(server.port()), &mut kept).unwrap();
    assert!(summary.uid_validity_changed);
    assert_eq!(summary.new, 5);
    assert_eq!(kept.cursor().unwrap().uid_validity, 9);
}

#[test]
fn wide_gaps_between_uids_cost_little() {
    let server = serve(3);
    server.skip_to(3_000_000_000);
    server.deliver(mails(4).pop().unwrap());
    server.skip_to(u32::MAX);
    let mut kept = Kept::default();
    let summary = pull(&account(server.port()), &mut kept).unwrap();
    assert_eq!((summary.new, summary.notes.len()), (4, 0));
    assert!(server.commands().len() < 30, "{:?}", server.commands());
    assert_eq!(kept.cursor().unwrap().done.ranges(), [(1, u32::MAX - 1)]);
    assert_complete(&kept, 4);
}

#[test]
fn a_server_that_does_not_tell_uidnext_is_read_to_the_end() {
    let server = serve(30);
    let fault = Fault::Rename { from: "[UIDNEXT", to: "[XIDNEXT" };
    let proxy = Proxy::start(server.port(), fault);
    let mut kept = Kept::default();
    assert_eq!(pull(&account(proxy.port()), &mut kept).unwrap().new, 30);
    assert!(server.commands().iter().any(|c| c.starts_with("UID FETCH 1:* ")));
    // Asked for what lies past its end, a server gives its last message again.
    let again = pull(&account(proxy.port()), &mut kept).unwrap();
    assert_eq!((again.new, again.notes.len()), (0, 0));
    server.deliver(mails(31).pop().unwrap());
    assert_eq!(pull(&account(proxy.port()), &mut kept).unwrap().new, 1);
    assert_complete(&kept, 31);
}

#[test]
fn a_list_that_does_not_add_up_closes_no_gap() {
    let server = serve(3);
    let fault = Fault::Rename { from: "* 3 EXISTS", to: "* 9 EXISTS" };
    let proxy = Proxy::start(server.port(), fault);
    server.skip_to(10);
    let mut kept = Kept::default();
    let summary = pull(&account(proxy.port()), &mut kept).unwrap();
    assert_eq!((summary.new, summary.notes.len()), (3, 1));
    assert_eq!(kept.cursor().unwrap().done.ranges(), [(1, 3)]);
}

#[test]
fn large_messages_come_in_slices() {
    let mut large = mails(3);
    large[1].raw = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    large[2].raw = vec![b'x'; 8192];
    let server = Server::start(large.clone(), "demo", "p\"w\\").unwrap();
    let mut account = account(server.port());
    account.limits = Limits { whole_bytes: 4096, slice_bytes: 4096, ..Limits::default() };
    let mut kept = Kept::default();
    let summary = pull(&account, &mut kept).unwrap();
    assert!(summary.notes.is_empty() && summary.quarantined.is_empty(), "{summary:?}");
    for (uid, mail) in (1..).zip(&large) {
        assert!(kept.mails[&(1, uid)] == mail.raw);
    }
    account.limits.message_bytes = 50_000;
    let summary = pull(&account, &mut Kept::default()).unwrap();
    assert_eq!((summary.new, summary.quarantined.len()), (2, 1));
    assert_eq!(summary.quarantined[0].uid, Some(2));
}

#[test]
fn a_wrong_password_is_said_once() {
    let server = serve(1);
    let mut asked = 0;
    let secret = &mut || {
        asked += 1;
        Ok(Secret::new("wrong".to_owned()))
    };
    let mut kept = Kept::default();
    let error = run(&account(server.port()), secret, None, &mut kept, &Cancel::new(), &mut |_| {})
        .unwrap_err();
    assert!(matches!(&error, SyncError::LoginRefused { text, .. } if text.contains("wrong user")));
    assert_eq!(asked, 1);
    assert_eq!(server.commands().iter().filter(|c| *c == "AUTHENTICATE").count(), 1);
}

#[test]
fn names_what_is_missing() {
    let server = serve(1);
    let mut missing = account(server.port());
    missing.mailbox = "Entwürfe".to_owned();
    let error = pull(&missing, &mut Kept::default()).unwrap_err();
    assert!(matches!(error, SyncError::Mailbox { .. }), "{error:?}");
    assert!(server.commands().iter().any(|c| c == "EXAMINE \"Entw&APw-rfe\""));
    missing.mailbox = "a\r\nx LOGOUT".to_owned();
    assert!(matches!(pull(&missing, &mut Kept::default()), Err(SyncError::Account { .. })));
    let port = server.port();
    drop(server);
    let error = pull(&account(port), &mut Kept::default()).unwrap_err();
    assert!(matches!(error, SyncError::Refused { .. }), "{error:?}");
}

#[test]
fn a_sink_that_fails_ends_the_run_and_loses_nothing() {
    let server = serve(20);
    let mut kept = Kept { fail: true, ..Kept::default() };
    assert!(matches!(pull(&account(server.port()), &mut kept), Err(SyncError::Sink { .. })));
    kept.fail = false;
    pull(&account(server.port()), &mut kept).unwrap();
    assert_complete(&kept, 20);
}

#[test]
fn a_cut_connection_is_taken_up_again_at_every_offset() {
    let server = serve(3);
    let whole = {
        let mut kept = Kept::default();
        pull(&account(server.port()), &mut kept).unwrap().received
    };
    for offset in 0..whole {
        let proxy = Proxy::start(server.port(), Fault::Cut { after: offset });
        let mut kept = Kept::default();
        // The first connection is cut. A cut before the mailbox is open ends the run; later ones heal.
        if pull(&account(proxy.port()), &mut kept).is_err() {
            pull(&account(proxy.port()), &mut kept).unwrap();
        }
        assert_complete(&kept, 3);
    }
    assert!(server.modifying().is_empty());
}

/// The first pull is whole; then one mail comes and one goes, and the connection of the second pull is cut.
#[test]
fn a_cut_connection_that_asks_what_changed_is_taken_up_again_at_every_offset() {
    let server = serve(3);
    server.tell_changes();
    let mut first = Kept::default();
    pull(&account(server.port()), &mut first).unwrap();
    server.deliver(mails(4).pop().unwrap());
    server.expunge(2);
    let before = server.commands().len();
    let mut whole = first.clone();
    let received = pull(&account(server.port()), &mut whole).unwrap().received;
    let asked = server.commands().split_off(before);
    assert!(asked.iter().any(|c| c == "ENABLE QRESYNC"), "{asked:?}");
    assert!(asked.iter().any(|c| c.contains("(QRESYNC (1 3 ")), "{asked:?}");
    assert_complete(&whole, 4);
    assert_eq!(whole.gone, [2]);
    for offset in 0..received {
        let proxy = Proxy::start(server.port(), Fault::Cut { after: offset });
        let mut kept = first.clone();
        if pull(&account(proxy.port()), &mut kept).is_err() {
            pull(&account(proxy.port()), &mut kept).unwrap();
        }
        assert_complete(&kept, 4);
        assert_eq!(kept.gone, [2], "cut at {offset}");
        // A cut within the answer about changes leaves their number as it was, so that the next pull asks again.
        assert_eq!(pull(&account(server.port()), &mut kept).unwrap().new, 0);
        assert_eq!(kept.cursor(), whole.cursor(), "cut at {offset}");
    }
    assert!(server.modifying().is_empty());
}

/// What the server hears of a pull after the login.
fn asked(server: &Server, work: impl FnOnce()) -> Vec<String> {
    let before = server.commands().len();
    work();
    let mut commands = server.commands().split_off(before);
    // The goodbye is not waited for, so it may be heard later.
    commands.retain(|c| !["AUTHENTICATE", "CAPABILITY", "LOGOUT"].contains(&c.as_str()));
    commands
}

#[test]
fn changes_that_are_only_numbered_are_asked_for_when_there_are_some() {
    let server = serve(30);
    server.number_changes();
    let (account, mut kept) = (account(server.port()), Kept::default());
    pull(&account, &mut kept).unwrap();
    let open = "EXAMINE \"INBOX\" (CONDSTORE)";
    let changed = |since| {
        format!("UID FETCH 1:30 (UID RFC822.SIZE INTERNALDATE FLAGS) (CHANGEDSINCE {since})")
    };
    let nothing = asked(&server, || assert_eq!(pull(&account, &mut kept).unwrap().new, 0));
    assert_eq!(nothing, [open]);
    server.flag(4, &["\\Answered", "$Later"]);
    let flagged = asked(&server, || assert_eq!(pull(&account, &mut kept).unwrap().new, 0));
    assert_eq!(flagged, [open, &changed(30)]);
    assert_eq!(kept.flags[&4], ["\\Answered", "$Later"]);
    assert_eq!(kept.flags[&5], ["\\Seen"]);
    server.expunge(7);
    let gone = asked(&server, || assert_eq!(pull(&account, &mut kept).unwrap().new, 0));
    assert_eq!(gone, [open, &changed(31), "UID SEARCH UID 1:30"]);
    assert_eq!(kept.gone, [7]);
    assert!(server.modifying().is_empty());
}

#[test]
fn flags_are_followed_where_the_server_tells_of_them_and_nowhere_else() {
    for tells in [true, false] {
        let server = serve(30);
        if tells {
            server.tell_changes();
        }
        let (account, mut kept) = (account(server.port()), Kept::default());
        pull(&account, &mut kept).unwrap();
        server.flag(4, &["\\Flagged"]);
        let commands = asked(&server, || assert_eq!(pull(&account, &mut kept).unwrap().new, 0));
        assert!(commands.iter().all(|c| !c.contains("FETCH")), "{commands:?}");
        assert_eq!(kept.flags[&4] == ["\\Flagged"], tells);
    }
}

#[test]
fn uids_that_go_back_are_noticed_and_both_copies_kept() {
    let server = serve(10);
    let (account, mut kept) = (account(server.port()), Kept::default());
    pull(&account, &mut kept).unwrap();
    server.set_back(8);
    let other = mails(12).split_off(10);
    server.deliver(other[0].clone());
    let summary = pull(&account, &mut kept).unwrap();
    assert_eq!((summary.new, kept.gone.as_slice()), (1, [9, 10].as_slice()));
    assert!(summary.notes[0].contains("the UIDs of INBOX went back to 9:"), "{summary:?}");
    assert_eq!(kept.former, [mails(8)[7].raw.clone()]);
    server.deliver(other[1].clone());
    let summary = pull(&account, &mut kept).unwrap();
    assert_eq!((summary.new, summary.notes.len()), (1, 0));
    assert!(kept.mails[&(1, 8)] == other[0].raw && kept.mails[&(1, 9)] == other[1].raw);
    assert_eq!(kept.gone, [10]);
    // Everything is lost on the server, and counting begins anew.
    server.set_back(1);
    assert_eq!(pull(&account, &mut kept).unwrap().new, 0);
    assert_eq!(kept.gone, (1..=10).collect::<Vec<_>>());
    server.deliver(mails(1).remove(0));
    assert_eq!(pull(&account, &mut kept).unwrap().new, 1);
}

#[test]
fn a_uid_that_is_given_again_is_noticed_as_far_as_the_server_shows_it() {
    let other = mails(40).pop().unwrap();
    // By the count, which is too high then; the message that has stood there was known to have vanished.
    let server = serve(10);
    let (account_, mut kept) = (account(server.port()), Kept::default());
    pull(&account_, &mut kept).unwrap();
    server.expunge(4);
    pull(&account_, &mut kept).unwrap();
    server.give_again(4, other.clone());
    let summary = pull(&account_, &mut kept).unwrap();
    assert_eq!((summary.new, summary.notes.len()), (1, 1));
    assert_eq!(pull(&account_, &mut kept).unwrap().new, 0);
    assert!(kept.mails[&(1, 4)] == other.raw && kept.former.len() == 1 && kept.gone.is_empty());
    // By what has changed; here the message was there until now.
    for tells in [true, false] {
        let server = serve(10);
        server.number_changes();
        if tells {
            server.tell_changes();
        }
        let (account, mut kept) = (account(server.port()), Kept::default());
        pull(&account, &mut kept).unwrap();
        if tells {
            server.expunge(4);
        }
        server.give_again(4, other.clone());
        let summary = pull(&account, &mut kept).unwrap();
        assert_eq!((summary.new, summary.notes.len()), (1, 1), "{tells}");
        assert_eq!(pull(&account, &mut kept).unwrap().new, 0);
        assert!(kept.mails[&(1, 4)] == other.raw && kept.former.len() == 1 && kept.gone.is_empty());
    }
}

#[test]
fn a_watch_hears_of_new_mail_at_once() {
    for tells in [true, false] {
        let server = serve(3);
        if tells {
            server.tell_changes();
        }
        let (cancel, mut kept, mut rounds) = (Cancel::new(), Kept::default(), Vec::new());
        let mut account = account(server.port());
        // Only the server's word can end the waiting in time.
        account.timeouts.idle = Duration::from_secs(600);
        account.timeouts.poll = Duration::from_secs(600);
        let secret = &mut || Ok(Secret::new("p\"w\\".to_owned()));
        let ended = watch(&account, secret, None, &mut kept, &cancel, &mut |_| {}, &mut |round| {
            let Round::Done(summary) = round else { panic!("{round:?}") };
            rounds.push(summary.new);
            match rounds.len() {
                1 => server.deliver(mails(4).remove(3)),
                2 => server.expunge(2),
                _ => cancel.cancel(),
            }
        });
        assert!(matches!(ended, Err(SyncError::Cancelled)), "{ended:?}");
        assert_eq!((rounds, kept.gone.as_slice()), (vec![3, 1, 0], [2].as_slice()));
        assert_complete(&kept, 4);
        assert_eq!(server.commands().iter().filter(|c| *c == "IDLE").count(), 2);
    }
}

#[test]
fn a_message_that_kills_the_connection_is_left_out() {
    let server = serve(40);
    let proxy = Proxy::start(server.port(), Fault::Poison { needle: b"Subject: 17\r\n".to_vec() });
    let mut kept = Kept::default();
    let summary = pull(&account(proxy.port()), &mut kept).unwrap();
    assert_eq!(summary.new, 39);
    assert_eq!(summary.quarantined.len(), 1);
    assert_eq!(summary.quarantined[0].uid, Some(18));
    assert!(!kept.cursor().unwrap().done.contains(18));
    // A healthy server gives it out.
    assert_eq!(pull(&account(server.port()), &mut kept).unwrap().new, 1);
    assert_complete(&kept, 40);
}

#[test]
fn cancelling_takes_effect_at_once() {
    let server = serve(3);
    let proxy = Proxy::start(server.port(), Fault::Stall { after: 400 });
    let cancel = Cancel::new();
    let (started, waiting) = mpsc::channel();
    let theirs = cancel.clone();
    let mut account = account(proxy.port());
    account.timeouts.read = Duration::from_secs(30);
    let worker = thread::spawn(move || {
        let mut kept = Kept::default();
        let secret = &mut || Ok(Secret::new("p\"w\\".to_owned()));
        let progress = &mut |now: Progress| {
            if now.bytes >= 400 {
                started.send(()).unwrap_or_default();
            }
        };
        let result = run(&account, secret, None, &mut kept, &theirs, progress);
        (result, Instant::now())
    });
    waiting.recv_timeout(Duration::from_secs(10)).unwrap();
    let asked = Instant::now();
    cancel.cancel();
    let (result, ended) = worker.join().unwrap();
    assert!(matches!(result, Err(SyncError::Cancelled)), "{result:?}");
    assert!(ended.duration_since(asked) < Duration::from_millis(100));
}

#[test]
fn a_silent_server_times_out() {
    let server = serve(3);
    let proxy = Proxy::start(server.port(), Fault::Stall { after: 30 });
    let mut account = account(proxy.port());
    account.timeouts.read = Duration::from_millis(200);
    let error = pull(&account, &mut Kept::default()).unwrap_err();
    assert!(matches!(error, SyncError::TimedOut { .. }), "{error:?}");
}
