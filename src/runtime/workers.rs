//! The threads behind the screen. One works through store requests in order and never drops one; one pulls; one
//! lets the rules read what was pulled.

use std::cell::RefCell;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::claims::worker::Looker;
use super::desk::{Desk, DeskError};
use super::fault::{Fault, Trap};
use super::ingest::Changed;
use super::pull::{self, Mailbox, News, Pulled, SecretSource};
use super::regroup::Regrouped;
use super::screen_loop::Event;
use super::{export, view};
use crate::app::{Effect, Input, Outcome, Password, Problem, SyncState};
use crate::store::QueueKey;
use crate::sync::{Cancel, Secret, SyncError};

/// Rows sent in the first batch of the queue: a screen full.
const FIRST_ROWS: usize = 100;

/// Rows sent in each batch after it.
const MORE_ROWS: usize = 2_000;

/// Shortest time between two batches of rows from a pull: each costs the screen a sorting of its list.
const ROWS_EVERY: Duration = Duration::from_millis(200);

/// How long no mail has come before the rules read what has: storing and listing goes first.
const QUIET: Duration = Duration::from_millis(300);

/// Shortest time between two words about how far a pull is.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The workers of one screen. Dropping them waits until what was asked for is done.
pub struct Workers {
    requests: Option<Sender<Effect>>,
    store: Option<JoinHandle<()>>,
    controls: Option<Sender<Control>>,
    puller: Option<JoinHandle<()>>,
    judge: Option<JoinHandle<()>>,
    looker: Looker,
}

impl Workers {
    /// Starts the workers.
    pub fn start(
        desk: &Arc<Desk>,
        mailbox: Option<Mailbox>,
        inbox: &Sender<Event>,
        trap: &Arc<Trap>,
    ) -> Self {
        let (requests, queue) = mpsc::channel();
        let worker =
            StoreWorker { desk: Arc::clone(desk), inbox: inbox.clone(), trap: Arc::clone(trap) };
        let store =
            thread::Builder::new().name("store".into()).spawn(move || worker.run(&queue)).ok();
        let (arrivals, arrived) = mpsc::channel();
        // Some may wait since the last time.
        let _ = arrivals.send(());
        let judge = Judge { desk: Arc::clone(desk), inbox: inbox.clone() };
        let judge =
            thread::Builder::new().name("judge".into()).spawn(move || judge.run(&arrived)).ok();
        let (controls, orders) = mpsc::channel();
        let puller = Puller {
            desk: Arc::clone(desk),
            mailbox: Mutex::new(mailbox),
            inbox: inbox.clone(),
            trap: Arc::clone(trap),
            arrivals,
        };
        let puller = Arc::new(puller);
        let puller = thread::Builder::new()
            .name("pull-control".into())
            .spawn(move || Puller::obey(&puller, &orders))
            .ok();
        let looker = Looker::start(desk, inbox);
        Self { requests: Some(requests), store, controls: Some(controls), puller, judge, looker }
    }

    /// Hands a request to its worker. Never waits.
    pub fn request(&self, effect: Effect) {
        match effect {
            Effect::StartSync { watch, password } => {
                self.order(Control::Start { watch, password });
            }
            Effect::CancelSync => self.order(Control::Cancel),
            Effect::CheckClaims { case } => self.looker.look(Some(case)),
            Effect::StopClaims => self.looker.look(None),
            other => {
                if let Some(requests) = &self.requests {
                    // The worker ends only after this sender is dropped.
                    let _ = requests.send(other);
                }
            }
        }
    }

    fn order(&self, control: Control) {
        if let Some(controls) = &self.controls {
            let _ = controls.send(control);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.controls = None;
        self.requests = None;
        // The judge ends when nobody can tell it of mail any more; what it leaves waits for the next start.
        let threads = [self.puller.take(), self.store.take(), self.judge.take()];
        for thread in threads.into_iter().flatten() {
            let _ = thread.join();
        }
    }
}

/// What the puller is told.
#[derive(Debug)]
enum Control {
    Start { watch: bool, password: Option<Password> },
    Cancel,
}

/// Lets the rules read mail after it was stored and listed.
struct Judge {
    desk: Arc<Desk>,
    inbox: Sender<Event>,
}

impl Judge {
    /// Works whenever mail has arrived, until none can any more.
    fn run(&self, arrived: &Receiver<()>) {
        while arrived.recv().is_ok() && Self::wait_for_quiet(arrived) {
            loop {
                let step = std::panic::AssertUnwindSafe(|| self.step());
                let more = std::panic::catch_unwind(step).unwrap_or(false);
                match arrived.try_recv() {
                    Err(TryRecvError::Disconnected) => return,
                    Err(TryRecvError::Empty) if more => {}
                    Err(TryRecvError::Empty) => break,
                    Ok(()) if Self::wait_for_quiet(arrived) => {}
                    Ok(()) => return,
                }
            }
        }
    }

    /// Returns when no mail has come for a moment; false if none can come any more.
    fn wait_for_quiet(arrived: &Receiver<()>) -> bool {
        loop {
            match arrived.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Judges some; tells whether there may be more.
    fn step(&self) -> bool {
        let judged = self.desk.judge_some().and_then(|judged| {
            let Some(judged) = judged else { return Ok(None) };
            self.desk.rows(judged.changed.cases).map(Some)
        });
        let (outcome, more) = match judged {
            Ok(None) => return false,
            Ok(Some(rows)) => (Outcome::Rows { rows, gone: Vec::new(), done: false }, true),
            Err(error) => (Outcome::Failed(DeskError::from(error).problem()), false),
        };
        let _ = self.inbox.send(Event::Input(Input::Outcome(outcome)));
        more
    }
}

struct StoreWorker {
    desk: Arc<Desk>,
    inbox: Sender<Event>,
    trap: Arc<Trap>,
}

impl StoreWorker {
    fn run(&self, queue: &Receiver<Effect>) {
        while let Ok(effect) = queue.recv() {
            let listing = matches!(effect, Effect::LoadQueue);
            // A fault in reading one mail must not take the worker, and with it every later act, away.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.trap.pass(Fault::Store);
                self.serve(effect)
            }));
            let outcome = done.unwrap_or_else(|_| {
                Some(Outcome::Failed(Problem {
                    what: "a fault of this program stopped that request".into(),
                    next: "everything saved before is safe; please report what you did".into(),
                }))
            });
            if listing && outcome.is_some() {
                // The list ends here, whatever is missing of it.
                self.tell(Outcome::Rows { rows: Vec::new(), gone: Vec::new(), done: true });
            }
            if let Some(outcome) = outcome {
                self.tell(outcome);
            }
        }
    }

    fn tell(&self, outcome: Outcome) {
        // Nobody listens any more once the screen has ended.
        let _ = self.inbox.send(Event::Input(Input::Outcome(outcome)));
    }

    fn serve(&self, effect: Effect) -> Option<Outcome> {
        let failed = |error: DeskError| Outcome::Failed(error.problem());
        Some(match effect {
            Effect::LoadQueue => match self.load_queue() {
                Ok(()) => return None,
                Err(error) => failed(error),
            },
            Effect::OpenCase { request, case } => match self.open(case.as_str()) {
                Ok(case) => Outcome::Opened { request, case: Box::new(case) },
                Err(error) => failed(error),
            },
            Effect::Record { case, acts, said } => {
                let saved = self.desk.record(&case, acts).and_then(|record| self.desk.view(record));
                match saved {
                    Ok(case) => Outcome::Saved { said, case: Box::new(case) },
                    Err(error) => failed(error),
                }
            }
            Effect::Undo { case } => {
                let undone = self.desk.undo(&case);
                undone
                    .and_then(|(undone, what)| {
                        regrouped(&self.desk, undone, format!("taken back: {what}"), false)
                    })
                    .unwrap_or_else(failed)
            }
            Effect::Merge { case, into } => self.merge(&case, &into).unwrap_or_else(failed),
            Effect::Split { case, message } => {
                let split = self.desk.split(&case, &[message]);
                let said = "the mail is a case of its own now".to_owned();
                split
                    .and_then(|split| regrouped(&self.desk, split, said, false))
                    .unwrap_or_else(failed)
            }
            Effect::LoadRaw { case, message } => self.raw(case.as_str(), message),
            Effect::WriteCalendar { path, calendar } => {
                match export::write_calendar(&path, &calendar) {
                    Ok(()) => Outcome::Written { said: format!("written: {}", path.display()) },
                    Err(problem) => Outcome::Failed(problem),
                }
            }
            Effect::WriteEml { case, path } => match export::write_eml(&self.desk, &case, &path) {
                Ok(()) => Outcome::Written { said: format!("written: {}", path.display()) },
                Err(problem) => Outcome::Failed(problem),
            },
            Effect::Export { case, toml, formats, folder } => {
                self.export(&case, &toml, &formats, &folder)
            }
            Effect::SaveAttachment { case, message, attachment, path, notice } => {
                match export::write_attachment(&self.desk, &case, (message, attachment), &path) {
                    Ok(()) => {
                        Outcome::Written { said: format!("saved: {}{notice}", path.display()) }
                    }
                    Err(problem) => Outcome::Failed(problem),
                }
            }
            Effect::StartSync { .. }
            | Effect::CancelSync
            | Effect::CheckClaims { .. }
            | Effect::StopClaims
            | Effect::Copy(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit => {
                return None;
            }
        })
    }

    fn load_queue(&self) -> Result<(), DeskError> {
        let mut after: Option<QueueKey> = None;
        let mut limit = FIRST_ROWS;
        loop {
            let records = self.desk.store.cases_newest_first(after, limit)?;
            let done = records.len() < limit;
            after = records.last().map(crate::store::CaseRecord::queue_key);
            let mut rows = Vec::with_capacity(records.len());
            for record in records {
                rows.push(self.desk.row(record)?);
            }
            self.tell(Outcome::Rows { rows, gone: Vec::new(), done });
            if done {
                return Ok(());
            }
            limit = MORE_ROWS;
        }
    }

    fn merge(&self, case: &str, into: &str) -> Result<Outcome, DeskError> {
        let (case, into) = (self.desk.find(case)?.id, self.desk.find(into)?.id);
        let merged = self.desk.merge(&case, &into)?;
        let said = format!("{case} is merged into {into}");
        regrouped(&self.desk, merged, said, true)
    }

    fn open(&self, case: &str) -> Result<crate::app::case::CaseView, DeskError> {
        self.desk.view(self.desk.find(case)?)
    }

    fn raw(&self, case: &str, message: usize) -> Outcome {
        let read = self.desk.find(case).and_then(|record| {
            let mails = self.desk.mails_of(&record)?;
            let Some(mail) = mails.get(message) else { return Ok(Vec::new()) };
            Ok(self.desk.raw(&mail.message)?)
        });
        match read {
            Ok(raw) => {
                let lines = crate::app::thread::raw_lines(&String::from_utf8_lossy(&raw));
                Outcome::Raw { message, lines }
            }
            Err(error) => Outcome::Failed(error.problem()),
        }
    }

    fn export(
        &self,
        case: &crate::domain::CaseId,
        toml: &str,
        formats: &[crate::domain::advisory::Format],
        folder: &std::path::Path,
    ) -> Outcome {
        let threshold = self.desk.rules.policy.scoring.cve_threshold_tenths;
        let order = export::Order {
            wanted: crate::export::Wanted { formats: formats.to_vec(), all: false },
            cve_from_tenths: threshold,
            now: self.desk.clock.now(),
        };
        match export::write(toml, &order, folder) {
            Ok(done) => {
                let formats: Vec<String> =
                    done.files.iter().map(|file| file.format.clone()).collect();
                let notice = done.notice.map_or_else(String::new, |notice| format!(". {notice}"));
                let folder = done.folder.display();
                let said = format!("{} files in {folder}{notice}", formats.len());
                let act = crate::domain::journal::Act::Exported { formats };
                match self.desk.record(case, vec![act]).and_then(|record| self.desk.view(record)) {
                    Ok(case) => Outcome::Saved { said, case: Box::new(case) },
                    Err(error) => Outcome::Failed(error.problem()),
                }
            }
            Err(problem) => Outcome::Failed(problem.problem()),
        }
    }
}

/// What the screen is told after mails were put together or apart; where none were, only that it is saved.
///
/// # Errors
/// If the store cannot be read.
pub fn regrouped(
    desk: &Desk,
    done: Regrouped,
    said: String,
    merged: bool,
) -> Result<Outcome, DeskError> {
    let case = Box::new(desk.view(done.case)?);
    let changed = done.changed;
    if changed.cases.is_empty() && changed.gone.is_empty() {
        return Ok(Outcome::Saved { said, case });
    }
    let rows = desk.rows(changed.cases)?;
    Ok(Outcome::Regrouped { said, merged, case, rows, gone: changed.gone.into_iter().collect() })
}

/// Runs one pull at a time.
struct Puller {
    desk: Arc<Desk>,
    mailbox: Mutex<Option<Mailbox>>,
    inbox: Sender<Event>,
    trap: Arc<Trap>,
    /// Told of every batch of mail that was stored.
    arrivals: Sender<()>,
}

impl Puller {
    /// Starts and stops pulls until nobody gives orders any more; then stops the one that runs.
    fn obey(this: &Arc<Self>, orders: &Receiver<Control>) {
        let mut running: Option<(Cancel, JoinHandle<()>)> = None;
        while let Ok(order) = orders.recv() {
            let busy = running.as_ref().is_some_and(|(_, thread)| !thread.is_finished());
            match order {
                Control::Start { watch, password } if !busy => {
                    running = Self::start(this, watch, password);
                }
                Control::Start { .. } => {}
                Control::Cancel => {
                    if let Some((cancel, _)) = &running {
                        cancel.cancel();
                    }
                }
            }
        }
        if let Some((cancel, thread)) = running {
            cancel.cancel();
            let _ = thread.join();
        }
    }

    fn start(
        this: &Arc<Self>,
        watch: bool,
        password: Option<Password>,
    ) -> Option<(Cancel, JoinHandle<()>)> {
        let mailbox = this.mailbox(watch, password)?;
        let cancel = Cancel::new();
        let (puller, token) = (Arc::clone(this), cancel.clone());
        let pull = move || puller.pull(&mailbox, &token);
        let spawned = thread::Builder::new().name("pull".into()).spawn(pull);
        match spawned {
            Ok(thread) => Some((cancel, thread)),
            Err(error) => {
                this.tell(Outcome::SyncFailed(Problem {
                    what: format!("could not start the pull: {error}"),
                    next: "close other programs and try again".into(),
                }));
                None
            }
        }
    }

    /// The mailbox to pull from now: with the password that was typed, which is kept for the next pull.
    fn mailbox(&self, watch: bool, password: Option<Password>) -> Option<Mailbox> {
        let mut kept = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        let mailbox = kept.as_mut()?;
        if let Some(password) = password {
            mailbox.secret = SecretSource::Typed(Secret::new(password.expose().to_owned()));
        }
        let mut now = mailbox.clone();
        now.watch |= watch;
        Some(now)
    }

    /// After a refused login a typed password is worth nothing: the next pull asks again.
    fn forget_password(&self) {
        let mut kept = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mailbox) = kept.as_mut() else { return };
        if matches!(mailbox.secret, SecretSource::Typed(_)) {
            mailbox.secret = SecretSource::Prompt;
            self.tell(Outcome::PasswordRefused(mailbox.whose()));
        }
    }

    fn tell(&self, outcome: Outcome) {
        let _ = self.inbox.send(Event::Input(Input::Outcome(outcome)));
    }

    fn pull(&self, mailbox: &Mailbox, cancel: &Cancel) {
        let feed = RefCell::new(Feed::new(self));
        let mut progress = |state| feed.borrow_mut().progress(state);
        let mut heard = |changed: &Changed| feed.borrow_mut().heard(changed);
        let pulled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.trap.pass(Fault::Pull);
            if mailbox.watch {
                let mut offline = false;
                let mut told = |news: News| {
                    feed.borrow_mut().send_rows();
                    self.watching(&news, &mut offline);
                };
                let desk = &self.desk;
                Err(pull::watch(desk, mailbox, cancel, &mut progress, &mut heard, &mut told))
            } else {
                pull::run(&self.desk, mailbox, cancel, &mut progress, &mut heard)
            }
        }));
        feed.borrow_mut().send_rows();
        match pulled {
            Ok(Ok(done)) => {
                let at = self.desk.clock.now().strftime("%H:%M UTC");
                let words = format!("pulled {at}: {} new", done.changed.new);
                self.tell(Outcome::Sync(SyncState::Idle(words)));
                self.name_quarantined(&done);
            }
            Ok(Err(SyncError::Cancelled)) if mailbox.watch => {
                self.tell(Outcome::Sync(SyncState::Idle("watch stopped".into())));
            }
            Ok(Err(error)) => {
                if matches!(error, SyncError::LoginRefused { .. }) {
                    self.forget_password();
                }
                self.tell(Outcome::SyncFailed(pull::problem(&error)));
            }
            Err(_) => self.tell(Outcome::SyncFailed(Problem {
                what: "a fault of this program stopped the pull".into(),
                next: "what has arrived is kept; please report it".into(),
            })),
        }
    }

    /// Says how the watch is. To be offline is a state of it: the reason is told once, not at every try.
    fn watching(&self, news: &News, offline: &mut bool) {
        let at = self.desk.clock.now().strftime("%H:%M UTC");
        let words = match news {
            News::Pulled(done) => {
                *offline = false;
                self.name_quarantined(done);
                format!("watching, {at}: {} new", done.changed.new)
            }
            News::Offline(problem) => {
                if !std::mem::replace(offline, true) {
                    self.tell(Outcome::Failed(Problem {
                        next: "it is tried again by itself; local mail stays usable".into(),
                        ..problem.clone()
                    }));
                }
                format!("offline, last tried {at}")
            }
        };
        self.tell(Outcome::Sync(SyncState::Watching(words)));
    }

    fn name_quarantined(&self, done: &Pulled) {
        for message in &done.summary.quarantined {
            self.tell(Outcome::Failed(Problem {
                what: format!(
                    "one message could not be fetched: {}",
                    view::printable(&message.why)
                ),
                next: "it is tried again by the next pull".into(),
            }));
        }
    }
}

/// What a pull tells the screen, in portions that the screen keeps up with.
struct Feed<'a> {
    puller: &'a Puller,
    waiting: Changed,
    rows_sent: Option<Instant>,
    progress_sent: Option<(Instant, String)>,
}

impl<'a> Feed<'a> {
    fn new(puller: &'a Puller) -> Self {
        Self { puller, waiting: Changed::default(), rows_sent: None, progress_sent: None }
    }

    /// A new phase is told at once, a number that grew only now and then.
    fn progress(&mut self, state: SyncState) {
        let phase = match &state {
            SyncState::Running { phase, .. } => phase.clone(),
            SyncState::Off | SyncState::Idle(_) | SyncState::Watching(_) => String::new(),
        };
        let soon = self
            .progress_sent
            .as_ref()
            .is_some_and(|(at, known)| *known == phase && at.elapsed() < PROGRESS_EVERY);
        if !soon {
            self.progress_sent = Some((Instant::now(), phase));
            self.puller.tell(Outcome::Sync(state));
        }
        if self.rows_are_due() {
            self.send_rows();
        }
    }

    fn heard(&mut self, changed: &Changed) {
        let _ = self.puller.arrivals.send(());
        self.waiting.cases.extend(&changed.cases);
        self.waiting.gone.extend(&changed.gone);
        self.waiting.cases.retain(|number| !changed.gone.contains(number));
        if self.rows_are_due() {
            self.send_rows();
        }
    }

    fn rows_are_due(&self) -> bool {
        self.rows_sent.is_none_or(|at| at.elapsed() >= ROWS_EVERY)
    }

    fn send_rows(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.cases.is_empty() && waiting.gone.is_empty() {
            return;
        }
        self.rows_sent = Some(Instant::now());
        match self.puller.desk.rows(waiting.cases) {
            Ok(rows) => {
                let gone = waiting.gone.into_iter().collect();
                self.puller.tell(Outcome::Rows { rows, gone, done: false });
            }
            Err(error) => self.puller.tell(Outcome::Failed(DeskError::from(error).problem())),
        }
    }
}
