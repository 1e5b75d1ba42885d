//! Whose mail counts as ours.

use crate::mail::Address;

/// Addresses of the maintainers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ours {
    /// Lower case; `local@domain` is one mailbox, `@domain` every mailbox of exactly that domain.
    addresses: Vec<String>,
}

impl Ours {
    /// Takes addresses as the configuration writes them; blanks and case do not matter.
    pub fn new<S: AsRef<str>>(addresses: impl IntoIterator<Item = S>) -> Self {
        let addresses = addresses
            .into_iter()
            .map(|address| normal(address.as_ref()))
            .filter(|address| address.contains('@'))
            .collect();
        Self { addresses }
    }

    /// Whether this address is one of ours. A sub-domain of ours is not ours.
    pub fn is(&self, address: &str) -> bool {
        let address = normal(address);
        let domain = address.rfind('@').and_then(|at| address.get(at..));
        self.addresses.iter().any(|own| *own == address || Some(own.as_str()) == domain)
    }

    /// Whether there are senders and all of them are ours. A mail that names a stranger beside us in
    /// From is not ours.
    pub fn wrote(&self, from: &[Address]) -> bool {
        !from.is_empty() && from.iter().all(|sender| self.is(&sender.address))
    }
}

/// The form in which addresses are compared.
pub(super) fn normal(address: &str) -> String {
    address.trim().trim_matches(['<', '>']).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(addresses: &[&str]) -> Vec<Address> {
        let mailbox = |a: &&str| Address { name: String::new(), address: (*a).to_owned() };
        addresses.iter().map(mailbox).collect()
    }

    #[test]
    fn a_mailbox_and_a_whole_domain() {
        let ours = Ours::new(["Security@Example.org ", "@team.example"]);
        assert!(ours.is("security@example.ORG") && ours.is("any@team.example"));
        for other in ["x@example.org", "a@sub.team.example", "a@evilteam.example", "security", ""] {
            assert!(!ours.is(other), "{other}");
        }
    }

    #[test]
    fn a_stranger_beside_us_makes_it_not_ours() {
        let ours = Ours::new(["s@e.example"]);
        assert!(ours.wrote(&from(&["s@e.example"])));
        assert!(!ours.wrote(&from(&["s@e.example", "m@evil.example"])));
        assert!(!ours.wrote(&[]));
    }
}
