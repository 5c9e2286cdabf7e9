//! Honest changes, damaged at random: never a panic, and what is still read is what automerge reads and writes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Change;

use super::honest::{assert_same, is_whole};
use super::world::{Dice, Repertoire, live};
use crate::change::forge::{Forged, resealed};
use crate::change::parse;

/// Damages one to four places of `bytes`.
fn damage(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(out.len());
        if out.is_empty() {
            return out;
        }
        match dice.below(8) {
            0 => out[at] ^= 1 << dice.below(8),
            1 => out[at] = dice.bits() as u8,
            2 => out[at] = *dice.one_of(&[0, 1, 0x40, 0x7e, 0x7f, 0x80, 0xff]),
            3 => out[at] = out[at].wrapping_add(1),
            4 => out[at] = out[at].wrapping_sub(1),
            5 => out.insert(at, dice.bits() as u8),
            6 => {
                out.remove(at);
            }
            _ => {
                // A number of several bytes: a huge length, count or counter.
                out.splice(at..at, (0..1 + dice.below(9)).map(|_| 0xff).chain([0x01]));
            }
        }
    }
    out
}

/// The body's length field, made true again, so that damage reaches what lies behind it.
fn relengthed(chunk: &[u8]) -> Vec<u8> {
    let body = chunk.get(9..).unwrap_or_default();
    let prefix = body.iter().position(|byte| byte & 0x80 == 0).map_or(body.len(), |at| at + 1);
    crate::change::forge::framed(1, &body[prefix..])
}

/// Damages one column and announces its new length, so that damage reaches deep into the operations.
fn damage_column(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut change = Forged::from_change(&parse(bytes).unwrap());
    let at = dice.below(change.columns.len());
    if let Some((_, column)) = change.columns.get_mut(at) {
        *column = damage(column, dice);
    }
    change.chunk()
}

/// Damages a chunk, mostly so that its checksum fits again.
pub(super) fn any_damage(chunk: &[u8], dice: &mut Dice) -> Vec<u8> {
    match dice.below(8) {
        0 => damage(chunk, dice),
        1 => resealed(&damage(chunk, dice)),
        2..5 => relengthed(&damage(chunk, dice)),
        _ => damage_column(chunk, dice),
    }
}

fn damage_many(seed: u64, rounds: usize, outcomes: &mut BTreeMap<&'static str, usize>) {
    let mut dice = Dice::new(seed);
    let repertoire = if seed.is_multiple_of(2) { Repertoire::Ours } else { Repertoire::All };
    let (changes, _) = live(seed, repertoire, 40);
    for round in 0..rounds {
        let damaged = any_damage(dice.one_of(&changes).raw_bytes(), &mut dice);
        let outcome = catch_unwind(|| parse(&damaged))
            .unwrap_or_else(|_| panic!("seed {seed}, round {round}: panicked on {damaged:02x?}"));
        let code = outcome.as_ref().map_or_else(|error| error.code(), |_| "read");
        *outcomes.entry(code).or_default() += 1;
        let Ok(parsed) = outcome else { continue };
        let in_memory = parsed.ops.iter().map(|op| 160 + op.preds.len() * 24).sum::<usize>();
        assert!(in_memory <= 2_000 * 160 + 8_000 * 24, "seed {seed}, round {round}");
        if is_whole(&parsed) {
            let rewritten = Forged::from_change(&parsed).chunk();
            assert_eq!(rewritten, damaged, "seed {seed}, round {round}: not as automerge would write it");
            let change = catch_unwind(AssertUnwindSafe(|| Change::try_from(&damaged[..])));
            let change = change.unwrap_or_else(|_| panic!("seed {seed}, round {round}: automerge panicked"));
            let change = change.unwrap_or_else(|error| panic!("seed {seed}, round {round}: automerge says {error}"));
            assert_same(&parsed, &change, seed);
        }
    }
}

#[test]
fn damaged_changes_are_refused_or_read_as_automerge_reads_them() {
    let mut outcomes = BTreeMap::new();
    for seed in 0..60 {
        damage_many(seed, 1_500, &mut outcomes);
    }
    println!("{outcomes:?}");
    // The damage must reach every part of the reader, or this test tests nothing.
    for code in [
        "read",
        "bad_magic",
        "not_a_change_chunk",
        "bad_checksum",
        "truncated",
        "trailing_bytes",
        "bad_number",
        "bad_actor",
        "too_many_deps",
        "unsorted_deps",
        "too_many_ops",
        "too_many_preds",
        "bad_seq",
        "bad_start_op",
        "bad_time",
        "message_not_allowed",
        "extra_bytes_not_allowed",
        "bad_column",
        "bad_operation",
    ] {
        assert!(outcomes.contains_key(code), "no damage led to {code}: {outcomes:?}");
    }
}
