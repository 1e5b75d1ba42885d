//! The metrics of each CVSS version and their values, in the order of the specification.

/// A CVSS version that is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// 3.1
    V31,
    /// 4.0
    V40,
}

impl Version {
    /// What a vector of this version begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::V31 => "CVSS:3.1",
            Self::V40 => "CVSS:4.0",
        }
    }

    /// The metrics in the order of the specification.
    pub fn metrics(self) -> &'static [Metric] {
        match self {
            Self::V31 => &V31,
            Self::V40 => &V40,
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::V31 => Self::V40,
            Self::V40 => Self::V31,
        }
    }
}

/// One metric.
#[derive(PartialEq, Eq, Debug)]
pub struct Metric {
    /// Abbreviation, such as `AV`.
    pub name: &'static str,
    /// Name in words.
    pub title: &'static str,
    /// Its values as abbreviated, the gravest first after `X`.
    pub values: &'static [&'static str],
    /// Whether it belongs to the base group, which must be complete.
    pub mandatory: bool,
}

const fn base(name: &'static str, title: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, title, values, mandatory: true }
}

const fn optional(
    name: &'static str,
    title: &'static str,
    values: &'static [&'static str],
) -> Metric {
    Metric { name, title, values, mandatory: false }
}

/// CVSS 3.1, table 15 of its specification.
static V31: [Metric; 22] = [
    base("AV", "Attack Vector", &["N", "A", "L", "P"]),
    base("AC", "Attack Complexity", &["L", "H"]),
    base("PR", "Privileges Required", &["N", "L", "H"]),
    base("UI", "User Interaction", &["N", "R"]),
    base("S", "Scope", &["U", "C"]),
    base("C", "Confidentiality", &["H", "L", "N"]),
    base("I", "Integrity", &["H", "L", "N"]),
    base("A", "Availability", &["H", "L", "N"]),
    optional("E", "Exploit Code Maturity", &["X", "H", "F", "P", "U"]),
    optional("RL", "Remediation Level", &["X", "U", "W", "T", "O"]),
    optional("RC", "Report Confidence", &["X", "C", "R", "U"]),
    optional("CR", "Confidentiality Requirement", &["X", "H", "M", "L"]),
    optional("IR", "Integrity Requirement", &["X", "H", "M", "L"]),
    optional("AR", "Availability Requirement", &["X", "H", "M", "L"]),
    optional("MAV", "Modified Attack Vector", &["X", "N", "A", "L", "P"]),
    optional("MAC", "Modified Attack Complexity", &["X", "L", "H"]),
    optional("MPR", "Modified Privileges Required", &["X", "N", "L", "H"]),
    optional("MUI", "Modified User Interaction", &["X", "N", "R"]),
    optional("MS", "Modified Scope", &["X", "U", "C"]),
    optional("MC", "Modified Confidentiality", &["X", "H", "L", "N"]),
    optional("MI", "Modified Integrity", &["X", "H", "L", "N"]),
    optional("MA", "Modified Availability", &["X", "H", "L", "N"]),
];

/// CVSS 4.0, table 23 of its specification.
static V40: [Metric; 32] = [
    base("AV", "Attack Vector", &["N", "A", "L", "P"]),
    base("AC", "Attack Complexity", &["L", "H"]),
    base("AT", "Attack Requirements", &["N", "P"]),
    base("PR", "Privileges Required", &["N", "L", "H"]),
    base("UI", "User Interaction", &["N", "P", "A"]),
    base("VC", "Confidentiality of the Vulnerable System", &["H", "L", "N"]),
    base("VI", "Integrity of the Vulnerable System", &["H", "L", "N"]),
    base("VA", "Availability of the Vulnerable System", &["H", "L", "N"]),
    base("SC", "Confidentiality of the Subsequent System", &["H", "L", "N"]),
    base("SI", "Integrity of the Subsequent System", &["H", "L", "N"]),
    base("SA", "Availability of the Subsequent System", &["H", "L", "N"]),
    optional("E", "Exploit Maturity", &["X", "A", "P", "U"]),
    optional("CR", "Confidentiality Requirement", &["X", "H", "M", "L"]),
    optional("IR", "Integrity Requirement", &["X", "H", "M", "L"]),
    optional("AR", "Availability Requirement", &["X", "H", "M", "L"]),
    optional("MAV", "Modified Attack Vector", &["X", "N", "A", "L", "P"]),
    optional("MAC", "Modified Attack Complexity", &["X", "L", "H"]),
    optional("MAT", "Modified Attack Requirements", &["X", "N", "P"]),
    optional("MPR", "Modified Privileges Required", &["X", "N", "L", "H"]),
    optional("MUI", "Modified User Interaction", &["X", "N", "P", "A"]),
    optional("MVC", "Modified Confidentiality of the Vulnerable System", &["X", "H", "L", "N"]),
    optional("MVI", "Modified Integrity of the Vulnerable System", &["X", "H", "L", "N"]),
    optional("MVA", "Modified Availability of the Vulnerable System", &["X", "H", "L", "N"]),
    optional("MSC", "Modified Confidentiality of the Subsequent System", &["X", "H", "L", "N"]),
    optional("MSI", "Modified Integrity of the Subsequent System", &["X", "S", "H", "L", "N"]),
    optional("MSA", "Modified Availability of the Subsequent System", &["X", "S", "H", "L", "N"]),
    optional("S", "Safety", &["X", "N", "P"]),
    optional("AU", "Automatable", &["X", "N", "Y"]),
    optional("R", "Recovery", &["X", "A", "U", "I"]),
    optional("V", "Value Density", &["X", "D", "C"]),
    optional("RE", "Vulnerability Response Effort", &["X", "L", "M", "H"]),
    optional("U", "Provider Urgency", &["X", "Clear", "Green", "Amber", "Red"]),
];
