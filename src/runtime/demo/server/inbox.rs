//! The mailbox that is served, and what has changed in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::grammar::{Known, within};

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

/// A mail in its place.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub uid: u32,
    pub mail: Arc<ServedMail>,
    /// Number of its last change.
    pub changed: u64,
}

/// The one mailbox, INBOX.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub uid_validity: u32,
    pub uid_next: u32,
    /// By UID.
    pub mails: Vec<Held>,
    /// Number of the last change.
    pub mod_seq: u64,
    /// Which UIDs went, and when.
    went: BTreeMap<u32, u64>,
}

impl Inbox {
    /// An empty one.
    pub fn new(uid_validity: u32) -> Self {
        Self { uid_validity, uid_next: 1, ..Self::default() }
    }

    /// Adds a mail under the next UID.
    pub fn add(&mut self, mail: Arc<ServedMail>) {
        let uid = self.uid_next;
        self.uid_next = uid.saturating_add(1);
        self.put(uid, mail);
    }

    /// Puts a mail under a UID, in place of what stands there.
    pub fn put(&mut self, uid: u32, mail: Arc<ServedMail>) {
        self.mod_seq += 1;
        let at = self.mails.partition_point(|held| held.uid < uid);
        let there = self.mails.get(at).is_some_and(|held| held.uid == uid);
        let held = Held { uid, mail, changed: self.mod_seq };
        self.mails.splice(at..at + usize::from(there), [held]);
    }

    /// Removes a mail.
    pub fn remove(&mut self, uid: u32) {
        self.mails.retain(|held| held.uid != uid);
        self.mod_seq += 1;
        self.went.insert(uid, self.mod_seq);
    }

    /// Gives the flags of a mail.
    pub fn flag(&mut self, uid: u32, flags: &[String]) {
        let mail =
            self.mails.iter().find(|held| held.uid == uid).map(|held| Arc::clone(&held.mail));
        if let Some(mail) = mail {
            self.put(uid, Arc::new(ServedMail { flags: flags.to_vec(), ..(*mail).clone() }));
        }
    }

    /// Goes back to a state in which UIDs from this one on had not been given.
    pub fn set_back(&mut self, uid_next: u32) {
        self.mails.retain(|held| held.uid < uid_next);
        self.went.retain(|uid, _| *uid < uid_next);
        self.uid_next = uid_next;
        self.mod_seq += 1;
    }

    /// Begins anew with the same mails.
    pub fn renew(&mut self, uid_validity: u32) {
        let mails = std::mem::take(&mut self.mails);
        *self = Self { mod_seq: self.mod_seq, ..Self::new(uid_validity) };
        mails.into_iter().for_each(|held| self.add(held.mail));
    }

    /// What a client that comes back is told (RFC 7162 section 3.2.5).
    pub fn changes(&self, known: &Known) -> String {
        let (mut told, since) = (String::new(), known.since);
        if known.validity != self.uid_validity {
            return told;
        }
        let gone = self.went.iter().filter(|(uid, at)| **at > since && within(&known.uids, **uid));
        let gone: Vec<String> = gone.map(|(uid, _)| uid.to_string()).collect();
        if !gone.is_empty() {
            told += &format!("* VANISHED (EARLIER) {}\r\n", gone.join(","));
        }
        for (number, Held { uid, mail, changed }) in (1..).zip(&self.mails) {
            if *changed > since {
                let flags = mail.flags.join(" ");
                told +=
                    &format!("* {number} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({changed}))\r\n");
            }
        }
        told
    }

    /// What a client that waits is told after it has seen this much (RFC 3501 section 7.3.1).
    pub fn news(&self, seen: &[Held], by_uid: bool) -> String {
        let mut told = String::new();
        let find = |all: &[Held], uid: u32| {
            let at = all.binary_search_by_key(&uid, |held| held.uid).ok()?;
            all.get(at).map(|held| held.changed)
        };
        // From the end on, so that no number shifts before it is used.
        for (number, held) in (1..).zip(seen).collect::<Vec<(u32, _)>>().into_iter().rev() {
            if find(&self.mails, held.uid).is_none() {
                told += &match by_uid {
                    true => format!("* VANISHED {}\r\n", held.uid),
                    false => format!("* {number} EXPUNGE\r\n"),
                };
            }
        }
        if self.mails.iter().any(|held| find(seen, held.uid).is_none()) {
            told += &format!("* {} EXISTS\r\n", self.mails.len());
        }
        for (number, held) in (1_u32..).zip(&self.mails) {
            if find(seen, held.uid).is_some_and(|changed| changed != held.changed) {
                let (uid, flags) = (held.uid, held.mail.flags.join(" "));
                told += &format!("* {number} FETCH (UID {uid} FLAGS ({flags}))\r\n");
            }
        }
        told
    }
}
