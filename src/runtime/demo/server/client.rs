//! One connection: its commands and their answers.

use std::fmt::Write as _;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::grammar::{Item, astrings, changed_since, describe, items_of, known_of, ranges, within};
use super::inbox::Held;
use super::{Shared, lock};

/// Longest command line, in bytes.
const LONGEST_LINE: usize = 64 << 10;
/// Most commands remembered.
const MOST_REMEMBERED: usize = 10_000;
/// How often a waiting connection looks whether the server stops.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Looks without a command after which a connection is closed: half an hour (RFC 3501 section 5.4).
const PATIENCE: u32 = 36_000;

const CAPABILITIES: &str = "IMAP4rev1 AUTH=PLAIN IDLE";
/// What is said on top where changes are numbered, and where they are told (RFC 7162).
const NUMBERED: &str = " CONDSTORE";
const RESYNC: &str = " ENABLE QRESYNC";

/// What a client has seen of the mailbox.
#[derive(Clone)]
struct View {
    /// By sequence number.
    mails: Vec<Held>,
    /// Number of the last change in it.
    mod_seq: u64,
}

/// One client.
struct Client<'a> {
    shared: &'a Shared,
    input: BufReader<TcpStream>,
    output: TcpStream,
    logged_in: bool,
    /// The mails as they were when the mailbox was opened or last asked for, by sequence number.
    view: Option<View>,
    /// It asked to be told in UIDs.
    enabled: bool,
    /// It waits for news.
    idle: bool,
}

pub(super) fn serve(tcp: TcpStream, shared: &Shared) -> io::Result<()> {
    tcp.set_read_timeout(Some(LOOK_UP))?;
    tcp.set_write_timeout(Some(Duration::from_secs(10)))?;
    tcp.set_nodelay(true)?;
    let output = tcp.try_clone()?;
    let input = BufReader::new(tcp);
    let mut client =
        Client { shared, input, output, logged_in: false, view: None, enabled: false, idle: false };
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
                    if self.idle {
                        self.tell_news()?;
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

    fn numbers(&self) -> bool {
        self.shared.numbered.load(Ordering::SeqCst)
    }

    fn offers(&self) -> String {
        let numbered = if self.numbers() { NUMBERED } else { "" };
        let resync = if self.resyncs() { RESYNC } else { "" };
        format!("{CAPABILITIES}{numbered}{resync}")
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
                self.enabled = true;
                self.send("* ENABLED QRESYNC\r\n")?;
                "OK done"
            }
            "EXAMINE" => self.examine(arguments)?,
            "UID" => self.uid(arguments)?,
            "IDLE" => self.idle()?,
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
        let (validity, next, view, changes) = {
            let inbox = lock(&self.shared.inbox);
            let mut changes = String::new();
            if self.enabled || (self.numbers() && arguments.ends_with(" (CONDSTORE)")) {
                changes = format!("* OK [HIGHESTMODSEQ {}] last\r\n", inbox.mod_seq);
                if let Some(known) = known_of(arguments) {
                    changes += &inbox.changes(&known);
                }
            }
            let view = View { mails: inbox.mails.clone(), mod_seq: inbox.mod_seq };
            (inbox.uid_validity, inbox.uid_next, view, changes)
        };
        self.send(&format!(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* {} EXISTS\r\n* 0 RECENT\r\n\
             * OK [UIDVALIDITY {validity}] stays\r\n* OK [UIDNEXT {next}] next\r\n",
            view.mails.len()
        ))?;
        self.send(&changes)?;
        self.view = Some(view);
        Ok("OK [READ-ONLY] open")
    }

    /// Tells of news until the client has heard enough (RFC 2177).
    fn idle(&mut self) -> io::Result<&'static str> {
        self.send("+ idling\r\n")?;
        self.idle = true;
        let line = self.read_line()?;
        self.idle = false;
        let done = line.is_some_and(|line| line.eq_ignore_ascii_case("DONE"));
        Ok(if done { "OK done" } else { "BAD DONE was expected" })
    }

    fn tell_news(&mut self) -> io::Result<()> {
        let Some(view) = &mut self.view else { return Ok(()) };
        let news = {
            let inbox = lock(&self.shared.inbox);
            if inbox.mod_seq == view.mod_seq {
                return Ok(());
            }
            let news = inbox.news(&view.mails, self.enabled);
            *view = View { mails: inbox.mails.clone(), mod_seq: inbox.mod_seq };
            news
        };
        self.send(&news)
    }

    fn uid(&mut self, arguments: &str) -> io::Result<&'static str> {
        let (verb, rest) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let Some(View { mails, .. }) = self.view.clone() else { return Ok("BAD no mailbox open") };
        let last = mails.last().map_or(0, |held| held.uid);
        if verb.eq_ignore_ascii_case("SEARCH") {
            let rest = rest.strip_prefix("UID ").unwrap_or(rest);
            let set = if rest.eq_ignore_ascii_case("ALL") { "1:*" } else { rest };
            let Some(ranges) = ranges(set, last) else { return Ok("BAD search not known") };
            let mut found = "* SEARCH".to_owned();
            for Held { uid, .. } in mails.iter().filter(|held| within(&ranges, held.uid)) {
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
        let Some((items, since)) =
            changed_since(items).filter(|it| it.1.is_none() || self.numbers())
        else {
            return Ok("BAD changes are not numbered");
        };
        let (Some(ranges), Some(mut items)) = (ranges(set, last), items_of(items)) else {
            return Ok("BAD fetch not known, or it would change flags");
        };
        items.extend(since.map(|_| Item::ModSeq));
        let mut answer = Vec::new();
        for (number, held) in (1_u32..).zip(&mails) {
            if within(&ranges, held.uid) && since.is_none_or(|since| held.changed > since) {
                answer.extend_from_slice(&describe(number, held, &items));
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
