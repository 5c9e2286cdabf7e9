//! How far devices said that they had applied, and what missions have seen.

use foras_wire::id::DeviceId;
use foras_wire::record::RecordKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::{signed, unsigned};
use crate::error::ServerError;

/// The device's last known position in a log, and when it said so.
pub(crate) fn get(db: &Connection, device: &DeviceId, audience: &str) -> Result<u64, ServerError> {
    let mut row = db.prepare_cached("SELECT pos FROM device_cursor WHERE device = ?1 AND audience = ?2")?;
    Ok(row.query_row(params![device.0, audience], |row| unsigned(row, 0)).optional()?.unwrap_or(0))
}

/// Notes the device's position in a log.
pub(crate) fn set(
    db: &Connection,
    device: &DeviceId,
    audience: &str,
    pos: u64,
    now_ms: i64,
) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO device_cursor (device, audience, pos, at_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device, audience) DO UPDATE SET pos = ?3, at_ms = ?4",
    )?
    .execute(params![device.0, audience, signed(pos), now_ms])?;
    Ok(())
}

/// Notes that `country`'s mission has `record` up to change `ord`; false when that was known.
pub(crate) fn see(db: &Connection, record: &RecordKey, country: &str, ord: u64) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached("SELECT ord FROM seen WHERE id = ?1 AND kind = ?2 AND country = ?3")?;
    let known = row.query_row(params![record.id.0, record.kind.0, country], |row| unsigned(row, 0)).optional()?;
    if known.is_some_and(|known| known >= ord) {
        return Ok(false);
    }
    db.prepare_cached(
        "INSERT INTO seen (id, kind, country, ord) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id, kind, country) DO UPDATE SET ord = ?4",
    )?
    .execute(params![record.id.0, record.kind.0, country, signed(ord)])?;
    Ok(true)
}
