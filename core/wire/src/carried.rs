//! A push that somebody else hands on: what its author signed, with the author's grant, so that anyone who knows the
//! server's key can check it. A phone that meets the server first takes the pushes of others along.

use minicbor::{Decode, Encode};

use crate::error::WireError;
use crate::grant::SignedGrant;
use crate::id::{ChangeHash, Digest32, Incarnation, Signature64};
use crate::limits::PUSH_CHANGES_MAX;
use crate::push::{self, PushItem};

/// A push of another device, or a part of it: changes that the receiver may not see, or needs not, are leaves only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CarriedPush {
    /// The author's grant, as the server signed it; of the push's revision, or a newer one.
    #[n(0)]
    pub grant: SignedGrant,
    /// The server's epoch as the author knew it.
    #[n(1)]
    pub epoch: u64,
    /// The incarnation whose actor authored every change.
    #[n(2)]
    pub incarnation: Incarnation,
    /// The revision of the grant under which the changes were made.
    #[n(3)]
    pub grant_revision: u64,
    /// Changes that are shown, in the order in which they were made.
    #[n(4)]
    pub items: Vec<PushItem>,
    /// Changes that are not, by rising position.
    #[n(5)]
    pub hidden: Vec<HiddenItem>,
    /// The author's signature over all of them, as of a push.
    #[n(6)]
    pub signature: Signature64,
}

/// A change of a push that is proven and not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HiddenItem {
    /// Where it stands in the whole push, from 0.
    #[n(0)]
    pub position: u32,
    /// Its change set.
    #[n(1)]
    pub change_set: u32,
    /// Its leaf.
    #[n(2)]
    pub leaf: Digest32,
}

/// One change of the whole push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its leaf.
    pub leaf: Digest32,
    /// Its change set.
    pub change_set: u32,
    /// Its index among the shown changes; `None`: hidden.
    pub shown: Option<usize>,
}

impl CarriedPush {
    /// Every change of the whole push in its order. `hashes` are those of the shown changes.
    ///
    /// # Errors
    /// [`WireError`] when hidden changes stand at positions that are not there, or there are too many changes.
    pub fn places(&self, hashes: &[ChangeHash]) -> Result<Vec<Place>, WireError> {
        let count = self.items.len().saturating_add(self.hidden.len());
        if count > PUSH_CHANGES_MAX {
            return Err(WireError::TooLarge { what: "carried push", limit: PUSH_CHANGES_MAX });
        }
        if hashes.len() != self.items.len() {
            return Err(WireError::Malformed("carried push"));
        }
        let mut shown = self.items.iter().zip(hashes).enumerate();
        let mut hidden = self.hidden.iter().peekable();
        let mut places = Vec::with_capacity(count);
        for position in 0..count {
            let place = match hidden.next_if(|hidden| usize::try_from(hidden.position) == Ok(position)) {
                Some(hidden) => Place { leaf: hidden.leaf, change_set: hidden.change_set, shown: None },
                None => {
                    let (at, (item, hash)) = shown.next().ok_or(WireError::Malformed("carried push"))?;
                    Place { leaf: push::leaf(&item.record, hash), change_set: item.change_set, shown: Some(at) }
                }
            };
            places.push(place);
        }
        Ok(places)
    }

    /// Whether a change of this set is hidden: then the set cannot be admitted whole.
    #[must_use]
    pub fn hides_of(&self, change_set: u32) -> bool {
        self.hidden.iter().any(|hidden| hidden.change_set == change_set)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::id::RecordId;
    use crate::record::{KindCode, RecordKey, RecordRef};

    fn item(number: u8) -> PushItem {
        let key = RecordKey { kind: KindCode(1), id: RecordId([number; 16]) };
        PushItem { record: RecordRef { key, case: None, generation: 0 }, change_set: 0, chunk: vec![number] }
    }

    fn hidden(position: u32) -> HiddenItem {
        HiddenItem { position, change_set: 0, leaf: Digest32([9; 32]) }
    }

    fn push(items: Vec<PushItem>, hidden: Vec<HiddenItem>) -> CarriedPush {
        let (signature, incarnation) = (Signature64([0; 64]), Incarnation([0; 16]));
        let grant = SignedGrant { bytes: Vec::new(), signature };
        CarriedPush { grant, epoch: 1, incarnation, grant_revision: 1, items, hidden, signature }
    }

    #[test]
    fn shown_and_hidden_changes_stand_where_they_stood() {
        let push = push(vec![item(1), item(2)], vec![hidden(0), hidden(2)]);
        let places = push.places(&[ChangeHash([1; 32]), ChangeHash([2; 32])]).unwrap();
        let shown: Vec<_> = places.iter().map(|place| place.shown).collect();
        assert_eq!(shown, [None, Some(0), None, Some(1)]);
    }

    #[test]
    fn hidden_changes_at_impossible_positions_are_refused() {
        for positions in [vec![5], vec![1, 0], vec![0, 0], vec![3, u32::MAX]] {
            let push = push(vec![item(1)], positions.iter().copied().map(hidden).collect());
            assert_eq!(push.places(&[ChangeHash([1; 32])]).unwrap_err().code(), "malformed", "{positions:?}");
        }
    }
}
