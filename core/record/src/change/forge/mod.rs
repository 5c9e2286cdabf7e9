//! Writes change chunks without automerge, honest and dishonest, for tests of what reads them.
//!
//! Honest parts in give byte for byte what automerge writes. Every part can then be made to lie: fields are public,
//! columns are plain bytes, and the checksum is made last.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::chunk::CHANGE;
use super::encode::{self, prefixed};
use super::{Actor, ChangeHash, ParsedChange, ParsedOp};

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
        let others: BTreeSet<Actor> = ops.iter().flat_map(encode::named).map(|id| id.actor).collect();
        self.other_actors = others.iter().map(|actor| actor.0.to_vec()).filter(|actor| *actor != self.actor).collect();
        let others = &self.other_actors;
        let index = |actor: &Actor| others.iter().position(|other| other[..] == actor.0).map_or(0, |at| at as u64 + 1);
        self.columns = encode::columns(ops, &index);
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
}

/// A chunk of any type around `body`, with a checksum that fits.
#[must_use]
pub fn framed(chunk_type: u8, body: &[u8]) -> Vec<u8> {
    encode::framed(chunk_type, body)
}

/// Appends an unsigned LEB128 number.
pub fn unsigned(out: &mut Vec<u8>, value: u64) {
    encode::unsigned(out, value);
}

/// Appends a signed LEB128 number.
pub fn signed(out: &mut Vec<u8>, value: i64) {
    encode::signed(out, value);
}

/// The same bytes with a checksum that fits what follows it. Fewer than eight bytes are returned as they are.
#[must_use]
pub fn resealed(chunk: &[u8]) -> Vec<u8> {
    let Some((head, hashed)) = chunk.split_at_checked(8) else { return chunk.to_vec() };
    let checksum = Sha256::digest(hashed);
    [&head[..4], &checksum[..4], hashed].concat()
}
