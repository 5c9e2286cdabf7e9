//! Rows of facts: a cache over the documents.

use foras_wire::id::RecordId;
use rusqlite::{Connection, OptionalExtension, params};

use super::fixed;
use crate::error::ServerError;

/// The case of this id or case number, if it is here.
pub(crate) fn find_case(db: &Connection, named: &str) -> Result<Option<RecordId>, ServerError> {
    if let Ok(id) = named.parse::<RecordId>() {
        let mut row = db.prepare_cached("SELECT 1 FROM case_fact WHERE case_id = ?1")?;
        return Ok(row.exists([id.0])?.then_some(id));
    }
    let mut row = db.prepare_cached("SELECT case_id FROM case_fact WHERE case_number = ?1 ORDER BY case_id LIMIT 1")?;
    Ok(row.query_row([named], |row| Ok(RecordId(fixed(row, 0)?))).optional()?)
}

/// Keeps the facts of a case.
pub(crate) fn put_case(db: &Connection, case: &RecordId, number: &str, fact: &str) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO case_fact (case_id, case_number, fact) VALUES (?1, ?2, ?3)
         ON CONFLICT (case_id) DO UPDATE SET case_number = ?2, fact = ?3",
    )?
    .execute(params![case.0, number, fact])?;
    Ok(())
}
