//! Keys of the index: one tree, one prefix byte per kind, numbers big-endian so that order is by number.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::domain::{CaseId, MessageRef};

/// The meta record: the only one outside the digest.
pub const META: &[u8] = b"!";
pub const MAIL: u8 = b'm';
pub const CASE: u8 = b'c';
pub const CASE_ID: u8 = b'i';
pub const QUEUE: u8 = b'q';
pub const UNJUDGED: u8 = b't';
pub const READING: u8 = b'r';
pub const NEAR: u8 = b'n';
pub const PIN: u8 = b'p';
pub const ALIAS: u8 = b'a';
pub const REGROUPED: u8 = b'g';
pub const PRECEDENT: u8 = b'k';
pub const FLAGS: u8 = b'f';

fn join(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub fn mail(seq: u64) -> Vec<u8> {
    join(MAIL, &[&seq.to_be_bytes()])
}

pub fn unjudged(seq: u64) -> Vec<u8> {
    join(UNJUDGED, &[&seq.to_be_bytes()])
}

/// What the rules read out of the mail `seq`.
pub fn reading(seq: u64) -> Vec<u8> {
    join(READING, &[&seq.to_be_bytes()])
}

/// Half of the name is enough to find the one mail that may have it.
pub fn message(message: &MessageRef) -> Vec<u8> {
    join(b'h', &[message.digest().get(..16).unwrap_or_default()])
}

/// Mailbox names have any length; sled keys had better not.
fn mailbox_tag(mailbox: &str) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(mailbox.as_bytes()).into();
    let mut tag = [0; 8];
    tag.copy_from_slice(&digest[..8]);
    tag
}

pub fn uid(mailbox: &str, uid_validity: u32, uid: u32) -> Vec<u8> {
    let tag = mailbox_tag(mailbox);
    join(b'u', &[&tag, &uid_validity.to_be_bytes(), &uid.to_be_bytes()])
}

/// Begin of the keys of all messages of the server under one UIDVALIDITY.
pub fn uids(mailbox: &str, uid_validity: u32) -> Vec<u8> {
    join(b'u', &[&mailbox_tag(mailbox), &uid_validity.to_be_bytes()])
}

/// Begin of the keys of all messages of a mailbox.
pub fn mailbox_uids(mailbox: &str) -> Vec<u8> {
    join(b'u', &[&mailbox_tag(mailbox)])
}

/// The UIDVALIDITY in a key made by [`uid`].
pub fn uid_validity_of(key: &[u8]) -> Option<u32> {
    uid_of(key.get(..key.len().checked_sub(4)?)?)
}

/// The UID in a key made by [`uid`].
pub fn uid_of(key: &[u8]) -> Option<u32> {
    let bytes = key.get(key.len().checked_sub(4)?..)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// Flags of a message of the server, where it has any.
pub fn flags(mailbox: &str, uid_validity: u32, uid: u32) -> Vec<u8> {
    let tag = mailbox_tag(mailbox);
    join(FLAGS, &[&tag, &uid_validity.to_be_bytes(), &uid.to_be_bytes()])
}

/// The key made by [`flags`] for the message in a key made by [`place`].
pub fn flags_at(place: &[u8]) -> Vec<u8> {
    join(FLAGS, &[place.get(9..).unwrap_or_default()])
}

/// Begin of the keys that say where on the server a mail is.
pub fn places(seq: u64) -> Vec<u8> {
    join(b'w', &[&seq.to_be_bytes()])
}

/// Says that the mail is this message of the server: the way back from [`uid`].
pub fn place(seq: u64, mailbox: &str, uid_validity: u32, uid: u32) -> Vec<u8> {
    let tag = mailbox_tag(mailbox);
    join(b'w', &[&seq.to_be_bytes(), &tag, &uid_validity.to_be_bytes(), &uid.to_be_bytes()])
}

pub fn cursor(mailbox: &str) -> Vec<u8> {
    join(b's', &[&mailbox_tag(mailbox)])
}

pub fn join_prefix(key: u64) -> Vec<u8> {
    join(b'j', &[&key.to_be_bytes()])
}

pub fn join_entry(key: u64, seq: u64) -> Vec<u8> {
    let seq = seq.to_be_bytes();
    // There are many of these: the number without its zeros, and, so that order stays that of numbers, how long it is.
    let zeros = seq.iter().take_while(|byte| **byte == 0).count();
    let digits = seq.get(zeros..).unwrap_or_default();
    join(b'j', &[&key.to_be_bytes(), &[digits.len() as u8], digits])
}

/// The number in a key made by [`join_entry`].
pub fn joined(key: &[u8]) -> Option<u64> {
    let digits = key.get(10..).filter(|digits| digits.len() <= 8)?;
    Some(digits.iter().fold(0, |seq, byte| seq << 8 | u64::from(*byte)))
}

pub fn case(number: u64) -> Vec<u8> {
    join(CASE, &[&number.to_be_bytes()])
}

pub fn case_id(prefix: &str) -> Vec<u8> {
    join(CASE_ID, &[prefix.as_bytes()])
}

/// Newest activity first, then highest number first.
pub fn queue(last: Timestamp, number: u64) -> Vec<u8> {
    // Flipping the sign bit orders signed numbers as unsigned ones; flipping all others turns the order round.
    let newest_first = last.as_millisecond().cast_unsigned() ^ (u64::MAX >> 1);
    join(QUEUE, &[&newest_first.to_be_bytes(), &(!number).to_be_bytes()])
}

pub fn entries(case: &CaseId) -> Vec<u8> {
    join(b'e', &[case.as_str().as_bytes()])
}

pub fn entry(case: &CaseId, seq: u64) -> Vec<u8> {
    join(b'e', &[case.as_str().as_bytes(), &seq.to_be_bytes()])
}

/// What the mail `seq` is compared by.
pub fn near(seq: u64) -> Vec<u8> {
    join(NEAR, &[&seq.to_be_bytes()])
}

/// The case that a mail was put into by hand.
pub fn pin(message: &MessageRef) -> Vec<u8> {
    join(PIN, &[message.digest()])
}

/// The case that has the mails of a merged one.
pub fn alias(prefix: &str) -> Vec<u8> {
    join(ALIAS, &[prefix.as_bytes()])
}

/// A case with entries that merge or split.
pub fn regrouped(case: &CaseId) -> Vec<u8> {
    join(REGROUPED, &[case.as_str().as_bytes()])
}

/// A published record, by its key in the journal.
pub fn precedent(key: &CaseId) -> Vec<u8> {
    join(PRECEDENT, &[key.as_str().as_bytes()])
}

/// The letters behind the prefix byte, as of a case.
pub fn case_of(key: &[u8]) -> Option<CaseId> {
    CaseId::parse(std::str::from_utf8(key.get(1..)?).ok()?)
}

/// The number in the last eight bytes.
pub fn last_number(key: &[u8]) -> Option<u64> {
    let bytes = key.get(key.len().checked_sub(8)?..)?;
    bytes.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_share_a_prefix() {
        let (message, case) = (MessageRef::of(b""), CaseId::of_precedent("x"));
        let kinds = [
            META.to_vec(),
            mail(1),
            unjudged(1),
            reading(1),
            super::message(&message),
            uid("", 1, 1),
            flags("", 1, 1),
            place(1, "", 1, 1),
            cursor(""),
            join_entry(1, 1),
            super::case(1),
            case_id(case.as_str()),
            queue(Timestamp::UNIX_EPOCH, 1),
            entry(&case, 1),
            near(1),
            pin(&message),
            alias(case.as_str()),
            regrouped(&case),
            precedent(&case),
        ];
        let prefixes: std::collections::BTreeSet<u8> = kinds.iter().map(|key| key[0]).collect();
        assert_eq!(prefixes.len(), kinds.len());
    }

    #[test]
    fn flags_are_found_from_a_place() {
        assert_eq!(flags_at(&place(300, "INBOX", 7, 9)), flags("INBOX", 7, 9));
    }

    #[test]
    fn the_queue_runs_from_new_to_old() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        let order = [(at(5), 1), (at(1), 9), (at(1), 2), (at(0), 3), (at(-1), 4), (at(-9), 5)];
        let keys: Vec<_> = order.iter().map(|(last, number)| queue(*last, *number)).collect();
        assert!(keys.is_sorted());
        assert_eq!(last_number(&mail(7)), Some(7));
    }

    #[test]
    fn numbers_of_joined_mails_keep_their_order() {
        let numbers = [0, 1, 255, 256, 70_000, u64::MAX];
        let keys = numbers.map(|seq| join_entry(9, seq));
        assert!(keys.is_sorted());
        assert_eq!(keys.map(|key| joined(&key)), numbers.map(Some));
    }
}
