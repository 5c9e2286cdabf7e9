//! Lists of changes in few bytes, rebuilt exactly by the receiver.
//!
//! A change chunk is mostly what its reader can work out: magic, checksum and length, the hashes of what it builds on, the
//! author's previous change, operation counters, ids that derive from the case. None of it is sent. What is left stands
//! in columns over the whole list, like beside like, for a compressor outside to do the rest. The receiver writes each
//! chunk again, byte for byte; a signature over the changes' hashes proves that it did.
//!
//! What a change refers to outside the list is named by record, actor and number, which both sides look up in their own
//! rows ([`Held`]). Nothing here depends on positions that a restored server would give anew.
//!
//! What cannot be rebuilt exactly travels as its chunk: the sender writes each change again before it relies on that.

mod actors;
mod changes;
mod columns;
mod deps;
mod fields;
mod keys;
mod ops;
mod outline;
mod pack;
pub mod page;
pub mod push;
mod records;
mod skim;
#[cfg(test)]
mod tests;
mod told;
mod unpack;

use foras_wire::id::{Actor, ChangeHash, PublicKey};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use sha2::{Digest, Sha256};

pub use pack::{pack, pack_after, pack_plain};
pub use unpack::{ValuesRead, read_values, unpack, unpack_after};

use crate::change;

/// A change of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The record that it changes.
    pub record: RecordRef,
    /// Changes of one action of a person share a number. 0 where that means nothing.
    pub change_set: u32,
    /// When the server received it, in milliseconds since 1970, server's clock. 0 where it did not yet.
    pub received_ms: i64,
    /// The change's hash, as [`hash_of`] gives it. It is never sent where the chunk is.
    pub hash: ChangeHash,
    /// The chunk. `None`: the receiver holds the change, which is only named.
    pub chunk: Option<Vec<u8>>,
}

impl Item {
    /// A change that goes in full, of change set 0 and not received yet.
    #[must_use]
    pub fn new(record: RecordRef, chunk: Vec<u8>) -> Self {
        Self { record, change_set: 0, received_ms: 0, hash: hash_of(&chunk), chunk: Some(chunk) }
    }
}

/// The hash of a change chunk; of any other bytes, such as a newer build's, their SHA-256.
#[must_use]
pub fn hash_of(chunk: &[u8]) -> ChangeHash {
    change::chunk_hash(chunk).unwrap_or_else(|_| ChangeHash(Sha256::digest(chunk).into()))
}

/// A change as it is named and built upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldChange {
    /// Its author.
    pub actor: Actor,
    /// Its number among the author's changes of the record, from 1.
    pub seq: u64,
    /// Its hash.
    pub hash: ChangeHash,
    /// Its highest operation counter.
    pub max_op: u64,
}

/// What a side of the exchange knows beside the list. The sender names only what the receiver holds too; whatever is
/// `None` is sent in full, and is then no obstacle to the receiver.
///
/// A record or an actor that both hold is named by the first bytes of its id: as many as tell it from every other of its
/// kind that the receiver may hold, two or three of them among ten thousand. Such names need no numbering, so they outlive
/// a restored server, and two phones that meet understand them.
pub trait Held {
    /// How many first bytes of the record's id name it, 1 to 16; `None` where the receiver does not hold it. Asked of the
    /// sender.
    fn name_bytes(&self, key: &RecordKey) -> Option<usize> {
        let _ = key;
        None
    }

    /// The one record of `kind` that this side holds whose id begins with `name`; `None` where there is none, or several.
    fn record_named(&self, kind: KindCode, name: &[u8]) -> Option<RecordRef> {
        let _ = (kind, name);
        None
    }

    /// As [`Held::name_bytes`], for an actor that the receiver was told of.
    fn actor_name_bytes(&self, actor: &Actor) -> Option<usize> {
        let _ = actor;
        None
    }

    /// As [`Held::record_named`], for an actor.
    fn actor_named(&self, name: &[u8]) -> Option<Actor> {
        let _ = name;
        None
    }

    /// The server's key and epoch, from which its own actors derive.
    fn server(&self) -> Option<(PublicKey, u64)> {
        None
    }

    /// The `seq`-th change of `actor` to the record.
    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<HeldChange> {
        let _ = (record, actor, seq);
        None
    }

    /// The change of the record that has this hash. Asked of the sender.
    fn change_of_hash(&self, record: &RecordKey, hash: &ChangeHash) -> Option<HeldChange> {
        let _ = (record, hash);
        None
    }
}

/// Nothing is known beside the list: it explains itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Held for Nothing {}

/// A packed list that this side cannot read. Nothing was kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// More items, operations or rebuilt bytes than the limits of `foras_wire::limits`.
    #[error("a packed list is over a limit")]
    TooLarge,
    /// Not what [`pack`] writes.
    #[error("a packed list is malformed")]
    Malformed,
    /// It names what this side does not hold. Sent in full ([`pack_plain`]) it can be read.
    #[error("a packed list names what is not held here")]
    NotHeld,
}

impl PackedError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::NotHeld => "say_plainly",
        }
    }

    /// Whether the same list, sent in full, can help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::NotHeld)
    }
}
