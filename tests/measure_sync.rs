//! First pull of a mailbox from a Dovecot of its own, beside mbsync and beside the bare stream into one file.
//!
//! Not part of the tests, as it needs a release build and a mailbox of some size (a Maildir folder of one's own):
//!
//! ```text
//! cargo build --release
//! MEASURE_BIN=target/release/casebook MEASURE_FIRST=big/Maildir MEASURE_RUNS=3 \
//!     cargo test --test measure_sync -- --ignored --nocapture
//! ```
//!
//! Every round runs each client once, one after the other, each into an empty folder, plain and over TLS; the table
//! gives medians and their ratios to the stream of the same transport. "stored" is until the mail is durable and can
//! be listed, "all" until the program has ended, which reads some of it by the rules; the time of the processor is
//! that of the whole, of a stream none is taken. `MEASURE_CLIENTS` and
//! `MEASURE_TRANSPORTS` leave some out, as the head of `tests/support/bench.rs` says; mbsync is measured where it is
//! installed.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they measured"
)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use support::bench::{Bench, Client, Watched, Way, load, median, size};
use support::dovecot::{PASSWORD, USER};

/// One run of one client.
#[derive(Clone, Copy, Default)]
struct Run {
    seconds: f64,
    /// Until the mail was durable and could be listed.
    stored: f64,
    cpu_seconds: f64,
    peak_mb: f64,
    /// Bytes of all files, and of the blocks they take.
    bytes: u64,
    allocated: u64,
    archive: u64,
}

impl Run {
    fn of(Watched { seconds, cpu_seconds, peak_mb }: Watched) -> Self {
        Self { seconds, stored: seconds, cpu_seconds, peak_mb, ..Self::default() }
    }
}

#[test]
#[ignore = "a measurement; see the head of this file"]
fn first_pull() {
    let Some(bench) = Bench::start(&Client::ALL) else { return };
    let plain = Way { port: bench.dovecot.port, tls: false };
    stream(&bench, plain); // The server makes its index, and the mails are in the page cache.
    for way in bench.ways() {
        let clients = bench.clients.iter();
        let mut results: Vec<(Client, Vec<Run>)> =
            clients.map(|client| (*client, Vec::new())).collect();
        for _ in 0..bench.runs {
            for (client, done) in &mut results {
                done.push(run(&bench, *client, way));
            }
        }
        print(&bench, &results, way);
    }
}

fn run(bench: &Bench, client: Client, way: Way) -> Run {
    match client {
        Client::Stream => stream(bench, way),
        Client::Casebook => casebook(bench, way),
        Client::MbsyncNoFsync => mbsync(bench, way, false),
        Client::Mbsync => mbsync(bench, way, true),
    }
}

/// One FETCH of everything, written as it comes, and one fsync.
fn stream(bench: &Bench, way: Way) -> Run {
    let folder = bench.empty("stream");
    let mut file = File::create(folder.join("all")).expect("a file");
    let began = Instant::now();
    let mut tcp = TcpStream::connect(("127.0.0.1", way.port)).expect("connected");
    if way.tls {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in pem_certificates(&bench.dovecot.ca_pem) {
            roots.add(certificate).expect("a certificate");
        }
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = "localhost".try_into().expect("a name");
        let client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
        fetch_all(&mut rustls::StreamOwned::new(client, tcp), &mut file);
    } else {
        fetch_all(&mut tcp, &mut file);
    }
    file.sync_all().expect("synced");
    let seconds = began.elapsed().as_secs_f64();
    let (bytes, allocated) = size(&folder);
    Run { seconds, stored: seconds, bytes, allocated, ..Run::default() }
}

fn casebook(bench: &Bench, way: Way) -> Run {
    let folder = bench.empty("casebook");
    let (watched, told) = bench.casebook(&folder, way);
    assert_eq!(told["new"].as_u64(), Some(bench.messages as u64), "{told}");
    let judged = told["judged_seconds"].as_f64().expect("a time");
    let (bytes, allocated) = size(&folder.join("store"));
    let (archive, _) = size(&folder.join("store/archive"));
    Run { stored: watched.seconds - judged, bytes, allocated, archive, ..Run::of(watched) }
}

fn mbsync(bench: &Bench, way: Way, fsync: bool) -> Run {
    let folder = bench.empty("mbsync");
    let watched = bench.mbsync(&folder, way, fsync);
    let (bytes, allocated) = size(&folder.join("mail"));
    Run { bytes, allocated, ..Run::of(watched) }
}

fn print(bench: &Bench, results: &[(Client, Vec<Run>)], way: Way) {
    let middle = |client: Client, of: fn(&Run) -> f64| {
        let (_, runs) = results.iter().find(|(other, _)| *other == client)?;
        median(runs.iter().map(of))
    };
    let raw = bench.raw_bytes as f64;
    let stream = middle(Client::Stream, |run| run.seconds);
    eprintln!("\n{}, load {}", if way.tls { "TLS" } else { "plain" }, load());
    eprintln!(
        "| client | stored s | x stream | all s | mails/s | CPU ms/mail | peak MB | bytes / raw | blocks / raw |"
    );
    eprintln!("|---|---|---|---|---|---|---|---|---|");
    for (client, _) in results {
        let of = |of| middle(*client, of).expect("a run");
        let (seconds, until) = (of(|run| run.seconds), of(|run| run.stored));
        eprintln!(
            "| {} | {until:.2} | {} | {seconds:.2} | {:.0} | {:.3} | {:.0} | {:.3} | {:.3} |",
            client.name(),
            stream.map_or_else(|| "-".to_owned(), |stream| format!("{:.2}", until / stream)),
            bench.messages as f64 / until,
            of(|run| run.cpu_seconds) * 1e3 / bench.messages as f64,
            of(|run| run.peak_mb),
            of(|run| run.bytes as f64) / raw,
            of(|run| run.allocated as f64) / raw,
        );
    }
    let Some(stored) = middle(Client::Casebook, |run| run.stored) else { return };
    let archive = middle(Client::Casebook, |run| run.archive as f64).expect("a run");
    eprintln!("archive alone: {:.3} of the raw bytes", archive / raw);
    for client in [Client::Mbsync, Client::MbsyncNoFsync] {
        if let Some(seconds) = middle(client, |run| run.seconds) {
            let times = seconds / stored;
            eprintln!("{}: casebook has stored in 1/{times:.1} of its time", client.name());
        }
    }
}

/// Longer than any line that ends an answer.
const TAIL: usize = 8 << 10;

fn fetch_all(server: &mut (impl Read + Write), file: &mut File) {
    let password = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
    let mut buffer = vec![0; 256 << 10];
    for (tag, command) in [
        ("a", format!("LOGIN {USER} \"{password}\"")),
        ("b", "EXAMINE INBOX".to_owned()),
        ("c", "UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])".to_owned()),
    ] {
        server.write_all(format!("{tag} {command}\r\n").as_bytes()).expect("sent");
        server.flush().expect("sent");
        let mut tail: Vec<u8> = Vec::new();
        loop {
            let count = server.read(&mut buffer).expect("an answer");
            assert!(count > 0, "the server left");
            let bytes = &buffer[..count];
            if tag == "c" {
                file.write_all(bytes).expect("written");
            }
            tail.extend_from_slice(&bytes[count.saturating_sub(TAIL)..]);
            tail.drain(..tail.len().saturating_sub(TAIL));
            let text = String::from_utf8_lossy(&tail);
            if text.ends_with("\r\n") && text.contains(&format!("\n{tag} OK ")) {
                break;
            }
        }
    }
}

fn pem_certificates(pem: &[u8]) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::pem_slice_iter(pem).map(|one| one.expect("PEM")).collect()
}
