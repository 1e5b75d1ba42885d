//! Names that code and protocols know, as a report writes them: routes, parameters, files, functions, headers,
//! ids, weakness classes, and proofs of concept with their literals folded.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::sketch::Kind;
use super::words::{is_common, is_stop, stem};

/// Most names of one text.
const MAX_NAMES: usize = 200;

/// Longest name, in bytes.
const MAX_NAME: usize = 160;

/// Endings of file names that code, settings and printers use.
const FILES: [&str; 30] = [
    "py", "js", "ts", "html", "htm", "jinja2", "j2", "yaml", "yml", "json", "less", "css", "sh",
    "c", "h", "cpp", "go", "rs", "php", "rb", "java", "toml", "ini", "cfg", "conf", "log", "sql",
    "xml", "gcode", "stl",
];

/// Words next to which a plain word is the name of a parameter.
const PARAMETER: [&str; 12] = [
    "parameter",
    "parameters",
    "param",
    "params",
    "paramètre",
    "parámetro",
    "parâmetro",
    "parametro",
    "argument",
    "field",
    "header",
    "cookie",
];

/// Paths that any proof may read: they say nothing about the place of the flaw.
const ANY_PATH: [&str; 6] = ["/etc", "/tmp", "/home", "/root", "/proc", "/var"];

/// Weakness classes by the words that reports use for them. The number is the usual CWE entry.
const CLASSES: &[(u32, &[&str])] = &[
    (
        79,
        &[
            "xss",
            "cross site scripting",
            "alert(",
            "<script",
            "onerror",
            "javascript:",
            "script:alert",
        ],
    ),
    (352, &["csrf", "xsrf", "cross site request", "cross origin request"]),
    (22, &["path traversal", "directory traversal", "../", "zip slip"]),
    (918, &["ssrf", "server side request"]),
    (
        78,
        &[
            "command injection",
            "shell injection",
            "arbitrary command",
            "arbitrary commands",
            "os command",
            "command execution",
            "shell command",
            "shell commands",
            "shell characters",
            "shell metacharacters",
        ],
    ),
    (94, &["code execution", "rce", "code injection", "arbitrary code"]),
    (
        306,
        &[
            "reauthentication",
            "re authentication",
            "reauthenticate",
            "reauthenticating",
            "re authenticate",
            "password again",
            "missing authentication",
            "without authentication",
            "without login",
        ],
    ),
    (
        290,
        &["x forwarded for", "ip spoofing", "spoofed ip", "spoofing their ip", "address spoofing"],
    ),
    (
        73,
        &[
            "arbitrary file",
            "arbitrary files",
            "file exfiltration",
            "exfiltrate files",
            "any file",
            "read files",
        ],
    ),
    (1336, &["ssti", "template injection", "jinja", "template engine"]),
    (601, &["open redirect", "open redirection"]),
    (89, &["sql injection", "sqli"]),
    (611, &["xxe", "external entity"]),
    (
        400,
        &[
            "denial of service",
            "dos attack",
            "infinite loop",
            "unresponsive",
            "resource exhaustion",
            "memory exhaustion",
        ],
    ),
    (208, &["timing attack", "timing side", "constant time", "side channel"]),
    (1021, &["clickjacking", "x frame options"]),
    (502, &["deserialization", "deserialisation", "pickle"]),
    (434, &["file upload", "upload of arbitrary", "unrestricted upload"]),
    (
        287,
        &[
            "authentication bypass",
            "bypass authentication",
            "bypass the authentication",
            "login bypass",
            "auth bypass",
        ],
    ),
    (
        862,
        &[
            "missing authorization",
            "missing authorisation",
            "permission check",
            "without permission",
            "without the permission",
            "idor",
            "privilege escalation",
        ],
    ),
    (200, &["information disclosure", "information leak", "leaks"]),
    (384, &["session fixation"]),
    (613, &["session expiration", "stays valid", "stay valid", "stay active", "not invalidated"]),
    (307, &["brute force", "rate limit"]),
    (1333, &["redos", "regular expression denial"]),
];

/// Collects the names of lines.
pub(super) fn names<'t>(lines: impl IntoIterator<Item = &'t str>) -> BTreeSet<(Kind, String)> {
    let mut found = Found::default();
    for line in lines {
        found.line(line);
        if found.names.len() >= MAX_NAMES {
            break;
        }
    }
    found.names
}

/// The words for weakness classes, all at once, and for each the number of its class.
static TERMS: LazyLock<Option<(AhoCorasick, Vec<u32>)>> = LazyLock::new(|| {
    let terms =
        CLASSES.iter().flat_map(|(number, terms)| terms.iter().map(|term| (*number, *term)));
    let (numbers, words): (Vec<u32>, Vec<&str>) = terms.unzip();
    Some((AhoCorasick::new(words).ok()?, numbers))
});

/// Weakness classes that a text names in words.
pub(super) fn classes(text: &str) -> BTreeSet<(Kind, String)> {
    let Some((terms, numbers)) = TERMS.as_ref() else { return BTreeSet::new() };
    let plain = without_hyphens(text);
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut named: BTreeSet<u32> = BTreeSet::new();
    for found in terms.find_overlapping_iter(plain.as_bytes()) {
        let parts =
            (plain.get(..found.start()), plain.get(found.range()), plain.get(found.end()..));
        let (Some(before), Some(term), Some(after)) = parts else { continue };
        let begins = letter(term.chars().next()) && letter(before.chars().next_back());
        let goes_on = letter(term.chars().next_back()) && letter(after.chars().next());
        if !begins && !goes_on {
            named.extend(numbers.get(found.pattern().as_usize()));
        }
    }
    named.into_iter().map(|number| (Kind::Class, format!("CWE-{number}"))).collect()
}

/// In lower case; hyphens and line ends inside a term do not matter.
fn without_hyphens(text: &str) -> String {
    let blank = |c: char| if c == '-' || c.is_whitespace() { ' ' } else { c };
    match text.is_ascii() {
        true => text.chars().map(|c| blank(c.to_ascii_lowercase())).collect(),
        false => text.to_lowercase().chars().map(blank).collect(),
    }
}

#[derive(Default)]
struct Found {
    names: BTreeSet<(Kind, String)>,
}

impl Found {
    fn add(&mut self, kind: Kind, name: &str) {
        if kind == Kind::Name && is_any_proof(name) {
            return;
        }
        if (2..=MAX_NAME).contains(&name.len()) && self.names.len() < MAX_NAMES {
            self.names.insert((kind, name.to_owned()));
        }
    }

    fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some(folded) = folded_code(line).filter(|code| names_something(code)) {
            self.add(Kind::Code, &folded);
        }
        let foreign = !line.is_ascii() && line.chars().any(|c| c >= '\u{2e80}');
        let chunks: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || c >= '\u{2e80}')
            .filter(|chunk| !chunk.is_empty())
            .take(400)
            .collect();
        let (mut before, mut here) = (false, chunks.first().is_some_and(|word| is_parameter(word)));
        for (at, chunk) in chunks.iter().enumerate() {
            self.chunk(chunk);
            let after = chunks.get(at + 1).is_some_and(|word| is_parameter(word));
            if before || after || foreign {
                let name = trim(chunk);
                let lower = name.to_lowercase();
                if is_plain_name(name) && !is_stop(&lower) && !is_common(stem(&lower)) {
                    self.add(Kind::Name, &fold_name(name));
                }
            }
            (before, here) = (here, after);
        }
    }

    fn chunk(&mut self, chunk: &str) {
        if is_prose(chunk) {
            return;
        }
        let quoted = chunk.starts_with(['"', '`', '\'', '«', '“', '‘', '<', '{', '[']);
        let text = trim(chunk);
        if text.is_empty() || text.len() > 600 {
            return;
        }
        if let Some(id) = public_id(text) {
            return self.add(if id.starts_with("CWE") { Kind::Class } else { Kind::Id }, &id);
        }
        if let Some((_, rest)) = text.split_once("://") {
            return self.url(rest);
        }
        if text.starts_with('/') {
            return self.route(text);
        }
        if text.contains('=') {
            self.pairs(text);
        }
        self.identifier(text, quoted);
    }

    /// A URL behind its scheme: pages of the wide web are references, not places of a flaw.
    fn url(&mut self, rest: &str) {
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(split);
        if is_local(host) {
            self.route(path);
        }
    }

    fn route(&mut self, text: &str) {
        let text = text.split_once('#').map_or(text, |(path, _)| path);
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        self.pairs(query);
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .take(8)
            .map(fold_segment)
            .collect();
        let whole = format!("/{}", segments.join("/"));
        let first = segments.first().cloned().unwrap_or_default();
        if first.len() < 2 || ANY_PATH.iter().any(|any| whole.starts_with(any)) {
            return;
        }
        if let Some(file) = segments.last().filter(|name| is_file(name)) {
            self.add(Kind::File, file);
        }
        self.add(Kind::Route, &whole);
        if segments.len() > 2 {
            let begin: Vec<&str> = segments.iter().take(2).map(String::as_str).collect();
            self.add(Kind::RouteStart, &format!("/{}", begin.join("/")));
        }
    }

    /// `name=value&name=value`.
    fn pairs(&mut self, query: &str) {
        for pair in query.split('&').take(20) {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let name = name.trim_matches(|c: char| !c.is_alphanumeric());
            if !is_plain_name(name) || is_any_proof(&fold_name(name)) {
                continue;
            }
            self.add(Kind::Name, &fold_name(name));
            let folded = fold_literals(value);
            if value.chars().any(|c| !c.is_alphanumeric()) && folded.len() > 5 {
                self.add(Kind::Code, &format!("{}={folded}", fold_name(name)));
            }
        }
    }

    fn identifier(&mut self, text: &str, quoted: bool) {
        if is_file(text) {
            let name = text.rsplit('/').next().unwrap_or(text).to_lowercase();
            return self.add(Kind::File, &name);
        }
        let called = text.split('(').next().filter(|name| name.len() < text.len());
        let name = trim(called.unwrap_or(text)).trim_end_matches("()");
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b)) {
            return;
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        let spelled = |part: &str| {
            let bytes = part.as_bytes();
            let snake = part.contains('_');
            let camel =
                bytes.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
            let header = part.split('-').count() > 1
                && part.split('-').all(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
            let media = part.contains('/') && part.len() > 6;
            snake || camel || header || media
        };
        let dotted = name.split('.').count() > 2 && name.split('.').all(is_plain_name);
        let told = spelled(last) || dotted || called.is_some() || quoted && is_plain_name(last);
        let lower = last.to_lowercase();
        let letters = last.bytes().filter(u8::is_ascii_alphabetic).count();
        if told && letters >= 3 && !is_stop(&lower) && !is_common(stem(&lower)) {
            self.add(Kind::Name, &fold_name(last));
        }
    }
}

/// Markup, script and request words of any proof of concept: they tell the class of a flaw, not its place.
const ANY_PROOF: [&str; 34] = [
    "img",
    "svg",
    "src",
    "href",
    "script",
    "onload",
    "onerror",
    "onclick",
    "onmouseover",
    "onfocus",
    "alert",
    "document",
    "window",
    "cookie",
    "domain",
    "documentcookie",
    "documentdomain",
    "windowlocation",
    "action",
    "method",
    "enctype",
    "value",
    "type",
    "name",
    "input",
    "contenttype",
    "authorization",
    "useragent",
    "xapikey",
    "host",
    "accept",
    "get",
    "post",
    "curl",
];

/// Whether a name, folded, stands in proofs of any kind.
fn is_any_proof(folded: &str) -> bool {
    ANY_PROOF.contains(&folded)
}

/// Whether a line of code names anything of its own.
fn names_something(code: &str) -> bool {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| word.len() > 3).any(|word| !is_any_proof(word) && !is_common(stem(word)))
}

fn is_parameter(word: &str) -> bool {
    let word = trim(word);
    let begins = matches!(word.as_bytes().first(), Some(first) if b"pafhcPAFHC".contains(first));
    begins && word.len() <= MAX_NAME && PARAMETER.contains(&word.to_lowercase().as_str())
}

/// A word of letters that is no name by its looks: `printer`, `Printer.` and not `printerProfile`.
fn is_prose(chunk: &str) -> bool {
    let bytes = chunk.trim_end_matches(['.', ',']).as_bytes();
    let camel =
        |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase());
    bytes.iter().all(u8::is_ascii_alphabetic) && !bytes.windows(2).any(camel)
}

/// Without quotation marks, brackets and the stops of a sentence.
fn trim(text: &str) -> &str {
    let ends = (text.as_bytes().first(), text.as_bytes().last());
    if matches!(ends, (Some(a), Some(z)) if a.is_ascii_alphanumeric() && z.is_ascii_alphanumeric())
    {
        return text;
    }
    text.trim_matches(|c: char| {
        matches!(
            c,
            '"' | '`'
                | '\''
                | '«'
                | '»'
                | '“'
                | '”'
                | '‘'
                | '’'
                | '*'
                | ','
                | ';'
                | ':'
                | '!'
                | '['
                | ']'
                | '{'
                | '}'
                | '<'
                | '>'
        )
    })
    .trim_end_matches(['.', ')', '?', ','])
    .trim_start_matches('(')
}

fn is_plain_name(name: &str) -> bool {
    (3..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// `printerProfile`, `printer_profile` and `Printer-Profile` are one name.
fn fold_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '/').collect::<String>().to_lowercase()
}

/// A part of a route; ids and placeholders are one.
fn fold_segment(segment: &str) -> String {
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    if segment.starts_with(['<', '{', ':', '$', '[', '*']) || digits * 2 > segment.len() {
        return "*".to_owned();
    }
    segment.split(odd).next().unwrap_or_default().trim_end_matches('.').to_lowercase()
}

fn is_file(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    stem.len() >= 2
        && FILES.contains(&ending.to_lowercase().as_str())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
}

/// A host of a local network, as in a proof of concept.
fn is_local(host: &str) -> bool {
    let name = host.rsplit('@').next().unwrap_or(host);
    let name = name.split(':').next().unwrap_or(name).to_lowercase();
    let local = [
        "local",
        "lan",
        "home",
        "internal",
        "localhost",
        "example",
        "test",
        "invalid",
        "localdomain",
    ];
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || local.contains(&last) || last.bytes().all(|b| b.is_ascii_digit())
}

/// `CVE-…`, `GHSA-…` and `CWE-…` in their usual spelling.
fn public_id(text: &str) -> Option<String> {
    let text = text.get(..text.len().min(40))?;
    let starts = |with: &str| text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(with));
    // A GHSA id has 19 bytes.
    if text.len() < 19 && !starts("CWE-") && !starts("CVE-") {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let text = upper.as_str();
    let end = |part: &str| part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
    if let Some(rest) = text.strip_prefix("CWE-") {
        let number: u32 = rest.get(..end(rest))?.parse().ok()?;
        return Some(format!("CWE-{number}"));
    }
    if let Some(rest) = text.strip_prefix("CVE-") {
        let (year, number) = rest.split_once('-')?;
        let number = number.get(..end(number))?;
        let digits = |t: &str| t.len() >= 4 && t.bytes().all(|b| b.is_ascii_digit());
        return (digits(year) && digits(number)).then(|| format!("CVE-{year}-{number}"));
    }
    crate::intake::facts::ghsa_ids(text).next().map(|id| id.to_ascii_uppercase())
}

/// What shows that a line is code.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signs =
        ["<script", "<img", "<svg", "<form", "fetch(", "document.", "onerror=", "requests."];
    AhoCorasick::new(signs).ok()
});

/// A line of code or a request with hosts, numbers and strings taken out, where the line is one.
fn folded_code(line: &str) -> Option<String> {
    let first = line.split_whitespace().next()?;
    let request =
        matches!(first, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "curl" | "fetch" | "wget");
    let is_code = || SIGNS.as_ref().is_some_and(|signs| signs.is_match(line));
    if line.len() > 400 || !request && !is_code() {
        return None;
    }
    let folded = fold_literals(line);
    (folded.len() >= 8).then_some(folded)
}

/// Lower case; numbers are 0, strings and arguments are empty, hosts are gone.
fn fold_literals(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut chars = code.chars().take(400).peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' => {
                while chars.peek().is_some_and(|next| *next != c) {
                    chars.next();
                }
                chars.next();
                out.push('"');
            }
            '(' => {
                while chars.peek().is_some_and(|next| *next != ')') {
                    chars.next();
                }
                out.push('(');
            }
            c if c.is_ascii_digit() && out.ends_with('0') => {}
            c if c.is_ascii_digit() => out.push('0'),
            c if c.is_whitespace() && out.ends_with(' ') => {}
            c if c.is_whitespace() => out.push(' '),
            c => out.extend(c.to_lowercase()),
        }
    }
    let mut folded = String::with_capacity(out.len());
    for word in out.trim().split(' ') {
        let word = match word.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
            None => word,
        };
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded.chars().take(MAX_NAME).collect()
}
