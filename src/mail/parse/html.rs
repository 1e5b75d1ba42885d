//! HTML bodies: text out of them, and what they try to do.
//!
//! Nothing is loaded and nothing runs; hidden text stays visible because styles are not applied. html2text gets
//! only input of bounded size and nesting, everything else a plain removal of tags.

use crate::mail::Warning;

use super::{Report, links, scan};

/// Bounds on what html2text is given.
const BYTES_MAX: usize = 1 << 20;
const NESTING_MAX: usize = 200;
const TAGS_MAX: usize = 20_000;
/// Nesting of quotes and lists: each level takes columns and repeats its mark on every line.
const INDENTS_MAX: usize = 20;
const INDENTING: [&str; 7] = ["blockquote", "ul", "ol", "dl", "dd", "dir", "menu"];
/// Columns of the text made from HTML.
const COLUMNS: usize = 100;
/// Attributes looked at per tag.
const ATTRIBUTES_MAX: usize = 64;

/// Elements without an end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "param",
];

/// A tag as written; names in lower case.
pub(super) struct Tag<'a> {
    pub name: String,
    pub closing: bool,
    pub attributes: Vec<(String, String)>,
    /// Text between this tag and the next.
    pub text: &'a str,
}

/// Splits HTML into tags with the text that follows each; the first entry has an empty name. One pass; an open
/// tag or attribute at the end counts up to the end.
fn tags(html: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = Some(html);
    let mut first = true;
    std::iter::from_fn(move || {
        let here = rest?;
        if std::mem::take(&mut first) {
            let (text, after) = until_tag(here);
            rest = after;
            return Some(Tag { name: String::new(), closing: false, attributes: Vec::new(), text });
        }
        if let Some(comment) = here.strip_prefix("<!--") {
            let after =
                comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
            let (text, next) = until_tag(after);
            rest = next;
            return Some(Tag {
                name: "!--".to_owned(),
                closing: false,
                attributes: Vec::new(),
                text,
            });
        }
        let (mut tag, after) = tag(here.get(1..).unwrap_or_default());
        let (text, next) = if !tag.closing && matches!(tag.name.as_str(), "script" | "style") {
            until_end_tag(after, &tag.name)
        } else {
            until_tag(after)
        };
        tag.text = text;
        rest = next;
        Some(tag)
    })
}

/// Text up to the next `<` that starts a tag.
fn until_tag(text: &str) -> (&str, Option<&str>) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find('<')) {
        let at = from + at;
        if matches!(
            text.as_bytes().get(at + 1),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'/' | b'!' | b'?')
        ) {
            return (text.get(..at).unwrap_or_default(), text.get(at..));
        }
        from = at + 1;
    }
    (text, None)
}

fn until_end_tag<'a>(text: &'a str, name: &str) -> (&'a str, Option<&'a str>) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")) {
        let at = from + at;
        if text
            .get(at + 2..at + 2 + name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
        {
            return (text.get(..at).unwrap_or_default(), text.get(at..));
        }
        from = at + 2;
    }
    (text, None)
}

/// The tag at the start of `text` (after its `<`), and what follows its `>`.
fn tag(text: &str) -> (Tag<'_>, &str) {
    let closing = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '!' | '?')))
        .unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        if rest.is_empty() {
            break;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len())
            .max(1);
        let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let spaced = after.trim_start();
        let (value, after) = match spaced.strip_prefix('=') {
            Some(value) => attribute_value(value.trim_start()),
            None => ("", after),
        };
        rest = after;
        if attributes.len() < ATTRIBUTES_MAX {
            attributes.push((name.to_ascii_lowercase(), unescape(value)));
        }
    }
    (Tag { name: name.to_ascii_lowercase(), closing, attributes, text: "" }, rest)
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len());
    text.split_at(end)
}

/// Resolves the character references that matter in addresses and in the plain removal of tags.
fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match reference(from) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(from: &str) -> Option<(char, &str)> {
    let end = from.bytes().take(12).position(|b| b == b';')?;
    let (name, after) = (from.get(1..end)?, from.get(end + 1..)?);
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "colon" => ':',
        "sol" => '/',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, after))
}

/// Text of an HTML body, LF line ends, with the targets of links as footnotes.
pub(super) fn to_text(html: &str, report: &mut Report) -> String {
    if is_tame(html, report) {
        let rendered = html2text::config::plain()
            .raw_mode(true)
            .no_table_borders()
            .allow_width_overflow()
            .link_footnotes(true)
            .string_from_read(html.as_bytes(), COLUMNS);
        if let Ok(text) = rendered {
            return text;
        }
        report.defect("HTML that could not be laid out; tags removed");
    }
    strip(html)
}

/// Whether html2text can be given this: size, number and nesting of tags are bounded.
fn is_tame(html: &str, report: &mut Report) -> bool {
    if html.len() > BYTES_MAX {
        report.bounded("HTML over 1 MiB; tags removed instead of laid out");
        return false;
    }
    let (mut depth, mut indent, mut count) = (0_usize, 0_usize, 0_usize);
    for tag in tags(html) {
        count += 1;
        if tag.name.is_empty()
            || tag.name.starts_with(['!', '?'])
            || VOID.contains(&tag.name.as_str())
        {
            continue;
        }
        depth = if tag.closing { depth.saturating_sub(1) } else { depth + 1 };
        if INDENTING.contains(&tag.name.as_str()) {
            indent = if tag.closing { indent.saturating_sub(1) } else { indent + 1 };
        }
        if depth > NESTING_MAX || indent > INDENTS_MAX || count > TAGS_MAX {
            report.bounded(
                "HTML nested too deep or with too many tags; tags removed instead of laid out",
            );
            return false;
        }
    }
    true
}

/// Removes tags, keeping block elements apart.
fn strip(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    for tag in tags(html) {
        if matches!(
            tag.name.as_str(),
            "p" | "br" | "div" | "tr" | "li" | "h1" | "h2" | "h3" | "table" | "pre"
        ) && !out.ends_with('\n')
        {
            out.push('\n');
        }
        if !matches!(tag.name.as_str(), "script" | "style") || tag.closing {
            out.push_str(&unescape(tag.text));
        }
    }
    out
}

/// Looks for remote content, active content and links that say another target than they have.
pub(super) fn inspect(html: &str, report: &mut Report) {
    let mut link: Option<(String, String)> = None;
    for tag in tags(html) {
        if tag.name == "a" || (link.is_some() && tag.name == "body") {
            close_link(&mut link, report);
        }
        if tag.text.contains("&#") {
            // Layout drops what a reference spells if it is a control; the attempt is still worth a mark.
            scan::characters(&unescape(tag.text), report);
        }
        if !tag.closing {
            inspect_tag(&tag, report);
            if tag.name == "a"
                && let Some((_, href)) = tag.attributes.iter().find(|(name, _)| name == "href")
            {
                link = Some((href.clone(), String::new()));
            }
        }
        if let Some((_, text)) = &mut link
            && text.len() < 2_000
        {
            text.push_str(crate::mail::display::head(tag.text, 2_000));
        }
    }
    close_link(&mut link, report);
}

fn close_link(link: &mut Option<(String, String)>, report: &mut Report) {
    if let Some((href, text)) = link.take()
        && links::contradicts(&unescape(text.trim()), &href)
    {
        report.warn(Warning::LinkMismatch);
    }
}

fn inspect_tag(tag: &Tag<'_>, report: &mut Report) {
    if matches!(
        tag.name.as_str(),
        "script" | "iframe" | "object" | "embed" | "applet" | "form" | "frame" | "base"
    ) {
        report.warn(Warning::Active);
    }
    if tag.name == "style" && loads_by_style(tag.text) {
        report.warn(Warning::RemoteContent);
    }
    for (name, value) in &tag.attributes {
        let value = value.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
        match name.as_str() {
            "href" if tag.name == "link" && is_remote(value) => report.warn(Warning::RemoteContent),
            "href" | "action" | "formaction" | "xlink:href" => links::inspect_target(value, report),
            "src" | "srcset" | "background" | "poster" | "data" | "lowsrc" | "dynsrc"
                if is_remote(value) =>
            {
                report.warn(Warning::RemoteContent);
            }
            "src" | "data" => links::inspect_target(value, report),
            "style" if loads_by_style(value) => report.warn(Warning::RemoteContent),
            "http-equiv" if value.eq_ignore_ascii_case("refresh") => report.warn(Warning::Active),
            _ if name.len() > 4 && name.starts_with("on") => report.warn(Warning::Active),
            _ => {}
        }
    }
}

fn is_remote(target: &str) -> bool {
    let start = crate::mail::display::head(target, 8).to_ascii_lowercase();
    start.starts_with("//")
        || ["http:", "https:", "ftp:"].iter().any(|scheme| start.starts_with(scheme))
}

fn loads_by_style(css: &str) -> bool {
    let css = css.to_ascii_lowercase();
    (css.contains("url(") || css.contains("@import"))
        && (css.contains("//") || css.contains("http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(html: &str) -> Vec<Warning> {
        let mut report = Report::default();
        inspect(html, &mut report);
        report.warnings.into_iter().collect()
    }

    #[test]
    fn makes_text() {
        let mut report = Report::default();
        let text = to_text(
            "<p>Hello <b>you</b></p><p style='display:none'>hidden</p><a href='https://x.example/'>go</a>",
            &mut report,
        );
        assert!(
            text.contains("Hello")
                && text.contains("hidden")
                && text.contains("https://x.example/"),
            "{text}"
        );
        let deep =
            to_text(&format!("{}x{}", "<div>".repeat(4_000), "</div>".repeat(4_000)), &mut report);
        assert_eq!(deep.trim(), "x");
        assert!(report.warnings.contains(&Warning::DepthLimit));
    }

    #[test]
    fn finds_what_html_tries() {
        for (html, expected) in [
            ("<p>hi</p><a href='https://a.example/x'>a.example</a>", vec![]),
            ("<img src=http://t.example/1.gif>", vec![Warning::RemoteContent]),
            ("<img src=\"http://t.example/?\n", vec![Warning::RemoteContent]),
            ("<img src=cid:1>", vec![]),
            ("<style>@import \"http://t.example/\"</style>", vec![Warning::RemoteContent]),
            (
                "<a href=\"http://evil.example/\">https://github.com/x</a>",
                vec![Warning::LinkMismatch],
            ),
            ("<a href=\"&#106;avascript:alert(1)\">x</a>", vec![Warning::Active]),
            ("<a href=\"-oProxyCommand=id\">y</a>", vec![Warning::Active]),
            ("<b onclick=\"x()\">y</b><script>1</script>", vec![Warning::Active]),
            ("<p>&#27;[31m</p>", vec![Warning::ControlChars]),
            ("1 < 2 and <!-- <script> --> done", vec![]),
        ] {
            assert_eq!(warnings(html), expected, "{html}");
        }
    }

    #[test]
    fn stays_linear_on_openers() {
        for piece in ["<", "<a ", "<a href=\"", "&amp", "<!--", "</", "<style>", "<a b='"] {
            warnings(&piece.repeat(20_000));
            strip(&piece.repeat(20_000));
        }
    }
}
