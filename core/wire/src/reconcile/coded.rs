//! Coded symbols of a set: the difference of two sets from about 1.4 symbols for each item that differs, whatever their size.
//!
//! After "Practical Rateless Set Reconciliation" (Yang, Gilad, Alizadeh; SIGCOMM 2024). Symbol `i` sums up the items that
//! map to it; an item maps to symbol `i` with probability `1 / (1 + i/2)`, at places drawn from its own hash, so that any
//! first part of the endless row of symbols can be compared. What both sides hold cancels out; a symbol that then holds one
//! item alone gives that item away, which is taken out of the others, and so on.
//!
//! Symbols hold items as 8 bytes of a hash under a salt that the asking side draws: nobody can write changes that keep others
//! from comparing, and two items of a million look the same once in ten million comparisons, which then find a difference
//! under the next salt.

use sha2::{Digest, Sha256};

use super::Item;

/// Most symbols that one request may carry, over all its audiences.
pub const SYMBOLS_MAX: usize = 65_536;
/// Symbols of a first sketch: they find some 40 differences, and tell how many more there are to a fifth.
pub const FIRST_SYMBOLS: usize = 64;
/// Bytes of a symbol without its count: an item and its check.
const FIXED_BYTES: usize = 8 + CHECK_BYTES;
/// A symbol that holds several items passes for one item once in 2^24.
const CHECK_BYTES: usize = 3;

/// What the asking side draws, so that places of items cannot be foreseen.
pub type Salt = [u8; 8];

/// An item as symbols hold it: the first 8 bytes of SHA-256 over the salt and the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Short(pub u64);

impl Short {
    /// The short form of `item` under `salt`.
    #[must_use]
    pub fn of(salt: &Salt, item: &Item) -> Self {
        let hash = Sha256::new().chain_update(salt).chain_update(item.0).finalize();
        let mut short = [0; 8];
        short.copy_from_slice(&hash[..8]);
        Self(u64::from_be_bytes(short))
    }

    fn check(self) -> u32 {
        // Another constant than the places', so that they say nothing of each other.
        let [a, b, c, ..] = mixed(self.0 ^ 0xd6e8_feb8_6659_fd93).to_be_bytes();
        u32::from_be_bytes([0, a, b, c])
    }
}

/// The finishing step of splitmix64 (Steele, Lea, Flood; OOPSLA 2014).
fn mixed(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Some items in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Symbol {
    items: u64,
    checks: u32,
    count: i64,
}

impl Symbol {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn shift(&mut self, item: Short, check: u32, sign: i64) {
        self.items ^= item.0;
        self.checks ^= check;
        self.count = self.count.wrapping_add(sign);
    }
}

/// Where an item goes: symbol 0 first, then ever more sparsely.
struct Places {
    state: u64,
    at: u64,
}

impl Places {
    fn of(item: Short) -> Self {
        Self { state: item.0, at: 0 }
    }

    fn forward(&mut self) {
        // splitmix64; the distance to the next place inverts the distribution of the paper, section 4.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = mixed(self.state);
        let step = (self.at as f64 + 1.5) * (4_294_967_296.0 / ((word as f64) + 1.0).sqrt() - 1.0);
        // Casts from f64 saturate; a step is at least one.
        self.at = self.at.saturating_add((step.ceil() as u64).max(1));
    }

    /// Calls `visit` with every place below `end`.
    fn below(mut self, end: usize, mut visit: impl FnMut(usize)) {
        while let Ok(at) = usize::try_from(self.at) {
            if at >= end {
                return;
            }
            visit(at);
            self.forward();
        }
    }
}

/// The first `count` symbols of a set.
#[must_use]
pub fn symbols<'i>(salt: &Salt, items: impl IntoIterator<Item = &'i Item>, count: usize) -> Vec<Symbol> {
    symbols_of(items.into_iter().map(|item| Short::of(salt, item)), count)
}

/// As [`symbols`], of items in their short form.
#[must_use]
pub fn symbols_of(items: impl IntoIterator<Item = Short>, count: usize) -> Vec<Symbol> {
    let mut symbols = vec![Symbol::default(); count.min(SYMBOLS_MAX)];
    for item in items {
        let check = item.check();
        Places::of(item).below(count.min(SYMBOLS_MAX), |at| {
            if let Some(symbol) = symbols.get_mut(at) {
                symbol.shift(item, check, 1);
            }
        });
    }
    symbols
}

/// What differs between two sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Items of the first set alone, sorted.
    pub first: Vec<Short>,
    /// Items of the second set alone, sorted.
    pub second: Vec<Short>,
}

/// Why a difference was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecided {
    /// About how many items differ.
    pub about: usize,
}

/// What differs between two sets, by the same number of symbols of each.
///
/// # Errors
/// [`Undecided`] when there are too few symbols, or they are of no sets.
pub fn difference(first: &[Symbol], second: &[Symbol]) -> Result<Found, Undecided> {
    let mut rest: Vec<Symbol> = first
        .iter()
        .zip(second)
        .map(|(a, b)| Symbol {
            items: a.items ^ b.items,
            checks: a.checks ^ b.checks,
            count: a.count.wrapping_sub(b.count),
        })
        .collect();
    let undecided = Undecided { about: about(&rest) };
    let mut found = Found::default();
    let mut pure: Vec<usize> = (0..rest.len()).collect();
    while let Some(at) = pure.pop() {
        let Some(symbol) = rest.get(at).copied() else { continue };
        if symbol.count.unsigned_abs() != 1 {
            continue;
        }
        let item = Short(symbol.items);
        let check = item.check();
        if check != symbol.checks {
            continue;
        }
        // Every item that is found has a symbol of its own: more of them than symbols come of no sets.
        if found.first.len() + found.second.len() >= rest.len() {
            return Err(undecided);
        }
        let side = if symbol.count == 1 { &mut found.first } else { &mut found.second };
        side.push(item);
        Places::of(item).below(rest.len(), |at| {
            if let Some(other) = rest.get_mut(at) {
                other.shift(item, check, -symbol.count);
                pure.push(at);
            }
        });
    }
    found.first.sort_unstable();
    found.second.sort_unstable();
    let twice = |items: &[Short]| items.windows(2).any(|pair| pair.first() == pair.last());
    if rest.iter().any(|symbol| !symbol.is_empty()) || twice(&found.first) || twice(&found.second) {
        return Err(undecided);
    }
    Ok(found)
}

/// About how many items the symbols of a difference stand for. Of `d` items on two sides, net `n`, symbol `i` counts
/// `n·p` with variance `d·p·(1 − p)`, `p = 1 / (1 + i/2)`.
fn about(rest: &[Symbol]) -> usize {
    let net = rest.first().map_or(0.0, |symbol| symbol.count as f64);
    let spread = rest.iter().enumerate().skip(1).map(|(at, symbol)| {
        let share = share(at);
        (symbol.count as f64 - net * share).powi(2) / (share * (1.0 - share))
    });
    let spread = spread.sum::<f64>() / (rest.len().max(2) - 1) as f64;
    spread.max(net.abs()).ceil() as usize
}

fn share(at: usize) -> f64 {
    1.0 / (1.0 + at as f64 / 2.0)
}

/// How many symbols find a difference of about so many items, as `symbols` of them told: 1.4 for each item, twice the error
/// that an estimate from so few symbols has (a share of `sqrt(2 / symbols)`), and some for differences of a few items.
#[must_use]
pub fn enough_for(about: usize, symbols: usize) -> usize {
    let error = (2.0 / symbols.max(1) as f64).sqrt();
    // Casts from f64 saturate.
    ((about as f64 * 1.4 * (1.0 + 2.0 * error)).ceil() as usize).saturating_add(16)
}

fn expected(total: u64, at: usize) -> i64 {
    (total as f64 * share(at)).round() as i64
}

/// Symbols as they travel: for each 8 bytes of items, 3 of checks, and how far the count is from what a set of `total`
/// items makes one expect.
#[must_use]
pub fn to_bytes(symbols: &[Symbol], total: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(symbols.len() * (FIXED_BYTES + 1));
    for (at, symbol) in symbols.iter().enumerate() {
        bytes.extend_from_slice(&symbol.items.to_be_bytes());
        bytes.extend(symbol.checks.to_be_bytes().into_iter().skip(4 - CHECK_BYTES));
        let off = symbol.count.wrapping_sub(expected(total, at));
        let mut zigzag = ((off << 1) ^ (off >> 63)).cast_unsigned();
        while zigzag >= 0x80 {
            bytes.push(zigzag.to_le_bytes()[0] | 0x80);
            zigzag >>= 7;
        }
        bytes.push(zigzag.to_le_bytes()[0]);
    }
    bytes
}

/// The symbols in `bytes`, all of them; `None` when they are none, or more than [`SYMBOLS_MAX`].
#[must_use]
pub fn from_bytes(mut bytes: &[u8], total: u64) -> Option<Vec<Symbol>> {
    if bytes.len() > SYMBOLS_MAX * (FIXED_BYTES + 10) {
        return None;
    }
    let mut symbols = Vec::with_capacity((bytes.len() / FIXED_BYTES).min(SYMBOLS_MAX));
    while let Some((items, rest)) = bytes.split_first_chunk::<8>() {
        let ([a, b, c], mut rest) = rest.split_first_chunk::<CHECK_BYTES>()?;
        let (mut zigzag, mut shift) = (0_u64, 0);
        loop {
            let (byte, after) = rest.split_first()?;
            rest = after;
            if shift > 63 {
                return None;
            }
            zigzag |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let off = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        let count = off.wrapping_add(expected(total, symbols.len()));
        symbols.push(Symbol { items: u64::from_be_bytes(*items), checks: u32::from_be_bytes([0, *a, *b, *c]), count });
        if symbols.len() > SYMBOLS_MAX {
            return None;
        }
        bytes = rest;
    }
    bytes.is_empty().then_some(symbols)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const SALT: Salt = *b"a salt..";

    fn item(number: u64) -> Item {
        let hash = Sha256::digest(number.to_be_bytes());
        Item(hash[..16].try_into().unwrap())
    }

    fn set(numbers: impl IntoIterator<Item = u64>) -> Vec<Item> {
        numbers.into_iter().map(item).collect()
    }

    fn reconcile(first: &[Item], second: &[Item], count: usize) -> Result<Found, Undecided> {
        let (a, b) = (symbols(&SALT, first, count), symbols(&SALT, second, count));
        let travelled = from_bytes(&to_bytes(&a, first.len() as u64), first.len() as u64).unwrap();
        assert_eq!(travelled, a);
        difference(&travelled, &b)
    }

    #[test]
    fn equal_sets_need_one_symbol() {
        let items = set(0..10_000);
        assert_eq!(reconcile(&items, &items, 1), Ok(Found::default()));
    }

    #[test]
    fn six_hundred_of_a_hundred_thousand_are_found_with_what_the_guess_asks_for() {
        let (first, second) = (set(300..100_000), set(0..99_700));
        let undecided = reconcile(&first, &second, FIRST_SYMBOLS).unwrap_err();
        assert!((300..1_200).contains(&undecided.about), "{undecided:?}");
        let enough = enough_for(undecided.about, FIRST_SYMBOLS);
        let found = reconcile(&first, &second, enough).unwrap();
        let sorted = |items: Vec<Item>| {
            let mut shorts: Vec<Short> = items.iter().map(|item| Short::of(&SALT, item)).collect();
            shorts.sort_unstable();
            shorts
        };
        assert_eq!((found.first, found.second), (sorted(set(99_700..100_000)), sorted(set(0..300))));
    }

    #[test]
    fn two_rounds_do_nine_times_in_ten() {
        for different in [100_u64, 600, 2_000] {
            let (first, second) = (set(0..different / 2), set(10_000..10_000 + different - different / 2));
            let both = |salt: Salt, count| (symbols(&salt, &first, count), symbols(&salt, &second, count));
            let in_two = (0..100_u64).filter(|salt| {
                let (a, b) = both(salt.to_be_bytes(), FIRST_SYMBOLS);
                let undecided = difference(&a, &b).unwrap_err();
                let (a, b) = both(salt.to_be_bytes(), enough_for(undecided.about, FIRST_SYMBOLS));
                difference(&a, &b).is_ok()
            });
            let in_two = in_two.count();
            assert!(in_two >= 90, "{different}: {in_two} of 100");
        }
    }

    #[test]
    fn a_difference_of_thousands_is_found_in_a_few_rounds() {
        for different in [0_u64, 1, 2, 10, 100, 1_000, 5_000] {
            let (first, second) = (set(different / 3..20_000), set(0..20_000 - (different - different / 3)));
            let (mut count, mut rounds) = (FIRST_SYMBOLS, 1);
            let found = loop {
                match reconcile(&first, &second, count) {
                    Ok(found) => break found,
                    Err(undecided) => count = enough_for(undecided.about, count).max(count * 5 / 4),
                }
                rounds += 1;
            };
            assert_eq!(found.first.len() + found.second.len(), usize::try_from(different).unwrap());
            assert!(rounds <= 4, "{different} took {rounds} rounds");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_decided_is_right(common in 0_u64..200, first in 0_u64..60, second in 0_u64..60, count in 0_usize..200) {
            let a = set((0..common).chain(1_000..1_000 + first));
            let b = set((0..common).chain(2_000..2_000 + second));
            if let Ok(found) = reconcile(&a, &b, count)
                && count > 0
            {
                prop_assert_eq!(found.first.len() as u64, first);
                prop_assert_eq!(found.second.len() as u64, second);
            }
        }

        #[test]
        fn bytes_of_anybody_come_to_an_end(bytes in vec(any::<u8>(), 0..4_000), total in any::<u64>()) {
            if let Some(theirs) = from_bytes(&bytes, total) {
                prop_assert!(theirs.len() <= bytes.len() / FIXED_BYTES);
                let ours = symbols(&SALT, &set(0..50), theirs.len());
                let _ = difference(&theirs, &ours);
            }
        }

        #[test]
        fn one_wrong_bit_is_not_believed(bit in 0_usize..(FIXED_BYTES * 8), at in 0_usize..40) {
            let (a, b) = (set(0..20), set(10..30));
            let mut bytes = to_bytes(&symbols(&SALT, &a, 60), 20);
            let byte = at * (FIXED_BYTES + 1) + bit / 8;
            if let Some(byte) = bytes.get_mut(byte) {
                *byte ^= 1 << (bit % 8);
            }
            if let Some(theirs) = from_bytes(&bytes, 20) {
                let found = difference(&theirs, &symbols(&SALT, &b, theirs.len()));
                if theirs != symbols(&SALT, &a, 60) {
                    prop_assert!(found.is_err());
                }
            }
        }
    }

    #[test]
    fn hostile_symbols_that_undo_each_other_come_to_an_end() {
        // A pure symbol that stands where the item does not map to.
        let check = Short(7).check();
        let mut theirs = vec![Symbol::default(); 1_000];
        theirs[999] = Symbol { items: 7, checks: check, count: 1 };
        theirs[998] = Symbol { items: 7, checks: check, count: -1 };
        let ours = symbols(&SALT, &[], 1_000);
        assert!(difference(&theirs, &ours).is_err());
    }
}
