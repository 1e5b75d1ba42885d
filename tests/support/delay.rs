//! A proxy on loopback that makes the way long, and counts what passes. Without TLS, as it looks for the end of the
//! login.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What Dovecot says at the end of a login.
const LOGGED_IN: &[u8] = b"Logged in";

/// Pieces on the way: more than a window of TCP holds.
const ON_THE_WAY: usize = 256;

/// What has passed on all connections.
#[derive(Clone, Copy, Default, Debug)]
pub struct Passed {
    /// Bytes from the server.
    pub down: u64,
    /// How often the client spoke after it had heard something: the round trips that it waited for.
    pub turns: u64,
    /// Both after the login.
    pub down_after_login: u64,
    pub turns_after_login: u64,
    heard: bool,
    logged_in: bool,
}

impl Passed {
    fn client_speaks(&mut self) {
        let turn = u64::from(std::mem::take(&mut self.heard));
        self.turns += turn;
        self.turns_after_login += if self.logged_in { turn } else { 0 };
    }

    fn server_speaks(&mut self, piece: &[u8]) {
        self.heard = true;
        self.down += piece.len() as u64;
        if self.logged_in {
            self.down_after_login += piece.len() as u64;
        }
        self.logged_in |= piece.windows(LOGGED_IN.len()).any(|window| window == LOGGED_IN);
    }
}

/// A running proxy in which every piece takes half of the round trip. It runs as long as the test program.
pub struct Delay {
    pub port: u16,
    passed: Arc<Mutex<Passed>>,
}

impl Delay {
    pub fn start(server: u16, round_trip: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new(Passed::default()));
        let sums = Arc::clone(&passed);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (up, down) = (Arc::clone(&sums), Arc::clone(&sums));
                pass(&client, &server, round_trip / 2, move |_| up.lock().unwrap().client_speaks());
                pass(&server, &client, round_trip / 2, move |piece| {
                    down.lock().unwrap().server_speaks(piece);
                });
            }
        });
        Self { port, passed }
    }

    /// What has passed since the last call.
    pub fn take(&self) -> Passed {
        std::mem::take(&mut *self.passed.lock().unwrap())
    }
}

/// Hands on what comes in order, each piece so much later; `told` hears of it at once.
fn pass(
    from: &TcpStream,
    to: &TcpStream,
    later: Duration,
    mut told: impl FnMut(&[u8]) + Send + 'static,
) {
    let (mut from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    to.set_nodelay(true).unwrap();
    let (sender, pieces) = mpsc::sync_channel(ON_THE_WAY);
    thread::spawn(move || hand_on(&pieces, to));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            told(&buffer[..count]);
            if sender.send((Instant::now() + later, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
}

fn hand_on(pieces: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    while let Ok((due, piece)) = pieces.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _gone = to.shutdown(Shutdown::Write);
}
