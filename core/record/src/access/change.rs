//! A foreign change against the rules of its kind: every operation resolved to the field that it writes.
//!
//! That an operation's predecessors lie under its own key, and a text's elements in that text, was checked before by
//! [`crate::change::Lineage`]: automerge deletes whatever an operation names as its predecessor, under any key.

use std::collections::BTreeSet;

use super::text_ops::TextOps;
use super::writing::permit;
use super::written::Written;
use super::{AccessError, AuthorFacts, Relation};
use crate::change::{ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp, ParsedScalar};
use crate::document::Document;
use crate::event::CaseEvent;
use crate::field::{FieldRule, Shape};
use crate::kind::Kind;
use crate::ruling::Ruling;
use crate::value::{self, Value};

/// Whether `change` may be let into the record that stands as `before`. A record that nobody has written yet is created
/// by it.
///
/// # Errors
/// [`AccessError`] for the first operation that may not.
pub fn check_change(
    change: &ParsedChange,
    before: &Document,
    author: &AuthorFacts,
    relation: Relation,
) -> Result<(), AccessError> {
    if change.ops.is_empty() {
        return Err(AccessError::Empty);
    }
    let mut reader = Reader { before, text: TextOps::new(before), puts: Vec::new(), once: BTreeSet::new() };
    let mut texts = BTreeSet::new();
    for op in &change.ops {
        match op.object {
            ParsedObject::Root => reader.root_op(op)?,
            ParsedObject::Object(object) => drop(texts.insert(reader.text.check(op, object)?.name)),
        }
    }
    let rule = before.kind().rule();
    let texts = texts.iter().filter_map(|name| rule.field(name)).map(|field| Written { field, value: None });
    let puts = reader.puts.iter().map(|put| Written { field: put.field, value: Some(&put.value) });
    let writes: Vec<Written<'_>> = puts.chain(texts).collect();
    permit(before, &writes, author, relation)
}

/// A scalar put under a key of the root.
struct Put {
    field: &'static FieldRule,
    value: Value,
}

/// Reads the operations of one change in order.
struct Reader<'a> {
    before: &'a Document,
    text: TextOps<'a>,
    puts: Vec<Put>,
    /// Keys written by this change that are written once.
    once: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn root_op(&mut self, op: &'a ParsedOp) -> Result<(), AccessError> {
        let ParsedKey::Field(key) = &op.key else { return Err(AccessError::UnknownOperation) };
        let scalar = match &op.action {
            ParsedAction::Put(scalar) if !op.insert => scalar,
            ParsedAction::Delete => return Err(AccessError::DeleteNotAllowed),
            ParsedAction::MakeText | ParsedAction::MakeOther(_) => return Err(AccessError::NestedObject),
            _ => return Err(AccessError::UnknownOperation),
        };
        let field = resolve(self.before.kind(), key)?;
        let value = scalar_value(scalar).ok_or(AccessError::InvalidValue(field.name))?;
        value::check_written(field, &value).map_err(|_| AccessError::InvalidValue(field.name))?;
        if is_written_once(field) {
            // Two phones that import one file write the same event under the same derived id: both stand, as one.
            if !op.preds.is_empty() || self.before.holds_other(key, &value) || !self.once.insert(key) {
                return Err(AccessError::Overwritten(field.name));
            }
            check_event(field, &value)?;
        }
        self.puts.push(Put { field, value });
        Ok(())
    }
}

/// The field that a key of the root writes.
fn resolve(kind: Kind, key: &str) -> Result<&'static FieldRule, AccessError> {
    let (name, item) = match key.split_once('/') {
        Some((name, item)) => (name, Some(item)),
        None => (key, None),
    };
    let field = kind.rule().field(name).ok_or(AccessError::UnknownField)?;
    value::check_item(field, item).map_err(|_| AccessError::UnknownField)?;
    Ok(field)
}

fn is_written_once(field: &FieldRule) -> bool {
    matches!(field.shape, Shape::Events | Shape::Versions) || is_ruling(field)
}

fn is_ruling(field: &FieldRule) -> bool {
    field.name == "ruling" && field.shape == Shape::PerItem
}

/// Events of a case and rulings are read here too: what nobody can read, nobody can rule.
fn check_event(field: &'static FieldRule, value: &Value) -> Result<(), AccessError> {
    let text = value.as_text().ok_or(AccessError::InvalidValue(field.name))?;
    let readable = if is_ruling(field) {
        text.parse::<Ruling>().is_ok()
    } else if let (Shape::Events, Ok(family)) = (field.shape, field.name.parse()) {
        CaseEvent::parse(family, text).is_ok()
    } else {
        true
    };
    if readable { Ok(()) } else { Err(AccessError::InvalidEvent(field.name)) }
}

fn scalar_value(scalar: &ParsedScalar) -> Option<Value> {
    match scalar {
        ParsedScalar::Null => Some(Value::Null),
        ParsedScalar::Bool(flag) => Some(Value::Flag(*flag)),
        ParsedScalar::Int(number) => Some(Value::Int(*number)),
        ParsedScalar::Str(text) => Some(Value::Text(text.clone())),
        _ => None,
    }
}
