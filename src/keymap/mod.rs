//! Which keys mean which command where: notation, contexts, merging, faults, and the way back from a
//! command to its keys.
//!
//! Owns: the live map that input, help, palette, README and `casebook keys` are made from. Absent on
//! purpose: the terminal, files, what a command does. Read next: [`Keymap::lookup`], [`key`], `parse`.

mod help;
pub mod key;
mod parse;

use std::collections::BTreeMap;

use crate::command::{Command, Context};

pub use help::HelpRow;
pub use key::{Key, KeyCode};

/// Most keys in a sequence.
pub const LONGEST_SEQUENCE: usize = 8;

/// A shipped keymap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shipped {
    /// In the manner of vim.
    #[default]
    Default,
    /// In the manner of Emacs.
    Emacs,
    /// In the manner of mutt.
    Mutt,
}

impl Shipped {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Default, Self::Emacs, Self::Mutt];

    /// Its name in the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Emacs => "emacs",
            Self::Mutt => "mutt",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shipped| shipped.as_str() == name)
    }

    /// Its TOML text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Default => include_str!("../../keymaps/default.toml"),
            Self::Emacs => include_str!("../../keymaps/emacs.toml"),
            Self::Mutt => include_str!("../../keymaps/mutt.toml"),
        }
    }
}

/// What a key sequence stands for: what one may type after `:`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The command.
    pub command: Command,
    /// What follows its name; empty where nothing does.
    pub args: String,
}

/// A key that may follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The key.
    pub key: Key,
    /// What it does, or `…` where more keys follow.
    pub what: String,
}

/// The answer to the keys pressed so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Match<'a> {
    /// They stand for a command.
    Bound(&'a Binding),
    /// They begin sequences.
    Pending(Vec<Choice>),
    /// They mean nothing here.
    Unbound,
}

/// Sequences of one context; `None` hides a binding of `global`.
type Bindings = BTreeMap<Vec<Key>, Option<Binding>>;

/// The live map.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Keymap {
    contexts: BTreeMap<Context, Bindings>,
}

/// Whether keys that are not bound in a context are looked for in `global`. Where text is typed they are
/// not: there a letter is a letter.
pub const fn falls_back(context: Context) -> bool {
    !matches!(context, Context::Global | Context::Prompt | Context::Editor | Context::Form)
}

impl Keymap {
    /// What the keys pressed so far mean in a context. A context's own bindings go before those of
    /// `global`. No keys at all mean nothing.
    pub fn lookup(&self, context: Context, keys: &[Key]) -> Match<'_> {
        let mut choices: Vec<Choice> = Vec::new();
        for layer in self.layers(context) {
            let found = layer.get(keys);
            match found {
                Some(Some(binding)) if choices.is_empty() => return Match::Bound(binding),
                // A layer above already waits for more keys: the shorter one below is out of reach.
                Some(Some(_)) => break,
                _ if hides_prefix(layer, keys) => break,
                _ => {}
            }
            for choice in choices_after(layer, keys) {
                if choices.iter().all(|known| known.key != choice.key) {
                    choices.push(choice);
                }
            }
            if found.is_some() {
                break;
            }
        }
        if choices.is_empty() { Match::Unbound } else { Match::Pending(choices) }
    }

    /// The sequences of a context and, where it falls back, those of `global`.
    fn layers(&self, context: Context) -> impl Iterator<Item = &Bindings> {
        let global = falls_back(context).then_some(Context::Global);
        [Some(context), global].into_iter().flatten().filter_map(|name| self.contexts.get(&name))
    }
}

/// Whether a shorter sequence of the layer takes the keys before they are complete.
fn hides_prefix(layer: &Bindings, keys: &[Key]) -> bool {
    let taken = |head: &[Key]| layer.get(head).is_some_and(Option::is_some);
    (1..keys.len()).any(|length| keys.get(..length).is_some_and(taken))
}

/// The keys that may follow, in the order of keys.
fn choices_after(layer: &Bindings, keys: &[Key]) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    if keys.is_empty() {
        return choices;
    }
    let longer =
        layer.range(keys.to_vec()..).take_while(|(sequence, _)| sequence.starts_with(keys));
    for (sequence, binding) in longer {
        let (Some(&key), Some(binding)) = (sequence.get(keys.len()), binding) else { continue };
        let what =
            if sequence.len() == keys.len() + 1 { describe(binding) } else { "…".to_owned() };
        if choices.last().is_none_or(|last| last.key != key) {
            choices.push(Choice { key, what });
        }
    }
    choices
}

fn describe(binding: &Binding) -> String {
    let doc = binding.command.row().doc;
    if binding.args.is_empty() { doc.to_owned() } else { format!("{doc}: {}", binding.args) }
}

#[cfg(test)]
mod tests;
