//! What a report claims about the source, and what of it a checkout bears out (capability M1).
//!
//! Owns: reading claims out of texts ([`extract`]), the index of one source tree ([`index`]), what other releases
//! had ([`past`]), and the table of both ([`resolve`]). Absent on purpose: git, files, threads (see
//! `runtime::claims`), and any word about whether a report is true: a claim resolves or does not, and a miss may
//! be a slip of the pen. Read next: [`Claim`], [`resolve::Resolver`].

pub mod extract;
pub mod index;
mod near;
pub mod past;
pub mod resolve;

use crate::domain::Evidence;
use crate::domain::verdict::Claims;

/// What kind of thing is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A file.
    Path,
    /// A file and lines of it.
    Line,
    /// A name with dots: module, attribute, or a key with sections.
    Dotted,
    /// A function or method.
    Function,
    /// A class.
    Class,
    /// A name of which no more is known.
    Name,
    /// An HTTP route.
    Route,
    /// A key of the product's configuration.
    Setting,
    /// A permission.
    Permission,
    /// A plugin of the product.
    Plugin,
    /// A release.
    Version,
    /// A branch.
    Branch,
    /// A commit.
    Commit,
    /// Quoted lines of source.
    Code,
}

impl Kind {
    /// The data word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Line => "line",
            Self::Dotted => "dotted",
            Self::Function => "function",
            Self::Class => "class",
            Self::Name => "name",
            Self::Route => "route",
            Self::Setting => "setting",
            Self::Permission => "permission",
            Self::Plugin => "plugin",
            Self::Version => "version",
            Self::Branch => "branch",
            Self::Commit => "commit",
            Self::Code => "code",
        }
    }
}

/// How much a claim says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Strength {
    /// A word that any report could hold, or one that the mail itself defines; not counted.
    Weak,
    /// A name of something outside the product, such as a library; not counted.
    ThirdParty,
    /// A name that somebody who has read the source would know.
    Strong,
}

impl Strength {
    /// The data word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::ThirdParty => "third-party",
            Self::Strong => "strong",
        }
    }
}

/// Something that a report says is in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// What kind of thing.
    pub kind: Kind,
    /// The name, as looked up: for [`Kind::Line`] the file, for [`Kind::Code`] the first telling line.
    pub name: String,
    /// First and last line of the file, from 1; for [`Kind::Line`] only.
    pub lines: Option<(u32, u32)>,
    /// The quoted lines; for [`Kind::Code`] only.
    pub code: Vec<String>,
    /// How much it says.
    pub strength: Strength,
    /// The words that claim it.
    pub evidence: Evidence,
}

impl Claim {
    /// The claim in words: the name, with its lines where it has some.
    pub fn text(&self) -> String {
        match self.lines {
            Some((first, last)) if first == last => format!("{}:{first}", self.name),
            Some((first, last)) => format!("{}:{first}-{last}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Whether a claim was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Found {
    /// It is there.
    Yes,
    /// It is nowhere.
    No,
    /// It is in another place or another version.
    Elsewhere,
    /// It was not looked for, or cannot be told.
    #[default]
    Unknown,
}

impl Found {
    /// The data word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "unknown",
        }
    }
}

/// A name that is almost the claimed one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nearest {
    /// The name.
    pub name: String,
    /// Letters to insert, delete, replace or swap.
    pub distance: usize,
}

/// A claim with what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The claim.
    pub claim: Claim,
    /// Whether it was found.
    pub found: Found,
    /// Whether it holds as claimed, in the version that was looked at: found, or in another place of that version.
    pub resolves: bool,
    /// Where it is, or why it is not; empty where there is nothing to say.
    pub place: String,
    /// For what was not found, the nearest name.
    pub nearest: Option<Nearest>,
    /// Whether it is in the newest supported version; `None` where that is the version looked at.
    pub newest: Option<Found>,
}

impl Row {
    /// Whether it counts in the sum.
    pub fn counts(&self) -> bool {
        self.claim.strength == Strength::Strong && self.found != Found::Unknown
    }

    /// Whether it counts and does not resolve.
    pub fn fails(&self) -> bool {
        self.counts() && !self.resolves
    }
}

/// All claims of a case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// The claims, those that fail first, then in the order of the text.
    pub rows: Vec<Row>,
    /// The version looked at, as the checkout names it; `None` if nothing was looked at.
    pub version: Option<String>,
    /// The newest supported version, where it is another.
    pub newest: Option<String>,
    /// What to know about the look-up itself, such as why there was none.
    pub note: Option<String>,
    /// Whether there was a checkout to look into.
    pub tried: bool,
}

impl Table {
    /// Claims that nothing was looked up for, and why.
    pub fn unknown(claims: Vec<Claim>, note: impl Into<String>, tried: bool) -> Self {
        let row = |claim| Row {
            claim,
            found: Found::Unknown,
            resolves: false,
            place: String::new(),
            nearest: None,
            newest: None,
        };
        Self {
            rows: claims.into_iter().map(row).collect(),
            version: None,
            newest: None,
            note: Some(note.into()),
            tried,
        }
    }

    /// How many claims resolve, of how many that count.
    pub fn counts(&self) -> (usize, usize) {
        let counted = self.rows.iter().filter(|row| row.counts());
        let resolve = counted.clone().filter(|row| row.resolves).count();
        (resolve, counted.count())
    }

    /// What the look came to, as a fact for the proposal; `None` if nothing was looked up.
    pub fn sum(&self) -> Option<Claims> {
        self.version.as_ref()?;
        let (resolve, counted) = self.counts();
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Some(Claims { held: number(resolve), failed: number(counted - resolve) })
    }

    /// The sum as a few words; never a judgement of the report.
    pub fn words(&self) -> String {
        let (resolve, counted) = self.counts();
        match (&self.version, counted) {
            (None, _) if self.rows.is_empty() || !self.tried => String::new(),
            (None, _) => "claims not checked".to_owned(),
            (Some(_), 0) => "no claims to check".to_owned(),
            (Some(_), _) if resolve == counted && counted == 1 => "1 claim resolves".to_owned(),
            (Some(_), _) if resolve == counted => format!("{counted} claims resolve"),
            (Some(_), _) => {
                let ends = if counted == 1 { "claim resolves" } else { "claims resolve" };
                format!("{resolve} of {counted} {ends}")
            }
        }
    }

    /// The sum as one sentence without its stop, with the claims that do not resolve.
    pub fn sentence(&self) -> String {
        let Some(version) = &self.version else {
            return self.note.clone().unwrap_or_default();
        };
        let words = format!("{} at {version}", self.words());
        let failed: Vec<String> =
            self.rows.iter().filter(|row| row.fails()).map(|row| row.claim.text()).collect();
        match failed.len() {
            0 => words,
            1 => format!("{words}; this one does not: {}", failed.concat()),
            count => format!("{words}; these {count} do not: {}", failed.join(", ")),
        }
    }
}
