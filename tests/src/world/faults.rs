//! How often each fault of the world struck, by its name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts by kind of fault. Copies count together.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Faults {
    /// A fault struck.
    pub fn count(&self, kind: &'static str) {
        self.add(kind, 1);
    }

    /// A fault struck so many times.
    pub fn add(&self, kind: &'static str, times: u64) {
        if times > 0 {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += times;
        }
    }

    /// Every kind that struck.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
