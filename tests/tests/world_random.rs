//! Random programmes: any work, any weather, any order. `FORAS_SEED=n` plays one of them again; `FORAS_SEEDS=n` plays
//! so many, for as long as one likes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_tests::world::scenario::{Met, Plan, play};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Plays programmes from seed `first` on, and sums up what they met.
fn play_all(first: u64, count: u64, forks: bool) -> Option<Met> {
    let plan = Plan { days: 4, actions: 14, rests: 3, forks };
    if let Some(seed) = number("FORAS_SEED") {
        play(seed, plan);
        return None;
    }
    let mut met = Met::default();
    for seed in first..first + number("FORAS_SEEDS").unwrap_or(count) {
        met += play(seed, plan);
    }
    println!("{met:?}");
    Some(met)
}

#[test]
fn thirty_programmes_come_to_rest_with_nothing_lost() {
    let Some(met) = play_all(301, 30, false) else { return };
    assert!(met.edits > 500 && met.conflicts > 20 && met.deposits > 20, "{met:?}");
    assert!(met.opened > 10 && met.dropped > 3 && met.quarantined > 0 && met.kills > 100, "{met:?}");
}

#[test]
fn cloned_and_restored_phones_lose_nothing() {
    let Some(met) = play_all(1_001, 15, true) else { return };
    assert!(met.edits > 250 && met.forks > 20, "{met:?}");
}
