//! Invitations: stored by hashes of their secrets, single use.

use foras_wire::id::{DeviceId, RecordId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fixed;
use crate::error::ServerError;

/// A stored invitation.
#[derive(Debug, Clone)]
pub(crate) struct StoredInvitation {
    pub(crate) secret_hash: [u8; 32],
    /// The first characters of the code, by which it is found.
    pub(crate) code_lookup: String,
    pub(crate) code_hash: [u8; 32],
    pub(crate) code_expires_ms: i64,
    /// Wrong codes tried so far.
    pub(crate) code_tries: u32,
    pub(crate) role: String,
    /// Codes of places, separated by spaces.
    pub(crate) places: String,
    pub(crate) case: Option<RecordId>,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    /// The device that used it.
    pub(crate) device: Option<DeviceId>,
}

const COLUMNS: &str = "secret_hash, code_lookup, code_hash, code_expires_ms, code_tries, role, places, case_id, name, \
                       created_ms, expires_ms, device";

fn read(row: &Row<'_>) -> rusqlite::Result<StoredInvitation> {
    Ok(StoredInvitation {
        secret_hash: fixed(row, 0)?,
        code_lookup: row.get(1)?,
        code_hash: fixed(row, 2)?,
        code_expires_ms: row.get(3)?,
        code_tries: row.get(4)?,
        role: row.get(5)?,
        places: row.get(6)?,
        case: RecordId::from_slice(&row.get::<_, Vec<u8>>(7)?).ok(),
        name: row.get(8)?,
        created_ms: row.get(9)?,
        expires_ms: row.get(10)?,
        device: DeviceId::from_slice(&row.get::<_, Vec<u8>>(11)?).ok(),
    })
}

/// Keeps a new invitation.
pub(crate) fn add(db: &Connection, invitation: &StoredInvitation) -> Result<(), ServerError> {
    db.execute(
        "INSERT INTO invitation (secret_hash, code_lookup, code_hash, code_expires_ms, role, places, case_id, name, \
         created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            invitation.secret_hash,
            invitation.code_lookup,
            invitation.code_hash,
            invitation.code_expires_ms,
            invitation.role,
            invitation.places,
            invitation.case.as_ref().map_or(&[][..], RecordId::as_bytes),
            invitation.name,
            invitation.created_ms,
            invitation.expires_ms,
        ],
    )?;
    Ok(())
}

/// The invitation of this secret's hash.
pub(crate) fn by_secret(db: &Connection, hash: &[u8; 32]) -> Result<Option<StoredInvitation>, ServerError> {
    let sql = format!("SELECT {COLUMNS} FROM invitation WHERE secret_hash = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([hash], read).optional()?)
}

/// The newest invitation whose code starts with `lookup`.
pub(crate) fn by_lookup(db: &Connection, lookup: &str) -> Result<Option<StoredInvitation>, ServerError> {
    let sql = format!("SELECT {COLUMNS} FROM invitation WHERE code_lookup = ?1 ORDER BY created_ms DESC LIMIT 1");
    Ok(db.prepare_cached(&sql)?.query_row([lookup], read).optional()?)
}

/// Counts a wrong try against the invitation.
pub(crate) fn count_try(db: &Connection, secret_hash: &[u8; 32]) -> Result<(), ServerError> {
    db.execute("UPDATE invitation SET code_tries = code_tries + 1 WHERE secret_hash = ?1", [secret_hash])?;
    Ok(())
}

/// Notes which device used the invitation.
pub(crate) fn mark_used(db: &Connection, secret_hash: &[u8; 32], device: &DeviceId) -> Result<(), ServerError> {
    db.execute("UPDATE invitation SET device = ?2 WHERE secret_hash = ?1", params![secret_hash, device.0])?;
    Ok(())
}
