//! Observers: told after each transaction what it changed, so that screens read again.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use foras_record::kind::Kind;
use foras_wire::id::RecordId;
use foras_wire::record::RecordRef;

use super::Store;

/// What a transaction changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// Kinds of which some record changed, came or went.
    pub kinds: BTreeSet<Kind>,
    /// Cases of which some record did.
    pub cases: BTreeSet<RecordId>,
    /// Whether the outbox, a delivery state or a cursor changed.
    pub delivery: bool,
}

impl Changed {
    /// Nothing but the outbox, a delivery state or a cursor.
    pub(super) fn delivery() -> Self {
        Self { delivery: true, ..Self::default() }
    }

    pub(super) fn note(&mut self, record: &RecordRef) {
        self.kinds.extend(Kind::of_code(record.key.kind));
        self.cases.extend(record.case);
        self.delivery = true;
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Somebody who is told.
pub trait Observer: Send {
    /// Something changed, and is durable. Called on the thread that changed it; it must not call the store.
    fn changed(&self, changed: &Changed);
}

/// Names a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription(u64);

#[derive(Default)]
pub(super) struct Observers {
    next: u64,
    observers: BTreeMap<Subscription, Box<dyn Observer>>,
}

impl Observers {
    /// Tells everybody. An observer that panics stops neither the store nor the others.
    pub(super) fn tell(&self, changed: &Changed) {
        if changed.is_empty() {
            return;
        }
        for observer in self.observers.values() {
            let _ = catch_unwind(AssertUnwindSafe(|| observer.changed(changed)));
        }
    }
}

impl Store {
    /// Tells `observer` of every change from now on.
    pub fn subscribe(&mut self, observer: Box<dyn Observer>) -> Subscription {
        let subscription = Subscription(self.observers.next);
        self.observers.next += 1;
        self.observers.observers.insert(subscription, observer);
        subscription
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, subscription: Subscription) {
        self.observers.observers.remove(&subscription);
    }
}
