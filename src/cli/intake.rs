//! `sync` and `import`: mail comes in.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use super::{Context, Failure, Progress, print, print_json, shown};
use crate::app::{Problem, SyncState};
use crate::runtime::desk::Desk;
use crate::runtime::ingest::Changed;
use crate::runtime::pull::{self, Mailbox, News, Pulled};
use crate::runtime::{import, signals};
use crate::sync::{Cancel, SyncError};

#[derive(Serialize)]
struct Taken {
    seen: u64,
    new: u64,
    duplicates: u64,
    quarantined: Vec<Left>,
    bytes: u64,
    /// Until the mail was durable and could be listed.
    stored_seconds: f64,
    /// From then on until the rules had read it.
    judged_seconds: f64,
}

/// When a command began, and when its mail was stored.
struct Watch {
    began: Instant,
    stored: Option<Instant>,
}

impl Watch {
    fn start() -> Self {
        Self { began: Instant::now(), stored: None }
    }

    /// Takes the time, then lets the rules read the mail.
    fn judge(&mut self, desk: &Desk, most: u64) -> Result<(), Failure> {
        self.stored = Some(Instant::now());
        super::judge(desk, most)
    }
}

#[derive(Serialize)]
struct Left {
    what: String,
    why: String,
}

impl Taken {
    fn of(seen: u64, changed: &Changed, quarantined: Vec<Left>, watch: &Watch) -> Self {
        let Changed { new, duplicates, bytes, .. } = *changed;
        let stored = watch.stored.unwrap_or(watch.began);
        let stored_seconds = stored.duration_since(watch.began).as_secs_f64();
        let judged_seconds = stored.elapsed().as_secs_f64();
        Self { seen, new, duplicates, quarantined, bytes, stored_seconds, judged_seconds }
    }

    fn report(&self, context: &Context) {
        if context.json() {
            return print_json(self);
        }
        for left in &self.quarantined {
            eprintln!("left out: {}: {}", shown(&left.what), shown(&left.why));
        }
        print(&format!(
            "{} messages seen, {} new ({} bytes), {} known before\n",
            self.seen, self.new, self.bytes, self.duplicates
        ));
    }
}

/// One pull, or pulls until stopped.
pub(crate) fn sync(context: &Context, watch: bool) -> Result<(), Failure> {
    let setup = context.setup()?;
    let Some(account) = &setup.config.account else {
        return Err(Failure::usage(Problem {
            what: format!("no account is configured in {}", setup.config_path.display()),
            next: "add an [account] section with address, host, user and password_command".into(),
        }));
    };
    let mailbox = Mailbox::of(account).map_err(Failure::usage)?;
    let desk = context.open(&setup)?;
    if desk.read_only {
        return Err(Failure::usage(Problem {
            what: "a pull writes to the store, which was opened read-only".into(),
            next: "leave out --read-only".into(),
        }));
    }
    let cancel = Cancel::new();
    let interrupt = signals::cancel_on_interrupt(&cancel);
    let progress = RefCell::new(Progress::new());
    let mut show = |state: SyncState| {
        if let SyncState::Running { .. } = state {
            progress.borrow_mut().show(&state.words());
        }
    };
    let mut clock = Watch::start();
    let ended = if watch {
        let mut told = |news: News| {
            progress.borrow_mut().end();
            match news {
                News::Pulled(pulled) => {
                    report(context, &desk, &mut clock, &pulled).unwrap_or_else(|failure| {
                        eprintln!("casebook: {}", shown(&failure.problem.what));
                    });
                }
                News::Offline(problem) => {
                    eprintln!("offline: {}; it is tried again by itself", shown(&problem.what));
                }
            }
        };
        pull::watch(&desk, &mailbox, &cancel, &mut show, &mut |_| {}, &mut told)
    } else {
        let pulled = pull::run(&desk, &mailbox, &cancel, &mut show, &mut |_| {});
        progress.borrow_mut().end();
        match pulled {
            Ok(pulled) => {
                return report(context, &desk, &mut clock, &pulled);
            }
            Err(error) => error,
        }
    };
    progress.borrow_mut().end();
    let problem = pull::problem(&ended);
    match (&ended, interrupt.exit_status()) {
        // To be stopped is how a watch ends.
        (SyncError::Cancelled, Some(_)) if watch => Ok(()),
        (SyncError::Cancelled, Some(code)) => Err(Failure::interrupted(code, problem)),
        (SyncError::Sink { .. }, _) => Err(Failure::damaged(problem)),
        _ => Err(Failure::network(problem)),
    }
}

/// Lets the rules read what came and tells of it.
fn report(
    context: &Context,
    desk: &Desk,
    watch: &mut Watch,
    pulled: &Pulled,
) -> Result<(), Failure> {
    watch.judge(desk, super::PORTION)?;
    for note in &pulled.summary.notes {
        eprintln!("note: {}", shown(note));
    }
    let left = pulled.summary.quarantined.iter().map(|message| Left {
        what: match message.uid {
            Some(uid) => format!("message {uid} of {}", message.mailbox),
            None => format!("a message of {}", message.mailbox),
        },
        why: message.why.clone(),
    });
    Taken::of(pulled.summary.seen, &pulled.changed, left.collect(), watch).report(context);
    watch.began = Instant::now();
    Ok(())
}

/// Files and folders.
pub(crate) fn import(context: &Context, paths: &[PathBuf]) -> Result<(), Failure> {
    let desk = context.open(&context.setup()?)?;
    let mut progress = Progress::new();
    let mut watch = Watch::start();
    let done =
        import::run(&desk, paths, &mut |seen| progress.show(&format!("{seen} messages read")));
    progress.end();
    let done = done?;
    watch.judge(&desk, u64::MAX)?;
    let left = done
        .skipped
        .iter()
        .map(|skipped| Left { what: skipped.path.display().to_string(), why: skipped.why.clone() });
    Taken::of(done.seen, &done.changed, left.collect(), &watch).report(context);
    if done.seen == 0 && !done.skipped.is_empty() {
        return Err(Failure::usage(Problem {
            what: "nothing was imported".into(),
            next: "check the paths; .eml files, mbox files and Maildir folders can be imported"
                .into(),
        }));
    }
    Ok(())
}
