//! Writing a draft as TOML.

use std::fmt::Write as _;

use crate::domain::advisory::AdvisoryDraft;

/// Writes the draft: human order, one comment for every empty field that will be needed.
pub fn write(draft: &AdvisoryDraft) -> String {
    let mut out = Out(String::new());
    out.line("schema = 1");
    out.required("id", &draft.id, "our name for it until it has a GHSA id");
    out.required("title", &draft.title, "one line: what goes wrong, and where");
    out.optional("ghsa_id", draft.ghsa_id.as_deref(), "once GitHub has given one");
    out.optional("cve_id", draft.cve_id.as_deref(), "once one is assigned");
    if !draft.aliases.is_empty() {
        let ids: Vec<String> = draft.aliases.iter().map(|id| quote(id)).collect();
        out.line(&format!("aliases = [{}]", ids.join(", ")));
    }
    if let Some(title) = &draft.cve_title {
        out.pair("cve_title", title);
    }
    out.pair("status", draft.status.as_str());
    if draft.already_public {
        out.line("already_public = true");
    }
    let hint = "plain text that stands alone; section Impact is used without it";
    match &draft.cve_description {
        Some(text) => out.block("cve_description", text),
        None => out.optional("cve_description", None, hint),
    }
    not_affected(draft, &mut out);
    facts(draft, &mut out);
    for section in &draft.sections {
        out.heading("[[section]]");
        out.required("heading", &section.heading, "such as Impact, Patches, Workaround, Details");
        if section.body.is_empty() {
            out.required(
                "body",
                "",
                "Markdown; for Impact: what an attacker can do, and who is affected",
            );
        } else {
            out.block("body", &section.body);
        }
    }
    let workaround = draft.section("Workaround").or(draft.section("Workarounds"));
    if workaround.is_none() && draft.not_affected.is_none() {
        out.prepared(
            "section",
            &["heading = \"Workaround\"", "body = \"say so if there is none\""],
        );
    }
    people_and_links(draft, &mut out);
    dates(draft, &mut out);
    out.0
}

fn not_affected(draft: &AdvisoryDraft, out: &mut Out) {
    let Some(statement) = &draft.not_affected else { return };
    out.heading("[not_affected]");
    let justification = statement.justification.map(crate::domain::advisory::Justification::as_str);
    out.optional("justification", justification, "such as vulnerable_code_not_in_execute_path");
    if statement.statement.is_empty() {
        out.required("statement", "", "why the product is not affected");
    } else {
        out.block("statement", &statement.statement);
    }
    out.optional("component", statement.component.as_deref(), "pkg:pypi/… that has the flaw");
    if !statement.versions.is_empty() {
        let versions: Vec<String> = statement.versions.iter().map(|v| quote(v)).collect();
        out.line(&format!("versions = [{}]", versions.join(", ")));
    }
}

fn facts(draft: &AdvisoryDraft, out: &mut Out) {
    let (product, severity) = (&draft.product, &draft.severity);
    out.heading("[product]");
    out.required("vendor", &product.vendor, "who makes it");
    out.required("name", &product.name, "its name for people");
    out.required("ecosystem", &product.ecosystem, "PyPI, npm or crates.io");
    out.required("package", &product.package, "its name in the ecosystem");
    out.required("repo", &product.repo, "https address of the repository");
    out.heading("[severity]");
    out.optional("cvss_v3_1", severity.cvss_v3_1.as_deref(), "CVSS:3.1/AV:A/…");
    out.optional("cvss_v4_0", severity.cvss_v4_0.as_deref(), "CVSS:4.0/AV:A/…");
    if let Some(tenths) = severity.score_tenths {
        out.line(&format!("score = {}.{}", tenths / 10, tenths % 10));
    }
    if let Some(rating) = &severity.rating {
        out.pair("rating", rating);
    }
    for weakness in &draft.weaknesses {
        out.heading("[[weakness]]");
        out.required("id", &weakness.id, "such as CWE-79");
        out.required("name", &weakness.name, "its exact name in the CWE list");
    }
    if draft.weaknesses.is_empty() && draft.not_affected.is_none() {
        out.prepared("weakness", &["id = \"CWE-…\"", "name = \"exact name\""]);
    }
    for range in &draft.affected {
        out.heading("[[affected]]");
        out.required(
            "introduced",
            &range.introduced,
            "first affected version, \"0\" for all before",
        );
        match (&range.fixed, &range.last_affected) {
            (None, None) => out.optional("fixed", None, "first version with the fix"),
            (fixed, last) => {
                fixed.iter().for_each(|version| out.pair("fixed", version));
                last.iter().for_each(|version| out.pair("last_affected", version));
            }
        }
        if range.unsupported {
            out.line("unsupported = true");
        }
    }
    if draft.affected.is_empty() && draft.not_affected.is_none() {
        out.prepared("affected", &["introduced = \"0\"", "fixed = \"1.2.3\""]);
    }
}

fn people_and_links(draft: &AdvisoryDraft, out: &mut Out) {
    for credit in &draft.credits {
        out.heading("[[credit]]");
        out.required("name", &credit.name, "as they want it written");
        out.pair("type", credit.role.as_str());
        out.optional("github", credit.github.as_deref(), "login without @");
        match credit.consent {
            Some(true) => out.line("consent = true"),
            Some(false) => out.line("consent = false # true once they agreed to be named"),
            None => {}
        }
    }
    for reference in &draft.references {
        out.heading("[[reference]]");
        out.pair("kind", reference.kind.as_str());
        out.pair("url", &reference.url);
    }
    if draft.references.is_empty() {
        out.prepared("reference", &["kind = \"fix\"", "url = \"https://…\""]);
    }
    for id in &draft.related {
        out.heading("[[related]]");
        out.pair("id", id);
    }
    for line in &draft.timeline {
        out.heading("[[timeline]]");
        out.pair("date", &line.date.to_string());
        out.pair("text", &line.text);
    }
}

fn dates(draft: &AdvisoryDraft, out: &mut Out) {
    out.heading("[dates]");
    for (name, date) in draft.dates.named() {
        match (name, date) {
            (_, Some(date)) => out.pair(name, &date.to_string()),
            ("published", None) => out.optional(name, None, "the day it became public"),
            _ => {}
        }
    }
}

struct Out(String);

impl Out {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.0.push('\n');
        self.line(text);
    }

    fn pair(&mut self, key: &str, text: &str) {
        self.line(&format!("{key} = {}", quote(text)));
    }

    fn required(&mut self, key: &str, text: &str, hint: &str) {
        if text.is_empty() {
            self.line(&format!("{key} = \"\" # missing: {hint}"));
        } else {
            self.pair(key, text);
        }
    }

    fn optional(&mut self, key: &str, text: Option<&str>, hint: &str) {
        match text {
            Some(text) => self.pair(key, text),
            None => self.line(&format!("# {key} = \"\" # {hint}")),
        }
    }

    /// A table that is not there yet, as a comment to be filled in.
    fn prepared(&mut self, key: &str, lines: &[&str]) {
        self.heading(&format!("# [[{key}]]"));
        for line in lines {
            self.line(&format!("# {line}"));
        }
    }

    /// A text of several lines: literal where TOML allows, else escaped.
    fn block(&mut self, key: &str, text: &str) {
        let literal = !text.contains("'''")
            && !text.ends_with('\'')
            && !text.chars().any(|c| needs_escape(c) && !matches!(c, '\n' | '\t'));
        // The first line feed after the opening quotes does not count (TOML 1.0, strings).
        if literal {
            self.line(&format!("{key} = '''\n{text}'''"));
        } else {
            self.line(&format!("{key} = \"\"\"\n{}\"\"\"", escape(text, true)));
        }
    }
}

/// Characters that are escaped: control characters, which TOML forbids, and those that would hide or reorder
/// text in an editor.
fn needs_escape(character: char) -> bool {
    character.is_control() || crate::domain::text::is_hidden(character)
}

/// A one-line basic string.
fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text, false))
}

fn escape(text: &str, multi_line: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' if multi_line => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            character if needs_escape(character) => {
                let _ = write!(out, "\\U{:08X}", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out
}
