//! From a host name to a byte stream that may carry a password.
//!
//! Owns: addresses, TCP with time limits, TLS, the greeting, STARTTLS. Absent on purpose: everything after the
//! greeting except CAPABILITY in it, see [`super::session`].

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::account::{Account, Security};
use super::cancel::{Cancel, Lease};
use super::error::SyncError;
use super::text::printable;

/// Longest line accepted before the login, in bytes.
const LONGEST_LINE: usize = 8192;
/// Most untagged lines read while waiting for the answer to STARTTLS.
const MOST_LINES: usize = 50;

/// A connection, protected or not.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Bare TCP, to this machine.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buf),
            Self::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// A connection whose server has said hello.
#[derive(Debug)]
pub(crate) struct Greeted {
    /// The stream, right after the greeting or after the TLS handshake of STARTTLS.
    pub stream: Stream,
    /// Capabilities told in the greeting; never those told before STARTTLS (RFC 3501 section 6.2.1).
    pub capabilities: Option<Vec<String>>,
    /// Ends the reach of the cancel token when dropped.
    pub lease: Lease,
}

/// Connects and brings the connection to where a login may be tried.
pub(crate) fn open(account: &Account, cancel: &Cancel) -> Result<Greeted, SyncError> {
    // Certificates first: a broken CA file should not cost a connection.
    let tls = match account.security {
        Security::Plain => None,
        Security::Tls | Security::StartTls => Some(tls_config(account)?),
    };
    let tcp = connect(account)?;
    let lease = cancel.attach(&tcp).map_err(|error| io_fault(&error, "connecting"))?;
    let (stream, capabilities) = match (tls, account.security) {
        (Some(config), Security::Tls) => {
            let mut stream = handshake(account, config, tcp)?;
            let capabilities = greeting(&mut stream, account)?;
            (stream, capabilities)
        }
        (Some(config), _) => (start_tls(account, config, tcp)?, None),
        (None, _) => {
            let mut stream = Stream::Plain(tcp);
            let capabilities = greeting(&mut stream, account)?;
            (stream, capabilities)
        }
    };
    Ok(Greeted { stream, capabilities, lease })
}

fn connect(account: &Account) -> Result<TcpStream, SyncError> {
    let (host, port) = (account.host.clone(), account.port);
    let found = (host.as_str(), port).to_socket_addrs();
    let mut addresses: Vec<SocketAddr> = match found {
        Ok(addresses) => addresses.collect(),
        Err(source) => return Err(SyncError::UnknownHost { host, source }),
    };
    if account.security == Security::Plain {
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
        if addresses.is_empty() {
            return Err(SyncError::PlainRefused { host });
        }
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect_timeout(&address, account.timeouts.connect) {
            Ok(tcp) => return prepare(tcp, account).map_err(|e| io_fault(&e, "connecting")),
            Err(error) => last = error,
        }
    }
    Err(match last.kind() {
        io::ErrorKind::ConnectionRefused => SyncError::Refused { host, port, source: last },
        io::ErrorKind::TimedOut => SyncError::TimedOut { during: "connecting" },
        io::ErrorKind::NotFound => SyncError::UnknownHost { host, source: last },
        _ => SyncError::Unreachable { host, port, source: last },
    })
}

fn prepare(tcp: TcpStream, account: &Account) -> io::Result<TcpStream> {
    tcp.set_read_timeout(Some(account.timeouts.read))?;
    tcp.set_write_timeout(Some(account.timeouts.write))?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

fn tls_config(account: &Account) -> Result<Arc<ClientConfig>, SyncError> {
    let fault = |why: String| SyncError::Tls { host: account.host.clone(), why };
    let mut roots = RootCertStore::empty();
    if !account.ca_only {
        // A certificate of the platform that cannot be read is one trusted authority fewer, not a fault.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Some(pem) = &account.ca_pem {
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|_| fault("the CA file is not in PEM format".to_owned()))?;
            roots
                .add(certificate)
                .map_err(|_| fault("a certificate in the CA file cannot be read".to_owned()))?;
            found += 1;
        }
        if found == 0 {
            return Err(fault("the CA file contains no certificate".to_owned()));
        }
    }
    if roots.is_empty() {
        return Err(fault("no certificate authority is known, not even the platform's".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn handshake(
    account: &Account,
    config: Arc<ClientConfig>,
    mut tcp: TcpStream,
) -> Result<Stream, SyncError> {
    let name = ServerName::try_from(account.host.clone()).map_err(|_| SyncError::Tls {
        host: account.host.clone(),
        why: "the host name cannot stand in a certificate".to_owned(),
    })?;
    let mut tls =
        ClientConnection::new(config, name).map_err(|error| tls_fault(&error, &account.host))?;
    while tls.is_handshaking() {
        if let Err(error) = tls.complete_io(&mut tcp) {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            return Err(match inner {
                Some(inner) => tls_fault(inner, &account.host),
                None => io_fault(&error, "setting up TLS"),
            });
        }
    }
    Ok(Stream::Tls(Box::new(StreamOwned::new(tls, tcp))))
}

fn tls_fault(error: &rustls::Error, host: &str) -> SyncError {
    let host = host.to_owned();
    let certificate = |why: String| SyncError::Certificate { host: host.clone(), why };
    match error {
        rustls::Error::InvalidCertificate(fault) => certificate(match fault {
            CertificateError::UnknownIssuer => "its issuer is not trusted here".to_owned(),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "it has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it was made for another host name".to_owned()
            }
            CertificateError::Revoked => "it was revoked".to_owned(),
            CertificateError::BadSignature => "its signature is wrong".to_owned(),
            other => printable(format!("{other:?}").as_bytes()),
        }),
        rustls::Error::NoCertificatesPresented => certificate("the server sent none".to_owned()),
        rustls::Error::InvalidMessage(_) => {
            SyncError::Tls { host, why: "what the server sent is not TLS".to_owned() }
        }
        other => SyncError::Tls { host, why: printable(other.to_string().as_bytes()) },
    }
}

/// Reads one line without its end. Byte by byte, so that nothing behind it is taken from the stream.
fn read_line(stream: &mut impl Read, during: &'static str) -> Result<Vec<u8>, SyncError> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        match stream.read(&mut byte) {
            Ok(0) => return Err(SyncError::Closed { during }),
            Ok(_) => line.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_fault(&error, during)),
        }
        if line.len() > LONGEST_LINE {
            return Err(SyncError::TooLarge { what: "the first line".to_owned() });
        }
    }
    line.truncate(line.trim_ascii_end().len());
    Ok(line)
}

/// Accepts `* OK` and nothing else: a password must not follow a BYE, an HTTP answer or a forged PREAUTH.
/// Returns the capabilities, if the greeting lists them.
fn greeting(stream: &mut impl Read, account: &Account) -> Result<Option<Vec<String>>, SyncError> {
    let line = read_line(stream, "waiting for the greeting")?;
    let upper = line.to_ascii_uppercase();
    let is = |word: &[u8]| {
        upper.strip_prefix(word).is_some_and(|rest| rest.first().is_none_or(|b| *b == b' '))
    };
    if is(b"* OK") {
        return Ok(capabilities_in(&String::from_utf8_lossy(&line)));
    }
    if is(b"* PREAUTH") {
        return Err(SyncError::Preauth);
    }
    if is(b"* BYE") {
        return Err(SyncError::Bye { text: printable(line.get(5..).unwrap_or_default()) });
    }
    Err(SyncError::NotImap { host: account.host.clone(), text: printable(&line) })
}

/// The words of a `[CAPABILITY …]` response code, in upper case.
fn capabilities_in(line: &str) -> Option<Vec<String>> {
    let upper = line.to_ascii_uppercase();
    let (_, rest) = upper.split_once("[CAPABILITY ")?;
    let (words, _) = rest.split_once(']')?;
    Some(words.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Asks for TLS and refuses everything that is not a clean yes.
fn start_tls(
    account: &Account,
    config: Arc<ClientConfig>,
    mut tcp: TcpStream,
) -> Result<Stream, SyncError> {
    let during = "asking for STARTTLS";
    // What the greeting offers is not looked at: anybody could have written it. The answer decides.
    greeting(&mut tcp, account)?;
    tcp.write_all(b"t1 STARTTLS\r\n").map_err(|error| io_fault(&error, during))?;
    for _ in 0..MOST_LINES {
        let line = read_line(&mut tcp, during)?;
        let upper = line.to_ascii_uppercase();
        if upper.starts_with(b"T1 OK") {
            // A TLS server speaks second: whatever lies here already was put there by somebody else.
            return if nothing_waits(&tcp).map_err(|error| io_fault(&error, during))? {
                handshake(account, config, tcp)
            } else {
                Err(SyncError::StartTlsInjected)
            };
        }
        if upper.starts_with(b"T1 ") {
            return Err(SyncError::StartTlsMissing { text: printable(&line) });
        }
        if upper.starts_with(b"* BYE") {
            return Err(SyncError::Bye { text: printable(line.get(5..).unwrap_or_default()) });
        }
        if !line.starts_with(b"* ") {
            break;
        }
    }
    Err(SyncError::Protocol { during, what: "no answer to STARTTLS".to_owned() })
}

fn nothing_waits(tcp: &TcpStream) -> io::Result<bool> {
    tcp.set_nonblocking(true)?;
    let found = tcp.peek(&mut [0]);
    tcp.set_nonblocking(false)?;
    match found {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Ok(count) => Ok(count == 0),
        Err(error) => Err(error),
    }
}

/// The sentence for a failed read or write.
pub(crate) fn io_fault(error: &io::Error, during: &'static str) -> SyncError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => SyncError::TimedOut { during },
        io::ErrorKind::InvalidData => {
            SyncError::Protocol { during, what: printable(error.to_string().as_bytes()) }
        }
        _ => SyncError::Closed { during },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account::new("mail.example", 143, Security::Plain, "u")
    }

    #[test]
    fn only_ok_is_a_greeting() {
        let greet = |line: &str| greeting(&mut line.as_bytes(), &account());
        assert_eq!(greet("* OK ready\r\n").unwrap(), None);
        assert_eq!(
            greet("* OK [CAPABILITY imap4rev1 AUTH=PLAIN] x\r\n").unwrap().unwrap(),
            ["IMAP4REV1", "AUTH=PLAIN"]
        );
        assert!(matches!(greet("* PREAUTH hi\r\n"), Err(SyncError::Preauth)));
        assert!(
            matches!(greet("* BYE \x1b[2J\r\n"), Err(SyncError::Bye { text }) if text == "␛[2J")
        );
        assert!(matches!(greet("HTTP/1.1 400 Bad\r\n"), Err(SyncError::NotImap { .. })));
        assert!(matches!(greet("* OKAY\r\n"), Err(SyncError::NotImap { .. })));
        assert!(matches!(greet("* OK no end"), Err(SyncError::Closed { .. })));
        assert!(matches!(greet(&"x".repeat(10_000)), Err(SyncError::TooLarge { .. })));
    }

    #[test]
    fn plain_goes_to_this_machine_only() {
        let mut away = account();
        away.host = "192.0.2.1".to_owned();
        assert!(matches!(connect(&away), Err(SyncError::PlainRefused { .. })));
    }
}
