//! OpenVEX 0.2: the product is not affected by somebody else's flaw. Says nothing else.

use serde::Serialize;

use super::text::{clean, clean_line};
use super::view::View;
use crate::domain::advisory::Justification;

/// The document.
#[derive(Serialize)]
pub struct Vex {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: String,
    timestamp: String,
    version: u32,
    statements: Vec<Statement>,
}

#[derive(Serialize)]
struct Statement {
    vulnerability: Vulnerability,
    products: Vec<Component>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact_statement: Option<String>,
}

#[derive(Serialize)]
struct Vulnerability {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
    identifiers: Identifiers,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Component>,
}

#[derive(Serialize)]
struct Identifiers {
    purl: String,
}

pub(super) fn document(view: &View<'_>) -> Vex {
    let draft = view.draft;
    let repo = draft.product.repo.trim_end_matches('/');
    Vex {
        context: "https://openvex.dev/ns/v0.2.0",
        id: format!("{repo}/vex/{}", super::text::file_stem(&draft.id)),
        author: view.vendor.clone(),
        timestamp: view.modified().rfc3339(),
        version: 1,
        statements: vec![statement(view)],
    }
}

fn statement(view: &View<'_>) -> Statement {
    let draft = view.draft;
    // A preview of a draft that says nothing of the kind shows an empty statement; it is never written.
    let said = draft.not_affected.clone().unwrap_or_default();
    let ids = draft.cve_id.iter().chain(&draft.ghsa_id).chain(&draft.aliases);
    let mut ids: Vec<String> = ids.cloned().collect();
    ids.dedup();
    let name = if ids.is_empty() { String::new() } else { ids.remove(0) };
    let component = |purl: String, subcomponents| Component {
        id: purl.clone(),
        identifiers: Identifiers { purl },
        subcomponents,
    };
    let parts = || said.component.iter().map(|purl| component(purl.clone(), Vec::new())).collect();
    let products = if said.versions.is_empty() {
        vec![component(view.purl(), parts())]
    } else {
        said.versions.iter().map(|version| component(view.purl_at(version), parts())).collect()
    };
    Statement {
        vulnerability: Vulnerability {
            name,
            description: Some(clean_line(&draft.title)).filter(|title| !title.is_empty()),
            aliases: ids,
        },
        products,
        status: "not_affected",
        justification: said.justification.map(Justification::as_str),
        impact_statement: Some(clean(&said.statement)).filter(|text| !text.is_empty()),
    }
}
