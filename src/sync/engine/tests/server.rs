//! The server of the simulation, and the line to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Dice, Place, lock};
use crate::sync::cursor::UidSet;
use crate::sync::duplex::Duplex;
use crate::sync::error::SyncError;
use crate::sync::transport::Greeted;

struct Folder {
    validity: u32,
    next: u32,
    mod_seq: u64,
    mails: Vec<Mail>,
    removed: Vec<(u32, u64)>,
    /// Counted up when a UID may stand for another message: a server has to hang up then.
    era: u64,
    /// Lowest UID that a client ever saw as the highest one, which is what it surely has.
    seen: u32,
    /// Where it was set back: the UID below which it has to stay, so that a client can see that.
    cap: u32,
}

/// A message on the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mail {
    pub uid: u32,
    pub raw: Vec<u8>,
    pub flags: Vec<String>,
    /// INTERNALDATE: no two have the same.
    pub second: i64,
    /// Number of the last change.
    at: u64,
}

impl Mail {
    fn date(&self) -> String {
        let at = jiff::Timestamp::from_second(self.second).expect("in range");
        at.strftime("%d-%b-%Y %H:%M:%S +0000").to_string()
    }
}

/// What there is on the server.
pub(super) struct World {
    folders: BTreeMap<String, Folder>,
    /// Everything that ever was.
    pub ever: BTreeSet<(Place, Vec<u8>)>,
    /// A message, by its number, whose bytes break every connection.
    pub poison: Option<u64>,
    /// Nothing goes wrong and nothing changes any more.
    pub calm: bool,
    /// The commands since somebody last looked.
    pub commands: Vec<String>,
    /// What came in one piece.
    pub writes: Vec<String>,
    /// No login is accepted any more.
    pub refuses: bool,
    /// So many were refused.
    pub refused: u32,
    /// Connections of an earlier time are dead.
    epoch: u64,
    made: u64,
    pub qresync: bool,
    pub condstore: bool,
    tells: bool,
    initial: bool,
    dice: Dice,
}

impl World {
    pub fn new(dice: &mut Dice) -> Self {
        let mut world = Self {
            folders: BTreeMap::new(),
            ever: BTreeSet::new(),
            poison: dice.once_in(5).then(|| 1 + dice.below(20)),
            calm: false,
            commands: Vec::new(),
            writes: Vec::new(),
            refuses: false,
            refused: 0,
            epoch: 0,
            made: 0,
            qresync: dice.once_in(3),
            condstore: dice.once_in(2),
            tells: dice.once_in(2),
            initial: dice.once_in(2),
            dice: Dice::new(dice.next()),
        };
        for name in ["INBOX", "Sent"] {
            let validity = 1 + dice.below(1000) as u32;
            let folder = Folder {
                validity,
                next: 1,
                mod_seq: 1,
                mails: Vec::new(),
                removed: Vec::new(),
                era: 0,
                seen: u32::MAX,
                cap: u32::MAX,
            };
            world.folders.insert(name.to_owned(), folder);
            (0..dice.below(30)).for_each(|_| world.deliver(name, dice));
        }
        world
    }

    fn write(&mut self, dice: &mut Dice) -> Mail {
        self.made += 1;
        let mut raw = format!("Subject: {}\r\n\r\n", self.made).into_bytes();
        let most = if dice.once_in(8) { 3000 } else { 200 };
        let length = dice.below(most);
        raw.extend((0..length).map(|_| {
            [b'a', b'\n', b'\r', b'(', b')', b'"', b'{', 0, 0xff][dice.below(9) as usize]
        }));
        let second = 1_790_000_000 + self.made as i64;
        Mail { uid: 0, raw, flags: some_flags(dice), second, at: 0 }
    }

    fn deliver(&mut self, name: &str, dice: &mut Dice) {
        let mail = self.write(dice);
        let Some(folder) = self.folders.get_mut(name) else { return };
        let step = if dice.once_in(6) { 1 + dice.below(50) as u32 } else { 1 };
        if folder.next + step <= folder.cap {
            folder.mod_seq += 1;
            let mail = Mail { uid: folder.next, at: folder.mod_seq, ..mail };
            self.ever.insert(((name.to_owned(), folder.validity, mail.uid), mail.raw.clone()));
            folder.mails.push(mail);
            folder.next += step;
        }
    }

    /// The server is set back to an earlier state: its newest messages never were, and their UIDs are given again.
    fn set_back(&mut self, name: &str, dice: &mut Dice) {
        let Some(folder) = self.folders.get_mut(name) else { return };
        let left = dice.below(folder.mails.len() as u64 + 1) as usize;
        let next = folder.mails.get(left).map_or(folder.next, |mail| mail.uid);
        if next < folder.next {
            folder.cap = folder.cap.min(folder.next).min(folder.seen);
            folder.mails.truncate(left);
            folder.removed.retain(|(uid, _)| *uid < next);
            folder.next = next;
            folder.mod_seq += 1;
            folder.era += 1;
        }
    }

    /// Another message stands under a UID all at once, which only who is told of changes can know: of the one that
    /// vanished, or of size and date.
    fn replace(&mut self, name: &str, dice: &mut Dice) {
        let other = self.write(dice);
        let Some(folder) = self.folders.get_mut(name) else { return };
        let at = dice.below(folder.mails.len() as u64) as usize;
        if let Some(mail) = folder.mails.get_mut(at) {
            if self.qresync {
                folder.mod_seq += 1;
                folder.removed.push((mail.uid, folder.mod_seq));
            }
            folder.mod_seq += 1;
            folder.era += 1;
            *mail = Mail { uid: mail.uid, at: folder.mod_seq, ..other };
            self.ever.insert(((name.to_owned(), folder.validity, mail.uid), mail.raw.clone()));
        }
    }

    /// Something happens.
    pub fn change(&mut self, dice: &mut Dice) {
        let name = if dice.once_in(3) { "Sent" } else { "INBOX" };
        match dice.below(20) {
            0..10 => self.deliver(name, dice),
            10..16 => self.remove(name, dice),
            16 => (0..dice.below(20)).for_each(|_| self.remove(name, dice)),
            17 => self.renew(name, dice),
            // A message that breaks connections hides what a client could see of these.
            18 if self.poison.is_none() && dice.once_in(2) => {
                if (self.condstore || self.qresync) && dice.once_in(2) {
                    self.replace(name, dice);
                } else {
                    self.set_back(name, dice);
                }
            }
            _ => {
                let Some(folder) = self.folders.get_mut(name) else { return };
                let at = dice.below(folder.mails.len() as u64) as usize;
                if let Some(mail) = folder.mails.get_mut(at) {
                    folder.mod_seq += 1;
                    (mail.at, mail.flags) = (folder.mod_seq, some_flags(dice));
                }
            }
        }
    }

    fn remove(&mut self, name: &str, dice: &mut Dice) {
        let Some(folder) = self.folders.get_mut(name) else { return };
        if !folder.mails.is_empty() {
            folder.mod_seq += 1;
            let at = dice.below(folder.mails.len() as u64) as usize;
            let mail = folder.mails.remove(at);
            folder.removed.push((mail.uid, folder.mod_seq));
        }
    }

    /// The folder is made anew, with most of what it had.
    fn renew(&mut self, name: &str, dice: &mut Dice) {
        let Some(folder) = self.folders.get_mut(name) else { return };
        folder.validity += 1 + dice.below(3) as u32;
        (folder.next, folder.mod_seq) = (1, 1);
        (folder.seen, folder.cap) = (u32::MAX, u32::MAX);
        folder.era += 1;
        folder.removed.clear();
        let mut kept = std::mem::take(&mut folder.mails);
        kept.retain(|_| !dice.once_in(6));
        for mail in kept {
            self.ever.insert(((name.to_owned(), folder.validity, folder.next), mail.raw.clone()));
            folder.mod_seq += 1;
            folder.mails.push(Mail { uid: folder.next, at: folder.mod_seq, ..mail });
            folder.next += 1;
        }
    }

    pub fn drop_connections(&mut self) {
        self.epoch += 1;
    }

    pub fn places(&self) -> BTreeMap<Place, Mail> {
        let of = |(name, folder): (&String, &Folder)| {
            let (name, validity) = (name.clone(), folder.validity);
            let place = move |mail: &Mail| ((name.clone(), validity, mail.uid), mail.clone());
            folder.mails.iter().map(place).collect::<Vec<_>>()
        };
        self.folders.iter().flat_map(of).collect()
    }

    pub fn is_poison(&self, raw: &[u8]) -> bool {
        self.poison.is_some_and(|n| raw.starts_with(format!("Subject: {n}\r").as_bytes()))
    }
}

fn some_flags(dice: &mut Dice) -> Vec<String> {
    let all = ["\\Seen", "\\Answered", "\\Flagged", "$Forwarded"];
    all.iter().filter(|_| dice.once_in(3)).map(|flag| (*flag).to_owned()).collect()
}

/// A new connection, or none.
pub(super) fn dial(world: &Arc<Mutex<World>>) -> Result<Greeted, SyncError> {
    let mut there = lock(world);
    if !there.calm && there.dice.once_in(25) {
        let source = io::ErrorKind::ConnectionRefused.into();
        return Err(SyncError::Refused { host: "simulated".into(), port: 1, source });
    }
    let dice = Dice::new(there.dice.next());
    let capabilities = there.capabilities();
    let line = Line {
        world: Arc::clone(world),
        dice,
        epoch: there.epoch,
        heard: Vec::new(),
        answer: VecDeque::new(),
        folder: None,
        told: 0,
        enabled: false,
        idle: None,
        challenged: None,
        dead: false,
        ends: false,
    };
    Ok(Greeted { stream: Box::new(line), capabilities: Some(capabilities), lease: None })
}

impl World {
    fn capabilities(&self) -> Vec<String> {
        let mut words = vec!["IMAP4REV1", "AUTH=PLAIN", "IDLE"];
        words.extend(self.initial.then_some("SASL-IR"));
        words.extend(self.qresync.then_some("ENABLE"));
        words.extend(self.qresync.then_some("QRESYNC"));
        words.extend(self.condstore.then_some("CONDSTORE"));
        words.into_iter().map(str::to_owned).collect()
    }
}

struct Line {
    world: Arc<Mutex<World>>,
    dice: Dice,
    epoch: u64,
    heard: Vec<u8>,
    answer: VecDeque<u8>,
    /// The open folder and its era.
    folder: Option<(String, u64)>,
    /// Number of messages that the client was told of.
    told: usize,
    /// The client asked for numbered changes.
    enabled: bool,
    /// Tag of an IDLE that lasts.
    idle: Option<String>,
    /// Tag of a login that waits for its answer.
    challenged: Option<String>,
    dead: bool,
    /// The connection breaks when this answer has been read.
    ends: bool,
}

impl Read for Line {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let calm = {
            let world = lock(&self.world);
            self.dead |= world.epoch != self.epoch;
            world.calm
        };
        if !calm && self.dice.once_in(120) {
            self.dead = true;
            match self.dice.below(3) {
                0 => return Err(io::ErrorKind::ConnectionReset.into()),
                1 => return Err(io::ErrorKind::WouldBlock.into()),
                _ => {}
            }
        }
        if self.dead || (self.ends && self.answer.is_empty()) {
            return Ok(0);
        }
        if self.answer.is_empty() && self.idle.is_some() {
            // Somebody wrote, or it was quiet for too long.
            if self.dice.once_in(3) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.say("* OK Still here\r\n* 7 EXISTS\r\n");
        }
        assert!(!self.answer.is_empty(), "the client waits for nothing");
        let most = if self.dice.once_in(3) { 1 + self.dice.below(40) as usize } else { buf.len() };
        let count = most.min(self.answer.len()).min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.answer.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
}

impl Write for Line {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        {
            let mut world = lock(&self.world);
            self.dead |= world.epoch != self.epoch;
            if self.dead {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            world.writes.push(String::from_utf8_lossy(buf).into_owned());
        }
        self.heard.extend_from_slice(buf);
        while let Some(end) = self.heard.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.obey(&line);
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Line {
    fn give_up_after(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

impl Line {
    fn say(&mut self, text: &str) {
        self.answer.extend(text.as_bytes());
    }

    fn obey(&mut self, line: &str) {
        if let Some(tag) = self.challenged.take() {
            return self.welcome(&tag);
        }
        if let Some(tag) = self.idle.take() {
            assert_eq!(line, "DONE");
            return self.say(&format!("{tag} OK done\r\n"));
        }
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        let world = Arc::clone(&self.world);
        let mut world = lock(&world);
        world.commands.push(command.to_owned());
        let words: Vec<&str> = command.splitn(3, ' ').collect();
        match *words.as_slice() {
            ["AUTHENTICATE", _, _] => {
                drop(world);
                self.welcome(tag);
            }
            ["AUTHENTICATE", _] => {
                self.challenged = Some(tag.to_owned());
                self.say("+ \r\n");
            }
            ["CAPABILITY"] => {
                let words = world.capabilities().join(" ");
                self.say(&format!("* CAPABILITY {words}\r\n{tag} OK done\r\n"));
            }
            ["ENABLE", "QRESYNC"] if world.qresync => {
                self.enabled = true;
                self.say(&format!("* ENABLED QRESYNC\r\n{tag} OK done\r\n"));
            }
            ["LOGOUT"] => {}
            ["IDLE"] => {
                self.say("+ idling\r\n");
                self.idle = Some(tag.to_owned());
            }
            ["EXAMINE", name, ..] => {
                let more = words.get(2).copied().unwrap_or_default();
                self.shift(&mut world);
                self.examine(&mut world, name.trim_matches('"'), more);
                self.say(&format!("{tag} OK [READ-ONLY] done\r\n"));
            }
            ["UID", "FETCH", rest] => {
                let (set, items) = rest.split_once(' ').expect("a set and items");
                let body = items.contains("BODY.PEEK[]");
                if !body {
                    self.shift(&mut world);
                }
                if self.is_renewed(&world) {
                    self.dead = true;
                } else if self.fetch(&world, set, items) {
                    self.say(&format!("{tag} OK done\r\n"));
                } else {
                    self.answer.truncate(self.answer.len() / 2);
                    self.ends = true;
                }
            }
            ["UID", "SEARCH", rest] => {
                self.shift(&mut world);
                if self.is_renewed(&world) {
                    self.dead = true;
                }
                let asked = set_of(rest.strip_prefix("UID ").expect("UIDs"));
                let mut found = "* SEARCH".to_owned();
                let folder = self.folder.as_ref().and_then(|(name, _)| world.folders.get(name));
                for Mail { uid, .. } in folder.iter().flat_map(|folder| &folder.mails) {
                    if asked.contains(*uid) {
                        let _written = write!(found, " {uid}");
                    }
                }
                self.say(&format!("{found}\r\n{tag} OK done\r\n"));
            }
            _ => panic!("an unexpected command: {command}"),
        }
    }

    fn welcome(&mut self, tag: &str) {
        let (tells, words) = {
            let mut world = lock(&self.world);
            if world.refuses {
                world.refused += 1;
                drop(world);
                return self.say(&format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"));
            }
            (world.tells, world.capabilities().join(" "))
        };
        let told = if tells { format!("[CAPABILITY {words}] ") } else { String::new() };
        self.say(&format!("{tag} OK {told}welcome\r\n"));
    }

    /// The world goes on while a client asks. Not while it fetches bodies: whoever crashed may still do so.
    fn shift(&mut self, world: &mut World) {
        while !world.calm && self.dice.once_in(4) {
            world.change(&mut self.dice);
        }
    }

    /// UIDs of the open folder may stand for other messages.
    fn is_renewed(&self, world: &World) -> bool {
        let now = |(name, era): &(String, u64)| {
            world.folders.get(name).is_some_and(|folder| folder.era != *era)
        };
        self.folder.as_ref().is_some_and(now)
    }

    fn examine(&mut self, world: &mut World, name: &str, more: &str) {
        let numbered = world.condstore && more == "(CONDSTORE)";
        let folder = world.folders.get_mut(name).expect("a folder");
        let highest = folder.mails.last().map_or(u32::MAX, |mail| mail.uid);
        folder.seen = folder.seen.min(highest);
        self.folder = Some((name.to_owned(), folder.era));
        self.told = folder.mails.len();
        self.say(&format!(
            "* {} EXISTS\r\n* OK [UIDVALIDITY {}] v\r\n* OK [UIDNEXT {}] n\r\n",
            folder.mails.len(),
            folder.validity,
            folder.next
        ));
        if self.enabled || numbered {
            self.say(&format!("* OK [HIGHESTMODSEQ {}] m\r\n", folder.mod_seq));
        }
        let Some(asked) = more.strip_prefix("(QRESYNC (").and_then(|m| m.strip_suffix("))")) else {
            return;
        };
        assert!(self.enabled, "QRESYNC without ENABLE");
        let words: Vec<&str> = asked.split(' ').collect();
        if words.first() != Some(&folder.validity.to_string().as_str()) {
            return;
        }
        let since: u64 = words.get(1).expect("a number").parse().expect("a number");
        let known = set_of(words.get(2).copied().unwrap_or("1:*"));
        // Servers that forgot name all that is not there.
        let forgot = self.dice.once_in(3);
        let mut vanished: UidSet = folder
            .removed
            .iter()
            .filter(|(uid, at)| *at > since && known.contains(*uid))
            .map(|(uid, _)| *uid)
            .collect();
        if forgot {
            let there: UidSet = folder.mails.iter().map(|mail| mail.uid).collect();
            for &(first, last) in known.minus(&there).ranges() {
                vanished.insert_range(first, last.min(folder.next - 1));
            }
        }
        if !vanished.is_empty() {
            self.say(&format!("* VANISHED (EARLIER) {}\r\n", vanished.to_imap()));
        }
        for (number, mail) in (1..).zip(&folder.mails) {
            if mail.at > since {
                let (uid, flags, at) = (mail.uid, mail.flags.join(" "), mail.at);
                self.say(&format!(
                    "* {number} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({at}))\r\n"
                ));
            }
        }
    }

    /// Answers a fetch, in any order, some of it twice. `false` when the connection breaks over it.
    fn fetch(&mut self, world: &World, set: &str, items: &str) -> bool {
        let asked = set_of(set);
        let (items, since) = match items.split_once(" (CHANGEDSINCE ") {
            Some((items, since)) => (items, since.trim_end_matches(')').parse().expect("a number")),
            None => (items, 0),
        };
        let folder = self.folder.as_ref().and_then(|(name, _)| world.folders.get(name));
        let Some(folder) = folder else { return true };
        let asked = |mail: &Mail| asked.contains(mail.uid) && mail.at > since;
        let mut found: Vec<(usize, &Mail)> =
            (1..).zip(&folder.mails).filter(|(_, mail)| asked(mail)).collect();
        for at in (1..found.len()).rev() {
            found.swap(at, self.dice.below(at as u64 + 1) as usize);
        }
        for (number, mail) in found {
            let Mail { uid, raw, .. } = mail;
            if self.dice.once_in(9) {
                self.say(&format!("* {} EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n", self.told));
            }
            for _ in 0..1 + u32::from(self.dice.once_in(9)) {
                if !items.contains("BODY") {
                    let (size, date, flags) = (raw.len(), mail.date(), mail.flags.join(" "));
                    self.say(&format!(
                        "* {number} FETCH (UID {uid} RFC822.SIZE {size} FLAGS ({flags}) INTERNALDATE \"{date}\")\r\n"
                    ));
                    continue;
                }
                let slice = items.split_once("BODY.PEEK[]<").and_then(|(_, rest)| {
                    let (offset, rest) = rest.split_once('.')?;
                    let length = rest.split_once('>')?.0;
                    Some((offset.parse::<usize>().ok()?, length.parse::<usize>().ok()?))
                });
                let (offset, length) = slice.unwrap_or((0, raw.len()));
                let rest = raw.get(offset..).unwrap_or_default();
                let piece = rest.get(..length).unwrap_or(rest);
                let origin = slice.map(|_| format!("<{offset}>")).unwrap_or_default();
                self.say(&format!(
                    "* {number} FETCH (UID {uid} BODY[]{origin} {{{}}}\r\n",
                    piece.len()
                ));
                self.answer.extend(piece);
                self.say(")\r\n");
            }
            if world.is_poison(raw) && items.contains("BODY") {
                return false;
            }
        }
        true
    }
}

fn set_of(text: &str) -> UidSet {
    let mut set = UidSet::new();
    let number = |text: &str| if text == "*" { u32::MAX } else { text.parse().expect("a UID") };
    for range in text.split(',') {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        set.insert_range(number(first), number(last));
    }
    set
}
