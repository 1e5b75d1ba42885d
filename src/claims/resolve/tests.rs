use super::*;
use crate::claims::index::build::Builder;
use crate::domain::{Evidence, MessageRef};

fn index() -> Index {
    let mut builder = Builder::default();
    for (path, text) in [
        ("src/lantern/__init__.py", "def main(): pass\n"),
        ("src/lantern/plugin/__init__.py", "from .types import *\n"),
        ("src/lantern/plugin/types.py", "class HookPlugin:\n    def on_hook(self): pass\n"),
        (
            "src/lantern/web/api.py",
            "@api.route(\"/files/<string:target>\")\ndef read(x): pass\nlocal = 1\n",
        ),
        ("src/lantern/web/__init__.py", "register(api, url_prefix=\"/api\")\n"),
        (
            "src/lantern/plugins/dimmer/__init__.py",
            "@route(\"/set/<key>\")\ndef set_level(): pass\n",
        ),
        ("src/lantern/static/js/lib/jquery.js", "function ajaxSetup() {}\n"),
    ] {
        builder.file(path, text.as_bytes());
    }
    builder.finish()
}

fn found(kind: Kind, name: &str) -> Found {
    let evidence = Evidence::at(MessageRef::of(b""), 0, "x", 0..1).expect("a range");
    let strength = Strength::Strong;
    let claim =
        Claim { kind, name: name.into(), lines: None, code: Vec::new(), strength, evidence };
    look(&index(), &claim).found
}

#[test]
fn dotted_names_are_followed_into_their_module() {
    use Found::{Elsewhere, No, Yes};
    for (name, want) in [
        ("lantern.web.api", Yes),
        ("lantern.web.api.read", Yes),
        ("lantern.plugin.HookPlugin", Yes),
        ("lantern.plugin.HookPlugin.on_hook", Yes),
        ("lantern.plugins.dimmer", Yes),
        ("lantern.web", Yes),
        ("HookPlugin.on_hook", Yes),
        // The name is real, the module is not.
        ("lantern.safe.read", No),
        ("lantern.web.api.write", No),
        ("lantern.web.api.HookPlugin", Elsewhere),
        // Words of the tree in an order that it does not have.
        ("lantern.local.read", No),
    ] {
        assert_eq!(found(Kind::Dotted, name), want, "{name}");
    }
}

#[test]
fn routes_may_have_the_prefix_of_a_blueprint() {
    use Found::{No, Yes};
    for (path, want) in [
        ("/api/files/local", Yes),
        ("/files/<target>", Yes),
        ("/api/files/purge_all", No),
        ("/api/files/local/more", No),
        ("/api/lamps", No),
        ("/plugin/dimmer/set/5", Yes),
        ("/plugin/blinker/set/5", No),
        ("/other/files/local", No),
    ] {
        assert_eq!(found(Kind::Route, path), want, "{path}");
    }
}

#[test]
fn folders_of_a_machine_before_a_path_do_not_matter_and_others_do() {
    use Found::{No, Yes};
    for (path, want) in [
        ("lantern/web/api.py", Yes),
        ("web/api.py", Yes),
        ("venv/lib/python3.11/lantern/web/api.py", Yes),
        ("lantern/safe/web/api.py", No),
        ("lantern/api.py", No),
        ("src/lantern/web", Yes),
    ] {
        assert_eq!(found(Kind::Path, path), want, "{path}");
    }
}

#[test]
fn what_only_a_copied_library_has_is_no_claim_about_the_product() {
    let index = index();
    let answer = names::look(
        &index,
        &Claim {
            kind: Kind::Function,
            name: "ajaxSetup".into(),
            lines: None,
            code: Vec::new(),
            strength: Strength::Strong,
            evidence: Evidence::at(MessageRef::of(b""), 0, "x", 0..1).expect("a range"),
        },
    );
    assert_eq!((answer.found, answer.strength), (Found::Yes, Some(Strength::ThirdParty)));
}
