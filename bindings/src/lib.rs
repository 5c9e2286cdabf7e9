//! The foreign surface of Foras, through uniffi: Kotlin, Swift and Python.
//!
//! It converts and never decides. Data crosses as immutable records; objects are few: a [`ForasPhone`], and the
//! [`Observation`]s that it hands out. Errors are one sealed [`ForasError`]. No panic crosses the boundary.
//!
//! | file | what it is about |
//! |---|---|
//! | `phone` | what an app calls |
//! | `written`, `listed`, `shown` | the records that go in and come out |
//! | `observe` | telling the app what changed |
//! | `errand` | enrolling and syncing, on a thread of their own |
//! | `held` | sharing the phone between threads |

mod errand;
mod error;
mod held;
mod listed;
mod observe;
mod phone;
mod shown;
mod written;

pub use error::{Failure, ForasError};
pub use listed::{AudienceStatus, FirstSync, PeoplePage, PersonRow, Query, Status, SyncReport};
pub use observe::{Change, ChangeObserver, Observation, ObserverError};
pub use phone::ForasPhone;
pub use shown::{Author, Delivery, Field, FieldValue, Record, RecordPage, WrittenValue};
pub use written::{ConsentSaid, GivenConsent, HandoverStep, NewSession, Registered, Registration, Setting};

uniffi::setup_scaffolding!("foras_ffi");

/// The version of the library, as in its packages.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
