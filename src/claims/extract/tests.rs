use super::*;

fn read(text: &str) -> Vec<Claim> {
    let extractor = Extractor::new("Lantern").expect("patterns");
    let source =
        Source { message: MessageRef::of(b""), part: 0, text, own: Vec::new(), code: false };
    extractor.read(&[source], &["poc_file.py"])
}

/// `kind text` of the claims; weak ones with a `~`, third-party ones with a `^`.
fn words(text: &str) -> Vec<String> {
    let mark = |claim: &Claim| match claim.strength {
        Strength::Strong => "",
        Strength::Weak => "~",
        Strength::ThirdParty => "^",
    };
    let claims = read(text);
    claims.iter().map(|c| format!("{}{} {}", mark(c), c.kind.as_str(), c.text())).collect()
}

#[test]
fn lines_are_written_in_many_ways() {
    for text in [
        "src/a/files.py:12-14",
        "`src/a/files.py` lines 12 to 14",
        "src/a/files.py, line 12-14",
        "src/a/files.py#L12-L14",
        "lines 12-14 of src/a/files.py",
        "lines 12 and 14 in the file `src/a/files.py`",
        "https://github.com/x/y/blob/main/src/a/files.py#L12-L14",
        "src\\a\\files.py:12-14",
    ] {
        assert_eq!(words(text), ["line src/a/files.py:12-14"], "{text}");
    }
    assert_eq!(words("see src/a/files.py:7."), ["line src/a/files.py:7"]);
    let frame =
        "  File \"/home/pi/oprint/lib/python3.11/site-packages/lantern/web.py\", line 9, in x";
    assert_eq!(words(frame), ["line lantern/web.py:9"]);
}

#[test]
fn names_are_told_from_words_addresses_and_files() {
    for (text, want) in [
        ("e.g. this, i.e. that. And/or more.Then on", &[][..]),
        ("mail me@lantern.example or see www.other.org and octo.example", &[]),
        ("CVE-2024-1234 GHSA-aaaa-bbbb-cccc CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", &[]),
        ("Lantern runs my poc_file.py and writes /etc/passwd and /tmp/x", &[]),
        ("plugin(s) and setting(s) of the user (admin)", &[]),
        ("`lantern.web.serve()` is called", &["function lantern.web.serve"]),
        ("self.store.revoke_token is", &["dotted store.revoke_token"]),
        (
            "uses document.cookie and os.path.join()",
            &["^dotted document.cookie", "^function os.path.join"],
        ),
        ("the UploadPathValidator class", &["class UploadPathValidator"]),
        ("with BurpSuite and GitHub", &["~class BurpSuite", "~class GitHub"]),
        ("FILES_UPLOAD permission", &["permission FILES_UPLOAD"]),
        ("a user with the SETTINGS right", &["permission SETTINGS"]),
        ("Permissions.LAMP_LIST", &["permission Permissions.LAMP_LIST"]),
        (
            "set `server.proxy.maxDepth` in config.yaml",
            &["~path config.yaml", "setting server.proxy.maxDepth"],
        ),
        ("the bundled `dimmer` plugin", &["plugin dimmer"]),
        ("the malicious plugin", &[]),
        ("`strcpy()` and alert(1)", &["~function strcpy"]),
    ] {
        assert_eq!(words(text), want, "{text}");
    }
}

#[test]
fn routes_are_told_from_folders_and_markup() {
    for (text, want) in [
        ("POST /api/lamps/local?x=1", &["route /api/lamps/local"][..]),
        ("`/api/lamps/<id>`, then", &["route /api/lamps/<id>"]),
        ("curl http://lantern.local:5000/api/version.", &["route /api/version"]),
        ("http://192.168.0.4/plugin/dimmer/set", &["route /plugin/dimmer/set"]),
        ("https://forum.example.org/t/lantern/5", &[]),
        ("<b>bold</b> and </script> 1/2", &[]),
        ("open /login now", &["~route /login"]),
        ("the /vendor/exec route", &["route /vendor/exec"]),
        ("GET /%2e%2e/x", &[]),
    ] {
        assert_eq!(words(text), want, "{text}");
    }
}

#[test]
fn a_block_is_the_products_or_the_senders_own() {
    let theirs =
        "The vulnerable code:\n\n```python\nif not path:\n    return unsafe(path, base)\n```\nend";
    assert_eq!(words(theirs), ["code if not path:"]);
    let own = "PoC:\n\n```python\nreturn unsafe(path, base)\ndef my_helper_name(): pass\n```\nmy_helper_name()";
    assert_eq!(words(own), ["~function my_helper_name"]);
    let indented = "In src/a/files.py the line is\n\n    return unsafe(path, base)\n    other(path)\n\nand so on";
    let claims = read(indented);
    assert_eq!(claims.len(), 2);
    assert_eq!(claims.last().map(|claim| claim.code.len()), Some(2));
}

#[test]
fn evidence_is_the_words_themselves() {
    let text = "one\ntwo `switch_lamp()` three\n";
    let claims = read(text);
    let evidence = &claims.first().expect("a claim").evidence;
    assert_eq!((evidence.line, evidence.text.as_str()), (2, "switch_lamp"));
    assert!(evidence.fits(text));
}

#[test]
fn work_is_bounded() {
    let many: String = (0..5_000).map(|n| format!("`name_number_{n}()`\n")).collect();
    assert_eq!(read(&many).len(), MAX_CLAIMS);
    let long = format!("{}()", "a_".repeat(200_000));
    assert!(read(&long).is_empty());
    let fences = "```\n".repeat(10_000);
    assert!(read(&fences).is_empty());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,400}", code in proptest::bool::ANY) {
        let extractor = Extractor::new("lantern").expect("patterns");
        let source =
            Source { message: MessageRef::of(b""), part: 0, text: &text, own: vec![true, false], code };
        for claim in extractor.read(&[source], &[]) {
            proptest::prop_assert!(claim.evidence.fits(&text));
        }
    }

    #[test]
    fn any_text_with_the_signs_of_claims_is_read(text in "[ab_./:()`\"'<>#0-9 \n~@é-]{0,200}") {
        for claim in read(&text) {
            proptest::prop_assert!(claim.evidence.fits(&text));
        }
    }
}
