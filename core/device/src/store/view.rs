//! The columns that lists read, made from a record's document whenever it changed.

use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_record::projection::{self, View};
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
    write_columns(connection, row, record, document.kind(), projection::columns(document), now_ms)
}

/// As [`write`], of columns that are known already.
pub(super) fn write_columns(
    connection: &Connection,
    row: RecordRow,
    record: &RecordRef,
    kind: Kind,
    view: View,
    now_ms: i64,
) -> Result<(), Error> {
    let columns = serde_json::to_string(&view.columns).unwrap_or_else(|_| "{}".to_owned());
    let (title_key, number) = (projection::fold(&view.title), view.number.unwrap_or_default());
    // Most edits move a record in no order, and to no other point: then no index is touched. Where a record has no point of
    // its own, what it inherited stands until its case bequeaths another.
    let sql = "UPDATE record SET title = ?2, search = ?4, awaiting = ?9, columns = ?10, changed_ms = ?11 WHERE row = ?1 \
               AND title_key = ?3 AND point = coalesce(?5, nullif(point, ''), iif(case_id = x'', '', NULL)) AND number = ?6 AND sort_at = ?7 \
               AND conflicts = ?8";
    let whole = "UPDATE record SET title = ?2, title_key = ?3, search = ?4, point = ?5, number = ?6, sort_at = ?7, \
                 conflicts = ?8, awaiting = ?9, columns = ?10, changed_ms = ?11 WHERE row = ?1";
    let update = |sql: &str, point: Option<&str>| -> Result<bool, Error> {
        let words = params![
            row.0,
            view.title,
            title_key,
            view.search,
            point,
            number,
            view.sort_at,
            view.conflicts,
            view.awaiting,
            columns,
            now_ms
        ];
        Ok(connection.prepare_cached(sql)?.execute(words)? > 0)
    };
    if update(sql, view.point.as_deref())? {
        return Ok(());
    }
    let point = match &view.point {
        Some(point) => point.clone(),
        None => inherited_by(connection, row, record)?,
    };
    update(whole, Some(&point))?;
    if kind == Kind::Case { bequeath_point(connection, record, &point) } else { Ok(()) }
}

/// The point of the record's case, if the device holds that and it has one.
pub(super) fn point_of_case(connection: &Connection, record: &RecordRef) -> Result<Option<String>, Error> {
    let Some(case) = &record.case else { return Ok(None) };
    let sql = "SELECT point FROM record WHERE kind = ?1 AND id = ?2 AND point <> ''";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![Kind::Case.code().0, case.as_bytes()], |row| row.get(0)).optional()?)
}

/// The point of a record's case; where the device does not hold that, of an audience through which it holds the record.
fn inherited_by(connection: &Connection, row: RecordRow, record: &RecordRef) -> Result<String, Error> {
    if record.case.is_none() {
        return Ok(String::new());
    }
    if let Some(point) = point_of_case(connection, record)? {
        return Ok(point);
    }
    let mut statement =
        connection.prepare_cached("SELECT audience FROM holding WHERE record = ?1 ORDER BY audience")?;
    let audiences = statement.query_map([row.0], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(audiences.iter().find_map(|audience| leave::point_of(audience)).unwrap_or_default())
}

/// A case tells its other records which point they belong to.
pub(super) fn bequeath_point(connection: &Connection, case: &RecordRef, point: &str) -> Result<(), Error> {
    let sql = "UPDATE record SET point = ?3 WHERE case_id = ?1 AND kind <> ?2 AND point <> ?3";
    let id = case.key.id.as_bytes();
    connection.prepare_cached(sql)?.execute(params![id, Kind::Case.code().0, point])?;
    Ok(())
}
