//! Packs that were made: a cache. What leaves an audience takes the audience's packs with it.

use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::id::PackId;
use foras_wire::pack::Seal;
use rusqlite::{Connection, OptionalExtension, params};

use super::{fixed, signed, unsigned};
use crate::error::ServerError;

/// Packs of one audience that are kept beside each other: phones may still be in the middle of the older one.
const KEPT: u32 = 2;

/// For whom packs are made: an audience, with colleagues' names or with roles only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shelf {
    pub(crate) audience: String,
    pub(crate) names: bool,
    pub(crate) epoch: u64,
}

/// A pack, made or being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackRow {
    pub(crate) id: PackId,
    pub(crate) to: u64,
    pub(crate) segments: u32,
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<PackRow> {
    Ok(PackRow { id: PackId(fixed(row, 0)?), to: unsigned(row, 1)?, segments: row.get(2)? })
}

/// The pack of this id.
pub(crate) fn get(db: &Connection, shelf: &Shelf, id: &PackId) -> Result<Option<PackRow>, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT id, to_pos, segments FROM pack WHERE audience = ?1 AND names = ?2 AND id = ?3 AND epoch = ?4",
    )?;
    Ok(row.query_row(params![shelf.audience, shelf.names, id.0, signed(shelf.epoch)], read).optional()?)
}

/// The newest pack.
pub(crate) fn newest(db: &Connection, shelf: &Shelf) -> Result<Option<PackRow>, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT id, to_pos, segments FROM pack WHERE audience = ?1 AND names = ?2 AND epoch = ?3
         ORDER BY to_pos DESC LIMIT 1",
    )?;
    Ok(row.query_row(params![shelf.audience, shelf.names, signed(shelf.epoch)], read).optional()?)
}

/// Notes a pack that is going to be made. Packs that nobody is in the middle of any more go.
pub(crate) fn add(db: &Connection, shelf: &Shelf, pack: &PackRow) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO pack (audience, names, id, epoch, to_pos, segments) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        shelf.audience,
        shelf.names,
        pack.id.0,
        signed(shelf.epoch),
        signed(pack.to),
        pack.segments
    ])?;
    let kept = "SELECT id FROM pack WHERE audience = ?1 AND names = ?2 AND epoch = ?3 ORDER BY to_pos DESC LIMIT ?4";
    for table in ["pack", "pack_segment"] {
        let sql = format!("DELETE FROM {table} WHERE audience = ?1 AND names = ?2 AND id NOT IN ({kept})");
        db.prepare_cached(&sql)?.execute(params![shelf.audience, shelf.names, signed(shelf.epoch), KEPT])?;
    }
    Ok(())
}

/// Something left the audience: nobody begins, or goes on with, what still holds it.
pub(crate) fn forget(db: &Connection, audience: &str) -> Result<(), ServerError> {
    for table in ["pack", "pack_segment"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE audience = ?1"))?.execute([audience])?;
    }
    Ok(())
}

/// Keeps a segment that was made; false when its pack was forgotten meanwhile.
pub(crate) fn add_segment(
    db: &Connection,
    shelf: &Shelf,
    id: &PackId,
    number: u32,
    seal: &Seal,
    blob: &[u8],
) -> Result<bool, ServerError> {
    if get(db, shelf, id)?.is_none() {
        return Ok(false);
    }
    db.prepare_cached(
        "INSERT INTO pack_segment (audience, names, id, number, seal, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![shelf.audience, shelf.names, id.0, number, to_cbor(seal), blob])?;
    Ok(true)
}

/// A segment, if it was made.
pub(crate) fn segment(
    db: &Connection,
    shelf: &Shelf,
    id: &PackId,
    number: u32,
) -> Result<Option<(Seal, Vec<u8>)>, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT seal, blob FROM pack_segment WHERE audience = ?1 AND names = ?2 AND id = ?3 AND number = ?4",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?));
    let found = row.query_row(params![shelf.audience, shelf.names, id.0, number], read).optional()?;
    let Some((seal, blob)) = found else { return Ok(None) };
    let seal = from_cbor("seal", &seal).map_err(|_| ServerError::Corrupt("a pack's seal does not read"))?;
    Ok(Some((seal, blob)))
}

/// Bytes of the whole pack; `None` while some of its segments are not made.
pub(crate) fn bytes(db: &Connection, shelf: &Shelf, pack: &PackRow) -> Result<Option<u64>, ServerError> {
    let mut row = db.prepare_cached(
        "SELECT count(*), coalesce(sum(length(blob)), 0) FROM pack_segment
         WHERE audience = ?1 AND names = ?2 AND id = ?3",
    )?;
    let words = params![shelf.audience, shelf.names, pack.id.0];
    let (made, bytes): (u32, u64) = row.query_row(words, |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
    Ok((made == pack.segments).then_some(bytes))
}
