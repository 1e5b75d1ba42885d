//! From commands back to keys: what help, palette, README and `casebook keys` show.
//!
//! Owns: which keys reach a command from where. Absent on purpose: layout. Read next: [`Keymap::help`].

use crate::command::{Command, Context, TABLE};

use super::key::print_sequence;
use super::{Binding, Key, Keymap, Match, falls_back};

/// One line of help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpRow {
    /// Where the keys are bound: the context asked for, or `global`.
    pub context: Context,
    /// Key sequences, shortest first.
    pub keys: Vec<String>,
    /// The command's name.
    pub name: &'static str,
    /// What follows the name; mostly empty.
    pub args: String,
    /// What it does.
    pub doc: &'static str,
}

impl Keymap {
    /// The key sequences that give this command, without arguments, in a context: own ones, then those of
    /// `global` that the context does not hide. Shortest first.
    pub fn keys_of(&self, context: Context, command: Command) -> Vec<String> {
        let wanted = Binding { command, args: String::new() };
        let mut keys = self.printed(context, context, &wanted);
        if falls_back(context) {
            keys.extend(self.printed(context, Context::Global, &wanted));
        }
        keys
    }

    /// What works in a context: its own bindings in the order of the command table, then those of `global`
    /// that it does not hide.
    pub fn help(&self, context: Context) -> Vec<HelpRow> {
        let mut rows = self.help_of(context, context);
        if falls_back(context) {
            rows.extend(self.help_of(context, Context::Global));
        }
        rows
    }

    /// Commands that no key gives anywhere, in the order of the table.
    pub fn unbound(&self) -> Vec<Command> {
        let bound = |id| {
            let mut bindings = self.contexts.values().flat_map(|layer| layer.values());
            bindings.any(|binding| binding.as_ref().is_some_and(|binding| binding.command == id))
        };
        TABLE.iter().map(|row| row.id).filter(|id| !bound(*id)).collect()
    }

    fn help_of(&self, context: Context, owner: Context) -> Vec<HelpRow> {
        let mut wanted: Vec<&Binding> = Vec::new();
        for binding in self.contexts.get(&owner).into_iter().flat_map(|layer| layer.values()) {
            wanted.extend(binding.as_ref().filter(|binding| !wanted.contains(binding)));
        }
        wanted.sort_by(|a, b| (a.command, &a.args).cmp(&(b.command, &b.args)));
        let rows = wanted.into_iter().map(|binding| HelpRow {
            context: owner,
            keys: self.printed(context, owner, binding),
            name: binding.command.name(),
            args: binding.args.clone(),
            doc: binding.command.row().doc,
        });
        rows.filter(|row| !row.keys.is_empty()).collect()
    }

    /// The sequences bound to this in `owner` that reach it from `context`.
    fn printed(&self, context: Context, owner: Context, wanted: &Binding) -> Vec<String> {
        let Some(layer) = self.contexts.get(&owner) else { return Vec::new() };
        let mut sequences: Vec<&Vec<Key>> = layer
            .iter()
            .filter(|(_, binding)| binding.as_ref() == Some(wanted))
            .map(|(sequence, _)| sequence)
            .filter(|sequence| owner == context || self.reaches(context, sequence, wanted))
            .collect();
        sequences.sort_by_key(|sequence| sequence.len());
        sequences.into_iter().map(|sequence| print_sequence(sequence)).collect()
    }

    fn reaches(&self, context: Context, sequence: &[Key], wanted: &Binding) -> bool {
        let own = self.contexts.get(&context).is_some_and(|layer| layer.contains_key(sequence));
        !own && self.lookup(context, sequence) == Match::Bound(wanted)
    }
}
