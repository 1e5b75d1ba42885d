//! Certificates that must not be trusted, and servers that only pretend.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests may fail loudly"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use casebook::sync::{
    Account, Cancel, Cursor, Fetched, Secret, Security, Sink, SinkError, SyncError, Timeouts, run,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

struct Nothing;

impl Sink for Nothing {
    fn store(&mut self, _: Vec<Fetched>, _: &Cursor) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A TLS server for one connection; it greets, and says what it was told.
fn serve(
    params: CertificateParams,
    issuer: Option<&Issuer<'_, KeyPair>>,
) -> (u16, thread::JoinHandle<Vec<u8>>) {
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), tcp);
        let mut heard = Vec::new();
        if tls.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n").is_ok() {
            let _ended = tls.flush().and_then(|()| tls.read_to_end(&mut heard).map(|_| ()));
        }
        heard
    });
    (port, thread)
}

fn authority() -> (Vec<u8>, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "test authority");
    (params.self_signed(&key).unwrap().pem().into_bytes(), Issuer::new(params, key))
}

fn pull(port: u16, ca_pem: Option<Vec<u8>>) -> SyncError {
    let mut account = Account::new("localhost", port, Security::Tls, "u");
    account.ca_only = ca_pem.is_some();
    account.ca_pem = ca_pem;
    account.timeouts = Timeouts {
        read: Duration::from_secs(5),
        retry: Duration::from_millis(1),
        ..Timeouts::default()
    };
    let secret = &mut || Ok(Secret::new("canary".to_owned()));
    run(&account, secret, None, &mut Nothing, &Cancel::new(), &mut |_| {}).unwrap_err()
}

fn refused(change: impl FnOnce(&mut CertificateParams), signed: bool, part: &str) {
    let (ca, issuer) = authority();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let (port, server) = serve(params, signed.then_some(&issuer));
    let error = pull(port, Some(ca));
    assert!(
        matches!(&error, SyncError::Certificate { why, .. } if why.contains(part)),
        "{part}: {error:?}"
    );
    assert!(server.join().unwrap().is_empty(), "{part}: something was sent");
}

#[test]
fn bad_certificates_are_refused_and_nothing_is_sent() {
    refused(|params| params.not_after = date_time_ymd(2020, 1, 1), true, "expired");
    refused(|params| params.not_before = date_time_ymd(4000, 1, 1), true, "not valid yet");
    refused(|params| params.subject_alt_names.clear(), true, "another host name");
    refused(|_| {}, false, "issuer");
}

#[test]
fn the_platform_does_not_know_a_private_authority() {
    let (_, issuer) = authority();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let (port, server) = serve(params, Some(&issuer));
    let error = pull(port, None);
    // A machine without any authorities refuses before it connects.
    let known = matches!(&error, SyncError::Certificate { .. });
    assert!(known || matches!(&error, SyncError::Tls { .. }), "{error:?}");
    if known {
        assert!(server.join().unwrap().is_empty());
    }
}

#[test]
fn a_trusted_server_gets_the_password() {
    let (ca, issuer) = authority();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let (port, server) = serve(params, Some(&issuer));
    // It never answers: the capabilities are known from the greeting, so the login is the first command.
    let cancel = Cancel::new();
    let mut account = Account::new("localhost", port, Security::Tls, "u");
    (account.ca_pem, account.ca_only) = (Some(ca), true);
    account.timeouts.read = Duration::from_millis(500);
    let secret = &mut || Ok(Secret::new("canary".to_owned()));
    let error = run(&account, secret, None, &mut Nothing, &cancel, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SyncError::TimedOut { .. }), "{error:?}");
    assert_eq!(server.join().unwrap(), b"a1 LOGIN \"u\" \"canary\"\r\n");
}

#[test]
fn what_is_no_tls_or_no_pem_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        tcp.write_all(b"* OK IMAP4rev1 plain text\r\n").unwrap();
        let _ended = tcp.read_to_end(&mut Vec::new());
    });
    let error = pull(port, Some(authority().0));
    assert!(matches!(&error, SyncError::Tls { why, .. } if why.contains("not TLS")), "{error:?}");
    server.join().unwrap();
    for pem in [
        &b"no certificate"[..],
        b"",
        b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ] {
        let error = pull(port, Some(pem.to_vec()));
        assert!(
            matches!(&error, SyncError::Tls { why, .. } if why.contains("CA file")),
            "{error:?}"
        );
    }
}
