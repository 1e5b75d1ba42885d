//! File names that an attachment may be saved under.
//!
//! Owns: base name, harmless characters, length, distinctness within a message. Absent on purpose: the folder
//! and the act of saving.

use std::collections::HashMap;

use crate::mail::display::{head, is_hidden};

/// Longest result in bytes; file systems allow 255, and a number may have to be added.
const BYTES_MAX: usize = 120;
/// Longest ending that is kept when a name is cut.
const ENDING_MAX: usize = 12;

/// Names that Windows keeps for devices, whatever the ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A plain base name: no separators, controls, invisible or bidirectional characters, no leading dot, dash or
/// tilde, no device name, no trailing dot, at most 120 bytes. Empty if nothing usable is left.
pub fn safe_name(given: &str) -> String {
    let base = given
        .rsplit(is_separator)
        .find(|piece| !piece.trim_matches([' ', '.']).is_empty())
        .unwrap_or_default();
    let mut name: String = base.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    name =
        name.trim_start_matches([' ', '.', '-', '~', '_']).trim_end_matches([' ', '.']).to_owned();
    if is_device(&name) {
        name.insert(0, '_');
    }
    shorten(&name, BYTES_MAX)
}

/// File names given out within one message.
#[derive(Debug, Default)]
pub struct Names {
    /// Names in use, in lower case, and the number that a namesake gets next.
    taken: HashMap<String, u32>,
}

impl Names {
    /// `given` made safe, and different (also without regard to case) from every name before; `fallback` stands
    /// in where nothing is left of it.
    pub fn distinct(&mut self, given: &str, fallback: &str) -> String {
        let mut name = safe_name(given);
        if name.is_empty() {
            fallback.clone_into(&mut name);
        }
        let folded = name.to_lowercase();
        let Some(mut number) = self.taken.get(&folded).copied() else {
            self.taken.insert(folded, 2);
            return name;
        };
        let (stem, ending) = split_ending(&name);
        let mut result = format!("{stem}-{number}{ending}");
        while self.taken.contains_key(&result.to_lowercase()) {
            number = number.saturating_add(1);
            result = format!("{stem}-{number}{ending}");
        }
        self.taken.insert(folded, number.saturating_add(1));
        self.taken.insert(result.to_lowercase(), 2);
        result
    }
}

/// Whether a name, used as it stands, could leave the folder, hide, reach a device, read as an option or run in a
/// careless shell.
pub fn is_unsafe(given: &str) -> bool {
    given.trim_matches([' ', '.']).is_empty()
        || given.contains(is_separator)
        || given.starts_with(['-', '~', '.'])
        || given.ends_with(['.', ' '])
        || given.contains(['\0', '`', ';', '|', '<', '>'])
        || given.contains("$(")
        || is_device(given)
        || matches!(given.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic())
        || given.len() > 255
}

/// Separators of any system, and characters that look like them or that a converter may turn into them.
const fn is_separator(c: char) -> bool {
    matches!(
        c,
        '/' | '\\'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{29f5}'
            | '\u{29f8}'
            | '\u{ff0f}'
            | '\u{ff3c}'
            | '\u{fe68}'
    )
}

fn is_plain(c: char) -> bool {
    !is_hidden(c)
        && !matches!(
            c,
            ':' | '"' | '\'' | '`' | '$' | '&' | '|' | ';' | '<' | '>' | '*' | '?' | '!'
        )
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    DEVICES.contains(&stem.as_str())
        || numbered.is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']))
}

fn split_ending(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= ENDING_MAX => name.split_at(dot),
        _ => (name, ""),
    }
}

fn shorten(name: &str, bytes: usize) -> String {
    if name.len() <= bytes {
        return name.to_owned();
    }
    let (stem, ending) = split_ending(name);
    let stem = head(stem, bytes.saturating_sub(ending.len()));
    format!("{}{ending}", stem).trim_end_matches([' ', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_only_a_plain_base_name() {
        for (given, safe) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\x.bat", "x.bat"),
            ("~/.ssh/authorized_keys", "authorized_keys"),
            ("..\u{2215}..\u{2044}x", "x"),
            (".", ""),
            ("-rf", "rf"),
            ("nul.txt", "_nul.txt"),
            ("a\u{1b}[2Jb.txt", "a_[2Jb.txt"),
            ("poc_\u{202e}fdp.sh", "poc__fdp.sh"),
            ("a.txt\0.exe", "a.txt_.exe"),
            ("a.txt. . ", "a.txt"),
            ("a/", "a"),
        ] {
            assert_eq!(safe_name(given), safe, "{given:?}");
        }
    }

    #[test]
    fn names_stay_distinct() {
        let mut taken = Names::default();
        let names: Vec<_> = ["poc.py", "poc.py", "POC.py", ".", ""]
            .iter()
            .map(|given| taken.distinct(given, "part-1.bin"))
            .collect();
        assert_eq!(names, ["poc.py", "poc-2.py", "POC-3.py", "part-1.bin", "part-1-2.bin"]);
    }

    #[test]
    fn tells_unsafe_names() {
        for given in ["../x", "a\\b", ".", "~/x", "-rf", "nul.txt", "", "a\0", "$(x).txt"] {
            assert!(is_unsafe(given), "{given:?}");
        }
        for given in [
            "Screenshot (1).png",
            "it's me.txt",
            "a & b.txt",
            "日本.pdf",
            "CONTRIB.md",
            "v1.2..3.txt",
        ] {
            assert!(!is_unsafe(given), "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_safe(given in any::<String>()) {
            let name = safe_name(&given);
            prop_assert!(name.len() <= 140);
            prop_assert!(name.is_empty() || !is_unsafe(&name), "{:?}", name);
            prop_assert!(!name.chars().any(is_hidden));
        }
    }
}
