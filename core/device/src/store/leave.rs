//! What leaves the device: a record out of an audience, an audience out of the grant, a person erased.
//!
//! Own changes that wait to go out outlive their record: they are pushed first, and the server keeps them for a
//! supervisor. Edits that were refused lose their values, and only their notice stays.

use std::collections::BTreeSet;

use foras_record::audience::Audience;
use foras_wire::audience::AudienceName;
use foras_wire::id::RecordId;
use foras_wire::record::RecordKey;
use rusqlite::{Connection, params};

use super::identity::Identity;
use super::meta::{self, name};
use super::writing::Writing;
use super::{carried, offer, outbox, pack, rows};
use crate::error::Error;

/// The record left `audience`. True when it left the device with it.
pub(super) fn record(writing: &mut Writing<'_>, audience: &AudienceName, key: &RecordKey) -> Result<bool, Error> {
    let Some((row, _)) = rows::find(writing.connection(), key)? else { return Ok(false) };
    let sql = "DELETE FROM holding WHERE audience = ?1 AND record = ?2";
    let words = params![audience.as_str(), row.0];
    if writing.connection().prepare_cached(sql)?.execute(words)? > 0 {
        writing.let_go_by(audience.as_str(), row)?;
    }
    let connection = writing.connection();
    let sql = "SELECT EXISTS (SELECT 1 FROM holding WHERE record = ?1)";
    if connection.prepare_cached(sql)?.query_row([row.0], |row| row.get(0))? {
        return Ok(false);
    }
    whole(writing, key)?;
    Ok(true)
}

/// Deletes the record and everything that quotes it, but for what waits to go out.
fn whole(writing: &mut Writing<'_>, key: &RecordKey) -> Result<(), Error> {
    writing.delete(key)?;
    let connection = writing.connection();
    carried::send_away(connection, key)?;
    let words = params![key.kind.0, key.id.as_bytes()];
    connection.prepare_cached("DELETE FROM parked WHERE kind = ?1 AND id = ?2")?.execute(words)?;
    let sql = "UPDATE refused SET value = '', item = '' WHERE kind = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute(words)?;
    meta::put(connection, name::SCRUB, &[1])
}

/// The grant no longer names this audience.
pub(super) fn audience(writing: &mut Writing<'_>, audience: &AudienceName) -> Result<(), Error> {
    let sql = "SELECT record.kind, record.id, record.case_id, record.generation \
               FROM holding JOIN record ON record.row = holding.record WHERE holding.audience = ?1";
    for key in keys(writing.connection(), sql, params![audience.as_str()])? {
        record(writing, audience, &key)?;
    }
    pack::end(writing.connection(), audience)?;
    let sql = "DELETE FROM cursor WHERE audience = ?1";
    writing.connection().prepare_cached(sql)?.execute([audience.as_str()])?;
    Ok(())
}

/// The person of this case was erased: records, unsent work and notices go alike.
pub(super) fn case(writing: &mut Writing<'_>, case: &RecordId) -> Result<u32, Error> {
    let sql = "SELECT kind, id, case_id, generation FROM record WHERE case_id = ?1";
    let keys = keys(writing.connection(), sql, params![case.as_bytes()])?;
    for key in &keys {
        whole(writing, key)?;
    }
    let connection = writing.connection();
    // Nobody can look into half a blob: it comes again, without the person.
    pack::forget_pieces(connection)?;
    for table in ["outbox", "refused", "parked"] {
        let sql = format!("DELETE FROM {table} WHERE case_id = ?1");
        connection.prepare_cached(&sql)?.execute([case.as_bytes()])?;
    }
    carried::erase(connection, case)?;
    meta::put(connection, name::SCRUB, &[1])?;
    Ok(u32::try_from(keys.len()).unwrap_or(u32::MAX))
}

/// Deletes what no audience holds, once every log was followed to its end: the server opened it to nobody here. What
/// waits to go out stays. So does what this device wrote and the server acknowledged in an earlier exchange: it may have
/// been put back since, and is asked once more; what waits may build on it. True when something is.
pub(super) fn unheld(
    writing: &mut Writing<'_>,
    identity: &Identity,
    vouched: &BTreeSet<RecordKey>,
) -> Result<bool, Error> {
    let mut asked = false;
    let sql = "SELECT kind, id, x'', 0 FROM record \
               WHERE NOT EXISTS (SELECT 1 FROM holding WHERE holding.record = record.row) \
               AND NOT EXISTS (SELECT 1 FROM carried_item AS item \
               WHERE item.kind = record.kind AND item.id = record.id AND item.state = 2)";
    for key in keys(writing.connection(), sql, params![])? {
        let own = offer::own_changes(writing.connection(), &key)?;
        let Some((_, record)) = rows::find(writing.connection(), &key)? else { continue };
        if !own.is_empty() && !vouched.contains(&key) {
            offer::push_again(writing, identity, &record, &own)?;
            asked = true;
        } else if !outbox::waits(writing.connection(), &key)? {
            whole(writing, &key)?;
        }
    }
    Ok(asked)
}

fn keys(connection: &Connection, sql: &str, words: &[&dyn rusqlite::ToSql]) -> Result<Vec<RecordKey>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_map(words, |row| Ok(rows::record_ref(row, 0)?.key))?.collect::<Result<_, _>>()?;
    Ok(keys)
}

/// The point or country that an audience is of, as its code.
pub(super) fn point_of(audience: &str) -> Option<String> {
    match Audience::of_name(&audience.parse().ok()?)? {
        Audience::Roster(point) | Audience::Programme(point) => Some(point.code().to_owned()),
        Audience::Casework(place) | Audience::Protection(place) => place.point().map(|point| point.code().to_owned()),
        Audience::Public | Audience::Person(_) => None,
    }
}
