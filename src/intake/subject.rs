//! Subjects as threads compare them.

use crate::mail::subject::base_subject;

/// What mail programs put before the subject of an automatic answer, lower case.
const AUTOMATIC: [&str; 11] = [
    "automatic reply",
    "auto reply",
    "autoreply",
    "auto",
    "out of office",
    "automatische antwort",
    "abwesenheitsnotiz",
    "réponse automatique",
    "respuesta automática",
    "resposta automática",
    "自動返信",
];

/// Longest base subject kept, in characters.
const MAX_BASE: usize = 250;

/// The subject without marks of answers, forwards, lists and automatic answers, and whether an answer of any
/// kind was marked.
pub fn base(subject: &str) -> (String, bool) {
    let (mut rest, mut is_reply) = base_subject(subject);
    let inner = rest
        .split_once([':', '\u{ff1a}'])
        .and_then(|(head, tail)| AUTOMATIC.contains(&head.trim()).then(|| base_subject(tail).0));
    if let Some(inner) = inner {
        (rest, is_reply) = (inner, true);
    }
    (rest.trim().chars().take(MAX_BASE).collect(), is_reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_automatic_answer_has_the_subject_that_it_answers() {
        for subject in ["Automatic reply: Re: hole", "Abwesenheitsnotiz: hole", "Re: AUTO: hole"] {
            assert_eq!(base(subject), ("hole".to_owned(), true), "{subject}");
        }
        assert_eq!(base("XSS: in the log"), ("xss: in the log".to_owned(), false));
    }

    #[test]
    fn a_long_subject_is_cut() {
        assert!(base(&"word ".repeat(100_000)).0.chars().count() <= MAX_BASE);
    }
}
