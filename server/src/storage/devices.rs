//! Devices, the grants that they were ever given, and their blocks of case numbers.

use foras_wire::enrol::CaseNumberBlock;
use foras_wire::grant::SignedGrant;
use foras_wire::id::{DeviceId, PublicKey, Signature64};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{fixed, signed, unsigned};
use crate::error::ServerError;

/// Whether a device may talk to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceState {
    /// It may.
    Active,
    /// Its phone is lost: it is refused at once.
    Lost,
    /// Its person left: what it has not sent is received into quarantine, then it is refused.
    Left,
}

impl DeviceState {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Lost => "lost",
            Self::Left => "left",
        }
    }
}

/// An enrolled device.
#[derive(Debug, Clone)]
pub(crate) struct StoredDevice {
    pub(crate) device: DeviceId,
    pub(crate) key: PublicKey,
    pub(crate) state: DeviceState,
    /// The revision of its grant that holds now.
    pub(crate) revision: u64,
    pub(crate) enrolled_ms: i64,
    pub(crate) seen_ms: i64,
}

const COLUMNS: &str = "device, key, state, revision, enrolled_ms, seen_ms";

fn read(row: &Row<'_>) -> rusqlite::Result<StoredDevice> {
    let state: String = row.get(2)?;
    Ok(StoredDevice {
        device: DeviceId(fixed(row, 0)?),
        key: PublicKey(fixed(row, 1)?),
        state: match state.as_str() {
            "active" => DeviceState::Active,
            "left" => DeviceState::Left,
            _ => DeviceState::Lost,
        },
        revision: unsigned(row, 3)?,
        enrolled_ms: row.get(4)?,
        seen_ms: row.get(5)?,
    })
}

/// Keeps a new device, without its grant.
pub(crate) fn add(db: &Connection, device: &StoredDevice) -> Result<(), ServerError> {
    db.execute(
        "INSERT INTO device (device, key, state, revision, enrolled_ms, seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            device.device.0,
            device.key.0,
            device.state.code(),
            signed(device.revision),
            device.enrolled_ms,
            device.seen_ms
        ],
    )?;
    Ok(())
}

/// The device of this id.
pub(crate) fn get(db: &Connection, device: &DeviceId) -> Result<Option<StoredDevice>, ServerError> {
    let sql = format!("SELECT {COLUMNS} FROM device WHERE device = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([device.0], read).optional()?)
}

/// The device that holds this key.
pub(crate) fn by_key(db: &Connection, key: &PublicKey) -> Result<Option<StoredDevice>, ServerError> {
    let sql = format!("SELECT {COLUMNS} FROM device WHERE key = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([key.0], read).optional()?)
}

/// Every device, the first enrolled first.
pub(crate) fn all(db: &Connection) -> Result<Vec<StoredDevice>, ServerError> {
    let sql = format!("SELECT {COLUMNS} FROM device ORDER BY enrolled_ms, device");
    let mut rows = db.prepare_cached(&sql)?;
    let rows = rows.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sets a device's state.
pub(crate) fn set_state(db: &Connection, device: &DeviceId, state: DeviceState) -> Result<(), ServerError> {
    db.execute("UPDATE device SET state = ?2 WHERE device = ?1", params![device.0, state.code()])?;
    Ok(())
}

/// Notes a contact.
pub(crate) fn set_seen(db: &Connection, device: &DeviceId, now_ms: i64) -> Result<(), ServerError> {
    db.execute("UPDATE device SET seen_ms = ?2 WHERE device = ?1", params![device.0, now_ms])?;
    Ok(())
}

/// Keeps a grant as the one that holds now; the one before it ends.
pub(crate) fn put_grant(
    db: &Connection,
    device: &DeviceId,
    revision: u64,
    grant: &SignedGrant,
    now_ms: i64,
) -> Result<(), ServerError> {
    db.execute(
        "UPDATE grant_revision SET ended_ms = ?2 WHERE device = ?1 AND ended_ms = 0",
        params![device.0, now_ms],
    )?;
    db.execute(
        "INSERT INTO grant_revision (device, revision, bytes, signature) VALUES (?1, ?2, ?3, ?4)",
        params![device.0, signed(revision), grant.bytes, grant.signature.0],
    )?;
    db.execute("UPDATE device SET revision = ?2 WHERE device = ?1", params![device.0, signed(revision)])?;
    Ok(())
}

/// A grant and when it ended; 0: it holds.
pub(crate) fn grant(
    db: &Connection,
    device: &DeviceId,
    revision: u64,
) -> Result<Option<(SignedGrant, i64)>, ServerError> {
    let mut row =
        db.prepare_cached("SELECT bytes, signature, ended_ms FROM grant_revision WHERE device = ?1 AND revision = ?2")?;
    let read =
        |row: &Row<'_>| Ok((SignedGrant { bytes: row.get(0)?, signature: Signature64(fixed(row, 1)?) }, row.get(2)?));
    Ok(row.query_row(params![device.0, signed(revision)], read).optional()?)
}

/// The device's block of case numbers.
pub(crate) fn case_numbers(db: &Connection, device: &DeviceId) -> Result<Option<CaseNumberBlock>, ServerError> {
    let mut row = db.prepare_cached("SELECT prefix, first, last FROM case_number_block WHERE device = ?1")?;
    let read =
        |row: &Row<'_>| Ok(CaseNumberBlock { prefix: row.get(0)?, first: unsigned(row, 1)?, last: unsigned(row, 2)? });
    Ok(row.query_row([device.0], read).optional()?)
}

/// Gives the device a block; false when the prefix is taken.
pub(crate) fn take_case_numbers(
    db: &Connection,
    device: &DeviceId,
    block: &CaseNumberBlock,
) -> Result<bool, ServerError> {
    let added = db.execute(
        "INSERT INTO case_number_block (device, prefix, first, last) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        params![device.0, block.prefix, signed(block.first), signed(block.last)],
    )?;
    Ok(added == 1)
}

/// How many blocks were given.
pub(crate) fn case_number_blocks(db: &Connection) -> Result<u64, ServerError> {
    Ok(db.query_row("SELECT count(*) FROM case_number_block", [], |row| unsigned(row, 0))?)
}
