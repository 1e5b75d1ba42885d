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
//! be listed, "all" until the rules have read it and the program has ended. mbsync is measured where it is installed.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they measured"
)]

mod support;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::dovecot::{Dovecot, PASSWORD, USER};

/// One run of one client.
#[derive(Clone, Copy, Default)]
struct Run {
    seconds: f64,
    /// Until the mail was durable and could be listed.
    stored: f64,
    peak_mb: f64,
    /// Bytes of all files, and of the blocks they take.
    bytes: u64,
    allocated: u64,
    archive: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Stream,
    Casebook,
    MbsyncNoFsync,
    Mbsync,
}

impl Client {
    const ALL: [Self; 4] = [Self::Stream, Self::Casebook, Self::MbsyncNoFsync, Self::Mbsync];

    const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream into one file",
            Self::Casebook => "casebook sync",
            Self::MbsyncNoFsync => "mbsync, FSync no",
            Self::Mbsync => "mbsync",
        }
    }
}

struct Bench {
    dovecot: Dovecot,
    program: PathBuf,
    folder: tempfile::TempDir,
    raw_bytes: u64,
    messages: usize,
}

#[test]
#[ignore = "a measurement; see the head of this file"]
fn first_pull() {
    let (Some(program), Some(mails)) =
        (std::env::var_os("MEASURE_BIN"), std::env::var_os("MEASURE_FIRST"))
    else {
        panic!("set MEASURE_BIN and MEASURE_FIRST; see the head of this file");
    };
    let runs = std::env::var("MEASURE_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3);
    let Some(dovecot) = Dovecot::start() else { return };
    let mailbox = dovecot.take_in(Path::new(&mails));
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    fs::write(&password, format!("{PASSWORD}\n")).expect("written");
    let program = fs::canonicalize(program).expect("the program");
    let (messages, raw_bytes) = mailbox;
    let bench = Bench { dovecot, program, folder, raw_bytes, messages };
    eprintln!("{messages} messages, {:.1} MB, medians of {runs}", raw_bytes as f64 / 1e6);
    bench.stream(false); // The server makes its index, and the mails are in the page cache.
    let peers = Command::new("mbsync").arg("-v").output().is_ok();
    if !peers {
        eprintln!("mbsync is not installed: left out");
    }
    for tls in [false, true] {
        let clients = Client::ALL
            .into_iter()
            .filter(|client| peers || matches!(client, Client::Stream | Client::Casebook));
        let mut results: Vec<(Client, Vec<Run>)> =
            clients.map(|client| (client, Vec::new())).collect();
        for _ in 0..runs {
            for (client, done) in &mut results {
                done.push(bench.run(*client, tls));
            }
        }
        bench.print(&results, tls);
    }
}

impl Bench {
    fn run(&self, client: Client, tls: bool) -> Run {
        match client {
            Client::Stream => self.stream(tls),
            Client::Casebook => self.casebook(tls),
            Client::MbsyncNoFsync => self.mbsync(tls, false),
            Client::Mbsync => self.mbsync(tls, true),
        }
    }

    fn empty(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// One FETCH of everything, written as it comes, and one fsync.
    fn stream(&self, tls: bool) -> Run {
        let folder = self.empty("stream");
        let mut file = File::create(folder.join("all")).expect("a file");
        let began = Instant::now();
        if tls {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in pem_certificates(&self.dovecot.ca_pem) {
                roots.add(certificate).expect("a certificate");
            }
            let config = rustls::ClientConfig::builder_with_provider(Arc::new(
                rustls::crypto::ring::default_provider(),
            ));
            let config = config.with_safe_default_protocol_versions().expect("versions");
            let config = config.with_root_certificates(roots).with_no_client_auth();
            let name = "localhost".try_into().expect("a name");
            let tcp = TcpStream::connect(("127.0.0.1", self.dovecot.tls_port)).expect("connected");
            let client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
            fetch_all(&mut rustls::StreamOwned::new(client, tcp), &mut file);
        } else {
            let mut tcp = TcpStream::connect(("127.0.0.1", self.dovecot.port)).expect("connected");
            fetch_all(&mut tcp, &mut file);
        }
        file.sync_all().expect("synced");
        let seconds = began.elapsed().as_secs_f64();
        let (bytes, allocated) = size(&folder);
        Run { seconds, stored: seconds, bytes, allocated, ..Run::default() }
    }

    fn casebook(&self, tls: bool) -> Run {
        let folder = self.empty("casebook");
        let (port, security) =
            if tls { (self.dovecot.tls_port, "tls") } else { (self.dovecot.port, "plain") };
        fs::write(folder.join("ca.pem"), &self.dovecot.ca_pem).expect("written");
        let password = self.folder.path().join("password");
        let config = format!(
            "[account]\naddress = \"security@octoprint.org\"\nhost = \"localhost\"\nport = {port}\n\
             security = \"{security}\"\nuser = \"{USER}\"\npassword_command = [\"cat\", \"{}\"]\n\
             ca_file = \"ca.pem\"\n\n[me]\nname = \"Bench\"\naddresses = [\"security@octoprint.org\"]\n\n\
             [policy]\nname = \"octoprint\"\n",
            password.display()
        );
        fs::write(folder.join("config.toml"), config).expect("written");
        let store = folder.join("store");
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(folder.join("config.toml"));
        command.arg("--store").arg(&store).args(["--json", "sync"]);
        let out = folder.join("out.json");
        let (seconds, peak_mb) = watched(&mut command, &out);
        let told = fs::read_to_string(&out).expect("an answer");
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["new"].as_u64(), Some(self.messages as u64), "{told}");
        let judged = told["judged_seconds"].as_f64().expect("a time");
        let (bytes, allocated) = size(&store);
        let (archive, _) = size(&store.join("archive"));
        Run { seconds, stored: seconds - judged, peak_mb, bytes, allocated, archive }
    }

    fn mbsync(&self, tls: bool, fsync: bool) -> Run {
        let folder = self.empty("mbsync");
        let home = folder.display();
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join("mail/INBOX").join(name)).expect("a folder");
        }
        fs::write(folder.join("ca.pem"), &self.dovecot.ca_pem).expect("written");
        let (port, kind) =
            if tls { (self.dovecot.tls_port, "IMAPS") } else { (self.dovecot.port, "None") };
        let certificates =
            if tls { format!("CertificateFile {home}/ca.pem\n") } else { String::new() };
        let fsync = if fsync { "" } else { "FSync no\n\n" };
        let password = self.folder.path().join("password");
        let config = format!(
            "{fsync}IMAPAccount a\nHost localhost\nPort {port}\nUser {USER}\nPassCmd \"cat {}\"\n\
             SSLType {kind}\nAuthMechs LOGIN\n{certificates}\nIMAPStore far\nAccount a\n\n\
             MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\nSubFolders Verbatim\n\n\
             Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nSyncState *\nCreate Near\nMaxMessages 0\n\
             Expunge None\n",
            password.display()
        );
        fs::write(folder.join("rc"), config).expect("written");
        let mut command = Command::new("mbsync");
        command.env("HOME", &folder).arg("-q").arg("-c").arg(folder.join("rc")).arg("c");
        let (seconds, peak_mb) = watched(&mut command, &folder.join("out"));
        let mails = folder.join("mail/INBOX");
        let count = |name| fs::read_dir(mails.join(name)).expect("a folder").count();
        assert_eq!(count("cur") + count("new"), self.messages, "mbsync has not fetched everything");
        let (bytes, allocated) = size(&folder.join("mail"));
        Run { seconds, stored: seconds, peak_mb, bytes, allocated, archive: 0 }
    }

    fn print(&self, results: &[(Client, Vec<Run>)], tls: bool) {
        let median = |client: Client, of: fn(&Run) -> f64| {
            let runs = results.iter().find(|(other, _)| *other == client)?;
            let mut values: Vec<f64> = runs.1.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let stream = median(Client::Stream, |run| run.seconds).expect("a run");
        let stored = median(Client::Casebook, |run| run.stored).expect("a run");
        eprintln!("\n{}", if tls { "TLS" } else { "plain" });
        eprintln!(
            "| client | stored s | x stream | all s | mails/s | peak MB | bytes / raw | blocks / raw |"
        );
        eprintln!("|---|---|---|---|---|---|---|---|");
        for (client, _) in results {
            let of = |of| median(*client, of).expect("a run");
            let (seconds, until) = (of(|run| run.seconds), of(|run| run.stored));
            let raw = self.raw_bytes as f64;
            eprintln!(
                "| {} | {until:.2} | {:.2} | {seconds:.2} | {:.0} | {:.0} | {:.3} | {:.3} |",
                client.name(),
                until / stream,
                self.messages as f64 / until,
                of(|run| run.peak_mb),
                of(|run| run.bytes as f64) / raw,
                of(|run| run.allocated as f64) / raw,
            );
        }
        let archive = median(Client::Casebook, |run| run.archive as f64).expect("a run");
        eprintln!("archive alone: {:.3} of the raw bytes", archive / self.raw_bytes as f64);
        for client in [Client::Mbsync, Client::MbsyncNoFsync] {
            if let Some(seconds) = median(client, |run| run.seconds) {
                eprintln!(
                    "{}: casebook has stored in 1/{:.1} of its time",
                    client.name(),
                    seconds / stored
                );
            }
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

/// Runs a program; seconds, and the largest memory that it ever held in MB.
fn watched(command: &mut Command, out: &Path) -> (f64, f64) {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(out).expect("a file"))
        .spawn()
        .expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak: f64 = 0.0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes =
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0.0) / 1e3);
        if let Some(ended) = child.try_wait().expect("a child") {
            let seconds = began.elapsed().as_secs_f64();
            assert!(ended.success(), "{command:?}: {ended}");
            return (seconds, peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes of all files below, and of the blocks that they and the folders take.
fn size(folder: &Path) -> (u64, u64) {
    let (mut bytes, mut allocated) = (0, fs::metadata(folder).expect("a folder").blocks() * 512);
    for item in fs::read_dir(folder).expect("a folder") {
        let item = item.expect("an item");
        let found = item.metadata().expect("an item");
        if found.is_dir() {
            let (more, blocks) = size(&item.path());
            bytes += more;
            allocated += blocks;
        } else {
            bytes += found.len();
            allocated += found.blocks() * 512;
        }
    }
    (bytes, allocated)
}
