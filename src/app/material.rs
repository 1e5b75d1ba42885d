//! From a case to the drafts made of it, and to the short lines that screens and commands print about it.

use jiff::Timestamp;

use super::Model;
use super::acts::Refusal;
use super::advisory::FaultLine;
use super::case::CaseView;
use super::row::CaseRow;
use crate::claims::{self, Found, Strength};
use crate::domain::ClauseId;
use crate::domain::advisory::{self, AdvisoryDraft, CaseMaterial, Format, Product};
use crate::domain::case::{Direction, ReplyDraft};
use crate::domain::cvss::{Vector, Words};
use crate::domain::deadline::{DeadlineKind, DeadlineStatus};
use crate::domain::journal::{Act, Entry};
use crate::domain::policy::Policy;
use crate::domain::policy_text::PolicyText;
use crate::domain::verdict::Verdict;
use crate::export::{self, draft_toml};
use crate::mail::compose::{Outgoing, reply_subject};
use crate::mail::{Address, DisplayText};
use crate::reply::{self, ReplyMaterial, ScoreNote, Source};

/// Whose decisions these are, and whose name stands below replies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Me {
    /// Name.
    pub name: String,
    /// Address that replies come from.
    pub address: String,
}

impl Me {
    /// As the journal names an actor.
    pub fn actor(&self) -> String {
        match (self.name.is_empty(), self.address.is_empty()) {
            (false, false) => format!("{} <{}>", self.name, self.address),
            (true, false) => format!("<{}>", self.address),
            (false, true) => self.name.clone(),
            (true, true) => "maintainer".into(),
        }
    }
}

/// What every draft needs beside the case.
#[derive(Clone, Copy, Debug)]
pub struct Office<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// The sentences to quote.
    pub policy_text: Option<&'a PolicyText>,
    /// Who signs.
    pub me: &'a Me,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Office<'a> {
    /// The office of a model.
    pub fn of(model: &'a Model) -> Self {
        Self {
            policy: &model.policy,
            policy_text: model.policy_text.as_deref(),
            me: &model.me,
            now: model.now,
        }
    }
}

/// A reply that was made from a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplyText {
    /// Recipients, as addresses.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
}

/// Fills a template with what is known of the case. Decided clauses count; before a decision, proposed ones.
///
/// # Errors
/// If there is no such template, or it needs a clause, a reason or a missing point that the case lacks.
pub fn reply_draft(
    office: &Office<'_>,
    view: &CaseView,
    template: &str,
) -> Result<ReplyText, Refusal> {
    let material = reply_material(office, view, template);
    let drafted = reply::draft(template, &material).map_err(|error| Refusal {
        what: error.to_string(),
        instead: "answer the checklist, or choose another template with “reply”".into(),
    })?;
    let answered = view.answered_message();
    let to = answered.iter().flat_map(|message| &message.answer_to);
    Ok(ReplyText {
        to: to.map(|address| address.address.clone()).collect(),
        subject: drafted.subject,
        text: drafted.text,
    })
}

fn reply_material(office: &Office<'_>, view: &CaseView, template: &str) -> ReplyMaterial {
    let (policy, row) = (office.policy, &view.row);
    let decision = view.case.decision.as_ref();
    let decided = decision.filter(|decision| decision.disposition.as_str() == template);
    let proposed = (view.verdict.disposition.as_str() == template || decided.is_none())
        .then_some(&view.verdict.clauses);
    let clauses = decided.map(|decision| &decision.clauses).or(proposed);
    let readings = view.readings();
    let public = readings.iter().any(|reading| reading.flags.public);
    let embargo = jiff::SignedDuration::from_hours(24 * i64::from(policy.periods.embargo_days));
    let wants_credit = readings.iter().any(|reading| reading.flags.credit_wanted);
    let answered = view.answered_message();
    let subject = answered.map_or("", |message| message.subject.as_str());
    let base =
        ReplyMaterial::new(row.id.clone(), row.reporter.clone(), subject, row.received, policy);
    let clauses = clauses.cloned().unwrap_or_default();
    ReplyMaterial {
        embargo_until: (!public).then(|| row.received.checked_add(embargo).ok()).flatten(),
        reason: decided.and_then(|decision| decision.reason.clone()),
        evidence: evidence_lines(view, &clauses),
        missing: missing_words(view, policy),
        score: score_note(view, policy),
        credit: wants_credit.then(|| row.reporter.name.clone()).filter(|name| !name.is_empty()),
        signature: office.me.name.clone(),
        ..base
    }
    .with_clauses(&clauses, &sources(office, view))
}

/// Where clauses are quoted from: the policy that the case is judged under, then the present one.
fn sources<'a>(office: &Office<'a>, view: &'a CaseView) -> Vec<Source<'a>> {
    let present = Source { policy: office.policy, text: office.policy_text };
    let kept = view.policy.kept.as_ref();
    let kept = kept.map(|kept| Source { policy: &kept.policy, text: kept.text.as_deref() });
    kept.into_iter().chain([present]).collect()
}

/// The reporter's own lines that the clauses rest on: of the answers, else of the proposals.
fn evidence_lines(view: &CaseView, clauses: &[ClauseId]) -> Vec<String> {
    let readings = view.readings();
    let line = |clause: &ClauseId| {
        let answered = view.case.answers.get(clause).and_then(|answer| answer.evidence.as_ref());
        let mut hints = readings.iter().flat_map(|reading| &reading.hints);
        let proposed =
            || hints.find(|hint| &hint.clause == clause).and_then(|hint| hint.evidence.as_ref());
        answered.or_else(proposed).map(|evidence| evidence.text.clone())
    };
    clauses.iter().filter_map(line).collect()
}

/// The points that only the reporter can give, as questions.
fn missing_words(view: &CaseView, policy: &Policy) -> Vec<String> {
    let words = |clause: &ClauseId| {
        let item = policy.items_of(clause).into_iter().next()?;
        Some(if item.question.is_empty() { item.title.clone() } else { item.question.clone() })
    };
    view.verdict.missing.iter().filter_map(words).collect()
}

fn score_note(view: &CaseView, policy: &Policy) -> Option<ScoreNote> {
    let vector = view.case.vector.as_deref().and_then(|text| Vector::parse(text).ok())?;
    let capped = vector.capped(&policy.scoring.max_attack_vector);
    let highest = match policy.scoring.max_attack_vector.as_str() {
        "A" => "Adjacent",
        "L" => "Local",
        "P" => "Physical",
        _ => "Network",
    };
    let cap = capped.is_some().then(|| highest.to_owned());
    let counted = capped.unwrap_or(vector);
    Some(ScoreNote {
        tenths: counted.base().tenths(),
        severity: counted.severity().word(Words::Policy).to_owned(),
        vector: counted.to_string(),
        cap,
    })
}

/// What is odd about the recipients of a reply: an answer address that is not the sender's, an address
/// that no mail of the case came from or went to, several people who wrote.
pub fn recipient_warnings(view: &CaseView, to: &[String]) -> Vec<String> {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let senders = view.answered_message().map(|message| message.from.as_slice());
    let senders = senders.unwrap_or_default();
    let mut odd = Vec::new();
    for address in to {
        if !senders.iter().any(|sender| same(&sender.address, address)) {
            let from: Vec<&str> = senders.iter().map(|sender| sender.address.as_str()).collect();
            odd.push(format!("{address} is not the sender, {}", from.join(", ")));
        }
        let known = |message: &super::case::MessageView| {
            let mut people = message.from.iter().chain(&message.to);
            people.any(|person| same(&person.address, address))
        };
        if !view.messages.iter().any(known) {
            odd.push(format!("{address} is new to this case"));
        }
    }
    let mut people: Vec<String> = view
        .messages
        .iter()
        .filter(|message| message.direction == Direction::In)
        .flat_map(|message| message.from.iter().map(|from| from.address.to_lowercase()))
        .collect();
    people.sort();
    people.dedup();
    if people.len() > 1 {
        odd.push(format!("{} people wrote in this case: {}", people.len(), people.join(", ")));
    }
    odd
}

/// The bytes of a mail file from a saved draft. `id` is the left part of its Message-ID.
pub fn reply_bytes(
    me: &Me,
    view: &CaseView,
    draft: &ReplyDraft,
    now: Timestamp,
    id: &str,
) -> Vec<u8> {
    let answered = view.answered_message();
    let parent = answered.and_then(|message| message.message_id.clone());
    let known = |address: &str| {
        let people = answered.iter().flat_map(|message| &message.answer_to);
        people.into_iter().find(|a| a.address == address).map(|a| a.name.clone())
    };
    let to = draft.to.iter().map(|address| Address {
        name: known(address).unwrap_or_default(),
        address: address.clone(),
    });
    let domain = me.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    Outgoing {
        from: Address { name: me.name.clone(), address: me.address.clone() },
        to: to.collect(),
        cc: Vec::new(),
        subject: draft.subject.clone(),
        text: draft.text.clone(),
        in_reply_to: parent,
        references: answered.map(|message| message.references.clone()).unwrap_or_default(),
        date: now,
        message_id: format!("{id}@{domain}"),
    }
    .build()
}

/// The subject that an answer to this case has.
pub fn answer_subject(view: &CaseView) -> String {
    let subject = view.answered_message().map_or("", |message| message.subject.as_str());
    reply_subject(subject)
}

/// The product as the policy describes it.
pub fn product(policy: &Policy) -> Product {
    let package = &policy.package;
    Product {
        vendor: package.vendor.clone(),
        name: policy.product.clone(),
        ecosystem: package.ecosystem.clone(),
        package: package.name.clone(),
        repo: package.repository.clone(),
    }
}

/// The first draft of a case's advisory: everything known filled in.
pub fn advisory_draft(view: &CaseView, policy: &Policy) -> AdvisoryDraft {
    let readings = view.readings();
    let wants = readings.iter().any(|reading| reading.flags.credit_wanted);
    let versions = readings.iter().flat_map(|reading| &reading.versions);
    let embargo = jiff::SignedDuration::from_hours(24 * i64::from(policy.periods.embargo_days));
    let row = &view.row;
    let material = CaseMaterial {
        reporter_name: row.reporter.name.clone(),
        acknowledged: row.first_answer,
        vector: our_vector(view, policy),
        affected_versions: versions.map(|version| version.claimed.clone()).collect(),
        credit_wanted: wants.then_some(true),
        embargo_until: (!row.public).then(|| row.received.checked_add(embargo).ok()).flatten(),
        ..CaseMaterial::new(row.id.clone(), &row.subject, row.received, product(policy))
    };
    advisory::from_case(&material)
}

/// The same as TOML.
pub fn advisory_toml(view: &CaseView, policy: &Policy) -> String {
    draft_toml::write(&advisory_draft(view, policy))
}

/// The maintainer's vector under the policy's cap; before there is one, the reporter's valid one.
pub fn our_vector(view: &CaseView, policy: &Policy) -> Option<String> {
    let ours = view.case.vector.as_deref().and_then(|text| Vector::parse(text).ok());
    let theirs = || {
        let readings = view.readings();
        let mut found = readings.iter().flat_map(|reading| &reading.vectors);
        found.find_map(|vector| Vector::parse(&vector.text).ok())
    };
    let vector = ours.or_else(theirs)?;
    let capped = vector.capped(&policy.scoring.max_attack_vector);
    Some(capped.unwrap_or(vector).to_string())
}

/// A complete advisory for the tour of the sample inbox: what the maintainer would type is filled in.
pub fn sample_advisory(view: &CaseView, policy: &Policy) -> String {
    use crate::domain::advisory::{AffectedRange, DraftDate, Section, Weakness};
    let mut draft = advisory_draft(view, policy);
    let latest = policy.releases.last().map_or("1.0.0", |release| release.version.as_str());
    draft.affected = vec![AffectedRange {
        introduced: "0".into(),
        fixed: None,
        last_affected: Some(latest.to_owned()),
        unsupported: false,
    }];
    draft.weaknesses =
        vec![Weakness { id: "CWE-862".into(), name: "Missing Authorization".into() }];
    draft.sections = vec![
        Section {
            heading: "Impact".into(),
            body: format!(
                "{} lets a logged-in user do more than their permissions allow.",
                policy.product
            ),
        },
        Section {
            heading: "Workaround".into(),
            body: "None; only trusted users should have an account.".into(),
        },
    ];
    draft.dates.modified = Some(DraftDate::Instant(view.row.last));
    draft_toml::write(&draft)
}

/// Faults, preview and gate line of a draft.
pub fn advisory_state(toml: &str) -> (Vec<FaultLine>, String, DisplayText) {
    let draft = match draft_toml::read(toml) {
        Ok(draft) => draft,
        Err(faults) => {
            let line = |fault: draft_toml::TomlFault| FaultLine {
                format: None,
                field: format!("line {} {}", fault.line, fault.field).trim_end().to_owned(),
                fault: DisplayText::line(&fault.fault),
            };
            let gate = DisplayText::line(" the draft cannot be read as TOML yet");
            return (faults.into_iter().map(line).collect(), String::new(), gate);
        }
    };
    let faults = advisory::faults(&draft).into_iter().map(|fault| FaultLine {
        format: fault.format.map(|format| format.as_str().to_owned()),
        field: fault.field,
        fault: DisplayText::line(&fault.fault),
    });
    let preview = export::write(&draft, Format::Markdown).bytes;
    let preview = String::from_utf8_lossy(&preview).into_owned();
    (faults.collect(), preview, DisplayText::line(&gate_words(&draft)))
}

/// Whether there is to be an advisory and a CVE id (PD1, PD6), as far as the score tells.
fn gate_words(draft: &AdvisoryDraft) -> String {
    let Some(vector) = draft.severity.main().and_then(|text| Vector::parse(text).ok()) else {
        return " no valid vector yet: severity and CVE are open".into();
    };
    let (score, severity) = (vector.base(), vector.severity());
    // The threshold is the policy's (PD6); Moderate begins at 4.0.
    let cve = if score.tenths() >= 40 { "CVE: yes" } else { "CVE: no (below Moderate)" };
    format!(" {score} {}, advisory: yes, {cve}", severity.as_str())
}

/// Whether a claim was found, in a word: what does not count is told apart.
pub fn found_word(row: &claims::Row) -> &'static str {
    match (row.claim.strength, row.found) {
        (Strength::ThirdParty, _) => "library",
        (_, Found::Yes) => "found",
        (Strength::Weak, Found::No) => "weak",
        (_, Found::No) => "not found",
        (_, Found::Elsewhere) => "elsewhere",
        (_, Found::Unknown) => "not known",
    }
}

/// Where a claim was found or why not, with the nearest name.
pub fn claim_words(row: &claims::Row) -> String {
    let mut words = row.place.clone();
    if let Some(near) = &row.nearest {
        let off = match near.distance {
            0 => "in other case".to_owned(),
            1 => "1 letter off".to_owned(),
            count => format!("{count} letters off"),
        };
        let near = format!("nearest: {} ({off})", near.name);
        words = if words.is_empty() { near } else { format!("{words}; {near}") };
    }
    let newer = match row.newest {
        Some(Found::Yes) if row.found == Found::No => "; it is in the newest version",
        Some(Found::No) if row.found == Found::Yes => "; not in the newest version any more",
        _ => "",
    };
    format!("{words}{newer}")
}

/// That a case is under embargo and until when, for everything of it that leaves the store (DI2); `None` where there
/// is no embargo or it is over.
pub fn embargo_words(row: &CaseRow, policy: &Policy, now: Timestamp) -> Option<String> {
    let deadlines = row.deadlines(&policy.periods, now);
    let publish = deadlines.into_iter().find(|deadline| deadline.kind == DeadlineKind::Publish)?;
    if matches!(publish.status, DeadlineStatus::None | DeadlineStatus::Met) {
        return None;
    }
    let until = publish.due.map(|due| format!(" until {}", due.strftime("%Y-%m-%d %H:%M UTC")));
    Some(format!("under embargo{}: share it with nobody else", until.unwrap_or_default()))
}

/// What the rules propose, in one line.
pub fn verdict_words(verdict: &Verdict) -> String {
    let by = clause_words(&verdict.clauses);
    let mut words = format!("suggested: {}{by}", verdict.disposition);
    if !verdict.why.is_empty() {
        words = format!("{words}: {}", verdict.why);
    }
    if !verdict.missing.is_empty() {
        let missing: Vec<_> = verdict.missing.iter().map(ToString::to_string).collect();
        words = format!("{words}; missing {}", missing.join(" "));
    }
    words
}

fn clause_words(clauses: &[ClauseId]) -> String {
    if clauses.is_empty() {
        return String::new();
    }
    let names: Vec<_> = clauses.iter().map(ToString::to_string).collect();
    format!(" by {}", names.join(" "))
}

/// The decision, or the suggestion with a mark that it is one.
pub fn outcome_words(row: &CaseRow) -> String {
    if let Some(decided) = row.disposition {
        return decided.to_string();
    }
    let clause = row.suggested_clauses.first().map_or_else(String::new, |id| format!(" {id}"));
    row.suggested.map_or_else(String::new, |suggested| format!("~{suggested}{clause}"))
}

/// The decision, or what the rules propose.
pub fn outcome_line(view: &CaseView) -> String {
    match &view.case.decision {
        Some(decision) => {
            let by = clause_words(&decision.clauses);
            format!("decided: {}{by}, {}", decision.disposition, decision.actor)
        }
        None => verdict_words(&view.verdict),
    }
}

/// A vector's score and what the cap makes of it, or its fault.
pub fn score_line(text: &str, policy: &Policy) -> String {
    let vector = match Vector::parse(text.trim()) {
        Ok(vector) => vector,
        Err(fault) => return format!("{text}: {fault}"),
    };
    let score = |v: &Vector| format!("{} {}", v.base(), v.severity().as_str());
    match vector.capped(&policy.scoring.max_attack_vector) {
        None => format!("{vector}: {}", score(&vector)),
        Some(capped) => {
            format!("{vector}: {}, capped to {}: {}", score(&vector), capped, score(&capped))
        }
    }
}

/// Both scores of a case: the reporter's and ours.
pub fn scores(view: &CaseView, policy: &Policy) -> String {
    let cap = |vector: &Vector| vector.capped(&policy.scoring.max_attack_vector);
    let shown = |vector: &Vector| format!("{} {}", vector.base(), vector.severity().as_str());
    let mut words = Vec::new();
    if let Some(vector) = view.case.vector.as_deref().and_then(|v| Vector::parse(v).ok()) {
        let counted = cap(&vector).unwrap_or(vector);
        words.push(format!("ours {}", shown(&counted)));
    }
    let readings = view.readings();
    if let Some(found) = readings.iter().flat_map(|reading| &reading.vectors).next() {
        words.push(match Vector::parse(&found.text) {
            Ok(vector) => match cap(&vector) {
                Some(capped) => format!("theirs {} → {}", shown(&vector), shown(&capped)),
                None => format!("theirs {}", shown(&vector)),
            },
            Err(_) => "theirs is not valid".into(),
        });
    }
    words.join(", ")
}

/// What an entry did, in a few words.
pub fn history_words(entry: &Entry) -> String {
    match entry.act() {
        Some(Act::Opened { .. }) => "opened".into(),
        Some(Act::Answered { clause, answer: Some(value), .. }) => {
            format!("{clause}: {}", value.as_str())
        }
        Some(Act::Answered { clause, answer: None, .. }) => format!("{clause}: answer taken back"),
        Some(Act::Scored { vector }) => format!("scored {vector}"),
        Some(Act::Decided { disposition, clauses, .. }) => {
            let by: Vec<_> = clauses.iter().map(ToString::to_string).collect();
            format!("decided {disposition} {}", by.join(" ")).trim_end().to_owned()
        }
        Some(Act::StateSet { state }) => format!("moved to {state}"),
        Some(Act::Noted { text }) => format!("note: {text}"),
        Some(Act::ReplyDrafted { template, .. }) => format!("reply drafted ({template})"),
        Some(Act::ReplyQueued {}) => "reply put into the outbox".into(),
        Some(Act::AdvisoryDrafted { .. }) => "advisory drafted".into(),
        Some(Act::Exported { formats }) => format!("advisory written: {}", formats.join(", ")),
        Some(Act::Merged { from, messages }) => {
            format!("merged with {from}, {} mails", messages.len())
        }
        Some(Act::Split { into, messages, .. }) => {
            format!("{} mails split off as {into}", messages.len())
        }
        Some(Act::PrecedentAdded { name, .. }) => format!("published record {name} added"),
        Some(Act::PrecedentRemoved { name }) => format!("published record {name} removed"),
        Some(Act::Undone { .. }) => "last act taken back".into(),
        None => format!("{} (of a newer version)", entry.kind),
    }
}

/// A line of a case's history.
pub fn history_line(entry: &Entry) -> DisplayText {
    let at = entry.at.strftime("%Y-%m-%d %H:%M UTC");
    DisplayText::line(&format!("{at}  {}, {}", history_words(entry), entry.actor))
}
