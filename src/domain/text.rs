//! Characters that a reader does not see, and text folded to one line.

/// Control, direction-changing and invisible characters. Line feed is not among them; the joiners of scripts
/// and emoji are let through.
pub fn is_hidden(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(
            character,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2060}' | '\u{feff}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}'
        )
}

/// Text on one line: white space folded, hidden characters left out, cut at `most` characters with `…`.
pub fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() || is_hidden(character) {
            gap = true;
            continue;
        }
        let gap = std::mem::take(&mut gap) && !line.is_empty();
        if length + 1 + usize::from(gap) > most {
            line.push('…');
            break;
        }
        if gap {
            line.push(' ');
        }
        line.push(character);
        length += 1 + usize::from(gap);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_anything_hidden() {
        assert_eq!(one_line(" a\r\nb\u{202e}c\t\u{0}d ", 80), "a b c d");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(one_line("", 3), "");
    }
}
