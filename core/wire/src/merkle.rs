//! Merkle roots over lists of leaves, so that one signature covers a list and any single leaf can be proven alone.
//!
//! Leaves and inner nodes are hashed under different first bytes, and an odd node is carried up unchanged (RFC 6962's
//! shape): no list has the root of another.

use sha2::{Digest, Sha256};

use crate::id::Digest32;

/// Hash of one leaf.
#[must_use]
pub fn leaf(content: &[u8]) -> Digest32 {
    Digest32(Sha256::new().chain_update([0]).chain_update(content).finalize().into())
}

fn node(left: &Digest32, right: &Digest32) -> Digest32 {
    Digest32(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

fn level_up(level: &[Digest32]) -> Vec<Digest32> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            [only] => *only,
            _ => empty(),
        })
        .collect()
}

fn empty() -> Digest32 {
    Digest32(Sha256::digest([]).into())
}

/// Root over `leaves` in their order. The empty list has the hash of nothing.
#[must_use]
pub fn root(leaves: &[Digest32]) -> Digest32 {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level_up(&level);
    }
    level.first().copied().unwrap_or_else(empty)
}

/// The sibling hashes, lowest first, that prove the leaf at `index` under [`root`].
#[must_use]
pub fn proof(leaves: &[Digest32], index: usize) -> Vec<Digest32> {
    let (mut level, mut at, mut siblings) = (leaves.to_vec(), index, Vec::new());
    while level.len() > 1 {
        if let Some(sibling) = level.get(at ^ 1) {
            siblings.push(*sibling);
        }
        level = level_up(&level);
        at /= 2;
    }
    siblings
}

/// Whether `siblings` prove that `leaf` stands at `index` of a list of `count` leaves with this `root`.
#[must_use]
pub fn proves(root: &Digest32, leaf: Digest32, index: usize, count: usize, siblings: &[Digest32]) -> bool {
    if index >= count {
        return false;
    }
    let (mut hash, mut at, mut width, mut rest) = (leaf, index, count, siblings.iter());
    while width > 1 {
        if at ^ 1 < width {
            let Some(sibling) = rest.next() else { return false };
            hash = if at.is_multiple_of(2) { node(&hash, sibling) } else { node(sibling, &hash) };
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    rest.next().is_none() && hash == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_of_every_small_list_is_proven_and_no_other() {
        for count in 1..40_usize {
            let leaves: Vec<_> = (0..count).map(|i| leaf(&[u8::try_from(i).unwrap_or(0)])).collect();
            let root = root(&leaves);
            for (index, own) in leaves.iter().enumerate() {
                let siblings = proof(&leaves, index);
                assert!(proves(&root, *own, index, count, &siblings));
                assert!(!proves(&root, leaf(b"another"), index, count, &siblings));
                assert!(!proves(&root, *own, index + 1, count, &siblings) || count == 1 && index + 1 < count);
            }
        }
    }
}
