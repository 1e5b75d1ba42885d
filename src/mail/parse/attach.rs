//! What an attachment is, judged by its name, its first bytes and, for archives, its table of contents.
//!
//! Archives are never unpacked.

use crate::mail::safe_name::is_unsafe;
use crate::mail::{Part, Warning};

use super::{Report, scan};

/// Endings of files that run, or that show content which runs, when opened.
const RUNNING: [&str; 52] = [
    "apk", "app", "appimage", "bash", "bat", "chm", "cmd", "com", "command", "cpl", "deb",
    "desktop", "dll", "dmg", "docm", "dotm", "exe", "hta", "htm", "html", "img", "inf", "iso",
    "jar", "js", "jse", "lnk", "mht", "mhtml", "msi", "msp", "pif", "pkg", "potm", "ppsm", "pptm",
    "ps1", "psm1", "reg", "rpm", "scf", "scr", "sh", "shtml", "svg", "url", "vbe", "vbs", "vhd",
    "wsf", "xhtml", "xlsm",
];
/// Entries of an archive's table that are read.
const ENTRIES_MAX: usize = 10_000;
/// An archive that grows beyond both is a bomb.
const BOMB_BYTES: u64 = 10 << 20;
const BOMB_RATIO: u64 = 100;

/// Marks what is dangerous about a part's name and content.
pub(super) fn inspect(part: &Part, report: &mut Report) {
    if let Some(name) = &part.name {
        scan::field(name, report);
        if is_unsafe(name) {
            report.warn(Warning::PathTraversal);
        }
    }
    if part.attachment {
        inspect_content(part, report);
    }
}

fn inspect_content(part: &Part, report: &mut Report) {
    let ending = ending(&part.safe_name);
    let kind = kind_of(&part.bytes);
    if RUNNING.binary_search(&ending.as_str()).is_ok() || kind == Some("program") {
        report.warn(Warning::DangerousType);
    }
    let claims = [kind_by_ending(&ending), kind_by_type(&part.content_type)];
    if !part.bytes.is_empty() && claims.into_iter().flatten().any(|claimed| kind != Some(claimed)) {
        report.warn(Warning::TypeMismatch);
    }
    match kind {
        Some("zip") => inspect_zip(&part.bytes, report),
        Some("gzip") => {
            // The last four bytes: size modulo 2^32 (RFC 1952).
            let size = part
                .bytes
                .last_chunk::<4>()
                .map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
            mark_bomb(size, part.size, report);
        }
        _ => {}
    }
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// The kind that the first bytes show.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 11] = [
        (b"%PDF", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF8", "gif"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\x1f\x8b", "gzip"),
        (b"MZ", "program"),
        (b"\x7fELF", "program"),
        (b"\xcf\xfa\xed\xfe", "program"),
        (b"\xca\xfe\xba\xbe", "program"),
    ];
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind)
}

fn kind_by_ending(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "pdf" => "pdf",
        "png" => "png",
        "gif" => "gif",
        "jpg" | "jpeg" => "jpeg",
        "zip" | "docx" | "xlsx" | "pptx" | "jar" => "zip",
        "gz" | "tgz" => "gzip",
        _ => return None,
    })
}

fn kind_by_type(content_type: &str) -> Option<&'static str> {
    Some(match content_type {
        "application/pdf" => "pdf",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/jpeg" => "jpeg",
        "application/zip" => "zip",
        "application/gzip" => "gzip",
        _ => return None,
    })
}

fn mark_bomb(unpacked: u64, packed: u64, report: &mut Report) {
    if unpacked > BOMB_BYTES && unpacked / packed.max(1) > BOMB_RATIO {
        report.warn(Warning::ZipBomb);
    }
}

/// Reads sizes and names from the central directory (APPNOTE 4.3.12).
fn inspect_zip(bytes: &[u8], report: &mut Report) {
    let Some(directory) = zip_directory(bytes) else {
        report.defect("archive without a readable table of contents");
        return;
    };
    let (mut at, mut unpacked) = (directory, 0_u64);
    for _ in 0..ENTRIES_MAX {
        let Some(entry) = bytes.get(at..).filter(|rest| rest.starts_with(b"PK\x01\x02")) else {
            break;
        };
        let size = number(entry, 24, 4);
        // 0xffffffff: the real size stands in a ZIP64 field; that alone is over 4 GiB.
        unpacked = unpacked.saturating_add(size);
        let name_length = length(entry, 28);
        let name = entry.get(46..46 + name_length).unwrap_or_default();
        let climbs = name.split(|b| matches!(b, b'/' | b'\\')).any(|piece| piece == b"..");
        if climbs || name.starts_with(b"/") {
            report.warn(Warning::PathTraversal);
        }
        at += 46 + name_length + length(entry, 30) + length(entry, 32);
    }
    mark_bomb(unpacked, bytes.len() as u64, report);
}

/// Offset of the central directory, from the end record within the last 64 KiB.
fn zip_directory(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(65_557);
    let tail = bytes.get(from..)?;
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06")?;
    usize::try_from(number(tail.get(end..)?, 16, 4)).ok().filter(|at| *at < bytes.len())
}

fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    let field = bytes.get(at..at + count).unwrap_or_default();
    field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn length(bytes: &[u8], at: usize) -> usize {
    usize::try_from(number(bytes, at, 2)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(name: &str, content_type: &str, bytes: &[u8]) -> Vec<Warning> {
        let mut report = Report::default();
        let part = Part {
            index: 0,
            content_type: content_type.to_owned(),
            charset: None,
            name: Some(name.to_owned()),
            safe_name: crate::mail::safe_name::safe_name(name),
            attachment: true,
            size: bytes.len() as u64,
            bytes: bytes.to_vec(),
        };
        inspect(&part, &mut report);
        report.warnings.into_iter().collect()
    }

    fn zip(name: &[u8], size: u32) -> Vec<u8> {
        let mut out = b"PK\x03\x04".to_vec();
        let directory = out.len() as u32;
        out.extend_from_slice(b"PK\x01\x02");
        out.extend_from_slice(&[0; 20]);
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0; 16]);
        out.extend_from_slice(name);
        out.extend_from_slice(b"PK\x05\x06");
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&directory.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out
    }

    #[test]
    fn endings_are_sorted() {
        assert!(RUNNING.is_sorted());
    }

    #[test]
    fn judges_attachments() {
        use Warning::{DangerousType, PathTraversal, TypeMismatch, ZipBomb};
        for (name, content_type, bytes, expected) in [
            ("poc.py", "text/x-python", b"print()".to_vec(), vec![]),
            ("a.png", "image/png", b"\x89PNG\r\n\x1a\n....".to_vec(), vec![]),
            ("a.png", "image/png", b"MZ....".to_vec(), vec![DangerousType, TypeMismatch]),
            ("run.sh", "text/plain", b"id".to_vec(), vec![DangerousType]),
            ("a.zip", "application/zip", zip(b"a.txt", 5), vec![]),
            ("a.zip", "application/zip", zip(b"../a.txt", 5), vec![PathTraversal]),
            ("a.zip", "application/zip", zip(b"a.txt", 1 << 30), vec![ZipBomb]),
            ("../a.txt", "text/plain", b"x".to_vec(), vec![PathTraversal]),
        ] {
            assert_eq!(warnings(name, content_type, &bytes), expected, "{name}");
        }
    }
}
