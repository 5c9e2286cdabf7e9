//! Changes as an intruder or a broken device would write them.

use foras_wire::limits::{
    CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, CHANGE_OPS_MAX, CHANGE_PREDS_MAX, CHANGE_TIME_S_MAX, FIELD_KEY_BYTES_MAX,
    OP_COUNTER_MAX,
};

use crate::change::column::spec;
use crate::change::forge::{Forged, framed, resealed, signed, unsigned};
use crate::change::{
    Actor, ChangeError, ChangeHash, OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar, chunk_hash,
    parse,
};

const OUJDA: Actor = Actor([3; 16]);
const DAKAR: Actor = Actor([5; 16]);

fn put(field: &str) -> ParsedOp {
    ParsedOp {
        id: OpId { counter: 1, actor: OUJDA },
        object: ParsedObject::Root,
        key: ParsedKey::Field(field.to_owned()),
        insert: false,
        action: ParsedAction::Put(ParsedScalar::Str("Awa".to_owned())),
        preds: Vec::new(),
    }
}

/// The ninth change of a worker in Oujda: two fields, one of them set before in Dakar.
fn honest() -> Forged {
    let mut second = put("nationality");
    second.preds = vec![OpId { counter: 12, actor: DAKAR }];
    let mut change = Forged::new(OUJDA, 9, 40).with_ops(&[put("name"), second]);
    change.deps = vec![ChangeHash([1; 32]), ChangeHash([2; 32])];
    change.time_s = 1_800_000_000;
    change
}

fn refusal(change: &Forged) -> ChangeError {
    parse(&change.chunk()).expect_err("a hostile change was read")
}

fn number(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    unsigned(&mut out, value);
    out
}

/// A run of `len` times `value`, in a few bytes.
fn run(len: i64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    signed(&mut out, len);
    unsigned(&mut out, value);
    out
}

fn with_column(mut change: Forged, spec: u64, bytes: Vec<u8>) -> Forged {
    change.columns.retain(|(other, _)| *other != spec);
    if !bytes.is_empty() {
        change.columns.push((spec, bytes));
    }
    change.columns.sort();
    change
}

#[test]
fn the_honest_change_is_read() {
    let parsed = parse(&honest().chunk()).unwrap();
    assert_eq!((parsed.seq, parsed.start_op, parsed.max_op(), parsed.op_count), (9, 40, 41, 2));
    assert_eq!(parsed.ops[1].preds, [OpId { counter: 12, actor: DAKAR }]);
    assert_eq!(automerge::Change::try_from(&honest().chunk()[..]).unwrap().hash().0, parsed.hash.0);
}

#[test]
fn an_empty_change_reaches_no_further_than_what_it_follows() {
    let parsed = parse(&Forged::new(OUJDA, 1, 1).chunk()).unwrap();
    assert_eq!((parsed.op_count, parsed.max_op()), (0, 0));
    let parsed = parse(&Forged::new(OUJDA, 2, OP_COUNTER_MAX).chunk()).unwrap();
    assert_eq!(parsed.max_op(), OP_COUNTER_MAX - 1);
}

#[test]
fn a_run_length_bomb_is_refused_before_it_is_expanded() {
    for len in [CHANGE_OPS_MAX as i64 + 1, 100_000_000, i64::MAX] {
        assert_eq!(refusal(&with_column(honest(), spec::ACTION, run(len, 1))), ChangeError::TooManyOps);
        let nulls = [vec![0], number(len as u64)].concat();
        assert_eq!(refusal(&with_column(honest(), spec::ACTION, nulls)), ChangeError::TooManyOps);
        let literals = run(-len, 1);
        assert_eq!(refusal(&with_column(honest(), spec::ACTION, literals)), ChangeError::TooManyOps);
    }
    for column in spec::ALL {
        let bomb = with_column(honest(), column, run(i64::MAX, 1));
        assert!(bomb.chunk().len() < 300);
        refusal(&bomb);
        refusal(&with_column(honest(), column, [vec![0], number(u64::MAX)].concat()));
        refusal(&with_column(honest(), column, run(i64::MIN, 1)));
    }
    refusal(&with_column(honest(), spec::INSERT, number(u64::MAX)));
}

#[test]
fn predecessors_in_a_short_run_are_counted_before_they_are_made() {
    let many = |count: u64| {
        let change = Forged::new(OUJDA, 2, OP_COUNTER_MAX - 1).with_ops(&[put("name")]);
        let change = with_column(change, spec::PRED_COUNT, run(-1, count));
        let change = with_column(change, spec::PRED_ACTOR, run(count as i64, 0));
        with_column(change, spec::PRED_COUNTER, run(count as i64, 1))
    };
    assert_eq!(parse(&many(CHANGE_PREDS_MAX as u64).chunk()).unwrap().ops[0].preds.len(), CHANGE_PREDS_MAX);
    for count in [CHANGE_PREDS_MAX as u64 + 1, 1 << 40, i64::MAX as u64] {
        assert_eq!(refusal(&many(count)), ChangeError::TooManyPreds);
    }
    let overflow = with_column(honest(), spec::PRED_COUNT, [run(-2, u64::MAX), number(2)].concat());
    assert_eq!(refusal(&overflow), ChangeError::TooManyPreds);
}

#[test]
fn a_long_key_cannot_be_multiplied() {
    let longest = put(&"k".repeat(FIELD_KEY_BYTES_MAX));
    parse(&Forged::new(OUJDA, 1, 1).with_ops(&[longest]).chunk()).unwrap();
    let ops = vec![put(&"k".repeat(FIELD_KEY_BYTES_MAX + 1)); CHANGE_OPS_MAX as usize];
    assert_eq!(refusal(&Forged::new(OUJDA, 1, 1).with_ops(&ops)), ChangeError::KeyTooLong);
}

#[test]
fn operation_counters_stay_in_range() {
    let starting = |start_op| Forged { start_op, ..honest() };
    for start_op in [0, OP_COUNTER_MAX, OP_COUNTER_MAX + 1, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(refusal(&starting(start_op)), ChangeError::BadStartOp, "{start_op}");
    }
    assert_eq!(parse(&starting(OP_COUNTER_MAX - 1).chunk()).unwrap().max_op(), OP_COUNTER_MAX);
    // A predecessor must lie before the operation.
    assert_eq!(refusal(&starting(11)), ChangeError::BadOperation);
    // Above the first counter, nobody but the author can have made anything that the change knows.
    assert_eq!(refusal(&starting(12)), ChangeError::BadOperation);
    parse(&starting(13).chunk()).unwrap();
}

#[test]
fn sequence_numbers_count_from_one() {
    for seq in [0, OP_COUNTER_MAX + 1, u64::MAX] {
        assert_eq!(refusal(&Forged { seq, ..honest() }), ChangeError::BadSeq);
    }
}

#[test]
fn an_actor_has_sixteen_bytes() {
    for len in [0, 15, 17, 10_000] {
        assert_eq!(refusal(&Forged { actor: vec![3; len], ..honest() }), ChangeError::BadActor, "{len}");
        assert_eq!(refusal(&Forged { other_actors: vec![vec![5; len]], ..honest() }), ChangeError::BadActor, "{len}");
    }
    let others =
        |actors: &[u8]| Forged { other_actors: actors.iter().map(|actor| vec![*actor; 16]).collect(), ..honest() };
    assert_eq!(refusal(&others(&[5, 6])), ChangeError::BadActor, "unused");
    assert_eq!(refusal(&others(&[5, 5])), ChangeError::BadActor, "repeated");
    assert_eq!(refusal(&others(&[6, 5])), ChangeError::BadActor, "unsorted");
    assert_eq!(refusal(&others(&[3])), ChangeError::BadActor, "the author");
    assert_eq!(refusal(&others(&[])), ChangeError::BadOperation, "missing");
}

#[test]
fn dependencies_are_few_and_as_automerge_orders_them() {
    let with = |deps: Vec<u8>| Forged { deps: deps.iter().map(|dep| ChangeHash([*dep; 32])).collect(), ..honest() };
    let most = CHANGE_DEPS_MAX as u8;
    parse(&with((0..most).collect()).chunk()).unwrap();
    assert_eq!(refusal(&with((0..=most).collect())), ChangeError::TooManyDeps);
    assert_eq!(refusal(&with(vec![4, 4])), ChangeError::DuplicateDep);
    assert_eq!(refusal(&with(vec![4, 5, 4])), ChangeError::DuplicateDep);
    assert_eq!(refusal(&with(vec![5, 4, 6])), ChangeError::UnsortedDeps);
    // The author's own previous change comes after the heads, wherever its hash would sort.
    parse(&with(vec![4, 5, 1]).chunk()).unwrap();
    let announced = framed(1, &number(u64::MAX));
    assert_eq!(parse(&announced), Err(ChangeError::TooManyDeps));
}

#[test]
fn other_chunks_are_not_changes() {
    let mut document = automerge::AutoCommit::new();
    assert_eq!(parse(&document.save()), Err(ChangeError::NotAChangeChunk));
    for chunk_type in [0, 2, 3, 4, 0xff] {
        let chunk = framed(chunk_type, &honest().body());
        assert_eq!(parse(&chunk), Err(ChangeError::NotAChangeChunk));
        assert_eq!(chunk_hash(&chunk), Err(ChangeError::NotAChangeChunk));
    }
    assert_eq!(parse(&[0x85; 200]), Err(ChangeError::BadMagic));
}

#[test]
fn one_chunk_comes_alone_and_whole() {
    let chunk = honest().chunk();
    assert_eq!(parse(&[chunk.clone(), chunk.clone()].concat()), Err(ChangeError::TrailingBytes));
    assert_eq!(parse(&[&chunk[..], &[0]].concat()), Err(ChangeError::TrailingBytes));
    for len in 0..chunk.len() {
        assert_eq!(parse(&chunk[..len]), Err(ChangeError::Truncated), "{len} bytes");
        assert_eq!(chunk_hash(&chunk[..len]), Err(ChangeError::Truncated), "{len} bytes");
    }
    let body = honest().body();
    for len in 0..body.len() {
        parse(&framed(1, &body[..len])).expect_err("a shortened body was read");
    }
}

#[test]
fn the_length_limit_comes_first() {
    let mut change = put("note");
    change.action = ParsedAction::Put(ParsedScalar::Str("x".repeat(CHANGE_BYTES_MAX)));
    assert_eq!(refusal(&Forged::new(OUJDA, 1, 1).with_ops(&[change.clone()])), ChangeError::TooLarge);
    change.action = ParsedAction::Put(ParsedScalar::Str("x".repeat(CHANGE_BYTES_MAX - 200)));
    parse(&Forged::new(OUJDA, 1, 1).with_ops(&[change]).chunk()).unwrap();
}

#[test]
fn a_wrong_checksum_is_noticed() {
    let mut chunk = honest().chunk();
    chunk[4] ^= 1;
    assert_eq!(parse(&chunk), Err(ChangeError::BadChecksum));
    assert_eq!(chunk_hash(&chunk), Err(ChangeError::BadChecksum));
    assert_eq!(resealed(&chunk), honest().chunk());
}

#[test]
fn a_wrong_clock_is_read_but_not_one_that_breaks_arithmetic() {
    for time_s in [CHANGE_TIME_S_MAX, -CHANGE_TIME_S_MAX, 0, -1] {
        assert_eq!(parse(&Forged { time_s, ..honest() }.chunk()).unwrap().time_s, time_s);
    }
    for time_s in [i64::MIN, i64::MAX, CHANGE_TIME_S_MAX + 1, -CHANGE_TIME_S_MAX - 1] {
        assert_eq!(refusal(&Forged { time_s, ..honest() }), ChangeError::BadTime);
    }
}

#[test]
fn nothing_travels_beside_the_operations() {
    assert_eq!(refusal(&Forged { message: b"hello".to_vec(), ..honest() }), ChangeError::MessageNotAllowed);
    assert_eq!(refusal(&Forged { extra_bytes: vec![1, 0], ..honest() }), ChangeError::ExtraBytesNotAllowed);
}

#[test]
fn numbers_have_one_form() {
    let body = honest().body();
    assert_eq!(body[0], 2, "the number of dependencies");
    let overlong = [&[0x82, 0x00], &body[1..]].concat();
    assert_eq!(parse(&framed(1, &overlong)), Err(ChangeError::BadNumber));
    let overflowing = [&[0xff; 9][..], &[0x02], &body[1..]].concat();
    assert_eq!(parse(&framed(1, &overflowing)), Err(ChangeError::BadNumber));
    let endless = [&[0x80; 40][..], &body[1..]].concat();
    assert_eq!(parse(&framed(1, &endless)), Err(ChangeError::BadNumber));
}

#[test]
fn columns_are_known_ordered_and_plain() {
    let columns = honest().columns;
    let with = |columns: Vec<(u64, Vec<u8>)>| Forged { columns, ..honest() };
    let mut reversed = columns.clone();
    reversed.reverse();
    let repeated = [vec![columns[0].clone()], columns.clone()].concat();
    let compressed = columns.iter().map(|(spec, bytes)| (spec | 8, bytes.clone())).collect();
    let unknown = [columns.clone(), vec![(0xb0, vec![1])]].concat();
    let empty = [columns.clone(), vec![(spec::MARK_NAME, Vec::new())]].concat();
    for columns in [reversed, repeated, compressed, unknown, empty] {
        assert_eq!(refusal(&with(columns)), ChangeError::BadColumn);
    }
    for missing in 0..columns.len() {
        let mut rest = columns.clone();
        let (spec, _) = rest.remove(missing);
        assert!(parse(&with(rest).chunk()).is_err(), "column {spec:#x} was not missed");
    }
}

#[test]
fn runs_have_one_form() {
    // Two operations set something: one run of two, and nothing else.
    let actions = |bytes: &[u8]| refusal(&with_column(honest(), spec::ACTION, bytes.to_vec()));
    parse(&with_column(honest(), spec::ACTION, vec![2, 1]).chunk()).unwrap();
    assert_eq!(actions(&[1, 1, 1, 1]), ChangeError::BadColumn, "runs of one");
    assert_eq!(actions(&[0x7e, 1, 1]), ChangeError::BadColumn, "equal literals");
    assert_eq!(actions(&[0x7f, 1, 0x7f, 1]), ChangeError::BadColumn, "split literals");
    assert_eq!(actions(&[0, 2]), ChangeError::BadColumn, "nulls");
    assert_eq!(actions(&[0, 0, 2, 1]), ChangeError::BadColumn, "no nulls");
    assert_eq!(actions(&[3, 1]), ChangeError::BadColumn, "one too many");
    assert_eq!(actions(&[2]), ChangeError::Truncated, "no value");
    let inserts = |bytes: &[u8]| refusal(&with_column(honest(), spec::INSERT, bytes.to_vec()));
    assert_eq!(inserts(&[1, 0, 1]), ChangeError::BadColumn, "empty run");
    assert_eq!(inserts(&[1]), ChangeError::BadColumn, "too few");
    assert_eq!(inserts(&[3]), ChangeError::BadColumn, "too many");
    let all_null = with_column(honest(), spec::KEY_ACTOR, vec![0, 2]);
    assert_eq!(refusal(&all_null), ChangeError::BadColumn);
    let never_expands = with_column(honest(), spec::EXPAND, vec![2]);
    assert_eq!(refusal(&never_expands), ChangeError::BadColumn);
}

#[test]
fn operations_make_sense() {
    let elsewhere = ParsedObject::Object(OpId { counter: 7, actor: DAKAR });
    let pred = OpId { counter: 12, actor: DAKAR };
    type Lie = (&'static str, fn(&mut ParsedOp));
    let lies: [Lie; 8] = [
        ("an empty key", |op| op.key = ParsedKey::Field(String::new())),
        ("an element of the root", |op| op.key = ParsedKey::Element(OpId { counter: 3, actor: DAKAR })),
        ("an insert into a map", |op| op.insert = true),
        ("a delete of nothing", |op| op.action = ParsedAction::Delete),
        ("an increment of nothing", |op| op.action = ParsedAction::Increment(1)),
        ("an unsorted predecessor", |op| {
            op.preds = vec![OpId { counter: 12, actor: DAKAR }, OpId { counter: 11, actor: DAKAR }];
        }),
        ("a repeated predecessor", |op| op.preds = vec![OpId { counter: 12, actor: DAKAR }; 2]),
        ("a predecessor of its own counter", |op| op.preds = vec![OpId { counter: 40, actor: OUJDA }]),
    ];
    for (lie, tell) in lies {
        let mut op = put("name");
        tell(&mut op);
        assert_eq!(refusal(&Forged::new(OUJDA, 9, 40).with_ops(&[op])), ChangeError::BadOperation, "{lie}");
    }
    let head = ParsedOp { object: elsewhere, key: ParsedKey::Head, preds: vec![pred], ..put("") };
    assert_eq!(refusal(&Forged::new(OUJDA, 9, 40).with_ops(std::slice::from_ref(&head))), ChangeError::BadOperation);
    let insert = ParsedOp { insert: true, ..head };
    assert_eq!(refusal(&Forged::new(OUJDA, 9, 40).with_ops(std::slice::from_ref(&insert))), ChangeError::BadOperation);
    let insert = ParsedOp { preds: Vec::new(), ..insert };
    parse(&Forged::new(OUJDA, 9, 40).with_ops(&[insert]).chunk()).unwrap();
}

#[test]
fn values_fill_exactly_what_they_announce() {
    let meta = |len: u64, code: u64| run(2, len << 4 | code);
    let with = |meta: Vec<u8>, value: Vec<u8>| {
        refusal(&with_column(with_column(honest(), spec::VALUE_META, meta), spec::VALUE, value))
    };
    assert_eq!(with(meta(1, 0), vec![0, 0]), ChangeError::BadOperation, "a null of one byte");
    assert_eq!(with(meta(1, 2), vec![0, 0]), ChangeError::BadOperation, "a truth of one byte");
    assert_eq!(with(meta(2, 3), vec![1, 0, 1, 0]), ChangeError::BadOperation, "a number and a byte");
    assert_eq!(with(meta(2, 4), vec![0x81, 0, 0x81, 0]), ChangeError::BadNumber, "an overlong number");
    assert_eq!(with(meta(4, 5), vec![0; 8]), ChangeError::BadOperation, "a float of four bytes");
    assert_eq!(with(meta(1, 6), vec![0xff, 0xff]), ChangeError::BadOperation, "text that is no UTF-8");
    assert_eq!(with(meta(1, 7), vec![1]), ChangeError::Truncated, "bytes that are not there");
    assert_eq!(with(meta(1, 7), vec![1; 3]), ChangeError::BadColumn, "bytes that nobody asked for");
    assert_eq!(with(meta(u64::MAX >> 4, 6), vec![1; 2]), ChangeError::Truncated, "text without end");
}
