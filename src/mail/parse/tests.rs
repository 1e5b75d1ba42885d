//! Whole mails, written for these tests.

use proptest::prelude::*;

use crate::mail::{Message, Warning, parse};

const TOP: &str = "From: Ann <ann@sender.example>\r\nTo: security@project.example\r\nSubject: test\r\n\
    Date: Thu, 15 Oct 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\nMIME-Version: 1.0\r\n";

fn mail(rest: &str) -> Message {
    parse(format!("{TOP}{rest}").as_bytes())
}

fn clean(rest: &str) -> Message {
    let message = mail(rest);
    assert_eq!(
        (message.warnings.as_slice(), message.defects.as_slice()),
        ([].as_slice(), [].as_slice()),
        "{rest}"
    );
    message
}

#[test]
fn reads_a_plain_mail() {
    let message = clean("Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n\r\n\r\n");
    assert_eq!(message.text, "Grüße");
    assert_eq!(message.subject, "test");
    assert_eq!(message.from[0].name, "Ann");
    assert_eq!(message.message_id.as_deref(), Some("1@sender.example"));
    assert_eq!(message.parts.len(), 1);
}

#[test]
fn prefers_plain_text_unless_it_is_empty() {
    let alternative = |plain: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n{plain}\r\n--b\r\n\
             Content-Type: text/html\r\n\r\n<p>rich</p>\r\n--b--\r\n"
        )
    };
    assert_eq!(clean(&alternative("plain")).text, "plain");
    assert_eq!(clean(&alternative(" ")).text, "rich");
    assert_eq!(clean(&alternative(" ")).text_part, 1);
}

#[test]
fn joins_texts_and_lists_attachments() {
    let message = clean(
        "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n\r\none\r\n--b\r\n\
         Content-Type: image/png; name=\"=?utf-8?q?a=C3=A4.png?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
         --b\r\nContent-Type: text/plain (a comment); charset=\"utf-8\" (b)\r\n\r\ntwo\r\n--b--\r\n",
    );
    assert_eq!(message.text, "one\n\ntwo");
    assert_eq!(message.parts.len(), 3);
    assert_eq!(message.parts[1].safe_name, "aä.png");
    assert!(message.parts[1].attachment);
    assert_eq!(message.parts[1].size, 8);
    assert_eq!(message.parts[1].sha256().len(), 64);
    assert_eq!(message.parts[2].charset.as_deref(), Some("utf-8"));
}

#[test]
fn tells_a_boundary_from_its_prefix() {
    let message = clean(
        "Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n\
         --abc\r\n\r\none\r\n--abc\r\n\r\ntwo\r\n--abc--\r\n--ab\r\n\r\nthree\r\n--ab--\r\n",
    );
    assert_eq!(message.text, "one\n\ntwo\n\nthree");
}

#[test]
fn shows_what_it_cannot_take_apart() {
    let message = mail("Content-Type: multipart/mixed; boundary=never\r\n\r\nthe text\r\n");
    assert_eq!(message.text, "the text");
    assert_eq!(message.defects[0].what, "boundary never found; shown as plain text");
    assert_eq!(mail("Content-Type: multipart/mixed\r\n\r\nthe text\r\n").text, "the text");
    assert_eq!(mail("Content-Type: nonsense\r\n\r\nthe text\r\n").text, "the text");
    assert_eq!(parse(b"no header at all").text, "no header at all");
    assert_eq!(parse(b"").text, "");
}

#[test]
fn descends_into_attached_mails() {
    let message = mail(
        "Content-Type: message/rfc822\r\n\r\nFrom: Bob <b@x.example>\r\nSubject: inner\r\n\r\nhello\r\n",
    );
    assert_eq!(message.text, "From: Bob <b@x.example>\nSubject: inner\n\nhello");
}

#[test]
fn stops_at_the_depth_and_part_limits() {
    let mut deep = String::new();
    for level in 0..200 {
        deep.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level:04}\r\n\r\n--b{level:04}\r\n"
        ));
    }
    let message = mail(&format!("{deep}\r\ninnermost\r\n"));
    assert!(message.warnings.contains(&Warning::DepthLimit));
    assert!(message.text.contains("innermost"));

    let wide = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
        "--b\r\n\r\nx\r\n".repeat(3_000)
    );
    let message = mail(&wide);
    assert!(message.warnings.contains(&Warning::DepthLimit));
    assert_eq!(message.parts.len(), 2_000);

    let mails = "Content-Type: message/rfc822\r\n\r\n".repeat(500);
    assert!(mail(&format!("{mails}\r\nend")).warnings.contains(&Warning::DepthLimit));
}

#[test]
fn deep_mails_fit_a_small_stack() {
    let mut deep = String::from(TOP);
    for level in 0..2_000 {
        deep.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level:04}\r\n\r\n--b{level:04}\r\n"
        ));
    }
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || parse(deep.as_bytes()).parts.len());
    assert_eq!(thread.unwrap().join().unwrap(), 1);
}

#[test]
fn nested_html_fits_a_thread_stack() {
    for tag in ["<b>", "<div>", "<table><tr><td>", "<span style='x'>"] {
        let levels = 190 / tag.matches('<').count();
        let html = format!("{TOP}Content-Type: text/html\r\n\r\n{}word", tag.repeat(levels));
        let thread = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || parse(html.as_bytes()).text.contains("word"));
        assert!(thread.unwrap().join().unwrap(), "{tag}");
    }
}

#[test]
fn marks_encryption_but_not_signatures() {
    let encrypted = [
        "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n",
        "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx",
    ];
    for rest in encrypted {
        assert!(mail(rest).warnings.contains(&Warning::Encrypted), "{rest}");
    }
    let signed = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
        Content-Type: application/pgp-signature\r\n\r\nAAAA\r\n--b--\r\n";
    assert!(!mail(signed).warnings.contains(&Warning::Encrypted));
}

#[test]
fn dates_are_judged_by_delivery() {
    let received = |date: &str| {
        parse(format!("Received: by x; Thu, 15 Oct 2026 10:00:00 +0000\r\nFrom: a@b.example\r\n{date}\r\nx").as_bytes())
    };
    let message = received("Date: Thu, 15 Oct 2026 12:00:00 +0200\r\n");
    assert_eq!(message.received, message.date);
    assert!(message.warnings.is_empty());
    for date in ["Date: Thu, 22 Oct 2026 12:00:00 +0200\r\n", "Date: tomorrow\r\n", ""] {
        assert_eq!(received(date).warnings, [Warning::BadDate], "{date}");
    }
}

#[test]
fn a_failed_parse_keeps_the_mail() {
    let message = super::unread(b"From: a@b.example\r\n\r\nx\r\n");
    assert_eq!(message.text, "From: a@b.example\n\nx");
    assert_eq!(message.parts[0].size, 24);
}

#[test]
fn notes_repeated_fields() {
    let message = mail("Subject: other\r\n\r\nx");
    assert_eq!(message.subject, "test");
    assert_eq!(message.defects[0].what, "more than one Subject field");
}

#[test]
fn takes_uuencoded_files_and_flowed_text() {
    let message = mail("\r\nsee\r\nbegin 644 ../x.txt\r\n#0V%T\r\n`\r\nend\r\n");
    assert_eq!(message.parts[1].bytes, b"Cat");
    assert_eq!(message.parts[1].safe_name, "x.txt");
    assert_eq!(message.warnings, [Warning::PathTraversal, Warning::BadEncoding]);
    assert_eq!(
        clean("Content-Type: text/plain; format=flowed\r\n\r\none \r\ntwo\r\n").text,
        "one two"
    );
}

/// Pieces of mail, so that random mails reach every branch.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "From: ",
        "Subject: ",
        "Content-Type: ",
        "multipart/mixed; boundary=b",
        "multipart/alternative; boundary=\"bb\"",
        "message/rfc822",
        "text/html",
        "text/plain; charset=",
        "utf-16",
        "iso-2022-jp",
        "; format=flowed",
        "\r\n",
        "\n",
        "\r",
        "--b",
        "--bb",
        "--",
        "Content-Transfer-Encoding: ",
        "base64",
        "quoted-printable",
        "=?utf-8?q?",
        "?=",
        "=?utf-8?b?",
        "aGVsbG8=",
        "=3D",
        "=",
        "<a href=\"",
        "http://a.example",
        "<table>",
        "<td colspan=9>",
        "</p>",
        "&#27;",
        "begin 644 x\n",
        "end\n",
        "(",
        ")",
        "<",
        ">",
        "\"",
        "\\",
        ",",
        ";",
        ":",
        "@",
        "Date: ",
        "Thu, 15 Oct 2026 10:00:00 +0000",
        "filename*0*=utf-8''a%2f",
        "Content-Disposition: attachment; ",
        "\u{202e}",
        "\0",
        " ",
        "\t",
        "x",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    let piece = prop_oneof![8 => known, 1 => prop::collection::vec(any::<u8>(), 0..6)];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn never_fails_on_bytes(raw in any::<Vec<u8>>()) {
        parse(&raw);
    }

    #[test]
    fn never_fails_on_mail_like_bytes(raw in scraps()) {
        let message = parse(&raw);
        prop_assert!(!message.text.ends_with('\n'));
        prop_assert!(message.warnings.is_sorted());
        prop_assert!(message.parts.iter().all(|part| !part.safe_name.is_empty()));
    }
}
