//! Audience logs: dense positions from 1, appended under the lock of the audience's head row.

use foras_wire::id::RecordId;
use foras_wire::record::{KindCode, RecordKey};
use rusqlite::{Connection, OptionalExtension, params};

use super::{fixed, packs, signed, unsigned};
use crate::error::ServerError;

/// What a row of a log stands for. The numbers are those of the wire's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// One change of a record.
    Change = 1,
    /// A record with all its changes up to `ord`.
    Whole = 2,
    /// A record left the audience.
    Drop = 4,
    /// An actor is introduced.
    Author = 6,
    /// A mission has a record.
    Seen = 7,
    /// Nothing any more.
    Stub = 8,
}

/// A row of a log.
#[derive(Debug, Clone)]
pub(crate) struct LogRow {
    pub(crate) code: Code,
    /// The record that it is about; all zero where it is about none.
    pub(crate) record: RecordKey,
    pub(crate) ord: u64,
    /// CBOR of the entry, for those that are not made from a record.
    pub(crate) body: Vec<u8>,
    pub(crate) at_ms: i64,
}

/// No record.
pub(crate) const NO_RECORD: RecordKey = RecordKey { kind: KindCode(0), id: RecordId([0; 16]) };

/// The last position of the log.
pub(crate) fn head(db: &Connection, audience: &str) -> Result<u64, ServerError> {
    let mut row = db.prepare_cached("SELECT head FROM audience_head WHERE audience = ?1")?;
    Ok(row.query_row([audience], |row| unsigned(row, 0)).optional()?.unwrap_or(0))
}

/// Appends rows. Within a transaction this comes last, and over audiences in sorted order: the head row is locked from
/// here to the commit, so that the order of commits is the order of positions.
pub(crate) fn append(db: &Connection, audience: &str, rows: &[LogRow]) -> Result<(), ServerError> {
    let mut pos = head(db, audience)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO audience_log (audience, pos, entry, id, kind, ord, body, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    if rows.iter().any(|row| row.code == Code::Drop) {
        packs::forget(db, audience)?;
    }
    for row in rows {
        pos += 1;
        insert.execute(params![
            audience,
            signed(pos),
            row.code as i64,
            row.record.id.0,
            row.record.kind.0,
            signed(row.ord),
            row.body,
            row.at_ms
        ])?;
    }
    db.prepare_cached(
        "INSERT INTO audience_head (audience, head) VALUES (?1, ?2)
         ON CONFLICT (audience) DO UPDATE SET head = ?2",
    )?
    .execute(params![audience, signed(pos)])?;
    Ok(())
}

/// At most `limit` rows after position `from`.
pub(crate) fn after(db: &Connection, audience: &str, from: u64, limit: u32) -> Result<Vec<LogRow>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT entry, id, kind, ord, body, at_ms FROM audience_log
         WHERE audience = ?1 AND pos > ?2 ORDER BY pos LIMIT ?3",
    )?;
    let rows = rows.query_map(params![audience, signed(from), limit], |row| {
        Ok(LogRow {
            code: match row.get::<_, i64>(0)? {
                1 => Code::Change,
                2 => Code::Whole,
                4 => Code::Drop,
                6 => Code::Author,
                7 => Code::Seen,
                _ => Code::Stub,
            },
            record: RecordKey { id: RecordId(fixed(row, 1)?), kind: KindCode(row.get(2)?) },
            ord: unsigned(row, 3)?,
            body: row.get(4)?,
            at_ms: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How often something left the audience.
pub(crate) fn drops(db: &Connection, audience: &str) -> Result<u64, ServerError> {
    let mut row = db.prepare_cached("SELECT drops FROM audience_head WHERE audience = ?1")?;
    Ok(row.query_row([audience], |row| unsigned(row, 0)).optional()?.unwrap_or(0))
}

const STUB: &str = "UPDATE audience_log SET entry = 8, id = ?4, kind = 0, ord = 0, body = x''
     WHERE audience = ?1 AND pos IN
     (SELECT pos FROM audience_log WHERE id = ?2 AND kind = ?3 AND audience = ?1 AND entry IN (1, 2, 7))";
const POSITION: &str = "SELECT max(pos) FROM audience_log
     WHERE id = ?2 AND kind = ?3 AND audience = ?1 AND entry IN (1, 2) AND ord <= ?4";

/// Makes stubs of what a log holds of a record's content: it left the audience.
pub(crate) fn stub_record(db: &Connection, audience: &str, record: &RecordKey) -> Result<(), ServerError> {
    db.prepare_cached(STUB)?.execute(params![audience, record.id.0, record.kind.0, NO_RECORD.id.0])?;
    db.prepare_cached("UPDATE audience_head SET drops = drops + 1 WHERE audience = ?1")?.execute([audience])?;
    Ok(())
}

/// The last position at which the log holds a change of the record up to number `ord`.
pub(crate) fn position_of(
    db: &Connection,
    audience: &str,
    record: &RecordKey,
    ord: u64,
) -> Result<Option<u64>, ServerError> {
    let mut row = db.prepare_cached(POSITION)?;
    let pos: Option<i64> =
        row.query_row(params![audience, record.id.0, record.kind.0, signed(ord)], |row| row.get(0))?;
    Ok(pos.and_then(|pos| u64::try_from(pos).ok()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Database, names};
    use super::*;

    /// A log of a point grows for years: what it tells of one record must not cost more by that.
    #[test]
    fn what_a_log_tells_of_one_record_is_found_without_reading_the_log() {
        let database = Database::in_memory().unwrap();
        for sql in [names::TELLS, POSITION, STUB] {
            let plan = database.write(|db| {
                let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let words = vec![rusqlite::types::Null; plan.parameter_count()];
                let steps = plan.query_map(rusqlite::params_from_iter(words), |row| row.get::<_, String>("detail"))?;
                Ok::<_, ServerError>(steps.collect::<Result<Vec<_>, _>>()?)
            });
            let plan = plan.unwrap().join("; ");
            assert!(plan.contains("audience_log_record (id=? AND kind=? AND audience=?"), "{sql}: {plan}");
        }
    }
}
