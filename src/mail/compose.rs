//! Bytes of a reply from typed fields.
//!
//! Owns: which header fields an outgoing mail has, and that nothing in a field's text can add another one.
//! Absent on purpose: templates (see `reply`), sending, the clock and the invention of Message-IDs.

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;

use crate::mail::Address;
use crate::mail::display::{head, is_bidi};
use crate::mail::subject::is_reply;

/// Ids kept in References: the first and the newest. Enough for any thread, and the field stays below the
/// lengths that servers refuse.
const REFERENCES_MAX: usize = 40;
/// Longest id, subject, name or address that is written, in bytes.
const FIELD_BYTES_MAX: usize = 900;
/// Recipients written per field.
const RECIPIENTS_MAX: usize = 100;

/// A mail that is to be written. All text is taken as hostile: it may come from the mail that is answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The sender.
    pub from: Address,
    /// Recipients.
    pub to: Vec<Address>,
    /// Recipients of a copy.
    pub cc: Vec<Address>,
    /// Subject, not encoded.
    pub subject: String,
    /// Plain text body; any line ends.
    pub text: String,
    /// Message-ID of the answered mail, without angle brackets.
    pub in_reply_to: Option<String>,
    /// References of the answered mail, oldest first, without its own id (which [`Outgoing::build`] adds).
    pub references: Vec<String>,
    /// Value of the Date field, written in UTC.
    pub date: Timestamp,
    /// Message-ID without angle brackets.
    pub message_id: String,
}

impl std::fmt::Debug for Outgoing {
    /// Sizes only: a draft must not reach a log by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Outgoing({} recipients, {} bytes of text)",
            self.to.len() + self.cc.len(),
            self.text.len()
        )
    }
}

impl Outgoing {
    /// The mail as bytes: CRLF line ends, ASCII only unless an address is not, body in UTF-8.
    ///
    /// Controls in any field become spaces, so the header has exactly these fields: From, To, Cc (if any),
    /// Subject, Date, Message-ID, In-Reply-To and References (if any; RFC 5322 section 3.6.4), MIME-Version,
    /// Content-Type, Content-Transfer-Encoding.
    pub fn build(&self) -> Vec<u8> {
        let mut mail = MessageBuilder::new().from(mailbox(&self.from));
        if !self.to.is_empty() {
            mail = mail.to(mailboxes(&self.to));
        }
        if !self.cc.is_empty() {
            mail = mail.cc(mailboxes(&self.cc));
        }
        mail = mail
            .subject(plain(&self.subject))
            .date(Date::new(self.date.as_second()))
            .message_id(or_unknown(id(&self.message_id)));
        if let Some(parent) =
            self.in_reply_to.as_deref().map(id).filter(|parent| !parent.is_empty())
        {
            mail = mail.in_reply_to(parent);
        }
        let references = self.reference_ids();
        if !references.is_empty() {
            mail =
                mail.references(MessageId { id: references.into_iter().map(Into::into).collect() });
        }
        let mut bytes = Vec::new();
        mail.text_body(body(&self.text)).serialize(&mut bytes);
        bytes
    }

    /// The parent's references and the parent's id, each once; the first and the newest if there are too many.
    fn reference_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for given in self.references.iter().chain(&self.in_reply_to) {
            let given = id(given);
            if !given.is_empty() {
                ids.retain(|known| *known != given);
                ids.push(given);
                if ids.len() > REFERENCES_MAX {
                    ids.remove(1);
                }
            }
        }
        ids
    }
}

/// The subject of an answer: `Re: ` before the subject, unless a reply mark is there already.
pub fn reply_subject(subject: &str) -> String {
    let subject = plain(subject);
    if is_reply(&subject) { subject } else { format!("Re: {subject}").trim_end().to_owned() }
}

fn mailboxes(list: &[Address]) -> Mailbox<'static> {
    Mailbox::new_list(list.iter().take(RECIPIENTS_MAX).map(mailbox).collect())
}

fn mailbox(address: &Address) -> Mailbox<'static> {
    let name = display_name(&address.name);
    Mailbox::new_address((!name.is_empty()).then_some(name), addr_spec(&address.address))
}

/// A display name; what looks like an encoded word in it would be decoded once more by readers.
fn display_name(given: &str) -> String {
    plain(&given.replace("=?", "= ?"))
}

/// An address without anything that could end it early or start another.
fn addr_spec(given: &str) -> String {
    let kept: String =
        given.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !is_bidi(*c)).collect();
    let kept: String = kept
        .chars()
        .filter(|c| !matches!(c, '<' | '>' | ',' | ';' | ':' | '(' | ')' | '"' | '\\'))
        .collect();
    head(&kept, FIELD_BYTES_MAX).to_owned()
}

/// An id without brackets, white space and controls.
fn id(given: &str) -> String {
    let kept: String =
        given.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>')).collect();
    head(&kept, FIELD_BYTES_MAX).to_owned()
}

fn or_unknown(id: String) -> String {
    if id.is_empty() { "unknown@invalid".to_owned() } else { id }
}

/// Field text: controls and bidirectional controls become spaces, white space is folded.
fn plain(given: &str) -> String {
    let spaced: String = head(given, FIELD_BYTES_MAX)
        .chars()
        .map(|c| {
            if c.is_control() || is_bidi(c) || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Body text with CRLF line ends and a final one; controls other than tab become visible question marks.
fn body(given: &str) -> String {
    let mut out = String::with_capacity(given.len() + 64);
    for line in given.lines() {
        out.extend(line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(name: &str, address: &str) -> Address {
        Address { name: name.to_owned(), address: address.to_owned() }
    }

    fn sample() -> Outgoing {
        Outgoing {
            from: address("Maintainer", "security@project.example"),
            to: vec![address("Jörg Müller", "joerg@reporter.example")],
            cc: Vec::new(),
            subject: "Re: Lücke in der Anmeldung".to_owned(),
            text: "Hallo Jörg,\n\ndanke.\nFrom here: =3D\n.\n".to_owned(),
            in_reply_to: Some("b@reporter.example".to_owned()),
            references: vec!["a@reporter.example".to_owned()],
            date: "2026-10-15T10:00:00Z".parse().unwrap(),
            message_id: "m1@project.example".to_owned(),
        }
    }

    #[test]
    fn reads_back_as_written() {
        let bytes = sample().build();
        let mail = crate::mail::parse(&bytes);
        assert_eq!(mail.from, [sample().from]);
        assert_eq!(mail.to, sample().to);
        assert_eq!(mail.subject, sample().subject);
        assert_eq!(mail.text, sample().text.trim_end());
        assert_eq!(mail.date, Some(sample().date));
        assert_eq!(mail.in_reply_to, ["b@reporter.example"]);
        assert_eq!(mail.references, ["a@reporter.example", "b@reporter.example"]);
        assert_eq!(mail.message_id.as_deref(), Some("m1@project.example"));
        assert_eq!(
            (mail.defects.as_slice(), mail.warnings.as_slice()),
            ([].as_slice(), [].as_slice())
        );
        assert!(bytes.is_ascii());
        assert_eq!(
            bytes.iter().filter(|&&b| b == b'\n').count(),
            bytes.windows(2).filter(|w| w == b"\r\n").count()
        );
    }

    #[test]
    fn nothing_adds_a_field() {
        let mut mail = sample();
        mail.subject = "hi\r\nBcc: spy@evil.example\0".to_owned();
        mail.to = vec![address("A\r\nX-Evil: 1", "a@x.example>\r\nBcc: b@y.example")];
        mail.message_id = "x@y\r\nBcc: z".to_owned();
        let read = crate::mail::parse(&mail.build());
        assert!(read.header("Bcc").is_none() && read.header("X-Evil").is_none());
        assert_eq!(read.subject, "hi Bcc: spy@evil.example");
        assert_eq!(read.to.len(), 1);
    }

    #[test]
    fn bounds_references() {
        let mut mail = sample();
        mail.references = (0..100).map(|n| format!("{n}@x.example")).collect();
        let ids = mail.reference_ids();
        assert_eq!(ids.len(), REFERENCES_MAX);
        assert_eq!(ids.first().unwrap(), "0@x.example");
        assert_eq!(ids.last().unwrap(), "b@reporter.example");
    }

    #[test]
    fn marks_a_reply_once() {
        assert_eq!(reply_subject("XSS"), "Re: XSS");
        assert_eq!(reply_subject("RE: XSS"), "RE: XSS");
        assert_eq!(reply_subject("Aw: XSS"), "Aw: XSS");
        assert_eq!(reply_subject("Fwd: XSS"), "Re: Fwd: XSS");
        assert_eq!(reply_subject("Ref: 12"), "Re: Ref: 12");
        assert_eq!(reply_subject("a\r\nb"), "Re: a b");
        assert_eq!(reply_subject(""), "Re:");
    }

    proptest! {
        #[test]
        fn has_exactly_the_intended_fields(
            words in prop::collection::vec("(\\PC|[\r\n\0\u{1b}<>\",:;()\\\\ =?@\u{202e}]){0,60}", 10),
        ) {
            let [name, local, to_name, to, cc, subject, text, parent, reference, id] = words.try_into().unwrap();
            let mail = Outgoing {
                from: address(&name, &format!("{local}@x.example")),
                to: vec![address(&to_name, &to), address("", "b@y.example")],
                cc: vec![address(&cc, "c@z.example")],
                subject, text,
                in_reply_to: Some(format!("p{parent}@x")),
                references: vec![format!("r{reference}@x")],
                date: Timestamp::UNIX_EPOCH,
                message_id: format!("i{id}@x"),
            };
            let read = crate::mail::parse(&mail.build());
            let names: Vec<&str> = read.headers.iter().map(|(name, _)| name.as_str()).collect();
            prop_assert_eq!(names, ["From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
                "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]);
            prop_assert_eq!(&read.subject, &plain(&mail.subject));
            prop_assert_eq!(read.from.len(), 1);
            prop_assert_eq!(&read.from[0].name, &display_name(&mail.from.name));
            prop_assert_eq!(read.cc.len(), 1);
            prop_assert_eq!(read.message_id, Some(super::id(&mail.message_id)));
            prop_assert_eq!(read.in_reply_to.len(), 1);
        }
    }
}
