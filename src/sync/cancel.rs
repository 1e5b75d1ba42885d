//! Stopping a synchronisation from another thread.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Shared by the side that works and the side that may lose patience. Cancelling is final and wakes
/// whatever waits: sockets are shut down, pauses end.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    next: AtomicU64,
    sockets: Mutex<Vec<(u64, TcpStream)>>,
    wake: Condvar,
}

impl Cancel {
    /// A token nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the work: takes effect within 100 ms.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        let sockets = self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, socket) in sockets.iter() {
            // A socket that is gone already needs no shutting down.
            let _gone = socket.shutdown(Shutdown::Both);
        }
        self.0.wake.notify_all();
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Waits, at most this long; returns early when cancelled.
    pub(crate) fn pause(&self, time: Duration) {
        let sockets = self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let _unused = self.0.wake.wait_timeout_while(sockets, time, |_| !self.is_cancelled());
    }

    /// Makes this socket one that cancelling shuts down, until the lease is dropped.
    pub(crate) fn attach(&self, socket: &TcpStream) -> std::io::Result<Lease> {
        let copy = socket.try_clone()?;
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut sockets = self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_cancelled() {
            copy.shutdown(Shutdown::Both)?;
        }
        sockets.push((id, copy));
        Ok(Lease { cancel: self.clone(), id })
    }
}

/// Keeps a socket known to its [`Cancel`]; shuts it down and forgets it when dropped, so that a thread still
/// reading from it ends.
#[derive(Debug)]
pub(crate) struct Lease {
    cancel: Cancel,
    id: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut sockets = self.cancel.0.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, socket) in sockets.iter().filter(|(id, _)| *id == self.id) {
            // A socket that is gone already needs no shutting down.
            let _gone = socket.shutdown(Shutdown::Both);
        }
        sockets.retain(|(id, _)| *id != self.id);
    }
}
