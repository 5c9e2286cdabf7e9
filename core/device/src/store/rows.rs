//! Rows of records and changes, and nothing about what they mean.

use foras_record::change::ParsedChange;
use foras_wire::id::{ChangeHash, RecordId};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Error;

/// The row number of a record, on this device only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordRow(pub(super) i64);

/// A column that holds `N` bytes.
pub(super) fn array<const N: usize>(row: &Row<'_>, at: usize) -> rusqlite::Result<[u8; N]> {
    let bytes = |value: ValueRef<'_>| -> FromSqlResult<[u8; N]> {
        value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidBlobSize { expected_size: N, blob_size: 0 })
    };
    let value = row.get_ref(at)?;
    bytes(value).map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, value.data_type(), Box::new(error)))
}

/// The case that a column names; empty for none.
pub(super) fn case(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<RecordId>> {
    if row.get_ref(at)?.as_blob().is_ok_and(<[u8]>::is_empty) {
        return Ok(None);
    }
    array(row, at).map(|id| Some(RecordId(id)))
}

/// Four columns from `at` on: kind, id, case, generation.
pub(super) fn record_ref(row: &Row<'_>, at: usize) -> rusqlite::Result<RecordRef> {
    let key = RecordKey { kind: KindCode(row.get(at)?), id: RecordId(array(row, at + 1)?) };
    Ok(RecordRef { key, case: case(row, at + 2)?, generation: row.get(at + 3)? })
}

/// How a case is stored.
pub(super) fn case_bytes(record: &RecordRef) -> &[u8] {
    record.case.as_ref().map_or(&[], |case| case.as_bytes())
}

/// The record's row and what is fixed of it, if the device holds it.
pub(super) fn find(connection: &Connection, key: &RecordKey) -> Result<Option<(RecordRow, RecordRef)>, Error> {
    let sql = "SELECT kind, id, case_id, generation, row FROM record WHERE kind = ?1 AND id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement
        .query_row(params![key.kind.0, key.id.as_bytes()], |row| Ok((RecordRow(row.get(4)?), record_ref(row, 0)?)));
    Ok(found.optional()?)
}

pub(super) fn insert(connection: &Connection, record: &RecordRef) -> Result<RecordRow, Error> {
    let sql = "INSERT INTO record (kind, id, case_id, generation) VALUES (?1, ?2, ?3, ?4)";
    let key = &record.key;
    connection.prepare_cached(sql)?.execute(params![
        key.kind.0,
        key.id.as_bytes(),
        case_bytes(record),
        record.generation
    ])?;
    Ok(RecordRow(connection.last_insert_rowid()))
}

/// Deletes the record with its changes and holdings.
pub(super) fn delete(connection: &Connection, row: RecordRow) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM record WHERE row = ?1")?.execute([row.0])?;
    Ok(())
}

/// When this device last stored a change of the record, in milliseconds since 1970, device's clock.
pub(super) fn changed_ms(connection: &Connection, row: RecordRow) -> Result<i64, Error> {
    let mut statement = connection.prepare_cached("SELECT changed_ms FROM record WHERE row = ?1")?;
    Ok(statement.query_row([row.0], |row| row.get(0))?)
}

/// The record's change chunks, dependencies first.
pub(super) fn chunks(connection: &Connection, row: RecordRow) -> Result<Vec<Vec<u8>>, Error> {
    let mut statement = connection.prepare_cached("SELECT chunk FROM change WHERE record = ?1 ORDER BY row")?;
    let chunks = statement.query_map([row.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(chunks)
}

pub(super) fn insert_change(connection: &Connection, row: RecordRow, change: &ParsedChange) -> Result<(), Error> {
    let sql = "INSERT INTO change (record, row, hash, actor, seq, max_op, chunk) \
               VALUES (?1, (SELECT coalesce(max(row), 0) + 1 FROM change WHERE record = ?1), ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        row.0,
        change.hash.as_bytes(),
        change.actor.as_bytes(),
        change.seq.cast_signed(),
        change.max_op().cast_signed(),
        change.bytes(),
    ])?;
    Ok(())
}

/// Keeps a change of a kind that this build does not know; false when it is there already.
pub(super) fn insert_opaque(
    connection: &Connection,
    row: RecordRow,
    hash: &ChangeHash,
    chunk: &[u8],
) -> Result<bool, Error> {
    let sql = "INSERT INTO change (record, row, hash, chunk) \
               SELECT ?1, (SELECT coalesce(max(row), 0) + 1 FROM change WHERE record = ?1), ?2, ?3 \
               WHERE NOT EXISTS (SELECT 1 FROM change WHERE record = ?1 AND hash = ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![row.0, hash.as_bytes(), chunk])? > 0)
}

pub(super) fn has_change(connection: &Connection, row: RecordRow, hash: &ChangeHash) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM change WHERE record = ?1 AND hash = ?2)";
    Ok(connection.prepare_cached(sql)?.query_row(params![row.0, hash.as_bytes()], |row| row.get(0))?)
}

/// Deletes the record's changes, to be written in another order.
pub(super) fn delete_changes(connection: &Connection, row: RecordRow) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM change WHERE record = ?1")?.execute([row.0])?;
    Ok(())
}

/// Notes when the server had received a change of its log.
pub(super) fn set_received(
    connection: &Connection,
    row: RecordRow,
    hash: &ChangeHash,
    received_ms: i64,
) -> Result<(), Error> {
    let sql = "UPDATE change SET received_ms = ?3 WHERE record = ?1 AND hash = ?2";
    connection.prepare_cached(sql)?.execute(params![row.0, hash.as_bytes(), received_ms])?;
    Ok(())
}

pub(super) fn delete_change(connection: &Connection, row: RecordRow, hash: &ChangeHash) -> Result<(), Error> {
    let sql = "DELETE FROM change WHERE record = ?1 AND hash = ?2";
    connection.prepare_cached(sql)?.execute(params![row.0, hash.as_bytes()])?;
    Ok(())
}
