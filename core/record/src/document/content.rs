//! A document's content: every value that stands, shown or concurrent, and who put it. Rehearsal, digests and tests
//! compare this, since documents with equal heads have been seen to differ in what can be read.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use automerge::{ROOT, ReadDoc};
use foras_wire::id::{Actor, Digest32};
use sha2::{Digest, Sha256};

use super::read::shown;
use super::{Document, scalar};
use crate::field::{FieldRule, Shape};
use crate::kind::KindRule;
use crate::value::Value;

/// One value that stands under a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The value; for a text object, all its characters.
    pub value: Value,
    /// The counter of the operation that put it.
    pub counter: u64,
    /// Its actor.
    pub actor: Actor,
}

/// Every key with the values that stand under it, the shown one last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content(pub BTreeMap<String, Vec<Entry>>);

impl Content {
    /// SHA-256 over keys, values and operations, each with its length. Equal contents have equal fingerprints.
    #[must_use]
    pub fn fingerprint(&self) -> Digest32 {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for (key, entries) in &self.0 {
            part(key.as_bytes());
            part(&(entries.len() as u64).to_be_bytes());
            for entry in entries {
                match &entry.value {
                    Value::Null => part(b"n"),
                    Value::Flag(flag) => part(&[b'f', u8::from(*flag)]),
                    Value::Int(number) => part(&[b"i".as_slice(), &number.to_be_bytes()].concat()),
                    Value::Text(text) => part(&[b"t", text.as_bytes()].concat()),
                }
                part(&entry.counter.to_be_bytes());
                part(entry.actor.as_bytes());
            }
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(&hash.finalize());
        Digest32(digest)
    }
}

impl Content {
    /// The values that stand under a field's key, or under one item's, the shown one last.
    #[must_use]
    pub fn entries(&self, field: &FieldRule, item: Option<&str>) -> &[Entry] {
        let entries = match item {
            Some(_) => self.0.get(&field.key(item)),
            None => self.0.get(field.name),
        };
        entries.map(Vec::as_slice).unwrap_or_default()
    }

    /// The shown value of a field of one key; `None` where nobody wrote, or somebody cleared.
    #[must_use]
    pub fn value(&self, field: &FieldRule) -> Option<&Value> {
        shown(field, self.entries(field, None)).map(|entry| &entry.value).filter(|value| !value.is_null())
    }

    /// The items of a field with the values that stand under each.
    pub fn items<'c>(&'c self, field: &FieldRule) -> impl Iterator<Item = (&'c str, &'c [Entry])> + use<'c> {
        let from = format!("{}/", field.name);
        let length = from.len();
        let keys = self.0.range(from.clone()..).take_while(move |(key, _)| key.starts_with(&from));
        keys.filter_map(move |(key, entries)| Some((key.get(length..)?, entries.as_slice())))
    }

    /// How many fields or items hold concurrent values that wait to be settled.
    #[must_use]
    pub fn conflicts(&self, kind: &KindRule) -> u32 {
        if self.0.values().all(|entries| entries.len() < 2) {
            return 0;
        }
        let open = |field: &FieldRule, entries: &[Entry]| {
            shown(field, entries).is_some_and(|top| entries.iter().any(|entry| entry.value != top.value))
        };
        let count = |field: &FieldRule| match field.shape {
            Shape::One => usize::from(open(field, self.entries(field, None))),
            Shape::PerItem => self.items(field).filter(|(_, entries)| open(field, entries)).count(),
            _ => 0,
        };
        u32::try_from(kind.fields.iter().map(count).sum::<usize>()).unwrap_or(u32::MAX)
    }
}

impl Document {
    /// Every value that stands, with its operation.
    #[must_use]
    pub fn content(&self) -> Content {
        let mut content = BTreeMap::new();
        for key in self.doc.keys(ROOT) {
            let entries = self.entries(&key);
            content.insert(key, entries);
        }
        Content(content)
    }

    /// As [`Self::content`], read once and kept: what the document's own edits touch is read again, nothing else.
    #[must_use]
    pub fn content_kept(&self) -> &Content {
        self.kept.get_or_init(|| self.content())
    }

    /// An own edit put these keys; `is_all`: and wrote nothing else.
    pub(super) fn keep_content<'k>(&mut self, keys: impl Iterator<Item = &'k String>, is_all: bool) {
        let Some(mut content) = self.kept.take().filter(|_| is_all) else { return };
        for key in keys {
            let entries = self.entries(key);
            if entries.is_empty() {
                content.0.remove(key);
            } else {
                content.0.insert(key.clone(), entries);
            }
        }
        self.kept = OnceLock::from(content);
    }

    /// The values that stand under one key, the shown one last.
    pub(super) fn entries(&self, key: &str) -> Vec<Entry> {
        let values = self.doc.get_all(ROOT, key).unwrap_or_default();
        let entry = |(value, id): (automerge::Value<'_>, automerge::ObjId)| {
            let (counter, actor) = scalar::op_of(&id)?;
            let value = match value {
                automerge::Value::Object(automerge::ObjType::Text) => Value::Text(self.doc.text(&id).ok()?),
                value => scalar::of_automerge(&value),
            };
            Some(Entry { value, counter, actor })
        };
        let mut entries: Vec<Entry> = values.into_iter().filter_map(entry).collect();
        entries.sort_by_key(|entry| (entry.counter, entry.actor));
        entries
    }
}
