//! Choosing a weakness by typing: the common ones first, with the exact names of the CWE list.

use crate::domain::advisory::Weakness;

/// Weaknesses that reports about web applications most often come to, the most common first. Names as in the
/// CWE list, which CSAF compares to the letter (test 6.1.11).
const COMMON: &[(u32, &str)] = &[
    (862, "Missing Authorization"),
    (863, "Incorrect Authorization"),
    (79, "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')"),
    (22, "Improper Limitation of a Pathname to a Restricted Directory ('Path Traversal')"),
    (352, "Cross-Site Request Forgery (CSRF)"),
    (200, "Exposure of Sensitive Information to an Unauthorized Actor"),
    (20, "Improper Input Validation"),
    (287, "Improper Authentication"),
    (306, "Missing Authentication for Critical Function"),
    (
        78,
        "Improper Neutralization of Special Elements used in an OS Command ('OS Command Injection')",
    ),
    (434, "Unrestricted Upload of File with Dangerous Type"),
    (918, "Server-Side Request Forgery (SSRF)"),
    (601, "URL Redirection to Untrusted Site ('Open Redirect')"),
    (770, "Allocation of Resources Without Limits or Throttling"),
    (208, "Observable Timing Discrepancy"),
];

/// Weaknesses that fit what was typed: a number, or words of the name.
pub fn search(typed: &str) -> Vec<Weakness> {
    let typed = typed.trim().to_lowercase();
    let number = typed.strip_prefix("cwe-").unwrap_or(&typed);
    let words: Vec<&str> = typed.split_whitespace().collect();
    let fits = |id: u32, name: &str| {
        let name = name.to_lowercase();
        id.to_string().starts_with(number) || words.iter().all(|word| name.contains(word))
    };
    let found = COMMON.iter().filter(|(id, name)| fits(*id, name));
    found.map(|(id, name)| Weakness { id: format!("CWE-{id}"), name: (*name).to_owned() }).collect()
}
