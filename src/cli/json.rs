//! The JSON documents of `--json`: wire structs, never domain types, so that a change of the program's insides
//! cannot change what scripts read.

use jiff::Timestamp;
use serde::Serialize;

use crate::app::case::{CaseView, MessageView};
use crate::app::pin::{PolicyPin, Standing};
use crate::app::row::CaseRow;
use crate::app::twin::{Twin, TwinOf};
use crate::claims;
use crate::domain::Evidence;
use crate::domain::cvss::{Fault, Vector, Words};
use crate::domain::deadline::{Deadline, proposals};
use crate::domain::hint::{Hint, VersionStatus};
use crate::domain::policy::Policy;
use crate::mail::Address;

#[derive(Serialize)]
struct Mailbox {
    name: String,
    address: String,
}

#[derive(Serialize)]
struct Clock {
    kind: &'static str,
    due: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// A question that waits for the reporter, with what is proposed and when.
#[derive(Serialize)]
struct Waiting {
    since: String,
    proposed: Vec<Clock>,
}

#[derive(Serialize)]
struct Suggested {
    disposition: Option<&'static str>,
    clauses: Vec<String>,
}

/// A case in `list`.
#[derive(Serialize)]
pub struct ListedCase {
    case: String,
    subject: String,
    reporter: Mailbox,
    received: String,
    state: &'static str,
    disposition: Option<&'static str>,
    messages: u32,
    unanswered: bool,
    deadlines: Vec<Clock>,
    waiting: Option<Waiting>,
    suggested: Suggested,
}

#[derive(Serialize)]
struct Attachment {
    name: String,
    #[serde(rename = "type")]
    content_type: String,
    size: u64,
    sha256: String,
}

#[derive(Serialize)]
struct ShownMessage {
    id: String,
    from: Vec<Mailbox>,
    to: Vec<Mailbox>,
    date: Option<String>,
    received: String,
    direction: &'static str,
    subject: String,
    text: String,
    attachments: Vec<Attachment>,
    defects: Vec<String>,
    warnings: Vec<&'static str>,
    source_sha256: String,
    on_server: bool,
    flags: Vec<String>,
    rescued: bool,
}

#[derive(Serialize)]
struct Anchor {
    message: String,
    part: u16,
    line: u32,
    last_line: u32,
    start: u32,
    end: u32,
    text: String,
}

#[derive(Serialize)]
struct GivenAnswer {
    clause: String,
    answer: &'static str,
    evidence: Option<Anchor>,
    reason: Option<String>,
    at: String,
    actor: String,
}

#[derive(Serialize)]
struct ReporterScore {
    vector: String,
    valid: bool,
    base: Option<f64>,
}

#[derive(Serialize)]
struct OurScore {
    vector: String,
    base: f64,
    severity: String,
}

#[derive(Serialize)]
struct Scores {
    reporter: Option<ReporterScore>,
    ours: Option<OurScore>,
    cap_applied: bool,
}

#[derive(Serialize)]
struct Happened {
    at: String,
    actor: String,
    kind: String,
}

/// The document of `show`.
#[derive(Serialize)]
pub struct ShownCase {
    #[serde(flatten)]
    listed: ListedCase,
    why: String,
    missing: Vec<String>,
    #[serde(rename = "messages")]
    thread: Vec<ShownMessage>,
    answers: Vec<GivenAnswer>,
    score: Option<Scores>,
    claims: Vec<ReadClaim>,
    claims_verdict: String,
    timeline: Vec<Happened>,
    notes: Vec<String>,
    returned: Option<ReturnedAnswer>,
    policy: PolicyVersion,
}

/// What the reporter's answer to our question has settled.
#[derive(Serialize)]
struct ReturnedAnswer {
    at: String,
    answered: Vec<String>,
    open: Vec<String>,
}

/// The policy that a case is judged under.
#[derive(Serialize)]
struct PolicyVersion {
    hash: String,
    text: Option<String>,
    date: Option<String>,
    pinned: bool,
    changed: Vec<String>,
    kept: bool,
}

fn policy_version(pin: &PolicyPin) -> PolicyVersion {
    PolicyVersion {
        hash: pin.hash.clone(),
        text: pin.text_hash.clone(),
        date: pin.date.clone(),
        pinned: pin.standing != Standing::Open,
        changed: match &pin.standing {
            Standing::Changed(what) => what.clone(),
            Standing::NotKept => vec!["another policy, which is not kept here".into()],
            Standing::Open | Standing::Same => Vec::new(),
        },
        kept: pin.standing != Standing::NotKept,
    }
}

#[derive(Serialize)]
struct ProposedAnswer {
    clause: String,
    answer: &'static str,
    strength: u8,
    rule: String,
    why: String,
    evidence: Option<Line>,
}

#[derive(Serialize)]
struct Line {
    message: String,
    line: u32,
    text: String,
}

#[derive(Serialize)]
struct ReadVector {
    text: String,
    valid: bool,
    fault: Option<String>,
    over_cap: bool,
    base: Option<f64>,
    base_capped: Option<f64>,
    severity_capped: Option<String>,
}

#[derive(Serialize)]
struct ReadVersion {
    claimed: String,
    status: VersionStatus,
}

#[derive(Serialize)]
struct Duplicate {
    /// `None` for a published record.
    case: Option<String>,
    score: f64,
    shared: Vec<String>,
    /// Whether the other came first, by server receive time.
    first: bool,
    received: Option<String>,
    disposition: Option<&'static str>,
    clauses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<PublishedRecord>,
}

#[derive(Serialize)]
struct PublishedRecord {
    name: String,
    ids: Vec<String>,
    fixed: String,
    url: String,
}

#[derive(Serialize)]
struct Flags {
    ai: crate::domain::hint::AiUse,
    scanner: bool,
    bounty_request: bool,
    has_poc: bool,
    credit_wanted: bool,
    public: bool,
}

#[derive(Serialize)]
struct Near {
    name: String,
    distance: usize,
}

/// A claim about the source. `strength` is strong, weak or third-party; only strong ones count in the verdict.
#[derive(Serialize)]
struct ReadClaim {
    text: String,
    kind: &'static str,
    found: &'static str,
    resolves: bool,
    #[serde(rename = "where")]
    place: Option<String>,
    newest: Option<&'static str>,
    nearest: Option<Near>,
    strength: &'static str,
    evidence: Anchor,
}

/// The document of `hints`.
#[derive(Serialize)]
pub struct Hints {
    case: String,
    suggested: Suggested,
    why: String,
    missing: Vec<String>,
    answers: Vec<ProposedAnswer>,
    vectors: Vec<ReadVector>,
    versions: Vec<ReadVersion>,
    flags: Flags,
    duplicates: Vec<Duplicate>,
    claims: Vec<ReadClaim>,
    claims_verdict: String,
}

/// A vector in `cvss`.
#[derive(Serialize)]
pub struct ScoredVector {
    text: String,
    valid: bool,
    fault: Option<String>,
    version: Option<String>,
    base: Option<f64>,
    severity: Option<String>,
    over_cap: bool,
    capped: Option<OurScore>,
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn mailbox(address: &Address) -> Mailbox {
    Mailbox { name: address.name.clone(), address: address.address.clone() }
}

fn clock(deadline: &Deadline) -> Clock {
    Clock {
        kind: deadline.kind.as_str(),
        due: deadline.due.map(time),
        status: deadline.status.as_str(),
        why: deadline.why.clone(),
    }
}

impl ListedCase {
    /// A case's line at `now`.
    pub fn of(row: &CaseRow, policy: &Policy, now: Timestamp) -> Self {
        let deadlines = row.deadlines(&policy.periods, now);
        Self {
            case: row.id.to_string(),
            subject: row.subject.clone(),
            reporter: Mailbox {
                name: row.reporter.name.clone(),
                address: row.reporter.address.clone(),
            },
            received: time(row.received),
            state: row.state.as_str(),
            disposition: row.disposition.map(|d| d.as_str()),
            messages: row.messages,
            unanswered: row.unanswered,
            deadlines: deadlines.iter().map(clock).collect(),
            waiting: row.waiting_since.map(|since| Waiting {
                since: time(since),
                proposed: proposals(&policy.periods, &row.clock_facts(), now)
                    .iter()
                    .map(clock)
                    .collect(),
            }),
            suggested: Suggested {
                disposition: row.suggested.map(|d| d.as_str()),
                clauses: row.suggested_clauses.iter().map(ToString::to_string).collect(),
            },
        }
    }
}

fn shown_message(message: &MessageView) -> ShownMessage {
    let attachment = |part: &crate::app::case::PartView| Attachment {
        name: part.name.clone(),
        content_type: part.content_type.clone(),
        size: part.size,
        sha256: part.sha256.clone(),
    };
    ShownMessage {
        id: message.id.short(),
        from: message.from.iter().map(mailbox).collect(),
        to: message.to.iter().map(mailbox).collect(),
        date: message.date.map(time),
        received: time(message.received),
        direction: message.direction.as_str(),
        subject: message.subject.clone(),
        text: message.text.clone(),
        attachments: message.attachments.iter().map(attachment).collect(),
        defects: message.defects.clone(),
        warnings: message.warnings.iter().map(|warning| warning.as_str()).collect(),
        source_sha256: message.id.to_string(),
        on_server: !message.gone,
        flags: message.flags.clone(),
        rescued: message.rescued,
    }
}

fn anchor(evidence: &Evidence) -> Anchor {
    Anchor {
        message: evidence.message.short(),
        part: evidence.part,
        line: evidence.line,
        last_line: evidence.last_line,
        start: evidence.start,
        end: evidence.end,
        text: evidence.text.clone(),
    }
}

fn our_score(vector: &Vector) -> OurScore {
    OurScore {
        vector: vector.to_string(),
        base: vector.base().as_f64(),
        severity: vector.severity().as_str().to_owned(),
    }
}

fn scores(view: &CaseView, policy: &Policy) -> Option<Scores> {
    let theirs = view.readings().iter().find_map(|reading| reading.vectors.first().cloned());
    let reporter = theirs.map(|found| {
        let parsed = Vector::parse(&found.text);
        ReporterScore {
            valid: vector_fault(parsed.as_ref(), policy).is_none(),
            base: parsed.as_ref().ok().map(|vector| vector.base().as_f64()),
            vector: found.text,
        }
    });
    let parsed = view.case.vector.as_deref().and_then(|text| Vector::parse(text).ok());
    let capped = parsed.as_ref().and_then(|v| v.capped(&policy.scoring.max_attack_vector));
    let ours = capped.as_ref().or(parsed.as_ref()).map(our_score);
    let cap_applied = capped.is_some();
    (reporter.is_some() || ours.is_some()).then_some(Scores { reporter, ours, cap_applied })
}

fn read_claim(row: &claims::Row) -> ReadClaim {
    ReadClaim {
        text: row.claim.text(),
        kind: row.claim.kind.as_str(),
        found: row.found.as_str(),
        resolves: row.resolves,
        place: Some(row.place.clone()).filter(|place| !place.is_empty()),
        newest: row.newest.map(claims::Found::as_str),
        nearest: row
            .nearest
            .as_ref()
            .map(|near| Near { name: near.name.clone(), distance: near.distance }),
        strength: row.claim.strength.as_str(),
        evidence: anchor(&row.claim.evidence),
    }
}

impl ShownCase {
    /// A whole case at `now`.
    pub fn of(view: &CaseView, policy: &Policy, now: Timestamp, claims: &claims::Table) -> Self {
        let answers = view.case.answers.iter().map(|(clause, answer)| GivenAnswer {
            clause: clause.to_string(),
            answer: answer.value.as_str(),
            evidence: answer.evidence.as_ref().map(anchor),
            reason: answer.reason.clone(),
            at: time(answer.at),
            actor: answer.actor.clone(),
        });
        let timeline = view.entries.iter().map(|entry| Happened {
            at: time(entry.at),
            actor: entry.actor.clone(),
            kind: entry.kind.clone(),
        });
        Self {
            listed: ListedCase::of(&view.row, policy, now),
            why: view.verdict.why.clone(),
            missing: view.verdict.missing.iter().map(ToString::to_string).collect(),
            thread: view.messages.iter().map(shown_message).collect(),
            answers: answers.collect(),
            score: scores(view, policy),
            claims: claims.rows.iter().map(read_claim).collect(),
            claims_verdict: claims.sentence(),
            timeline: timeline.collect(),
            notes: view.case.notes.iter().map(|(_, _, text)| text.clone()).collect(),
            returned: view.returned.as_ref().map(|returned| ReturnedAnswer {
                at: time(returned.at),
                answered: returned.answered.iter().map(ToString::to_string).collect(),
                open: returned.open.iter().map(ToString::to_string).collect(),
            }),
            policy: policy_version(&view.policy),
        }
    }
}

fn proposed(hint: &Hint) -> ProposedAnswer {
    ProposedAnswer {
        clause: hint.clause.to_string(),
        answer: hint.answer.as_str(),
        strength: hint.strength,
        rule: hint.rule.clone(),
        why: hint.why.clone(),
        evidence: hint.evidence.as_ref().map(|evidence| Line {
            message: evidence.message.short(),
            line: evidence.line,
            text: evidence.text.clone(),
        }),
    }
}

/// Why the policy cannot use a vector (SC1, SC5): it is broken, or of another version than it asks for.
fn vector_fault(parsed: Result<&Vector, &Fault>, policy: &Policy) -> Option<String> {
    let wanted = policy.scoring.version.as_str();
    match parsed {
        Err(fault) => Some(fault.to_string()),
        Ok(vector) => {
            let given = vector.version().prefix();
            (given != wanted).then(|| format!("is {given}; the policy asks for {wanted}"))
        }
    }
}

fn read_vector(text: &str, policy: &Policy) -> ReadVector {
    let parsed = Vector::parse(text);
    let fault = vector_fault(parsed.as_ref(), policy);
    let usable = parsed.as_ref().ok().filter(|_| fault.is_none());
    let capped = usable.and_then(|v| v.capped(&policy.scoring.max_attack_vector));
    let counted = capped.as_ref().or(usable);
    ReadVector {
        text: text.to_owned(),
        valid: fault.is_none(),
        fault,
        over_cap: capped.is_some(),
        base: parsed.as_ref().ok().map(|vector| vector.base().as_f64()),
        base_capped: counted.map(|vector| vector.base().as_f64()),
        severity_capped: counted.map(|v| v.severity().word(Words::Policy).to_owned()),
    }
}

fn duplicate(twin: &Twin) -> Duplicate {
    let case = twin.case();
    let published = match &twin.of {
        TwinOf::Case(_) => None,
        TwinOf::Published(published) => Some(PublishedRecord {
            name: published.name.clone(),
            ids: published.ids.clone(),
            fixed: published.fixed.clone(),
            url: published.url.clone(),
        }),
    };
    Duplicate {
        case: case.map(|case| case.id.to_string()),
        score: (f64::from(twin.score) * 100.0).round() / 100.0,
        shared: twin.shared.clone(),
        first: twin.earlier,
        received: twin.received.map(time),
        disposition: case.and_then(|case| case.disposition).map(|d| d.as_str()),
        clauses: case.iter().flat_map(|case| &case.clauses).map(ToString::to_string).collect(),
        published,
    }
}

impl Hints {
    /// What the rules read out of a case.
    pub fn of(view: &CaseView, policy: &Policy, claims: &claims::Table) -> Self {
        let readings = view.readings();
        let flags = crate::domain::verdict::merge_flags(&readings);
        let hints = readings.iter().flat_map(|reading| &reading.hints);
        let vectors = readings.iter().flat_map(|reading| &reading.vectors);
        let versions = readings.iter().flat_map(|reading| &reading.versions);
        Self {
            case: view.row.id.to_string(),
            suggested: Suggested {
                disposition: Some(view.verdict.disposition.as_str()),
                clauses: view.verdict.all_clauses().map(ToString::to_string).collect(),
            },
            why: view.verdict.why.clone(),
            missing: view.verdict.missing.iter().map(ToString::to_string).collect(),
            answers: hints.map(proposed).collect(),
            vectors: vectors.map(|found| read_vector(&found.text, policy)).collect(),
            versions: versions
                .map(|v| ReadVersion { claimed: v.claimed.clone(), status: v.status })
                .collect(),
            flags: Flags {
                ai: flags.ai,
                scanner: flags.scanner,
                bounty_request: flags.bounty_request,
                has_poc: flags.has_poc,
                credit_wanted: flags.credit_wanted,
                public: flags.public,
            },
            duplicates: view.twins.iter().map(duplicate).collect(),
            claims: claims.rows.iter().map(read_claim).collect(),
            claims_verdict: claims.sentence(),
        }
    }
}

impl ScoredVector {
    /// A vector with its fault or its score.
    pub fn of(text: &str, policy: &Policy) -> Self {
        let parsed = Vector::parse(text);
        let capped = parsed.as_ref().ok().and_then(|v| v.capped(&policy.scoring.max_attack_vector));
        Self {
            text: text.to_owned(),
            valid: parsed.is_ok(),
            fault: parsed.as_ref().err().map(ToString::to_string),
            version: parsed
                .as_ref()
                .ok()
                .map(|vector| vector.version().prefix().trim_start_matches("CVSS:").to_owned()),
            base: parsed.as_ref().ok().map(|vector| vector.base().as_f64()),
            severity: parsed.as_ref().ok().map(|v| v.severity().as_str().to_owned()),
            over_cap: capped.is_some(),
            capped: capped.as_ref().map(our_score),
        }
    }
}
