//! `casebook sync` with several folders, with mail that goes and comes, with a pinned key, and on watch, against a
//! real Dovecot.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use support::console::Console;
use support::dovecot::{Dovecot, PASSWORD, USER};

/// A part of [`PASSWORD`] that stands nowhere else.
const CANARY: &str = "horse";

const SYNC: [&str; 3] = ["--config", "config.toml", "sync"];

fn at(minutes: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + minutes * 60)
}

fn mail(from: &str, subject: &str, id: &str, more: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: security@example.org\r\nSubject: {subject}\r\nMessage-ID: <{id}@example.net>\r\n\
         {more}\r\nOctoPrint 1.11.8\r\n"
    )
    .into_bytes()
}

/// Writes a config with these further lines in `[account]`.
fn configure(console: &Console, dovecot: &Dovecot, command: &str, more: &str) {
    console.write("secret", PASSWORD);
    let port = dovecot.port;
    console.write(
        "config.toml",
        &format!(
            "[account]\naddress = \"security@example.org\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             security = \"plain\"\nuser = \"{USER}\"\npassword_command = {command}\n{more}\n"
        ),
    );
}

fn cat(console: &Console) -> String {
    format!("[\"cat\", {:?}]", console.path("secret"))
}

fn messages(console: &Console, words: &str) -> Vec<Value> {
    let shown = console.json(&["show", &console.case(words)]);
    shown["messages"].as_array().expect("messages").clone()
}

#[test]
fn an_answer_in_sent_stops_the_clock_and_junk_is_swept_with_a_mark() {
    let Some(dovecot) = Dovecot::start() else { return };
    let console = Console::new();
    configure(&console, &dovecot, &cat(&console), "sent = \"Sent\"\njunk = \"Junk\"");
    dovecot.put(None, "1.M1.test:2,", &mail("r@x.example", "a hole", "a", ""), at(0));
    let done = console.run(&SYNC);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "folders that are missing do not stop a pull: {said}");
    assert!(said.contains("Sent") && said.contains("Junk"), "{said}");
    let acknowledge = |console: &Console| {
        let cases = console.json(&["list", "hole"]);
        let clocks = cases[0]["deadlines"].as_array().expect("clocks").clone();
        clocks.iter().find(|c| c["kind"] == "acknowledge").expect("it")["status"].clone()
    };
    assert_eq!(acknowledge(&console), "overdue");
    // Somebody of the team answered from an address that nobody has configured.
    let reply =
        mail("Ana <ana@private.example>", "Re: a hole", "b", "In-Reply-To: <a@example.net>\r\n");
    dovecot.put(Some("Sent"), "2.M1.test:2,S", &reply, at(60));
    dovecot.put(Some("Junk"), "3.M1.test:2,", &mail("s@x.example", "swept", "c", ""), at(5));
    let pulled = console.json(&SYNC);
    assert_eq!((&pulled["seen"], &pulled["new"]), (&3.into(), &2.into()), "{pulled}");
    assert_eq!(acknowledge(&console), "met");
    let thread = messages(&console, "hole");
    assert_eq!((&thread[1]["direction"], &thread[1]["rescued"]), (&"out".into(), &false.into()));
    assert_eq!(messages(&console, "swept")[0]["rescued"], true);
    let text = console.ok(&["show", &console.case("swept")]);
    assert!(text.contains("rescued"), "{text}");
    let mut screen = console.screen(100, 24, &["--config", "config.toml"]);
    screen.wait_for("swept");
    screen.send("fis:rescued\r");
    screen.wait_until("only the rescued", |shown| shown.contains("1/1") && shown.contains(" J"));
    screen.send("\x1b");
    screen.settle();
    screen.send("q");
    screen.wait_end();
    // The same after the index was made anew from the files.
    console.ok(&["--config", "config.toml", "verify", "--rebuild"]);
    assert_eq!(acknowledge(&console), "met");
    assert_eq!(messages(&console, "swept")[0]["rescued"], true);
    let again = console.json(&SYNC);
    assert_eq!(again["new"], 0, "{again}");
}

#[test]
fn what_leaves_the_server_is_marked_and_stays() {
    let Some(dovecot) = Dovecot::start() else { return };
    let console = Console::new();
    configure(&console, &dovecot, &cat(&console), "junk = \"Junk\"");
    let name = |n: u64| format!("{n}.M1.test:2,");
    let raw = |n: u64| mail("r@x.example", &format!("hole-{n}"), &n.to_string(), "");
    for n in 1..=6 {
        dovecot.put(None, &name(n), &raw(n), at(n));
    }
    dovecot.put(Some("Junk"), &name(1), &raw(7), at(7));
    assert_eq!(console.json(&SYNC)["new"], 7);
    let there = |n: u64| messages(&console, &format!("hole-{n}"))[0]["on_server"].clone();
    dovecot.remove(None, &name(2));
    // Moved from Junk to INBOX: the same mail, there all the time.
    dovecot.remove(Some("Junk"), &name(1));
    dovecot.put(None, &name(7), &raw(7), at(7));
    let pulled = console.json(&SYNC);
    assert_eq!((&pulled["new"], &pulled["duplicates"]), (&0.into(), &1.into()), "{pulled}");
    assert_eq!((there(1), there(2), there(7)), (true.into(), false.into(), true.into()));
    // It comes back, under another UID.
    dovecot.put(None, &name(8), &raw(2), at(2));
    assert_eq!(console.json(&SYNC)["new"], 0);
    assert_eq!(there(2), true);
    // One goes while the mailbox is made anew.
    dovecot.remove(None, &name(3));
    dovecot.begin_anew();
    assert_eq!(console.json(&SYNC)["new"], 0);
    for n in 1..=7 {
        assert_eq!(there(n), n != 3, "hole-{n}");
    }
    assert_eq!(console.json(&["list"]).as_array().map(Vec::len), Some(7));
    console.ok(&["verify"]);
}

#[test]
fn a_pinned_key_stands_for_an_authority() {
    let Some(dovecot) = Dovecot::start() else { return };
    let console = Console::new();
    let write = |pin: &str| {
        let (port, cat) = (dovecot.tls_port, cat(&console));
        console.write("secret", PASSWORD);
        console.write(
            "config.toml",
            &format!(
                "[account]\naddress = \"s@example.org\"\nhost = \"127.0.0.1\"\nport = {port}\n\
                 user = \"{USER}\"\npassword_command = {cat}\npin = \"{pin}\"\n"
            ),
        );
    };
    dovecot.put(None, "1.M1.test:2,", &mail("r@x.example", "a hole", "a", ""), at(0));
    write(&format!("sha256:{}", "0".repeat(64)));
    let told = console.fails(4, &SYNC);
    assert!(told.contains("pin"), "{told}");
    // Neither the name nor the authority of the certificate is right; the key is.
    write(&dovecot.pin);
    assert_eq!(console.json(&SYNC)["new"], 1);
}

#[test]
fn a_watch_sees_new_mail_by_itself_and_ends_when_told() {
    let Some(dovecot) = Dovecot::start() else { return };
    let console = Console::new();
    configure(&console, &dovecot, &cat(&console), "");
    dovecot.put(None, "1.M1.test:2,", &mail("r@x.example", "one", "a", ""), at(0));
    let mut child = console
        .command(&["--config", "config.toml", "sync", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("UTF-8");
    assert!(next().contains("1 messages seen, 1 new"));
    for n in 2..5 {
        let raw = mail("r@x.example", &format!("mail-{n}"), &n.to_string(), "");
        dovecot.put(None, &format!("{n}.M1.test:2,"), &raw, at(n));
        let line = next();
        assert!(line.contains(&format!("{n} messages seen, 1 new")), "{line}");
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("sent").success());
    let done = child.wait_with_output().expect("ended");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(console.json(&["list"]).as_array().map(Vec::len), Some(4));
    // A refused login ends a watch: tried again and again it would lock the account.
    console.write("secret", "wrong");
    let told = console.fails(4, &["--config", "config.toml", "sync", "--watch"]);
    assert!(told.contains("check user name and password"), "{told}");
    assert_eq!(dovecot.log().matches("auth failed, 1 attempts").count(), 1, "{}", dovecot.log());
}

/// Whether these bytes stand in any file below, packed ones unpacked; `secret` is where they come from.
fn holds(folder: &Path, needle: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").flatten().any(|item| {
        let path = item.path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let unpacked = zstd::decode_all(bytes.as_slice()).unwrap_or_default();
        let found = |b: &Vec<u8>| b.windows(needle.len()).any(|part| part == needle);
        !path.ends_with("secret") && [bytes, unpacked].iter().any(found)
    })
}

/// A process and all below it, as `/proc` has them.
#[cfg(target_os = "linux")]
fn family(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let parent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()
    };
    let numbers = fs::read_dir("/proc").expect("readable").flatten();
    let mut others: Vec<u32> =
        numbers.filter_map(|item| item.file_name().to_str()?.parse().ok()).collect();
    others.sort_unstable();
    for pid in others {
        if parent(pid).is_some_and(|parent| all.contains(&parent)) {
            all.push(pid);
        }
    }
    all
}

#[cfg(target_os = "linux")]
#[test]
fn the_password_stands_nowhere_but_where_it_comes_from() {
    let Some(dovecot) = Dovecot::start() else { return };
    let console = Console::new();
    for n in 0..50 {
        dovecot.add_mail(&mail("r@x.example", &format!("m{n}"), &n.to_string(), ""), at(n), "");
    }
    let command = format!(
        "[\"sh\", \"-c\", \"sleep 0.3; cat {}; sleep 0.3\"]",
        console.path("secret").display()
    );
    configure(&console, &dovecot, &command, "");
    let mut child = console
        .command(&["--config", "config.toml", "sync", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut looked, mut seen) = (0, 0);
    for _ in 0..40 {
        for pid in family(child.id()) {
            for file in ["cmdline", "environ"] {
                let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                looked += usize::from(!bytes.is_empty());
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(CANARY), "the password is in {file} of {pid}: {text}");
            }
            seen = seen.max(family(child.id()).len());
        }
        thread::sleep(Duration::from_millis(40));
    }
    assert!(looked > 40 && seen > 1, "{looked} looks, at most {seen} processes");
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("sent").success());
    let _ended = child.wait();
    let done = child.wait_with_output().expect("ended");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("50 new") && !said.contains(CANARY), "{said}");
    let folder = console.path("");
    assert!(!holds(&folder, CANARY.as_bytes()), "the password is in a file");
    assert!(fs::read_to_string(console.path("secret")).expect("read").contains(CANARY));
}

/// The row of the list that is drawn reversed.
fn lit_row(screen: &vt100::Screen) -> String {
    let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
    let lit = |row: u16| {
        let cells = (0..columns).filter_map(|column| screen.cell(row, column));
        // The bar at the top is lit too.
        row > 1 && row < rows - 2 && cells.filter(|cell| cell.inverse()).count() > 20
    };
    let row = (0..rows).find(|row| lit(*row)).unwrap_or(0);
    screen.rows(0, columns).nth(row.into()).unwrap_or_default()
}

#[test]
fn on_the_screen_new_mail_comes_by_itself_and_the_cursor_stays() {
    let Some(dovecot) = Dovecot::start() else { return };
    let console = Console::new();
    configure(&console, &dovecot, &cat(&console), "watch = true");
    dovecot.put(None, "1.M1.test:2,", &mail("r@x.example", "one-1", "a", ""), at(0));
    dovecot.put(None, "2.M1.test:2,", &mail("r@x.example", "two-2", "b", ""), at(9));
    let mut screen = console.screen(100, 24, &["--config", "config.toml"]);
    screen.wait_for("one-1");
    screen.wait_for("watching,");
    screen.send("j");
    screen.settle();
    let before = lit_row(screen.parsed().screen());
    assert!(before.contains("-"), "{before}: {}", screen.shown());
    let word = if before.contains("one-1") { "one-1" } else { "two-2" };
    dovecot.put(None, "3.M1.test:2,", &mail("n@x.example", "new-3", "c", ""), at(20));
    screen.wait_for("new-3");
    screen.wait_for(": 1 new");
    assert!(lit_row(screen.parsed().screen()).contains(word), "{}", screen.shown());
    // Stopped by its key, and the store can be left at once.
    screen.send(":cancel-sync\r");
    screen.wait_for("watch stopped");
    screen.send("q");
    assert_eq!(screen.wait_end(), 0);
}
