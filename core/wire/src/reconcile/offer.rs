//! What a device offers to a server that lost it: changes that the server itself had signed in a page.

use minicbor::{Decode, Encode};

use crate::audience::AudienceName;
use crate::id::{ChangeHash, Digest32, Signature64};
use crate::page::whole_leaf;
use crate::record::RecordRef;

/// What a device offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Offers {
    /// Pages of which something is offered.
    #[n(0)]
    pub pages: Vec<OfferedPage>,
    /// Changes that the device holds and cannot prove: the server says whether their records are of the audience.
    #[n(1)]
    pub claims: Vec<Claim>,
}

/// A page as the device remembers it: its leaves and the server's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OfferedPage {
    /// The audience whose log it was of.
    #[n(0)]
    pub audience: AudienceName,
    /// The epoch in which it was signed.
    #[n(1)]
    pub epoch: u64,
    /// The position before it.
    #[n(2)]
    pub from: u64,
    /// Its leaves, 32 bytes each.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub leaves: Vec<u8>,
    /// The server's signature of it.
    #[n(4)]
    pub signature: Signature64,
    /// Changes that stood in it.
    #[n(5)]
    pub changes: Vec<OfferedChange>,
    /// Of entries that told a record whole and of which a change is offered: what their leaves are made of.
    #[n(6)]
    pub wholes: Vec<OfferedWhole>,
}

/// A record that a page told whole, as the device remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OfferedWhole {
    /// The entry's index in the page.
    #[n(0)]
    pub index: u32,
    /// When the server had received the last of its changes, in milliseconds since 1970: what their leaves say.
    #[n(1)]
    pub received_ms: i64,
    /// The leaves of its changes, 32 bytes each.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub leaves: Vec<u8>,
}

impl OfferedWhole {
    /// The leaves of its changes, in the order of the entry.
    #[must_use]
    pub fn leaves(&self) -> Vec<Digest32> {
        split(&self.leaves)
    }
}

impl OfferedPage {
    /// The page's leaves, in the order of its entries.
    #[must_use]
    pub fn leaves(&self) -> Vec<Digest32> {
        split(&self.leaves)
    }

    /// Whether its signature covers a change with this leaf at this index: as an entry, or within one that told a record whole.
    #[must_use]
    pub fn covers(&self, index: u32, leaf: &Digest32) -> bool {
        let Some(entry) = usize::try_from(index).ok().and_then(|index| self.leaves.as_chunks::<32>().0.get(index))
        else {
            return false;
        };
        let within = |whole: &OfferedWhole| {
            let leaves = whole.leaves();
            whole.index == index && leaves.contains(leaf) && whole_leaf(&leaves).0 == *entry
        };
        leaf.0 == *entry || self.wholes.iter().any(within)
    }
}

fn split(leaves: &[u8]) -> Vec<Digest32> {
    leaves.as_chunks::<32>().0.iter().map(|leaf| Digest32(*leaf)).collect()
}

/// A change of an offered page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OfferedChange {
    /// Its index in the page.
    #[n(0)]
    pub index: u32,
    /// The record.
    #[n(1)]
    pub record: RecordRef,
    /// When the server had received it, in milliseconds since 1970.
    #[n(2)]
    pub received_ms: i64,
    /// The change chunk.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub chunk: Vec<u8>,
}

/// A change that the device holds by an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The audience's place in the grant.
    #[n(0)]
    pub audience: u16,
    /// The record.
    #[n(1)]
    pub record: RecordRef,
    /// The change.
    #[n(2)]
    pub hash: ChangeHash,
}
