//! A byte stream to a server, whatever carries it.

use std::io::{self, Read, Write};
use std::time::Duration;

/// What a conversation runs over: TLS, bare TCP, or memory in a simulation.
pub(crate) trait Duplex: Read + Write + Send {
    /// Reads give up after this time, which is above zero.
    ///
    /// # Errors
    /// If the system refuses.
    fn give_up_after(&mut self, time: Duration) -> io::Result<()>;
}

impl Duplex for Box<dyn Duplex> {
    fn give_up_after(&mut self, time: Duration) -> io::Result<()> {
        (**self).give_up_after(time)
    }
}
