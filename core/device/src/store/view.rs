//! The columns that lists read, made from a record's document whenever it changed.

use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_wire::record::RecordRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::leave;
use super::rows::RecordRow;
use crate::error::Error;

/// Writes the columns of one record. A case also tells its other records which point they belong to.
pub(super) fn write(
    connection: &Connection,
    row: RecordRow,
    record: &RecordRef,
    document: &Document,
    now_ms: i64,
) -> Result<(), Error> {
    let kind = document.kind();
    let text = |name| kind.rule().field(name).and_then(|field| document.value_text(field)).unwrap_or_default();
    let (title, own_point, number) = (text("name"), text("point"), text("case_number"));
    let point = if own_point.is_empty() { inherited_point(connection, row, record)? } else { own_point };
    let sql = "UPDATE record SET title = ?2, search = ?3, point = ?4, number = ?5, sort_at = ?6, conflicts = ?7, \
               awaiting = ?8, columns = ?9, changed_ms = ?10 WHERE row = ?1";
    connection.prepare_cached(sql)?.execute(params![
        row.0,
        title,
        title.to_lowercase(),
        point,
        number,
        text("start"),
        document.conflicts(),
        0,
        "{}",
        now_ms
    ])?;
    if kind == Kind::Case { bequeath_point(connection, record, &point) } else { Ok(()) }
}

/// The point of a record's case; where the device does not hold that, of an audience through which it holds the record.
fn inherited_point(connection: &Connection, row: RecordRow, record: &RecordRef) -> Result<String, Error> {
    let Some(case) = &record.case else { return Ok(String::new()) };
    let sql = "SELECT point FROM record WHERE kind = ?1 AND id = ?2 AND point <> ''";
    let mut statement = connection.prepare_cached(sql)?;
    let point = statement.query_row(params![Kind::Case.code().0, case.as_bytes()], |row| row.get(0)).optional()?;
    if let Some(point) = point {
        return Ok(point);
    }
    let mut statement =
        connection.prepare_cached("SELECT audience FROM holding WHERE record = ?1 ORDER BY audience")?;
    let audiences = statement.query_map([row.0], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(audiences.iter().find_map(|audience| leave::point_of(audience)).unwrap_or_default())
}

fn bequeath_point(connection: &Connection, case: &RecordRef, point: &str) -> Result<(), Error> {
    let sql = "UPDATE record SET point = ?3 WHERE case_id = ?1 AND kind <> ?2 AND point <> ?3";
    let id = case.key.id.as_bytes();
    connection.prepare_cached(sql)?.execute(params![id, Kind::Case.code().0, point])?;
    Ok(())
}
