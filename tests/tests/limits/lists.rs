//! Packed lists and segments that are honest in form and as much as the limits let them be: every change of them is rebuilt.

use std::collections::BTreeMap;

use foras_record::change::forge::Forged;
use foras_record::change::{Actor, ChangeHash, ParsedOp, ParsedScalar};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::pack::{Maker, Segment, SegmentChange, SegmentRecord};
use foras_record::packed::{Item, Nothing, pack, page, unpack};
use foras_record::received::Received;
use foras_wire::id::{PublicKey, RecordId};
use foras_wire::limits::{CHANGE_DEPS_MAX, CHANGE_OPS_MAX, PACKED_ITEMS_MAX, PACKED_OPS_MAX};
use foras_wire::pack::{compress_fast, expand};
use foras_wire::page::{ChangeEntry, Entry};
use foras_wire::record::RecordRef;

use super::changes::{AUTHOR, put};
use super::meter::Hostile;

/// Who makes the segments.
const MAKER: Maker = Maker { key: PublicKey([9; 32]), epoch: 3 };

fn record(number: usize) -> RecordRef {
    let mut id = [7; 16];
    id[8..].copy_from_slice(&(number as u64).to_be_bytes());
    identity::record(Kind::Project, RecordId(id), Some(RecordId(id)))
}

fn actor(number: usize) -> Actor {
    let mut actor = [5; 16];
    actor[8..].copy_from_slice(&(number as u64).to_be_bytes());
    Actor(actor)
}

fn fields(count: usize) -> Vec<ParsedOp> {
    (0..count).map(|number| put(&format!("f{number:05}"), ParsedScalar::Uint(number as u64))).collect()
}

/// A first change of each of so many records.
fn firsts(count: usize, ops: usize, author: impl Fn(usize) -> Actor) -> Vec<Item> {
    let ops = fields(ops);
    let first = |number| Item::new(record(number), Forged::new(author(number), 1, 1).with_ops(&ops).chunk());
    (0..count).map(first).collect()
}

/// So many changes of one record, each built on the one before.
fn chain(count: usize) -> Vec<Item> {
    let (mut items, mut before): (Vec<Item>, Option<ChangeHash>) = (Vec::new(), None);
    for number in 0..count as u64 {
        let mut change = Forged::new(AUTHOR, number + 1, number + 1).with_ops(&fields(1));
        change.deps = before.into_iter().collect();
        let item = Item::new(record(0), change.chunk());
        before = Some(item.hash);
        items.push(item);
    }
    items
}

/// So many changes that each say that they build on as many others as they may, none of which is there.
fn rootless(count: usize) -> Vec<Item> {
    let change = |number: usize| {
        let mut change = Forged::new(actor(number), 1, 1).with_ops(&fields(1));
        change.deps = (0..CHANGE_DEPS_MAX as u64).map(|dep| ChangeHash(hash(number as u64, dep))).collect();
        Item::new(record(number), change.chunk())
    };
    (0..count).map(change).collect()
}

fn hash(number: u64, dep: u64) -> [u8; 32] {
    let mut hash = [3; 32];
    hash[..8].copy_from_slice(&dep.to_be_bytes());
    hash[8..16].copy_from_slice(&number.to_be_bytes());
    hash
}

pub(crate) fn inputs() -> Vec<Hostile> {
    let most_ops = PACKED_OPS_MAX / PACKED_ITEMS_MAX;
    let lists = [
        ("32,768 changes of one field", firsts(PACKED_ITEMS_MAX, 1, |_| AUTHOR)),
        ("32,768 changes of four fields", firsts(PACKED_ITEMS_MAX, most_ops, |_| AUTHOR)),
        ("32,768 changes of as many people", firsts(PACKED_ITEMS_MAX, 1, actor)),
        (
            "131 changes of 2,000 fields",
            firsts(PACKED_OPS_MAX / CHANGE_OPS_MAX as usize, CHANGE_OPS_MAX as usize, actor),
        ),
        ("one record with 32,768 changes", chain(PACKED_ITEMS_MAX)),
        ("1,000 changes that build on 64 each", rootless(1_000)),
    ];
    let mut inputs = Vec::new();
    for (name, items) in lists {
        let packed = pack(&items, &Nothing);
        assert_eq!(unpack(&packed, &Nothing).unwrap().len(), items.len(), "{name}: not as honest as it should be");
        inputs.push(Hostile::new(format!("packed: {name}"), packed, |bytes| drop(unpack(bytes, &Nothing))));
        let count = u32::try_from(items.len()).unwrap();
        let body = page::packed(&entries(&items), Some(&Nothing));
        assert_eq!(page::unpacked(&body, count, &Nothing).unwrap().len(), items.len(), "{name}: no page");
        inputs.push(Hostile::new(format!("page: {name}"), body, move |bytes| {
            drop(page::unpacked(bytes, count, &Nothing));
        }));
        let blob = compress_fast(&segment(items.clone()).encode(&MAKER));
        let Ok(blob) = blob else { continue };
        inputs.push(Hostile::new(format!("segment: {name}"), blob, |bytes| {
            drop(expand(bytes).and_then(|plain| Segment::decode(&plain, &MAKER)));
        }));
        let Ok(blob) = compress_fast(&segment(items).encode(&MAKER)) else { continue };
        inputs.push(Hostile::new(format!("segment that comes: {name}"), blob, |bytes| {
            drop(expand(bytes).and_then(|plain| Received::read(&plain, &MAKER, |_| true)));
        }));
    }
    inputs
}

fn entries(items: &[Item]) -> Vec<Entry> {
    let entry = |item: &Item| {
        let (record, hash, chunk) = (item.record, item.hash, item.chunk.clone().unwrap());
        Entry::Change(ChangeEntry { record, hash, chunk, received_ms: 0 })
    };
    items.iter().map(entry).collect()
}

fn segment(items: Vec<Item>) -> Segment {
    let mut records: BTreeMap<_, SegmentRecord> = BTreeMap::new();
    for item in items {
        let empty = SegmentRecord { record: item.record, received_ms: 0, moved: 0, seen: None, changes: Vec::new() };
        let record = records.entry(item.record.key).or_insert(empty);
        record.changes.push(SegmentChange { hash: item.hash, chunk: item.chunk.unwrap() });
    }
    Segment { records: records.into_values().collect(), authors: BTreeMap::new() }
}
