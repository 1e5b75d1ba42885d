//! Paths and lines.

use super::Answer;
use crate::claims::index::Index;
use crate::claims::{Claim, Strength};

/// Folders that a path may begin with on somebody's machine.
const SURROUNDINGS: [&str; 12] = [
    "src", "lib", "app", "venv", ".venv", "env", "oprint", "master", "main", "code", "repo",
    "project",
];

pub(super) fn look(index: &Index, claim: &Claim) -> Answer {
    let path = claim.name.trim_end_matches('/');
    let files = files(index, path);
    if files.is_empty() {
        return match index.folder_at(path) {
            Some(folder) if claim.lines.is_none() => Answer::yes(folder),
            _ => missing(index, path, claim.strength),
        };
    }
    let of = |at: &u32| index.files().get(*at as usize);
    let first = files.iter().find_map(of).map_or("", |file| file.path.as_str());
    let others = match files.len() {
        1 => String::new(),
        count => format!(" and {} more of that name", count - 1),
    };
    let Some((_, last)) = claim.lines else { return Answer::yes(format!("{first}{others}")) };
    let long = files.iter().filter_map(of).find(|file| file.lines >= last);
    match long {
        Some(file) => Answer::yes(format!("{} has {} lines", file.path, file.lines)),
        None => {
            let lines = files.iter().filter_map(of).map(|file| file.lines).max().unwrap_or(0);
            Answer::no(format!("{first} has {lines} lines only"))
        }
    }
}

/// Files of that path; folders of a machine at its beginning are left out.
fn files(index: &Index, path: &str) -> Vec<u32> {
    let found = index.files_at(path);
    if !found.is_empty() {
        return found;
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    for skipped in 1..parts.len().saturating_sub(1) {
        let surrounds = parts.get(skipped - 1).is_some_and(|part| {
            let lower = part.to_lowercase();
            SURROUNDINGS.contains(&lower.as_str())
                || lower.starts_with("python")
                || index
                    .folder_at(&lower)
                    .is_some_and(|folder| !folder.trim_start_matches("src/").contains('/'))
        });
        if !surrounds {
            break;
        }
        let rest = parts.get(skipped..).unwrap_or_default().join("/");
        let found = index.files_at(&rest);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn missing(index: &Index, path: &str, strength: Strength) -> Answer {
    let folder = path.rsplit_once('/').map(|(folder, _)| folder);
    let known = folder.and_then(|folder| index.folder_at(folder));
    let place = match &known {
        Some(folder) => format!("{folder} has no such file"),
        None => "no file of this path".to_owned(),
    };
    // In a folder of the tree, even a data file is a claim about the tree.
    let strength = (strength == Strength::Weak && known.is_some()).then_some(Strength::Strong);
    let nearest = index.nearest_path(path);
    Answer { nearest, strength, missing: Some(path.to_owned()), ..Answer::no(place) }
}
