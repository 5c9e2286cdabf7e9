//! Where an operation was made: under which key, in which text.

use std::collections::BTreeSet;

use automerge::{ROOT, ReadDoc};

use super::{Document, scalar};
use crate::change::{self, OpId, ParsedKey, ParsedObject, ParsedOp};
use crate::field::FieldRule;

impl Document {
    /// Whether anything stands under this key.
    pub(crate) fn holds_key(&self, key: &str) -> bool {
        matches!(self.doc.get(ROOT, key), Ok(Some(_)))
    }

    /// Whether this operation stands under this key.
    pub(crate) fn holds_op(&self, key: &str, op: OpId) -> bool {
        let standing = self.doc.get_all(ROOT, key).unwrap_or_default();
        standing.iter().any(|(_, id)| scalar::op_of(id) == Some((op.counter, op.actor)))
    }

    /// Whether this operation wrote under this key, though it was overwritten since.
    pub(crate) fn wrote_under(&self, key: &str, op: OpId) -> bool {
        self.operation(op).is_some_and(|operation| {
            operation.object == ParsedObject::Root && matches!(&operation.key, ParsedKey::Field(of) if of == key)
        })
    }

    /// The elements that show in a text.
    pub(crate) fn text_elements(&self, field: &FieldRule) -> BTreeSet<OpId> {
        let Some(object) = self.text_object(field) else { return BTreeSet::new() };
        let ids = self.doc.values(&object).filter_map(|(_, id)| scalar::op_of(&id));
        ids.map(|(counter, actor)| OpId { counter, actor }).collect()
    }

    /// Whether this operation inserted an element into this object, though it may be deleted since.
    pub(crate) fn inserted_into(&self, object: OpId, element: OpId) -> bool {
        self.operation(element)
            .is_some_and(|operation| operation.insert && operation.object == ParsedObject::Object(object))
    }

    /// An operation of the history, read from its change: slow, for what does not show any more.
    fn operation(&self, op: OpId) -> Option<ParsedOp> {
        let id = automerge::ObjId::Id(op.counter, automerge::ActorId::from(op.actor.0), usize::MAX);
        let change = self.doc.get_change_by_hash(&self.doc.hash_for_opid(&id)?)?;
        let parsed = change::parse(change.raw_bytes()).ok()?;
        let index = op.counter.checked_sub(parsed.start_op)?;
        parsed.ops.into_iter().nth(usize::try_from(index).ok()?)
    }
}
