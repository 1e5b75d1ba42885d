//! Words that tell what a text is about: own lines only, lower case, without inflection, stop words left out.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::LazyLock;

use crate::mail::quote::{LineKind, classify};

/// Longest text that is looked at, in bytes: more than any report says in its own words.
const MAX_TEXT: usize = 64 * 1024;

/// Most words of one text.
const MAX_WORDS: usize = 4_000;

/// Longest word, in characters; longer ones are encoded data.
const MAX_WORD: usize = 32;

/// The words of a text, in order. What they are compared by lies in one string.
#[derive(Default)]
pub(super) struct Words<'t> {
    stems: String,
    words: Vec<Word<'t>>,
}

/// A word of a text.
pub(super) struct Word<'t> {
    stem: Range<usize>,
    /// As written.
    pub shown: Cow<'t, str>,
    /// Sentence or line group that it stands in: neighbours are of one.
    pub group: u32,
    /// Whether it stands in reports of any kind.
    pub common: bool,
}

impl<'t> Words<'t> {
    fn add(&mut self, stem: &str, shown: Cow<'t, str>, group: u32) {
        let start = self.stems.len();
        self.stems.push_str(stem);
        let common = is_common(stem);
        self.words.push(Word { stem: start..self.stems.len(), shown, group, common });
    }

    /// The words.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Word<'t>> {
        self.words.iter()
    }

    /// Neighbours.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Word<'t>, &Word<'t>)> {
        self.words.iter().zip(self.words.iter().skip(1))
    }

    /// A word folded for comparison.
    pub(super) fn stem(&self, word: &Word<'_>) -> &str {
        self.stems.get(word.stem.clone()).unwrap_or_default()
    }

    /// Leaves a word out wherever it stands.
    pub(super) fn leave_out(&mut self, name: &str) {
        self.words.retain(|word| !word.shown.eq_ignore_ascii_case(name));
    }
}

/// Words that carry no matter in the languages that reports come in.
const STOP: &str = " a about above after again all also although always am an and any anybody anyone anything are \
around as at be because been before being below best between both but by can cannot cheers could dear did do does \
doing done don down during each either else even ever every for found from further get gets give given got great \
had has have having he hello help her here hey hi him his hope how however if in into is it its itself just kind let \
like look made make makes many may maybe me might more most much must my need never new nobody nor not nothing now of \
off ok on once one only or other others our out over own per please possible quite rather really regard regards same \
say says see seems shall she should since sir so some somebody someone something soon still such sure take team than \
thank thanks that the their them then there these they thing think this those though through thus till to today too \
two under until up upon us use used uses using very via want wants was way we well were what when where whether which \
while who whom whose why will with within without would yes yet you your yours \
der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren wird werden kann können \
nicht kein keine mit ohne auf aus bei bis für gegen im in nach seit über um unter von vor während wegen zu zum zur \
sie er es wir ihr ich mich mir man sich auch noch nur schon sehr so wenn dass wie was wer hallo danke gruß grüße \
le la les un une des du de et ou mais est sont dans par pour sur avec sans ce cette ces il elle ils elles nous vous je \
ne pas que qui quoi dont où si on se sa son ses leur leurs au aux en bonjour merci cordialement salut \
el los las una unos unas y o pero es son en por para con sin sobre que quien cual como su sus se lo al del mi tu hola \
gracias saludos no sí um uma os as dos das em por para com sem seu sua olá obrigado abraço não se ";

/// Words of every report: what is found in all of them tells little in any.
const COMMON: &str = " access account admin administrator advisory affected allow application attach attack attacker \
authenticate best browser bug button button call case change click code command config console content control create \
credit cve cvss cwe data date default details disclose disclosure discover execute expected exploit expose feature \
file find fix flaw form full host http https impact information input install instance interface internal issue know \
latest lead leak line link local log login low machine malicious message network normal note number open option page \
patch payload permission please plugin poc point policy problem process product proof public read release remote \
report reporter reproduce reproduction request research researcher response result return right run score screenshot \
script secure security send server service session set setting severity show site stable step string system target \
test text tool type update url user value vector version victim vuln vulnerability vulnerable weakness web website \
work write javascript json html get post put delete api img svg src href iframe body input onload onerror onclick \
onmouseover onfocus alert prompt confirm print document domain cookie window location origin xss csrf div span \
action method enctype multipart submit curl fetch python wget bytes passwd etc \
";

static STOP_WORDS: LazyLock<HashSet<&str, Quick>> =
    LazyLock::new(|| STOP.split_whitespace().collect());

static COMMON_STEMS: LazyLock<HashSet<&str, Quick>> =
    LazyLock::new(|| COMMON.split_whitespace().map(stem).collect());

/// For lists of our own, of which nobody can choose the words.
type Quick = BuildHasherDefault<Fnv>;

#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Whether a word stands in reports of any kind.
pub(super) fn is_common(stem: &str) -> bool {
    COMMON_STEMS.contains(stem)
}

/// Whether a word in lower case says nothing.
pub(super) fn is_stop(lower: &str) -> bool {
    STOP_WORDS.contains(lower)
}

/// The lines that the sender wrote for this mail, without greeting and parting.
pub(super) fn own_lines(text: &str) -> Vec<&str> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    let kinds = classify(text);
    let lines: Vec<&str> = text.split('\n').collect();
    let own: Vec<&str> = lines
        .iter()
        .zip(&kinds)
        .filter(|(_, kind)| **kind == LineKind::Own)
        .map(|(line, _)| *line)
        .collect();
    // A forward that adds nothing is about what it quotes.
    let bare = own.iter().map(|line| line.trim().len()).sum::<usize>() < 80;
    let quoted = kinds.contains(&LineKind::Quoted);
    if bare && quoted {
        return lines.iter().map(|line| line.trim_start_matches(['>', ' '])).collect();
    }
    let mut own = own;
    while own.last().is_some_and(|line| is_parting(line)) {
        own.pop();
    }
    own
}

/// A short last line: a name, or words of parting.
fn is_parting(line: &str) -> bool {
    let line = line.trim();
    let words = line.split_whitespace().count();
    words <= 3 && !line.contains(['/', '(', '<', '=', '{', ':', '_', '`'])
}

/// The words of some lines.
pub(super) fn words<'t>(lines: impl IntoIterator<Item = &'t str>) -> Words<'t> {
    let mut out = Words::default();
    let mut group = 0;
    let mut lower = String::new();
    for line in lines {
        if line.trim().is_empty() {
            group += 1;
            continue;
        }
        for chunk in line.split_whitespace().map(without_host) {
            // `re-authentication` and `reauthentication` are one word.
            match chunk.strip_prefix("re-") {
                Some(rest) => tokens(&format!("re{rest}"), &mut |token| {
                    let shown = |text: &str| Cow::Owned(text.to_owned());
                    take(&mut out, &mut group, &mut lower, token, shown);
                }),
                None if chunk.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                    push(&mut out, Cow::Borrowed(chunk), group, &mut lower);
                }
                None => tokens(chunk, &mut |token| {
                    take(&mut out, &mut group, &mut lower, token, Cow::Borrowed);
                }),
            }
            if out.words.len() >= MAX_WORDS {
                return out;
            }
        }
    }
    out
}

fn take<'t, 'c>(
    out: &mut Words<'t>,
    group: &mut u32,
    lower: &mut String,
    token: Token<'c>,
    shown: impl Fn(&'c str) -> Cow<'t, str>,
) {
    match token {
        Token::Break => *group += 1,
        Token::Word(word) => push(out, shown(word), *group, lower),
        Token::Ideographs(run) => {
            ideographs(run, |pair| out.add(pair, shown(pair), *group));
        }
    }
}

/// An address without scheme and host, which differ from one reporter's machine to the next.
fn without_host(chunk: &str) -> &str {
    if !chunk.as_bytes().contains(&b':') {
        return chunk;
    }
    let Some((before, rest)) = chunk.split_once("://") else { return chunk };
    if before.len() > 12 {
        return chunk;
    }
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}

/// `lower` is room to work in.
fn push<'t>(out: &mut Words<'t>, shown: Cow<'t, str>, group: u32, lower: &mut String) {
    lower.clear();
    let (letters, count);
    if shown.is_ascii() {
        lower.push_str(&shown);
        lower.make_ascii_lowercase();
        letters = lower.bytes().filter(u8::is_ascii_alphabetic).count();
        count = lower.len();
    } else {
        lower.push_str(&shown.to_lowercase());
        letters = lower.chars().filter(|c| c.is_alphabetic()).count();
        count = lower.chars().count();
    }
    let digit = lower.starts_with(|c: char| c.is_ascii_digit());
    let data = count > MAX_WORD || letters < 3 || letters * 2 < lower.len();
    if !digit && !data && !is_stop(lower) {
        out.add(stem(lower), shown, group);
    }
}

/// Scripts without spaces: pairs of neighbouring characters stand for words.
fn ideographs<'t>(run: &'t str, mut add: impl FnMut(&'t str)) {
    // Hiragana are mostly endings and particles.
    let tells = |c: char| !('\u{3040}'..='\u{309f}').contains(&c);
    let letters = || run.char_indices().take(MAX_WORDS);
    for ((start, first), (at, second)) in letters().zip(letters().skip(1)) {
        if tells(first)
            && tells(second)
            && let Some(pair) = run.get(start..at + second.len_utf8())
        {
            add(pair);
        }
    }
}

enum Token<'t> {
    Word(&'t str),
    Ideographs(&'t str),
    /// End of a sentence.
    Break,
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

fn tokens<'c>(line: &'c str, take: &mut impl FnMut(Token<'c>)) {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Letter,
        Ideograph,
        Stop,
        Other,
    }
    let class = |c: char| match c {
        c if is_ideograph(c) => Class::Ideograph,
        c if c.is_alphanumeric() => Class::Letter,
        '.' | '!' | '?' | ';' | '。' | '！' | '？' => Class::Stop,
        _ => Class::Other,
    };
    let mut start = 0;
    let mut last = Class::Other;
    let mut close = |from: usize, to: usize, kind: Class| {
        let Some(run) = line.get(from..to).filter(|run| !run.is_empty()) else { return };
        match kind {
            Class::Letter => take(Token::Word(run)),
            Class::Ideograph => take(Token::Ideographs(run)),
            // A point inside of a name ends no sentence.
            Class::Stop
                if line
                    .get(to..)
                    .is_none_or(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) =>
            {
                take(Token::Break);
            }
            Class::Stop | Class::Other => {}
        }
    };
    for (at, c) in line.char_indices() {
        let now = class(c);
        if now != last {
            close(start, at, last);
            (start, last) = (at, now);
        }
    }
    close(start, line.len(), last);
}

/// Takes common English endings off, so that “escaped”, “escaping” and “escapes” meet. Crude on purpose: it only
/// has to do the same to both texts.
pub(super) fn stem(word: &str) -> &str {
    let mut stem = word;
    if !word.is_ascii() || word.len() < 5 {
        return word.strip_suffix('s').filter(|w| w.len() > 3).unwrap_or(word);
    }
    const ENDINGS: [&str; 16] = [
        "ations", "ation", "ically", "ingly", "edly", "ions", "ings", "ies", "ion", "ing", "ers",
        "ed", "es", "ly", "er", "s",
    ];
    for ending in ENDINGS {
        if let Some(rest) = stem.strip_suffix(ending)
            && rest.len() >= 4
        {
            stem = rest;
            break;
        }
    }
    let stem = stem.strip_suffix('e').filter(|rest| rest.len() >= 4).unwrap_or(stem);
    let bytes = stem.as_bytes();
    // stopp(ed) and stop, travers(e) and traversal.
    let doubled = bytes.len() >= 5 && bytes.last() == bytes.get(bytes.len() - 2);
    let stem = if doubled { stem.get(..stem.len() - 1).unwrap_or(stem) } else { stem };
    stem.strip_suffix("al").filter(|rest| rest.len() >= 5).unwrap_or(stem)
}
