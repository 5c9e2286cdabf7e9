//! What the server found to differ in a device's copy of an audience.

use minicbor::{Decode, Encode};

use super::coded::{Salt, Short};
use crate::audience::AudienceName;
use crate::frame::to_cbor;
use crate::id::{ServerId, Signature64};
use crate::merkle;
use crate::page::AuthorEntry;
use crate::record::{RecordKey, RecordRef};

/// A change that the receiver lacks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LackedChange {
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

/// How far the comparison of one audience has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum DifferenceState {
    /// More of the difference follows in this answer.
    #[n(0)]
    Part,
    /// This is the last of it. With it the copy stands at `through`, but for what the device has more than the server.
    #[n(1)]
    Last,
    /// The symbols were too few: send so many.
    #[n(2)]
    Undecided {
        /// How many.
        #[n(0)]
        symbols: u32,
    },
    /// The copies are too different to compare: follow the log from its start, and keep what is there.
    #[n(3)]
    StartOver,
    /// The server takes and gives nothing of this audience until its recovery is closed; ask again later.
    #[n(4)]
    Held,
    /// Answer to offers: what the device offered of these records is known, and they are not of this audience.
    #[n(5)]
    Answer,
}

/// A part of what differs in one audience. It stands outside the positions of the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Difference {
    /// The audience's place in the grant.
    #[n(0)]
    pub audience: u16,
    /// The position of the log at which the copies were compared.
    #[n(1)]
    pub through: u64,
    /// How far the comparison has come.
    #[n(2)]
    pub state: DifferenceState,
    /// Who authored the changes below.
    #[n(3)]
    pub authors: Vec<AuthorEntry>,
    /// Changes that the device lacks; those of one record with dependencies first.
    #[n(4)]
    pub changes: Vec<LackedChange>,
    /// Records that are not of this audience.
    #[n(5)]
    pub drops: Vec<RecordKey>,
    /// Items that the server does not know, 8 bytes each: [`Short`] under `salt`.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub wanted: Vec<u8>,
    /// The server's signature of [`Difference::signed_bytes`].
    #[n(7)]
    pub signature: Signature64,
    /// The salt of the request's symbols.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub salt: Salt,
}

impl Difference {
    /// A difference in which nothing differs yet.
    #[must_use]
    pub fn new(audience: u16, through: u64, state: DifferenceState) -> Self {
        Self {
            audience,
            through,
            state,
            authors: Vec::new(),
            changes: Vec::new(),
            drops: Vec::new(),
            wanted: Vec::new(),
            signature: Signature64([0; 64]),
            salt: Salt::default(),
        }
    }

    /// The items that the server does not know.
    pub fn wanted_items(&self) -> impl Iterator<Item = Short> + '_ {
        self.wanted.as_chunks::<8>().0.iter().map(|short| Short(u64::from_be_bytes(*short)))
    }

    /// What the server signs: a label, itself, its epoch, the position, the audience's name and the hash of the content.
    #[must_use]
    pub fn signed_bytes(&self, server: &ServerId, epoch: u64, audience: &AudienceName) -> Vec<u8> {
        let content = Self { signature: Signature64([0; 64]), ..self.clone() };
        let mut bytes = b"foras difference 1".to_vec();
        bytes.extend_from_slice(server.as_bytes());
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.extend_from_slice(&self.through.to_be_bytes());
        bytes.extend_from_slice(merkle::leaf(&to_cbor(&content)).as_bytes());
        bytes.extend_from_slice(audience.as_str().as_bytes());
        bytes
    }
}
