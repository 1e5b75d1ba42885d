//! What threading needs to know about a mail, small enough to be kept for every mail.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::direction::direction;
use super::ours::{Ours, normal};
use super::refers::refers_back;
use super::subject;
use crate::domain::case::Direction;
use crate::domain::{MessageRef, ids::hex};
use crate::mail::{Address, Message};

/// Ids kept from References and In-Reply-To together; of a longer chain its beginning and its end.
const MAX_REFERENCES: usize = 64;

/// Addresses kept.
const MAX_PARTICIPANTS: usize = 32;

/// Longest id or address kept as written, in bytes; of a longer one its hash.
const MAX_ID: usize = 250;

/// Reports of one sender from which on no mail joins by speaking of one of them.
pub(super) const MAX_REPORTS: usize = 64;

/// Longest stretch of an embedded part that is searched for its Message-ID, in bytes.
const MAX_RETURNED: usize = 64 * 1024;

/// Domains from which GitHub sends advisory notifications.
const GITHUB: [&str; 2] = ["github.com", "noreply.github.com"];

/// The facts of one mail by which it is assigned to a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The mail.
    pub message: MessageRef,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// Ids that it refers to, farthest first, the one it answers last; never its own.
    pub references: Vec<String>,
    /// Subject without prefixes, see [`subject::base`].
    pub base_subject: String,
    /// Whether there were prefixes.
    pub is_reply: bool,
    /// People outside: senders of what came in, recipients of what went out; lower case, sorted.
    pub participants: Vec<String>,
    /// Server receive time, kept to the microsecond.
    #[serde(with = "micros")]
    pub received: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// Advisory that a GitHub notification is about; never taken from other senders.
    pub ghsa: Option<String>,
    /// Whether it begins a thread and yet speaks of an earlier report of its sender.
    pub refers_back: bool,
}

impl Facts {
    /// Whether it begins a thread: neither answer nor forward, and referring to nothing.
    pub fn begins(&self) -> bool {
        !self.is_reply && self.references.is_empty()
    }
}

/// Time stamps as microseconds since 1970: half the size of text.
mod micros {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_microsecond())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        Timestamp::from_microsecond(micros).map_err(D::Error::custom)
    }
}

/// Reads the facts of a mail.
pub fn facts(
    message: &Message,
    message_ref: MessageRef,
    received: Timestamp,
    ours: &Ours,
) -> Facts {
    with_direction(message, message_ref, received, ours, direction(message, ours))
}

/// Reads the facts of a mail that lay among our sent ones: a person of ours wrote it, whatever address they
/// wrote from. What says of itself that a machine wrote it stays automatic.
pub fn facts_of_sent(
    message: &Message,
    message_ref: MessageRef,
    received: Timestamp,
    ours: &Ours,
) -> Facts {
    let direction = match direction(message, ours) {
        Direction::Automatic => Direction::Automatic,
        Direction::In | Direction::Out => Direction::Out,
    };
    with_direction(message, message_ref, received, ours, direction)
}

fn with_direction(
    message: &Message,
    message_ref: MessageRef,
    received: Timestamp,
    ours: &Ours,
    direction: Direction,
) -> Facts {
    let (base_subject, is_reply) = subject::base(&message.subject);
    let message_id = message.message_id.as_deref().and_then(id);
    let references = references(message, message_id.as_deref());
    let begins = direction == Direction::In && !is_reply && references.is_empty();
    Facts {
        message: message_ref,
        refers_back: begins && !from_github(message) && refers_back(&message.text),
        references,
        message_id,
        base_subject,
        is_reply,
        participants: participants(message, direction, ours),
        received,
        direction,
        ghsa: if from_github(message) { notified_ghsa(message) } else { None },
    }
}

/// Keys under which a mail is kept, beside [`keys`]: that it is a report of its sender, that it speaks of one.
///
/// Few mails speak of another; only for their senders all reports are looked at together.
pub fn held_keys(facts: &Facts) -> Vec<u64> {
    let mut held = keys(facts);
    let with = |what: &'static str| facts.participants.iter().map(move |who| key(&[what, who]));
    if reports(facts) {
        held.extend(with("report"));
    }
    if facts.refers_back {
        held.extend(with("back"));
    }
    held
}

/// Keys under which to look for the mails that one may join: a mail that may join it holds one of them. With
/// each the number of mails that need to be looked at.
pub fn asked_keys(facts: &Facts) -> Vec<(u64, usize)> {
    let mut asked: Vec<(u64, usize)> =
        keys(facts).into_iter().map(|key| (key, usize::MAX)).collect();
    let with = |what: &'static str| facts.participants.iter().map(move |who| key(&[what, who]));
    if reports(facts) {
        asked.extend(with("back").map(|key| (key, MAX_REPORTS)));
    }
    if facts.refers_back {
        asked.extend(with("report").map(|key| (key, MAX_REPORTS)));
    }
    asked
}

/// Whether a later mail of the sender may speak of this one. GitHub writes for everyone.
pub(super) fn reports(facts: &Facts) -> bool {
    facts.direction == Direction::In && facts.begins() && facts.ghsa.is_none()
}

/// Hashes of everything by which a mail may join others of itself: messages that may end in one case share a key
/// with each other, directly or through further messages. The value of a key is stable across versions.
fn keys(facts: &Facts) -> Vec<u64> {
    let mut keys: Vec<u64> = Vec::new();
    keys.extend(facts.message_id.iter().chain(&facts.references).map(|id| key(&["id", id])));
    if !facts.base_subject.is_empty() {
        let with = |who: &String| key(&["subject", &facts.base_subject, who]);
        keys.extend(facts.participants.iter().map(with));
    }
    keys.extend(facts.ghsa.iter().map(|ghsa| key(&["ghsa", ghsa])));
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn key(words: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for word in words {
        digest.update(word.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// An id as it is compared; `None` where nothing is left of it.
fn id(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
    match bare.len() {
        0 => None,
        1..=MAX_ID => Some(bare.to_owned()),
        _ => Some(format!("sha256:{}", hex(&Sha256::digest(bare.as_bytes())))),
    }
}

fn references(message: &Message, own: Option<&str>) -> Vec<String> {
    let returned = returned_id(message);
    let mut ids: Vec<String> = Vec::new();
    let all = message.references.iter().chain(&returned).chain(message.in_reply_to.iter().rev());
    for id in all.filter_map(|text| id(text)).filter(|id| Some(id.as_str()) != own) {
        // Bounded first: a hostile mail names a million.
        if ids.len() >= 16 * MAX_REFERENCES {
            break;
        }
        ids.push(id);
    }
    // The last mention counts: In-Reply-To moves what it names to the end.
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<String> =
        ids.into_iter().rev().filter(|id| seen.insert(id.clone())).collect();
    kept.reverse();
    if kept.len() > MAX_REFERENCES {
        kept.drain(MAX_REFERENCES / 4..kept.len() - MAX_REFERENCES * 3 / 4);
    }
    kept
}

/// Message-ID of the mail that a delivery report gives back (RFC 3462: `message/rfc822` or
/// `text/rfc822-headers`).
fn returned_id(message: &Message) -> Option<String> {
    message.automatic?;
    let part = message.parts.iter().find(|part| {
        matches!(part.content_type.as_str(), "message/rfc822" | "text/rfc822-headers")
    })?;
    let head = part.bytes.get(..part.bytes.len().min(MAX_RETURNED))?;
    let head = String::from_utf8_lossy(head);
    let field = head.lines().take_while(|line| !line.trim().is_empty()).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("message-id").then(|| value.to_owned())
    })?;
    id(&field)
}

fn participants(message: &Message, direction: Direction, ours: &Ours) -> Vec<String> {
    let outgoing = direction == Direction::Out || ours.wrote(&message.from);
    let lists: [&Vec<Address>; 2] =
        if outgoing { [&message.to, &message.cc] } else { [&message.from, &message.reply_to] };
    let mut people: Vec<String> = lists
        .into_iter()
        .flatten()
        .take(4 * MAX_PARTICIPANTS)
        .map(|mailbox| normal(&mailbox.address))
        .filter(|address| !address.is_empty() && address.len() <= MAX_ID && !ours.is(address))
        .collect();
    people.sort_unstable();
    people.dedup();
    people.truncate(MAX_PARTICIPANTS);
    people
}

/// Whether the one sender has an address of GitHub. Look-alike domains and several senders do not count.
pub(super) fn from_github(message: &Message) -> bool {
    let [sender] = message.from.as_slice() else { return false };
    let address = normal(&sender.address);
    address.rsplit_once('@').is_some_and(|(_, domain)| GITHUB.contains(&domain))
}

/// The advisory that a notification is about: the one in its subject, else the first whose page its text
/// links to.
pub(super) fn notified_ghsa(message: &Message) -> Option<String> {
    ghsa_ids(&message.subject).next().or_else(|| {
        let pages = message.text.match_indices("/security/advisories/");
        let after = |(at, found): (usize, &str)| message.text.get(at + found.len()..);
        pages.take(64).filter_map(after).find_map(ghsa_prefix)
    })
}

/// Every GHSA id of a text, canonical: `GHSA-` and three groups in lower case.
pub fn ghsa_ids(text: &str) -> impl Iterator<Item = String> {
    let starts = text.char_indices().filter(|(_, c)| matches!(c, 'G' | 'g'));
    starts.filter_map(|(at, _)| text.get(at..)).filter_map(ghsa_prefix)
}

fn ghsa_prefix(text: &str) -> Option<String> {
    let candidate = text.get(..19).filter(|candidate| candidate.is_ascii())?;
    let (head, groups) = candidate.split_at(5);
    let ended = !text.get(19..).unwrap_or_default().starts_with(|c: char| c.is_alphanumeric());
    let mut parts = groups.split('-');
    let well_formed = parts.clone().count() == 3
        && parts.all(|group| group.len() == 4 && group.bytes().all(|b| b.is_ascii_alphanumeric()));
    (head.eq_ignore_ascii_case("ghsa-") && ended && well_formed)
        .then(|| format!("GHSA-{}", groups.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Automatic, Part};

    fn mailbox(address: &str) -> Address {
        Address { name: String::new(), address: address.to_owned() }
    }

    fn read(message: &Message) -> Facts {
        let ours = Ours::new(["us@e.example"]);
        facts(message, MessageRef::of(b""), Timestamp::UNIX_EPOCH, &ours)
    }

    #[test]
    fn the_answered_mail_comes_last_and_its_own_id_never() {
        let message = Message {
            message_id: Some("own@x".into()),
            references: vec!["a@x".into(), "<own@x>".into(), "b@x".into()],
            in_reply_to: vec!["a@x".into()],
            ..Message::default()
        };
        assert_eq!(read(&message).references, ["b@x", "a@x"]);
    }

    #[test]
    fn a_long_chain_keeps_both_ends() {
        let references = (0..5_000).map(|n| format!("{n}@x")).collect();
        let kept = read(&Message { references, ..Message::default() }).references;
        assert_eq!(kept.len(), MAX_REFERENCES);
        assert_eq!(kept.first().map(String::as_str), Some("0@x"));
    }

    #[test]
    fn people_are_senders_of_what_came_and_recipients_of_what_went() {
        let mut message = Message {
            from: vec![mailbox("R@x.example")],
            to: vec![mailbox("us@e.example"), mailbox("other@x.example")],
            ..Message::default()
        };
        assert_eq!(read(&message).participants, ["r@x.example"]);
        message.from = vec![mailbox("us@e.example")];
        assert_eq!(read(&message).participants, ["other@x.example"]);
    }

    #[test]
    fn an_advisory_id_counts_from_github_only() {
        let mut message = Message {
            subject: "Re: [o/r] Hole (GHSA-AAAA-2222-cccc)".into(),
            from: vec![mailbox("notifications@github.com")],
            ..Message::default()
        };
        assert_eq!(read(&message).ghsa.as_deref(), Some("GHSA-aaaa-2222-cccc"));
        message.from = vec![mailbox("notifications@github.com.evil.example")];
        assert_eq!(read(&message).ghsa, None);
        message.from = vec![mailbox("a@github.com"), mailbox("m@evil.example")];
        assert_eq!(read(&message).ghsa, None);
    }

    #[test]
    fn ghsa_ids_have_their_form() {
        let ids: Vec<_> =
            ghsa_ids("xGHSA-1234-abcd-5678, ghsa-1-2-3 GHSA-1234-abcd-56789").collect();
        assert_eq!(ids, ["GHSA-1234-abcd-5678"]);
    }

    #[test]
    fn a_bounce_refers_to_what_it_returns() {
        let part = Part {
            index: 1,
            content_type: "text/rfc822-headers".into(),
            charset: None,
            name: None,
            safe_name: String::new(),
            attachment: false,
            size: 0,
            bytes: b"Subject: x\r\nMessage-Id: <sent@e.example>\r\n\r\nMessage-ID: <no@x>".to_vec(),
        };
        let mut message = Message { parts: vec![part], ..Message::default() };
        assert!(read(&message).references.is_empty());
        message.automatic = Some(Automatic::Bounce);
        assert_eq!(read(&message).references, ["sent@e.example"]);
    }

    #[test]
    fn mails_that_may_join_share_a_key() {
        let of = |message: &Message| held_keys(&read(message));
        let root = Message {
            message_id: Some("a@x".into()),
            subject: "Hole".into(),
            from: vec![mailbox("r@x.example")],
            ..Message::default()
        };
        let answer = Message { in_reply_to: vec!["a@x".into()], ..Message::default() };
        let bare =
            Message { subject: "AW: hole".into(), from: root.from.clone(), ..Message::default() };
        for other in [&answer, &bare] {
            assert!(of(other).iter().any(|key| of(&root).contains(key)));
        }
        assert_eq!(key(&["id", "a@x"]), 0xde6c_5bb0_e6bf_6fdc, "stable across versions");
    }
}
