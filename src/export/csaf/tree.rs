//! The product tree: vendor, product, then one leaf for every range and every fixed version.

use serde::Serialize;

use super::super::view::{View, constraints};
use super::Edition;
use crate::domain::advisory::AffectedRange;

#[derive(Serialize)]
pub(super) struct Branches {
    branches: Vec<Branch>,
}

#[derive(Serialize)]
struct Branch {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    branches: Vec<Branch>,
    category: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<Product>,
}

#[derive(Serialize)]
struct Product {
    name: String,
    product_id: String,
    product_identification_helper: Helper,
}

#[derive(Serialize)]
struct Helper {
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    purls: Vec<String>,
}

/// Ids come from product and version, so that they stay the same from one revision to the next.
pub(super) fn affected_id(view: &View<'_>, range: &AffectedRange) -> String {
    format!("{}-{}", view.package, constraints(range))
}

pub(super) fn fixed_id(view: &View<'_>, version: &str) -> String {
    format!("{}-{version}", view.package)
}

pub(super) fn affected_ids(view: &View<'_>) -> Vec<String> {
    view.ranges.iter().map(|range| affected_id(view, range)).collect()
}

pub(super) fn product_tree(view: &View<'_>, edition: Edition) -> Branches {
    let helper = |purl: String| match edition {
        Edition::V20 => Helper { purl: Some(purl), purls: Vec::new() },
        Edition::V21 => Helper { purl: None, purls: vec![purl] },
    };
    let leaf = |category, name: String, shown: String, product_id, purl| Branch {
        branches: Vec::new(),
        category,
        product: Some(Product {
            name: format!("{} {shown}", view.product),
            product_id,
            product_identification_helper: helper(purl),
        }),
        name,
    };
    let mut leaves = Vec::new();
    for range in &view.ranges {
        let id = affected_id(view, range);
        let shown = super::super::ghsa::range_text(range);
        // A range of one version is a version (2.1 tests for it).
        leaves.push(match &range.last_affected {
            Some(only) if range.fixed.is_none() && *only == range.introduced => {
                leaf("product_version", only.clone(), only.clone(), id, view.purl_at(only))
            }
            _ => leaf("product_version_range", view.vers(range), shown, id, view.purl()),
        });
        if let Some(fixed) = &range.fixed {
            let id = fixed_id(view, fixed);
            let purl = view.purl_at(fixed);
            leaves.push(leaf("product_version", fixed.clone(), fixed.clone(), id, purl));
        }
    }
    let node = |category, name: &str, branches| Branch {
        branches,
        category,
        name: name.to_owned(),
        product: None,
    };
    let product = node("product_name", &view.product, leaves);
    Branches { branches: vec![node("vendor", &view.vendor, vec![product])] }
}
