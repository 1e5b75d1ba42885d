//! Words for a type that does not qualify, told as what the attack does not need.
//!
//! "No port forward", "ni acceso físico", "wird kein Plugin installiert": whoever writes so speaks of the type to say
//! that it is none. What stands right before the words of a rule decides, or right after them; a negation further away
//! belongs to something else ("the dialog does not stop somebody at the device").

use std::ops::Range;

use super::RulesError;
use super::letters::Words;
use super::pattern::Pattern;
use super::tree::Named;

/// Text before the words that is looked at, in bytes.
const BEFORE: usize = 90;
/// Text after them.
const AFTER: usize = 70;

/// A negation, and after it only words that carry it on.
const DENIED_BEFORE: &str = r"(?:\b(?:no|not|never|without|neither|nor|cannot|isn['\x{2019}]?t|aren['\x{2019}]?t|wasn['\x{2019}]?t|weren['\x{2019}]?t|don['\x{2019}]?t|doesn['\x{2019}]?t|didn['\x{2019}]?t|needn['\x{2019}]?t|keine?[mnrs]?|nicht|ohne|weder|sans|aucune?|pas|ni|sin|ningun[ao]?|ningún|nenhuma?|sem|nem|não|senza|nessuna?|nessun['\x{2019}]?|né|non|no[- ]one (?:needs?|has)|nobody (?:needs?|has))(?:\W+(?:an?|the|any|all|of|from|for|to|by|with|on|as|be|been|being|is|it|this|that|there|need(?:s|ed|ing)?|requir(?:es?|ed|ing)|necessary|involv(?:es?|ed|ing)|us(?:es?|ed|ing)|hav(?:e|ing)|has|had|want|install(?:s|ed|ing)?|installer|instalar|assum(?:es?|ed|ing)|about|your|my|our|open|special|active|extra|prior|previous|und|oder|or|and|eine?[mnr]?|einen|der|die|das|den|dem|mit|braucht|man|es|d|l|qu|de|du|des|la|le|les|une?|besoin|faut|être|avoir|el|los|las|del|un[ao]?|hace|falta|hay|que|se|ser|tener|necesita[nr]?|necesari[ao]|precisa[r]?|é|preciso|ter|o|os|as|da|do|il|lo|gli|di|serve|occorre|essere|avere|abbiamo|está|está[ns]?|è)\b){0,5}[\W_]*$)|(?:无需|不需要?|没有|不用|不必|并非|不是|不涉及).{0,3}$";

/// That it is not needed, right after the words.
const DENIED_AFTER: &str = r"^[a-z]{0,12}[ ,()]{0,3}(?:[a-zà-ÿ]{1,16} ){0,3}(?:(?:(?:is|are|was|were)(?: not|n['\x{2019}]?t)|not|never) (?:[a-z]{1,16} )?(?:needed|required|necessary|involved|used|in use|at play|exposed|reachable|assumed|possible|part of|the (?:cause|point|attacker))|unnecessary|(?:plays?|has|have|had) no (?:part|role|influence|effect|say)|(?:has|have) nothing to do|(?:ist|sind|wird|werden|war) (?:[a-zß-ÿ]{1,16} ){0,2}(?:nicht|keine?)|(?:braucht|benötigt) (?:[a-zß-ÿ]{1,16} ){0,3}(?:nicht|keine?[mnrs]?)|nicht (?:nötig|erforderlich|notwendig|gebraucht|beteiligt|im spiel|erreichbar)|n['\x{2019}](?:est|a|y est) (?:pas|aucun)|no (?:es necesari[ao]|hace falta|se necesita|interviene|está)|não (?:é (?:necessári[ao]|preciso)|está)|non (?:serve|è (?:necessari[ao]|coinvolt[ao]|espost[ao])))\b|^.{0,4}(?:は|が|も)?(?:不要|必要(?:は|が)?(?:ありません|ない|なく)|なし|していない|していません|しません|せず|ではない|ではありません|ではなく|でなくても)|^.{0,3}(?:不需要|没有|并未|不必)";

/// Reads whether a rule's words are denied.
pub(super) struct Denied {
    before: Pattern,
    after: Pattern,
}

impl Denied {
    pub(super) fn parse(named: &mut Named) -> Result<Self, RulesError> {
        Ok(Self {
            before: Pattern::parse("denied before (built in)", DENIED_BEFORE, named)?,
            after: Pattern::parse("denied after (built in)", DENIED_AFTER, named)?,
        })
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Pattern> {
        [&mut self.before, &mut self.after].into_iter()
    }

    /// Whether the words in this place of a sentence are told as what is not so.
    pub(super) fn covers(&self, sentence: Words<'_>, words: &Range<usize>) -> bool {
        let text = sentence.shown;
        let start = boundary(text, words.start.saturating_sub(BEFORE));
        let end = boundary(text, words.end.saturating_add(AFTER).min(text.len()));
        let before = sentence.part(start..words.start);
        let after = sentence.part(words.end..end);
        before.is_some_and(|before| self.before.is_match(before))
            || after.is_some_and(|after| self.after.is_match(after))
    }
}

/// The place of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
