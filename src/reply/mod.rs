//! Reply drafts: one template per disposition and one for the first answer, filled from the case.
//!
//! Owns: the words and what each template needs. Templates are code, so that a gap cannot be left unfilled.
//! Absent on purpose: recipients, threading headers and bytes (`mail`), sending, the clock. Nothing here is
//! sent by itself: the maintainer edits every draft. Read next: [`draft`], then `templates.rs`.

use crate::domain::Disposition;

pub mod lint;
pub mod material;
mod templates;

pub use material::{PolicyStamp, Quote, ReplyMaterial, ScoreNote, Source};

/// Name of the template for the first answer.
pub const ACKNOWLEDGE: &str = "acknowledge";

/// A filled template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drafted {
    /// Subject: one line.
    pub subject: String,
    /// Plain text, LF, one line feed at the end. Quoted policy sentences keep their own lines.
    pub text: String,
}

/// Why no draft was made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplyError {
    /// No such template.
    #[error("found no reply template {0:?}; use one of {known}", known = names().join(", "))]
    Unknown(String),
    /// Spam gets no answer.
    #[error("drafted no reply: spam is closed without an answer")]
    Unanswered,
    /// A decline must rest on the policy or on the maintainer's own words (capability M4).
    #[error("drafted no {0} reply: name a clause of the policy or type a reason first")]
    NoGround(&'static str),
    /// Nothing to ask for.
    #[error(
        "drafted no needs-info reply: no point is missing; mark one as unclear or type a reason"
    )]
    NothingMissing,
}

/// Names of all templates, in the order in which screens offer them.
pub fn names() -> Vec<&'static str> {
    std::iter::once(ACKNOWLEDGE)
        .chain(Disposition::ALL.into_iter().filter(|d| *d != Disposition::Spam).map(|d| d.as_str()))
        .collect()
}

/// Fills a template: `acknowledge` or the word of a disposition.
///
/// # Errors
/// [`ReplyError`]: unknown name, spam, a decline without clause or reason, nothing to ask for.
pub fn draft(template: &str, material: &ReplyMaterial) -> Result<Drafted, ReplyError> {
    let paragraphs = if template == ACKNOWLEDGE {
        templates::acknowledge(material)
    } else {
        let disposition = Disposition::parse(template)
            .ok_or_else(|| ReplyError::Unknown(template.chars().take(40).collect()))?;
        check_ground(disposition, material)?;
        templates::of(disposition, material)
    };
    Ok(Drafted { subject: material.reply_subject(), text: templates::letter(material, paragraphs) })
}

fn check_ground(disposition: Disposition, material: &ReplyMaterial) -> Result<(), ReplyError> {
    let has_reason = material.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
    match disposition {
        Disposition::Spam => Err(ReplyError::Unanswered),
        Disposition::NeedsInfo if material.missing.is_empty() && !has_reason => {
            Err(ReplyError::NothingMissing)
        }
        _ if disposition.declines() && material.clauses.is_empty() && !has_reason => {
            Err(ReplyError::NoGround(disposition.as_str()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
