//! The words. Kind, short, plain; no promise of a date, no word about money beyond the policy's own.

use super::{Quote, ReplyMaterial};
use crate::domain::Disposition;
use crate::domain::text::one_line;

/// Paragraphs; each is one or more lines.
type Paragraphs = Vec<String>;

/// Columns at which our own sentences are wrapped.
const WIDTH: usize = 72;

/// Greeting, paragraphs, signature and the lines that say where this belongs.
pub fn letter(material: &ReplyMaterial, paragraphs: Paragraphs) -> String {
    let mut parts = vec![match material.greeting_name() {
        Some(name) => format!("Hello {name},"),
        None => "Hello,".to_owned(),
    }];
    parts.extend(paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty()));
    let name = one_line(&material.signature, 80);
    if !name.is_empty() {
        parts.push(format!("Kind regards\n{name}"));
    }
    parts.push(footer(material));
    parts.join("\n\n") + "\n"
}

fn footer(material: &ReplyMaterial) -> String {
    let policy = &material.policy;
    let mut lines = vec![format!("Case: {}", material.case)];
    let mut stamp = Vec::new();
    if !policy.date.trim().is_empty() {
        stamp.push(format!("version of {}", one_line(&policy.date, 40)));
    }
    if let Some(hash) = policy.hash.get(..12) {
        stamp.push(format!("sha256 {hash}"));
    }
    if !policy.url.is_empty() {
        let stamp =
            if stamp.is_empty() { String::new() } else { format!(" ({})", stamp.join(", ")) };
        lines.push(format!("Policy: {}{stamp}", one_line(&policy.url, 200)));
    }
    lines.join("\n")
}

/// The template of a disposition. Spam, which gets no answer, gives nothing.
pub fn of(disposition: Disposition, material: &ReplyMaterial) -> Paragraphs {
    match disposition {
        Disposition::Accept => accept(material),
        Disposition::Reject => reject(material),
        Disposition::Duplicate => duplicate(material),
        Disposition::NeedsInfo => needs_info(material),
        Disposition::AlreadyPublic => already_public(material),
        Disposition::ForwardUpstream => forward_upstream(material),
        Disposition::WrongProject => wrong_project(material),
        Disposition::NoBounty => no_bounty(material),
        Disposition::Coordination => coordination(material),
        Disposition::RejectBan => reject_ban(material),
        Disposition::UndecidableEncrypted => encrypted(material),
        Disposition::Spam => Vec::new(),
    }
}

/// Our own sentences, wrapped.
fn say(text: impl AsRef<str>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.as_ref().split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// The report named by its subject and its date.
fn report(material: &ReplyMaterial) -> String {
    let (subject, date) = (material.plain_subject(), material.date(material.received));
    if subject.is_empty() {
        format!("your report of {date}")
    } else {
        format!("your report \"{subject}\" of {date}")
    }
}

/// Every clause with its words, under what decides it.
fn clauses(material: &ReplyMaterial) -> Paragraphs {
    if material.clauses.is_empty() {
        return Vec::new();
    }
    let lead = if material.clauses.len() == 1 {
        "This is the point of our policy that decides it:"
    } else {
        "These are the points of our policy that decide it:"
    };
    [vec![say(lead)], quotes(&material.clauses)].concat()
}

/// Clauses in their order; neighbours from one section share its heading.
fn quotes(clauses: &[Quote]) -> Paragraphs {
    clauses
        .chunk_by(|one, two| {
            one.section == two.section && !one.sentences.is_empty() && !two.sentences.is_empty()
        })
        .map(|group| group.iter().enumerate().map(|(at, quote)| clause(quote, at == 0)).collect())
        .map(|group: Vec<String>| group.join("\n>\n"))
        .collect()
}

/// One clause: its words, or heading and link.
fn clause(quote: &Quote, with_heading: bool) -> String {
    let section = one_line(&quote.section, 120);
    let place = if section.is_empty() { quote.clause.to_string() } else { section };
    let sentences = quote.sentences.iter().filter(|text| !text.trim().is_empty());
    // The policy's words stay byte for byte, line by line (capability M4).
    let quoted: Vec<String> =
        sentences.flat_map(|text| text.lines()).map(|line| format!("> {line}")).collect();
    if quoted.is_empty() {
        return format!("- \"{place}\", {}", one_line(&quote.link, 200));
    }
    let heading = if with_heading { format!("{place}:\n") } else { String::new() };
    heading + &quoted.join("\n")
}

/// The maintainer's reason, in paragraphs as typed.
fn reason(material: &ReplyMaterial) -> Paragraphs {
    material
        .reason
        .iter()
        .flat_map(|text| text.split("\n\n"))
        .map(|text| say(one_line(text, 4000)))
        .collect()
}

/// The lines of the mail that it rests on.
fn evidence(material: &ReplyMaterial) -> Paragraphs {
    let lines = material.quoted_lines();
    if lines.is_empty() {
        return Vec::new();
    }
    let quoted: Vec<String> = lines.iter().map(|line| format!("> {line}")).collect();
    vec![format!("In your mail:\n{}", quoted.join("\n"))]
}

fn ground(material: &ReplyMaterial) -> Paragraphs {
    [clauses(material), evidence(material), reason(material)].concat()
}

fn embargo(material: &ReplyMaterial) -> String {
    match material.embargo_until {
        Some(until) => say(format!(
            "Please keep it private until a fixed version is out. Our policy asks for time until {} \
             for that.",
            material.date(until)
        )),
        None => String::new(),
    }
}

pub fn acknowledge(material: &ReplyMaterial) -> Paragraphs {
    vec![
        say(format!(
            "thank you for {}. It has reached us, and we will look into it.",
            report(material)
        )),
        say(
            "We do this beside other work, so it can take a while. We will write again when we know \
             more. If you find out more yourself, just answer this mail; keeping the subject keeps \
             everything together.",
        ),
        embargo(material),
    ]
}

fn accept(material: &ReplyMaterial) -> Paragraphs {
    let product = one_line(&material.product, 80);
    vec![
        say(format!(
            "thank you for {}. We have checked it, and you are right: this is a vulnerability in \
             {product}.",
            report(material)
        )),
        score(material),
        say(
            "The next steps are a fix, a release that contains it, and an advisory. We will tell you \
             when each of them is near, and show you the advisory's text before it is published if \
             you like.",
        ),
        match material.cve_planned {
            Some(true) => {
                say("We will ask for a CVE id through the GitHub advisory, so please do not \
                               request one elsewhere.")
            }
            Some(false) => say("By our policy we do not ask for a CVE id at this severity. The \
                                advisory is published all the same."),
            None => String::new(),
        },
        credit(material),
        embargo(material),
        reason(material).join("\n\n"),
    ]
}

fn score(material: &ReplyMaterial) -> String {
    let Some(score) = &material.score else { return String::new() };
    let cap = score.cap.as_ref().map_or_else(String::new, |highest| {
        let highest = one_line(highest, 20);
        format!(
            " Our policy takes {highest} as the highest attack vector; that is where our score \
             differs from yours."
        )
    });
    let (whole, tenth) = (score.tenths / 10, score.tenths % 10);
    let (severity, vector) = (one_line(&score.severity, 20), one_line(&score.vector, 200));
    say(format!("We score it {whole}.{tenth} ({severity}): {vector}.{cap}"))
}

fn credit(material: &ReplyMaterial) -> String {
    match &material.credit {
        Some(name) => say(format!(
            "We will credit you as \"{}\". Tell us if it should read differently.",
            one_line(name, 80)
        )),
        None => say("Would you like to be credited in the advisory and the release notes? If so, \
                     please tell us the name, and a GitHub login or link if you want one there. If \
                     not, we will not name you."),
    }
}

fn reject(material: &ReplyMaterial) -> Paragraphs {
    let opening = say(format!(
        "thank you for {}, and for the time you put into it. We have looked at it, and under our \
         policy we do not treat it as a vulnerability.",
        report(material)
    ));
    let closing =
        say("If we have misread something, answer this mail and show us where; we will look \
                       again.");
    [vec![opening], ground(material), vec![closing]].concat()
}

fn duplicate(material: &ReplyMaterial) -> Paragraphs {
    let known = match material.known_since {
        Some(since) => format!("We have known of this problem since {}.", material.date(since)),
        None => "We already know of this problem.".to_owned(),
    };
    let opening = say(format!("thank you for {}. {known}", report(material)));
    let closing =
        say("It is already being handled, so we are closing your report as a duplicate of \
                       it. Credit goes to whoever reported it first. If yours differs from a known \
                       problem in some way, please tell us how.");
    [vec![opening], ground(material), vec![closing, embargo(material)]].concat()
}

fn needs_info(material: &ReplyMaterial) -> Paragraphs {
    let opening =
        say(format!("thank you for {}. We would like to go on with it.", report(material)));
    let mut paragraphs = vec![opening];
    if !material.missing.is_empty() {
        let lead = if material.missing.len() == 1 {
            "One point is missing that only you can give:"
        } else {
            "These points are missing that only you can give:"
        };
        let list: Vec<String> =
            material.missing.iter().map(|point| format!("- {}", one_line(point, 400))).collect();
        paragraphs.push(format!("{}\n{}", say(lead), list.join("\n")));
        if material.missing.len() > 1 {
            paragraphs.push(say("One answer with all of them saves us both a round."));
        }
    }
    if !material.clauses.is_empty() {
        paragraphs.push(say("Our policy says about this:"));
        paragraphs.extend(quotes(&material.clauses));
    }
    [paragraphs, evidence(material), reason(material)].concat()
}

fn already_public(material: &ReplyMaterial) -> Paragraphs {
    let place = match &material.public_link {
        Some(link) => format!(" here: {}", one_line(link, 300)),
        None => String::new(),
    };
    let opening = say(format!(
        "thank you for {}. This was already known to the public before it reached us{}",
        report(material),
        if place.is_empty() { ".".to_owned() } else { place }
    ));
    let closing = say(
        "So there is nothing left to keep private, and under our policy we publish no \
                       advisory and request no CVE id for it. We treat it as an ordinary, urgent bug, \
                       and you are welcome to follow it in the public issue tracker.",
    );
    [vec![opening], ground(material), vec![closing]].concat()
}

fn forward_upstream(material: &ReplyMaterial) -> Paragraphs {
    let library = match &material.upstream {
        Some(name) => format!("in {}, which other people maintain", one_line(name, 80)),
        None => "in a library that other people maintain".to_owned(),
    };
    let product = one_line(&material.product, 80);
    let opening = say(format!("thank you for {}. The cause lies {library}.", report(material)));
    let closing = say(format!(
        "Please report it to the maintainers of that library; they can fix it for everyone. If you \
         find that {product} uses the library wrongly, tell us how and we will look at that."
    ));
    [vec![opening], ground(material), vec![closing]].concat()
}

fn wrong_project(material: &ReplyMaterial) -> Paragraphs {
    let product = one_line(&material.product, 80);
    let opening = say(format!(
        "thank you for {}. This address is only for vulnerabilities in {product} itself, and as far \
         as we can see your mail is about something else.",
        report(material)
    ));
    let closing =
        say("If it does concern the security of our code, please tell us which part and \
                       which version, and we will look again.");
    [vec![opening], ground(material), vec![closing]].concat()
}

fn no_bounty(material: &ReplyMaterial) -> Paragraphs {
    let opening = say(format!(
        "thank you for {}. We are a community project and cannot pay for reports.",
        report(material)
    ));
    let closing = say(
        "If you have found a vulnerability, we would still like to hear of it: please \
                       send the details and the steps that show it. We gladly credit you if you want \
                       that.",
    );
    [vec![opening], ground(material), vec![closing]].concat()
}

fn coordination(material: &ReplyMaterial) -> Paragraphs {
    let opening = say(format!(
        "thank you for {}. We are happy to coordinate; please use this thread for everything that \
         belongs to it.",
        report(material)
    ));
    let closing =
        say("So that our texts agree, please tell us the ids you have assigned or plan to \
                       use, the dates you have in mind, and who else knows.");
    [vec![opening], ground(material), vec![closing, embargo(material)]].concat()
}

fn reject_ban(material: &ReplyMaterial) -> Paragraphs {
    let product = one_line(&material.product, 80);
    let opening = say(format!(
        "we have checked {}. What it describes does not exist in {product}.",
        report(material)
    ));
    let closing = say(
        "Work on made-up reports is time that users do not get, so we will not answer \
                       further reports from you. If you believe that this is a mistake, one mail with \
                       steps that we can follow on a current version is enough for us to look again.",
    );
    [vec![opening], ground(material), vec![closing]].concat()
}

fn encrypted(material: &ReplyMaterial) -> Paragraphs {
    let opening = say(format!(
        "thank you for {}. It is encrypted with a key that we do not have, so we could not read it.",
        report(material)
    ));
    let closing = say("Please send it again in plain text, or through a private GitHub security \
                       advisory if you prefer a protected channel.");
    [vec![opening], ground(material), vec![closing]].concat()
}
