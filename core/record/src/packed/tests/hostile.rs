//! Bytes that nobody packed: an error, no panic, and no more work than the limits allow.

use super::world::{Dice, Rows, log};
use crate::packed::{Nothing, PackedError, pack, unpack};
use foras_wire::limits::{PACKED_BYTES_MAX, PACKED_ITEMS_MAX};

#[test]
fn damaged_lists_never_panic_and_never_exceed_the_limits() {
    let (mut read, mut other) = (0, 0);
    for seed in 0..60 {
        let items = log(seed, 2, 40);
        let (before, list) = items.split_at(items.len() / 3);
        let rows = Rows::of(before.iter());
        let honest = pack(list, &rows);
        let mut dice = Dice::new(seed);
        for _ in 0..200 {
            let mut bytes = honest.clone();
            for _ in 0..=dice.below(3) {
                let at = dice.below(bytes.len());
                match dice.below(4) {
                    0 => bytes[at] = dice.below(256) as u8,
                    1 => bytes[at] ^= 1 << dice.below(8),
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, dice.below(256) as u8),
                }
            }
            let Ok(items) = unpack(&bytes, &rows) else { continue };
            read += 1;
            assert!(items.len() <= PACKED_ITEMS_MAX, "seed {seed}");
            assert!(
                items.iter().filter_map(|item| item.chunk.as_ref()).map(Vec::len).sum::<usize>() <= PACKED_BYTES_MAX
            );
            // What is rebuilt of damaged bytes is another change: the hashes, and so the signature, tell.
            other += usize::from(items.iter().map(|item| item.hash).ne(list.iter().map(|item| item.hash)));
        }
    }
    assert!(read > 100 && other > 100, "only {read} damaged lists were readable, {other} of them different");
}

#[test]
fn more_items_than_the_limit_are_refused_before_any_is_read() {
    let mut bytes = vec![1];
    crate::change::encode::unsigned(&mut bytes, PACKED_ITEMS_MAX as u64 + 1);
    bytes.extend([0, 0]);
    assert_eq!(unpack(&bytes, &Nothing), Err(PackedError::TooLarge));
}

#[test]
fn every_cut_of_a_list_is_refused() {
    let items = log(5, 1, 20);
    let bytes = pack(&items, &Nothing);
    for end in 0..bytes.len() {
        assert!(unpack(&bytes[..end], &Nothing).is_err(), "{end} of {} bytes", bytes.len());
    }
}
