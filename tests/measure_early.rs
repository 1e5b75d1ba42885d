//! How early the list is of use while a first pull runs: the screen at 200x50, told to pull a mailbox of some size.
//!
//! Not part of the tests, as it needs a release build and a mailbox of some size (a Maildir folder of one's own):
//!
//! ```text
//! cargo build --release
//! MEASURE_BIN=target/release/casebook MEASURE_FIRST=big/Maildir \
//!     cargo test --test measure_early -- --ignored --nocapture
//! ```
//!
//! The store is empty and the screen stands; from the key that starts the pull on, it tells when the first case is
//! listed, and when a hundred are (the head of the list counts them). From then on keys are pressed, each timed until the cursor has moved, until the pull is over.
//! `MEASURE_TRANSPORTS` of `plain,tls`; the clients are not asked for.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they measured"
)]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use support::bench::{Bench, Client, Way, load, peak_of};
use support::stamped::{PAUSE, Terminal, in_queue, report, row, says, under_cursor};

/// Cases that must be listed before the keys are pressed.
const LISTED: u64 = 100;

#[test]
#[ignore = "a measurement; see the head of this file"]
fn the_list_is_of_use_while_it_is_pulled() {
    let Some(bench) = Bench::start(&[Client::Casebook]) else { return };
    // The server makes its index, and the mails are in the page cache.
    bench.casebook(&bench.empty("casebook"), Way { port: bench.dovecot.port, tls: false });
    bench.empty("casebook");
    for way in bench.ways() {
        for _ in 0..bench.runs {
            eprintln!("\n{}, load {}", if way.tls { "TLS" } else { "plain" }, load());
            pulled(&bench, way);
        }
    }
}

fn pulled(bench: &Bench, way: Way) {
    let folder = bench.empty("screen");
    let mut command = CommandBuilder::new(&bench.program);
    command.args(bench.casebook_args(&folder, way));
    command.env("TERM", "xterm-256color");
    let begun = Instant::now();
    let mut terminal = Terminal::start(command);
    terminal.wait(|screen| in_queue(screen) && !row(screen, 0).contains("reading"));
    eprintln!("the empty list stands after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    let begun = Instant::now();
    let took = |what: &str| {
        eprintln!("{what} after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    };
    let pulls = |screen: &vt100::Screen| says(screen, "pulling ") || listed(screen) > 0;
    terminal.answer("S", pulls).expect("it pulls");
    took("connected, logged in and the newest listed");
    if listed(terminal.parser.screen()) == 0 {
        terminal.wait(|screen| listed(screen) > 0);
    }
    took(&format!("the first {} cases", listed(terminal.parser.screen())));
    if listed(terminal.parser.screen()) < LISTED {
        terminal.wait(|screen| listed(screen) >= LISTED);
    }
    took(&format!("{LISTED} cases"));
    let mut times: BTreeMap<&'static str, Vec<Duration>> = BTreeMap::new();
    let mut turn = ["j", "j", "j", "k"].into_iter().cycle();
    loop {
        // The rest of the last drawing, or the case under the cursor would be an old one.
        terminal.catch_up();
        if says(terminal.parser.screen(), "pulled ") {
            break;
        }
        let before = under_cursor(terminal.parser.screen());
        let key = turn.next().expect("endless");
        let moved = |screen: &vt100::Screen| {
            let now = under_cursor(screen);
            now.is_some() && now != before
        };
        // At the end of the list it stands still.
        if let Some(time) = terminal.answer(key, moved) {
            times.entry(key).or_default().push(time);
        }
        std::thread::sleep(PAUSE);
    }
    took("the pull has ended");
    report("while pulling", &times);
    eprintln!("{}", row(terminal.parser.screen(), 0).trim());
    eprintln!("peak {:.0} MB, load {}", peak_of(terminal.process()), load());
}

/// Cases that the head of the list counts, as in `1/33 open of 40`.
fn listed(screen: &vt100::Screen) -> u64 {
    let head = row(screen, 0);
    let count = head.split_once(" of ").map(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    });
    count.unwrap_or(0)
}
