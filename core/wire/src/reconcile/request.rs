//! What a device says of its copies when they differ from the server's.

use minicbor::{Decode, Encode};

use super::Sum;
use super::coded::Salt;
use crate::audience::AudienceName;
use crate::id::{Digest32, ServerId, Signature64};

/// The device's copies of some audiences.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Reconcile {
    /// Drawn for this request.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub salt: Salt,
    /// A sketch for each audience in question.
    #[n(1)]
    pub sketches: Vec<Sketch>,
    /// Something that the server signed and seems not to remember.
    #[n(2)]
    pub witness: Option<Witness>,
    /// The newest epoch that the device ever heard of. A server that fell back twice never uses one again.
    #[cbor(n(3), default)]
    pub newest_epoch: u64,
}

/// The device's copy of one audience: how much it is, and coded symbols of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sketch {
    /// The audience's place in the grant.
    #[n(0)]
    pub audience: u16,
    /// How many changes the copy holds.
    #[n(1)]
    pub count: u64,
    /// Their sum.
    #[n(2)]
    pub sum: Sum,
    /// Coded symbols, as [`super::coded::to_bytes`] writes them.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub symbols: Vec<u8>,
}

/// A page's signature without the page: that the log of an audience reached `to` in an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Witness {
    /// The audience.
    #[n(0)]
    pub audience: AudienceName,
    /// The epoch in which it was signed.
    #[n(1)]
    pub epoch: u64,
    /// The position before the page.
    #[n(2)]
    pub from: u64,
    /// Its last position.
    #[n(3)]
    pub to: u64,
    /// The root over its entries.
    #[n(4)]
    pub root: Digest32,
    /// The server's signature of it.
    #[n(5)]
    pub signature: Signature64,
}

impl Witness {
    /// What the server signed.
    #[must_use]
    pub fn signed_bytes(&self, server: &ServerId) -> Vec<u8> {
        crate::page::signed_bytes(server, self.epoch, self.from, self.to, &self.root, &self.audience)
    }
}
