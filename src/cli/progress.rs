//! How far long work is: one line on standard error, written over, where that is a terminal.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::shown;
use crate::runtime::later::Later;

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
