//! Reading fields.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ROOT, ReadDoc};

use super::content::Entry;
use super::{Document, genesis, scalar};
use crate::field::FieldRule;
use crate::value::Value;

impl Document {
    /// The shown value of a field of one key; `None` where nobody wrote, or somebody cleared.
    #[must_use]
    pub fn value(&self, field: &FieldRule) -> Option<Value> {
        shown(field, &self.entries(field.name)).map(|entry| entry.value.clone()).filter(|value| !value.is_null())
    }

    /// The shown value as a text; `None` also where it is another scalar.
    #[must_use]
    pub fn value_text(&self, field: &FieldRule) -> Option<String> {
        if let Some(Value::Text(text)) = self.value(field) { Some(text) } else { None }
    }

    /// The shown value of one item, cleared ones left out.
    #[must_use]
    pub fn item(&self, field: &FieldRule, item: &str) -> Option<Value> {
        let entries = self.entries(&field.key(Some(item)));
        shown(field, &entries).map(|entry| entry.value.clone()).filter(|value| !value.is_null())
    }

    /// The shown value of every item, cleared ones left out. For events and versions: their JSON by event id.
    #[must_use]
    pub fn items(&self, field: &FieldRule) -> BTreeMap<String, Value> {
        let value = |item: String| self.item(field, &item).map(|value| (item, value));
        self.items_of(field).into_iter().filter_map(value).collect()
    }

    /// The members of a set: a member that anybody kept concurrently stays.
    #[must_use]
    pub fn members(&self, field: &FieldRule) -> BTreeSet<String> {
        let stays = |member: &String| {
            self.entries(&field.key(Some(member))).iter().any(|entry| entry.value == Value::Flag(true))
        };
        self.items_of(field).into_iter().filter(stays).collect()
    }

    /// The text of a field merged by character; `None` for fields of another shape.
    #[must_use]
    pub fn text(&self, field: &FieldRule) -> Option<String> {
        self.doc.text(self.text_object(field)?).ok()
    }

    /// Whether anything but this very value stands under the key, a clear included.
    pub(crate) fn holds_other(&self, key: &str, value: &Value) -> bool {
        self.entries(key).iter().any(|entry| entry.value != *value)
    }

    /// Every key's item of a field with items, sorted.
    pub(super) fn items_of(&self, field: &FieldRule) -> Vec<String> {
        let (from, to) = (format!("{}/", field.name), format!("{}0", field.name));
        // '0' follows '/' in ASCII: the range holds exactly the keys that start with `field/`.
        let keys = self.doc.map_range(ROOT, from.clone()..to);
        keys.filter_map(|item| item.key.strip_prefix(&from).map(str::to_owned)).collect()
    }

    /// The text object that the kind's genesis made for this field, whatever else stands under its key.
    pub(super) fn text_object(&self, field: &FieldRule) -> Option<automerge::ObjId> {
        let made = genesis::genesis_text(self.kind, field.name)?;
        let all = self.doc.get_all(ROOT, field.name).ok()?;
        all.into_iter().map(|(_, id)| id).find(|id| scalar::op_of(id) == Some(made))
    }
}

/// The entry that shows: the one with the code that prevails, else the latest.
pub(super) fn shown<'e>(field: &FieldRule, entries: &'e [Entry]) -> Option<&'e Entry> {
    let prevails = |entry: &&Entry| field.prevails.is_some() && entry.value.as_text() == field.prevails;
    entries.iter().rev().find(prevails).or(entries.last())
}
