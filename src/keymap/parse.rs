//! Keymap files: TOML, one table per context, `"key sequence" = "command arguments"`. An empty command or
//! `unbound` takes a key away, from the base or from `global`.
//!
//! Owns: the form of keymap files and their faults. Absent on purpose: files. Read next: [`super::key`],
//! [`crate::config::document`].

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::command::{Argument, Command, Context, TABLE};
use crate::config::document::{Faults, did_you_mean, in_order, kind};
use crate::config::fault::Fault;

use super::key::{parse_sequence, print_sequence};
use super::{Binding, Bindings, Key, Keymap, Shipped, falls_back};

/// Lines on which the sequences of the text at hand stand, per context.
type Lines = BTreeMap<(Context, Vec<Key>), usize>;

impl Keymap {
    /// A shipped keymap alone.
    pub fn shipped(which: Shipped) -> Self {
        // A test reads all of them without a fault; should one have any, its sound part is still used.
        let mut keymap = Self::default();
        keymap.merge(which.text());
        keymap
    }

    /// Reads a base and lays the user's text over it.
    ///
    /// # Errors
    /// All faults at once, those of the user's text with its lines, those of the base named so.
    pub fn parse(base: &str, user: Option<&str>) -> Result<Self, Vec<Fault>> {
        let mut keymap = Self::default();
        let mut faults = keymap.merge(base);
        for fault in &mut faults {
            fault.what = format!("in the base keymap: {}", fault.what);
        }
        faults.extend(user.map(|text| keymap.merge(text)).unwrap_or_default());
        if faults.is_empty() { Ok(keymap) } else { Err(faults) }
    }

    /// Lays a text over this map and returns its faults.
    fn merge(&mut self, text: &str) -> Vec<Fault> {
        let (document, mut faults) = Faults::read(text);
        let mut lines = Lines::new();
        for (name, value) in in_order(&document) {
            let line = faults.line(&name.span());
            let Some(context) = Context::parse(name.get_ref()) else {
                let names = Context::ALL.map(Context::as_str);
                let near = did_you_mean(name.get_ref(), &names);
                faults.add(line, format!("unknown context \"{}\"{near}", name.get_ref()));
                continue;
            };
            match value.get_ref() {
                DeValue::Table(table) => self.merge_table(context, table, &mut faults, &mut lines),
                other => {
                    let found = kind(other);
                    faults.add(line, format!("[{}] must be a table, not {found}", name.get_ref()));
                }
            }
        }
        for ((context, keys), line) in &lines {
            self.check_prefixes(*context, keys, *line, &lines, &mut faults);
        }
        faults.into_sorted()
    }

    fn merge_table(
        &mut self,
        context: Context,
        table: &DeTable<'_>,
        faults: &mut Faults,
        lines: &mut Lines,
    ) {
        for (name, value) in in_order(table) {
            let line = faults.line(&name.span());
            let read = parse_sequence(name.get_ref())
                .and_then(|keys| check_typed(context, &keys).map(|()| keys))
                .and_then(|keys| match lines.get(&(context, keys.clone())) {
                    Some(first) => {
                        Err(format!("\"{}\" is bound on line {first} already", name.get_ref()))
                    }
                    None => Ok(keys),
                });
            let bound = parse_binding(context, value.get_ref());
            match (read, bound) {
                (Ok(keys), Ok(Some(binding))) => {
                    lines.insert((context, keys.clone()), line);
                    self.contexts.entry(context).or_default().insert(keys, Some(binding));
                }
                (Ok(keys), Ok(None)) => match self.unbind(context, keys.clone()) {
                    Ok(()) => drop(lines.insert((context, keys), line)),
                    Err(what) => faults.add(line, what),
                },
                (keys, bound) => {
                    keys.err().into_iter().chain(bound.err()).for_each(|what| {
                        faults.add(line, what);
                    });
                }
            }
        }
    }

    /// Takes a binding away; one of `global` is hidden in this context.
    fn unbind(&mut self, context: Context, keys: Vec<Key>) -> Result<(), String> {
        let bound_in = |context| self.contexts.get(&context).is_some_and(|l| l.contains_key(&keys));
        let (own, global) = (bound_in(context), bound_in(Context::Global));
        if falls_back(context) && global {
            self.contexts.entry(context).or_default().insert(keys, None);
        } else if own {
            self.contexts.entry(context).or_default().remove(&keys);
        } else {
            let keys = print_sequence(&keys);
            return Err(format!("\"{keys}\" is not bound in [{}]", context.as_str()));
        }
        Ok(())
    }

    /// A sequence that begins another one of its context would make that one unreachable. Reported where
    /// the text at hand has one of the two; where it has both, once, on the later line.
    fn check_prefixes(
        &self,
        context: Context,
        keys: &[Key],
        line: usize,
        lines: &Lines,
        faults: &mut Faults,
    ) {
        let Some(layer) = self.contexts.get(&context) else { return };
        if !layer.get(keys).is_some_and(Option::is_some) {
            return;
        }
        for other in conflicts(layer, keys) {
            let later = lines.get(&(context, other.clone())).is_none_or(|known| *known < line);
            if later {
                let (short, long) =
                    if other.len() < keys.len() { (&other[..], keys) } else { (keys, &other[..]) };
                faults.add(
                    line,
                    format!(
                        "\"{}\" begins \"{}\" in [{}]; unbind one of them",
                        print_sequence(short),
                        print_sequence(long),
                        context.as_str(),
                    ),
                );
            }
        }
    }
}

/// Sequences named at most that one and the same sequence begins.
const MOST_CONFLICTS: usize = 10;

/// Sequences that begin these keys or that these keys begin.
fn conflicts<'a>(layer: &'a Bindings, keys: &'a [Key]) -> impl Iterator<Item = &'a Vec<Key>> {
    let shorter = (1..keys.len()).filter_map(|length| layer.get_key_value(keys.get(..length)?));
    let longer = layer.range(keys.to_vec()..).take_while(|(other, _)| other.starts_with(keys));
    let longer = longer.filter(|(other, _)| other.len() > keys.len()).take(MOST_CONFLICTS);
    shorter.chain(longer).filter(|(_, binding)| binding.is_some()).map(|(other, _)| other)
}

/// Where text is typed, no sequence may begin with a key that types.
fn check_typed(context: Context, keys: &[Key]) -> Result<(), String> {
    let text_is_typed = matches!(context, Context::Prompt | Context::Editor | Context::Form);
    match keys.first().and_then(|key| key.typed()) {
        Some(char) if text_is_typed => {
            let context = context.as_str();
            let char = if char == ' ' { "Space".to_owned() } else { char.to_string() };
            Err(format!("\"{char}\" types text in [{context}]; use a key with C- or M-"))
        }
        _ => Ok(()),
    }
}

/// Reads `command arguments`; `None` takes the key away.
fn parse_binding(context: Context, value: &DeValue<'_>) -> Result<Option<Binding>, String> {
    let DeValue::String(text) = value else {
        return Err(format!("the command must be a text in quotes, not {}", kind(value)));
    };
    let text = text.trim();
    if text.is_empty() || text == "unbound" {
        return Ok(None);
    }
    if text.chars().any(char::is_control) {
        return Err("the command must be one line without control characters".to_owned());
    }
    let (name, args) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Some(command) = Command::parse(name) else {
        let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
        let near = did_you_mean(name, &names);
        return Err(format!("unknown command \"{name}\"{near}"));
    };
    if !command.applies_in(context) {
        let homes: Vec<_> = command.row().contexts.iter().map(|home| home.as_str()).collect();
        return Err(format!(
            "\"{name}\" cannot be given in [{}], only in {}",
            context.as_str(),
            homes.join(", ")
        ));
    }
    let args = args.trim().to_owned();
    if command.row().argument == Argument::None && !args.is_empty() {
        return Err(format!("\"{name}\" takes nothing after its name, but \"{args}\" follows"));
    }
    Ok(Some(Binding { command, args }))
}
