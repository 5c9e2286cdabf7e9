//! What a change wrote, read back from its operations: how refused work is shown, kept and written anew.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::change::{ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedScalar};
use foras_record::document::{Document, Edit, Write};
use foras_record::field::{FieldRule, Shape};
use foras_record::kind::Kind;
use foras_record::value::Value;
use serde_json::json;

use crate::error::Error;

/// One write of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Put(Value),
    Clear,
    Members { added: BTreeSet<String>, removed: BTreeSet<String> },
    Text(String),
}

/// One write of a change, with its field.
#[derive(Debug, Clone)]
pub(super) struct Wrote {
    pub(super) field: &'static FieldRule,
    pub(super) item: Option<String>,
    pub(super) act: Act,
}

impl Wrote {
    /// The same write, onto `document`.
    pub(super) fn to_edit(&self, document: &Document) -> Edit {
        let write = match &self.act {
            Act::Put(value) => Write::Put(value.clone()),
            Act::Clear => Write::Clear,
            Act::Text(text) => Write::Text(text.clone()),
            Act::Members { added, removed } => {
                let mut members = document.members(self.field);
                members.extend(added.iter().cloned());
                members.retain(|member| !removed.contains(member));
                Write::Members(members)
            }
        };
        Edit { field: self.field, item: self.item.clone(), write }
    }

    /// As JSON: the value, null for a clear, an object for a set.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.act {
            Act::Put(value) => value.to_json(),
            Act::Clear => serde_json::Value::Null,
            Act::Text(text) => json!(text),
            Act::Members { added, removed } => json!({ "added": added, "removed": removed }),
        }
    }
}

/// What the change at `at` of `chunks` wrote.
pub(super) fn of_change(kind: Kind, change: &ParsedChange, chunks: &[Vec<u8>], at: usize) -> Result<Vec<Wrote>, Error> {
    let mut wrote = Vec::new();
    let mut sets: BTreeMap<&str, (&'static FieldRule, BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for op in &change.ops {
        let (ParsedObject::Root, ParsedKey::Field(key), ParsedAction::Put(scalar)) = (&op.object, &op.key, &op.action)
        else {
            continue;
        };
        let (name, item) = match key.split_once('/') {
            Some((name, item)) => (name, Some(item.to_owned())),
            None => (key.as_str(), None),
        };
        let Some(field) = kind.rule().field(name) else { continue };
        let value = value_of(scalar);
        if let (Shape::Set, Some(member)) = (field.shape, &item) {
            let (_, added, removed) = sets.entry(field.name).or_insert((field, BTreeSet::new(), BTreeSet::new()));
            let side = if value == Value::Flag(true) { added } else { removed };
            side.insert(member.clone());
            continue;
        }
        let act = if value == Value::Null { Act::Clear } else { Act::Put(value) };
        wrote.push(Wrote { field, item, act });
    }
    for (field, added, removed) in sets.into_values() {
        wrote.push(Wrote { field, item: None, act: Act::Members { added, removed } });
    }
    if change.ops.iter().any(|op| op.object != ParsedObject::Root) {
        wrote.extend(texts(kind, chunks, at)?);
    }
    Ok(wrote)
}

fn value_of(scalar: &ParsedScalar) -> Value {
    match scalar {
        ParsedScalar::Bool(flag) => Value::Flag(*flag),
        ParsedScalar::Int(number) => Value::Int(*number),
        ParsedScalar::Uint(number) => Value::Int(i64::try_from(*number).unwrap_or(i64::MAX)),
        ParsedScalar::Str(text) => Value::Text(text.clone()),
        _ => Value::Null,
    }
}

/// Texts that the change at `at` left different from how it found them, as it left them.
fn texts(kind: Kind, chunks: &[Vec<u8>], at: usize) -> Result<Vec<Wrote>, Error> {
    let until = |end: usize| {
        let chunks = chunks.get(..end).unwrap_or_default();
        Document::replay(kind, chunks.iter().map(Vec::as_slice)).map_err(|_| Error::Corrupt { set_aside: None })
    };
    let (before, after) = (until(at)?, until(at + 1)?);
    let fields = kind.rule().fields.iter().filter(|field| field.shape == Shape::Text);
    let changed = fields.filter(|field| before.text(field) != after.text(field));
    Ok(changed
        .map(|field| Wrote { field, item: None, act: Act::Text(after.text(field).unwrap_or_default()) })
        .collect())
}
