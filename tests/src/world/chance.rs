//! Chance: everything random in the world comes from one seed.

use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// A source of random numbers. Copies draw from the same stream.
#[derive(Debug, Clone)]
pub struct Chance(Arc<Mutex<ChaCha12Rng>>);

impl Chance {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha12Rng::seed_from_u64(seed))))
    }

    /// Any number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// A number below `bound`; 0 where that is 0.
    #[must_use]
    pub fn below(&self, bound: usize) -> usize {
        let number = self.number() % (bound.max(1) as u64);
        usize::try_from(number).unwrap_or(0)
    }

    /// True so many times in a hundred.
    #[must_use]
    pub fn percent(&self, times: u8) -> bool {
        self.below(100) < usize::from(times)
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[allow(clippy::indexing_slicing)]
    pub fn one_of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

impl foras::store::Entropy for Chance {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), foras::Error> {
        Self::fill(self, bytes);
        Ok(())
    }
}

impl foras_server::Entropy for Chance {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), foras_server::ServerError> {
        Self::fill(self, bytes);
        Ok(())
    }
}
