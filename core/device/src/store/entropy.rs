//! Where random numbers come from: the system, or a seeded source in tests and in the simulated world.

use foras_wire::id::RecordId;

use super::Store;
use crate::error::Error;

/// A source of random bytes. Keys, incarnations and ids are made of them, so in production it is the system's.
pub trait Entropy: Send {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`Error::StorageFailed`] when the system gives none; nothing may then be made of `bytes`.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error>;
}

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(bytes).map_err(|_| Error::StorageFailed)
    }
}

/// `N` random bytes.
pub(super) fn bytes<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

impl Store {
    /// A new random id, for a record or an event.
    ///
    /// # Errors
    /// [`Error::StorageFailed`] when the system gives no random numbers.
    pub fn new_id(&mut self) -> Result<RecordId, Error> {
        bytes(&mut *self.entropy).map(RecordId)
    }
}
