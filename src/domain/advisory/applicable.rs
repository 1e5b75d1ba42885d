//! Which formats a draft is written in when all are asked for.

use super::score::score;
use super::{AdvisoryDraft, Format};
use crate::domain::cvss::Words;

/// The formats that apply, and why others do not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Applicable {
    /// To be written, in the order of the files.
    pub formats: Vec<Format>,
    /// Left out, each with its reason in one line.
    pub left_out: Vec<(Format, String)>,
}

/// Whether a CVE id is due: the score of the vector that stands for the advisory reaches `cve_from_tenths`, the
/// policy's threshold in tenths (PD6). `None` while there is no valid vector.
pub fn cve_due(draft: &AdvisoryDraft, cve_from_tenths: u16) -> Option<bool> {
    let scored = score(draft.severity.main()?).ok()?;
    Some(scored.tenths() >= cve_from_tenths)
}

/// The formats that apply to the draft: OpenVEX alone for "not affected", else every one but OpenVEX. Below the
/// threshold there is an advisory but no CVE record, unless an id was assigned all the same.
pub fn applicable(draft: &AdvisoryDraft, cve_from_tenths: u16) -> Applicable {
    if draft.not_affected.is_some() {
        let why = "the draft says that the product is not affected";
        let left_out = Format::ALL.map(|format| (format, why.to_owned())).to_vec();
        return Applicable { formats: vec![Format::OpenVex], left_out };
    }
    let mut all = Applicable { formats: Format::ALL.to_vec(), left_out: Vec::new() };
    if draft.cve_id.is_none() && cve_due(draft, cve_from_tenths) == Some(false) {
        all.formats.retain(|format| *format != Format::Cve);
        all.left_out.push((Format::Cve, below(draft, cve_from_tenths)));
    }
    all
}

/// Why there is no CVE record.
fn below(draft: &AdvisoryDraft, cve_from_tenths: u16) -> String {
    let scored = draft.severity.main().and_then(|vector| score(vector).ok());
    let scored = scored.map_or_else(String::new, |scored| {
        format!("{:.1} {}", scored.base(), scored.severity().word(Words::Policy))
    });
    let (whole, tenth) = (cve_from_tenths / 10, cve_from_tenths % 10);
    format!("{scored} is below {whole}.{tenth}, from which a CVE id is requested")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::advisory::NotAffected;

    fn scored(vector: &str) -> AdvisoryDraft {
        let mut draft = AdvisoryDraft::default();
        draft.severity.cvss_v3_1 = Some(vector.into());
        draft
    }

    #[test]
    fn low_severity_gives_an_advisory_without_a_cve_record() {
        let low = scored("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N");
        let found = applicable(&low, 40);
        assert!(!found.formats.contains(&Format::Cve) && found.formats.contains(&Format::Osv));
        assert_eq!(found.left_out[0].0, Format::Cve);
        assert!(found.left_out[0].1.contains("below 4.0"), "{found:?}");
        assert_eq!(applicable(&low, 10).formats, Format::ALL, "the threshold is the policy's");
        let assigned = AdvisoryDraft { cve_id: Some("CVE-2026-10001".into()), ..low };
        assert_eq!(applicable(&assigned, 40).formats, Format::ALL);
        let exactly = scored("CVSS:3.1/AV:L/AC:L/PR:H/UI:R/S:U/C:L/I:L/A:L");
        assert_eq!(cve_due(&exactly, 40), Some(true));
        assert_eq!(cve_due(&AdvisoryDraft::default(), 40), None);
    }

    #[test]
    fn not_affected_is_said_in_openvex_alone() {
        let not_affected = Some(NotAffected::default());
        let draft = AdvisoryDraft { not_affected, ..AdvisoryDraft::default() };
        assert_eq!(applicable(&draft, 40).formats, [Format::OpenVex]);
    }
}
