//! Something that is done later, unless it is not needed by then.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Something that is done after a while, unless this is dropped before. Dropping it waits for what has begun.
#[derive(Debug)]
pub struct Later {
    waiting: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Later {
    /// Sees to it that `act` is called once so much time has passed.
    pub fn start(after: Duration, act: impl FnOnce() + Send + 'static) -> Self {
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
