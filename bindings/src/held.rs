//! The phone, held by whoever works with it at the moment.

use std::sync::{Arc, Mutex, PoisonError};

use foras::Phone;
use foras::exchange::Lend;
use foras::store::Store;

/// A phone that several threads of an app share. Nobody holds it while the network is waited for.
#[derive(Clone)]
pub(crate) struct Held(Arc<Mutex<Phone>>);

impl Held {
    pub(crate) fn new(phone: Phone) -> Self {
        Self(Arc::new(Mutex::new(phone)))
    }

    /// Works with the phone.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Phone) -> T) -> T {
        // Every write is a transaction, so a panic elsewhere left the phone whole.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lend for Held {
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T {
        self.with(|phone| step(phone.store_mut()))
    }
}
