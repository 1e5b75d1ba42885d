//! What each package ecosystem is called by each format, and how it orders its versions.
//!
//! Absent on purpose: ecosystems whose order is not implemented; a wrong order would publish wrong ranges.

use super::range::{Pep440, SemVer, VersionScheme};

/// An ecosystem.
#[derive(Clone, Copy, Debug)]
pub struct Ecosystem {
    /// OSV's word, which the draft uses.
    pub name: &'static str,
    /// GitHub's word.
    pub github: &'static str,
    /// Type of its package URLs and of its `vers` ranges.
    pub purl: &'static str,
    /// Address of its registry, as CVE records name it.
    pub registry: &'static str,
    /// `versionType` of a CVE record.
    pub version_type: &'static str,
    /// Range type of OSV.
    pub osv_range: &'static str,
    /// How it orders versions.
    pub scheme: &'static dyn VersionScheme,
}

/// Every ecosystem known.
pub static ECOSYSTEMS: [Ecosystem; 3] = [
    Ecosystem {
        name: "PyPI",
        github: "pip",
        purl: "pypi",
        registry: "https://pypi.org",
        version_type: "python",
        osv_range: "ECOSYSTEM",
        scheme: &Pep440,
    },
    Ecosystem {
        name: "npm",
        github: "npm",
        purl: "npm",
        registry: "https://registry.npmjs.org",
        version_type: "semver",
        osv_range: "SEMVER",
        scheme: &SemVer,
    },
    Ecosystem {
        name: "crates.io",
        github: "rust",
        purl: "cargo",
        registry: "https://crates.io",
        version_type: "semver",
        osv_range: "SEMVER",
        scheme: &SemVer,
    },
];

/// The ecosystem that OSV calls so; `None` where it is not known.
pub fn ecosystem(name: &str) -> Option<&'static Ecosystem> {
    ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == name)
}

impl Ecosystem {
    /// The ecosystem that GitHub calls so.
    pub fn of_github(name: &str) -> Option<&'static Self> {
        ECOSYSTEMS.iter().find(|ecosystem| ecosystem.github == name)
    }

    /// The package name as the ecosystem compares it: PEP 503 for `PyPI`, as it stands elsewhere.
    pub fn normalised(&self, package: &str) -> String {
        if self.name != "PyPI" {
            return package.to_owned();
        }
        let mut name = String::with_capacity(package.len());
        for character in package.to_lowercase().chars() {
            if !matches!(character, '-' | '_' | '.') {
                name.push(character);
            } else if !name.ends_with('-') {
                name.push('-');
            }
        }
        name
    }

    /// Whether the name is one that the ecosystem takes.
    pub fn is_package(&self, name: &str) -> bool {
        let plain = |name: &str, more: &[u8]| {
            !name.is_empty()
                && name.len() <= 214
                && name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        match self.name {
            "npm" => match name.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
                Some((scope, rest)) => plain(scope, b"-_.") && plain(rest, b"-_."),
                None => plain(name, b"-_."),
            },
            "crates.io" => plain(name, b"-_") && name.len() <= 64,
            // PEP 508.
            _ => plain(name, b"-_.") && name.ends_with(|c: char| c.is_ascii_alphanumeric()),
        }
    }

    /// Package URL without version.
    pub fn purl_of(&self, package: &str) -> String {
        format!("pkg:{}/{}", self.purl, package.replace('@', "%40"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_ecosystem() {
        let [pypi, npm, cargo] = &ECOSYSTEMS;
        assert_eq!(pypi.normalised("Print_.Server"), "print-server");
        assert_eq!(npm.purl_of("@scope/name"), "pkg:npm/%40scope/name");
        for (ecosystem, name, good) in [
            (pypi, "OctoPrint", true),
            (pypi, "-x", false),
            (pypi, "x-", false),
            (pypi, "a b", false),
            (npm, "@scope/name", true),
            (npm, "@scope", false),
            (npm, "a/b", false),
            (cargo, "serde_json", true),
            (cargo, "a.b", false),
        ] {
            assert_eq!(ecosystem.is_package(name), good, "{} {name}", ecosystem.name);
        }
    }
}
