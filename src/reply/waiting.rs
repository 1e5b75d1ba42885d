//! The words for when time passes: a note while we are at work, the request for more of it, and what is said to a
//! reporter who does not answer. Every date is one that has happened or that the policy sets; none is a new promise.

use super::ReplyMaterial;
use super::templates::{Paragraphs, report, say};
use crate::domain::text::one_line;

/// We are still at work.
pub fn holding(material: &ReplyMaterial) -> Paragraphs {
    let last = material
        .last_answer
        .map_or_else(String::new, |at| format!(" We last wrote to you on {}.", material.date(at)));
    vec![
        say(format!(
            "this is a short note on {}: it is not forgotten, and we are still working on it.{last}",
            report(material)
        )),
        say("There is nothing that you have to do. If you have learned something new since, such \
             as another way to reach it or another version that has it, please tell us."),
        embargo(material),
    ]
}

/// The embargo ends and no fixed version is released.
pub fn extension(material: &ReplyMaterial) -> Paragraphs {
    let ends = material.embargo_until.map_or_else(
        || "The time before publication is nearly over".to_owned(),
        |until| {
            format!(
                "The time before publication that our policy asks for ends on {}",
                material.date(until)
            )
        },
    );
    let product = one_line(&material.product, 80);
    vec![
        say(format!(
            "we are writing about {}. {ends}, and there is no released version of {product} with a \
             fix yet.",
            report(material)
        )),
        say("For the sake of its users we ask you for more time before anything is published. \
             Would you agree to that, and up to which day? If you plan a publication of your own, \
             please tell us its day, so that we can have a version or a workaround out before it."),
        say("Whatever you decide, thank you for having kept it until now."),
    ]
}

/// A question waits for an answer.
pub fn nudge(material: &ReplyMaterial) -> Paragraphs {
    let closing = say("If you cannot answer any more, a line that says so helps us too.");
    [vec![asked(material)], missing(material), vec![closing]].concat()
}

/// Nobody answered.
pub fn close(material: &ReplyMaterial) -> Paragraphs {
    let closing = say(
        "As we cannot go on without it, we are closing the report. That is no judgement of it: \
         answer this mail whenever you can, and we open it again where it was.",
    );
    [vec![asked(material)], missing(material), vec![closing]].concat()
}

fn asked(material: &ReplyMaterial) -> String {
    let when =
        material.waiting_since.map_or_else(String::new, |at| format!(" on {}", material.date(at)));
    say(format!(
        "we asked you something about {}{when}, and have not heard from you since.",
        report(material)
    ))
}

fn missing(material: &ReplyMaterial) -> Paragraphs {
    if material.missing.is_empty() {
        return Vec::new();
    }
    let points = material.missing.iter().map(|point| format!("- {}", one_line(point, 400)));
    let list: Vec<String> = points.collect();
    vec![format!("{}\n{}", say("This is what we still need:"), list.join("\n"))]
}

fn embargo(material: &ReplyMaterial) -> String {
    material.embargo_until.map_or_else(String::new, |until| {
        say(format!(
            "The time before publication that our policy asks for ends on {}.",
            material.date(until)
        ))
    })
}
