//! Change chunks as automerge writes them: from what [`super::parse`] reads, the same bytes again.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::chunk::{CHANGE, MAGIC};
use super::column::spec;
use super::{Actor, ChangeHash, OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar};

/// What a chunk is written from.
#[derive(Debug)]
pub(crate) struct Unwritten<'c> {
    /// The dependencies, in the order to write them.
    pub(crate) deps: &'c [ChangeHash],
    /// The author.
    pub(crate) actor: Actor,
    /// The author's number of the change.
    pub(crate) seq: u64,
    /// The counter of the first operation.
    pub(crate) start_op: u64,
    /// The author's clock, in seconds from 1970.
    pub(crate) time_s: i64,
    /// The operations. What [`ParsedOp`] does not hold of a mark or an unknown action is left empty.
    pub(crate) ops: &'c [ParsedOp],
}

impl Unwritten<'_> {
    /// The whole chunk.
    pub(crate) fn chunk(&self) -> Vec<u8> {
        framed(CHANGE, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        unsigned(&mut out, self.deps.len() as u64);
        for dep in self.deps {
            out.extend(dep.0);
        }
        prefixed(&mut out, self.actor.as_bytes());
        unsigned(&mut out, self.seq);
        unsigned(&mut out, self.start_op);
        signed(&mut out, self.time_s);
        // No message.
        unsigned(&mut out, 0);
        let others = others(&self.actor, self.ops);
        unsigned(&mut out, others.len() as u64);
        for actor in &others {
            prefixed(&mut out, actor.as_bytes());
        }
        let index = |actor: &Actor| others.binary_search(actor).map_or(0, |at| at as u64 + 1);
        let columns = columns(self.ops, &index);
        unsigned(&mut out, columns.len() as u64);
        for (spec, bytes) in &columns {
            unsigned(&mut out, *spec);
            unsigned(&mut out, bytes.len() as u64);
        }
        for (_, bytes) in &columns {
            out.extend(bytes);
        }
        out
    }
}

/// The actors that operations name beside their author, ascending.
pub(super) fn others(author: &Actor, ops: &[ParsedOp]) -> Vec<Actor> {
    let all: BTreeSet<Actor> = ops.iter().flat_map(named).map(|id| id.actor).filter(|actor| actor != author).collect();
    all.into_iter().collect()
}

/// A chunk of any type around `body`, with a checksum that fits.
pub(super) fn framed(chunk_type: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![chunk_type];
    prefixed(&mut hashed, body);
    let checksum = Sha256::digest(&hashed);
    [&MAGIC[..], checksum.get(..4).unwrap_or_default(), &hashed].concat()
}

/// Appends an unsigned LEB128 number.
pub(crate) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed LEB128 number.
pub(super) fn signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-0x40..0x40).contains(&value) {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends a length and that many bytes.
pub(super) fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}

/// Writes values as runs: repeated values once, single ones in literal runs, nulls counted.
fn encode<T: PartialEq>(values: &[Option<T>], write: impl Fn(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut literals: Vec<&T> = Vec::new();
    let flush = |out: &mut Vec<u8>, literals: &mut Vec<&T>| {
        if !literals.is_empty() {
            signed(out, -(literals.len() as i64));
        }
        for literal in literals.drain(..) {
            write(out, literal);
        }
    };
    for run in values.chunk_by(PartialEq::eq) {
        match run {
            [Some(single)] => literals.push(single),
            [Some(value), ..] => {
                flush(&mut out, &mut literals);
                signed(&mut out, run.len() as i64);
                write(&mut out, value);
            }
            _ => {
                flush(&mut out, &mut literals);
                signed(&mut out, 0);
                unsigned(&mut out, run.len() as u64);
            }
        }
    }
    flush(&mut out, &mut literals);
    out
}

/// Unsigned numbers as runs.
fn runs(values: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    encode(&values.collect::<Vec<_>>(), |out, value| unsigned(out, *value))
}

/// Unsigned numbers as runs; nothing when all are null.
fn runs_unless_null(values: impl Iterator<Item = Option<u64>> + Clone) -> Vec<u8> {
    if values.clone().all(|value| value.is_none()) { Vec::new() } else { runs(values) }
}

/// Strings as runs; nothing when all are null.
fn strings(values: impl Iterator<Item = Option<Vec<u8>>>) -> Vec<u8> {
    let values: Vec<_> = values.collect();
    if values.iter().all(Option::is_none) { Vec::new() } else { encode(&values, |out, value| prefixed(out, value)) }
}

/// The differences of numbers as runs; nothing when all are null.
fn deltas(values: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    let mut last = 0;
    let mut deltas = Vec::new();
    for value in values {
        deltas.push(value.map(|value| (value as i64).wrapping_sub(std::mem::replace(&mut last, value as i64))));
    }
    if deltas.iter().all(Option::is_none) { Vec::new() } else { encode(&deltas, |out, value| signed(out, *value)) }
}

/// Lengths of alternating runs, the first of them false.
fn booleans(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let values: Vec<bool> = values.collect();
    let mut out = Vec::new();
    if values.first() == Some(&true) {
        unsigned(&mut out, 0);
    }
    for run in values.chunk_by(PartialEq::eq) {
        unsigned(&mut out, run.len() as u64);
    }
    out
}

/// Every operation that `op` refers to.
pub(super) fn named(op: &ParsedOp) -> Vec<OpId> {
    let object = if let ParsedObject::Object(id) = op.object { Some(id) } else { None };
    let element = if let ParsedKey::Element(id) = op.key { Some(id) } else { None };
    object.into_iter().chain(element).chain(op.preds.iter().copied()).collect()
}

const fn action(op: &ParsedOp) -> u64 {
    match op.action {
        ParsedAction::Put(_) => 1,
        ParsedAction::Delete => 3,
        ParsedAction::MakeText => 4,
        ParsedAction::Increment(_) => 5,
        ParsedAction::Mark => 7,
        ParsedAction::MakeOther(code) | ParsedAction::Other(code) => code,
    }
}

/// The value's metadata and bytes.
fn value(op: &ParsedOp) -> (u64, Vec<u8>) {
    let number = |write: fn(&mut Vec<u8>, i64), value| {
        let mut out = Vec::new();
        write(&mut out, value);
        out
    };
    let (code, bytes) = match &op.action {
        ParsedAction::Increment(by) => (4, number(signed, *by)),
        ParsedAction::Put(scalar) => match scalar {
            ParsedScalar::Null => (0, Vec::new()),
            ParsedScalar::Bool(value) => (if *value { 2 } else { 1 }, Vec::new()),
            ParsedScalar::Uint(value) => {
                let mut out = Vec::new();
                unsigned(&mut out, *value);
                (3, out)
            }
            ParsedScalar::Int(value) => (4, number(signed, *value)),
            ParsedScalar::F64(value) => (5, value.to_le_bytes().to_vec()),
            ParsedScalar::Str(value) => (6, value.as_bytes().to_vec()),
            ParsedScalar::Bytes(value) => (7, value.clone()),
            ParsedScalar::Counter(value) => (8, number(signed, *value)),
            ParsedScalar::Timestamp(value) => (9, number(signed, *value)),
            ParsedScalar::Unknown { code, bytes } => (u64::from(*code), bytes.clone()),
        },
        _ => (0, Vec::new()),
    };
    ((bytes.len() as u64) << 4 | code, bytes)
}

/// The columns of `ops`, those that are not empty; `index` gives the number of an actor in the change.
pub(super) fn columns(ops: &[ParsedOp], index: &dyn Fn(&Actor) -> u64) -> Vec<(u64, Vec<u8>)> {
    let index = |id: &OpId| index(&id.actor);
    let object = |op: &ParsedOp| match op.object {
        ParsedObject::Root => None,
        ParsedObject::Object(id) => Some(id),
    };
    let element = |op: &ParsedOp| match op.key {
        ParsedKey::Element(id) => Some(id),
        _ => None,
    };
    let key_counter = |op: &ParsedOp| match &op.key {
        ParsedKey::Field(_) => None,
        ParsedKey::Head => Some(0),
        ParsedKey::Element(id) => Some(id.counter),
    };
    let key_string = |op: &ParsedOp| match &op.key {
        ParsedKey::Field(field) => Some(field.as_bytes().to_vec()),
        _ => None,
    };
    let values: Vec<(u64, Vec<u8>)> = ops.iter().map(value).collect();
    let preds = || ops.iter().flat_map(|op| op.preds.iter());
    let all = [
        (spec::OBJECT_ACTOR, runs_unless_null(ops.iter().map(|op| object(op).as_ref().map(&index)))),
        (spec::OBJECT_COUNTER, runs_unless_null(ops.iter().map(|op| object(op).map(|id| id.counter)))),
        (spec::KEY_ACTOR, runs_unless_null(ops.iter().map(|op| element(op).as_ref().map(&index)))),
        (spec::KEY_COUNTER, deltas(ops.iter().map(key_counter))),
        (spec::KEY_STRING, strings(ops.iter().map(key_string))),
        (spec::INSERT, booleans(ops.iter().map(|op| op.insert))),
        (spec::ACTION, runs(ops.iter().map(|op| Some(action(op))))),
        (spec::VALUE_META, runs(values.iter().map(|(meta, _)| Some(*meta)))),
        (spec::VALUE, values.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect()),
        (spec::PRED_COUNT, runs(ops.iter().map(|op| Some(op.preds.len() as u64)))),
        (spec::PRED_ACTOR, runs(preds().map(|id| Some(index(id))))),
        (spec::PRED_COUNTER, deltas(preds().map(|id| Some(id.counter)))),
    ];
    all.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
}
