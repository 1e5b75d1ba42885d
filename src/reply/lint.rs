//! What should not leave in a reply: gaps, promises, another case's id, money talk without the clause.
//!
//! A hint for the maintainer, who has the last word; nothing is changed.

use crate::domain::CaseId;

/// One remark about a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Line, from 1; 0 for the subject.
    pub line: usize,
    /// What is odd and what to do.
    pub remark: String,
}

/// What the text is checked against.
#[derive(Clone, Debug)]
pub struct LintContext<'c> {
    /// The case that the reply belongs to.
    pub case: &'c CaseId,
    /// Other cases of the store.
    pub others: &'c [CaseId],
    /// Whether the policy's words on bounties are quoted.
    pub bounty_clause: bool,
}

const PROMISES: [&str; 8] = [
    "guarantee",
    "we promise",
    "will be fixed by",
    "will be fixed on",
    "will be fixed within",
    "will release on",
    "we assure",
    "definitely fix",
];
const MONEY: [&str; 5] = ["bounty", "reward", "payment", "pay you", "compensat"];

/// Reads subject and text; quoted lines (`> `) are the words of others and left out but for ids.
pub fn lint(subject: &str, text: &str, context: &LintContext<'_>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for (line, content) in std::iter::once(subject).chain(text.lines()).enumerate() {
        let mut add = |remark: String| remarks.push(Remark { line, remark });
        for word in content.split(|c: char| !c.is_ascii_alphanumeric()) {
            if let Some(id) = CaseId::parse(word)
                && id != *context.case
                && context.others.contains(&id)
            {
                add(format!("names another case, {id}; remove it"));
            }
        }
        if content.starts_with('>') {
            continue;
        }
        if let Some(gap) = placeholder(content) {
            add(format!("still holds {gap}; fill it in or remove it"));
        }
        let lower = content.to_lowercase();
        if let Some(promise) = PROMISES.into_iter().find(|promise| lower.contains(promise)) {
            add(format!("promises something ({promise:?}); say what is planned instead"));
        }
        if let Some(money) = MONEY.into_iter().find(|money| lower.contains(money))
            && !context.bounty_clause
        {
            add(format!("speaks of money ({money:?}) without the policy's clause; quote it"));
        }
    }
    remarks
}

/// `{name}`, `{{ name }}`, `<name>`, `TODO` and the like.
fn placeholder(line: &str) -> Option<String> {
    let enclosed = |open: char, close: char| {
        let start = line.find(open)?;
        let rest = line.get(start..)?;
        let inner = rest.get(1..rest.find(close)?)?.trim_start_matches(open);
        // Braces stand around names with or without spaces; angle brackets with spaces are comparisons.
        let inner = if open == '{' { inner.trim() } else { inner };
        let name = !inner.is_empty()
            && inner.trim() == inner
            && inner.len() <= 30
            && inner.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b' ' | b'-'));
        name.then(|| format!("{open}{inner}{close}"))
    };
    enclosed('{', '}').or_else(|| enclosed('<', '>')).or_else(|| {
        line.split(|c: char| !c.is_ascii_alphanumeric())
            .find(|word| matches!(*word, "TODO" | "TBD" | "FIXME" | "XXX"))
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageRef;

    #[test]
    fn each_kind_of_slip_names_its_line() {
        let (own, other) = (
            CaseId::derive(Some("a"), &MessageRef::of(b"")),
            CaseId::derive(Some("b"), &MessageRef::of(b"")),
        );
        let others = [other.clone()];
        let context = LintContext { case: &own, others: &others, bounty_clause: false };
        let text = format!(
            "Hello {{name}},\nsee {other}\nit will be fixed by Friday\nno bounty\n> a bounty {own}\nfine"
        );
        let lines: Vec<usize> =
            lint("Re: TODO", &text, &context).iter().map(|remark| remark.line).collect();
        assert_eq!(lines, [0, 1, 2, 3, 4]);
        let context = LintContext { bounty_clause: true, ..context };
        assert_eq!(lint("Re: x", "no bounty, a < b > c", &context), []);
    }
}
