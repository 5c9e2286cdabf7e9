//! The store of one device: its records, its outbox, and how far it has followed each audience's log.
//!
//! Synchronous, one SQLite connection, one process. What a call returned as done is durable; a call that fails changed
//! nothing. The signed change is the truth: documents and the columns that lists read are made from it.
//!
//! | file | what it is about |
//! |---|---|
//! | `open`, `schema` | files, versions, settings |
//! | `identity`, `grant`, `lease`, `permit` | who the device is and what it may |
//! | `commit`, `numbers` | a person's action, over any number of records |
//! | `list`, `show`, `delivery`, `author` | what screens read |
//! | `outbox`, `settle`, `reissue`, `wrote`, `refused` | what goes out, and what came of it |
//! | `pack`, `pack_in`, `segment`, `fold`, `verify` | a first sync: what came in packs, received first and verified later |
//! | `carried/` | what other devices wrote and this one takes along |
//! | `page`, `arrival`, `leave`, `scrub` | what comes in, and what goes without a trace |
//! | `digest`, `compare`, `offer`, `mend` | whether the copies are the server's, and what happens where they are not |
//! | `writing`, `transaction`, `rows`, `view`, `cache`, `meta` | records between memory and rows |

mod arrival;
mod author;
mod cache;
mod carried;
mod commit;
mod compare;
mod delivery;
mod digest;
mod entropy;
mod fold;
mod grant;
mod held;
mod identity;
mod lease;
mod leave;
mod list;
mod mend;
mod meta;
mod numbers;
mod observe;
mod offer;
mod open;
mod outbox;
mod pack;
mod pack_in;
mod page;
mod permit;
mod refused;
mod reissue;
mod rows;
mod schema;
mod scrub;
mod segment;
mod settle;
mod show;
mod transaction;
mod verify;
mod view;
mod writing;
mod wrote;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use foras_wire::record::RecordKey;
use rusqlite::Connection;

use crate::error::Error;
use cache::Cache;
use numbers::Numbers;
use observe::Observers;

pub use author::Author;
pub use carried::{Choice, Handed, Kept, Parcel, Shareable};
pub use commit::{Action, Committed, Receipt, RecordEdits};
pub use compare::Compared;
pub use delivery::Delivery;
pub use entropy::{Entropy, SystemEntropy};
pub use identity::Identity;
pub use lease::Lease;
pub use list::{Item, ListQuery, Listing, Order, PAGE_ITEMS, PAGE_ITEMS_MAX};
pub use observe::{Changed, Observer, Subscription};
pub use outbox::{Pending, WorkLimits};
pub use pack::{FirstSync, PieceKept};
pub use page::{Applied, Cursor};
pub use refused::{RefusedEdit, RefusedOutcome};
pub use settle::Settled;
pub use show::Shown;
pub use verify::Verification;

/// The store of one device.
pub struct Store {
    connection: Connection,
    identity: Option<Arc<Identity>>,
    cache: Cache,
    observers: Observers,
    numbers: Numbers,
    entropy: Box<dyn Entropy>,
    /// Outbox rows that a request under way carries. Only shown; after a restart they count as saved.
    sending: BTreeSet<u64>,
    opened: segment::LastOpened,
    /// False: no segment is folded.
    may_be_folded: Cell<bool>,
    /// Carried pushes that the server could not take lately: they are not sent again until something comes.
    parked_carried: BTreeSet<i64>,
    /// Records of which the server acknowledged own changes in the exchange under way.
    vouched: BTreeSet<RecordKey>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in the directory `dir`, and makes it where there is none.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it open; [`Error::TooOld`] when a newer build wrote it, and
    /// [`Error::NotAStore`] when something else lies there: both untouched. [`Error::Corrupt`] when the database is
    /// damaged: it was set aside, never deleted, and the next call makes a new one.
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_with(dir, Box::new(SystemEntropy))
    }

    /// As [`Store::open`], with random numbers from `entropy`.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub fn open_with(dir: &Path, entropy: Box<dyn Entropy>) -> Result<Self, Error> {
        // A clock beyond all calendars counts as 1970: the name only has to be one.
        let now = jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default();
        let now = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        Self::over(open::open(dir, &now)?, entropy)
    }

    /// A store in memory, gone with the process.
    ///
    /// # Errors
    /// [`Error::StorageFailed`] when SQLite gives no memory.
    pub fn open_in_memory(entropy: Box<dyn Entropy>) -> Result<Self, Error> {
        let mut connection = Connection::open_in_memory()?;
        open::prepare(&mut connection)?;
        Self::over(connection, entropy)
    }

    fn over(connection: Connection, entropy: Box<dyn Entropy>) -> Result<Self, Error> {
        let identity = Identity::load(&connection)?.map(Arc::new);
        let mut store = Self {
            connection,
            identity,
            cache: Cache::default(),
            observers: Observers::default(),
            numbers: Numbers::default(),
            entropy,
            sending: BTreeSet::new(),
            opened: segment::LastOpened::default(),
            may_be_folded: Cell::new(true),
            parked_carried: BTreeSet::new(),
            vouched: BTreeSet::new(),
        };
        // A crash may have come between a drop and its traces' end.
        store.scrub()?;
        Ok(store)
    }
}
