//! Rules of lookup, merging and faults, and the shipped keymaps.

use super::key::parse_sequence;
use super::*;
use crate::command::TABLE;
use crate::config::Fault;

const BASE: &str = r#"
[global]
":" = "command-line"
"?" = "help"
"g h" = "help"

[queue]
"j" = "down"
"g g" = "top"
"g e" = "bottom"
"Enter" = "open"

[editor]
"C-x C-s" = "save"
"#;

fn keys(text: &str) -> Vec<Key> {
    parse_sequence(text).expect("keys")
}

fn name(keymap: &Keymap, context: Context, text: &str) -> String {
    match keymap.lookup(context, &keys(text)) {
        Match::Bound(binding) => format!("{} {}", binding.command.name(), binding.args),
        Match::Pending(choices) => choices.iter().map(|c| c.key.to_string()).collect(),
        Match::Unbound => "-".to_owned(),
    }
    .trim()
    .to_owned()
}

fn faults(user: &str) -> Vec<String> {
    let faults: Vec<Fault> = Keymap::parse(BASE, Some(user)).err().unwrap_or_default();
    faults.iter().map(Fault::to_string).collect()
}

#[test]
fn a_screen_goes_before_global_and_both_are_offered() {
    let keymap = Keymap::parse(BASE, None).expect("sound");
    assert_eq!(name(&keymap, Context::Queue, "j"), "down");
    assert_eq!(name(&keymap, Context::Queue, "?"), "help");
    assert_eq!(name(&keymap, Context::Queue, "g"), "egh");
    assert_eq!(name(&keymap, Context::Queue, "g h"), "help");
    assert_eq!(name(&keymap, Context::Case, "g"), "h");
    assert_eq!(name(&keymap, Context::Queue, "g x"), "-");
    assert_eq!(name(&keymap, Context::Queue, "j j"), "-");
    assert_eq!(keymap.lookup(Context::Queue, &[]), Match::Unbound);
}

#[test]
fn choices_say_what_follows() {
    let keymap = Keymap::parse(BASE, Some("[case]\n'g a b' = 'reply'\n'g d' = 'decide accept'"));
    let keymap = keymap.expect("sound");
    let Match::Pending(choices) = keymap.lookup(Context::Case, &keys("g")) else {
        panic!("pending");
    };
    let what: Vec<_> = choices.iter().map(|choice| choice.what.as_str()).collect();
    assert_eq!(what, ["…", "decides the case: accept", "shows the keys that work here"]);
}

#[test]
fn where_text_is_typed_only_own_keys_count() {
    let keymap = Keymap::parse(BASE, None).expect("sound");
    for context in [Context::Editor, Context::Prompt] {
        assert_eq!(name(&keymap, context, "?"), "-");
        assert_eq!(name(&keymap, context, "j"), "-");
    }
    assert_eq!(name(&keymap, Context::Editor, "C-x"), "C-s");
    assert_eq!(name(&keymap, Context::Editor, "C-x C-s"), "save");
    assert!(faults("[editor]\nq = 'back'\n")[0].contains("types text"));
    assert!(faults("[prompt]\nSpace = 'accept'\n")[0].contains("\"Space\" types text"));
}

#[test]
fn a_user_changes_and_removes() {
    let user = "[queue]\nj = 'up'\n'g g' = ''\n'g e' = 'unbound'\n'?' = ''\ng = 'sort'\n";
    let keymap = Keymap::parse(BASE, Some(user)).expect("sound");
    assert_eq!(name(&keymap, Context::Queue, "j"), "up");
    assert_eq!(name(&keymap, Context::Queue, "g"), "sort");
    assert_eq!(name(&keymap, Context::Queue, "g g"), "-");
    assert_eq!(name(&keymap, Context::Queue, "?"), "-");
    assert_eq!(name(&keymap, Context::Case, "?"), "help");
    // The own `g` takes the key before global's `g h` is complete.
    assert_eq!(name(&keymap, Context::Queue, "g h"), "-");
    assert_eq!(keymap.keys_of(Context::Queue, Command::Help), Vec::<String>::new());
    assert_eq!(keymap.keys_of(Context::Case, Command::Help), ["?", "g h"]);
}

#[test]
fn hiding_a_global_key_keeps_longer_own_sequences() {
    let base = "[global]\ng = 'help'\n[queue]\n'g g' = 'top'\n";
    let keymap = Keymap::parse(base, Some("[queue]\ng = ''\n")).expect("sound");
    assert_eq!(name(&keymap, Context::Queue, "g"), "g");
    assert_eq!(name(&keymap, Context::Queue, "g g"), "top");
}

#[test]
fn all_faults_come_at_once_with_line_and_near_name() {
    let user = "[qeue]
j = 'down'
[queue]
x = 'dwon'
y = 'yes'
Entre = 'open'
g = 'top'
'Return' = 'open'
'<Enter>' = 'open'
z = 3
m = 'down 3'
'C-q' = ''
k = 'up'
k = 'down'
";
    let want = [
        "line 1: unknown context \"qeue\"; did you mean \"queue\"?",
        "line 4: unknown command \"dwon\"; did you mean \"down\"?",
        "line 5: \"yes\" cannot be given in [queue], only in case, advisory",
        "line 6: \"Entre\" is no key: unknown name; did you mean \"Enter\"?",
        "line 7: \"g\" begins \"g e\" in [queue]; unbind one of them",
        "line 7: \"g\" begins \"g g\" in [queue]; unbind one of them",
        "line 9: \"<Enter>\" is bound on line 8 already",
        "line 10: the command must be a text in quotes, not a number",
        "line 11: \"down\" takes nothing after its name, but \"3\" follows",
        "line 12: \"C-q\" is not bound in [queue]",
        "line 14: duplicate key",
    ];
    assert_eq!(faults(user), want);
}

#[test]
fn a_prefix_inside_one_text_is_reported_once() {
    let want = ["line 3: \"z\" begins \"z z\" in [case]; unbind one of them"];
    assert_eq!(faults("[case]\nz = 'up'\n'z z' = 'down'\n"), want);
    assert_eq!(faults("[case]\n'z z' = 'up'\nz = 'down'\n"), want);
}

#[test]
fn faults_of_the_base_are_named_so() {
    let faults = Keymap::parse("[queue]\nj = 'dwn'", Some("")).expect_err("bad base");
    assert!(faults[0].to_string().starts_with("line 2: in the base keymap: unknown command"));
    assert!(faults_are_plain(&faults));
}

fn faults_are_plain(faults: &[Fault]) -> bool {
    let plain = |what: &str| !what.chars().any(char::is_control) && !what.ends_with('.');
    faults.iter().all(|fault| plain(&fault.what))
}

#[test]
fn hostile_texts_end_in_faults() {
    let deep = "[".repeat(10_000);
    let many = format!("[queue]\n{}", "'C-\u{1b}' = 'x'\n".repeat(5_000));
    for text in [
        deep.as_str(),
        many.as_str(),
        "\0",
        "[queue]\nj = \"\"\"",
        "queue = 1",
        "a.b.c = 2",
        "\"\\u001b[2J\" = 1",
    ] {
        let faults = Keymap::parse(BASE, Some(text)).expect_err("fault");
        assert!(!faults.is_empty() && faults_are_plain(&faults));
    }
}

/// Commands that a shipped keymap may leave to palette and command line.
const LEFT_UNBOUND: &[Command] = &[];

#[test]
fn every_shipped_keymap_is_sound_and_complete() {
    for shipped in Shipped::ALL {
        let keymap = Keymap::parse(shipped.text(), None).unwrap_or_else(|faults| {
            panic!("{}: {faults:#?}", shipped.as_str());
        });
        assert_eq!(keymap, Keymap::shipped(shipped));
        assert_eq!(Shipped::parse(shipped.as_str()), Some(shipped));
        assert_eq!(keymap.unbound(), LEFT_UNBOUND, "{}", shipped.as_str());
        for row in TABLE {
            for context in row.contexts.iter().filter(|context| **context != Context::Global) {
                let keys = keymap.keys_of(*context, row.id);
                assert!(!keys.is_empty(), "{}: {} in {context:?}", shipped.as_str(), row.name);
            }
        }
    }
}

#[test]
fn in_every_shipped_keymap_one_can_leave() {
    for keymap in Shipped::ALL.map(Keymap::shipped) {
        for context in Context::ALL {
            if context != Context::Global {
                assert_eq!(name(&keymap, context, "Esc"), "back", "{context:?}");
                let stop = if context == Context::Prompt { "back" } else { "quit" };
                assert_eq!(name(&keymap, context, "C-c"), stop, "{context:?}");
                assert_eq!(name(&keymap, context, "C-z"), "suspend", "{context:?}");
            }
        }
    }
}

#[test]
fn core_keys_are_the_same_in_every_shipped_keymap() {
    let core = [
        ("y", "yes"),
        ("n", "no"),
        ("x", "unclear"),
        ("a", "accept-suggestions"),
        ("e", "evidence"),
        ("d", "decline"),
        ("i", "need-info"),
        ("A", "accept-case"),
        ("v", "score"),
        ("w", "export"),
        ("u", "undo"),
        ("S", "sync"),
        ("!", "deadlines"),
        ("?", "help"),
        (":", "command-line"),
        ("Enter", "open"),
        ("Tab", "next-pane"),
        ("q", "back"),
    ];
    for keymap in Shipped::ALL.map(Keymap::shipped) {
        for (key, command) in core {
            assert_eq!(name(&keymap, Context::Case, key), command);
        }
    }
}

#[test]
fn help_covers_every_command_where_it_applies() {
    let keymap = Keymap::shipped(Shipped::Default);
    for context in Context::ALL {
        let rows = keymap.help(context);
        for row in TABLE.iter().filter(|row| !keymap.keys_of(context, row.id).is_empty()) {
            assert!(rows.iter().any(|help| help.name == row.name && help.doc == row.doc));
        }
        for row in &rows {
            assert!(!row.keys.is_empty() && !row.doc.is_empty());
            for text in &row.keys {
                assert_eq!(
                    name(&keymap, context, text),
                    format!("{} {}", row.name, row.args).trim()
                );
            }
        }
    }
    let queue = keymap.help(Context::Queue);
    assert_eq!(queue[0].keys, ["j", "Down"]);
    assert!(queue.iter().any(|row| row.name == "quit" && row.keys == ["q"]));
    assert!(queue.iter().any(|row| row.context == Context::Global && row.name == "help"));
}

proptest::proptest! {
    #[test]
    fn what_is_read_is_printed_so_that_it_is_read_again(text in "\\PC{0,12}|[CMS<>FE -]{0,8}") {
        if let Ok(keys) = parse_sequence(&text) {
            proptest::prop_assert_eq!(parse_sequence(&key::print_sequence(&keys)), Ok(keys));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\[(queue|global|x)\\]\n|\"\\PC{0,4}\" = \"\\PC{0,6}\"\n|g = 'top'\n|\\PC){0,12}") {
        let _ = Keymap::parse(BASE, Some(&text));
        let _ = crate::config::parse(&text, std::path::Path::new("."), None);
    }
}
