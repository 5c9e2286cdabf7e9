//! Signatures of pushes, and what was received without being admitted.

use foras_wire::id::{ChangeHash, DeviceId, Digest32, Incarnation, Signature64};
use foras_wire::record::RecordRef;
use rusqlite::{Connection, params};

use super::{signed, unsigned};
use crate::error::ServerError;

/// What an author signed: all that its signature covers.
#[derive(Debug)]
pub(crate) struct SignedPush<'a> {
    pub(crate) incarnation: Incarnation,
    pub(crate) grant_revision: u64,
    pub(crate) epoch: u64,
    pub(crate) signature: Signature64,
    /// Of every change, also of those that were not shown.
    pub(crate) leaves: &'a [Digest32],
    pub(crate) root: Digest32,
    /// The digest of its change sets.
    pub(crate) sets: Digest32,
}

/// Keeps a push's signature and leaves; a push that is sent again is kept once.
pub(crate) fn add_push(
    db: &Connection,
    device: &DeviceId,
    push: &SignedPush<'_>,
    now_ms: i64,
) -> Result<(), ServerError> {
    let leaves: Vec<u8> = push.leaves.iter().flat_map(|leaf| leaf.0).collect();
    db.prepare_cached(
        "INSERT INTO push (root, device, incarnation, grant_revision, epoch, signature, leaves, sets, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (root) DO NOTHING",
    )?
    .execute(params![
        push.root.0,
        device.0,
        push.incarnation.0,
        signed(push.grant_revision),
        signed(push.epoch),
        push.signature.0,
        leaves,
        push.sets.0,
        now_ms
    ])?;
    Ok(())
}

/// A change that is kept for a supervisor, outside its record.
#[derive(Debug)]
pub(crate) struct Quarantined<'a> {
    pub(crate) device: &'a DeviceId,
    pub(crate) record: &'a RecordRef,
    pub(crate) hash: &'a ChangeHash,
    pub(crate) push_root: &'a Digest32,
    pub(crate) code: &'a str,
    pub(crate) chunk: &'a [u8],
}

/// Keeps a change in quarantine, once.
pub(crate) fn quarantine(db: &Connection, change: &Quarantined<'_>, now_ms: i64) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO quarantine (device, hash, id, kind, case_id, generation, push_root, code, received_ms, chunk)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        change.device.0,
        change.hash.0,
        change.record.key.id.0,
        change.record.key.kind.0,
        change.record.case.as_ref().map_or(&[][..], |case| case.as_bytes()),
        change.record.generation,
        change.push_root.0,
        change.code,
        now_ms,
        change.chunk
    ])?;
    Ok(())
}

/// How many changes of a device wait in quarantine.
pub(crate) fn quarantined(db: &Connection, device: &DeviceId) -> Result<u64, ServerError> {
    let mut row = db.prepare_cached("SELECT count(*) FROM quarantine WHERE device = ?1")?;
    Ok(row.query_row([device.0], |row| unsigned(row, 0))?)
}
