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
    /// A reminder to a reporter who does not answer: a proposal.
    Nudge,
    /// Closing for want of an answer: a proposal.
    Close,
}

impl DeadlineKind {
    /// The word used in data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Update => "update",
            Self::Publish => "publish",
            Self::Nudge => "nudge",
            Self::Close => "close",
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
    /// Whether the clock still waits for something.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::DueSoon | Self::Overdue | Self::Paused)
    }

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

/// An interval in which our clocks on a case rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    /// From when.
    pub from: Timestamp,
    /// Until when; open where nothing has ended it yet.
    pub until: Option<Timestamp>,
}

impl Pause {
    /// Ends it at `at`, unless it ends before. An end before its beginning leaves nothing of it.
    pub fn end_at(&mut self, at: Timestamp) {
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
    }

    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
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
    /// When our clocks rest on this case.
    pub pauses: Vec<Pause>,
    /// Since when a question of ours waits for the reporter's answer.
    pub waiting_since: Option<Timestamp>,
}

/// All clocks of a case: acknowledge, update, publish, in this order.
pub fn deadlines(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Vec<Deadline> {
    vec![
        acknowledge(periods, facts, now),
        update(periods, facts, now),
        publish(periods, facts, now),
    ]
}

/// What is proposed while a question waits for the reporter: a reminder, then closing. Nothing follows from their ends
/// but a draft that somebody may begin, so they are never overdue.
pub fn proposals(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Vec<Deadline> {
    let Some(since) = facts.waiting_since else { return Vec::new() };
    let reminded = later(since, days(periods.nudge_days));
    let nudged = facts.last_answer.is_some_and(|last| last >= reminded);
    let one = |kind, due, done: bool| {
        let status = match () {
            () if done => DeadlineStatus::Met,
            () if due < now => DeadlineStatus::DueSoon,
            () => DeadlineStatus::Running,
        };
        let why = Some(format!("a question waits since {}", day(since)));
        Deadline { kind, due: Some(due), status, late: false, why }
    };
    let closing = later(since, days(periods.close_days));
    vec![one(DeadlineKind::Nudge, reminded, nudged), one(DeadlineKind::Close, closing, false)]
}

fn acknowledge(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Deadline {
    let kind = DeadlineKind::Acknowledge;
    if facts.disposition == Some(Disposition::Spam) {
        return not_applicable(kind, "junk is not answered");
    }
    let of_policy =
        periods.pauses.iter().map(|(from, until)| Pause { from: *from, until: Some(*until) });
    let pauses: Vec<Pause> = of_policy.chain(facts.pauses.iter().copied()).collect();
    let counted = Counted {
        from: facts.received,
        length: days(periods.acknowledge_days),
        warn: days(periods.acknowledge_warn_days),
        pauses: &pauses,
    };
    let Some(answered) = facts.first_answer else {
        if facts.queued.is_some() {
            let (due, status) = (Some(counted.due(now)), DeadlineStatus::Paused);
            let why = Some("an answer waits in the outbox".to_owned());
            return Deadline { kind, due, status, late: false, why };
        }
        return counted.at(kind, now);
    };
    let due = counted.due(answered);
    let late = answered > due;
    let why =
        late.then(|| format!("answered {} after the end", span(answered.duration_since(due))));
    Deadline { kind, due: Some(due), status: DeadlineStatus::Met, late, why }
}

fn update(periods: &Periods, facts: &ClockFacts, now: Timestamp) -> Deadline {
    let kind = DeadlineKind::Update;
    if let Some(since) = facts.waiting_since {
        let why = Some(format!("waits for the reporter since {}", day(since)));
        return Deadline { kind, due: None, status: DeadlineStatus::Paused, late: false, why };
    }
    let working = matches!(facts.state, CaseState::Accepted | CaseState::Fixing | CaseState::Fixed);
    if !working {
        return not_applicable(kind, "updates are due while an accepted case is worked on");
    }
    let counted = Counted {
        from: facts.last_answer.unwrap_or(facts.received),
        length: days(periods.update_days),
        warn: days(periods.update_days.div_ceil(6)),
        pauses: &facts.pauses,
    };
    counted.at(kind, now)
}

/// The embargo is the reporter's promise to us: no pause of ours makes it longer.
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

/// A clock that rests in its pauses.
struct Counted<'p> {
    from: Timestamp,
    length: SignedDuration,
    /// Time before its end from which it is due soon.
    warn: SignedDuration,
    pauses: &'p [Pause],
}

impl Counted<'_> {
    /// Its end as it looks at `now`: a pause without an end lasts until then. Pauses may overlap and stand in any order.
    fn due(&self, now: Timestamp) -> Timestamp {
        let ends = |pause: &Pause| (pause.from, pause.until.unwrap_or(now));
        let mut ordered: Vec<(Timestamp, Timestamp)> = self.pauses.iter().map(ends).collect();
        ordered.retain(|(start, end)| start < end);
        ordered.sort();
        let (mut at, mut left) = (self.from, self.length);
        for (start, end) in ordered {
            if end <= at {
                continue;
            }
            let before = start.duration_since(at).max(SignedDuration::ZERO);
            if left <= before {
                break;
            }
            left -= before;
            at = end;
        }
        later(at, left)
    }

    fn at(&self, kind: DeadlineKind, now: Timestamp) -> Deadline {
        let due = self.due(now);
        let resting = self
            .pauses
            .iter()
            .filter(|pause| pause.holds(now))
            .max_by_key(|pause| pause.until.unwrap_or(Timestamp::MAX));
        match resting.filter(|_| now <= due) {
            None => counting(kind, due, self.warn, now),
            Some(Pause { until: Some(until), .. }) => Deadline {
                kind,
                due: Some(due),
                status: DeadlineStatus::Paused,
                late: false,
                why: Some(format!("rests until {}", day(*until))),
            },
            // When it ends nobody knows, so that there is no day to name.
            Some(Pause { from, until: None }) => Deadline {
                kind,
                due: None,
                status: DeadlineStatus::Paused,
                late: false,
                why: Some(format!("rests since {} with {}", day(*from), time_left(due, now))),
            },
        }
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
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
mod tests;
