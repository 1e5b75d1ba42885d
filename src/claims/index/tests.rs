use super::build::Builder;
use super::*;

fn index(files: &[(&str, &str)]) -> Index {
    let mut builder = Builder::default();
    for (path, text) in files {
        builder.file(path, text.as_bytes());
    }
    builder.finish()
}

#[test]
fn words_have_their_places() {
    let index = index(&[
        ("src/a.py", "import flask\nx = 1\ndef serve(x):\n    run(x)\n"),
        ("vendor/b.js", "function serve() {}\n"),
        ("tests/c.py", "serve(1)\n"),
    ]);
    let word = index.word("serve").expect("it is there");
    assert!(word.called);
    assert_eq!(word.defined.len(), 2);
    assert_eq!(
        index.best_place(word).map(|place| index.place(place)).as_deref(),
        Some("src/a.py:3")
    );
    assert_eq!(index.word("serv"), None);
    assert!(index.is_foreign("flask") && index.is_foreign("Flask") && !index.is_foreign("a"));
    assert_eq!(
        index.nearest_word("serv").map(|near| (near.name, near.distance)),
        Some(("serve".into(), 1))
    );
}

#[test]
fn requirements_are_read_as_they_are_written() {
    let index = index(&[
        (
            "setup.py",
            "install_requires=[\"Some-Package>=2,<3\", 'other[extra]==1', \"just words\"]\n",
        ),
        ("requirements.txt", "third\nfourth==1 # why\n-i https://x\n"),
    ]);
    for name in ["some_package", "Some-Package", "other", "third", "fourth"] {
        assert!(index.is_foreign(name), "{name}");
    }
    assert!(!index.is_foreign("just") && !index.is_foreign("https"));
}

#[test]
fn files_and_folders_are_found_by_the_end_of_their_path() {
    let index = index(&[("src/x/web/api.py", "a\n"), ("src/x/api.py", ""), ("docs/rapi.py", "")]);
    assert_eq!(index.files_at("api.py"), [1, 0]);
    assert_eq!(index.files_at("web/api.py"), [0]);
    assert_eq!(index.folder_at("x/web").as_deref(), Some("src/x/web"));
    assert_eq!(index.folder_at("eb"), None);
    let near = index.nearest_path("src/x/web/apis.py").expect("one is near");
    assert_eq!((near.name.as_str(), near.distance), ("src/x/web/api.py", 1));
}

#[test]
fn lines_are_found_whatever_their_indentation() {
    let index = index(&[("a.py", "def f():\n        return   1 + second(x)  # why\n")]);
    let lines = |text: &str| vec![normal_line(text).expect("it says something")];
    let found = index.lines_at(&lines("return 1 + second(x)")).expect("found");
    assert_eq!((found.0, index.place(found.1)), (1, "a.py:2".to_owned()));
    assert_eq!(index.lines_at(&lines("return 1 + third(x)")), None);
    assert_eq!(normal_line("   }"), None);
    assert_eq!(normal_line("# a comment that is long"), None);
}

#[test]
fn routes_are_read_with_their_signs() {
    let index = index(&[(
        "a.py",
        "@x.route(\"/files/<string:target>/<path:name>\")\n(r\"/logs/([^/]*)\", H)\n'/users/<user>/key'\n\"//x\"\n\"a/b\"\n",
    )]);
    let mut routes: Vec<String> =
        index.routes().iter().map(|route| route.parts.join("/")).collect();
    routes.sort();
    assert_eq!(routes, ["files/+/**", "logs/*", "users/*/key"]);
}

#[test]
fn what_is_no_text_keeps_its_name() {
    let mut builder = Builder::default();
    builder.file("a.bin", b"word\0word");
    builder.file("b.txt", b"l\xe9gende word\n");
    let index = builder.finish();
    assert_eq!(index.files_at("a.bin"), [0]);
    assert_eq!(index.word("word").map(|word| word.places.len()), Some(1));
}
