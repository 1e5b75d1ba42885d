//! Text that a server sent, made fit for an error message.

/// Longest piece of server text that is ever kept, in characters.
const LONGEST: usize = 200;

/// Makes text from the network fit to be shown: control characters become their pictures, characters that
/// reorder or hide text become U+FFFD, and only the first 200 characters are kept.
pub fn printable(bytes: &[u8]) -> String {
    let head = bytes.get(..LONGEST * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head);
    let mut shown: String = text.trim().chars().take(LONGEST).map(visible).collect();
    if text.trim().chars().count() > LONGEST || head.len() < bytes.len() {
        shown.push('…');
    }
    shown
}

fn visible(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        _ if c.is_control() || is_invisible(c) => '\u{fffd}',
        _ => c,
    }
}

/// Bidirectional controls, joiners, separators and tag characters (UAX #9, Unicode general categories Cf,
/// Zl and Zp as far as they can mislead in a sentence).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_controls_and_bounds_the_length() {
        assert_eq!(printable(b"hi \x1b]0;x\x07"), "hi ␛]0;x␇");
        assert_eq!(printable("a\u{202e}b\u{9b}".as_bytes()), "a\u{fffd}b\u{fffd}");
        assert_eq!(printable(&[b'x'; 5000]).chars().count(), LONGEST + 1);
        assert_eq!(printable(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn hides_all_that_the_domain_calls_hidden() {
        for hidden in (char::MIN..=char::MAX).filter(|c| crate::domain::text::is_hidden(*c)) {
            let shown = printable(format!("a{hidden}b").as_bytes());
            assert!(!shown.contains(hidden), "{hidden:?}");
        }
    }
}
