//! Which way a mail went.

use super::facts::from_github;
use super::ours::Ours;
use crate::domain::case::Direction;
use crate::mail::{Automatic, Message};

/// Which way the mail went. Written by a machine comes first, so that no auto-reply, bounce or receipt
/// stops a clock.
///
/// A machine-made mail that answers nothing and comes from outside (a scanner's report, an alert) still is
/// a report to be looked at: `In`.
pub fn direction(message: &Message, ours: &Ours) -> Direction {
    let wrote = ours.wrote(&message.from);
    match message.automatic {
        Some(Automatic::Reply | Automatic::Bounce) => Direction::Automatic,
        Some(Automatic::Generated) if wrote => Direction::Automatic,
        Some(Automatic::Generated) if answers(message) && !from_github(message) => {
            Direction::Automatic
        }
        _ if wrote => Direction::Out,
        _ => Direction::In,
    }
}

fn answers(message: &Message) -> bool {
    !message.in_reply_to.is_empty() || !message.references.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;

    fn message(from: &[&str], automatic: Option<Automatic>) -> Message {
        let mailbox = |a: &&str| Address { name: String::new(), address: (*a).to_owned() };
        Message { from: from.iter().map(mailbox).collect(), automatic, ..Message::default() }
    }

    #[test]
    fn machines_first_then_sender() {
        let ours = Ours::new(["us@e.example"]);
        let of = |from: &[&str], automatic| direction(&message(from, automatic), &ours);
        assert_eq!(of(&["us@e.example"], None), Direction::Out);
        assert_eq!(of(&["r@x.example"], None), Direction::In);
        assert_eq!(of(&[], None), Direction::In);
        assert_eq!(of(&["us@e.example", "r@x.example"], None), Direction::In);
        assert_eq!(of(&["us@e.example"], Some(Automatic::Reply)), Direction::Automatic);
        assert_eq!(of(&["us@e.example"], Some(Automatic::Generated)), Direction::Automatic);
        assert_eq!(of(&["r@x.example"], Some(Automatic::Bounce)), Direction::Automatic);
    }

    #[test]
    fn a_scanners_mail_is_a_report_and_a_machines_answer_is_not() {
        let ours = Ours::new(["us@e.example"]);
        let mut mail = message(&["scan@x.example"], Some(Automatic::Generated));
        assert_eq!(direction(&mail, &ours), Direction::In);
        mail.in_reply_to.push("a@b".into());
        assert_eq!(direction(&mail, &ours), Direction::Automatic);
    }
}
