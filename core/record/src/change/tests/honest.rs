//! All that automerge writes for this library is read, and read as automerge reads it.

use automerge::legacy::{self, ElementId, Key, ObjectId, OpType};
use automerge::{AutoCommit, Change, ObjType, ScalarValue};

use super::world::{Repertoire, live};
use crate::change::forge::Forged;
use crate::change::{
    Actor, Lineage, OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp, ParsedScalar, chunk_hash,
    parse,
};

fn op_id(id: &legacy::OpId) -> OpId {
    OpId { counter: id.counter(), actor: Actor::from_slice(id.actor().to_bytes()).unwrap() }
}

fn scalar(value: &ScalarValue) -> ParsedScalar {
    match value {
        ScalarValue::Null => ParsedScalar::Null,
        ScalarValue::Boolean(value) => ParsedScalar::Bool(*value),
        ScalarValue::Int(value) => ParsedScalar::Int(*value),
        ScalarValue::Uint(value) => ParsedScalar::Uint(*value),
        ScalarValue::F64(value) => ParsedScalar::F64(*value),
        ScalarValue::Str(value) => ParsedScalar::Str(value.to_string()),
        ScalarValue::Bytes(value) => ParsedScalar::Bytes(value.clone()),
        // Its start is only shown as JSON, as text or through `From`.
        ScalarValue::Counter(value) => ParsedScalar::Counter(i64::from(value)),
        ScalarValue::Timestamp(value) => ParsedScalar::Timestamp(*value),
        ScalarValue::Unknown { type_code, bytes } => ParsedScalar::Unknown { code: *type_code, bytes: bytes.clone() },
    }
}

fn action(op: &legacy::Op) -> ParsedAction {
    match &op.action {
        OpType::Put(value) => ParsedAction::Put(scalar(value)),
        OpType::Delete => ParsedAction::Delete,
        OpType::Increment(by) => ParsedAction::Increment(*by),
        OpType::MarkBegin(_) | OpType::MarkEnd(_) => ParsedAction::Mark,
        OpType::Make(ObjType::Text) => ParsedAction::MakeText,
        OpType::Make(ObjType::Map) => ParsedAction::MakeOther(0),
        OpType::Make(ObjType::List) => ParsedAction::MakeOther(2),
        OpType::Make(ObjType::Table) => ParsedAction::MakeOther(6),
    }
}

/// The operations of a change, as automerge reads them.
pub(super) fn ops(change: &Change) -> Vec<ParsedOp> {
    let expanded = change.decode();
    let actor = Actor::from_slice(expanded.actor_id.to_bytes()).unwrap();
    let parsed = |(at, op): (usize, &legacy::Op)| ParsedOp {
        id: OpId { counter: expanded.start_op.get() + at as u64, actor },
        object: match &op.obj {
            ObjectId::Root => ParsedObject::Root,
            ObjectId::Id(id) => ParsedObject::Object(op_id(id)),
        },
        key: match &op.key {
            Key::Map(field) => ParsedKey::Field(field.to_string()),
            Key::Seq(ElementId::Head) => ParsedKey::Head,
            Key::Seq(ElementId::Id(id)) => ParsedKey::Element(op_id(id)),
        },
        insert: op.insert,
        action: action(op),
        preds: op.pred.iter().map(op_id).collect(),
    };
    expanded.operations.iter().enumerate().map(parsed).collect()
}

/// Asserts that `parsed` is what automerge reads in the same bytes.
pub(super) fn assert_same(parsed: &ParsedChange, change: &Change, seed: u64) {
    assert_eq!(parsed.hash.0, change.hash().0, "seed {seed}");
    assert_eq!(parsed.actor.as_bytes(), change.actor_id().to_bytes(), "seed {seed}");
    assert_eq!(parsed.seq, change.seq(), "seed {seed}");
    assert_eq!(parsed.start_op, change.start_op().get(), "seed {seed}");
    assert_eq!(parsed.max_op(), change.max_op(), "seed {seed}");
    assert_eq!(parsed.op_count, change.len() as u64, "seed {seed}");
    assert_eq!(parsed.time_s, change.timestamp(), "seed {seed}");
    assert!(parsed.deps.iter().map(|dep| dep.0).eq(change.deps().iter().map(|dep| dep.0)), "seed {seed}");
    let expected = ops(change);
    // NaN is not equal to itself, but is written alike.
    assert_eq!(format!("{:?}", parsed.ops), format!("{expected:?}"), "seed {seed}");
    assert_eq!(parsed.bytes(), change.raw_bytes(), "seed {seed}");
}

/// Marks and unknown actions are read without their particulars, so they cannot be written again.
pub(super) fn is_whole(parsed: &ParsedChange) -> bool {
    !parsed.ops.iter().any(|op| matches!(op.action, ParsedAction::Mark | ParsedAction::Other(_)))
}

fn every_change_is_read(seed: u64, repertoire: Repertoire, steps: usize) -> usize {
    let (changes, mut record) = live(seed, repertoire, steps);
    let reloaded = AutoCommit::load(&record.save()).unwrap().get_changes(&[]);
    assert_eq!(changes.len(), reloaded.len(), "seed {seed}");
    let mut lineage = Lineage::new();
    for change in &changes {
        let parsed = parse(change.raw_bytes()).unwrap_or_else(|error| panic!("seed {seed}: {error} in {change:?}"));
        lineage.check(&parsed).unwrap_or_else(|error| panic!("seed {seed}: {error} in {change:?}"));
        lineage.add(&parsed);
    }
    for change in changes.iter().chain(&reloaded) {
        let bytes = change.raw_bytes();
        let parsed = parse(bytes).unwrap_or_else(|error| panic!("seed {seed}: {error} in {change:?}"));
        assert_same(&parsed, change, seed);
        assert_eq!(chunk_hash(bytes), Ok(parsed.hash), "seed {seed}");
        if is_whole(&parsed) {
            assert_eq!(Forged::from_change(&parsed).chunk(), bytes, "seed {seed}");
        }
    }
    changes.len()
}

#[test]
fn three_people_edit_apart_and_meet_and_every_change_of_theirs_is_read() {
    let read: usize = (0..300).map(|seed| every_change_is_read(seed, Repertoire::Ours, 60)).sum();
    assert!(read > 5_000, "only {read} changes were made");
}

#[test]
fn what_automerge_can_write_besides_is_read_too_so_that_it_is_refused_by_name() {
    let read: usize = (1_000..1_200).map(|seed| every_change_is_read(seed, Repertoire::All, 60)).sum();
    assert!(read > 3_000, "only {read} changes were made");
}
