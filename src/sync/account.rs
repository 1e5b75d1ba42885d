//! What has to be known to reach one mailbox.

use std::time::Duration;

use super::error::SyncError;
use super::mailbox::encode_name;

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Security {
    /// TLS from the first byte (RFC 8314); the usual port is 993.
    #[default]
    Tls,
    /// TLS after STARTTLS; a server that does not offer it is refused.
    StartTls,
    /// No protection: accepted for loopback addresses only.
    Plain,
}

/// How the user proves who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Auth {
    /// SASL PLAIN where offered, else LOGIN.
    #[default]
    Auto,
    /// The LOGIN command.
    Login,
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// SASL XOAUTH2; the secret is an access token.
    XOAuth2,
    /// SASL OAUTHBEARER (RFC 7628); the secret is an access token.
    OAuthBearer,
}

/// Bounds on what a server may make this program hold or do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of message bodies asked for by one command.
    pub batch_bytes: u64,
    /// Messages asked for by one command.
    pub batch_messages: usize,
    /// Bytes of a message above which it is fetched in slices, and of the largest literal accepted.
    pub whole_bytes: u64,
    /// Bytes of one slice.
    pub slice_bytes: u32,
    /// Bytes of a message above which it is not fetched but quarantined.
    pub message_bytes: u64,
    /// Bytes of one response without its literals.
    pub response_bytes: usize,
    /// Depth of nested parentheses in a response.
    pub nesting: usize,
    /// UIDs listed by the first command; the number adapts afterwards.
    pub window: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_bytes: 8 << 20,
            batch_messages: 256,
            whole_bytes: 25 << 20,
            slice_bytes: 8 << 20,
            message_bytes: 512 << 20,
            response_bytes: 1 << 20,
            nesting: 64,
            window: 512,
        }
    }
}

/// How long to wait for what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Until a connection stands, per address.
    pub connect: Duration,
    /// Until the next byte comes.
    pub read: Duration,
    /// Until written bytes are taken.
    pub write: Duration,
    /// A command during which fewer than 1,024 bytes arrive in this time is given up.
    pub crawl: Duration,
    /// Pause before the first reconnect; doubled each time, up to 30 s.
    pub retry: Duration,
    /// Longest wait for news before the server is asked anew: below 29 minutes (RFC 2177), and below the time
    /// after which routers forget a silent connection.
    pub idle: Duration,
    /// The same where the server has no IDLE.
    pub poll: Duration,
    /// While watching: pause after the server could not be reached; doubled each time, up to five minutes.
    pub offline: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            read: Duration::from_secs(60),
            write: Duration::from_secs(60),
            crawl: Duration::from_secs(120),
            retry: Duration::from_secs(1),
            idle: Duration::from_secs(9 * 60),
            poll: Duration::from_secs(2 * 60),
            offline: Duration::from_secs(5),
        }
    }
}

/// One mailbox on one server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Host name or address; the certificate must be valid for it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User name.
    pub user: String,
    /// How to log in.
    pub auth: Auth,
    /// Certificates in PEM to trust beside the platform's.
    pub ca_pem: Option<Vec<u8>>,
    /// Trust nothing but `ca_pem`.
    pub ca_only: bool,
    /// Trust nothing but a certificate with this key: SHA-256 of its SubjectPublicKeyInfo.
    pub pin: Option<[u8; 32]>,
    /// Name of the mailbox, in Unicode.
    pub mailbox: String,
    /// Further mailboxes, read after the first; one that cannot be opened is noted and left out.
    pub also: Vec<String>,
    /// Bounds.
    pub limits: Limits,
    /// Times.
    pub timeouts: Timeouts,
}

impl Account {
    /// An account with default bounds, times and trust, for the mailbox INBOX.
    pub fn new(host: &str, port: u16, security: Security, user: &str) -> Self {
        Self {
            host: host.to_owned(),
            port,
            security,
            user: user.to_owned(),
            auth: Auth::default(),
            ca_pem: None,
            ca_only: false,
            pin: None,
            mailbox: "INBOX".to_owned(),
            also: Vec::new(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// Checks what can be checked without a network.
    pub(crate) fn check(&self) -> Result<(), SyncError> {
        let fault = |why: &str| Err(SyncError::Account { why: why.to_owned() });
        if self.host.is_empty() || self.host.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return fault("the host name is empty or contains a space or control character");
        }
        if self.user.is_empty() || self.user.chars().any(char::is_control) {
            return fault("the user name is empty or contains a control character");
        }
        for name in std::iter::once(&self.mailbox).chain(&self.also) {
            encode_name(name).map_err(|error| SyncError::Account { why: error.to_string() })?;
        }
        Ok(())
    }
}
