//! The append-only history of every decision.
//!
//! One entry is one line of `journal.jsonl` in RFC 8785 canonical form and carries the SHA-256 of the line
//! before it. A case is the fold of its entries (see [`super::case`]); undoing is one more entry.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{CaseId, CaseState, ClauseId, Disposition, Evidence, MessageRef, ids::hex};

/// Version of the entry format written by this program.
pub const VERSION: u32 = 1;

/// `prev` of the first entry.
pub const NO_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Hybrid logical clock: milliseconds since 1970 and a counter for entries within one. Orders the entries of
/// several stores without trusting that their wall clocks agree.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Clock(pub i64, pub u32);

impl Clock {
    /// The clock of an entry made at `now` after an entry with the clock `self`.
    #[must_use]
    pub fn tick(self, now: Timestamp) -> Self {
        let now_ms = now.as_millisecond();
        if now_ms > self.0 { Self(now_ms, 0) } else { Self(self.0, self.1.saturating_add(1)) }
    }
}

/// One line of the journal. `kind` and `body` stay as written, so that an entry of a newer program version
/// is kept and copied even where this one cannot read it; [`Entry::act`] gives their meaning.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Format version.
    pub v: u32,
    /// Position in this store's journal, from 1.
    pub seq: u64,
    /// SHA-256 of the previous line without its line end, or [`NO_PREVIOUS`].
    pub prev: String,
    /// ULID of the entry.
    pub id: String,
    /// Wall-clock time, UTC, in milliseconds.
    #[serde(with = "rfc3339_ms")]
    pub at: Timestamp,
    /// Logical time.
    pub clock: Clock,
    /// Whose decision it is: `name <address>`.
    pub actor: String,
    /// Id of the store that wrote it.
    pub replica: String,
    /// The case.
    pub case: CaseId,
    /// What was done; see [`Act`].
    pub kind: String,
    /// The particulars.
    pub body: Value,
}

/// A decision to be written; the store adds position, chain and clock.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEntry {
    /// ULID, made by the caller from its clock and random bits.
    pub id: String,
    /// Wall-clock time.
    pub at: Timestamp,
    /// `name <address>`.
    pub actor: String,
    /// The case.
    pub case: CaseId,
    /// What is done.
    pub act: Act,
}

/// What an entry does to its case.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
pub enum Act {
    /// First entry of a case: pins its id to this first message.
    Opened {
        /// The message that the id is derived from.
        root: MessageRef,
        /// Hash of the policy that the case is judged under.
        policy: String,
        /// Hash of the policy's text, where one was at hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A checklist question was answered.
    Answered {
        /// The decision point.
        clause: ClauseId,
        /// The answer; `None` takes an answer back.
        answer: Option<AnswerValue>,
        /// The words that show it.
        #[serde(skip_serializing_if = "Option::is_none")]
        evidence: Option<Evidence>,
        /// Or the maintainer's reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The maintainer's CVSS vector was set.
    Scored {
        /// A complete vector.
        vector: String,
    },
    /// The maintainer decided.
    Decided {
        /// What.
        disposition: Disposition,
        /// By which clauses, strongest first.
        clauses: Vec<ClauseId>,
        /// Reason, where no clause is named.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The case was moved to a state by hand.
    StateSet {
        /// The state.
        state: CaseState,
    },
    /// A note for the maintainers' eyes.
    Noted {
        /// Text.
        text: String,
    },
    /// A reply draft was saved. Nothing is sent.
    ReplyDrafted {
        /// Name of the template it began with.
        template: String,
        /// Recipients, as addresses.
        to: Vec<String>,
        /// Subject.
        subject: String,
        /// Text.
        text: String,
    },
    /// The saved reply draft was put into the outbox. Nothing is sent.
    ReplyQueued {},
    /// An advisory draft was saved.
    AdvisoryDrafted {
        /// The draft as TOML.
        toml: String,
    },
    /// The advisory was written out.
    Exported {
        /// Names of the formats.
        formats: Vec<String>,
    },
    /// Another case was found to tell of the same flaw: its mails belong to this one from now on.
    Merged {
        /// The case that is no longer one of its own.
        from: CaseId,
        /// Its mails at that time.
        messages: Vec<MessageRef>,
    },
    /// Some mails were found to be another matter: they are a case of their own from now on.
    Split {
        /// That case.
        into: CaseId,
        /// Its mails.
        messages: Vec<MessageRef>,
        /// The mails that stay.
        stay: Vec<MessageRef>,
    },
    /// A published record is to be known when reports are compared. The entry's case is only its key: see
    /// [`CaseId::of_precedent`].
    PrecedentAdded {
        /// Its name, such as a GHSA or CVE id.
        name: String,
        /// The record, byte for byte.
        record: String,
    },
    /// It is not to be known any more.
    PrecedentRemoved {
        /// Its name.
        name: String,
    },
    /// Compensates an earlier entry of the same case, which from now on counts as not made.
    Undone {
        /// ULID of that entry.
        entry: String,
    },
}

/// The `kind` of [`Act::Merged`] and [`Act::Split`]: entries that change which mails belong together.
pub const REGROUPING: [&str; 2] = ["merged", "split"];

/// Answer to a checklist question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerValue {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// It cannot be told yet; never a ground for declining.
    Unclear,
}

impl AnswerValue {
    /// The word used in data and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unclear => "unclear",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Yes, Self::No, Self::Unclear].into_iter().find(|value| value.as_str() == text)
    }
}

impl Act {
    /// The `kind` and `body` of an entry.
    pub fn to_parts(&self) -> (String, Value) {
        match serde_json::to_value(self) {
            Ok(Value::Object(mut object)) => {
                let kind = object.remove("kind").and_then(|k| k.as_str().map(str::to_owned));
                (kind.unwrap_or_default(), object.remove("body").unwrap_or(Value::Null))
            }
            // Every variant is a struct with string keys, so this arm is never reached.
            _ => (String::new(), Value::Null),
        }
    }
}

impl Entry {
    /// Completes a new entry with its place in the journal.
    pub fn place(new: &NewEntry, seq: u64, prev: String, clock: Clock, replica: &str) -> Self {
        let (kind, body) = new.act.to_parts();
        Self {
            v: VERSION,
            seq,
            prev,
            id: new.id.clone(),
            at: new.at,
            clock,
            actor: new.actor.clone(),
            replica: replica.to_owned(),
            case: new.case.clone(),
            kind,
            body,
        }
    }

    /// What the entry does; `None` for a kind that this version does not know.
    pub fn act(&self) -> Option<Act> {
        let tagged = serde_json::json!({ "kind": self.kind, "body": self.body });
        serde_json::from_value(tagged).ok()
    }

    /// The line that is written, in RFC 8785 canonical form and without line end.
    ///
    /// serde_json orders object keys by their bytes and writes integers and strings as RFC 8785 asks; entries
    /// hold no other numbers, and all keys are ASCII, where byte order and UTF-16 order agree.
    pub fn to_line(&self) -> String {
        // To `Value` first: a struct is written in field order, a `Value` in key order.
        serde_json::to_value(self).map(|value| value.to_string()).unwrap_or_default()
    }

    /// Reads a line.
    ///
    /// # Errors
    /// If it is not an entry.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }
}

/// The hash by which the next entry names this line.
pub fn line_hash(line: &str) -> String {
    hex(&Sha256::digest(line.as_bytes()))
}

/// Time stamps with exactly three digits of a second.
mod rfc3339_ms {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{at:.3}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(act: Act) -> Entry {
        let new = NewEntry {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            at: "2026-11-01T12:00:00.5Z".parse().expect("a time stamp"),
            actor: "M <m@example.org>".into(),
            case: CaseId::derive(Some("x@y"), &MessageRef::of(b"")),
            act,
        };
        Entry::place(&new, 1, NO_PREVIOUS.into(), Clock::default().tick(new.at), "r1")
    }

    #[test]
    fn a_line_is_canonical_and_reads_back() {
        let written = entry(Act::Noted { text: "caf\u{e9} \u{1f}\n".into() });
        let line = written.to_line();
        assert!(
            line.starts_with(
                r#"{"actor":"M <m@example.org>","at":"2026-11-01T12:00:00.500Z","body":{"text":"#
            ),
            "{line}"
        );
        assert!(line.contains("caf\u{e9} \\u001f\\n"), "{line}");
        assert_eq!(Entry::parse(&line).expect("reads back"), written);
    }

    #[test]
    fn every_act_survives_its_parts() {
        for act in [
            Act::Opened { root: MessageRef::of(b""), policy: "p".into(), text: None },
            Act::Opened { root: MessageRef::of(b""), policy: "p".into(), text: Some("t".into()) },
            Act::Answered {
                clause: "NQ1".into(),
                answer: Some(AnswerValue::Yes),
                evidence: None,
                reason: Some("r".into()),
            },
            Act::Decided {
                disposition: Disposition::Reject,
                clauses: vec!["NQ1".into()],
                reason: None,
            },
            Act::StateSet { state: CaseState::Fixing },
            Act::Merged {
                from: CaseId::derive(Some("a@b"), &MessageRef::of(b"")),
                messages: vec![MessageRef::of(b"m")],
            },
            Act::Split {
                into: CaseId::derive(Some("a@b"), &MessageRef::of(b"")),
                messages: vec![MessageRef::of(b"m")],
                stay: vec![],
            },
            Act::PrecedentAdded { name: "CVE-1".into(), record: "{}\n".into() },
            Act::PrecedentRemoved { name: "CVE-1".into() },
            Act::Undone { entry: "e".into() },
        ] {
            assert_eq!(entry(act.clone()).act(), Some(act));
        }
    }

    #[test]
    fn a_newer_kind_is_kept_though_not_understood() {
        let mut newer = entry(Act::Noted { text: String::new() });
        newer.kind = "teleported".into();
        assert_eq!(newer.act(), None);
        assert_eq!(Entry::parse(&newer.to_line()).expect("reads back"), newer);
    }

    #[test]
    fn the_clock_never_goes_back() {
        let late: Timestamp = "2026-11-01T12:00:00Z".parse().expect("a time stamp");
        let early: Timestamp = "2026-11-01T11:00:00Z".parse().expect("a time stamp");
        let first = Clock::default().tick(late);
        assert!(first.tick(early) > first);
    }
}
