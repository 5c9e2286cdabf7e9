//! The phone, held by whoever works with it at the moment.

use std::sync::{Arc, Mutex, PoisonError, Weak};

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

    /// The same, for those who must not keep it open.
    pub(crate) fn loose(&self) -> Loose {
        Loose(Arc::downgrade(&self.0))
    }

    /// Works with the phone.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Phone) -> T) -> T {
        // Every write is a transaction, so a panic elsewhere left the phone whole.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A phone that may be closed meanwhile: whoever keeps this does not keep the store open.
#[derive(Clone)]
pub(crate) struct Loose(Weak<Mutex<Phone>>);

impl Loose {
    /// The phone, while it is open.
    pub(crate) fn held(&self) -> Option<Held> {
        self.0.upgrade().map(Held)
    }
}

impl Lend for Held {
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T {
        self.with(|phone| step(phone.store_mut()))
    }
}
