//! Randomness, passed in: the operating system's in production, seeded in tests and in the simulated world.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::error::ServerError;

/// A source of random bytes.
pub trait Entropy {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`ServerError::Entropy`] when the source has none to give.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ServerError>;
}

/// The operating system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ServerError> {
        getrandom::fill(bytes).map_err(|_| ServerError::Entropy)
    }
}

/// The same bytes for the same seed, for tests.
#[derive(Debug, Clone)]
pub struct SeededEntropy(ChaCha12Rng);

impl SeededEntropy {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ServerError> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

/// `N` random bytes.
pub(crate) fn draw<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N], ServerError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
