//! However a change is built, reading it takes little memory.
#![allow(unsafe_code, reason = "an allocator that counts can only be written as unsafe code; it passes every call on")]
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use foras_record::change::forge::{Forged, signed, unsigned};
use foras_record::change::{Actor, OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar, parse};
use foras_wire::limits::{CHANGE_BYTES_MAX, CHANGE_OPS_MAX, CHANGE_PREDS_MAX, FIELD_KEY_BYTES_MAX, OP_COUNTER_MAX};

/// What reading may take beside a few times the chunk's length: 2,000 operations with the longest keys, and 8,000
/// predecessors, from a few hundred bytes.
const FIXED_BYTES: usize = 3 * 1024 * 1024;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; the counters are plain cells of the calling thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        NOW.set(NOW.get().saturating_add(layout.size()));
        PEAK.set(PEAK.get().max(NOW.get()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.set(NOW.get().saturating_sub(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most bytes that this thread held at once, beyond what it held before, while it read `chunk`; and the code of the
/// error, or nothing when it was read.
fn read(chunk: &[u8]) -> (usize, &'static str) {
    let before = NOW.get();
    PEAK.set(before);
    let code = parse(chunk).map_or_else(|error| error.code(), |_| "");
    (PEAK.get() - before, code)
}

fn run(len: i64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    signed(&mut out, len);
    unsigned(&mut out, value);
    out
}

fn put(key: &str, value: &str) -> ParsedOp {
    ParsedOp {
        id: OpId { counter: 1, actor: Actor([3; 16]) },
        object: ParsedObject::Root,
        key: ParsedKey::Field(key.to_owned()),
        insert: false,
        action: ParsedAction::Put(ParsedScalar::Str(value.to_owned())),
        preds: Vec::new(),
    }
}

fn assert_small(what: &str, chunk: &[u8], code: &str) {
    let (peak, got) = read(chunk);
    assert_eq!(got, code, "{what}");
    let allowed = FIXED_BYTES + 3 * chunk.len();
    assert!(peak <= allowed, "{what}: {peak} bytes for a chunk of {}, {allowed} allowed", chunk.len());
}

#[test]
fn the_counter_counts() {
    let before = NOW.get();
    PEAK.set(before);
    drop(std::hint::black_box(vec![0_u8; 10_000_000]));
    assert!(PEAK.get() - before >= 10_000_000);
}

#[test]
fn the_largest_changes_that_are_read() {
    let new = || Forged::new(Actor([3; 16]), 1, OP_COUNTER_MAX - CHANGE_OPS_MAX);
    let ops = vec![put(&"k".repeat(FIELD_KEY_BYTES_MAX), ""); CHANGE_OPS_MAX as usize];
    let keys = new().with_ops(&ops);
    assert!(keys.chunk().len() < 500);
    assert_small("the most and longest keys", &keys.chunk(), "");

    let text = "x".repeat(CHANGE_BYTES_MAX - 200);
    assert_small("the longest text", &new().with_ops(&[put("note", &text)]).chunk(), "");

    let mut preds = new().with_ops(&ops);
    let each = CHANGE_PREDS_MAX as u64 / CHANGE_OPS_MAX;
    preds.columns.retain(|(spec, _)| *spec != 0x70);
    // Each operation names the four after those of the one before it.
    preds.columns.push((0x70, run(CHANGE_OPS_MAX as i64, each)));
    preds.columns.push((0x71, run(CHANGE_PREDS_MAX as i64, 0)));
    preds.columns.push((0x73, run(CHANGE_PREDS_MAX as i64, 1)));
    assert!(preds.chunk().len() < 500);
    assert_small("the most predecessors", &preds.chunk(), "");
}

#[test]
fn bombs() {
    let honest = || Forged::new(Actor([3; 16]), 1, 1).with_ops(&[put("name", "Awa"), put("phone", "")]);
    let columns = honest().columns;
    for len in [2_001, 1 << 20, 1 << 40, i64::MAX, -2_001, -(1 << 40), i64::MIN] {
        for at in 0..columns.len() {
            let mut bomb = honest();
            bomb.columns[at].1 = run(len, 1);
            let (peak, code) = read(&bomb.chunk());
            assert!(!code.is_empty() && peak < 100_000, "column {at}, run of {len}: {peak} bytes, {code:?}");
        }
    }
    let mut actors = honest();
    actors.other_actors = vec![vec![4; 16]; 10_000];
    assert_small("many actors", &actors.chunk(), "bad_actor");
    let mut extra = honest();
    extra.extra_bytes = vec![0; CHANGE_BYTES_MAX];
    assert_small("an endless chunk", &extra.chunk(), "change_too_large");
}
