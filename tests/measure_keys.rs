//! Time from a key to the changed screen, at 200x50 on a large store, once at rest and once while a pull runs.
//!
//! Not part of the tests, as it needs a release build and mailboxes of some size (Maildir folders of one's own):
//!
//! ```text
//! cargo build --release
//! MEASURE_BIN=target/release/casebook MEASURE_FIRST=big/Maildir MEASURE_SECOND=other/Maildir \
//!     cargo test --test measure_keys -- --ignored --nocapture
//! ```
//!
//! A key counts as answered when the bytes have arrived after which the terminal shows its effect: another case under
//! the cursor, the case opened, the list again. A progress line that happens to be drawn does not count. The time is
//! taken by the thread that reads the terminal; the same with `cat` in place of the program is the floor.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they measured"
)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use casebook::runtime::demo::server::{ServedMail, Server};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const COLUMNS: u16 = 200;
const ROWS: u16 = 50;
/// Keys measured in each run.
const KEYS: usize = 1_000;
/// A fast typist's pause after an answer.
const PAUSE: Duration = Duration::from_millis(12);

/// A program in a pseudo terminal, its output stamped with the time of arrival.
struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn start(command: CommandBuilder) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo terminal");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let (sender, chunks) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
        });
        let size = |n: u16| std::num::NonZero::new(n).expect("not zero");
        let parser = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
        Self { child, writer, chunks, parser, _master: pair.master }
    }

    /// Takes in what has come by now.
    fn catch_up(&mut self) {
        while let Ok((_, bytes)) = self.chunks.try_recv() {
            self.parser.process(&bytes);
        }
    }

    /// Types, and gives the time until the screen is as it should be; `None` if it never is.
    fn answer(&mut self, keys: &str, is: impl Fn(&vt100::Screen) -> bool) -> Option<Duration> {
        self.catch_up();
        let begun = Instant::now();
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("typed");
        while begun.elapsed() < Duration::from_secs(30) {
            let Ok((at, bytes)) = self.chunks.recv_timeout(Duration::from_secs(5)) else {
                return None;
            };
            self.parser.process(&bytes);
            if is(self.parser.screen()) {
                return Some(at - begun);
            }
        }
        None
    }

    /// Waits; the time until the screen is as it should be.
    fn wait(&mut self, is: impl Fn(&vt100::Screen) -> bool) -> Duration {
        self.answer("", is).expect("the screen comes to it")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn row(screen: &vt100::Screen, at: u16) -> String {
    screen.rows(0, COLUMNS).nth(usize::from(at)).unwrap_or_default()
}

/// The case under the cursor: the reversed line of the list.
fn under_cursor(screen: &vt100::Screen) -> Option<String> {
    let reversed = |at: &u16| screen.cell(*at, 1).is_some_and(vt100::Cell::inverse);
    let at = (2..ROWS).find(reversed)?;
    // The id stands behind one column of marks.
    row(screen, at).get(1..9).map(str::to_owned)
}

fn in_queue(screen: &vt100::Screen) -> bool {
    row(screen, 0).starts_with(" casebook ")
}

fn says(screen: &vt100::Screen, words: &str) -> bool {
    screen.contents().contains(words)
}

/// Presses the keys in turn until there are enough, or `go_on` says no; times by kind of key.
fn press(
    terminal: &mut Terminal,
    mut go_on: impl FnMut(&vt100::Screen) -> bool,
) -> BTreeMap<&'static str, Vec<Duration>> {
    const TURN: [(&str, &str); 12] = [
        ("j", "j"),
        ("j", "j"),
        ("PageDown", "\x1b[6~"),
        ("k", "k"),
        ("Enter", "\r"),
        ("Esc", "\x1b"),
        ("j", "j"),
        ("j", "j"),
        ("k", "k"),
        ("k", "k"),
        ("PageUp", "\x1b[5~"),
        ("j", "j"),
    ];
    let mut times: BTreeMap<&'static str, Vec<Duration>> = BTreeMap::new();
    let mut turn: VecDeque<_> = TURN.into();
    for _ in 0..KEYS {
        // The rest of the last drawing, or the case under the cursor would be an old one.
        terminal.catch_up();
        if !go_on(terminal.parser.screen()) {
            break;
        }
        let (name, keys) = turn.pop_front().expect("not empty");
        turn.push_back((name, keys));
        let before = under_cursor(terminal.parser.screen());
        let took = match name {
            "Enter" => terminal.answer(keys, |screen| !in_queue(screen)),
            "Esc" => terminal.answer(keys, in_queue),
            _ => terminal.answer(keys, |screen| {
                let now = under_cursor(screen);
                now.is_some() && now != before
            }),
        };
        let took = took.unwrap_or_else(|| {
            panic!("{name} was never answered:\n{}", terminal.parser.screen().contents())
        });
        times.entry(name).or_default().push(took);
        std::thread::sleep(PAUSE);
    }
    times
}

fn report(what: &str, times: &BTreeMap<&'static str, Vec<Duration>>) {
    let line = |name: &str, mut list: Vec<Duration>| {
        list.sort();
        let at = |share: f64| {
            let place = ((list.len() as f64 * share) as usize).min(list.len() - 1);
            list[place].as_secs_f64() * 1e3
        };
        eprintln!(
            "{what:<24} {name:<9} {:>5} keys  median {:>6.2} ms  p99 {:>6.2} ms  max {:>6.2} ms",
            list.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    };
    for (name, list) in times {
        line(name, list.clone());
    }
    let all: Vec<Duration> = times.values().flatten().copied().collect();
    if !all.is_empty() {
        line("all", all);
    }
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The same path through kernel and this harness with a program that only echoes.
fn floor() -> Vec<Duration> {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", "stty raw -echo; printf ready; exec cat"]);
    let mut terminal = Terminal::start(command);
    terminal.wait(|screen| says(screen, "ready"));
    let mut times = Vec::new();
    for count in 0..KEYS {
        let before = terminal.parser.screen().cursor_position();
        let keys = if count % 100 == 99 { "\r" } else { "x" };
        let took = terminal.answer(keys, |screen| screen.cursor_position() != before);
        times.push(took.expect("echoed"));
        std::thread::sleep(PAUSE);
    }
    times
}

fn served(maildir: &Path) -> Vec<ServedMail> {
    let mut files: Vec<PathBuf> = ["cur", "new"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(maildir.join(folder)).expect("a Maildir"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let now = casebook::runtime::clock::Clock::wall();
    let mail = |path: PathBuf| {
        let raw = std::fs::read(path).expect("read");
        let internal_date = casebook::runtime::import::received(&raw, Some(now)).0;
        ServedMail { raw, internal_date, flags: Vec::new() }
    };
    files.into_iter().map(mail).collect()
}

fn given(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

#[test]
#[ignore = "needs a release build and large mailboxes: see the head of the file"]
fn keys_are_answered_within_a_frame() {
    let binary = given("MEASURE_BIN").expect("MEASURE_BIN names the program");
    let binary = std::fs::canonicalize(binary).expect("the program is there");
    let folder = tempfile::tempdir().expect("a folder");
    let store = given("MEASURE_STORE").unwrap_or_else(|| folder.path().join("store"));
    if let Some(first) = given("MEASURE_FIRST") {
        let begun = Instant::now();
        let mut import = Command::new(&binary);
        import.arg("--store").arg(&store).arg("import").arg(first);
        assert!(import.status().expect("runs").success());
        eprintln!("imported in {:.1} s", begun.elapsed().as_secs_f64());
    }
    eprintln!("load {}", load());
    report("cat (floor)", &BTreeMap::from([("x", floor())]));

    let second = given("MEASURE_SECOND").map(|maildir| served(&maildir));
    let count = second.as_ref().map_or(0, Vec::len);
    let server = Server::start(second.unwrap_or_default(), "security", "sample").expect("serves");
    let config = folder.path().join("config.toml");
    let text = format!(
        "[account]\naddress = \"security@example.org\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\n\
         user = \"security\"\npassword_command = [\"echo\", \"sample\"]\n",
        server.port()
    );
    std::fs::write(&config, text).expect("written");
    let mut command = CommandBuilder::new(&binary);
    command.arg("--store");
    command.arg(&store);
    command.arg("--config");
    command.arg(&config);
    command.env("TERM", "xterm-256color");
    let begun = Instant::now();
    let mut terminal = Terminal::start(command);
    terminal.wait(|screen| under_cursor(screen).is_some());
    eprintln!("first rows after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    terminal.wait(|screen| in_queue(screen) && !row(screen, 0).contains("reading"));
    eprintln!("{}", row(terminal.parser.screen(), 0).trim());
    report("at rest", &press(&mut terminal, |_| true));
    eprintln!("load {}", load());
    if count > 0 {
        let begun = Instant::now();
        terminal.answer("gg", in_queue);
        terminal.answer("S", |screen| row(screen, 0).contains("pulling")).expect("it pulls");
        let times = press(&mut terminal, |screen| !says(screen, "pulled "));
        report("while pulling", &times);
        let still = !says(terminal.parser.screen(), "pulled ");
        if still {
            terminal.answer("", |screen| says(screen, "pulled "));
        }
        eprintln!(
            "the pull of {count} took {:.1} s; load {}",
            begun.elapsed().as_secs_f64(),
            load()
        );
        eprintln!("{}", row(terminal.parser.screen(), 0).trim());
    }
}
