//! Every mail of the shared corpus: bytes as recorded, read within time, marked as expected, safe to show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use casebook::mail::{DisplayText, Message, parse};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Allowed for a mail of up to 1 MB: 200 ms, times a slack for unoptimised code on a loaded machine.
const LIMIT: Duration = Duration::from_millis(200 * 5);

/// Class defaults that say nothing about the file at hand (INDEX allows this), each with the reason.
const EXCEPTIONS: [(&str, &str, &str); 12] = [
    (
        "handmade/sender/from-8bit.eml",
        "from-spoof",
        "one plain sender; what is wrong is the charset, and that is marked",
    ),
    (
        "handmade/attachment-name/nfd.eml",
        "path-traversal",
        "a harmless name with a combining accent",
    ),
    (
        "handmade/mime-bomb/boundary-with-specials.eml",
        "depth-limit",
        "a small regular mail; no bound is near",
    ),
    (
        "handmade/mime-bomb/empty-boundary.eml",
        "depth-limit",
        "shown as plain text with a defect; no bound is near",
    ),
    ("handmade/mime-bomb/html-entities.eml", "depth-limit", "54 kB of flat text; no bound is near"),
    ("handmade/charset/koi8-r.eml", "bad-charset", "declared, known and decoded without loss"),
    ("handmade/charset/big5.eml", "bad-charset", "declared, known and decoded without loss"),
    ("handmade/charset/shift_jis.eml", "bad-charset", "declared, known and decoded without loss"),
    (
        "handmade/charset/gb18030-4byte.eml",
        "bad-charset",
        "declared, known and decoded without loss",
    ),
    ("handmade/transfer-encoding/flowed.eml", "bad-encoding", "regular format=flowed"),
    (
        "handmade/crypto/fake-status-line.eml",
        "encrypted",
        "plain text that imitates a status line; nothing is encrypted",
    ),
    ("handmade/crypto/signed-plus-tail.eml", "encrypted", "signed, not encrypted"),
];

/// Warnings that the sample reports do deserve, each with the reason.
const DESERVED: [(&str, &str, &str); 8] = [
    ("d04", "path-traversal", "the attached archive holds a name that climbs out of its folder"),
    ("d19", "active", "tells of a javascript: target"),
    ("d20", "active", "tells of a javascript: target"),
    ("d21", "active", "quotes a mail that tells of a javascript: target"),
    ("d37", "encrypted", "PGP/MIME"),
    ("d38", "dangerous-type", "an HTML file is attached"),
    ("d57", "bad-date", "dated two months after its delivery"),
    ("d58", "bad-date", "dated 1970"),
];

#[derive(Deserialize)]
struct Corpus {
    file: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    class: String,
    sha256: String,
    #[serde(default)]
    warn: Vec<String>,
    #[serde(default)]
    save_as: Vec<String>,
}

fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("CASEBOOK_SHARED").map(PathBuf::from);
    let shared = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    shared.join("corpus/expect.toml").is_file().then_some(shared)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x061c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xe0000..=0xe0fff)
}

fn shown(message: &Message) -> Vec<DisplayText> {
    let mut all = DisplayText::block(&message.text);
    all.push(DisplayText::line(&message.subject));
    for address in
        message.from.iter().chain(&message.to).chain(&message.cc).chain(&message.reply_to)
    {
        all.push(DisplayText::line(&address.name));
        all.push(DisplayText::line(&address.address));
    }
    for (name, value) in &message.headers {
        all.push(DisplayText::line(name));
        all.push(DisplayText::line(value));
    }
    for part in &message.parts {
        all.push(DisplayText::line(&part.safe_name));
        all.push(DisplayText::line(part.name.as_deref().unwrap_or_default()));
    }
    all
}

#[test]
fn every_corpus_mail_is_read_marked_and_shown_safely() {
    let Some(shared) = shared() else {
        eprintln!("skipped: no shared material");
        return;
    };
    let corpus: Corpus =
        toml::from_str(&std::fs::read_to_string(shared.join("corpus/expect.toml")).unwrap())
            .unwrap();
    let (mut files, mut expected, mut found) = (0, 0, 0);
    let mut faults = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for file in corpus.file.iter().filter(|file| file.class != "cvss") {
        let raw = std::fs::read(shared.join("corpus").join(&file.path)).unwrap();
        files += 1;
        if hex(&raw) != file.sha256 {
            faults.push(format!("{}: other bytes than recorded", file.path));
        }
        let start = Instant::now();
        let message = parse(&raw);
        let took = start.elapsed();
        if took > slowest.0 {
            slowest = (took, file.path.clone());
        }
        if took > LIMIT {
            faults.push(format!("{}: took {took:?}", file.path));
        }
        for warning in &file.warn {
            expected += 1;
            let there = message.warnings.iter().any(|w| w.as_str() == warning);
            let excepted = EXCEPTIONS.iter().any(|(path, w, _)| *path == file.path && w == warning);
            found += usize::from(there);
            if there == excepted {
                let what = if there { "excepted but there" } else { "missing" };
                faults
                    .push(format!("{}: {what}: {warning} (has {:?})", file.path, message.warnings));
            }
        }
        for name in &file.save_as {
            if !message.parts.iter().any(|part| part.safe_name == *name) {
                faults.push(format!("{}: no part is saved as {name}", file.path));
            }
        }
        let mut names: Vec<_> =
            message.parts.iter().map(|part| part.safe_name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        if names.len() != message.parts.len() {
            faults.push(format!("{}: file names are not distinct", file.path));
        }
        if shown(&message).iter().any(|text| text.as_str().chars().any(is_forbidden)) {
            faults.push(format!("{}: a forbidden character would be shown", file.path));
        }
    }
    eprintln!(
        "{files} files, {found} of {expected} warnings, slowest {:?} {}",
        slowest.0, slowest.1
    );
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Damaged copies of every corpus mail: flipped, cut, repeated bytes. Same damage on every run.
#[test]
fn damaged_corpus_mails_are_read() {
    let Some(shared) = shared() else {
        eprintln!("skipped: no shared material");
        return;
    };
    let text = std::fs::read_to_string(shared.join("corpus/expect.toml")).unwrap();
    let corpus: Corpus = toml::from_str(&text).unwrap();
    let rounds = std::env::var("CASEBOOK_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(8);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (below.max(1) as u64)).unwrap()
    };
    let (mut count, mut slowest) = (0, (Duration::ZERO, String::new()));
    for file in corpus.file.iter().filter(|file| file.class != "cvss") {
        let raw = std::fs::read(shared.join("corpus").join(&file.path)).unwrap();
        for _ in 0..rounds {
            let mut bytes = raw.clone();
            for _ in 0..=random(12) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => {
                        let end = (at + random(200)).min(bytes.len());
                        let piece = bytes[at..end].to_vec();
                        let to = random(bytes.len());
                        bytes.splice(to..to, piece);
                    }
                    2 => drop(bytes.drain(at..(at + random(40)).min(bytes.len()))),
                    _ if at < bytes.len() => bytes[at] = u8::try_from(random(256)).unwrap(),
                    _ => {}
                }
            }
            let start = Instant::now();
            let message = parse(&bytes);
            let took = start.elapsed();
            if took > slowest.0 {
                slowest = (took, file.path.clone());
            }
            count += 1;
            assert!(
                shown(&message).iter().all(|text| !text.as_str().chars().any(is_forbidden)),
                "{}",
                file.path
            );
        }
    }
    eprintln!("{count} damaged mails, slowest {:?} {}", slowest.0, slowest.1);
    assert!(slowest.0 < LIMIT, "{}: took {:?}", slowest.1, slowest.0);
}

/// Ordinary reports must not be buried in warnings: every one raised is listed and has a known reason.
#[test]
fn reports_raise_few_warnings() {
    let Some(shared) = shared() else {
        eprintln!("skipped: no shared material");
        return;
    };
    let mut raised: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut mails = 0;
    let mut entries: Vec<_> = std::fs::read_dir(shared.join("corpus/reports"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries.iter().filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
    {
        mails += 1;
        let message = parse(&std::fs::read(path).unwrap());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for warning in &message.warnings {
            let deserved =
                DESERVED.iter().any(|(mail, w, _)| *mail == name && *w == warning.as_str());
            assert!(deserved, "{name}: {}", warning.as_str());
            raised.entry(warning.as_str().to_owned()).or_default().push(name.clone());
        }
        for defect in &message.defects {
            raised.entry(format!("defect: {}", defect.what)).or_default().push(name.clone());
        }
        if let Some(automatic) = message.automatic {
            raised.entry(format!("automatic: {automatic:?}")).or_default().push(name.clone());
        }
        assert!(
            !message.text.trim().is_empty() || !message.parts.is_empty(),
            "{name}: nothing to show"
        );
    }
    for (what, names) in &raised {
        eprintln!("{what}: {}", names.join(" "));
    }
    assert_eq!(mails, 60);
}
