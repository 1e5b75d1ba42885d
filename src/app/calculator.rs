//! The CVSS calculator: the reporter's vector beside ours, metric by metric, set by single keys.
//!
//! Owns: its state and what a key changes in it; what each other value would give. Absent on purpose: the score
//! itself (`domain::cvss`) and drawing. Read next: [`Calculator::press`], then [`words`] for the metrics' values.

mod partial;
pub mod words;

use super::{Model, Tone, acts, form, material};
use crate::domain::cvss::{Metric, Score, Vector, Version, Words, repaired};
use crate::domain::policy::Scoring;
use crate::keymap::Key;

pub use partial::PartialVector;

/// What the chosen vector is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// Our vector of the case.
    Case,
    /// The same, and the vector of its advisory draft.
    Draft,
}

/// The reporter's vector as far as it can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Theirs {
    /// None was given.
    None,
    /// Valid.
    Given(Vector),
    /// Not valid as written; what was most likely meant, and the fault.
    Repaired(Vector, String),
    /// Not valid: the fault.
    Faulty(String),
}

impl Theirs {
    /// Reads the text found in the report.
    pub fn read(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::None };
        match (Vector::parse(text), repaired(text)) {
            (Ok(vector), _) => Self::Given(vector),
            (Err(fault), Some(vector)) => Self::Repaired(vector, fault.to_string()),
            (Err(fault), None) => Self::Faulty(fault.to_string()),
        }
    }

    /// The vector, given or repaired.
    pub const fn vector(&self) -> Option<&Vector> {
        match self {
            Self::Given(vector) | Self::Repaired(vector, _) => Some(vector),
            Self::None | Self::Faulty(_) => None,
        }
    }
}

/// What another value of the metric under the cursor would give.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alternative {
    /// The value, which is also its key.
    pub value: &'static str,
    /// Its name and meaning.
    pub words: (&'static str, &'static str),
    /// Whether it is the present one.
    pub chosen: bool,
    /// The base score it would give, once all other metrics are set.
    pub score: Option<Score>,
    /// Its difference to the present score in tenths, once there is one.
    pub change_tenths: Option<i32>,
}

/// The calculator.
#[derive(Clone, PartialEq, Debug)]
pub struct Calculator {
    /// What the vector is for.
    pub purpose: Use,
    /// The reporter's vector.
    pub theirs: Theirs,
    /// Ours while it is made.
    pub ours: PartialVector,
    /// What was set under the other version, kept for switching back.
    parked: Option<PartialVector>,
    /// Position of the metric under the cursor.
    pub cursor: usize,
    max_attack_vector: String,
    cve_threshold_tenths: u16,
}

impl Calculator {
    /// Begins with our vector, else with the reporter's under the policy's cap, else with nothing set.
    pub fn new(purpose: Use, ours: Option<&str>, theirs: Theirs, scoring: &Scoring) -> Self {
        let cap = scoring.max_attack_vector.as_str();
        let begin = ours.and_then(|text| Vector::parse(text).ok()).or_else(|| {
            theirs.vector().map(|vector| vector.capped(cap).unwrap_or_else(|| vector.clone()))
        });
        let version =
            if scoring.version == Version::V40.prefix() { Version::V40 } else { Version::V31 };
        let ours = begin.map_or_else(|| PartialVector::empty(version), |v| PartialVector::of(&v));
        Self {
            purpose,
            theirs,
            ours,
            parked: None,
            cursor: 0,
            max_attack_vector: cap.to_owned(),
            cve_threshold_tenths: scoring.cve_threshold_tenths,
        }
    }

    /// The metric under the cursor.
    pub fn metric(&self) -> Option<&'static Metric> {
        self.ours.metrics().nth(self.cursor)
    }

    /// Moves the cursor by metrics.
    pub fn step(&mut self, lines: isize) {
        let last = self.ours.metrics().count().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }

    /// Sets the metric under the cursor to the value whose letter was pressed, in either case, and moves on.
    /// Returns whether the metric has such a value.
    pub fn press(&mut self, letter: char) -> bool {
        let Some(metric) = self.metric() else { return false };
        let mut values = metric.values.iter().copied();
        let Some(value) =
            values.find(|value| value.eq_ignore_ascii_case(letter.encode_utf8(&mut [0; 4])))
        else {
            return false;
        };
        self.ours.set(self.cursor, Some(value));
        self.step(1);
        true
    }

    /// Takes the value under the cursor back; where there is none, that of the metric before it.
    pub fn clear(&mut self) {
        if self.ours.get(self.cursor).is_none() {
            self.step(-1);
        }
        self.ours.set(self.cursor, None);
    }

    /// Switches between CVSS 3.1 and 4.0: metrics that both know are taken over, the others wait to be set.
    pub fn switch_version(&mut self) {
        let other = self.parked.take().unwrap_or_else(|| self.ours.translated());
        self.parked = Some(std::mem::replace(&mut self.ours, other));
        self.step(0);
    }

    /// What each value of the metric under the cursor would give.
    pub fn alternatives(&self) -> Vec<Alternative> {
        let Some(metric) = self.metric() else { return Vec::new() };
        let now = self.ours.complete().map(|vector| vector.base());
        let of = |value: &'static str| {
            let score = self.ours.with(self.cursor, value).complete().map(|vector| vector.base());
            let tenths = |score: Score| i32::from(score.tenths());
            Alternative {
                value,
                words: words::value(self.ours.version(), metric.name, value),
                chosen: self.ours.get(self.cursor) == Some(value),
                score,
                change_tenths: score.zip(now).map(|(score, now)| tenths(score) - tenths(now)),
            }
        };
        metric.values.iter().copied().filter(|value| *value != "X").map(of).collect()
    }

    /// The vector as it will be kept: complete, and under the policy's cap.
    pub fn counted(&self) -> Option<Vector> {
        let vector = self.ours.complete()?;
        Some(vector.capped(&self.max_attack_vector).unwrap_or(vector))
    }

    /// What the cap on the attack vector does to a vector, as a person reads it; `None` where it does nothing.
    pub fn cap_words(&self, vector: &Vector) -> Option<String> {
        let capped = vector.capped(&self.max_attack_vector)?;
        let (before, after) = (self.is_cve(vector), self.is_cve(&capped));
        let cve = match (before, after) {
            (true, true) => "CVE still yes",
            (true, false) => "CVE no longer",
            (false, _) => "CVE no, as before",
        };
        let (cap, _) = words::value(vector.version(), "AV", capped.value("AV").unwrap_or("A"));
        Some(format!("{cap} at most: {} → {}: {cve}", score_words(vector), score_words(&capped)))
    }

    /// Whether our severity asks for a CVE id.
    pub fn is_cve(&self, vector: &Vector) -> bool {
        vector.base().tenths() >= self.cve_threshold_tenths
    }
}

/// `6.5 Moderate`, in the policy's words.
pub fn score_words(vector: &Vector) -> String {
    format!("{} {}", vector.base(), vector.severity().word(Words::Policy))
}

/// Opens the calculator over the case or the advisory draft.
pub(super) fn open(model: &mut Model, purpose: Use) {
    let Some(case) = &model.case else { return };
    let view = &case.view;
    let readings = view.readings();
    let mut found = readings.iter().flat_map(|reading| &reading.vectors).map(|v| v.text.as_str());
    // A valid vector before one that is not.
    let all: Vec<&str> = found.by_ref().collect();
    let valid = all.iter().find(|text| Vector::parse(text).is_ok()).or(all.first());
    let theirs = Theirs::read(valid.copied());
    let of_draft = model.advisory.as_ref().filter(|_| purpose == Use::Draft);
    let of_draft = of_draft.and_then(|advisory| advisory.vector());
    let ours = of_draft.or_else(|| view.case.vector.clone());
    let calculator = Calculator::new(purpose, ours.as_deref(), theirs, &model.policy.scoring);
    model.calculator = Some(calculator);
}

/// Switches between the versions.
pub(super) fn switch_version(model: &mut Model) {
    if let Some(calculator) = &mut model.calculator {
        calculator.switch_version();
    }
}

/// Takes a key that no binding wanted.
pub(super) fn key(model: &mut Model, key: Key) {
    let Some(calculator) = &mut model.calculator else { return };
    let (Some(letter), Some(metric)) = (key.typed(), calculator.metric()) else {
        return model.say(Tone::Note, format!("{key} does nothing here"));
    };
    if !calculator.press(letter) {
        let values: Vec<String> =
            metric.values.iter().filter(|v| **v != "X").map(|v| v.to_lowercase()).collect();
        let words = format!("{} takes {}, not {letter}", metric.title, values.join(" "));
        model.say(Tone::Note, words);
    }
}

/// Keeps the vector, if it is complete.
pub(super) fn accept(model: &mut Model) {
    let Some(calculator) = &model.calculator else { return };
    let (Some(vector), Some(case)) = (calculator.counted(), &model.case) else {
        let open: Vec<&str> = calculator.ours.open().map(|metric| metric.title).collect();
        return model.say(Tone::Note, format!("not complete: {} is open", open.join(", ")));
    };
    let (purpose, case) = (calculator.purpose, case.view.row.id.clone());
    let text = vector.to_string();
    match acts::score(&text) {
        Ok(act) => {
            model.calculator = None;
            model.record(case, vec![act], material::score_line(&text, &model.policy.clone()));
            if purpose == Use::Draft {
                form::take_vector(model, &vector);
            }
        }
        Err(refusal) => model.say(Tone::Error, refusal.to_string()),
    }
}

#[cfg(test)]
mod tests;
