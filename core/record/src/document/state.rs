//! A field as people see it: the shown value and the concurrent others, each with who and when.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ReadDoc;
use foras_wire::id::Actor;

use super::content::Entry;
use super::read::shown;
use super::{Document, scalar};
use crate::field::{FieldRule, Shape};
use crate::value::Value;

/// One value with its author and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The value; null for a clear, an array for a set, an object for an event.
    pub value: serde_json::Value,
    /// Who wrote it.
    pub actor: Actor,
    /// When, in seconds since 1970, by the author's clock. Shown, never compared.
    pub time_s: i64,
}

/// The state of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldState {
    /// What shows; `None` where nobody ever wrote, and in shapes that have only items.
    pub shown: Option<Held>,
    /// What others wrote at the same time, latest first, the same on every replica. Equal values count once.
    pub others: Vec<Held>,
    /// One state per item: of [`Shape::PerItem`], events and versions.
    pub items: BTreeMap<String, ItemState>,
}

/// The state of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemState {
    /// What shows.
    pub shown: Held,
    /// What others wrote at the same time, latest first.
    pub others: Vec<Held>,
}

impl FieldState {
    /// Whether anybody ever wrote the field.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.shown.is_some() || !self.items.is_empty()
    }

    /// How many values or items wait to be settled.
    #[must_use]
    pub fn conflicts(&self) -> u32 {
        let items = self.items.values().filter(|item| !item.others.is_empty()).count();
        u32::try_from(items + usize::from(!self.others.is_empty())).unwrap_or(u32::MAX)
    }
}

impl Document {
    /// The state of one field.
    #[must_use]
    pub fn field(&self, field: &FieldRule) -> FieldState {
        match field.shape {
            Shape::One => {
                let (shown, others) = self.held_of(field, &self.entries(field.name));
                FieldState { shown, others, items: BTreeMap::new() }
            }
            Shape::Set => FieldState { shown: self.held_set(field), ..FieldState::default() },
            Shape::PerItem | Shape::Events => FieldState { items: self.held_items(field), ..FieldState::default() },
            Shape::Versions => {
                let shown = self.newest(field).map(|entry| self.held(field, &entry));
                FieldState { shown, others: Vec::new(), items: self.held_items(field) }
            }
            Shape::Text => FieldState { shown: self.held_text(field), ..FieldState::default() },
        }
    }

    /// The states of the kind's fields that somebody wrote, by name.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<&'static str, FieldState> {
        let states = self.kind.rule().fields.iter().map(|field| (field.name, self.field(field)));
        states.filter(|(_, state)| state.is_written()).collect()
    }

    /// How many fields or items hold concurrent values that wait to be settled.
    #[must_use]
    pub fn conflicts(&self) -> u32 {
        self.content().conflicts(self.kind.rule())
    }

    fn held_of(&self, field: &FieldRule, entries: &[Entry]) -> (Option<Held>, Vec<Held>) {
        let Some(top) = shown(field, entries) else { return (None, Vec::new()) };
        let mut seen = BTreeSet::from([&top.value]);
        let others = entries.iter().rev().filter(|entry| seen.insert(&entry.value));
        let others = others.map(|entry| self.held(field, entry)).collect();
        (Some(self.held(field, top)), others)
    }

    fn held_items(&self, field: &FieldRule) -> BTreeMap<String, ItemState> {
        let state = |item: String| {
            let (shown, others) = self.held_of(field, &self.entries(&field.key(Some(&item))));
            Some((item, ItemState { shown: shown?, others }))
        };
        self.items_of(field).into_iter().filter_map(state).collect()
    }

    /// A set as one value: its members, by whoever touched it last.
    fn held_set(&self, field: &FieldRule) -> Option<Held> {
        let entries = self.items_of(field).into_iter().flat_map(|item| self.entries(&field.key(Some(&item))));
        let latest = entries.max_by_key(|entry| (entry.counter, entry.actor))?;
        let members = self.members(field).into_iter().map(serde_json::Value::from).collect();
        Some(Held { value: serde_json::Value::Array(members), ..self.held(field, &latest) })
    }

    fn newest(&self, field: &FieldRule) -> Option<Entry> {
        let entries = self.items_of(field).into_iter().flat_map(|item| self.entries(&field.key(Some(&item))));
        entries.max_by_key(|entry| (entry.counter, entry.actor))
    }

    /// A text by whoever wrote its latest character; of a text emptied since, by the record's latest author.
    fn held_text(&self, field: &FieldRule) -> Option<Held> {
        let object = self.text_object(field)?;
        let text = self.doc.text(&object).ok()?;
        let characters = self.doc.values(&object).filter_map(|(_, id)| scalar::op_of(&id));
        let latest = characters.max().or_else(|| self.latest_op())?;
        let (actor, time_s) = self.author_of(latest);
        Some(Held { value: text.into(), actor, time_s })
    }

    fn held(&self, field: &FieldRule, entry: &Entry) -> Held {
        let (actor, time_s) = self.author_of((entry.counter, entry.actor));
        let is_event = matches!(field.shape, Shape::Events | Shape::Versions);
        let value = match &entry.value {
            Value::Text(json) if is_event => serde_json::from_str(json).unwrap_or_else(|_| entry.value.to_json()),
            value => value.to_json(),
        };
        Held { value, actor, time_s }
    }

    /// The author of an operation, and the time of its change.
    fn author_of(&self, (counter, actor): (u64, Actor)) -> (Actor, i64) {
        let id = automerge::ObjId::Id(counter, automerge::ActorId::from(actor.0), usize::MAX);
        let hash = self.doc.hash_for_opid(&id);
        let meta = hash.and_then(|hash| self.doc.get_change_meta_by_hash(&hash));
        (actor, meta.map_or(0, |meta| meta.timestamp))
    }

    fn latest_op(&self) -> Option<(u64, Actor)> {
        let changes = self.doc.get_changes_meta(&[]);
        let ops = changes.iter().map(|meta| (meta.max_op, scalar::actor_of(&meta.actor)));
        ops.max().filter(|(_, actor)| *actor != super::genesis_actor(self.kind))
    }
}
