//! A phone: what people do with it, in the programme's words.
//!
//! All of it works with no server. What returns without an error is durable; what returns an error wrote nothing.
//!
//! | file | what it is about |
//! |---|---|
//! | `subject` | whose records an id means |
//! | `setting`, `fields` | fields by their names, and the values that they take |
//! | `register`, `edit`, `note`, `consent`, `handover` | a person's case |
//! | `session`, `feedback` | sessions, roll calls, what people thought of them |
//! | `list`, `listing`, `show`, `conflicts`, `status` | what is held |
//! | `link` | enrolling and syncing |
//! | `share` | meeting another phone, with no server |
//! | `lines`, `line`, `import`, `module_days`, `apply`, `export` | many cases, as lines of JSON |

mod apply;
mod clock;
mod conflicts;
mod consent;
mod edit;
mod export;
mod feedback;
mod fields;
mod handover;
mod import;
mod line;
mod lines;
#[cfg(feature = "http")]
mod link;
mod list;
mod listing;
mod module_days;
mod note;
mod register;
mod session;
mod setting;
mod share;
mod show;
mod status;
mod subject;

use std::path::Path;

use foras_record::calendar;
use foras_record::place::{Place, Point};
use foras_wire::id::RecordId;
use jiff::civil::Date;

use crate::error::Error;
use crate::store::{Entropy, Identity, Store, SystemEntropy};

pub use apply::Applied;
pub use clock::{Clock, SystemClock};
pub use conflicts::Conflict;
pub use consent::ConsentEvent;
pub use edit::Edited;
pub use export::CaseExported;
pub use feedback::HandedIn;
pub use fields::{FieldShown, fields};
pub use handover::Stepped;
pub use import::{ImportStopped, Imported, LineRefused};
pub use list::Row;
pub use listing::{Filter, Listing, PAGE_ROWS};
pub use note::Noted;
pub use register::{Registered, Registration};
pub use session::{NewSession, Planned};
pub use setting::Setting;
pub use show::{Author, DeliveryShown, OtherValue, RecordShown, Shown, ValueShown};
pub use status::{AudienceStatus, Enrolled, FirstSyncStatus, LeaseStatus, RefusedStatus, Status};

/// A phone over its store.
pub struct Phone {
    store: Store,
    clock: Box<dyn Clock>,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Phone {
    /// Opens the phone whose store is in the directory `dir`, and makes it where there is none.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_with(dir, Box::new(SystemEntropy), Box::new(SystemClock))
    }

    /// As [`Phone::open`], with random numbers and the time from elsewhere.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub fn open_with(dir: &Path, entropy: Box<dyn Entropy>, clock: Box<dyn Clock>) -> Result<Self, Error> {
        Ok(Self::over(Store::open_with(dir, entropy)?, clock))
    }

    /// A phone over an opened store.
    #[must_use]
    pub fn over(store: Store, clock: Box<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// The store beneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store beneath, to sync and observe.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Gives up the phone for its store.
    #[must_use]
    pub fn into_store(self) -> Store {
        self.store
    }

    /// The phone's clock, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn today(&self) -> Date {
        calendar::day_of(self.now_ms().div_euclid(1_000))
    }

    fn this_year(&self) -> i64 {
        i64::from(self.today().year())
    }

    fn enrolled(&self) -> Result<&Identity, Error> {
        self.store.identity().ok_or(Error::NotEnrolled)
    }

    fn points(&self) -> Result<Vec<Point>, Error> {
        Ok(self.enrolled()?.places().iter().filter_map(|place| place.point()).collect())
    }

    fn works_at(&self, point: Point) -> Result<bool, Error> {
        Ok(self.enrolled()?.places().contains(&Place::Point(point)))
    }

    fn new_id(&mut self) -> Result<RecordId, Error> {
        self.store.new_id()
    }
}

#[cfg(test)]
mod tests;
