//! Signals of headless commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::sync::Cancel;

/// Hears which signal came, if one did.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicI32>);

impl Interrupt {
    /// Exit status of a program that this signal ended, by the custom of shells: 128 and its number.
    pub fn exit_status(&self) -> Option<u8> {
        let signal = self.0.load(Ordering::SeqCst);
        (signal > 0).then(|| u8::try_from(128 + signal).unwrap_or(1))
    }
}

/// Cancels a pull on the first Ctrl-C; the second one ends the program at once. Either way nothing acknowledged
/// is lost.
pub fn cancel_on_interrupt(cancel: &Cancel) -> Interrupt {
    let interrupt = Interrupt::default();
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return interrupt };
    let (cancel, heard) = (cancel.clone(), interrupt.clone());
    thread::spawn(move || {
        for signal in signals.forever() {
            if cancel.is_cancelled() {
                std::process::exit(128 + signal);
            }
            heard.0.store(signal, Ordering::SeqCst);
            cancel.cancel();
        }
    });
    interrupt
}
