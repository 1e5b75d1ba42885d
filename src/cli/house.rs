//! `cvss`, `verify`, `keys`, `doctor`, `completions`, `man`.

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde::Serialize;

use super::args::Cli;
use super::json::ScoredVector;
use super::{Context, Failure, Progress, print, print_json, shown};
use crate::app::{Problem, material};
use crate::command::Context as Screen;
use crate::config;
use crate::domain::policy::Policy;
use crate::domain::version;
use crate::keymap::Keymap;
use crate::runtime::{policy_check, secret, setup};
use crate::store::Report;

/// Explains vectors; needs no store. Exit 1 if one is not valid.
pub(crate) fn cvss(context: &Context, vectors: &[String]) -> Result<(), Failure> {
    let policy = context.policy()?;
    if context.json() {
        let scored: Vec<_> = vectors.iter().map(|text| ScoredVector::of(text, &policy)).collect();
        print_json(&scored);
    } else {
        for text in vectors {
            print(&format!("{}\n", shown(&material::score_line(text, &policy))));
        }
    }
    let faulty =
        vectors.iter().filter(|text| crate::domain::cvss::Vector::parse(text).is_err()).count();
    if faulty > 0 {
        let next = "the fault stands beside each of them";
        return Err(Failure::faults(
            format!("{faulty} of {} vectors are not valid", vectors.len()),
            next,
        ));
    }
    Ok(())
}

/// Checks everything on disk; exit 3 if something is damaged.
pub(crate) fn verify(context: &Context, rebuild: bool) -> Result<(), Failure> {
    let desk = context.desk()?;
    if rebuild {
        let mut progress = Progress::new();
        desk.rebuild(&mut |what, done, total| {
            progress.show(&format!("{what}: {done} of {total}"))
        })?;
        progress.end();
        eprintln!("the index was made anew");
    }
    let mut progress = Progress::new();
    let report = desk.store.verify(|done, total| {
        progress.show(&format!("checking: {done} of {total}"));
        true
    })?;
    progress.end();
    let anchors = desk.broken_anchors()?;
    let policies = desk.store.damaged_policies()?;
    if context.json() {
        print_json(&serde_json::json!({
            "report": report,
            "broken_anchors": anchors,
            "damaged_policies": policies,
        }));
    } else {
        print(&report_words(&report));
        for anchor in &anchors {
            print(&format!("anchor that no longer fits its mail: {}\n", shown(anchor)));
        }
        for policy in &policies {
            print(&format!("kept policy that is not as it was kept: {}\n", shown(policy)));
        }
    }
    if report.is_sound() && anchors.is_empty() && policies.is_empty() {
        return Ok(());
    }
    Err(Failure::damaged(Problem {
        what: "the store has damaged parts, named above; everything else is intact and usable".into(),
        next: "`casebook verify --rebuild`, then pull: mail that is still on the server comes again; or restore the named files from a backup".into(),
    }))
}

fn report_words(report: &Report) -> String {
    let mut text = format!(
        "archive: {} records as written, {} damaged\njournal: {} lines as written, {} damaged\n",
        report.archive_records,
        report.archive_damages.len(),
        report.journal_lines,
        report.journal_damages.len()
    );
    for damage in report.archive_damages.iter().chain(&report.journal_damages) {
        let line = damage.line.map_or_else(String::new, |line| format!(" line {line}"));
        text.push_str(&format!(
            "  {}{line} at byte {}: {}\n",
            shown(&damage.file),
            damage.offset,
            shown(&damage.what)
        ));
    }
    match &report.index_fault {
        Some(fault) => text.push_str(&format!("index: damaged: {}\n", shown(fault))),
        None => text.push_str("index: agrees with both\n"),
    }
    text
}

/// The keys of every screen, from the live keymap.
pub(crate) fn keys(context: &Context) -> Result<(), Failure> {
    let setup = context.setup()?;
    if context.json() {
        let rows: Vec<KeyRow> =
            Screen::ALL.iter().flat_map(|screen| key_rows(&setup.keymap, *screen)).collect();
        print_json(&rows);
        return Ok(());
    }
    let mut text = String::new();
    for screen in Screen::ALL {
        text.push_str(&format!("{}\n", screen.as_str()));
        for row in key_rows(&setup.keymap, screen) {
            text.push_str(&format!(
                "  {:<16}{:<20}{}\n",
                row.keys.join(", "),
                row.command,
                row.does
            ));
        }
    }
    print(&text);
    Ok(())
}

#[derive(Serialize)]
struct KeyRow {
    context: &'static str,
    keys: Vec<String>,
    command: String,
    does: &'static str,
}

fn key_rows(keymap: &Keymap, screen: Screen) -> Vec<KeyRow> {
    let own = keymap.help(screen).into_iter().filter(|row| row.context == screen);
    own.map(|row| KeyRow {
        context: screen.as_str(),
        keys: row.keys,
        command: format!("{} {}", row.name, row.args).trim_end().to_owned(),
        does: row.doc,
    })
    .collect()
}

#[derive(Serialize)]
struct Finding {
    what: String,
    good: bool,
    detail: String,
}

/// Looks at everything that can be looked at without the network.
pub(crate) fn doctor(context: &Context) -> Result<(), Failure> {
    let setup = context.setup()?;
    let mut findings = vec![
        Finding {
            what: "config".into(),
            good: true,
            detail: if setup.config_path.exists() {
                setup.config_path.display().to_string()
            } else {
                format!(
                    "none at {}; everything but sync works without",
                    setup.config_path.display()
                )
            },
        },
        Finding {
            what: "policy".into(),
            good: true,
            detail: format!(
                "{}, {} decision points, {} hint rules",
                setup.policy.name,
                setup.policy.items.len(),
                setup.policy.hints.len()
            ),
        },
        policy_text(&setup),
        Finding {
            what: "keymap".into(),
            good: true,
            detail: setup.config.ui.keymap.as_str().into(),
        },
    ];
    let today = jiff::tz::TimeZone::UTC.to_datetime(context.clock.now()).date();
    findings.extend(product(&setup, today));
    findings.extend(account(&setup));
    findings.push(store(context, &setup));
    findings.extend(silences(&setup.policy));
    if context.json() {
        print_json(&findings);
    } else {
        for finding in &findings {
            let mark = match finding.good {
                true if finding.what == SILENT => "note ",
                true => "ok   ",
                false => "FAULT",
            };
            print(&format!("{mark} {:<13} {}\n", finding.what, shown(&finding.detail)));
        }
    }
    if findings.iter().all(|finding| finding.good) {
        return Ok(());
    }
    Err(Failure::faults("something needs your hand", "each line marked FAULT says what"))
}

/// Name of the lines that say what the policy leaves open.
const SILENT: &str = "policy silent";

/// What the policy does not say, with what is done instead: nobody should take a default for a rule.
fn silences(policy: &Policy) -> Vec<Finding> {
    let update = format!(
        "how often a reporter hears from us: an update is due every {} days (update_days in the policy file)",
        policy.periods.update_days
    );
    let silence = format!(
        "how long a question may wait: after {} days a reminder is proposed, after {} days closing; neither is done by itself (nudge_days, close_days)",
        policy.periods.nudge_days, policy.periods.close_days
    );
    let said = [
        update.as_str(),
        silence.as_str(),
        "two reporters of one flaw: both are thanked, the first finder keeps the credit",
        "a flaw that is exploited already: the embargo runs on until you record that it is public",
        "encrypted mail: it is listed and not decrypted; answer and ask for plain text or a GitHub advisory",
        "a vector above its cap: it is capped and explained, not refused as incorrect use",
    ];
    said.iter()
        .map(|detail| Finding { what: SILENT.into(), good: true, detail: (*detail).to_owned() })
        .collect()
}

fn policy_text(setup: &setup::Setup) -> Finding {
    let what = "policy text".to_owned();
    let Some(text) = &setup.policy_text else {
        let detail =
            "none named: replies cite clauses by heading; set policy.text to quote them".into();
        return Finding { what, good: true, detail };
    };
    let items = setup.policy.items.iter().filter(|item| !item.sentences.is_empty());
    let missing: Vec<&str> = items
        .filter(|item| text.sentence_of(item).is_none())
        .map(|item| item.id.as_str())
        .collect();
    if missing.is_empty() {
        return Finding { what, good: true, detail: "every clause found, word for word".into() };
    }
    let detail = format!(
        "no sentence for {}: the text has changed since the checklist was made",
        missing.join(", ")
    );
    Finding { what, good: false, detail }
}

/// Whether claims can be looked up: the checkout, and the release that the policy calls the stable one in it.
fn product(setup: &setup::Setup, today: jiff::civil::Date) -> Option<Finding> {
    let path = setup.config.product.checkout.as_ref()?;
    let at = path.display();
    let (good, detail) = match policy_check::checkout(path) {
        Err(error) => (false, format!("{at}: {error}; {}", error.advice())),
        Ok(found) => {
            let newest = version::latest_stable(&setup.policy, today);
            let version = newest.map_or("", |release| release.version.as_str());
            let number =
                |tag: &String| tag.trim_start_matches(|c: char| !c.is_ascii_digit()) == version;
            let known =
                format!("{at}: {} tags, {} branches", found.tags.len(), found.branches.len());
            if version.is_empty() || found.tags.iter().any(number) {
                (true, known)
            } else {
                (false, format!("{known}, but no tag {version}; fetch the tags"))
            }
        }
    };
    Some(Finding { what: "checkout".into(), good, detail })
}

fn account(setup: &setup::Setup) -> Vec<Finding> {
    let Some(account) = &setup.config.account else { return Vec::new() };
    let mut findings = vec![Finding {
        what: "account".into(),
        good: true,
        detail: format!("{} at {} port {}", account.user, account.host, account.port),
    }];
    let (found, detail) = match &account.secret {
        config::Secret::Ask => return findings,
        config::Secret::Command(argv) => (secret::from_command(argv), "the command prints one"),
        config::Secret::Keyring => {
            (secret::from_keyring(&account.user, &account.host), "the keyring holds one")
        }
    };
    let (good, detail) = match found {
        Ok(_) => (true, detail.to_owned()),
        Err(error) => (false, error.to_string()),
    };
    findings.push(Finding { what: "password".into(), good, detail });
    findings
}

fn store(context: &Context, setup: &setup::Setup) -> Finding {
    let what = "store".to_owned();
    if !setup.store_dir.exists() {
        let detail = format!("none yet at {}", setup.store_dir.display());
        return Finding { what, good: true, detail };
    }
    match context.open(setup) {
        Ok(desk) => {
            let (good, detail) = match desk.store.counts() {
                Ok(counts) => {
                    let folder = setup.store_dir.display();
                    (true, format!("{} mails, {} cases in {folder}", counts.mails, counts.cases))
                }
                Err(error) => (false, error.to_string()),
            };
            Finding { what, good, detail }
        }
        Err(failure) => {
            let Problem { what: why, next } = failure.problem;
            Finding { what, good: false, detail: format!("{why}; {next}") }
        }
    }
}

/// A completion script.
pub(crate) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "casebook", &mut script);
    print(&String::from_utf8_lossy(&script));
}

/// The manual page.
pub(crate) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| {
        Failure::usage(Problem {
            what: format!("could not make the page: {error}"),
            next: "please report this".into(),
        })
    })?;
    print(&String::from_utf8_lossy(&page));
    Ok(())
}
