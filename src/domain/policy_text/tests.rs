use super::*;

const TEXT: &str = "---\ntitle: Rules\n---\n\n**Write to us, or call\nus.** We answer (eg by mail, \
                    ...) soon. `x` is fine. [Here](u) too.\n\n## Not\n\nNone of:\n\n- A thing. And more\n- \
                    Another\n\n---\nEnd";

fn cut(text: &str) -> Vec<(String, String)> {
    let read = PolicyText::read(text);
    let both = |s: &Sentence| (s.heading.clone(), read.text_of(s).to_owned());
    read.sentences().iter().map(both).collect()
}

#[test]
fn paragraphs_are_cut_and_list_items_are_whole() {
    let all = cut(TEXT);
    let texts: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "**Write to us, or call\nus.**",
            "We answer (eg by mail, ...) soon. `x` is fine.",
            "[Here](u) too.",
            "None of:",
            "A thing. And more",
            "Another",
            "End"
        ]
    );
    assert_eq!(all.first().map(|(heading, _)| heading.as_str()), Some("Rules"));
    assert_eq!(all.last().map(|(heading, _)| heading.as_str()), Some("Not"));
}

#[test]
fn a_sentence_keeps_its_name_when_it_is_wrapped_anew() {
    assert_eq!(sentence_hash(" a\n  b "), sentence_hash("a b"));
    let one = PolicyText::read("One sentence\nhere.");
    let other = PolicyText::read("One   sentence here.\r\n");
    assert_eq!(one.sentences()[0].hash, other.sentences()[0].hash);
    assert_ne!(one.hash(), other.hash());
}

#[test]
fn odd_texts_are_read() {
    assert_eq!(cut(""), []);
    assert_eq!(cut("---\ntitle: never closed"), cut("---\ntitle: never closed"));
    assert_eq!(cut("#\n\u{a0}\n- \n"), []);
    assert_eq!(cut(&"- x\n".repeat(1_000)).len(), 1_000);
}

#[test]
fn headings_may_be_underlined_and_numbered() {
    let all = cut("Rules\nof ours\n---\nOne.\n\n## 3.1 Not\n\nTwo.\n\nThree.\n\n---\n\nFour.");
    let headings: Vec<&str> = all.iter().map(|(heading, _)| heading.as_str()).collect();
    assert_eq!(headings, ["Rules of ours", "3.1 Not", "3.1 Not", "3.1 Not"]);
    for (heading, plain) in [
        ("3.1 Not", "Not"),
        ("4) Scope", "Scope"),
        ("\u{a7} 2. Scope", "Scope"),
        ("90 days", "days"),
        ("2026", "2026"),
        ("3D printers", "3D printers"),
        ("", ""),
    ] {
        assert_eq!(plain_heading(heading), plain, "{heading}");
    }
}

#[test]
fn tables_code_and_comments_are_units_of_their_own() {
    let text = "<!-- A rule. No. -->\n<!--\nAnother. Rule.\n-->\n| V | ok |\n|---|:--|\n| 2.x. Y | yes |\n\n```sh\n\
                one. Two.\n# three\n\n```\nAfter. All.";
    let texts: Vec<String> = cut(text).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        texts,
        ["| V | ok |", "| 2.x. Y | yes |", "```sh\none. Two.\n# three\n\n```", "After.", "All."]
    );
    assert_eq!(cut("```\nnever closed. No.").len(), 1);
    assert_eq!(cut("<!-- never closed.\nNo.").len(), 1);
    let behind = cut("<!-- a --> <!-- b --> One.\n<!--\n--> Two.");
    assert_eq!(behind.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["One.", "Two."]);
}

#[test]
fn line_ends_byte_order_mark_and_date_stamp_change_no_name() {
    let names = |text: &str| -> Vec<String> {
        PolicyText::read(text).sentences().iter().map(|s| s.hash.clone()).collect()
    };
    let text =
        "---\ntitle: Rules\ndate: 2026-01-02\n---\n\nWrite\nto us.\n\nLast updated: 2026-01-02\n";
    let other = format!("\u{feff}{}", text.replace('\n', "\r\n")).replace("01-02", "03-04");
    assert_eq!(names(text), names(&other));
    assert_eq!(PolicyText::read(text).date(), Some("2026-01-02"));
    assert_eq!(PolicyText::read(&other).date(), Some("2026-03-04"));
    assert_eq!(PolicyText::read("Last updated: 2026-01-02").date(), Some("2026-01-02"));
    assert_ne!(names(text), names(&text.replace("to us", "to me")));
}
