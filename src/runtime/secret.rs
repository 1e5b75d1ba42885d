//! The password: from a command, from the desktop's keyring, or asked for. Never from config, argument or environment.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::sync::{Secret, SecretError};

/// How long the command may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How long the command may stay after its first line.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Longest secret.
const MAX_BYTES: u64 = 64 * 1024;

/// Runs the command, given as an argument list and without a shell, and takes the first line of its output.
///
/// # Errors
/// If it cannot be started, takes longer than 30 seconds or prints nothing.
pub fn from_command(argv: &[String]) -> Result<Secret, SecretError> {
    within(argv, LIMIT)
}

/// Looks the password up in the desktop's keyring, through the tool that the desktop has for it: a library would bring
/// the system's D-Bus or an async runtime for the same answer. The entry is named by service, host and user.
///
/// # Errors
/// If there is no such tool or no such entry; the sentence says how one is made.
pub fn from_keyring(user: &str, host: &str) -> Result<Secret, SecretError> {
    let (look_up, store) = keyring(cfg!(target_os = "macos"), user, host);
    // The command to type now stands first: the end of a long sentence may be cut.
    within(&look_up, LIMIT).map_err(|error| {
        SecretError(format!("the keyring has none, `{}` stores one ({error})", store.join(" ")))
    })
}

/// The commands that read and that store an entry.
fn keyring(mac: bool, user: &str, host: &str) -> (Vec<String>, Vec<String>) {
    let (look_up, store): (Vec<&str>, Vec<&str>) = if mac {
        let entry = ["-s", host, "-a", user, "-w"];
        (
            [&["security", "find-internet-password"], entry.as_slice()].concat(),
            [&["security", "add-internet-password"], entry.as_slice()].concat(),
        )
    } else {
        let entry = ["service", "casebook", "host", host, "user", user];
        (
            [&["secret-tool", "lookup"], entry.as_slice()].concat(),
            [&["secret-tool", "store", "--label=casebook"], entry.as_slice()].concat(),
        )
    };
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    (owned(look_up), owned(store))
}

fn within(argv: &[String], limit: Duration) -> Result<Secret, SecretError> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| SecretError("the password command is empty".into()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            SecretError(format!("could not start the password command “{program}”: {error}"))
        })?;
    let Some(output) = child.stdout.take() else {
        return Err(SecretError("the password command has no output".into()));
    };
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut line = Zeroizing::new(String::new());
        let read = BufReader::new(output.take(MAX_BYTES)).read_line(&mut line).map(|_| line);
        let _ = send.send(read);
    });
    let line = receive.recv_timeout(limit);
    let Ok(line) = line else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(SecretError(format!(
            "the password command took longer than {} seconds",
            limit.as_secs()
        )));
    };
    // Its first line is all that is wanted; a program that stays afterwards is not waited for.
    let status = ended_within(&mut child, AFTERWARDS);
    let line = line.map_err(|error| {
        SecretError(format!("could not read the password command's output: {error}"))
    })?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        return Err(SecretError(format!("the password command printed nothing ({how})")));
    }
    Ok(Secret::new(secret.to_owned()))
}

/// Waits for the end of a program, and ends it when the time is over.
fn ended_within(child: &mut Child, limit: Duration) -> io::Result<ExitStatus> {
    let step = Duration::from_millis(10);
    for _ in 0..limit.as_millis() / step.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(step);
    }
    child.kill()?;
    child.wait()
}

/// Asks at the terminal, without showing what is typed.
///
/// # Errors
/// If there is no terminal to ask at, or nothing was typed.
pub fn from_prompt(whose: &str) -> Result<Secret, SecretError> {
    let failed = |error: io::Error| SecretError(format!("could not ask for the password: {error}"));
    let mut err = io::stderr();
    write!(err, "Password of {whose}: ").and_then(|()| err.flush()).map_err(failed)?;
    let typed = crate::tui::input::hidden_line();
    let _ = writeln!(err);
    let typed = typed.map_err(failed)?;
    if typed.is_empty() {
        return Err(SecretError("no password was typed".into()));
    }
    Ok(Secret::new(typed.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> Result<Secret, SecretError> {
        from_command(&["sh".into(), "-c".into(), script.into()])
    }

    #[test]
    fn a_keyring_entry_is_read_and_stored_under_the_same_name() {
        for mac in [false, true] {
            let (look_up, store) = keyring(mac, "me", "mail.example");
            assert_eq!(look_up.first(), store.first());
            for part in ["me", "mail.example"] {
                assert!([&look_up, &store].iter().all(|argv| argv.iter().any(|word| word == part)));
            }
        }
        // `-w` in front of another option would take that as the password.
        assert_eq!(keyring(true, "me", "h").1.last().map(String::as_str), Some("-w"));
    }

    #[test]
    fn only_the_first_line_counts() {
        assert!(run("printf 'pass word\\nsecond\\n'").is_ok_and(|s| s.expose() == "pass word"));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let hangs = ["sleep".to_owned(), "60".to_owned()];
        let error = within(&hangs, Duration::from_millis(50)).expect_err("no secret");
        assert!(error.to_string().contains("longer than"), "{error}");
        assert!(run("echo word; exec sleep 60").is_ok_and(|s| s.expose() == "word"));
    }

    #[test]
    fn failures_are_sentences() {
        for (script, words) in [("exit 3", "printed nothing"), ("echo", "printed nothing")] {
            let error = run(script).expect_err("no secret");
            assert!(error.to_string().contains(words), "{error}");
        }
        let error = from_command(&["/nonexistent/program".into()]).expect_err("not there");
        assert!(error.to_string().contains("could not start"), "{error}");
    }
}
