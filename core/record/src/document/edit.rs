//! Edits: what one action of a person writes into one record, as one change.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, ROOT, ReadDoc};
use foras_wire::id::{Actor, ChangeHash};
use foras_wire::limits;

use super::write::{self, Splice};
use super::{Document, DocumentError, scalar};
use crate::field::{FieldRule, Shape};
use crate::value::{self, Value, ValueError};

/// A write to one field, or to one item of it.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The field, of the record's kind.
    pub field: &'static FieldRule,
    /// The item, in shapes that have items; in a set, none.
    pub item: Option<String>,
    /// What is written.
    pub write: Write,
}

impl Edit {
    /// A write to a field without items, or to a whole set.
    #[must_use]
    pub fn of(field: &'static FieldRule, write: Write) -> Self {
        Self { field, item: None, write }
    }

    /// A write to one item.
    #[must_use]
    pub fn item(field: &'static FieldRule, item: impl Into<String>, write: Write) -> Self {
        Self { field, item: Some(item.into()), write }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A value, in its normal form: [`value::check`] gives it. For an event, its JSON.
    Put(Value),
    /// Nothing: a clear, which shows who cleared and when. It empties a set or a text.
    Clear,
    /// The members of a whole set; those it had and are not named are removed.
    Members(BTreeSet<String>),
    /// The whole new text; what others write meanwhile is kept, since only the difference is written.
    Text(String),
}

/// A change that an edit made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authored {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its bytes: an uncompressed change chunk.
    pub chunk: Vec<u8>,
    /// Its number among its actor's changes of this record, from 1.
    pub seq: u64,
    /// Its highest operation counter.
    pub max_op: u64,
}

/// What a change will do: keys to put, and texts to splice. Made for one state of a document, and carried out on that.
#[derive(Debug, Default)]
pub struct Plan {
    /// By key, the values to put one after the other.
    puts: BTreeMap<String, Vec<Value>>,
    splices: Vec<(automerge::ObjId, Vec<Splice>)>,
    operations: u64,
}

impl Plan {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations == 0
    }
}

impl Document {
    /// Writes `edits` as one change of `actor`; `time_s` is the device's clock in seconds since 1970. `None` when
    /// nothing would change. Writing the shown value again settles a conflict, and changes nothing where there is none.
    ///
    /// # Errors
    /// [`DocumentError`], before anything is written: an unknown field, a field named twice, a value that its field
    /// cannot hold, an event that exists, or more than [`limits::CHANGE_OPS_MAX`] operations.
    pub fn edit(&mut self, actor: Actor, time_s: i64, edits: &[Edit]) -> Result<Option<Authored>, DocumentError> {
        let plan = self.plan(edits)?;
        if plan.is_empty() { Ok(None) } else { self.carry_out(actor, time_s, &plan).map(Some) }
    }

    /// Writes what was planned for this document as it is now, as one change; `time_s` as in [`Self::edit`].
    ///
    /// # Errors
    /// [`DocumentError::NotApplied`] for a plan of another state; the document is then spoilt.
    pub(crate) fn carry_out(&mut self, actor: Actor, time_s: i64, plan: &Plan) -> Result<Authored, DocumentError> {
        self.doc.set_actor(ActorId::from(actor.0));
        let mut transaction = self.doc.transaction();
        for (key, value) in plan.puts.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value))) {
            transaction.put(ROOT, key.as_str(), scalar::to_automerge(value)).map_err(|_| DocumentError::NotApplied)?;
        }
        for (object, splices) in &plan.splices {
            for splice in splices {
                transaction
                    .splice_text(object, splice.at, splice.delete.cast_signed(), &splice.insert)
                    .map_err(|_| DocumentError::NotApplied)?;
            }
        }
        let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(time_s));
        let hash = hash.ok_or(DocumentError::NotApplied)?;
        self.keep_content(plan.puts.keys(), plan.splices.is_empty());
        let change = self.doc.get_change_by_hash(&hash).ok_or(DocumentError::NotApplied)?;
        Ok(Authored {
            hash: ChangeHash(hash.0),
            chunk: change.raw_bytes().to_vec(),
            seq: change.seq(),
            max_op: change.max_op(),
        })
    }

    /// What `edits` would do, without doing it.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn plan(&self, edits: &[Edit]) -> Result<Plan, DocumentError> {
        let mut plan = Plan::default();
        let mut named = BTreeSet::new();
        for edit in edits {
            let field = self.kind.rule().field(edit.field.name).ok_or(DocumentError::UnknownField)?;
            if !named.insert((field.name, edit.item.as_deref())) {
                return Err(DocumentError::FieldTwice);
            }
            self.plan_one(field, edit, &mut plan)?;
        }
        let splices = plan.splices.iter().flat_map(|(_, splices)| splices);
        let characters: usize = splices.map(|splice| splice.delete + splice.insert.chars().count()).sum();
        plan.operations = (plan.puts.values().map(Vec::len).sum::<usize>() + characters) as u64;
        if plan.operations > limits::CHANGE_OPS_MAX {
            return Err(DocumentError::TooLarge);
        }
        Ok(plan)
    }

    fn plan_one(&self, field: &'static FieldRule, edit: &Edit, plan: &mut Plan) -> Result<(), DocumentError> {
        let wrong = |error: ValueError| DocumentError::Value { field: field.name, error };
        match (field.shape, &edit.write) {
            (Shape::One | Shape::PerItem, Write::Put(_) | Write::Clear) => {
                value::check_item(field, edit.item.as_deref()).map_err(wrong)?;
                let put = if let Write::Put(value) = &edit.write { value.clone() } else { Value::Null };
                value::check_written(field, &put).map_err(wrong)?;
                self.plan_value(field.key(edit.item.as_deref()), put, plan);
            }
            (Shape::Events | Shape::Versions, Write::Put(event)) => {
                value::check_item(field, edit.item.as_deref()).map_err(wrong)?;
                value::check_written(field, event).map_err(wrong)?;
                let key = field.key(edit.item.as_deref());
                match self.entries(&key).as_slice() {
                    [] => self.plan_value(key, event.clone(), plan),
                    [entry] if entry.value == *event => {}
                    _ => return Err(DocumentError::EventExists),
                }
            }
            (Shape::Set, Write::Members(members)) if edit.item.is_none() => self.plan_set(field, members, plan)?,
            (Shape::Set, Write::Clear) if edit.item.is_none() => self.plan_set(field, &BTreeSet::new(), plan)?,
            (Shape::Text, Write::Text(text)) if edit.item.is_none() => self.plan_text(field, text, plan)?,
            (Shape::Text, Write::Clear) if edit.item.is_none() => self.plan_text(field, "", plan)?,
            _ => return Err(wrong(ValueError::WrongType)),
        }
        Ok(())
    }

    /// A value is put unless it is the only one that stands, or a clear where nothing ever stood.
    fn plan_value(&self, key: String, put: Value, plan: &mut Plan) {
        let entries = self.entries(&key);
        let differing = entries.iter().find(|entry| entry.value != put);
        let is_first = entries.is_empty() && !put.is_null();
        if differing.is_none() && !is_first {
            return;
        }
        // Automerge turns a put of the latest value into a delete of the others. That would be no value of this author:
        // somebody's concurrent edit could make it vanish. So one of the others is put first.
        let first = differing.filter(|_| entries.last().is_some_and(|latest| latest.value == put));
        let values = first.map(|entry| entry.value.clone()).into_iter().chain([put]).collect();
        plan.puts.insert(key, values);
    }

    fn plan_set(
        &self,
        field: &'static FieldRule,
        members: &BTreeSet<String>,
        plan: &mut Plan,
    ) -> Result<(), DocumentError> {
        let held: BTreeSet<String> = self.items_of(field).into_iter().collect();
        for member in members {
            value::check_item(field, Some(member))
                .map_err(|error| DocumentError::Value { field: field.name, error })?;
        }
        for member in held.union(members) {
            let wanted = Value::Flag(members.contains(member));
            self.plan_value(field.key(Some(member)), wanted, plan);
        }
        Ok(())
    }

    fn plan_text(&self, field: &'static FieldRule, text: &str, plan: &mut Plan) -> Result<(), DocumentError> {
        if !text.is_empty() {
            value::check_stored(&field.value, &Value::Text(text.to_owned()))
                .map_err(|error| DocumentError::Value { field: field.name, error })?;
        }
        let object = self.text_object(field).ok_or(DocumentError::UnknownField)?;
        let splices = write::splices(&self.text(field).unwrap_or_default(), text);
        if !splices.is_empty() {
            plan.splices.push((object, splices));
        }
        Ok(())
    }
}
