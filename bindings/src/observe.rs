//! Telling the app what changed.
//!
//! The store tells on the thread that wrote, with the phone held. An app is told on a thread of the subscription's own
//! and may call the phone from there; what changes while it is still busy is told in one.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use foras::store;

use crate::error::ForasError;
use crate::held::{Held, Loose};

/// What changed. All of it is durable.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Change {
    /// Kinds of which some record changed, came or went.
    pub kinds: Vec<String>,
    /// Cases of which some record did.
    pub cases: Vec<String>,
    /// Whether something waits, was sent or was acknowledged.
    pub delivery: bool,
}

/// An observer could not take what it was told. It is told the next change all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ObserverError {
    /// The observer failed.
    #[error("the observer failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ObserverError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Somebody in the app who is told.
#[uniffi::export(with_foreign)]
pub trait ChangeObserver: Send + Sync {
    /// Something changed. Called on a thread of its own, one call at a time.
    fn changed(&self, change: Change) -> Result<(), ObserverError>;
}

/// An observation. It ends when it is cancelled or dropped, and with the phone.
#[derive(uniffi::Object)]
pub struct Observation {
    phone: Loose,
    subscription: Mutex<Option<store::Subscription>>,
}

impl Observation {
    /// Tells `observer` of every change from now on.
    pub(crate) fn start(held: &Held, observer: Arc<dyn ChangeObserver>) -> Result<Arc<Self>, ForasError> {
        let (told, changes) = mpsc::channel();
        std::thread::Builder::new()
            .name("foras observer".to_owned())
            .spawn(move || pass_on(&changes, observer.as_ref()))
            .map_err(|_| ForasError::from(foras::Error::StorageFailed))?;
        let subscription = held.with(|phone| phone.store_mut().subscribe(Box::new(Told(told))));
        Ok(Arc::new(Self { phone: held.loose(), subscription: Mutex::new(Some(subscription)) }))
    }
}

#[uniffi::export]
impl Observation {
    /// Ends it. A call under way comes to its end.
    pub fn cancel(&self) {
        let subscription = self.subscription.lock().ok().and_then(|mut subscription| subscription.take());
        if let (Some(subscription), Some(held)) = (subscription, self.phone.held()) {
            held.with(|phone| phone.store_mut().unsubscribe(subscription));
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The store's side. Dropped at the end of the subscription, which ends the thread.
struct Told(Sender<store::Changed>);

impl store::Observer for Told {
    fn changed(&self, changed: &store::Changed) {
        // The other side is gone only while the subscription is being ended.
        let _ = self.0.send(changed.clone());
    }
}

fn pass_on(changes: &Receiver<store::Changed>, observer: &dyn ChangeObserver) {
    while let Ok(mut changed) = changes.recv() {
        for more in changes.try_iter() {
            changed.kinds.extend(more.kinds);
            changed.cases.extend(more.cases);
            changed.delivery |= more.delivery;
        }
        let change = Change {
            kinds: changed.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
            cases: changed.cases.iter().map(ToString::to_string).collect(),
            delivery: changed.delivery,
        };
        // An observer that fails misses this change; the next one tells the app to read again anyway.
        let _ = observer.changed(change);
    }
}
