//! The patterns of claims. All are linear in the line, whatever the line.

use regex::Regex;

/// Endings of file names that a report may mean as a file of the product.
const ENDINGS: &str = r"(?:py|pyi|pyx|js|mjs|jsx|ts|tsx|vue|jinja2|j2|html?|less|css|scss|md|rst|ya?ml|json|toml|cfg|ini|txt|sh|c|h|cc|cpp|hpp|rs|go|java|kt|rb|php|po|xml|svg|sql|lua|pl|cs|swift)";

#[derive(Debug)]
pub(super) struct Patterns {
    /// An address of the web.
    pub url: Regex,
    /// What looks like a name and is none: mail addresses, identifiers of advisories, vectors.
    pub other: Regex,
    /// A frame of a Python traceback: file, line.
    pub frame: Regex,
    /// `lines 3-5 of`, before a path: first, last.
    pub lines_of: Regex,
    /// A path, then perhaps lines: path, and four ways to write first and last line.
    pub path: Regex,
    /// A route: what stands before, method, path.
    pub route: Regex,
    /// Words between backticks.
    pub ticked: Regex,
    /// A name with dots: name, call.
    pub dotted: Regex,
    /// A name: name, call.
    pub name: Regex,
    /// A commit id.
    pub commit: Regex,
    /// What a line of code defines.
    pub definition: Regex,
    /// `from a.b import c, d`: module, names.
    pub import: Regex,
}

impl Patterns {
    pub fn compile() -> Result<Self, regex::Error> {
        let path = format!(
            r#"(?P<path>(?:[A-Za-z]:)?[~.]?(?:[\w@+.\-]*[/\\])*[\w@+\-]+(?:\.[\w\-]+)*\.{ENDINGS})\b(?:["'`)]?(?::(?P<a>\d{{1,6}})(?:-(?P<b>\d{{1,6}}))?|#L(?P<c>\d{{1,6}})(?:-L?(?P<d>\d{{1,6}}))?|["'`)]?,?\s+\(?(?:at\s+|on\s+|in\s+|around\s+)?lines?\s+(?P<e>\d{{1,6}})(?:\s*(?:-|–|to|and)\s*(?P<f>\d{{1,6}}))?))?"#
        );
        Ok(Self {
            url: Regex::new(r#"\b[a-z]{3,6}://[^\s<>"'`)\]]+"#)?,
            other: Regex::new(
                r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+|\b(?:CVE-\d{4}-\d+|GHSA(?:-\w{4}){3}|CWE-\d+)\b|\b(?:CVSS:\d\.\d/)?AV:[A-Z](?:/[A-Za-z]+:[A-Za-z]+)*",
            )?,
            frame: Regex::new(r#"File "([^"\n]{1,300})", line (\d{1,6})"#)?,
            lines_of: Regex::new(
                r#"(?i)\blines?\s+(\d{1,6})(?:\s*(?:-|–|to|and)\s*(\d{1,6}))?\s+(?:of|in|from)\s+(?:the\s+)?(?:file\s+)?["'`]?$"#,
            )?,
            path: Regex::new(&path)?,
            route: Regex::new(
                r#"(^|[\s`"'(\[=|>“‘])(?:(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+)?[`"']?(/[A-Za-z_<{:](?:<[\w:]+>|\{\w+\}|[\w\-./:%*])*)"#,
            )?,
            ticked: Regex::new(r"`([^`\n]{2,200})`")?,
            dotted: Regex::new(r"\b([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+)(\()?")?,
            name: Regex::new(r"(?:^|[^\w$./\\\-@])([A-Za-z_$][\w$]*)(\(\)?)?")?,
            commit: Regex::new(r"\b[0-9a-f]{7,40}\b")?,
            definition: Regex::new(
                r"\b(?:def|class|function|fn|let|const|var|as)\s+([A-Za-z_]\w*)|^\s*([A-Za-z_]\w*)\s*=[^=]|\bfor\s+([A-Za-z_]\w*)\s+in\b",
            )?,
            import: Regex::new(r"\bfrom\s+([A-Za-z_][\w.]*)\s+import\s+([\w ,]+)")?,
        })
    }
}
