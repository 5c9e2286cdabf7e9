//! Sums of what records and audiences hold, kept beside them: whether a copy is equal is told by 16 bytes.

use std::collections::BTreeMap;

use foras_wire::id::ChangeHash;
use foras_wire::reconcile::{Item, Sum};
use foras_wire::record::RecordKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::{fixed, logs, records, settings, signed};
use crate::error::ServerError;

/// The sum of a record's changes.
pub(crate) fn of_record(db: &Connection, key: &RecordKey) -> Result<Sum, ServerError> {
    let mut row = db.prepare_cached("SELECT digest FROM record WHERE id = ?1 AND kind = ?2")?;
    let sum = row.query_row(params![key.id.0, key.kind.0], |row| fixed(row, 0)).optional()?;
    Ok(sum.map(Sum::from_bytes).unwrap_or_default())
}

/// Keeps the sum of a record's changes.
pub(crate) fn set_record(db: &Connection, key: &RecordKey, sum: Sum) -> Result<(), ServerError> {
    db.prepare_cached("UPDATE record SET digest = ?3 WHERE id = ?1 AND kind = ?2")?.execute(params![
        key.id.0,
        key.kind.0,
        sum.to_bytes()
    ])?;
    Ok(())
}

/// The sum of the changes of all records that the audience holds.
pub(crate) fn of_audience(db: &Connection, audience: &str) -> Result<Sum, ServerError> {
    let mut row = db.prepare_cached("SELECT digest FROM audience_head WHERE audience = ?1")?;
    let sum = row.query_row([audience], |row| fixed(row, 0)).optional()?;
    Ok(sum.map(Sum::from_bytes).unwrap_or_default())
}

/// Adds `by` to the audience's sum. Comes with the audience's log rows, under the same lock of its head.
pub(crate) fn shift_audience(db: &Connection, audience: &str, by: Sum) -> Result<(), ServerError> {
    set_audience(db, audience, of_audience(db, audience)?.plus(by))
}

fn set_audience(db: &Connection, audience: &str, sum: Sum) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO audience_head (audience, head, digest) VALUES (?1, ?2, ?3)
         ON CONFLICT (audience) DO UPDATE SET digest = ?3",
    )?
    .execute(params![audience, signed(logs::head(db, audience)?), sum.to_bytes()])?;
    Ok(())
}

/// A change that an audience holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) item: Item,
    pub(crate) record: RecordKey,
    /// Its number among the record's changes.
    pub(crate) ord: u64,
}

/// Every change of the records that the audience holds, or, with `left`, that it held until they left it.
pub(crate) fn copy(db: &Connection, audience: &str, left: bool) -> Result<Vec<Held>, ServerError> {
    let mut held = Vec::new();
    let mut rows = db.prepare_cached(
        "SELECT record.id, record.kind, record.case_id, record.generation, change.ord, change.hash
         FROM record_audience
         JOIN record ON record.id = record_audience.id AND record.kind = record_audience.kind
         JOIN change ON change.id = record.id AND change.kind = record.kind
         WHERE record_audience.audience = ?1 AND (record_audience.left_ms <> 0) = ?2",
    )?;
    let mut rows = rows.query(params![audience, left])?;
    while let Some(row) = rows.next()? {
        let record = records::read_ref(row)?;
        let item = Item::of(&record, &ChangeHash(fixed(row, 5)?));
        held.push(Held { item, record: record.key, ord: super::unsigned(row, 4)? });
    }
    Ok(held)
}

/// Makes every sum anew from the changes, where that was never done.
pub(crate) fn begin(db: &Connection) -> Result<(), ServerError> {
    if settings::get(db, settings::DIGESTS)?.is_some() {
        return Ok(());
    }
    let mut audiences: BTreeMap<String, Sum> = BTreeMap::new();
    for record in records::all(db)? {
        let sum: Sum = records::hashes(db, &record.key)?.iter().map(|hash| Item::of(&record, hash)).collect();
        set_record(db, &record.key, sum)?;
        for (audience, left) in records::audiences(db, &record.key)? {
            if left.is_none() {
                let all = audiences.entry(audience).or_default();
                *all = all.plus(sum);
            }
        }
    }
    for (audience, sum) in audiences {
        set_audience(db, &audience, sum)?;
    }
    settings::set(db, settings::DIGESTS, Some("1"))
}
