//! Tokens, stored hashed, and nonces that were used.

use foras_wire::id::{DeviceId, Nonce};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::ServerError;
use crate::keys::digest;

/// Keeps a new token; the device's expired ones go.
pub(crate) fn add(
    db: &Connection,
    device: &DeviceId,
    token: &[u8; 32],
    now_ms: i64,
    expires_ms: i64,
) -> Result<(), ServerError> {
    db.execute("DELETE FROM token WHERE device = ?1 AND expires_ms <= ?2", params![device.0, now_ms])?;
    db.execute(
        "INSERT INTO token (hash, device, expires_ms) VALUES (?1, ?2, ?3)",
        params![digest(token), device.0, expires_ms],
    )?;
    Ok(())
}

/// Whether the token is the device's and holds.
pub(crate) fn holds(db: &Connection, device: &DeviceId, token: &[u8; 32], now_ms: i64) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached("SELECT expires_ms FROM token WHERE hash = ?1 AND device = ?2")?;
    let expires: Option<i64> = row.query_row(params![digest(token), device.0], |row| row.get(0)).optional()?;
    Ok(expires.is_some_and(|expires_ms| expires_ms > now_ms))
}

/// Ends all tokens of a device.
pub(crate) fn end_all(db: &Connection, device: &DeviceId) -> Result<(), ServerError> {
    db.execute("DELETE FROM token WHERE device = ?1", [device.0])?;
    Ok(())
}

/// Ends all tokens of a device but the newest `kept`.
pub(crate) fn end_older(db: &Connection, device: &DeviceId, kept: u32) -> Result<(), ServerError> {
    db.execute(
        "DELETE FROM token WHERE device = ?1 AND hash NOT IN \
         (SELECT hash FROM token WHERE device = ?1 ORDER BY expires_ms DESC LIMIT ?2)",
        params![device.0, kept],
    )?;
    Ok(())
}

/// Uses a nonce up; false when it was used before.
pub(crate) fn use_nonce(
    db: &Connection,
    device: &DeviceId,
    nonce: &Nonce,
    now_ms: i64,
    expires_ms: i64,
) -> Result<bool, ServerError> {
    db.execute("DELETE FROM used_nonce WHERE device = ?1 AND expires_ms <= ?2", params![device.0, now_ms])?;
    let added = db.execute(
        "INSERT INTO used_nonce (device, nonce, expires_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![device.0, nonce.0, expires_ms],
    )?;
    Ok(added == 1)
}

/// Whether a nonce was used up.
pub(crate) fn is_used(db: &Connection, device: &DeviceId, nonce: &Nonce) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached("SELECT 1 FROM used_nonce WHERE device = ?1 AND nonce = ?2")?;
    Ok(row.exists(params![device.0, nonce.0])?)
}
