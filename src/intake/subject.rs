//! Subjects without the prefixes that mail programs put before them.

/// Prefixes of answers and forwards, lower case, without the colon. Besides English: German, Dutch,
/// Scandinavian, French, Italian, Spanish, Portuguese, Polish, Czech, Turkish, Finnish, Chinese, Japanese,
/// Korean.
const PREFIXES: [&str; 52] = [
    "re",
    "aw",
    "antw",
    "antwort",
    "sv",
    "vs",
    "vl",
    "vb",
    "odp",
    "pd",
    "res",
    "rv",
    "ref",
    "rif",
    "r",
    "i",
    "fw",
    "fwd",
    "wg",
    "tr",
    "enc",
    "trs",
    "doorst",
    "bls",
    "blz",
    "ynt",
    "ilt",
    "továb",
    "回复",
    "答复",
    "回覆",
    "转发",
    "轉寄",
    "返信",
    "転送",
    "回信",
    "回",
    "답장",
    "전달",
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
    "risposta automatica",
    "自动回复",
    "自動返信",
];

/// Tags that gateways put before subjects and that say nothing about the thread.
const TAGS: [&str; 6] = ["[ext]", "[external]", "[extern]", "[externe]", "[externo]", "[spam]"];

/// Rounds of prefix removal; more than any real subject carries.
const MAX_PREFIXES: usize = 32;

/// Longest base subject kept, in characters.
const MAX_BASE: usize = 250;

/// The subject as threads compare it (lower case, white space folded, without prefixes), and whether an
/// answer or forward prefix was there. Like RFC 5256 §2.1, with the prefixes of other languages.
pub fn base(subject: &str) -> (String, bool) {
    let visible: String =
        subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(4 * MAX_BASE).collect();
    let folded = visible.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let (mut rest, mut is_reply) = (folded.as_str(), false);
    for _ in 0..MAX_PREFIXES {
        if let Some(shorter) = TAGS.iter().find_map(|tag| rest.strip_prefix(tag)) {
            rest = shorter.trim_start();
        } else if let Some(shorter) = without_prefix(rest) {
            (rest, is_reply) = (shorter, true);
        } else {
            break;
        }
    }
    (rest.trim().chars().take(MAX_BASE).collect(), is_reply)
}

/// What follows `re:`, `re[2]:`, `re (3):` or `回复:` with either colon.
fn without_prefix(subject: &str) -> Option<&str> {
    let colon = subject.find([':', '\u{ff1a}'])?;
    let (head, tail) = subject.split_at(colon);
    let word = head.trim_end_matches(|c: char| "[]()0123456789 ^*".contains(c));
    let known = PREFIXES.contains(&word);
    known.then(|| tail.trim_start_matches([':', '\u{ff1a}']).trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_every_language_go() {
        for subject in [
            "Re: hole",
            "RE: AW: hole",
            "Aw: Re[2]: hole",
            "Fwd: WG: TR: hole",
            "回复：hole",
            "転送: [Ext] Re (3): hole",
            "Automatic reply: hole",
        ] {
            assert_eq!(base(subject), ("hole".to_owned(), true), "{subject}");
        }
    }

    #[test]
    fn a_subject_of_its_own_stays() {
        assert_eq!(base("XSS: in the log"), ("xss: in the log".to_owned(), false));
        assert_eq!(base("[EXT]  Two\r\n words"), ("two words".to_owned(), false));
        assert_eq!(base("Re:"), (String::new(), true));
        assert_eq!(base(""), (String::new(), false));
    }

    #[test]
    fn endless_prefixes_end() {
        assert!(base(&"re: ".repeat(100_000)).0.len() <= 4 * MAX_BASE);
    }
}
