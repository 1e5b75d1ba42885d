//! A draft as every format needs it: text cleaned, ranges sorted, scores computed, gaps filled by rule.

use std::cmp::Ordering;

use super::text::{clean, clean_line, markdown, markdown_line};
use crate::domain::advisory::ecosystem::ECOSYSTEMS;
use crate::domain::advisory::faults::is_ghsa_id;
use crate::domain::advisory::range::compare_starts;
use crate::domain::advisory::{
    AdvisoryDraft, AdvisoryStatus, AffectedRange, DraftDate, Ecosystem, ReferenceKind, Scored,
    ecosystem, scheme_for, score,
};
use crate::domain::credit::Credit;

/// What the writers read. Never fails: an unfinished draft gives a preview with gaps.
pub struct View<'d> {
    pub draft: &'d AdvisoryDraft,
    pub title: String,
    pub vendor: String,
    pub product: String,
    /// Package name as its ecosystem normalises it.
    pub package: String,
    /// The ecosystem; an unfinished draft is shown as if for PyPI.
    pub ecosystem: &'static Ecosystem,
    /// Ranges in the order of their beginnings.
    pub ranges: Vec<AffectedRange>,
    /// Valid vectors: 3.1, then 4.0.
    pub vectors: Vec<(String, Scored)>,
    /// Headings and bodies, cleaned; Impact and Patches always among them.
    pub sections: Vec<(String, String)>,
    pub credits: Vec<(String, &'d Credit)>,
    pub references: Vec<(ReferenceKind, String)>,
}

impl<'d> View<'d> {
    pub fn of(draft: &'d AdvisoryDraft) -> Self {
        let ecosystem = ecosystem(&draft.product.ecosystem).unwrap_or(&ECOSYSTEMS[0]);
        let mut view = Self {
            draft,
            title: clean_line(&draft.title),
            vendor: clean_line(&draft.product.vendor),
            product: clean_line(&draft.product.name),
            package: ecosystem.normalised(&clean_line(&draft.product.package)),
            ecosystem,
            ranges: sorted_ranges(draft),
            vectors: [&draft.severity.cvss_v3_1, &draft.severity.cvss_v4_0]
                .into_iter()
                .flatten()
                .filter_map(|vector| Some((vector.clone(), score(vector).ok()?)))
                .collect(),
            sections: Vec::new(),
            credits: draft.named_credits().map(|c| (clean_line(&c.name), c)).collect(),
            references: references(draft),
        };
        view.sections = sections(&view);
        view
    }

    /// The vector that stands for the advisory, with its score.
    pub fn main(&self) -> Option<&(String, Scored)> {
        self.vectors.first()
    }

    /// A section's cleaned body.
    pub fn section(&self, heading: &str) -> Option<&str> {
        self.sections
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(heading))
            .map(|(_, body)| body.as_str())
    }

    /// Workarounds, under either heading in use.
    pub fn workaround(&self) -> Option<&str> {
        self.section("Workaround").or_else(|| self.section("Workarounds"))
    }

    /// The CVE description, or what stands in for it.
    pub fn description(&self) -> String {
        match &self.draft.cve_description {
            Some(text) => clean(text),
            None => self.section("Impact").unwrap_or_default().to_owned(),
        }
    }

    /// Every section as Markdown under level-3 headings.
    pub fn body(&self) -> String {
        let logins = self.logins();
        let parts: Vec<String> = self
            .sections
            .iter()
            .map(|(heading, body)| {
                let body = not_a_heading_first(markdown(body, &logins));
                format!("### {}\n\n{body}", markdown_line(heading, &logins))
            })
            .collect();
        parts.join("\n\n")
    }

    /// GitHub logins of credited people, who may be mentioned.
    pub fn logins(&self) -> Vec<&str> {
        self.credits.iter().filter_map(|(_, credit)| credit.github.as_deref()).collect()
    }

    /// When it became public, if it did.
    pub fn published(&self) -> Option<DraftDate> {
        self.draft.dates.published.filter(|_| self.draft.is_public())
    }

    /// When the public record last changed, or the draft.
    pub fn modified(&self) -> DraftDate {
        let dates = &self.draft.dates;
        let changed = match self.published() {
            Some(published) => [Some(published), dates.modified, dates.withdrawn]
                .into_iter()
                .flatten()
                .max_by_key(DraftDate::instant),
            None => dates.last_change(),
        };
        // A draft without any date is a fault; its preview shows the beginning of time.
        changed.unwrap_or(DraftDate::Instant(jiff::Timestamp::UNIX_EPOCH))
    }

    /// Whether it is not public yet.
    pub fn is_draft(&self) -> bool {
        !self.draft.is_public()
    }

    /// The agreed end of the embargo, while one can be running.
    pub fn embargo_until(&self) -> Option<DraftDate> {
        let runs = self.is_draft() && !self.draft.already_public;
        self.draft.dates.embargo_until.filter(|_| runs)
    }

    pub fn is_withdrawn(&self) -> bool {
        self.draft.status == AdvisoryStatus::Withdrawn
    }

    /// The versions with the fix.
    pub fn fixed(&self) -> Vec<&str> {
        self.ranges.iter().filter_map(|range| range.fixed.as_deref()).collect()
    }

    /// Package URL without version.
    pub fn purl(&self) -> String {
        self.ecosystem.purl_of(&self.package)
    }

    /// Package URL of one version. Epochs and local parts hold `!` and `+`, which are escaped.
    pub fn purl_at(&self, version: &str) -> String {
        format!("{}@{}", self.purl(), escape(version))
    }

    /// `vers:pypi/…` of a range (vers has no word for "from the beginning").
    pub fn vers(&self, range: &AffectedRange) -> String {
        format!("vers:{}/{}", self.ecosystem.purl, constraints(range))
    }

    /// Our own id in the form that OSV keeps free for private databases.
    pub fn private_id(&self) -> String {
        let package = super::text::file_stem(self.package.trim_start_matches('@'));
        let prefix = format!("{package}-");
        let id = &self.draft.id;
        if id.to_ascii_lowercase().starts_with(&prefix) {
            format!("x_{id}")
        } else {
            format!("x_{prefix}{id}")
        }
    }

    /// GitHub's pages of related advisories that are not linked anyway.
    pub fn related_urls(&self) -> Vec<String> {
        let repo = self.draft.product.repo.trim_end_matches('/');
        if !repo.starts_with("https://github.com/") {
            return Vec::new();
        }
        let page = |id: &String| format!("{repo}/security/advisories/{id}");
        let linked = |url: &String| self.references.iter().any(|(_, known)| known == url);
        let ids = self.draft.related.iter().filter(|id| is_ghsa_id(id));
        ids.map(page).filter(|url| !linked(url)).collect()
    }

    /// Where GitHub shows the advisory.
    pub fn advisory_url(&self) -> Option<&str> {
        self.references
            .iter()
            .find(|(kind, _)| *kind == ReferenceKind::Advisory)
            .map(|(_, url)| url.as_str())
    }
}

/// The constraints of a range in the grammar of vers.
pub fn constraints(range: &AffectedRange) -> String {
    let from = (range.introduced != "0").then(|| format!(">={}", escape(&range.introduced)));
    let to = match (&range.fixed, &range.last_affected) {
        (Some(fixed), _) => Some(format!("<{}", escape(fixed))),
        (None, Some(last)) if *last == range.introduced => return escape(last),
        (None, Some(last)) => Some(format!("<={}", escape(last))),
        (None, None) => None,
    };
    let parts: Vec<String> = from.into_iter().chain(to).collect();
    if parts.is_empty() { "*".into() } else { parts.join("|") }
}

/// Characters of a version that package URLs and vers escape.
fn escape(version: &str) -> String {
    version.replace('%', "%25").replace('!', "%21").replace('+', "%2B")
}

/// A heading right below the section's own would make the section look empty, so it becomes bold text.
fn not_a_heading_first(body: String) -> String {
    if !body.starts_with('#') {
        return body;
    }
    let (line, rest) = body.split_once('\n').unwrap_or((&body, ""));
    let title = line.trim_start_matches('#');
    let first = match title.trim() {
        words if !words.is_empty() && title.starts_with(' ') => format!("**{words}**"),
        _ => format!("\\{line}"),
    };
    format!("{first}\n{rest}")
}

fn sorted_ranges(draft: &AdvisoryDraft) -> Vec<AffectedRange> {
    let mut ranges = draft.affected.clone();
    if let Some(scheme) = scheme_for(&draft.product.ecosystem) {
        ranges.sort_by(|a, b| {
            compare_starts(scheme, &a.introduced, &b.introduced).unwrap_or(Ordering::Equal)
        });
    }
    ranges
}

/// The draft's sections; Impact, Patches, Credits and Timeline are made from the facts where they are absent.
fn sections(view: &View<'_>) -> Vec<(String, String)> {
    let draft = view.draft;
    let mut sections: Vec<(String, String)> =
        draft.sections.iter().map(|s| (clean_line(&s.heading), clean(&s.body))).collect();
    let absent = |heading: &str| draft.section(heading).is_none();
    if absent("Impact") {
        let text = draft.cve_description.as_deref().map(clean).unwrap_or_default();
        sections.insert(0, ("Impact".into(), text));
    }
    if absent("Patches") {
        let after = sections.iter().position(|(heading, _)| heading.eq_ignore_ascii_case("Impact"));
        let at = after.map_or(0, |at| at + 1);
        sections.insert(at, ("Patches".into(), patches(view)));
    }
    if absent("Credits") && !view.credits.is_empty() {
        let names: Vec<&str> = view.credits.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("{} thanks {}.", view.product, enumerate(&names));
        sections.push(("Credits".into(), text));
    }
    if absent("Timeline") && !draft.timeline.is_empty() {
        let lines: Vec<String> = draft
            .timeline
            .iter()
            .map(|line| format!("- {}: {}", line.date.day(), clean_line(&line.text)))
            .collect();
        sections.push(("Timeline".into(), lines.join("\n")));
    }
    sections
}

fn patches(view: &View<'_>) -> String {
    let fixed = view.fixed();
    let unfixed = view.ranges.iter().filter(|range| range.fixed.is_none());
    let (unsupported, open): (Vec<_>, Vec<_>) = unfixed.partition(|range| range.unsupported);
    let mut sentences = Vec::new();
    if !fixed.is_empty() {
        sentences.push(format!("Fixed in {}.", enumerate(&fixed)));
    }
    if !unsupported.is_empty() {
        sentences.push("Versions that are no longer supported will not be fixed.".to_owned());
    }
    if !open.is_empty() || sentences.is_empty() {
        let text = if fixed.is_empty() {
            "There is no fixed version yet."
        } else {
            "Other affected branches have no fixed version yet."
        };
        sentences.push(text.to_owned());
    }
    sentences.join(" ")
}

/// `a`, `a and b`, `a, b and c`.
pub fn enumerate(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The links, the advisory's own page first where it can be worked out.
fn references(draft: &AdvisoryDraft) -> Vec<(ReferenceKind, String)> {
    let mut links: Vec<(ReferenceKind, String)> =
        draft.references.iter().map(|r| (r.kind, r.url.clone())).collect();
    let known = links.iter().any(|(kind, _)| *kind == ReferenceKind::Advisory);
    if let Some(id) = &draft.ghsa_id
        && !known
        && draft.product.repo.starts_with("https://github.com/")
    {
        let repo = draft.product.repo.trim_end_matches('/');
        let url = format!("{repo}/security/advisories/{id}");
        links.retain(|(_, other)| *other != url);
        links.insert(0, (ReferenceKind::Advisory, url));
    }
    links
}
