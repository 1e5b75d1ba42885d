//! A small IMAP server on loopback, inside the process.
//!
//! Owns: as much of RFC 3501 as reading one mailbox takes, and of RFC 7162 as coming back to it. Absent on purpose:
//! writing. A command that would change something is refused and remembered, so that a test can prove that none was
//! sent. It serves the demonstration and tests; it is bounded, but not meant for strangers. Read next: `client`.

mod client;
mod grammar;
mod inbox;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use inbox::ServedMail;

use grammar::is_modifying;
use inbox::Inbox;

/// Most connections at a time.
const MOST_CONNECTIONS: usize = 16;

#[derive(Debug)]
struct Shared {
    user: String,
    password: String,
    inbox: Mutex<Inbox>,
    commands: Mutex<Vec<String>>,
    /// Whether changes are numbered: CONDSTORE.
    numbered: AtomicBool,
    /// Whether they are told to who comes back: QRESYNC, which has the other.
    resync: AtomicBool,
    stop: AtomicBool,
    open: AtomicUsize,
}

/// A running server. Stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves these mails as INBOX, with UIDs from 1 and UIDVALIDITY 1, on a free port of 127.0.0.1, to this
    /// user.
    ///
    /// # Errors
    /// No port or no thread to be had.
    pub fn start(mails: Vec<ServedMail>, user: &str, password: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            user: user.to_owned(),
            password: password.to_owned(),
            inbox: Mutex::new(Inbox::new(1)),
            commands: Mutex::default(),
            numbered: AtomicBool::new(false),
            resync: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            open: AtomicUsize::new(0),
        });
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("demo server".to_owned())
            .spawn(move || accept(&listener, &theirs))?;
        let server = Self { address, shared, thread: Some(thread) };
        mails.into_iter().for_each(|mail| server.deliver(mail));
        Ok(server)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it can be asked what has changed, as CONDSTORE has it (RFC 7162).
    pub fn number_changes(&self) {
        self.shared.numbered.store(true, Ordering::SeqCst);
    }

    /// From now on it tells a client that comes back what came and went meanwhile, as QRESYNC has it (RFC 7162).
    pub fn tell_changes(&self) {
        self.number_changes();
        self.shared.resync.store(true, Ordering::SeqCst);
    }

    /// Adds a mail, under the next UID.
    pub fn deliver(&self, mail: ServedMail) {
        lock(&self.shared.inbox).add(Arc::new(mail));
    }

    /// Continues with this UID, as if those before it had been used and removed.
    pub fn skip_to(&self, uid: u32) {
        let mut inbox = lock(&self.shared.inbox);
        inbox.uid_next = inbox.uid_next.max(uid);
    }

    /// Removes a mail, as another client might.
    pub fn expunge(&self, uid: u32) {
        lock(&self.shared.inbox).remove(uid);
    }

    /// Gives the flags of a mail, as another client might.
    pub fn flag(&self, uid: u32, flags: &[&str]) {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        lock(&self.shared.inbox).flag(uid, &flags);
    }

    /// Puts a mail under a UID that was given before, as no server should.
    pub fn give_again(&self, uid: u32, mail: ServedMail) {
        lock(&self.shared.inbox).put(uid, Arc::new(mail));
    }

    /// Forgets the mails from this UID on and gives their UIDs again, like a server restored from a backup.
    pub fn set_back(&self, uid: u32) {
        lock(&self.shared.inbox).set_back(uid);
    }

    /// Makes the mailbox anew: another UIDVALIDITY, and UIDs counted from 1 again.
    pub fn renew(&self, uid_validity: u32) {
        lock(&self.shared.inbox).renew(uid_validity);
    }

    /// The commands received, without tags; of a login only its name.
    pub fn commands(&self) -> Vec<String> {
        lock(&self.shared.commands).clone()
    }

    /// Those of the commands that would have changed the mailbox. All were refused.
    pub fn modifying(&self) -> Vec<String> {
        let mut commands = self.commands();
        commands.retain(|command| is_modifying(command));
        commands
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread from waiting for a connection; it needs no answer.
        let _woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    while let Ok((tcp, _)) = listener.accept() {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        connections.retain(|connection| !connection.is_finished());
        if shared.open.load(Ordering::SeqCst) >= MOST_CONNECTIONS {
            continue;
        }
        shared.open.fetch_add(1, Ordering::SeqCst);
        let theirs = Arc::clone(shared);
        let started = thread::Builder::new().name("demo connection".to_owned()).spawn(move || {
            // A client that leaves in mid sentence is no fault of this side.
            let _left = client::serve(tcp, &theirs);
            theirs.open.fetch_sub(1, Ordering::SeqCst);
        });
        match started {
            Ok(connection) => connections.push(connection),
            Err(_) => {
                shared.open.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
    for connection in connections {
        let _ended = connection.join();
    }
}
