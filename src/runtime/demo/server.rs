//! A small IMAP server on loopback, inside the process.
//!
//! Owns: as much of RFC 3501 as reading one mailbox takes, and of RFC 7162 as coming back to it. Absent on purpose: writing. A command that would
//! change something is refused and remembered, so that a test can prove that none was sent. It serves the
//! demonstration and tests; it is bounded, but not meant for strangers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Longest command line, in bytes.
const LONGEST_LINE: usize = 64 << 10;
/// Most connections at a time.
const MOST_CONNECTIONS: usize = 16;
/// Most commands remembered.
const MOST_REMEMBERED: usize = 10_000;
/// How often a waiting connection looks whether the server stops.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Looks without a command after which a connection is closed: half an hour (RFC 3501 section 5.4).
const PATIENCE: u32 = 36_000;

const CAPABILITIES: &str = "IMAP4rev1 AUTH=PLAIN";
/// What is said on top where changes are numbered (RFC 7162).
const RESYNC: &str = " ENABLE QRESYNC";

/// One mail to serve.
#[derive(Clone, PartialEq, Eq)]
pub struct ServedMail {
    /// The mail, byte for byte.
    pub raw: Vec<u8>,
    /// When it was received.
    pub internal_date: Timestamp,
    /// Flags, such as `\Seen`.
    pub flags: Vec<String>,
}

impl std::fmt::Debug for ServedMail {
    /// Sizes only: a message must not reach a log by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServedMail({} bytes)", self.raw.len())
    }
}

/// The one mailbox, INBOX.
#[derive(Debug, Default)]
struct Inbox {
    uid_validity: u32,
    uid_next: u32,
    mails: Vec<(u32, Arc<ServedMail>)>,
    /// Number of the last change.
    mod_seq: u64,
    /// When each UID came, and which went when.
    came: BTreeMap<u32, u64>,
    went: BTreeMap<u32, u64>,
}

impl Inbox {
    fn add(&mut self, mail: Arc<ServedMail>) {
        let uid = self.uid_next;
        self.uid_next = uid.saturating_add(1);
        self.mod_seq += 1;
        self.came.insert(uid, self.mod_seq);
        self.mails.push((uid, mail));
    }

    /// What a client that comes back is told (RFC 7162 section 3.2.5).
    fn changes(&self, known: &Known) -> String {
        let (mut told, since) = (String::new(), known.since);
        if known.validity != self.uid_validity {
            return told;
        }
        let gone = self.went.iter().filter(|(uid, at)| **at > since && within(&known.uids, **uid));
        let gone: Vec<String> = gone.map(|(uid, _)| uid.to_string()).collect();
        if !gone.is_empty() {
            told += &format!("* VANISHED (EARLIER) {}\r\n", gone.join(","));
        }
        for (number, (uid, mail)) in (1..).zip(&self.mails) {
            if let Some(at) = self.came.get(uid).filter(|at| **at > since) {
                let flags = mail.flags.join(" ");
                told += &format!("* {number} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({at}))\r\n");
            }
        }
        told
    }
}

#[derive(Debug)]
struct Shared {
    user: String,
    password: String,
    inbox: Mutex<Inbox>,
    commands: Mutex<Vec<String>>,
    /// Whether changes are numbered.
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
        let inbox = Inbox { uid_validity: 1, uid_next: 1, ..Inbox::default() };
        let shared = Arc::new(Shared {
            user: user.to_owned(),
            password: password.to_owned(),
            inbox: Mutex::new(inbox),
            commands: Mutex::default(),
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

    /// From now on it tells a client that comes back what came and went meanwhile, as QRESYNC has it (RFC 7162).
    pub fn number_changes(&self) {
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
        let mut inbox = lock(&self.shared.inbox);
        inbox.mails.retain(|(other, _)| *other != uid);
        inbox.mod_seq += 1;
        let at = inbox.mod_seq;
        inbox.went.insert(uid, at);
    }

    /// Makes the mailbox anew: another UIDVALIDITY, and UIDs counted from 1 again.
    pub fn renew(&self, uid_validity: u32) {
        let mut inbox = lock(&self.shared.inbox);
        inbox.uid_validity = uid_validity;
        inbox.uid_next = 1;
        inbox.came.clear();
        inbox.went.clear();
        let mails = std::mem::take(&mut inbox.mails);
        mails.into_iter().for_each(|(_, mail)| inbox.add(mail));
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

fn is_modifying(command: &str) -> bool {
    let upper = command.to_ascii_uppercase();
    let verb = upper.strip_prefix("UID ").unwrap_or(&upper);
    let mut words = verb.split(' ');
    match words.next().unwrap_or_default() {
        "STORE" | "COPY" | "MOVE" | "EXPUNGE" | "APPEND" | "CREATE" | "DELETE" | "RENAME"
        | "SUBSCRIBE" | "UNSUBSCRIBE" | "SELECT" | "CLOSE" | "SETACL" | "SETMETADATA" => true,
        // Reading without PEEK sets \Seen.
        "FETCH" => {
            verb.contains("BODY[") || words.any(|word| word.trim_matches(['(', ')']) == "RFC822")
        }
        _ => false,
    }
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
            let _left = serve(tcp, &theirs);
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

/// One client.
struct Client<'a> {
    shared: &'a Shared,
    input: BufReader<TcpStream>,
    output: TcpStream,
    logged_in: bool,
    /// The mails as they were when the mailbox was opened or last asked for, by sequence number.
    view: Option<Vec<(u32, Arc<ServedMail>)>>,
}

fn serve(tcp: TcpStream, shared: &Shared) -> io::Result<()> {
    tcp.set_read_timeout(Some(LOOK_UP))?;
    tcp.set_write_timeout(Some(Duration::from_secs(10)))?;
    tcp.set_nodelay(true)?;
    let output = tcp.try_clone()?;
    let input = BufReader::new(tcp);
    let mut client = Client { shared, input, output, logged_in: false, view: None };
    client.send(&format!("* OK [CAPABILITY {}] casebook demo server\r\n", client.offers()))?;
    while let Some(line) = client.read_line()? {
        let (tag, command) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        if tag.is_empty() || !tag.bytes().all(|b| b.is_ascii_alphanumeric()) {
            client.send("* BAD no tag\r\n")?;
            continue;
        }
        if !client.obey(tag, command)? {
            break;
        }
    }
    Ok(())
}

impl Client<'_> {
    fn send(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())
    }

    /// The next line without its end; `None` when the client left or the server stops.
    fn read_line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut byte = [0];
        let mut looks = 0;
        loop {
            match self.input.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) if byte == *b"\n" => break,
                Ok(_) => line.extend_from_slice(&byte),
                Err(error) if is_timeout(&error) => {
                    looks += 1;
                    if self.shared.stop.load(Ordering::SeqCst) || looks > PATIENCE {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if line.len() > LONGEST_LINE {
                self.send("* BYE line too long\r\n")?;
                return Ok(None);
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    fn resyncs(&self) -> bool {
        self.shared.resync.load(Ordering::SeqCst)
    }

    fn offers(&self) -> String {
        format!("{CAPABILITIES}{}", if self.resyncs() { RESYNC } else { "" })
    }

    fn remember(&self, command: &str) {
        let mut commands = lock(&self.shared.commands);
        if commands.len() < MOST_REMEMBERED {
            commands.push(command.to_owned());
        }
    }

    /// Carries out one command. Returns whether the connection goes on.
    fn obey(&mut self, tag: &str, command: &str) -> io::Result<bool> {
        let (verb, arguments) = command.split_once(' ').unwrap_or((command, ""));
        let verb = verb.to_ascii_uppercase();
        let is_login = matches!(verb.as_str(), "LOGIN" | "AUTHENTICATE");
        self.remember(if is_login { &verb } else { command });
        let answer = match verb.as_str() {
            "CAPABILITY" => {
                self.send(&format!("* CAPABILITY {}\r\n", self.offers()))?;
                "OK done"
            }
            "NOOP" => "OK done",
            "LOGOUT" => {
                self.send(&format!("* BYE goodbye\r\n{tag} OK done\r\n"))?;
                return Ok(false);
            }
            "LOGIN" => {
                let words = astrings(arguments);
                self.log_in(words.first().zip(words.get(1)).filter(|_| words.len() == 2))
            }
            "AUTHENTICATE" => self.authenticate(arguments)?,
            _ if !self.logged_in => "BAD log in first",
            "LIST" => {
                self.send("* LIST (\\HasNoChildren) \"/\" INBOX\r\n")?;
                "OK done"
            }
            "ENABLE" if self.resyncs() => {
                self.send("* ENABLED QRESYNC\r\n")?;
                "OK done"
            }
            "EXAMINE" => self.examine(arguments)?,
            "UID" => self.uid(arguments)?,
            _ => "BAD not here: this mailbox is read-only",
        };
        self.send(&format!("{tag} {answer}\r\n"))?;
        Ok(true)
    }

    fn log_in(&mut self, given: Option<(&String, &String)>) -> &'static str {
        let right =
            given.is_some_and(|(u, p)| *u == self.shared.user && *p == self.shared.password);
        self.logged_in = right;
        if right { "OK logged in" } else { "NO [AUTHENTICATIONFAILED] wrong user or password" }
    }

    fn authenticate(&mut self, arguments: &str) -> io::Result<&'static str> {
        if !arguments.eq_ignore_ascii_case("PLAIN") {
            return Ok("NO method not known");
        }
        self.send("+ \r\n")?;
        let Some(answer) = self.read_line()? else { return Ok("BAD no answer") };
        let decoded = STANDARD.decode(answer).unwrap_or_default();
        let text = String::from_utf8_lossy(&decoded);
        let mut parts = text.split('\0').skip(1).map(str::to_owned);
        let (user, password) = (parts.next(), parts.next());
        Ok(self.log_in(user.as_ref().zip(password.as_ref())))
    }

    fn examine(&mut self, arguments: &str) -> io::Result<&'static str> {
        if !astrings(arguments).first().is_some_and(|name| name.eq_ignore_ascii_case("INBOX")) {
            self.view = None;
            return Ok("NO [NONEXISTENT] no such mailbox");
        }
        let (validity, next, mails, changes) = {
            let inbox = lock(&self.shared.inbox);
            let mut changes = String::new();
            if self.resyncs() {
                changes = format!("* OK [HIGHESTMODSEQ {}] last\r\n", inbox.mod_seq);
                if let Some(known) = known_of(arguments) {
                    changes += &inbox.changes(&known);
                }
            }
            (inbox.uid_validity, inbox.uid_next, inbox.mails.clone(), changes)
        };
        self.send(&format!(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* {} EXISTS\r\n* 0 RECENT\r\n\
             * OK [UIDVALIDITY {validity}] stays\r\n* OK [UIDNEXT {next}] next\r\n",
            mails.len()
        ))?;
        self.send(&changes)?;
        self.view = Some(mails);
        Ok("OK [READ-ONLY] open")
    }

    fn uid(&mut self, arguments: &str) -> io::Result<&'static str> {
        let (verb, rest) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let Some(view) = self.view.clone() else { return Ok("BAD no mailbox open") };
        let last = view.last().map_or(0, |(uid, _)| *uid);
        if verb.eq_ignore_ascii_case("SEARCH") {
            let rest = rest.strip_prefix("UID ").unwrap_or(rest);
            let set = if rest.eq_ignore_ascii_case("ALL") { "1:*" } else { rest };
            let Some(ranges) = ranges(set, last) else { return Ok("BAD search not known") };
            let mut found = "* SEARCH".to_owned();
            for (uid, _) in view.iter().filter(|(uid, _)| within(&ranges, *uid)) {
                // Writing to a string cannot fail.
                let _written = write!(found, " {uid}");
            }
            self.send(&format!("{found}\r\n"))?;
            return Ok("OK done");
        }
        if !verb.eq_ignore_ascii_case("FETCH") {
            return Ok("BAD not here: this mailbox is read-only");
        }
        let Some((set, items)) = rest.split_once(' ') else { return Ok("BAD what to fetch?") };
        let (Some(ranges), Some(items)) = (ranges(set, last), items_of(items)) else {
            return Ok("BAD fetch not known, or it would change flags");
        };
        let mut answer = Vec::new();
        for (number, (uid, mail)) in (1_u32..).zip(&view) {
            if within(&ranges, *uid) {
                answer.extend_from_slice(&describe(number, *uid, mail, &items));
                if answer.len() > 256 << 10 {
                    self.output.write_all(&answer)?;
                    answer.clear();
                }
            }
        }
        self.output.write_all(&answer)?;
        Ok("OK done")
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The arguments of a command: atoms and quoted strings.
fn astrings(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let mut word = String::new();
        match first {
            ' ' => continue,
            '"' => {
                while let Some(c) = rest.next() {
                    match c {
                        '"' => break,
                        '\\' => word.extend(rest.next()),
                        c => word.push(c),
                    }
                }
            }
            c => {
                word.push(c);
                while let Some(c) = rest.next_if(|c| *c != ' ') {
                    word.push(c);
                }
            }
        }
        words.push(word);
    }
    words
}

/// Reads a sequence set (RFC 3501 section 9); `*` is `last`.
fn ranges(set: &str, last: u32) -> Option<Vec<(u32, u32)>> {
    let number = |text: &str| if text == "*" { Some(last) } else { text.parse::<u32>().ok() };
    set.split(',')
        .map(|range| {
            let (a, b) = range.split_once(':').unwrap_or((range, range));
            let (a, b) = (number(a)?, number(b)?);
            Some((a.min(b), a.max(b)))
        })
        .collect()
}

/// What a client that comes back knows.
struct Known {
    validity: u32,
    /// Number of the last change.
    since: u64,
    uids: Vec<(u32, u32)>,
}

/// Reads `INBOX (QRESYNC (1 20 1:5))`.
fn known_of(arguments: &str) -> Option<Known> {
    let (_, known) = arguments.split_once("(QRESYNC (")?;
    let mut words = known.trim_end_matches(')').split(' ');
    let (validity, since) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let uids = ranges(words.next().unwrap_or("1:*"), u32::MAX)?;
    Some(Known { validity, since, uids })
}

fn within(ranges: &[(u32, u32)], uid: u32) -> bool {
    ranges.iter().any(|&(first, last)| first <= uid && uid <= last)
}

/// What may be fetched.
enum Item {
    Uid,
    Size,
    Date,
    Flags,
    /// The whole message, or a slice of it: offset and length.
    Body(Option<(usize, usize)>),
}

fn items_of(text: &str) -> Option<Vec<Item>> {
    let upper = text.to_ascii_uppercase();
    let list = upper.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&upper);
    list.split(' ')
        .map(|item| match item {
            "UID" => Some(Item::Uid),
            "RFC822.SIZE" => Some(Item::Size),
            "INTERNALDATE" => Some(Item::Date),
            "FLAGS" => Some(Item::Flags),
            "BODY.PEEK[]" => Some(Item::Body(None)),
            _ => {
                let slice = item.strip_prefix("BODY.PEEK[]<")?.strip_suffix('>')?;
                let (offset, length) = slice.split_once('.')?;
                Some(Item::Body(Some((offset.parse().ok()?, length.parse().ok()?))))
            }
        })
        .collect()
}

fn describe(number: u32, uid: u32, mail: &ServedMail, items: &[Item]) -> Vec<u8> {
    let mut answer = format!("* {number} FETCH (").into_bytes();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            answer.push(b' ');
        }
        match item {
            Item::Uid => answer.extend_from_slice(format!("UID {uid}").as_bytes()),
            Item::Size => {
                answer.extend_from_slice(format!("RFC822.SIZE {}", mail.raw.len()).as_bytes());
            }
            Item::Date => {
                let date = mail.internal_date.strftime("%d-%b-%Y %H:%M:%S +0000");
                answer.extend_from_slice(format!("INTERNALDATE \"{date}\"").as_bytes());
            }
            Item::Flags => {
                answer.extend_from_slice(format!("FLAGS ({})", mail.flags.join(" ")).as_bytes());
            }
            Item::Body(slice) => {
                let (offset, length) = slice.unwrap_or((0, mail.raw.len()));
                let rest = mail.raw.get(offset..).unwrap_or_default();
                let piece = rest.get(..length).unwrap_or(rest);
                let origin = slice.map(|_| format!("<{offset}>")).unwrap_or_default();
                let head = format!("BODY[]{origin} {{{}}}\r\n", piece.len());
                answer.extend_from_slice(head.as_bytes());
                answer.extend_from_slice(piece);
            }
        }
    }
    answer.extend_from_slice(b")\r\n");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_arguments_and_sets() {
        assert_eq!(astrings(r#"bob "a \"b\" c""#), ["bob", "a \"b\" c"]);
        assert_eq!(ranges("3:1,7,*", 9), Some(vec![(1, 3), (7, 7), (9, 9)]));
        assert_eq!(ranges("x", 9), None);
    }

    #[test]
    fn knows_what_would_change_the_mailbox() {
        for command in
            ["UID STORE 1 +FLAGS (\\Seen)", "UID FETCH 1 BODY[]", "select INBOX", "EXPUNGE"]
        {
            assert!(is_modifying(command), "{command}");
        }
        for command in ["UID FETCH 1 (UID BODY.PEEK[])", "EXAMINE INBOX", "UID FETCH 1 RFC822.SIZE"]
        {
            assert!(!is_modifying(command), "{command}");
        }
        assert!(items_of("BODY[]").is_none());
    }
}
