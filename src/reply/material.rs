//! What a template is filled with.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::case::Reporter;
use crate::domain::policy::Policy;
use crate::domain::policy_text::PolicyText;
use crate::domain::text::one_line;
use crate::domain::{CaseId, ClauseId};

/// A clause of the policy as a reply quotes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Which.
    pub clause: ClauseId,
    /// Heading of its section.
    pub section: String,
    /// Its sentences, byte for byte; empty without a policy text, then heading and link stand in.
    pub sentences: Vec<String>,
    /// Where it can be read.
    pub link: String,
}

/// A policy with its text, to quote from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its data.
    pub policy: &'a Policy,
    /// Its text, where one is at hand.
    pub text: Option<&'a PolicyText>,
}

/// Which policy the report was judged by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicyStamp {
    /// Where it is published.
    pub url: String,
    /// Its date as it says itself; empty where unknown.
    pub date: String,
    /// SHA-256 in hexadecimal; the first twelve digits are shown.
    pub hash: String,
}

/// Our score, in words for the reporter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScoreNote {
    /// Our vector.
    pub vector: String,
    /// Base score in tenths.
    pub tenths: u16,
    /// Severity word as the policy says it, such as Moderate.
    pub severity: String,
    /// The policy's highest attack vector in words, where its cap made the score differ from the reporter's.
    pub cap: Option<String>,
}

/// Everything that templates may use.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplyMaterial {
    /// Our file on it.
    pub case: CaseId,
    /// Who wrote to us.
    pub reporter: Reporter,
    /// Subject of their mail.
    pub subject: String,
    /// The product.
    pub product: String,
    /// When the report came in.
    pub received: Timestamp,
    /// Zone in which dates are written.
    pub zone: TimeZone,
    /// End of the embargo; `None` where there is none.
    pub embargo_until: Option<Timestamp>,
    /// Clauses, strongest first.
    pub clauses: Vec<Quote>,
    /// The maintainer's reason, in their own words.
    pub reason: Option<String>,
    /// Lines of the reporter's mail that the decision rests on.
    pub evidence: Vec<String>,
    /// Points that only the reporter can give.
    pub missing: Vec<String>,
    /// Our score, once there is one.
    pub score: Option<ScoreNote>,
    /// Whether a CVE id will be asked for; `None` while open.
    pub cve_planned: Option<bool>,
    /// When we first learned of it (duplicates).
    pub known_since: Option<Timestamp>,
    /// Where it is public already.
    pub public_link: Option<String>,
    /// The library whose maintainers are to be told.
    pub upstream: Option<String>,
    /// How the reporter wants to be credited; `None` while not asked.
    pub credit: Option<String>,
    /// The policy.
    pub policy: PolicyStamp,
    /// Whose name stands below.
    pub signature: String,
}

/// Most characters of a name, a subject and a quoted line.
const MOST: (usize, usize, usize) = (60, 120, 300);

impl ReplyMaterial {
    /// The least that every reply needs; dates in UTC.
    pub fn new(
        case: CaseId,
        reporter: Reporter,
        subject: impl Into<String>,
        received: Timestamp,
        policy: &Policy,
    ) -> Self {
        Self {
            case,
            reporter,
            subject: subject.into(),
            product: policy.product.clone(),
            received,
            zone: TimeZone::UTC,
            embargo_until: None,
            clauses: Vec::new(),
            reason: None,
            evidence: Vec::new(),
            missing: Vec::new(),
            score: None,
            cve_planned: None,
            known_since: None,
            public_link: None,
            upstream: None,
            credit: None,
            policy: PolicyStamp {
                url: policy.url.clone(),
                date: String::new(),
                hash: policy.hash.clone(),
            },
            signature: String::new(),
        }
    }

    /// Adds clauses in this order, each by the first policy that knows it, with that policy's own sentences where a text
    /// has them. The first policy is the one that the report is judged by, and gives the stamp.
    #[must_use]
    pub fn with_clauses(mut self, clauses: &[ClauseId], sources: &[Source<'_>]) -> Self {
        for clause in clauses {
            let knows = |source: &&Source<'_>| !source.policy.items_of(clause).is_empty();
            let Some(source) = sources.iter().find(knows).or(sources.first()) else { break };
            let items = source.policy.items_of(clause);
            let section = items.first().map_or("", |item| item.section.as_str());
            let mut sentences: Vec<String> = Vec::new();
            for hash in items.iter().flat_map(|item| &item.sentences) {
                let texts = source.text.into_iter().chain(sources.iter().filter_map(|s| s.text));
                let found = texts.filter_map(|text| text.sentence_named(hash)).next();
                if let Some(sentence) = found.filter(|s| !sentences.iter().any(|known| known == s))
                {
                    sentences.push(sentence.to_owned());
                }
            }
            self.clauses.push(Quote {
                clause: clause.clone(),
                section: section.to_owned(),
                sentences,
                link: format!("{}{}", source.policy.url, anchor(section)),
            });
        }
        if let Some(source) = sources.first() {
            let text = source.text;
            self.policy.hash = text.map_or(&*source.policy.hash, PolicyText::hash).to_owned();
            self.policy.date = text.and_then(PolicyText::date).unwrap_or_default().to_owned();
        }
        self
    }

    /// `Re:` and the reporter's subject without reply marks.
    pub(super) fn reply_subject(&self) -> String {
        let line = self.plain_subject();
        if line.is_empty() { "Re: your report".into() } else { format!("Re: {line}") }
    }

    /// The subject on one line without reply marks.
    pub(super) fn plain_subject(&self) -> String {
        let line = one_line(&self.subject, MOST.1);
        let mut rest = line.as_str();
        while let Some(mark) = ["re:", "aw:", "fwd:", "fw:", "wg:"].into_iter().find(|mark| {
            rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
        }) {
            rest = rest.get(mark.len()..).unwrap_or("").trim_start();
        }
        rest.to_owned()
    }

    /// The reporter's name for a greeting; `None` where it is empty, or is an address, a link or worse.
    pub(super) fn greeting_name(&self) -> Option<String> {
        let name = one_line(&self.reporter.name, MOST.0);
        let name = name.trim_matches(['"', '\'', ' ']);
        let suspicious = ["@", "://", "www.", "<", ">", "{", "}"];
        let plain = !name.is_empty() && !suspicious.iter().any(|mark| name.contains(mark));
        plain.then(|| name.to_owned())
    }

    /// A date with its zone, such as `2026-06-02 11:15 CEST`.
    pub(super) fn date(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// Evidence lines, made safe to quote; at most five.
    pub(super) fn quoted_lines(&self) -> Vec<String> {
        self.evidence
            .iter()
            .flat_map(|text| text.lines())
            .map(|line| one_line(line, MOST.2))
            .filter(|line| !line.is_empty())
            .take(5)
            .collect()
    }
}

/// The fragment that Markdown renderers give a heading; empty for none.
fn anchor(section: &str) -> String {
    let slug: String = section
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
        .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect();
    if slug.is_empty() { slug } else { format!("#{slug}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageRef;
    use crate::domain::test_support::policy;

    #[test]
    fn clauses_without_text_keep_heading_and_link() {
        let mut policy = policy();
        policy.items[1].section = "What & why not".into();
        let case = CaseId::derive(None, &MessageRef::of(b""));
        let material =
            ReplyMaterial::new(case, Reporter::default(), "", Timestamp::UNIX_EPOCH, &policy)
                .with_clauses(&["Q2".into()], &[Source { policy: &policy, text: None }]);
        let quote = &material.clauses[0];
        assert_eq!(quote.section, "What & why not");
        assert_eq!(quote.link, "https://widget.example/security#what--why-not");
        assert!(quote.sentences.is_empty());
    }
}
