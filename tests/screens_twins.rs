//! Duplicates on the screen: the banner, the comparison, merge, twin, split and undo by keys.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use casebook::app::Screen;
use casebook::app::layer::Layer;
use casebook::command::{Command, Context};
use casebook::keymap::Shipped;
use support::stage::{Mails, Stage};

fn mail(day: u8, id: &str, from: &str, subject: &str, more: &str, text: &str) -> String {
    format!(
        "Received: from mx.test.example (mx [192.0.2.1])\r\n\tby mail.octoprint.example with ESMTPS; \
         {day:02} Oct 2026 08:00:00 +0000\r\nFrom: {from}\r\nTo: security@octoprint.org\r\n\
         Subject: {subject}\r\nMessage-ID: <{id}@test.example>\r\n{more}\r\n{}\r\n",
        text.replace('\n', "\r\n")
    )
}

/// Two reports of one flaw, and an answer in the thread of the first.
fn stage(columns: u16, rows: u16, keymap: Shipped) -> Stage {
    let mut stage = Stage::with(columns, rows, keymap, Mails::None);
    let first = "On 1.11.8 GET /plugin/spoolmate/label?text=<img src=x onerror=alert(1)> comes back unescaped\n\
                 in the label preview of the spool dialog.\n";
    let second = "The spool dialog has a label preview. /plugin/spoolmate/label?text=<svg onload=alert(2)>\n\
                  is put into the page unescaped.\n";
    let more = "In-Reply-To: <one@test.example>\r\n";
    stage.import(&mail(3, "one", "Ada <ada@one.example>", "XSS in spool labels", "", first));
    stage.import(&mail(
        4,
        "more",
        "Ada <ada@one.example>",
        "Re: XSS in spool labels",
        more,
        "The log too.\n",
    ));
    stage.import(&mail(5, "two", "Bo <bo@two.example>", "html injection in a dialog", "", second));
    stage
}

fn open_case(stage: &Stage) -> &casebook::app::case::CaseScreen {
    stage.model.case.as_ref().expect("an open case")
}

#[test]
fn the_banner_names_the_twin_and_its_keys() {
    for (columns, rows) in [(80, 24), (200, 50)] {
        let mut stage = stage(columns, rows, Shipped::Default);
        stage.open("html injection");
        insta::assert_snapshot!(format!("banner_{columns}x{rows}"), stage.screen());
        stage.keys("m");
        insta::assert_snapshot!(format!("comparison_{columns}x{rows}"), stage.screen());
    }
}

/// The key of undo on the case screen.
fn undo(stage: &Stage) -> String {
    let keys = stage.model.keymap.keys_of(Context::Case, Command::Undo);
    keys.into_iter().next().expect("a key")
}

/// J6: compare, merge, queue the answer; and back.
#[test]
fn four_keys_merge_and_answer_in_every_keymap() {
    for keymap in [Shipped::Default, Shipped::Emacs, Shipped::Mutt] {
        let mut stage = stage(120, 40, keymap);
        stage.open("html injection");
        let own = open_case(&stage).view.row.id.to_string();
        let other = open_case(&stage).view.twins.first().expect("a twin").name().to_owned();
        stage.keys("m");
        assert!(matches!(stage.model.layer, Some(Layer::Text(_))), "{keymap:?}");
        stage.keys("Enter");
        assert!(
            stage.said().contains(&format!("{own} is merged into {other}")),
            "{}",
            stage.said()
        );
        assert!(matches!(stage.model.layer, Some(Layer::Reply(_))), "{keymap:?}");
        stage.keys("g s");
        let view = &open_case(&stage).view;
        assert_eq!((view.row.id.as_str(), view.messages.len()), (other.as_str(), 3));
        assert_eq!(view.row.reporter.address, "ada@one.example", "credit stays with the first");
        assert_eq!(
            view.case.reply.as_ref().map(|reply| reply.to.clone()),
            Some(vec!["bo@two.example".into()])
        );
        assert!(view.case.decision.is_none(), "the case that stays is no duplicate");
        assert!(view.twins.is_empty() && stage.model.queue.counts().0 == 1);
        let undo = undo(&stage);
        stage.keys(&undo).keys(&undo);
        assert_eq!(open_case(&stage).view.messages.len(), 2, "{keymap:?}: {}", stage.said());
        assert_eq!(stage.model.queue.counts().0, 2);
        let twin = open_case(&stage).view.twins.first().map(|twin| twin.name().to_owned());
        assert_eq!(twin, Some(own));
    }
}

#[test]
fn the_other_case_is_one_key_away_and_one_key_back() {
    let mut stage = stage(120, 40, Shipped::Default);
    stage.open("html injection");
    let own = open_case(&stage).view.row.id.clone();
    stage.keys("t");
    assert_eq!(open_case(&stage).view.row.subject, "XSS in spool labels");
    stage.keys("t");
    assert_eq!(open_case(&stage).view.row.id, own);
}

#[test]
fn a_comparison_is_left_without_a_trace() {
    let mut stage = stage(120, 40, Shipped::Default);
    stage.open("html injection").keys("m Esc");
    assert!(stage.model.layer.is_none() && stage.model.screen == Screen::Case);
    assert_eq!(stage.model.queue.counts().0, 2);
    assert_eq!(open_case(&stage).view.entries.len(), 0);
}

#[test]
fn a_mail_is_split_off_and_comes_back() {
    let mut stage = stage(120, 40, Shipped::Default);
    stage.open("XSS in spool labels").keys("] M");
    assert!(stage.said().contains("a case of its own"), "{}", stage.said());
    assert_eq!(open_case(&stage).view.messages.len(), 1);
    assert_eq!(stage.model.queue.counts().0, 3);
    stage.keys("u");
    assert_eq!(open_case(&stage).view.messages.len(), 2);
    assert_eq!(stage.model.queue.counts().0, 2);
    stage.keys("[ M");
    assert!(stage.said().contains("first mail"), "{}", stage.said());
}

#[test]
fn a_case_without_a_twin_asks_for_the_other_by_name() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("t");
    assert!(stage.said().contains("no other case is like this one"), "{}", stage.said());
    stage.keys("m");
    assert!(stage.model.prompt.is_some());
}
