use super::*;
use crate::config::document::LONGEST_TEXT;

const POLICY: &str = r#"
name = "widget"
product = "Widget"
contact = "security@widget.example"
url = "https://widget.example/security"
branches = ["devel", "rc/*"]
forks = ["ForkWidget"]

[periods]
acknowledge_days = 7
acknowledge_warn_days = 2
update_days = 30
embargo_days = 90
embargo_warn_days = 7
pauses = [{ from = 2026-07-01T00:00:00Z, until = 2026-08-01T00:00:00Z }]

[scoring]
version = "CVSS:3.1"
max_attack_vector = "A"
cve_threshold = "4.0"

[[release]]
version = "1.9.0"
date = 2026-01-15

[[release]]
version = "1.10.0"
date = 2026-02-01

[[item]]
id = "Q1"
kind = "gate"
section = "Rules"
title = "Impact"
question = "Is there an impact?"
no = "ask"
support = "aid"

[[hint]]
name = "impact"
clause = "Q1"
answer = "yes"
strength = 2
place = "text"
pattern = 'impact:'
why = "the mail has a heading for it"
"#;

fn faults(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_small_policy_is_read_whole() {
    let policy = parse(POLICY).expect("it is valid");
    assert_eq!((policy.name.as_str(), policy.product.as_str()), ("widget", "Widget"));
    assert_eq!(policy.forks, ["forkwidget"]);
    assert_eq!(policy.scoring.cve_threshold_tenths, 40);
    assert_eq!(policy.periods.pauses.len(), 1);
    assert_eq!(policy.releases[1].date.to_string(), "2026-02-01");
    assert_eq!(policy.items[0].outcomes.no, Outcome::Ask);
    assert_eq!(policy.hints[0].place, Place::Text);
    assert_eq!(policy.hash.len(), 64);
    assert_ne!(policy.hash, parse(&POLICY.replace("impact:", "gain:")).expect("valid").hash);
}

#[test]
fn the_embedded_policies_have_sound_patterns() {
    for name in EMBEDDED_NAMES {
        let text = embedded(name).expect("it is embedded");
        assert_eq!(parse(text), parse_embedded(text), "what is not checked at a start is sound");
    }
}

#[test]
fn all_faults_are_told_at_once_with_line_and_near_name() {
    let broken = POLICY
        .replace("contact =", "contakt =")
        .replace("embargo_days = 90", "embargo_days = \"90\"")
        .replace("kind = \"gate\"", "kind = \"gatte\"")
        .replace("'impact:'", "'impact('")
        .replace("date = 2026-02-01", "date = 1");
    let all = faults(&broken).join("\n");
    for wanted in [
        "line 4: policy: unknown key \"contakt\"; did you mean \"contact\"?",
        "policy: `contact` is missing",
        "[periods]: `embargo_days` must be a whole number from 1 to 3650",
        "not \"gatte\"; did you mean \"gate\"?",
        "hint impact: `pattern` is no regular expression: unclosed group",
        "release: `date` must be a day",
    ] {
        assert!(all.contains(wanted), "{wanted}\nnot in\n{all}");
    }
    assert_eq!(all.lines().count(), 6, "{all}");
}

#[test]
fn patterns_that_grow_too_large_are_refused() {
    let with = |pattern: &str| POLICY.replace("'impact:'", &format!("'{pattern}'"));
    // One that is compiled to see how large it is, and is small enough.
    assert_eq!(faults(&with(r"(?:\w+ ){12}")), Vec::<String>::new());
    for large in [r"\w{900}", "(?:a{1000}){1000}", r"(?:\pL{30}x){90}"] {
        let all = faults(&with(large)).join("\n");
        assert!(all.contains("hint impact: `pattern` is no regular expression"), "{large}: {all}");
    }
}

#[test]
fn what_is_not_known_may_not_decline() {
    let harsh = POLICY.replace("no = \"ask\"", "unclear = \"reject\"");
    assert!(faults(&harsh).join("").contains("item Q1: `unclear` may only be `go` or `ask`"));
}

#[test]
fn doubled_and_dangling_names_are_faults() {
    let item = "\n[[item]]\nid = \"Q1\"\nkind = \"context\"\nsection = \"s\"\ntitle = \"t\"\nsupport = \"none\"\nrank = 2\n";
    let all = faults(&format!("{}{item}", POLICY.replace("clause = \"Q1\"", "clause = \"Q9\"")))
        .join("\n");
    assert!(all.contains("item Q1 stands there twice"), "{all}");
    assert!(all.contains("`rank` is for a disqualifier only"), "{all}");
    assert!(all.contains("`clause` is `Q9`, which is no item"), "{all}");
}

#[test]
fn what_is_no_policy_is_refused_plainly() {
    assert!(!faults("").is_empty());
    assert!(faults("[[item")[0].starts_with("line 1: "), "{:?}", faults("[[item"));
    assert!(faults(&"[".repeat(10_000)).len() <= 101);
    assert_eq!(faults(&" ".repeat(LONGEST_TEXT + 1)).len(), 1);
}

#[test]
fn the_policy_of_octoprint_has_54_decision_points() {
    let policy = parse(embedded("octoprint").expect("it is embedded")).expect("it is valid");
    assert_eq!(policy.items.len(), 54);
    assert_eq!(policy.items_of(&"NQ5".into()).len(), 2);
    assert!(policy.items.iter().all(|item| !item.sentences.is_empty()));
    let mut ranked: Vec<&Item> = policy.items.iter().filter(|item| item.rank > 0).collect();
    ranked.sort_by_key(|item| item.rank);
    let order: Vec<&str> = ranked.iter().map(|item| item.id.as_str()).collect();
    let wanted =
        ["NQ3", "NQ11", "NQ6", "NQ7", "NQ8", "NQ10", "NQ5a", "NQ5b", "NQ9", "NQ4", "NQ2", "NQ1"];
    assert_eq!(order, wanted);
    assert_eq!(embedded("nothing"), None);
    assert!(EMBEDDED_NAMES.iter().all(|name| embedded(name).is_some()));
}

#[test]
fn families_of_words_are_written_out() {
    let words = |any: &str| format!("\n[[words]]\nname = \"thing\"\nany = '{any}'\n");
    let text = POLICY.replace("'impact:'", r"'\b{thing}\b \x{2019}\p{L}{2,3} \{thing}'")
        + &words("gain|loss");
    let policy = parse(&text).expect("it is valid");
    assert_eq!(policy.hints[0].pattern, r"\b(?:gain|loss)\b \x{2019}\p{L}{2,3} \{thing}");
    let unknown = faults(&POLICY.replace("'impact:'", "'{nothing}'"));
    assert!(unknown.len() == 1 && unknown[0].contains("no such family"), "{unknown:?}");
    assert_eq!(faults(&(text.clone() + &words("again"))).len(), 1, "one name, one family");
    assert_eq!(faults(&text.replace("\"thing\"", "\"A thing\"")).len(), 2, "no name, no family");
}

#[test]
fn families_that_grow_without_bound_are_refused() {
    let mut text = POLICY.replace("'impact:'", "'{z}'");
    let mut last = String::from("abcdefghij");
    for name in ["p", "q", "r", "s", "t", "z"] {
        text += &format!("\n[[words]]\nname = \"{name}\"\nany = '{}'\n", last.repeat(10));
        last = format!("{{{name}}}");
    }
    assert!(faults(&text).iter().any(|fault| fault.contains("longer than")));
}
