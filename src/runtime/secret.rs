//! The password: from a command, or asked for. Never from config, argument or environment.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::sync::{Secret, SecretError};

/// How long the command may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Longest secret.
const MAX_BYTES: u64 = 64 * 1024;

/// Runs the command, given as an argument list and without a shell, and takes the first line of its output.
///
/// # Errors
/// If it cannot be started, fails, takes longer than 30 seconds or prints nothing. Its error output goes to ours.
pub fn from_command(argv: &[String]) -> Result<Secret, SecretError> {
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
    let line = receive.recv_timeout(LIMIT);
    let Ok(line) = line else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(SecretError(format!(
            "the password command took longer than {} seconds",
            LIMIT.as_secs()
        )));
    };
    // A program that writes more than its first line gets a closed pipe; only a failure without a line counts.
    let status = child.wait();
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

/// Asks at the terminal, without showing what is typed.
///
/// # Errors
/// If there is no terminal to ask at, or nothing was typed.
pub fn from_prompt(user: &str, host: &str) -> Result<Secret, SecretError> {
    let failed = |error: io::Error| SecretError(format!("could not ask for the password: {error}"));
    let mut err = io::stderr();
    write!(err, "Password of {user} at {host}: ").and_then(|()| err.flush()).map_err(failed)?;
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
    fn only_the_first_line_counts() {
        assert!(run("printf 'pass word\\nsecond\\n'").is_ok_and(|s| s.expose() == "pass word"));
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
