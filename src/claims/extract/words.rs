//! Words that say little, and the shapes of names.

/// Words before a block of code that make it the sender's own.
pub(super) const OWN_CODE: [&str; 24] = [
    "poc",
    "proof",
    "exploit",
    "exploitation",
    "reproduce",
    "reproduction",
    "reproducer",
    "script",
    "run",
    "request",
    "requests",
    "response",
    "output",
    "log",
    "payload",
    "command",
    "commands",
    "curl",
    "fix",
    "patch",
    "suggested",
    "recommended",
    "remediation",
    "replace",
];

/// Words before a block of code that make it the product's.
pub(super) const THEIR_CODE: [&str; 11] = [
    "vulnerable",
    "code",
    "snippet",
    "source",
    "function",
    "method",
    "implementation",
    "handler",
    "reads",
    "defined",
    "implemented",
];

/// Endings of files that are code. A data file may be anybody's.
const CODE: [&str; 18] = [
    "py", "pyx", "js", "mjs", "jsx", "ts", "tsx", "vue", "jinja2", "less", "c", "cc", "cpp", "rs",
    "go", "rb", "php", "java",
];

/// File names that every project has.
const COMMON_FILES: [&str; 20] = [
    "__init__.py",
    "__main__.py",
    "setup.py",
    "main.py",
    "app.py",
    "test.py",
    "index.js",
    "main.js",
    "app.js",
    "main.c",
    "main.go",
    "index.php",
    "conftest.py",
    "style.less",
    "jquery.js",
    "node.js",
    "vue.js",
    "next.js",
    "three.js",
    "react.js",
];

/// Folders of a machine rather than of a source tree.
pub(super) const SYSTEM: [&str; 22] = [
    "etc", "tmp", "home", "usr", "var", "opt", "dev", "proc", "root", "bin", "sbin", "boot", "mnt",
    "media", "sys", "run", "srv", "lib", "users", "library", "private", "windows",
];

/// Last parts of web addresses.
const DOMAINS: [&str; 22] = [
    "com",
    "org",
    "net",
    "io",
    "dev",
    "local",
    "example",
    "test",
    "invalid",
    "lan",
    "home",
    "de",
    "fr",
    "uk",
    "eu",
    "info",
    "me",
    "app",
    "edu",
    "gov",
    "ch",
    "localhost",
];

/// What a proof of concept calls its own things.
const OWN_NAMES: [&str; 17] = [
    "poc",
    "exploit",
    "evil",
    "attacker",
    "attack",
    "victim",
    "malicious",
    "pwn",
    "payload",
    "hack",
    "dummy",
    "sample",
    "example",
    "foo",
    "bar",
    "proof",
    "probe",
];

/// Functions and names of the languages, of the browser and of C that no report proves anything with.
const LANGUAGE: [&str; 96] = [
    "print",
    "open",
    "eval",
    "exec",
    "alert",
    "prompt",
    "confirm",
    "fetch",
    "malloc",
    "free",
    "strcpy",
    "strncpy",
    "strcat",
    "sprintf",
    "snprintf",
    "printf",
    "memcpy",
    "memset",
    "gets",
    "system",
    "popen",
    "main",
    "range",
    "len",
    "str",
    "int",
    "dict",
    "list",
    "isinstance",
    "getattr",
    "setattr",
    "hasattr",
    "format",
    "join",
    "split",
    "replace",
    "strip",
    "startswith",
    "endswith",
    "sleep",
    "exit",
    "input",
    "sorted",
    "map",
    "filter",
    "reduce",
    "forEach",
    "indexOf",
    "innerHTML",
    "outerHTML",
    "textContent",
    "innerText",
    "onerror",
    "onclick",
    "onload",
    "onmouseover",
    "addEventListener",
    "localStorage",
    "sessionStorage",
    "setTimeout",
    "setInterval",
    "parseInt",
    "encodeURIComponent",
    "decodeURIComponent",
    "XMLHttpRequest",
    "WebSocket",
    "FormData",
    "JSON",
    "stringify",
    "querySelector",
    "getElementById",
    "getElementsByTagName",
    "createElement",
    "appendChild",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "constructor",
    "prototype",
    "subprocess",
    "pickle",
    "yaml",
    "base64",
    "urllib",
    "requests",
    "urljoin",
    "urlparse",
    "setuid",
    "chmod",
    "chown",
    "unlink",
    "mkdir",
    "makedirs",
    "shutil",
    "import",
    "function",
];

/// Names of products and formats that are written like names of code.
const BRANDS: [&str; 44] = [
    "GitHub",
    "GitLab",
    "JavaScript",
    "TypeScript",
    "JQuery",
    "jQuery",
    "iPhone",
    "iPad",
    "iOS",
    "macOS",
    "YouTube",
    "LinkedIn",
    "HackerOne",
    "BurpSuite",
    "OctoPi",
    "FireFox",
    "OpenSSL",
    "OpenSSH",
    "MySQL",
    "PostgreSQL",
    "SQLite",
    "MongoDB",
    "NodeJS",
    "VirtualBox",
    "VMware",
    "DevTools",
    "PowerShell",
    "WireGuard",
    "RaspberryPi",
    "ChatGPT",
    "OpenAI",
    "DeepSeek",
    "PyPI",
    "HttpOnly",
    "SameSite",
    "GCode",
    "gCode",
    "WiFi",
    "WebSockets",
    "McAfee",
    "BugCrowd",
    "PayPal",
    "ProtonMail",
    "eMail",
];

/// Roots of dotted names that belong to a language or the browser.
const FOREIGN_ROOTS: [&str; 25] = [
    "document",
    "window",
    "console",
    "location",
    "navigator",
    "JSON",
    "Math",
    "os",
    "sys",
    "re",
    "json",
    "requests",
    "socket",
    "subprocess",
    "time",
    "urllib",
    "base64",
    "pickle",
    "yaml",
    "io",
    "http",
    "shutil",
    "pathlib",
    "asyncio",
    "socketserver",
];

/// Endings of class names.
const CLASS_ENDINGS: [&str; 24] = [
    "Handler",
    "Manager",
    "Plugin",
    "Mixin",
    "Storage",
    "Permission",
    "Provider",
    "Factory",
    "Controller",
    "Service",
    "ViewModel",
    "Model",
    "Exception",
    "Error",
    "Validator",
    "Filter",
    "Parser",
    "Middleware",
    "Wrapper",
    "Adapter",
    "Connection",
    "Helper",
    "Util",
    "Utils",
];

/// How a name is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// One word, as any sentence has.
    Plain,
    /// `lower_case`.
    Snake,
    /// `lowerUpper`.
    Camel,
    /// `UpperUpper`.
    Pascal,
    /// `UPPER` or `UPPER_CASE`.
    Upper,
}

/// How a name is written.
pub(super) fn shape(name: &str) -> Shape {
    let bare = name.trim_matches(['_', '$']);
    let upper = bare.chars().any(|c| c.is_ascii_uppercase());
    let lower = bare.chars().any(|c| c.is_ascii_lowercase());
    let humps = humps(bare);
    match (upper, lower) {
        (true, false) => Shape::Upper,
        (_, true) if bare.contains('_') => Shape::Snake,
        (true, true) if bare.starts_with(|c: char| c.is_ascii_lowercase()) => Shape::Camel,
        (true, true) if humps >= 2 => Shape::Pascal,
        _ => Shape::Plain,
    }
}

/// Words that a name in capitals and small letters is made of: 3 in `UploadFileHandler`.
pub(super) fn humps(name: &str) -> usize {
    let pairs = name.chars().zip(name.chars().skip(1));
    let begins = pairs.filter(|(a, b)| a.is_ascii_uppercase() && b.is_ascii_lowercase());
    begins.count()
}

/// Whether a name is one that somebody's own code would have, or nobody's in particular.
pub(super) fn is_weak(name: &str) -> bool {
    LANGUAGE.contains(&name) || BRANDS.contains(&name) || is_own(name) || name.len() < 3
}

/// Whether a name is of the sort that proofs of concept give their own things.
pub(super) fn is_own(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.split(['_', '-', '.']).any(|word| OWN_NAMES.contains(&word))
}

/// Whether a class is named like one.
pub(super) fn is_class_like(name: &str) -> bool {
    humps(name) >= 3
        || CLASS_ENDINGS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// Whether a dotted name belongs to a language.
pub(super) fn is_foreign_root(root: &str) -> bool {
    FOREIGN_ROOTS.contains(&root)
}

/// Whether a dotted name is an address of the web, or two sentences without a blank between.
pub(super) fn is_no_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let last = parts.last().copied().unwrap_or_default();
    let plain = parts.iter().all(|part| shape(part) == Shape::Plain);
    let domain = plain && DOMAINS.contains(&last.to_ascii_lowercase().as_str());
    let short = parts.iter().all(|part| part.len() < 3);
    let capital = last.starts_with(|c: char| c.is_ascii_uppercase());
    let sentences = plain && parts.len() == 2 && capital;
    domain || short || sentences || BRANDS.contains(&name)
}

/// Whether a dotted name is the name of a file that no source tree holds.
pub(super) fn is_data_file(name: &str) -> bool {
    const DATA: [&str; 14] = [
        "zip", "log", "gcode", "mpg", "mp4", "png", "jpg", "pdf", "gz", "tar", "stl", "exe", "txt",
        "csv",
    ];
    DATA.contains(&ending(name))
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// Whether a word is the name of a source file.
pub(super) fn source_file(word: &str) -> bool {
    word.len() > 3 && CODE.contains(&ending(word)) && !COMMON_FILES.contains(&word)
}

/// Whether a file name alone says something.
pub(super) fn is_telling_file(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    CODE.contains(&ending(&lower)) && !COMMON_FILES.contains(&lower.as_str()) && !is_own(&lower)
}
