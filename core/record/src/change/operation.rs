//! Rows of columns become operations, and what cannot be meant is refused.

use std::vec::IntoIter;

use foras_wire::limits::{CHANGE_OPS_MAX, CHANGE_PREDS_MAX, FIELD_KEY_BYTES_MAX, OP_COUNTER_MAX};

use super::body::Body;
use super::column::{booleans, optional, required, spec, sums, values};
use super::reader::Reader;
use super::{Actor, ChangeError, OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar, value};

/// Reads all operations of a change.
pub(super) fn read(body: &Body<'_>) -> Result<Vec<ParsedOp>, ChangeError> {
    let mut rows = Rows::read(body)?;
    let mut ops = Vec::new();
    while let Some(action) = rows.action.next() {
        let counter = body.start_op.saturating_add(ops.len() as u64);
        ops.push(rows.operation(counter, action)?);
    }
    rows.finish()?;
    Ok(ops)
}

/// Every column, decoded; all have one value for each operation, the predecessors' have one for each of those.
struct Rows<'a> {
    start_op: u64,
    actors: &'a [Actor],
    named: Vec<bool>,
    object_actor: IntoIter<Option<u64>>,
    object_counter: IntoIter<Option<u64>>,
    key_actor: IntoIter<Option<u64>>,
    key_counter: IntoIter<Option<u64>>,
    key_string: IntoIter<Option<String>>,
    insert: IntoIter<bool>,
    action: IntoIter<u64>,
    value_meta: IntoIter<u64>,
    value: Reader<'a>,
    pred_count: IntoIter<u64>,
    pred_actor: IntoIter<u64>,
    pred_counter: IntoIter<Option<u64>>,
    expand: IntoIter<bool>,
    mark_name: IntoIter<Option<String>>,
}

impl<'a> Rows<'a> {
    fn read(body: &'a Body<'a>) -> Result<Self, ChangeError> {
        let bytes = |spec| body.columns.bytes(spec);
        let ops_max = usize::try_from(CHANGE_OPS_MAX).unwrap_or(usize::MAX);
        let action = values(bytes(spec::ACTION), ops_max, ChangeError::TooManyOps, Reader::unsigned)?;
        let len = action.len();
        let action: Option<Vec<u64>> = action.into_iter().collect();
        if body.start_op.saturating_add(len as u64).saturating_sub(1) > OP_COUNTER_MAX {
            return Err(ChangeError::BadStartOp);
        }
        let pred_count = required(bytes(spec::PRED_COUNT), len, Reader::unsigned)?;
        let preds = pred_count.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let preds = usize::try_from(preds).ok().filter(|preds| *preds <= CHANGE_PREDS_MAX);
        let preds = preds.ok_or(ChangeError::TooManyPreds)?;
        let pred_counter = required(bytes(spec::PRED_COUNTER), preds, Reader::signed)?;
        Ok(Self {
            start_op: body.start_op,
            actors: &body.actors,
            named: vec![false; body.actors.len()],
            object_actor: optional(bytes(spec::OBJECT_ACTOR), len, Reader::unsigned)?.into_iter(),
            object_counter: optional(bytes(spec::OBJECT_COUNTER), len, Reader::unsigned)?.into_iter(),
            key_actor: optional(bytes(spec::KEY_ACTOR), len, Reader::unsigned)?.into_iter(),
            key_counter: sums(optional(bytes(spec::KEY_COUNTER), len, Reader::signed)?)?.into_iter(),
            key_string: optional(bytes(spec::KEY_STRING), len, read_key)?.into_iter(),
            insert: booleans(bytes(spec::INSERT), len)?.into_iter(),
            action: action.ok_or(ChangeError::BadColumn)?.into_iter(),
            value_meta: required(bytes(spec::VALUE_META), len, Reader::unsigned)?.into_iter(),
            value: Reader::new(bytes(spec::VALUE)),
            pred_count: pred_count.into_iter(),
            pred_actor: required(bytes(spec::PRED_ACTOR), preds, Reader::unsigned)?.into_iter(),
            pred_counter: sums(pred_counter.into_iter().map(Some).collect())?.into_iter(),
            expand: read_expand(bytes(spec::EXPAND), len)?.into_iter(),
            mark_name: optional(bytes(spec::MARK_NAME), len, read_key)?.into_iter(),
        })
    }

    /// The next operation, whose own counter is `counter`.
    fn operation(&mut self, counter: u64, action: u64) -> Result<ParsedOp, ChangeError> {
        let author = *self.actors.first().ok_or(ChangeError::BadActor)?;
        let object = self.object(counter)?;
        let key = self.key(counter)?;
        let insert = next(&mut self.insert)?;
        let value = value::read(next(&mut self.value_meta)?, &mut self.value)?;
        let expand = next(&mut self.expand)?;
        let mark_name = next(&mut self.mark_name)?;
        let op = ParsedOp {
            id: OpId { counter, actor: author },
            object,
            key,
            insert,
            action: read_action(action, value)?,
            preds: self.preds(counter)?,
        };
        let marks = expand || mark_name.is_some();
        if marks && op.action != ParsedAction::Mark { Err(ChangeError::BadOperation) } else { checked(op) }
    }

    /// Every byte of the values was used, and every actor was named by an operation.
    fn finish(self) -> Result<(), ChangeError> {
        if !self.value.is_empty() {
            return Err(ChangeError::BadColumn);
        }
        if self.named.iter().skip(1).all(|named| *named) { Ok(()) } else { Err(ChangeError::BadActor) }
    }

    fn object(&mut self, before: u64) -> Result<ParsedObject, ChangeError> {
        match (next(&mut self.object_actor)?, next(&mut self.object_counter)?) {
            (None, None) => Ok(ParsedObject::Root),
            (Some(actor), Some(counter)) => self.reference(actor, counter, before).map(ParsedObject::Object),
            _ => Err(ChangeError::BadOperation),
        }
    }

    fn key(&mut self, before: u64) -> Result<ParsedKey, ChangeError> {
        let actor = next(&mut self.key_actor)?;
        let counter = next(&mut self.key_counter)?;
        match (actor, counter, next(&mut self.key_string)?) {
            (None, None, Some(field)) => Ok(ParsedKey::Field(field)),
            (None, Some(0), None) => Ok(ParsedKey::Head),
            (Some(actor), Some(counter), None) => self.reference(actor, counter, before).map(ParsedKey::Element),
            _ => Err(ChangeError::BadOperation),
        }
    }

    /// The predecessors, ascending as automerge writes them.
    fn preds(&mut self, before: u64) -> Result<Vec<OpId>, ChangeError> {
        let mut preds: Vec<OpId> = Vec::new();
        for _ in 0..next(&mut self.pred_count)? {
            let actor = next(&mut self.pred_actor)?;
            let counter = next(&mut self.pred_counter)?.ok_or(ChangeError::BadColumn)?;
            let pred = self.reference(actor, counter, before)?;
            if preds.last().is_some_and(|last| *last >= pred) {
                return Err(ChangeError::BadOperation);
            }
            preds.push(pred);
        }
        Ok(preds)
    }

    /// The operation that another one, with the counter `before`, refers to. It must lie before that one; and since a
    /// change's counters start above all that it depends on, only the author itself has any from `start_op` on.
    fn reference(&mut self, actor: u64, counter: u64, before: u64) -> Result<OpId, ChangeError> {
        let at = usize::try_from(actor).map_err(|_| ChangeError::BadOperation)?;
        let id = *self.actors.get(at).ok_or(ChangeError::BadOperation)?;
        let possible = counter > 0 && counter < before && (at == 0 || counter < self.start_op);
        if !possible {
            return Err(ChangeError::BadOperation);
        }
        if let Some(named) = self.named.get_mut(at) {
            *named = true;
        }
        Ok(OpId { counter, actor: id })
    }
}

fn next<T>(column: &mut IntoIter<T>) -> Result<T, ChangeError> {
    column.next().ok_or(ChangeError::BadColumn)
}

/// A map key or a mark's name. Runs repeat it, so its length is limited.
fn read_key(reader: &mut Reader<'_>) -> Result<String, ChangeError> {
    let bytes = reader.length_prefixed()?;
    if bytes.len() > FIELD_KEY_BYTES_MAX {
        return Err(ChangeError::KeyTooLong);
    }
    value::text(bytes)
}

/// automerge leaves the column out when all are false.
fn read_expand(bytes: &[u8], len: usize) -> Result<Vec<bool>, ChangeError> {
    if bytes.is_empty() {
        return Ok(vec![false; len]);
    }
    let expand = booleans(bytes, len)?;
    if expand.contains(&true) { Ok(expand) } else { Err(ChangeError::BadColumn) }
}

/// Action codes of automerge 0.12 (`op_set2::types::Action`). Only these carry a value: put, increment, mark.
fn read_action(code: u64, value: ParsedScalar) -> Result<ParsedAction, ChangeError> {
    let action = match (code, value) {
        (1, value) => ParsedAction::Put(value),
        (3, ParsedScalar::Null) => ParsedAction::Delete,
        (4, ParsedScalar::Null) => ParsedAction::MakeText,
        (0 | 2 | 6, ParsedScalar::Null) => ParsedAction::MakeOther(code),
        (5, ParsedScalar::Int(by)) => ParsedAction::Increment(by),
        (7, _) => ParsedAction::Mark,
        (8.., _) => ParsedAction::Other(code),
        _ => return Err(ChangeError::BadOperation),
    };
    Ok(action)
}

/// Refuses an operation whose parts contradict each other.
fn checked(op: ParsedOp) -> Result<ParsedOp, ChangeError> {
    let in_map = matches!(op.key, ParsedKey::Field(_));
    let places = match (&op.object, &op.key) {
        // The root is a map; automerge allows no empty key.
        (ParsedObject::Root, ParsedKey::Field(field)) => !field.is_empty(),
        (ParsedObject::Root, _) => false,
        (ParsedObject::Object(_), ParsedKey::Field(field)) => !field.is_empty(),
        // Nothing stands at the head: one can only insert after it.
        (ParsedObject::Object(_), ParsedKey::Head) => op.insert,
        (ParsedObject::Object(_), ParsedKey::Element(_)) => true,
    };
    let ends_something = matches!(op.action, ParsedAction::Delete | ParsedAction::Increment(_));
    let inserts = !op.insert || (!in_map && op.preds.is_empty() && !ends_something);
    // automerge keeps a delete only as a mark on its predecessors: without any it would vanish, and the hash with it.
    let ends = !ends_something || !op.preds.is_empty();
    if places && inserts && ends { Ok(op) } else { Err(ChangeError::BadOperation) }
}
