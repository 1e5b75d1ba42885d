//! From a vector to its base score and band: the advisory's only door to CVSS arithmetic.

use std::fmt;
use std::str::FromStr;

/// Qualitative band of a base score, both CVSS versions alike (specification 3.1 section 5, 4.0 section 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// 0.0.
    None,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9; GitHub and the policy say Moderate.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// The band of a score in tenths.
    pub const fn of_tenths(tenths: u16) -> Self {
        match tenths {
            0 => Self::None,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            _ => Self::Critical,
        }
    }

    /// CVSS's word, capital first.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }

    /// The word of GitHub's advisories and of the policy.
    pub const fn house_word(self) -> &'static str {
        match self {
            Self::Medium => "Moderate",
            other => other.as_str(),
        }
    }

    /// Reads either word in any case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Low, Self::Medium, Self::High, Self::Critical].into_iter().find(|band| {
            text.eq_ignore_ascii_case(band.as_str()) || text.eq_ignore_ascii_case(band.house_word())
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A valid vector with its base score.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scored {
    /// `3.1` or `4.0`.
    pub version: &'static str,
    /// Base score in tenths, 0 to 100.
    pub tenths: u16,
    /// Its band.
    pub severity: Severity,
    /// Metrics as written, in order: name and value.
    pub metrics: Vec<(String, String)>,
}

impl Scored {
    /// The base score.
    pub fn base(&self) -> f64 {
        f64::from(self.tenths) / 10.0
    }

    /// The value letter of a metric.
    pub fn metric(&self, name: &str) -> Option<&str> {
        self.metrics.iter().find(|(metric, _)| metric == name).map(|(_, value)| value.as_str())
    }
}

const BASE_3_1: [&str; 8] = ["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
const BASE_4_0: [&str; 11] = ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];

/// Scores a CVSS 3.1 or 4.0 vector. Only the canonical form is accepted (every base metric, specification
/// order, capital letters), since the JSON schemas of the formats accept no other.
///
/// # Errors
/// What is wrong and what to write instead, in one line.
pub fn score(vector: &str) -> Result<Scored, String> {
    let (version, base): (_, &[&str]) = if vector.starts_with("CVSS:3.1/") {
        ("3.1", &BASE_3_1)
    } else if vector.starts_with("CVSS:4.0/") {
        ("4.0", &BASE_4_0)
    } else {
        return Err("does not begin with CVSS:3.1/ or CVSS:4.0/".into());
    };
    let metrics: Vec<(String, String)> = vector
        .split('/')
        .skip(1)
        .filter_map(|metric| metric.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(missing) = base.iter().find(|name| !metrics.iter().any(|(have, _)| have == *name)) {
        return Err(format!("lacks the metric {missing}"));
    }
    let (value, canonical) = computed(vector, version)?;
    if canonical != vector {
        return Err(format!("is not in the order of the specification; write {canonical}"));
    }
    // Both calculators give one decimal; rounding only removes the binary tail.
    let tenths = (value * 10.0).round().clamp(0.0, 100.0) as u16;
    Ok(Scored { version, tenths, severity: Severity::of_tenths(tenths), metrics })
}

/// Base score and canonical text by the `cvss` crate.
fn computed(vector: &str, version: &str) -> Result<(f64, String), String> {
    if version == "3.1" {
        let parsed = cvss::v3::Vector::from_str(vector).map_err(|error| error.to_string())?;
        Ok((parsed.base_score().value(), parsed.to_string()))
    } else {
        // CVSS 4.0 has one score for all metrics given (specification section 1.3); it stands as base score.
        let parsed = cvss::v4::Vector::from_str(vector).map_err(|error| error.to_string())?;
        Ok((parsed.score().value(), parsed.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_give_score_and_band() {
        for (vector, tenths, severity) in [
            ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 88, Severity::High),
            ("CVSS:3.1/AV:L/AC:L/PR:H/UI:R/S:U/C:L/I:L/A:L", 40, Severity::Medium),
            ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0, Severity::None),
            ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N", 70, Severity::High),
        ] {
            let scored = score(vector).expect("valid");
            assert_eq!((scored.tenths, scored.severity), (tenths, severity), "{vector}");
        }
    }

    #[test]
    fn a_faulty_vector_says_what_to_write() {
        for (vector, says) in [
            ("AV:N", "begin with"),
            ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H", "lacks the metric A"),
            ("CVSS:3.1/AC:L/AV:A/PR:N/UI:N/S:U/C:H/I:H/A:H", "write CVSS:3.1/AV:A/AC:L"),
            ("CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", ""),
            ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H", ""),
        ] {
            let fault = score(vector).expect_err("faulty");
            assert!(fault.contains(says) && !fault.is_empty(), "{vector}: {fault}");
        }
    }

    #[test]
    fn both_words_for_medium_are_read() {
        assert_eq!(Severity::parse("moderate"), Some(Severity::Medium));
        assert_eq!(Severity::parse("MEDIUM"), Some(Severity::Medium));
        assert_eq!(Severity::Medium.house_word(), "Moderate");
    }
}
