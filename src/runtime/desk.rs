//! The work on an open store: what the screen's workers and the headless commands both ask for.
//!
//! Owns: store, rules and whose decisions are written. Read next: [`super::ingest`], then [`super::view`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use ulid::Ulid;

use super::claims::Shelf;
use super::clock::Clock;
use super::ingest::{self, Archived, Changed};
use super::regroup::{self, Regrouped};
use super::{presence, view};
use crate::app::Problem;
use crate::app::case::CaseView;
use crate::app::material::Me;
use crate::app::row::CaseRow;
use crate::domain::journal::{Act, NewEntry};
use crate::domain::policy::Policy;
use crate::domain::policy_text::PolicyText;
use crate::domain::{CaseId, MessageRef};
use crate::intake::{self, Ours};
use crate::store::{
    ArchivePosition, ArchiveRecord, Batch, CaseRecord, ErrorKind, Health, JournalPosition,
    MailRecord, Mode, PolicyPart, Store, StoreError,
};
use crate::sync::{Meta, UidSet};

/// The rules that mail is read by.
#[derive(Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The file that it was read from.
    pub policy_data: Arc<str>,
    /// Its hint rules, ready to run.
    pub hints: HintRules,
    /// Whose mail counts as ours.
    pub ours: Ours,
    /// Folder of sent mail: what lies there counts as ours, whoever sent it.
    pub sent: Option<String>,
    /// Folder of junk: what comes from there is marked.
    pub junk: Option<String>,
}

/// Mails after which searches begin anew. Twice as many take 15 MB more for 10,000 mails on two processors.
const REST_AFTER: usize = 256;

/// The hint rules of a policy, compiled when the first mail is read: a command that reads none starts without them.
#[derive(Debug)]
pub struct HintRules {
    policy: Arc<Policy>,
    compiled: OnceLock<Option<RwLock<intake::hints::Rules>>>,
    /// Mails read since the last rest.
    read: AtomicUsize,
}

impl HintRules {
    /// Rules that are not compiled yet.
    pub fn new(policy: &Arc<Policy>) -> Self {
        Self { policy: Arc::clone(policy), compiled: OnceLock::new(), read: AtomicUsize::new(0) }
    }

    /// The rules. Reading the policy has found every pattern sound; `None` if one is not all the same: a mail is then
    /// kept and listed without hints.
    pub fn get(&self) -> Option<RwLockReadGuard<'_, intake::hints::Rules>> {
        let compile = || intake::hints::Rules::compile(&self.policy).ok().map(RwLock::new);
        let rules = self.compiled.get_or_init(compile).as_ref()?;
        Some(rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells that so many mails more were read. Now and then, the memory that searches have built up is given back:
    /// it would grow by 50 MB over some thousand mails.
    pub fn rest_after(&self, mails: usize) {
        if self.read.fetch_add(mails, Ordering::Relaxed) + mails < REST_AFTER {
            return;
        }
        self.read.store(0, Ordering::Relaxed);
        if let Some(Some(rules)) = self.compiled.get() {
            rules.write().unwrap_or_else(PoisonError::into_inner).rest();
        }
    }
}

/// An open store with everything that is needed to work on it.
pub struct Desk {
    /// The store.
    pub store: Store,
    /// The rules.
    pub rules: Rules,
    /// The sentences of the policy text.
    pub policy_text: Option<Arc<PolicyText>>,
    /// Who decides.
    pub me: Me,
    /// The clock.
    pub clock: Clock,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// What is known of the product's source.
    pub claims: Shelf,
    /// Held from reading records to writing them, so that a pull and a decision on one case never write over
    /// each other. The workers take it; the thread of the screen never does.
    changing: Mutex<()>,
    /// The sketches of all cases, read when the first are compared.
    pub(super) twins: Mutex<Option<super::twins::Known>>,
    /// Copy of the index for reading only; removed with the desk.
    _scratch: Option<tempfile::TempDir>,
}

/// What opening a desk needs.
pub struct Opening {
    /// Folder of the store.
    pub dir: PathBuf,
    /// The rules.
    pub rules: Rules,
    /// The sentences of the policy text.
    pub policy_text: Option<Arc<PolicyText>>,
    /// Who decides.
    pub me: Me,
    /// The clock.
    pub clock: Clock,
    /// Open for reading only.
    pub read_only: bool,
    /// Checkout of the product's source.
    pub checkout: Option<PathBuf>,
}

/// Why something about a case could not be done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store refused.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The folder for a copy of the index could not be made.
    #[error("could not make a temporary folder: {0}")]
    Scratch(std::io::Error),
    /// There is nothing to undo.
    #[error("there is no act on this case to take back")]
    NothingToUndo,
    /// A case cannot be merged with itself.
    #[error("both names lead to case {0}")]
    OneCase(CaseId),
    /// No mail of the case was named.
    #[error("none of these is a mail of the case")]
    NothingToSplit,
    /// The case would lose the mail that it is named after.
    #[error("the first mail names the case and cannot be split off")]
    SplitsRoot,
    /// No such published record.
    #[error("no published record {0} is kept")]
    NoPrecedent(String),
    /// A file that is no published record.
    #[error("{0}")]
    Record(#[from] crate::export::import::ImportError),
}

impl DeskError {
    /// The error as a person reads it. The store's sentences hold what to do behind their last colon.
    pub fn problem(&self) -> Problem {
        let text = self.to_string();
        let (what, next) = match self {
            Self::Store(error) => match text.rsplit_once(": ") {
                Some((what, next)) => (with_causes(what, error), next.to_owned()),
                None => (with_causes(&text, error), next_step(error).into()),
            },
            Self::Scratch(_) => (text, "check the free space of the temporary folder".into()),
            Self::NothingToUndo => (text, "nothing was changed".into()),
            Self::OneCase(_) => (text, "name two cases; nothing was changed".into()),
            Self::NothingToSplit => {
                (text, "`casebook show` numbers the mails; give numbers or ids".into())
            }
            Self::SplitsRoot => (text, "split the other mails off instead".into()),
            Self::NoPrecedent(_) => (text, "`casebook precedent list` shows them".into()),
            Self::Record(_) => {
                (text, "name an OSV record, a CVE record or a GitHub advisory as JSON".into())
            }
        };
        Problem { what, next }
    }
}

/// What to do where the store's sentence does not say it.
const fn next_step(error: &StoreError) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "`casebook list` shows the ids; a unique beginning is enough",
        _ => "see whether the disk and the folder are in order",
    }
}

/// The sentence with what lies below it.
fn with_causes(what: &str, error: &StoreError) -> String {
    let mut text = what.to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text} ({inner})");
        cause = inner.source();
    }
    text
}

/// Cases read at a time where all are looked at.
const PAGE: usize = 500;

/// Hears about long work: what is done, and of how much.
pub type Upkeep<'a> = &'a mut dyn FnMut(&str, u64, u64);

impl Desk {
    /// Opens a store, and brings its index up to date or makes it anew if it is not.
    ///
    /// # Errors
    /// If the store is busy or refused by the system.
    pub fn open(opening: Opening, upkeep: Upkeep<'_>) -> Result<Self, DeskError> {
        let scratch = opening.read_only.then(tempfile::tempdir).transpose();
        let scratch = scratch.map_err(DeskError::Scratch)?;
        let mode = match &scratch {
            Some(folder) => Mode::ReadOnly { scratch: folder.path() },
            None => Mode::ReadWrite,
        };
        let (store, health) = Store::open(&opening.dir, mode, &new_ulid())?;
        let desk = Self {
            store,
            rules: opening.rules,
            policy_text: opening.policy_text,
            me: opening.me,
            clock: opening.clock,
            read_only: opening.read_only,
            claims: Shelf::new(opening.checkout),
            changing: Mutex::new(()),
            twins: Mutex::new(None),
            _scratch: scratch,
        };
        match health {
            Health::Fresh | Health::Sound => {}
            Health::Behind { archive, journal } => desk.catch_up(archive, journal, upkeep)?,
            Health::Rebuild(_) => {
                desk.catch_up(ArchivePosition::default(), JournalPosition::default(), upkeep)?;
                desk.store.finish_rebuild()?;
            }
        }
        Ok(desk)
    }

    /// Makes the index anew from archive and journal.
    ///
    /// # Errors
    /// If a file cannot be read or the index cannot be written.
    pub fn rebuild(&self, upkeep: Upkeep<'_>) -> Result<(), DeskError> {
        self.store.reset_index()?;
        self.catch_up(ArchivePosition::default(), JournalPosition::default(), upkeep)?;
        self.store.finish_rebuild()?;
        Ok(())
    }

    /// Indexes what the files hold after these points: entries first, so that mails find the ids that they pin.
    fn catch_up(
        &self,
        archive: ArchivePosition,
        journal: JournalPosition,
        upkeep: Upkeep<'_>,
    ) -> Result<(), DeskError> {
        let (entries, _) = self.store.journal_entries(&journal)?;
        let mut pins: BTreeMap<MessageRef, CaseId> = BTreeMap::new();
        let mut touched: Vec<CaseId> = Vec::new();
        let mut batch = Batch::new();
        let mut end = None;
        for stored in &entries {
            if let Some(Act::Opened { root, .. }) = stored.entry.act() {
                pins.entry(root).or_insert_with(|| stored.entry.case.clone());
            }
            touched.push(stored.entry.case.clone());
            batch.put_entry(stored);
            end = Some(stored.after.clone());
        }
        if !batch.is_empty() {
            self.store.commit(batch)?;
        }
        touched.sort();
        touched.dedup();
        // Before the mails, which find there where they were put; and once more for those that are indexed already.
        self.regroup(&touched, &mut Batch::new())?;
        let total = self.store.archive_end().seq.saturating_sub(archive.seq);
        let mut done = 0;
        let (mut step, mut bytes) = (Vec::new(), 0);
        let index = |step: &mut Vec<ArchiveRecord>| {
            ingest::index_mails(&self.store, &self.rules, std::mem::take(step), &pins)
        };
        for record in self.store.archive_records(&archive)? {
            let record = match record {
                Ok(record) => record,
                Err(damage) => {
                    self.store.pass_over(damage);
                    continue;
                }
            };
            done += 1;
            bytes += record.mail.raw.len();
            step.push(record);
            if step.len() == ingest::STEP || bytes >= ingest::STEP_BYTES {
                bytes = 0;
                index(&mut step)?;
                upkeep("bringing the index up to date", done, total);
            }
        }
        index(&mut step)?;
        let mut last = Batch::new();
        for id in touched {
            if self.refresh_case(&id)?.is_none() {
                self.refresh_precedent(&id, &mut last)?;
            }
        }
        if let Some(end) = end {
            last.advance_journal(end);
        }
        if !last.is_empty() {
            self.store.commit(last)?;
        }
        self.store.flush()?;
        Ok(())
    }

    /// Works the record of a case out again from its mails and its entries.
    pub(super) fn refresh_case(&self, id: &CaseId) -> Result<Option<CaseRecord>, StoreError> {
        let Some(known) = self.store.case_by_id(id)? else { return Ok(None) };
        let mails = self.mails_of(&known)?;
        let case = ingest::fold(&self.store, id, true)?;
        let root = case.root.unwrap_or(known.root);
        let mails: Vec<&MailRecord> = mails.iter().collect();
        let pinned = case.entry_count() > 0;
        let claims = self.claims.known(id);
        let record =
            ingest::case_record(&self.rules, known.number, root, pinned, &mails, &case, claims);
        let mut batch = Batch::new();
        batch.put_case(record.clone());
        self.store.commit(batch)?;
        Ok(Some(record))
    }

    /// The mails of a case, oldest first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn mails_of(&self, case: &CaseRecord) -> Result<Vec<MailRecord>, StoreError> {
        let mut mails = Vec::with_capacity(case.members.len());
        for seq in &case.members {
            mails.extend(self.store.mail(*seq)?);
        }
        Ok(mails)
    }

    /// The case whose id begins with `prefix`.
    ///
    /// # Errors
    /// If there is none or several.
    pub fn find(&self, prefix: &str) -> Result<CaseRecord, DeskError> {
        Ok(self.store.case_by_prefix(&view::printable(&prefix.to_lowercase()))?)
    }

    /// Every case, in the order of its number.
    pub fn all_cases(&self) -> impl Iterator<Item = Result<CaseRecord, StoreError>> {
        let mut after = 0;
        let mut page: std::vec::IntoIter<CaseRecord> = Vec::new().into_iter();
        let mut failed = false;
        std::iter::from_fn(move || {
            if let Some(record) = page.next() {
                return Some(Ok(record));
            }
            if std::mem::take(&mut failed) {
                return None;
            }
            match self.store.cases_after(after, PAGE) {
                Ok(records) => {
                    after = records.last()?.number;
                    page = records.into_iter();
                    page.next().map(Ok)
                }
                Err(error) => {
                    failed = true;
                    Some(Err(error))
                }
            }
        })
    }

    /// The queue lines of some cases.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn rows(&self, numbers: impl IntoIterator<Item = u64>) -> Result<Vec<CaseRow>, StoreError> {
        let mut rows = Vec::new();
        for number in numbers {
            if let Some(record) = self.store.case(number)? {
                rows.push(self.row(record)?);
            }
        }
        Ok(rows)
    }

    /// The queue line of a case.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn row(&self, record: CaseRecord) -> Result<CaseRow, StoreError> {
        let unique = self.store.unique_prefix_len(&record.id)?;
        Ok(view::row(record, unique))
    }

    /// Everything about a case, with the cases and published records that are like it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn view(&self, record: CaseRecord) -> Result<CaseView, DeskError> {
        Ok(view::case(self, record)?)
    }

    /// Everything about a case by itself: for work on many, where none is compared with the others.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn view_alone(&self, record: CaseRecord) -> Result<CaseView, DeskError> {
        Ok(view::alone(self, record)?)
    }

    /// Writes acts to the journal. When this returns they are safe on disk.
    ///
    /// # Errors
    /// If the store is read-only or a write fails; then none of them was written.
    pub fn record(&self, case: &CaseId, acts: Vec<Act>) -> Result<CaseRecord, DeskError> {
        let _one = self.changing();
        let known = self.find(case.as_str())?;
        let mut all: Vec<(CaseId, Act)> = Vec::with_capacity(acts.len() + 1);
        all.extend(self.opening(&known)?);
        all.extend(acts.into_iter().map(|act| (known.id.clone(), act)));
        let batch = self.append(all)?;
        self.store.commit(batch)?;
        let record = self.refresh_case(&known.id)?;
        self.store.flush()?;
        Ok(record.unwrap_or(known))
    }

    /// The act that fixes the id of a case, unless it is fixed, and pins it to the present policy; what that says is
    /// kept.
    ///
    /// # Errors
    /// If the policy's words cannot be kept.
    pub(super) fn opening(&self, known: &CaseRecord) -> Result<Option<(CaseId, Act)>, StoreError> {
        if known.pinned {
            return Ok(None);
        }
        let policy = self.store.keep_policy(PolicyPart::Data, &self.rules.policy_data)?;
        let text = self.policy_text.as_deref().map(PolicyText::as_str);
        let text = text.map(|text| self.store.keep_policy(PolicyPart::Text, text)).transpose()?;
        Ok(Some((known.id.clone(), Act::Opened { root: known.root, policy, text })))
    }

    /// Appends entries to the journal and lists them. What is returned says that they have had their effect on the
    /// index, and is to be committed with or after it.
    pub(super) fn append(&self, acts: Vec<(CaseId, Act)>) -> Result<Batch, StoreError> {
        let at = Clock::wall();
        let entry =
            |(case, act)| NewEntry { id: new_ulid(), at, actor: self.me.actor(), case, act };
        let new: Vec<NewEntry> = acts.into_iter().map(entry).collect();
        let stored = self.store.append(&new)?;
        let (mut listed, mut done) = (Batch::new(), Batch::new());
        for one in &stored {
            listed.put_entry(one);
            done.advance_journal(one.after.clone());
        }
        self.store.commit(listed)?;
        Ok(done)
    }

    /// Takes the newest act on a case back by one more entry.
    ///
    /// # Errors
    /// If there is none, or the write fails.
    pub fn undo(&self, case: &CaseId) -> Result<(Regrouped, String), DeskError> {
        let _one = self.changing();
        let known = self.find(case.as_str())?;
        let entries = if known.pinned { self.store.entries(&known.id)? } else { Vec::new() };
        let folded = crate::domain::Case::fold(known.id.clone(), &entries);
        let last = folded.last_undoable();
        let newest = last.first().ok_or(DeskError::NothingToUndo)?;
        let entry_of = |id: &str| entries.iter().find(|entry| entry.id == id);
        let mut what =
            entry_of(newest).map_or_else(String::new, crate::app::material::history_words);
        if last.len() > 1 {
            what = format!("{what} and {} more", last.len() - 1);
        }
        let moves =
            last.iter().any(|id| entry_of(id).is_some_and(|e| regroup::regroups(e, &entries)));
        let undo = |entry: &&str| (known.id.clone(), Act::Undone { entry: (*entry).to_owned() });
        let mut batch = self.append(last.iter().map(undo).collect())?;
        let mut changed = Changed::default();
        if moves {
            changed = self.regroup(std::slice::from_ref(&known.id), &mut batch)?;
        }
        self.store.commit(batch)?;
        let record = self.refresh_case(&known.id)?;
        self.store.flush()?;
        self.twins_changed(&changed)?;
        Ok((Regrouped { case: record.unwrap_or(known), changed }, what))
    }

    /// The raw bytes of a mail.
    ///
    /// # Errors
    /// If its archive record is damaged or gone.
    pub fn raw(&self, message: &MessageRef) -> Result<Vec<u8>, StoreError> {
        self.store.raw_by_ref(message)
    }

    /// Stores new mail.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(
        &self,
        mails: Vec<crate::store::NewMail>,
        cursor: Option<(&str, Vec<u8>)>,
    ) -> Result<Changed, StoreError> {
        let archived = self.archive(mails)?;
        self.list(archived, cursor)
    }

    /// Stores new mail in the archive: the first half of [`Desk::add`]. The next mail may be archived before this one
    /// is listed, but is listed after it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn archive(&self, mails: Vec<crate::store::NewMail>) -> Result<Archived, StoreError> {
        ingest::archive(&self.store, &self.rules, mails)
    }

    /// Lists mail that was archived: the second half of [`Desk::add`].
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn list(
        &self,
        archived: Archived,
        cursor: Option<(&str, Vec<u8>)>,
    ) -> Result<Changed, StoreError> {
        let _one = self.changing();
        let changed = ingest::list(&self.store, &self.rules, archived, cursor)?;
        self.twins_changed(&changed)?;
        Ok(changed)
    }

    /// Marks what is not on the server any more. The copies here stay.
    ///
    /// # Errors
    /// If the index cannot be read or written.
    pub fn vanished(
        &self,
        mailbox: &str,
        uid_validity: u32,
        uids: &[(u32, u32)],
    ) -> Result<Changed, StoreError> {
        let _one = self.changing();
        presence::vanished(&self.store, mailbox, uid_validity, uids)
    }

    /// Takes over what the server says now of messages that it gave before. Returns those UIDs that stand for other ones.
    ///
    /// # Errors
    /// If the index cannot be read or written.
    pub fn compare(
        &self,
        mailbox: &str,
        uid_validity: u32,
        now: &[Meta],
    ) -> Result<UidSet, StoreError> {
        let _one = self.changing();
        presence::compare(&self.store, mailbox, uid_validity, now)
    }

    /// Marks what a mailbox had under another UIDVALIDITY than this one, and has not under this one.
    ///
    /// # Errors
    /// If the index cannot be read or written.
    pub fn settled(&self, mailbox: &str, uid_validity: u32) -> Result<Changed, StoreError> {
        let _one = self.changing();
        let mut changed = Changed::default();
        for old in self.store.uid_validities(mailbox)? {
            if old != uid_validity {
                let all = [(1, u32::MAX)];
                changed.extend(presence::vanished(&self.store, mailbox, old, &all)?);
            }
        }
        Ok(changed)
    }

    /// Taken from reading records to writing them.
    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers whose words no longer stand where they say, each as one line (capability M2).
    ///
    /// # Errors
    /// If index or journal cannot be read.
    pub fn broken_anchors(&self) -> Result<Vec<String>, StoreError> {
        let mut broken = Vec::new();
        for record in self.all_cases() {
            let record = record?;
            let case = ingest::fold(&self.store, &record.id, record.pinned)?;
            for (clause, answer) in &case.answers {
                let Some(evidence) = &answer.evidence else { continue };
                let raw = self.raw(&evidence.message);
                if !raw.is_ok_and(|raw| evidence.fits(&crate::mail::parse(&raw).text)) {
                    broken.push(format!("{} {clause}, line {}", record.id, evidence.line));
                }
            }
        }
        Ok(broken)
    }

    /// Folder of the store.
    pub fn dir(&self) -> &Path {
        self.store.dir()
    }
}

/// A fresh ULID from the wall clock and random bits.
pub fn new_ulid() -> String {
    let now = u64::try_from(Clock::wall().as_millisecond()).unwrap_or_default();
    Ulid::from_parts(now, super::random::bits()).to_string()
}
