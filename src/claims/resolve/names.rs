//! Names: words, dotted names, permissions, plugins.

use super::Answer;
use crate::claims::index::build::is_code;
use crate::claims::index::{Index, Place, Word, nearest};
use crate::claims::{Claim, Kind, Strength};

pub(super) fn look(index: &Index, claim: &Claim) -> Answer {
    let parts: Vec<&str> = claim.name.split('.').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Answer::default(),
        [name] => word(index, name, claim.kind),
        parts => dotted(index, parts, claim.strength),
    }
}

fn word(index: &Index, name: &str, kind: Kind) -> Answer {
    let Some(word) = index.word(name) else {
        if index.is_foreign(name) {
            return Answer::foreign("a package that the product uses");
        }
        return missing(index, name);
    };
    let Some(place) = index.best_place(word) else { return missing(index, name) };
    let text = index.place(place);
    if index.is_vendored(place.file) {
        return Answer { strength: Some(Strength::ThirdParty), ..Answer::yes(text) };
    }
    if kind == Kind::Function && !word.called && word.defined.is_empty() {
        return Answer::elsewhere(format!("a name at {text}, but nothing calls or defines it"));
    }
    Answer::yes(text)
}

fn missing(index: &Index, name: &str) -> Answer {
    let nearest = index.nearest_word(name);
    Answer { nearest, missing: Some(name.to_owned()), ..Answer::no("no such name") }
}

/// A dotted name: the longest beginning that is a module or folder of the tree, then names in it.
fn dotted(index: &Index, parts: &[&str], strength: Strength) -> Answer {
    let root = parts.first().copied().unwrap_or_default();
    if let Some(folder) = index.folder_at(&parts.join("/")) {
        return Answer::yes(folder);
    }
    let module = (1..=parts.len()).rev().find_map(|count| {
        let files = module(index, parts.get(..count)?);
        (!files.is_empty()).then_some((count, files))
    });
    let Some((count, files)) = module else {
        if index.is_foreign(root) {
            return Answer::foreign(format!("{root} is a package that the product uses"));
        }
        return together(index, parts);
    };
    // With a package of the tree before it, even plain words are a claim about the tree.
    let strength = (strength == Strength::Weak && count > 1).then_some(Strength::Strong);
    let rest = parts.get(count..).unwrap_or_default();
    let answer = match rest {
        [] => Answer::yes(path_of(index, &files)),
        [first, ..] => {
            let others = passed_on(index, parts.get(..count).unwrap_or_default(), first);
            let place = file_with(index, rest, Some(&files))
                .or_else(|| file_with(index, rest, Some(&others)));
            match place {
                Some(place) => Answer::yes(index.place(place)),
                None => beyond(index, parts, count),
            }
        }
    };
    Answer { strength: answer.strength.or(strength), ..answer }
}

fn path_of(index: &Index, files: &[u32]) -> String {
    let file = files.first().and_then(|at| index.files().get(*at as usize));
    file.map_or_else(String::new, |file| file.path.clone())
}

/// What is said of a name whose module is there and which is not in it.
fn beyond(index: &Index, parts: &[&str], count: usize) -> Answer {
    let module = parts.get(..count).unwrap_or_default().join(".");
    let rest = parts.get(count..).unwrap_or_default();
    if let Some(lost) = rest.iter().find(|part| index.word(part).is_none()) {
        return Answer { place: format!("{module} has no {lost}"), ..missing(index, lost) };
    }
    let last = rest.last().and_then(|last| index.word(last));
    let place = last.and_then(|word| index.best_place(word)).map(|place| index.place(place));
    let place = place.unwrap_or_default();
    let defined = last.is_some_and(|word| !word.defined.is_empty());
    match rest {
        // A name that was moved, or that a base class or another module has.
        [only] if count > 1 && defined => {
            Answer::elsewhere(format!("{only} is at {place}, not in {module}"))
        }
        [first, ..] => {
            let words = format!("{module} has no {first}");
            let named =
                rest.last().map_or_else(String::new, |last| format!("; {last} is at {place}"));
            Answer::no(format!("{words}{named}"))
        }
        [] => Answer::default(),
    }
}

/// Names without a module before them, such as `Class.method` or the sections of a key.
fn together(index: &Index, parts: &[&str]) -> Answer {
    if let Some(lost) = parts.iter().find(|part| index.word(part).is_none()) {
        return missing(index, lost);
    }
    if let Some(place) = file_with(index, parts, None) {
        let vendored = index.is_vendored(place.file).then_some(Strength::ThirdParty);
        return Answer { strength: vendored, ..Answer::yes(index.place(place)) };
    }
    let last = parts.last().and_then(|last| index.word(last));
    let place = last.and_then(|word| index.best_place(word)).map(|place| index.place(place));
    Answer::elsewhere(format!(
        "no file has all of these names; the last is at {}",
        place.unwrap_or_default()
    ))
}

/// Files of a module: a file of that path without its ending, or a folder's own.
fn module(index: &Index, parts: &[&str]) -> Vec<u32> {
    let path = parts.join("/");
    let fits = |full: &str| {
        let stem = full.rsplit_once('.').map_or(full, |(stem, _)| stem);
        let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
        stem.strip_suffix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    let own = (0..).zip(index.files()).filter(|(_, file)| is_code(&file.path) && fits(&file.path));
    let mut found: Vec<u32> = own.map(|(at, _)| at).collect();
    // A module of the product goes before a script of that name.
    found
        .sort_by_key(|at| index.files().get(*at as usize).is_none_or(|f| !f.path.ends_with(".py")));
    found
}

/// Files in the folder of a module that define a name: what its own file may pass on.
fn passed_on(index: &Index, module: &[&str], name: &str) -> Vec<u32> {
    let Some(folder) = index.folder_at(&module.join("/")) else { return Vec::new() };
    let inside = format!("{folder}/");
    let defined = index.word(name).map_or(&[][..], |word| word.defined.as_slice());
    let files = defined.iter().map(|place| place.file);
    files
        .filter(|at| index.files().get(*at as usize).is_some_and(|f| f.path.starts_with(&inside)))
        .collect()
}

/// A file that has all of these words, among `files` if given; the place of the last word in it. A file that
/// defines it goes before others, the product's own before foreign ones.
fn file_with(index: &Index, words: &[&str], files: Option<&[u32]>) -> Option<Place> {
    let words: Vec<&Word> = words.iter().map(|word| index.word(word)).collect::<Option<_>>()?;
    let last = words.last()?;
    let has = |word: &Word, file: u32| word.places.binary_search_by_key(&file, |p| p.file).is_ok();
    let all = last.places.iter().filter(|place| {
        files.is_none_or(|files| files.contains(&place.file))
            && words.iter().all(|word| has(word, place.file))
    });
    let place = all.copied().min_by_key(|place| {
        let defines = last.defined.iter().any(|defined| defined.file == place.file);
        (index.is_vendored(place.file), !defines)
    })?;
    let defined = last.defined.iter().find(|defined| defined.file == place.file);
    Some(defined.copied().unwrap_or(place))
}

/// A permission: a word in capitals, or `PLUGIN_NAME_KEY` with a plugin of that name that has the key.
pub(super) fn permission(index: &Index, name: &str) -> Answer {
    let name = name.rsplit('.').next().unwrap_or(name);
    if let Some(place) = index.word(name).and_then(|word| index.best_place(word)) {
        return Answer::yes(index.place(place));
    }
    let Some(rest) = name.strip_prefix("PLUGIN_") else { return missing(index, name) };
    let of_plugin = |plugin: &&String| {
        let upper = plugin.to_uppercase();
        rest.strip_prefix(&upper).is_some_and(|key| key.starts_with('_'))
    };
    let Some(plugin) = index.plugins().iter().filter(of_plugin).max_by_key(|name| name.len())
    else {
        return Answer {
            place: "no bundled plugin has this permission".to_owned(),
            ..missing(index, name)
        };
    };
    let key = rest.get(plugin.len() + 1..).unwrap_or_default();
    let folder = format!("plugins/{plugin}");
    let inside = |place: &&Place| {
        let file = index.files().get(place.file as usize);
        file.is_some_and(|file| file.path.contains(&folder))
    };
    let place = index.word(key).and_then(|word| word.places.iter().find(inside).copied());
    match place {
        Some(place) => Answer::yes(index.place(place)),
        None => Answer {
            place: format!("the plugin {plugin} has no permission {key}"),
            ..missing(index, name)
        },
    }
}

/// A plugin that comes with the product.
pub(super) fn plugin(index: &Index, name: &str) -> Answer {
    let same = |known: &&String| known.eq_ignore_ascii_case(&name.replace('-', "_"));
    match index.plugins().iter().find(same) {
        Some(known) => Answer::yes(
            index.folder_at(&format!("plugins/{known}")).unwrap_or_else(|| known.clone()),
        ),
        None => Answer {
            nearest: nearest(name, index.plugins().iter().map(String::as_str)),
            ..Answer::no("no bundled plugin of this name")
        },
    }
}
