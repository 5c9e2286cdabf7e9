//! The smallest run that still finds something.
//!
//! A programme's first days are the same however many follow, so the number of days is cut in halves.

use crate::outcome::Outcome;
use crate::run;

/// Programmes that are made smaller; the others fail for the same reasons more often than not.
const SHRUNK_MAX: usize = 3;

/// Commands that show what was found, one for each of the first programmes that failed.
pub(crate) fn commands(outcome: &Outcome) -> Vec<String> {
    let failed = outcome.failed.iter().take(SHRUNK_MAX);
    failed
        .map(|(seed, device_days)| {
            let device_days = smallest(*seed, *device_days);
            format!("cargo xtask simulate --device-days {device_days} --seed {seed} --json")
        })
        .collect()
}

fn smallest(seed: u64, device_days: u64) -> u64 {
    let (mut clean, mut failing) = (0, device_days);
    while failing - clean > 1 {
        let middle = clean + (failing - clean) / 2;
        if run::one(seed, middle).is_clean() {
            clean = middle;
        } else {
            failing = middle;
        }
    }
    failing
}
