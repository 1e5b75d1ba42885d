//! Hostile text made harmless: for every format, and further for Markdown.
//!
//! Done on export only: the draft keeps what was typed. Absent on purpose: any change to code blocks and code
//! spans beyond hidden characters, since a proof of concept must stay what it is.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::domain::text::is_hidden;

/// Text of several lines without control characters, direction changes and invisible characters; LF line ends,
/// no spaces at line ends, no empty lines at the end. Direction changes become visible, such as `[U+202E]`.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                if characters.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\n' | '\t' => out.push(character),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(out, "[U+{:04X}]", u32::from(character));
            }
            character if character.is_control() => out.push('\u{fffd}'),
            character if is_hidden(character) => {}
            character => out.push(character),
        }
    }
    let lines: Vec<&str> = out.split('\n').map(str::trim_end).collect();
    lines.join("\n").trim_end().trim_start_matches('\n').to_owned()
}

/// [`clean`] on one line.
pub fn clean_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// File name without ending, as CSAF 2.0 section 5.1 derives it from the tracking id.
pub fn file_stem(id: &str) -> String {
    let mut stem = String::with_capacity(id.len());
    for character in id.to_lowercase().chars() {
        if character.is_ascii_lowercase() || character.is_ascii_digit() || "+-".contains(character)
        {
            stem.push(character);
        } else if !stem.ends_with('_') {
            stem.push('_');
        }
    }
    if stem.is_empty() { "advisory".into() } else { stem }
}

/// A Markdown section body that cannot break out of its section, notify people, become issue links, run HTML
/// or load images. `logins` may be mentioned.
pub fn markdown(body: &str, logins: &[&str]) -> String {
    let mut out = String::with_capacity(body.len() + 16);
    let mut fence: Option<(char, usize)> = None;
    let mut previous_blank = true;
    let cleaned = clean(body);
    for line in cleaned.split('\n') {
        if let Some((mark, length)) = fence {
            if closes(line, mark, length) {
                fence = None;
                out.push_str(&line[..marker_end(line)]);
                out.push_str("```\n");
            } else {
                // Fences are written with three marks, so three inside would end them.
                out.push_str(&line.replace("```", "'''"));
                out.push('\n');
            }
            continue;
        }
        if let Some((mark, length)) = opens(line) {
            fence = Some((mark, length));
            let (prefix, rest) = line.split_at(marker_end(line));
            let info = rest.trim_start_matches(mark).trim().replace(['`', '~'], "");
            let _ = writeln!(out, "{prefix}```{info}");
            previous_blank = false;
            continue;
        }
        block_line(line, previous_blank, logins, &mut out);
        previous_blank = line.trim().is_empty();
    }
    if fence.is_some() {
        out.push_str("```\n");
    }
    out.truncate(out.trim_end().len());
    out
}

/// One line of text as Markdown that shows it, with nothing in it taking effect.
pub fn markdown_line(text: &str, logins: &[&str]) -> String {
    let mut out = String::new();
    inline(&clean_line(text), logins, &mut out);
    out
}

/// A line outside code blocks: headings sink below section level, underlines stay text.
fn block_line(line: &str, previous_blank: bool, logins: &[&str], out: &mut String) {
    let trimmed = line.trim_start();
    let hashes = trimmed.bytes().take_while(|byte| *byte == b'#').count();
    let after = trimmed.get(hashes..).unwrap_or("");
    let indent = &line[..line.len() - trimmed.len()];
    if (1..=3).contains(&hashes) && (after.is_empty() || after.starts_with([' ', '\t'])) {
        let _ = write!(out, "{indent}####");
        inline(after, logins, out);
    } else if !previous_blank
        && !trimmed.is_empty()
        && (trimmed.bytes().all(|byte| byte == b'=') || trimmed.bytes().all(|byte| byte == b'-'))
    {
        let _ = write!(out, "{indent}\\{trimmed}");
    } else if trimmed.starts_with('[') && link_definition_is_unsafe(trimmed) {
        let _ = write!(out, "{indent}\\");
        inline(trimmed, logins, out);
    } else {
        inline(line, logins, out);
    }
    out.push('\n');
}

fn link_definition_is_unsafe(line: &str) -> bool {
    line.split_once("]:").is_some_and(|(_, target)| has_unsafe_scheme(target))
}

/// Where the text of a line begins behind white space, quotation marks and list marks.
fn marker_end(line: &str) -> usize {
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let after_number = trimmed.get(digits..).unwrap_or("");
        let next = if let Some(quoted) = trimmed.strip_prefix('>') {
            quoted
        } else if let Some(item) = trimmed.strip_prefix(['-', '*', '+'])
            && item.starts_with([' ', '\t'])
        {
            item
        } else if (1..=9).contains(&digits)
            && let Some(item) = after_number.strip_prefix(['.', ')'])
            && item.starts_with([' ', '\t'])
        {
            item
        } else {
            return line.len() - trimmed.len();
        };
        rest = next;
    }
}

/// A fence that opens a code block.
fn opens(line: &str) -> Option<(char, usize)> {
    let text = line.get(marker_end(line)..)?;
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = text.chars().take_while(|character| *character == mark).count();
    let info = text.get(length..)?;
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, length))
}

/// A fence that closes the block.
fn closes(line: &str, mark: char, length: usize) -> bool {
    let text = line.get(marker_end(line)..).unwrap_or("").trim_end();
    text.len() >= length && text.chars().all(|character| character == mark)
}

/// Everything within a line.
fn inline(line: &str, logins: &[&str], out: &mut String) {
    let runs = backtick_runs(line);
    let mut at = 0;
    let mut before = ' ';
    while let Some(character) = line.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &line[at..];
        let taken = match character {
            '`' => code_span(line, at, &runs, out),
            '<' => angle(rest, out),
            'h' | 'H' if !before.is_alphanumeric() => web_address(rest, out),
            '@' if !is_word(before) && before != '/' => mention(rest, logins, out),
            '#' if before != '&' && before != '/' => issue_number(rest, out),
            '!' if rest.starts_with("![") => escaped(out, "!"),
            ']' if rest.starts_with("](") && has_unsafe_scheme(&rest[2..]) => {
                escaped(out, "]");
                escaped(out, "(") + 1
            }
            _ => 0,
        };
        if taken == 0 {
            out.push(character);
            at += character.len_utf8();
            before = character;
        } else {
            at += taken;
            before = line[..at].chars().next_back().unwrap_or(' ');
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '+')
}

fn escaped(out: &mut String, text: &str) -> usize {
    out.push('\\');
    out.push_str(text);
    text.len()
}

/// Starts of the runs of backticks, by length.
fn backtick_runs(line: &str) -> HashMap<usize, Vec<usize>> {
    let mut runs: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut start = None;
    for (at, byte) in line.bytes().chain([b' ']).enumerate() {
        match (byte == b'`', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                runs.entry(at - from).or_default().push(from);
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// Copies a code span whole; backticks without partner become text. Returns the bytes taken.
fn code_span(line: &str, at: usize, runs: &HashMap<usize, Vec<usize>>, out: &mut String) -> usize {
    let length = line[at..].bytes().take_while(|byte| *byte == b'`').count();
    let partner = runs.get(&length).and_then(|starts| {
        let after = starts.partition_point(|start| *start <= at);
        starts.get(after).copied()
    });
    match partner {
        Some(end) => {
            // Three marks inside, at the start of a line in some renderers, would open a block.
            out.push_str(&line[at..at + length]);
            out.push_str(&line[at + length..end].replace("```", "'''"));
            out.push_str(&line[end..end + length]);
            end + length - at
        }
        None => {
            (0..length).for_each(|_| out.push_str("\\`"));
            length
        }
    }
}

/// Keeps web addresses in angle brackets; other tags become text.
fn angle(rest: &str, out: &mut String) -> usize {
    let inside = &rest[1..];
    if inside.starts_with("https://") || inside.starts_with("http://") {
        let end = inside.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`'));
        if let Some(end) = end
            && inside[end..].starts_with('>')
        {
            out.push_str(&rest[..end + 2]);
            return end + 2;
        }
    }
    if inside.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.push_str("&lt;");
        return 1;
    }
    0
}

/// Copies a bare web address whole, so that `#` and `@` in it stay.
fn web_address(rest: &str, out: &mut String) -> usize {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let Some(scheme) = scheme else { return 0 };
    let stops =
        |c: char| c.is_whitespace() || matches!(c, ')' | '<' | '>' | '"' | '`' | ']' | '[' | '!');
    let length = rest[scheme.len()..].find(stops).map_or(rest.len(), |end| scheme.len() + end);
    out.push_str(&rest[..length]);
    length
}

/// `@name` of anyone who is not credited goes into a code span, where it notifies nobody.
fn mention(rest: &str, logins: &[&str], out: &mut String) -> usize {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
    let length = rest[1..].find(|c| !name(c)).unwrap_or(rest.len() - 1);
    let login = &rest[1..=length];
    if length == 0 || logins.iter().any(|known| known.eq_ignore_ascii_case(login)) {
        return 0;
    }
    as_code(&rest[..=length], &rest[length + 1..], out);
    length + 1
}

/// `#12` would become a link to an issue.
fn issue_number(rest: &str, out: &mut String) -> usize {
    let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return 0;
    }
    as_code(&rest[..=digits], &rest[digits + 1..], out);
    digits + 1
}

/// A code span, kept apart from backticks beside it.
fn as_code(text: &str, after: &str, out: &mut String) {
    let gap = |needed| if needed { " " } else { "" };
    let (before, behind) = (gap(out.ends_with('`')), gap(after.starts_with('`')));
    let _ = write!(out, "{before}`{text}`{behind}");
}

/// Whether a link target names a scheme other than http and https.
fn has_unsafe_scheme(target: &str) -> bool {
    let target = target.trim_start().trim_start_matches('<');
    let end = target.find(|c: char| matches!(c, ':' | '/' | '?' | '#' | ')') || c.is_whitespace());
    end.is_some_and(|end| {
        let scheme = &target[..end];
        target[end..].starts_with(':')
            && !scheme.eq_ignore_ascii_case("https")
            && !scheme.eq_ignore_ascii_case("http")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_vanish_or_become_visible() {
        assert_eq!(clean("a\r\nb\rc\u{0}\u{202e}d\u{200b}e \t\n\n"), "a\nb\nc\u{fffd}[U+202E]de");
        assert_eq!(clean_line(" a\n\u{2028} b "), "a b");
    }

    #[test]
    fn file_stems_follow_csaf() {
        assert_eq!(file_stem("GHSA-2vjq-hg5w-5gm7"), "ghsa-2vjq-hg5w-5gm7");
        assert_eq!(file_stem("A..b/ c+d"), "a_b_c+d");
        assert_eq!(file_stem(""), "advisory");
    }

    #[test]
    fn markdown_that_takes_effect_is_made_text() {
        for (from, to) in [
            ("# top", "#### top"),
            ("text\n---", "text\n\\---"),
            ("see @someone, not me@example.org", "see `@someone`, not me@example.org"),
            ("by @friend", "by @friend"),
            ("bug #12 and repo#3", "bug `#12` and repo`#3`"),
            ("https://x.org/a#12 <https://x.org/@b>", "https://x.org/a#12 <https://x.org/@b>"),
            ("<img src=x> 1 < 2", "&lt;img src=x> 1 < 2"),
            ("![x](http://y)", "\\![x](http://y)"),
            ("[x](javascript:alert(1))", "[x\\]\\(javascript:alert(1))"),
            ("`<b> @who #1` and ` alone", "`<b> @who #1` and \\` alone"),
            ("&#39;", "&#39;"),
            ("``x``@who`y`", "``x`` `@who` `y`"),
        ] {
            assert_eq!(markdown(from, &["friend"]), to);
        }
    }

    #[test]
    fn code_blocks_stay_and_end() {
        assert_eq!(
            markdown("- ~~~~ sh\n  # not a ``` heading", &[]),
            "- ```sh\n  # not a ''' heading\n```"
        );
        let kept = "1. x\n   ```\n   <b> @who\n   ```\n\n2. y";
        assert_eq!(markdown(kept, &[]), kept);
    }

    proptest! {
        #[test]
        fn any_text_gives_even_fences_and_no_section_heading(
            text in "([#`~<>@!\\[\\]()\\-=*+ \n\r\t1a:/]|\\PC|\u{202e}|```|https://|~~~\n){0,60}"
        ) {
            let out = markdown(&text, &[]);
            prop_assert_eq!(out.matches("```").count() % 2, 0, "{}", out);
            let heading = |line: &str| line.starts_with("# ") || line.starts_with("## ") || line.starts_with("### ");
            let mut inside = false;
            for line in out.lines() {
                if line.trim_start().starts_with("```") { inside = !inside; }
                prop_assert!(inside || !heading(line), "{}", out);
            }
            prop_assert!(!out.chars().any(|c| is_hidden(c) && c != '\t'));
        }
    }
}
