//! The table: one row per module at the top of `src`. Adding to a row is a decision about the house.

/// What one module may do.
pub struct Row {
    /// Its name below `src`.
    pub module: &'static str,
    /// Own modules that it may import, or parts of them; `*` stands for all.
    pub own: &'static [&'static str],
    /// Crates that it may name.
    pub crates: &'static [&'static str],
    /// What it may name of [`OUTSIDE_OF_STD`], or a part of it.
    pub std: &'static [&'static str],
}

/// Parts of `std` that reach outside the program: allowed only where a row says so.
pub const OUTSIDE_OF_STD: &[&str] = &["fs", "net", "process", "thread", "env", "os"];

/// Everything pure, in the order of the arrows.
const PURE: &[&str] =
    &["domain", "mail", "intake", "claims", "reply", "command", "keymap", "config", "export"];

/// What the screen may see.
const PURE_AND_APP: &[&str] = &[
    "domain", "mail", "intake", "claims", "reply", "command", "keymap", "config", "export", "app",
];

pub const TABLE: &[Row] = &[
    Row {
        module: "domain",
        own: &[],
        crates: &["cvss", "jiff", "pep440_rs", "regex", "serde", "serde_json", "sha2", "thiserror"],
        std: &[],
    },
    Row {
        module: "mail",
        own: &[],
        crates: &[
            "base64",
            "encoding_rs",
            "html2text",
            "jiff",
            "mail_builder",
            "mailparse",
            "serde",
            "sha2",
            "thiserror",
            "unicode_segmentation",
            "unicode_width",
        ],
        std: &[],
    },
    Row {
        module: "intake",
        own: &["domain", "mail"],
        crates: &[
            "aho_corasick",
            "cvss",
            "jiff",
            "regex",
            "regex_syntax",
            "serde",
            "sha2",
            "thiserror",
        ],
        std: &[],
    },
    Row { module: "claims", own: &["domain", "mail"], crates: &["regex", "serde"], std: &[] },
    Row { module: "reply", own: &["domain"], crates: &["jiff", "thiserror"], std: &[] },
    Row { module: "command", own: &["domain"], crates: &[], std: &[] },
    Row {
        module: "keymap",
        // The form of faults only: what the config says of keys goes the other way.
        own: &["command", "config::fault", "config::document"],
        crates: &["toml"],
        std: &[],
    },
    Row {
        module: "config",
        own: &["domain", "keymap"],
        crates: &[
            "jiff",
            "pep440_rs",
            "regex",
            "regex_syntax",
            "serde",
            "sha2",
            "thiserror",
            "toml",
        ],
        // To tell a loopback address.
        std: &["net::IpAddr"],
    },
    Row {
        module: "export",
        own: &["domain"],
        crates: &["cvss", "jiff", "serde", "serde_json", "thiserror", "toml"],
        std: &[],
    },
    Row {
        module: "app",
        own: PURE,
        crates: &[
            "jiff",
            "thiserror",
            "tui_textarea",
            "unicode_segmentation",
            "unicode_width",
            "zeroize",
        ],
        std: &[],
    },
    Row {
        module: "store",
        own: &["domain", "mail"],
        crates: &[
            "jiff",
            "postcard",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "sled",
            "tempfile",
            "thiserror",
            "ulid",
            "zstd",
        ],
        // Waiting for the lock of a database that this process just closed.
        std: &["fs", "os", "process::id", "thread::sleep", "thread::Result"],
    },
    Row {
        module: "sync",
        own: &[],
        crates: &[
            "base64",
            "imap",
            "imap_proto",
            "jiff",
            "postcard",
            "rustls",
            "rustls_native_certs",
            "serde",
            "sha2",
            "thiserror",
            "zeroize",
        ],
        std: &["net", "thread"],
    },
    Row {
        module: "tui",
        own: PURE_AND_APP,
        crates: &[
            "crossterm",
            "jiff",
            "ratatui",
            "thiserror",
            "tui_textarea",
            "unicode_segmentation",
            "unicode_width",
            "zeroize",
        ],
        std: &[],
    },
    Row {
        module: "runtime",
        own: &["*"],
        crates: &[
            "base64",
            "jiff",
            "mail_builder",
            "rayon",
            "rustix",
            "rustls",
            "serde",
            "serde_json",
            "sha2",
            "signal_hook",
            "tempfile",
            "thiserror",
            "toml",
            "ulid",
            "zeroize",
        ],
        std: &["fs", "net", "process", "thread", "env", "os"],
    },
    Row {
        module: "cli",
        own: &["*"],
        crates: &[
            "clap",
            "clap_complete",
            "clap_mangen",
            "jiff",
            "serde",
            "serde_json",
            "thiserror",
            "toml",
            "zeroize",
        ],
        std: &["fs", "process", "env"],
    },
    Row { module: "main", own: &["*"], crates: &["clap"], std: &["process", "env"] },
    Row { module: "lib", own: &[], crates: &[], std: &[] },
];

/// Crates that a module may name in one part of it only: module, crate, part of the file's path.
pub const CRATE_ONLY_IN: &[(&str, &str, &str)] = &[("app", "tui_textarea", "editor")];

/// Words that stand nowhere but in some modules.
pub struct Word {
    pub word: &'static str,
    pub allowed: &'static [&'static str],
    pub why: &'static str,
}

/// Where the time may be asked for.
const CLOCK: &[&str] = &["runtime", "sync", "cli", "main"];

const NOW: &str = "below runtime nobody asks the time; `now` is an argument";

pub const WORDS: &[Word] = &[
    Word { word: "Timestamp::now", allowed: CLOCK, why: NOW },
    Word { word: "ZonedDateTime::now", allowed: CLOCK, why: NOW },
    Word { word: "SystemTime::now", allowed: CLOCK, why: NOW },
    Word { word: "Instant::now", allowed: CLOCK, why: NOW },
    Word { word: "TimeZone::system", allowed: CLOCK, why: "the time zone is a setting" },
    Word {
        word: "set_symbol",
        allowed: &[],
        why: "it writes a cell unchecked, so escape bytes of a mail would reach the terminal",
    },
    Word {
        word: ".debug = true",
        allowed: &[],
        why: "the mailbox crate would print the conversation, passwords included",
    },
    Word {
        word: "io::stdin",
        allowed: &["tui", "runtime", "cli", "main"],
        why: "the terminal belongs to tui and the command line",
    },
    Word {
        word: "io::stdout",
        allowed: &["tui", "runtime", "cli", "main"],
        why: "the terminal belongs to tui and the command line",
    },
];
