//! Damage to honest bytes, without knowing the paths of what reads them.

use crate::world::chance::Chance;

/// Longest input that damage may grow to, in bytes.
const BYTES_MAX: usize = 64 * 1024;
/// Bytes that mean much somewhere: ends of ranges, heads of CBOR items, varints' continuations.
const TELLING: [u8; 16] = [0, 1, 0x17, 0x18, 0x1b, 0x40, 0x5b, 0x7b, 0x7f, 0x80, 0x9b, 0x9f, 0xbb, 0xd8, 0xfb, 0xff];

/// One of `seeds` with one to five places damaged, or parts of two of them.
#[must_use]
pub fn damaged(seeds: &[Vec<u8>], chance: &Chance) -> Vec<u8> {
    let mut bytes = chance.one_of(seeds).clone();
    for _ in 0..=chance.below(5) {
        damage(&mut bytes, seeds, chance);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn damage(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], chance: &Chance) {
    let at = chance.below(bytes.len() + 1);
    let byte = chance.number().to_le_bytes()[0];
    let length = 1 + chance.below(12);
    let end = (at + length).min(bytes.len());
    match chance.below(11) {
        0 => change(bytes, at, |old| old ^ (1 << (byte & 7))),
        1 => change(bytes, at, |_| byte),
        2 => change(bytes, at, |_| *chance.one_of(&TELLING)),
        3 => change(bytes, at, |old| old.wrapping_add(1)),
        4 => change(bytes, at, |old| old.wrapping_sub(1)),
        5 => bytes.insert(at, *chance.one_of(&TELLING)),
        6 => drop(bytes.drain(at..end)),
        7 => {
            let part: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
            let times = 1 + chance.below(4);
            drop(bytes.splice(at..at, part.repeat(times)));
        }
        // A huge length: as a varint, or behind a head of CBOR.
        8 => drop(bytes.splice(at..at, [0xff; 9][..chance.below(9)].iter().copied().chain([1]))),
        9 => {
            let count = chance.number() >> chance.below(64);
            drop(
                bytes.splice(
                    at..end,
                    [*chance.one_of(&[0x1b, 0x5b, 0x7b, 0x9b])].into_iter().chain(count.to_be_bytes()),
                ),
            );
        }
        _ => {
            let other = chance.one_of(seeds);
            let from = chance.below(other.len() + 1);
            let to = (from + chance.below(200)).min(other.len());
            drop(bytes.splice(at..end, other.get(from..to).unwrap_or_default().iter().copied()));
        }
    }
}

fn change(bytes: &mut [u8], at: usize, to: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = to(*byte);
    }
}
