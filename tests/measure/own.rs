//! The repository's own labelled mails, written down as data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::Label;

/// Reads a file of `tests/fixtures/reports`; what its keys mean stands there.
pub fn set(name: &str) -> Vec<(Label, Vec<u8>, Timestamp)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports");
    let text = std::fs::read_to_string(folder.join(name)).expect("readable");
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mails = table["mail"].as_array().expect("a list").iter();
    let mails: Vec<&toml::Table> = mails.map(|mail| mail.as_table().expect("a table")).collect();
    let times: BTreeMap<&str, Timestamp> =
        mails.iter().map(|mail| (text_of(mail, "id"), received(mail))).collect();
    assert_eq!(times.len(), mails.len(), "{name}: an id twice");
    mails.iter().map(|mail| (label(mail), raw(mail), received(mail))).collect()
}

fn text_of<'a>(mail: &'a toml::Table, key: &str) -> &'a str {
    mail.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

fn list(mail: &toml::Table, key: &str) -> BTreeSet<String> {
    let list = mail.get(key).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

fn received(mail: &toml::Table) -> Timestamp {
    mail["received"].as_datetime().expect("a time").to_string().parse().expect("a time")
}

fn label(mail: &toml::Table) -> Label {
    let id = text_of(mail, "id");
    let case = or(text_of(mail, "case"), id);
    Label {
        id: id.to_owned(),
        category: text_of(mail, "category").to_owned(),
        case: case.to_owned(),
        case_opener: case == id,
        direction: or(text_of(mail, "direction"), "in").to_owned(),
        disposition: text_of(mail, "disposition").to_owned(),
        clauses: list(mail, "clauses"),
        versions: list(mail, "versions"),
        status: text_of(mail, "status").to_owned(),
        vectors: list(mail, "vectors"),
        flags: list(mail, "flags"),
        duplicate_of: text_of(mail, "duplicate_of").to_owned(),
    }
}

/// The mail as it would lie in an inbox.
fn raw(mail: &toml::Table) -> Vec<u8> {
    let mut head = format!(
        "From: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@mails.example>\r\n",
        text_of(mail, "from"),
        or(text_of(mail, "to"), "security@octoprint.org"),
        text_of(mail, "subject"),
        text_of(mail, "id")
    );
    for (key, name) in [("reply_to_id", "In-Reply-To"), ("automatic", "Auto-Submitted")] {
        let value = text_of(mail, key);
        match key {
            _ if value.is_empty() => {}
            "reply_to_id" => head.push_str(&format!("{name}: <{value}@mails.example>\r\n")),
            _ => head.push_str(&format!("{name}: {value}\r\n")),
        }
    }
    let text = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let body = text_of(mail, "text").replace('\n', "\r\n");
    let names = list(mail, "attachments");
    if names.is_empty() {
        return format!("{head}MIME-Version: 1.0\r\n{text}{body}").into_bytes();
    }
    let mut whole = format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\n{text}{body}\r\n"
    );
    for name in names {
        whole.push_str(&format!(
            "--b0\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\nplaceholder\r\n"
        ));
    }
    whole.push_str("--b0--\r\n");
    whole.into_bytes()
}

/// The mails of the sample inbox, with their labels.
pub fn samples() -> Vec<(Label, Vec<u8>, Timestamp)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/labels.toml");
    let text = std::fs::read_to_string(path).expect("readable");
    let table: toml::Table = text.parse().expect("TOML");
    let now = "2026-11-01T12:00:00Z".parse().expect("a time");
    let mut raws: BTreeMap<&str, (Vec<u8>, Timestamp)> =
        casebook::runtime::demo::mails::render(now)
            .into_iter()
            .map(|mail| (mail.name, (mail.raw, mail.internal_date)))
            .collect();
    let labelled = |mail: &toml::Value| {
        let mail = mail.as_table().expect("a table");
        let id = text_of(mail, "file").trim_end_matches(".eml");
        let (raw, received) = raws.remove(id).expect("a sample");
        Some((sample(mail, id), raw, received))
    };
    table["mail"].as_array().expect("a list").iter().filter_map(labelled).collect()
}

fn sample(mail: &toml::Table, id: &str) -> Label {
    let versions = mail["versions"].as_array().expect("a list").iter();
    let versions: Vec<&toml::Table> = versions.filter_map(toml::Value::as_table).collect();
    let claimed = versions.iter().map(|version| text_of(version, "claimed").to_owned());
    let joins = matches!(text_of(mail, "disposition"), "attach-to-case" | "own-reply");
    Label {
        id: id.to_owned(),
        case_opener: !joins,
        status: or(versions.first().map_or("", |first| text_of(first, "status")), "unstated")
            .to_owned(),
        versions: claimed.collect(),
        ..label(mail)
    }
}
