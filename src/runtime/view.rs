//! From the store's records to what screens and documents show.

use super::desk::Desk;
use super::{ingest, judge};
use crate::app::case::{CaseView, MessageView, PartView};
use crate::app::row::CaseRow;
use crate::app::twin;
use crate::domain::case::Direction;
use crate::domain::hint::Reading;
use crate::mail::{self, Address, DisplayText, Message};
use crate::store::{CaseRecord, MailRecord, StoreError};

/// A case's line in the queue.
pub fn row(record: CaseRecord, unique: usize) -> CaseRow {
    let reporter =
        Address { name: record.reporter.name.clone(), address: record.reporter.address.clone() };
    let pauses = record.pauses();
    CaseRow {
        number: record.number,
        id: record.id,
        unique,
        subject_shown: DisplayText::line(&record.subject),
        subject: record.subject,
        reporter_shown: DisplayText::line(&crate::app::thread::shown_address(&reporter)),
        reporter: record.reporter,
        received: record.received,
        last: record.last,
        first_answer: record.first_answer,
        last_answer: record.last_answer,
        queued: record.queued,
        pauses,
        waiting_since: record.waiting_since,
        messages: record.messages,
        unanswered: record.unanswered,
        state: record.state,
        disposition: record.disposition,
        suggested: record.suggested,
        suggested_clauses: record.suggested_clauses,
        public: record.public,
        warned: record.warnings,
        rescued: record.rescued,
        attachments: record.attachments,
    }
}

/// Everything about a case, its mails decoded from the archive, with what is like it.
///
/// # Errors
/// If the index or the journal cannot be read. A mail whose archive record is damaged is shown as such.
pub fn case(desk: &Desk, record: CaseRecord) -> Result<CaseView, StoreError> {
    let mut view = alone(desk, record.clone())?;
    view.twins = desk.twins(&record, &view.messages)?;
    let policy = &desk.rules.policy;
    if let Some(earlier) = twin::repeats(&view.twins).cloned() {
        let hint = twin::hint(&earlier, &view, policy);
        let first = view.messages.iter_mut().find(|message| message.direction == Direction::In);
        if let (Some(hint), Some(first)) = (hint, first) {
            first.reading.hints.push(hint);
        }
        let repeats = earlier.case().map(|case| case.id.clone());
        let claims = desk.claims.known(&view.row.id);
        view.verdict = ingest::verdict(&desk.rules, &view.case, &view.readings(), repeats, claims);
    }
    Ok(view)
}

/// The same, compared with nothing.
///
/// # Errors
/// As [`case`].
pub fn alone(desk: &Desk, record: CaseRecord) -> Result<CaseView, StoreError> {
    let mails = desk.mails_of(&record)?;
    let entries = if record.pinned { desk.store.entries(&record.id)? } else { Vec::new() };
    let case = crate::domain::Case::fold(record.id.clone(), &entries);
    let mut messages: Vec<MessageView> = mails.iter().map(|mail| message(desk, mail)).collect();
    for message in &mut messages {
        message.reading.set_aside(&case.rejected_hints);
    }
    let incoming = messages.iter().filter(|message| message.direction == Direction::In);
    let readings: Vec<&Reading> = incoming.map(|message| &message.reading).collect();
    let claims = desk.claims.known(&record.id);
    let verdict = ingest::verdict(&desk.rules, &case, &readings, None, claims);
    let policy = super::pin::of(desk, &case)?;
    let returned = super::returned::of(&desk.rules, &case, &messages, &verdict);
    let (row, twins) = (desk.row(record)?, Vec::new());
    Ok(CaseView { row, case, messages, entries, verdict, policy, returned, twins })
}

fn message(desk: &Desk, record: &MailRecord) -> MessageView {
    let parsed = match desk.raw(&record.message) {
        Ok(raw) => mail::parse(&raw),
        Err(error) => Message {
            subject: record.subject.clone(),
            from: pairs(&record.from),
            to: pairs(&record.to),
            text: String::new(),
            defects: vec![mail::Defect { what: error.to_string() }],
            ..Message::default()
        },
    };
    let answer_to =
        if parsed.reply_to.is_empty() { parsed.from.clone() } else { parsed.reply_to.clone() };
    let reading = match record.judged {
        true => record.reading.clone(),
        false => judge::read(desk, &parsed, record),
    };
    let attachments = parsed.parts.iter().filter(|part| part.attachment);
    MessageView {
        id: record.message,
        direction: record.direction,
        answer_to,
        attachments: attachments
            .map(|part| PartView {
                name: part.safe_name.clone(),
                content_type: part.content_type.clone(),
                size: part.size,
                sha256: part.sha256(),
            })
            .collect(),
        from: parsed.from,
        to: parsed.to,
        subject: parsed.subject,
        message_id: parsed.message_id,
        references: parsed.references,
        date: parsed.date,
        received: record.received,
        lines: crate::app::thread::read_text(&parsed.text),
        text: parsed.text,
        text_part: parsed.text_part,
        headers: parsed.headers,
        defects: parsed.defects.into_iter().map(|defect| defect.what).collect(),
        warnings: parsed.warnings,
        reading,
        gone: record.gone,
        flags: desk.store.flags_of(record.seq).unwrap_or_default(),
        rescued: record.rescued,
        raw: None,
    }
}

fn pairs(list: &[(String, String)]) -> Vec<Address> {
    let address = |(name, address): &(String, String)| Address {
        name: name.clone(),
        address: address.clone(),
    };
    list.iter().map(address).collect()
}

/// Text of unknown origin, fit for a message.
pub fn printable(text: &str) -> String {
    DisplayText::line(text).as_str().chars().take(200).collect()
}
