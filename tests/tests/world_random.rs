//! Random programmes: any work, any weather, any order. `FORAS_SEED=n` plays one of them again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_tests::world::scenario::{Plan, play};

fn seeds(first: u64, count: u64) -> Vec<u64> {
    match std::env::var("FORAS_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (first..first + count).collect(),
    }
}

#[test]
fn thirty_programmes_come_to_rest_with_nothing_lost() {
    for seed in seeds(1, 30) {
        play(seed, Plan { days: 4, actions: 12, rests: 2, forks: false });
    }
}

#[test]
fn cloned_and_restored_phones_lose_nothing() {
    for seed in seeds(1_001, 15) {
        play(seed, Plan { days: 4, actions: 12, rests: 2, forks: true });
    }
}
