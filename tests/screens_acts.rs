//! What keys do: the model and the effects after them, for each family of commands, under every keymap.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod support;

use casebook::app::layer::Layer;
use casebook::app::{Effect, Screen, Tone};
use casebook::domain::Disposition;
use casebook::domain::journal::Act;
use casebook::keymap::Shipped;
use support::stage::{Mails, Stage};

fn recorded(stage: &Stage) -> Vec<Act> {
    let acts = stage.asked.iter().filter_map(|effect| match effect {
        Effect::Record { acts, .. } => Some(acts.clone()),
        _ => None,
    });
    acts.flatten().collect()
}

fn case(stage: &Stage) -> &casebook::app::case::CaseScreen {
    stage.model.case.as_ref().expect("an open case")
}

/// J3: take what is suggested, read the reply that declines, put it into the outbox.
#[test]
fn a_decline_is_four_keys_in_every_keymap() {
    for keymap in [Shipped::Default, Shipped::Emacs, Shipped::Mutt] {
        let mut stage = Stage::with(80, 24, keymap, Mails::Samples);
        stage.open("Path of ffmpeg").keys("a");
        assert!(stage.said().contains("suggested answers taken; d drafts"), "{}", stage.said());
        stage.keys("d");
        assert!(matches!(stage.model.layer, Some(Layer::Reply(_))), "{keymap:?}");
        stage.keys("g s");
        assert!(stage.said().contains("in the outbox, not sent"), "{keymap:?}: {}", stage.said());
        let decided = case(&stage).view.case.decision.as_ref().expect("decided");
        assert_eq!(decided.disposition, Disposition::Reject);
        let reply = case(&stage).view.case.reply.as_ref().expect("a draft");
        assert!(reply.template == "reject" && reply.to == ["aino.lehtonen@boreal-audit.example"]);
    }
}

#[test]
fn an_answer_needs_a_line_or_a_reason() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("Tab j j x");
    assert!(recorded(&stage).is_empty() && stage.model.prompt.is_some());
    stage.text("said so").keys("Enter");
    let answered = |act: &Act| match act {
        Act::Answered { clause, reason, .. } => (clause.to_string(), reason.clone()),
        other => panic!("not an answer: {other:?}"),
    };
    let acts = recorded(&stage);
    assert_eq!(
        acts.iter().map(answered).collect::<Vec<_>>(),
        [("CH3".into(), Some("said so".into()))]
    );
    stage.keys("u");
    assert!(case(&stage).view.case.answers.is_empty() && stage.said().starts_with("taken back"));
}

#[test]
fn a_marked_line_becomes_the_evidence() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("j j Space");
    assert!(stage.said().starts_with("marked: y n x answers"), "{}", stage.said());
    stage.keys("y");
    let evidence = case(&stage).view.case.answers.values().find_map(|a| a.evidence.clone());
    assert_eq!(evidence.expect("evidence").text, "Dear maintainers,");
    assert!(case(&stage).marked.is_none());
}

#[test]
fn evidence_is_reached_and_left_by_one_key() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("Tab j e");
    let (line, lit) = (case(&stage).cursor, case(&stage).lit.clone());
    assert!(case(&stage).doc[line].line > 0 && lit.is_some());
    stage.keys("e");
    assert_eq!(case(&stage).pane, casebook::app::case::Pane::Checklist);
}

#[test]
fn headers_and_raw_keep_the_cursor_on_its_row() {
    let mut stage = Stage::new(80, 24);
    stage.open("Guest can read");
    for keys in ["h", "h", "R", "R"] {
        let before = case(&stage).cursor - case(&stage).top;
        stage.keys(keys);
        let screen = case(&stage);
        assert_eq!(screen.cursor - screen.top, before, "{keys}");
    }
}

#[test]
fn a_refused_vector_stays_to_be_mended() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys(":").text("score CVSS:3.1/AV:A").keys("Enter");
    assert!(recorded(&stage).is_empty());
    let prompt = stage.model.prompt.as_ref().expect("asked again");
    assert_eq!(prompt.line.text(), "score CVSS:3.1/AV:A");
    assert_eq!(stage.model.toast.as_ref().map(|toast| toast.tone), Some(Tone::Error));
    assert!(stage.screen().contains("not a CVSS vector"));
}

#[test]
fn a_decision_without_a_clause_asks_why() {
    let mut stage = Stage::new(80, 24);
    stage.open("Application Keys").keys(":").text("decide reject").keys("Enter");
    assert!(recorded(&stage).is_empty() && stage.model.prompt.is_some());
    stage.keys("Enter");
    assert!(stage.model.prompt.is_some(), "an empty reason is none");
    stage.text("not ours").keys("Enter");
    let decided = case(&stage).view.case.decision.as_ref().expect("decided");
    assert_eq!(
        (decided.disposition, decided.reason.as_deref()),
        (Disposition::Reject, Some("not ours"))
    );
}

#[test]
fn the_next_case_is_found_after_one_has_left_the_list() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("a");
    let number = case(&stage).view.row.number;
    let below = stage.model.queue.neighbour(number, 1).expect("one more").id.clone();
    stage.keys("D Enter J");
    assert_eq!(case(&stage).view.row.id, below);
}

#[test]
fn undo_in_the_list_means_the_case_that_has_just_left_it() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("a D Enter");
    let id = case(&stage).view.row.id.clone();
    stage.keys("q u");
    assert!(stage.asked.contains(&Effect::Undo { case: id.clone() }), "{:?}", stage.asked);
    assert!(stage.said().starts_with(id.as_str()), "{}", stage.said());
}

#[test]
fn an_unsaved_draft_is_left_by_the_second_key_only() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("a d Enter").text("x").keys("Esc");
    assert_eq!(stage.model.screen, Screen::Editor);
    assert!(stage.said().contains("C-s saves"), "{}", stage.said());
    stage.keys("Esc");
    assert_eq!(stage.model.screen, Screen::Case);
    assert!(recorded(&stage).is_empty());
}

#[test]
fn a_reply_is_written_once_it_is_saved() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("W");
    assert!(stage.said().contains("no reply draft; r begins one"), "{}", stage.said());
    stage.keys("a d Enter C-s C-o Enter");
    let name = format!("reply-{}.eml", case(&stage).view.row.id);
    assert!(stage.folder().join(name).exists());
}

#[test]
fn an_empty_note_is_not_kept() {
    let mut stage = Stage::new(80, 24);
    stage.open("Path of ffmpeg").keys("N Enter");
    assert!(recorded(&stage).is_empty());
    stage.keys("N").text("ask Ana").keys("Enter");
    assert_eq!(recorded(&stage), [Act::Noted { text: "ask Ana".into() }]);
}

#[test]
fn the_choice_of_a_state_begins_at_the_present_one() {
    let mut stage = Stage::new(80, 24);
    stage.open("Guest can read").keys("s Enter");
    let state = casebook::domain::CaseState::Acknowledged;
    assert_eq!(recorded(&stage), [Act::StateSet { state }]);
}

#[test]
fn a_filter_that_fits_nothing_says_how_to_drop_it() {
    let mut stage = Stage::new(80, 24);
    stage.keys("f").text("zzzz").keys("Enter");
    assert!(stage.screen().contains("Esc drops the filter"));
    stage.keys("Esc");
    assert_eq!(stage.model.queue.counts().0, 24);
}

#[test]
fn keys_without_a_meaning_say_so() {
    let mut stage = Stage::new(80, 24);
    stage.keys("Q");
    assert!(stage.said().contains("does nothing here; ? shows what does"), "{}", stage.said());
    stage.keys(":").text("lost").keys("Enter");
    assert!(stage.said().contains("no command"), "{}", stage.said());
}

/// SEC-38: an answer address that is not the sender's is named before anything leaves.
#[test]
fn an_odd_recipient_is_named_above_the_reply() {
    let mut stage = Stage::with(80, 24, Shipped::Default, Mails::None);
    stage.import(concat!(
        "From: Ana <ana@example.org>\r\nReply-To: ana@elsewhere.example\r\n",
        "To: security@octoprint.org\r\nSubject: A flaw\r\nMessage-ID: <1@example.org>\r\n",
        "Date: Sun, 1 Nov 2026 10:00:00 +0000\r\n\r\nOctoPrint 1.11.8 shows a log.\r\n",
    ));
    stage.open("A flaw").keys(":").text("reply acknowledge").keys("Enter");
    let screen = stage.screen();
    assert!(
        screen.contains("! ana@elsewhere.example is not the sender, ana@example.org"),
        "{screen}"
    );
    assert!(screen.contains("! ana@elsewhere.example is new to this case"), "{screen}");
    stage.keys("C-s C-o");
    assert!(
        stage.screen().contains("look at the recipient: ana@elsewhere.example"),
        "{}",
        stage.screen()
    );
}

/// A mail that came in while the list was open is marked until it is opened.
#[test]
fn new_mail_is_marked_until_it_is_looked_at() {
    let mut stage = Stage::new(80, 24);
    assert!(!stage.screen().contains("\n+"));
    stage.import(concat!(
        "From: Ana <ana@example.org>\r\nTo: security@octoprint.org\r\nSubject: Brand new\r\n",
        "Message-ID: <2@example.org>\r\nDate: Sun, 1 Nov 2026 11:59:00 +0000\r\n\r\nHello.\r\n",
    ));
    assert!(
        stage.screen().contains("\n+") && stage.screen().contains("+1 new"),
        "{}",
        stage.screen()
    );
    stage.open("Brand new").keys("q");
    assert!(!stage.screen().contains("\n+"), "{}", stage.screen());
}

/// What leaves the store by hand says that the case is under embargo, and until when.
#[test]
fn a_copy_says_the_embargo() {
    let mut stage = Stage::new(80, 24);
    stage.open("Guest can read").keys("j j Y");
    let copied = |stage: &Stage| {
        let found = stage.asked.iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.clone()),
            _ => None,
        });
        found.expect("a copy")
    };
    let line = case(&stage).doc[case(&stage).cursor].text.as_str().to_owned();
    assert_eq!(copied(&stage), line);
    assert!(stage.said().contains("under embargo until 20"), "{}", stage.said());
    // Marked lines go together.
    stage.keys("Space j j Space Y");
    assert_eq!(copied(&stage).lines().count(), 3);
    // In the advisory, the preview.
    stage.keys("g a Y");
    assert!(copied(&stage).lines().count() > 10 && stage.said().contains("under embargo"));
}

#[test]
fn a_copy_shows_what_a_mail_hides() {
    let mut stage = Stage::with(80, 24, Shipped::Default, Mails::None);
    stage.import(
        "From: a@example.org\nTo: security@octoprint.org\nSubject: x\n\nls \x1b[31m; \u{202e}rm\n",
    );
    stage.open("x");
    while !case(&stage).doc[case(&stage).cursor].text.as_str().starts_with("ls") {
        stage.keys("j");
    }
    stage.keys("Y");
    let text = format!("{:?}", stage.asked);
    assert!(!text.contains("\\u{1b}") && !text.contains("\\u{202e}"), "{text}");
}

#[test]
fn an_attachment_is_saved_once_and_for_its_owner_only() {
    let mut stage = Stage::new(80, 24);
    stage.open("Application Keys dialog").keys("g f");
    let name = stage.model.prompt.as_ref().expect("asked where to").line.text().to_owned();
    assert!(!name.is_empty() && !name.contains('/'));
    stage.keys("Enter");
    assert!(stage.said().contains("under embargo until"), "{}", stage.said());
    let path = stage.folder().join(&name);
    let bytes = std::fs::read(&path).expect("saved");
    assert_eq!(bytes.len() as u64, case(&stage).view.messages[0].attachments[0].size);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    stage.keys("g f Enter");
    assert_eq!(stage.model.toast.as_ref().map(|toast| toast.tone), Some(Tone::Error));
    assert_eq!(std::fs::read(&path).expect("still there"), bytes);
    stage.open("Guest can read").keys("g f");
    assert!(stage.said().contains("no attachment"), "{}", stage.said());
}

/// The reply is read, edited, saved, put into the outbox, changed again: the clock follows.
#[test]
fn a_reply_goes_into_the_outbox_and_out_of_it() {
    use casebook::domain::deadline::DeadlineStatus;
    let mut stage = Stage::new(80, 24);
    let clock = |stage: &Stage| {
        let row = &case(stage).view.row;
        row.deadlines(&stage.model.policy.periods, stage.model.now)[0].status
    };
    stage.open("Hard-coded API key");
    let before = clock(&stage);
    stage.keys("d Enter");
    assert_eq!(stage.model.screen, Screen::Editor);
    stage.text("Dear ").keys("C-q");
    assert_eq!((stage.model.screen, clock(&stage)), (Screen::Case, DeadlineStatus::Paused));
    let reply = case(&stage).view.case.reply.as_ref().expect("a draft");
    assert!(reply.text.starts_with("Dear Hello"), "{}", reply.text);
    // One key did it, one key takes all of it back: decision, draft and outbox.
    stage.keys("u");
    assert_eq!(clock(&stage), before);
    assert!(case(&stage).view.case.decision.is_none() && case(&stage).view.case.reply.is_none());
}

/// What the check remarks is said once, and the second wish holds.
#[test]
fn a_gap_in_a_reply_is_said_before_it_is_queued() {
    let mut stage = Stage::new(80, 24);
    stage.open("Hard-coded API key").keys("d Enter").text("{name} ").keys("C-q");
    assert!(recorded(&stage).is_empty(), "{:?}", recorded(&stage));
    assert!(stage.said().starts_with("not queued: line 1 still holds"), "{}", stage.said());
    stage.keys("C-q");
    assert!(recorded(&stage).contains(&Act::ReplyQueued {}));
}

#[test]
fn many_cases_are_decided_and_taken_back_by_one_key_each() {
    let mut stage = Stage::new(80, 24);
    let open = stage.model.queue.counts().0;
    stage.keys("z");
    assert!(stage.asked.is_empty() && stage.said().starts_with("no case is marked"));
    // The second case keeps its place: its mark was taken back.
    stage.keys("Space Space Up Space Home z");
    let acts = recorded(&stage);
    assert_eq!(acts.len(), 1, "{acts:?}");
    assert!(stage.said().starts_with("decided: 1 "), "{}", stage.said());
    assert_eq!(stage.model.queue.counts().0, open - 1);
    stage.keys("u");
    assert_eq!(stage.model.queue.counts().0, open);
    // All alike: a decline without a clause wants a reason, so that only the one that has a clause is decided.
    stage.keys("Home Space Space").keys(":").text("decide reject-ban").keys("Enter");
    assert!(stage.said().contains("2 want a reason"), "{}", stage.said());
}

#[test]
fn a_session_goes_on_by_itself_and_back_with_undo() {
    let mut stage = Stage::new(80, 24);
    stage.keys("T");
    let first = case(&stage).view.row.id.clone();
    assert!(stage.screen().contains("triage 1/"), "{}", stage.screen());
    stage.keys("A");
    let second = case(&stage).view.row.id.clone();
    assert!(first != second && stage.said().starts_with("decided: accept"), "{}", stage.said());
    // What was just done is taken back, and shown.
    stage.keys("u");
    assert_eq!(case(&stage).view.row.id, first);
    assert!(case(&stage).view.case.decision.is_none() && stage.said().starts_with("taken back"));
    // A decision that owes a reply stays.
    stage.keys(":").text("decide reject NQ1").keys("Enter");
    assert_eq!(case(&stage).view.row.id, first);
    stage.keys("d s");
    assert_eq!(case(&stage).view.row.id, second);
    stage.keys("K");
    assert_eq!(case(&stage).view.row.id, first);
    stage.keys("Esc");
    assert!(stage.screen().contains("1 answered") && stage.screen().contains("1 reply waits"));
    stage.keys("Esc").keys("g o");
    assert_eq!(stage.model.queue.counts().0, 1);
    assert_eq!(stage.model.queue.current().map(|row| row.id.clone()), Some(first));
}

/// Past the last case the session is over.
#[test]
fn a_session_ends_with_what_came_of_it() {
    let mut stage = Stage::new(80, 24);
    let open = stage.model.queue.counts().0;
    stage.keys("T");
    for _ in 0..open {
        stage.keys("J");
    }
    assert_eq!(stage.model.screen, Screen::Queue);
    let words = format!("{open} of {open} cases seen, {} keys", open + 1);
    assert!(stage.screen().contains(&words), "{}", stage.screen());
}
