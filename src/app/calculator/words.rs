//! The values of base metrics in words: name and meaning (CVSS 3.1 section 2, 4.0 section 2), in our own words.

use crate::domain::cvss::Version;

/// Name and meaning of a value; empty for one that the metric does not have.
pub fn value(version: Version, metric: &str, value: &str) -> (&'static str, &'static str) {
    match metric {
        "AV" => attack_vector(value),
        "AC" => match value {
            "L" => ("Low", "works whenever it is tried"),
            "H" => ("High", "needs luck, a race or inside knowledge"),
            _ => NOTHING,
        },
        "AT" => match value {
            "N" => ("None", "works on every installation"),
            "P" => ("Present", "needs a certain set-up or moment"),
            _ => NOTHING,
        },
        "PR" => match value {
            "N" => ("None", "without an account"),
            "L" => ("Low", "an ordinary account"),
            "H" => ("High", "an administrator's account"),
            _ => NOTHING,
        },
        "UI" => match value {
            "N" => ("None", "nobody else takes part"),
            "R" => ("Required", "somebody must open or click something"),
            "P" => ("Passive", "somebody must only use the system as usual"),
            "A" => ("Active", "somebody must do something out of the ordinary"),
            _ => NOTHING,
        },
        "S" => match value {
            "U" => ("Unchanged", "harm stays within the product"),
            "C" => ("Changed", "harm reaches beyond the product"),
            _ => NOTHING,
        },
        _ => impact(version, metric, value),
    }
}

const NOTHING: (&str, &str) = ("", "");

fn attack_vector(value: &str) -> (&'static str, &'static str) {
    match value {
        "N" => ("Network", "from anywhere on the internet"),
        "A" => ("Adjacent", "from the same local network"),
        "L" => ("Local", "with a login on the machine, or a file opened there"),
        "P" => ("Physical", "with hands on the machine"),
        _ => NOTHING,
    }
}

fn impact(version: Version, metric: &str, value: &str) -> (&'static str, &'static str) {
    let what = match (version, metric) {
        (Version::V31, "C") | (Version::V40, "VC") => 'c',
        (Version::V31, "I") | (Version::V40, "VI") => 'i',
        (Version::V31, "A") | (Version::V40, "VA") => 'a',
        (Version::V40, "SC" | "SI" | "SA") => 's',
        _ => return NOTHING,
    };
    match (what, value) {
        ('c', "H") => ("High", "everything, or what matters most, can be read"),
        ('c', "L") => ("Low", "some data can be read, not of the attacker's choice"),
        ('i', "H") => ("High", "everything, or what matters most, can be changed"),
        ('i', "L") => ("Low", "some data can be changed, without grave result"),
        ('a', "H") => ("High", "it can be stopped altogether"),
        ('a', "L") => ("Low", "it gets slower or stops now and then"),
        ('s', "H") => ("High", "other systems suffer gravely"),
        ('s', "L") => ("Low", "other systems suffer in part"),
        (_, "N") => ("None", "no harm of this kind"),
        _ => NOTHING,
    }
}
