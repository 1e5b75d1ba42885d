//! What a text is known by, and the bounded set of hashes that is kept of it.

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use super::words::{Words, own_lines, words};
use crate::domain::AdvisoryDraft;

/// Most hashes kept of names.
const NAMES_MAX: usize = 48;
/// Of words.
const WORDS_MAX: usize = 128;
/// Of pairs of words.
const PAIRS_MAX: usize = 64;

/// What a feature is. The order is that in which features are told: the plainest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A CVE or GHSA id.
    Id,
    /// A folded line or value of code.
    Code,
    /// The path of a request.
    Route,
    /// A file name.
    File,
    /// A parameter, function, header, setting.
    Name,
    /// The first two parts of a route.
    RouteStart,
    /// A weakness class, `CWE-79`.
    Class,
    /// Two neighbouring words.
    Pair,
    /// A word of the matter.
    Word,
    /// A word of any report.
    Common,
}

const KINDS: [Kind; 10] = [
    Kind::Id,
    Kind::Code,
    Kind::Route,
    Kind::File,
    Kind::Name,
    Kind::RouteStart,
    Kind::Class,
    Kind::Pair,
    Kind::Word,
    Kind::Common,
];

impl Kind {
    /// How much a feature of this kind says before its rarity is known.
    pub(super) const fn weight(self) -> f32 {
        match self {
            Self::Id => 8.0,
            Self::Code => 4.0,
            Self::Route => 3.5,
            Self::File | Self::Name => 2.5,
            Self::RouteStart | Self::Class | Self::Pair => 1.5,
            Self::Word => 1.0,
            Self::Common => 0.2,
        }
    }
}

/// Everything that a text is known by.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// Features with their text, by hash.
    pub(super) by_hash: BTreeMap<u32, (Kind, String)>,
    /// Its words in order.
    pub(super) words: Vec<Word>,
}

/// A word of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    /// Folded for comparison.
    pub stem: String,
    /// As written.
    pub shown: String,
}

/// Reads the features of a report: its subject and its text as shown. The name of the product stands in all of
/// them and counts for nothing.
pub fn features(subject: &str, text: &str, product: &str) -> Features {
    let mut out = Features::default();
    let words = each(subject, text, product, |kind, parts| out.insert(kind, parts.join(" ")));
    let owned = |word: &super::words::Word<'_>| Word {
        stem: words.stem(word).to_owned(),
        shown: word.shown.clone().into_owned(),
    };
    out.words = words.iter().map(owned).collect();
    out
}

/// The hashes to keep of a report, as [`features`] and [`Features::sketch`] give them.
pub fn sketch(subject: &str, text: &str, product: &str) -> Sketch {
    let mut hashes: Vec<u32> = Vec::new();
    each(subject, text, product, |kind, parts| hashes.push(hash(kind, parts)));
    hashes.sort_unstable();
    hashes.dedup();
    Sketch::bounded(hashes)
}

/// Tells every feature of a report, as words to be joined by a blank; returns its words.
fn each<'t>(
    subject: &'t str,
    text: &'t str,
    product: &str,
    mut add: impl FnMut(Kind, &[&str]),
) -> Words<'t> {
    let product = product.to_lowercase();
    let own = own_lines(text);
    let lines = || [subject, ""].into_iter().chain(own.iter().copied());
    let mut words = words(lines());
    words.leave_out(&product);
    let whole: String = lines().collect::<Vec<_>>().join("\n");
    for (kind, name) in names::names(lines()).into_iter().chain(names::classes(&whole)) {
        if name != product {
            add(kind, &[&name]);
        }
    }
    for word in words.iter() {
        add(if word.common { Kind::Common } else { Kind::Word }, &[words.stem(word)]);
    }
    for (first, second) in words.pairs() {
        if first.group != second.group || first.common && second.common {
            continue;
        }
        let (first, second) = (words.stem(first), words.stem(second));
        if first != second {
            add(Kind::Pair, &[first.min(second), first.max(second)]);
        }
    }
    words
}

/// Reads the features of a published record: without patches and thanks, which are alike in all of them, and
/// without the ids of other records that it mentions.
pub fn features_of_advisory(draft: &AdvisoryDraft, product: &str) -> Features {
    const ALIKE: [&str; 6] =
        ["patch", "credit", "reference", "timeline", "for more information", "acknowledg"];
    let mut text = String::new();
    for section in &draft.sections {
        let heading = section.heading.to_lowercase();
        if !ALIKE.iter().any(|alike| heading.starts_with(alike)) {
            text.push_str(&format!("{}\n\n", section.body));
        }
    }
    for weakness in &draft.weaknesses {
        text.push_str(&format!("{}\n", weakness.id));
    }
    let mut features = features(&draft.title, &text, product);
    features.by_hash.retain(|_, (kind, _)| *kind != Kind::Id);
    let ids = draft.ghsa_id.iter().chain(&draft.cve_id).chain(&draft.aliases);
    ids.for_each(|id| features.insert(Kind::Id, id.to_ascii_uppercase()));
    features
}

impl Features {
    fn insert(&mut self, kind: Kind, text: String) {
        self.by_hash.entry(hash(kind, &[&text])).or_insert((kind, text));
    }

    /// The CVE and GHSA ids that the text names, in capitals.
    pub fn ids(&self) -> BTreeSet<&str> {
        let ids = self.by_hash.values().filter(|(kind, _)| *kind == Kind::Id);
        ids.map(|(_, text)| text.as_str()).collect()
    }

    /// Takes over what another text of the same case says.
    pub fn extend(&mut self, other: Self) {
        self.by_hash.extend(other.by_hash);
        self.words.extend(other.words);
    }

    /// The hashes to keep.
    pub fn sketch(&self) -> Sketch {
        Sketch::bounded(self.by_hash.keys().copied())
    }
}

/// Of words joined by a blank: kind in the upper four bits, 28 bits of a hash (FNV-1a, mixed) below. Stable across machines and versions.
fn hash(kind: Kind, parts: &[&str]) -> u32 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325 ^ u64::from(kind as u8);
    let mut add = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            add(b' ');
        }
        part.bytes().for_each(&mut add);
    }
    state ^= state >> 33;
    state = state.wrapping_mul(0xff51_afd7_ed55_8ccd);
    state ^= state >> 33;
    u32::from(kind as u8) << 28 | u32::try_from(state & 0x0fff_ffff).unwrap_or_default()
}

/// The kind of a hash.
pub(super) fn kind_of(hash: u32) -> Kind {
    let index = usize::try_from(hash >> 28).unwrap_or_default();
    KINDS.get(index).copied().unwrap_or(Kind::Common)
}

/// Hashes of the features of a report, ascending. Of each group of kinds the smallest hashes are kept (a bottom-k
/// sketch), so that two texts keep the same part of what they share.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sketch {
    bytes: Vec<u8>,
}

impl Sketch {
    fn bounded(ascending: impl IntoIterator<Item = u32>) -> Self {
        let (mut names, mut words, mut pairs) = (0, 0, 0);
        let mut kept: Vec<u32> = Vec::new();
        for hash in ascending {
            let (count, most) = match kind_of(hash) {
                Kind::Word | Kind::Common => (&mut words, WORDS_MAX),
                Kind::Pair => (&mut pairs, PAIRS_MAX),
                _ => (&mut names, NAMES_MAX),
            };
            if *count < most {
                *count += 1;
                kept.push(hash);
            }
        }
        Self { bytes: kept.iter().flat_map(|hash| hash.to_le_bytes()).collect() }
    }

    /// Takes the bytes of [`Sketch::bytes`].
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The hashes as bytes, to be kept.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The hashes, ascending.
    pub fn hashes(&self) -> impl Iterator<Item = u32> + '_ {
        let (whole, _) = self.bytes.as_chunks::<4>();
        whole.iter().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// The sketch of both texts together.
    pub fn joined(&self, other: &Self) -> Self {
        let mut all: Vec<u32> = self.hashes().chain(other.hashes()).collect();
        all.sort_unstable();
        all.dedup();
        Self::bounded(all)
    }

    /// Whether nothing is known of the text.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
