//! Operations inside a text: single characters inserted or deleted, in the objects that the kind's genesis made.

use std::collections::{BTreeMap, BTreeSet};

use super::AccessError;
use super::change::own_op;
use crate::change::{OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp, ParsedScalar};
use crate::document::{Document, genesis_text};
use crate::field::{FieldRule, ValueType};
use crate::value::{self, Value};

/// A text may grow to so many times its limit where several people write at once; more is no accident.
const CONCURRENT_FACTOR: usize = 4;

/// The texts of a record that a change touches.
pub(super) struct TextOps<'a> {
    change: &'a ParsedChange,
    before: &'a Document,
    fields: BTreeMap<OpId, Text>,
}

struct Text {
    field: &'static FieldRule,
    /// Elements that show.
    elements: BTreeSet<OpId>,
    /// Characters, with what this change inserts.
    length: usize,
}

impl<'a> TextOps<'a> {
    pub(super) fn new(change: &'a ParsedChange, before: &'a Document) -> Self {
        Self { change, before, fields: BTreeMap::new() }
    }

    /// The field that this operation on `object` writes.
    pub(super) fn check(&mut self, op: &ParsedOp, object: OpId) -> Result<&'static FieldRule, AccessError> {
        let text = match self.fields.entry(object) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let field = field_of(self.before, object).ok_or(AccessError::NestedObject)?;
                let elements = self.before.text_elements(field);
                let length = elements.len();
                new.insert(Text { field, elements, length })
            }
        };
        let known = |element: OpId| match own_op(self.change, element) {
            Some(own) => own.insert && own.object == ParsedObject::Object(object),
            None => text.elements.contains(&element) || self.before.inserted_into(object, element),
        };
        match (&op.action, op.insert, &op.key) {
            (ParsedAction::Put(ParsedScalar::Str(char)), true, ParsedKey::Head | ParsedKey::Element(_)) => {
                if matches!(op.key, ParsedKey::Element(after) if !known(after)) || !op.preds.is_empty() {
                    return Err(AccessError::ForeignPredecessor);
                }
                text.length += 1;
                if !is_character(text.field, char) || text.length > length_max(text.field) {
                    return Err(AccessError::InvalidValue(text.field.name));
                }
            }
            (ParsedAction::Delete, false, ParsedKey::Element(element)) => {
                if op.preds != [*element] || !known(*element) {
                    return Err(AccessError::ForeignPredecessor);
                }
            }
            _ => return Err(AccessError::UnknownOperation),
        }
        Ok(text.field)
    }
}

fn field_of(before: &Document, object: OpId) -> Option<&'static FieldRule> {
    let made = Some((object.counter, object.actor));
    before.kind().rule().texts().find(|field| genesis_text(before.kind(), field.name) == made)
}

fn is_character(field: &FieldRule, text: &str) -> bool {
    text.chars().count() == 1 && value::check_stored(&field.value, &Value::Text(text.to_owned())).is_ok()
}

fn length_max(field: &FieldRule) -> usize {
    match field.value {
        ValueType::Prose { max } | ValueType::Line { max } => max.saturating_mul(CONCURRENT_FACTOR),
        _ => 0,
    }
}
