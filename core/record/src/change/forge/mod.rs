//! Writes change chunks without automerge, honest and dishonest, for tests of what reads them.
//!
//! Honest parts in give byte for byte what automerge writes. Every part can then be made to lie: fields are public,
//! columns are plain bytes, and the checksum is made last.

mod encode;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use encode::{booleans, deltas, prefixed, runs, runs_unless_null, strings};
pub use encode::{signed, unsigned};

use super::chunk::{CHANGE, MAGIC};
use super::column::spec;
use super::{Actor, ChangeHash, OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp, ParsedScalar};

/// A change to be written, true or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Forged {
    /// The dependencies, in the order to write them.
    pub deps: Vec<ChangeHash>,
    /// The author's bytes, of any length.
    pub actor: Vec<u8>,
    /// The sequence number.
    pub seq: u64,
    /// The counter of the first operation.
    pub start_op: u64,
    /// The author's clock, in seconds from 1970.
    pub time_s: i64,
    /// The commit message; this library writes none.
    pub message: Vec<u8>,
    /// The actors after the author, in the order to write them.
    pub other_actors: Vec<Vec<u8>>,
    /// The columns: specification and bytes, in the order to write them. [`Forged::with_ops`] makes them.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// What follows the operations; this library writes nothing there.
    pub extra_bytes: Vec<u8>,
}

impl Forged {
    /// A change of `actor` at time 0, without dependencies and operations.
    #[must_use]
    pub fn new(actor: Actor, seq: u64, start_op: u64) -> Self {
        Self {
            deps: Vec::new(),
            actor: actor.0.to_vec(),
            seq,
            start_op,
            time_s: 0,
            message: Vec::new(),
            other_actors: Vec::new(),
            columns: Vec::new(),
            extra_bytes: Vec::new(),
        }
    }

    /// The same change as `change`. Its fields may have been altered since it was read.
    #[must_use]
    pub fn from_change(change: &ParsedChange) -> Self {
        let mut forged = Self::new(change.actor, change.seq, change.start_op).with_ops(&change.ops);
        forged.deps.clone_from(&change.deps);
        forged.time_s = change.time_s;
        forged
    }

    /// Replaces the operations and the other actors. The operations' own ids follow from the change and are not written;
    /// what [`ParsedOp`] does not hold of a mark or an unknown action is left empty.
    #[must_use]
    pub fn with_ops(mut self, ops: &[ParsedOp]) -> Self {
        let others: BTreeSet<Vec<u8>> =
            ops.iter().flat_map(named).map(|id| id.actor.0.to_vec()).filter(|actor| *actor != self.actor).collect();
        self.other_actors = others.into_iter().collect();
        self.columns = self.columns_of(ops);
        self
    }

    /// The body of the chunk.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        unsigned(&mut out, self.deps.len() as u64);
        for dep in &self.deps {
            out.extend(dep.0);
        }
        prefixed(&mut out, &self.actor);
        unsigned(&mut out, self.seq);
        unsigned(&mut out, self.start_op);
        signed(&mut out, self.time_s);
        prefixed(&mut out, &self.message);
        unsigned(&mut out, self.other_actors.len() as u64);
        for actor in &self.other_actors {
            prefixed(&mut out, actor);
        }
        unsigned(&mut out, self.columns.len() as u64);
        for (spec, bytes) in &self.columns {
            unsigned(&mut out, *spec);
            unsigned(&mut out, bytes.len() as u64);
        }
        for (_, bytes) in &self.columns {
            out.extend(bytes);
        }
        out.extend(&self.extra_bytes);
        out
    }

    /// The whole chunk, with a checksum that fits.
    #[must_use]
    pub fn chunk(&self) -> Vec<u8> {
        framed(CHANGE, &self.body())
    }

    fn columns_of(&self, ops: &[ParsedOp]) -> Vec<(u64, Vec<u8>)> {
        let index = |id: &OpId| {
            let at = self.other_actors.iter().position(|actor| actor[..] == id.actor.0);
            at.map_or(0, |at| at as u64 + 1)
        };
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
            (spec::OBJECT_ACTOR, runs_unless_null(ops.iter().map(|op| object(op).as_ref().map(index)))),
            (spec::OBJECT_COUNTER, runs_unless_null(ops.iter().map(|op| object(op).map(|id| id.counter)))),
            (spec::KEY_ACTOR, runs_unless_null(ops.iter().map(|op| element(op).as_ref().map(index)))),
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
}

/// A chunk of any type around `body`, with a checksum that fits.
#[must_use]
pub fn framed(chunk_type: u8, body: &[u8]) -> Vec<u8> {
    let mut out = [&MAGIC[..], &[0; 4], &[chunk_type]].concat();
    prefixed(&mut out, body);
    resealed(&out)
}

/// The same bytes with a checksum that fits what follows it. Fewer than eight bytes are returned as they are.
#[must_use]
pub fn resealed(chunk: &[u8]) -> Vec<u8> {
    let Some((head, hashed)) = chunk.split_at_checked(8) else { return chunk.to_vec() };
    let checksum = Sha256::digest(hashed);
    [&head[..4], &checksum[..4], hashed].concat()
}

/// Every operation that `op` refers to.
fn named(op: &ParsedOp) -> Vec<OpId> {
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
