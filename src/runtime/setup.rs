//! From the command line's options to an open desk: config, policy, keymap, folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::clock::Clock;
use super::desk::{HintRules, Opening, Rules};
use super::files;
use crate::app::Problem;
use crate::app::material::Me;
use crate::config::{self, Config, Fault};
use crate::domain::policy::Policy;
use crate::domain::policy_text::PolicyText;
use crate::intake::Ours;
use crate::keymap::Keymap;

/// Largest config, policy or keymap file, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// What the user gave on the command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--config` or `CASEBOOK_CONFIG`.
    pub config: Option<PathBuf>,
    /// `--store` or `CASEBOOK_STORE`.
    pub store: Option<PathBuf>,
    /// The clock.
    pub clock: Clock,
    /// `--read-only`.
    pub read_only: bool,
}

/// Everything read before a store is opened.
#[derive(Debug)]
pub struct Setup {
    /// The config file, whether it exists or not.
    pub config_path: PathBuf,
    /// Its content, or the defaults.
    pub config: Config,
    /// The store's folder.
    pub store_dir: PathBuf,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The file that it was read from.
    pub policy_data: Arc<str>,
    /// The sentences of the policy text.
    pub policy_text: Option<Arc<PolicyText>>,
    /// The keys.
    pub keymap: Arc<Keymap>,
    options: Options,
}

/// The faults of a file, as one problem: every fault is named.
fn faulty(what: &str, path: &Path, faults: &[Fault]) -> Problem {
    let list: Vec<String> = faults.iter().take(20).map(ToString::to_string).collect();
    let more = faults.len().saturating_sub(list.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Problem {
        what: format!(
            "the {what} {} has {} faults: {}{more}",
            path.display(),
            faults.len(),
            list.join("; ")
        ),
        next: "correct the named lines".into(),
    }
}

fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        what: format!("could not read the {what} {}: {error}", path.display()),
        next: "check the path and its permissions".into(),
    }
}

impl Setup {
    /// Reads config, policy, policy text and keymap.
    ///
    /// # Errors
    /// If a file that is named cannot be read or has faults: all of them.
    pub fn read(options: Options) -> Result<Self, Problem> {
        let home = std::env::home_dir();
        let options =
            Options { store: options.store.or_else(|| path_in("CASEBOOK_STORE")), ..options };
        let named = options.config.is_some() || path_in("CASEBOOK_CONFIG").is_some();
        let config_path = config_path(options.config.as_deref())?;
        let config = read_config(&config_path, named, home.as_deref())?;
        let store_dir = match &options.store {
            Some(path) => path.clone(),
            None => base_folder("XDG_DATA_HOME", ".local/share", home.as_deref())?,
        };
        let (policy, policy_data) = read_policy(&config)?;
        let policy = Arc::new(policy);
        let policy_text = config.policy.text.as_deref().map(read_policy_text).transpose()?;
        let keymap = Arc::new(read_keymap(&config)?);
        let policy_text = policy_text.map(Arc::new);
        Ok(Self {
            config_path,
            config,
            store_dir,
            policy,
            policy_data,
            policy_text,
            keymap,
            options,
        })
    }

    /// Whose decisions are written and who signs replies.
    pub fn me(&self) -> Me {
        let account = self.config.account.as_ref().map(|account| account.address.clone());
        let address = account.or_else(|| self.config.me.addresses.first().cloned());
        Me {
            name: self.config.me.name.clone(),
            address: address.unwrap_or_else(|| self.policy.contact.clone()),
        }
    }

    /// What opening the desk needs.
    pub fn opening(&self) -> Opening {
        Opening {
            dir: self.store_dir.clone(),
            rules: self.rules(),
            policy_text: self.policy_text.clone(),
            me: self.me(),
            clock: self.options.clock,
            read_only: self.options.read_only,
            checkout: self.config.product.checkout.clone(),
        }
    }

    fn rules(&self) -> Rules {
        let config = &self.config;
        let account = config.account.iter().map(|account| account.address.as_str());
        let mine = config.me.addresses.iter().map(String::as_str);
        let mut addresses: Vec<&str> = account.chain(mine).collect();
        if addresses.is_empty() {
            // Without a config, what the policy's own address sends is ours.
            addresses.push(&self.policy.contact);
        }
        Rules {
            policy: Arc::clone(&self.policy),
            policy_data: Arc::clone(&self.policy_data),
            hints: HintRules::new(&self.policy),
            ours: Ours::new(addresses),
            sent: config.account.as_ref().and_then(|account| account.sent.clone()),
            junk: config.account.as_ref().and_then(|account| account.junk.clone()),
        }
    }
}

/// Where the config lies: as named, as `CASEBOOK_CONFIG` says, or in the user's folder.
///
/// # Errors
/// If nothing names it and there is no home folder.
pub fn config_path(named: Option<&Path>) -> Result<PathBuf, Problem> {
    if let Some(path) = named.map(Path::to_owned).or_else(|| path_in("CASEBOOK_CONFIG")) {
        return Ok(path);
    }
    let home = std::env::home_dir();
    Ok(base_folder("XDG_CONFIG_HOME", ".config", home.as_deref())?.join("config.toml"))
}

/// A path in an environment variable.
fn path_in(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// `$variable/casebook`, or the same below the home folder.
fn base_folder(variable: &str, default: &str, home: Option<&Path>) -> Result<PathBuf, Problem> {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set.or_else(|| home.map(|home| home.join(default)));
    base.map(|base| base.join("casebook")).ok_or_else(|| Problem {
        what: format!("there is no home folder and {variable} is not set"),
        next: "name the files with --config and --store".into(),
    })
}

fn read_config(path: &Path, named: bool, home: Option<&Path>) -> Result<Config, Problem> {
    let text = match files::read_text(path, MAX_FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {
            return Ok(Config::default());
        }
        Err(error) => return Err(unreadable("config", path, &error)),
    };
    refuse_open_to_others(path)?;
    let base = path.parent().unwrap_or(Path::new("."));
    config::parse(&text, base, home).map_err(|faults| faulty("config", path, &faults))
}

/// The config names the command that prints the password: nobody else may change it.
fn refuse_open_to_others(path: &Path) -> Result<(), Problem> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map(|found| found.permissions().mode()).unwrap_or(0);
        if mode & 0o022 != 0 {
            return Err(Problem {
                what: format!("the config {} can be changed by other users", path.display()),
                next: format!("run `chmod go-w {}`", path.display()),
            });
        }
    }
    Ok(())
}

/// The policy, with the text of its file.
fn read_policy(config: &Config) -> Result<(Policy, Arc<str>), Problem> {
    let off = &config.policy.hints_off;
    let (mut policy, data) = match &config.policy.file {
        Some(path) => {
            let text = files::read_text(path, MAX_FILE)
                .map_err(|error| unreadable("policy", path, &error))?;
            let policy =
                config::policy::parse(&text).map_err(|faults| faulty("policy", path, &faults))?;
            (policy, text.into())
        }
        None => {
            let name = &config.policy.name;
            (embedded(name)?, config::policy::embedded(name).unwrap_or_default().into())
        }
    };
    switch_off(&mut policy, off)?;
    Ok((policy, data))
}

/// Takes the hint rules away that the config switches off. A name that no rule has is refused: the rule that
/// was meant would go on suggesting.
fn switch_off(policy: &mut Policy, off: &[String]) -> Result<(), Problem> {
    let names: Vec<&str> = policy.hints.iter().map(|rule| rule.name.as_str()).collect();
    if let Some(unknown) = off.iter().find(|name| !names.contains(&name.as_str())) {
        let near = config::document::did_you_mean(unknown, &names);
        let unknown = super::view::printable(unknown);
        return Err(Problem {
            what: format!(
                "policy.hints_off names \"{unknown}\", which is no hint rule of this policy{near}"
            ),
            next: "correct the name in the config, or take it out".into(),
        });
    }
    policy.hints.retain(|rule| !off.contains(&rule.name));
    Ok(())
}

/// An embedded policy by its name.
///
/// # Errors
/// If there is none of that name.
pub fn embedded(name: &str) -> Result<Policy, Problem> {
    let text = config::policy::embedded(name).ok_or_else(|| Problem {
        what: format!("there is no policy named “{}”", super::view::printable(name)),
        next: format!(
            "use {}, or name a file with policy.file",
            config::policy::EMBEDDED_NAMES.join(" or ")
        ),
    })?;
    config::policy::parse_embedded(text)
        .map_err(|faults| faulty("policy", Path::new(name), &faults))
}

/// Reads a policy text.
///
/// # Errors
/// If the file cannot be read, or is no text.
pub fn read_policy_text(path: &Path) -> Result<PolicyText, Problem> {
    let text = files::read_text(path, MAX_FILE)
        .map_err(|error| unreadable("policy text", path, &error))?;
    Ok(PolicyText::read(&text))
}

fn read_keymap(config: &Config) -> Result<Keymap, Problem> {
    let base = config.ui.keymap;
    let Some(path) = &config.ui.keymap_file else { return Ok(Keymap::shipped(base)) };
    let text =
        files::read_text(path, MAX_FILE).map_err(|error| unreadable("keymap", path, &error))?;
    Keymap::parse(base.text(), Some(&text)).map_err(|faults| faulty("keymap", path, &faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_rule_is_switched_off_by_its_name_only() {
        let mut policy = embedded("octoprint").expect("embedded");
        let (count, name) = (policy.hints.len(), policy.hints[0].name.clone());
        let misspelt = switch_off(&mut policy, &[format!("{name}s")]).expect_err("no such rule");
        assert!(misspelt.what.contains(&format!("did you mean \"{name}\"?")), "{}", misspelt.what);
        switch_off(&mut policy, &[name]).expect("a rule");
        assert_eq!(policy.hints.len(), count - 1);
    }
}
