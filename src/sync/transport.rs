//! From a host name to a byte stream that may carry a password.
//!
//! Owns: addresses, TCP with time limits, TLS, the greeting, STARTTLS. Absent on purpose: everything after the
//! greeting except CAPABILITY in it, see [`super::session`]; whom to trust, see [`super::trust`].

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::account::{Account, Security};
use super::cancel::{Cancel, Lease};
use super::duplex::Duplex;
use super::error::SyncError;
use super::lines::capabilities_in;
use super::text::printable;
use super::trust::{tls_config, tls_fault};

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

impl Duplex for Stream {
    fn give_up_after(&mut self, time: Duration) -> io::Result<()> {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        };
        tcp.set_read_timeout(Some(time.max(Duration::from_millis(1))))
    }
}

/// A connection whose server has said hello.
pub(crate) struct Greeted {
    /// The stream, right after the greeting or after the TLS handshake of STARTTLS.
    pub stream: Box<dyn Duplex>,
    /// Capabilities told in the greeting; never those told before STARTTLS (RFC 3501 section 6.2.1).
    pub capabilities: Option<Vec<String>>,
    /// Ends the reach of the cancel token when dropped; nothing to end in a simulation.
    pub lease: Option<Lease>,
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
    Ok(Greeted { stream: Box::new(stream), capabilities, lease: Some(lease) })
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
