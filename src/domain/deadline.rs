//! The clocks of a case: first answer, updates, publication.
//!
//! All days are 24 hours, whatever zone or season (a deadline is a point in time). Absent on purpose: the
//! clock itself (`now` is an argument) and the Date header (clocks start at the server's receive time).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::policy::Periods;
use super::{CaseState, Disposition};

/// Which clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadlineKind {
    /// First answer by a human of ours (PR1).
    Acknowledge,
    /// Next update while we work on an accepted case (PR2).
    Update,
    /// End of the embargo (DI2).
    Publish,
}

impl DeadlineKind {
    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Update => "update",
            Self::Publish => "publish",
        }
    }
}

/// Where a clock stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadlineStatus {
    /// What it asks for was done, in time or late.
    Met,
    /// Time is left.
    Running,
    /// Little time is left.
    DueSoon,
    /// Now is later than it.
    Overdue,
    /// It rests during an announced pause.
    Paused,
    /// It does not apply.
    None,
}

impl DeadlineStatus {
    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Running => "running",
            Self::DueSoon => "due-soon",
            Self::Overdue => "overdue",
            Self::Paused => "paused",
            Self::None => "none",
        }
    }
}

/// One clock of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// Which.
    pub kind: DeadlineKind,
    /// When it ends; `None` where it does not apply.
    pub due: Option<Timestamp>,
    /// Where it stands.
    pub status: DeadlineStatus,
    /// Whether it was met, but after its end.
    pub late: bool,
    /// Why it does not apply, or why it stands as it does where that is not plain.
    pub why: Option<String>,
}

/// What the clocks depend on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockFacts {
    /// When the server received the first message of the case.
    pub received: Timestamp,
    /// First message from a human of ours.
    pub first_answer: Option<Timestamp>,
    /// Newest message from a human of ours.
    pub last_answer: Option<Timestamp>,
    /// When an answer that has not left yet was put into the outbox.
    pub queued: Option<Timestamp>,
    /// Known to the public already, so that there is nothing to hold back (PD5).
    pub already_public: bool,
    /// Where the case stands.
    pub state: CaseState,
    /// The maintainer's decision, if there is one.
    pub disposition: Option<Disposition>,
}

/// All clocks of a case: acknowledge, update, publish, in this order.
pub fn deadlines(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Vec<Deadline> {
    vec![
        acknowledge(periods, facts, now),
        update(periods, facts, now),
        publish(periods, facts, now),
    ]
}

fn acknowledge(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Deadline {
    let kind = DeadlineKind::Acknowledge;
    if facts.disposition == Some(Disposition::Spam) {
        return not_applicable(kind, "junk is not answered");
    }
    let due = shifted(facts.received, days(periods.acknowledge_days), &periods.pauses);
    if let Some(answered) = facts.first_answer {
        let late = answered > due;
        let why =
            late.then(|| format!("answered {} after the end", span(answered.duration_since(due))));
        return Deadline { kind, due: Some(due), status: DeadlineStatus::Met, late, why };
    }
    if facts.queued.is_some() {
        let why = Some("an answer waits in the outbox".to_owned());
        return Deadline { kind, due: Some(due), status: DeadlineStatus::Paused, late: false, why };
    }
    let resting = periods.pauses.iter().find(|(from, until)| *from <= now && now < *until);
    if let Some((_, until)) = resting
        && now <= due
    {
        let why = Some(format!("rests until {}", until.strftime("%Y-%m-%d")));
        return Deadline { kind, due: Some(due), status: DeadlineStatus::Paused, late: false, why };
    }
    counting(kind, due, days(periods.acknowledge_warn_days), now)
}

fn update(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Deadline {
    let kind = DeadlineKind::Update;
    let working = matches!(facts.state, CaseState::Accepted | CaseState::Fixing | CaseState::Fixed);
    if !working {
        return not_applicable(kind, "updates are due while an accepted case is worked on");
    }
    let from = facts.last_answer.unwrap_or(facts.received);
    let due = later(from, days(periods.update_days));
    counting(kind, due, days(periods.update_days.div_ceil(6)), now)
}

fn publish(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Deadline {
    let kind = DeadlineKind::Publish;
    let due = later(facts.received, days(periods.embargo_days));
    if facts.state == CaseState::Published {
        let status = DeadlineStatus::Met;
        return Deadline { kind, due: Some(due), status, late: false, why: None };
    }
    if facts.already_public {
        return not_applicable(kind, "already public: there is no embargo left");
    }
    match facts.disposition {
        Some(Disposition::Coordination) => not_applicable(kind, "no report of its own"),
        Some(decided) if decided.closes() => {
            not_applicable(kind, &format!("decided as {decided}: nothing to publish"))
        }
        _ if facts.state == CaseState::Closed => not_applicable(kind, "closed: nothing to publish"),
        _ => counting(kind, due, days(periods.embargo_warn_days), now),
    }
}

/// A clock that counts down. It is over when now is later than its end, not at the end itself.
fn counting(kind: DeadlineKind, due: Timestamp, warn: SignedDuration, now: Timestamp) -> Deadline {
    let left = due.duration_since(now);
    let status = if left.is_negative() {
        DeadlineStatus::Overdue
    } else if left <= warn {
        DeadlineStatus::DueSoon
    } else {
        DeadlineStatus::Running
    };
    Deadline { kind, due: Some(due), status, late: false, why: None }
}

fn not_applicable(kind: DeadlineKind, why: &str) -> Deadline {
    let status = DeadlineStatus::None;
    Deadline { kind, due: None, status, late: false, why: Some(why.to_owned()) }
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

/// `at` and `by` later, or the end of time.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The end of a clock that needs `left` outside of the pauses. Pauses may overlap and stand in any order.
fn shifted(from: Timestamp, left: SignedDuration, pauses: &[(Timestamp, Timestamp)]) -> Timestamp {
    let mut ordered: Vec<_> = pauses.iter().filter(|(start, end)| start < end).collect();
    ordered.sort();
    let (mut at, mut left) = (from, left);
    for (start, end) in ordered {
        if *end <= at {
            continue;
        }
        let before = start.duration_since(at).max(SignedDuration::ZERO);
        if left <= before {
            break;
        }
        left -= before;
        at = *end;
    }
    later(at, left)
}

/// Time left or passed in a few characters, such as `3d left`, `5h left`, `2d over`, `now`.
pub fn time_left(due: Timestamp, now: Timestamp) -> String {
    let left = due.duration_since(now);
    if left.is_zero() {
        "now".to_owned()
    } else if left.is_negative() {
        format!("{} over", span(left))
    } else {
        format!("{} left", span(left))
    }
}

/// How long ago in a few characters, such as `3d`, `5h`, `0m`; also used for ages.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    span(now.duration_since(since).max(SignedDuration::ZERO))
}

/// A span by its largest unit, cut off: days from 24 hours on, hours from 60 minutes on.
fn span(span: SignedDuration) -> String {
    let minutes = span.as_mins().unsigned_abs();
    match (minutes / 1_440, minutes / 60) {
        (0, 0) => format!("{minutes}m"),
        (0, hours) => format!("{hours}h"),
        (days, _) => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
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
}
