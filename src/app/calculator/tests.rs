use super::*;

fn scoring() -> Scoring {
    Scoring { version: "CVSS:3.1".into(), max_attack_vector: "A".into(), cve_threshold_tenths: 40 }
}

fn calculator(ours: Option<&str>, theirs: Option<&str>) -> Calculator {
    Calculator::new(Use::Case, ours, Theirs::read(theirs), &scoring())
}

fn typed(calculator: &mut Calculator, letters: &str) {
    for letter in letters.chars() {
        assert!(calculator.press(letter), "{letter} at {:?}", calculator.metric());
    }
}

#[test]
fn eight_letters_make_a_vector() {
    let mut calculator = calculator(None, None);
    assert_eq!(calculator.counted(), None);
    typed(&mut calculator, "allnunlH");
    let vector = calculator.counted().expect("complete");
    assert_eq!(vector.to_string(), "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:H");
    assert_eq!(score_words(&vector), "6.3 Moderate");
    // The last metric keeps the cursor: a second thought replaces its value.
    typed(&mut calculator, "n");
    assert_eq!(calculator.counted().map(|v| v.base().tenths()), Some(35));
}

#[test]
fn letters_that_a_metric_does_not_have_change_nothing() {
    let mut calculator = calculator(None, None);
    for letter in ['x', 'h', ':', 'ä'] {
        assert!(!calculator.press(letter));
    }
    assert_eq!((calculator.cursor, calculator.ours.get(0)), (0, None));
}

#[test]
fn it_begins_with_ours_else_with_theirs_under_the_cap() {
    let (network, adjacent) = (
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
        "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    );
    let begun = calculator(None, Some(network));
    assert_eq!(begun.counted().map(|v| v.to_string()).as_deref(), Some(adjacent));
    let ours = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
    let begun = calculator(Some(ours), Some(network));
    assert_eq!(begun.counted().map(|v| v.to_string()).as_deref(), Some(ours));
    let begun = calculator(None, Some("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"));
    assert!(matches!(begun.theirs, Theirs::Repaired(..)));
    assert_eq!(begun.counted().map(|v| v.to_string()).as_deref(), Some(adjacent));
    assert!(matches!(calculator(None, Some("nonsense")).theirs, Theirs::Faulty(_)));
}

#[test]
fn the_cap_is_told_with_its_effect() {
    let calculator = calculator(None, None);
    let words = |text: &str| calculator.cap_words(&Vector::parse(text).expect("valid"));
    assert_eq!(
        words("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H").as_deref(),
        Some("Adjacent at most: 7.5 High → 6.5 Moderate: CVE still yes")
    );
    assert_eq!(
        words("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N").as_deref(),
        Some("Adjacent at most: 4.3 Moderate → 3.5 Low: CVE no longer")
    );
    assert_eq!(words("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), None);
}

#[test]
fn a_vector_above_the_cap_is_kept_under_it() {
    let mut calculator = calculator(Some("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), None);
    typed(&mut calculator, "n");
    assert_eq!(calculator.ours.get(0), Some("N"));
    assert_eq!(calculator.counted().and_then(|vector| vector.value("AV")), Some("A"));
}

#[test]
fn alternatives_say_what_changes() {
    let mut calculator = calculator(Some("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:H"), None);
    calculator.step(2);
    let all: Vec<_> = calculator
        .alternatives()
        .into_iter()
        .map(|a| (a.value, a.words.0, a.chosen, a.change_tenths))
        .collect();
    assert_eq!(
        all,
        [
            ("N", "None", false, Some(8)),
            ("L", "Low", true, Some(0)),
            ("H", "High", false, Some(-11)),
        ]
    );
    calculator.clear();
    let score: Vec<_> = calculator.alternatives().into_iter().map(|a| a.score).collect();
    assert!(score.iter().all(Option::is_some), "one metric is open: each value gives a score");
    assert!(calculator.alternatives().iter().all(|a| a.change_tenths.is_none()));
}

#[test]
fn clearing_goes_back_over_open_metrics() {
    let mut calculator = calculator(None, None);
    typed(&mut calculator, "al");
    calculator.clear();
    assert_eq!((calculator.cursor, calculator.ours.get(1)), (1, None));
    calculator.clear();
    assert_eq!((calculator.cursor, calculator.ours.get(0)), (0, None));
    calculator.clear();
    assert_eq!(calculator.ours.open().count(), 8);
}

#[test]
fn versions_are_switched_and_nothing_set_is_lost() {
    let mut calculator = calculator(Some("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:H"), None);
    calculator.switch_version();
    let open: Vec<_> = calculator.ours.open().map(|metric| metric.name).collect();
    assert_eq!(open, ["AT"]);
    calculator.cursor = 2;
    typed(&mut calculator, "n");
    let vector = calculator.counted().expect("complete");
    assert_eq!(
        vector.to_string(),
        "CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:N/VI:L/VA:H/SC:N/SI:N/SA:N"
    );
    calculator.cursor = 10;
    calculator.switch_version();
    assert_eq!(calculator.ours.version(), Version::V31);
    assert!(calculator.cursor < 8 && calculator.counted().is_some());
    calculator.switch_version();
    assert_eq!(calculator.counted(), Some(vector));
}

#[test]
fn every_value_has_words() {
    for version in [Version::V31, Version::V40] {
        for metric in PartialVector::empty(version).metrics() {
            for value in metric.values {
                let (name, meaning) = words::value(version, metric.name, value);
                assert!(!name.is_empty() && !meaning.is_empty(), "{} {value}", metric.name);
            }
        }
    }
}
