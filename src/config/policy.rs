//! The policy file → [`Policy`].
//!
//! Owns: the form of the file and the embedded policy of OctoPrint. Absent on purpose: the policy's
//! sentences, which [`crate::domain::policy_text`] reads from the project's own text. Read next:
//! [`words`], [`crate::domain::policy`].

mod words;

use jiff::Timestamp;
use jiff::civil::Date;
use regex::RegexBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use sha2::{Digest, Sha256};
use toml::de::{DeTable, DeValue};

use super::document::Faults;
use super::fault::Fault;
use super::fields::Fields;
use crate::domain::ids::hex;
use crate::domain::journal::AnswerValue;
use crate::domain::policy::{
    HintRule, Item, ItemKind, Outcome, Outcomes, Package, Periods, Place, Policy, Rationale,
    Release, Scoring, Support,
};
use crate::domain::{ClauseId, Disposition};
use words::Words;

/// Largest compiled form of one hint pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// The policies that come with the program: name and text.
const EMBEDDED: [(&str, &str); 1] = [("octoprint", include_str!("../policies/octoprint.toml"))];

/// The names of the policies that come with the program.
pub const EMBEDDED_NAMES: [&str; EMBEDDED.len()] = {
    let [(octoprint, _)] = EMBEDDED;
    [octoprint]
};

/// The text of a policy that comes with the program, by its name.
pub fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// Reads a policy file.
///
/// # Errors
/// All faults at once, in the order of their lines.
pub fn parse(text: &str) -> Result<Policy, Vec<Fault>> {
    parse_with(text, check_pattern)
}

/// Reads an embedded policy. Its patterns are taken as they are: a test checks them, and doing it at every start
/// would cost as much as all the rest of the start.
///
/// # Errors
/// All faults at once, in the order of their lines.
pub fn parse_embedded(text: &str) -> Result<Policy, Vec<Fault>> {
    parse_with(text, |_, _, _| ())
}

type CheckPattern = fn(&Fields<'_, '_>, &'static str, &str);

fn parse_with(text: &str, check: CheckPattern) -> Result<Policy, Vec<Fault>> {
    let (root, faults) = Faults::read(text);
    if !faults.is_empty() {
        // What a broken file lacks cannot be told from what was not read.
        return Err(faults.into_sorted());
    }
    let policy = read(&faults, &root, hex(&Sha256::digest(text.as_bytes())), check);
    let faults = faults.into_sorted();
    if faults.is_empty() { Ok(policy) } else { Err(faults) }
}

fn read(faults: &Faults, root: &DeTable<'_>, hash: String, check: CheckPattern) -> Policy {
    let fields = Fields::new(faults, root, 0..0, "policy");
    let items: Vec<Item> = fields.tables("item").into_iter().map(item).collect();
    if items.is_empty() {
        faults.add_to_all("policy: there is no [[item]]");
    }
    repeated(faults, "item", items.iter().map(|item| item.id.as_str()));
    let words = Words::read(&fields);
    let hints = fields.tables("hint").into_iter();
    let hints: Vec<HintRule> = hints.map(|table| hint(table, &items, &words, check)).collect();
    repeated(faults, "hint", hints.iter().map(|hint| hint.name.as_str()));
    let policy = Policy {
        name: fields.text("name").to_owned(),
        product: fields.text("product").to_owned(),
        package: package(&fields),
        contact: fields.text("contact").to_owned(),
        url: fields.text("url").to_owned(),
        hash,
        periods: periods(&fields),
        scoring: scoring(&fields),
        releases: releases(&fields, faults),
        branches: owned(fields.texts("branches")),
        forks: fields.texts("forks").into_iter().map(str::to_lowercase).collect(),
        vocabulary: fields.texts("vocabulary").into_iter().map(str::to_lowercase).collect(),
        items,
        rationale: fields.tables("rationale").into_iter().map(rationale).collect(),
        hints,
    };
    fields.finish();
    policy
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn repeated<'a>(faults: &Faults, what: &str, names: impl Iterator<Item = &'a str>) {
    let mut seen = std::collections::BTreeSet::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !seen.insert(name) {
            faults.add_to_all(format!("policy: {what} {name} stands there twice"));
        }
    }
}

fn package(root: &Fields<'_, '_>) -> Package {
    let Some(table) = root.optional_table("package") else { return Package::default() };
    let package = Package {
        vendor: table.text("vendor").to_owned(),
        ecosystem: table.text("ecosystem").to_owned(),
        name: table.text("name").to_owned(),
        repository: table.text("repository").to_owned(),
    };
    table.finish();
    package
}

fn periods(root: &Fields<'_, '_>) -> Periods {
    let Some(table) = root.table("periods") else {
        return Periods {
            acknowledge_days: 0,
            acknowledge_warn_days: 0,
            update_days: 0,
            embargo_days: 0,
            embargo_warn_days: 0,
            nudge_days: NUDGE_DAYS,
            close_days: CLOSE_DAYS,
            pauses: Vec::new(),
        };
    };
    let days = 1..=3_650;
    let mut pauses: Vec<(Timestamp, Timestamp)> = table
        .tables("pauses")
        .into_iter()
        .filter_map(|pause| {
            let (from, until) = (instant(&pause, "from"), instant(&pause, "until"));
            if from.zip(until).is_some_and(|(from, until)| from >= until) {
                pause.fault_of_all("`until` must be later than `from`");
            }
            pause.finish();
            from.zip(until)
        })
        .collect();
    pauses.sort();
    let periods = Periods {
        acknowledge_days: table.number("acknowledge_days", days.clone()),
        acknowledge_warn_days: table.number("acknowledge_warn_days", 0..=3_650),
        update_days: table.number("update_days", days.clone()),
        embargo_days: table.number("embargo_days", days),
        embargo_warn_days: table.number("embargo_warn_days", 0..=3_650),
        nudge_days: or_default(&table, "nudge_days", NUDGE_DAYS),
        close_days: or_default(&table, "close_days", CLOSE_DAYS),
        pauses,
    };
    if periods.close_days < periods.nudge_days {
        table.fault("close_days", "must not be less than `nudge_days`");
    }
    table.finish();
    periods
}

/// Days of silence of a reporter until a reminder is proposed, where the policy names none.
const NUDGE_DAYS: u16 = 14;
/// Days of silence until closing is proposed.
const CLOSE_DAYS: u16 = 30;

fn or_default(table: &Fields<'_, '_>, key: &'static str, default: u16) -> u16 {
    if table.get(key).is_some() { table.number(key, 1..=3_650) } else { default }
}

/// A TOML date and time with its offset, such as `2026-07-13T00:00:00Z`.
fn instant(table: &Fields<'_, '_>, key: &'static str) -> Option<Timestamp> {
    let text = table.get(key).map(|value| written(value.get_ref()));
    let read = text.as_deref().and_then(|text| text.parse().ok());
    if read.is_none() {
        table.fault(key, "must be a date and time with offset, such as 2026-07-13T00:00:00Z");
    }
    read
}

/// A date or time as text, whether it stands in quotes or not.
fn written(value: &DeValue<'_>) -> String {
    match (value.as_datetime(), value.as_str()) {
        (Some(at), _) => at.to_string(),
        (None, text) => text.unwrap_or_default().to_owned(),
    }
}

fn scoring(root: &Fields<'_, '_>) -> Scoring {
    let fallback = Scoring {
        version: String::new(),
        max_attack_vector: String::new(),
        cve_threshold_tenths: 0,
    };
    let Some(table) = root.table("scoring") else { return fallback };
    let version =
        table.required_word("version", &[("CVSS:3.1", "CVSS:3.1"), ("CVSS:4.0", "CVSS:4.0")]);
    let highest =
        table.required_word("max_attack_vector", &[("N", "N"), ("A", "A"), ("L", "L"), ("P", "P")]);
    let threshold = tenths(table.text("cve_threshold"));
    if threshold.is_none() {
        table.fault("cve_threshold", "must be a score in quotes, such as \"4.0\"");
    }
    table.finish();
    Scoring {
        version: version.unwrap_or_default().to_owned(),
        max_attack_vector: highest.unwrap_or_default().to_owned(),
        cve_threshold_tenths: threshold.unwrap_or_default(),
    }
}

/// Reads "4.0" as 40.
fn tenths(text: &str) -> Option<u16> {
    let (whole, tenth) = text.split_once('.')?;
    let digit = tenth.parse::<u16>().ok().filter(|digit| tenth.len() == 1 && *digit < 10)?;
    let tenths = whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(digit)?;
    (tenths <= 100).then_some(tenths)
}

fn releases(root: &Fields<'_, '_>, faults: &Faults) -> Vec<Release> {
    let mut releases: Vec<Release> = Vec::new();
    for table in root.tables("release") {
        let version = table.text("version").to_owned();
        if !version.is_empty() && version.parse::<pep440_rs::Version>().is_err() {
            table.fault("version", "is no version by PEP 440");
        }
        let date: Option<Date> =
            table.get("date").and_then(|value| written(value.get_ref()).parse().ok());
        match date {
            Some(date) => releases.push(Release { version, date }),
            None => table.fault("date", "must be a day, such as 2026-06-23"),
        }
        table.finish();
    }
    if releases.is_empty() {
        faults.add_to_all("policy: there is no [[release]]");
    }
    releases.sort_by_key(|release| release.date);
    releases
}

const KINDS: [(&str, ItemKind); 8] = [
    ("gate", ItemKind::Gate),
    ("disqualifier", ItemKind::Disqualifier),
    ("scoring", ItemKind::Scoring),
    ("promise", ItemKind::Promise),
    ("advisory-criterion", ItemKind::AdvisoryCriterion),
    ("cve-criterion", ItemKind::CveCriterion),
    ("conduct", ItemKind::Conduct),
    ("context", ItemKind::Context),
];

const SUPPORTS: [(&str, Support); 4] = [
    ("auto", Support::Auto),
    ("aid", Support::Aid),
    ("human", Support::Human),
    ("none", Support::None),
];

/// The words for what follows from an answer: these four, or a disposition.
fn outcome_words() -> Vec<(&'static str, Outcome)> {
    let own = [
        ("go", Outcome::Go),
        ("ask", Outcome::Ask),
        ("no-advisory", Outcome::NoAdvisory),
        ("no-cve", Outcome::NoCve),
    ];
    let dispositions = Disposition::ALL.map(|d| (d.as_str(), Outcome::Propose(d)));
    own.into_iter().chain(dispositions).collect()
}

fn item(mut table: Fields<'_, '_>) -> Item {
    let id = ClauseId::new(table.text("id"));
    table.name = format!("item {id}");
    let words = outcome_words();
    let outcome = |key| table.word(key, &words).unwrap_or_default();
    let outcomes = Outcomes { yes: outcome("yes"), no: outcome("no"), unclear: outcome("unclear") };
    if !matches!(outcomes.unclear, Outcome::Go | Outcome::Ask) {
        // A single "unsure" never declines.
        table.fault("unclear", "may only be `go` or `ask`: what is not known decides nothing");
    }
    let given = table.required_word("kind", &KINDS);
    let kind = given.unwrap_or(ItemKind::Context);
    let question = table.optional_text("question").unwrap_or_default().to_owned();
    if given == Some(ItemKind::Context) && !question.is_empty() {
        table.fault("question", "must not be given for an item of kind `context`");
    }
    let sentences = sentences(&table);
    let rank = if table.get("rank").is_some() { table.number("rank", 1..=255) } else { 0 };
    if rank > 0 && given.is_some_and(|kind| kind != ItemKind::Disqualifier) {
        table.fault("rank", "is for a disqualifier only");
    }
    let item = Item {
        kind,
        section: table.text("section").to_owned(),
        title: table.text("title").to_owned(),
        question,
        outcomes,
        sentences,
        support: table.required_word("support", &SUPPORTS).unwrap_or(Support::Human),
        traps: owned(table.texts("traps")),
        rank: u8::try_from(rank).unwrap_or(u8::MAX),
        id,
    };
    table.finish();
    item
}

/// Names of sentences.
fn sentences(table: &Fields<'_, '_>) -> Vec<String> {
    let sentences = table.texts("sentences");
    if sentences.iter().any(|hash| hash.len() != 64 || !hash.bytes().all(is_lower_hex)) {
        table.fault("sentences", "must be SHA-256 digests: 64 digits of lower-case hexadecimal");
    }
    owned(sentences)
}

fn rationale(table: Fields<'_, '_>) -> Rationale {
    let rationale =
        Rationale { section: table.text("section").to_owned(), sentences: sentences(&table) };
    if rationale.sentences.is_empty() {
        table.fault_of_all("it names no sentence");
    }
    table.finish();
    rationale
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

const ANSWERS: [(&str, AnswerValue); 3] =
    [("yes", AnswerValue::Yes), ("no", AnswerValue::No), ("unclear", AnswerValue::Unclear)];

const PLACES: [(&str, Place); 5] = [
    ("text", Place::Text),
    ("subject", Place::Subject),
    ("both", Place::Both),
    ("attachment", Place::Attachment),
    ("sender", Place::Sender),
];

fn hint(mut table: Fields<'_, '_>, items: &[Item], words: &Words, check: CheckPattern) -> HintRule {
    let name = table.text("name").to_owned();
    table.name = format!("hint {name}");
    let clause = table.optional_text("clause").map(ClauseId::new);
    if let Some(clause) = &clause
        && !items.iter().any(|item| &item.id == clause)
    {
        table.fault("clause", &format!("is `{clause}`, which is no item of this policy"));
    }
    let flag = table.optional_text("flag").map(str::to_owned);
    if clause.is_none() && flag.is_none() {
        table.fault_of_all("it has neither `clause` nor `flag`");
    }
    let unless =
        table.optional_text("unless").map(|unless| words.written_out(&table, "unless", unless));
    let before = table.optional_text("before").map(str::to_owned);
    if before.as_ref().is_some_and(|before| before.parse::<pep440_rs::Version>().is_err()) {
        table.fault("before", "is no version");
    }
    let pattern = words.written_out(&table, "pattern", table.text("pattern"));
    for (key, regex) in [("pattern", Some(&pattern)), ("unless", unless.as_ref())] {
        if let Some(regex) = regex {
            check(&table, key, regex);
        }
    }
    let strength = table.number("strength", 1..=3);
    let rule = HintRule {
        name,
        clause,
        answer: table.required_word("answer", &ANSWERS).unwrap_or(AnswerValue::Unclear),
        strength: u8::try_from(strength).unwrap_or(1),
        place: table.required_word("place", &PLACES).unwrap_or(Place::Text),
        pattern,
        unless,
        why: table.text("why").to_owned(),
        before,
        flag,
    };
    table.finish();
    rule
}

/// Reads the pattern, and compiles it only where it may be too large: that takes ten times as long.
fn check_pattern(table: &Fields<'_, '_>, key: &'static str, pattern: &str) {
    // Whether letter cases are told apart makes no fault and no large pattern.
    let read = regex_syntax::parse(pattern).map_err(|error| error.to_string());
    let checked = read.and_then(|tree| match room(&tree) <= MAX_PATTERN {
        true => Ok(()),
        false => {
            let mut builder = RegexBuilder::new(pattern);
            let built = builder.case_insensitive(true).size_limit(MAX_PATTERN).build();
            built.map(|_| ()).map_err(|error| error.to_string())
        }
    });
    if let Err(text) = checked {
        let last = text.lines().last().unwrap_or_default();
        table.fault(
            key,
            &format!("is no regular expression: {}", last.trim_start_matches("error: ")),
        );
    }
}

/// Bytes that the compiled pattern takes at most, roughly: what is repeated is there as often.
fn room(part: &Hir) -> usize {
    /// Of one character in both letter cases.
    const LETTER: usize = 256;
    /// Of one range of a list of characters: some of them have to be told by four bytes.
    const RANGE: usize = 128;
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => LETTER,
        HirKind::Literal(literal) => literal.0.len().saturating_mul(LETTER),
        HirKind::Class(Class::Unicode(class)) => LETTER + class.ranges().len() * RANGE,
        HirKind::Class(Class::Bytes(class)) => LETTER + class.ranges().len() * RANGE,
        HirKind::Capture(group) => room(&group.sub).saturating_add(LETTER),
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min.saturating_add(1)).max(1);
            room(&repeated.sub).saturating_add(LETTER).saturating_mul(times as usize)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(room).fold(LETTER, usize::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests;
