//! What the index holds about mails and cases: all that a list shows, without a body being read.
//!
//! Stored as postcard: field order is the format. A change needs a new [`super::value::VERSION`]; an index of
//! another version is rebuilt from the files.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::frame::ReceivedFrom;
use super::scan::ArchivePlace;
use crate::domain::case::{Direction, Reporter};
use crate::domain::deadline::Pause;
use crate::domain::hint::Reading;
use crate::domain::{CaseId, CaseState, ClauseId, Disposition, MessageRef};

/// One mail, as lists and threads need it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MailRecord {
    /// Number of its archive record.
    pub seq: u64,
    /// The message.
    pub message: MessageRef,
    /// Where its raw bytes lie.
    pub place: ArchivePlace,
    /// Size of the raw message in bytes.
    pub size: u64,
    /// Time of receipt: what clocks run from.
    #[serde(with = "millis")]
    pub received: Timestamp,
    /// Where that time came from.
    pub received_from: ReceivedFrom,
    /// The Date header: the sender's claim.
    #[serde(with = "millis_option")]
    pub date: Option<Timestamp>,
    /// Display name and address of From.
    pub from: Vec<(String, String)>,
    /// Display name and address of To.
    pub to: Vec<(String, String)>,
    /// Decoded subject.
    pub subject: String,
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Ids of References and In-Reply-To.
    pub references: Vec<String>,
    /// Subject without reply and forward marks, for threading.
    pub base_subject: String,
    /// Whether the subject had such a mark.
    pub is_reply: bool,
    /// Addresses of everyone named in From, To and Cc.
    pub participants: Vec<String>,
    /// GHSA id that it is about.
    pub ghsa: Option<String>,
    /// Whether it begins a thread and speaks of an earlier report of its sender.
    pub refers_back: bool,
    /// Which way it went.
    pub direction: Direction,
    /// Whether a part of it is shown as an attachment.
    pub attachments: bool,
    /// Whether there is a warning about it. Which, and what its parts are, is read where the mail is shown.
    pub warned: bool,
    /// What the rules read out of it. A record of its own in the index, so that this one is written once.
    #[serde(skip)]
    pub reading: Reading,
    /// Whether they have read it: mail is stored and listed first, and read by the rules afterwards. What did not
    /// come to us is not read by them, and so is judged from the start.
    #[serde(skip)]
    pub judged: bool,
    /// No longer on the server.
    pub gone: bool,
    /// It lay among the junk when it came.
    pub rescued: bool,
    /// Number of its case; 0 for none yet.
    pub case: u64,
}

/// What a mail to us is compared with others by. A record of its own: a search reads all of them and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NearRecord {
    /// Number of its case.
    pub case: u64,
    /// The sketch; what its bytes mean is the matter of `intake`.
    pub sketch: Vec<u8>,
}

/// A published record that reports are compared with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PrecedentRecord {
    /// Its name.
    pub name: String,
    /// Every id that names it.
    pub ids: Vec<String>,
    /// Its title.
    pub title: String,
    /// The versions that fix it, in words; empty where none is known.
    pub fixed: String,
    /// When it was published.
    #[serde(with = "millis_option")]
    pub published: Option<Timestamp>,
    /// Where it can be read.
    pub url: String,
    /// The sketch, as in [`NearRecord`].
    pub sketch: Vec<u8>,
}

/// One case, as the queue shows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Number within this store, from 1.
    pub number: u64,
    /// Its id.
    pub id: CaseId,
    /// The message that the id is derived from.
    pub root: MessageRef,
    /// Whether a journal entry fixed the id.
    pub pinned: bool,
    /// Numbers of its mails.
    pub members: Vec<u64>,
    /// Subject of the first mail.
    pub subject: String,
    /// Who reported.
    pub reporter: Reporter,
    /// When the first mail to us was received.
    #[serde(with = "millis")]
    pub received: Timestamp,
    /// When the newest mail was received.
    #[serde(with = "millis")]
    pub last: Timestamp,
    /// Our first human answer.
    #[serde(with = "millis_option")]
    pub first_answer: Option<Timestamp>,
    /// Our last human answer.
    #[serde(with = "millis_option")]
    pub last_answer: Option<Timestamp>,
    /// When an answer that has not left yet was put into the outbox.
    #[serde(with = "millis_option")]
    pub queued: Option<Timestamp>,
    /// When our clocks rest: from and until, in milliseconds since 1970.
    pub pauses: Vec<(i64, Option<i64>)>,
    /// Since when a question of ours waits for the reporter.
    #[serde(with = "millis_option")]
    pub waiting_since: Option<Timestamp>,
    /// Number of mails.
    pub messages: u32,
    /// Whether the last word is the reporter's.
    pub unanswered: bool,
    /// Where it stands.
    pub state: CaseState,
    /// What was decided.
    pub disposition: Option<Disposition>,
    /// By which clauses.
    pub decided_clauses: Vec<ClauseId>,
    /// What the rules propose.
    pub suggested: Option<Disposition>,
    /// By which clauses.
    pub suggested_clauses: Vec<ClauseId>,
    /// Said to be public already.
    pub public: bool,
    /// Whether a mail of it has warnings.
    pub warnings: bool,
    /// Whether a mail of it was found among the junk.
    pub rescued: bool,
    /// Number of journal entries.
    pub journal_entries: u32,
    /// Whether a mail of it has attachments.
    pub attachments: bool,
}

impl CaseRecord {
    /// When our clocks rest.
    pub fn pauses(&self) -> Vec<Pause> {
        let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
        let pause = |(from, until): &(i64, Option<i64>)| {
            Some(Pause { from: at(*from)?, until: until.and_then(at) })
        };
        self.pauses.iter().filter_map(pause).collect()
    }

    /// Where it stands in the queue, newest activity first.
    pub fn queue_key(&self) -> QueueKey {
        QueueKey { last: self.last, number: self.number }
    }
}

/// A place in the queue: cases after it had their last activity earlier, or at the same time a lower number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueKey {
    /// Time of the last activity.
    pub last: Timestamp,
    /// Number of the case.
    pub number: u64,
}

/// Kept beside the records, so that no list is ever counted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Mails.
    pub mails: u64,
    /// Cases.
    pub cases: u64,
    /// Journal entries.
    pub entries: u64,
    /// Cases whose last word is the reporter's.
    pub unanswered: u64,
    /// Cases by state, in the order of [`CaseState::ALL`].
    pub by_state: [u64; 8],
}

/// Time stamps in milliseconds since 1970.
pub mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_millisecond())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_millisecond(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The same where there may be none.
pub mod millis_option {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::as_millisecond).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<i64>::deserialize(deserializer)?
            .map(|ms| Timestamp::from_millisecond(ms).map_err(D::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use crate::domain::Evidence;
    use crate::domain::hint::{FoundVector, FoundVersion, Hint, VersionStatus};
    use crate::domain::journal::AnswerValue;

    #[test]
    fn what_the_rules_read_comes_back_as_it_was() {
        let message = MessageRef::of(b"m");
        let evidence = Evidence::at(message, 0, "some words", 0..4).expect("a range");
        let mut reading = Reading { ghsa: Some("GHSA-x".into()), ..Reading::default() };
        reading.flags.public = true;
        for evidence in [None, Some(evidence.clone())] {
            reading.hints.push(Hint {
                clause: "NQ1".into(),
                answer: AnswerValue::Unclear,
                strength: 2,
                rule: "r".into(),
                why: "w".into(),
                evidence,
            });
        }
        reading.vectors.push(FoundVector { text: "CVSS".into(), evidence: evidence.clone() });
        let status = VersionStatus::Fork;
        reading.versions.push(FoundVersion { claimed: "1".into(), status, evidence });
        let bytes = value::encode(b"k", &reading).expect("encodes");
        assert_eq!(value::decode::<Reading>(b"k", &bytes), Ok(reading));
    }

    #[test]
    fn a_case_comes_back_as_it_was() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        let case = CaseRecord {
            number: 1,
            id: CaseId::derive(Some("x"), &MessageRef::of(b"")),
            root: MessageRef::of(b"m"),
            pinned: true,
            members: vec![1, u64::MAX],
            subject: "s".into(),
            reporter: Reporter { name: String::new(), address: "a@x".into() },
            received: at(-5),
            last: at(1_700_000_000_123),
            first_answer: None,
            last_answer: Some(at(7)),
            queued: Some(at(9)),
            pauses: vec![(-1, None), (i64::MIN, Some(7))],
            waiting_since: Some(at(9)),
            messages: 2,
            unanswered: false,
            state: CaseState::Fixing,
            disposition: Some(Disposition::RejectBan),
            decided_clauses: vec!["NQ1".into()],
            suggested: None,
            suggested_clauses: vec![],
            public: true,
            warnings: false,
            rescued: true,
            journal_entries: 3,
            attachments: true,
        };
        let bytes = value::encode(b"k", &case).expect("encodes");
        assert_eq!(value::decode::<CaseRecord>(b"k", &bytes), Ok(case));
    }

    #[test]
    fn a_store_can_be_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<super::super::Store>();
    }
}
