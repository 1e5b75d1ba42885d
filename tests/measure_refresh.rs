//! A pull that finds nothing new, over a way of 40 ms, beside mbsync in the same run.
//!
//! Not part of the tests, as it needs a release build and a mailbox of some size (a Maildir folder of one's own):
//!
//! ```text
//! cargo build --release
//! MEASURE_BIN=target/release/casebook MEASURE_FIRST=big/Maildir MEASURE_RUNS=5 \
//!     cargo test --test measure_refresh -- --ignored --nocapture
//! ```
//!
//! Each client first pulls everything, not measured and without the delay; then the clients take turns in asking for
//! news through a proxy that delays every piece by half of `MEASURE_ROUND_TRIP` milliseconds (40). A turn is a round
//! trip that the client waited for. `MEASURE_CLIENTS` is `casebook,mbsync-nofsync` where it is not given: nothing is
//! written in a pull without news, but the first one of mbsync takes minutes with its fsync. Of the transports it is
//! the plain one, as the proxy counts what it can read. Times are from the start of the programs: "known" until it is
//! known that there is nothing new, "all" to the end, before which a portion of older mail may be read by the rules.

#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests may fail loudly and say what they measured"
)]

mod support;

use std::path::Path;
use std::time::Duration;

use support::bench::{Bench, Client, Watched, Way, load, median};
use support::delay::{Delay, Passed};

struct Run {
    /// Until it was known that there is nothing new.
    known: f64,
    watched: Watched,
    passed: Passed,
}

#[test]
#[ignore = "a measurement; see the head of this file"]
fn nothing_new() {
    let Some(bench) = Bench::start(&[Client::Casebook, Client::MbsyncNoFsync]) else { return };
    let given = std::env::var("MEASURE_ROUND_TRIP").ok();
    let millis = given.map_or(40, |text| text.parse().expect("a number of milliseconds"));
    let direct = Way { port: bench.dovecot.port, tls: false };
    let delay = Delay::start(bench.dovecot.port, Duration::from_millis(millis));
    let far = Way { port: delay.port, tls: false };
    let clients: Vec<Client> =
        bench.clients.iter().copied().filter(|client| *client != Client::Stream).collect();
    let mut results = Vec::new();
    for client in clients {
        let folder = bench.empty(client.name());
        pull(&bench, client, &folder, direct);
        // What is left for the rules, and what a first change of flags leaves to be written.
        pull(&bench, client, &folder, direct);
        results.push((client, folder, Vec::new()));
    }
    for _ in 0..bench.runs {
        for (client, folder, runs) in &mut results {
            delay.take();
            let (watched, known) = pull(&bench, *client, folder, far);
            runs.push(Run { known, watched, passed: delay.take() });
        }
    }
    print(&results, millis);
}

/// The run, and how many seconds of it went by until everything was known and stored.
fn pull(bench: &Bench, client: Client, folder: &Path, way: Way) -> (Watched, f64) {
    let fsync = match client {
        Client::Casebook | Client::Stream => {
            let (watched, told) = bench.casebook(folder, way);
            let judged = told["judged_seconds"].as_f64().expect("a time");
            return (watched, watched.seconds - judged);
        }
        Client::Mbsync => true,
        Client::MbsyncNoFsync => false,
    };
    let watched = bench.mbsync(folder, way, fsync);
    (watched, watched.seconds)
}

fn print<Folder>(results: &[(Client, Folder, Vec<Run>)], millis: u64) {
    eprintln!("\nnothing new, round trip {millis} ms, load {}", load());
    eprintln!(
        "| client | known s | all s | peak MB | turns | bytes down | turns after login | bytes down after login |"
    );
    eprintln!("|---|---|---|---|---|---|---|---|");
    for (client, _, runs) in results {
        let of = |of: fn(&Run) -> f64| median(runs.iter().map(of)).expect("a run");
        eprintln!(
            "| {} | {:.3} | {:.3} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
            client.name(),
            of(|run| run.known),
            of(|run| run.watched.seconds),
            of(|run| run.watched.peak_mb),
            of(|run| run.passed.turns as f64),
            of(|run| run.passed.down as f64),
            of(|run| run.passed.turns_after_login as f64),
            of(|run| run.passed.down_after_login as f64),
        );
    }
    let seconds = |client| {
        let (_, _, runs) = results.iter().find(|(other, _, _)| *other == client)?;
        median(runs.iter().map(|run| run.known))
    };
    let Some(ours) = seconds(Client::Casebook) else { return };
    for peer in [Client::Mbsync, Client::MbsyncNoFsync] {
        if let Some(theirs) = seconds(peer) {
            let name = peer.name();
            eprintln!("{name}: casebook knows in 1/{:.1} of its time", theirs / ours);
        }
    }
}
