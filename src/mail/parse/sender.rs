//! Who a mail claims to be from, and whether the claims agree with each other.

use crate::mail::{Address, Message, Warning};

use super::fields::Block;
use super::{Report, address, links};

/// Marks contradictions and look-alikes in the sender fields. `comments` is the text of the comments in From.
pub(super) fn inspect(block: &Block, message: &Message, comments: &str, report: &mut Report) {
    if is_spoofed(block, message, comments) {
        report.warn(Warning::FromSpoof);
    }
    let senders = message.from.iter().chain(&message.reply_to);
    if senders.take(50).any(|address| is_lookalike(address, message)) {
        report.warn(Warning::Homoglyph);
    }
}

/// A source route (`<@a,@b:user@host>`) counts too: only forgeries still use it.
fn is_spoofed(block: &Block, message: &Message, comments: &str) -> bool {
    let count = block.all("From").count();
    let missing = count == 1 && message.from.iter().all(|from| !from.address.contains('@'));
    let several = count > 1 || (message.from.len() > 1 && block.field("Sender").is_none());
    missing
        || several
        || block.all("From").any(|from| from.raw.contains("<@"))
        || message.from.iter().take(50).any(|from| {
            names_another(&from.name, &from.address) || names_another(comments, &from.address)
        })
        || replies_elsewhere(message)
        || is_sent_by_another(block, message)
        || has_results_of_the_sender(block)
}

/// Whether a display name or comment contains an address other than the real one.
fn names_another(name: &str, address: &str) -> bool {
    name.split(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"' | '\'' | ',' | ';')
    })
    .filter(|word| {
        word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.len() > 2)
    })
    .any(|word| !word.eq_ignore_ascii_case(address))
}

/// Whether answers would go to another organisation than the sender's, and not to a recipient (a list).
fn replies_elsewhere(message: &Message) -> bool {
    let Some(from) = message.from.first().and_then(domain) else { return false };
    let recipients = || message.to.iter().chain(&message.cc);
    message.reply_to.iter().take(50).any(|reply| {
        let other = domain(reply)
            .is_some_and(|reply| links::registrable(&reply) != links::registrable(&from));
        other && !recipients().any(|to| to.address.eq_ignore_ascii_case(&reply.address))
    })
}

/// Whether Sender names another organisation than From, and it is no list that passed the mail on.
fn is_sent_by_another(block: &Block, message: &Message) -> bool {
    let Some(sender) = block.field("Sender").map(|field| address::read(&field.raw)) else {
        return false;
    };
    let Some(from) = message.from.first().and_then(domain) else { return false };
    let other = sender
        .addresses
        .first()
        .and_then(domain)
        .is_some_and(|sender| links::registrable(&sender) != links::registrable(&from));
    other && block.field("List-Id").is_none() && block.field("List-Post").is_none()
}

/// An Authentication-Results field below From was there before the mail was delivered: the sender wrote it, a
/// receiving server puts its own on top (RFC 8601 section 4.1).
fn has_results_of_the_sender(block: &Block) -> bool {
    let at =
        |name: &str| block.fields.iter().rposition(|field| field.name.eq_ignore_ascii_case(name));
    matches!((at("Authentication-Results"), at("From")), (Some(results), Some(from)) if results > from)
}

fn domain(address: &Address) -> Option<String> {
    address
        .address
        .rsplit_once('@')
        .map(|(_, domain)| domain.trim().to_lowercase())
        .filter(|domain| !domain.is_empty())
}

fn is_lookalike(address: &Address, message: &Message) -> bool {
    if address.name.split_whitespace().any(|word| is_mixed(word) || word.chars().any(is_styled)) {
        return true;
    }
    let Some(domain) = domain(address) else { return false };
    let labels: Vec<String> = domain.split('.').map(unpunycode).collect();
    let odd = labels
        .iter()
        .any(|label| is_mixed(label) || is_disguised(label) || !label.chars().all(is_domain_char));
    odd || message.to.iter().chain(&message.cc).take(50).any(|to| imitates(&labels, to))
}

/// Letters, digits and marks of any script, hyphen, underscore.
fn is_domain_char(c: char) -> bool {
    (c.is_alphanumeric() && !is_styled(c))
        || matches!(c, '-' | '_' | '[' | ']' | ':')
        || (!c.is_ascii() && is_mark(c))
}

fn is_mark(c: char) -> bool {
    unicode_width::UnicodeWidthChar::width(c) == Some(0) && !crate::mail::display::is_hidden(c)
}

/// Mathematical, enclosed and full-width letters that stand for plain ones.
const fn is_styled(c: char) -> bool {
    matches!(c as u32, 0x1d400..=0x1d7ff | 0xff01..=0xff5e | 0x24b6..=0x24e9 | 0x1f130..=0x1f189 | 0x2100..=0x2138)
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Other,
}

fn script(c: char) -> Option<Script> {
    c.is_alphabetic().then_some(match u32::from(c) {
        0x41..=0x24f | 0x1e00..=0x1eff => Script::Latin,
        0x370..=0x3ff | 0x1f00..=0x1fff => Script::Greek,
        0x400..=0x52f => Script::Cyrillic,
        _ => Script::Other,
    })
}

/// Whether a word mixes Latin with Greek or Cyrillic letters.
fn is_mixed(word: &str) -> bool {
    let has = |wanted| word.chars().filter_map(script).any(|found| found == wanted);
    has(Script::Latin) && (has(Script::Greek) || has(Script::Cyrillic))
}

/// Whether a label that is not ASCII reads as one: every letter has a Latin double.
fn is_disguised(label: &str) -> bool {
    let foreign = |c: char| script(c) != Some(Script::Latin) || c == 'ı';
    !label.is_ascii()
        && skeleton(label).is_ascii()
        && label.chars().filter(|c| !c.is_ascii()).all(foreign)
}

/// Whether the sender's domain looks like a recipient's without being it.
fn imitates(labels: &[String], recipient: &Address) -> bool {
    let Some(theirs) = domain(recipient) else { return false };
    let organisation = links::registrable(&theirs);
    // Labels of `registrable` stand in reverse: the name comes last.
    let name = organisation.rsplit('.').next().unwrap_or_default();
    name.len() >= 4 && labels.iter().any(|label| label != name && skeleton(label) == skeleton(name))
}

/// A label with every look-alike replaced by the letter it looks like.
fn skeleton(label: &str) -> String {
    let mapped: String = label.chars().map(plain_letter).collect();
    mapped.replace("rn", "m").replace("vv", "w").replace('-', "")
}

fn plain_letter(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' | 'à' | 'á' | 'â' | 'ã' | 'ạ' => 'a',
        'с' | 'ϲ' | 'ç' => 'c',
        'ԁ' => 'd',
        'е' | 'ė' | 'é' | 'è' | 'ẹ' => 'e',
        'ɡ' | 'ġ' => 'g',
        'һ' => 'h',
        'і' | 'ı' | 'í' | 'ì' | 'ι' | 'ï' | '1' | 'l' | 'ӏ' | '|' => 'l',
        'i' => 'l',
        'ј' => 'j',
        'κ' | 'к' => 'k',
        'ո' | 'ń' | 'η' => 'n',
        'о' | 'ο' | 'օ' | '0' | 'ó' | 'ò' | 'ọ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' | 'ś' | '5' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' | 'ù' | 'ú' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ý' => 'y',
        'ż' | 'ź' => 'z',
        _ => c,
    }
}

/// A domain label with `xn--` decoded (RFC 3492); as it is if that fails.
fn unpunycode(label: &str) -> String {
    label
        .strip_prefix("xn--")
        .filter(|coded| coded.len() <= 60)
        .and_then(punycode)
        .unwrap_or_else(|| label.to_owned())
}

fn punycode(coded: &str) -> Option<String> {
    let (base, rest) = coded.rsplit_once('-').unwrap_or(("", coded));
    let mut out: Vec<char> = base.chars().collect();
    let (mut n, mut i, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = rest.bytes();
    while digits.len() > 0 {
        let old = i;
        let (mut weight, mut k) = (1_u32, 36_u32);
        loop {
            let digit = match digits.next()? {
                b @ b'a'..=b'z' => u32::from(b - b'a'),
                b @ b'0'..=b'9' => u32::from(b - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = if k <= bias { 1 } else { (k - bias).min(26) };
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
            k += 36;
        }
        let length = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(i - old, length, old == 0);
        n = n.checked_add(i / length)?;
        i %= length;
        out.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

const fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(header: &str) -> Vec<Warning> {
        let raw = format!("{header}\r\nDate: Thu, 15 Oct 2026 10:00:00 +0000\r\n\r\nhi\r\n");
        crate::mail::parse(raw.as_bytes()).warnings
    }

    #[test]
    fn leaves_honest_senders_alone() {
        for header in [
            "From: Edge <edge@sender.example>\r\nTo: security@project.example",
            "From: edge@sender.example (Edge)\r\nReply-To: desk@mail.sender.example",
            "From: \"edge@sender.example\" <edge@sender.example>",
            "From: Дмитрий <d@пример.example>",
            "From: B <b@xn--mnchen-3ya.example>",
            "Authentication-Results: mx; dkim=pass\r\nFrom: a@b.example",
            "From: a@b.example\r\nReply-To: list@project.example\r\nTo: list@project.example",
            "From: a@b.example\r\nSender: list@lists.example\r\nList-Id: <l.lists.example>",
            "From: 1password <a@1password.example>\r\nTo: security@project.example",
        ] {
            assert_eq!(warnings(header), [], "{header}");
        }
    }

    #[test]
    fn marks_contradictions() {
        for header in [
            "From: a@b.example\r\nFrom: c@d.example",
            "From:",
            "From: \"security@project.example\" <m@evil.example>",
            "From: x@sender.example (security@project.example)",
            "From: g: a@x.example, b@x.example;",
            "From: <a@b.example>\r\nSender: <admin@other.example>",
            "From: <@t.example, @u.example:a@b.example>",
            "From: a@b.example\r\nReply-To: other@evil.example",
            "From: a@github.example\r\nAuthentication-Results: mx; dkim=pass",
        ] {
            assert_eq!(warnings(header), [Warning::FromSpoof], "{header}");
        }
    }

    #[test]
    fn marks_lookalikes() {
        for header in [
            "From: A <s@\u{43e}\u{441}topr\u{456}nt.example>",
            "From: GitHub <n@xn--gthub-n4a.example>",
            "From: \u{39f}ct\u{3bf}print <a@sender.example>",
            "From: \u{1d40e}\u{1d41c} <a@sender.example>",
            "From: A <a@pr0ject.example>\r\nTo: security@project.org",
            "From: A <a@project\u{2024}org>",
        ] {
            assert_eq!(warnings(header), [Warning::Homoglyph], "{header}");
        }
    }

    #[test]
    fn decodes_punycode() {
        assert_eq!(unpunycode("xn--mnchen-3ya"), "münchen");
        assert_eq!(unpunycode("xn--gthub-n4a"), "gıthub");
        assert_eq!(unpunycode("xn--\u{fc}"), "xn--\u{fc}");
    }
}
