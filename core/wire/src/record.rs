//! A record as the wire sees it: a key, the case that it belongs to, and opaque chunks.

use minicbor::{Decode, Encode};

use crate::id::RecordId;

/// The number of a kind of record. Kinds that a build does not know are kept opaque and passed on untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct KindCode(#[n(0)] pub u16);

/// What names a record. Two kinds never share a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct RecordKey {
    /// Its kind, fixed when the record was first accepted.
    #[n(0)]
    pub kind: KindCode,
    /// Its identifier.
    #[n(1)]
    pub id: RecordId,
}

/// A record's key with what else is fixed when it is first accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct RecordRef {
    /// The record.
    #[n(0)]
    pub key: RecordKey,
    /// The case that a person-bound record belongs to; `None` for records about nobody.
    #[n(1)]
    pub case: Option<RecordId>,
    /// Counts re-basings of the record without its history; 0 until the first.
    #[n(2)]
    pub generation: u32,
}
