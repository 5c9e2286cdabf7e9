//! A page: consecutive entries of one audience's log, under the server's signature.
//!
//! Positions are dense: the entry at index `i` of a page stands at `from + 1 + i`. So a receiver asserts that nothing
//! is missing, and no position travels.

use minicbor::{Decode, Encode};

use crate::audience::AudienceName;
use crate::id::{Actor, Digest32, RecordId, ServerId, Signature64};
use crate::items;
use crate::merkle;
use crate::record::{RecordKey, RecordRef};

/// One entry of a log as it travels: a code and a body, so that unknown codes can be skipped.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RawEntry {
    /// Which [`Entry`] the body holds.
    #[n(0)]
    pub code: u16,
    /// The CBOR of that entry.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// What stands at one position of an audience's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A change of a record.
    Change(ChangeEntry),
    /// All changes of a record that came into this audience, dependencies first.
    Whole(WholeEntry),
    /// A change of this record that came from the receiver itself, in the request that this answers. The record is named
    /// and not the change: equal changes of several records have one hash.
    Known(RecordKey),
    /// The record left this audience: delete it, unless another audience of the device holds it.
    Drop(RecordKey),
    /// The person of this case was erased: delete everything of it.
    Erase(RecordId),
    /// Who an actor is.
    Author(AuthorEntry),
    /// A mission's device holds a record's changes up to a position of this log.
    Seen(SeenEntry),
    /// Nothing any more: what stood here left the audience, or is not this device's.
    Stub,
    /// An entry of a newer build, kept for its position alone.
    Unknown(u16),
}

/// A change in a log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeEntry {
    /// The record.
    #[n(0)]
    pub record: RecordRef,
    /// The change chunk.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub chunk: Vec<u8>,
    /// When the server received it, in milliseconds since 1970, server's clock.
    #[n(2)]
    pub received_ms: i64,
}

/// A record that came whole into an audience.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WholeEntry {
    /// The record.
    #[n(0)]
    pub record: RecordRef,
    /// Its change chunks, dependencies first.
    #[n(1)]
    pub chunks: Vec<minicbor::bytes::ByteVec>,
    /// When the server opened the record to the audience, in milliseconds since 1970.
    #[n(2)]
    pub received_ms: i64,
}

/// Who an actor is. Migrants' devices are told roles only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AuthorEntry {
    /// The actor.
    #[n(0)]
    pub actor: Actor,
    /// The name that colleagues call the person, where the receiver may know it.
    #[n(1)]
    pub name: Option<String>,
    /// The code of the role.
    #[n(2)]
    pub role: String,
}

/// A mission has a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SeenEntry {
    /// The record.
    #[n(0)]
    pub key: RecordKey,
    /// The mission's country, ISO 3166-1 alpha-2.
    #[n(1)]
    pub country: String,
    /// Changes of the record at positions up to this one of this log were seen.
    #[n(2)]
    pub through: u64,
    /// When the mission's device acknowledged, in milliseconds since 1970, server's clock.
    #[n(3)]
    pub at_ms: i64,
}

const CHANGE: u16 = 1;
const WHOLE: u16 = 2;
const KNOWN: u16 = 3;
const DROP: u16 = 4;
const ERASE: u16 = 5;
const AUTHOR: u16 = 6;
const SEEN: u16 = 7;
const STUB: u16 = 8;

fn raw<T: Encode<()>>(code: u16, body: &T) -> RawEntry {
    // Encoding into a vector cannot fail: its error type has no value.
    RawEntry { code, body: minicbor::to_vec(body).unwrap_or_default() }
}

impl From<&Entry> for RawEntry {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Change(change) => raw(CHANGE, change),
            Entry::Whole(whole) => raw(WHOLE, whole),
            Entry::Known(key) => raw(KNOWN, key),
            Entry::Drop(key) => raw(DROP, key),
            Entry::Erase(case) => raw(ERASE, case),
            Entry::Author(author) => raw(AUTHOR, author),
            Entry::Seen(seen) => raw(SEEN, seen),
            Entry::Stub => Self { code: STUB, body: Vec::new() },
            Entry::Unknown(code) => Self { code: *code, body: Vec::new() },
        }
    }
}

impl TryFrom<&RawEntry> for Entry {
    type Error = minicbor::decode::Error;

    fn try_from(raw: &RawEntry) -> Result<Self, Self::Error> {
        let body = &raw.body;
        if !items::are_few(body) {
            return Err(minicbor::decode::Error::message("too many items"));
        }
        Ok(match raw.code {
            CHANGE => Self::Change(minicbor::decode(body)?),
            WHOLE => Self::Whole(minicbor::decode(body)?),
            KNOWN => Self::Known(minicbor::decode(body)?),
            DROP => Self::Drop(minicbor::decode(body)?),
            ERASE => Self::Erase(minicbor::decode(body)?),
            AUTHOR => Self::Author(minicbor::decode(body)?),
            SEEN => Self::Seen(minicbor::decode(body)?),
            STUB => Self::Stub,
            other => Self::Unknown(other),
        })
    }
}

/// Consecutive entries of one audience's log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// Which audience: its index in the grant named by `grant_revision` of the answer.
    #[n(0)]
    pub audience: u16,
    /// The position that the receiver must have reached before this page.
    #[n(1)]
    pub from: u64,
    /// Entries at `from + 1`, `from + 2`, …
    #[n(2)]
    pub entries: Vec<RawEntry>,
    /// The server's signature of [`Page::signed_bytes`].
    #[n(3)]
    pub signature: Signature64,
}

impl Page {
    /// The position that the receiver has reached after this page.
    #[must_use]
    pub fn to(&self) -> u64 {
        self.from.saturating_add(self.entries.len() as u64)
    }

    /// What the server signs: a label, itself, its epoch, the audience's name, both positions and the entries' root.
    #[must_use]
    pub fn signed_bytes(&self, server: &ServerId, epoch: u64, audience: &AudienceName) -> Vec<u8> {
        signed_bytes(server, epoch, self.from, self.to(), &merkle::root(&self.leaves()), audience)
    }

    /// The leaf of each entry, under which the page's signature can prove that entry alone.
    #[must_use]
    pub fn leaves(&self) -> Vec<Digest32> {
        self.entries.iter().map(leaf).collect()
    }
}

fn leaf(entry: &RawEntry) -> Digest32 {
    let mut content = entry.code.to_be_bytes().to_vec();
    content.extend_from_slice(&entry.body);
    merkle::leaf(&content)
}

/// The leaf of a change that stands in a page.
#[must_use]
pub fn change_leaf(change: &ChangeEntry) -> Digest32 {
    leaf(&raw(CHANGE, change))
}

/// What the server signs of a page that holds the positions after `from` up to `to`.
#[must_use]
pub fn signed_bytes(
    server: &ServerId,
    epoch: u64,
    from: u64,
    to: u64,
    root: &Digest32,
    audience: &AudienceName,
) -> Vec<u8> {
    let mut bytes = b"foras page 1".to_vec();
    bytes.extend_from_slice(server.as_bytes());
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.extend_from_slice(&from.to_be_bytes());
    bytes.extend_from_slice(&to.to_be_bytes());
    bytes.extend_from_slice(root.as_bytes());
    bytes.extend_from_slice(audience.as_str().as_bytes());
    bytes
}
