//! The advisory of a case: its draft, what is missing, and what would be written.

use crate::domain::CaseId;
use crate::mail::DisplayText;

/// One fault of a draft.
#[derive(Clone, Debug)]
pub struct FaultLine {
    /// Format concerned, if only one is.
    pub format: Option<String>,
    /// Field, as the TOML names it.
    pub field: String,
    /// What is wrong and what to do.
    pub fault: DisplayText,
}

/// The advisory screen.
#[derive(Debug)]
pub struct AdvisoryScreen {
    /// The case.
    pub case: CaseId,
    /// The draft as TOML.
    pub toml: String,
    /// Whether the journal holds this draft.
    pub saved: bool,
    /// Everything missing or wrong, at once.
    pub faults: Vec<FaultLine>,
    /// The Markdown form, as far as it can be made.
    pub preview: Vec<DisplayText>,
    /// One line on severity and CVE.
    pub gate: DisplayText,
    /// Whether keys go to the preview instead of the faults.
    pub in_preview: bool,
    /// First fault shown.
    pub fault_top: usize,
    /// First preview line shown.
    pub top: usize,
}
