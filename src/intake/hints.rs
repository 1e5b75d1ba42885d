//! What rules read out of a mail: proposed answers, vectors, versions, flags.
//!
//! Owns: how a rule of the policy file is applied and what is worked out in code because no pattern can.
//! Absent on purpose: the patterns (they are data beside the policy) and the verdict (`domain`). A rule
//! looks at sentences that the sender wrote for this mail: quotations and signature are left out. Read
//! next: [`own`], [`vectors`], [`versions`], [`absence`], [`traps`].

mod absence;
mod denied;
mod letters;
mod own;
mod pattern;
mod sieve;
mod traps;
mod tree;
mod vectors;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::facts::{from_github, ghsa_ids, notified_ghsa};
use crate::domain::case::Direction;
use crate::domain::hint::{AiUse, Flags, Hint, Reading};
use crate::domain::journal::AnswerValue;
use crate::domain::policy::{HintRule, ItemKind, Outcome, Place, Policy};
use crate::domain::policy_text::sentence_hash;
use crate::domain::{ClauseId, Evidence, MessageRef};
use crate::mail::{Message, Warning};
use denied::Denied;
use letters::{Letters, Words};
use own::Own;
use pattern::Pattern;
use sieve::{Alphabet, Sieve};
use traps::Whole;
use tree::Named;

/// Longest quotation of a hint, in bytes; of a longer sentence only the matched words are quoted.
const MAX_SENTENCE: usize = 280;

/// Strength at which a flag is raised: one strong rule, or weaker ones together.
const FLAG_STRENGTH: i32 = 3;

/// Flag of rules that count only together.
const TOPIC: &str = "topic";

/// Flag of words that say that what is told was not worked out.
const UNPROVEN: &str = "unproven";

/// Rules of one topic from which it is one.
const MET: usize = 3;

/// A sentence that speaks of the policy says nothing of the report: "your policy excludes social engineering".
const POLICY_TALK: &str = r"\b(?:your|the|this|octoprint'?s) (?:security )?polic(?:y|ies)\b|\bnon-?qualifying\b|\bout of scope\b|\b(?:eure[rn]?|ihre[rn]?) (?:sicherheits)?(?:richtlinien?|policy)\b|\bvotre politique\b|\bsu política\b|\b(?:vossa|sua) política\b|你们的(?:安全)?(?:政策|策略)|(?:ポリシー|方針)(?:に|で)";

/// Places in a line where a rule's words are looked at.
const MOST_FOUND: usize = 8;

/// Attachment names and addresses that rules look at.
const MAX_NAMES: usize = 64;

/// Why the rules of a policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("compile the pattern of hint rule `{rule}`")]
pub struct RulesError {
    /// Name of the rule.
    pub rule: String,
    /// What is wrong with it.
    #[source]
    pub source: Box<regex::Error>,
}

/// The hint rules of a policy, ready for use.
pub struct Rules {
    rules: Vec<Rule>,
    /// Of the patterns of `rules`.
    sieve: Sieve,
    /// In which all patterns are told.
    letters: Letters,
    versions: versions::Patterns,
    vectors: vectors::Patterns,
    policy_talk: Pattern,
    denied: Denied,
    /// Hashes of the policy's sentences: quoted word by word they say nothing of the report.
    sentences: BTreeSet<String>,
}

struct Rule {
    /// Its place among all, by which the sieve knows it.
    number: usize,
    rule: HintRule,
    /// Whether it speaks for turning the report away.
    declines: bool,
    /// Whether it speaks of what an attack needs, so that it may be told as what it does not need.
    needed: bool,
    pattern: Pattern,
    unless: Option<Pattern>,
}

impl Rule {
    /// Whether it counts only together with others of its decision point.
    fn of_topic(&self) -> bool {
        self.rule.flag.as_deref() == Some(TOPIC)
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules({})", self.rules.len())
    }
}

impl Rules {
    /// Reads the hint rules of a policy. Each is compiled when the first text comes that it may match.
    ///
    /// # Errors
    /// At the first rule whose pattern is no regular expression.
    pub fn compile(policy: &Policy) -> Result<Self, RulesError> {
        let mut named = Named::new();
        let read = |(number, rule): (usize, &HintRule)| {
            let mut parse = |pattern: &String| Pattern::parse(&rule.name, pattern, &mut named);
            Ok(Rule {
                number,
                pattern: parse(&rule.pattern)?,
                unless: rule.unless.as_ref().map(parse).transpose()?,
                declines: rule.answer == AnswerValue::Yes && disqualifies(policy, rule),
                needed: rule.answer == AnswerValue::Yes
                    && traps::is_precondition(rule.clause.as_ref()),
                rule: rule.clone(),
            })
        };
        let mut rules =
            policy.hints.iter().enumerate().map(read).collect::<Result<Vec<Rule>, _>>()?;
        let mut versions = versions::Patterns::parse(policy, &mut named)?;
        let mut vectors = vectors::Patterns::parse(&mut named)?;
        let mut policy_talk =
            Pattern::parse("talk of the policy (built in)", POLICY_TALK, &mut named)?;
        let mut denied = Denied::parse(&mut named)?;
        let (mut sieved, mut others): (Vec<&mut Pattern>, Vec<&mut Pattern>) = Default::default();
        for rule in &mut rules {
            sieved.push(&mut rule.pattern);
            others.extend(&mut rule.unless);
        }
        others.extend(versions.all().chain(vectors.all()).chain([&mut policy_talk]));
        others.extend(denied.all());
        let (letters, classes) = Letters::of(&named);
        let alphabet = Alphabet { letters: &letters, named: &named };
        let sieve = Sieve::of(sieved.iter().map(|pattern| pattern.tree()), alphabet);
        sieved.into_iter().chain(others).for_each(|pattern| pattern.settle(&classes));
        let sentences = policy.items.iter().flat_map(|item| item.sentences.clone()).collect();
        Ok(Self { rules, sieve, letters, versions, vectors, policy_talk, denied, sentences })
    }

    /// Whether all that a rule finds in a line is told as what the attack does not need.
    fn denies(&self, compiled: &Rule, line: Words<'_>) -> bool {
        let found = || compiled.pattern.find(line, MOST_FOUND);
        compiled.needed && found().iter().all(|words| self.denied.covers(line, words))
    }

    /// Gives back the memory that searches have built up. They are as fast again once they have built it anew.
    pub fn rest(&mut self) {
        for rule in &mut self.rules {
            rule.pattern.rest();
            rule.unless.iter_mut().for_each(Pattern::rest);
        }
        self.versions.all().chain(self.vectors.all()).for_each(Pattern::rest);
        self.denied.all().for_each(Pattern::rest);
        self.policy_talk.rest();
    }

    /// Whether a sentence speaks of the policy or is one of its own.
    fn is_policy_talk(&self, words: Words<'_>) -> bool {
        let sentence = words.shown;
        let bare = sentence.trim().trim_start_matches(['-', '*', '>', '\u{2022}', '"']).trim();
        self.policy_talk.is_match(words)
            || self.sentences.contains(&sentence_hash(bare.trim_end_matches(['"', '.'])))
            || self.sentences.contains(&sentence_hash(bare))
    }
}

fn disqualifies(policy: &Policy, rule: &HintRule) -> bool {
    let item = rule.clause.as_ref().and_then(|clause| policy.item(clause));
    item.is_some_and(|item| item.kind == ItemKind::Disqualifier)
}

/// Reads a mail that came in on `received`. What we or a machine wrote is not read: the reading is empty.
pub fn read(
    rules: &Rules,
    policy: &Policy,
    message: &Message,
    message_ref: MessageRef,
    received: Timestamp,
    direction: Direction,
) -> Reading {
    if direction != Direction::In {
        return Reading::default();
    }
    let own = Own::of(message, message_ref, &rules.sieve, &rules.letters);
    let mut found = Findings::default();
    let mut reading = Reading { ghsa: ghsa(message, &own), ..Reading::default() };
    let free = versions::read(&rules.versions, policy, message, &own, received, &mut reading);
    versions::hints(&reading.versions, &free, &mut found.hints);
    for rule in rules.rules.iter().filter(|rule| !rule.of_topic()) {
        let fixed = rule.rule.before.as_deref();
        if fixed
            .is_none_or(|fixed| versions::all_before(policy, &reading.versions, fixed, received))
        {
            found.apply(rules, rule, message, &own);
        }
    }
    vectors::read(&rules.vectors, policy, &own, &mut reading, &mut found.hints);
    let product = own.folded().to_lowercase().contains(&policy.product.to_lowercase());
    reading.flags = found.flags(message, !reading.versions.is_empty(), product);
    found.channel(policy, message);
    found.take_up_topic(rules, &reading, message, &own);
    let retold = absence::follows(message) || traps::tells_of_fix(own.folded());
    found.heed_traps(&reading, retold);
    reading.hints = settle(policy, found.hints);
    reading.flags.other_product |= says(&reading.hints, "CH2", AnswerValue::No);
    absence::read(policy, message, &own, &mut reading);
    // Detectors speak of points by id; a policy without such a point does not ask.
    reading.hints.retain(|hint| policy.item(&hint.clause).is_some());
    reading
}

/// Whether a hint with this answer is there.
fn says(hints: &[Hint], clause: &str, answer: AnswerValue) -> bool {
    hints.iter().any(|hint| hint.clause.as_str() == clause && hint.answer == answer)
}

fn ghsa(message: &Message, own: &Own<'_>) -> Option<String> {
    let notified = from_github(message).then(|| notified_ghsa(message)).flatten();
    notified.or_else(|| ghsa_ids(&message.subject).chain(ghsa_ids(own.folded())).next())
}

/// What the rules found.
#[derive(Default)]
struct Findings {
    hints: Vec<Hint>,
    /// Strength of each flag; a rule that names `-flag` speaks against it.
    flags: BTreeMap<String, i32>,
    /// What the weakest rules add to the flag `poc`.
    weak_proof: i32,
    /// Words that say something of a type only together, by type.
    topics: BTreeMap<ClauseId, Vec<Hint>>,
}

impl Findings {
    fn apply(&mut self, rules: &Rules, compiled: &Rule, message: &Message, own: &Own<'_>) {
        let rule = &compiled.rule;
        let Some(evidence) = matched(rules, compiled, message, own) else { return };
        if let Some(flag) = &rule.flag {
            let strength = i32::from(rule.strength);
            if flag == "poc" && strength == 1 && rule.place == Place::Text {
                self.weak_proof += 1;
            }
            let (flag, signed) = match flag.strip_prefix('-') {
                Some(against) => (against, -strength),
                None => (flag.as_str(), strength),
            };
            *self.flags.entry(flag.to_owned()).or_default() += signed;
        }
        let Some(clause) = &rule.clause else { return };
        let hint = Hint {
            clause: clause.clone(),
            answer: rule.answer,
            strength: rule.strength.clamp(1, 3),
            rule: rule.name.clone(),
            why: rule.why.clone(),
            evidence,
        };
        if compiled.of_topic() {
            self.topics.entry(clause.clone()).or_default().push(hint);
            return;
        }
        if rule.before.is_some() {
            // What we have published is known to us as well.
            self.hints.push(Hint { clause: "PD4".into(), answer: AnswerValue::No, ..hint.clone() });
        }
        self.hints.push(hint);
    }

    /// Takes up the type of which most words stand in the mail, where it shows no proof and names no type: the last
    /// resort before the reporter is asked for a proof of what is out of scope anyway.
    fn take_up_topic(
        &mut self,
        rules: &Rules,
        reading: &Reading,
        message: &Message,
        own: &Own<'_>,
    ) {
        let named = self.hints.iter().any(|hint| {
            let clause = hint.clause.as_str();
            let proven = clause == "NQ2" && hint.answer == AnswerValue::No && hint.strength > 1;
            proven || clause.starts_with("NQ") && hint.answer == AnswerValue::Yes
        });
        let flags = &reading.flags;
        if named
            || flags.ai == AiUse::Suspected
            || flags.has_poc
            || flags.spam
            || flags.other_product
            || flags.coordination
        {
            return;
        }
        for rule in rules.rules.iter().filter(|rule| rule.of_topic()) {
            self.apply(rules, rule, message, own);
        }
        let (hints, whole) = (&self.hints, Whole::of(&self.hints, reading, false));
        let fits = |clause: &ClauseId| {
            let denied = says(hints, clause.as_str(), AnswerValue::No);
            // A network in the vector is what many write without meaning the internet.
            let agrees =
                clause.as_str() != "NQ8" && whole.vector_agrees(clause.as_str()) == Some(true);
            !denied && (reading.vectors.is_empty() || agrees)
        };
        let topics = std::mem::take(&mut self.topics);
        let met = topics.into_iter().filter(|(clause, words)| words.len() >= MET && fits(clause));
        let most = met.max_by_key(|(_, words)| words.len());
        self.hints.extend(most.into_iter().flat_map(|(_, words)| words));
    }

    /// Whether the mail took a private way: to the address of the policy, or by GitHub (CH1).
    fn channel(&mut self, policy: &Policy, message: &Message) {
        let mut to = message.to.iter().chain(&message.cc).take(MAX_NAMES);
        // The advisory is worth a mention in the answer, the usual address is not.
        let (strength, why) = if from_github(message) {
            (2, "It came as a notification of a GitHub advisory.")
        } else if to.any(|to| to.address.eq_ignore_ascii_case(&policy.contact)) {
            (1, "It was sent to the security address.")
        } else {
            return;
        };
        self.hints.push(Hint {
            clause: "CH1".into(),
            answer: AnswerValue::Yes,
            strength,
            rule: "private-channel".to_owned(),
            why: why.to_owned(),
            evidence: None,
        });
    }

    /// Where a trap of the decision points applies, what would decline is a question ([`traps`]). What speaks for
    /// NQ3, or for another product, speaks against PD3.
    fn heed_traps(&mut self, reading: &Reading, retold: bool) {
        let flags = &reading.flags;
        let whole = Whole::of(&self.hints, reading, retold);
        let unproven = self.flags.contains_key(UNPROVEN);
        if (flags.ai == AiUse::Suspected || unproven) && !flags.has_poc {
            let shown =
                |hint: &Hint| hint.clause.as_str() == "NQ2" && hint.answer == AnswerValue::No;
            self.hints.retain(|hint| !shown(hint));
        }
        let versions = !reading.versions.is_empty();
        let reports = self.proves(flags.has_poc && versions) || self.invents(flags.ai);
        let reaches = versions && self.hints.iter().any(reaches_others);
        // The footer of a tool's mail reads like an offer, and so may a word in a report.
        let misread = |hint: &Hint| {
            let no = hint.answer == AnswerValue::No;
            let report = reports || reaches && hint.strength < 3;
            hint.clause.as_str() == "CH2" && !flags.other_product && (flags.scanner || no && report)
        };
        let mut mirrored = Vec::new();
        for hint in &mut self.hints {
            let (clause, yes) = (hint.clause.as_str(), hint.answer == AnswerValue::Yes);
            if yes && whole.asks_only(hint) || misread(hint) {
                hint.answer = AnswerValue::Unclear;
            } else if yes && clause == "NQ3"
                || clause == "CH2" && hint.answer == AnswerValue::No && flags.other_product
            {
                let answer = AnswerValue::No;
                mirrored.push(Hint { clause: "PD3".into(), answer, ..hint.clone() });
            }
        }
        self.hints.extend(mirrored);
    }

    /// Whether a text that a tool may have written names code in a language that the product is not written in: in a
    /// report about us invented, and no word of another product.
    fn invents(&self, ai: AiUse) -> bool {
        ai == AiUse::Suspected && says(&self.hints, "AI10", AnswerValue::Unclear)
    }

    /// Whether a proof against a version of ours is more than talk: a request, a command, an answer.
    fn proves(&self, proof: bool) -> bool {
        let shown = |hint: &Hint| hint.answer == AnswerValue::No && hint.strength > 2;
        proof && self.hints.iter().any(|hint| hint.clause.as_str() == "NQ2" && shown(hint))
    }

    /// Flags of a mail; `versions` says whether it names one of ours, `names_product` whether it names
    /// the product.
    fn flags(&self, message: &Message, versions: bool, names_product: bool) -> Flags {
        let raised = |name: &str| self.flags.get(name).is_some_and(|s| *s >= FLAG_STRENGTH);
        let ai = match (raised("ai-disclosed"), raised("ai-suspected")) {
            (true, _) => AiUse::Disclosed,
            (false, true) => AiUse::Suspected,
            (false, false) => AiUse::None,
        };
        // A proof against something else proves nothing here; what a tool wrote under such a heading is none
        // until somebody has run it; and where a type that does not qualify is plain, talk of trying is not
        // taken for one.
        let unproven = if ai == AiUse::Suspected { FLAG_STRENGTH } else { 0 };
        let plain = self.hints.iter().any(|hint| {
            let of_type = hint.clause.as_str().starts_with("NQ")
                && hint.strength >= 2
                && !matches!(hint.clause.as_str(), "NQ1" | "NQ2" | "NQ3");
            of_type && hint.answer == AnswerValue::Yes
        });
        let talk = if plain { self.weak_proof } else { 0 };
        let proof = self.flags.get("poc").copied().unwrap_or_default() - unproven - talk;
        // Whoever keeps the proof back, or has only read the code, names the request and does not show it.
        let withheld = self.flags.contains_key(UNPROVEN) || self.invents(ai);
        // Another product's name beside a request to a version of ours tells who else was there.
        let ours = names_product
            && (self.invents(ai) || versions && !withheld && self.proves(proof >= FLAG_STRENGTH));
        let other_product = raised("other-product") && !ours;
        let has_poc = !other_product && !withheld && proof >= FLAG_STRENGTH;
        Flags {
            ai,
            scanner: raised("scanner"),
            bounty_request: raised("bounty"),
            has_poc,
            credit_wanted: raised("credit"),
            public: raised("public"),
            // A tool's mail has a footer as an offer has, and junk brings no proof against a version of ours.
            spam: raised("spam") && !raised("scanner") && !self.proves(has_poc && versions),
            other_product,
            coordination: raised("coordination"),
            encrypted: raised("encrypted") || message.warnings.contains(&Warning::Encrypted),
        }
    }
}

/// Whether a hint says plainly that others than oneself are reached, or that a lesser right is enough.
fn reaches_others(hint: &Hint) -> bool {
    let clause = matches!(hint.clause.as_str(), "NQ9" | "NQ11");
    clause && hint.answer == AnswerValue::No && hint.strength > 1
}

/// Whether a rule fires, and the words of the text that made it.
fn matched(
    rules: &Rules,
    compiled: &Rule,
    message: &Message,
    own: &Own<'_>,
) -> Option<Option<Evidence>> {
    let excluded =
        |words: Words<'_>| compiled.unless.as_ref().is_some_and(|unless| unless.is_match(words));
    let holds = |text: &str| {
        let text = rules.letters.text(text);
        compiled.pattern.is_match(text.whole()) && !excluded(text.whole())
    };
    let in_text = || {
        own.lines(compiled.number).find_map(|(line, range)| {
            if !compiled.pattern.is_match(line) {
                return None;
            }
            let sentence = own.sentence(range.clone());
            let within = sentence.start.checked_sub(range.start)?..sentence.end - range.start;
            let words = line.part(within)?;
            if excluded(words)
                || compiled.declines && rules.is_policy_talk(words)
                || rules.denies(compiled, line)
            {
                return None;
            }
            let quoted = if sentence.len() <= MAX_SENTENCE {
                sentence
            } else {
                let found = compiled.pattern.find(line, 1).into_iter().next()?;
                range.start + found.start..range.start + found.end
            };
            Some(own.evidence(quoted))
        })
    };
    let in_subject = || {
        let stands = |line| compiled.pattern.is_match(line) && !rules.denies(compiled, line);
        let found = own.subject_lines(compiled.number).any(stands);
        (found && !excluded(own.subject().whole())).then_some(None)
    };
    match compiled.rule.place {
        Place::Text => in_text(),
        Place::Subject => in_subject(),
        Place::Both => in_text().or_else(in_subject),
        Place::Attachment => {
            let names = message.parts.iter().filter_map(|part| part.name.as_deref());
            names.take(MAX_NAMES).any(holds).then_some(None)
        }
        Place::Sender => {
            let mut senders = message.from.iter().take(MAX_NAMES);
            senders.any(|from| holds(&format!("{} <{}>", from.name, from.address))).then_some(None)
        }
    }
}

/// Leaves one answer per decision point: the stronger, and of equal ones the one that harms the reporter
/// less. Of several hints for it all stay, strongest first; the order of decision points is the policy's.
fn settle(policy: &Policy, hints: Vec<Hint>) -> Vec<Hint> {
    let mut best: BTreeMap<ClauseId, (u8, std::cmp::Reverse<u8>, AnswerValue)> = BTreeMap::new();
    for hint in &hints {
        let weight = (hint.strength, std::cmp::Reverse(harm(policy, hint)), hint.answer);
        let slot = best.entry(hint.clause.clone()).or_insert(weight);
        if (weight.0, weight.1) > (slot.0, slot.1) {
            *slot = weight;
        }
    }
    let wins =
        |hint: &Hint| best.get(&hint.clause).is_some_and(|(.., answer)| *answer == hint.answer);
    let place = |hint: &Hint| {
        let at = policy.items.iter().position(|item| item.id == hint.clause);
        at.unwrap_or(policy.items.len())
    };
    let mut kept: Vec<Hint> = hints.into_iter().filter(|hint| wins(hint)).collect();
    kept.sort_by_key(|hint| (place(hint), std::cmp::Reverse(hint.strength)));
    kept
}

/// How much an answer turns against the reporter, by the policy.
fn harm(policy: &Policy, hint: &Hint) -> u8 {
    let Some(item) = policy.item(&hint.clause) else {
        return u8::from(hint.answer == AnswerValue::Yes);
    };
    let outcome = match hint.answer {
        AnswerValue::Yes => item.outcomes.yes,
        AnswerValue::No => item.outcomes.no,
        AnswerValue::Unclear => item.outcomes.unclear,
    };
    match outcome {
        Outcome::Go => 0,
        Outcome::Ask | Outcome::NoAdvisory | Outcome::NoCve => 1,
        Outcome::Propose(_) => 2,
    }
}

#[cfg(test)]
mod tests;
