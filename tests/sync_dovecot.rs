//! The synchronisation against a real server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests may fail loudly"
)]
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use casebook::sync::{
    Account, Auth, Cancel, Cursor, Fetched, Meta, Secret, Security, Sink, SinkError, Summary,
    SyncError, UidSet, run,
};
use support::dovecot::{Dovecot, PASSWORD, USER, authority};

#[derive(Default)]
struct Kept {
    mails: BTreeMap<u32, Fetched>,
    gone: UidSet,
    cursor: Option<Cursor>,
}

impl Sink for Kept {
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError> {
        for mail in batch {
            assert!(self.mails.insert(mail.uid, mail).is_none(), "fetched twice");
        }
        self.cursor = Some(cursor.clone());
        Ok(())
    }

    fn vanished(&mut self, _: &str, _: u32, uids: &UidSet) -> Result<(), SinkError> {
        self.gone.extend(&self.mails.keys().copied().filter(|uid| uids.contains(*uid)).collect());
        Ok(())
    }

    fn compare(&mut self, _: &str, _: u32, now: &[Meta]) -> Result<UidSet, SinkError> {
        for meta in now {
            let mail = self.mails.get_mut(&meta.uid).unwrap();
            assert!(meta.size.is_none_or(|size| size as usize == mail.raw.len()));
            assert!(meta.internal_date.is_none() || meta.internal_date == mail.internal_date);
            mail.flags = meta.flags.clone().unwrap();
        }
        Ok(UidSet::new())
    }
}

fn raw(n: u64) -> Vec<u8> {
    let lines: String =
        (0..n % 90).map(|line| format!("line {line} of {n} (\"x\" {{7}}\r\n")).collect();
    let mut raw =
        format!("From: r{n}@x.example\r\nSubject: report {n}\r\n\r\n{lines}").into_bytes();
    raw.extend_from_slice(&[0xff, 0xfe, b'\r', b'\n']);
    raw
}

fn received(n: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + n * 60)
}

fn filled(count: u64) -> Option<Dovecot> {
    filled_with(count, "")
}

fn filled_with(count: u64, more: &str) -> Option<Dovecot> {
    let dovecot = Dovecot::start_with(more)?;
    for n in 0..count {
        dovecot.add_mail(&raw(n), received(n), if n % 3 == 0 { "S" } else { "" });
    }
    Some(dovecot)
}

fn account(dovecot: &Dovecot, security: Security) -> Account {
    let port = if security == Security::Tls { dovecot.tls_port } else { dovecot.port };
    let mut account = Account::new("localhost", port, security, USER);
    account.ca_pem = Some(dovecot.ca_pem.clone());
    account.ca_only = true;
    account.timeouts.retry = Duration::from_millis(10);
    account
}

fn pull(account: &Account, kept: &mut Kept) -> Result<Summary, SyncError> {
    pull_with(account, kept, PASSWORD)
}

fn pull_with(account: &Account, kept: &mut Kept, password: &str) -> Result<Summary, SyncError> {
    let secret = &mut || Ok(Secret::new(password.to_owned()));
    run(account, secret, kept.cursor.clone(), kept, &Cancel::new(), &mut |_| {})
}

#[test]
fn three_hundred_mails_arrive_and_the_mailbox_stays_as_it_was() {
    let Some(dovecot) = filled(300) else { return };
    let (state, files) = (dovecot.state(), dovecot.files());
    assert_eq!((state.len(), files.len()), (300, 300));
    for security in [Security::Tls, Security::StartTls, Security::Plain] {
        let account = account(&dovecot, security);
        let mut kept = Kept::default();
        let summary = pull(&account, &mut kept).unwrap();
        assert_eq!((summary.seen, summary.new), (300, 300), "{security:?}");
        assert!(summary.quarantined.is_empty() && summary.notes.is_empty(), "{summary:?}");
        let mut bodies: Vec<&[u8]> = kept.mails.values().map(|mail| mail.raw.as_slice()).collect();
        let mut sent: Vec<Vec<u8>> = (0..300).map(raw).collect();
        bodies.sort_unstable();
        sent.sort_unstable();
        assert!(bodies == sent, "{security:?}: bodies differ");
        for mail in kept.mails.values() {
            let n = (0..300).find(|n| raw(*n) == mail.raw).unwrap();
            let seconds = received(n).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            assert_eq!(mail.internal_date.unwrap().as_second() as u64, seconds);
            assert_eq!(mail.flags.contains(&"\\Seen".to_owned()), n % 3 == 0);
        }
        let cursor = kept.cursor.as_ref().unwrap();
        assert!(cursor.highest_mod_seq.is_some() && cursor.present == Some(300), "{cursor:?}");
        let again = pull(&account, &mut kept).unwrap();
        assert_eq!((again.new, again.bytes), (0, 0));
        assert!(again.received < 3000, "{again:?}");
        assert_eq!(dovecot.state(), state, "{security:?} changed flags or UIDs");
        assert_eq!(dovecot.files(), files, "{security:?} changed files");
    }
    // Two more leave and one comes: what is here stays, what is new arrives.
    let account = account(&dovecot, Security::Tls);
    let mut kept = Kept::default();
    pull(&account, &mut kept).unwrap();
    for name in &files[10..12] {
        std::fs::remove_file(dovecot.maildir().join("cur").join(name)).unwrap();
    }
    dovecot.add_mail(&raw(1000), received(1000), "");
    let summary = pull(&account, &mut kept).unwrap();
    assert_eq!((summary.seen, summary.new), (299, 1));
    assert_eq!(kept.mails.len(), 301);
    assert_eq!(pull(&account, &mut Kept::default()).unwrap().new, 299);
}

/// With QRESYNC the opened mailbox says what has changed; with CONDSTORE alone it is asked; with neither, flags stay as
/// they were.
#[test]
fn flags_and_removals_are_followed_as_far_as_the_server_numbers_changes() {
    let offers = |word: &str| format!("imap_capability = IMAP4rev1 SASL-IR ENABLE IDLE {word}\n");
    for (more, numbered) in
        [(String::new(), true), (offers("CONDSTORE"), true), (offers(""), false)]
    {
        let Some(dovecot) = filled_with(40, &more) else { return };
        let account = account(&dovecot, Security::Plain);
        let mut kept = Kept::default();
        pull(&account, &mut kept).unwrap();
        assert_eq!(kept.cursor.as_ref().unwrap().highest_mod_seq.is_some(), numbered);
        let still = pull(&account, &mut kept).unwrap();
        dovecot.flag(5, "\\Answered \\Flagged $Later");
        let flagged = pull(&account, &mut kept).unwrap();
        assert_eq!((still.new, flagged.new), (0, 0), "{more}");
        let mut flags = kept.mails[&5].flags.clone();
        flags.sort();
        assert_eq!(flags == ["$Later", "\\Answered", "\\Flagged"], numbered, "{more}: {flags:?}");
        let name = dovecot.files().remove(8);
        dovecot.remove(None, &name);
        assert_eq!(pull(&account, &mut kept).unwrap().new, 0);
        assert_eq!(kept.gone.count(), 1, "{more}");
        assert_eq!(pull(&account, &mut kept).unwrap().new, 0);
    }
}

#[test]
fn refuses_what_it_should() {
    let Some(dovecot) = filled(1) else { return };
    for (auth, security) in [
        (Auth::Auto, Security::Tls),
        (Auth::Login, Security::StartTls),
        (Auth::Plain, Security::Plain),
    ] {
        let mut account = account(&dovecot, security);
        account.auth = auth;
        assert_eq!(pull(&account, &mut Kept::default()).unwrap().new, 1);
        let error = pull_with(&account, &mut Kept::default(), "wrong").unwrap_err();
        assert!(matches!(error, SyncError::LoginRefused { .. }), "{error:?}");
    }
    for security in [Security::Tls, Security::StartTls] {
        let mut other_ca = account(&dovecot, security);
        other_ca.ca_pem = Some(authority("somebody else").0);
        let error = pull(&other_ca, &mut Kept::default()).unwrap_err();
        assert!(
            matches!(&error, SyncError::Certificate { why, .. } if why.contains("issuer")),
            "{error:?}"
        );
        let mut other_name = account(&dovecot, security);
        other_name.host = "127.0.0.1".to_owned();
        let error = pull(&other_name, &mut Kept::default()).unwrap_err();
        assert!(
            matches!(&error, SyncError::Certificate { why, .. } if why.contains("host name")),
            "{error:?}"
        );
    }
    let mut wrong_port = account(&dovecot, Security::Tls);
    wrong_port.port = dovecot.port;
    let error = pull(&wrong_port, &mut Kept::default()).unwrap_err();
    assert!(matches!(error, SyncError::Tls { .. }), "{error:?}");
    let mut missing = account(&dovecot, Security::Tls);
    missing.mailbox = "Nowhere".to_owned();
    let error = pull(&missing, &mut Kept::default()).unwrap_err();
    assert!(matches!(error, SyncError::Mailbox { .. }), "{error:?}");
}

/// Not a test of anything: prints how fast 2,000 mails of 6 KB arrive.
#[test]
#[ignore = "a measurement"]
fn throughput() {
    let Some(dovecot) = Dovecot::start() else { return };
    let line = b"0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 abcdefghijklmnopqrs\r\n";
    for n in 0..2000 {
        dovecot.add_mail(&[raw(n % 7), line.repeat(80)].concat(), received(n), "");
    }
    dovecot.state();
    for security in [Security::Plain, Security::Tls, Security::Plain, Security::Tls] {
        let began = std::time::Instant::now();
        let summary = pull(&account(&dovecot, security), &mut Kept::default()).unwrap();
        let took = began.elapsed().as_secs_f64();
        let megabytes = summary.bytes as f64 / 1e6;
        println!(
            "{security:?}: {} mails, {megabytes:.1} MB in {took:.3} s: {:.0} mails/s, {:.1} MB/s",
            summary.new,
            summary.new as f64 / took,
            megabytes / took
        );
    }
}
