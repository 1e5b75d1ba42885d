//! The dialog that edits one field: a few entries to type or choose, and a list below them.

use super::weakness::{self, Found};
use super::{Field, edit};
use crate::app::editor::Line;
use crate::domain::advisory::{AdvisoryDraft, AdvisoryStatus, ReferenceKind, Weakness, scheme_for};
use crate::domain::credit::CreditRole;
use crate::domain::policy::Policy;
use crate::keymap::{Key, KeyCode};
use crate::mail::DisplayText;

/// What an entry holds.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one dialog at a time")]
pub enum Content {
    /// Typed text.
    Text(Line),
    /// One of a few words.
    Choice {
        /// The words.
        words: Vec<&'static str>,
        /// The chosen one.
        at: usize,
    },
}

/// One entry of a dialog.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub label: &'static str,
    /// What belongs there; shown while it is empty.
    pub hint: &'static str,
    /// What it holds.
    pub content: Content,
}

impl Entry {
    fn text(label: &'static str, hint: &'static str, value: &str) -> Self {
        Self { label, hint, content: Content::Text(Line::new(value)) }
    }

    fn choice(label: &'static str, words: Vec<&'static str>, chosen: &str) -> Self {
        let at = words.iter().position(|word| *word == chosen).unwrap_or(0);
        Self { label, hint: "", content: Content::Choice { words, at } }
    }

    /// The text or the chosen word.
    pub fn value(&self) -> &str {
        match &self.content {
            Content::Text(line) => line.text(),
            Content::Choice { words, at } => words.get(*at).copied().unwrap_or_default(),
        }
    }

    fn key(&mut self, key: Key) {
        match &mut self.content {
            Content::Text(line) => line.key(key),
            Content::Choice { words, at } => choose(words, at, key),
        }
    }
}

/// Arrows and Space go through the words; a letter goes to the next word that begins with it.
fn choose(words: &[&str], at: &mut usize, key: Key) {
    let count = words.len().max(1);
    match (key.code, key.typed()) {
        (KeyCode::Left, _) => *at = (*at + count - 1) % count,
        (KeyCode::Right, _) | (_, Some(' ')) => *at = (*at + 1) % count,
        (_, Some(letter)) => {
            let mut next = (1..=count).map(|step| (*at + step) % count);
            let begins = |at: &usize| words.get(*at).is_some_and(|word| word.starts_with(letter));
            *at = next.find(begins).unwrap_or(*at);
        }
        _ => {}
    }
}

/// The dialog.
#[derive(Debug)]
pub struct Dialog {
    /// What it edits.
    pub field: Field,
    /// What is asked.
    pub title: String,
    /// Its entries.
    pub entries: Vec<Entry>,
    /// The entry that keys go to.
    pub at: usize,
    /// What stands below: versions covered, or weaknesses to choose from.
    pub list: Vec<DisplayText>,
    /// The line of the list under the cursor, where one can be chosen.
    pub chosen: Option<usize>,
    /// Why what stands there cannot be taken yet.
    pub fault: Option<DisplayText>,
    found: Vec<Found>,
}

/// What an answer about consent is called.
const CONSENT: [&str; 3] = ["not asked", "yes", "no"];

impl Dialog {
    /// The dialog of a field; `None` for fields that are edited otherwise.
    pub fn of(field: &Field, draft: &AdvisoryDraft, policy: &Policy) -> Option<Self> {
        let (title, entries) = match field {
            Field::Criterion(_) | Field::Section(_) | Field::Vector(_) | Field::Other(_) => {
                return None;
            }
            Field::Range(at) => ("Affected versions", range_entries(draft, *at)),
            Field::Weakness(at) => {
                let id = draft.weaknesses.get(*at).map_or("", |weakness| weakness.id.as_str());
                ("Weakness", vec![Entry::text("search", "number or words", id)])
            }
            Field::Credit(at) => ("Credit", credit_entries(draft, *at)),
            Field::Reference(at) => ("Reference", reference_entries(draft, *at)),
            Field::Status => {
                let words = AdvisoryStatus::ALL.map(AdvisoryStatus::as_str).to_vec();
                ("Status", vec![Entry::choice("status", words, draft.status.as_str())])
            }
            Field::Title => {
                ("Title", vec![Entry::text("title", "what goes wrong, and where", &draft.title)])
            }
            Field::Product(part) => {
                ("Product", vec![Entry::text(part, "", edit::product_part(&draft.product, part))])
            }
            Field::Date(name) => {
                let dates = draft.dates.named();
                let date =
                    dates.iter().find(|(known, _)| known == name).and_then(|(_, date)| *date);
                let text = date.map(|date| date.to_string()).unwrap_or_default();
                ("Date", vec![Entry::text(name, "such as 2026-06-23; empty takes it away", &text)])
            }
            Field::Id(name) => {
                ("Id", vec![Entry::text(name, "empty until there is one", edit::id(draft, name))])
            }
        };
        let mut dialog = Self {
            field: field.clone(),
            title: title.to_owned(),
            entries,
            at: 0,
            list: Vec::new(),
            chosen: None,
            fault: None,
            found: Vec::new(),
        };
        dialog.refresh(draft, policy);
        Some(dialog)
    }

    /// The entry that keys go to.
    pub fn entry(&self) -> Option<&Entry> {
        self.entries.get(self.at)
    }

    /// The value of the entry with this label.
    pub fn value(&self, label: &str) -> &str {
        self.entries
            .iter()
            .find(|entry| entry.label == label)
            .map_or("", |entry| entry.value().trim())
    }

    /// Moves to another line of the list where one can be chosen, else to another entry, round and round.
    pub fn step(&mut self, lines: isize) {
        if let Some(chosen) = &mut self.chosen {
            *chosen = chosen.saturating_add_signed(lines).min(self.found.len().saturating_sub(1));
            return;
        }
        let count = self.entries.len().max(1);
        self.at = (self.at + count).saturating_add_signed(lines.clamp(-1, 1)) % count;
    }

    /// Takes a key that no binding wanted.
    pub fn key(&mut self, key: Key, draft: &AdvisoryDraft, policy: &Policy) {
        if let Some(entry) = self.entries.get_mut(self.at) {
            entry.key(key);
        }
        self.refresh(draft, policy);
    }

    /// Inserts pasted text.
    pub fn paste(&mut self, text: &str, draft: &AdvisoryDraft, policy: &Policy) {
        if let Some(Entry { content: Content::Text(line), .. }) = self.entries.get_mut(self.at) {
            line.paste(text);
        }
        self.refresh(draft, policy);
    }

    /// The weakness under the cursor of the list.
    pub fn weakness(&self) -> Option<&Weakness> {
        self.found.get(self.chosen?).map(|found| &found.weakness)
    }

    /// Works list and fault out again after something has changed.
    fn refresh(&mut self, draft: &AdvisoryDraft, policy: &Policy) {
        if matches!(self.field, Field::Weakness(_)) {
            let typed = self.entries.first().map_or("", |entry| entry.value());
            self.found = weakness::search(typed);
            let line = |found: &Found| {
                let (weakness, advice) = (&found.weakness, found.advice);
                let advice = if advice.is_empty() { String::new() } else { format!(" ({advice})") };
                DisplayText::line(&format!("{:<9} {}{advice}", weakness.id, weakness.name))
            };
            self.list = self.found.iter().map(line).collect();
            self.chosen = (!self.found.is_empty()).then_some(0);
        }
        // A copy of the draft shows what the entries would make of it.
        let mut tried = draft.clone();
        let applied = edit::apply(&mut tried, self);
        self.fault = applied.err().map(|fault| DisplayText::line(&fault));
        if let Field::Range(at) = self.field {
            self.list = covered(&tried, at, policy);
        }
    }
}

fn range_entries(draft: &AdvisoryDraft, at: usize) -> Vec<Entry> {
    let empty = crate::domain::advisory::AffectedRange::default();
    let range = draft.affected.get(at).unwrap_or(&empty);
    let hint = "first affected version; 0 for every one before";
    let end = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        Entry::text("introduced", hint, &range.introduced),
        Entry::text("fixed", "first version with the fix", &end(&range.fixed)),
        Entry::text("last affected", "only while there is no fix", &end(&range.last_affected)),
        Entry::choice(
            "unsupported",
            vec!["no", "yes"],
            if range.unsupported { "yes" } else { "no" },
        ),
    ]
}

fn credit_entries(draft: &AdvisoryDraft, at: usize) -> Vec<Entry> {
    let empty = crate::domain::credit::Credit::default();
    let credit = draft.credits.get(at).unwrap_or(&empty);
    let consent = match credit.consent {
        None => "not asked",
        Some(true) => "yes",
        Some(false) => "no",
    };
    vec![
        Entry::text("name", "as they want it written", &credit.name),
        Entry::choice(
            "type",
            CreditRole::ALL.map(CreditRole::as_str).to_vec(),
            credit.role.as_str(),
        ),
        Entry::text(
            "github",
            "login, if they gave one",
            credit.github.as_deref().unwrap_or_default(),
        ),
        Entry::choice("consent", CONSENT.to_vec(), consent),
    ]
}

fn reference_entries(draft: &AdvisoryDraft, at: usize) -> Vec<Entry> {
    let reference = draft.references.get(at);
    let kind = reference.map_or(ReferenceKind::Fix, |reference| reference.kind);
    let url = reference.map_or("", |reference| reference.url.as_str());
    vec![
        Entry::choice(
            "kind",
            ReferenceKind::ALL.map(ReferenceKind::as_str).to_vec(),
            kind.as_str(),
        ),
        Entry::text("url", "https://…", url),
    ]
}

/// The known releases that a range covers, newest first.
fn covered(draft: &AdvisoryDraft, at: usize, policy: &Policy) -> Vec<DisplayText> {
    let Some(range) = draft.affected.get(at) else { return Vec::new() };
    let Some(scheme) = scheme_for(&draft.product.ecosystem) else {
        return vec![DisplayText::line("the order of this ecosystem's versions is not known")];
    };
    let known = policy.releases.iter().rev().map(|release| release.version.as_str());
    let inside: Vec<&str> =
        known.filter(|version| scheme.contains(range, version) == Some(true)).collect();
    let count = format!("covers {} of {} known releases:", inside.len(), policy.releases.len());
    let mut lines = vec![DisplayText::line(&count)];
    lines.extend(inside.chunks(8).map(|chunk| DisplayText::line(&chunk.join("  "))));
    lines
}
