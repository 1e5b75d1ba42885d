//! Mailbox names as they go over the wire.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

/// Longest accepted name, in characters.
const LONGEST: usize = 255;

/// Why a name cannot be a mailbox name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the mailbox name is empty")]
    Empty,
    /// Over 255 characters.
    #[error("the mailbox name is longer than 255 characters")]
    Long,
    /// A line end, NUL or another control character, which could end the command and start another one.
    #[error("the mailbox name contains a control character")]
    Control,
}

/// Writes a mailbox name in modified UTF-7 (RFC 3501 section 5.1.3). The result is printable ASCII; quoting is
/// left to the writer of the command.
pub fn encode_name(name: &str) -> Result<String, NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().count() > LONGEST {
        return Err(NameError::Long);
    }
    if name.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    let mut wire = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if c.is_ascii() {
            flush(&mut shifted, &mut wire);
            wire.push(c);
            if c == '&' {
                wire.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shifted.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    flush(&mut shifted, &mut wire);
    Ok(wire)
}

/// An encoded name as a quoted string (RFC 3501 section 9).
pub(crate) fn quoted_name(wire_name: &str) -> String {
    format!("\"{}\"", wire_name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn flush(shifted: &mut Vec<u8>, wire: &mut String) {
    if !shifted.is_empty() {
        wire.push('&');
        GeneralPurpose::new(&IMAP_MUTF7, NO_PAD).encode_string(&shifted, wire);
        wire.push('-');
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodes_as_rfc_3501_shows() {
        assert_eq!(encode_name("INBOX").unwrap(), "INBOX");
        assert_eq!(encode_name("R&D").unwrap(), "R&-D");
        assert_eq!(
            encode_name("~peter/mail/台北/日本語").unwrap(),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
        assert_eq!(encode_name("Entwürfe").unwrap(), "Entw&APw-rfe");
    }

    #[test]
    fn refuses_what_could_carry_a_command() {
        for name in ["", "a\r\nx NOOP", "a\nb", "a\0b", "a\u{85}b"] {
            assert!(encode_name(name).is_err(), "{name:?}");
        }
        assert_eq!(encode_name(&"x".repeat(256)), Err(NameError::Long));
    }

    proptest! {
        #[test]
        fn is_always_one_printable_line(name in ".{0,300}") {
            if let Ok(wire) = encode_name(&name) {
                prop_assert!(wire.bytes().all(|b| (0x20..0x7f).contains(&b)));
            }
        }
    }
}
