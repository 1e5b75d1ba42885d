use super::*;
use crate::domain::policy::Release;
use crate::domain::test_support;

const TEXT: &str = "# Scope\n\nWe take reports against branches `main`, `rc/*` and `gone`. See `loader.py`.\n\n## \
                    Supported versions\n\n| Version | Supported |\n|---|---|\n| 2.1.x | yes |\n| 1.0.4 | no |\n| v9.9 | \
                    no |\n\nSee [scope](#scope), [money](#money), [code](docs/CODE.md), [mail](mailto:a@b.example), \
                    [file](https://git.example/w/widget/blob/rc/3/SECURITY.md), \
                    <https://git.example/w/widget/releases/tag/v2.1.0> or https://elsewhere.example/1.2.3.";

fn checkout() -> Checkout {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Checkout { branches: names(&["main", "rc/3"]), tags: names(&["v2.1.0", "1.0.4", "2.2.0rc1"]) }
}

fn policy() -> Policy {
    let mut policy = test_support::policy();
    policy.package.repository = "https://git.example/w/widget".into();
    policy.branches = vec!["rc/*".into(), "old".into()];
    let release =
        |version: &str| Release { version: version.into(), date: jiff::civil::date(2026, 1, 1) };
    policy.releases = vec![release("1.0.4"), release("2.0")];
    policy
}

fn found(kind: Kind, checkout: Option<&Checkout>) -> Vec<(String, Found)> {
    let has = |at: &str, path: &str| Some(at == "rc/3" && path == "SECURITY.md");
    let all = named(&policy(), Some(&PolicyText::read(TEXT)), checkout, &has);
    let of_kind = all.into_iter().filter(|named| named.kind == kind);
    of_kind.map(|named| (named.name, named.found)).collect()
}

fn rows(rows: &[(&str, Found)]) -> Vec<(String, Found)> {
    rows.iter().map(|(name, found)| ((*name).to_owned(), *found)).collect()
}

#[test]
fn branches_are_looked_up_in_the_checkout() {
    use Found::{No, Unknown, Yes};
    let wanted = rows(&[("main", Yes), ("rc/*", Yes), ("gone", No), ("old", No)]);
    assert_eq!(found(Kind::Branch, Some(&checkout())), wanted);
    assert!(found(Kind::Branch, None).iter().all(|(_, found)| *found == Unknown));
}

#[test]
fn versions_are_looked_up_among_the_tags() {
    use Found::{No, Yes};
    let wanted = rows(&[
        ("2.1.x", Yes),
        ("1.0.4", Yes),
        ("9.9", No),
        ("2.0", No),
        // A tag that the checklist does not know.
        ("2.1.0", No),
    ]);
    assert_eq!(found(Kind::Version, Some(&checkout())), wanted);
}

#[test]
fn links_are_answered_offline_or_not_at_all() {
    use Found::{No, Unknown, Yes};
    let wanted = rows(&[
        ("#scope", Yes),
        ("#money", No),
        ("docs/CODE.md", No),
        ("mailto:a@b.example", No),
        ("https://git.example/w/widget/blob/rc/3/SECURITY.md", Yes),
        ("https://git.example/w/widget/releases/tag/v2.1.0", Yes),
        ("https://elsewhere.example/1.2.3", Unknown),
    ]);
    assert_eq!(found(Kind::Link, Some(&checkout())), wanted);
    let without = found(Kind::Link, None);
    assert_eq!(without.iter().filter(|(_, found)| *found == Unknown).count(), 4);
}

#[test]
fn patterns_and_tags_fit_as_a_whole() {
    for (pattern, branch, fit) in [
        ("dev", "dev", true),
        ("dev", "devel", false),
        ("rc/*", "rc/2.0", true),
        ("rc/*", "src/2.0", false),
        ("*/stable", "a/b/stable", true),
        ("*/stable", "a/stable/x", false),
        ("*", "", true),
        ("", "a", false),
    ] {
        assert_eq!(fits(pattern, branch), fit, "{pattern} {branch}");
    }
    for (tag, number) in [("v1.2", "1.2"), ("octo-1.2", "1.2"), ("py3", ""), ("x/2", "2"), ("", "")]
    {
        assert_eq!(tag_number(tag), number);
    }
}

#[test]
fn odd_links_do_no_harm() {
    for text in
        ["](", "<", "[a](", "<<<>", "](](](", "http://", "\u{fc}](\u{fc}", "[a](b\u{301}c)<d"]
    {
        let text = PolicyText::read(text);
        named(&policy(), Some(&text), Some(&checkout()), &|_, _| None);
    }
    assert_eq!(found(Kind::Link, None).len(), 7);
}
