//! The entries of a page, packed: which entry stands where, the changes as one list, and what else there is.

use std::collections::VecDeque;

use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::id::{Actor, RecordId};
use foras_wire::limits::PACKED_ITEMS_MAX;
use foras_wire::page::{AuthorEntry, ChangeEntry, Entry, KnownEntry, SeenEntry, WholeEntry, code};
use foras_wire::record::{KindCode, RecordKey};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{Held, Item, Nothing, PackedError, pack_after, pack_plain, unpack_after};

/// A page's body.
#[derive(Debug, Default, Encode, Decode)]
struct Body {
    /// Codes of entries, each with how many of it follow one another.
    #[n(0)]
    runs: Vec<(u16, u32)>,
    /// Every change, in the entries' order.
    #[cbor(n(1), with = "minicbor::bytes")]
    changes: Vec<u8>,
    /// How many changes each whole record has.
    #[cbor(n(2), default)]
    wholes: Vec<u32>,
    #[cbor(n(3), default)]
    authors: Vec<AuthorEntry>,
    #[cbor(n(4), default)]
    drops: Vec<Name>,
    #[cbor(n(5), default)]
    seen: Vec<Seen>,
    #[cbor(n(6), default)]
    erased: Vec<RecordId>,
    /// Bodies of entries that this build does not know.
    #[cbor(n(7), default)]
    others: Vec<ByteVec>,
}

/// A record, by the first bytes of its id; or by all of them.
#[derive(Debug, Encode, Decode)]
struct Name {
    #[n(0)]
    kind: KindCode,
    #[n(1)]
    id: ByteVec,
}

#[derive(Debug, Encode, Decode)]
struct Seen {
    #[n(0)]
    record: Name,
    #[n(1)]
    country: String,
    #[n(2)]
    through: u64,
    #[n(3)]
    at_ms: i64,
}

impl Name {
    fn of(key: &RecordKey, held: &dyn Held) -> Self {
        let id = key.id.as_bytes();
        let len = held.name_bytes(key).unwrap_or(id.len());
        Self { kind: key.kind, id: id.get(..len).unwrap_or(id).to_vec().into() }
    }

    fn key(&self, held: &dyn Held) -> Result<RecordKey, PackedError> {
        match RecordId::from_slice(&self.id) {
            Ok(id) => Ok(RecordKey { kind: self.kind, id }),
            Err(_) if self.id.is_empty() || self.id.len() > RecordId::LEN => Err(PackedError::Malformed),
            Err(_) => held.record_named(self.kind, &self.id).map(|record| record.key).ok_or(PackedError::NotHeld),
        }
    }
}

/// The body of a page of these entries, for a side that holds what `held` says; `None`: in full, and without names.
#[must_use]
pub fn packed(entries: &[Entry], held: Option<&dyn Held>) -> Vec<u8> {
    let mut body = Body::default();
    let mut items = Vec::new();
    let names = held.unwrap_or(&Nothing);
    for entry in entries {
        let code = body.add(entry, &mut items, names);
        match body.runs.last_mut() {
            Some((last, count)) if *last == code => *count += 1,
            _ => body.runs.push((code, 1)),
        }
    }
    let actors: Vec<Actor> = body.authors.iter().map(|author| author.actor).collect();
    body.changes = held.map_or_else(|| pack_plain(&items), |held| pack_after(&actors, &items, held));
    to_cbor(&body)
}

impl Body {
    fn add(&mut self, entry: &Entry, items: &mut Vec<Item>, names: &dyn Held) -> u16 {
        let item = |record, hash, chunk, received_ms| Item { record, change_set: 0, received_ms, hash, chunk };
        match entry {
            Entry::Change(change) => {
                items.push(item(change.record, change.hash, Some(change.chunk.clone()), change.received_ms));
                code::CHANGE
            }
            Entry::Known(known) => {
                items.push(item(known.record, known.hash, None, known.received_ms));
                code::KNOWN
            }
            Entry::Whole(whole) => {
                self.wholes.push(u32::try_from(whole.changes.len()).unwrap_or(u32::MAX));
                let changes = whole.changes.iter();
                items.extend(
                    changes.map(|(hash, chunk)| item(whole.record, *hash, Some(chunk.clone()), whole.received_ms)),
                );
                code::WHOLE
            }
            Entry::Drop(key) => {
                self.drops.push(Name::of(key, names));
                code::DROP
            }
            Entry::Erase(case) => {
                self.erased.push(*case);
                code::ERASE
            }
            Entry::Author(author) => {
                self.authors.push(author.clone());
                code::AUTHOR
            }
            Entry::Seen(seen) => {
                let SeenEntry { key, country, through, at_ms } = seen.clone();
                self.seen.push(Seen { record: Name::of(&key, names), country, through, at_ms });
                code::SEEN
            }
            Entry::Stub => code::STUB,
            Entry::Unknown { code, body } => {
                self.others.push(body.clone().into());
                *code
            }
        }
    }
}

/// The `count` entries of a page's body. Its signature is still to be checked, over their root.
///
/// # Errors
/// [`PackedError`]; also [`PackedError::Malformed`] where the parts do not make so many entries.
pub fn unpacked(body: &[u8], count: u32, held: &dyn Held) -> Result<Vec<Entry>, PackedError> {
    if count as usize > PACKED_ITEMS_MAX {
        return Err(PackedError::TooLarge);
    }
    let body: Body = from_cbor("page", body).map_err(|_| PackedError::Malformed)?;
    let says = body.runs.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(u64::from(*count)));
    if says != u64::from(count) {
        return Err(PackedError::Malformed);
    }
    let actors: Vec<Actor> = body.authors.iter().map(|author| author.actor).collect();
    let mut parts = Parts {
        held,
        items: unpack_after(&actors, &body.changes, held)?.into(),
        wholes: body.wholes.into(),
        authors: body.authors.into(),
        drops: body.drops.into(),
        seen: body.seen.into(),
        erased: body.erased.into(),
        others: body.others.into(),
    };
    let mut entries = Vec::new();
    for (code, count) in body.runs {
        for _ in 0..count {
            entries.push(parts.entry(code)?);
        }
    }
    if parts.is_empty() { Ok(entries) } else { Err(PackedError::Malformed) }
}

/// What is left to make entries of.
struct Parts<'h> {
    held: &'h dyn Held,
    items: VecDeque<Item>,
    wholes: VecDeque<u32>,
    authors: VecDeque<AuthorEntry>,
    drops: VecDeque<Name>,
    seen: VecDeque<Seen>,
    erased: VecDeque<RecordId>,
    others: VecDeque<ByteVec>,
}

fn next<T>(parts: &mut VecDeque<T>) -> Result<T, PackedError> {
    parts.pop_front().ok_or(PackedError::Malformed)
}

impl Parts<'_> {
    fn entry(&mut self, code: u16) -> Result<Entry, PackedError> {
        Ok(match code {
            code::CHANGE => {
                let Item { record, received_ms, hash, chunk, .. } = next(&mut self.items)?;
                let chunk = chunk.ok_or(PackedError::Malformed)?;
                Entry::Change(ChangeEntry { record, hash, chunk, received_ms })
            }
            code::KNOWN => {
                let Item { record, received_ms, hash, chunk: None, .. } = next(&mut self.items)? else {
                    return Err(PackedError::Malformed);
                };
                Entry::Known(KnownEntry { record, hash, received_ms })
            }
            code::WHOLE => Entry::Whole(self.whole()?),
            code::DROP => Entry::Drop(next(&mut self.drops)?.key(self.held)?),
            code::ERASE => Entry::Erase(next(&mut self.erased)?),
            code::AUTHOR => Entry::Author(next(&mut self.authors)?),
            code::SEEN => {
                let Seen { record, country, through, at_ms } = next(&mut self.seen)?;
                Entry::Seen(SeenEntry { key: record.key(self.held)?, country, through, at_ms })
            }
            code::STUB => Entry::Stub,
            code => Entry::Unknown { code, body: next(&mut self.others)?.into() },
        })
    }

    /// A whole record: at least one change, all of one record and moment.
    fn whole(&mut self) -> Result<WholeEntry, PackedError> {
        let count = next(&mut self.wholes)?;
        let first = self.items.front().ok_or(PackedError::Malformed)?;
        let mut whole = WholeEntry { record: first.record, changes: Vec::new(), received_ms: first.received_ms };
        for _ in 0..count {
            let Item { record, received_ms, hash, chunk: Some(chunk), .. } = next(&mut self.items)? else {
                return Err(PackedError::Malformed);
            };
            if (record, received_ms) != (whole.record, whole.received_ms) {
                return Err(PackedError::Malformed);
            }
            whole.changes.push((hash, chunk));
        }
        Ok(whole)
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
            && self.wholes.is_empty()
            && self.authors.is_empty()
            && self.drops.is_empty()
            && self.seen.is_empty()
            && self.erased.is_empty()
            && self.others.is_empty()
    }
}
