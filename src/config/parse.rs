//! Config text → [`Config`], all faults at once.
//!
//! Owns: what each key means, defaults, what does not go together. Absent on purpose: files and the environment.
//! Read next: [`super::value`], [`super::section`].

use std::net::IpAddr;
use std::path::Path;

use super::document::{Faults, did_you_mean, in_order};
use super::fault::Fault;
use super::policy::EMBEDDED_NAMES;
use super::section::{Located, Places, Section, looks_secret};
use super::value::{Account, Auth, Config, Me, PolicySource, Product, Secret, Security, Smtp, Ui};
use crate::keymap::Shipped;

/// The tables of the file.
const SECTIONS: [&str; 6] = ["account", "me", "product", "policy", "smtp", "ui"];

const SECURITY: [(&str, Security); 3] =
    [("tls", Security::Tls), ("starttls", Security::StartTls), ("plain", Security::Plain)];

const AUTH: [(&str, Auth); 5] = [
    ("auto", Auth::Auto),
    ("login", Auth::Login),
    ("plain", Auth::Plain),
    ("xoauth2", Auth::XOAuth2),
    ("oauthbearer", Auth::OAuthBearer),
];

/// Reads a config. Relative paths start at `base`, the folder of the file; `~` needs `home`. An empty text
/// is a fine config: it works offline.
///
/// # Errors
/// Every fault, in the order of the text, with its line and the name that was probably meant. Values are
/// quoted only where they cannot be secrets.
pub fn parse(text: &str, base: &Path, home: Option<&Path>) -> Result<Config, Vec<Fault>> {
    let (document, mut faults) = Faults::read(text);
    let places = Places { base, home };
    for (name, _) in in_order(&document) {
        let key = name.get_ref();
        if !SECTIONS.contains(&key.as_ref()) {
            faults.add_at(&name.span(), unknown_section(key));
        }
    }
    let account = read_account(Section::open(&document, "account", &mut faults), places);
    let me = read_me(Section::open(&document, "me", &mut faults), account.as_ref());
    let product = read_product(Section::open(&document, "product", &mut faults), places);
    let policy = read_policy(Section::open(&document, "policy", &mut faults), places);
    let smtp = Section::open(&document, "smtp", &mut faults);
    let smtp = read_smtp(smtp, places, account.as_ref());
    let ui = read_ui(Section::open(&document, "ui", &mut faults), places);
    let faults = faults.into_sorted();
    if faults.is_empty() {
        Ok(Config { account, me, product, policy, smtp, ui })
    } else {
        Err(faults)
    }
}

fn unknown_section(name: &str) -> String {
    if looks_secret(name) {
        return format!("\"{name}\": a secret does not belong in this file; see password_command");
    }
    format!("unknown table \"{name}\"{}", did_you_mean(name, &SECTIONS))
}

fn read_account(mut section: Section<'_, '_>, places: Places<'_>) -> Option<Account> {
    let address = read_address(&mut section);
    let server = Server::read(&mut section, [993, 143, 143]);
    let login = Login::read(&mut section, places);
    let pin = read_pin(&mut section);
    let watch = section.flag("watch").is_some_and(|flag| flag.value);
    let mailbox = section.plain_text("mailbox").unwrap_or_else(|| "INBOX".to_owned());
    let sent = section.plain_text("sent");
    let junk = section.plain_text("junk");
    let drafts = section.plain_text("drafts");
    section.close();
    let (address, server) = (address?, server?);
    Some(Account {
        user: login.user.unwrap_or_else(|| address.clone()),
        address,
        host: server.host,
        port: server.port,
        security: server.security,
        secret: login.secret.unwrap_or_default(),
        auth: login.auth.unwrap_or_default(),
        ca_file: login.ca_file,
        pin,
        watch,
        mailbox,
        sent,
        junk,
        drafts,
    })
}

fn read_pin(section: &mut Section<'_, '_>) -> Option<[u8; 32]> {
    let written = section.text("pin")?;
    let digits = written.value.trim().strip_prefix("sha256:").map(str::as_bytes);
    let pin = digits.filter(|digits| digits.len() == 64).and_then(|digits| {
        let mut pin = [0; 32];
        for (byte, pair) in pin.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(pin)
    });
    if pin.is_none() {
        section.fault(
            written.line,
            "pin must be \"sha256:\" and the 64 hexadecimal digits of the key's hash",
        );
    }
    pin
}

fn read_address(section: &mut Section<'_, '_>) -> Option<String> {
    let address = section.required("address")?;
    if !is_address(&address.value) {
        section.fault(address.line, not_an_address(&address.value));
        return None;
    }
    Some(address.value)
}

fn read_me(mut section: Section<'_, '_>, account: Option<&Account>) -> Me {
    let name = section.plain_text("name").unwrap_or_default();
    let written = section.texts("addresses");
    let mut addresses = Vec::new();
    for address in written.iter().flat_map(|list| list.value.iter()) {
        if !is_address(address) {
            let line = written.as_ref().map_or(0, |list| list.line);
            section.fault(line, not_an_address(address));
        }
        addresses.push(address.clone());
    }
    section.close();
    let inbox = account.map(|account| &account.address);
    let inbox = inbox.filter(|inbox| addresses.iter().all(|own| !own.eq_ignore_ascii_case(inbox)));
    addresses.extend(inbox.cloned());
    Me { name, addresses }
}

fn read_product(mut section: Section<'_, '_>, places: Places<'_>) -> Product {
    let checkout = section.path("checkout", places);
    section.close();
    Product { checkout }
}

fn read_policy(mut section: Section<'_, '_>, places: Places<'_>) -> PolicySource {
    let name = section.text("name");
    let file = section.path("file", places);
    let text = section.path("text", places);
    let hints_off = section.texts("hints_off").map(|list| list.value).unwrap_or_default();
    if let Some(name) = &name {
        if file.is_some() {
            section.fault(name.line, "name an embedded policy or a file, not both");
        } else if !EMBEDDED_NAMES.contains(&name.value.as_str()) {
            let near = did_you_mean(&name.value, &EMBEDDED_NAMES);
            let what = format!("no policy \"{}\" is embedded{near}", name.value);
            section.fault(name.line, what);
        }
    }
    section.close();
    let name = name.map_or_else(|| PolicySource::default().name, |name| name.value);
    PolicySource { name, file, text, hints_off }
}

fn read_smtp(
    mut section: Section<'_, '_>,
    places: Places<'_>,
    account: Option<&Account>,
) -> Option<Smtp> {
    let server = Server::read(&mut section, [465, 587, 25]);
    let login = Login::read(&mut section, places);
    section.close();
    let server = server?;
    let inherit = |own: Option<String>, of: fn(&Account) -> String| {
        own.or_else(|| account.map(of)).unwrap_or_default()
    };
    Some(Smtp {
        host: server.host,
        port: server.port,
        security: server.security,
        user: inherit(login.user, |account| account.user.clone()),
        secret: login
            .secret
            .or_else(|| account.map(|account| account.secret.clone()))
            .unwrap_or_default(),
        auth: login.auth.or_else(|| account.map(|account| account.auth)).unwrap_or_default(),
        ca_file: login.ca_file.or_else(|| account.and_then(|account| account.ca_file.clone())),
    })
}

fn read_ui(mut section: Section<'_, '_>, places: Places<'_>) -> Ui {
    let names = Shipped::ALL.map(|shipped| (shipped.as_str(), shipped));
    let keymap = section.word("keymap", &names).unwrap_or_default();
    let keymap_file = section.path("keymap_file", places);
    section.close();
    Ui { keymap, keymap_file }
}

/// Where to connect.
struct Server {
    host: String,
    port: u16,
    security: Security,
}

impl Server {
    /// Reads host, port and security; `ports` are the defaults for TLS, STARTTLS and none.
    fn read(section: &mut Section<'_, '_>, ports: [u16; 3]) -> Option<Self> {
        let host = section.required("host");
        let port = section.port();
        let security = section.word("security", &SECURITY).unwrap_or_default();
        let [tls, starttls, plain] = ports;
        let usual = match security {
            Security::Tls => tls,
            Security::StartTls => starttls,
            Security::Plain => plain,
        };
        let host = check_host(section, host?, security)?;
        Some(Self { host, port: port.unwrap_or(usual), security })
    }
}

fn check_host(
    section: &mut Section<'_, '_>,
    host: Located<String>,
    security: Security,
) -> Option<String> {
    let bare = host.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let name = bare.unwrap_or(&host.value);
    let address = name.parse::<IpAddr>().ok();
    let odd = |char: char| char.is_whitespace() || "/:@[]\"".contains(char);
    if address.is_none() && name.contains(odd) {
        let what = "host is a name or an address only, without scheme, user and port";
        section.fault(host.line, what);
        return None;
    }
    let loopback =
        name.eq_ignore_ascii_case("localhost") || address.is_some_and(|ip| ip.is_loopback());
    if security == Security::Plain && !loopback {
        let what = "security = \"plain\" is for this machine only (localhost); use tls or starttls";
        section.fault(host.line, what);
    }
    Some(name.to_owned())
}

/// Who logs in, and how.
struct Login {
    user: Option<String>,
    secret: Option<Secret>,
    auth: Option<Auth>,
    ca_file: Option<std::path::PathBuf>,
}

impl Login {
    fn read(section: &mut Section<'_, '_>, places: Places<'_>) -> Self {
        Self {
            user: section.plain_text("user"),
            secret: read_secret(section),
            auth: section.word("auth", &AUTH),
            ca_file: section.path("ca_file", places),
        }
    }
}

fn read_secret(section: &mut Section<'_, '_>) -> Option<Secret> {
    let command = section.texts("password_command");
    let keyring = section.flag("keyring").filter(|keyring| keyring.value);
    if let (Some(_), Some(keyring)) = (&command, &keyring) {
        section.fault(keyring.line, "password_command or keyring, not both");
    }
    let Some(command) = command else { return keyring.map(|_| Secret::Keyring) };
    if command.value.first().is_none_or(|program| program.trim().is_empty()) {
        section.fault(command.line, "password_command names no program");
        return None;
    }
    Some(Secret::Command(command.value))
}

/// Whether a text has the form `local@domain`; more than that only its server can tell.
fn is_address(text: &str) -> bool {
    let odd = |char: char| char.is_whitespace() || char.is_control() || "<>,;\"".contains(char);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !text.contains(odd)
}

fn not_an_address(text: &str) -> String {
    format!("\"{}\" is no mail address; it has the form name@example.org", text.escape_debug())
}

#[cfg(test)]
mod tests;
