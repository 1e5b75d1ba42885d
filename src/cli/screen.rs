//! Opening the screen, on the user's store or on the sample inbox.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use super::{Context, Failure, print, shown};
use crate::app::{self, Problem};
use crate::runtime::demo;
use crate::runtime::desk::Desk;
use crate::runtime::fault::{Fault, Trap};
use crate::runtime::pull::Mailbox;
use crate::runtime::screen_loop::{self, End};
use crate::runtime::setup::Setup;
use crate::runtime::workers::Workers;

/// The screen on the user's own store.
pub(crate) fn open(context: &Context) -> Result<ExitCode, Failure> {
    if !on_terminal() {
        return Err(Failure::usage(Problem {
            what: "the screen needs a terminal, and standard input or output is none".into(),
            next: "give a command, such as `casebook list`; `casebook --help` names them".into(),
        }));
    }
    let setup = context.setup()?;
    let mailbox =
        setup.config.account.as_ref().map(Mailbox::of).transpose().map_err(Failure::usage)?;
    let desk = Arc::new(context.open(&setup)?);
    // Who sets a watch up has asked for the pull.
    let pull = mailbox.as_ref().is_some_and(|mailbox| mailbox.watch) && !desk.read_only;
    run(context, &setup, &desk, mailbox, Begin { pull, ..Begin::default() })
}

fn on_terminal() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !dumb
}

/// How a screen begins.
#[derive(Default)]
struct Begin {
    /// A pull is started at once.
    pull: bool,
    /// A fault on purpose.
    fault: Option<Fault>,
}

fn run(
    context: &Context,
    setup: &Setup,
    desk: &Arc<Desk>,
    mailbox: Option<Mailbox>,
    begin: Begin,
) -> Result<ExitCode, Failure> {
    let (to_inbox, inbox) = mpsc::channel();
    let online = mailbox.is_some();
    let ask_password = mailbox.as_ref().filter(|mailbox| mailbox.asks()).map(Mailbox::whose);
    screen_loop::quiet_panics();
    let trap = Arc::new(Trap::new(begin.fault));
    let workers = Workers::start(desk, mailbox, &to_inbox, &trap);
    let first = app::Setup {
        policy: Arc::clone(&setup.policy),
        keymap: Arc::clone(&setup.keymap),
        policy_text: setup.policy_text.clone(),
        me: desk.me.clone(),
        size: (80, 24),
        now: desk.clock.now(),
        zone: crate::runtime::clock::Clock::zone(),
        read_only: desk.read_only,
        online,
        ask_password,
        pull: begin.pull,
        colour: !context.global.no_color
            && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        export_folder: PathBuf::from("advisories"),
    };
    let ended = screen_loop::run(first, &desk.clock, &workers, &inbox, &to_inbox, &trap);
    // What was asked for is finished before the program ends.
    drop(workers);
    match ended {
        Ok(End::Quit) => Ok(ExitCode::SUCCESS),
        Ok(End::Signal(signal)) => Ok(ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))),
        Err(error) => Err(Failure::usage(Problem {
            what: format!("the terminal cannot be used: {error}"),
            next: "everything is saved; open it again in another terminal".into(),
        })),
    }
}

/// The sample inbox: served and pulled for real, then shown; or told in words where there is no terminal.
pub(crate) fn demo(
    context: &Context,
    plain: bool,
    fault: Option<Fault>,
) -> Result<ExitCode, Failure> {
    let sample = demo::Sample::start(context.clock).map_err(Failure::network)?;
    let setup = sample.setup().map_err(Failure::usage)?;
    let desk = Arc::new(context.open(&setup)?);
    if on_terminal() && !plain {
        let begin = Begin { pull: true, fault };
        return run(context, &setup, &desk, Some(sample.mailbox()), begin);
    }
    let told = demo::tell(&desk, &sample).map_err(Failure::network)?;
    for line in told {
        print(&format!("{}\n", shown(&line)));
    }
    Ok(ExitCode::SUCCESS)
}
