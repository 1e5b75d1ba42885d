use proptest::prelude::*;

use super::*;

fn faults_of(text: &str) -> Vec<String> {
    read(text).expect_err("faulty").iter().map(ToString::to_string).collect()
}

#[test]
fn an_unknown_key_names_its_line_and_neighbour() {
    assert_eq!(
        faults_of("schema = 1\ntitel = \"x\"\n[severity]\nscores = 7.1\n"),
        [
            "line 2: titel: is no key here; did you mean title?",
            "line 4: severity.scores: is no key here; did you mean score?"
        ]
    );
}

#[test]
fn wrong_types_words_and_dates_are_collected() {
    let text = "schema = 2\nid = 4\nstatus = \"open\"\n[severity]\nscore = 7.15\n[dates]\n\
                published = \"soon\"\n[[credit]]\nname = \"x\"\nconsent = \"yes\"\n";
    let faults = faults_of(text);
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert!(faults[2].starts_with("line 3: status: \"open\" is not known; use one of draft"));
}

#[test]
fn broken_toml_is_one_plain_line() {
    let faults = faults_of("title = \"x\nid = 1");
    assert!(faults[0].starts_with("line 1: is not TOML: "), "{faults:?}");
    assert!(faults.iter().all(|fault| !fault.contains('\n')));
    assert!(read(&"[".repeat(100_000)).is_err());
}

#[test]
fn native_dates_and_whole_scores_are_read() {
    let text = "[severity]\nscore = 7\n[dates]\npublished = 2026-06-23\n";
    let draft = read(text).expect("readable");
    assert_eq!(draft.severity.score_tenths, Some(70));
    assert_eq!(draft.dates.published, DraftDate::parse("2026-06-23"));
}

#[test]
fn an_empty_draft_says_what_it_needs() {
    let text = write(&AdvisoryDraft::default());
    for hint in ["title = \"\" # missing", "# ghsa_id = ", "# [[affected]]", "# cvss_v3_1 = "] {
        assert!(text.contains(hint), "{hint} in {text}");
    }
    assert_eq!(read(&text), Ok(AdvisoryDraft::default()));
}

/// Text that tries what TOML minds.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z .,']{1,20}",
        "\\PC{1,20}",
        any::<String>(),
        Just("'''\"\"\"\\\r\n\u{0}\u{202e}".to_owned()),
        Just("\n\nends with '".to_owned()),
        Just("\\".to_owned()),
    ]
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text().prop_filter("empty is left out", |text| !text.is_empty()))
}

fn date() -> impl Strategy<Value = Option<DraftDate>> {
    proptest::option::of(prop_oneof![
        Just(DraftDate::parse("2026-06-23").expect("day")),
        (0i64..4_000_000_000_000).prop_map(|ms| {
            DraftDate::Instant(jiff::Timestamp::from_millisecond(ms).expect("in range"))
        }),
    ])
}

prop_compose! {
    fn draft()(
        (id, title, body) in (text(), text(), text()),
        (ghsa_id, cve_title, cve_description, github) in
            (some_text(), some_text(), some_text(), some_text()),
        (fixed, last_affected, unsupported) in (some_text(), some_text(), any::<bool>()),
        consent in any::<Option<bool>>(),
        tenths in proptest::option::of(0u16..=100),
        (published, modified) in (date(), date()),
        related in proptest::collection::vec(text(), 0..3),
    ) -> AdvisoryDraft {
        AdvisoryDraft {
            id,
            title: title.clone(),
            ghsa_id,
            cve_title,
            cve_description,
            status: AdvisoryStatus::Published,
            aliases: related.clone(),
            severity: SeverityDraft { score_tenths: tenths, ..SeverityDraft::default() },
            affected: vec![AffectedRange {
                introduced: title.clone(),
                fixed,
                last_affected,
                unsupported,
            }],
            sections: vec![Section { heading: title.clone(), body }],
            credits: vec![Credit { name: title.clone(), role: CreditRole::Tool, github, consent }],
            references: vec![Reference { kind: ReferenceKind::Fix, url: title.clone() }],
            timeline: modified
                .map(|date| TimelineLine { date, text: title })
                .into_iter()
                .collect(),
            related,
            dates: Dates { published, modified, ..Dates::default() },
            ..AdvisoryDraft::default()
        }
    }
}

proptest! {
    #[test]
    fn what_was_written_reads_the_same(draft in draft()) {
        let text = write(&draft);
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
        prop_assert_eq!(read(&text), Ok(draft));
    }

    #[test]
    fn no_text_makes_reading_panic(text in any::<String>()) {
        let _ = read(&text);
    }
}
