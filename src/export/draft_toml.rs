//! The advisory draft as TOML: what the maintainer edits.
//!
//! Reading collects every fault with its line; unknown keys name their nearest neighbour. Writing keeps a human
//! order, says in comments what is still empty, and holds any text: reading what was written gives the same draft.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::advisory::{
    AdvisoryDraft, AdvisoryStatus, AffectedRange, Dates, DraftDate, Justification, NotAffected,
    Product, Reference, ReferenceKind, Section, SeverityDraft, TimelineLine, Weakness,
};
use crate::domain::credit::{Credit, CreditRole};

mod writer;

pub use writer::write;

/// A fault in the text of a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TomlFault {
    /// Line, from 1.
    pub line: usize,
    /// Key, such as `severity.score`; empty where the text is no TOML at all.
    pub field: String,
    /// What is wrong and what to do.
    pub fault: String,
}

impl std::fmt::Display for TomlFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.fault)
    }
}

/// Longest text that is read, in bytes: ten times the longest description that any format takes.
pub const MAX_BYTES: usize = 1 << 20;

const TOP: &[&str] = &[
    "schema",
    "id",
    "title",
    "ghsa_id",
    "cve_id",
    "aliases",
    "cve_title",
    "status",
    "already_public",
    "cve_description",
    "not_affected",
    "product",
    "severity",
    "weakness",
    "affected",
    "section",
    "credit",
    "reference",
    "related",
    "timeline",
    "dates",
];
const NOT_AFFECTED: &[&str] = &["justification", "statement", "component", "versions"];
const PRODUCT: &[&str] = &["vendor", "name", "ecosystem", "package", "repo"];
const SEVERITY: &[&str] = &["cvss_v3_1", "cvss_v4_0", "score", "rating"];
const WEAKNESS: &[&str] = &["id", "name"];
const AFFECTED: &[&str] = &["introduced", "fixed", "last_affected", "unsupported"];
const SECTION: &[&str] = &["heading", "body"];
const CREDIT: &[&str] = &["name", "type", "github", "consent"];
const REFERENCE: &[&str] = &["kind", "url"];
const RELATED: &[&str] = &["id"];
const TIMELINE: &[&str] = &["date", "text"];
const DATES: &[&str] = &[
    "reported",
    "acknowledged",
    "fixed",
    "cve_reserved",
    "published",
    "cve_published",
    "modified",
    "withdrawn",
    "embargo_until",
];

/// Reads a draft. Missing keys are left empty, for [`crate::domain::advisory::faults()`] to list.
///
/// # Errors
/// Every fault of the text: broken TOML, unknown keys, wrong types, unknown words, unreadable dates.
pub fn read(text: &str) -> Result<AdvisoryDraft, Vec<TomlFault>> {
    let mut reader = Reader { text, faults: Vec::new() };
    if text.len() > MAX_BYTES {
        reader.add(0, "", format!("longer than {MAX_BYTES} bytes; shorten the sections"));
        return Err(reader.faults);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(20) {
        let start = error.span().map_or(0, |span| span.start);
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        reader.add(start, "", format!("is not TOML: {message}"));
    }
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    let draft = reader.draft(document.get_ref());
    if reader.faults.is_empty() {
        Ok(draft)
    } else {
        reader.faults.sort_by_key(|fault| fault.line);
        Err(reader.faults)
    }
}

struct Reader<'t> {
    text: &'t str,
    faults: Vec<TomlFault>,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn add(&mut self, offset: usize, field: &str, fault: impl Into<String>) {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        self.faults.push(TomlFault { line, field: field.to_owned(), fault: fault.into() });
    }

    fn draft(&mut self, top: &DeTable<'_>) -> AdvisoryDraft {
        self.keys(top, "", TOP);
        if let Some(schema) = top.get("schema")
            && schema.get_ref().as_integer().map(|number| number.as_str()) != Some("1")
        {
            self.add(
                schema.span().start,
                "schema",
                "is not 1, the only form known; write schema = 1",
            );
        }
        AdvisoryDraft {
            id: self.string(top, "", "id"),
            title: self.string(top, "", "title"),
            ghsa_id: self.optional(top, "", "ghsa_id"),
            cve_id: self.optional(top, "", "cve_id"),
            aliases: self.strings(top, "", "aliases"),
            cve_title: self.optional(top, "", "cve_title"),
            cve_description: self.optional(top, "", "cve_description"),
            status: self.word(top, "", "status", AdvisoryStatus::parse, || {
                words(&AdvisoryStatus::ALL.map(AdvisoryStatus::as_str))
            }),
            already_public: self.boolean(top, "", "already_public").unwrap_or(false),
            not_affected: self.not_affected(top),
            product: self.product(top),
            severity: self.severity(top),
            weaknesses: self.list(top, "weakness", WEAKNESS, |reader, at, table| Weakness {
                id: reader.string(table, at, "id"),
                name: reader.string(table, at, "name"),
            }),
            affected: self.list(top, "affected", AFFECTED, |reader, at, table| AffectedRange {
                introduced: reader.string(table, at, "introduced"),
                fixed: reader.optional(table, at, "fixed"),
                last_affected: reader.optional(table, at, "last_affected"),
                unsupported: reader.boolean(table, at, "unsupported").unwrap_or(false),
            }),
            sections: self.list(top, "section", SECTION, |reader, at, table| Section {
                heading: reader.string(table, at, "heading"),
                body: reader.string(table, at, "body"),
            }),
            credits: self.list(top, "credit", CREDIT, |reader, at, table| Credit {
                name: reader.string(table, at, "name"),
                role: reader.word(table, at, "type", CreditRole::parse, || {
                    words(&CreditRole::ALL.map(CreditRole::as_str))
                }),
                github: reader.optional(table, at, "github"),
                consent: reader.boolean(table, at, "consent"),
            }),
            references: self.references(top),
            related: self
                .list(top, "related", RELATED, |reader, at, table| reader.string(table, at, "id")),
            timeline: self.timeline(top),
            dates: self.dates(top),
        }
    }

    /// Reports keys that mean nothing here.
    fn keys(&mut self, table: &DeTable<'_>, at: &str, known: &[&str]) {
        for (key, _) in table.iter() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let near = nearest(name, known)
                    .map_or_else(|| words(known), |near| format!("did you mean {near}?"));
                self.add(
                    key.span().start,
                    &join(at, &shown(name)),
                    format!("is no key here; {near}"),
                );
            }
        }
    }

    fn wrong_type(&mut self, value: &Value<'_>, field: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        self.add(value.span().start, field, format!("is of type {found}; write {wanted}"));
    }

    fn string(&mut self, table: &DeTable<'_>, at: &str, key: &str) -> String {
        let Some(value) = table.get(key) else { return String::new() };
        if let Some(text) = value.get_ref().as_str() {
            return text.to_owned();
        }
        self.wrong_type(value, &join(at, key), "text in quotes");
        String::new()
    }

    /// Empty text counts as left out, so that a prepared empty key does no harm.
    fn optional(&mut self, table: &DeTable<'_>, at: &str, key: &str) -> Option<String> {
        Some(self.string(table, at, key)).filter(|text| !text.is_empty())
    }

    fn boolean(&mut self, table: &DeTable<'_>, at: &str, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let answer = value.get_ref().as_bool();
        if answer.is_none() {
            self.wrong_type(value, &join(at, key), "true or false");
        }
        answer
    }

    fn word<T: Default>(
        &mut self,
        table: &DeTable<'_>,
        at: &str,
        key: &str,
        parse: fn(&str) -> Option<T>,
        known: fn() -> String,
    ) -> T {
        let text = self.string(table, at, key);
        if let Some(value) = table.get(key)
            && value.get_ref().as_str().is_some()
            && parse(&text).is_none()
        {
            let fault = format!("{} is not known; {}", quoted(&text), known());
            self.add(value.span().start, &join(at, key), fault);
        }
        parse(&text).unwrap_or_default()
    }

    fn strings(&mut self, table: &DeTable<'_>, at: &str, key: &str) -> Vec<String> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let field = &join(at, key);
        let Some(entries) = value.get_ref().as_array() else {
            self.wrong_type(value, field, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for entry in entries.iter() {
            match entry.get_ref().as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong_type(entry, field, "text in quotes"),
            }
        }
        texts
    }

    /// A `[key]` table, empty where it is absent.
    fn table<T: Default>(
        &mut self,
        top: &DeTable<'_>,
        key: &str,
        known: &[&str],
        make: impl FnOnce(&mut Self, &DeTable<'_>) -> T,
    ) -> T {
        let Some(value) = top.get(key) else { return T::default() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(value, key, &format!("a table [{key}]"));
            return T::default();
        };
        self.keys(table, key, known);
        make(self, table)
    }

    /// The `[[key]]` tables.
    fn list<T>(
        &mut self,
        top: &DeTable<'_>,
        key: &str,
        known: &[&str],
        mut make: impl FnMut(&mut Self, &str, &DeTable<'_>) -> T,
    ) -> Vec<T> {
        let Some(value) = top.get(key) else { return Vec::new() };
        let Some(entries) = value.get_ref().as_array() else {
            self.wrong_type(value, key, &format!("tables [[{key}]]"));
            return Vec::new();
        };
        let mut made = Vec::new();
        for (number, entry) in (1..).zip(entries.iter()) {
            let at = format!("{key}[{number}]");
            match entry.get_ref().as_table() {
                Some(table) => {
                    self.keys(table, &at, known);
                    made.push(make(self, &at, table));
                }
                None => self.wrong_type(entry, &at, &format!("a table [[{key}]]")),
            }
        }
        made
    }

    fn product(&mut self, top: &DeTable<'_>) -> Product {
        self.table(top, "product", PRODUCT, |reader, table| Product {
            vendor: reader.string(table, "product", "vendor"),
            name: reader.string(table, "product", "name"),
            ecosystem: reader.string(table, "product", "ecosystem"),
            package: reader.string(table, "product", "package"),
            repo: reader.string(table, "product", "repo"),
        })
    }

    fn not_affected(&mut self, top: &DeTable<'_>) -> Option<NotAffected> {
        let at = "not_affected";
        self.table(top, at, NOT_AFFECTED, |reader, table| {
            let known = || words(&Justification::ALL.map(Justification::as_str));
            let parse = |word: &str| Justification::parse(word).map(Some);
            Some(NotAffected {
                justification: reader.word(table, at, "justification", parse, known),
                statement: reader.string(table, at, "statement"),
                component: reader.optional(table, at, "component"),
                versions: reader.strings(table, at, "versions"),
            })
        })
    }

    fn severity(&mut self, top: &DeTable<'_>) -> SeverityDraft {
        self.table(top, "severity", SEVERITY, |reader, table| SeverityDraft {
            cvss_v3_1: reader.optional(table, "severity", "cvss_v3_1"),
            cvss_v4_0: reader.optional(table, "severity", "cvss_v4_0"),
            score_tenths: reader.score(table),
            rating: reader.optional(table, "severity", "rating"),
        })
    }

    fn score(&mut self, table: &DeTable<'_>) -> Option<u16> {
        let value = table.get("score")?;
        let number = match value.get_ref() {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let tenths = number.map(|number| number * 10.0).filter(|tenths| {
            (0.0..=100.0).contains(tenths) && (tenths - tenths.round()).abs() < 1e-6
        });
        if tenths.is_none() {
            let fault = "is no base score; write a number from 0.0 to 10.0 with one decimal";
            self.add(value.span().start, "severity.score", fault);
        }
        tenths.map(|tenths| tenths.round() as u16)
    }

    fn references(&mut self, top: &DeTable<'_>) -> Vec<Reference> {
        self.list(top, "reference", REFERENCE, |reader, at, table| Reference {
            kind: reader
                .word(
                    table,
                    at,
                    "kind",
                    |word| ReferenceKind::parse(word).map(Kind),
                    || words(&ReferenceKind::ALL.map(ReferenceKind::as_str)),
                )
                .0,
            url: reader.string(table, at, "url"),
        })
    }

    fn timeline(&mut self, top: &DeTable<'_>) -> Vec<TimelineLine> {
        let lines = self.list(top, "timeline", TIMELINE, |reader, at, table| {
            if !table.contains_key("date") {
                let fault = "missing; write the day, such as \"2026-06-23\"";
                reader.add_to_table(table, &join(at, "date"), fault);
            }
            let text = reader.string(table, at, "text");
            reader.date(table, at, "date").map(|date| TimelineLine { date, text })
        });
        lines.into_iter().flatten().collect()
    }

    /// Points at the first key of a table that lacks one.
    fn add_to_table(&mut self, table: &DeTable<'_>, field: &str, fault: &str) {
        let start = table.iter().map(|(key, _)| key.span().start).min().unwrap_or(0);
        self.add(start, field, fault);
    }

    fn dates(&mut self, top: &DeTable<'_>) -> Dates {
        self.table(top, "dates", DATES, |reader, table| {
            let mut date = |key| reader.date(table, "dates", key);
            Dates {
                reported: date("reported"),
                acknowledged: date("acknowledged"),
                fixed: date("fixed"),
                published: date("published"),
                modified: date("modified"),
                withdrawn: date("withdrawn"),
                cve_reserved: date("cve_reserved"),
                cve_published: date("cve_published"),
                embargo_until: date("embargo_until"),
            }
        })
    }

    /// A date as text or as TOML's own date.
    fn date(&mut self, table: &DeTable<'_>, at: &str, key: &str) -> Option<DraftDate> {
        let value = table.get(key)?;
        let text = match value.get_ref() {
            DeValue::Datetime(datetime) => datetime.to_string(),
            DeValue::String(text) if text.is_empty() => return None,
            DeValue::String(text) => text.to_string(),
            _ => {
                self.wrong_type(value, &join(at, key), "a date in quotes");
                return None;
            }
        };
        let date = DraftDate::parse(&text);
        if date.is_none() {
            let fault =
                format!("{} is no date; write 2026-06-23 or 2026-06-23T18:00:00Z", quoted(&text));
            self.add(value.span().start, &join(at, key), fault);
        }
        date
    }
}

/// A reference kind with a default for unreadable ones.
struct Kind(ReferenceKind);

impl Default for Kind {
    fn default() -> Self {
        Self(ReferenceKind::Web)
    }
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

fn words(known: &[&str]) -> String {
    format!("use one of {}", known.join(", "))
}

fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}

/// The known word with the fewest edits, if it is near enough to be meant.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.chars().count() > 40 {
        return None;
    }
    let scored = known.iter().map(|word| (edits(name, word), *word)).min()?;
    (scored.0 <= 1 + scored.1.len() / 3).then_some(scored.1)
}

/// Levenshtein distance.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((r, diagonal), above) in right.iter().zip(&row).zip(row.iter().skip(1)) {
            let beside = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(l != *r)).min(above + 1).min(beside + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
