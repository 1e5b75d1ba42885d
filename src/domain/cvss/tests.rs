use super::*;

fn vector(text: &str) -> Vector {
    Vector::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// Scores worked out by hand or known from the examples document of the standard.
#[test]
fn scores_and_bands() {
    for (text, tenths, severity) in [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98, Severity::Critical),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100, Severity::Critical),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61, Severity::Medium),
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 88, Severity::High),
        ("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", 35, Severity::Low),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:R/S:U/C:L/I:L/A:L", 40, Severity::Medium),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0, Severity::None),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93, Severity::Critical),
        ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N", 70, Severity::High),
    ] {
        assert_eq!(
            (vector(text).base().tenths(), vector(text).severity()),
            (tenths, severity),
            "{text}"
        );
    }
}

#[test]
fn every_fault_is_told_in_words() {
    for (text, says) in [
        ("", "there is no vector"),
        ("CVSS:3.1", "no metric follows"),
        ("CVSS:3.1/", "no metric follows"),
        ("AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "prefix is missing"),
        ("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N/", "`/` after the last metric"),
        ("cvss:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "written `CVSS:3.1`"),
        ("CVSS:3.0/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "CVSS 3.0 vector"),
        ("CVSS:5/AV:A", "no CVSS version `5`"),
        ("AV:A/AC:L/Au:N/C:P/I:N/A:N", "CVSS 2.0 vector"),
        ("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N", "Availability (A) is missing"),
        ("CVSS:3.1/AV:A/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "`AV` is given twice"),
        ("CVSS:3.1/AV:A/AC:M/PR:L/UI:N/S:U/C:L/I:N/A:N", "cannot be `M`; it is one of L, H"),
        ("CVSS:3.1/AV:X/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "cannot be `X`"),
        ("CVSS:3.1/AV:A AC:L PR:L UI:N S:U C:L I:N A:N", "separated by `/`"),
        ("CVSS:3.1/AV=A/AC=L", "not one metric and its value"),
        ("CVSS:3.1/AV:A/ZZ:1", "no metric `ZZ`"),
        ("CVSS:3.1/av:A/AC:L", "capital letters"),
        ("CVSS:3.1/AV:A/AC:L/AT:N", "`AT` is a metric of CVSS:4.0"),
        ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/C:L", "`C` is a metric of CVSS:3.1"),
        ("CVSS:4.0/AC:L/AV:A", "out of order"),
        ("CVSS:3.1/AV:\u{410}/AC:L", "U+0410"),
        ("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N\u{200b}", "U+200B"),
    ] {
        let fault = Vector::parse(text).expect_err(text).to_string();
        assert!(fault.contains(says), "{text}: {fault}");
    }
    assert_eq!(Vector::parse(&"A".repeat(1 << 20)), Err(Fault::TooLong));
}

#[test]
fn the_canonical_string_is_ordered_and_without_undefined_metrics() {
    let mixed = vector(" CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:A/E:X/RL:O\n");
    assert_eq!(mixed.to_string(), "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/RL:O");
    assert_eq!(mixed.base().to_string(), "8.8");
    assert_eq!((mixed.value("RL"), mixed.value("E")), (Some("O"), None));
}

#[test]
fn the_cap_lowers_the_attack_vector_and_nothing_else() {
    let over = vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N/MAV:N");
    let capped = over.capped("A").expect("N is above A");
    assert_eq!(capped.to_string(), "CVSS:3.1/AV:A/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N/MAV:A");
    assert_eq!((over.base().tenths(), capped.base().tenths()), (61, 52));
    assert_eq!(capped.capped("A"), None);
    assert_eq!(over.capped("N"), None);
    assert_eq!(over.capped("?"), None);
    assert!(vector("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N").capped("P").is_some());
}

#[test]
fn vectors_are_found_in_running_text() {
    let text = "Score (CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H). Before AV:N/AC:L/Au:N/C:P/I:P/A:P, \
                see https://x.example/calc#cvss:3.1/av:a/ac:l; CVSS:3.1 alone, AV:N alone, DAV:N/x and \
                \u{201c}CVSS:4.0/AV:A/\u{201d}.";
    let found: Vec<&str> = find_vectors(text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(
        found,
        [
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/Au:N/C:P/I:P/A:P",
            "cvss:3.1/av:a/ac:l",
            "CVSS:4.0/AV:A/",
        ]
    );
}

#[test]
fn hostile_text_is_searched_in_one_pass() {
    let text = "CVSS:".repeat(200_000) + &"AV:\u{e9}/".repeat(200_000);
    let found = find_vectors(&text);
    assert!(found.len() <= 64 && found.iter().all(|range| range.len() <= MAX_BYTES));
}

#[test]
fn a_near_miss_is_repaired_for_the_maintainer_to_confirm() {
    let whole = "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N";
    for text in [
        "AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N (CVSS 3.1)",
        "cvss:3.1/av:a/ac:l/pr:l/ui:n/s:u/c:l/i:n/a:n",
        "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N/",
        "CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N\u{200b}",
        "CVSS:3.1/AV=A/AC=L/PR=L/UI=N/S=U/C=L/I=N/A=N",
    ] {
        assert_eq!(
            repaired(text).map(|vector| vector.to_string()).as_deref(),
            Some(whole),
            "{text}"
        );
    }
    assert_eq!(repaired("AV:A/AC:M/Au:S/C:P/I:N/A:N"), None);
    assert_eq!(repaired("\u{410}"), None);
}

#[test]
fn moderate_and_medium_are_one_band() {
    assert_eq!(Severity::Medium.word(Words::Policy), "Moderate");
    assert_eq!(Severity::Medium.word(Words::Cvss), "Medium");
    assert_eq!(Severity::Medium.word(Words::GithubDatabase), "MODERATE");
    assert_eq!(Severity::Medium.to_string(), "medium");
}
