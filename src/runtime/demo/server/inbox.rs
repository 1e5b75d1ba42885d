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

/// The one mailbox, INBOX.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub uid_validity: u32,
    pub uid_next: u32,
    pub mails: Vec<(u32, Arc<ServedMail>)>,
    /// Number of the last change.
    pub mod_seq: u64,
    /// When each UID came, and which went when.
    pub came: BTreeMap<u32, u64>,
    pub went: BTreeMap<u32, u64>,
}

impl Inbox {
    pub fn add(&mut self, mail: Arc<ServedMail>) {
        let uid = self.uid_next;
        self.uid_next = uid.saturating_add(1);
        self.mod_seq += 1;
        self.came.insert(uid, self.mod_seq);
        self.mails.push((uid, mail));
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
        for (number, (uid, mail)) in (1..).zip(&self.mails) {
            if let Some(at) = self.came.get(uid).filter(|at| **at > since) {
                let flags = mail.flags.join(" ");
                told += &format!("* {number} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({at}))\r\n");
            }
        }
        told
    }
}
