//! The program under test: run to its end with arguments, or held in a pseudo terminal and typed to.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The instant at which the tests look at the sample mails.
pub const NOW: &str = "2026-11-01T12:00:00Z";

/// A private folder with a store, gone with the test.
pub struct Console {
    folder: tempfile::TempDir,
}

impl Console {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casebook"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("CASEBOOK_STORE", self.store())
            .current_dir(self.folder.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }

    /// Runs and expects success; standard output as text.
    pub fn ok(&self, args: &[&str]) -> String {
        let done = self.run(args);
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "casebook {args:?} failed: {err}");
        String::from_utf8(done.stdout).expect("UTF-8")
    }

    /// The JSON document of a command.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut all = vec!["--now", NOW, "--json"];
        all.extend(args);
        serde_json::from_str(&self.ok(&all)).expect("one JSON document")
    }

    /// Runs and expects a failure with this exit status; the message, which must be one printable line.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let done = self.run(args);
        let err = String::from_utf8(done.stderr).expect("UTF-8");
        assert_eq!(done.status.code(), Some(code), "casebook {args:?}: {err}");
        let last = err.lines().last().unwrap_or_default().to_owned();
        assert!(!last.chars().any(char::is_control), "{last:?}");
        assert!(last.ends_with('.'), "not a sentence: {last:?}");
        last
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Writes the sample mails as files and imports them.
    pub fn import_samples(&self) -> PathBuf {
        let folder = self.path("mails");
        write_samples(&folder);
        self.ok(&["import", folder.to_str().expect("UTF-8")]);
        folder
    }

    /// Id of the case whose subject holds these words.
    pub fn case(&self, words: &str) -> String {
        let cases = self.json(&["list"]);
        let cases = cases.as_array().expect("a list");
        let holds =
            |case: &&serde_json::Value| case["subject"].as_str().unwrap_or("").contains(words);
        let case = cases.iter().find(holds).unwrap_or_else(|| panic!("no case about {words}"));
        case["case"].as_str().expect("an id").to_owned()
    }

    /// Opens the screen in a pseudo terminal.
    pub fn screen(&self, columns: u16, rows: u16, args: &[&str]) -> Terminal {
        Terminal::start(self.folder.path(), &self.store(), columns, rows, args)
    }
}

/// Writes the sample mails, as of [`NOW`].
pub fn write_samples(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    for mail in casebook::runtime::demo::mails::render(NOW.parse().expect("a time")) {
        std::fs::write(folder.join(format!("{}.eml", mail.name)), &mail.raw).expect("written");
    }
}

/// The program in a pseudo terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    size: (u16, u16),
    /// The line settings before the program began.
    pub fresh: String,
}

impl Terminal {
    fn start(home: &Path, store: &Path, columns: u16, rows: u16, args: &[&str]) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo terminal");
        let fresh = format!("{:?}", pair.master.get_termios());
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_casebook"));
        command.args(args);
        command.env_clear();
        command.env("HOME", home);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("CASEBOOK_STORE", store);
        command.cwd(home);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                sink.lock().expect("not poisoned").extend_from_slice(&buffer[..count]);
            }
        });
        Self { child, master: pair.master, writer, bytes, size: (columns, rows), fresh }
    }

    pub fn pid(&self) -> i32 {
        self.child.process_id().and_then(|pid| i32::try_from(pid).ok()).expect("it runs")
    }

    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("typed");
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("resized");
        self.size = (columns, rows);
    }

    /// Waits until nothing has been written for a while.
    pub fn settle(&self) {
        let mut seen = usize::MAX;
        while seen != self.bytes().len() {
            seen = self.bytes().len();
            thread::sleep(Duration::from_millis(400));
        }
    }

    /// Every byte the program has written.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().expect("not poisoned").clone()
    }

    /// What the program has written after the first so many bytes.
    pub fn bytes_after(&self, count: usize) -> Vec<u8> {
        self.bytes.lock().expect("not poisoned").get(count..).unwrap_or_default().to_vec()
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// What a terminal would show now.
    pub fn shown(&self) -> String {
        self.parsed().screen().contents()
    }

    pub fn parsed(&self) -> vt100::Parser {
        let size = |n: u16| std::num::NonZero::new(n).expect("not zero");
        let mut parser = vt100::Parser::new(size(self.size.1), size(self.size.0), 0);
        parser.process(&self.bytes());
        parser
    }

    /// Waits until the screen shows these words.
    pub fn wait_for(&self, words: &str) -> String {
        self.wait_until(words, |screen| screen.contains(words))
    }

    /// Waits until the screen is as it should be.
    pub fn wait_until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.shown();
            if is(&screen) {
                return screen;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "never saw {what}; the screen is\n{screen}"
            );
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Waits until the program has ended; its exit code.
    pub fn wait_end(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("asked") {
                // What is still in the pipe.
                thread::sleep(Duration::from_millis(50));
                return status.exit_code();
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end\n{}", self.shown());
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// The line settings of the terminal, as text.
    pub fn settings(&self) -> String {
        format!("{:?}", self.master.get_termios())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything of a byte stream that a terminal would obey, beside what the program is allowed to send.
pub fn forbidden(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            0x1b => match sequence(after) {
                Some(length) => rest = &after[length..],
                None => found.push(format!(
                    "escape sequence {:?}",
                    String::from_utf8_lossy(&after[..after.len().min(12)])
                )),
            },
            b'\n' | b'\r' => {}
            0x00..=0x1f | 0x7f => found.push(format!("control byte {byte:#04x}")),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(bytes);
    for c in text.chars() {
        let hidden = matches!(c, '\u{80}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        if hidden {
            found.push(format!("character U+{:04X}", u32::from(c)));
        }
    }
    found
}

/// Length of the allowed sequence after an escape byte.
fn sequence(after: &[u8]) -> Option<usize> {
    if after.first() != Some(&b'[') {
        return None;
    }
    let end = after.iter().skip(1).position(|b| !matches!(b, b'0'..=b'9' | b';' | b'?'))? + 1;
    let modes: [&[u8]; 4] = [b"?25", b"?1049", b"?2004", b"?2026"];
    let parameters = &after[1..end];
    let fine = match after[end] {
        b'm' | b'H' | b'A' | b'B' | b'C' | b'D' | b'G' | b'J' | b'K' | b'r' | b'S' | b'T' => {
            !parameters.contains(&b'?')
        }
        b'h' | b'l' => modes.contains(&parameters),
        _ => false,
    };
    fine.then_some(end + 1)
}
