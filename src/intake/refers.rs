//! Whether a mail without references says that it belongs to an earlier report of its sender.
//!
//! "Any news on my report?", "the one that I told you about in March": people write such mails as new ones. A
//! mail that brings a finding of its own says so by a version, a vector, a request or by calling it another
//! one; it is never such a mail, whatever it mentions.

use std::sync::LazyLock;

use regex::Regex;

use crate::mail::quote::{self, LineKind};

/// Longest stretch of own words that is looked at, in bytes.
const MAX_READ: usize = 32 * 1024;

/// The sender speaks of something told to us before. ASCII word boundaries keep the search fast in any script.
const EARLIER: &str = r"(?i)(?-u:\b)(?:i|we) (?:have |had |'ve )?(?:already |once |previously )?(?:told you|reported (?:to you|it to you|in|on|last)|sent you|wrote (?:to )?you|e?-?mailed you|disclosed to you|contacted you|informed you|notified you)(?-u:\b)|(?-u:\b)(?:my|our) (?:earlier|previous|last|first|original|initial|january|february|march|april|may|june|july|august|september|october|november|december) (?:report|e-?mail|mail|message|submission|finding|disclosure)s?(?-u:\b)|(?-u:\b)(?:news|status|update|progress|word|question|regarding|about|concerning|on|after|since) (?:of |on |about )?(?:my|our) (?:report|submission|finding|disclosure)(?-u:\b)|(?-u:\b)(?:my|our) (?:report|submission|finding) (?:of|from|about|in) |(?-u:\b)meine[rnms]? (?:fr\x{fc}here|letzte|vorige|erste|damalige)\w* (?:meldung|bericht|mail|nachricht)|(?-u:\b)(?:hatte|habe) ich (?:euch|ihnen) .{0,40}(?:gemeldet|geschrieben|berichtet)|(?-u:\b)zu meine[rm] (?:meldung|bericht)|(?-u:\b)mon (?:pr\x{e9}c\x{e9}dent|dernier|premier) (?:rapport|signalement|message|courriel|mail)|(?-u:\b)je vous (?:avais|ai) (?:signal\x{e9}|\x{e9}crit|envoy\x{e9})|(?-u:\b)mi (?:informe|reporte|correo|mensaje|aviso) (?:anterior|previo|de )|(?-u:\b)les (?:inform\x{e9}|report\x{e9}|escrib\x{ed}|avis\x{e9})|(?-u:\b)(?:o )?meu (?:relat\x{f3}rio|e-?mail|aviso|relato) (?:anterior|de )|\x{6211}(?:\x{4e4b}\x{524d}|\x{4e0a}\x{6b21}|\x{66fe}).{0,8}(?:\x{62a5}\x{544a}|\x{63d0}\x{4ea4}|\x{53d1}\x{9001}|\x{53cd}\x{9988})|(?:\x{4ee5}\x{524d}|\x{5148}\x{65e5}|\x{524d}\x{56de}).{0,8}(?:\x{5831}\x{544a}|\x{304a}\x{9001}\x{308a}|\x{9023}\x{7d61})";

/// Marks of a finding of its own.
const NEW_FINDING: &str = r"(?i)CVSS:|(?-u:\b)\d{1,2}\.\d{1,3}\.\d{1,4}(?-u:\b)|(?-u:\b)(?:curl|GET|POST|PUT|DELETE) [/-]|HTTP/1|(?-u:\b)(?:another|new|second|third|different|further|unrelated|more) (?:\w+ )?(?:bugs?|issues?|vulnerabilit\w+|findings?|reports?|problems?|holes?|flaws?)(?-u:\b)|(?-u:\b)(?:weitere|neue|andere)\w* (?:schwachstelle|l\x{fc}cke|fehler)|(?-u:\b)(?:autre|nouvelle) (?:faille|vuln)|(?-u:\b)(?:otra|nueva) (?:falla|vuln)|(?-u:\b)(?:outra|nova) (?:falha|vuln)";

static EARLIER_WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EARLIER).ok());
static NEW_WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(NEW_FINDING).ok());

/// Whether the own words of a shown text speak of an earlier report and bring no finding of their own.
pub(super) fn refers_back(shown: &str) -> bool {
    let (Some(earlier), Some(new)) = (EARLIER_WORDS.as_ref(), NEW_WORDS.as_ref()) else {
        return false;
    };
    let words = own_words(shown);
    earlier.is_match(&words) && !new.is_match(&words)
}

/// What the sender wrote for this mail, on one line.
fn own_words(shown: &str) -> String {
    let mut words = String::new();
    for (line, kind) in shown.lines().zip(quote::classify(shown)) {
        if words.len() + line.len() > MAX_READ {
            break;
        }
        if kind == LineKind::Own {
            words.push_str(line.trim());
            words.push(' ');
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_report_is_meant() {
        for text in [
            "I'm writing an article and mention the one that I told you about in March.",
            "Hello, is there any news on my report? I have\nheard nothing.",
            "gibt es etwas Neues zu meiner Meldung?",
            "Hatte ich euch im Mai nicht einen Fehler gemeldet? Was ist daraus geworden?",
            "Je vous avais signal\u{e9} une faille au printemps.",
            "\u{6211}\u{4e4b}\u{524d}\u{62a5}\u{544a}\u{7684}\u{6f0f}\u{6d1e}\u{6709}\u{8fdb}\u{5c55}\u{5417}\u{ff1f}",
            "\u{5148}\u{65e5}\u{3054}\u{5831}\u{544a}\u{3057}\u{305f}\u{4ef6}\u{3067}\u{3059}\u{3002}",
        ] {
            assert!(refers_back(text), "{text}");
        }
        assert!(EARLIER_WORDS.is_some() && NEW_WORDS.is_some());
    }

    #[test]
    fn a_finding_of_its_own_is_a_new_report() {
        for text in [
            "Like my earlier report, but another bug: the camera is open.",
            "As I told you in May, 1.4.2 leaks keys. So does the job route: curl -i http://x/api/job",
            "I reported it to the vendor of the box, who is silent.",
            "Please find my report attached.",
            "> any news on my report?\nNo, this is something else.",
        ] {
            assert!(!refers_back(text), "{text}");
        }
    }
}
