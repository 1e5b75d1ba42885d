//! From a draft and its faults to the lines of the form.

use super::{Field, Row, Standing};
use crate::app::advisory::FaultLine;
use crate::app::case;
use crate::domain::advisory::{AdvisoryDraft, AffectedRange, Reference, Weakness};
use crate::domain::credit::Credit;
use crate::domain::cvss::{Vector, Version};
use crate::domain::journal::AnswerValue;
use crate::domain::policy::{ItemKind, Policy};
use crate::mail::DisplayText;

/// Entries of one list shown; the rest is reached through the TOML.
const MAX_ENTRIES: usize = 200;

/// Dates that are shown even while they are empty.
const USUAL_DATES: [&str; 4] = ["reported", "fixed", "published", "embargo_until"];

/// Every line of the form, in order. `checklist` holds the answers to the criteria.
pub fn build(
    draft: &AdvisoryDraft,
    faults: &[FaultLine],
    checklist: &[case::Row],
    policy: &Policy,
) -> Vec<Row> {
    let mut rows = criteria(checklist, policy);
    let mut maker = Maker { rows: Vec::new(), faults };
    text_rows(draft, &mut maker);
    fact_rows(draft, &mut maker);
    people_rows(draft, &mut maker);
    record_rows(draft, &mut maker);
    rows.append(&mut maker.rows);
    rows.extend(others(&rows, faults));
    rows
}

struct Maker<'a> {
    rows: Vec<Row>,
    faults: &'a [FaultLine],
}

impl Maker<'_> {
    /// Adds a line; `empty` says how it stands without a value.
    fn add(&mut self, field: Field, label: &str, value: &str, empty: Standing) {
        let faults: Vec<DisplayText> =
            self.faults.iter().filter(|f| field.concerns(&f.field)).map(fault_words).collect();
        let standing = match (faults.is_empty(), value.is_empty()) {
            (false, _) => Standing::Faulty,
            (true, true) => empty,
            (true, false) => Standing::Filled,
        };
        let value = DisplayText::bounded(value, 2_000);
        self.rows.push(Row { field, label: label.to_owned(), value, standing, faults });
    }

    /// Adds the entries of a list and a line to add one.
    fn list<T>(
        &mut self,
        entries: &[T],
        label: &str,
        field: fn(usize) -> Field,
        words: impl Fn(&T) -> String,
        empty: Standing,
    ) {
        for (at, entry) in entries.iter().enumerate().take(MAX_ENTRIES) {
            self.add(field(at), label, &words(entry), Standing::Faulty);
        }
        if entries.is_empty() {
            self.add(field(0), label, "", empty);
            self.take_fault_of_list(label);
        } else {
            let more = format!("{label} …");
            self.add(field(entries.len()), &more, "", Standing::Optional);
        }
    }

    /// The fault of an empty list names the list, not an entry.
    fn take_fault_of_list(&mut self, label: &str) {
        let own = self.faults.iter().filter(|fault| fault.field == label);
        let faults: Vec<DisplayText> = own.map(fault_words).collect();
        if let Some(row) = self.rows.last_mut().filter(|_| !faults.is_empty()) {
            row.standing = Standing::Faulty;
            row.faults.extend(faults);
        }
    }
}

fn fault_words(fault: &FaultLine) -> DisplayText {
    match &fault.format {
        Some(format) => DisplayText::line(&format!("{}: {}", format, fault.fault.as_str())),
        None => fault.fault.clone(),
    }
}

/// The criteria for an advisory (such as PD3 to PD5), with answers and proposals.
fn criteria(checklist: &[case::Row], policy: &Policy) -> Vec<Row> {
    let asked = policy.items.iter().filter(|item| item.kind == ItemKind::AdvisoryCriterion);
    let row = |item: &crate::domain::policy::Item| {
        let known = checklist.iter().find(|row| row.id == item.id);
        let answer = known.and_then(|row| row.answer.as_ref());
        let proposal = known.and_then(|row| row.proposal.as_ref());
        let (value, standing) = match (answer, proposal) {
            (Some(answer), _) => {
                let outcome = known.map_or("", |row| row.outcome.as_str());
                let outcome = if outcome.is_empty() { item.title.as_str() } else { outcome };
                let words = [answer.value.as_str(), outcome];
                let standing = if answer.value == AnswerValue::Yes {
                    Standing::Filled
                } else {
                    Standing::Optional
                };
                (words.join(": "), standing)
            }
            (None, Some(hint)) => {
                (format!("~{}, suggested: {}", hint.answer.as_str(), hint.why), Standing::Faulty)
            }
            (None, None) => (String::new(), Standing::Faulty),
        };
        let open = answer.is_none();
        Row {
            label: item.id.to_string(),
            value: DisplayText::line(&value),
            standing,
            faults: open.then(|| DisplayText::line(&item.question)).into_iter().collect(),
            field: Field::Criterion(item.id.clone()),
        }
    };
    asked.map(row).collect()
}

fn text_rows(draft: &AdvisoryDraft, maker: &mut Maker<'_>) {
    maker.add(Field::Title, "title", &draft.title, Standing::Faulty);
    let body = |heading: &str| draft.section(heading).map_or("", |section| section.body.trim());
    let first_line = |text: &str| {
        let count = text.lines().count();
        let first = text.lines().next().unwrap_or_default().to_owned();
        if count > 1 { format!("{first} … ({count} lines)") } else { first }
    };
    let workaround = match draft.section("Workarounds") {
        Some(_) => "Workarounds",
        None => "Workaround",
    };
    for heading in ["Impact", workaround] {
        let label = heading.to_lowercase();
        maker.add(
            Field::Section(heading.to_owned()),
            &label,
            &first_line(body(heading)),
            Standing::Wanted,
        );
    }
    let further = draft.sections.iter().filter(|section| {
        let heading = section.heading.trim();
        !heading.is_empty()
            && !heading.eq_ignore_ascii_case("Impact")
            && !heading.eq_ignore_ascii_case(workaround)
    });
    for section in further.take(MAX_ENTRIES) {
        let heading = section.heading.trim();
        maker.add(
            Field::Section(heading.to_owned()),
            &heading.to_lowercase(),
            &first_line(section.body.trim()),
            Standing::Faulty,
        );
    }
}

fn fact_rows(draft: &AdvisoryDraft, maker: &mut Maker<'_>) {
    let product = &draft.product;
    for (part, value) in [
        ("vendor", &product.vendor),
        ("name", &product.name),
        ("ecosystem", &product.ecosystem),
        ("package", &product.package),
        ("repo", &product.repo),
    ] {
        maker.add(Field::Product(part), part, value, Standing::Faulty);
    }
    maker.list(&draft.affected, "affected", Field::Range, range_words, Standing::Faulty);
    maker.list(&draft.weaknesses, "weakness", Field::Weakness, weakness_words, Standing::Wanted);
    let severity = &draft.severity;
    for (version, label, vector) in [
        (Version::V31, "CVSS 3.1", &severity.cvss_v3_1),
        (Version::V40, "CVSS 4.0", &severity.cvss_v4_0),
    ] {
        let words = vector.as_deref().map(vector_words).unwrap_or_default();
        maker.add(Field::Vector(version), label, &words, Standing::Optional);
    }
}

fn people_rows(draft: &AdvisoryDraft, maker: &mut Maker<'_>) {
    maker.list(&draft.credits, "credit", Field::Credit, credit_words, Standing::Wanted);
    let words = |reference: &Reference| format!("{}: {}", reference.kind.as_str(), reference.url);
    maker.list(&draft.references, "reference", Field::Reference, words, Standing::Optional);
}

fn record_rows(draft: &AdvisoryDraft, maker: &mut Maker<'_>) {
    for (name, date) in draft.dates.named() {
        let value = date.map(|date| date.to_string()).unwrap_or_default();
        let faulty = maker.faults.iter().any(|fault| Field::Date(name).concerns(&fault.field));
        if date.is_some() || faulty || USUAL_DATES.contains(&name) {
            maker.add(Field::Date(name), &name.replace('_', " "), &value, Standing::Optional);
        }
    }
    maker.add(Field::Status, "status", draft.status.as_str(), Standing::Faulty);
    for (name, label, value) in [
        ("id", "our id", Some(draft.id.as_str())),
        ("ghsa_id", "GHSA id", draft.ghsa_id.as_deref()),
        ("cve_id", "CVE id", draft.cve_id.as_deref()),
    ] {
        maker.add(Field::Id(name), label, value.unwrap_or_default(), Standing::Optional);
    }
}

/// Faults that no line has shown.
fn others(rows: &[Row], faults: &[FaultLine]) -> Vec<Row> {
    let shown = |fault: &FaultLine| {
        rows.iter().any(|row| {
            row.field.concerns(&fault.field) || (row.label == fault.field && !row.faults.is_empty())
        })
    };
    let hidden = faults.iter().filter(|fault| !shown(fault)).take(MAX_ENTRIES);
    hidden
        .map(|fault| Row {
            field: Field::Other(fault.field.clone()),
            label: fault.field.clone(),
            value: DisplayText::line("in the TOML"),
            standing: Standing::Faulty,
            faults: vec![fault_words(fault)],
        })
        .collect()
}

/// `0 up to 1.11.7, fixed in 1.11.8`.
pub fn range_words(range: &AffectedRange) -> String {
    let from = match range.introduced.as_str() {
        "" => "?".to_owned(),
        "0" => "every version".to_owned(),
        introduced => format!("from {introduced}"),
    };
    let to = match (&range.fixed, &range.last_affected) {
        (Some(fixed), _) => format!("before {fixed}"),
        (None, Some(last)) => format!("up to {last}, no fix yet"),
        (None, None) => "and all later ones".to_owned(),
    };
    let end = if range.unsupported { ", unsupported" } else { "" };
    format!("{from} {to}{end}")
}

fn weakness_words(weakness: &Weakness) -> String {
    format!("{} {}", weakness.id, weakness.name).trim().to_owned()
}

fn credit_words(credit: &Credit) -> String {
    let consent = match credit.consent {
        Some(true) => "agreed",
        Some(false) => "not agreed: not named",
        None => "as written by us",
    };
    let login = credit.github.as_ref().map_or_else(String::new, |login| format!(" @{login}"));
    format!("{}{login} ({}), {consent}", credit.name, credit.role)
}

fn vector_words(text: &str) -> String {
    match Vector::parse(text) {
        Ok(vector) => format!("{} {vector}", crate::app::calculator::score_words(&vector)),
        Err(_) => text.to_owned(),
    }
}
