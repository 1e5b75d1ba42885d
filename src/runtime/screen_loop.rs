//! The loop of the screen: wait for an input, drain what is queued, draw once.
//!
//! The UI thread owns model and terminal and nothing else: no disk, no socket, no lock. It sends requests to the
//! workers over channels that never block and never sends to its own inbox.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

use super::clock::Clock;
use super::fault::{Fault, Trap};
use super::workers::Workers;
use crate::app::{self, Effect, Input, Model, Setup};
use crate::tui::{input, terminal};

/// What reaches the loop.
#[derive(Debug)]
pub enum Event {
    /// An input for the model.
    Input(Input),
    /// An input from the terminal, which waits until it is taken once too many are under way.
    Typed(Input),
    /// A signal that ends the program.
    End(i32),
    /// `SIGTSTP` from outside.
    Sleep,
    /// The program was woken up.
    Woken,
    /// The terminal is gone.
    Gone,
}

/// How the loop ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The user left.
    Quit,
    /// A signal or a vanished terminal ended it; the exit code is 128 and the number.
    Signal(i32),
}

/// Longest wait without drawing: clocks show minutes.
const TICK: Duration = Duration::from_secs(20);

/// Inputs taken before the next drawing, so that a flood cannot starve the screen.
const MAX_DRAINED: usize = 2_000;

/// Runs the screen until it ends.
///
/// # Errors
/// If the terminal cannot be taken over or is gone.
pub fn run(
    setup: Setup,
    clock: &Clock,
    workers: &Workers,
    inbox: &Receiver<Event>,
    to_inbox: &Sender<Event>,
    trap: &Trap,
) -> io::Result<End> {
    let mut screen = terminal::Screen::take()?;
    let keys = KeyReader::start(to_inbox.clone())?;
    listen_for_signals(to_inbox.clone())?;
    let size = screen.size()?;
    let (mut model, first) = Model::start(Setup { size, ..setup });
    let mut hands = Hands { workers, keys: &keys, trap, end: None };
    hands.carry_out(first, &mut screen)?;
    while hands.end.is_none() {
        screen.draw(&model)?;
        let mut next = match inbox.recv_timeout(TICK) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => Some(Event::Input(Input::Tick)),
            Err(RecvTimeoutError::Disconnected) => return Ok(End::Quit),
        };
        let mut drained = 0;
        while let Some(event) = next {
            hands.handle(event, &mut model, clock, &mut screen)?;
            drained += 1;
            next = (drained < MAX_DRAINED && hands.end.is_none())
                .then(|| inbox.try_recv().ok())
                .flatten();
        }
    }
    Ok(hands.end.unwrap_or(End::Quit))
}

struct Hands<'a> {
    workers: &'a Workers,
    keys: &'a KeyReader,
    trap: &'a Trap,
    end: Option<End>,
}

impl Hands<'_> {
    fn handle(
        &mut self,
        event: Event,
        model: &mut Model,
        clock: &Clock,
        screen: &mut terminal::Screen,
    ) -> io::Result<()> {
        match event {
            Event::Typed(input) => {
                self.keys.took();
                if matches!(input, Input::Key(_)) {
                    self.trap.pass(Fault::Screen);
                }
                self.update(input, model, clock, screen)?;
            }
            Event::Input(input) => self.update(input, model, clock, screen)?,
            Event::End(signal) => self.end = Some(End::Signal(signal)),
            Event::Gone => self.end = Some(End::Signal(SIGHUP)),
            Event::Sleep => self.sleep(screen)?,
            Event::Woken => {
                screen.retake()?;
                let (columns, rows) = screen.size()?;
                app::update(model, Input::Resize(columns, rows), clock.now());
            }
        }
        Ok(())
    }

    fn update(
        &mut self,
        input: Input,
        model: &mut Model,
        clock: &Clock,
        screen: &mut terminal::Screen,
    ) -> io::Result<()> {
        let effects = app::update(model, input, clock.now());
        self.carry_out(effects, screen)
    }

    fn carry_out(&mut self, effects: Vec<Effect>, screen: &mut terminal::Screen) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.end = Some(End::Quit),
                Effect::Redraw => screen.forget()?,
                Effect::Copy(text) => screen.copy(&text)?,
                Effect::Suspend => self.sleep(screen)?,
                other => self.workers.request(other),
            }
        }
        Ok(())
    }

    /// Gives the terminal back and stops until the shell continues the program.
    fn sleep(&self, screen: &mut terminal::Screen) -> io::Result<()> {
        self.keys.pause();
        terminal::restore();
        signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
        screen.retake()?;
        self.keys.resume();
        Ok(())
    }
}

/// A thread that reads the terminal and can be paused, so that it does not eat what is typed to the shell.
struct KeyReader {
    paused: Arc<AtomicBool>,
    idle: Arc<AtomicBool>,
    /// One for each input on its way.
    under_way: Receiver<()>,
}

/// Inputs on their way to the screen: two full drains. Further ones wait in the terminal, which then takes no more
/// from who types or pastes, so nothing is lost and nothing piles up here.
const MAX_UNDER_WAY: usize = 2 * MAX_DRAINED;

/// How soon the reader notices that it is to pause.
const POLL: Duration = Duration::from_millis(50);

impl KeyReader {
    fn start(inbox: Sender<Event>) -> io::Result<Self> {
        let paused = Arc::new(AtomicBool::new(false));
        let idle = Arc::new(AtomicBool::new(false));
        let (is_paused, is_idle) = (Arc::clone(&paused), Arc::clone(&idle));
        let (sends, under_way) = mpsc::sync_channel(MAX_UNDER_WAY);
        thread::Builder::new().name("keys".into()).spawn(move || {
            let read = || read_keys(&inbox, &sends, &is_paused, &is_idle);
            if catch_unwind(AssertUnwindSafe(read)).is_err() {
                // A screen that hears no keys any more had better end.
                let _ = inbox.send(Event::Gone);
            }
        })?;
        Ok(Self { paused, idle, under_way })
    }

    /// An input has arrived; another may set out.
    fn took(&self) {
        let _ = self.under_way.try_recv();
    }

    fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        while !self.idle.load(Ordering::SeqCst) && begun.elapsed() < POLL * 4 {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn resume(&self) {
        self.paused.store(false, Ordering::SeqCst);
    }
}

/// Hands over what is typed until nobody listens or the terminal is gone.
fn read_keys(
    inbox: &Sender<Event>,
    sends: &SyncSender<()>,
    paused: &AtomicBool,
    idle: &AtomicBool,
) {
    loop {
        if paused.load(Ordering::SeqCst) {
            idle.store(true, Ordering::SeqCst);
            thread::sleep(POLL);
            continue;
        }
        idle.store(false, Ordering::SeqCst);
        let sent = match input::next(POLL) {
            Ok(Some(input)) => hand_over(inbox, sends, input),
            Ok(None) => true,
            Err(_) => {
                let _ = inbox.send(Event::Gone);
                return;
            }
        };
        if !sent {
            return;
        }
    }
}

/// Sends an input once there is room for it; false if nobody listens any more.
fn hand_over(inbox: &Sender<Event>, sends: &SyncSender<()>, input: Input) -> bool {
    sends.send(()).is_ok() && inbox.send(Event::Typed(input)).is_ok()
}

fn listen_for_signals(inbox: Sender<Event>) -> io::Result<()> {
    let watched = [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT];
    let mut signals = signal_hook::iterator::Signals::new(watched)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut asked = false;
        for signal in signals.forever() {
            let event = match signal {
                SIGTSTP => Event::Sleep,
                SIGCONT => Event::Woken,
                end => {
                    if std::mem::replace(&mut asked, true) {
                        // Asked twice: the loop does not answer. Acts are on disk once they are acknowledged.
                        terminal::restore();
                        std::process::exit(128 + end);
                    }
                    Event::End(end)
                }
            };
            if inbox.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// To be called by the thread of the screen before it starts any other: from here on, its panic gives the terminal
/// back before it says where it happened, and those of other threads, which are caught and told on the screen,
/// print nothing. The message of a panic may quote a mail, so only the place is printed.
pub fn quiet_panics() {
    let screen = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == screen {
            terminal::restore();
            let place = info
                .location()
                .map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
            let words = format!(
                "casebook: a fault of this program{place}. Everything acknowledged is saved; please report this line.\n"
            );
            let _ = io::Write::write_all(&mut io::stderr(), words.as_bytes());
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_keys_waits_for_room_and_arrives_whole_and_in_order() {
        let (inbox, arrived) = mpsc::channel();
        let (sends, under_way) = mpsc::sync_channel(2);
        let reader = thread::spawn(move || {
            for columns in 0..1_000 {
                assert!(hand_over(&inbox, &sends, Input::Resize(columns, 1)), "somebody listens");
            }
        });
        for columns in 0..1_000 {
            // Never more than there is room for, and the one that is taken.
            let Event::Typed(Input::Resize(got, _)) = arrived.recv().expect("it comes") else {
                panic!("only these are sent");
            };
            assert_eq!(got, columns);
            under_way.recv().expect("counted");
        }
        reader.join().expect("it ends");
        assert!(arrived.try_recv().is_err() && under_way.try_recv().is_err());
    }

    #[test]
    fn a_reader_that_waits_for_room_ends_with_the_screen() {
        let (inbox, _arrived) = mpsc::channel();
        let (sends, under_way) = mpsc::sync_channel(1);
        assert!(hand_over(&inbox, &sends, Input::Tick));
        let reader = thread::spawn(move || hand_over(&inbox, &sends, Input::Tick));
        drop(under_way);
        assert!(!reader.join().expect("it ends"));
    }
}
