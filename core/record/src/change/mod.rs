//! Reads a change chunk before automerge sees it.
//!
//! automerge 0.12 trusts what it loads: hostile bytes made it panic, allocate without bound, or keep a document that it
//! could never load again. So a foreign chunk is first read here, within the limits of `foras_wire::limits`, and only
//! in the one form that automerge itself writes. [`Lineage`] then checks that what its operations refer to is part of
//! what the change builds on. Whether the operations are *allowed* is decided elsewhere, from what this module hands out.
//!
//! The format is that of automerge's binary storage: <https://automerge.org/automerge-binary-format-spec/>.

mod body;
mod chunk;
mod column;
pub(crate) mod encode;
mod error;
#[cfg(any(test, feature = "forge"))]
pub mod forge;
mod lineage;
mod operation;
mod reader;
#[cfg(test)]
mod tests;
mod value;

pub use error::ChangeError;
pub use foras_wire::id::{Actor, ChangeHash};
pub use lineage::Lineage;

/// A change chunk whose header and operations were read within limits, without automerge.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedChange {
    /// SHA-256 of the chunk's type, length and body.
    pub hash: ChangeHash,
    /// The author.
    pub actor: Actor,
    /// The author's n-th change to this record, from 1.
    pub seq: u64,
    /// The counter of the first operation, from 1.
    pub start_op: u64,
    /// How many operations there are; may be 0.
    pub op_count: u64,
    /// The author's clock, in seconds from 1970. It may be wrong; it is only sure to be within
    /// ±`limits::CHANGE_TIME_S_MAX`.
    pub time_s: i64,
    /// The changes that this one builds on, each once.
    pub deps: Vec<ChangeHash>,
    /// The operations; their counters run from `start_op` without a gap.
    pub ops: Vec<ParsedOp>,
    pub(crate) bytes: Vec<u8>,
}

impl ParsedChange {
    /// The highest operation counter of this change; `start_op - 1` when it has no operation.
    #[must_use]
    pub const fn max_op(&self) -> u64 {
        self.start_op.saturating_add(self.op_count).saturating_sub(1)
    }

    /// The chunk as it was given to [`parse`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The chunk, given away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The identity of an operation. Ordered by counter, then by actor, as automerge orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// Its Lamport counter, from 1.
    pub counter: u64,
    /// Its author.
    pub actor: Actor,
}

/// The object that an operation works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParsedObject {
    /// The document's root map.
    Root,
    /// The object that this operation made.
    Object(OpId),
}

/// The place inside an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParsedKey {
    /// A key of a map: 1 to `limits::FIELD_KEY_BYTES_MAX` bytes.
    Field(String),
    /// Before the first element of a sequence. Only inserts are there.
    Head,
    /// The element that this operation inserted: itself, or for an insert the place after it.
    Element(OpId),
}

/// A value without inner structure.
#[derive(Debug, Clone, PartialEq)]
pub enum ParsedScalar {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A floating point number; may be NaN or infinite.
    F64(f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The start of a counter.
    Counter(i64),
    /// Milliseconds from 1970, by automerge's convention.
    Timestamp(i64),
    /// A type of a later automerge, kept as it came.
    Unknown {
        /// Its type, 10 to 15.
        code: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq)]
pub enum ParsedAction {
    /// Sets, or with [`ParsedOp::insert`] inserts, a value.
    Put(ParsedScalar),
    /// Removes its predecessors.
    Delete,
    /// Makes a text.
    MakeText,
    /// Makes a map (0), a list (2) or a table (6).
    MakeOther(u64),
    /// Adds to a counter.
    Increment(i64),
    /// Begins or ends a mark over text.
    Mark,
    /// An action that automerge 0.12 does not know, and refuses.
    Other(u64),
}

/// One operation of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedOp {
    /// Its identity; the actor is the change's.
    pub id: OpId,
    /// The object it works on.
    pub object: ParsedObject,
    /// The place in the object.
    pub key: ParsedKey,
    /// Whether it inserts a new element after `key`, rather than overwriting what is there.
    pub insert: bool,
    /// What it does.
    pub action: ParsedAction,
    /// The operations that it overwrites, ascending, each once. All lie before it.
    pub preds: Vec<OpId>,
}

/// Reads one plain change chunk.
///
/// Work and memory are bounded by the chunk's length and the limits of `foras_wire::limits`, whatever the bytes.
///
/// # Errors
/// [`ChangeError`] for anything that automerge would not itself have written for this library, or that is over a limit.
pub fn parse(chunk: &[u8]) -> Result<ParsedChange, ChangeError> {
    let framed = chunk::Chunk::read(chunk)?;
    let body = body::Body::read(framed.body)?;
    let ops = operation::read(&body)?;
    let actor = *body.actors.first().ok_or(ChangeError::BadActor)?;
    Ok(ParsedChange {
        hash: framed.hash,
        actor,
        seq: body.seq,
        start_op: body.start_op,
        op_count: ops.len() as u64,
        time_s: body.time_s,
        deps: body.deps,
        ops,
        bytes: chunk.to_vec(),
    })
}

/// The hash of one plain change chunk. Its frame and checksum are checked, its body is not looked into.
///
/// # Errors
/// [`ChangeError`] when the bytes are not exactly one plain change chunk within `limits::CHANGE_BYTES_MAX`.
pub fn chunk_hash(chunk: &[u8]) -> Result<ChangeHash, ChangeError> {
    chunk::Chunk::read(chunk).map(|framed| framed.hash)
}
