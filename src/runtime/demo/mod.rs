//! The sample inbox: its mails, the IMAP server in this process that hands them out, and the tour without a
//! terminal. Everything lies in a temporary folder that goes with the program.

pub mod mails;
pub mod server;

use std::path::PathBuf;

use crate::app::case::CaseView;
use crate::app::material::{self, Office};
use crate::app::{Problem, SyncState};
use crate::domain::cvss::Vector;
use crate::domain::hint::{Hint, Reading};
use crate::domain::journal::{Act, AnswerValue};
use crate::domain::{CaseState, Disposition};
use crate::runtime::clock::Clock;
use crate::runtime::desk::{Desk, DeskError};
use crate::runtime::export;
use crate::runtime::pull::{self, Mailbox, SecretSource};
use crate::runtime::setup::{Options, Setup};
use crate::sync::{Account, Cancel, Secret, Security};

/// User and password of the sample account; the server runs in this process and ends with it.
const USER: &str = "security@octoprint.org";
const PASSWORD: &str = "sample";

/// A running sample inbox.
pub struct Sample {
    server: server::Server,
    folder: tempfile::TempDir,
    clock: Clock,
}

impl Sample {
    /// Starts the server on the loopback interface.
    ///
    /// # Errors
    /// If no port or no temporary folder can be had.
    pub fn start(clock: Clock) -> Result<Self, Problem> {
        let failed = |error: std::io::Error| Problem {
            what: format!("could not start the sample inbox: {error}"),
            next: "check the free space of the temporary folder".into(),
        };
        let served = mails::render(clock.now()).into_iter().map(|mail| server::ServedMail {
            raw: mail.raw,
            internal_date: mail.internal_date,
            flags: if mail.seen { vec!["\\Seen".into()] } else { Vec::new() },
        });
        let server = server::Server::start(served.collect(), USER, PASSWORD).map_err(failed)?;
        let folder = tempfile::Builder::new().prefix("casebook-demo-").tempdir().map_err(failed)?;
        Ok(Self { server, folder, clock })
    }

    /// A setup of its own: no config, a store in the temporary folder.
    ///
    /// # Errors
    /// If the embedded policy cannot be read, which would be a fault of this program.
    pub fn setup(&self) -> Result<Setup, Problem> {
        let config = self.folder.path().join("config.toml");
        let text = format!(
            "[me]\nname = \"Sample Maintainer\"\naddresses = [\"{USER}\"]\n\n[policy]\nname = \"octoprint\"\n"
        );
        super::files::write_new(&config, text.as_bytes())
            .map_err(|error| Problem { what: error.to_string(), next: error.advice().into() })?;
        Setup::read(Options {
            config: Some(config),
            store: Some(self.folder.path().join("store")),
            clock: self.clock,
            read_only: false,
        })
    }

    /// The account of the sample inbox.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox {
            watch: false,
            account: Account::new("127.0.0.1", self.server.port(), Security::Plain, USER),
            secret: SecretSource::Known(Secret::new(PASSWORD.into())),
        }
    }

    /// Folder for the files of the tour; it stays when the program has ended.
    fn out(&self) -> Result<PathBuf, Problem> {
        tempfile::Builder::new()
            .prefix("casebook-advisory-")
            .tempdir()
            .map(tempfile::TempDir::keep)
            .map_err(|error| Problem {
                what: format!("could not make a folder for the advisory: {error}"),
                next: "check the free space of the temporary folder".into(),
            })
    }
}

/// Does the main job once without a terminal and tells what it did.
///
/// # Errors
/// If any step fails.
pub fn tell(desk: &Desk, sample: &Sample) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    let mailbox = sample.mailbox();
    let mut quiet = |_: SyncState| {};
    let pulled = pull::run(desk, &mailbox, &Cancel::new(), &mut quiet, &mut |_| {});
    let pulled = pulled.map_err(|error| pull::problem(&error))?;
    desk.judge_all(&mut |_, _, _| {}).map_err(|error| DeskError::from(error).problem())?;
    let server = &mailbox.account;
    lines.push(format!(
        "pulled    {} mails, {} bytes, over IMAP from {} port {} (in this process), read-only",
        pulled.changed.new, pulled.changed.bytes, server.host, server.port
    ));
    let views = every_case(desk).map_err(|error| error.problem())?;
    let overdue = views.iter().filter(|view| is_overdue(desk, view)).count();
    lines.push(format!("cases     {}, {overdue} of them overdue for an answer", views.len()));
    classification(&mut lines, desk, &views);
    if let Some(view) = best(desk, &views, Disposition::Reject) {
        reply(&mut lines, desk, view)?;
    }
    let draft = best(desk, &views, Disposition::Accept);
    if let Some(view) = draft {
        advisory(&mut lines, desk, view, sample.out()?)?;
    }
    Ok(lines)
}

fn every_case(desk: &Desk) -> Result<Vec<CaseView>, DeskError> {
    let mut views = Vec::new();
    for record in desk.all_cases() {
        views.push(desk.view(record?)?);
    }
    Ok(views)
}

fn is_overdue(desk: &Desk, view: &CaseView) -> bool {
    use crate::domain::deadline::{DeadlineKind, DeadlineStatus};
    let deadlines = view.row.deadlines(&desk.rules.policy.periods, desk.clock.now());
    deadlines
        .iter()
        .any(|d| d.kind == DeadlineKind::Acknowledge && d.status == DeadlineStatus::Overdue)
}

/// The undecided case with this suggestion that has the most evidence for it; of valid ones, one that gets a CVE id.
fn best<'v>(desk: &Desk, views: &'v [CaseView], wanted: Disposition) -> Option<&'v CaseView> {
    let weight = |view: &&CaseView| {
        let hints =
            |reading: &&Reading| reading.hints.iter().filter(|h| h.evidence.is_some()).count();
        let evidence: usize = view.readings().iter().map(hints).sum();
        let vector = material::our_vector(view, &desk.rules.policy);
        let scored = vector.and_then(|text| Vector::parse(&text).ok());
        let threshold = desk.rules.policy.scoring.cve_threshold_tenths;
        let grave = scored.is_some_and(|vector| vector.base().tenths() >= threshold);
        let declines = wanted == Disposition::Reject;
        (declines && is_plain(view), !declines && grave, evidence, view.row.id.clone())
    };
    views
        .iter()
        .filter(|view| view.verdict.disposition == wanted && view.row.state == CaseState::New)
        .max_by_key(weight)
}

/// Whether one clause alone decides, shown by strong evidence, in a report that a person sent by mail: an example that
/// needs no explanation.
fn is_plain(view: &CaseView) -> bool {
    let [clause] = view.verdict.clauses.as_slice() else { return false };
    let readings = view.readings();
    let shows = |hint: &&Hint| {
        hint.clause == *clause && hint.answer == AnswerValue::Yes && hint.evidence.is_some()
    };
    let strength = |hint: &Hint| u32::from(hint.strength);
    let hints = readings.iter().flat_map(|reading| &reading.hints);
    let proven: u32 = hints.filter(shows).map(strength).sum();
    proven >= 3 && view.row.messages == 1 && readings.iter().all(|reading| reading.ghsa.is_none())
}

fn classification(lines: &mut Vec<String>, desk: &Desk, views: &[CaseView]) {
    let Some(view) = best(desk, views, Disposition::Reject) else { return };
    lines.push(format!(
        "suggests  {} “{}”: {}",
        view.row.id,
        view.row.subject,
        material::verdict_words(&view.verdict)
    ));
    for reading in view.readings() {
        let main = view.verdict.clauses.first();
        let shown = reading.hints.iter().filter(|hint| Some(&hint.clause) == main);
        for hint in shown {
            if let Some(evidence) = &hint.evidence {
                let words: Vec<&str> = evidence.text.split_whitespace().collect();
                let line = format!(
                    "          {} {}, line {}: “{}”",
                    hint.clause,
                    hint.answer.as_str(),
                    evidence.line,
                    words.join(" ")
                );
                if lines.last() != Some(&line) {
                    lines.push(line);
                }
            }
        }
    }
}

fn reply(lines: &mut Vec<String>, desk: &Desk, view: &CaseView) -> Result<(), Problem> {
    let office = Office {
        policy: &desk.rules.policy,
        policy_text: desk.policy_text.as_deref(),
        me: &desk.me,
        now: desk.clock.now(),
    };
    let draft = material::reply_draft(&office, view, Disposition::Reject.as_str())
        .map_err(|refusal| Problem { what: refusal.what, next: refusal.instead })?;
    lines.push(format!("reply     a draft to {}; nothing is sent:", draft.to.join(", ")));
    lines.extend(draft.text.lines().map(|line| format!("          > {line}")));
    Ok(())
}

/// Accepts a case, scores it, completes its advisory as a maintainer would and writes it in every format.
fn advisory(
    lines: &mut Vec<String>,
    desk: &Desk,
    view: &CaseView,
    out: PathBuf,
) -> Result<(), Problem> {
    let mut acts = Vec::new();
    if let Some(vector) = material::our_vector(view, &desk.rules.policy) {
        acts.push(Act::Scored { vector });
    }
    acts.push(Act::Decided { disposition: Disposition::Accept, clauses: Vec::new(), reason: None });
    let record = desk.record(&view.row.id, acts).map_err(|error| error.problem())?;
    let view = desk.view(record).map_err(|error| error.problem())?;
    let toml = material::sample_advisory(&view, &desk.rules.policy);
    let threshold = desk.rules.policy.scoring.cve_threshold_tenths;
    let order = export::Order::everything(threshold, desk.clock.now());
    let written = export::write(&toml, &order, &out).map_err(|error| error.problem())?.files;
    lines.push(format!(
        "advisory  {} accepted and drafted in {} formats:",
        view.row.id,
        written.len()
    ));
    lines.extend(
        written.iter().map(|file| format!("          {:<9} {}", file.format, file.path.display())),
    );
    Ok(())
}
