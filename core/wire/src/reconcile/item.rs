//! Items of a copy, and their sum.

use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};
use sha2::{Digest, Sha256};

use crate::id::ChangeHash;
use crate::push;
use crate::record::RecordRef;

/// A change of a record, as a member of a copy: the first half of its leaf ([`push::leaf`]), which covers record, case,
/// generation and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item(pub [u8; 16]);

impl Item {
    /// The item of a change.
    #[must_use]
    pub fn of(record: &RecordRef, hash: &ChangeHash) -> Self {
        let mut item = [0; 16];
        item.copy_from_slice(&push::leaf(record, hash).0[..16]);
        Self(item)
    }
}

/// The sum of a set's items modulo 2^128: adding or taking away an item costs the same for ten items or a million. Items
/// are halves of SHA-256 hashes; equal sums of different sets come about neither by chance nor by a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum(pub u128);

impl Sum {
    /// The sum with `item` added.
    #[must_use]
    pub fn with(self, item: &Item) -> Self {
        Self(self.0.wrapping_add(u128::from_be_bytes(item.0)))
    }

    /// The sum with `item` taken away.
    #[must_use]
    pub fn without(self, item: &Item) -> Self {
        Self(self.0.wrapping_sub(u128::from_be_bytes(item.0)))
    }

    /// Both sums together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// This sum less `other`.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// As it is kept: 16 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The sum kept in `bytes`.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl<'i> FromIterator<&'i Item> for Sum {
    fn from_iter<T: IntoIterator<Item = &'i Item>>(items: T) -> Self {
        items.into_iter().fold(Self::default(), Self::with)
    }
}

impl FromIterator<Item> for Sum {
    fn from_iter<T: IntoIterator<Item = Item>>(items: T) -> Self {
        items.into_iter().fold(Self::default(), |sum, item| sum.with(&item))
    }
}

impl<C> Encode<C> for Sum {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Sum {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        let bytes = d.bytes()?.try_into();
        bytes.map(Self::from_bytes).map_err(|_| DecodeError::message("a sum of another length").at(at))
    }
}

/// Length of a combined digest, in bytes.
pub const COMBINED_BYTES: usize = 16;

/// The digest of all audiences of a device at once: what an answer carries when nothing changed.
pub type Combined = [u8; COMBINED_BYTES];

/// The digest of copies of several audiences, in the order of the grant.
#[must_use]
pub fn combined(sums: impl IntoIterator<Item = Sum>) -> Combined {
    let mut hash = Sha256::new().chain_update(b"foras digest 1");
    for sum in sums {
        hash.update(sum.to_bytes());
    }
    let mut combined = [0; COMBINED_BYTES];
    combined.copy_from_slice(&hash.finalize()[..COMBINED_BYTES]);
    combined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_depends_on_the_set_and_not_on_the_order() {
        let (a, b) = (Item([0xff; 16]), Item([0x80; 16]));
        let sum: Sum = [&a, &b].into_iter().collect();
        assert_eq!(sum, [&b, &a].into_iter().collect());
        assert_eq!(sum.without(&a), Sum::default().with(&b));
        assert_ne!(combined([sum, Sum::default()]), combined([Sum::default(), sum]));
    }
}
