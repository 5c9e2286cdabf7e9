//! A server that was put back to an older copy of its data: how it notices, and how it gets back what it lost.
//!
//! It begins a new epoch, so that it never writes under a number that it may have used. Phones then compare their copies
//! and bring what is missing. Until that is over, nothing is given to the missions: a withdrawal of consent may be among
//! what is missing.

use foras_record::audience::Audience;
use foras_record::place::Place;
use foras_record::proof;
use foras_wire::id::DeviceId;
use foras_wire::reconcile::Witness;
use rusqlite::{Connection, params};

use crate::error::ServerError;
use crate::keys::Keys;
use crate::server::Server;
use crate::storage::devices::DeviceState;
use crate::storage::{devices, logs, settings};

/// Epochs that may be skipped on a device's word.
const SKIPPED_EPOCHS_MAX: u64 = 64;

/// A recovery under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The epoch that it began.
    pub epoch: u64,
    /// When, in milliseconds since 1970.
    pub since_ms: i64,
    /// Devices that have nothing more to bring.
    pub reported: Vec<DeviceId>,
    /// Active devices that were not heard since, or are not through.
    pub missing: Vec<DeviceId>,
}

/// Begins the epoch after `seen`, the newest that anybody has heard of, and a recovery. Gives the new epoch.
pub(crate) fn begin(db: &Connection, keys: &Keys, seen: u64, now_ms: i64) -> Result<u64, ServerError> {
    let epoch = seen.max(keys.epoch()).saturating_add(1);
    settings::set(db, settings::EPOCH, Some(&epoch.to_string()))?;
    settings::set(db, settings::RECOVERY, Some(&now_ms.to_string()))?;
    db.execute("DELETE FROM recovered", [])?;
    Ok(epoch)
}

/// Since when a recovery is under way, in milliseconds since 1970; `None`: there is none.
pub(crate) fn since_ms(db: &Connection) -> Result<Option<i64>, ServerError> {
    let since = settings::get(db, settings::RECOVERY)?;
    since.map(|since| since.parse().map_err(|_| ServerError::Corrupt("the recovery does not read"))).transpose()
}

/// Whether the audience gets nothing while a recovery is under way: a country's.
pub(crate) fn waits(audience: &str) -> bool {
    let audience = audience.parse().ok().and_then(|name| Audience::of_name(&name));
    matches!(audience, Some(Audience::Casework(Place::Country(_)) | Audience::Protection(Place::Country(_))))
}

/// The device has nothing more to bring. The recovery closes by itself once that is true of every active one; gives
/// whether it did.
pub(crate) fn report(db: &Connection, device: &DeviceId, now_ms: i64) -> Result<bool, ServerError> {
    if since_ms(db)?.is_none() {
        return Ok(false);
    }
    db.prepare_cached("INSERT INTO recovered (device, at_ms) VALUES (?1, ?2) ON CONFLICT (device) DO NOTHING")?
        .execute(params![device.0, now_ms])?;
    let closes = missing(db)?.is_empty();
    if closes {
        close(db)?;
        tracing::info!("every active device has reported: the recovery is closed");
    }
    Ok(closes)
}

fn close(db: &Connection) -> Result<(), ServerError> {
    settings::set(db, settings::RECOVERY, None)?;
    db.execute("DELETE FROM recovered", [])?;
    Ok(())
}

fn missing(db: &Connection) -> Result<Vec<DeviceId>, ServerError> {
    let reported = reported(db)?;
    let all = devices::all(db)?.into_iter().filter(|device| device.state == DeviceState::Active);
    Ok(all.map(|device| device.device).filter(|device| !reported.contains(device)).collect())
}

fn reported(db: &Connection) -> Result<Vec<DeviceId>, ServerError> {
    let mut rows = db.prepare_cached("SELECT device FROM recovered ORDER BY device")?;
    let rows = rows.query_map([], |row| crate::storage::fixed(row, 0).map(DeviceId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether what the server signed once shows that its database went back.
fn contradicts(db: &Connection, epoch: u64, witness: &Witness) -> Result<bool, ServerError> {
    if witness.epoch != epoch {
        return Ok(witness.epoch > epoch);
    }
    Ok(witness.to > logs::head(db, witness.audience.as_str())?)
}

impl Server {
    /// Begins a new epoch if the witness, once its signature is checked, shows that the database went back. Gives whether
    /// it did.
    ///
    /// `newest` is what the device says of the newest epoch that it ever heard of.
    pub(crate) fn hear(&self, witness: &Witness, newest: u64, now_ms: i64) -> Result<bool, ServerError> {
        if proof::verify_witness(&self.keys.public(), witness, &self.keys.server).is_err() {
            return Ok(false);
        }
        if !self.db.read(|db| contradicts(db, self.keys.epoch(), witness))? {
            return Ok(false);
        }
        // A word without a signature may skip some epochs, and not use them all up.
        let seen = newest.clamp(witness.epoch, witness.epoch.saturating_add(SKIPPED_EPOCHS_MAX));
        self.begin_epoch(now_ms, |db, epoch| Ok(contradicts(db, epoch, witness)?.then_some(seen)))
    }

    /// Begins a new epoch if `went_back`, asked again under the writer's lock, gives the newest epoch that is known of.
    pub(crate) fn begin_epoch(
        &self,
        now_ms: i64,
        went_back: impl FnOnce(&Connection, u64) -> Result<Option<u64>, ServerError>,
    ) -> Result<bool, ServerError> {
        let begun = self.db.write(|db| {
            let seen = went_back(db, self.keys.epoch())?;
            let begun = seen.map(|seen| begin(db, &self.keys, seen, now_ms)).transpose()?;
            if let Some(epoch) = begun {
                self.keys.set_epoch(epoch);
            }
            Ok::<_, ServerError>(begun)
        })?;
        if let Some(epoch) = begun {
            self.forget_histories();
            tracing::error!(epoch, "the database is older than what it gave out: a recovery has begun");
        }
        Ok(begun.is_some())
    }

    /// The recovery under way; `None`: there is none.
    ///
    /// # Errors
    /// A failing database.
    pub fn recovery(&self) -> Result<Option<Recovery>, ServerError> {
        self.db.read(|db| {
            let Some(since_ms) = since_ms(db)? else { return Ok(None) };
            let (reported, missing) = (reported(db)?, missing(db)?);
            Ok(Some(Recovery { epoch: self.keys.epoch(), since_ms, reported, missing }))
        })
    }

    /// Closes the recovery: missions are given pages again. What devices bring later is still taken.
    ///
    /// # Errors
    /// `not_found` when there is none, or a failing database.
    pub fn close_recovery(&self) -> Result<(), ServerError> {
        self.db.write(|db| {
            since_ms(db)?.ok_or(ServerError::NotFound("recovery"))?;
            close(db)
        })?;
        self.wakes.recovered();
        Ok(())
    }

    /// Begins a new epoch and a recovery by hand: the folder was put back from a copy.
    ///
    /// # Errors
    /// A failing database.
    pub fn begin_recovery(&self, now_ms: i64) -> Result<(), ServerError> {
        self.begin_epoch(now_ms, |_, epoch| Ok(Some(epoch))).map(drop)
    }
}
