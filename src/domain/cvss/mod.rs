//! CVSS 3.1 and 4.0: vector strings, base scores, severity, the policy's cap on the attack vector.
//!
//! The `cvss` crate calculates; whether a vector is complete and well formed, and what a human is told when
//! it is not, is decided here, because the crate scores incomplete vectors too. Read next: [`metrics`],
//! [`find`].

mod fault;
mod find;
mod metrics;
mod severity;

use std::fmt;

pub use fault::Fault;
pub use find::{find_vectors, repaired};
pub use metrics::{Metric, Version};
pub use severity::{Score, Severity, Words};

/// A complete, valid vector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vector {
    version: Version,
    /// Metric and value in the order of the specification; `X` (not defined) is left out.
    metrics: Vec<(&'static Metric, &'static str)>,
    base: Score,
}

/// Longest vector string that is read, in bytes; every metric of CVSS 4.0 together needs less than half.
pub const MAX_BYTES: usize = 512;

/// Attack vectors from the farthest to the nearest (CVSS 3.1 §2.1.1, 4.0 §2.1.1).
const ATTACK_VECTORS: [&str; 4] = ["N", "A", "L", "P"];

impl Vector {
    /// Reads a vector string; white space around it is left out. Metrics of CVSS 3.1 may come in any order
    /// (3.1 §6), those of 4.0 may not (4.0 §7).
    ///
    /// # Errors
    /// The first fault, in words for the one who wrote the vector.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let (version, rest) = split_prefix(text)?;
        let mut found = Vec::new();
        for component in rest.split('/') {
            let (index, value) = metric_of(version, component)?;
            if found.iter().any(|(other, _)| *other == index) {
                return Err(Fault::Repeated(name_of(version, index)));
            }
            let last = found.last().map(|(last, _)| *last);
            if version == Version::V40 && last.is_some_and(|last| last > index) {
                return Err(Fault::Order(name_of(version, index)));
            }
            found.push((index, value));
        }
        for (index, metric) in version.metrics().iter().enumerate().filter(|(_, m)| m.mandatory) {
            if !found.iter().any(|(other, _)| *other == index) {
                return Err(Fault::Missing { metric: metric.name, title: metric.title });
            }
        }
        found.sort_by_key(|(index, _)| *index);
        let metrics = found
            .into_iter()
            .filter(|(_, value)| *value != "X")
            .filter_map(|(index, value)| version.metrics().get(index).map(|metric| (metric, value)))
            .collect();
        Self { version, metrics, base: Score::default() }.scored()
    }

    /// Has the base score calculated, from the base metrics alone.
    fn scored(mut self) -> Result<Self, Fault> {
        let base = self.metrics.iter().filter(|(metric, _)| metric.mandatory);
        let text = write_vector(self.version, base);
        let read: cvss::Cvss = text.parse().map_err(|error: cvss::Error| {
            // Our tables and the crate's agree, so this is not reached; a word is better than a panic.
            Fault::Refused(error.to_string())
        })?;
        self.base = Score::from_f64(read.score());
        Ok(self)
    }

    /// Which CVSS it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The base score. Threat, temporal and environmental metrics do not change it.
    pub fn base(&self) -> Score {
        self.base
    }

    /// The band of the base score.
    pub fn severity(&self) -> Severity {
        self.base.severity()
    }

    /// The value of a metric, such as `A` for `AV`; `None` where it is not defined.
    pub fn value(&self, metric: &str) -> Option<&'static str> {
        self.metrics.iter().find(|(known, _)| known.name == metric).map(|(_, value)| *value)
    }

    /// The vector with its attack vector lowered to the cap, such as `A` (SC6); `None` where it is not above
    /// it. A modified attack vector above the cap is lowered with it.
    pub fn capped(&self, max_attack_vector: &str) -> Option<Self> {
        let reach = |value: &str| ATTACK_VECTORS.iter().position(|known| *known == value);
        let (cap, now) = (reach(max_attack_vector)?, reach(self.value("AV")?)?);
        let highest = ATTACK_VECTORS.get(cap)?;
        if now >= cap {
            return None;
        }
        let mut capped = self.clone();
        for (metric, value) in &mut capped.metrics {
            let above = reach(value).is_some_and(|reach| reach < cap);
            if matches!(metric.name, "AV" | "MAV") && above {
                *value = highest;
            }
        }
        capped.scored().ok()
    }
}

impl fmt::Display for Vector {
    /// The canonical string: order of the specification, without undefined metrics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&write_vector(self.version, self.metrics.iter()))
    }
}

impl std::str::FromStr for Vector {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

fn write_vector<'a>(
    version: Version,
    metrics: impl Iterator<Item = &'a (&'static Metric, &'static str)>,
) -> String {
    let mut out = version.prefix().to_owned();
    for (metric, value) in metrics {
        out.push('/');
        out.push_str(metric.name);
        out.push(':');
        out.push_str(value);
    }
    out
}

/// Takes `CVSS:3.1/` or `CVSS:4.0/` off, and refuses what cannot be a vector as a whole.
fn split_prefix(text: &str) -> Result<(Version, &str), Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    if text.len() > MAX_BYTES {
        return Err(Fault::TooLong);
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic() && *c != ' ') {
        return Err(Fault::OddCharacter(odd));
    }
    if text.contains("Au:") {
        return Err(Fault::OldVersion("2.0".to_owned()));
    }
    let (prefix, rest) = text.split_once('/').unwrap_or((text, ""));
    let label = prefix.get(..5).unwrap_or_default();
    if !label.eq_ignore_ascii_case("CVSS:") {
        return Err(Fault::NoPrefix);
    }
    if label != "CVSS:" {
        return Err(Fault::PrefixCase(prefix.to_uppercase()));
    }
    let version = match prefix.get(5..).unwrap_or_default() {
        "3.1" => Version::V31,
        "4.0" => Version::V40,
        old @ ("3.0" | "2.0") => return Err(Fault::OldVersion(old.to_owned())),
        other => return Err(Fault::UnknownVersion(other.to_owned())),
    };
    match rest {
        "" => Err(Fault::NoMetrics),
        rest if rest.ends_with('/') => Err(Fault::TrailingSlash),
        rest => Ok((version, rest)),
    }
}

/// Position in the version's table, and the value.
fn metric_of(version: Version, component: &str) -> Result<(usize, &'static str), Fault> {
    let malformed = || Fault::Malformed(component.to_owned());
    let (name, value) = component.split_once(':').ok_or_else(malformed)?;
    if name.is_empty() || value.is_empty() || value.contains([':', ' ']) {
        return Err(malformed());
    }
    let index = version.metrics().iter().position(|metric| metric.name == name);
    let Some((index, metric)) = index.and_then(|i| version.metrics().get(i).map(|m| (i, m))) else {
        return Err(unknown_metric(version, name));
    };
    match metric.values.iter().find(|known| **known == value) {
        Some(value) => Ok((index, value)),
        None => Err(Fault::Value {
            metric: metric.name,
            title: metric.title,
            value: value.to_owned(),
            allowed: metric.values.join(", "),
        }),
    }
}

fn unknown_metric(version: Version, name: &str) -> Fault {
    let known = |version: Version, name: &str| version.metrics().iter().any(|m| m.name == name);
    let other = version.other();
    if known(other, name) {
        Fault::OtherVersion { metric: name.to_owned(), version: other }
    } else if known(version, &name.to_uppercase()) {
        Fault::MetricCase(name.to_owned())
    } else {
        Fault::UnknownMetric(name.to_owned())
    }
}

fn name_of(version: Version, index: usize) -> &'static str {
    version.metrics().get(index).map_or("", |metric| metric.name)
}

#[cfg(test)]
mod tests;
