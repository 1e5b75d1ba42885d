//! Signals of headless commands.

use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::sync::Cancel;

/// Cancels a pull on the first Ctrl-C; the second one ends the program at once. Either way nothing acknowledged
/// is lost.
pub fn cancel_on_interrupt(cancel: &Cancel) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    let cancel = cancel.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if cancel.is_cancelled() {
                std::process::exit(128 + signal);
            }
            cancel.cancel();
        }
    });
}
