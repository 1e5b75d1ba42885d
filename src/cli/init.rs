//! `init`: asks for what a config needs, checks each answer as it comes, writes the file.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write as _};
use std::path::{Path, PathBuf};

use super::{Context, Failure, shown};
use crate::app::Problem;
use crate::domain::policy_text::PolicyText;
use crate::runtime::{files, secret, setup};

/// Tries at one question before giving up: input may come from a script.
const TRIES: usize = 5;

/// Asks and writes. An existing config is never changed.
pub(crate) fn init(context: &Context) -> Result<(), Failure> {
    let path = setup::config_path(context.global.config.as_deref()).map_err(Failure::usage)?;
    if path.exists() {
        return Err(Failure::usage(Problem {
            what: format!("there is a config already: {}", path.display()),
            next: "edit it, or name another file with --config".into(),
        }));
    }
    eprintln!("Nothing is sent anywhere; Enter takes what stands in brackets.");
    let mut input = io::stdin().lock();
    let text = ask_all(&mut input)?;
    files::write_new(&path, text.as_bytes()).map_err(|error| {
        Failure::usage(Problem { what: error.to_string(), next: error.advice().into() })
    })?;
    eprintln!("written: {}", path.display());
    eprintln!(
        "next: `casebook doctor` checks it, `casebook sync` pulls, `casebook` opens the screen"
    );
    Ok(())
}

fn ask_all(input: &mut dyn BufRead) -> Result<String, Failure> {
    let address = ask(input, "Address of the security inbox", None, |text| {
        let (local, domain) = text.rsplit_once('@').unwrap_or_default();
        let good = !local.is_empty() && domain.contains('.');
        if good { Ok(()) } else { Err("an address looks like security@example.org".into()) }
    })?;
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let host = ask(input, "IMAP server", Some(&format!("imap.{domain}")), |text| {
        let good =
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if good { Ok(()) } else { Err("a host name has no blanks".into()) }
    })?;
    let user = ask(input, "User name there", Some(&address), |_| Ok(()))?;
    let command = ask(
        input,
        "Command that prints the password (such as: pass show security)",
        Some("none: ask each time"),
        |text| {
            let argv: Vec<String> = words(text);
            secret::from_command(&argv).map(|_| ()).map_err(|error| error.to_string())
        },
    )?;
    let name = ask(input, "Your name, below replies", Some("The maintainers"), |_| Ok(()))?;
    let policy = ask(input, "Policy text to quote (a Markdown file)", Some("none"), |text| {
        let text = files::read_text(Path::new(text), 1 << 20).map_err(|error| error.to_string())?;
        let sentences = PolicyText::read(&text).sentences().len();
        eprintln!("  {sentences} sentences read");
        Ok(())
    })?;
    let checkout = ask(input, "Checkout of the product's source", Some("none"), |text| {
        let found = PathBuf::from(text).join(".git").exists();
        if found { Ok(()) } else { Err("there is no git checkout".into()) }
    })?;
    Ok(config(&Answers { address, host, user, command, name, policy, checkout }))
}

struct Answers {
    address: String,
    host: String,
    user: String,
    command: String,
    name: String,
    policy: String,
    checkout: String,
}

fn config(answers: &Answers) -> String {
    let Answers { address, host, user, command, name, policy, checkout } = answers;
    let mut text = format!(
        "[account]\naddress = {}\nhost = {}\nport = 993\nsecurity = \"tls\"\nuser = {}\n",
        quoted(address),
        quoted(host),
        quoted(user)
    );
    if is_given(command) {
        let argv: Vec<String> = words(command).iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "password_command = [{}]", argv.join(", "));
    }
    let _ = write!(text, "\n[me]\nname = {}\naddresses = [{}]\n", quoted(name), quoted(address));
    if is_given(checkout) {
        let _ = write!(text, "\n[product]\ncheckout = {}\n", quoted(&absolute(checkout)));
    }
    text.push_str("\n[policy]\nname = \"octoprint\"\n");
    if is_given(policy) {
        let _ = writeln!(text, "text = {}", quoted(&absolute(policy)));
    }
    text.push_str("\n[ui]\nkeymap = \"default\"\n");
    text
}

fn is_given(answer: &str) -> bool {
    !answer.starts_with("none")
}

fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Asks until the answer holds. An answer that was offered is taken without a check.
fn ask(
    input: &mut dyn BufRead,
    question: &str,
    offered: Option<&str>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, Failure> {
    for _ in 0..TRIES {
        match offered {
            Some(offered) => eprint!("{question} [{}]: ", shown(offered)),
            None => eprint!("{question}: "),
        }
        let _ = io::stderr().flush();
        let mut line = String::new();
        let read = input.read_line(&mut line);
        if !read.is_ok_and(|count| count > 0) {
            break;
        }
        let line = line.trim();
        match (line, offered) {
            ("", Some(offered)) => return Ok(offered.to_owned()),
            _ => match check(line) {
                Ok(()) => return Ok(line.to_owned()),
                Err(why) => eprintln!("  {}", shown(&why)),
            },
        }
    }
    Err(Failure::usage(Problem {
        what: format!("no usable answer to “{question}”; nothing was written"),
        next: "run it again, or write the file by hand; the README has an example".into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_a_config_that_reads_back() {
        let mut input: &[u8] =
            "nonsense\nsecurity@example.org\n\n\necho secret\nAda \"the\" Maintainer\n\n\n"
                .as_bytes();
        let text = ask_all(&mut input).map_err(|failure| failure.problem.what).expect("a config");
        let config = crate::config::parse(&text, Path::new("/"), None).expect("no faults");
        let account = config.account.expect("an account");
        assert_eq!(account.host, "imap.example.org");
        assert_eq!(account.user, "security@example.org");
        assert_eq!(config.me.name, "Ada \"the\" Maintainer");
        assert!(matches!(account.secret, crate::config::Secret::Command(argv) if argv.len() == 2));
    }

    #[test]
    fn an_input_that_ends_writes_nothing() {
        let mut input: &[u8] = b"security@example.org\n";
        assert!(ask_all(&mut input).is_err());
    }
}
