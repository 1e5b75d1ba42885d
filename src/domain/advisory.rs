//! The advisory draft: what the project will say in public about a vulnerability, in every format at once.
//!
//! Owns: the draft's shape, its rules ([`faults`](faults())) and how a case becomes one ([`from_case()`]).
//! Absent on purpose: any file format (`export`), mail addresses, message ids and mail bodies, which never
//! leave the console. Read next: [`AdvisoryDraft`], then `faults.rs`.

use std::fmt;

use super::credit::Credit;

pub mod applicable;
pub mod date;
pub mod ecosystem;
pub mod embargo;
pub mod faults;
pub mod from_case;
pub mod notes;
pub mod range;
pub mod score;

pub use applicable::{Applicable, applicable, cve_due};
pub use date::DraftDate;
pub use ecosystem::{Ecosystem, ecosystem};
pub use embargo::{embargo_notice, refusals};
pub use faults::{Fault, faults};
pub use from_case::{CaseMaterial, ProductDefaults, from_case};
pub use notes::notes;
pub use range::{Pep440, SemVer, VersionScheme, scheme_for};
pub use score::{Scored, score};

/// A format that an advisory can be written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Format {
    /// Body of GitHub's request that creates a repository advisory.
    Ghsa,
    /// Open Source Vulnerability format 1.7.
    Osv,
    /// Common Security Advisory Framework 2.0.
    Csaf,
    /// Common Security Advisory Framework 2.1.
    Csaf21,
    /// CVE record format 5.1: the CNA container, or the full record once the id is known.
    Cve,
    /// OpenVEX 0.2, for the statement that the product is not affected by somebody else's flaw.
    OpenVex,
    /// Markdown for people.
    Markdown,
    /// The entry of the project's release post, with its credits as front matter.
    Post,
}

impl Format {
    /// Every format of an advisory, in the order in which files are written. [`Format::OpenVex`] is not among
    /// them: it says that there is nothing to advise on.
    pub const ALL: [Self; 7] =
        [Self::Ghsa, Self::Osv, Self::Csaf, Self::Csaf21, Self::Cve, Self::Markdown, Self::Post];

    /// The word used on the command line and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ghsa => "ghsa",
            Self::Osv => "osv",
            Self::Csaf => "csaf",
            Self::Csaf21 => "csaf-2.1",
            Self::Cve => "cve",
            Self::OpenVex => "openvex",
            Self::Markdown => "markdown",
            Self::Post => "post",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        let every = Self::ALL.into_iter().chain([Self::OpenVex]);
        every.into_iter().find(|format| format.as_str() == text)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where the advisory stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AdvisoryStatus {
    /// Not public; every format says so.
    #[default]
    Draft,
    /// Public since `dates.published`.
    Published,
    /// Public and taken back since `dates.withdrawn`.
    Withdrawn,
}

impl AdvisoryStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Withdrawn];

    /// The word used in the draft.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What is affected.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Product {
    /// Who makes it.
    pub vendor: String,
    /// Its name for people.
    pub name: String,
    /// Package ecosystem as OSV names it, such as `PyPI`.
    pub ecosystem: String,
    /// Package name within the ecosystem.
    pub package: String,
    /// Web address of the repository.
    pub repo: String,
}

/// How bad it is: vectors decide, the number and the word are checked against them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SeverityDraft {
    /// CVSS 3.1 vector.
    pub cvss_v3_1: Option<String>,
    /// CVSS 4.0 vector.
    pub cvss_v4_0: Option<String>,
    /// Base score in tenths, 0 to 100, as the maintainer noted it.
    pub score_tenths: Option<u16>,
    /// Severity word as the maintainer noted it.
    pub rating: Option<String>,
}

impl SeverityDraft {
    /// The vector that stands for the advisory where a format has room for one: 3.1 where there are two,
    /// because GitHub's request and CSAF 2.0 must then agree and CSAF 2.0 has no place for 4.0.
    pub fn main(&self) -> Option<&str> {
        self.cvss_v3_1.as_deref().or(self.cvss_v4_0.as_deref())
    }
}

/// A weakness type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Weakness {
    /// `CWE-` and a number.
    pub id: String,
    /// Its exact name in the CWE list; CSAF compares it (test 6.1.11).
    pub name: String,
}

/// Versions from `introduced` (included) to `fixed` (excluded) or `last_affected` (included), or without end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AffectedRange {
    /// First affected version; `0` means before everything. Empty while unknown.
    pub introduced: String,
    /// First version that is no longer affected.
    pub fixed: Option<String>,
    /// Last version known to be affected; only while no fix exists.
    pub last_affected: Option<String>,
    /// The branch is no longer supported and will not be fixed.
    pub unsupported: bool,
}

/// Why the product is not affected by somebody else's flaw (OpenVEX 0.2, justification labels).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Justification {
    /// The component is not part of the product.
    ComponentNotPresent,
    /// The component is, its vulnerable code is not.
    VulnerableCodeNotPresent,
    /// The vulnerable code never runs.
    VulnerableCodeNotInExecutePath,
    /// An attacker cannot reach the vulnerable code.
    VulnerableCodeCannotBeControlledByAdversary,
    /// The product prevents it.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// Every justification.
    pub const ALL: [Self; 5] = [
        Self::ComponentNotPresent,
        Self::VulnerableCodeNotPresent,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::InlineMitigationsAlreadyExist,
    ];

    /// The word used in the draft and in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// The statement that the product is not affected by the flaw that the ids name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NotAffected {
    /// Why, as a label.
    pub justification: Option<Justification>,
    /// Why, in words.
    pub statement: String,
    /// Package URL of the component that has the flaw.
    pub component: Option<String>,
    /// Versions that the statement is about; every one where there are none.
    pub versions: Vec<String>,
}

/// A part of the text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    /// Its heading, such as `Impact`.
    pub heading: String,
    /// Markdown.
    pub body: String,
}

/// What a reference is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReferenceKind {
    /// The advisory itself.
    Advisory,
    /// A commit or pull request that fixes it.
    Fix,
    /// A release that contains the fix.
    Release,
    /// The project's own post about it.
    Announcement,
    /// Somebody else's text about it.
    Article,
    /// The report.
    Report,
    /// Proof of concept.
    Evidence,
    /// Anything else.
    Web,
}

impl ReferenceKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Advisory,
        Self::Fix,
        Self::Release,
        Self::Announcement,
        Self::Article,
        Self::Report,
        Self::Evidence,
        Self::Web,
    ];

    /// The word used in the draft.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Fix => "fix",
            Self::Release => "release",
            Self::Announcement => "announcement",
            Self::Article => "article",
            Self::Report => "report",
            Self::Evidence => "evidence",
            Self::Web => "web",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// What it leads to.
    pub kind: ReferenceKind,
    /// Where.
    pub url: String,
}

/// A line of the public timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimelineLine {
    /// When.
    pub date: DraftDate,
    /// What happened.
    pub text: String,
}

/// The record's own dates: the only ones that an export contains.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dates {
    /// The report came in.
    pub reported: Option<DraftDate>,
    /// It was acknowledged.
    pub acknowledged: Option<DraftDate>,
    /// A fixed version was released.
    pub fixed: Option<DraftDate>,
    /// The advisory became public.
    pub published: Option<DraftDate>,
    /// The advisory was last changed.
    pub modified: Option<DraftDate>,
    /// It was taken back.
    pub withdrawn: Option<DraftDate>,
    /// The CVE id was reserved.
    pub cve_reserved: Option<DraftDate>,
    /// The CVE record became public.
    pub cve_published: Option<DraftDate>,
    /// Agreed end of the embargo; never exported.
    pub embargo_until: Option<DraftDate>,
}

impl Dates {
    /// Every date with its name in the draft, in the order of the draft.
    pub fn named(&self) -> [(&'static str, Option<DraftDate>); 9] {
        [
            ("reported", self.reported),
            ("acknowledged", self.acknowledged),
            ("fixed", self.fixed),
            ("cve_reserved", self.cve_reserved),
            ("published", self.published),
            ("cve_published", self.cve_published),
            ("modified", self.modified),
            ("withdrawn", self.withdrawn),
            ("embargo_until", self.embargo_until),
        ]
    }

    /// When the record last changed: `modified`, and never earlier than the latest thing that it tells.
    pub fn last_change(&self) -> Option<DraftDate> {
        [
            self.modified,
            self.withdrawn,
            self.published,
            self.fixed,
            self.acknowledged,
            self.reported,
            self.cve_reserved,
        ]
        .into_iter()
        .flatten()
        .max_by_key(DraftDate::instant)
    }
}

/// Everything that the project will say about one vulnerability. Empty text means "not known yet";
/// [`faults()`] lists what is missing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AdvisoryDraft {
    /// Our own name for it, the GHSA id once there is one.
    pub id: String,
    /// One line.
    pub title: String,
    /// GitHub's id.
    pub ghsa_id: Option<String>,
    /// The CVE id.
    pub cve_id: Option<String>,
    /// Further ids of the same flaw.
    pub aliases: Vec<String>,
    /// Title that the CVE numbering authority chose, where it differs. Kept to compare with; every format
    /// carries `title`, so that the files agree with each other.
    pub cve_title: Option<String>,
    /// Description of the CVE record: plain text that stands alone.
    pub cve_description: Option<String>,
    /// Where it stands.
    pub status: AdvisoryStatus,
    /// The flaw was public before the project could say anything: no embargo holds, and the advisory may come
    /// out before the fix.
    pub already_public: bool,
    /// Set for the statement that the product is not affected.
    pub not_affected: Option<NotAffected>,
    /// What is affected.
    pub product: Product,
    /// How bad it is.
    pub severity: SeverityDraft,
    /// Weakness types, the main one first.
    pub weaknesses: Vec<Weakness>,
    /// Affected versions, one range per branch.
    pub affected: Vec<AffectedRange>,
    /// The text.
    pub sections: Vec<Section>,
    /// Who is thanked.
    pub credits: Vec<Credit>,
    /// Links.
    pub references: Vec<Reference>,
    /// Ids of other flaws that belong near this one.
    pub related: Vec<String>,
    /// Public timeline.
    pub timeline: Vec<TimelineLine>,
    /// Dates.
    pub dates: Dates,
}

impl AdvisoryDraft {
    /// Whether the public may read it, withdrawn or not.
    pub fn is_public(&self) -> bool {
        self.status != AdvisoryStatus::Draft
    }

    /// The section with this heading, in any case.
    pub fn section(&self, heading: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.heading.trim().eq_ignore_ascii_case(heading))
    }

    /// People whom an export may name.
    pub fn named_credits(&self) -> impl Iterator<Item = &Credit> {
        self.credits.iter().filter(|credit| credit.may_be_named())
    }
}
