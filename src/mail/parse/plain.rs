//! Plain text bodies: format=flowed (RFC 3676) and files that are uuencoded inside a text.

/// Joins flowed lines. Quote depth is kept as `>` marks, the signature line stays fixed.
pub(super) fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // Quote depth of an open paragraph.
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|&b| b == b'>').count();
        let content = line.get(depth..).unwrap_or_default();
        let content = content.strip_prefix(' ').unwrap_or(content);
        let flowed = content.ends_with(' ') && content != "-- ";
        if open.is_none_or(|depth_before| depth_before != depth) || content == "-- " {
            if !out.is_empty() {
                trim_space_before_break(&mut out, open.is_some());
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let kept =
            if flowed && delsp { content.strip_suffix(' ').unwrap_or(content) } else { content };
        out.push_str(kept);
        open = flowed.then_some(depth);
    }
    if text.ends_with('\n') {
        out.push('\n');
    }
    out
}

fn trim_space_before_break(out: &mut String, paragraph_open: bool) {
    if paragraph_open && out.ends_with(' ') && !out.ends_with("-- ") {
        out.pop();
    }
}

/// A file found inside a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Uu {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Files taken out of one text at most.
const UU_MAX: usize = 20;

/// Takes uuencoded files out of a text; `[name]` stays in their place. `None` if there is none.
pub(super) fn take_uuencoded(text: &str) -> Option<(String, Vec<Uu>)> {
    if !text.contains("begin ") {
        return None;
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let (mut kept, mut files) = (Vec::with_capacity(lines.len()), Vec::new());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let found = uu_name(line).filter(|_| files.len() < UU_MAX).and_then(|name| {
            let (bytes, used) = uu_body(lines.get(at + 1..)?)?;
            Some((Uu { name: name.to_owned(), bytes }, used))
        });
        match found {
            Some((file, used)) => {
                kept.push("[uuencoded file, see attachments]");
                files.push(file);
                at += used + 1;
            }
            None => {
                kept.push(line);
                at += 1;
            }
        }
    }
    (!files.is_empty()).then(|| (kept.join("\n"), files))
}

/// `begin 644 name`.
fn uu_name(line: &str) -> Option<&str> {
    let rest = line.trim_end_matches('\r').strip_prefix("begin ")?;
    let (mode, name) = rest.split_once(' ')?;
    let octal = (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    (octal && !name.is_empty()).then_some(name)
}

/// Bytes up to the line `end`, and the lines used; `None` if a line does not fit, so that prose is left alone.
fn uu_body(lines: &[&str]) -> Option<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim_end_matches('\r');
        if line == "end" {
            return Some((bytes, at + 1));
        }
        let (&first, rest) = line.as_bytes().split_first()?;
        let length = usize::from(first.checked_sub(0x20)?) & 0x3f;
        if first > 0x60
            || rest.iter().any(|b| !(0x20..=0x60).contains(b))
            || rest.len() * 3 / 4 < length.saturating_sub(2)
        {
            return None;
        }
        uu_line(rest, length, &mut bytes);
    }
    None
}

fn uu_line(rest: &[u8], length: usize, out: &mut Vec<u8>) {
    let value = |byte: Option<&u8>| byte.map_or(0, |b| u32::from(b.wrapping_sub(0x20) & 0x3f));
    let start = out.len();
    for group in rest.chunks(4) {
        let word = value(group.first()) << 18
            | value(group.get(1)) << 12
            | value(group.get(2)) << 6
            | value(group.get(3));
        out.extend_from_slice(word.to_be_bytes().get(1..).unwrap_or_default());
    }
    out.truncate((start + length).min(out.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_flowed_lines() {
        assert_eq!(unflow("one \ntwo \nthree\nfour\n", false), "one two three\nfour\n");
        assert_eq!(unflow("one \ntwo\n", true), "onetwo\n");
        assert_eq!(unflow("one \n> q \n> r\n-- \nsig", false), "one\n> q r\n-- \nsig");
        assert_eq!(unflow(" > not quoted\n\n x", false), "> not quoted\n\nx");
    }

    #[test]
    fn takes_files_out() {
        let (text, files) = take_uuencoded("see\nbegin 644 ../x.txt\n#0V%T\n`\nend\nbye").unwrap();
        assert_eq!(text, "see\n[uuencoded file, see attachments]\nbye");
        assert_eq!(files, [Uu { name: "../x.txt".to_owned(), bytes: b"Cat".to_vec() }]);
        assert_eq!(take_uuencoded("begin 644 x\nthis is prose\nend"), None);
        assert_eq!(take_uuencoded("begin the day"), None);
    }
}
