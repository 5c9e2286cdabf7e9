//! What is packed comes back: every chunk, byte for byte.

use std::collections::BTreeMap;

use foras_wire::id::{Actor, RecordId};

use super::world::{Dice, Rows, log, records_of_return};
use crate::change::{self, ParsedChange};
use crate::document::{Content, Document, Edit, Write};
use crate::identity;
use crate::kind::Kind;
use crate::packed::{Item, Nothing, PackedError, ValuesRead, pack, pack_plain, read_values, unpack};
use crate::value::Value;

fn raw_bytes(items: &[Item]) -> usize {
    items.iter().filter_map(|item| item.chunk.as_ref()).map(Vec::len).sum()
}

#[test]
fn weeks_of_work_by_five_people_come_back_exactly_whatever_the_other_side_holds() {
    let (mut raw, mut packed) = (0, 0);
    for seed in 0..120 {
        let items = log(seed, 1 + seed as usize % 4, 20 + seed as usize % 90);
        for cut in [0, items.len() / 3, items.len() - items.len().min(5)] {
            let (before, list) = items.split_at(cut);
            let rows = Rows::of(before.iter());
            let bytes = pack(list, &rows);
            assert_eq!(unpack(&bytes, &rows).as_deref(), Ok(list), "seed {seed}, cut {cut}");
            // A chunk that travelled as it is would begin with automerge's first bytes.
            assert!(
                !bytes.windows(4).any(|bytes| bytes == [0x85, 0x6f, 0x4a, 0x83]),
                "seed {seed}: not all was rebuilt"
            );
            raw += raw_bytes(list);
            packed += bytes.len();
        }
    }
    assert!(packed * 5 < raw * 2, "{packed} of {raw} bytes");
}

#[test]
fn the_id_of_a_statement_follows_from_who_says_what_and_does_not_travel() {
    let mut dice = Dice::new(5);
    let (kind, record) = records_of_return(&mut dice)[0];
    let worker = Actor([9; 16]);
    let said = r#"{"point":"oujda","on":"2026-03-02"}"#;
    let field = kind.rule().field("registered").unwrap();
    let registered = |item: RecordId| {
        let edit = Edit::item(field, item.to_string(), Write::Put(Value::Text(said.to_owned())));
        let authored = Document::empty(kind).edit(worker, 1_790_000_000, &[edit]).unwrap().unwrap();
        Item::new(record, authored.chunk)
    };
    let statement = identity::statement(&worker, &record.key, "registered", said);
    let (derived, random) = (registered(statement), registered(dice.id()));
    let bytes = |item: &Item| {
        let bytes = pack(std::slice::from_ref(item), &Nothing);
        assert_eq!(unpack(&bytes, &Nothing).as_deref(), Ok(std::slice::from_ref(item)));
        bytes.len()
    };
    // The id itself, and the length of the column that held it.
    assert!(bytes(&derived) + RecordId::LEN <= bytes(&random), "{} and {}", bytes(&derived), bytes(&random));
}

#[test]
fn a_list_for_somebody_who_holds_nothing_explains_itself() {
    for seed in 200..240 {
        let items = log(seed, 2, 60);
        let list = &items[items.len() / 2..];
        let bytes = pack(list, &Nothing);
        assert_eq!(unpack(&bytes, &Nothing).as_deref(), Ok(list), "seed {seed}");
        assert_eq!(unpack(&pack_plain(list), &Nothing).as_deref(), Ok(list), "seed {seed}");
    }
}

#[test]
fn the_values_of_a_list_are_read_without_rebuilding_its_changes() {
    for seed in 700..740 {
        let items = log(seed, 2, 60);
        let bytes = pack(&items, &Nothing);
        let (mut told, mut rebuilt) = (BTreeMap::new(), BTreeMap::new());
        read_values(&bytes, &Nothing, &|_| true, |_, record, received_ms, change| {
            let ValuesRead::Whole(change) = change else { panic!("all are this library's own, and wanted") };
            told.entry(record).or_insert_with(Vec::new).push((received_ms, change));
        })
        .unwrap();
        for item in &items {
            let change = change::parse(item.chunk.as_ref().unwrap()).unwrap();
            rebuilt.entry(item.record).or_insert_with(Vec::new).push((item.received_ms, change));
        }
        assert_eq!(told.keys().collect::<Vec<_>>(), rebuilt.keys().collect::<Vec<_>>(), "seed {seed}");
        for (record, rebuilt) in rebuilt {
            let kind = Kind::of_code(record.key.kind).unwrap();
            let content =
                |changes: &[(i64, ParsedChange)]| Content::of_changes(kind, changes.iter().map(|(_, one)| one));
            let moments = |changes: &[(i64, ParsedChange)]| changes.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            assert_eq!(content(&told[&record]), content(&rebuilt), "seed {seed}, {record:?}");
            assert_eq!(moments(&told[&record]), moments(&rebuilt), "seed {seed}");
        }
    }
}

#[test]
fn nobody_s_own_changes_are_sent_back_they_are_named() {
    for seed in 300..340 {
        let items = log(seed, 2, 60);
        let rows = Rows::of(items.iter());
        let named: Vec<Item> = items
            .iter()
            .enumerate()
            .map(|(at, item)| if at % 3 == 0 { Item { chunk: None, ..item.clone() } } else { item.clone() })
            .collect();
        let bytes = pack(&named, &rows);
        assert_eq!(unpack(&bytes, &rows).as_deref(), Ok(named.as_slice()), "seed {seed}");
    }
}

#[test]
fn who_does_not_hold_what_a_list_names_says_so_and_reads_it_when_it_is_said_plainly() {
    let items = log(7, 2, 80);
    let (before, list) = items.split_at(40);
    let bytes = pack(list, &Rows::of(before.iter()));
    assert_eq!(unpack(&bytes, &Nothing), Err(PackedError::NotHeld));
    assert_eq!(unpack(&pack_plain(list), &Nothing).as_deref(), Ok(list));
}

#[test]
fn chunks_that_are_no_changes_of_this_build_pass_untouched() {
    let mut items = log(9, 1, 10);
    let mut strange = items[0].clone();
    strange.record.key.kind = foras_wire::record::KindCode(999);
    strange.record.generation = 2;
    items.push(strange);
    items.push(Item::new(items[0].record, b"no change chunk at all".to_vec()));
    let bytes = pack(&items, &Nothing);
    assert_eq!(unpack(&bytes, &Nothing), Ok(items));
}

#[test]
fn an_empty_list_is_four_bytes() {
    let bytes = pack(&[], &Nothing);
    assert_eq!(bytes.len(), 4);
    assert_eq!(unpack(&bytes, &Nothing), Ok(Vec::new()));
}
