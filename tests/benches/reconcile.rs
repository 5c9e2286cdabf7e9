//! `reconcile`: finding out what differs between a device's copy and the server's, by coded symbols as the exchange does it,
//! and by ranges of fingerprints. Bytes both ways until the server knows all of the difference and the device knows what the
//! server lacks; the changes themselves, frames and signatures are not in it, with either.

mod range;

use std::collections::BTreeSet;

use foras_wire::reconcile::Item;
use foras_wire::reconcile::coded::{self, FIRST_SYMBOLS, SYMBOLS_MAX, Salt, Short};

use crate::measure::cpu;
use crate::measure::outcome::{Outcome, rounded};
use crate::workload::Workload;

/// Salts over which each pair of sets is compared in a whole run.
const TRIALS: usize = 20;
/// Bytes that say that symbols were too few, and how many to send.
const UNDECIDED_BYTES: usize = 5;

/// Two sets: what both hold, and what each holds alone.
struct Pair {
    name: &'static str,
    common: u32,
    first: u32,
    second: u32,
}

const PAIRS: [Pair; 4] = [
    Pair { name: "600_of_100000", common: 99_700, first: 300, second: 300 },
    Pair { name: "10_of_60000", common: 59_995, first: 5, second: 5 },
    Pair { name: "equal_100000", common: 100_000, first: 0, second: 0 },
    Pair { name: "all_different_1000", common: 0, first: 1_000, second: 1_000 },
];

/// What one way took over all trials.
#[derive(Default)]
struct Spent {
    bytes: usize,
    rounds: usize,
    cpu_ns: u64,
}

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let trials = workload.share_of(TRIALS);
    let mut found: Vec<(&Pair, Spent, Spent)> = Vec::new();
    for pair in &PAIRS {
        let sets = sets(pair);
        let (mut symbols, mut ranges) = (Spent::default(), Spent::default());
        for trial in 0..trials as u64 {
            let salt: Salt = (workload.seed() + trial).to_be_bytes();
            by_symbols(&salt, &sets, pair, &mut symbols);
            by_ranges(&salt, &sets, pair, &mut ranges);
        }
        found.push((pair, symbols, ranges));
    }
    let mean = |total: usize| total as f64 / trials as f64;
    let (_, symbols, ranges) = found.first().expect("pairs of sets");
    let mut outcome = Outcome::ratio("reconcile", mean(symbols.bytes), mean(ranges.bytes), Some(1.0));
    outcome.put("limit_is", "ranges of fingerprints, split by 16").put("trials", trials);
    for (pair, symbols, ranges) in &found {
        for (way, spent) in [("symbols", symbols), ("ranges", ranges)] {
            let name = |what: &str| format!("{}_{way}_{what}", pair.name);
            outcome.put(&name("bytes"), rounded(mean(spent.bytes))).put(&name("rounds"), rounded(mean(spent.rounds)));
            outcome.put(&name("cpu_ms"), rounded(spent.cpu_ns as f64 / 1e6 / trials as f64));
        }
    }
    outcome
}

fn sets(pair: &Pair) -> [Vec<Item>; 2] {
    let item = |kind: u8, number: u32| {
        let hash = foras_record::packed::hash_of(&[&[kind][..], &number.to_be_bytes()].concat()).0;
        let mut item = [0; 16];
        item.copy_from_slice(&hash[..16]);
        Item(item)
    };
    let set = |kind: u8, own: u32| {
        let common = (0..pair.common).map(|number| item(0, number));
        common.chain((0..own).map(|number| item(kind, number))).collect()
    };
    [set(1, pair.first), set(2, pair.second)]
}

/// As the exchange goes: the device sends symbols, the server compares, or says how many more it needs.
fn by_symbols(salt: &Salt, [device, server]: &[Vec<Item>; 2], pair: &Pair, spent: &mut Spent) {
    let mut count = FIRST_SYMBOLS;
    loop {
        spent.rounds += 1;
        let (cpu_ns, (bytes, compared)) = cpu::of_thread(|| {
            let sent = coded::to_bytes(&coded::symbols(salt, device, count), device.len() as u64);
            let theirs = coded::from_bytes(&sent, device.len() as u64).expect("symbols that read");
            let ours = coded::symbols(salt, server, theirs.len());
            (sent.len(), coded::difference(&theirs, &ours))
        });
        spent.cpu_ns += cpu_ns;
        spent.bytes += bytes;
        match compared {
            Ok(found) => {
                assert_eq!((found.first.len(), found.second.len()), (pair.first as usize, pair.second as usize));
                // What the server does not know, it says.
                spent.bytes += found.first.len() * 8;
                return;
            }
            Err(undecided) => {
                spent.bytes += UNDECIDED_BYTES;
                count = coded::enough_for(undecided.about, count).max(count * 5 / 4);
                assert!(count <= SYMBOLS_MAX, "too different");
            }
        }
    }
}

fn by_ranges(salt: &Salt, [device, server]: &[Vec<Item>; 2], pair: &Pair, spent: &mut Spent) {
    let (cpu_ns, (took, asking, asked)) = cpu::of_thread(|| {
        let side = |items: &[Item]| range::Side::of(items.iter().map(|item| Short::of(salt, item)));
        let (mut asking, mut asked) = (side(device), side(server));
        let took = range::reconcile(&mut asking, &mut asked);
        (took, asking, asked)
    });
    // Each side knows what it holds alone, or the other knows that it lacks it.
    let known = |alone: &[u64], lacked: &[u64]| alone.iter().chain(lacked).copied().collect::<BTreeSet<u64>>().len();
    assert_eq!(known(&asking.alone, &asked.lacking), pair.first as usize);
    assert_eq!(known(&asked.alone, &asking.lacking), pair.second as usize);
    spent.bytes += took.bytes;
    spent.rounds += took.rounds;
    spent.cpu_ns += cpu_ns;
}
