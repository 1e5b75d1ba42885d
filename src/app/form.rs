//! The guided form of an advisory draft: every field in order with what is missing, and how each is edited.
//!
//! Owns: the list of fields, the gates, the dialogs, and what editing a field does to the draft. Absent on
//! purpose: the rules of a draft (`domain::advisory::faults`), its text form (`export::draft_toml`), drawing.
//! Read next: [`Field`], `rows.rs`, then `actions.rs`.

pub(super) mod actions;
pub mod dialog;
pub mod edit;
pub mod gates;
pub mod rows;
pub mod weakness;

use crate::domain::ClauseId;
use crate::domain::cvss::Version;
use crate::mail::DisplayText;

pub(super) use actions::take_vector;

/// Something on the form that can be edited by itself. Positions in lists count from 0; one past the end
/// stands for an entry still to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Field {
    /// An answer to a criterion for an advisory.
    Criterion(ClauseId),
    /// The title.
    Title,
    /// The section with this heading.
    Section(String),
    /// A part of the product: `vendor`, `name`, `ecosystem`, `package` or `repo`.
    Product(&'static str),
    /// An affected range.
    Range(usize),
    /// A weakness.
    Weakness(usize),
    /// The vector of a CVSS version.
    Vector(Version),
    /// A credit.
    Credit(usize),
    /// A reference.
    Reference(usize),
    /// A date, by its name in the draft.
    Date(&'static str),
    /// Draft, published or withdrawn.
    Status,
    /// An id: `id`, `ghsa_id` or `cve_id`.
    Id(&'static str),
    /// Something that only the draft's TOML shows, by its name there.
    Other(String),
}

impl Field {
    /// Its name in the draft, as faults give it.
    pub fn path(&self) -> String {
        match self {
            Self::Criterion(clause) => clause.to_string(),
            Self::Title => "title".into(),
            Self::Section(heading) => format!("section {heading}"),
            Self::Product(part) => format!("product.{part}"),
            Self::Range(at) => format!("affected[{}]", at + 1),
            Self::Weakness(at) => format!("weakness[{}]", at + 1),
            Self::Vector(Version::V31) => "severity.cvss_v3_1".into(),
            Self::Vector(Version::V40) => "severity.cvss_v4_0".into(),
            Self::Credit(at) => format!("credit[{}]", at + 1),
            Self::Reference(at) => format!("reference[{}]", at + 1),
            Self::Date(name) => format!("dates.{name}"),
            Self::Status => "status".into(),
            Self::Id(name) => (*name).into(),
            Self::Other(path) => path.clone(),
        }
    }

    /// Faults of these names belong to it too, when no field of their own is shown.
    fn also(&self) -> &'static [&'static str] {
        match self {
            Self::Title => &["cve_title"],
            Self::Section(heading) if heading.eq_ignore_ascii_case("impact") => {
                &["section", "cve_description"]
            }
            Self::Vector(Version::V31) => &["severity", "severity.score", "severity.rating"],
            Self::Date("reported") => &["dates"],
            _ => &[],
        }
    }

    /// Whether a fault of this name belongs here.
    pub fn concerns(&self, fault: &str) -> bool {
        let path = self.path();
        let below = || fault.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'));
        fault.eq_ignore_ascii_case(&path) || below() || self.also().contains(&fault)
    }
}

/// How a field stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// Filled in and without fault.
    Filled,
    /// Empty, and nobody minds.
    Optional,
    /// Empty; every format can be written, but readers would want it.
    Wanted,
    /// Missing or wrong.
    Faulty,
}

/// One line of the form.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it edits.
    pub field: Field,
    /// Its name for people.
    pub label: String,
    /// What it holds; empty where nothing is there yet.
    pub value: DisplayText,
    /// How it stands.
    pub standing: Standing,
    /// What is wrong with it and what to do.
    pub faults: Vec<DisplayText>,
}

/// The form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Its lines in order.
    pub rows: Vec<Row>,
    /// The line under the cursor.
    pub cursor: usize,
}

impl Form {
    /// The field under the cursor.
    pub fn current(&self) -> Option<&Field> {
        self.rows.get(self.cursor).map(|row| &row.field)
    }

    /// Moves the cursor by lines.
    pub fn step(&mut self, lines: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }

    /// Replaces the lines; the cursor stays on its field as long as it is there.
    pub fn replace(&mut self, rows: Vec<Row>) {
        let field = self.current().cloned();
        self.rows = rows;
        if let Some(at) = field.and_then(|field| self.rows.iter().position(|r| r.field == field)) {
            self.cursor = at;
        }
        self.step(0);
    }

    /// Moves to the first field that keeps the advisory from being written, else to the first wanted one.
    pub fn go_to_first(&mut self) {
        self.cursor = self.next_from(0).unwrap_or(0);
    }

    /// Moves on to the next such field below the cursor; stays where there is none.
    pub fn go_to_next(&mut self) {
        self.cursor = self.next_from(self.cursor + 1).unwrap_or(self.cursor);
    }

    fn next_from(&self, from: usize) -> Option<usize> {
        let find = |standing: Standing| {
            let mut rows = self.rows.iter().enumerate().skip(from);
            rows.find(|(_, row)| row.standing == standing).map(|(at, _)| at)
        };
        find(Standing::Faulty).or_else(|| find(Standing::Wanted))
    }
}

#[cfg(test)]
mod tests;
