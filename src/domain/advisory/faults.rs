//! Everything that is missing or wrong in a draft, all at once, each with its remedy.
//!
//! Owns: the rules that hold in every format, and the narrower ones of single formats that can be told from
//! the draft. Absent on purpose: the check of written files against the draft (`export::agree`).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::range::{compare_starts, scheme_for};
use super::score::{score, severity_of};
use super::{AdvisoryDraft, AdvisoryStatus, AffectedRange, Format, VersionScheme, ecosystem};
use crate::domain::cvss::Words;
use crate::domain::cwe;
use crate::domain::text::is_hidden;

/// One thing that keeps a draft from being exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The format that refuses it; `None` where every one does.
    pub format: Option<Format>,
    /// The field, as in the draft: `affected[2].fixed`, counted from 1.
    pub field: String,
    /// What is wrong and what to do.
    pub fault: String,
}

/// Longest summary that GitHub takes, in characters.
const GHSA_TITLE_MAX: usize = 1024;
/// Longest title of a CVE record (schema 5.1).
const CVE_TITLE_MAX: usize = 256;
/// Longest description of a CVE record (schema 5.1).
const CVE_DESCRIPTION_MAX: usize = 4096;
/// Longest description that GitHub takes, with room left for what the export adds.
const GHSA_BODY_MAX: usize = 65_535 - 4_096;
/// Most entries of one list: no real advisory comes near, and checks compare every pair.
const LIST_MAX: usize = 200;

struct Findings(Vec<Fault>);

impl Findings {
    fn add(&mut self, field: impl Into<String>, fault: impl Into<String>) {
        self.0.push(Fault { format: None, field: field.into(), fault: fault.into() });
    }

    fn add_for(&mut self, format: Format, field: impl Into<String>, fault: impl Into<String>) {
        self.0.push(Fault { format: Some(format), field: field.into(), fault: fault.into() });
    }

    /// A required one-line text.
    fn line(&mut self, field: &str, text: &str, remedy: &str) {
        if text.trim().is_empty() {
            self.add(field, format!("missing; {remedy}"));
        } else {
            self.clean_line(field, text);
        }
    }

    /// An optional one-line text.
    fn clean_line(&mut self, field: &str, text: &str) {
        if let Some(bad) = text.chars().find(|c| is_hidden(*c)) {
            let code = u32::from(bad);
            self.add(field, format!("holds the hidden character U+{code:04X}; type the text anew"));
        } else if text.contains(['\n', '\u{2028}', '\u{2029}']) {
            self.add(field, "holds a line break; write one line");
        }
        if let Some(word) = placeholder(text) {
            self.add(field, format!("still holds the placeholder {word}; replace or remove it"));
        }
    }
}

/// The first word that only stands for something still to be written.
fn placeholder(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '?')))
        .find(|word| {
            matches!(*word, "TODO" | "TBD" | "FIXME")
                || (word.len() >= 4 && word.bytes().all(|byte| byte == b'X'))
                || unfinished_id(word)
        })
        .map(str::to_owned)
}

/// A `{{gap}}` of a text template, unless it stands in code, where it may be the very point.
fn gap_in(markdown: &str) -> Option<String> {
    let mut in_block = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            // Every second piece lies between backticks.
            for piece in line.split('`').step_by(2) {
                if let Some((_, rest)) = piece.split_once("{{")
                    && let Some((name, _)) = rest.split_once("}}")
                {
                    return Some(format!("{{{{{}}}}}", cut(name)));
                }
            }
        }
    }
    None
}

/// `CVE-2026-XXXXX`, `CVE-YYYY-NNNN`, `GHSA-xxxx-xxxx-xxxx`: the schemas refuse them, and a reader may not.
fn unfinished_id(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    if upper == "GHSA-XXXX-XXXX-XXXX" {
        return true;
    }
    upper.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| matches!(byte, b'X' | b'N' | b'?'))
    })
}

/// Everything missing or wrong, in the order of the draft. Empty means that every format that applies can be
/// written ([`super::applicable()`]).
pub fn faults(draft: &AdvisoryDraft) -> Vec<Fault> {
    let mut found = Findings(Vec::new());
    check_ids(draft, &mut found);
    check_titles(draft, &mut found);
    check_product(draft, &mut found);
    if draft.not_affected.is_some() {
        check_not_affected(draft, &mut found);
        check_dates(draft, &mut found);
        return found.0;
    }
    check_severity(draft, &mut found);
    check_weaknesses(draft, &mut found);
    check_affected(draft, &mut found);
    check_sections(draft, &mut found);
    check_credits(draft, &mut found);
    check_references(draft, &mut found);
    check_dates(draft, &mut found);
    found.0
}

fn check_ids(draft: &AdvisoryDraft, found: &mut Findings) {
    let well_formed = |id: &str| {
        !id.is_empty()
            && id.len() <= 100
            && id.starts_with(|c: char| c.is_ascii_alphanumeric())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if draft.id.is_empty() {
        found.add("id", "missing; name the advisory, for example by its case");
    } else if !well_formed(&draft.id) || unfinished_id(&draft.id) {
        found.add("id", "is not letters, digits, '-', '_' and '.', at most 100; shorten it");
    }
    if let Some(id) = &draft.ghsa_id
        && (!is_ghsa_id(id) || unfinished_id(id))
    {
        found.add(
            "ghsa_id",
            format!("{id:?} is no GHSA id; copy it from GitHub or leave it out until it is known"),
        );
    }
    if let Some(id) = &draft.cve_id
        && !is_cve_id(id)
    {
        found.add("cve_id", format!("{id:?} is no CVE id; leave it out until it is assigned"));
    }
    let own = [Some(&draft.id), draft.ghsa_id.as_ref(), draft.cve_id.as_ref()];
    let mut seen: BTreeSet<&String> = own.into_iter().flatten().collect();
    for (field, ids) in [("aliases", &draft.aliases), ("related", &draft.related)] {
        bounded(field, ids.len(), found);
        for (number, id) in (1..).zip(ids.iter().take(LIST_MAX)) {
            if !well_formed(id) || unfinished_id(id) {
                found.add(format!("{field}[{number}]"), format!("{id:?} is no id; remove it"));
            } else if !seen.insert(id) {
                found.add(format!("{field}[{number}]"), format!("{id} stands there twice"));
            }
        }
    }
}

fn bounded(field: &str, count: usize, found: &mut Findings) {
    if count > LIST_MAX {
        found.add(field, format!("has {count} entries; keep it to {LIST_MAX}"));
    }
}

/// `GHSA-` and three groups of four from GitHub's alphabet.
pub fn is_ghsa_id(id: &str) -> bool {
    let groups: Vec<&str> = id.strip_prefix("GHSA-").unwrap_or("").split('-').collect();
    groups.len() == 3
        && groups.iter().all(|group| {
            group.len() == 4 && group.bytes().all(|b| b"23456789cfghjmpqrvwx".contains(&b))
        })
}

/// `CVE-`, a year, and 4 to 19 digits.
pub fn is_cve_id(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
        year.len() == 4 && digits(year) && (4..=19).contains(&number.len()) && digits(number)
    })
}

fn check_titles(draft: &AdvisoryDraft, found: &mut Findings) {
    found.line("title", &draft.title, "say in one line what goes wrong and where");
    let (title_length, cve_title) = (draft.title.chars().count(), &draft.cve_title);
    if title_length > GHSA_TITLE_MAX {
        let fault = format!("has {title_length} characters; GitHub takes {GHSA_TITLE_MAX}");
        found.add_for(Format::Ghsa, "title", fault);
    }
    if title_length > CVE_TITLE_MAX {
        let fault = format!("has {title_length} characters; a CVE title takes {CVE_TITLE_MAX}");
        found.add_for(Format::Cve, "title", fault);
    }
    if let Some(title) = cve_title {
        found.line("cve_title", title, "write it or remove the key");
    }
    if let Some(text) = &draft.cve_description {
        check_cve_description("cve_description", text, found);
    } else if let Some(impact) = draft.section("Impact") {
        // The Impact section stands in, so it must fit.
        if impact.body.chars().count() > CVE_DESCRIPTION_MAX {
            let fault = format!(
                "missing, and section Impact is longer than the {CVE_DESCRIPTION_MAX} characters of a \
                 CVE description; write a shorter one"
            );
            found.add_for(Format::Cve, "cve_description", fault);
        }
    }
}

fn check_cve_description(field: &str, text: &str, found: &mut Findings) {
    let length = text.chars().count();
    if text.trim().is_empty() {
        found.add(field, "is empty; write it or remove the key");
    } else if length > CVE_DESCRIPTION_MAX {
        let fault = format!(
            "has {length} characters; a CVE record takes {CVE_DESCRIPTION_MAX}, shorten it"
        );
        found.add_for(Format::Cve, field, fault);
    }
    if let Some(word) = placeholder(text) {
        found.add(field, format!("still holds the placeholder {word}; replace or remove it"));
    }
}

fn check_product(draft: &AdvisoryDraft, found: &mut Findings) {
    let product = &draft.product;
    found.line("product.vendor", &product.vendor, "name who makes the product");
    found.line("product.name", &product.name, "name the product");
    found.line("product.package", &product.package, "name the package in its ecosystem");
    let known = ecosystem::ECOSYSTEMS.map(|ecosystem| ecosystem.name).join(", ");
    match ecosystem(&product.ecosystem) {
        None if product.ecosystem.is_empty() => {
            found.add("product.ecosystem", format!("missing; write one of {known}"));
        }
        None => {
            let fault = format!("{:?} is not known; use one of {known}", product.ecosystem);
            found.add("product.ecosystem", fault);
        }
        Some(ecosystem) if !product.package.trim().is_empty() => {
            if !ecosystem.is_package(&product.package) {
                let (package, name) = (&product.package, ecosystem.name);
                let fault = format!("{package:?} is no {name} package name; check its spelling");
                found.add("product.package", fault);
            }
        }
        Some(_) => {}
    }
    if product.repo.is_empty() {
        found.add("product.repo", "missing; give the web address of the repository");
    } else {
        check_url("product.repo", &product.repo, found);
    }
}

/// The rules of a "not affected" statement (OpenVEX 0.2): whose flaw, and why it does not matter here.
fn check_not_affected(draft: &AdvisoryDraft, found: &mut Findings) {
    let Some(statement) = &draft.not_affected else { return };
    if draft.cve_id.is_none() && draft.ghsa_id.is_none() && draft.aliases.is_empty() {
        found.add("cve_id", "missing; name the flaw that does not affect the product");
    }
    if !draft.affected.is_empty() {
        let fault = "stands beside affected ranges; remove one of the two";
        found.add("not_affected", fault);
    }
    if statement.justification.is_none() && statement.statement.trim().is_empty() {
        found.add("not_affected.statement", "missing; say why, or give a justification");
    }
    if let Some(word) = placeholder(&statement.statement).or_else(|| gap_in(&statement.statement)) {
        let fault = format!("still holds the placeholder {word}; replace or remove it");
        found.add("not_affected.statement", fault);
    }
    if let Some(component) = &statement.component {
        let rest = component.strip_prefix("pkg:").and_then(|rest| rest.split_once('/'));
        let sound = rest.is_some_and(|(kind, name)| {
            !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric()) && !name.is_empty()
        }) && component
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b));
        if !sound {
            let fault = "is no package URL; write it like pkg:pypi/name";
            found.add("not_affected.component", fault);
        }
    }
    bounded("not_affected.versions", statement.versions.len(), found);
    let Some(scheme) = scheme_for(&draft.product.ecosystem) else { return };
    let mut seen = BTreeSet::new();
    for (number, version) in (1..).zip(statement.versions.iter().take(LIST_MAX)) {
        if !scheme.is_version(version) {
            let fault = format!("{version:?} is no version; write it as released");
            found.add(format!("not_affected.versions[{number}]"), fault);
        } else if !seen.insert(version) {
            found.add(format!("not_affected.versions[{number}]"), "stands there twice");
        }
    }
}

fn check_severity(draft: &AdvisoryDraft, found: &mut Findings) {
    let severity = &draft.severity;
    let mut scores = Vec::new();
    for (field, vector, version) in [
        ("severity.cvss_v3_1", &severity.cvss_v3_1, "3.1"),
        ("severity.cvss_v4_0", &severity.cvss_v4_0, "4.0"),
    ] {
        match vector.as_deref().map(score) {
            Some(Ok(scored)) if scored.version() == version => scores.push(scored),
            Some(Ok(scored)) => {
                found.add(
                    field,
                    format!("is a {} vector; move it to its own key", scored.version()),
                );
            }
            Some(Err(why)) => found.add(field, format!("is no valid vector: {why}")),
            None => {}
        }
    }
    if severity.cvss_v3_1.is_none() && severity.cvss_v4_0.is_none() {
        found.add("severity", "missing; give a CVSS 3.1 or 4.0 vector");
    }
    if scores.is_empty() {
        return;
    }
    let computed = |scores: &[super::Scored]| {
        let said: Vec<String> = scores
            .iter()
            .map(|s| format!("{:.1} {}", s.base(), s.severity().word(Words::Policy)))
            .collect();
        said.join(" or ")
    };
    if let Some(tenths) = severity.score_tenths
        && !scores.iter().any(|scored| scored.tenths() == tenths)
    {
        let noted = f64::from(tenths) / 10.0;
        let fault = format!("{noted:.1} but the vector gives {}; correct one", computed(&scores));
        found.add("severity.score", fault);
    }
    if let Some(rating) = &severity.rating
        && !scores.iter().any(|scored| severity_of(rating) == Some(scored.severity()))
    {
        let fault = format!("{rating:?} but the vector gives {}; correct one", computed(&scores));
        found.add("severity.rating", fault);
    }
}

fn check_weaknesses(draft: &AdvisoryDraft, found: &mut Findings) {
    bounded("weakness", draft.weaknesses.len(), found);
    let mut seen = BTreeSet::new();
    for (number, weakness) in (1..).zip(draft.weaknesses.iter().take(LIST_MAX)) {
        let field = format!("weakness[{number}]");
        let digits = weakness.id.strip_prefix("CWE-").unwrap_or("");
        if digits.is_empty()
            || digits.len() > 5
            || digits.starts_with('0')
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            let fault = format!("{:?} is not CWE- and a number, such as CWE-79", weakness.id);
            found.add(format!("{field}.id"), fault);
        } else if !seen.insert(&weakness.id) {
            found.add(format!("{field}.id"), format!("{} stands there twice", weakness.id));
        }
        check_weakness_name(&field, weakness, found);
    }
}

/// The entry must exist, may be used, and is called by its exact name (CSAF test 6.1.11).
fn check_weakness_name(field: &str, weakness: &super::Weakness, found: &mut Findings) {
    let Some(known) = cwe::find(&weakness.id) else {
        let spelled = weakness.id.strip_prefix("CWE-").is_some_and(|digits| {
            !digits.is_empty() && digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit())
        });
        if spelled && !weakness.id.starts_with("CWE-0") {
            let fault = format!("{} is not in CWE {}; look it up", weakness.id, cwe::VERSION);
            found.add(format!("{field}.id"), fault);
        }
        return;
    };
    if known.usage == cwe::Usage::Prohibited {
        let fault = format!(
            "{} is a category or withdrawn; MITRE prohibits it for vulnerabilities, name a weakness",
            weakness.id
        );
        found.add(format!("{field}.id"), fault);
    }
    if weakness.name.trim().is_empty() {
        found.add(format!("{field}.name"), format!("missing; it is {:?}", known.name));
    } else if weakness.name != known.name {
        let fault = format!("is not its exact name, which is {:?}", known.name);
        found.add(format!("{field}.name"), fault);
    }
}

fn check_affected(draft: &AdvisoryDraft, found: &mut Findings) {
    if draft.affected.is_empty() {
        found.add("affected", "missing; give at least one range: introduced and fixed");
    }
    bounded("affected", draft.affected.len(), found);
    let Some(scheme) = scheme_for(&draft.product.ecosystem) else { return };
    let mut sound = Vec::new();
    for (number, range) in (1..).zip(draft.affected.iter().take(LIST_MAX)) {
        let before = found.0.len();
        check_range(&format!("affected[{number}]"), range, scheme, found);
        if found.0.len() == before {
            sound.push((number, range));
        }
    }
    for (at, (number, range)) in sound.iter().enumerate() {
        let mut earlier = sound.iter().take(at);
        if let Some((other, _)) = earlier.find(|(_, other)| overlap(scheme, other, range)) {
            let fault = format!("overlaps affected[{other}]; join the two or correct an end");
            found.add(format!("affected[{number}]"), fault);
        }
    }
}

fn check_range(
    field: &str,
    range: &AffectedRange,
    scheme: &dyn VersionScheme,
    found: &mut Findings,
) {
    let introduced = range.introduced.as_str();
    if introduced.is_empty() {
        let remedy = "give the first affected version, or \"0\" for every one before";
        found.add(format!("{field}.introduced"), format!("missing; {remedy}"));
        return;
    }
    let ends = [
        ("introduced", Some(introduced).filter(|version| *version != "0")),
        ("fixed", range.fixed.as_deref()),
        ("last_affected", range.last_affected.as_deref()),
    ];
    let before = found.0.len();
    for (name, version) in ends {
        if let Some(version) = version
            && !scheme.is_version(version)
        {
            let fault = format!("{version:?} is no version; write it as released, such as 1.11.8");
            found.add(format!("{field}.{name}"), fault);
        }
    }
    if range.fixed.is_some() && range.last_affected.is_some() {
        let fault = "stands beside fixed; remove it, the fixed version says more";
        found.add(format!("{field}.last_affected"), fault);
    }
    if found.0.len() > before || introduced == "0" {
        return;
    }
    let order = |end: &Option<String>| end.as_deref().and_then(|e| scheme.compare(e, introduced));
    if order(&range.fixed).is_some_and(|order| order != Ordering::Greater) {
        let fault = "is not later than introduced, so the range is empty; correct one of them";
        found.add(format!("{field}.fixed"), fault);
    }
    if order(&range.last_affected) == Some(Ordering::Less) {
        let fault = "is earlier than introduced, so the range is empty; correct one of them";
        found.add(format!("{field}.last_affected"), fault);
    }
}

fn overlap(scheme: &dyn VersionScheme, one: &AffectedRange, two: &AffectedRange) -> bool {
    let ordered = compare_starts(scheme, &one.introduced, &two.introduced);
    let (lower, upper) = if ordered == Some(Ordering::Greater) { (two, one) } else { (one, two) };
    ordered == Some(Ordering::Equal)
        || (upper.introduced != "0" && scheme.contains(lower, &upper.introduced) == Some(true))
}

fn check_sections(draft: &AdvisoryDraft, found: &mut Findings) {
    bounded("section", draft.sections.len(), found);
    let has_description = draft.cve_description.as_ref().is_some_and(|t| !t.trim().is_empty());
    if draft.section("Impact").is_none() && !(draft.sections.is_empty() && has_description) {
        found.add("section Impact", "missing; say what an attacker can do, and who is affected");
    }
    let (mut seen, mut total) = (BTreeSet::new(), 0);
    for (number, section) in (1..).zip(draft.sections.iter().take(LIST_MAX)) {
        let field = format!("section[{number}].heading");
        found.line(&field, &section.heading, "name the section");
        if !seen.insert(section.heading.trim().to_ascii_lowercase()) {
            found.add(field, format!("{:?} stands there twice; join them", section.heading));
        }
        let field = format!("section {}", section.heading.trim());
        if section.body.trim().is_empty() {
            let remedy = match section.heading.trim().to_ascii_lowercase().as_str() {
                "impact" => "say what an attacker can do, and who is affected",
                _ => "write it or remove the section",
            };
            found.add(field, format!("is empty; {remedy}"));
        } else if let Some(word) = placeholder(&section.body).or_else(|| gap_in(&section.body)) {
            found.add(field, format!("still holds the placeholder {word}; replace or remove it"));
        }
        total += section.heading.chars().count() + section.body.chars().count() + 10;
    }
    if total > GHSA_BODY_MAX {
        let fault = format!("have {total} characters together; GitHub takes about {GHSA_BODY_MAX}");
        found.add_for(Format::Ghsa, "section", fault);
    }
    bounded("timeline", draft.timeline.len(), found);
    for (number, line) in (1..).zip(draft.timeline.iter().take(LIST_MAX)) {
        found.line(&format!("timeline[{number}].text"), &line.text, "say what happened");
    }
}

fn check_credits(draft: &AdvisoryDraft, found: &mut Findings) {
    bounded("credit", draft.credits.len(), found);
    for (number, credit) in (1..).zip(draft.credits.iter().take(LIST_MAX)) {
        let field = format!("credit[{number}]");
        let remedy = "give the name as they want it, or remove the credit";
        found.line(&format!("{field}.name"), &credit.name, remedy);
        if let Some(login) = &credit.github
            && !is_github_login(login)
        {
            let fault =
                format!("{login:?} is no GitHub login; write it without @, or leave it out");
            found.add(format!("{field}.github"), fault);
        }
        if credit.name.contains('@') && credit.name.rsplit('@').next().is_some_and(has_dot_inside) {
            let fault = "holds a mail address; exports never carry one, give the name alone";
            found.add(format!("{field}.name"), fault);
        }
        let name = credit.name.trim();
        if !credit.may_be_named()
            && !name.is_empty()
            && let Some(section) = draft.sections.iter().find(|s| s.body.contains(name))
        {
            let fault = format!(
                "has no consent, yet section {} names them; ask them or take the name out",
                section.heading
            );
            found.add(format!("{field}.consent"), fault);
        }
    }
}

fn has_dot_inside(domain: &str) -> bool {
    domain.trim_end_matches(['>', ')', '.', ' ']).contains('.')
}

fn is_github_login(login: &str) -> bool {
    (1..=39).contains(&login.len())
        && login.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !login.starts_with('-')
}

fn check_references(draft: &AdvisoryDraft, found: &mut Findings) {
    bounded("reference", draft.references.len(), found);
    let mut seen = BTreeSet::new();
    for (number, reference) in (1..).zip(draft.references.iter().take(LIST_MAX)) {
        let field = format!("reference[{number}].url");
        check_url(&field, &reference.url, found);
        if !seen.insert(&reference.url) {
            found.add(field, "stands there twice; remove one");
        }
    }
}

/// Http or https, a host, and nothing that RFC 3986 would want escaped.
fn check_url(field: &str, url: &str, found: &mut Findings) {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
    let has_host = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && !host.contains('@')
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    if !has_host {
        found.add(field, format!("{:?} is no http or https address; write it in full", cut(url)));
    } else if !url.bytes().all(allowed) || url.len() > 2048 || bad_percent(url) {
        let fault = "holds a character that must be escaped with %, or is longer than 2048";
        found.add(field, fault);
    }
}

fn bad_percent(url: &str) -> bool {
    url.split('%')
        .skip(1)
        .any(|rest| rest.len() < 2 || !rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

fn check_dates(draft: &AdvisoryDraft, found: &mut Findings) {
    let dates = &draft.dates;
    if draft.is_public() && dates.published.is_none() {
        found.add("dates.published", "missing although the status says it is public; add the day");
    }
    if !draft.is_public() && dates.published.is_some() {
        let fault = "is set although the status is draft; remove it or set status = \"published\"";
        found.add("dates.published", fault);
    }
    if (draft.status == AdvisoryStatus::Withdrawn) != dates.withdrawn.is_some() {
        let fault = "goes with status = \"withdrawn\"; set both or neither";
        found.add("dates.withdrawn", fault);
    }
    if dates.last_change().is_none() {
        found.add("dates", "missing; give at least the day of the report, or modified");
    }
    // A day has no time: 2024-05-14 is not before 2024-05-14T13:49Z.
    for (earlier_name, earlier, later_name, later) in [
        ("reported", dates.reported, "acknowledged", dates.acknowledged),
        ("reported", dates.reported, "fixed", dates.fixed),
        ("reported", dates.reported, "published", dates.published),
        ("published", dates.published, "modified", dates.modified),
        ("published", dates.published, "withdrawn", dates.withdrawn),
        ("cve_reserved", dates.cve_reserved, "cve_published", dates.cve_published),
    ] {
        if let (Some(earlier), Some(later)) = (earlier, later)
            && later.day() < earlier.day()
        {
            let fault = format!("{later} is before {earlier_name} ({earlier}); correct one");
            found.add(format!("dates.{later_name}"), fault);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
