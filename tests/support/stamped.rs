//! The program on a large screen, and how soon it answers a key there: every byte of it is stamped by the thread
//! that reads the terminal.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

pub const COLUMNS: u16 = 200;
pub const ROWS: u16 = 50;
/// Keys measured in each run.
pub const KEYS: usize = 1_000;
/// A fast typist's pause after an answer.
pub const PAUSE: Duration = Duration::from_millis(12);

/// A program in a pseudo terminal, its output stamped with the time of arrival.
pub struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    pub parser: vt100::Parser,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    pub fn start(command: CommandBuilder) -> Self {
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

    /// Id of the program's process.
    pub fn process(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Takes in what has come by now.
    pub fn catch_up(&mut self) {
        while let Ok((_, bytes)) = self.chunks.try_recv() {
            self.parser.process(&bytes);
        }
    }

    /// Types, and gives the time until the screen is as it should be; `None` if it never is.
    pub fn answer(&mut self, keys: &str, is: impl Fn(&vt100::Screen) -> bool) -> Option<Duration> {
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
    pub fn wait(&mut self, is: impl Fn(&vt100::Screen) -> bool) -> Duration {
        self.answer("", is).expect("the screen comes to it")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn row(screen: &vt100::Screen, at: u16) -> String {
    screen.rows(0, COLUMNS).nth(usize::from(at)).unwrap_or_default()
}

/// The case under the cursor: the reversed line of the list.
pub fn under_cursor(screen: &vt100::Screen) -> Option<String> {
    let reversed = |at: &u16| screen.cell(*at, 1).is_some_and(vt100::Cell::inverse);
    let at = (2..ROWS).find(reversed)?;
    // The id stands behind one column of marks.
    row(screen, at).get(1..9).map(str::to_owned)
}

pub fn in_queue(screen: &vt100::Screen) -> bool {
    row(screen, 0).starts_with(" casebook ")
}

pub fn says(screen: &vt100::Screen, words: &str) -> bool {
    screen.contents().contains(words)
}

/// Presses the keys in turn until there are enough, or `go_on` says no; times by kind of key.
pub fn press(
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

pub fn report(what: &str, times: &BTreeMap<&'static str, Vec<Duration>>) {
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
