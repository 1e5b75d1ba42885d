//! What an advisory may say about severity: canonical vectors with their base score and band.

use crate::domain::cvss::{Severity, Vector, Version, Words};

/// A vector fit for publication.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scored {
    vector: Vector,
}

impl Scored {
    /// `3.1` or `4.0`.
    pub fn version(&self) -> &'static str {
        if self.is_4_0() { "4.0" } else { "3.1" }
    }

    /// Whether it is a CVSS 4.0 vector.
    pub fn is_4_0(&self) -> bool {
        self.vector.version() == Version::V40
    }

    /// Base score in tenths, 0 to 100.
    pub fn tenths(&self) -> u16 {
        self.vector.base().tenths()
    }

    /// The base score.
    pub fn base(&self) -> f64 {
        self.vector.base().as_f64()
    }

    /// Its band.
    pub fn severity(&self) -> Severity {
        self.vector.severity()
    }

    /// The band in CVSS's capital letters, as JSON schemas spell it.
    pub fn band(&self) -> String {
        self.severity().word(Words::Cvss).to_ascii_uppercase()
    }

    /// The value letter of a metric.
    pub fn metric(&self, name: &str) -> Option<&'static str> {
        self.vector.value(name)
    }
}

/// Reads the word for a band, CVSS's or the policy's, in any case.
pub fn severity_of(word: &str) -> Option<Severity> {
    [Severity::None, Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|band| {
            [Words::Cvss, Words::Policy].iter().any(|w| word.eq_ignore_ascii_case(band.word(*w)))
        })
}

/// Scores a CVSS 3.1 or 4.0 vector. Only the canonical form is accepted (specification order, nothing
/// undefined), since the JSON schemas of the formats accept no other; and of CVSS 4.0 only base metrics, since
/// one number stands for all metrics there and programs would read it as the base score.
///
/// # Errors
/// What is wrong and what to write instead, in one line.
pub fn score(text: &str) -> Result<Scored, String> {
    let vector = Vector::parse(text).map_err(|fault| fault.to_string())?;
    let canonical = vector.to_string();
    if canonical != text {
        return Err(format!("it is not in the form that schemas accept; write {canonical}"));
    }
    // `CVSS:4.0` and the eleven base metrics.
    let base: Vec<&str> = canonical.split('/').take(12).collect();
    let base = base.join("/");
    if vector.version() == Version::V40 && base != canonical {
        return Err(format!("an advisory states base metrics only; write {base}"));
    }
    Ok(Scored { vector })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_give_score_and_band() {
        for (vector, tenths, band) in [
            ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 88, "HIGH"),
            ("CVSS:3.1/AV:L/AC:L/PR:H/UI:R/S:U/C:L/I:L/A:L", 40, "MEDIUM"),
            ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0, "NONE"),
            ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N", 70, "HIGH"),
        ] {
            let scored = score(vector).expect("valid");
            assert_eq!((scored.tenths(), scored.band().as_str()), (tenths, band), "{vector}");
        }
    }

    #[test]
    fn a_faulty_vector_says_what_to_write() {
        for (vector, says) in [
            ("AV:N", "begins with"),
            ("CVSS:3.1/AC:L/AV:A/PR:N/UI:N/S:U/C:H/I:H/A:H", "write CVSS:3.1/AV:A/AC:L"),
            (
                "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N/E:P",
                "SC:N/SI:N/SA:N",
            ),
        ] {
            let fault = score(vector).expect_err("faulty");
            assert!(fault.contains(says), "{vector}: {fault}");
        }
        assert!(score("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H").is_err());
    }

    #[test]
    fn both_words_for_medium_are_read() {
        assert_eq!(severity_of("moderate"), Some(Severity::Medium));
        assert_eq!(severity_of("MEDIUM"), Some(Severity::Medium));
        assert_eq!(severity_of("bad"), None);
    }
}
