//! A push: changes that a device authored, under one signature.

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::id::{ChangeHash, Digest32, Incarnation, PublicKey, ServerId, Signature64};
use crate::merkle;
use crate::record::RecordRef;

/// One change of a push.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushItem {
    /// The record that it changes.
    #[n(0)]
    pub record: RecordRef,
    /// Changes of one action of a person share a number within a push, stand together, and are admitted whole.
    #[n(1)]
    pub change_set: u32,
    /// The change chunk, exactly as automerge writes it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub chunk: Vec<u8>,
}

/// Changes of one incarnation, made under one revision of its grant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Push {
    /// The incarnation whose actor authored every change.
    #[n(0)]
    pub incarnation: Incarnation,
    /// The revision of the grant under which the changes were made.
    #[n(1)]
    pub grant_revision: u64,
    /// The changes, in the order in which they were made.
    #[n(2)]
    pub items: Vec<PushItem>,
    /// The device's signature of [`signed_bytes`].
    #[n(3)]
    pub signature: Signature64,
}

/// A push as it travels in a request: its changes packed. The form is `foras-record`'s.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PackedPush {
    /// As [`Push::incarnation`].
    #[n(0)]
    pub incarnation: Incarnation,
    /// As [`Push::grant_revision`].
    #[n(1)]
    pub grant_revision: u64,
    /// How many changes it has.
    #[n(2)]
    pub count: u32,
    /// As [`Push::signature`].
    #[n(3)]
    pub signature: Signature64,
    /// The changes.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// What a push's signature covers, besides the root over its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushScope {
    /// The server that the push is for.
    pub server: ServerId,
    /// The server's epoch as the device knows it.
    pub epoch: u64,
    /// The author's incarnation.
    pub incarnation: Incarnation,
    /// The revision of the grant.
    pub grant_revision: u64,
}

/// The leaf of one change: record, case, generation and hash.
#[must_use]
pub fn leaf(record: &RecordRef, hash: &ChangeHash) -> Digest32 {
    merkle::leaf(&leaf_content(record, hash))
}

/// Record, case, generation and hash. A case's presence shows in the length.
pub(crate) fn leaf_content(record: &RecordRef, hash: &ChangeHash) -> Vec<u8> {
    let mut content = Vec::with_capacity(72);
    content.extend_from_slice(&record.key.kind.0.to_be_bytes());
    content.extend_from_slice(record.key.id.as_bytes());
    content.extend_from_slice(record.case.as_ref().map_or(&[][..], |case| case.as_bytes()));
    content.extend_from_slice(&record.generation.to_be_bytes());
    content.extend_from_slice(hash.as_bytes());
    content
}

/// A digest of which changes were made by one action: the length of each run of equal numbers, in order. What numbers the
/// runs bear does not count.
#[must_use]
pub fn sets_digest(change_sets: &[u32]) -> Digest32 {
    let mut digest = Sha256::new();
    for run in change_sets.chunk_by(|before, next| before == next) {
        digest.update((run.len() as u64).to_be_bytes());
    }
    Digest32(digest.finalize().into())
}

/// The bytes that the device signs: a label, the scope, the author's key, the root over the leaves and [`sets_digest`].
/// So nobody who hands the push on can take apart what one action made.
#[must_use]
pub fn signed_bytes(scope: &PushScope, author: &PublicKey, root: &Digest32, sets: &Digest32) -> Vec<u8> {
    let mut bytes = b"foras push 2".to_vec();
    bytes.extend_from_slice(scope.server.as_bytes());
    bytes.extend_from_slice(&scope.epoch.to_be_bytes());
    bytes.extend_from_slice(author.as_bytes());
    bytes.extend_from_slice(scope.incarnation.as_bytes());
    bytes.extend_from_slice(&scope.grant_revision.to_be_bytes());
    bytes.extend_from_slice(root.as_bytes());
    bytes.extend_from_slice(sets.as_bytes());
    bytes
}
