//! What is wrong with a vector string, in words for the one who wrote it.

use super::Version;

/// Why a text is no valid vector.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing there.
    #[error("there is no vector")]
    Empty,
    /// Longer than any vector.
    #[error("the text is longer than any vector")]
    TooLong,
    /// No `CVSS:` in front.
    #[error("the prefix is missing: a vector begins with `CVSS:3.1/` or `CVSS:4.0/`")]
    NoPrefix,
    /// `cvss:` in small letters.
    #[error("the prefix must be written `{0}`")]
    PrefixCase(String),
    /// CVSS 2 or 3.0.
    #[error("it is a CVSS {0} vector; only 3.1 and 4.0 are read")]
    OldVersion(String),
    /// No CVSS version.
    #[error("there is no CVSS version `{0}`")]
    UnknownVersion(String),
    /// Prefix only.
    #[error("no metric follows the prefix")]
    NoMetrics,
    /// `/` at the end.
    #[error("there is a `/` after the last metric")]
    TrailingSlash,
    /// A character that no vector has: invisible, or of another alphabet.
    #[error("it has the character U+{:04X}, which no vector has", u32::from(*.0))]
    OddCharacter(char),
    /// Not `metric:value`.
    #[error("`{0}` is not one metric and its value, such as `AV:A`; metrics are separated by `/`")]
    Malformed(String),
    /// Metric of neither version.
    #[error("there is no metric `{0}`")]
    UnknownMetric(String),
    /// Metric in small letters.
    #[error("the metric `{0}` must be written in capital letters")]
    MetricCase(String),
    /// Metric of the other version.
    #[error("`{metric}` is a metric of {}", version.prefix())]
    OtherVersion {
        /// The metric.
        metric: String,
        /// The version that has it.
        version: Version,
    },
    /// Value that the metric does not have.
    #[error("{title} ({metric}) cannot be `{value}`; it is one of {allowed}")]
    Value {
        /// Abbreviation.
        metric: &'static str,
        /// Name.
        title: &'static str,
        /// As written.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// Metric given twice.
    #[error("the metric `{0}` is given twice")]
    Repeated(&'static str),
    /// CVSS 4.0 metric out of order.
    #[error("the metric `{0}` is out of order, which CVSS 4.0 does not allow")]
    Order(&'static str),
    /// Base metric not given.
    #[error("{title} ({metric}) is missing")]
    Missing {
        /// Abbreviation.
        metric: &'static str,
        /// Name.
        title: &'static str,
    },
    /// Refused by the calculator.
    #[error("the vector could not be scored: {0}")]
    Refused(String),
}
