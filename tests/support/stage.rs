//! The screens in this process: real keys through the real keymap, a real store, and no terminal, thread or wait.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use casebook::app::claims::Looked;
use casebook::app::{self, Effect, Input, Model, Outcome};
use casebook::keymap::{Key, KeyCode, Keymap, Shipped};
use casebook::runtime::claims::{self, Watcher};
use casebook::runtime::clock::Clock;
use casebook::runtime::desk::Desk;
use casebook::runtime::setup::{Options, Setup};
use casebook::runtime::{export, import, workers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::console::{NOW, write_samples};

/// A store that holds the sample mails, made once for each test program.
static SAMPLES: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let mails = folder.path().join("mails");
    write_samples(&mails);
    let (desk, _) = open(folder.path(), None);
    import::run(&desk, &[mails], &mut |_| ()).expect("imported");
    desk.judge_all(&mut |_, _, _| ()).expect("judged");
    folder
});

fn open(folder: &Path, checkout: Option<&Path>) -> (Desk, Setup) {
    let config = folder.join("config.toml");
    let product = checkout.map(|path| format!("[product]\ncheckout = {path:?}\n"));
    let mut text = String::from(
        "[me]\nname = \"Sample Maintainer\"\naddresses = [\"security@octoprint.org\"]\n\n[policy]\nname = \"octoprint\"\n",
    );
    text.push_str(&product.unwrap_or_default());
    std::fs::write(&config, text).expect("written");
    let setup = Setup::read(Options {
        config: Some(config),
        store: Some(folder.join("store")),
        clock: Clock::fixed(NOW.parse().expect("a time")),
        read_only: false,
    })
    .expect("a setup");
    let opening = setup.opening();
    (Desk::open(opening, &mut |_, _, _| ()).expect("a desk"), setup)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Whether the store begins with the sample mails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mails {
    Samples,
    None,
}

/// A model with its store.
pub struct Stage {
    pub model: Model,
    /// Everything the last keys asked for.
    pub asked: Vec<Effect>,
    desk: Desk,
    folder: tempfile::TempDir,
}

impl Stage {
    /// The sample inbox under the default keymap.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self::with(columns, rows, Shipped::Default, Mails::Samples)
    }

    pub fn with(columns: u16, rows: u16, keymap: Shipped, mails: Mails) -> Self {
        Self::beside(columns, rows, keymap, mails, None)
    }

    /// An empty inbox beside a checkout of the product.
    pub fn of_product(columns: u16, rows: u16, checkout: &Path) -> Self {
        Self::beside(columns, rows, Shipped::Default, Mails::None, Some(checkout))
    }

    fn beside(
        columns: u16,
        rows: u16,
        keymap: Shipped,
        mails: Mails,
        checkout: Option<&Path>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if mails == Mails::Samples {
            copy(&SAMPLES.path().join("store"), &folder.path().join("store"));
        }
        let (desk, setup) = open(folder.path(), checkout);
        let (model, first) = Model::start(app::Setup {
            policy: Arc::clone(&setup.policy),
            keymap: Arc::new(Keymap::shipped(keymap)),
            policy_text: None,
            me: desk.me.clone(),
            size: (columns, rows),
            now: desk.clock.now(),
            // Central Europe by its rule, so that no table of zones is needed.
            zone: jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule"),
            read_only: false,
            online: false,
            ask_password: None,
            pull: false,
            colour: false,
            export_folder: "advisories".into(),
        });
        let mut stage = Self { model, asked: Vec::new(), desk, folder };
        stage.carry_out(first);
        stage
    }

    /// Takes a mail in and shows it.
    pub fn import(&mut self, mail: &str) {
        let path = self.folder.path().join("mail.eml");
        std::fs::write(&path, mail).expect("written");
        import::run(&self.desk, &[path], &mut |_| ()).expect("imported");
        self.desk.judge_all(&mut |_, _, _| ()).expect("judged");
        self.carry_out(vec![Effect::LoadQueue]);
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Presses keys, written as in a keymap.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.asked.clear();
        for key in keys.split_whitespace() {
            self.input(Input::Key(Key::parse(key).expect("a key")));
        }
        self
    }

    /// Types letters.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.input(Input::Key(Key { code: KeyCode::Char(c), ctrl: false, alt: false }));
        }
        self
    }

    /// Opens the case whose subject holds these words.
    pub fn open(&mut self, words: &str) -> &mut Self {
        let records = self.desk.all_cases();
        let cases = records.map(|record| record.expect("a case"));
        let case = cases.into_iter().find(|case| case.subject.contains(words));
        let id = case.unwrap_or_else(|| panic!("no case about {words}")).id;
        while self.model.screen != app::Screen::Queue {
            self.keys("Esc");
        }
        for _ in 0..self.model.queue.counts().0 {
            if self.model.queue.current().is_some_and(|row| row.id == id) {
                break;
            }
            self.keys("Down");
        }
        self.keys("Enter")
    }

    pub fn input(&mut self, input: Input) {
        let effects = app::update(&mut self.model, input, self.desk.clock.now());
        self.asked.extend(effects.iter().cloned());
        self.carry_out(effects);
    }

    /// Does what an update asked for, and tells the model.
    pub fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Some(outcome) = self.serve(effect) {
                self.input(Input::Outcome(outcome));
            }
        }
    }

    fn serve(&self, effect: Effect) -> Option<Outcome> {
        let desk = &self.desk;
        Some(match effect {
            Effect::LoadQueue => {
                let records = desk.all_cases().map(|record| record.expect("a case"));
                let rows = records.map(|record| desk.row(record).expect("a row")).collect();
                Outcome::Rows { rows, gone: Vec::new(), done: true }
            }
            Effect::OpenCase { request, case } => {
                let found = desk.find(case.as_str()).and_then(|record| desk.view(record));
                Outcome::Opened { request, case: Box::new(found.expect("a case")) }
            }
            Effect::Record { case, acts, said } => {
                match desk.record(&case, acts).and_then(|record| desk.view(record)) {
                    Ok(case) => Outcome::Saved { said, case: Box::new(case) },
                    Err(error) => Outcome::Failed(error.problem()),
                }
            }
            Effect::Undo { case } => match desk.undo(&case) {
                Ok((undone, what)) => {
                    let said = format!("taken back: {what}");
                    workers::regrouped(desk, undone, said, false).expect("a case")
                }
                Err(error) => Outcome::Failed(error.problem()),
            },
            Effect::Merge { case, into } => {
                let id = |name: &str| desk.find(name).map(|record| record.id);
                let merged = id(&case).and_then(|case| desk.merge(&case, &id(&into)?));
                let said = format!("{case} is merged into {into}");
                match merged.and_then(|merged| workers::regrouped(desk, merged, said, true)) {
                    Ok(outcome) => outcome,
                    Err(error) => Outcome::Failed(error.problem()),
                }
            }
            Effect::Split { case, message } => {
                let said = "the mail is a case of its own now".to_owned();
                let split = desk.split(&case, &[message]);
                match split.and_then(|split| workers::regrouped(desk, split, said, false)) {
                    Ok(outcome) => outcome,
                    Err(error) => Outcome::Failed(error.problem()),
                }
            }
            Effect::LoadRaw { case, message } => {
                let record = desk.find(case.as_str()).expect("a case");
                let mails = desk.mails_of(&record).expect("mails");
                let raw = desk.raw(&mails[message].message).expect("a mail");
                let lines = app::thread::raw_lines(&String::from_utf8_lossy(&raw));
                Outcome::Raw { message, lines }
            }
            Effect::WriteCalendar { path, calendar } => {
                let path = self.folder.path().join(path);
                match export::write_calendar(&path, &calendar) {
                    Ok(()) => Outcome::Written { said: "written".into() },
                    Err(problem) => Outcome::Failed(problem),
                }
            }
            Effect::CheckClaims { case } => {
                let view = desk.find(case.as_str()).and_then(|record| desk.view(record));
                let mut watcher = Watcher { progress: &mut |_, _, _| (), go_on: &|| true };
                let table = claims::check(desk, &view.expect("a case"), &mut watcher);
                let looked = Looked::Done(Box::new(table.expect("not stopped")));
                Outcome::Claims { case, looked }
            }
            Effect::WriteEml { case, path } => {
                let path = self.folder.path().join(path);
                match export::write_eml(desk, &case, &path) {
                    Ok(()) => Outcome::Written { said: "written".into() },
                    Err(problem) => Outcome::Failed(problem),
                }
            }
            Effect::SaveAttachment { case, message, attachment, path, notice } => {
                let path = self.folder.path().join(path);
                match export::write_attachment(desk, &case, (message, attachment), &path) {
                    Ok(()) => Outcome::Written { said: format!("saved{notice}") },
                    Err(problem) => Outcome::Failed(problem),
                }
            }
            _ => return None,
        })
    }

    /// What the screen shows, a line for each row.
    pub fn screen(&self) -> String {
        // The version of the policy changes with every rule and says nothing about the screen.
        let hash = &self.model.policy.hash;
        self.drawn().0.replace(&hash[..12], "0123456789ab").replace(&hash[..8], "01234567")
    }

    /// The screen, and where the cursor is, if it is shown.
    pub fn drawn(&self) -> (String, Option<(u16, u16)>) {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a screen");
        terminal.draw(|frame| casebook::tui::draw(frame, &self.model)).expect("drawn");
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..rows {
            let mut x = 0;
            let mut line = String::new();
            while x < columns {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                let width = unicode_width::UnicodeWidthStr::width(symbol).max(1);
                x += u16::try_from(width).expect("narrow");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let cursor = terminal.backend().cursor_visible().then(|| {
            let at = terminal.backend().cursor_position();
            (at.x, at.y)
        });
        (text, cursor)
    }

    /// The status line.
    pub fn said(&self) -> String {
        self.model.toast.as_ref().map(|toast| toast.text.as_str().to_owned()).unwrap_or_default()
    }
}
