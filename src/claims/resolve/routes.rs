//! Routes: what the server answers to.

use super::Answer;
use crate::claims::index::{ANY_REST, ANY_VALUE, Index, ONE_OF, Route, nearest};

pub(super) fn look(index: &Index, path: &str) -> Answer {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // `/plugin/NAME/…` and `/api/plugin/NAME` stand and fall with the plugin.
    let plugin = parts.windows(2).find(|pair| pair.first() == Some(&"plugin"));
    if let Some(name) = plugin.and_then(|pair| pair.get(1))
        && !is_open(name)
        && !index.plugins().iter().any(|known| known.eq_ignore_ascii_case(name))
    {
        let nearest = nearest(name, index.plugins().iter().map(String::as_str));
        return Answer { nearest, ..Answer::no(format!("no bundled plugin {name}")) };
    }
    let found = (0..=prefix(index, &parts)).find_map(|skipped| {
        let rest = parts.get(skipped..)?;
        let fits = index.routes().iter().filter(|route| fits(index, &route.parts, rest));
        // The route with the most words of its own says the most.
        fits.max_by_key(|route| route.parts.iter().filter(|part| !is_sign(part)).count())
    });
    if let Some(route) = found {
        return Answer::yes(format!("{} at {}", written(route), index.place(route.place)));
    }
    // A static file is served from the tree.
    if let Some(file) = index.files_at(path).first() {
        let file = index.files().get(*file as usize);
        return Answer::yes(file.map_or("", |file| file.path.as_str()));
    }
    let all: Vec<String> = index.routes().iter().map(written).collect();
    let bare = path.strip_prefix("/api").filter(|rest| !rest.is_empty()).unwrap_or(path);
    let nearest = nearest(bare, all.iter().map(String::as_str));
    Answer { nearest, ..Answer::no("no route of this path") }
}

/// How many parts at the beginning a blueprint may have put there: `/api`, `/plugin/NAME`, `/api/plugin/NAME`.
fn prefix(index: &Index, parts: &[&str]) -> usize {
    if let Some(at) = parts.iter().take(2).position(|part| *part == "plugin") {
        return (at + 2).min(parts.len().saturating_sub(1));
    }
    let declared = parts.first().is_some_and(|first| {
        index.routes().iter().any(|route| matches!(route.parts.as_slice(), [only] if only == first))
    });
    usize::from(declared && parts.len() > 1)
}

fn is_sign(part: &str) -> bool {
    [ANY_VALUE, ONE_OF, ANY_REST].contains(&part)
}

/// Whether a part of a claimed route stands for a value.
fn is_open(part: &str) -> bool {
    part.starts_with(['<', '{', ':', '$', '%']) || part == "*" || part == "..."
}

/// Whether a claimed path is one of a route's.
fn fits(index: &Index, route: &[String], path: &[&str]) -> bool {
    let mut words = 0;
    let mut rest = path.iter();
    for part in route {
        if part == ANY_REST {
            return words > 0;
        }
        let Some(claimed) = rest.next() else { return false };
        let fit = match part.as_str() {
            ANY_VALUE => true,
            ONE_OF => is_open(claimed) || index.word(claimed).is_some(),
            word if word == *claimed => {
                words += 1;
                true
            }
            _ => is_open(claimed),
        };
        if !fit {
            return false;
        }
    }
    words > 0 && rest.next().is_none()
}

fn written(route: &Route) -> String {
    let part = |part: &String| match part.as_str() {
        ANY_VALUE | ONE_OF => "/<…>".to_owned(),
        ANY_REST => "/…".to_owned(),
        word => format!("/{word}"),
    };
    route.parts.iter().map(part).collect()
}
