//! Who an actor is, and which logs have introduced it.

use foras_wire::id::{Actor, DeviceId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{fixed, unsigned};
use crate::error::ServerError;

/// Incarnations of one device: one at installation, one for each restore or re-issue.
pub(crate) const INCARNATIONS_MAX: u64 = 1_000;

/// An actor's device, name and role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Author {
    pub(crate) actor: Actor,
    /// `None`: the server's own actor.
    pub(crate) device: Option<DeviceId>,
    pub(crate) name: Option<String>,
    pub(crate) role: String,
    /// Its numbers were used twice with different content: nothing of it is admitted any more.
    pub(crate) frozen: bool,
}

/// The author of this actor.
pub(crate) fn get(db: &Connection, actor: &Actor) -> Result<Option<Author>, ServerError> {
    let mut row = db.prepare_cached("SELECT device, name, role, frozen_ms FROM author WHERE actor = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        let name: String = row.get(1)?;
        Ok(Author {
            actor: *actor,
            device: DeviceId::from_slice(&row.get::<_, Vec<u8>>(0)?).ok(),
            name: (!name.is_empty()).then_some(name),
            role: row.get(2)?,
            frozen: row.get::<_, i64>(3)? != 0,
        })
    };
    Ok(row.query_row([actor.0], read).optional()?)
}

/// Keeps an author; one that is known stays as it is.
pub(crate) fn add(db: &Connection, author: &Author) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO author (actor, device, name, role) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (actor) DO NOTHING",
    )?
    .execute(params![
        author.actor.0,
        author.device.as_ref().map_or(&[][..], DeviceId::as_bytes),
        author.name.as_deref().unwrap_or_default(),
        author.role,
    ])?;
    Ok(())
}

/// How many incarnations a device has shown.
pub(crate) fn incarnations(db: &Connection, device: &DeviceId) -> Result<u64, ServerError> {
    let mut row = db.prepare_cached("SELECT count(*) FROM author WHERE device = ?1")?;
    Ok(row.query_row([device.0], |row| unsigned(row, 0))?)
}

/// Freezes an actor and raises an alert.
pub(crate) fn freeze(db: &Connection, actor: &Actor, device: &DeviceId, now_ms: i64) -> Result<(), ServerError> {
    db.execute("UPDATE author SET frozen_ms = ?2 WHERE actor = ?1 AND frozen_ms = 0", params![actor.0, now_ms.max(1)])?;
    db.execute(
        "INSERT INTO alert (device, actor, code, at_ms) VALUES (?1, ?2, 'seq_reused', ?3) ON CONFLICT DO NOTHING",
        params![device.0, actor.0, now_ms],
    )?;
    Ok(())
}

/// Alerts: device, code and when, the newest first.
pub(crate) fn alerts(db: &Connection) -> Result<Vec<(DeviceId, String, i64)>, ServerError> {
    let mut rows = db.prepare_cached("SELECT device, code, at_ms FROM alert ORDER BY at_ms DESC, device, code")?;
    let rows = rows.query_map([], |row| Ok((DeviceId(fixed(row, 0)?), row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that the log of `audience` introduces `actor`; false when it did before.
pub(crate) fn introduce(db: &Connection, audience: &str, actor: &Actor) -> Result<bool, ServerError> {
    let mut row =
        db.prepare_cached("INSERT INTO audience_author (audience, actor) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    Ok(row.execute(params![audience, actor.0])? == 1)
}
