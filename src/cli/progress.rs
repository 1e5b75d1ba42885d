//! How far long work is: one line on standard error, written over, where that is a terminal.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::shown;

/// How long work may take without a word.
const SILENT: Duration = Duration::from_millis(100);

/// The line.
pub(crate) struct Progress {
    on: bool,
    shown: Arc<AtomicBool>,
}

impl Progress {
    /// Nothing is shown yet.
    pub(crate) fn new() -> Self {
        Self { on: std::io::stderr().is_terminal(), shown: Arc::default() }
    }

    /// Shows the line in place of the last one.
    pub(crate) fn show(&mut self, text: &str) {
        if self.on {
            write(text, &self.shown);
        }
    }

    /// Shows a line for work that cannot say how far it is, unless that ends before anybody would miss a word.
    /// Dropping what this returns ends it; a line that is shown stays until [`Progress::end`].
    pub(crate) fn soon(&self, text: &'static str) -> Option<Later> {
        let shown = Arc::clone(&self.shown);
        self.on.then(|| Later::start(SILENT, move || write(text, &shown)))
    }

    /// Takes the line away.
    pub(crate) fn end(&mut self) {
        if self.shown.swap(false, Ordering::SeqCst) {
            eprint!("\r\u{1b}[K");
        }
    }
}

fn write(text: &str, is_shown: &AtomicBool) {
    eprint!("\r\u{1b}[K{}", shown(text));
    is_shown.store(true, Ordering::SeqCst);
}

/// Something that is done after a while, unless this is dropped before. Dropping it waits for what has begun.
pub(crate) struct Later {
    waiting: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Later {
    fn start(after: Duration, act: impl FnOnce() + Send + 'static) -> Self {
        let (waiting, over) = mpsc::channel::<()>();
        let wait = move || {
            if over.recv_timeout(after) == Err(RecvTimeoutError::Timeout) {
                act();
            }
        };
        // Without a thread there is no word, and the work goes on.
        let thread = thread::Builder::new().name("patience".into()).spawn(wait).ok();
        Self { waiting: Some(waiting), thread }
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        self.waiting = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn long_work_is_told_and_short_work_is_not() {
        let (told, hears) = mpsc::channel();
        let later = Later::start(Duration::ZERO, move || told.send("a word").expect("heard"));
        assert_eq!(hears.recv(), Ok("a word"));
        drop(later);
        let (told, hears) = mpsc::channel();
        drop(Later::start(LONG, move || told.send("a word").expect("heard")));
        assert!(hears.recv().is_err(), "it ended before");
    }
}
