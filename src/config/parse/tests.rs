use std::path::PathBuf;

use super::*;

fn read(text: &str) -> Result<Config, Vec<Fault>> {
    parse(text, Path::new("/etc/casebook"), Some(Path::new("/home/ana")))
}

fn faults(text: &str) -> Vec<String> {
    read(text).err().unwrap_or_default().iter().map(Fault::to_string).collect()
}

const FULL: &str = r#"
[account]
address = "security@example.org"
host = "imap.example.org"
port = 1993
security = "starttls"
user = "security"
password_command = ["pass", "show", "security inbox"]
auth = "xoauth2"
ca_file = "ca.pem"
pin = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"
watch = true
mailbox = "Reports"
sent = "Sent"
junk = "Junk"
drafts = "Drafts"

[me]
name = "Ana"
addresses = ["Ana@example.org"]

[product]
checkout = "~/src/product"

[policy]
file = "policy.toml"
text = "/srv/SECURITY.md"
hints_off = ["scanner-banner"]

[smtp]
host = "[::1]"
security = "plain"

[ui]
keymap = "mutt"
keymap_file = "keys.toml"
"#;

#[test]
fn a_full_config_is_read() {
    let config = read(FULL).expect("sound");
    let account = config.account.as_ref().expect("account");
    assert_eq!((account.port, account.security), (1993, Security::StartTls));
    let words = ["pass", "show", "security inbox"].map(str::to_owned);
    assert_eq!(account.secret, Secret::Command(words.to_vec()));
    assert_eq!(account.auth, Auth::XOAuth2);
    assert_eq!(account.ca_file, Some(PathBuf::from("/etc/casebook/ca.pem")));
    let pin = account.pin.expect("a pin");
    assert_eq!((pin[0], pin[1], pin[31], account.watch), (0x01, 0x23, 0xef, true));
    assert_eq!(config.me.addresses, ["Ana@example.org", "security@example.org"]);
    assert!(config.is_ours("ana@EXAMPLE.org") && !config.is_ours("bob@example.org"));
    assert_eq!(config.product.checkout, Some(PathBuf::from("/home/ana/src/product")));
    assert_eq!(config.policy.file, Some(PathBuf::from("/etc/casebook/policy.toml")));
    assert_eq!(config.policy.text, Some(PathBuf::from("/srv/SECURITY.md")));
    assert_eq!(config.policy.hints_off, ["scanner-banner"]);
    let smtp = config.smtp.expect("smtp");
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.user.as_str()), ("::1", 25, "security"));
    assert_eq!(smtp.secret, account.secret);
    assert_eq!(config.ui.keymap, Shipped::Mutt);
}

#[test]
fn an_empty_config_works_offline() {
    assert_eq!(read("").expect("sound"), Config::default());
    assert_eq!(read("# nothing yet\n[me]\n[ui]\n").expect("sound"), Config::default());
}

#[test]
fn the_smallest_account_gets_its_defaults() {
    let config = read("[account]\naddress = 's@example.org'\nhost = 'mail.example.org'\n");
    let config = config.expect("sound");
    let account = config.account.expect("account");
    assert_eq!((account.port, account.user.as_str()), (993, "s@example.org"));
    assert_eq!((account.mailbox.as_str(), account.secret), ("INBOX", Secret::Ask));
    assert_eq!(config.me.addresses, ["s@example.org"]);
}

#[test]
fn all_faults_come_at_once_with_line_and_near_name() {
    let text = "[acount]
[account]
address = 'nobody'
hots = 'x'
port = 99999
security = 'ssl'
auth = 'oauth'
password_command = 'pass show x'
keyring = 'yes'
[me]
addresses = ['a@example.org', 3]
[policy]
name = 'octoprnt'
[ui]
keymap = 'emacs '
keymap_file = ''
colour = true
";
    let want = [
        "line 1: unknown table \"acount\"; did you mean \"account\"?",
        "line 2: [account] needs host",
        "line 3: \"nobody\" is no mail address; it has the form name@example.org",
        "line 4: unknown key \"hots\" in [account]; did you mean \"host\"?",
        "line 5: port must be a number from 1 to 65535",
        "line 6: security is one of tls, starttls, plain, not \"ssl\"",
        "line 7: auth is one of auto, login, plain, xoauth2, oauthbearer, not \"oauth\"",
        "line 8: password_command must be a list of texts, as in [\"one\", \"two\"], not a text",
        "line 9: keyring must be true or false, not a text",
        "line 11: addresses must be a list of texts, not a number",
        "line 13: no policy \"octoprnt\" is embedded; did you mean \"octoprint\"?",
        "line 16: keymap_file must be one line and not empty; else leave it out",
        "line 17: unknown key \"colour\" in [ui]",
    ];
    assert_eq!(faults(text), want);
}

#[test]
fn a_secret_is_refused_and_never_repeated() {
    let account = "[account]\naddress = 's@example.org'\nhost = 'localhost'\n";
    for key in ["password", "Pass", "smtp_passwd", "api_token", "client_secret"] {
        let faults = faults(&format!("{account}{key} = 'hunter2'\n"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("line 4: ") && faults[0].contains("password_command"));
        assert!(!faults[0].contains("hunter2"));
    }
    assert!(faults("password = 'hunter2'")[0].contains("does not belong"));
    assert!(!faults("password = hunter2")[0].contains("hunter2"));
}

#[test]
fn plain_is_for_this_machine_only() {
    let with = |host: &str| {
        faults(&format!(
            "[account]\naddress = 's@example.org'\nhost = '{host}'\nsecurity = 'plain'"
        ))
    };
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "[::1]"] {
        assert_eq!(with(host), Vec::<String>::new(), "{host}");
    }
    for host in ["imap.example.org", "192.168.1.2", "0.0.0.0", "localhost.example.org"] {
        assert!(with(host)[0].contains("this machine only"), "{host}");
    }
    for host in ["imaps://x.example.org", "x:993", "user@x", "two words"] {
        assert!(with(host)[0].contains("without scheme"), "{host}");
    }
}

#[test]
fn two_sources_of_one_thing_are_a_fault() {
    let text = "[account]\naddress = 's@example.org'\nhost = 'h'\nkeyring = true\npassword_command = ['x']\n[policy]\nname = 'octoprint'\nfile = 'p'\n";
    let want = [
        "line 4: password_command or keyring, not both",
        "line 7: name an embedded policy or a file, not both",
    ];
    assert_eq!(faults(text), want);
    assert!(faults("[smtp]\nhost='h'\npassword_command=[]")[0].contains("names no program"));
}

#[test]
fn a_home_folder_is_needed_for_its_sign() {
    let text = "[product]\ncheckout = '~/x'\n";
    let faults = parse(text, Path::new("."), None).expect_err("no home");
    assert_eq!(
        faults[0].to_string(),
        "line 2: checkout: no home folder is known for ~; write it out"
    );
    let config = read("[product]\ncheckout = '~'\n[policy]\ntext = '~x/y'").expect("sound");
    assert_eq!(config.product.checkout, Some(PathBuf::from("/home/ana")));
    assert_eq!(config.policy.text, Some(PathBuf::from("/etc/casebook/~x/y")));
}

#[test]
fn a_pin_is_a_whole_sha256() {
    for pin in ["sha256:00", "sha1:0000", "", &format!("sha256:{}", "+1".repeat(32))] {
        let text = format!("[account]\naddress = 'a@x.example'\nhost = 'h'\npin = '{pin}'\n");
        assert!(faults(&text).iter().any(|fault| fault.contains("pin must be")), "{pin}");
    }
}

#[test]
fn hostile_texts_end_in_faults() {
    let long = format!("[me]\nname = '{}'", "x".repeat(2 << 20));
    let many = "x = 1\n".repeat(10_000);
    for text in ["[account", "\0", "[account]\nhost = \"\\u0007\"", "me = 1", &long, &many] {
        assert!(!faults(text).is_empty());
    }
}
