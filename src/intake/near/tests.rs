use proptest::prelude::*;

use super::*;

/// Reports of an invented product; the first of each pair is told again by the second.
const PAIRS: [(&str, &str, &str, &str); 4] = [
    (
        "Path traversal in the backup download",
        "Hi,\n\non 3.2.0 GET /backup/fetch?name=../../etc/shadow returns the file. The name is not checked in\n\
         backup_view.py before it is joined with the backup folder.\n\nBest,\nAda",
        "reading files over the backup url",
        "hello team\nthe name of /backup/fetch?name=../../../x is put together with the backup folder unchecked,\n\
         so everybody logged in reads what the service can read\n",
    ),
    (
        "Stored XSS in the label of a sensor",
        "A sensor label with <img src=x onerror=alert(1)> is shown unescaped in the sensor tooltip of the\n\
         dashboard. Any operator can rename a sensor.",
        "script execution by sensor names",
        "If an operator renames a sensor, the tooltip on the dashboard shows the label without escaping and\n\
         <img src=y onerror=alert(document.cookie)> runs for whoever hovers it.",
    ),
    (
        "Session survives password change",
        "After changing the password the old session cookie stays valid until the daemon is restarted. I expect\n\
         all other sessions to be ended.",
        "old cookie still works after new password",
        "I changed my password but the session cookie on my other laptop was still valid, only a restart of the\n\
         daemon ended it.",
    ),
    (
        "Anmeldung: XSS über next",
        "Beim Anmelden wird der Parameter next nicht geprüft: http://192.0.2.5/signin?next=javascript:alert(1)",
        "ログイン後にスクリプト実行",
        "サインイン画面で /signin?next=javascript:alert(document.domain) を開くと実行されます。",
    ),
];

/// Reports of the same classes that have nothing else in common with those above.
const OTHERS: [(&str, &str); 7] = [
    (
        "Stored XSS in job comments",
        "The comment of a job is rendered as HTML.\n\n<img src=x onerror=alert(1)>\n\nWhoever opens the job runs it.",
    ),
    (
        "XSS through the avatar url",
        "An avatar address may hold markup, which the profile page prints:\n\n<img src=x onerror=alert(document.cookie)>",
    ),
    (
        "XSS in the print queue",
        "The title of a queued document is written into the queue page as HTML. <svg onload=alert(2)> pops up for\n\
         the next visitor of the queue.",
    ),
    (
        "Reflected XSS in search results",
        "/find?q=<script>alert(1)</script> comes back in the heading of the result list.",
    ),
    (
        "path traversal on theme upload",
        "A theme archive may hold ../ in its entries; unpacking writes outside of the theme directory (zip slip).",
    ),
    (
        "Password reset token never expires",
        "Tokens from the reset mail can be used weeks later. They should be single use and expire.",
    ),
    ("CSRF on logout", "There is no token on /signout, so another site can sign somebody out."),
];

const PRODUCT: &str = "Spool";

fn filled() -> Table<usize> {
    let mut table = Table::default();
    for (at, (subject, text, ..)) in PAIRS.iter().enumerate() {
        table.set(at, features(subject, text, PRODUCT).sketch());
    }
    for (at, (subject, text)) in OTHERS.iter().enumerate() {
        table.set(100 + at, features(subject, text, PRODUCT).sketch());
    }
    table
}

#[test]
fn a_report_told_again_is_found_and_nothing_else_is() {
    let table = filled();
    for (at, (_, _, subject, text)) in PAIRS.iter().enumerate() {
        let found = table.nearest(&features(subject, text, PRODUCT).sketch(), None, 3);
        let keys: Vec<usize> = found.iter().map(|near| near.key).collect();
        assert_eq!(keys, [at], "{subject}: {found:?}");
    }
}

#[test]
fn unrelated_reports_of_one_class_stay_below_the_threshold() {
    let table = filled();
    for key in (0..PAIRS.len()).chain((0..OTHERS.len()).map(|at| 100 + at)) {
        let sketch = table.get(key).expect("a sketch");
        assert_eq!(table.nearest(sketch, Some(key), 3), [], "{key}");
    }
}

#[test]
fn what_is_shared_is_told_in_words_and_names() {
    let (subject, text, again, told) = PAIRS[0];
    let both = shared(&features(subject, text, PRODUCT), &features(again, told, PRODUCT));
    for expected in ["/backup/fetch", "CWE-22 Path Traversal", "backup folder"] {
        assert!(both.iter().any(|told| told == expected), "no {expected} in {both:?}");
    }
}

#[test]
fn quotations_signatures_and_greetings_are_no_evidence() {
    let own = "The nozzle heater ignores the interlock once the door sensor is unplugged.";
    let bare = features("s", own, PRODUCT);
    let dressed = format!(
        "Dear all,\n\n{own}\n\n> the frobnicator handles /quoted/route badly\n\nBest,\nZelda\n-- \nAcme Ltd"
    );
    let dressed = features("s", &dressed, PRODUCT);
    assert_eq!(bare.sketch(), dressed.sketch());
}

#[test]
fn names_meet_however_they_are_spelled() {
    let one = features("", "set `printerProfile` by X-Real-IP in /api/jobs/17?dry=1", PRODUCT);
    let other = features(
        "",
        "printer_profile, see x http://10.0.0.7/api/jobs/<id> with X-Real-IP",
        PRODUCT,
    );
    let both = shared(&one, &other);
    for expected in ["printerprofile", "/api/jobs/*", "xrealip"] {
        assert!(both.iter().any(|told| told == expected), "no {expected} in {both:?}");
    }
}

#[test]
fn the_words_of_the_product_itself_say_nothing() {
    let one = features("Spool", "Spool SPOOL spool", PRODUCT);
    assert!(one.sketch().is_empty());
}

#[test]
fn a_case_of_several_mails_is_known_by_all_of_them() {
    let (first, second) =
        (features("a", "the nozzle heater interlock", ""), features("b", "door sensor", ""));
    let mut both = first.clone();
    both.extend(second.clone());
    assert_eq!(first.sketch().joined(&second.sketch()), both.sketch());
}

#[test]
fn taking_a_text_out_leaves_no_trace() {
    let mut table = filled();
    let before = format!("{table:?}");
    table.set(7, features("x", "some other heater report", "").sketch());
    table.set(7, Sketch::default());
    assert_eq!(format!("{table:?}"), before);
}

#[test]
fn ten_thousand_cases_are_searched_with_the_twin_first() {
    // Without optimisation the making of so many texts takes long; the figure counts in a release build.
    let count = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
    let mut table = Table::default();
    for key in 0..count {
        let (subject, text) = generated(key);
        table.set(key, features(&subject, &text, PRODUCT).sketch());
    }
    let (_, _, subject, text) = PAIRS[0];
    table.set(count, features(PAIRS[0].0, PAIRS[0].1, PRODUCT).sketch());
    let asked = features(subject, text, PRODUCT).sketch();
    let begun = std::time::Instant::now();
    let found = table.nearest(&asked, None, 3);
    println!("{count} cases searched in {:?}", begun.elapsed());
    assert_eq!(found.first().map(|near| near.key), Some(count));
}

/// A report of invented words, different for each number.
fn generated(number: usize) -> (String, String) {
    let mut state = number as u64 * 0x9e37_79b9 + 1;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut text = String::new();
    for _ in 0..120 {
        // A few words stand in many reports, most in few.
        let range = if next(3) == 0 { 40 } else { 30_000 };
        let word = next(range);
        text.push_str(&format!("w{}x{} ", letters(word), if next(12) == 0 { ".\n" } else { "" }));
    }
    text.push_str(&format!(
        "\nGET /{}/{}?{}=1",
        letters(next(50)),
        letters(next(900)),
        letters(next(90))
    ));
    (format!("{} in {}", letters(next(30)), letters(next(2_000))), text)
}

fn letters(mut number: u64) -> String {
    let mut text = String::from("qu");
    loop {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or_default()));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_within_bounds(subject in "\\PC{0,80}", text in any::<String>(), more in "[a-z/=?&(<.`\"' \n>_]{0,400}") {
        let read = features(&subject, &format!("{text}{more}"), PRODUCT);
        prop_assert!(read.sketch().hashes().count() <= 240);
        prop_assert!(read.sketch().hashes().is_sorted());
        let again = shared(&read, &read);
        prop_assert!(again.len() <= 8);
    }

    #[test]
    fn nearness_does_not_depend_on_who_asks(a in 0usize..4, b in 0usize..5) {
        let table = filled();
        let score = |from: usize, to: usize| {
            let sketch = table.get(from).cloned().unwrap_or_default();
            table.ranked(&sketch, Some(from)).into_iter().find(|near| near.key == to).map(|near| near.score)
        };
        let (there, back) = (score(a, 100 + b), score(100 + b, a));
        prop_assert_eq!(there.is_some(), back.is_some());
        let same = |x: f32, y: f32| (x - y).abs() < 1e-4;
        prop_assert!(there.zip(back).is_none_or(|(x, y)| same(x, y)));
    }
}
