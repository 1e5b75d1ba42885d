//! What can go wrong with a mailbox connection, in sentences.

use std::io;

use super::secret::SecretError;

/// Why a batch could not be stored; made by the receiver of the messages.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// Why a synchronisation ended early. What was stored before stays stored, and the cursor given with the last
/// stored batch is where the next run goes on. Text of the server is sanitised and at most 200 characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the sentence of each variant says what it is")]
pub enum SyncError {
    #[error("the account cannot be used: {why}")]
    Account { why: String },
    #[error("no address is known for the host {host}")]
    UnknownHost { host: String, source: io::Error },
    #[error("{host} port {port} refused the connection")]
    Refused { host: String, port: u16, source: io::Error },
    #[error("{host} port {port} cannot be reached")]
    Unreachable { host: String, port: u16, source: io::Error },
    #[error("timed out while {during}")]
    TimedOut { during: &'static str },
    #[error("the certificate of {host} was refused: {why}")]
    Certificate { host: String, why: String },
    #[error("no TLS connection with {host}: {why}")]
    Tls { host: String, why: String },
    #[error("refused to send a password unprotected to {host}, which is not this machine")]
    PlainRefused { host: String },
    #[error("the server at {host} does not speak IMAP; it said: {text}")]
    NotImap { host: String, text: String },
    #[error("the server turned the connection away: {text}")]
    Bye { text: String },
    #[error(
        "the server claims that we are logged in already, which is how a tampered connection looks"
    )]
    Preauth,
    #[error("the server refused STARTTLS, which the account demands: {text}")]
    StartTlsMissing { text: String },
    #[error(
        "the connection was tampered with: data came between the answer to STARTTLS and the handshake"
    )]
    StartTlsInjected,
    #[error("the server forbids sending a password on this connection")]
    LoginDisabled,
    #[error("the server does not offer the login method {wanted}")]
    NoMechanism { wanted: &'static str },
    #[error("no password to log in with")]
    Secret { source: SecretError },
    #[error("the server refused the login of {user}: {text}")]
    LoginRefused { user: String, text: String },
    #[error("the mailbox {name} cannot be opened: {text}")]
    Mailbox { name: String, text: String },
    #[error("the server refused a command: {text}")]
    Command { text: String },
    #[error("the server closed the connection while {during}")]
    Closed { during: &'static str },
    #[error("the server broke the protocol while {during}: {what}")]
    Protocol { during: &'static str, what: String },
    #[error("an answer of the server goes beyond what is accepted: {what}")]
    TooLarge { what: String },
    #[error("cancelled")]
    Cancelled,
    #[error("fetched messages could not be stored")]
    Sink { source: SinkError },
    #[error("no thread for the mailbox connection")]
    Thread { source: io::Error },
}

impl SyncError {
    /// What the user can do about it: one sentence, without a stop.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Account { .. } => "correct the account section of the configuration",
            Self::UnknownHost { .. } => {
                "check the host name and the network; local mail stays usable"
            }
            Self::Refused { .. } => "check the port and whether the server runs",
            Self::Unreachable { .. } => "check the network; local mail stays usable",
            Self::TimedOut { .. } => "try again later; what has arrived is kept",
            Self::Certificate { .. } => {
                "check the host name and the clock, or name the server's authority with ca_file"
            }
            Self::Tls { .. } => {
                "check the port and the security setting: 993 is tls, 143 is starttls"
            }
            Self::PlainRefused { .. } => "set security to tls or starttls",
            Self::NotImap { .. } => "check host, port and security setting",
            Self::Bye { .. } => "try again later, or ask the server's operator",
            Self::Preauth | Self::StartTlsInjected => {
                "nothing was sent; use security = tls, and do not trust this network"
            }
            Self::StartTlsMissing { .. } => {
                "use security = tls; a refusal can also come from somebody in between"
            }
            Self::LoginDisabled => "set security to tls or starttls",
            Self::NoMechanism { .. } => "set auth to auto, or to a method that the server offers",
            Self::Secret { .. } => "run the command by hand and see what it prints",
            Self::LoginRefused { .. } => {
                "check user name and password; it is not tried again by itself"
            }
            Self::Mailbox { .. } => "check the mailbox name in the configuration",
            Self::Command { .. } => "try again; if it stays, ask the server's operator",
            Self::Closed { .. } => "try again; what has arrived is kept",
            Self::Protocol { .. } | Self::TooLarge { .. } => {
                "try again; if it stays, the server is at fault and its operator should know"
            }
            Self::Cancelled => "start it again at any time; it goes on where it stopped",
            Self::Sink { .. } => "see whether the disk is full or the store is damaged",
            Self::Thread { .. } => "close other programs, or raise the limit on processes",
        }
    }

    /// Whether it may well go by itself: the network, or a server with a bad day. Never a refused login, which
    /// tried again and again locks an account, nor anything that looks like an attack.
    pub(crate) fn passes(&self) -> bool {
        self.breaks_link()
            || matches!(
                self,
                Self::UnknownHost { .. }
                    | Self::Refused { .. }
                    | Self::Unreachable { .. }
                    | Self::Tls { .. }
                    | Self::Command { .. }
            )
    }

    /// Whether the connection is of no more use, though another one may work.
    pub(crate) fn breaks_link(&self) -> bool {
        matches!(
            self,
            Self::TimedOut { .. }
                | Self::Closed { .. }
                | Self::Protocol { .. }
                | Self::TooLarge { .. }
                | Self::Bye { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_one_line_without_a_stop() {
        let errors = [
            SyncError::Account { why: "x".into() },
            SyncError::TimedOut { during: "reading" },
            SyncError::Preauth,
            SyncError::StartTlsInjected,
            SyncError::LoginDisabled,
            SyncError::Cancelled,
            SyncError::Closed { during: "listing messages" },
        ];
        for error in errors {
            for sentence in [error.to_string(), error.advice().to_owned()] {
                assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
                assert!(sentence.starts_with(|c: char| !c.is_uppercase()), "{sentence}");
            }
        }
    }
}
