//! Records, their changes in the order of admission, and the audiences that hold them.

use std::collections::BTreeMap;

use foras_record::change;
use foras_record::packed::HeldChange;
use foras_wire::id::{Actor, ChangeHash, RecordId};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{fixed, signed, unsigned};
use crate::error::ServerError;

/// A change as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct StoredChange {
    pub(crate) hash: ChangeHash,
    pub(crate) actor: Actor,
    /// Its number among the author's changes of the record, from 1.
    pub(crate) seq: u64,
    /// Its highest operation counter.
    pub(crate) max_op: u64,
    /// Root of the push that proves it; empty for the server's own.
    pub(crate) push_root: Vec<u8>,
    pub(crate) received_ms: i64,
    pub(crate) chunk: Vec<u8>,
}

pub(super) fn read_ref(row: &Row<'_>) -> rusqlite::Result<RecordRef> {
    Ok(RecordRef {
        key: RecordKey { id: RecordId(fixed(row, 0)?), kind: KindCode(row.get(1)?) },
        case: RecordId::from_slice(&row.get::<_, Vec<u8>>(2)?).ok(),
        generation: row.get(3)?,
    })
}

/// The record of this key, with what was fixed when it was first accepted.
pub(crate) fn get(db: &Connection, key: &RecordKey) -> Result<Option<RecordRef>, ServerError> {
    let mut row = db.prepare_cached("SELECT id, kind, case_id, generation FROM record WHERE id = ?1 AND kind = ?2")?;
    Ok(row.query_row(params![key.id.0, key.kind.0], read_ref).optional()?)
}

/// Every record of a case, by key.
pub(crate) fn of_case(db: &Connection, case: &RecordId) -> Result<Vec<RecordRef>, ServerError> {
    let mut rows =
        db.prepare_cached("SELECT id, kind, case_id, generation FROM record WHERE case_id = ?1 ORDER BY kind, id")?;
    let rows = rows.query_map([case.0], read_ref)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every record, by key.
pub(crate) fn all(db: &Connection) -> Result<Vec<RecordRef>, ServerError> {
    let mut rows = db.prepare_cached("SELECT id, kind, case_id, generation FROM record ORDER BY kind, id")?;
    let rows = rows.query_map([], read_ref)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a new record.
pub(crate) fn add(db: &Connection, record: &RecordRef, now_ms: i64) -> Result<(), ServerError> {
    db.prepare_cached("INSERT INTO record (id, kind, case_id, generation, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            record.key.id.0,
            record.key.kind.0,
            record.case.as_ref().map_or(&[][..], RecordId::as_bytes),
            record.generation,
            now_ms
        ])?;
    Ok(())
}

/// Keeps a change as the record's number `ord`, counted from 1.
pub(crate) fn add_change(db: &Connection, key: &RecordKey, ord: u64, change: &StoredChange) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO change (id, kind, ord, hash, actor, push_root, received_ms, chunk, seq, max_op)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        key.id.0,
        key.kind.0,
        signed(ord),
        change.hash.0,
        change.actor.0,
        change.push_root,
        change.received_ms,
        change.chunk,
        signed(change.seq),
        signed(change.max_op)
    ])?;
    Ok(())
}

/// The record's change number `ord`.
pub(crate) fn change(db: &Connection, key: &RecordKey, ord: u64) -> Result<Option<StoredChange>, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT hash, actor, push_root, received_ms, chunk, seq, max_op FROM change
         WHERE id = ?1 AND kind = ?2 AND ord = ?3",
    )?;
    Ok(row.query_row(params![key.id.0, key.kind.0, signed(ord)], read_change).optional()?)
}

/// The record's changes up to number `through`, dependencies first.
pub(crate) fn changes(db: &Connection, key: &RecordKey, through: u64) -> Result<Vec<StoredChange>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT hash, actor, push_root, received_ms, chunk, seq, max_op FROM change
         WHERE id = ?1 AND kind = ?2 AND ord <= ?3 ORDER BY ord",
    )?;
    let rows = rows.query_map(params![key.id.0, key.kind.0, signed(through)], read_change)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_change(row: &Row<'_>) -> rusqlite::Result<StoredChange> {
    Ok(StoredChange {
        hash: ChangeHash(fixed(row, 0)?),
        actor: Actor(fixed(row, 1)?),
        push_root: row.get(2)?,
        received_ms: row.get(3)?,
        chunk: row.get(4)?,
        seq: unsigned(row, 5)?,
        max_op: unsigned(row, 6)?,
    })
}

/// The record's change of this hash, as it is named.
pub(crate) fn change_of_hash(
    db: &Connection,
    key: &RecordKey,
    hash: &ChangeHash,
) -> Result<Option<HeldChange>, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT hash, actor, seq, max_op, chunk FROM change WHERE id = ?1 AND kind = ?2 AND hash = ?3",
    )?;
    Ok(row.query_row(params![key.id.0, key.kind.0, hash.0], read_held).optional()?)
}

/// The `seq`-th change of `actor` to the record.
pub(crate) fn change_of_author(
    db: &Connection,
    key: &RecordKey,
    actor: &Actor,
    seq: u64,
) -> Result<Option<HeldChange>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT hash, actor, seq, max_op, chunk FROM change
         WHERE id = ?1 AND kind = ?2 AND actor = ?3 AND seq IN (0, ?4) ORDER BY ord",
    )?;
    let rows = rows.query_map(params![key.id.0, key.kind.0, actor.0, signed(seq)], read_held)?;
    for change in rows {
        let change = change?;
        if change.seq == seq {
            return Ok(Some(change));
        }
    }
    Ok(None)
}

/// Version 1 kept numbers in the chunk alone.
fn read_held(row: &Row<'_>) -> rusqlite::Result<HeldChange> {
    let held = HeldChange {
        hash: ChangeHash(fixed(row, 0)?),
        actor: Actor(fixed(row, 1)?),
        seq: unsigned(row, 2)?,
        max_op: unsigned(row, 3)?,
    };
    if held.seq > 0 {
        return Ok(held);
    }
    let parsed = change::parse(row.get_ref(4)?.as_blob()?).ok();
    Ok(parsed.map_or(held, |parsed| HeldChange { seq: parsed.seq, max_op: parsed.max_op(), ..held }))
}

/// Hashes and chunks of the record's changes up to number `through`, dependencies first.
pub(crate) fn hashed_chunks(
    db: &Connection,
    key: &RecordKey,
    through: u64,
) -> Result<Vec<(ChangeHash, Vec<u8>)>, ServerError> {
    let mut rows =
        db.prepare_cached("SELECT hash, chunk FROM change WHERE id = ?1 AND kind = ?2 AND ord <= ?3 ORDER BY ord")?;
    let read = |row: &Row<'_>| Ok((ChangeHash(fixed(row, 0)?), row.get(1)?));
    let rows = rows.query_map(params![key.id.0, key.kind.0, signed(through)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Chunks of the record's changes up to number `through`, dependencies first.
pub(crate) fn chunks(db: &Connection, key: &RecordKey, through: u64) -> Result<Vec<Vec<u8>>, ServerError> {
    let mut rows =
        db.prepare_cached("SELECT chunk FROM change WHERE id = ?1 AND kind = ?2 AND ord <= ?3 ORDER BY ord")?;
    let rows = rows.query_map(params![key.id.0, key.kind.0, signed(through)], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Authors of the record's changes up to number `through`, each once.
pub(crate) fn actors(db: &Connection, key: &RecordKey, through: u64) -> Result<Vec<Actor>, ServerError> {
    let mut rows = db
        .prepare_cached("SELECT DISTINCT actor FROM change WHERE id = ?1 AND kind = ?2 AND ord <= ?3 ORDER BY actor")?;
    let rows = rows.query_map(params![key.id.0, key.kind.0, signed(through)], |row| Ok(Actor(fixed(row, 0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether the record holds the change.
pub(crate) fn has(db: &Connection, key: &RecordKey, hash: &ChangeHash) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached("SELECT 1 FROM change WHERE id = ?1 AND kind = ?2 AND hash = ?3")?;
    Ok(row.exists(params![key.id.0, key.kind.0, hash.0])?)
}

/// Hashes of the record's changes, dependencies first.
pub(crate) fn hashes(db: &Connection, key: &RecordKey) -> Result<Vec<ChangeHash>, ServerError> {
    let mut rows = db.prepare_cached("SELECT hash FROM change WHERE id = ?1 AND kind = ?2 ORDER BY ord")?;
    let rows = rows.query_map(params![key.id.0, key.kind.0], |row| fixed(row, 0).map(ChangeHash))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many changes the record has.
pub(crate) fn change_count(db: &Connection, key: &RecordKey) -> Result<u64, ServerError> {
    let mut row = db.prepare_cached("SELECT coalesce(max(ord), 0) FROM change WHERE id = ?1 AND kind = ?2")?;
    Ok(row.query_row(params![key.id.0, key.kind.0], |row| unsigned(row, 0))?)
}

/// Audiences that hold the record or held it, by name; those that it left with the moment when.
pub(crate) fn audiences(db: &Connection, key: &RecordKey) -> Result<BTreeMap<String, Option<i64>>, ServerError> {
    let mut rows = db.prepare_cached("SELECT audience, left_ms FROM record_audience WHERE id = ?1 AND kind = ?2")?;
    let rows = rows.query_map(params![key.id.0, key.kind.0], |row| {
        let left_ms: i64 = row.get(1)?;
        Ok((row.get(0)?, (left_ms != 0).then_some(left_ms)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that the audience holds the record, or left it at `left_ms`.
pub(crate) fn set_audience(
    db: &Connection,
    key: &RecordKey,
    audience: &str,
    left_ms: Option<i64>,
) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO record_audience (id, kind, audience, left_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id, kind, audience) DO UPDATE SET left_ms = ?4",
    )?
    .execute(params![key.id.0, key.kind.0, audience, left_ms.map_or(0, |ms| ms.max(1))])?;
    Ok(())
}

/// Whether the audience holds the record now.
pub(crate) fn is_held(db: &Connection, key: &RecordKey, audience: &str) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT 1 FROM record_audience WHERE id = ?1 AND kind = ?2 AND audience = ?3 AND left_ms = 0",
    )?;
    Ok(row.exists(params![key.id.0, key.kind.0, audience])?)
}

/// Notes until when a mission held a case, by a rule other than a withdrawal.
pub(crate) fn end_custody(db: &Connection, case: &RecordId, country: &str, until_ms: i64) -> Result<(), ServerError> {
    db.execute(
        "INSERT INTO past_custody (case_id, country, until_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (case_id, country) DO UPDATE SET until_ms = ?3",
        params![case.0, country, until_ms],
    )?;
    Ok(())
}

/// Until when the mission held the case; `None`: never, or still.
pub(crate) fn custody_ended(db: &Connection, case: &RecordId, country: &str) -> Result<Option<i64>, ServerError> {
    let mut row = db.prepare_cached("SELECT until_ms FROM past_custody WHERE case_id = ?1 AND country = ?2")?;
    Ok(row.query_row(params![case.0, country], |row| row.get(0)).optional()?)
}
