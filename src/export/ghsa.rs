//! Body of GitHub's request "create a repository advisory" (REST API 2022-11-28).

use serde::Serialize;

use super::view::View;
use crate::domain::advisory::AffectedRange;

/// The request body; GitHub allows no further members.
#[derive(Serialize)]
pub struct Request {
    summary: String,
    description: String,
    cve_id: Option<String>,
    vulnerabilities: Vec<Vulnerability>,
    cwe_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<Thanks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvss_vector_string: Option<String>,
}

#[derive(Serialize)]
struct Vulnerability {
    package: Package,
    vulnerable_version_range: String,
    patched_versions: Option<String>,
}

#[derive(Serialize)]
struct Package {
    ecosystem: &'static str,
    name: String,
}

#[derive(Serialize)]
struct Thanks {
    login: String,
    r#type: &'static str,
}

pub(super) fn document(view: &View<'_>) -> Request {
    let draft = view.draft;
    let vector = view.main().map(|(vector, _)| vector.clone());
    Request {
        summary: view.title.clone(),
        description: view.body(),
        cve_id: draft.cve_id.clone(),
        vulnerabilities: view
            .ranges
            .iter()
            .map(|range| Vulnerability {
                package: Package { ecosystem: view.ecosystem.github, name: package_name(view) },
                vulnerable_version_range: range_text(range),
                patched_versions: range.fixed.clone(),
            })
            .collect(),
        cwe_ids: draft.weaknesses.iter().map(|weakness| weakness.id.clone()).collect(),
        // GitHub takes logins only; who has none stands in the Credits section.
        credits: view
            .credits
            .iter()
            .filter_map(|(_, credit)| {
                Some(Thanks { login: credit.github.clone()?, r#type: credit.role.as_str() })
            })
            .collect(),
        // Exactly one of the two; without a vector the preview shows the lowest word.
        severity: vector.is_none().then_some("low"),
        cvss_vector_string: vector,
    }
}

/// GitHub shows the package as the project writes it, where that is the same name.
fn package_name(view: &View<'_>) -> String {
    if view.ecosystem.normalised(&view.product) == view.package {
        view.product.clone()
    } else {
        view.package.clone()
    }
}

/// `< x`, `<= x`, `= x`, `>= a, < b`, `>= a`: the range grammar of GitHub.
pub(super) fn range_text(range: &AffectedRange) -> String {
    let from = (range.introduced != "0").then(|| format!(">= {}", range.introduced));
    let to = match (&range.fixed, &range.last_affected) {
        (Some(fixed), _) => Some(format!("< {fixed}")),
        (None, Some(last)) if *last == range.introduced => return format!("= {last}"),
        (None, Some(last)) => Some(format!("<= {last}")),
        (None, None) => None,
    };
    match (from, to) {
        (Some(from), Some(to)) => format!("{from}, {to}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => ">= 0".to_owned(),
    }
}
