//! A page: consecutive entries of one audience's log, under the server's signature.
//!
//! Positions are dense: the entry at index `i` of a page stands at `from + 1 + i`. So a receiver asserts that nothing
//! is missing, and no position travels.

use minicbor::{Decode, Encode};

use crate::audience::AudienceName;
use crate::frame::to_cbor;
use crate::id::{Actor, ChangeHash, Digest32, RecordId, ServerId, Signature64};
use crate::record::{RecordKey, RecordRef};
use crate::{merkle, push};

/// What stands at one position of an audience's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A change of a record.
    Change(ChangeEntry),
    /// All changes of a record that came into this audience, dependencies first.
    Whole(WholeEntry),
    /// A change that came from the receiver itself, in the request that this answers: it is named and not sent back.
    Known(KnownEntry),
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
    Unknown {
        /// Its code.
        code: u16,
        /// Its bytes.
        body: Vec<u8>,
    },
}

/// A change in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEntry {
    /// The record.
    pub record: RecordRef,
    /// The change's hash.
    pub hash: ChangeHash,
    /// The change chunk.
    pub chunk: Vec<u8>,
    /// When the server received it, in milliseconds since 1970, server's clock.
    pub received_ms: i64,
}

/// A change in a log that the receiver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownEntry {
    /// The record.
    pub record: RecordRef,
    /// The change's hash.
    pub hash: ChangeHash,
    /// When the server received it, in milliseconds since 1970, server's clock.
    pub received_ms: i64,
}

/// A record that came whole into an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeEntry {
    /// The record.
    pub record: RecordRef,
    /// Hashes and chunks of its changes, dependencies first.
    pub changes: Vec<(ChangeHash, Vec<u8>)>,
    /// When the server opened the record to the audience, in milliseconds since 1970.
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

/// Codes of entries, as they stand in pages and in their leaves.
pub mod code {
    /// [`super::Entry::Change`], and [`super::Entry::Known`]: to whom a change is new makes no difference to the log.
    pub const CHANGE: u16 = 1;
    /// [`super::Entry::Whole`].
    pub const WHOLE: u16 = 2;
    /// [`super::Entry::Known`] in a page's body.
    pub const KNOWN: u16 = 3;
    /// [`super::Entry::Drop`].
    pub const DROP: u16 = 4;
    /// [`super::Entry::Erase`].
    pub const ERASE: u16 = 5;
    /// [`super::Entry::Author`].
    pub const AUTHOR: u16 = 6;
    /// [`super::Entry::Seen`].
    pub const SEEN: u16 = 7;
    /// [`super::Entry::Stub`].
    pub const STUB: u16 = 8;
}

/// The leaf of a change that the server received at this moment. One leaf and its siblings prove the change to others, by
/// the signature of the page in which it stands.
#[must_use]
pub fn change_leaf(record: &RecordRef, hash: &ChangeHash, received_ms: i64) -> Digest32 {
    let mut content = code::CHANGE.to_be_bytes().to_vec();
    content.extend_from_slice(&push::leaf_content(record, hash));
    content.extend_from_slice(&received_ms.to_be_bytes());
    merkle::leaf(&content)
}

/// The leaf of a record that is told whole, over the leaves of its changes.
#[must_use]
pub fn whole_leaf(changes: &[Digest32]) -> Digest32 {
    merkle::leaf(&[&code::WHOLE.to_be_bytes()[..], merkle::root(changes).as_bytes()].concat())
}

impl WholeEntry {
    /// The leaves of its changes.
    #[must_use]
    pub fn leaves(&self) -> Vec<Digest32> {
        self.changes.iter().map(|(hash, _)| change_leaf(&self.record, hash, self.received_ms)).collect()
    }
}

impl Entry {
    /// The entry's leaf under the page's root: the same for every receiver that is told the same names.
    #[must_use]
    pub fn leaf(&self) -> Digest32 {
        let leaf = |code: u16, content: &[u8]| merkle::leaf(&[&code.to_be_bytes(), content].concat());
        match self {
            Self::Change(change) => change_leaf(&change.record, &change.hash, change.received_ms),
            Self::Known(known) => change_leaf(&known.record, &known.hash, known.received_ms),
            Self::Whole(whole) => whole_leaf(&whole.leaves()),
            Self::Drop(key) => leaf(code::DROP, &to_cbor(key)),
            Self::Erase(case) => leaf(code::ERASE, case.as_bytes()),
            Self::Author(author) => leaf(code::AUTHOR, &to_cbor(author)),
            Self::Seen(seen) => leaf(code::SEEN, &to_cbor(seen)),
            Self::Stub => leaf(code::STUB, &[]),
            Self::Unknown { code, body } => leaf(*code, body),
        }
    }
}

/// The root over the leaves of a page's entries.
#[must_use]
pub fn root(entries: &[Entry]) -> Digest32 {
    let leaves: Vec<_> = entries.iter().map(Entry::leaf).collect();
    merkle::root(&leaves)
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
    /// How many entries it has, at `from + 1`, `from + 2`, …
    #[n(2)]
    pub count: u32,
    /// The server's signature of [`Page::signed_bytes`].
    #[n(3)]
    pub signature: Signature64,
    /// The entries, packed: only who holds the records reads them. The form is `foras-record`'s.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

impl Page {
    /// The position that the receiver has reached after this page.
    #[must_use]
    pub fn to(&self) -> u64 {
        self.from.saturating_add(u64::from(self.count))
    }

    /// What the server signs: a label, itself, its epoch, the audience's name, both positions and the entries' root.
    #[must_use]
    pub fn signed_bytes(&self, server: &ServerId, epoch: u64, audience: &AudienceName, root: &Digest32) -> Vec<u8> {
        signed_bytes(server, epoch, self.from, self.to(), root, audience)
    }
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
    let mut bytes = b"foras page 2".to_vec();
    bytes.extend_from_slice(server.as_bytes());
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.extend_from_slice(&from.to_be_bytes());
    bytes.extend_from_slice(&to.to_be_bytes());
    bytes.extend_from_slice(root.as_bytes());
    bytes.extend_from_slice(audience.as_str().as_bytes());
    bytes
}
