//! The claims of a case, held against the maintainer's own checkout.
//!
//! Owns: which texts are read, which versions are looked at, and what is kept between two looks. Absent on
//! purpose: what a claim is and when it holds ([`crate::claims`]). Of a mail nothing reaches git but commit ids
//! and words of letters, digits and `_` that the checkout is known to have had. Read next: [`check`], then
//! [`checkout`].

mod checkout;
mod texts;
pub mod worker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::tz::TimeZone;

use super::desk::Desk;
use super::git::GitError;
use crate::app::case::CaseView;
use crate::claims::extract::{self, Extractor};
use crate::claims::index::Index;
use crate::claims::past::Past;
use crate::claims::resolve::{Resolver, Tree};
use crate::claims::{Claim, Kind, Strength, Table};
use crate::domain::hint::FoundVersion;
use crate::domain::verdict::Claims;
use crate::domain::{CaseId, version};
use checkout::{Checkout, Reference};

/// Indexes of trees that are kept in memory.
const KEPT: usize = 4;

/// Cases whose sums are remembered.
const REMEMBERED: usize = 10_000;

/// What is kept between two looks.
#[derive(Debug, Default)]
pub struct Shelf {
    checkout: Option<PathBuf>,
    extractor: OnceLock<Option<Extractor>>,
    indexes: Mutex<Vec<(String, Arc<Index>)>>,
    past: Mutex<Option<(String, Arc<Past>)>>,
    known: Mutex<HashMap<CaseId, Claims>>,
}

impl Shelf {
    /// An empty one for this checkout.
    pub fn new(checkout: Option<PathBuf>) -> Self {
        Self { checkout, ..Self::default() }
    }

    /// What the last look at the claims of a case came to; `None` if there was none.
    pub fn known(&self, case: &CaseId) -> Option<Claims> {
        locked(&self.known).get(case).copied()
    }

    fn remember(&self, case: &CaseId, table: &Table) {
        let Some(claims) = table.sum() else { return };
        let mut known = locked(&self.known);
        if known.len() < REMEMBERED || known.contains_key(case) {
            known.insert(case.clone(), claims);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the work tells and asks while it goes on.
pub struct Watcher<'a> {
    /// Hears what is done: words, done, of how many.
    pub progress: &'a mut dyn FnMut(&str, usize, usize),
    /// Asked often; where it says no, the work ends without a table.
    pub go_on: &'a dyn Fn() -> bool,
}

/// Reads the claims of a case and looks them up. `None` if it was told to stop.
///
/// Waits for git and, the first time for a version, for its index: not for the thread of the screen. Without a
/// checkout, or if git refuses, the claims are listed without an answer, and the table says why.
pub fn check(desk: &Desk, view: &CaseView, watcher: &mut Watcher<'_>) -> Option<Table> {
    let claims = read(desk, view);
    let table = match look(desk, view, &claims, watcher) {
        Ok(table) => table,
        Err(Stop::Stopped) => return None,
        Err(Stop::Because(note)) => Table::unknown(claims, note, desk.claims.checkout.is_some()),
    };
    desk.claims.remember(&view.row.id, &table);
    Some(table)
}

/// Why nothing was looked up.
enum Stop {
    Stopped,
    Because(String),
}

impl From<GitError> for Stop {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Stopped => Self::Stopped,
            GitError::Run(_) => Self::Because(format!("{error}; {}", error.advice())),
            _ => Self::Because(format!(
                "the checkout could not be read: {error}; check `checkout` in the config"
            )),
        }
    }
}

/// How to get the claims checked.
pub const NO_CHECKOUT: &str =
    "no checkout is set; name one in the config: [product] checkout = \"~/src/product\"";

fn read(desk: &Desk, view: &CaseView) -> Vec<Claim> {
    let product = &desk.rules.policy.product;
    let Some(extractor) = desk.claims.extractor.get_or_init(|| Extractor::new(product).ok()) else {
        return Vec::new();
    };
    let texts = texts::of(desk, view);
    let names: Vec<&str> = texts.names.iter().map(String::as_str).collect();
    let mut claims = extract::versions(&versions(view));
    let policy = &desk.rules.policy;
    for claim in &mut claims {
        // That the checkout lacks what the policy knows is no fault of the report.
        let known = policy.releases.iter().any(|release| release.version == claim.name);
        if known || claim.kind == Kind::Branch {
            claim.strength = Strength::Weak;
        }
    }
    claims.extend(extractor.read(&texts.sources(), &names));
    claims
}

fn versions(view: &CaseView) -> Vec<&FoundVersion> {
    view.readings().into_iter().flat_map(|reading| &reading.versions).collect()
}

fn look(
    desk: &Desk,
    view: &CaseView,
    claims: &[Claim],
    watcher: &mut Watcher<'_>,
) -> Result<Table, Stop> {
    let shelf = &desk.claims;
    let path = shelf.checkout.as_deref().ok_or_else(|| Stop::Because(NO_CHECKOUT.into()))?;
    if claims.is_empty() {
        return Err(Stop::Because("no claims about the source were read".into()));
    }
    let checkout = Checkout::open(path, &desk.rules.policy.product)?;
    let newest = newest(desk, &checkout);
    let claimed = versions(view).into_iter().find_map(|version| checkout.version(&version.claimed));
    let Some(main) = claimed.or(newest) else {
        return Err(Stop::Because("the checkout has no commits".into()));
    };
    let index = index(desk, &checkout, main, watcher)?;
    let other = newest.filter(|other| other.tree != main.tree);
    let other =
        other.map(|other| Ok::<_, Stop>((other, self::index(desk, &checkout, other, watcher)?)));
    let other = other.transpose()?;
    let kept: OnceLock<Option<Arc<Past>>> = OnceLock::new();
    let go_on = watcher.go_on;
    let mut past = || kept.get_or_init(|| past(desk, &checkout, watcher)).as_deref();
    let mut resolver = Resolver {
        tree: Tree { name: &main.name, index: &index },
        newest: other.as_ref().map(|(newest, index)| Tree { name: &newest.name, index }),
        checkout: &checkout,
        past: &mut past,
    };
    let mut table = resolver.table(claims.to_vec(), go_on).ok_or(Stop::Stopped)?;
    if claimed.is_none() && versions(view).iter().any(|version| !version.claimed.is_empty()) {
        table.note =
            Some(format!("the checkout has no tag of a version named; looked at {}", main.name));
    }
    Ok(table)
}

/// The newest supported version that the checkout has: by the policy's releases, else by its own tags.
fn newest<'c>(desk: &Desk, checkout: &'c Checkout) -> Option<&'c Reference> {
    let policy = &desk.rules.policy;
    let today = TimeZone::UTC.to_datetime(desk.clock.now()).date();
    let supported = version::latest_stable(policy, today)
        .and_then(|release| checkout.version(&release.version));
    supported.or_else(|| checkout.newest())
}

/// The index of a tree: from memory, from the store, or made.
fn index(
    desk: &Desk,
    checkout: &Checkout,
    of: &Reference,
    watcher: &mut Watcher<'_>,
) -> Result<Arc<Index>, GitError> {
    let known = || {
        let kept = locked(&desk.claims.indexes);
        kept.iter().find(|(tree, _)| *tree == of.tree).map(|(_, index)| Arc::clone(index))
    };
    if let Some(index) = known() {
        return Ok(index);
    }
    let index: Arc<Index> = match desk.store.cached("claims", &of.tree) {
        Some(index) => Arc::new(index),
        None => {
            let made = checkout.index(of, watcher)?;
            desk.store.keep("claims", &of.tree, &made);
            Arc::new(made)
        }
    };
    let mut kept = locked(&desk.claims.indexes);
    if kept.len() >= KEPT {
        kept.remove(0);
    }
    kept.push((of.tree.clone(), Arc::clone(&index)));
    Ok(index)
}

/// What all releases had. Not known if git fails or the work is stopped: then nothing is said of the past.
fn past(desk: &Desk, checkout: &Checkout, watcher: &mut Watcher<'_>) -> Option<Arc<Past>> {
    let key = checkout.key();
    if let Some((known, past)) = locked(&desk.claims.past).as_ref()
        && *known == key
    {
        return Some(Arc::clone(past));
    }
    let past: Arc<Past> = match desk.store.cached("claims", &key) {
        Some(past) => Arc::new(past),
        None => {
            let made = checkout.past(watcher).ok()?;
            desk.store.keep("claims", &key, &made);
            Arc::new(made)
        }
    };
    *locked(&desk.claims.past) = Some((key, Arc::clone(&past)));
    Some(past)
}

/// The checkout of a config, for those who show it.
pub fn checkout_of(desk: &Desk) -> Option<&Path> {
    desk.claims.checkout.as_deref()
}
