//! CVSS metrics in words, as the JSON schemas of FIRST spell them (cvss-v3.1.json, cvss-v4.0.json).

use crate::domain::advisory::Scored;

/// Name of the JSON member and the word of each base metric, in the order of the specification; `None` where a
/// value is unknown, which a valid vector never has.
pub fn words(scored: &Scored) -> Option<Vec<(&'static str, &'static str)>> {
    let table: &[(&str, &str)] = if scored.is_4_0() { &NAMES_4_0 } else { &NAMES_3_1 };
    table
        .iter()
        .map(|(metric, name)| {
            Some((*name, word(scored.version(), metric, scored.metric(metric)?)?))
        })
        .collect()
}

const NAMES_3_1: [(&str, &str); 8] = [
    ("AV", "attackVector"),
    ("AC", "attackComplexity"),
    ("PR", "privilegesRequired"),
    ("UI", "userInteraction"),
    ("S", "scope"),
    ("C", "confidentialityImpact"),
    ("I", "integrityImpact"),
    ("A", "availabilityImpact"),
];

const NAMES_4_0: [(&str, &str); 11] = [
    ("AV", "attackVector"),
    ("AC", "attackComplexity"),
    ("AT", "attackRequirements"),
    ("PR", "privilegesRequired"),
    ("UI", "userInteraction"),
    ("VC", "vulnConfidentialityImpact"),
    ("VI", "vulnIntegrityImpact"),
    ("VA", "vulnAvailabilityImpact"),
    ("SC", "subConfidentialityImpact"),
    ("SI", "subIntegrityImpact"),
    ("SA", "subAvailabilityImpact"),
];

fn word(version: &str, metric: &str, value: &str) -> Option<&'static str> {
    Some(match (metric, value) {
        ("AV", "N") => "NETWORK",
        ("AV", "A") if version == "4.0" => "ADJACENT",
        ("AV", "A") => "ADJACENT_NETWORK",
        ("AV", "L") => "LOCAL",
        ("AV", "P") => "PHYSICAL",
        ("AT", "P") => "PRESENT",
        ("UI", "R") => "REQUIRED",
        ("UI", "P") => "PASSIVE",
        ("UI", "A") => "ACTIVE",
        ("S", "U") => "UNCHANGED",
        ("S", "C") => "CHANGED",
        (_, "N") => "NONE",
        (_, "L") => "LOW",
        (_, "H") => "HIGH",
        _ => return None,
    })
}
