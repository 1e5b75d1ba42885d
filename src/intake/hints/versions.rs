//! Versions and branches that a reporter names as tested (SV1, SV2, SV4).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::RulesError;
use super::letters::{Letters, Text};
use super::own::Own;
use super::pattern::Pattern;
use super::tree::Named;
use crate::domain::Evidence;
use crate::domain::hint::{FoundVersion, Hint, Reading, VersionStatus};
use crate::domain::journal::AnswerValue;
use crate::domain::policy::Policy;
use crate::domain::version::{fixed_since, status};
use crate::intake::subject;
use crate::mail::Message;

/// Versions that are reported from one mail.
const MAX_VERSIONS: usize = 16;

/// Two or three numbers, right after Han or Kana too, then a pre-release, a vendor's suffix or a series.
const NUMBER: &str = r"(?-u:\b)\d{1,3}\.\d{1,3}(?:\.\d{1,4})?(?:\.x|\.\*)?(?:\.?(?:dev|post|rc|alpha|beta|a|b)\.?\d*|-(?:rc|alpha|beta|dev)\.?\d*)?(?:\+[\w.]+)?(?:-[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*)?";

/// Words right before a number after which it is a version of the product. Other names make it theirs.
const NEUTRAL: &str = r"^(?:could|can|does|do|did|will|would|should|has|have|if|when|while|because|but|so|then|now|still|already|it['\x{2019}]?s|that['\x{2019}]?s|mine['\x{2019}]?s|both|all|my|our|your|this|plain|bare|stock|ver|versions?|v|ver|release|releases|build|stable|latest|current|newest|on|at|in|with|of|to|is|are|was|running|run|runs|use|using|tested|test|affects?|affected|through|and|or|only|against|including|under|from|for|the|against|says|reports|version(?:en|es)|string|number|nummer|numéro|número|unter|auf|mit|und|oder|bis|ist|der|die|von|installiert|getestet|sur|dans|avec|et|ou|la|le|en|con|y|la|versión|versão|versao|version|no|na|em|com|e|über|via|als|noch|auch|upstream|pip|vanilla|plain|clean|fresh|official|版本|バージョン|在|の)$";

/// Words before a version that make it something else than tested.
const NOT_TESTED: &str = r"(?:fix(?:ed)?|patched|solved|resolved|corrected|corrigé|behoben|introduced|added|removed|since|before|earlier than|prior to|older than|up(?:dated|graded|dating|grading|date|grade) from|CVE-\d+-\d+)(?: (?:it|this))?(?: (?:in|with|by|on|version|release|v|back in))*\s*$";

/// Words in the sentence of a version that say the flaw is not in it.
const UNAFFECTED: &str = r"\b(?:is|are|was|were|does|do|did)(?: not|n't|n\x{2019}t)\b.{0,25}\b(?:affected|vulnerable|touched|concerned|there|present|have|has|contain|exist|happen|occur|reproduce|reproducible|work|include|show)\b|\bnot (?:affected|vulnerable|touched|concerned|in|there|reproducible)\b|\bunaffected\b|\bi get nothing\b|\bno such\b|\b(?:has|have|had)(?:n['\x{2019}]t| not| no) (?:got|any|that|this|it|such|\w+)\b|\b40[0134]\b|\b(?:is|gets|was) closed\b|\bout of the question\b|\bbroke it after\b|\b(?:nothing to see|no pasa|não acontece|tritt nicht auf|passiert nicht|ne (?:se )?produit pas|behaves|asks for (?:a |the )?(?:login|password))\b|\bpredates\b|\b(?:answers?|gives?|returns?|says?) (?:with )?(?:a )?4\d\d\b|\b(?:is|are|was) (?:fine|safe|ok|okay|clean)\b|\b(?:refuses|rejects|denies)\b|\b(?:is|are|was|were|gets?|got) (?:refused|rejected|denied|blocked|dropped|ignored|thrown out|closed|cut|kicked|stopped)\b|\bas (?:it should|expected)\b|\bnicht (?:betroffen|vorhanden|enthalten|anfällig)\b|\bpas (?:concernée?|touchée?|affectée?|vulnérable)\b|\bno (?:está |es )?(?:afectad[oa]|vulnerable)\b|\bnão (?:é |está )?(?:afetad[oa]|vulnerável)\b|(?:不|未)受影响|没有(?:这个|此|该)?问题|影響(?:は)?(?:ありません|なし|を受けません)|再現しません|(?:機能|該当|存在)(?:が|は|し)?な(?:い|く|し)|没有(?:该|这个|此)?功能|\b(?:hat|gibt es|enthält|kennt)\b.{0,25}\bnicht\b|\bn'(?:a|existe|y a) (?:pas|aucune?)\b|\bno (?:tiene|existe)\b|\bnão (?:tem|existe)\b";

/// Words in a sentence that say of a version the same as of another named before.
const ALIKE: &str = r"\b(?:also|too|both|same (?:here|there|for|in|on|with|result|thing|way)|as well|likewise|identical(?:ly)?|equally|still (?:there|works?|affected|possible|present|happens)|affected|vulnerable|reproduc\w*|tested|confirmed|verified|tried|again|i (?:checked|ran|used|run|use)|clean|fresh|vanilla|auch|ebenso|gleich\w*|genauso|getestet|betroffen|aussi|également|pareil|même|testé\w*|también|igual\w*|mism[oa]|afectad[oa]s?|probado|também|mesm[oa]|testad[oa]|afetad[oa]s?)\b|[也同も]|両方|確認";

/// Words that say that a flaw came in with a version in development.
const NEW_THERE: &str = r"\b(?:new|introduced|regress\w*|only|came|come|comes|appears?|started|begun|neu|nouveau|nuevo|novo|novidade)\b.{0,15}\b(?:in|on|with|by|to|im|auf|dans|sur|en|no|na|em)\b.{0,10}\b(?:devel|maintenance|branch|next|dev|rc|[0-9]+\.[0-9]+\.[0-9]+-?rc|staging)|\bregression\b|\bonly (?:the )?(?:devel|maintenance|dev|next|rc[0-9]*)\b";

/// Longest stretch before a number that is looked at, in bytes.
const CONTEXT: usize = 60;

pub(super) struct Patterns {
    number: Pattern,
    branch: Option<Pattern>,
    neutral: Pattern,
    not_tested: Pattern,
    unaffected: Pattern,
    alike: Pattern,
    new_there: Pattern,
}

impl Patterns {
    pub(super) fn parse(policy: &Policy, named: &mut Named) -> Result<Self, RulesError> {
        Ok(Self {
            number: Pattern::parse("version number (built in)", NUMBER, named)?,
            branch: branches(policy)
                .map(|p| Pattern::parse("branch name (built in)", &p, named))
                .transpose()?,
            neutral: Pattern::parse("word before a version (built in)", NEUTRAL, named)?,
            not_tested: Pattern::parse("fixed in (built in)", NOT_TESTED, named)?,
            unaffected: Pattern::parse("not affected (built in)", UNAFFECTED, named)?,
            alike: Pattern::parse("said of both (built in)", ALIKE, named)?,
            new_there: Pattern::parse("new in development (built in)", NEW_THERE, named)?,
        })
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Pattern> {
        let others = [
            &mut self.number,
            &mut self.neutral,
            &mut self.not_tested,
            &mut self.unaffected,
            &mut self.alike,
            &mut self.new_there,
        ];
        others.into_iter().chain(&mut self.branch)
    }
}

/// Branch names in running text. A one-word name is an English word too and needs `branch` beside it, unless
/// nobody would use it otherwise.
fn branches(policy: &Policy) -> Option<String> {
    let alternatives: Vec<String> = policy
        .branches
        .iter()
        .map(|branch| match branch.strip_suffix('*') {
            Some(start) => format!(r"\b{}[\w][\w.\-]*", regex::escape(start)),
            None if branch == "devel" => r"\bdevel\b".to_owned(),
            None => {
                let name = regex::escape(branch);
                format!(r"\b(?:branch|zweig|branche|rama|ramo)\s+[`'\x22]?{name}\b|[`'\x22]?\b{name}\b[`'\x22]?[\s-]+(?:branch|zweig|head)\b")
            }
        })
        .collect();
    (!alternatives.is_empty()).then(|| alternatives.join("|"))
}

/// Reads the versions named as tested, and returns those of them that are said to be free of the flaw.
pub(super) fn read(
    patterns: &Patterns,
    policy: &Policy,
    message: &Message,
    own: &Own<'_>,
    received: Timestamp,
    reading: &mut Reading,
) -> Vec<String> {
    let day = TimeZone::UTC.to_datetime(received).date();
    let add = |versions: &mut Vec<FoundVersion>, claimed: String, evidence: Evidence| {
        let status = status(policy, &claimed, day);
        let known = versions.iter().any(|other| other.claimed == claimed);
        let counts = !matches!(status, VersionStatus::Unstated | VersionStatus::OtherProduct);
        if counts && !known && versions.len() < MAX_VERSIONS {
            versions.push(FoundVersion { claimed, status, evidence });
        }
    };
    // The subject of an answer is another mail's.
    if !subject::base(&message.subject).1 {
        for (claimed, _) in claims(patterns, policy, own.letters(), own.subject()) {
            add(&mut reading.versions, claimed, own.subject_evidence());
        }
    }
    let mut free = Vec::new();
    // Sentence of the first version in development, unless the latest release is named before.
    let mut leads = subject_leads(&reading.versions);
    let mut named = reading.versions.iter().any(is_latest);
    for (claimed, range) in claims(patterns, policy, own.letters(), own.text()) {
        let sentence = own.sentence(range.clone());
        let words = own.folded().get(sentence.clone()).unwrap_or_default();
        let apart = || leads.as_ref().is_some_and(|other| *other != sentence);
        let compared = || {
            patterns.new_there.is_in(own.letters(), words)
                || !named && apart() && !patterns.alike.is_in(own.letters(), words)
        };
        let of = status(policy, &claimed, day);
        if patterns.unaffected.is_in(own.letters(), words_about(own, &range))
            || of == VersionStatus::LatestStable && compared()
        {
            free.push(claimed.clone());
        }
        named |= of == VersionStatus::LatestStable;
        if of == VersionStatus::DevBranch && !named && leads.is_none() {
            leads = Some(sentence);
        }
        if let Some(evidence) = own.evidence(range) {
            add(&mut reading.versions, claimed, evidence);
        }
    }
    // Of `rc/1.2.0` and `1.2.0rc3` the one that says more.
    let all: Vec<String> = reading.versions.iter().map(|found| found.claimed.clone()).collect();
    reading.versions.retain(|found| {
        let name = found.claimed.rsplit_once('/').map(|(_, name)| name);
        !name.is_some_and(|name| all.iter().any(|other| other.starts_with(name)))
    });
    free
}

fn is_latest(found: &FoundVersion) -> bool {
    found.status == VersionStatus::LatestStable
}

/// The subject stands before any sentence: an empty one, if it names a version in development and no release.
fn subject_leads(named: &[FoundVersion]) -> Option<std::ops::Range<usize>> {
    let developing = named.iter().any(|found| found.status == VersionStatus::DevBranch);
    (developing && !named.iter().any(is_latest)).then_some(0..0)
}

/// The part of the sentence about a version, from one comma to the next: `On 1.0 I get nothing`.
fn words_about<'a>(own: &'a Own<'_>, version: &std::ops::Range<usize>) -> &'a str {
    let sentence = own.sentence(version.clone());
    let text = own.folded();
    let commas = [',', ';', '(', ')', '\u{ff0c}', '\u{ff08}', '\u{ff09}', '\u{3001}'];
    let before = text.get(sentence.start..version.start).unwrap_or_default();
    let after = text.get(version.end..sentence.end).unwrap_or_default();
    let start = before.rfind(commas).map_or(sentence.start, |at| sentence.start + at);
    let end = version.end + after.find(commas).unwrap_or(after.len());
    // `The stable line, 1.11.8, does not have it`: set between commas it belongs to what comes after.
    let alone = end - start <= (version.end - version.start) + 2;
    let end = if alone { sentence.end } else { end };
    text.get(start..end).unwrap_or_default()
}

/// Whether versions are named and all of them are older than the release `fixed`, out on that day.
pub(super) fn all_before(
    policy: &Policy,
    versions: &[FoundVersion],
    fixed: &str,
    received: Timestamp,
) -> bool {
    let day = TimeZone::UTC.to_datetime(received).date();
    let old = |found: &FoundVersion| {
        found.status == VersionStatus::Outdated && fixed_since(policy, &found.claimed, fixed, day)
    };
    !versions.is_empty() && versions.iter().all(old)
}

/// Versions and branches in the order of the text.
fn claims(
    patterns: &Patterns,
    policy: &Policy,
    letters: &Letters,
    text: &Text<'_>,
) -> Vec<(String, std::ops::Range<usize>)> {
    let mut found: Vec<(String, std::ops::Range<usize>)> = Vec::new();
    let written =
        |range: &std::ops::Range<usize>| text.shown().get(range.clone()).unwrap_or_default();
    if let Some(branch) = &patterns.branch {
        for range in branch.find(text.whole(), 4 * MAX_VERSIONS) {
            let name = written(&range);
            let words = name.split([' ', '\t', '`', '\'', '"']);
            // Of `branch devel` the name alone.
            let bare = words.into_iter().find(|w| policy.branches.iter().any(|b| fits(b, w)));
            found.push((bare.unwrap_or(name).trim_end_matches(['.', '-']).to_owned(), range));
        }
    }
    for number in patterns.number.find(text.whole(), 64 * MAX_VERSIONS) {
        let inside = found.iter().any(|(_, other)| other.contains(&number.start));
        if !inside && is_claim(patterns, policy, letters, text.shown(), number.clone()) {
            found.push((written(&number).to_owned(), number));
        }
    }
    found.sort_by_key(|(_, range)| range.start);
    found
}

fn fits(branch: &str, word: &str) -> bool {
    match branch.strip_suffix('*') {
        Some(start) => word.len() > start.len() && word.starts_with(start),
        None => branch.eq_ignore_ascii_case(word),
    }
}

/// Whether a number in its surroundings is a version of the product.
fn is_claim(
    patterns: &Patterns,
    policy: &Policy,
    letters: &Letters,
    text: &str,
    number: std::ops::Range<usize>,
) -> bool {
    let claimed = text.get(number.clone()).unwrap_or_default();
    let mut from = number.start.saturating_sub(CONTEXT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..number.start).unwrap_or_default();
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = text.get(number.end..).unwrap_or_default();
    // Part of an address, a path, a date, a longer number or a unit.
    let glued_before = before.ends_with(['.', '/', '-', '@', '_', ':', '%', '#', '$'])
        && !before.ends_with("rc/")
        && !before.ends_with("/v");
    let glued_after = after.starts_with(|c: char| c.is_alphanumeric() && c.is_ascii() || c == '_')
        || after.starts_with('.')
            && after.get(1..2).is_some_and(|c| c.bytes().all(|b| b.is_ascii_digit()))
        || after.trim_start().starts_with(['%', '$'])
        || after.starts_with(':') && !after.starts_with(": ") && !after.starts_with(":\n");
    let leader = before.trim_end();
    let dotted = leader.ends_with("...") || leader.ends_with('|') || claimed.starts_with("0.0");
    if glued_before || glued_after || dotted || patterns.not_tested.is_in(letters, before) {
        return false;
    }
    let product = policy.product.to_lowercase();
    let word = last_word(before);
    let sure = word == product || matches!(word.as_str(), "version" | "v" | "versions");
    if word != product && beyond(policy, claimed) {
        return false;
    }
    let full = claimed.split('.').count() >= 3;
    let released = policy.releases.iter().any(|release| release.version == claimed);
    // A release of ours after a plain word (`reviewing 1.11.8`) or a vendor's build after a name like ours
    // (`HexaPrint 1.9.2-hexa4`); a name of another thing begins with a capital or is well known.
    let written = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    let written = written.trim_matches(|c: char| !c.is_alphanumeric());
    // Scripts without letter cases have no capitals to begin a name with.
    let small = |c: char| c.is_lowercase() || c >= '\u{2e80}';
    let own = released || claimed.contains("rc") || has_vendor(claimed);
    let plain = own && written.chars().all(small);
    let vendors = claimed.contains('-') && (word.contains("print") || word.contains("octo"));
    // `the file list (1.11.8)`: nobody else's version is just that number in brackets.
    let bracketed = released && leader.ends_with('(');
    let other = !word.is_empty()
        && word != product
        && !bracketed
        && !plain
        && !vendors
        && !patterns.neutral.is_in(letters, &word);
    !other && (full || released || (sure && word == product)) && !owned(before, &product)
}

/// Whether a number without suffix has a greater first part than any release known: another thing's version.
fn beyond(policy: &Policy, claimed: &str) -> bool {
    let major =
        |version: &str| version.split('.').next().and_then(|first| first.parse::<u32>().ok());
    let newest = policy.releases.iter().filter_map(|release| major(&release.version)).max();
    let number = claimed.trim_end_matches(".x").trim_end_matches(".*");
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && major(claimed) > newest
}

/// Whether a version ends in the name of somebody's build, such as `-nova3`.
fn has_vendor(claimed: &str) -> bool {
    let suffix = claimed.split_once('-').map_or("", |(_, suffix)| suffix).to_lowercase();
    let ours = ["rc", "alpha", "beta", "dev"].iter().any(|pre| suffix.starts_with(pre));
    suffix.starts_with(|c: char| c.is_ascii_alphabetic()) && !ours
}

/// The word before, without punctuation, in lower case; empty at a line's begin and after punctuation that
/// separates.
fn last_word(before: &str) -> String {
    let trimmed =
        before.trim_end_matches([' ', '\t', '(', '=', '<', '>', '\u{2264}', '"', '\'', '`', '*']);
    if trimmed.ends_with([',', ';', ':', '.', '!', '?', ')', '\u{3002}', '\u{ff1a}', '\u{ff0c}'])
        && !trimmed.ends_with("version:")
    {
        return String::new();
    }
    let ends = "(),;/\u{ff1a}\u{ff0c}\u{3002}\u{ff08}\u{ff09}\u{300c}\u{300d}\u{3001}";
    let word = trimmed.rsplit(|c: char| c.is_whitespace() || ends.contains(c)).next();
    // A version in brackets after another: `rc/1.2.0 (1.2.0rc3)`.
    let word = word.filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    word.unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Whether another product's name with `version` stands before: `Python version 3.11.2`.
fn owned(before: &str, product: &str) -> bool {
    let lower = before.to_lowercase();
    let near = lower.get(lower.len().saturating_sub(28)..).unwrap_or(&lower);
    const OTHERS: [&str; 16] = [
        "python version",
        "chrome version",
        "firefox version",
        "octopi version",
        "kernel version",
        "node version",
        "pip version",
        "browser version",
        "plugin version",
        "marlin version",
        "cura version",
        "firmware version",
        "tornado version",
        "flask version",
        "java version",
        "engine version",
    ];
    OTHERS.iter().any(|other| near.contains(other)) && !near.contains(product)
}

/// What the versions say about the scope. One version within it is enough; of the latest release and one in
/// development, that which `free` names is no claim.
pub(super) fn hints(versions: &[FoundVersion], free: &[String], hints: &mut Vec<Hint>) {
    let first = |status: VersionStatus| versions.iter().find(|found| found.status == status);
    let mut hint = |clause: &str, answer, rule: &str, found: &FoundVersion, why: String| {
        hints.push(Hint {
            clause: clause.into(),
            answer,
            strength: 2,
            rule: rule.to_owned(),
            why,
            evidence: Some(found.evidence.clone()).filter(|evidence| evidence.line > 0),
        });
    };
    let (latest, dev) = (first(VersionStatus::LatestStable), first(VersionStatus::DevBranch));
    let is_free = |found: &&FoundVersion| free.contains(&found.claimed);
    let (latest, dev) = match (latest, dev) {
        (Some(latest), Some(dev)) if is_free(&latest) != is_free(&dev) => {
            (Some(latest).filter(|v| !is_free(v)), Some(dev).filter(|v| !is_free(v)))
        }
        both => both,
    };
    if let Some(found) = latest {
        let why = format!("{} was the latest stable release on that day.", found.claimed);
        hint("SV1", AnswerValue::Yes, "version-latest", found, why);
    }
    if let Some(found) = dev {
        let why = format!("{} is a version in development.", found.claimed);
        hint("SV2", AnswerValue::Yes, "version-in-development", found, why);
    }
    if let Some(found) = first(VersionStatus::Fork) {
        let why = format!("{} is not one of ours: a fork's or vendor's version.", found.claimed);
        hint("SV4", AnswerValue::Yes, "version-of-fork", found, why);
    } else if let Some(found) = first(VersionStatus::Outdated)
        && latest.is_none()
        && dev.is_none()
    {
        let why = format!("{} was not the latest release any more on that day.", found.claimed);
        hint("SV1", AnswerValue::No, "version-outdated", found, why);
    }
}
