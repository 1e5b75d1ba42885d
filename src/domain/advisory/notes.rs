//! What a good advisory would have, and this one has not: worth a look, never in the way of an export.

use super::score::score;
use super::{AdvisoryDraft, Fault, Format, scheme_for};
use crate::domain::cwe::{self, Usage};

/// Longest title that the OSV linter likes, in characters.
const TITLE_AIM: usize = 120;

/// Everything worth a look, in the order of the draft.
pub fn notes(draft: &AdvisoryDraft) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut add = |format: Option<Format>, field: String, fault: &str| {
        found.push(Fault { format, field, fault: fault.to_owned() });
    };
    if draft.title.chars().count() > TITLE_AIM {
        add(Some(Format::Osv), "title".into(), "is long; aim for 120 characters or fewer");
    }
    if draft.not_affected.is_some() {
        return found;
    }
    if draft.cve_description.is_none() {
        let fault = "missing; section Impact stands in, a text that stands alone reads better";
        add(Some(Format::Cve), "cve_description".into(), fault);
    }
    severity(draft, &mut add);
    weaknesses(draft, &mut add);
    ranges(draft, &mut add);
    sections(draft, &mut add);
    for (number, credit) in (1..).zip(&draft.credits) {
        if credit.consent == Some(false) {
            let fault = "has no consent, so no file names them; ask them how they want to be named";
            add(None, format!("credit[{number}].consent"), fault);
        } else if credit.github.is_none() {
            let fault = "missing; GitHub credits logins only, the name stands in the text alone";
            add(Some(Format::Ghsa), format!("credit[{number}].github"), fault);
        }
    }
    let has_fix = draft.affected.iter().any(|range| range.fixed.is_some());
    let fix_linked = draft.references.iter().any(|reference| {
        matches!(reference.kind, super::ReferenceKind::Fix | super::ReferenceKind::Release)
    });
    if has_fix && !fix_linked {
        add(None, "reference".into(), "no link to the fix or the release; add kind = \"fix\"");
    }
    found
}

type Add<'f> = dyn FnMut(Option<Format>, String, &str) + 'f;

fn severity(draft: &AdvisoryDraft, add: &mut Add<'_>) {
    let (old, new) = (&draft.severity.cvss_v3_1, &draft.severity.cvss_v4_0);
    let scored = |vector: &Option<String>| vector.as_deref().and_then(|v| score(v).ok());
    if old.is_none() && new.is_some() {
        let fault = "4.0 alone has no place in CSAF 2.0, which states it as a note";
        add(Some(Format::Csaf), "severity.cvss_v3_1".into(), fault);
    }
    if let (Some(old), Some(new)) = (scored(old), scored(new))
        && old.severity() != new.severity()
    {
        let fault = format!(
            "the two vectors give different bands, {:.1} {} and {:.1} {}; formats with room for one \
             take 3.1",
            old.base(),
            old.band(),
            new.base(),
            new.band()
        );
        add(None, "severity".into(), &fault);
    }
}

fn weaknesses(draft: &AdvisoryDraft, add: &mut Add<'_>) {
    if draft.weaknesses.is_empty() {
        add(None, "weakness".into(), "missing; name the weakness type, such as CWE-79");
    }
    for (number, weakness) in (1..).zip(&draft.weaknesses) {
        if cwe::find(&weakness.id).is_some_and(|known| known.usage == Usage::Discouraged) {
            let fault =
                "MITRE discourages it for vulnerabilities; a more precise entry fits better";
            add(None, format!("weakness[{number}].id"), fault);
        }
    }
}

/// Ends that say less than they could: `< 1.11.8` contains 1.11.8rc1, in which the fix may be already.
fn ranges(draft: &AdvisoryDraft, add: &mut Add<'_>) {
    let Some(scheme) = scheme_for(&draft.product.ecosystem) else { return };
    for (number, range) in (1..).zip(&draft.affected) {
        let field = format!("affected[{number}]");
        if range.fixed.is_none() && range.last_affected.is_none() && !range.unsupported {
            add(None, field, "has no end; give fixed, or last_affected until there is a fix");
        } else if range.unsupported && range.fixed.is_some() {
            add(None, field, "is unsupported and yet fixed; remove unsupported");
        } else if let Some(fixed) = &range.fixed
            && let Some(early) = mentioned_candidate(draft, fixed)
            && scheme.contains(range, &early) == Some(true)
        {
            let fault = format!(
                "counts {early}, which the text names, as affected; if it has the fix, write it"
            );
            add(None, format!("{field}.fixed"), &fault);
        }
    }
}

/// The first release candidate of a version that the text speaks of.
fn mentioned_candidate(draft: &AdvisoryDraft, version: &str) -> Option<String> {
    let start = format!("{version}rc");
    draft.sections.iter().find_map(|section| {
        let (_, rest) = section.body.split_once(start.as_str())?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(4).collect();
        (!digits.is_empty()).then(|| format!("{start}{digits}"))
    })
}

fn sections(draft: &AdvisoryDraft, add: &mut Add<'_>) {
    if draft.section("Workaround").or(draft.section("Workarounds")).is_none() {
        add(None, "section Workaround".into(), "missing; say so if there is none");
    }
    let later = ["will be patched", "will be fixed", "will be released"];
    for section in draft.sections.iter().filter(|_| draft.is_public()) {
        let body = section.body.to_lowercase();
        if let Some(words) = later.iter().find(|words| body.contains(**words)) {
            let fault = format!("still says \"{words}\" although it is public; say what was done");
            add(None, format!("section {}", section.heading.trim()), &fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::advisory::faults::{faults, tests::sound};
    use crate::domain::advisory::{AdvisoryStatus, Weakness};

    fn noted(draft: &AdvisoryDraft) -> Vec<String> {
        notes(draft).into_iter().map(|note| note.field).collect()
    }

    #[test]
    fn notes_never_block() {
        assert_eq!(faults(&sound()), []);
        let wanted = ["cve_description", "weakness", "section Workaround", "reference"];
        assert_eq!(noted(&sound()), wanted);
    }

    #[test]
    fn what_reads_badly_is_noted() {
        let mut draft = sound();
        let known = cwe::find("CWE-200").expect("listed");
        draft.weaknesses = vec![Weakness { id: known.id(), name: known.name.into() }];
        draft.status = AdvisoryStatus::Published;
        draft.dates.published = draft.dates.reported;
        draft.sections[0].body = "It will be patched; 1.4.2rc3 has it.".into();
        assert_eq!(faults(&draft), []);
        let fields = noted(&draft);
        for field in ["weakness[1].id", "section Impact", "affected[1].fixed"] {
            assert!(fields.iter().any(|noted| noted == field), "{field}: {fields:?}");
        }
    }
}
