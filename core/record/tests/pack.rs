//! Segments of packs: what is packed is read back, and nothing else is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::HEXLOWER;
use foras_record::change;
use foras_record::document::{Content, Document, Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::pack::{Maker, Segment, SegmentAuthor, SegmentChange, SegmentRecord};
use foras_record::packed::hash_of;
use foras_record::projection;
use foras_record::received::Received;
use foras_record::value::Value;
use foras_wire::id::{Actor, PublicKey, RecordId};
use foras_wire::page::SeenEntry;
use proptest::prelude::*;

const WORKER: Actor = Actor([1; 16]);
const MAKER: Maker = Maker { key: PublicKey([9; 32]), epoch: 3 };

fn put(kind: Kind, field: &str, value: &str) -> Edit {
    Edit::of(kind.rule().field(field).unwrap(), Write::Put(Value::Text(value.to_owned())))
}

/// A record that a worker made and changed, and of which the server wrote something.
fn written(kind: Kind, number: u8, field: &str) -> SegmentRecord {
    let person = RecordId([number; 16]);
    let case = identity::case_of_person(&person);
    let id = if kind == Kind::Person { person } else { identity::of_case(kind, &case) };
    let record = identity::record(kind, id, Some(case));
    let mut document = Document::empty(kind);
    let server = identity::server_actor(&MAKER.key, MAKER.epoch, &record.key);
    let mut changes = Vec::new();
    for (time_s, actor) in (1_790_000_000..).zip([WORKER, server, WORKER]) {
        let edit = put(kind, field, &format!("value {number} {time_s}"));
        let chunk = document.edit(actor, time_s, &[edit]).unwrap().unwrap().chunk;
        changes.push(SegmentChange { hash: hash_of(&chunk), chunk });
    }
    let (received_ms, moved) = (1_790_000_003_007 - 50 * i64::from(number / 2), 200 - u64::from(number));
    SegmentRecord { record, received_ms, moved, seen: None, changes }
}

fn segment() -> Segment {
    let mut records: Vec<_> = (1..=4).map(|number| written(Kind::Person, number, "name")).collect();
    records.extend((1..=4).map(|number| written(Kind::Project, number, "needs")));
    let (key, country) = (records[2].record.key, "ML".to_owned());
    records[2].seen = Some(SeenEntry { key, country, through: 150, at_ms: 1_790_000_099_000 });
    let (key, country) = (records[6].record.key, "GN".to_owned());
    records[6].seen = Some(SeenEntry { key, country, through: 3, at_ms: 1_789_000_099_000 });
    records[3].moved = 0;
    let samira = SegmentAuthor { name: Some("Samira".to_owned()), role: "outreach".to_owned() };
    Segment { records, authors: BTreeMap::from([(WORKER, samira)]) }
}

#[test]
fn a_segment_is_read_back() {
    let segment = segment();
    let bytes = segment.encode(&MAKER);
    let read = Segment::decode(&bytes, &MAKER).unwrap();
    assert_eq!(read, segment);
    assert_eq!((read.changes(), read.sum()), (24, segment.sum()));
    let mut less = segment.clone();
    less.records[1].changes.pop();
    assert_ne!(less.sum(), segment.sum());
    less.records.swap(0, 3);
    let mut sorted = less.clone();
    sorted.records.swap(0, 3);
    assert_eq!(less.sum(), sorted.sum(), "a sum knows no order");
    // The server's own actors derive from who it is.
    let other = Maker { epoch: 4, ..MAKER };
    assert!(Segment::decode(&bytes, &other).is_ok_and(|other| other != segment));
}

#[test]
fn a_phone_reads_of_a_segment_what_it_would_find_in_its_changes() {
    let segment = segment();
    let bytes = segment.encode(&MAKER);
    let read = Received::read(&bytes, &MAKER, |kind| kind == Kind::Person.code()).unwrap();
    assert_eq!((read.changes(), &read.authors), (24, &segment.authors));
    assert_eq!(read.records.len(), segment.records.len());
    for (read, whole) in read.records.iter().zip(&segment.records) {
        assert_eq!(
            (read.record, read.received_ms, read.moved, &read.seen),
            (whole.record, whole.received_ms, whole.moved, &whole.seen)
        );
        assert!(read.changes == 3 && read.is_plain);
        let kind = Kind::of_code(read.record.key.kind).unwrap();
        let changes: Vec<_> = whole.changes.iter().map(|one| change::parse(&one.chunk).unwrap()).collect();
        let content = Content::of_changes(kind, &changes).unwrap();
        let expected = (kind == Kind::Person).then(|| projection::columns_of(kind, &content));
        assert_eq!(read.view, expected);
    }
    let mut twice = segment.clone();
    twice.records.push(twice.records[0].clone());
    assert!(Received::read(&twice.encode(&MAKER), &MAKER, |_| true).is_err());
}

/// Edits of a morning, in turns in two records of one case: they stand as they were made, and each record has its own.
#[test]
fn changes_of_a_case_stand_in_the_order_of_their_time() {
    let person = RecordId([7; 16]);
    let case = identity::case_of_person(&person);
    let record = |kind: Kind, field: &str, times: &[i64]| {
        let id = if kind == Kind::Person { person } else { identity::of_case(kind, &case) };
        let mut document = Document::empty(kind);
        let change = |time_s: &i64| {
            let edit = put(kind, field, &format!("at {time_s}"));
            let chunk = document.edit(WORKER, *time_s, &[edit]).unwrap().unwrap().chunk;
            SegmentChange { hash: hash_of(&chunk), chunk }
        };
        let changes = times.iter().map(change).collect();
        let record = identity::record(kind, id, Some(case));
        SegmentRecord {
            record,
            received_ms: times.first().map_or(0, |time_s| time_s * 1_000),
            moved: 0,
            seen: None,
            changes,
        }
    };
    // The project's clock was set back once: its changes still follow one another.
    let records = vec![
        record(Kind::Person, "name", &[1_790_000_000, 1_790_000_200]),
        record(Kind::Project, "needs", &[1_790_000_000, 1_790_000_300, 1_790_000_100]),
        SegmentRecord { received_ms: 0, ..record(Kind::Assessment, "risk", &[]) },
    ];
    let segment = Segment { records: records[..2].to_vec(), authors: BTreeMap::new() };
    assert_eq!(Segment::decode(&segment.encode(&MAKER), &MAKER).unwrap(), segment);
    let with_an_empty_record = Segment { records, authors: BTreeMap::new() };
    assert!(Segment::decode(&with_an_empty_record.encode(&MAKER), &MAKER).is_err(), "a record without changes is none");
}

#[test]
fn a_segment_keeps_its_bytes() {
    let text = HEXLOWER.encode(&segment().encode(&MAKER));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/segment.txt");
    if std::env::var_os("FORAS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "the bytes of a segment changed");
}

#[test]
fn a_record_stands_once() {
    let mut twice = segment();
    twice.records.push(twice.records[0].clone());
    assert!(Segment::decode(&twice.encode(&MAKER), &MAKER).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_segments_never_panic(at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = segment().encode(&MAKER);
        let index = at.index(bytes.len());
        bytes[index] = to;
        let rebuilt = Segment::decode(&bytes, &MAKER);
        let read = Received::read(&bytes, &MAKER, |_| true);
        prop_assert!(read.is_ok() || rebuilt.is_err(), "what can be rebuilt can be read");
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Received::read(&bytes, &MAKER, |_| true).is_err());
        prop_assert!(Segment::decode(&bytes, &MAKER).is_err());
    }
}
