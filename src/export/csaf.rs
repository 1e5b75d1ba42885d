//! CSAF 2.0 and 2.1, profile `csaf_security_advisory`. Members stand in alphabetical order (test 6.2.13).
//!
//! Drafts are `draft`, version 0.1.0, TLP:AMBER; CVSS 4.0 has no place in 2.0. What the two editions call
//! differently stands side by side here, so that nothing is changed in one alone. Read next: `csaf/tree.rs`,
//! `csaf/vulnerability.rs`.

use serde::Serialize;

use super::text::clean_line;
use super::view::View;
use crate::domain::advisory::embargo_notice;
use crate::domain::cvss::Words;

mod tree;
mod vulnerability;

use tree::Branches;
use vulnerability::Vulnerability;

/// Which edition of the standard is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edition {
    V20,
    V21,
}

/// The document.
#[derive(Serialize)]
pub struct Csaf {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    document: Document,
    product_tree: Branches,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregate_severity: Option<Aggregate>,
    category: &'static str,
    csaf_version: &'static str,
    distribution: Distribution,
    lang: &'static str,
    publisher: Publisher,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Link>,
    title: String,
    tracking: Tracking,
}

#[derive(Serialize)]
struct Aggregate {
    text: &'static str,
}

#[derive(Serialize)]
struct Distribution {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    tlp: Tlp,
}

#[derive(Serialize)]
struct Tlp {
    label: &'static str,
}

#[derive(Serialize)]
struct Publisher {
    category: &'static str,
    name: String,
    namespace: String,
}

#[derive(Serialize)]
struct Link {
    category: &'static str,
    summary: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Tracking {
    current_release_date: String,
    id: String,
    initial_release_date: String,
    revision_history: Vec<Revision>,
    status: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Revision {
    date: String,
    number: &'static str,
    summary: &'static str,
}

pub(super) fn document(view: &View<'_>, edition: Edition) -> Csaf {
    let draft = view.draft;
    let schema = "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/csaf.json";
    Csaf {
        schema: (edition == Edition::V21).then_some(schema),
        document: Document {
            aggregate_severity: view
                .main()
                .map(|(_, scored)| Aggregate { text: scored.severity().word(Words::Policy) }),
            category: "csaf_security_advisory",
            csaf_version: if edition == Edition::V20 { "2.0" } else { "2.1" },
            distribution: distribution(view, edition),
            lang: "en",
            publisher: Publisher {
                category: "vendor",
                name: view.vendor.clone(),
                namespace: draft.product.repo.clone(),
            },
            references: own_page(view),
            title: view.title.clone(),
            tracking: tracking(view),
        },
        product_tree: tree::product_tree(view, edition),
        vulnerabilities: vec![vulnerability::vulnerability(view, edition)],
    }
}

fn own_page(view: &View<'_>) -> Vec<Link> {
    let summary = "The advisory on GitHub";
    let link = |url: &str| Link { category: "self", summary, url: url.to_owned() };
    view.advisory_url().map(link).into_iter().collect()
}

/// A draft is never WHITE (TLP 1, edition 2.0) or CLEAR (TLP 2, edition 2.1).
fn distribution(view: &View<'_>, edition: Edition) -> Distribution {
    let label = match (view.is_draft(), edition) {
        (true, _) => "AMBER",
        (false, Edition::V20) => "WHITE",
        (false, Edition::V21) => "CLEAR",
    };
    Distribution { text: embargo_notice(view.draft), tlp: Tlp { label } }
}

/// Versions and history by tests 6.1.14 to 6.1.22: ascending, without gap, last equal to the version.
fn tracking(view: &View<'_>) -> Tracking {
    let changed = view.modified();
    let id = clean_line(&view.draft.id);
    let (status, initial, history) = match view.published() {
        None => ("draft", changed, vec![("0.1.0", changed, "Draft")]),
        Some(published) => {
            let mut history = vec![("1.0.0", published, "Published")];
            if view.is_withdrawn() {
                history.push(("2.0.0", changed, "Withdrawn"));
            } else if changed.instant() > published.instant() {
                history.push(("1.0.1", changed, "Changed"));
            }
            ("final", published, history)
        }
    };
    Tracking {
        current_release_date: changed.rfc3339(),
        id,
        initial_release_date: initial.rfc3339(),
        version: history.last().map_or("0.1.0", |(number, ..)| number),
        revision_history: history
            .into_iter()
            .map(|(number, date, summary)| Revision { date: date.rfc3339(), number, summary })
            .collect(),
        status,
    }
}
