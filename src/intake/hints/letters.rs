//! Text and patterns in one small alphabet, so that text in any language is searched as fast as ASCII.
//!
//! Patterns tell few characters apart: of `é`, `д` and `字` most ask only whether they are letters. So all characters
//! that every pattern of a policy treats alike are one, and a byte of ASCII stands for them: a small letter for both
//! letter cases, a capital one for letters of other scripts, a control byte for anything else. A pattern in these
//! bytes finds in a text in these bytes exactly what it finds in the text itself, by an automaton with a hundredth of
//! the states, which can tell word boundaries too.
//!
//! Letters that patterns name are more than there are capital ones. The rest are rare: another letter stands for
//! them, and a pattern that tells it apart looks at lines that hold one in the slow way. Read next:
//! [`super::pattern`].

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, Look, Repetition};

use super::tree::{Named, Ranges, Tree};

/// A set of rare letters; of more than it has bits some count as one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Rare([u64; 8]);

impl Rare {
    fn insert(&mut self, letter: u16) {
        let at = usize::from(letter) % (64 * self.0.len());
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    /// Whether a letter is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(word, more)| word & more != 0)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which byte stands for a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Standing {
    byte: u8,
    /// If it is rare: its number and the first character of those like it.
    rare: Option<(u16, char)>,
}

/// The alphabet of a set of patterns.
pub(super) struct Letters {
    ascii: [u8; 128],
    /// From which character on which byte stands, ascending.
    spans: Vec<(u32, Standing)>,
}

/// What the lists of characters that patterns name are in the alphabet, by their numbers; needed while the patterns are
/// written in it.
pub(super) struct Classes<'n> {
    named: &'n Named,
    known: Vec<Option<(Hir, Rare)>>,
}

impl Letters {
    /// The alphabet in which patterns can be told that name these lists of characters.
    pub(super) fn of(named: &Named) -> (Self, Classes<'_>) {
        let mut cells = cells(named.all());
        stand(&mut cells);
        let of_cell = |cell: &Cell| {
            let standing = cell.standing;
            cell.starts.clone().into_iter().map(move |start| (start, standing))
        };
        let mut spans: Vec<(u32, Standing)> = cells.iter().flat_map(of_cell).collect();
        spans.sort_unstable_by_key(|(start, _)| *start);
        spans.dedup_by_key(|(_, standing)| *standing);
        let mut letters = Self { ascii: [0; 128], spans };
        for code in 0..128_u8 {
            let byte = match kept(code) {
                true => code.to_ascii_lowercase(),
                false => letters.standing(code.into()).byte,
            };
            if let Some(slot) = letters.ascii.get_mut(usize::from(code)) {
                *slot = byte;
            }
        }
        let known = named.all().iter().enumerate();
        let known = known.map(|(number, ranges)| know(ranges, number, &cells)).collect();
        (letters, Classes { named, known })
    }

    fn standing(&self, code: u32) -> Standing {
        let at = self.spans.partition_point(|(start, _)| *start <= code);
        let none = Standing { byte: b' ', rare: None };
        at.checked_sub(1).and_then(|at| self.spans.get(at)).map_or(none, |(_, standing)| *standing)
    }

    fn byte(&self, letter: char) -> Standing {
        match usize::try_from(u32::from(letter)).ok().and_then(|code| self.ascii.get(code)) {
            Some(byte) => Standing { byte: *byte, rare: None },
            None => self.standing(u32::from(letter)),
        }
    }

    /// What stands for a character where rare letters are told apart.
    pub(super) fn fold(&self, letter: char) -> char {
        let standing = self.byte(letter);
        standing.rare.map_or(char::from(standing.byte), |(_, first)| first)
    }

    /// A text in this alphabet.
    pub(super) fn text<'t>(&self, shown: impl Into<Cow<'t, str>>) -> Text<'t> {
        let shown = shown.into();
        let mut plain = Vec::with_capacity(shown.len());
        let mut text = Text { rare: vec![Rare::default()], ..Text::default() };
        let mut start = 0;
        for line in shown.split('\n') {
            if start > 0 {
                plain.push(b'\n');
            }
            let plain_start = plain.len();
            let mut rare = Rare::default();
            if line.is_ascii() {
                let byte = |byte: u8| self.ascii.get(usize::from(byte)).copied().unwrap_or(byte);
                plain.extend(line.bytes().map(byte));
            } else {
                for letter in line.chars() {
                    let standing = self.byte(letter);
                    plain.push(standing.byte);
                    standing.rare.iter().for_each(|(number, _)| rare.insert(*number));
                }
            }
            let known = if rare.is_empty() { 0 } else { text.rare.len() };
            if known > 0 {
                text.rare.push(rare);
                text.all_rare.extend(&rare);
            }
            text.lines.push(Line {
                shown: start..start + line.len(),
                plain: plain_start..plain.len(),
                rare: known,
            });
            start += line.len() + 1;
        }
        text.shown = shown;
        text.plain = String::from_utf8(plain).unwrap_or_default();
        text
    }
}

impl Classes<'_> {
    /// A pattern in this alphabet, for text without line ends, and the rare letters that it names. `None` if it
    /// tells apart what the alphabet does not.
    pub(super) fn pattern(&self, part: &Tree) -> Option<(Hir, Rare)> {
        let mut rare = Rare::default();
        let pattern = self.part(part, &mut rare)?;
        Some((pattern, rare))
    }

    fn part(&self, part: &Tree, rare: &mut Rare) -> Option<Hir> {
        Some(match part {
            Tree::Empty => Hir::empty(),
            Tree::Text(text) => {
                let class = |letter| self.class(self.named.of_letter(letter)?, rare);
                Hir::concat(text.chars().map(class).collect::<Option<_>>()?)
            }
            Tree::Class(number) => self.class(*number, rare)?,
            Tree::Foreign => return None,
            Tree::Look(look) => Hir::look(plain_look(*look)?),
            Tree::Repeated(repeated) => Hir::repetition(Repetition {
                min: repeated.min,
                max: repeated.max,
                greedy: repeated.greedy,
                sub: Box::new(self.part(&repeated.sub, rare)?),
            }),
            Tree::Row(parts) => Hir::concat(self.parts(parts, rare)?),
            Tree::Choice(parts) => Hir::alternation(self.parts(parts, rare)?),
        })
    }

    fn parts(&self, parts: &[Tree], rare: &mut Rare) -> Option<Vec<Hir>> {
        parts.iter().map(|part| self.part(part, rare)).collect()
    }

    fn class(&self, number: usize, rare: &mut Rare) -> Option<Hir> {
        let (class, more) = self.known.get(number)?.as_ref()?;
        rare.extend(more);
        Some(class.clone())
    }
}

/// A text in the alphabet of patterns, line by line.
#[derive(Default)]
pub(super) struct Text<'t> {
    shown: Cow<'t, str>,
    /// One byte for each character of `shown`.
    plain: String,
    lines: Vec<Line>,
    /// Rare letters of lines that hold any; the first is for all others.
    rare: Vec<Rare>,
    all_rare: Rare,
}

/// What most lines hold of them.
const NONE: Rare = Rare([0; 8]);

struct Line {
    shown: Range<usize>,
    plain: Range<usize>,
    /// Place in [`Text::rare`].
    rare: usize,
}

impl Text<'_> {
    /// The text itself.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// How many lines it has.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// All of it.
    pub(super) fn whole(&self) -> Words<'_> {
        Words { shown: &self.shown, plain: &self.plain, rare: &self.all_rare }
    }

    /// A line without its end, and its bytes in the text.
    pub(super) fn line(&self, number: usize) -> Option<(Words<'_>, Range<usize>)> {
        let line = self.lines.get(number)?;
        let words = Words {
            shown: self.shown.get(line.shown.clone())?,
            plain: self.plain.get(line.plain.clone())?,
            rare: self.rare.get(line.rare).unwrap_or(&NONE),
        };
        Some((words, line.shown.clone()))
    }

    /// The text with one character for each of its own, and rare letters told apart: see [`Letters::fold`].
    pub(super) fn folded(&self, letters: &Letters) -> Cow<'_, str> {
        if self.all_rare.is_empty() {
            return Cow::Borrowed(&self.plain);
        }
        Cow::Owned(self.shown.chars().map(|letter| letters.fold(letter)).collect())
    }
}

/// A stretch of a text in both forms.
#[derive(Clone, Copy)]
pub(super) struct Words<'t> {
    /// As written.
    pub(super) shown: &'t str,
    /// In the alphabet, one byte for each character.
    pub(super) plain: &'t str,
    /// Rare letters in it, or more.
    pub(super) rare: &'t Rare,
}

impl<'t> Words<'t> {
    /// Tells for places in the alphabet, ascending, which byte as written they are.
    pub(super) fn places(&self) -> impl FnMut(usize) -> usize + 't {
        let (shown, alike) = (self.shown, self.shown.len() == self.plain.len());
        let (mut plain, mut at) = (0_usize, 0_usize);
        move |place| {
            if alike {
                return place;
            }
            let rest = shown.get(at..).unwrap_or_default();
            let letters = rest.chars().take(place.saturating_sub(plain));
            at += letters.map(char::len_utf8).sum::<usize>();
            plain = place;
            at
        }
    }

    /// Some bytes of it.
    pub(super) fn part(&self, range: Range<usize>) -> Option<Self> {
        let shown = self.shown.get(range.clone())?;
        let plain = if self.shown.len() == self.plain.len() {
            range
        } else {
            let start = self.shown.get(..range.start)?.chars().count();
            start..start + shown.chars().count()
        };
        Some(Self { shown, plain: self.plain.get(plain)?, rare: self.rare })
    }
}

/// ASCII that stands for itself, capital letters for the small ones.
fn kept(code: u8) -> bool {
    matches!(code, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' '..=b'~')
}

fn holds(ranges: &Ranges, code: u32) -> bool {
    let at = ranges.partition_point(|(start, _)| *start <= code);
    at.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, end)| code <= *end)
}

/// The same assertion about text in which every letter is one of ASCII and the whole is a line among others.
fn plain_look(look: Look) -> Option<Look> {
    Some(match look {
        Look::Start | Look::StartLF => Look::StartLF,
        Look::End | Look::EndLF => Look::EndLF,
        Look::WordAscii | Look::WordAsciiNegate => return None,
        Look::WordUnicode => Look::WordAscii,
        Look::WordUnicodeNegate => Look::WordAsciiNegate,
        Look::WordStartUnicode => Look::WordStartAscii,
        Look::WordEndUnicode => Look::WordEndAscii,
        Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
        Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
        _ => return None,
    })
}

/// A class in the alphabet, without line ends; `None` if it tells a small letter from a capital one.
fn know(ranges: &Ranges, number: usize, cells: &[Cell]) -> Option<(Hir, Rare)> {
    let mut letters = (b'a'..=b'z').map(u32::from);
    if letters.any(|small| holds(ranges, small) != holds(ranges, small - 32)) {
        return None;
    }
    let stands = |code: &u8| kept(*code) && *code != b'\n' && !code.is_ascii_uppercase();
    let own = (0..128).filter(|code| stands(code) && holds(ranges, (*code).into()));
    let common = cells.iter().filter(|cell| cell.standing.rare.is_none() && cell.is_in(number));
    let bytes: BTreeSet<u8> = own.chain(common.map(|cell| cell.standing.byte)).collect();
    let mut rare = Rare::default();
    for cell in cells {
        if let Some((letter, _)) = cell.standing.rare
            && cell.is_in(number) != bytes.contains(&cell.standing.byte)
        {
            rare.insert(letter);
        }
    }
    let range = |byte: u8| ClassUnicodeRange::new(byte.into(), byte.into());
    let class = ClassUnicode::new(bytes.into_iter().map(range));
    Some((Hir::class(Class::Unicode(class)), rare))
}

/// Characters that all classes treat alike.
struct Cell {
    /// First characters of its ranges, ascending; without those of ASCII that stand for themselves.
    starts: Vec<u32>,
    /// How many there are.
    size: u32,
    /// One bit for each class, set where they are in it.
    marks: Vec<u64>,
    /// A character of ASCII that is one of them and stands for itself.
    own: Option<u8>,
    standing: Standing,
}

impl Cell {
    /// Whether its characters are in the class of this number.
    fn is_in(&self, class: usize) -> bool {
        self.marks.get(class / 64).is_some_and(|word| word >> (class % 64) & 1 == 1)
    }
}

/// Sorts all characters into cells. The class with number 0 is that of letters.
fn cells(named: &[Ranges]) -> Vec<Cell> {
    // Between these there are no characters.
    const GAP: Range<u32> = 0xd800..0xe000;
    let mut starts: Vec<u32> = (0..=128).collect();
    for (start, end) in named.iter().flatten() {
        starts.extend([*start, end.saturating_add(1)]);
    }
    starts.iter_mut().filter(|start| GAP.contains(*start)).for_each(|start| *start = GAP.end);
    starts.retain(|start| *start <= u32::from(char::MAX));
    starts.sort_unstable();
    starts.dedup();
    let words = named.len().div_ceil(64);
    let mut marks = vec![0_u64; starts.len() * words];
    for (number, ranges) in named.iter().enumerate() {
        for (first, last) in ranges {
            let from = starts.partition_point(|start| start < first);
            let to = starts.partition_point(|start| start <= last);
            for at in from..to {
                if let Some(word) = marks.get_mut(at * words + number / 64) {
                    *word |= 1 << (number % 64);
                }
            }
        }
    }
    let ends = starts.iter().skip(1).copied().chain([u32::from(char::MAX) + 1]);
    let mut cells: BTreeMap<&[u64], Cell> = BTreeMap::new();
    for ((start, end), marks) in starts.iter().zip(ends).zip(marks.chunks(words)) {
        let cell = cells.entry(marks).or_insert_with(|| Cell {
            starts: Vec::new(),
            size: 0,
            marks: marks.to_vec(),
            own: None,
            standing: Standing { byte: b' ', rare: None },
        });
        match u8::try_from(*start).ok().filter(|code| kept(*code)) {
            Some(b'\n' | b'A'..=b'Z') => {}
            Some(code) => cell.own = cell.own.or(Some(code)),
            None => {
                cell.starts.push(*start);
                cell.size = cell.size.saturating_add(end - start);
            }
        }
    }
    cells.into_values().filter(|cell| !cell.starts.is_empty()).collect()
}

/// Gives every cell its byte, the largest first; of letters and of other characters the first stands for what is left
/// over.
fn stand(cells: &mut [Cell]) {
    cells.sort_by_key(|cell| (Reverse(cell.size), cell.starts.first().copied()));
    let mut capitals = b'A'..=b'Z';
    let mut controls = (1..0x20).chain([0x7f]).filter(|code| !kept(*code));
    let (mut any_letter, mut any_other, mut rare) = (None, None, 0_u16);
    for cell in cells {
        let (byte, any) = match cell.is_in(0) {
            true => (cell.own.or_else(|| capitals.next()), &mut any_letter),
            false => (cell.own.or_else(|| controls.next()), &mut any_other),
        };
        let common = *any.get_or_insert(byte.unwrap_or(b' '));
        let first = cell.starts.first().copied().and_then(char::from_u32);
        cell.standing = match byte {
            Some(byte) => Standing { byte, rare: None },
            None => {
                rare = rare.saturating_add(1);
                Standing { byte: common, rare: first.map(|first| (rare, first)) }
            }
        };
    }
}
