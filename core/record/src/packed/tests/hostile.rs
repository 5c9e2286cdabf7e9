//! Bytes that nobody packed: an error, no panic, and no more work than the limits allow.

use super::world::{Dice, Rows, log};
use crate::change::ParsedObject;
use crate::packed::{Nothing, PackedError, ValuesRead, pack, pack_plain, read_values, unpack};
use foras_wire::limits::{PACKED_BYTES_MAX, PACKED_ITEMS_MAX};
use foras_wire::record::{KindCode, RecordRef};

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
            let bytes = damaged(&honest, &mut dice);
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

fn damaged(honest: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = honest.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(4) {
            0 => bytes[at] = dice.below(256) as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, dice.below(256) as u8),
        }
    }
    bytes
}

/// Each change by the number of its record, with when it came, what it is told as, and whether it is plain.
type Told = Vec<(usize, RecordRef, i64, Option<String>, bool)>;

fn told(bytes: &[u8], wanted: &dyn Fn(KindCode) -> bool) -> Result<Told, PackedError> {
    let mut told = Vec::new();
    read_values(bytes, &Nothing, wanted, |place, record, received_ms, change| {
        let (says, is_plain) = match change {
            ValuesRead::Whole(change) => {
                let is_plain = change.ops.iter().all(|op| op.object == ParsedObject::Root) && change.bytes().is_empty();
                (Some(format!("{change:?}")), is_plain)
            }
            ValuesRead::Skimmed { is_plain } => (None, is_plain),
            ValuesRead::Opaque => (Some(String::new()), false),
        };
        told.push((place, record, received_ms, says, is_plain));
    })?;
    Ok(told)
}

/// Whatever passes where some kinds are passed over is read whole too, and says the same of the others.
#[test]
fn what_is_passed_over_is_as_sound_as_what_is_read() {
    let (mut skimmed, mut read, mut refused) = (0, 0, 0);
    for seed in 900..960 {
        let items = log(seed, 2, 40);
        let honest = pack(&items, &Nothing);
        let mut dice = Dice::new(seed);
        for round in 0..200 {
            let bytes = match round {
                0 => honest.clone(),
                1 => pack_plain(&items),
                _ => damaged(&honest, &mut dice),
            };
            let mask = dice.below(1 << 12);
            let wanted = |kind: KindCode| mask >> (kind.0 % 12) & 1 == 1;
            let (some, all) = (told(&bytes, &wanted), told(&bytes, &|_| true));
            assert!(round > 1 || some.is_ok() && all.is_ok(), "seed {seed}: {some:?}, {all:?}");
            let Ok(some) = some else {
                refused += 1;
                continue;
            };
            let all = all.unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error:?}"));
            assert_eq!(some.len(), all.len());
            for (one, whole) in some.iter().zip(&all) {
                assert_eq!((one.0, one.1, one.2, one.4), (whole.0, whole.1, whole.2, whole.4), "seed {seed}");
                match &one.3 {
                    Some(says) => assert_eq!(Some(says), whole.3.as_ref(), "seed {seed}"),
                    None => assert!(!wanted(one.1.key.kind), "seed {seed}"),
                }
                skimmed += usize::from(one.3.is_none());
                read += usize::from(one.3.is_some());
            }
        }
    }
    assert!(
        skimmed > 1_000 && read > 1_000 && refused > 1_000,
        "{skimmed} passed over, {read} read, {refused} refused"
    );
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
