use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time stamp")
}

fn periods() -> Periods {
    Periods {
        acknowledge_days: 7,
        acknowledge_warn_days: 2,
        update_days: 30,
        embargo_days: 90,
        embargo_warn_days: 7,
        nudge_days: 14,
        close_days: 30,
        pauses: Vec::new(),
    }
}

fn facts() -> ClockFacts {
    ClockFacts {
        received: at("2026-03-01T12:00:00Z"),
        first_answer: None,
        last_answer: None,
        queued: None,
        already_public: false,
        state: CaseState::New,
        disposition: None,
        pauses: Vec::new(),
        waiting_since: None,
    }
}

fn status(facts: &ClockFacts, now: &str, kind: DeadlineKind) -> DeadlineStatus {
    let all = deadlines(&periods(), facts, at(now));
    all.iter().find(|deadline| deadline.kind == kind).expect("every kind is there").status
}

#[test]
fn a_deadline_is_over_only_when_now_is_later() {
    use DeadlineStatus::{DueSoon, Overdue, Running};
    for (now, wanted) in [
        ("2026-03-06T11:59:59Z", Running),
        ("2026-03-06T12:00:00Z", DueSoon),
        ("2026-03-08T12:00:00Z", DueSoon),
        ("2026-03-08T12:00:01Z", Overdue),
    ] {
        assert_eq!(status(&facts(), now, DeadlineKind::Acknowledge), wanted, "{now}");
    }
    // 90 times 24 hours over the change to summer time.
    let all = deadlines(&periods(), &facts(), at("2026-03-02T00:00:00Z"));
    assert_eq!(all[2].due, Some(at("2026-05-30T12:00:00Z")));
}

#[test]
fn a_late_answer_meets_the_clock_and_is_remembered() {
    let mut facts = facts();
    facts.first_answer = Some(at("2026-03-10T13:00:00Z"));
    let all = deadlines(&periods(), &facts, at("2026-04-01T00:00:00Z"));
    assert_eq!((all[0].status, all[0].late), (DeadlineStatus::Met, true));
    assert_eq!(all[0].why.as_deref(), Some("answered 2d after the end"));
    facts.first_answer = Some(at("2026-03-08T12:00:00Z"));
    assert!(!deadlines(&periods(), &facts, at("2026-04-01T00:00:00Z"))[0].late);
}

#[test]
fn pauses_shift_the_acknowledge_clock_and_only_it() {
    let mut periods = periods();
    periods.pauses = vec![
        (at("2026-03-12T00:00:00Z"), at("2026-03-14T00:00:00Z")),
        (at("2026-03-03T12:00:00Z"), at("2026-03-13T12:00:00Z")),
    ];
    let all = deadlines(&periods, &facts(), at("2026-03-04T00:00:00Z"));
    // Two days before the pauses, which end together on the 14th, and five after.
    assert_eq!(all[0].due, Some(at("2026-03-19T00:00:00Z")));
    assert_eq!(all[0].status, DeadlineStatus::Paused);
    assert_eq!(all[2].due, Some(at("2026-05-30T12:00:00Z")));
    let during = ClockFacts { received: at("2026-03-05T00:00:00Z"), ..facts() };
    let all = deadlines(&periods, &during, at("2026-03-15T00:00:00Z"));
    assert_eq!(all[0].due, Some(at("2026-03-21T00:00:00Z")));
    assert_eq!(all[0].status, DeadlineStatus::Running);
}

#[test]
fn publication_does_not_apply_to_what_is_public_or_turned_away() {
    let now = "2026-04-01T00:00:00Z";
    let of = |change: fn(&mut ClockFacts)| {
        let mut facts = facts();
        change(&mut facts);
        status(&facts, now, DeadlineKind::Publish)
    };
    assert_eq!(of(|f| f.already_public = true), DeadlineStatus::None);
    assert_eq!(of(|f| f.disposition = Some(Disposition::Reject)), DeadlineStatus::None);
    assert_eq!(of(|f| f.state = CaseState::Closed), DeadlineStatus::None);
    assert_eq!(of(|f| f.state = CaseState::Published), DeadlineStatus::Met);
    assert_eq!(of(|f| f.disposition = Some(Disposition::Accept)), DeadlineStatus::Running);
    assert_eq!(of(|f| f.disposition = Some(Disposition::NeedsInfo)), DeadlineStatus::Running);
}

#[test]
fn updates_are_due_while_an_accepted_case_is_open() {
    let kind = DeadlineKind::Update;
    assert_eq!(status(&facts(), "2026-04-01T00:00:00Z", kind), DeadlineStatus::None);
    let mut open = ClockFacts { state: CaseState::Fixing, ..facts() };
    assert_eq!(status(&open, "2026-04-01T00:00:00Z", kind), DeadlineStatus::Overdue);
    open.last_answer = Some(at("2026-03-20T00:00:00Z"));
    assert_eq!(status(&open, "2026-04-01T00:00:00Z", kind), DeadlineStatus::Running);
}

#[test]
fn junk_need_not_be_answered() {
    let junk = ClockFacts { disposition: Some(Disposition::Spam), ..facts() };
    let kind = DeadlineKind::Acknowledge;
    assert_eq!(status(&junk, "2027-01-01T00:00:00Z", kind), DeadlineStatus::None);
}

#[test]
fn time_is_told_in_a_few_characters() {
    let due = at("2026-03-08T12:00:00Z");
    for (now, wanted) in [
        ("2026-03-05T11:00:00Z", "3d left"),
        ("2026-03-08T07:30:00Z", "4h left"),
        ("2026-03-08T11:59:30Z", "0m left"),
        ("2026-03-08T12:00:00Z", "now"),
        ("2026-03-10T13:00:00Z", "2d over"),
    ] {
        assert_eq!(time_left(due, at(now)), wanted);
    }
    assert_eq!(age(due, at("2026-03-01T00:00:00Z")), "0m");
}

#[test]
fn times_far_away_do_no_harm() {
    let far = ClockFacts { received: Timestamp::MAX, ..facts() };
    assert_eq!(deadlines(&periods(), &far, Timestamp::MIN)[0].due, Some(Timestamp::MAX));
}

fn pause(from: &str, until: Option<&str>) -> Pause {
    Pause { from: at(from), until: until.map(at) }
}

#[test]
fn a_pause_of_the_case_rests_our_clocks_and_not_the_embargo() {
    let kind = DeadlineKind::Acknowledge;
    let mut facts = facts();
    facts.pauses = vec![pause("2026-03-04T12:00:00Z", None)];
    let all = deadlines(&periods(), &facts, at("2026-03-20T12:00:00Z"));
    assert_eq!((all[0].status, all[0].due), (DeadlineStatus::Paused, None));
    assert_eq!(all[0].why.as_deref(), Some("rests since 2026-03-04 with 4d left"));
    assert_eq!(all[2].due, Some(at("2026-05-30T12:00:00Z")));
    // Once it has ended, four days are left from there.
    facts.pauses[0].end_at(at("2026-03-21T12:00:00Z"));
    let all = deadlines(&periods(), &facts, at("2026-03-22T00:00:00Z"));
    assert_eq!(
        (all[0].status, all[0].due),
        (DeadlineStatus::Running, Some(at("2026-03-25T12:00:00Z")))
    );
    // What was overdue already is not saved by a pause.
    facts.pauses = vec![pause("2026-03-10T00:00:00Z", None)];
    assert_eq!(status(&facts, "2026-03-11T00:00:00Z", kind), DeadlineStatus::Overdue);
    // An answer within the pause is in time.
    facts.pauses = vec![pause("2026-03-04T12:00:00Z", None)];
    facts.first_answer = Some(at("2026-03-20T00:00:00Z"));
    assert!(!deadlines(&periods(), &facts, at("2026-04-20T00:00:00Z"))[0].late);
}

#[test]
fn updates_rest_in_a_pause_of_the_case() {
    let mut open = ClockFacts { state: CaseState::Fixing, ..facts() };
    open.last_answer = Some(at("2026-03-02T00:00:00Z"));
    open.pauses = vec![pause("2026-03-03T00:00:00Z", Some("2026-03-13T00:00:00Z"))];
    let all = deadlines(&periods(), &open, at("2026-03-05T00:00:00Z"));
    assert_eq!(
        (all[1].status, all[1].due),
        (DeadlineStatus::Paused, Some(at("2026-04-11T00:00:00Z")))
    );
    assert_eq!(all[1].why.as_deref(), Some("rests until 2026-03-13"));
    let all = deadlines(&periods(), &open, at("2026-03-13T00:00:00Z"));
    assert_eq!(all[1].status, DeadlineStatus::Running, "a pause is over at its end");
}

#[test]
fn a_pause_that_ends_before_it_begins_counts_for_nothing() {
    let mut pause = pause("2026-03-04T00:00:00Z", None);
    pause.end_at(at("2026-03-01T00:00:00Z"));
    let facts = ClockFacts { pauses: vec![pause], ..facts() };
    let all = deadlines(&periods(), &facts, at("2026-03-05T00:00:00Z"));
    assert_eq!(
        (all[0].status, all[0].due),
        (DeadlineStatus::Running, Some(at("2026-03-08T12:00:00Z")))
    );
}

#[test]
fn silence_of_the_reporter_only_proposes() {
    use DeadlineStatus::{DueSoon, Met, Paused, Running};
    let mut facts = ClockFacts { disposition: Some(Disposition::NeedsInfo), ..facts() };
    facts.first_answer = Some(at("2026-03-02T00:00:00Z"));
    facts.last_answer = facts.first_answer;
    assert_eq!(proposals(&periods(), &facts, at("2027-01-01T00:00:00Z")), []);
    facts.waiting_since = facts.last_answer;
    let at_day = |facts: &ClockFacts, now: &str| {
        let all = proposals(&periods(), facts, at(now));
        (all[0].status, all[1].status)
    };
    assert_eq!(at_day(&facts, "2026-03-16T00:00:00Z"), (Running, Running));
    assert_eq!(at_day(&facts, "2026-03-16T00:00:01Z"), (DueSoon, Running));
    assert_eq!(at_day(&facts, "2026-04-01T00:00:01Z"), (DueSoon, DueSoon));
    assert_eq!(at_day(&facts, "2036-04-01T00:00:01Z"), (DueSoon, DueSoon), "never overdue");
    // A reminder was sent: what remains is closing, counted from the question.
    facts.last_answer = Some(at("2026-03-17T00:00:00Z"));
    assert_eq!(at_day(&facts, "2026-03-20T00:00:00Z"), (Met, Running));
    let all = deadlines(&periods(), &facts, at("2026-03-20T00:00:00Z"));
    assert_eq!((all[1].status, all[1].due), (Paused, None));
    assert_eq!(all[2].status, Running, "the embargo runs on");
}

#[test]
fn days_are_24_hours_in_every_zone_and_season() {
    // Both changes of the clocks in Europe and in America lie in between.
    for (received, due) in [
        ("2026-03-24T23:30:00-07:00", "2026-03-31T23:30:00-07:00"),
        ("2026-03-25T12:00:00+01:00", "2026-04-01T13:00:00+02:00"),
        ("2026-10-28T01:30:00-04:00", "2026-11-04T00:30:00-05:00"),
        ("2028-02-28T00:00:00Z", "2028-03-06T00:00:00Z"),
    ] {
        let facts = ClockFacts { received: at(received), ..facts() };
        let all = deadlines(&periods(), &facts, at(received));
        assert_eq!(all[0].due, Some(at(due)), "{received}");
    }
}
