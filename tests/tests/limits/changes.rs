//! Changes and packed lists of them: the reader, and admission with its rehearsal.

use foras_record::admission::{History, admit};
use foras_record::change::forge::{Forged, framed, signed, unsigned};
use foras_record::change::{
    Actor, ChangeHash, OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar, parse,
};
use foras_record::kind::Kind;
use foras_record::packed::{Item, Nothing, pack, unpack};
use foras_wire::id::RecordId;
use foras_wire::limits::{CHANGE_BYTES_MAX, CHANGE_OPS_MAX, CHANGE_PREDS_MAX, OP_COUNTER_MAX};

use super::meter::Hostile;

/// Who writes all this.
pub(crate) const AUTHOR: Actor = Actor([3; 16]);

pub(crate) fn put(field: &str, value: ParsedScalar) -> ParsedOp {
    ParsedOp {
        id: OpId { counter: 1, actor: AUTHOR },
        object: ParsedObject::Root,
        key: ParsedKey::Field(field.to_owned()),
        insert: false,
        action: ParsedAction::Put(value),
        preds: Vec::new(),
    }
}

fn run_of(length: i64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    signed(&mut out, length);
    unsigned(&mut out, value);
    out
}

/// Chunks that cost much to read or to admit: as long, as many and as deep as the limits let them be, and beyond.
pub(crate) fn hostile() -> Vec<(String, Vec<u8>)> {
    let mut chunks = Vec::new();
    let honest = Forged::new(AUTHOR, 1, 1).with_ops(&[put("needs", ParsedScalar::Str("tools".to_owned()))]);
    for (at, (spec, _)) in honest.columns.iter().enumerate() {
        for length in [CHANGE_OPS_MAX as i64, CHANGE_OPS_MAX as i64 + 1, i64::MAX] {
            let mut bomb = honest.clone();
            bomb.columns[at].1 = run_of(length, 1);
            chunks.push((format!("a run of {length} in column {spec:#x}"), bomb.chunk()));
            bomb.columns[at].1 = [vec![0], run_of(length, 1)].concat();
            chunks.push((format!("{length} nulls in column {spec:#x}"), bomb.chunk()));
        }
    }
    let fields = |count: u64, length: usize| -> Vec<ParsedOp> {
        let text = |number| ParsedScalar::Str(format!("{number:0length$}"));
        (0..count).map(|number| put(&format!("f{number:05}"), text(number))).collect()
    };
    let mut many = |name: &str, ops: &[ParsedOp]| {
        let mut change = Forged::new(AUTHOR, 1, 1).with_ops(ops);
        chunks.push((name.to_owned(), change.chunk()));
        change.start_op = OP_COUNTER_MAX - 3_000;
        chunks.push((format!("{name}, at the highest counter"), change.chunk()));
    };
    many("2,000 fields", &fields(CHANGE_OPS_MAX, 1));
    many("2,000 fields of 100 bytes", &fields(CHANGE_OPS_MAX, 100));
    many("2,001 fields", &fields(CHANGE_OPS_MAX + 1, 1));
    many("one field 2,000 times", &vec![put("needs", ParsedScalar::Null); CHANGE_OPS_MAX as usize]);
    many("a text of 250 KB", &[put("needs", ParsedScalar::Str("x".repeat(CHANGE_BYTES_MAX - 300)))]);
    many("bytes of 250 KB", &[put("needs", ParsedScalar::Bytes(vec![1; CHANGE_BYTES_MAX - 300]))]);
    let mut replaced = put("needs", ParsedScalar::Null);
    replaced.preds = (1..=CHANGE_PREDS_MAX as u64).map(|counter| OpId { counter, actor: Actor([5; 16]) }).collect();
    let mut preds = Forged::new(AUTHOR, 2, CHANGE_PREDS_MAX as u64 + 2).with_ops(&[replaced]);
    preds.deps = vec![ChangeHash([1; 32])];
    chunks.push(("8,000 predecessors".to_owned(), preds.chunk()));
    // A text with as many characters as a change may have operations, each inserted behind the one before.
    let text = OpId { counter: 1, actor: AUTHOR };
    let mut written = vec![ParsedOp { action: ParsedAction::MakeText, ..put("text", ParsedScalar::Null) }];
    written.extend((2..=CHANGE_OPS_MAX).map(|counter| ParsedOp {
        id: OpId { counter, actor: AUTHOR },
        object: ParsedObject::Object(text),
        key: if counter == 2 {
            ParsedKey::Head
        } else {
            ParsedKey::Element(OpId { counter: counter - 1, actor: AUTHOR })
        },
        insert: true,
        ..put("", ParsedScalar::Str("x".to_owned()))
    }));
    chunks.push(("2,000 operations on a text".to_owned(), Forged::new(AUTHOR, 1, 1).with_ops(&written).chunk()));
    // What made automerge take 1.5 GB of 522 KB: more operations than anybody writes at once.
    chunks.push(("a change of 522 KB".to_owned(), Forged::new(AUTHOR, 1, 1).with_ops(&fields(20_000, 10)).chunk()));
    chunks.push(("a body of zeroes, 250 KB".to_owned(), framed(1, &vec![0; CHANGE_BYTES_MAX - 100])));
    chunks.push(("a body of ones, 8 MB".to_owned(), framed(1, &vec![0xff; 8 << 20])));
    chunks
}

fn admitted(kind: Kind) -> impl Fn(&[u8]) {
    move |chunk| {
        let Ok(change) = parse(chunk) else { return };
        let mut history = History::new(kind);
        drop(admit(&mut history, std::slice::from_ref(&change), &|_, _, _| Ok(())));
    }
}

pub(crate) fn inputs() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    let chunks = hostile();
    for (name, chunk) in chunks.clone() {
        inputs.push(Hostile::new(format!("admission: {name}"), chunk, admitted(Kind::Project)));
    }
    let id = RecordId([7; 16]);
    let record = foras_record::identity::record(Kind::Project, id, Some(id));
    let readable: Vec<_> = chunks.into_iter().filter(|(_, chunk)| parse(chunk).is_ok()).collect();
    let read = |bytes: &[u8]| drop(unpack(bytes, &Nothing));
    for (name, chunk) in readable {
        // One list that says the same over and over, as many times as it may.
        let items = vec![Item::new(record, chunk); 30];
        inputs.push(Hostile::new(format!("packed: 30 times {name}"), pack(&items, &Nothing), read));
    }
    for first in [0_u8, 1, 0x80, 0xff] {
        inputs.push(Hostile::new(format!("packed: 4 MiB of {first:#x}"), vec![first; 4 << 20], read));
        let claims = [&[first], [0xff; 9].as_slice(), &[1]].concat().repeat(10_000);
        inputs.push(Hostile::new(format!("packed: huge counts behind {first:#x}"), claims, read));
    }
    inputs
}
