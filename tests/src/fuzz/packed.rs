//! Packed lists of changes, and segments of packs.

use std::collections::BTreeMap;

use foras_record::pack::{Maker, Segment, SegmentAuthor, SegmentChange, SegmentRecord};
use foras_record::packed::{Item, Nothing, pack, pack_plain, unpack};
use foras_record::received::Received;
use foras_wire::id::{Actor, PublicKey};
use foras_wire::pack::{compress, expand};

use super::change::pushed;

/// Who makes the segments.
const MAKER: Maker = Maker { key: PublicKey([9; 32]), epoch: 3 };

fn items() -> Vec<Item> {
    pushed().into_iter().map(|item| Item::new(item.record, item.chunk)).collect()
}

pub(super) fn lists() -> Vec<Vec<u8>> {
    let items = items();
    let alone = items.iter().map(|item| pack(std::slice::from_ref(item), &Nothing));
    alone.chain([pack(&items, &Nothing), pack_plain(&items)]).collect()
}

/// A packed list: what is read of it is packed and read again the same.
pub(super) fn list(bytes: &[u8]) {
    let Ok(items) = unpack(bytes, &Nothing) else { return };
    for again in [pack(&items, &Nothing), pack_plain(&items)] {
        assert_eq!(unpack(&again, &Nothing).as_ref(), Ok(&items), "a list reads otherwise when packed again");
    }
}

pub(super) fn segments() -> Vec<Vec<u8>> {
    let mut records: BTreeMap<_, SegmentRecord> = BTreeMap::new();
    for item in items() {
        let Some(chunk) = item.chunk else { continue };
        let change = SegmentChange { hash: item.hash, chunk };
        let received_ms = 1_790_812_800_000;
        let empty = SegmentRecord { record: item.record, received_ms, moved: 1, seen: None, changes: Vec::new() };
        records.entry(item.record.key).or_insert(empty).changes.push(change);
    }
    let author = SegmentAuthor { name: Some("a colleague".to_owned()), role: "outreach".to_owned() };
    let segment =
        Segment { records: records.into_values().collect(), authors: BTreeMap::from([(Actor([1; 16]), author)]) };
    let plain = segment.encode(&MAKER);
    [compress(&plain).ok(), Some(plain)].into_iter().flatten().collect()
}

/// A segment: its blob, and what a blob holds.
pub(super) fn segment(bytes: &[u8]) {
    if let Ok(plain) = expand(bytes) {
        let _ = Segment::decode(&plain, &MAKER);
    }
    let read = Received::read(bytes, &MAKER, |_| true);
    let Ok(segment) = Segment::decode(bytes, &MAKER) else { return };
    assert!(
        read.is_ok_and(|read| read.changes() == segment.changes() as u64),
        "a segment that can be rebuilt can be read"
    );
    let again = Segment::decode(&segment.encode(&MAKER), &MAKER);
    assert_eq!(again.as_ref(), Ok(&segment), "a segment reads otherwise when written again");
}
