//! A record's content straight from its parsed changes, without automerge: for records that arrived and were not yet
//! tried. A fifth of what loading a document costs, and nothing of automerge's runs on bytes from elsewhere.
//!
//! Only what this library itself writes is read: values and deletes at the root, and characters of the kind's texts.
//! Anything else gives `None`; such a record has to be loaded as a document.

use std::collections::BTreeMap;

use super::content::{Content, Entry};
use super::genesis;
use crate::change::{OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp, ParsedScalar};
use crate::kind::Kind;
use crate::value::Value;

/// Characters, deleted ones included, that the texts of one record may have had.
const CHARACTERS_MAX: usize = 64 * 1024;

/// The values under each key, with the operations that put them. A text is filled in at the end.
type Keys = BTreeMap<String, Vec<Entry>>;

impl Content {
    /// The content that `changes` make of an empty record of `kind`: all of its changes, dependencies first. `None`
    /// where they hold something that this library does not write.
    #[must_use]
    pub fn of_changes<'c>(kind: Kind, changes: impl IntoIterator<Item = &'c ParsedChange>) -> Option<Self> {
        Self::of_ops(kind, changes.into_iter().flat_map(|change| change.ops.iter().cloned()))
    }

    /// As [`Self::of_changes`], of the changes' operations.
    pub(crate) fn of_ops(kind: Kind, ops: impl Iterator<Item = ParsedOp>) -> Option<Self> {
        let mut keys = Keys::new();
        let mut texts = Vec::new();
        for field in kind.rule().texts() {
            let (counter, actor) = genesis::genesis_text(kind, field.name)?;
            keys.insert(field.name.to_owned(), vec![Entry { value: Value::Null, counter, actor }]);
            texts.push((field.name, Text::of(OpId { counter, actor })));
        }
        for op in ops {
            match op.object {
                ParsedObject::Root => write(&mut keys, op)?,
                ParsedObject::Object(id) => texts.iter_mut().find(|(_, text)| text.object == id)?.1.write(&op)?,
            }
        }
        for (name, text) in texts {
            let stands = keys.get_mut(name).into_iter().flatten();
            stands.filter(|entry| id_of(entry) == text.object).for_each(|entry| entry.value = Value::Text(text.read()));
        }
        keys.retain(|_, stands| !stands.is_empty());
        for stands in keys.values_mut().filter(|stands| stands.len() > 1) {
            stands.sort_by_key(|entry| (entry.counter, entry.actor));
        }
        Some(Self(keys))
    }
}

fn id_of(entry: &Entry) -> OpId {
    OpId { counter: entry.counter, actor: entry.actor }
}

/// An operation at the root: what it overwrites goes, what it puts stands.
fn write(keys: &mut Keys, op: ParsedOp) -> Option<()> {
    let ParsedKey::Field(key) = op.key else { return None };
    let stands = keys.entry(key).or_default();
    if !op.preds.is_empty() {
        stands.retain(|entry| !op.preds.contains(&id_of(entry)));
    }
    match op.action {
        ParsedAction::Put(scalar) => {
            stands.push(Entry { value: value(scalar)?, counter: op.id.counter, actor: op.id.actor });
        }
        ParsedAction::Delete => {}
        _ => return None,
    }
    Some(())
}

/// Our value of a scalar; `None` for scalars that this library does not write.
fn value(scalar: ParsedScalar) -> Option<Value> {
    match scalar {
        ParsedScalar::Null => Some(Value::Null),
        ParsedScalar::Bool(flag) => Some(Value::Flag(flag)),
        ParsedScalar::Int(number) => Some(Value::Int(number)),
        ParsedScalar::Str(text) => Some(Value::Text(text)),
        _ => None,
    }
}

/// A text merged by character: a chain in which each character names the one after which it was typed.
struct Text {
    object: OpId,
    characters: Vec<Character>,
    places: BTreeMap<OpId, usize>,
    first: Option<usize>,
}

struct Character {
    id: OpId,
    text: String,
    deleted: bool,
    next: Option<usize>,
}

impl Text {
    fn of(object: OpId) -> Self {
        Self { object, characters: Vec::new(), places: BTreeMap::new(), first: None }
    }

    fn write(&mut self, op: &ParsedOp) -> Option<()> {
        match (&op.action, op.insert) {
            (ParsedAction::Put(ParsedScalar::Str(text)), true) => self.insert(op, text),
            (ParsedAction::Delete, false) => {
                for pred in &op.preds {
                    let at = *self.places.get(pred)?;
                    self.characters.get_mut(at)?.deleted = true;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Of characters typed at one place at once, the later operation stands first: so every replica reads the same.
    fn insert(&mut self, op: &ParsedOp, text: &str) -> Option<()> {
        if self.characters.len() >= CHARACTERS_MAX {
            return None;
        }
        let mut after = match &op.key {
            ParsedKey::Head => None,
            ParsedKey::Element(id) => Some(*self.places.get(id)?),
            ParsedKey::Field(_) => return None,
        };
        let mut next = self.following(after);
        while let Some(at) = next.filter(|at| self.characters.get(*at).is_some_and(|one| one.id > op.id)) {
            after = Some(at);
            next = self.following(after);
        }
        let own = self.characters.len();
        self.characters.push(Character { id: op.id, text: text.to_owned(), deleted: false, next });
        self.places.insert(op.id, own);
        match after {
            None => self.first = Some(own),
            Some(at) => self.characters.get_mut(at)?.next = Some(own),
        }
        Some(())
    }

    fn following(&self, after: Option<usize>) -> Option<usize> {
        match after {
            None => self.first,
            Some(at) => self.characters.get(at)?.next,
        }
    }

    fn read(&self) -> String {
        let mut read = String::new();
        let mut next = self.first;
        while let Some(one) = next.and_then(|at| self.characters.get(at)) {
            if !one.deleted {
                read.push_str(&one.text);
            }
            next = one.next;
        }
        read
    }
}
