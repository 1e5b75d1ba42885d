//! Plays the shared scenarios of broken and hostile servers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests may fail loudly"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use casebook::sync::{
    Account, Cancel, Cursor, Fetched, Secret, Security, Sink, SinkError, Summary, SyncError,
    Timeouts, run,
};

const PASSWORD: &str = "canary-7f3a";
const ONE: &[u8] = b"From: a@x.example\r\nSubject: one\r\n\r\nbody\r\n";

#[derive(Clone, Default)]
struct Script {
    greeting: Vec<u8>,
    steps: Vec<Step>,
}

#[derive(Clone)]
struct Step {
    on: Vec<String>,
    reply: Vec<u8>,
    then: String,
    /// So many bytes of a letter follow the reply.
    flood: usize,
}

/// A server that follows a script and writes down what it hears.
struct Scripted {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    stop: Arc<AtomicBool>,
}

impl Scripted {
    fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, stop) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<AtomicBool>::default());
        let (theirs, stopped) = (Arc::clone(&heard), Arc::clone(&stop));
        thread::spawn(move || {
            for client in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (script, heard, stop) =
                    (script.clone(), Arc::clone(&theirs), Arc::clone(&stopped));
                thread::spawn(move || play(&client.unwrap(), &script, &heard, &stop));
            }
        });
        Self { port, heard, stop }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn play(
    mut tcp: &TcpStream,
    script: &Script,
    heard: &Mutex<Vec<u8>>,
    stop: &AtomicBool,
) -> Option<()> {
    tcp.set_nodelay(true).ok()?;
    tcp.write_all(&script.greeting).ok()?;
    let mut input = BufReader::new(tcp.try_clone().ok()?);
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        heard.lock().unwrap().extend_from_slice(&line);
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let upper = command.to_ascii_uppercase();
        let step = script.steps.iter().find(|step| step.on.iter().any(|on| upper.starts_with(on)));
        let Some(step) = step else {
            tcp.write_all(format!("{tag} BAD unexpected\r\n").as_bytes()).ok()?;
            continue;
        };
        let reply = replace(&step.reply, b"{TAG}", tag.as_bytes());
        if step.then == "drip" {
            for byte in reply {
                tcp.write_all(&[byte]).ok()?;
                thread::sleep(Duration::from_secs(1));
            }
        } else {
            tcp.write_all(&reply).ok()?;
        }
        for _ in 0..step.flood / 65_536 {
            tcp.write_all(&[b'x'; 65_536]).ok()?;
        }
        match step.then.as_str() {
            "close" | "reset" => {
                let _gone = tcp.shutdown(Shutdown::Both);
                return None;
            }
            "stall" | "starttls" | "drip" => {
                while !stop.load(Ordering::SeqCst)
                    && input.read_until(b'\n', &mut Vec::new()).ok()? > 0
                {}
                return None;
            }
            _ => {}
        }
    }
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        made.extend_from_slice(&rest[..at]);
        made.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    made.extend_from_slice(rest);
    made
}

#[derive(Default)]
struct Kept {
    mails: Vec<Fetched>,
    cursor: Option<Cursor>,
    notes: Vec<String>,
}

impl Sink for Kept {
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError> {
        self.mails.extend(batch);
        self.cursor = Some(cursor.clone());
        Ok(())
    }

    fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }
}

/// What came of a scenario.
struct Outcome {
    result: Result<Summary, SyncError>,
    kept: Kept,
    heard: String,
    took: Duration,
    cancel_took: Option<Duration>,
}

impl Outcome {
    fn uids(&self) -> Vec<u32> {
        self.kept.mails.iter().map(|mail| mail.uid).collect()
    }

    fn quarantined(&self) -> Vec<Option<u32>> {
        let summary = self.result.as_ref().ok();
        summary.map_or(Vec::new(), |s| s.quarantined.iter().map(|q| q.uid).collect())
    }

    fn noted(&self, part: &str) -> bool {
        self.kept.notes.iter().any(|note| note.contains(part))
    }

    fn one_is_whole(&self, uid: u32) -> bool {
        self.uids() == [uid] && self.kept.mails[0].raw == ONE
    }
}

fn perform(id: &str, script: Script) -> Outcome {
    let server = Scripted::start(script);
    let security = if id.starts_with("starttls") { Security::StartTls } else { Security::Plain };
    let mut account = Account::new("127.0.0.1", server.port, security, "u");
    account.timeouts = Timeouts {
        connect: Duration::from_secs(1),
        read: Duration::from_millis(if id == "drip" { 3000 } else { 400 }),
        write: Duration::from_secs(1),
        crawl: Duration::from_secs(5),
        retry: Duration::from_millis(2),
        ..Timeouts::default()
    };
    let mut kept = Kept::default();
    if id == "uidvalidity-change" {
        let mut cursor = Cursor::start("INBOX", 5);
        cursor.done.insert_range(1, 8);
        kept.cursor = Some(cursor);
    }
    let cancel = Cancel::new();
    let canceller = (id == "drip").then(|| {
        let cancel = cancel.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(1500));
            cancel.cancel();
            Instant::now()
        })
    });
    let began = Instant::now();
    let secret = &mut || Ok(Secret::new(PASSWORD.to_owned()));
    let result = run(&account, secret, kept.cursor.clone(), &mut kept, &cancel, &mut |_| {});
    let ended = Instant::now();
    let cancel_took = canceller.map(|thread| ended - thread.join().unwrap());
    Outcome { result, kept, heard: server.heard(), took: ended - began, cancel_took }
}

/// Whether the scenario's `must` is shown in full.
fn holds(id: &str, it: &Outcome) -> bool {
    use SyncError as E;
    let logins = it.heard.matches("LOGIN").count() + it.heard.matches("AUTHENTICATE").count();
    match id {
        "greeting-bye" => matches!(it.result, Err(E::Bye { .. })) && logins == 0,
        "greeting-preauth-plain" => matches!(it.result, Err(E::Preauth)) && it.heard.is_empty(),
        "starttls-injection" => {
            matches!(it.result, Err(E::StartTlsInjected)) && it.kept.notes.is_empty() && logins == 0
        }
        "logindisabled" => matches!(it.result, Err(E::LoginDisabled)) && logins == 0,
        "wrong-tag" => matches!(it.result, Err(E::Protocol { .. })),
        "auth-no" => matches!(it.result, Err(E::LoginRefused { .. })) && logins == 1,
        "alert-escape" => it.noted("hi ␛]0;x␇"),
        "literal-short" | "nil-body" | "reset-mid-literal" => {
            it.kept.mails.is_empty()
                && !it.kept.cursor.as_ref().is_some_and(|cursor| cursor.done.contains(1))
                && (it.result.is_err() || it.quarantined() == [Some(1)])
        }
        "literal-4g" | "line-64mb" | "bodystructure-depth" => {
            matches!(it.result, Err(E::TooLarge { .. }))
        }
        "size-lies-small" => it.one_is_whole(1) && it.noted("10 bytes announced, 41 came"),
        "uid-zero" | "uid-not-asked" => {
            it.kept.mails.is_empty() && it.noted("not asked for") && it.result.is_ok()
        }
        "expunge-in-fetch" => it.one_is_whole(2),
        "uidvalidity-change" => {
            it.one_is_whole(1) && it.result.as_ref().is_ok_and(|s| s.uid_validity_changed)
        }
        // To keep both is the receiver's part: the engine hands the second body on under the same UID.
        "uid-reused" => it.uids() == [1] && it.kept.mails[0].raw.len() == 43,
        "unknown-attr" => it.one_is_whole(2) && it.quarantined() == [Some(1)],
        "bare-lf" => it.kept.mails.is_empty() && it.quarantined() == [Some(1)],
        "drip" => {
            matches!(it.result, Err(E::Cancelled))
                && it.cancel_took.is_some_and(|took| took < Duration::from_millis(100))
        }
        "exists-2-32" => matches!(it.result, Err(E::Protocol { .. })),
        "read-write-select" => it.one_is_whole(1) && it.heard.contains("EXAMINE"),
        _ => false,
    }
}

fn scenarios() -> Option<BTreeMap<String, (Script, String)>> {
    let root = std::env::var_os("CASEBOOK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let text = std::fs::read_to_string(root.join("corpus/imap/scenarios.toml")).ok()?;
    let table: toml::Table = text.parse().unwrap();
    let text_of = |value: &toml::Value, key: &str| value[key].as_str().unwrap().to_owned();
    let mut all = BTreeMap::new();
    for scenario in table["scenario"].as_array().unwrap() {
        let steps = scenario.get("step").and_then(toml::Value::as_array).cloned();
        let steps = steps.unwrap_or_default().into_iter().map(|step| Step {
            on: text_of(&step, "on").split('|').map(str::to_owned).collect(),
            reply: text_of(&step, "reply").into_bytes(),
            then: text_of(&step, "then"),
            flood: 0,
        });
        let script =
            Script { greeting: text_of(scenario, "greeting").into_bytes(), steps: steps.collect() };
        all.insert(text_of(scenario, "id"), (script, text_of(scenario, "must")));
    }
    for generated in table["generated"].as_array().unwrap() {
        let id = text_of(generated, "id");
        let mut script = all["literal-4g"].0.clone();
        let last = script.steps.last_mut().unwrap();
        if let Some(depth) = generated.get("depth").and_then(toml::Value::as_integer) {
            let nested = "(".repeat(depth as usize);
            last.reply = format!("* 1 FETCH (UID 1 BODYSTRUCTURE {nested}").into_bytes();
            last.reply.extend_from_slice(b"\r\n");
        }
        if let Some(mb) = generated.get("mb").and_then(toml::Value::as_integer) {
            last.reply = b"* OK ".to_vec();
            last.flood = (mb as usize) << 20;
        }
        all.insert(id, (script, text_of(generated, "must")));
    }
    Some(all)
}

#[test]
fn scenarios_end_as_they_must() {
    let Some(all) = scenarios() else {
        println!("skipped: no shared material");
        return;
    };
    let mut short = Vec::new();
    for (id, (script, must)) in &all {
        let it = perform(id, script.clone());
        let good = holds(id, &it);
        println!(
            "{} {id:24} {:5} ms  {}",
            if good { "full " } else { "SHORT" },
            it.took.as_millis(),
            match &it.result {
                Ok(summary) => format!(
                    "new {} quarantined {:?} notes {:?}",
                    summary.new, summary.quarantined, summary.notes
                ),
                Err(error) => format!("{error}"),
            },
        );
        assert!(it.took < Duration::from_secs(8), "{id} hung");
        let said = format!("{:?} {:?}", it.result.as_ref().err(), it.kept.notes);
        assert!(!said.contains(PASSWORD), "{id}: the password is in a message");
        assert!(said.chars().all(|c| !c.is_control()), "{id}: control characters in {said:?}");
        for verb in ["STORE", "EXPUNGE", "SELECT ", "APPEND", "COPY", "MOVE", "BODY[]"] {
            assert!(!it.heard.contains(verb), "{id}: {verb} was sent");
        }
        let forbidden =
            ["greeting-bye", "greeting-preauth-plain", "starttls-injection", "logindisabled"];
        if forbidden.contains(&id.as_str()) {
            assert!(!it.heard.contains(PASSWORD), "{id}: the password was sent");
        }
        if !good {
            short.push(format!("{id}: {must}"));
        }
    }
    println!("{} of {} in full", all.len() - short.len(), all.len());
    assert!(short.is_empty(), "not in full:\n{}", short.join("\n"));
}
