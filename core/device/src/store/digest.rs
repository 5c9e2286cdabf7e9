//! Sums of what this device holds, kept beside it in the same transaction: equal to the server's when the copies are.
//!
//! A record's sum covers the changes that the server acknowledged; what waits in the outbox is not part of it. An
//! audience's sum covers the records held by it. What came in packs counts apart, as its segments' seals say, until it is
//! tried; a record that was tried counts as what of it could be admitted.

use std::collections::BTreeMap;

use foras_wire::audience::AudienceName;
use foras_wire::id::{Actor, ChangeHash};
use foras_wire::reconcile::{Combined, Item, Sum, combined};
use foras_wire::record::RecordRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::identity::Identity;
use super::meta::{self, name};
use super::rows::{self, RecordRow};
use super::segment::{self, SegmentRow};
use super::writing::Writing;
use crate::error::Error;

/// How long sums are trusted before they are made anew from the changes, in milliseconds: a day.
const TRUSTED_MS: i64 = 24 * 3_600 * 1_000;

/// Of changes that stand in their records: those that wait neither here nor among what others gave to take along.
const ACKNOWLEDGED: &str = "NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.kind = record.kind \
     AND outbox.id = record.id AND outbox.hash = change.hash) \
     AND NOT EXISTS (SELECT 1 FROM carried_item AS item WHERE item.kind = record.kind \
     AND item.id = record.id AND item.hash = change.hash AND item.state = 2)";

/// Sums that a transaction changes, until it is committed.
#[derive(Debug, Default)]
pub(super) struct Shifts {
    records: BTreeMap<RecordRow, Sum>,
    audiences: BTreeMap<String, Sum>,
}

impl Writing<'_> {
    /// The server has this change of the record, and the device holds it.
    pub(super) fn acknowledged(&mut self, row: RecordRow, record: &RecordRef, hash: &ChangeHash) -> Result<(), Error> {
        self.shift_record(row, Sum::default().with(&Item::of(record, hash)))
    }

    /// The server does not have this change any more, or the device does not.
    pub(super) fn unacknowledged(
        &mut self,
        row: RecordRow,
        record: &RecordRef,
        hash: &ChangeHash,
    ) -> Result<(), Error> {
        self.shift_record(row, Sum::default().without(&Item::of(record, hash)))
    }

    fn shift_record(&mut self, row: RecordRow, by: Sum) -> Result<(), Error> {
        for audience in audiences_of(self.connection(), row)? {
            self.shift_audience(&audience, by);
        }
        let shift = self.shifts.records.entry(row).or_default();
        *shift = shift.plus(by);
        Ok(())
    }

    pub(super) fn shift_audience(&mut self, audience: &str, by: Sum) {
        let shift = self.shifts.audiences.entry(audience.to_owned()).or_default();
        *shift = shift.plus(by);
    }

    fn sum_of(&mut self, row: RecordRow) -> Result<Sum, Error> {
        let sql = "SELECT digest, segment, received, kind, id, case_id, generation FROM record WHERE row = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let segment = (row.get::<_, i64>(2)? > 0).then_some(SegmentRow(row.get(1)?));
            Ok((rows::array(row, 0)?, segment, rows::record_ref(row, 3)?.key))
        };
        let kept = self.connection().prepare_cached(sql)?.query_row([row.0], read).optional()?;
        if let Some((_, Some(segment), key)) = kept {
            return self.opened.sum(&self.transaction, segment, &key);
        }
        let kept = kept.map(|(digest, ..)| digest);
        let shift = self.shifts.records.get(&row).copied().unwrap_or_default();
        Ok(kept.map(Sum::from_bytes).unwrap_or_default().plus(shift))
    }

    /// The record's changes are these, and no others.
    pub(super) fn counts_as(&mut self, row: RecordRow, sum: Sum) -> Result<(), Error> {
        let by = sum.minus(self.sum_of(row)?);
        if by == Sum::default() { Ok(()) } else { self.shift_record(row, by) }
    }

    /// The device holds the record by this audience from now on.
    pub(super) fn held_by(&mut self, audience: &str, row: RecordRow) -> Result<(), Error> {
        let sum = self.sum_of(row)?;
        self.shift_audience(audience, sum);
        Ok(())
    }

    /// The device holds the record by this audience no more.
    pub(super) fn let_go_by(&mut self, audience: &str, row: RecordRow) -> Result<(), Error> {
        let sum = self.sum_of(row)?;
        self.shift_audience(audience, Sum::default().minus(sum));
        Ok(())
    }

    /// The record is about to be deleted, with whatever holds it.
    pub(super) fn let_go(&mut self, row: RecordRow) -> Result<(), Error> {
        for audience in audiences_of(self.connection(), row)? {
            self.let_go_by(&audience, row)?;
        }
        self.shifts.records.remove(&row);
        Ok(())
    }

    /// Writes the sums that changed.
    pub(super) fn keep_digests(&mut self) -> Result<(), Error> {
        let shifts = std::mem::take(&mut self.shifts);
        let connection = self.connection();
        for (row, by) in shifts.records {
            let mut read = connection.prepare_cached("SELECT digest FROM record WHERE row = ?1")?;
            let Some(kept) = read.query_row([row.0], |row| rows::array(row, 0)).optional()? else { continue };
            let sum = Sum::from_bytes(kept).plus(by);
            let mut write = connection.prepare_cached("UPDATE record SET digest = ?2 WHERE row = ?1")?;
            write.execute(params![row.0, sum.to_bytes()])?;
        }
        for (audience, by) in shifts.audiences {
            set_audience(connection, &audience, of_audience(connection, &audience)?.plus(by))?;
        }
        Ok(())
    }
}

fn audiences_of(connection: &Connection, row: RecordRow) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare_cached("SELECT audience FROM holding WHERE record = ?1")?;
    Ok(statement.query_map([row.0], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The sum of an audience, of what is verified and of what was received and not tried yet.
fn of_audience(connection: &Connection, audience: &str) -> Result<Sum, Error> {
    let mut statement = connection.prepare_cached("SELECT digest FROM cursor WHERE audience = ?1")?;
    let found = statement.query_row([audience], |row| rows::array(row, 0)).optional()?;
    Ok(found.map(Sum::from_bytes).unwrap_or_default())
}

fn set_audience(connection: &Connection, audience: &str, sum: Sum) -> Result<(), Error> {
    let sql = "INSERT INTO cursor (audience, digest) VALUES (?1, ?2) \
               ON CONFLICT (audience) DO UPDATE SET digest = excluded.digest";
    connection.prepare_cached(sql)?.execute(params![audience, sum.to_bytes()])?;
    Ok(())
}

/// The digest of everything that the device holds, to be compared with the server's.
pub(super) fn of_device(connection: &Connection, identity: &Identity) -> Result<Combined, Error> {
    let sums = identity.audiences().iter().map(|audience| of_audience(connection, audience.as_str()));
    Ok(combined(sums.collect::<Result<Vec<_>, _>>()?))
}

/// An acknowledged change, held by an audience.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) item: Item,
    pub(super) record: RecordRef,
    pub(super) hash: ChangeHash,
    /// `None`: opaque.
    pub(super) actor: Option<Actor>,
}

/// What the device holds by an audience and the server acknowledged.
pub(super) fn copy(connection: &Connection, audience: &AudienceName) -> Result<Vec<Held>, Error> {
    let sql = "SELECT record.kind, record.id, record.case_id, record.generation, change.hash, change.actor \
               FROM holding JOIN record ON record.row = holding.record JOIN change ON change.record = record.row \
               WHERE holding.audience = ?1 AND";
    let mut statement = connection.prepare_cached(&format!("{sql} {ACKNOWLEDGED}"))?;
    let held = statement.query_map([audience.as_str()], |row| {
        let (record, hash) = (rows::record_ref(row, 0)?, ChangeHash(rows::array(row, 4)?));
        let actor = Actor::from_slice(row.get_ref(5)?.as_blob().unwrap_or_default()).ok();
        Ok(Held { item: Item::of(&record, &hash), record, hash, actor })
    })?;
    Ok(held.collect::<Result<_, _>>()?)
}

/// Makes every sum anew from the changes themselves: after damage, when somebody asks, and once a day.
pub(super) fn recount(connection: &Connection, identity: &Identity) -> Result<(), Error> {
    let sql = "SELECT record.row, record.kind, record.id, record.case_id, record.generation, change.hash \
               FROM record JOIN change ON change.record = record.row WHERE";
    let mut sums: BTreeMap<i64, Sum> = BTreeMap::new();
    let mut statement = connection.prepare_cached(&format!("{sql} {ACKNOWLEDGED}"))?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let item = Item::of(&rows::record_ref(row, 1)?, &ChangeHash(rows::array(row, 5)?));
        let sum = sums.entry(row.get(0)?).or_default();
        *sum = sum.with(&item);
    }
    let zero = Sum::default().to_bytes();
    connection.prepare_cached("UPDATE record SET digest = ?1 WHERE digest <> ?1 AND received = 0")?.execute([zero])?;
    let mut write = connection.prepare_cached("UPDATE record SET digest = ?2 WHERE row = ?1")?;
    for (row, sum) in &sums {
        write.execute(params![row, sum.to_bytes()])?;
    }
    let mut held = connection.prepare_cached("SELECT record FROM holding WHERE audience = ?1")?;
    for audience in identity.audiences() {
        let rows = held.query_map([audience.as_str()], |row| row.get::<_, i64>(0))?;
        // What was not tried yet lies in its segment, which the server's signature vouched for.
        let mut all = segment::sum_of_audience(connection, audience.as_str())?;
        for row in rows {
            all = all.plus(sums.get(&row?).copied().unwrap_or_default());
        }
        set_audience(connection, audience.as_str(), all)?;
    }
    Ok(())
}

/// Makes the sums anew when that was not done for a day, or the clock was set back since.
pub(super) fn recount_if_due(connection: &Connection, identity: &Identity, now_ms: i64) -> Result<(), Error> {
    let since: Option<i64> = meta::get_cbor(connection, name::RECOUNTED)?;
    if since.is_none() {
        // Until now every sum was kept with what it counts.
        return meta::put_cbor(connection, name::RECOUNTED, &now_ms);
    }
    if since.is_some_and(|since| (0..TRUSTED_MS).contains(&now_ms.saturating_sub(since))) {
        return Ok(());
    }
    recount(connection, identity)?;
    meta::put_cbor(connection, name::RECOUNTED, &now_ms)
}
