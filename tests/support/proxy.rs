//! A proxy on loopback that spoils what the server sends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What to spoil.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Close the first connection after so many bytes; later ones pass.
    Cut { after: u64 },
    /// Close every connection on which these bytes would pass.
    Poison { needle: Vec<u8> },
    /// Write another word of the same length, where it stands in one piece.
    Rename { from: &'static str, to: &'static str },
    /// Fall silent after so many bytes, on every connection.
    Stall { after: u64 },
}

/// A running proxy. Stops when dropped.
pub struct Proxy {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    pub fn start(server: u16, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            for (index, client) in listener.incoming().enumerate() {
                if theirs.load(Ordering::SeqCst) {
                    break;
                }
                let (fault, stop) = (fault.clone(), Arc::clone(&theirs));
                let client = client.unwrap();
                thread::spawn(move || relay(&client, server, &fault, index == 0, &stop));
            }
        });
        Self { port, stop, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn relay(client: &TcpStream, server: u16, fault: &Fault, first: bool, stop: &AtomicBool) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ended = std::io::copy(&mut from_client, &mut to_server);
        let _gone = to_server.shutdown(Shutdown::Both);
    });
    back(client, &server, fault, first, stop);
    let _gone = client.shutdown(Shutdown::Both);
    let _gone = server.shutdown(Shutdown::Both);
}

fn back(
    mut client: &TcpStream,
    mut server: &TcpStream,
    fault: &Fault,
    first: bool,
    stop: &AtomicBool,
) {
    let mut passed: u64 = 0;
    let mut tail: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        if let Fault::Rename { from, to } = fault
            && let Some(at) = buffer.windows(from.len()).position(|w| w == from.as_bytes())
        {
            buffer[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        let mut piece = &buffer[..count];
        match fault {
            Fault::Cut { after } if first => {
                let left = (after - passed) as usize;
                if count > left {
                    let _gone = client.write_all(&piece[..left]);
                    return;
                }
            }
            Fault::Stall { after } => {
                let left = (after - passed) as usize;
                if count > left {
                    let _gone = client.write_all(&piece[..left]);
                    while !stop.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(5));
                    }
                    return;
                }
            }
            Fault::Poison { needle } => {
                tail.extend_from_slice(piece);
                if tail.windows(needle.len()).any(|window| window == needle) {
                    piece = &piece[..0];
                }
                let keep = tail.len().saturating_sub(needle.len());
                tail.drain(..keep);
            }
            Fault::Cut { .. } | Fault::Rename { .. } => {}
        }
        if piece.is_empty() || client.write_all(piece).is_err() {
            return;
        }
        passed += count as u64;
    }
}
