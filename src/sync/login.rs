//! Proving who we are.
//!
//! Owns: the choice of the login method and the form in which the secret goes over the wire. Absent on purpose:
//! where the secret comes from, and what a refusal means, see [`super::session`].

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::account::Auth;
use super::error::SyncError;
use super::secret::Secret;
use super::tray::Tray;
use super::wire::{Client, Session};

/// Tries to log in, once. The outer error says why nothing was sent.
pub(crate) fn attempt(
    client: Client,
    tray: &Tray,
    offers: &[String],
    user: &str,
    secret: &Secret,
    auth: Auth,
) -> Result<Result<Session, (imap::Error, Client)>, SyncError> {
    let (method, wire_secret) = method(auth, offers, user, secret)?;
    let result = match method {
        None => {
            tray.lock().swap(STAND_IN.as_bytes(), wire_secret);
            client.login(user, STAND_IN)
        }
        Some(name) => {
            let stand_in = STANDARD.encode(STAND_IN);
            tray.lock().swap(stand_in.as_bytes(), wire_secret);
            // With SASL-IR (RFC 4959) the answer goes along with the question: a round trip less.
            if offers.iter().any(|offer| offer == "SASL-IR") {
                client.authenticate(format!("{name} {stand_in}"), &Once(Cell::new(None)))
            } else {
                client.authenticate(name, &Once(Cell::new(Some(STAND_IN))))
            }
        }
    };
    tray.lock().forget_swap();
    Ok(result)
}

/// The capabilities, in upper case.
pub(crate) fn offers(client: &mut Client) -> imap::Result<Vec<String>> {
    use imap_proto::types::Capability;
    let capabilities = client.capabilities()?;
    let words = capabilities.iter().map(|capability| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    });
    Ok(words.collect())
}

/// What the library gets in place of the secret, as it would keep copies. The guard puts the secret in on the
/// way out. No user name contains it, as control characters are refused there.
const STAND_IN: &str = "\x01secret\x01";

/// Answers once; a server that asks again gets an empty answer, which ends the exchange (as XOAUTH2
/// demands after its error report).
struct Once(Cell<Option<&'static str>>);

impl imap::Authenticator for Once {
    type Response = &'static str;

    fn process(&self, _challenge: &[u8]) -> Self::Response {
        self.0.take().unwrap_or_default()
    }
}

/// Chooses the login method: the SASL name, or `None` for the LOGIN command, and the secret as it goes over the
/// wire.
fn method(
    auth: Auth,
    offers: &[String],
    user: &str,
    secret: &Secret,
) -> Result<(Option<&'static str>, Zeroizing<Vec<u8>>), SyncError> {
    let has = |word: &str| offers.iter().any(|offer| offer == word);
    let secret = secret.expose();
    let sasl = |name: &'static str, word: &str, parts: &[&str]| {
        // A server that told nothing may know it all the same.
        if has(word) || offers.is_empty() {
            Ok((Some(name), base64_of(parts)))
        } else {
            Err(SyncError::NoMechanism { wanted: name })
        }
    };
    let plain = ["\0", user, "\0", secret];
    match auth {
        Auth::Auto if has("AUTH=PLAIN") => sasl("PLAIN", "AUTH=PLAIN", &plain),
        Auth::Auto | Auth::Login if has("LOGINDISABLED") => Err(SyncError::LoginDisabled),
        Auth::Auto | Auth::Login => Ok((None, quoted(secret)?)),
        Auth::Plain => sasl("PLAIN", "AUTH=PLAIN", &plain),
        Auth::XOAuth2 => {
            let parts = ["user=", user, "\x01auth=Bearer ", secret, "\x01\x01"];
            sasl("XOAUTH2", "AUTH=XOAUTH2", &parts)
        }
        Auth::OAuthBearer => {
            // RFC 7628 section 3.1; "=" and "," of the name are written as RFC 5801 section 4 says.
            let name = user.replace('=', "=3D").replace(',', "=2C");
            let parts = ["n,a=", &name, ",\x01auth=Bearer ", secret, "\x01\x01"];
            sasl("OAUTHBEARER", "AUTH=OAUTHBEARER", &parts)
        }
    }
}

/// Base64 of the joined parts. Both buffers are wiped and never grow, as growing leaves a copy behind.
fn base64_of(parts: &[&str]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut joined = Zeroizing::new(Vec::with_capacity(length));
    parts.iter().for_each(|part| joined.extend_from_slice(part.as_bytes()));
    let mut encoded = Zeroizing::new(vec![0; length.div_ceil(3) * 4]);
    // The buffer has exactly the size that padded base64 takes.
    let written = STANDARD.encode_slice(joined.as_slice(), &mut encoded).unwrap_or(0);
    encoded.truncate(written);
    encoded
}

/// The inside of a quoted string (RFC 3501 section 9).
fn quoted(secret: &str) -> Result<Zeroizing<Vec<u8>>, SyncError> {
    if secret.contains(['\0', '\r', '\n']) {
        let why = "the password contains a line end or NUL".to_owned();
        return Err(SyncError::Account { why });
    }
    let mut inside = Zeroizing::new(Vec::with_capacity(secret.len() * 2));
    for byte in secret.bytes() {
        if matches!(byte, b'"' | b'\\') {
            inside.push(b'\\');
        }
        inside.push(byte);
    }
    Ok(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imap::Authenticator as _;

    fn choose(auth: Auth, offers: &[&str]) -> Result<(Option<&'static str>, Vec<u8>), SyncError> {
        let offers: Vec<String> = offers.iter().map(|word| (*word).to_owned()).collect();
        let (name, wire) = method(auth, &offers, "u=1", &Secret::new("p\"w".into()))?;
        let said = if name.is_some() { STANDARD.decode(&*wire).unwrap() } else { wire.to_vec() };
        Ok((name, said))
    }

    #[test]
    fn prefers_plain_and_respects_logindisabled() {
        let (name, answer) = choose(Auth::Auto, &["AUTH=PLAIN", "LOGINDISABLED"]).unwrap();
        assert_eq!((name, answer.as_slice()), (Some("PLAIN"), &b"\0u=1\0p\"w"[..]));
        let (name, answer) = choose(Auth::Auto, &["IMAP4REV1"]).unwrap();
        assert_eq!((name, answer.as_slice()), (None, &b"p\\\"w"[..]));
        assert!(matches!(choose(Auth::Auto, &["LOGINDISABLED"]), Err(SyncError::LoginDisabled)));
        assert!(matches!(choose(Auth::Login, &["LOGINDISABLED"]), Err(SyncError::LoginDisabled)));
        assert!(matches!(
            choose(Auth::XOAuth2, &["AUTH=PLAIN"]),
            Err(SyncError::NoMechanism { wanted: "XOAUTH2" })
        ));
        let (_, answer) = choose(Auth::OAuthBearer, &["AUTH=OAUTHBEARER"]).unwrap();
        assert_eq!(answer, b"n,a=u=3D1,\x01auth=Bearer p\"w\x01\x01");
    }

    #[test]
    fn answers_once_and_refuses_line_ends() {
        let once = Once(Cell::new(Some(STAND_IN)));
        assert_eq!((once.process(b""), once.process(b"again")), (STAND_IN, ""));
        assert!(quoted("a\r\nx LOGOUT").is_err());
    }
}
