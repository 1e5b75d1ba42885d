//! A mailbox on a Dovecot of its own, and the clients that pull it: what the measurements share.
//!
//! All of them are told by the environment: `MEASURE_BIN` is the program (a release build), `MEASURE_FIRST` a Maildir
//! folder of one's own, `MEASURE_RUNS` how often each client runs (3), `MEASURE_TRANSPORTS` of `plain,tls`, and
//! `MEASURE_CLIENTS` of `stream,casebook,mbsync,mbsync-nofsync`; all of them where it is not given.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::dovecot::{Dovecot, PASSWORD, USER};

/// A client of the mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    Stream,
    Casebook,
    MbsyncNoFsync,
    Mbsync,
}

impl Client {
    pub const ALL: [Self; 4] = [Self::Stream, Self::Casebook, Self::MbsyncNoFsync, Self::Mbsync];

    /// As `MEASURE_CLIENTS` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Casebook => "casebook",
            Self::MbsyncNoFsync => "mbsync-nofsync",
            Self::Mbsync => "mbsync",
        }
    }

    const fn is_mbsync(self) -> bool {
        matches!(self, Self::Mbsync | Self::MbsyncNoFsync)
    }
}

/// Where a client connects to.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub port: u16,
    pub tls: bool,
}

/// The served mailbox and a folder for the stores of the clients.
pub struct Bench {
    pub dovecot: Dovecot,
    pub program: PathBuf,
    pub raw_bytes: u64,
    pub messages: usize,
    pub runs: usize,
    pub clients: Vec<Client>,
    folder: tempfile::TempDir,
}

impl Bench {
    /// Serves the mails; `None` only when the environment says to go without Dovecot. `by_default` run where
    /// `MEASURE_CLIENTS` names none.
    pub fn start(by_default: &[Client]) -> Option<Self> {
        let (Some(program), Some(mails)) =
            (std::env::var_os("MEASURE_BIN"), std::env::var_os("MEASURE_FIRST"))
        else {
            panic!("set MEASURE_BIN and MEASURE_FIRST; see the head of tests/support/bench.rs");
        };
        let program = fs::canonicalize(program).expect("the program");
        let runs = given("MEASURE_RUNS").map_or(3, |text| text.parse().expect("a number"));
        let dovecot = Dovecot::start()?;
        let (messages, raw_bytes) = dovecot.take_in(Path::new(&mails));
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).expect("written");
        let clients = clients(by_default);
        let bench = Self { dovecot, program, raw_bytes, messages, runs, clients, folder };
        let names: Vec<&str> = bench.clients.iter().map(|client| client.name()).collect();
        eprintln!(
            "{messages} messages, {:.1} MB, medians of {runs}, clients {}, {}, load {}",
            raw_bytes as f64 / 1e6,
            names.join(" "),
            bench.version(),
            load()
        );
        Some(bench)
    }

    fn version(&self) -> String {
        let told = Command::new(&self.program).arg("--version").output().expect("it starts");
        String::from_utf8_lossy(&told.stdout).trim().to_owned()
    }

    /// Plain, TLS or both, as `MEASURE_TRANSPORTS` says.
    pub fn ways(&self) -> Vec<Way> {
        let named = given("MEASURE_TRANSPORTS").unwrap_or_else(|| "plain,tls".to_owned());
        let way = |name: &str| match name {
            "plain" => Way { port: self.dovecot.port, tls: false },
            "tls" => Way { port: self.dovecot.tls_port, tls: true },
            other => panic!("MEASURE_TRANSPORTS knows plain and tls, not {other}"),
        };
        named.split(',').map(way).collect()
    }

    /// A folder of this name with nothing in it.
    pub fn empty(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// Writes the config of an own client into a folder; what stands before a subcommand.
    pub fn casebook_args(&self, folder: &Path, way: Way) -> Vec<String> {
        let security = if way.tls { "tls" } else { "plain" };
        fs::write(folder.join("ca.pem"), &self.dovecot.ca_pem).expect("written");
        let config = format!(
            "[account]\naddress = \"security@octoprint.org\"\nhost = \"localhost\"\nport = {}\n\
             security = \"{security}\"\nuser = \"{USER}\"\npassword_command = [\"cat\", \"{}\"]\n\
             ca_file = \"ca.pem\"\n\n[me]\nname = \"Bench\"\naddresses = [\"security@octoprint.org\"]\n\n\
             [policy]\nname = \"octoprint\"\n",
            way.port,
            self.folder.path().join("password").display()
        );
        let path = folder.join("config.toml");
        fs::write(&path, config).expect("written");
        let store = folder.join("store");
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        vec!["--config".into(), text(&path), "--store".into(), text(&store)]
    }

    /// One pull by casebook; what it told.
    pub fn casebook(&self, folder: &Path, way: Way) -> (Watched, serde_json::Value) {
        let mut command = Command::new(&self.program);
        command.args(self.casebook_args(folder, way)).args(["--json", "sync"]);
        let out = folder.join("out.json");
        let run = watched(&mut command, &out);
        let told = fs::read_to_string(&out).expect("an answer");
        (run, serde_json::from_str(&told).expect("JSON"))
    }

    /// One pull by mbsync into a Maildir in the folder.
    pub fn mbsync(&self, folder: &Path, way: Way, fsync: bool) -> Watched {
        let home = folder.display();
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join("mail/INBOX").join(name)).expect("a folder");
        }
        fs::write(folder.join("ca.pem"), &self.dovecot.ca_pem).expect("written");
        let kind = if way.tls { "IMAPS" } else { "None" };
        let certificates =
            if way.tls { format!("CertificateFile {home}/ca.pem\n") } else { String::new() };
        let fsync = if fsync { "" } else { "FSync no\n\n" };
        let password = self.folder.path().join("password");
        let config = format!(
            "{fsync}IMAPAccount a\nHost localhost\nPort {}\nUser {USER}\nPassCmd \"cat {}\"\n\
             SSLType {kind}\nAuthMechs LOGIN\n{certificates}\nIMAPStore far\nAccount a\n\n\
             MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\nSubFolders Verbatim\n\n\
             Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nSyncState *\nCreate Near\nMaxMessages 0\n\
             Expunge None\n",
            way.port,
            password.display()
        );
        fs::write(folder.join("rc"), config).expect("written");
        let mut command = Command::new("mbsync");
        command.env("HOME", folder).arg("-q").arg("-c").arg(folder.join("rc")).arg("c");
        let run = watched(&mut command, &folder.join("out"));
        let mails = folder.join("mail/INBOX");
        let count = |name| fs::read_dir(mails.join(name)).expect("a folder").count();
        assert_eq!(count("cur") + count("new"), self.messages, "mbsync has not fetched everything");
        run
    }
}

fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn clients(by_default: &[Client]) -> Vec<Client> {
    let named = given("MEASURE_CLIENTS");
    let mut clients = match &named {
        None => by_default.to_vec(),
        Some(names) => names.split(',').map(named_client).collect(),
    };
    if clients.iter().any(|client| client.is_mbsync())
        && Command::new("mbsync").arg("-v").output().is_err()
    {
        eprintln!("mbsync is not installed: left out");
        clients.retain(|client| !client.is_mbsync());
    }
    clients
}

fn named_client(name: &str) -> Client {
    let found = Client::ALL.into_iter().find(|client| client.name() == name);
    found.unwrap_or_else(|| panic!("MEASURE_CLIENTS knows no {name}"))
}

/// How long a program ran, how long the processor worked for it, and the largest memory that it ever held.
#[derive(Clone, Copy, Default, Debug)]
pub struct Watched {
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub peak_mb: f64,
}

/// Runs a program to its good end.
pub fn watched(command: &mut Command, out: &Path) -> Watched {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(out).expect("a file"))
        .spawn()
        .expect("it starts");
    let (mut peak_mb, mut cpu_seconds): (f64, f64) = (0.0, 0.0);
    loop {
        peak_mb = peak_mb.max(peak_of(child.id()));
        cpu_seconds = cpu_seconds.max(cpu_of(child.id()));
        if let Some(ended) = child.try_wait().expect("a child") {
            let seconds = began.elapsed().as_secs_f64();
            assert!(ended.success(), "{command:?}: {ended}");
            return Watched { seconds, cpu_seconds, peak_mb };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The largest memory that a running process has held so far, in MB; 0 where the system does not tell.
pub fn peak_of(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1e3
}

/// Ticks of `/proc/PID/stat` in a second: what Linux gives programs on every machine.
const TICKS: f64 = 100.0;

/// How long the processor has worked for a process so far, in seconds; 0 where the system does not tell.
pub fn cpu_of(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold blanks; user and system time are the 12th and 13th field behind it.
    let fields = text.rsplit_once(") ").map(|(_, rest)| rest.split(' ').skip(11).take(2));
    let ticks = fields.map(|two| two.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>());
    ticks.unwrap_or(0.0) / TICKS
}

/// Bytes of all files below, and of the blocks that they and the folders take.
pub fn size(folder: &Path) -> (u64, u64) {
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

/// How busy the machine was in the last 1, 5 and 15 minutes.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The middle of some values; none of none.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
