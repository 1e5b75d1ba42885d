//! The configuration as a value.
//!
//! Owns: what can be set. Absent on purpose: how it is written, see [`super::parse()`]. Read next: [`Config`].

use std::path::PathBuf;

use crate::keymap::Shipped;

/// Everything a person may set. Replaced whole after a complete parse, never changed in place. The default
/// is what works offline: no account.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The security inbox; without one, mail comes by import only.
    pub account: Option<Account>,
    /// Whose decisions these are.
    pub me: Me,
    /// The product that reports are about.
    pub product: Product,
    /// Which policy is applied.
    pub policy: PolicySource,
    /// How replies leave; without it as `.eml` files only.
    pub smtp: Option<Smtp>,
    /// The screen.
    pub ui: Ui,
}

impl Config {
    /// Whether mail from this address counts as ours. Case is ignored, in the local part too: no server that
    /// matters tells `Security@` from `security@`.
    pub fn is_ours(&self, address: &str) -> bool {
        let account = self.account.as_ref().map(|account| &account.address);
        let mut own = self.me.addresses.iter().chain(account);
        own.any(|own| own.to_lowercase() == address.trim().to_lowercase())
    }
}

/// One security inbox on an IMAP server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The address that reports are sent to.
    pub address: String,
    /// Host name or address of the server, without scheme and brackets.
    pub host: String,
    /// Default 993 with TLS from the start, else 143.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Default: the address.
    pub user: String,
    /// Where the password comes from.
    pub secret: Secret,
    /// How to log in.
    pub auth: Auth,
    /// Certificate authority to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Trust the server with this key and no other, whatever its certificate says: SHA-256 of the key
    /// (SubjectPublicKeyInfo), written `sha256:` and 64 hexadecimal digits.
    pub pin: Option<[u8; 32]>,
    /// A pull goes on until it is stopped: the server tells when something comes.
    pub watch: bool,
    /// The folder that reports arrive in.
    pub mailbox: String,
    /// Folder of sent mail.
    pub sent: Option<String>,
    /// Folder of junk.
    pub junk: Option<String>,
    /// Folder of drafts.
    pub drafts: Option<String>,
}

/// How a connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Security {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after STARTTLS, which is then mandatory.
    StartTls,
    /// None; to this machine only.
    Plain,
}

/// Where a password comes from. Never from the config itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Secret {
    /// Asked on the terminal.
    #[default]
    Ask,
    /// The first line that this program prints: program and arguments, no shell.
    Command(Vec<String>),
    /// The system's keyring.
    Keyring,
}

/// How to log in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Auth {
    /// The best that the server offers.
    #[default]
    Auto,
    /// The LOGIN command.
    Login,
    /// SASL PLAIN.
    Plain,
    /// SASL XOAUTH2; the secret is a token.
    XOAuth2,
    /// SASL OAUTHBEARER; the secret is a token.
    OAuthBearer,
}

/// Whose decisions these are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Me {
    /// Name in the journal and under replies; may be empty.
    pub name: String,
    /// Addresses whose mail counts as ours; the first is the actor's. Holds at least the account's address
    /// where there is an account.
    pub addresses: Vec<String>,
}

/// The product that reports are about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Product {
    /// A checkout of its source, for checking claims.
    pub checkout: Option<PathBuf>,
}

/// Which policy is applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicySource {
    /// Name of an embedded policy; not used where `file` is given.
    pub name: String,
    /// A policy file of one's own.
    pub file: Option<PathBuf>,
    /// The published text, whose sentences are quoted.
    pub text: Option<PathBuf>,
    /// Names of hint rules that are switched off.
    pub hints_off: Vec<String>,
}

impl Default for PolicySource {
    fn default() -> Self {
        Self { name: "octoprint".to_owned(), file: None, text: None, hints_off: Vec::new() }
    }
}

/// A server that takes replies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smtp {
    /// Host name or address of the server.
    pub host: String,
    /// Default 465 with TLS from the start, 587 with STARTTLS, else 25.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Default: the account's.
    pub user: String,
    /// Where the password comes from. Default: as for the account.
    pub secret: Secret,
    /// How to log in. Default: as for the account.
    pub auth: Auth,
    /// Certificate authority to trust instead of the system's, PEM. Default: the account's.
    pub ca_file: Option<PathBuf>,
}

/// The screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ui {
    /// The keymap to start from.
    pub keymap: Shipped,
    /// Bindings of one's own, laid over it.
    pub keymap_file: Option<PathBuf>,
}
