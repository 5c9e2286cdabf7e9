//! A push, packed and unpacked. Its signature is over records and hashes, so it holds for both.

use foras_wire::id::{Actor, PublicKey};
use foras_wire::push::{PackedPush, Push, PushItem};

use super::{Held, Item, PackedError, pack_after, pack_plain, unpack_after};

/// The push of the device with the key `author`, as it travels to a side that holds what `held` says; `None`: in full.
#[must_use]
pub fn packed(push: &Push, author: &PublicKey, held: Option<&dyn Held>) -> PackedPush {
    let author = Actor::of(author, &push.incarnation);
    let item = |item: &PushItem| Item { change_set: item.change_set, ..Item::new(item.record, item.chunk.clone()) };
    let items: Vec<Item> = push.items.iter().map(item).collect();
    PackedPush {
        incarnation: push.incarnation,
        grant_revision: push.grant_revision,
        count: u32::try_from(items.len()).unwrap_or(u32::MAX),
        signature: push.signature,
        body: held.map_or_else(|| pack_plain(&items), |held| pack_after(&[author], &items, held)),
    }
}

/// The push of the device with the key `author` that was packed. Its signature is still to be checked.
///
/// # Errors
/// [`PackedError`]; also [`PackedError::Malformed`] where it has another number of changes than it says, or only names one.
pub fn unpacked(packed: &PackedPush, author: &PublicKey, held: &dyn Held) -> Result<Push, PackedError> {
    let author = Actor::of(author, &packed.incarnation);
    let items = unpack_after(&[author], &packed.body, held)?;
    if items.len() as u64 != u64::from(packed.count) {
        return Err(PackedError::Malformed);
    }
    let item = |item: Item| {
        let chunk = item.chunk.ok_or(PackedError::Malformed)?;
        Ok(PushItem { record: item.record, change_set: item.change_set, chunk })
    };
    Ok(Push {
        incarnation: packed.incarnation,
        grant_revision: packed.grant_revision,
        items: items.into_iter().map(item).collect::<Result<_, _>>()?,
        signature: packed.signature,
    })
}
