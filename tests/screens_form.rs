//! The guided form and the calculator: as a person sees them, and what their keys do to the case.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use casebook::app::{Effect, Input, Screen};
use casebook::domain::advisory::Format;
use casebook::keymap::Shipped;
use support::stage::{Mails, Stage};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];
const SUBJECT: &str = "Account without PRINT";

fn at_every_size(name: &str, reach: impl Fn(&mut Stage)) {
    let mut stage = Stage::new(80, 24);
    reach(&mut stage);
    for (columns, rows) in SIZES {
        stage.input(Input::Resize(columns, rows));
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), stage.screen());
    }
}

fn vector(stage: &Stage) -> Option<&str> {
    stage.model.case.as_ref().expect("a case").view.case.vector.as_deref()
}

fn saved(stage: &Stage) -> casebook::domain::advisory::AdvisoryDraft {
    let case = &stage.model.case.as_ref().expect("a case").view.case;
    let toml = case.advisory.as_deref().expect("a saved draft");
    casebook::export::draft_toml::read(toml).expect("a readable draft")
}

#[test]
fn calculator() {
    at_every_size("calculator", |stage| {
        stage.open(SUBJECT).keys("v n");
    });
}

#[test]
fn calculator_of_the_other_version() {
    at_every_size("calculator_4", |stage| {
        stage.open(SUBJECT).keys("v v Tab Tab n");
    });
}

#[test]
fn range_dialog() {
    at_every_size("range", |stage| {
        stage.open(SUBJECT).keys("g a");
        to(stage, "affected");
        stage.keys("Enter");
    });
}

#[test]
fn weakness_dialog() {
    at_every_size("weakness", |stage| {
        stage.open(SUBJECT).keys("g a");
        to(stage, "weakness");
        stage.keys("Enter").text("auth");
    });
}

#[test]
fn credit_dialog() {
    at_every_size("credit", |stage| {
        stage.open(SUBJECT).keys("g a");
        to(stage, "credit");
        stage.keys("Enter Tab");
    });
}

/// Moves to the first line of the form with this label.
fn to(stage: &mut Stage, label: &str) {
    stage.keys("Home");
    for _ in 0..60 {
        let form = &stage.model.advisory.as_ref().expect("a form").form;
        if form.rows[form.cursor].label == label {
            return;
        }
        stage.keys("Down");
    }
    panic!("no line {label}");
}

#[test]
fn every_size_draws_form_dialog_and_calculator() {
    for reach in ["v", "v v", "g a", "g a ]", "g a Tab", "g a Down Down Down Enter"] {
        let mut stage = Stage::new(80, 24);
        stage.open(SUBJECT).keys(reach);
        for columns in [1, 20, 39, 40, 41, 55, 79, 109, 110, 111, 200, 500] {
            for rows in [1, 7, 8, 9, 12, 15, 24, 60, 200] {
                stage.input(Input::Resize(columns, rows));
                stage.screen();
            }
        }
    }
}

#[test]
fn letters_set_the_vector_in_every_keymap() {
    for keymap in Shipped::ALL {
        let mut stage = Stage::with(80, 24, keymap, Mails::Samples);
        stage.open(SUBJECT).keys("v").text("nlnnuhnn").keys("Enter");
        // The policy's cap holds: Adjacent at most.
        assert_eq!(
            vector(&stage),
            Some("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
            "{keymap:?}"
        );
        stage.keys("u");
        assert_eq!(vector(&stage), None);
        stage.keys("v").text("p").keys("Esc");
        assert!(stage.model.calculator.is_none() && vector(&stage).is_none(), "{keymap:?}");
    }
}

#[test]
fn an_open_vector_is_not_kept_and_a_wrong_letter_says_what_fits() {
    let mut stage = Stage::new(80, 24);
    stage.open(SUBJECT).keys("v Backspace Enter");
    assert!(stage.said().contains("Attack Vector is open"), "{}", stage.said());
    stage.keys("z");
    assert!(stage.said().contains("n a l p"), "{}", stage.said());
    assert!(vector(&stage).is_none());
}

#[test]
fn help_of_calculator_and_dialog_goes_back_to_them() {
    let mut stage = Stage::new(80, 24);
    stage.open(SUBJECT).keys("v ?");
    assert!(stage.screen().contains("switches between CVSS 3.1 and 4.0"), "{}", stage.screen());
    stage.keys("Esc");
    assert!(stage.model.calculator.is_some());
    stage.keys("Esc g a");
    to(&mut stage, "title");
    stage.keys("Enter F1");
    assert!(stage.screen().contains("Keys: form"), "{}", stage.screen());
    stage.keys("Esc");
    assert!(stage.model.dialog().is_some());
}

#[test]
fn each_change_is_saved_and_taken_back_by_one_key() {
    let mut stage = Stage::new(120, 40);
    stage.open(SUBJECT).keys("A g a");
    to(&mut stage, "title");
    stage.keys("Enter").text(" by string").keys("Enter");
    assert!(saved(&stage).title.ends_with("print job by string"));
    to(&mut stage, "reference");
    stage.keys("Enter Tab").text("https://example.org/fix").keys("Enter");
    assert_eq!(saved(&stage).references.len(), 1);
    stage.keys("u");
    assert!(saved(&stage).references.is_empty());
    let advisory = stage.model.advisory.as_ref().expect("a form");
    assert!(advisory.saved && !advisory.toml.contains("example.org/fix"), "the form follows");
    stage.keys("u");
    let advisory = stage.model.advisory.as_ref().expect("a form");
    assert!(!advisory.saved && !advisory.toml.contains("by string"), "made anew from the case");
}

#[test]
fn the_vector_of_the_draft_is_the_vector_of_the_case() {
    let mut stage = Stage::new(80, 24);
    stage.open(SUBJECT).keys("A g a");
    to(&mut stage, "CVSS 3.1");
    stage.keys("Enter").text("allnulnn").keys("Enter");
    assert_eq!(stage.model.screen, Screen::Advisory);
    assert_eq!(vector(&stage), saved(&stage).severity.cvss_v3_1.as_deref());
    assert_eq!(saved(&stage).severity.rating.as_deref(), Some("Low"));
}

#[test]
fn a_low_severity_has_no_cve_file_and_a_shut_gate_writes_nothing() {
    let mut stage = Stage::new(120, 40);
    stage.open(SUBJECT).keys("A v").text("allnulnn").keys("Enter g a y y y Enter");
    stage.text("Little is lost.").keys("C-s");
    let gates = |stage: &Stage| stage.model.advisory.as_ref().expect("a form").gates.words();
    assert!(gates(&stage).contains("advisory yes → CVE no (3.5 Low)"), "{}", gates(&stage));
    stage.keys("w Enter");
    let every = Format::ALL.into_iter().filter(|format| *format != Format::Cve);
    let formats = stage.asked.iter().find_map(|effect| match effect {
        Effect::Export { formats, .. } => Some(formats.clone()),
        _ => None,
    });
    assert_eq!(formats, Some(every.collect::<Vec<_>>()));
    // Known to the public: a reason is asked for, then no advisory is due.
    to(&mut stage, "PD5");
    stage.keys("n").text("posted in the forum").keys("Enter w");
    assert!(stage.said().contains("PD5 is answered no"), "{}", stage.said());
    assert!(stage.model.prompt.is_none());
}

#[test]
fn a_draft_that_cannot_be_read_lists_its_faults_and_opens_as_text() {
    let mut stage = Stage::new(80, 24);
    stage.open(SUBJECT).keys("g a e").text("nonsense ").keys("C-s Esc");
    let screen = stage.screen();
    assert!(screen.contains("line 1"), "{screen}");
    stage.keys("Enter");
    assert_eq!(stage.model.screen, Screen::Editor);
}
