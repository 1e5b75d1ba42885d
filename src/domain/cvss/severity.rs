//! Scores in tenths and the bands they fall into (CVSS 3.1 §5, 4.0 §6).

use std::fmt;

/// A score from 0.0 to 10.0, kept in tenths so that it compares exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Score(u16);

impl Score {
    /// A score of so many tenths; more than 100 count as 100.
    pub const fn from_tenths(tenths: u16) -> Self {
        Self(if tenths > 100 { 100 } else { tenths })
    }

    /// The nearest tenth.
    pub fn from_f64(score: f64) -> Self {
        // The clamp bounds it and turns what is not a number into 0, so that the cast is exact.
        let tenths = (score * 10.0).round().clamp(0.0, 100.0);
        Self(if tenths.is_nan() { 0 } else { tenths as u16 })
    }

    /// The tenths, 0 to 100.
    pub const fn tenths(self) -> u16 {
        self.0
    }

    /// As a number, for machine-readable formats.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// The band.
    pub const fn severity(self) -> Severity {
        match self.0 {
            0 => Severity::None,
            1..40 => Severity::Low,
            40..70 => Severity::Medium,
            70..90 => Severity::High,
            _ => Severity::Critical,
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.0 / 10, self.0 % 10))
    }
}

/// Band of a score. What CVSS calls medium is called moderate by GitHub's advisory database and by the
/// policy: one band, two words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// 0.0
    None,
    /// 0.1 to 3.9
    Low,
    /// 4.0 to 6.9
    Medium,
    /// 7.0 to 8.9
    High,
    /// 9.0 to 10.0
    Critical,
}

/// Whose words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words {
    /// CVSS, as its documents write it: `Medium`.
    Cvss,
    /// The policy and text for people: `Moderate`.
    Policy,
    /// GitHub's advisory form and API: `medium`.
    Github,
    /// GitHub's advisory database and its OSV records: `MODERATE`.
    GithubDatabase,
    /// Our own data: `medium`.
    Data,
}

impl Severity {
    /// The word of our own data: `none`, `low`, `medium`, `high`, `critical`.
    pub const fn as_str(self) -> &'static str {
        self.word(Words::Data)
    }

    /// The word for a target.
    pub const fn word(self, words: Words) -> &'static str {
        match (self, words) {
            (Self::None, Words::Cvss | Words::Policy) => "None",
            (Self::None, Words::Github | Words::Data) => "none",
            (Self::None, Words::GithubDatabase) => "NONE",
            (Self::Low, Words::Cvss | Words::Policy) => "Low",
            (Self::Low, Words::Github | Words::Data) => "low",
            (Self::Low, Words::GithubDatabase) => "LOW",
            (Self::Medium, Words::Cvss) => "Medium",
            (Self::Medium, Words::Policy) => "Moderate",
            (Self::Medium, Words::Github | Words::Data) => "medium",
            (Self::Medium, Words::GithubDatabase) => "MODERATE",
            (Self::High, Words::Cvss | Words::Policy) => "High",
            (Self::High, Words::Github | Words::Data) => "high",
            (Self::High, Words::GithubDatabase) => "HIGH",
            (Self::Critical, Words::Cvss | Words::Policy) => "Critical",
            (Self::Critical, Words::Github | Words::Data) => "critical",
            (Self::Critical, Words::GithubDatabase) => "CRITICAL",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
