//! A vector while it is made: base metrics only, any of them still open.

use crate::domain::cvss::{Metric, Vector, Version};

/// Base metrics of one CVSS version with the values set so far.
#[derive(Clone, PartialEq, Debug)]
pub struct PartialVector {
    version: Version,
    /// In the order of the specification.
    values: Vec<Option<&'static str>>,
}

impl PartialVector {
    /// Nothing set.
    pub fn empty(version: Version) -> Self {
        let count = base(version).count();
        Self { version, values: vec![None; count] }
    }

    /// The base metrics of a vector. Others are left out: base metrics alone make the score that counts.
    pub fn of(vector: &Vector) -> Self {
        let version = vector.version();
        Self { version, values: base(version).map(|metric| vector.value(metric.name)).collect() }
    }

    /// Which CVSS it is.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The base metrics in order.
    pub fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        base(self.version)
    }

    /// The value at a position.
    pub fn get(&self, at: usize) -> Option<&'static str> {
        self.values.get(at).copied().flatten()
    }

    /// Sets or clears the value at a position; positions beyond the last metric are ignored.
    pub fn set(&mut self, at: usize, value: Option<&'static str>) {
        if let Some(place) = self.values.get_mut(at) {
            *place = value;
        }
    }

    /// The same with another value at a position.
    pub fn with(&self, at: usize, value: &'static str) -> Self {
        let mut other = self.clone();
        other.set(at, Some(value));
        other
    }

    /// Metrics without a value.
    pub fn open(&self) -> impl Iterator<Item = &'static Metric> {
        let all = self.metrics().zip(&self.values);
        all.filter(|(_, value)| value.is_none()).map(|(metric, _)| metric)
    }

    /// The vector, once every metric is set.
    pub fn complete(&self) -> Option<Vector> {
        let mut text = self.version.prefix().to_owned();
        for (metric, value) in self.metrics().zip(&self.values) {
            text = format!("{text}/{}:{}", metric.name, (*value)?);
        }
        Vector::parse(&text).ok()
    }

    /// As far as it is set, with `·` for what is open.
    pub fn shown(&self) -> String {
        let mut text = self.version.prefix().to_owned();
        for (metric, value) in self.metrics().zip(&self.values) {
            text = format!("{text}/{}:{}", metric.name, value.unwrap_or("·"));
        }
        text
    }

    /// The same flaw under the other version, as far as the metrics mean the same: what a required user
    /// interaction or a changed scope comes to in CVSS 4.0 must be judged anew.
    pub fn translated(&self) -> Self {
        let target = match self.version {
            Version::V31 => Version::V40,
            Version::V40 => Version::V31,
        };
        let mut other = Self::empty(target);
        let values = base(target).map(|metric| self.counterpart(metric)).collect();
        other.values = values;
        other
    }

    fn value(&self, name: &str) -> Option<&'static str> {
        let at = self.metrics().position(|metric| metric.name == name)?;
        self.get(at)
    }

    /// The value that a metric of the other version gets.
    fn counterpart(&self, metric: &Metric) -> Option<&'static str> {
        let same = |name: &str| self.value(name).filter(|value| metric.values.contains(value));
        match (metric.name, self.version) {
            ("UI", Version::V31) => self.value("UI").filter(|value| *value == "N"),
            ("UI", Version::V40) => {
                self.value("UI").map(|value| if value == "N" { "N" } else { "R" })
            }
            ("VC", _) => same("C"),
            ("VI", _) => same("I"),
            ("VA", _) => same("A"),
            ("SC" | "SI" | "SA", _) => self.value("S").filter(|value| *value == "U").map(|_| "N"),
            ("C", _) => same("VC"),
            ("I", _) => same("VI"),
            ("A", _) => same("VA"),
            ("S", _) => {
                let subsequent: Option<Vec<_>> =
                    ["SC", "SI", "SA"].into_iter().map(|name| self.value(name)).collect();
                subsequent.map(|all| if all.iter().all(|v| *v == "N") { "U" } else { "C" })
            }
            (name, _) => same(name),
        }
    }
}

fn base(version: Version) -> impl Iterator<Item = &'static Metric> {
    version.metrics().iter().filter(|metric| metric.mandatory)
}
