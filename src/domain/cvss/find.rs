//! Vectors in running text.

use std::ops::Range;

use super::{MAX_BYTES, Vector, Version};

/// Most vectors that are taken from one text.
const MOST: usize = 64;

/// Finds what is meant as a vector, valid or not, in the order of the text: what begins with `CVSS:` and has
/// a metric, and bare metrics that begin with `AV:`. One pass over the text; at most 64 vectors of at most
/// 512 bytes.
pub fn find_vectors(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut resume, mut before) = (0, ' ');
    for (start, letter) in text.char_indices() {
        let inside = start < resume || before.is_alphanumeric();
        before = letter;
        if inside || !matches!(letter, 'C' | 'c' | 'A' | 'a') || found.len() == MOST {
            continue;
        }
        let rest = text.get(start..).unwrap_or_default();
        if let Some(length) = vector_length(rest) {
            found.push(start..start + length);
            resume = start + length;
        }
    }
    found
}

/// A version, or the value of a bare `AV`, is shorter than this, so that the first stroke lies within.
const HEAD: usize = 16;

/// Bytes of the vector that `rest` begins with.
fn vector_length(rest: &str) -> Option<usize> {
    let begins =
        |with: &str| rest.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let bare = begins("AV:") || begins("AV=");
    if !bare && !begins("CVSS:") {
        return None;
    }
    if !rest.bytes().take(HEAD).any(|b| b == b'/') {
        return None;
    }
    let mut end = rest.len().min(MAX_BYTES);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let run = rest.get(..end)?;
    let part = |c: char| c.is_alphanumeric() || matches!(c, ':' | '/' | '.' | '=');
    let run = run.split(|c| !part(c)).next()?.trim_end_matches(['.', ':', '=']);
    // A bare `AV:N` in prose is no vector; two metrics are an attempt at one.
    run.contains('/').then_some(run.len())
}

/// What a faulty vector was probably meant to be: with its prefix added, in the right letter case, without
/// marks around it or a stroke after it. To be offered, never to be taken by itself; values are not guessed.
/// Bare metrics become CVSS 3.1 where they are complete for it, else CVSS 4.0.
pub fn repaired(text: &str) -> Option<Vector> {
    let head: String = text.chars().filter(|c| !invisible(*c)).take(2 * MAX_BYTES).collect();
    let range = find_vectors(&head).into_iter().next()?;
    let found = head.get(range)?.trim_end_matches('/').to_ascii_uppercase().replace('=', ":");
    if found.starts_with("CVSS:") {
        return Vector::parse(&found).ok();
    }
    [Version::V31, Version::V40]
        .into_iter()
        .find_map(|version| Vector::parse(&format!("{}/{found}", version.prefix())).ok())
}

/// Characters of no width that mail programs and word processors leave behind.
fn invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}
