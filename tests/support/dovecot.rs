//! A real Dovecot on loopback, in a folder of its own, for the length of a test. Needs no privileges.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sha2::Digest as _;

pub const USER: &str = "security";
pub const PASSWORD: &str = "correct \"horse\" \\ battery";

/// A running Dovecot with one user and one mailbox. Stopped when dropped.
pub struct Dovecot {
    dir: tempfile::TempDir,
    child: Child,
    /// Port without TLS, for STARTTLS.
    pub port: u16,
    /// Port with TLS from the start.
    pub tls_port: u16,
    /// Certificate of the authority that signed the server's one, in PEM. The server's is for `localhost`.
    pub ca_pem: Vec<u8>,
    /// SHA-256 of the server's key, as the config writes it.
    pub pin: String,
}

impl Dovecot {
    /// Starts one; `None` only when the caller's environment says to go without.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The same with more lines of configuration.
    pub fn start_with(more: &str) -> Option<Self> {
        if std::env::var("CASEBOOK_SKIP_DOVECOT").is_ok_and(|value| value == "1") {
            eprintln!("skipped: CASEBOOK_SKIP_DOVECOT=1");
            return None;
        }
        let Some(program) = program() else {
            panic!(
                "Dovecot is not installed: install dovecot-imapd (apt install dovecot-imapd), or set \
                 CASEBOOK_SKIP_DOVECOT=1 to go without this test"
            );
        };
        let dir = tempfile::Builder::new().prefix("casebook-dovecot-").tempdir().unwrap();
        let (ca_pem, pin) = certificates(dir.path());
        let (port, tls_port) = (free_port(), free_port());
        let config = dir.path().join("dovecot.conf");
        prepare(dir.path());
        fs::write(&config, configuration(dir.path(), port, tls_port) + more).unwrap();
        let child = Command::new(program)
            .args(["-F", "-c"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(dir.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut dovecot = Self { dir, child, port, tls_port, ca_pem, pin };
        dovecot.wait_until_ready();
        Some(dovecot)
    }

    fn wait_until_ready(&mut self) {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("Dovecot ended at once ({status}):\n{}", self.log());
            }
            if let Ok(tcp) = TcpStream::connect(("127.0.0.1", self.port)) {
                tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                let mut line = String::new();
                if BufReader::new(tcp).read_line(&mut line).is_ok() && line.starts_with("* OK") {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("Dovecot did not get ready:\n{}", self.log());
    }

    /// What Dovecot logged so far.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        read("stderr") + &read("log")
    }

    /// The Maildir of the user.
    pub fn maildir(&self) -> PathBuf {
        self.dir.path().join("mail").join(USER)
    }

    /// Puts a mail into the mailbox as if it had come at that time; `flags` are Maildir letters, such as `FS`.
    pub fn add_mail(&self, raw: &[u8], received: SystemTime, flags: &str) {
        let seconds = received.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let count = fs::read_dir(self.maildir().join("cur")).unwrap().count();
        self.put(None, &format!("{seconds}.M{count}.test:2,{flags}"), raw, received);
    }

    /// Puts a mail into INBOX or another folder under this file name. New mails get UIDs in the order of their
    /// names.
    pub fn put(&self, folder: Option<&str>, name: &str, raw: &[u8], received: SystemTime) {
        let folder = match folder {
            None => self.maildir(),
            Some(folder) => self.maildir().join(format!(".{folder}")),
        };
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        hand_over(&folder);
        let (draft, path) = (folder.join("tmp").join(name), folder.join("cur").join(name));
        let mut file = File::create(&draft).unwrap();
        file.write_all(raw).unwrap();
        file.set_modified(received).unwrap();
        drop(file);
        hand_over(&draft);
        fs::rename(draft, path).unwrap();
    }

    /// Takes in the mails of a Maildir, linked where that can be done; their number and bytes.
    pub fn take_in(&self, maildir: &Path) -> (usize, u64) {
        let (mut count, mut bytes) = (0, 0);
        for folder in ["cur", "new"] {
            for item in fs::read_dir(maildir.join(folder)).unwrap() {
                let item = item.unwrap();
                let target = self.maildir().join(folder).join(item.file_name());
                bytes += item.metadata().unwrap().len();
                count += 1;
                if fs::hard_link(item.path(), &target).is_err() {
                    fs::copy(item.path(), &target).unwrap();
                }
            }
        }
        hand_over(&self.maildir());
        (count, bytes)
    }

    /// Removes a mail, as another client might.
    pub fn remove(&self, folder: Option<&str>, name: &str) {
        let folder =
            folder.map_or_else(|| self.maildir(), |f| self.maildir().join(format!(".{f}")));
        fs::remove_file(folder.join("cur").join(name)).unwrap();
    }

    /// Makes INBOX anew: another UIDVALIDITY, UIDs from 1 on.
    pub fn begin_anew(&self) {
        let validity = || {
            let list = fs::read_to_string(self.maildir().join("dovecot-uidlist")).ok()?;
            Some(list.split_whitespace().nth(1)?.to_owned())
        };
        let before = validity();
        // The new validity is the time in seconds.
        thread::sleep(Duration::from_millis(1100));
        for entry in fs::read_dir(self.maildir()).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with("dovecot") && entry.path().is_file() {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        self.state();
        assert_ne!(validity(), before, "the mailbox began anew");
    }

    /// Names of the mail files, sorted. They carry the flags.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = ["cur", "new"]
            .iter()
            .flat_map(|folder| fs::read_dir(self.maildir().join(folder)).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// UIDs and flags as the server tells them to a plain client.
    pub fn state(&self) -> Vec<String> {
        let mut answer = self.answer("EXAMINE INBOX", "UID FETCH 1:* (UID FLAGS)");
        answer.retain(|line| line.contains(" FETCH "));
        answer
    }

    /// Sets the flags of a mail, as another client might.
    pub fn flag(&self, uid: u32, flags: &str) {
        self.answer("SELECT INBOX", &format!("UID STORE {uid} FLAGS ({flags})"));
    }

    /// What is answered to the second of these commands.
    fn answer(&self, first: &str, second: &str) -> Vec<String> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut input = BufReader::new(tcp.try_clone().unwrap());
        let password = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
        let mut answer = Vec::new();
        for (tag, command) in [
            ("a", format!("LOGIN {USER} \"{password}\"")),
            ("b", first.to_owned()),
            ("c", second.to_owned()),
        ] {
            (&tcp).write_all(format!("{tag} {command}\r\n").as_bytes()).unwrap();
            answer.clear();
            loop {
                let mut line = String::new();
                assert!(input.read_line(&mut line).unwrap() > 0, "Dovecot left: {}", self.log());
                if line.starts_with(&format!("{tag} ")) {
                    assert!(line.contains(" OK "), "{line}");
                    break;
                }
                answer.push(line.trim_end().to_owned());
            }
        }
        answer
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // The master ends its children on SIGTERM; a harder signal would leave them behind.
        let _sent = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ended = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/opt/homebrew/sbin/dovecot"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn answer_of(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_root() -> bool {
    answer_of("id", "-u") == "0"
}

/// User and group that own the mail: ourselves, or nobody, as Dovecot serves no mail as root.
fn owner() -> (String, String) {
    if is_root() {
        ("nobody".to_owned(), "nogroup".to_owned())
    } else {
        (answer_of("id", "-un"), answer_of("id", "-gn"))
    }
}

fn hand_over(path: &Path) {
    if is_root() {
        let (user, group) = owner();
        let status = Command::new("chown")
            .args(["-R", &format!("{user}:{group}")])
            .arg(path)
            .status()
            .unwrap();
        assert!(status.success());
    }
}

fn prepare(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(dir.join("mail").join(USER).join(folder)).unwrap();
    }
    hand_over(&dir.join("mail"));
    fs::write(dir.join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}::::::\n")).unwrap();
}

fn configuration(dir: &Path, port: u16, tls_port: u16) -> String {
    let dir = dir.display();
    let (user, group) = owner();
    let own_users = if is_root() {
        String::new()
    } else {
        format!(
            "default_internal_user = {user}\ndefault_login_user = {user}\n\
             default_internal_group = {group}\nservice auth {{\n user = {user}\n}}\n"
        )
    };
    format!(
        "base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {user}
mail_gid = {group}
mail_location = maildir:{dir}/mail/%u
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={dir}/mail/%u
}}
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
{own_users}"
    )
}

/// A new authority's certificate in PEM, and its signing half.
pub fn authority(name: &str) -> (Vec<u8>, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let pem = params.self_signed(&key).unwrap().pem().into_bytes();
    (pem, Issuer::new(params, key))
}

/// Writes the server's certificate and key; returns the authority's certificate and the key's pin.
fn certificates(dir: &Path) -> (Vec<u8>, String) {
    let (ca_pem, issuer) = authority("casebook test authority");
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    fs::write(dir.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
    let hash = sha2::Sha256::digest(rcgen::PublicKeyData::subject_public_key_info(&key));
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    (ca_pem, format!("sha256:{digits}"))
}
