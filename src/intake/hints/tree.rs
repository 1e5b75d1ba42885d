//! Patterns as trees that take little room.
//!
//! The trees of the parser give every character of a pattern that is searched without regard to case a list of
//! characters of its own, some 50 MB for all rules of a policy (measured). Here equal lists are one, known by its
//! number, and a tree names numbers.

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

/// First and last characters of ranges, ascending.
pub(super) type Ranges = Vec<(u32, u32)>;

/// A pattern.
pub(super) enum Tree {
    Empty,
    Look(Look),
    Text(Box<str>),
    /// One character of the list with this number.
    Class(usize),
    /// What is no text.
    Foreign,
    Repeated(Box<Repeated>),
    Row(Box<[Tree]>),
    Choice(Box<[Tree]>),
}

/// A part of a pattern that stands there several times.
pub(super) struct Repeated {
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) greedy: bool,
    pub(super) sub: Tree,
}

/// The lists of characters that patterns name. The first is that of letters: a word boundary tells them apart without
/// naming them.
pub(super) struct Named {
    numbers: BTreeMap<Ranges, usize>,
    all: Vec<Ranges>,
}

impl Named {
    pub(super) fn new() -> Self {
        let mut named = Self { numbers: BTreeMap::new(), all: Vec::new() };
        named.name(ranges_of(&word_class()));
        named
    }

    /// Takes up the lists of a pattern.
    pub(super) fn tree(&mut self, part: &Hir) -> Tree {
        match part.kind() {
            HirKind::Empty => Tree::Empty,
            HirKind::Look(look) => Tree::Look(*look),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => {
                    text.chars().for_each(|letter| _ = self.name(single(letter)));
                    Tree::Text(text.into())
                }
                Err(_) => Tree::Foreign,
            },
            HirKind::Class(Class::Unicode(class)) => Tree::Class(self.name(ranges_of(class))),
            HirKind::Class(Class::Bytes(_)) => Tree::Foreign,
            HirKind::Capture(group) => self.tree(&group.sub),
            HirKind::Repetition(repeated) => Tree::Repeated(Box::new(Repeated {
                min: repeated.min,
                max: repeated.max,
                greedy: repeated.greedy,
                sub: self.tree(&repeated.sub),
            })),
            HirKind::Concat(parts) => Tree::Row(self.trees(parts)),
            HirKind::Alternation(parts) => Tree::Choice(self.trees(parts)),
        }
    }

    fn trees(&mut self, parts: &[Hir]) -> Box<[Tree]> {
        parts.iter().map(|part| self.tree(part)).collect()
    }

    fn name(&mut self, ranges: Ranges) -> usize {
        if let Some(number) = self.numbers.get(&ranges) {
            return *number;
        }
        let number = self.all.len();
        self.all.push(ranges.clone());
        self.numbers.insert(ranges, number);
        number
    }

    /// All lists, by number.
    pub(super) fn all(&self) -> &[Ranges] {
        &self.all
    }

    /// The list with this number.
    pub(super) fn ranges(&self, number: usize) -> &[(u32, u32)] {
        self.all.get(number).map_or(&[], Vec::as_slice)
    }

    /// The number of the list that holds nothing but this character.
    pub(super) fn of_letter(&self, letter: char) -> Option<usize> {
        self.numbers.get(&single(letter)).copied()
    }
}

fn single(letter: char) -> Ranges {
    vec![(letter.into(), letter.into())]
}

fn ranges_of(class: &ClassUnicode) -> Ranges {
    class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
}

/// What `\w` holds.
fn word_class() -> ClassUnicode {
    match regex_syntax::parse(r"\w").map(Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        // Not reached: it is one.
        _ => ClassUnicode::empty(),
    }
}
