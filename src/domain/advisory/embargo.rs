//! The embargo: what a draft says of it, and when the published form is refused (DI1, DI2).
//!
//! Absent on purpose: the clock; `now` is an argument. Dates are worded in UTC with the zone named, since the
//! people who share a draft live in several.

use jiff::Timestamp;

use super::{AdvisoryDraft, AdvisoryStatus, Fault};

/// The sentence that every draft carries where its format has room for one; `None` once it is public.
pub fn embargo_notice(draft: &AdvisoryDraft) -> Option<String> {
    if draft.is_public() {
        return None;
    }
    if draft.already_public {
        return Some("Draft. The flaw is public already, this text is not.".into());
    }
    let until = draft.dates.embargo_until;
    let until = until.map_or_else(String::new, |until| format!(" until {}", until.with_zone()));
    Some(format!("Draft under embargo{until}. Share only with those who fix it."))
}

/// Why the published form must not be written at `now`: each refusal with its remedy. Empty for drafts, and where
/// the draft says that the flaw is public already.
pub fn refusals(draft: &AdvisoryDraft, now: Timestamp) -> Vec<Fault> {
    let mut found = Vec::new();
    if !draft.is_public() || draft.already_public {
        return found;
    }
    let mut add = |field: &str, fault: String| {
        found.push(Fault { format: None, field: field.to_owned(), fault });
    };
    let dates = &draft.dates;
    if let Some(until) = dates.embargo_until.filter(|until| until.instant() > now) {
        let fault = format!(
            "the embargo runs until {}; write status = \"draft\" until then, or already_public = true",
            until.with_zone()
        );
        add("dates.embargo_until", fault);
    }
    if let Some(published) = dates.published.filter(|published| published.instant() > now) {
        let fault =
            format!("{} lies ahead; write status = \"draft\" until then", published.with_zone());
        add("dates.published", fault);
    }
    let fixed = draft.affected.iter().any(|range| range.fixed.is_some());
    let never = !draft.affected.is_empty() && draft.affected.iter().all(|range| range.unsupported);
    if draft.status == AdvisoryStatus::Published && draft.not_affected.is_none() && !fixed && !never
    {
        let fault =
            "no range has a fixed version; release the fix first, or write already_public = true";
        add("affected", fault.into());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::advisory::{AffectedRange, DraftDate};

    fn draft(status: AdvisoryStatus) -> AdvisoryDraft {
        let mut draft = AdvisoryDraft { status, ..AdvisoryDraft::default() };
        draft.affected =
            vec![AffectedRange { fixed: Some("1.2.3".into()), ..AffectedRange::default() }];
        draft.dates.published = DraftDate::parse("2026-06-01");
        draft
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn fields(draft: &AdvisoryDraft, now: &str) -> Vec<String> {
        refusals(draft, at(now)).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn the_published_form_waits_for_the_date_to_the_second() {
        let mut draft = draft(AdvisoryStatus::Published);
        // One hour later in summer time is the same instant as in UTC.
        draft.dates.embargo_until = DraftDate::parse("2026-06-23T20:00:00+02:00");
        assert_eq!(fields(&draft, "2026-06-23T17:59:59Z"), ["dates.embargo_until"]);
        assert_eq!(fields(&draft, "2026-06-23T18:00:00Z"), Vec::<String>::new());
        draft.already_public = true;
        assert_eq!(fields(&draft, "2026-06-02T00:00:00Z"), Vec::<String>::new());
        draft.already_public = false;
        draft.status = AdvisoryStatus::Draft;
        assert_eq!(fields(&draft, "2026-06-02T00:00:00Z"), Vec::<String>::new());
    }

    #[test]
    fn the_published_form_wants_a_fix_and_no_date_ahead() {
        let mut draft = draft(AdvisoryStatus::Published);
        draft.affected[0].fixed = None;
        assert_eq!(fields(&draft, "2026-06-02T00:00:00Z"), ["affected"]);
        assert_eq!(fields(&draft, "2026-05-31T23:59:59Z"), ["dates.published", "affected"]);
        draft.affected[0].unsupported = true;
        assert_eq!(fields(&draft, "2026-06-02T00:00:00Z"), Vec::<String>::new());
    }

    #[test]
    fn the_date_is_worded_with_its_zone_across_clock_changes() {
        let mut draft = draft(AdvisoryStatus::Draft);
        for (written, said) in [
            // The hour that Central Europe has twice: an offset tells which one is meant.
            ("2026-10-25T02:30:00+02:00", "until 2026-10-25 00:30 UTC"),
            ("2026-10-25T02:30:00+01:00", "until 2026-10-25 01:30 UTC"),
            // Just before and after the hour that it skips.
            ("2026-03-29T01:59:59+01:00", "until 2026-03-29 00:59:59 UTC"),
            ("2026-03-29T03:00:00+02:00", "until 2026-03-29 01:00 UTC"),
            // A day begins at its midnight in UTC, and other zones may call that another day.
            ("2026-06-23", "until 2026-06-23 00:00 UTC"),
            ("2026-12-31T23:30:00-02:00", "until 2027-01-01 01:30 UTC"),
        ] {
            draft.dates.embargo_until = DraftDate::parse(written);
            let notice = embargo_notice(&draft).expect("a notice");
            assert!(notice.contains(said), "{written}: {notice}");
        }
        draft.dates.embargo_until = None;
        assert_eq!(
            embargo_notice(&draft).as_deref(),
            Some("Draft under embargo. Share only with those who fix it.")
        );
        draft.status = AdvisoryStatus::Published;
        assert_eq!(embargo_notice(&draft), None);
    }
}
