//! The claims table on the screen: pictures at three sizes, and what its keys do.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly"
)]

mod support;

use std::sync::LazyLock;

use casebook::app::layer::Layer;
use casebook::app::{Effect, Screen};
use casebook::keymap::Shipped;
use support::product::Product;
use support::stage::{Mails, Stage};

static PRODUCT: LazyLock<(tempfile::TempDir, Product)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let product = Product::new(folder.path());
    (folder, product)
});

const MAIL: &str = "Received: from mx.finder.example by mail.e.example; Fri, 30 Oct 2026 10:00:05 +0000\r\n\
    From: Robin Finder <robin@finder.example>\r\nTo: security@octoprint.org\r\n\
    Subject: Lamps of others can be switched\r\nMessage-ID: <lamps@finder.example>\r\n\
    Date: Fri, 30 Oct 2026 10:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
    Hello,\r\n\r\non OctoPrint 1.1.0 `switch_lamp()` in src/lantern/web/api.py, line 15, asks for LAMP_SWITCH\r\n\
    permission only, and `lantern.web.sandbox.check_owner()` is never called. POST /api/lamps/local/x.bin\r\n\
    goes through, as old_login_check does not look at the owner. `flask.abort()` is not reached.\r\n\
    The setting server.reverseProxy.trustedProxies changes nothing. Files: users.yaml.\r\n\r\nRobin\r\n";

fn stage(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::of_product(columns, rows, &PRODUCT.1.path);
    stage.import(MAIL);
    stage.open("Lamps of others");
    stage
}

fn picture(name: &str, keys: &str) {
    for (columns, rows) in [(80, 24), (120, 40), (200, 50)] {
        let mut stage = stage(columns, rows);
        stage.keys(keys);
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), stage.screen());
    }
}

#[test]
fn the_table() {
    picture("claims", "c");
}

#[test]
fn the_head_of_the_case_tells_the_sum() {
    picture("claims_head", "");
}

#[test]
fn a_claim_leads_to_its_line_and_back() {
    for keymap in [Shipped::Default, Shipped::Emacs, Shipped::Mutt] {
        assert_eq!(
            casebook::keymap::Keymap::shipped(keymap)
                .keys_of(casebook::command::Context::Case, casebook::command::Command::Claims),
            ["c"]
        );
    }
    let mut stage = stage(80, 24);
    stage.keys("c j j");
    let Some(Layer::Claims(table)) = &stage.model.layer else { panic!("the table") };
    let (claim, evidence) = (table.cursor, table.current().expect("a claim").evidence.clone());
    assert_eq!(claim, 2);
    stage.keys("Enter");
    assert!(stage.model.layer.is_none());
    let case = stage.model.case.as_ref().expect("the case");
    assert_eq!(case.doc[case.cursor].line, evidence.line);
    assert!(case.lit.is_some());
    stage.keys("c");
    let Some(Layer::Claims(table)) = &stage.model.layer else { panic!("the table again") };
    assert_eq!(table.cursor, claim, "it is where it was left");
    stage.keys("q q");
    assert_eq!(stage.model.screen, Screen::Queue);
    assert!(stage.asked.contains(&Effect::StopClaims), "{:?}", stage.asked);
}

#[test]
fn without_a_checkout_the_table_says_how_to_set_one() {
    let mut stage = Stage::with(80, 24, Shipped::Default, Mails::None);
    stage.import(MAIL);
    stage.open("Lamps of others");
    assert!(!stage.screen().contains("claims"), "{}", stage.screen());
    stage.keys("c");
    let screen = stage.screen();
    assert!(screen.contains("no checkout is set; name one in the config: [product]"), "{screen}");
    assert!(screen.contains("not known  function   switch_lamp"), "{screen}");
}
