//! The thread that looks claims up: one case at a time, the newest wish wins, an older look stops.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Watcher;
use crate::app::claims::Looked;
use crate::app::{Input, Outcome};
use crate::domain::CaseId;
use crate::runtime::desk::Desk;
use crate::runtime::screen_loop::Event;

/// Shortest time between two words about how far a look is.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The thread. Dropping it stops the look that runs.
pub struct Looker {
    wishes: Option<Sender<(u64, CaseId)>>,
    /// Number of the newest wish; a look for an older one stops.
    newest: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Looker {
    /// Starts the thread.
    pub fn start(desk: &Arc<Desk>, inbox: &Sender<Event>) -> Self {
        let (wishes, waiting) = mpsc::channel();
        let newest = Arc::new(AtomicU64::new(0));
        let worker =
            Worker { desk: Arc::clone(desk), inbox: inbox.clone(), newest: Arc::clone(&newest) };
        let thread =
            thread::Builder::new().name("claims".into()).spawn(move || worker.run(&waiting)).ok();
        Self { wishes: Some(wishes), newest, thread }
    }

    /// Looks up the claims of a case, or of none. Never waits.
    pub fn look(&self, case: Option<CaseId>) {
        let number = self.newest.fetch_add(1, Ordering::SeqCst) + 1;
        if let (Some(wishes), Some(case)) = (&self.wishes, case) {
            // The thread ends only after this sender is dropped.
            let _ = wishes.send((number, case));
        }
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.look(None);
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    desk: Arc<Desk>,
    inbox: Sender<Event>,
    newest: Arc<AtomicU64>,
}

impl Worker {
    fn run(&self, waiting: &Receiver<(u64, CaseId)>) {
        while let Ok((number, case)) = waiting.recv() {
            if !self.is_wanted(number) {
                continue;
            }
            let looked = catch_unwind(AssertUnwindSafe(|| self.look(number, &case)));
            let table = looked.unwrap_or_else(|_| {
                let note = "a fault of this program stopped the look at the claims";
                Some(crate::claims::Table::unknown(Vec::new(), note, true))
            });
            if let Some(table) = table {
                self.tell(&case, Looked::Done(Box::new(table)));
            }
        }
    }

    fn is_wanted(&self, number: u64) -> bool {
        self.newest.load(Ordering::SeqCst) == number
    }

    fn tell(&self, case: &CaseId, looked: Looked) {
        // Nobody listens any more once the screen has ended.
        let outcome = Outcome::Claims { case: case.clone(), looked };
        let _ = self.inbox.send(Event::Input(Input::Outcome(outcome)));
    }

    fn look(&self, number: u64, case: &CaseId) -> Option<crate::claims::Table> {
        let record = self.desk.find(case.as_str()).ok()?;
        let view = crate::runtime::view::alone(&self.desk, record).ok()?;
        let mut told = Instant::now();
        let mut progress = |what: &str, done: usize, total: usize| {
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                let share = (100 * done).checked_div(total).unwrap_or(100);
                self.tell(case, Looked::Running(format!("{what}, {share} %")));
            }
        };
        let go_on = || self.is_wanted(number);
        super::check(&self.desk, &view, &mut Watcher { progress: &mut progress, go_on: &go_on })
    }
}
