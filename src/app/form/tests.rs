use super::dialog::Dialog;
use super::edit;
use super::rows::{build, range_words};
use super::*;
use crate::app::advisory::FaultLine;
use crate::domain::advisory::{AdvisoryDraft, AffectedRange, Section, faults};
use crate::domain::cvss::{Vector, Version};
use crate::domain::test_support::policy;
use crate::keymap::{Key, KeyCode};

fn draft() -> AdvisoryDraft {
    let mut draft = AdvisoryDraft { title: "Files can be read".into(), ..AdvisoryDraft::default() };
    draft.product.ecosystem = "PyPI".into();
    draft.affected = vec![AffectedRange {
        introduced: "0".into(),
        fixed: Some("1.10.0".into()),
        ..AffectedRange::default()
    }];
    draft
}

fn form_of(draft: &AdvisoryDraft) -> Form {
    let found = faults(draft).into_iter().map(|fault| FaultLine {
        format: fault.format.map(|format| format.as_str().to_owned()),
        field: fault.field,
        fault: DisplayText::line(&fault.fault),
    });
    let rows = build(draft, &found.collect::<Vec<_>>(), &[], &policy());
    Form { rows, cursor: 0 }
}

fn row<'a>(form: &'a Form, field: &Field) -> &'a Row {
    form.rows.iter().find(|row| row.field == *field).unwrap_or_else(|| panic!("no {field:?}"))
}

fn dialog(field: Field, draft: &AdvisoryDraft) -> Dialog {
    Dialog::of(&field, draft, &policy()).expect("a dialog")
}

fn type_in(dialog: &mut Dialog, draft: &AdvisoryDraft, text: &str) {
    for letter in text.chars() {
        dialog.key(Key::char(letter), draft, &policy());
    }
}

#[test]
fn every_fault_of_a_draft_stands_at_a_line_of_the_form() {
    let mut drafts = vec![AdvisoryDraft::default(), draft()];
    let mut odd = draft();
    odd.affected.push(AffectedRange::default());
    odd.sections.push(Section { heading: "Impact".into(), body: "TODO".into() });
    odd.sections.push(Section { heading: "impact".into(), body: String::new() });
    odd.aliases = vec!["CVE-2026-XXXX".into()];
    odd.cve_id = Some("CVE-1".into());
    odd.severity.cvss_v4_0 = Some("nonsense".into());
    drafts.push(odd);
    for draft in drafts {
        let form = form_of(&draft);
        for fault in faults(&draft) {
            let shown = |row: &&Row| {
                row.faults.iter().any(|words| words.as_str().contains(fault.fault.as_str()))
            };
            assert!(form.rows.iter().any(|row| shown(&row)), "{fault:?}");
        }
        let faulty = form.rows.iter().filter(|row| !row.faults.is_empty());
        assert!(faulty.clone().all(|row| row.standing == Standing::Faulty));
    }
}

#[test]
fn what_is_missing_is_gone_to_before_what_is_only_wanted() {
    let mut draft = draft();
    let mut form = form_of(&draft);
    form.go_to_first();
    assert_eq!(form.current(), Some(&Field::Section("Impact".into())));
    edit::set_section(&mut draft, "Impact", "An attacker can read files.");
    form.replace(form_of(&draft).rows);
    assert_eq!(form.current(), Some(&Field::Section("Impact".into())), "the cursor stays");
    assert_eq!(row(&form, &Field::Weakness(0)).standing, Standing::Wanted);
    let severity = row(&form, &Field::Vector(Version::V31));
    assert_eq!((severity.standing, severity.faults.len()), (Standing::Faulty, 1));
    form.step(isize::MAX / 4);
    let last = form.cursor;
    form.go_to_next();
    assert_eq!(form.cursor, last, "nothing below is missing");
}

#[test]
fn a_range_is_typed_and_shows_what_it_covers() {
    let draft = draft();
    let mut dialog = dialog(Field::Range(0), &draft);
    assert_eq!(dialog.list[0].as_str(), "covers 1 of 2 known releases:");
    assert_eq!(dialog.list[1].as_str(), "1.9.0");
    dialog.step(1);
    dialog.key(Key::plain(KeyCode::Backspace), &draft, &policy());
    type_in(&mut dialog, &draft, "1");
    assert_eq!(dialog.value("fixed"), "1.10.1");
    assert_eq!(dialog.list[0].as_str(), "covers 2 of 2 known releases:");
    let mut changed = draft.clone();
    edit::apply(&mut changed, &dialog).expect("taken");
    assert_eq!(range_words(&changed.affected[0]), "every version before 1.10.1");
}

#[test]
fn an_empty_range_is_not_taken() {
    let draft = draft();
    let dialog = dialog(Field::Range(1), &draft);
    assert!(dialog.fault.as_ref().is_some_and(|fault| fault.as_str().contains("first affected")));
    assert!(edit::apply(&mut draft.clone(), &dialog).is_err());
}

#[test]
fn a_weakness_is_found_by_words_or_number_or_typed_whole() {
    let draft = draft();
    for (typed, id) in [
        ("missing authoriz", "CWE-862"),
        ("traversal", "CWE-22"),
        ("352", "CWE-352"),
        ("cwe-99999 A name of its own", "CWE-99999"),
    ] {
        let mut dialog = dialog(Field::Weakness(0), &draft);
        type_in(&mut dialog, &draft, typed);
        let mut changed = draft.clone();
        edit::apply(&mut changed, &dialog).expect(typed);
        assert_eq!(changed.weaknesses[0].id, id);
    }
    let mut dialog = dialog(Field::Weakness(0), &draft);
    type_in(&mut dialog, &draft, "no such thing");
    assert!(dialog.chosen.is_none() && dialog.fault.is_some());
}

#[test]
fn a_credit_has_name_type_and_consent() {
    let draft = draft();
    let mut dialog = dialog(Field::Credit(0), &draft);
    type_in(&mut dialog, &draft, "Hana Rewi");
    dialog.step(1);
    type_in(&mut dialog, &draft, "t");
    assert_eq!(dialog.value("type"), "tool");
    dialog.step(2);
    dialog.step(1);
    dialog.key(Key::plain(KeyCode::Right), &draft, &policy());
    assert_eq!(dialog.entry().map(|entry| entry.label), Some("consent"));
    let mut changed = draft.clone();
    edit::apply(&mut changed, &dialog).expect("taken");
    let credit = &changed.credits[0];
    assert_eq!((credit.name.as_str(), credit.role.as_str()), ("Hana Rewi", "tool"));
    assert_eq!(credit.consent, Some(true));
}

#[test]
fn a_day_that_is_none_is_said_and_an_empty_one_takes_the_date_away() {
    let mut draft = draft();
    let mut dialog_of = |text: &str| {
        let mut dialog = dialog(Field::Date("fixed"), &draft);
        type_in(&mut dialog, &draft, text);
        let fault = dialog.fault.is_some();
        if !fault {
            edit::apply(&mut draft, &dialog).expect("taken");
        }
        (fault, draft.dates.fixed.is_some())
    };
    assert_eq!(dialog_of("tomorrow"), (true, false));
    assert_eq!(dialog_of("2026-02-01"), (false, true));
    assert!(edit::clear(&mut draft, &Field::Date("fixed")));
    assert!(draft.dates.fixed.is_none() && !edit::clear(&mut draft, &Field::Date("fixed")));
}

#[test]
fn score_and_word_follow_the_vector() {
    let mut draft = draft();
    let vector = |text: &str| Vector::parse(text).expect("valid");
    let four = vector("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N");
    edit::set_vector(&mut draft, Version::V40, Some(&four));
    assert_eq!(draft.severity.score_tenths, Some(70));
    let three = vector("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N");
    edit::set_vector(&mut draft, Version::V31, Some(&three));
    assert_eq!(draft.severity.score_tenths, Some(35));
    assert_eq!(draft.severity.rating.as_deref(), Some("Low"));
    assert!(edit::clear(&mut draft, &Field::Vector(Version::V31)));
    assert_eq!(draft.severity.rating.as_deref(), Some("High"));
}

#[test]
fn list_entries_are_taken_out_and_the_last_line_adds() {
    let mut draft = draft();
    assert!(!edit::clear(&mut draft, &Field::Range(1)), "the line that adds holds nothing");
    assert!(edit::clear(&mut draft, &Field::Range(0)));
    let form = form_of(&draft);
    let empty = row(&form, &Field::Range(0));
    assert_eq!((empty.standing, empty.value.as_str()), (Standing::Faulty, ""));
}
