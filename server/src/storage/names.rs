//! Short names: the first bytes of an id, as many as tell it from every other one.

use foras_wire::id::{Actor, RecordId};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{fixed, signed};
use crate::error::ServerError;

/// Bytes of an id, of a record or an actor.
const ID_BYTES: usize = 16;
/// Candidates of a name that are looked at: honest names have one, or few.
const CANDIDATES_MAX: u32 = 64;

/// How many first bytes of a record's id no other record of its kind begins with.
pub(crate) fn record_bytes(db: &Connection, key: &RecordKey) -> Result<usize, ServerError> {
    let mut before = db.prepare_cached("SELECT max(id) FROM record WHERE kind = ?1 AND id < ?2")?;
    let mut after = db.prepare_cached("SELECT min(id) FROM record WHERE kind = ?1 AND id > ?2")?;
    let words = params![key.kind.0, key.id.0];
    let neighbours = [before.query_row(words, neighbour)?, after.query_row(words, neighbour)?];
    Ok(bytes(key.id.as_bytes(), neighbours))
}

/// As [`record_bytes`], of actors.
pub(crate) fn actor_bytes(db: &Connection, actor: &Actor) -> Result<usize, ServerError> {
    let mut before = db.prepare_cached("SELECT max(actor) FROM author WHERE actor < ?1")?;
    let mut after = db.prepare_cached("SELECT min(actor) FROM author WHERE actor > ?1")?;
    let neighbours = [before.query_row([actor.0], neighbour)?, after.query_row([actor.0], neighbour)?];
    Ok(bytes(actor.as_bytes(), neighbours))
}

fn neighbour(row: &Row<'_>) -> rusqlite::Result<Option<Vec<u8>>> {
    row.get(0)
}

fn bytes(id: &[u8], neighbours: [Option<Vec<u8>>; 2]) -> usize {
    let common = |other: Vec<u8>| id.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let common = neighbours.into_iter().flatten().map(common).max().unwrap_or(0);
    (common + 1).min(ID_BYTES)
}

/// The ids that begin with `name`.
fn range(name: &[u8]) -> ([u8; ID_BYTES], [u8; ID_BYTES]) {
    let (mut first, mut last) = ([0; ID_BYTES], [0xff; ID_BYTES]);
    for ((first, last), byte) in first.iter_mut().zip(&mut last).zip(name) {
        (*first, *last) = (*byte, *byte);
    }
    (first, last)
}

/// Records of `kind` whose id begins with `name`, a few at most.
pub(crate) fn records(db: &Connection, kind: KindCode, name: &[u8]) -> Result<Vec<RecordRef>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT id, case_id, generation FROM record WHERE kind = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id LIMIT ?4",
    )?;
    let (first, last) = range(name);
    let rows = rows.query_map(params![kind.0, first, last, CANDIDATES_MAX], |row| {
        Ok(RecordRef {
            key: RecordKey { kind, id: RecordId(fixed(row, 0)?) },
            case: RecordId::from_slice(&row.get::<_, Vec<u8>>(1)?).ok(),
            generation: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Actors whose id begins with `name`, a few at most.
pub(crate) fn actors(db: &Connection, name: &[u8]) -> Result<Vec<Actor>, ServerError> {
    let mut rows =
        db.prepare_cached("SELECT actor FROM author WHERE actor BETWEEN ?1 AND ?2 ORDER BY actor LIMIT ?3")?;
    let (first, last) = range(name);
    let rows = rows.query_map(params![first, last, CANDIDATES_MAX], |row| Ok(Actor(fixed(row, 0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a log tells of one record up to a position.
pub(super) const TELLS: &str = "SELECT 1 FROM audience_log
     WHERE id = ?2 AND kind = ?3 AND audience = ?1 AND pos <= ?4 AND entry IN (1, 2) LIMIT 1";

/// Whether the log tells of the record at a position up to `through`: who followed it so far holds the record.
pub(crate) fn is_told(db: &Connection, audience: &str, record: &RecordKey, through: u64) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached(TELLS)?;
    Ok(row.exists(params![audience, record.id.0, record.kind.0, signed(through)])?)
}

/// Whether the log introduced the actor.
pub(crate) fn is_introduced(db: &Connection, audience: &str, actor: &Actor) -> Result<bool, ServerError> {
    let mut row = db.prepare_cached("SELECT 1 FROM audience_author WHERE audience = ?1 AND actor = ?2")?;
    Ok(row.query_row(params![audience, actor.0], |_| Ok(())).optional()?.is_some())
}
