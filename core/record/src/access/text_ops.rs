//! Operations inside a text: single characters inserted or deleted, in the objects that the kind's genesis made.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::AccessError;
use crate::change::{OpId, ParsedAction, ParsedKey, ParsedOp, ParsedScalar};
use crate::document::{Document, genesis_text};
use crate::field::{FieldRule, ValueType};
use crate::value::{self, Value};

/// A text may grow to so many times its limit where several people write at once; more is no accident.
const CONCURRENT_FACTOR: usize = 4;

/// The texts of a record that a change touches.
pub(super) struct TextOps<'a> {
    before: &'a Document,
    texts: BTreeMap<OpId, Text>,
}

struct Text {
    field: &'static FieldRule,
    /// Characters that show, with what the change inserts.
    length: usize,
}

impl<'a> TextOps<'a> {
    pub(super) fn new(before: &'a Document) -> Self {
        Self { before, texts: BTreeMap::new() }
    }

    /// The field that this operation on `object` writes.
    pub(super) fn check(&mut self, op: &ParsedOp, object: OpId) -> Result<&'static FieldRule, AccessError> {
        let text = match self.texts.entry(object) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let field = field_of(self.before, object).ok_or(AccessError::NestedObject)?;
                let length = self.before.text(field).map_or(0, |text| text.chars().count());
                new.insert(Text { field, length })
            }
        };
        match (&op.action, op.insert, &op.key) {
            (ParsedAction::Put(ParsedScalar::Str(char)), true, ParsedKey::Head | ParsedKey::Element(_)) => {
                text.length += 1;
                if !is_character(text.field, char) || text.length > length_max(text.field) {
                    return Err(AccessError::InvalidValue(text.field.name));
                }
            }
            (ParsedAction::Delete, false, ParsedKey::Element(_)) => {}
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
