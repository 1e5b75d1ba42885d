//! Mail written by machines (RFC 3834, RFC 3464, and the habits from before them).

use crate::mail::{Automatic, Message};

use super::fields::Block;

/// Why a message counts as automatic, if it does. `report_type` is the parameter of multipart/report.
pub(super) fn detect(
    block: &Block,
    message: &Message,
    report_type: Option<&str>,
) -> Option<Automatic> {
    let value = |name: &str| block.value(name).unwrap_or_default().trim().to_ascii_lowercase();
    let is_report = report_type.is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"))
        || message.parts.iter().any(|part| part.content_type == "message/delivery-status");
    if is_report || is_from_daemon(message) {
        return Some(Automatic::Bounce);
    }
    let submitted = value("Auto-Submitted");
    let word = submitted.split([';', ' ', '(']).next().unwrap_or_default();
    if word == "auto-replied"
        || value("Precedence") == "auto_reply"
        || has_any(block, &["X-Autoreply", "X-Autorespond"])
    {
        return Some(Automatic::Reply);
    }
    let suppress = value("X-Auto-Response-Suppress");
    let suppressed = !suppress.is_empty() && suppress != "none";
    let absent = [
        "automatic reply",
        "auto:",
        "out of office",
        "autoreply",
        "abwesend",
        "automatische antwort",
    ];
    let subject = crate::mail::display::head(&message.subject, 200).to_lowercase();
    let null_path = value("Return-Path") == "<>";
    if (suppressed || null_path) && absent.iter().any(|start| subject.starts_with(start)) {
        return Some(Automatic::Reply);
    }
    if report_type.is_some_and(|kind| kind.eq_ignore_ascii_case("disposition-notification"))
        || null_path
    {
        return Some(Automatic::Reply);
    }
    let generated = !word.is_empty() && word != "no";
    (generated || suppressed).then_some(Automatic::Generated)
}

fn has_any(block: &Block, names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| block.value(name).is_some_and(|value| !value.trim().eq_ignore_ascii_case("no")))
}

fn is_from_daemon(message: &Message) -> bool {
    message.from.iter().take(5).any(|from| {
        let local = from.address.split('@').next().unwrap_or_default();
        local.eq_ignore_ascii_case("mailer-daemon")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_machines() {
        use Automatic::{Bounce, Generated, Reply};
        for (header, expected) in [
            ("From: a@b.example", None),
            ("From: a@b.example\nAuto-Submitted: no", None),
            ("From: a@b.example\nAuto-Submitted: auto-replied; x", Some(Reply)),
            ("From: a@b.example\nAuto-Submitted: auto-generated", Some(Generated)),
            ("From: a@b.example\nPrecedence: auto_reply", Some(Reply)),
            (
                "From: a@b.example\nSubject: Automatic reply: x\nX-Auto-Response-Suppress: All",
                Some(Reply),
            ),
            ("From: a@b.example\nX-Auto-Response-Suppress: All", Some(Generated)),
            ("From: MAILER-DAEMON@b.example", Some(Bounce)),
            (
                "From: a@b.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
                Some(Bounce),
            ),
            ("From: a@b.example\nReturn-Path: <>", Some(Reply)),
        ] {
            assert_eq!(
                crate::mail::parse(format!("{header}\n\nx").as_bytes()).automatic,
                expected,
                "{header}"
            );
        }
    }
}
