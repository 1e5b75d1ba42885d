//! Looking at everything: every archive record unpacked and hashed, every journal line, every index record.

use serde::Serialize;

use super::error::StoreError;
use super::scan::ArchivePosition;
use super::{Damage, Store};

/// What [`Store::verify`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// Archive records that are as they were written.
    pub archive_records: u64,
    /// What is damaged in the archive, in order.
    pub archive_damages: Vec<Damage>,
    /// Journal lines that are as they were written.
    pub journal_lines: u64,
    /// What is damaged in the journal; the first is where the chain breaks first.
    pub journal_damages: Vec<Damage>,
    /// Why the index has to be rebuilt, if it has.
    pub index_fault: Option<String>,
    /// Archive records and journal entries that the index does not know yet.
    pub unindexed: u64,
    /// Bytes free on the disk of the store, if that can be told.
    pub free_bytes: Option<u64>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.archive_damages.is_empty()
            && self.journal_damages.is_empty()
            && self.index_fault.is_none()
    }
}

impl Store {
    /// Reads everything. `progress` is called with the number of archive records read and of all; it returns
    /// false to stop early.
    ///
    /// # Errors
    /// If a file cannot be read at all. Damage is in the report.
    pub fn verify(&self, mut progress: impl FnMut(u64, u64) -> bool) -> Result<Report, StoreError> {
        let mut report = Report { free_bytes: self.free_space(), ..Report::default() };
        let all = self.archive_end().seq;
        let mut unknown = 0;
        for item in self.archive_records(&ArchivePosition::default())? {
            match item {
                Ok(record) => {
                    report.archive_records += 1;
                    let message = &record.message;
                    let waiting = self.archive.pending().find(message).is_some();
                    // An index that cannot be read is found out below.
                    let known = waiting || self.seq_of(message).is_ok_and(|seq| seq.is_some());
                    unknown += u64::from(!known);
                }
                Err(damage) => report.archive_damages.push(damage),
            }
            if !progress(report.archive_records, all) {
                break;
            }
        }
        let (entries, damages) = self.journal().entries()?;
        report.journal_lines = entries.len() as u64;
        report.journal_damages = damages;
        report.unindexed = (self.archive.pending().len() + self.journal().pending_len()) as u64;
        report.index_fault = self.with_index(|index| Ok(index.check().err()))?;
        if unknown > 0 {
            report
                .index_fault
                .get_or_insert_with(|| format!("{unknown} messages are not in the index"));
        }
        Ok(report)
    }
}
