//! Many programmes, some at a time. Each comes from a seed of its own, and results are added in their order: how many
//! run at a time changes nothing.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::arguments::Arguments;
use crate::outcome::Outcome;
use crate::programme;
use crate::progress::Progress;

/// Device-days of one programme; the last of a run has the rest.
const PROGRAMME_DEVICE_DAYS: u64 = 200;
/// Seeds stay below this, so that every reader of JSON keeps them exact.
const SEEDS: u64 = 1 << 48;

/// The seed of the `index`-th programme of a run: the first is the run's own. Steele et al., "Fast splittable
/// pseudorandom number generators" (2014), for the others.
fn seed_of(seed: u64, index: u64) -> u64 {
    if index == 0 {
        return seed;
    }
    let mut mixed = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % SEEDS
}

/// Seeds and device-days of a run's programmes.
fn programmes(seed: u64, device_days: u64) -> Vec<(u64, u64)> {
    let count = device_days.div_ceil(PROGRAMME_DEVICE_DAYS);
    let days = |index| PROGRAMME_DEVICE_DAYS.min(device_days - index * PROGRAMME_DEVICE_DAYS);
    (0..count).map(|index| (seed_of(seed, index), days(index))).collect()
}

thread_local! {
    /// Where this thread panicked last.
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic is a finding, told with the others; not a page of its own.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        PANICKED_AT.with(|at| *at.borrow_mut() = place);
    }));
}

/// Plays one programme. One that breaks in any way other than by a law counts as diverged.
pub(crate) fn one(seed: u64, device_days: u64) -> Outcome {
    let played = catch_unwind(AssertUnwindSafe(|| programme::play(seed, device_days)));
    let mut outcome = played.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        let place = PANICKED_AT.with(|at| at.borrow().clone());
        Outcome { diverged: 1, findings: vec![format!("{words} ({place})")], ..Outcome::default() }
    });
    if !outcome.is_clean() {
        let findings = outcome.findings.iter().map(|words| format!("seed {seed}: {words}"));
        outcome.findings = findings.collect();
        outcome.failed = vec![(seed, device_days)];
    }
    outcome
}

/// Plays a whole run.
pub(crate) fn all(arguments: &Arguments) -> Outcome {
    let programmes = programmes(arguments.seed, arguments.device_days);
    let progress = Progress::new(arguments);
    let outcomes: Vec<Mutex<Option<Outcome>>> = programmes.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let (Some((seed, days)), Some(slot)) = (programmes.get(at), outcomes.get(at)) else { return };
                    let outcome = one(*seed, *days);
                    progress.played(*days, &outcome);
                    *slot.lock().expect("no thread panics with it") = Some(outcome);
                }
            });
        }
    });
    progress.over();
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum += outcome.into_inner().expect("no thread panics with it").expect("every programme was played");
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_cut_into_programmes_of_different_seeds() {
        let cut = programmes(7, 450);
        assert_eq!(cut.iter().map(|(_, days)| *days).collect::<Vec<_>>(), [200, 200, 50]);
        assert_eq!(cut[0].0, 7, "a programme of a run can be played again alone");
        let seeds: std::collections::BTreeSet<_> = programmes(7, 100_000).iter().map(|(seed, _)| *seed).collect();
        assert_eq!(seeds.len(), 500);
    }
}
