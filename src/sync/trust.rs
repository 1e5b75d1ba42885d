//! Which server is the right one.
//!
//! Owns: authorities, the pinned key, the sentences about certificates. Read next: [`super::transport`].

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};

use super::account::Account;
use super::error::SyncError;
use super::text::printable;

/// Whom to trust, as the account says: the pinned key alone, or the platform's and the named authorities.
///
/// # Errors
/// If there is nobody to trust.
pub(crate) fn tls_config(account: &Account) -> Result<Arc<ClientConfig>, SyncError> {
    let fault = |why: String| SyncError::Tls { host: account.host.clone(), why };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(error.to_string()))?;
    if let Some(pin) = account.pin {
        let pinned =
            Arc::new(Pinned { pin, algorithms: provider.signature_verification_algorithms });
        let config = builder.dangerous().with_custom_certificate_verifier(pinned);
        return Ok(Arc::new(config.with_no_client_auth()));
    }
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
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Trusts one key, whatever the certificate around it says: not the name, not the dates, no authority.
#[derive(Debug)]
struct Pinned {
    /// SHA-256 of the key's SubjectPublicKeyInfo (RFC 5280 section 4.1), as RFC 7469 section 2.4 has it.
    pin: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if Sha256::digest(&key).as_slice() == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        // The only one of its kind here, so that its sentence can name the pin.
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The sentence for a handshake that failed.
pub(crate) fn tls_fault(error: &rustls::Error, host: &str) -> SyncError {
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
            CertificateError::ApplicationVerificationFailure => {
                "its key is not the one that pin names".to_owned()
            }
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
