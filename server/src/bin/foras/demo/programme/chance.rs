//! Chance that is the same for the same seed.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of choices.
#[derive(Debug, Clone)]
pub(crate) struct Chance(ChaCha12Rng);

impl Chance {
    /// The stream of `seed` that is called `stream`: streams of one seed do not disturb one another.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from 0 to below `end`; 0 where `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The bias of the remainder is far below what a few thousand draws could show.
        let end = end.max(1) as u64;
        usize::try_from(self.0.next_u64() % end).unwrap_or_default()
    }

    /// A number between both, included.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = usize::try_from(most.saturating_sub(least).saturating_add(1)).unwrap_or_default();
        least.saturating_add(i64::try_from(self.below(width)).unwrap_or_default())
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the choices, each as often as its weight says. None where there is nothing to choose.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, usize)]) -> Option<T> {
        let mut drawn = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            match drawn.checked_sub(*weight) {
                None => return Some(*choice),
                Some(rest) => drawn = rest,
            }
        }
        None
    }

    /// One of `choices`; the empty text where there are none.
    pub(crate) fn word(&mut self, choices: &[&'static str]) -> &'static str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }

    /// Puts `items` in random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}
